"""Answer many names at once, those that one usage alone bears. In: names as written. Out: answers, and what is left.

Names that the index has letter for letter, with or without authorship, vernacular names, and names that are as plain
once the parser has read them need no weighing: nothing was said beside them, and nothing to weigh against.
Their rows are looked up together, in the order of the file. Whatever else there is to a name is left for the ladder of
``resolve``, which leads to the same answer for each name that is answered here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Self

import numpy

from linkeddata.nameindex import keys
from linkeddata.nameindex.answers import NameAnswer
from linkeddata.nameindex.authors import author_score
from linkeddata.nameindex.evidence import classification_points, confidence_of, name_points
from linkeddata.nameindex.index import NAMESPACES, NameIndex
from linkeddata.nameindex.layout import NO_ROW, Array
from linkeddata.nameindex.matching import BONUS, LEAST_CONFIDENCE, Given, authorship_of
from linkeddata.nameindex.parsing import (
    Asked,
    authors_after,
    is_wordlike,
    read_together,
    tidied,
    without_qualifier,
)
from linkeddata.nameindex.ranks import RANKS, rank_score
from linkeddata.nameindex.shapes import APART, AUTHORSHIPS, PLAIN, authorship_in, blanks_in
from linkeddata.nameindex.spelling import folded, may_have_hybrid_sign
from linkeddata.nameindex.statuses import STATUSES, is_synonym_code, status_score

VERNACULAR_CONFIDENCE = 90
"""Confidence of a vernacular name that one taxon bears: the word is right, but people use it loosely."""

Verdict = tuple[int, tuple[tuple[str, int], ...]]
"""Confidence, and the evidence it comes from."""

Begun = dict[int, tuple[int, int, int]]
"""Texts that begin with a known name, by their places: how many words it has, its first row, and its rows."""

_RANKS_BY_BLANKS = {1: "SPECIES", 2: "INFRASPECIFIC_NAME"}
_SPOKEN: Verdict = (VERNACULAR_CONFIDENCE, (("vernacular name", VERNACULAR_CONFIDENCE),))
_OWN_AUTHORS = {form: author_score(form, form) * 2 for form in AUTHORSHIPS}
"""Points of an authorship beside itself: they depend on its brackets only."""

TOLD_AT_ONCE = 1024
"""Names of neighbouring rows that are answered together: their pages are in memory at the same time."""

NONE, AS_KNOWN, IN_FULL, OTHERWISE = range(4)
"""How a name was found: letter for letter, with its own authorship, or as a ``Way`` says."""


class Way(NamedTuple):
    """How a name was asked that is in the index under another form."""

    authorship: str = ""
    rank: str = ""
    qualifier: str = ""
    language: str = ""  # of a vernacular name
    is_spoken: bool = False
    is_as_known: bool = False  # the name itself is as the index has it
    has_own_authors: bool = False  # and so is its authorship


@dataclass(slots=True)
class Hits:
    """For each name the row that answers it (-1 for none), and how it was found."""

    rows: Array
    kinds: Array
    ways: dict[int, Way]

    @classmethod
    def none(cls, names: int) -> Self:
        """Return that nothing was found for so many names."""
        return cls(numpy.full(names, -1, dtype=numpy.int64), numpy.zeros(names, dtype=numpy.uint32), {})

    def add(self, at: int, row: int, way: Way) -> None:
        self.rows[at] = row
        self.kinds[at] = OTHERWISE
        self.ways[at] = way


class PlainNames:
    """Answers names that need no weighing, from one index."""

    def __init__(self, index: NameIndex) -> None:
        self._index = index

    def answers(self, names: Sequence[str], bare: Sequence[bool]) -> tuple[list[NameAnswer | None], dict[int, Asked]]:
        """Return an answer for each name, or ``None``, and by their places what the parser made of some of the rest.

        ``bare`` says of each name whether nothing was said beside it; the others are left alone.
        """
        lows = [folded(name) if alone else "" for name, alone in zip(names, bare, strict=True)]
        for at, (name, low) in enumerate(zip(names, lows, strict=True)):
            if len(low) != len(name) and may_have_hybrid_sign(name):  # the sign is left out when folded
                lows[at] = ""
        hits = Hits.none(len(names))
        readings = self._find(names, lows, hits)
        return self._told(names, hits), readings

    # ---- which row answers ----------------------------------------------------------------------------------------

    def _find(self, names: Sequence[str], lows: Sequence[str], hits: Hits) -> dict[int, Asked]:
        """Find the rows of names, and return what the parser made of those it was asked for."""
        hashes = _hashes(lows)
        left = self._add_known(lows, hashes, hits)
        left = self._add_qualified(names, left, hits) if left else []
        if not left:
            return {}
        begun = self._begun(lows, left)
        settled = self._add_followed_by_authors(names, begun, hits)
        waiting = [at for at in left if at not in settled]
        strangers = self._add_spoken(names, hashes, waiting, begun, hits)
        return self._add_parsed(names, strangers, hits)

    def _add_known(self, lows: Sequence[str], hashes: Array, hits: Hits) -> list[int]:
        """Find names as the index has them, and return the places of those that it does not have."""
        first, count = self._index.find(hashes)
        alone = count == 1
        hits.rows[alone], hits.kinds[alone] = first[alone], AS_KNOWN
        there = numpy.fromiter(map(bool, lows), dtype=bool, count=len(lows))
        opened = numpy.flatnonzero((count == 0) & there)
        full = self._index.find_full(hashes[opened])
        found = opened[full >= 0]
        hits.rows[found], hits.kinds[found] = full[full >= 0], IN_FULL
        return opened[full < 0].tolist()  # type: ignore[no-any-return]

    def _add_qualified(self, names: Sequence[str], left: Sequence[int], hits: Hits) -> list[int]:
        """Find names that are known but for a doubt or a note on their sense, and return the places of the others."""
        parts = {at: found for at in left if (found := without_qualifier(tidied(names[at])))}
        bare = [name for name, _ in parts.values()]
        lows = [folded(name) for name in bare]
        inner = Hits.none(len(bare))
        unknown = self._add_known(lows, _hashes(lows), inner)
        self._add_followed_by_authors(bare, self._begun(lows, unknown), inner)
        for number, (at, (_, qualifier)) in enumerate(parts.items()):
            if inner.kinds[number]:
                way = inner.ways.get(number) or _QUALIFIED[int(inner.kinds[number])]
                hits.add(at, int(inner.rows[number]), way._replace(qualifier=qualifier))
        return [at for at in left if not hits.kinds[at]]

    def _add_followed_by_authors(self, names: Sequence[str], begun: Begun, hits: Hits) -> set[int]:
        """Find names that are followed by authors only, and return their places: they are no matter for the parser."""
        settled = set()
        for at, (length, row, rows) in begun.items():
            authors = authors_after(" ".join(names[at].split()), length)
            if authors:
                settled.add(at)
            if authors and rows == 1:
                hits.add(at, row, Way(authors, is_as_known=True))
        return settled

    def _begun(self, lows: Sequence[str], places: Sequence[int]) -> Begun:
        """Return which texts begin with a known name, the longest there is, and go on."""
        begun = self._begun_with(lows, places, (3, 2))
        return begun | self._begun_with(lows, [at for at in places if at not in begun], (1,))

    def _begun_with(self, lows: Sequence[str], places: Sequence[int], lengths: Sequence[int]) -> Begun:
        asked: list[tuple[int, int]] = []
        texts: list[str] = []
        for at in places:
            for length in lengths:
                if beginning := _beginning(lows[at], length):
                    asked.append((at, length))
                    texts.append(beginning)
        first, count = self._index.find(_hashes(texts))
        known = numpy.flatnonzero(count)
        begun: Begun = {}
        for number, row, rows in zip(known.tolist(), first[known].tolist(), count[known].tolist(), strict=True):
            at, length = asked[number]
            begun.setdefault(at, (length, row, rows))
        return begun

    def _add_spoken(
        self, names: Sequence[str], hashes: Array, places: Sequence[int], begun: Begun, hits: Hits
    ) -> list[int]:
        """Find vernacular names that one taxon bears, and return the places of texts that are none at all."""
        rows, languages = self._index.find_spoken(hashes[list(places)])
        strangers = []
        for at, row, language in zip(places, rows.tolist(), languages, strict=True):
            if row == -1:
                strangers.append(at)
            elif row >= 0 and at not in begun and is_wordlike(tidied(names[at])):
                hits.add(at, row, _spoken_way(language))
        return strangers

    def _add_parsed(self, names: Sequence[str], places: Sequence[int], hits: Hits) -> dict[int, Asked]:
        """Find names as the parser reads them, and return its readings."""
        read = read_together([tidied(names[at]) for at in places])
        parsed = {at: asked for at, asked in zip(places, read, strict=True) if asked is not None}
        first, count = self._index.find(_hashes([asked.name for asked in parsed.values()]))
        for (at, asked), row, rows in zip(parsed.items(), first.tolist(), count.tolist(), strict=True):
            if rows == 1 and asked.is_parsable and not asked.is_indeterminate:
                hits.add(at, row, Way(asked.authorship, asked.rank, asked.qualifier))
        return parsed

    # ---- what is told of it ---------------------------------------------------------------------------------------

    def _told(self, names: Sequence[str], hits: Hits) -> list[NameAnswer | None]:
        """Return the answers to the names that were found; nothing else was said to weigh."""
        told: list[NameAnswer | None] = [None] * len(names)
        places = numpy.flatnonzero(hits.kinds)
        places = places[numpy.argsort(hits.rows[places])]
        for begin in range(0, len(places), TOLD_AT_ONCE):
            self._tell(names, hits, places[begin : begin + TOLD_AT_ONCE], told)
        return told

    def _tell(self, names: Sequence[str], hits: Hits, places: Array, told: list[NameAnswer | None]) -> None:
        """Put answers in the places of names whose rows are neighbours, as far as can be."""
        index = self._index
        own = _read(index, hits.rows[places])
        accepted = _read_accepted(index, own)
        above = accepted.entries["above"]
        index.know_lineages(above)
        origins = [index.checklist_of(source) for source in range(len(index.checklists))]
        columns = zip(
            places.tolist(), _verdicts(hits, places, own), own.names, own.canonicals, own.keys,
            own.entries["rank"].tolist(), own.entries["status"].tolist(), own.entries["source"].tolist(),
            (accepted.rows != own.rows).tolist(), accepted.names, accepted.canonicals, accepted.keys,
            accepted.entries["rank"].tolist(), accepted.entries["status"].tolist(), above.tolist(),
            *(index.ids_in(space, accepted.rows, accepted.entries) for space in NAMESPACES),
            index.vernaculars_of(accepted.rows), strict=True,
        )  # fmt: skip
        for (
            at, verdict, name, canonical, key, rank, status, source, is_synonym, accepted_name, accepted_canonical,
            accepted_key, accepted_rank, accepted_status, above_it, gbif, col, aphia, item, vernaculars,
        ) in columns:  # fmt: skip
            lineage = index.lineage_from(above_it)
            if verdict is None or is_synonym_code(accepted_status) or (lineage and lineage[0].name == "Viruses"):
                continue  # chains of synonyms and synonyms of nothing, too, take the long way
            way = hits.ways.get(at, _PLAIN_WAY)
            checklist_key, moment = origins[source]
            fields = (
                names[at], key, accepted_key if is_synonym else "", name, canonical, RANKS[rank], STATUSES[status],
                "VERNACULAR" if way.is_spoken else "EXACT", verdict[0], "", accepted_name, item, gbif, col, aphia,
                checklist_key, f"{name} is a synonym of {accepted_name}" if is_synonym else "", way.qualifier, lineage,
                accepted_canonical, authorship_of(accepted_name, accepted_canonical), RANKS[accepted_rank],
                vernaculars, way.language, (), verdict[1], "index", moment,
            )  # fmt: skip
            told[at] = tuple.__new__(NameAnswer, fields)  # as NameAnswer(*fields), in half the time


@dataclass(slots=True)
class _Read:
    """Rows, and what the index says of them: a column each."""

    rows: Array
    entries: Array
    names: list[str]
    canonicals: list[str]
    keys: list[str]


def _read(index: NameIndex, rows: Array) -> _Read:
    entries = index.entries(rows)
    return _Read(rows, entries, *index.texts(entries), index.keys_of(entries))


def _read_accepted(index: NameIndex, own: _Read) -> _Read:
    """Return what the rows lead to where they are synonyms, and else the rows themselves."""
    leads_to = own.entries["accepted"]
    moved = numpy.flatnonzero(leads_to != NO_ROW)
    moved = moved[numpy.argsort(leads_to[moved])]
    part = _read(index, leads_to[moved].astype(numpy.int64))
    found = _Read(own.rows.copy(), own.entries.copy(), list(own.names), list(own.canonicals), list(own.keys))
    found.rows[moved], found.entries[moved] = part.rows, part.entries
    for at, name, canonical, key in zip(moved.tolist(), part.names, part.canonicals, part.keys, strict=True):
        found.names[at], found.canonicals[at], found.keys[at] = name, canonical, key
    return found


def _verdicts(hits: Hits, places: Array, own: _Read) -> list[Verdict | None]:
    """Return what each name's match is worth, ``None`` where there is more to weigh.

    Of names found as they are known only a few things count, which a number stands for.
    """
    kinds = hits.kinds[places]
    codes = (kinds << 24) | (own.entries["shape"].astype(numpy.uint32) << 16)
    codes |= (own.entries["rank"].astype(numpy.uint32) << 8) | own.entries["status"]
    distinct, inverse = numpy.unique(codes, return_inverse=True)
    known = [_verdict_of(code) for code in distinct.tolist()]
    told = [known[number] for number in inverse.tolist()]
    others = numpy.flatnonzero(kinds == OTHERWISE)
    for at, place, code in zip(others.tolist(), places[others].tolist(), codes[others].tolist(), strict=True):
        told[at] = _verdict_of_way(hits.ways[place], own.names[at], own.canonicals[at], code)
    return told


def _verdict_of_way(way: Way, name: str, canonical: str, code: int) -> Verdict | None:
    shape, rank, status = code >> 16 & 255, code >> 8 & 255, code & 255
    if way.is_spoken:
        return _SPOKEN
    points = author_score(way.authorship, authorship_of(name, canonical)) if way.authorship else 0
    if way.has_own_authors:
        points = _OWN_AUTHORS[authorship_in(shape)] // 2
    if points < 0 or (way.is_as_known and shape & APART):
        return None
    asked_rank = _RANKS_BY_BLANKS.get(blanks_in(shape), "") if way.is_as_known else way.rank
    return _judged(shape, points * 2, asked_rank, rank, status)


def _verdict_of(code: int) -> Verdict | None:
    kind, shape, rank, status = code >> 24, code >> 16 & 255, code >> 8 & 255, code & 255
    asked_rank = _RANKS_BY_BLANKS.get(blanks_in(shape), "")
    if kind == IN_FULL:
        return None if shape & APART else _judged(shape, _OWN_AUTHORS[authorship_in(shape)], asked_rank, rank, status)
    return _judged(shape, 0, asked_rank, rank, status) if kind == AS_KNOWN else None


@lru_cache(maxsize=65536)
def _judged(shape: int, authorship: int, asked_rank: str, rank: int, status: int) -> Verdict | None:
    """Return confidence and evidence of a name without rivals about which nothing else was said.

    ``None`` where the ladder has more to look at: codes, ranks that do not fit, too little confidence.
    """
    fits = rank_score(asked_rank, RANKS[rank])
    if not shape & PLAIN or fits < 0:
        return None
    parts = (
        ("name", name_points("a b", "a b") if blanks_in(shape) else name_points("a", "a")),
        ("authorship", authorship),
        ("classification", classification_points(Given().names, Given().names)),
        ("rank", fits),
        ("status", status_score(status)),
        ("distance to the next", BONUS),
    )
    confidence = confidence_of(sum(points for _, points in parts))
    return (confidence, parts) if confidence >= LEAST_CONFIDENCE else None


_PLAIN_WAY = Way()
_QUALIFIED = {AS_KNOWN: Way(is_as_known=True), IN_FULL: Way(is_as_known=True, has_own_authors=True)}
"""How a name was asked that is known but for a qualifier."""


@lru_cache(maxsize=256)
def _spoken_way(language: str) -> Way:
    return Way(language=language, is_spoken=True)


def _hashes(texts: Sequence[str]) -> Array:
    """Return the hash of each text."""
    return numpy.fromiter(map(keys.hashed, texts), dtype=numpy.uint64, count=len(texts))


def _beginning(low: str, words: int) -> str:
    """Return the first words of a longer text, ``""`` where it is not longer."""
    at = -1
    for _ in range(words):
        at = low.find(" ", at + 1)
        if at < 0:
            return ""
    return low[:at]
