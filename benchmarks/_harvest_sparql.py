"""How a large SPARQL answer is read: rows a second and memory, over loopback, at ten thousand to a million rows.

In: nothing; a server process makes the rows up while it sends them. Out: rows a second beside ``json.loads`` of the
whole body, and the peak memory at 100,000 and a million rows. Each size is read in a process of its own.
"""

import json
import multiprocessing
import resource
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import requests

from benchmarks._figure import figure
from linkeddata.client import Client
from linkeddata.settings import Settings
from linkeddata.sparql import select

SIZES = (10_000, 100_000, 1_000_000)
ROW = (
    '{"file":{"type":"uri","value":"https://commons.wikimedia.org/entity/M%d"},'
    '"url":{"type":"uri","value":"https://upload.wikimedia.org/wikipedia/commons/c/c0/Plate_%d_of_an_album.jpg"},'
    '"statement":{"type":"uri","value":"https://commons.wikimedia.org/entity/statement/M%d-0D2A-4B1C-9F3E"},'
    '"item":{"type":"uri","value":"http://www.wikidata.org/entity/Q%d"},'
    '"rank":{"type":"uri","value":"http://wikiba.se/ontology#NormalRank"}}'
)


def _document(count: int) -> Iterator[bytes]:
    yield b'{"head":{"vars":["file","url","statement","item","rank"]},"results":{"bindings":['
    for start in range(0, count, 1000):
        rows = ",".join(ROW % (n, n, n, n % 1103) for n in range(start + 1, min(start + 1000, count) + 1))
        yield (rows if not start else f",{rows}").encode()
    yield b"]}}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        count = int(parse_qs(urlsplit(self.path).query)["query"][0])
        self.send_response(200)
        self.send_header("Content-Type", "application/sparql-results+json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in _document(count):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def _serve(pipe: Connection) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Handler)
    pipe.send(server.server_address[1])
    server.serve_forever()


def _read(pipe: Connection, url: str, count: int, plain: bool) -> None:
    begun = time.perf_counter()
    if plain:
        body = requests.get(url, params={"query": str(count)}, timeout=600).content
        met = sum(1 for _ in json.loads(body)["results"]["bindings"])
    else:
        with Client(Settings(allow_private=True)) as client:
            met = sum(1 for _ in select(client, url, str(count)))
    assert met == count
    pipe.send((count / (time.perf_counter() - begun), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def _measured(url: str, count: int, plain: bool = False) -> tuple[float, float]:
    """Return rows a second and peak memory in MiB of one reading."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    reader = spawn.Process(target=_read, args=(theirs, url, count, plain))
    reader.start()
    theirs.close()  # so that a reader that fails ends the waiting
    speed, peak = ours.recv()
    reader.join()
    return speed, peak


def measure(data: Path, folder: Path) -> None:
    """Print the figures."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    server = spawn.Process(target=_serve, args=(theirs,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{ours.recv()}/sparql"
    try:
        found = {count: _measured(url, count) for count in SIZES}
        speed, peak = _measured(url, SIZES[-1], plain=True)
    finally:
        server.terminate()
        server.join()
    for count, (rows_s, _) in found.items():
        figure(
            f"sparql: {count} rows, read whole, then given out",
            rows_s,
            "rows/s",
            beside="json.loads",
            beside_value=speed,
        )
    largest, middle = found[SIZES[-1]][1], found[SIZES[1]][1]
    figure(
        "sparql: peak memory at 1000000 rows",
        largest,
        "MiB",
        beside="at 100000 rows",
        beside_value=middle,
        at_most=middle * 1.1,
    )
    figure("sparql: peak memory at 1000000 rows", largest, "MiB", beside="json.loads", beside_value=peak)
