"""Pictures of nothing that is to be learned. In: pictures that are, and a seeded generator. Out: as many that are not.

A network that only ever sees butterflies calls everything a butterfly. So it is also shown its own pictures cut up and
shuffled, warped beyond recognition, and drawings of nothing: curves, petals, wheels, boxes, dots, on the same papers
and partly in the same colours, and learns to say "none of these" (outlier exposure, Hendrycks et al. 2019,
arXiv:1812.04606, with made-up outliers). No picture of a real stranger is needed, and none is used.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from identify.augment import Pixels, paper_of

Colour = tuple[int, int, int]
Point = tuple[float, float]
Corners = NDArray[np.float64]
SHUFFLED, WARPED = 0.15, 0.15
"""Shares of the strangers that are made in these ways; the rest are drawings."""


def strangers(images: Pixels, random: np.random.Generator) -> Pixels:
    """Return strangers made from ``images``, shape (images, size, size, 3), 0-255."""
    made = []
    for image in images:
        kind = random.random()
        if kind < SHUFFLED:
            made.append(_shuffled(image, random))
        elif kind < SHUFFLED + WARPED:
            made.append(_warped(image, random))
        else:
            made.append(_drawing(image, random))
    return np.stack(made)


def _shuffled(image: Pixels, random: np.random.Generator) -> Pixels:
    """Return a picture cut into squares that lie turned and in another order."""
    across = int(random.integers(3, 7))
    side = image.shape[0] // across
    places = [divmod(i, across) for i in range(across * across)]
    squares = [image[r * side : (r + 1) * side, c * side : (c + 1) * side] for r, c in places]
    result = image.copy()
    for (r, c), which in zip(places, random.permutation(len(squares)), strict=True):
        turned = np.rot90(squares[which], int(random.integers(4)))
        result[r * side : (r + 1) * side, c * side : (c + 1) * side] = turned
    return result


def _warped(image: Pixels, random: np.random.Generator) -> Pixels:
    """Return a picture pulled about at the knots of a net."""
    size, across = image.shape[0], int(random.integers(3, 6))
    lines = np.linspace(0, size, across + 1)
    far = size / across * random.uniform(0.8, 1.5)
    knots = np.stack(np.meshgrid(lines, lines), axis=-1) + random.normal(0, far, (across + 1, across + 1, 2))
    mesh = []
    for r in range(across):
        for c in range(across):
            box = (int(lines[c]), int(lines[r]), int(lines[c + 1]), int(lines[r + 1]))
            corners = (knots[r, c], knots[r + 1, c], knots[r + 1, c + 1], knots[r, c + 1])
            mesh.append((box, tuple(float(v) for corner in corners for v in corner)))
    warped = Image.fromarray(image).transform(
        (size, size), Image.Transform.MESH, mesh, Image.Resampling.BILINEAR, fillcolor=paper_of(image)
    )
    return np.array(warped, np.uint8)


def _drawing(image: Pixels, random: np.random.Generator) -> Pixels:
    """Return a drawing of nothing on the picture's paper, partly in its colours."""
    sheet = Image.new("RGB", image.shape[:2], paper_of(image))
    pen = _Pen(image, sheet, random)
    if random.random() < 0.5:
        pen.repeated()
    for _ in range(int(random.integers(1, 8))):
        shape = random.choice(5, p=(0.45, 0.15, 0.15, 0.15, 0.1))
        (pen.blob, pen.oval, pen.box, pen.stroke, pen.wheel)[shape]()
    return np.array(sheet, np.uint8)


class _Pen:
    """Draws one shape after another on a sheet, each with its own colour and line."""

    def __init__(self, image: Pixels, sheet: Image.Image, random: np.random.Generator) -> None:
        self._image, self._sheet, self._random = image, sheet, random
        self._draw = ImageDraw.Draw(sheet)
        self._size = sheet.width
        self._paper = np.array(paper_of(image))
        colours = image.reshape(-1, 3)
        far = np.abs(colours.astype(np.int16) - self._paper).max(axis=1) > 40
        self._colours = colours[far] if far.sum() > 20 else colours

    def blob(self) -> None:
        """A closed curve: filled, dotted, or a hole through which the picture shows, turned and shifted."""
        points, random = _points(_curve(self._size, random=self._random) + self._middle()), self._random
        if random.random() < 0.35:
            mask = Image.new("L", self._sheet.size)
            ImageDraw.Draw(mask).polygon(points, fill=255)
            shift = tuple(int(v) for v in random.integers(self._size // 4, 3 * self._size // 4, 2))
            moved = np.rot90(np.roll(self._image, shift, (0, 1)), int(random.integers(4)))
            self._sheet.paste(Image.fromarray(np.ascontiguousarray(moved)), (0, 0), mask)
        else:
            self._draw.polygon(points, fill=self._colour() if random.random() < 0.8 else None)
            if random.random() < 0.5:
                self._dots(points)
        self._outline(points)

    def repeated(self) -> None:
        """One curve again and again: around a middle, mirrored, one within another, or in a row."""
        random, size = self._random, self._size
        count, way = int(random.integers(2, 10)), random.random()
        curve = _curve(size, random=random) * random.uniform(0.4, 1.0)
        petal = curve - [0.0, np.abs(curve).max() * random.uniform(0.5, 1.3)]
        step = random.uniform(-0.15, 0.15, 2) * size
        narrowing = random.uniform(0.1, 1.0, 2)
        middle, fill = self._middle(), self._colour() if random.random() < 0.8 else None
        for number in range(count):
            if way < 0.45:
                shape = petal @ _turn(2 * np.pi * number / count)
            elif way < 0.6:
                shape = petal * [1.0, (-1.0) ** number]
            elif way < 0.8:
                shape = curve * (1 - (1 - narrowing) * number / count)
            else:
                shape = curve * 0.6 + step * (number - count / 2)
            points = _points(shape + middle)
            self._draw.polygon(points, fill=fill)
            self._outline(points)
        if random.random() < 0.5:
            reach = random.uniform(0.02, 0.12) * size
            self._draw.ellipse(_box(middle - reach, middle + reach), fill=self._colour(), outline=self._dark())

    def oval(self) -> None:
        """An ellipse, filled or not."""
        fill = self._colour() if self._random.random() < 0.6 else None
        self._draw.ellipse(self._somewhere(), fill=fill, outline=self._dark(), width=self._width())

    def box(self) -> None:
        """A filled rectangle."""
        self._draw.rectangle(self._somewhere(), fill=self._colour(), outline=self._dark(), width=self._width())

    def stroke(self) -> None:
        """A line with corners."""
        corners = self._random.uniform(0.1, 0.9, (int(self._random.integers(2, 7)), 2)) * self._size
        self._draw.line(_points(corners), fill=self._colour(), width=int(self._random.integers(1, 6)), joint="curve")

    def wheel(self) -> None:
        """Lines from one point outwards."""
        middle, reach, colour = self._middle(), self._random.uniform(0.05, 0.3) * self._size, self._dark()
        for angle in np.linspace(0, 2 * np.pi, int(self._random.integers(5, 13))):
            end = middle + reach * np.array([np.cos(angle), np.sin(angle)])
            self._draw.line(_points(np.stack([middle, end])), fill=colour, width=self._width())

    def _dots(self, points: list[Point]) -> None:
        corners = np.array(points)
        colour = self._colour()
        for _ in range(int(self._random.integers(5, 40))):
            middle = self._random.uniform(corners.min(axis=0), corners.max(axis=0))
            reach = self._random.uniform(0.005, 0.03) * self._size * np.array([1.0, self._random.uniform(0.5, 2.0)])
            self._draw.ellipse(_box(middle - reach, middle + reach), fill=colour)

    def _outline(self, points: list[Point]) -> None:
        if self._random.random() < 0.7:
            self._draw.line([*points, points[0]], fill=self._dark(), width=self._width())

    def _somewhere(self) -> tuple[float, float, float, float]:
        corner = self._random.uniform(0.05, 0.7, 2) * self._size
        return _box(corner, corner + self._random.uniform(0.06, 0.6, 2) * self._size)

    def _middle(self) -> Corners:
        return self._random.uniform(0.2, 0.8, 2) * self._size

    def _colour(self) -> Colour:
        """One of the subject's own, a pale one (bodies left almost white), or any."""
        which = self._random.random()
        if which < 0.5:
            return _colour(self._colours[self._random.integers(len(self._colours))])
        if which < 0.75:
            pale = np.clip(self._paper + self._random.normal(0, 15, 3) + self._random.uniform(-30, 30), 0, 255)
            return _colour(pale if self._random.random() < 0.5 else self._random.uniform(205, 250, 3))
        return _colour(self._random.uniform(20, 250, 3))

    def _dark(self) -> Colour:
        return _colour(self._random.uniform(10, 90, 3))

    def _width(self) -> int:
        return int(self._random.integers(1, 4))


def _curve(size: int, *, random: np.random.Generator) -> Corners:
    """Return the corners of a smooth closed curve about (0, 0), shape (48, 2), drawn from five harmonics."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    radius = np.ones(48)
    for harmonic in range(1, 6):
        radius += random.normal(0, 0.35 / harmonic) * np.cos(harmonic * angle + random.uniform(0, 2 * np.pi))
    stretch = np.exp(random.uniform(-0.4, 0.4))
    reach = np.abs(radius) * random.uniform(0.06, 0.36) * size
    corners = np.stack([reach * np.cos(angle) * stretch, reach * np.sin(angle) / stretch], axis=1)
    result: Corners = corners @ _turn(random.uniform(0, 2 * np.pi))
    return result


def _turn(angle: float) -> Corners:
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def _points(corners: Corners) -> list[Point]:
    return [(float(x), float(y)) for x, y in corners]


def _box(low: Corners, high: Corners) -> tuple[float, float, float, float]:
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _colour(values: NDArray[np.float64] | Pixels) -> Colour:
    red, green, blue = (int(v) for v in values)
    return red, green, blue
