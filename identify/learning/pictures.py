"""The pictures of a dataset as a network sees them, read when they are asked for. In: a dataset. Out: pixels."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from harvest.datasets.manifest import Dataset, Example
from identify.images import Pixels, pixels
from linkeddata.decoding import Limits, UnreadableImageError
from linkeddata.errors import DatasetError

Progress = Callable[[str, int, int], None]


class Pictures:
    """All examples in the manifest's order, shape (images, size, size, 3), 0-255; they lie in a file, not in memory.

    Each is read when it is first asked for, and kept beside a mark that says so: a training that finds its features
    kept reads few, one that was killed does not read again.
    """

    def __init__(self, data: Dataset, size_px: int, workplace: Path, limits: Limits, tell: Progress) -> None:
        self._data, self._limits, self._tell = data, limits, tell
        self.size_px = size_px
        shape = (len(data.examples), size_px, size_px, 3)
        self._images = _opened(workplace / f"images-{size_px}.npy", shape)
        self._there = _opened(workplace / f"images-{size_px}.read.npy", shape[:1])

    def __len__(self) -> int:
        return len(self._data.examples)

    def __getitem__(self, places: Any) -> Pixels:
        """Return the pictures at ``places`` (one, a slice, an array of places)."""
        asked = np.atleast_1d(np.arange(len(self))[places])
        missing = np.unique(asked[self._there[asked] == 0])
        if len(missing):
            for place, image in zip(
                missing, self._read([self._data.examples[place] for place in missing]), strict=True
            ):
                self._images[place] = image
                self._there[place] = 1
            if len(missing) > 1:
                self._tell("read images", int(self._there.sum()), len(self))
        return np.asarray(self._images[places])

    def _read(self, examples: list[Example]) -> list[Pixels]:
        if len(examples) == 1:
            return [self._pixels(examples[0])]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(self._pixels, examples))

    def _pixels(self, example: Example) -> Pixels:
        try:
            return pixels((self._data.folder / example.path).read_bytes(), self.size_px, self._limits)
        except (UnreadableImageError, OSError) as error:
            raise DatasetError(f"{example.path} of {example.file} cannot be read: {error}") from error


def _opened(path: Path, shape: tuple[int, ...]) -> Pixels:
    """Return the array in a file, which is made of noughts where it is not there."""
    if not path.is_file():
        half = path.with_suffix(".part")
        np.lib.format.open_memmap(half, mode="w+", dtype=np.uint8, shape=shape).flush()
        half.replace(path)
    return np.lib.format.open_memmap(path, mode="r+")
