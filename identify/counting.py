"""What a campaign's counting takes. In: a ``Run``. Out: ``Counting``: tags, taxa, rules and known answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crowd.ballots import MACHINE_TOOLS
from crowd.consensus import Rules, Tally, tally
from crowd.gold import Gold, known_answers
from identify.inputs import files_of, gold_of, inside, members, taxa_of
from identify.pipeline import Run
from linkeddata.records import Tag, Taxon


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
