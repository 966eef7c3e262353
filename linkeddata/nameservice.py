"""Names over HTTP. In: an open name index. Out: a router with ``POST /names/resolve`` and the reconciliation service.

``reconciliation`` says what is answered to OpenRefine and its like; here it only gets its addresses.
"""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Body, Form, Query
from fastapi.responses import HTMLResponse, Response

from linkeddata import reconciliation
from linkeddata.errors import UsageError
from linkeddata.nameforms import document_of, parse_queries
from linkeddata.nameindex.answers import NameQuery
from linkeddata.nameindex.index import NameIndex
from linkeddata.nameindex.resolve import resolve_names
from linkeddata.negotiation import JSON
from linkeddata.problem import MEDIA_TYPE as PROBLEM_JSON
from linkeddata.problem import Problem, not_found
from linkeddata.reconciliation import Place

MOST_NAMES = 10_000
"""Names in one request; a file of more goes through the command line, or in pieces."""
SUGGESTIONS = 10
ANY_SITE = {"Access-Control-Allow-Origin": "*"}
"""Pages of any site may ask: nothing here is secret, and nothing is changed."""

_EXAMPLE: list[Any] = ["pimpelmees", {"scientificName": "Parus caeruleus Linnaeus, 1758", "kingdom": "Animalia"}]
_WRONG: dict[int | str, dict[str, Any]] = {
    status: {"description": what, "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for status, what in ((413, "Too many at once."), (422, "What was sent cannot be understood."))
}


def router(index: NameIndex, base: str) -> APIRouter:
    """Return the routes; ``base`` is where this installation's addresses begin, without a slash at its end."""
    api = APIRouter(tags=["names"])
    _add_resolve(api, index)
    about = index.about
    _add_reconciliation(api, index, Place(base, about.get("checklist_key", ""), about.get("title", "")))
    return api


def _add_resolve(api: APIRouter, index: NameIndex) -> None:
    @api.post(
        "/names/resolve",
        summary="Resolve names to accepted taxa",
        response_class=Response,
        responses=_WRONG,
        openapi_extra={"requestBody": {"description": "A list of names, or of objects with Darwin Core terms."}},
    )
    def resolve(
        names: Annotated[list[Any], Body(description="Names, or objects with Darwin Core terms.", examples=[_EXAMPLE])],
        rank: Annotated[str, Query(description="`species`: what is below is merged into its species.")] = "",
    ) -> Response:
        """One answer for each entry, in order, under GBIF's own names; NONE always says why under `reason`.

        An entry is a name, a vernacular name or an identifier (`gbif:2435099`, `Q140`), or an object with
        `scientificName`, `scientificNameAuthorship`, `taxonRank`, `kingdom` … `genus`, `taxonID`.
        """
        if len(names) > MOST_NAMES:
            raise Problem(413, "Too many names", f"{len(names)} names; {MOST_NAMES} go into one request.")
        try:
            queries = parse_queries(names, rank)
        except UsageError as error:
            raise Problem(422, "Not names", str(error)) from error
        return _json([document_of(answer) for answer in resolve_names(index, queries)])


def _add_reconciliation(api: APIRouter, index: NameIndex, place: Place) -> None:
    queries_help = "A batch of queries, as JSON."
    extend_help = "A data extension query, as JSON."

    def answer(queries: str | None, extend: str | None) -> Response:
        try:
            if queries is not None:
                return _json(_reconciled(index, queries))
            if extend is not None:
                return _json(_extended(index, extend))
        except UsageError as error:
            raise Problem(422, "Not a query", str(error)) from error
        return _json(reconciliation.manifest(place))

    @api.get(
        "/reconcile", summary="Reconciliation Service API 0.2: manifest", response_class=Response, responses=_WRONG
    )
    def asked(
        queries: Annotated[str | None, Query(description=queries_help)] = None,
        extend: Annotated[str | None, Query(description=extend_help)] = None,
    ) -> Response:
        """The address to give to OpenRefine. With `queries` or `extend` it answers them."""
        return answer(queries, extend)

    @api.post(
        "/reconcile",
        summary="Reconcile a batch of names",
        response_class=Response,
        responses=_WRONG,
        openapi_extra={"requestBody": {"description": "`queries` or `extend`, as JSON in a form field."}},
    )
    def posted(
        queries: Annotated[str | None, Form(description=queries_help)] = None,
        extend: Annotated[str | None, Form(description=extend_help)] = None,
    ) -> Response:
        """Candidates for each query, best first; a candidate is a match only where no person need look."""
        return answer(queries, extend)

    @api.get("/reconcile/suggest/entity", summary="Names that begin so", response_class=Response, responses=_WRONG)
    def entities(prefix: Annotated[str, Query(description="What was typed.")]) -> Response:
        """To choose from while typing; homonyms are all there."""
        names = index.names_starting(prefix.strip(), SUGGESTIONS) if prefix.strip() else []
        answers = resolve_names(index, map(NameQuery, [prefix, *names]))
        return _json(reconciliation.suggestions(answers))

    @api.get("/reconcile/suggest/type", summary="Types that begin so", response_class=Response, responses=_WRONG)
    def types(prefix: Annotated[str, Query(description="What was typed.")] = "") -> Response:
        """Types are ranks, below the type `taxon`."""
        return _json(reconciliation.suggested_types(prefix))

    @api.get("/reconcile/suggest/property", summary="Properties that begin so", response_class=Response)
    def properties(prefix: Annotated[str, Query(description="What was typed.")] = "") -> Response:
        """What a query can be refined by, and what an answer can be extended with."""
        return _json(reconciliation.suggested_properties(prefix))

    @api.get("/reconcile/properties", summary="What can be added to a table", response_class=Response)
    def proposed(
        type_id: Annotated[str, Query(alias="type", description="A type's id.")] = "",
        limit: Annotated[int, Query(ge=0, description="How many at most; 0 for all.")] = 0,
    ) -> Response:
        """The properties that a data extension query may ask for; the same for all types."""
        return _json(reconciliation.proposed_properties(type_id, limit))

    @api.get("/reconcile/preview", summary="A small page about one name", response_class=HTMLResponse)
    def preview(key: Annotated[str, Query(alias="id", description="A usage's key.")]) -> Response:
        """For the small frame that opens over a candidate; it runs no script and fetches nothing."""
        [found] = resolve_names(index, [reconciliation.by_key(key)])
        if found.match_type == "NONE":
            raise not_found("name", key)
        headers = {**ANY_SITE, "Content-Security-Policy": "default-src 'none'; frame-ancestors *"}
        return HTMLResponse(reconciliation.preview(found), headers=headers)


def _reconciled(index: NameIndex, queries: str) -> dict[str, Any]:
    batch = reconciliation.parse_batch(queries)
    answers = resolve_names(index, [reconciliation.query_of(asked) for asked in batch.values()])
    return {
        key: reconciliation.result(answer, asked) for (key, asked), answer in zip(batch.items(), answers, strict=True)
    }


def _extended(index: NameIndex, extend: str) -> dict[str, Any]:
    ids, properties = reconciliation.parse_extension(extend)
    answers = resolve_names(index, [reconciliation.by_key(key) for key in ids])
    return reconciliation.extension(ids, properties, answers)


def _json(data: Any) -> Response:
    return Response(orjson.dumps(data), media_type=JSON, headers=ANY_SITE)
