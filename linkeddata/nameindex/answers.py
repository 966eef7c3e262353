"""What is asked of the offline resolver and what it answers. In: nothing. Out: ``NameQuery`` and ``NameAnswer``.

Text that is not known is ``""``, a number that is not known is ``0``. ``COLUMNS`` gives each output column the name
that GBIF and Darwin Core use for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from linkeddata.records import Ancestor

CONTEXT_TERMS: Mapping[str, str] = {
    "scientificName": "name",
    "scientificNameAuthorship": "authorship",
    "taxonRank": "rank",
    "kingdom": "kingdom",
    "phylum": "phylum",
    "class": "class_",
    "order": "order",
    "family": "family",
    "genus": "genus",
    "specificEpithet": "species",
    "taxonID": "identifier",
}
"""Darwin Core's term for each field of a query: columns with these names are used as context."""

COLUMNS: Mapping[str, str] = {
    "usageKey": "usage_key",
    "acceptedUsageKey": "accepted_usage_key",
    "scientificName": "scientific_name",
    "canonicalName": "canonical_name",
    "rank": "rank",
    "status": "status",
    "matchType": "match_type",
    "confidence": "confidence",
    "reason": "reason",
    "acceptedName": "accepted_name",
    "item": "item",
    "gbifKey": "gbif_key",
    "colID": "col_id",
    "aphiaID": "aphia_id",
    "checklistKey": "checklist_key",
    "note": "note",
}
"""The columns of an answer, in order: GBIF's name of the column, and the field of ``NameAnswer`` it is read from."""


@dataclass(frozen=True, slots=True)
class NameQuery:
    """One name as somebody wrote it, with what else was said about it; only ``name`` is needed.

    ``identifier`` is ``gbif:2435099``, ``AphiaID:126436``, ``col:4CGXP``, ``Q140`` or a bare key of the index; where it
    is known to the index it answers, and a name that disagrees with it is noted. ``merge_to`` is the rank below which
    answers are merged into their ancestor: ``species`` turns a subspecies into its species. ``strict`` takes the name
    itself or nothing: no near spelling, no higher taxon, no other authors.
    """

    name: str
    authorship: str = ""
    rank: str = ""
    kingdom: str = ""
    phylum: str = ""
    class_: str = ""
    order: str = ""
    family: str = ""
    genus: str = ""
    species: str = ""
    identifier: str = ""
    merge_to: str = ""
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """One usage that was considered for a name, with the part each piece of evidence played in its score."""

    usage_key: str
    scientific_name: str
    canonical_name: str
    rank: str  # upper case, GBIF's: SPECIES
    status: str  # ACCEPTED, SYNONYM, DOUBTFUL
    match_type: str  # EXACT, FUZZY, VERNACULAR, HIGHERRANK
    confidence: int
    accepted_usage_key: str = ""
    kingdom: str = ""
    evidence: tuple[tuple[str, int], ...] = ()  # ("name", 110), ("classification", -5) …, as they were added up
    checklist_key: str = ""  # the checklist that usage_key is of


class NameAnswer(NamedTuple):
    """What one name resolved to; a named tuple, since millions of them are made.

    For match type NONE all keys are empty, ``confidence`` is 0 and ``reason`` says why, in words that begin with one of
    ``not a name``, ``not found``, ``tie``, ``homonym across kingdoms`` (``… and codes``) or ``low confidence``.
    """

    query: str  # the verbatim name
    usage_key: str = ""  # of the name that was matched, in the index's own checklist
    accepted_usage_key: str = ""  # only where the matched name is a synonym
    scientific_name: str = ""  # of the matched usage, with authorship
    canonical_name: str = ""
    rank: str = ""  # upper case, GBIF's: SPECIES
    status: str = ""  # ACCEPTED, SYNONYM, DOUBTFUL
    match_type: str = "NONE"  # EXACT, FUZZY, HIGHERRANK, VERNACULAR, IDENTIFIER, NONE
    confidence: int = 0  # 0-100
    reason: str = ""  # for NONE: why; for HIGHERRANK: why not lower
    accepted_name: str = ""  # with authorship; the matched name itself where that is accepted
    item: str = ""  # Wikidata Q-id, where the index has one
    gbif_key: str = ""  # numeric backbone key of the accepted taxon
    col_id: str = ""  # COL XR id of the accepted taxon
    aphia_id: str = ""
    checklist_key: str = ""  # the checklist that usage_key is of
    note: str = ""  # warnings: accepted name differs, homonyms elsewhere, spelt otherwise
    identification_qualifier: str = ""  # cf., aff., agg., sp., sensu …, as written
    classification: tuple[Ancestor, ...] = ()  # of the accepted taxon, from the root down, itself not included
    accepted_canonical: str = ""  # the accepted name without authorship
    accepted_authorship: str = ""
    accepted_rank: str = ""  # upper case
    vernaculars: tuple[tuple[str, str], ...] = ()  # (language, name)
    matched_language: str = ""  # of the vernacular name that was hit
    alternatives: tuple[Candidate, ...] = ()
    evidence: tuple[tuple[str, int], ...] = ()  # what the score of the answer is made of
    source: str = "index"
    moment: str = ""  # when the index's source was read, ISO 8601


def row_of(answer: NameAnswer) -> dict[str, str]:
    """Return the answer as a row of text under the names of ``COLUMNS``.

    >>> row_of(NameAnswer(query="x", match_type="NONE"))["matchType"]
    'NONE'
    """
    return {column: str(getattr(answer, field)) for column, field in COLUMNS.items()}
