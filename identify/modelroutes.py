"""Models and their classes over HTTP. In: the parts of all routes, the open classifiers. Out: a router.

A version whose files are gone keeps its documents, for what it said leads to them.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from identify import versions
from identify.versions import Models, Version
from linkeddata import documents, jsonld
from linkeddata.jsonld import ContextForm, Document
from linkeddata.negotiation import without_suffix
from linkeddata.parts import Gone, Page, Parts, with_pictures
from linkeddata.problem import not_found
from linkeddata.records import Identification, ModelClass
from linkeddata.responses import Context, described, respond
from linkeddata.withdrawals import tombstone_of

SHOWN = 24


def router(parts: Parts, models: Models) -> APIRouter:
    """Return the routes of models and their classes."""
    api = APIRouter(tags=["models"])

    @api.get("/models", summary="All models", response_class=Response, responses=described("Models as JSON-LD."))
    def all_(request: Request, context: Context = "link") -> Response:
        """Every version that is known, with its digest; each leads to its classes."""
        known = versions.every(parts.store, models)
        told = [one.document(parts.base, full=False) for one in known]
        bare = [{key: value for key, value in doc.items() if key != "@context"} for doc in told]
        doc = {"@context": f"{parts.base}/context.jsonld", "id": f"{parts.base}/models", "items": bare}
        page = Page("models.html", lambda: {"models": known})
        return respond(request, parts, doc, page=page, context=context, suffixed=False)

    @api.get(
        "/models/{name}/classes",
        summary="What a model can answer",
        response_class=Response,
        responses=described("A SKOS concept scheme: each class with its Wikidata item and GBIF taxon.", _example()),
    )
    def classes(request: Request, name: str, context: Context = "link") -> Response:
        """The classes in the order of the model's outputs (`notation`)."""
        return _answer(request, parts, versions.named(parts.store, models, name)[0], "", context, suffixed=False)

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
        return _answer(request, parts, version, form, context)

    return api


def _answer(
    request: Request, parts: Parts, version: Version, form: str, context: ContextForm, suffixed: bool = True
) -> Response:
    page = Page("model.html", lambda: _shown(parts, version))
    doc = version.document(parts.base, full=True)
    return respond(request, parts, doc, page=page, form=form, context=context, suffixed=suffixed)


def _shown(parts: Parts, version: Version) -> dict[str, Any]:
    bundle = version.bundle
    return {
        "model": version,
        "bundle": bundle,
        "metrics": bundle.metrics if bundle else {},
        "card": bundle.card if bundle else "",
    }


def _class_document(version: Version, one: ModelClass, base: str) -> Document:
    concepts = version.document(base, full=True)["hasTopConcept"]
    concept = next(doc for doc in concepts if doc["notation"] == str(one.index))
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
    return jsonld.model_document(named, base_url="https://deboodt.example")
