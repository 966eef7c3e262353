"""How like two pictures are. In: images. Out: looks, and the pairs of them that are copies of one picture.

Pictures are looked up by prints of 64 bits, of which no near pair is missed, and only the correlation of their grey
levels, one laid over the other, makes copies of them: drawings in the middle of a white sheet have like prints. So are
found copies that were scaled, recoloured, mirrored, turned, that have other margins, and parts that were cut out.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harvest.datasets.looks import DRAWN, Looks
from harvest.datasets.neighbours import pairs_within
from harvest.datasets.prints import PARTS, Bits, correlation, fitted

NEAR = 8
"""Distance in bits of prints up to which pairs are looked at."""
ALIKE = 0.96
"""Correlation of the grey levels, one picture laid over the other, from which on they are copies of one."""
_AS_IT_IS = 2
"""Of the eight ways to lay a picture, those that are looked for among parts: as it is, and mirrored."""
_FITS = 6
"""Places of a part that are tried, the likeliest first."""
_PARTS_AT_ONCE = 1 << 21
"""Prints of parts that are looked up at a time."""

Places = NDArray[np.int64]


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


def near_pairs(looks: Looks) -> list[Pair]:
    """Return all pairs whose prints are near, laid as may be, the nearest first."""
    places = np.flatnonzero(looks.states() == DRAWN)
    found: dict[tuple[int, int], Pair] = {}
    for pair in (*_wholes(looks, places), *_cut_out(looks, places)) if len(places) else ():
        known = found.get((pair.a, pair.b))
        if known is None or pair.likeness > known.likeness:
            found[pair.a, pair.b] = pair
    return sorted(found.values())


def _pair(distance: int, one: int, other: int, likeness: float, how: str) -> Pair:
    return Pair(distance, min(one, other), max(one, other), round(likeness, 3), how)


def _way(way: int) -> str:
    """Return how a picture is laid: an odd number of reflections mirrors it.

    >>> [_way(way) for way in range(8)]
    ['', 'mirrored', 'mirrored', 'turned', 'mirrored', 'turned', 'turned', 'mirrored']
    """
    return ("mirrored" if way.bit_count() % 2 else "turned") if way else ""


def _wholes(looks: Looks, places: Places) -> Iterator[Pair]:
    """Yield the pairs of which one, laid in one of its ways, with or without margins, is near the other."""
    laid = looks.laid(places)
    ways = laid.shape[2]
    left, right = _hits(laid.reshape(-1), laid[:, :, 0].reshape(-1))
    one, lay = np.divmod(left, 2 * ways)
    other, margins = np.divmod(right, 2)
    distance = np.bitwise_count(laid[one, lay // ways, lay % ways] ^ laid[other, margins, 0]).astype(np.int64)
    rows = np.stack([distance, places[one], lay // ways, lay % ways, places[other], margins], axis=1)[one != other]
    for bits, first, bare, way, second, second_bare in rows.tolist():
        likeness = correlation(looks.square(first, bare), way, looks.square(second, second_bare))
        yield _pair(bits, first, second, likeness, _way(way))


def _cut_out(looks: Looks, places: Places) -> Iterator[Pair]:
    """Yield the pairs of which one is near a part of the other, fitted to it as well as can be."""
    laid = looks.laid(places)[:, :, :_AS_IT_IS].reshape(-1)
    fits: dict[tuple[int, int], list[tuple[int, ...]]] = defaultdict(list)
    step = max(1, _PARTS_AT_ONCE // PARTS)
    for begin in range(0, len(places), step):
        some = looks.parts(places[begin : begin + step]).reshape(-1)
        left, right = _hits(laid, some)
        one, lay = np.divmod(left, 2 * _AS_IT_IS)
        other, part = np.divmod(right, PARTS)
        distance = np.bitwise_count(laid[left] ^ some[right]).astype(np.int64)
        columns = [places[one], places[begin + other], distance, lay // _AS_IT_IS, lay % _AS_IT_IS, part]
        rows = np.stack(columns, axis=1)[one != begin + other]
        for small, large, *fit in rows.tolist():
            fits[small, large].append(tuple(fit))
    for (small, large), likely in fits.items():
        for bits, bare, way, place in sorted(likely)[:_FITS]:
            likeness = fitted(looks.square(small, bare), way, looks.square(large, 0), place)
            yield _pair(bits, small, large, likeness, "part")


def _hits(left: Bits, right: Bits) -> tuple[Places, Places]:
    """Return the places on the left and right of all prints that are near; equal prints are looked up once."""
    (values, of_left), (others, of_right) = _once(left), _once(right)
    one, two, _ = pairs_within(values, others, NEAR)
    found = [np.meshgrid(of_left(a), of_right(b)) for a, b in zip(one.tolist(), two.tolist(), strict=True)]
    if not found:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return np.concatenate([a.ravel() for a, _ in found]), np.concatenate([b.ravel() for _, b in found])


def _once(prints: Bits) -> tuple[Bits, Callable[[int], Places]]:
    """Return prints, each once and in order, and what tells where the one at a place of these is."""
    order = np.argsort(prints, kind="stable")
    ordered = prints[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    ends = np.append(starts[1:], len(prints))
    return ordered[starts], lambda place: order[starts[place] : ends[place]]
