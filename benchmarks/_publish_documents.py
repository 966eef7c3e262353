"""One document: how many identifications a second are served, and how long one takes.

Beside it the same web server answers each time with one of these documents, headers and all, from memory. The ids asked
for are drawn from the whole store, so that of a million hardly one is asked for twice. All lie ready beside the store,
which is waited for and not counted; a server that keeps nothing ready (``keep_documents = false``) is measured apart.
Servers of all sizes are asked in turn, in rounds, and the medians of the rounds are printed: what else the
machine does meanwhile comes and goes, and meets all of them.
"""

import random
import statistics
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks._figure import figure
from benchmarks._load import Load, load
from benchmarks._publish_made import key_of, made
from benchmarks._publish_serving import answering, processor_s, received, serving, until_ready

ASKED = 20_000
CONNECTIONS = 4
ROUNDS = 5
SECONDS = 1.5
RATE_OF_CONSTANT = 0.6
P99_GROWTH = 1.5


@dataclass
class _Server:
    """One server under load, and what was seen of it, round by round."""

    port: int
    paths: list[str]
    loads: list[Load] = field(default_factory=list)
    alone: list[Load] = field(default_factory=list)
    processor_us: list[float] = field(default_factory=list)

    def ask(self) -> None:
        """Ask over several connections, then over one."""
        before = processor_s(self.port)
        found = load(self.port, self.paths, seconds=SECONDS, connections=CONNECTIONS)
        self.processor_us.append((processor_s(self.port) - before) / found.answers * 1e6)
        self.loads.append(found)
        self.alone.append(load(self.port, self.paths[::-1], seconds=SECONDS, connections=1))

    def median(self, of: Callable[[Load], float], *, alone: bool = False) -> float:
        """Return the median of the rounds."""
        return statistics.median(map(of, self.alone if alone else self.loads))


def measure(data: Path, folder: Path, sizes: list[int]) -> None:
    """Print the figures of each size."""
    with ExitStack() as opened:
        ready = {size: _started(opened, data, folder, size, keep=True) for size in sizes}
        for server in ready.values():
            until_ready(server.port)
        unkept = _started(opened, data, folder, sizes[0], keep=False)
        first = ready[sizes[0]]
        answer = b"\r\n\r\n".join(received(first.port, first.paths[0]))
        constant = _Server(opened.enter_context(answering(answer)), first.paths)
        servers = [*ready.values(), unkept, constant]
        for server in servers:
            load(server.port, server.paths, seconds=1.0, connections=CONNECTIONS)
        for _ in range(ROUNDS):
            for server in servers:
                server.ask()
    for size, server in ready.items():
        _print(f"{size:,} identifications", server, constant)
        _print_p99(size, server, first)
    _print(f"{sizes[0]:,} identifications, nothing kept ready", unkept, constant)


def _started(opened: ExitStack, data: Path, folder: Path, size: int, *, keep: bool) -> _Server:
    chance = random.Random(size)
    paths = [f"/identifications/{key_of(chance.randrange(size))}" for _ in range(ASKED)]
    home = made(data, folder, size).path.parent
    return _Server(opened.enter_context(serving(home, keep=keep)), paths)


def _print(of_what: str, server: _Server, constant: _Server) -> None:
    spent, peer_spent = statistics.median(server.processor_us), statistics.median(constant.processor_us)
    figure(
        f"one document, processor time of the server, {of_what}",
        spent,
        "µs",
        beside="the same server, a constant",
        beside_value=peer_spent,
        at_most=peer_spent / RATE_OF_CONSTANT,
    )
    peer = constant.median(lambda one: one.rate)
    figure(
        f"one document, {of_what}",
        server.median(lambda one: one.rate),
        "requests/s",
        beside="the same server, a constant",
        beside_value=peer,
        at_least=peer * RATE_OF_CONSTANT,
    )
    figure(
        f"one document, p50, {of_what}, {CONNECTIONS} connections",
        server.median(lambda one: one.p50_ms),
        "ms",
        beside="the same server, a constant",
        beside_value=constant.median(lambda one: one.p50_ms),
    )


def _print_p99(size: int, server: _Server, first: _Server) -> None:
    for connections, alone in ((CONNECTIONS, False), (1, True)):
        beside = first.median(lambda one: one.p99_ms, alone=alone)
        figure(
            f"one document, p99, {size:,} identifications, {connections} connections",
            server.median(lambda one: one.p99_ms, alone=alone),
            "ms",
            beside="in the smallest store",
            beside_value=beside,
            at_most=beside * P99_GROWTH,
        )
