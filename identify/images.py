"""Bytes of an image to what a model sees. In: bytes from anybody, limits. Out: pixels, or ``UnreadableImageError``.

``linkeddata.decoding`` makes a picture of whatever the file is; here its subject is cut out and put on a square.
Training and answering both come through here, so that they see the same.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from linkeddata.decoding import Limits, opened, reduced, upright

Pixels = NDArray[np.uint8]
THUMBNAIL_PX = 96
"""Longest side of the picture on which the subject is looked for; the figures below are for this size."""
UNLIKE_PAPER = 0.13  # in one channel, 0 to 1
MOST_UNLIKE = 0.4  # share of a border that may be drawn on and still be plain paper
DENSE = 107  # of 255: marks in a square of 5 by 5
SMALLEST = 0.02  # share of the picture that a subject takes at least
MARGIN = 0.06  # of the subject's longest side
UNREADABLE = "unreadable image"
"""Reason of the failure that such an image becomes."""


def pixels(data: bytes, size_px: int, limits: Limits) -> Pixels:
    """Return an image as the model sees it: RGB, 0-255, shape (size_px, size_px, 3).

    A subject on plain paper is cut out with a little of the paper around it; a picture without such a border is taken
    whole. Its proportions stay; what is left of the square takes the colour of the picture's border, so that paper goes
    on as paper. A JPEG is decoded at the smallest scale that leaves enough of it, and once more at a larger one where
    its subject takes little of it. Raises ``UnreadableImageError``.
    """
    raw = opened(data, limits, size_px)
    less = reduced(raw)
    image = upright(raw)
    box = subject(image)
    longest = max(box[2] - box[0], box[3] - box[1])
    if less and longest < size_px:
        image = upright(opened(data, limits, -(-size_px * max(image.size) // longest)))
        box = subject(image)
    width, height = box[2] - box[0], box[3] - box[1]
    scale = size_px / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = image.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    return _squared(np.asarray(small, np.uint8), size_px)


def subject(image: Image.Image) -> tuple[int, int, int, int]:
    """Return the box (left, top, right, bottom; pixels) of what is drawn on plain paper; the whole of other pictures.

    Paper is the median colour of the border. Thin things (a caption, a frame's lines) do not count as drawn.
    """
    whole = (0, 0, image.width, image.height)
    scale = THUMBNAIL_PX / max(image.size)
    size = tuple(max(4, round(side * scale)) for side in image.size)
    small = np.asarray(image.resize((size[0], size[1]), Image.Resampling.BOX), np.float32) / 255.0
    edges = np.concatenate([e.reshape(-1, 3) for e in (small[:2], small[-2:], small[:, :2], small[:, -2:])])
    paper = np.median(edges, axis=0)
    if np.mean(np.abs(edges - paper).max(axis=1) > UNLIKE_PAPER) > MOST_UNLIKE:
        return whole
    marks = np.abs(small - paper).max(axis=-1) > UNLIKE_PAPER
    dense = np.asarray(Image.fromarray((marks * 255).astype(np.uint8)).filter(ImageFilter.BoxBlur(2))) > DENSE
    rows, columns = np.flatnonzero(dense.any(axis=1)), np.flatnonzero(dense.any(axis=0))
    if dense.mean() < SMALLEST:
        return whole
    top, bottom, left, right = rows[0] - 1, rows[-1] + 2, columns[0] - 1, columns[-1] + 2
    margin = MARGIN * max(bottom - top, right - left)
    return (
        max(0, int((left - margin) / scale)),
        max(0, int((top - margin) / scale)),
        min(image.width, int((right + margin) / scale)),
        min(image.height, int((bottom + margin) / scale)),
    )


def _squared(picture: Pixels, size_px: int) -> Pixels:
    """Return ``picture`` in the middle of a square of its border's median colour."""
    height, width = picture.shape[:2]
    edges = (picture[0], picture[-1], picture[:, 0], picture[:, -1])
    row = np.empty((size_px, 3), np.uint8)
    row[:] = np.median(np.concatenate(edges), axis=0).astype(np.uint8)
    square = np.empty((size_px, size_px, 3), np.uint8)
    square[:] = row  # line by line: three bytes at a time take ten times as long
    top, left = (size_px - height) // 2, (size_px - width) // 2
    square[top : top + height, left : left + width] = picture
    return square
