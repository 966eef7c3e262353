"""What an API says when it cannot: problem details, RFC 9457. In: a status and words. Out: a problem document."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


class Problem(HTTPException):
    """Ends a request with a problem document. ``title`` is the same for all of its kind, ``detail`` is not."""

    def __init__(self, status: int, title: str, detail: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, detail or title, dict(headers or {}))
        self.title = title


def not_found(what: str, key: str) -> Problem:
    """Return the problem of asking for something that is not there."""
    return Problem(404, "Not found", f"There is no {what} {key!r} here.")


def problem_response(
    status: int,
    title: str,
    detail: str = "",
    *,
    instance: str = "",
    headers: Mapping[str, str] | None = None,
    **extra: Any,
) -> Response:
    """Return the document; members that say nothing are left out."""
    said = {"type": "about:blank", "title": title, "status": status, "detail": detail, "instance": instance, **extra}
    body = orjson.dumps({key: value for key, value in said.items() if value not in ("", None)})
    return Response(body, status, {**(headers or {}), "Content-Type": MEDIA_TYPE, "Vary": "Accept"})
