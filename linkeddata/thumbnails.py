"""Small pictures of large ones. In: an image, as bytes or a path, and a width. Out: JPEG bytes, upright, on white."""

import io
from pathlib import Path

from PIL import Image

from linkeddata.decoding import Limits, opened, upright

WIDTHS = (250, 500, 960, 1920)
"""Widths that can be asked for; Wikimedia's standard ones, so that links can be swapped for theirs."""


def thumbnail(source: Path | bytes, width_px: int) -> bytes:
    """Return the image at most ``width_px`` wide and three times as high, never larger than it is.

    Raises ``OSError`` for a file that is not there, ``UnreadableImageError`` (a ``ValueError``) for what is no image
    within the limits.
    """
    small = upright(opened(source, Limits(), 2 * width_px))
    small.thumbnail((width_px, 3 * width_px), Image.Resampling.LANCZOS, reducing_gap=3.0)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=85, optimize=True)
    return out.getvalue()
