"""What all routes work with. In: the store, the settings, and ways to make pages and find pictures. Out: ``Parts``."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from linkeddata import jsonld
from linkeddata.negotiation import without_suffix
from linkeddata.problem import not_found
from linkeddata.records import MediaFile, Record
from linkeddata.settings import Settings
from linkeddata.storage import Stored
from linkeddata.store import Store

Pages = Callable[[str, Mapping[str, Any]], str]
"""Makes HTML of a page's name and what it shows."""
Images = Callable[[MediaFile], Stored | None]
"""Finds the local copy of a file's image."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the routes work with."""

    store: Store
    settings: Settings
    pages: Pages | None = None
    image: Images = field(default=lambda media: None)

    @property
    def base(self) -> str:
        """The base of our URIs, without a slash at its end."""
        return self.settings.base_url.rstrip("/")


@dataclass(frozen=True, slots=True)
class Page:
    """A page for people: the template's name, and what it shows, looked up only when somebody wants the page."""

    name: str
    data: Callable[[], Mapping[str, Any]]


def found(parts: Parts, kind: type[Record], key: str, what: str) -> tuple[Any, str]:
    """Return the record with this key and the media type its suffix asks for; raises ``Problem`` 404."""
    record = parts.store.get(kind, key)
    if record is not None:
        return record, ""
    stem, form = without_suffix(key)
    record = parts.store.get(kind, stem) if form else None
    if record is None:
        raise not_found(what, key)
    return record, form


def find_media(parts: Parts, iri: str) -> MediaFile | None:
    """Return the file with this IRI, or with this M-id on Commons."""
    return parts.store.get(MediaFile, iri) or parts.store.get(MediaFile, parts.settings.commons_entity + iri)


def picture(parts: Parts, media: MediaFile | None, width_px: int) -> str:
    """Return the address of a small copy of the image, ``""`` where there is no local copy."""
    if media is None or parts.image(media) is None:
        return ""
    return f"{jsonld.media_uri('', media.iri)}/image?width={width_px}"


def with_pictures(parts: Parts, records: Iterable[Any]) -> list[tuple[Any, MediaFile | None, str]]:
    """Return each record with its file and the address of a small picture of it."""
    shown = list(records)
    found = {one.iri: one for one in parts.store.among(MediaFile, "iri", {record.file for record in shown})}
    return [(one, found.get(one.file), picture(parts, found.get(one.file), 250)) for one in shown]
