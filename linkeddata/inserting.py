"""Rows into a table. In: a connection, a table, rows of plain values. Out: the rows are there, or are changed.

SQLAlchemy writes the statements, for SQLite and PostgreSQL; the rows go to the driver as they are, which takes two
thirds of the time: nothing has to be made of text and numbers.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Insert, Table, Update, bindparam, insert, update

Row = Sequence[Any]

_NEW = "new_"  # SQLAlchemy keeps the columns' own names for itself


def insert_rows(connection: Connection, table: Table, names: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Insert rows; each has the values of the columns ``names``, in that order."""
    if rows:
        _run(connection, _inserting(table, names, connection.dialect), names, rows)


def update_rows(connection: Connection, table: Table, names: tuple[str, ...], key: str, rows: Sequence[Row]) -> None:
    """Change rows; each has the values of the columns ``names``, in that order, one of which is ``key``."""
    if rows:
        _run(connection, _updating(table, names, key, connection.dialect), names, rows)


@lru_cache(256)
def _inserting(table: Table, names: tuple[str, ...], dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    return _written(insert(table).values({name: bindparam(_NEW + name) for name in names}), dialect)


@lru_cache(256)
def _updating(table: Table, names: tuple[str, ...], key: str, dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    changed: dict[str, Any] = {name: bindparam(_NEW + name) for name in names if name != key}
    return _written(update(table).where(table.c[key] == bindparam(_NEW + key)).values(changed), dialect)


def _written(statement: Insert | Update, dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    """Return the SQL and, where parameters go by their place, their names in that order."""
    compiled: Any = statement.compile(dialect=dialect)
    return str(compiled), tuple(compiled.positiontup or ())


def _run(
    connection: Connection, statement: tuple[str, tuple[str, ...]], names: tuple[str, ...], rows: Sequence[Row]
) -> None:
    sql, places = statement
    if not places:
        marks = [_NEW + name for name in names]
        connection.exec_driver_sql(sql, [dict(zip(marks, row, strict=True)) for row in rows])
        return
    order = [names.index(place.removeprefix(_NEW)) for place in places]
    same = order == list(range(len(names)))
    connection.exec_driver_sql(sql, [tuple(row) if same else tuple(row[at] for at in order) for row in rows])
