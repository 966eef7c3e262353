"""GBIF's species services. In: a name or a key. Out: ``Match`` and ``Usage``, parsed by pure functions.

Two checklists are asked: the numeric backbone (``/v1/species/match``, ``/v1/species/{key}``; Wikidata's P846) and the
Catalogue of Life eXtended Release (``/v2/species/match`` with its checklistKey; Wikidata's P10585).
https://techdocs.gbif.org/en/openapi/v1/species
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from linkeddata.client import Client
from linkeddata.errors import ServiceError
from linkeddata.ids import COL_XR, GBIF_BACKBONE
from linkeddata.records import Ancestor
from linkeddata.settings import Settings

RANKS = ("kingdom", "phylum", "class", "order", "family", "genus", "species")
"""The ranks of the backbone's classification, from the root down."""

MATCH_TYPES = {
    "EXACT": "EXACT",
    "FUZZY": "FUZZY",
    "VARIANT": "FUZZY",  # version 2 calls it so
    "HIGHERRANK": "HIGHERRANK",
    "NONE": "NONE",
}
"""GBIF's words for how a name matched, and ours."""

_RANK_MARKERS = frozenset({"subsp.", "ssp.", "var.", "f.", "subvar.", "subf.", "nothosubsp.", "nothovar.", "agg."})


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """One name as a checklist has it: an accepted name, or a synonym that leads to one."""

    key: str
    name: str = ""  # canonical, without authorship
    scientific_name: str = ""  # with authorship
    authorship: str = ""
    rank: str = ""  # lower case; empty for UNRANKED
    status: str = ""  # ACCEPTED, SYNONYM, DOUBTFUL
    accepted_key: str = ""  # of a synonym, when the answer names it
    lineage: tuple[Ancestor, ...] = ()
    """Ancestors of the accepted taxon from the root down, itself not included; now and then GBIF gives a key only."""
    checklist_key: str = ""
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What GBIF made of a name. ``match_type`` is empty where the answer does not state it."""

    match_type: str
    confidence: int = 0  # 0-100; of a NONE: how sure GBIF is that there is nothing
    note: str = ""
    usage: Usage | None = None
    accepted: Usage | None = None  # version 2 tells the accepted name with the synonym
    alternatives: tuple["Match", ...] = ()


def match(client: Client, settings: Settings, name: str, context: Mapping[str, str] | None = None) -> Match:
    """Return the backbone's match of a verbatim name. Raises ``ServiceError``.

    ``context`` is what else is known, by GBIF's parameters: rank, kingdom, phylum, class, order, family, genus.
    """
    url = f"{settings.gbif_api}/v1/species/match"
    return parse_match_v1(client.get_json(url, {"name": name, "verbose": "true", **(context or {})}))


def usage(client: Client, settings: Settings, key: str) -> Usage | None:
    """Return the backbone's usage with this key, ``None`` where GBIF has no such key. Raises ``ServiceError``."""
    try:
        return parse_usage(client.get_json(f"{settings.gbif_api}/v1/species/{quote(key, safe='')}"))
    except ServiceError as error:
        if error.code == "404":
            return None
        raise


def match_col(
    client: Client,
    settings: Settings,
    name: str,
    *,
    rank: str = "",
    kingdom: str = "",
    higher: Mapping[str, str] | None = None,
) -> Match:
    """Return the Catalogue of Life's (XR) match of a name with authorship. Raises ``ServiceError``."""
    context = {"taxonRank": rank.upper(), "kingdom": kingdom}
    given = {key: value for key, value in context.items() if value} | dict(higher or {})
    params = {"scientificName": name, "checklistKey": COL_XR, "verbose": "false"} | given
    return parse_match_v2(client.get_json(f"{settings.gbif_api}/v2/species/match", params), checklist_key=COL_XR)


def carried_over(client: Client, settings: Settings, key: str) -> Match:
    """Return what the Catalogue of Life (XR) has for a key of the numeric backbone. Raises ``ServiceError``.

    Only a match that is EXACT, of an ACCEPTED usage, may be taken; everything else is for a person.
    """
    params = {"scientificNameID": f"gbif:{key}", "checklistKey": COL_XR}
    return parse_match_v2(client.get_json(f"{settings.gbif_api}/v2/species/match", params), checklist_key=COL_XR)


def parse_match_v1(payload: Any) -> Match:
    """Return the match in an answer of ``/v1/species/match``. Raises ``ServiceError`` if it is none.

    >>> parse_match_v1({"confidence": 100, "note": "No name given", "matchType": "NONE", "synonym": False}).match_type
    'NONE'
    """
    given = _object(payload)
    return Match(
        match_type=MATCH_TYPES.get(str(given.get("matchType", "")), ""),
        confidence=int(given.get("confidence", 0)),
        note=str(given.get("note", "")),
        usage=_usage_v1(given, _text(given.get("usageKey")), _text(given.get("acceptedUsageKey"))),
        alternatives=tuple(parse_match_v1(other) for other in given.get("alternatives") or ()),
    )


def parse_usage(payload: Any) -> Usage:
    """Return the usage in an answer of ``/v1/species/{key}``. Raises ``ServiceError`` if it is none."""
    given = _object(payload)
    found = _usage_v1(given, _text(given.get("key")), _text(given.get("acceptedKey")))
    if found is None:
        raise ServiceError("GBIF sent a usage without a key", code="malformed")
    return found


def parse_match_v2(payload: Any, *, checklist_key: str = GBIF_BACKBONE) -> Match:
    """Return the match in an answer of ``/v2/species/match``. Raises ``ServiceError`` if it is none.

    ``checklist_key`` is the checklist that was asked; the answer does not repeat it.
    """
    given = _object(payload)
    diagnostics = given.get("diagnostics") or {}
    lineage = _lineage_v2(given.get("classification") or ())
    status = "SYNONYM" if given.get("synonym") is True else ""
    accepted = _usage_v2(given.get("acceptedUsage"), lineage, "ACCEPTED", checklist_key)
    hit = _usage_v2(given.get("usage"), lineage, status, checklist_key, accepted.key if accepted else "")
    return Match(
        match_type=MATCH_TYPES.get(str(diagnostics.get("matchType", "")), ""),
        confidence=int(diagnostics.get("confidence", 0)),
        note=str(diagnostics.get("note", "")),
        usage=hit,
        accepted=accepted,
        alternatives=tuple(
            parse_match_v2(other, checklist_key=checklist_key) for other in diagnostics.get("alternatives") or ()
        ),
    )


def authorship_of(scientific_name: str, name: str) -> str:
    """Return what a scientific name has beyond its canonical form; empty when they do not agree.

    >>> authorship_of("Cyanistes caeruleus (Linnaeus, 1758)", "Cyanistes caeruleus")
    '(Linnaeus, 1758)'
    >>> authorship_of("Python molurus subsp. bivittatus Kuhl, 1820", "Python molurus bivittatus")
    'Kuhl, 1820'
    """
    words = [word for word in scientific_name.split() if word not in _RANK_MARKERS]
    canonical = name.split()
    return " ".join(words[len(canonical) :]) if canonical and words[: len(canonical)] == canonical else ""


def _usage_v1(given: dict[str, Any], key: str, accepted_key: str) -> Usage | None:
    if not key:
        return None
    rank = _rank(given)
    name = str(given.get("canonicalName") or "")
    scientific_name = str(given.get("scientificName") or "")
    synonym = given.get("synonym") is True or (accepted_key not in ("", key))
    return Usage(
        key=key,
        name=name or scientific_name,
        scientific_name=scientific_name,
        authorship=str(given.get("authorship") or "").strip() or authorship_of(scientific_name, name),
        rank=rank,
        status=_status(given.get("status") or given.get("taxonomicStatus"), synonym),
        accepted_key="" if accepted_key == key else accepted_key,
        lineage=_lineage_v1(given, rank, {key, accepted_key}),
        checklist_key=str(given.get("datasetKey") or GBIF_BACKBONE),
        deleted=bool(given.get("deleted")),
    )


def _lineage_v1(given: dict[str, Any], rank: str, own: set[str]) -> tuple[Ancestor, ...]:
    above = RANKS[: RANKS.index(rank)] if rank in RANKS else RANKS
    steps = (Ancestor(step, str(given.get(step) or ""), _text(given.get(f"{step}Key"))) for step in above)
    return tuple(step for step in steps if (step.name or step.gbif_key) and step.gbif_key not in own)


def _usage_v2(
    given: Any, lineage: tuple[Ancestor, ...], status: str, checklist_key: str, accepted_key: str = ""
) -> Usage | None:
    if not isinstance(given, dict) or not given.get("key"):
        return None
    key = str(given["key"])
    name = str(given.get("canonicalName") or given.get("name") or "")
    return Usage(
        key=key,
        name=name,
        scientific_name=str(given.get("name", "")),
        authorship=str(given.get("authorship", "")),
        rank=_rank(given),
        status=_status(given.get("status") or status, status == "SYNONYM"),
        accepted_key=accepted_key,
        lineage=tuple(step for step in lineage if step.gbif_key not in (key, accepted_key)),
        checklist_key=checklist_key,
    )


def _lineage_v2(steps: Any) -> tuple[Ancestor, ...]:
    return tuple(Ancestor(_rank(step), str(step.get("name", "")), str(step.get("key", ""))) for step in steps)


def _rank(given: dict[str, Any]) -> str:
    rank = str(given.get("rank") or "").lower()
    return "" if rank == "unranked" else rank


def _status(given: Any, synonym: bool) -> str:
    told = str(given or "").upper()
    if synonym or "SYNONYM" in told or told == "MISAPPLIED":
        return "SYNONYM"
    return told


def _text(key: Any) -> str:
    return "" if key is None else str(key)


def _object(payload: Any) -> dict[str, Any]:
    if not isinstance(payload, dict):
        raise ServiceError(f"GBIF sent {type(payload).__name__} where an object is due", code="malformed")
    return payload
