"""Which version of a model serves. In: the folder of a model, a candidate. Out: the candidate in its place.

A model's versions lie in its folder, by number. One that goes on from another is a candidate first, under
``candidates/``, where nothing serves it: it is compared with the one before, and takes its place when it is promoted.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from harvest.datasets.manifest import KNOWN, TEST, VALIDATION, Dataset, Example
from identify.affected import read_learned
from identify.bundle import COMPARISON, LEARNED, Bundle, amended, open_bundle
from identify.engines import open_engine
from identify.images import pixels
from identify.learning.comparing import ClassCompared, Comparison, Said, compared, in_words
from identify.learning.continuing import same
from identify.modelfolders import CANDIDATES, folder_of
from linkeddata.decoding import Limits
from linkeddata.errors import BundleError, DatasetError

Progress = Callable[[str, int, int], None]


def version_of(text: str, home: Path) -> Bundle:
    """Return the model called ``NAME@VERSION`` or ``FOLDER@VERSION``; candidates are found, too.

    Without a version the newest that serves. Raises ``BundleError``.
    """
    return open_bundle(folder_of(text, home, candidates=True))


def with_comparison(older: Bundle, newer: Bundle, data: Dataset, limits: Limits, tell: Progress) -> Comparison:
    """Compare two versions on the held-out pictures of ``data`` that neither learned from; keep it in the newer."""
    learned = {row.sha1 for one in (older, newer) if one.has(LEARNED) for row in read_learned(one)}
    held = [one for one in data.examples if one.split in (TEST, VALIDATION, KNOWN) and one.sha1 not in learned]
    before, after = (_right(one, data, held, limits, tell) for one in (older, newer))
    known = [any(same(c, e) for c in older.classes) for e in held]
    said = [
        Said(label=e.label, known=k, before=b, after=a) for e, k, b, a in zip(held, known, before, after, strict=True)
    ]
    told = compared(said, called(older), called(newer), older.weights, newer.weights)
    amended(newer, files={COMPARISON: (json.dumps(asdict(told), indent=1, ensure_ascii=False) + "\n").encode()})
    return told


def promoted(candidate: Bundle, *, although_worse: bool = False) -> Bundle:
    """Put a candidate where its model's versions serve. Raises ``BundleError`` for one that was not compared.

    One that is worse on the same pictures, and not by chance, stays a candidate unless ``although_worse``.
    """
    folder = candidate.folder
    if folder.parent.name != CANDIDATES:
        raise BundleError(f"{called(candidate)} is no candidate: it serves already")
    told = comparison_of(candidate)
    if told.is_worse and not although_worse:
        raise BundleError("; ".join([*in_words(told), "not promoted (--although-worse promotes it all the same)"]))
    target = folder.parent.parent / folder.name
    if target.exists():
        raise BundleError(f"{target} is there already")
    folder.rename(target)
    return open_bundle(target)


def comparison_of(bundle: Bundle) -> Comparison:
    """Return how a version compares with the one before. Raises ``BundleError`` where that was not measured."""
    if not bundle.has(COMPARISON):
        raise BundleError(f"{called(bundle)} was not compared with the version before")
    raw = json.loads((bundle.folder / COMPARISON).read_text(encoding="utf-8"))
    told = Comparison(**raw | {"classes": tuple(ClassCompared(**one) for one in raw["classes"])})
    if told.newer_weights != bundle.weights:
        raise BundleError(f"{called(bundle)} was compared with other weights than it has now")
    return told


def called(bundle: Bundle) -> str:
    """Return how a version is called: NAME@VERSION."""
    return f"{bundle.about.name}@{bundle.about.version}"


def _right(bundle: Bundle, data: Dataset, held: list[Example], limits: Limits, tell: Progress) -> list[bool]:
    """Return, for each example, whether the model as it serves puts its class first."""
    engine, right = open_engine(bundle).engine, []
    for number, example in enumerate(held, 1):
        try:
            image = pixels((data.folder / example.path).read_bytes(), bundle.about.image_px, limits)
        except (OSError, ValueError) as error:
            raise DatasetError(f"{example.path} of {example.file} cannot be read: {error}") from error
        first = bundle.classes[int(np.argmax(engine.run(image[None])[0][0, :-1]))]
        right.append(same(first, example))
        tell(f"compare {called(bundle)}", number, len(held))
    return right
