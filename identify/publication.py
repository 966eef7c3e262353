"""Datasets that are published: put where the routes find them. In: a dataset in a folder. Out: versions in home.

``home/datasets/NAME/VERSION/`` is the dataset as it was built, with WebDataset shards; ``published.json`` beside the
versions says what there was, the newest first, also of versions whose files were taken away again. Only a dataset whose
images carry their credit and whose certificate holds is published.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from harvest.datasets.about import About
from harvest.datasets.croissant import cite_as
from harvest.datasets.manifest import Dataset, Example, read_dataset
from harvest.datasets.revision import read_revision
from harvest.datasets.versions import in_short
from harvest.imagestore import SUFFIXES
from harvest.records import Progress, silent
from linkeddata.catalogue.holdings import (
    DataFile,
    Publisher,
    TrainingExample,
    TrainingSet,
    TrainingVersion,
    written_at,
)
from linkeddata.errors import DatasetError, UsageError
from linkeddata.files import replaced

LIST = "published.json"
SHARDS = "webdataset"
FILES = {
    "manifest.csv": "text/csv",
    "manifest.parquet": "application/vnd.apache.parquet",
    "classes.csv": "text/csv",
    "dataset.json": "application/json",
    "croissant.json": "application/ld+json",
    "leakage.json": "application/json",
    "changes.json": "application/json",
    "README.md": "text/markdown",
    "CREDITS.md": "text/markdown",
}
"""Files of a dataset that are published, where they are there."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_MIMES = {suffix: mime for mime, suffix in SUFFIXES.items()}


def publish(folder: Path, home: Path, name: str, progress: Progress = silent) -> TrainingVersion:
    """Publish the dataset in ``folder`` under ``name`` as its current version. Publishing it again changes nothing.

    Raises ``UsageError`` for a name that is none, ``DatasetError`` for a dataset that is not fit to be published.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"name {name!r}: small letters, digits and hyphens")
    from harvest.datasets.leakage import verify  # the server reads what is published and makes none of it

    data = read_dataset(folder)
    told = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    if not told["rules"].get("sign"):
        raise DatasetError(f"{folder}: its images do not carry their credit; build it with --sign")
    if not told.get("about"):
        raise DatasetError(f"{folder} does not say what it is about")
    if troubles := verify(folder, progress):
        raise DatasetError(f"{folder} is not what its certificate says: {troubles[0]}")
    within = home / "datasets" / name
    target = within / data.sha256[:16]
    if not target.exists():
        _fill(data, target, progress)
    version = replace(version_of(data, target), folder=None)
    listed = [one for one in _listed(within) if one["sha256"] != data.sha256]
    _write(within, told["about"], [_entry(version), *listed])
    return version


def citation(folder: Path, address: str) -> str:
    """Return how the dataset in ``folder`` is cited that is published at ``address``, as BibTeX."""
    told = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    return cite_as(replace(About(**told["about"]), address=address), told["sha256"])


def withdraw(home: Path, name: str, version: str) -> None:
    """Take the files of a version away; that there was one stays known. Raises ``UsageError`` for none."""
    within = home / "datasets" / name
    listed = _listed(within)
    found = [one for one in listed if version and one["sha256"].startswith(version)]
    if len(found) != 1:
        raise UsageError(f"no version {version!r} of a dataset {name!r} is published")
    found[0] |= {"files": []}
    _write(within, json.loads((within / LIST).read_text(encoding="utf-8"))["about"], listed)
    shutil.rmtree(within / found[0]["sha256"][:16], ignore_errors=True)


def published(home: Path) -> Iterator[TrainingSet]:
    """Yield the published datasets with their versions; a version whose files were taken away has none."""
    for path in sorted((home / "datasets").glob(f"*/{LIST}")):
        yield _read(path, path.stat().st_mtime_ns)


def version_of(data: Dataset, folder: Path) -> TrainingVersion:
    """Return what is told of a version that lies in ``folder``."""
    shards = {path.name: "application/x-tar" for path in sorted((folder / SHARDS).glob("*.tar"))}
    places = [(folder / name, kind) for name, kind in FILES.items()]
    places += [(folder / SHARDS / name, kind) for name, kind in shards.items()]
    before = read_revision(data)
    return TrainingVersion(
        sha256=data.sha256,
        files=tuple(_data_file(path, kind) for path, kind in places if path.is_file()),
        counts=tuple((name, data.counts.get(name, 0)) for name in ("images", "classes")),
        modified=written_at(folder / "dataset.json"),
        revises=before.of if before else "",
        changes=in_short(before.difference) if before else "",
    )


@lru_cache(4)
def examples_in(folder: Path, version: str) -> Mapping[str, TrainingExample]:
    """Return the images of a version by SHA-1; none where the folder has another by now."""
    try:
        data = read_dataset(folder)
    except DatasetError:
        return {}
    return {one.sha1: _example(one) for one in data.examples} if data.sha256 == version else {}


def _example(one: Example) -> TrainingExample:
    campaign = one.source.partition(" ")[0]
    return TrainingExample(
        sha1=one.sha1,
        path=one.path,
        media_type=_MIMES.get(Path(one.path).suffix, ""),
        file=one.file,
        page=one.page,
        concept=one.concept,
        label=one.label,
        side=one.split,
        campaign="" if campaign in ("query", "table") else campaign,
        licence=one.licence,
        credit=one.credit,
        creator=one.creator,
    )


def _fill(data: Dataset, target: Path, progress: Progress) -> None:
    """Put the dataset and its shards beside ``target``, then in its place."""
    from harvest.datasets.layouts import lay_out

    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(data.folder, partial)
    lay_out(data, "webdataset", partial / SHARDS, progress)
    partial.rename(target)


def _data_file(path: Path, media_type: str) -> DataFile:
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return DataFile(
        path=path, media_type=media_type, sha256=digest, bytes=path.stat().st_size, modified=written_at(path)
    )


def _listed(within: Path) -> list[dict[str, Any]]:
    path = within / LIST
    return list(json.loads(path.read_text(encoding="utf-8"))["versions"]) if path.is_file() else []


def _entry(one: TrainingVersion) -> dict[str, Any]:
    files = [
        {"name": f.name, "type": f.media_type, "sha256": f.sha256, "bytes": f.bytes, "modified": f.modified}
        for f in one.files
    ]
    return {
        "sha256": one.sha256,
        "modified": one.modified,
        "counts": dict(one.counts),
        "revises": one.revises,
        "changes": one.changes,
        "files": files,
    }


def _write(within: Path, about: Mapping[str, Any], versions: list[dict[str, Any]]) -> None:
    told = {"about": about, "versions": versions}
    with replaced(within / LIST) as out:
        out.write((json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode())


@lru_cache(256)
def _read(path: Path, changed: int) -> TrainingSet:
    told = json.loads(path.read_text(encoding="utf-8"))
    about = told["about"]
    of_campaign = not (about["query"] or about["endpoint"] or about.get("table"))
    return TrainingSet(
        id=path.parent.name,
        title=about["title"],
        description=about["description"],
        simulated=about["simulated"],
        publisher=Publisher(name=about["publisher"], iri=about["publisher_iri"], licence=about["licence"]),
        versions=tuple(_version(path.parent, one) for one in told["versions"]),
        campaign=about["name"] if of_campaign else "",
    )


def _version(within: Path, told: Mapping[str, Any]) -> TrainingVersion:
    folder = within / told["sha256"][:16]
    return TrainingVersion(
        sha256=told["sha256"],
        modified=told["modified"],
        counts=tuple(told["counts"].items()),
        revises=told["revises"],
        changes=told["changes"],
        files=tuple(
            DataFile(
                path=folder / (SHARDS if one["name"].endswith(".tar") else "") / one["name"],
                media_type=one["type"],
                sha256=one["sha256"],
                bytes=one["bytes"],
                modified=one["modified"],
            )
            for one in told["files"]
        ),
        folder=folder if told["files"] else None,
    )
