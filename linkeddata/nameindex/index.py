"""Open an index. In: the path of a file that ``build`` wrote. Out: ``NameIndex``, memory-mapped and read-only.

Names are rows in the order of their folded spelling. A look-up by name is a search in a sorted array of hashes, done
for thousands of names at once; texts are cut out of the map when an answer needs them.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import isqrt
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy

from linkeddata.nameindex import keys
from linkeddata.nameindex.layout import NO_ROW, Array, MappedFile
from linkeddata.nameindex.masks import BITS_PER_EDIT, LETTERS_PER_EDIT, letters, mask
from linkeddata.nameindex.ranks import LINNEAN, RANKS
from linkeddata.nameindex.spelling import folded
from linkeddata.nameindex.statuses import IMPLICIT, STATUSES, is_synonym_code
from linkeddata.records import Ancestor

DEEPEST = 60
"""Steps that a classification may have; more are a circle."""
CACHED = 100_000
"""Classifications kept in memory; then the cache begins anew."""
LONGEST_LETTER = 4
"""Bytes of a letter in UTF-8, at most."""
LONGEST_CHAIN = 5
"""Synonyms of synonyms that are followed."""
NAMES_KEPT = 4096
"""Names whose rows are kept in memory."""
_DECIMAL = 1 << 62
SOUGHT_AT_ONCE = 4096
"""Hashes looked for before a look at the memory that they have taken."""
AT_ONCE = 64
"""Entries read before a look at the memory that they have taken."""
NAMESPACES = ("gbif", "col", "aphia", "item")

_LINNEAN_PLACE = {RANKS.index(rank): place for place, rank in enumerate(LINNEAN)}
_LOWER = tuple("" if rank == "UNRANKED" else rank.lower() for rank in RANKS)


class NameIndex:
    """A read-only index of names; cheap to open, and processes that open the same file share its memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = MappedFile(path)
        self.arrays = self._file.arrays
        self.about = self._file.about
        self._map, self._text_at = self._file.section("text")
        self._ancestors_at = self._file.section("ancestor_text")[1]
        self._words_at = self._file.section("word_text")[1]
        self._spoken_at = self._file.section("spoken_text")[1]
        self._long_at = self._file.section("long_key_text")[1]
        self.languages = self._strings("languages")
        origins = [line.split("\t") for line in self.about["sources"].split("\n")]
        self.checklists = [origin[1] for origin in origins]
        self.moments = [origin[2] for origin in origins]
        self._spaces = [keys.namespace_of(key) for key in self.checklists]
        self._of_space = {
            space: numpy.array([own == space for own in self._spaces]) for space in dict.fromkeys(self._spaces) if space
        }
        self._lineages: dict[int, tuple[Ancestor, ...]] = {}
        self._linnean: dict[int, tuple[str, ...]] = {}
        self._named: dict[str, tuple[int, ...]] = {}
        self._letters: dict[str, tuple[int, int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._lineages.clear()
        self._linnean.clear()
        self.arrays = {}
        self._file.close()

    def __len__(self) -> int:
        """Return how many usages can be answered."""
        return int(self.about["usages"])

    def trim(self) -> None:
        """Give memory back that holds parts of the file, if it is much; they are read again when needed."""
        self._file.trim()

    # ---- rows by name ---------------------------------------------------------------------------------------------

    def find(self, hashes: Array) -> tuple[Array, Array]:
        """Return, for the hashes of many folded names, the first row of each and how many rows it has; 0 for none."""
        first, count = numpy.zeros(len(hashes), dtype=numpy.int64), numpy.zeros(len(hashes), dtype=numpy.int64)
        for places, at in self._found("name_hash", hashes):
            first[places], count[places] = self.arrays["name_row"][at], self.arrays["name_count"][at]
        return first, count

    def find_full(self, hashes: Array) -> Array:
        """Return, for the hashes of many folded names with authorship, the row of each; -1 for none.

        Only usages whose canonical name no other bears are found in this way.
        """
        rows = numpy.full(len(hashes), -1)
        for places, at in self._found("full_hash", hashes):
            rows[places] = self.arrays["full_row"][at]
        return rows

    def rows_named(self, name: str) -> Sequence[int]:
        """Return the rows whose folded canonical name is this; asked again, as names are, from memory."""
        rows = self._named.get(name)
        if rows is None:
            if len(self._named) >= NAMES_KEPT:
                self._named.clear()
            rows = self._named[name] = tuple(self._rows_named(name))
        return rows

    def _rows_named(self, name: str) -> Iterator[int]:
        known = self.arrays["name_hash"]
        wanted = keys.hashed(name)
        at = _place(known, wanted)
        while at < len(known) and int(known[at]) == wanted:
            first = int(self.arrays["name_row"][at])
            yield from range(first, first + int(self.arrays["name_count"][at]))
            at += 1

    def knows(self, name: str) -> bool:
        """Say whether a folded canonical name is in the index."""
        return bool(self.rows_named(name))

    def names_with_epithets(self, epithet_key: int) -> list[str]:
        """Return the canonical names with these epithets and a genus that begins alike."""
        known = self.arrays["epithet_hash"]
        begin, end = _place(known, epithet_key), _place(known, epithet_key + 1)
        rows = self.arrays["epithet_row"][begin:end].astype(numpy.int64)
        return self.texts(self.entries(rows))[1] if len(rows) else []

    def words_like(self, word: str, at_most: int) -> list[tuple[int, str]]:
        """Return first words that begin alike and may be within ``at_most`` edits of ``word``: number and word."""
        begin, end = self._words_beginning(word[:1])
        others = numpy.bitwise_count(self.arrays["word_letters"][begin:end] ^ numpy.uint32(letters(word)))
        numbers = numpy.flatnonzero(others <= at_most * LETTERS_PER_EDIT) + begin
        pairs = numpy.bitwise_count(self.arrays["word_mask"][numbers] ^ numpy.uint64(mask(word)))
        numbers = numbers[pairs <= at_most * BITS_PER_EDIT]
        ends = self.arrays["word_text_end"]
        stops = ends[numbers].astype(numpy.int64)
        starts = numpy.where(numbers > 0, ends[numbers - 1], 0).astype(numpy.int64)
        near = numpy.abs(stops - starts - len(word.encode())) <= at_most * LONGEST_LETTER
        told = zip(numbers[near].tolist(), starts[near].tolist(), stops[near].tolist(), strict=True)
        base = self._words_at
        return [(number, self._map[base + at : base + to].decode()) for number, at, to in told]

    def word_number(self, word: str) -> int:
        """Return the number of a first word, -1 where no name begins with it."""
        known = self.arrays["word_hash"]
        wanted = keys.hashed(word)
        at = _place(known, wanted)
        return int(self.arrays["word_number"][at]) if at < len(known) and known[at] == wanted else -1

    def rows_of_word(self, number: int) -> tuple[int, int]:
        """Return where the rows of a first word begin and end."""
        rows = self.arrays["word_row"]
        end = int(rows[number + 1]) if number + 1 < len(rows) else len(self.arrays["status"])
        return int(rows[number]), end

    def names_from(self, first: int, end: int) -> list[str]:
        """Return the canonical names of the rows from ``first`` up to ``end``."""
        rows = self._file.rows("row", numpy.arange(first, end))
        begin, stop = int(rows["text_at"][0]), int(rows["text_at"][-1]) + int(rows["text_length"][-1])
        whole = self._map[self._text_at + begin : self._text_at + stop]
        starts = (rows["text_at"] - rows["text_at"][0]).tolist()
        told = zip(starts, rows["text_length"].tolist(), rows["name_length"].tolist(), strict=True)
        return [_cut(whole[at : at + size].decode(), length)[1] for at, size, length in told]

    def names_starting(self, prefix: str, limit: int = 10) -> list[str]:
        """Return canonical names that start with ``prefix``, in order: for suggestions while typing."""
        wanted = folded(prefix)
        row, found = self._row_from(wanted), dict[str, None]()
        while row < len(self.arrays["status"]) and len(found) < limit:
            name = self.canonical(row)
            if not folded(name).startswith(wanted):
                break
            if self.arrays["status"][row] != IMPLICIT:
                found[name] = None
            row += 1
        return list(found)

    # ---- rows by key ----------------------------------------------------------------------------------------------

    def row_of_id(self, namespace: str, key: str) -> int:
        """Return the row with an identifier, -1 for none. Namespaces: gbif, col, aphia, item, and "" for own keys."""
        number = keys.packed(key)
        if namespace in ("", *self._spaces):
            row = self._row_with("key", number)
            if row >= 0 and (not namespace or self._spaces[int(self.arrays["source"][row])] == namespace):
                return row
        return self._row_with(namespace, number) if namespace else -1

    # ---- what a row says ------------------------------------------------------------------------------------------

    def text(self, row: int) -> tuple[str, str]:
        """Return a row's name with authorship, and its canonical name."""
        start = self._text_at + int(self.arrays["text_at"][row])
        text = self._map[start : start + int(self.arrays["text_length"][row])].decode()
        return _cut(text, int(self.arrays["name_length"][row]))

    def canonical(self, row: int) -> str:
        return self.text(row)[1]

    def key(self, row: int) -> str:
        """Return a row's key in its own checklist."""
        return self._shown(int(self.arrays["key"][row]))

    def rank(self, row: int) -> str:
        return RANKS[self.arrays["rank"][row]]

    def status(self, row: int) -> str:
        return STATUSES[self.arrays["status"][row]]

    def is_synonym(self, row: int) -> bool:
        return is_synonym_code(int(self.arrays["status"][row]))

    def accepted(self, row: int) -> int:
        """Return the row of the accepted name; of an accepted name, or a synonym that leads nowhere, the row itself."""
        for _ in range(LONGEST_CHAIN):
            leads_to = int(self.arrays["accepted"][row])
            if leads_to in (NO_ROW, row):
                return row
            row = leads_to
        return row

    def id_in(self, namespace: str, row: int) -> str:
        """Return a row's identifier elsewhere (gbif, col, aphia, item), ``""`` where the index has none."""
        if self._spaces[self.arrays["source"][row]] == namespace:
            return self.key(row)
        values = self.arrays.get(namespace)
        return self._shown(int(values[row])) if values is not None else ""

    def checklist(self, row: int) -> tuple[str, str]:
        """Return the checklistKey of a row and the date its checklist was read."""
        return self.checklist_of(int(self.arrays["source"][row]))

    def checklist_of(self, source: int) -> tuple[str, str]:
        """Return the checklistKey of a source, by its number, and the date it was read."""
        return self.checklists[source], self.moments[source]

    def lineage(self, row: int) -> tuple[Ancestor, ...]:
        """Return the ancestors of a row from the root down, itself not included."""
        return self.lineage_from(int(self.arrays["above"][row]))

    def lineage_from(self, number: int) -> tuple[Ancestor, ...]:
        """Return the lineage of what stands right below an ancestor, by the ancestor's number."""
        known = self._lineages
        if number in known or number == NO_ROW:
            return known.get(number, ())
        if len(known) > CACHED:
            known.clear()
        chain: list[int] = []
        while number != NO_ROW and number not in known and number not in chain and len(chain) < DEEPEST:
            chain.append(number)
            number = int(self.arrays["ancestor_above"][number])
        lineage = known.get(number, ())
        for number in reversed(chain):
            lineage = known[number] = (*lineage, self._step(number))
        return lineage

    def _step(self, number: int) -> Ancestor:
        """Return an ancestor by its number."""
        start = self._ancestors_at + int(self.arrays["ancestor_at"][number])
        name = self._map[start : start + int(self.arrays["ancestor_length"][number])].decode()
        key = self._shown(int(self.arrays["ancestor_gbif"][number]))
        return Ancestor(_LOWER[self.arrays["ancestor_rank"][number]], name, key)

    def know_lineages(self, above: Array) -> None:
        """Read the lineages that end in these ancestors, those that are not known yet, together."""
        known = self._lineages
        if len(known) > CACHED:
            known.clear()
        wanted: dict[int, int] = {}  # ancestors that have to be read, lower ones first, and what is above each
        fresh = [number for number in numpy.unique(above).tolist() if number != NO_ROW and number not in known]
        while fresh:
            further = self.arrays["ancestor_above"][fresh].tolist()
            wanted |= dict(zip(fresh, further, strict=True))
            fresh = [n for n in dict.fromkeys(further) if n != NO_ROW and n not in known and n not in wanted]
        steps = self._steps(list(wanted)) if wanted else {}
        for number in reversed(wanted):  # higher ones first, so that what is above is known, but for a few
            base = known.get(wanted[number], () if wanted[number] == NO_ROW else None)
            if base is not None:
                known[number] = (*base, steps[number])
        for number in wanted.keys() - known.keys():
            self.lineage_from(number)

    def _steps(self, numbers: list[int]) -> dict[int, Ancestor]:
        """Return ancestors by their numbers."""
        own = self._file.rows("ancestor", numpy.array(numbers, dtype=numpy.int64))
        starts = own["ancestor_at"].astype(numpy.int64) + self._ancestors_at
        places = zip(starts.tolist(), (starts + own["ancestor_length"]).tolist(), strict=True)
        keys_ = self.arrays["ancestor_gbif"][numbers].tolist()
        told = zip(numbers, own["ancestor_rank"].tolist(), places, keys_, strict=True)
        whole = self._map
        return {
            number: Ancestor(_LOWER[rank], whole[at:to].decode(), self._shown(key))
            for number, rank, (at, to), key in told
        }

    def entries(self, rows: Array) -> Array:
        """Return what is known of many rows: a table of the fields that ``build`` wrote.

        Rows in ascending order are read fastest: each part of the file is looked at once.
        """
        found = numpy.empty(len(rows), self._file.tables["row"].dtype)
        for begin in range(0, len(rows), AT_ONCE):
            found[begin : begin + AT_ONCE] = self._file.rows("row", rows[begin : begin + AT_ONCE])
            self.trim()
        return found

    def texts(self, entries: Array) -> tuple[list[str], list[str]]:
        """Return the names with authorship of many rows, and their canonical names."""
        starts = entries["text_at"].astype(numpy.int64) + self._text_at
        places = list(zip(starts.tolist(), (starts + entries["text_length"]).tolist(), strict=True))
        whole = self._map
        texts: list[str] = []
        for begin in range(0, len(places), AT_ONCE):
            texts += [whole[at:to].decode() for at, to in places[begin : begin + AT_ONCE]]
            self.trim()
        lengths = entries["name_length"].tolist()
        canonicals = [text[:length] for text, length in zip(texts, lengths, strict=True)]
        for at in numpy.flatnonzero(entries["name_length"] == 0).tolist():
            texts[at], canonicals[at] = _cut(texts[at], 0)
        return texts, canonicals

    def keys_of(self, entries: Array) -> list[str]:
        """Return the keys of many rows in their own checklists."""
        numbers = entries["key"]
        if not len(numbers) or int(numbers.max()) < _DECIMAL:
            return [str(number) if number else "" for number in numbers.tolist()]
        return [self._shown(number) for number in numbers.tolist()]

    def ids_in(self, namespace: str, rows: Array, entries: Array) -> list[str]:
        """Return the identifiers of many rows in a namespace (gbif, col, aphia, item), ``""`` where there is none."""
        values = self.arrays.get(namespace)
        if values is None and namespace not in self._spaces:
            return [""] * len(entries)
        found = [""] * len(entries)
        if values is not None:
            found = [self._shown(number) for number in values[rows].tolist()]
        if namespace in self._spaces:
            for at in numpy.flatnonzero(self._of_space[namespace][entries["source"]]).tolist():
                found[at] = self._shown(int(entries["key"][at]))
        return found

    def vernaculars_of(self, rows: Array) -> list[tuple[tuple[str, str], ...]]:
        """Return the vernacular names of many rows: (language, name)."""
        bearers = self.arrays["spoken_row"]
        told: list[tuple[tuple[str, str], ...]] = [()] * len(rows)
        if not len(bearers):
            return told
        wanted = rows.astype(bearers.dtype)
        begin = numpy.searchsorted(bearers, wanted)
        bearing = numpy.flatnonzero(bearers[numpy.minimum(begin, len(bearers) - 1)] == wanted)
        ends = numpy.searchsorted(bearers, wanted[bearing], "right")
        for place, first, end in zip(bearing.tolist(), begin[bearing].tolist(), ends.tolist(), strict=True):
            told[place] = self._spoken_between(first, end)
        return told

    def linnean(self, row: int) -> tuple[str, ...]:
        """Return the names of kingdom to species that a row belongs to, folded; a synonym to those of its accepted."""
        row = self.accepted(row)
        place = _LINNEAN_PLACE.get(int(self.arrays["rank"][row]), -1)
        above = self._linnean_from(int(self.arrays["above"][row]))
        if place < 0:
            return above
        return (*above[:place], folded(self.canonical(row)), *above[place + 1 :])

    def kingdom(self, row: int) -> str:
        """Return the kingdom a row belongs to, as the index spells it."""
        row = self.accepted(row)
        steps = (*self.lineage(row), self.step(row))
        return next((step.name for step in steps if step.rank == "kingdom"), "")

    def ancestor(self, row: int, rank: str) -> int:
        """Return the row of a rank above this one, as the checklist lists it; -1 where there is none."""
        number = int(self.arrays["above"][row])
        for _ in range(DEEPEST):
            if number == NO_ROW:
                break
            above = int(self.arrays["ancestor_row"][number])
            if self.rank(above) == rank:
                listed = self._row_with("key", int(self.arrays["key"][above]))
                return listed if listed >= 0 else above
            number = int(self.arrays["ancestor_above"][number])
        return -1

    def step(self, row: int) -> Ancestor:
        """Return a row as a step of somebody else's classification."""
        return Ancestor(_LOWER[self.arrays["rank"][row]], self.canonical(row), self.id_in("gbif", row))

    # ---- vernacular names -----------------------------------------------------------------------------------------

    def spoken(self, name: str) -> list[tuple[int, str]]:
        """Return the rows that bear a vernacular name, and the language of each."""
        known = self.arrays["spoken_hash"]
        wanted = keys.hashed(folded(name))
        begin, end = _place(known, wanted), _place(known, wanted + 1)
        at = self.arrays["spoken_at"][begin:end]
        rows, languages = self.arrays["spoken_row"][at], self.arrays["spoken_language"][at]
        return [(int(row), self.languages[code]) for row, code in zip(rows, languages, strict=True)]

    def find_spoken(self, hashes: Array) -> tuple[Array, list[str]]:
        """Return, for the hashes of many folded texts, what alone bears each as its vernacular name, and the language.

        That is the row of an accepted name; -1 where nothing bears the name, and -2 where several entries do.
        """
        known = self.arrays["spoken_hash"]
        count, entry = numpy.zeros(len(hashes), dtype=numpy.int64), numpy.zeros(len(hashes), dtype=numpy.int64)
        for places, at in self._found("spoken_hash", hashes):
            count[places] = numpy.searchsorted(known, hashes[places], "right") - at
            entry[places] = self.arrays["spoken_at"][at]
        rows = numpy.where(count, -2, -1)
        alone = numpy.flatnonzero(count == 1)
        rows[alone] = self.accepted_of(self.arrays["spoken_row"][entry[alone]].astype(numpy.int64))
        codes = self.arrays["spoken_language"]
        return rows, [self.languages[code] for code in codes[entry].tolist()] if len(codes) else [""] * len(hashes)

    def accepted_of(self, rows: Array) -> Array:
        """Return what ``accepted`` returns, for many rows."""
        for _ in range(LONGEST_CHAIN):
            leads_to = self.entries(rows)["accepted"]
            moving = (leads_to != NO_ROW) & (leads_to != rows)
            if not moving.any():
                break
            rows = numpy.where(moving, leads_to, rows)
        return rows

    def vernaculars(self, row: int) -> tuple[tuple[str, str], ...]:
        """Return the vernacular names of a row: (language, name)."""
        return self.vernaculars_of(numpy.array([row]))[0]

    # ---- inside ---------------------------------------------------------------------------------------------------

    def _found(self, section: str, hashes: Array) -> Iterator[tuple[Array, Array]]:
        """Yield the places of the hashes that are in a sorted section, and where; in its order, piece by piece."""
        known = self.arrays[section]
        order = numpy.argsort(hashes)
        for begin in range(0, len(order) if len(known) else 0, SOUGHT_AT_ONCE):
            places = order[begin : begin + SOUGHT_AT_ONCE]
            wanted = hashes[places]
            at = numpy.minimum(numpy.searchsorted(known, wanted), len(known) - 1)
            hit = known[at] == wanted
            yield places[hit], at[hit]
            self.trim()

    def _linnean_from(self, number: int) -> tuple[str, ...]:
        """Return the names of kingdom to species, folded, of what stands right below an ancestor."""
        known = self._linnean.get(number)
        if known is None:
            if len(self._linnean) > CACHED:
                self._linnean.clear()
            names = {step.rank.upper(): step.name for step in self.lineage_from(number)}
            known = self._linnean[number] = tuple(folded(names.get(rank, "")) for rank in LINNEAN)
        return known

    def _row_with(self, column: str, number: int) -> int:
        values = self.arrays.get(column)
        if values is None or not number:
            return -1
        order = self.arrays[f"{column}_order"]
        at = bisect_left(order, number, key=lambda row: int(values[row]))
        return int(order[at]) if at < len(order) and int(values[order[at]]) == number else -1

    def _shown(self, number: int) -> str:
        if number < _DECIMAL:
            return str(number) if number else ""
        if not keys.is_hashed(number):
            return keys.unpacked(number)
        at = int(numpy.searchsorted(self.arrays["long_key"], numpy.uint64(number)))
        ends = self.arrays["long_key_text_end"]
        start = int(ends[at - 1]) if at else 0
        return self._map[self._long_at + start : self._long_at + int(ends[at])].decode()

    def _spoken_between(self, first: int, end: int) -> tuple[tuple[str, str], ...]:
        """Return the vernacular names at these places: (language, name)."""
        ends = self.arrays["spoken_end"][max(first - 1, 0) : end].tolist()
        if not first:
            ends.insert(0, 0)
        codes = self.arrays["spoken_language"][first:end].tolist()
        base = self._spoken_at
        return tuple(
            (self.languages[code], self._map[base + at : base + to].decode())
            for code, (at, to) in zip(codes, pairwise(ends), strict=True)
        )

    def _strings(self, name: str) -> list[str]:
        ends = [0, *self.arrays[f"{name}_end"].tolist()]
        start = self._file.section(name)[1]
        return [self._map[start + at : start + to].decode() for at, to in pairwise(ends)]

    def _words_beginning(self, letter: str) -> tuple[int, int]:
        if letter not in self._letters:
            self._letters[letter] = self._first_word_from(letter), self._first_word_from(letter + "\U0010ffff")
        return self._letters[letter]

    def _first_word_from(self, word: str) -> int:
        """Return the number of the first word that is not before ``word`` in the order of their bytes."""
        wanted = word.encode()
        low, high = 0, len(self.arrays["word_row"])
        while low < high:
            middle = (low + high) // 2
            if self._word(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low

    def _word(self, number: int) -> bytes:
        ends = self.arrays["word_text_end"]
        start = int(ends[number - 1]) if number else 0
        return self._map[self._words_at + start : self._words_at + int(ends[number])]

    def _row_from(self, name: str) -> int:
        wanted = name.encode()
        low, high = 0, len(self.arrays["status"])
        while low < high:
            middle = (low + high) // 2
            if folded(self.canonical(middle)).encode() < wanted:
                low = middle + 1
            else:
                high = middle
        return low


def _place(known: Array, wanted: int) -> int:
    """Return where a hash belongs in a sorted array of hashes.

    They are spread evenly, so that the place is nearly known beforehand and few pages of the file are looked at.
    """
    bits = known.dtype.itemsize * 8
    guess = wanted * len(known) >> bits
    reach = 4 * isqrt(len(known)) + 64
    begin, end = max(0, guess - reach), min(len(known), guess + reach)
    if wanted >> bits:
        return len(known)
    at = begin + int(numpy.searchsorted(known[begin:end], known.dtype.type(wanted)))
    is_within = (at > begin or not begin) and (at < end or end == len(known))
    return at if is_within else int(numpy.searchsorted(known, known.dtype.type(wanted)))


def _cut(text: str, length: int) -> tuple[str, str]:
    """Return name and canonical name from a stored text: the canonical is its beginning, or follows it."""
    if length:
        return text, text[:length]
    name, _, canonical = text.partition("\x1f")
    return name, canonical


def open_index(path: Path) -> NameIndex:
    """Open the index at ``path``. Raises ``UsageError`` when it is no index, or of another version."""
    return NameIndex(path)
