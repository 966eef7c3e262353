"""What the steps read, and the fingerprints that tell if it has changed. In: a ``Run``. Out: records, hex digits."""

import hashlib
import json
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from crowd.credited import credited_people
from crowd.gold import Answer, read_gold
from harvest.datasets.manifest import TRAIN, Dataset, read_dataset
from harvest.sources import source_state
from identify.affected import read_learned
from identify.bundle import LEARNED, Bundle, open_bundle
from identify.offered import facts
from identify.pipeline import Run
from linkeddata.errors import BundleError, DatasetError
from linkeddata.ids import content_id
from linkeddata.names import is_ancestor
from linkeddata.records import CampaignFile, Identification, Label, MediaFile, Tag, Taxon
from linkeddata.storage import Stored


def files_of(run: Run) -> list[MediaFile]:
    """Return the campaign's files, by IRI."""
    return list(run.store.files_of(run.campaign.id))


def model_of(run: Run) -> Bundle:
    """Return the model that the campaign trained last. Raises ``BundleError`` where there is none."""
    plan = planned(run)
    if not plan:
        raise BundleError(f"campaign {run.campaign.id} has no model yet; `deboodt train` makes one")
    return open_bundle(run.models / plan["name"] / plan["version"])


def source_inputs(run: Run) -> str:
    """Return the fingerprint of where the tags come from."""
    return source_state(run.campaign)


def image_inputs(run: Run) -> str:
    """Return the fingerprint of which images are wanted."""
    return digest(chain((run.campaign.images,), run.store.files_of(run.campaign.id)))


def members(run: Run) -> list[CampaignFile]:
    """Return which files belong to the campaign, and as what."""
    return list(run.store.each(CampaignFile, campaign=run.campaign.id))


def strangers(run: Run) -> set[str]:
    """Return the IRIs of the campaign's files that show none of its taxa."""
    return {member.file for member in run.store.each(CampaignFile, campaign=run.campaign.id, role="stranger")}


def wants_pictures(run: Run) -> bool:
    """Say whether the campaign works with pictures at all."""
    return run.campaign.dataset.images


def queries(run: Run) -> list[str]:
    """Return what must be resolved: the items and names in the tags, and the campaign's own taxa."""
    name = run.campaign.id
    asked = run.store.distinct(Tag, "item", campaign=name) | run.store.distinct(Tag, "verbatim", campaign=name, item="")
    known = {answer.taxon for answer in gold_of(run)}
    return sorted((asked | known | {run.campaign.root, *run.campaign.taxa}) - {""})


def gold_of(run: Run) -> tuple[Answer, ...]:
    """Return what the campaign says is known of its files. Raises ``CampaignError`` where its table cannot be read."""
    named = run.campaign.count.gold
    return read_gold(Path(run.campaign.folder) / named) if named else ()


def taxa_of(run: Run) -> dict[str, Taxon]:
    """Return what the campaign's names resolved to, by the name as it was asked."""
    return {query: taxon for query in queries(run) if (taxon := run.store.get(Taxon, query))}


def inside(run: Run, taxa: dict[str, Taxon]) -> set[str]:
    """Return the queries whose taxon is one of the campaign's, or below one; all, where the campaign names none.

    A root that could not be resolved shuts nothing out: it stands among the failures of the names.
    """
    bounds = [taxa[query] for query in (run.campaign.root, *run.campaign.taxa) if query in taxa and taxa[query].concept]
    if not bounds:
        return set(taxa)
    return {
        query
        for query, taxon in taxa.items()
        if any(taxon.concept == bound.concept or is_ancestor(bound, taxon) for bound in bounds)
    }


def digest(records: Iterable[object]) -> str:
    """Return a fingerprint of records, moments and all."""
    digest = hashlib.sha256()
    for record in records:
        digest.update(repr(record).encode(errors="backslashreplace"))
    return digest.hexdigest()


def count_inputs(run: Run) -> str:
    """Return the fingerprint of what is counted."""
    tags = run.store.each(Tag, campaign=run.campaign.id)
    rules = (run.campaign.count, run.campaign.review, run.campaign.root, run.campaign.taxa)
    return digest((*rules, *gold_of(run), members(run), *tags, *taxa_of(run).values()))


def dataset_inputs(run: Run) -> str:
    """Return the fingerprint of what a dataset is built from."""
    images, files = run.images, files_of(run)
    there = [(media.iri, stored.sha1) for media in files if (stored := images.kept(media))]
    labels = run.store.each(Label, campaign=run.campaign.id)
    people = credited_people(run.store, [run.campaign.id])
    return digest((run.campaign.dataset, run.campaign.model.seed, members(run), *files, *there, *labels, *people))


def training_inputs(run: Run) -> str:
    """Return the fingerprint of what is learned, and how; empty while there is no dataset."""
    try:
        return content_id(read_dataset(run.folder / "dataset").sha256, repr(run.campaign.model))
    except DatasetError:
        return ""


def plan_path(run: Run) -> Path:
    """Return where it is written down which model version is the campaign's."""
    return run.folder / "model.json"


def planned(run: Run) -> dict[str, str]:
    """Return which model version is the campaign's: its name, its version and what it was trained on."""
    path = plan_path(run)
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def targets(run: Run, model: Bundle) -> list[tuple[MediaFile, Stored | None]]:
    """Return the campaign's files that the model did not learn from, each with its image where that is here.

    A bundle that does not say what it learned from is believed to have learned from what is for training.
    """
    taught = read_learned(model) if model.has(LEARNED) else dataset_of(run).split(TRAIN)
    learned = {row.file for row in taught}
    images = run.images
    return [(media, images.kept(media)) for media in files_of(run) if media.sha1 and media.iri not in learned]


def dataset_of(run: Run) -> Dataset:
    """Return the campaign's dataset. Raises ``DatasetError`` where there is none."""
    return read_dataset(run.folder / "dataset")


def identify_inputs(run: Run) -> str:
    """Return the fingerprint of what the model is asked, and of the model."""
    model = model_of(run)
    asked = targets(run, model)
    return digest((model.weights, *((media.iri, stored.sha1 if stored else "") for media, stored in asked)))


def results(run: Run) -> str:
    """Return a fingerprint of what people and models found, and how it is to be given on."""
    name = run.campaign.id
    return digest(
        (
            run.campaign.export,
            facts(run.campaign),
            run.settings.base_url,
            *files_of(run),
            *run.store.each(Label, campaign=name),
            *run.store.each(Identification, campaign=name),
        )
    )
