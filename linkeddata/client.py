"""The polite HTTP client. In: a URL and parameters. Out: bytes or JSON, or an error that says what the service said.

Every request to the outside goes through here: User-Agent with contact (refused without one), gzip, one request at a
time to each host, ``Retry-After`` honoured, back-off with jitter and a cap, MediaWiki's errors known by *code*
(https://www.mediawiki.org/wiki/API:Etiquette, https://www.mediawiki.org/wiki/Manual:Maxlag_parameter), an HTML page or
a cut body where JSON is due counted as a failed try and never as an answer.

Two kinds of trouble are told apart. A *limit* says "wait": too many requests, a lagged database, any ``Retry-After``.
It is waited for in full, as often as it is said, until the patience of the settings ends. What is *broken* (no answer,
half an answer, an error page) is tried again a few times. While one waits, nobody else asks the same host.
"""

import copy
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
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar
from urllib.parse import urlencode, urlsplit

import requests
from requests.cookies import create_cookie
from urllib3.exceptions import HTTPError

from linkeddata import robots
from linkeddata.addresses import Gate, GuardedAdapter, Resolver, system_resolver
from linkeddata.arriving import Arriving, Download, Terms
from linkeddata.bandwidth import Pace
from linkeddata.direct import Direct
from linkeddata.errors import ContactRequiredError, LimitError, ServiceError, SettingsError, UnreachableError
from linkeddata.settings import SERVICES, Settings
from linkeddata.trying import CUT_OFF, LIMIT_CODES, RETRIED_STATUS, TOO_SLOW, TryAgainError, retry_after

BROKEN_CODES = "internal_api_error_"
"""How MediaWiki's codes for its own exceptions begin; what it could not do now it may be able to do in a moment."""

LONGEST_QUERY = 1500
"""A longer query string goes in the body; some servers refuse long addresses."""

FILES = 2
"""How many files may come from one host at the same time."""
TOLD_FROM_S = 10.0
"""A pause as long as this is told to whoever waits for the client."""
OK = "ok"

PIECE = 1 << 18
"""Bytes of a file that are read at once."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How one try ended: ``ok``, the kind of its trouble, or the code of the service's no; and what it cost."""

    kind: str
    requests: int = 0
    bytes: int = 0
    took_s: float = 0.0
    wait_s: float = 0.0
    """The pause before the next try."""
    again: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """A long pause before a host is asked again, and why.

    >>> str(Wait("commons.wikimedia.org", "HTTP 429", 3600))
    'commons.wikimedia.org says HTTP 429: waiting 3,600 s'
    """

    host: str
    reason: str
    pause_s: float

    def __str__(self) -> str:
        return f"{self.host} says {self.reason}: waiting {self.pause_s:,.0f} s"


class Recorder(Protocol):
    """Who is told of every request. ``route`` is what the asker says it is doing: api, history, image …"""

    def sent(self, route: str, host: str) -> None:
        """Take note of a request that is about to leave."""

    def ended(self, route: str, host: str, outcome: Ended) -> None:
        """Take note of how a try ended."""


class _Unrecorded:
    """Takes no note."""

    def sent(self, route: str, host: str) -> None:
        pass

    def ended(self, route: str, host: str, outcome: Ended) -> None:
        pass


class _Try(threading.local):
    """What the running try of this thread has cost so far, and whom it asks."""

    def __init__(self) -> None:
        self.host = ""
        self.begun = 0.0
        self.cost: Counter[str] = Counter()


@dataclass(slots=True)
class _Patience:
    """How often one request has failed, and how long limits have been waited for."""

    broken: int = 0
    limits: int = 0
    waited_s: float = 0.0


class Client:
    """Asks other people's services, politely. Thread-safe; one at a time to each host, two where it is files.

    Connections go to public addresses and to the services that the settings name, unless the settings allow private
    ones. ``recorder`` is told of every request, ``told`` of every long wait; ``sleep``, ``session`` and
    ``resolver`` are handed in by tests; ``counts`` tells afterwards what was asked and what it cost: requests, bytes,
    retries and milliseconds waited. ``with Client(settings) as client:`` closes its connections.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        recorder: Recorder | None = None,
        told: Callable[[Wait], None] = lambda wait: None,
        session: requests.Session | None = None,
        sleep: Callable[[float], None] = time.sleep,
        resolver: Resolver = system_resolver,
    ) -> None:
        self._settings = settings
        self._session = session or requests.Session()
        self._session.max_redirects = REDIRECTS
        services = [str(getattr(settings, name)) for name in SERVICES]
        gate = Gate(services, allow_private=settings.allow_private, resolver=resolver)
        guard = GuardedAdapter(gate, headers_within_s=settings.longest_answer_s)
        self._session.mount("http://", guard)
        self._session.mount("https://", guard)
        self._session.headers.update({"User-Agent": settings.user_agent, "Accept-Encoding": "gzip"})
        if settings.wcqs_cookie:
            self._session.cookies.set_cookie(_login_cookie(settings))
        self._direct = Direct(self._session, gate, settings.timeout_s)
        self._recorder: Recorder = recorder or _Unrecorded()
        self._told = told
        self._sleep = sleep
        self._route = ""
        self._turns: dict[tuple[str, int], threading.Semaphore] = {}
        self._paces: dict[str, Pace] = {}
        self._robots = robots.Robots(self._robots_txt)
        self._counting = threading.Lock()
        self._try = _Try()
        self.counts: Counter[str] = Counter()

    def doing(self, route: str) -> Self:
        """Return this client with another word for what it is asked to do; turns, counts and connections are shared."""
        other = copy.copy(self)
        other._route = route
        return other

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._session.close()
        self._direct.close()

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

        Raises ``ServiceError`` for an answer that means no (``code`` is the HTTP status or the MediaWiki error code),
        ``UnreachableError`` when every try failed and ``LimitError`` when a limit lasts longer than our patience.
        """
        return self.tries(url, lambda: self._json(self._answer("GET", url, params)))

    def post_json(self, url: str, data: Params) -> Any:
        """Like ``get_json`` with the parameters in a form body, for lists too long for a URL."""
        return self.tries(url, lambda: self._json(self._answer("POST", url, data)))

    def post_form(self, url: str, data: Params) -> str:
        """Send a form and return the body as text. Raises like ``get_json``."""
        return self.tries(url, lambda: self._text(self._answer("POST", url, data)))

    def get_bytes(self, url: str, *, limit: int, lacking: Callable[[bytes], str] = lambda body: "") -> bytes:
        """Return the whole body of a file, at most ``limit`` bytes (``ServiceError`` with code ``too-large`` beyond).

        Raises like ``get_json``. A cut body is tried again, and so is an HTML page, which is never the file asked for,
        and a body of which ``lacking`` says what it lacks. At most two at a time to a host, as Wikimedia asks
        (https://wikitech.wikimedia.org/wiki/Robot_policy).
        """

        def once() -> bytes:
            body = self._file(self._answer("GET", url, None), limit)
            if lack := lacking(body):
                raise TryAgainError(lack, kind=CUT_OFF)
            return body

        return self.tries(url, once, places=FILES)

    def download(self, url: str, path: Path, *, limit: int) -> Download:
        """Write the body of a file to ``path`` while it comes, and return its size and SHA-1.

        Raises like ``get_bytes``; further ``ServiceError`` with code ``reserved`` where the answer's headers ask that
        the file is not learned from. Not faster than the settings allow, nor for ever when next to nothing comes.
        """
        return self.tries(url, lambda: self._downloaded(url, path, limit), places=FILES)

    def may_fetch(self, url: str) -> bool:
        """Say whether the robots.txt of its host lets us have ``url``; it is asked for once. Raises like ``get_json``.

        A host without one (or with a page for people in its place) allows everything, one that cannot say must be
        asked again: ``UnreachableError``.
        """
        return self._robots.allow(url)

    def get_page(self, url: str, *, lacking: Callable[[str], str] = lambda page: "") -> str:
        """Return an HTML page as text, where a service has no other interface. Raises like ``get_json``.

        ``lacking`` says what a page lacks that cannot be the one that was asked for, which is tried again then.
        """

        def once() -> str:
            page = self._text(self._answer("GET", url, None))
            if lack := lacking(page):
                raise TryAgainError(lack, kind="another page")
            return page

        return self.tries(url, once)

    def rest(self, url: str, pause_s: float) -> None:
        """Leave a service alone after a question that cost it much; one on this machine needs no rest."""
        if not is_loopback(url):
            self.count("waited_ms", round(pause_s * 1000))
            self._sleep(pause_s)

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

    def tries(self, url: str, once: Callable[[], T], *, places: int = 0) -> T:
        """Return what ``once`` returns, trying again as the settings allow when it raises ``TryAgainError``.

        For protocols that another library speaks: the contact address, turns, waits and counts are as for our own
        requests, if ``once`` tells ``count`` of its "requests" (before they leave) and "bytes". ``places`` is how many
        such requests may run at the same time to the host of ``url``; 0 leaves it to the settings. Raises what ``once``
        raises, ``UnreachableError`` and ``LimitError``.
        """
        self.require_contact(url)
        patience = _Patience()
        with self._turn(url, places or self._settings.requests_at_once):
            while True:
                try:
                    return self._once(url, once)
                except TryAgainError as trouble:
                    self._wait(url, trouble, patience)

    def count(self, what: str, number: int = 1) -> None:
        """Add to ``counts``, and to the cost of the try that this thread is at."""
        with self._counting:
            self.counts[what] += number
        self._try.cost[what] += number
        if what == "requests":
            for _ in range(number):
                self._recorder.sent(self._route, self._try.host)

    def _once(self, url: str, once: Callable[[], T]) -> T:
        """Make one try; tell the recorder how it ended unless it will be tried again."""
        self._try.host = urlsplit(url).netloc
        self._try.begun = time.monotonic()
        self._try.cost.clear()
        try:
            answer = once()
        except ServiceError as error:
            self._ended(f"HTTP {error.code}" if error.code.isdigit() else error.code)
            raise
        self._ended(OK)
        return answer

    def _ended(self, kind: str, *, wait_s: float = 0.0, again: bool = False) -> None:
        cost = self._try.cost
        outcome = Ended(
            kind=kind,
            requests=cost["requests"],
            bytes=cost["bytes"],
            took_s=time.monotonic() - self._try.begun,
            wait_s=wait_s,
            again=again,
        )
        self._recorder.ended(self._route, self._try.host, outcome)

    def _wait(self, url: str, trouble: TryAgainError, patience: _Patience) -> None:
        """Wait until the next try is due; raise what ends the tries."""
        limit = trouble.is_limit
        failed = patience.limits if limit else patience.broken
        # A service that says "now", or names a moment that is past, is not asked without a pause again and again.
        pause = trouble.wait_s or min(self._settings.longest_wait_s, 2.0 ** min(failed, 30)) * random.uniform(0.5, 1.0)
        if limit:
            patience.limits += 1
            over = patience.waited_s + pause > self._settings.patience_s
        else:
            patience.broken += 1
            over = patience.broken >= self._settings.tries
        self.count("retries", 0 if over else 1)
        self._ended(trouble.kind, wait_s=0.0 if over else pause, again=not over)
        if over and limit:
            raise _out_of_patience(url, trouble, patience.waited_s, pause)
        if over:
            raise UnreachableError(f"{url}: {trouble}, {patience.broken} tries", code="unreachable", url=url)
        patience.waited_s += pause if limit else 0.0
        self.count("waited_ms", round(pause * 1000))
        if pause >= TOLD_FROM_S:
            self._told(Wait(urlsplit(url).netloc, str(trouble), pause))
        self._sleep(pause)

    def _turn(self, url: str, places: int) -> threading.Semaphore:
        where = urlsplit(url).netloc, places
        with self._counting:
            turn = self._turns.get(where)
            if turn is None:
                turn = self._turns[where] = threading.Semaphore(places)
            return turn

    def _answer(self, method: str, url: str, params: Params | None) -> requests.Response:
        """Return an answer whose body is still to come, or say with which error of ours it failed."""
        self.count("requests")
        where = {"data": params} if method == "POST" else {"params": params}
        try:
            response = self._session.request(method, url, timeout=self._settings.timeout_s, stream=True, **where)  # type: ignore[arg-type]
        except BROKEN as error:
            raise TryAgainError(f"no answer ({type(error).__name__})") from error
        except requests.RequestException as error:  # an address that is none, redirects without end
            raise ServiceError(f"{url}: {error}", code="bad-request", url=url) from error
        return self._good(url, response)

    def _downloaded(self, url: str, path: Path, limit: int) -> Download:
        """Let a file arrive, with less ado than ``_answer`` where that will do."""
        terms = Terms(limit, self._settings.timeout_s, self._settings.longest_answer_s, self._pace(url))
        way = self._direct.way(url)
        if way is not None:
            self.count("requests")
            with Arriving(url, path, terms) as file:
                try:
                    came = self._direct.get(url, way, file)
                finally:
                    self.count("bytes", file.line_bytes)
                if came:
                    return file.whole()
        response = self._answer("GET", url, None)
        with closing(response), Arriving(response.url, path, terms) as file:
            file.head(response.status_code, response.headers)
            for piece in self._pieces(response, sys.maxsize):
                file.piece(piece)
            return file.whole()

    def _good(self, url: str, response: requests.Response) -> requests.Response:
        """Return an answer that is none of trouble."""
        if response.status_code in RETRIED_STATUS:
            response.close()
            raise TryAgainError(f"HTTP {response.status_code}", retry_after(response.headers))
        if response.status_code >= 400:
            with closing(response):
                text = next(self._pieces(response, sys.maxsize), b"")[:200].decode("utf-8", "replace").strip()
            raise ServiceError(f"{url}: HTTP {response.status_code} {text}", code=str(response.status_code), url=url)
        return response

    def _json(self, response: requests.Response) -> Any:
        body = self._body(response)
        if response.status_code == 204:
            return None
        try:
            payload = json.loads(body)
        except ValueError as error:
            kind = response.headers.get("Content-Type", "no type")
            raise TryAgainError(f"{kind} that is not JSON", retry_after(response.headers), kind="not JSON") from error
        raise_api_error(payload, response)
        return payload

    def _text(self, response: requests.Response) -> str:
        return self._body(response).decode(response.encoding or "utf-8", "replace")

    def _file(self, response: requests.Response, limit: int) -> bytes:
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.close()
            raise TryAgainError("an HTML page instead of a file", retry_after(response.headers), kind="HTML page")
        return self._body(response, limit)

    def _body(self, response: requests.Response, limit: int = sys.maxsize) -> bytes:
        """Return the whole body, at most ``limit`` bytes, not later than the settings allow."""
        body = bytearray()
        with closing(response):
            for piece in self._pieces(response, limit):
                body += piece
                if time.monotonic() - self._try.begun > self._settings.longest_answer_s:
                    raise TryAgainError(
                        f"only {len(body)} bytes in {self._settings.longest_answer_s:g} s", kind=TOO_SLOW
                    )
        return bytes(body)

    def _pieces(self, response: requests.Response, limit: int) -> Iterator[bytes]:
        """Yield the body as it comes. Raises ``TryAgainError`` if it breaks off, ``ServiceError`` beyond ``limit``."""
        size = 0
        try:
            # read1 gives what is there; read would wait for a whole piece, however slowly it drips in.
            while piece := response.raw.read1(PIECE, decode_content=True):
                size += len(piece)
                if size > limit:
                    raise ServiceError(f"{response.url}: more than {limit} bytes", code="too-large", url=response.url)
                yield piece
        except (HTTPError, OSError) as error:
            raise TryAgainError(f"cut off after {size} bytes ({type(error).__name__})", kind=CUT_OFF) from error
        finally:
            self.count("bytes", response.raw.tell())  # as they came, compressed

    def _pace(self, url: str) -> Pace | None:
        if not self._settings.files_mbit_s:
            return None
        with self._counting:
            pace = Pace(self._settings.files_mbit_s, sleep=self._sleep)
            return self._paces.setdefault(urlsplit(url).netloc, pace)

    def _robots_txt(self, url: str) -> str:
        try:
            asker = self.doing("robots")
            return asker.tries(url, lambda: asker._rules(asker._answer("GET", url, None)))
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
            for piece in self._pieces(response, sys.maxsize):
                text += piece
                if len(text) >= robots.MOST_BYTES:
                    break
        return text[: robots.MOST_BYTES].decode(errors="replace")


def _out_of_patience(url: str, trouble: TryAgainError, waited_s: float, pause_s: float) -> LimitError:
    text = f"{url}: {trouble}; waited {waited_s:,.0f} s, asked to wait {pause_s:,.0f} s more; left to do"
    return LimitError(text, code=trouble.kind, url=url)


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
    if code in LIMIT_CODES or code.startswith(BROKEN_CODES):
        raise TryAgainError(f"MediaWiki says {code}", retry_after(response.headers), kind=code)
    raise ServiceError(f"{response.url}: {code}: {error.get('info', '')}", code=code, url=response.url)


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
