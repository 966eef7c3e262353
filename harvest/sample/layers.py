"""What is drawn before a hand finishes it. In: points and colours. Out: ``Layers``, two pieces of SVG.

``colour`` is what is painted, ``lines`` what is drawn: black strokes on white, where a white fill hides the lines that
lie under it. The classes of strokes (``o`` outline, ``v`` vein, ``d`` detail, ``h`` hair, ``c`` caption) get their
widths from the hand.
"""

import math
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Point = tuple[float, float]
Matrix = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Layers:
    """Two pieces of SVG and the outermost points of what they show."""

    colour: str = ""
    lines: str = ""
    reach: tuple[Point, ...] = ()

    def __add__(self, other: "Layers") -> "Layers":
        """Return ``self`` with ``other`` on top of it."""
        return Layers(self.colour + other.colour, self.lines + other.lines, self.reach + other.reach)

    def moved(self, matrix: Matrix) -> "Layers":
        """Return the same, transformed."""
        head = f'<g transform="matrix({" ".join(f"{x:.4f}" for x in matrix)})">'
        a, b, c, d, e, f = matrix
        reach = tuple((a * x + c * y + e, b * x + d * y + f) for x, y in self.reach)
        return Layers(f"{head}{self.colour}</g>", f"{head}{self.lines}</g>", reach)

    def box(self) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom of what is shown."""
        xs, ys = [x for x, _ in self.reach], [y for _, y in self.reach]
        return min(xs), min(ys), max(xs), max(ys)


def shift(x: float, y: float) -> Matrix:
    """Return the matrix that moves by ``x``, ``y``."""
    return (1, 0, 0, 1, x, y)


def stretch(x: float, y: float) -> Matrix:
    """Return the matrix that scales; ``stretch(-1, 1)`` mirrors left and right."""
    return (x, 0, 0, y, 0, 0)


def turn(degrees: float, around: Point = (0, 0)) -> Matrix:
    """Return the matrix that turns clockwise (as seen, y down) around a point."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y = around
    return (c, s, -s, c, x - c * x + s * y, y - s * x - c * y)


def path(points: Iterable[Point], *, closed: bool = True) -> str:
    """Return SVG path data through ``points``.

    >>> path([(0, 0), (1.25, 2)], closed=False)
    'M0.0 0.0L1.2 2.0'
    """
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + ("Z" if closed else "")


def fill(data: str, colour: str, opacity: float = 1.0) -> str:
    """Return an SVG path filled with ``colour``."""
    faint = f' fill-opacity="{opacity:.2f}"' if opacity < 1 else ""
    return f'<path d="{data}" fill="{colour}"{faint}/>'


def stroke(data: str, colour: str, width: float, opacity: float = 1.0) -> str:
    """Return an SVG path drawn in ``colour``, ``width`` units wide, with round ends."""
    faint = f' stroke-opacity="{opacity:.2f}"' if opacity < 1 else ""
    return (
        f'<path d="{data}" fill="none" stroke="{colour}" stroke-width="{width:.2f}" '
        f'stroke-linecap="round" stroke-linejoin="round"{faint}/>'
    )


def inked(data: str, kind: str = "o", *, hides: bool = True) -> str:
    """Return a stroke for the layer of lines; a closed shape ``hides`` the lines below it."""
    return f'<path d="{data}" class="{kind}" fill="{"#fff" if hides else "none"}"/>'


def clipped(content: str, outline: str) -> str:
    """Return ``content`` cut off at ``outline`` (path data)."""
    name = f"c{zlib.crc32(outline.encode()):08x}"
    return f'<clipPath id="{name}"><path d="{outline}"/></clipPath><g clip-path="url(#{name})">{content}</g>'


def glow(data: str, centre: Point, radius: float, stops: Sequence[tuple[float, str]]) -> str:
    """Return an SVG path filled with a radial gradient."""
    inside = "".join(f'<stop offset="{offset:.2f}" stop-color="{colour}"/>' for offset, colour in stops)
    body = f'cx="{centre[0]:.1f}" cy="{centre[1]:.1f}" r="{radius:.1f}" gradientUnits="userSpaceOnUse">{inside}'
    name = f"g{zlib.crc32((body + data[:60]).encode()):08x}"
    return f'<radialGradient id="{name}" {body}</radialGradient><path d="{data}" fill="url(#{name})"/>'


def ellipse(centre: Point, rx: float, ry: float, degrees: float = 0.0) -> str:
    """Return path data of an ellipse, turned by ``degrees``."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y = centre
    ax, ay, bx, by = x - rx * c, y - rx * s, x + rx * c, y + rx * s
    arc = f"A{rx:.2f} {ry:.2f} {degrees:.1f} 0 1"
    return f"M{ax:.1f} {ay:.1f}{arc} {bx:.1f} {by:.1f}{arc} {ax:.1f} {ay:.1f}Z"
