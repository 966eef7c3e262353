"""What each published document said when the graph was last brought up to it. In: documents. Out: what to add and drop.

Beside a graph lies this file of SQLite. An identification and a label alone tell of what has their IRI; what documents
say of other things (the taxon, the file, the software) is kept by block: all that one document says of one subject. A
block counts the documents that say it, and goes when the last of them is gone.

The difference to be made in the graph is written into a file of its own before it is made, noted in the transaction
that changes the books, and struck out when it has been made: whoever was killed in between makes it once more, which
changes nothing. Differences are numbered; a graph that is not at the number where the books are is not theirs, and is
made again.
"""

import sqlite3
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from linkeddata.errors import StoreError
from linkeddata.sayings import Said

_SCHEMA = """
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS document (iri TEXT PRIMARY KEY, own BLOB NOT NULL, blocks TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS block (
    id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, subject TEXT NOT NULL, said TEXT NOT NULL,
    count INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS block_by_subject ON block (subject);
"""
_WRITE = """
INSERT INTO document VALUES (?, ?, ?) ON CONFLICT (iri) DO UPDATE SET own = excluded.own, blocks = excluded.blocks
"""
CACHE_KIB = 65_536
CHECKPOINT_PAGES = 16_384
"""As in the store: pages that wait in the journal, to be put in their places once however often they changed."""
_MOST = 900
"""Values in one question."""


@dataclass(slots=True)
class Difference:
    """What is to be made of a graph: triples to drop, then texts of triples to add, a line each; numbered."""

    number: int = 0
    dropped: set[str] = field(default_factory=set)
    added: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.dropped or self.added)

    def statements(self) -> set[str]:
        """Return the triples to add."""
        return {line for text in self.added for line in text.split("\n")}

    def updates(self, graph: str = "", most: int = 5000) -> Iterator[str]:
        """Yield it as SPARQL 1.1 Update, of at most so many triples each; of the default graph where none is named.

        >>> list(Difference(1, set(), ["<urn:a> <urn:p> 1"]).updates("urn:g"))
        ['INSERT DATA { GRAPH <urn:g> {\\n<urn:a> <urn:p> 1 .\\n} }']
        """
        head, tail = (f"{{ GRAPH <{graph}> {{\n", "} }") if graph else ("{\n", "}")
        for verb, triples in (("DELETE", sorted(self.dropped)), ("INSERT", sorted(self.statements()))):
            for start in range(0, len(triples), most):
                data = "".join(f"{_in_sparql(one)} .\n" for one in triples[start : start + most])
                yield f"{verb} DATA {head}{data}{tail}"

    def written(self) -> bytes:
        """Return it as ``read`` takes it."""
        return ("\n".join(self.dropped) + "\n\n" + "\n".join(self.added)).encode()

    @classmethod
    def read(cls, number: int, written: bytes) -> "Difference":
        """Return what was written.

        >>> Difference.read(2, Difference(2, {"<urn:a> <urn:p> 1"}, []).written())
        Difference(number=2, dropped={'<urn:a> <urn:p> 1'}, added=[])
        """
        dropped, _, added = written.decode().partition("\n\n")
        return cls(number, _lines(dropped), [added] if added else [])


def _in_sparql(statement: str) -> str:
    """Return an N-Triples line for SPARQL, where ``\\u`` is read as an escape even behind a backslash (19.2)."""
    return statement.replace("\\u", "\\\\u0075").replace("\\U", "\\\\u0055") if "\\" in statement else statement


class Books:
    """The books in one file. One process may write them at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            self._db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            self._db.executescript(_SCHEMA)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"the books of the published graph, {path}, cannot be opened: {error}") from error

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def state(self, name: str) -> str:
        """Return a note, ``""`` where there is none."""
        row = self._db.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    @property
    def number(self) -> int:
        """The number of the last difference that was written down."""
        return int(self.state("number") or 0)

    def forget(self, notes: Mapping[str, str]) -> None:
        """Begin again with nothing but ``notes``."""
        self._db.execute("BEGIN IMMEDIATE")
        for table in ("state", "document", "block"):
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608
        self._note(notes)
        self._db.execute("COMMIT")

    def take(self, documents: Mapping[str, Said | None], notes: Mapping[str, str]) -> Difference:
        """Write down what documents say now (None: it is gone), and return the difference it makes.

        ``notes`` are written in the same transaction. ``done`` is to be called when the difference has been made.
        """
        self._db.execute("BEGIN IMMEDIATE")
        try:
            difference = self._difference(documents)
            difference.number = self.number
            self._note(notes)
            if difference:
                difference.number += 1
                written = self._place(difference.number).write_bytes(difference.written())
                self._note({"number": str(difference.number), "pending": str(written)})
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        return difference

    def pending(self) -> Difference:
        """Return the difference that was written down last and may not have been made; an empty one else.

        Raises ``StoreError`` where it is not there as it was written.
        """
        size = self.state("pending")
        if not size:
            return Difference(self.number)
        try:
            written = self._place(self.number).read_bytes()
        except OSError as error:
            raise StoreError(f"a difference of the published graph cannot be read: {error}") from error
        if len(written) != int(size):
            raise StoreError(f"{self._place(self.number)} has {len(written)} bytes, not {size}")
        return Difference.read(self.number, written)

    def done(self) -> None:
        """Strike the last difference out: it has been made, and what is in the graph is what is in the books."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute("DELETE FROM state WHERE name = 'pending'")
        self._db.execute("INSERT OR REPLACE INTO state SELECT 'shown', value FROM state WHERE name = 'position'")
        self._db.execute("COMMIT")
        self._place(self.number).unlink(missing_ok=True)

    def _place(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}-difference-{number}")

    def subjects(self, iris: Collection[str]) -> set[str]:
        """Return the IRIs of the things, not their own, that these documents tell of."""
        blocks = {number for _, _, numbers in self._known(iris) for number in numbers}
        rows = self._among("SELECT DISTINCT subject FROM block WHERE id IN", blocks)
        return {subject[1:-1] for (subject,) in rows}

    def _note(self, notes: Mapping[str, str]) -> None:
        self._db.executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", list(notes.items()))

    def _difference(self, documents: Mapping[str, Said | None]) -> Difference:
        difference = Difference()
        counts: Counter[int] = Counter()
        before = {iri: (own, numbers) for iri, own, numbers in self._known(documents)}
        numbers = self._numbered({block for said in documents.values() if said for block in said.blocks}, difference)
        rows = []
        for iri, said in documents.items():
            old_own, old_numbers = before.get(iri, ("", []))
            now = said or Said(iri, "")
            if now.own and not old_own:
                difference.added.append(now.own)
            elif now.own != old_own:
                old, new = _lines(old_own), _lines(now.own)
                difference.dropped |= old - new
                difference.added += new - old
                difference.added += _disturbed(old - new, new & old)
            new_numbers = [numbers[block] for block in now.blocks]
            counts.update(new_numbers)
            counts.subtract(old_numbers)
            if said:
                rows.append((iri, _packed(said.own, iri), " ".join(map(str, new_numbers))))
        gone = [(iri,) for iri in before if documents[iri] is None]
        self._db.executemany("DELETE FROM document WHERE iri = ?", gone)
        self._db.executemany(_WRITE, rows)
        changed = [(count, number) for number, count in counts.items() if count]
        self._db.executemany("UPDATE block SET count = count + ? WHERE id = ?", changed)
        self._drop_unsaid({number for number, count in counts.items() if count <= 0}, difference)
        return difference

    def _numbered(self, blocks: Collection[str], difference: Difference) -> dict[str, int]:
        """Return the number of each block; what nobody said before gets one, and is added."""
        digests = {blake2b(block.encode(), digest_size=16).digest(): block for block in blocks}
        rows = self._among("SELECT digest, id FROM block WHERE digest IN", digests)
        numbers = {digests[digest]: int(number) for digest, number in rows}
        for digest, block in digests.items():
            if block not in numbers:
                values = (digest, block[: block.index(" ")], block)
                made = self._db.execute("INSERT INTO block (digest, subject, said, count) VALUES (?, ?, ?, 0)", values)
                numbers[block] = int(made.lastrowid or 0)
                difference.added.append(block)
        return numbers

    def _drop_unsaid(self, numbers: Collection[int], difference: Difference) -> None:
        """Take away the blocks among these that no document says any more; what others say of their subjects stays."""
        gone = list(self._among("SELECT id, said FROM block WHERE count <= 0 AND id IN", numbers))
        self._db.executemany("DELETE FROM block WHERE id = ?", [(number,) for number, _ in gone])
        shared = {line for _, said in gone for line in said.split("\n")}
        for kept in self._said_of(_subjects(difference.dropped | shared), _subjects(shared)):
            difference.dropped -= kept
            shared -= kept
            difference.added += _disturbed(difference.dropped | shared, kept)
        difference.dropped |= shared
        if difference.dropped:
            difference.dropped -= difference.statements()

    def _said_of(self, subjects: Collection[str], shared: Collection[str]) -> Iterator[set[str]]:
        """Yield what the books have of these subjects; what is a document's own where others told of it, too."""
        for (said,) in self._among("SELECT said FROM block WHERE subject IN", subjects):
            yield set(said.split("\n"))
        places = {subject[1:-1].partition("#")[0] for subject in shared}
        for _, own, _ in self._known(places):
            yield {one for one in own.split("\n") if one[: one.find(" ")] in shared}

    def _known(self, iris: Collection[str]) -> Iterator[tuple[str, str, list[int]]]:
        for iri, own, numbers in self._among("SELECT iri, own, blocks FROM document WHERE iri IN", iris):
            yield iri, zlib.decompress(own).decode().replace("\0", iri), [int(one) for one in numbers.split()]

    def _among(self, question: str, values: Collection[Any]) -> Iterator[Sequence[Any]]:
        wanted = list(values)
        for start in range(0, len(wanted), _MOST):
            piece = wanted[start : start + _MOST]
            yield from self._db.execute(f"{question} ({','.join('?' * len(piece))})", piece).fetchall()


def _lines(text: str) -> set[str]:
    return set(text.split("\n")) - {""}


def _subjects(statements: Iterable[str]) -> set[str]:
    return {one[: one.index(" ")] for one in statements}


def _disturbed(dropped: Iterable[str], kept: Iterable[str]) -> list[str]:
    """Return what is to be said again, for a graph keeps a number's value, not how it is written.

    >>> number = '"^^<http://www.w3.org/2001/XMLSchema#double>'
    >>> _disturbed({f'<urn:a> <urn:p> "1.0{number}'}, {f'<urn:a> <urn:p> "1{number}', '<urn:a> <urn:p> "1"'})
    ['<urn:a> <urn:p> "1"^^<http://www.w3.org/2001/XMLSchema#double>']
    """
    of = {one[: one.index('"')] for one in dropped if "^^<" in one}
    return [one for one in kept if "^^<" in one and one[: one.index('"')] in of] if of else []


def _packed(text: str, iri: str) -> bytes:
    return zlib.compress(text.replace(iri, "\0").encode(), 1)
