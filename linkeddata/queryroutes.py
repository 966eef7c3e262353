"""``/queries``: the ``.rq`` files as an API, as users of grlc know it. In: an endpoint. Out: routes, one a query.

``/queries/NAME`` is the text. A query over what is published is run by ``/queries/NAME/results``: the parameters of its
header are the parameters of the request, checked before they come into the text; rows come in pages.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from linkeddata.errors import UsageError
from linkeddata.negotiation import HTML, JSON, preferred
from linkeddata.parts import Pages
from linkeddata.problem import MEDIA_TYPE as PROBLEM_JSON
from linkeddata.problem import Problem, not_found
from linkeddata.settings import Settings
from linkeddata.sparql import PUBLISHED, Query, load_query, query_names
from linkeddata.sparqlservice import GRAPHS, QUERY, SHORT, SOLUTIONS, Endpoint

ROWS = 1000
"""Rows of a page when nobody says how many."""
KINDS: dict[str, dict[str, Any]] = {
    "item": {"pattern": r"^Q[1-9]\d*$", "description": "A Wikidata item."},
    "file": {"pattern": r"^M[1-9]\d*$", "description": "A file on Commons, by its M-id."},
    "key": {"pattern": r"^[1-9]\d*$", "description": "A numeric key."},
    "name": {"maxLength": 200, "description": "A name, as it is written."},
    "word": {"pattern": "^[a-z][a-z -]{0,40}$", "description": "A word in small letters."},
    "moment": {"description": "A day (2026-11-02) or a moment in UTC (2026-11-02T10:00:00Z)."},
    "address": {"format": "iri", "description": "An absolute IRI."},
}
"""What OpenAPI says of each kind of parameter."""


def router(endpoint: Endpoint, settings: Settings, pages: Pages | None = None) -> APIRouter:
    """Return the routes. ``pages`` makes HTML (none is offered without)."""
    api = APIRouter(tags=["queries"])
    _add_texts(api, endpoint.base, settings, pages)
    for query in map(load_query, query_names()):
        if query.endpoint == PUBLISHED:
            api.add_api_route(
                f"/queries/{query.name}/results",
                _running(query, endpoint, settings),
                methods=["GET"],
                operation_id=f"query-{query.name}",
                summary=query.summary,
                description=_described(query),
                response_class=Response,
                responses=_responses(query),
                openapi_extra={"parameters": _parameters(query, endpoint.limits.rows)},
            )

    @api.get("/queries/{name}/results", include_in_schema=False)
    def elsewhere(name: str) -> Response:
        if name not in query_names():
            raise not_found("query", name)
        said = f"{name} asks {load_query(name).endpoint}, not what is published here; its text is at /queries/{name}."
        raise Problem(404, "Not run here", said)

    return api


def _add_texts(api: APIRouter, base: str, settings: Settings, pages: Pages | None) -> None:
    @api.get("/queries", summary="The SPARQL queries that come with De Boodt", response_class=Response)
    def queries(request: Request) -> Response:
        """Each with its summary, endpoint and parameters; `text` is the query, `results` runs it."""
        found = [load_query(name) for name in query_names()]
        if pages and preferred(request.headers.get("accept", ""), [JSON, HTML]) == HTML:
            data = {"queries": [(query, query.here(settings), query.endpoint == PUBLISHED) for query in found]}
            return Response(pages("queries.html", data), media_type=HTML, headers={"Vary": "Accept"})
        rows = [_listed(query, base) for query in found]
        return Response(orjson.dumps(rows), media_type=JSON, headers={"Vary": "Accept"})

    @api.get(
        "/queries/{name}",
        summary="One query's text",
        response_class=Response,
        responses={200: {"description": "SPARQL 1.1", "content": {QUERY: {}}}, **_problem(404, "No such query.")},
    )
    def query_text(name: str) -> Response:
        """Standard SPARQL 1.1 with a real sample in its VALUES, for any query editor."""
        if name not in query_names():
            raise not_found("query", name)
        return Response(load_query(name).here(settings), media_type=QUERY)


def _listed(query: Query, base: str) -> dict[str, Any]:
    text = f"{base}/queries/{query.name}"
    return {
        "name": query.name,
        "summary": query.summary,
        "endpoint": query.endpoint,
        "params": dict(query.params),
        "optional": sorted(query.optional),
        "text": text,
    } | ({"results": f"{text}/results"} if query.endpoint == PUBLISHED else {})


def _running(query: Query, endpoint: Endpoint, settings: Settings) -> Callable[[Request], Response]:
    def results(request: Request) -> Response:
        given: dict[str, list[str]] = {}
        for name, value in request.query_params.multi_items():
            given.setdefault(name, []).append(value)
        accept = given.pop("format", [""])[-1]
        limit = _number(given, "limit", min(ROWS, endpoint.limits.rows), endpoint.limits.rows)
        page = _number(given, "page", 1, 1_000_000)
        try:
            text = query.bound({name: values for name, values in given.items() if values != [""]}, settings)
        except UsageError as error:
            raise Problem(422, "The parameters do not fit", f"{error}.") from error
        if query.form == "SELECT":
            text = f"{text.rstrip()}\nLIMIT {limit} OFFSET {(page - 1) * limit}\n"
        asked = accept or request.headers.get("accept", "")
        if not accept and preferred(asked, [*SOLUTIONS, *GRAPHS, HTML]) == HTML:
            where = f"{endpoint.base}/sparql?{urlencode({'query': text})}"
            return RedirectResponse(where, 303, headers={"Vary": "Accept"})

        def links(rows: int) -> Mapping[str, str]:
            return {} if query.form != "SELECT" else _links(request, endpoint.base, page, rows >= limit)

        return endpoint.answer(text, SHORT.get(asked, asked), links)

    return results


def _links(request: Request, base: str, page: int, more: bool) -> dict[str, str]:
    """Return the header that leads to the pages around this one (RFC 8288)."""
    others = [(name, value) for name, value in request.query_params.multi_items() if name != "page"]
    pages = {"first": 1} | ({"prev": page - 1} if page > 1 else {}) | ({"next": page + 1} if more else {})
    path = f"{base}/queries/{request.url.path.rsplit('/queries/', 1)[1]}"
    return {
        "Link": ", ".join(
            f'<{path}?{urlencode([*others, ("page", str(number))])}>; rel="{rel}"' for rel, number in pages.items()
        )
    }


def _number(given: dict[str, list[str]], name: str, usual: int, most: int) -> int:
    said = given.pop(name, [str(usual)])[-1]
    if not (said.isascii() and said.isdecimal() and len(said) < 10 and 1 <= int(said) <= most):
        raise Problem(422, "The parameters do not fit", f"{name} is a number from 1 to {most:,}, not {said!r}.")
    return int(said)


def _described(query: Query) -> str:
    return (
        f"Runs the query `{query.name}` over what is published (its text: `/queries/{query.name}`). A parameter may be"
        " given more than once; any of its values will do."
    )


def _parameters(query: Query, most: int) -> list[dict[str, Any]]:
    own = [
        {
            "name": name,
            "in": "query",
            "required": name not in query.optional,
            "description": KINDS[kind]["description"],
            "schema": {"type": "array", "items": {"type": "string", **_without(KINDS[kind], "description")}},
            "explode": True,
        }
        for name, kind in query.params
    ]
    paging = [
        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": most, "default": ROWS}},
        {"name": "page", "in": "query", "schema": {"type": "integer", "minimum": 1, "default": 1}},
    ]
    form = {"name": "format", "in": "query", "schema": {"type": "string", "enum": sorted(SHORT)}}
    return own + (paging if query.form == "SELECT" else []) + [form]


def _without(known: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in known.items() if key != name}


def _responses(query: Query) -> dict[int | str, dict[str, Any]]:
    offered = SOLUTIONS if query.form == "SELECT" else GRAPHS
    answers: dict[int | str, dict[str, Any]] = {
        200: {"description": "The answer.", "content": {name: {} for name in offered}},
        303: {"description": "To the page with the editor, for a browser."},
    }
    return (
        answers
        | _problem(400, "The query is malformed or refused.")
        | _problem(406, "None of the forms there are will do.")
        | _problem(422, "A parameter is missing or does not fit, or the answer is too large.")
        | _problem(503, "The query took too long, or too many are waiting.")
    )


def _problem(status: int, words: str) -> dict[int | str, dict[str, Any]]:
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": words, "content": content}}
