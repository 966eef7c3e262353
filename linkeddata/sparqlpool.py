"""Processes that answer queries, ended when they take too long. In: a query. Out: the answer, or why there is none.

Nothing inside a process stops a query of Oxigraph's; the end of the process does, and the next query starts another.
"""

import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any

import orjson

from linkeddata.publishedgraph import newest, position_of
from linkeddata.store import Store

AT_ONCE = 2
"""Queries that are answered at the same time; a process each."""
QUEUE_S = 5.0
"""How long a query waits for its turn."""
MEMORY_BYTES = 4_000_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may take: time in seconds, rows (or triples), bytes of the answer."""

    seconds: float = 30.0
    rows: int = 100_000
    bytes: int = 100_000_000
    in_memory: int = 1_000_000
    """Triples up to which each process holds the graph in memory, some 400 bytes a triple."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, or in ``problem`` why there is none.

    ``malformed``, ``too many``, ``too long``, ``busy``, ``empty`` (there is no graph yet), ``broken``.
    """

    media_type: str = ""
    body: bytes = b""
    problem: str = ""
    detail: str = ""
    rows: int = -1
    """Rows, or triples; -1 where nobody counted them."""
    warm: bool = False
    """Whether the graph was asked in memory."""


class Pool:
    """Answers queries over the newest snapshot in ``folder``. May be shared between threads."""

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self.folder = folder
        self.limits = limits or Limits()
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._idle: LifoQueue[subprocess.Popen[bytes]] = LifoQueue()
        self._closed = False

    def close(self) -> None:
        """End the processes."""
        self._closed = True
        with suppress(Empty):
            while True:
                _end(self._idle.get_nowait())

    def ask(self, query: str, form: Mapping[str, Any]) -> Answer:
        """Return the answer to ``query``; ``form`` says its media types (``solutions``, ``graphs``), base, prefixes."""
        snapshot = newest(self.folder)
        if snapshot is None:
            return Answer(problem="empty", detail="What is published is not ready to be asked yet.")
        if not self._turns.acquire(timeout=QUEUE_S):
            return Answer(problem="busy", detail="Too many queries are waiting.")
        try:
            limits = {"rows": self.limits.rows, "bytes": self.limits.bytes}
            return self._asked(orjson.dumps({"query": query, "snapshot": str(snapshot), **limits, **form}) + b"\n")
        finally:
            self._turns.release()

    def _asked(self, request: bytes) -> Answer:
        worker = self._worker()
        late = threading.Event()

        def stop() -> None:
            late.set()
            worker.kill()

        timer = threading.Timer(self.limits.seconds, stop)
        timer.daemon = True
        timer.start()
        whole = False
        try:
            answer = _exchange(worker, request)
            whole = True
            return answer
        except (OSError, ValueError):
            if late.is_set():
                said = f"The query was stopped after {self.limits.seconds:g} seconds; ask for less."
                return Answer(problem="too long", detail=said)
            return Answer(problem="broken", detail="The query needs more memory than there is for one; ask for less.")
        finally:
            timer.cancel()
            if whole and not late.is_set() and not self._closed:
                self._idle.put(worker)
            else:
                _end(worker)

    def _worker(self) -> subprocess.Popen[bytes]:
        with suppress(Empty):
            while True:
                worker = self._idle.get_nowait()
                if worker.poll() is None:
                    return worker
                _end(worker)
        command = [sys.executable, "-m", "linkeddata.sparqlworker", str(MEMORY_BYTES), str(self.limits.in_memory)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def _exchange(worker: subprocess.Popen[bytes], request: bytes) -> Answer:
    """Send a request and return what comes back. Raises ``OSError`` or ``ValueError`` where the process ended."""
    if worker.stdin is None or worker.stdout is None:
        raise ValueError("the process has no pipes")
    worker.stdin.write(request)
    worker.stdin.flush()
    head = orjson.loads(worker.stdout.readline())
    body = worker.stdout.read(head["length"])
    if len(body) != head["length"]:
        raise ValueError("the answer was cut off")
    rows = head.get("rows", -1)
    return Answer(head.get("type", ""), body, head["problem"], head.get("detail", ""), rows, head["warm"])


def _end(worker: subprocess.Popen[bytes]) -> None:
    worker.kill()
    for stream in (worker.stdin, worker.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()
    worker.wait()


def lag(store: Store, pool: Pool) -> dict[str, int]:
    """Return up to which event of the log queries see what is published, and how many events they do not see yet."""
    position, last = position_of(newest(pool.folder)), store.state()[0]
    return {"position": position, "behind": max(last - position, 0)}
