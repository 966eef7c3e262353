"""Tags from a list somebody has. In: a CSV of files with what they show. Out: files and tags.

A row names a file on Commons by its title, M-id or IRI, or any image by its address, and may say what it shows (a
Q-item or a name in words), who said so and when. Which column holds what is said in the campaign file.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from crowd.campaign import ListSource
from harvest.commons import ENTITIES, FILE_MISSING, Api, by_id, by_title
from harvest.isa import BAD_ROW, describe_pages
from harvest.mediainfo import Page, is_item
from harvest.records import Harvested, Roll, batches, licence_iri, lost, membership, source_name
from linkeddata.client import Client
from linkeddata.errors import UsageError
from linkeddata.ids import content_id
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import MediaFile, Tag
from linkeddata.settings import Settings

FACTS = ("sha1", "licence", "credit", "creator", "created", "inventory_number", "institution", "group")
"""Columns that describe an image which is not on Commons; they are taken when they are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    line: int
    file: str
    item: str
    name: str
    agent: str
    moment: str
    facts: Mapping[str, str]


def harvest_list(
    client: Client,
    settings: Settings,
    source: ListSource,
    *,
    campaign: str,
    pseudonyms: Pseudonyms,
    known: Container[str] = (),
) -> Iterator[Harvested]:
    """Yield the files and tags of a list; what Commons knows of its files is asked of its API.

    ``source``: the CSV's path as it can be opened, and the names of its columns (``name``, ``item``, ``agent`` and
    ``moment`` may be ``""``: there is no such column); cells are separated by commas, semicolons or tabs, as the header
    shows. ``known``: IRIs of the campaign's files that are described already: of them only the tags come.
    Raises ``UsageError`` where the CSV or a column cannot be read, and what ``Client.get_json`` raises.
    """
    name = source_name(source.path)
    rows: list[_Row] = []
    for row in _rows(source):
        if isinstance(row, _Row):
            rows.append(row)
        else:
            yield lost(f"{name}:{row[0]}", BAD_ROW, row[1], campaign=campaign)
    api = Api.of(client, settings)
    pages = _pages(api, [row.file for row in rows])
    iris = {file: api.site.iri(page.id) for file, page in pages.items()}
    described = describe_pages(api, {iri: pages[file] for file, iri in iris.items() if iri not in known})
    roll = Roll(pseudonyms)
    by_file: dict[str, list[_Row]] = {}
    for row in rows:
        iri = row.file if _is_elsewhere(row.file, api) else iris.get(row.file, "")
        if iri:
            by_file.setdefault(iri, []).append(row)
        else:
            yield lost(row.file, FILE_MISSING, f"{name}:{row.line}", campaign=campaign)
    for iri, told in by_file.items():
        yield from roll.introduce(*(row.agent for row in told))
        yield from _tags(told, iri, campaign, roll)
        if iri not in known:
            yield described.get(iri) or _elsewhere(iri, told[0])
            yield membership(campaign, iri)


def _rows(source: ListSource) -> Iterator[_Row | tuple[int, str]]:
    """Yield the rows of a list; a row that cannot be read as its line and what is wrong."""
    try:
        text = Path(source.path).read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise UsageError(f"{source.path}: cannot be read: {error.strerror or error}") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=_delimiter(text), restkey="", restval="")
    columns = {key: getattr(source, key) for key in ("file", "item", "name", "agent", "moment")}
    missing = [name for name in columns.values() if name and name not in (reader.fieldnames or ())]
    if missing:
        raise UsageError(f"{source.path}: column {', '.join(missing)} is missing")
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, str(error)
            continue
        said = {key: str(cells.get(name) or "").strip() if name else "" for key, name in columns.items()}
        wrong = _wrong(columns, said, "" in cells)
        facts = {name: str(cells[name] or "").strip() for name in FACTS if name in cells}
        yield (reader.line_num, wrong) if wrong else _Row(line=reader.line_num, facts=facts, **said)


def _wrong(columns: Mapping[str, str], said: Mapping[str, str], too_long: bool) -> str:
    if too_long:
        return "more cells than columns"
    for key, value in said.items():
        if "\ufffd" in value:
            return f"column {columns[key]}: not UTF-8"
    if not said["file"]:
        return f"column {columns['file']}: empty"
    if said["item"] and not is_item(_item(said["item"])):
        return f"column {columns['item']}: {said['item'][:80]!r}"
    if said["moment"] and not _is_moment(said["moment"]):
        return f"column {columns['moment']}: {said['moment'][:80]!r}"
    return ""


def _delimiter(text: str) -> str:
    header = text.partition("\n")[0]
    return max(",;\t", key=header.count)


def _item(value: str) -> str:
    """Return the Q-id in a cell: bare, or at the end of an address.

    >>> _item("https://www.wikidata.org/wiki/Q140"), _item("Q140")
    ('Q140', 'Q140')
    """
    return value.rpartition("/")[2]


def _is_moment(value: str) -> bool:
    try:
        return bool(date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value))
    except ValueError:
        return False


def _pages(api: Api, names: Iterable[str]) -> dict[str, Page]:
    """Return the file pages on Commons by the name they have in the list; what is missing is left out."""
    on_commons = [name for name in dict.fromkeys(names) if not _is_elsewhere(name, api)]
    numbers = {name: int(found[1]) for name in on_commons if (found := re.search(r"(?:^|/)M([1-9]\d*)$", name))}
    titles = {name: with_prefix(name) for name in on_commons if name not in numbers}
    titled = by_title(api, titles.values())
    pages = {name: titled[title] for name, title in titles.items() if title in titled}
    for batch in batches(list(numbers.items()), ENTITIES):
        here = by_id(api, [number for _, number in batch])
        pages |= {name: here[number] for name, number in batch if number in here and here[number].image}
    return pages


def with_prefix(name: str) -> str:
    """Return a file's title with its prefix, from a title or the address of its page.

    >>> with_prefix("Plate_12.jpg"), with_prefix("https://commons.wikimedia.org/wiki/File:Plate_12.jpg")
    ('File:Plate 12.jpg', 'File:Plate 12.jpg')
    """
    title = name.rpartition("/wiki/")[2].replace("_", " ")
    return f"File:{title.partition(':')[2].strip() if title.lower().startswith('file:') else title}"


def _is_elsewhere(name: str, api: Api) -> bool:
    """Say whether a file is an image at some address, and no page of the wiki."""
    return "://" in name and not name.startswith(api.site.entity) and "/wiki/File:" not in name


def _elsewhere(iri: str, row: _Row) -> MediaFile:
    media = replace(MediaFile(iri=iri, original=iri), **row.facts)  # type: ignore[arg-type]
    return replace(media, licence=licence_iri(media.licence), group=media.group or media.creator)


def _tags(rows: Iterable[_Row], iri: str, campaign: str, roll: Roll) -> Iterator[Tag]:
    met: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        if not (row.item or row.name):
            continue
        item = _item(row.item)
        same = (item, "" if item else row.name, roll.id(row.agent), row.moment)
        met[same] += 1
        yield Tag(
            id=content_id("list", campaign, iri, *same, str(met[same])),
            file=iri,
            item=item,
            verbatim="" if item else row.name,
            agent=same[2],
            moment=row.moment,
            route="list",
            campaign=campaign,
        )
