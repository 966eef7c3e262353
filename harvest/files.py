"""Tags from a table somebody has. In: a CSV, TSV, TXT, XLSX or Parquet file of files and what they show. Out: records.

A row names a file on Commons by its title, M-id or IRI, or any image by its address, and may say what it shows (Q-items
or names in words), who said so and when, and facts of the image. Which column holds what is said in the campaign file;
nothing here knows any museum's columns. A value that cannot be read is named by row and column, and the others stay.
"""

import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path

from crowd.campaign import ListSource
from harvest.commons import DEPRECATED
from harvest.commons_files import FILE_MISSING
from harvest.isa import BAD_ROW, describe_pages
from harvest.lists import Said, Teller, is_address, item_in, label_before, licence_of, moment_of, region_of
from harvest.logged import followed
from harvest.mediainfo import Page
from harvest.records import Harvested, batches, lost, source_name
from harvest.wiki import ENTITIES, Api, by_id
from linkeddata.client import Client
from linkeddata.errors import UsageError
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import MediaFile
from linkeddata.settings import Settings
from linkeddata.tablefiles import Row, Table, reading, text_of

FACTS = (
    "title",
    "page",
    "sha1",
    "licence",
    "credit",
    "creator",
    "created",
    "description",
    "inventory_number",
    "institution",
    "group",
)
"""Facts of an image; a column called so is taken without being named in the campaign file."""
TOLD = ("item", "name", "language", "agent", "moment", "rank", "part", "region")
RANKS = {"": False, "normal": False, "preferred": True, "prominent": True}


class _ValueError(Exception):
    """A value of a row that means nothing; caught where the row is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    number: int
    file: str
    url: str
    said: tuple[Said, ...]
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Broken:
    """A row, or one of its values, that could not be read."""

    number: int
    detail: str
    reason: str = BAD_ROW


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where in a row the keys of the campaign file are, and what holds for all rows."""

    source: ListSource
    place: Mapping[str, int]
    constants: Mapping[str, str]

    def cell(self, row: Row, key: str) -> str:
        """Return what a row says under a key, or what holds for all."""
        at = self.place.get(key, -1)
        return (text_of(row.cells[at]).strip() if at >= 0 else "") or self.constants.get(key, "")

    def name(self, key: str) -> str:
        """Return what the list calls the column of a key."""
        return str(getattr(self.source, key)) or key

    def values(self, row: Row, key: str) -> list[str]:
        """Return the values in a cell; several only where the campaign file says what stands between them."""
        text = self.cell(row, key)
        between = self.source.values
        return [value.strip() for value in text.split(between)] if between and text else [text]


def harvest_list(
    client: Client,
    settings: Settings,
    source: ListSource,
    *,
    campaign: str,
    pseudonyms: Pseudonyms,
    known: Container[str] = (),
) -> Iterator[Harvested]:
    """Yield the files and tags of a table; what Commons knows of its files is asked of its API.

    ``source``: the table's path as it can be opened, and the names of its columns. What the table says of an image on
    Commons fills only what Commons leaves open. ``known``: IRIs of the campaign's files that are described already: of
    them no description comes. Raises ``UsageError`` where the table or a column cannot be read, and what
    ``Client.get_json`` raises.
    """
    name = source_name(source.path)
    rows: list[_Row] = []
    for row in _rows(source):
        if isinstance(row, _Row):
            rows.append(row)
        else:
            yield lost(f"{name}:{row.number}", row.reason, row.detail, campaign=campaign)
    api = Api.of(client, settings)
    pages = _pages(api, [row.file for row in rows if not _is_elsewhere(row, api)])
    iris = {file: api.site.iri(page.id) for file, page in pages.items()}
    described = describe_pages(api, {iri: pages[file] for file, iri in iris.items() if iri not in known})
    by_file: dict[str, list[_Row]] = {}
    for row in rows:
        iri = _iri(row) if _is_elsewhere(row, api) else iris.get(row.file, "")
        if iri:
            by_file.setdefault(iri, []).append(row)
        else:
            yield lost(row.file, FILE_MISSING, f"{name}:{row.number}", campaign=campaign)
    teller = Teller("list", campaign, pseudonyms, known)
    for iri, told in by_file.items():
        own = described.get(iri)
        media = own or MediaFile(iri=iri, original=next((row.url for row in told if row.url), iri))
        yield from teller.tell(_completed(media, told), *_told_apart(told))


def _rows(source: ListSource) -> Iterator[_Row | _Broken]:
    """Yield the rows of a table, and before each what could not be read of it; a blank row is none."""
    with _opened(source) as table:
        columns = _columns(source, table.columns)
        for row in table.rows:
            if any(text_of(cell).strip() for cell in row.cells) or row.trouble:
                yield from _row(row, columns)


@contextmanager
def _opened(source: ListSource) -> Iterator[Table]:
    path = Path(source.path)
    if not path.is_file():
        raise UsageError(f"{path}: cannot be read: there is no such file")
    with reading(path, heading=True, separator=source.separator, sheet=source.sheet) as table:
        yield table


def _columns(source: ListSource, columns: Sequence[str]) -> _Columns:
    wanted = {key: getattr(source, key) for key in ("file", "url", *TOLD, *FACTS)}
    missing = [name for name in wanted.values() if name and name not in columns]
    if missing:
        raise UsageError(f"{source.path}: column {', '.join(missing)} is missing; there are {', '.join(columns)}")
    taken = {key: name or (key if key in FACTS else "") for key, name in wanted.items()}
    place = {key: columns.index(name) for key, name in taken.items() if name in columns}
    return _Columns(source, place, dict(source.constants))


def _row(row: Row, columns: _Columns) -> Iterator[_Row | _Broken]:
    file, url = columns.cell(row, "file"), columns.cell(row, "url")
    wrong = row.trouble or _wrong(columns, file, url)
    if wrong:
        yield _Broken(row.number, wrong)
        return
    said: list[Said] = []
    for one in _said(row, columns):
        if isinstance(one, Said):
            said.append(one)
        else:
            yield one
    facts = {key: columns.cell(row, key) for key in FACTS}
    if facts["licence"] and not licence_of(facts["licence"]):
        yield _Broken(row.number, f"column {columns.name('licence')}: {facts['licence'][:80]!r}")
    facts["licence"] = licence_of(facts["licence"])
    if facts["sha1"] and not re.fullmatch(r"[0-9a-f]{40}", facts["sha1"].lower()):
        yield _Broken(row.number, f"column {columns.name('sha1')}: {facts['sha1'][:80]!r}")
        facts["sha1"] = ""
    yield _Row(number=row.number, file=file, url=url, said=tuple(said), facts=facts | {"sha1": facts["sha1"].lower()})


def _wrong(columns: _Columns, file: str, url: str) -> str:
    """Return why a row names no file, ``""`` if it does."""
    if not (file or url):
        return f"column {columns.name('file' if columns.source.file else 'url')}: empty"
    if url and not is_address(url):
        return f"column {columns.name('url')}: {url[:80]!r}"
    return ""


def _said(row: Row, columns: _Columns) -> Iterator[Said | _Broken]:
    """Yield what a row says its file shows, one by one; what cannot be read is named and the others stay."""
    items, names = columns.values(row, "item"), columns.values(row, "name")
    count = max(len(items), len(names))
    if min(len(items), len(names)) > 1 and len(items) != len(names):
        told = f"column {columns.name('name')}: {len(names)} values beside {len(items)} in {columns.name('item')}"
        yield _Broken(row.number, told)
        names = [""]
        count = len(items)
    for at in range(count):
        item, name = _nth(items, at, count), _nth(names, at, count)
        if not (item or name):
            continue
        try:
            yield _one(row, columns, at, count, item, name)
        except _ValueError as error:
            reason = DEPRECATED if error.args[0] == DEPRECATED else BAD_ROW
            yield _Broken(row.number, str(error.args[-1]), reason)


def _nth(values: Sequence[str], at: int, count: int) -> str:
    """Return the value for the ``at``-th of ``count`` things that are said; a single one stands for the only one."""
    return values[at] if len(values) == count else ""


def _one(row: Row, columns: _Columns, at: int, count: int, item: str, name: str) -> Said:
    """Return one thing that is said. Raises ``_ValueError`` naming the column of what cannot be read."""
    own = {key: columns.values(row, key) for key in ("language", "rank", "part", "region")}
    told = {key: values[at] if len(values) == count else columns.cell(row, key) for key, values in own.items()}
    if item and not item_in(item):
        raise _ValueError(f"column {columns.name('item')}: {item[:80]!r}")
    part = item_in(told["part"])
    if told["part"] and not part:
        raise _ValueError(f"column {columns.name('part')}: {told['part'][:80]!r}")
    rank = re.sub(r"rank$", "", told["rank"].rpartition("#")[2].lower())
    if rank == "deprecated":
        raise _ValueError(DEPRECATED, f"column {columns.name('rank')}: {item or name}"[:120])
    if rank not in RANKS:
        raise _ValueError(f"column {columns.name('rank')}: {told['rank'][:80]!r}")
    return Said(
        item=item_in(item),
        verbatim="" if item else label_before(name),
        language=told["language"],
        agent=columns.cell(row, "agent"),
        moment=_checked(moment_of, columns, row, "moment", columns.cell(row, "moment")),
        prominent=RANKS[rank],
        part=part,
        region=_checked(region_of, columns, row, "region", told["region"]),
    )


def _checked(read: Callable[[str], str], columns: _Columns, row: Row, key: str, text: str) -> str:
    try:
        return read(text)
    except ValueError as error:
        raise _ValueError(f"column {columns.name(key)}: {text[:80]!r}") from error


def _pages(api: Api, names: Iterable[str]) -> dict[str, Page]:
    """Return the file pages on Commons by the name they have in the list; what is missing is left out."""
    on_commons = list(dict.fromkeys(names))
    numbers = {name: int(found[1]) for name in on_commons if (found := re.search(r"(?:^|/)M([1-9]\d*)$", name))}
    titles = {name: with_prefix(name) for name in on_commons if name not in numbers}
    titled = followed(api, titles.values())
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


def _is_elsewhere(row: _Row, api: Api) -> bool:
    """Say whether a file is an image at some address, and no page of the wiki."""
    name = row.file
    if "://" not in name:
        return bool(row.url) and not re.match(r"File:|M[1-9]\d*$", name)
    return not name.startswith(api.site.entity) and "/wiki/File:" not in name


def _iri(row: _Row) -> str:
    """Return what an image elsewhere is known by: its identifier if that is an IRI, else its address."""
    return row.file if "://" in row.file else row.url


def _completed(media: MediaFile, rows: Sequence[_Row]) -> MediaFile:
    """Return a file with what the rows say of it where nothing is known, the first that says anything."""
    told = {key: next((row.facts[key] for row in rows if row.facts[key]), "") for key in FACTS}
    if media.sha1:
        told["sha1"] = ""
    known = {about.name: getattr(media, about.name) for about in fields(media)}
    completed = replace(media, **{key: value for key, value in told.items() if value and not known[key]})  # type: ignore[arg-type]
    return replace(completed, group=completed.group or completed.creator)


def _told_apart(rows: Iterable[_Row]) -> Iterator[Said]:
    """Yield what was said; what the list has twice is two tags, numbered so that they are the same next time."""
    met: Counter[Said] = Counter()
    for row in rows:
        for said in row.said:
            met[said] += 1
            yield replace(said, key=str(met[said]))
