"""Taxa over HTTP. In: the parts of all routes. Out: routes of taxa."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from linkeddata import documents, jsonld
from linkeddata.negotiation import without_suffix
from linkeddata.nodes import Document
from linkeddata.parts import Page, Parts, found, with_pictures
from linkeddata.records import Identification, Taxon
from linkeddata.responses import Context, described, respond


def router(parts: Parts) -> APIRouter:
    """Return the routes of taxa."""
    api = APIRouter(tags=["documents"])

    @api.get(
        "/taxa/{query:path}",
        summary="One taxon, by Wikidata item or by a name as it was written",
        response_class=Response,
        responses=described("What the name or item resolved to, with Darwin Core terms; or that it did not."),
    )
    def taxon(request: Request, query: str, context: Context = "link") -> Response:
        """The document's id is the taxon's own (Wikidata, else GBIF); `comment` says how the name matched."""
        record, form = _taxon(parts, query)
        doc = jsonld.taxon_document(record, base_url=parts.base)
        page = Page("taxon.html", lambda: _shown_of_taxon(parts, record, doc))
        return respond(request, parts, doc, page=page, form=form, context=context)

    return api


def _shown_of_taxon(parts: Parts, taxon: Taxon, doc: Document) -> dict[str, Any]:
    names = parts.store.page(Taxon, concept=taxon.concept, limit=200) if taxon.concept else [taxon]
    answers = parts.store.page(Identification, item=taxon.item, limit=12) if taxon.item else []
    return {"taxon": taxon, "doc": doc, "names": names, "rows": with_pictures(parts, answers)}


def _taxon(parts: Parts, query: str) -> tuple[Taxon, str]:
    for key, form in (query, ""), without_suffix(query):
        if parts.store.get(Taxon, key) is None and (known := documents.taxon_of_concept(parts.store, key)):
            return known, form
    return found(parts, Taxon, query, "taxon")
