"""What datasets cost: building from rows whose images are on disk, writing shards, looking for near-duplicates.

``python -m benchmarks.dataset [PART …] [--rows N] [--prints N] [--folder F]`` (images are made once), and
``python -m benchmarks.dataset copies --pictures DIR [--model BUNDLE]``.
"""

import argparse
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks._dataset_building import MIDDLE_PX, building, looking, made, ours
from benchmarks._dataset_copies import copies
from benchmarks._dataset_prints import near_duplicates
from benchmarks._figure import figure, seconds
from harvest.datasets.layouts import lay_out
from harvest.datasets.manifest import read_dataset

SHELF = 2_000
"""Images that are written in shards."""


def shards(folder: Path) -> None:
    """Measure writing WebDataset shards beside tar of the same images, which reads no rows."""
    images, out = folder / "middle", folder / "shards"
    ours(images, made(images, SHELF, MIDDLE_PX), folder / "shelf", folder / "looks")
    data = read_dataset(folder / "shelf")

    def sharded() -> None:
        shutil.rmtree(out, ignore_errors=True)
        lay_out(data, "webdataset", out)

    rate = sum((data.folder / e.path).stat().st_size for e in data.examples) / 2**20
    tar = ["tar", "--create", "--file", str(out.with_suffix(".tar")), "--directory", str(data.folder), "images"]
    plain = rate / seconds(lambda: subprocess.run(tar, check=True), 3)
    figure("WebDataset", rate / seconds(sharded, 3), "MiB/s", beside="tar", beside_value=plain, at_least=0.8 * plain)


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "building": lambda asked: building(asked.folder, asked.rows),
    "looking": lambda asked: looking(asked.folder),
    "shards": lambda asked: shards(asked.folder),
    "prints": lambda asked: near_duplicates(asked.prints),
    "copies": lambda asked: copies(asked.pictures, asked.model, asked.folder),
}
"""What is measured, by name."""
USUAL = tuple(part for part in PARTS if part != "copies")
"""What is measured where nothing is named; copies are planted among pictures that somebody has to name."""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], help="what to measure; default: all but copies")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--prints", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "deboodt-benchmark-dataset")
    parser.add_argument("--pictures", type=Path, help="for copies: a folder of different pictures")
    parser.add_argument("--model", type=Path, help="for copies: a bundle's folder, whose features are tried, too")
    asked = parser.parse_args()
    if "copies" in asked.part and not asked.pictures:
        parser.error("copies: among which --pictures?")
    for part in asked.part or USUAL:
        PARTS[part](asked)


if __name__ == "__main__":
    main()
