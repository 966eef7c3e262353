"""Pages of a hundred: documents a second, the first page beside the last, and a taxon with all below it.

Beside them rdflib writes the same hundred records, which it has as a graph, as JSON-LD. Pages begin anywhere in the
store; those of a genus hold what is below a genus with about as many identifications as half of all genera have.
"""

import json
import random
import statistics
import time
from pathlib import Path
from urllib.parse import urlencode

import rdflib

from benchmarks._figure import figure
from benchmarks._load import load
from benchmarks._publish_made import Made, key_of, made
from benchmarks._publish_serving import received, serving, until_ready
from linkeddata import contexts
from linkeddata.collections import cursor_of
from linkeddata.records import Identification, Taxon
from linkeddata.selection import Place
from linkeddata.store import Store

PAGE = 100
PAGES = 400
SECONDS = 4.0
TIMES_RDFLIB = 30
FAST_GENUS_MS = 20.0
BESIDE = "rdflib's JSON-LD serializer, the same records"


def measure(data: Path, folder: Path, sizes: list[int]) -> None:
    """Print the figures of each size."""
    for size in sizes:
        store = made(data, folder, size)
        genus, family = _taxa(store)
        chance = random.Random(size)
        begins = [cursor_of(Place(key_of(chance.randrange(size)))) for _ in range(PAGES)]
        with serving(store.path.parent) as port:
            until_ready(port)
            plain = [_path(cursor=cursor) for cursor in begins]
            peer = _rdflib(received(port, plain[0])[1].decode())
            _rate(f"pages of {PAGE}", size, port, plain, peer)
            _rate(f"pages of {PAGE} below a family", size, port, [f"{p}&taxon={family}" for p in plain], peer)
            _rate(f"pages of {PAGE} below a kingdom", size, port, [f"{p}&taxon=1" for p in plain], peer)
            _ends(size, port, {"all": "", "below a family": family})
            _genus(size, port, genus)


def _path(**asked: str) -> str:
    return "/identifications?" + urlencode({name: value for name, value in asked.items() if value})


def _rate(what: str, size: int, port: int, paths: list[str], peer: float) -> None:
    load(port, paths, seconds=1.0)
    found = load(port, paths, seconds=SECONDS)
    rate = found.rate * PAGE
    name = f"{what}, {size:,} identifications"
    figure(name, rate, "documents/s", beside=BESIDE, beside_value=peer, at_least=peer * TIMES_RDFLIB)


def _rdflib(page: str) -> float:
    """Return how many of the page's documents rdflib writes a second."""
    base = page.partition('"@context":"')[2].partition("/context.jsonld")[0]
    context = contexts.context(base)["@context"]
    named = f'"@context":"{base}/context.jsonld"'
    graph = rdflib.Graph().parse(data=page.replace(named, '"@context":' + json.dumps(context), 1), format="json-ld")
    best = 0.0
    for how in ({"context": context, "auto_compact": False}, {}):  # compacted as ours is, or expanded: the faster
        began = time.perf_counter()
        graph.serialize(format="json-ld", **how)
        best = max(best, PAGE / (time.perf_counter() - began))
    return best


def _ends(size: int, port: int, taxa: dict[str, str]) -> None:
    for what, taxon in taxa.items():
        first = load(port, [_path(taxon=taxon, cursor=cursor_of(Place()))], seconds=2.0, connections=1)
        last = load(port, [_path(taxon=taxon, cursor=cursor_of(Place(None, True)))], seconds=2.0, connections=1)
        name = f"last page, {what}, p50, {size:,} identifications"
        figure(name, last.p50_ms, "ms", beside="first page", beside_value=first.p50_ms, at_most=first.p50_ms * 1.25)


def _genus(size: int, port: int, genus: str) -> None:
    found = load(port, [_path(taxon=genus)], seconds=3.0, connections=1)
    alone = load(port, [_path(limit="100")], seconds=3.0, connections=1)
    figure(
        f"one genus, whole list's first page, p50, {size:,} identifications",
        found.p50_ms,
        "ms",
        beside="the same of all",
        beside_value=alone.p50_ms,
        at_most=FAST_GENUS_MS,
    )


def _taxa(store: Made) -> tuple[str, str]:
    """Return the genus in the middle of all genera by identifications, and the family with the most."""
    genera: dict[str, int] = {}
    families: dict[str, int] = {}
    with Store(store.url) as opened:
        for taxon in opened.each(Taxon):
            number = opened.count(Identification, item=taxon.item)
            for counts, rank in ((genera, "genus"), (families, "family")):
                key = next((step.gbif_key for step in taxon.lineage if step.rank == rank), "")
                counts[key] = counts.get(key, 0) + number
    middle = statistics.median_low(genera.values())
    genus = next(key for key, number in sorted(genera.items()) if number == middle)
    return genus, max(families, key=lambda key: (families[key], key))
