"""What a head would say of pictures whose group it did not see. In: features, truth, groups. Out: ``Evidence``.

Each group in turn is left out, a head is fitted to the others, and asked about the one left out. Then some classes are
left out as well: their pictures of the group left out play the stranger, whom the head knows neither by hand nor by
kind. So everything is fitted on what the final head will meet, and nothing on what it is tested with.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from identify.judging.fitting import Evidence
from identify.judging.openset import measures

Rows = NDArray[np.float32]
Places = NDArray[np.int64]
FOLDS = 8
"""Groups are left out one by one up to so many; more are left out several at a time."""
PARTS = 3
"""Into so many parts the classes are cut; each in turn is left out."""
ABSENT = -1e4
"""The logit of a class that a head was not taught."""


class Head(Protocol):
    """What gives logits and features; features of learned pictures are what new ones are compared with."""

    def logits(self, features: Rows) -> Rows:
        """Return logits, shape (pictures, classes + 1), of a backbone's features (pictures, size)."""
        ...

    def units(self, features: Rows) -> Rows:
        """Return the features that the model gives out, each of length 1."""
        ...


Fit = Callable[[Places], Head]
"""Fits a head to the pictures at some places. Its logits have a column for every class, taught or not."""


def cross_fitted(
    fit: Fit,
    features: Rows,
    truth: Places,
    groups: Sequence[str],
    *,
    seed: int = 0,
    parts: int = PARTS,
    only: Collection[str] = (),
) -> Evidence:
    """Return what heads made of each picture that had not seen its group; ``truth`` (pictures,) is -1 for strangers.

    ``only`` names the groups that are left out, where others must not be, as the features were learned from them. With
    a single group nothing can be held out, and there is no evidence.
    """
    folds = folds_of(groups, seed)
    left_out = [fold for fold in range(int(folds.max()) + 1) if folds.max()]
    if only:
        held = np.isin(list(groups), list(only))
        left_out = [fold for fold in left_out if held[folds == fold].all()]
    count = int(truth.max()) + 1
    logits, measured, true, places = [], [], [], []
    for fold in left_out:
        here, taught = np.flatnonzero(folds == fold), np.flatnonzero((folds != fold) & (truth >= 0))
        head = fit(taught)
        present = np.bincount(truth[taught], minlength=count) > 0
        found = _asked(head, features, here, taught, present)
        logits.append(found[0])
        measured.append(found[1])
        true.append(np.where((truth[here] >= 0) & present[truth[here]], truth[here], -1))
        places.append(here)
        for out in _parts(present, parts, [seed, fold]):
            without = present & ~out
            head = fit(taught[without[truth[taught]]])
            strange = here[(truth[here] >= 0) & out[truth[here]]]
            found = _asked(head, features, strange, taught[without[truth[taught]]], without)
            logits.append(found[0])
            measured.append(found[1])
            true.append(np.full(len(strange), -1))
            places.append(strange)
    if not logits:
        return Evidence.none(count)
    return Evidence(
        logits=np.concatenate(logits),
        measured=np.concatenate(measured),
        truth=np.concatenate(true).astype(np.int64),
        groups=tuple(groups[place] for place in np.concatenate(places)),
        how="cross-fitted: each group judged by a head that had not seen it",
    )


def folds_of(groups: Sequence[str], seed: int = 0, most: int = FOLDS) -> Places:
    """Return the fold of each picture; a group is never in two. Larger groups are dealt out first.

    >>> folds_of(["a", "b", "a", "c"]).tolist()
    [0, 1, 0, 2]
    """
    names, counts = np.unique(list(groups), return_counts=True)
    if len(names) <= most:
        return np.searchsorted(names, list(groups)).astype(np.int64)
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-counts[order], kind="stable")]
    sizes, fold = np.zeros(most), {}
    for place in order:
        least = int(sizes.argmin())
        fold[str(names[place])] = least
        sizes[least] += counts[place]
    return np.array([fold[group] for group in groups], np.int64)


def _parts(present: NDArray[np.bool_], parts: int, seed: Sequence[int]) -> list[NDArray[np.bool_]]:
    """Return masks of the classes that are left out, each class once."""
    there = np.random.default_rng(list(seed)).permutation(np.flatnonzero(present))
    if len(there) < 2 * parts:
        return []
    masks = []
    for some in np.array_split(there, parts):
        mask = np.zeros(len(present), bool)
        mask[some] = True
        masks.append(mask)
    return masks


def _asked(
    head: Head, features: Rows, places: Places, taught: Places, present: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return logits and measures of the pictures at ``places``; classes not taught are out of the question."""
    logits = np.asarray(head.logits(features[places]), np.float64)
    bank = head.units(features[taught])
    taught_only = logits[:, np.append(present, True)]
    measured = measures(taught_only, head.units(features[places]).astype(np.float64), bank)
    logits[:, :-1][:, ~present] = ABSENT
    return logits, measured
