"""How fast a dataset is built of rows whose images are on disk, beside the same joins in pandas. Part of ``dataset``.

Each is done by a process of its own, whose peak memory is the system's. Images are made once; they are small (160 px),
so that a hundred thousand fit on any disk: larger ones cost what ``looking`` says.
"""

import hashlib
import io
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks._figure import figure, seconds
from crowd.campaign import DatasetRules
from harvest.datasets.building import build
from harvest.datasets.looks import look_at
from linkeddata.decoding import Limits, opened, upright
from linkeddata.records import Label, MediaFile, Taxon
from linkeddata.storage import FolderStorage, Stored, stored_file

CLASSES, MAKERS = 100, 500
RULES = DatasetRules(min_images=1, labels=("single",))
SMALL_PX, MIDDLE_PX, USUAL_PX = 160, 480, 960
SAMPLE = 100


def made(folder: Path, rows: int, side_px: int = SMALL_PX) -> list[str]:
    """Return the SHA-1s of images in ``folder``, painted where they are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    names = sorted(path.stem for path in folder.glob("*.jpg"))[:rows]
    random = np.random.default_rng(len(names))
    while len(names) < rows:
        data = painted(random, side_px)
        sha1 = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        (folder / f"{sha1}.jpg").write_bytes(data)
        names.append(sha1)
    return names


def painted(random: np.random.Generator, side_px: int) -> bytes:
    """Return a picture of blots as JPEG."""
    cells = Image.fromarray(random.integers(0, 255, (16, 16, 3), np.uint8))
    out = io.BytesIO()
    cells.resize((side_px, side_px), Image.Resampling.BICUBIC).save(out, "JPEG", quality=85)
    return out.getvalue()


def records(names: list[str]) -> tuple[list[MediaFile], list[Label], list[Taxon]]:
    """Return a file and a label an image, in ``CLASSES`` classes by ``MAKERS`` makers."""
    media = [
        MediaFile(iri=f"https://f.example/{n}", sha1=sha1, licence="https://l.example/", group=f"maker {n % MAKERS}")
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


def ours(images: Path, names: list[str], out: Path, looks: Path) -> int:
    """Build the dataset and return how many images are in it."""
    media, labels, taxa = records(names)
    kept = FolderStorage(images)

    def image_of(one: MediaFile) -> Stored:
        return Stored(kept, f"{one.sha1}.jpg", one.sha1)

    return len(build(media, labels, taxa, image_of, out, RULES, looks=looks).examples)


def plainly(_images: Path, names: list[str], out: Path, _looks: Path) -> int:
    """Do the same joins in pandas, and write the rows: no image is looked at, no link made, nothing compared."""
    import pandas as pd

    media, labels, taxa = records(names)
    files = pd.DataFrame([(m.iri, m.sha1, m.licence, m.group) for m in media], columns=["file", "sha1", "l", "g"])
    said = pd.DataFrame([(one.file, one.concept) for one in labels], columns=["file", "concept"])
    known = pd.DataFrame([(t.concept, t.name) for t in taxa], columns=["concept", "name"])
    rows = files.drop_duplicates("sha1").merge(said, on="file").merge(known, on="concept").sort_values("file")
    rows.to_csv(out.with_suffix(".csv"), index=False)
    return len(rows)


Build = Callable[[Path, list[str], Path, Path], int]


def _measured(action: Build, *arguments: Any) -> tuple[float, float]:
    begun = time.perf_counter()
    action(*arguments)
    return time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(action: Build, *arguments: Any) -> tuple[float, float]:
    """Return the seconds that an action takes, and its process's peak memory in MiB."""
    with ProcessPoolExecutor(1, get_context("spawn")) as alone:
        return alone.submit(_measured, action, *arguments).result()


def building(folder: Path, rows: int) -> None:
    """Print how fast a dataset is built: the first time, again with all looks known, and with how much memory."""
    images, out = folder / "pictures", folder / "set"
    names = made(images, rows)
    with tempfile.TemporaryDirectory(dir=folder) as looks:
        asked = (images, names, out, Path(looks))
        shutil.rmtree(out, ignore_errors=True)
        plain, plain_memory = measured(plainly, *asked)
        for when in ("images never seen", "images seen before"):
            name, beside = f"building from {rows:,} rows, {when}", "pandas, joins only"
            taken, memory = measured(ours, *asked)
            shutil.rmtree(out)
            figure(name, rows / taken, "rows/s", beside=beside, beside_value=rows / plain)
            figure(f"{name}: peak memory", memory, "MiB", beside=beside, beside_value=plain_memory)


def looking(folder: Path) -> None:
    """Print how fast images of the usual size are looked at by one core, beside decoding them as they are."""
    folder = folder / "usual"
    folder.mkdir(parents=True, exist_ok=True)
    random, images = np.random.default_rng(1596), []
    for number in range(SAMPLE):
        (folder / f"{number}.jpg").write_bytes(painted(random, USUAL_PX))
        images.append((f"{number:040x}", stored_file(folder / f"{number}.jpg")))
    mine = seconds(lambda: look_at(images), 3)
    plain = seconds(lambda: [upright(opened(one.read_bytes(), Limits())) for _, one in images], 3)
    figure(
        f"looking at images of {USUAL_PX} × {USUAL_PX} px",
        SAMPLE / mine,
        "images/s",
        beside="decoding them",
        beside_value=SAMPLE / plain,
    )
