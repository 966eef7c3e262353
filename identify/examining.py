"""A model is put to pictures whose truth is known. In: bundle, dataset. Out: what it made of each, and how it is known.

Which pictures count as held out is a question of groups, never of images: a picture whose group (hand, series,
specimen) the model learned from is one of a known hand, even if the picture itself is new.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harvest.datasets.manifest import STRANGER, TRAIN, Dataset, Example
from identify.affected import Learned, read_learned
from identify.bundle import Bundle
from identify.images import pixels
from linkeddata.decoding import Limits, UnreadableImageError
from linkeddata.errors import BundleError, DatasetError
from linkeddata.records import ModelClass

Floats = NDArray[np.float64]
BATCH = 16
UNSEEN, KNOWN, LEARNED = "unseen", "known", "learned"
"""How near a picture is to what the model learned from: another group, a group it knows, the very picture."""
Progress = Callable[[str, int, int], None]
Look = Callable[[Any], tuple[Floats, Floats]]
"""Pixels (images, size, size, 3) to logits and features."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """Pictures and what a model made of them, in one order. ``truth`` is the class, -1 for a stranger."""

    examples: tuple[Example, ...]
    nearness: tuple[str, ...]
    truth: NDArray[np.int64]
    logits: Floats  # (images, classes + 1)
    features: Floats  # (images, size)
    pixels: NDArray[np.int64]  # (images,): pixels of each file, as it lies in the dataset
    lost: tuple[tuple[str, str], ...] = ()  # path and why

    def __len__(self) -> int:
        return len(self.examples)

    def only(self, chosen: NDArray[np.bool_]) -> "Examined":
        """Return those that are chosen."""
        places = np.flatnonzero(chosen)
        return replace(
            self,
            examples=tuple(self.examples[i] for i in places),
            nearness=tuple(self.nearness[i] for i in places),
            truth=self.truth[places],
            logits=self.logits[places],
            features=self.features[places],
            pixels=self.pixels[places],
        )

    @property
    def unseen(self) -> "Examined":
        """Those of groups that the model did not learn from."""
        return self.only(np.array([near == UNSEEN for near in self.nearness], bool) & (self.truth >= 0))

    @property
    def known(self) -> "Examined":
        """New pictures of groups that it learned from."""
        return self.only(np.array([near == KNOWN for near in self.nearness], bool) & (self.truth >= 0))

    @property
    def strangers(self) -> "Examined":
        """Pictures of what is none of the model's classes."""
        return self.only(self.truth < 0)


def examine(
    bundle: Bundle,
    look: Look,
    data: Dataset,
    *,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Examined:
    """Return what a model makes of a dataset's pictures; those it learned from are left out.

    Classes are found by Q-item, GBIF key or name; what is none of them is a stranger to the model. Raises
    ``DatasetError`` where nothing is left.
    """
    near = nearness(bundle, data)
    asked = [(e, n) for e, n in zip(data.examples, near, strict=True) if n != LEARNED]
    read, lost = [], []
    found: list[tuple[Floats, Floats]] = []
    for begin in range(0, len(asked), BATCH):
        shown = []
        for example, how in asked[begin : begin + BATCH]:
            try:
                content = (data.folder / example.path).read_bytes()
                shown.append(pixels(content, bundle.about.image_px, limits or Limits()))
                read.append((example, how, _size(content)))
            except (OSError, UnreadableImageError) as error:
                lost.append((example.path, str(error)))
        if shown:
            found.append(look(np.stack(shown)))
        if progress:
            progress("examine", min(begin + BATCH, len(asked)), len(asked))
    if not found:
        raise DatasetError(f"{data.folder} has no picture that the model did not learn from")
    return Examined(
        examples=tuple(example for example, _, _ in read),
        nearness=tuple(how for _, how, _ in read),
        truth=truths([example for example, _, _ in read], bundle.classes),
        logits=np.concatenate([logits for logits, _ in found]),
        features=np.concatenate([features for _, features in found]),
        pixels=np.array([size for _, _, size in read], np.int64),
        lost=tuple(lost),
    )


def nearness(bundle: Bundle, data: Dataset) -> list[str]:
    """Return how near each example is to what a model learned from.

    A bundle that does not say what it learned from is believed to have learned from the examples for training, if the
    dataset is the one it was trained on.
    """
    try:
        learned = read_learned(bundle)
    except BundleError:
        learned = _training(data) if bundle.about.dataset == data.sha256 else []
    own = bundle.about.dataset == data.sha256
    sha1s = {row.sha1 for row in learned}
    groups = {row.group for row in learned if row.group}
    if own:
        groups |= {e.group for e in data.split(TRAIN) if e.group}
    return [LEARNED if e.sha1 in sha1s else KNOWN if e.group in groups else UNSEEN for e in data.examples]


def _training(data: Dataset) -> list[Learned]:
    return [
        Learned(file=e.file, sha1=e.sha1, concept=e.concept, label=e.label, rank=e.rank, licence=e.licence,
                source=e.source, group=e.group)
        for e in data.split(TRAIN)
    ]  # fmt: skip


def truths(examples: Sequence[Example], classes: Sequence[ModelClass]) -> NDArray[np.int64]:
    """Return the class of each example by Q-item, else GBIF key, else name; -1 where it is none of the classes."""
    place: dict[tuple[str, str], int] = {}
    for one in reversed(classes):
        named = (("item", one.item), ("gbif", one.gbif_key), ("name", one.label))
        place |= {(how, value): one.index for how, value in named if value}
    found = []
    for example in examples:
        keys = (("item", example.item), ("gbif", example.gbif_key), ("name", example.label))
        stranger = example.split == STRANGER
        found.append(-1 if stranger else next((place[key] for key in keys if key[1] and key in place), -1))
    return np.array(found, np.int64)


def _size(content: bytes) -> int:
    """Return how many pixels a file that could be read says it has."""
    with Image.open(BytesIO(content)) as image:
        return int(image.width * image.height)
