"""What each example may be taken for. In: a dataset. Out: the classes to be learned, a set of them for each.

A label of a species names one class. One of a genus or a family names all classes below it: such a picture still
teaches that it is one of these. Classes that others are below of are therefore no classes of the model.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harvest.datasets.manifest import KNOWN, STRANGER, TEST, TRAIN, VALIDATION, Dataset, DatasetClass, Example
from linkeddata.errors import DatasetError


@dataclass(frozen=True, slots=True)
class Truths:
    """``data`` holds what is learned and measured: its classes are the model's outputs.

    ``shown`` (examples,) are rows of ``sets`` (sets, classes + 1), -1 for strangers; the first rows of ``sets`` are the
    classes by themselves, the one after them "none of these". ``sure`` (examples,) is how likely each label is.
    """

    data: Dataset
    shown: NDArray[np.int64]
    sets: NDArray[np.bool_]
    sure: NDArray[np.float32]

    @property
    def learned(self) -> NDArray[np.int64]:
        """Places of the examples that teach."""
        return np.array([i for i, one in enumerate(self.data.examples) if one.split == TRAIN], np.int64)

    @property
    def coarse(self) -> bool:
        """Whether some pictures are known as one of several classes only."""
        return len(self.sets) > len(self.data.classes) + 1

    @property
    def none(self) -> int:
        """The row of ``sets`` that means "none of these"."""
        return len(self.data.classes)

    @property
    def judges(self) -> NDArray[np.int64]:
        """Places of the pictures by which it is seen when learning brings nothing more; there may be none."""
        return next((places for split in (VALIDATION, KNOWN) if len(places := self.held(split))), np.empty(0, np.int64))

    def held(self, split: str) -> NDArray[np.int64]:
        """Places of a split's examples that show a single class."""
        places = [i for i, one in enumerate(self.data.examples) if one.split == split and self.shown[i] >= 0]
        return np.array(places, np.int64)


def truths_of(data: Dataset, min_images: int = 1) -> Truths:
    """Return what there is to learn in ``data``. Raises ``DatasetError`` where that is nothing.

    Left out are classes with fewer than ``min_images`` teaching pictures, and pictures of several classes (a genus)
    outside of the training part: nobody can say whether a species named for them is right.
    """
    leaves = _leaves(data.classes)
    taught = Counter(one.concept for one in data.examples if one.split == TRAIN)
    classes = tuple(one for one in leaves if taught[one.concept] >= max(1, min_images))
    if not classes:
        raise DatasetError(f"{data.folder}: no class has {max(1, min_images)} pictures that teach it")
    number = {one.concept: place for place, one in enumerate(classes)}
    sets = [frozenset([place]) for place in range(len(classes) + 1)]
    known = {one: place for place, one in enumerate(sets)}
    examples, shown = [], []
    for example in data.examples:
        meant = _meant(example, classes, number)
        if (not meant and example.split != STRANGER) or (len(meant) > 1 and example.split != TRAIN):
            continue
        if meant and meant not in known:
            known[meant] = len(sets)
            sets.append(meant)
        examples.append(example)
        shown.append(known[meant] if meant else -1)
    table = np.zeros((len(sets), len(classes) + 1), bool)
    for row, members in enumerate(sets):
        table[row, list(members)] = True
    sure = [one.probability if one.probability > 0 else 1.0 for one in examples]
    kept = replace(data, classes=classes, examples=tuple(examples))
    return Truths(kept, np.array(shown, np.int64), table, np.clip(np.array(sure, np.float32), 0.5, 1.0))


def taught_by_all(data: Dataset) -> Dataset:
    """Return ``data`` whose pictures for validation teach, too, as long as others are left to test on.

    For what has no rounds that something would have to end, a hand set aside for validation is a hand that is missing.
    """
    if not any(one.split == TEST for one in data.examples):
        return data
    examples = tuple(replace(one, split=TRAIN) if one.split == VALIDATION else one for one in data.examples)
    return replace(data, examples=examples)


def _leaves(classes: Sequence[DatasetClass]) -> list[DatasetClass]:
    """Return the classes that no other class is below of."""
    above = {key for one in classes for step in one.lineage for key in _keys(step.rank, step.name, step.gbif_key)}
    return [one for one in classes if not above.intersection(_keys(one.rank, one.label, one.gbif_key))]


def _meant(example: Example, classes: Sequence[DatasetClass], number: dict[str, int]) -> frozenset[int]:
    """Return the classes that an example may show: its own, or those below what it is labelled as."""
    if example.split == STRANGER or not example.label:
        return frozenset()
    if example.concept in number:
        return frozenset([number[example.concept]])
    own = _keys(example.rank, example.label, example.gbif_key)
    return frozenset(
        place
        for place, one in enumerate(classes)
        if any(own & _keys(step.rank, step.name, step.gbif_key) for step in one.lineage)
    )


def _keys(rank: str, name: str, gbif_key: str) -> set[tuple[str, str]]:
    """Return what a taxon is known by: its key, or rank and name."""
    return {("gbif", gbif_key), (rank, name)} - {("gbif", "")} if rank else {("gbif", gbif_key)} - {("gbif", "")}
