"""The statements of an entity as rows. In: a line of a dump. Out: one row a statement of the wanted property.

What a statement means is said in ``harvest.mediainfo``, for the answers of the API and for dumps alike.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import pyarrow as pa

from harvest.dumps.items import ItemSet
from harvest.dumps.lines import bare_line
from harvest.mediainfo import parse_captions, told_of
from linkeddata.ids import COMMONS_ENTITY, DEPICTS, WIKIDATA_ENTITY

simdjson: Any
try:
    import simdjson
except ImportError:
    simdjson = None

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


@dataclass(slots=True)
class Reader:
    """Reads lines one after the other; keeps the parser's memory between them."""

    wanted: Wanted
    _parser: Any = field(default=None)

    def __post_init__(self) -> None:
        self._parser = simdjson.Parser() if simdjson else None

    def rows(self, line: bytes) -> list[Row]:
        """Return the rows of a line, none when it has no such statement. Raises ``ValueError`` if it is broken."""
        line = line[:-1] if line[-1:] == b"," else bare_line(line)
        if self.wanted.media is not None:
            return self._listed(line, self.wanted.media)
        found = self._read(line)
        statements = found.get("statements") or found.get("claims")
        given = statements.get(self.wanted.property_id) if isinstance(statements, dict) else None  # PHP: [] for none
        if not given:
            return []
        return self._whole(line, given) if self.wanted.whole else self._rows(found, given)

    def _listed(self, line: bytes, media: ItemSet) -> list[Row]:
        """Return the line if it is one of these files; a line that names none of them as an id is not parsed."""
        if not any(name.decode() in media for name in _MEDIA_ID.findall(line)):
            return []
        return [(line,)] if read_entity(line)["id"] in media else []

    def _read(self, line: bytes) -> Any:
        """Return the entity; of a large one only what is needed, where there is a parser that can leave the rest."""
        if self._parser is not None:
            try:
                return self._needed(self._parser.parse(line))
            except (ValueError, KeyError, IndexError, TypeError, RuntimeError):
                pass  # a broken line, or one of another shape: the next parser says which
        return read_entity(line)

    def _needed(self, document: Any) -> dict[str, Any]:
        media = document["type"] == "mediainfo"
        where = "statements" if media else "claims"
        return {
            "id": document["id"],
            "lastrevid": document["lastrevid"],
            "labels": document["labels"].as_dict() if media else None,
            where: {self.wanted.property_id: document.at_pointer(f"/{where}/{self.wanted.property_id}").as_list()},
        }

    def _whole(self, line: bytes, given: Sequence[Any]) -> list[Row]:
        items = self.wanted.items
        return [(line,)] if items is None or any(told_of(one)[1] in items for one in given) else []

    def _rows(self, found: Any, given: Sequence[Any]) -> list[Row]:
        name = found["id"]
        if not _ENTITY_ID.fullmatch(name):
            raise ValueError("no entity: it has no id")
        media = name[0] == "M"
        entity = (self.wanted.commons_entity if media else WIKIDATA_ENTITY) + name
        revision = int(found.get("lastrevid") or 0)
        captions = parse_captions(found.get("labels")) if media else ()
        items, property_id = self.wanted.items, self.wanted.property_id
        rows = []
        for one in given:
            name, item, rank, kind, part, region, reference = told_of(one)
            if items is not None and item not in items:
                continue
            value = "" if item else value_of(one)
            rows.append(
                (entity, property_id, name, kind, item, value, rank, part, region, reference, revision, captions)
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
        raise ValueError("no entity: it has no id")
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
