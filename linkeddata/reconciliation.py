"""The Reconciliation Service API 0.2 over names, so that OpenRefine can ask. In: answers. Out: JSON, HTML.

https://www.w3.org/community/reports/reconciliation/CG-FINAL-specs-0.2-20230410/ (W3C Community Group). An entity is a
name usage, its id the usage's key where one checklist answers, else scheme and key (``gbif:2435099``); types are ranks
below the type ``taxon``; properties are what a query can be refined by and what an answer can be extended with. All
functions are pure.
"""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from linkeddata.errors import UsageError
from linkeddata.ids import COL_XR, GBIF_BACKBONE, GBIF_SPECIES
from linkeddata.nameindex.answers import COLUMNS, CONTEXT_TERMS, Candidate, NameAnswer, NameQuery, row_of
from linkeddata.settings import VERSION

Json = dict[str, Any]

TAXON = "taxon"
RANKS = (
    "kingdom",
    "phylum",
    "class",
    "order",
    "family",
    "genus",
    "species",
    "subspecies",
    "variety",
    "form",
)
"""The ranks that are offered as types."""
CANDIDATES = 5
"""Candidates of a query that does not say how many it wants."""
MOST_QUERIES = 1000
"""Queries, or ids to extend, in one request."""
SURE = frozenset({"EXACT", "IDENTIFIER", "VERNACULAR"})
"""Match types that need no person; a misspelt name and a genus in place of a species do."""
PREVIEW_PX = (430, 220)
SCHEMES = {GBIF_BACKBONE: "gbif", COL_XR: "col"}
VIEWS = {GBIF_BACKBONE: GBIF_SPECIES, COL_XR: "https://www.catalogueoflife.org/data/taxon/"}
"""Where a checklist shows its usages, by checklistKey."""

MORE_PROPERTIES = {
    "identificationQualifier": "qualifier of the name as written",
    "higherClassification": "classification, from the root down",
    "kingdom": "kingdom",
    "phylum": "phylum",
    "class": "class",
    "order": "order",
    "family": "family",
    "genus": "genus",
    "vernacularName": "vernacular names",
}
EXTENSIONS = {
    **{name: name for name in COLUMNS if name not in ("matchType", "confidence", "reason")},
    **MORE_PROPERTIES,
}
"""Properties that an entity can be extended with: id → name."""
REFINEMENTS = {term: term for term in CONTEXT_TERMS if term != "scientificName"}
"""Properties that a query can be refined by: id → name."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the service stands, and which checklist it answers from."""

    base: str  # of this installation's addresses, without a slash at its end
    checklist_key: str = ""  # of the one checklist that answers; empty for several, or one without a key
    title: str = ""

    @property
    def endpoint(self) -> str:
        """The service's address."""
        return f"{self.base}/reconcile"

    @property
    def space(self) -> str:
        """What stands before an entity's id in the address of its page."""
        return VIEWS.get(self.checklist_key, f"{self.endpoint}/entity/")

    def id_of(self, usage_key: str, checklist_key: str, other: str = "") -> str:
        """Return an entity's id: the key itself in one checklist with pages of its own, else one with its scheme.

        ``other`` is an identifier with its scheme, for usages whose checklist has no scheme.

        >>> Place("https://example.org", GBIF_BACKBONE).id_of("2435099", GBIF_BACKBONE)
        '2435099'
        >>> Place("https://example.org").id_of("2435099", GBIF_BACKBONE), Place("https://example.org").id_of("a1", "")
        ('gbif:2435099', 'a1')
        """
        if self.checklist_key in VIEWS:
            return usage_key
        scheme = SCHEMES.get(checklist_key)
        return f"{scheme}:{usage_key}" if scheme else other or usage_key


def manifest(place: Place) -> Json:
    """Return the service manifest (specification 4)."""
    width, height = PREVIEW_PX
    kinds = ("entity", "property", "type")
    return {
        "versions": ["0.2"],
        "name": f"De Boodt: names of {place.title or 'a checklist'}",
        "identifierSpace": place.space,
        "schemaSpace": "http://rs.tdwg.org/dwc/terms/",
        "serviceVersion": VERSION,
        "documentation": f"{place.base}/docs",
        "defaultTypes": [_type(TAXON)],
        "view": {"url": f"{place.space}{{{{id}}}}"},
        "preview": {"url": f"{place.endpoint}/preview?id={{{{id}}}}", "width": width, "height": height},
        "suggest": {kind: {"service_url": place.endpoint, "service_path": f"/suggest/{kind}"} for kind in kinds},
        "extend": {
            "propose_properties": {"service_url": place.endpoint, "service_path": "/properties"},
            "property_settings": [],
        },
    }


def parse_batch(text: str) -> dict[str, Json]:
    """Return the queries of a batch by the caller's ids (specification 5.1). Raises ``UsageError``."""
    batch = _object(text, "queries")
    if len(batch) > MOST_QUERIES:
        raise UsageError(f"{len(batch)} queries; {MOST_QUERIES} go into one request")
    for key, query in batch.items():
        if not isinstance(query, dict) or not (isinstance(query.get("query"), str) or query.get("properties")):
            raise UsageError(f"query {key!r}: needs a query or properties")
    return batch


def query_of(asked: Mapping[str, Any]) -> NameQuery:
    """Return what a query of the specification asks of an index. Raises ``UsageError``.

    >>> asked = query_of({"query": "Oenanthe", "type": "genus", "properties": [{"pid": "kingdom", "v": "Plantae"}]})
    >>> asked.name, asked.rank, asked.kingdom
    ('Oenanthe', 'genus', 'Plantae')
    """
    ranks = _ranks(asked)
    told: dict[str, Any] = {"name": str(asked.get("query") or ""), "rank": ranks[0] if len(ranks) == 1 else ""}
    properties = asked.get("properties") or ()
    for given in properties if isinstance(properties, list) else ():
        if not isinstance(given, dict) or "pid" not in given or "v" not in given:
            raise UsageError("a property needs pid and v")
        if given["pid"] in CONTEXT_TERMS:  # others are no evidence for us
            told[CONTEXT_TERMS[given["pid"]]] = _value(given["v"])
    return NameQuery(**told)


def result(answer: NameAnswer, asked: Mapping[str, Any], place: Place) -> Json:
    """Return the candidates for one query (specification 5.2), best first; several equals are none of them a match."""
    limit = asked.get("limit")
    most = int(limit) if isinstance(limit, int | float) and limit > 0 else CANDIDATES
    ranks = _ranks(asked)
    shown = [_best(answer, place)] if answer.match_type != "NONE" else []
    best = {one["id"] for one in shown}
    others = [_candidate(one, place) for one in answer.alternatives]
    shown += [one for one in others if one["id"] not in best]
    kept = [one for one in shown if not ranks or one["type"][0]["id"] in ranks]
    return {"result": kept[:most]}


def suggestions(answers: Iterable[NameAnswer], place: Place) -> Json:
    """Return entities to choose from while somebody types (specification 6): those with the names, homonyms too."""
    found: list[Json] = []
    for answer in answers:
        found += [_best(answer, place)] if answer.match_type in SURE else []
        equals = answer.alternatives if answer.match_type == "NONE" else ()
        found += [_candidate(one, place) for one in equals if one.match_type == "EXACT"]
    distinct = {one["id"]: one for one in found}
    return {
        "result": [
            {"id": one["id"], "name": one["name"], "description": one["description"], "notable": one["type"]}
            for one in distinct.values()
        ]
    }


def suggested_types(prefix: str) -> Json:
    """Return the types that begin so, or all for nothing."""
    return {"result": [_type(one) for one in (TAXON, *RANKS) if one.startswith(prefix.strip().casefold())]}


def suggested_properties(prefix: str) -> Json:
    """Return the properties whose id or name begins so, or all for nothing."""
    wanted = prefix.strip().casefold()
    known = REFINEMENTS | EXTENSIONS
    found = [pid for pid, name in known.items() if any(one.casefold().startswith(wanted) for one in (pid, name))]
    return {"result": [{"id": pid, "name": known[pid]} for pid in found]}


def proposed_properties(type_id: str, limit: int) -> Json:
    """Return the properties that an entity can be extended with (specification 8.1)."""
    listed = [{"id": pid, "name": name} for pid, name in EXTENSIONS.items()]
    return {"type": type_id or TAXON, "properties": listed[:limit] if limit else listed} | (
        {"limit": limit} if limit else {}
    )


def parse_extension(text: str) -> tuple[list[str], list[str]]:
    """Return the ids and properties of a data extension query (specification 8.2). Raises ``UsageError``."""
    asked = _object(text, "extend")
    ids, properties = asked.get("ids"), asked.get("properties")
    if not isinstance(ids, list) or not isinstance(properties, list):
        raise UsageError("extend: needs the lists ids and properties")
    if len(ids) > MOST_QUERIES:
        raise UsageError(f"{len(ids)} ids; {MOST_QUERIES} go into one request")
    wanted = [str(one["id"]) for one in properties if isinstance(one, dict) and "id" in one]
    if unknown := [pid for pid in wanted if pid not in EXTENSIONS]:
        raise UsageError(f"extend: there is no property {unknown[0]!r}")
    return [str(one) for one in ids], wanted


def by_key(key: str) -> NameQuery:
    """Return the query for the entity with this id."""
    return NameQuery("", identifier=key)


def extension(ids: Sequence[str], properties: Sequence[str], answers: Iterable[NameAnswer]) -> Json:
    """Return the values of properties (specification 8.3); an id that is not known has empty ones."""
    rows = {key: {pid: _cells(answer, pid) for pid in properties} for key, answer in zip(ids, answers, strict=True)}
    return {"meta": [{"id": pid, "name": EXTENSIONS[pid]} for pid in properties], "rows": rows}


def preview(answer: NameAnswer) -> str:
    """Return a small page about an entity (specification 7); it needs no script and fetches nothing."""
    if answer.match_type == "NONE":
        return _page("Not known", "<p>There is no such name in this index.</p>")
    parts = [f"<p><em>{html.escape(answer.rank.lower())}, {html.escape(answer.status.lower())}</em></p>"]
    if answer.accepted_usage_key:
        parts.append(f"<p>Accepted: <b>{html.escape(answer.accepted_name)}</b></p>")
    parts += [
        f"<p>{html.escape(line)}</p>" for line in (_higher(answer), _spoken(answer), _identifiers(answer)) if line
    ]
    return _page(answer.scientific_name, "".join(parts))


def _page(title: str, body: str) -> str:
    head = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title></head>'
    return f"{head}<body><h1>{html.escape(title)}</h1>{body}</body></html>"


def _object(text: str, what: str) -> Json:
    try:
        found = orjson.loads(text)
    except ValueError as error:
        raise UsageError(f"{what}: no JSON: {error}") from error
    if not isinstance(found, dict):
        raise UsageError(f"{what}: a JSON object is due")
    return found


def _ranks(asked: Mapping[str, Any]) -> list[str]:
    """Return the ranks among the types of a query; ``taxon`` stands for all."""
    given = asked.get("type") or []
    types = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    ranks = [str(one).casefold() for one in types]
    return [] if TAXON in ranks else [one for one in ranks if one in RANKS]


def _value(given: Any) -> str:
    value = given[0] if isinstance(given, list) and given else given
    if isinstance(value, dict):
        value = value.get("name") or value.get("id")
    return "" if value is None or isinstance(value, list) else str(value)


def _type(one: str) -> Json:
    return {"id": one, "name": one} | ({"broader": [{"id": TAXON, "name": TAXON}]} if one != TAXON else {})


def _types(rank: str) -> list[Json]:
    own = rank.lower()
    return [{"id": one, "name": one} for one in ([own] if own else []) + [TAXON]]


def _best(answer: NameAnswer, place: Place) -> Json:
    told = [answer.rank.lower(), answer.status.lower()]
    if answer.accepted_usage_key:
        told.append(f"accepted: {answer.accepted_name}")
    evidence = [*answer.evidence, ("exact", answer.match_type in SURE)]
    return {
        "id": place.id_of(answer.usage_key, _checklist(answer), _scheme(answer)),
        "name": answer.scientific_name,
        "description": "; ".join(filter(None, (", ".join(filter(None, told)), _higher(answer), answer.note))),
        "type": _types(answer.rank),
        "score": answer.confidence,
        "match": answer.match_type in SURE,
        "features": [{"id": what, "value": value} for what, value in evidence],
    }


def _checklist(answer: NameAnswer) -> str:
    """Return the checklist that the key of the matched usage is of."""
    return answer.checklist_key if answer.source in ("index", "gbif", "col") else ""


def _scheme(answer: NameAnswer) -> str:
    """Return an identifier with its scheme for what a service found that is no checklist of keys."""
    if answer.source == "index":
        return ""
    if answer.item:
        return answer.item
    keys = (("gbif", answer.gbif_key), ("aphia", answer.aphia_id))
    return next((f"{scheme}:{key}" for scheme, key in keys if key), "")


def _candidate(one: Candidate, place: Place) -> Json:
    return {
        "id": place.id_of(one.usage_key, one.checklist_key),
        "name": one.scientific_name,
        "description": ", ".join(filter(None, (one.rank.lower(), one.status.lower(), one.kingdom))),
        "type": _types(one.rank),
        "score": one.confidence,
        "match": False,
        "features": [{"id": what, "value": value} for what, value in one.evidence],
    }


def _cells(answer: NameAnswer, pid: str) -> list[Json]:
    if answer.match_type == "NONE":
        return []
    if pid == "vernacularName":
        return [{"str": name} for _, name in answer.vernaculars]
    if pid in COLUMNS:
        value = row_of(answer)[pid]
    elif pid in MORE_PROPERTIES and pid not in ("identificationQualifier", "higherClassification"):
        steps = [(step.rank, step.name) for step in answer.classification]
        value = dict([(answer.accepted_rank.lower(), answer.accepted_canonical), *steps]).get(pid, "")
    else:
        value = answer.identification_qualifier if pid == "identificationQualifier" else _higher(answer)
    return [{"str": value}] if value else []


def _higher(answer: NameAnswer) -> str:
    return " | ".join(step.name for step in answer.classification if step.name)


def _spoken(answer: NameAnswer) -> str:
    return ", ".join(f"{name} ({language})" for language, name in answer.vernaculars[:6])


def _identifiers(answer: NameAnswer) -> str:
    told = (("Wikidata", answer.item), ("GBIF", answer.gbif_key), ("COL", answer.col_id), ("WoRMS", answer.aphia_id))
    return ", ".join(f"{name} {value}" for name, value in told if value)
