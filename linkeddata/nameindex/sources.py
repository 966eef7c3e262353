"""Read checklists. In: a file or folder as it was published. Out: usages, vernacular names and pairs of keys.

| format | recognised by |
|---|---|
| ``simple.txt`` | GBIF's backbone: 30 columns without a header, ``\\N`` for nothing; may be gzipped |
| ``dwca`` | a Darwin Core Archive (zip or folder) with ``meta.xml`` whose core is Taxon |
| ``coldp`` | a ColDP archive (zip or folder) with ``NameUsage`` or with ``Name``, ``Taxon`` and ``Synonym`` |
| ``crosswalk`` | ChecklistBank's table of backbone keys and COL ids: columns ``gbif:ID`` and ``col:ID`` |
| ``avilist`` | AviList's CSV: ``scientific_name`` and ``avilist_taxon_rank`` |
| ``tsv`` | any other table with a header that names a scientific name |

A row that cannot be used is a ``BrokenRow`` in the stream; nothing is guessed into it.
"""

import csv
import gzip
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from linkeddata.dwca import Table, described, members_of, open_member, opened
from linkeddata.errors import UsageError
from linkeddata.ids import COL_XR, GBIF_BACKBONE
from linkeddata.nameindex.ranks import LINNEAN

AVILIST_TITLE = "AviList"
_HIGHER = ("kingdom", "phylum", "class", "order", "family", "genus", "species")


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row of a source that could not be used."""

    source: str
    line: int
    reason: str  # few and fixed: "no name", "no key", "key twice", "not UTF-8", "wrong number of columns"
    text: str  # its beginning


@dataclass(slots=True)
class UsageRow:
    """One usage as a checklist gives it. ``higher`` are the given higher taxa from the root down: (rank, name, key)."""

    key: str
    name: str  # with or without authorship
    line: int = 0
    canonical: str = ""
    authorship: str = ""
    rank: str = ""
    status: str = ""
    parent: str = ""
    accepted: str = ""
    higher: tuple[tuple[str, str, str], ...] = ()
    gbif: str = ""
    col: str = ""
    aphia: str = ""
    item: str = ""


@dataclass(slots=True)
class VernacularRow:
    """One vernacular name of a usage."""

    key: str
    name: str
    language: str = ""


@dataclass(slots=True)
class CrosswalkRow:
    """The backbone's key and COL's id of one taxon."""

    gbif: str
    col: str


Row = UsageRow | VernacularRow | CrosswalkRow | BrokenRow


@dataclass(frozen=True, slots=True)
class Source:
    """A checklist on disk that was recognised, and how to read it."""

    path: Path
    format: str  # simple.txt, dwca, coldp, tsv, avilist, crosswalk
    checklist_key: str = ""
    moment: str = ""  # date of the file, ISO 8601
    title: str = ""

    def rows(self) -> Iterator[Row]:
        """Yield everything in the source, in its order; vernacular names come after the usages they belong to."""
        return FORMATS[self.format](self.path)


def open_source(path: Path, *, checklist_key: str = "", title: str = "") -> Source:
    """Recognise the checklist at ``path``. Raises ``UsageError`` when it is none of the known formats."""
    if not path.exists():
        raise UsageError(f"there is no checklist at {path}")
    known = _recognised(path)
    if not known:
        raise UsageError(f"{path} is no checklist that can be read: {', '.join(FORMATS)}")
    day = datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat()
    own = {"simple.txt": GBIF_BACKBONE, "crosswalk": COL_XR}.get(known, "")
    if known == "tsv" and "usagekey" in _words_of(path):
        own = GBIF_BACKBONE  # GBIF's own name for its key
    return Source(path, known, checklist_key or own, day, title or path.name)


def _words_of(path: Path) -> set[str]:
    with _text(path) as file:
        return {_plain(column) for column in _split_header(file.readline().rstrip("\r\n").lstrip("\ufeff"))}


def _recognised(path: Path) -> str:
    members = members_of(path)
    if members is not None:
        names = {Path(member).name.lower() for member in members}
        if "meta.xml" in names:
            return "dwca"
        return "coldp" if {name.split(".")[0].replace("-", "") for name in names} & {"nameusage", "name"} else ""
    with _text(path) as file:
        first = file.readline().rstrip("\r\n").lstrip("\ufeff")
    columns = _split_header(first)
    if len(columns) == 30 and columns[0].isdigit():
        return "simple.txt"
    words = {_plain(column) for column in columns}
    if {"gbif:id", "col:id"} <= {column.strip().lower() for column in columns}:
        return "crosswalk"
    if {"scientificname", "avilisttaxonrank"} <= words or {"scientificname", "taxonrank", "aviliststatus"} <= words:
        return "avilist"
    return "tsv" if words & {"scientificname", "canonicalname", "name", "taxonname"} else ""


# ---- tables with named columns ------------------------------------------------------------------------------------

_TERMS: Mapping[str, tuple[str, ...]] = {
    "key": ("usagekey", "taxonid", "id", "key", "gbifid", "avilistavibaseid", "avibaseid", "taxonkey", "aphiaid"),
    "name": ("scientificname", "name", "taxonname"),
    "canonical": ("canonicalname",),
    "authorship": ("scientificnameauthorship", "authorship", "author", "authority"),
    "rank": ("rank", "taxonrank", "avilisttaxonrank"),
    "status": ("status", "taxonomicstatus"),
    "synonym": ("synonym", "issynonym"),
    "parent": ("parentkey", "parentnameusageid", "parentid"),
    "lsid": ("scientificnameid",),
    "accepted": ("acceptedusagekey", "acceptednameusageid", "acceptedkey", "acceptedid"),
    "gbif": ("gbifkey",),
    "col": ("colid",),
    "aphia": ("aphiaid",),
    "item": ("item", "wikidata", "wikidataid"),
    "vernacular": ("vernacularname", "avilistcommonname", "englishname", "commonname"),
    "language": ("language", "vernacularlanguage"),
}


def _plain(column: str) -> str:
    """Return a column's name in the form in which its spellings are equal.

    >>> _plain("col:scientificName"), _plain("scientific_name"), _plain("http://rs.tdwg.org/dwc/terms/taxonRank")
    ('scientificname', 'scientificname', 'taxonrank')
    """
    return column.strip().rsplit("/", 1)[-1].rsplit(":", 1)[-1].replace("_", "").replace(" ", "").lower()


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where the terms stand in a table; ``fixed`` are the values that hold for all of its rows."""

    place: Mapping[str, int]
    names: tuple[tuple[str, int, int], ...]  # higher taxa: rank, column of the name, column of the key or -1
    fixed: Mapping[str, str]
    width: int

    @classmethod
    def of(cls, columns: list[str], fixed: Mapping[str, str] | None = None, core_id: int = -1) -> "_Columns":
        where: dict[str, int] = {}
        for number, column in enumerate(columns):
            where.setdefault(_plain(column), number)
        place = {field: where[word] for field, words in _TERMS.items() for word in reversed(words) if word in where}
        if core_id >= 0 and "taxonid" not in where:
            place["key"] = core_id
        given = {_plain(term): value for term, value in (fixed or {}).items()}
        order = {"order": "avilistorder", "family": "avilistfamily"}
        names = tuple(
            (rank.upper(), where.get(rank, where.get(order.get(rank, ""), -1)), where.get(f"{rank}key", -1))
            for rank in _HIGHER
            if rank in where or order.get(rank, "") in where or f"{rank}key" in where
        )
        return cls(place, names, given, len(columns))

    def usage(self, cells: list[str], line: int) -> UsageRow:
        def cell(field: str) -> str:
            number = self.place.get(field, -1)
            return cells[number].strip() if number >= 0 else ""

        status, synonym = cell("status"), cell("synonym").lower() in ("true", "t", "1")
        return UsageRow(
            key=cell("key"),
            name=cell("name") or cell("canonical"),
            line=line,
            canonical=cell("canonical"),
            authorship=cell("authorship"),
            rank=cell("rank"),
            status=status or ("SYNONYM" if synonym else ""),
            parent=cell("parent"),
            accepted=cell("accepted"),
            higher=self.higher(cells),
            gbif=cell("gbif"),
            col=cell("col"),
            aphia=cell("aphia") or _aphia_of(cell("lsid") or cell("key")),
            item=cell("item"),
        )

    def higher(self, cells: list[str]) -> tuple[tuple[str, str, str], ...]:
        fixed = tuple((r.upper(), self.fixed[r], "") for r in _HIGHER if r in self.fixed)
        return fixed + tuple(
            (rank, name_, key_)
            for rank, name, key in self.names
            if (name_ := cells[name].strip() if name >= 0 else "")
            and (key_ := cells[key] if key >= 0 else "") is not None
        )


def _aphia_of(lsid: str) -> str:
    """Return the AphiaID in a WoRMS identifier, ``""`` for any other.

    >>> _aphia_of("urn:lsid:marinespecies.org:taxname:126436"), _aphia_of("urn:lsid:ipni.org:names:30004")
    ('126436', '')
    """
    return lsid.rsplit(":", 1)[-1] if lsid.startswith("urn:lsid:marinespecies.org:taxname:") else ""


def _read_table(path: Path) -> Iterator[Row]:
    with _text(path) as file:
        first = file.readline().rstrip("\r\n").lstrip("\ufeff")
        columns = _split_header(first)
        yield from _table_rows(path.name, _rows_of(file, _delimiter(first)), _Columns.of(columns))


def _table_rows(source: str, rows: Iterator[tuple[int, list[str]]], columns: _Columns) -> Iterator[Row]:
    vernacular, language = columns.place.get("vernacular", -1), columns.place.get("language", -1)
    has_key = "key" in columns.place
    for line, cells in rows:
        broken = _broken(cells, columns.width)
        if broken:
            yield BrokenRow(source, line, broken, "\t".join(cells)[:200])
            continue
        cells += [""] * (columns.width - len(cells))
        row = columns.usage(cells, line)
        if not row.name:
            yield BrokenRow(source, line, "no name", "\t".join(cells)[:200])
            continue
        if not row.key:
            if has_key and not columns.names:
                yield BrokenRow(source, line, "no key", "\t".join(cells)[:200])
                continue
            row.key = f"{row.name}|{row.rank}"
        yield row
        if vernacular >= 0 and cells[vernacular].strip():
            spoken = cells[language].strip() if language >= 0 else "en"
            yield VernacularRow(row.key, cells[vernacular].strip(), spoken)


def _broken(cells: list[str], width: int) -> str:
    if len(cells) > width or len(cells) < min(width, 2):
        return "wrong number of columns"
    return "not UTF-8" if any(not cell.isascii() and _is_garbled(cell) for cell in cells) else ""


def _is_garbled(cell: str) -> bool:
    return any("\udc80" <= letter <= "\udcff" for letter in cell) or "\ufffd" in cell


# ---- GBIF's simple.txt --------------------------------------------------------------------------------------------

_SIMPLE = 30
_VIRUSES = "8"  # the backbone's key of that kingdom; what follows the genus of a virus is no authorship


def _read_simple(path: Path) -> Iterator[Row]:
    """Yield the usages of the backbone's ``simple.txt`` (its columns: README at https://hosted-datasets.gbif.org)."""
    with _text(path) as file:
        for line, text in enumerate(file, 1):
            cells = text.rstrip("\n").split("\t")
            if len(cells) != _SIMPLE:
                yield BrokenRow(path.name, line, "wrong number of columns", text[:200])
            elif not text.isascii() and _is_garbled(text):
                yield BrokenRow(path.name, line, "not UTF-8", text[:200])
            elif not cells[0].isdigit():
                yield BrokenRow(path.name, line, "no key", text[:200])
            elif cells[18] == "\\N" or not cells[18].strip():
                yield BrokenRow(path.name, line, "no name", text[:200])
            else:
                yield _simple_row(cells, line)


def _simple_row(cells: list[str], line: int) -> UsageRow:
    parent = "" if cells[1] == "\\N" else cells[1]
    synonym = cells[3] == "t"
    canonical = "" if cells[19] == "\\N" or cells[10] == _VIRUSES else cells[19]
    return UsageRow(
        key=cells[0],
        name=cells[18],
        line=line,
        canonical=canonical,
        rank=cells[5],
        status="SYNONYM" if synonym and "SYNONYM" not in cells[4] and cells[4] != "MISAPPLIED" else cells[4],
        parent="" if synonym else parent,
        accepted=parent if synonym else "",
    )


# ---- Darwin Core Archives -----------------------------------------------------------------------------------------


def _read_archive(path: Path) -> Iterator[Row]:
    found = described(path)
    core = next((table for table in found if table.kind == "Taxon"), None)
    if core is None:
        raise UsageError(f"{path}: the core of this Darwin Core Archive is no list of taxa")
    columns = _Columns.of(list(core.columns), core.fixed, core.core_id)
    yield from _table_rows(core.files[0], _archive_rows(path, core), columns)
    for table in found:
        if table.kind in ("VernacularName", "VernacularNames"):
            yield from _vernacular_rows(table.files[0], _archive_rows(path, table), list(table.columns), table.core_id)


def _vernacular_rows(
    source: str, rows: Iterator[tuple[int, list[str]]], columns: list[str], core_id: int
) -> Iterator[Row]:
    words = [_plain(column) for column in columns]
    name = words.index("vernacularname") if "vernacularname" in words else words.index("name")
    language = words.index("language") if "language" in words else -1
    for line, cells in rows:
        if len(cells) <= max(name, core_id) or not cells[name].strip() or not cells[core_id].strip():
            yield BrokenRow(source, line, "no name", "\t".join(cells)[:200])
        elif any(not cell.isascii() and _is_garbled(cell) for cell in cells):
            yield BrokenRow(source, line, "not UTF-8", "\t".join(cells)[:200])
        else:
            spoken = cells[language].strip() if 0 <= language < len(cells) else ""
            yield VernacularRow(cells[core_id].strip(), cells[name].strip(), spoken)


def _archive_rows(path: Path, table: Table) -> Iterator[tuple[int, list[str]]]:
    for name in table.files:
        with opened(path, table, name) as file:
            for _ in range(table.headers):
                file.readline()
            yield from _rows_of(file, table.delimiter, table.quote, table.headers + 1)


# ---- ColDP --------------------------------------------------------------------------------------------------------


def _read_coldp(path: Path) -> Iterator[Row]:
    """Yield a ColDP archive: ``NameUsage``, or ``Name``, ``Taxon`` and ``Synonym``.

    https://github.com/CatalogueOfLife/coldp
    """
    files = {Path(m).stem.replace("-", "").lower(): m for m in members_of(path) or () if Path(m).suffix in _TABLES}
    if "nameusage" in files:
        yield from _coldp_usages(path, files["nameusage"])
    elif "name" in files and "taxon" in files:
        yield from _coldp_names(path, files)
    else:
        raise UsageError(f"{path}: this ColDP archive has neither NameUsage nor Name and Taxon")
    if "vernacularname" in files:
        with _opened_table(path, files["vernacularname"]) as (columns, rows):
            words = [_plain(column) for column in columns]
            yield from _vernacular_rows(files["vernacularname"], rows, columns, words.index("taxonid"))


_TABLES = (".tsv", ".csv", ".txt")
_COLDP_ACCEPTED = frozenset({"", "accepted", "provisionally accepted"})


def _coldp_usages(path: Path, member: str) -> Iterator[Row]:
    with _opened_table(path, member) as (columns, rows):
        for row in _table_rows(member, rows, _Columns.of(columns)):
            if isinstance(row, UsageRow) and row.status.lower() not in _COLDP_ACCEPTED:
                row.accepted, row.parent = row.parent, ""
            yield row


def _coldp_names(path: Path, files: Mapping[str, str]) -> Iterator[Row]:
    """Yield usages from three tables; the names are held in memory, which suits lists of up to a million names."""
    names: dict[str, tuple[str, str, str]] = {}
    with _opened_table(path, files["name"]) as (columns, rows):
        at = {_plain(column): number for number, column in enumerate(columns)}
        for line, cells in rows:
            if len(cells) < len(columns):
                yield BrokenRow(files["name"], line, "wrong number of columns", "\t".join(cells)[:200])
                continue
            names[cells[at["id"]]] = (
                cells[at["scientificname"]],
                cells[at["authorship"]] if "authorship" in at else "",
                cells[at["rank"]] if "rank" in at else "",
            )
    for member, is_synonym in ((files["taxon"], False), (files.get("synonym", ""), True)):
        if not member:
            continue
        with _opened_table(path, member) as (columns, rows):
            at = {_plain(column): number for number, column in enumerate(columns)}
            for line, cells in rows:
                name = names.get(cells[at["nameid"]]) if len(cells) > at["nameid"] else None
                if name is None:
                    yield BrokenRow(member, line, "no name", "\t".join(cells)[:200])
                elif is_synonym:
                    key = cells[at["id"]] if "id" in at and cells[at["id"]] else f"{cells[at['nameid']]}s"
                    accepted = cells[at["taxonid"]]
                    yield UsageRow(key, name[0], line, name[0], name[1], name[2], status="SYNONYM", accepted=accepted)
                else:
                    parent = cells[at["parentid"]] if "parentid" in at else ""
                    yield UsageRow(
                        cells[at["id"]], name[0], line, name[0], name[1], name[2], status="ACCEPTED", parent=parent
                    )


# ---- the crosswalk ------------------------------------------------------------------------------------------------


def _read_crosswalk(path: Path) -> Iterator[Row]:
    with _text(path) as file:
        columns = [column.strip().lower() for column in _split_header(file.readline().rstrip("\r\n").lstrip("\ufeff"))]
        gbif, col = columns.index("gbif:id"), columns.index("col:id")
        for line, cells in _rows_of(file, "\t"):
            if len(cells) <= gbif or not cells[gbif].strip():
                yield BrokenRow(path.name, line, "no key", "\t".join(cells)[:200])
            elif len(cells) > col and cells[col].strip():
                yield CrosswalkRow(cells[gbif].strip(), cells[col].strip())


FORMATS: Mapping[str, Callable[[Path], Iterator[Row]]] = {
    "simple.txt": _read_simple,
    "dwca": _read_archive,
    "coldp": _read_coldp,
    "crosswalk": _read_crosswalk,
    "avilist": _read_table,
    "tsv": _read_table,
}
"""The formats that are read, and by which function."""


# ---- files --------------------------------------------------------------------------------------------------------


def _rows_of(file: TextIO, delimiter: str, quote: str = '"', first: int = 2) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a table with their line numbers; a tab-separated table has no quotes of its own."""
    if delimiter == "\t" or not quote:
        for line, text in enumerate(file, first):
            yield line, text.rstrip("\r\n").split(delimiter)
        return
    for line, cells in enumerate(csv.reader(file, delimiter=delimiter, quotechar=quote), first):
        yield line, cells


def _split_header(first: str) -> list[str]:
    return next(csv.reader([first], delimiter=_delimiter(first)), [])


def _delimiter(first: str) -> str:
    return max("\t,;", key=first.count)


@contextmanager
def _text(path: Path) -> Iterator[TextIO]:
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            yield file
    else:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            yield file


@contextmanager
def _opened_table(path: Path, member: str) -> Iterator[tuple[list[str], Iterator[tuple[int, list[str]]]]]:
    with open_member(path, member, "utf-8") as file:
        first = file.readline().rstrip("\r\n").lstrip("\ufeff")
        yield _split_header(first), _rows_of(file, _delimiter(first))


def linnean_above(rank: str) -> tuple[str, ...]:
    """Return the main ranks above a rank, from the root down.

    >>> linnean_above("FAMILY")
    ('KINGDOM', 'PHYLUM', 'CLASS', 'ORDER')
    """
    return LINNEAN[: LINNEAN.index(rank)] if rank in LINNEAN else LINNEAN
