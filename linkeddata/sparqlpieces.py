"""A question that is too much at once, asked in pieces. In: a query and its ids. Out: rows, and what could not be had.

First it is asked whole (long lists of ids by 500). Where the service begins to answer and cannot finish, the ids are
halved, then the range of the query's key, down to a floor; below it, what is missing is a ``Missing`` in the stream.
Pieces are ranges of the key and never OFFSET: a row that comes or goes meanwhile shifts no other row into or out of a
page. Where a query needs Commons and Wikidata, the first is asked here and what it leaves open there, as VALUES: no
``SERVICE``, which not every endpoint allows and none shields from the other's limits.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from linkeddata.client import Client
from linkeddata.errors import TooMuchError
from linkeddata.ids import item_of_iri
from linkeddata.keyranges import EVERYTHING, KeyRange
from linkeddata.settings import Settings
from linkeddata.sparql import Query, load_query, select
from linkeddata.sparqlresults import Row

AT_ONCE = 500
"""Ids in one question."""
HALVINGS = 16
"""How often the range of the key is halved before a piece is given up."""
HOPELESS = 5
"""Pieces given up one after the other: then the service is the trouble, and not the size of the question."""
JOINED = 10_000
"""Rows that wait together for what Wikidata says about their items."""

Values = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Missing:
    """A piece of a question that stayed without a whole answer: which, and why."""

    query: str
    piece: str
    reason: str


@dataclass(frozen=True, slots=True)
class Asking:
    """A query, whom it is put to (a URL), and with what."""

    client: Client
    settings: Settings
    endpoint: str
    query: Query


@dataclass(frozen=True, slots=True)
class _Piece:
    values: Values
    keys: KeyRange = EVERYTHING
    halvings: int = 0

    def halves(self, query: Query) -> "tuple[_Piece, ...]":
        """Return two smaller pieces; none at the floor. The longest list of ids is halved before the key."""
        name = max(self.values, key=lambda name: len(self.values[name]), default="")
        ids = self.values[name] if name else ()
        if len(ids) > 1:
            middle = len(ids) // 2
            return tuple(_Piece({**self.values, name: part}, self.keys) for part in (ids[:middle], ids[middle:]))
        if not query.key or self.halvings >= HALVINGS:
            return ()
        return tuple(_Piece(self.values, keys, self.halvings + 1) for keys in self.keys.halves())

    def said(self, query: Query) -> str:
        """Return what the piece is, for people."""
        ids = [f"{name} {_listed(given)}" for name, given in self.values.items()]
        if query.key and self.keys != EVERYTHING:
            variable, kind = query.key
            ids.append(f"{variable} {self.keys.said('M' if kind == 'file' else 'Q')}")
        return ", ".join(ids) or "all of it"


def _listed(ids: Sequence[str]) -> str:
    return ids[0] if len(ids) == 1 else f"{ids[0]} to {ids[-1]} ({len(ids)})"


def rows(asking: Asking, values: Values) -> Iterator[Row | Missing]:
    """Yield all rows of the answer, piece by piece, and a ``Missing`` for each piece that could not be had.

    Of a query with a ``then``, each row is joined with what the other endpoint says, Wikidata's or Commons'; a row of
    which it says nothing is left out.
    Raises ``UsageError``, and ``ServiceError`` where it is not, or seems not to be, the size of the question.
    """
    first = _rows(asking, values)
    if not asking.query.then:
        return first
    follower = load_query(asking.query.then)
    settings = asking.settings
    there = settings.sparql_commons if follower.endpoint == "commons" else settings.sparql_wikidata
    return _joined(first, Asking(asking.client, settings, there, follower))


def _rows(asking: Asking, values: Values) -> Iterator[Row | Missing]:
    waiting = list(reversed(list(_batches(values))))
    in_vain = 0
    while waiting:
        piece = waiting.pop()
        halves = piece.halves(asking.query)
        text = asking.query.bound(piece.values, asking.settings, piece.keys)
        try:
            yield from select(asking.client, asking.endpoint, text, patient=not halves)
            in_vain = 0
        except TooMuchError as error:
            asking.client.count("halved" if halves else "given up")
            waiting += reversed(halves)
            if not halves:
                in_vain += 1
                if in_vain == HOPELESS:
                    raise
                yield Missing(asking.query.name, piece.said(asking.query), str(error))


def _batches(values: Values) -> Iterator[_Piece]:
    """Yield the whole question, or as many as there are batches of the one list of ids that is long."""
    name = max(values, key=lambda name: len(values[name]), default="")
    if not name or len(values[name]) <= AT_ONCE:
        yield _Piece(values)
        return
    for start in range(0, len(values[name]), AT_ONCE):
        yield _Piece({**values, name: values[name][start : start + AT_ONCE]})


def _joined(first: Iterable[Row | Missing], there: Asking) -> Iterator[Row | Missing]:
    """Yield each row with each row that the other endpoint has for its item; what it says of an item is asked once."""
    (variable, _), *_ = there.query.params
    known: dict[str, list[Row]] = defaultdict(list)
    asked: set[str] = set()
    stream = iter(first)
    while chunk := list(islice(stream, JOINED)):
        items = {item for row in chunk if isinstance(row, dict) and (item := _item(row.get(variable, "")))}
        for told in _rows(there, {variable: sorted(items - asked)}) if items - asked else ():
            if isinstance(told, Missing):
                yield told
            else:
                known[told[variable]].append(told)
        asked |= items
        for row in chunk:
            if isinstance(row, Missing):
                yield row
            else:
                yield from (row | told for told in known.get(row.get(variable, ""), ()))


def _item(iri: str) -> str:
    try:
        return item_of_iri(iri)
    except ValueError:
        return ""
