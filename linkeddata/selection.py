"""Which records a list holds, and one page of them. In: a store and a ``Selection``. Out: records, counts.

Only what stands is in a list: not what was withdrawn (``linkeddata.withdrawals``).

Pages are read by key (keyset paging), forwards or backwards: the last costs what the first does. A taxon is looked for
with all that stands below it. Few hits are read by their taxon and sorted; many are met soon enough when walking in
key order and asking of each whether it is below.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from linkeddata.records import Agent, CampaignFile, Identification, Label, MediaFile, Record
from linkeddata.store import Store
from linkeddata.tables import BELOW, SHAPES
from linkeddata.withdrawals import standing

FEW = 10_000
"""Up to so many hits of a taxon are sorted; of more, a page is found within some hundred steps in key order."""
FEW_CONCEPTS = 2_000


@dataclass(frozen=True, slots=True)
class Selection:
    """What a list is narrowed to; what is empty narrows nothing."""

    equals: Mapping[str, str] = field(default_factory=dict)
    """Field → value of the record itself."""
    taxon: tuple[str, ...] = ()
    """Names of one taxon as ``lineages`` has them: Q-item, ``gbif:KEY``."""
    at_least: float = 0.0
    at_most: float = 1.0
    """Certainty of an identification, probability of a label."""
    since: str = ""
    until: str = ""
    """Moments, ISO 8601: from this one on, and before that one."""
    institution: str = ""
    campaign_of_file: str = ""
    agent_kind: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after ``key``, or going backwards before it; backwards from ``None`` is the last page."""

    key: str | None = ""
    backwards: bool = False


def page_of(store: Store, kind: type[Record], selection: Selection, place: Place, limit: int) -> list[Any]:
    """Return at most ``limit`` records in key order: those next to ``place``."""
    shape = SHAPES[kind]
    key = shape.table.c[shape.key]
    with store.reading() as connection:
        where, sorting = _where(connection, kind, selection)
        if place.key is not None and (place.key or place.backwards):
            where.append(key < place.key if place.backwards else key > place.key)
        # A computed column has no index: the database sorts the few hits instead of walking through everything.
        order = key + "" if sorting else key
        query = select(key).where(*where).order_by(order.desc() if place.backwards else order).limit(limit)
        keys = list(connection.execute(query).scalars())
        rows = connection.execute(select(shape.table).where(key.in_(keys)).order_by(key)).all() if keys else []
    return [shape.record(row) for row in rows]


def count_of(store: Store, kind: type[Record], selection: Selection) -> int:
    """Return how many records the selection holds."""
    with store.reading() as connection:
        where, _ = _where(connection, kind, selection)
        query = select(func.count()).select_from(SHAPES[kind].table).where(*where)
        return int(connection.execute(query).scalar_one())


def _where(connection: Connection, kind: type[Record], selection: Selection) -> tuple[list[ColumnElement[bool]], bool]:
    """Return the conditions, and whether the hits are few enough to be sorted."""
    column = SHAPES[kind].table.c
    where: list[ColumnElement[bool]] = [column[name] == value for name, value in selection.equals.items()]
    where += standing(kind)
    sure = column.certainty if kind is Identification else column.probability if kind is Label else None
    if sure is not None and selection.at_least > 0:
        where.append(sure >= selection.at_least)
    if sure is not None and selection.at_most < 1:
        where.append(sure <= selection.at_most)
    if selection.since:
        where.append(column.moment >= selection.since)
    if selection.until:
        where.append(column.moment < selection.until)
    where += _around(kind, selection)
    if not selection.taxon:
        return where, False
    below, few = _below(connection, kind, selection.taxon)
    return [*where, below], few


def _around(kind: type[Record], selection: Selection) -> list[ColumnElement[bool]]:
    """Return the conditions on what belongs to a record: its file, its campaign, who answered."""
    column = SHAPES[kind].table.c
    media, listed, agent = (SHAPES[one].table.c for one in (MediaFile, CampaignFile, Agent))
    where: list[ColumnElement[bool]] = []
    if selection.institution and kind is MediaFile:
        where.append(column.institution == selection.institution)
    elif selection.institution:
        where.append(column.file.in_(select(media.iri).where(media.institution == selection.institution)))
    if selection.campaign_of_file:
        file = column.iri if kind is MediaFile else column.file
        where.append(file.in_(select(listed.file).where(listed.campaign == selection.campaign_of_file)))
    if selection.agent_kind:
        known = column.agent.in_(select(agent.id).where(agent.kind == selection.agent_kind))
        unnamed = and_(column.agent == "", column.model != "")  # a model answered
        where.append(or_(known, unnamed) if selection.agent_kind == "SoftwareAgent" else known)
    return where


def _below(connection: Connection, kind: type[Record], names: tuple[str, ...]) -> tuple[ColumnElement[bool], bool]:
    """Return the condition that a record's taxon is one of ``names`` or below, and whether few records are."""
    table = SHAPES[kind].table
    item, gbif_key = table.c.item, table.c.gbif_key
    found = select(BELOW.c.concept).where(BELOW.c.ancestor.in_(names)).distinct().limit(FEW_CONCEPTS + 1)
    concepts = {*names, *connection.execute(found).scalars()}
    if len(concepts) <= FEW_CONCEPTS:
        items = sorted(one for one in concepts if not one.startswith("gbif:"))
        keys = sorted(one.removeprefix("gbif:") for one in concepts if one.startswith("gbif:"))
        hits = or_(item.in_(items), and_(item == "", gbif_key.in_(keys)))
        some = select(table.c.id).where(hits).limit(FEW + 1).subquery()
        if connection.execute(select(func.count()).select_from(some)).scalar_one() <= FEW:
            return hits, True
    own = _exists(item, names)
    by_key = and_(item == "", gbif_key != "", _exists("gbif:" + gbif_key, names))
    return or_(and_(item != "", own), by_key), False


def _exists(concept: ColumnElement[str], names: tuple[str, ...]) -> ColumnElement[bool]:
    """Return that ``concept`` is one of the names or below; each is asked for by key, none is listed."""
    below = [
        select(BELOW.c.source).where(BELOW.c.ancestor == name, BELOW.c.concept == concept).exists() for name in names
    ]
    return or_(concept.in_(names), *below)
