"""The usual request for one identification, answered without the framework's way round. In: ASGI. Out: the same answer.

``GET`` or ``HEAD /identifications/KEY`` without parameters for JSON-LD is what linked data is mostly asked for. Reading
parameters that are not there, a thread for what takes microseconds, and passing through what all other answers pass
through cost more than the answer. So such a request is answered here, before all that, with what lies ready
(``linkeddata.keptreader``), or else goes straight to what the route itself calls. Everything else goes on to ``app``,
and so does what the route has a problem with.
"""

import re
from collections.abc import Callable
from contextlib import suppress

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from linkeddata import conditions
from linkeddata.compression import coded, coding_asked
from linkeddata.errors import DeBoodtError
from linkeddata.keptreader import Kept, Pairs
from linkeddata.negotiation import JSON, JSON_LD

Answering = Callable[[Request, str], Response]
PREFIX = "/identifications/"
AS_KEPT = frozenset({b"", b"*/*", JSON_LD.encode()})
"""What ``Accept`` says where JSON-LD is meant, which is what lies ready."""
USUAL = AS_KEPT | {JSON.encode()}
"""What ``Accept`` says where nothing but JSON-LD, or the same as plain JSON, can be meant, and no other profile."""
_OF_CONTENT = frozenset({b"content-type", b"content-length"})
_USUAL_KEY = re.compile(r"[A-Za-z0-9_~-]+")
_Whole = tuple[int, Pairs, bytes]


class Shortcut:
    """Answers with what is ``kept``, or by ``answering`` (of a request and a key), and leaves the rest to ``app``.

    ``base`` is where documents are published; ``always`` are the headers that every answer gets which has none such.
    """

    def __init__(self, app: ASGIApp, answering: Answering, kept: Kept | None, base: str, always: Pairs) -> None:
        self.app = app
        self._answering = answering
        self._kept = kept
        self._base = base.encode()
        self._always = always

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        found = self._found(scope, receive) if _usual(scope) else None
        if found is None:
            await self.app(scope, receive, send)
            return
        status, headers, body = found
        if coding := coding_asked(scope):
            headers, body = coded(headers, body, coding)
        named = {name for name, _ in headers}
        headers = [*headers, *(pair for pair in self._always if pair[0] not in named)]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _found(self, scope: Scope, receive: Receive) -> _Whole | None:
        accepted, conditional = b"", False
        for name, value in scope["headers"]:
            if name == b"accept":
                accepted = value if not accepted else b","
            elif name.startswith(b"if-"):
                conditional = True
        if accepted not in USUAL:
            return None
        if self._kept is not None and accepted in AS_KEPT:
            ready = self._ready(self._kept, scope, conditional=conditional)
            if ready is not None:
                return ready
        with suppress(HTTPException, DeBoodtError):
            answer = self._answering(Request({**scope, "method": "GET"}, receive), scope["path"][len(PREFIX) :])
            return answer.status_code, answer.raw_headers, bytes(answer.body)
        return None

    def _ready(self, kept: Kept, scope: Scope, *, conditional: bool) -> _Whole | None:
        """Return what lies ready, or that the reader has it; None for what the route has to answer."""
        path, raw_path = scope["path"], scope["raw_path"]
        key = path[len(PREFIX) :]
        if len(raw_path) != len(path) or not _USUAL_KEY.fullmatch(key):
            return None  # written in another way, the address is another in the headers, too
        ready = kept.answer(key, self._base + raw_path)
        if ready is None:
            return None
        status = conditions.answered(Headers(scope=scope), ready.tag, ready.modified) if conditional else 0
        if status == 304:
            return 304, [pair for pair in ready.headers if pair[0] not in _OF_CONTENT], b""
        return None if status else (200, ready.headers, ready.body)


def _usual(scope: Scope) -> bool:
    return (
        scope["type"] == "http"
        and scope["path"].startswith(PREFIX)
        and scope["method"] in ("GET", "HEAD")
        and not scope["query_string"]
    )
