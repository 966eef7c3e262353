"""The marks that make a wing pattern. In: a ``Wing``. Out: pieces of SVG in the wing's frame.

A pattern is a tuple of marks, painted in that order and cut off at the wing's outline. Places are given in the wing's
own coordinates (``u`` from base to margin, ``v`` along the margin; see ``wings``), so that a pattern follows every
outline. Each mark is varied a little: no two specimens are alike.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from harvest.sample.layers import Point, clipped, ellipse, fill, glow, path, stroke
from harvest.sample.wings import Wing, smooth

Steps = float | tuple[float, ...]
"""One value, or values at even distances along a range, joined by straight lines."""


class Mark(Protocol):
    """Anything that can be painted on a wing."""

    def paint(self, wing: Wing, chance: random.Random) -> str:
        """Return SVG for this mark on ``wing``."""
        ...


@dataclass(frozen=True, slots=True)
class Ground:
    """The colour of the whole wing, from its base to its margin; one of several pairs where a species varies."""

    base: str
    margin: str
    others: tuple[tuple[str, str], ...] = ()

    def paint(self, wing: Wing, chance: random.Random) -> str:
        """Fill the outline with a gradient from the base."""
        base, margin = chance.choice(((self.base, self.margin), *self.others))
        far = math.dist(wing.base, wing.margin(0.2 if wing.fore else 0.6))
        return glow(path(wing.outline), wing.base, far, ((0.0, base), (0.15, base), (0.85, margin)))


@dataclass(frozen=True, slots=True)
class Band:
    """A band from ``inner`` to ``outer`` (in u) over a range of v; ``bays`` scallop its inner edge."""

    colour: str
    inner: Steps
    outer: Steps
    v: tuple[float, float] = (-0.1, 1.05)
    bays: float = 0.0
    opacity: float = 1.0

    def paint(self, wing: Wing, chance: random.Random) -> str:
        """Fill between the two edges."""
        count = max(round((self.v[1] - self.v[0]) * 26), 5)
        near, far = chance.gauss(0, 0.01), chance.gauss(0, 0.01)
        inside, outside = [], []
        for i in range(count + 1):
            share = i / count
            v = self.v[0] + (self.v[1] - self.v[0]) * share
            inside.append(wing.at(_step(self.inner, share) + near + self._bay(wing, v), v))
            outside.append(wing.at(_step(self.outer, share) + far, v))
        return fill(path(inside + outside[::-1]), self.colour, self.opacity)

    def _bay(self, wing: Wing, v: float) -> float:
        if not self.bays:
            return 0.0
        for low, high in wing.spaces:
            if low <= v <= high:
                return self.bays * math.sin(math.pi * (v - low) / (high - low))
        return 0.0


@dataclass(frozen=True, slots=True)
class Spots:
    """One spot in each of some spaces between the veins, counted from the apex (0 … 6)."""

    colour: str
    u: Steps
    length: Steps
    width: Steps = 0.7  # share of the space
    spaces: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    shape: str = "round"  # round, square, lens, lunule, arrow
    opacity: float = 1.0

    def paint(self, wing: Wing, chance: random.Random) -> str:
        """Fill all spots with one path."""
        data = ""
        for i, space in enumerate(self.spaces):
            low, high = wing.spaces[space]
            share = i / max(len(self.spaces) - 1, 1)
            half = (high - low) / 2 * _step(self.width, share) * chance.gauss(1, 0.06)
            length = _step(self.length, share) * chance.gauss(1, 0.08)
            place = _step(self.u, share) + chance.gauss(0, 0.006)
            data += path(
                wing.at(place + du * length / 2, (low + high) / 2 + dv * half) for du, dv in SHAPES[self.shape]
            )
        return fill(data, self.colour, self.opacity)


@dataclass(frozen=True, slots=True)
class Dots:
    """Single spots where they are told to be: (u, v, radius along u, radius along v)."""

    colour: str
    places: tuple[tuple[float, float, float, float], ...]
    opacity: float = 1.0

    def paint(self, wing: Wing, chance: random.Random) -> str:
        """Fill all dots with one path."""
        data = ""
        for u, v, along, across in self.places:
            size = chance.gauss(1, 0.08)
            u, v = u + chance.gauss(0, 0.008), v + chance.gauss(0, 0.01)
            data += path(wing.at(u + du * along * size, v + dv * across * size) for du, dv in SHAPES["round"])
        return fill(data, self.colour, self.opacity)


@dataclass(frozen=True, slots=True)
class Ocellus:
    """An eyespot: discs of the given share of the radius (in units) and colour, the largest first."""

    u: float
    v: float
    radius: float
    rings: tuple[tuple[float, str], ...]

    def paint(self, wing: Wing, chance: random.Random) -> str:
        """Fill disc upon disc."""
        x, y = wing.at(self.u + chance.gauss(0, 0.008), self.v + chance.gauss(0, 0.01))
        size, flat, tilt = self.radius * chance.gauss(1, 0.08), chance.uniform(0.82, 1.0), chance.uniform(0, 180)
        return "".join(fill(ellipse((x, y), size * share, size * share * flat, tilt), c) for share, c in self.rings)


@dataclass(frozen=True, slots=True)
class Patch:
    """A smooth area through points (u, v); ``soft`` gives it a faint edge, in units."""

    colour: str
    points: tuple[Point, ...]
    soft: float = 0.0
    opacity: float = 1.0

    def paint(self, wing: Wing, chance: random.Random) -> str:
        """Fill a smooth curve through the points."""
        places = [wing.at(u + chance.gauss(0, 0.008), v + chance.gauss(0, 0.012)) for u, v in self.points]
        data = path(smooth(places, 5)[0])
        halo = ""
        if self.soft:
            halo = stroke(data, self.colour, 2 * self.soft, 0.25 * self.opacity)
            halo += stroke(data, self.colour, self.soft, 0.4 * self.opacity)
        return halo + fill(data, self.colour, self.opacity)


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points (u, v), ``width`` units wide."""

    colour: str
    points: tuple[Point, ...]
    width: float
    opacity: float = 1.0

    def paint(self, wing: Wing, chance: random.Random) -> str:
        """Draw the line."""
        places = [wing.at(u, v + chance.gauss(0, 0.01)) for u, v in self.points]
        return stroke(path(places, closed=False), self.colour, self.width * chance.gauss(1, 0.1), self.opacity)


@dataclass(frozen=True, slots=True)
class Veins:
    """Veins in a colour of their own; ``flare`` is how wide they grow at the margin, in units."""

    colour: str
    width: float
    flare: float = 0.0
    opacity: float = 1.0

    def paint(self, wing: Wing, chance: random.Random) -> str:
        """Draw all veins with one path, and wedges at their ends."""
        lines = wing.veins()
        drawn = stroke(
            "".join(path(line, closed=False) for line in lines),
            self.colour,
            self.width * chance.gauss(1, 0.08),
            self.opacity,
        )
        if not self.flare:
            return drawn
        wedges = ""
        for line in lines[3:]:
            (ax, ay), (bx, by) = line[-3], line[-1]
            length = math.dist((ax, ay), (bx, by)) or 1.0
            half = self.flare / 2 * chance.gauss(1, 0.12)
            nx, ny = (ay - by) / length * half, (bx - ax) / length * half
            wedges += path([(ax, ay), (bx + nx, by + ny), (bx - nx, by - ny)])
        return drawn + fill(wedges, self.colour, self.opacity)


@dataclass(frozen=True, slots=True)
class Dust:
    """Scattered scales."""

    colour: str
    count: int
    u: tuple[float, float] = (0.05, 0.95)
    v: tuple[float, float] = (-0.6, 1.4)
    size: float = 1.0
    opacity: float = 0.8

    def paint(self, wing: Wing, chance: random.Random) -> str:
        """Draw dots with one path."""
        data = ""
        for _ in range(self.count):
            u = math.sqrt(chance.uniform(self.u[0] ** 2, self.u[1] ** 2))
            x, y = wing.at(u, chance.uniform(*self.v))
            data += f"M{x:.1f} {y:.1f}h.1"
        return stroke(data, self.colour, self.size, self.opacity)


def _circle(power: float, count: int) -> tuple[Point, ...]:
    angles = [2 * math.pi * i / count for i in range(count)]
    return tuple(
        (math.copysign(abs(math.cos(a)) ** power, math.cos(a)), math.copysign(abs(math.sin(a)) ** power, math.sin(a)))
        for a in angles
    )


SHAPES: dict[str, tuple[Point, ...]] = {
    "round": _circle(1.0, 12),
    "square": _circle(0.4, 16),
    "lens": ((-1, 0), (-0.5, 0.6), (0.1, 1), (0.7, 0.9), (1, 0.4), (1, -0.4), (0.7, -0.9), (0.1, -1), (-0.5, -0.6)),
    "lunule": (
        (-1, -1),
        (0.1, -0.75),
        (0.8, -0.3),
        (1, 0),
        (0.8, 0.3),
        (0.1, 0.75),
        (-1, 1),
        (-0.2, 0.5),
        (0.1, 0),
        (-0.2, -0.5),
    ),
    "arrow": ((-1, 0), (0.6, 1), (1, 0.9), (0.2, 0), (1, -0.9), (0.6, -1)),
}
"""Outlines of spots in (along u, along v), both -1 … 1."""


def dressed(wing: Wing, marks: Sequence[Mark], chance: random.Random) -> str:
    """Return the painted wing: all marks in order, cut off at its outline."""
    return clipped("".join(mark.paint(wing, chance) for mark in marks), path(wing.outline))


def _step(value: Steps, share: float) -> float:
    if isinstance(value, int | float):
        return float(value)
    place = share * (len(value) - 1)
    i = min(int(place), len(value) - 2)
    return value[i] + (value[i + 1] - value[i]) * (place - i)
