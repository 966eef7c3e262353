"""SPARQL over what is published: how fast the graph follows the log, and queries beside rdflib on the same graph.

``python -m benchmarks._publish_sparql [IDENTIFICATIONS]``
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyoxigraph as ox
import rdflib

from benchmarks._figure import figure
from linkeddata.publishedgraph import PublishedGraph, newest
from linkeddata.records import Agent, Alternative, Identification, MediaFile, Record, Taxon
from linkeddata.sparqlpool import Pool
from linkeddata.store import Store

BASE = "https://deboodt.example"
WHEN = "2026-11-02T10:00:00Z"
TAXA = 500
FORM = {"solutions": "application/sparql-results+json", "graphs": "text/turtle", "base": f"{BASE}/", "prefixes": {}}
PREFIX = "PREFIX oa: <http://www.w3.org/ns/oa#> PREFIX dwc: <http://rs.tdwg.org/dwc/terms/> "
QUERIES = {
    "count": "SELECT (COUNT(*) AS ?n) { ?a oa:motivatedBy oa:identifying }",
    "group": "SELECT ?t (COUNT(?a) AS ?n) { ?a oa:hasBody ?t ; oa:hasTarget ?f } GROUP BY ?t",
    "path": "SELECT ?name (COUNT(?a) AS ?n) { ?a oa:hasBody/dwc:scientificName ?name } GROUP BY ?name",
}


def records(count: int) -> Iterator[Record]:
    """Yield ``count`` identifications of as many files, with the taxa and the software."""
    yield Agent(id="urn:deboodt:model:m@1", kind="SoftwareAgent", name="m", version="1")
    for number in range(TAXA):
        item = f"Q{number + 1}"
        yield Taxon(query=item, concept=item, name=f"Genus{number} species", rank="species", item=item)
    for number in range(count):
        yield MediaFile(iri=f"https://plates.example/{number}", title=f"Plate {number}", mime="image/jpeg")
    for number in range(count):
        item = f"Q{number % TAXA + 1}"
        yield Identification(
            id=f"{number:024x}",
            file=f"https://plates.example/{number}",
            model="m",
            version="1",
            label=f"Genus{number % TAXA} species",
            rank="species",
            item=item,
            certainty=0.5,
            agent="urn:deboodt:model:m@1",
            moment=WHEN,
            alternatives=(Alternative("other", 0.25),),
        )


def measured(count: int) -> dict[str, float]:
    """Return identifications/s of following, and seconds of each query here and in rdflib."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as home, Store(f"sqlite:///{home}/store.sqlite") as store:
        around, answers = _split(count)
        store.put(around, agent="bench", moment=WHEN)
        with PublishedGraph(Path(home) / "graph", BASE) as graph:
            graph.catch_up(store)
            store.put(answers, agent="bench", moment=WHEN)
            began = time.process_time()
            figures["followed_per_s"] = count / _seconds(lambda: graph.catch_up(store))
            figures["followed_per_s_of_processor"] = count / (time.process_time() - began)
        figures |= _queries(Path(home) / "graph")
    return figures


def _split(count: int) -> tuple[list[Record], list[Record]]:
    every = list(records(count))
    return [one for one in every if not isinstance(one, Identification)], every[-count:]


def _queries(folder: Path) -> dict[str, float]:
    path = newest(folder)
    assert path is not None
    quads = ox.Store.read_only(str(path)).quads_for_pattern(None, None, None, ox.DefaultGraph())
    written = ox.serialize((quad.triple for quad in quads), format=ox.RdfFormat.N_TRIPLES)
    theirs = rdflib.Graph().parse(data=written or b"", format="nt")
    figures: dict[str, float] = {"triples": len(theirs)}
    pool = Pool(folder)
    pool.ask("ASK {}", FORM)
    for name, query in QUERIES.items():
        text = PREFIX + query
        assert not pool.ask(text, FORM).problem
        figures[f"{name}_s"] = min(_seconds(lambda text=text: pool.ask(text, FORM)) for _ in range(3))  # type: ignore[misc]
        figures[f"{name}_rdflib_s"] = _seconds(lambda text=text: list(theirs.query(text)))  # type: ignore[misc]
    pool.close()
    return figures


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main(count: int) -> bool:
    """Print the figures for ``count`` identifications; return whether the aims are met."""
    found = measured(count)
    met = [
        figure(
            f"graph follows the log, {count:,} identifications",
            found["followed_per_s"],
            "identifications/s",
            beside="the same by processor time",
            beside_value=found["followed_per_s_of_processor"],
            at_least=2000,
        )
    ]
    for name in QUERIES:
        beside = found[f"{name}_rdflib_s"]
        what = f"query: {name}, {found['triples']:,.0f} triples"
        met.append(figure(what, found[f"{name}_s"], "s", beside="rdflib", beside_value=beside, at_most=beside / 20))
    return all(met)


if __name__ == "__main__":
    sys.exit(not main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
