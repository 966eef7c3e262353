"""Tags from Darwin Core Archives with media. In: a GBIF download or any other archive. Out: files and tags.

Media are rows of an extension (Simple Multimedia, Audubon Core, GBIF's older Image, EOL's Document) or addresses in
``associatedMedia``; what they show is the name in the core, or in the occurrence itself. The name goes on as it was
written, with who determined it and when; a taxon's key stands for it where no name is given.

https://rs.gbif.org/extension/gbif/1.0/multimedia.xml, https://ac.tdwg.org/termlist/
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from harvest.lists import (
    BAD_RECORD,
    BAD_VALUE,
    NO_IMAGE,
    NO_NAME,
    NOT_AN_IMAGE,
    UNCERTAIN,
    Said,
    Teller,
    is_address,
    licence_of,
    moment_of,
    region_of,
)
from harvest.mediainfo import plain_text
from harvest.records import Harvested, lost, source_name
from linkeddata.dwca import Row, Table, Values, rows, tables
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import MediaFile

MEDIA = ("Multimedia", "Image", "Document")
"""The kinds of extension whose rows are media."""
GBIF_OCCURRENCE = "https://www.gbif.org/occurrence/"

_BETWEEN = re.compile(r"\s*\|\s*|\s*[;,]\s*(?=https?://)|\s+(?=https?://)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Media:
    """One image as a row of media describes it, and what could not be read of it."""

    place: str
    file: MediaFile
    region: str = ""
    troubles: tuple[str, ...] = ()


@dataclass(slots=True)
class _Reading:
    """One archive being read."""

    path: Path
    campaign: str
    teller: Teller
    without: int = 0  # records that have no image

    def lost(self, place: str, reason: str, detail: str = "") -> Harvested:
        """Return the failure of what stands at a place."""
        return lost(place, reason, detail, campaign=self.campaign)


def harvest_dwca(path: str | Path, *, campaign: str, pseudonyms: Pseudonyms) -> Iterator[Harvested]:
    """Yield the files and tags of an archive: a zip, a folder, or one table without ``meta.xml``.

    In memory are the rows of media and, of the other tables, one row at a time. Each row of media that gives no image
    is a ``Failure``; records without any are counted in one. Raises ``UsageError`` where this is no archive.
    """
    archive = Path(path)
    found = tables(archive)
    core = found[0]
    reading = _Reading(archive, campaign, Teller("dwca", campaign, pseudonyms))
    media: dict[str, list[_Media]] = {}
    for table in found[1:]:
        if table.kind in MEDIA:
            yield from _collect(reading, table, media)
    verbatim = _verbatim_names(archive, found, media)
    yield from _core(reading, core, media, verbatim)
    for table in found[1:]:
        if table.kind == "Occurrence" and core.kind != "Occurrence":
            yield from _core(reading, table, {}, {})
    for key, pictures in media.items():
        for picture in pictures:
            yield reading.lost(picture.place, BAD_RECORD, f"no record {key!r} in {', '.join(core.files)}")
    if reading.without:
        yield reading.lost(source_name(str(path)), NO_IMAGE, f"{reading.without} records")


def _collect(reading: _Reading, table: Table, media: dict[str, list[_Media]]) -> Iterator[Harvested]:
    """Put the images of an extension where their core record will find them; yield what is none."""
    values = Values(table)
    for row in rows(reading.path, table):
        place = f"{row.file}:{row.number}"
        key = row.cells[table.core_id].strip() if table.core_id < len(row.cells) else ""
        if row.trouble or not key:
            yield reading.lost(place, BAD_RECORD, row.trouble or f"column {table.core_id + 1}: empty")
            continue
        reason, detail = _unusable(values, row)
        if reason:
            yield reading.lost(place, reason, detail)
        else:
            media.setdefault(key, []).append(_media(values, row, place))


def _unusable(values: Values, row: Row) -> tuple[str, str]:
    """Return why a row of media is no image that can be fetched, ``("", "")`` if it is one."""
    kind, form = values.of(row, "type").rsplit("/", 1)[-1], values.of(row, "format").lower()
    if kind.lower() not in ("", "stillimage", "image") or (form and re.match(r"(audio|video|text|application)/", form)):
        return NOT_AN_IMAGE, f"{kind} {form}".strip()
    address = _address(values, row)
    if not is_address(address):
        return NO_IMAGE, f"column {'accessURI' if values.of(row, 'accessURI') else 'identifier'}: {address[:80]!r}"
    return "", ""


def _address(values: Values, row: Row) -> str:
    access = values.of(row, "bestQualityAccessURI", "accessURI")
    return access or values.of(row, "identifier")


def _media(values: Values, row: Row, place: str) -> _Media:
    address, own = _address(values, row), values.of(row, "identifier")
    rights = [values.of(row, name) for name in ("license", "WebStatement", "UsageTerms", "rights")]
    licence = next(filter(None, map(licence_of, rights)), "")
    troubles = [f"column license: {rights[0][:80]!r}"] if rights[0] and not licence else []
    form = values.of(row, "format").lower()
    region = ""
    try:
        region = region_of(_fractions(values, row))
    except ValueError as error:
        troubles.append(f"column xFrac: {error}")
    file = MediaFile(
        iri=own if is_address(own) or own.startswith("urn:") else address,
        title=values.of(row, "title"),
        page=values.of(row, "furtherInformationURL", "references"),
        original=address,
        sha1=_sha1(values, row),
        mime="image/jpeg" if form == "image/jpg" else form,
        width_px=_number(values.of(row, "PixelXDimension")),
        height_px=_number(values.of(row, "PixelYDimension")),
        licence=licence,
        credit=values.of(row, "Credit", "rightsHolder", "Owner") or ("" if licence_of(rights[3]) else rights[3]),
        creator=values.of(row, "creator"),
        created=values.of(row, "created", "CreateDate"),
        description=plain_text(values.of(row, "description", "caption")),
    )
    return _Media(place=place, file=file, region=region, troubles=tuple(troubles))


def _fractions(values: Values, row: Row) -> str:
    """Return Audubon Core's region of interest as a media fragment, ``""`` for none."""
    parts = [values.of(row, name) for name in ("xFrac", "yFrac", "widthFrac", "heightFrac")]
    if not all(parts):
        return ""
    return "xywh=percent:" + ",".join(f"{float(part) * 100:.4f}" for part in parts)


def _sha1(values: Values, row: Row) -> str:
    if values.of(row, "hashFunction").lower().replace("-", "") != "sha1":
        return ""
    value = values.of(row, "hashValue").lower()
    return value if re.fullmatch(r"[0-9a-f]{40}", value) else ""


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


def _verbatim_names(path: Path, found: list[Table], media: Mapping[str, list[_Media]]) -> dict[str, str]:
    """Return the names that GBIF's ``verbatim.txt`` has for records with media, as their publisher wrote them."""
    if found[0].kind != "Occurrence":
        return {}
    names: dict[str, str] = {}
    for table in found[1:]:
        if table.kind == "Occurrence":
            values = Values(table)
            for row in rows(path, table):
                key = row.cells[table.core_id] if table.core_id < len(row.cells) else ""
                if key in media:
                    names[key] = values.of(row, "scientificName")
    return names


def _core(
    reading: _Reading, table: Table, media: dict[str, list[_Media]], verbatim: Mapping[str, str]
) -> Iterator[Harvested]:
    """Yield the images of each record of a table and what they show; takes out of ``media`` what found its record."""
    values = Values(table)
    for row in rows(reading.path, table):
        place = f"{row.file}:{row.number}"
        if row.trouble:
            yield reading.lost(place, BAD_RECORD, row.trouble)
            continue
        key = row.cells[table.core_id].strip() if table.core_id < len(row.cells) else ""
        pictures = media.pop(key, [])
        there = {picture.file.original for picture in pictures}
        for address in filter(None, _BETWEEN.split(values.of(row, "associatedMedia"))):
            if not is_address(address):
                yield reading.lost(place, NO_IMAGE, f"column associatedMedia: {address[:80]!r}")
            elif address not in there:
                there.add(address)
                file = MediaFile(iri=address, original=address)
                pictures.append(_Media(place=f"{place} associatedMedia", file=file))
        if not pictures:
            reading.without += 1
            continue
        yield from _record(reading, values, row, pictures, verbatim.get(key, ""))


def _record(reading: _Reading, values: Values, row: Row, pictures: list[_Media], verbatim: str) -> Iterator[Harvested]:
    """Yield what one record says of its images."""
    place = f"{row.file}:{row.number}"
    said: tuple[Said, ...] = ()
    try:
        said = (_said(values, row, verbatim),)
    except _UnsaidError as error:
        yield reading.lost(place, error.reason, error.detail)
    moment = ""
    try:
        moment = moment_of(values.of(row, "dateIdentified"))
    except ValueError:
        yield reading.lost(place, BAD_VALUE, f"column dateIdentified: {values.of(row, 'dateIdentified')[:80]!r}")
    for picture in pictures:
        for trouble in picture.troubles:
            yield reading.lost(picture.place, BAD_VALUE, trouble)
        own = [Said(verbatim=one.verbatim, agent=one.agent, moment=moment, region=picture.region) for one in said]
        yield from reading.teller.tell(_completed(picture.file, values, row), *own)


class _UnsaidError(Exception):
    """A record does not say what it is; caught where the record is read."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


def _said(values: Values, row: Row, verbatim: str) -> Said:
    """Return the determination of a record. Raises ``_UnsaidError`` where there is none, or it is in doubt."""
    qualifier = values.of(row, "identificationQualifier")
    if qualifier:
        raise _UnsaidError(UNCERTAIN, f"column identificationQualifier: {qualifier[:80]!r}")
    key = values.of(row, "taxonKey")
    name = verbatim or values.of(row, "verbatimScientificName", "scientificName")
    if not (name or key.isdecimal()):
        raise _UnsaidError(NO_NAME, "column scientificName: empty")
    return Said(verbatim=name or f"gbif:{key}", agent=values.of(row, "identifiedBy", "identifiedByID"))


def _completed(file: MediaFile, values: Values, row: Row) -> MediaFile:
    """Return a file with what its record says, where the row of media says nothing."""
    gbif, rights = values.of(row, "gbifID"), values.of(row, "license", "rights", "accessRights")
    page = values.of(row, "references")
    return replace(
        file,
        page=file.page or (page if is_address(page) else "") or (f"{GBIF_OCCURRENCE}{gbif}" if gbif else ""),
        licence=file.licence or licence_of(rights),
        credit=file.credit or values.of(row, "rightsHolder"),
        inventory_number=values.of(row, "catalogNumber"),
        institution=values.of(row, "institutionCode", "institutionID"),
        group=values.of(row, "occurrenceID") or file.creator,
    )
