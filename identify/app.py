"""The web application. In: settings. Out: a FastAPI application with the store, the models and the pages behind it.

Here, and in ``identify.cli``, the parts are built once and handed down; nobody imports this module. TensorFlow is not
loaded: LiteRT answers.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.exceptions import HTTPException

from crowd import api as crowd_api
from crowd import countingroutes
from harvest.imagestore import ImageStore
from identify import api as models_api
from identify.asking.fetching import careful, fetching
from identify.asking.received import MAX_UPLOAD_BYTES
from identify.asking.shelf import Shelf
from identify.following import Following
from identify.information import Information
from identify.manners import HEADERS, OPEN, Manners
from identify.offered import examples, holdings
from identify.pipeline import ORDER
from identify.runtime import Classifier
from identify.website import STATIC, Website, static, there, website
from linkeddata import annotationroutes, externalgraph, queryroutes, sparqlservice
from linkeddata import api as documents_api
from linkeddata.addresses import Resolver, system_resolver
from linkeddata.answercache import AnswerCache
from linkeddata.catalogue import routes as catalogue_routes
from linkeddata.catalogue.routes import Catalogue
from linkeddata.catalogue.wellknown import links
from linkeddata.client import Client
from linkeddata.compression import Compressed
from linkeddata.decoding import Limits
from linkeddata.errors import BundleError, DeBoodtError, StoreError
from linkeddata.externalgraph import External
from linkeddata.keptbook import FOLDER, made_for
from linkeddata.keptreader import Kept
from linkeddata.nameindex.index import NameIndex, open_index
from linkeddata.nameservice import Answering
from linkeddata.namesources import Services
from linkeddata.negotiation import HTML, JSON, preferred
from linkeddata.parts import Parts, picture
from linkeddata.problem import MEDIA_TYPE as PROBLEM_JSON
from linkeddata.problem import Problem, not_found, problem_response
from linkeddata.publishedgraph import GRAPH
from linkeddata.records import Identification, Label, MediaFile, Step, Tag, Taxon
from linkeddata.responses import DATA_FORMS, kept, problems
from linkeddata.settings import VERSION, Settings
from linkeddata.shortcut import Shortcut
from linkeddata.sparql import PUBLISHED, load_query, query_names
from linkeddata.sparqlpool import Limits as QueryLimits
from linkeddata.sparqlpool import Pool, lag
from linkeddata.sparqlservice import Endpoint
from linkeddata.store import Store
from linkeddata.tombstones import add_tombstones

MAX_UPLOAD_PIXELS = 60_000_000
RECENT = 12
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
DESCRIPTION = """What people and models say that pictures show, as linked data.

Documents come as JSON-LD, plain JSON (the same), Turtle, N-Triples, N-Quads, RDF/XML or a page for people, chosen by
`Accept` or by a suffix (`.jsonld`, `.json`, `.ttl`, `.nt`, `.nq`, `.rdf`, `.html`). JSON-LD names one context of ours
that is complete in itself; `?context=inline` puts it into the document, `?context=w3c` names the W3C's beside it.
Documents carry an `ETag`. An identification is said in other models by `?profile=`; `&loss=1` tells what such a model
cannot say.

What goes wrong is a problem document, `application/problem+json` (RFC 9457)."""
PROBLEM_SCHEMA = {
    "title": "Problem",
    "description": "RFC 9457 problem details.",
    "type": "object",
    "required": ["title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri-reference"},
    },
}


def utc_now() -> str:
    """Return the moment in UTC, to the second, as our records have it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def create_app(
    settings: Settings,
    *,
    store: Store | None = None,
    classifiers: Mapping[str, Classifier] | None = None,
    now: Callable[[], str] = utc_now,
    follow: Sequence[str] = (),
    resolver: Resolver = system_resolver,
) -> FastAPI:
    """Return the application over the store, images, models and reports in the settings' home.

    A ``store`` or ``classifiers`` (by ``NAME@VERSION``) that are handed in are used instead and not closed. What
    ``follow`` names (``identify.following.FOLLOWERS``) is kept in step with the settings' store, each by a process.
    ``resolver`` finds the hosts of images that are asked about by address, in place of the operating system.
    Names are resolved by the name index that the settings lead to, or else by services. Raises ``StoreError``, and
    ``UsageError`` for a broken index. Models are those that lie in the home now (``identify.asking.shelf``); one that
    cannot be opened is left out and named in ``/health``.
    """
    limits = Limits(max_bytes=MAX_UPLOAD_BYTES, max_pixels=MAX_UPLOAD_PIXELS)
    information = Information(settings.information_path)
    shelf = Shelf(settings.home_path / "models", limits, given=classifiers, information=information)
    opened = store or Store(settings.store)
    names = open_index(settings.index_path) if settings.index_path else None
    client = Client(settings)
    fetcher = Client(careful(settings), resolver=resolver)

    @contextmanager
    def services() -> Iterator[Services]:
        with AnswerCache(settings.home_path / "names-answers.sqlite") as cache:
            yield Services(client, settings, now(), cache=cache)

    site = website(settings)
    asked = QueryLimits(settings.query_seconds, settings.query_rows, in_memory=settings.query_triples)
    pool = Pool(settings.home_path / GRAPH, asked)
    endpoint = _endpoint(settings, client, pool)
    app = FastAPI(
        title="De Boodt",
        version=VERSION,
        description=DESCRIPTION,
        openapi_url=None,  # ours may be kept, and has an ETag
        docs_url=None,  # FastAPI's pages load their scripts from another host; ours is made from the same OpenAPI
        redoc_url=None,
        lifespan=_living(
            Following(settings, follow) if follow else None,
            shelf,
            opened if store is None else None,
            names,
            client,
            fetcher,
            pool,
        ),
    )
    ready = Kept(settings.home_path / FOLDER, made_for(settings), opened)
    health: dict[str, Any] = {"models": lambda: list(shelf), "engines": shelf.engines, "broken_models": shelf.troubles}
    health["names"] = names.about if names else {}
    if settings.keep_documents:
        health["documents"] = ready.health
    if not settings.sparql_published:
        health["sparql"] = lambda: lag(opened, pool)
    elif settings.sparql_update:
        health["sparql"] = lambda: externalgraph.lag(opened, settings.home_path)
    image = ImageStore(settings.images).kept
    parts = Parts(opened, settings, site.page, image, ready)
    # First, for routes are tried in their order, and these are asked most by machines that do not rest.
    app.include_router(models_api.router(parts, shelf, now=now, fetch=fetching(fetcher), limits=limits))
    app.include_router(sparqlservice.router(endpoint, lambda query: site.page("sparql.html", _asking(query, settings))))
    app.include_router(queryroutes.router(endpoint, settings, site.page))
    catalogue = Catalogue(parts, lambda: holdings(settings, opened), examples)
    app.include_router(_pages(app, parts, site, catalogue, shelf))
    app.include_router(catalogue_routes.router(catalogue, parts))
    app.include_router(
        documents_api.router(
            opened,
            settings,
            pages=site.page,
            image=image,
            health=health,
            names=Answering(names, services),
            kept=ready,
        )
    )
    app.include_router(countingroutes.router(opened, settings.home_path / "campaigns"))
    app.include_router(crowd_api.router(parts, now=now, index=names))
    _add_problems(app, site)
    add_tombstones(app, parts)
    app.add_middleware(Compressed)
    app.add_middleware(Manners)
    if opened.at_once:
        app.add_middleware(
            Shortcut,
            answering=lambda request, key: annotationroutes.identified(request, parts, key),
            kept=ready,
            base=parts.base,
            always=HEADERS + OPEN,
        )
    _describe_problems(app)
    return app


def _endpoint(settings: Settings, client: Client, pool: Pool) -> Endpoint:
    """Return what answers queries: our own graph, or the server that the settings name."""
    graph = settings.published_graph
    ask = pool.ask
    if settings.sparql_published:
        only = graph if settings.sparql_update else ""
        ask = External(client, settings.sparql_published, pool.limits, only).ask
    return Endpoint(settings.base_url.rstrip("/"), ask, pool.limits, graph)


def _asking(query: str, settings: Settings) -> dict[str, Any]:
    """Return what the page with the editor shows: the query, and those that come with De Boodt."""
    samples = [one for one in map(load_query, query_names()) if one.endpoint == PUBLISHED]
    return {
        "query": query or samples[0].here(settings),
        "asked": bool(query),
        "samples": [(one.name, one.summary, one.here(settings)) for one in samples],
    }


def _living(
    follower: Following | None, shelf: Shelf, *parts: Store | NameIndex | Client | Pool | None
) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if follower is not None:
            follower.start()
        shelf.start()
        try:
            yield
        finally:
            for part in (follower, shelf, *parts):
                if part is not None:
                    part.close()

    return lifespan


def _pages(
    app: FastAPI,
    parts: Parts,
    site: Website,
    catalogue: Catalogue,
    shelf: Shelf,
) -> APIRouter:
    """Return the routes of the pages that put everything together; they are for people and not in OpenAPI."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/")
    def home(request: Request) -> Response:
        if preferred(request.headers.get("accept", ""), [HTML, *DATA_FORMS]) != HTML:
            return catalogue.answer(request, catalogue.document(), "catalogue.html", "", suffixed=False)
        page = site.page("home.html", _home(parts, shelf))
        return HTMLResponse(page, headers={"Vary": "Accept", "Link": links(parts.base)})

    @router.get("/openapi.json")
    def description(request: Request) -> Response:
        return kept(request, orjson.dumps(app.openapi()), JSON)

    @router.get("/docs")
    def docs() -> HTMLResponse:
        description = app.openapi()
        return HTMLResponse(site.page("docs.html", {"openapi": description, "groups": operations(description)}))

    @router.get("/static/{name}")
    def files(name: str) -> Response:
        if name not in STATIC or not there(name):
            raise not_found("file", name)
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(static(name), media_type=STATIC[name], headers=headers)

    @router.get("/campaigns/{campaign}/report")
    def report(campaign: str) -> Response:
        path = _report(parts.settings, campaign)
        if path is None:
            raise not_found("report of campaign", campaign)
        headers = {"Content-Security-Policy": REPORT_POLICY, "Cache-Control": "no-cache"}
        return FileResponse(path, media_type=HTML, headers=headers)

    return router


def _home(parts: Parts, shelf: Shelf) -> dict[str, Any]:
    """Return what the home page shows."""
    store = parts.store
    recent = [(one, store.get(MediaFile, one.file)) for one in store.recent(Identification, RECENT)]
    numbers = {kind: store.count(kind) for kind in (MediaFile, Tag, Label, Taxon, Identification)}
    counts = [
        ("pictures", numbers[MediaFile], ""),
        ("tags", numbers[Tag], ""),
        ("labels", numbers[Label], "/labels"),
        ("names resolved", numbers[Taxon], ""),
        ("identifications", numbers[Identification], "/identifications"),
    ]
    return {
        "counts": counts,
        "total": numbers[Identification],
        "recent": [(one, media, picture(parts, media, 250)) for one, media in recent],
        "simulated": any(media.simulated for _, media in recent if media),
        "models": [one.bundle for one in shelf.values() if not shelf.terms(one.bundle.about.name).restricted],
        "broken": list(shelf.broken.items()),
        "campaigns": _campaigns(parts),
    }


def _campaigns(parts: Parts) -> list[dict[str, Any]]:
    steps: dict[str, list[Step]] = defaultdict(list)
    for step in parts.store.each(Step):
        steps[step.campaign].append(step)
    return [
        {
            "name": name,
            "steps": sorted(done, key=lambda step: ORDER.index(step.name) if step.name in ORDER else len(ORDER)),
            "report": f"/campaigns/{name}/report" if _report(parts.settings, name) else "",
        }
        for name, done in sorted(steps.items())
    ]


def _report(settings: Settings, campaign: str) -> Path | None:
    """Return where a campaign's report is; a name that leads elsewhere leads nowhere."""
    folder = settings.home_path / "campaigns"
    path = folder / campaign / "report.html"
    if campaign in ("", ".", "..") or Path(campaign).name != campaign or not path.is_file():
        return None
    return path


def operations(openapi: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str, Any]]]]:
    """Return an OpenAPI description's operations by tag, in the order they are described in."""
    groups: dict[str, list[tuple[str, str, Any]]] = defaultdict(list)
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            groups[operation.get("tags", ["other"])[0]].append((method, path, operation))
    return list(groups.items())


def _add_problems(app: FastAPI, site: Website) -> None:
    """Make every error a problem document, or a page where a browser asks."""

    def answer(request: Request, status: int, title: str, detail: str, **more: Any) -> Response:
        headers = more.pop("headers", None)
        if preferred(request.headers.get("accept", ""), [PROBLEM_JSON, HTML]) == HTML:
            page = site.page("problem.html", {"title": title, "detail": detail})
            return HTMLResponse(page, status, {**(headers or {}), "Vary": "Accept"})
        if request.url.path.startswith("/v2"):
            more["error"] = f"{title}: {detail}".removesuffix(": ")  # where inference clients look for it
        return problem_response(status, title, detail, instance=request.url.path, headers=headers, **more)

    @app.exception_handler(HTTPException)
    async def problem(request: Request, error: HTTPException) -> Response:
        title = error.title if isinstance(error, Problem) else error.detail
        detail = "" if title == error.detail else error.detail
        return answer(request, error.status_code, title, detail, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        errors = [{"where": ".".join(map(str, one["loc"])), "what": one["msg"]} for one in error.errors()]
        detail = "; ".join(f"{one['where']}: {one['what']}" for one in errors)
        return answer(request, 422, "Request cannot be understood", detail, errors=errors)

    @app.exception_handler(DeBoodtError)
    async def ours(request: Request, error: DeBoodtError) -> Response:
        # Which database and where is nobody's business outside; the server's own log has it.
        if isinstance(error, StoreError):
            return answer(request, 503, "The store cannot be read", "Try again later.", headers={"Retry-After": "10"})
        if isinstance(error, BundleError):
            return answer(request, 503, "The model cannot be opened", "Try again later.", headers={"Retry-After": "10"})
        return answer(request, 500, "Something is set up wrongly", "")


def _describe_problems(app: FastAPI) -> None:
    """Let OpenAPI say that what cannot be understood is answered with a problem, too (FastAPI says otherwise)."""
    described = app.openapi

    def openapi() -> dict[str, Any]:
        content = described()
        schemas = content.setdefault("components", {}).setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        schemas["Problem"] = PROBLEM_SCHEMA
        wrong = {"$ref": "#/components/schemas/HTTPValidationError"}
        for methods in content["paths"].values():
            for operation in methods.values():
                answer = operation["responses"].get("422", {})
                if answer.get("content", {}).get("application/json", {}).get("schema") == wrong:
                    operation["responses"]["422"] = problems(422)[422]
        return content

    app.openapi = openapi  # type: ignore[method-assign]
