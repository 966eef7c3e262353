"""The first step: files and tags from the campaign's sources. In: a ``Run``. Out: records in the store, and counts.

What the sources say no more is taken back where it can be known that they do not: after a harvest without gaps.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import orjson

from crowd.campaign import LISTS
from crowd.erasing import erased, kept_out, nameless
from harvest.commons_files import CUT_OFF, EMPTY, NOTHING_FOUND
from harvest.departed import GONE, deletions
from harvest.dumps.extract import BROKEN_LINE, CUT_OFF_DUMP, DAMAGED
from harvest.dumps.records import ROUTE as DUMP
from harvest.lists import ROUTES
from harvest.reach import Reach
from harvest.recent import Lately
from harvest.records import LEFT_TO_DO, SOURCE_FAILED, Harvested
from harvest.routes import NOT_INDEXED, ROUTE_FAILED
from harvest.sources import harvest_all
from harvest.sparql import PART_MISSING
from harvest.sparql import ROUTE as QUERIED
from harvest.wiki import Api
from identify.inputs import source_inputs
from identify.lapse import lapse
from identify.pipeline import SOFTWARE, Done, Run, fingerprint
from identify.readagain import without_misread
from identify.recording import keep, lost
from linkeddata.errors import ServiceError
from linkeddata.pseudonyms import Pseudonyms, installation_key
from linkeddata.records import Agent, CampaignFile, Failure, MediaFile, Record, Step, Tag

UNFINISHED = (
    SOURCE_FAILED, LEFT_TO_DO, EMPTY, NOTHING_FOUND, CUT_OFF, ROUTE_FAILED, PART_MISSING, NOT_INDEXED, BROKEN_LINE,
    CUT_OFF_DUMP, DAMAGED,
)  # fmt: skip
"""Failures of a harvest after which a file that was not met may still be there."""
UNANSWERED = (SOURCE_FAILED, LEFT_TO_DO, PART_MISSING)
"""Failures of a harvest after which a statement that was not met may still be said."""
_UNSAID = (*ROUTES, DUMP)
"""Routes on which a tag that is said no more was never withdrawn: its list or dump just does not have it."""
_COUNTED = {Agent: "people", Tag: "tags", MediaFile: "files", CampaignFile: "members", Failure: "failures"}


def harvest_step(run: Run) -> Done:
    """Bring home files and tags from every source of the campaign, and take back what no source gives any more."""
    old = {failure.id: failure for failure in run.store.each(Failure, campaign=run.campaign.id, step="harvest")}
    reach = reach_of(run, {failure.subject for failure in old.values()})
    seen: set[str] = set()
    said: set[str] = set()
    begun, _ = run.store.state()
    brought = _without_erased(run, without_misread(run, harvest_all(reach)))
    met = keep(run, "harvest", _noting(_remembering(run, _not_poorer(run, brought)), seen, said))
    # What was deleted once stays told: a harvest that is killed after it took the file out does not meet it again.
    told = {key for key, failure in old.items() if failure.reason == GONE and failure.subject not in seen}
    # Only now: a harvest that is killed has not asked for all that was lost before.
    run.store.remove(
        Failure, old.keys() - met - told, agent=SOFTWARE.id, moment=run.now(), reason="harvest was done again"
    )
    unsure = lost(run, "harvest", *UNFINISHED) or _from_index(run)
    changes = {} if unsure else {**_take_back(run, seen), **_unsay(run, said)}
    if not lost(run, "harvest", *UNANSWERED):
        keep(run, "harvest", lapse(run, reach, said, begun))
    name, store = run.campaign.id, run.store
    deleted = store.count(Failure, campaign=name, step="harvest", reason=GONE)
    tags = store.count(Tag, campaign=name)
    counts = {
        "files": store.count_files_of(name),
        "tags": tags,
        "withdrawn": tags - store.count(Tag, campaign=name, withdrawn=""),
        "taggers": len(store.distinct(Tag, "agent", campaign=name) - {""}),
        **({"deleted": deleted} if deleted else {}),
        **changes,
    }
    return Done(counts, complete=not lost(run, "harvest", SOURCE_FAILED, LEFT_TO_DO, PART_MISSING))


def _without_erased(run: Run, records: Iterable[Harvested]) -> Iterator[Harvested]:
    """Pass records on, but nothing that would bring somebody back who was erased."""
    gone = erased(run.store)
    return kept_out(run.store, installation_key(run.settings), records, gone) if gone else iter(records)


def _from_index(run: Run) -> bool:
    """Say whether files of Commons were asked of an index first, which may lag: what it does not have may be there."""
    return any(source.via[:1] not in ((), ("api",)) for source in run.campaign.commons)


def _not_poorer(run: Run, records: Iterable[Harvested]) -> Iterator[Harvested]:
    """Pass records on, but no description out of a dump, which has no title, of a file that is described better."""
    for record in records:
        if isinstance(record, MediaFile) and not (record.title or record.original):
            stored = run.store.get(MediaFile, record.iri)
            if stored and (stored.title or stored.original):
                continue
        yield record


def _noting(records: Iterable[Harvested], seen: set[str], said: set[str]) -> Iterator[Harvested]:
    """Pass records on and note which files they put into the campaign, and which tags that can lapse."""
    for record in records:
        if isinstance(record, CampaignFile):
            seen.add(record.file)
        elif isinstance(record, Tag) and record.route in (*_UNSAID, QUERIED):
            said.add(record.id)
        yield record


def _remembering(run: Run, records: Iterable[Harvested]) -> Iterator[Harvested]:
    """Pass records on; a file given without a checksum keeps what its image told when it was fetched."""
    for record in records:
        if isinstance(record, MediaFile) and not record.sha1:
            stored = run.store.get(MediaFile, record.iri)
            if stored and stored.sha1 and stored.original == record.original:
                size = (stored.width_px, stored.height_px) if stored.width_px else (record.width_px, record.height_px)
                record = replace(
                    record,
                    sha1=stored.sha1,
                    mime=stored.mime or record.mime,
                    width_px=size[0],
                    height_px=size[1],
                    size_bytes=stored.size_bytes or record.size_bytes,
                )
        yield record


def _unsay(run: Run, said: set[str]) -> dict[str, int]:
    """Take tags out of the current state that stood in a list or a dump and stand there no more."""
    name = run.campaign.id
    stale = [
        tag.id for route in _UNSAID for tag in run.store.each(Tag, campaign=name, route=route) if tag.id not in said
    ]
    run.store.remove(Tag, stale, agent=SOFTWARE.id, moment=run.now(), reason="its list says it no more")
    return {"unsaid": len(stale)} if stale else {}


def _take_back(run: Run, seen: set[str]) -> dict[str, int]:
    """Take files out of the campaign that no source names any more; mark and tell those that were deleted.

    What was said about them stays in the store, with its history; it no longer counts.
    """
    stored = run.store.each(CampaignFile, campaign=run.campaign.id)
    departed = {member.file: member.id for member in stored if member.file not in seen}
    files = [media for iri in departed if (media := run.store.get(MediaFile, iri))]
    try:
        gone = deletions(Api.of(run.client, run.settings), files, now=run.now())
    except ServiceError as error:
        keep(run, "harvest", [run.lost("harvest", "deletions", SOURCE_FAILED, str(error))])
        return {}
    keep(run, "harvest", (replace(media, gone=gone[media.iri]) for media in files if media.iri in gone))
    keep(run, "harvest", (run.lost("harvest", iri, GONE, moment) for iri, moment in gone.items()))
    left = departed.keys() - gone.keys()
    for why, iris in (("deleted at its source", gone.keys()), ("no source names it any more", left)):
        taken = [departed[iri] for iri in sorted(iris)]
        run.store.remove(CampaignFile, taken, agent=SOFTWARE.id, moment=run.now(), reason=why)
    return {"left": len(left)} if left else {}


def keep_source(run: Run, **sources: tuple[object, ...]) -> dict[str, int]:
    """Bring home what these sources give, by their names in ``Campaign``, in place of the campaign's own; count it.

    The next harvest of the campaign takes out again what its own sources do not say.
    """
    others = dict.fromkeys(("commons", "isa", "sparql", "dump", *LISTS), ())
    campaign = replace(run.campaign, **{**others, **sources})  # type: ignore[arg-type]
    reach = replace(reach_of(run, set()), campaign=campaign)
    counts: Counter[str] = Counter()

    def counted() -> Iterator[Record]:
        for record in _not_poorer(run, _without_erased(run, harvest_all(reach))):
            counts[_COUNTED[type(record)]] += 1
            yield record

    keep(run, "harvest", counted())
    return dict(counts)


def reach_of(run: Run, failed: Collection[str] = ()) -> Reach:
    """Return what the campaign's sources need to go out; of files that ``failed`` nothing is taken for known."""
    return Reach(
        client=run.client,
        settings=run.settings,
        campaign=run.campaign,
        pseudonyms=Pseudonyms(installation_key(run.settings)),
        known=_known(run, set(failed)),
        described=frozenset(m.iri for m in run.store.files_of(run.campaign.id) if m.revision or m.sha1),
        lately=_lately(run),
        progress=run.progress,
        note=partial(_noted, run),
    )


def _noted(run: Run, kind: str, subject: str, payload: Mapping[str, Any]) -> None:
    """Log what a harvest tells beside its records, without who was erased."""
    if gone := erased(run.store):
        payload = orjson.loads(nameless(orjson.dumps(payload).decode(), installation_key(run.settings), gone))
    run.store.note(kind, subject, payload, agent=SOFTWARE.id, moment=run.now())


def _known(run: Run, failed: set[str]) -> dict[str, int]:
    """Return the revision up to which each file's history is read for this campaign.

    Nothing is known for a file that another campaign may have read on, nor once the sources are asked otherwise, nor of
    one that something was wrong with: what it was must be told again.
    """
    last = run.store.get(Step, f"{run.campaign.id}/harvest")
    if last and last.fingerprint not in ("", fingerprint("harvest", source_inputs(run))):
        return {}
    others = {member.file for member in run.store.each(CampaignFile) if member.campaign != run.campaign.id}
    unsure = others | failed
    return {m.iri: m.revision for m in run.store.files_of(run.campaign.id) if m.iri not in unsure}


def _lately(run: Run) -> Lately | None:
    """Return since when files may have been touched: the day asked for, but not after the last whole harvest."""
    last = run.store.get(Step, f"{run.campaign.id}/harvest")
    if not run.since or not last or not last.fingerprint:
        return None
    titles = {media.title: media.iri for media in run.store.files_of(run.campaign.id)}
    return Lately(since=min(run.since, last.moment[:10]), now=run.now(), titles=titles)
