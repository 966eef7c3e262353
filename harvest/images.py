"""Images, fetched and checked. In: ``MediaFile`` records. Out: files named after their content, or why there is none.

An image is kept only if its SHA-1 is the one Commons has and Pillow can decode it within the limits; it is written
whole or not at all, so that a run that was killed goes on where it was. The same bytes are kept once.
"""

import hashlib
import os
import struct
import threading
import warnings
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from PIL import Image

from harvest.records import lost
from linkeddata.client import FILES, Client
from linkeddata.errors import ServiceError, UnreachableError
from linkeddata.records import Failure, MediaFile
from linkeddata.settings import Settings

IMAGE_MISSING = "image missing"
REFUSED = "image refused"
UNREACHABLE = "image not reachable"
WRONG_SHA1 = "checksum differs"
UNREADABLE = "unreadable image"
TOO_LARGE = "image too large"

PATIENCE = 3
"""Images in a row that could not be reached; after that a host is not asked again in this run."""
AHEAD = 8
"""Images asked for before their turn has come."""

SUFFIXES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/tiff": ".tif",
}

_UNDECODABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error, MemoryError, ArithmeticError, LookupError)
"""What Pillow raises for broken images."""


class ImageFolder:
    """A folder of images by content: ``ab/abcdef….jpg``, the first two digits of the SHA-1 and the whole of it."""

    def __init__(self, path: str | Path) -> None:
        self.folder = Path(path)

    def path(self, media: MediaFile) -> Path:
        """Return where a file's image is or would be. Raises ``ValueError`` for a file whose SHA-1 is not known.

        >>> ImageFolder("images").path(MediaFile(iri="x", sha1="ab" * 20, mime="image/png")).as_posix()
        'images/ab/abababababababababababababababababababab.png'
        """
        if len(media.sha1) != 40 or not set(media.sha1) <= set("0123456789abcdef"):
            raise ValueError(f"{media.iri}: no SHA-1")
        return self.folder / media.sha1[:2] / f"{media.sha1}{SUFFIXES.get(media.mime, '.img')}"

    def holds(self, media: MediaFile) -> bool:
        """Say whether the image is there, with the content its name promises."""
        if not media.sha1:
            return False
        path = self.path(media)
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, _sha1).hexdigest() == media.sha1

    def keep(self, media: MediaFile, body: bytes) -> Path:
        """Write an image, whole or not at all, and return where it is."""
        path = self.path(media)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with draft.open("wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        return path


class _Trouble(NamedTuple):
    reason: str
    detail: str


def fetch(
    client: Client, folder: ImageFolder, files: Iterable[MediaFile], *, settings: Settings, campaign: str = ""
) -> Iterator[tuple[MediaFile, Path] | Failure]:
    """Yield for each file, in order, its record and where its image is, or a ``Failure`` that says why there is none.

    What is in the folder is not asked for. A file whose SHA-1 was not known comes with the one of its bytes. At most
    two downloads at a time. Limits on bytes and pixels are the settings'. A host that does not answer for three images
    in a row is given up: the rest fail with the same reason and are tried in the next run.
    """
    source = iter(files)
    hosts = _Hosts()
    with ThreadPoolExecutor(FILES, thread_name_prefix="images") as pool:
        waiting: deque[tuple[MediaFile, Future[bytes | _Trouble] | None]] = deque()
        try:
            while True:
                while len(waiting) < AHEAD and (media := next(source, None)) is not None:
                    wanted = not folder.holds(media)
                    waiting.append((media, pool.submit(_download, client, media, settings, hosts) if wanted else None))
                if not waiting:
                    return
                media, future = waiting.popleft()
                answer = _kept(folder, media, future, settings)
                if isinstance(answer, _Trouble):
                    yield lost(media.iri, *answer, campaign=campaign, step="images")
                else:
                    yield answer
        finally:
            for _, future in waiting:
                if future is not None:
                    future.cancel()


def _kept(
    folder: ImageFolder, media: MediaFile, future: "Future[bytes | _Trouble] | None", settings: Settings
) -> tuple[MediaFile, Path] | _Trouble:
    if future is None:
        return media, folder.path(media)
    body = future.result()
    if isinstance(body, _Trouble):
        return body
    trouble = undecodable(body, settings.max_image_pixels)
    if trouble:
        return trouble
    media = media if media.sha1 else replace(media, sha1=_sha1(body).hexdigest())
    return media, folder.keep(media, body)


class _Hosts:
    """Which hosts still answer. Used by the downloading threads together."""

    def __init__(self) -> None:
        self._silent: Counter[str] = Counter()
        self._lock = threading.Lock()

    def given_up(self, url: str) -> bool:
        """Say whether the host has been silent too often."""
        with self._lock:
            return self._silent[urlsplit(url).netloc] >= PATIENCE

    def heard(self, url: str, answered: bool) -> None:
        """Take note of an answer, or that there was none."""
        host = urlsplit(url).netloc
        with self._lock:
            self._silent[host] = 0 if answered else self._silent[host] + 1


def _download(client: Client, media: MediaFile, settings: Settings, hosts: _Hosts) -> bytes | _Trouble:
    """Return an image's bytes if they are the right ones; wrong ones are asked for once more."""
    trouble = _too_much(media, settings)
    if trouble:
        return trouble
    body = _bytes(client, media.original, settings.max_image_bytes, hosts)
    if _differs(media, body):
        body = _bytes(client, media.original, settings.max_image_bytes, hosts)
    if _differs(media, body) and isinstance(body, bytes):
        found = _sha1(body).hexdigest()
        return _Trouble(WRONG_SHA1, f"{media.original}: {found} instead of {media.sha1}, {len(body)} bytes")
    return body


def _too_much(media: MediaFile, settings: Settings) -> _Trouble | None:
    """Return why an image is not asked for, as far as its record tells."""
    if not media.original:
        return _Trouble(IMAGE_MISSING, "no address")
    if media.size_bytes > settings.max_image_bytes:
        return _Trouble(TOO_LARGE, f"{media.size_bytes} bytes")
    if media.width_px * media.height_px > settings.max_image_pixels:
        return _Trouble(TOO_LARGE, f"{media.width_px} × {media.height_px} pixels")
    return None


def _bytes(client: Client, url: str, limit: int, hosts: _Hosts) -> bytes | _Trouble:
    if hosts.given_up(url):
        return _Trouble(UNREACHABLE, f"{url}: not asked for, {PATIENCE} images before it did not come from this host")
    try:
        body = client.get_bytes(url, limit=limit)
    except UnreachableError as error:
        hosts.heard(url, answered=False)
        return _Trouble(UNREACHABLE, str(error))
    except ServiceError as error:
        hosts.heard(url, answered=True)
        reason = {"404": IMAGE_MISSING, "410": IMAGE_MISSING, "too-large": TOO_LARGE}.get(error.code, REFUSED)
        return _Trouble(reason, str(error))
    hosts.heard(url, answered=True)
    return body


def _differs(media: MediaFile, body: bytes | _Trouble) -> bool:
    return isinstance(body, bytes) and bool(media.sha1) and _sha1(body).hexdigest() != media.sha1


def undecodable(body: bytes, max_pixels: int) -> _Trouble | None:
    """Return why an image cannot be used, ``None`` if it can: it is decoded to its last line."""
    try:
        with warnings.catch_warnings():
            # Pillow warns from 89 megapixels on; the limit is ours, and beyond twice that Pillow refuses by itself.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(BytesIO(body)) as image:
                if image.width * image.height > max_pixels:
                    return _Trouble(TOO_LARGE, f"{image.width} × {image.height} pixels")
                image.load()
    except Image.DecompressionBombError as error:
        return _Trouble(TOO_LARGE, str(error))
    except _UNDECODABLE as error:
        return _Trouble(UNREADABLE, f"{type(error).__name__}: {error}"[:200])
    return None


def _sha1(body: bytes = b"") -> "hashlib._Hash":
    return hashlib.sha1(body, usedforsecurity=False)  # Commons' checksum, no secret depends on it
