"""Answers in gzip for readers who take it. In: an ASGI application. Out: the same, smaller.

Only what is text and not yet compressed; an image or an archive grows by it. A strong ETag becomes weak, for the bytes
are others (RFC 9110, 8.8.3).
"""

import zlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SMALLEST_BYTES = 600
LEVEL = 4
_TEXT = (
    "text/",
    "application/ld+json",
    "application/json",
    "application/n-",
    "application/trig",
    "application/problem",
)


class Compressed:
    """Compresses the answers of ``app``."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and _takes_gzip(scope):
            send = _Sender(send)
        await self.app(scope, receive, send)


class _Sender:
    """Compresses one answer; its head waits for the first piece of its body."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._head: Message | None = None
        self._packer: zlib._Compress | None = None

    async def __call__(self, message: Message) -> None:
        """Pass one message on."""
        if message["type"] == "http.response.start":
            self._head = message
            return
        if message["type"] != "http.response.body":
            await self._send(message)
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if self._head is not None:
            head, self._head = self._head, None
            if self._worth_it(head, body, more):
                self._packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)
                body = self._packed(body, more)
                head = {**head, "headers": list(head["headers"])}  # the application may send its list again
                _as_gzip(head, None if more else len(body))
            await self._send(head)
        elif self._packer is not None:
            body = self._packed(body, more)
        await self._send({**message, "body": body})

    def _packed(self, body: bytes, more: bool) -> bytes:
        assert self._packer is not None  # noqa: S101 - only called with one
        return self._packer.compress(body) + (b"" if more else self._packer.flush())

    @staticmethod
    def _worth_it(head: Message, body: bytes, more: bool) -> bool:
        headers = Headers(raw=head["headers"])
        text = headers.get("content-type", "").startswith(_TEXT)
        if "content-range" in headers:  # it counts the bytes of the whole as they are
            return False
        return text and "content-encoding" not in headers and (more or len(body) >= SMALLEST_BYTES)


def _as_gzip(head: Message, length: int | None) -> None:
    headers = MutableHeaders(raw=head["headers"])
    headers["Content-Encoding"] = "gzip"
    headers.add_vary_header("Accept-Encoding")
    if length is None:
        del headers["Content-Length"]
    else:
        headers["Content-Length"] = str(length)
    tag = headers.get("etag", "")
    if tag and not tag.startswith("W/"):
        headers["ETag"] = f"W/{tag}"


def _takes_gzip(scope: Scope) -> bool:
    said = (value for name, value in scope["headers"] if name == b"accept-encoding")
    return takes_gzip(next(said, b"").decode("latin-1"))


def takes_gzip(accepted: str) -> bool:
    """Tell whether ``Accept-Encoding`` takes gzip.

    >>> takes_gzip("gzip;q=0, br"), takes_gzip("br, gzip"), takes_gzip("")
    (False, True, False)
    """
    for part in accepted.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if name == "gzip":
            return not any(value.replace(" ", "") in ("q=0", "q=0.0", "q=0.00", "q=0.000") for value in parameters)
    return False
