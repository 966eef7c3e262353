"""What is looked up while something is made of records. In: a store. Out: the same, noting what it is asked.

A document depends on what was looked up for it, and on nothing else: this is the whole rule of which documents an entry
of the log makes stale, and nobody has to say it again of a new document. A look-up names a kind of record, a field and
a value. An entry of the log that changes a record bears on all look-ups of what the record's fields were and are now:
of records with this value there is another one, one fewer, or the same one that says something else.

What is asked in any other way (rows in SQL, whole tables) cannot be told from the log; what was made of it depends on
everything.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import orjson
from sqlalchemy import Connection

from linkeddata.records import Event, Record
from linkeddata.remembered import Remembered
from linkeddata.store import Store
from linkeddata.tables import NAMES, PRIVATE, SHAPES

R = TypeVar("R", bound=Record)
Lookup = tuple[str, str, str]
"""A kind of record as the log calls it, a field, a value."""
Fields = Mapping[str, Iterable[str]]
"""The fields that anything was ever looked up by, by kind of record."""
WHOLE = frozenset({"added", "changed", "withdrawn"})
"""Entries of the log that hold the record as it is from then on."""
_KINDS = {name: kind for kind, name in NAMES.items()}


class Watched(Store):
    """A store that is only read, and notes what it is asked: ``asked``, or ``everything``."""

    def __init__(self, store: Store) -> None:
        self._of = store
        self.asked: set[Lookup] = set()
        self.everything = False
        self.remembered = _Watched(store.remembered, self)

    def looked_up(self, kind: type[Any], field: str, values: Iterable[Any]) -> None:
        """Note a look-up of records by a field; what an erasure blanks in the log is not to be found there again."""
        if field in PRIVATE.get(kind, ()):
            self.everything = True
        name = NAMES[kind]
        self.asked.update((name, field, str(value)) for value in values)

    def get(self, kind: type[R], key: str) -> R | None:
        """Return the record with this key, or None."""
        self.looked_up(kind, SHAPES[kind].key, (key,))
        return self._of.get(kind, key)

    def among(self, kind: type[R], field: str, values: Iterable[str]) -> list[R]:
        """Return the records whose ``field`` is one of ``values``."""
        wanted = list(values)
        self.looked_up(kind, field, wanted)
        return self._of.among(kind, field, wanted)

    def beside(
        self, kind: type[R], key: str | None, backwards: bool, limit: int, equals: Mapping[str, str | int]
    ) -> list[R]:
        """Return records next to a key: it suffices to note one of the fields that they are narrowed by."""
        for field, value in equals.items():
            self.looked_up(kind, field, (value,))
            break
        else:
            self.everything = True
        return self._of.beside(kind, key, backwards, limit, equals)

    def rows(self, question: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return the rows that answer a question in SQL."""
        self.everything = True
        return self._of.rows(question, values)

    def reading(self) -> AbstractContextManager[Connection]:  # type: ignore[override]
        """Give a connection to read with."""
        self.everything = True
        return self._of.reading()

    def transaction(self) -> Any:
        """Raise ``TypeError``: nothing is written while a document is made."""
        raise TypeError("a watched store is only read")

    def last(self) -> int:
        """Return the log's last sequence number, by which nobody makes a document."""
        return self._of.last()

    def modified(self) -> str:
        """Return when anything changed last: a header of every answer, and part of no document."""
        return self._of.modified()

    @property
    def at_once(self) -> bool:
        """Whether answers come from a file on this machine."""
        return self._of.at_once


class _Watched(Remembered[Any]):
    """What was looked up before; looked up once more, it is noted once more."""

    def __init__(self, remembered: Remembered[Any], watched: Watched) -> None:
        self._remembered = remembered
        self._watched = watched
        self.now = remembered.now
        self.keep = remembered.keep  # type: ignore[method-assign]

    def get(self, key: Any, now: int) -> Any:
        match key:
            case (type() as kind, str() as field, str() as value) if kind in NAMES:
                self._watched.looked_up(kind, field, (value,))
            case _:
                self._watched.everything = True
        return self._remembered.get(key, now)


def touched(store: Store, events: Iterable[Event], fields: Fields) -> Iterator[Lookup]:
    """Yield the look-ups by these fields on which entries of the log bear: what records were called, and are now."""
    for event in events:
        name, _, verb = event.kind.partition(".")
        kind = _KINDS.get(name)
        if kind is None:
            continue
        key = SHAPES[kind].key
        yield name, key, event.subject
        others = [field for field in fields.get(name, ()) if field != key]
        if not others:
            continue
        said = [orjson.loads(event.payload)] if verb in WHOLE else []
        if verb != "added":
            said += _before(store, event, name)
        for one in said:
            for field in others:
                yield name, field, str(one.get(field, ""))


def _before(store: Store, event: Event, name: str) -> list[dict[str, Any]]:
    """Return the record as the log had it before this entry; none for one of which it says nothing."""
    kinds = [f"{name}.{verb}" for verb in sorted(WHOLE)]
    rows = store.rows(
        "SELECT payload FROM event WHERE subject = ? AND seq < ? AND kind IN (?, ?, ?) ORDER BY seq DESC LIMIT 1",
        (event.subject, event.seq, *kinds),
    )
    return [orjson.loads(payload) for (payload,) in rows]
