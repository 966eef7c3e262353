"""Asking models over HTTP. In: the models, who may ask, where answers are kept. Out: a router, with models' documents.

An image that is sent is looked at and forgotten, unless somebody who may has the answer kept: then it has an address.
An answer that is not kept has a URN for an id. How questions wait, are counted and refused is told in
``identify.asking``; the same models answer the Open Inference Protocol in ``identify.openinference``.
"""

import base64
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import Response

from crowd.guard import Guard
from crowd.reviewqueue import follow
from crowd.rights import Person
from harvest.imagestore import ImageStore
from identify import modelroutes, openinference
from identify.asking.access import Access, Asker
from identify.asking.answers import answered
from identify.asking.asked import Asked, Wishes
from identify.asking.desk import Desk
from identify.asking.fetching import Fetch
from identify.asking.keeping import Shown, keep, observed
from identify.asking.quotas import Taken
from identify.asking.received import FORM_TYPE, JSON_TYPE, MAX_IMAGES, TAKEN, Sent, received
from identify.asking.shelf import Shelf
from identify.images import UNREADABLE
from identify.information import in_language
from identify.runtime import Classifier, Scores, identification
from identify.versions import found
from linkeddata import documents, jsonld
from linkeddata.contexts import ContextForm
from linkeddata.decoding import Limits, UnreadableImageError
from linkeddata.negotiation import HTML, JSON_LD
from linkeddata.nodes import Document
from linkeddata.parts import Page, Parts
from linkeddata.problem import Problem
from linkeddata.records import Identification
from linkeddata.responses import Context, problems, respond
from linkeddata.thumbnails import thumbnail

SHOWN_PX = 960


@dataclass(frozen=True, slots=True)
class Asking:
    """What the routes that ask models work with."""

    parts: Parts
    shelf: Shelf
    access: Access
    desk: Desk
    now: Callable[[], str]
    limits: Limits


@dataclass(frozen=True, slots=True)
class _Question:
    """A question that was let through: to which model, by whom, how, in which form the answer is wanted."""

    request: Request
    classifier: Classifier
    asker: Asker
    wishes: Wishes
    context: ContextForm
    person: Person | None


def router(
    parts: Parts,
    shelf: Shelf,
    *,
    now: Callable[[], str],
    fetch: Fetch,
    limits: Limits,
) -> APIRouter:
    """Return the routes. ``now`` tells the moment of an answer, ``fetch`` brings images by address."""
    api = APIRouter(tags=["models"])
    access = Access(Guard(parts.store, parts.settings, now), shelf.terms)
    asking = Asking(parts, shelf, access, Desk(fetch), now, limits)
    _add_identify(api, asking)
    api.include_router(modelroutes.router(parts, shelf))
    api.include_router(openinference.router(parts.store, shelf, access, asking.desk, now))
    return api


def _add_identify(api: APIRouter, asking: Asking) -> None:
    @api.post(
        "/models/{name}/identify",
        summary="Ask a model what images show",
        response_class=Response,
        responses={
            200: {
                "description": "The answer, or with `each` a list of answers. `RateLimit` says how many are left.",
                "content": {JSON_LD: {"example": _example()}, HTML: {}},
            },
            **problems(401, 403, 404, 406, 408, 413, 415, 422, 429, 503),
        },
        openapi_extra={"requestBody": _body_described()},
    )
    async def identify(request: Request, name: str, asked: Asked, context: Context = "link") -> Response:
        """The answer is a Web Annotation with model, version, moment, certainty, and the alternatives it considered.

        Up to ten images of one object are one observation and have one answer; with `each` every image has its own.
        `decision` is `unknown` where the model does not know; its alternatives are then no identification. Neither
        images nor answer are kept, unless `store` asks for it. JPEG, PNG, WebP, TIFF, GIF, BMP, JPEG 2000; 25 MB an
        image at most. A restricted model answers whoever sends a token that was granted for it.

        `curl --data-binary @plate.jpg -H 'Content-Type: image/jpeg' …/models/NAME/identify`

        `curl -F a=@front.jpg -F b=@back.jpg …/models/NAME/identify`

        `curl -H 'Content-Type: application/json' -d '{"urls": ["https://…/plate.jpg"]}' …/models/NAME/identify`
        """
        classifier = found(asking.parts.store, asking.shelf, name)
        asker = asking.access.asker(request, classifier)
        person = asking.access.guard.changing(request, "identify") if asked.store else None
        _ = asked.known  # what cannot be understood is said before anything is read
        asking.desk.admit()
        async with received(request, asking.desk.held) as sent:
            taken = asking.access.count(asker, len(sent))
            question = _Question(request, classifier, asker, asked, context, person)
            async with asking.desk.brought(sent) as brought:
                shown, lost = _shown(sent, brought)
                seen = await asking.desk.scores(classifier, [one.data for one in shown])
                return await to_thread.run_sync(_answer, asking, question, shown, seen, lost, taken)


def _shown(sent: Sequence[Sent], brought: Sequence[bytes | Problem]) -> tuple[list[Shown], list[tuple[str, Problem]]]:
    """Return the images with their bytes, and those that could not be fetched; raises the ``Problem`` of a lone one."""
    shown, lost = [], []
    for one, data in zip(sent, brought, strict=True):
        if not isinstance(data, Problem):
            shown.append(Shown(one, data, ""))
        elif data.status_code == 503 or len(sent) == 1:
            raise data
        else:
            lost.append((one.url, data))
    return shown, lost


def _answer(
    asking: Asking,
    question: _Question,
    shown: Sequence[Shown],
    seen: Sequence[Scores | UnreadableImageError],
    lost: list[tuple[str, Problem]],
    taken: Taken,
) -> Response:
    """Return the answers about what was seen; raises ``Problem`` 422 where nothing could be."""
    read: list[tuple[Shown, Scores]] = []
    for image, scores in zip(shown, seen, strict=True):
        if isinstance(scores, UnreadableImageError):
            lost.append((image.sent.name, Problem(422, UNREADABLE.capitalize(), str(scores))))
        else:
            read.append((Shown(image.sent, image.data, scores.sha1), scores))
    if not read:
        first = lost[0][1]
        raise Problem(first.status_code, first.title, "; ".join(_lost_line(name, one) for name, one in lost))
    groups = [[one] for one in read] if question.wishes.each else [read]
    answers = [_answered(asking, question, group) for group in groups]
    asking.access.used(question.asker, question.classifier, [scores.sha1 for _, scores in read], asking.now())
    docs = [_document(asking, question, one, group) for one, group in answers]
    lines = [_lost_line(name, one) for name, one in lost]
    doc = (
        _together(docs, lines, asking.parts.base)
        if question.wishes.each
        else docs[0] | ({"lost": lines} if lines else {})
    )
    page = Page("answer.html", lambda: _page(asking, question, answers, docs, lines))
    response = respond(question.request, asking.parts, doc, page=page, context=question.context, suffixed=False)
    response.headers.update({"Cache-Control": "no-store", **taken.headers})
    return response


def _answered(
    asking: Asking, question: _Question, group: Sequence[tuple[Shown, Scores]]
) -> tuple[Identification, Sequence[Shown]]:
    """Return the answer about one object, kept where that was asked for."""
    shown = [image for image, _ in group]
    media = observed(shown)
    seen = [scores for _, scores in group]
    answer = identification(question.classifier, media, seen, moment=asking.now(), asked=question.wishes.known)
    if question.person is not None:
        store = asking.parts.store
        answer = keep(store, ImageStore(asking.parts.settings.images), shown, answer, question.person, asking.limits)
        follow(store)
    return answer, shown


def _document(asking: Asking, question: _Question, answer: Identification, shown: Sequence[Shown]) -> Document:
    leaflet = asking.shelf.information.of(answer.label, answer.item, answer.gbif_key)
    return answered(asking.parts, question.classifier, answer, question.wishes, shown, leaflet)


def _together(docs: Sequence[Document], lost: Sequence[str], base: str) -> Document:
    """Return several answers as one document, with what was lost."""
    bare = [{key: value for key, value in doc.items() if key != "@context"} for doc in docs]
    return {"@context": f"{base}/context.jsonld", "items": bare, **({"lost": list(lost)} if lost else {})}


def _lost_line(name: str, problem: Problem) -> str:
    return f"{name}: {problem.title}: {problem.detail}".removeprefix(": ")


def _page(
    asking: Asking,
    question: _Question,
    answers: Sequence[tuple[Identification, Sequence[Shown]]],
    docs: Sequence[Document],
    lost: Sequence[str],
) -> dict[str, Any]:
    store, accepted = asking.parts.store, question.request.headers.get("accept-language", "")
    return {
        "bundle": question.classifier.bundle,
        "stored": question.wishes.store,
        "lost": lost,
        "answers": [
            {
                "record": answer,
                "doc": doc,
                "pictures": [_small(one.data) for one in shown],
                "taxon": documents.taxon_of(store, answer.item, answer.gbif_key),
                "text": in_language(doc.get("information", {}).get("told", {}).items(), accepted),
                "found": in_language(doc.get("information", {}).get("distribution", {}).items(), accepted),
            }
            for (answer, shown), doc in zip(answers, docs, strict=True)
        ],
    }


def _small(image: bytes) -> str:
    """Return a small copy of the image as a ``data:`` address, for the page that answers; it is kept nowhere.

    ``""`` for an image that the model can read and a browser could not be shown.
    """
    with suppress(OSError, ValueError):
        return "data:image/jpeg;base64," + base64.b64encode(thumbnail(image, SHOWN_PX)).decode()
    return ""


def _body_described() -> dict[str, Any]:
    binary = {"type": "string", "format": "binary"}
    images = {"type": "array", "items": binary, "maxItems": MAX_IMAGES}
    address = {"type": "string", "format": "uri"}
    addresses = {"type": "array", "items": address, "minItems": 1, "maxItems": MAX_IMAGES}
    form = {"type": "object", "properties": {"image": images, "url": {"type": "array", "items": address}}}
    urls = {"type": "object", "required": ["urls"], "properties": {"urls": addresses}}
    return {
        "required": True,
        "description": TAKEN,
        "content": {
            FORM_TYPE: {"schema": form},
            "image/*": {"schema": binary},
            JSON_TYPE: {"schema": urls, "example": {"urls": ["https://upload.wikimedia.org/plate.jpg"]}},
        },
    }


def _example() -> Document:
    """Return an answer as it looks, for the description of the API."""
    answer = Identification(
        id="5d0c7b2e",
        file="urn:sha1:2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
        model="papillotten",
        version="1",
        weights="0" * 64,
        label="Vanessa cardui",
        rank="species",
        item="Q158603",
        gbif_key="4299368",
        certainty=0.97,
        rule="R2",
        agent="urn:deboodt:model:papillotten@1",
        moment="2026-11-02T10:00:00Z",
    )
    return jsonld.document(answer, base_url="https://deboodt.example", stored=False)
