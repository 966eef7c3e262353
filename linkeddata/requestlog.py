"""The log of requests: what was asked of whom, how it ended and what it cost. In: a client's reports. Out: counts.

One SQLite file beside the store, shared by all runs on this machine. Counts are kept by run, route, host and outcome,
so that the file stays small however much is harvested. Reports are written as they come, or gathered for a tenth of a
second where they come faster: that is the most that a killed process has lost. A request that left and has no outcome
is one that the kill interrupted.
"""

import sqlite3
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from linkeddata.client import Ended
from linkeddata.errors import StoreError

FILE = "requests.sqlite"
UNFINISHED = "no outcome, the run was stopped"
_SENT = ""
"""The outcome under which requests are counted when they leave."""
_BUSY_S = 30.0
GATHERED_S = 0.1
"""How long reports that come fast are gathered."""

_TABLES = """
CREATE TABLE IF NOT EXISTS run (id INTEGER PRIMARY KEY, subject TEXT NOT NULL, begun TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS counted (
    run INTEGER NOT NULL, route TEXT NOT NULL, host TEXT NOT NULL, outcome TEXT NOT NULL,
    requests INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0, retries INTEGER NOT NULL DEFAULT 0,
    waited_s REAL NOT NULL DEFAULT 0, took_s REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (run, route, host, outcome)
) WITHOUT ROWID;
"""
_COUNT = """
INSERT INTO counted (run, route, host, outcome, requests, bytes, retries, waited_s, took_s)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    requests = requests + excluded.requests, bytes = bytes + excluded.bytes, retries = retries + excluded.retries,
    waited_s = waited_s + excluded.waited_s, took_s = took_s + excluded.took_s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The requests of one run by one route to one host that ended in one way."""

    run: int
    subject: str  # the campaign
    begun: str
    route: str
    host: str
    outcome: str  # ok, maxlag, HTTP 429, cut off …
    requests: int = 0
    bytes: int = 0  # as they came over the line
    retries: int = 0
    waited_s: float = 0.0
    took_s: float = 0.0


class RequestLog:
    """The counts of one run, as they come in; a ``client.Recorder``. Thread-safe; a context manager.

    The run gets its number with its first request. Raises ``StoreError`` where the file cannot be opened.
    """

    def __init__(self, path: Path, subject: str, now: Callable[[], str]) -> None:
        self._subject = subject
        self._now = now
        self._run = 0
        self._lock = threading.Lock()
        self._gathered: defaultdict[tuple[str, str, str], list[float]] = defaultdict(lambda: [0, 0, 0, 0.0, 0.0])
        self._written = float("-inf")
        self._waiting = False  # for the thread that writes later
        self._closed = False
        self._changed = threading.Condition(self._lock)
        self._later: threading.Thread | None = None
        path.parent.mkdir(parents=True, exist_ok=True)
        with _translated(path):
            self._connection = _opened(path)
            self._connection.executescript(_TABLES)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Write what is gathered and close the file."""
        with self._lock:
            self._closed = True
            self._changed.notify()
        if self._later:
            self._later.join()
        with self._lock:
            try:
                self._write()
            finally:
                self._connection.close()

    def sent(self, route: str, host: str) -> None:
        """Count a request that is about to leave."""
        with self._lock:
            self._gathered[route, host, _SENT][0] += 1
            self._write_soon()

    def ended(self, route: str, host: str, outcome: Ended) -> None:
        """Count how a try ended."""
        with self._lock:
            sums = self._gathered[route, host, outcome.kind]
            sums[0] += outcome.requests
            sums[1] += outcome.bytes
            sums[2] += outcome.again
            sums[3] += outcome.wait_s
            sums[4] += outcome.took_s
            self._write_soon()

    def _write_soon(self) -> None:
        """Write what is gathered, or see that it is written; the lock is held."""
        if time.monotonic() - self._written >= GATHERED_S:
            self._write()
        elif not self._waiting:
            self._waiting = True
            if self._later is None:  # one thread for the whole run: to start one costs as much as ten reports
                self._later = threading.Thread(target=self._write_later, daemon=True)
                self._later.start()
            self._changed.notify()

    def _write_later(self) -> None:
        """Write what is gathered a tenth of a second after it came, as long as the log is open."""
        with self._lock:
            while not self._closed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                self._changed.wait_for(lambda: self._closed, GATHERED_S)
                with suppress(sqlite3.Error):  # it stays gathered, and the next report or the end will say so
                    self._write()

    def _write(self) -> None:
        """Write what is gathered, in one transaction; the lock is held."""
        self._waiting = False
        if not self._gathered:
            return
        with _transaction(self._connection):
            run = self._run or self._begun()
            self._connection.executemany(_COUNT, [(run, *key, *sums) for key, sums in self._gathered.items()])
        self._run = run
        self._gathered.clear()
        self._written = time.monotonic()

    def _begun(self) -> int:
        run = self._connection.execute("INSERT INTO run (subject, begun) VALUES (?, ?)", (self._subject, self._now()))
        return run.lastrowid or 0


def read_log(path: Path, *, subject: str = "") -> list[Counted]:
    """Return the counts of all runs, or of those for ``subject``, oldest run first; none where nothing was ever asked.

    Requests that left and never ended are counted with the outcome ``UNFINISHED``: their process was killed, or is at
    work at this moment. Raises ``StoreError`` for a file that is no request log.
    """
    if not path.is_file():
        return []
    query = (
        "SELECT run.id, subject, begun, route, host, outcome, requests, bytes, retries, waited_s, took_s"
        " FROM counted JOIN run ON run.id = counted.run WHERE ? IN ('', subject) ORDER BY run.id, route, host, outcome"
    )
    names = tuple(Counted.__slots__)
    with _translated(path), closing(_opened(path)) as connection:
        rows = [Counted(**dict(zip(names, row, strict=True))) for row in connection.execute(query, (subject,))]
    return list(_with_unfinished(rows))


def _with_unfinished(rows: Iterable[Counted]) -> Iterator[Counted]:
    """Yield the outcomes, and for each place the requests that left and have none."""
    places: dict[tuple[int, str, str], list[Counted]] = defaultdict(list)
    for row in rows:
        places[row.run, row.route, row.host].append(row)
    for found in places.values():
        ended = [row for row in found if row.outcome != _SENT]
        yield from ended
        for sent in found:
            left = sent.requests - sum(row.requests for row in ended)
            if sent.outcome == _SENT and left > 0:
                yield replace(sent, outcome=UNFINISHED, requests=left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """What one route of one run asked of one host, whatever the outcome; ``outcomes`` by kind, the most first."""

    run: int
    subject: str
    begun: str
    route: str
    host: str
    requests: int
    bytes: int
    retries: int
    waited_s: float
    took_s: float
    outcomes: tuple[tuple[str, int], ...]


def summed(rows: Iterable[Counted]) -> list[Sum]:
    """Return one sum for each run, route and host, in the order given.

    >>> one = Counted(run=1, subject="eggs", begun="", route="api", host="x", outcome="ok", requests=3)
    >>> [(s.requests, s.outcomes) for s in summed([one, replace(one, outcome="maxlag", requests=1)])]
    [(4, (('ok', 3), ('maxlag', 1)))]
    """
    places: dict[tuple[int, str, str], list[Counted]] = defaultdict(list)
    for row in rows:
        places[row.run, row.route, row.host].append(row)
    return [
        Sum(
            run=found[0].run,
            subject=found[0].subject,
            begun=found[0].begun,
            route=found[0].route,
            host=found[0].host,
            requests=sum(row.requests for row in found),
            bytes=sum(row.bytes for row in found),
            retries=sum(row.retries for row in found),
            waited_s=round(sum(row.waited_s for row in found), 3),
            took_s=round(sum(row.took_s for row in found), 3),
            outcomes=tuple(Counter({row.outcome: row.requests for row in found}).most_common()),
        )
        for found in places.values()
    ]


def _opened(path: Path) -> sqlite3.Connection:
    """Return a connection that commits each statement; what is written survives a kill; no disk is waited for."""
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all of what is done in it, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"{path}: the log of requests cannot be used: {error}") from error
