"""What goes over the wire: a request as the protocols see it, a reply as they give it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

JSON_TYPE = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request; ``params`` joins query string and form body, the last value wins, ``lists`` keeps all."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, complete: the server adds only Content-Length, Date and, where accepted, gzip."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def json_reply(payload: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Return ``payload`` as a JSON answer."""
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    return Reply(body, status, {"Content-Type": JSON_TYPE} | dict(headers or {}))


def html_reply(title: str, text: str, status: int = 200) -> Reply:
    """Return a page for people, as web servers show when something is wrong."""
    body = f"<body><h1>{title}</h1><p>{text}</p></body>"
    page = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head>\n{body}</html>\n"
    return Reply(page.encode(), status, {"Content-Type": "text/html; charset=utf-8"})
