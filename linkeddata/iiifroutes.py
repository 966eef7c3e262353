"""Manifests and annotation lists of media files over HTTP. In: the parts of all routes. Out: routes."""

import hashlib

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response

from linkeddata import conditions, iiif
from linkeddata.documents import successors_of
from linkeddata.negotiation import JSON_LD
from linkeddata.nodes import Document
from linkeddata.parts import Parts, find_media
from linkeddata.problem import Problem
from linkeddata.records import Identification, Label
from linkeddata.responses import problems
from linkeddata.withdrawals import withdrawal

MEDIA_TYPE = f'{JSON_LD};profile="{iiif.PRESENTATION}"'
MOST = 1000
"""Annotations of each kind in one list; viewers do not page."""


def router(parts: Parts) -> APIRouter:
    """Return the routes; they must stand before that of the file itself, which takes all that begins as they do."""
    api = APIRouter(tags=["iiif"])
    answers = {200: {"description": "A IIIF resource."}, 304: {"description": "Not changed."}, **problems(404)}

    @api.get("/media/{iri:path}/manifest.json", summary="Manifest", response_class=Response, responses=answers)
    def manifest(request: Request, iri: str) -> Response:
        """A IIIF Presentation 3 manifest with one canvas, and where the annotations on it are."""
        media = find_media(parts, iri)
        if not (media.width_px and media.height_px):
            raise Problem(404, "No manifest", "The size of this picture is not known, and no canvas is without one.")
        return _sent(request, iiif.manifest(media, parts.base))

    @api.get("/media/{iri:path}/annotations.json", summary="Annotations", response_class=Response, responses=answers)
    def annotations(request: Request, iri: str) -> Response:
        """What is said of this picture, as an AnnotationPage that viewers show; what was replaced is left out."""
        media = find_media(parts, iri)
        answers = parts.store.page(Identification, file=media.iri, limit=MOST)
        replaced = successors_of(parts.store, [one.id for one in answers])
        said: list[Identification | Label] = [one for one in answers if one.id not in replaced]
        said += [one for one in parts.store.page(Label, file=media.iri, limit=MOST) if withdrawal(one) is None]
        return _sent(request, iiif.annotations(media, said, parts.base))

    return api


def _sent(request: Request, doc: Document) -> Response:
    body = orjson.dumps(doc)
    headers = {"ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"', "Cache-Control": "no-cache"}
    if conditions.answered(request.headers, headers["ETag"]) == 304:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers | {"Content-Type": MEDIA_TYPE})
