"""What a curator knows beside the picture. In: probabilities, what is known. Out: probabilities, and what it changed.

A checklist, a size and a period make classes less likely; none of them makes one impossible, as lists have gaps,
rulers slip and dates are wrong. A class of which nothing is known keeps its probability.
"""

from collections.abc import Collection, Mapping, Sequence
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
AT_LARGE = 0.4
"""The least that a class of unknown size has: the density of sizes that spread over a factor of about ten."""
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
        spans = [traits.get(one.label, Trait()).size_mm for one in classes]
        found.append(("size", _span(asked.size_mm, " mm"), _by_size(spans, asked.size_mm)))
    if asked.years[1]:
        spans = [traits.get(one.label, Trait()).years for one in classes]
        found.append(("period", _span(asked.years, ""), np.array([_in_period(span, asked.years) for span in spans])))
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


def _by_size(spans: Sequence[Span], measured: Span) -> Floats:
    """Return the likelihood of each class, the likeliest 1; one whose size is not known is like the others at large."""
    given = [_density(span, measured) if span[1] else None for span in spans]
    known = [value for value in given if value is not None]
    if not known:
        return np.ones(len(spans))
    usual = max(sum(known) / len(known), AT_LARGE)
    likelihood = np.array([usual if value is None else value for value in given])
    result: Floats = likelihood / likelihood.max()
    return result


def _density(span: Span, measured: Span) -> float:
    """Return how much of a class's sizes lies within what was measured; they spread evenly by their logarithm."""
    low, high = (log(max(side, 1e-6)) for side in measured)
    low = min(low, high - 0.01)  # a single number is known to about a hundredth
    begin, end = (log(max(side, 1e-6)) for side in span)
    spread, middle = max((end - begin) / LIKELY_SHARE, NARROWEST), (begin + end) / 2
    inside = _below((high - middle) / spread) - _below((low - middle) / spread)
    return max(inside / (high - low), MISMEASURED)


def _in_period(span: Span, found: Span) -> float:
    return 1.0 if not span[1] or (span[0] <= found[1] and found[0] <= span[1]) else OUTSIDE


def _below(deviations: float) -> float:
    return (1 + erf(deviations / sqrt(2))) / 2


def _span(span: Span, unit: str) -> str:
    low, high = (f"{side:g}" for side in span)
    return f"{low}{unit}" if low == high else f"{low} to {high}{unit}"
