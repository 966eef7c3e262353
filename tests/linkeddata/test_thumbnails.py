"""Small pictures: their size, that they are upright, and what is behind transparency."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from linkeddata.thumbnails import thumbnail


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return the image as a file's bytes."""
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    """Return the JPEG in ``data``, read."""
    with Image.open(BytesIO(data)) as image:
        assert image.format == "JPEG"
        image.load()
        return image.copy()


def test_a_wide_picture_becomes_as_wide_as_asked(tmp_path: Path) -> None:
    path = tmp_path / "plate.png"
    path.write_bytes(encoded(Image.new("RGB", (1000, 500), "navy"), "PNG"))
    assert opened(thumbnail(path, 250)).size == (250, 125)


def test_a_small_picture_stays_as_it_is() -> None:
    assert opened(thumbnail(encoded(Image.new("L", (40, 60)), "PNG"), 250)).size == (40, 60)


def test_a_turned_picture_is_put_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    assert opened(thumbnail(encoded(Image.new("RGB", (80, 40)), "JPEG", exif=exif), 250)).size == (40, 80)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_paper_is_white(mode: str) -> None:
    clear = Image.new("RGBA", (20, 20), (0, 0, 0, 0)).convert(mode)
    data = encoded(clear, "PNG", **({"transparency": clear.getpixel((0, 0))} if mode == "P" else {}))
    assert opened(thumbnail(data, 250)).getpixel((10, 10)) == (255, 255, 255)


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="not an image"):
        thumbnail(b"<html>", 250)
