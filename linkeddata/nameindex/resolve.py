"""Answer names from an index. In: an open index and queries. Out: one ``NameAnswer`` a query, in order.

Names about which there is nothing to weigh are answered together, thousands at a time (``plain``); every other name
goes through the whole ladder. Both ways lead to the same answer.
"""

import gc
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice

from linkeddata.nameindex.answers import Candidate, NameAnswer, NameQuery
from linkeddata.nameindex.capitals import levelled
from linkeddata.nameindex.evidence import FAMILY, KINGDOM, confidence_of
from linkeddata.nameindex.index import NameIndex
from linkeddata.nameindex.matching import (
    NOT_A_NAME,
    NOT_FOUND,
    TIE,
    Given,
    Match,
    Matcher,
    Scored,
    authorship_of,
    given_of,
)
from linkeddata.nameindex.parsing import (
    Asked,
    Known,
    is_wordlike,
    read_name,
    tidied,
)
from linkeddata.nameindex.plain import VERNACULAR_CONFIDENCE, PlainNames
from linkeddata.nameindex.ranks import CODE, rank_of
from linkeddata.nameindex.spelling import folded
from linkeddata.records import Taxon

BATCH = 65536
"""Queries looked up together."""
MOST_ALTERNATIVES = 10

_IDENTIFIER = re.compile(
    r"(?P<space>gbif|col|aphia|aphiaid|worms|wikidata|urn:lsid:marinespecies\.org:taxname)\s*:\s*(?P<key>[\w.-]+)"
    r"|https?://(?:www\.)?gbif\.org/species/(?P<gbif>\d+)"
    r"|(?:https?://www\.wikidata\.org/(?:entity|wiki)/)?(?P<item>Q[1-9]\d*)",
    re.IGNORECASE,
)
_SPACES = {
    "gbif": "gbif", "col": "col", "aphia": "aphia", "aphiaid": "aphia", "worms": "aphia", "wikidata": "item",
    "urn:lsid:marinespecies.org:taxname": "aphia",
}  # fmt: skip


def resolve_names(index: NameIndex, queries: Iterable[NameQuery | str]) -> Iterator[NameAnswer]:
    """Yield one answer for each query, in order, streamed in batches; equal queries have equal answers.

    A name without anything beside it may be given as it is: ``"Parus major"`` for ``NameQuery("Parus major")``.
    """
    run = Resolver(index)
    waiting = iter(queries)
    while batch := list(islice(waiting, BATCH)):
        with _uncollected():
            answers = run.answers(batch)
        yield from answers
        del answers  # before the next ones are made


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep Python from looking for circles among answers while they are made: they have none, and are very many."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class Resolver:
    """Answers names from one index; keep one for many single questions, since it remembers what it has read."""

    def __init__(self, index: NameIndex) -> None:
        self._index = index
        self._plain = PlainNames(index)
        self._matcher = Matcher(index)

    def answer(self, query: NameQuery) -> NameAnswer:
        """Return the answer to one query."""
        return self.answers([query])[0]

    def answers(self, queries: Sequence[NameQuery | str]) -> list[NameAnswer]:
        """Return the answers to queries, in their order."""
        names = [one if isinstance(one, str) else one.name for one in queries]
        bare = [isinstance(one, str) or _is_bare(one) for one in queries]
        told, readings = self._plain.answers(names, bare)
        left = [at for at, answer in enumerate(told) if answer is None]
        for at in sorted(left, key=lambda at: names[at].lower()):  # neighbours share parts of the file
            told[at] = self._alone(_query(queries[at]), readings.get(at))
        return [answer for answer in told if answer is not None]

    def _alone(self, query: NameQuery, reading: Asked | None) -> NameAnswer:
        """Return the answer to one query by the whole ladder, and give memory back where it has become much."""
        self._index.trim()
        return self._fully(query, reading)

    # ---- the whole ladder -----------------------------------------------------------------------------------------

    def _fully(self, query: NameQuery, reading: Asked | None = None) -> NameAnswer:
        text = tidied(query.name)
        row, note = self._identified(query, text)
        if row >= 0:
            found = self._told(query, Match(row, "IDENTIFIER", 100))
            named = self._by_name(query, text, None) if text and not _IDENTIFIER.fullmatch(text) else found
            other = named.usage_key not in ("", found.usage_key, found.accepted_usage_key)
            said = f"the name leads to {named.scientific_name} ({named.usage_key})" if other else ""
            return found._replace(note=_notes(found.note, said))
        answer = self._by_name(query, text, reading)
        return answer._replace(note=_notes(answer.note, note)) if note else answer

    def _identified(self, query: NameQuery, text: str) -> tuple[int, str]:
        """Return the row of the identifier that was given, or stands in place of the name; and a note when unknown."""
        for written in (query.identifier.strip(), text):
            found = _IDENTIFIER.fullmatch(written)
            if found:
                space, key = _identifier(found)
                row = self._index.row_of_id(space, key)
            elif written and written == query.identifier.strip():
                row = self._index.row_of_id("", written)
            else:
                continue
            return row, "" if row >= 0 else f"the index does not have {written}"
        return -1, ""

    def _by_name(self, query: NameQuery, text: str, parsed: Asked | None) -> NameAnswer:
        if _IDENTIFIER.fullmatch(text):
            return NameAnswer(query=query.name, reason=f"{NOT_FOUND}: {text}")
        given = given_of(
            rank_of(query.rank), query.kingdom, query.phylum, query.class_, query.order, query.family, query.genus,
            strict=query.strict,
        )  # fmt: skip
        known = Known(self._index.knows, self._authorships, parsed)
        readings = read_name(text, " ".join(query.authorship.split()), query.genus.strip(), known)
        if not readings:
            told = levelled(text) or "nothing is written"
            return NameAnswer(query=query.name, reason=f"{NOT_A_NAME}: {told}")
        if not self._index.knows(readings[0].name):
            spoken = self._by_vernacular(query, text, given)
            if spoken is not None:
                return spoken
        match, reading = self._first_named([(self._matcher.match(one, given), one) for one in readings])
        return self._told(query, _explained(match, reading, text), reading)

    def _first_named(self, found: Sequence[tuple[Match, Asked]]) -> tuple[Match, Asked]:
        """Return the first reading whose name itself was found, exactly or nearly; else the first of all."""
        return next((pair for pair in found if pair[0].match_type in ("EXACT", "FUZZY")), found[0])

    def _authorships(self, name: str) -> list[str]:
        return [authorship_of(*self._index.text(row)) for row in self._index.rows_named(name)]

    def _by_vernacular(self, query: NameQuery, text: str, given: Given) -> NameAnswer | None:
        if not is_wordlike(text) or query.authorship or query.strict:
            return None
        borne: dict[int, str] = {}
        for row, language in self._index.spoken(text):
            accepted = self._index.accepted(row)
            kingdom = self._index.linnean(accepted)[KINGDOM]
            if not given.names[KINGDOM] or not kingdom or kingdom == given.names[KINGDOM]:
                borne.setdefault(accepted, language)
        if not borne:
            return None
        if len(borne) > 1:
            candidates = tuple(self._candidate_spoken(row) for row in list(borne)[:MOST_ALTERNATIVES])
            listed = ", ".join(f"{one.scientific_name} ({one.usage_key})" for one in candidates)
            return NameAnswer(query=query.name, reason=f"{TIE}: {listed}", alternatives=candidates)
        [(row, language)] = borne.items()
        match = Match(row, "VERNACULAR", VERNACULAR_CONFIDENCE, evidence=(("vernacular name", VERNACULAR_CONFIDENCE),))
        return self._told(query, match)._replace(matched_language=language)

    def _candidate_spoken(self, row: int) -> Candidate:
        name, canonical = self._index.text(row)
        return Candidate(
            self._index.key(row), name, canonical, self._index.rank(row), self._index.status(row), "VERNACULAR",
            VERNACULAR_CONFIDENCE, kingdom=self._index.kingdom(row), checklist_key=self._index.checklist(row)[0],
        )  # fmt: skip

    # ---- telling --------------------------------------------------------------------------------------------------

    def _told(self, query: NameQuery, match: Match, asked: Asked | None = None) -> NameAnswer:
        qualifier = asked.qualifier if asked else ""
        alternatives = tuple(self._candidate(one) for one in match.considered if one.row != match.row)
        alternatives = alternatives[:MOST_ALTERNATIVES]
        if not match.is_match:
            return NameAnswer(
                query=query.name,
                reason=match.reason,
                identification_qualifier=qualifier,
                alternatives=alternatives,
            )
        answer = self._of_row(query, match.row, match.match_type, match.confidence)._replace(
            reason=self._only_above(match) if match.match_type == "HIGHERRANK" else match.reason,
            identification_qualifier=qualifier,
            alternatives=alternatives,
            evidence=match.evidence,
        )
        answer = answer._replace(note=_notes(answer.note, self._elsewhere(match)))
        return self._merged(answer, match.row, query.merge_to) if query.merge_to else answer

    def _only_above(self, match: Match) -> str:
        """Return why a higher taxon answers for a name."""
        told = f"only the {self._index.rank(match.row).lower()} {self._index.canonical(match.row)} above it is known"
        return _notes(told, match.reason if match.reason != NOT_FOUND else "")

    def _of_row(self, query: NameQuery, row: int, match_type: str, confidence: int) -> NameAnswer:
        index = self._index
        accepted = index.accepted(row)
        name, canonical = index.text(row)
        accepted_name, accepted_canonical = (name, canonical) if accepted == row else index.text(accepted)
        is_synonym = index.is_synonym(row)
        checklist_key, moment = index.checklist(row)
        note = ""
        if accepted != row:
            note = f"{name} is a synonym of {accepted_name}"
        elif is_synonym:
            note = f"{name} is a synonym; the index does not say of what"
        if match_type == "FUZZY":
            note = _notes(f"spelt {canonical}", note)
        return NameAnswer(
            query=query.name,
            usage_key=index.key(row),
            accepted_usage_key=index.key(accepted) if accepted != row else "",
            scientific_name=name,
            canonical_name=canonical,
            rank=index.rank(row),
            status=index.status(row),
            match_type=match_type,
            confidence=confidence,
            accepted_name=accepted_name,
            item=index.id_in("item", accepted),
            gbif_key=index.id_in("gbif", accepted),
            col_id=index.id_in("col", accepted),
            aphia_id=index.id_in("aphia", accepted),
            checklist_key=checklist_key,
            note=note,
            classification=index.lineage(accepted),
            accepted_canonical=accepted_canonical,
            accepted_authorship=authorship_of(accepted_name, accepted_canonical),
            accepted_rank=index.rank(accepted),
            vernaculars=index.vernaculars(accepted),
            moment=moment,
        )

    def _merged(self, answer: NameAnswer, row: int, merge_to: str) -> NameAnswer:
        """Return the answer with its accepted taxon merged into the ancestor of this rank, where it stands below it."""
        wanted = rank_of(merge_to)
        accepted = self._index.accepted(row)
        if not wanted or CODE[self._index.rank(accepted)] <= CODE[wanted] or self._index.rank(accepted) == "UNRANKED":
            return answer
        above = self._index.ancestor(accepted, wanted)
        if above < 0 and wanted == "SPECIES":
            above = self._species_of(accepted)
        if above < 0:
            return answer
        name, canonical = self._index.text(above)
        return answer._replace(
            accepted_usage_key=self._index.key(above),
            accepted_name=name,
            accepted_canonical=canonical,
            accepted_authorship=authorship_of(name, canonical),
            accepted_rank=wanted,
            item=self._index.id_in("item", above),
            gbif_key=self._index.id_in("gbif", above),
            col_id=self._index.id_in("col", above),
            aphia_id=self._index.id_in("aphia", above),
            classification=self._index.lineage(above),
            vernaculars=self._index.vernaculars(above),
            note=_notes(answer.note, f"merged into the {wanted.lower()} {canonical}"),
        )

    def _species_of(self, row: int) -> int:
        """Return the species that a name of three words begins with, where the checklist does not say; -1 for none."""
        species = " ".join(folded(self._index.canonical(row)).split()[:2])
        accepted = {self._index.accepted(found) for found in self._index.rows_named(species)}
        fitting = [
            found for found in accepted if self._index.linnean(found)[:FAMILY] == self._index.linnean(row)[:FAMILY]
        ]
        return fitting[0] if len(fitting) == 1 and self._index.rank(fitting[0]) == "SPECIES" else -1

    def _candidate(self, one: Scored) -> Candidate:
        index = self._index
        accepted = index.accepted(one.row)
        return Candidate(
            usage_key=index.key(one.row),
            scientific_name=one.name,
            canonical_name=index.canonical(one.row),
            rank=index.rank(one.row),
            status=index.status(one.row),
            match_type=one.match_type,
            confidence=confidence_of(one.points),
            accepted_usage_key=index.key(accepted) if accepted != one.row else "",
            kingdom=index.kingdom(one.row),
            evidence=one.evidence,
            checklist_key=index.checklist(one.row)[0],
        )

    def _elsewhere(self, match: Match) -> str:
        """Return a note on equal names in another kingdom than the one answered."""
        own = self._index.linnean(match.row)[KINGDOM]
        exact = [one for one in match.considered if one.match_type == "EXACT" and one.row != match.row]
        abroad = [one for one in exact if own and self._index.linnean(one.row)[KINGDOM] not in ("", own)]
        shown = ", ".join(f"{one.name} ({self._index.kingdom(one.row)})" for one in abroad[:3])
        return f"also a name elsewhere: {shown}" if shown else ""


def to_taxon(answer: NameAnswer, moment: str) -> Taxon:
    """Return the answer as the record the rest of the project works with; ``moment`` is when it was asked."""
    found = answer.match_type != "NONE"
    known = (
        answer.item,
        f"gbif:{answer.gbif_key}" * bool(answer.gbif_key),
        f"aphia:{answer.aphia_id}" * bool(answer.aphia_id),
    )
    return Taxon(
        query=answer.query,
        concept=next(filter(None, known), "") if found else "",
        name=answer.accepted_canonical,
        authorship=answer.accepted_authorship,
        rank="" if answer.accepted_rank == "UNRANKED" else answer.accepted_rank.lower(),
        item=answer.item,
        gbif_key=answer.gbif_key,
        col_id=answer.col_id,
        aphia_id=answer.aphia_id,
        checklist_key=answer.checklist_key,
        lineage=answer.classification,
        vernaculars=answer.vernaculars,
        matched_name=answer.scientific_name,
        match_type=answer.match_type,
        confidence=answer.confidence,
        status="SYNONYM" if "SYNONYM" in answer.status else answer.status,
        source=answer.source,
        moment=moment,
        reason=_notes(answer.reason, answer.note),
    )


def _query(one: NameQuery | str) -> NameQuery:
    return NameQuery(one) if isinstance(one, str) else one


def _is_bare(query: NameQuery) -> bool:
    """Say whether nothing was said beside the name."""
    return not (
        query.authorship or query.rank or query.kingdom or query.phylum or query.class_ or query.order or query.family
        or query.genus or query.identifier or query.merge_to or query.strict
    )  # fmt: skip


def _explained(match: Match, asked: Asked, text: str) -> Match:
    """Return the match with its reason in full: what was no name, what is only known above."""
    if match.is_match or not match.reason.startswith(NOT_FOUND):
        return match
    if not asked.is_parsable and asked.kind != "IDENTIFIER":
        return replace(match, reason=f"{NOT_A_NAME}: {levelled(text)} ({asked.kind.lower()})")
    return match


def _identifier(found: re.Match[str]) -> tuple[str, str]:
    if found["gbif"]:
        return "gbif", found["gbif"]
    if found["item"]:
        return "item", found["item"].upper()
    return _SPACES[found["space"].lower()], found["key"]


def _notes(*notes: str) -> str:
    return "; ".join(filter(None, notes))
