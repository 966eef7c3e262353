"""What stands around a specimen on a plate. In: the plate's size. Out: ``Layers`` in pixels: frame, captions, sprigs.

Captions are strokes that look like writing and say nothing, so that no plate gives away what it shows.
"""

import math
import random

from harvest.sample.layers import Layers, Point, fill, inked, path, stroke, turn
from harvest.sample.wings import smooth


def frame(width: float, height: float, chance: random.Random) -> Layers:
    """Return one or two ruled lines around the plate; the captions stand below them."""
    lines, inset, foot = "", chance.uniform(0.03, 0.045) * width, 0.925 * height
    for step in range(chance.choice((1, 2, 2))):
        d = step * chance.uniform(3.5, 6)
        lines += f"M{inset + d:.1f} {inset + d:.1f}H{width - inset - d:.1f}V{foot - d:.1f}H{inset + d:.1f}Z"
    return Layers(lines=inked(lines, "c", hides=False))


def caption(centre: Point, length: float, size: float, chance: random.Random, longest: int = 9) -> Layers:
    """Return ``length`` of illegible script around ``centre``, ``size`` high, words of up to ``longest`` letters."""
    x, y = centre[0] - length / 2, centre[1]
    slant, data = chance.uniform(0.15, 0.45), ""
    while x < centre[0] + length / 2:
        data += f"M{x:.1f} {y:.1f}"
        for _ in range(chance.randint(2, longest)):
            step, height = size * chance.uniform(0.28, 0.5), size * chance.choice((0.45, 0.5, 0.5, 1.0, 1.1, -0.55))
            lean = slant * height
            if chance.random() < 0.4:
                data += f"c{lean:.1f} {-height:.1f} {lean + step * 0.9:.1f} {-height:.1f}"
                data += f" {step * 0.6:.1f} {-0.35 * height:.1f}t{step * 0.4:.1f} {0.35 * height:.1f}"
            else:
                data += f"q{lean:.1f} {-height:.1f} {lean + step / 2:.1f} {-height * 0.9:.1f}"
                data += f"t{step / 2 - lean:.1f} {height * 0.9:.1f}"
            x += step
        x += size * chance.uniform(0.4, 0.8)
    return Layers(lines=inked(data, "c", hides=False)).moved(turn(chance.gauss(0, 0.7), centre))


def captions(width: float, height: float, chance: random.Random) -> Layers:
    """Return what a collector may have written on the plate: a line below, a number in a corner, or nothing."""
    result = Layers()
    if chance.random() < 0.7:
        length = width * chance.uniform(0.18, 0.5)
        result += caption((width / 2, height * chance.uniform(0.958, 0.968)), length, chance.uniform(8, 11), chance)
    if chance.random() < 0.4:
        corner = width * chance.choice((0.11, 0.89))
        result += caption((corner, height * 0.075), chance.uniform(8, 26), 9, chance, 3)
    return result


def twig(left: Point, right: Point, chance: random.Random) -> Layers:
    """Return a twig from ``left`` to ``right`` with a few leaves."""
    sag = chance.uniform(2, 10)
    (ax, ay), (bx, by) = left, right
    spine = [
        (ax + (bx - ax) * t, ay + (by - ay) * t + sag * math.sin(math.pi * t) + chance.gauss(0, 1)) for t in _tenths()
    ]
    thick = chance.uniform(1.6, 2.6)
    edge = [(x, y - thick * (1 - 0.06 * i)) for i, (x, y) in enumerate(spine)]
    under = [(x, y + thick * (1 - 0.06 * i)) for i, (x, y) in enumerate(spine)][::-1]
    result = Layers()
    for i in chance.sample((1, 3, 5, 7, 9), chance.randint(2, 4)):
        up = chance.choice((-1, 1)) * chance.uniform(25, 65)
        result += leaf(spine[i], chance.uniform(34, 62), up, chance)
    data = path(edge + under)
    return result + Layers(fill(data, chance.choice(("#7a5c3a", "#6b5a3e", "#84694a"))), inked(data))


def leaf(foot: Point, length: float, degrees: float, chance: random.Random) -> Layers:
    """Return a leaf on its stalk, pointing away from ``foot``."""
    half = length * chance.uniform(0.17, 0.26)
    right = [(0.12, 0.0), (0.3, 0.75), (0.5, 1.0), (0.72, 0.8), (0.9, 0.3)]
    shape = (
        [(s * length, w * half) for s, w in right]
        + [(length, 0.0)]
        + [(s * length, -w * half) for s, w in right[:0:-1]]
    )
    data = path(smooth(shape, 4)[0])
    rib = f"M0 0L{length * 0.95:.1f} 0"
    sides = "".join(
        f"M{s * length:.1f} 0l{0.14 * length:.1f} {sign * half * 0.7:.1f}"
        for s in (0.25, 0.42, 0.58, 0.72)
        for sign in (-1, 1)
    )
    green = chance.choice(("#7f9a54", "#6b8a4a", "#93a35e", "#5f7f52"))
    colour = fill(data, green) + fill(path(smooth([*shape[:6], (length * 0.5, 0)], 3)[0]), "#4f6f3c", 0.35)
    lines = inked(data) + inked(rib + sides, "d", hides=False)
    x, y = foot
    matrix = turn(degrees)
    return Layers(colour + stroke(rib, "#56683a", 1.0), lines).moved((*matrix[:4], x, y))


def pin(at: Point, chance: random.Random) -> Layers:
    """Return the head of the pin that holds a specimen."""
    x, y = at
    head = f"M{x - 1.6:.1f} {y:.1f}a1.6 1.6 0 1 1 3.2 0a1.6 1.6 0 1 1 -3.2 0Z"
    return Layers(fill(head, chance.choice(("#c9b068", "#d8d4c8"))), inked(head, "d"))


def _tenths() -> tuple[float, ...]:
    return tuple(i / 10 for i in range(11))
