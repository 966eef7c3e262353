"""How good a model is: figures from answers whose truth is known. In: arrays and lists. Out: plain numbers; pure NumPy.

Shares come with their Wilson 95 % interval (E. B. Wilson, 1927, JASA 22:209-212), which stays honest for few images.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Share:
    """``right`` of ``of``, with its interval. Without any, value and interval say nothing: 0, from 0 to 1."""

    right: int
    of: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """How one class does; ``support`` is the number of images that truly show it, ``answered`` of those said to."""

    label: str
    precision: float
    recall: float
    support: int
    answered: int


def share(right: int, of: int) -> Share:
    """Return a share with its Wilson 95 % interval, four decimals.

    >>> share(45, 50)
    Share(right=45, of=50, value=0.9, low=0.7864, high=0.9565)
    """
    if not of:
        return Share(0, 0, 0.0, 0.0, 1.0)
    p, z2 = right / of, Z_95**2
    middle = (p + z2 / (2 * of)) / (1 + z2 / of)
    reach = Z_95 * sqrt(p * (1 - p) / of + z2 / (4 * of**2)) / (1 + z2 / of)
    return Share(right, of, round(p, 4), round(max(0.0, middle - reach), 4), round(min(1.0, middle + reach), 4))


def confusion(truth: Sequence[int], answer: Sequence[int], classes: int) -> NDArray[np.int64]:
    """Return counts, shape (classes, classes + 1): rows the truth, columns the answer, the last "unknown" (-1)."""
    counts = np.zeros((classes, classes + 1), np.int64)
    for t, a in zip(truth, answer, strict=True):
        counts[t, a if a >= 0 else classes] += 1
    return counts


def per_class(counts: NDArray[np.int64], labels: Sequence[str]) -> list[ClassFigures]:
    """Return precision, recall and support of each class from ``confusion``; 0 where there is nothing to divide by.

    >>> per_class(np.array([[3, 1, 0], [0, 2, 2]]), ["a", "b"])[1]
    ClassFigures(label='b', precision=0.6667, recall=0.5, support=4, answered=3)
    """
    answered, support = counts.sum(axis=0), counts.sum(axis=1)
    return [
        ClassFigures(
            label,
            round(float(counts[i, i] / answered[i]) if answered[i] else 0.0, 4),
            round(float(counts[i, i] / support[i]) if support[i] else 0.0, 4),
            int(support[i]),
            int(answered[i]),
        )
        for i, label in enumerate(labels)
    ]


def threshold_keeping(novelty: Sequence[float], keep: float) -> float:
    """Return the novelty that ``keep`` of the known pictures stay below, shape (images,) → one number."""
    return float(np.quantile(np.asarray(novelty, float), keep)) if len(novelty) else float("inf")


def auroc(known: Sequence[float], strangers: Sequence[float]) -> float:
    """Return how often a stranger's novelty is above a known picture's, ties half; 0.5 where one side is empty."""
    if not len(known) or not len(strangers):
        return 0.5
    a, b = np.asarray(known, float)[:, None], np.asarray(strangers, float)[None, :]
    return round(float((b > a).mean() + 0.5 * (b == a).mean()), 4)


def rejection_curve(known: Sequence[float], strangers: Sequence[float]) -> list[dict[str, float]]:
    """Return, for thresholds that keep from 80 to 100 % of the known, what share of the strangers is rejected."""
    if not len(known):
        return []
    curve = []
    for keep in (0.8, 0.85, 0.9, 0.95, 0.98, 1.0):
        threshold = threshold_keeping(known, keep)
        rejected = float(np.mean(np.asarray(strangers, float) > threshold)) if len(strangers) else 0.0
        curve.append({"kept": keep, "threshold": round(threshold, 4), "rejected": round(rejected, 4)})
    return curve


def reliability(probability: Sequence[float], right: Sequence[bool], bins: int = 10) -> list[dict[str, float]]:
    """Return, for each bin of certainty that has answers, how certain they were and what share of them is right.

    >>> reliability([0.95, 0.91, 0.2], [True, False, False])
    [{'certain': 0.2, 'right': 0.0, 'images': 1}, {'certain': 0.93, 'right': 0.5, 'images': 2}]
    """
    p, r = np.asarray(probability, float), np.asarray(right, float)
    which = np.minimum((p * bins).astype(int), bins - 1)
    return [
        {
            "certain": round(float(p[which == b].mean()), 4),
            "right": round(float(r[which == b].mean()), 4),
            "images": int((which == b).sum()),
        }
        for b in range(bins)
        if (which == b).any()
    ]


def calibration_error(probability: Sequence[float], right: Sequence[bool], bins: int = 10) -> float:
    """Return the expected calibration error: mean distance of certainty from the share that is right, by bins."""
    rows = reliability(probability, right, bins)
    gaps = [abs(row["certain"] - row["right"]) * row["images"] for row in rows]
    return round(sum(gaps) / max(1, len(probability)), 4)


def selective(certainty: Sequence[float], right: Sequence[bool], points: int = 40) -> list[dict[str, float]]:
    """Return what share is right when only the most certain are answered, from few answered to all.

    >>> selective([0.9, 0.8, 0.7, 0.6], [True, True, True, False], 2)
    [{'answered': 0.5, 'right': 1.0, 'certainty': 0.8}, {'answered': 1.0, 'right': 0.75, 'certainty': 0.6}]
    """
    order = np.argsort(-np.asarray(certainty, float), kind="stable")
    shares = np.cumsum(np.asarray(right, float)[order]) / np.arange(1, len(order) + 1)
    places = sorted({max(1, round(len(order) * step / points)) for step in range(1, points + 1)}) if len(order) else []
    return [
        {
            "answered": round(place / len(order), 4),
            "right": round(float(shares[place - 1]), 4),
            "certainty": round(float(np.asarray(certainty, float)[order[place - 1]]), 4),
        }
        for place in places
    ]


def macro(rows: Sequence[ClassFigures]) -> dict[str, float]:
    """Return the means over the classes that have images: of precision, of recall and of F1, four decimals."""
    met = [row for row in rows if row.support]
    if not met:
        return {"precision": 0.0, "recall": 0.0, "f1": 0.0, "classes": 0}
    f1 = [2 * r.precision * r.recall / (r.precision + r.recall) if r.precision + r.recall else 0.0 for r in met]
    means = {
        "precision": sum(r.precision for r in met) / len(met),
        "recall": sum(r.recall for r in met) / len(met),
        "f1": sum(f1) / len(met),
    }
    return {name: round(value, 4) for name, value in means.items()} | {"classes": len(met)}


def as_data(figure: Share | ClassFigures) -> dict[str, Any]:
    """Return a figure as plain data for JSON."""
    return {name: getattr(figure, name) for name in figure.__dataclass_fields__}
