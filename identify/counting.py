"""What a campaign's counting takes and tells. In: a ``Run``. Out: ``Counting``; a summary of agreement and skill.

The summary names nobody, not even by pseudonym: it is served to everybody.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from crowd.asking import Asked, Stop, asked, counts_by_reason
from crowd.ballots import MACHINE_TOOLS
from crowd.consensus import Rules, Tally, tally
from crowd.countingroutes import FILE
from crowd.gold import Gold, gold_report, known_answers
from identify.inputs import files_of, gold_of, inside, members, taxa_of
from identify.pipeline import Run
from linkeddata.files import replaced
from linkeddata.records import Label, Tag, Taxon


@dataclass(frozen=True, slots=True)
class Counting:
    """The tags of a campaign that count, those that are about other taxa, and how they are counted."""

    campaign: str
    moment: str
    tags: Sequence[Tag]
    outside: Sequence[Tag]
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
    files = {member.file for member in members(run)}
    tags: list[Tag] = []
    outside: list[Tag] = []
    for tag in run.store.each(Tag, campaign=run.campaign.id):
        if tag.file not in files:  # deleted, or no longer what the campaign is about
            continue
        taxon = taxa.get(tag.item or tag.verbatim)
        (outside if taxon and taxon.concept and taxon.query not in wanted else tags).append(tag)
    return Counting(
        campaign=run.campaign.id,
        moment=run.now(),
        tags=tags,
        outside=outside,
        taxa=taxa,
        rules=Rules(
            method=rules.method,
            min_support=rules.min_support,
            min_probability=rules.min_probability,
            machine_tools=MACHINE_TOOLS | frozenset(rules.machine_tools),
        ),
        gold=known_answers(gold_of(run), files_of(run), taxa),
    )


def stop_of(run: Run) -> Stop:
    """Return when a file of the campaign needs no more votes."""
    rules = run.campaign.count
    return Stop(voters=rules.enough_voters, probability=rules.enough_probability)


def asked_of(run: Run, labels: Iterable[Label]) -> list[Asked]:
    """Return the campaign's files by what one more vote would change; its strangers are asked of nobody."""
    files = [member.file for member in members(run) if member.role == "subject"]
    return asked(files, labels, stop_of(run))


def agreement_of(run: Run, counting: Counting, told: Tally, labels: Sequence[Label]) -> dict[str, Any]:
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
        "gold": asdict(gold_report(labels, counting.gold, counting.taxa.values())),
        "stop": asdict(stop_of(run)),
        "files": counts_by_reason(asked_of(run, labels)),
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
