"""What datasets cost: building from rows whose images are on disk, writing shards, looking for near-duplicates.

``python -m benchmarks.dataset [--rows N] [--prints N] [--folder F]``; images are made once, small ones.
"""

import argparse
import hashlib
import io
import shutil
import subprocess
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks._dataset_prints import near_duplicates
from benchmarks._figure import figure, seconds
from crowd.campaign import DatasetRules
from harvest.datasets.building import build
from harvest.datasets.layouts import lay_out
from harvest.datasets.manifest import Dataset
from linkeddata.records import Label, MediaFile, Taxon
from linkeddata.storage import Stored, stored_file

CLASSES = 100
RULES = DatasetRules(min_images=1, labels=("single",))


def made(folder: Path, rows: int) -> list[str]:
    """Return the SHA-1s of images in ``folder``, painted where they are not there yet."""
    names = sorted(path.stem for path in folder.glob("*.jpg"))
    random = np.random.default_rng(1596)
    folder.mkdir(parents=True, exist_ok=True)
    while len(names) < rows:
        cells = Image.fromarray(random.integers(0, 255, (40, 40, 3), np.uint8))
        out = io.BytesIO()
        cells.resize((480, 480), Image.Resampling.BICUBIC).save(out, "JPEG", quality=90)
        sha1 = hashlib.sha1(out.getvalue(), usedforsecurity=False).hexdigest()
        (folder / f"{sha1}.jpg").write_bytes(out.getvalue())
        names.append(sha1)
    return names[:rows]


def records(names: list[str]) -> tuple[list[MediaFile], list[Label], list[Taxon]]:
    """Return a file and a label an image, in ``CLASSES`` classes by 500 makers."""
    media = [
        MediaFile(iri=f"https://f.example/{n}", sha1=sha1, licence="https://l.example/", group=f"maker {n % 500}")
        for n, sha1 in enumerate(names)
    ]
    labels = [
        Label(id=str(n), campaign="b", file=one.iri, concept=f"Q{n % CLASSES + 1}", status="single", support=1)
        for n, one in enumerate(media)
    ]
    taxa = [
        Taxon(query=f"Q{n}", concept=f"Q{n}", name=f"Genus species{n}", rank="species") for n in range(1, CLASSES + 1)
    ]
    return media, labels, taxa


def timed(action: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that ``action`` takes, and the most mebibytes of Python's memory in another run of it."""
    begun = time.perf_counter()
    action()
    took = time.perf_counter() - begun
    tracemalloc.start()
    action()
    most = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return took, most


def building(images: Path, names: list[str], out: Path) -> Dataset:
    """Measure building beside the same joins in pandas, which looks at no image and writes a CSV."""
    import pandas as pd

    media, labels, taxa = records(names)

    def image_of(one: MediaFile) -> Stored:
        return stored_file(images / f"{one.sha1}.jpg", sha1=one.sha1)

    def ours() -> Dataset:
        shutil.rmtree(out, ignore_errors=True)
        return build(media, labels, taxa, image_of, out, RULES)

    def plainly() -> None:
        files = pd.DataFrame([(m.iri, m.sha1, m.licence, m.group) for m in media], columns=["file", "sha1", "l", "g"])
        said = pd.DataFrame([(one.file, one.concept) for one in labels], columns=["file", "concept"])
        known = pd.DataFrame([(t.concept, t.name) for t in taxa], columns=["concept", "name"])
        files.merge(said, on="file").merge(known, on="concept").to_csv(out.with_suffix(".csv"), index=False)

    took, most = timed(ours)
    plain, plain_most = timed(plainly)
    figure(
        "building, rows a second",
        len(names) / took,
        "rows/s",
        beside="pandas, joins only",
        beside_value=len(names) / plain,
    )
    figure("building, memory", most, "MiB", beside="pandas, joins only", beside_value=plain_most)
    return ours()


def shards(data: Dataset, out: Path) -> None:
    """Measure writing WebDataset shards beside tar of the same images, which reads no rows."""

    def ours() -> None:
        shutil.rmtree(out, ignore_errors=True)
        lay_out(data, "webdataset", out)

    rate = sum((data.folder / e.path).stat().st_size for e in data.examples) / 2**20
    tar = ["tar", "--create", "--file", str(out.with_suffix(".tar")), "--directory", str(data.folder), "images"]
    plain = rate / seconds(lambda: subprocess.run(tar, check=True), 3)
    figure("WebDataset", rate / seconds(ours, 3), "MiB/s", beside="tar", beside_value=plain, at_least=0.8 * plain)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000)
    parser.add_argument("--prints", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "deboodt-benchmark-dataset")
    asked = parser.parse_args()
    images = asked.folder / "pictures"
    data = building(images, made(images, asked.rows), asked.folder / "set")
    shards(data, asked.folder / "shards")
    near_duplicates(asked.prints)


if __name__ == "__main__":
    main()
