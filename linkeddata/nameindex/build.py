"""Build an index. In: checklists. Out: one file, written beside and moved into place when it is whole."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from linkeddata.nameindex.sources import Source


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row of a source that could not be read."""

    source: str
    line: int
    reason: str  # few and fixed: "no name", "no key", "key twice", "not UTF-8", "wrong number of columns"
    text: str  # its beginning


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What was built: counts, and the first thousand broken rows (``broken_count`` has them all)."""

    path: Path
    usages: int
    accepted: int
    synonyms: int
    vernaculars: int
    crosswalked: int  # usages that carry both keys
    broken_count: int
    broken: tuple[BrokenRow, ...]
    size_bytes: int
    seconds: float


def build_index(
    sources: Iterable[Source], out: Path, progress: Callable[[str, int], None] = lambda step, done: None
) -> BuildReport:
    """Build the index of all ``sources`` at ``out``, streaming and atomically: a killed build leaves the old index.

    ``progress`` is called now and then with the step ("read", "sort", "write") and the rows done in it.
    """
    raise NotImplementedError
