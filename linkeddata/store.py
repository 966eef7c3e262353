"""The store: current records and the log of every change, in SQLite or PostgreSQL. In: records. Out: records, events.

Every write appends to the log in the same transaction. Writers queue for one lock (SQLite's own; an advisory lock in
PostgreSQL), so that the log's sequence has no gaps and is the order of the commits: whoever has read up to ``seq`` has
missed nothing. Readers wait for nobody.

Text is kept as it is, but for what no database keeps: NUL and halves of surrogate pairs become U+FFFD.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import islice
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import orjson
from sqlalchemy import (
    Connection,
    Engine,
    create_engine,
    delete,
    event,
    func,
    make_url,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from linkeddata import lineages
from linkeddata.errors import StoreError
from linkeddata.inserting import insert_rows, update_rows
from linkeddata.modified import Modified
from linkeddata.records import Agent, CampaignFile, Event, Identification, MediaFile, Record, Tag, Taxon
from linkeddata.remembered import Remembered
from linkeddata.rowreader import RowReader
from linkeddata.tables import BELOW, EVENT, FEED, FEED_KINDS, PRIVATE, SCHEMA, SHAPES, STANDS_FOR, URIS, Shape

R = TypeVar("R", bound=Record)

BATCH = 1000
"""Records in one transaction, rows in one page."""
BUSY_TIMEOUT_MS = 60_000
READER_TIMEOUT_MS = 2_000
"""How long ``compact`` waits for readers to finish."""
REMEMBERED = 20_000
"""How many look-ups are remembered until the log grows."""
CACHE_KIB = 64 * 1024
"""What a connection that writes to SQLite keeps of the file: keys come in no order, they touch all of an index."""
CHECKPOINT_PAGES = 16_384
"""Pages of 4 KiB that wait in SQLite's journal until they go to their places, each once however often it changed."""
_NOTHING: Mapping[type[Record], Collection[str]] = {}
_LOCK = 0x6465_626F_6F64_74  # "deboodt"; an arbitrary number that only we ask PostgreSQL for
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Changes:
    """What one ``put`` did, in records."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: "Changes") -> "Changes":
        return Changes(self.added + other.added, self.changed + other.changed, self.unchanged + other.unchanged)


class Store:
    """Records in, records out, and a log of who changed what when. May be shared between threads.

    ``url`` is SQLAlchemy's: ``sqlite:///path/to/file`` (made with its folder where absent) or
    ``postgresql://user@host/database``. The schema is brought up to date on opening.
    Raises ``StoreError`` where the database cannot be opened or was written by a newer version.

    >>> from linkeddata.records import Taxon
    >>> with Store("sqlite://") as store:
    ...     store.put([Taxon(query="pimpelmees")], agent="cli", moment="2026-01-01T00:00:00Z")
    ...     [(e.seq, e.kind, e.subject) for e in store.events()]
    Changes(added=1, changed=0, unchanged=0)
    [(1, 'taxon.added', 'pimpelmees')]
    """

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        self._writer = self._engine.execution_options(writes=True)
        self._reader = RowReader(self._engine)
        self.remembered = Remembered[Any](self.last, REMEMBERED)
        """What was looked up, for those who look it up again and again."""
        self._modified = Modified(self.rows)
        try:
            self._migrate()
        except BaseException:
            self._engine.dispose()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give all connections back."""
        self._reader.close()
        self._engine.dispose()

    def put(self, records: Iterable[Record], *, agent: str, moment: str, batch: int = BATCH) -> Changes:
        """Add the records, or bring the stored ones up to date, and log each difference under ``agent`` and ``moment``.

        Written in transactions of ``batch`` records, in order. When ``records`` raises, or is interrupted, what came
        before is written and the error goes on. A record that says "all of this is done" belongs after what it vouches
        for: a kill may come between any two batches. What differs in nothing but the moment is unchanged
        (``tables.VOLATILE``); what was withdrawn for good stays away, and counts as unchanged. Raises ``StoreError``,
        also for a record that has the key of another thing (``tables.STANDS_FOR``); ``TypeError`` for a value that is
        no plain text or number.
        """
        done = Changes()
        source = iter(records)
        while True:
            pending: list[Record] = []
            try:
                for record in islice(source, batch):
                    pending.append(record)
            finally:
                if pending:
                    done += self._put(pending, agent, moment)
            if len(pending) < batch:
                return done

    def get(self, kind: type[R], key: str) -> R | None:
        """Return the record with this key, or None."""
        shape = SHAPES[kind]
        rows = self.rows(f"{shape.question} WHERE {shape.key} = ?", (key,))
        return shape.record(rows[0]) if rows else None

    def rows(self, question: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return the rows that answer a short question in SQL, with ``?`` for values. Raises ``StoreError``."""
        try:
            return self._reader.rows(question, [_storable(v) if v.__class__ is str else v for v in values])
        except SQLAlchemyError as error:
            raise _trouble(self._engine, error) from error

    @property
    def at_once(self) -> bool:
        """Whether ``get`` and ``rows`` answer in microseconds, from a file on this machine."""
        return self._reader.at_once

    def each(self, kind: type[R], /, **equals: str | int) -> Iterator[R]:
        """Yield the records whose fields equal what is given, ordered by key.

        Read in pages that hold no lock, so that one may write while reading; what is written meanwhile may or may not
        be among the rest.
        """
        shape = SHAPES[kind]
        yield from self._paged(shape, select(shape.table).where(*_conditions(shape, equals)))

    def fields(self, kind: type[Record], names: Sequence[str], /, **equals: str | int) -> Iterator[tuple[Any, ...]]:
        """Yield some fields of the records whose fields equal what is given, ordered by key, read like ``each``."""
        shape = SHAPES[kind]
        _checked_fields(shape, [*names, *equals])
        columns = ", ".join(f'"{name}"' for name in (shape.key, *names))
        where = " AND ".join([f'"{name}" = ?' for name in equals] + [f"{shape.key} > ?"])
        question = f"SELECT {columns} FROM {shape.table.name} WHERE {where} ORDER BY {shape.key} LIMIT ?"  # noqa: S608
        after = ""
        while True:
            page = self.rows(question, [*equals.values(), after, BATCH])
            yield from (tuple(row[1:]) for row in page)
            if len(page) < BATCH:
                return
            after = page[-1][0]

    def files_of(self, campaign: str) -> Iterator[MediaFile]:
        """Yield the files that belong to a campaign, ordered by IRI, read like ``each``."""
        yield from self._paged(SHAPES[MediaFile], select(_FILES).where(_belongs(campaign)))

    def count_files_of(self, campaign: str) -> int:
        """Return how many files ``files_of`` would give."""
        with self.reading() as connection:
            return int(
                connection.execute(select(func.count()).select_from(_FILES).where(_belongs(campaign))).scalar_one()
            )

    def page(self, kind: type[R], *, after: str = "", limit: int = 100, **equals: str | int) -> list[R]:
        """Return at most ``limit`` records whose keys come after ``after`` and whose fields equal what is given."""
        return self.beside(kind, after, False, limit, equals)

    def beside(
        self, kind: type[R], key: str | None, backwards: bool, limit: int, equals: Mapping[str, str | int]
    ) -> list[R]:
        """Return, by key, at most ``limit`` records next after ``key``, or next before it (before None: the last)."""
        shape = SHAPES[kind]
        _checked_fields(shape, equals)
        where = [f'"{field}" = ?' for field in equals]
        values: list[Any] = list(equals.values())
        if key is not None:
            where.append(f"{shape.key} {'<' if backwards else '>'} ?")
            values.append(key)
        said = f" WHERE {' AND '.join(where)}" if where else ""
        order = f"{shape.key} DESC" if backwards else shape.key
        rows = self.rows(f"{shape.question}{said} ORDER BY {order} LIMIT ?", [*values, limit])
        return [shape.record(row) for row in (reversed(rows) if backwards else rows)]

    def ordered(self, kind: type[R], by: str) -> Iterator[R]:
        """Yield the records whose text field ``by`` is not empty, ordered by it and then by key, in pages."""
        shape = SHAPES[kind]
        key, column = shape.table.c[shape.key], shape.table.c[by]
        query = select(shape.table).where(column > "").order_by(column, key).limit(BATCH)
        page: list[R] = self._page(shape, query)
        while page:
            yield from page
            at = tuple_(getattr(page[-1], by), getattr(page[-1], shape.key))
            page = self._page(shape, query.where(tuple_(column, key) > at))

    def among(self, kind: type[R], field: str, values: Iterable[str]) -> list[R]:
        """Return the records whose ``field`` is one of ``values``, in few questions, by key."""
        shape = SHAPES[kind]
        _checked_fields(shape, [field])
        source = iter(dict.fromkeys(values))
        found: list[R] = []
        while wanted := list(islice(source, BATCH)):
            marks = ", ".join("?" * len(wanted))
            rows = self.rows(f'{shape.question} WHERE "{field}" IN ({marks})', wanted)
            found += [shape.record(row) for row in rows]
        return sorted(found, key=attrgetter(shape.key))

    def last(self) -> int:
        """Return the log's last sequence number: while it is the same, so is all that is stored."""
        rows = self.rows("SELECT max(seq) FROM event")
        return rows[0][0] or 0

    def state(self) -> tuple[int, str]:
        """Return the log's last sequence number and its moment: while they are the same, so is all that is stored."""
        rows = self.rows("SELECT seq, moment FROM event ORDER BY seq DESC LIMIT 1")
        return (rows[0][0], rows[0][1]) if rows else (0, "")

    def modified(self) -> str:
        """Return when anything changed last, ``""`` where moments do not tell: an older one came last."""
        return self._modified.moment()

    def latest(self) -> str:
        """Return the latest moment that the log tells of, which never goes back; ``""`` for an empty log."""
        return self._modified.latest()

    def recent(self, kind: type[R], limit: int) -> list[R]:
        """Return at most ``limit`` of the records that were added last and are still there, newest first."""
        query = select(EVENT.c.subject).where(EVENT.c.kind == f"{SHAPES[kind].name}.added")
        with self.reading() as connection:
            keys = connection.execute(query.order_by(EVENT.c.seq.desc()).limit(limit)).scalars().all()
        found = {getattr(record, SHAPES[kind].key): record for record in self.among(kind, SHAPES[kind].key, keys)}
        return [found[key] for key in dict.fromkeys(keys) if key in found]

    def count(self, kind: type[Record], /, **equals: str | int) -> int:
        """Return how many records there are whose fields equal what is given."""
        shape = SHAPES[kind]
        query = select(func.count()).select_from(shape.table).where(*_conditions(shape, equals))
        with self.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def distinct(self, kind: type[Record], field: str, /, **equals: str | int) -> set[Any]:
        """Return the different values that a field has in the records whose fields equal what is given."""
        shape = SHAPES[kind]
        with self.reading() as connection:
            query = select(shape.table.c[field]).where(*_conditions(shape, equals)).distinct()
            return set(connection.execute(query).scalars())

    def remove(self, kind: type[Record], keys: Iterable[str], *, agent: str, moment: str, reason: str) -> int:
        """Take current records away and log each with the reason; return how many were there."""
        source = iter(keys)
        removed = 0
        while wanted := list(islice(source, BATCH)):
            with self.transaction() as work:
                removed += work.remove(kind, wanted, agent=agent, moment=moment, reason=reason)
        return removed

    def withdraw(
        self, kind: type[Record], keys: Iterable[str], *, agent: str, moment: str, reason: str, successor: str = ""
    ) -> int:
        """Take records away for good: each URI answers 410 from now on, and ``put`` leaves the key out.

        ``reason`` is published. ``successor`` is the key of the record of this kind that stands in their place.
        """
        with self.transaction() as work:
            return work.withdraw(kind, keys, agent=agent, moment=moment, reason=reason, successor=successor)

    def erase(self, kind: type[Record], keys: Iterable[str], *, agent: str, moment: str, reason: str) -> int:
        """Withdraw records, and blank what the log ever said of a person in them (``tables.PRIVATE``)."""
        with self.transaction() as work:
            return work.erase(kind, keys, agent=agent, moment=moment, reason=reason)

    def compact(self) -> bool:
        """Write the database anew, so that nothing is left of what was deleted; return whether its journal is empty.

        A journal of SQLite's that somebody reads is not. PostgreSQL's own journal and backups are the administrator's.
        """
        with _translated(self._engine), self._engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            if connection.dialect.name == "sqlite":
                raw.execute("VACUUM")
                raw.execute(f"PRAGMA busy_timeout = {READER_TIMEOUT_MS}")
                try:
                    return not raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
                finally:
                    raw.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
            raw.autocommit = True
            try:
                raw.execute("VACUUM FULL")
            finally:
                raw.autocommit = False
            return True

    def note(self, kind: str, subject: str, payload: Mapping[str, Any], *, agent: str, moment: str) -> None:
        """Log something that is no change of a record: ``step.finished``, ``export.written`` …"""
        with self.transaction() as work:
            work.note(kind, subject, payload, agent=agent, moment=moment)

    def events(self, after: int = 0, *, kind: str = "", subject: str = "") -> Iterator[Event]:
        """Yield the log's entries with a sequence number above ``after``, in order."""
        query = select(EVENT).order_by(EVENT.c.seq).limit(BATCH)
        if kind:
            query = query.where(EVENT.c.kind == _storable(kind))
        if subject:
            query = query.where(EVENT.c.subject == _storable(subject))
        while True:
            with self.reading() as connection:
                rows = connection.execute(query.where(EVENT.c.seq > after)).all()
            for row in rows:
                yield Event(**row._mapping)
            if len(rows) < BATCH:
                return
            after = rows[-1].seq

    def lines(self, *, leave_out: Mapping[type[Record], Collection[str]] = _NOTHING) -> Iterator[str]:
        """Yield every current record as one line of JSON, by table and key: two stores that hold the same say the same.

        ``leave_out`` names fields to skip of each kind of record: ``tables.VOLATILE``, where two runs are compared.
        """
        for kind, shape in SHAPES.items():
            record: Any
            for record in self.each(kind):
                values = {f: getattr(record, f) for f in shape.fields if f not in leave_out.get(kind, ())}
                yield orjson.dumps({"record": shape.name} | values, option=orjson.OPT_SORT_KEYS).decode()

    def _put(self, records: list[Record], agent: str, moment: str) -> Changes:
        prepared = [_prepared(record) for record in records]
        with self.transaction() as work:
            return work.put_prepared(prepared, agent, moment)

    def _paged(self, shape: Shape, query: Any) -> Iterator[Any]:
        key = shape.table.c[shape.key]
        query = query.order_by(key).limit(BATCH)
        page = self._page(shape, query)
        while page:
            yield from page
            if len(page) < BATCH:
                return
            page = self._page(shape, query.where(key > getattr(page[-1], shape.key)))

    def _page(self, shape: Shape, query: Any) -> list[Any]:
        with self.reading() as connection:
            return [shape.record(row) for row in connection.execute(query)]

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection to read with. Database errors come out as ``StoreError``."""
        with _translated(self._engine), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def transaction(self) -> "Iterator[Transaction]":
        """Give the one right to write: what is read and written in it happens at once, or not at all."""
        with _translated(self._engine), self._writer.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            yield Transaction(connection)

    def _migrate(self) -> None:
        with self.reading() as connection:
            if _schema(connection) == SCHEMA:
                return
        with self.transaction() as work:
            from linkeddata.migrations import upgrade  # Alembic is loaded only here

            upgrade(work.connection)


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
        return self.put_prepared([_prepared(record) for record in records], agent, moment)

    def put_prepared(self, prepared: list[tuple[Record, str]], agent: str, moment: str) -> Changes:
        """Add or change records that come with their JSON."""
        batch = _Batch(self.connection, prepared)
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
        wanted = list(map(_storable, keys))
        for key in wanted:
            mine = (EVENT.c.subject == key, EVENT.c.kind.like(f"{SHAPES[kind].name}.%"))
            for row in self.connection.execute(select(EVENT.c.seq, EVENT.c.payload).where(*mine)).all():
                blank = _json(_without_person(kind, orjson.loads(row.payload)))
                self.connection.execute(update(EVENT).where(EVENT.c.seq == row.seq).values(payload=blank))
        return self.withdraw(kind, wanted, agent=agent, moment=moment, reason=reason)

    def _take_away(self, kind: type[Record], keys: Iterable[str], agent: str, moment: str, said: dict[str, Any]) -> int:
        shape = SHAPES[kind]
        key = shape.table.c[shape.key]
        wanted = list(dict.fromkeys(map(_storable, keys)))
        present = set(self.connection.execute(select(key).where(key.in_(wanted))).scalars())
        freed = self._freed(wanted) if kind is Identification else []
        self.connection.execute(delete(shape.table).where(key.in_(wanted)))
        if kind is Taxon:
            self.connection.execute(delete(BELOW).where(BELOW.c.source.in_(wanted)))
        payload = _json(said)
        log = [(f"{shape.name}.removed", k, payload) for k in wanted if k in present]
        _append(self.connection, [*log, *freed], agent, moment)
        return len(log)

    def _freed(self, keys: list[str]) -> list[tuple[str, str, str]]:
        """Return entries for the identifications whose place these took: nothing stands in it any more."""
        column = SHAPES[Identification].table.c
        query = select(column.id, column.supersedes).where(column.id.in_(keys), column.supersedes > "")
        return [_unsuperseded(row.supersedes, row.id) for row in self.connection.execute(query.order_by(column.id))]

    def note(self, kind: str, subject: str, payload: Mapping[str, Any], *, agent: str, moment: str) -> None:
        """Log something that is no change of a record, as ``Store.note`` does."""
        _append(self.connection, [(kind, subject, _json(dict(payload)))], agent, moment)


def _among(connection: Connection, kind: type[R], field: str, values: Iterable[str]) -> list[R]:
    shape = SHAPES[kind]
    source = iter(dict.fromkeys(map(_storable, values)))
    found: list[R] = []
    while wanted := list(islice(source, BATCH)):
        query = select(shape.table).where(shape.table.c[field].in_(wanted))
        found += [shape.record(row) for row in connection.execute(query)]
    return sorted(found, key=lambda record: str(getattr(record, shape.key)))


class _Batch:
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


def _without_person(kind: type[Record], said: dict[str, Any]) -> dict[str, Any]:
    """Return a payload of the log without what it says of a person; software and organisations are none."""
    if kind is Agent and said.get("kind") in ("SoftwareAgent", "Organization"):
        return said
    return {name: "" if name in PRIVATE.get(kind, ()) else value for name, value in said.items()}


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
        yield "identification.superseded", after.supersedes, _json({"superseded_by": after.id})
    if was and after.supersedes != was:
        yield _unsuperseded(was, after.id)


def _unsuperseded(key: str, by: str) -> tuple[str, str, str]:
    """Return the entry that says that an identification no longer has another in its place."""
    return "identification.unsuperseded", key, _json({"superseded_by": by})


def _append(connection: Connection, log: list[tuple[str, str, str]], agent: str, moment: str) -> None:
    if not log:
        return
    last = connection.execute(select(func.coalesce(func.max(EVENT.c.seq), 0))).scalar_one()
    agent, moment = _storable(agent), _storable(moment)
    entries = list(enumerate(log, start=last + 1))
    rows = [(seq, moment, agent, kind, _storable(subject), payload) for seq, (kind, subject, payload) in entries]
    insert_rows(connection, EVENT, ("seq", "moment", "agent", "kind", "subject", "payload"), rows)
    published = [seq for seq, (kind, _, _) in entries if kind in FEED_KINDS]
    if published:
        place = connection.execute(select(func.coalesce(func.max(FEED.c.position), 0))).scalar_one()
        insert_rows(connection, FEED, ("position", "seq"), list(enumerate(published, start=place + 1)))


def _prepared(record: Record) -> tuple[Record, str]:
    """Return the record as it can be stored, and its JSON."""
    try:
        payload = orjson.dumps(record)
    except TypeError:
        record = _clean(record)
        payload = orjson.dumps(record)
    if b"\\u0000" in payload:
        record = _clean(record)
        payload = orjson.dumps(record)
    return record, payload.decode()


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, tuple | list):
        return type(value)(_clean(x) for x in value)
    if isinstance(value, dict):
        return {_clean(k): _clean(v) for k, v in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _clean(getattr(value, f.name)) for f in fields(value)})
    return value


def _storable(value: str) -> str:
    return _UNSTORABLE.sub("\ufffd", value)


def _json(payload: dict[str, Any]) -> str:
    return orjson.dumps(_clean(payload), option=orjson.OPT_SORT_KEYS).decode()


def _conditions(shape: Shape, equals: Mapping[str, str | int]) -> list[Any]:
    _checked_fields(shape, equals)
    return [shape.table.c[f] == (_storable(v) if isinstance(v, str) else v) for f, v in equals.items()]


def _checked_fields(shape: Shape, named: Iterable[str]) -> None:
    unknown = sorted(set(named) - set(shape.fields))
    if unknown:
        raise TypeError(f"{shape.kind.__name__} has no field {unknown[0]!r}")


_FILES = SHAPES[MediaFile].table
_MEMBERS = SHAPES[CampaignFile].table


def _belongs(campaign: str) -> Any:
    """Return the condition that a file belongs to a campaign."""
    member = select(_MEMBERS.c.id).where(_MEMBERS.c.file == _FILES.c.iri, _MEMBERS.c.campaign == _storable(campaign))
    return member.exists()


def _engine(url: str) -> Engine:
    try:
        parsed = _normal(make_url(url))
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(parsed)
        return create_engine(parsed, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise StoreError(f"the store at {_shown(url)} needs {error.name}: pip install 'deboodt[postgres]'") from error
    except (SQLAlchemyError, OSError, ValueError) as error:
        raise StoreError(f"the store's address {_shown(url)} cannot be used: {error}") from error


def _normal(url: URL) -> URL:
    if url.drivername in {"postgres", "postgresql"}:
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() not in {"sqlite", "postgresql"}:
        raise ValueError("only sqlite and postgresql are known")
    return url


def _sqlite(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        # sqlite3's own way of opening transactions comes too late for us: we say BEGIN ourselves
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(
            "PRAGMA synchronous = NORMAL"
        )  # in WAL a killed process loses nothing, a power cut at most the end
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        if writes:
            connection.exec_driver_sql(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _schema(connection: Connection) -> str:
    """Return the version the store says it has, "" when it is new."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return ""
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""


@contextmanager
def _translated(engine: Engine) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise _trouble(engine, error) from error


def _trouble(engine: Engine, error: SQLAlchemyError) -> StoreError:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return StoreError(f"the store at {_shown(engine.url)}: {cause}".strip())


def _shown(url: str | URL) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except SQLAlchemyError:
        return repr(url)
