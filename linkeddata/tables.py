"""The store's tables, derived from the records. In: record classes and records. Out: SQLAlchemy tables, rows, and back.

One table a record, one column a field; a field that is a tuple is kept as JSON text. There are no foreign keys between
the tables: a tag may be stored before its file is, and a file that is gone leaves what was said about it.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from operator import attrgetter
from typing import Any, get_args, get_origin, get_type_hints

import orjson
from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, MetaData, Table, Text
from sqlalchemy.types import TypeEngine

from linkeddata.records import (
    KEYS,
    Agent,
    CampaignFile,
    Failure,
    Identification,
    Label,
    MediaFile,
    ModelClass,
    Record,
    Review,
    Step,
    Tag,
    Taxon,
)

SCHEMA = "0008"
"""The newest migration; a store that says so is opened without loading Alembic."""

NAMES: dict[type[Record], str] = {
    Agent: "agent",
    MediaFile: "media_file",
    Tag: "tag",
    Taxon: "taxon",
    Label: "label",
    ModelClass: "model_class",
    Identification: "identification",
    Review: "review",
    Failure: "failure",
    CampaignFile: "campaign_file",
    Step: "step",
}
"""What each record is called as a table and in the kind of an event."""

VOLATILE: dict[type[Record], frozenset[str]] = {
    Taxon: frozenset({"moment"}),
    Label: frozenset({"moment"}),
    ModelClass: frozenset({"moment"}),
    Failure: frozenset({"moment"}),
    Step: frozenset({"moment", "seconds"}),
}
"""Fields that say only when, or how fast, the same was found once more: a difference in these alone is no change."""

INDEXED: dict[type[Record], tuple[str, ...]] = {
    MediaFile: ("sha1", "inventory_number", "title", "institution"),
    Tag: ("file", "campaign"),
    Taxon: ("concept",),
    Label: ("campaign", "file", "item", "gbif_key", "moment"),
    ModelClass: ("model",),
    Identification: ("file", "sha1", "campaign", "item", "gbif_key", "moment", "supersedes"),
    Review: ("target", "file", "agent"),
    Failure: ("campaign",),
    CampaignFile: ("campaign", "file"),
    Step: ("campaign",),
}
"""Fields that records are looked up by; each index ends in the key, so that reading in key order needs no sorting."""

# PostgreSQL would sort by the server's language; "C" is code point order, as in SQLite and as in Python.
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
BIG = BigInteger().with_variant(Integer(), "sqlite")
_TYPES: dict[type, TypeEngine[Any]] = {str: TEXT, int: BIG, float: Float(53), bool: Boolean()}

METADATA = MetaData()


@dataclass(frozen=True, slots=True)
class Shape:
    """How one kind of record lies in its table."""

    kind: type[Record]
    name: str
    table: Table
    key: str
    fields: tuple[str, ...]
    values: Callable[[Any], tuple[Any, ...]]
    packed: tuple[tuple[int, Callable[[Any], Any]], ...]
    """Position of each JSON field, and what makes one element of it again."""
    volatile: tuple[int, ...]
    flags: tuple[int, ...]
    """Position of each field that is true or false; SQLite keeps them as 1 and 0."""
    slots: tuple[Callable[[Any, Any], None], ...]
    """What puts each field into a record."""
    question: str
    """How a question for whole rows begins in SQL."""

    def row(self, record: Record) -> tuple[Any, ...]:
        """Return the record as a row, its tuples as JSON."""
        values = self.values(record)
        if not self.packed:
            return values
        row = list(values)
        for position, _ in self.packed:
            row[position] = orjson.dumps(row[position]).decode()
        return tuple(row)

    def record(self, row: Any) -> Any:
        """Return the record that ``row`` was made of."""
        values = list(row)
        for position, element in self.packed:
            values[position] = tuple(element(x) for x in orjson.loads(values[position]))
        for position in self.flags:
            values[position] = bool(values[position])
        return self._filled(values)

    def told(self, said: dict[str, Any], key: str) -> Any:
        """Return the record with this key of which the log says this; older entries may lack fields, or have others."""
        if tuple(said) == self.fields:
            values = list(said.values())
            for position, element in self.packed:
                values[position] = tuple(element(x) for x in values[position])
            return self._filled(values)
        unpacked = {
            self.fields[at]: tuple(element(x) for x in said.get(self.fields[at], ())) for at, element in self.packed
        }
        known = {name: value for name, value in said.items() if name in self.fields}
        return self.kind(**{self.key: key} | known | unpacked)

    def _filled(self, values: list[Any]) -> Any:
        record = object.__new__(self.kind)
        for fill, value in zip(self.slots, values, strict=True):  # a third of what __init__ takes
            fill(record, value)
        return record

    def same(self, one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
        """Tell whether two rows differ in nothing but volatile fields."""
        if one == other:
            return True
        differing = [i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        return all(i in self.volatile for i in differing)


def _element(hint: Any) -> Callable[[Any], Any]:
    inner: Callable[..., Any] = get_args(hint)[0]
    return (lambda mapping: inner(**mapping)) if is_dataclass(inner) else tuple


def _table(kind: type[Record], name: str, hints: dict[str, Any]) -> Table:
    key = KEYS[kind]
    columns = [Column(f, _TYPES.get(hint, TEXT), primary_key=f == key, nullable=False) for f, hint in hints.items()]
    indexes = [Index(f"{name}_by_{field}", field, key) for field in INDEXED.get(kind, ())]
    return Table(name, METADATA, *columns, *indexes)


def _shape(kind: type[Record], name: str) -> Shape:
    hints = get_type_hints(kind)
    names = tuple(f.name for f in fields(kind))
    packed = tuple((i, _element(hints[n])) for i, n in enumerate(names) if get_origin(hints[n]) is tuple)
    volatile = tuple(i for i, n in enumerate(names) if n in VOLATILE.get(kind, frozenset()))
    return Shape(
        kind,
        name,
        _table(kind, name, hints),
        KEYS[kind],
        names,
        attrgetter(*names),
        packed,
        volatile,
        flags=tuple(i for i, n in enumerate(names) if hints[n] is bool),
        slots=tuple(getattr(kind, n).__set__ for n in names),
        question="SELECT {} FROM {}".format(", ".join(f'"{n}"' for n in names), name),  # noqa: S608 - names of ours
    )


SHAPES: dict[type, Shape] = {kind: _shape(kind, name) for kind, name in NAMES.items()}

EVENT = Table(
    "event",
    METADATA,
    Column("seq", BIG, primary_key=True, autoincrement=False),
    Column("moment", TEXT, nullable=False),
    Column("agent", TEXT, nullable=False),
    Column("kind", TEXT, nullable=False),
    Column("subject", TEXT, nullable=False),
    Column("payload", TEXT, nullable=False),
    Index("event_by_kind", "kind", "seq"),
    Index("event_by_subject", "subject", "seq"),
)
"""The log. ``seq`` counts from 1 without gaps, in the order of the commits."""

BELOW = Table(
    "below",
    METADATA,
    Column("ancestor", TEXT, primary_key=True),
    Column("concept", TEXT, primary_key=True),
    Column("source", TEXT, primary_key=True),
    Index("below_by_source", "source"),
)
"""Which concepts stand below which (``linkeddata.lineages``), and the taxon's query or the ancestor that says so."""

FEED = Table(
    "feed",
    METADATA,
    Column("position", BIG, primary_key=True, autoincrement=False),
    Column("seq", BIG, nullable=False),
)
"""The published events of the log, numbered from 1 without gaps, so that pages of them never change."""

URIS = (Agent, MediaFile, Taxon, Label, ModelClass, Identification, Review)
"""Records with a URI of their own; such a URI is never given to something else."""
PUBLISHED = (Agent, MediaFile, Taxon, Label, Identification, Review)
"""Records with a place in the feed: their additions, changes and removals."""
STANDS_FOR: dict[type[Record], tuple[str, ...]] = {
    Label: ("campaign", "file", "concept"),
    ModelClass: ("model", "version", "index"),
    Identification: ("file",),
    Review: ("target",),
}
"""What a key stands for beyond what it says itself: these fields never change, or its URI would be reused."""
PRIVATE: dict[type[Record], tuple[str, ...]] = {Agent: ("name", "homepage"), Review: ("comment",)}
"""What a record says of a person and the feed does not: an erasure blanks it in the log, too."""
FEED_KINDS = frozenset(f"{NAMES[kind]}.{verb}" for kind in PUBLISHED for verb in ("added", "changed", "removed"))

for _kind in (Identification, Label):  # walking these in key order, one sees each one's taxon without reading its row
    _table_of = SHAPES[_kind].table
    Index(f"{_table_of.name}_by_taxon", _table_of.c.id, _table_of.c.item, _table_of.c.gbif_key)
