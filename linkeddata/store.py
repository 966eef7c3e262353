"""The store: current records and the log of every change, in SQLite or PostgreSQL. In: records. Out: records, events.

Every write appends to the log in the same transaction (``transactions``). Writers queue for one lock (SQLite's own; an
advisory lock in PostgreSQL), so that the log's sequence has no gaps and is the order of the commits: whoever has read
up to ``seq`` has missed nothing. Readers wait for nobody.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from operator import attrgetter
from types import TracebackType
from typing import Any, Self, TypeVar

import orjson
from sqlalchemy import Connection, func, select, tuple_
from sqlalchemy.exc import SQLAlchemyError

from linkeddata.batches import BATCH, Changes
from linkeddata.modified import Modified
from linkeddata.records import CampaignFile, Event, MediaFile, Record
from linkeddata.remembered import Remembered
from linkeddata.rowreader import RowReader
from linkeddata.storable import prepared_of, storable
from linkeddata.storeengine import BUSY_TIMEOUT_MS, engine_of, schema_of, translated, trouble
from linkeddata.tables import EVENT, SCHEMA, SHAPES, Shape
from linkeddata.transactions import Transaction

R = TypeVar("R", bound=Record)
READER_TIMEOUT_MS = 2_000
"""How long ``compact`` waits for readers to finish."""
REMEMBERED = 20_000
"""How many look-ups are remembered until the log grows."""
_NOTHING: Mapping[type[Record], Collection[str]] = {}
_LOCK = 0x6465_626F_6F64_74  # "deboodt"; an arbitrary number that only we ask PostgreSQL for


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
        self._engine = engine_of(url)
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
            return self._reader.rows(question, [storable(v) if v.__class__ is str else v for v in values])
        except SQLAlchemyError as error:
            raise trouble(self._engine, error) from error

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
        with translated(self._engine), self._engine.connect() as connection:
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
            query = query.where(EVENT.c.kind == storable(kind))
        if subject:
            query = query.where(EVENT.c.subject == storable(subject))
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
        prepared = [prepared_of(record) for record in records]
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
        with translated(self._engine), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def transaction(self) -> "Iterator[Transaction]":
        """Give the one right to write: what is read and written in it happens at once, or not at all."""
        with translated(self._engine), self._writer.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            yield Transaction(connection)

    def _migrate(self) -> None:
        with self.reading() as connection:
            if schema_of(connection) == SCHEMA:
                return
        with self.transaction() as work:
            from linkeddata.migrations import upgrade  # Alembic is loaded only here

            upgrade(work.connection)


def _conditions(shape: Shape, equals: Mapping[str, str | int]) -> list[Any]:
    _checked_fields(shape, equals)
    return [shape.table.c[f] == (storable(v) if isinstance(v, str) else v) for f, v in equals.items()]


def _checked_fields(shape: Shape, named: Iterable[str]) -> None:
    unknown = sorted(set(named) - set(shape.fields))
    if unknown:
        raise TypeError(f"{shape.kind.__name__} has no field {unknown[0]!r}")


_FILES = SHAPES[MediaFile].table
_MEMBERS = SHAPES[CampaignFile].table


def _belongs(campaign: str) -> Any:
    """Return the condition that a file belongs to a campaign."""
    member = select(_MEMBERS.c.id).where(_MEMBERS.c.file == _FILES.c.iri, _MEMBERS.c.campaign == storable(campaign))
    return member.exists()
