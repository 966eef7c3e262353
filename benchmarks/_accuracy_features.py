"""Features of the emoji by several artists. In: their folder. Out: rows of features, what they show, by whom."""

import csv
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from identify.images import pixels
from identify.learning.backbones import BACKBONES, seeing
from identify.learning.features import MIRRORED, PLAIN, STRANGER, features_of, trunk_of
from identify.learning.head import Head, Lessons, closed_form
from linkeddata.decoding import Limits
from linkeddata.records import Ancestor, ModelClass

Rows = NDArray[np.float32]
Places = NDArray[np.int64]
BACKBONE = "efficientnet-lite0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What the backbone made of the pictures: as they are, mirrored (1, pictures, size), of made-up strangers."""

    rows: Rows
    mirrored: Rows
    strange: Rows
    depths: tuple[int, ...]
    truth: Places
    artists: tuple[str, ...]
    kinds: tuple[tuple[str, str], ...]  # of each class: its name in English, and the group it is listed in
    look: Callable[[Sequence[Path]], Rows] = field(repr=False)  # features of other pictures

    def head(self, places: Places, truth: Places, classes: int) -> Head:
        """Return the head that the pictures at some places teach; ``truth`` numbers the classes that are taught."""
        own = np.tile(truth[places], 1 + len(self.mirrored))
        more = self.mirrored[:, places].reshape(-1, self.rows.shape[1])
        return closed_form(
            Lessons(
                features=np.concatenate([self.rows[places], more, self.strange]),
                shown=np.concatenate([own, np.full(len(self.strange), classes)]),
                sets=np.eye(classes + 1, dtype=bool),
                sure=np.ones(len(own) + len(self.strange), np.float32),
                depths=self.depths,
            )
        )


def looked(images: Path, folder: Path) -> Looked:
    """Return the features of the emoji in ``images``; they are computed once and kept in ``folder``."""
    import tensorflow

    with (images / "labels.tsv").open(encoding="utf-8", newline="") as file:
        told = list(csv.DictReader(file, delimiter="\t"))
    backbone = BACKBONES[BACKBONE]
    seen = seeing(tensorflow.keras, backbone, backbone.image_px)
    folder.mkdir(parents=True, exist_ok=True)
    trunk = trunk_of(tensorflow, seen, backbone.image_px, folder, folder)

    def look(paths: Sequence[Path], *variants: str) -> Rows:
        data = [path.read_bytes() for path in paths]
        sha1s = [hashlib.sha1(one, usedforsecurity=False).hexdigest() for one in data]
        return features_of(trunk, sha1s, lambda i: pixels(data[i], backbone.image_px, Limits()), variants, _silent)

    paths = [images / row["path"] for row in told]
    kinds, strange = look(paths, PLAIN, MIRRORED), look(paths[::6], STRANGER)[0]
    numbers = sorted({row["hexcode"] for row in told})
    first = {row["hexcode"]: row for row in reversed(told)}
    return Looked(
        rows=kinds[0],
        mirrored=kinds[1:],
        strange=strange,
        depths=backbone.depths or (kinds.shape[-1],),
        truth=np.array([numbers.index(row["hexcode"]) for row in told], np.int64),
        artists=tuple(row["style"] for row in told),
        kinds=tuple((first[code]["label_en"], first[code]["subgroup"]) for code in numbers),
        look=lambda others: look(others, PLAIN)[0],
    )


def classes_of(kinds: tuple[tuple[str, str], ...]) -> tuple[ModelClass, ...]:
    """Return the classes: above a kind stands the group it is listed in, above that animals, plants or food."""
    return tuple(
        ModelClass(
            id=f"emoji@1/{index}",
            model="emoji",
            version="1",
            index=index,
            label=name,
            rank="kind",
            lineage=(Ancestor("realm", group.partition("-")[0]), Ancestor("group", group)),
        )
        for index, (name, group) in enumerate(kinds)
    )


def _silent(what: str, done: int, total: int) -> None:
    """Nobody watches."""
