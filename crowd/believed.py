"""What a method believes, by file. In: ``Poll`` and ``Beliefs``. Out: the nodes of some files as columns, or of one.

Pure. A file that has several questions shows a taxon when one of its subjects is it, or is below it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from crowd.keys import Floats, Ints, place_in, runs
from crowd.lineage import TaxonTree
from crowd.poll import Beliefs, Poll


class Node(NamedTuple):
    """What is believed of one node on one file."""

    probability: float
    voters: int
    skill: float


NOBODY_WENT = Node(0.0, 0, 0.0)


@dataclass(frozen=True, slots=True)
class Nodes:
    """What is believed of the nodes of some files: equally long columns, sorted by ``key``, file × nodes + node."""

    size: int
    key: Ints
    probability: Floats
    voters: Ints
    skill: Floats

    def find(self, file: Ints, node: Ints) -> Ints:
        """Return the places of nodes, -1 for those of which nothing is believed."""
        return place_in(self.key, file * self.size + node)

    def sure(self, file: Ints, node: Ints) -> Floats:
        """Return how probable nodes are, 0 where nothing is believed of them."""
        place = self.find(file, node)
        return np.where(place >= 0, self.probability[place], 0.0) if len(self.key) else np.zeros(len(place))


class Believed:
    """A method's beliefs, by file."""

    def __init__(self, poll: Poll, beliefs: Beliefs) -> None:
        self._size, self._beliefs, self.skills = len(poll.tree.parent), beliefs, beliefs.skills
        self._file = poll.file_of_question[beliefs.question] if len(beliefs.question) else beliefs.question

    def nodes(self, first: int, last: int) -> Nodes:
        """Return what is believed of the files from ``first`` up to ``last``, counted from the first."""
        begin, end = np.searchsorted(self._file, (first, last))
        told = self._beliefs
        key = (self._file[begin:end] - first) * self._size + told.node[begin:end]
        order = np.argsort(key, kind="stable")
        key = key[order]
        parts = told.probability[begin:end][order], told.voters[begin:end][order], told.skill[begin:end][order]
        starts = runs(key)
        if len(starts) == len(key):
            return Nodes(self._size, key, *parts)
        sure, voters, skill = parts
        many = np.add.reduceat(voters, starts)
        weighed = np.add.reduceat(voters * skill, starts) / np.maximum(many, 1)
        return Nodes(self._size, key[starts], 1 - np.multiply.reduceat(1 - sure, starts), many, weighed)

    def of(self, file: int) -> dict[int, Node]:
        """Return what is believed of one file, by node."""
        found = self.nodes(file, file + 1)
        columns = found.key, found.probability, found.voters, found.skill
        return {key: Node(*more) for key, *more in zip(*(column.tolist() for column in columns), strict=True)}


def turned(node: int, nodes: Mapping[int, Node], tree: TaxonTree) -> tuple[int, float]:
    """Return at which node on the way most turned off, and their mean skill there."""
    way = tree.above(node)
    parents = [0, *way[:-1]]
    best = (0, 0, 0.0)
    for parent, child in zip(parents, way, strict=True):
        off = [n for key, n in nodes.items() if key != child and int(tree.parent[key]) == parent and n.voters]
        voters = sum(one.voters for one in off)
        if voters > best[0]:
            best = (voters, parent, sum(one.voters * one.skill for one in off) / voters)
    return best[1], best[2]
