"""One figure as a JSON line. In: a measured value, what it stands beside, and an aim. Out: the line on stdout."""

import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path


def figure(
    name: str, value: float, unit: str, *, beside: str, beside_value: float, at_most: float = 0, at_least: float = 0
) -> bool:
    """Print the figure and return whether its aim is met; the aim is on ``value``, in the same unit."""
    met = (not at_most or value <= at_most) and (not at_least or value >= at_least)
    aim = f"<= {at_most:g}" if at_most else f">= {at_least:g}" if at_least else ""
    line = {
        "figure": name,
        "value": round(value, 4),
        "unit": unit,
        "beside": beside,
        "beside_value": round(beside_value, 4),
        "ratio": round(value / beside_value, 3) if beside_value else None,
        "aim": aim,
        "met": met,
    }
    print(json.dumps(line, ensure_ascii=False), flush=True)
    return met


def seconds(action: Callable[[], object], runs: int = 5) -> float:
    """Return the median wall time of ``action`` over ``runs`` runs, after one that is not counted."""
    action()
    times = []
    for _ in range(runs):
        begun = time.perf_counter()
        action()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def command_seconds(command: Sequence[str], runs: int = 7, env: dict[str, str] | None = None) -> float:
    """Return the median wall time of a command as a whole process."""
    return seconds(lambda: subprocess.run(command, check=True, capture_output=True, env=env), runs)


def as_installed(bytecode: Path) -> dict[str, str]:
    """Return the environment of commands that find their modules compiled, as pip leaves them; ``bytecode`` keeps that.

    The first command that runs so compiles them. A checkout that may not be written to would compile at each start.
    """
    plain = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return plain | {"PYTHONPYCACHEPREFIX": str(bytecode)}
