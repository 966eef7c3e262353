"""Answers of services, kept with their date. In: a file, queries and answers. Out: the answers, as long as they hold.

Only answers are kept, "nothing found" among them; a service that did not answer is asked again. The moment in a kept
answer is when the service said it. Several processes may use one file.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from linkeddata.errors import UsageError
from linkeddata.nameindex.answers import Candidate, NameAnswer, NameQuery
from linkeddata.records import Ancestor

KEPT_DAYS = 30
"""How long an answer holds: checklists change about monthly."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS answer (
    source TEXT, query TEXT, moment TEXT NOT NULL, answer TEXT NOT NULL, PRIMARY KEY (source, query)
) WITHOUT ROWID
"""


class AnswerCache:
    """Answers by source and query. ``with AnswerCache(path) as cache:`` closes its file."""

    def __init__(self, path: Path, *, days: float = KEPT_DAYS) -> None:
        self._path = path
        self._days = days
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=30)
            self._connection.execute("PRAGMA journal_mode = WAL")
            with self._connection:
                self._connection.execute(_SCHEMA)
        except (sqlite3.Error, OSError) as error:
            raise UsageError(f"{path}: the kept answers cannot be read ({error}); the file may be deleted") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def known(self, source: str, queries: Sequence[NameQuery], moment: str) -> dict[NameQuery, NameAnswer]:
        """Return what ``source`` answered to these queries, no longer ago than answers hold."""
        oldest = _earlier(moment, self._days)
        found: dict[NameQuery, NameAnswer] = {}
        for query in queries:
            with closing(
                self._connection.execute(
                    "SELECT answer FROM answer WHERE source = ? AND query = ? AND moment >= ?",
                    (source, _key(query), oldest),
                )
            ) as rows:
                if row := rows.fetchone():
                    found[query] = _answer(orjson.loads(row[0]))
        return found

    def keep(self, source: str, answers: Iterable[tuple[NameQuery, NameAnswer]]) -> None:
        """Keep answers under the moment that stands in them."""
        rows = [(source, _key(query), one.moment, orjson.dumps(one._asdict()).decode()) for query, one in answers]
        with self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?)", rows)


def _key(query: NameQuery) -> str:
    told = {name: value for name, value in asdict(query).items() if value and name != "merge_to"}
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS).decode()


def _answer(told: dict[str, Any]) -> NameAnswer:
    return NameAnswer(
        **told
        | {
            "classification": tuple(Ancestor(**step) for step in told["classification"]),
            "vernaculars": tuple((language, name) for language, name in told["vernaculars"]),
            "alternatives": tuple(
                Candidate(**one | {"evidence": _pairs(one["evidence"])}) for one in told["alternatives"]
            ),
            "evidence": _pairs(told["evidence"]),
        }
    )


def _pairs(evidence: Iterable[Sequence[Any]]) -> tuple[tuple[str, int], ...]:
    return tuple((str(what), int(points)) for what, points in evidence)


def _earlier(moment: str, days: float) -> str:
    """Return the moment ``days`` before another.

    >>> _earlier("2026-10-31T12:00:00Z", 30)
    '2026-10-01T12:00:00Z'
    """
    return (datetime.fromisoformat(moment) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
