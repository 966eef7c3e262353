"""Darwin Core Archives as text. In: a zip, a folder or a single table. Out: what its tables hold, and their rows.

After the Darwin Core text guide (http://rs.tdwg.org/dwc/terms/guides/text/): ``meta.xml`` says which files there are,
how their cells are separated and quoted, how many lines of heading to skip, which column is which term, and what holds
where a cell is empty or no column is given. A table may lie in several files. Without ``meta.xml`` the archive is one
table whose heading names the terms. What the terms mean is no matter of this module.
"""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO
from xml.etree import ElementTree

from linkeddata.errors import UsageError
from linkeddata.tablefiles import records

DWC = "http://rs.tdwg.org/dwc/terms/"
TABLES = (".txt", ".tsv", ".csv", ".tab")

_MARKS = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\r\\n": "\r\n", "&quot;": '"', "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Table:
    """One table of an archive. ``terms``: IRI → column; ``defaults``: IRI → what holds where there is no value."""

    row_type: str  # IRI
    files: tuple[str, ...]
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    newline: str = "\n"
    headers: int = 0
    core_id: int = 0  # the column of a row's id, or in an extension of the id of the row it belongs to
    terms: tuple[tuple[str, int], ...] = ()
    defaults: Mapping[str, str] | None = None
    is_core: bool = False

    @property
    def kind(self) -> str:
        """The last part of the row type: Taxon, Occurrence, Multimedia …"""
        return local(self.row_type)

    @property
    def columns(self) -> tuple[str, ...]:
        """The term of each column, ``""`` for one without."""
        at = {index: term for term, index in reversed(self.terms)}
        return tuple(at.get(number, "") for number in range(max([*at, self.core_id]) + 1))

    @property
    def fixed(self) -> dict[str, str]:
        """What holds for all rows: the defaults of terms that have no column."""
        placed = {term for term, _ in self.terms}
        return {term: value for term, value in (self.defaults or {}).items() if term not in placed}


@dataclass(frozen=True, slots=True)
class Row:
    """One row; ``trouble`` says what is wrong with it as a row."""

    file: str
    number: int  # as a spreadsheet numbers it, the lines of heading counted
    cells: list[str]
    trouble: str = ""


class Values:
    """Reads the values of a table's rows by the local names of their terms, in any spelling of upper and lower case."""

    def __init__(self, table: Table) -> None:
        defaults = table.defaults or {}
        self._at: dict[str, list[tuple[int, str]]] = {}
        for term, index in table.terms:
            self._at.setdefault(local(term).lower(), []).append((index, defaults.get(term, "")))
        for term, value in table.fixed.items():
            self._at.setdefault(local(term).lower(), []).append((-1, value))

    def of(self, row: Row, *names: str) -> str:
        """Return the first value that a row has under one of these names."""
        for name in names:
            for index, default in self._at.get(name.lower(), ()):
                value = row.cells[index].strip() if 0 <= index < len(row.cells) else ""
                if value or default:
                    return value or default
        return ""


def local(term: str) -> str:
    """Return the last part of a term's IRI.

    >>> local("http://rs.tdwg.org/ac/terms/accessURI"), local("dwc:taxonID")
    ('accessURI', 'taxonID')
    """
    return term.rsplit("/", 1)[-1].rsplit("#", 1)[-1].rsplit(":", 1)[-1]


def tables(path: Path) -> list[Table]:
    """Return the tables of an archive, the core first. Raises ``UsageError`` where there are none."""
    found = members_of(path)
    if found is None:
        if not path.is_file():
            raise UsageError(f"{path}: there is no such archive")
        return [_simple(path, path.name)]
    if any(Path(member).name == "meta.xml" for member in found):
        return described(path)
    data = [member for member in found if Path(member).suffix.lower() in TABLES and "__MACOSX" not in member]
    if len(data) != 1:
        raise UsageError(f"{path}: no meta.xml, and {len(data)} tables where one would be an archive")
    return [_simple(path, data[0])]


def described(path: Path) -> list[Table]:
    """Return the tables that an archive's ``meta.xml`` describes, the core first. Raises ``UsageError``."""
    with open_member(path, "meta.xml", "utf-8-sig") as file:
        try:
            root = ElementTree.fromstring(file.read().encode())  # noqa: S314 - no entities of its own
        except ElementTree.ParseError as error:
            raise UsageError(f"{path}: meta.xml cannot be read: {error}") from error
    for node in root.iter():
        node.tag = local(node.tag.rsplit("}", 1)[-1])
    try:
        return sorted((_table(node) for node in root if node.tag in ("core", "extension")), key=lambda t: not t.is_core)
    except ValueError as error:
        raise UsageError(f"{path}: meta.xml cannot be read: {error}") from error


def _table(node: ElementTree.Element) -> Table:
    """Return what one ``core`` or ``extension`` says; what it does not say is as the text guide has it (2.3)."""
    own = node.find("id") if node.find("id") is not None else node.find("coreid")
    fields = [(f.get("term", "").strip(), f.get("index"), f.get("default", "")) for f in node.iter("field")]

    def mark(name: str, usual: str) -> str:
        given = node.get(name, usual)
        return _MARKS.get(given, given)

    return Table(
        row_type=node.get("rowType", f"{DWC}Occurrence" if node.tag == "core" else ""),
        files=tuple((place.text or "").strip() for place in node.iter("location")),
        encoding=node.get("encoding") or "utf-8",
        delimiter=mark("fieldsTerminatedBy", ",") or ",",
        quote=mark("fieldsEnclosedBy", '"')[:1],
        newline="\r" if mark("linesTerminatedBy", "\n") == "\r" else "\n",
        headers=int(node.get("ignoreHeaderLines") or 0),
        core_id=int(own.get("index", "0")) if own is not None else 0,
        terms=tuple((term, int(index)) for term, index, _ in fields if index),
        defaults={term: value for term, _, value in fields if value},
        is_core=node.tag == "core",
    )


def _simple(path: Path, name: str) -> Table:
    """Return the table of an archive that is one file: its heading has the terms' names."""
    with open_member(path, name, "utf-8-sig") as file:
        first, *more = file.readline().rstrip("\r\n").split("\r", 1)  # some write no line feed at all
    delimiter = max("\t,;", key=first.count)
    names = next(csv.reader([first], delimiter=delimiter), [])
    known = {local(term.strip()).lower(): number for number, term in reversed(list(enumerate(names)))}
    own = "occurrenceid" if "occurrenceid" in known else "taxonid"
    return Table(
        row_type=f"{DWC}{'Occurrence' if own == 'occurrenceid' else 'Taxon'}",
        files=(name,),
        delimiter=delimiter,
        quote="" if delimiter == "\t" else '"',
        newline="\r" if more else "\n",
        headers=1,
        core_id=known.get(own, known.get("id", 0)),
        terms=tuple((term.strip(), number) for number, term in enumerate(names)),
        is_core=True,
    )


def rows(path: Path, table: Table) -> Iterator[Row]:
    """Yield the rows of a table, from all its files. Raises ``UsageError`` where a file is not there or is damaged.

    Cells that lack at the end of a row are empty. More cells than the heading has mean that they have shifted.
    """
    for name in table.files:
        try:
            yield from _rows(path, table, name)
        except (zipfile.BadZipFile, zlib.error, EOFError, UnicodeError) as error:
            raise UsageError(f"{path}: {name}: {error}") from error


def _rows(path: Path, table: Table, name: str) -> Iterator[Row]:
    with opened(path, table, name) as file:
        heading = list(islice(records(file, table.delimiter, table.quote), table.headers))
        width = len(heading[-1][0]) if heading else 0
        for number, (cells, trouble) in enumerate(records(file, table.delimiter, table.quote), table.headers + 1):
            if cells == [""]:
                continue  # a blank line, most often the last
            if width and len(cells) > width and any(cells[width:]):
                trouble = trouble or f"{len(cells)} cells where {width} are due"
            yield Row(Path(name).name, number, cells, trouble)


@contextmanager
def opened(path: Path, table: Table, name: str) -> Iterator[TextIO]:
    """Open a file of a table, with its byte order mark skipped. Raises ``UsageError`` for an unknown encoding."""
    encoding = "utf-8-sig" if table.encoding.lower() in ("utf-8", "utf8") else table.encoding
    try:
        "".encode(encoding)
    except LookupError as error:
        raise UsageError(f"{path}: {name}: {error}") from error
    with open_member(path, name, encoding, newline=table.newline) as file:
        yield file


def members_of(path: Path) -> list[str] | None:
    """Return the files of an archive, zipped or unpacked; ``None`` for a single file."""
    if path.is_dir():
        return [str(member.relative_to(path)) for member in sorted(path.rglob("*")) if member.is_file()]
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    return None


@contextmanager
def open_member(path: Path, name: str, encoding: str, *, newline: str = "\n") -> Iterator[TextIO]:
    """Open a file of an archive by its name, wherever in the archive it lies. Raises ``UsageError``."""
    found = members_of(path)
    if found is None:
        with path.open(encoding=encoding, errors="surrogateescape", newline=newline) as file:
            yield file
        return
    place = next((entry for entry in found if Path(entry).name == Path(name).name), None)
    if place is None:
        raise UsageError(f"{path}: there is no {name} in this archive")
    if path.is_dir():
        with (path / place).open(encoding=encoding, errors="surrogateescape", newline=newline) as file:
            yield file
    else:
        with zipfile.ZipFile(path) as archive, archive.open(place) as raw:
            yield io.TextIOWrapper(raw, encoding=encoding, errors="surrogateescape", newline=newline)
