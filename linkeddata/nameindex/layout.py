"""The file format of an index: named arrays in one file. In: arrays. Out: a file that is mapped, not read.

::

    DEBOODT NAMES 2\\n | length of the directory (8 bytes) | directory (JSON) | array | array | …

Every array begins at a multiple of 4,096 bytes, so that a reader maps the file once and sees each array in place.
"""

import json
import mmap
import os
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy
import numpy.typing

from linkeddata.errors import UsageError

MAGIC = b"DEBOODT NAMES 2\n"
NO_ROW = 0xFFFFFFFF
"""Stands where a row number would, for none."""
ALIGNMENT = 4096
DIRECTORY_BYTES = 65536
"""Room kept for the directory at the beginning of the file."""

MAPPED_AT_MOST = 128 << 20
"""Bytes of files in this process's memory above which they are given back."""
_STATM = Path("/proc/self/statm")

Array = numpy.typing.NDArray[Any]


class IndexWriter:
    """Writes arrays one after another; ``finish`` puts the directory in front of them."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._sections: dict[str, tuple[Any, int, int]] = {}
        file.seek(DIRECTORY_BYTES)

    def add(self, name: str, array: Array) -> None:
        """Write an array under a name."""
        kind = array.dtype.str if array.dtype.names is None else array.dtype.descr
        self._begin(name, kind, len(array))
        array.tofile(self._file)

    def add_pieces(self, name: str, pieces: Any) -> None:
        """Write bytes that come in pieces, under a name."""
        self._begin(name, "|u1", 0)
        start = self._file.tell()
        for piece in pieces:
            self._file.write(piece)
        dtype, offset, _ = self._sections[name]
        self._sections[name] = (dtype, offset, self._file.tell() - start)

    def finish(self, about: Mapping[str, str]) -> None:
        """Write the directory, and what the index says of itself."""
        directory = json.dumps({"about": dict(about), "sections": self._sections}).encode()
        if len(directory) > DIRECTORY_BYTES - len(MAGIC) - 8:
            raise ValueError("the directory of the index is too long")
        self._file.seek(0)
        self._file.write(MAGIC + len(directory).to_bytes(8, "little") + directory)
        self._file.flush()

    def _begin(self, name: str, dtype: Any, length: int) -> None:
        offset = -(-self._file.tell() // ALIGNMENT) * ALIGNMENT
        self._file.seek(offset)
        self._sections[name] = (dtype, offset, length)


class MappedFile:
    """An index file, mapped read-only; ``arrays`` are views into it."""

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                head = file.read(len(MAGIC) + 8)
                if not head.startswith(MAGIC):
                    raise UsageError(f"{path} is no index of names of this version; build it with `names index`")
                directory = json.loads(file.read(int.from_bytes(head[len(MAGIC) :], "little")))
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise UsageError(f"the index {path} cannot be opened: {error}") from error
        self._statistics = os.open(_STATM, os.O_RDONLY | os.O_CLOEXEC) if _STATM.exists() else -1
        self._forget = weakref.finalize(self, os.close, self._statistics) if self._statistics >= 0 else None
        self.about: dict[str, str] = directory["about"]
        self._offsets: dict[str, int] = {}
        self.arrays: dict[str, Array] = {}
        self.tables: dict[str, Array] = {}
        """The arrays whose entries have several fields, whole; ``arrays`` has their fields."""
        for name, (kind, offset, length) in directory["sections"].items():
            dtype = numpy.dtype([(field, part) for field, part in kind] if isinstance(kind, list) else kind)
            whole = numpy.frombuffer(self._map, dtype, length, offset) if length else numpy.zeros(0, dtype)
            self._offsets[name] = offset
            if dtype.names is None:
                self.arrays[name] = whole
            else:
                self.tables[name] = whole
                self.arrays |= {field: whole[field] for field in dtype.names}

    def section(self, name: str) -> tuple[mmap.mmap, int]:
        """Return the map and where a section begins in it: slicing a map copies bytes without a view."""
        return self._map, self._offsets[name]

    def rows(self, name: str, numbers: Array) -> Array:
        """Return copies of some entries of a table, each with all its fields."""
        table = self.tables[name]
        return table.view(f"V{table.dtype.itemsize}").take(numbers).view(table.dtype)

    def trim(self) -> None:
        """Give the pages that were looked at back to the system when they have become many.

        It keeps them in its cache as long as it likes, but would count them as memory of this process: the whole piece
        of the file around each byte looked at, which may be 64 KiB or 2 MiB.
        """
        if hasattr(mmap, "MADV_DONTNEED") and self._mapped_bytes() > MAPPED_AT_MOST:
            self._map.madvise(mmap.MADV_DONTNEED)

    def _mapped_bytes(self) -> int:
        """Return how much of this process's memory is parts of files, as Linux counts; elsewhere more than can be."""
        try:
            return int(os.pread(self._statistics, 200, 0).split(b" ", 3)[2]) * mmap.PAGESIZE
        except OSError:  # no such figures here, or those of a process that forked this one and is gone
            return 1 << 62

    def close(self) -> None:
        """Let go of the arrays; the system unmaps the file when the last view of it is gone."""
        self.arrays, self.tables = {}, {}
        self._statistics = -1
        if self._forget is not None:
            self._forget()
