"""How fast the store takes tags with their log, beside plain sqlite3 writing the same two rows a tag."""

import json
import sqlite3
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks._figure import figure
from linkeddata.ids import content_id
from linkeddata.records import Tag
from linkeddata.store import Store

TAGS = 50_000
MOMENT = "2026-01-01T00:00:00Z"


def tags(count: int) -> list[Tag]:
    """Return made-up tags, each different."""
    return [
        Tag(
            id=content_id("tag", str(i)),
            file=f"https://commons.deboodt.example/entity/M{i // 3 + 1}",
            item=f"Q{i % 900 + 1}",
            agent=f"urn:deboodt:person:{i % 50:016x}",
            moment=MOMENT,
            route="commons",
            campaign="benchmark",
            revision=i,
        )
        for i in range(count)
    ]


def store_rate(records: list[Tag], folder: Path) -> tuple[float, float]:
    """Return tags per second put new, and put again unchanged."""
    with Store(f"sqlite:///{folder / 'store.sqlite'}") as store:
        begun = time.perf_counter()
        store.put(records, agent="benchmark", moment=MOMENT)
        new = time.perf_counter() - begun
        begun = time.perf_counter()
        store.put(records, agent="benchmark", moment=MOMENT)
        again = time.perf_counter() - begun
        assert store.count(Tag) == len(records)
    return len(records) / new, len(records) / again


def plain_rate(records: list[Tag], folder: Path) -> float:
    """Return tags per second of sqlite3 alone: the row and a JSON copy as its log entry, a thousand a transaction."""
    columns = list(asdict(records[0]))
    marks = ",".join("?" * len(columns))
    connection = sqlite3.connect(folder / "plain.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"CREATE TABLE tag ({','.join(columns)}, PRIMARY KEY (id))")
    connection.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, kind TEXT, subject TEXT, payload TEXT)")
    begun = time.perf_counter()
    for start in range(0, len(records), 1000):
        rows = [asdict(record) for record in records[start : start + 1000]]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(f"INSERT INTO tag VALUES ({marks})", [tuple(row.values()) for row in rows])  # noqa: S608
        log = [("tag.added", row["id"], json.dumps(row)) for row in rows]
        connection.executemany("INSERT INTO event (kind, subject, payload) VALUES (?,?,?)", log)
        connection.execute("COMMIT")
    took = time.perf_counter() - begun
    connection.close()
    return len(records) / took


def main() -> None:
    """Print the figures."""
    records = tags(TAGS)
    with tempfile.TemporaryDirectory() as folder:
        plain = plain_rate(records, Path(folder))
        new, again = store_rate(records, Path(folder))
    beside = "sqlite3, row and JSON log entry"
    figure("tags put, new, with their events", new, "tags/s", beside=beside, beside_value=plain, at_least=20_000)
    figure("tags put again, unchanged", again, "tags/s", beside=beside, beside_value=plain, at_least=20_000)


if __name__ == "__main__":
    main()
