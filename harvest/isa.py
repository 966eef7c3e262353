"""Contributions to a campaign of the ISA tool. In: its CSV, by path or URL. Out: files and tags, with who and the day.

The CSV has one row a contribution, in the order they were made, and no time of day: what stands in the end is what its
rows ``add``, ``edit`` (only the prominence) and ``remove`` add up to, in file order
(https://github.com/wikimedia/labs-tools-Isa, ``isa/campaigns``).

What the rows say beside that is told at the end (``Told``): how many there are, from which countries, which files are
called otherwise now, and the rows that no tag came of.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from harvest.commons_files import FILE_MISSING
from harvest.logged import followed
from harvest.mediainfo import NO_STRUCTURED_DATA, Page, is_item, media_file
from harvest.records import Harvested, Progress, Roll, batches, lost, membership, silent, source_name
from harvest.wiki import ENTITIES, Api, entities
from linkeddata.client import Client
from linkeddata.errors import ServiceError, UsageError
from linkeddata.ids import content_id
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import Failure, MediaFile, Tag
from linkeddata.settings import Settings

COLUMNS = (
    "username",
    "file",
    "edit_type",
    "edit_action",
    "country",
    "depict_item",
    "depict_prominent",
    "caption_text",
    "caption_language",
    "date",
)
ACTIONS = ("add", "edit", "remove")
DELIMITERS = ",;\t"
"""The tool writes commas; spreadsheets of half of Europe save semicolons."""
MOST_BYTES = 500_000_000

BAD_ROW = "bad row"
NOTHING_TO_EDIT = "edit of a tag that was not added"
NOTHING_TO_REMOVE = "removal of a caption that was not added"
USELESS = {"edit": NOTHING_TO_EDIT, "remove": NOTHING_TO_REMOVE}
ISA_READ = "isa.read"
"""Kind of the event that says that an export was read to its end, with what ``Told`` was told."""

Tell = Callable[[Mapping[str, Any]], None]
"""Told of an export that was read to its end: ``rows``, ``countries``, ``moved`` and ``unplaced``."""


def untold(facts: Mapping[str, Any]) -> None:
    """Tell for those who do not want to hear of it."""


Resolve = Mapping[str, str] | Callable[[str], str]
"""Title of a file → its IRI; a mapping without it, or ``""``, says that there is no such file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """One row: somebody added, edited or removed a depicted item or a caption."""

    line: int
    username: str
    file: str
    action: str
    item: str = ""
    prominent: bool = False
    text: str = ""
    language: str = ""
    country: str = ""
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplaced:
    """A row that no tag came of, by whom under a pseudonym: its file is not there, or it changes what ISA never had."""

    row: str  # source:line
    reason: str
    file: str  # title
    action: str
    item: str = ""
    text: str = ""
    language: str = ""
    agent: str
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """One row that could not be read: its line and what is wrong in which column."""

    line: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One thing somebody said of one file, and what became of it; ``lines`` are the rows that say so."""

    username: str
    day: str
    item: str
    text: str
    language: str
    prominent: bool = False
    removed: str = ""
    removed_by: str = ""
    lines: tuple[int, ...] = ()


def harvest_isa(
    client: Client,
    settings: Settings,
    source: str | Path,
    *,
    campaign: str,
    pseudonyms: Pseudonyms,
    captions: bool = False,
    known: Container[str] = (),
    progress: Progress = silent,
    tell: Tell = untold,
) -> Iterator[Harvested]:
    """Yield the files and tags of an ISA export; what Commons knows of the files is asked of its API.

    ``source``: path or URL of the CSV; ``known``: IRIs of the campaign's files that are described already: of them no
    description comes. A file's ``revision`` stays 0 here, for nobody has read its history.
    Raises ``UsageError`` where the CSV cannot be read at all, and what ``Client.get_json`` raises.
    """
    rows = list(parse_rows(read_lines(client, str(source)), source=str(source)))
    titles = list(dict.fromkeys(row.file for row in rows if isinstance(row, Contribution)))
    api = Api.of(client, settings)
    pages: dict[str, Page] = {}
    for batch in batches(titles, ENTITIES):
        pages |= followed(api, batch)
        progress("titles", len(pages), len(titles))
    iris = {title: api.site.iri(page.id) for title, page in pages.items()}
    described = describe_pages(api, {iri: pages[title] for title, iri in iris.items() if iri not in known})
    name = source_name(str(source))
    reading = _Reading(name, campaign, Roll(pseudonyms), captions, lambda title: iris.get(title, ""), described)
    unplaced: list[Unplaced] = []
    yield from _harvest(rows, reading, unplaced)
    tell(
        {
            "rows": len(rows),
            "countries": dict(Counter(row.country for row in rows if isinstance(row, Contribution) and row.country)),
            "moved": {title: iris[title] for title, page in pages.items() if page.title != title},
            "unplaced": [asdict(row) for row in unplaced],
        }
    )


def export_address(client: Client, settings: Settings, number: int) -> str:
    """Return where the tool keeps the export of all contributions to a campaign.

    The tool makes the file when its statistics page is asked for, and links to it there (``all_stats_download/NAME``,
    or ``download_csv`` in later versions). Raises ``ServiceError`` where there is none, and what ``Client`` does.
    """
    page = f"{settings.isa_base}/campaigns/{number}/stats"

    def lacking(text: str) -> str:
        return "" if f"/campaigns/{number}" in text else "a page that is not the campaign's"

    text = client.get_page(page, lacking=lacking)
    found = re.search(rf'href="([^"]*/campaigns/{number}/(?:all_stats_download/[^"]+|download_csv)[^"]*)"', text)
    if found is None:
        raise ServiceError(f"{page}: no link to the export of campaign {number}", code="no-export", url=page)
    return urljoin(page, unescape(found[1]))


def describe_pages(api: Api, pages: Mapping[str, Page]) -> dict[str, MediaFile]:
    """Return files by IRI, with their structured data; ``pages`` are by IRI, too."""
    described = {}
    for batch in batches(list(pages.items()), ENTITIES):
        infos = entities(api, [f"M{page.id}" for _, page in batch])
        for iri, page in batch:
            media = media_file(api.site, page, infos.get(f"M{page.id}", NO_STRUCTURED_DATA))
            described[iri] = replace(media, group=media.creator)
    return described


def read_isa(
    lines: Iterable[str],
    *,
    source: str,
    campaign: str,
    pseudonyms: Pseudonyms,
    resolve_titles: Resolve,
    captions: bool = False,
) -> Iterator[Harvested]:
    """Yield people, tags and memberships from the lines of an ISA export, file by file in order of appearance.

    ``source`` names the export in failures (``source:line``); ``captions``: captions are names and become verbatim
    tags. Raises ``UsageError`` where the header lacks a column.
    """
    find = resolve_titles if callable(resolve_titles) else lambda title: resolve_titles.get(title, "")
    reading = _Reading(source, campaign, Roll(pseudonyms), captions, find, {})
    yield from _harvest(parse_rows(lines, source=source), reading, [])


def read_lines(client: Client, source: str) -> Iterator[str]:
    """Return the lines of a CSV by path or URL; bytes that are not UTF-8 become U+FFFD."""
    try:
        there = "://" in source
        raw = client.get_bytes(source, limit=MOST_BYTES, lacking=unfinished) if there else Path(source).read_bytes()
    except OSError as error:
        raise UsageError(f"{source}: cannot be read: {error.strerror or error}") from error
    return io.StringIO(raw.decode("utf-8-sig", errors="replace"), newline="")


def unfinished(raw: bytes) -> str:
    """Return what an export that came over the line lacks: a whole row at its end; ``""`` if it lacks nothing.

    A service that fails while it writes may end its answer as if it were whole, in the middle of a row or with what
    went wrong in words. A row with too few cells is a bad row, and no reason to ask again.

    >>> unfinished(b"username,file\\nJan,File:A.jpg\\nTraceback (most recent call last):\\n")
    'broken off before "Traceback (most recent call last):"'
    >>> unfinished(b"username,file\\nJan,File:A.jpg\\n")
    ''
    """
    first = raw[: raw.find(b"\n") + 1 or None].decode("utf-8-sig", errors="replace")
    end = raw.rstrip()
    last = end[end.rfind(b"\n") + 1 :].decode("utf-8", errors="replace")
    delimiter = max(DELIMITERS, key=first.count)
    cells = len(_cells(last, delimiter))
    whole = cells == len(_cells(first, delimiter)) or (cells > 1 and end != raw)
    return "" if whole else f'broken off before "{last[:60]}"'


def parse_rows(lines: Iterable[str], *, source: str) -> Iterator[Contribution | BadRow]:
    """Yield each row of an ISA export, read and checked. Raises ``UsageError`` where the header lacks a column.

    A row is a line: neither titles nor captions hold line breaks, and so one bad quotation mark spoils one row. What a
    spreadsheet does to an export when it saves it is understood: semicolons or tabs, columns in another order, TRUE.

    >>> lines = [",".join(COLUMNS), "Jan,File:A.jpg,depicts,add,,Q140,True,,,2021-10-03", "Jan,File:A.jpg,depicts,add"]
    >>> [type(row).__name__ for row in parse_rows(lines, source="x.csv")]
    ['Contribution', 'BadRow']
    """
    numbered = enumerate(lines, start=1)
    first = next(numbered, (1, ""))[1]
    delimiter = max(DELIMITERS, key=first.count)
    header = [cell.strip().lower() for cell in _cells(first, delimiter)]
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise UsageError(f"{source}: not an ISA export, column {', '.join(missing)} is missing")
    for line, text in numbered:
        cells = _cells(text, delimiter)
        if any(cells):
            yield _row(line, header, cells)


def _cells(line: str, delimiter: str) -> list[str]:
    """Return the cells of a line; none for an empty line, one for a line that cannot be read."""
    text = line.rstrip("\r\n")
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return [text]


def _row(line: int, header: list[str], cells: list[str]) -> Contribution | BadRow:
    if len(cells) != len(header):
        return BadRow(line=line, why=f"{len(cells)} cells under {len(header)} columns, or a quotation mark too many")
    row = dict(zip(header, cells, strict=True))
    wrong = next(filter(None, (_wrong(column, row) for column in COLUMNS)), "")
    if wrong:
        return BadRow(line=line, why=wrong)
    return Contribution(
        line=line,
        username=row["username"].strip(),
        file=" ".join(row["file"].replace("_", " ").split()),
        action=row["edit_action"],
        item=row["depict_item"],
        prominent=row["depict_prominent"].lower() == "true",
        text=row["caption_text"].strip(),
        language=row["caption_language"],
        country=row["country"].strip(),
        day=row["date"],
    )


def _wrong(column: str, row: Mapping[str, str]) -> str:
    """Return what is wrong with one cell, naming its column; ``""`` when nothing is."""
    value = row[column]
    if "\ufffd" in value:
        return f"column {column}: not UTF-8"
    if column in CHECKS and not CHECKS[column](value, row):
        return f"column {column}: {value[:80]!r}"
    return ""


def _is_day(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


Check = Callable[[str, Mapping[str, str]], bool]
CHECKS: dict[str, Check] = {
    "username": lambda value, row: bool(value.strip()),
    "file": lambda value, row: bool(re.fullmatch(r"File:[^#<>\[\]|{}\x00-\x1f]+", value)),
    "edit_type": lambda value, row: value in ("depicts", "captions"),
    "edit_action": lambda value, row: value in ACTIONS,
    "depict_item": lambda value, row: is_item(value) if row["edit_type"] == "depicts" else value == "",
    "depict_prominent": lambda value, row: (
        value.lower() in ("true", "false")
        or (not value and (row["edit_type"], row["edit_action"]) != ("depicts", "edit"))
    ),
    "caption_text": lambda value, row: (
        bool(value.strip()) or (row["edit_type"], row["edit_action"]) not in (("captions", "add"), ("captions", "edit"))
    ),
    "caption_language": lambda value, row: (
        bool(re.fullmatch(r"[a-z]{2,}[a-z0-9-]*", value)) or (not value and row["edit_type"] == "depicts")
    ),
    "date": lambda value, row: _is_day(value),
}
"""What a cell may hold, by column; ``country`` may hold anything."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """What stays the same for every row of one export."""

    source: str
    campaign: str
    roll: Roll
    captions: bool
    find: Callable[[str], str]
    described: Mapping[str, MediaFile]

    def lost(self, line: int, reason: str, detail: str) -> Failure:
        """Return the failure of one row."""
        return lost(f"{self.source}:{line}", reason, detail, campaign=self.campaign)

    def unplaced(self, row: Contribution, reason: str) -> Unplaced:
        """Return a row that no tag comes of, without the name of who made it."""
        return Unplaced(
            row=f"{self.source}:{row.line}",
            reason=reason,
            file=row.file,
            action=row.action,
            item=row.item,
            text=row.text,
            language=row.language,
            agent=self.roll.id(row.username),
            day=row.day,
        )


def _harvest(rows: Iterable[Contribution | BadRow], reading: _Reading, unplaced: list[Unplaced]) -> Iterator[Harvested]:
    """Yield what the rows add up to, file by file; the rows that no tag comes of are put into ``unplaced``."""
    by_title: dict[str, list[Contribution]] = {}
    for row in rows:
        if isinstance(row, BadRow):
            yield reading.lost(row.line, BAD_ROW, row.why)
        elif reading.captions or row.item:
            by_title.setdefault(row.file, []).append(row)
    by_file: dict[str, list[Contribution]] = {}
    for title, told in by_title.items():
        iri = reading.find(title)
        if iri:  # a moved file may stand under both its titles
            by_file.setdefault(iri, []).extend(told)
        else:
            unplaced += (reading.unplaced(row, FILE_MISSING) for row in told)
            where = ", ".join(str(row.line) for row in told)
            yield lost(title, FILE_MISSING, f"{reading.source}:{where}", campaign=reading.campaign)
    for iri, told in by_file.items():
        voices, useless = fold(sorted(told, key=lambda row: row.line))
        unplaced += (reading.unplaced(row, USELESS[row.action]) for row in useless)
        for row in useless:
            yield reading.lost(row.line, USELESS[row.action], f"{row.item or row.language} of {row.file}")
        yield from _file(iri, voices, reading)


def _file(iri: str, voices: Sequence[Voice], reading: _Reading) -> Iterator[Harvested]:
    yield from reading.roll.introduce(*(name for voice in voices for name in (voice.username, voice.removed_by)))
    yield from _tags(voices, iri, reading)
    if iri in reading.described:
        yield reading.described[iri]
    yield membership(reading.campaign, iri)


def fold(rows: Iterable[Contribution]) -> tuple[list[Voice], list[Contribution]]:
    """Return what the rows of one file add up to, and the rows that had nothing to change.

    A row that removes what no row added took back a statement from outside ISA: that is kept, its author unknown. Of a
    caption that no row added nobody knows the text. Every row is in the ``lines`` of a voice or among the useless; one
    that puts a caption in another's place is in both its voices.
    """
    voices: list[Voice] = []
    useless: list[Contribution] = []
    for row in rows:
        if not row.item:
            if not _caption(voices, row):
                useless.append(row)
        elif row.action == "add":
            voices.append(_said(row))
        elif (place := _standing(voices, row)) is not None:
            voices[place] = _edited(voices[place], row) if row.action == "edit" else _removed(voices[place], row)
        elif row.action == "remove":
            voices.append(_removed(Voice(username="", day="", item=row.item, text="", language=""), row))
        else:
            useless.append(row)
    return voices, useless


def _said(row: Contribution) -> Voice:
    return Voice(
        username=row.username,
        day=row.day,
        item=row.item,
        text=row.text,
        language=row.language,
        prominent=row.prominent,
        lines=(row.line,),
    )


def _edited(voice: Voice, row: Contribution) -> Voice:
    return replace(voice, prominent=row.prominent, lines=(*voice.lines, row.line))


def _removed(voice: Voice, row: Contribution) -> Voice:
    return replace(voice, removed=row.day, removed_by=row.username, lines=(*voice.lines, row.line))


def _standing(voices: list[Voice], row: Contribution) -> int | None:
    """Return the place of what a row edits or removes: one's own if there is one, else the last that was said."""
    places = [i for i, v in enumerate(voices) if v.item == row.item and not v.removed]
    own = [i for i in places if voices[i].username == row.username]
    return next(reversed(own or places), None)


def _caption(voices: list[Voice], row: Contribution) -> bool:
    """Apply a row of a caption; return whether there was something for it to do.

    A file has one caption a language: a new one takes the place of the one before.
    """
    standing = [i for i, v in enumerate(voices) if v.language == row.language and not v.item and not v.removed]
    for place in standing:
        voices[place] = _removed(voices[place], row)
    if row.action != "remove":
        voices.append(_said(row))
    return row.action != "remove" or bool(standing)


def _tags(voices: Iterable[Voice], iri: str, reading: _Reading) -> Iterator[Tag]:
    met: Counter[tuple[str, ...]] = Counter()
    for voice in voices:
        agent = reading.roll.id(voice.username)
        same = (voice.item, voice.language, voice.text, agent, voice.day)
        met[same] += 1
        yield Tag(
            id=content_id("isa", reading.campaign, iri, *same, str(met[same])),
            file=iri,
            item=voice.item,
            verbatim="" if voice.item else voice.text,
            language=voice.language,
            agent=agent,
            moment=voice.day,
            route="isa",
            campaign=reading.campaign,
            prominent=voice.prominent,
            withdrawn=voice.removed,
            withdrawn_by=reading.roll.id(voice.removed_by),
        )
