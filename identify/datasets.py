"""The dataset of a campaign: what it is built from and what is told of it. In: a ``Run``, rules. Out: a dataset."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from crowd.campaign import DatasetRules
from crowd.credited import credited_people
from harvest.datasets.about import About
from harvest.datasets.building import build
from harvest.datasets.checklist import read_checklist
from harvest.datasets.embedded import Embedding
from harvest.datasets.manifest import Dataset
from identify.inputs import files_of, strangers, taxa_of
from identify.offered import publisher_of
from identify.pipeline import Run
from linkeddata.catalogue.datasets import training_iri
from linkeddata.catalogue.holdings import of_settings
from linkeddata.records import Label, Tag, Taxon
from linkeddata.settings import Settings


def build_dataset(
    run: Run,
    folder: Path,
    rules: DatasetRules,
    *,
    title: str = "",
    checklist: Path | None = None,
    after: Path | None = None,
    embedding: Embedding | None = None,
) -> Dataset:
    """Build a dataset of the campaign's files by ``rules`` in ``folder``. Raises ``DatasetError`` as ``build`` does.

    Coverage is counted against the table ``checklist``, or, without one, the campaign's own taxa. ``after`` is the
    folder of the version before, where that is not in ``folder``; what ``embedding`` sees as copies stands together.
    """
    labels = list(run.store.each(Label, campaign=run.campaign.id))
    return build(
        files_of(run),
        labels,
        run.store.each(Taxon),
        run.images.kept,
        folder,
        rules,
        tags=run.store.each(Tag, campaign=run.campaign.id),
        strangers=strangers(run),
        about=replace(about_dataset(run, labels, title), checklist=checklist.name if checklist else ""),
        checklist=read_checklist(checklist) if checklist else taxa_of(run).values(),
        after=after,
        looks=looks_of(run.settings),
        embedding=embedding,
        seed=run.campaign.model.seed,
        campaign=run.campaign.id,
        moment=run.now(),
        progress=run.progress,
    )


def looks_of(settings: Settings) -> Path:
    """Return where it is kept what images look like."""
    return settings.home_path / "looks"


def about_dataset(run: Run, labels: Iterable[Label], title: str = "") -> About:
    """Return what is told of the campaign's dataset beside its rows."""
    campaign, settings = run.campaign, run.settings
    publisher = publisher_of(campaign, settings).over(of_settings(settings))
    return About(
        title=title or campaign.title,
        description=campaign.description,
        name=campaign.id,
        dated=max((label.moment for label in labels), default=""),
        publisher=publisher.name,
        publisher_iri=publisher.iri,
        licence=publisher.licence,
        address="" if title else training_iri(settings.base_url.rstrip("/"), campaign.id),
        people=tuple(credited_people(run.store, [campaign.id])),
        simulated=campaign.simulated,
    )
