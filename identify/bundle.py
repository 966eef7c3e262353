"""A model as a folder. In: its parts, or a path. Out: a ``Bundle`` that is what its checksums say.

``model.tflite`` answers, ``model.keras`` learns on; ``classes.json``, ``metrics.json`` and ``card.md`` describe,
``learned.csv`` names what it learned from; ``bundle.json`` holds the rest and the SHA-256 of every file. Nothing is
pickled.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from identify.classes import from_json
from identify.decide import Thresholds
from linkeddata.errors import BundleError
from linkeddata.records import Agent, ModelClass

FORMAT = 1
DESCRIPTION = "bundle.json"
WEIGHTS, KERAS = "model.tflite", "model.keras"
CLASSES, METRICS, CARD = "classes.json", "metrics.json", "card.md"
FILES = (WEIGHTS, KERAS, CLASSES, METRICS, CARD)
LEARNED = "learned.csv"
"""What the model learned from, a row an image; a bundle may lack it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What ``bundle.json`` says beside the checksums."""

    name: str
    version: str
    recipe: str
    image_px: int
    dataset: str  # content hash of the dataset it learned from
    seed: int
    temperature: float = 1.0  # logits are divided by it
    novelty_scale: float = 1.0  # probability of "none of these" from which on a picture is a stranger
    thresholds: Thresholds = field(default_factory=Thresholds)
    simulated: bool = False  # learned from painted plates
    software: tuple[tuple[str, str], ...] = ()  # (name, version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A model on disk, checked."""

    folder: Path
    about: Description
    classes: tuple[ModelClass, ...]
    weights: str  # SHA-256 of model.tflite

    @property
    def agent(self) -> Agent:
        """The model as the one who answers."""
        return Agent(
            id=f"urn:deboodt:model:{self.about.name}@{self.about.version}",
            kind="SoftwareAgent",
            name=self.about.name,
            version=self.about.version,
        )

    @property
    def metrics(self) -> dict[str, Any]:
        """The figures of ``metrics.json``."""
        content: dict[str, Any] = json.loads((self.folder / METRICS).read_text(encoding="utf-8"))
        return content

    @property
    def card(self) -> str:
        """The model card, Markdown."""
        return (self.folder / CARD).read_text(encoding="utf-8")


def write(folder: Path, about: Description, files: Mapping[str, bytes]) -> Bundle:
    """Put a bundle of ``files`` (``FILES``, perhaps ``LEARNED``) at ``folder`` in one step, in the place of another."""
    if set(files) - {LEARNED} != set(FILES):
        raise BundleError(f"a bundle holds {', '.join(FILES)}, not {', '.join(sorted(files))}")
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name, data in files.items():
        (partial / name).write_bytes(data)
    sums = {name: _sha256(files[name]) for name in (*FILES, LEARNED) if name in files}
    content = {"format": FORMAT, **asdict(about), "software": dict(about.software), "files": sums}
    content["seal"] = _seal(content)
    (partial / DESCRIPTION).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    return open_bundle(folder)


def open_bundle(folder: str | Path) -> Bundle:
    """Return the bundle at ``folder``. Raises ``BundleError`` when a file is missing or not what its checksum says."""
    path = Path(folder)
    try:
        content = json.loads((path / DESCRIPTION).read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise BundleError(f"{path}: not a model bundle of format {FORMAT}")
        if content.pop("seal", "") != _seal(content):
            raise BundleError(f"{path}: {DESCRIPTION} was altered")
        sums = content.pop("files")
        for name in (*FILES, *(sums.keys() & {LEARNED})):
            if _sha256((path / name).read_bytes()) != sums[name]:
                raise BundleError(f"{path}: {name} is not the file that the bundle was made with")
        classes = from_json((path / CLASSES).read_text(encoding="utf-8"))
        return Bundle(folder=path, about=_description(content), classes=classes, weights=sums[WEIGHTS])
    except FileNotFoundError as error:
        raise BundleError(
            f"{path}: {Path(error.filename).name} is missing: no model bundle, or a broken one"
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{path}: cannot be read as a model bundle: {error}") from error


def _description(content: Mapping[str, Any]) -> Description:
    fields = {key: value for key, value in content.items() if key != "format"}
    fields["thresholds"] = Thresholds(**fields["thresholds"])
    fields["software"] = tuple(fields["software"].items())
    return Description(**fields)


def _seal(content: Mapping[str, Any]) -> str:
    """Return a hash over everything else in ``bundle.json``: it betrays a change made without care, not a forger."""
    return _sha256(json.dumps(content, sort_keys=True).encode())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
