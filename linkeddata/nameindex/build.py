"""Build an index. In: checklists. Out: one file, written beside and moved into place when it is whole.

Usages are read once, as a stream (``reading``): numbers go into arrays, texts into files beside the index. Then
everything is put into its final order and written (``writing``).
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from linkeddata.errors import UsageError
from linkeddata.nameindex.layout import IndexWriter
from linkeddata.nameindex.reading import read_sources
from linkeddata.nameindex.sources import BrokenRow, Source
from linkeddata.nameindex.writing import Writing


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

    ``progress`` is called now and then with the step ("read", "sort", "write") and the rows done in it. Of equally good
    matches those of earlier sources win. Raises ``UsageError`` when there is nothing to index.
    """
    begun = time.monotonic()
    listed = list(sources)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as folder:
        here = Path(folder)
        reading = read_sources(listed, here, progress)
        if not reading.columns.key:
            raise UsageError(f"there are no names in {', '.join(str(source.path) for source in listed) or 'no source'}")
        with (here / "index").open("wb") as file:
            counts = Writing(reading, listed, here, progress).write(IndexWriter(file))
            os.fsync(file.fileno())
        (here / "index").replace(out)
    return BuildReport(
        path=out,
        broken_count=reading.broken_count,
        broken=tuple(reading.broken),
        size_bytes=out.stat().st_size,
        seconds=time.monotonic() - begun,
        **counts,
    )
