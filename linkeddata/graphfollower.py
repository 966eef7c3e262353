"""A graph kept in step with the log. In: the store, the books, a graph that can be changed. Out: that graph, changed.

A graph that is new is filled from the records, kind by kind, and then follows the log from where it stood when that
began; both in pieces, and where it was killed it goes on.
"""

from collections.abc import Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

from linkeddata import graphdocuments
from linkeddata.errors import StoreError
from linkeddata.graphbooks import Books, Difference
from linkeddata.graphdocuments import KINDS, Changed, Key
from linkeddata.records import KEYS
from linkeddata.sayings import Said, Sorter
from linkeddata.store import Store

BATCH = 2000
"""Events, or documents, taken together."""


class Graph(Protocol):
    """A graph that can be changed."""

    @property
    def number(self) -> int:
        """The number of the last difference that was made in it, 0 for none."""

    def clear(self) -> None:
        """Empty it; no difference has been made in it then."""

    def apply(self, difference: Difference) -> None:
        """Drop and add triples, and remember the difference's number, last of all. Doing it again changes nothing."""


@dataclass(slots=True)
class Following:
    """Keeps ``graph`` in step; ``base_url`` is where documents are published, ``books`` are the graph's own.

    While a difference is made in the graph, by a thread, the documents for the next one are read already.
    """

    graph: Graph
    books: Books
    base_url: str
    _sorter: Sorter = field(init=False)
    _hand: ThreadPoolExecutor = field(init=False)
    _making: Future[None] | None = None

    def __post_init__(self) -> None:
        self._sorter = Sorter(self.base_url)
        self._hand = ThreadPoolExecutor(1, "graph")

    def open(self, target: str) -> None:
        """Finish what was begun; begin again where the books are not of this graph, address or shape of documents.

        ``target`` names the graph.
        """
        made_for = f"{graphdocuments.shape()} {self.base_url} {target}"
        pending = self._pending()
        number = self.graph.number
        same = pending is not None and number in (self.books.number, pending.number - bool(pending))
        if self.books.state("made_for") != made_for or not same:
            self.graph.clear()
            self.books.forget({"made_for": made_for})
        elif pending:
            self._make(pending)
            self.finish()

    def _pending(self) -> Difference | None:
        try:
            return self.books.pending()
        except StoreError:
            return None

    def finish(self) -> None:
        """Wait until the last difference is in the graph. Raises what making it raised; it is pending then."""
        making, self._making = self._making, None
        if making is not None:
            making.result()
            self.books.done()

    def close(self) -> None:
        """Let the thread go when it is ready; what it could not make stays pending."""
        self._hand.shutdown()
        if self._making is not None and self._making.exception() is None:
            self.finish()

    @property
    def position(self) -> int:
        """The log's sequence number up to which everything is in the graph; 0 until it has been filled."""
        return int(self.books.state("shown") or 0)

    def advance(self, store: Store) -> int:
        """Take in the next piece; return how many events, or documents, it was.

        The last difference may still be on its way into the graph then: ``finish`` waits for it, and so does the piece
        in which nothing is new.
        """
        position = self.books.state("position")
        if not position:
            return self._fill(store)
        events = list(islice(store.events(int(position)), BATCH))
        if not events:
            self.finish()
            return 0
        keys = list(Changed.by(store, events, self._taxa_said).keys)
        for start in range(BATCH, len(keys), BATCH):  # the last piece comes with the position
            self._take(graphdocuments.said(store, keys[start : start + BATCH], self._sorter), {})
        self._take(graphdocuments.said(store, keys[:BATCH], self._sorter), {"position": str(events[-1].seq)})
        return len(events)

    def _fill(self, store: Store) -> int:
        """Take in the next documents of a graph that is new."""
        at = self.books.state("filled_to")
        if not at:
            start = store.state()[0]
            keys: list[Key] = [("model", name) for name in graphdocuments.models(store)]
            notes = {"filled_from": str(start), "filled_to": f"{next(iter(KINDS))}\n"}
            self._take(graphdocuments.said(store, keys, self._sorter), notes)
            return 1
        kind, _, after = at.partition("\n")
        records: list[Any] = store.page(KINDS[kind].record, after=after, limit=BATCH)
        said = graphdocuments.said_of(kind, store, records, self._sorter)
        if len(records) == BATCH:
            last = getattr(records[-1], KEYS[KINDS[kind].record])
            notes = {"filled_to": f"{kind}\n{last}"}
        else:
            following = list(KINDS)[list(KINDS).index(kind) + 1 :]
            notes = {"filled_to": f"{following[0]}\n"} if following else {"position": self.books.state("filled_from")}
        self._take(said, notes)
        return max(1, len(records))

    def _take(self, said: Mapping[str, Said | None], notes: Mapping[str, str]) -> None:
        self.finish()
        self._make(self.books.take(said, notes))

    def _make(self, difference: Difference) -> None:
        self._making = self._hand.submit(self.graph.apply, difference) if difference else Future()
        if not difference:
            self._making.set_result(None)

    def _taxa_said(self, keys: Collection[Key]) -> set[str]:
        return self.books.subjects({graphdocuments.iri(key, self.base_url) for key in keys})
