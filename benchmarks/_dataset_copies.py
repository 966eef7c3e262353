"""How surely copies of pictures are found: planted cut-outs and other copies of some, among all pictures of a folder.

By prints alone, and by a model's features where one is given. Part of ``python -m benchmarks.dataset``; the pictures
should be really different ones, so that whatever else is found is a false join.
"""

import hashlib
import io
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from benchmarks._figure import figure
from harvest.datasets.duplicates import compared
from harvest.datasets.embedded import COPIES_FROM, near
from harvest.records import silent
from linkeddata.storage import Stored, stored_file

SAMPLE, SEED = 80, 1596
THRESHOLDS = (0.99, 0.985, 0.98, 0.97, 0.96, 0.95, 0.93, 0.9)


def _part(share: float) -> Callable[[Image.Image, np.random.Generator], Image.Image]:
    def cut(picture: Image.Image, random: np.random.Generator) -> Image.Image:
        width, height = (max(8, round(side * share)) for side in picture.size)
        left, top = (
            int(random.integers(0, whole - part + 1)) for whole, part in zip(picture.size, (width, height), strict=True)
        )
        return picture.crop((left, top, left + width, top + height))

    return cut


def _larger(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """Lay a picture somewhere on paper that is up to half as large again on each side."""
    width, height = (round(side * random.uniform(1.1, 1.5)) for side in picture.size)
    paper = Image.new("RGB", (width, height), picture.getpixel((0, 0)))
    paper.paste(
        picture,
        (int(random.integers(0, width - picture.width + 1)), int(random.integers(0, height - picture.height + 1))),
    )
    return paper


WAYS: dict[str, Callable[[Image.Image, np.random.Generator], Image.Image]] = {
    "on larger paper": _larger,
    "part of 0.9 of each side": _part(0.9),
    "part of 0.8 of each side": _part(0.8),
    "part of 0.7 of each side": _part(0.7),
    "part of 0.5 of each side": _part(0.5),
    "mirrored": lambda picture, _: ImageOps.mirror(picture),
    "grey": lambda picture, _: ImageOps.grayscale(picture).convert("RGB"),
}


def copies(pictures: Path, model: Path | None, home: Path) -> None:
    """Print how many planted copies of a sample are found, and how many pairs are that are none."""
    paths = sorted(path for path in pictures.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"))
    random = np.random.default_rng(SEED)
    originals = [_named(path) for path in paths]
    originals = list({sha1: (sha1, stored) for sha1, stored in originals}.values())
    sample = sorted(random.choice(len(originals), min(SAMPLE, len(originals)), replace=False).tolist())
    with tempfile.TemporaryDirectory() as made:
        planted, ways = [], []
        for way, change in WAYS.items():
            for place in sample:
                with Image.open(io.BytesIO(originals[place][1].read_bytes())) as image:
                    copy = change(_flat(image), random)
                path = Path(made) / f"{len(planted)}.jpg"
                copy.save(path, quality=90)
                planted.append(_named(path))
                ways.append((way, place))
        images = [*originals, *planted]
        found = compared(images, None, silent)
        of_prints = {frozenset(pair) for pair in found.copies}
        _tell("prints", of_prints, len(originals), ways)
        if model:
            from identify.embedding import embedding_of

            rows = embedding_of(model, home).rows(images, silent)
            pairs = near(rows, min(THRESHOLDS))
            for least in THRESHOLDS:
                name = f"features from {least}" + (" (usual)" if least == COPIES_FROM else "")
                _tell(name, {frozenset((p.a, p.b)) for p in pairs if p.cosine >= least}, len(originals), ways)


def _tell(by: str, found: set[frozenset[int]], originals: int, ways: list[tuple[str, int]]) -> None:
    many = len(ways) // len(WAYS)
    false = sum(max(pair) < originals for pair in found)
    figure(
        f"{by}: pairs of different pictures",
        false,
        "pairs",
        beside="pairs",
        beside_value=originals * (originals - 1) / 2,
    )
    for way in WAYS:
        hits = sum(
            frozenset((place, originals + number)) in found for number, (one, place) in enumerate(ways) if one == way
        )
        figure(f"{by}: found {way}", hits / many, "share", beside="all", beside_value=1)


def _flat(image: Image.Image) -> Image.Image:
    layered = image.convert("RGBA")
    paper = Image.new("RGB", layered.size, "white")
    paper.paste(layered, mask=layered.getchannel("A"))
    return paper


def _named(path: Path) -> tuple[str, Stored]:
    return hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest(), stored_file(path)
