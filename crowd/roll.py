"""Who said what of all files, as columns. In: tags, one by one. Out: a ``Roll``.

Where somebody took something back, or accepted what a machine suggested, ``crowd.ballots`` reads the file's acts one by
one; everywhere else a voice is a row of numbers. A million tags are a few columns of integers, and their moments.
"""

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from crowd.ballots import MACHINE_TOOLS, NOBODY, Act, Ballot, ballot
from crowd.chains import Chains
from crowd.keys import Ints, distinct, opened, place_in, runs
from linkeddata.records import Taxon


class Telling(Protocol):
    """What counting reads of a tag."""

    @property
    def id(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def item(self) -> str: ...
    @property
    def verbatim(self) -> str: ...
    @property
    def agent(self) -> str: ...
    @property
    def moment(self) -> str: ...
    @property
    def withdrawn(self) -> str: ...
    @property
    def withdrawn_by(self) -> str: ...
    @property
    def tool(self) -> str: ...


Told = TypeVar("Told", bound=Telling)
AT_ONCE = 2_000
"""Tags that are taken together."""


class TagRow(NamedTuple):
    """A tag as the store gives it for counting: nothing else of it is read."""

    id: str
    file: str
    item: str
    verbatim: str
    agent: str
    moment: str
    withdrawn: str
    withdrawn_by: str
    tool: str


@dataclass(frozen=True, slots=True)
class Roll:
    """Files in order, voters, and the votes: who named which taxa of which file, sorted by file, voter, taxon.

    Taxa are numbered as in ``Chains``. Of one voter's taxa on a file only the lowest of each lineage are there.
    """

    chains: Chains
    files: list[str]
    voters: list[str]
    file: Ints
    voter: Ints
    concept: Ints
    ballot: Ints
    """Vote → the number of its ballot, one a voter and file."""
    named_file: Ints
    named: Ints
    """All taxa that anybody ever named, sorted by file and taxon."""
    special: Mapping[int, Ballot]
    """Files where something was taken away, or a machine had a say, or classifications disagree."""

    def ballot_of(self, file: int) -> Ballot:
        """Return what was said of one file."""
        if file in self.special:
            return self.special[file]
        concepts = self.chains.concepts
        votes: dict[str, set[str]] = {}
        first, last = np.searchsorted(self.file, (file, file + 1)).tolist()
        for voter, concept in zip(self.voter[first:last].tolist(), self.concept[first:last].tolist(), strict=True):
            votes.setdefault(self.voters[voter], set()).add(concepts[concept])
        first, last = np.searchsorted(self.named_file, (file, file + 1)).tolist()
        named = frozenset(concepts[concept] for concept in self.named[first:last].tolist())
        return Ballot(self.files[file], {voter: frozenset(said) for voter, said in votes.items()}, {}, named)


class _Numbers(dict[str, int]):
    """Numbers words in the order in which they are first asked for."""

    def __missing__(self, word: str) -> int:
        self[word] = number = len(self)
        return number


class _Codes(dict[str, int]):
    """Numbers what names and items stand for; -1 for those that have no taxon."""

    def __init__(self, taxa: Mapping[str, Taxon], concepts: _Numbers) -> None:
        self._taxa, self._concepts = taxa, concepts

    def __missing__(self, asked: str) -> int:
        taxon = self._taxa.get(asked)
        self[asked] = code = self._concepts[taxon.concept] if taxon and taxon.concept else -1
        return code


class Reading:
    """Takes tags, in any order, and gives the roll when all are there."""

    def __init__(self, taxa: Mapping[str, Taxon], machine_tools: Collection[str] = MACHINE_TOOLS) -> None:
        self._tools = frozenset(machine_tools)
        self._concepts, self._files, self._voters = _Numbers(), _Numbers(), _Numbers()
        self._asked = _Codes(taxa, self._concepts)
        self._file, self._voter, self._concept = array("i"), array("i"), array("i")
        self._moments: list[str] = []
        self._withdrawn: dict[int, tuple[str, str]] = {}
        self._machine: set[int] = set()

    @property
    def concepts(self) -> set[str]:
        """Return the taxa named so far."""
        return set(self._concepts)

    def take(self, tags: Iterable[Told]) -> Iterator[Told]:
        """Keep what tags say; yield those whose names have no taxon."""
        waiting = iter(tags)
        while some := list(islice(waiting, AT_ONCE)):
            concept = [self._asked[tag.item or tag.verbatim] for tag in some]
            if min(concept) < 0:
                yield from (tag for tag, code in zip(some, concept, strict=True) if code < 0)
                some = [tag for tag, code in zip(some, concept, strict=True) if code >= 0]
                concept = [code for code in concept if code >= 0]
            first = len(self._moments)
            for row, tag in enumerate(some, first):
                if tag.withdrawn:
                    self._withdrawn[row] = tag.withdrawn, tag.withdrawn_by
                if tag.tool in self._tools:
                    self._machine.add(row)
            self._file.extend([self._files[tag.file] for tag in some])
            self._voter.extend([self._voters[tag.agent] for tag in some])
            self._concept.extend(concept)
            self._moments.extend([tag.moment for tag in some])

    def roll(self, chains: Chains) -> Roll:
        """Return all that was said; what was taken is forgotten."""
        names = list(self._files)
        order = sorted(range(len(names)), key=names.__getitem__)
        rank = np.empty(len(names), dtype=np.int64)
        rank[order] = np.arange(len(names))
        number = {concept: place for place, concept in enumerate(chains.concepts)}
        renumbered = np.array([number[concept] for concept in self._concepts], dtype=np.int64)
        file, voter = rank[np.frombuffer(self._file, dtype=np.int32)], np.frombuffer(self._voter, dtype=np.int32)
        concept = renumbered[np.frombuffer(self._concept, dtype=np.int32)]
        names = [names[at] for at in order]
        odd = np.zeros(len(names), dtype=bool)
        odd[file[np.fromiter((*self._withdrawn, *self._machine), dtype=np.int64)]] = True
        even = np.flatnonzero(~odd[file])
        size = len(chains.concepts)
        people = len(self._voters) + 1
        votes = distinct((file[even] * people + voter[even]) * size + concept[even])
        named = distinct(votes // (people * size) * size + votes % size)
        ballots = dict(self._ballots(np.flatnonzero(odd[file]), file, names))
        own, also = self._rows(ballots, number, people)
        votes = _without_nobody(votes, self._voters.get(NOBODY, -1), people, size)
        votes = np.sort(np.concatenate([votes, own]))
        named = np.sort(np.concatenate([named, also]))
        votes = _lowest(votes, chains)
        whose = votes // size
        mixed = distinct(named[~chains.regular[named % size]] // size).tolist()
        special = {at: one for at, one in ballots.items() if one.removals or one.machine}
        found = Roll(
            chains=chains,
            files=names,
            voters=list(self._voters),
            file=whose // people,
            voter=whose % people,
            concept=votes % size,
            ballot=np.cumsum(np.append(True, whose[1:] != whose[:-1])) - 1 if len(whose) else whose,
            named_file=named // size,
            named=named % size,
            special=special,
        )
        special.update({at: found.ballot_of(at) for at in mixed if at not in special})
        self._moments, self._files = [], _Numbers()
        self._file, self._voter, self._concept = array("i"), array("i"), array("i")
        return found

    def _ballots(self, rows: Ints, file: Ints, names: list[str]) -> Iterator[tuple[int, Ballot]]:
        """Yield the ballots of the files that the rows are about."""
        rows = rows[np.argsort(file[rows], kind="stable")]
        voters, known = list(self._voters), list(self._concepts)
        bounds = [*runs(file[rows]).tolist(), len(rows)]
        for first, last in pairwise(bounds):
            acts = [
                Act(
                    voters[self._voter[row]],
                    known[self._concept[row]],
                    self._moments[row],
                    *self._withdrawn.get(row, ("", "")),
                    row in self._machine,
                )
                for row in rows[first:last].tolist()
            ]
            place = int(file[rows[first]])
            yield place, ballot(names[place], acts)

    def _rows(self, ballots: Mapping[int, Ballot], number: Mapping[str, int], people: int) -> tuple[Ints, Ints]:
        """Return the keys of the votes of ballots, and of the taxa named in them."""
        size = len(number)
        votes = [
            (file * people + self._voters[voter]) * size + number[concept]
            for file, one in ballots.items()
            for voter, said in one.votes.items()
            for concept in said
        ]
        named = [file * size + number[concept] for file, one in ballots.items() for concept in one.named]
        return np.array(votes, dtype=np.int64), np.array(named, dtype=np.int64)


def _without_nobody(votes: Ints, nobody: int, people: int, size: int) -> Ints:
    """Leave out what nobody is known to have said, where somebody is known to have said the same."""
    nameless = votes // size % people == nobody
    if not nameless.any():
        return votes
    what = votes // (people * size) * size + votes % size
    return np.asarray(votes[~(nameless & (place_in(distinct(what[~nameless]), what) >= 0))], dtype=np.int64)


def _lowest(votes: Ints, chains: Chains) -> Ints:
    """Leave out the taxa of a voter that lie above another of his on the same file."""
    size = len(chains.concepts)
    whose = votes // size
    several = np.zeros(len(votes), dtype=bool)
    several[1:] = whose[1:] == whose[:-1]
    several[:-1] |= several[1:]
    of = votes[several]
    owner, at = opened(chains.start, of % size)
    above = distinct(of[owner] // size * size + chains.above[at])
    several[several] = place_in(above, of) >= 0
    return np.asarray(votes[~several], dtype=np.int64)
