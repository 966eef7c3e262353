"""Columns of numbers: sorted keys, runs, and lists that lie one after the other. In: arrays. Out: arrays.

What numpy has not, or has slowly: it finds the different ones among millions of numbers by a hash table that is many
times slower than sorting them. (A hash table of Arrow's is as fast as sorting here, but holds 100 bytes for each key.)
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Codes = NDArray[np.int32]
"""Places in other columns, where there are so many that it matters."""
Floats = NDArray[np.float64]


def totals(place: Ints | Codes, weights: NDArray[Any], size: int) -> Floats:
    """Return the sum of the weights that fall to each place below ``size``."""
    found: Any = np.bincount(place, weights=weights, minlength=size)
    return np.asarray(found, dtype=np.float64)


def distinct(keys: Ints) -> Ints:
    """Return the different keys, sorted.

    >>> distinct(np.array([7, 5, 7])).tolist()
    [5, 7]
    """
    keys = np.sort(keys)
    return keys[runs(keys)]


def opened(start: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Return for lists that begin at ``start`` one after the other, and some lists: which, and where each item is.

    >>> [part.tolist() for part in opened(np.array([0, 2, 3]), np.array([1, 0]))]
    [[0, 1, 1], [2, 0, 1]]
    """
    first = start[rows]
    count = start[rows + 1] - first
    owner = np.repeat(np.arange(len(rows)), count)
    return owner, np.arange(len(owner)) + np.repeat(first - (np.cumsum(count) - count), count)


def place_in(keys: Ints, wanted: Ints) -> Ints:
    """Return where each wanted key stands among sorted ``keys``, -1 for those that do not."""
    if not len(keys):
        return np.full(len(wanted), -1)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, place, -1)


def numbered(keys: Ints) -> tuple[Ints, Codes]:
    """Return the different keys, in the order in which they come first, and which of them each is.

    >>> [part.tolist() for part in numbered(np.array([7, 5, 7]))]
    [[7, 5], [0, 1, 0]]
    """
    if not len(keys):
        return keys, np.zeros(0, dtype=np.int32)
    order, sorted_keys = _sorted(keys)
    starts = runs(sorted_keys)
    first = order[starts]  # places are sorted among equal keys, too
    rank = np.empty(len(starts), dtype=np.int32)
    rank[np.argsort(first)] = np.arange(len(starts), dtype=np.int32)
    codes = np.empty(len(keys), dtype=np.int32)
    codes[order] = np.repeat(rank, np.diff(np.append(starts, len(keys))))
    return keys[np.sort(first)], codes


def _sorted(keys: Ints) -> tuple[Ints, Ints]:
    """Return where each key was, from the lowest key and place up, and the sorted keys."""
    bits = len(keys).bit_length()
    low = int(keys.min())
    if int(keys.max()) - low >= 1 << (63 - bits):
        order = np.argsort(keys, kind="stable")
        return order, keys[order]
    # Key and place as one number: numpy sorts numbers several times faster than it finds in what order they come.
    packed = (keys - low) << bits
    packed |= np.arange(len(keys))
    packed.sort()
    return packed & ((1 << bits) - 1), (packed >> bits) + low


def runs(keys: Ints | Codes) -> Ints:
    """Return where each run of equal keys begins."""
    return np.flatnonzero(np.append(True, keys[1:] != keys[:-1])) if len(keys) else np.zeros(0, dtype=np.int64)
