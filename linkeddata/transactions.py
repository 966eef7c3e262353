"""Writing to the store while nobody else does. In: a connection that may write. Out: records, entries of the log."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import orjson
from sqlalchemy import Connection, delete, func, select, update

from linkeddata.batches import BATCH, Batch, Changes, unsuperseded
from linkeddata.inserting import insert_rows
from linkeddata.records import Agent, Identification, Record, Taxon
from linkeddata.storable import json_of, prepared_of, storable
from linkeddata.tables import BELOW, EVENT, FEED, FEED_KINDS, PRIVATE, SHAPES

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Transaction:
    """Reading and writing while nobody else writes; ``connection`` is for tables that are no records."""

    connection: Connection

    def get(self, kind: type[R], key: str) -> R | None:
        """Return the record with this key, or None."""
        found = self.among(kind, SHAPES[kind].key, [key])
        return found[0] if found else None

    def among(self, kind: type[R], field: str, values: Iterable[str]) -> list[R]:
        """Return the records whose ``field`` is one of ``values``, by key."""
        return _among(self.connection, kind, field, values)

    def put(self, records: Iterable[Record], *, agent: str, moment: str) -> Changes:
        """Add or change records, as ``Store.put`` does."""
        return self.put_prepared([prepared_of(record) for record in records], agent, moment)

    def put_prepared(self, prepared: list[tuple[Record, str]], agent: str, moment: str) -> Changes:
        """Add or change records that come with their JSON."""
        batch = Batch(self.connection, prepared)
        for record, payload in prepared:
            batch.take(record, payload)
        batch.write()
        _append(self.connection, batch.log, agent, moment)
        return batch.changes

    def remove(self, kind: type[Record], keys: Iterable[str], *, agent: str, moment: str, reason: str) -> int:
        """Take at most ``BATCH`` current records away, as ``Store.remove`` does."""
        return self._take_away(kind, keys, agent, moment, {"reason": reason})

    def withdraw(
        self, kind: type[Record], keys: Iterable[str], *, agent: str, moment: str, reason: str, successor: str = ""
    ) -> int:
        """Take records away for good, as ``Store.withdraw`` does; return how many were there."""
        said: dict[str, Any] = {"reason": reason, "for_good": True} | ({"successor": successor} if successor else {})
        source = iter(keys)
        done = 0
        while wanted := list(islice(source, BATCH)):
            done += self._take_away(kind, wanted, agent, moment, said)
        return done

    def erase(self, kind: type[Record], keys: Iterable[str], *, agent: str, moment: str, reason: str) -> int:
        """Withdraw records and blank what the log says of a person, as ``Store.erase`` does."""
        wanted = list(map(storable, keys))
        for key in wanted:
            mine = (EVENT.c.subject == key, EVENT.c.kind.like(f"{SHAPES[kind].name}.%"))
            for row in self.connection.execute(select(EVENT.c.seq, EVENT.c.payload).where(*mine)).all():
                blank = json_of(_without_person(kind, orjson.loads(row.payload)))
                self.connection.execute(update(EVENT).where(EVENT.c.seq == row.seq).values(payload=blank))
        return self.withdraw(kind, wanted, agent=agent, moment=moment, reason=reason)

    def _take_away(self, kind: type[Record], keys: Iterable[str], agent: str, moment: str, said: dict[str, Any]) -> int:
        shape = SHAPES[kind]
        key = shape.table.c[shape.key]
        wanted = list(dict.fromkeys(map(storable, keys)))
        present = set(self.connection.execute(select(key).where(key.in_(wanted))).scalars())
        freed = self._freed(wanted) if kind is Identification else []
        self.connection.execute(delete(shape.table).where(key.in_(wanted)))
        if kind is Taxon:
            self.connection.execute(delete(BELOW).where(BELOW.c.source.in_(wanted)))
        payload = json_of(said)
        log = [(f"{shape.name}.removed", k, payload) for k in wanted if k in present]
        _append(self.connection, [*log, *freed], agent, moment)
        return len(log)

    def _freed(self, keys: list[str]) -> list[tuple[str, str, str]]:
        """Return entries for the identifications whose place these took: nothing stands in it any more."""
        column = SHAPES[Identification].table.c
        query = select(column.id, column.supersedes).where(column.id.in_(keys), column.supersedes > "")
        return [unsuperseded(row.supersedes, row.id) for row in self.connection.execute(query.order_by(column.id))]

    def note(self, kind: str, subject: str, payload: Mapping[str, Any], *, agent: str, moment: str) -> None:
        """Log something that is no change of a record, as ``Store.note`` does."""
        _append(self.connection, [(kind, subject, json_of(dict(payload)))], agent, moment)


def _among(connection: Connection, kind: type[R], field: str, values: Iterable[str]) -> list[R]:
    shape = SHAPES[kind]
    source = iter(dict.fromkeys(map(storable, values)))
    found: list[R] = []
    while wanted := list(islice(source, BATCH)):
        query = select(shape.table).where(shape.table.c[field].in_(wanted))
        found += [shape.record(row) for row in connection.execute(query)]
    return sorted(found, key=lambda record: str(getattr(record, shape.key)))


def _without_person(kind: type[Record], said: dict[str, Any]) -> dict[str, Any]:
    """Return a payload of the log without what it says of a person; software and organisations are none."""
    if kind is Agent and said.get("kind") in ("SoftwareAgent", "Organization"):
        return said
    return {name: "" if name in PRIVATE.get(kind, ()) else value for name, value in said.items()}


def _append(connection: Connection, log: list[tuple[str, str, str]], agent: str, moment: str) -> None:
    if not log:
        return
    last = connection.execute(select(func.coalesce(func.max(EVENT.c.seq), 0))).scalar_one()
    agent, moment = storable(agent), storable(moment)
    entries = list(enumerate(log, start=last + 1))
    rows = [(seq, moment, agent, kind, storable(subject), payload) for seq, (kind, subject, payload) in entries]
    insert_rows(connection, EVENT, ("seq", "moment", "agent", "kind", "subject", "payload"), rows)
    published = [seq for seq, (kind, _, _) in entries if kind in FEED_KINDS]
    if published:
        place = connection.execute(select(func.coalesce(func.max(FEED.c.position), 0))).scalar_one()
        insert_rows(connection, FEED, ("position", "seq"), list(enumerate(published, start=place + 1)))
