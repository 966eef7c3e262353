"""Choose the usage that answers a name. In: a name as asked, an index. Out: the usage chosen and why, or why none.

The steps, in their order, are those of GBIF's published matching (``NubMatchingServiceImpl`` in
https://github.com/gbif/checklistbank and its successor ``MatchingService`` in https://github.com/gbif/matching-ws): the
name itself and what is spelt nearly like it, judged by name, authorship, classification, rank and status; then the
species, the genus, and the lowest given higher taxon that is found. ``docs/names.md`` tells them with examples.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from linkeddata.nameindex.authors import author_score, is_same
from linkeddata.nameindex.evidence import (
    CODES,
    FAMILY,
    GENUS,
    KINGDOM,
    classification_points,
    confidence_of,
    kingdom_of,
    name_points,
    strict_kingdom_points,
)
from linkeddata.nameindex.index import NameIndex
from linkeddata.nameindex.near import NearNames
from linkeddata.nameindex.parsing import Asked
from linkeddata.nameindex.ranks import LINNEAN, is_infrageneric, is_infraspecific, is_species_or_below, rank_score
from linkeddata.nameindex.spelling import folded
from linkeddata.nameindex.statuses import status_score

LEAST_CONFIDENCE = 80
LEAST_CONFIDENCE_HIGHER = 90
"""A higher taxon is only taken when it is beyond doubt."""
BONUS = 5
"""Points for a usage without a rival, or with rivals at least twice as many points behind."""
NEARLY_EQUAL = 1
"""Points within which two usages of different classes are not told apart."""
UNLIKELY = -25
"""Points for a near spelling of a name that ends in "indet"."""

NOT_FOUND = "not found"
TIE = "tie"
HOMONYM = "homonym across kingdoms"
HOMONYM_OF_CODES = "homonym across kingdoms and codes"
"""The codes of nomenclature allow one name in each of them; within a code the older name would have to be kept."""
LOW_CONFIDENCE = "low confidence"
NOT_A_NAME = "not a name"


class Mode(Enum):
    """How a name is looked for."""

    FUZZY = "near spellings, too"
    STRICT = "the name itself"
    HIGHER = "the name itself, as a higher taxon"


@dataclass(frozen=True, slots=True)
class Given:
    """What was said beside the name: rank, and the names of kingdom to genus, folded."""

    rank: str = ""
    names: tuple[str, ...] = ("",) * len(LINNEAN)
    strict: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.rank and not self.strict and not any(self.names)


@dataclass(frozen=True, slots=True)
class Scored:
    """A usage that was considered: its points, part by part, in the order in which they were added up."""

    row: int
    name: str  # with authorship, by which equals are put in order
    canonical: str  # folded
    match_type: str  # EXACT, FUZZY
    points: int
    evidence: tuple[tuple[str, int], ...]
    is_to_the_letter: bool = False  # the authorship is the one asked for


@dataclass(frozen=True, slots=True)
class Match:
    """What came of a name. ``row`` is -1 for none, and then ``reason`` says why."""

    row: int = -1
    match_type: str = "NONE"
    confidence: int = 0  # 0 for none: GBIF says 99 or 100 there, how sure it is that there is nothing
    reason: str = ""
    evidence: tuple[tuple[str, int], ...] = ()
    considered: tuple[Scored, ...] = ()

    @property
    def is_match(self) -> bool:
        return self.row >= 0


class Matcher:
    """Matches names against one index."""

    def __init__(self, index: NameIndex) -> None:
        self._index = index
        self._near = NearNames(index)

    def match(self, asked: Asked, given: Given) -> Match:
        """Return what answers a name, by the whole ladder."""
        rank = given.rank or asked.rank
        given = _with_own_genus(asked, given, rank)
        fuzzy = asked.is_parsable and not given.strict
        first = self._best(asked, rank, given, Mode.FUZZY if fuzzy else Mode.STRICT)
        if first.match_type == "FUZZY" and self._is_doubted_by_family(asked, given, first):
            genus = self._best(Asked(asked.genus), "GENUS", given, Mode.HIGHER)
            if genus.is_match and self._index.rank(genus.row) == "GENUS":
                return _higher(genus, first)
        if first.is_match:
            return replace(first, match_type="HIGHERRANK") if asked.is_indeterminate else first
        if given.strict:
            return first
        return self._above(asked, rank, given, first)

    def exact(self, asked: Asked, given: Given, rank: str) -> list[Scored]:
        """Return the usages of exactly this name, judged."""
        mode = Mode.FUZZY if asked.is_parsable and not given.strict else Mode.STRICT
        return [self._judge(row, asked, rank, given, mode) for row in self._index.rows_named(asked.name)]

    def _above(self, asked: Asked, rank: str, given: Given, first: Match) -> Match:
        """Return the lowest taxon above the name that is known: species, genus, given higher taxa from below."""
        is_below_genus = False
        undecided = first
        if asked.genus or is_infrageneric(rank):
            if asked.species:
                species = Asked(asked.species, rank="SPECIES", genus=asked.genus)
                found = self._best(species, "SPECIES", given, Mode.FUZZY)
                if found.is_match:
                    return _higher(found, first)
            found = self._best(Asked(asked.genus or asked.name), "", given, Mode.HIGHER)
            if found.is_match:
                return _higher(found, first)
            if found.considered and first.reason == NOT_FOUND:
                undecided = replace(found, reason=f"{NOT_FOUND}; above it {found.reason}")
            is_below_genus = True
        for place in (GENUS, FAMILY, 3, 2, 1, KINGDOM):
            if given.names[place] and not (is_below_genus and place == GENUS):
                found = self._best(Asked(given.names[place]), LINNEAN[place], given, Mode.HIGHER)
                if found.is_match:
                    return _higher(found, first)
        return undecided

    def _best(self, asked: Asked, rank: str, given: Given, mode: Mode) -> Match:
        rows = self._index.rows_named(asked.name)
        scored = [self._judge(row, asked, rank, given, mode) for row in rows]
        fits = [one for one in scored if rank != "SPECIES_AGGREGATE" or self._is_aggregate(one.row)]
        if mode is Mode.FUZZY and len(fits) == len(scored) and _is_doubted(fits):
            near = (self._judge(row, asked, rank, given, mode) for row in self._near.rows(asked.name))
            fits += [one for one in near if self._is_of_kingdom(one.row, given.names[KINGDOM])]
        least = LEAST_CONFIDENCE_HIGHER if mode is Mode.HIGHER else LEAST_CONFIDENCE
        return self._choose(fits, least)

    def _judge(self, row: int, asked: Asked, rank: str, given: Given, mode: Mode) -> Scored:
        name, canonical = self._index.text(row)
        written = authorship_of(name, canonical)
        known = folded(canonical)
        own_rank = self._index.rank(row)
        parts = [("name", name_points(asked.name, known, asked.kind if mode is not Mode.HIGHER else "SCIENTIFIC"))]
        fits = rank_score(rank, own_rank)
        if mode is Mode.STRICT:
            kingdom = strict_kingdom_points(given.names[KINGDOM], self._index.linnean(row)[KINGDOM])
            authors = author_score(asked.authorship, written) * 4
            parts += [("authorship", authors * 8 if authors < 0 else authors), ("classification", kingdom)]
            parts.append(("rank", fits * 10 if fits < 0 else fits))
        else:
            if mode is Mode.FUZZY:
                authors = author_score(asked.authorship, written) * 2
                parts.append(("authorship", authors * 2 if authors < 0 else authors))
            parts.append(("classification", classification_points(given.names, self._index.linnean(row))))
            parts.append(("rank", fits * 2 if mode is Mode.HIGHER else fits))
        parts.append(("status", status_score(int(self._index.arrays["status"][row]))))
        match_type = "EXACT" if asked.name == known else "FUZZY"
        if match_type == "FUZZY" and asked.name.endswith(" indet") and is_species_or_below(own_rank):
            parts.append(("unlikely", UNLIKELY))
        points = sum(points for _, points in parts)
        return Scored(row, name, known, match_type, points, tuple(parts), is_same(asked.authorship, written))

    def _choose(self, scored: Iterable[Scored], least: int) -> Match:
        """Return the best of these, unless several are equally good or none is good enough."""
        ordered = sorted(scored, key=lambda one: (-one.points, one.name, one.row))
        if not ordered:
            return Match(reason=NOT_FOUND)
        best = ordered[0]
        bonus = BONUS
        notes = ""
        match_type = best.match_type
        row = best.row
        if len(ordered) > 1:
            bonus = min(BONUS, (best.points - ordered[1].points) // 2)
            equals = self._equals(ordered)
            best, row = equals[0], equals[0].row
            if len(equals) > 1:
                row, notes = self._common(equals)
                if row < 0:
                    return Match(reason=notes, considered=tuple(ordered))
                match_type = best.match_type if row in [one.row for one in equals] else "HIGHERRANK"
        confidence = confidence_of(best.points + bonus)
        if confidence < least:
            told = f"{LOW_CONFIDENCE}: {self._shown(best.row)} at {confidence}"
            return Match(reason=told, considered=tuple(ordered))
        evidence = (*best.evidence, ("distance to the next", bonus))
        return Match(row, match_type, confidence, notes, evidence, tuple(ordered))

    def _equals(self, ordered: Sequence[Scored]) -> list[Scored]:
        """Return the usages that are as good as the best; of different classes, also those that are nearly so.

        A synonym is not as good as an accepted name: that somebody once gave the name to something else is a note.
        """
        best = ordered[0]
        margin = 0
        for one in ordered[1:]:
            if best.points - one.points > NEARLY_EQUAL:
                break
            is_outranked = self._index.is_synonym(one.row) and not self._index.is_synonym(best.row)
            if not is_outranked and self._index.linnean(one.row)[:3] != self._index.linnean(best.row)[:3]:
                margin = NEARLY_EQUAL
        equals = [one for one in ordered if best.points - one.points <= margin]
        sources = self._index.arrays["source"]
        equals = [one for one in equals if one.is_to_the_letter] or equals
        first = min(int(sources[one.row]) for one in equals)
        return [one for one in equals if int(sources[one.row]) == first]

    def _common(self, equals: Sequence[Scored]) -> tuple[int, str]:
        """Return the row that answers for several equals, and a note: one of them, or the genus or family of all."""
        classifications = [self._index.linnean(one.row) for one in equals]
        if len(set(classifications)) == 1:
            oldest = min(equals, key=lambda one: int(self._index.arrays["key"][one.row]))
            return oldest.row, ""
        listed = ", ".join(self._shown(one.row) for one in equals)
        for place in (GENUS, FAMILY):
            shared = {classification[: place + 1] for classification in classifications}
            if len(shared) == 1 and classifications[0][place]:
                rows = self._index.rows_named(classifications[0][place])
                above = [row for row in rows if self._index.rank(row) == LINNEAN[place]]
                fitting = [row for row in above if self._index.linnean(row)[:place] == classifications[0][:place]]
                if fitting:
                    return min(fitting, key=lambda row: int(self._index.arrays["key"][row])), f"{TIE}: {listed}"
        return -1, f"{_apart(classifications)}: {listed}"

    def _shown(self, row: int) -> str:
        kingdom = self._index.kingdom(row)
        return f"{self._index.text(row)[0]} ({f'{kingdom}, ' if kingdom else ''}{self._index.key(row)})"

    def _is_aggregate(self, row: int) -> bool:
        return self._index.rank(row) == "SPECIES_AGGREGATE"

    def _is_of_kingdom(self, row: int, kingdom: str) -> bool:
        """Say whether a usage may be of the given kingdom; a near spelling never leads to another one."""
        own = self._index.linnean(row)[KINGDOM]
        return not kingdom or not own or own == kingdom

    def _is_doubted_by_family(self, asked: Asked, given: Given, found: Match) -> bool:
        """Say whether a near spelling has another genus, and the lowest given taxon above the genus is not its own."""
        if not asked.genus or not is_species_or_below(self._index.rank(found.row)):
            return False
        if folded(self._index.canonical(found.row)).startswith(f"{asked.genus} "):
            return False
        known = self._index.linnean(found.row)
        for place in range(FAMILY, KINGDOM - 1, -1):
            if given.names[place] and known[place]:
                return given.names[place] != known[place]
        return False


def authorship_of(name: str, canonical: str) -> str:
    """Return what a name has beyond its canonical form.

    >>> authorship_of("Cyanistes caeruleus (Linnaeus, 1758)", "Cyanistes caeruleus")
    '(Linnaeus, 1758)'
    >>> authorship_of("Python molurus subsp. bivittatus Kuhl, 1820", "Python molurus bivittatus")
    'Kuhl, 1820'
    """
    if name.startswith(canonical):
        return name[len(canonical) :].strip()
    last = canonical.rpartition(" ")[2]
    _, found, after = name.rpartition(f" {last} ")
    return after.strip() if found else ""


def given_of(
    rank: str, kingdom: str, phylum: str, class_: str, order: str, family: str, genus: str, *, strict: bool = False
) -> Given:
    """Return what was said beside a name; of a higher taxon with authorship the first word counts."""
    words = (folded(name).partition(" ")[0] for name in (phylum, class_, order, family, genus))
    return Given(rank, (kingdom_of(kingdom), *words, ""), strict)


def _with_own_genus(asked: Asked, given: Given, rank: str) -> Given:
    """Return what is given, with the genus of a name between genus and species, which says where it belongs."""
    if given.names[GENUS] or not asked.genus or not is_infrageneric(rank) or is_infraspecific(rank):
        return given
    return replace(given, names=(*given.names[:GENUS], asked.genus, ""))


def _apart(classifications: Iterable[Sequence[str]]) -> str:
    """Return what kind of equals these are: of one kingdom, of several, of several codes of nomenclature.

    >>> _apart([("animalia",), ("plantae",)]), _apart([("fungi",), ("plantae",)]), _apart([("fungi",)])
    ('homonym across kingdoms and codes (botanical, zoological)', 'homonym across kingdoms', 'tie')
    """
    kingdoms = {one[KINGDOM] for one in classifications}
    codes = sorted({CODES[kingdom] for kingdom in kingdoms if kingdom in CODES})
    if len(codes) > 1:
        return f"{HOMONYM_OF_CODES} ({', '.join(codes)})"
    return HOMONYM if len(kingdoms) > 1 else TIE


def _is_doubted(exact: Sequence[Scored]) -> bool:
    """Say whether near spellings are worth a look: there is no exact match, or something speaks against the best."""
    if not exact:
        return True
    best = max(exact, key=lambda one: one.points)
    parts = dict(best.evidence)
    return parts.get("authorship", 0) < 0 or parts["classification"] < -2 or parts["rank"] < 0


def _higher(found: Match, first: Match) -> Match:
    """Return a match of something above the name, with what was considered for the name itself."""
    reason = found.reason or first.reason
    return replace(found, match_type="HIGHERRANK", reason=reason, considered=(*first.considered, *found.considered))
