"""SPARQL 1.1: queries kept as files, asked of any endpoint. In: a query's name and ids. Out: rows of plain text.

A query file in ``queries/`` can be pasted into any query editor as it stands: it says in its header what it asks and of
whom, and its ``VALUES`` hold a real sample. ``Query.bound`` puts other ids in their place, and nothing but ids that
match their pattern. SPARQLWrapper speaks the protocol (https://www.w3.org/TR/sparql11-protocol/); patience, politeness
and the User-Agent are ``linkeddata.client``'s.
"""

import gzip
import http.client
import json
import re
import urllib.error
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from SPARQLWrapper import JSON, POST, SPARQLWrapper
from SPARQLWrapper.SPARQLExceptions import (
    EndPointInternalError,
    EndPointNotFound,
    QueryBadFormed,
    Unauthorized,
    URITooLong,
)

from linkeddata.client import RETRIED_STATUS, Client, TryAgainError, retry_after
from linkeddata.errors import ServiceError, UsageError
from linkeddata.ids import COMMONS_ENTITY, WIKIDATA_ENTITY, checked_item, checked_media
from linkeddata.settings import Settings

LONGEST_GET = 1500
"""A longer query goes in the body; some servers refuse long addresses."""

_HEADER = re.compile(r"^#\+ (\w+):[ \t]*(.*)$", re.MULTILINE)
_REFUSALS = {QueryBadFormed: 400, Unauthorized: 401, EndPointNotFound: 404, URITooLong: 414, EndPointInternalError: 500}
_SERVICES = {Settings().sparql_wikidata: "sparql_wikidata", Settings().sparql_commons: "sparql_commons"}

Row = dict[str, str]


def _key(value: str) -> str:
    if not re.fullmatch(r"[1-9]\d*", value):
        raise ValueError(f"not a numeric key: {value!r}")
    return f'"{value}"'


KINDS: dict[str, Callable[[str, Settings], str]] = {
    "item": lambda value, _: f"<{WIKIDATA_ENTITY}{checked_item(value)}>",
    "file": lambda value, settings: f"<{settings.commons_entity}{checked_media(value)}>",
    "key": lambda value, _: _key(value),
}
"""Kinds of parameters: each checks one id and writes it as a SPARQL term."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query of ``queries/``: what it asks, of whom, and the kinds of its parameters by name."""

    name: str
    text: str
    summary: str
    endpoint: str
    """``commons`` or ``wikidata``."""
    params: tuple[tuple[str, str], ...] = ()

    def bound(self, values: Mapping[str, Sequence[str]], settings: Settings) -> str:
        """Return the query's text with the samples replaced by checked ids, and services by those of the settings.

        ``values``: parameter → ids. Raises ``UsageError`` for a parameter that is missing, unknown or empty, or an id
        that is none.
        """
        kinds = dict(self.params)
        if set(values) != set(kinds):
            wanted = ", ".join(kinds) or "none"
            raise UsageError(f"query {self.name}: parameters are {wanted}; given {', '.join(values) or 'none'}")
        text = self.text
        for name, ids in values.items():
            text = _with_values(text, name, self._terms(name, kinds[name], ids, settings))
        for service, field in _SERVICES.items():
            text = text.replace(f"SERVICE <{service}>", f"SERVICE <{getattr(settings, field)}>")
        if settings.commons_entity != COMMONS_ENTITY:
            text = text.replace(f"<{COMMONS_ENTITY}>", f"<{settings.commons_entity}>")
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
    if set(header) != {"summary", "endpoint", "params"} or header["endpoint"] not in ("commons", "wikidata"):
        raise ValueError(f"{name}.rq: header needs summary, endpoint (commons or wikidata) and params")
    params = []
    for word in header["params"].split():
        param, _, kind = word.partition("=")
        kind = kind or param
        if kind not in KINDS or len(_values(param).findall(text)) != 1:
            raise ValueError(f"{name}.rq: parameter {word!r} has no kind or not one VALUES ?{param} {{ … }}")
        params.append((param, kind))
    return Query(name, text, header["summary"], header["endpoint"], tuple(params))


def _values(name: str) -> re.Pattern[str]:
    return re.compile(rf"(VALUES\s+\?{re.escape(name)}\s*\{{)[^}}]*(\}})")


def _with_values(text: str, name: str, terms: Sequence[str]) -> str:
    return _values(name).sub(lambda found: f"{found[1]} {' '.join(terms)} {found[2]}", text)


def select(client: Client, endpoint: str, query_text: str) -> Iterator[Row]:
    """Yield the rows of a SELECT query: variable → value, unbound variables left out, blank nodes as ``_:label``.

    Rows are counted in ``client.counts["rows"]``. An answer that is cut off, or ends in a stack trace with status 200
    as Blazegraph's do when its time is up, is no answer: it is asked for again.
    Raises ``ServiceError`` (``UnreachableError`` when every try failed) and ``ContactRequiredError``.
    """
    if urlsplit(endpoint).scheme not in ("http", "https"):
        raise UsageError(f"{endpoint!r} is not the address of a SPARQL endpoint")
    rows = client.tries(endpoint, lambda: _ask(client, endpoint, query_text))
    client.count("rows", len(rows))
    yield from rows


def _ask(client: Client, endpoint: str, query_text: str) -> list[Row]:
    client.count("requests")
    headers, payload = _exchange(_wrapper(client, endpoint, query_text), endpoint)
    client.count("bytes", len(payload))
    if headers.get("Content-Encoding", "") == "gzip":
        try:
            payload = gzip.decompress(payload)
        except (OSError, EOFError, zlib.error) as error:
            raise TryAgainError("the answer is cut off") from error
    try:
        return parse_results(payload)
    except ValueError as error:
        raise TryAgainError(str(error), retry_after(dict(headers.items()))) from error


def _wrapper(client: Client, endpoint: str, query_text: str) -> Any:
    wrapper = SPARQLWrapper(endpoint, agent=client.user_agent)
    wrapper.setQuery(query_text)
    wrapper.setReturnFormat(JSON)
    wrapper.setOnlyConneg(True)  # the Accept header says it; endpoints differ in what they make of format=json
    wrapper.setTimeout(int(client.timeout_s) or 1)
    wrapper.addCustomHttpHeader("Accept-Encoding", "gzip")
    if len(query_text) > LONGEST_GET:
        wrapper.setMethod(POST)
    return wrapper


def _exchange(wrapper: Any, endpoint: str) -> tuple[Message, bytes]:
    """Ask once; return headers and body, or say with which error of ours it failed."""
    try:
        response = wrapper.query().response
        with response:
            return response.headers, response.read()
    except tuple(_REFUSALS) as error:
        raise _refusal(_REFUSALS[type(error)], str(error), endpoint, None) from error
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(error.code, error.reason, endpoint, retry_after(dict(error.headers.items()))) from error
    except (OSError, http.client.HTTPException) as error:  # URLError, timeouts, connections cut before or in the answer
        raise TryAgainError(f"no whole answer ({type(error).__name__})") from error


def _refusal(status: int, text: str, endpoint: str, wait_s: float | None) -> Exception:
    if status in RETRIED_STATUS:
        return TryAgainError(f"HTTP {status}", wait_s)
    return ServiceError(f"{endpoint}: HTTP {status} {' '.join(text.split())[:300]}", code=str(status), url=endpoint)


def parse_results(payload: bytes) -> list[Row]:
    """Return the rows of a SPARQL 1.1 Query Results JSON document. Raises ``ValueError`` for one that is not whole.

    >>> parse_results(b'{"head":{"vars":["x"]},"results":{"bindings":[{"x":{"type":"bnode","value":"b0"}}]}}')
    [{'x': '_:b0'}]
    """
    try:
        document = json.loads(payload)
        bindings = document["results"]["bindings"]
        return [{name: _plain(term) for name, term in binding.items()} for binding in bindings]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(_what_is_wrong(payload)) from error


def _plain(term: Mapping[str, str]) -> str:
    return f"_:{term['value']}" if term["type"] == "bnode" else term["value"]


def _what_is_wrong(payload: bytes) -> str:
    end = payload[-4000:]
    if b"Exception" in end:
        return "the answer ends in a stack trace, the service's time was up"
    start = payload[:200].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html")):
        return "an HTML page instead of results"
    return "the answer is cut off" if start.startswith(b"{") else "the answer is not SPARQL results JSON"
