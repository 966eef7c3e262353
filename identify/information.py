"""What a museum tells of taxa, beside a determination. In: a folder of tables and texts. Out: a ``Leaflet`` by taxon.

``*.csv`` (also TSV, XLSX): a row a taxon, with a column ``taxon`` (a name, a Q-id or a GBIF key) and any of
``language``, ``text``, ``size_mm`` (``45-60``), ``years`` (``1600-1850``), ``distribution``, ``similar``, ``pictures``,
``links`` (``label|address``); where there are several they stand between semicolons. ``NAME.md`` or ``NAME.nl.md``: a
text about the taxon that the file is called after. A row that cannot be read is told and left out.
"""

import math
import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from identify.judging.priors import Span, Trait
from linkeddata.errors import DeBoodtError
from linkeddata.records import ModelClass
from linkeddata.tablefiles import reading, text_of

T = TypeVar("T")
TABLES = (".csv", ".tsv", ".xlsx")
TEXTS = ".md"
LOOK_S = 2.0
"""So often the folder is looked at, at most."""
USUAL = "en"
NOTHING: Span = (0.0, 0.0)
COLUMNS = frozenset({"taxon", "language", "text", "size_mm", "years", "distribution", "similar", "pictures", "links"})
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_SPAN = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*(?:(?:-|–|to|tot)\s*(\d+(?:[.,]\d+)?))?\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaflet:
    """What is told of one taxon; texts are by language."""

    texts: tuple[tuple[str, str], ...] = ()
    distribution: tuple[tuple[str, str], ...] = ()
    size_mm: Span = NOTHING
    years: Span = NOTHING
    similar: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    """Labels and addresses."""

    def with_more(self, other: "Leaflet") -> "Leaflet":
        """Return this leaflet with what another adds to it; of two sizes or periods the later one holds."""
        return Leaflet(
            texts=_joined(self.texts, other.texts),
            distribution=_joined(self.distribution, other.distribution),
            size_mm=other.size_mm if other.size_mm[1] else self.size_mm,
            years=other.years if other.years[1] else self.years,
            similar=_joined(self.similar, other.similar),
            pictures=_joined(self.pictures, other.pictures),
            links=_joined(self.links, other.links),
        )


@dataclass(slots=True)
class Information:
    """The leaflets of a folder, read again when its files change. Threads may share it."""

    folder: Path
    look_s: float = LOOK_S
    troubles: list[str] = field(default_factory=list)
    _leaflets: Mapping[str, Leaflet] = field(default_factory=dict)
    _seen: tuple[tuple[str, int, int], ...] = ()
    _looked: float = -math.inf
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, label: str, item: str = "", gbif_key: str = "") -> Leaflet | None:
        """Return what is told of a taxon, known by any of its names."""
        self._look()
        found = [self._leaflets[key] for key in (label, item, gbif_key) if key and key in self._leaflets]
        if not found:
            return None
        first, *rest = found
        for one in rest:
            first = first.with_more(one)
        return first

    def traits(self, classes: Iterable[ModelClass]) -> dict[str, Trait]:
        """Return the sizes and years of classes, by label, as far as they are told."""
        found = {}
        for one in classes:
            told = self.of(one.label, one.item, one.gbif_key)
            if told is not None and (told.size_mm[1] or told.years[1]):
                found[one.label] = Trait(size_mm=told.size_mm, years=told.years)
        return found

    def _look(self) -> None:
        with self._lock:
            if time.monotonic() - self._looked < self.look_s:
                return
            self._looked = time.monotonic()
            paths = _files(self.folder)
            seen = tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in paths)
            if seen == self._seen:
                return
            leaflets, troubles = read_folder(paths)
            self._leaflets, self.troubles, self._seen = leaflets, troubles, seen


def read_folder(paths: Iterable[Path]) -> tuple[dict[str, Leaflet], list[str]]:
    """Return the leaflets of some files by taxon, and what could not be read, as file, row and reason."""
    leaflets: dict[str, Leaflet] = {}
    troubles: list[str] = []
    for path in paths:
        try:
            for taxon, leaflet in _of_text(path) if path.suffix == TEXTS else _of_table(path, troubles):
                leaflets[taxon] = leaflets[taxon].with_more(leaflet) if taxon in leaflets else leaflet
        except (DeBoodtError, OSError, ValueError) as error:
            troubles.append(f"{path.name}: {error}")
    return leaflets, troubles


def span(text: str) -> Span:
    """Return a range of numbers; ``(0, 0)`` for nothing. Raises ``ValueError`` for what is none.

    >>> span("45 - 60"), span("12,5"), span("")
    ((45.0, 60.0), (12.5, 12.5), (0.0, 0.0))
    """
    if not text.strip():
        return NOTHING
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no range of numbers, such as 45-60")
    low, high = (float((side or found[1]).replace(",", ".")) for side in found.groups())
    if low > high:
        raise ValueError(f"{text!r} ends before it begins")
    return low, high


def in_language(texts: Iterable[tuple[str, str]], accepted: str) -> tuple[str, str]:
    """Return the text that a reader wants, with its language, by an ``Accept-Language`` header; ``("", "")`` for none.

    >>> in_language([("en", "a moth"), ("nl", "een mot")], "fr, nl-BE;q=0.8, en;q=0.5")
    ('nl', 'een mot')
    """
    by_language = dict(texts)
    ranked = sorted(_wanted(accepted), key=lambda one: -one[1])
    for language in (*(name for name, _ in ranked), USUAL):
        for name in (language, language.partition("-")[0]):
            if name in by_language:
                return name, by_language[name]
    return next(iter(by_language.items()), ("", ""))


def _wanted(accepted: str) -> Iterator[tuple[str, float]]:
    for part in accepted.split(",")[:20]:
        name, _, weight = part.strip().partition(";q=")
        try:
            yield name.strip().lower(), float(weight or 1)
        except ValueError:
            continue


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix in (*TABLES, TEXTS) and path.is_file())


def _of_text(path: Path) -> Iterator[tuple[str, Leaflet]]:
    taxon, _, language = path.stem.rpartition(".")
    if not (taxon and _LANGUAGE.fullmatch(language)):
        taxon, language = path.stem, USUAL
    yield taxon, Leaflet(texts=((language, path.read_text(encoding="utf-8").strip()),))


def _of_table(path: Path, troubles: list[str]) -> Iterator[tuple[str, Leaflet]]:
    with reading(path) as table:
        columns = [name.strip().lower() for name in table.columns]
        if "taxon" not in columns:
            raise ValueError(f"it has no column taxon; it has {', '.join(columns)}")
        if unknown := sorted(set(columns) - COLUMNS):
            troubles.append(f"{path.name}: {', '.join(unknown)} is not known and left out")
        for row in table.rows:
            cells = dict(zip(columns, map(text_of, row.cells), strict=True))
            try:
                if row.trouble:
                    raise ValueError(row.trouble)
                if cells["taxon"].strip():
                    yield cells["taxon"].strip(), _leaflet(cells)
            except ValueError as error:
                troubles.append(f"{path.name}, row {row.number}: {error}")


def _leaflet(cells: Mapping[str, str]) -> Leaflet:
    language = cells.get("language", "").strip() or USUAL
    if not _LANGUAGE.fullmatch(language):
        raise ValueError(f"{language!r} is no language")

    def told(column: str) -> tuple[tuple[str, str], ...]:
        return ((language, cells[column].strip()),) if cells.get(column, "").strip() else ()

    def several(column: str) -> tuple[str, ...]:
        return tuple(one.strip() for one in cells.get(column, "").split(";") if one.strip())

    links = [one.rpartition("|") for one in several("links")]
    addresses = [*several("pictures"), *(address for _, _, address in links)]
    if wrong := [one for one in addresses if not one.strip().startswith(("https://", "http://"))]:
        raise ValueError(f"{wrong[0]!r} is no address")
    return Leaflet(
        texts=told("text"),
        distribution=told("distribution"),
        size_mm=span(cells.get("size_mm", "")),
        years=span(cells.get("years", "")),
        similar=several("similar"),
        pictures=several("pictures"),
        links=tuple((label.strip() or address.strip(), address.strip()) for label, _, address in links),
    )


def _joined(own: tuple[T, ...], other: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*own, *other)))
