"""Fingerprints of pictures that stay when a picture is scaled, recoloured, cropped or turned. In: a picture. Out: bits.

A print is the signs of the lowest frequencies of the picture's cosine transform: what is light or dark where, in
waves. A picture that is mirrored or turned has the same waves, some of them with the other sign or lying across, so
that the prints of all eight ways to lay a picture follow from the one. The same plate has other margins in each
library, so that there are prints with and without; and parts of the picture have prints, to be found in what was cut
out of it.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COARSE, FINE = 8, 16
"""Frequencies along each side: 64 bits to look pictures up by, 256 to fit a picture to a part of another."""
_SIDE_PX = 64
_MARGIN = 24
"""Grey levels by which what is drawn stands out from its paper, of 255."""
_DRAWN = 2.0
"""Standard deviation of the grey levels below which a picture is of one colour."""
_PARTS = {0.9: 3, 0.8: 5, 0.7: 7}
"""Sides of the parts, of the picture's, and how many places along a side each has: a twentieth of a side apart."""

Levels = NDArray[np.float32]
Bits = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Prints of one picture: coarse ones are one uint64, fine ones four.

    ``laid`` has shape (2, 8) and ``laid_fine`` (2, 8, 4): the picture with and without its margins, in the eight ways
    to lay it, as it is first, its mirror image second. ``parts`` has shape (83,). ``squares`` are the grey levels,
    shape (2, 64, 64), uint8, by which a part is fitted.
    """

    laid: Bits
    laid_fine: Bits
    parts: Bits
    squares: NDArray[np.uint8]


def fingerprint(picture: Image.Image) -> Fingerprint | None:
    """Return the prints of a decoded picture of any size and mode; ``None`` where nothing is drawn on it."""
    picture = picture.convert("L")
    squares = np.stack([_square(picture), _square(picture.crop(content_box(picture)))])
    if squares[0].std() < _DRAWN:
        return None
    all_of_it = _waves_along(1.0, 1)[0]
    laid = np.stack([[_laid(all_of_it @ one @ all_of_it.T, way) for way in range(8)] for one in squares])
    parts = np.concatenate([_parts(squares[0], share, places) for share, places in _PARTS.items()])
    return Fingerprint(_bits(laid, COARSE)[..., 0], _bits(laid, FINE), _bits(parts, COARSE)[..., 0], squares)


def content_box(picture: Image.Image) -> tuple[int, int, int, int]:
    """Return left, upper, right, lower of what is drawn on the paper; the whole where nothing stands out, or little.

    >>> page = Image.new("L", (100, 100), 240)
    >>> page.paste(30, (20, 30, 70, 90))
    >>> content_box(page)
    (20, 30, 70, 90)
    """
    whole = (0, 0, picture.width, picture.height)
    small = picture.copy()
    small.thumbnail((256, 256), Image.Resampling.BOX)
    grey = np.asarray(small, np.int16)
    paper = np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]))
    drawn = np.abs(grey - paper) > _MARGIN
    rows, columns = (np.flatnonzero(drawn.mean(axis=axis) > 0.01) for axis in (1, 0))
    if not len(rows) or not len(columns):
        return whole
    scale_x, scale_y = picture.width / small.width, picture.height / small.height
    left, right = columns[0] * scale_x, (columns[-1] + 1) * scale_x
    upper, lower = rows[0] * scale_y, (rows[-1] + 1) * scale_y
    if (right - left) * (lower - upper) < 0.05 * picture.width * picture.height:
        return whole
    return round(left), round(upper), round(right), round(lower)


def _square(picture: Image.Image) -> NDArray[np.uint8]:
    """Return the picture's grey levels as a square of fixed size, whatever its proportions."""
    return np.asarray(picture.resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BOX), np.uint8)


def _parts(grey: NDArray[np.uint8], share: float, places: int) -> Levels:
    """Return the waves of all parts of one size, shape (places², FINE, FINE)."""
    along = _waves_along(share, places)
    rows = along @ grey
    return np.stack([rows[y] @ along[x].T for y, x in product(range(places), repeat=2)])


@lru_cache(maxsize=8)
def _waves_along(share: float, places: int) -> Levels:
    """Return the waves over the parts of a side, shape (places, FINE, side in pixels)."""
    return np.stack([_wave(share, place * (1 - share) / max(1, places - 1)) for place in range(places)])


def _wave(share: float, begin: float) -> Levels:
    """Return the cosine waves over a part of a side, zero beside it, shape (FINE, side in pixels).

    Each wave but the first adds up to nothing over its part, so that how light the part is does not tell.
    """
    pixels = (np.arange(_SIDE_PX) + 0.5) / _SIDE_PX - begin
    inside = (pixels >= 0) & (pixels <= share)
    waves = np.zeros((FINE, _SIDE_PX), np.float32)
    wave = np.cos(np.arange(FINE)[:, None] * np.pi * pixels[inside] / share)
    wave[1:] -= wave[1:].mean(axis=1, keepdims=True)
    waves[:, inside] = wave
    return waves


def _part_at(part: int) -> tuple[float, int, int, int]:
    """Return the side of a part, how many places a side has, and the part's place down and across.

    >>> _part_at(0), _part_at(9 + 7)
    ((0.9, 3, 0, 0), (0.8, 5, 1, 2))
    """
    for share, places in _PARTS.items():
        if part < places * places:
            return share, places, *divmod(part, places)
        part -= places * places
    raise ValueError(f"no part {part}")


def _laid(waves: Levels, way: int) -> Levels:
    """Return the waves of the picture mirrored left to right (1), upside down (2), across its diagonal (4)."""
    odd = np.where(np.arange(FINE) % 2, np.float32(-1), np.float32(1))
    if way & 1:
        waves = waves * odd
    if way & 2:
        waves = waves * odd[:, None]
    return waves.T if way & 4 else waves


def _bits(waves: Levels, side: int) -> Bits:
    """Return the signs of the lowest ``side`` by ``side`` waves of each picture, 64 to a number.

    The first, which says how light the whole is, counts for nothing.
    """
    signs = waves[..., :side, :side].reshape(*waves.shape[:-2], side * side) > 0
    signs[..., 0] = False
    return np.packbits(signs, axis=-1, bitorder="little").view(np.uint64)


def correlation(picture: Fingerprint, margins: int, way: int, other: Fingerprint, other_margins: int) -> float:
    """Return how the grey levels of two pictures go together, -1 to 1, the first laid in one of its ways."""
    return _together(turned(picture.squares[margins], way), other.squares[other_margins])


def fitted(picture: Fingerprint, margins: int, way: int, other: Fingerprint, part: int) -> float:
    """Return how the grey levels of a picture go together with those of a part of another, moved about until they fit.

    ``margins`` and ``way`` are positions in the picture's ``laid``, ``part`` one in the other's ``parts``.
    """
    share, places, y, x = _part_at(part)
    mine, levels = picture.laid_fine[margins, way], other.squares[0].astype(np.float32)
    fits = []
    for length in (share - 0.04, share - 0.02, share, share + 0.02, share + 0.04):
        across, down = (_nudged(share, length, places, place) for place in (x, y))
        laid: Levels = (down @ levels)[:, None] @ across.transpose(0, 2, 1)
        differ = np.bitwise_count(_bits(laid, FINE) ^ mine).sum(-1)
        row, column = divmod(int(differ.argmin()), len(_NUDGES))
        left, upper = (_begin(share, length, places, place) for place in (x, y))
        fits.append((int(differ.min()), length, left + _NUDGES[column], upper + _NUDGES[row]))
    _, length, left, upper = min(fits)
    corners = (left, upper, left + length, upper + length)
    box = tuple(_SIDE_PX * min(max(corner, 0.0), 1.0) for corner in corners)
    cut = Image.fromarray(other.squares[0]).resize(
        (_SIDE_PX, _SIDE_PX), Image.Resampling.BILINEAR, (box[0], box[1], box[2], box[3])
    )
    return _together(turned(picture.squares[margins], way), np.asarray(cut))


def turned(square: NDArray[np.uint8], way: int) -> NDArray[np.uint8]:
    """Return grey levels laid as ``_laid`` lays their waves.

    >>> square = np.array([[1, 2], [3, 4]], np.uint8)
    >>> turned(square, 1).tolist(), turned(square, 6).tolist()
    ([[2, 1], [4, 3]], [[3, 1], [4, 2]])
    """
    if way & 1:
        square = square[:, ::-1]
    if way & 2:
        square = square[::-1]
    return square.T if way & 4 else square


def _together(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    a, b = (levels - levels.mean() for levels in (one.astype(np.float32), other.astype(np.float32)))
    return float((a * b).sum() / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-6))


_NUDGES = (-0.03, -0.015, 0.0, 0.015, 0.03)


def _begin(share: float, length: float, places: int, place: int) -> float:
    """Return where a part begins that is a little longer or shorter than one of the places, about its middle."""
    return place * (1 - share) / (places - 1) + (share - length) / 2


@lru_cache(maxsize=256)
def _nudged(share: float, length: float, places: int, place: int) -> Levels:
    """Return the waves over a part that is a little longer or shorter, and here or there, shape (5, FINE, side)."""
    return np.stack([_wave(length, _begin(share, length, places, place) + nudge) for nudge in _NUDGES])
