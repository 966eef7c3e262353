"""Pictures over HTTP: what is known of a file, and our copy of it. In: the parts of all routes. Out: a router."""

from dataclasses import replace
from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, Response

from linkeddata import documents
from linkeddata.inprofiles import Asked, AsProfile, Loss, others, said_in
from linkeddata.parts import Page, Parts, find_media, found, names_of_media, picture
from linkeddata.problem import Problem, not_found
from linkeddata.profiles.files import FILES, SaidOfFile
from linkeddata.records import Identification, Label, MediaFile
from linkeddata.responses import A_DAY, Context, described, problems
from linkeddata.thumbnails import WIDTHS, thumbnail
from linkeddata.withdrawals import withdrawal

THUMBNAILS_KEPT = 512
SAFE_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/tiff"})
"""Types that are sent as what they are; anything else (SVG runs scripts) goes as plain bytes."""


def router(parts: Parts) -> APIRouter:
    """Return the routes of files."""
    api = APIRouter(tags=["files"])
    cached = lru_cache(THUMBNAILS_KEPT)(lambda stored, width: thumbnail(stored.local or stored.read_bytes(), width))

    @api.get(
        "/media/{iri:path}/image",
        summary="The image of a file",
        response_class=Response,
        responses={200: {"description": "The bytes, or a JPEG of the width asked for."}, **problems(404, 422)},
    )
    def image(
        request: Request,
        iri: str,
        width: Annotated[int | None, Query(description=f"One of {', '.join(map(str, WIDTHS))}; none: whole.")] = None,
    ) -> Response:
        """Our local copy, where there is one; the document of the file says where the original is."""
        stored = parts.image(find_media(parts, iri))
        if stored is None:
            raise not_found("local image of", iri)
        headers = {"Cache-Control": A_DAY, "ETag": f'"{stored.sha1}-{width or 0}"'}
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if width is None:
            kind = stored.mime if stored.mime in SAFE_IMAGES else "application/octet-stream"
            if stored.local:
                return FileResponse(stored.local, media_type=kind, headers=headers)
            return Response(stored.read_bytes(), media_type=kind, headers=headers)
        if width not in WIDTHS:
            raise Problem(422, "No such width", f"Images come in widths of {', '.join(map(str, WIDTHS))} pixels.")
        try:
            return Response(cached(stored, width), media_type="image/jpeg", headers=headers)
        except (OSError, ValueError) as error:
            raise Problem(422, "Unreadable image", f"{type(error).__name__}: {error}") from error

    @api.get(
        "/media/{iri:path}",
        summary="One media file",
        response_class=Response,
        responses=described("The file as `dctypes:StillImage`: source, rights, and the annotations on it."),
    )
    def media(
        request: Request, iri: str, context: Context = "link", profile: AsProfile = "", loss: Loss = False
    ) -> Response:
        """`iri` is the file's whole IRI, percent-encoded, or for files on Commons just their M-id.

        `profile`: anno, schema (about what people stand by) or linked-art; the others say nothing of a file alone.
        """
        record, form = found(parts, MediaFile, iri, "file", names_of_media(parts))
        said = documents.said_of_file(parts.store, record, parts.base)
        small = picture(parts, record, 250) if profile else ""
        said = replace(said, thumbnail=parts.base + small) if small else said
        page = Page("media.html", lambda: _shown_of_file(parts, said))
        return said_in(request, parts, said, FILES, Asked(form, context, profile, loss), page)

    return api


def _shown_of_file(parts: Parts, said: SaidOfFile) -> dict[str, Any]:
    media = said.media
    return {
        "media": media,
        "doc": said.document(),
        "profiles": others(said, FILES),
        "picture": picture(parts, media, 960),
        "identifications": parts.store.page(Identification, file=media.iri, limit=50),
        "labels": [one for one in parts.store.page(Label, file=media.iri, limit=50) if withdrawal(one) is None],
    }
