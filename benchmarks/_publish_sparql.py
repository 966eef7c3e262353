"""SPARQL over what is published: filling a graph and following the log while serving; queries beside rdflib.

In: stores of some sizes (``benchmarks._publish_made``), copied. Out: for each, identifications/s of a new graph and of
changes in the log while queries are answered; each query over HTTP as a user sees it and without, from disk and from
memory, beside rdflib on the same triples where that has room for them.
"""

import http.client
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from urllib.parse import urlencode

import pyoxigraph as ox
import rdflib

from benchmarks._figure import figure
from benchmarks._publish_made import BASE, WHEN, made
from benchmarks._publish_serving import serving
from linkeddata.publishedgraph import GRAPH, PublishedGraph, newest
from linkeddata.records import Identification
from linkeddata.sparqlpool import Limits, Pool
from linkeddata.store import Store

FORM = {"solutions": "application/sparql-results+json", "graphs": "text/turtle", "base": f"{BASE}/", "prefixes": {}}
PREFIX = "PREFIX oa: <http://www.w3.org/ns/oa#> PREFIX dwc: <http://rs.tdwg.org/dwc/terms/> "
QUERIES = {
    "count": "SELECT (COUNT(*) AS ?n) { ?a oa:motivatedBy oa:identifying }",
    "group": "SELECT ?t (COUNT(?a) AS ?n) { ?a oa:hasBody ?t ; oa:hasTarget ?f } GROUP BY ?t",
    "path": "SELECT ?name (COUNT(?a) AS ?n) { ?a oa:hasBody/dwc:scientificName ?name } GROUP BY ?name",
}
CHANGED = 10_000
"""Identifications that change while queries are answered."""
RDFLIB_HAS_ROOM = 20_000
"""Identifications up to which rdflib reads the graph within a minute and a gigabyte."""
FOLLOWED_PER_S = 2000
TIMES_FASTER = 20
PATIENCE_S = 120.0
TO_MEMORY_S = 25.0
"""Until a snapshot has settled and been read."""


def measure(data: Path, folder: Path, sizes: list[int]) -> None:
    """Measure at every size."""
    for size in sizes:
        with tempfile.TemporaryDirectory(dir=folder) as home:
            source = made(data, folder, size).path
            _copy(source, Path(home) / "deboodt.sqlite")
            _following(Path(home), size)
            _asking(Path(home), size)


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as there, closing(sqlite3.connect(target)) as here:
        there.backup(here)


def _following(home: Path, size: int) -> None:
    with Store(f"sqlite:///{home / 'deboodt.sqlite'}") as store, PublishedGraph(home / GRAPH, BASE) as graph:
        began = time.process_time()
        took = _seconds(lambda: graph.catch_up(store))
        figure(
            f"a new graph is filled, {size:,} identifications",
            size / took,
            "identifications/s",
            beside="the same by processor time of all threads",
            beside_value=size / (time.process_time() - began),
            at_least=FOLLOWED_PER_S,
        )
        found = list(islice(store.each(Identification), min(CHANGED, size)))
        store.put((replace(one, status="verified") for one in found), agent="benchmark", moment=WHEN)
        with _asked_meanwhile(home / GRAPH) as asked:
            took = _seconds(lambda: graph.catch_up(store))
        figure(
            f"the graph follows the log while queries are answered, {size:,} identifications",
            len(found) / took,
            "identifications/s",
            beside="queries answered meanwhile",
            beside_value=len(asked),
            at_least=FOLLOWED_PER_S,
        )


@contextmanager
def _asked_meanwhile(folder: Path) -> Iterator[list[str]]:
    """Put the queries in turn, with a short rest after each; give what was answered."""
    pool, answered, over = Pool(folder), list[str](), threading.Event()
    pool.ask("ASK {}", FORM)

    def ask() -> None:
        while not over.wait(0.1):
            query = list(QUERIES.values())[len(answered) % len(QUERIES)]
            answered.append(pool.ask(PREFIX + query, FORM).problem)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield answered
    finally:
        over.set()
        asking.join()
        pool.close()
    assert not any(answered), answered


def _asking(home: Path, size: int) -> None:
    snapshot = newest(home / GRAPH)
    assert snapshot is not None
    store = ox.Store.read_only(str(snapshot))
    triples = len(store)
    beside = _beside(store) if size <= RDFLIB_HAS_ROOM else {}
    with closing(Pool(home / GRAPH, Limits(seconds=PATIENCE_S, in_memory=0))) as pool:
        _figures("from disk", triples, lambda text: _answered(pool, text), beside)
    with closing(Pool(home / GRAPH)) as pool:
        if _warm(pool):
            _figures("from memory", triples, lambda text: _answered(pool, text), beside)
    with serving(home, sparql=True) as port, closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        _received(connection, "ASK {}")  # the process that answers begins to read the snapshot
        time.sleep(TO_MEMORY_S if triples <= Limits().in_memory else 2)
        connection.close()  # kept open no longer than that by the server
        _figures("over HTTP", triples, lambda text: _received(connection, text), beside)


def _warm(pool: Pool) -> bool:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and newest(pool.folder) is not None:
        if pool.ask("ASK {}", FORM).warm:
            return True
        time.sleep(0.5)
    return False


def _figures(how: str, triples: int, ask: Callable[[str], object], beside: dict[str, float]) -> None:
    for name, query in QUERIES.items():
        took = _best(lambda query=query: ask(PREFIX + query))  # type: ignore[misc]
        figure(
            f"query {how}: {name}, {triples:,} triples",
            took,
            "s",
            beside="rdflib" if name in beside else "rdflib has no room",
            beside_value=beside.get(name, 0),
            at_most=beside.get(name, 0) / TIMES_FASTER,
        )


def _answered(pool: Pool, text: str) -> None:
    answer = pool.ask(text, FORM)
    assert not answer.problem, answer


def _received(connection: http.client.HTTPConnection, text: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/sparql-results+json"}
    connection.request("POST", "/sparql", urlencode({"query": text}), headers)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, body


def _beside(store: ox.Store) -> dict[str, float]:
    """Return how long rdflib takes for each query on the same triples."""
    theirs = _rdflib(store)
    return {name: _best(lambda query=query: list(theirs.query(PREFIX + query))) for name, query in QUERIES.items()}  # type: ignore[misc]


def _rdflib(store: ox.Store) -> rdflib.Graph:
    quads = store.quads_for_pattern(None, None, None, ox.DefaultGraph())
    written = ox.serialize((quad.triple for quad in quads), format=ox.RdfFormat.N_TRIPLES)
    return rdflib.Graph().parse(data=written or b"", format="nt")


def _best(work: Callable[[], object], runs: int = 10) -> float:
    return min(_seconds(work) for _ in range(runs))


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
