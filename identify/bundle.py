"""A model as a folder. In: its parts, or a path. Out: a ``Bundle`` that is what its checksums say.

``model.tflite`` answers, ``model.keras`` learns on; ``classes.json``, ``metrics.json`` and ``card.md`` describe. What a
bundle may have beside these is in ``OPTIONAL``. ``bundle.json`` holds the rest and the SHA-256 of every file. Nothing
is pickled.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from identify.classes import from_json
from identify.judging.words import Thresholds
from linkeddata.errors import BundleError
from linkeddata.records import Agent, ModelClass

FORMAT = 2
READ = (1, FORMAT)
"""Formats that are opened; the first had none of the optional files but ``LEARNED``."""
DESCRIPTION = "bundle.json"
WEIGHTS, KERAS = "model.tflite", "model.keras"
CLASSES, METRICS, CARD = "classes.json", "metrics.json", "card.md"
FILES = (WEIGHTS, KERAS, CLASSES, METRICS, CARD)
INT8 = "model.int8.tflite"
OPENVINO, OPENVINO_WEIGHTS = "openvino.xml", "openvino.bin"
OPENVINO_FLOATS, OPENVINO_FLOAT_WEIGHTS = "openvino-float.xml", "openvino-float.bin"
LEARNED = "learned.csv"
JUDGEMENT, JUDGEMENT_ARRAYS = "judgement.json", "judgement.npz"
FEATURES, TRAINING, COMPARISON = "features.npz", "training.json", "comparison.json"
OPTIONAL = {
    LEARNED: "what the model learned from, a row an image",
    JUDGEMENT: "how its numbers become answers: calibration, what is a stranger, prediction sets",
    JUDGEMENT_ARRAYS: "the arrays that this needs",
    FEATURES: "its features of the pictures of the dataset, with what they show",
    TRAINING: "how it was trained: duration, energy, each round's loss",
    COMPARISON: "how it does beside the model that it went on from",
    INT8: "the model in whole numbers of 8 bits, for LiteRT",
    OPENVINO: "the model in whole numbers of 8 bits, for OpenVINO",
    OPENVINO_WEIGHTS: "the weights of that model",
    OPENVINO_FLOATS: "the model in floats, for OpenVINO",
    OPENVINO_FLOAT_WEIGHTS: "the weights of that model",
}
"""Files that a bundle may lack, by name."""
LITERT, LITERT_INT8, OPENVINO_FLOAT, OPENVINO_INT8 = "litert", "litert-int8", "openvino-float", "openvino"
ENGINES: dict[str, tuple[str, ...]] = {
    LITERT: (WEIGHTS,),
    LITERT_INT8: (INT8,),
    OPENVINO_FLOAT: (OPENVINO_FLOAT_WEIGHTS, OPENVINO_FLOATS),
    OPENVINO_INT8: (OPENVINO_WEIGHTS, OPENVINO),
}
"""What an engine runs, by the engine's name; the first file holds the weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """How well an engine kept what the float model knows, on the same held-out images."""

    engine: str
    images: int
    accuracy: float  # share of the images whose class it puts first
    loss_points: float  # percentage points less than the float model; below 0: more
    agreement: float = 1.0  # share of the images whose first class is the float model's
    accepted: bool = False  # whether the loss is small enough


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
    backbone: str = ""
    continues: str = ""  # NAME@VERSION that it went on from
    engine: str = LITERT  # the one that serves, one of ENGINES
    engines: tuple[Measured, ...] = ()  # what was measured of each


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A model on disk, checked."""

    folder: Path
    about: Description
    classes: tuple[ModelClass, ...]
    weights: str  # SHA-256 of the weights that answer: of the first file of its engine

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
    def engine_files(self) -> tuple[Path, ...]:
        """What the engine that serves is made of, in the order of ``ENGINES``."""
        return tuple(self.folder / name for name in ENGINES[self.about.engine])

    def has(self, name: str) -> bool:
        """Say whether the bundle has one of the ``OPTIONAL`` files."""
        return (self.folder / name).is_file()

    @property
    def training(self) -> dict[str, Any]:
        """What ``training.json`` says of how it was made; nothing where it has none."""
        if not self.has(TRAINING):
            return {}
        content: dict[str, Any] = json.loads((self.folder / TRAINING).read_text(encoding="utf-8"))
        return content

    @property
    def card(self) -> str:
        """The model card, Markdown."""
        return (self.folder / CARD).read_text(encoding="utf-8")


def write(folder: Path, about: Description, files: Mapping[str, bytes]) -> Bundle:
    """Put a bundle of ``files`` (``FILES``, any of ``OPTIONAL``) at ``folder`` in one step, in the place of another."""
    _refuse_incomplete(about, set(files))
    partial = _emptied(folder)
    for name, data in files.items():
        (partial / name).write_bytes(data)
    return _sealed(folder, partial, about)


def amended(bundle: Bundle, about: Description | None = None, files: Mapping[str, bytes] | None = None) -> Bundle:
    """Write a bundle again with ``about`` and ``files`` in the place of what it had of these; the rest stays."""
    new, told = files or {}, about or bundle.about
    old = {name for name in (*FILES, *OPTIONAL) if bundle.has(name)} - new.keys()
    _refuse_incomplete(told, old | set(new))
    partial = _emptied(bundle.folder)
    for name in old:
        os.link(bundle.folder / name, partial / name)
    for name, data in new.items():
        (partial / name).write_bytes(data)
    return _sealed(bundle.folder, partial, told)


def placed(bundle: Bundle, folder: Path) -> Bundle:
    """Move a bundle to ``folder``, in the place of what is there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    return _in_place(bundle.folder, folder)


def _refuse_incomplete(about: Description, names: set[str]) -> None:
    if names - OPTIONAL.keys() != set(FILES):
        raise BundleError(f"a bundle holds {', '.join(FILES)}, not {', '.join(sorted(names - OPTIONAL.keys()))}")
    if about.engine not in ENGINES:
        raise BundleError(f"no engine {about.engine!r}; there are {', '.join(ENGINES)}")
    if missing := set(ENGINES[about.engine]) - names:
        raise BundleError(f"the engine {about.engine} needs {', '.join(sorted(missing))}")


def _emptied(folder: Path) -> Path:
    """Return the empty folder beside ``folder`` in which its next content is put together."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    return partial


def _sealed(folder: Path, partial: Path, about: Description) -> Bundle:
    """Describe what lies in ``partial`` and put it in the place of ``folder``."""
    sums = {name: _sha256_of(partial / name) for name in (*FILES, *OPTIONAL) if (partial / name).is_file()}
    content = {"format": FORMAT, **asdict(about), "software": dict(about.software), "files": sums}
    content["seal"] = _seal(content)
    (partial / DESCRIPTION).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return _in_place(partial, folder)


def _in_place(new: Path, folder: Path) -> Bundle:
    """Rename ``new`` to ``folder``, in the place of what is there."""
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    return open_bundle(folder)


def open_bundle(folder: str | Path) -> Bundle:
    """Return the bundle at ``folder``. Raises ``BundleError`` when a file is missing or not what its checksum says.

    A file that the bundle was not made with, such as one laid beside the others later, counts as altered, too.
    """
    path = Path(folder)
    try:
        content = json.loads((path / DESCRIPTION).read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.get("format") not in READ:
            raise BundleError(f"{path}: not a model bundle of format {' or '.join(map(str, READ))}")
        if content.pop("seal", "") != _seal(content):
            raise BundleError(f"{path}: {DESCRIPTION} was altered")
        sums = content.pop("files")
        for name in (*FILES, *(one for one in OPTIONAL if one in sums or (path / one).exists())):
            if _sha256_of(path / name) != sums.get(name):
                raise BundleError(f"{path}: {name} is not the file that the bundle was made with")
        about = _description(content)
        classes = from_json((path / CLASSES).read_text(encoding="utf-8"))
        return Bundle(folder=path, about=about, classes=classes, weights=sums[ENGINES[about.engine][0]])
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
    fields["engines"] = tuple(Measured(**one) for one in fields.get("engines", ()))
    return Description(**fields)


def _seal(content: Mapping[str, Any]) -> str:
    """Return a hash over everything else in ``bundle.json``: it betrays a change made without care, not a forger."""
    return _sha256(json.dumps(content, sort_keys=True).encode())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
