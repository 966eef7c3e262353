"""The polite HTTP client. In: a URL and parameters. Out: bytes or JSON, or an error that says what the service said.

Every request to the outside goes through here: User-Agent with contact (refused without one), gzip, one request at a
time to each host, ``Retry-After`` honoured, back-off with jitter and a cap, MediaWiki's errors known by *code*
(https://www.mediawiki.org/wiki/API:Etiquette, https://www.mediawiki.org/wiki/Manual:Maxlag_parameter), an HTML page or
a cut body where JSON is due counted as a failed try and never as an answer.
"""

import ipaddress
import json
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests

from linkeddata.errors import ContactRequiredError, ServiceError, UnreachableError
from linkeddata.settings import Settings

RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
RETRIED_CODES = frozenset(
    {"maxlag", "ratelimited", "readonly", "internal_api_error_DBQueryTimeoutError", "too-many-requests"}
)
"""MediaWiki error codes that mean "later", not "no"."""

Params = Mapping[str, str | int]
T = TypeVar("T")


class _TryAgainError(Exception):
    """One try failed in a way that a later try may mend; carries the wait the service asked for, if it did."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class Client:
    """Asks other people's services, politely. Thread-safe; one at a time to each host.

    ``sleep`` and ``session`` are handed in by tests; ``counts`` tells afterwards what was asked and what it cost:
    requests, bytes, retries and seconds waited.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        session: requests.Session | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._session = session or requests.Session()
        self._session.headers.update({"User-Agent": settings.user_agent, "Accept-Encoding": "gzip"})
        self._sleep = sleep
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self.counts: Counter[str] = Counter()

    def get_json(self, url: str, params: Params | None = None) -> Any:
        """Return the decoded JSON body; ``None`` for 204 (WoRMS' "nothing").

        Raises ``ServiceError`` for an answer that means no (``code`` is the HTTP status or the MediaWiki error code)
        and ``UnreachableError`` when every try failed.
        """
        return self._tries(url, lambda: self._json(self._answer("GET", url, params)))

    def post_json(self, url: str, data: Params) -> Any:
        """Like ``get_json`` with the parameters in a form body, for lists too long for a URL."""
        return self._tries(url, lambda: self._json(self._answer("POST", url, data)))

    def get_bytes(self, url: str, *, limit: int) -> bytes:
        """Return the whole body, at most ``limit`` bytes. Raises like ``get_json``; a cut body is tried again."""
        return self._tries(url, lambda: self._body(self._answer("GET", url, None, stream=True), limit))

    def require_contact(self, url: str) -> None:
        """Raise ``ContactRequiredError`` if ``url`` is public and no contact address is set."""
        if not self._settings.contact and not is_loopback(url):
            raise ContactRequiredError(
                f"{urlsplit(url).hostname} is a public service and asks who is calling: "
                'set contact = "you@your.museum" in deboodt.toml, or DEBOODT_CONTACT'
            )

    def _tries(self, url: str, once: Callable[[], T]) -> T:
        self.require_contact(url)
        reason = ""
        for number in range(self._settings.tries):
            try:
                with self._turn(url):
                    return once()
            except _TryAgainError as trouble:
                reason = str(trouble)
                self.counts["retries"] += 1
                if number + 1 < self._settings.tries:
                    self._wait(url, number, trouble.wait_s, reason)
        raise UnreachableError(f"{url}: {reason}, {self._settings.tries} tries", code="unreachable", url=url)

    def _wait(self, url: str, number: int, asked_s: float | None, reason: str) -> None:
        cap = self._settings.longest_wait_s
        if asked_s is not None and asked_s > cap:
            raise UnreachableError(f"{url}: {reason}; asked to wait {asked_s:.0f} s", code="wait", url=url)
        pause = asked_s if asked_s is not None else min(cap, 2.0**number) * random.uniform(0.5, 1.0)
        self.counts["waited_ms"] += round(pause * 1000)
        self._sleep(pause)

    @contextmanager
    def _turn(self, url: str) -> Iterator[None]:
        with self._locks[urlsplit(url).netloc]:
            yield

    def _answer(self, method: str, url: str, params: Params | None, stream: bool = False) -> requests.Response:
        self.counts["requests"] += 1
        where = {"data": params} if method == "POST" else {"params": params}
        try:
            response = self._session.request(method, url, timeout=self._settings.timeout_s, stream=stream, **where)  # type: ignore[arg-type]
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            raise _TryAgainError(f"no answer ({type(error).__name__})") from error
        if response.status_code in RETRIED_STATUS:
            raise _TryAgainError(f"HTTP {response.status_code}", retry_after(response.headers))
        if response.status_code >= 400:
            text = response.text[:200].strip()
            raise ServiceError(f"{url}: HTTP {response.status_code} {text}", code=str(response.status_code), url=url)
        return response

    def _json(self, response: requests.Response) -> Any:
        self.counts["bytes"] += len(response.content)
        if response.status_code == 204:
            return None
        try:
            payload = json.loads(response.content)
        except ValueError as error:
            kind = response.headers.get("Content-Type", "no type")
            raise _TryAgainError(f"{kind} instead of JSON") from error
        raise_api_error(payload, response)
        return payload

    def _body(self, response: requests.Response, limit: int) -> bytes:
        pieces = []
        size = 0
        try:
            for piece in response.iter_content(1 << 16):
                size += len(piece)
                if size > limit:
                    raise ServiceError(f"{response.url}: more than {limit} bytes", code="too-large", url=response.url)
                pieces.append(piece)
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError, requests.Timeout) as error:
            raise _TryAgainError(f"cut off after {size} bytes") from error
        finally:
            response.close()
        announced = response.headers.get("Content-Length")
        if announced and "Content-Encoding" not in response.headers and size != int(announced):
            raise _TryAgainError(f"cut off after {size} of {announced} bytes")
        self.counts["bytes"] += size
        return b"".join(pieces)


def raise_api_error(payload: Any, response: requests.Response) -> None:
    """Raise what a MediaWiki error in ``payload`` means: try again, or ``ServiceError`` with its code."""
    error = payload.get("error") if isinstance(payload, dict) else None
    if not isinstance(error, dict) or "code" not in error:
        return
    code = str(error["code"])
    if code in RETRIED_CODES:
        raise _TryAgainError(f"MediaWiki says {code}", retry_after(response.headers))
    raise ServiceError(f"{response.url}: {code}: {error.get('info', '')}", code=code, url=response.url)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds a ``Retry-After`` header asks for (a number or an HTTP date), ``None`` without one.

    >>> retry_after({"Retry-After": "5"})
    5.0
    """
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def is_loopback(url: str) -> bool:
    """Say whether ``url`` points to this machine.

    >>> is_loopback("http://127.0.0.1:8080/w/api.php"), is_loopback("https://commons.wikimedia.org/")
    (True, False)
    """
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
