"""Bytes of an image to a picture. In: bytes or a file from anybody, limits. Out: upright sRGB, or what is wrong.

The one place where images are decoded: checking what was fetched, small copies, training and answering see the same.
A file is what its first bytes say, whatever its name or header. Bytes and pixels are held against the limits before
anything is decoded; of several pages or frames the first one counts. Whatever the file is (16 bits, CMYK, palette, one
bit, transparent, turned by EXIF, of another colour space), the picture is 8-bit sRGB, upright, on white.
"""

import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from linkeddata.jpegcode import beginning

MIMES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "TIFF": "image/tiff",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "JPEG2000": "image/jp2",
}
"""What is read, as Pillow names it, with its media type."""

_AT_ONCE = 32_000_000
"""A file of at most so many bytes is read into memory to be checked."""
_FORMATS = tuple(name for name in MIMES if name != "MPO")  # MPO opens as JPEG

# Pillow's own limit warns at 89 megapixels and cannot be set for one image; ``Limits`` are held against every header.
Image.MAX_IMAGE_PIXELS = None


class UnreadableImageError(ValueError):
    """Bytes that are no image we read; the text says why. Becomes a ``Failure`` or an answer where it is met."""


class TooLargeImageError(UnreadableImageError):
    """An image beyond the limits; it was not decoded."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is refused before anything is decoded."""

    max_bytes: int = 200_000_000
    max_pixels: int = 200_000_000


@dataclass(frozen=True, slots=True)
class Facts:
    """What an image is, by its content."""

    mime: str
    width_px: int
    height_px: int


def checked(source: bytes | Path, limits: Limits) -> Facts:
    """Return what an image is, when its first page can be decoded to the last line. Raises ``UnreadableImageError``.

    Of a JPEG only a picture of an eighth of its size is made, and that only of its first lines where it can be seen
    that no more is needed to tell (``jpegcode``).
    """
    begun = None
    if _size(source, limits) <= _AT_ONCE:
        source = source if isinstance(source, bytes) else source.read_bytes()
        begun = beginning(source)
    with _header(begun.jpeg if begun else source, limits, begun.height_px if begun else 0) as image:
        facts = Facts(MIMES[image.format or ""], image.width, begun.height_px if begun else image.height)
        _load(image, 1)
    return facts


def opened(source: bytes | Path, limits: Limits, wanted_px: int = 0, *, grey: bool = False) -> Image.Image:
    """Return the first page, decoded, in whatever mode it has. Raises ``UnreadableImageError``.

    ``wanted_px``: a picture whose longer side is at least this is enough, and with ``grey`` one without colours, which
    saves time where the format can do it (JPEG).
    """
    image = _header(source if isinstance(source, bytes) else source.read_bytes(), limits)
    _load(image, wanted_px, "L" if grey else None)
    return image


def reduced(image: Image.Image) -> bool:
    """Say whether a picture was decoded at less than its own size."""
    return bool((getattr(image, "decoderconfig", ()) or (1,))[0] > 1)


def _size(source: bytes | Path, limits: Limits) -> int:
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    if size > limits.max_bytes:
        raise TooLargeImageError(f"{size} bytes, more than {limits.max_bytes}")
    return size


def _header(source: bytes | Path, limits: Limits, height_px: int = 0) -> Image.Image:
    """Return an image of which only the header is read, and found within the limits.

    ``height_px`` is how high it is where ``source`` is only the beginning of it.
    """
    _size(source, limits)
    try:
        image = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=_FORMATS)
    except UnidentifiedImageError as error:
        raise UnreadableImageError("not an image of a kind that is read") from error
    # A damaged file makes Pillow raise almost anything, here and below; none of it is about us.
    except Exception as error:
        raise _unreadable(error) from error
    height_px = height_px or image.height
    if image.width * height_px > limits.max_pixels:
        image.close()
        raise TooLargeImageError(f"{image.width} × {height_px} pixels, more than {limits.max_pixels}")
    return image


def _load(image: Image.Image, wanted_px: int, mode: str | None = None) -> None:
    try:
        if wanted_px:
            longest = max(image.size)
            image.draft(mode, (max(1, image.width * wanted_px // longest), max(1, image.height * wanted_px // longest)))
        image.load()
    except Exception as error:
        image.close()
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> UnreadableImageError:
    return UnreadableImageError(f"{type(error).__name__}: {error}"[:200])


def upright(image: Image.Image) -> Image.Image:
    """Return 8-bit sRGB on white, turned as EXIF says. Raises ``UnreadableImageError``."""
    try:
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I;16") or image.mode in ("I", "F"):
            return _eight_bits(image)
        if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
            return _on_white(image)
        return _srgb(image.convert("RGB") if image.mode == "P" else image)
    except Exception as error:
        raise _unreadable(error) from error


def _on_white(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    layered = image.convert("RGBA")
    paper = Image.new("RGB", layered.size, "white")
    colours = layered.convert("RGB")
    # A profile of grey is none of RGB.
    colours.info["icc_profile"] = None if image.mode in ("L", "LA", "La") else profile
    paper.paste(_srgb(colours), mask=layered.getchannel("A"))
    return paper


def _srgb(image: Image.Image) -> Image.Image:
    """Return ``image`` in sRGB by its colour profile; without one, or with a broken one, it is taken for sRGB."""
    transform = _transform(image.info.get("icc_profile") or b"", image.mode)
    if transform is None:
        return image.convert("RGB")
    return ImageCms.applyTransform(image, transform) or image.convert("RGB")


@lru_cache(64)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return how colours of ``profile`` become sRGB; ``None`` where they are it already or cannot be changed."""
    if not profile or mode not in ("RGB", "L", "CMYK"):
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if mode == "RGB" and "sRGB" in ImageCms.getProfileDescription(source):
            return None
        # Without a cache of its own, a transform can be used by several threads.
        flags = ImageCms.Flags.NOCACHE
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB", flags=flags)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return a grey image of 16 or 32 bits in 8 (Pillow would cut off instead of scaling)."""
    values = np.nan_to_num(np.asarray(image, np.float64))
    top = 65535.0 if image.mode != "F" or values.max(initial=0.0) > 1.0 else 1.0
    return Image.fromarray((np.clip(values / top, 0.0, 1.0) * 255).round().astype(np.uint8)).convert("RGB")
