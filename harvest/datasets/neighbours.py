"""Which of many 64-bit prints are nearly alike. In: arrays of prints, a distance. Out: all pairs within it.

Two prints that differ in at most 9 of 64 bits differ in at most one bit of one of five bands (were it two in each, they
would differ in ten). So the prints of each value of a band are held against those of the same and of the neighbouring
values of that band alone, by whole blocks, and no pair is missed.
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
_FARTHEST = 3 * len(_WIDTHS) - 1
_AT_ONCE = 1 << 18
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
        found = list(_compared(left, np.arange(len(left)), other, np.arange(len(other)), distance))
    else:
        found = [pair for band in range(len(_WIDTHS)) for pair in _in_band(left, other, band, distance, alone)]
    return _sorted(found, len(other), alone)


def _in_band(left: Prints, right: Prints, band: int, distance: int, alone: bool) -> Iterator[Pairs]:
    """Yield the pairs whose values of a band are near enough; within ``left`` alone, each pair of values once."""
    order, starts, keys = _by_value(left, band)
    others, ends = (order, starts) if alone else _by_value(right, band)[:2]
    values, candidates = left[order], right[others]
    steps = _steps(_WIDTHS[band], distance // len(_WIDTHS))
    for key in keys.tolist():
        near = [one for one in (key ^ step for step in steps) if not alone or one >= key]
        spans = [(ends[one], ends[one + 1]) for one in near if ends[one] < ends[one + 1]]
        if not spans:
            continue
        bits = np.concatenate([candidates[a:b] for a, b in spans])
        places = np.concatenate([others[a:b] for a, b in spans])
        mine = slice(starts[key], starts[key + 1])
        yield from _compared(values[mine], order[mine], bits, places, distance)


def _by_value(prints: Prints, band: int) -> tuple[NDArray[np.int64], list[int], NDArray[np.int64]]:
    """Return the positions by the value of a band, where each value's positions begin, and which values there are."""
    width, shift = _WIDTHS[band], sum(_WIDTHS[:band])
    keys = ((prints >> np.uint64(shift)) & np.uint64((1 << width) - 1)).astype(np.int64)
    counts = np.bincount(keys, minlength=1 << width)
    return np.argsort(keys, kind="stable"), [0, *np.cumsum(counts).tolist()], np.flatnonzero(counts)


def _steps(width: int, radius: int) -> list[int]:
    """Return the differences of at most ``radius`` bits of a band.

    >>> _steps(3, 1)
    [0, 1, 2, 4]
    """
    return [sum(1 << bit for bit in bits) for r in range(radius + 1) for bits in combinations(range(width), r)]


def _compared(
    left: Prints, left_at: NDArray[np.int64], right: Prints, right_at: NDArray[np.int64], distance: int
) -> Iterator[Pairs]:
    rows = max(1, _AT_ONCE // max(1, len(right)))
    for begin in range(0, len(left), rows):
        differ = np.bitwise_count(left[begin : begin + rows, None] ^ right)
        hits = np.flatnonzero(differ <= distance)
        if len(hits):
            row, column = np.divmod(hits, len(right))
            yield left_at[begin + row], right_at[column], differ.ravel()[hits]


def _sorted(found: Sequence[Pairs], width: int, alone: bool) -> Pairs:
    if not found:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint8)
    first, second, bits = (np.concatenate(parts) for parts in zip(*found, strict=True))
    if alone:
        kept = first != second
        first, second, bits = np.minimum(first, second)[kept], np.maximum(first, second)[kept], bits[kept]
    _, once = np.unique(first * width + second, return_index=True)
    return first[once], second[once], bits[once]
