"""Asking an installation as a reader does. In: the base of its URIs, the address where it answers. Out: ``Answer``.

Where the base is not reachable yet, what begins with it is asked at the address instead; nothing else is ever asked.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from linkeddata.settings import VERSION

TIMEOUT_S = 60.0
PIECE = 1 << 20
T = TypeVar("T")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Answer:
    """What came back; ``status`` is 0 where nothing did, and ``body`` then says why."""

    uri: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    size: int = 0
    """Length of a body that was not kept, with its ``sha256``."""
    sha256: str = ""

    @property
    def media_type(self) -> str:
        """The media type, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @cached_property
    def json(self) -> Any:
        """The body as JSON, ``None`` where it is none."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None

    @property
    def trouble(self) -> str:
        """What is wrong with it as an answer, ``""`` for nothing."""
        if self.status == 0:
            return f"does not answer: {self.body.decode('utf-8', 'replace')}"
        return "" if self.status == 200 else f"answers {self.status}"


@dataclass
class Visit:
    """One visit to an installation; the same question is asked once."""

    base: str
    address: str
    samples: int = 3
    """How many documents of each kind are looked at."""
    pages: int = 100
    """How many pages of the feed are walked at most; 0 for all."""
    _session: requests.Session = field(default_factory=requests.Session)
    _asked: dict[tuple[str, str], Answer] = field(default_factory=dict)
    _seen: dict[Callable[["Visit"], Any], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # a connection that the server has closed meanwhile is no fault of what is published
        adapter = HTTPAdapter(max_retries=Retry(total=None, connect=0, read=1, redirect=False, status=0, other=0))
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._session.headers["User-Agent"] = f"DeBoodt/{VERSION} (publish check of {self.base})"

    @property
    def asked(self) -> int:
        """How many questions were asked."""
        return len(self._asked)

    def answers(self) -> list[Answer]:
        """Return all answers so far, in the order they came."""
        return list(self._asked.values())

    @property
    def is_local(self) -> bool:
        """Whether the base can be reached from this machine alone."""
        return (urlsplit(self.base).hostname or "") in LOOPBACK

    def ours(self, uri: str) -> bool:
        """Return whether a URI is one of this installation."""
        return uri == self.base or uri.startswith((f"{self.base}/", f"{self.base}#"))

    def get(self, uri: str, accept: str = "*/*", **headers: str) -> Answer:
        """Return what a URI of ours answers; redirects are not followed."""
        asked = uri.partition("#")[0]
        key = (f"{self.base}/" if asked == self.base else asked, f"{accept} {sorted(headers.items())}")
        if key not in self._asked:
            self._asked[key] = self._ask(key[0], {"Accept": accept, **headers})
        return self._asked[key]

    def passing(self, uri: str, accept: str) -> Answer:
        """Return what a URI of ours answers and keep no body of it, for there may be many such: pages of the feed."""
        answer = self._ask(uri, {"Accept": accept})
        self._asked[uri, f"{accept} passing"] = replace(answer, body=b"")
        return answer

    def once(self, look: Callable[["Visit"], T]) -> T:
        """Return what a look at this installation gave, which is taken only once."""
        if look not in self._seen:
            self._seen[look] = look(self)
        found: T = self._seen[look]
        return found

    def followed(self, uri: str, accept: str = "*/*") -> Answer:
        """Return what a URI answers in the end, over at most three redirects within this installation."""
        answer = self.get(uri, accept)
        for _ in range(3):
            if answer.status not in (301, 302, 303, 307, 308):
                break
            onward = urljoin(answer.uri, answer.headers.get("location", ""))
            if not self.ours(onward):
                break
            answer = self.get(onward, accept)
        return answer

    def weighed(self, uri: str) -> Answer:
        """Return what a URI of ours answers without its body, which may be larger than memory: only length and hash."""
        key = (uri.partition("#")[0], "weighed")
        if key not in self._asked:
            self._asked[key] = self._ask(key[0], {"Accept": "*/*"}, kept=False)
        return self._asked[key]

    def _ask(self, uri: str, headers: Mapping[str, str], *, kept: bool = True) -> Answer:
        if not self.ours(uri):
            return Answer(uri, 0, {}, b"is not of this installation")
        try:
            with self._session.get(
                self.address + uri.removeprefix(self.base),
                headers={name.replace("_", "-"): value for name, value in headers.items()},
                timeout=TIMEOUT_S,
                allow_redirects=False,
                stream=not kept,
            ) as got:
                said = {name.lower(): value for name, value in got.headers.items()}
                if kept:
                    return Answer(uri, got.status_code, said, got.content)
                return Answer(uri, got.status_code, said, b"", *_weight(got))
        except requests.RequestException as error:
            return Answer(uri, 0, {}, type(error).__name__.encode())


def _weight(got: requests.Response) -> tuple[int, str]:
    """Return length and SHA-256 of a body, read piece by piece."""
    size, digest = 0, hashlib.sha256()
    for piece in got.iter_content(PIECE):
        size += len(piece)
        digest.update(piece)
    return size, digest.hexdigest()
