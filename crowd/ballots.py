"""Who said what of a file. In: tags, and the taxa their names resolved to. Out: a ``Ballot`` a file.

Pure. What is a voice
    A person (``Tag.agent``) who named a taxon and did not take it back. The same act arrives by several routes, with
    different precision (Commons to the second, ISA to the day): it is one voice, and when any route knows that it was
    taken back after it was given, it is none. A tag of which nobody knows the author (a query's answer) speaks for one
    nameless voter a file, and not at all where a known person gave or took back the same taxon: it is that tag.
    Who takes back what somebody else said, says no to that taxon.
What is a machine's
    A suggestion of a machine that a person accepted. It is known by what its edit was made with, on whichever route
    that is told, and kept apart from what people say by themselves.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from linkeddata.records import Tag, Taxon

NOBODY = ""
"""The voter that stands for tags without an author."""
MACHINE_TOOLS = frozenset({"computer-aided-tagging"})
"""What edits that accept a machine's suggestion are marked with.

Special:SuggestedTags of Commons (the MediaWiki extension MachineVision) marks them so; what a person typed there has
``computer-aided-tagging-manual``. The ISA tool showed the same suggestions, and Metadata-to-Concept's, but writes the
same edit for an accepted and a typed one and keeps the difference in a table of its own: there the history is silent.
"""

Said = Mapping[str, frozenset[str]]
"""Voter → the taxa (concepts) that he or she names."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """What was said about one file: per voter the taxa (concepts) named, per voter those taken away from others."""

    file: str
    votes: Said
    removals: Said = field(default_factory=dict)
    named: frozenset[str] = frozenset()
    """All taxa that anybody ever named, taken back or not."""
    machine: Said = field(default_factory=dict)
    """Per voter the taxa that a machine suggested and he or she accepted; none of them is in ``votes``."""

    def with_machine(self) -> "Ballot":
        """Return the ballot as it is when what was accepted of machines counts like anything else."""
        if not self.machine:
            return self
        votes = {voter: self.votes.get(voter, frozenset()) for voter in (*self.votes, *self.machine)}
        merged = {voter: named | self.machine.get(voter, frozenset()) for voter, named in votes.items()}
        return Ballot(self.file, merged, self.removals, self.named)


class Act(NamedTuple):
    """What counting keeps of a tag."""

    agent: str
    concept: str
    moment: str
    withdrawn: str
    withdrawn_by: str
    machine: bool


class Reading:
    """Takes tags one by one, in any order, and gives the ballots when all are there."""

    def __init__(self, taxa: Mapping[str, Taxon], machine_tools: Collection[str] = MACHINE_TOOLS) -> None:
        self._taxa = taxa
        self._tools = frozenset(machine_tools)
        self._acts: dict[str, list[Act]] = {}
        self._texts: dict[str, str] = {}
        self.concepts: set[str] = set()

    def take(self, tag: Tag) -> bool:
        """Keep what the tag says; return whether its name has a taxon."""
        taxon = self._taxa.get(tag.item or tag.verbatim)
        if taxon is None or not taxon.concept:
            return False
        one = self._texts.setdefault  # a person's name is kept once, however often it comes
        act = Act(
            one(tag.agent, tag.agent),
            taxon.concept,
            tag.moment,
            tag.withdrawn,
            one(tag.withdrawn_by, tag.withdrawn_by),
            tag.tool in self._tools,
        )
        self._acts.setdefault(tag.file, []).append(act)
        self.concepts.add(taxon.concept)
        return True

    def ballots(self) -> Iterator[Ballot]:
        """Yield one ballot a file, in order of the files; what is given is forgotten."""
        for file in sorted(self._acts):
            yield ballot(file, self._acts.pop(file))


def ballot(file: str, acts: Iterable[Act]) -> Ballot:
    """Return what the acts on one file add up to, whatever their order.

    >>> jan = Act("jan", "Q1", "2021-10-03", "", "", False)
    >>> eva = Act("eva", "Q2", "2021-10-03", "2021-10-05", "jan", False)
    >>> done = ballot("f", [jan, eva])
    >>> done.votes, done.removals
    ({'jan': frozenset({'Q1'})}, {'jan': frozenset({'Q2'})})
    """
    given: dict[tuple[str, str], str] = {}
    taken: dict[tuple[str, str], str] = {}
    suggested: set[tuple[str, str]] = set()
    removals: dict[str, set[str]] = {}
    named = set()
    for act in acts:
        key = (act.agent, act.concept)
        named.add(act.concept)
        if act.machine:
            suggested.add(key)
        if not act.withdrawn:
            given[key] = max(given.get(key, ""), act.moment)
            continue
        taken[key] = max(taken.get(key, ""), act.withdrawn)
        if act.withdrawn_by not in {NOBODY, act.agent}:
            removals.setdefault(act.withdrawn_by, set()).add(act.concept)
    known = {concept for agent, concept in [*given, *taken] if agent != NOBODY}
    votes: dict[str, set[str]] = {}
    machine: dict[str, set[str]] = {}
    for (agent, concept), moment in given.items():
        if stands(moment, taken.get((agent, concept), "")) and not (agent == NOBODY and concept in known):
            (machine if (agent, concept) in suggested else votes).setdefault(agent, set()).add(concept)
    return Ballot(file, _frozen(votes), _frozen(removals), frozenset(named), _frozen(machine))


def stands(given: str, taken: str) -> bool:
    """Tell whether what was said at one moment outlives what was taken back at another, as far as both are known.

    >>> stands("2021-10-03T14:05:00Z", "2021-10-03"), stands("2021-10-04", "2021-10-03T15:00:00Z")
    (False, True)
    """
    if not taken:
        return True
    shared = min(len(given), len(taken))
    return given[:shared] > taken[:shared]


def _frozen(said: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {voter: frozenset(named) for voter, named in said.items()}
