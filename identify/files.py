"""Images from the command line. In: files and folders, a model. Out: one plain answer an image."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from identify.pipeline import Progress
from identify.runtime import Classifier, identify_files
from linkeddata.decoding import Limits
from linkeddata.errors import BundleError
from linkeddata.records import Failure, Identification, MediaFile
from linkeddata.settings import Settings

IMAGES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".gif", ".webp", ".bmp"})
"""Endings by which images are found in a folder; a file that is named is tried whatever its ending."""


def identify_paths(
    settings: Settings, model: str, paths: Iterable[Path], *, moment: str, progress: Progress
) -> Iterator[dict[str, Any]]:
    """Yield an answer for each image: the identification's fields, or ``lost`` with the reason; always with ``path``.

    ``model`` is a bundle's folder, or ``NAME`` or ``NAME@VERSION`` in the home folder. Raises ``BundleError``.
    """
    classifier = Classifier.open(
        bundle_folder(settings, model), Limits(settings.max_image_bytes, settings.max_image_pixels)
    )
    images = list(found(paths))
    items = [(MediaFile(iri=path.resolve().as_uri(), title=path.name), path) for path in images]
    answers = identify_files(classifier, items, moment=moment)
    for done, (path, answer) in enumerate(zip(images, answers, strict=True), 1):
        progress("identify", done, len(images))
        yield {"path": str(path), **_plain(answer)}


def bundle_folder(settings: Settings, model: str) -> Path:
    """Return the folder of a model given as a folder, ``NAME`` (its newest version) or ``NAME@VERSION``."""
    if (Path(model) / "bundle.json").is_file():
        return Path(model)
    name, _, version = model.partition("@")
    folder = settings.home_path / "models" / name
    versions = (
        [version]
        if version
        else sorted(
            (entry.name for entry in folder.iterdir() if entry.name.isdigit()) if folder.is_dir() else (), key=int
        )
    )
    if not versions or not (folder / versions[-1] / "bundle.json").is_file():
        raise BundleError(
            f"no model {model!r}: neither a bundle's folder nor a model in {settings.home_path / 'models'}"
        )
    return folder / versions[-1]


def found(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files that are named and the images in the folders that are named, each folder in order of name."""
    for path in paths:
        if path.is_dir():
            yield from sorted(entry for entry in path.rglob("*") if entry.suffix.lower() in IMAGES and entry.is_file())
        else:
            yield path


def lines_of(answers: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield one line for people an answer."""
    for answer in answers:
        if "lost" in answer:
            yield f"{answer['path']}: {answer['lost']} {answer['detail']}".rstrip()
        elif answer["label"]:
            ids = " ".join(filter(None, [answer["item"], answer["gbif_key"] and f"gbif:{answer['gbif_key']}"]))
            yield f"{answer['path']}: {answer['label']} ({answer['rank']}) {answer['certainty']:.0%}  {ids}"
        else:
            yield f"{answer['path']}: unknown ({answer['rule']})"


def _plain(answer: Identification | Failure) -> dict[str, Any]:
    if isinstance(answer, Failure):
        return {"lost": answer.reason, "detail": answer.detail}
    return asdict(answer)
