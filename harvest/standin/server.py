"""The stand-in: one loopback HTTP server that speaks for Commons, Wikidata, GBIF, WoRMS, ISA and four SPARQL endpoints.

In: a ``World``. Out: a running server with its address, settings that point every client at it, faults on demand and a
log of what was asked. HTTP/1.1 with keep-alive, Content-Length on everything, gzip where it is accepted.

===========================  ==========================================================================
``/w/api.php``               Commons: MediaWiki Action API with structured data
``/wikidata/w/api.php``      Wikidata: the same
``/images/…``                images and thumbnails, as imageinfo points at them
``/entity/M1``               concept IRIs, 303 to EntityData; ``/wiki/Special:EntityData/M1.json``
``/sparql/commons``          SPARQL 1.1 over Commons, with ``SERVICE`` to Wikidata
``/sparql/wikidata``         SPARQL 1.1 over Wikidata; these two as QLever answers
``/sparql/wcqs``             the same over Commons, as Wikimedia's query service answers: with a log-in
``/sparql/wdqs``             the same over Wikidata, as Wikimedia's query service answers
``/gbif/v1|v2/species/…``    GBIF
``/worms/…``                 WoRMS
``/isa/campaigns/…``         ISA's exports
===========================  ==========================================================================
"""

import gzip
import io
import socket
import threading
import time
import traceback
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from harvest.standin import faults, gbif, isa, mediawiki, wikibase, worms
from harvest.standin.editing import Editing
from harvest.standin.exchange import Reply, Request, html_reply, json_reply
from harvest.standin.index import Index
from harvest.standin.mediawiki import STANDARD_WIDTHS, Wiki
from harvest.standin.paraminfo import param_info
from harvest.standin.sparql import Endpoint
from harvest.standin.world import File, World
from linkeddata.settings import Settings

ACTIONS: dict[str, mediawiki.Action] = {
    "paraminfo": param_info,
    "query": mediawiki.query,
    "wbgetentities": wikibase.get_entities,
    "wbgetclaims": wikibase.get_claims,
    "wbsearchentities": wikibase.search_entities,
}
"""What ``api.php`` can do."""

DRIP_S = 0.002
"""Pause between the pieces of a body that drips."""

ROUTES = ("/w/api.php", "/wikidata/", "/images/", "/sparql/", "/gbif/", "/worms/", "/isa/", "/entity/", "/wiki/")


@dataclass(frozen=True, slots=True)
class Asked:
    """One line of the request log."""

    method: str
    path: str
    params: Mapping[str, str]
    status: int
    user_agent: str
    body_bytes: int


class Requests:
    """The log of requests. Thread-safe."""

    def __init__(self) -> None:
        self._asked: list[Asked] = []
        self._lock = threading.Lock()

    def add(self, asked: Asked) -> None:
        """Append one request."""
        with self._lock:
            self._asked.append(asked)

    def all(self, path_prefix: str = "/", **params: str) -> list[Asked]:
        """Return the requests under ``path_prefix`` whose parameters include ``params``, in order."""
        with self._lock:
            asked = list(self._asked)
        return [a for a in asked if a.path.startswith(path_prefix) and params.items() <= a.params.items()]

    def count(self, path_prefix: str = "/", **params: str) -> int:
        """Return how many requests ``all`` would give."""
        return len(self.all(path_prefix, **params))

    def by_route(self) -> Counter[str]:
        """Return how many requests each route had."""
        return Counter(next((r for r in ROUTES if a.path.startswith(r)), a.path) for a in self.all())

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._asked.clear()


class StandIn:
    """A running stand-in for ``world``; a context manager. ``port`` 0 takes a free one.

    ``indexed`` is the world as the query services know it, where they lag behind.
    """

    def __init__(self, world: World, port: int = 0, *, indexed: World | None = None) -> None:
        self.faults = faults.Faults()
        self.requests = Requests()
        self._later: list[tuple[int, World]] = []
        self._changing = threading.Lock()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.standin = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._indexed = indexed
        self.editing = Editing(lambda: self._commons, self._serve)
        """Who may log in at Commons, and edit."""
        self._serve(world)
        self.broken: list[str] = []  # tracebacks of the stand-in's own mistakes; each was answered with 500
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def _serve(self, world: World) -> None:
        self.world = world
        index = Index(world)
        images = f"{self.url}/images"
        self._commons = Wiki(index, "commons", self.url, images)
        self._wikidata = Wiki(index, "wikidata", f"{self.url}/wikidata", images)
        self._names = gbif.Names(index)
        self._aphia = worms.Aphia(world)
        self.endpoint = Endpoint(self._commons if self._indexed is None else self._wiki_of(self._indexed))
        self._recorded = {
            (r.path, frozenset(r.params.items())): Reply(r.body, r.status, r.headers) for r in world.recorded
        }

    def become(self, world: World, *, after: int = 0) -> None:
        """Serve another World from now on, or from the request after the next ``after`` ones: wikis are edited."""
        with self._changing:
            self._later.append((after, world))

    def _changed(self) -> None:
        """Serve the World that is due, if one is."""
        with self._changing:
            due = [world for after, world in self._later if after <= 0]
            self._later = [(after - 1, world) for after, world in self._later if after > 0]
            if due:
                self._serve(due[-1])

    def __enter__(self) -> "StandIn":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()

    def settings(self, **overrides: Any) -> Settings:
        """Return settings with every service pointed at this server; ``overrides`` win."""
        here = Settings(
            commons_api=f"{self.url}/w/api.php",
            commons_entity=self.world.commons_entity,
            wikidata_api=f"{self.url}/wikidata/w/api.php",
            gbif_api=f"{self.url}/gbif",
            worms_api=f"{self.url}/worms",
            sparql_commons=f"{self.url}/sparql/commons",
            sparql_wikidata=f"{self.url}/sparql/wikidata",
            sparql_wcqs=f"{self.url}/sparql/wcqs",
            sparql_wdqs=f"{self.url}/sparql/wdqs",
            isa_base=f"{self.url}/isa",
            allow_private=True,
        )
        return replace(here, **overrides)

    def index(self, world: World) -> None:
        """Let the query services know another world from now on, as when an index is built again."""
        self.endpoint.wiki = self._wiki_of(world)

    def _wiki_of(self, world: World) -> Wiki:
        return Wiki(Index(world), "commons", self.url, f"{self.url}/images")

    def isa_url(self, campaign_id: int) -> str:
        """Return the address of a campaign's export. Raises ``KeyError`` if there is no such campaign."""
        campaigns = {c.id: c for c in self.world.isa}
        return self.url + isa.export_path(campaigns[campaign_id])

    def publish(self, path: str, document: Any, content_type: str = "image/jpeg", **params: str) -> str:
        """Put a JSON document or bytes (of a JPEG) up, as the server of a museum does, and return its address."""
        is_bytes = isinstance(document, bytes)
        reply = Reply(document, 200, {"Content-Type": content_type}) if is_bytes else json_reply(document)
        self._recorded[(path, frozenset(params.items()))] = reply
        return self.url + path

    def answer(self, request: Request) -> Reply:
        """Return the answer to ``request``: recorded if it was recorded, else from the World."""
        self._changed()
        known = self._recorded.get((request.path, frozenset(request.params.items())))
        if known is not None:
            return known
        try:
            return self._routed(request)
        except Exception:
            trouble = traceback.format_exc()
            self.broken.append(trouble)
            return html_reply("Internal Server Error", trouble, 500)

    def _routed(self, request: Request) -> Reply:
        path = request.path
        if path in ("/w/api.php", "/wikidata/w/api.php"):
            if path == "/w/api.php":
                return self.editing.answer(request, ACTIONS)
            return mediawiki.answer(self._wikidata, request.params, ACTIONS)
        if path.startswith("/images/"):
            return _image(self._commons.index, path.removeprefix("/images/"))
        if path.startswith("/sparql/"):
            return self.endpoint.answer(request)
        if path.startswith("/gbif/"):
            return gbif.answer(self._names, request)
        if path.startswith("/worms/"):
            return worms.answer(self._aphia, request)
        if path.startswith("/isa/"):
            return isa.answer(self.world, request)
        if path.startswith("/entity/"):
            return Reply(status=303, headers={"Location": f"/wiki/Special:EntityData/{path.removeprefix('/entity/')}"})
        if path.startswith("/wiki/Special:EntityData/"):
            return self._entity_data(path.removeprefix("/wiki/Special:EntityData/").removesuffix(".json"))
        return html_reply("Not Found", "Nothing here.", 404)

    def _entity_data(self, entity_id: str) -> Reply:
        wiki = self._commons if entity_id[:1] == "M" else self._wikidata
        params = {"action": "wbgetentities", "ids": entity_id}
        try:
            found = wikibase.get_entities(wiki, params)["entities"]
        except mediawiki.ApiError:
            return html_reply("Bad Request", "Invalid ID.", 400)
        if "missing" in found[entity_id]:
            return html_reply("Not Found", f"No entity with ID {entity_id} was found.", 404)
        return json_reply({"entities": found})


def _image(index: Index, path: str) -> Reply:
    if path.startswith("thumb/"):
        original, _, name = path.removeprefix("thumb/").rpartition("/")
        width = name.partition("px-")[0]
        if not width.isdigit() or int(width) not in STANDARD_WIDTHS:
            return html_reply("Bad Request", "Use thumbnail sizes listed on https://w.wiki/GHai", 400)
        return _bytes(index.images.get(original), int(width))
    return _bytes(index.images.get(path), 0)


def _bytes(file: File | None, width_px: int) -> Reply:
    if file is None or file.image is None or (isinstance(file.image, Path) and not file.image.is_file()):
        return html_reply("File not found", "The requested file does not exist.", 404)
    body = file.image.read_bytes() if isinstance(file.image, Path) else file.image
    if width_px:
        return _thumbnail(body, width_px)
    return Reply(body, 200, {"Content-Type": file.mime})


def _thumbnail(body: bytes, width_px: int) -> Reply:
    from PIL import Image  # heavy, and most worlds are never asked for a thumbnail

    out = io.BytesIO()
    try:
        with Image.open(io.BytesIO(body)) as image:
            height_px = round(image.height * width_px / image.width)
            image.convert("RGB").resize((width_px, height_px)).save(out, "JPEG", quality=87)
    except OSError:  # the World may hold an image that is none
        return html_reply("Error generating thumbnail", "There have been too many failed attempts.", 500)
    return Reply(out.getvalue(), 200, {"Content-Type": "image/jpeg"})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    standin: StandIn

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End connections that clients keep alive, so that no thread outlives the server."""
        with self._open_lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the client was faster

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing when a client goes away in the middle of an answer."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Write nothing to stderr; ``StandIn.requests`` is the log."""

    def _answer(self) -> None:
        standin = self.server.standin
        request = self._request()
        fault = standin.faults.take(request.path, request.params.get("action", ""))
        if fault == faults.CUT_CONNECTION:
            self._log(request, 0)
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        reply = self._faulty(fault, request) if fault else standin.answer(request)
        self._log(request, reply.status)
        self._send(reply, fault)

    def _faulty(self, fault: faults.Fault, request: Request) -> Reply:
        standin = self.server.standin
        errors = {
            faults.MAXLAG.kind: mediawiki.maxlag(12),
            faults.RATE_LIMITED.kind: mediawiki.ratelimited(),
            faults.EDIT_CONFLICT.kind: mediawiki.conflict(),
        }
        if error := errors.get(fault.kind):
            error.headers |= {"Retry-After": fault.retry_after} if fault.retry_after else {}
            return mediawiki.error_reply(standin._commons, request.params, error)
        return faults.faulty(fault, standin.answer(request))

    def _request(self) -> Request:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {k.lower(): v for k, v in self.headers.items()}
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            pairs += parse_qsl(body.decode(), keep_blank_values=True)
        lists = {k: tuple(v for key, v in pairs if key == k) for k, _ in pairs}
        return Request(
            method=self.command,
            path=unquote(parts.path),
            params=dict(pairs),
            lists=lists,
            headers=headers,
            body=body,
        )

    def _log(self, request: Request, status: int) -> None:
        agent = request.headers.get("user-agent", "")
        asked = Asked(request.method, request.path, request.params, status, agent, len(request.body))
        self.server.standin.requests.add(asked)

    def _send(self, reply: Reply, fault: faults.Fault | None) -> None:
        cut = fault == faults.TRUNCATED
        headers, body = dict(reply.headers), reply.body
        text = not headers.get("Content-Type", "").startswith("image/")
        if text and not cut and len(body) > 1000 and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        self.send_response(reply.status)
        for name, value in headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(body)))
        if fault == faults.SLOW_HEADERS:
            self._drip_headers()
        else:
            self.end_headers()
        if cut:
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        elif fault == faults.SLOW_DRIP:
            self._drip(body)
        elif self.command != "HEAD":
            self.wfile.write(body)

    def _drip_headers(self) -> None:
        """Send what ``send_header`` has gathered in small pieces."""
        there, head = self.wfile, io.BytesIO()
        self.wfile = head
        self.end_headers()
        self.wfile = there
        self._drip(head.getvalue())

    def _drip(self, body: bytes) -> None:
        """Send a body or head in a hundred small pieces, with pauses."""
        size = len(body) // 100 + 1
        for start in range(0, len(body), size):
            self.wfile.write(body[start : start + size])
            time.sleep(DRIP_S)
