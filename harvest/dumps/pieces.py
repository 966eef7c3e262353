"""A dump in pieces that can be read at the same time. In: a path and where to begin. Out: pieces, in order.

What a file is, its first bytes say: gzip, bzip2 or plain. Plain and bzip2 pieces are spans of the file that whoever
reads the piece loads; gzip has no places to begin at, so its pieces are decompressed on the way (by ISA-L where it is
installed, https://python-isal.readthedocs.io) and carry their bytes.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harvest.dumps.bzip2 import CUT_OFF, LONGEST_BLOCK, Damage, decompress_piece

_zlib: Any
try:
    from isal import isal_zlib as _zlib
except ImportError:
    _zlib = zlib

PIECE = 1 << 20
"""Bytes of the file that a piece of a plain or bzip2 file takes."""
READ = 64 << 10
"""Bytes of the file that a piece of a gzip file takes: decompressed, some 300,000, which a core keeps at hand."""
GZIP_HEADED = 31
"""What zlib calls a stream with a gzip head."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file a piece begins: in bytes of the file, of a gzip file in decompressed bytes.

    ``member`` and ``member_at`` say where the gzip member begins in which that is: in the file, and decompressed.
    """

    at: int = 0
    member: int = 0
    member_at: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a file: its bytes, or the span that holds them."""

    path: Path
    kind: str
    begin: int
    after: Place
    done: int  # bytes of the file that are behind it
    data: bytes = b""
    damages: tuple[Damage, ...] = ()

    def load(self) -> tuple[bytes, tuple[Damage, ...]]:
        """Return the decompressed bytes, and what of them could not be read. Raises ``OSError``."""
        if self.kind == "gzip":
            return self.data, self.damages
        size = self.after.at - self.begin
        with self.path.open("rb") as file:
            file.seek(self.begin)
            if self.kind == "plain":
                return file.read(size), ()
            data, damages = decompress_piece(file.read(size + LONGEST_BLOCK), size)
        return data, tuple(damage._replace(byte=self.begin + damage.byte) for damage in damages)


def kind_of(path: Path) -> str:
    """Return ``gzip``, ``bzip2`` or ``plain``, by the first bytes. Raises ``OSError``."""
    with path.open("rb") as file:
        head = file.read(3)
    return "gzip" if head[:2] == b"\x1f\x8b" else "bzip2" if head == b"BZh" else "plain"


def pieces_of(path: Path, begin: Place) -> Iterator[Piece]:
    """Yield the pieces of a file from ``begin`` on. Raises ``OSError``."""
    kind = kind_of(path)
    if kind == "gzip":
        yield from _gzip_pieces(path, begin)
        return
    size = path.stat().st_size
    for at in range(begin.at, size, PIECE):
        end = min(at + PIECE, size)
        yield Piece(path, kind, at, Place(end), end)


def _gzip_pieces(path: Path, begin: Place) -> Iterator[Piece]:
    """Yield what each ``READ`` bytes of the file give; what comes before the place is dropped."""
    at = begin.member_at
    stream = _Gzip(path, begin)
    for data in stream:
        at += len(data)
        if at > begin.at:
            new = data[begin.at - at :] if at - len(data) < begin.at else data
            yield Piece(path, "gzip", at - len(new), stream.place(at), stream.done, new)
    if stream.trouble:
        yield Piece(path, "gzip", at, stream.place(at), stream.done, b"", (Damage(0, stream.done, stream.trouble),))


class _Gzip:
    """The decompressed bytes of a gzip file, member by member; ends at the first that cannot be read."""

    def __init__(self, path: Path, begin: Place) -> None:
        self._path = path
        self._begin = begin
        self._members = [(begin.member, begin.member_at)]
        self.done = begin.member
        self.trouble = ""

    def __iter__(self) -> Iterator[bytes]:
        given = self._begin.member_at
        with self._path.open("rb") as file:
            file.seek(self._begin.member)
            stream: Any = _zlib.decompressobj(GZIP_HEADED)
            data = b""
            fresh = True  # nothing of this member has been read
            # Reads end at multiples of READ, so that they give the same wherever they began.
            while data or (data := file.read(READ - file.tell() % READ)):
                if fresh:
                    data = data.lstrip(b"\0")  # some writers pad the end with zeros, as RFC 1952 does not forbid
                    fresh = not data
                    if fresh:
                        continue
                    self._members.append((file.tell() - len(data), given))
                try:
                    found = stream.decompress(data)
                except _zlib.error as error:
                    self.trouble = str(error)
                    return
                data = stream.unused_data
                given += len(found)
                self.done = file.tell() - len(data)
                if stream.eof:
                    stream, fresh = _zlib.decompressobj(GZIP_HEADED), True
                yield found
            if not fresh:
                self.trouble = CUT_OFF

    def place(self, at: int) -> Place:
        """Return the place of a decompressed byte; of later ones only, afterwards."""
        while len(self._members) > 1 and self._members[1][1] <= at:
            self._members.pop(0)
        return Place(at, *self._members[0])
