"""Wings as geometry. In: the landmarks of a wing's outline. Out: ``Wing``: outline, coordinates of its own, veins.

Everything is drawn for the right side in a frame whose origin is the middle of the thorax, x to the right, y down
(towards the abdomen), about 100 units from the thorax to the tip of a forewing. A place on a wing is named by two
numbers: ``u`` runs from the base (0) to the margin (1); ``v`` tells to which point of the margin: 0 is the apex, 1 the
tornus, values below 0 lie on the costa (-1 is the base), above 1 on the inner margin (2 is the base again).
"""

import bisect
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[float, float]

FORE_SPACES = ((0.02, 0.12), (0.12, 0.25), (0.25, 0.40), (0.40, 0.55), (0.55, 0.69), (0.69, 0.83), (0.83, 0.97))
"""Spaces between the veins R4, R5, M1, M2, M3, CuA1, CuA2, 2A of a forewing, as ranges of ``v``, from the apex."""
HIND_SPACES = ((-0.06, 0.09), (0.09, 0.24), (0.24, 0.39), (0.39, 0.55), (0.55, 0.70), (0.70, 0.84), (0.84, 0.98))
"""Spaces between the veins Sc, Rs, M1, M2, M3, CuA1, CuA2, 2A of a hindwing."""


@dataclass(frozen=True, slots=True)
class Tail:
    """A tail of a hindwing: where it leaves the margin, its length, widths (neck and end) and direction in degrees."""

    v: float
    length: float
    neck: float
    club: float
    direction: float  # 90 points down, 0 away from the body
    width: float = 0.05  # half of its root, in v


@dataclass(frozen=True, slots=True)
class Outline:
    """The landmarks of one wing: points along costa, termen (apex to tornus) and inner margin, in that order."""

    costa: tuple[Point, ...]  # begins at the base, ends at the apex
    termen: tuple[Point, ...]  # between apex and tornus, both excluded
    inner: tuple[Point, ...]  # begins at the tornus, ends near the base
    scallop: float = 0.0  # depth of the bays between the veins
    tails: tuple[Tail, ...] = ()
    cell: float = 0.52  # length of the discal cell, in u


class Wing:
    """One wing of one specimen; ``fore`` tells which spaces and veins it has."""

    def __init__(self, outline: Outline, fore: bool, chance: random.Random) -> None:
        """Grow the wing from ``outline`` with a little individual variation drawn from ``chance``."""
        self.fore = fore
        self.spaces = FORE_SPACES if fore else HIND_SPACES
        self.cell = outline.cell
        costa, termen, inner = _varied(outline, chance)
        self.base = costa[0]
        loop = [*costa, *termen, *inner]
        apex, tornus = len(costa) - 1, len(costa) + len(termen)
        dense, starts = smooth(loop, 7)
        dense = [*dense, dense[0]]
        self._sections = tuple(
            _measured(dense[first : last + 1])
            for first, last in ((0, starts[apex]), (starts[apex], starts[tornus]), (starts[tornus], len(dense) - 1))
        )
        self.outline = self._grown(outline)

    def margin(self, v: float) -> Point:
        """Return the point of the smooth margin at ``v`` (-1 … 2)."""
        section = 0 if v < 0 else 1 if v <= 1 else 2
        share = v + 1 if v < 0 else v if v <= 1 else v - 1
        lengths, points = self._sections[section]
        wanted = min(max(share, 0.0), 1.0) * lengths[-1]
        i = min(max(bisect.bisect_left(lengths, wanted), 1), len(lengths) - 1)
        step = lengths[i] - lengths[i - 1]
        t = (wanted - lengths[i - 1]) / step if step else 0.0
        (ax, ay), (bx, by) = points[i - 1], points[i]
        return ax + (bx - ax) * t, ay + (by - ay) * t

    def at(self, u: float, v: float) -> Point:
        """Return the point ``u`` of the way from the base to the margin at ``v``."""
        x, y = self.margin(v)
        return self.base[0] + (x - self.base[0]) * u, self.base[1] + (y - self.base[1]) * u

    def veins(self) -> list[list[Point]]:
        """Return the veins as short polylines, the discal cell's own veins first."""
        top, bottom = (0.10, 0.72) if self.fore else (0.12, 0.74)
        c = self.cell
        lines = [
            self._vein((0.0, -0.12), (0.6 * c, -0.06), (c, top)),
            self._vein((0.0, 1.15), (0.55 * c, 0.92), (0.92 * c, bottom)),
            self._vein((c, top), (0.88 * c, 0.42), (0.92 * c, bottom)),
        ]
        if self.fore:
            lines += [
                self._vein((0.3 + 0.2 * i, -0.14), (0.6 + 0.12 * i, -0.2), (1.0, -0.5 + 0.16 * i)) for i in range(3)
            ]
        ends = sorted({edge for space in self.spaces for edge in space})
        for i, end in enumerate(ends):
            share = min(max((i - 1) / (len(ends) - 3), 0.0), 1.0)
            start_u = c * (1 - 0.08 * share) if i < len(ends) - 1 else 0.0
            start_v = top + (bottom - top) * share if i < len(ends) - 1 else 1.25
            lines.append(
                self._vein((start_u, start_v), (start_u + 0.45 * (1 - start_u), (start_v + 2 * end) / 3), (1.0, end))
            )
        return lines

    def _vein(self, start: Point, bend: Point, end: Point) -> list[Point]:
        (ax, ay), (bx, by), (cx, cy) = self.at(*start), self.at(*bend), self.at(*end)
        return [
            (
                (1 - t) ** 2 * ax + 2 * t * (1 - t) * bx + t * t * cx,
                (1 - t) ** 2 * ay + 2 * t * (1 - t) * by + t * t * cy,
            )
            for t in (i / 6 for i in range(7))
        ]

    def _grown(self, outline: Outline) -> list[Point]:
        """Return the closed outline with scallops and tails."""
        points = [self.at(1.0, -1 + i / 22) for i in range(22)]
        v = 0.0
        for tail in outline.tails:
            points += self._scalloped(v, tail.v - tail.width, outline.scallop) + self._tail(tail)
            v = tail.v + tail.width
        points += self._scalloped(v, 1.0, outline.scallop)
        return points + [self.at(1.0, max(v, 1.0) + i / 16 * (2 - max(v, 1.0))) for i in range(17)]

    def _scalloped(self, first: float, last: float, depth: float) -> list[Point]:
        steps = max(round((last - first) * 72), 1)
        places = (first + (last - first) * i / steps for i in range(steps + 1)) if last > first else ()
        return [self.at(1.0 - self._bay(v, depth), v) for v in places]

    def _bay(self, v: float, depth: float) -> float:
        for low, high in self.spaces:
            if low <= v <= high:
                return depth * math.sin(math.pi * (v - low) / (high - low)) ** 2
        return 0.0

    def _tail(self, tail: Tail) -> list[Point]:
        """Return the outline of a tail: narrow at the neck, as wide as its club towards the end, round at the tip."""
        x, y = self.margin(tail.v)
        angle = math.radians(tail.direction)
        dx, dy = math.cos(angle), math.sin(angle)
        sides: tuple[list[Point], list[Point]] = ([], [])
        for share in (0.08, 0.25, 0.4, 0.52, 0.64, 0.76, 0.87, 0.95, 0.99):
            swell = max(0.0, math.sin(math.pi * min(max((share - 0.35) / 0.8, 0.0), 1.0)))
            half = (tail.neck + (tail.club - tail.neck) * swell) * math.sqrt(1 - share**8)
            along, bend = (share - 0.08) * tail.length, 0.1 * tail.length * math.sin(math.pi * share)
            cx, cy = x + dx * along - dy * bend, y + dy * along + dx * bend
            sides[0].append((cx + dy * half, cy - dx * half))
            sides[1].append((cx - dy * half, cy + dx * half))
        return sides[0] + sides[1][::-1]


def smooth(points: Sequence[Point], steps: int) -> tuple[list[Point], list[int]]:
    """Return a closed Catmull-Rom curve through ``points``, and where in it each of them is.

    >>> curve, starts = smooth([(0, 0), (10, 0), (10, 10), (0, 10)], 4)
    >>> len(curve), starts, curve[4]
    (16, [0, 4, 8, 12], (10.0, 0.0))
    """
    count = len(points)
    curve: list[Point] = []
    for i in range(count):
        a, b, c, d = points[i - 1], points[i], points[(i + 1) % count], points[(i + 2) % count]
        for step in range(steps):
            t = step / steps
            curve.append((_spline(a[0], b[0], c[0], d[0], t), _spline(a[1], b[1], c[1], d[1], t)))
    return curve, [i * steps for i in range(count)]


def _spline(a: float, b: float, c: float, d: float, t: float) -> float:
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)


def _measured(points: list[Point]) -> tuple[list[float], list[Point]]:
    lengths = [0.0]
    for one, other in pairwise(points):
        lengths.append(lengths[-1] + math.dist(one, other))
    return lengths, points


def _varied(outline: Outline, chance: random.Random) -> tuple[list[Point], list[Point], list[Point]]:
    wide, tall, lean = chance.gauss(1, 0.025), chance.gauss(1, 0.025), chance.gauss(0, 0.02)
    sections = []
    for section in (outline.costa, outline.termen, outline.inner):
        sections.append(
            [
                (x * wide + y * lean + chance.gauss(0, 0.5), y * tall + x * lean + chance.gauss(0, 0.5))
                for x, y in section
            ]
        )
    return sections[0], sections[1], sections[2]


FORE: dict[str, Outline] = {
    "Papilio": Outline(
        ((3, -9), (26, -36), (58, -60), (82, -72), (91, -73)),
        ((92, -66), (86, -50), (79, -32), (73, -14)),
        ((68, -1), (58, 4), (30, 4), (5, 2)),
        cell=0.55,
    ),
    "Ornithoptera": Outline(
        ((3, -9), (28, -32), (66, -51), (94, -58), (104, -56)),
        ((105, -50), (96, -36), (82, -20), (68, -6)),
        ((58, 2), (46, 5), (26, 4), (4, 2)),
        cell=0.52,
    ),
    "Graphium": Outline(
        ((3, -9), (24, -38), (56, -64), (82, -78), (95, -79)),
        ((93, -71), (83, -54), (75, -36), (69, -18)),
        ((64, -4), (54, 3), (28, 4), (5, 2)),
        cell=0.58,
    ),
    "Parnassius": Outline(
        ((3, -8), (26, -32), (54, -51), (76, -58), (84, -55)),
        ((90, -46), (90, -34), (85, -20), (78, -8)),
        ((69, 1), (56, 5), (30, 5), (4, 3)),
        cell=0.50,
    ),
    "Delias": Outline(
        ((3, -9), (26, -38), (56, -61), (78, -72), (86, -71)),
        ((90, -64), (87, -48), (82, -32), (77, -16)),
        ((72, -3), (62, 3), (32, 4), (5, 2)),
        cell=0.52,
    ),
    "Colotis": Outline(
        ((3, -8), (26, -35), (54, -57), (74, -66), (83, -64)),
        ((88, -56), (87, -42), (82, -26), (76, -11)),
        ((70, 0), (58, 4), (30, 4), (4, 2)),
        cell=0.50,
    ),
    "Danaus": Outline(
        ((3, -9), (28, -38), (62, -60), (88, -68), (97, -65)),
        ((98, -58), (90, -44), (81, -29), (74, -14)),
        ((68, -2), (58, 4), (30, 5), (5, 2)),
        cell=0.55,
    ),
    "Vanessa": Outline(
        ((3, -9), (26, -37), (54, -58), (78, -69), (88, -67)),
        ((91, -60), (86, -47), (83, -31), (78, -15)),
        ((72, -3), (60, 3), (30, 4), (4, 2)),
        scallop=0.02,
        cell=0.48,
    ),
    "Euploea": Outline(
        ((3, -9), (26, -38), (58, -60), (82, -68), (92, -65)),
        ((95, -56), (91, -40), (83, -24), (76, -9)),
        ((68, 3), (54, 9), (28, 9), (5, 3)),
        cell=0.54,
    ),
    "Charaxes": Outline(
        ((3, -10), (24, -42), (54, -66), (78, -78), (90, -79)),
        ((90, -71), (81, -52), (77, -34), (75, -17)),
        ((73, -4), (64, 2), (32, 4), (5, 3)),
        scallop=0.012,
        cell=0.42,
    ),
    "Kallima": Outline(
        ((3, -9), (24, -40), (52, -63), (78, -78), (97, -86)),
        ((92, -74), (84, -58), (84, -38), (79, -18)),
        ((71, -3), (58, 3), (30, 4), (4, 2)),
        cell=0.44,
    ),
}
"""Forewing outlines by genus, right side."""

_SWALLOWTAIL = (
    ((3, 0), (20, -8), (44, -3), (60, 10), (66, 20)),
    ((68, 32), (65, 46), (57, 59)),
    (
        (40, 72),
        (26, 72),
        (15, 58),
        (8, 34),
        (3, 12),
    ),
)

HIND: dict[str, Outline] = {
    "Papilio": Outline(*_SWALLOWTAIL, scallop=0.045, tails=(Tail(0.55, 27, 2.4, 5.4, 66),), cell=0.44),
    "Papilio demodocus": Outline(
        ((3, 0), (20, -8), (44, -3), (60, 10), (66, 22)),
        ((66, 36), (60, 51), (49, 63)),
        ((36, 70), (24, 68), (14, 54), (7, 32), (3, 12)),
        scallop=0.06,
        cell=0.44,
    ),
    "Ornithoptera": Outline(
        ((3, 1), (18, -4), (36, 2), (48, 14), (54, 26)),
        ((55, 38), (49, 51), (39, 60)),
        ((28, 64), (18, 60), (10, 44), (6, 26), (3, 12)),
        scallop=0.03,
        cell=0.46,
    ),
    "Graphium": Outline(
        ((3, 0), (18, -8), (40, -4), (54, 8), (60, 20)),
        ((59, 34), (54, 49), (46, 63)),
        ((33, 76), (22, 74), (13, 56), (7, 32), (3, 12)),
        scallop=0.06,
        tails=(Tail(0.56, 22, 2.2, 2.0, 70),),
        cell=0.44,
    ),
    "Parnassius": Outline(
        ((3, 1), (20, -6), (44, -1), (59, 12), (65, 24)),
        ((66, 37), (60, 50), (49, 60)),
        ((36, 63), (26, 58), (17, 45), (8, 26), (3, 11)),
        cell=0.45,
    ),
    "Delias": Outline(
        ((3, 0), (22, -9), (48, -4), (65, 10), (71, 24)),
        ((71, 39), (64, 54), (51, 66)),
        ((37, 71), (25, 68), (14, 54), (7, 32), (3, 12)),
        cell=0.48,
    ),
    "Colotis": Outline(
        ((3, 1), (22, -7), (46, -1), (60, 12), (65, 25)),
        ((65, 39), (58, 53), (46, 63)),
        ((33, 66), (23, 62), (14, 49), (7, 29), (3, 11)),
        cell=0.46,
    ),
    "Danaus": Outline(
        ((3, 0), (20, -8), (44, -4), (58, 8), (64, 21)),
        ((64, 36), (57, 51), (46, 62)),
        ((34, 66), (23, 63), (13, 50), (7, 30), (3, 12)),
        cell=0.48,
    ),
    "Vanessa": Outline(
        ((3, 0), (22, -9), (48, -4), (63, 9), (68, 22)),
        ((67, 37), (61, 51), (50, 62)),
        ((38, 67), (26, 64), (15, 51), (7, 30), (3, 12)),
        scallop=0.05,
        cell=0.42,
    ),
    "Euploea": Outline(
        ((3, 0), (22, -8), (48, -2), (63, 12), (69, 27)),
        ((67, 42), (59, 56), (47, 66)),
        ((34, 69), (23, 65), (13, 51), (7, 30), (3, 12)),
        cell=0.48,
    ),
    "Charaxes": Outline(
        ((3, 0), (22, -10), (48, -5), (64, 8), (69, 22)),
        ((68, 38), (62, 53), (52, 64)),
        ((36, 73), (24, 70), (13, 54), (7, 32), (3, 12)),
        scallop=0.045,
        tails=(Tail(0.55, 13, 1.9, 1.1, 58, 0.04), Tail(0.84, 12, 1.9, 1.1, 76, 0.04)),
        cell=0.38,
    ),
    "Kallima": Outline(
        ((3, 0), (22, -9), (47, -4), (61, 9), (67, 23)),
        ((66, 38), (58, 53), (45, 66)),
        ((31, 78), (22, 74), (13, 55), (7, 32), (3, 12)),
        scallop=0.012,
        tails=(Tail(0.97, 17, 2.4, 1.8, 100, 0.06),),
        cell=0.40,
    ),
}
"""Hindwing outlines by genus, or by species where it differs from its genus."""


def wings(species: str, chance: random.Random) -> tuple[Wing, Wing]:
    """Return a fore- and a hindwing of ``species`` (a scientific name of the sample), varied by ``chance``."""
    genus = species.split()[0]
    hind = HIND.get(species) or HIND[genus]
    return Wing(FORE[genus], True, chance), Wing(hind, False, chance)
