"""Verified images a second, beside ``curl`` fetching the same addresses.

Pictures of 960 pixels as Commons makes them are served by the stand-in in a process of its own. Both fetch over two
connections and write to files, politeness (the cap on bandwidth) switched off. What curl does is fetch; what De Boodt
does is fetch, compare the SHA-1, see what the bytes are, check that they decode, store them by content and let the disk
settle, with each request counted in the log. Beside it the bare parts of this on their own: libcurl from Python, and
urllib3, fetching and writing with the SHA-1; the check of files that are there; and what decoding each whole would be.
What a run took of processor time is told, too: wall time holds the stand-in's, which has a core of its own at best.
"""

import hashlib
import io
import os
import resource
import shutil
import statistics
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pycurl
import urllib3
from PIL import Image

from benchmarks._figure import figure
from harvest.images import fetch
from harvest.imagestore import ORIGINAL, ImageStore
from harvest.standin.index import image_path, url_path
from linkeddata.client import FILES, Client
from linkeddata.decoding import Limits, checked, opened
from linkeddata.records import Failure, MediaFile
from linkeddata.requestlog import FILE, RequestLog
from linkeddata.settings import Settings

IMAGES = 600
PAINTED = 24
"""Different pictures; the others are these with another comment, so that each has its own SHA-1."""
WIDTH_PX, HEIGHT_PX = 960, 720
RUNS = 3
SERVE = """
import sys
from pathlib import Path
from harvest.standin.server import StandIn
from harvest.standin.world import File, Revision, World
page = Revision(id=1, user="", moment="2021-10-03T14:05:00Z", comment="")
paths = sorted(Path(sys.argv[1]).iterdir())
files = [File(page_id=n, title=f"File:{p.name}", revisions=(page,), image=p, sha1="-") for n, p in enumerate(paths, 1)]
with StandIn(World(files=tuple(files))) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


def measure(data: Path, folder: Path) -> None:
    """Print verified images a second; nothing of ``data`` is needed."""
    pictures = folder / "pictures"
    files = _made(pictures)
    with _served(pictures) as url:
        files = [_at(url, media) for media in files]
        ours, plain, ours_ms, plain_ms = [], [], [], []
        for run in range(RUNS):
            os.sync()  # ours waits for the disk at its end: for its own files, not for curl's
            plain_ms.append(-_processor_ms(resource.RUSAGE_CHILDREN, files))
            plain.append(_plainly(files, folder / f"plain-{run}"))
            plain_ms[-1] += _processor_ms(resource.RUSAGE_CHILDREN, files)
            os.sync()
            ours_ms.append(-_processor_ms(resource.RUSAGE_SELF, files))
            ours.append(_verified(url, files, folder / f"kept-{run}"))
            ours_ms[-1] += _processor_ms(resource.RUSAGE_SELF, files)
        parts = {
            "bare libcurl with SHA-1": _barely(files, folder / "bare-libcurl", _by_libcurl),
            "bare urllib3 with SHA-1": _barely(files, folder / "bare-urllib3", _by_urllib3),
            "check alone, one thread": _each(pictures, lambda path: checked(path, Limits())),
            "decoding each whole at an eighth, one thread": _each(pictures, lambda path: opened(path, Limits(), 1)),
        }
    name = "verified images" if shutil.which("curl") else "verified images (no curl here: urllib instead)"
    beside = f"curl, {FILES} connections" if shutil.which("curl") else "urllib, one connection"
    per_s, plain_per_s = statistics.median(ours), statistics.median(plain)
    figure(name, per_s, "images/s", beside=beside, beside_value=plain_per_s, at_least=0.7 * plain_per_s)
    used, plain_used = statistics.median(ours_ms), statistics.median(plain_ms)
    figure(f"{name}, processor time", used, "ms/image", beside=beside, beside_value=plain_used)
    for part, part_per_s in parts.items():
        figure(part, part_per_s, "images/s", beside=beside, beside_value=plain_per_s)


def _processor_ms(whose: int, files: list[MediaFile]) -> float:
    """Return the processor time so far of this process, or of those that it has waited for, in ms for each file."""
    used = resource.getrusage(whose)
    return 1000 * (used.ru_utime + used.ru_stime) / len(files)


def _made(folder: Path) -> list[MediaFile]:
    """Write the pictures; return their records, without an address."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(1596)
    bodies = []
    for _ in range(PAINTED):
        coarse = random.integers(0, 255, (HEIGHT_PX // 10, WIDTH_PX // 10, 3)).astype(np.uint8)
        smooth = np.asarray(Image.fromarray(coarse).resize((WIDTH_PX, HEIGHT_PX), Image.Resampling.BICUBIC), np.int16)
        grain = random.integers(-8, 8, smooth.shape)
        out = io.BytesIO()
        Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=85)
        bodies.append(out.getvalue())
    files = []
    for number in range(IMAGES):
        comment = str(number).encode()
        body = bodies[number % PAINTED]
        body = body[:2] + struct.pack(">HH", 0xFFFE, 2 + len(comment)) + comment + body[2:]
        (folder / f"{number:05}.jpg").write_bytes(body)
        sha1 = hashlib.sha1(body, usedforsecurity=False).hexdigest()
        files.append(
            MediaFile(iri=f"urn:picture:{number}", title=f"File:{number:05}.jpg", sha1=sha1, mime="image/jpeg")
        )
    return files


def _at(url: str, media: MediaFile) -> MediaFile:
    original = f"{url}/images/{url_path(image_path(media.title))}"
    return MediaFile(iri=media.iri, title=media.title, sha1=media.sha1, mime=media.mime, original=original)


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """Serve the pictures from a process of their own; give its address."""
    command = [sys.executable, "-c", SERVE, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        yield server.stdout.readline().strip()
        server.stdin.close()


def _plainly(files: list[MediaFile], folder: Path) -> float:
    """Return images a second of a plain fetcher."""
    folder.mkdir()
    if not shutil.which("curl"):
        return _by_urllib(files, folder)
    config = folder.with_suffix(".curl")
    lines = (f'url = "{media.original}"\noutput = "{folder / str(n)}"\n' for n, media in enumerate(files))
    config.write_text("".join(lines), encoding="utf-8")
    command = [
        "curl",
        "--silent",
        "--fail",
        "--no-progress-meter",
        "--parallel",
        "--parallel-max",
        str(FILES),
        "-K",
        str(config),
    ]
    begun = time.perf_counter()
    subprocess.run(command, check=True)
    took = time.perf_counter() - begun
    assert len(list(folder.iterdir())) == len(files)
    return len(files) / took


def _by_urllib(files: list[MediaFile], folder: Path) -> float:
    from urllib.request import urlopen

    begun = time.perf_counter()
    for number, media in enumerate(files):
        with urlopen(media.original) as answer:  # noqa: S310 - our own stand-in
            (folder / str(number)).write_bytes(answer.read())
    return len(files) / (time.perf_counter() - begun)


def _verified(url: str, files: list[MediaFile], folder: Path) -> float:
    """Return images a second of ours, all of them verified and kept."""
    settings = Settings(contact="benchmark@deboodt.example", allow_private=True, files_mbit_s=0)
    begun = time.perf_counter()
    with RequestLog(folder / FILE, "images", str) as log, Client(settings, recorder=log) as client:
        answers = list(fetch(client, ImageStore(folder, ORIGINAL), files, settings=settings))
    took = time.perf_counter() - begun
    assert not [answer for answer in answers if isinstance(answer, Failure)]
    return len(files) / took


def _barely(files: list[MediaFile], folder: Path, way: Callable[[], Callable[[str, Path], str]]) -> float:
    """Return images a second of one way of fetching, over as many connections, writing to files."""
    folder.mkdir()
    each = threading.local()

    def fetched(number: int) -> None:
        each.bring = getattr(each, "bring", None) or way()
        assert each.bring(files[number].original, folder / str(number)) == files[number].sha1

    begun = time.perf_counter()
    with ThreadPoolExecutor(FILES) as threads:
        list(threads.map(fetched, range(len(files))))
    return len(files) / (time.perf_counter() - begun)


def _by_urllib3() -> Callable[[str, Path], str]:
    pool = urllib3.PoolManager(maxsize=1)

    def bring(url: str, path: Path) -> str:
        hashed = hashlib.sha1(usedforsecurity=False)
        answer = pool.request("GET", url, preload_content=False)
        with path.open("wb") as out:
            while piece := answer.read1(1 << 18):
                out.write(piece)
                hashed.update(piece)
        answer.release_conn()
        return hashed.hexdigest()

    return bring


def _by_libcurl() -> Callable[[str, Path], str]:
    curl = pycurl.Curl()
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.setopt(pycurl.BUFFERSIZE, 1 << 18)

    def bring(url: str, path: Path) -> str:
        hashed = hashlib.sha1(usedforsecurity=False)

        def take(piece: bytes) -> None:
            out.write(piece)
            hashed.update(piece)

        curl.setopt(pycurl.URL, url)
        curl.setopt(pycurl.WRITEFUNCTION, take)
        with path.open("wb", buffering=0) as out:
            curl.perform()
        return hashed.hexdigest()

    return bring


def _each(pictures: Path, action: Callable[[Path], object]) -> float:
    """Return how many files a second ``action`` does, one after the other."""
    paths = sorted(pictures.iterdir())
    begun = time.perf_counter()
    for path in paths:
        action(path)
    return len(paths) / (time.perf_counter() - begun)
