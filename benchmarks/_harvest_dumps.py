"""How fast dumps are read. In: the recordings, a folder. Out: figures, for gzip and for bzip2.

    python -m benchmarks.harvest dumps            2 GB, decompressed
    python -m benchmarks._harvest_dumps --size 500_000_000

Rates are decompressed MB a second of processor time, on one core and each in a process of its own, so that other work
on the machine does not count; what starting Python and importing costs is not in them. Beside the reading of P180
statements into Parquet stand the decompressor alone, a bare scan of the lines with it (each line looked through for the
property; and once not even that), ``orjson`` on every line, and the plain way: the standard library's decompressor and
``json`` on every line. How much faster two cores are is wall time, and suffers when others work on the machine: beside
it stands how much faster two processes were that share nothing at all.
"""

import argparse
import bz2
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson
import pyarrow as pa

from benchmarks._dump_made import DISTINCT, write_dumps
from benchmarks._figure import figure
from harvest.dumps.extract import extract
from harvest.dumps.statements import Wanted

SIZE = 2_000_000_000
READ = 256 << 10
SLOW = 8
"""The slow ways read the first eighth of the dump: their rate is the same all along."""
RECORDED = Path(__file__).resolve().parents[1] / "../shared/data"


def _lines(path: Path, plain: bool) -> Iterable[bytes]:
    if path.suffix == ".bz2":
        return bz2.open(path)  # no faster one was found that keeps its memory
    if plain:
        return gzip.open(path)
    from isal import igzip

    return igzip.open(path)


def _scan(path: Path, _: Path) -> int:
    found = size = 0
    for line in _lines(path, False):
        size += len(line)
        found += b'"P180"' in line
    return size


def _alone(path: Path, _: Path) -> int:
    size = 0
    with cast(BinaryIO, _lines(path, False)) as file:
        while data := file.read(READ):
            size += len(data)
    return size


def _bare(path: Path, _: Path) -> int:
    return sum(map(len, _lines(path, False)))


def _parsed(path: Path, load: Callable[[bytes], Any], plain: bool) -> int:
    size = found = 0
    most = SIZE_OF[path.name] // SLOW
    for line in _lines(path, plain):
        size += len(line)
        if line[:1] == b"{":
            entity = load(line.rstrip(b",\n"))
            found += len((entity["statements"] or {}).get("P180", ()))
        if size > most:
            break
    return size


def _orjson(path: Path, _: Path) -> int:
    return _parsed(path, orjson.loads, False)


def _plain(path: Path, _: Path) -> int:
    return _parsed(path, json.loads, True)


def _extract(path: Path, folder: Path, processes: int = 1) -> int:
    found = extract([path], Wanted(), folder / "parts", processes=processes)
    found.write(folder / "out.parquet")
    counts = found.counts()
    found.remove()
    assert not counts["lost"]
    return counts["bytes"]


def _extract_on_two(path: Path, folder: Path) -> int:
    return _extract(path, folder, 2)


WAYS: dict[str, Callable[[Path, Path], int]] = {
    "extract": _extract,
    "two": _extract_on_two,
    "scan": _scan,
    "alone": _alone,
    "bare": _bare,
    "orjson": _orjson,
    "plain": _plain,
}
SIZE_OF: dict[str, int] = {}


def _peak() -> float:
    """Return the peak of this process's memory, in MiB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) / 1024


def read(way: str, path: Path, folder: Path, size: int) -> None:
    """Read a dump one way, in this process, and print what it took."""
    SIZE_OF[path.name] = size
    pa.array([""])  # imports pandas where that is installed, as the first array does
    begun, used = time.perf_counter(), time.process_time()
    done = WAYS[way](path, folder)
    told = {"bytes": done, "wall": time.perf_counter() - begun, "processor": time.process_time() - used}
    print(json.dumps(told | {"peak": _peak()}))


def _took(way: str, path: Path, folder: Path, size: int) -> dict[str, float]:
    one_core = [] if way == "two" else ["taskset", "-c", str(min(os.sched_getaffinity(0)))]
    own = [sys.executable, "-m", "benchmarks._harvest_dumps", "--read", way, str(path), str(folder), str(size)]
    done = subprocess.run([*one_core, *own], check=True, capture_output=True, text=True)
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def _two_that_share_nothing() -> float:
    """Return how many times as much two processes do in a second as one does, on this machine: the median of three."""
    spin = [sys.executable, "-c", "sum(range(40_000_000))"]

    def wall(count: int) -> float:
        begun = time.perf_counter()
        for one in [subprocess.Popen(spin) for _ in range(count)]:
            one.wait()
        return time.perf_counter() - begun

    return statistics.median(2 * wall(1) / wall(2) for _ in range(3))


def _rate(told: dict[str, float]) -> float:
    return told["bytes"] / 1e6 / told["processor"]


def measure(data: Path, folder: Path, size: int = SIZE, endings: Sequence[str] = ("gz", "bz2")) -> None:
    """Make dumps of ``size`` and of a quarter of it where ``folder`` has none, read them, print the figures."""
    for ending in endings:
        path, small = (_made(data, folder / f"{part}", part, size, ending) for part in (size, size // 4))
        took = {way: _took(way, path, folder, size) for way in WAYS}
        given = _two_that_share_nothing()
        _tell(ending, took, _took("extract", small, folder, size // 4)["peak"])
        figure(f"dump .{ending}, two processes that share nothing", given, "x", beside="one process", beside_value=1.0)


def _made(data: Path, place: Path, part: int, size: int, ending: str) -> Path:
    """Return a dump of ``part`` bytes; it is made of the same lines as one of ``size``."""
    path = place / f"made.json.{ending}"
    if not path.exists():
        place.mkdir(parents=True, exist_ok=True)
        write_dumps(data, place, part, distinct=min(size // 8, DISTINCT), endings=(ending,))
    return path


def _tell(ending: str, took: dict[str, dict[str, float]], small_peak: float) -> None:
    rate = {way: _rate(told) for way, told in took.items()}
    name = f"dump .{ending}, P180 to Parquet, one core"
    figure(
        name, rate["extract"], "MB/s", at_least=0.7 * rate["scan"],
        beside="bare scan of the lines", beside_value=rate["scan"],
    )  # fmt: skip
    figure(name, rate["extract"], "MB/s", beside="the decompressor alone", beside_value=rate["alone"])
    figure(name, rate["extract"], "MB/s", beside="lines without looking into them", beside_value=rate["bare"])
    figure(name, rate["extract"], "MB/s", beside="orjson on every line", beside_value=rate["orjson"])
    figure(
        name, rate["extract"], "MB/s", at_least=5 * rate["plain"], beside="the plain way", beside_value=rate["plain"]
    )
    one, two = took["extract"], took["two"]
    figure(
        f"dump .{ending}, two processes, wall", two["bytes"] / 1e6 / two["wall"], "MB/s",
        at_least=1.3 * one["bytes"] / 1e6 / one["wall"],
        beside="one process, wall", beside_value=one["bytes"] / 1e6 / one["wall"],
    )  # fmt: skip
    figure(
        f"dump .{ending}, peak memory", one["peak"], "MiB", at_most=1.15 * small_peak,
        beside="of a dump a quarter as long", beside_value=small_peak,
    )  # fmt: skip


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=RECORDED, help="folder with recorded data")
    parser.add_argument("--size", type=int, default=SIZE, help="decompressed bytes of the dump")
    parser.add_argument("--ending", choices=("gz", "bz2"), help="only dumps of this kind")
    parser.add_argument("--folder", type=Path, help="folder for the dumps; kept, and used again")
    parser.add_argument("--read", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.read:
        way, path, folder, size = given.read
        read(way, Path(path), Path(folder), int(size))
        return
    endings = (given.ending,) if given.ending else ("gz", "bz2")
    if given.folder:
        measure(given.data, given.folder, given.size, endings)
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(given.data, Path(folder), given.size, endings)


if __name__ == "__main__":
    main()
