"""What a method believes, file by file. In: ``Poll`` and ``Beliefs``. Out: for each file its nodes, each a ``Node``.

Pure. A file that has several questions shows a taxon when one of its subjects is it, or is below it.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from crowd.lineage import TaxonTree
from crowd.poll import Beliefs, Poll

BLOCK = 20_000
"""Files whose arrays are made into lists together."""


class Node(NamedTuple):
    """What is believed of one node on one file."""

    probability: float
    voters: int
    skill: float


NOBODY_WENT = Node(0.0, 0, 0.0)


class Believed:
    """A method's beliefs, by file."""

    def __init__(self, poll: Poll, beliefs: Beliefs) -> None:
        self._poll, self.beliefs = poll, beliefs

    def by_file(self, files: int) -> Iterator[dict[int, Node]]:
        """Yield for each file what is believed of its nodes: that one of its subjects is at or below them."""
        beliefs = self.beliefs
        file = self._poll.file_of_question[beliefs.question] if len(beliefs.question) else beliefs.question
        for first in range(0, files, BLOCK):
            ends = np.searchsorted(file, np.arange(first, min(first + BLOCK, files) + 1)).tolist()
            columns = [
                part[ends[0] : ends[-1]].tolist()
                for part in (beliefs.node, beliefs.probability, beliefs.voters, beliefs.skill)
            ]
            for begin, end in pairwise(ends):
                found: dict[int, Node] = {}
                for at in range(begin - ends[0], end - ends[0]):
                    node, sure, voters, skill = (column[at] for column in columns)
                    before = found.get(node)
                    found[node] = together(before, Node(sure, voters, skill)) if before else Node(sure, voters, skill)
                yield found


def together(one: Node, other: Node) -> Node:
    voters = one.voters + other.voters
    skill = (one.voters * one.skill + other.voters * other.skill) / voters if voters else 0.0
    return Node(1 - (1 - one.probability) * (1 - other.probability), voters, skill)


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
