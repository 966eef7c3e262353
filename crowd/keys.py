"""Columns of numbers: sorted keys, runs, and lists that lie one after the other. In: arrays. Out: arrays.

What numpy has for it, or has slowly: it finds the different ones among millions of numbers by a hash table that is many
times slower than sorting them.
"""

from typing import Any

import numpy as np
import pyarrow
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
    # By hashing, which is many times faster than sorting. pyarrow's own ways from and to numpy would load pandas.
    column = pyarrow.Array.from_buffers(
        pyarrow.int64(), len(keys), [None, pyarrow.py_buffer(np.ascontiguousarray(keys))]
    )
    found = column.dictionary_encode()
    return _values(found.dictionary, np.int64), _values(found.indices, np.int32)


def _values(column: Any, kind: type[Any]) -> Any:
    return np.frombuffer(column.buffers()[1], dtype=kind, count=len(column)) if len(column) else np.zeros(0, dtype=kind)


def runs(keys: Ints | Codes) -> Ints:
    """Return where each run of equal keys begins."""
    return np.flatnonzero(np.append(True, keys[1:] != keys[:-1])) if len(keys) else np.zeros(0, dtype=np.int64)
