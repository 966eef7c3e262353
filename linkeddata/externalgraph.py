"""Another SPARQL 1.1 server that holds what is published. In: its addresses. Out: answers, and a graph kept in step.

Queries go to it by SPARQL 1.1 Protocol, differences by SPARQL 1.1 Update, into one named graph that is ours alone. The
books lie in our own home folder; the number of the last difference stands in the server, in a small graph of its own:
a server that was emptied, or put back to an older state, is filled again.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from linkeddata.client import Client
from linkeddata.errors import ServiceError
from linkeddata.graphbooks import Books, Difference
from linkeddata.graphfollower import Following
from linkeddata.negotiation import JSON, JSON_LD, N_TRIPLES, RDF_XML, TURTLE
from linkeddata.publishedgraph import REST_S
from linkeddata.settings import Settings
from linkeddata.sparql import select
from linkeddata.sparqlpool import Answer, Limits
from linkeddata.store import Store
from linkeddata.trying import TryAgainError

LONGEST_REST_S = 60.0
"""Longest pause before a server that did not answer is asked again."""
BOOKS = "external.sqlite"
"""Name of the books in home."""
_MARKS = "urn:deboodt:log"
_NUMBER = "<urn:deboodt:log#number>"
_TYPES = (
    "application/sparql-results+json", JSON, "application/sparql-results+xml", "application/xml", "text/csv",
    "text/tab-separated-values", TURTLE, N_TRIPLES, RDF_XML, JSON_LD, "text/plain",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class External:
    """Puts queries to the server at ``url``; over ``graph`` alone, where one is named."""

    client: Client
    url: str
    limits: Limits = field(default_factory=Limits)
    graph: str = ""

    def ask(self, query: str, form: Mapping[str, Any]) -> Answer:
        """Put the query to the server, and hand on what it says."""
        accept = f"{form['solutions']}, {form['graphs']};q=0.9"
        asked = {"query": query} | ({"default-graph-uri": self.graph} if self.graph else {})
        try:
            with closing(self.client.open(self.url, asked, accept=accept)) as response:
                media_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
                if response.status_code == 400:
                    said = response.raw.read(2000, decode_content=True).decode("utf-8", "replace")
                    return Answer(problem="malformed", detail=said)
                if response.status_code != 200 or media_type not in _TYPES:
                    return Answer(problem="broken", detail=f"The server said {response.status_code}.")
                body = response.raw.read(self.limits.bytes + 1, decode_content=True)
        except (ServiceError, TryAgainError, OSError) as error:
            return Answer(problem="broken", detail=f"The server cannot be asked: {type(error).__name__}.")
        if len(body) > self.limits.bytes:
            return Answer(problem="too many", detail=f"The answer is longer than {self.limits.bytes:,} bytes.")
        return Answer(media_type, body)


@dataclass(frozen=True, slots=True)
class ServerGraph:
    """One graph of a server, as something that can be changed. Raises ``ServiceError`` where the server says no."""

    client: Client
    query_url: str
    update_url: str
    iri: str

    @property
    def number(self) -> int:
        """The number of the last difference that was made in it."""
        query = f"SELECT ?n {{ GRAPH <{_MARKS}> {{ <{self.iri}> {_NUMBER} ?n }} }}"
        return max((int(row["n"]) for row in select(self.client, self.query_url, query)), default=0)

    def clear(self) -> None:
        """Empty the graph."""
        self._update(f"{self._forget_number()} ; DROP SILENT GRAPH <{self.iri}>")

    def apply(self, difference: Difference) -> None:
        """Make a difference."""
        for update in difference.updates(self.iri):
            self._update(update)
        number = f'<{self.iri}> {_NUMBER} "{difference.number}"'
        self._update(f"{self._forget_number()} ; INSERT DATA {{ GRAPH <{_MARKS}> {{ {number} }} }}")

    def _forget_number(self) -> str:
        return f"DELETE WHERE {{ GRAPH <{_MARKS}> {{ <{self.iri}> {_NUMBER} ?n }} }}"

    def _update(self, text: str) -> None:
        self.client.post_form(self.update_url, {"update": text})


def follow(
    settings: Settings,
    client: Client,
    store: Store,
    going: Callable[[], bool],
    rest: Callable[[float], None] = time.sleep,
) -> None:
    """Keep the server that the settings name in step with the store's log, while ``going``.

    A server that does not answer, or says no, is asked again after a pause that grows.
    """
    graph = ServerGraph(client, settings.sparql_published, settings.sparql_update, settings.published_graph)
    pause_s = REST_S
    base_url = settings.base_url.rstrip("/")
    with closing(Books(settings.home_path / BOOKS)) as books, closing(Following(graph, books, base_url)) as following:
        opened = False
        while going():
            try:
                if not opened:
                    following.open(f"{settings.sparql_published} {graph.iri}")
                    opened = True
                moved = following.advance(store)
                pause_s = REST_S
            except ServiceError:
                moved, opened, pause_s = 0, False, min(2 * pause_s, LONGEST_REST_S)
            if not moved:
                rest(pause_s)


def lag(store: Store, home: Path) -> dict[str, int]:
    """Return up to which event of the log the server has what is published, and how many events it has not yet."""
    position = 0
    if (home / BOOKS).exists():
        with closing(Books(home / BOOKS)) as books:
            position = int(books.state("shown") or 0)
    return {"position": position, "behind": max(store.state()[0] - position, 0)}
