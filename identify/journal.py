"""What a long run has answered so far. In: rows as they come. Out: the same rows, after the run or after it was killed.

One line of JSON a row, written through to the disk with each few; the first line says what was asked. A run that begins
again with the same question goes on behind the last whole line; another question begins anew.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import orjson

EACH = 32
"""Rows after which the disk is told to keep them."""


class Journal:
    """The rows of a run, in a file beside the one that will be its result."""

    def __init__(self, out: Path, question: Mapping[str, Any]) -> None:
        self.path = out.with_name(f".{out.name}.journal")
        self._question = dict(question)
        self._file: BinaryIO | None = None
        self._unsettled = 0
        self.resumed = 0

    def __enter__(self) -> Self:
        whole = self._whole()
        self.resumed = max(0, sum(1 for _ in self.rows()) if whole else 0)
        self._file = self.path.open("r+b" if whole else "wb")
        if whole:
            self._file.seek(whole)
            self._file.truncate()
        else:
            self._file.write(orjson.dumps(self._question) + b"\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._settle()
            self._file.close()

    def keep(self, row: Mapping[str, Any]) -> None:
        """Write a row down."""
        assert self._file is not None  # noqa: S101 - it is open
        self._file.write(orjson.dumps(row) + b"\n")
        self._unsettled += 1
        if self._unsettled >= EACH:
            self._settle()

    def settled(self) -> None:
        """Write through all that was kept."""
        self._settle()

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield all whole rows, those of earlier runs first."""
        for line in self._lines():
            row = _read(line)
            if row is not None:
                yield row

    def keys(self) -> set[str]:
        """Return the keys of the rows that are there."""
        return {row["key"] for row in self.rows()} if self._whole() else set()

    def in_order(self, keys: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Yield the rows with these keys, in this order, whatever the order in which they were answered."""
        places: dict[str, int] = {}
        at = 0
        with self.path.open("rb") as file:
            for line in file:
                row = _read(line) if at and line.endswith(b"\n") else None
                if row is not None:
                    places[row["key"]] = at
                at += len(line)
            for key in keys:
                if key in places:
                    file.seek(places[key])
                    yield orjson.loads(file.readline())

    def done(self) -> None:
        """Take the journal away: its rows are where they belong."""
        self.path.unlink(missing_ok=True)

    def _lines(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            next(file, b"")
            yield from (line for line in file if line.endswith(b"\n"))

    def _whole(self) -> int:
        """Return how many bytes of the file belong to this question and are whole lines; 0 for another's."""
        try:
            with self.path.open("rb") as file:
                first = file.readline()
                if not first.endswith(b"\n") or _read(first) != self._question:
                    return 0
                size = len(first)
                for line in file:
                    if not line.endswith(b"\n") or _read(line) is None:
                        break
                    size += len(line)
                return size
        except FileNotFoundError:
            return 0

    def _settle(self) -> None:
        assert self._file is not None  # noqa: S101 - it is open
        self._file.flush()
        os.fsync(self._file.fileno())
        self._unsettled = 0


def _read(line: bytes) -> dict[str, Any] | None:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return row if isinstance(row, dict) else None
