"""The engravers' hands. In: the two layers of a drawing, as pictures. Out: the finished picture: line, palette, paper.

A hand never changes what is drawn, only how: pen and ink with light tints, sepia wash, copper engraving coloured by
hand, watercolour, gouache on blue paper. All work on arrays of floats 0 … 1, (height, width, 3) or (height, width).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Field = NDArray[np.floating[Any]]
Generator = np.random.Generator

LUMA = np.array([0.30, 0.59, 0.11], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Hand:
    """How an engraver draws and paints."""

    style: str  # CSS for the classes of strokes; widths in units of the butterfly (about 200 wide)
    wobble_px: float  # how far lines stray, on a plate of 512 pixels
    finish: Callable[[Field, Field, Field, Generator], Field]  # (colour, cover, lines, chance) → picture
    script: str  # colour of captions and frames in the layer of colours
    framed: float  # how often a plate has a ruled frame


def finished(hand: Hand, colour: Image.Image, lines: Image.Image, seed: int) -> Image.Image:
    """Return the picture that ``hand`` makes of ``colour`` (RGBA) and ``lines`` (black on white)."""
    chance = np.random.default_rng(seed)
    reach = hand.wobble_px * colour.width / 512
    colour, lines = _strayed(colour, chance, reach * 1.4), _strayed(lines, chance, reach)
    painted = np.asarray(colour, dtype=np.float32) / 255
    drawn = 1 - np.asarray(lines, dtype=np.float32) / 255
    picture = hand.finish(painted[..., :3], painted[..., 3], drawn, chance)
    return Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))


def _ink(colour: Field, cover: Field, lines: Field, chance: Generator) -> Field:
    """Iron-gall pen over light tints on laid paper, with some diagonal hatching in the darks."""
    shape = cover.shape
    picture = _aged(_laid(shape, chance), chance, 0.05)
    tint = _saturated(_towards(colour, 1.0, 0.22), 1.05)
    uneven = cover * (0.86 + 0.10 * _noise(shape, chance, 9))
    picture = _glazed(picture, tint, uneven)
    dark = cover * np.clip(0.66 - colour @ LUMA, 0, 1)
    hatch = _ruled(shape, chance, 4.2, chance.uniform(35, 60))
    pen = np.maximum(lines * 0.95, np.clip((dark * (0.9 + 0.5 * _noise(shape, chance, 16)) - hatch) * 3, 0, 0.68))
    return _inked(picture, pen, chance.choice([(0.20, 0.13, 0.08), (0.13, 0.10, 0.09), (0.25, 0.15, 0.08)]))


def _wash(colour: Field, cover: Field, lines: Field, chance: Generator) -> Field:
    """Sepia wash in a few tones that pool at the edges, touched up with the colours themselves."""
    shape = cover.shape
    picture = _aged(_rag(shape, chance, (0.93, 0.90, 0.83)), chance, 0.06)
    light = (colour @ LUMA)[..., None]
    sepia = 1 - (1 - light) * np.array([0.72, 0.86, 0.98], dtype=np.float32)
    pooled = 0.88 + 0.12 * _noise(shape, chance, 14) + 0.30 * _edges(cover)
    tint = sepia * 0.38 + _saturated(_towards(colour, 1.0, 0.06), 0.92) * 0.62
    picture = _glazed(picture, tint, cover * np.clip(pooled, 0, 1.15))
    return _inked(picture, _softened(lines, 0.8) * 0.85, (0.32, 0.20, 0.11))


def _engraving(colour: Field, cover: Field, lines: Field, chance: Generator) -> Field:
    """Black copper-plate lines that swell with the tone and cross in the darks; colour laid on after, a little off."""
    shape = cover.shape
    picture = _aged(_rag(shape, chance, (0.955, 0.94, 0.89)), chance, 0.035)
    picture *= _plate_mark(shape, chance)[..., None]
    off = (int(chance.integers(-2, 3)), int(chance.integers(-2, 3)))
    tint = _saturated(_towards(colour, 1.0, 0.12), 1.12)
    picture = _glazed(picture, np.roll(tint, off, (0, 1)), np.roll(cover, off, (0, 1)) * 0.93)
    dark = cover * np.clip(0.95 - colour @ LUMA, 0, 1)
    first = _arcs(shape, chance, 3.6)
    second = _arcs(shape, chance, 3.9)
    burin = np.clip((dark * 0.72 - first) * 2.6, 0, 1) + np.clip((dark - 0.52 - second) * 2.6, 0, 1)
    press = 0.80 + 0.12 * _noise(shape, chance, 5)
    return _inked(picture, np.clip(np.maximum(lines, np.minimum(burin, 0.72)), 0, 1) * press, (0.09, 0.085, 0.08))


def _watercolour(colour: Field, cover: Field, lines: Field, chance: Generator) -> Field:
    """Loose pigment on vellum: it runs over the pencil, gathers at its edges and grains."""
    shape = cover.shape
    picture = _aged(_vellum(shape, chance), chance, 0.04)
    loose = _softened(cover, 1.1)
    grain = 1 + 0.10 * _noise(shape, chance, 60) + 0.20 * _noise(shape, chance, 7)
    amount = np.clip(loose * grain * (0.84 + 0.45 * _edges(loose)), 0, 1.1)
    picture = _glazed(picture, _saturated(_towards(colour, 1.0, 0.05), 1.28), amount)
    return _inked(picture, lines * 0.62, (0.25, 0.23, 0.24))


def _gouache(colour: Field, cover: Field, lines: Field, chance: Generator) -> Field:
    """Opaque body colour on blue-grey paper, with strokes of the brush, chalky lights and a thin shadow."""
    shape = cover.shape
    blue = chance.choice([(0.56, 0.63, 0.69), (0.60, 0.65, 0.67), (0.50, 0.58, 0.66)])
    picture = _aged(_rag(shape, chance, blue), chance, 0.05)
    shadow = np.roll(_softened(cover, 3.0), (5, 4), (0, 1))
    picture *= 1 - 0.22 * shadow[..., None]
    brush = 0.055 * _strokes(shape, chance) + 0.03 * _noise(shape, chance, 10)
    body = np.clip(_towards(_saturated(colour, 0.98), 0.5, 0.05) + brush[..., None] + 0.02, 0, 1)
    opaque = (np.clip(cover * (0.97 + 0.4 * brush), 0, 1))[..., None]
    picture = picture * (1 - opaque) + body * opaque
    return _inked(picture, lines * 0.72, (0.13, 0.11, 0.12))


HANDS: dict[str, Hand] = {
    "ink": Hand(
        ".o{stroke-width:1.05}.v{stroke-width:.5;stroke-opacity:.75}.d{stroke-width:.7}.h{stroke-width:.45}.c{stroke-width:1.1}",
        1.1, _ink, "#3a281a", 0.25,
    ),
    "wash": Hand(
        ".o{stroke-width:1.3;stroke-opacity:.8}.v{stroke-width:.7;stroke-opacity:.4}.d{stroke-width:.9;stroke-opacity:.7}.h{stroke-width:.6;stroke-opacity:.5}"
        ".c{stroke-width:1.2;stroke-opacity:.8}",
        1.6, _wash, "#5a3a22", 0.15,
    ),
    "engraving": Hand(
        ".o{stroke-width:.8}.v{stroke-width:.45}.d{stroke-width:.6}.h{stroke-width:.4}.c{stroke-width:.9}",
        0.4, _engraving, "#222222", 0.6,
    ),
    "watercolour": Hand(
        ".o{stroke-width:.6}.v{stroke-width:.35;stroke-opacity:.7}.d{stroke-width:.4}.h{stroke-width:.4}.c{stroke-width:.8}",
        1.9, _watercolour, "#4a4548", 0.1,
    ),
    "gouache": Hand(
        ".o{stroke-width:.9}.v{stroke-width:.5;stroke-opacity:.55}.d{stroke-width:.7}.h{stroke-width:.5}.c{stroke-width:1.1}",
        0.9, _gouache, "#2a2628", 0.35,
    ),
}  # fmt: skip
"""The hands, by key of ``plan.ENGRAVERS``."""


def _glazed(paper: Field, tint: Field, amount: Field) -> Field:
    """Return ``paper`` seen through transparent paint; under paint the paper is a little whiter, as if primed."""
    part = amount[..., None]
    return (paper + 0.35 * np.minimum(part, 1) * (1 - paper)) * (1 - part * (1 - tint))


def _inked(picture: Field, amount: Field, ink: tuple[float, float, float]) -> Field:
    return picture * (1 - amount[..., None] * (1 - np.array(ink, dtype=np.float32)))


def _saturated(colour: Field, factor: float) -> Field:
    grey = (colour @ LUMA)[..., None]
    return np.clip(grey + (colour - grey) * np.float32(factor), 0, 1)


def _towards(colour: Field, goal: float, share: float) -> Field:
    return colour * np.float32(1 - share) + np.float32(goal * share)


def _noise(shape: tuple[int, ...], chance: Generator, cells: int) -> Field:
    """Return smooth noise, about -1 … 1, with ``cells`` hills along the width."""
    height, width = shape[:2]
    rows = max(round(cells * height / width), 2)
    coarse = chance.standard_normal((rows + 2, cells + 2), dtype=np.float32) * np.float32(0.6)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)


def _softened(field: Field, radius_px: float) -> Field:
    image = Image.fromarray((np.clip(field, 0, 1) * 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.BoxBlur(radius_px)), dtype=np.float32) / 255


def _edges(cover: Field) -> Field:
    """Return a rim inside the edge of what is covered."""
    return np.clip(cover - _softened(cover, 3.0), 0, 1)


def _strayed(image: Image.Image, chance: Generator, reach_px: float) -> Image.Image:
    """Return ``image`` bent a little everywhere, as a hand strays."""
    width, height = image.size
    columns, rows = 11, max(round(11 * height / width), 2)
    stray = chance.normal(0, reach_px, (rows + 1, columns + 1, 2))
    stray[[0, -1]] = stray[:, [0, -1]] = 0  # nothing comes from beyond the paper
    xs, ys = np.linspace(0, width, columns + 1).astype(int), np.linspace(0, height, rows + 1).astype(int)
    mesh = []
    for r in range(rows):
        for c in range(columns):
            corners = [
                (xs[i] + stray[j, i, 0], ys[j] + stray[j, i, 1])
                for i, j in ((c, r), (c, r + 1), (c + 1, r + 1), (c + 1, r))
            ]
            mesh.append(
                ((int(xs[c]), int(ys[r]), int(xs[c + 1]), int(ys[r + 1])), tuple(float(x) for p in corners for x in p))
            )
    return image.transform(image.size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)


def _grid(shape: tuple[int, ...]) -> tuple[Field, Field]:
    """Return x and y of each pixel on a plate that is 512 wide."""
    height, width = shape[:2]
    scale = np.float32(512 / width)
    return np.arange(width, dtype=np.float32)[None, :] * scale, np.arange(height, dtype=np.float32)[:, None] * scale


def _ruled(shape: tuple[int, ...], chance: Generator, period: float, degrees: float) -> Field:
    """Return straight hatching, 0 in the middle of a line and 1 between two."""
    x, y = _grid(shape)
    angle = np.deg2rad(degrees)
    along = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle)) + 2.2 * _noise(shape, chance, 10)
    return _wave(along / np.float32(period))


def _arcs(shape: tuple[int, ...], chance: Generator, period: float) -> Field:
    """Return hatching along circles around a point off the plate, 0 in the middle of a line and 1 between two."""
    x, y = _grid(shape)
    angle = chance.uniform(0, 2 * np.pi)
    cx, cy = np.float32(256 + 330 * np.cos(angle)), np.float32(256 + 330 * np.sin(angle))
    far = np.sqrt((x - cx) ** 2 + (y - cy) ** 2) + 1.2 * _noise(shape, chance, 8)
    return _wave(far / np.float32(period))


def _wave(phase: Field) -> Field:
    result: Field = np.abs((phase - np.floor(phase)) * 2 - 1)
    return result


def _strokes(shape: tuple[int, ...], chance: Generator) -> Field:
    """Return the relief of a flat brush: noise drawn out in one direction."""
    height, width = shape[:2]
    coarse = chance.standard_normal((max(height // 3, 2), max(width // 24, 2)), dtype=np.float32) * np.float32(0.6)
    flat = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(flat.rotate(chance.uniform(-50, 50), Image.Resampling.BILINEAR), dtype=np.float32)


def _rag(shape: tuple[int, ...], chance: Generator, tone: tuple[float, float, float]) -> Field:
    """Rag paper: an even tone with fibres and clouds."""
    texture = 0.010 * _noise(shape, chance, 120) + 0.012 * _noise(shape, chance, 30) + 0.015 * _noise(shape, chance, 4)
    warm = np.float32(chance.normal(0, 0.012))
    paper = np.array(tone, dtype=np.float32) + np.array([1.0, 0.2, -1.0], dtype=np.float32) * warm
    result: Field = paper[None, None, :] + texture[..., None]
    return result


def _laid(shape: tuple[int, ...], chance: Generator) -> Field:
    """Laid paper: the close lines of the mould and the wide ones of its chains."""
    x, y = _grid(shape)
    turn = np.float32(chance.normal(0, 0.01))
    laid = 0.012 * np.sin((y + turn * x) * np.float32(2 * np.pi / 3.4))
    chains = -0.03 * np.clip(1 - np.abs(_wave((x - turn * y + np.float32(chance.uniform(0, 50))) / 54)) * 22, 0, 1)
    paper: Field = _rag(shape, chance, (0.935, 0.905, 0.825)) + (laid + chains)[..., None]
    return paper


def _vellum(shape: tuple[int, ...], chance: Generator) -> Field:
    """Vellum: creamy, cloudy, with pores."""
    clouds = _noise(shape, chance, 6)[..., None] * np.array([0.012, 0.018, 0.030], dtype=np.float32)
    pores = np.clip(_noise(shape, chance, 110) - 1.25, 0, 1)[..., None] * np.float32(0.10)
    paper: Field = _rag(shape, chance, (0.955, 0.925, 0.850)) + clouds - pores
    return paper


def _aged(paper: Field, chance: Generator, dark: float) -> Field:
    """Return ``paper`` darker towards its edges, with some foxing."""
    height, width = paper.shape[:2]
    x, y = np.linspace(-1, 1, width, dtype=np.float32)[None, :], np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    rim = np.clip(np.maximum(np.abs(x), np.abs(y)) + 0.08 * _noise(paper.shape, chance, 7) - 0.78, 0, 1)
    brown = np.array([0.5, 0.9, 1.5], dtype=np.float32)
    paper = paper * (1 - (rim * np.float32(3 * dark))[..., None] * brown)
    for _ in range(int(chance.poisson(3))):
        _fox(paper, chance)
    return paper


def _fox(paper: Field, chance: Generator) -> None:
    """Put one rusty spot on ``paper``, in place."""
    height, width = paper.shape[:2]
    radius = chance.uniform(0.006, 0.03) * width
    cx, cy = chance.uniform(0, width), chance.uniform(0, height)
    left, right = max(int(cx - 3 * radius), 0), min(int(cx + 3 * radius) + 1, width)
    top, bottom = max(int(cy - 3 * radius), 0), min(int(cy + 3 * radius) + 1, height)
    x, y = (
        np.arange(left, right, dtype=np.float32)[None, :] - cx,
        np.arange(top, bottom, dtype=np.float32)[:, None] - cy,
    )
    spot = np.exp(-(x * x + y * y) / np.float32(radius * radius)) * np.float32(chance.uniform(0.05, 0.2))
    paper[top:bottom, left:right] *= 1 - spot[..., None].astype(np.float32) * np.array(
        [0.35, 0.8, 1.3], dtype=np.float32
    )


def _plate_mark(shape: tuple[int, ...], chance: Generator) -> Field:
    """Return the shade that the edge of the copper plate has pressed into the paper."""
    height, width = shape[:2]
    inset = chance.uniform(0.025, 0.05) * width
    x, y = np.arange(width, dtype=np.float32)[None, :], np.arange(height, dtype=np.float32)[:, None]
    edge = np.minimum(np.minimum(x - inset, width - inset - x), np.minimum(y - inset, height - inset - y))
    pressed: Field = 1 - 0.14 * np.exp(-((edge / np.float32(1.3)) ** 2)) - 0.025 * (edge < 0)
    return pressed.astype(np.float32)
