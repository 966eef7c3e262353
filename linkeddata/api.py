"""What is stored, over HTTP. In: the store and the settings. Out: a router of all routes that have to do with it.

Each noun has a module of its own; what they share is in ``linkeddata.parts`` and ``linkeddata.responses``. Here are the
descriptions. Lists are paged by key: the last page costs what the first does. What goes wrong is a problem document
(RFC 9457).
"""

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response

from linkeddata import (
    agentroutes,
    annotationroutes,
    collections,
    contexts,
    dumproutes,
    feedroutes,
    fileroutes,
    iiifroutes,
    nameservice,
    reviewroutes,
    taxonroutes,
)
from linkeddata.keptreader import Kept
from linkeddata.nameservice import Answering
from linkeddata.negotiation import JSON, JSON_LD, SUFFIXES, TURTLE
from linkeddata.parts import Images, Page, Pages, Parts
from linkeddata.problem import not_found
from linkeddata.profiles import CONTEXTS
from linkeddata.records import Identification
from linkeddata.responses import A_DAY, described, kept, problems, respond
from linkeddata.settings import VERSION, Settings
from linkeddata.store import Store


def router(
    store: Store,
    settings: Settings,
    *,
    pages: Pages | None = None,
    image: Images = lambda media: None,
    health: Mapping[str, Any] | None = None,
    names: Answering | None = None,
    kept: Kept | None = None,
) -> APIRouter:
    """Return the routes.

    ``pages`` makes HTML (none is offered without), ``image`` finds local copies of images, ``health`` is said in
    ``/health`` beside what the store says, ``names`` resolves names (that is not offered without), ``kept`` holds
    answers that are ready.
    """
    api = APIRouter()
    parts = Parts(store, settings, pages, image, kept)
    lists = (collections, feedroutes, dumproutes, iiifroutes)
    documents = (annotationroutes, reviewroutes, fileroutes, taxonroutes, agentroutes)
    for noun in lists + documents:
        api.include_router(noun.router(parts))
    _add_descriptions(api, parts, health or {})
    if names is not None:
        api.include_router(nameservice.router(names, parts.base))
    return api


def _add_descriptions(api: APIRouter, parts: Parts, health: Mapping[str, Any]) -> None:
    @api.get(
        "/context.jsonld",
        tags=["descriptions"],
        summary="The JSON-LD context of all documents",
        response_class=Response,
        responses={200: {"description": "Complete in itself.", "content": {JSON_LD: {}}}},
    )
    def context(request: Request) -> Response:
        """Every key our documents use, with the keys of W3C's `anno.jsonld` meaning what they mean there."""
        return kept(request, orjson.dumps(contexts.context(parts.base)), JSON_LD)

    @api.get(
        "/contexts/{name}.jsonld",
        tags=["descriptions"],
        summary="The JSON-LD context of a profile",
        response_class=Response,
        responses={200: {"description": "Complete in itself.", "content": {JSON_LD: {}}}, **problems(404)},
    )
    def profile_context(request: Request, name: str) -> Response:
        """The keys that the profile's documents use, meaning what they mean in the profile's own context."""
        if name not in CONTEXTS:
            raise not_found("context", name)
        return kept(request, orjson.dumps(contexts.profile_context(name)), JSON_LD)

    @api.get(
        "/vocab",
        tags=["descriptions"],
        summary="Our own terms",
        response_class=Response,
        responses=described("An RDF vocabulary."),
    )
    def vocabulary(request: Request) -> Response:
        """The few things that Web Annotation, Darwin Core, PROV, schema.org and SKOS have no word for."""
        return _vocabulary(request, parts, "")

    @api.get("/vocab.{suffix}", include_in_schema=False)
    def vocabulary_as(request: Request, suffix: str) -> Response:
        if suffix not in SUFFIXES:
            raise not_found("document", f"vocab.{suffix}")
        return _vocabulary(request, parts, SUFFIXES[suffix])

    @api.get(
        "/shapes",
        tags=["descriptions"],
        summary="The shapes that our annotations hold to",
        response_class=Response,
        responses={200: {"description": "SHACL.", "content": {TURTLE: {}}}},
    )
    def shapes(request: Request) -> Response:
        """For readers who check before they take; in Turtle, which all that read SHACL take."""
        return kept(request, contexts.shapes(parts.base).encode(), TURTLE)

    @api.get("/shapes.ttl", include_in_schema=False)
    def shapes_in_turtle(request: Request) -> Response:
        return kept(request, contexts.shapes(parts.base).encode(), TURTLE)

    @api.get("/health", tags=["descriptions"], summary="Whether this installation is well", response_class=Response)
    def alive() -> Response:
        """Answers 200 as long as the store can be read, 503 else."""
        parts.store.page(Identification, limit=1)
        return Response(orjson.dumps({"status": "ok", "version": VERSION, **_now(health)}), media_type=JSON)


def _now(health: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said of the health, asking where it has to be asked each time."""
    return {name: said() if callable(said) else said for name, said in health.items()}


def _vocabulary(request: Request, parts: Parts, form: str) -> Response:
    doc = contexts.vocabulary(parts.base)
    return respond(request, parts, doc, page=Page("vocab.html", lambda: {"doc": doc}), form=form, caching=A_DAY)
