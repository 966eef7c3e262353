"""The change feed over HTTP. In: the parts of all routes. Out: routes of both dresses.

Full pages may be kept for ever and are kept here, too, as the bytes they are; the open page is asked for again.
"""

import hashlib
from collections import OrderedDict
from threading import Lock

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response

from linkeddata import conditions, feed
from linkeddata.feedforms import FORMS, written
from linkeddata.keptreader import Kept
from linkeddata.negotiation import JSON, JSON_LD, preferred
from linkeddata.parts import Parts
from linkeddata.problem import Problem, not_found
from linkeddata.responses import problems

FOR_EVER = "public, max-age=31536000, immutable"
A_MINUTE = f"public, max-age={feed.POLLING_SECONDS}"
SHORT = "public, max-age=5, must-revalidate"
ACTIVITY_JSON = f'{JSON_LD};profile="{feed.DISCOVERY}"'
KEPT_BYTES = 160_000_000
"""A page has 600 KB as JSON-LD, 2.7 MB as N-Quads."""


class _Kept:
    """The pages that were asked for last, address and form → bytes; before those, the pages that lie ready as JSON."""

    def __init__(self, ready: Kept | None) -> None:
        self._ready = ready
        self._pages: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, key: tuple[str, str]) -> bytes | None:
        """Return the page if it is here."""
        with self._lock:
            if key in self._pages:
                self._pages.move_to_end(key)
                return self._pages[key]
        ready = self._ready.page(key[0]) if self._ready and key[1] in (JSON_LD, JSON) else None
        if ready is not None:
            self.keep(key, ready)
        return ready

    def keep(self, key: tuple[str, str], body: bytes) -> None:
        """Keep a page that will not change."""
        with self._lock:
            self._bytes += len(body) - len(self._pages.pop(key, b""))
            self._pages[key] = body
            while self._bytes > KEPT_BYTES:
                self._bytes -= len(self._pages.popitem(last=False)[1])


def router(parts: Parts) -> APIRouter:
    """Return the routes of the feed."""
    api = APIRouter(tags=["feed"])
    kept = _Kept(parts.kept)
    either = {304: {"description": "Not changed."}, **problems(404, 406, 412)}
    answers = {200: {"description": "As linked data.", "content": {form: {} for form in FORMS}}, **either}
    walked = {200: {"description": "As JSON-LD.", "content": {JSON_LD: {}}}, **either}

    @api.get("/feed", summary="The stream of all changes", response_class=Response, responses=answers)
    def stream(request: Request) -> Response:
        """A Linked Data Event Stream: every version of everything published, from the first to now."""
        chosen = _chosen(request)
        return _sent(request, written(feed.stream_document(parts.base), chosen, parts.base), chosen, A_MINUTE)

    @api.get("/feed/ldes/{number}", summary="One page of the stream", response_class=Response, responses=answers)
    def ldes(request: Request, number: int) -> Response:
        """250 versions in the order they came about; a page with a relation is full and never changes."""
        chosen = _chosen(request)
        if body := kept.get((f"ldes/{number}", chosen)):
            return _sent(request, body, chosen, FOR_EVER)
        page = _page(parts, number)
        body = written(feed.ldes_document(page, parts.base), chosen, parts.base)
        if page.full:
            kept.keep((f"ldes/{number}", chosen), body)
        return _sent(request, body, chosen, FOR_EVER if page.full else SHORT)

    @api.get("/feed/activity", summary="All changes, for IIIF", response_class=Response, responses=walked)
    def activity(request: Request) -> Response:
        """IIIF Change Discovery 1.0: an ordered collection; begin at its last page and go back."""
        doc = feed.discovery_collection(parts.base, feed.length(parts.store))
        return _sent(request, orjson.dumps(doc), ACTIVITY_JSON, SHORT)

    @api.get("/feed/activity/{number}", summary="One page of it", response_class=Response, responses=walked)
    def activities(request: Request, number: int) -> Response:
        """Create, Update and Delete in the order they happened."""
        if body := kept.get((f"activity/{number}", JSON_LD)):
            return _sent(request, body, ACTIVITY_JSON, FOR_EVER)
        page = _page(parts, number)
        body = orjson.dumps(feed.discovery_page(page, parts.base))
        if page.full:
            kept.keep((f"activity/{number}", JSON_LD), body)
        return _sent(request, body, ACTIVITY_JSON, FOR_EVER if page.full else SHORT)

    return api


def _page(parts: Parts, number: int) -> feed.FeedPage:
    page = feed.page_at(parts.store, number) if 0 < number < 2**31 else None
    if page is None:
        raise not_found("page of the feed", str(number))
    return page


def _chosen(request: Request) -> str:
    chosen = preferred(request.headers.get("accept", ""), FORMS)
    if not chosen:
        raise Problem(406, "Not acceptable", f"The feed can be had as {', '.join(FORMS)}.", {"Vary": "Accept"})
    return chosen


def _sent(request: Request, body: bytes, form: str, caching: str) -> Response:
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    charset = "; charset=utf-8" if form.startswith("text/") else ""
    headers = {"ETag": tag, "Cache-Control": caching, "Vary": "Accept, Accept-Encoding", "Content-Type": form + charset}
    status = conditions.answered(request.headers, tag)
    if status == 412:
        raise Problem(412, "Precondition failed", "The page is no longer what you have.", {"ETag": tag})
    return Response(status_code=304, headers=headers) if status else Response(body, headers=headers)
