"""Which images of a dataset are copies of one picture. In: images by their SHA-1. Out: pairs, by places.

Copies are the same plate from two libraries: mirrored, turned, recompressed, recoloured, cut out (``likeness``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from harvest.datasets.embedded import Embedding, Seen, seen
from harvest.datasets.likeness import Pair, near_pairs
from harvest.datasets.looks import UNREADABLE, Named, look_book
from harvest.records import Progress


@dataclass(frozen=True, slots=True)
class Compared:
    """How images compare, by their places: those that cannot be read, and the pairs that are near."""

    images: int
    unreadable: tuple[int, ...]
    pairs: tuple[Pair, ...]
    seen: Seen | None = None
    """How a model sees them, where one was asked."""

    @property
    def copies(self) -> list[tuple[int, int]]:
        """The pairs that are copies of one picture."""
        laid = [(pair.a, pair.b) for pair in self.pairs if pair.copies]
        return list(dict.fromkeys([*laid, *(self.seen.copies if self.seen else ())]))

    def among(self, order: Mapping[int, int]) -> "Compared":
        """Return the same of some of the images, by other places: of each place before the one now."""
        pairs = [
            replace(pair, a=min(order[pair.a], order[pair.b]), b=max(order[pair.a], order[pair.b]))
            for pair in self.pairs
            if pair.a in order and pair.b in order
        ]
        unreadable = tuple(sorted(order[place] for place in self.unreadable if place in order))
        return Compared(len(order), unreadable, tuple(sorted(pairs)), self.seen.among(order) if self.seen else None)


def compared(
    images: Sequence[Named], looks: Path | None, progress: Progress, embedding: Embedding | None = None
) -> Compared:
    """Compare every pair of images by their prints, and by what a model sees in them, where one is given.

    What they look like is kept in the folder ``looks``, where there is one.
    """
    by_model = seen(images, embedding, progress) if embedding else None
    with look_book(looks) as book:
        found = book.looks(images, progress)
        unreadable = np.flatnonzero(found.states() == UNREADABLE).tolist()
        return Compared(len(images), tuple(unreadable), tuple(near_pairs(found)), by_model)


def spread(groups: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the names that stand on several sides, with these sides; in: pairs of name and side.

    >>> spread([("a", "train"), ("a", "test"), ("b", "train")])
    {'a': ['test', 'train']}
    """
    sides: dict[str, set[str]] = {}
    for name, side in groups:
        sides.setdefault(name, set()).add(side)
    return {name: sorted(there) for name, there in sorted(sides.items()) if len(there) > 1}
