"""What is wanted of dumps, as Parquet. In: dumps, what is wanted, a folder. Out: parts in it, or one file of them.

Some pieces of a dump make a part: a Parquet file and, written after it, a JSON file that says up to where the dump is
read. A run that was killed goes on behind the last part that has both; the outcome is the same, byte for byte, for it
depends on the rows alone.
"""

import base64
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from harvest.dumps.bzip2 import CUT_OFF
from harvest.dumps.lines import CLOSING, NEITHER_END, OPENING, kind_of_line, needle
from harvest.dumps.pieces import Place, kind_of, pieces_of
from harvest.dumps.statements import Reader, Row, Wanted, batch_of
from harvest.dumps.workers import Taken, take_all
from harvest.records import Progress, lost, silent
from linkeddata.errors import UsageError
from linkeddata.files import replaced
from linkeddata.records import Failure

PART_BYTES = 256 << 20
"""Decompressed bytes of a dump that make a part: what a killed run has to read again, at most."""
GROUP_ROWS = 1 << 15
"""Rows of one row group of the whole file."""
TOGETHER = 1 << 11
"""Rows that become Arrow's at once: of the rows of a single piece, it would cost three times as much."""
LISTED = 1000
"""Lost lines that a part names one by one; it counts the others."""
SMALL = {"gzip": 64 << 20, "bzip2": 4 << 20, "plain": 256 << 20}
"""Bytes of a dump that are read in about a second; of less, starting other processes takes longer than reading."""
COMPRESSION = "zstd"

BROKEN_LINE = "broken line"
CUT_OFF_DUMP = "dump cut off"
DAMAGED = "damaged dump"


@dataclass(slots=True)
class Reached:
    """How far a reading has come: ``pending`` is the beginning of the line that is not whole yet."""

    dump: int = 0
    place: Place = field(default_factory=Place)
    line: int = 1  # number of the pending line
    at: int = 0  # its place in the decompressed dump
    pending: bytes = b""
    open: str = ""  # the dump that has a [ and not yet its ]


@dataclass(frozen=True, slots=True)
class Extraction:
    """The parts in a folder, which are whole."""

    folder: Path
    schema: Any

    def parts(self) -> list[Path]:
        """Return the parts that have rows, in order."""
        return sorted(self.folder.glob("*.parquet"))

    def tables(self) -> Iterator[Any]:
        """Yield the rows of one part after the other."""
        for path in self.parts():
            with pq.ParquetFile(path) as file:
                yield file.read()

    def failures(self, campaign: str = "") -> Iterator[Failure]:
        """Yield what could not be read, with the number of the line and its place in the decompressed dump."""
        for path in sorted(self.folder.glob("part-*.json")):
            for told in json.loads(path.read_bytes())["failures"]:
                yield lost(*told, campaign=campaign)

    def counts(self) -> dict[str, int]:
        """Return how many lines and decompressed bytes were read, how many rows were found and lines lost."""
        total = {"lines": 0, "bytes": 0, "rows": 0, "lost": 0}
        for path in sorted(self.folder.glob("part-*.json")):
            counts = json.loads(path.read_bytes())["counts"]
            total = {key: total[key] + counts[key] for key in total}
        return total

    def write(self, out: Path) -> None:
        """Write all parts as one Parquet file, in row groups of ``GROUP_ROWS``."""
        with replaced(out) as file, pq.ParquetWriter(file, self.schema, compression=COMPRESSION) as writer:
            waiting = self.schema.empty_table()
            for table in self.tables():
                waiting = pa.concat_tables([waiting, table])
                while waiting.num_rows >= GROUP_ROWS:
                    writer.write_table(waiting.slice(0, GROUP_ROWS).combine_chunks(), row_group_size=GROUP_ROWS)
                    waiting = waiting.slice(GROUP_ROWS)
            if waiting.num_rows:
                writer.write_table(waiting.combine_chunks(), row_group_size=GROUP_ROWS)

    def remove(self) -> None:
        """Remove the parts."""
        shutil.rmtree(self.folder, ignore_errors=True)


def extract(
    dumps: Sequence[Path], wanted: Wanted, folder: Path, *, processes: int = 0, progress: Progress = silent
) -> Extraction:
    """Read what is wanted of these dumps, in their order, into parts in ``folder``; go on behind those there are.

    ``processes``: 0 for one a core. Parts of other dumps, or of another wish, are removed first. Raises ``UsageError``
    for a dump that is not there, ``OSError`` when the disk refuses.
    """
    plan = _plan(dumps, wanted)
    folder.mkdir(parents=True, exist_ok=True)
    known = folder / "plan.json"
    if not known.is_file() or known.read_bytes() != plan:
        for path in [known, *folder.glob("part-*")]:
            path.unlink(missing_ok=True)
        with replaced(known) as file:
            file.write(plan)
    reading = _Reading(list(dumps), wanted, folder, progress)
    if not reading.finished:
        reading.read(_processes(dumps, processes))
    return Extraction(folder, wanted.schema)


def _plan(dumps: Sequence[Path], wanted: Wanted) -> bytes:
    """Return what tells one extraction from another: the dumps, by name, size and age, and what is wanted of them."""
    try:
        files = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in dumps]
    except OSError as error:
        raise UsageError(f"dump {error.filename}: {error.strerror}") from error
    sets = [hashlib.sha256(one.bits).hexdigest() if one else "" for one in (wanted.items, wanted.media)]
    return orjson.dumps([files, wanted.property_id, *sets, wanted.whole, wanted.commons_entity, PART_BYTES])


def _processes(dumps: Sequence[Path], processes: int) -> int:
    if processes:
        return processes
    if sum(path.stat().st_size / SMALL[kind_of(path)] for path in dumps) <= 1:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Reading:
    """One reading of dumps: where it is, and the part that is being filled."""

    def __init__(self, dumps: Sequence[Path], wanted: Wanted, folder: Path, progress: Progress) -> None:
        self._dumps = dumps
        self._wanted = wanted
        self._folder = folder
        self._progress = progress
        self._reader = Reader(wanted)
        self._total = sum(path.stat().st_size for path in dumps)
        self._reached = Reached()
        self._part = 0
        self.finished = False
        self._go_on()
        self._clear()

    def _go_on(self) -> None:
        """Take up where the last whole part ends."""
        written = sorted(self._folder.glob("part-*.json"))
        if not written:
            return
        told = json.loads(written[-1].read_bytes())
        self._part = int(written[-1].stem.removeprefix("part-")) + 1
        self._reached = _reached(told["reached"])
        self.finished = told["finished"]

    def _clear(self) -> None:
        self._rows: list[Row] = []
        self._batches: list[Any] = []
        self._failures: list[tuple[str, str, str]] = []
        self._more = 0
        self._counts = {"lines": 0, "bytes": 0, "rows": 0, "lost": 0}

    def read(self, processes: int) -> None:
        """Read from where it is to the end of the last dump."""
        while self._reached.dump < len(self._dumps):
            path = self._dumps[self._reached.dump]
            before = sum(p.stat().st_size for p in self._dumps[: self._reached.dump])
            for taken in take_all(pieces_of(path, self._reached.place), self._wanted, processes - 1):
                self._add(path, taken)
                self._progress("bytes of dumps", before + taken.done, self._total)
                if self._counts["bytes"] >= PART_BYTES:
                    self._write()
            if self._reached.pending:
                self._end_line(path)
            self._reached = Reached(self._reached.dump + 1, open=self._reached.open)
            if self._reached.dump == len(self._dumps):
                self._close("")
                self.finished = True
            self._write()

    def _add(self, path: Path, taken: Taken) -> None:
        """Add what was taken of the next piece."""
        reached = self._reached
        begin = reached.at + len(reached.pending)  # place of the piece in the dump
        for damage in taken.damages:
            reason = CUT_OFF_DUMP if damage.why.startswith(CUT_OFF) else DAMAGED
            self._lose(path, reason, reached.line + damage.number, begin + damage.at, damage.why)
        reached.pending += taken.head
        if taken.tail is not None:
            self._end_line(path)
            for number, bracket in taken.brackets:
                self._bracket(path, bracket, reached.line + number)
            for trouble in taken.troubles:
                self._lose(path, BROKEN_LINE, reached.line + trouble.number, begin + trouble.at, trouble.why)
            self._add_rows(taken.rows)
            reached.line += taken.count
            self._counts["lines"] += taken.count
            reached.pending = taken.tail
            reached.at = begin + taken.size - len(taken.tail)
        self._counts["bytes"] += taken.size
        reached.place = taken.after

    def _add_rows(self, rows: Sequence[Row]) -> None:
        self._rows += rows
        self._counts["rows"] += len(rows)
        if len(self._rows) >= TOGETHER:
            self._make_batch()

    def _make_batch(self) -> None:
        if self._rows:
            self._batches.append(batch_of(self._rows, self._wanted.schema))
            self._rows.clear()

    def _end_line(self, path: Path) -> None:
        """Read the line that is whole now."""
        reached = self._reached
        line, reached.pending = reached.pending, b""
        kind = kind_of_line(line)
        if kind == "bracket":
            self._bracket(path, line.strip(), reached.line)
        elif kind == "odd":
            self._lose(path, BROKEN_LINE, reached.line, reached.at, NEITHER_END)
        elif kind == "entity" and needle(self._wanted.word) in line:
            try:
                rows = self._reader.rows(line)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                self._lose(path, BROKEN_LINE, reached.line, reached.at, str(error))
            else:
                self._add_rows(rows)
        reached.line += 1
        self._counts["lines"] += 1

    def _bracket(self, path: Path, bracket: bytes, line: int) -> None:
        if bracket == OPENING:
            self._close(f"a new list begins at {path.name}:{line}")
            self._reached.open = path.name
        elif bracket == CLOSING:
            self._reached.open = ""

    def _close(self, why: str) -> None:
        """Say that a list has no end, if one is open."""
        if self._reached.open:
            self._failures.append((self._reached.open, CUT_OFF_DUMP, why or "the list has no end"))
            self._counts["lost"] += 1
            self._reached.open = ""

    def _lose(self, path: Path, reason: str, line: int, at: int, why: str) -> None:
        self._counts["lost"] += 1
        if len(self._failures) < LISTED:
            self._failures.append((f"{path.name}:{line}", reason, f"byte {at}: {why}"))
        else:
            self._more += 1

    def _write(self) -> None:
        """Write the part, then how far it reaches; begin the next."""
        name = f"part-{self._part:06}"
        self._make_batch()
        if self._batches:
            table = pa.Table.from_batches(self._batches, self._wanted.schema).combine_chunks()
            with replaced(self._folder / f"{name}.parquet") as file:
                pq.write_table(table, file, compression=COMPRESSION)
        else:
            (self._folder / f"{name}.parquet").unlink(missing_ok=True)
        if self._more:
            path = self._dumps[min(self._reached.dump, len(self._dumps) - 1)]
            self._failures.append(
                (f"{path.name}:{self._reached.line}", BROKEN_LINE, f"and {self._more} more before it")
            )
        told = {
            "reached": _told(self._reached),
            "counts": self._counts,
            "failures": self._failures,
            "finished": self.finished,
        }
        with replaced(self._folder / f"{name}.json") as file:
            file.write(orjson.dumps(told))
        self._part += 1
        self._clear()


def _told(reached: Reached) -> dict[str, Any]:
    return asdict(reached) | {"pending": base64.b64encode(reached.pending).decode()}


def _reached(told: Mapping[str, Any]) -> Reached:
    given = dict(told) | {"place": Place(**told["place"]), "pending": base64.b64decode(told["pending"])}
    return Reached(**given)
