"""Decoding whatever people publish: every kind of file, and what is refused before it does harm."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from linkeddata.decoding import Facts, Limits, TooLargeImageError, UnreadableImageError, checked, opened, upright

LIMITS = Limits(max_bytes=3_000_000, max_pixels=4_000_000)
RED, WHITE = (200, 30, 30), (255, 255, 255)


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def middle(data: bytes) -> tuple[int, ...]:
    picture = upright(opened(data, LIMITS))
    assert picture.mode == "RGB"
    found = picture.getpixel((picture.width // 2, picture.height // 2))
    assert isinstance(found, tuple)
    return tuple(map(int, found))


def near(colour: tuple[int, ...], wanted: tuple[int, ...], tolerance: int = 6) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(colour, wanted, strict=True))


@pytest.mark.parametrize(
    ("kind", "mime"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("WEBP", "image/webp"),
        ("TIFF", "image/tiff"),
        ("GIF", "image/gif"),
        ("BMP", "image/bmp"),
        ("JPEG2000", "image/jp2"),
    ],
)
def test_a_file_is_what_its_content_says(kind: str, mime: str, tmp_path: Path) -> None:
    path = tmp_path / "plate.exe"
    path.write_bytes(saved(Image.new("RGB", (40, 30), RED), kind))
    assert checked(path, LIMITS) == checked(path.read_bytes(), LIMITS) == Facts(mime, 40, 30)


def tiff_of_sixteen_bits(mode: str, value: int) -> bytes:
    """Return an uncompressed TIFF of 8 by 8 pixels with 16 bits a sample (Pillow writes none in colour)."""
    samples = {"grey": 1, "colour": 3}[mode]
    data = struct.pack(f"<{64 * samples}H", *([value] * 64 * samples))
    bits = struct.pack(f"<{samples}H", *([16] * samples)).ljust(8, b"\0")
    tags = [
        (256, 3, 1, 8),
        (257, 3, 1, 8),
        (258, 3, samples, 8 if samples > 2 else 16),
        (259, 3, 1, 1),
        (262, 3, 1, 2 if samples > 1 else 1),
        (273, 4, 1, 16),
        (277, 3, 1, samples),
        (278, 3, 1, 8),
        (279, 4, 1, len(data)),
    ]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    head = struct.pack("<2sHI", b"II", 42, 16 + len(data)) + bits
    return head + data + struct.pack("<H", len(tags)) + entries + b"\0\0\0\0"


@pytest.mark.parametrize("mode", ["grey", "colour"])
@pytest.mark.parametrize("value", [0, 16384, 32768, 65535])
def test_sixteen_bits_become_eight(mode: str, value: int) -> None:
    assert near(middle(tiff_of_sixteen_bits(mode, value)), (value >> 8,) * 3, 1)


def swapped(profile: bytes) -> bytes:
    """Return an RGB profile whose first channel is green and whose second is red."""
    renamed = profile.replace(b"rXYZ", b"-tmp").replace(b"gXYZ", b"rXYZ").replace(b"-tmp", b"gXYZ")
    return renamed.replace(b"s\0R\0G\0B", b"o\0d\0d\0!").replace(b"sRGB", b"odd!")


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_colours_of_another_profile_become_srgb(kind: str) -> None:
    options = {"quality": 100} if kind in ("JPEG", "WEBP") else {}
    image = Image.new("RGB", (40, 40), (220, 40, 40))
    assert near(middle(saved(image, kind, icc_profile=srgb(), **options)), (220, 40, 40))
    assert near(middle(saved(image, kind, icc_profile=swapped(srgb()), **options)), (40, 220, 40), 8)


def test_a_profile_holds_beneath_transparency_and_in_a_palette() -> None:
    clear = Image.new("RGBA", (40, 40), (220, 40, 40, 255))
    assert near(middle(saved(clear, icc_profile=swapped(srgb()))), (40, 220, 40), 8)
    palette = Image.new("RGB", (40, 40), (220, 40, 40)).convert("P", palette=Image.Palette.ADAPTIVE)
    assert near(middle(saved(palette, icc_profile=swapped(srgb()))), (40, 220, 40), 8)


@pytest.mark.parametrize("profile", [b"no profile at all", b"", srgb()[:200]])
def test_a_broken_profile_is_no_reason_to_lose_an_image(profile: bytes) -> None:
    assert near(middle(saved(Image.new("RGB", (40, 40), RED), "JPEG", icc_profile=profile)), RED)
    grey = saved(Image.new("L", (40, 40), 60), "JPEG", icc_profile=srgb())  # a profile of another mode
    assert near(middle(grey), (60, 60, 60))


MODES: dict[str, tuple[Callable[[], bytes], tuple[int, ...]]] = {
    "one bit": (lambda: saved(Image.new("1", (40, 40), 1)), WHITE),
    "one bit, fax": (lambda: saved(Image.new("1", (40, 40), 0), "TIFF", compression="group4"), (0, 0, 0)),
    "grey": (lambda: saved(Image.new("L", (40, 40), 60)), (60, 60, 60)),
    "grey, clear": (lambda: saved(Image.new("LA", (40, 40), (60, 0))), WHITE),
    "half clear": (lambda: saved(Image.new("RGBA", (40, 40), (0, 0, 0, 128))), (127, 127, 127)),
    "palette": (lambda: saved(Image.new("P", (40, 40)), "GIF"), (0, 0, 0)),
    "palette, clear": (lambda: saved(Image.new("P", (40, 40)), "GIF", transparency=0), WHITE),
    "CMYK JPEG": (lambda: saved(Image.new("CMYK", (40, 40), (0, 255, 255, 0)), "JPEG"), (255, 0, 0)),
    "CMYK TIFF": (lambda: saved(Image.new("CMYK", (40, 40), (255, 0, 255, 0)), "TIFF"), (0, 255, 0)),
    "YCbCr TIFF": (lambda: saved(Image.new("RGB", (40, 40), RED), "TIFF", compression="jpeg"), RED),
    "Lab TIFF": (lambda: saved(Image.new("LAB", (40, 40), (128, 128, 128)), "TIFF"), (119, 119, 119)),
    "32 bits": (lambda: saved(Image.fromarray(np.full((40, 40), 0.5, np.float32)), "TIFF"), (128, 128, 128)),
}


@pytest.mark.parametrize("name", MODES)
def test_every_mode_becomes_eight_bit_srgb_on_white(name: str) -> None:
    make, wanted = MODES[name]
    assert near(middle(make()), wanted, 14)


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP", "PNG", "MPO"])
def test_of_several_pages_or_frames_the_first_counts(kind: str) -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in (RED, WHITE)]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:])
    assert near(middle(data), RED, 12)
    assert checked(data, LIMITS).width_px == 40


@pytest.mark.parametrize("turn", range(1, 9))
def test_pictures_are_put_upright(turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    picture = upright(opened(saved(Image.new("RGB", (40, 20), RED), "JPEG", exif=exif), LIMITS))
    assert picture.size == ((40, 20) if turn < 5 else (20, 40))


def bomb(side: int = 100_000) -> bytes:
    """Return a PNG of a few bytes that claims ``side`` by ``side`` pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + body + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [2_001, 13_500, 100_000])
def test_a_bomb_is_refused_by_its_header(side: int) -> None:
    with pytest.raises(TooLargeImageError, match=f"{side} × {side} pixels"):
        checked(bomb(side), LIMITS)


def test_the_limit_is_ours_and_not_the_decoders() -> None:
    wide = saved(Image.new("1", (13_500, 13_500)))  # beyond what Pillow alone lets pass
    assert checked(wide, Limits()) == Facts("image/png", 13_500, 13_500)


def test_too_many_bytes_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(b"\xff\xd8" + bytes(3_000_000))
    with pytest.raises(TooLargeImageError, match="3000002 bytes"):
        checked(path, LIMITS)


NOISE = Image.effect_noise((200, 200), 80).convert("RGB")
BROKEN = {
    "empty": b"",
    "text": b"not a picture at all",
    "html": b"<!DOCTYPE html><title>Wikimedia Error</title>",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="1" height="1"/></svg>',
    "pdf": b"%PDF-1.7\n1 0 obj<<>>endobj",
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
    **{f"cut {kind}": saved(NOISE, kind)[:-900] for kind in ("JPEG", "PNG", "TIFF", "GIF", "WEBP", "BMP")},
    "head alone": saved(NOISE)[:30],
    "body of a bomb": bomb(1000),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_refused_with_a_reason(name: str, tmp_path: Path) -> None:
    path = tmp_path / "broken"
    path.write_bytes(BROKEN[name])
    for source in (path, BROKEN[name]):
        with pytest.raises(UnreadableImageError, match=r"\w"):
            checked(source, LIMITS)
