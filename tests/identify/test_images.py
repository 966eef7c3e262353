"""Reading images: every kind there is, and what is refused before it does harm."""

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from identify.images import pixels, subject
from linkeddata.decoding import Limits, UnreadableImageError

LIMITS = Limits(max_bytes=2_000_000, max_pixels=4_000_000)
RED, WHITE = (200, 30, 30), (255, 255, 255)


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def near(colour: Any, wanted: tuple[int, int, int], tolerance: int = 12) -> bool:
    return bool(np.all(np.abs(np.asarray(colour, int) - wanted) <= tolerance))


def middle(data: bytes) -> Any:
    return pixels(data, 32, LIMITS)[16, 16]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "JPEG2000"])
def test_every_format_gives_the_same_picture(kind: str) -> None:
    assert near(middle(saved(Image.new("RGB", (40, 40), RED), kind)), RED)


def test_modes_become_eight_bit_rgb_on_white() -> None:
    assert near(middle(saved(Image.new("RGBA", (40, 40), (*RED, 0)))), WHITE)
    assert near(middle(saved(Image.new("RGBA", (40, 40), (*RED, 255)))), RED)
    assert near(middle(saved(Image.new("LA", (40, 40), (60, 0)))), WHITE)
    assert near(middle(saved(Image.new("L", (40, 40), 60))), (60, 60, 60))
    assert near(middle(saved(Image.new("1", (40, 40), 1))), WHITE)
    assert near(middle(saved(Image.new("CMYK", (40, 40), (0, 255, 255, 0)), "JPEG")), (255, 0, 0), 40)
    palette = Image.new("RGB", (40, 40), RED).convert("P", palette=Image.Palette.ADAPTIVE)
    assert near(middle(saved(palette)), RED)
    assert near(middle(saved(palette, transparency=palette.getpixel((5, 5)))), WHITE)


def test_sixteen_bits_are_scaled_and_not_cut_off() -> None:
    deep = Image.fromarray(np.full((40, 40), 32768, np.uint16))
    assert near(middle(saved(deep)), (128, 128, 128), 2)
    assert near(middle(saved(deep, "TIFF")), (128, 128, 128), 2)


def test_a_turned_photograph_is_put_upright() -> None:
    image = Image.new("RGB", (40, 40), WHITE)
    ImageDraw.Draw(image).rectangle((0, 0, 40, 19), fill=RED)
    exif = Image.Exif()
    exif[0x0112] = 3  # turned by 180 degrees
    turned = pixels(saved(image, "JPEG", exif=exif), 32, LIMITS)
    assert near(turned[26, 16], RED)
    assert near(turned[6, 16], WHITE)


def test_proportions_stay_and_paper_goes_on() -> None:
    image = Image.new("RGB", (200, 100), (90, 120, 150))
    ImageDraw.Draw(image).ellipse((70, 20, 130, 80), fill=RED)
    seen = pixels(saved(image), 64, LIMITS)
    red = np.abs(seen.astype(int) - RED).max(axis=2) < 40
    height, width = np.ptp(np.flatnonzero(red.any(axis=1))), np.ptp(np.flatnonzero(red.any(axis=0)))
    assert abs(int(height) - int(width)) <= 2
    assert near(seen[0, 0], (90, 120, 150))


def test_a_subject_on_paper_is_cut_out_without_frame_and_caption() -> None:
    plate = Image.new("RGB", (400, 300), (240, 230, 210))
    draw = ImageDraw.Draw(plate)
    draw.rectangle((10, 10, 390, 290), outline="black")
    draw.line((120, 270, 280, 270), fill="black")
    draw.ellipse((150, 100, 250, 180), fill=RED)
    left, top, right, bottom = subject(plate)
    assert 120 <= left <= 150 <= 250 <= right <= 280
    assert 70 <= top <= 100 <= 180 <= bottom <= 210


def test_a_picture_without_paper_is_taken_whole() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (80, 120, 3)).astype(np.uint8)
    assert subject(Image.fromarray(noise)) == (0, 0, 120, 80)
    assert subject(Image.new("RGB", (120, 80), WHITE)) == (0, 0, 120, 80)


def test_the_first_frame_of_many_is_read() -> None:
    frames = [Image.new("RGB", (40, 40), colour) for colour in (RED, WHITE)]
    assert near(middle(saved(frames[0], "GIF", save_all=True, append_images=frames[1:])), RED)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 3)])
def test_the_smallest_pictures_are_pictures(size: tuple[int, int]) -> None:
    assert pixels(saved(Image.new("RGB", size, RED)), 32, LIMITS).shape == (32, 32, 3)


def bomb() -> bytes:
    """Return a PNG of a few bytes that claims 100,000 x 100,000 pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


BROKEN = {
    "empty": b"",
    "text": b"not a picture at all",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="1" height="1"/></svg>',
    "pdf": b"%PDF-1.7\n1 0 obj<<>>endobj",
    "cut": saved(Image.effect_noise((200, 200), 80).convert("RGB"), "JPEG")[:2000],
    "head alone": saved(Image.new("RGB", (40, 40)), "PNG")[:30],
    "bomb": bomb(),
    "too many pixels": saved(Image.new("1", (3000, 3000))),
    "too many bytes": b"\xff\xd8" + b"\0" * 3_000_000,
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_image_is_refused_with_a_reason(name: str) -> None:
    with pytest.raises(UnreadableImageError, match=r"\w"):
        pixels(BROKEN[name], 32, LIMITS)


def test_damaged_bytes_never_raise_anything_else() -> None:
    random = np.random.default_rng(3)
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "TIFF"):
        whole = bytearray(saved(Image.effect_noise((60, 50), 60).convert("RGB"), kind))
        for _ in range(25):
            damaged = bytearray(whole)
            for place in random.integers(0, len(damaged), 12):
                damaged[place] = int(random.integers(256))
            try:
                pixels(bytes(damaged), 32, LIMITS)
            except UnreadableImageError:
                continue


def test_emoji_are_read_whatever_their_mode() -> None:
    folder = Path(__file__).resolve().parents[2] / "../shared/data/images/emoji"
    if not folder.is_dir():
        pytest.skip("the recorded data are not here")
    some = sorted(folder.rglob("*.png"))[::60]
    assert some
    assert all(pixels(path.read_bytes(), 48, LIMITS).std() > 1 for path in some)
