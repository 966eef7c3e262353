"""How time and memory of a harvest grow with the number of files: ``deboodt harvest`` as a process of its own.

In: nothing but the stand-in, in another process, with the category of ``_harvest_requests`` in three sizes: histories
are read, no images. Out: processor time and wall time a file and the peak of memory, each beside those of the size
before. The wall time holds what the stand-in takes to answer.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks._figure import figure
from benchmarks._harvest_requests import CATEGORY
from linkeddata.records import CampaignFile
from linkeddata.store import Store

SIZES = (1_000, 10_000, 100_000)
STEEPER = 1.2
"""How much more time a file may take than at the size before."""
KIB_A_FILE = 1.0
"""How much more memory each further file may take."""
CAMPAIGN = f"""
[campaign]
id = "growth"
title = "Growth"
[[tags.commons]]
category = "{CATEGORY}"
[dataset]
images = false
"""
SERVE = """
import gc, sys
from benchmarks._harvest_requests import world
from harvest.standin.server import StandIn
gc.disable()
made = world(int(sys.argv[1]))
gc.freeze()
gc.enable()
with StandIn(made) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one harvest took."""

    files: int
    processor_s: float
    wall_s: float
    peak_mib: float

    @property
    def ms_a_file(self) -> float:
        """Processor time for one file in milliseconds."""
        return 1000 * self.processor_s / self.files


def measure(data: Path, folder: Path) -> None:
    """Print what a file costs at each size; nothing of ``data`` is needed."""
    costs = [harvested(size, folder / str(size)) for size in SIZES]
    for before, cost in zip((costs[0], *costs), costs, strict=False):
        beside = f"at {before.files:,} files"
        largest = cost.files == SIZES[-1]
        name = f"harvest of {cost.files:,} files with histories"
        most_ms = STEEPER * before.ms_a_file if largest else 0
        figure(
            f"{name}, processor time",
            cost.ms_a_file,
            "ms/file",
            beside=beside,
            beside_value=before.ms_a_file,
            at_most=most_ms,
        )
        each, each_before = (1000 * one.wall_s / one.files for one in (cost, before))
        figure(f"{name}, wall time beside the stand-in", each, "ms/file", beside=beside, beside_value=each_before)
        most_mib = before.peak_mib + KIB_A_FILE * (cost.files - before.files) / 1024 if largest else 0
        figure(
            f"{name}, peak memory",
            cost.peak_mib,
            "MiB",
            beside=beside,
            beside_value=before.peak_mib,
            at_most=most_mib,
        )


def harvested(files: int, folder: Path) -> Cost:
    """Harvest a category of so many files into ``folder``; return what that took."""
    folder.mkdir(parents=True)
    campaign = folder / "growth.toml"
    campaign.write_text(CAMPAIGN, encoding="utf-8")
    with _served(files) as url:
        own = {"DEBOODT_COMMONS_API": f"{url}/w/api.php", "DEBOODT_ALLOW_PRIVATE": "true", "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "identify.cli", "--home", str(folder), "harvest", str(campaign)]
        begun = time.perf_counter()
        process = subprocess.Popen(command, env=os.environ | own, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    with Store(f"sqlite:///{folder}/deboodt.sqlite") as store:
        assert store.count(CampaignFile) == files
    return Cost(files, used.ru_utime + used.ru_stime, wall_s, used.ru_maxrss / 1024)


@contextmanager
def _served(files: int) -> Iterator[str]:
    """Serve a category of so many files from a process of its own; give its address."""
    command = [sys.executable, "-c", SERVE, str(files)]
    own = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=own, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        yield server.stdout.readline().strip()
        server.stdin.close()
