"""The steps of the main job. Each reads the store and the folders, does its work, and says what it counted.

``STEPS`` is the registry that the command line, ``deboodt run`` and the report read; ``pipeline`` decides which of them
has anything to do.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from itertools import tee
from pathlib import Path

from crowd.cms.delivery import write
from crowd.cms.determinations import Determination
from crowd.cms.table import digest as digest_of
from crowd.reviewing import apply_reviews, ask_reviewers, reviewed_labels
from crowd.reviewqueue import follow
from harvest.images import fetch
from harvest.offers import UNREACHABLE
from identify.answers import Answers, in_place, question_of
from identify.bundle import open_bundle
from identify.classes import dated
from identify.counting import Passed, agreement_of, counting_of, write_agreement
from identify.datasets import build_dataset
from identify.givenback import delivery_of, export_inputs
from identify.harvesting import harvest_step
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
from identify.pipeline import SOFTWARE, Done, Run, StepKind
from identify.published import publish
from identify.recording import keep, lost, told
from linkeddata.decoding import Limits
from linkeddata.errors import BundleError
from linkeddata.nameindex.index import open_index
from linkeddata.names import UNREACHABLE as NAMES_UNREACHABLE
from linkeddata.names import Sources, resolve
from linkeddata.records import Failure, Identification, Label, Record, Taxon

OUTSIDE = "outside the campaign's taxa"
NOT_RESOLVED = "name not resolved"
LEFT_OPEN = "left open"
NO_WEIGHTS = "no weights for the backbone"


def images_step(run: Run) -> Done:
    """Fetch the images of the campaign's files, verified by sha1; what is there already is not asked for again."""
    published = (media for media in run.store.files_of(run.campaign.id) if media.original)
    files, asked = tee(published)  # no more of them in memory than are asked for at a time
    total = run.store.count_files_of(run.campaign.id)
    counts: Counter[str] = Counter()

    def answers() -> Iterator[Record]:
        stream = fetch(run.client, run.images, asked, settings=run.settings, campaign=run.campaign.id, moment=run.now())
        for media, answer in zip(files, told(run, "images", stream, total), strict=True):
            counts["lost" if isinstance(answer, Failure) else "images"] += 1
            if isinstance(answer, Failure):
                yield answer
            elif answer[0] != media:
                yield answer[0]

    keep(run, "images", answers())
    return Done(dict(counts), complete=not lost(run, "images", UNREACHABLE))


def names_step(run: Run) -> Done:
    """Resolve every name and Q-item in the tags, and the campaign's own taxa; a name that was answered is not asked."""
    wanted = queries(run)
    missing = [query for query in wanted if run.store.get(Taxon, query) is None]
    path = run.settings.index_path
    with open_index(path) if path else nullcontext() as index:
        sources = Sources(client=run.client, settings=run.settings, index=index)
        answers = resolve(missing, sources, moment=run.now())
        keep(run, "names", told(run, "names", answers, len(missing)))
    taxa = [taxon for query in wanted if (taxon := run.store.get(Taxon, query))]
    keep(run, "names", (_open_question(run, taxon) for taxon in taxa if _is_open(taxon)))
    counts = Counter(_how_far(taxon) for taxon in taxa)
    return Done({"names": len(wanted), **counts}, complete=not lost(run, "names", NAMES_UNREACHABLE))


def count_step(run: Run) -> Done:
    """Count the tags into labels, within the campaign's taxa; labels that no tag holds up any more are taken back."""
    counting = counting_of(run)
    counted = counting.counted()
    ask_reviewers(run.store, run.campaign.id, run.campaign.review.reviewers, agent=SOFTWARE.id, now=run.now)
    keep(run, "count", counted.lost)
    keep(run, "count", (run.lost("count", tag.id, OUTSIDE, tag.item or tag.verbatim) for tag in counting.outside))
    passed = Passed(run, counting.gold)
    labels = passed.passing(reviewed_labels(run.store, run.campaign.id, counted.labels))
    run.store.put(labels, agent=SOFTWARE.id, moment=run.now())
    there = run.store.fields(Label, ["id"], campaign=run.campaign.id)
    stale = [key for (key,) in there if key not in passed.ids]
    run.store.remove(Label, stale, agent=SOFTWARE.id, moment=run.now(), reason="no tag holds it up any more")
    follow(run.store)
    write_agreement(run, agreement_of(run, counting, counted, passed))
    return Done({"labels": len(passed.ids), **passed.statuses})


def dataset_step(run: Run) -> Done:
    """Build the dataset from accepted labels; whole groups on one side of the split."""
    data = build_dataset(run, run.folder / "dataset", run.campaign.dataset)
    keep(run, "dataset", data.failures)
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
        keep(run, "train", [run.lost("train", f"{plan['name']}@{plan['version']}", NO_WEIGHTS, detail)])
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
    asked = targets(run, bundle)
    wanted = {(media.iri, stored.sha1, bundle.weights) for media, stored in asked if stored}
    before = Answers.of(run.store.each(Identification, campaign=run.campaign.id))
    _no_longer_said(run, before.stale(wanted))
    answered = before.answered(wanted)
    rest = [(media, stored) for media, stored in asked if media.iri not in answered]
    answers = identify_files(classifier, rest, moment=run.now(), agent=bundle.agent.id, campaign=run.campaign.id)
    keep(run, "identify", told(run, "identify", in_place(answers, before.last()), len(rest)))
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
    keep(run, "export", (*said.lost, *(_unplaced(one, why) for one, why in said.delta.refused)))
    added = said.delta.additions
    return Done({"objects": len({one.held.number for one in added}), "determinations": len(added)})


def _unplaced(one: Determination, why: str) -> Failure:
    return Failure(id="", step="export", subject=one.object_number, reason=why, detail=one.taxon)


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
