"""What the tags of a file add up to. In: tags, and the taxa their names resolved to. Out: a ``Label`` a file and taxon.

Pure. ``crowd.ballots`` reads the tags (one voice a person, file and taxon, by whichever routes it came),
``crowd.lineage`` finds which of the taxa named lie above which, ``crowd.heads`` counts people along the lineages, and
a method of ``METHODS`` says how sure that makes each taxon. What people accepted of machines' suggestions is kept out
of it and told beside it.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from crowd.agreement import Agreement, agreement
from crowd.ballots import MACHINE_TOOLS, Ballot, Reading
from crowd.believed import NOBODY_WENT, Believed, Node, turned
from crowd.flat import dawid_skene, glad, mace, weighted
from crowd.heads import STATUSES, Above, Count, lowest, lowest_of, majority, simple_majority
from crowd.lineage import TaxonTree, ancestry, representatives, tree_of
from crowd.poll import Beliefs, Poll, Polling, Skill
from crowd.treeskill import tree_with_skill
from linkeddata.errors import UsageError
from linkeddata.ids import content_id
from linkeddata.records import Certainty, Failure, Label, Tag, Taxon, Voices

__all__ = ["METHODS", "STATUSES", "Rules", "Tally", "count_tags", "tally"]

UNRESOLVED = "unresolved name"
EVEN = 0.01
"""Two probabilities that differ by less are a tie."""
DIGITS = 3
"""Of probabilities and skills that depend on the whole crowd: finer, every tag would change every label a little."""

Method = Callable[[Poll], Beliefs]


def heads_alone(poll: Poll) -> Beliefs:
    """Believe nothing beyond what the heads say."""
    nothing = np.zeros(0, dtype=np.int64)
    return Beliefs(nothing, nothing, np.zeros(0), nothing, np.zeros(0))


METHODS: dict[str, Method] = {
    "majority": heads_alone,
    "weighted": weighted,
    "dawid-skene": dawid_skene,
    "glad": glad,
    "mace": mace,
    "tree": tree_with_skill,
}
"""Ways of counting by name, as a campaign file, the command line and HTTP say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How to count: by which method, and what a label must have to be accepted."""

    method: str = "tree"
    min_support: int = 2
    min_probability: float = 0.5
    machine_tools: Collection[str] = MACHINE_TOOLS


@dataclass(frozen=True, slots=True)
class Tally:
    """What counting gives: labels and lost tags, who knows which branch, and how far people agree."""

    answers: Iterator[Label | Failure]
    skills: Sequence[Skill]
    agreement: Sequence[Agreement]


def count_tags(
    tags: Iterable[Tag],
    taxa: Mapping[str, Taxon],
    *,
    campaign: str,
    moment: str,
    rules: Rules | None = None,
    gold: Mapping[str, frozenset[str]] | None = None,
) -> Iterator[Label | Failure]:
    """Yield the labels of all files, by file and taxon, after a Failure for each standing tag without a known taxon.

    ``taxa`` is asked by ``Tag.item`` or ``Tag.verbatim``. ``gold`` gives the concepts known to be on a file: skill is
    learned from them. The result does not depend on the order of the tags. Raises ``UsageError`` for an unknown method,
    and for one whose library is not installed.
    """
    yield from tally(tags, taxa, campaign=campaign, moment=moment, rules=rules, gold=gold).answers


def tally(
    tags: Iterable[Tag],
    taxa: Mapping[str, Taxon],
    *,
    campaign: str,
    moment: str,
    rules: Rules | None = None,
    gold: Mapping[str, frozenset[str]] | None = None,
) -> Tally:
    """Return what ``count_tags`` yields, and the skills that it was counted with."""
    rules = rules or Rules()
    if rules.method not in METHODS:
        raise UsageError(f"no way of counting is called {rules.method!r}; known are {', '.join(METHODS)}")
    reading = Reading(taxa, rules.machine_tools)
    lost = [
        _unresolved(tag, taxa.get(tag.item or tag.verbatim), campaign, moment)
        for tag in tags
        if not reading.take(tag) and not tag.withdrawn
    ]
    known = set().union(*(gold or {}).values())
    best = representatives(taxa.values(), reading.concepts | known)
    above, tree = ancestry(best), tree_of(best)
    files = _Files(tree, above, rules, gold or {})
    agreed = agreement(_taken(files, reading.ballots()), above, tree)
    files.count()

    def answers() -> Iterator[Label | Failure]:
        yield from lost
        for file, count, more in files.counts():
            yield _label(file, count, best[count.concept], (campaign, rules.method, moment), more)

    return Tally(answers(), files.skills, agreed)


def _taken(files: "_Files", ballots: Iterable[Ballot]) -> Iterator[Ballot]:
    """Pass ballots on while they are counted; none is kept."""
    for ballot in ballots:
        files.take(ballot)
        yield ballot


class _Files:
    """All files of a counting: their patterns of votes, and what a method believes of them."""

    def __init__(self, tree: TaxonTree, above: Above, rules: Rules, gold: Mapping[str, frozenset[str]]) -> None:
        self._tree, self._above, self._rules = tree, above, rules
        self._names: list[str] = []
        self._said: list[Ballot | tuple[tuple[tuple[str, int], ...], frozenset[str] | None]] = []
        self._people = Polling(tree, above, gold)
        self._with_machine: Polling | None = None
        self._machine: dict[int, Ballot] = {}
        self._beliefs: list[Believed] = []
        self.skills: Sequence[Skill] = ()

    def take(self, ballot: Ballot) -> None:
        """Keep of a file what its heads are counted from: most often only how many named which taxon."""
        votes = [lowest_of(named, self._above) for named in ballot.votes.values() if named]
        simple = not ballot.removals and all(len(named) == 1 for named in votes)
        if simple:
            counts = Counter(next(iter(named)) for named in votes)
            named = ballot.named if ballot.named != counts.keys() else None
            self._said.append((tuple(counts.items()), named))
        else:
            self._said.append(ballot)
        if ballot.machine:
            self._machine[len(self._names)] = ballot
        self._names.append(ballot.file)
        if self._rules.method != "majority":
            if ballot.machine and self._with_machine is None:
                self._with_machine = deepcopy(self._people)  # up to here both are the same
            self._people.take(ballot)
            if self._with_machine is not None:
                self._with_machine.take(ballot.with_machine())

    def count(self) -> None:
        """Let the method say what it believes: of people alone, and with what they accepted of machines."""
        if self._rules.method == "majority":
            return
        method = METHODS[self._rules.method]
        self._beliefs = [Believed(poll := self._people.poll(), method(poll))]
        self.skills = self._beliefs[0].beliefs.skills
        if self._with_machine is not None:
            self._beliefs.append(Believed(poll := self._with_machine.poll(), method(poll)))

    def counts(self) -> Iterator[tuple[str, Count, dict[str, Any]]]:
        """Yield file, count, and what more its label says, by file and taxon."""
        believed = [iter(one.by_file(len(self._names))) for one in self._beliefs]
        for place, (file, said) in enumerate(zip(self._names, self._said, strict=True)):
            nodes = [next(one) for one in believed]
            heads = self._heads(said)
            own = self._decided(heads, nodes[0]) if nodes else heads
            ballot = self._machine.get(place)
            other: dict[str, Count] = {}
            if ballot:
                merged = ballot.with_machine()
                counts = {c.concept: c for c in majority(merged, self._above, self._rules.min_support)}
                other = self._decided(counts, nodes[1]) if nodes else counts
                own = {concept: _only_machine(count, ballot, self._above) for concept, count in own.items()}
            for count in lowest(own, self._above):
                more = self._words(count, nodes[0] if nodes else {})
                if ballot:
                    more |= _beside(count, ballot, other[count.concept], self._above)
                yield file, count, more

    def _heads(self, said: Ballot | tuple[tuple[tuple[str, int], ...], frozenset[str] | None]) -> dict[str, Count]:
        if isinstance(said, Ballot):
            found = majority(said, self._above, self._rules.min_support)
        else:
            votes, named = said
            counts = dict(votes)
            found = simple_majority(counts, named or frozenset(counts), self._above, self._rules.min_support)
        return {count.concept: count for count in found}

    def _decided(self, heads: Mapping[str, Count], nodes: Mapping[int, Node]) -> dict[str, Count]:
        """Return the counts with the method's probabilities, and the status that these give them."""
        node = self._tree.node
        sure = {concept: nodes[node[concept]].probability if node[concept] in nodes else 0.0 for concept in heads}
        return {
            concept: count._replace(probability=sure[concept], status=self._status(count, sure))
            for concept, count in heads.items()
        }

    def _status(self, count: Count, sure: Mapping[str, float]) -> str:
        if not count.support:
            return "withdrawn"
        own = sure[count.concept]
        if own < self._rules.min_probability and count.voters > 1:  # of a lone voter only the support is asked
            rivals = [p for other, p in sure.items() if not self._akin(count.concept, other)]
            return "minority" if max(rivals, default=0.0) > own + EVEN else "tie"
        return "single" if count.support < self._rules.min_support else "accepted"

    def _akin(self, one: str, other: str) -> bool:
        return one == other or one in self._above.get(other, ()) or other in self._above.get(one, ())

    def _words(self, count: Count, nodes: Mapping[int, Node]) -> dict[str, Any]:
        """Return the path down to a label's taxon, and who stands how."""
        if not nodes:
            return {"voices": tuple(Voices(how, number) for how, number in count.stands)}
        node, tree = self._tree.node[count.concept], self._tree
        path = tuple(
            Certainty(step.name, step.rank, round(nodes[step.node].probability if step.node in nodes else 0.0, DIGITS))
            for step in tree.paths[count.concept]
        )
        chosen = nodes.get(node, NOBODY_WENT)
        branch = tree.names[tree.parent[node]]
        divided = any(how == "against" for how, _ in count.stands)
        apart, their_skill = turned(node, nodes, tree) if divided else (0, 0.0)
        voices = []
        for how, number in count.stands:
            if how in ("same", "below"):
                voices.append(Voices(how, number, branch, round(chosen.skill, DIGITS)))
            elif how == "against":
                voices.append(Voices(how, number, tree.names[apart], round(their_skill, DIGITS)))
            else:
                voices.append(Voices(how, number))
        return {"path": path, "voices": tuple(voices)}


def _accepting(ballot: Ballot, concept: str, above: Above) -> int:
    """Return how many people accepted a machine's suggestion of this taxon or of one below it."""
    return sum(
        any(one == concept or concept in above.get(one, ()) for one in named) for named in ballot.machine.values()
    )


def _only_machine(count: Count, ballot: Ballot, above: Above) -> Count:
    """Return the count with its status said to be a machine's, where nobody else stands by it."""
    if count.status == "withdrawn" and _accepting(ballot, count.concept, above):
        return count._replace(status="machine")
    return count


def _beside(count: Count, ballot: Ballot, other: Count, above: Above) -> dict[str, Any]:
    """Return what the label says of the counting with machines."""
    return {
        "machine": _accepting(ballot, count.concept, above),
        "machine_probability": round(other.probability, DIGITS),
        "machine_status": other.status,
    }


def _label(file: str, count: Count, taxon: Taxon, counting: tuple[str, str, str], more: Mapping[str, Any]) -> Label:
    campaign, method, moment = counting
    return Label(
        id=content_id(campaign, file, count.concept),
        campaign=campaign,
        file=file,
        concept=count.concept,
        name=taxon.name,
        rank=taxon.rank,
        item=taxon.item,
        gbif_key=taxon.gbif_key,
        support=count.support,
        dissent=count.dissent,
        voters=count.voters,
        probability=round(count.probability, 6 if method == "majority" else DIGITS),
        status=count.status,
        method=method,
        moment=moment,
        **more,
    )


def _unresolved(tag: Tag, taxon: Taxon | None, campaign: str, moment: str) -> Failure:
    why = "was not looked up" if taxon is None else taxon.reason or "nothing found"
    return Failure(
        id=content_id(campaign, "count", tag.id),
        step="count",
        subject=tag.file,
        reason=UNRESOLVED,
        detail=f"{tag.item or tag.verbatim}: {why}",
        campaign=campaign,
        moment=moment,
    )
