"""Dumps made up for the tests, and the forms in which they come."""

import bz2
import gzip
import json
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

PACKED: dict[str, Callable[[bytes], bytes]] = {"json": lambda data: data, "gz": gzip.compress, "bz2": bz2.compress}


def statement(media: str, item: str, number: int = 1, **more: Any) -> dict[str, Any]:
    """Return a P180 statement as a dump has it; ``item`` may be ``somevalue``."""
    main: dict[str, Any] = {"snaktype": item, "property": "P180"}
    if item.startswith("Q"):
        value = {"entity-type": "item", "numeric-id": int(item[1:]), "id": item}
        main = {
            "snaktype": "value",
            "property": "P180",
            "datavalue": {"value": value, "type": "wikibase-entityid"},
        }
    return {"mainsnak": main, "type": "statement", "id": f"{media}$s{number}", "rank": "normal", **more}


def entity(media: str, *items: str, caption: str = "", noise: str = "") -> dict[str, Any]:
    """Return a file's structured data that depicts ``items``; without any, its statements are an empty list."""
    other = {"mainsnak": {"snaktype": "value", "property": "P4092", "datavalue": {"value": noise, "type": "string"}}}
    statements: dict[str, Any] = {"P180": [statement(media, item, n) for n, item in enumerate(items)]} if items else {}
    if noise:
        statements["P4092"] = [other | {"type": "statement", "id": f"{media}$other", "rank": "normal"}]
    return {
        "type": "mediainfo",
        "id": media,
        "labels": {"en": {"language": "en", "value": caption}} if caption else {},
        "descriptions": {},
        "statements": statements or [],
        "lastrevid": 1000 + int(media[1:]),
    }


def dump(entities: Sequence[Any], end: bytes = b"\n") -> bytes:
    """Return the dump of these entities; what is bytes already is a line of its own kind."""
    lines = [one if isinstance(one, bytes) else json.dumps(one, separators=(",", ":")).encode() for one in entities]
    return end.join((b"[", (b"," + end).join(lines), b"]")) + end


@pytest.fixture(scope="session")
def many() -> list[dict[str, Any]]:
    """Five thousand files, some megabytes that hardly compress, one in five with P180."""
    chance = random.Random(1596)
    return [
        entity(
            f"M{number}",
            *([f"Q{chance.randrange(1, 10**8)}"] if number % 5 == 0 else []),
            caption=f"Plate {number}" if number % 3 == 0 else "",
            noise=chance.randbytes(500).hex(),
        )
        for number in range(1, 5001)
    ]
