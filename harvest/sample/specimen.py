"""A butterfly in a pose. In: a species and a pose. Out: ``Layers`` in the butterfly's frame (about 200 units wide)."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from harvest.sample.layers import Layers, Point, ellipse, fill, inked, path, shift, stretch, stroke, turn
from harvest.sample.marks import Mark, dressed
from harvest.sample.patterns import DRESSES, Body, Dress
from harvest.sample.wings import Wing, smooth, wings


@dataclass(frozen=True, slots=True)
class _Specimen:
    """One butterfly's wings and dress."""

    fore: Wing
    hind: Wing
    dress: Dress

    def pair(self, side: str, chance: random.Random) -> tuple[Layers, Layers]:
        """Return the fore- and the hindwing of the right half, seen from ``side``."""
        dress, upper = self.dress, side == "upper"
        same = chance.random()  # both wings begin with the same draw, and so get grounds that belong together
        fore = _wing(self.fore, dress.fore_upper if upper else dress.fore_under, random.Random(same))
        hind = _wing(self.hind, dress.hind_upper if upper else dress.hind_under, random.Random(same))
        return fore, hind

    def half(self, side: str, chance: random.Random) -> Layers:
        """Return the right half; from above the forewing lies on the hindwing, from below under it."""
        fore, hind = self.pair(side, chance)
        raised = fore.moved(turn(chance.uniform(-6, 5)))
        return hind + raised if side == "upper" else raised + hind


def specimen(species: str, pose: str, side: str, chance: random.Random) -> Layers:
    """Return one butterfly of ``species``: ``pose`` is a key of ``POSES``, ``side`` is upper, under or both."""
    fore, hind = wings(species, chance)
    return POSES[pose](_Specimen(fore, hind, DRESSES[species]), side, chance)


def _set(butterfly: _Specimen, side: str, chance: random.Random) -> Layers:
    """Pinned and set, both halves alike."""
    half = butterfly.half(side, chance)
    return half + half.moved(stretch(-chance.uniform(0.97, 1.0), 1)) + _body(butterfly.dress.body, side, chance)


def _half(butterfly: _Specimen, side: str, chance: random.Random) -> Layers:
    """The left half from above and the right half from below, as the old plates have it."""
    upper, under = butterfly.half("upper", chance), butterfly.half("under", chance)
    both = upper.moved(stretch(-1, 1)) + under
    return both + _body(butterfly.dress.body, "upper", chance)


def _flight(butterfly: _Specimen, side: str, chance: random.Random) -> Layers:
    """In flight, seen obliquely: the far half is foreshortened."""
    near = butterfly.half(side, chance)
    squeeze, lean = chance.uniform(0.5, 0.72), chance.uniform(-0.25, -0.05)
    far = near.moved((-squeeze, lean, 0, 1, 0, 0))
    near = near.moved((chance.uniform(0.9, 1.0), chance.uniform(-0.05, 0.15), 0, 1, 0, 0))
    whole = far + near + _body(butterfly.dress.body, side, chance)
    return whole if chance.random() < 0.5 else whole.moved(stretch(-1, 1))


def _closed(butterfly: _Specimen, side: str, chance: random.Random) -> Layers:
    """At rest in profile, wings closed over the back: the under side of the left half, head to the left."""
    fore, hind = butterfly.pair("under", chance)
    fore = fore.moved(turn(chance.uniform(30, 42)))
    hind = hind.moved(turn(chance.uniform(-4, 6)))
    profile = (_profile(butterfly.dress.body, chance) + (fore + hind).moved(turn(-90))).moved(
        turn(chance.uniform(-14, 10))
    )
    return profile if chance.random() < 0.5 else profile.moved(stretch(-1, 1))


POSES: dict[str, Callable[[_Specimen, str, random.Random], Layers]] = {
    "set": _set,
    "half": _half,
    "flight": _flight,
    "closed": _closed,
}
"""How one butterfly can be drawn."""


def _wing(wing: Wing, marks: tuple[Mark, ...], chance: random.Random) -> Layers:
    outline = path(wing.outline)
    veins = "".join(path(vein, closed=False) for vein in wing.veins())
    return Layers(
        dressed(wing, marks, chance),
        inked(outline) + inked(veins, "v", hides=False),
        tuple(wing.outline[::4]),
    )


def _body(body: Body, side: str, chance: random.Random) -> Layers:
    """The body seen from above or below, with antennae."""
    wide, long = body.stout * chance.gauss(1, 0.04), chance.gauss(1, 0.04)
    abdomen = _abdomen(4.6 * wide, 44 * long, chance)
    thorax, head = ellipse((0, -1), 6.2 * wide, 11.5), ellipse((0, -15.5), 3.7, 3.6)
    eyes = ellipse((-3.1, -16.6), 1.7, 2.1, 20) + ellipse((3.1, -16.6), 1.7, 2.1, -20)
    rings = "".join(_ring(y * long, 4.6 * wide * _taper(y / 44)) for y in range(13, 42, 5))
    colour = fill(abdomen, body.abdomen) + stroke(rings, body.rings, 1.1) + fill(thorax, body.thorax)
    if body.flank:
        colour += fill(ellipse((-5.4 * wide, 2), 1.6, 4) + ellipse((5.4 * wide, 2), 1.6, 4), body.flank)
    colour += fill(head, body.thorax) + fill(eyes, "#2a1c14")
    if body.fur:
        colour += stroke(_fur(chance, wide), body.fur, 0.8, 0.8)
    if body.dots:
        spots = ((-2, -14), (2, -14), (-4, -7), (4, -7), (-4.4, 0), (4.4, 0), (0, -10))
        colour += fill("".join(ellipse((x * wide, y), 0.8, 0.8) for x, y in spots), body.dots)
    feelers, clubs, tips = _antennae(chance)
    colour += stroke(feelers, body.antenna, 0.9) + stroke(clubs, body.antenna, 2.2)
    lines = inked(abdomen) + inked(rings, "d", hides=False) + inked(thorax) + inked(head) + inked(eyes, "d")
    lines += inked(_fur(chance, wide), "h", hides=False) + inked(feelers, "o", hides=False)
    return Layers(colour, lines, (*tips, (0, 44 * long)))


def _abdomen(half: float, length: float, chance: random.Random) -> str:
    sway = chance.gauss(0, 1.2)
    right = [(half * _taper(s) + sway * s * s, 6 + (length - 6) * s) for s in (0, 0.15, 0.3, 0.5, 0.7, 0.85, 0.96)]
    left = [(2 * sway * s * s - x, y) for (x, y), s in zip(right, (0, 0.15, 0.3, 0.5, 0.7, 0.85, 0.96), strict=True)]
    return path(smooth([*right, (sway, length), *left[::-1]], 3)[0])


def _taper(share: float) -> float:
    return max(0.25, math.pow(math.sin(math.pi * (0.28 + 0.66 * min(share, 1.0))), 0.7))


def _ring(y: float, half: float) -> str:
    return f"M{-half:.1f} {y:.1f}Q0 {y + 2.2:.1f} {half:.1f} {y:.1f}"


def _fur(chance: random.Random, wide: float) -> str:
    data = ""
    for _ in range(46):
        angle, far = chance.uniform(0, 2 * math.pi), chance.uniform(0.2, 0.95)
        x, y = 6.4 * wide * far * math.cos(angle), -2 + 11 * far * math.sin(angle)
        data += f"M{x:.1f} {y:.1f}l{chance.gauss(x * 0.22, 0.5):.1f} {chance.uniform(1.4, 3.2):.1f}"
    return data


def _antennae(chance: random.Random) -> tuple[str, str, tuple[Point, ...]]:
    feelers = clubs = ""
    tips: list[Point] = []
    for side in (-1, 1):
        x, y = side * chance.uniform(15, 27), -chance.uniform(46, 58)
        bend = side * chance.uniform(4, 9)
        feelers += f"M{side * 1.2:.1f} -18.5Q{bend:.1f} {y * 0.72:.1f} {x:.1f} {y:.1f}"
        clubs += f"M{x - side * 2.4:.1f} {y + 2.2:.1f}L{x + side * 0.8:.1f} {y - 1.0:.1f}"
        tips.append((x, y))
    return feelers, clubs, tuple(tips)


def _profile(body: Body, chance: random.Random) -> Layers:
    """The body seen from its side, head to the left, legs down."""
    wide = body.stout
    abdomen = path(
        smooth([(2, -2), (18, -5 * wide), (34, -2.5 * wide), (42, 2), (34, 5 * wide), (16, 6.5 * wide), (2, 6)], 4)[0]
    )
    thorax, head, eye = ellipse((-1, 1), 11, 7 * wide), ellipse((-14, 0), 4.2, 4.2), ellipse((-14.8, -0.6), 2.2, 2.4)
    legs = "".join(
        f"M{x} {6 * wide:.1f}l{chance.uniform(-7, -2):.1f} 8l{chance.uniform(-2, 3):.1f} 7" for x in (-7, -2, 3)
    )
    tips = [(-44 + chance.gauss(0, 2), y + chance.gauss(0, 3)) for y in (-24, -14)]
    feelers = "".join(f"M-16 -3Q-26 {0.62 * y:.1f} {x:.1f} {y:.1f}" for x, y in tips)
    clubs = "".join(f"M{x + 2:.1f} {y + 1:.1f}L{x - 1:.1f} {y - 0.5:.1f}" for x, y in tips)
    palp = "M-17 2l-4 -2.5"
    colour = stroke(legs, body.thorax, 1.3) + fill(abdomen, body.abdomen) + fill(thorax, body.thorax)
    colour += fill(head, body.thorax) + fill(eye, "#2a1c14") + stroke(palp, body.thorax, 2)
    colour += stroke(feelers, body.antenna, 1.0) + stroke(clubs, body.antenna, 2.0)
    lines = inked(legs, "o", hides=False) + inked(abdomen) + inked(thorax) + inked(head) + inked(eye, "d")
    lines += inked(feelers, "o", hides=False)
    return Layers(colour, lines, (*tips, (42, 6), (0, 22)))


def pair(species: str, chance: random.Random) -> Layers:
    """Return two butterflies of one species, one above the other: set from above, and its under side."""
    above = specimen(species, "set", "upper", chance)
    below = specimen(species, chance.choice(("closed", "closed", "set")), "under", chance)
    return stacked(above, below, chance)


def stacked(above: Layers, below: Layers, chance: random.Random) -> Layers:
    """Return ``below`` set under ``above``, a little aside."""
    _, _, _, bottom = above.box()
    left, top, right, _ = below.box()
    return above + below.moved(
        shift(chance.uniform(-26, 26) - (left + right) / 2, bottom - top + chance.uniform(4, 12))
    )
