"""What can be stored. In: records and texts as they came. Out: the same without what no database keeps, and as JSON.

Text is kept as it is, but for NUL and halves of surrogate pairs, which become U+FFFD.
"""

import re
from dataclasses import fields, is_dataclass, replace
from typing import Any

import orjson

from linkeddata.records import Record

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def prepared_of(record: Record) -> tuple[Record, str]:
    """Return the record as it can be stored, and its JSON."""
    try:
        payload = orjson.dumps(record)
    except TypeError:
        record = _clean(record)
        payload = orjson.dumps(record)
    if b"\\u0000" in payload:
        record = _clean(record)
        payload = orjson.dumps(record)
    return record, payload.decode()


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, tuple | list):
        return type(value)(_clean(x) for x in value)
    if isinstance(value, dict):
        return {_clean(k): _clean(v) for k, v in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _clean(getattr(value, f.name)) for f in fields(value)})
    return value


def storable(value: str) -> str:
    """Return a text with U+FFFD for what no database keeps."""
    return _UNSTORABLE.sub("\ufffd", value)


def json_of(payload: dict[str, Any]) -> str:
    """Return what the log says besides, as JSON with its keys in order."""
    return orjson.dumps(_clean(payload), option=orjson.OPT_SORT_KEYS).decode()
