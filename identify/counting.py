"""What a campaign's counting takes and tells. In: a ``Run``. Out: ``Counting``; a summary of agreement and skill.

Tags go in and labels come out one by one; only what the summary says of them is kept.

The summary names nobody, not even by pseudonym: it is served to everybody.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any

from crowd.asking import NOBODY_YET, Asked, Stop, asked, counts_by_reason, reason
from crowd.ballots import MACHINE_TOOLS
from crowd.consensus import Rules, Tally, tally
from crowd.countingroutes import FILE
from crowd.gold import Gold, gold_report, known_answers
from crowd.roll import TagRow
from identify.inputs import files_of, gold_of, inside, taxa_of
from identify.pipeline import Run
from linkeddata.files import replaced
from linkeddata.records import CampaignFile, Label, Tag, Taxon


@dataclass(frozen=True, slots=True)
class Counting:
    """The tags of a campaign that count, those that are about other taxa, and how they are counted.

    ``tags`` are read once, while they are counted; after that ``outside`` has the others.
    """

    campaign: str
    moment: str
    tags: Iterator[TagRow]
    outside: Sequence[TagRow]
    taxa: Mapping[str, Taxon]
    rules: Rules
    gold: Gold

    def counted(self) -> Tally:
        """Count."""
        return tally(self.tags, self.taxa, campaign=self.campaign, moment=self.moment, rules=self.rules, gold=self.gold)


def counting_of(run: Run) -> Counting:
    """Return what the campaign's counting takes, as the store has it now."""
    taxa = taxa_of(run)
    rules = run.campaign.count
    wanted = inside(run, taxa)
    files = {file for (file,) in run.store.fields(CampaignFile, ["file"], campaign=run.campaign.id)}
    others = {query for query, taxon in taxa.items() if taxon.concept and taxon.query not in wanted}
    outside: list[TagRow] = []

    def counted() -> Iterator[TagRow]:
        for tag in map(TagRow._make, run.store.fields(Tag, TagRow._fields, campaign=run.campaign.id)):
            if tag.file not in files:  # deleted, or no longer what the campaign is about
                continue
            if (tag.item or tag.verbatim) in others:
                outside.append(tag)
            else:
                yield tag

    return Counting(
        campaign=run.campaign.id,
        moment=run.now(),
        tags=counted(),
        outside=outside,
        taxa=taxa,
        rules=Rules(
            method=rules.method,
            min_support=rules.min_support,
            min_probability=rules.min_probability,
            machine_tools=MACHINE_TOOLS | frozenset(rules.machine_tools),
        ),
        gold=known_answers(answers, files_of(run), taxa) if (answers := gold_of(run)) else {},
    )


def stop_of(run: Run) -> Stop:
    """Return when a file of the campaign needs no more votes."""
    rules = run.campaign.count
    return Stop(voters=rules.enough_voters, probability=rules.enough_probability)


def asked_of(run: Run, labels: Iterable[Label]) -> list[Asked]:
    """Return the campaign's files by what one more vote would change; its strangers are asked of nobody."""
    return asked(sorted(_subjects(run)), labels, stop_of(run))


def _subjects(run: Run) -> set[str]:
    """Return the files that the campaign asks about."""
    found = run.store.fields(CampaignFile, ["file"], campaign=run.campaign.id, role="subject")
    return {file for (file,) in found}


@dataclass(slots=True)
class Passed:
    """What is remembered of labels that went by, file by file."""

    run: Run
    gold: Gold
    ids: set[str] = field(default_factory=set)
    statuses: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    known: list[Label] = field(default_factory=list)
    """The labels of files of which it is known what they show."""

    def passing(self, labels: Iterable[Label]) -> Iterator[Label]:
        """Yield the labels as they come, and remember them."""
        stop = stop_of(self.run)
        asked = _subjects(self.run)
        for file, group in groupby(labels, key=attrgetter("file")):
            of_file = tuple(group)
            if file in asked:
                asked.remove(file)
                self.reasons[reason(of_file, stop)] += 1
            if file in self.gold:
                self.known.extend(of_file)
            for label in of_file:
                self.ids.add(label.id)
                self.statuses[label.status] += 1
                yield label
        self.reasons[NOBODY_YET] += len(asked)


def agreement_of(run: Run, counting: Counting, told: Tally, passed: Passed) -> dict[str, Any]:
    """Return how far people agree, how well they know which branch, how they answer what is known, and what is left."""
    skills: dict[str, list[tuple[float, float]]] = {}
    for one in told.skills:
        skills.setdefault(one.branch, []).append((one.skill, one.votes))
    return {
        "campaign": run.campaign.id,
        "method": counting.rules.method,
        "agreement": [asdict(one) for one in told.agreement],
        "skill": [
            {"branch": branch, "people": len(found), "mean": round(_mean(found), 3)}
            for branch, found in sorted(skills.items())
        ],
        "gold": asdict(gold_report(passed.known, counting.gold, counting.taxa.values())),
        "stop": asdict(stop_of(run)),
        "files": counts_by_reason(passed.reasons.elements()),
    }


def write_agreement(run: Run, summary: Mapping[str, Any]) -> None:
    """Write the summary where HTTP and the report read it."""
    run.folder.mkdir(parents=True, exist_ok=True)
    with replaced(run.folder / FILE) as out:
        out.write(json.dumps(summary, ensure_ascii=False, indent=2).encode())


def read_agreement(run: Run) -> dict[str, Any]:
    """Return the summary that the last count wrote; empty where there is none."""
    path = run.folder / FILE
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _mean(weighed: Sequence[tuple[float, float]]) -> float:
    total = sum(weight for _, weight in weighed)
    return sum(value * weight for value, weight in weighed) / total if total else 0.0
