"""The World: everything the stand-in serves, as plain data. In: builders' facts. Out: one source for all protocols.

Statements are kept in Wikibase's own JSON, so that what was recorded and what was made up are served alike. Nothing in
a World changes while it is served. ``statement`` and ``Entity`` make that JSON; the snak hashes are Wikibase's own
(SHA-1 over PHP's serialization, WikibaseDataModel ``Snak::getHash``), so that they compare equal to recorded ones.
"""

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from linkeddata.ids import COMMONS_ENTITY

Json = dict[str, Any]
Statements = Mapping[str, list[Json]]

PROPERTY_TYPES: Mapping[str, str] = {
    "P18": "commonsMedia",
    "P31": "wikibase-item",
    "P105": "wikibase-item",
    "P170": "wikibase-item",
    "P171": "wikibase-item",
    "P180": "wikibase-item",
    "P195": "wikibase-item",
    "P217": "string",
    "P225": "string",
    "P248": "wikibase-item",
    "P275": "wikibase-item",
    "P459": "wikibase-item",
    "P518": "wikibase-item",
    "P571": "time",
    "P687": "external-id",
    "P813": "time",
    "P846": "external-id",
    "P850": "external-id",
    "P854": "url",
    "P1163": "string",
    "P1420": "wikibase-item",
    "P1843": "monolingualtext",
    "P2093": "string",
    "P2677": "string",
    "P6243": "wikibase-item",
    "P7482": "wikibase-item",
    "P10585": "external-id",
}
"""Data types of the properties used, as Wikidata has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """The structured data of a file at one moment, or of an item: what Wikibase keeps as one JSON document."""

    labels: Mapping[str, str] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    statements: Statements = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One revision of a file page; ``entity`` is the content of its mediainfo slot, ``None`` when it has none."""

    id: int
    user: str
    moment: str  # 2021-10-03T14:05:00Z
    comment: str
    parent: int = 0
    tags: tuple[str, ...] = ()
    entity: Entity | None = None
    wikitext: str = ""
    hidden: tuple[str, ...] = ()  # user, comment, content: what an administrator has hidden


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """One entry of the deletion log."""

    number: int
    page_id: int
    title: str  # with prefix
    moment: str
    user: str = "Admin"
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One entry of the log of moves."""

    number: int
    title: str  # with prefix, before
    target: str  # and after
    moment: str
    user: str = "Admin"
    redirect: bool = False  # whether one was left


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file page with its history (oldest first), its image and what its description says."""

    page_id: int
    title: str  # with prefix and spaces: File:Plate 12.jpg
    revisions: tuple[Revision, ...]
    categories: tuple[str, ...] = ()  # without prefix
    joined: Mapping[str, str] = field(default_factory=dict)  # when the page came into a category, if not at upload
    image: Path | bytes | None = None  # None: the image is listed and cannot be had (404)
    url: str = ""  # where the image is, when it is not ours to serve
    sha1: str = ""
    size_bytes: int = 0
    width_px: int = 0
    height_px: int = 0
    mime: str = "image/jpeg"
    uploaded: str = ""
    uploader: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)  # extmetadata that the description page gives
    redirect: str = ""  # title of the file this page was moved to

    @property
    def id(self) -> str:
        """The MediaInfo id."""
        return f"M{self.page_id}"

    @property
    def entity(self) -> Entity | None:
        """The structured data as it stands; ``None`` when the page never had any."""
        return self.revisions[-1].entity if self.revisions else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One category page and the categories it is in."""

    page_id: int
    title: str  # with prefix
    moment: str
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One Wikidata item (or property), or a redirect to one."""

    id: str
    entity: Entity = field(default_factory=Entity)
    page_id: int = 0
    revision: int = 0
    modified: str = "2021-09-01T00:00:00Z"
    sitelinks: Mapping[str, str] = field(default_factory=dict)
    redirect: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """One name usage of GBIF's backbone; ``higher`` leads from the kingdom down to the accepted usage itself."""

    key: int
    scientific_name: str  # with authorship
    canonical_name: str
    rank: str  # SPECIES
    authorship: str = ""
    status: str = "ACCEPTED"  # ACCEPTED, SYNONYM, DOUBTFUL
    accepted: int = 0
    higher: tuple[tuple[str, str, int], ...] = ()  # (RANK, name, key)
    vernaculars: tuple[tuple[str, str], ...] = ()  # (language as ISO 639-3, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class IsaCampaign:
    """A campaign of the ISA tool, with its export as ISA sends it (UTF-8, CRLF)."""

    id: int
    name: str
    csv: bytes

    @property
    def file_name(self) -> str:
        """Name under which ISA offers the export."""
        return f"{self.name.replace(' ', '_')}_all_stats.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One recorded exchange that is replayed as it was; ``path`` is the stand-in's, ``params`` must all be equal."""

    path: str
    params: Mapping[str, str]
    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything the stand-in serves."""

    files: tuple[File, ...] = ()
    categories: tuple[Category, ...] = ()
    items: tuple[Item, ...] = ()
    usages: tuple[Usage, ...] = ()
    aphia: tuple[Mapping[str, Any], ...] = ()  # WoRMS records in WoRMS' own JSON
    isa: tuple[IsaCampaign, ...] = ()
    recorded: tuple[Recorded, ...] = ()
    deletions: tuple[Deletion, ...] = ()
    moves: tuple[Move, ...] = ()
    described_at_once: int = 500  # file pages that one answer describes before it is continued
    commons_entity: str = COMMONS_ENTITY
    site_name: str = "Wikimedia Commons"
    dumped: str = ""  # when the dump was made that the query services are built from
    updated: str = ""  # until when they have followed the wiki since
    property_types: Mapping[str, str] = field(default_factory=lambda: PROPERTY_TYPES)


def statement(
    subject: str,
    property_id: str,
    value: object,
    *,
    rank: str = "normal",
    qualifiers: Iterable[Json] = (),
    number: int | str = 0,
) -> Json:
    """Return one statement of ``subject`` as Wikibase writes it; ``value`` as for ``snak``.

    The statement id is made from subject, property, value and ``number``: the same statement, the same id.

    >>> statement("M11", "P180", "Q140")["mainsnak"]["hash"]
    '505361f4a6c877358abd05f6e35c77227fc23362'
    """
    seed = f"{subject}/{property_id}/{json.dumps(value, sort_keys=True)}/{number}"
    told = {q["property"]: [x for x in qualifiers if x["property"] == q["property"]] for q in qualifiers}
    main: Json = {"mainsnak": snak(property_id, value), "type": "statement"}
    if told:
        main |= {"qualifiers": told, "qualifiers-order": list(told)}
    return main | {"id": f"{subject}${uuid.uuid5(uuid.NAMESPACE_URL, seed)}".upper(), "rank": rank}


def snak(property_id: str, value: object) -> Json:
    """Return a snak of a Q-id (an item), other text (a string), ``"somevalue"``, ``"novalue"`` or a whole datavalue."""
    if value in ("somevalue", "novalue"):
        cls = f"Wikibase\\DataModel\\Snak\\Property{'SomeValue' if value == 'somevalue' else 'NoValue'}Snak"
        return {"snaktype": value, "property": property_id, "hash": _sha1(_php(cls, property_id))}
    data = _datavalue(value)
    return {"snaktype": "value", "property": property_id, "hash": _hash(property_id, data), "datavalue": data}


def statements(*given: Json) -> dict[str, list[Json]]:
    """Return statements grouped by property, as Wikibase keeps them."""
    grouped: dict[str, list[Json]] = {}
    for one in given:
        grouped.setdefault(one["mainsnak"]["property"], []).append(one)
    return grouped


def _datavalue(value: object) -> Json:
    if isinstance(value, dict):
        return value
    text = str(value)
    if text[:1] == "Q" and text[1:].isdigit():
        return {
            "value": {"entity-type": "item", "numeric-id": int(text[1:]), "id": text},
            "type": "wikibase-entityid",
        }
    return {"value": text, "type": "string"}


def _hash(property_id: str, data: Json) -> str:
    if data["type"] == "wikibase-entityid":
        inner = _php("Wikibase\\DataModel\\Entity\\ItemId", data["value"]["id"])
        packed = _php("Wikibase\\DataModel\\Entity\\EntityIdValue", inner)
    elif data["type"] == "string":
        packed = _php("DataValues\\StringValue", data["value"])
    else:  # other values serialize in ways that nobody here compares; any stable hash serves
        packed = json.dumps(data, sort_keys=True)
    pair = f'a:2:{{i:0;s:{len(property_id)}:"{property_id}";i:1;{packed}}}'
    return _sha1(_php("Wikibase\\DataModel\\Snak\\PropertyValueSnak", pair))


def _php(class_name: str, data: str) -> str:
    return f'C:{len(class_name)}:"{class_name}":{len(data.encode())}:{{{data}}}'


def _sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
