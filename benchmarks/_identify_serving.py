"""Answering over HTTP, measured. In: a home folder with a model. Out: figures of start, rate, latency and memory."""

import asyncio
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks._figure import as_installed, figure
from benchmarks._identify_clients import ask_once, at_moments, in_turn, request_of
from benchmarks._identify_made import NAME, SMALL, made, picture, small
from benchmarks._identify_peers import measured

IMAGE = (640, 480)
STARTS = 3
CLIENTS = (1, 4, 8)
LOAD = 0.8
LEAST_ASKED = 500
"""Requests by which a hundredth is known."""
WATCHED = {NAME: 3000, SMALL: 6000}
"""Images of each model over which memory is watched; a third as many come before, until it has settled."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs: its port, its process, and what it took until it answered at all."""

    port: int
    pid: int
    started_s: float


@contextmanager
def serving(home: Path) -> Iterator[Server]:
    """Serve the models in ``home`` as users do: in a process of its own, installed, on a store that is there."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = int(found.getsockname()[1])
    environment = as_installed(home / "bytecode") | {
        "DEBOODT_SPARQL_PUBLISHED": "http://127.0.0.1:9/",
        "DEBOODT_KEEP_DOCUMENTS": "no",
        "DEBOODT_IMAGES_A_MINUTE": "0",
    }
    command = [sys.executable, "-m", "identify.cli", "--home", str(home), "serve", "--port", str(port)]
    begun = time.perf_counter()
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            while not _listens(port):
                if process.poll() is not None:
                    raise RuntimeError("the server ended")
                time.sleep(0.01)
            yield Server(port, process.pid, time.perf_counter() - begun)
        finally:
            process.terminate()


def requests_of(model: str) -> list[bytes]:
    """Return requests about some pictures."""
    return [request_of(f"/models/{model}/identify", picture(*IMAGE, seed)) for seed in range(8)]


def measure_start(home: Path, seconds: float) -> None:
    """Measure how long it takes until the API answers, and until a model has answered; the first start is not counted.

    The first makes the store, and bytecode as an installer would.
    """
    made(home)
    request = requests_of(NAME)[0]
    runs = []
    for _ in range(1 + STARTS):
        begun = time.perf_counter()
        with serving(home) as server:
            used = _processor_s(server.pid)
            answer = asyncio.run(ask_once(server.port, request))
            assert answer.status == 200
            runs.append((server.started_s, used, time.perf_counter() - begun))
    listens, used, answered = (statistics.median(one) for one in zip(*runs[1:], strict=True))
    figure("API answers after", listens, "s", beside="aim", beside_value=2.0, at_most=2.0)
    figure("the same, processor time", used, "s", beside="aim", beside_value=2.0, at_most=2.0)
    figure("its InceptionV3 has answered after", answered, "s", beside="API answers after", beside_value=listens)


def measure_serving(home: Path, seconds: float) -> None:
    """Measure one image after the other over HTTP by several clients, and latencies under load."""
    bundle = made(home)
    keras, before = measured("keras", str(home)), measured("bare", str(bundle))
    requests, engine = requests_of(NAME), before["engine"]
    with serving(home) as server:
        asyncio.run(in_turn(server.port, requests, 2, 40))
        number, rates, used = max(30, int(seconds * before["rate"])), {}, _processor_s(server.pid)
        for clients in CLIENTS:
            answers, rates[clients] = asyncio.run(in_turn(server.port, requests, clients, number))
            assert all(one.status == 200 for one in answers)
        used = (_processor_s(server.pid) - used) / (len(CLIENTS) * number) * 1000
        most = max(rates.values())
        tails = {
            name: _latencies(server.port, requests, spaced(LOAD * most, seconds, name == "by chance"))
            for name in ("evenly", "by chance")
        }
        memory = _resident_mb(server.pid)
    after = measured("bare", str(bundle))
    bare = {key: max(before[key], after[key]) if key == "rate" else min(before[key], after[key]) for key in after}
    for clients, rate in rates.items():
        what = f"one image over HTTP, {clients} at a time, {engine}"
        peer, own = keras["rate"], bare["rate"]
        figure(what, rate, "images/s", beside="Keras predict, batch 1", beside_value=peer, at_least=10 * peer)
        figure(what, rate, "images/s", beside="the bare runtime, batch 1", beside_value=own, at_least=0.8 * own)
    what = f"processor time of one image over HTTP, {engine}"
    peer, own = keras["processor_ms"], bare["processor_ms"]
    figure(what, used, "ms", beside="Keras predict, batch 1", beside_value=peer, at_most=peer / 10)
    figure(what, used, "ms", beside="the bare runtime, batch 1", beside_value=own, at_most=own / 0.8)
    for name, (p50, p99, lost) in tails.items():
        what = f"p99 at {LOAD:.0%} load, asked {name}, {lost} sent away"
        figure(what, p99, "ms", beside="p50", beside_value=p50, at_most=3 * p50)
    figure("API's memory with one InceptionV3", memory, "MB", beside="aim", beside_value=600, at_most=600)


def measure_memory(home: Path, seconds: float) -> None:
    """Watch the server's memory over many images, with a large and with a small model."""
    made(home)
    for model, watched in WATCHED.items():
        requests = requests_of(model)
        with serving(small(home) if model == SMALL else home) as server:
            asyncio.run(in_turn(server.port, requests, 4, watched // 3))
            before = _resident_mb(server.pid)
            _, rate = asyncio.run(in_turn(server.port, requests, 4, watched))
            after = _resident_mb(server.pid)
        grown = (after - before) * 100_000 / watched
        what = f"memory's growth by 100,000 images, by its slope over {watched:,}, {model}, {rate:.0f} images/s"
        figure(what, grown, "MB", beside="resident", beside_value=after, at_most=0.1 * after)


def spaced(rate: float, seconds: float, by_chance: bool) -> list[float]:
    """Return moments, in seconds, at so many a second: evenly, or with exponential gaps as of people who ask alone."""
    number, moments, drawn = max(LEAST_ASKED, int(rate * seconds)), [0.0], random.Random(1596)
    for _ in range(number - 1):
        moments.append(moments[-1] + (drawn.expovariate(rate) if by_chance else 1 / rate))
    return moments


def _latencies(port: int, requests: Sequence[bytes], moments: Sequence[float]) -> tuple[float, float, int]:
    """Return the median and the 99th percentile of what answers took from when they were asked for, in ms.

    And how many were sent away, whom the figures leave out.
    """
    took = asyncio.run(at_moments(port, requests, moments))
    return took[len(took) // 2] * 1000, took[len(took) * 99 // 100] * 1000, len(moments) - len(took)


def _processor_s(pid: int) -> float:
    ticks = (Path("/proc") / str(pid) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def _resident_mb(pid: int) -> float:
    lines = (Path("/proc") / str(pid) / "status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1000


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        tried.settimeout(1)
        return tried.connect_ex(("127.0.0.1", port)) == 0
