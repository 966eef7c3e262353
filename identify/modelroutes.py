"""Models and their classes over HTTP. In: the parts of all routes, the open classifiers. Out: a router.

A version whose files are gone keeps its documents, for what it said leads to them.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from identify import versions
from identify.asking.shelf import Shelf
from identify.versions import Version
from linkeddata import documents, iris, modeldocuments, nodes
from linkeddata.negotiation import without_suffix
from linkeddata.nodes import Document
from linkeddata.parts import Gone, Page, Parts, with_pictures
from linkeddata.problem import not_found
from linkeddata.records import Identification, ModelClass
from linkeddata.responses import Context, described, problems, respond
from linkeddata.withdrawals import tombstone_of

SHOWN = 24


PAGE_LENGTH = 1000
"""Classes on a page of them."""
MARKDOWN = "text/markdown; charset=utf-8"
PageNumber = Annotated[int, Query(ge=1, le=1_000_000, description=f"Which {PAGE_LENGTH} of the classes.")]


def router(parts: Parts, models: Shelf) -> APIRouter:
    """Return the routes of models and their classes."""
    api = APIRouter(tags=["models"])

    @api.get("/models", summary="All models", response_class=Response, responses=described("Models as JSON-LD."))
    def all_(request: Request, context: Context = "link") -> Response:
        """Every version that is known, with its digest; each leads to its classes."""
        known = versions.every(parts.store, models)
        told = [_document(parts, models, one, full=False) for one in known]
        bare = [{key: value for key, value in doc.items() if key != "@context"} for doc in told]
        doc = {"@context": f"{parts.base}/context.jsonld", "id": f"{parts.base}/models", "items": bare}
        page = Page("models.html", lambda: {"models": [(one, models.terms(one.name)) for one in known]})
        return respond(request, parts, doc, page=page, context=context, suffixed=False)

    @api.get(
        "/models/{name}/classes",
        summary="What a model can answer",
        response_class=Response,
        responses=described("A SKOS concept scheme: each class with its Wikidata item and GBIF taxon.", _example()),
    )
    def classes(request: Request, name: str, page: PageNumber = 1, context: Context = "link") -> Response:
        """The classes in the order of the model's outputs (`notation`), a thousand on a page; `next` leads on."""
        version = versions.named(parts.store, models, name)[0]
        doc = _page_of_classes(parts, models, version, page)
        shown = Page("model.html", lambda: _shown(parts, models, version, page))
        return respond(request, parts, doc, page=shown, context=context, suffixed=False)

    @api.get(
        "/models/{name}/classes/{index}",
        summary="One class of a model",
        response_class=Response,
        responses=described("A SKOS concept: what the class is linked to, and when that was read."),
    )
    def class_(request: Request, name: str, index: str, context: Context = "link") -> Response:
        """`index` is the place of the class among the model's outputs (`notation`)."""
        number, form = without_suffix(index)
        version, _ = versions.named(parts.store, models, name)
        one = next((one for one in version.classes if str(one.index) == number), None)
        if one is None:
            if gone := tombstone_of(parts.store, ModelClass, f"{version.name}@{version.version}/{number}"):
                raise Gone(gone, form)
            raise not_found("class", f"{name}/{index}")
        doc = _class_document(version, one, parts.base)
        page = Page("class.html", lambda: _around(parts, version, one, doc))
        return respond(request, parts, doc, page=page, form=form, context=context)

    @api.get(
        "/models/{name}",
        summary="One model",
        response_class=Response,
        responses=described("The model, its version, the digest of its weights, its classes.", _example()),
    )
    def model(request: Request, name: str, context: Context = "link") -> Response:
        """`NAME` is the newest version, `NAME@VERSION` that version. In a browser: how good it is, and its card."""
        version, form = versions.named(parts.store, models, name)
        doc = _document(parts, models, version, full=len(version.classes) <= PAGE_LENGTH)
        page = Page("model.html", lambda: _shown(parts, models, version))
        return respond(request, parts, doc, page=page, form=form, context=context)

    @api.get(
        "/models/{name}/card",
        summary="A model's card",
        response_class=Response,
        responses={200: {"description": "Markdown.", "content": {"text/markdown": {}}}, **problems(404, 410)},
    )
    def card(name: str) -> Response:
        """What it is, how good, what it cannot do, what it learned from."""
        version, _ = versions.named(parts.store, models, name)
        if version.bundle is None:
            raise not_found("card of model", name)
        return Response(version.bundle.card, media_type=MARKDOWN, headers={"Cache-Control": "no-cache"})

    return api


def _document(parts: Parts, models: Shelf, version: Version, *, full: bool) -> Document:
    """Return a version with what its keeper says of it."""
    terms = models.terms(version.name)
    uri = iris.model_uri(parts.base, version.name, version.version)
    return version.document(parts.base, full=full) | nodes.filled(
        {
            "classCount": len(version.classes),
            "classes": f"{uri}/classes",
            "card": f"{uri}/card" if version.bundle else "",
            "restricted": terms.restricted or "",
            "accessRights": terms.use_policy,
            "releaseNotes": terms.note(version.version),
        }
    )


def _page_of_classes(parts: Parts, models: Shelf, version: Version, page: int) -> Document:
    """Return the model with one page of its classes; raises ``Problem`` 404 for one behind the last."""
    begin = (page - 1) * PAGE_LENGTH
    some = version.classes[begin : begin + PAGE_LENGTH]
    if not some:
        raise not_found("page of classes", str(page))
    doc = _document(parts, models, version, full=False)
    part = replace(version, classes=some).document(parts.base, full=True)
    more = begin + PAGE_LENGTH < len(version.classes)
    following = {"next": f"{doc['classes']}?page={page + 1}"} if more else {}
    return doc | {"hasTopConcept": part["hasTopConcept"]} | following


def _shown(parts: Parts, models: Shelf, version: Version, page: int = 1) -> dict[str, Any]:
    bundle = version.bundle
    return {
        "model": version,
        "bundle": bundle,
        "metrics": bundle.metrics if bundle else {},
        "card": bundle.card if bundle else "",
        "terms": models.terms(version.name),
        "classes": version.classes[(page - 1) * PAGE_LENGTH : page * PAGE_LENGTH],
        "page": page,
        "pages": -(-len(version.classes) // PAGE_LENGTH),
    }


def _class_document(version: Version, one: ModelClass, base: str) -> Document:
    (concept,) = replace(version, classes=(one,)).document(base, full=True)["hasTopConcept"]
    return {"@context": f"{base}/context.jsonld", **concept}


def _around(parts: Parts, version: Version, one: ModelClass, doc: Document) -> dict[str, Any]:
    answers = parts.store.page(
        Identification, model=version.name, version=version.version, label=one.label, limit=SHOWN
    )
    row: dict[str, Any] = {}
    if version.bundle is not None:
        measured = version.bundle.metrics.get("unseen", {}).get("per_class", [])
        row = next((row for row in measured if row.get("label") == one.label), {})
    return {
        "model": version,
        "class_": one,
        "doc": doc,
        "row": row,
        "taxon": documents.taxon_of(parts.store, one.item, one.gbif_key),
        "rows": with_pictures(parts, answers),
    }


def _example() -> Document:
    named: Sequence[ModelClass] = [
        ModelClass(
            id="papillotten@1/0",
            model="papillotten",
            version="1",
            index=0,
            label="Vanessa cardui",
            rank="species",
            item="Q158603",
            gbif_key="4299368",
            relation="exact",
        )
    ]
    return modeldocuments.model_document(named, base_url="https://deboodt.example")
