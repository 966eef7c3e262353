"""SPARQL 1.1: queries kept as files, asked of any endpoint. In: a query's name and ids. Out: rows of plain text.

A query file in ``queries/`` can be pasted into any query editor as it stands: it says in its header what it asks and of
whom, and its ``VALUES`` hold a real sample. ``Query.bound`` puts other ids in their place, and nothing but ids that
match their pattern. The protocol (https://www.w3.org/TR/sparql11-protocol/) is one parameter and one Accept header;
patience, politeness, the log-in cookie and the User-Agent are ``linkeddata.client``'s, what comes back is read by
``linkeddata.sparqlresults``, and ``linkeddata.sparqlpieces`` asks in pieces for what is too much at once.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

from linkeddata.client import BROKEN, PIECE, Client
from linkeddata.errors import ServiceError, TooMuchError, UnreachableError, UsageError
from linkeddata.ids import COMMONS_ENTITY, WIKIDATA_ENTITY, checked_item, checked_media
from linkeddata.iris import iri_of
from linkeddata.keyranges import EVERYTHING, KeyRange
from linkeddata.settings import Settings
from linkeddata.sparqlresults import CUT_OFF, TIME_IS_UP, NotWholeError, Row, Rows, read_rows
from linkeddata.trying import RETRIED_STATUS, TryAgainError, retry_after

RESULTS_JSON = "application/sparql-results+json"
REDIRECTS = 3

_HEADER = re.compile(r"^#\+ (\w+):[ \t]*(.*)$", re.MULTILINE)
_NEEDED = {"summary", "endpoint", "params"}
_OPTIONAL = {"key", "then", "optional"}
PUBLISHED = "published"
_ENDPOINTS = ("commons", "wikidata", "any", PUBLISHED)
_FORM = re.compile(r"^\s*(SELECT|CONSTRUCT)\b", re.MULTILINE)
_VOCABULARY = "<http://127.0.0.1:8000/vocab#>"  # as it stands in the files
_WORD = re.compile(r"[a-z][a-z -]{0,40}")
_NAME = re.compile(r'[^\x00-\x1f\x7f"\\\ud800-\udfff]{1,200}')
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(T\d\d:\d\d:\d\dZ)?", re.ASCII)


def _key(value: str) -> str:
    if not re.fullmatch(r"[1-9]\d*", value):
        raise ValueError(f"not a numeric key: {value!r}")
    return f'"{value}"'


def _text(value: str, pattern: re.Pattern[str], what: str) -> str:
    if not pattern.fullmatch(value):
        raise ValueError(f"not a {what}: {value!r}")
    return f'"{value}"'


def _moment(value: str) -> str:
    found = _MOMENT.fullmatch(value)
    if not found:
        raise ValueError(f"not a day (2026-11-02) or a moment in UTC (2026-11-02T10:00:00Z): {value!r}")
    try:
        datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"no such day or moment: {value!r}") from error
    return f'"{found[1]}{found[2] or "T00:00:00Z"}"^^<http://www.w3.org/2001/XMLSchema#dateTime>'


def _address(value: str) -> str:
    if not value or iri_of(value) != value:
        raise ValueError(f"not an absolute IRI: {value!r}")
    return f"<{value}>"


KINDS: dict[str, Callable[[str, Settings], str]] = {
    "item": lambda value, _: f"<{WIKIDATA_ENTITY}{checked_item(value)}>",
    "file": lambda value, settings: f"<{settings.commons_entity}{checked_media(value)}>",
    "key": lambda value, _: _key(value),
    "name": lambda value, _: _text(value, _NAME, "name"),
    "word": lambda value, _: _text(value, _WORD, "word in small letters"),
    "moment": lambda value, _: _moment(value),
    "address": lambda value, _: _address(value),
}
"""Kinds of parameters: each checks one id, or word, and writes it as a SPARQL term."""

PREFIXES: dict[str, Callable[[Settings], str]] = {
    "item": lambda _: f"{WIKIDATA_ENTITY}Q",
    "file": lambda settings: f"{settings.commons_entity}M",
}
"""Kinds of keys: what stands before the number in the IRIs of this kind."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query of ``queries/``: what it asks, of whom, and the kinds of its parameters by name."""

    name: str
    text: str
    summary: str
    endpoint: str
    """``commons``, ``wikidata``, ``any`` where it can be put to both, or ``published``: what we publish ourselves."""
    params: tuple[tuple[str, str], ...] = ()
    key: tuple[str, str] | None = None
    """The variable, with its kind, by whose ranges a large answer is asked for in pieces."""
    then: str = ""
    """The query that says elsewhere what this one leaves open: its parameter is a variable of both."""
    optional: frozenset[str] = frozenset()
    """Parameters that may be left out; the file's own values, ``UNDEF`` for any, are asked for then."""

    @property
    def form(self) -> str:
        """``SELECT`` or ``CONSTRUCT``."""
        found = _FORM.search(self.text)
        return found[1] if found else "SELECT"

    def here(self, settings: Settings) -> str:
        """Return the query's text with the IRIs of this installation: of its vocabulary, of the wiki for files."""
        text = self.text.replace(_VOCABULARY, f"<{settings.base_url.rstrip('/')}/vocab#>")
        return text.replace(f"<{COMMONS_ENTITY}>", f"<{settings.commons_entity}>")

    def bound(self, values: Mapping[str, Sequence[str]], settings: Settings, keys: KeyRange = EVERYTHING) -> str:
        """Return the query's text with the samples replaced by checked ids, for keys within a range.

        ``values``: parameter → ids. Raises ``UsageError`` for a parameter that is missing, unknown or empty, or an id
        that is none.
        """
        kinds = dict(self.params)
        if set(kinds) - set(values) - self.optional or set(values) - set(kinds):
            wanted = ", ".join(kinds) or "none"
            raise UsageError(f"query {self.name}: parameters are {wanted}; given {', '.join(values) or 'none'}")
        text = self.here(settings)
        for name, ids in values.items():
            text = _with_values(text, name, self._terms(name, kinds[name], ids, settings))
        if self.key:
            variable, kind = self.key
            text = text.replace(f'FILTER(STR(?{variable}) >= "")', keys.filter(variable, PREFIXES[kind](settings)))
        return text

    def _terms(self, name: str, kind: str, ids: Sequence[str], settings: Settings) -> list[str]:
        if not ids:
            raise UsageError(f"query {self.name}: parameter {name} is empty")
        try:
            return [KINDS[kind](value, settings) for value in ids]
        except ValueError as error:
            raise UsageError(f"query {self.name}: parameter {name}: {error}") from error


def query_names() -> list[str]:
    """Return the names of all queries that come with De Boodt."""
    return sorted(f.name.removesuffix(".rq") for f in files("queries").iterdir() if f.name.endswith(".rq"))


def load_query(name: str) -> Query:
    """Return a query by its name. Raises ``UsageError`` naming those there are.

    >>> load_query("taxa-of-items").params
    (('item', 'item'),)
    """
    if name not in query_names():
        raise UsageError(f"no query {name!r}; there are {', '.join(query_names())}")
    return parse_query(name, files("queries").joinpath(f"{name}.rq").read_text(encoding="utf-8"))


def parse_query(name: str, text: str) -> Query:
    """Return the query in ``text``. Raises ``ValueError`` where the header is not as it must be.

    >>> text = "#+ summary: Names\\n#+ endpoint: wikidata\\n#+ params: item\\nSELECT * { VALUES ?item { wd:Q140 } }"
    >>> parse_query("names", text).bound({"item": ["Q5113"]}, Settings()).splitlines()[-1]
    'SELECT * { VALUES ?item { <http://www.wikidata.org/entity/Q5113> } }'
    """
    header = dict(_HEADER.findall(text))
    if set(header) - _OPTIONAL != _NEEDED or header["endpoint"] not in _ENDPOINTS:
        raise ValueError(f"{name}.rq: header needs summary, endpoint ({', '.join(_ENDPOINTS)}) and params")
    params = []
    for word in header["params"].split():
        param, _, kind = word.partition("=")
        kind = kind or param
        if kind not in KINDS or len(_values(param).findall(text)) != 1:
            raise ValueError(f"{name}.rq: parameter {word!r} has no kind or not one VALUES ?{param} {{ … }}")
        params.append((param, kind))
    key = _key_of(name, text, header.get("key", ""))
    optional = frozenset(header.get("optional", "").split())
    if optional - dict(params).keys():
        raise ValueError(f"{name}.rq: optional {', '.join(sorted(optional))} are not all parameters")
    then = header.get("then", "")
    return Query(name, text, header["summary"], header["endpoint"], tuple(params), key, then, optional)


def _key_of(name: str, text: str, word: str) -> tuple[str, str] | None:
    if not word:
        return None
    variable, _, kind = word.partition("=")
    kind = kind or variable
    if kind not in PREFIXES or text.count(f'FILTER(STR(?{variable}) >= "")') != 1:
        raise ValueError(
            f'{name}.rq: key {word!r} is no file or item, or there is not one FILTER(STR(?{variable}) >= "")'
        )
    return variable, kind


def _values(name: str) -> re.Pattern[str]:
    return re.compile(rf"(VALUES\s+\?{re.escape(name)}\s*\{{)[^}}]*(\}})")


def _with_values(text: str, name: str, terms: Sequence[str]) -> str:
    return _values(name).sub(lambda found: f"{found[1]} {' '.join(terms)} {found[2]}", text, count=1)


def select(client: Client, endpoint: str, query_text: str, *, patient: bool = True) -> Iterator[Row]:
    """Yield the rows of a SELECT query: variable → value, unbound variables left out, blank nodes as ``_:label``.

    Rows are counted in ``client.counts["rows"]``, and come when the whole answer is here: one that is cut off, or ends
    in a stack trace with status 200 as Blazegraph's do when its time is up, is no answer. It is asked for again, unless
    the caller is not ``patient`` and would rather ask for less at once.
    Raises ``ServiceError``: ``TooMuchError`` when the service began to answer and could not finish,
    ``UnreachableError`` when every try failed; and ``ContactRequiredError``.
    """
    rows = ask(client, endpoint, query_text, patient=patient)
    client.count("rows", rows.count)
    yield from rows


def ask(client: Client, endpoint: str, query_text: str, *, patient: bool = True) -> Rows:
    """Return the whole answer to a SELECT query; ``select`` yields it. Raises as ``select`` does."""
    if urlsplit(endpoint).scheme not in ("http", "https"):
        raise UsageError(f"{endpoint!r} is not the address of a SPARQL endpoint")
    broken_off: list[str] = []

    def once() -> Rows:
        try:
            return _answer(client, endpoint, query_text)
        except NotWholeError as error:
            if error.too_much:
                broken_off.append(str(error))
            if error.too_much and not patient and len(broken_off) >= _chances(error):
                raise TooMuchError(f"{endpoint}: {error}", code="too-much", url=endpoint) from error
            raise TryAgainError(str(error), error.wait_s if isinstance(error, _RefusedError) else None) from error

    try:
        return client.tries(endpoint, once)
    except TooMuchError:
        raise
    except UnreachableError as error:
        if broken_off and broken_off[-1] in str(error):
            raise TooMuchError(str(error), code="too-much", url=endpoint) from error
        raise


def _chances(error: NotWholeError) -> int:
    """Return how often an answer may end so before less is asked for: a cut may be the network's, once."""
    return 2 if str(error) == CUT_OFF else 1


class _RefusedError(NotWholeError):
    """The service said before it answered that the question is too much; ``wait_s`` where it asked to wait."""

    def __init__(self, reason: str, wait_s: float | None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


def _answer(client: Client, endpoint: str, query_text: str) -> Rows:
    """Ask once. Raises ``NotWholeError``, ``TryAgainError`` and ``ServiceError``."""
    for _ in range(REDIRECTS):
        with closing(client.open(endpoint, {"query": query_text}, accept=RESULTS_JSON)) as response:
            if response.status_code in (307, 308) and _lets_in(response, endpoint):
                continue  # the Commons Query Service hands out its sessions in redirects
            _refuse(response, endpoint)
            try:
                return read_rows(_pieces(response, client.longest_answer_s))
            except NotWholeError as error:
                wait_s = retry_after(response.headers)
                if not error.too_much:
                    raise TryAgainError(str(error), wait_s) from error
                raise
            finally:
                client.count("bytes", response.raw.tell())
    raise ServiceError(f"{endpoint}: leads in a circle", code="login", url=endpoint)


def _pieces(response: requests.Response, longest_s: float) -> Iterator[bytes]:
    """Yield the body as it comes; a service that lets it drip is not waited for without end."""
    last = time.monotonic() + longest_s
    try:
        while piece := response.raw.read1(PIECE, decode_content=True):  # what is there, not waiting for a whole piece
            yield piece
            if time.monotonic() > last:
                raise NotWholeError(f"the answer took longer than {longest_s:.0f} s")
    except (HTTPError, OSError) as error:
        raise NotWholeError(CUT_OFF) from error


def _lets_in(response: requests.Response, endpoint: str) -> bool:
    """Say whether a redirect brings a session and leads to the endpoint's own host: then the question is put again."""
    there = urlsplit(urljoin(endpoint, response.headers.get("Location", "")))
    here = urlsplit(endpoint)
    return bool(response.cookies) and (there.scheme, there.netloc) == (here.scheme, here.netloc)


def _refuse(response: requests.Response, endpoint: str) -> None:
    """Raise what an answer that is none means."""
    status = response.status_code
    if status == 200:
        return
    if 300 <= status < 400 or status in (401, 403):
        raise ServiceError(
            f"{endpoint}: HTTP {status}, it wants a log-in; for the Commons Query Service set wcqs_cookie "
            "(docs/harvest.md tells where it is found)",
            code="login",
            url=endpoint,
        )
    said = _beginning(response)
    wait_s = retry_after(response.headers)
    if any(words in said for words in TIME_IS_UP):
        raise _RefusedError(f"HTTP {status}, the service's time or memory was up", wait_s)
    if status in RETRIED_STATUS:
        raise TryAgainError(f"HTTP {status}", wait_s)
    text = " ".join(said.decode(errors="replace").split())[:300]
    raise ServiceError(f"{endpoint}: HTTP {status} {text}", code=str(status), url=endpoint)


def _beginning(response: requests.Response) -> bytes:
    """Return the first bytes of an error's body, as far as they come."""
    try:
        return next(response.iter_content(4000), b"")
    except BROKEN:
        return b""


@dataclass(frozen=True, slots=True)
class IndexDate:
    """Up to which moment an endpoint knows its wiki, as it says itself; ``""`` where it does not say."""

    endpoint: str
    moment: str = ""


def index_date(client: Client, endpoint: str) -> IndexDate:
    """Ask an endpoint how fresh its data are. Raises as ``select`` does.

    Wikimedia's own services say when they last followed the wiki, QLever until when its updates are complete; else the
    oldest of the dumps counts that the index was built from (the rule of QLever's own ``update-wikidata``).
    """
    rows = list(select(client, endpoint, load_query("index-date").text))
    return IndexDate(endpoint, parse_index_date(rows))


def parse_index_date(rows: Sequence[Row]) -> str:
    """Return the moment that the rows of ``index-date`` tell of.

    >>> parse_index_date([{"dump": "2026-09-03T23:04:28Z"}, {"dump": "2026-09-04T01:00:00Z"}])
    '2026-09-03T23:04:28Z'
    >>> parse_index_date([{"dump": "2026-09-03T23:04:28Z"}, {"followed": "2026-11-20T08:00:00Z"}])
    '2026-11-20T08:00:00Z'
    """
    followed = [row["followed"] for row in rows if "followed" in row]
    return max(followed, default="") or min((row["dump"] for row in rows if "dump" in row), default="")
