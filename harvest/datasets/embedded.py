"""Pictures that a model sees as one. In: images, and what a model sees in them. Out: pairs of pictures.

Beside the prints (``likeness``), which lay pictures over each other, a network's features find what was cut out of
another picture, or lies on other paper, wherever it lies. What looks at images is handed in; here is no network.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harvest.datasets.looks import Named
from harvest.records import Progress
from linkeddata.errors import DatasetError

Rows = NDArray[np.float32]
COPIES_FROM = 0.985
"""Cosine of two pictures' features from which on they are copies of one, where nobody says otherwise."""
NEAR = 0.8
"""Cosine from which on pairs are told of."""
_AT_ONCE = 512
"""Pictures that are held against all others at a time."""
MOST = 2_000_000
"""Near pairs from which on a model is refused: what is near to all tells nothing apart."""


@dataclass(frozen=True, slots=True)
class Embedding:
    """A model that sees images: its name and version, the SHA-256 of its weights, and what it sees.

    ``rows`` returns features, shape (images, size); zeros where an image cannot be read. ``copies_from`` is the cosine
    from which on two pictures are copies of one.
    """

    model: str
    weights: str
    rows: Callable[[Sequence[Named], Progress], Rows]
    copies_from: float = COPIES_FROM


@dataclass(frozen=True, slots=True, order=True)
class Near:
    """Two pictures by their places, ``a`` before ``b``, and the cosine of their features."""

    cosine: float
    a: int
    b: int


@dataclass(frozen=True, slots=True)
class Seen:
    """How a model sees pictures beside each other: by which model, and the pairs that are near, the nearest first."""

    model: str
    weights: str
    copies_from: float
    pairs: tuple[Near, ...]

    def among(self, order: Mapping[int, int]) -> "Seen":
        """Return the same of some of the pictures, by other places: of each place before the one now."""
        pairs = [
            replace(pair, a=min(order[pair.a], order[pair.b]), b=max(order[pair.a], order[pair.b]))
            for pair in self.pairs
            if pair.a in order and pair.b in order
        ]
        return replace(self, pairs=tuple(sorted(pairs, key=lambda pair: (-pair.cosine, pair.a, pair.b))))

    @property
    def copies(self) -> list[tuple[int, int]]:
        """The pairs that are copies of one picture."""
        return [(pair.a, pair.b) for pair in self.pairs if pair.cosine >= self.copies_from]


def seen(images: Sequence[Named], embedding: Embedding, progress: Progress) -> Seen:
    """Return how a model sees images beside each other."""
    rows = embedding.rows(images, progress)
    least = min(NEAR, embedding.copies_from)
    return Seen(embedding.model, embedding.weights, embedding.copies_from, tuple(near(rows, least)))


def near(rows: Rows, least: float) -> list[Near]:
    """Return the pairs of rows whose cosine is at least so much, the nearest first; rows of zeros are in none.

    Raises ``DatasetError`` where these are too many.

    >>> near(np.array([[1, 0], [0, 1], [2, 0.1], [0, 0]], np.float32), 0.9)
    [Near(cosine=0.9988, a=0, b=2)]
    """
    units = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    found = []
    for begin in range(0, len(units), _AT_ONCE):
        first, second = np.nonzero(np.triu(units[begin : begin + _AT_ONCE] @ units[begin:].T, 1) >= least - 1e-3)
        for a, b in zip((first + begin).tolist(), (second + begin).tolist(), strict=True):
            found.append(Near(_cosine(rows[a], rows[b]), a, b))  # the same whatever is compared beside them
        if len(found) > MOST:
            raise DatasetError(f"the model sees over {MOST:,} pairs as alike (cosine {least}): it tells too little")
    return sorted((pair for pair in found if pair.cosine >= least), key=lambda pair: (-pair.cosine, pair.a, pair.b))


def _cosine(one: Rows, other: Rows) -> float:
    a, b = one.astype(np.float64), other.astype(np.float64)
    return round(float(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12)), 4)
