"""Truth and skill learned from each other, over a tree. In: a ``Descent``. Out: ``Learned``.

The model. Every question has a true leaf. Whoever answers goes down from the root towards it. At each node either he
*knows* which child is right, or he guesses: as the crowd confuses that child with others, or else as children are
popular there. Once off the way he says nothing about the truth any more. How deep somebody goes says nothing about
where. So a name at any rank supports all that lies above it, says nothing between the species below it, and dissent
ends at the node where the ways part.

Whether somebody knows is learned for each branch of the tree: from the choices made in it, drawn towards the same
person's skill in the branch above, corrected for how hard the branch is for everybody; at the root, towards that of
the crowd. Who answers often enough at one node gets a table of confusions of his own there (Dawid & Skene 1979,
https://doi.org/10.2307/2346806), drawn towards what skill and crowd make likely; how strongly is itself read off the
votes (the evidence of Dirichlet-multinomial rows). Somebody who answers without looking is one whose skill comes out at
nothing: then his vote weighs nothing.

Votes and truths are weighed in turns. A vote is judged by tables from which its own weight is taken out (collapsed
variational Bayes of order zero, Asuncion et al. 2009, https://arxiv.org/abs/1205.2662), so that nobody vouches for
himself: a crowd of lone votes stays as unsure as it began.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from crowd.descent import Descent
from crowd.gamma import log_gamma
from crowd.keys import Codes, Floats, Ints, distinct, numbered, runs, totals

START = 0.75
"""How often people are taken to know before anything is known of them, with the weight of …"""
START_VOTES = 4.0
BRANCH_VOTES = 8.0
"""Weight, in votes, of somebody's skill in the branch above against his choices in this one."""
NODE_VOTES = 10.0
"""Weight of how well the crowd does at this depth against how it does at this node."""
POPULAR_VOTES = 20.0
"""Weight of how often a child is named against how often it is true."""
TABLES = (4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
"""Weights that a person's own table of confusions may be drawn by, in votes; the evidence chooses …"""
LOOK_ALIKES = (100.0, 1000.0)
"""… and the same for the crowd's table."""
ROUNDS = 25
SETTLED = 5e-4
"""Mean change of the cells' probabilities below which nothing moves any more."""
BLOCK = 1_000_000
"""Pairs that are weighed together, about."""
SAMPLE = 40_000
"""Rows of a table that its weight is chosen by, at most."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What is true and who knows: by cell, and by branch (a voter at a node)."""

    cell: Floats
    """Probability that the truth lies at or below a cell's child; of "another one", that it is none of those named."""
    branch_voter: Ints
    branch_node: Ints
    branch_skill: Floats
    branch_votes: Floats
    """How many choices that is learned from, here and below, by the weight with which the truth passes here."""
    branch_of_step: Codes
    rounds: int


def learn(laid: Descent, parent: Ints, depth: Ints, gold: Ints | None = None) -> Learned:
    """Return what follows from the votes.

    ``gold`` gives the node of each question's known answer, -1 where there is none: skill is learned from it, but the
    questions themselves are answered by their votes alone.
    """
    state = _State(laid, parent, depth, gold)
    known = _known(laid, parent, gold)
    probability = state.spread(state.shares(), known)
    rounds = 0
    for rounds in range(1, ROUNDS + 1):
        before = probability
        local = state.weigh(probability, rounds)
        probability = state.spread(local, known)
        if not len(before) or np.abs(probability - before).mean() < SETTLED:
            break
    if known is not None:
        probability = state.spread(state.weigh(probability, rounds), None)
    return Learned(
        cell=probability,
        branch_voter=state.branch_voter,
        branch_node=state.branch_node,
        branch_skill=state.skill,
        branch_votes=state.votes_of_branch,
        branch_of_step=state.branch_of_step,
        rounds=rounds,
    )


def _known(laid: Descent, parent: Ints, gold: Ints | None) -> Floats | None:
    """Return for each cell 1 or 0 where its question's answer is known, NaN elsewhere; None without known answers."""
    if gold is None or not (gold >= 0).any():
        return None
    size = laid.nodes
    on_the_way = set()
    for asked in np.flatnonzero(gold >= 0).tolist():
        node = int(gold[asked])
        while node:
            on_the_way.add(asked * size + node)
            node = int(parent[node])
    question = laid.question_of_cell
    right = np.isin(question * size + np.where(laid.another, 0, laid.cell_child), sorted(on_the_way)) & ~laid.another
    answered = totals(laid.cell_group, right, len(laid.group_question))[laid.cell_group] > 0
    value = np.where(answered, right, laid.another).astype(np.float64)
    return np.where(gold[question] >= 0, value, np.nan)


class _State:
    """The arrays of one learning, and its two turns: ``weigh`` the votes, ``spread`` the weight over the tree."""

    def __init__(self, laid: Descent, parent: Ints, depth: Ints, gold: Ints | None = None) -> None:
        self._laid, self._parent, self._depth = laid, parent, depth
        size, wide = laid.nodes, 2 * laid.nodes
        self._size = size
        quads, self._quad = _quads(laid)
        rows, self._row_of_quad = numbered(quads // size)
        looks, self._look_of_quad = numbered(quads % (wide * size))
        self._rows = len(rows)
        self._matching = np.flatnonzero((quads // size) % wide == quads % size)
        self._look_true, self._look_said = looks // size, looks % size
        voter_of_step = laid.step_voter.astype(np.int64)
        step_node = parent[laid.step_child]
        of_step = voter_of_step * size + step_node
        branches = distinct(of_step)
        self.branch_of_step = np.searchsorted(branches, of_step).astype(np.int32)
        self.branch_voter, self.branch_node = branches // size, branches % size
        self._branch_up = np.searchsorted(branches, self.branch_voter * size + parent[self.branch_node])
        node_of_quad = parent[quads % size]
        self._branch_of_quad = np.searchsorted(branches, (quads // (wide * size)) * size + node_of_quad).astype(
            np.int32
        )
        self._own_look = self._look_of_quad[self._quad[laid.pair_cell == np.repeat(laid.step_cell, laid.step_cells)]]
        self._shared = self._shared_groups(gold)
        self._teaches = self._shared[laid.cell_group]
        self._popular()
        self._levels()
        self.skill = np.full(len(branches), START)
        self.votes_of_branch = np.zeros(len(branches))
        self._local_skill = np.full(size, START)
        self._guess = self._popularity[self._look_said]
        self._table, self._look_alike = 16.0, LOOK_ALIKES[-1]

    def _shared_groups(self, gold: Ints | None) -> NDArray[np.bool_]:
        """Return the groups that skill is learned from: a lone voter's choice could only be borne out by itself."""
        laid = self._laid
        several = np.bincount(laid.step_group, minlength=len(laid.group_node)) > 1
        return several if gold is None else several | (gold[laid.group_question] >= 0)

    def _popular(self) -> None:
        """Read off how often each child is named at its node, and how much of a node nobody has named yet."""
        laid, parent, size = self._laid, self._parent, self._size
        children = np.bincount(parent[1:], minlength=size)
        named = np.bincount(laid.step_child, minlength=size).astype(np.float64)
        choices = np.bincount(parent[laid.step_child], minlength=size)
        self._popularity = (named + 0.5) / (choices[parent] + 0.5 * np.maximum(children[parent], 1))
        voted = np.bincount(laid.step_cell, minlength=len(laid.cell_child)) > 0
        at = laid.cell_child[~laid.another & voted & self._teaches]
        once = np.bincount(at, minlength=size) == 1
        lone = np.bincount(parent[1:][once[1:]], minlength=size)
        questions = np.bincount(laid.group_node[self._shared], minlength=size)
        # Good & Turing: what comes next is new as often as things came once.
        usual = np.log(self._popularity)[laid.step_child]
        self._usual = totals(laid.step_group, usual, len(laid.group_node))
        self._unseen = np.clip((lone + 2.0) / (questions + 4.0), 0.0, 0.5)

    def _levels(self) -> None:
        """Sort cells, groups and branches by depth, for going down and up."""
        laid = self._laid
        of_cell = laid.group_depth[laid.cell_group]
        self._cells_at = [np.flatnonzero(of_cell == level) for level in range(int(of_cell.max(initial=-1)) + 1)]
        self._starts_at = [runs(laid.cell_group[cells]) for cells in self._cells_at]
        self._on_at = [cells[laid.cell_below[cells] >= 0] for cells in self._cells_at]
        of_branch = self._depth[self.branch_node]
        self._branches_at = [np.flatnonzero(of_branch == level) for level in range(int(of_branch.max(initial=-1)) + 1)]
        self._blocks = _blocks(laid)
        self._nodes_at = [np.flatnonzero(self._depth == level) for level in range(int(self._depth.max()) + 1)]

    def shares(self) -> Floats:
        """Return for each cell its share of its group's votes: where to begin."""
        laid = self._laid
        cells = len(laid.cell_group)
        votes = np.bincount(laid.step_cell, minlength=cells)
        groups = len(laid.group_question)
        inside = np.bincount(laid.cell_group, minlength=groups)[laid.cell_group]
        total = totals(laid.cell_group, votes, groups)[laid.cell_group]
        return (votes + 0.3 / inside) / (total + 0.3)

    def spread(self, local: Floats, known: Floats | None) -> Floats:
        """Return each cell's probability from those inside its group, from the root down."""
        laid = self._laid
        if known is not None:
            local = np.where(np.isnan(known), local, known)
        probability = np.zeros(len(local))
        group = np.where(laid.group_depth == 0, 1.0, 0.0)
        for cells, on in zip(self._cells_at, self._on_at, strict=True):
            probability[cells] = local[cells] * group[laid.cell_group[cells]]
            group[laid.cell_below[on]] = probability[on]
        return probability

    def weigh(self, probability: Floats, rounds: int) -> Floats:
        """Return each cell's probability inside its group, with what is below it, by tables learned from before."""
        laid = self._laid
        taught = np.where(self._teaches, probability, 0.0)
        quad = np.zeros(len(self._row_of_quad))
        for first, last in self._blocks:
            quad += totals(self._quad[first:last], taught[laid.pair_cell[first:last]], len(quad))
        self._learn_skill(taught)
        self._learn_guesses(quad, rounds)
        row = totals(self._row_of_quad, quad, self._rows)
        knows = self.skill[self._branch_of_quad]
        likely = self._guess[self._look_of_quad]
        likely *= 1 - knows
        likely[self._matching] += knows[self._matching]
        if rounds in (2, 4, 8):
            self._table = _weight_of(quad, likely, row, self._row_of_quad, TABLES)
        likely *= self._table
        likely += quad
        score = self._evidence(taught, likely, (row + self._table)[self._row_of_quad])
        node = laid.group_node[laid.cell_group[laid.removed]]
        score[laid.removed] += laid.removals * np.log(np.maximum(1 - self._local_skill[node], 0.02))
        return self._upwards(score + np.log(self._expected(taught)))

    def _evidence(self, probability: Floats, said: Floats, of: Floats) -> Floats:
        """Return what the votes say for each cell: each is judged without its own weight.

        Pairs are taken some at a time: all at once they take more memory than anything else.
        """
        laid = self._laid
        score = np.empty(len(probability))
        for first, last in self._blocks:
            cell = laid.pair_cell[first:last]
            quad = self._quad[first:last]
            weight = probability[cell]
            left = np.maximum(said[quad] - weight, 1e-12) / (of[quad] - weight)
            begin, end = int(cell[0]), int(cell[-1]) + 1
            score[begin:end] = totals(cell - np.int32(begin), np.log(left), end - begin)
        score -= self._usual[laid.cell_group]
        return score

    def _expected(self, probability: Floats) -> Floats:
        """Return how likely each cell is before its votes: as often as it is true elsewhere."""
        laid, parent, size = self._laid, self._parent, self._size
        true = totals(laid.cell_child, probability, 2 * size)[:size]
        total = totals(parent[1:], true[1:], size)
        share = (true + POPULAR_VOTES * self._popularity) / (total[parent] + POPULAR_VOTES)
        share = (1 - self._unseen[parent]) * share
        inside = np.where(laid.another, 0, laid.cell_child)
        own = np.where(laid.another, 0.0, share[inside])
        named = totals(laid.cell_group, own, len(laid.group_question))
        return np.maximum(np.where(laid.another, 1 - named[laid.cell_group], own), 1e-9)

    def _upwards(self, score: Floats) -> Floats:
        """Return what each cell's score, with all below it, makes of its group: probabilities that add up to 1."""
        laid = self._laid
        total = np.zeros(len(laid.group_question))
        local = np.zeros(len(score))
        for cells, starts in zip(reversed(self._cells_at), reversed(self._starts_at), strict=True):
            below = laid.cell_below[cells]
            value = score[cells] + np.where(below >= 0, total[below], 0.0)
            length = np.diff(np.append(starts, len(cells)))
            highest = np.maximum.reduceat(value, starts)
            power = np.exp(value - np.repeat(highest, length))
            together = np.add.reduceat(power, starts)
            total[laid.cell_group[cells[starts]]] = np.log(together) + highest
            local[cells] = power / np.repeat(together, length)
        return local

    def _learn_skill(self, probability: Floats) -> None:
        """Learn how often each voter knows in each branch."""
        laid, size = self._laid, self._size
        right, branch = probability[laid.step_cell], self.branch_of_step
        knows = self.skill[branch]
        chance = self._guess[self._own_look]
        count = len(self.skill)
        # The truth passes a node with the weight of its group, whichever cell it lies in.
        passing = totals(laid.cell_group, probability, len(laid.group_node))
        votes = totals(self.branch_of_step, passing[laid.step_group], count)
        known = totals(branch, right * knows / (knows + (1 - knows) * chance), count)
        local = _at_nodes(self.branch_node, known, votes, size)
        for deep in reversed(self._branches_at[1:]):
            votes += totals(self._branch_up[deep], votes[deep], count)
            known += totals(self._branch_up[deep], known[deep], count)
        crowd = self._crowd(*_at_nodes(self.branch_node, known, votes, size))
        shift = np.zeros(count)
        for level, branches in enumerate(self._branches_at):
            node = self.branch_node[branches]
            inherited = shift[self._branch_up[branches]] if level else 0.0
            prior = _chance(_odds(crowd[node]) + inherited)
            mine = (known[branches] + BRANCH_VOTES * prior) / (votes[branches] + BRANCH_VOTES)
            shift[branches] = _odds(mine) - _odds(crowd[node])
        self._local_skill = self._by_depth(*local)
        self.skill = np.clip(_chance(_odds(self._local_skill[self.branch_node]) + shift), 0.005, 0.995)
        self.votes_of_branch = votes

    def _crowd(self, known: Floats, votes: Floats) -> Floats:
        """Return how often anybody knows at each node and below, drawn to the node above."""
        crowd = np.full(self._size, START)
        crowd[0] = (known[0] + START_VOTES * START) / (votes[0] + START_VOTES)
        for nodes in self._nodes_at[1:]:
            above = crowd[self._parent[nodes]]
            crowd[nodes] = (known[nodes] + NODE_VOTES * above) / (votes[nodes] + NODE_VOTES)
        return crowd

    def _by_depth(self, known: Floats, votes: Floats) -> Floats:
        """Return how often anybody knows at each node itself, drawn to what is usual at its depth."""
        levels = len(self._nodes_at)
        deep = (totals(self._depth, known, levels) + START_VOTES * START) / (
            totals(self._depth, votes, levels) + START_VOTES
        )
        return (known + NODE_VOTES * deep[self._depth]) / (votes + NODE_VOTES)

    def _learn_guesses(self, quad: Floats, rounds: int) -> None:
        """Learn what is said by those who do not know, for each truth."""
        matching = self._matching
        knows = self.skill[self._branch_of_quad[matching]]
        chance = self._guess[self._look_of_quad[matching]]
        guessed = quad.copy()
        guessed[matching] *= 1 - knows / (knows + (1 - knows) * chance)
        look = totals(self._look_of_quad, guessed, len(self._look_said))
        total = totals(self._look_true, look, 2 * self._size)
        usual = self._popularity[self._look_said]
        if rounds in (2, 4, 8):
            present, of = np.unique(self._look_true, return_inverse=True)
            self._look_alike = _weight_of(look, usual, total[present], of, LOOK_ALIKES)
        self._guess = (look + self._look_alike * usual) / (total[self._look_true] + self._look_alike)


def _weight_of(cells: Floats, likely: Floats, rows: Floats, row_of: Ints | Codes, weights: tuple[float, ...]) -> float:
    """Return by which of the weights the rows are drawn to what is likely, most probably (a sample of rows decides)."""
    every = max(1, len(rows) // SAMPLE)
    taken = row_of % every == 0
    cells, likely, rows = cells[taken], likely[taken], rows[::every]
    best = [
        (log_gamma(cells + w * likely) - log_gamma(w * likely)).sum()
        - (log_gamma(rows + w) - log_gamma(np.array([w]))).sum()
        for w in weights
    ]
    return weights[int(np.argmax(best))]


def _at_nodes(node: Ints, known: Floats, votes: Floats, size: int) -> tuple[Floats, Floats]:
    return totals(node, known, size), totals(node, votes, size)


def _blocks(laid: Descent) -> list[tuple[int, int]]:
    """Return pieces of the pairs, each of whole groups."""
    after = np.cumsum(laid.step_cells, dtype=np.int64)
    ends = after[np.append(runs(laid.step_group)[1:], len(after)) - 1] if len(after) else after
    cuts = ends[np.searchsorted(ends, np.arange(BLOCK, len(laid.pair_cell), BLOCK))]
    bounds = sorted({0, *cuts.tolist(), len(laid.pair_cell)})
    return list(pairwise(bounds))


def _quads(laid: Descent) -> tuple[Ints, Codes]:
    """Return the quads there are (who, what is true, what was said) as numbers, and which of them each pair is."""
    wide = 2 * laid.nodes * laid.nodes
    key = np.repeat(laid.step_voter.astype(np.int64) * wide + laid.step_child, laid.step_cells)
    key += (laid.cell_child.astype(np.int64) * laid.nodes)[laid.pair_cell]
    return numbered(key)


def _odds(chance: Floats) -> Floats:
    return np.log(chance / (1 - chance))


def _chance(odds: Floats) -> Floats:
    clipped: NDArray[np.float64] = np.clip(1 / (1 + np.exp(-odds)), 1e-4, 1 - 1e-4)
    return clipped
