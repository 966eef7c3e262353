"""Reviews over HTTP, one by one. In: the parts of all routes. Out: routes of reviews."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from linkeddata import documents
from linkeddata.inprofiles import Asked, AsProfile, Loss, others, said_in
from linkeddata.parts import Page, Parts, found, picture
from linkeddata.profiles.verdicts import REVIEWS, SaidOfReview
from linkeddata.records import Review
from linkeddata.responses import Context, described
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
    def review(
        request: Request, key: str, context: Context = "link", profile: AsProfile = "", loss: Loss = False
    ) -> Response:
        """What was judged (`target`), the `verdict`, which taxon it should be, and who says so.

        A review that its reviewer took back answers 410. `profile`: anno, opends, or linked-art for a verdict that
        names a taxon; the others describe what stands and no verdicts.
        """
        record, form = found(parts, Review, key, "review")
        said = documents.said_of_review(parts.store, record, parts.base, parts.settings.handle_prefix)
        page = Page("review.html", lambda: _around(parts, said))
        return said_in(request, parts, said, REVIEWS, Asked(form, context, profile, loss), page)

    return api


def _around(parts: Parts, said: SaidOfReview) -> dict[str, Any]:
    return {
        "record": said.review,
        "doc": said.document(),
        "profiles": others(said, REVIEWS),
        "judged": said.judged,
        "target": target_uri(said.review, parts.base),
        "media": said.media,
        "picture": picture(parts, said.media, 960),
        "correction": said.taxon if said.review.correction else None,
    }
