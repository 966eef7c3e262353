"""The page of an evaluation. In: its figures, the pictures. Out: one HTML file with everything inside it."""

import base64
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from harvest.datasets.manifest import TRAIN, Dataset, Example
from identify.decide import RUNGS, Judge
from identify.evaluation import believed
from identify.examining import Examined
from identify.plots import SIDE, dots, line, whiskers
from linkeddata.decoding import UnreadableImageError
from linkeddata.thumbnails import thumbnail

THUMBNAIL_PX = 160
FEW, MANY = 60, 12
"""Rows of a table that are shown at most: of classes, of others."""


def page(figures: Mapping[str, Any], judge: Judge, examined: Examined, data: Dataset) -> str:
    """Return the page; the same figures and pictures give the same text."""
    main = figures["unseen"] if figures["unseen"]["images"] else figures["known"]
    shown = examined.unseen if figures["unseen"]["images"] else examined.known
    return str(
        _template().render(
            figures=figures,
            main=main,
            known_only=not figures["unseen"]["images"],
            side=SIDE,
            plots=_plots(main, figures["strangers"]) if main["images"] else {},
            pairs=_pairs(main, judge, shown, data) if main["images"] else [],
            errors={name: _with_whiskers(rows, "accuracy") for name, rows in figures["errors"].items() if rows},
            learning=_with_whiskers(figures["learning"], "recall"),
            classes=_classes(main),
            rungs=RUNGS,
            few=FEW,
            many=MANY,
        )
    )


@cache
def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    pages = Environment(
        loader=PackageLoader("identify", "pages"), autoescape=select_autoescape(), undefined=StrictUndefined
    )
    pages.filters["share"] = in_words
    pages.filters["percent"] = lambda value: f"{100 * value:.1f} %"
    pages.filters["thousands"] = lambda number: f"{number:,}"
    return pages.get_template("evaluation.html")


def in_words(figure: Mapping[str, Any]) -> str:
    """Return a share with its interval.

    >>> in_words({"value": 0.9, "right": 45, "of": 50, "low": 0.7864, "high": 0.9565})
    '90 % (79 to 96; 45 of 50)'
    """
    low, high = 100 * figure["low"], 100 * figure["high"]
    return f"{100 * figure['value']:.0f} % ({low:.0f} to {high:.0f}; {figure['right']:,} of {figure['of']:,})"


def _plots(main: Mapping[str, Any], strangers: Mapping[str, Any]) -> dict[str, Any]:
    calibration = main["calibration"]
    curve = [{"kept": row["kept"], "rejected": row["rejected"]} for row in strangers.get("curve", [])]
    return {
        "before": dots(calibration["before"]["bins"]),
        "after": dots(calibration["after"]["bins"]),
        "selective": line(main["selective"], "answered", "right"),
        "strangers": line(curve, "kept", "rejected"),
    }


def _with_whiskers(rows: Sequence[Mapping[str, Any]], figure: str) -> list[dict[str, Any]]:
    return [dict(row) | {"drawn": drawn} for row, drawn in zip(rows, whiskers([r[figure] for r in rows]), strict=True)]


def _classes(main: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows = [row for row in main.get("per_class", []) if row["support"] or row["answered"]]
    return sorted(rows, key=lambda row: (row["recall"], row["precision"], row["label"]))


def _pairs(main: Mapping[str, Any], judge: Judge, shown: Examined, data: Dataset) -> list[dict[str, Any]]:
    """Return the worst pairs, each with a picture that was misjudged and one of what it was taken for."""
    probabilities, _ = believed(judge, shown)
    first = probabilities.argmax(axis=1)
    place = {one.label: one.index for one in judge.classes}
    pairs = []
    for pair in main["confused"]:
        wrong = np.flatnonzero((shown.truth == place[pair["truth"]]) & (first == place[pair["answer"]]))
        worst = int(wrong[probabilities[wrong].max(axis=1).argmax()])
        example = shown.examples[worst]
        other = _like(judge.classes[place[pair["answer"]]].item, pair["answer"], data)
        pairs.append(
            {
                **pair,
                "certain": float(probabilities[worst].max()),
                "picture": _picture(data, example),
                "by": example.group or example.creator,
                "other": _picture(data, other) if other else "",
            }
        )
    return pairs


def _like(item: str, label: str, data: Dataset) -> Example | None:
    """Return a picture of a class, one that taught if there is any."""
    own = [e for e in data.examples if (e.item and e.item == item) or e.label == label]
    return next((e for e in own if e.split == TRAIN), own[0] if own else None)


def _picture(data: Dataset, example: Example) -> str:
    """Return a small JPEG as a data: URL, nothing for what cannot be read."""
    try:
        small = thumbnail((data.folder / example.path).read_bytes(), THUMBNAIL_PX)
    except (OSError, ValueError, UnreadableImageError):
        return ""
    return "data:image/jpeg;base64," + base64.b64encode(small).decode()
