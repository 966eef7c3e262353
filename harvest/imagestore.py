"""Images by the hash of their bytes. In: drafts that were found good or bad. Out: images, by the file they show.

===========================  ========================================================================================
``ab/abcd….jpg``             an image: the first two digits of the SHA-1 of its bytes, all of it, its type by content
``ab/abcd…-960px.json``      of an original with this SHA-1: which image is its thumbnail, how large, from where
``quarantine/abcd….bin``     bytes that are no image we can use, and ``abcd….json``: whose they were and what is wrong
``reserved/abcd….json``      an address (by the SHA-1 of it) whose publisher asks that it is not learned from
===========================  ========================================================================================

The SHA-1 of an original is Commons'; a thumbnail has another, its own. The same bytes are kept once.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crowd.campaign import THUMBNAIL_WIDTHS
from linkeddata.decoding import Facts
from linkeddata.records import MediaFile
from linkeddata.storage import Storage, Stored, open_storage

WHICHEVER = -1
"""Instead of a width: the original, or else the widest thumbnail there is."""
ORIGINAL = 0
"""Instead of a width: the original and nothing else."""

SUFFIXES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/tiff": ".tif",
    "image/bmp": ".bmp",
    "image/jp2": ".jp2",
}
_SHA1 = re.compile("[0-9a-f]{40}")
_MIMES = {suffix: mime for mime, suffix in SUFFIXES.items()}


class ImageStore:
    """Images in a folder or an object store. ``width_px`` says which copy is wanted: a thumbnail's, or a word above.

    Where a thumbnail is wanted and the original is there, the original will do.
    """

    def __init__(self, where: str | Path | Storage, width_px: int = WHICHEVER) -> None:
        self.storage = open_storage(where) if isinstance(where, str | Path) else where
        self.width_px = width_px

    def kept(self, media: MediaFile) -> Stored | None:
        """Return the copy of a file's image that is here, ``None`` where there is none."""
        if not is_sha1(media.sha1):
            return None
        if self.width_px > 0 and (found := self._thumbnail(media.sha1, self.width_px)):
            return found
        if found := self._image(media.sha1, media.mime):
            return found
        widths = THUMBNAIL_WIDTHS[::-1] if self.width_px == WHICHEVER else ()
        return next((found for width in widths if (found := self._thumbnail(media.sha1, width))), None)

    def holds(self, media: MediaFile) -> Stored | None:
        """Return the image like ``kept``, if on this machine its content is still what its name promises."""
        found = self.kept(media)
        path = found.local if found else None
        if found is None or path is None:
            return found
        with path.open("rb") as file:
            whole = hashlib.file_digest(file, "sha1").hexdigest() == found.sha1
        return found if whole else None

    def keep(self, sha1: str, facts: Facts, draft: Path) -> Stored:
        """Keep a draft as the image with this SHA-1. Raises ``ValueError`` for what is no SHA-1.

        >>> is_sha1("../../etc/passwd")
        False
        """
        if not is_sha1(sha1):
            raise ValueError(f"{sha1!r} is no SHA-1")
        name = _name(sha1) + SUFFIXES[facts.mime]
        self.storage.keep(name, draft)
        return Stored(self.storage, name, sha1, facts.mime)

    def keep_thumbnail(self, of: str, width_px: int, thumbnail: Stored, about: Mapping[str, Any]) -> None:
        """Note that ``thumbnail`` is what the original with SHA-1 ``of`` looks like at ``width_px``."""
        note = {"sha1": thumbnail.sha1, "mime": thumbnail.mime, **about}
        self.storage.write(f"{_name(of)}-{width_px}px.json", _json(note))

    def quarantine(self, sha1: str, draft: Path, about: Mapping[str, Any]) -> None:
        """Put a draft aside with the reason."""
        self.storage.keep(f"quarantine/{sha1}.bin", draft)
        self.storage.write(f"quarantine/{sha1}.json", _json({"sha1": sha1, **about}))

    def quarantined(self, sha1: str) -> dict[str, Any]:
        """Return what is wrong with the bytes of this SHA-1; nothing where they were never put aside."""
        return self._note(f"quarantine/{sha1}") if is_sha1(sha1) else {}

    def reserve(self, url: str, about: Mapping[str, Any]) -> None:
        """Remember that the publisher of ``url`` asks that it is not learned from."""
        self.storage.write(f"reserved/{_sha1(url)}.json", _json({"url": url, **about}))

    def reserved(self, url: str) -> dict[str, Any]:
        """Return what is remembered of ``url``; nothing where its publisher never asked for anything."""
        return self._note(f"reserved/{_sha1(url)}")

    def _image(self, sha1: str, mime: str) -> Stored | None:
        likely = SUFFIXES.get(mime, ".jpg")
        name = self.storage.find(_name(sha1), [likely, *(end for end in _MIMES if end != likely)])
        return Stored(self.storage, name, sha1, _MIMES[Path(name).suffix]) if name else None

    def _thumbnail(self, sha1: str, width_px: int) -> Stored | None:
        note = self._note(f"{_name(sha1)}-{width_px}px")
        return self._image(str(note["sha1"]), str(note["mime"])) if note else None

    def _note(self, stem: str) -> dict[str, Any]:
        try:
            note = json.loads(self.storage.read(f"{stem}.json"))
        except (FileNotFoundError, ValueError):
            return {}
        return note if isinstance(note, dict) else {}


def is_sha1(text: str) -> bool:
    """Say whether ``text`` is a SHA-1 as MediaWiki writes it."""
    return _SHA1.fullmatch(text) is not None


def _name(sha1: str) -> str:
    return f"{sha1[:2]}/{sha1}"


def _sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _json(note: Mapping[str, Any]) -> bytes:
    return (json.dumps(dict(note), ensure_ascii=False, indent=1) + "\n").encode()
