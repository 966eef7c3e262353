"""What is published as one graph on disk, kept in step with the log. In: the store. Out: an Oxigraph store, snapshots.

The graph holds the triples of every document in its default graph, which is what queries see. Beside it lie the books
(``linkeddata.graphbooks``), which know who says what. The number of the last difference that was made stands in the
graph itself, in a graph that queries do not see.

Queries are put to snapshots (hard links, made beside the graph), never to the graph that is being written: a query
cannot hold up the log, and may be killed.
"""

import shutil
import time
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, parse
from pyoxigraph import Store as Oxigraph

from linkeddata.errors import StoreError
from linkeddata.graphbooks import Books, Difference
from linkeddata.graphfollower import Following
from linkeddata.store import Store

REST_S = 0.3
"""How long the log is let be when there is nothing new in it."""
SNAPSHOT_S = 2.0
"""Shortest time between two snapshots."""
KEPT_S = 120.0
"""How long a snapshot stays after a newer one is there, for queries that still read it."""
BULK = 20_000
"""Triples from which on they are written as whole files, past the write-ahead log."""
SNAPSHOT = "at-"
GRAPH = "graph"
"""Name of the folder in home."""

_BOOKS = NamedNode("urn:deboodt:log")
_NUMBER = NamedNode("urn:deboodt:log#number")


class _Embedded:
    """The graph in a folder, as something that can be changed."""

    def __init__(self, folder: Path) -> None:
        try:
            self.store = Oxigraph(str(folder))
        except (OSError, ValueError) as error:
            raise StoreError(f"the published graph in {folder} cannot be opened: {error}") from error

    @property
    def number(self) -> int:
        found = [quad.object for quad in self.store.quads_for_pattern(_BOOKS, _NUMBER, None, _BOOKS)]
        return max((int(one.value) for one in found if isinstance(one, Literal)), default=0)

    def clear(self) -> None:
        self.store.clear()

    def apply(self, difference: Difference) -> None:
        before = self.number
        self._change(difference)
        self.store.add(_mark(difference.number))
        if before not in (0, difference.number):
            self.store.remove(_mark(before))

    def _change(self, difference: Difference) -> None:
        try:
            for update in Difference(0, difference.dropped).updates():
                self.store.update(update)
            added = "\n".join(difference.added)
            load = self.store.bulk_load if added.count("\n") > BULK else self.store.load
            load(_written(added), format=RdfFormat.N_TRIPLES)
        except SyntaxError:  # never yet seen; but one line that cannot be read must not hold up all others
            self._change(Difference(0, _readable(difference.dropped), list(_readable(difference.statements()))))


class PublishedGraph:
    """The graph in ``folder``. One process may write it at a time. Raises ``StoreError`` where it cannot be opened."""

    def __init__(self, folder: Path, base_url: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._graph = _Embedded(folder / "graph")
        self._books = Books(folder / "books.sqlite")
        self._following = Following(self._graph, self._books, base_url.rstrip("/"))
        self._following.open("embedded")
        if not self._graph.number:
            for old in folder.glob(f"{SNAPSHOT}*"):  # of another version, or for another address
                shutil.rmtree(old)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the graph back, so that another process may write it."""
        try:
            self._following.close()
        finally:
            self._books.close()
            del self._graph, self._following

    @property
    def graph(self) -> Oxigraph:
        """The graph itself."""
        return self._graph.store

    @property
    def position(self) -> int:
        """The log's sequence number up to which everything is in the graph; 0 before the first."""
        return self._following.position

    def follow(self, store: Store, going: Callable[[], bool], rest: Callable[[float], None] = time.sleep) -> None:
        """Keep the graph in step with the store's log, and a snapshot in step with the graph, while ``going``."""
        taken = 0.0
        while going():
            moved = self.advance(store)
            if time.monotonic() - taken >= SNAPSHOT_S:
                self.snapshot()
                taken = time.monotonic()
            if not moved:
                rest(REST_S)

    def catch_up(self, store: Store) -> int:
        """Take in all that is not in the graph yet, and take a snapshot; return the number of events, or documents."""
        total = 0
        while moved := self.advance(store):
            total += moved
        self.snapshot()
        return total

    def advance(self, store: Store) -> int:
        """Take in the next piece; return how many events, or documents, it was."""
        return self._following.advance(store)

    def _snapshot_path(self) -> Path:
        return self.folder / f"{SNAPSHOT}{self._graph.number:012d}-{self.position:015d}"

    def snapshot(self) -> Path:
        """Make what the graph holds now visible to queries, and put away what no query reads any more."""
        self._following.finish()
        path = self._snapshot_path()
        if not path.exists():
            made = self.folder / f"new-{path.name}"
            shutil.rmtree(made, ignore_errors=True)
            self._graph.store.backup(str(made))
            made.rename(path)
        there = sorted(self.folder.glob(f"{SNAPSHOT}*"))
        for old, follower in pairwise(there):
            if time.time() - follower.stat().st_ctime > KEPT_S:
                shutil.rmtree(old, ignore_errors=True)
        return path


def newest(folder: Path) -> Path | None:
    """Return the newest snapshot in ``folder``, ``None`` where there is none yet."""
    return max(folder.glob(f"{SNAPSHOT}*"), default=None)


def position_of(snapshot: Path | None) -> int:
    """Return up to which sequence number of the log a snapshot knows what is published.

    >>> position_of(Path("at-000000000007-000000000000042")), position_of(None)
    (42, 0)
    """
    return int(snapshot.name.rpartition("-")[2]) if snapshot else 0


def forget(folder: Path) -> None:
    """Take the graph away, to be made again from the log. Raises ``StoreError`` while somebody writes it."""
    if not folder.exists():
        return
    PublishedGraph(folder, "").close()
    shutil.rmtree(folder)


def _mark(number: int) -> Quad:
    return Quad(_BOOKS, _NUMBER, Literal(str(number)), _BOOKS)


def _written(statements: str) -> bytes:
    return f"{statements}\n".replace("\n", " .\n").encode() if statements else b""


def _readable(statements: Iterable[str]) -> set[str]:
    found = set()
    for one in statements:
        try:
            list(parse(_written(one), format=RdfFormat.N_TRIPLES))
        except SyntaxError:
            continue
        found.add(one)
    return found
