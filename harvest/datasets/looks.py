"""What images look like, kept by their SHA-1 so that each is looked at once. In: images, a folder. Out: ``Looks``.

Prints (816 bytes an image) and grey levels (8 KiB) are records of two files that only grow; the latter are read where
they lie, only of pictures whose prints are near, so that a hundred thousand do not fill memory. Processes of their own
decode, where there is enough to do; several builds may write at a time.
"""

import fcntl
import mmap
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harvest.datasets.prints import PARTS, SIDE_PX, Bits, Square, prints_of, squares_of
from harvest.helping import helpers
from harvest.records import Progress, batches, silent
from linkeddata.decoding import Limits, UnreadableImageError, opened, upright
from linkeddata.storage import Stored

UNREADABLE, BLANK, DRAWN = 0, 1, 2
"""What an image is: not to be read, of one colour, or a picture that can be compared."""
PRINTS, SQUARES = "prints-1.bin", "squares-1.bin"
"""The number is that of the way of looking: another way has other files."""
_PRINT = np.dtype([("sha1", "V20"), ("state", "<u4"), ("laid", "<u8", (2, 8)), ("parts", "<u8", (PARTS,))])
_SQUARE = np.dtype(("u1", (2, SIDE_PX, SIDE_PX)))
_LOOKED_AT_PX = 240
"""The longer side to which a JPEG is decoded at least: a quarter of what Commons' thumbnails usually have."""
_AT_ONCE = 64
_READ_AT_ONCE = 10_000
"""Records of which a field is read, before what lies about them is let go."""
MANY = 500
"""From so many images on it pays to start processes."""

Named = tuple[str, Stored]
"""An image and its SHA-1."""
Seen = tuple[NDArray[Any], NDArray[np.uint8]]
"""Records of prints, and the squares they are of."""


@dataclass(frozen=True, slots=True)
class Looks:
    """The looks of some images, in the order in which they were asked for."""

    _prints: "_Records"
    _squares: "_Records"
    _rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self._rows)

    def states(self) -> NDArray[np.int64]:
        """Return what each image is: ``UNREADABLE``, ``BLANK`` or ``DRAWN``."""
        return self._prints.column("state", self._rows).astype(np.int64)

    def laid(self, places: NDArray[np.int64]) -> Bits:
        """Return the prints of wholes, shape (n, 2, 8)."""
        return self._prints.column("laid", self._rows[places])

    def parts(self, places: NDArray[np.int64]) -> Bits:
        """Return the prints of parts, shape (n, 83)."""
        return self._prints.column("parts", self._rows[places])

    def square(self, place: int, bare: int) -> Square:
        """Return the grey levels of a picture, with its margins or (1) without."""
        found: Square = self._squares.one(int(self._rows[place]))[bare]
        return found


@contextmanager
def look_book(folder: Path | None) -> Iterator["LookBook"]:
    """Give the book in ``folder``; without one, a book that is gone afterwards."""
    if folder:
        yield LookBook(folder)
        return
    with tempfile.TemporaryDirectory(prefix="deboodt-looks-") as made:
        yield LookBook(Path(made))


class LookBook:
    """The looks in a folder."""

    def __init__(self, folder: Path) -> None:
        self._prints, self._squares = folder / PRINTS, folder / SQUARES

    def looks(self, asked: Sequence[Named], progress: Progress = silent) -> Looks:
        """Return what images look like; those that were never looked at are looked at now."""
        rows = self._rows()
        fresh = [one for one in dict(asked).items() if bytes.fromhex(one[0]) not in rows]
        done = len(asked) - len(fresh)
        for prints, squares in _seen(fresh):
            self._append(prints, squares)
            done += len(prints)
            progress("compare images", done, len(asked))
        rows = self._rows() if fresh else rows
        places = np.array([rows[bytes.fromhex(sha1)] for sha1, _ in asked], np.int64)
        count = self._count()
        return Looks(_Records(self._prints, _PRINT, count), _Records(self._squares, _SQUARE, count), places)

    def _rows(self) -> dict[bytes, int]:
        count = self._count()
        kept = _Records(self._prints, _PRINT, count).column("sha1", np.arange(count))
        return {bytes(sha1): row for row, sha1 in enumerate(kept.tolist())}

    def _count(self) -> int:
        """Return how many looks are there whole; a run that was killed may have left a part of one behind them."""
        files = ((self._prints, _PRINT.itemsize), (self._squares, _SQUARE.itemsize))
        return min(path.stat().st_size // size if path.is_file() else 0 for path, size in files)

    def _append(self, prints: NDArray[Any], squares: NDArray[np.uint8]) -> None:
        self._prints.parent.mkdir(parents=True, exist_ok=True)
        with self._squares.open("ab") as levels, self._prints.open("ab") as file:
            fcntl.flock(levels, fcntl.LOCK_EX)
            whole = self._count()
            levels.truncate(whole * _SQUARE.itemsize)
            file.truncate(whole * _PRINT.itemsize)
            levels.write(squares.tobytes())
            file.write(prints.tobytes())


class _Records:
    """Records in a file, read where they lie; what was read does not stay in this process's memory."""

    def __init__(self, path: Path, kind: np.dtype[Any], count: int) -> None:
        self._path, self._kind = path, kind
        self._map: mmap.mmap | None = None
        if count:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), count * kind.itemsize, access=mmap.ACCESS_READ)

    def column(self, name: str, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Return a field of some records."""
        field = self._kind[name]
        found = np.empty((len(rows), *field.shape), field.base)
        for begin in range(0, len(rows), _READ_AT_ONCE):
            if self._map is not None:
                part = slice(begin, begin + _READ_AT_ONCE)
                found[part] = np.frombuffer(self._map, self._kind)[name][rows[part]]
                self._map.madvise(mmap.MADV_DONTNEED)
        return found

    def one(self, row: int) -> NDArray[Any]:
        """Return a record; it is not mapped, for Linux would bring all that lies about it."""
        size = self._kind.itemsize
        with self._path.open("rb", buffering=0) as file:
            return np.frombuffer(os.pread(file.fileno(), size, row * size), self._kind.base).reshape(self._kind.shape)


def _seen(fresh: Sequence[Named]) -> Iterator[Seen]:
    """Yield the looks of images, some at a time, in the order in which they are done."""
    pieces = [list(piece) for piece in batches(fresh, _AT_ONCE)]
    done = 0
    here = all(source.local for _, source in fresh)  # what is elsewhere is waited for, not computed
    if here and len(fresh) >= MANY:
        try:
            with helpers(_workers()) as pool:
                for seen in _in_turn(pool, pieces):
                    done += 1
                    yield seen
        except BrokenProcessPool:  # a script that cannot be loaded again, or no memory: then here
            pass
    with ThreadPoolExecutor(_workers()) as pool:
        yield from _in_turn(pool, pieces[done:])


def _workers() -> int:
    return max(1, min(16, os.cpu_count() or 1))


def _in_turn(pool: Executor, pieces: Sequence[list[Named]]) -> Iterator[Seen]:
    """Yield the looks of each piece in order, with only a few of them waiting."""
    waiting: list[Future[Seen]] = []
    for piece in pieces:
        waiting.append(pool.submit(look_at, piece))
        if len(waiting) > 2 * _workers():
            yield waiting.pop(0).result()
    for one in waiting:
        yield one.result()


def look_at(images: Iterable[Named]) -> Seen:
    """Return the looks of images as records."""
    images = list(images)
    prints = np.zeros(len(images), _PRINT)
    squares = np.zeros((len(images), 2, SIDE_PX, SIDE_PX), np.uint8)
    for place, (sha1, source) in enumerate(images):
        prints["sha1"][place] = np.void(bytes.fromhex(sha1))
        try:
            levels = squares_of(upright(opened(source.read_bytes(), Limits(), _LOOKED_AT_PX, grey=True)))
        except UnreadableImageError:
            continue
        prints["state"][place] = BLANK if levels is None else DRAWN
        if levels is not None:
            squares[place] = levels
    drawn = np.flatnonzero(prints["state"] == DRAWN)
    if len(drawn):
        prints["laid"][drawn], prints["parts"][drawn] = prints_of(squares[drawn])
    return prints, squares
