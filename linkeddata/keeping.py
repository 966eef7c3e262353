"""Answers made ready, in step with the log. In: the store, a way to answer. Out: ``linkeddata.keptbook``, filled.

What the log's new entries make stale is taken out first, for all of them together with their last number; then what is
due is made again, then what was never made, by key, then full pages of the feed. An answer that was made while
somebody wrote is made of what was there before or after. Either way it is kept for the log as the book knows it, and
nobody is given it until the book has taken in the entries that were written meanwhile, which take it out again if they
bear on it. A process that is killed goes on where its last transaction ended.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice

from fastapi import Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from linkeddata import feed, iris
from linkeddata.keptbook import Book, Ready
from linkeddata.keptreader import Head, entry_at
from linkeddata.lookups import Watched, touched
from linkeddata.negotiation import JSON_LD
from linkeddata.parts import Parts
from linkeddata.records import Identification
from linkeddata.tables import NAMES

Answering = Callable[[Request, Parts, str], Response]
"""Answers a request for the document with a key; raises ``HTTPException`` where there is none to be had."""
EVENTS = 2000
"""Entries of the log that are taken in together."""
DOCUMENTS = 200
"""Documents that are made before the log is looked at again."""
PAGES = 4
REST_S = 0.05
"""How long the log is let be when there is nothing new in it."""
KIND = NAMES[Identification]


class Keeping:
    """Keeps ``book`` in step with the store of ``parts``."""

    def __init__(self, parts: Parts, book: Book, answering: Answering) -> None:
        self._parts = parts
        self._book = book
        self._answering = answering

    def follow(self, going: Callable[[], bool], rest: Callable[[float], None] = time.sleep) -> None:
        """Keep in step while ``going``."""
        while going():
            if not self.advance():
                rest(REST_S)

    def catch_up(self) -> int:
        """Do all there is to do; return how many entries, documents and pages that was."""
        total = 0
        while moved := self.advance():
            total += moved
        return total

    def advance(self) -> int:
        """Do the next piece; return how many entries, documents or pages it was, 0 where nothing is to be done."""
        return self._take_in() or self._make_due() or self._make_new() or self._make_pages()

    def _take_in(self) -> int:
        """Take out what the next entries of the log make stale."""
        store, book = self._parts.store, self._book
        if entry_at(store, book.position) != book.entry or not book.note("begun"):
            last = store.last()
            book.forget(last, entry_at(store, last))  # all there is will be made from now on
            book.keep((), (), {"begun": "yes"})
            return 1
        events = list(islice(store.events(book.position), EVENTS))
        if not events:
            return 0
        changed = {event.subject for event in events if event.kind.partition(".")[0] == KIND}
        lookups = set(touched(store, events, book.fields()))
        last = events[-1].seq
        book.advance(last, entry_at(store, last), lookups, changed)
        return len(events)

    def _make_due(self) -> int:
        keys = self._book.due(DOCUMENTS)
        if keys:
            self._book.keep(self._made(keys), keys, {})
        return len(keys)

    def _make_new(self) -> int:
        """Make the next documents that there were when the file was begun."""
        if self._book.note("filled"):
            return 0
        question = "SELECT id FROM identification WHERE id > ? ORDER BY id LIMIT ?"
        rows = self._parts.store.rows(question, (self._book.note("filled_to"), DOCUMENTS))
        keys = [key for (key,) in rows]
        notes = {"filled_to": keys[-1]} if keys else {"filled": "yes"}
        self._book.keep(self._made(keys), keys, notes)
        return len(keys) or 1

    def _make_pages(self) -> int:
        """Make the next full pages of the feed."""
        number = int(self._book.note("pages") or 0)
        full = (feed.length(self._parts.store) - 1) // feed.PAGE
        numbers = range(number + 1, min(number + PAGES, full) + 1)
        if numbers:
            store, base = self._parts.store, self._parts.base
            pages = {name: body for one in numbers for name, body in feed.full_page(store, base, one).items()}
            self._book.keep_pages(pages, {"pages": str(numbers[-1])})
        return len(numbers)

    def _made(self, keys: Sequence[str]) -> list[Ready]:
        return [one for one in map(self._ready, keys) if one is not None]

    def _ready(self, key: str) -> Ready | None:
        """Return the answer of one document; None for one that is not to be had, or depends on everything."""
        path = iris.uri("", "identifications", key)
        watched = Watched(self._parts.store)
        try:
            answer = self._answering(_request(path), replace(self._parts, store=watched), key)
        except HTTPException:
            return None
        if watched.everything or answer.status_code != 200:
            return None
        head = Head.said(answer.raw_headers, self._parts.base + path)
        return Ready(key, answer.headers["etag"], head, bytes(answer.body), frozenset(watched.asked))


def _request(path: str) -> Request:
    """Return the usual request for a document."""
    accept = [(b"accept", JSON_LD.encode())]
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "headers": accept}
    return Request(scope | {"query_string": b"", "root_path": ""})
