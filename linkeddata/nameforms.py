"""Questions and answers about names as plain data. In: JSON, or answers. Out: ``NameQuery`` records, or JSON and lines.

The command line, HTTP and the reconciliation service all speak through these, so that they say the same.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from linkeddata.errors import UsageError
from linkeddata.nameindex.answers import CONTEXT_TERMS, Candidate, NameAnswer, NameQuery, row_of
from linkeddata.records import Failure

_IDENTIFIER = re.compile(r"(gbif|col|aphia|aphiaid|wikidata):\S+|Q[1-9]\d*|https?://\S+|urn:lsid:\S+", re.IGNORECASE)


def is_identifier(text: str) -> bool:
    """Say whether ``text`` names its own scheme, so that it can mean only one thing.

    >>> is_identifier("gbif:2435099"), is_identifier("Q140"), is_identifier("2435099")
    (True, True, False)
    """
    return bool(_IDENTIFIER.fullmatch(text))


def parse_queries(payload: Any, merge_to: str = "") -> list[NameQuery]:
    """Return the queries in a JSON list: a name each, or an object with Darwin Core's terms. Raises ``UsageError``.

    >>> parse_queries(["Parus major", {"scientificName": "Oenanthe", "kingdom": "Plantae"}])[1].kingdom
    'Plantae'
    """
    if not isinstance(payload, list):
        raise UsageError("a JSON list of names is due")
    return [replace(_query(entry, at), merge_to=merge_to) for at, entry in enumerate(payload)]


def _query(entry: Any, at: int) -> NameQuery:
    if isinstance(entry, str):
        return NameQuery(_clean(entry))
    if not isinstance(entry, Mapping):
        raise UsageError(f"entry {at}: a name, or an object with scientificName, is due")
    unknown = [str(key) for key in entry if key not in CONTEXT_TERMS]
    if unknown:
        raise UsageError(f"entry {at}: {unknown[0]} is not known; known are {', '.join(CONTEXT_TERMS)}")
    if wrong := [key for key, value in entry.items() if not isinstance(value, str | int | None)]:
        raise UsageError(f"entry {at}: {wrong[0]} is no text")
    texts = {CONTEXT_TERMS[key]: "" if value is None else _clean(str(value)) for key, value in entry.items()}
    told: dict[str, Any] = {"name": "", **texts}
    return NameQuery(**told)


def _clean(text: str) -> str:
    """Return text with lone surrogates, which JSON can name and no encoding can carry, replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def document_of(answer: NameAnswer | Failure) -> dict[str, Any]:
    """Return an answer as JSON has it: the columns of a table, and then what a table has no room for."""
    if isinstance(answer, Failure):
        return {"verbatimName": answer.subject, "failure": answer.reason, "detail": answer.detail}
    row: dict[str, Any] = {"verbatimName": answer.query, **row_of(answer), "confidence": answer.confidence}
    return row | {
        "identificationQualifier": answer.identification_qualifier,
        "classification": [
            {"rank": step.rank, "name": step.name, "key": step.gbif_key} for step in answer.classification
        ],
        "vernacularNames": [{"language": language, "name": name} for language, name in answer.vernaculars],
        "alternatives": [candidate_document(one) for one in answer.alternatives],
        "evidence": dict(answer.evidence),
        "source": answer.source,
        "moment": answer.moment,
    }


def candidate_document(one: Candidate) -> dict[str, Any]:
    """Return one alternative as JSON has it."""
    return {
        "usageKey": one.usage_key,
        "acceptedUsageKey": one.accepted_usage_key,
        "scientificName": one.scientific_name,
        "canonicalName": one.canonical_name,
        "rank": one.rank,
        "status": one.status,
        "kingdom": one.kingdom,
        "matchType": one.match_type,
        "confidence": one.confidence,
        "evidence": dict(one.evidence),
    }


def line_of(answer: NameAnswer | Failure) -> str:
    """Return an answer as one line for people."""
    if isinstance(answer, Failure):
        return f"{answer.subject}: not answered: {answer.reason} {answer.detail}".rstrip()
    if answer.match_type == "NONE":
        return f"{answer.query}: NONE: {answer.reason}{_among(answer.alternatives)}"
    ids = [answer.item, *(f"{k}:{v}" for k, v in _keys(answer) if v)]
    kind = f"{answer.match_type} {answer.confidence}".removesuffix(" 0")
    said = f"{answer.query}: {answer.accepted_name or answer.scientific_name}  {answer.rank.lower()}  {kind}"
    note = "; ".join(filter(None, (answer.reason, answer.note)))
    return f"{said}  {'  '.join(filter(None, ids))}" + (f"  ({note})" if note else "")


def _keys(answer: NameAnswer) -> Sequence[tuple[str, str]]:
    own = (("gbif", answer.gbif_key), ("col", answer.col_id), ("AphiaID", answer.aphia_id))
    return own if any(key for _, key in own) else (("key", answer.accepted_usage_key or answer.usage_key),)


def _among(alternatives: Sequence[Candidate]) -> str:
    listed = [f"{one.scientific_name} ({one.kingdom or one.rank.lower()})" for one in alternatives[:5]]
    return f" [{'; '.join(listed)}]" if listed else ""
