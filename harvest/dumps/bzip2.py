"""The blocks of a bzip2 file, one by one, from any place in it. In: bytes from within a file. Out: what they hold.

A bzip2 file is streams of blocks of at most 900,000 bytes; a block begins, at any bit, with the digits of π, a stream
ends with those of its square root, and no block needs another. So a file can be cut at any byte: a block belongs to the
piece in which it begins. (The format: https://github.com/dsnet/compress/blob/master/doc/bzip2-format.pdf.)
"""

import bz2
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import stringzilla

BLOCK = 0x314159265359
END = 0x177245385090
LONGEST_BLOCK = 2 << 20
"""No block is longer than this, compressed: 900,000 bytes that do not compress, and tables."""
STREAM_HEAD = b"BZh9"
CUT_OFF = "cut off"


class Marks(NamedTuple):
    """Where blocks and the ends of streams begin, in bits, in order."""

    at: list[int]
    block: list[bool]


class Damage(NamedTuple):
    """A block that cannot be read."""

    place: int  # bytes of the decompressed piece before it
    byte: int  # of the compressed piece, or of the file, at which it begins
    why: str


def marks(data: bytes) -> Marks:
    """Return where blocks begin and streams end in ``data``.

    >>> marks(bz2.compress(b"a"))
    Marks(at=[32, 211], block=[True, False])
    """
    found = [(at, True) for at in _places(data, BLOCK)] + [(at, False) for at in _places(data, END)]
    found.sort()
    return Marks([at for at, _ in found], [block for _, block in found])


def _places(data: bytes, magic: int) -> Iterator[int]:
    """Yield the bits at which 48 bits occur; five of their bytes are the same whatever stands before and after."""
    for shift in range(8):
        needle = (magic << (8 - shift)).to_bytes(7, "big")[1 if shift else 0 : 6] if shift else magic.to_bytes(6, "big")
        at = stringzilla.find(data, needle)
        while at >= 0:
            begin = at - 1 if shift else at
            seen = int.from_bytes(data[begin : begin + 7].ljust(7, b"\0"), "big") >> (8 - shift)
            if begin >= 0 and seen & ((1 << 48) - 1) == magic:
                yield begin * 8 + shift
            at = stringzilla.find(data, needle, at + 1)


def decompress_piece(data: bytes, size: int) -> tuple[bytes, list[Damage]]:
    """Return what the blocks hold that begin in the first ``size`` bytes of ``data``; the rest may be its end.

    A block that cannot be read leaves a line end in its place, so that nothing is glued together that does not belong.
    """
    found = marks(data)
    ends = [*found.at[1:], len(data) * 8]
    blocks = [
        (begin, end)
        for begin, end, block in zip(found.at, ends, found.block, strict=True)
        if block and begin < size * 8
    ]
    pieces: list[bytes] = []
    damages: list[Damage] = []
    for run in _runs(blocks):
        try:
            pieces.append(bz2.decompress(_stream(data, run)))
        except (OSError, ValueError, EOFError):
            _one_by_one(data, run, pieces, damages)
    if damages and blocks[-1][1] == len(data) * 8:
        damages[-1] = damages[-1]._replace(why=CUT_OFF)
    return b"".join(pieces), damages


def _one_by_one(data: bytes, run: list[tuple[int, int]], pieces: list[bytes], damages: list[Damage]) -> None:
    for begin, end in run:
        try:
            pieces.append(bz2.decompress(_stream(data, [(begin, end)])))
        except (OSError, ValueError, EOFError) as error:
            damages.append(Damage(sum(map(len, pieces)), begin // 8, str(error)))
            pieces.append(b"\n")


def _runs(blocks: Iterable[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """Yield blocks that follow each other without a gap, together."""
    run: list[tuple[int, int]] = []
    for block in blocks:
        if run and run[-1][1] != block[0]:
            yield run
            run = []
        run.append(block)
    if run:
        yield run


def _stream(data: bytes, run: list[tuple[int, int]]) -> bytes:
    """Return a bzip2 stream of these blocks alone: a head, their bits, an end with the checksum of their checksums."""
    begin, end = run[0][0], run[-1][1]
    checksum = 0
    for block, _ in run:
        own = int.from_bytes(_bits(data, block + 48, block + 80), "big")
        checksum = ((checksum << 1 | checksum >> 31) ^ own) & 0xFFFFFFFF
    body = _bits(data, begin, end)
    over = (end - begin) % 8
    tail, count = (body[-1] >> (8 - over), over) if over else (0, 0)
    tail = tail << 80 | END << 32 | checksum
    spare = -(count + 80) % 8
    whole = body[:-1] if over else body
    return STREAM_HEAD + whole + (tail << spare).to_bytes((count + 80 + spare) // 8, "big")


def _bits(data: bytes, begin: int, end: int) -> bytes:
    """Return the bits from ``begin`` to ``end``, from the first bit of the first byte on."""
    shift = begin & 7
    there = np.frombuffer(data, np.uint8, count=(end + 7) // 8 - begin // 8, offset=begin // 8)
    if shift:
        moved = (there << shift).astype(np.uint8)
        moved[:-1] |= there[1:] >> (8 - shift)
        there = moved
    return there[: (end - begin + 7) // 8].tobytes()
