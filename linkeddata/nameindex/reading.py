"""Rows of checklists on their way into arrays. In: sources. Out: ``Reading``, a column each, texts in files beside.

Everything is read once, as a stream. What a row refers to (its parent, its accepted name) is kept as a number that
``writing`` turns into a row.
"""

from __future__ import annotations  # array[int] is a type for mypy only

import re
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import nameparser
import numpy

from linkeddata.nameindex import keys
from linkeddata.nameindex.layout import Array
from linkeddata.nameindex.ranks import CODE, is_species_or_below, rank_of
from linkeddata.nameindex.shapes import shape_of
from linkeddata.nameindex.sources import BrokenRow, CrosswalkRow, Source, UsageRow, VernacularRow
from linkeddata.nameindex.spelling import folded
from linkeddata.nameindex.statuses import ACCEPTED, IMPLICIT, is_synonym_code, status_code

BROKEN_KEPT = 1000
"""Broken rows that a report lists; all are counted."""
PREFIX_BYTES = 40
"""Bytes of a folded name that rows are sorted by."""
PIECE = 1 << 16
"""Rows worked on before progress is told."""
ID_FIELDS = ("gbif", "col", "aphia", "item")

_SIMPLE_NAME = re.compile(r"[A-Z][a-zë]+(?:-[a-z]+)?(?: [a-zë]+(?:-[a-zë]+)*){0,2}")


@dataclass
class Columns:
    """What was read, a row an entry, in the order read."""

    ref: array[int] = field(default_factory=lambda: array("Q"))  # what parents and accepted names refer to
    key: array[int] = field(default_factory=lambda: array("Q"))
    parent: array[int] = field(default_factory=lambda: array("Q"))
    accepted: array[int] = field(default_factory=lambda: array("Q"))
    hash: array[int] = field(default_factory=lambda: array("Q"))
    full_hash: array[int] = field(default_factory=lambda: array("Q"))  # of the name with authorship; 0 without
    epithets: array[int] = field(default_factory=lambda: array("I"))
    length: array[int] = field(default_factory=lambda: array("H"))  # bytes of the text
    line: array[int] = field(default_factory=lambda: array("I"))
    name_length: array[int] = field(default_factory=lambda: array("B"))
    rank: array[int] = field(default_factory=lambda: array("B"))
    status: array[int] = field(default_factory=lambda: array("B"))
    source: array[int] = field(default_factory=lambda: array("B"))
    shape: array[int] = field(default_factory=lambda: array("B"))


class Reading:
    """Rows on their way into the arrays."""

    def __init__(self, texts: BinaryIO, prefixes: BinaryIO, spoken: BinaryIO) -> None:
        self.columns = Columns()
        self.texts, self.prefixes, self.spoken = texts, prefixes, spoken
        self.long_keys: dict[int, str] = {}
        self.named: dict[int, int] = {}  # a higher taxon by rank, name and kingdom, where it has no key
        self.implicit: dict[
            int, tuple[str, str, int, str, int]
        ] = {}  # higher taxa that are given but perhaps not listed
        self.leads_to: set[int] = set()  # those among them that are the accepted names of synonyms
        self.paths: dict[int, int] = {}
        self.ids: dict[str, tuple[array[int], array[int]]] = {f: (array("Q"), array("Q")) for f in ID_FIELDS}
        self.pairs = (array("Q"), array("Q"))
        self.vernacular_ref, self.vernacular_hash = array("Q"), array("Q")
        self.vernacular_length, self.vernacular_language = array("H"), array("B")
        self.languages: dict[str, int] = {"": 0}
        self.broken: list[BrokenRow] = []
        self.broken_count = 0
        self.number = 0  # of the source

    def drop(self, row: BrokenRow) -> None:
        self.broken_count += 1
        if len(self.broken) < BROKEN_KEPT:
            self.broken.append(row)

    def add_usage(self, row: UsageRow, source: str) -> None:
        name, canonical = _names(row)
        if not canonical:
            self.drop(BrokenRow(source, row.line, "no name", row.name[:200]))
            return
        rank = rank_of(row.rank) if row.rank else ""
        status = status_code(row.status)
        ref = self._ref(row.key)
        parent, accepted = self._related(row, canonical, rank, ref, is_synonym_code(status))
        if accepted and status == ACCEPTED:
            status = status_code("SYNONYM")
        self._append(name, canonical, (ref, self._key(row.key), parent, accepted), rank, status, row.line)
        if rank and CODE[rank] <= CODE["GENUS"] and row.higher:
            self.named[self._name_ref(rank, canonical, _kingdom(row))] = ref
        for field_, (refs, values) in self.ids.items():
            if given := getattr(row, field_):
                refs.append(ref)
                values.append(self._key(given))

    def add_vernacular(self, row: VernacularRow) -> None:
        text = row.name.encode("utf-8", "replace")[:1000]
        language = self.languages.setdefault(row.language.lower()[:20], len(self.languages))
        self.spoken.write(text)
        self.vernacular_ref.append(self._ref(row.key))
        self.vernacular_hash.append(keys.hashed(folded(row.name)))
        self.vernacular_length.append(len(text))
        self.vernacular_language.append(language if language < 256 else 0)

    def add_pair(self, row: CrosswalkRow) -> None:
        self.pairs[0].append(self._key(row.gbif))
        self.pairs[1].append(self._key(row.col))

    def add_implicit(self) -> None:
        """Add the higher taxa that were given beside usages and are not listed themselves: known as ancestors only."""
        listed = set(numpy.unique(as_numbers(self.columns.ref)).tolist()) if self.implicit else set()
        # those that can be answered first, so that the rows of a name that can be stand together
        given = sorted(self.implicit.items(), key=lambda taxon: taxon[0] not in self.leads_to)
        for ref, (rank, name, parent, key, number) in given:
            if ref in listed or ref in self.named:
                continue
            self.number = number
            shown = self._key(key) if key else keys.NO_KEY
            status = ACCEPTED if ref in self.leads_to else IMPLICIT
            self._append(name, name, (ref, shown, parent, 0), rank, status)

    def _append(
        self, name: str, canonical: str, refs: tuple[int, int, int, int], rank: str, status: int, line: int = 0
    ) -> None:
        ref, key, parent, accepted = refs
        own = self.columns
        low = folded(canonical)
        starts = name.startswith(canonical) and len(canonical) < 256
        text = (name if starts else f"{name}\x1f{canonical}").encode("utf-8", "replace")[:65535]
        genus, blank, rest = low.partition(" ")
        self.texts.write(text)
        self.prefixes.write(low.encode("utf-8", "replace")[:PREFIX_BYTES].ljust(PREFIX_BYTES, b"\0"))
        own.ref.append(ref)
        own.key.append(key)
        own.parent.append(parent)
        own.accepted.append(accepted)
        own.hash.append(keys.hashed(low))
        own.full_hash.append(keys.hashed(folded(name)) if len(name) > len(canonical) else 0)
        own.epithets.append(keys.epithet_key(genus, rest) if blank else 0)
        own.length.append(len(text))
        own.line.append(line & 0xFFFFFFFF)
        own.name_length.append(len(canonical) if starts else 0)
        own.rank.append(CODE[rank] if rank else CODE["UNRANKED"])
        own.status.append(status)
        own.source.append(self.number)
        own.shape.append(shape_of(name, canonical))

    def _related(self, row: UsageRow, canonical: str, rank: str, ref: int, synonym: bool) -> tuple[int, int]:
        """Return what the row refers to as its parent and as its accepted name."""
        accepted = self._ref(row.accepted) if row.accepted and row.accepted != row.key else 0
        if row.parent or not row.higher:
            return (self._ref(row.parent) if row.parent and row.parent != row.key else 0), accepted
        own = CODE[rank] if rank else CODE["UNRANKED"]
        kingdom = _kingdom(row)
        above = [
            step
            for step in row.higher
            if not (step[2] and step[2] == row.key)
            and (CODE[step[0]] < own or (synonym and CODE[step[0]] == own))
            and not (step[1] == canonical and not step[2])
        ]
        if not above:
            return 0, accepted
        lowest = self._path(above, kingdom)
        same = above[-1][0] == rank or (above[-1][0] == "SPECIES" and is_species_or_below(rank))
        if synonym and not accepted and same:
            return 0, self._as_listed(above, kingdom)
        return lowest, accepted

    def _path(self, above: list[tuple[str, str, str]], kingdom: str) -> int:
        """Note a chain of higher taxa, and return the reference of the lowest.

        What a row says of its own classification holds for that row, so that a taxon with a key stands once for each
        chain it is given in; those without keys are the listed taxa of that rank and name.
        """
        seen = keys.hashed(f"{self.number}\x1f{above}")
        if seen in self.paths:
            return self.paths[seen]
        ref, chain = 0, f"{self.number}"
        for rank, name, key in above:
            chain = f"{chain}\x1f{rank}\x1f{key}\x1f{name}"
            parent, ref = ref, keys.hashed(chain) if key else self._name_ref(rank, name, kingdom)
            self.implicit.setdefault(ref, (rank, name, parent, key, self.number))
        self.paths[seen] = ref
        return ref

    def _as_listed(self, above: list[tuple[str, str, str]], kingdom: str) -> int:
        """Return the reference of the lowest of these taxa as a row of the checklist, which it may or may not be."""
        rank, name, key = above[-1]
        if not key:
            return self._path(above, kingdom)
        ref = self._ref(key)
        self.leads_to.add(ref)
        if ref not in self.implicit:
            parent = self._path(above[:-1], kingdom) if len(above) > 1 else 0
            self.implicit[ref] = (rank, name, parent, key, self.number)
        return ref

    def _name_ref(self, rank: str, name: str, kingdom: str) -> int:
        return keys.hashed(f"{self.number}\x1f{rank}\x1f{folded(name)}\x1f{kingdom}")

    def _ref(self, key: str) -> int:
        number = self._key(key)
        return number ^ (self.number * 0x9E3779B97F4A7C15 & 0x1FFFFFFFFFFFFFFF) if self.number else number

    def _key(self, key: str) -> int:
        number = keys.packed(key)
        if keys.is_hashed(number):
            self.long_keys[number] = key
        return number


def read_sources(sources: list[Source], here: Path, progress: Callable[[str, int], None]) -> Reading:
    with (here / "t").open("wb") as texts, (here / "p").open("wb") as prefixes, (here / "v").open("wb") as spoken:
        reading = Reading(texts, prefixes, spoken)
        done = 0
        for number, source in enumerate(sources):
            reading.number = number
            for row in source.rows():
                match row:
                    case UsageRow():
                        reading.add_usage(row, source.path.name)
                    case VernacularRow():
                        reading.add_vernacular(row)
                    case CrosswalkRow():
                        reading.add_pair(row)
                    case BrokenRow():
                        reading.drop(row)
                done += 1
                if done % PIECE == 0:
                    progress("read", done)
            reading.paths.clear()
        reading.add_implicit()
        progress("read", done)
    return reading


def _names(row: UsageRow) -> tuple[str, str]:
    """Return a usage's name with authorship, and its canonical form."""
    name = " ".join(row.name.split())
    authorship = " ".join(row.authorship.split())
    bare = name.removesuffix(authorship).strip() if authorship else name
    if authorship and bare == name:
        name = f"{name} {authorship}"
    given = " ".join(row.canonical.split())
    if any(step[0] == "KINGDOM" and step[1] == "Viruses" for step in row.higher):
        return name, name
    if given:
        return name, given
    if _SIMPLE_NAME.fullmatch(bare):
        return name, bare
    return name, canonical_of(name) or bare


def canonical_of(name: str) -> str:
    """Return the canonical form of a name with authorship, ``""`` where GBIF's parser sees no name.

    >>> canonical_of("Python molurus subsp. bivittatus Kuhl, 1820"), canonical_of("BOLD:AAX3687")
    ('Python molurus bivittatus', '')
    """
    try:
        parsed = nameparser.parse(name)
    except nameparser.UnparsableNameError:
        return ""
    if isinstance(parsed, nameparser.Informal):
        return ""
    return parsed.canonical_name_minimal() or ""


def _kingdom(row: UsageRow) -> str:
    return row.higher[0][1] if row.higher and row.higher[0][0] == "KINGDOM" else ""


def as_numbers(values: array[int]) -> Array:
    types = {"Q": numpy.uint64, "I": numpy.uint32, "H": numpy.uint16, "B": numpy.uint8}
    return (
        numpy.frombuffer(values, dtype=types[values.typecode])
        if len(values)
        else numpy.zeros(0, dtype=types[values.typecode])
    )
