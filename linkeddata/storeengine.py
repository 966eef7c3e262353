"""The database below the store. In: an address. Out: an engine of SQLAlchemy's, whose trouble comes out as ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from linkeddata.errors import StoreError

BUSY_TIMEOUT_MS = 60_000
CACHE_KIB = 64 * 1024
"""What a connection that writes to SQLite keeps of the file: keys come in no order, they touch all of an index."""
CHECKPOINT_PAGES = 16_384
"""Pages of 4 KiB that wait in SQLite's journal until they go to their places, each once however often it changed."""


def engine_of(url: str) -> Engine:
    """Return the engine of an address. Raises ``StoreError`` for one that cannot be used."""
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


def schema_of(connection: Connection) -> str:
    """Return the version the store says it has, "" when it is new."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return ""
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""


@contextmanager
def translated(engine: Engine) -> Iterator[None]:
    """Let what goes wrong in the database come out as ``StoreError``."""
    try:
        yield
    except SQLAlchemyError as error:
        raise trouble(engine, error) from error


def trouble(engine: Engine, error: SQLAlchemyError) -> StoreError:
    """Return what went wrong in the database as ours, without the password."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return StoreError(f"the store at {_shown(engine.url)}: {cause}".strip())


def _shown(url: str | URL) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except SQLAlchemyError:
        return repr(url)
