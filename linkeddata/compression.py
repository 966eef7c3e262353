"""Answers in Brotli or gzip for readers who take it. In: an ASGI application. Out: the same, smaller.

Only what is text and not yet compressed; an image or an archive grows by it. A strong ETag becomes weak, for the bytes
are others (RFC 9110, 8.8.3).
"""

import zlib
from functools import lru_cache

import brotli
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SMALLEST_BYTES = 600
LEVEL = 4
"""Of both; Brotli's is about as fast as gzip's, and smaller by a fifth."""
LONGEST_KEPT = 300
"""Headers up to so many characters are what browsers and libraries say; what they come to is kept."""
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
        if scope["type"] == "http" and (coding := coding_asked(scope)):
            send = _Sender(send, coding)
        await self.app(scope, receive, send)


class _Sender:
    """Compresses one answer; its head waits for the first piece of its body."""

    def __init__(self, send: Send, coding: str) -> None:
        self._send = send
        self._coding = coding
        self._head: Message | None = None
        self._packer: _Gzip | _Brotli | None = None

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
            if _worth_it(head["headers"], body, more=more):
                self._packer = _packer(self._coding)
                body = self._packed(body, more)
                head = {**head, "headers": list(head["headers"])}  # the application may send its list again
                _as_coded(head, self._coding, None if more else len(body))
            await self._send(head)
        elif self._packer is not None:
            body = self._packed(body, more)
        await self._send({**message, "body": body})

    def _packed(self, body: bytes, more: bool) -> bytes:
        assert self._packer is not None  # noqa: S101 - only called with one
        return self._packer.pack(body) + (b"" if more else self._packer.end())


def coded(headers: list[tuple[bytes, bytes]], body: bytes, coding: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return a whole answer in a coding, or as it is where that is not worth it."""
    if not _worth_it(headers, body, more=False):
        return headers, body
    packer = _packer(coding)
    packed = packer.pack(body) + packer.end()
    head: Message = {"headers": list(headers)}
    _as_coded(head, coding, len(packed))
    return head["headers"], packed


def _worth_it(given: list[tuple[bytes, bytes]], body: bytes, *, more: bool) -> bool:
    headers = Headers(raw=given)
    text = headers.get("content-type", "").startswith(_TEXT)
    if "content-range" in headers:  # it counts the bytes of the whole as they are
        return False
    if "no-transform" in headers.get("cache-control", ""):  # its length must not tell what is in it
        return False
    return text and "content-encoding" not in headers and (more or len(body) >= SMALLEST_BYTES)


class _Gzip:
    """Packs one body."""

    def __init__(self) -> None:
        packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)
        self.pack, self.end = packer.compress, packer.flush


class _Brotli:
    """Packs one body."""

    def __init__(self) -> None:
        packer = brotli.Compressor(quality=LEVEL)
        self.pack, self.end = packer.process, packer.finish


def _packer(coding: str) -> "_Gzip | _Brotli":
    return _Brotli() if coding == "br" else _Gzip()


def _as_coded(head: Message, coding: str, length: int | None) -> None:
    headers = MutableHeaders(raw=head["headers"])
    headers["Content-Encoding"] = coding
    if "accept-encoding" not in headers.get("vary", "").lower():
        headers.add_vary_header("Accept-Encoding")
    if length is None:
        del headers["Content-Length"]
    else:
        headers["Content-Length"] = str(length)
    tag = headers.get("etag", "")
    if tag and not tag.startswith("W/"):
        headers["ETag"] = f"W/{tag}"


def coding_asked(scope: Scope) -> str:
    """Return the coding that a request asks for, ``""`` for none of ours."""
    said = b", ".join(value for name, value in scope["headers"] if name == b"accept-encoding").decode("latin-1")
    return (coding_of if len(said) <= LONGEST_KEPT else coding_of.__wrapped__)(said)


@lru_cache(256)
def coding_of(accepted: str) -> str:
    """Return the coding that ``Accept-Encoding`` wants most of ours, Brotli of equals, ``""`` for none of them.

    >>> coding_of("gzip, deflate, br"), coding_of("gzip;q=1.0, br;q=0.5"), coding_of("br;q=0, gzip"), coding_of("")
    ('br', 'gzip', 'gzip', '')
    """
    weights = dict.fromkeys(("br", "gzip"), 0.0)
    for part in accepted.lower().split(","):
        name, *parameters = (piece.strip().replace(" ", "") for piece in part.split(";"))
        if name in weights:
            weights[name] = next((_weight(one[2:]) for one in parameters if one.startswith("q=")), 1.0)
    best = max(weights, key=lambda name: weights[name])
    return best if weights[best] > 0 else ""


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
