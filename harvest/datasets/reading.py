"""One side of a dataset as pictures with class numbers, for PyTorch and whoever else asks by number. In: a folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from harvest.datasets.manifest import TRAIN, read_dataset
from harvest.datasets.sharding import numbers_of


class Images:
    """The examples of a side, each as (picture, number of its class): what PyTorch calls a map-style dataset.

    ``classes`` has the names in the order of the numbers; ``transform`` gets each picture as RGB. Raises
    ``DatasetError`` where there is no dataset. Images are opened when they are asked for, so that workers can share it.
    """

    def __init__(self, folder: str | Path, split: str = TRAIN, transform: Callable[[Image.Image], Any] | None = None):
        data = read_dataset(Path(folder))
        numbers = numbers_of(data)
        self.classes = tuple(one.label for one in data.classes)
        self._items = [(str(data.folder / e.path), numbers.get(e.concept, -1)) for e in data.split(split)]
        self._transform = transform

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, place: int) -> tuple[Any, int]:
        path, number = self._items[place]
        with Image.open(path) as image:
            picture = image.convert("RGB")
        return (self._transform(picture) if self._transform else picture), number
