"""A dataset's examples in pieces for other layouts. In: a dataset on disk. Out: sides, shards, rows with their images.

Within a side the examples stand in an order that is the same every time and follows neither class nor maker, so that a
reader that takes shard after shard sees a mixture.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson

from harvest.datasets.manifest import SPLITS, Dataset, Example
from linkeddata.ids import content_id

EXAMPLES = 2_000
"""Most examples in a shard."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One piece of a side: ``number`` of ``of``."""

    side: str
    number: int
    of: int
    examples: tuple[Example, ...]


def shards(data: Dataset, most: int = EXAMPLES) -> Iterator[Shard]:
    """Yield the shards of every side that has examples; all of a side are within one example of the same length."""
    for side in SPLITS:
        mixed = sorted(data.split(side), key=lambda example: content_id("shard", example.sha1))
        of = -(-len(mixed) // most)
        for number in range(of):
            yield Shard(side, number, of, tuple(mixed[number::of]))


def numbers_of(data: Dataset) -> dict[str, int]:
    """Return the number of each class by its concept: its place in ``classes.csv``, as in a model's outputs."""
    return {one.concept: number for number, one in enumerate(data.classes)}


def image_of(data: Dataset, example: Example) -> bytes:
    """Return an example's image as it lies in the folder."""
    with open(f"{data.folder}/{example.path}", "rb", buffering=0) as file:  # noqa: PTH123 - for each image
        return file.read()


def row_of(example: Example) -> bytes:
    """Return an example's row as one JSON object."""
    return orjson.dumps(example, option=orjson.OPT_SORT_KEYS)


def names_of(data: Dataset) -> Sequence[str]:
    """Return the classes' names in their order, each once: where two are written alike, with the concept behind."""
    names = [one.label for one in data.classes]
    return [one.label if names.count(one.label) == 1 else f"{one.label} ({one.concept})" for one in data.classes]
