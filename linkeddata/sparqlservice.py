"""``/sparql``: SPARQL 1.1 Protocol, queries only. In: something that answers queries. Out: the routes.

https://www.w3.org/TR/sparql11-protocol/#query-operation, in its three ways: GET, POST of a form, POST of the query.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from linkeddata import serialising
from linkeddata.negotiation import HTML, JSON, JSON_LD, N_TRIPLES, RDF_XML, TURTLE, preferred
from linkeddata.problem import MEDIA_TYPE as PROBLEM_JSON
from linkeddata.problem import Problem
from linkeddata.sparqlguard import ONE_GRAPH, refusal
from linkeddata.sparqlpool import Answer, Limits

QUERY = "application/sparql-query"
FORM = "application/x-www-form-urlencoded"
RESULTS_JSON = "application/sparql-results+json"
RESULTS_XML = "application/sparql-results+xml"
SOLUTIONS = (RESULTS_JSON, JSON, RESULTS_XML, "application/xml", "text/csv", "text/tab-separated-values")
GRAPHS = (TURTLE, N_TRIPLES, RDF_XML, JSON_LD, "text/plain")
SAME = {JSON: RESULTS_JSON, "application/xml": RESULTS_XML, "text/plain": N_TRIPLES}
"""Types that are asked for where another is meant."""
LONGEST_QUERY = 200_000
LIMITS, ROWS = "SPARQL-Limits", "SPARQL-Rows"
"""Headers of ours: what a query may take, and how many rows (or triples) an answer has."""

Ask = Callable[[str, Mapping[str, Any]], Answer]
"""Answers a query in the media types ``solutions`` or ``graphs``."""

_STATUS = {
    "malformed": (400, "The query cannot be understood"),
    "too many": (422, "The answer is too large"),
    "too long": (503, "The query took too long"),
    "busy": (503, "Busy"),
    "empty": (503, "Not ready"),
    "broken": (503, "The query could not be answered"),
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Answers queries over what is published, for readers at ``base``."""

    base: str
    ask: Ask
    limits: Limits = field(default_factory=Limits)
    graph: str = ""
    """The IRI of the graph; empty means ``/#graph`` behind ``base``."""

    @property
    def graph_iri(self) -> str:
        """The IRI by which the one graph may be named."""
        return self.graph or f"{self.base}/#graph"

    def limits_said(self) -> str:
        """Return the limits as a header says them."""
        return f"seconds={self.limits.seconds:g}, rows={self.limits.rows}, bytes={self.limits.bytes}"

    def answer(self, query: str, accept: str, rows: Callable[[int], Mapping[str, str]] | None = None) -> Response:
        """Return the answer in the form that ``accept`` asks for. Raises ``Problem``.

        ``rows`` says which headers go with an answer of so many rows.
        """
        if not query.strip():
            raise Problem(400, "No query", "Send a SPARQL 1.1 query as the parameter `query`.")
        if len(query) > LONGEST_QUERY:
            raise Problem(413, "The query is too long", f"At most {LONGEST_QUERY:,} characters are taken.")
        if reason := refusal(query):
            raise Problem(400, "The query is refused", reason)
        form = wanted(accept)
        answer = self.ask(query, form | {"base": f"{self.base}/", "prefixes": prefixes(self.base)})
        if answer.problem:
            status, title = _STATUS[answer.problem]
            headers = {LIMITS: self.limits_said()} | ({"Retry-After": "10"} if status == 503 else {})
            raise Problem(status, title, answer.detail, headers)
        charset = "; charset=utf-8" if answer.media_type.startswith("text/") else ""
        headers = {"Content-Type": answer.media_type + charset, "Vary": "Accept", "Cache-Control": "no-cache"}
        headers |= {LIMITS: self.limits_said()} | ({ROWS: str(answer.rows)} if answer.rows >= 0 else {})
        return Response(answer.body, headers=headers | dict(rows(answer.rows) if rows else {}))


def wanted(accept: str) -> dict[str, str]:
    """Return the media types in which rows and graphs are wanted. Raises ``Problem`` 406 where neither can be had.

    A query decides by itself whether it gives rows or a graph: who asks only for the one gets the other as it comes.
    """
    solutions, graphs = preferred(accept, SOLUTIONS), preferred(accept, GRAPHS)
    if not solutions and not graphs:
        offered = ", ".join(SOLUTIONS + GRAPHS)
        raise Problem(406, "Not acceptable", f"Answers can be had as {offered}.", {"Vary": "Accept"})
    solutions, graphs = solutions or RESULTS_JSON, graphs or TURTLE
    return {"solutions": SAME.get(solutions, solutions), "graphs": SAME.get(graphs, graphs)}


def prefixes(base: str) -> dict[str, str]:
    """Return the prefixes that answers are written with."""
    return {"deboodt": f"{base}/vocab#", "dwc": "http://rs.tdwg.org/dwc/terms/", "oa": "http://www.w3.org/ns/oa#"}


def router(endpoint: Endpoint, page: Callable[[str], str] | None = None) -> APIRouter:
    """Return the routes. ``page`` makes the page with the editor, with a query in it."""
    api = APIRouter(tags=["sparql"])

    @api.get(
        "/sparql",
        summary="Ask what is published in SPARQL 1.1",
        response_class=Response,
        responses=_responses(),
        openapi_extra={"parameters": _parameters()},
    )
    def asked(request: Request) -> Response:
        """One graph: the triples of all documents. No updates, no `SERVICE`, no `FROM`.

        Rows come as JSON, XML, CSV or TSV, graphs as Turtle, N-Triples, RDF/XML or JSON-LD. A query that takes too
        long is stopped, an answer that is too large refused: never is half an answer sent. Who asks nothing gets a
        description of the service, a browser the page with the editor.
        """
        given = request.query_params.multi_items()
        accept = request.headers.get("accept", "")
        if page and not request.query_params.get("format") and preferred(accept, [*SOLUTIONS, *GRAPHS, HTML]) == HTML:
            return Response(page(request.query_params.get("query", "")), media_type=HTML, headers={"Vary": "Accept"})
        if not given:
            return _description(endpoint, accept)
        return _answer(request, endpoint, given)

    @api.post(
        "/sparql",
        summary="Ask in SPARQL 1.1, for queries of any length",
        response_class=Response,
        responses=_responses(),
        openapi_extra={"requestBody": _body()},
    )
    async def posted(request: Request) -> Response:
        """The same as with GET; the query is a form's field `query`, or the body itself."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in (QUERY, FORM):
            raise Problem(
                415, "Unsupported media type", f"Send {QUERY} or {FORM}.", {"Accept-Post": f"{QUERY}, {FORM}"}
            )
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > 4 * LONGEST_QUERY:
                raise Problem(413, "The query is too long", f"At most {LONGEST_QUERY:,} characters are taken.")
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Problem(400, "The query cannot be understood", "The body is not UTF-8.") from error
        given = parse_qsl(text, keep_blank_values=True) if kind == FORM else [("query", text)]
        if kind == QUERY:
            given += request.query_params.multi_items()
        return await run_in_threadpool(_answer, request, endpoint, given)

    @api.api_route("/sparql", methods=["OPTIONS", "PUT", "PATCH", "DELETE"], include_in_schema=False)
    def asked_otherwise(request: Request) -> Response:
        headers = {"Allow": "GET, HEAD, OPTIONS, POST", "Accept-Post": f"{QUERY}, {FORM}"}
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=headers)
        raise Problem(405, "Method not allowed", "Queries come by GET or POST; nothing can be changed here.", headers)

    return api


def _answer(request: Request, endpoint: Endpoint, given: Sequence[tuple[str, str]]) -> Response:
    fields = [name for name, _ in given]
    if "update" in fields:
        raise Problem(400, "The query is refused", "The endpoint only answers queries.")
    if "named-graph-uri" in fields or {v for name, v in given if name == "default-graph-uri"} - {
        endpoint.graph_iri,
        "",
    }:
        raise Problem(400, "The query is refused", ONE_GRAPH)
    if fields.count("query") != 1:
        raise Problem(400, "Not one query", "Send exactly one parameter `query`.")
    values = dict(given)
    accept = values.get("format", "") or request.headers.get("accept", "")
    return endpoint.answer(values["query"], SHORT.get(accept, accept))


SHORT = {
    "json": RESULTS_JSON,
    "xml": RESULTS_XML,
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "turtle": TURTLE,
    "ttl": TURTLE,
    "nt": N_TRIPLES,
    "rdf": RDF_XML,
    "jsonld": JSON_LD,
}
"""Short words for media types, for the parameter ``format``: it comes before the header ``Accept``."""


def _description(endpoint: Endpoint, accept: str) -> Response:
    """Return what the endpoint says of itself (SPARQL 1.1 Service Description) to who asks nothing."""
    media_type = preferred(accept, [TURTLE, JSON_LD, N_TRIPLES, RDF_XML]) or TURTLE
    base = endpoint.base
    formats = [
        _FORMATS[name] for name in (RESULTS_JSON, RESULTS_XML, "text/csv", "text/tab-separated-values", *GRAPHS[:4])
    ]
    doc = {
        "@context": {
            "sd": "http://www.w3.org/ns/sparql-service-description#",
            "void": "http://rdfs.org/ns/void#",
            "comment": "http://www.w3.org/2000/01/rdf-schema#comment",
            "id": "@id",
            "type": "@type",
        },
        "id": f"{base}/sparql",
        "type": "sd:Service",
        "comment": f"One query may take: {endpoint.limits_said()}.",
        "sd:endpoint": {"id": f"{base}/sparql"},
        "sd:supportedLanguage": {"id": "http://www.w3.org/ns/sparql-service-description#SPARQL11Query"},
        "sd:resultFormat": [{"id": f"http://www.w3.org/ns/formats/{name}"} for name in formats],
        "sd:defaultDataset": {
            "id": f"{base}/datasets/published",
            "type": ["sd:Dataset", "void:Dataset"],
            "void:sparqlEndpoint": {"id": f"{base}/sparql"},
            "void:uriSpace": f"{base}/",
            "void:vocabulary": [{"id": iri} for iri in prefixes(base).values()],
            "sd:defaultGraph": {"id": endpoint.graph_iri, "type": ["sd:Graph", "void:Dataset"]},
        },
    }
    body = serialising.serialised(doc, media_type, base)
    headers = {"Vary": "Accept", "Link": f'<{base}/.well-known/void>; rel="describedby"'}
    return Response(body, media_type=media_type, headers=headers)


_FORMATS = {
    RESULTS_JSON: "SPARQL_Results_JSON",
    RESULTS_XML: "SPARQL_Results_XML",
    "text/csv": "SPARQL_Results_CSV",
    "text/tab-separated-values": "SPARQL_Results_TSV",
    TURTLE: "Turtle",
    N_TRIPLES: "N-Triples",
    RDF_XML: "RDF_XML",
    JSON_LD: "JSON-LD",
}


def _responses() -> dict[int | str, dict[str, Any]]:
    problem = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    words = {
        400: "The query is malformed or refused.",
        406: "None of the forms there are will do.",
        413: "The query is too long.",
        415: "The body is not of a type that is taken.",
        422: "The answer has too many rows or bytes.",
        503: "The query took too long, or too many are waiting.",
    }
    answers: dict[str, Any] = {name: {} for name in (*_FORMATS, HTML, PROBLEM_JSON)}
    said: dict[int | str, dict[str, Any]] = {200: {"description": "The answer.", "content": answers}}
    return said | {code: {"description": text, "content": problem} for code, text in words.items()}


def _parameters() -> list[dict[str, Any]]:
    text = {"type": "string"}
    example = "SELECT ?why (COUNT(*) AS ?n) { ?a <http://www.w3.org/ns/oa#motivatedBy> ?why } GROUP BY ?why"
    formats = {"type": "string", "enum": sorted(SHORT)}
    return [
        {"name": "query", "in": "query", "schema": text, "description": "The query.", "example": example},
        {"name": "format", "in": "query", "schema": formats, "description": "Comes before the header `Accept`."},
    ]


def _body() -> dict[str, Any]:
    text = {"type": "string"}
    form = {"type": "object", "required": ["query"], "properties": {"query": text, "format": text}}
    return {"required": True, "content": {FORM: {"schema": form}, QUERY: {"schema": text}}}
