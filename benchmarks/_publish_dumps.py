"""The whole as N-Quads: triples a second on one core, and the memory it takes. Beside: rdflib and Oxigraph.

Each size is written by a process of its own, which is stopped after some seconds; so its rate is that of what it wrote.

``python -m benchmarks._publish_dumps STORE SECONDS`` writes to nowhere and prints triples, seconds and peak memory.
"""

import gzip
import json
import resource
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import pyoxigraph
import rdflib

from benchmarks._figure import figure
from benchmarks._publish_made import BASE, made
from linkeddata import contexts, quads
from linkeddata.dumps import GZIP_LEVEL, nquads, published
from linkeddata.store import Store

SECONDS = 25.0
TRIPLES_PER_S = 200_000
MEMORY_GROWTH = 1.2
COMPARED = 300


def measure(data: Path, folder: Path, sizes: list[int]) -> None:
    """Print the figures of each size."""
    peers = _peers(made(data, folder, sizes[0]).url)
    smallest: float = 0
    for size in sizes:
        store = made(data, folder, size)
        command = [sys.executable, "-m", "benchmarks._publish_dumps", store.url, str(SECONDS)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        smallest = smallest or found["mib"]
        for packed, beside in (("lines", "oxigraph"), ("gzip", "rdflib")):
            figure(
                f"N-Quads, {packed}, {size:,} identifications",
                found[f"{packed}_per_s"],
                "triples/s",
                beside=f"{beside} from the same documents",
                beside_value=peers[beside],
                at_least=TRIPLES_PER_S,
            )
        figure(
            f"N-Quads, peak memory, {size:,} identifications",
            found["mib"],
            "MiB",
            beside="the smallest store",
            beside_value=smallest,
            at_most=smallest * MEMORY_GROWTH,
        )


def _peers(url: str) -> dict[str, float]:
    """Return triples/s of what a library makes of the same JSON-LD documents, context inline."""
    with Store(url) as store:
        docs = list(islice(published(store, BASE), COMPARED))
    texts = [json.dumps(contexts.with_context(doc, "inline", BASE)) for doc in docs]
    triples = sum(quads.lines(doc, BASE).count(b"\n") for doc in docs)
    began = time.perf_counter()
    for text in texts:
        parsed = pyoxigraph.parse(text, format=pyoxigraph.RdfFormat.JSON_LD)
        pyoxigraph.serialize(parsed, format=pyoxigraph.RdfFormat.N_QUADS)
    between = time.perf_counter()
    for text in texts[:30]:
        rdflib.Dataset().parse(data=text, format="json-ld").serialize(format="nquads")
    end = time.perf_counter()
    few = sum(quads.lines(doc, BASE).count(b"\n") for doc in docs[:30])
    return {"oxigraph": triples / (between - began), "rdflib": few / (end - between)}


def main() -> None:
    """Write the dump of a store to nowhere, twice: as lines, and as they are packed."""
    url, seconds = sys.argv[1], float(sys.argv[2])
    found: dict[str, float] = {}
    with Store(url) as store, Path("/dev/null").open("wb") as nowhere:
        packed = gzip.GzipFile(filename="", mode="wb", fileobj=nowhere, compresslevel=GZIP_LEVEL, mtime=0)
        writers: dict[str, BinaryIO] = {"lines": nowhere, "gzip": packed}  # type: ignore[dict-item]
        for name, out in writers.items():
            triples, began = 0, time.process_time()
            for piece in nquads(store, BASE):
                triples += piece.count(b"\n")
                out.write(piece)
                if time.process_time() - began > seconds:
                    break
            found[f"{name}_per_s"] = triples / (time.process_time() - began)
    found["mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found))


if __name__ == "__main__":
    main()
