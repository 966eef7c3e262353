"""Several datasets as one. In: datasets. Out: one, in which nothing that one holds back teaches in another."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harvest.datasets.manifest import TRAIN, Dataset, DatasetClass, Example, read_dataset


def together(folders: Sequence[Path]) -> Dataset:
    """Return the datasets in ``folders`` as one. Raises ``DatasetError`` for a folder that is none."""
    return joined([read_dataset(folder) for folder in folders])


def joined(parts: Sequence[Dataset]) -> Dataset:
    """Return several datasets as one.

    A class is the same where its concept is. An image that stands in several is taken once, a copy (by cluster) or
    another image of a group that any of them holds back does not teach. Files are named by their full paths.
    """
    if len(parts) == 1:
        return parts[0]
    version = hashlib.sha256(" ".join(part.sha256 for part in parts).encode()).hexdigest()
    examples = [replace(e, path=str((p.folder / e.path).resolve())) for p in parts for e in p.examples]
    kept = _without_leaks(examples)
    images, taught = Counter(e.concept for e in kept), Counter(e.concept for e in kept if e.split == TRAIN)
    classes: dict[str, DatasetClass] = {}
    for one in (one for part in parts for one in part.classes):
        classes.setdefault(one.concept, replace(one, images=images[one.concept], train=taught[one.concept]))
    counts = Counter[str]()
    for part in parts:
        counts.update({what: number for what, number in part.counts.items() if isinstance(number, int)})
    ordered = tuple(sorted(classes.values(), key=lambda one: one.label))
    return Dataset(
        folder=parts[0].folder.resolve(), sha256=version, examples=tuple(kept), classes=ordered, counts=dict(counts)
    )


def _without_leaks(examples: Sequence[Example]) -> list[Example]:
    """Return the examples, each image once, none teaching that is held back, is a copy of such or of such a group."""
    held = {key for one in examples if one.split != TRAIN for key in _bonds(one)}
    kept: dict[str, Example] = {}
    for one in sorted(examples, key=lambda one: one.split == TRAIN):
        if one.split != TRAIN or held.isdisjoint(_bonds(one)):
            kept.setdefault(one.sha1, one)
    order = {one.sha1: place for place, one in reversed(list(enumerate(examples)))}
    return sorted(kept.values(), key=lambda one: order[one.sha1])


def _bonds(one: Example) -> set[tuple[str, str]]:
    """Return what may not be on two sides: the image, its copies, and (unless a known hand is measured) its group."""
    bonds = {("image", one.sha1), ("cluster", one.cluster), ("group", one.group)}
    return {(kind, key) for kind, key in bonds if key and (kind != "group" or one.split != "known")}
