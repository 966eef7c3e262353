"""Contributions to a campaign of the ISA tool. In: its CSV, by path or URL. Out: files and tags, with who and the day.

The CSV has one row a contribution, in the order they were made, and no time of day: what stands in the end is what its
rows ``add``, ``edit`` (only the prominence) and ``remove`` add up to, in file order
(https://github.com/wikimedia/labs-tools-Isa, ``isa/campaigns``).
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

from harvest.commons_files import FILE_MISSING
from harvest.mediainfo import NO_STRUCTURED_DATA, Page, is_item, media_file
from harvest.records import Harvested, Progress, Roll, batches, lost, membership, silent, source_name
from harvest.wiki import ENTITIES, Api, by_title, entities
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
MOST_BYTES = 500_000_000

BAD_ROW = "bad row"
NOTHING_TO_EDIT = "edit of a tag that was not added"

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
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """One row that could not be read: its line and what is wrong in which column."""

    line: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Voice:
    """One thing somebody said of one file, and what became of it."""

    username: str
    day: str
    item: str
    text: str
    language: str
    prominent: bool = False
    removed: str = ""
    removed_by: str = ""


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
        pages |= by_title(api, batch)
        progress("titles", len(pages), len(titles))
    iris = {title: api.site.iri(page.id) for title, page in pages.items()}
    described = describe_pages(api, {iri: pages[title] for title, iri in iris.items() if iri not in known})
    name = source_name(str(source))
    reading = _Reading(name, campaign, Roll(pseudonyms), captions, lambda title: iris.get(title, ""), described)
    yield from _harvest(rows, reading)


def export_address(client: Client, settings: Settings, number: int) -> str:
    """Return where the tool keeps the export of all contributions to a campaign.

    The tool makes the file when its statistics page is asked for, and links to it there (``all_stats_download/NAME``,
    or ``download_csv`` in later versions). Raises ``ServiceError`` where there is none, and what ``Client`` does.
    """
    page = f"{settings.isa_base}/campaigns/{number}/stats"
    text = client.get_page(page)
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
    yield from _harvest(parse_rows(lines, source=source), reading)


def read_lines(client: Client, source: str) -> Iterator[str]:
    """Return the lines of a CSV by path or URL; bytes that are not UTF-8 become U+FFFD."""
    try:
        raw = client.get_bytes(source, limit=MOST_BYTES) if "://" in source else Path(source).read_bytes()
    except OSError as error:
        raise UsageError(f"{source}: cannot be read: {error.strerror or error}") from error
    return io.StringIO(raw.decode("utf-8-sig", errors="replace"), newline="")


def parse_rows(lines: Iterable[str], *, source: str) -> Iterator[Contribution | BadRow]:
    """Yield each row of an ISA export, read and checked. Raises ``UsageError`` where the header lacks a column.

    A row is a line: neither titles nor captions hold line breaks, and so one bad quotation mark spoils one row.

    >>> lines = [",".join(COLUMNS), "Jan,File:A.jpg,depicts,add,,Q140,True,,,2021-10-03", "Jan,File:A.jpg,depicts,add"]
    >>> [type(row).__name__ for row in parse_rows(lines, source="x.csv")]
    ['Contribution', 'BadRow']
    """
    numbered = enumerate(lines, start=1)
    header = _cells(next(numbered, (1, ""))[1])
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise UsageError(f"{source}: not an ISA export, column {', '.join(missing)} is missing")
    for line, text in numbered:
        cells = _cells(text)
        if cells:
            yield _row(line, header, cells)


def _cells(line: str) -> list[str]:
    """Return the cells of a line; none for an empty line, one for a line that cannot be read."""
    text = line.rstrip("\r\n")
    try:
        return next(csv.reader([text], strict=True), [])
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
        prominent=row["depict_prominent"] == "True",
        text=row["caption_text"].strip(),
        language=row["caption_language"],
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
    "depict_prominent": lambda value, row: value in ("True", "False", ""),
    "caption_text": lambda value, row: row["edit_type"] == "depicts" or row["edit_action"] == "remove" or bool(value),
    "caption_language": lambda value, row: bool(
        re.fullmatch(r"[a-z]{2,}[a-z-]*" if row["edit_type"] == "captions" else "|[a-z]{2,}[a-z-]*", value)
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


def _harvest(rows: Iterable[Contribution | BadRow], reading: _Reading) -> Iterator[Harvested]:
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
            yield lost(title, FILE_MISSING, f"{reading.source}:{told[0].line}", campaign=reading.campaign)
    for iri, told in by_file.items():
        yield from _file(iri, sorted(told, key=lambda row: row.line), reading)


def _file(iri: str, rows: Iterable[Contribution], reading: _Reading) -> Iterator[Harvested]:
    voices, useless = fold(rows)
    for row in useless:
        yield reading.lost(row.line, NOTHING_TO_EDIT, f"{row.item} of {row.file}")
    yield from reading.roll.introduce(*(name for voice in voices for name in (voice.username, voice.removed_by)))
    yield from _tags(voices, iri, reading)
    if iri in reading.described:
        yield reading.described[iri]
    yield membership(reading.campaign, iri)


def fold(rows: Iterable[Contribution]) -> tuple[list[_Voice], list[Contribution]]:
    """Return what the rows of one file add up to, and the edits that had nothing to edit.

    A row that removes what no row added took back a statement from outside ISA: that is kept, its author unknown.
    """
    voices: list[_Voice] = []
    useless: list[Contribution] = []
    for row in rows:
        if not row.item:
            _caption(voices, row)
        elif row.action == "add":
            voices.append(_said(row))
        elif (place := _standing(voices, row)) is not None:
            edited = replace(voices[place], prominent=row.prominent)
            voices[place] = edited if row.action == "edit" else _removed(voices[place], row)
        elif row.action == "remove":
            voices.append(_removed(_Voice(username="", day="", item=row.item, text="", language=""), row))
        else:
            useless.append(row)
    return voices, useless


def _said(row: Contribution) -> _Voice:
    return _Voice(
        username=row.username,
        day=row.day,
        item=row.item,
        text=row.text,
        language=row.language,
        prominent=row.prominent,
    )


def _removed(voice: _Voice, row: Contribution) -> _Voice:
    return replace(voice, removed=row.day, removed_by=row.username)


def _standing(voices: list[_Voice], row: Contribution) -> int | None:
    """Return the place of what a row edits or removes: one's own if there is one, else the last that was said."""
    places = [i for i, v in enumerate(voices) if v.item == row.item and not v.removed]
    own = [i for i in places if voices[i].username == row.username]
    return next(reversed(own or places), None)


def _caption(voices: list[_Voice], row: Contribution) -> None:
    """A file has one caption a language: a new one takes the place of the one before."""
    for place, voice in enumerate(voices):
        if voice.language == row.language and not voice.item and not voice.removed:
            voices[place] = _removed(voice, row)
    if row.action != "remove":
        voices.append(_said(row))


def _tags(voices: Iterable[_Voice], iri: str, reading: _Reading) -> Iterator[Tag]:
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
