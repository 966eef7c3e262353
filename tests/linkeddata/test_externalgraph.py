"""Another server kept in step by SPARQL 1.1 Update, and asked: the same triples, after trouble of every kind."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pyoxigraph as ox
import pytest

from linkeddata import externalgraph
from linkeddata.client import Client
from linkeddata.externalgraph import External
from linkeddata.publishedgraph import PublishedGraph, newest
from linkeddata.records import Identification, MediaFile, Taxon
from linkeddata.settings import Settings
from linkeddata.sparqlpool import Limits
from linkeddata.store import Store

BASE = "https://deboodt.example"
SAID = {"agent": "test", "moment": "2026-11-02T10:00:00Z"}
GRAPH = f"{BASE}/#graph"
PLATE = MediaFile(iri="https://plates.example/1", title='Plate "one" \\u0041 🦋')
FORM = {"solutions": "application/sparql-results+json", "graphs": "text/turtle"}


@dataclass
class SparqlServer:
    """What it holds, and what it was asked; ``away`` is how many updates it will refuse with 503 before it works."""

    url: str = ""
    graphs: ox.Store = field(default_factory=ox.Store)
    updates: int = 0
    away: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def query(self, fields: dict[str, list[str]]) -> bytes:
        """Answer a query over the graph that it names."""
        graphs = [ox.NamedNode(iri) for iri in fields.get("default-graph-uri", [])]
        found = self.graphs.query(fields["query"][0], default_graph=graphs or None)
        assert not isinstance(found, ox.QueryTriples)
        return found.serialize(format=ox.QueryResultsFormat.JSON) or b""


@contextmanager
def sparql_server() -> Iterator[SparqlServer]:
    """Run a server for as long as it is wanted."""
    held = SparqlServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, held.query(parse_qs(urlsplit(self.path).query)))

        def do_POST(self) -> None:
            fields = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode(), keep_blank_values=True)
            with held.lock:
                if "query" in fields:
                    self._answer(200, held.query(fields))
                    return
                held.updates += 1
                if held.away:
                    held.away -= 1
                    self._answer(503, b"")
                    return
                held.graphs.update(fields["update"][0])
            self._answer(204, b"")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/sparql-results+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *said: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield held
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def server() -> Iterator[SparqlServer]:
    with sparql_server() as running:
        yield running


@pytest.fixture
def settings(server: SparqlServer, tmp_path: Path) -> Settings:
    return Settings(
        home=str(tmp_path),
        base_url=BASE,
        sparql_published=server.url,
        sparql_update=server.url,
        tries=1,
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as opened:
        answers = [Identification(id=f"a{n}", file=PLATE.iri, label="Vanessa", item="Q1") for n in range(20)]
        opened.put([PLATE, Taxon(query="Q1", concept="Q1", item="Q1", name="Vanessa"), *answers], **SAID)
        yield opened


def followed(settings: Settings, store: Store) -> None:
    """Follow until everything is there."""
    rests: list[float] = []
    with Client(settings, sleep=lambda s: None) as client:
        going = lambda: len(rests) < 20 and (not rests or externalgraph.lag(store, settings.home_path)["behind"] > 0)  # noqa: E731
        externalgraph.follow(settings, client, store, going, rests.append)
    assert externalgraph.lag(store, settings.home_path) == {"position": store.state()[0], "behind": 0}


def held(server: SparqlServer) -> set[ox.Triple]:
    return {quad.triple for quad in server.graphs.quads_for_pattern(None, None, None, ox.NamedNode(GRAPH))}


def embedded(store: Store, folder: Path) -> set[ox.Triple]:
    with PublishedGraph(folder, BASE) as graph:
        graph.catch_up(store)
    path = newest(folder)
    assert path
    return {
        quad.triple for quad in ox.Store.read_only(str(path)).quads_for_pattern(None, None, None, ox.DefaultGraph())
    }


def test_the_server_has_what_our_own_graph_has(
    server: SparqlServer, settings: Settings, store: Store, tmp_path: Path
) -> None:
    strangers = ox.Quad(ox.NamedNode("urn:a"), ox.NamedNode("urn:b"), ox.Literal("theirs"))
    server.graphs.add(strangers)
    followed(settings, store)
    assert held(server) == embedded(store, tmp_path / "one")
    store.remove(Identification, ["a1", "a2"], reason="wrong", **SAID)
    store.put([replace(PLATE, title="Another")], **SAID)
    followed(settings, store)
    assert held(server) == embedded(store, tmp_path / "two")
    assert strangers in server.graphs, "what is not ours is left alone"
    with Client(settings) as client:
        ask = External(client, server.url, Limits(), GRAPH).ask
        assert b'"theirs"' not in ask("SELECT * { ?s ?p ?o }", FORM).body
        assert ask(f"ASK {{ <{BASE}/identifications/a3> ?p ?o }}", FORM).body.count(b"true") == 1


def test_a_server_that_is_away_is_asked_again(
    server: SparqlServer, settings: Settings, store: Store, tmp_path: Path
) -> None:
    server.away = 2
    followed(settings, store)
    assert held(server) == embedded(store, tmp_path / "one")
    store.remove(Identification, ["a1"], reason="wrong", **SAID)
    server.away = 1
    followed(settings, store)
    assert held(server) == embedded(store, tmp_path / "two")


def test_a_server_that_was_emptied_is_filled_again(server: SparqlServer, settings: Settings, store: Store) -> None:
    followed(settings, store)
    before = held(server)
    server.graphs.clear()
    followed(settings, store)
    assert held(server) == before


def test_a_password_is_in_no_file(server: SparqlServer, settings: Settings, store: Store, tmp_path: Path) -> None:
    address = server.url.replace("http://", "http://museum:very-secret@")
    followed(replace(settings, sparql_update=address), store)
    assert held(server)
    assert not any(b"very-secret" in path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
