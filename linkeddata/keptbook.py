"""Answers that are ready, in a file beside the store. In: answers, what they depend on. Out: the file, in step.

One file of SQLite holds the answer to ``GET`` of each identification as it is sent: its body, packed by a dictionary
that was trained on such bodies, its ``ETag``, and the number of its headers, which are the same for nearly all. Beside
it stands what it depends on (``linkeddata.lookups``), so that an entry of the log finds what it makes stale. All stands
for the log up to ``position``: what is taken out for an entry, and the entry's number, are written in one transaction.
Full pages of the feed never change, and lie here as well, packed.

The file can be made again from the store at any time, and is, when it was written for another address or by another
version of what makes documents. One process writes it (``Book``); many read it (``linkeddata.keptreader``).
"""

import hashlib
import secrets
import sqlite3
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson
import xxhash
import zstandard

from linkeddata.errors import StoreError
from linkeddata.lookups import Lookup
from linkeddata.settings import SECRET_FIELDS, VERSION, Settings
from linkeddata.tables import SCHEMA

FOLDER = "documents"
"""Name of the folder in home."""
FILE = "documents.sqlite"
LEVEL = 3
"""Of Zstandard: 260 bytes a document by a dictionary of 32 KiB; higher ones save a twentieth in five times the time."""
DICTIONARY_BYTES = 32 * 1024
SAMPLES = 400
"""Documents that a dictionary is trained on."""
GROWTH = 20
"""A new dictionary is trained when there are so many times as many documents as at the last time."""
MOST_STALE = 100_000
"""From so many documents on that an entry of the log makes stale, all are made anew."""
_MOST = 900
"""Values in one question."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS place (position INTEGER NOT NULL, mark TEXT NOT NULL, entry TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS document (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, tag TEXT NOT NULL, head INTEGER NOT NULL,
    dictionary INTEGER NOT NULL, body BLOB NOT NULL, ties BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS tie (on_what INTEGER, document INTEGER, PRIMARY KEY (on_what, document)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS head (id INTEGER PRIMARY KEY AUTOINCREMENT, said BLOB NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS dictionary (id INTEGER PRIMARY KEY AUTOINCREMENT, said BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS due (key TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS page (name TEXT PRIMARY KEY, body BLOB NOT NULL);
"""
_TABLES = ("note", "document", "tie", "head", "dictionary", "due", "page")


@dataclass(frozen=True, slots=True)
class Ready:
    """An answer that is ready to be kept, and what it was made of."""

    key: str
    tag: str
    head: bytes
    """Its headers as ``linkeddata.keptreader.Head`` reads them."""
    body: bytes
    asked: frozenset[Lookup]


@cache
def _makers() -> bytes:
    """Return a digest of everything of ours that documents are made by, which is all of this package."""
    digest = hashlib.sha256(f"{VERSION} {SCHEMA}".encode())
    for folder in (files("linkeddata"), files("linkeddata") / "profiles"):
        for one in sorted(folder.iterdir(), key=lambda path: path.name):
            if one.name.endswith((".py", ".jsonld")):
                digest.update(one.name.encode() + one.read_bytes())
    return digest.digest()


def made_for(settings: Settings) -> str:
    """Return a mark of what documents are made by and for: another one as soon as they may say something else."""
    told = {name: value for name, value in asdict(settings).items() if name not in SECRET_FIELDS | {"home"}}
    return hashlib.sha256(_makers() + orjson.dumps(told)).hexdigest()[:16]


def tie(lookup: Lookup) -> int:
    """Return a number for a look-up; should two have the same, a document is made again that need not be."""
    number = xxhash.xxh3_64_intdigest("\0".join(lookup).encode())
    return number - (1 << 64) if number >> 63 else number


class Book:
    """The file in ``folder``, for who writes it. Raises ``StoreError`` where it cannot be opened, or another has it."""

    def __init__(self, folder: Path, wanted: str, most_stale: int = MOST_STALE) -> None:
        self._wanted = wanted
        self._most_stale = most_stale
        path = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = sqlite3.connect(folder / "lock.sqlite", timeout=0, isolation_level=None)
            self._lock.execute("BEGIN EXCLUSIVE")  # given back when this process ends, however it ends
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("PRAGMA secure_delete = ON")
            self._db.execute("PRAGMA cache_size = -65536")
            self._db.executescript(_SCHEMA)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"the ready documents, {path}, cannot be written: {error}") from error
        self._packers: dict[int, zstandard.ZstdCompressor] = {}
        if not self.mark.startswith(f"{wanted} "):
            self.forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, so that another process may write it."""
        self._db.close()
        self._lock.close()

    @property
    def mark(self) -> str:
        """What the file was made for, and a word of its own for each time it was begun."""
        rows = self._db.execute("SELECT mark FROM place").fetchall()
        return str(rows[0][0]) if rows else ""

    @property
    def position(self) -> int:
        """The log's sequence number for which everything here stands."""
        return int(self._db.execute("SELECT position FROM place").fetchone()[0])

    @property
    def entry(self) -> str:
        """What stands in the log at ``position``: in another log something else does."""
        return str(self._db.execute("SELECT entry FROM place").fetchone()[0])

    def forget(self, position: int = 0, entry: str = "") -> None:
        """Begin again with nothing, for a log that ends at ``position``."""
        with self._writing():
            for table in _TABLES:
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours
            self._db.execute("DELETE FROM place")
            mark = f"{self._wanted} {secrets.token_hex(4)}"
            self._db.execute("INSERT INTO place VALUES (?, ?, ?)", (position, mark, entry))
        self._packers.clear()

    def note(self, name: str) -> str:
        """Return a note, ``""`` where there is none."""
        rows = self._db.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchall()
        return str(rows[0][0]) if rows else ""

    def fields(self) -> dict[str, set[str]]:
        """Return the fields that anything here was looked up by, by kind of record."""
        return {kind: set(names) for kind, names in orjson.loads(self.note("fields") or "{}").items()}

    def advance(self, position: int, entry: str, lookups: Collection[Lookup], changed: Collection[str]) -> None:
        """Take out what depends on these look-ups, and the documents ``changed``; all are due to be made again.

        Where that is much, everything is forgotten, which costs no memory.
        """
        rows = self._among("SELECT document FROM tie WHERE on_what IN", list(map(tie, lookups)))
        tied = list(islice(rows, self._most_stale))
        if len(tied) == self._most_stale:
            self.forget(position, entry)
            return
        named = {value for _, _, value in lookups} | set(changed)
        with self._writing():
            stale = [
                *self._among("SELECT id, key, ties FROM document WHERE id IN", list({row[0] for row in tied})),
                *self._among("SELECT id, key, ties FROM document WHERE key IN", list(named)),
            ]
            self._take_out(stale)
            due = {row[1] for row in stale} | set(changed)
            self._db.executemany("INSERT OR IGNORE INTO due VALUES (?)", [(key,) for key in sorted(due)])
            self._db.execute("UPDATE place SET position = ?, entry = ?", (position, entry))

    def due(self, most: int) -> list[str]:
        """Return keys of documents that are to be made again."""
        return [row[0] for row in self._db.execute("SELECT key FROM due ORDER BY key LIMIT ?", (most,))]

    def keep(self, made: Sequence[Ready], keys: Iterable[str], notes: Mapping[str, str]) -> None:
        """Keep answers; what was due under ``keys`` is done, whether there is an answer of it or not."""
        dictionary = self._dictionary([one.body for one in made]) if made else 0
        packer = self._packer(dictionary)
        with self._writing():
            fields = self.fields()
            keys_made = [one.key for one in made]
            self._take_out(list(self._among("SELECT id, key, ties FROM document WHERE key IN", keys_made)))
            for one in made:
                ties = sorted({tie(lookup) for lookup in one.asked if lookup[2] != one.key})
                for kind, field, _ in one.asked:
                    fields.setdefault(kind, set()).add(field)
                body = packer.compress(one.body)
                values = (one.key, one.tag, self._head(one.head), dictionary, body, array("q", ties).tobytes())
                added = self._db.execute(
                    "INSERT INTO document (key, tag, head, dictionary, body, ties) VALUES (?, ?, ?, ?, ?, ?)", values
                )
                self._db.executemany("INSERT INTO tie VALUES (?, ?)", [(number, added.lastrowid) for number in ties])
            self._db.executemany("DELETE FROM due WHERE key = ?", [(key,) for key in keys])
            said = {kind: sorted(names) for kind, names in sorted(fields.items())}
            self._note({**notes, "fields": orjson.dumps(said).decode()})

    def keep_pages(self, pages: Mapping[str, bytes], notes: Mapping[str, str]) -> None:
        """Keep pages that never change."""
        packer = zstandard.ZstdCompressor(LEVEL)
        with self._writing():
            rows = [(name, packer.compress(body)) for name, body in pages.items()]
            self._db.executemany("INSERT OR REPLACE INTO page VALUES (?, ?)", rows)
            self._note(notes)

    def count(self) -> int:
        """Return how many documents are ready."""
        return int(self._db.execute("SELECT count(*) FROM document").fetchone()[0])

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _note(self, notes: Mapping[str, str]) -> None:
        self._db.executemany("INSERT OR REPLACE INTO note VALUES (?, ?)", list(notes.items()))

    def _take_out(self, rows: Sequence[Any]) -> None:
        ties = [(number, row[0]) for row in rows for number in array("q", row[2])]
        self._db.executemany("DELETE FROM tie WHERE on_what = ? AND document = ?", ties)
        self._db.executemany("DELETE FROM document WHERE id = ?", [(row[0],) for row in rows])

    def _head(self, said: bytes) -> int:
        rows = self._db.execute("SELECT id FROM head WHERE said = ?", (said,)).fetchall()
        if rows:
            return int(rows[0][0])
        return int(self._db.execute("INSERT INTO head (said) VALUES (?)", (said,)).lastrowid or 0)

    def _dictionary(self, bodies: Sequence[bytes]) -> int:
        """Return the number of the dictionary to pack by: the last one, or one trained on these bodies."""
        last = int(self.note("dictionary") or 0)
        count = self.count() + len(bodies)
        if last and count < GROWTH * int(self.note("trained_at")):
            return last
        said = _trained(bodies[:SAMPLES])
        with self._writing():
            number = int(self._db.execute("INSERT INTO dictionary (said) VALUES (?)", (said,)).lastrowid or 0)
            self._note({"dictionary": str(number), "trained_at": str(count)})
        return number

    def _packer(self, dictionary: int) -> zstandard.ZstdCompressor:
        if dictionary not in self._packers:
            rows = self._db.execute("SELECT said FROM dictionary WHERE id = ?", (dictionary,)).fetchall()
            said = zstandard.ZstdCompressionDict(rows[0][0]) if rows else None
            self._packers[dictionary] = zstandard.ZstdCompressor(
                LEVEL, dict_data=said, write_checksum=False, write_dict_id=False
            )
        return self._packers[dictionary]

    def _among(self, question: str, values: Sequence[Any]) -> Iterator[Any]:
        for start in range(0, len(values), _MOST):
            piece = values[start : start + _MOST]
            yield from self._db.execute(f"{question} ({','.join('?' * len(piece))})", piece)


def _trained(bodies: Sequence[bytes]) -> bytes:
    """Return a dictionary for bodies like these; of few, a dictionary is some of them as they are."""
    try:
        return bytes(zstandard.train_dictionary(DICTIONARY_BYTES, list(bodies)).as_bytes())
    except zstandard.ZstdError:
        return b"".join(bodies)[-DICTIONARY_BYTES:]
