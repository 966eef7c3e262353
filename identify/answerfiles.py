"""Answers as a file. In: rows (``identify.files``), a path. Out: JSON lines, CSV, Parquet or JSON-LD, by its ending."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from linkeddata import jsonld
from linkeddata.contexts import context
from linkeddata.errors import UsageError
from linkeddata.files import replaced
from linkeddata.nodes import Document
from linkeddata.records import Agent, Alternative, Certainty, Changed, Identification, MediaFile
from linkeddata.tablefiles import writing

Row = Mapping[str, Any]
COLUMNS = (
    "path",
    "object_number",
    "label",
    "rank",
    "item",
    "gbif_key",
    "col_id",
    "word",
    "certainty",
    "rule",
    "novelty",
    "alternatives",
    "within",
    "coverage",
    "priors",
    "model",
    "version",
    "weights",
    "sha1",
    "moment",
    "id",
    "images",
    "lost",
    "detail",
)
"""Columns of a table of answers."""
NUMBERS = frozenset({"certainty", "novelty", "coverage"})


def written(path: Path, rows: Iterable[Row], base_url: str) -> int:
    """Write rows to ``path``, whole or not at all; return how many. Raises ``UsageError`` for an ending not known."""
    with_ending = WRITERS.get(path.suffix.lower())
    if with_ending is None:
        raise UsageError(f"{path}: answers are written as {', '.join(WRITERS)}")
    return with_ending(path, rows, base_url)


def identification_of(row: Row) -> Identification:
    """Return a row as the record it was made of."""
    names = Identification.__dataclass_fields__.keys()
    given = {name: value for name, value in row.items() if name in names}
    for name, kind in (
        ("alternatives", Alternative),
        ("masses", Certainty),
        ("within", Certainty),
        ("priors", Changed),
    ):
        given[name] = tuple(kind(**one) for one in given.get(name, ()))
    return Identification(**given)


def media_of(row: Row) -> MediaFile:
    """Return the file that a row is about."""
    return MediaFile(
        iri=str(row["file"]),
        title=Path(row["path"]).name,
        sha1=str(row.get("sha1", "")),
        inventory_number=str(row.get("object_number", "")),
    )


def _lines(path: Path, rows: Iterable[Row], base_url: str) -> int:
    number = 0
    with replaced(path) as out:
        for row in rows:
            out.write(orjson.dumps({name: value for name, value in row.items() if name != "key"}) + b"\n")
            number += 1
    return number


def _table(path: Path, rows: Iterable[Row], base_url: str) -> int:
    number = 0
    with writing(path, COLUMNS) as write:
        for row in rows:
            write([_cell(name, row.get(name, "")) for name in COLUMNS])
            number += 1
    return number


def _cell(name: str, value: Any) -> str:
    """Return a value as a cell: of several the names, with probabilities where there are any."""
    if name == "alternatives":
        return "; ".join(f"{one['label']} {one['probability']:.4f}" for one in value or ())
    if name == "within":
        return "; ".join(one["name"] for one in value or ())
    if name == "priors":
        return "; ".join(f"{one['prior']}: {one['asked']}" for one in value or ())
    if name in NUMBERS:
        return f"{value:.6g}" if value != "" else ""
    return "; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _json_ld(path: Path, rows: Iterable[Row], base_url: str) -> int:
    """Write one document with all answers, its context inline: it lies in a file and not at our address."""
    ours = context(base_url)["@context"]
    number = 0
    with replaced(path) as out:
        out.write(b'{"@context":' + orjson.dumps(ours) + b',"items":[')
        for row in rows:
            if "lost" not in row:
                out.write((b"," if number else b"") + b"\n" + orjson.dumps(_document(row, base_url)))
                number += 1
        out.write(b"\n]}\n")
    return number


def _document(row: Row, base_url: str) -> Document:
    answer = identification_of(row)
    agent = Agent(id=answer.agent, kind="SoftwareAgent", name=answer.model, version=answer.version)
    doc = jsonld.document(answer, media=media_of(row), agent=agent, base_url=base_url, stored=False)
    return {key: value for key, value in doc.items() if key != "@context"}


WRITERS: dict[str, Callable[[Path, Iterable[Row], str], int]] = {
    ".jsonl": _lines,
    ".csv": _table,
    ".parquet": _table,
    ".jsonld": _json_ld,
}
"""How answers are written, by the file's ending."""


def page(out: BinaryIO, rows: Iterable[Row], title: str, thumbnails: Callable[[Row], str]) -> None:
    """Write a page with a small picture of each answer; it needs nothing but itself."""
    from html import escape

    out.write(_HEAD.format(title=escape(title)).encode())
    for row in rows:
        picture = thumbnails(row)
        shown = f'<img src="{picture}" alt="" loading="lazy">' if picture else '<div class="none">no picture</div>'
        if "lost" in row:
            said = f'<b class="lost">{escape(row["lost"])}</b> <small>{escape(row["detail"])}</small>'
        else:
            name = escape(row["label"]) if row["label"] else "I don’t know"
            sure = f" {row['certainty']:.0%}" if row["label"] else ""
            said = f"<b>{name}</b><br><small>{escape(row['word'] or row['rule'])}{sure}</small>"
        out.write(f"<li>{shown}<p>{said}<br><small>{escape(row['path'])}</small></p></li>\n".encode())
    out.write(b"</ul></main></body></html>\n")


_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
body {{ font: 1rem/1.4 Georgia, serif; margin: 0; background: #faf7f1; color: #2a2520; }}
main {{ max-width: 72rem; margin: 0 auto; padding: 1.5rem; }}
ul {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: 1rem; list-style: none;
  padding: 0; }}
li {{ background: #fff; border: 1px solid #ddd3c2; border-radius: .4rem; padding: .6rem; overflow-wrap: anywhere; }}
img, .none {{ width: 100%; height: 10rem; object-fit: contain; display: block; color: #766a58; }}
p {{ margin: .5rem 0 0; }} small {{ color: #6b6152; }} .lost {{ color: #8a2f1f; }}
</style></head><body><main><h1>{title}</h1><ul>
"""
