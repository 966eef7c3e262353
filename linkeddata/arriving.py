"""A file while it comes. In: the head of an answer, then its bytes as the line gives them. Out: a file, its SHA-1.

Whatever fetches it, the same holds: an error page is no file, a publisher's reservation and a size beyond the limit are
seen before the bytes, what comes goes to disk, not faster than the host allows and not for ever. A file that is small
is written at once when it is whole, and its bytes stay at hand for whoever looks at them next.
"""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from linkeddata import robots
from linkeddata.bandwidth import Pace
from linkeddata.errors import ServiceError
from linkeddata.trying import CUT_OFF, RETRIED_STATUS, TOO_SLOW, TryAgainError, retry_after

LEAST_BYTES_S = 1024
"""A file that comes more slowly than this, after the time limit of a request, is not coming."""
SMALL = 1 << 20
"""Bytes that are kept at hand until a file is whole."""
_ERROR_TEXT = 200
"""Bytes of an error page that are told."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file that has come: how many bytes, their SHA-1, and what the host called them."""

    size_bytes: int
    sha1: str
    content_type: str = ""
    data: bytes | None = field(default=None, repr=False)
    """The bytes themselves, of a small file."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms a file is taken."""

    limit: int
    """Bytes, at most."""
    silence_s: float
    """How long nothing may come."""
    head_s: float
    """How long the head of the answer may take to come whole."""
    pace: Pace | None = None


class Arriving:
    """The file at ``url`` on its way to ``path``; a context manager. Used by one thread."""

    def __init__(self, url: str, path: Path, terms: Terms) -> None:
        self._url = url
        self._path = path
        self._terms = terms
        self._begun = self._heard = time.monotonic()
        self._paused_s = 0.0
        self._status = 0
        self._kind = ""
        self._announced = ""
        self._sha1 = hashlib.sha1(usedforsecurity=False)  # Commons' checksum, no secret depends on it
        self._held: list[bytes] = []
        self._out: BinaryIO | None = None
        self.size_bytes = 0
        self.line_bytes = 0  # as they came, compressed

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._out:
            self._out.close()

    @property
    def answered(self) -> bool:
        """Whether the head of the answer is there."""
        return bool(self._status)

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        """Take the head of the answer. Raises ``TryAgainError`` and ``ServiceError`` for what cannot be the file."""
        self._status, self._begun = status, time.monotonic()
        self._heard = self._begun
        if status in RETRIED_STATUS:
            raise TryAgainError(f"HTTP {status}", retry_after(headers))
        if status >= 400:  # its text comes as the body
            return
        self._kind = headers.get("Content-Type", "")
        if self._kind.startswith("text/html"):
            raise TryAgainError("an HTML page instead of a file", retry_after(headers), kind="HTML page")
        if reserved := robots.reservation(headers):
            raise ServiceError(f"{self._url}: {reserved}", code=robots.RESERVED, url=self._url)
        announced = headers.get("Content-Length", "")
        if announced.isdigit() and int(announced) > self._terms.limit:
            raise ServiceError(f"{self._url}: {announced} bytes", code="too-large", url=self._url)
        self._announced = "" if "Content-Encoding" in headers else announced

    def piece(self, data: bytes) -> None:
        """Take what came next. Raises ``ServiceError`` beyond the limit, ``TryAgainError`` if it comes too slowly."""
        self.size_bytes += len(data)
        if self._status >= 400:
            if self.size_bytes - len(data) < _ERROR_TEXT:
                self._held.append(data)
            elif self.size_bytes > SMALL:
                raise self._refused()
            return
        if self.size_bytes > self._terms.limit:
            raise ServiceError(f"{self._url}: more than {self._terms.limit} bytes", code="too-large", url=self._url)
        self._held.append(data)
        if self.size_bytes > SMALL:
            self._write_held()
        if self._terms.pace:
            self._paused_s += self._terms.pace.take(len(data))
        self._heard = time.monotonic()
        self._in_time(self._heard)

    def waiting(self) -> None:
        """Say, as long as nothing comes, whether there is still hope. Raises ``TryAgainError`` if there is none."""
        now = time.monotonic()
        if not self._status and now - self._begun > self._terms.head_s:
            raise TryAgainError(f"no answer (no whole headers in {self._terms.head_s:g} s)")
        if now - self._heard > self._terms.silence_s:
            if not self._status:
                raise TryAgainError(f"no answer (nothing in {self._terms.silence_s:g} s)")
            raise self.cut_off(f"nothing more in {self._terms.silence_s:g} s")
        if self._status:
            self._in_time(now)

    def whole(self) -> Download:
        """Return what has come, now that no more will. Raises ``TryAgainError`` if it is not all."""
        if self._status >= 400:
            raise self._refused()
        if self._announced.isdigit() and self.size_bytes != int(self._announced):
            raise self.cut_off(f"of {self._announced}")
        data = b"".join(self._held) if self._out is None else None
        self._write_held()
        return Download(self.size_bytes, self._sha1.hexdigest(), self._kind, data)

    def cut_off(self, how: str) -> TryAgainError:
        """Return the trouble of a file that has not come whole."""
        return TryAgainError(f"cut off after {self.size_bytes} bytes ({how})", kind=CUT_OFF)

    def _in_time(self, now: float) -> None:
        took_s = now - self._begun - self._paused_s
        if took_s > self._terms.silence_s + self.size_bytes / LEAST_BYTES_S:
            raise TryAgainError(f"only {self.size_bytes} bytes in {now - self._begun:.0f} s", kind=TOO_SLOW)

    def _write_held(self) -> None:
        data = b"".join(self._held)
        self._held.clear()
        if self._out is None:
            self._out = open(self._path, "wb", buffering=0)  # noqa: PTH123, SIM115 - for each image; closed at the end
        self._sha1.update(data)
        left = memoryview(data)
        while left:
            left = left[self._out.write(left) :]

    def _refused(self) -> ServiceError:
        text = b"".join(self._held)[:_ERROR_TEXT].decode("utf-8", "replace").strip()
        return ServiceError(f"{self._url}: HTTP {self._status} {text}", code=str(self._status), url=self._url)
