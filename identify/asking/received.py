"""What comes in with a question. In: a request. Out: images, by file or by address, within limits on bytes.

Nothing is written under a name that somebody sent: a file's name is only shown. Bytes are counted while they come, and
those of all questions together are held against one limit, so that no crowd of large uploads fills the memory.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import anyio
import orjson
from fastapi import Request
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from linkeddata.problem import Problem

MAX_UPLOAD_BYTES = 25_000_000
"""Largest image that is taken over HTTP; a museum's masters go through ``deboodt identify``."""
MAX_BODY_BYTES = 100_000_000
"""Most bytes of one question, with all its images."""
HELD_BYTES = 400_000_000
"""Most bytes of all questions that are being received or answered."""
MAX_IMAGES = 10
FORM_OVERHEAD_BYTES = 100_000
BODY_S = 120.0
"""So long one question may take to come in."""
LONGEST_NAME = 200
JSON_TYPE, FORM_TYPE = "application/json", "multipart/form-data"
RAW_TYPES = ("image/", "application/octet-stream")
TAKEN = (
    f'{FORM_TYPE} with up to {MAX_IMAGES} images in fields of any name (and addresses in fields called "url"), '
    f'the image itself as image/*, or {JSON_TYPE} with "urls"'
)


@dataclass(frozen=True, slots=True)
class Sent:
    """One image as it was sent: its bytes, or the address where they are. ``name`` is only shown."""

    name: str = ""
    data: bytes = b""
    url: str = ""


@dataclass(slots=True)
class Held:
    """How many bytes of questions are in memory now."""

    bytes: int = 0


@dataclass(slots=True)
class _Body:
    """The bytes of one question, counted."""

    request: Request
    held: Held
    limit: int
    size: int = field(default=0)

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the body as it comes; stop with ``Problem`` 413 or 503 as soon as it is, or says it is, too long."""
        announced = self.request.headers.get("content-length", "")
        if announced.isdecimal() and len(announced) < 20:
            self._count(int(announced), announced=True)
        async for piece in self.request.stream():
            self.size += len(piece)
            self.held.bytes += len(piece)
            self._count(self.size)
            yield piece

    def _count(self, size: int, *, announced: bool = False) -> None:
        if size > self.limit:
            raise Problem(413, "Too large", f"At most {MAX_UPLOAD_BYTES:,} bytes an image, {self.limit:,} in all.")
        if self.held.bytes + (size if announced else 0) > HELD_BYTES:
            raise Problem(503, "Busy", "Too many large images are being looked at.", {"Retry-After": "5"})


@asynccontextmanager
async def received(request: Request, held: Held) -> AsyncIterator[list[Sent]]:
    """Give the images of a request; their bytes are counted as held until they are done with.

    Raises ``Problem`` 408, 413, 415, 422 or 503.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    raw = kind.startswith(RAW_TYPES)
    body = _Body(request, held, MAX_UPLOAD_BYTES if raw or kind == JSON_TYPE else MAX_BODY_BYTES)
    try:
        try:
            with anyio.fail_after(BODY_S):
                sent = await _sent(body, kind, raw)
        except TimeoutError as error:
            raise Problem(408, "Too slow", f"The request did not come in {BODY_S:g} seconds.") from error
        if not sent:
            raise Problem(422, "No image", f"The request holds no image. Send {TAKEN}.")
        if len(sent) > MAX_IMAGES:
            raise Problem(422, "Too many images", f"At most {MAX_IMAGES} in one request, not {len(sent)}.")
        yield sent
    finally:
        held.bytes -= body.size


@asynccontextmanager
async def bytes_of_body(request: Request, held: Held, limit: int) -> AsyncIterator[bytes]:
    """Give the body of a request as it is, counted like images. Raises ``Problem`` 408, 413 or 503."""
    body = _Body(request, held, limit)
    try:
        try:
            with anyio.fail_after(BODY_S):
                data = b"".join([piece async for piece in body.pieces()])
        except TimeoutError as error:
            raise Problem(408, "Too slow", f"The request did not come in {BODY_S:g} seconds.") from error
        yield data
    finally:
        held.bytes -= body.size


async def _sent(body: _Body, kind: str, raw: bool) -> list[Sent]:
    if kind == FORM_TYPE:
        return await _of_form(body.request.headers, body.pieces())
    if not raw and kind != JSON_TYPE:
        raise Problem(415, "Unsupported media type", f"Send {TAKEN}.", {"Accept": f"image/*, {FORM_TYPE}, {JSON_TYPE}"})
    data = b"".join([piece async for piece in body.pieces()])
    if raw:
        return [Sent(data=data)] if data else []
    return _of_json(data)


def _of_json(data: bytes) -> list[Sent]:
    try:
        content: Any = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Problem(422, "JSON cannot be read", str(error)) from error
    urls = content.get("urls", []) if isinstance(content, dict) else None
    if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls):
        raise Problem(422, "No addresses", 'JSON is {"urls": ["https://…", …]}.')
    return [Sent(name=shown_name(url.rpartition("/")[2]), url=url) for url in urls]


async def _of_form(headers: Headers, body: AsyncGenerator[bytes, None]) -> list[Sent]:
    parser = MultiPartParser(headers, body, max_files=MAX_IMAGES, max_fields=2 * MAX_IMAGES, max_part_size=10_000)
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise Problem(422, "Form cannot be read", str(getattr(error, "message", error))) from error
    try:
        sent = []
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                if (value.size or 0) > MAX_UPLOAD_BYTES:
                    raise Problem(413, "Image too large", f"At most {MAX_UPLOAD_BYTES:,} bytes an image are taken.")
                if value.size or value.filename:
                    sent.append(Sent(name=shown_name(value.filename or ""), data=await value.read()))
            elif name == "url" and value.strip():
                sent.append(Sent(name=shown_name(value.rpartition("/")[2]), url=value.strip()))
        return sent
    finally:
        await form.close()


def shown_name(name: str) -> str:
    """Return the last part of a name that somebody sent, fit to be shown: no path, nothing that does not print.

    >>> shown_name("../../etc/passwd"), shown_name("C:\\\\plates\\\\one\\n.jpg"), shown_name("..")
    ('passwd', 'one.jpg', '')
    """
    last = PurePosixPath(name.replace("\\", "/").replace("\0", "")).name
    return "".join(one for one in last if one.isprintable())[:LONGEST_NAME].strip(". ")
