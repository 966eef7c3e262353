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
from benchmarks._publish_serving import answering, received, serving

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
        found = load(port, paths, seconds=SECONDS, connections=CONNECTIONS)
        peer = load(constant, paths, seconds=SECONDS / 2, connections=CONNECTIONS)
        again = load(port, paths[:AGAIN], seconds=SECONDS / 2, connections=CONNECTIONS)
        alone = load(port, paths[AGAIN:], seconds=SECONDS / 2, connections=1)
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
