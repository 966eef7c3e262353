"""What an installation has to describe. In: its home folder. Out: ``Holdings``; and for a run, the file they read.

A campaign's file lies wherever its owner keeps it, so the step ``publish`` writes what it says for descriptions beside
the campaign's results: ``published/campaign.json``.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from crowd.campaign import Campaign as CampaignFile
from harvest.datasets.manifest import read_dataset
from identify.publication import examples_in, published, version_of
from linkeddata.catalogue.holdings import (
    Campaign,
    Holdings,
    Publisher,
    TrainingExample,
    TrainingSet,
    TrainingVersion,
    gathered,
)
from linkeddata.errors import DatasetError
from linkeddata.files import replaced
from linkeddata.records import Step
from linkeddata.settings import Settings
from linkeddata.store import Store

FILE = "published/campaign.json"


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
    sets = {one.id: one for one in published(settings.home_path)}
    campaigns = [_campaign(settings, folder / name, name, sets.pop(name, None)) for name in sorted(names - {""})]
    return gathered(settings, campaigns, sets.values())


def examples(version: TrainingVersion) -> Mapping[str, TrainingExample]:
    """Return the images of a version by SHA-1; none of one that is no longer kept."""
    manifest = next((one.path for one in version.files if one.name == "manifest.csv"), None)
    return examples_in(manifest.parent, version.sha256) if manifest else {}


def _campaign(settings: Settings, folder: Path, name: str, out: TrainingSet | None) -> Campaign:
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
        training=_versions(settings, folder, out.versions if out else ()),
    )


@lru_cache(256)
def _facts(path: Path, changed: int) -> dict[str, Any]:
    loaded: dict[str, Any] = orjson.loads(path.read_bytes())
    return loaded


def _versions(settings: Settings, folder: Path, out: Sequence[TrainingVersion]) -> tuple[TrainingVersion, ...]:
    """Return the versions of a campaign's dataset: the one that is there, those that were published (``out``), and
    then those that are known by the models that learned from them."""
    learned: dict[str, list[str]] = {}
    for name, version, dataset in _bundles(settings, folder):
        learned.setdefault(dataset, []).append(f"{name}@{version}")
    path = folder / "dataset" / "dataset.json"
    here = _here(folder / "dataset", path.stat().st_mtime_ns) if path.is_file() else None
    kept = {one.sha256: one for one in ([here] if here else [])}
    kept |= {one.sha256: one for one in out if one.files or one.sha256 not in kept}
    found = [replace(one, models=tuple(learned.pop(one.sha256, ()))) for one in kept.values()]
    gone = [TrainingVersion(sha256=digest, models=tuple(models)) for digest, models in learned.items()]
    return (*found, *gone)


@lru_cache(64)
def _here(folder: Path, changed: int) -> TrainingVersion | None:
    """Return the version that lies in ``folder``, None where it is none or was altered."""
    try:
        return version_of(read_dataset(folder), folder)
    except DatasetError:
        return None


def _bundles(settings: Settings, folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yield name, version and dataset of each model of a campaign, newest first."""
    plan = folder / "model.json"
    name = json.loads(plan.read_text(encoding="utf-8")).get("name", "") if plan.is_file() else ""
    paths = sorted((settings.home_path / "models").glob(f"{name}/*/bundle.json")) if name else []
    for path in reversed(paths):
        about = json.loads(path.read_text(encoding="utf-8"))
        yield about["name"], about["version"], about["dataset"]
