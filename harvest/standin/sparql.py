"""A SPARQL 1.1 endpoint (https://www.w3.org/TR/sparql11-protocol/). In: a World, queries by GET or POST. Out: results.

The engine is Oxigraph. ``SERVICE`` with the address of a Wikidata endpoint is answered from this World's Wikidata, as
QLever's and Wikimedia's Commons endpoints do by federation; no other service is ever called.
"""

import re
import threading

from pyoxigraph import DefaultGraph, QueryBoolean, QueryResultsFormat, QuerySolutions, QueryTriples, RdfFormat, Store

from harvest.standin.exchange import JSON_TYPE, Reply, Request, json_reply
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


class Endpoint:
    """The graphs of one World; they are built when the first query comes."""

    def __init__(self, wiki: Wiki) -> None:
        self._wiki = wiki
        self._store: Store | None = None
        self._lock = threading.Lock()

    @property
    def store(self) -> Store:
        """The Oxigraph store."""
        with self._lock:
            if self._store is None:
                store = Store()
                store.bulk_extend(quads(self._wiki))
                self._store = store
            return self._store

    def answer(self, request: Request) -> Reply:
        """Return the results of the query in ``request`` under ``/sparql``."""
        text = _query_text(request)
        if not text:
            return _bad("no query")
        graph = WIKIDATA_GRAPH if request.path.startswith("/sparql/wikidata") else DefaultGraph()
        try:
            results = self.store.query(_local(text), default_graph=graph)
        except (SyntaxError, ValueError) as error:
            return _bad(str(error))
        return _serialized(results, request)


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
