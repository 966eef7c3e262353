"""Table files, row by row. In: a CSV, TSV, TXT, XLSX or Parquet file. Out: its rows; and such a file from rows.

Nothing is held but one row (one row group of a Parquet file). A row that is not as its table says, with too many cells,
an open quotation mark or bytes that are no UTF-8, is given like the others, with its ``trouble``; none is left out.
Rows are numbered as a spreadsheet numbers them: the heading is row 1. What is written is whole or not there.
"""

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from linkeddata.errors import UsageError
from linkeddata.files import replaced

MOST_LINES = 500
"""Lines that one quoted cell may span; beyond that its quotation mark was never closed."""
ROWS_AT_ONCE = 10_000
"""Rows of a Parquet file that are in memory together."""
DELIMITERS = {".csv": "\t;|,", ".tsv": "\t", ".txt": "\t"}
"""What may stand between the cells of a text file; a plain list of names is full of commas."""

_ILLEGAL_IN_XLSX = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Row:
    """One row. ``cells`` are as many as there are columns; what stood beyond them is told in ``trouble``."""

    number: int
    cells: tuple[Any, ...]
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is being read: ``rows`` can be gone through once. ``total`` is about how many there are, 0: unknown.

    ``types`` are the Arrow types of the columns of a Parquet file, by which another can be written without loss.
    """

    columns: tuple[str, ...]
    rows: Iterator[Row]
    total: int = 0
    has_heading: bool = True
    types: tuple[Any, ...] = ()


Write = Callable[[Sequence[Any]], None]
"""Writes one row of as many cells as there are columns."""


@contextmanager
def reading(
    path: Path,
    *,
    heading: bool | None = None,
    known: Callable[[str], bool] | None = None,
    separator: str = "",
    sheet: str = "",
) -> Iterator[Table]:
    """Open a table file by its suffix.

    ``heading`` says whether the first row names the columns; ``None`` is yes, but for a ``.txt``, where it is so when
    one of its cells is a ``known`` name. Columns without names are ``column1``, ``column2`` … ``separator``: what
    stands between the cells of a text, if the first line does not show it; ``sheet``: the name of a sheet of an XLSX
    file, if it is not the first. Raises ``UsageError``.
    """
    suffix = path.suffix.lower()
    if suffix not in READERS:
        raise UsageError(f"{path}: not a table that can be read; known are {', '.join(READERS)}")
    shape = _Shape(_heading(suffix, heading, known), separator, sheet)
    with ExitStack() as opened:
        try:
            table = READERS[suffix](opened, path, shape)
        except UsageError:
            raise
        except Exception as error:  # each of the three libraries has its own tree of errors
            raise UsageError(f"{path}: cannot be read: {error}") from error
        yield table


@contextmanager
def writing(path: Path, columns: Sequence[str], types: Sequence[Any] = ()) -> Iterator[Write]:
    """Open a table file to write, by its suffix; it takes its place when all is written. Raises ``UsageError``.

    ``types`` are Arrow types for the first columns of a Parquet file; the others are text.
    """
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise UsageError(f"{path}: not a table that can be written; known are {', '.join(WRITERS)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced(path) as out, writer(out, path.suffix.lower(), columns, types) as write:
            yield write
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror or error}") from error


@contextmanager
def delimited(out: BinaryIO, columns: Sequence[str], delimiter: str = ",") -> Iterator[Write]:
    """Write a heading and rows as delimited UTF-8 text; bytes that were no UTF-8 come out as they went in."""
    text = io.TextIOWrapper(out, encoding="utf-8", errors="surrogateescape", newline="", write_through=False)
    rows = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    rows.writerow(columns)
    try:
        yield lambda cells: rows.writerow([text_of(cell) for cell in cells])
        text.flush()
    finally:
        text.detach()


def text_of(cell: Any) -> str:
    """Return a cell as text: nothing is ``""``, a whole number has no decimals, a date is ISO 8601.

    >>> [text_of(cell) for cell in (None, " a", 3.0, True, datetime(2026, 7, 1, 12))]
    ['', ' a', '3', 'TRUE', '2026-07-01T12:00:00']
    """
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, date | datetime | time):
        return cell.isoformat()
    if hasattr(cell, "as_py"):  # a value of Arrow; some, such as moments to the nanosecond, have no other form
        try:
            return text_of(cell.as_py())
        except (ValueError, ImportError):
            return str(cell.cast("string").as_py())
    return str(cell)


def _heading(suffix: str, given: bool | None, known: Callable[[str], bool] | None) -> Callable[[Sequence[Any]], bool]:
    if given is not None:
        return lambda first: given
    if suffix == ".txt":
        return lambda first: known is not None and any(known(text_of(cell)) for cell in first)
    return lambda first: True


IsHeading = Callable[[Sequence[Any]], bool]


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a reader is told of a file beside its path."""

    is_heading: IsHeading
    separator: str = ""
    sheet: str = ""


def _read_text(opened: ExitStack, path: Path, shape: _Shape) -> Table:
    encoding = _encoding(path)
    total = _lines_in(path) if encoding.startswith("utf-8") else 0
    lines = opened.enter_context(path.open(encoding=encoding, errors="surrogateescape", newline="\n"))
    first = next(lines, "")
    delimiter = shape.separator or _delimiter(first, DELIMITERS[path.suffix.lower()])
    rows = records(chain([first] if first else [], lines), delimiter)
    return _table(rows, shape.is_heading, total)


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(4)
    return "utf-16" if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _lines_in(path: Path) -> int:
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def _delimiter(line: str, among: str) -> str:
    """Return what stands most often in the first line, quoted cells not counted.

    >>> _delimiter('objectnummer;"naam, taxon";rang', ",;")
    ';'
    """
    bare = re.sub(r'"[^"]*"', "", line)
    return max(among, key=bare.count)


def records(lines: Iterable[str], delimiter: str, quote: str = '"') -> Iterator[tuple[list[str], str]]:
    """Yield the cells of each record of delimited text (RFC 4180), and what is wrong with it.

    ``quote`` is ``""`` where marks mean nothing. A delimiter of several characters stands in no quoted cell, and such
    a cell on one line.

    >>> list(records(["a^^^^b\\n", '"c"^^^^\\n'], "^^^^"))
    [(['a', 'b'], ''), (['c', ''], '')]
    """
    waiting: deque[str] = deque()
    rest = iter(lines)
    while line := waiting.popleft() if waiting else next(rest, ""):
        if not quote or quote not in line:
            yield line.rstrip("\r\n").split(delimiter), _undecoded(line)
            continue
        if len(delimiter) > 1:
            yield _lenient(line, delimiter, quote), _undecoded(line)
            continue
        pulled = [line]
        try:
            reader = csv.reader(_pulling(pulled, waiting, rest), delimiter=delimiter, quotechar=quote, strict=True)
            yield next(reader), _undecoded("".join(pulled))
        except csv.Error:  # a stray or an open quotation mark: the line stands for itself, those after it too
            waiting.extendleft(reversed(pulled[1:]))
            yield _lenient(line, delimiter, quote), _undecoded(line)


def _pulling(pulled: list[str], waiting: deque[str], rest: Iterator[str]) -> Iterator[str]:
    """Yield the line at hand and those after it, noting each that was taken."""
    yield pulled[0]
    for _ in range(MOST_LINES):
        line = waiting.popleft() if waiting else next(rest, "")
        if not line:
            return
        pulled.append(line)
        yield line


def _lenient(line: str, delimiter: str, quote: str) -> list[str]:
    """Return the cells of a line in which quotation marks mean nothing but at both ends of a cell."""
    cells = line.rstrip("\r\n").split(delimiter)
    return [c[1:-1].replace(quote * 2, quote) if len(c) > 1 and c[0] == c[-1] == quote else c for c in cells]


def _undecoded(text: str) -> str:
    if text.isascii():
        return ""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "bytes that are no UTF-8"
    return ""


def _table(read: Iterator[tuple[list[Any], str]], is_heading: IsHeading, total: int) -> Table:
    first = next(read, None)
    if first is None:
        raise UsageError("the table is empty")
    has_heading = is_heading(first[0])
    if has_heading:
        columns = unique(text_of(cell).strip() for cell in first[0])
        return Table(columns, _rows(read, len(columns), 2), max(total - 1, 0))
    columns = tuple(f"column{number}" for number in range(1, len(first[0]) + 1))
    return Table(columns, _rows(chain([first], read), len(columns), 1), total, has_heading=False)


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names, those that are empty or there already with a number.

    >>> unique(["name", "", "name"])
    ('name', 'column2', 'name_3')
    """
    seen: dict[str, None] = {}
    for number, name in enumerate(names, start=1):
        own = name or f"column{number}"
        while own in seen:
            own = f"{own}_{number}"
        seen[own] = None
    return tuple(seen)


def _rows(read: Iterable[tuple[list[Any], str]], width: int, number: int) -> Iterator[Row]:
    for at, (cells, trouble) in enumerate(read, start=number):
        if len(cells) == width and not trouble:
            yield Row(at, tuple(cells))
            continue
        beyond = " | ".join(map(text_of, cells[width:]))
        told = f"{len(cells)} cells where {width} are due" if len(cells) != width else ""
        told += f", beyond them: {beyond}" if beyond else ""
        kept = (*cells[:width], *[""] * (width - len(cells)))
        yield Row(at, kept, "; ".join(filter(None, (trouble, told))))


def _read_xlsx(opened: ExitStack, path: Path, shape: _Shape) -> Table:
    import openpyxl

    file = opened.enter_context(path.open("rb"))
    book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    opened.callback(book.close)
    if shape.sheet and shape.sheet not in book.sheetnames:
        raise UsageError(f"{path}: no sheet {shape.sheet!r}; there are {', '.join(book.sheetnames)}")
    sheet = book[shape.sheet] if shape.sheet else book.worksheets[0]
    total = sheet.max_row or 0
    sheet.reset_dimensions()  # some programs write wrong ones, and rows would be cut off
    rows = _without_blank_end(sheet.iter_rows(values_only=True))
    first = next(rows, None)
    if first is None:
        raise UsageError("the table is empty")
    width = len(_trimmed(first))
    padded = ([*_trimmed(row), *[None] * (width - len(_trimmed(row)))] for row in chain([first], rows))
    return _table(((row, "") for row in padded), shape.is_heading, total)


def _trimmed(row: Sequence[Any]) -> list[Any]:
    """Return a row without the empty cells at its end, which a sheet has or has not."""
    cells = list(row)
    while cells and cells[-1] is None:
        cells.pop()
    return cells


def _without_blank_end(rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    """Yield the rows down to the last that holds anything; blank ones between are rows."""
    blank: list[Sequence[Any]] = []
    for row in rows:
        if _trimmed(row):
            yield from blank
            blank = []
            yield row
        else:
            blank.append(row)


def _read_parquet(opened: ExitStack, path: Path, shape: _Shape) -> Table:
    import pyarrow.parquet

    file = opened.enter_context(pyarrow.parquet.ParquetFile(path))
    schema = file.schema_arrow
    cells = (row for batch in file.iter_batches(ROWS_AT_ONCE) for row in zip(*batch.columns, strict=True))
    rows = (Row(number, row) for number, row in enumerate(cells, start=2))
    return Table(unique(schema.names), rows, file.metadata.num_rows, types=tuple(schema.types))


@contextmanager
def _write_text(out: BinaryIO, suffix: str, columns: Sequence[str], types: Sequence[Any]) -> Iterator[Write]:
    with delimited(out, columns, "," if suffix == ".csv" else "\t") as write:
        yield write


@contextmanager
def _write_xlsx(out: BinaryIO, suffix: str, columns: Sequence[str], types: Sequence[Any]) -> Iterator[Write]:
    import openpyxl
    from openpyxl.cell import WriteOnlyCell

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("names")
    sheet.freeze_panes = "A2"

    def cell(value: Any) -> Any:
        if isinstance(value, bool | int | float | date | datetime | time) or value is None:
            return value
        made = WriteOnlyCell(sheet, _ILLEGAL_IN_XLSX.sub("\ufffd", text_of(value)))
        made.data_type = "s"  # a text that begins with "=" is no formula
        return made

    sheet.append([cell(column) for column in columns])
    try:
        yield lambda cells: sheet.append([cell(value) for value in cells])
    except BaseException:
        sheet.close()  # its generators complain if they are left half way
        raise
    book.save(out)


def _encodable(text: str) -> str:
    """Return text with a question mark for each byte that was no UTF-8."""
    return text.encode("utf-8", "replace").decode()


@contextmanager
def _write_parquet(out: BinaryIO, suffix: str, columns: Sequence[str], types: Sequence[Any]) -> Iterator[Write]:
    import pyarrow
    import pyarrow.parquet

    kinds = [*types, *[pyarrow.string()] * (len(columns) - len(types))]
    schema = pyarrow.schema(list(zip(unique(map(_encodable, columns)), kinds, strict=True)))
    held: list[Sequence[Any]] = []

    def column(at: int) -> Any:
        values = [row[at] for row in held]
        plain = values if at < len(types) else [_encodable(text_of(v)) for v in values]
        return pyarrow.array(plain, type=kinds[at])

    with pyarrow.parquet.ParquetWriter(out, schema) as writer:

        def flush() -> None:
            if held:
                writer.write_batch(pyarrow.record_batch([column(at) for at in range(len(columns))], schema=schema))
                held.clear()

        def write(cells: Sequence[Any]) -> None:
            held.append(cells)
            if len(held) >= ROWS_AT_ONCE:
                flush()

        yield write
        flush()


READERS: dict[str, Callable[[ExitStack, Path, _Shape], Table]] = {
    ".csv": _read_text,
    ".tsv": _read_text,
    ".txt": _read_text,
    ".xlsx": _read_xlsx,
    ".parquet": _read_parquet,
}
"""How a file is read, by its suffix."""

WRITERS: dict[str, Callable[[BinaryIO, str, Sequence[str], Sequence[Any]], AbstractContextManager[Write]]] = {
    ".csv": _write_text,
    ".tsv": _write_text,
    ".txt": _write_text,
    ".xlsx": _write_xlsx,
    ".parquet": _write_parquet,
}
"""How a file is written, by its suffix."""
