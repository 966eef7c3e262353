"""Where files are kept by name: a local folder, or an object store by URL. In: names, drafts. Out: bytes, by name.

A folder is the default and needs nothing. ``s3://bucket/prefix`` and what else fsspec speaks
(https://filesystem-spec.readthedocs.io/) needs ``pip install 'deboodt[s3]'``; keys and endpoint come from where S3's
own tools look for them (``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_ENDPOINT_URL``).
"""

import errno
import fcntl
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from linkeddata.errors import SettingsError, StoreError
from linkeddata.files import replaced

DRAFTS = ".incoming-"


class Storage(Protocol):
    """A place for files. A name is a relative path with ``/``; a file is there whole or not at all."""

    def find(self, stem: str, suffixes: Sequence[str]) -> str:
        """Return the name of the file that is ``stem`` with one of ``suffixes``, ``""`` where there is none."""

    def read(self, name: str) -> bytes:
        """Return a file's bytes. Raises ``FileNotFoundError``, and ``StoreError`` where the place cannot be reached."""

    def write(self, name: str, data: bytes) -> None:
        """Keep ``data`` under ``name``, in the place of what was there."""

    def keep(self, name: str, draft: Path) -> None:
        """Keep the file at ``draft``, which is gone afterwards, under ``name``."""

    def local(self, name: str) -> Path | None:
        """Return where a file can be read on this machine, ``None`` where it must be fetched."""

    def drafts(self) -> Any:
        """Give, as a context, a folder for files that are being made; it is emptied at the end."""

    def settle(self) -> None:
        """Return when all that was kept would survive a power cut."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One file that is kept, with the SHA-1 and the media type of its bytes where they are known."""

    storage: Storage
    name: str
    sha1: str = ""
    mime: str = ""

    def read_bytes(self) -> bytes:
        """Return its bytes. Raises ``FileNotFoundError``, and ``StoreError`` where the storage cannot be reached."""
        return self.storage.read(self.name)

    @property
    def local(self) -> Path | None:
        """Where it can be read on this machine."""
        return self.storage.local(self.name)

    @property
    def suffix(self) -> str:
        """The ending of its name, with the dot."""
        return Path(self.name).suffix


def stored_file(path: Path, *, sha1: str = "", mime: str = "") -> Stored:
    """Return a file on this machine as one that is kept.

    >>> stored_file(Path("plates/12.jpg")).suffix
    '.jpg'
    """
    return Stored(FolderStorage(path.parent), path.name, sha1, mime)


def open_storage(where: str | Path) -> Storage:
    """Return the storage at a folder or URL. Raises ``SettingsError`` for a kind that cannot be reached from here."""
    text = str(where)
    if "://" not in text:
        return FolderStorage(Path(text))
    if text.startswith("file://"):
        return FolderStorage(Path(text.removeprefix("file://")))
    return RemoteStorage(text)


@dataclass(frozen=True, slots=True)
class FolderStorage:
    """A folder on this machine."""

    folder: Path

    def find(self, stem: str, suffixes: Sequence[str]) -> str:
        """Return the name of the first that is there."""
        start = f"{self.folder}/{stem}"
        return next((stem + end for end in suffixes if _is_there(start + end)), "")

    def read(self, name: str) -> bytes:
        """Return a file's bytes."""
        path = f"{self.folder}/{name}"
        if not _is_there(path):  # most notes that are looked for
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        with open(path, "rb") as file:  # noqa: PTH123 - for each image
            return file.read()

    def write(self, name: str, data: bytes) -> None:
        """Write a file, whole or not at all."""
        path = self._made(name)
        beside = path.with_name(f".{path.name}.{threading.get_ident()}")
        beside.write_bytes(data)
        beside.replace(path)

    def keep(self, name: str, draft: Path) -> None:
        """Move a draft to its place."""
        path = f"{self.folder}/{name}"
        try:
            os.replace(draft, path)  # noqa: PTH105 - for each image; its folder is mostly there
            return
        except OSError:
            os.makedirs(path.rpartition("/")[0], exist_ok=True)  # noqa: PTH103
        try:
            draft.replace(path)
        except OSError:  # the draft is on another file system
            with replaced(Path(path)) as out, draft.open("rb") as source:
                shutil.copyfileobj(source, out)
            draft.unlink()

    def local(self, name: str) -> Path | None:
        """Return the file's path."""
        return self.folder / name

    @contextmanager
    def drafts(self) -> Iterator[Path]:
        """Give a folder beside the files, so that a draft only has to be renamed; take away what killed runs left."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in self.folder.glob(f"{DRAFTS}*"):
            with suppress(OSError), (left / "lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # its process is gone: the system let go of the lock
                shutil.rmtree(left, ignore_errors=True)
        with (
            tempfile.TemporaryDirectory(prefix=DRAFTS, dir=self.folder) as made,
            (Path(made) / "lock").open("a") as lock,
        ):
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield Path(made)

    def settle(self) -> None:
        """Let the system write to disk what it holds; once for all files is faster than for each."""
        os.sync()

    def _made(self, name: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


class RemoteStorage:
    """An object store, by fsspec. An object appears when it has been sent whole."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        try:
            from fsspec.core import url_to_fs

            # Other processes keep files, too: a listing from before is not believed.
            self._files, self._root = url_to_fs(self.url, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise SettingsError(f"{url}: {error}; object stores need: pip install 'deboodt[s3]'") from error

    def find(self, stem: str, suffixes: Sequence[str]) -> str:
        """Return the name of the first that is there; one question for the likeliest, one more for all others."""
        with self._reached():
            if self._files.exists(self._path(stem + suffixes[0])):
                return stem + suffixes[0]
            there = {str(path).rpartition("/")[2] for path in self._files.glob(self._path(f"{stem}.*"))}
        return next((stem + end for end in suffixes[1:] if (stem + end).rpartition("/")[2] in there), "")

    def read(self, name: str) -> bytes:
        """Return an object's bytes."""
        with self._reached(reading=True):
            return bytes(self._files.cat_file(self._path(name)))

    def write(self, name: str, data: bytes) -> None:
        """Send an object."""
        with self._reached():
            self._files.pipe_file(self._path(name), data)

    def keep(self, name: str, draft: Path) -> None:
        """Send a draft, from disk."""
        with self._reached():
            self._files.put_file(str(draft), self._path(name))
        draft.unlink()

    def local(self, name: str) -> Path | None:
        """Return ``None``: nothing of it is on this machine."""
        return None

    @contextmanager
    def drafts(self) -> Iterator[Path]:
        """Give a folder for temporary files."""
        with tempfile.TemporaryDirectory(prefix="deboodt-") as made:
            yield Path(made)

    def settle(self) -> None:
        """Return at once: what an object store has taken, it has."""

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    @contextmanager
    def _reached(self, *, reading: bool = False) -> Iterator[None]:
        """Turn what drivers raise, each in its own way, into one error of ours; when reading, "not there" is none."""
        try:
            yield
        except Exception as error:
            if reading and isinstance(error, FileNotFoundError):
                raise
            raise StoreError(f"{self.url}: {type(error).__name__}: {error}") from error


def _is_there(path: str) -> bool:
    """Say whether there is such a file, at a fifth of what an exception would cost."""
    return os.access(path, os.F_OK) and os.path.isfile(path)  # noqa: PTH113 - for each image
