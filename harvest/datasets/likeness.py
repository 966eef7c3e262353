"""How like two pictures are. In: images. Out: looks, and the pairs of them that are copies of one picture.

A look is a difference hash of 64 bits (the picture in 9 × 8 grey cells, each bit says whether a cell is brighter than
the one to its right: Neal Krawetz, "Kind of Like That", hackerfactor.com 2013), that of the mirror, and 32 × 32 greys.
The hash finds pairs, and only the correlation of the greys makes copies of them: drawings in the middle of a white
sheet have like hashes. Two hashes within 8 bits agree in at least one of 9 pieces: none within that distance is missed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from linkeddata.decoding import Limits, UnreadableImageError, opened, upright

BITS = 64
NEAR = 8
"""Distance in bits up to which pairs are looked at."""
ALIKE = 0.95
"""Correlation of the greys from which on two pictures are copies of one; drawings of one species stay below 0.91."""
SIDE = 32

Greys = NDArray[np.uint8]
Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Look:
    """What an image looks like: hash, hash of its mirror, greys, shape (32, 32)."""

    hash: int
    mirror: int
    greys: Greys


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """Two pictures by their places, ``a`` before ``b``: how far their hashes are apart, and how like they are."""

    distance: int
    a: int
    b: int
    likeness: float
    mirrored: bool

    @property
    def copies(self) -> bool:
        """Whether they are copies of one picture."""
        return self.likeness >= ALIKE


def look(data: bytes) -> Look | None:
    """Return what an image looks like, ``None`` for one that cannot be read."""
    try:
        grey = upright(opened(data, Limits(), 2 * SIDE)).convert("L")
    except UnreadableImageError:
        return None
    cells = np.asarray(grey.resize((9, 8), Image.Resampling.BOX), np.int16)
    greys = np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BOX), np.uint8)
    return Look(_packed(cells), _packed(cells[:, ::-1]), greys)


def _packed(cells: NDArray[np.int16]) -> int:
    return int.from_bytes(np.packbits((cells[:, 1:] > cells[:, :-1]).ravel()).tobytes(), "big")


def pieces(near: int) -> list[tuple[int, int]]:
    """Return where the pieces begin that cover all bits, one more than bits may differ, with their lengths.

    >>> pieces(8)[:2], sum(length for _, length in pieces(8)), len(pieces(8))
    ([(0, 8), (8, 7)], 64, 9)
    """
    short, long = divmod(BITS, near + 1)
    lengths = [short + (number < long) for number in range(near + 1)]
    return [(sum(lengths[:number]), length) for number, length in enumerate(lengths)]


def near_pairs(looks: Sequence[Look], near: int = NEAR) -> list[Pair]:
    """Return all pairs within ``near`` bits of each other, or of the other's mirror, the nearest first."""
    if len(looks) < 2:
        return []
    plain = np.array([one.hash for one in looks], np.uint64)
    mirrors = np.array([one.mirror for one in looks], np.uint64)
    found: dict[tuple[int, int], Pair] = {}
    for mirrored, right in ((False, plain), (True, mirrors)):
        for a, b, distance in _sharing(plain, right, near):
            pair = Pair(distance, a, b, likeness(looks[a], looks[b], mirrored), mirrored)
            if (a, b) not in found or pair.likeness > found[a, b].likeness:
                found[a, b] = pair
    return sorted(found.values())


def likeness(one: Look, other: Look, mirrored: bool) -> float:
    """Return the correlation of two pictures' greys, -1 to 1."""
    return round(float((_unit(one.greys) * _unit(other.greys[:, ::-1] if mirrored else other.greys)).sum()), 4)


def _unit(greys: Greys) -> NDArray[np.float64]:
    """Return greys with the mean 0 and the length 1; all 0 for a picture of one grey."""
    centred: NDArray[np.float64] = greys - greys.mean()
    return centred / max(float(np.linalg.norm(centred)), 1e-6)


def _sharing(left: Hashes, right: Hashes, near: int) -> Iterator[tuple[int, int, int]]:
    """Yield the places of near pairs, the smaller first, with their distance; a pair may come more than once."""
    for begin, length in pieces(near):
        shift, mask = np.uint64(begin), np.uint64((1 << length) - 1)
        keys, other_keys = left >> shift & mask, right >> shift & mask
        for key in np.intersect1d(keys, other_keys):
            mine, theirs = np.flatnonzero(keys == key), np.flatnonzero(other_keys == key)
            distances = np.bitwise_count(left[mine][:, None] ^ right[theirs][None, :])
            for i, j in zip(*np.nonzero(distances <= near), strict=True):
                a, b = int(mine[i]), int(theirs[j])
                if a != b:
                    yield min(a, b), max(a, b), int(distances[i, j])
