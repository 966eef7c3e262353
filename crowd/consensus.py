"""What the tags of a file add up to. In: tags, and the taxa their names resolved to. Out: a ``Label`` a file and taxon.

Pure. ``crowd.ballots`` reads the tags (one voice a person, file and taxon, by whichever routes it came),
``crowd.lineage`` finds which of the taxa named lie above which, ``crowd.heads`` counts people along the lineages, and
a method of ``METHODS`` says how sure that makes each taxon. What people accepted of machines' suggestions is kept out
of it and told beside it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import chain
from operator import attrgetter

import numpy as np

from crowd.agreement import Agreement, agreement
from crowd.ballots import MACHINE_TOOLS
from crowd.believed import Believed
from crowd.chains import chains_of
from crowd.flat import dawid_skene, glad, mace, weighted
from crowd.headcolumns import heads_of
from crowd.heads import STATUSES, Above
from crowd.labelcolumns import LabelColumns, Limits, Row
from crowd.lineage import TaxonTree, ancestry, representatives, tree_of
from crowd.plainly import Plainly
from crowd.poll import Beliefs, Poll, Skill, poll_of
from crowd.roll import Reading, Roll, Telling
from crowd.treeskill import tree_with_skill
from linkeddata.errors import UsageError
from linkeddata.ids import content_id
from linkeddata.records import Failure, Label, Tag, Taxon

__all__ = ["METHODS", "STATUSES", "Rules", "Tally", "count_tags", "tally"]

UNRESOLVED = "unresolved name"
DIGITS = 3
"""Of probabilities and skills that depend on the whole crowd: finer, every tag would change every label a little."""
FILES = 20_000
"""Files that are counted at once, once it is known who knows."""

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

    lost: Sequence[Failure]
    labels: Iterator[Label]
    """Made while they are asked for, file by file."""
    skills: Iterable[Skill]
    agreement: Sequence[Agreement]


def count_tags(
    tags: Iterable[Tag] | Iterable[Telling],
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
    told = tally(tags, taxa, campaign=campaign, moment=moment, rules=rules, gold=gold)
    yield from told.lost
    yield from told.labels


def tally(
    tags: Iterable[Tag] | Iterable[Telling],
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
        for tag in reading.take(tags)
        if not tag.withdrawn
    ]
    known = set().union(*(gold or {}).values())
    best = representatives(taxa.values(), reading.concepts | known)
    above, tree = ancestry(best), tree_of(best)
    roll = reading.roll(chains_of(above))
    believed = _believed(roll, tree, above, rules.method, gold or {})

    rows = rows_of(roll, tree, above, rules, believed)
    labels = (_label(roll.files[row.file], row, best[row.concept], (campaign, rules.method, moment)) for row in rows)
    return Tally(lost, labels, believed[0].skills if believed else (), agreement(roll, tree))


def rows_of(
    roll: Roll, tree: TaxonTree, above: Above, rules: Rules, believed: Sequence[Believed], *, plainly: bool = False
) -> Iterator[Row]:
    """Yield what counting says, by file and taxon; ``plainly``: of each file by itself, which is slow and the same."""
    limits = Limits(rules.min_support, rules.min_probability)
    one_by_one = Plainly(tree, above, limits, DIGITS)
    columns = LabelColumns(tree, roll.chains, limits)
    for first in range(0, len(roll.files), FILES):
        last = min(first + FILES, len(roll.files))
        apart = sorted(range(first, last) if plainly else roll.special.keys() & range(first, last))
        own = [one_by_one.rows(at, roll.ballot_of(at), [one.of(at) for one in believed]) for at in apart]
        if plainly:
            yield from chain.from_iterable(own)
            continue
        heads = heads_of(roll, first, last, rules.min_support)
        told = (
            columns.by_beliefs(heads, first, believed[0].nodes(first, last), DIGITS)
            if believed
            else columns.by_heads(heads, first)
        )
        if own:
            told = merge((row for row in told if row.file not in roll.special), *own, key=attrgetter("file"))
        yield from told


def _believed(
    roll: Roll, tree: TaxonTree, above: Above, method: str, gold: Mapping[str, frozenset[str]]
) -> list[Believed]:
    """Return what the method believes: of people alone, and with what they accepted of machines."""
    if method == "majority":
        return []
    found = [Believed(poll := poll_of(roll, tree, above, gold), METHODS[method](poll))]
    if any(one.machine for one in roll.special.values()):
        found.append(Believed(poll := poll_of(roll, tree, above, gold, with_machine=True), METHODS[method](poll)))
    return found


def _label(file: str, row: Row, taxon: Taxon, counting: tuple[str, str, str]) -> Label:
    campaign, method, moment = counting
    return Label(
        id=content_id(campaign, file, row.concept),
        campaign=campaign,
        file=file,
        concept=row.concept,
        name=taxon.name,
        rank=taxon.rank,
        item=taxon.item,
        gbif_key=taxon.gbif_key,
        support=row.support,
        dissent=row.dissent,
        voters=row.voters,
        probability=round(row.probability, 6) if method == "majority" else row.probability,
        status=row.status,
        method=method,
        moment=moment,
        path=row.path,
        voices=row.voices,
        machine=row.machine,
        machine_probability=row.machine_probability,
        machine_status=row.machine_status,
    )


def _unresolved(tag: Telling, taxon: Taxon | None, campaign: str, moment: str) -> Failure:
    # Of an item that does not exist, and of one that nobody answered about, there is no taxon either.
    why = "no taxon is known by it; failures of the step names say why" if taxon is None else taxon.reason
    return Failure(
        id=content_id(campaign, "count", tag.id),
        step="count",
        subject=tag.file,
        reason=UNRESOLVED,
        detail=f"{tag.item or tag.verbatim}: {why or 'nothing found'}",
        campaign=campaign,
        moment=moment,
    )
