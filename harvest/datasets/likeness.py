"""How like two pictures are. In: images. Out: looks, and the pairs of them that are copies of one picture.

Pictures are looked up by prints of 64 bits, of which no near pair is missed, and only the correlation of their grey
levels, one laid over the other, makes copies of them: drawings in the middle of a white sheet have like prints. So are
found copies that were scaled, recoloured, mirrored, turned, that have other margins, and parts that were cut out.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harvest.datasets.neighbours import pairs_within
from harvest.datasets.prints import Bits, Fingerprint, correlation, fingerprint, fitted
from linkeddata.decoding import Limits, UnreadableImageError, opened, upright

NEAR = 8
"""Distance in bits of prints up to which pairs are looked at."""
ALIKE = 0.96
"""Correlation of the grey levels, one picture laid over the other, from which on they are copies of one."""
_LOOKED_AT_PX = 256
_AS_IT_IS = 2
"""Of the eight ways to lay a picture, those that are looked for among parts: as it is, and mirrored."""
_FITS = 6
"""Places of a part that are tried, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Look:
    """What an image looks like; no prints where nothing is drawn on it, so that it is like nothing."""

    prints: Fingerprint | None


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """Two pictures by their places, ``a`` before ``b``: how far their prints are apart, and how like they are.

    ``likeness`` is the correlation of their grey levels, one laid over the other, and ``how`` it was laid: "",
    "mirrored", "turned", or over a "part".
    """

    distance: int
    a: int
    b: int
    likeness: float
    how: str = ""

    @property
    def copies(self) -> bool:
        """Whether they are copies of one picture."""
        return self.likeness >= ALIKE


def look(data: bytes) -> Look | None:
    """Return what an image looks like, ``None`` for one that cannot be read."""
    try:
        return Look(fingerprint(upright(opened(data, Limits(), _LOOKED_AT_PX))))
    except UnreadableImageError:
        return None


def near_pairs(looks: Sequence[Look]) -> list[Pair]:
    """Return all pairs whose prints are near, laid as may be, the nearest first."""
    places = [place for place, one in enumerate(looks) if one.prints]
    prints = [one.prints for one in looks if one.prints]
    found: dict[tuple[int, int], Pair] = {}
    for pair in (*_wholes(prints), *_cut_out(prints)):
        known = found.get((pair.a, pair.b))
        if known is None or pair.likeness > known.likeness:
            found[pair.a, pair.b] = pair
    return sorted(Pair(p.distance, places[p.a], places[p.b], p.likeness, p.how) for p in found.values())


def _pair(distance: int, one: int, other: int, likeness: float, how: str) -> Pair:
    return Pair(distance, min(one, other), max(one, other), round(likeness, 3), how)


def _way(way: int) -> str:
    """Return how a picture is laid: an odd number of reflections mirrors it.

    >>> [_way(way) for way in range(8)]
    ['', 'mirrored', 'mirrored', 'turned', 'mirrored', 'turned', 'turned', 'mirrored']
    """
    return ("mirrored" if way.bit_count() % 2 else "turned") if way else ""


def _wholes(prints: Sequence[Fingerprint]) -> Iterator[Pair]:
    """Yield the pairs of which one, laid in one of its ways, with or without margins, is near the other."""
    if not prints:
        return
    laid = np.stack([one.laid for one in prints])
    ways = laid.shape[2]
    left, right = _hits(laid.reshape(-1), laid[:, :, 0].reshape(-1))
    one, lay = np.divmod(left, 2 * ways)
    other, margins = np.divmod(right, 2)
    distance = np.bitwise_count(laid[one, lay // ways, lay % ways] ^ laid[other, margins, 0]).astype(np.int64)
    rows = np.stack([distance, one, lay // ways, lay % ways, other, margins], axis=1)[one != other]
    for bits, first, bare, way, second, second_bare in rows.tolist():
        likeness = correlation(prints[first], bare, way, prints[second], second_bare)
        yield _pair(bits, first, second, likeness, _way(way))


def _cut_out(prints: Sequence[Fingerprint]) -> Iterator[Pair]:
    """Yield the pairs of which one is near a part of the other, fitted to it as well as can be."""
    if not prints:
        return
    laid = np.stack([one.laid[:, :_AS_IT_IS] for one in prints]).reshape(-1)
    parts = np.stack([one.parts for one in prints])
    left, right = _hits(laid, parts.reshape(-1))
    one, lay = np.divmod(left, 2 * _AS_IT_IS)
    other, part = np.divmod(right, parts.shape[1])
    distance = np.bitwise_count(laid[left] ^ parts.reshape(-1)[right]).astype(np.int64)
    fits: dict[tuple[int, int], list[tuple[int, ...]]] = defaultdict(list)
    rows = np.stack([one, other, distance, lay // _AS_IT_IS, lay % _AS_IT_IS, part], axis=1)[one != other]
    for small, large, *fit in rows.tolist():
        fits[small, large].append(tuple(fit))
    for (small, large), some in fits.items():
        for bits, margins, way, place in sorted(some)[:_FITS]:
            likeness = fitted(prints[small], margins, way, prints[large], place)
            yield _pair(bits, small, large, likeness, "part")


def _hits(left: Bits, right: Bits) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places on the left and right of all prints that are near; equal prints are looked up once."""
    values, of_left = np.unique(left, return_inverse=True)
    others, of_right = np.unique(right, return_inverse=True)
    one, two, _ = pairs_within(values, others, NEAR)
    on_left, on_right = _places(of_left, len(values)), _places(of_right, len(others))
    pairs = [np.meshgrid(on_left[a], on_right[b]) for a, b in zip(one.tolist(), two.tolist(), strict=True)]
    if not pairs:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return np.concatenate([a.ravel() for a, _ in pairs]), np.concatenate([b.ravel() for _, b in pairs])


def _places(values: NDArray[np.int64], count: int) -> list[NDArray[np.int64]]:
    """Return where each of ``count`` values is."""
    return np.split(np.argsort(values, kind="stable"), np.cumsum(np.bincount(values, minlength=count))[:-1])
