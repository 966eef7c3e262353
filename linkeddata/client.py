"""The polite HTTP client. In: a URL and parameters. Out: bytes or JSON, or an error that says what the service said.

Every request to the outside goes through here: User-Agent with contact (refused without one), gzip, one request at a
time to each host, ``Retry-After`` honoured, back-off with jitter and a cap, MediaWiki's errors known by *code*
(https://www.mediawiki.org/wiki/API:Etiquette, https://www.mediawiki.org/wiki/Manual:Maxlag_parameter), an HTML page or
a cut body where JSON is due counted as a failed try and never as an answer.
"""

import hashlib
import http.cookiejar
import ipaddress
import json
import random
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlencode, urlsplit

import requests
from requests.cookies import create_cookie
from urllib3.exceptions import HTTPError

from linkeddata import robots
from linkeddata.addresses import Gate, GuardedAdapter, Resolver, system_resolver
from linkeddata.bandwidth import Pace
from linkeddata.errors import ContactRequiredError, ServiceError, SettingsError, UnreachableError
from linkeddata.settings import SERVICES, Settings

RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
RETRIED_CODES = frozenset(
    {"maxlag", "ratelimited", "readonly", "internal_api_error_DBQueryTimeoutError", "too-many-requests"}
)
"""MediaWiki error codes that mean "later", not "no"."""

LONGEST_QUERY = 1500
"""A longer query string goes in the body; some servers refuse long addresses."""

FILES = 2
"""How many files may come from one host at the same time."""

PIECE = 1 << 16
"""Bytes of a file that are read at once."""
LEAST_BYTES_S = 1024
"""A file that comes more slowly than this, after the time limit of a request, is not coming."""
REDIRECTS = 5
"""How often one request may be led elsewhere."""

BROKEN = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
"""What requests raises when an answer does not come, or does not come whole."""

Params = Mapping[str, str | int]
T = TypeVar("T")


class TryAgainError(Exception):
    """One try failed in a way that a later try may mend; ``wait_s`` is what the service asked for, if it did.

    Raised by what is handed to ``Client.tries`` and caught there: no caller of a client ever sees it.
    """

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Download:
    """A file that has come: how many bytes, their SHA-1, and what the host called them."""

    size_bytes: int
    sha1: str
    content_type: str = ""


class Client:
    """Asks other people's services, politely. Thread-safe; one at a time to each host, two where it is files.

    Connections go to public addresses and to the services that the settings name, unless the settings allow private
    ones. ``sleep``, ``session`` and ``resolver`` are handed in by tests; ``counts`` tells afterwards what was asked and
    what it cost: requests, bytes, retries and milliseconds waited. ``with Client(settings) as client:`` closes its
    connections.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        session: requests.Session | None = None,
        sleep: Callable[[float], None] = time.sleep,
        resolver: Resolver = system_resolver,
    ) -> None:
        self._settings = settings
        self._session = session or requests.Session()
        self._session.max_redirects = REDIRECTS
        services = [str(getattr(settings, name)) for name in SERVICES]
        guard = GuardedAdapter(Gate(services, allow_private=settings.allow_private, resolver=resolver))
        self._session.mount("http://", guard)
        self._session.mount("https://", guard)
        self._session.headers.update({"User-Agent": settings.user_agent, "Accept-Encoding": "gzip"})
        if settings.wcqs_cookie:
            self._session.cookies.set_cookie(_login_cookie(settings))
        self._sleep = sleep
        self._turns: dict[tuple[str, int], threading.Semaphore] = {}
        self._paces: dict[str, Pace] = {}
        self._robots = robots.Robots(self._robots_txt)
        self._counting = threading.Lock()
        self.counts: Counter[str] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._session.close()

    @property
    def user_agent(self) -> str:
        """Who we say we are."""
        return self._settings.user_agent

    @property
    def timeout_s(self) -> float:
        """How long one request may stay without an answer."""
        return self._settings.timeout_s

    def get_json(self, url: str, params: Params | None = None) -> Any:
        """Return the decoded JSON body; ``None`` for 204 (WoRMS' "nothing").

        Raises ``ServiceError`` for an answer that means no (``code`` is the HTTP status or the MediaWiki error code)
        and ``UnreachableError`` when every try failed.
        """
        return self.tries(url, lambda: self._json(self._answer("GET", url, params)))

    def post_json(self, url: str, data: Params) -> Any:
        """Like ``get_json`` with the parameters in a form body, for lists too long for a URL."""
        return self.tries(url, lambda: self._json(self._answer("POST", url, data)))

    def get_bytes(self, url: str, *, limit: int) -> bytes:
        """Return the whole body of a file, at most ``limit`` bytes (``ServiceError`` with code ``too-large`` beyond).

        Raises like ``get_json``. A cut body is tried again, and so is an HTML page, which is never the file asked for.
        At most two at a time to a host, as Wikimedia asks (https://wikitech.wikimedia.org/wiki/Robot_policy).
        """
        return self.tries(url, lambda: self._body(self._answer("GET", url, None, stream=True), limit), places=FILES)

    def download(self, url: str, path: Path, *, limit: int) -> Download:
        """Write the body of a file to ``path`` while it comes, and return its size and SHA-1.

        Raises like ``get_bytes``; further ``ServiceError`` with code ``reserved`` where the answer's headers ask that
        the file is not learned from. Not faster than the settings allow, nor for ever when next to nothing comes.
        """
        return self.tries(
            url, lambda: self._stored(self._answer("GET", url, None, stream=True), path, limit), places=FILES
        )

    def may_fetch(self, url: str) -> bool:
        """Say whether the robots.txt of its host lets us have ``url``; it is asked for once. Raises like ``get_json``.

        A host without one (or with a page for people in its place) allows everything, one that cannot say must be
        asked again: ``UnreachableError``.
        """
        return self._robots.allow(url)

    def get_page(self, url: str) -> str:
        """Return an HTML page as text, where a service has no other interface. Raises like ``get_json``."""
        return self.tries(url, lambda: self._answer("GET", url, None).text)

    def require_contact(self, url: str) -> None:
        """Raise ``ContactRequiredError`` if ``url`` is public and no contact address is set."""
        if not self._settings.contact and not is_loopback(url):
            raise ContactRequiredError(
                f"{urlsplit(url).hostname} is a public service and asks who is calling: "
                'set contact = "you@your.museum" in deboodt.toml, or DEBOODT_CONTACT'
            )

    def open(self, url: str, params: Params, *, accept: str) -> requests.Response:
        """Ask once and return the answer, whatever its status, with its body unread: close it. For use in ``tries``.

        By GET, or in a form body where the address would be too long. Redirects are not followed: where they lead, a
        log-in would go along. Raises ``TryAgainError`` where nothing answers.
        """
        self.count("requests")
        long = len(urlencode(params)) > LONGEST_QUERY
        how: dict[str, Any] = {"data": params} if long else {"params": params}
        try:
            return self._session.request(
                "POST" if long else "GET",
                url,
                headers={"Accept": accept},
                timeout=self._settings.timeout_s,
                stream=True,
                allow_redirects=False,
                **how,
            )
        except BROKEN as error:
            raise TryAgainError(f"no answer ({type(error).__name__})") from error
        except requests.RequestException as error:
            raise ServiceError(f"{url}: {error}", code="bad-request", url=url) from error

    @property
    def longest_answer_s(self) -> float:
        """How long one answer may take to arrive whole."""
        return self._settings.longest_answer_s

    def tries(self, url: str, once: Callable[[], T], *, places: int = 1) -> T:
        """Return what ``once`` returns, trying again as often as the settings allow when it raises ``TryAgainError``.

        For protocols that another library speaks: the contact address, turns, waits and counts are as for our own
        requests. ``places`` is how many such requests may run at the same time to the host of ``url``.
        """
        self.require_contact(url)
        reason = ""
        for number in range(self._settings.tries):
            try:
                with self._turn(url, places):
                    return once()
            except TryAgainError as trouble:
                reason = str(trouble)
                self.count("retries")
                if number + 1 < self._settings.tries:
                    self._wait(url, number, trouble.wait_s, reason)
        raise UnreachableError(f"{url}: {reason}, {self._settings.tries} tries", code="unreachable", url=url)

    def count(self, what: str, number: int = 1) -> None:
        """Add to ``counts``."""
        with self._counting:
            self.counts[what] += number

    def _wait(self, url: str, number: int, asked_s: float | None, reason: str) -> None:
        cap = self._settings.longest_wait_s
        if asked_s is not None and asked_s > cap:
            raise UnreachableError(f"{url}: {reason}; asked to wait {asked_s:.0f} s", code="wait", url=url)
        pause = asked_s if asked_s is not None else min(cap, 2.0**number) * random.uniform(0.5, 1.0)
        self.count("waited_ms", round(pause * 1000))
        self._sleep(pause)

    def _turn(self, url: str, places: int) -> threading.Semaphore:
        with self._counting:
            return self._turns.setdefault((urlsplit(url).netloc, places), threading.Semaphore(places))

    def _answer(self, method: str, url: str, params: Params | None, stream: bool = False) -> requests.Response:
        self.count("requests")
        where = {"data": params} if method == "POST" else {"params": params}
        try:
            response = self._session.request(method, url, timeout=self._settings.timeout_s, stream=stream, **where)  # type: ignore[arg-type]
        except BROKEN as error:
            raise TryAgainError(f"no answer ({type(error).__name__})") from error
        except requests.RequestException as error:  # an address that is none, redirects without end
            raise ServiceError(f"{url}: {error}", code="bad-request", url=url) from error
        if response.status_code in RETRIED_STATUS:
            response.close()
            raise TryAgainError(f"HTTP {response.status_code}", retry_after(response.headers))
        if response.status_code >= 400:
            text = "" if stream else response.text[:200].strip()
            response.close()
            raise ServiceError(f"{url}: HTTP {response.status_code} {text}", code=str(response.status_code), url=url)
        return response

    def _json(self, response: requests.Response) -> Any:
        self.count("bytes", len(response.content))
        if response.status_code == 204:
            return None
        try:
            payload = json.loads(response.content)
        except ValueError as error:
            kind = response.headers.get("Content-Type", "no type")
            raise TryAgainError(f"{kind} that is not JSON", retry_after(response.headers)) from error
        raise_api_error(payload, response)
        return payload

    def _body(self, response: requests.Response, limit: int) -> bytes:
        with closing(response):
            if response.headers.get("Content-Type", "").startswith("text/html"):
                raise TryAgainError("an HTML page instead of a file", retry_after(response.headers))
            body = self._pieces(response, limit)
        announced = response.headers.get("Content-Length")
        if announced and "Content-Encoding" not in response.headers and len(body) != int(announced):
            raise TryAgainError(f"cut off after {len(body)} of {announced} bytes")
        self.count("bytes", len(body))
        return body

    def _pieces(self, response: requests.Response, limit: int) -> bytes:
        body = bytearray()
        for piece in _arriving(response, limit):
            body += piece
        return bytes(body)

    def _stored(self, response: requests.Response, path: Path, limit: int) -> Download:
        with closing(response):
            kind = response.headers.get("Content-Type", "")
            if kind.startswith("text/html"):
                raise TryAgainError("an HTML page instead of a file", retry_after(response.headers))
            if reserved := robots.reservation(response.headers):
                raise ServiceError(f"{response.url}: {reserved}", code=robots.RESERVED, url=response.url)
            announced = response.headers.get("Content-Length", "")
            if announced.isdigit() and int(announced) > limit:
                raise ServiceError(f"{response.url}: {announced} bytes", code="too-large", url=response.url)
            size, sha1 = self._written(response, path, limit)
        if announced and "Content-Encoding" not in response.headers and size != int(announced):
            raise TryAgainError(f"cut off after {size} of {announced} bytes")
        self.count("bytes", size)
        return Download(size, sha1, kind)

    def _written(self, response: requests.Response, path: Path, limit: int) -> tuple[int, str]:
        """Write what comes to ``path``; return its size and SHA-1."""
        sha1, size, paused = hashlib.sha1(usedforsecurity=False), 0, 0.0  # Commons' checksum, no secret depends on it
        pace, begun = self._pace(response.url), time.monotonic()
        with path.open("wb") as out:
            for piece in _arriving(response, limit):
                out.write(piece)
                sha1.update(piece)
                size += len(piece)
                if pace:
                    paused += pace.take(len(piece))
                if time.monotonic() - begun - paused > self._settings.timeout_s + size / LEAST_BYTES_S:
                    raise TryAgainError(f"too slow: {size} bytes in {time.monotonic() - begun:.0f} s")
        return size, sha1.hexdigest()

    def _pace(self, url: str) -> Pace | None:
        if not self._settings.files_mbit_s:
            return None
        with self._counting:
            pace = Pace(self._settings.files_mbit_s, sleep=self._sleep)
            return self._paces.setdefault(urlsplit(url).netloc, pace)

    def _robots_txt(self, url: str) -> str:
        try:
            return self.tries(url, lambda: self._rules(self._answer("GET", url, None, stream=True)))
        except UnreachableError:
            raise
        except ServiceError as error:
            if error.code.isdigit():  # 404 and the like: there are no rules (RFC 9309, section 2.3.1.3)
                return ""
            raise

    def _rules(self, response: requests.Response) -> str:
        with closing(response):
            if "html" in response.headers.get("Content-Type", ""):
                return ""
            text = bytearray()
            for piece in _arriving(response, sys.maxsize):
                text += piece
                if len(text) >= robots.MOST_BYTES:
                    break
        self.count("bytes", len(text))
        return text[: robots.MOST_BYTES].decode(errors="replace")


def _arriving(response: requests.Response, limit: int) -> Iterator[bytes]:
    """Yield the body as it comes. Raises ``TryAgainError`` where it breaks off, ``ServiceError`` beyond ``limit``."""
    size = 0
    try:
        while piece := response.raw.read1(PIECE, decode_content=True):  # what is there, not waiting for a whole piece
            size += len(piece)
            if size > limit:
                raise ServiceError(f"{response.url}: more than {limit} bytes", code="too-large", url=response.url)
            yield piece
    except (HTTPError, OSError) as error:
        raise TryAgainError(f"cut off after {size} bytes") from error


def _login_cookie(settings: Settings) -> http.cookiejar.Cookie:
    """Return the cookie that the Commons Query Service knows us by; it is sent to that host and to no other.

    Raises ``SettingsError``, which does not show it, for one that is not as the service gives it
    (https://commons.wikimedia.org/wiki/Commons:SPARQL_query_service/API_endpoint).
    """
    if not re.fullmatch(r"[0-9a-f]+\.[0-9a-f]+", settings.wcqs_cookie):
        raise SettingsError(
            "wcqs_cookie is not what the browser shows for wcqsOauth: two hexadecimal numbers and a point between them"
        )
    service = urlsplit(settings.sparql_wcqs)
    secure = service.scheme == "https"
    login: http.cookiejar.Cookie = create_cookie(  # type: ignore[no-untyped-call]
        "wcqsOauth", settings.wcqs_cookie, domain=service.hostname or "", secure=secure
    )
    return login


def raise_api_error(payload: Any, response: requests.Response) -> None:
    """Raise what a MediaWiki error in ``payload`` means: try again, or ``ServiceError`` with its code."""
    error = payload.get("error") if isinstance(payload, dict) else None
    if not isinstance(error, dict) or "code" not in error:
        return
    code = str(error["code"])
    if code in RETRIED_CODES:
        raise TryAgainError(f"MediaWiki says {code}", retry_after(response.headers))
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
