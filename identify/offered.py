"""What an installation has to describe. In: its home folder. Out: ``Holdings``; and for a run, the file they read.

A campaign's file lies wherever its owner keeps it, so the step ``publish`` writes what it says for descriptions beside
the campaign's results: ``published/campaign.json``.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from crowd.campaign import Campaign as CampaignFile
from harvest.datasets.manifest import read_dataset
from linkeddata.catalogue.holdings import Campaign, DataFile, Holdings, Publisher, TrainingVersion, gathered, written_at
from linkeddata.errors import DatasetError
from linkeddata.files import replaced
from linkeddata.records import Step
from linkeddata.settings import Settings
from linkeddata.store import Store

FILE = "published/campaign.json"
DATASET_FILES = {
    "manifest.csv": "text/csv",
    "manifest.parquet": "application/vnd.apache.parquet",
    "classes.csv": "text/csv",
    "dataset.json": "application/json",
    "croissant.json": "application/ld+json",
    "leakage.json": "application/json",
    "README.md": "text/markdown",
    "CREDITS.md": "text/markdown",
}
"""Files of a dataset that are published, where they are there."""


def facts(campaign: CampaignFile) -> dict[str, Any]:
    """Return what a campaign's file says that descriptions tell."""
    who = campaign.publish
    return {
        "title": campaign.title,
        "description": campaign.description,
        "begins": campaign.begins,
        "ends": campaign.ends,
        "simulated": campaign.simulated,
        "language": who.language,
        "about": list(who.about or filter(None, (campaign.root, *campaign.taxa))),
        "publisher": {
            "name": who.publisher,
            "iri": who.publisher_iri,
            "kind": who.publisher_kind,
            "mail": who.publisher_mail,
            "licence": who.licence,
        },
    }


def publisher_of(campaign: CampaignFile, settings: Settings) -> Publisher:
    """Return who publishes a campaign's results, as far as its own file says."""
    return Publisher(**facts(campaign)["publisher"], language=campaign.publish.language or settings.language)


def write_facts(campaign: CampaignFile, folder: Path) -> None:
    """Write what descriptions tell of a campaign into its folder."""
    with replaced(folder / FILE) as out:
        out.write(orjson.dumps(facts(campaign), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def holdings(settings: Settings, store: Store) -> Holdings:
    """Return what there is to describe: the campaigns that the store or the home folder knows."""
    folder = settings.home_path / "campaigns"
    names = store.distinct(Step, "campaign") | {path.parents[1].name for path in folder.glob(f"*/{FILE}")}
    return gathered(settings, (_campaign(settings, folder / name, name) for name in sorted(names - {""})))


def _campaign(settings: Settings, folder: Path, name: str) -> Campaign:
    path = folder / FILE
    said = _facts(path, path.stat().st_mtime_ns) if path.is_file() else {}
    language = said.get("language") or settings.language
    publisher = Publisher(**said.get("publisher", {}), language=language)
    told = {key: said[key] for key in ("title", "description", "begins", "ends") if key in said}
    return Campaign(
        id=name,
        **told,
        simulated=bool(said.get("simulated")),
        language=language,
        about=tuple(said.get("about", ())),
        publisher=publisher,
        training=_versions(settings, folder),
    )


@lru_cache(256)
def _facts(path: Path, changed: int) -> dict[str, Any]:
    loaded: dict[str, Any] = orjson.loads(path.read_bytes())
    return loaded


def _versions(settings: Settings, folder: Path) -> tuple[TrainingVersion, ...]:
    """Return the versions of a campaign's dataset: the one that is there, then those that its models learned from."""
    learned: dict[str, list[str]] = {}
    for name, version, dataset in _bundles(settings, folder):
        learned.setdefault(dataset, []).append(f"{name}@{version}")
    path = folder / "dataset" / "dataset.json"
    here = _here(folder / "dataset", path.stat().st_mtime_ns) if path.is_file() else None
    current = []
    if here is not None:
        models = tuple(learned.pop(here.sha256, ()))
        current = [replace(here, models=models)]
    gone = [TrainingVersion(sha256=digest, models=tuple(models)) for digest, models in learned.items()]
    return (*current, *gone)


@lru_cache(64)
def _here(folder: Path, changed: int) -> TrainingVersion | None:
    """Return the version that lies in ``folder``, None where it is none or was altered."""
    try:
        dataset = read_dataset(folder)
    except DatasetError:
        return None
    files = tuple(
        DataFile(
            path=folder / name,
            media_type=media_type,
            sha256=_digest(folder / name),
            bytes=(folder / name).stat().st_size,
            modified=written_at(folder / name),
        )
        for name, media_type in DATASET_FILES.items()
        if (folder / name).is_file()
    )
    counts = tuple((name, dataset.counts.get(name, 0)) for name in ("images", "classes"))
    return TrainingVersion(
        sha256=dataset.sha256, files=files, counts=counts, modified=written_at(folder / "dataset.json")
    )


def _bundles(settings: Settings, folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yield name, version and dataset of each model of a campaign, newest first."""
    plan = folder / "model.json"
    name = json.loads(plan.read_text(encoding="utf-8")).get("name", "") if plan.is_file() else ""
    paths = sorted((settings.home_path / "models").glob(f"{name}/*/bundle.json")) if name else []
    for path in reversed(paths):
        about = json.loads(path.read_text(encoding="utf-8"))
        yield about["name"], about["version"], about["dataset"]


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
