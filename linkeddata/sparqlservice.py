"""``/sparql``: SPARQL 1.1 Protocol, queries only. In: something that answers queries. Out: the routes.

https://www.w3.org/TR/sparql11-protocol/#query-operation, in its three ways: GET, POST of a form, POST of the query.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from linkeddata import jsonld
from linkeddata.client import Client
from linkeddata.errors import ServiceError
from linkeddata.negotiation import HTML, JSON, JSON_LD, N_TRIPLES, TURTLE, preferred
from linkeddata.problem import MEDIA_TYPE as PROBLEM_JSON
from linkeddata.problem import Problem
from linkeddata.sparqlguard import ONE_GRAPH, refusal
from linkeddata.sparqlpool import Answer, Limits
from linkeddata.trying import TryAgainError

QUERY = "application/sparql-query"
FORM = "application/x-www-form-urlencoded"
RESULTS_JSON = "application/sparql-results+json"
RESULTS_XML = "application/sparql-results+xml"
SOLUTIONS = (RESULTS_JSON, JSON, RESULTS_XML, "application/xml", "text/csv", "text/tab-separated-values")
GRAPHS = (TURTLE, N_TRIPLES, "application/rdf+xml", JSON_LD, "text/plain")
SAME = {JSON: RESULTS_JSON, "application/xml": RESULTS_XML, "text/plain": N_TRIPLES}
"""Types that are asked for where another is meant."""
LONGEST_QUERY = 200_000

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

    def answer(self, query: str, accept: str) -> Response:
        """Return the answer in the form that ``accept`` asks for. Raises ``Problem``."""
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
            headers = {"Retry-After": "10"} if status == 503 else {}
            raise Problem(status, title, answer.detail, headers)
        charset = "; charset=utf-8" if answer.media_type.startswith("text/") else ""
        headers = {"Content-Type": answer.media_type + charset, "Vary": "Accept", "Cache-Control": "no-cache"}
        return Response(answer.body, headers=headers)


@dataclass(frozen=True, slots=True)
class External:
    """Another SPARQL 1.1 server that has what is published."""

    client: Client
    url: str
    limits: Limits = field(default_factory=Limits)

    def ask(self, query: str, form: Mapping[str, Any]) -> Answer:
        """Put the query to the server, and hand on what it says."""
        accept = f"{form['solutions']}, {form['graphs']};q=0.9"
        try:
            with closing(self.client.open(self.url, {"query": query}, accept=accept)) as response:
                media_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
                if response.status_code == 400:
                    return Answer(problem="malformed", detail=response.raw.read(2000, decode_content=True).decode())
                if response.status_code != 200 or media_type not in SOLUTIONS + GRAPHS:
                    return Answer(problem="broken", detail=f"The server said {response.status_code}.")
                body = response.raw.read(self.limits.bytes + 1, decode_content=True)
        except (ServiceError, TryAgainError, OSError) as error:
            return Answer(problem="broken", detail=f"The server cannot be asked: {type(error).__name__}.")
        if len(body) > self.limits.bytes:
            return Answer(problem="too many", detail=f"The answer is longer than {self.limits.bytes:,} bytes.")
        return Answer(media_type, body)


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


def router(endpoint: Endpoint) -> APIRouter:
    """Return the routes."""
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
        long is stopped, an answer that is too large refused: never is half an answer sent.
        """
        given = request.query_params.multi_items()
        if not given and preferred(request.headers.get("accept", ""), [JSON, HTML]) == HTML:
            return RedirectResponse(f"{endpoint.base}/queries", 303, headers={"Vary": "Accept"})
        if not given:
            return _description(endpoint)
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

    return api


def _answer(request: Request, endpoint: Endpoint, given: Sequence[tuple[str, str]]) -> Response:
    fields = [name for name, _ in given]
    if "update" in fields:
        raise Problem(400, "The query is refused", "The endpoint only answers queries.")
    if "default-graph-uri" in fields or "named-graph-uri" in fields:
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
    "rdf": "application/rdf+xml",
    "jsonld": JSON_LD,
}
"""Short words for media types, for the parameter ``format``: it comes before the header ``Accept``."""


def _description(endpoint: Endpoint) -> Response:
    """Return what the endpoint says of itself (SPARQL 1.1 Service Description) to who asks nothing."""
    base = endpoint.base
    formats = [
        _FORMATS[name] for name in (RESULTS_JSON, RESULTS_XML, "text/csv", "text/tab-separated-values", *GRAPHS[:4])
    ]
    doc = {
        "@context": {"sd": "http://www.w3.org/ns/sparql-service-description#", "id": "@id", "type": "@type"},
        "id": f"{base}/sparql",
        "type": "sd:Service",
        "sd:endpoint": {"id": f"{base}/sparql"},
        "sd:supportedLanguage": {"id": "sd:SPARQL11Query"},
        "sd:resultFormat": [{"id": f"http://www.w3.org/ns/formats/{name}"} for name in formats],
        "sd:defaultDataset": {
            "id": f"{base}/#published",
            "type": "sd:Dataset",
            "sd:defaultGraph": {"id": f"{base}/#graph", "type": "sd:Graph"},
        },
    }
    return Response(jsonld.serialised(doc, TURTLE, base), media_type=TURTLE, headers={"Vary": "Accept"})


_FORMATS = {
    RESULTS_JSON: "SPARQL_Results_JSON",
    RESULTS_XML: "SPARQL_Results_XML",
    "text/csv": "SPARQL_Results_CSV",
    "text/tab-separated-values": "SPARQL_Results_TSV",
    TURTLE: "Turtle",
    N_TRIPLES: "N-Triples",
    "application/rdf+xml": "RDF_XML",
    JSON_LD: "JSON-LD",
}


def _responses() -> dict[int | str, dict[str, Any]]:
    problem = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    words = {
        303: "To the page with the editor, for a browser that asks nothing.",
        400: "The query is malformed or refused.",
        406: "None of the forms there are will do.",
        413: "The query is too long.",
        415: "The body is not of a type that is taken.",
        422: "The answer has too many rows or bytes.",
        503: "The query took too long, or too many are waiting.",
    }
    answers: dict[str, Any] = {name: {} for name in (*_FORMATS, PROBLEM_JSON)}
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
