"""Reviews over HTTP, one by one. In: the parts of all routes. Out: routes of reviews."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from linkeddata import documents
from linkeddata.jsonld import Document
from linkeddata.parts import Page, Parts, found, picture
from linkeddata.records import Identification, Label, MediaFile, Review
from linkeddata.responses import Context, described, respond
from linkeddata.reviews import target_uri


def router(parts: Parts) -> APIRouter:
    """Return the routes of reviews."""
    api = APIRouter(tags=["documents"])

    @api.get(
        "/reviews/{key:path}",
        summary="One review: a person's verdict on a label or an identification",
        response_class=Response,
        responses=described("A W3C Web Annotation, motivation *assessing*."),
    )
    def review(request: Request, key: str, context: Context = "link") -> Response:
        """What was judged (`target`), the `verdict`, which taxon it should be, and who says so.

        A review that its reviewer took back answers 410.
        """
        record, form = found(parts, Review, key, "review")
        doc = documents.review_document_of(parts.store, record, parts.base)
        page = Page("review.html", lambda: _around(parts, record, doc))
        return respond(request, parts, doc, page=page, form=form, context=context)

    return api


def _around(parts: Parts, review: Review, doc: Document) -> dict[str, Any]:
    kind: type[Identification] | type[Label] = Label if review.kind == "label" else Identification
    judged = parts.store.get(kind, review.target)
    media = parts.store.get(MediaFile, review.file or (judged.file if judged else ""))
    return {
        "record": review,
        "doc": doc,
        "judged": judged,
        "target": target_uri(review, parts.base),
        "media": media,
        "picture": picture(parts, media, 960),
        "correction": documents.taxon_of_concept(parts.store, review.correction),
    }
