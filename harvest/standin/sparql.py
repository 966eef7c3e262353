"""A SPARQL 1.1 endpoint (https://www.w3.org/TR/sparql11-protocol/). In: a World, queries by GET or POST. Out: results.

The engine is Oxigraph. ``SERVICE`` with the address of a Wikidata endpoint is answered from this World's Wikidata, as
QLever's and Wikimedia's Commons endpoints do by federation; no other service is ever called. ``/sparql/commons`` and
``/sparql/wikidata`` answer as QLever does, ``/sparql/wcqs`` and ``/sparql/wdqs`` as Wikimedia's services: the first
wants the cookie of somebody who logged in and gives a session of its own for it in a redirect.
"""

import re
import threading
from http.cookies import SimpleCookie

from pyoxigraph import DefaultGraph, QueryBoolean, QueryResultsFormat, QuerySolutions, QueryTriples, RdfFormat, Store

from harvest.standin.exchange import JSON_TYPE, Reply, Request, json_reply
from harvest.standin.faults import BROKEN_OFF, STACK_TRACE, faulty
from harvest.standin.mediawiki import Wiki
from harvest.standin.rdf import WIKIDATA_GRAPH, quads

_WIKIDATA_SERVICES = (
    r"https?://(?:query\.wikidata\.org/sparql|qlever\.dev/api/wikidata|qlever\.cs\.uni-freiburg\.de/api/wikidata"
    r"|(?:127\.0\.0\.1|localhost)(?::\d+)?/sparql/wikidata)"
)
_SERVICE = re.compile(r"\bSERVICE\s+(?:SILENT\s+)?(<[^>]*>|[\w-]*:[\w-]*|\?\w+)", re.IGNORECASE)
_FORMATS = {
    "application/sparql-results+json": QueryResultsFormat.JSON,
    "application/json": QueryResultsFormat.JSON,
    "application/sparql-results+xml": QueryResultsFormat.XML,
    "application/xml": QueryResultsFormat.XML,
    "text/csv": QueryResultsFormat.CSV,
    "text/tab-separated-values": QueryResultsFormat.TSV,
}
_SHORT = {"json": "application/sparql-results+json", "xml": "application/sparql-results+xml", "csv": "text/csv"}


LOGIN = "0123456789abcdef.0011223344556677"
"""The cookie wcqsOauth of the one person who ever logged in at ``/sparql/wcqs``."""
_SESSION = "a-session-that-ends"


_WIKIDATA = ("/sparql/wikidata", "/sparql/wdqs")
_BLAZEGRAPH = ("/sparql/wcqs", "/sparql/wdqs")


class Endpoint:
    """The graphs of one World; they are built when the first query comes.

    ``most_rows``: path → how many rows that endpoint can send before its time is up. ``sessions`` counts how often
    somebody got a new session.
    """

    def __init__(self, wiki: Wiki) -> None:
        self._wiki = wiki
        self._store: Store | None = None
        self._lock = threading.Lock()
        self.most_rows: dict[str, int] = {}
        self.sessions = 0

    @property
    def wiki(self) -> Wiki:
        """The wiki that is indexed."""
        return self._wiki

    @wiki.setter
    def wiki(self, wiki: Wiki) -> None:
        with self._lock:
            self._wiki, self._store = wiki, None

    @property
    def store(self) -> Store:
        """The Oxigraph store."""
        with self._lock:
            if self._store is None:
                store = Store()
                store.bulk_extend(quads(self._wiki))
                self._store = store
            return self._store

    def end_sessions(self) -> None:
        """Let nobody in any more without a new session."""
        self.sessions += 1

    def answer(self, request: Request) -> Reply:
        """Return the results of the query in ``request`` under ``/sparql``."""
        if request.path.startswith("/sparql/wcqs"):
            led = self._led_to_login(request)
            if led is not None:
                return led
        text = _query_text(request)
        if not text:
            return _bad("no query")
        graph = WIKIDATA_GRAPH if request.path.startswith(_WIKIDATA) else DefaultGraph()
        try:
            results = self.store.query(_local(text), default_graph=graph)
            most = self.most_rows.get(request.path, 0)
            if most and isinstance(results, QuerySolutions):
                rows = sum(1 for _ in results)
                reply = _serialized(self.store.query(_local(text), default_graph=graph), request)
                return reply if rows <= most else _broken_off(reply, request.path, most / rows)
        except (SyntaxError, ValueError) as error:
            return _bad(str(error))
        return _serialized(results, request)

    def _led_to_login(self, request: Request) -> Reply | None:
        """Return the redirect that somebody without a session gets; ``None`` for who has one.

        ``OAuthProxyService`` in https://github.com/wikimedia/wikidata-query-rdf: who has logged in is led back to where
        he or she came from, with a session, everybody else to MediaWiki.
        """
        cookies = SimpleCookie(request.headers.get("cookie", ""))
        given = {name: morsel.value for name, morsel in cookies.items()}
        if given.get("wcqsSession") == f"{_SESSION}-{self.sessions}":
            return None
        if given.get("wcqsOauth") != LOGIN:
            return Reply(status=307, headers={"Location": "/wiki/Special:OAuth/authenticate"})
        cookie = f"wcqsSession={_SESSION}-{self.sessions}; Path=/; HttpOnly"
        return Reply(status=307, headers={"Location": request.path, "Set-Cookie": cookie, "Cache-Control": "no-cache"})


def _broken_off(reply: Reply, path: str, share: float) -> Reply:
    """Return the first rows of an answer and the way in which the engine behind ``path`` says that it cannot go on."""
    start = Reply(reply.body[: int(len(reply.body) * share) + 1], 200, reply.headers)
    doubled = Reply(start.body * 2, 200, reply.headers)  # faults cut bodies in the middle
    return faulty(STACK_TRACE if path in _BLAZEGRAPH else BROKEN_OFF, doubled)


def _query_text(request: Request) -> str:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and kind == "application/sparql-query":
        return request.body.decode()
    return request.params.get("query", "")


def _local(text: str) -> str:
    """Return ``text`` with calls to Wikidata turned to this World's graph of it; ``ValueError`` for other services."""

    def replaced(found: re.Match[str]) -> str:
        if not re.fullmatch(f"<{_WIKIDATA_SERVICES}/?>", found[1]):
            raise ValueError(f"SERVICE {found[1]}: no other endpoint is called from here")
        return f"GRAPH <{WIKIDATA_GRAPH.value}>"

    return _SERVICE.sub(replaced, text)


def _serialized(results: QuerySolutions | QueryBoolean | QueryTriples, request: Request) -> Reply:
    accepted = [a.partition(";")[0].strip().lower() for a in request.headers.get("accept", "").split(",")]
    short = request.params.get("format", request.params.get("output", ""))
    if isinstance(results, QueryTriples):
        body = results.serialize(format=RdfFormat.N_TRIPLES)
        return Reply(body or b"", 200, {"Content-Type": "application/n-triples"})
    kind = next((a for a in [_SHORT.get(short, short), *accepted] if a in _FORMATS), "application/sparql-results+json")
    body = results.serialize(format=_FORMATS[kind])
    return Reply(body or b"", 200, {"Content-Type": kind})


def _bad(why: str) -> Reply:
    return json_reply({"exception": why, "status": "ERROR"}, 400, {"Content-Type": JSON_TYPE})
