"""Names over HTTP. In: a name index, or services. Out: a router with ``POST /names/resolve`` and reconciliation.

Without an index the services are asked, as on the command line, with what they answered kept. ``reconciliation`` says
what is answered to OpenRefine and its like; here it only gets its addresses.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Body, Form, Path, Query
from fastapi.responses import HTMLResponse, Response

from linkeddata import reconciliation
from linkeddata.errors import ContactRequiredError, UsageError
from linkeddata.nameforms import document_of, parse_queries
from linkeddata.nameindex.answers import NameAnswer, NameQuery
from linkeddata.nameindex.index import NameIndex
from linkeddata.nameindex.resolve import resolve_names
from linkeddata.namesources import SOURCES, Ask, Services, ask
from linkeddata.negotiation import JSON
from linkeddata.problem import MEDIA_TYPE as PROBLEM_JSON
from linkeddata.problem import Problem, not_found
from linkeddata.reconciliation import Place
from linkeddata.records import Failure

MOST_NAMES = 10_000
"""Names in one request; a file of more goes through the command line, or in pieces."""
MOST_ASKED = 200
"""Names in one request that are asked of services: they are other people's, and slow."""
DEFAULT_SOURCES = ("all",)
RETRY_AFTER = {"Retry-After": "60"}
SUGGESTIONS = 10
ANY_SITE = {"Access-Control-Allow-Origin": "*"}
"""Pages of any site may ask: nothing here is secret, and nothing is changed."""

_EXAMPLE: list[Any] = ["pimpelmees", {"scientificName": "Parus caeruleus Linnaeus, 1758", "kingdom": "Animalia"}]
_WRONG: dict[int | str, dict[str, Any]] = {
    status: {"description": what, "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for status, what in (
        (413, "Too many at once."),
        (422, "What was sent cannot be understood."),
        (503, "A source did not answer; ask again later."),
    )
}


@dataclass(frozen=True, slots=True)
class Answering:
    """Who answers names: an index, services, or both. ``services`` opens what asking them takes, for one request."""

    index: NameIndex | None = None
    services: Callable[[], AbstractContextManager[Services]] | None = None

    def most(self, sources: Sequence[str] = ()) -> int:
        """Return how many names may be asked in one request."""
        return MOST_NAMES if self.index is not None and set(sources) <= {"index"} else MOST_ASKED

    @contextmanager
    def asked(self, sources: Sequence[str] = ()) -> Iterator[Ask]:
        """Give who answers: the sources that are named, else the index there is, else all services.

        Raises ``UsageError`` for a source that cannot be asked here.
        """
        if unknown := [name for name in sources if name not in SOURCES or (name == "index" and self.index is None)]:
            raise UsageError(f"there is no source {unknown[0]!r} here")
        if self.index is not None and (not sources or self.services is None):
            yield partial(resolve_names, self.index)
        elif self.services is None:
            raise UsageError("there is nobody to ask here")
        else:
            with self.services() as services:
                yield ask(sources or DEFAULT_SOURCES, replace(services, index=self.index))

    def answers(self, queries: Iterable[NameQuery], sources: Sequence[str] = ()) -> list[NameAnswer | Failure]:
        """Return the answers in order. Raises ``Problem`` where a service may not be asked at all."""
        try:
            with self.asked(sources) as asking:
                return list(asking(queries))
        except ContactRequiredError as error:
            raise Problem(503, "Names cannot be asked for", str(error)) from error

    def found(self, queries: Iterable[NameQuery]) -> list[NameAnswer]:
        """Return the answers in order. Raises ``Problem`` where one of them is a failure: it is no "no match"."""
        told = self.answers(queries)
        for one in told:
            if isinstance(one, Failure):
                raise Problem(503, "A source did not answer", f"{one.reason}: {one.detail}", RETRY_AFTER)
        return [one for one in told if isinstance(one, NameAnswer)]


def router(names: Answering, base: str) -> APIRouter:
    """Return the routes; ``base`` is where this installation's addresses begin, without a slash at its end."""
    api = APIRouter(tags=["names"])
    _add_resolve(api, names)
    _add_reconciliation(api, names, place_of(names.index, base))
    return api


def place_of(index: NameIndex | None, base: str) -> Place:
    """Return where the service stands. One checklist alone is known by its own keys, several by key and scheme."""
    if index is None:
        return Place(base, title="GBIF, WoRMS and Wikidata")
    only = index.about.get("checklist_key", "") if len(index.checklists) == 1 else ""
    return Place(base, only, index.about.get("title", ""))


def _add_resolve(api: APIRouter, answering: Answering) -> None:
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
        source: Annotated[list[str] | None, Query(description=f"Who is asked: {', '.join(SOURCES)}.")] = None,
    ) -> Response:
        """One answer for each entry, in order, under GBIF's own names; NONE always says why under `reason`.

        Of several sources the first that knows the name answers, and who says otherwise is noted. An entry that a
        source did not answer has a `failure` instead.

        An entry is a name, a vernacular name or an identifier (`gbif:2435099`, `Q140`), or an object with
        `scientificName`, `scientificNameAuthorship`, `taxonRank`, `kingdom` … `genus`, `taxonID`.
        """
        most = answering.most(source or ())
        if len(names) > most:
            raise Problem(413, "Too many names", f"{len(names)} names; {most} go into one request.")
        try:
            return _json([document_of(one) for one in answering.answers(parse_queries(names, rank), source or ())])
        except UsageError as error:
            raise Problem(422, "Not names", str(error)) from error


def _add_reconciliation(api: APIRouter, answering: Answering, place: Place) -> None:
    queries_help = "A batch of queries, as JSON."
    extend_help = "A data extension query, as JSON."

    def answer(queries: str | None, extend: str | None) -> Response:
        try:
            if queries is not None:
                return _json(_reconciled(answering, place, queries))
            if extend is not None:
                return _json(_extended(answering, extend))
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
        if not prefix.strip():
            return _json(reconciliation.suggestions([], place))
        names = answering.index.names_starting(prefix.strip(), SUGGESTIONS) if answering.index else []
        return _json(reconciliation.suggestions(answering.found(map(NameQuery, [prefix, *names])), place))

    @api.get("/reconcile/suggest/type", summary="Types that begin so", response_class=Response, responses=_WRONG)
    def types(prefix: Annotated[str, Query(description="What was typed.")] = "") -> Response:
        """Types are ranks, below the type `taxon`."""
        return _json(reconciliation.suggested_types(prefix))

    @api.get("/reconcile/suggest/property", summary="Properties that begin so", response_class=Response)
    def properties(prefix: Annotated[str, Query(description="What was typed.")] = "") -> Response:
        """What a query can be refined by, and what an answer can be extended with."""
        return _json(reconciliation.suggested_properties(prefix))

    @api.get("/reconcile/properties", summary="What can be added to a table", response_class=Response, responses=_WRONG)
    def proposed(
        type_id: Annotated[str, Query(alias="type", description="A type's id.")] = "",
        limit: Annotated[int, Query(ge=0, description="How many at most; 0 for all.")] = 0,
    ) -> Response:
        """The properties that a data extension query may ask for; the same for all types."""
        return _json(reconciliation.proposed_properties(type_id, limit))

    @api.get("/reconcile/preview", summary="A small page about one name", response_class=HTMLResponse, responses=_WRONG)
    def preview(key: Annotated[str, Query(alias="id", description="An entity's id.")]) -> Response:
        """For the small frame that opens over a candidate; it runs no script and fetches nothing."""
        return shown(key)

    def shown(key: str) -> Response:
        [found] = answering.found([reconciliation.by_key(key)])
        if found.match_type == "NONE":
            raise not_found("name", key)
        headers = {**ANY_SITE, "Content-Security-Policy": "default-src 'none'; frame-ancestors *"}
        return HTMLResponse(reconciliation.preview(found), headers=headers)

    @api.get(
        "/reconcile/entity/{key:path}", summary="The page of one name", response_class=HTMLResponse, responses=_WRONG
    )
    def entity(key: Annotated[str, Path(description="An entity's id.")]) -> Response:
        """What the ids of entities lead to where their checklist has no pages of its own."""
        return shown(key)


def _reconciled(answering: Answering, place: Place, queries: str) -> dict[str, Any]:
    batch = reconciliation.parse_batch(queries)
    _check_number(answering, len(batch))
    answers = answering.found([reconciliation.query_of(asked) for asked in batch.values()])
    return {
        key: reconciliation.result(answer, asked, place)
        for (key, asked), answer in zip(batch.items(), answers, strict=True)
    }


def _extended(answering: Answering, extend: str) -> dict[str, Any]:
    ids, properties = reconciliation.parse_extension(extend)
    _check_number(answering, len(ids))
    answers = answering.found([reconciliation.by_key(key) for key in ids])
    return reconciliation.extension(ids, properties, answers)


def _check_number(answering: Answering, number: int) -> None:
    if number > answering.most():
        raise UsageError(f"{number} at once; {answering.most()} go into one request")


def _json(data: Any) -> Response:
    return Response(orjson.dumps(data), media_type=JSON, headers=ANY_SITE)
