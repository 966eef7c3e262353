"""What a training costs. In: its beginning and its end. Out: seconds, and joules where the processor counts them.

Energy is what the processor's own counters say (RAPL, as Linux shows it under ``/sys/class/powercap``), for the whole
machine, other work included. Where they cannot be read, nothing is said of energy: an estimate from seconds would look
like a measurement.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

COUNTERS = Path("/sys/class/powercap")
KEPT_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Effort:
    """What was spent so far; ``joules`` is ``None`` where it is not counted."""

    seconds: float
    processor_seconds: float
    joules: float | None

    def __add__(self, other: "Effort") -> "Effort":
        joules = None if self.joules is None or other.joules is None else round(self.joules + other.joules, 1)
        seconds, busy = self.seconds + other.seconds, self.processor_seconds + other.processor_seconds
        return Effort(round(seconds, 1), round(busy, 1), joules)


class Clock:
    """Adds up what a training costs over all its runs: what a stopped one had spent is kept in its workplace."""

    def __init__(self, workplace: Path) -> None:
        self._path = workplace / "spent.json"
        self._before = Effort(0.0, 0.0, 0.0)
        if self._path.is_file():
            self._before = Effort(**json.loads(self._path.read_text(encoding="utf-8")))
        self._since, self._kept = meter(), time.monotonic()

    def spent(self) -> Effort:
        """Return what was spent so far."""
        return self._before + self._since()

    def telling(self, tell: Callable[[str, int, int], None]) -> Callable[[str, int, int], None]:
        """Return ``tell``, which from now on also keeps every few seconds what was spent."""

        def told(what: str, done: int, total: int) -> None:
            if time.monotonic() - self._kept > KEPT_EVERY_S:
                self._kept = time.monotonic()
                half = self._path.with_suffix(".part")
                half.write_text(json.dumps(asdict(self.spent())), encoding="utf-8")
                half.replace(self._path)
            tell(what, done, total)

        return told


def meter(counters: Path = COUNTERS) -> Callable[[], Effort]:
    """Begin to measure; return what says how much was spent since."""
    began, processor, energy = time.monotonic(), time.process_time(), _microjoules(counters)

    def spent() -> Effort:
        seconds, busy = time.monotonic() - began, time.process_time() - processor
        return Effort(round(seconds, 1), round(busy, 1), _between(energy, _microjoules(counters)))

    return spent


def _between(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]) -> float | None:
    """Return the joules between two readings; a counter that began anew has gone once round."""
    if not before or before.keys() != after.keys():
        return None
    spent = 0
    for name, (now, most) in after.items():
        past = before[name][0]
        spent += now - past if now >= past else now + most - past
    return round(spent / 1e6, 1)


def _microjoules(counters: Path) -> dict[str, tuple[int, int]]:
    """Return each package's counter and where it begins anew; nothing where one cannot be read."""
    read = {}
    try:
        for package in sorted(counters.glob("intel-rapl:*")):
            if package.name.count(":") == 1:  # what is deeper is part of a package
                counted, most = ((package / name).read_text() for name in ("energy_uj", "max_energy_range_uj"))
                read[package.name] = int(counted), int(most)
    except (OSError, ValueError):
        return {}
    return read
