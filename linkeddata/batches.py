"""Many records written at once. In: records. Out: rows that differ from what is stored, and what the log says."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, delete, select

from linkeddata import lineages
from linkeddata.errors import StoreError
from linkeddata.inserting import insert_rows, update_rows
from linkeddata.records import Identification, Record, Tag, Taxon
from linkeddata.storable import json_of
from linkeddata.tables import BELOW, EVENT, SHAPES, STANDS_FOR, URIS, Shape

BATCH = 1000
"""Records in one transaction, rows in one page."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What one ``put`` did, in records."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: "Changes") -> "Changes":
        return Changes(self.added + other.added, self.changed + other.changed, self.unchanged + other.unchanged)


class Batch:
    """The records of one transaction, compared one after the other with what is stored and with each other."""

    def __init__(self, connection: Connection, prepared: list[tuple[Record, str]]) -> None:
        self._connection = connection
        self._current: dict[tuple[type[Record], str], tuple[Any, ...]] = {}
        self._inserts: dict[tuple[type[Record], str], tuple[Any, ...]] = {}
        self._updates: dict[tuple[type[Record], str], tuple[Any, ...]] = {}
        self._withdrawn: set[tuple[type[Record], str]] = set()
        self._stood_for: dict[tuple[type[Record], str], tuple[Any, ...]] = {}
        self.log: list[tuple[str, str, str]] = []
        self.changes = Changes()
        self._load(prepared)

    def _load(self, prepared: list[tuple[Record, str]]) -> None:
        keys: dict[type[Record], dict[str, None]] = {}
        for record, _ in prepared:
            keys.setdefault(type(record), {})[getattr(record, SHAPES[type(record)].key)] = None
        for kind, wanted in keys.items():
            shape = SHAPES[kind]
            position = shape.fields.index(shape.key)
            query = select(shape.table).where(shape.table.c[shape.key].in_(list(wanted)))
            for row in self._connection.execute(query):
                self._current[kind, row[position]] = tuple(row)
            self._remember(shape, [key for key in wanted if (kind, key) not in self._current])

    def _remember(self, shape: Shape, keys: list[str]) -> None:
        """Look up which of these keys, of which there are no records, were taken away, and what they stood for."""
        kinds = [f"{shape.name}.{verb}" for verb in ("added", "changed", "removed")]
        taken = select(EVENT.c.seq).where(EVENT.c.kind == kinds[-1]).limit(1)
        if shape.kind not in URIS or not keys or self._connection.execute(taken).first() is None:
            return
        query = select(EVENT.c.kind, EVENT.c.subject, EVENT.c.payload).order_by(EVENT.c.seq)
        for kind, key, payload in self._connection.execute(
            query.where(EVENT.c.subject.in_(keys), EVENT.c.kind.in_(kinds))
        ):
            said = orjson.loads(payload)
            if kind != kinds[-1]:
                self._stood_for[shape.kind, key] = tuple(said.get(one) for one in STANDS_FOR.get(shape.kind, ()))
            elif said.get("for_good"):
                self._withdrawn.add((shape.kind, key))

    def take(self, record: Record, payload: str) -> None:
        """Compare one record and note what must be written and logged."""
        shape = SHAPES[type(record)]
        identity = (type(record), getattr(record, shape.key))
        row = shape.row(record)
        old = self._current.get(identity)
        if identity in self._withdrawn or (old is not None and shape.same(old, row)):
            self.changes += Changes(unchanged=1)
            return
        self._check(shape, identity, record, old)
        self._current[identity] = row
        if old is None or identity in self._inserts:
            self._inserts[identity] = row
        else:
            self._updates[identity] = row
        self.changes += Changes(added=1) if old is None else Changes(changed=1)
        before = None if old is None else shape.record(old)
        self.log.append((f"{shape.name}.{_verb(before, record)}", identity[1], payload))
        self.log.extend(_consequences(before, record))

    def _check(
        self, shape: Shape, identity: tuple[type[Record], str], record: Record, old: tuple[Any, ...] | None
    ) -> None:
        """Raise ``StoreError`` for a record that has the key, and so the URI, of another thing."""
        own = STANDS_FOR.get(shape.kind, ())
        before = tuple(old[shape.fields.index(name)] for name in own) if old else self._stood_for.get(identity)
        if own and before is not None and before != tuple(getattr(record, name) for name in own):
            raise StoreError(f"the {shape.name} {identity[1]!r} is another's: its {', '.join(own)} were {before}")

    def write(self) -> None:
        """Write the inserts and updates, one statement a table each."""
        for shape in SHAPES.values():
            new = [row for (kind, _), row in self._inserts.items() if kind is shape.kind]
            insert_rows(self._connection, shape.table, shape.fields, new)
            old = [row for (kind, _), row in self._updates.items() if kind is shape.kind]
            update_rows(self._connection, shape.table, shape.fields, shape.key, old)
        self._place()

    def _place(self) -> None:
        """Write where the taxa stand that were added or changed."""
        pairs: dict[str, set[tuple[str, str]]] = {}
        for (kind, _), row in (self._inserts | self._updates).items():
            if kind is Taxon:
                pairs.update(lineages.pairs(lineages.placed(SHAPES[Taxon].record(row))))
        sources = list(pairs)
        for start in range(0, len(sources), BATCH):
            self._connection.execute(delete(BELOW).where(BELOW.c.source.in_(sources[start : start + BATCH])))
        rows = [(ancestor, concept, source) for source, found in pairs.items() for ancestor, concept in sorted(found)]
        insert_rows(self._connection, BELOW, ("ancestor", "concept", "source"), rows)


def _verb(before: Record | None, after: Record) -> str:
    if before is None:
        return "added"
    if isinstance(before, Tag) and isinstance(after, Tag) and after.withdrawn and not before.withdrawn:
        return "withdrawn"
    return "changed"


def _consequences(before: Record | None, after: Record) -> Iterator[tuple[str, str, str]]:
    """Yield what an addition or change means for another record."""
    if not isinstance(after, Identification):
        return
    was = before.supersedes if isinstance(before, Identification) else ""
    if after.supersedes and after.supersedes != was:
        yield "identification.superseded", after.supersedes, json_of({"superseded_by": after.id})
    if was and after.supersedes != was:
        yield unsuperseded(was, after.id)


def unsuperseded(key: str, by: str) -> tuple[str, str, str]:
    """Return the entry that says that an identification no longer has another in its place."""
    return "identification.unsuperseded", key, json_of({"superseded_by": by})
