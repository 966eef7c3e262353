"""Pictures on this machine with a table of what they show, as labelled files. In: a table. Out: files, labels, taxa.

A row names a picture beside the table (``file``) and what it shows: a ``taxon`` (a name, Q-item or GBIF key, resolved
like all names) or, for what no taxonomy has (masks, stages, kinds of egg case), a ``label`` in words, which an ``item``
may link to Wikidata. It may tell facts of the picture. A picture is known by the SHA-1 of its bytes, wherever it lies;
two rows of one picture say two things of it. A row that cannot be read is a failure that names row and column.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harvest.datasets.about import About
from harvest.datasets.queried import STATED, Around, Found, accepted, resolved, share
from harvest.files import FACTS
from harvest.images import TOO_LARGE, UNREADABLE
from harvest.isa import BAD_ROW
from harvest.lists import item_in, licence_of
from harvest.offers import IMAGE_MISSING
from harvest.records import lost
from linkeddata.catalogue.holdings import of_settings
from linkeddata.decoding import Facts, Limits, TooLargeImageError, UnreadableImageError, checked
from linkeddata.errors import UsageError
from linkeddata.records import Label, MediaFile
from linkeddata.settings import Settings
from linkeddata.storage import Stored, stored_file
from linkeddata.tablefiles import Row, reading, text_of

SHOWN = ("taxon", "label", "item")
TOLD = ("file", *SHOWN, "status", "probability", *(fact for fact in FACTS if fact != "sha1"))
"""What a table may tell; a column called so is taken without being named."""


class _RowError(Exception):
    """A row that says nothing that can be used: reason and detail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """A table of pictures: where it is, which column tells what, and what holds for rows that do not say otherwise."""

    path: Path
    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Tabled(Found):
    """What a table adds up to, with where the bytes of each file lie."""

    stored: dict[str, Stored] = field(default_factory=dict)

    def image_of(self, media: MediaFile) -> Stored | None:
        """Return where the picture of a file lies."""
        return self.stored.get(media.iri)


def about_table(pictures: Pictures, settings: Settings, title: str) -> About:
    """Return what is told of a dataset of this table beside its rows."""
    publisher = of_settings(settings)
    return About(
        title=title,
        name=pictures.path.stem,
        table=pictures.path.name,
        publisher=publisher.name,
        publisher_iri=publisher.iri,
        licence=publisher.licence,
    )


def gather_table(pictures: Pictures, around: Around) -> Tabled:
    """Return the files, labels and taxa that a table tells of; what could not be read is a failure in it.

    Raises ``UsageError`` where the table or a column that was named cannot be read.
    """
    found = Tabled()
    names: list[Label] = []
    limits = Limits(around.settings.max_image_bytes, around.settings.max_image_pixels)
    media: dict[str, MediaFile] = {}
    with reading(pictures.path, heading=True) as table:
        columns = _Columns(pictures, table.columns)
        for number, row in enumerate(table.rows, 1):
            around.progress("pictures", number, table.total)
            if not any(text_of(cell).strip() for cell in row.cells):
                continue
            try:
                one, label = _told(columns, row, limits, found)
            except _RowError as error:
                reason, detail = error.args
                found.lost.append(lost(f"{pictures.path.name}:{row.number}", reason, detail, step="dataset"))
                continue
            media[one.iri] = _completed(media.get(one.iri), one)
            (names if columns.cell(row, "taxon") else found.labels).append(label)
    found.media.extend(media.values())
    found.taxa.extend(resolved({label.concept for label in names}, around, found))
    taxa = {taxon.query: taxon for taxon in found.taxa}
    found.labels.extend(accepted(label, taxa[label.concept]) for label in names if label.concept in taxa)
    return found


class _Columns:
    """Where in a row each thing is told."""

    def __init__(self, pictures: Pictures, columns: Sequence[str]) -> None:
        self.folder = pictures.path.parent
        self.name = pictures.path.stem
        self._called = {key: pictures.columns.get(key, key) for key in TOLD}
        self._constants = pictures.constants
        self._place = {key: columns.index(name) for key, name in self._called.items() if name in columns}
        unknown = sorted({*pictures.columns, *pictures.constants} - set(TOLD))
        if unknown:
            raise UsageError(f"{', '.join(unknown)}: a table of pictures tells {', '.join(TOLD)}")
        missing = [name for name in pictures.columns.values() if name not in columns]
        missing += [key for key in ("file",) if not (key in self._place or missing)]
        if missing:
            there = ", ".join(columns)
            raise UsageError(f"{pictures.path}: column {', '.join(missing)} is missing; there are {there}")
        if not {"taxon", "label"} & {*self._place, *self._constants}:
            raise UsageError(f"{pictures.path}: no column tells what is shown: name one as taxon or as label")

    def cell(self, row: Row, key: str) -> str:
        """Return what a row says under a key, or what holds for all."""
        place = self._place.get(key, -1)
        return (text_of(row.cells[place]).strip() if place >= 0 else "") or self._constants.get(key, "")

    def wrong(self, row: Row, key: str, why: str = "") -> _RowError:
        """Return the error of a value that cannot be used."""
        value = self.cell(row, key)
        return _RowError(BAD_ROW, f"column {self._called[key]}: {why or repr(value[:80])}")


def _told(columns: _Columns, row: Row, limits: Limits, found: Tabled) -> tuple[MediaFile, Label]:
    """Return the file and the label of a row; where the bytes lie goes to ``found``. Raises ``_RowError``."""
    if row.trouble:
        raise _RowError(BAD_ROW, row.trouble)
    label = _label(columns, row)
    path, sha1, facts = _picture(columns, row, limits)
    iri = f"urn:sha1:{sha1}"
    found.stored.setdefault(iri, stored_file(path, sha1=sha1, mime=facts.mime))
    told: dict[str, Any] = {key: columns.cell(row, key) for key in FACTS if key not in ("sha1", "licence")}
    licence = columns.cell(row, "licence")
    if licence and not licence_of(licence):
        raise columns.wrong(row, "licence")
    media = MediaFile(
        **told | {"title": told["title"] or path.name, "group": told["group"] or told["creator"]},
        iri=iri,
        sha1=sha1,
        mime=facts.mime,
        width_px=facts.width_px,
        height_px=facts.height_px,
        size_bytes=path.stat().st_size,
        licence=licence_of(licence),
    )
    return media, replace(label, file=iri)


def _picture(columns: _Columns, row: Row, limits: Limits) -> tuple[Path, str, Facts]:
    """Return where a row's picture lies, its SHA-1 and what it is. Raises ``_RowError``."""
    named = columns.cell(row, "file")
    if not named:
        raise columns.wrong(row, "file", "empty")
    path = columns.folder / named
    try:
        facts = checked(path, limits)
        with path.open("rb") as file:
            return path, hashlib.file_digest(file, "sha1").hexdigest(), facts
    except TooLargeImageError as error:
        raise _RowError(TOO_LARGE, f"{named}: {error}") from error
    except UnreadableImageError as error:
        raise _RowError(UNREADABLE, f"{named}: {error}") from error
    except OSError as error:
        raise _RowError(IMAGE_MISSING, f"{named}: {error.strerror or error}") from error


def _label(columns: _Columns, row: Row) -> Label:
    """Return what a row says is shown; its file is not known yet. Raises ``_RowError``."""
    taxon, word, item = (columns.cell(row, key) for key in SHOWN)
    if item and not item_in(item):
        raise columns.wrong(row, "item")
    if not (taxon or word):
        raise _RowError(BAD_ROW, "nothing says what is shown")
    return Label(
        id="",
        campaign=f"table {columns.name}",
        file="",
        concept=taxon or item_in(item) or f"label:{word}",
        name=word or taxon,
        item=item_in(item),
        support=1,
        probability=share(columns.cell(row, "probability")),
        status=columns.cell(row, "status") or STATED,
    )


def _completed(known: MediaFile | None, one: MediaFile) -> MediaFile:
    """Return a file with what this row tells of it where nothing was known."""
    if known is None:
        return one
    return replace(known, **{key: getattr(known, key) or getattr(one, key) for key in ("licence", *FACTS)})
