"""Arrays on their way into the file of an index. In: what was read. Out: sections, in their final order.

Rows are put into the order of their folded names, so that homonyms and the species of a genus stand together; parents,
accepted names and vernacular names become row numbers.
"""

import mmap
from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy

from linkeddata.nameindex import keys
from linkeddata.nameindex.layout import NO_ROW, Array, IndexWriter
from linkeddata.nameindex.masks import letters, mask
from linkeddata.nameindex.reading import BROKEN_KEPT, PIECE, PREFIX_BYTES, Reading, as_numbers
from linkeddata.nameindex.sources import BrokenRow, Source
from linkeddata.nameindex.statuses import ACCEPTED, IMPLICIT, is_synonym_code

SMALL_FIELDS = ("name_length", "rank", "status", "source", "shape")
"""What a row says in one byte each."""


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


class Writing:
    """Arrays on their way into the file, in their final order."""

    def __init__(
        self, reading: Reading, sources: list[Source], here: Path, progress: Callable[[str, int], None]
    ) -> None:
        self.reading, self.sources, self.here, self.progress = reading, sources, here, progress
        self.order = self.ancestors = numpy.zeros(0, dtype=numpy.uint32)
        """Rows as they were read, in their final order; and the final rows that others stand below."""

    def write(self, writer: IndexWriter) -> dict[str, int]:
        columns = self.reading.columns
        self.progress("sort", 0)
        refs = as_numbers(columns.ref)
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

        status = as_numbers(columns.status)[order]
        self._write_rows(writer, order, find, status)
        matchable = status != IMPLICIT
        hashes = as_numbers(columns.hash)[order]
        columns.hash = array("Q")
        alone = self._write_runs(writer, hashes, matchable)
        self._write_full_names(writer, as_numbers(columns.full_hash)[order], alone)
        columns.full_hash = array("Q")
        self._write_epithets(writer, as_numbers(columns.epithets)[order], hashes, matchable)
        crosswalked = self._write_keys(writer, as_numbers(columns.key)[order], find, matchable)
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
        lengths = as_numbers(columns.length)[order]
        starts = _narrow(_starts(lengths))
        parents = find.rows(as_numbers(columns.parent)[order])
        self.ancestors = numpy.unique(parents[parents != NO_ROW])
        fields = [("key", "<u8"), ("above", "<u4"), ("accepted", "<u4"), ("text_at", starts.dtype.str)]
        fields += [("text_length", "<u2"), *((name, "u1") for name in SMALL_FIELDS), ("spare", "u1")]
        rows = numpy.zeros(len(order), dtype=fields)
        rows["key"] = as_numbers(columns.key)[order]
        rows["above"] = self._above(parents)
        rows["accepted"] = find.rows(as_numbers(columns.accepted)[order])
        rows["text_at"] = starts
        rows["text_length"] = lengths
        rows["status"] = status
        for name in ("rank", "source", "name_length", "shape"):
            rows[name] = as_numbers(getattr(columns, name))[order]
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
        lengths = as_numbers(self.reading.columns.length)
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
        """Write the distinct first words in their order: where the rows of each begin, and its letters."""
        firsts, masks, hashes, letters_ = array("I"), array("Q"), array("Q"), array("I")
        words: list[bytes] = []
        word, after = b"\xff", b"\xff"
        for start in range(0, len(order), PIECE):
            for row, prefix in enumerate(prefixes[order[start : start + PIECE]].tolist(), start):
                if prefix == word or prefix.startswith(after):
                    continue
                word = prefix.partition(b" ")[0]
                after = word + b" "
                firsts.append(row)
                text = word.decode("utf-8", "ignore")  # the longest are cut off, maybe within a letter
                words.append(text.encode())
                masks.append(mask(text))
                letters_.append(letters(text))
                hashes.append(keys.hashed(text))
        writer.add("word_row", as_numbers(firsts))
        _write_strings(writer, "word_text", words)
        writer.add("word_mask", as_numbers(masks))
        writer.add("word_letters", as_numbers(letters_))
        by_hash = numpy.argsort(as_numbers(hashes)).astype(numpy.uint32)
        writer.add("word_hash", as_numbers(hashes)[by_hash])
        writer.add("word_number", by_hash)

    def _write_keys(self, writer: IndexWriter, own: Array, find: _Finder, matchable: Array) -> int:
        _write_order(writer, "key", numpy.where(matchable, own, 0).astype(numpy.uint64))
        crosswalked = 0
        for name, (refs, values) in self.reading.ids.items():
            given = numpy.zeros(len(own), dtype=numpy.uint64)
            at = find.rows(as_numbers(refs))
            given[at[at != NO_ROW]] = as_numbers(values)[at != NO_ROW]
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
        sources = as_numbers(self.reading.columns.source)[self.order[self.ancestors]]
        is_backbone = numpy.array([keys.namespace_of(source.checklist_key) == "gbif" for source in self.sources])
        chosen = numpy.where(is_backbone[sources], own[self.ancestors], given[self.ancestors])
        writer.add("ancestor_gbif", chosen.astype(numpy.uint64))

    def _take_pairs(self, own: Array, given: Array) -> int:
        """Fill in COL's ids by the backbone's keys, and say how many."""
        gbif, col = as_numbers(self.reading.pairs[0]), as_numbers(self.reading.pairs[1])
        by_key = numpy.argsort(gbif, kind="stable")
        at = numpy.minimum(numpy.searchsorted(gbif, own, sorter=by_key), len(gbif) - 1)
        hit = gbif[by_key[at]] == own
        given[hit] = col[by_key[at[hit]]]
        return int(hit.sum())

    def _write_texts(self, writer: IndexWriter, order: Array) -> None:
        lengths = as_numbers(self.reading.columns.length)
        starts = _starts(lengths)
        with (self.here / "t").open("rb") as file:
            writer.add_pieces("text", self._pieces(file, starts, lengths, order, "write"))

    def _pieces(self, file: BinaryIO, starts: Array, lengths: Array, order: Array, step: str) -> Iterator[bytes]:
        for begin in range(0, len(order), PIECE):
            rows = order[begin : begin + PIECE]
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
        rows = find.rows(as_numbers(reading.vernacular_ref))
        lost = int((rows == NO_ROW).sum())
        reading.broken_count += lost
        if lost and len(reading.broken) < BROKEN_KEPT:
            reading.broken.append(BrokenRow("vernacular names", 0, "no such usage", f"{lost} names"))
        known = numpy.flatnonzero(rows != NO_ROW)
        by_row = known[numpy.argsort(rows[known], kind="stable")]
        hashes = as_numbers(reading.vernacular_hash)[by_row]
        by_hash = numpy.argsort(hashes, kind="stable").astype(numpy.uint32)
        lengths = as_numbers(reading.vernacular_length)
        writer.add("spoken_row", rows[by_row])
        writer.add("spoken_language", as_numbers(reading.vernacular_language)[by_row])
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
            "checklist_key": first.checklist_key,
            "title": first.title,
            "moment": max(source.moment for source in self.sources),
            "usages": str(usages),
            "vernaculars": str(vernaculars),
            "sources": "\n".join(f"{source.title}\t{source.checklist_key}\t{source.moment}" for source in self.sources),
        }


def _canonical_in(text: str, length: int) -> str:
    """Return the canonical name in a text as it is kept: its beginning, or what follows the name with authorship."""
    return text[:length] if length else text.partition("\x1f")[2]


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


def _write_strings(writer: IndexWriter, name: str, texts: Sequence[str | bytes]) -> None:
    encoded = [text if isinstance(text, bytes) else text.encode() for text in texts]
    writer.add(f"{name}_end", _narrow(numpy.cumsum([len(text) for text in encoded], dtype=numpy.uint64)))
    writer.add_pieces(name, encoded)
