"""A graph kept in step with the log. In: the store, the books, a graph that can be changed. Out: that graph, changed.

A graph that is new is filled from the records, kind by kind, and then follows the log from where it stood when that
began; both in pieces, and where it was killed it goes on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from linkeddata import graphdocuments
from linkeddata.graphbooks import Books, Difference, Said
from linkeddata.graphdocuments import KINDS, Changed, Key
from linkeddata.records import KEYS
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


@dataclass(frozen=True, slots=True)
class Following:
    """Keeps ``graph`` in step; ``base_url`` is where documents are published, ``books`` are the graph's own."""

    graph: Graph
    books: Books
    base_url: str

    def open(self, target: str) -> None:
        """Finish what was begun; begin again where the books are not of this graph, address or shape of documents.

        ``target`` names the graph.
        """
        made_for = f"{graphdocuments.shape()} {self.base_url} {target}"
        number = self.graph.number
        pending = self.books.pending()
        same = number == self.books.number or (bool(pending) and number == pending.number - 1)
        if self.books.state("made_for") != made_for or not same:
            self.graph.clear()
            self.books.forget({"made_for": made_for})
        elif pending:
            self._make(pending)

    @property
    def position(self) -> int:
        """The log's sequence number up to which everything is in the graph; 0 until it has been filled."""
        return int(self.books.state("position") or 0)

    def advance(self, store: Store) -> int:
        """Take in the next piece; return how many events, or documents, it was."""
        if not self.books.state("position"):
            return self._fill(store)
        events = list(islice(store.events(self.position), BATCH))
        if not events:
            return 0
        keys = list(Changed.by(store, events, self._taxa_said).keys)
        for start in range(BATCH, len(keys), BATCH):  # the last piece comes with the position
            self._take(store, keys[start : start + BATCH], {})
        self._take(store, keys[:BATCH], {"position": str(events[-1].seq)})
        return len(events)

    def _fill(self, store: Store) -> int:
        """Take in the next documents of a graph that is new."""
        at = self.books.state("filled_to")
        if not at:
            start = store.state()[0]
            keys: list[Key] = [("model", name) for name in graphdocuments.models(store)]
            first = next(iter(KINDS))
            self._take(store, keys, {"filled_from": str(start), "filled_to": f"{first}\n"})
            return 1
        kind, _, after = at.partition("\n")
        records: list[Any] = store.page(KINDS[kind].record, after=after, limit=BATCH)
        said = self._sorted(graphdocuments.said_of(kind, store, records, self.base_url))
        if len(records) == BATCH:
            last = getattr(records[-1], KEYS[KINDS[kind].record])
            notes = {"filled_to": f"{kind}\n{last}"}
        else:
            following = list(KINDS)[list(KINDS).index(kind) + 1 :]
            notes = {"filled_to": f"{following[0]}\n"} if following else {"position": self.books.state("filled_from")}
        self._make(self.books.take(said, notes))
        return max(1, len(records))

    def _take(self, store: Store, keys: list[Key], notes: Mapping[str, str]) -> None:
        gone: dict[str, Said | None] = {graphdocuments.iri(key, self.base_url): None for key in keys}
        self._make(self.books.take(gone | self._sorted(graphdocuments.said(store, keys, self.base_url)), notes))

    def _make(self, difference: Difference) -> None:
        if difference:
            self.graph.apply(difference)
        self.books.done()

    def _sorted(self, said: Mapping[Key, Any]) -> dict[str, Said | None]:
        found: dict[str, Said | None] = {}
        for key, statements in said.items():
            iri = graphdocuments.iri(key, self.base_url)
            found[iri] = Said.of(iri, statements, own=key[0] in KINDS and KINDS[key[0]].own)
        return found

    def _taxa_said(self, keys: Any) -> set[str]:
        return self.books.subjects({graphdocuments.iri(key, self.base_url) for key in keys})
