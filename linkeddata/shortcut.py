"""The usual request for one identification, answered without the framework's way round. In: ASGI. Out: the same answer.

``GET /identifications/KEY`` without parameters for JSON-LD is what linked data is mostly asked for. Reading parameters
that are not there, and a thread for what takes microseconds, cost more than the answer. So such a request goes straight
to what the route itself calls, and answers are remembered until the log has a new entry. Everything else goes on to
``app``, and so does what the route has a problem with.
"""

from collections.abc import Callable
from contextlib import suppress

from fastapi import Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from linkeddata.errors import DeBoodtError
from linkeddata.negotiation import JSON, JSON_LD
from linkeddata.remembered import Remembered
from linkeddata.store import Store

Answer = Callable[[Request, str], Response]
KEPT = 4096
"""Answers that are remembered: about 25 MB."""
PREFIX = "/identifications/"
USUAL = frozenset({b"", b"*/*", JSON_LD.encode(), JSON.encode()})
"""What ``Accept`` says where no other form than JSON-LD can be meant, and no other profile."""


class Shortcut:
    """Answers with ``answer`` (of a request and a key) what it can, and leaves the rest to ``app``."""

    def __init__(self, app: ASGIApp, answer: Answer, store: Store) -> None:
        self.app = app
        self._answer = answer
        self._answers = Remembered[Response](store.last, KEPT)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        answer = None
        if _usual(scope):
            with suppress(HTTPException, DeBoodtError):
                answer = self._answered(Request(scope, receive))
        await (answer or self.app)(scope, receive, send)

    def _answered(self, request: Request) -> Response:
        conditional = any(name.startswith(b"if-") for name, _ in request.scope["headers"])
        asked = None if conditional else (request.scope["raw_path"], _accepted(request.scope))
        now = self._answers.now()
        kept = self._answers.get(asked, now)
        if kept is not None:
            return kept
        answer = self._answer(request, request.scope["path"][len(PREFIX) :])
        if asked:
            self._answers.keep(asked, answer, now)
        return answer


def _usual(scope: Scope) -> bool:
    return (
        scope["type"] == "http"
        and scope["method"] == "GET"
        and not scope["query_string"]
        and scope["path"].startswith(PREFIX)
        and _accepted(scope) in USUAL
    )


def _accepted(scope: Scope) -> bytes:
    said = [value for name, value in scope["headers"] if name == b"accept"]
    return said[0] if len(said) == 1 else b"" if not said else b","
