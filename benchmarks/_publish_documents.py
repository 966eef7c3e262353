"""One document: how many identifications a second are served, and how long one takes.

Beside it the same web server answers each time with one of these documents, headers and all, from memory. The ids asked
for are drawn from the whole store, so that of a million hardly one is asked for twice: each document is made anew. What
is asked for again and again, as pages that people and links lead to are, is remembered; that is measured apart.
"""

import random
from pathlib import Path

from benchmarks._figure import figure
from benchmarks._load import Load, load
from benchmarks._publish_made import key_of, made
from benchmarks._publish_serving import answering, processor_s, received, serving

ASKED = 20_000
CONNECTIONS = 4
AGAIN = 1_000
SECONDS = 6.0
RATE_OF_CONSTANT = 0.6
P99_GROWTH = 1.5


def measure(data: Path, folder: Path, sizes: list[int]) -> None:
    """Print the figures of each size."""
    first: Load | None = None
    for size in sizes:
        found = _measured(data, folder, size, first)
        first = first or found


def _measured(data: Path, folder: Path, size: int, first: Load | None) -> Load:
    store = made(data, folder, size)
    chance = random.Random(size)
    paths = [f"/identifications/{key_of(chance.randrange(size))}" for _ in range(ASKED)]
    with serving(store.path.parent) as port, answering(b"\r\n\r\n".join(received(port, paths[0]))) as constant:
        for one in (port, constant):
            load(one, paths, seconds=1.0, connections=CONNECTIONS)
        found, found_us = _loaded(port, paths, SECONDS)
        peer, peer_us = _loaded(constant, paths, SECONDS / 2)
        again, again_us = _loaded(port, paths[:AGAIN], SECONDS / 2)
        alone = load(port, paths[AGAIN:], seconds=SECONDS / 2, connections=1)
    for what, spent in (("one document, any", found_us), (f"one document of {AGAIN:,} asked for again", again_us)):
        figure(
            f"{what}, processor time of the server, {size:,} identifications",
            spent,
            "µs",
            beside="the same server, a constant",
            beside_value=peer_us,
            at_most=peer_us / RATE_OF_CONSTANT,
        )
    for what, rate in (("one document, any", found.rate), (f"one document of {AGAIN:,} asked for again", again.rate)):
        figure(
            f"{what}, {size:,} identifications",
            rate,
            "requests/s",
            beside="the same server, a constant",
            beside_value=peer.rate,
            at_least=peer.rate * RATE_OF_CONSTANT,
        )
    for name, value, beside in (("p50", found.p50_ms, peer.p50_ms), ("p99", found.p99_ms, peer.p99_ms)):
        what = f"one document, {name}, {size:,} identifications, {CONNECTIONS} connections"
        figure(what, value, "ms", beside="the same server, a constant", beside_value=beside)
    figure(
        f"one document, p99, {size:,} identifications, one connection",
        alone.p99_ms,
        "ms",
        beside="in the smallest store",
        beside_value=(first or alone).p99_ms,
        at_most=first.p99_ms * P99_GROWTH if first else 0,
    )
    return alone


def _loaded(port: int, paths: list[str], seconds: float) -> tuple[Load, float]:
    """Return what was seen, and how many microseconds of processor time an answer took the server."""
    before = processor_s(port)
    found = load(port, paths, seconds=seconds, connections=CONNECTIONS)
    return found, (processor_s(port) - before) / found.answers * 1e6
