"""Answers that are documents. In: a request and a document. Out: a response in the form that was asked for.

Every document has one URI and several forms: JSON-LD, plain JSON (the same), Turtle, N-Triples, N-Quads, RDF/XML, and a
page for people where there are pages. The ``Accept`` header chooses, or a suffix (``….ttl``).
"""

import hashlib
import re
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import quote

import orjson
from fastapi import Query, Request
from fastapi.responses import Response

from linkeddata import conditions, contexts, serialising
from linkeddata.contexts import ContextForm
from linkeddata.negotiation import (
    HTML,
    JSON,
    JSON_LD,
    N_QUADS,
    N_TRIPLES,
    RDF_XML,
    SUFFIXES,
    TURTLE,
    preferred,
    without_suffix,
)
from linkeddata.nodes import Document
from linkeddata.parts import Page, Parts
from linkeddata.problem import MEDIA_TYPE as PROBLEM_JSON
from linkeddata.problem import Problem
from linkeddata.profiles import PROFILES
from linkeddata.settings import VERSION

_STEM = "\0"
_SUFFIX_OF = {media_type: suffix for suffix, media_type in SUFFIXES.items()}
_USUAL_PATH = re.compile(r"/[A-Za-z0-9._~/-]*")
A_DAY = "public, max-age=86400"
DATA_FORMS = (JSON_LD, JSON, TURTLE, N_TRIPLES, N_QUADS, RDF_XML)

Context = Annotated[
    ContextForm,
    Query(description="How JSON-LD names its context: a link to ours, inline, or the model's own beside ours."),
]


def described(what: str, example: Document | None = None, *, page: bool = True) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of a route that answers with a document or a problem."""
    content: dict[str, Any] = {JSON_LD: {"example": example} if example else {}, JSON: {}, TURTLE: {}, N_TRIPLES: {}}
    content |= {N_QUADS: {}, RDF_XML: {}}
    return {
        200: {"description": what, "content": content | ({HTML: {}} if page else {})},
        304: {"description": "Not changed since the `ETag` in `If-None-Match`."},
        **problems(404, 406, 410, 412),
    }


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of the problems that a route may answer with."""
    words = {
        401: "Log in, or send a token as `Authorization: Bearer`.",
        403: "The account, or the token, is not good for this.",
        404: "There is no such thing here.",
        400: "It is not what the protocol asks for.",
        406: "None of the forms there are will do.",
        408: "It did not come in in time.",
        409: "It is no longer what was seen, or the key belongs to another verdict.",
        410: "It was withdrawn: a tombstone says since when and why, in the forms that documents have.",
        412: "It is no longer what `If-Match` or `If-Unmodified-Since` names.",
        413: "The image is larger than is taken.",
        415: "The body is not of a type that is taken.",
        422: "What was sent cannot be read.",
        429: "More images than there are left; ask again after `Retry-After` seconds.",
        503: "Too many are waiting; ask again after `Retry-After` seconds.",
    }
    example = {"type": "about:blank", "title": "Not found", "status": 404, "detail": "There is no identification 'x'."}
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    shown = {PROBLEM_JSON: {**content[PROBLEM_JSON], "example": example}}
    return {code: {"description": words[code], "content": shown if code == 404 else content} for code in statuses}


def respond(
    request: Request,
    parts: Parts,
    doc: Document,
    *,
    page: Page | None = None,
    form: str = "",
    context: ContextForm = "link",
    caching: str = "no-cache",
    suffixed: bool = True,
) -> Response:
    """Return ``doc`` in the form that ``form`` or the request's ``Accept`` asks for, or 304 where the reader has it.

    ``suffixed`` says that the other forms can be had by suffix, too; then they are linked. Raises ``Problem`` 406
    where no form will do.
    """
    offered = [*DATA_FORMS] + ([HTML] if page and parts.pages else [])
    chosen = form if form in offered else "" if form else preferred(request.headers.get("accept", ""), offered)
    if not chosen:
        raise Problem(406, "Not acceptable", f"This document can be had as {', '.join(offered)}.", {"Vary": "Accept"})
    if chosen == HTML and page and parts.pages:
        body = parts.pages(page.name, page.data()).encode()
    else:
        body = serialising.serialised(contexts.with_context(doc, context, parts.base), chosen, parts.base)
    if chosen == JSON and str(doc.get("@context")).endswith("/contexts/opends.jsonld"):
        body = orjson.dumps({key: value for key, value in doc.items() if key != "@context"})  # as its schema wants it
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    named = doc.get("@context")
    ours = named if isinstance(named, str) else f"{parts.base}/context.jsonld"
    links = _links(request, (parts.base, ours), chosen, tuple(offered) if suffixed else ())
    headers = {"ETag": tag, "Vary": "Accept, Accept-Encoding", "Cache-Control": caching} | (
        {"Link": links} if links else {}
    )
    if suffixed and request.method == "GET":
        suffix = _SUFFIX_OF[chosen] + (f"?context={context}" if context != "link" and chosen == JSON_LD else "")
        headers["Content-Location"] = f"{parts.base}{without_suffix(_written(request))[0]}.{suffix}"
    if modified := conditions.http_date(parts.store.modified()) if chosen != HTML else "":
        headers["Last-Modified"] = modified  # when anything changed last, where that is known
    status = conditions.answered(request.headers, tag, modified)
    if status == 412:
        raise Problem(412, "Precondition failed", "The document is no longer what you have.", headers)
    if status == 304:
        return Response(status_code=304, headers=headers)
    charset = "; charset=utf-8" if chosen.startswith("text/") else ""
    return Response(body, headers=headers | {"Content-Type": chosen + charset})


def _links(request: Request, addresses: tuple[str, str], chosen: str, offered: tuple[str, ...]) -> str:
    """Return the ``Link`` header: the other forms by suffix, and for plain JSON the context it is to be read with."""
    base, named = addresses
    name = request.query_params.get("profile", "")
    asked = f"?profile={name}" if name in PROFILES else ""
    stem, _ = without_suffix(_written(request))
    links = _alternates(chosen, offered if request.method == "GET" else (), asked).replace(_STEM, f"{base}{stem}")
    if chosen != JSON:
        return links
    reading = f'<{named}>; rel="http://www.w3.org/ns/json-ld#context"; type="{JSON_LD}"'
    return f"{links}, {reading}" if links else reading


@lru_cache(256)
def _alternates(chosen: str, offered: tuple[str, ...], asked: str) -> str:
    """Return links to the other forms, with ``_STEM`` where the document's address without its suffix belongs."""
    suffixes = {media_type: suffix for suffix, media_type in SUFFIXES.items()}
    others = [other for other in offered if other != chosen]
    return ", ".join(f'<{_STEM}.{suffixes[other]}{asked}>; rel="alternate"; type="{other}"' for other in others)


def _written(request: Request) -> str:
    """Return the path as it was asked for, percent-encoded: decoded, a %2F in a key would look like a slash."""
    path: str = request.scope.get("raw_path", b"").decode("ascii", "replace").partition("?")[0]
    if _USUAL_PATH.fullmatch(path):
        return path
    return quote(path, safe="/%:@!$&'()*+,;=~") or quote(request.url.path)


def kept(request: Request, body: bytes, media_type: str) -> Response:
    """Return bytes that change only with a new release; a day, for nobody should be without its new terms longer."""
    headers = {"ETag": f'"{VERSION}-{hashlib.sha256(body).hexdigest()[:32]}"', "Cache-Control": A_DAY}
    if status := conditions.answered(request.headers, headers["ETag"]):
        return Response(status_code=status, headers=headers)
    return Response(body, media_type=media_type, headers=headers)
