"""The pictures of a dataset as a network sees them, read when they are first asked for. In: a dataset. Out: pixels."""

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

    A training that finds all its features kept never asks for them.
    """

    def __init__(self, data: Dataset, size_px: int, workplace: Path, limits: Limits, tell: Progress) -> None:
        self._data, self._limits, self._tell = data, limits, tell
        self.size_px = size_px
        self._path = workplace / f"images-{size_px}.npy"
        self._images: Pixels | None = None

    def __len__(self) -> int:
        return len(self._data.examples)

    def __getitem__(self, places: Any) -> Pixels:
        """Return the pictures at ``places`` (one, a slice, an array of places)."""
        if self._images is None:
            self._images = self._prepared()
        return np.asarray(self._images[places])

    def _prepared(self) -> Pixels:
        if not self._path.is_file():
            half = self._path.with_suffix(".part")
            shape = (len(self), self.size_px, self.size_px, 3)
            images = np.lib.format.open_memmap(half, mode="w+", dtype=np.uint8, shape=shape)
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                for place, image in enumerate(pool.map(self._read, self._data.examples)):
                    images[place] = image
                    self._tell("read images", place + 1, len(self))
            images.flush()
            half.replace(self._path)
        return np.lib.format.open_memmap(self._path, mode="r")

    def _read(self, example: Example) -> Pixels:
        try:
            return pixels((self._data.folder / example.path).read_bytes(), self.size_px, self._limits)
        except (UnreadableImageError, OSError) as error:
            raise DatasetError(f"{example.path} of {example.file} cannot be read: {error}") from error
