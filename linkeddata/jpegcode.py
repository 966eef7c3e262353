"""Whether the code of a JPEG is all there. In: a file's bytes. Out: a small JPEG that stands for it, or nothing.

A decoder of JPEG takes any code for a picture: wrong bits make wrong pixels and a warning. What makes it refuse a file
is a head that it does not understand, a segment in the middle of the code that it does not, or an end that is missing
(ITU-T T.81, annex B: in the code of a scan every byte 255 is followed by 0 or the number of a restart; anything else
is a marker). In a JPEG of one scan these can be seen without undoing the code, at a tenth of the cost: what the decoder
makes of the head and some of the code it makes of the whole.
"""

import struct
from typing import NamedTuple

import numpy as np
import stringzilla

_START, _END = b"\xff\xd8", b"\xff\xd9"
_ONE_SCAN = (0xC0, 0xC1)
"""Baseline and extended sequential frames; of the others a scan says only a part."""
_SCAN = 0xDA
_CODE_BYTES = 512
_LINES = 16
"""How much of the code, and of the picture, is left in."""
_MOST_LINES = 65_500
"""What the decoder takes; more it must refuse itself."""


class Beginning(NamedTuple):
    """A JPEG of the first lines of another one, and how many lines that has."""

    jpeg: bytes
    height_px: int


def beginning(data: bytes) -> Beginning | None:
    """Return a JPEG of the same head and the first lines, if all between head and end is code.

    It is decoded without an error if and only if ``data`` is. ``None`` for what is not a JPEG of one scan that ends
    where the file ends; then only decoding can tell.
    """
    if not (data.startswith(_START) and data.endswith(_END)):
        return None
    frame, code = _places(data)
    if not code or not _is_code(data, code, len(data) - 2):
        return None
    (lines,) = struct.unpack_from(">H", data, frame)
    if not 0 < lines <= _MOST_LINES:
        return None
    cut = min(code + _CODE_BYTES, len(data) - 2)
    while data[cut - 1] == 0xFF:  # half of a pair
        cut -= 1
    jpeg = data[:frame] + struct.pack(">H", min(lines, _LINES)) + data[frame + 2 : cut] + _END
    return Beginning(jpeg, lines)


def _places(data: bytes) -> tuple[int, int]:
    """Return where the number of lines stands and where the code of the only scan begins, 0 where there is no such."""
    place, components, frame = 2, 0, 0
    while place + 5 <= len(data) and data[place] == 0xFF:
        kind, size = data[place + 1], struct.unpack_from(">H", data, place + 2)[0]
        after = place + 2 + size
        if kind == _SCAN:
            return frame, after if components and data[place + 4] == components else 0
        if kind in _ONE_SCAN and not components and place + 10 <= len(data):
            components, frame = data[place + 9], place + 5
        elif not (kind in (0xC4, 0xDB, 0xDD, 0xFE) or 0xE0 <= kind <= 0xEF):
            return 0, 0
        place = after
    return 0, 0


def _is_code(data: bytes, start: int, end: int) -> bool:
    """Say whether there is no marker in the code but restarts."""
    if start >= end or data[end - 1] == 0xFF:
        return False
    if stringzilla.count(data, b"\xff", start, end) == stringzilla.count(data, b"\xff\0", start, end):
        return True
    code = np.frombuffer(data, np.uint8)[start:end]
    markers = (code[:-1] == 0xFF) & (code[1:] != 0)
    kinds = code[1:][markers]
    return bool(((kinds >= 0xD0) & (kinds <= 0xD7)).all())
