"""Plots of a model's figures as plain data for SVG. In: curves with values from 0 to 1. Out: points in pixels.

A plot is a square of ``SIDE`` pixels; what is drawn, and in which words, is the page's.
"""

from collections.abc import Mapping, Sequence
from typing import Any

SIDE = 260
Curve = Sequence[Mapping[str, float]]


def line(curve: Curve, across: str, up: str) -> str:
    """Return the points of a line, left to right, as an SVG path's corners.

    >>> line([{"answered": 0.5, "right": 1.0}, {"answered": 1.0, "right": 0.75}], "answered", "right")
    '130,0 260,65'
    """
    return " ".join(f"{SIDE * row[across]:g},{SIDE * (1 - row[up]):g}" for row in curve)


def dots(bins: Curve) -> list[dict[str, Any]]:
    """Return a dot for each bin of certainty, as large as it has images.

    >>> dots([{"certain": 0.5, "right": 0.25, "images": 4}])
    [{'x': 130.0, 'y': 195.0, 'r': 9.0, 'title': 'certain 50 %, right 25 %, 4 images'}]
    """
    most = max((row["images"] for row in bins), default=1)
    return [
        {
            "x": round(SIDE * row["certain"], 1),
            "y": round(SIDE * (1 - row["right"]), 1),
            "r": round(3 + 6 * (row["images"] / most) ** 0.5, 1),
            "title": f"certain {100 * row['certain']:.0f} %, right {100 * row['right']:.0f} %, "
            f"{row['images']:,.0f} images",
        }
        for row in bins
    ]


def whiskers(figures: Sequence[Mapping[str, Any]]) -> list[dict[str, float]]:
    """Return value and interval of shares as percent of a width, for a row each.

    >>> whiskers([{"value": 0.5, "low": 0.25, "high": 0.75}])
    [{'value': 50.0, 'low': 25.0, 'wide': 50.0}]
    """
    return [
        {
            "value": round(100 * one["value"], 1),
            "low": round(100 * one["low"], 1),
            "wide": round(100 * (one["high"] - one["low"]), 1),
        }
        for one in figures
    ]
