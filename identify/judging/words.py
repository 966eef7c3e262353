"""From a precision that is asked to the certainty that it takes. In: held-out answers. Out: thresholds and their curve.

A threshold is the lowest certainty from which on the asked share of held-out answers was right. That is checked rung by
rung, from the class up, among the pictures that no lower rung took: what reaches the genus is what the species was too
unsure for. And all that is answered so far must hold the precision with some room: the lower end of a one-sided Wilson
interval (1927, JASA 22:209-212), so that a promise does not rest on luck with a few pictures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
PRECISIONS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99)
"""Precisions that thresholds are made for; who asks for another gets the next higher."""
NEVER = 2.0
"""A threshold that no certainty reaches: the precision cannot be promised there."""
ROOM = 0.8416
"""Standard deviations of room: the precision holds with 80 % confidence."""
OF_ITS_OWN = 20
"""Held-out answers from which on a class has a threshold of its own."""
FEWEST = 5
"""Held-out answers without which a rank promises nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """What a bundle says of itself in short: from where on something is a stranger, or answered at a rank."""

    novelty: float = 1.0
    own: float = 0.5
    genus: float = 0.6
    family: float = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """From which certainty on an answer of each rank has ``precision``; ``by_class`` where a class has its own."""

    precision: float
    by_rank: Mapping[str, float]  # the rank that a class has itself is called "own"
    by_class: Mapping[str, float] = field(default_factory=dict)  # by label
    answered: Mapping[str, int] = field(default_factory=dict)  # held-out pictures that each rank took
    right: Mapping[str, int] = field(default_factory=dict)
    of: int = 0  # held-out pictures

    def needed(self, rank: str, label: str = "") -> float:
        """Return the certainty that an answer needs."""
        return self.by_class.get(label, self.by_rank.get(rank, NEVER))


@dataclass(frozen=True, slots=True)
class Rung:
    """What held-out pictures were answered at one rank: how certain, whether rightly, and what (for classes alone)."""

    rank: str
    certain: Floats
    right: Bools
    answer: tuple[str, ...] = ()


def words_for(precision: float, rungs: Sequence[Rung], *, least: float = 0.0) -> Words:
    """Return the thresholds for one precision; ``rungs`` from the lowest rank up, about the same pictures in order.

    >>> sure = Rung("own", np.linspace(0.5, 1.0, 100), np.linspace(0.5, 1.0, 100) > 0.6)
    >>> words = words_for(0.9, [sure])
    >>> 0.57 < words.by_rank["own"] < 0.6, words.right["own"] > 0.9 * words.answered["own"]
    (True, True)
    """
    count = len(rungs[0].certain) if rungs else 0
    left, taken, true = np.ones(count, bool), 0, 0
    by_rank: dict[str, float] = {}
    by_class: dict[str, float] = {}
    answered: dict[str, int] = {}
    right: dict[str, int] = {}
    for rung in rungs:
        threshold = _threshold(rung.certain[left], rung.right[left], precision, taken, true, least)
        needed = np.full(count, threshold)
        if rung.answer:
            own = _by_class(rung, left, precision, threshold, least)
            by_class |= own
            needed = np.array([own.get(name, threshold) for name in rung.answer])
        took = left & (rung.certain >= needed)
        by_rank[rung.rank] = round(float(threshold), 6)
        answered[rung.rank], right[rung.rank] = int(took.sum()), int((took & rung.right).sum())
        taken, true, left = taken + answered[rung.rank], true + right[rung.rank], left & ~took
    return Words(precision=precision, by_rank=by_rank, by_class=by_class, answered=answered, right=right, of=count)


def _threshold(certain: Floats, right: Bools, precision: float, taken: int, true: int, least: float) -> float:
    """Return the lowest certainty that keeps ``precision`` here, and in all so far with room; ``NEVER`` without one."""
    order = np.argsort(-certain, kind="stable")
    sure, good = certain[order], np.cumsum(right[order])
    many = np.arange(1, len(order) + 1)
    last = np.append(sure[1:] < sure[:-1], True)[: len(order)]  # equal certainties stand or fall together
    enough = last & (many >= FEWEST) & (good >= precision * many) & (sure >= least)
    enough &= np.array(
        [lower(true + int(g), taken + int(n)) >= precision for g, n in zip(good, many, strict=True)], bool
    )
    places = np.flatnonzero(enough)
    return float(sure[places[-1]]) if len(places) else NEVER


def _by_class(rung: Rung, left: Bools, precision: float, shared: float, least: float) -> dict[str, float]:
    """Return the thresholds of classes that were answered often enough to have their own, where it differs."""
    names = np.array(rung.answer)
    found = {}
    for name in sorted(set(rung.answer)):
        here = left & (names == name)
        if here.sum() >= OF_ITS_OWN:
            threshold = round(_threshold(rung.certain[here], rung.right[here], precision, 0, 0, least), 6)
            if threshold != round(shared, 6):
                found[name] = threshold
    return found


def lower(right: int, of: int, deviations: float = ROOM) -> float:
    """Return the lower end of Wilson's one-sided interval.

    >>> round(lower(95, 100), 3), lower(0, 0)
    (0.928, 0.0)
    """
    if not of:
        return 0.0
    p, z2 = right / of, deviations**2
    return (p + z2 / (2 * of) - deviations * sqrt(p * (1 - p) / of + z2 / (4 * of**2))) / (1 + z2 / of)
