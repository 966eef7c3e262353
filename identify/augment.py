"""Pictures varied for training. In: pictures and a seeded generator. Out: as many pictures, each a little different.

Hands differ in line, palette, paper and pose far more than in what they show; so the paper is tinted, colours fade or
go, lines get harder or softer, and the subject is turned, moved, stretched and partly hidden. The same generator, the
same pictures.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.uint8]
Varied = NDArray[np.float32]


def augmented(images: Pixels, random: np.random.Generator, *, mirror: bool = True) -> Varied:
    """Return varied copies of ``images``, shape (images, height, width, 3), both 0-255."""
    moved = np.stack([_moved(image, random, mirror) for image in images]).astype(np.float32) / 255.0
    return (_recoloured(moved, random) * 255.0).astype(np.float32)


def _moved(image: Pixels, random: np.random.Generator, mirror: bool) -> Pixels:
    """Return one picture turned, scaled, stretched and shifted, blurred or sharpened, with a patch hidden at times."""
    size = image.shape[0]
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    paper = tuple(int(c) for c in np.median(border, axis=0))
    picture = Image.fromarray(image)
    picture = picture.transform(
        (size, size), Image.Transform.AFFINE, _affine(size, random, mirror), Image.Resampling.BILINEAR, fillcolor=paper
    )
    softness = random.random()
    if softness < 0.2:
        picture = picture.filter(ImageFilter.GaussianBlur(float(random.uniform(0.4, 1.2))))
    elif softness < 0.4:
        picture = picture.filter(ImageFilter.UnsharpMask(2, int(random.uniform(50, 200)), 0))
    varied = np.array(picture, np.uint8)
    if random.random() < 0.5:
        height, width = random.integers(size // 8, size // 3, 2)
        top, left = random.integers(0, size - height), random.integers(0, size - width)
        varied[top : top + height, left : left + width] = paper
    return varied


def _affine(size: int, random: np.random.Generator, mirror: bool) -> tuple[float, ...]:
    """Return the coefficients of Pillow's affine transform (output to input) about the picture's middle."""
    turn = np.deg2rad(random.normal(0.0, 12.0))
    zoom = np.exp(random.uniform(-0.2, 0.2))
    stretch = np.exp(random.uniform(-0.12, 0.12))
    lean = random.uniform(-0.12, 0.12)
    flip = -1.0 if mirror and random.random() < 0.5 else 1.0
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = matrix @ np.array([[flip * zoom * stretch, lean], [0.0, zoom / stretch]])
    middle = np.full(2, size / 2)
    shift = middle - matrix @ middle + random.uniform(-0.08, 0.08, 2) * size
    return (*(float(v) for v in matrix[0]), float(shift[0]), *(float(v) for v in matrix[1]), float(shift[1]))


def _recoloured(images: Varied, random: np.random.Generator) -> Varied:
    """Return pictures (0 to 1) with other paper, light, contrast and strength of colour; some grey, some with noise."""
    count = len(images)

    def draw(low: float, high: float, channels: int = 1) -> Varied:
        return random.uniform(low, high, (count, 1, 1, channels)).astype(np.float32)

    grey = images @ np.array([0.299, 0.587, 0.114], np.float32)
    strength = np.where(draw(0, 1) < 0.15, np.float32(0.0), draw(0.3, 1.5))
    images = grey[..., None] + strength * (images - grey[..., None])
    images = np.clip(images, 0.0, 1.0) ** np.exp(draw(-0.4, 0.4))
    middle = images.mean(axis=(1, 2), keepdims=True)
    images = middle + (images - middle) * draw(0.6, 1.3)
    images = images * draw(0.8, 1.1) * draw(0.85, 1.1, 3)
    noise = random.standard_normal(images.shape, np.float32) * draw(0.0, 0.04)
    return np.clip(images + noise, 0.0, 1.0)
