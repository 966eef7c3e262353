"""Two versions of a model on the same pictures. In: what both say of them, and what they show. Out: a comparison.

Only pictures count that neither learned from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One picture: what it shows, whether the older model knows that class, and who puts it first."""

    label: str
    known: bool
    before: bool
    after: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassCompared:
    """How many of a class's pictures each version puts in it."""

    label: str
    images: int
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How a new version does beside an older one; counts of pictures whose true class comes first."""

    older: str
    newer: str
    older_weights: str
    newer_weights: str
    images: int  # of classes that both know
    before: int
    after: int
    better: int  # right now and not before
    worse: int  # right before and not now
    chance: float  # how likely so unlike numbers are where neither is better
    new_images: int  # of classes that only the newer knows
    new_after: int
    classes: tuple[ClassCompared, ...]

    @property
    def is_worse(self) -> bool:
        """Whether the newer is worse, and that is no chance (5 %)."""
        return self.after < self.before and self.chance < 0.05

    @property
    def lost(self) -> tuple[ClassCompared, ...]:
        """The classes that got worse, the worst first."""
        worse = [one for one in self.classes if one.after < one.before]
        return tuple(sorted(worse, key=lambda one: ((one.after - one.before) / one.images, one.label)))


def compared(said: Sequence[Said], older: str, newer: str, older_weights: str, newer_weights: str) -> Comparison:
    """Return the comparison of two versions, called NAME@VERSION."""
    both, new = [one for one in said if one.known], [one for one in said if not one.known]
    better = sum(one.after and not one.before for one in both)
    worse = sum(one.before and not one.after for one in both)
    return Comparison(
        older=older,
        newer=newer,
        older_weights=older_weights,
        newer_weights=newer_weights,
        images=len(both),
        before=sum(one.before for one in both),
        after=sum(one.after for one in both),
        better=better,
        worse=worse,
        chance=sign_test(better, worse),
        new_images=len(new),
        new_after=sum(one.after for one in new),
        classes=tuple(_of_class(label, both) for label in sorted({one.label for one in both})),
    )


def sign_test(better: int, worse: int) -> float:
    """Return how likely a split as uneven as this is where both are equal: McNemar's exact test, two-sided.

    >>> round(sign_test(1, 9), 4), sign_test(0, 0)
    (0.0215, 1.0)
    """
    number = better + worse
    tail = sum(comb(number, k) for k in range(min(better, worse) + 1))
    return min(1.0, float(2 * tail / 2**number))


def in_words(one: Comparison) -> list[str]:
    """Return the comparison as lines for people."""
    if not one.images:
        lines = [f"{one.newer} beside {one.older}: no held-out picture of a class that both know; nothing is compared"]
    else:
        lines = [
            f"{one.newer} beside {one.older}, on the same {one.images:,} held-out pictures: "
            f"{one.after / one.images:.1%} right, before {one.before / one.images:.1%}; "
            f"{one.better:,} got right, {one.worse:,} got wrong (by chance: p = {one.chance:.2g})"
        ]
    if one.new_images:
        lines.append(f"new classes: {one.new_after:,} of {one.new_images:,} pictures right")
    lines += [f"worse: {lost.label}, {lost.after} of {lost.images} right, before {lost.before}" for lost in one.lost]
    return lines


def _of_class(label: str, said: Sequence[Said]) -> ClassCompared:
    own = [one for one in said if one.label == label]
    before, after = sum(one.before for one in own), sum(one.after for one in own)
    return ClassCompared(label=label, images=len(own), before=before, after=after)
