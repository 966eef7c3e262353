"""How fast and how lightly models answer. In: a folder to work in. Out: figures, one JSON line each.

``python -m benchmarks.identify [PART…] [--folder F] [--seconds S]``; parts are ``start``, ``serving``, ``memory``,
``folder``, ``crowd``, ``training``; all without. An InceptionV3 with random weights is exported there first. Every
figure stands beside its peer of the same run; where other work goes on beside it, processor time says more than the
clock.
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks._figure import figure
from benchmarks._identify_clients import Answer, all_at_once, in_turn
from benchmarks._identify_made import NAME, made, pictures
from benchmarks._identify_peers import measured
from benchmarks._identify_serving import measure_memory, measure_serving, measure_start, requests_of, serving
from benchmarks._identify_training import training

LARGE = (4000, 3000)
CLIENTS = 1000
BACKBONE, TAUGHT = "efficientnet-lite0", 2000


def measure_crowd(home: Path, seconds: float) -> None:
    """Let a thousand clients ask at the same moment; none may hang, none may be told something wrong."""
    made(home)
    requests = requests_of(NAME)
    with serving(home) as server:
        right, _ = asyncio.run(in_turn(server.port, requests, 1, 8))
        known = {_said(one) for one in right}
        answers = asyncio.run(all_at_once(server.port, requests, CLIENTS))
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


def _said(answer: Answer) -> str:
    """Return what an answer says apart from when it was said."""
    doc = json.loads(answer.body)
    return json.dumps([doc["id"], doc["target"], doc["alternatives"]])


def measure_training(home: Path, seconds: float) -> None:
    """Measure what it costs to teach a head, with a cold cache of features and a warm one."""
    training(home, BACKBONE, TAUGHT)


PARTS: dict[str, Callable[[Path, float], None]] = {
    "start": measure_start,
    "serving": measure_serving,
    "memory": measure_memory,
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
