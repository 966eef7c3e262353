"""Short questions to the database, answered without SQLAlchemy's way round. In: SQL with ``?``. Out: rows as tuples.

A connection from the pool, a transaction begun and rolled back and a statement put together cost ten times what SQLite
takes to look one record up. So SQLite's file is read over a connection of each thread's own, where every question is a
transaction of itself. PostgreSQL, which takes longer than all that, is asked over the pool, and so is a database in
memory, which only the pool's connections can see.
"""

import sqlite3
from collections.abc import Sequence
from threading import Lock, local
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

BUSY_TIMEOUT_S = 60.0


class RowReader:
    """Asks short questions. May be shared between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._file = _file(engine)
        self._own = local()
        self._opened: list[sqlite3.Connection] = []
        self._lock = Lock()

    @property
    def at_once(self) -> bool:
        """Whether answers come from a file here, in microseconds, so that nobody else needs to wait for them."""
        return bool(self._file)

    def rows(self, question: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return all rows. Raises SQLAlchemy's errors."""
        if self._file:
            try:
                return self._connection().execute(question, values).fetchall()
            except sqlite3.Error as error:
                raise OperationalError(question, None, error) from error
        with self._engine.connect() as connection:
            asked = question.replace("?", "%s") if connection.dialect.name == "postgresql" else question
            return list(connection.exec_driver_sql(asked, tuple(values)))

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            opened, self._opened = self._opened, []
            self._own = local()
        for connection in opened:
            connection.close()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                self._file, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA query_only = ON")
            with self._lock:
                self._opened.append(connection)
            self._own.connection = connection
        return connection


def _file(engine: Engine) -> str:
    """Return the path of SQLite's file, ``""`` where there is none."""
    name = engine.url.database or ""
    return name if engine.dialect.name == "sqlite" and name != ":memory:" and not name.startswith("file:") else ""
