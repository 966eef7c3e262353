"""A mediainfo dump of any size, made of recorded lines. In: the recordings, a size. Out: compressed dumps.

Each line has the other statements of a recorded line and, one in five, the P180 statements of a recorded line. Ids of
files, statements, items and revisions, hashes, captions, texts, dates and places are drawn anew, so that the lines
compress as badly as real ones. A piece of ``DISTINCT`` bytes is drawn and written as often as the size asks for, each
time as a gzip member or bzip2 stream of its own (neither looks back beyond its own beginning).
"""

import bz2
import csv
import gzip
import json
import random
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

DISTINCT = 256 << 20
PACKED: dict[str, Callable[[bytes], bytes]] = {"gz": partial(gzip.compress, compresslevel=6), "bz2": bz2.compress}
LONG_ENOUGH = 500
"""Recorded lines that are shorter without their P180 have hardly another statement."""
ONE_IN = 5
HEX = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}|\b[0-9a-f]{40}\b")
VARIED = re.compile(
    HEX.pattern + r"|(?<=\"numeric-id\":)\d+,\"id\":\"Q\d+|\bM\d+(?=[$\"])|(?<=\"lastrevid\":)\d+"
    r"|(?<=\"time\":\")[^\"]+|(?<=itude\":)-?\d+\.\d+|(?<=\"value\":\")[^\"]{4,}"
)


class Maker:
    """Draws lines of a dump."""

    def __init__(self, data: Path, seed: int = 1596) -> None:
        self._chance = random.Random(seed)
        recorded = _recorded(data)
        self._rest = [line for line in map(_without_depicts, recorded) if len(line) > LONG_ENOUGH]
        self._depicts = [json.dumps(e["statements"]["P180"], separators=(",", ":")) for e in recorded if _depicts(e)]
        with (data / "names/avilist_2025_taxonomy.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self._words = sorted(
            {w for row in rows for w in f"{row['scientific_name']} {row['avilist_common_name']}".split()}
        )
        self._items = [self._item() for _ in range(300)]

    def line(self) -> bytes:
        """Return one line without its comma and line end."""
        rest = self._chance.choice(self._rest)
        depicts = f'"P180":{self._chance.choice(self._depicts)},' if self._chance.random() * ONE_IN < 1 else ""
        caption = f'{{"en":{{"language":"en","value":"{self._text()}"}}}}' if self._chance.random() < 0.5 else "{}"
        media = f"M{self._chance.randrange(1, 180_000_000)}"
        line = rest.replace("@captions@", caption).replace("@depicts@", depicts)
        return VARIED.sub(lambda found: self._varied(found[0], media), line).encode()

    def _varied(self, old: str, media: str) -> str:
        chance = self._chance
        if HEX.fullmatch(old):
            drawn = chance.randbytes(20).hex()
            if len(old) == 40:
                return drawn
            guid = f"{drawn[:8]}-{drawn[8:12]}-{drawn[12:16]}-{drawn[16:20]}-{drawn[20:32]}"
            return guid.upper() if old.upper() == old else guid
        if old[0] == "M" and old[1:].isdigit():
            return media
        if old.isdigit():
            return str(chance.randrange(10**8, 10**9))
        if ',"id":"Q' in old:
            return self._item() if chance.random() < 0.5 else chance.choice(self._items)
        if re.fullmatch(r"-?\d+\.\d+", old):
            return f"{chance.uniform(-90, 90):.5f}"
        if re.match(r"\+\d{4}-", old):
            return f"+{chance.randint(1700, 2026)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}T00:00:00Z"
        return (
            f"http:\\/\\/www.example.org\\/{self._text()}".replace(" ", "_") if old.startswith("http") else self._text()
        )

    def _item(self) -> str:
        number = self._chance.randrange(1, 130_000_000)
        return f'{number},"id":"Q{number}'

    def _text(self) -> str:
        return (
            " ".join(self._chance.choices(self._words, k=self._chance.randint(2, 6))).replace('"', "").replace("\\", "")
        )


def _recorded(data: Path) -> list[Any]:
    paths = (data / "commons/mediainfo-dump-lines.ndjson", data / "mediawiki/mediainfo-dump.json")
    lines = (line.strip().rstrip(b",") for path in paths for line in path.read_bytes().splitlines())
    return [json.loads(line) for line in lines if line.startswith(b"{")]


def _depicts(entity: Any) -> bool:
    return "P180" in (entity["statements"] or {})


def _without_depicts(entity: Any) -> str:
    """Return the line as a pattern with places for a caption and for P180 statements, escaped as PHP escapes."""
    statements = {key: value for key, value in entity["statements"].items() if key != "P180"}
    line = json.dumps({**entity, "labels": {}, "statements": statements}, separators=(",", ":")).replace("/", "\\/")
    return line.replace('"labels":{}', '"labels":@captions@').replace('"statements":{', '"statements":{@depicts@')


def write_dumps(
    data: Path, folder: Path, size: int, distinct: int = DISTINCT, endings: Sequence[str] = tuple(PACKED)
) -> dict[str, Path]:
    """Write a dump of about ``size`` decompressed bytes, gzipped and bzipped; return the paths by ending."""
    maker = Maker(data)
    distinct = min(size, distinct)
    lines, written = [], 0
    while written < distinct:
        lines.append(maker.line() + b",\n")
        written += len(lines[-1])
    piece = b"".join(lines)
    del lines
    paths = {}
    for ending in endings:
        compress = PACKED[ending]
        paths[ending] = folder / f"made.json.{ending}"
        stream = compress(piece)
        with paths[ending].open("wb") as file:
            file.write(compress(b"[\n"))
            for _ in range(max(1, round(size / distinct))):
                file.write(stream)
            file.write(compress(b'{"type":"mediainfo","id":"M1","labels":{},"statements":[],"lastrevid":1}\n]\n'))
    return paths
