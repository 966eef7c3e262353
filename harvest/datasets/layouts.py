"""A dataset in the layouts that frameworks read. In: a dataset on disk. Out: a folder in another layout.

The dataset's own folder is an image folder: Keras, torchvision and ``datasets`` read ``images/SIDE`` as it is.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

from harvest.datasets.bytetables import write_bytetables
from harvest.datasets.coco import write_coco
from harvest.datasets.manifest import Dataset
from harvest.datasets.tfrecord import write_tfrecord
from harvest.datasets.webdataset import write_webdataset
from harvest.records import Progress, silent
from linkeddata.errors import DatasetError, UsageError

LAYOUTS: dict[str, Callable[[Dataset, Path, Progress], list[Path]]] = {
    "webdataset": write_webdataset,
    "tfrecord": write_tfrecord,
    "parquet": write_bytetables,
    "coco": write_coco,
}
"""How a dataset is written in each layout; they return what they wrote."""
TOLD = ("classes.csv", "CREDITS.md", "README.md", "dataset.json")
"""Files of the dataset that go with every layout: whose pictures these are, and which version it is."""


def lay_out(data: Dataset, layout: str, out: Path, progress: Progress = silent) -> list[Path]:
    """Write a dataset to ``out`` in a layout of ``LAYOUTS`` and return the files; ``out`` comes whole or not at all.

    Raises ``UsageError`` for a layout that there is not, or a folder that has something in it; ``DatasetError`` where
    there is nothing to write.
    """
    if layout not in LAYOUTS:
        raise UsageError(f"no layout {layout!r}; there are {', '.join(LAYOUTS)}")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is there already")
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        written = LAYOUTS[layout](data, partial, progress)
        if not written:
            raise DatasetError(f"{data.folder} has nothing for the layout {layout}")
    except BaseException:
        shutil.rmtree(partial)
        raise
    for name in TOLD:
        if (data.folder / name).is_file():
            shutil.copyfile(data.folder / name, partial / name)
    if out.exists():
        out.rmdir()
    partial.rename(out)
    return [out / path.relative_to(partial) for path in written]
