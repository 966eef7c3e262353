"""What a curator knows beside the picture. In: probabilities, what is known. Out: probabilities, and what it changed.

A checklist, a size and a period make classes less likely; none of them makes one impossible, as lists have gaps,
rulers slip and dates are wrong. A class of which nothing is known keeps its probability.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from math import erf, log, sqrt

import numpy as np
from numpy.typing import NDArray

from linkeddata.errors import UsageError
from linkeddata.records import Changed, ModelClass

Floats = NDArray[np.float64]
Span = tuple[float, float]
"""From, to; both count."""
UNLISTED = 0.02
"""How likely something is that the checklist does not have, beside what it has."""
OUTSIDE = 0.02
"""How likely something is outside the years in which it is known."""
MISMEASURED = 0.001
"""The least likelihood that a size leaves to a class."""
NARROWEST = 0.02
"""A class's sizes vary by at least so much (standard deviation of their logarithm)."""
LIKELY_SHARE = 3.92
"""A range of sizes is taken to hold 95 % of the individuals: so many standard deviations wide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """What is known of a class: its size and the years from which and to which it occurs. ``(0, 0)``: not known."""

    size_mm: Span = (0.0, 0.0)
    years: Span = (0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody asks of an answer; what is empty or 0 is the model's own.

    ``checklist`` has names, Q-ids or GBIF keys of classes or of taxa above them; ``size_mm`` the size of the object,
    ``years`` those in which it was found. Raises ``UsageError`` for a span that ends before it begins, a precision or a
    coverage that is no share.
    """

    precision: float = 0.0
    coverage: float = 0.0
    checklist: frozenset[str] = frozenset()
    size_mm: Span = (0.0, 0.0)
    years: Span = (0.0, 0.0)

    def __post_init__(self) -> None:
        for name in ("precision", "coverage"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise UsageError(f"{name} {getattr(self, name):g} is no share; it is asked as 0.95")
        for name in ("size_mm", "years"):
            low, high = getattr(self, name)
            if low > high or (name == "size_mm" and low < 0.0):
                raise UsageError(f"{name} from {low:g} to {high:g} is no span")


def with_priors(
    probabilities: Floats, classes: Sequence[ModelClass], asked: Asked, traits: Mapping[str, Trait] = {}
) -> tuple[Floats, tuple[Changed, ...]]:
    """Return probabilities (classes,) after all that is known, and what each of it changed, in the order it was used.

    ``traits`` are by the label of a class.
    """
    changed = []
    for name, about, likelihood in _likelihoods(classes, asked, traits):
        weighed = probabilities * likelihood
        after = weighed / weighed.sum()
        changed.append(
            Changed(
                prior=name,
                asked=about,
                before=classes[int(probabilities.argmax())].label,
                after=classes[int(after.argmax())].label,
                moved=round(float(np.abs(after - probabilities).sum() / 2), 6),
            )
        )
        probabilities = after
    return probabilities, tuple(changed)


def _likelihoods(
    classes: Sequence[ModelClass], asked: Asked, traits: Mapping[str, Trait]
) -> list[tuple[str, str, Floats]]:
    found: list[tuple[str, str, Floats]] = []
    if asked.checklist:
        listed = np.array([1.0 if on_list(one, asked.checklist) else UNLISTED for one in classes])
        found.append(("checklist", f"{len(asked.checklist)} taxa, {int((listed == 1.0).sum())} of the classes", listed))
    if asked.size_mm[1]:
        found.append(("size", _span(asked.size_mm, " mm"), _by_trait(classes, traits, _size(asked.size_mm), "size_mm")))
    if asked.years[1]:
        found.append(("period", _span(asked.years, ""), _by_trait(classes, traits, _period(asked.years), "years")))
    return found


def on_list(one: ModelClass, checklist: Collection[str]) -> bool:
    """Tell whether a class, or a taxon above it, is on a list of names, Q-ids and GBIF keys.

    >>> lion = ModelClass(id="m@1/0", model="m", version="1", index=0, label="Panthera leo", item="Q140")
    >>> on_list(lion, {"Q140"}), on_list(lion, {"Q1"})
    (True, False)
    """
    own = {one.label, one.item, one.gbif_key, one.col_id}
    above = {text for step in one.lineage for text in (step.name, step.gbif_key)}
    return any(text in checklist for text in (own | above) - {""})


def _by_trait(
    classes: Sequence[ModelClass], traits: Mapping[str, Trait], likelihood: Callable[[Span], float], field: str
) -> Floats:
    """Return the likelihood of each class, the likeliest 1; of which nothing is known has the mean of the others."""
    spans = [getattr(traits.get(one.label, Trait()), field) for one in classes]
    given = [likelihood(span) if span[1] else None for span in spans]
    known = [value for value in given if value is not None]
    if not known or not max(known):
        return np.ones(len(classes))
    usual = sum(known) / len(known)
    return np.array([usual if value is None else value for value in given]) / max(known)


def _size(measured: Span) -> Callable[[Span], float]:
    """Return the likelihood of a measured size for a class whose sizes spread evenly about a middle, by logarithm."""
    low, high = (log(max(side, 1e-6)) for side in measured)
    reach = max(high - low, 0.01)  # a single number is known to about a hundredth

    def likelihood(span: Span) -> float:
        begin, end = (log(max(side, 1e-6)) for side in span)
        spread = max((end - begin) / LIKELY_SHARE, NARROWEST)
        middle = (begin + end) / 2
        inside = _below((high - middle) / spread) - _below(((high - reach) - middle) / spread)
        return max(inside / reach, MISMEASURED)

    return likelihood


def _period(found: Span) -> Callable[[Span], float]:
    return lambda span: 1.0 if span[0] <= found[1] and found[0] <= span[1] else OUTSIDE


def _below(deviations: float) -> float:
    return (1 + erf(deviations / sqrt(2))) / 2


def _span(span: Span, unit: str) -> str:
    low, high = (f"{side:g}" for side in span)
    return f"{low}{unit}" if low == high else f"{low} to {high}{unit}"
