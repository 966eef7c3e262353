"""What stands for a whole JPEG is decoded if and only if the JPEG is, however it was damaged."""

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from linkeddata.decoding import Facts, Limits, TooLargeImageError, UnreadableImageError, checked
from linkeddata.jpegcode import beginning


def _jpeg(mode: str, size: tuple[int, int] = (160, 120), **options: Any) -> bytes:
    grain = np.random.default_rng(1596).integers(0, 255, (size[1], size[0], 3)).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(grain).convert(mode).save(out, "JPEG", **options)
    return out.getvalue()


KINDS: list[dict[str, Any]] = [{}, {"restart_marker_blocks": 3}, {"quality": 95, "subsampling": 0}, {"optimize": True}]
WHOLE = [_jpeg(mode, **options) for mode in ("RGB", "L", "CMYK") for options in KINDS]


def _decodes(data: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
    except Exception:  # a damaged file makes Pillow raise almost anything
        return False
    return True


@pytest.mark.parametrize("data", WHOLE)
def test_a_whole_one_is_known_by_its_beginning(data: bytes) -> None:
    found = beginning(data)
    assert found is not None
    assert found.height_px == 120
    assert len(found.jpeg) < len(data)
    assert checked(data, Limits()) == Facts("image/jpeg", 160, 120)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff\xd9",
        _jpeg("RGB", progressive=True),
        WHOLE[0][:-900],
        WHOLE[0][:-2],
        WHOLE[0] + b"\0",
        WHOLE[0] + WHOLE[1],
        WHOLE[0][:-900] + b"\xff\xc4\xff\xd9",
    ],
)
def test_what_may_not_be_whole_has_to_be_decoded(data: bytes) -> None:
    assert beginning(data) is None


@pytest.mark.parametrize("data", WHOLE)
def test_a_cut_one_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadableImageError):
        checked(data[: len(data) // 2], Limits())


def test_all_lines_count_against_the_limit() -> None:
    with pytest.raises(TooLargeImageError, match="160 × 120 pixels"):
        checked(WHOLE[0], Limits(max_pixels=160 * 120 - 1))


_BYTE = st.one_of(st.sampled_from([b"\x00", b"\xff", b"\xff\xd3", b"\xff\xc4", b"\xff\xda"]), st.binary(max_size=9))


@settings(max_examples=400, deadline=None)
@given(
    data=st.sampled_from(WHOLE),
    damages=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 60), _BYTE), min_size=1, max_size=3),
    in_head=st.booleans(),
)
def test_damage_is_seen_as_well_as_by_decoding_all(
    data: bytes, damages: list[tuple[float, int, bytes]], in_head: bool
) -> None:
    for where, taken, put in damages:
        place = int(where * (min(700, len(data)) if in_head else len(data)))
        data = data[:place] + put + data[place + taken :]
    if (found := beginning(data)) is not None:
        assert _decodes(found.jpeg) == _decodes(data)
