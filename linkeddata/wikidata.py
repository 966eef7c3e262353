"""Wikidata's taxa. In: Q-ids, external identifiers or words. Out: ``Item``, parsed by a pure function.

Asked through the Action API: ``wbgetentities`` in batches of 50, ``haswbstatement`` search
(https://www.mediawiki.org/wiki/Help:Extension:WikibaseCirrusSearch) and ``wbsearchentities``.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from linkeddata.client import Client
from linkeddata.errors import ServiceError
from linkeddata.ids import (
    APHIA_ID,
    COL_TAXON_ID,
    GBIF_TAXON_ID,
    INSTANCE_OF,
    PARENT_TAXON,
    TAXON,
    TAXON_NAME,
    TAXON_RANK,
    checked_item,
)
from linkeddata.settings import Settings

BATCH = 50
"""Ids a request may carry."""
LONGEST_SEARCH = 300
"""Characters of a search that CirrusSearch takes; longer ones are refused."""
LARGEST_ITEM = 2_147_483_647
"""Wikibase keeps item numbers in 32 bits: a larger one fails the whole batch."""

VERNACULAR_NAME = "P1843"
NAME_YEAR = "P574"
NAME_AUTHOR = "P405"
"""Qualifiers of a taxon name (P225): the year of its publication, and its authors."""
CITATIONS = ("P428", "P835")
"""How an author is cited behind names, in botany and in zoology."""
FOSSIL_TAXON = "Q23038290"
TAXON_CLASSES = frozenset({TAXON, FOSSIL_TAXON})

RANKS = {
    "Q146481": "domain",
    "Q19858692": "superkingdom",
    "Q36732": "kingdom",
    "Q2752679": "subkingdom",
    "Q3150876": "infrakingdom",
    "Q2111790": "superphylum",
    "Q3978005": "superphylum",
    "Q38348": "phylum",
    "Q334460": "division",
    "Q1153785": "subphylum",
    "Q2361851": "infraphylum",
    "Q3504061": "superclass",
    "Q37517": "class",
    "Q5867051": "subclass",
    "Q2007442": "infraclass",
    "Q2981883": "cohort",
    "Q5868144": "superorder",
    "Q36602": "order",
    "Q5867959": "suborder",
    "Q2889003": "infraorder",
    "Q6311258": "parvorder",
    "Q2136103": "superfamily",
    "Q35409": "family",
    "Q164280": "subfamily",
    "Q2455704": "subfamily",
    "Q14817220": "supertribe",
    "Q227936": "tribe",
    "Q3965313": "subtribe",
    "Q34740": "genus",
    "Q3238261": "subgenus",
    "Q6045742": "nothogenus",
    "Q10861426": "section",
    "Q3181348": "section",
    "Q10861375": "subsection",
    "Q5998839": "subsection",
    "Q21061732": "series",
    "Q3025161": "series",
    "Q7574964": "species group",
    "Q1297859": "species aggregate",
    "Q1783100": "superspecies",
    "Q7432": "species",
    "Q1306176": "nothospecies",
    "Q68947": "subspecies",
    "Q767728": "variety",
    "Q630771": "subvariety",
    "Q279749": "form",
    "Q5469884": "form",
    "Q4886": "cultivar",
    "Q713623": "clade",
}
"""Items of the usual taxonomic ranks (values of P105) with the name we give the rank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What an item says about a taxon: values of best rank, deprecated ones and unknown ones left out."""

    id: str
    redirected_from: str = ""
    label: str = ""
    labels: tuple[tuple[str, str], ...] = ()  # (language, text)
    aliases: tuple[tuple[str, str], ...] = ()
    classes: tuple[str, ...] = ()  # P31
    names: tuple[str, ...] = ()  # P225
    ranks: tuple[str, ...] = ()  # P105 in words; a rank that is not in RANKS is left out
    gbif_keys: tuple[str, ...] = ()  # P846
    col_ids: tuple[str, ...] = ()  # P10585
    aphia_ids: tuple[str, ...] = ()  # P850
    parents: tuple[str, ...] = ()  # P171
    vernaculars: tuple[tuple[str, str], ...] = ()  # P1843
    years: tuple[str, ...] = ()  # P574 of the taxon name
    authors: tuple[str, ...] = ()  # P405 of the taxon name
    citations: tuple[str, ...] = ()  # of a person: P428, P835

    @property
    def is_taxon(self) -> bool:
        """Whether the item says so: it is an instance of taxon, or it has a taxon name."""
        return bool(self.names) or not TAXON_CLASSES.isdisjoint(self.classes)

    @property
    def name(self) -> str:
        """The taxon name, empty when there is none."""
        return self.names[0] if self.names else ""

    @property
    def rank(self) -> str:
        """The rank, empty when there is not exactly one."""
        return self.ranks[0] if len(self.ranks) == 1 else ""


def items(
    client: Client, settings: Settings, ids: Sequence[str], languages: Sequence[str] = ("nl", "en")
) -> dict[str, Item]:
    """Return the items by the id they were asked for; a missing or deleted one is left out.

    ``ids`` must be item ids (else ``ValueError``): one malformed id fails a batch. Raises ``ServiceError``.
    """
    found: dict[str, Item] = {}
    for start in range(0, len(ids), BATCH):
        batch = [checked_item(item) for item in ids[start : start + BATCH]]
        params: dict[str, str | int] = {
            "action": "wbgetentities",
            "ids": "|".join(batch),
            "props": "info|labels|aliases|claims",
            "languages": "|".join(dict.fromkeys([*languages, "en", "mul"])),
            "maxlag": 5,
            "format": "json",
        }
        found |= parse_entities(client.get_json(settings.wikidata_api, params))
    return found


def items_with(client: Client, settings: Settings, statements: Iterable[tuple[str, str]]) -> list[str]:
    """Return ids of items that have at least one of these (property, value) statements. Raises ``ServiceError``.

    The search compares without case and looks into an index that may lag: check each item before believing it.
    """
    found: dict[str, None] = {}
    for search in searches(statements):
        for page in _search_pages(client, settings, search):
            found |= dict.fromkeys(parse_search(page))
    return list(found)


def items_named(client: Client, settings: Settings, text: str, language: str) -> list[str]:
    """Return ids of up to 50 items whose label or alias in ``language`` begins so. Raises ``ServiceError``."""
    params: dict[str, str | int] = {"action": "wbsearchentities", "search": text, "language": language}
    params |= {"type": "item", "limit": BATCH, "maxlag": 5, "format": "json"}
    return parse_search(client.get_json(settings.wikidata_api, params))


def searches(statements: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield ``haswbstatement`` searches that ask for these statements, as many in each as a search may hold.

    >>> list(searches([("P846", "1937911"), ("P846", "1937444")]))
    ['haswbstatement:P846=1937911|P846=1937444']
    >>> list(searches([("P225", "Papilio paris")]))
    ['haswbstatement:"P225=Papilio paris"']
    """
    held = ""
    for prop, value in statements:
        clean = value.replace('"', " ").replace("|", " ").strip()
        if " " in clean:  # the quotation marks go around property and value, and such a value stands alone
            yield f'haswbstatement:"{prop}={clean}"'
            continue
        longer = f"{held}|{prop}={clean}" if held else f"haswbstatement:{prop}={clean}"
        if len(longer) > LONGEST_SEARCH:
            yield held
            longer = f"haswbstatement:{prop}={clean}"
        held = longer
    if held:
        yield held


def parse_entities(payload: Any) -> dict[str, Item]:
    """Return the items of a ``wbgetentities`` answer by the id they were asked for. Raises ``ServiceError``."""
    entities = payload.get("entities") if isinstance(payload, dict) else None
    if not isinstance(entities, dict):
        raise ServiceError("Wikidata sent no entities", code="malformed")
    found = (parse_item(entity) for entity in entities.values() if "missing" not in entity)
    return {item.redirected_from or item.id: item for item in found}


def parse_item(entity: Any) -> Item:
    """Return what one entity document says about a taxon. Raises ``ServiceError`` if it is no item.

    An object that PHP wrote as an empty list, absent parts, values without a value and redirects are all met in life.
    """
    if not isinstance(entity, dict) or entity.get("type", "item") != "item":
        raise ServiceError("Wikidata sent something that is no item", code="malformed")
    claims = entity.get("claims") or {}
    labels = _terms(entity.get("labels"))
    return Item(
        id=str(entity["id"]),
        redirected_from=str((entity.get("redirects") or {}).get("from", "")),
        label=_label(dict(labels)),
        labels=labels,
        aliases=_terms(entity.get("aliases")),
        classes=_values(claims, INSTANCE_OF),
        names=_values(claims, TAXON_NAME),
        ranks=tuple(RANKS[rank] for rank in _values(claims, TAXON_RANK) if rank in RANKS),
        gbif_keys=_values(claims, GBIF_TAXON_ID),
        col_ids=_values(claims, COL_TAXON_ID),
        aphia_ids=_values(claims, APHIA_ID),
        parents=_values(claims, PARENT_TAXON),
        vernaculars=tuple(
            (str(value.get("language", "")), str(value.get("text", "")))
            for value in _data(claims, VERNACULAR_NAME)
            if isinstance(value, dict)
        ),
        years=tuple(
            dict.fromkeys(str(value.get("time", ""))[1:5] for value in _qualifying(claims, TAXON_NAME, NAME_YEAR))
        ),
        authors=tuple(
            dict.fromkeys(str(value.get("id", "")) for value in _qualifying(claims, TAXON_NAME, NAME_AUTHOR))
        ),
        citations=tuple(citation for prop in CITATIONS for citation in _values(claims, prop)),
    )


@dataclass(frozen=True, slots=True)
class Hit:
    """One item that a search for words found."""

    id: str
    label: str = ""
    description: str = ""


def items_called(client: Client, settings: Settings, text: str, language: str, limit: int = 10) -> list[Hit]:
    """Return items of any kind whose label or alias in ``language`` begins so. Raises ``ServiceError``."""
    params: dict[str, str | int] = {"action": "wbsearchentities", "search": text, "language": language}
    params |= {"uselang": language, "type": "item", "limit": limit, "maxlag": 5, "format": "json"}
    return parse_hits(client.get_json(settings.wikidata_api, params))


def parse_hits(payload: Any) -> list[Hit]:
    """Return the hits of an answer of ``wbsearchentities`` with their words. Raises ``ServiceError``.

    >>> parse_hits({"search": [{"id": "Q15", "label": "Africa", "description": "continent"}]})
    [Hit(id='Q15', label='Africa', description='continent')]
    """
    ids = parse_search(payload)
    said = ((str(hit.get("label", "")), str(hit.get("description", ""))) for hit in payload["search"])
    return [Hit(item, label, description) for item, (label, description) in zip(ids, said, strict=True)]


def parse_search(payload: Any) -> list[str]:
    """Return the item ids of an answer of ``list=search`` or ``wbsearchentities``. Raises ``ServiceError``."""
    outer = payload if isinstance(payload, dict) else {}
    hits = outer.get("search", (outer.get("query") or {}).get("search"))
    if not isinstance(hits, list):
        raise ServiceError("Wikidata sent no search results", code="malformed")
    return [checked_item(str(hit.get("id") or hit["title"])) for hit in hits]


def _search_pages(client: Client, settings: Settings, search: str) -> Iterator[Any]:
    params: dict[str, str | int] = {"action": "query", "list": "search", "srsearch": search, "srnamespace": 0}
    params |= {"srlimit": BATCH, "srprop": "", "srinfo": "", "maxlag": 5, "format": "json"}
    offset = 0
    while True:
        page = client.get_json(settings.wikidata_api, params | {"sroffset": offset})
        yield page
        offset = int((page.get("continue") or {}).get("sroffset", 0))
        if not offset:
            return


def _data(claims: Any, prop: str) -> list[Any]:
    """Return the values of best rank: the preferred ones, or else the normal ones."""
    stated = [statement for statement in claims.get(prop) or () if statement.get("rank") != "deprecated"]
    preferred = [statement for statement in stated if statement.get("rank") == "preferred"]
    snaks = (statement.get("mainsnak") or {} for statement in preferred or stated)
    return [snak["datavalue"]["value"] for snak in snaks if snak.get("snaktype") == "value" and "datavalue" in snak]


def _qualifying(claims: Any, prop: str, qualifier: str) -> Iterator[dict[str, Any]]:
    """Yield the values, times or items, of a qualifier of the statements of best rank."""
    stated = [statement for statement in claims.get(prop) or () if statement.get("rank") != "deprecated"]
    preferred = [statement for statement in stated if statement.get("rank") == "preferred"]
    for statement in preferred or stated:
        for snak in (statement.get("qualifiers") or {}).get(qualifier) or ():
            value = (snak.get("datavalue") or {}).get("value")
            if snak.get("snaktype") == "value" and isinstance(value, dict):
                yield value


def _values(claims: Any, prop: str) -> tuple[str, ...]:
    """Return the distinct values of a property in order: text, or the ids of items."""
    values = (value.get("id", "") if isinstance(value, dict) else str(value).strip() for value in _data(claims, prop))
    return tuple(dict.fromkeys(value for value in values if value))


def _terms(terms: Any) -> tuple[tuple[str, str], ...]:
    listed = terms.items() if isinstance(terms, dict) else ()
    return tuple(
        (language, term["value"])
        for language, given in listed
        for term in (given if isinstance(given, list) else [given])
        if "value" in term
    )


def _label(labels: dict[str, str]) -> str:
    return labels.get("en") or labels.get("mul") or next(iter(labels.values()), "")
