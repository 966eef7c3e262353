"""Taxa to choose from while typing. In: a few letters, in Latin, Dutch or English. Out: taxa whose names begin so.

The names of the taxa that the store knows lie sorted in memory, each from the beginning of each of its words, and are
read again when the log says that a taxon was added or changed. Where there is a name index, its names follow.
"""

import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from threading import Lock

import orjson
from sqlalchemy import func, select

from linkeddata.nameindex.index import NameIndex
from linkeddata.records import Taxon
from linkeddata.store import Store
from linkeddata.tables import EVENT, SHAPES

LOOKED_AT = 400
"""Names that are ranked at most; whoever types "a" is shown some."""
TAXON_KINDS = ("taxon.added", "taxon.changed", "taxon.removed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """One taxon. ``concept`` is empty for one that the index knows and the store does not yet."""

    concept: str
    name: str
    rank: str = ""
    matched: str = ""
    """The name that begins so, where it is another than ``name``."""
    language: str = ""


@dataclass(frozen=True, slots=True)
class _Names:
    """All names in order: what is compared, and which suggestion it leads to."""

    seq: int
    keys: tuple[str, ...] = ()
    found: tuple[Suggestion, ...] = ()


class TaxonSearch:
    """Finds taxa by how their names begin. May be shared between threads."""

    def __init__(self, store: Store, index: NameIndex | None = None) -> None:
        self._store = store
        self._index = index
        self._lock = Lock()
        self._names = _Names(-1)

    def suggestions(self, text: str, limit: int = 10) -> list[Suggestion]:
        """Return at most ``limit`` taxa, the likeliest first: whole names before parts, short ones before long ones."""
        wanted = folded(text)
        if not wanted:
            return []
        best: dict[str, tuple[tuple[bool, bool, int, str], Suggestion]] = {}
        for key, one in self._beginning(wanted):
            shown = folded(one.matched or one.name)
            rank = (shown != wanted, not shown.startswith(wanted), len(key), one.name)
            if one.concept not in best or rank < best[one.concept][0]:
                best[one.concept] = (rank, one)
        found = [one for _, one in sorted(best.values(), key=lambda pair: pair[0])][:limit]
        return found + list(self._from_index(text.strip(), {one.name for one in found}, limit - len(found)))

    def chosen(self, text: str, *, agent: str, moment: str) -> str:
        """Return the concept of a taxon by its concept or by a whole name, ``""`` where that is none or several.

        A name that only the index knows is put into the store.
        """
        if self._store.among(Taxon, "concept", [text.strip()]):
            return text.strip()
        wanted = folded(text)
        named = {one.concept for _, one in self._beginning(wanted) if folded(one.matched or one.name) == wanted}
        if named or self._index is None:
            return named.pop() if len(named) == 1 else ""
        taxon = taxon_in(self._index, text.strip(), moment)
        if taxon is None:
            return ""
        self._store.put([taxon], agent=agent, moment=moment)
        return taxon.concept

    def _beginning(self, wanted: str) -> Iterator[tuple[str, Suggestion]]:
        names = self._current()
        at = bisect_left(names.keys, wanted)
        end = bisect_left(names.keys, wanted + "\U0010ffff", at)
        yield from zip(names.keys[at : min(end, at + LOOKED_AT)], names.found[at:end], strict=False)

    def _from_index(self, text: str, known: set[str], limit: int) -> Iterator[Suggestion]:
        if self._index is None or limit <= 0:
            return
        for name in self._index.names_starting(text, limit + len(known)):
            if name not in known and limit > 0:
                limit -= 1
                yield Suggestion(concept="", name=name)

    def _current(self) -> _Names:
        seq = _last_change(self._store)
        if seq != self._names.seq:
            with self._lock:
                if seq != self._names.seq:
                    self._names = _read(self._store, seq)
        return self._names


def folded(text: str) -> str:
    """Return a name as it is compared: without accents, capitals and doubled spaces.

    >>> folded("  Désert  Locust ")
    'desert locust'
    """
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return " ".join(plain.casefold().split())


def taxon_in(index: NameIndex, name: str, moment: str) -> Taxon | None:
    """Return the taxon that the index has under this name, if there is one and no more, by GBIF's key or item."""
    rows = {index.accepted(row) for row in index.rows_named(name)}
    if len(rows) != 1:
        return None
    row = rows.pop()
    item, key = index.id_in("item", row), index.id_in("gbif", row)
    if not (item or key):
        return None
    canonical = index.canonical(row)
    return Taxon(
        query=canonical,
        concept=item or f"gbif:{key}",
        name=canonical,
        rank=index.rank(row).lower(),
        item=item,
        gbif_key=key,
        col_id=index.id_in("col", row),
        aphia_id=index.id_in("aphia", row),
        checklist_key=index.checklist(row)[0],
        lineage=index.lineage(row),
        vernaculars=index.vernaculars(row),
        matched_name=name,
        match_type="EXACT",
        confidence=100,
        source="index",
        moment=moment,
    )


def _last_change(store: Store) -> int:
    with store.reading() as connection:
        query = select(func.max(EVENT.c.seq)).where(EVENT.c.kind.in_(TAXON_KINDS))
        return int(connection.execute(query).scalar() or 0)


def _read(store: Store, seq: int) -> _Names:
    table = SHAPES[Taxon].table
    query = select(table.c.concept, table.c.name, table.c.rank, table.c.vernaculars).where(table.c.concept != "")
    found: dict[tuple[str, str], Suggestion] = {}
    with store.reading() as connection:
        for concept, name, rank, vernaculars in connection.execute(query.order_by(table.c.query)):
            for one in _spoken(concept, name, rank, orjson.loads(vernaculars)):
                for key in _beginnings(one.matched or one.name):
                    found.setdefault((key, concept), one)
    ordered = sorted(found)
    return _Names(seq, tuple(key for key, _ in ordered), tuple(found[one] for one in ordered))


def _spoken(concept: str, name: str, rank: str, vernaculars: Iterable[tuple[str, str]]) -> Iterator[Suggestion]:
    yield Suggestion(concept=concept, name=name, rank=rank)
    for language, spoken in vernaculars:
        yield Suggestion(concept=concept, name=name, rank=rank, matched=spoken, language=language)


def _beginnings(name: str) -> Iterator[str]:
    """Yield the name from the beginning of each of its words.

    >>> list(_beginnings("Vanessa cardui"))
    ['vanessa cardui', 'cardui']
    """
    words = folded(name).split()
    for at in range(len(words)):
        yield " ".join(words[at:])
