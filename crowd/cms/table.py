"""The museum's own export as a table that can be written again byte for byte.

In: the bytes of a CSV. Out: a ``Table`` whose rows know the text they were read from, so that what is not touched comes
out as it went in; what is touched is quoted as the rest of the file is.
"""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from crowd.cms.profile import CsvRules
from linkeddata.errors import UsageError

BOM = "\ufeff"
_LONGEST_CELL = 50_000_000
csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))


@dataclass(frozen=True, slots=True)
class Manner:
    """How cells are written: which are quoted, and what a line ends with."""

    delimiter: str = ";"
    all_quoted: bool = False
    empty_quoted: bool = False
    line_end: str = "\r\n"

    def line(self, cells: Sequence[str]) -> str:
        """Return the line of a row.

        >>> Manner(empty_quoted=True).line(["a", "", 'b;"c"'])
        'a;"";"b;""c\"""\\r\\n'
        """
        return self.delimiter.join(map(self._cell, cells)) + self.line_end

    def _cell(self, cell: str) -> str:
        special = any(sign in cell for sign in (self.delimiter, '"', "\r", "\n"))
        if special or self.all_quoted or (self.empty_quoted and not cell):
            return '"' + cell.replace('"', '""') + '"'
        return cell


@dataclass(frozen=True, slots=True)
class Row:
    """One row, and the text it was read from."""

    cells: tuple[str, ...]
    raw: str
    line: int = 0
    """Line of the file on which it begins; 0 for one that was not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A CSV file."""

    name: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    rules: CsvRules
    manner: Manner
    bom: bool = False
    head: str = ""
    """The header as it was read."""

    def data(self) -> bytes:
        """Return the file."""
        text = (BOM if self.bom else "") + self.head + "".join(row.raw for row in self.rows)
        return text.encode(self.rules.encoding)

    def place(self, column: str) -> int:
        """Return where a column is, -1 for one that is not there."""
        return self.header.index(column) if column in self.header else -1

    def whole(self) -> Iterator[tuple[int, Row]]:
        """Yield the rows that have as many cells as the header, with their places."""
        return ((at, row) for at, row in enumerate(self.rows) if len(row.cells) == len(self.header))

    def broken(self) -> list[Row]:
        """Return the rows that have not; nothing is read from them or written to them. A blank line is no row."""
        return [row for row in self.rows if row.cells and len(row.cells) != len(self.header)]

    def changed(self, cells: Mapping[int, Sequence[str]]) -> "Table":
        """Return the table with the cells of some rows, by place, in place of those that were there."""
        rows = list(self.rows)
        for at, new in cells.items():
            if tuple(new) != rows[at].cells:
                line = self.manner.line(new)
                ended = rows[at].raw.endswith(("\n", "\r"))
                rows[at] = Row(tuple(new), line if ended else line.removesuffix(self.manner.line_end))
        return replace(self, rows=tuple(rows))

    def longer(self, lines: Sequence[Sequence[str]]) -> "Table":
        """Return the table with more rows at its end."""
        rows = list(self.rows)
        if lines and rows and not rows[-1].raw.endswith(("\n", "\r")):
            rows[-1] = replace(rows[-1], raw=rows[-1].raw + self.manner.line_end)
        return replace(self, rows=(*rows, *map(self.row, lines)))

    def row(self, cells: Sequence[str]) -> Row:
        return Row(tuple(cells), self.manner.line(cells))

    def with_columns(self, columns: Sequence[str]) -> "Table":
        """Return the table with exactly these columns; those that it has not are empty."""
        if tuple(columns) == self.header:
            return self
        places = [self.place(column) for column in columns]
        rows = tuple(
            self.row([row.cells[at] if at >= 0 else "" for at in places]) if len(row.cells) == len(self.header) else row
            for row in self.rows
        )
        return replace(self, header=tuple(columns), rows=rows, head=self.manner.line(columns))


def digest(table: Table | None) -> str:
    """Return the SHA-256 of an export, ``""`` without one."""
    return hashlib.sha256(table.data()).hexdigest() if table else ""


def load_table(path: Path, rules: CsvRules) -> Table:
    """Return the table in a file. Raises ``UsageError`` naming file and line."""
    try:
        return parse_table(path.read_bytes(), rules, name=path.name)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from error


def parse_table(data: bytes, rules: CsvRules, *, name: str) -> Table:
    """Return the table in ``data``; ``name`` stands for it in error messages."""
    try:
        text = data.decode(rules.encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{name}: line {line} is not {rules.encoding}; export it so, or say what it is") from error
    bom = text.startswith(BOM)
    read = list(_rows(text.removeprefix(BOM), rules, name))
    if not read or not read[0].cells:
        raise UsageError(f"{name} is empty: not even a header")
    head, rows = read[0], tuple(read[1:])
    twice = [column for column, times in Counter(head.cells).items() if times > 1]
    if twice:
        raise UsageError(f"{name}: the column {twice[0]!r} is there twice")
    if len(head.cells) == 1:
        raise UsageError(f"{name}: one column {head.cells[0]!r} and no {rules.delimiter!r}: another delimiter?")
    return Table(
        name=name,
        header=head.cells,
        rows=rows,
        rules=rules,
        manner=_manner([head, *rows], rules),
        bom=bom,
        head=head.raw,
    )


def _rows(text: str, rules: CsvRules, name: str) -> Iterator[Row]:
    taken: list[str] = []
    number = 1

    def lines() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            taken.append(line)
            yield line

    reader = csv.reader(lines(), delimiter=rules.delimiter, strict=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UsageError(f"{name}: line {number}: {error}") from error
        yield Row(tuple(cells), "".join(taken), number)
        number += len(taken)
        taken.clear()


def _manner(rows: Sequence[Row], rules: CsvRules) -> Manner:
    """Return the way of writing that gives most rows as they were read."""
    ends = Counter(next((end for end in ("\r\n", "\n", "\r") if row.raw.endswith(end)), "") for row in rows)
    ends.pop("", None)
    line_end = ends.most_common(1)[0][0] if ends else "\r\n"
    ways = [Manner(rules.delimiter, every, empty, line_end) for every, empty in product((False, True), repeat=2)]
    return max(ways, key=lambda way: sum(way.line(row.cells) == row.raw for row in rows))
