"""What the cabinet holds beside butterflies. In: a kind. Out: ``Layers`` in a frame about 200 units wide.

These are the plates that a model of butterflies must not name.
"""

import math
import random
from collections.abc import Callable, Sequence

from harvest.sample.layers import Layers, Point, ellipse, fill, glow, inked, path, stretch, stroke
from harvest.sample.wings import smooth


def stranger(kind: str, chance: random.Random) -> Layers:
    """Return a drawing of ``kind`` (a key of ``DRAWINGS``), varied by ``chance``."""
    drawn = DRAWINGS[kind](chance).moved(stretch(chance.uniform(0.88, 1.1), chance.uniform(0.92, 1.08)))
    return drawn if chance.random() < 0.5 else drawn.moved(stretch(-1, 1))


def _area(points: Sequence[Point], colour: str, kind: str = "o") -> Layers:
    """A smooth area with an outline."""
    data = path(smooth(points, 6)[0])
    return Layers(fill(data, colour), inked(data, kind), tuple(points))


def _shape(points: Sequence[Point], colour: str) -> Layers:
    """An area with corners and an outline."""
    data = path(points)
    return Layers(fill(data, colour), inked(data), tuple(points))


def _disc(centre: Point, rx: float, ry: float, colour: str, degrees: float = 0.0) -> Layers:
    data = ellipse(centre, rx, ry, degrees)
    x, y = centre
    return Layers(fill(data, colour), inked(data), ((x - rx, y - ry), (x + rx, y + ry)))


def _thread(data: str, colour: str, width: float, kind: str = "d") -> Layers:
    """A painted line that is also drawn."""
    return Layers(stroke(data, colour, width), inked(data, kind, hides=False))


def _carriage(chance: random.Random) -> Layers:
    body = chance.choice(("#8c2f2a", "#2f4f6f", "#5a6b3a", "#6b3f5a"))
    result = _thread("M-92 38Q-40 58 40 52L98 44", "#4a3320", 3.2) + _thread(
        "M-60 22q-14 -20 4 -30M62 22q16 -20 -2 -32", "#4a3320", 2
    )
    result += _area([(-62, -34), (-20, -44), (34, -42), (60, -34), (58, 4), (34, 26), (-34, 26), (-60, 2)], body)
    result += _shape([(-64, -36), (-44, -52), (42, -52), (62, -36)], "#3a2a20")
    for x in (-44, 12):
        result += _shape([(x, -30), (x + 30, -30), (x + 30, -6), (x, -6)], "#b9cdd6")
    result += _shape([(-10, -30), (8, -30), (8, 22), (-10, 22)], "#c9a24a")
    for x, radius in ((-62, chance.uniform(23, 27)), (58, chance.uniform(29, 34))):
        result += _wheel((x, 74 - radius), radius, chance.randint(8, 12))
    return result + _thread("M98 44l18 -6M-92 38l-10 -10", "#4a3320", 2.4) + Layers(reach=((-103, 28), (117, 38)))


def _wheel(hub: Point, radius: float, spokes: int) -> Layers:
    x, y = hub
    rim = ellipse(hub, radius, radius) + ellipse(hub, radius - 4, radius - 4)
    data = "".join(
        f"M{x:.1f} {y:.1f}L{x + (radius - 3) * math.cos(a):.1f} {y + (radius - 3) * math.sin(a):.1f}"
        for a in (2 * math.pi * i / spokes for i in range(spokes))
    )
    colour = stroke(ellipse(hub, radius - 2, radius - 2), "#8a5a30", 4) + stroke(data, "#8a5a30", 2)
    lines = inked(rim, hides=False) + inked(data, "d", hides=False)
    wheel = Layers(colour, lines, ((x - radius, y - radius), (x + radius, y + radius)))
    return wheel + _disc(hub, 4.5, 4.5, "#c9a24a")


def _cone_shell(chance: random.Random) -> Layers:
    ground, mark = chance.choice(
        (("#f0e2c4", "#8a4a24"), ("#e9d3a8", "#5a2f1c"), ("#f2e9dc", "#b0643a"), ("#e6c8b0", "#3a2a24"))
    )
    outline = [
        (-52, -52),
        (0, -66),
        (52, -52),
        (58, -34),
        (40, 20),
        (14, 84),
        (0, 96),
        (-14, 84),
        (-40, 20),
        (-58, -34),
    ]
    data = path(smooth(outline, 6)[0])
    marks = ""
    for row in range(9):
        y, half = -38 + row * 14, 56 - row * 6.2
        for i in range(7):
            x = -half + 2 * half * (i + chance.uniform(0.2, 0.8)) / 7
            marks += ellipse(
                (x, y + chance.gauss(0, 2)), chance.uniform(2.4, 5.4), chance.uniform(1.6, 3.4), chance.uniform(-20, 20)
            )
    spire = "".join(
        f"M{-s:.0f} {-52 - (52 - s) * 0.45:.1f}Q0 {-40 - (52 - s) * 0.6:.1f} {s:.0f} {-52 - (52 - s) * 0.45:.1f}"
        for s in (52, 40, 27, 14)
    )
    mouth = "M44 -40Q30 20 6 90"
    colour = glow(data, (-16, -20), 110, ((0, "#fff8ea"), (0.4, ground), (1, "#9a7a54"))) + fill(marks, mark)
    colour += stroke(mouth, "#e9b9a0", 7) + stroke(spire, mark, 1.2)
    return Layers(
        colour, inked(data) + inked(spire + mouth, "d", hides=False) + inked(marks, "h", hides=False), tuple(outline)
    )


def _flower(chance: random.Random) -> Layers:
    petal, throat = chance.choice(
        (("#d8423a", "#f0c83c"), ("#e8d24a", "#b0442a"), ("#b08ac4", "#5a3a7a"), ("#f0eadc", "#d88a9a"))
    )
    result = _thread("M0 -20Q10 30 -6 96", "#5f7f3f", 4)
    for side in (-1, 1):
        x = side * chance.uniform(44, 58)
        result += _area([(-2, 78), (x * 0.35, 30), (x, chance.uniform(-6, 14)), (x * 0.62, 46), (4, 90)], "#6f8f4a")
    count = chance.choice((5, 6, 6, 8))
    lean = chance.uniform(0, 360)
    for i in range(count):
        angle = math.radians(lean + 360 * i / count)
        c, s = math.cos(angle), math.sin(angle) * 0.8
        outer, half = chance.uniform(46, 56), 150 / count
        place = [
            (12, -half * 0.3),
            (outer * 0.6, -half * 0.75),
            (outer, 0),
            (outer * 0.6, half * 0.75),
            (12, half * 0.3),
        ]
        result += _area([(x * c - y * s, -34 + x * s + y * c) for x, y in place], petal)
        result += _thread(
            f"M{14 * c:.1f} {-34 + 14 * s:.1f}L{outer * 0.7 * c:.1f} {-34 + outer * 0.7 * s:.1f}", throat, 2.6
        )
    return result + _disc((0, -34), 11, 9, throat)


def _ship(chance: random.Random) -> Layers:
    result = Layers()
    for x, top in ((-46, -62), (2, -86), (48, -56)):
        result += _thread(f"M{x} 34V{top - 8}", "#5a4028", 2.6)
        for y, half in ((top + 4, 17), (top + 34, 25)):
            belly = chance.uniform(5, 12)
            result += _area(
                [
                    (x - half, y),
                    (x + half, y),
                    (x + half + belly, y + 15),
                    (x + half - 2, y + 27),
                    (x - half - 2, y + 27),
                    (x - half + belly, y + 14),
                ],
                "#eadfc2",
            )
        flag = chance.choice(("#b5362a", "#e08a2a", "#3a5a8a"))
        result += _area([(x, top - 10), (x + 14, top - 13), (x + 22, top - 7), (x + 12, top - 5), (x, top - 3)], flag)
    result += _area(
        [(-88, 18), (-80, 36), (-58, 58), (40, 60), (72, 48), (88, 8), (66, 22), (20, 32), (-40, 32)], "#7a4e2c"
    )
    result += _thread("M-82 30Q0 50 80 26M-74 42Q0 60 72 40", "#d0a24a", 1.6)
    result += Layers(fill("".join(ellipse((x, 42), 2.6, 2.2) for x in range(-50, 60, 16)), "#2a1c14"))
    sea = "M-104 62q13 -9 26 0t26 0t26 0t26 0t26 0t26 0t26 0l-4 16q-26 -6 -52 0t-52 0t-52 2z"
    return result + Layers(fill(sea, "#7fa3ad"), inked(sea), ((-104, 58), (78, 80)))


def _teapot(chance: random.Random) -> Layers:
    glaze, mark = chance.choice(
        (("#eef0ee", "#34579a"), ("#a8452c", "#5a2416"), ("#dfe8d8", "#3f7a5a"), ("#e8dcc0", "#a8502c"))
    )
    result = _thread("M52 -16Q100 -34 92 12Q84 44 46 36", glaze, 8, "o")
    result += _area([(-50, 22), (-72, 8), (-88, -22), (-104, -28), (-96, -36), (-78, -28), (-60, -6), (-46, -4)], glaze)
    body = [(-54, 4), (-44, -26), (-22, -40), (22, -40), (46, -26), (56, 4), (44, 38), (26, 52), (-26, 52), (-44, 38)]
    data = path(smooth(body, 6)[0])
    result += Layers(
        glow(data, (-16, -12), 84, ((0, "#ffffff"), (0.35, glaze), (1, "#6f6a66"))), inked(data), tuple(body)
    )
    result += _area([(-24, -40), (-18, -52), (0, -57), (18, -52), (24, -40), (0, -36)], glaze) + _disc(
        (0, -61), 6, 6, mark
    )
    for i in range(5):
        x = -32 + i * 16 + chance.gauss(0, 2)
        result += _disc((x, 4 + chance.gauss(0, 5)), 5.5, 5.5, mark) + _thread(f"M{x:.1f} 10q3 10 -4 18", mark, 1.6)
    return result + _thread("M-46 -20Q0 -32 48 -20M-40 40Q0 50 40 40", mark, 2.2) + Layers(reach=((98, -28), (0, -68)))


def _fish(chance: random.Random) -> Layers:
    back, belly = chance.choice(
        (("#5f7f9a", "#e8e4d8"), ("#c9702c", "#f2dca8"), ("#6f8a4f", "#e9e2c0"), ("#8a4a4a", "#f0d8cc"))
    )
    fin = chance.choice(("#b0643a", "#8f9aa0", "#d0963c"))
    result = _area([(-24, -34), (6, -62), (40, -40), (44, -26), (0, -22)], fin) + _area(
        [(0, 30), (26, 50), (36, 28)], fin
    )
    result += _area([(66, -4), (106, -42), (96, 0), (108, 40), (66, 6)], fin)
    body = [(-98, 4), (-72, -20), (-30, -38), (16, -36), (54, -16), (76, -2), (54, 16), (14, 34), (-34, 36), (-72, 24)]
    data = path(smooth(body, 6)[0])
    scales = "".join(
        f"M{x:.0f} {y:.0f}q7 6 0 12"
        for x in range(-48, 58, 11)
        for y in range(-26, 24, 11)
        if abs(y + 6) < 30 - abs(x) * 0.32
    )
    colour = glow(data, (-20, 46), 92, ((0, belly), (0.45, belly), (1, back))) + stroke(scales, back, 1.1, 0.7)
    result += Layers(colour, inked(data) + inked(scales, "d", hides=False), tuple(body))
    result += _thread("M-58 -24Q-44 4 -60 28M-98 6l14 3", back, 1.6) + _area(
        [(-36, 6), (-14, 2), (-8, 16), (-26, 20)], fin
    )
    return result + _disc((-76, -5), 6, 6, "#f0e4b0") + _disc((-76, -5), 3, 3, "#1c1712")


def _lute(chance: random.Random) -> Layers:
    wood = chance.choice(("#c98f4a", "#b5763a", "#d6a866", "#a8602f"))
    result = _shape([(-8, -10), (8, -10), (7, -86), (-7, -86)], "#4a2f1c")
    result += _shape([(-8, -84), (8, -84), (30, -104), (20, -112)], "#5a3a22")
    for i in range(4):
        result += _thread(f"M{12 + i * 4} {-90 - i * 5}l9 7", "#3a2618", 2.2)
    result += _area([(-10, -20), (10, -20), (34, 6), (48, 44), (36, 80), (0, 94), (-36, 80), (-48, 44), (-34, 6)], wood)
    result += _disc((0, 34), 15, 15, "#3a2416") + _disc((0, 34), 10, 10, "#8a5a30") + _disc((0, 34), 4, 4, "#3a2416")
    result += _shape([(-20, 70), (20, 70), (20, 75), (-20, 75)], "#4a2f1c")
    strings = "".join(f"M{x * 0.55:.1f} -84L{x * 1.6:.1f} 72" for x in (-8, -5, -2, 2, 5, 8))
    frets = "".join(f"M-8 {y}H8" for y in range(-78, -16, 10))
    return result + _thread(strings, "#efe2c0", 0.7) + _thread(frets, "#d8c490", 1.0)


def _armillary_sphere(chance: random.Random) -> Layers:
    brass = chance.choice(("#c9a24a", "#b5893a", "#d6b868"))
    result = _area([(-10, 66), (10, 66), (14, 78), (34, 92), (-34, 92), (-14, 78)], "#7a4e2c") + _thread(
        "M0 58V70", brass, 5, "o"
    )
    tilt = chance.uniform(15, 35)
    rings = ((62, 62, 0.0), (62, 18, tilt), (62, 30, -tilt), (20, 61, tilt), (40, 60, tilt + 8))
    for rx, ry, degrees in rings:
        edge = ellipse((0, -4), rx, ry, degrees)
        inner = ellipse((0, -4), rx - 3.5, max(ry - 3.5, 2), degrees)
        result += Layers(stroke(edge, brass, 4.2), inked(edge + inner, "d", hides=False))
    axis = math.radians(-tilt - 50)
    x, y = 74 * math.cos(axis), 74 * math.sin(axis)
    result += _thread(f"M{-x:.1f} {-4 - y:.1f}L{x:.1f} {-4 + y:.1f}", "#6a4a22", 2.2)
    result += _disc((0, -4), 11, 11, chance.choice(("#4f7f9a", "#7a9a5a", "#c96a3a")))
    return result + Layers(reach=((-78, -82), (78, 92)))


DRAWINGS: dict[str, Callable[[random.Random], Layers]] = {
    "carriage": _carriage,
    "cone shell": _cone_shell,
    "flower": _flower,
    "ship": _ship,
    "teapot": _teapot,
    "fish": _fish,
    "lute": _lute,
    "armillary sphere": _armillary_sphere,
}
"""The drawing of each kind of stranger, by the names in ``plan.STRANGERS``."""
