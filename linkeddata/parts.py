"""What all routes work with. In: the store, the settings, and ways to make pages and find pictures. Out: ``Parts``."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from linkeddata import iris
from linkeddata.keptreader import Kept
from linkeddata.negotiation import without_suffix
from linkeddata.problem import Problem, not_found
from linkeddata.records import MediaFile, Record
from linkeddata.settings import Settings
from linkeddata.storage import Stored
from linkeddata.store import Store
from linkeddata.withdrawals import Tombstone, tombstone_of, withdrawal

Pages = Callable[[str, Mapping[str, Any]], str]
"""Makes HTML of a page's name and what it shows."""
Images = Callable[[MediaFile], Stored | None]
"""Finds the local copy of a file's image."""
Names = Callable[[str], tuple[str, ...]]
"""Which keys a word in an address may stand for."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the routes work with."""

    store: Store
    settings: Settings
    pages: Pages | None = None
    image: Images = field(default=lambda media: None)
    kept: Kept | None = None
    """Answers that are ready; None where none are kept."""

    @property
    def base(self) -> str:
        """The base of our URIs, without a slash at its end."""
        return self.settings.base_url.rstrip("/")


@dataclass(frozen=True, slots=True)
class Page:
    """A page for people: the template's name, and what it shows, looked up only when somebody wants the page."""

    name: str
    data: Callable[[], Mapping[str, Any]]


class Gone(Problem):
    """What was asked for no longer stands; ``form`` is the media type that the address asked for by its suffix."""

    def __init__(self, tombstone: Tombstone, form: str = "") -> None:
        super().__init__(410, "Gone", f"Withdrawn: {tombstone.reason}." if tombstone.reason else "Withdrawn.")
        self.tombstone = tombstone
        self.form = form


def found(parts: Parts, kind: type[Record], key: str, what: str, names: Names = lambda key: (key,)) -> tuple[Any, str]:
    """Return the record with this key and the media type its suffix asks for; raises ``Gone``, ``Problem`` 404.

    ``names`` are the keys that a word in an address may stand for.
    """
    asked = [(name, form) for stem, form in _readings(key) for name in names(stem)]
    for name, form in asked:
        record = parts.store.get(kind, name)
        if record is not None:
            if tombstone := withdrawal(record):
                raise Gone(tombstone, form)
            return record, form
    for name, form in asked:
        if tombstone := tombstone_of(parts.store, kind, name):
            raise Gone(tombstone, form)
    raise not_found(what, key)


def _readings(key: str) -> list[tuple[str, str]]:
    """Return what a key may mean: itself, or what stands before a suffix, with the form that this asks for."""
    stem, form = without_suffix(key)
    return [(key, ""), (stem, form)] if form else [(key, "")]


def names_of_media(parts: Parts) -> Names:
    """Return what the key of a file may stand for: its whole IRI, or its M-id on Commons."""
    return lambda key: (key, parts.settings.commons_entity + key)


def find_media(parts: Parts, iri: str) -> MediaFile:
    """Return the file with this IRI, or with this M-id on Commons; raises ``Gone``, ``Problem`` 404."""
    for name in names_of_media(parts)(iri):
        if media := parts.store.get(MediaFile, name):
            if tombstone := withdrawal(media):
                raise Gone(tombstone)
            return media
    raise not_found("file", iri)


def picture(parts: Parts, media: MediaFile | None, width_px: int) -> str:
    """Return the address of a small copy of the image, ``""`` where there is no local copy."""
    if media is None or media.gone or parts.image(media) is None:
        return ""
    return f"{iris.media_uri('', media.iri)}/image?width={width_px}"


def with_pictures(parts: Parts, records: Iterable[Any]) -> list[tuple[Any, MediaFile | None, str]]:
    """Return each record with its file and the address of a small picture of it."""
    shown = list(records)
    found = {one.iri: one for one in parts.store.among(MediaFile, "iri", {record.file for record in shown})}
    return [(one, found.get(one.file), picture(parts, found.get(one.file), 250)) for one in shown]
