"""The statements of an entity as rows. In: a line of a dump. Out: one row a statement of the wanted property.

What a statement means is said in ``harvest.mediainfo``, for the answers of the API and for dumps alike.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import orjson
import pyarrow as pa

from harvest.dumps.items import ItemSet
from harvest.dumps.lines import bare_line
from harvest.mediainfo import parse_captions, told_of
from linkeddata.ids import COMMONS_ENTITY, DEPICTS, WIKIDATA_ENTITY

STATEMENTS = pa.schema(
    [
        ("entity", pa.string()),
        ("property", pa.string()),
        ("statement", pa.string()),
        ("kind", pa.string()),
        ("item", pa.string()),
        ("value", pa.string()),
        ("rank", pa.string()),
        ("part", pa.string()),
        ("region", pa.string()),
        ("reference", pa.string()),
        ("revision", pa.int64()),
        ("captions", pa.map_(pa.string(), pa.string())),
    ]
)
"""The columns of a table of statements; docs/harvest.md says what they mean."""
ENTITIES = pa.schema([("entity", pa.binary())])
"""The column of a table of entities: the lines as they stand in the dump, without what is around them."""
NO_ID = "no entity: it has no id"
_ENTITY_ID = re.compile(r"[MQPL][1-9]\d*")
_MEDIA_ID = re.compile(rb'"id"\s*:\s*"(M[1-9]\d*)"')
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which statements are taken, and how: each as a row, or the whole entity that has one of them.

    ``media``: these files, whatever is said of them; only together with ``whole``.
    """

    property_id: str = DEPICTS
    items: ItemSet | None = None
    whole: bool = False
    commons_entity: str = COMMONS_ENTITY
    media: ItemSet | None = None

    @property
    def word(self) -> str:
        """What stands, before a quotation mark, in every line that may be wanted."""
        return self.property_id if self.media is None else "mediainfo"

    @property
    def schema(self) -> Any:
        """The columns of what is taken."""
        return ENTITIES if self.whole else STATEMENTS


class _Entity(msgspec.Struct):
    """What is needed of an entity; the parser passes over the rest. PHP writes ``[]`` for an empty object."""

    id: str
    lastrevid: int | None = None
    labels: msgspec.Raw = msgspec.Raw(b"{}")


def _decoder(property_id: str) -> Any:
    """Return a parser of entities that takes the statements of one property."""
    given = ("given", list[Any], msgspec.field(name=property_id, default=()))
    statements = msgspec.defstruct("_Statements", [given]) | list[Any] | None
    fields = [("statements", statements, None), ("claims", statements, None)]
    return msgspec.json.Decoder(msgspec.defstruct("_Wanted", fields, bases=(_Entity,)))


class Reader:
    """Reads lines one after the other."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self._decoder = _decoder(wanted.property_id)

    def rows(self, line: bytes) -> list[Row]:
        """Return the rows of a line, none when it has no such statement. Raises ``ValueError`` if it is broken."""
        line = line[:-1] if line[-1:] == b"," else bare_line(line)
        if self.wanted.media is not None:
            return self._listed(line, self.wanted.media)
        try:
            found = self._decoder.decode(line)
        except (ValueError, RecursionError):
            return self._odd(line)
        if not _ENTITY_ID.fullmatch(found.id):
            raise ValueError(NO_ID)
        given = getattr(found.statements or found.claims, "given", ())
        if not given:
            return []
        if self.wanted.whole:
            return self._whole(line, given)
        labels = msgspec.json.decode(found.labels) if found.id[:1] == "M" else None
        return self._rows(found.id, found.lastrevid or 0, labels, given)

    def _odd(self, line: bytes) -> list[Row]:
        """Return the rows of a line that is broken or of another shape."""
        found = read_entity(line)
        statements = found.get("statements") or found.get("claims")
        given = statements.get(self.wanted.property_id) if isinstance(statements, dict) else None
        if not given:
            return []
        if self.wanted.whole:
            return self._whole(line, given)
        return self._rows(found["id"], int(found.get("lastrevid") or 0), found.get("labels"), given)

    def _listed(self, line: bytes, media: ItemSet) -> list[Row]:
        """Return the line if it is one of these files; a line that names none of them as an id is not parsed."""
        if not any(name.decode() in media for name in _MEDIA_ID.findall(line)):
            return []
        return [(line,)] if read_entity(line)["id"] in media else []

    def _whole(self, line: bytes, given: Sequence[Any]) -> list[Row]:
        items = self.wanted.items
        return [(line,)] if items is None or any(told_of(one)[1] in items for one in given) else []

    def _rows(self, name: str, revision: int, labels: Any, given: Sequence[Any]) -> list[Row]:
        media = name[0] == "M"
        entity = (self.wanted.commons_entity if media else WIKIDATA_ENTITY) + name
        captions = parse_captions(labels) if media else ()
        items, property_id = self.wanted.items, self.wanted.property_id
        rows = []
        for one in given:
            said, item, rank, kind, part, region, reference = told_of(one)
            if items is not None and item not in items:
                continue
            value = "" if item else value_of(one)
            rows.append(
                (entity, property_id, said, kind, item, value, rank, part, region, reference, revision, captions)
            )
        return rows


def value_of(statement: Any) -> str:
    """Return the value of a statement in words: a text or a point in time as it is, what has more parts as JSON.

    >>> value_of({"mainsnak": {"snaktype": "value", "datavalue": {"value": {"amount": "+2", "unit": "1"}}}})
    '{"amount":"+2","unit":"1"}'
    >>> value_of({"mainsnak": {"snaktype": "somevalue"}})
    ''
    """
    value = ((statement.get("mainsnak") or {}).get("datavalue") or {}).get("value", "")
    if isinstance(value, dict):
        return str(value.get("id") or value.get("time") or value.get("text") or orjson.dumps(value).decode())
    return str(value)


def read_entity(line: bytes) -> Any:
    """Return the entity in a line. Raises ``ValueError`` if it is broken or no entity.

    >>> read_entity(b'{"id": "M1", "statements": []}')
    {'id': 'M1', 'statements': []}
    """
    try:
        entity = orjson.loads(line)
    except ValueError:
        entity = json.loads(line)  # stands halves of surrogate pairs, which PHP can write
    if not isinstance(entity, dict) or not _ENTITY_ID.fullmatch(str(entity.get("id", ""))):
        raise ValueError(NO_ID)
    return entity


def batch_of(rows: Sequence[Row], schema: Any) -> Any:
    """Return rows as an Arrow record batch; what UTF-8 cannot say becomes U+FFFD."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    try:
        arrays = [pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)]
    except UnicodeEncodeError:
        return batch_of([_storable(row) for row in rows], schema)
    return pa.record_batch(arrays, schema=schema)


def _storable(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_storable, value))
    return re.sub("[\ud800-\udfff]", "\ufffd", value) if isinstance(value, str) else value
