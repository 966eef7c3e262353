"""Build an index. In: checklists. Out: one file, written beside and moved into place when it is whole.

Usages are read once, as a stream: numbers go into arrays, texts into a file beside the index. Then everything is put
into the order of the folded names, so that homonyms and the species of a genus stand together, and parents, accepted
names and vernacular names become row numbers.
"""

from __future__ import annotations  # array[int] is a type for mypy only

import mmap
import os
import re
import tempfile
import time
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import nameparser
import numpy

from linkeddata.errors import UsageError
from linkeddata.ids import COL_XR, GBIF_BACKBONE
from linkeddata.nameindex import keys
from linkeddata.nameindex.layout import Array, IndexWriter
from linkeddata.nameindex.masks import mask
from linkeddata.nameindex.ranks import CODE, is_species_or_below, rank_of
from linkeddata.nameindex.shapes import shape_of
from linkeddata.nameindex.sources import BrokenRow, CrosswalkRow, Source, UsageRow, VernacularRow
from linkeddata.nameindex.spelling import folded, stemmed_epithets
from linkeddata.nameindex.statuses import ACCEPTED, IMPLICIT, is_synonym_code, status_code

BROKEN_KEPT = 1000
"""Broken rows that a report lists; all are counted."""
PREFIX_BYTES = 40
"""Bytes of a folded name that rows are sorted by."""
NO_ROW = 0xFFFFFFFF
SMALL_FIELDS = ("name_length", "rank", "status", "source", "shape")
"""What a row says in one byte each."""
VERSION = "2"

_SIMPLE_NAME = re.compile(r"[A-Z][a-zë]+(?:-[a-z]+)?(?: [a-zë]+(?:-[a-zë]+)*){0,2}")
_PIECE = 1 << 16
_TEXT_FIELDS = ("gbif", "col", "aphia", "item")


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


@dataclass
class _Columns:
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


class _Reading:
    """Rows on their way into the arrays."""

    def __init__(self, texts: BinaryIO, prefixes: BinaryIO, spoken: BinaryIO) -> None:
        self.columns = _Columns()
        self.texts, self.prefixes, self.spoken = texts, prefixes, spoken
        self.long_keys: dict[int, str] = {}
        self.named: dict[int, int] = {}  # a higher taxon by rank, name and kingdom, where it has no key
        self.implicit: dict[
            int, tuple[str, str, int, str, int]
        ] = {}  # higher taxa that are given but perhaps not listed
        self.leads_to: set[int] = set()  # those among them that are the accepted names of synonyms
        self.paths: dict[int, int] = {}
        self.ids: dict[str, tuple[array[int], array[int]]] = {f: (array("Q"), array("Q")) for f in _TEXT_FIELDS}
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
        listed = set(_unique(self.columns.ref).tolist()) if self.implicit else set()
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
        own.epithets.append(epithet_key(genus, rest) if blank else 0)
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
        reading = _read(listed, here, progress)
        if not reading.columns.key:
            raise UsageError(f"there are no names in {', '.join(str(source.path) for source in listed) or 'no source'}")
        with (here / "index").open("wb") as file:
            counts = _Writing(reading, listed, here, progress).write(IndexWriter(file))
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


def epithet_key(genus: str, epithets: str) -> int:
    """Return 32 bits for what two names share whose genera may differ but for the first letter."""
    return keys.hashed(f"{genus[:1]} {stemmed_epithets(epithets)}") & 0xFFFFFFFF or 1


def _read(sources: list[Source], here: Path, progress: Callable[[str, int], None]) -> _Reading:
    with (here / "t").open("wb") as texts, (here / "p").open("wb") as prefixes, (here / "v").open("wb") as spoken:
        reading = _Reading(texts, prefixes, spoken)
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
                if done % _PIECE == 0:
                    progress("read", done)
            reading.paths.clear()
        reading.add_implicit()
        progress("read", done)
    return reading


class _Writing:
    """Arrays on their way into the file, in their final order."""

    def __init__(
        self, reading: _Reading, sources: list[Source], here: Path, progress: Callable[[str, int], None]
    ) -> None:
        self.reading, self.sources, self.here, self.progress = reading, sources, here, progress
        self.order = self.ancestors = numpy.zeros(0, dtype=numpy.uint32)
        """Rows as they were read, in their final order; and the final rows that others stand below."""

    def write(self, writer: IndexWriter) -> dict[str, int]:
        columns = self.reading.columns
        self.progress("sort", 0)
        refs = _array(columns.ref)
        by_ref = numpy.argsort(refs, kind="stable").astype(numpy.uint32)
        kept = self._without_twins(refs, by_ref)
        prefixes = numpy.memmap(self.here / "p", dtype=f"S{PREFIX_BYTES}", mode="r", shape=(len(refs),))
        order = numpy.argsort(prefixes, kind="stable").astype(numpy.uint32)
        order = order[kept[order]]
        self.order = order
        place = numpy.full(len(refs), NO_ROW, dtype=numpy.uint32)
        place[order] = numpy.arange(len(order), dtype=numpy.uint32)
        self._write_words(writer, prefixes, order)
        del prefixes  # what is mapped counts as memory
        find = _Finder(refs, by_ref, place, self.reading.named)
        self.progress("sort", len(order))

        status = _array(columns.status)[order]
        self._write_rows(writer, order, find, status)
        matchable = status != IMPLICIT
        hashes = _array(columns.hash)[order]
        columns.hash = array("Q")
        alone = self._write_runs(writer, hashes, matchable)
        self._write_full_names(writer, _array(columns.full_hash)[order], alone)
        columns.full_hash = array("Q")
        self._write_epithets(writer, _array(columns.epithets)[order], hashes, matchable)
        crosswalked = self._write_keys(writer, _array(columns.key)[order], find, matchable)
        self._write_texts(writer, order)
        vernaculars = self._write_vernaculars(writer, find)
        usages = int(matchable.sum())
        synonyms = int(sum((status == code).sum() for code in range(256) if is_synonym_code(code)))
        writer.finish(self._about(usages, vernaculars))
        return {
            "usages": usages,
            "accepted": int((status == ACCEPTED).sum()),
            "synonyms": synonyms,
            "vernaculars": vernaculars,
            "crosswalked": crosswalked,
        }

    def _write_rows(self, writer: IndexWriter, order: Array, find: _Finder, status: Array) -> None:
        """Write what is known of each usage side by side, so that an answer looks at one place in the file."""
        columns = self.reading.columns
        lengths = _array(columns.length)[order]
        starts = _narrow(_starts(lengths))
        parents = find.rows(_array(columns.parent)[order])
        self.ancestors = numpy.unique(parents[parents != NO_ROW])
        fields = [("key", "<u8"), ("above", "<u4"), ("accepted", "<u4"), ("text_at", starts.dtype.str)]
        fields += [("text_length", "<u2"), *((name, "u1") for name in SMALL_FIELDS), ("spare", "u1")]
        rows = numpy.zeros(len(order), dtype=fields)
        rows["key"] = _array(columns.key)[order]
        rows["above"] = self._above(parents)
        rows["accepted"] = find.rows(_array(columns.accepted)[order])
        rows["text_at"] = starts
        rows["text_length"] = lengths
        rows["status"] = status
        for name in ("rank", "source", "name_length", "shape"):
            rows[name] = _array(getattr(columns, name))[order]
        writer.add("row", rows)
        columns.parent, columns.accepted = array("Q"), array("Q")
        self._write_ancestors(writer, order, rows)

    def _above(self, parents: Array) -> Array:
        """Return the number, among the ancestors, of each parent's row."""
        numbers = numpy.searchsorted(self.ancestors, parents).astype(numpy.uint32)
        return numpy.where(parents == NO_ROW, numpy.uint32(NO_ROW), numbers)

    def _write_ancestors(self, writer: IndexWriter, order: Array, rows: Array) -> None:
        """Write the taxa that others stand below close together: every answer names them, and they are few."""
        names = self._canonicals(order, self.ancestors, rows)
        sizes = numpy.array([len(name) for name in names], dtype=numpy.uint16)
        fields = [("ancestor_row", "<u4"), ("ancestor_above", "<u4"), ("ancestor_at", "<u4")]
        own = numpy.zeros(len(names), dtype=[*fields, ("ancestor_length", "<u2"), ("ancestor_rank", "u1")])
        own["ancestor_row"] = self.ancestors
        own["ancestor_above"] = rows["above"][self.ancestors]
        own["ancestor_at"] = _starts(sizes)
        own["ancestor_length"] = sizes
        own["ancestor_rank"] = rows["rank"][self.ancestors]
        writer.add("ancestor", own)
        writer.add_pieces("ancestor_text", names)

    def _canonicals(self, order: Array, chosen: Array, rows: Array) -> list[bytes]:
        """Return the canonical names of some rows."""
        lengths = _array(self.reading.columns.length)
        with (self.here / "t").open("rb") as file:
            texts = list(self._each(file, _starts(lengths), lengths, order[chosen]))
        own = zip(texts, rows["name_length"][chosen].tolist(), strict=True)
        return [_canonical_in(text.decode(), length).encode() for text, length in own]

    def _without_twins(self, refs: Array, by_ref: Array) -> Array:
        """Return which rows are kept: of rows with the same key only the first."""
        kept = numpy.ones(len(refs), dtype=bool)
        in_order = refs[by_ref]
        twins = by_ref[1:][in_order[1:] == in_order[:-1]]
        kept[twins] = False
        for row in twins.tolist():
            columns = self.reading.columns
            if columns.status[row] == IMPLICIT:
                continue
            source = self.sources[columns.source[row]].path.name
            key = self.reading.long_keys.get(columns.key[row]) or keys.unpacked(columns.key[row])
            self.reading.drop(BrokenRow(source, columns.line[row], "key twice", key))
        return kept

    def _write_full_names(self, writer: IndexWriter, hashes: Array, alone: Array) -> None:
        """Write the hash of each name with authorship whose name no other usage bears, and its row."""
        rows = alone[hashes[alone] != 0]
        by_hash = numpy.argsort(hashes[rows])
        writer.add("full_hash", hashes[rows][by_hash])
        writer.add("full_row", rows[by_hash])

    def _write_runs(self, writer: IndexWriter, hashes: Array, matchable: Array) -> Array:
        """Write, for each distinct name, its hash, the first of its rows and how many there are.

        Return the rows of names that one usage alone bears.
        """
        rows = numpy.flatnonzero(matchable).astype(numpy.uint32)
        own = hashes[rows]
        begins = numpy.ones(len(rows), dtype=bool)
        begins[1:] = own[1:] != own[:-1]
        first = rows[begins]
        starts = numpy.flatnonzero(begins)
        count = numpy.diff(numpy.append(starts, len(rows)))
        distinct = own[begins]
        by_hash = numpy.argsort(distinct)
        writer.add("name_hash", distinct[by_hash])
        runs = numpy.zeros(len(first), dtype=[("name_row", "<u4"), ("name_count", "<u2")])
        runs["name_row"] = first[by_hash]
        runs["name_count"] = numpy.minimum(count, 65535)[by_hash]
        writer.add("name_run", runs)
        alone: Array = first[count == 1]
        return alone

    def _write_epithets(self, writer: IndexWriter, epithets: Array, hashes: Array, matchable: Array) -> None:
        """Write, for each distinct name of more than one word, its epithets' hash and the first of its rows."""
        wanted = matchable & (epithets != 0)
        wanted[1:] &= ~((hashes[1:] == hashes[:-1]) & matchable[:-1])
        rows = numpy.flatnonzero(wanted).astype(numpy.uint32)
        by_hash = numpy.argsort(epithets[rows], kind="stable")
        writer.add("epithet_hash", epithets[rows][by_hash])
        writer.add("epithet_row", rows[by_hash])

    def _write_words(self, writer: IndexWriter, prefixes: Array, order: Array) -> None:
        """Write the distinct first words in their order: where the rows of each begin, its length and its letters."""
        firsts, lengths, masks, hashes = array("I"), array("B"), array("Q"), array("Q")
        word, after = b"\xff", b"\xff"
        for start in range(0, len(order), _PIECE):
            for row, prefix in enumerate(prefixes[order[start : start + _PIECE]].tolist(), start):
                if prefix == word or prefix.startswith(after):
                    continue
                word = prefix.partition(b" ")[0]
                after = word + b" "
                firsts.append(row)
                lengths.append(min(len(word), 255))
                text = word.decode("utf-8", "replace")
                masks.append(mask(text))
                hashes.append(keys.hashed(text))
        writer.add("word_row", _array(firsts))
        writer.add("word_length", _array(lengths))
        writer.add("word_mask", _array(masks))
        by_hash = numpy.argsort(_array(hashes)).astype(numpy.uint32)
        writer.add("word_hash", _array(hashes)[by_hash])
        writer.add("word_number", by_hash)

    def _write_keys(self, writer: IndexWriter, own: Array, find: _Finder, matchable: Array) -> int:
        _write_order(writer, "key", numpy.where(matchable, own, 0).astype(numpy.uint64))
        crosswalked = 0
        for name, (refs, values) in self.reading.ids.items():
            given = numpy.zeros(len(own), dtype=numpy.uint64)
            at = find.rows(_array(refs))
            given[at[at != NO_ROW]] = _array(values)[at != NO_ROW]
            if name == "col" and len(self.reading.pairs[0]):
                crosswalked = self._take_pairs(own, given)
            if name == "gbif":
                self._write_ancestor_keys(writer, own, given)
            if given.any():
                writer.add(name, given)
                _write_order(writer, name, given)
        texts = sorted(self.reading.long_keys.items())
        writer.add("long_key", numpy.array([number for number, _ in texts], dtype=numpy.uint64))
        _write_strings(writer, "long_key_text", [text for _, text in texts])
        return crosswalked

    def _write_ancestor_keys(self, writer: IndexWriter, own: Array, given: Array) -> None:
        """Write the backbone's key of each ancestor: its own where its checklist is the backbone."""
        sources = _array(self.reading.columns.source)[self.order[self.ancestors]]
        is_backbone = numpy.array([namespace_of(source.checklist_key) == "gbif" for source in self.sources])
        chosen = numpy.where(is_backbone[sources], own[self.ancestors], given[self.ancestors])
        writer.add("ancestor_gbif", chosen.astype(numpy.uint64))

    def _take_pairs(self, own: Array, given: Array) -> int:
        """Fill in COL's ids by the backbone's keys, and say how many."""
        gbif, col = _array(self.reading.pairs[0]), _array(self.reading.pairs[1])
        by_key = numpy.argsort(gbif, kind="stable")
        at = numpy.minimum(numpy.searchsorted(gbif, own, sorter=by_key), len(gbif) - 1)
        hit = gbif[by_key[at]] == own
        given[hit] = col[by_key[at[hit]]]
        return int(hit.sum())

    def _write_texts(self, writer: IndexWriter, order: Array) -> None:
        lengths = _array(self.reading.columns.length)
        starts = _starts(lengths)
        with (self.here / "t").open("rb") as file:
            writer.add_pieces("text", self._pieces(file, starts, lengths, order, "write"))

    def _pieces(self, file: BinaryIO, starts: Array, lengths: Array, order: Array, step: str) -> Iterator[bytes]:
        for begin in range(0, len(order), _PIECE):
            rows = order[begin : begin + _PIECE]
            yield b"".join(self._each(file, starts, lengths, rows))
            if step:
                self.progress(step, begin + len(rows))

    def _each(self, file: BinaryIO, starts: Array, lengths: Array, rows: Array) -> list[bytes]:
        """Return the texts of some rows, as they were read."""
        if not len(rows) or not lengths.any():
            return [b""] * len(rows)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:  # what is mapped for long counts as memory
            places = zip(starts[rows].tolist(), lengths[rows].tolist(), strict=True)
            return [whole[at : at + size] for at, size in places]

    def _write_vernaculars(self, writer: IndexWriter, find: _Finder) -> int:
        reading = self.reading
        rows = find.rows(_array(reading.vernacular_ref))
        lost = int((rows == NO_ROW).sum())
        reading.broken_count += lost
        if lost and len(reading.broken) < BROKEN_KEPT:
            reading.broken.append(BrokenRow("vernacular names", 0, "no such usage", f"{lost} names"))
        known = numpy.flatnonzero(rows != NO_ROW)
        by_row = known[numpy.argsort(rows[known], kind="stable")]
        hashes = _array(reading.vernacular_hash)[by_row]
        by_hash = numpy.argsort(hashes, kind="stable").astype(numpy.uint32)
        lengths = _array(reading.vernacular_length)
        writer.add("spoken_row", rows[by_row])
        writer.add("spoken_language", _array(reading.vernacular_language)[by_row])
        writer.add("spoken_end", _ends(lengths[by_row]))
        writer.add("spoken_hash", hashes[by_hash])
        writer.add("spoken_at", by_hash)
        with (self.here / "v").open("rb") as file:
            writer.add_pieces("spoken_text", self._pieces(file, _starts(lengths), lengths, by_row, ""))
        _write_strings(writer, "languages", list(reading.languages)[:256])
        return len(known)

    def _about(self, usages: int, vernaculars: int) -> dict[str, str]:
        first = self.sources[0]
        return {
            "version": VERSION,
            "checklist_key": first.checklist_key,
            "title": first.title,
            "moment": max(source.moment for source in self.sources),
            "usages": str(usages),
            "vernaculars": str(vernaculars),
            "sources": "\n".join(f"{source.title}\t{source.checklist_key}\t{source.moment}" for source in self.sources),
        }


class _Finder:
    """Turns references into row numbers."""

    def __init__(self, refs: Array, by_ref: Array, place: Array, named: dict[int, int]) -> None:
        self._refs, self._by_ref, self._place, self._named = refs, by_ref, place, named

    def rows(self, wanted: Array) -> Array:
        """Return the row of each reference, ``NO_ROW`` where there is none."""
        if not len(wanted):
            return numpy.zeros(0, dtype=numpy.uint32)
        found = self._look_up(wanted)
        if self._named:
            open_ = numpy.flatnonzero((found == NO_ROW) & (wanted != 0))
            renamed = numpy.array([self._named.get(ref, 0) for ref in wanted[open_].tolist()], dtype=numpy.uint64)
            found[open_] = self._look_up(renamed) if len(renamed) else found[open_]
        return found

    def _look_up(self, wanted: Array) -> Array:
        found = numpy.full(len(wanted), NO_ROW, dtype=numpy.uint32)
        for start in range(0, len(wanted), 1 << 20):  # in pieces, to keep the memory small
            part = wanted[start : start + (1 << 20)]
            at = numpy.minimum(numpy.searchsorted(self._refs, part, sorter=self._by_ref), len(self._refs) - 1)
            rows = self._by_ref[at]
            hit = (self._refs[rows] == part) & (part != 0)
            found[start : start + len(part)][hit] = self._place[rows[hit]]
        return found


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


def _canonical_in(text: str, length: int) -> str:
    """Return the canonical name in a text as it is kept: its beginning, or what follows the name with authorship."""
    return text[:length] if length else text.partition("\x1f")[2]


def _array(values: array[int]) -> Array:
    types = {"Q": numpy.uint64, "I": numpy.uint32, "H": numpy.uint16, "B": numpy.uint8}
    return (
        numpy.frombuffer(values, dtype=types[values.typecode])
        if len(values)
        else numpy.zeros(0, dtype=types[values.typecode])
    )


def _unique(values: array[int]) -> Array:
    return numpy.unique(_array(values))


def _ends(lengths: Array) -> Array:
    return _narrow(numpy.cumsum(lengths, dtype=numpy.uint64))


def _narrow(places: Array) -> Array:
    """Return places, which grow, in four bytes each where they fit."""
    return places.astype(numpy.uint32) if not len(places) or places[-1] < 1 << 32 else places


def _starts(lengths: Array) -> Array:
    starts = numpy.zeros(len(lengths), dtype=numpy.uint64)
    numpy.cumsum(lengths[:-1], out=starts[1:], dtype=numpy.uint64)
    return starts


def _write_order(writer: IndexWriter, name: str, values: Array) -> None:
    known = numpy.flatnonzero(values).astype(numpy.uint32)
    writer.add(f"{name}_order", known[numpy.argsort(values[known], kind="stable")])


def _write_strings(writer: IndexWriter, name: str, texts: list[str]) -> None:
    encoded = [text.encode() for text in texts]
    writer.add(f"{name}_end", numpy.cumsum([len(text) for text in encoded], dtype=numpy.uint64))
    writer.add_pieces(name, encoded)


def namespace_of(checklist_key: str) -> str:
    """Return which of the project's ids the keys of a checklist are: ``gbif``, ``col`` or none."""
    return {GBIF_BACKBONE: "gbif", COL_XR: "col"}.get(checklist_key, "")
