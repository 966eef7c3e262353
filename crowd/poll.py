"""Ballots as questions with one answer each. In: ballots, a tree. Out: a ``Poll``, the arrays that methods take.

Pure. A plate may show several species, and an answer to a question is one taxon. So a file has as many questions as any
one voter named taxa on it: of two that one person named together, each is the answer to another question. A vote goes
to the question whose taxon it shares most of its lineage with; one that shares nothing with any contradicts all.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from crowd.ballots import Ballot
from crowd.descent import Floats, Ints, Votes
from crowd.heads import Above, lowest_of
from crowd.lineage import TaxonTree


@dataclass(frozen=True, slots=True)
class Poll:
    """All questions of a campaign."""

    tree: TaxonTree
    votes: Votes
    file_of_question: Ints
    voters: Sequence[str]
    gold: Ints
    """Question → the node of its known answer, -1 where there is none."""


@dataclass(frozen=True, slots=True)
class Skill:
    """How often one voter knows what is right in one branch, and by how many choices that was learned."""

    voter: str
    branch: str
    skill: float
    votes: float
    node: int


@dataclass(frozen=True, slots=True)
class Beliefs:
    """What a method believes: equally long arrays, sorted by question."""

    question: Ints
    node: Ints
    probability: Floats
    voters: Ints
    """How many went down to this node."""
    skill: Floats
    """Mean skill of these where they chose it; 0 where the method knows none."""
    skills: Sequence[Skill] = field(default_factory=tuple)


class Polling:
    """Takes ballots one by one and makes a ``Poll`` of them."""

    def __init__(self, tree: TaxonTree, above: Above, gold: Mapping[str, frozenset[str]]) -> None:
        self._tree, self._above, self._gold = tree, above, gold
        self._columns = {name: array("q") for name in ("question", "voter", "node", "rq", "rnode", "file", "gold")}
        self._voters: dict[str, int] = {}
        self._files = 0

    def take(self, ballot: Ballot) -> None:
        """Add the questions of the next file."""
        node, columns = self._tree.node, self._columns
        named = {voter: lowest_of(taxa, self._above) for voter, taxa in ballot.votes.items() if taxa}
        most = max(map(len, named.values()), default=1)
        first = len(columns["file"])
        if most == 1:
            columns["file"].append(self._files)
            columns["gold"].append(self._known(ballot.file, ()))
            for voter, taxa in named.items():
                self._vote(first, voter, node[next(iter(taxa))])
            for concept in sorted(set().union(*ballot.removals.values())):
                self._remove(first, node[concept], sum(concept in taken for taken in ballot.removals.values()))
        else:
            self._take_several(ballot, named, first)
        self._files += 1

    def poll(self) -> Poll:
        """Return all that was taken."""
        arrays = {name: np.frombuffer(values, dtype=np.int64).copy() for name, values in self._columns.items()}
        votes = Votes(
            questions=len(arrays["file"]),
            voters=len(self._voters),
            question=arrays["question"],
            voter=arrays["voter"],
            node=arrays["node"],
            removed_question=arrays["rq"],
            removed_node=arrays["rnode"],
        )
        return Poll(self._tree, votes, arrays["file"], tuple(self._voters), arrays["gold"])

    def _take_several(self, ballot: Ballot, named: Mapping[str, frozenset[str]], first: int) -> None:
        node = self._tree.node
        subjects = self._subjects(list(named.values()))
        for number, subject in enumerate(subjects):
            self._columns["file"].append(self._files)
            self._columns["gold"].append(self._known(ballot.file, subjects, number))
            if subject in set().union(*ballot.removals.values()):
                self._remove(first + number, node[subject], sum(subject in t for t in ballot.removals.values()))
        for voter, taxa in named.items():
            for concept, number in self._places(sorted(taxa), subjects):
                self._vote(first + number, voter, node[concept])

    def _subjects(self, named: Sequence[frozenset[str]]) -> list[str]:
        """Return the taxa that stand for the questions: of the longest ballots the one that others support most."""
        most = max(map(len, named))
        longest = {tuple(sorted(taxa)) for taxa in named if len(taxa) == most}

        def support(taxa: Iterable[str]) -> int:
            return sum(len(other & set(taxa)) for other in named)

        return list(min(sorted(longest), key=lambda taxa: -support(taxa)))

    def _places(self, taxa: Sequence[str], subjects: Sequence[str]) -> list[tuple[str, int]]:
        """Return which taxon is an answer to which question."""
        node, shared = self._tree.node, self._tree.shared
        near = sorted(
            (-shared(node[concept], node[subject]), concept != subject, concept, number)
            for concept in taxa
            for number, subject in enumerate(subjects)
        )
        found: list[tuple[str, int]] = []
        placed: set[str] = set()
        taken: set[int] = set()
        for depth, _, concept, number in near:
            if depth < 0 and concept not in placed and number not in taken:
                found.append((concept, number))
                placed.add(concept)
                taken.add(number)
        strange = [concept for concept in taxa if concept not in placed]
        free = [number for number in range(len(subjects)) if number not in taken]
        return found + [(concept, number) for concept in strange[:1] for number in free]

    def _vote(self, question: int, voter: str, node: int) -> None:
        self._columns["question"].append(question)
        self._columns["voter"].append(self._voters.setdefault(voter, len(self._voters)))
        self._columns["node"].append(node)

    def _remove(self, question: int, node: int, times: int) -> None:
        self._columns["rq"].extend([question] * times)
        self._columns["rnode"].extend([node] * times)

    def _known(self, file: str, subjects: Sequence[str], number: int = 0) -> int:
        """Return the node of the known answer to a file's question, -1 where none is known."""
        known = sorted(concept for concept in self._gold.get(file, ()) if concept in self._tree.node)
        if not known:
            return -1
        if not subjects:
            return self._tree.node[known[0]] if len(known) == 1 else -1
        node = self._tree.node
        return next((node[one] for one in known if self._places([one], subjects)[:1] == [(one, number)]), -1)
