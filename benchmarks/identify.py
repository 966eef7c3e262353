"""How fast and how lightly models answer. In: a folder to work in. Out: figures, one JSON line each.

``python -m benchmarks.identify [PART…] [--folder F] [--seconds S]``; parts are ``serving``, ``folder``, ``crowd``,
``training``; all without. An InceptionV3 with random weights is exported there first. Every figure stands beside its
peer of the same run; where other work goes on beside it, processor time says more than the clock.
"""

import argparse
import asyncio
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks._figure import figure
from benchmarks._identify_clients import Answer, all_at_once, at_rate, in_turn, request_of
from benchmarks._identify_made import NAME, made, picture, pictures
from benchmarks._identify_training import training

IMAGE = (640, 480)
LARGE = (4000, 3000)
CLIENTS = 1000
BACKBONE, TAUGHT = "efficientnet-lite0", 2000
LOAD = 0.8
STEADY = 2000
"""Images over which memory is watched."""


def measured(*arguments: str) -> dict[str, Any]:
    """Return what a peer says of itself."""
    command = [sys.executable, "-m", "benchmarks._identify_peers", *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


@contextmanager
def serving(home: Path) -> Iterator[tuple[int, int, float]]:
    """Serve the models in ``home`` as users do; give port, process id and how long it took until it answered."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = int(found.getsockname()[1])
    environment = os.environ | {
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
            yield port, process.pid, time.perf_counter() - begun
        finally:
            process.terminate()


def measure_serving(home: Path, seconds: float) -> None:
    """Measure one image after the other over HTTP, the start, latencies under load, memory."""
    bundle = made(home)
    keras, bare = measured("keras", str(home)), measured("bare", str(bundle))
    requests = [request_of(f"/models/{NAME}/identify", picture(*IMAGE, seed)) for seed in range(8)]
    with serving(home) as (port, pid, started):
        used = _processor_s(pid)
        figure("processor time until the API answers", used, "s", beside="aim", beside_value=2.0, at_most=2.0)
        figure("API with one InceptionV3 answers after", started, "s", beside="aim", beside_value=2.0, at_most=2.0)
        asyncio.run(in_turn(port, requests, 2, 20))
        number = max(30, int(seconds * bare["rate"]))
        used = _processor_s(pid)
        _, alone = asyncio.run(in_turn(port, requests, 1, number))
        answers, together = asyncio.run(in_turn(port, requests, 4, number))
        used = (_processor_s(pid) - used) / (2 * number) * 1000
        assert all(one.status == 200 for one in answers)
        for name, rate in (("one client", alone), ("four clients", together)):
            _beside_peers(f"one image over HTTP, {name}, {bare['engine']}", rate, keras["rate"], bare["rate"])
        what = f"processor time of one image over HTTP, {bare['engine']}"
        peer, own = keras["processor_ms"], bare["processor_ms"]
        figure(what, used, "ms", beside="Keras predict, batch 1", beside_value=peer, at_most=peer / 10)
        figure(what, used, "ms", beside="the bare runtime, batch 1", beside_value=own, at_most=own / 0.8)
        took = asyncio.run(at_rate(port, requests, LOAD * together, seconds))
        p50, p99 = took[len(took) // 2] * 1000, took[len(took) * 99 // 100] * 1000
        figure(f"p99 at {LOAD:.0%} load", p99, "ms", beside="p50", beside_value=p50, at_most=3 * p50)
        _measure_memory(port, pid, requests)


def _beside_peers(what: str, rate: float, keras: float, bare: float) -> None:
    figure(what, rate, "images/s", beside="Keras predict, batch 1", beside_value=keras, at_least=10 * keras)
    figure(what, rate, "images/s", beside="the bare runtime, batch 1", beside_value=bare, at_least=0.8 * bare)


def _measure_memory(port: int, pid: int, requests: list[bytes]) -> None:
    asyncio.run(in_turn(port, requests, 4, STEADY // 2))
    before = _resident_mb(pid)
    asyncio.run(in_turn(port, requests, 4, STEADY))
    after = _resident_mb(pid)
    figure("API's memory with one InceptionV3", after, "MB", beside="aim", beside_value=600, at_most=600)
    grown = (after - before) * 100_000 / STEADY
    what = f"memory's growth by 100,000 images, from its slope over {STEADY:,}"
    figure(what, grown, "MB", beside="resident", beside_value=after, at_most=0.1 * after)


def measure_crowd(home: Path, seconds: float) -> None:
    """Let a thousand clients ask at the same moment; none may hang, none may be told something wrong."""
    made(home)
    requests = [request_of(f"/models/{NAME}/identify", picture(*IMAGE, seed)) for seed in range(8)]
    with serving(home) as (port, _, _):
        right, _ = asyncio.run(in_turn(port, requests, 1, 8))
        known = {_said(one) for one in right}
        answers = asyncio.run(all_at_once(port, requests, CLIENTS))
    answered = [one for one in answers if one.status == 200]
    refused = [one for one in answers if one.status in (429, 503) and b"retry-after:" in one.head.lower()]
    wrong = [one for one in answered if _said(one) not in known]
    beside = f"{CLIENTS:,} clients at once"
    figure("answered", len(answered), "clients", beside=beside, beside_value=CLIENTS)
    figure("refused with Retry-After", len(refused), "clients", beside=beside, beside_value=CLIENTS)
    other = len(answers) - len(answered) - len(refused)
    figure("neither answered nor refused", other, "clients", beside=beside, beside_value=CLIENTS, at_most=1e-9)
    figure("answered wrongly", len(wrong), "clients", beside=beside, beside_value=CLIENTS, at_most=1e-9)
    figure("last of them was told after", max(one.seconds for one in answers), "s", beside=beside, beside_value=CLIENTS)


def measure_folder(home: Path, seconds: float) -> None:
    """Measure a folder of 12-megapixel files from the command line, beside Pillow with Keras, and beside its parts."""
    bundle = made(home)
    folder = home / "large"
    pictures(folder, 16, *LARGE)
    plain = measured("plain", str(home), str(folder))
    bare = measured("bare", str(bundle))
    decode = measured("decode", str(bundle), str(folder))
    possible = 1 / (1 / decode["rate"] + 1 / bare["rate"])
    number = max(64, int(seconds * possible))
    pictures(home / "many", number, *LARGE)
    few, all_ = (_identified(home, some) for some in (folder, home / "many"))
    number = len(list((home / "many").glob("*.jpg")))
    rate, used = (number - 16) / (all_[0] - few[0]), (all_[1] - few[1]) / (number - 16) * 1000  # without the start
    what = f"folder of 12-megapixel JPEGs, {bare['engine']}"
    peer, parts = "Pillow and Keras, one by one", "decoding and the bare runtime, together on both cores"
    figure(what, rate, "images/s", beside=peer, beside_value=plain["rate"], at_least=9 * plain["rate"])
    figure(what, rate, "images/s", beside=parts, beside_value=possible, at_least=0.85 * possible)
    own = decode["processor_ms"] + bare["processor_ms"]
    what = f"processor time of an image of {what}"
    figure(what, used, "ms", beside=peer, beside_value=plain["processor_ms"], at_most=plain["processor_ms"] / 9)
    figure(what, used, "ms", beside=parts, beside_value=own, at_most=own / 0.85)


def _identified(home: Path, folder: Path) -> tuple[float, float]:
    """Return how long the command takes over a folder, by the clock and of the processor, in seconds."""
    out = home / "out.jsonl"
    arguments = ["identify", "--model", NAME, str(folder), "-o", str(out)]
    begun, used = time.perf_counter(), _children_s()
    command = [sys.executable, "-m", "identify.cli", "--home", str(home), "--quiet", *arguments]
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begun, _children_s() - used


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _processor_s(pid: int) -> float:
    ticks = (Path("/proc") / str(pid) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def _said(answer: Answer) -> str:
    """Return what an answer says apart from when it was said."""
    doc = json.loads(answer.body)
    return json.dumps([doc["id"], doc["target"], doc["alternatives"]])


def _resident_mb(pid: int) -> float:
    lines = (Path("/proc") / str(pid) / "status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1000


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        tried.settimeout(1)
        return tried.connect_ex(("127.0.0.1", port)) == 0


def measure_training(home: Path, seconds: float) -> None:
    """Measure what it costs to teach a head, with a cold cache of features and a warm one."""
    training(home, BACKBONE, TAUGHT)


PARTS: dict[str, Callable[[Path, float], None]] = {
    "serving": measure_serving,
    "folder": measure_folder,
    "crowd": measure_crowd,
    "training": measure_training,
}


def main() -> None:
    """Measure the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=list(PARTS))
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each rate is watched")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for part in asked.parts:
            PARTS[part](asked.folder or Path(temporary), asked.seconds)


if __name__ == "__main__":
    main()
