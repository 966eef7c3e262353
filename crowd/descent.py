"""Votes as ways down a tree. In: votes (question, voter, node). Out: ``Descent``, the arrays that learning goes over.

A vote for a species is a choice at every node on the way to it: of a family, of a genus in it, of a species in that.
So each question falls into *groups*, one for each node at which somebody chose, and a group into *cells*: the children
that were chosen there, and "another one" for all that were not. A *step* is one voter's choice in one group; a *pair*
is a step seen from a cell: what was chosen, if this were the truth. All of it is linear in the votes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowd.keys import Codes, Floats, Ints, distinct

FEW = 8
"""Nodes with at most so many children have a cell for each of them, chosen or not …"""
PER_CELL = 20
"""… when so many choices a cell of their table of confusions were made at them."""


@dataclass(frozen=True, slots=True)
class Votes:
    """Who named what: equally long arrays of question, voter and node; ``removed`` the same for what was taken away."""

    questions: int
    voters: int
    question: Ints
    voter: Ints
    node: Ints
    removed_question: Ints
    removed_node: Ints


@dataclass(frozen=True, slots=True)
class Descent:
    """Groups, cells, steps and pairs by number. Cells and steps are sorted by group."""

    nodes: int
    group_question: Codes
    group_node: Codes
    group_depth: Codes
    cell_group: Codes
    cell_child: Codes
    """The child that a cell stands for, or ``nodes`` + the node for "another one"."""
    cell_below: Codes
    """The group of the same question at that child, -1 where nobody went on."""
    step_group: Codes
    step_voter: Codes
    step_child: Codes
    step_cell: Codes
    """The cell of what was chosen."""
    step_cells: Codes
    """How many cells its group has."""
    pair_cell: Codes
    """Every step with every cell of its group, one step after the other."""
    removed: Ints
    """Cells whose child was taken away …"""
    removals: Floats
    """… and how often."""

    @property
    def another(self) -> NDArray[np.bool_]:
        """Return which cells stand for "another one"."""
        return self.cell_child >= self.nodes

    @property
    def pair_step(self) -> Codes:
        """Return the step of each pair."""
        return np.repeat(np.arange(len(self.step_cells), dtype=np.int32), self.step_cells)

    @property
    def question_of_cell(self) -> Ints:
        """Return the question of each cell."""
        return self.group_question[self.cell_group].astype(np.int64)


def descent(votes: Votes, parent: Ints, depth: Ints) -> Descent:
    """Lay votes out along the tree that ``parent`` and ``depth`` (by node) describe."""
    size = len(parent)
    question, voter, child = _steps(votes.question, votes.voter, votes.node, parent)
    gone_question, _, gone_child = _steps(votes.removed_question, votes.removed_question, votes.removed_node, parent)
    keys = distinct(np.concatenate([question * size + parent[child], gone_question * size + parent[gone_child]]))
    group_question, group_node = keys // size, keys % size
    cells = _cells(keys, np.concatenate([question, gone_question]), np.concatenate([child, gone_child]), parent, child)
    cell_question, cell_child = cells // (2 * size), cells % (2 * size)
    another = cell_child >= size
    inside = np.where(another, 0, cell_child)
    group_of_cell = np.searchsorted(keys, cell_question * size + np.where(another, cell_child - size, parent[inside]))
    order = np.argsort(group_of_cell, kind="stable")
    cell_question, cell_child = cell_question[order], cell_child[order]
    cell_group: Codes = group_of_cell[order].astype(np.int32)
    group_of_step = np.searchsorted(keys, question * size + parent[child])
    by_group = np.argsort(group_of_step, kind="stable")
    step_group: Codes = group_of_step[by_group].astype(np.int32)
    step_voter: Codes = voter[by_group].astype(np.int32)
    step_child: Codes = child[by_group].astype(np.int32)
    # Of millions of votes each of these takes as much as all that stays.
    del question, voter, child, cells, another, inside, group_of_cell, group_of_step, order, by_group
    cells_of = np.bincount(cell_group, minlength=len(keys)).astype(np.int32)[step_group]
    pair_cell = _pairs(step_group, cell_group, cells_of, len(keys))
    chosen = cell_child.astype(np.int32)[pair_cell] == np.repeat(step_child, cells_of)
    removed = np.sort(votes.removed_question * 2 * size + votes.removed_node)
    own = cell_question * 2 * size + cell_child
    removals = np.searchsorted(removed, own, "right") - np.searchsorted(removed, own, "left")
    below = _found(keys, np.where(cell_child < size, cell_question * size + cell_child, -1))
    return Descent(
        nodes=size,
        group_question=group_question.astype(np.int32),
        group_node=group_node.astype(np.int32),
        group_depth=depth[group_node].astype(np.int32),
        cell_group=cell_group,
        cell_child=cell_child.astype(np.int32),
        cell_below=below.astype(np.int32),
        step_group=step_group,
        step_voter=step_voter,
        step_child=step_child,
        step_cell=pair_cell[chosen],
        step_cells=cells_of,
        pair_cell=pair_cell,
        removed=np.flatnonzero(removals),
        removals=removals[removals > 0].astype(np.float64),
    )


def _steps(question: Ints, voter: Ints, node: Ints, parent: Ints) -> tuple[Ints, Ints, Ints]:
    """Return question, voter and child of every choice on the way from the root to the nodes."""
    found: list[tuple[Ints, Ints, Ints]] = []
    while len(node):
        on_the_way = node > 0
        question, voter, node = question[on_the_way], voter[on_the_way], node[on_the_way]
        found.append((question, voter, node))
        node = parent[node]
    if not found:
        return question, voter, node
    return tuple(np.concatenate(part) for part in zip(*found, strict=True))  # type: ignore[return-value]


def _cells(groups: Ints, question: Ints, child: Ints, parent: Ints, chosen: Ints) -> Ints:
    """Return the keys of all cells: the children named, one for "another one", and all where there are few."""
    size = len(parent)
    children = np.bincount(parent[1:], minlength=size)
    choices = np.bincount(parent[chosen], minlength=size)
    all_of = (children <= FEW) & (choices >= PER_CELL * children**2)
    wide = groups[all_of[groups % size]]
    count = children[wide % size]
    order = np.argsort(parent[1:], kind="stable") + 1
    first = np.searchsorted(parent[order], np.arange(size))
    every = order[np.repeat(first[wide % size] - np.cumsum(count) + count, count) + np.arange(count.sum())]
    return distinct(
        np.concatenate(
            [
                question * 2 * size + child,
                (groups // size) * 2 * size + size + groups % size,
                np.repeat(wide // size, count) * 2 * size + every,
            ]
        )
    )


def _pairs(step_group: Codes, cell_group: Codes, cells_of: Codes, groups: int) -> Codes:
    """Return the cells of every step's group, one step after the other."""
    first = np.searchsorted(cell_group, np.arange(groups))
    before = np.cumsum(cells_of) - cells_of
    cell = np.repeat((first[step_group] - before).astype(np.int32), cells_of)
    cell += np.arange(len(cell), dtype=np.int32)
    return cell


def _found(keys: Ints, wanted: Ints) -> Ints:
    """Return where each wanted key stands among sorted ``keys``, -1 for those that do not."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where((len(keys) > 0) & (keys[place] == wanted), place, -1) if len(keys) else np.full(len(wanted), -1)
