"""Votes as questions with one answer each. In: a roll, a tree. Out: a ``Poll``, the arrays that methods take.

Pure. A plate may show several species, and an answer to a question is one taxon. So a file has as many questions as any
one voter named taxa on it: of two that one person named together, each is the answer to another question. A vote goes
to the question whose taxon it shares most of its lineage with; one that shares nothing with any contradicts all.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from crowd.ballots import Ballot
from crowd.descent import Votes
from crowd.heads import Above, lowest_of
from crowd.keys import Floats, Ints, distinct
from crowd.lineage import TaxonTree
from crowd.roll import Roll

Gold = Mapping[str, frozenset[str]]
"""File → the taxa that it is known to show."""


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
    skills: Iterable[Skill] = field(default_factory=tuple)


def poll_of(roll: Roll, tree: TaxonTree, above: Above, gold: Gold, *, with_machine: bool = False) -> Poll:
    """Return the questions of all files, and the votes on them; ``with_machine`` also what was accepted of machines."""
    several = roll.file[1:][roll.ballot[1:] == roll.ballot[:-1]]
    apart = sorted({*distinct(several).tolist(), *roll.special})
    taking = Polling(tree, above, gold)
    for file in apart:
        one = roll.ballot_of(file)
        taking.take(one.with_machine() if with_machine else one)
    own, voters = taking.votes, taking.voters
    number = {voter: place for place, voter in enumerate(roll.voters)}
    renumbered = np.array([number.setdefault(voter, len(number)) for voter in voters], dtype=np.int64)
    file_of = np.array(apart, dtype=np.int64)[taking.file]
    asked = np.ones(len(roll.files), dtype=np.int64)
    asked[apart] = 0
    asked += np.bincount(file_of, minlength=len(asked))
    first = np.cumsum(asked) - asked
    place = first[file_of] + np.arange(len(file_of)) - np.searchsorted(file_of, file_of)
    plain = np.ones(len(asked), dtype=bool)
    plain[apart] = False
    rows = np.flatnonzero(plain[roll.file])
    node = np.array([tree.node[concept] for concept in roll.chains.concepts], dtype=np.int64)
    known = np.full(int(asked.sum()), -1, dtype=np.int64)
    known[place] = taking.gold
    for at in np.flatnonzero(np.isin(roll.files, list(gold))).tolist() if gold else ():
        if plain[at]:
            known[first[at]] = taking.known(roll.files[at], ())
    votes = Votes(
        questions=len(known),
        voters=len(number),
        question=np.concatenate([first[roll.file[rows]], place[own.question]]),
        voter=np.concatenate([roll.voter[rows], renumbered[own.voter]]),
        node=np.concatenate([node[roll.concept[rows]], own.node]),
        removed_question=place[own.removed_question],
        removed_node=own.removed_node,
    )
    return Poll(tree, votes, np.repeat(np.arange(len(asked)), asked), tuple(number), known)


class Polling:
    """Takes ballots one by one and makes questions of them."""

    def __init__(self, tree: TaxonTree, above: Above, gold: Gold) -> None:
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
            columns["gold"].append(self.known(ballot.file, ()))
            for voter, taxa in named.items():
                self._vote(first, voter, node[next(iter(taxa))])
            for concept in sorted(set().union(*ballot.removals.values())):
                self._remove(first, node[concept], sum(concept in taken for taken in ballot.removals.values()))
        else:
            self._take_several(ballot, named, first)
        self._files += 1

    @property
    def voters(self) -> list[str]:
        """Return who voted, by number."""
        return list(self._voters)

    @property
    def file(self) -> Ints:
        """Return the place of each question's file among those taken."""
        return self._column("file")

    @property
    def gold(self) -> Ints:
        """Return the node of each question's known answer, -1 where there is none."""
        return self._column("gold")

    @property
    def votes(self) -> Votes:
        """Return all that was taken."""
        return Votes(
            questions=len(self._columns["file"]),
            voters=len(self._voters),
            question=self._column("question"),
            voter=self._column("voter"),
            node=self._column("node"),
            removed_question=self._column("rq"),
            removed_node=self._column("rnode"),
        )

    def _column(self, name: str) -> Ints:
        return np.frombuffer(self._columns[name], dtype=np.int64).copy()

    def _take_several(self, ballot: Ballot, named: Mapping[str, frozenset[str]], first: int) -> None:
        node = self._tree.node
        subjects = self._subjects(list(named.values()))
        for number, subject in enumerate(subjects):
            self._columns["file"].append(self._files)
            self._columns["gold"].append(self.known(ballot.file, subjects, number))
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

    def known(self, file: str, subjects: Sequence[str], number: int = 0) -> int:
        """Return the node of the known answer to a file's question, -1 where none is known."""
        known = sorted(concept for concept in self._gold.get(file, ()) if concept in self._tree.node)
        if not known:
            return -1
        if not subjects:
            return self._tree.node[known[0]] if len(known) == 1 else -1
        node = self._tree.node
        return next((node[one] for one in known if self._places([one], subjects)[:1] == [(one, number)]), -1)
