"""Answers that are ready, for who sends them. In: what ``linkeddata.keptbook`` writes, the store. Out: answers.

Nothing is given that may be stale: what is read stands for a position in the log, and the log must end there now. While
the file is behind, is not there, or was made for something else, nothing is ready, and whoever asks makes what is
wanted himself, as if there were no file.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import local
from typing import Any

import orjson
import zstandard

from linkeddata import conditions
from linkeddata.keptbook import FILE
from linkeddata.store import Store

Pairs = list[tuple[bytes, bytes]]
STEM = b"\0"
"""Stands in headers for the document's address without a suffix."""
_ANSWER = "SELECT position, mark, tag, head, dictionary, body FROM document CROSS JOIN place WHERE key = ?"
_BODIES = "SELECT position, mark, key, dictionary, body FROM document CROSS JOIN place WHERE key IN ({})"
_PAGE = "SELECT mark, body FROM page CROSS JOIN place WHERE name = ?"
_OWN = {b"etag": b"\1", b"last-modified": b"\2", b"content-length": b"\3"}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: its headers, but for those that every answer of the server gets, and its body."""

    headers: Pairs
    body: bytes
    tag: str
    modified: str


class Head:
    """The headers of an answer, with places for what is each document's own."""

    def __init__(self, said: bytes) -> None:
        self._pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in orjson.loads(said)]

    @staticmethod
    def said(headers: Sequence[tuple[bytes, bytes]], stem: str) -> bytes:
        """Return headers as they are kept: those of all documents whose headers differ in nothing else are the same.

        >>> Head.said([(b"etag", b'"a"'), (b"link", b"<https://deboodt.example/x.ttl>")], "https://deboodt.example/x")
        b'[["etag","\\\\u0001"],["link","<\\\\u0000.ttl>"]]'
        """
        pairs = [(name, _OWN.get(name) or value.replace(stem.encode(), STEM)) for name, value in headers]
        return orjson.dumps([(name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs])

    def of(self, stem: bytes, tag: str, modified: str, length: int) -> Pairs:
        """Return the headers of one document, in their order; without a date where none is known."""
        own = {b"\1": tag.encode(), b"\2": modified.encode(), b"\3": str(length).encode()}
        found = []
        for name, value in self._pairs:
            if name in _OWN:
                if said := own[value]:
                    found.append((name, said))
            else:
                found.append((name, value.replace(STEM, stem) if STEM in value else value))
        return found


class Kept:
    """What is ready in ``folder``. May be shared between threads."""

    def __init__(self, folder: Path, wanted: str, store: Store) -> None:
        self._path = folder / FILE
        self._wanted = f"{wanted} "
        self._store = store
        self._own = local()
        self._modified: tuple[int, str] = (-1, "")

    def answer(self, key: str, stem: bytes) -> Answer | None:
        """Return the answer of the document with this key, whose address without a suffix is ``stem``."""
        opened = self._opened()
        rows = opened.rows(_ANSWER, (key,)) if opened else []
        if opened is None or not rows:
            return None
        position, mark, tag, number, dictionary, packed = rows[0]
        if not self._stands(opened, position, mark):
            return None
        head, body = opened.head(number), opened.unpacked(dictionary, packed)
        if head is None or body is None:
            return None
        modified = self._date(position)
        return Answer(head.of(stem, tag, modified, len(body)), body, tag, modified)

    def bodies(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return the bodies of those documents that are ready, by key."""
        opened = self._opened()
        rows = opened.rows(_BODIES.format(",".join("?" * len(keys))), keys) if opened else []
        if opened is None or not rows or not self._stands(opened, *rows[0][:2]):
            return {}
        found = {key: opened.unpacked(dictionary, packed) for _, _, key, dictionary, packed in rows}
        return {key: body for key, body in found.items() if body is not None}

    def items(self, keys: Sequence[str], base: str) -> dict[str, bytes]:
        """Return the documents that are ready as they stand in a page, which names their context once, by key."""
        own = b'{"@context":' + orjson.dumps(f"{base}/context.jsonld") + b","
        bodies = self.bodies(keys)
        return {key: b"{" + body[len(own) :] for key, body in bodies.items() if body.startswith(own)}

    def page(self, name: str) -> bytes | None:
        """Return a page that never changes."""
        opened = self._opened()
        rows = opened.rows(_PAGE, (name,)) if opened else []
        if opened is None or not rows or not self._ours(opened, rows[0][0]):
            return None
        return opened.unpacked(0, rows[0][1])

    def health(self) -> dict[str, int | bool]:
        """Return for which entry of the log answers are ready, how many entries are to come, and whether all are."""
        opened = self._opened()
        rows = opened.rows("SELECT position, mark FROM place") if opened else []
        if opened is None or not rows or not self._ours(opened, rows[0][1]):
            return {"position": 0, "behind": self._store.last(), "whole": False}
        position = rows[0][0]
        filled = opened.rows("SELECT 1 FROM note WHERE name = 'filled'")
        whole = bool(filled) and not opened.rows("SELECT 1 FROM due LIMIT 1")
        return {"position": position, "behind": max(self._store.last() - position, 0), "whole": whole}

    def _opened(self) -> "_Opened | None":
        opened: _Opened | None = getattr(self._own, "opened", None)
        if opened is None and self._path.exists():
            opened = self._own.opened = _Opened(self._path)
        return opened

    def _stands(self, opened: "_Opened", position: int, mark: str) -> bool:
        """Tell whether what was read at ``position`` stands: the log, which is this one, ends there."""
        return position == self._store.last() and self._ours(opened, mark)

    def _ours(self, opened: "_Opened", mark: str) -> bool:
        """Tell whether the file was made for us, from this log; looked into once for each time that it was begun."""
        if opened.mark != mark:
            rows = opened.rows("SELECT position, entry FROM place WHERE mark = ?", (mark,))
            ours = bool(rows) and mark.startswith(self._wanted) and entry_at(self._store, rows[0][0]) == rows[0][1]
            opened.mark, opened.ours = mark, ours
        return opened.ours

    def _date(self, position: int) -> str:
        known, date = self._modified
        if known != position:
            date = conditions.http_date(self._store.modified())
            self._modified = (position, date)
        return date


def entry_at(store: Store, position: int) -> str:
    """Return what stands in the log at a position, in a few words: in another log something else does."""
    rows = store.rows("SELECT moment, kind, subject FROM event WHERE seq = ?", (position,))
    return " ".join(rows[0]) if rows else ""


class _Opened:
    """The file as one thread has it open. Numbers of heads and dictionaries are never given again."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
        self._db.execute("PRAGMA query_only = ON")
        self.mark = ""
        self.ours = False
        self._heads: dict[int, Head] = {}
        self._unpackers: dict[int, Callable[[bytes], bytes]] = {0: zstandard.ZstdDecompressor().decompress}

    def rows(self, question: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return rows; none where the file cannot be read."""
        try:
            return self._db.execute(question, values).fetchall()
        except sqlite3.Error:
            return []

    def head(self, number: int) -> Head | None:
        """Return the headers of this number."""
        if number not in self._heads:
            for (said,) in self.rows("SELECT said FROM head WHERE id = ?", (number,)):
                self._heads[number] = Head(said)
        return self._heads.get(number)

    def unpacked(self, dictionary: int, packed: bytes) -> bytes | None:
        """Return a body as it is sent; ``dictionary`` 0 is none."""
        if dictionary not in self._unpackers:
            for (said,) in self.rows("SELECT said FROM dictionary WHERE id = ?", (dictionary,)):
                known = zstandard.ZstdCompressionDict(said)
                self._unpackers[dictionary] = zstandard.ZstdDecompressor(dict_data=known).decompress
        unpack = self._unpackers.get(dictionary)
        return unpack(packed) if unpack else None
