"""Blocks of bzip2 from any place in a file."""

import bz2
import random

import pytest

from harvest.dumps.bzip2 import CUT_OFF, decompress_piece, marks


@pytest.fixture(scope="module")
def text() -> bytes:
    """Three megabytes that hardly compress: four blocks of the largest size."""
    return random.Random(7).randbytes(1_500_000).hex().encode()


def _in_pieces(data: bytes, size: int) -> bytes:
    found = []
    for begin in range(0, len(data), size):
        piece, damages = decompress_piece(data[begin:], size)
        assert damages == []
        found.append(piece)
    return b"".join(found)


@pytest.mark.parametrize("size", [100_003, 700_001, 10**9])
@pytest.mark.parametrize("level", [1, 9])
def test_pieces_hold_what_the_whole_holds(text: bytes, size: int, level: int) -> None:
    assert _in_pieces(bz2.compress(text, level), size) == text


def test_several_streams_and_empty_ones(text: bytes) -> None:
    streams = [text[:10], b"", text[10:1_000_000], text[1_000_000:]]
    assert _in_pieces(b"".join(map(bz2.compress, streams)), 300_000) == text


def test_marks_at_every_bit() -> None:
    shifts = set()
    for length in range(60):
        found = marks(bz2.compress(random.Random(length).randbytes(length)) + b"rest")
        shifts |= {at % 8 for at in found.at}
        assert found.block == ([True, False] if length else [False])
    assert shifts == set(range(8))


def test_a_damaged_block_leaves_a_line_end_and_the_others(text: bytes) -> None:
    data = bytearray(bz2.compress(text))
    second = marks(bytes(data)).at[1] // 8
    data[second + 1000] ^= 0xFF
    found, damages = decompress_piece(bytes(data), len(data))
    begin = text.index(found.partition(b"\n")[2][:100])
    assert found == text[: damages[0].place] + b"\n" + text[begin:]
    assert 800_000 < begin - damages[0].place < 900_001
    assert [damage.byte for damage in damages] == [second]


def test_a_file_that_is_cut_off_keeps_its_whole_blocks(text: bytes) -> None:
    data = bz2.compress(text)
    found, damages = decompress_piece(data[: len(data) * 2 // 3], len(data))
    assert text.startswith(found.removesuffix(b"\n"))
    assert len(found) > 1_000_000
    assert [damage.why for damage in damages] == [CUT_OFF]
