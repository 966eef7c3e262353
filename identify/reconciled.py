"""What became of a campaign's ISA tags, from the store. In: a ``Run``. Out: fates, or which sources must come first."""

import json
from typing import Any

from harvest.isa import BAD_ROW, ISA_READ, Unplaced
from harvest.reconcile import Evidence, Fate, reconcile
from harvest.records import LEFT_TO_DO, SOURCE_FAILED
from harvest.sources import called
from identify.inputs import source_inputs
from identify.pipeline import Run, fingerprint
from linkeddata.errors import UsageError
from linkeddata.records import Failure, MediaFile, Step, Tag

HARVEST = "harvest"


def can_be_reconciled(run: Run) -> bool:
    """Say whether a campaign has both an ISA source and Commons sources, and all of them are harvested."""
    return bool(run.campaign.isa and run.campaign.commons) and not unharvested(run)


def unharvested(run: Run) -> list[str]:
    """Return the names of the ISA and Commons sources that the store does not have as the campaign file names them."""
    names = [*map(called, run.campaign.commons), *map(called, run.campaign.isa)]
    step = run.store.get(Step, f"{run.campaign.id}/{HARVEST}")
    if step is None:
        return names
    failures = run.store.each(Failure, campaign=run.campaign.id, step=HARVEST)
    lacking = {one.subject for one in failures if one.reason in (SOURCE_FAILED, LEFT_TO_DO)}
    read = _exports(run)
    lacking |= {called(source) for source in run.campaign.isa if called(source) not in read}
    # A Commons source leaves no trace of its own: that it was asked, the step's fingerprint says for all of them.
    if step.fingerprint and step.fingerprint != fingerprint(HARVEST, source_inputs(run)):
        lacking |= {called(source) for source in run.campaign.commons}
    return [name for name in names if name in lacking]


def fates(run: Run) -> list[Fate]:
    """Return what became of every tag of the campaign.

    Raises ``UsageError`` where the campaign has not both kinds of sources, and where one is not harvested.
    """
    if not (run.campaign.isa and run.campaign.commons):
        raise UsageError(f"campaign {run.campaign.id} needs both [[tags.isa]] and [[tags.commons]] to be reconciled")
    if lacking := unharvested(run):
        raise UsageError(f"not harvested yet: {'; '.join(lacking)}. `deboodt harvest` brings it home")
    return list(reconcile(evidence(run)))


def evidence(run: Run) -> Evidence:
    """Return what the store knows of the campaign's tags, their files and the rows without a tag."""
    own = {"campaign": run.campaign.id}
    isa, commons = (list(run.store.each(Tag, **own, route=route)) for route in ("isa", "commons"))
    files = {tag.file for tag in (*isa, *commons)}
    members = run.campaign.commons
    exports = _exports(run).values()
    return Evidence(
        isa=isa,
        commons=commons,
        files={media.iri: media for media in run.store.each(MediaFile) if media.iri in files},
        unplaced=[Unplaced(**row) for export in exports for row in export["unplaced"]],
        bad_rows=[(one.subject, one.detail) for one in run.store.each(Failure, **own, reason=BAD_ROW)],
        moved={title: iri for export in exports for title, iri in export["moved"].items()},
        numbers=frozenset(source.number for source in run.campaign.isa if source.number),
        captions=any(source.captions for source in run.campaign.isa),
        some_captions=not all(source.captions for source in members),
    )


def _exports(run: Run) -> dict[str, Any]:
    """Return what was told last of each ISA export of the campaign, by the name of its source."""
    names = {called(source) for source in run.campaign.isa}
    told = ((one.subject, json.loads(one.payload)) for one in run.store.events(kind=ISA_READ))
    return {name: facts for name, facts in told if name in names and facts["campaign"] == run.campaign.id}
