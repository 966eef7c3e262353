"""Which records a list holds, and one page of them. In: a store and a ``Selection``. Out: records, counts.

Only what stands is in a list: not what was withdrawn (``linkeddata.withdrawals``).

Pages are read by key (keyset paging), forwards or backwards: the last costs what the first does. A taxon is looked for
with all that stands below it. Few hits are read by their taxon and sorted; many are met soon enough when walking in
key order and asking of each whether it is below.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from linkeddata.records import Identification, Label, MediaFile, Record
from linkeddata.store import Store
from linkeddata.tables import SHAPES
from linkeddata.withdrawals import STANDING

FEW_CONCEPTS = 2_000
"""Up to so many taxa are listed in a question; what is below more is looked up for each record that is met."""
NEAR = 100
"""So many times as many records as the log has entries make the number of hits, squared, from which walking is
quicker than sorting: sorting looks at all hits, walking at as many more records than a page has as hits are fewer."""


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
    superseded: str = ""
    """Identifications alone: ``yes`` for those whose place another took, ``no`` for all others."""
    said: "Selection | None" = None
    """Of files: what one identification or label on them meets."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after ``key``, or going backwards before it; backwards from ``None`` is the last page."""

    key: str | None = ""
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition in SQL, with its values for ``?``."""

    sql: str
    values: tuple[Any, ...] = ()


def page_of(store: Store, kind: type[Record], selection: Selection, place: Place, limit: int) -> list[Any]:
    """Return at most ``limit`` records in key order: those next to ``place``."""
    if kind not in STANDING and selection == Selection(equals=selection.equals):
        return store.beside(kind, place.key, place.backwards, limit, selection.equals)
    shape, keys = SHAPES[kind], _keys(store, kind, selection, place, limit)
    question = f"{shape.question} WHERE {shape.key} IN ({keys.sql}) ORDER BY {shape.key}"
    return [shape.record(row) for row in store.rows(question, keys.values)]


def keys_of(store: Store, kind: type[Record], selection: Selection, place: Place, limit: int) -> list[str]:
    """Return the keys of ``page_of``, in their order."""
    keys = _keys(store, kind, selection, place, limit)
    return sorted(key for (key,) in store.rows(keys.sql, keys.values))


def _keys(store: Store, kind: type[Record], selection: Selection, place: Place, limit: int) -> Condition:
    """Return the question, in SQL, for the keys of a page."""
    shape = SHAPES[kind]
    where, sorting = _where(store, kind, selection)
    if place.key is not None and (place.key or place.backwards):
        where.append(Condition(f"{shape.key} {'<' if place.backwards else '>'} ?", (place.key,)))
    all_of = _and(where)
    # A computed column has no index: the database sorts the few hits instead of walking through everything.
    order = (f"{shape.key} || ''" if sorting else shape.key) + (" DESC" if place.backwards else "")
    keys = f"SELECT {shape.key} FROM {shape.name} WHERE {all_of.sql} ORDER BY {order} LIMIT ?"  # noqa: S608
    return Condition(keys, (*all_of.values, limit))


def count_of(store: Store, kind: type[Record], selection: Selection) -> int:
    """Return how many records the selection holds."""
    all_of = _and(_where(store, kind, selection)[0])
    question = f"SELECT count(*) FROM {SHAPES[kind].name} WHERE {all_of.sql}"  # noqa: S608
    return int(store.rows(question, all_of.values)[0][0])


def _and(conditions: Sequence[Condition]) -> Condition:
    """Return the condition that all of these hold."""
    sql = " AND ".join(f"({one.sql})" for one in conditions) or "1 = 1"
    return Condition(sql, tuple(value for one in conditions for value in one.values))


def _where(store: Store, kind: type[Record], selection: Selection) -> tuple[list[Condition], bool]:
    """Return the conditions, and whether the hits are few enough to be sorted."""
    where = [Condition(f'"{name}" = ?', (value,)) for name, value in selection.equals.items()]
    where += [Condition(STANDING[kind])] if kind in STANDING else []
    sure = "certainty" if kind is Identification else "probability" if kind is Label else ""
    if sure and selection.at_least > 0:
        where.append(Condition(f"{sure} >= ?", (selection.at_least,)))
    if sure and selection.at_most < 1:
        where.append(Condition(f"{sure} <= ?", (selection.at_most,)))
    if selection.since:
        where.append(Condition("moment >= ?", (selection.since,)))
    if selection.until:
        where.append(Condition("moment < ?", (selection.until,)))
    where += _around(kind, selection)
    if selection.superseded and kind is Identification:
        where.append(_superseded(store, selection.superseded == "yes"))
    where += [_said_of(store, selection.said)] if selection.said is not None else []
    if not selection.taxon:
        return where, False
    below, few = _below(store, kind, selection.taxon)
    return [*where, below], few


def _around(kind: type[Record], selection: Selection) -> list[Condition]:
    """Return the conditions on what belongs to a record: its file, its campaign, who answered."""
    where: list[Condition] = []
    if selection.institution and kind is MediaFile:
        where.append(Condition("institution = ?", (selection.institution,)))
    elif selection.institution:
        held = "file IN (SELECT iri FROM media_file WHERE institution = ?)"
        where.append(Condition(held, (selection.institution,)))
    if selection.campaign_of_file:
        file = "iri" if kind is MediaFile else "file"
        listed = f"{file} IN (SELECT file FROM campaign_file WHERE campaign = ?)"  # noqa: S608 - names of ours
        where.append(Condition(listed, (selection.campaign_of_file,)))
    if selection.agent_kind:
        known = "agent IN (SELECT id FROM agent WHERE kind = ?)"
        model = " OR (agent = '' AND model <> '')" if selection.agent_kind == "SoftwareAgent" else ""
        where.append(Condition(known + model, (selection.agent_kind,)))
    return where


def _said_of(store: Store, said: Selection) -> Condition:
    """Return the condition that something that was said of a file is in a selection.

    No model says labels, and none is superseded.
    """
    of_models = said.agent_kind or said.superseded == "yes" or said.equals.keys() & {"model", "version"}
    either = []
    for kind in (Identification,) if of_models else (Identification, Label):
        one = _and(_where(store, kind, said)[0])
        either.append(Condition(f"iri IN (SELECT file FROM {SHAPES[kind].name} WHERE {one.sql})", one.values))  # noqa: S608
    return Condition(" OR ".join(one.sql for one in either), tuple(value for one in either for value in one.values))


def _superseded(store: Store, wanted: bool) -> Condition:
    """Return the condition that another identification took a record's place, or none did.

    Where few were superseded they are listed at once; a list of many would take longer than to ask of each that is met.
    """
    now, few = store.remembered.now(), math.isqrt(NEAR * store.last())
    is_few = store.remembered.get("few superseded", now)
    if is_few is None:
        some = "SELECT count(*) FROM (SELECT 1 FROM identification WHERE supersedes > '' LIMIT ?) AS hits"
        is_few = store.rows(some, (few + 1,))[0][0] <= few
        store.remembered.keep("few superseded", is_few, now)
    no = "" if wanted else "NOT "
    if is_few:
        return Condition(f"id {no}IN (SELECT supersedes FROM identification WHERE supersedes > '')")  # noqa: S608
    later = "SELECT 1 FROM identification AS later WHERE later.supersedes = identification.id"
    return Condition(f"{no}EXISTS ({later})")


def _below(store: Store, kind: type[Record], names: tuple[str, ...]) -> tuple[Condition, bool]:
    """Return the condition that a record's taxon is one of ``names`` or below, and whether few records are."""
    now = store.remembered.now()
    asked = ("below", kind, names)
    found = store.remembered.get(asked, now)
    if found is None:
        found = _looked_for(store, kind, names)
        store.remembered.keep(asked, found, now)
    condition, few = found
    return condition, few


def _looked_for(store: Store, kind: type[Record], names: tuple[str, ...]) -> tuple[Condition, bool]:
    marks = _marks(names)
    listed = f"SELECT DISTINCT concept FROM below WHERE ancestor IN ({marks}) LIMIT ?"  # noqa: S608 - only marks
    concepts = {*names, *(row[0] for row in store.rows(listed, (*names, FEW_CONCEPTS + 1)))}
    if len(concepts) > FEW_CONCEPTS:
        return _each_looked_up(names), False
    hits = _one_of(concepts, "item", "gbif_key")
    few = math.isqrt(NEAR * store.last())
    some = f"SELECT count(*) FROM (SELECT 1 FROM {SHAPES[kind].name} WHERE {hits.sql} LIMIT ?) AS hits"  # noqa: S608
    if store.rows(some, (*hits.values, few + 1))[0][0] <= few:
        return hits, True
    return _one_of(concepts, "item || ''", "gbif_key || ''"), False  # computed, as above: in key order


def _one_of(concepts: Collection[str], item: str, gbif_key: str) -> Condition:
    """Return the condition that the record is of one of these taxa."""
    items = tuple(sorted(one for one in concepts if not one.startswith("gbif:")))
    keys = tuple(sorted(one.removeprefix("gbif:") for one in concepts if one.startswith("gbif:")))
    either = []
    if items:
        either.append(f"{item} IN ({_marks(items)})")
    if keys:
        either.append(f"({item} = '' AND {gbif_key} IN ({_marks(keys)}))")
    return Condition(" OR ".join(either), items + keys)


def _each_looked_up(names: tuple[str, ...]) -> Condition:
    """Return the same condition where too much is below ``names``: each record's taxon is asked for by key."""

    def below(concept: str) -> str:
        found = f"SELECT 1 FROM below WHERE ancestor = ? AND concept = {concept}"  # noqa: S608 - names of ours
        return " OR ".join([f"{concept} IN ({_marks(names)})", *(f"EXISTS ({found})" for _ in names)])

    by_key = "'gbif:' || gbif_key"
    sql = f"(item <> '' AND ({below('item')})) OR (item = '' AND gbif_key <> '' AND ({below(by_key)}))"
    return Condition(sql, names * 4)


def _marks(values: Collection[str]) -> str:
    return ", ".join("?" * len(values))
