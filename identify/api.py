"""Asking models over HTTP. In: the classifiers, opened. Out: a router that answers images, with the models' documents.

An image that is sent is looked at and forgotten: neither it nor the answer is kept, therefore the answer's id is a URN
and not an address. Models run beside the event loop, two images at a time; when too many wait, the next is sent away
with 503 and ``Retry-After`` instead of being kept in memory.
"""

import base64
from collections.abc import AsyncGenerator, Callable
from typing import Any

import anyio
from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from identify import modelroutes
from identify.runtime import Classifier, identify_upload
from identify.versions import Models, found
from linkeddata import documents, jsonld
from linkeddata.jsonld import ContextForm, Document
from linkeddata.negotiation import HTML, JSON_LD
from linkeddata.parts import Images, Page, Pages, Parts
from linkeddata.problem import Problem
from linkeddata.records import Failure, Identification
from linkeddata.responses import Context, problems, respond
from linkeddata.settings import Settings
from linkeddata.store import Store
from linkeddata.thumbnails import thumbnail

MAX_UPLOAD_BYTES = 25_000_000
"""Largest image that is taken over HTTP; a museum's masters go through ``deboodt identify``."""
FORM_OVERHEAD_BYTES = 100_000
AT_ONCE = 2
WAITING = 16
RETRY_AFTER_S = 5
SHOWN_PX = 960
RAW_TYPES = ("image/", "application/octet-stream")
TAKEN = "multipart/form-data with the image in a field, or the image itself as image/*"


def router(
    store: Store,
    classifiers: Models,
    settings: Settings,
    *,
    now: Callable[[], str],
    pages: Pages | None = None,
    image: Images = lambda media: None,
) -> APIRouter:
    """Return the routes.

    ``now`` tells the moment of an answer, ``pages`` makes HTML (none is offered without), ``image`` finds local copies.
    """
    api = APIRouter(tags=["models"])
    parts = Parts(store, settings, pages, image)
    api.include_router(modelroutes.router(parts, classifiers))
    _add_identify(api, parts, classifiers, now)
    return api


def _add_identify(api: APIRouter, parts: Parts, classifiers: Models, now: Callable[[], str]) -> None:
    turns = anyio.CapacityLimiter(AT_ONCE)

    @api.post(
        "/models/{name}/identify",
        summary="Ask a model what an image shows",
        response_class=Response,
        responses={
            200: {"description": "The answer; nothing is kept.", "content": {JSON_LD: {}, HTML: {}}},
            **problems(404, 406, 413, 415, 422, 503),
        },
        openapi_extra={"requestBody": _body_described()},
    )
    async def identify(request: Request, name: str, context: Context = "link") -> Response:
        """The answer is a Web Annotation with model, version, moment, certainty, and the alternatives it considered.

        `decision` is `unknown` where the model does not know; its alternatives are then no identification. Neither the
        image nor the answer is kept. JPEG, PNG, WebP, TIFF, GIF, BMP, JPEG 2000; 25 MB at most.

        `curl --data-binary @plate.jpg -H 'Content-Type: image/jpeg' …/models/NAME/identify`
        """
        classifier = found(parts.store, classifiers, name)
        image = await _received(request)
        if turns.statistics().tasks_waiting >= WAITING:
            raise Problem(503, "Busy", "Too many images are waiting.", {"Retry-After": str(RETRY_AFTER_S)})
        return await to_thread.run_sync(_answer, request, parts, classifier, image, now(), context, limiter=turns)


def _answer(
    request: Request, parts: Parts, classifier: Classifier, image: bytes, moment: str, context: ContextForm
) -> Response:
    """Return the model's answer about ``image``; raises ``Problem`` 422 for what is no image."""
    answer = identify_upload(classifier, image, moment=moment)
    if isinstance(answer, Failure):
        raise Problem(422, answer.reason.capitalize(), answer.detail)
    doc = answered(parts.store, classifier, answer, parts.base)
    page = Page(
        "answer.html",
        lambda: {
            "record": answer,
            "doc": doc,
            "bundle": classifier.bundle,
            "picture": _shown(image),
            "taxon": documents.taxon_of(parts.store, answer.item, answer.gbif_key),
        },
    )
    response = respond(request, parts, doc, page=page, context=context, suffixed=False)
    response.headers["Cache-Control"] = "no-store"
    return response


def answered(store: Store, classifier: Classifier, answer: Identification, base_url: str) -> Document:
    """Return the document of an answer that nobody keeps."""
    taxon = documents.taxon_of(store, answer.item, answer.gbif_key)
    doc = jsonld.document(answer, taxon=taxon, agent=classifier.bundle.agent, base_url=base_url, stored=False)
    if not classifier.bundle.about.simulated:
        return doc
    painted = "The model learned from painted, simulated plates only and knows nothing about real specimens."
    remarks = f"{doc.get('identificationRemarks', '')} {painted}".strip()
    return doc | {"identificationRemarks": remarks}


def _shown(image: bytes) -> str:
    """Return a small copy of the image as a ``data:`` address, for the page that answers; it is kept nowhere.

    ``""`` for an image that the model can read and a browser could not be shown.
    """
    try:
        return "data:image/jpeg;base64," + base64.b64encode(thumbnail(image, SHOWN_PX)).decode()
    except (OSError, ValueError):
        return ""


async def _received(request: Request) -> bytes:
    """Return the image in a request's body. Raises ``Problem`` 413, 415 or 422."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        image = await _first_file(request.headers, _limited(request, MAX_UPLOAD_BYTES + FORM_OVERHEAD_BYTES))
    elif kind.startswith(RAW_TYPES):
        image = b"".join([piece async for piece in _limited(request, MAX_UPLOAD_BYTES)])
    else:
        raise Problem(415, "Unsupported media type", f"Send {TAKEN}.", {"Accept": "image/*, multipart/form-data"})
    if not image:
        raise Problem(422, "No image", f"The request holds no image. Send {TAKEN}.")
    return image


async def _limited(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """Yield the body as it comes, and stop with ``Problem`` 413 as soon as it is, or says it is, too long."""
    too_large = Problem(413, "Image too large", f"At most {MAX_UPLOAD_BYTES:,} bytes are taken.")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise too_large
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > limit:
            raise too_large
        yield piece


async def _first_file(headers: Headers, body: AsyncGenerator[bytes, None]) -> bytes:
    try:
        form = await MultiPartParser(headers, body, max_files=4, max_fields=20).parse()
    except (MultiPartException, KeyError) as error:
        raise Problem(422, "Form cannot be read", str(getattr(error, "message", error))) from error
    try:
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        return await files[0].read() if files else b""
    finally:
        await form.close()


def _body_described() -> dict[str, Any]:
    binary = {"type": "string", "format": "binary"}
    form = {"type": "object", "required": ["image"], "properties": {"image": binary}}
    return {
        "required": True,
        "description": TAKEN,
        "content": {"multipart/form-data": {"schema": form}, "image/*": {"schema": binary}},
    }
