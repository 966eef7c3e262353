"""What every answer over HTTP gets. In: an application. Out: the same, with security headers, HEAD and leave to read.

Pages of any site may read documents (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol), and change nothing.
"""

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]
"""What every answer has that does not say otherwise."""
OPEN = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"ETag, Link, Last-Modified, Content-Location, SPARQL-Limits, SPARQL-Rows"),
]
"""What lets other sites read documents."""
LEAVE = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "Accept, Accept-Language, If-Match, If-Modified-Since, If-None-Match, Range",
    "Access-Control-Max-Age": "86400",
}
READ_BY_POST = frozenset({"/sparql"})
"""Where POST changes nothing: other sites may read what it answers, too."""
LEAVE_TO_POST = LEAVE | {
    "Access-Control-Allow-Methods": "GET, HEAD, POST",
    "Access-Control-Allow-Headers": f"{LEAVE['Access-Control-Allow-Headers']}, Content-Type",
}


class Manners:
    """What every answer gets: security headers, leave for other sites to read documents; HEAD is GET without a body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if leave := _leave_to_read(scope):
            await Response(status_code=204, headers=leave)(scope, receive, send)
            return
        head = scope["method"] == "HEAD"
        reads = head or scope["method"] == "GET" or (scope["method"] == "POST" and _path(scope) in READ_BY_POST)
        own = HEADERS + OPEN if reads else HEADERS

        async def polite(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message["headers"]
                named = {name for name, _ in given}
                more = [pair for pair in own if pair[0] not in named]
                message = {**message, "headers": [*given, *more]}
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self.app({**scope, "method": "GET"} if head else scope, receive, polite)


def _leave_to_read(scope: Scope) -> dict[str, str]:
    """Return what a browser is answered that asks for another site if it may send a request (CORS preflight).

    Nothing where it does not ask that, or may not.
    """
    if scope["method"] != "OPTIONS":
        return {}
    asked = dict(scope["headers"]).get(b"access-control-request-method", b"")
    if asked in (b"GET", b"HEAD", b"POST") and _path(scope) in READ_BY_POST:
        return LEAVE_TO_POST
    return LEAVE if asked in (b"GET", b"HEAD") else {}


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))
