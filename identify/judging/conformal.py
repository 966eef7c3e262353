"""Sets of classes that hold the truth as often as was asked. In: held-out probabilities. Out: which classes to name.

Split conformal prediction (Vovk et al. 2005; Sadinle, Lei, Wasserman 2019, JASA 114:223-234): a class is named where
its probability is not lower than that of the truth was on all but a share of held-out pictures. Where a class has
pictures enough its share is its own (class-conditional), the others share one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
COVERAGES = (0.8, 0.9, 0.95, 0.99)
"""Coverages that sets are made for; who asks for another gets the next higher."""
OF_ITS_OWN = 30
"""Held-out pictures from which on a class is judged by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """``least``: the probability from which on a class is named; by class where it has its own. 0 names all."""

    asked: float
    least: float
    by_class: Mapping[int, float] = field(default_factory=dict)
    of: int = 0  # held-out pictures

    def within(self, probabilities: Floats) -> list[int]:
        """Return the classes to name, likeliest first; never none.

        >>> Coverage(asked=0.9, least=0.2, by_class={2: 0.05}).within(np.array([0.7, 0.18, 0.12]))
        [0, 2]
        """
        least = np.full(len(probabilities), self.least)
        for index, own in self.by_class.items():
            least[index] = own
        named = np.flatnonzero(probabilities >= least)
        if not len(named):
            named = np.array([int(np.argmax(probabilities))])
        return [int(i) for i in named[np.argsort(-probabilities[named], kind="stable")]]


def coverage_for(asked: float, probabilities: Floats, truth: Sequence[int]) -> Coverage:
    """Return what holds the truth of ``asked`` of such pictures; shape (pictures, classes), a class each."""
    classes = np.asarray(truth, int)
    given = probabilities[np.arange(len(classes)), classes]
    enough = max(OF_ITS_OWN, ceil(1 / (1 - asked)))
    own = [int(c) for c in np.unique(classes) if (classes == c).sum() >= enough]
    rest = ~np.isin(classes, own)
    shared = _least(given[rest] if rest.any() else given, asked)
    return Coverage(
        asked=asked, least=shared, by_class={c: _least(given[classes == c], asked) for c in own}, of=len(classes)
    )


def _least(given: Floats, asked: float) -> float:
    """Return the probability that all but the asked share of ``given`` reach, counting the next picture as unlucky."""
    place = ceil((len(given) + 1) * asked)  # of n + 1, from the highest probability down
    if place > len(given):
        return 0.0
    return round(float(np.sort(given)[::-1][place - 1]), 9)
