"""Tags and images from IIIF. In: a manifest or collection of the Presentation API 2 or 3. Out: files and tags.

Each canvas with an image is a file, known by the canvas's id. What it shows is said by tagging annotations, with the
region they point at, and by those entries of the metadata that the campaign file names. Collections are followed to
their last manifest, page by page, and nothing is read twice.

https://iiif.io/api/presentation/3.0/, https://iiif.io/api/presentation/2.1/, https://www.w3.org/TR/annotation-model/
"""

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crowd.campaign import IiifSource
from harvest.commons import NO_ITEM
from harvest.iiif_image import image_address
from harvest.lists import (
    BAD_RECORD,
    BAD_VALUE,
    NO_IMAGE,
    NOT_AN_IMAGE,
    Said,
    Teller,
    entries,
    is_address,
    item_in,
    json_documents,
    kind,
    licence_of,
    moment_of,
    objects,
    own_id,
    region_of,
    text,
    unavailable,
)
from harvest.mediainfo import plain_text
from harvest.records import Harvested, lost, source_name
from linkeddata.client import Client
from linkeddata.errors import ServiceError
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import Failure, MediaFile

Json = Mapping[str, Any]
Words = list[tuple[str, str]]
"""Texts with their languages; ``""`` where none is given."""

TAGGING = ("tagging", "identifying", "classifying")
"""Motivations with which an annotation says what something shows."""
_CHILDREN = ("items", "members", "collections", "manifests")


@dataclass(slots=True)
class _Reading:
    """One source being read."""

    client: Client
    source: IiifSource
    campaign: str
    teller: Teller
    local: dict[str, Json] = field(default_factory=dict)  # documents on this machine, by their ids
    seen: set[str] = field(default_factory=set)
    pages: set[str] = field(default_factory=set)  # of collections that are given page by page
    totals: dict[str, int] = field(default_factory=dict)  # how much each of these said to hold before it was read

    def lost(self, subject: str, reason: str, detail: str = "") -> Failure:
        """Return the failure of what has an id or stands at a place."""
        return lost(subject, reason, detail, campaign=self.campaign)

    def fetch(self, iri: str) -> Json:
        """Return the document with an id: one on this machine, else what its server answers."""
        if iri in self.local:
            return self.local[iri]
        answer = self.client.get_json(iri)
        return answer if isinstance(answer, Mapping) else {}

    def words(self, value: Any) -> str:
        """Return a text in the language that the campaign prefers."""
        return "; ".join(word for _, word in preferred(words(value), self.source.language))


def harvest_iiif(client: Client, source: IiifSource, *, campaign: str, pseudonyms: Pseudonyms) -> Iterator[Harvested]:
    """Yield the files and tags of a manifest or of all manifests of a collection.

    ``source.manifest`` is a URL, a file or a folder of files. A manifest that cannot be had is a ``Failure`` and the
    others go on; so is an annotation that says nothing. Raises ``UsageError`` for a file that is not there, and what
    ``Client.get_json`` raises for the first document.
    """
    reading = _Reading(client, source, campaign, Teller("iiif", campaign, pseudonyms))
    waiting: deque[Any] = deque()
    if "://" in source.manifest:
        reading.seen.add(source.manifest)
        waiting.append(reading.fetch(source.manifest))
    else:
        for document in json_documents(Path(source.manifest)):
            if document.trouble:
                yield reading.lost(document.place, BAD_RECORD, document.trouble[:200])
            else:
                reading.local[own_id(document.value) or document.place] = document.value
        waiting.extend(reading.local.values())
        reading.seen |= set(reading.local)
    met = 0
    while waiting:
        entry = waiting.popleft()
        found = _opened(reading, entry)
        if isinstance(found, Failure):
            yield found
        elif kind(found) == "Collection":
            if found.get("first") and isinstance(found.get("total"), int):
                reading.totals[own_id(found)] = found["total"]
            waiting.extendleft(reversed(_members(reading, found)))
        elif kind(found) == "Manifest":
            met += 1
            yield from _manifest(reading, found)
        else:
            yield reading.lost(own_id(found) or source.manifest, BAD_RECORD, "neither a manifest nor a collection")
        if not waiting:
            waiting.extend(_moved_up(reading))
    if not met:
        yield reading.lost(source_name(source.manifest) or source.manifest, NO_IMAGE, "no manifest")


def words(value: Any) -> Words:
    """Return the texts in a value of either version, with their languages, as plain text.

    >>> words({"nl": ["leeuw"], "none": ["P. leo"]}), words([{"@value": "lion", "@language": "en"}, "lion"])
    ([('nl', 'leeuw'), ('', 'P. leo')], [('en', 'lion'), ('', 'lion')])
    """
    found: Words = []
    for entry in entries(value):
        if isinstance(entry, Mapping) and "@value" in entry:
            found.append((text(entry.get("@language")), text(entry["@value"])))
        elif isinstance(entry, Mapping):
            pairs = ((tag, one) for tag, several in entry.items() for one in entries(several))
            found += [("" if tag in ("none", "@none") else tag, text(one)) for tag, one in pairs]
        else:
            found.append(("", text(entry)))
    return [(tag, plain_text(word)) for tag, word in found if word]


def preferred(given: Words, language: str) -> Words:
    """Return those texts that are in a language, else those in none, else those in the first that there is.

    >>> preferred([("nl", "leeuw"), ("en-GB", "lion")], "en"), preferred([("nl", "leeuw")], "en")
    ([('en-GB', 'lion')], [('nl', 'leeuw')])
    """
    tags = [tag for tag, _ in given]
    wanted = next((tag for tag in tags if tag.lower().split("-")[0] == language.lower().split("-")[0]), None)
    if wanted is None:
        wanted = "" if "" in tags else next(iter(tags), "")
    return [(tag, word) for tag, word in given if tag == wanted]


def _opened(reading: _Reading, entry: Any) -> Json | Failure:
    """Return a document: itself, or what a reference to it leads to."""
    if isinstance(entry, Mapping) and any(key in entry for key in (*_CHILDREN, "sequences", "first")):
        return entry
    iri = own_id(entry)
    if not is_address(iri) and iri not in reading.local:
        return reading.lost(iri or reading.source.manifest, BAD_RECORD, "neither a manifest nor a collection")
    try:
        return reading.fetch(iri)
    except ServiceError as error:
        return unavailable(iri, error, reading.campaign)


def _members(reading: _Reading, collection: Json) -> list[Any]:
    """Return what a collection holds and its next page; what was met before is left out."""
    found: list[Any] = []
    for key in _CHILDREN:
        found += [entry for entry in entries(collection.get(key)) if isinstance(entry, Mapping | str)]
    for key in ("first", "next"):
        page = collection.get(key)
        if page and not (key == "first" and found):
            reading.pages.add(own_id(page))
            found.append({**page, "type": "Collection"} if isinstance(page, Mapping) else page)
    new = []
    for entry in found:
        iri = own_id(entry)
        if iri and iri not in reading.seen:
            reading.seen.add(iri)
            new.append(entry)
    return new


def _moved_up(reading: _Reading) -> list[Any]:
    """Return the first pages of collections that hold another number of things now than before they were read.

    What went shifts the rest, and something may have moved into a page that was read already. Each is looked at once.
    """
    again: list[Any] = []
    while reading.totals:
        iri, before = reading.totals.popitem()
        try:
            now = reading.fetch(iri) if is_address(iri) else {}
        except ServiceError:
            continue  # what was read was read
        if now.get("total", before) != before:
            reading.seen -= reading.pages
            again += _members(reading, now)
    return again


def _manifest(reading: _Reading, manifest: Json) -> Iterator[Harvested]:
    """Yield the images of a manifest and what is said of them."""
    canvases = [one for one in objects(manifest.get("items")) if kind(one) == "Canvas"]
    for sequence in objects(manifest.get("sequences")):
        canvases += objects(sequence.get("canvases"))
    for canvas in canvases:
        yield from _canvas(reading, manifest, canvas)
    if not canvases:
        yield reading.lost(own_id(manifest) or reading.source.manifest, NO_IMAGE, "a manifest without canvases")


def _canvas(reading: _Reading, manifest: Json, canvas: Json) -> Iterator[Harvested]:
    iri = own_id(canvas)
    painted = list(_painted(canvas))
    if not iri or not painted:
        yield reading.lost(iri or own_id(manifest), NO_IMAGE, "a canvas without an image")
        return
    body, target = painted[0]
    if kind(body) not in ("Image", "StillImage", ""):
        yield reading.lost(iri, NOT_AN_IMAGE, kind(body))
        return
    if len(painted) > 1:
        yield reading.lost(iri, BAD_VALUE, f"{len(painted)} images on one canvas, the first is taken")
    try:
        address = image_address(body, reading.source.width_px, reading.fetch)
    except ServiceError as error:
        yield unavailable(iri, error, reading.campaign)
        return
    if not is_address(address.url):
        yield reading.lost(iri, NO_IMAGE, f"image {address.url[:80]!r}")
        return
    licence = text(next(iter(entries(canvas.get("rights") or manifest.get("rights") or manifest.get("license"))), ""))
    if licence and not licence_of(licence):
        yield reading.lost(iri, BAD_VALUE, f"rights: {licence[:80]!r}")
    media = MediaFile(
        iri=iri,
        title=": ".join(filter(None, (reading.words(manifest.get("label")), reading.words(canvas.get("label"))))),
        page=_page(manifest),
        original=address.url,
        mime=address.mime,
        width_px=address.width_px,
        height_px=address.height_px,
        licence=licence_of(licence),
        credit=_credit(reading, manifest),
        creator=_told(reading, manifest, canvas, reading.source.creator),
        created=_told(reading, manifest, canvas, reading.source.created),
        description=reading.words(manifest.get("summary") or manifest.get("description")),
        inventory_number=_told(reading, manifest, canvas, reading.source.inventory_number),
        institution=reading.words(next((one.get("label") for one in objects(manifest.get("provider"))), "")),
        group=own_id(manifest),
    )
    said: list[Said] = []
    # A region is a part of the canvas, and of the image only where that fills the canvas.
    fills = "#" not in own_id(target) and not (isinstance(target, Mapping) and target.get("selector"))
    for one in (*_named(reading, manifest, canvas), *_annotated(reading, canvas, fills)):
        if isinstance(one, Said):
            said.append(one)
        else:
            yield one
    yield from reading.teller.tell(media, *said)


def _painted(canvas: Json) -> Iterator[tuple[Json, Any]]:
    """Yield the bodies that are painted onto a canvas, with their targets; of a choice the first."""
    annotations = [one for page in objects(canvas.get("items")) for one in objects(page.get("items"))]
    annotations += objects(canvas.get("images"))
    for one in annotations:
        if motivations(one) and "painting" not in motivations(one):
            continue
        body = next(iter(objects(one.get("body") or one.get("resource"))), {})
        if kind(body) == "Choice":
            body = next(iter(objects(body.get("default")) + objects(body.get("items") or body.get("item"))), {})
        if kind(body) == "SpecificResource":
            inner = body.get("source") or body.get("full")
            body = inner if isinstance(inner, Mapping) else {"id": own_id(inner), "type": "Image"}
        if body:
            yield body, one.get("target") or one.get("on")


def motivations(annotation: Json) -> list[str]:
    """Return why an annotation was made, without prefixes.

    >>> motivations({"motivation": "oa:tagging"}), motivations({"motivation": ["sc:painting"]})
    (['tagging'], ['painting'])
    """
    return [text(one).rpartition(":")[2].rpartition("#")[2] for one in entries(annotation.get("motivation"))]


def _page(manifest: Json) -> str:
    """Return the page for people: the homepage, else in version 2 what is related."""
    found = [own_id(one) for one in entries(manifest.get("homepage")) + entries(manifest.get("related"))]
    return next(filter(is_address, found), "")


def _credit(reading: _Reading, manifest: Json) -> str:
    required = manifest.get("requiredStatement")
    return reading.words(required.get("value") if isinstance(required, Mapping) else manifest.get("attribution"))


def _entries_of(reading: _Reading, manifest: Json, canvas: Json, label: str) -> list[Any]:
    """Return the values of the metadata with a label, the canvas's own first."""
    if not label:
        return []
    for owner in (canvas, manifest):
        found = [
            one.get("value")
            for one in objects(owner.get("metadata"))
            if label.lower() in (word.lower().rstrip(":") for _, word in words(one.get("label")))
        ]
        if found:
            return found
    return []


def _told(reading: _Reading, manifest: Json, canvas: Json, label: str) -> str:
    return "; ".join(filter(None, map(reading.words, _entries_of(reading, manifest, canvas, label))))


def _named(reading: _Reading, manifest: Json, canvas: Json) -> Iterator[Said | Failure]:
    """Yield what the metadata says that an image shows."""
    for value in _entries_of(reading, manifest, canvas, reading.source.item):
        for raw in _raw(value):
            linked = re.search(r"""href=["'][^"']*/(Q[1-9]\d*)["']""", raw)
            item = linked[1] if linked else item_in(plain_text(raw))
            if item:
                yield Said(item=item)
            else:
                yield reading.lost(own_id(canvas), NO_ITEM, f"metadata {reading.source.item}: {raw[:80]!r}")
    for value in _entries_of(reading, manifest, canvas, reading.source.name):
        for tag, word in preferred(words(value), reading.source.language):
            yield Said(verbatim=word, language=tag)


def _raw(value: Any) -> list[str]:
    """Return the texts in a value as they are, with their markup, each once."""
    found: list[str] = []
    for entry in entries(value):
        if isinstance(entry, Mapping) and "@value" not in entry:
            found += [text(one) for several in entry.values() for one in entries(several)]
        else:
            found.append(text(entry.get("@value") if isinstance(entry, Mapping) else entry))
    return list(dict.fromkeys(filter(None, found)))


def _annotated(reading: _Reading, canvas: Json, fills: bool) -> Iterator[Said | Failure]:
    """Yield what annotations say of a canvas, those that lie elsewhere too."""
    waiting = deque([*entries(canvas.get("annotations")), *entries(canvas.get("otherContent"))])
    met: set[str] = set()
    while waiting:
        page = waiting.popleft()
        if not (isinstance(page, Mapping) and ("items" in page or "resources" in page)):
            iri = own_id(page)
            if not is_address(iri) or iri in met:
                continue
            met.add(iri)
            try:
                page = reading.fetch(iri)
            except ServiceError as error:
                yield unavailable(iri, error, reading.campaign)
                continue
        following = own_id(page.get("next"))
        if following:
            waiting.append(following)
        for annotation in objects(page.get("items")) + objects(page.get("resources")):
            yield from _annotation(reading, canvas, annotation, fills)


def _annotation(reading: _Reading, canvas: Json, annotation: Json, fills: bool) -> Iterator[Said | Failure]:
    """Yield the tags in one annotation; one that is no tagging of this canvas gives none."""
    target = annotation.get("target") or annotation.get("on")
    place = next((own_id(_whole_of(one)) for one in entries(target)), "")
    if place.partition("#")[0] != own_id(canvas):
        return
    subject = own_id(annotation) or place
    bodies = entries(annotation.get("body")) or entries(annotation.get("resource"))
    tagging = [body for body in bodies if _is_tagging(body, annotation)]
    if not tagging:
        return
    region = ""
    try:
        region = _region(target, canvas)
    except ValueError as error:
        yield reading.lost(subject, BAD_VALUE, f"target: {error}")
    if region and not fills:
        yield reading.lost(subject, BAD_VALUE, "target: a region of a canvas that its image does not fill")
        region = ""
    moment = text(annotation.get("created")) or text(annotation.get("modified"))
    try:
        moment = moment_of(moment)
    except ValueError:
        yield reading.lost(subject, BAD_VALUE, f"created: {moment[:80]!r}")
        moment = ""
    agent = _agent(annotation)
    for number, body in enumerate(tagging):
        item, verbatim, language = _meant(body)
        if item or verbatim:
            key = f"{subject}#{number}" if own_id(annotation) else ""
            yield Said(
                item=item, verbatim=verbatim, language=language, agent=agent, moment=moment, region=region, key=key
            )
        else:
            yield reading.lost(subject, NO_ITEM, f"body: {own_id(body)[:200]!r}")


def _is_tagging(body: Any, annotation: Json) -> bool:
    """Say whether a body tells what is shown: by its own purpose, else by why the annotation was made."""
    purposes = [text(one) for one in entries(body.get("purpose"))] if isinstance(body, Mapping) else []
    return any(one in TAGGING for one in purposes or motivations(annotation)) or kind(body) == "Tag"


def _whole_of(target: Any) -> Any:
    """Return what a target is a part of, or itself."""
    if isinstance(target, Mapping) and (target.get("source") or target.get("full")):
        return target.get("source") or target.get("full")
    return target


def _region(target: Any, canvas: Json) -> str:
    """Return the part of the canvas that is meant. Raises ``ValueError`` for a shape that is no rectangle."""
    first = next(iter(entries(target)), "")
    fragment = own_id(_whole_of(first)).partition("#")[2]
    if isinstance(first, Mapping):
        given = objects(first.get("selector"))
        given += [inner for one in given for key in ("default", "item", "items") for inner in objects(one.get(key))]
        values = [text(one.get("value")) for one in given if kind(one) == "FragmentSelector"]
        if given and not values:
            raise ValueError(f"no rectangle but a {kind(given[0])}")
        fragment = next(iter(values), fragment)
    fragment = next((part for part in fragment.split("&") if part.startswith("xywh=")), "")
    return region_of(fragment, _side(canvas, "width"), _side(canvas, "height"))


def _side(canvas: Json, key: str) -> float:
    value = canvas.get(key)
    return float(value) if isinstance(value, int | float) else 0.0


def _agent(annotation: Json) -> str:
    """Return who made an annotation, by name or id."""
    who = next(iter(entries(annotation.get("creator") or annotation.get("annotatedBy"))), "")
    if isinstance(who, Mapping):
        return text(who.get("name")) or text(who.get("nickname")) or own_id(who)
    return text(who)


def _meant(body: Any) -> tuple[str, str, str]:
    """Return the item, or the name and its language, that a body stands for."""
    whole = _whole_of(body)
    iri = own_id(whole)
    item = item_in(iri) if "wikidata.org/" in iri else ""
    species = re.fullmatch(r"https?://(?:www\.)?gbif\.org/species/(\d+)", iri)
    if species:
        return "", f"gbif:{species[1]}", ""
    if item or not isinstance(body, Mapping):
        return item, "", ""
    spoken = text(body.get("value")) or text(body.get("chars"))
    language = text(next(iter(entries(body.get("language"))), ""))
    if not spoken and isinstance(whole, Mapping):
        language, spoken = next(iter(words(whole.get("label"))), ("", ""))
    found = item_in(spoken)
    return (found, "", "") if found else ("", plain_text(spoken), language)
