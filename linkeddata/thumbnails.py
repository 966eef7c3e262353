"""Small pictures of large ones. In: an image, as bytes or a path, and a width. Out: JPEG bytes, upright, on white."""

import io
from pathlib import Path

from PIL import Image, ImageOps

WIDTHS = (250, 500, 960)
"""Widths that can be asked for; Wikimedia's standard ones, so that links can be swapped for theirs."""


def thumbnail(source: Path | bytes, width_px: int) -> bytes:
    """Return the image at most ``width_px`` wide and three times as high, never larger than it is.

    Raises ``OSError`` or ``ValueError`` for what Pillow cannot read, or holds for a bomb (179 million pixels and more).
    """
    try:
        return _encoded(_small(source, width_px))
    except Image.DecompressionBombError as error:
        raise ValueError(str(error)) from error


def _small(source: Path | bytes, width_px: int) -> Image.Image:
    with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
        image.draft("RGB", (2 * width_px, 2 * width_px))
        upright = ImageOps.exif_transpose(image)
        if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
            layered = upright.convert("RGBA")
            upright = Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered)
        small = upright.convert("RGB")
    small.thumbnail((width_px, 3 * width_px), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return small


def _encoded(small: Image.Image) -> bytes:
    out = io.BytesIO()
    small.save(out, "JPEG", quality=85, optimize=True)
    return out.getvalue()
