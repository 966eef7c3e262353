"""The steps of the main job. Each reads the store and the folders, does its work, and says what it counted.

``STEPS`` is the registry that the command line, ``deboodt run`` and the report read; ``pipeline`` decides which of them
has anything to do.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from itertools import tee
from pathlib import Path
from typing import Any, TypeVar

import orjson

from crowd.campaign import LISTS
from crowd.cms.delivery import write
from crowd.cms.determinations import Determination
from crowd.cms.table import digest as digest_of
from crowd.erasing import erased, kept_out, nameless
from crowd.reviewing import apply_reviews, ask_reviewers, reviewed_labels
from crowd.reviewqueue import follow
from harvest.commons_files import CUT_OFF, EMPTY, NOTHING_FOUND
from harvest.departed import GONE, deletions
from harvest.dumps.extract import BROKEN_LINE, CUT_OFF_DUMP, DAMAGED
from harvest.dumps.records import ROUTE as DUMP
from harvest.images import fetch
from harvest.lists import ROUTES
from harvest.offers import UNREACHABLE
from harvest.reach import Reach
from harvest.recent import Lately
from harvest.records import LEFT_TO_DO, SOURCE_FAILED, Harvested
from harvest.routes import NOT_INDEXED, ROUTE_FAILED
from harvest.sources import harvest_all
from harvest.sparql import PART_MISSING
from harvest.sparql import ROUTE as QUERIED
from harvest.wiki import Api
from identify.answers import Answers, in_place, question_of
from identify.bundle import open_bundle
from identify.classes import dated
from identify.counting import Passed, agreement_of, counting_of, write_agreement
from identify.datasets import build_dataset
from identify.givenback import delivery_of, export_inputs
from identify.inputs import (
    count_inputs,
    dataset_inputs,
    digest,
    identify_inputs,
    image_inputs,
    model_of,
    plan_path,
    planned,
    queries,
    results,
    source_inputs,
    targets,
    training_inputs,
    wants_pictures,
)
from identify.lapse import lapse
from identify.pipeline import SOFTWARE, Done, Run, StepKind, fingerprint
from identify.published import publish
from identify.readagain import without_misread
from linkeddata.decoding import Limits
from linkeddata.errors import BundleError, ServiceError
from linkeddata.ids import content_id
from linkeddata.nameindex.index import open_index
from linkeddata.names import UNREACHABLE as NAMES_UNREACHABLE
from linkeddata.names import Sources, resolve
from linkeddata.pseudonyms import Pseudonyms, installation_key
from linkeddata.records import Agent, CampaignFile, Failure, Identification, Label, MediaFile, Record, Step, Tag, Taxon

T = TypeVar("T")
OUTSIDE = "outside the campaign's taxa"
NOT_RESOLVED = "name not resolved"
LEFT_OPEN = "left open"
NO_WEIGHTS = "no weights for the backbone"
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
    met = _keep(run, "harvest", _noting(_remembering(run, _not_poorer(run, brought)), seen, said))
    # What was deleted once stays told: a harvest that is killed after it took the file out does not meet it again.
    told = {key for key, failure in old.items() if failure.reason == GONE and failure.subject not in seen}
    # Only now: a harvest that is killed has not asked for all that was lost before.
    run.store.remove(
        Failure, old.keys() - met - told, agent=SOFTWARE.id, moment=run.now(), reason="harvest was done again"
    )
    unsure = _lost(run, "harvest", *UNFINISHED) or _from_index(run)
    changes = {} if unsure else {**_take_back(run, seen), **_unsay(run, said)}
    if not _lost(run, "harvest", *UNANSWERED):
        _keep(run, "harvest", lapse(run, reach, said, begun))
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
    return Done(counts, complete=not _lost(run, "harvest", SOURCE_FAILED, LEFT_TO_DO, PART_MISSING))


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
        _keep(run, "harvest", [run.lost("harvest", "deletions", SOURCE_FAILED, str(error))])
        return {}
    _keep(run, "harvest", (replace(media, gone=gone[media.iri]) for media in files if media.iri in gone))
    _keep(run, "harvest", (run.lost("harvest", iri, GONE, moment) for iri, moment in gone.items()))
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

    _keep(run, "harvest", counted())
    return dict(counts)


def images_step(run: Run) -> Done:
    """Fetch the images of the campaign's files, verified by sha1; what is there already is not asked for again."""
    published = (media for media in run.store.files_of(run.campaign.id) if media.original)
    files, asked = tee(published)  # no more of them in memory than are asked for at a time
    total = run.store.count_files_of(run.campaign.id)
    counts: Counter[str] = Counter()

    def answers() -> Iterator[Record]:
        stream = fetch(run.client, run.images, asked, settings=run.settings, campaign=run.campaign.id, moment=run.now())
        for media, answer in zip(files, _told(run, "images", stream, total), strict=True):
            counts["lost" if isinstance(answer, Failure) else "images"] += 1
            if isinstance(answer, Failure):
                yield answer
            elif answer[0] != media:
                yield answer[0]

    _keep(run, "images", answers())
    return Done(dict(counts), complete=not _lost(run, "images", UNREACHABLE))


def names_step(run: Run) -> Done:
    """Resolve every name and Q-item in the tags, and the campaign's own taxa; a name that was answered is not asked."""
    wanted = queries(run)
    missing = [query for query in wanted if run.store.get(Taxon, query) is None]
    path = run.settings.index_path
    with open_index(path) if path else nullcontext() as index:
        sources = Sources(client=run.client, settings=run.settings, index=index)
        answers = resolve(missing, sources, moment=run.now())
        _keep(run, "names", _told(run, "names", answers, len(missing)))
    taxa = [taxon for query in wanted if (taxon := run.store.get(Taxon, query))]
    _keep(run, "names", (_open_question(run, taxon) for taxon in taxa if _is_open(taxon)))
    counts = Counter(_how_far(taxon) for taxon in taxa)
    return Done({"names": len(wanted), **counts}, complete=not _lost(run, "names", NAMES_UNREACHABLE))


def count_step(run: Run) -> Done:
    """Count the tags into labels, within the campaign's taxa; labels that no tag holds up any more are taken back."""
    counting = counting_of(run)
    told = counting.counted()
    ask_reviewers(run.store, run.campaign.id, run.campaign.review.reviewers, agent=SOFTWARE.id, now=run.now)
    _keep(run, "count", told.lost)
    _keep(run, "count", (run.lost("count", tag.id, OUTSIDE, tag.item or tag.verbatim) for tag in counting.outside))
    passed = Passed(run, counting.gold)
    labels = passed.passing(reviewed_labels(run.store, run.campaign.id, told.labels))
    run.store.put(labels, agent=SOFTWARE.id, moment=run.now())
    there = run.store.fields(Label, ["id"], campaign=run.campaign.id)
    stale = [key for (key,) in there if key not in passed.ids]
    run.store.remove(Label, stale, agent=SOFTWARE.id, moment=run.now(), reason="no tag holds it up any more")
    follow(run.store)
    write_agreement(run, agreement_of(run, counting, told, passed))
    return Done({"labels": len(passed.ids), **passed.statuses})


def dataset_step(run: Run) -> Done:
    """Build the dataset from accepted labels; whole groups on one side of the split."""
    data = build_dataset(run, run.folder / "dataset", run.campaign.dataset)
    _keep(run, "dataset", data.failures)
    # What was lost is told once, among the failures.
    return Done({what: number for what, number in data.counts.items() if not what.startswith("lost")})


def train_step(run: Run) -> Done:
    """Train a version of the campaign's model on its dataset and put its classes into the store.

    Which version is on the way is written down before it is begun, so that a killed training goes on as the same one.
    """
    from identify.learning.features import FOLDER
    from identify.learning.training import train
    from identify.modelfolders import next_version

    wanted = training_inputs(run)
    plan = planned(run)
    if plan.get("training") != wanted:
        plan = {"name": _model_name(run), "version": next_version(run.models / _model_name(run)), "training": wanted}
        plan_path(run).write_text(json.dumps(plan), encoding="utf-8")
    folder = run.models / plan["name"] / plan["version"]
    try:
        bundle = open_bundle(folder)
    except BundleError:
        bundle = train(
            run.folder / "dataset",
            folder,
            replace(run.campaign.model, name=plan["name"]),
            version=plan["version"],
            limits=_limits(run),
            progress=run.progress,
            features=run.settings.home_path / FOLDER,
        )
    if instead := bundle.training.get("instead_of"):
        detail = f"{instead} was asked for; a small network learned in its place: see [model] weights"
        _keep(run, "train", [run.lost("train", f"{plan['name']}@{plan['version']}", NO_WEIGHTS, detail)])
    classes = dated(bundle.classes, run.store.each(Taxon))
    run.store.put([bundle.agent, *classes], agent=SOFTWARE.id, moment=run.now())
    return Done({"classes": len(bundle.classes), "version": int(bundle.about.version)})


def identify_step(run: Run) -> Done:
    """Let the model say what it sees on every file that it did not learn from.

    What an earlier version said of a file stands, superseded by the new answer; it is withdrawn only where the file is
    asked no more, or can be read no more.
    """
    from identify.runtime import Classifier, identify_files

    bundle = model_of(run)
    classifier = Classifier.open(bundle.folder, _limits(run))
    asked = targets(run)
    wanted = {(media.iri, stored.sha1, bundle.weights) for media, stored in asked if stored}
    before = Answers.of(run.store.each(Identification, campaign=run.campaign.id))
    _no_longer_said(run, before.stale(wanted))
    answered = before.answered(wanted)
    rest = [(media, stored) for media, stored in asked if media.iri not in answered]
    answers = identify_files(classifier, rest, moment=run.now(), agent=bundle.agent.id, campaign=run.campaign.id)
    _keep(run, "identify", _told(run, "identify", in_place(answers, before.last()), len(rest)))
    after = Answers.of(run.store.each(Identification, campaign=run.campaign.id))
    _no_longer_said(run, after.unanswered({media.iri for media, _ in rest}, wanted))
    apply_reviews(run.store, run.campaign.id, agent=SOFTWARE.id, now=run.now)
    follow(run.store)
    said = Counter(bool(answer.label) for answer in after.of_models if question_of(answer) in wanted)
    return Done({"asked": len(asked), "identified": said[True], "unknown": said[False]})


def _no_longer_said(run: Run, keys: Sequence[str]) -> None:
    run.store.remove(Identification, keys, agent=SOFTWARE.id, moment=run.now(), reason="the model no longer says it")


def publish_step(run: Run) -> Done:
    """Write every identification and label as linked data, as the API serves it."""
    return Done(publish(run))


def export_step(run: Run) -> Done:
    """Write the files that the museum's own system imports."""
    said = delivery_of(run)
    folder = run.folder / "export"
    if said.base is not None:
        folder /= f"{Path(said.base.name).stem}-{digest_of(said.base)[:8]}"
    write(said, folder, formats=run.campaign.export.formats, now=run.now)
    _keep(run, "export", (*said.lost, *(_unplaced(one, why) for one, why in said.delta.refused)))
    added = said.delta.additions
    return Done({"objects": len({one.held.number for one in added}), "determinations": len(added)})


def _unplaced(one: Determination, why: str) -> Failure:
    return Failure(id="", step="export", subject=one.object_number, reason=why, detail=one.taxon)


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


def _limits(run: Run) -> Limits:
    return Limits(max_bytes=run.settings.max_image_bytes, max_pixels=run.settings.max_image_pixels)


def _how_far(taxon: Taxon) -> str:
    return "linked" if taxon.item else "without item" if taxon.concept else "not found"


def _is_open(taxon: Taxon) -> bool:
    """Whether a person must look: nothing was found, or there is no single item or key to link it to."""
    return not (taxon.concept and taxon.item and taxon.gbif_key)


def _open_question(run: Run, taxon: Taxon) -> Failure:
    if not taxon.concept:
        return run.lost("names", taxon.query, NOT_RESOLVED, taxon.reason)
    lacking = " and ".join(
        word for word, there in (("no item", taxon.item), ("no GBIF key", taxon.gbif_key)) if not there
    )
    return run.lost("names", taxon.query, LEFT_OPEN, f"{lacking}; {taxon.reason}".removesuffix("; "))


def _keep(run: Run, step: str, records: Iterable[Record]) -> set[str]:
    """Put a stream of records into the store; a failure gets the step, the campaign and the moment it lacks.

    Return the ids of the failures.
    """
    name, moment = run.campaign.id, run.now()
    failures: set[str] = set()

    def complete(record: Record) -> Record:
        if not isinstance(record, Failure):
            return record
        key = content_id(name, step, record.subject, record.reason, record.detail)
        failures.add(key)
        return replace(record, id=key, campaign=name, step=step, moment=record.moment or moment)

    run.store.put(map(complete, records), agent=SOFTWARE.id, moment=moment)
    return failures


def _told(run: Run, what: str, records: Iterable[T], total: int) -> Iterator[T]:
    for done, record in enumerate(records, 1):
        run.progress(what, done, total)
        yield record


def _lost(run: Run, step: str, *reasons: str) -> bool:
    return any(run.store.count(Failure, campaign=run.campaign.id, step=step, reason=reason) for reason in reasons)


def _model_name(run: Run) -> str:
    return run.campaign.model.name or run.campaign.id


STEPS: dict[str, StepKind] = {
    "harvest": StepKind("tags and files from their sources", source_inputs, harvest_step, forgets=False),
    "images": StepKind("images, verified", image_inputs, images_step, wants_pictures),
    "names": StepKind("names to taxa, items and keys", lambda run: digest(queries(run)), names_step),
    "count": StepKind("tags to labels", count_inputs, count_step),
    "dataset": StepKind("labels to a dataset", dataset_inputs, dataset_step, wants_pictures),
    "train": StepKind("a dataset to a model", training_inputs, train_step, wants_pictures),
    "identify": StepKind("images to identifications", identify_inputs, identify_step, wants_pictures),
    "publish": StepKind("linked data", results, publish_step),
    "export": StepKind(
        "files for the museum's system",
        export_inputs,
        export_step,
        lambda run: bool(run.campaign.export.profile),
    ),
}
"""The steps in their order, by the name that the command line and the store know them by."""
