"""Fingerprints of pictures that stay when a picture is scaled, recoloured, cropped or turned. In: a picture. Out: bits.

A print is the signs of the lowest frequencies of the picture's cosine transform: what is light or dark where, in
waves. A picture that is mirrored or turned has the same waves, some of them with the other sign or lying across, so
that the prints of all eight ways to lay a picture follow from the one. The same plate has other margins in each
library, so that there are prints with and without; and parts of the picture have prints, to be found in what was cut
out of it.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COARSE, FINE = 8, 16
"""Frequencies along each side: 64 bits to look pictures up by, 256 to fit a picture to a part of another."""
SIDE_PX = 64
_MARGIN = 24
"""Grey levels by which what is drawn stands out from its paper, of 255."""
_DRAWN = 2.0
"""Standard deviation of the grey levels below which a picture is of one colour."""
_PARTS = {0.9: 3, 0.8: 5, 0.7: 7}
"""Sides of the parts, of the picture's, and how many places along a side each has: a twentieth of a side apart."""
PARTS = sum(places * places for places in _PARTS.values())

Levels = NDArray[np.float32]
Bits = NDArray[np.uint64]
Square = NDArray[np.uint8]
"""Grey levels, shape (64, 64)."""
Squares = NDArray[np.uint8]
"""Of pictures, each with its margins and without."""


def squares_of(picture: Image.Image) -> Squares | None:
    """Return the grey levels of a picture of any size and mode, with its margins and without, shape (2, 64, 64).

    ``None`` where nothing is drawn on it.
    """
    picture = picture.convert("L")
    whole = _square(picture)
    if whole.std() < _DRAWN:
        return None
    box = content_box(picture)
    return np.stack([whole, whole if box == (0, 0, *picture.size) else _square(picture.crop(box))])


def prints_of(squares: Squares) -> tuple[Bits, Bits]:
    """Return the coarse prints of many pictures by their squares, shape (n, 2, 64, 64): wholes, and parts.

    Wholes have shape (n, 2, 8): with and without margins, in the eight ways to lay a picture, as it is first, its
    mirror image second. Parts have shape (n, 83).
    """
    levels = squares.astype(np.float32)
    waves = _waves(levels, COARSE)
    laid = np.stack([_bits(_laid(waves, way))[..., 0] for way in range(8)], axis=-1)
    parts = [_parts(levels[:, 0], share, places) for share, places in _PARTS.items()]
    return laid, np.concatenate(parts, axis=1)


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
    grey = np.asarray(small, np.uint8)
    paper = np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]))
    drawn = (np.abs(np.arange(256) - paper) > _MARGIN)[grey]
    rows, columns = (np.flatnonzero(np.count_nonzero(drawn, axis=axis) > 0.01 * drawn.shape[axis]) for axis in (1, 0))
    if not len(rows) or not len(columns):
        return whole
    scale_x, scale_y = picture.width / small.width, picture.height / small.height
    left, right = columns[0] * scale_x, (columns[-1] + 1) * scale_x
    upper, lower = rows[0] * scale_y, (rows[-1] + 1) * scale_y
    if (right - left) * (lower - upper) < 0.05 * picture.width * picture.height:
        return whole
    return round(left), round(upper), round(right), round(lower)


def _square(picture: Image.Image) -> Square:
    """Return the picture's grey levels as a square of fixed size, whatever its proportions."""
    return np.asarray(picture.resize((SIDE_PX, SIDE_PX), Image.Resampling.BOX), np.uint8)


def _waves(levels: Levels, frequencies: int) -> Levels:
    """Return the lowest waves of squares, shape (…, frequencies, frequencies)."""
    along = _waves_along(1.0, 1)[0, :frequencies]
    rows: Levels = along @ levels
    waves: Levels = rows @ along.T
    return waves


def _parts(levels: Levels, share: float, places: int) -> Bits:
    """Return the prints of all parts of one size of many pictures, shape (n, places²)."""
    along = _waves_along(share, places)[:, :COARSE]
    rows: Levels = along @ levels[:, None]
    waves: Levels = rows[:, :, None] @ along.transpose(0, 2, 1)
    return _bits(waves.reshape(len(levels), places * places, COARSE, COARSE))[..., 0]


@lru_cache(maxsize=8)
def _waves_along(share: float, places: int) -> Levels:
    """Return the waves over the parts of a side, shape (places, FINE, side in pixels)."""
    return np.stack([_wave(share, place * (1 - share) / max(1, places - 1)) for place in range(places)])


def _wave(share: float, begin: float) -> Levels:
    """Return the cosine waves over a part of a side, zero beside it, shape (FINE, side in pixels).

    Each wave but the first adds up to nothing over its part, so that how light the part is does not tell.
    """
    pixels = (np.arange(SIDE_PX) + 0.5) / SIDE_PX - begin
    inside = (pixels >= 0) & (pixels <= share)
    waves = np.zeros((FINE, SIDE_PX), np.float32)
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
    odd = np.where(np.arange(waves.shape[-1]) % 2, np.float32(-1), np.float32(1))
    if way & 1:
        waves = waves * odd
    if way & 2:
        waves = waves * odd[:, None]
    return waves.swapaxes(-1, -2) if way & 4 else waves


def _bits(waves: Levels) -> Bits:
    """Return the signs of the waves of each picture, 64 to a number.

    The first, which says how light the whole is, counts for nothing.
    """
    signs = waves.reshape(*waves.shape[:-2], waves.shape[-1] ** 2) > 0
    signs[..., 0] = False
    return np.packbits(signs, axis=-1, bitorder="little").view(np.uint64)


def correlation(square: Square, way: int, other: Square) -> float:
    """Return how the grey levels of two pictures go together, -1 to 1, the first laid in one of its ways."""
    return _together(turned(square, way), other)


def fitted(square: Square, way: int, other: Square, part: int) -> float:
    """Return how the grey levels of a picture go together with those of a part of another, moved about until they fit.

    ``way`` is a position in the picture's wholes, ``part`` one in the other's parts.
    """
    share, places, y, x = _part_at(part)
    levels = other.astype(np.float32)
    mine = _bits(_laid(_waves(square.astype(np.float32), FINE), way))
    fits = []
    for length in (share - 0.04, share - 0.02, share, share + 0.02, share + 0.04):
        across, down = (_nudged(share, length, places, place) for place in (x, y))
        rows: Levels = down @ levels
        laid: Levels = rows[:, None] @ across.transpose(0, 2, 1)
        differ = np.bitwise_count(_bits(laid) ^ mine).sum(-1)
        row, column = divmod(int(differ.argmin()), len(_NUDGES))
        left, upper = (_begin(share, length, places, place) for place in (x, y))
        fits.append((int(differ.min()), length, left + _NUDGES[column], upper + _NUDGES[row]))
    _, length, left, upper = min(fits)
    corners = (left, upper, left + length, upper + length)
    box = tuple(SIDE_PX * min(max(corner, 0.0), 1.0) for corner in corners)
    cut = Image.fromarray(other).resize((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR, (box[0], box[1], box[2], box[3]))
    return _together(turned(square, way), np.asarray(cut))


def turned(square: Square, way: int) -> Square:
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


def _together(one: Square, other: Square) -> float:
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
