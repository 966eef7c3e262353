"""Servers for measuring. In: a home folder, or an answer. Out: the port of a server in a process of its own.

``serving`` is ``deboodt serve`` as users start it, but that nothing follows the log for SPARQL meanwhile;
``until_ready`` waits for what is made in the background. ``answering`` is the same web server with nothing behind it:
one answer, the same bytes and headers each time. ``serving_files`` is the same web server with Starlette's static files
behind it.

``python -m benchmarks._publish_serving PORT`` reads such an answer, HTTP as it was received, on stdin;
``python -m benchmarks._publish_serving PORT FOLDER`` serves files.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from starlette.types import Receive, Scope, Send

from benchmarks._publish_made import BASE

PATIENCE_S = 60.0
_PROCESSES: dict[int, int] = {}
OWN = frozenset({b"date", b"server", b"connection", b"transfer-encoding"})
"""Headers that the web server writes itself."""


def processor_s(port: int) -> float:
    """Return how long the server at a port has used a processor: what other work on the machine hardly changes."""
    ticks = (Path("/proc") / str(_PROCESSES[port]) / "stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(home: Path, *, sparql: bool = False, keep: bool = True) -> Iterator[int]:
    """Serve the store in ``home``; with ``sparql`` a graph is kept in step, else with ``keep`` ready answers."""
    port = _free_port()
    command = [sys.executable, "-m", "identify.cli", "--home", str(home), "serve", "--port", str(port)]
    ready = "yes" if keep and not sparql else "no"  # while a graph is measured, nothing else is made
    environment = {"DEBOODT_BASE_URL": BASE, "DEBOODT_KEEP_DOCUMENTS": ready}
    environment |= {} if sparql else {"DEBOODT_SPARQL_PUBLISHED": "http://127.0.0.1:9/"}
    with _running(command, port, environment):
        yield port


def until_ready(port: int) -> dict[str, int]:
    """Wait until all answers that the server keeps lie ready; return what ``/health`` says of them."""
    while True:
        told: dict[str, int] = json.loads(received(port, "/health")[1])["documents"]
        if told["whole"] and not told["behind"]:
            return told
        time.sleep(1)


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """Serve one answer (head and body, as ``received`` gives it) at every path."""
    port = _free_port()
    with _running([sys.executable, "-m", "benchmarks._publish_serving", str(port)], port, {}, answer):
        yield port


@contextmanager
def serving_files(folder: Path) -> Iterator[int]:
    """Serve the files of a folder."""
    port = _free_port()
    with _running([sys.executable, "-m", "benchmarks._publish_serving", str(port), str(folder)], port, {}):
        yield port


def received(port: int, path: str, headers: dict[str, str] | None = None) -> tuple[bytes, bytes]:
    """Return the head and the body of an answer; raises ``RuntimeError`` for any status but 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request("GET", path, headers=headers or {})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status} {body[:200]!r}")
    head = "\r\n".join(f"{name}: {value}" for name, value in answer.getheaders())
    return head.encode("latin-1"), body


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def _running(command: Sequence[str], port: int, environment: dict[str, str], given: bytes = b"") -> Iterator[None]:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, env=os.environ | environment)
    assert process.stdin is not None
    _PROCESSES[port] = process.pid
    try:
        process.stdin.write(given)
        process.stdin.close()
        until = time.monotonic() + PATIENCE_S
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{' '.join(command)} does not listen")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        tried.settimeout(1)
        return tried.connect_ex(("127.0.0.1", port)) == 0


def main() -> None:
    """Serve a folder, or answer every request with what stdin says."""
    from identify.serving import listen

    if len(sys.argv) > 2:
        from starlette.staticfiles import StaticFiles

        listen(StaticFiles(directory=sys.argv[2]), "127.0.0.1", int(sys.argv[1]))
        return
    head, _, body = sys.stdin.buffer.read().partition(b"\r\n\r\n")
    pairs = [line.partition(b": ") for line in head.split(b"\r\n")]
    headers = [(name.lower(), value) for name, _, value in pairs if name.lower() not in OWN]

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})
            return
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})

    listen(application, "127.0.0.1", int(sys.argv[1]))


if __name__ == "__main__":
    main()
