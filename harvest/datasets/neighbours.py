"""Which of many 64-bit prints are nearly alike. In: arrays of prints, a distance. Out: all pairs within it.

Two prints that differ in at most 8 of 64 bits are equal in the last of five bands, or differ in at most one bit of one
of the others (were it one and two in each, they would differ in nine). So the prints of each value of a band are held
against those of the same and of the neighbouring values of that band alone, by whole blocks, and no pair is missed.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Prints = NDArray[np.uint64]
Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]
"""Positions on the left, positions on the right, and how many bits differ."""

BITS = 64
_WIDTHS = (13, 13, 13, 13, 12)
"""Bits of the bands; where not all need to be searched as widely, it is the last ones that need less."""
_FARTHEST = 3 * len(_WIDTHS) - 1
_AT_ONCE = 1 << 17
"""Pairs that are compared in one block: what a processor's cache holds."""
FEW = 1 << 31
"""So many pairs are all compared: sorting into bands takes longer."""


def pairs_within(left: Prints, right: Prints | None = None, distance: int = 8, few: int = FEW) -> Pairs:
    """Return the pairs of ``left`` and ``right`` that differ in at most ``distance`` bits, each once, in order.

    Without ``right``, the pairs within ``left``: those with the smaller position on the left. No pair is missed; up to
    ``few`` are compared one by one.
    Raises ``ValueError`` for a distance above 14, for which the bands are too narrow.

    >>> first, second, bits = pairs_within(np.array([0b0000, 0b0111, 0b1111], np.uint64), distance=1)
    >>> list(zip(first.tolist(), second.tolist(), bits.tolist()))
    [(1, 2, 1)]
    """
    if not 0 <= distance <= _FARTHEST:
        raise ValueError(f"distance {distance}: 0 to {_FARTHEST} bits can be looked for")
    alone = right is None
    other = left if right is None else right
    if len(left) * len(other) <= few:
        found = list(_compared(left, other, distance))
    else:
        found = [
            pair
            for band, radius in enumerate(_radii(distance))
            if radius >= 0
            for pair in _in_band(left, other, band, radius, distance, alone)
        ]
    return _sorted(found, len(other), alone)


def _radii(distance: int) -> list[int]:
    """Return how far the values of each band may be apart, so that a pair is near enough in one of them; -1: never.

    What is farther in every band differs by more than ``distance`` altogether (the pigeonhole principle).

    >>> _radii(8), _radii(1)
    ([1, 1, 1, 1, 0], [0, 0, -1, -1, -1])
    """
    each, over = divmod(distance + 1, len(_WIDTHS))
    return [each - 1 + (band < over) for band in range(len(_WIDTHS))]


def _in_band(left: Prints, right: Prints, band: int, radius: int, distance: int, alone: bool) -> Iterator[Pairs]:
    """Yield the pairs whose values of a band are near enough; within ``left`` alone, each pair of values once."""
    order, starts, keys = _by_value(left, band)
    others, ends = (order, starts) if alone else _by_value(right, band)[:2]
    values, candidates = left[order], right[others]
    steps = _steps(_WIDTHS[band], radius)
    for key in keys.tolist():
        near = [one for one in (key ^ step for step in steps) if not alone or one >= key]
        spans = [(ends[one], ends[one + 1]) for one in near if ends[one] < ends[one + 1]]
        if not spans:
            continue
        beside = np.concatenate([candidates[a:b] for a, b in spans])
        begin, end = starts[key], starts[key + 1]
        for row, column, bits in _compared(values[begin:end], beside, distance):  # mostly nothing
            places = np.concatenate([others[a:b] for a, b in spans])
            yield order[begin + row], places[column], bits


def _by_value(prints: Prints, band: int) -> tuple[NDArray[np.int64], list[int], NDArray[np.int64]]:
    """Return the positions by the value of a band, where each value's positions begin, and which values there are."""
    width, shift = _WIDTHS[band], sum(_WIDTHS[:band])
    keys = ((prints >> np.uint64(shift)) & np.uint64((1 << width) - 1)).astype(np.uint16)  # sorted by its digits
    counts = np.bincount(keys, minlength=1 << width)
    return np.argsort(keys, kind="stable"), [0, *np.cumsum(counts).tolist()], np.flatnonzero(counts)


def _steps(width: int, radius: int) -> list[int]:
    """Return the differences of at most ``radius`` bits of a band.

    >>> _steps(3, 1)
    [0, 1, 2, 4]
    """
    return [sum(1 << bit for bit in bits) for r in range(radius + 1) for bits in combinations(range(width), r)]


def _compared(left: Prints, right: Prints, distance: int) -> Iterator[Pairs]:
    """Yield the near pairs by their places, some at a time."""
    rows = max(1, _AT_ONCE // max(1, len(right)))
    for begin in range(0, len(left), rows):
        differ = np.bitwise_count(left[begin : begin + rows, None] ^ right)
        hits = np.flatnonzero(differ <= distance)
        if len(hits):
            row, column = np.divmod(hits, len(right))
            yield begin + row, column, differ.ravel()[hits]


def _sorted(found: Sequence[Pairs], width: int, alone: bool) -> Pairs:
    if not found:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint8)
    first, second, bits = (np.concatenate(parts) for parts in zip(*found, strict=True))
    if alone:
        kept = first != second
        first, second, bits = np.minimum(first, second)[kept], np.maximum(first, second)[kept], bits[kept]
    _, once = np.unique(first * width + second, return_index=True)
    return first[once], second[once], bits[once]
