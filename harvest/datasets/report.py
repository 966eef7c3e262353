"""A dataset as a page for people. In: rows, figures, images. Out: HTML, and a contact sheet a class, as bytes by path.

One page without scripts and without a network; plots are SVG inside it, the sheets lie beside it and come when they are
looked at.
"""

import io
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from PIL import Image

from harvest.datasets.about import About
from harvest.datasets.figures import Figures
from harvest.datasets.manifest import SPLITS, DatasetClass, Example
from harvest.datasets.revision import Revision
from harvest.datasets.versions import in_words
from linkeddata.decoding import Limits, UnreadableImageError, opened, upright

TILE_PX = 96
ACROSS = 12
TILES = 24
"""Most images on a contact sheet."""
BARS_PX = (960, 160)
SHOWN = 15

Read = Callable[[Example], bytes]


def report(
    about: About,
    examples: Sequence[Example],
    classes: Sequence[DatasetClass],
    figures: Figures,
    version: str,
    read: Read,
    revised: Revision | None = None,
) -> dict[str, bytes]:
    """Return ``report.html`` and ``report/…jpg``; ``read`` gives an example's image."""
    by_class: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        if example.concept:
            by_class[example.concept].append(example)
    shown, sheets = [], {}
    for number, one in enumerate(classes, 1):
        path = f"report/sheet-{number:04}.jpg"
        theirs = by_class[one.concept]
        sides = tuple((side, n) for side in SPLITS if (n := sum(e.split == side for e in theirs)))
        picture = contact_sheet([read(e) for e in _spread(theirs)])
        shown.append({"about": one, "sides": sides, "sheet": path, "size": picture.size, "shown": len(_spread(theirs))})
        sheets[path] = _jpeg(picture)
    text = _template().render(
        about=about,
        figures=figures,
        classes=shown,
        version=version,
        plot=balance_plot(classes),
        shares={name: _shares(getattr(figures, name)) for name in ("licences", "sources", "creators", "losses")},
        shown=SHOWN,
        revised=revised,
        changes=in_words(revised.difference, SHOWN).splitlines()[1:] if revised else (),
    )
    return {"report.html": text.encode(), **sheets}


@cache
def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    pages = Environment(
        loader=PackageLoader("harvest", "datasets"), autoescape=select_autoescape(), undefined=StrictUndefined
    )
    pages.filters["thousands"] = lambda number: f"{number:,}"
    return pages.get_template("report.html")


def _spread(examples: Sequence[Example]) -> list[Example]:
    """Return at most ``TILES`` examples, evenly from all of them."""
    step = max(1.0, len(examples) / TILES)
    return [examples[int(place * step)] for place in range(min(TILES, len(examples)))]


def contact_sheet(images: Sequence[bytes]) -> Image.Image:
    """Return the images small, in rows of ``ACROSS``; a grey tile stands for one that cannot be read."""
    rows = -(-len(images) // ACROSS)
    across = min(ACROSS, max(1, len(images)))
    sheet = Image.new("RGB", (across * TILE_PX, max(1, rows) * TILE_PX), "#fff")
    for place, data in enumerate(images):
        tile = _tile(data)
        left = place % ACROSS * TILE_PX + (TILE_PX - tile.width) // 2
        sheet.paste(tile, (left, place // ACROSS * TILE_PX + (TILE_PX - tile.height) // 2))
    return sheet


def _tile(data: bytes) -> Image.Image:
    try:
        small = upright(opened(data, Limits(), 2 * TILE_PX))
    except UnreadableImageError:
        return Image.new("RGB", (TILE_PX - 8, TILE_PX - 8), "#bbb")
    small.thumbnail((TILE_PX - 8, TILE_PX - 8), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return small


def _jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=82)
    return out.getvalue()


def balance_plot(classes: Sequence[DatasetClass]) -> dict[str, Any]:
    """Return bars for the classes, largest first: places and heights in pixels, what is for training apart.

    >>> one = DatasetClass(concept="Q1", label="a", rank="", images=4, train=2)
    >>> [(bar["height"], bar["train"]) for bar in balance_plot([one])["bars"]]
    [(160.0, 80.0)]
    """
    width, height = BARS_PX
    ordered = sorted(classes, key=lambda c: (-c.images, c.label))
    most = ordered[0].images if ordered else 1
    step = width / max(1, len(ordered))
    bars = [
        {
            "x": round(place * step, 2),
            "width": round(max(0.5, step - (1 if step > 3 else 0)), 2),
            "height": round(height * one.images / most, 2),
            "train": round(height * one.train / most, 2),
            "label": f"{one.label}: {one.images:,} images, {one.train:,} for training",
        }
        for place, one in enumerate(ordered)
    ]
    return {"bars": bars, "width": width, "height": height, "most": most}


def _shares(counts: Sequence[tuple[str, int]]) -> list[Mapping[str, Any]]:
    most = max((number for _, number in counts), default=1)
    return [{"name": name, "number": number, "percent": round(100 * number / most, 1)} for name, number in counts]
