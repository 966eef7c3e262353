"""Tags from Linked Art records, such as the Rijksmuseum's. In: objects, from a server or from files. Out: files, tags.

An object (``HumanMadeObject``) shows a ``VisualItem``, which a ``DigitalObject`` shows in turn: each of these is a
file. What the visual item represents is a tag where the term, or what it is equivalent to, is an item of Wikidata.
Whatever is not written out where it is named is looked up: among the files that are given, else at its address.

https://linked.art/model/, https://data.rijksmuseum.nl/docs/
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crowd.campaign import LinkedArtSource
from harvest.commons import NO_ITEM
from harvest.iiif_image import image_address
from harvest.lists import (
    BAD_RECORD,
    BAD_VALUE,
    NO_IMAGE,
    Said,
    Teller,
    entries,
    is_address,
    item_in,
    json_documents,
    kind,
    licence_of,
    objects,
    own_id,
    text,
    unavailable,
)
from harvest.mediainfo import plain_text
from harvest.records import LICENCE_HOSTS, Harvested, lost, source_name
from linkeddata.client import Client
from linkeddata.errors import ServiceError
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import Failure, MediaFile

Json = Mapping[str, Any]

AAT = "http://vocab.getty.edu/aat/"
OBJECT_NUMBER = f"{AAT}300312355"
PREFERRED = f"{AAT}300404670"
CREDIT_LINE = f"{AAT}300026687"
DESCRIPTION = f"{AAT}300435416"
LANGUAGES = {f"{AAT}300388277": "en", f"{AAT}300388256": "nl", f"{AAT}300388306": "fr", f"{AAT}300388344": "de"}

LISTINGS = ("OrderedCollection", "OrderedCollectionPage")
_VISUAL = ("digitally_shown_by", "represents", "represents_instance_of_type")
_TERM = ("equivalent", "notation", "identified_by")
_RIJKSMUSEUM = re.compile(r"https?://(?:id|data)\.rijksmuseum\.nl/(\d+)")


@dataclass(slots=True)
class _Reading:
    """One source being read."""

    client: Client
    source: LinkedArtSource
    campaign: str
    teller: Teller
    local: dict[str, Json] = field(default_factory=dict)  # records on this machine, by their ids
    terms: dict[str, Json] = field(default_factory=dict)  # what terms were looked up, by their ids

    def lost(self, subject: str, reason: str, detail: str = "") -> Failure:
        """Return the failure of what has an id or stands at a place."""
        return lost(subject, reason, detail, campaign=self.campaign)

    def fetch(self, iri: str) -> Json:
        """Return the record with an id: one on this machine, else what its server answers."""
        if iri in self.local:
            return self.local[iri]
        answer = self.client.get_json(address_of(iri))
        return answer if isinstance(answer, Mapping) else {}

    def whole(self, node: Any, keys: Iterable[str]) -> Json:
        """Return a thing with what is wanted of it, which is looked up if it is only named."""
        if isinstance(node, Mapping) and any(key in node for key in keys):
            return node
        iri = own_id(node)
        return self.fetch(iri) if is_address(iri) else {}

    def words(self, nodes: Iterable[Json]) -> str:
        """Return the first of several texts, in the language that the campaign prefers if there is one."""
        told = [(_language(node), text(node.get("content"))) for node in nodes if text(node.get("content"))]
        wanted = next((word for tag, word in told if tag == self.source.language), "")
        return plain_text(wanted or next((word for _, word in told), ""))


@dataclass(slots=True)
class _Lists:
    """The pages of lists that were read, and how many entries each said that its whole list has."""

    again: bool = True  # whether there is another walk for a list that changed while it was read
    pages: list[str] = field(default_factory=list)
    totals: dict[str, set[int]] = field(default_factory=dict)

    def take(self, iri: str, page: Json) -> None:
        """Take note of a page."""
        whole = page.get("partOf")
        told = next((one for one in entries(whole) if isinstance(one, Mapping)), page)
        self.pages.append(iri)
        if isinstance(told.get("totalItems"), int):
            self.totals.setdefault(own_id(told), set()).add(told["totalItems"])

    @property
    def changed(self) -> bool:
        """Whether a list is to be walked again, for it was another in the end than in the beginning."""
        return self.again and any(len(found) > 1 for found in self.totals.values())


def harvest_linked_art(
    client: Client, source: LinkedArtSource, *, campaign: str, pseudonyms: Pseudonyms
) -> Iterator[Harvested]:
    """Yield the files and tags of objects in Linked Art.

    ``source.records`` is the URL of an object or of a list of objects, which is followed page by page (once more where
    it says of itself that it changed meanwhile), a JSON file, or a folder of such files. What cannot be looked up is a
    ``Failure`` and the others go on. Raises ``UsageError`` for a file that is not there, and what ``Client.get_json``
    raises for the first document.
    """
    reading = _Reading(client, source, campaign, Teller("linkedart", campaign, pseudonyms))
    waiting: deque[Json] = deque()
    if "://" in source.records:
        waiting.append(reading.fetch(source.records))
    else:
        for document in json_documents(Path(source.records)):
            value = document.value
            if document.trouble or not (own_id(value) and kind(value)):
                trouble = document.trouble[:200] or "no Linked Art: without id or type"
                yield reading.lost(document.place, BAD_RECORD, trouble)
                continue
            reading.local[own_id(value)] = value
        found = reading.local.values()
        waiting.extend(one for one in found if _is_object(one) or kind(one) in LISTINGS)
    seen = {source.records, *map(own_id, waiting)}
    lists = _Lists(again="://" in source.records)
    met = 0
    while waiting or lists.changed:
        if not waiting:  # what moved up into a page that was read already stands there now
            seen.difference_update(lists.pages)
            lists = _Lists(again=False)
            waiting.append({"id": source.records})
        thing = waiting.popleft()
        iri = own_id(thing)
        try:
            thing = reading.whole(thing, ("type",))
        except ServiceError as error:
            yield unavailable(iri, error, campaign)
            continue
        if kind(thing) in LISTINGS:
            lists.take(iri, thing)
            new = [one for one in _listed(thing) if one not in seen]
            seen.update(new)
            waiting.extend({"id": one} for one in new)
        elif _is_object(thing):
            met += 1
            yield from _object(reading, thing)
        else:
            yield reading.lost(iri or source.records, BAD_RECORD, f"no object but {kind(thing) or 'nothing'}")
    if not met:
        yield reading.lost(source_name(source.records) or source.records, NO_IMAGE, "no objects")


def address_of(iri: str) -> str:
    """Return where a record is: at its id; the Rijksmuseum's at its data service, in Linked Art as JSON-LD.

    >>> address_of("https://id.rijksmuseum.nl/200117708")
    'https://data.rijksmuseum.nl/200117708?_profile=la&_mediatype=application/ld%2Bjson'
    >>> address_of("https://art.example/object/1")
    'https://art.example/object/1'
    """
    museum = _RIJKSMUSEUM.fullmatch(iri)
    if museum is None:
        return iri
    return f"https://data.rijksmuseum.nl/{museum[1]}?_profile=la&_mediatype=application/ld%2Bjson"


def _is_object(value: Any) -> bool:
    return kind(value) == "HumanMadeObject"


def _listed(page: Json) -> list[str]:
    """Return the ids on a page of a list, then the next page's."""
    found = [own_id(one) for one in entries(page.get("orderedItems"))]
    following = own_id(page.get("next")) or ("" if found else own_id(page.get("first")))
    return [iri for iri in (*found, following) if iri]


def _object(reading: _Reading, thing: Json) -> Iterator[Harvested]:
    """Yield the images of an object and what they show."""
    iri = own_id(thing)
    shown = [one for key in ("shows", "shown_by", "representation") for one in entries(thing.get(key))]
    pictures = 0
    for node in shown:
        try:
            visual = reading.whole(node, _VISUAL)
        except ServiceError as error:
            yield unavailable(own_id(node), error, reading.campaign)
            pictures += 1
            continue
        digital = entries(visual.get("digitally_shown_by"))
        said: list[Said] = []
        for one in _represented(reading, iri, visual) if digital else ():
            if isinstance(one, Said):
                said.append(one)
            else:
                yield one
        for number, image in enumerate(digital):
            pictures += 1
            yield from _image(reading, thing, visual, image, number, said)
    if not pictures:
        yield reading.lost(iri, NO_IMAGE, "$.shows" if shown else "$.shows: empty")


def _image(
    reading: _Reading, thing: Json, visual: Json, node: Any, number: int, said: list[Said]
) -> Iterator[Harvested]:
    """Yield one image of an object."""
    iri = own_id(node)
    try:
        digital = reading.whole(node, ("access_point",))
    except ServiceError as error:
        yield unavailable(iri, error, reading.campaign)
        return
    address = next(filter(is_address, map(_address, entries(digital.get("access_point")))), "")
    if not address:
        yield reading.lost(iri or own_id(thing), NO_IMAGE, "$.access_point: no address")
        return
    rights = [right for owner in (digital, visual) for right in objects(owner.get("subject_to"))]
    licence = next(filter(None, map(_licence, rights)), "")
    if rights and not licence:
        names = [text(name.get("content")) for right in rights for name in objects(right.get("identified_by"))]
        yield reading.lost(own_id(thing), BAD_VALUE, f"$.subject_to: {', '.join(names)[:80]!r}")
    media = _file(reading, thing, iri if is_address(iri) else f"{own_id(thing)}#image-{number + 1}", address, licence)
    yield from reading.teller.tell(media, *said)


def _address(point: Any) -> str:
    """Return where an image is; of an image service the whole image."""
    iri = own_id(point)
    conforms = [own_id(one) for one in entries(point.get("conforms_to"))] if isinstance(point, Mapping) else []
    service = next((one for one in conforms if "api/image" in one), "")
    if not service:
        return iri
    return image_address({"service": {"@id": iri, "@context": service}}, 0, _unasked).url


def _unasked(url: str) -> Json:
    return {}  # the whole image is wanted, of which nothing need be known


def _licence(right: Json) -> str:
    """Return the licence in a right: an address that is one, or the name of one."""
    for one in entries(right.get("classified_as")):
        iri = own_id(one)
        if any(host in iri for host in LICENCE_HOSTS):
            return licence_of(iri)
    return next(
        filter(None, (licence_of(text(name.get("content"))) for name in objects(right.get("identified_by")))), ""
    )


def _file(reading: _Reading, thing: Json, iri: str, address: str, licence: str) -> MediaFile:
    produced = thing.get("produced_by")
    made = produced if isinstance(produced, Mapping) else {}
    names = [one for one in objects(thing.get("identified_by")) if kind(one) == "Name"]
    statements = objects(thing.get("referred_to_by"))
    return MediaFile(
        iri=iri,
        title=reading.words([n for n in names if PREFERRED in _classes(n)] + names),
        page=_page(reading, thing),
        original=address,
        licence=licence,
        credit=reading.words(one for one in statements if CREDIT_LINE in _classes(one)),
        creator=_creator(reading, made),
        created=_created(reading, made),
        description=reading.words(one for one in statements if DESCRIPTION in _classes(one)),
        inventory_number=_number(thing),
        institution=_institution(reading, thing),
        group=own_id(thing),
    )


def _classes(node: Json) -> set[str]:
    return {own_id(one) for one in entries(node.get("classified_as"))}


def _language(node: Json) -> str:
    return next((LANGUAGES[iri] for one in entries(node.get("language")) if (iri := own_id(one)) in LANGUAGES), "")


def _number(thing: Json) -> str:
    """Return the number by which the museum knows an object."""
    found = (one for one in objects(thing.get("identified_by")) if OBJECT_NUMBER in _classes(one))
    return next((text(one.get("content")) for one in found), "")


def _page(reading: _Reading, thing: Json) -> str:
    """Return the page for people, in the preferred language if there is one."""
    pages = []
    for about in objects(thing.get("subject_of")):
        for carrier in objects(about.get("digitally_carried_by")):
            if text(carrier.get("format")) in ("text/html", ""):
                found = [own_id(point) for point in entries(carrier.get("access_point"))]
                pages += [(_language(about), one) for one in found if is_address(one)]
    wanted = next((one for tag, one in pages if tag == reading.source.language), "")
    return wanted or next((one for _, one in pages), "")


def _creator(reading: _Reading, made: Json) -> str:
    """Return who made an object: as the museum words it, else the names of those who carried it out."""
    told = reading.words(one for one in objects(made.get("referred_to_by")) if DESCRIPTION in _classes(one))
    if told:
        return told
    parts = [made, *objects(made.get("part"))]
    people = [_label(reading, who) for part in parts for who in objects(part.get("carried_out_by"))]
    return "; ".join(dict.fromkeys(filter(None, people)))


def _created(reading: _Reading, made: Json) -> str:
    span = made.get("timespan")
    if not isinstance(span, Mapping):
        return ""
    return reading.words(objects(span.get("identified_by"))) or text(span.get("begin_of_the_begin"))[:10]


def _institution(reading: _Reading, thing: Json) -> str:
    """Return who keeps or owns an object: an item of Wikidata if that is said, else the name."""
    keys = ("current_permanent_custodian", "current_custodian", "current_owner")
    keepers = [one for key in keys for one in objects(thing.get(key))]
    items = [_item(one) for one in keepers]
    return next(filter(None, (*items, *(_label(reading, one) for one in keepers))), "")


def _label(reading: _Reading, node: Json) -> str:
    """Return what a thing is called, in the preferred language if there is one."""
    notes = {text(one.get("@language")): text(one.get("@value")) for one in objects(node.get("notation"))}
    names = (one for one in objects(node.get("identified_by")) if kind(one) == "Name")
    called = notes.get(reading.source.language) or next(iter(notes.values()), "")
    return called or reading.words(names) or text(node.get("_label"))


def _item(node: Json) -> str:
    """Return the item of Wikidata that a thing is, or is equivalent to, ``""`` for none."""
    iris = [own_id(node), *(own_id(one) for one in entries(node.get("equivalent")))]
    return next((item for iri in iris if "wikidata.org/" in iri and (item := item_in(iri))), "")


def _represented(reading: _Reading, thing: str, visual: Json) -> Iterator[Said | Failure]:
    """Yield what a visual item represents, one thing after the other."""
    for key in ("represents", "represents_instance_of_type"):
        for number, node in enumerate(entries(visual.get(key))):
            try:
                term = _term(reading, node)
            except ServiceError as error:
                yield unavailable(own_id(node), error, reading.campaign)
                continue
            item = _item(term)
            if item:
                yield Said(item=item)
                continue
            known = ", ".join(filter(None, (own_id(one) for one in entries(term.get("equivalent"))))) or own_id(node)
            detail = f"$.{key}[{number}]: {_label(reading, term)} ({known})"
            yield reading.lost(own_id(visual) or thing, NO_ITEM, detail[:300])


def _term(reading: _Reading, node: Any) -> Json:
    """Return a term with what it is equivalent to; one that is only named is looked up once."""
    own = node if isinstance(node, Mapping) else {"id": own_id(node)}
    iri = own_id(own)
    if _item(own) or "equivalent" in own or not is_address(iri):
        return own
    if iri not in reading.terms:
        found = reading.fetch(iri)
        reading.terms[iri] = {**own, **{key: found[key] for key in _TERM if key in found}}
    return reading.terms[iri]
