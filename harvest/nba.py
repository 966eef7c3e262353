"""Tags from documents of the Netherlands Biodiversity API. In: specimens, multimedia and taxa. Out: files and tags.

An image is a multimedia document, or an address that a specimen names and no such document describes. It shows what its
specimen is determined as, with who determined it and when; without the specimen, what the multimedia document itself
says, or the taxon it belongs to. Where one determination is the preferred one, the others are superseded.

https://docs.biodiversitydata.nl/
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harvest.lists import (
    BAD_RECORD,
    BAD_VALUE,
    NO_IMAGE,
    NO_NAME,
    NOT_AN_IMAGE,
    SUPERSEDED,
    UNCERTAIN,
    Document,
    Said,
    Teller,
    is_address,
    json_documents,
    licence_of,
    moment_of,
    objects,
    text,
)
from harvest.records import Harvested, lost, source_name
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import Failure, MediaFile

Json = Mapping[str, Any]

QUALITY = ("best", "high", "good", "medium")
"""Words for the variants of one image, the best first; others come after them."""
NAME_PARTS = ("genusOrMonomial", "subgenus", "specificEpithet", "infraspecificMarker", "infraspecificEpithet")


@dataclass(slots=True)
class _Reading:
    """One source being read."""

    campaign: str
    teller: Teller
    specimens: dict[str, Document] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # of taxa, by their id
    addresses: set[str] = field(default_factory=set)  # of images that were described
    pictured: set[str] = field(default_factory=set)  # specimens whose determinations were told

    def lost(self, place: str, reason: str, detail: str = "") -> Failure:
        """Return the failure of what stands at a place."""
        return lost(place, reason, detail, campaign=self.campaign)


def harvest_nba(path: str | Path, *, campaign: str, pseudonyms: Pseudonyms) -> Iterator[Harvested]:
    """Yield the files and tags of a file of documents, or of a folder of such files.

    Specimens are in memory, multimedia are not. A document that gives no image is a ``Failure``; specimens without any
    are counted in one. Raises ``UsageError`` where there is no such file.
    """
    place = Path(path)
    reading = _Reading(campaign, Teller("nba", campaign, pseudonyms))
    for document in json_documents(place):
        yield from _known(reading, document)
    for document in json_documents(place):
        if _is_multimedia(document.value):
            yield from _multimedia(reading, document)
    without = 0
    for key, document in reading.specimens.items():
        images = _own_images(document.value)
        for uri, access in images:
            if uri not in reading.addresses:
                yield from _specimen_image(reading, key, document, uri, access)
        without += not images and key not in reading.pictured
    if without:
        yield reading.lost(source_name(str(path)), NO_IMAGE, f"{without} specimens")
    elif not (reading.specimens or reading.addresses):
        yield reading.lost(source_name(str(path)), NO_IMAGE, f"{len(reading.names)} taxa and nothing else")


def _is_multimedia(value: Json) -> bool:
    return any(
        key in value for key in ("serviceAccessPoints", "associatedSpecimenReference", "associatedTaxonReference")
    )


def _known(reading: _Reading, document: Document) -> Iterator[Harvested]:
    """Take note of a specimen or a taxon; yield what is neither these nor multimedia."""
    value = document.value
    if document.trouble:
        yield reading.lost(document.place, BAD_RECORD, document.trouble[:200])
    elif _is_multimedia(value):
        return
    elif "acceptedName" in value:
        name = _name(value.get("acceptedName"))
        if not name:
            yield reading.lost(document.place, NO_NAME, "$.acceptedName.fullScientificName")
        reading.names[_id(value)] = name
    elif "unitID" in value or "identifications" in value:
        # A later document of the same specimen takes the place of an earlier one.
        reading.specimens[_id(value) or document.place] = document
    else:
        yield reading.lost(document.place, BAD_RECORD, "neither a specimen nor multimedia nor a taxon")


def _id(value: Json) -> str:
    """Return a document's id, made as the API makes it where it is left out; else the number of the object."""
    system = value.get("sourceSystem")
    code = text(system.get("code")) if isinstance(system, dict) else ""
    own = text(value.get("sourceSystemId"))
    return text(value.get("id")) or (f"{own}@{code}" if own else text(value.get("unitID")))


def _multimedia(reading: _Reading, document: Document) -> Iterator[Harvested]:
    value = document.value
    access = _best(objects(value.get("serviceAccessPoints")))
    trouble = _unusable(text(value.get("type")), access)
    if trouble:
        yield reading.lost(document.place, trouble[0], f"$.serviceAccessPoints: {trouble[1]}")
        return
    reading.addresses |= {text(one.get("accessUri")) for one in objects(value.get("serviceAccessPoints"))}
    key = text(value.get("associatedSpecimenReference"))
    specimen = reading.specimens.get(key)
    said: list[Said] = []
    for one in _said(reading, key, specimen or document):
        if isinstance(one, Said):
            said.append(one)
        else:
            yield one
    taxon = reading.names.get(text(value.get("associatedTaxonReference")), "")
    if not said and taxon:
        said.append(Said(verbatim=taxon))
    if not said and specimen is None and not objects(value.get("identifications")):
        yield reading.lost(document.place, NO_NAME, "$.identifications: empty")
    media, troubles = _file(value, access, specimen.value if specimen else {})
    for detail in troubles:
        yield reading.lost(document.place, BAD_VALUE, detail)
    yield from reading.teller.tell(media, *said)


def _specimen_image(reading: _Reading, key: str, specimen: Document, uri: str, access: Json) -> Iterator[Harvested]:
    """Yield an image that only its specimen names."""
    trouble = _unusable("", access)
    if trouble:
        yield reading.lost(f"{specimen.place} {uri}", trouble[0], f"$.associatedMultiMediaUris: {trouble[1]}")
        reading.pictured.add(key)
        return
    said: list[Said] = []
    for one in _said(reading, key, specimen):
        if isinstance(one, Said):
            said.append(one)
        else:
            yield one
    media, troubles = _file({}, access, specimen.value)
    for detail in troubles:
        yield reading.lost(specimen.place, BAD_VALUE, detail)
    yield from reading.teller.tell(media, *said)


def _own_images(value: Json) -> list[tuple[str, Json]]:
    """Return the addresses that a specimen names, each once."""
    given = value.get("associatedMultiMediaUris")
    found = [one if isinstance(one, dict) else {"accessUri": one} for one in (given if isinstance(given, list) else ())]
    return list({text(one.get("accessUri")): one for one in found}.items())


def _best(points: list[Json]) -> Json:
    """Return the best variant of an image, an image before anything else."""

    def rank(point: Json) -> tuple[bool, int]:
        variant = text(point.get("variant")).lower()
        place = next((at for at, word in enumerate(QUALITY) if word in variant), len(QUALITY))
        return not text(point.get("format")).startswith("image/"), place

    return min(points, key=rank, default={})


def _unusable(kind: str, access: Json) -> tuple[str, str] | None:
    """Return why there is no image to be fetched, ``None`` if there is one."""
    form, address = text(access.get("format")), text(access.get("accessUri"))
    if kind not in ("", "StillImage", "Image") or (form and not form.startswith("image/")):
        return NOT_AN_IMAGE, f"{kind} {form}".strip()
    return None if is_address(address) else (NO_IMAGE, f"accessUri: {address[:80]!r}")


def _said(reading: _Reading, key: str, document: Document) -> Iterator[Said | Failure]:
    """Yield the determinations of a specimen (or of multimedia without one); failures the first time only."""
    first = document.place not in reading.pictured
    reading.pictured |= {key, document.place}
    given = objects(document.value.get("identifications"))
    settled = any(one.get("preferred") is True for one in given)
    if not given and "unitID" in document.value and not _is_multimedia(document.value) and first:
        yield reading.lost(document.place, NO_NAME, "$.identifications: empty")
    for number, one in enumerate(given):
        where = f"$.identifications[{number}]"
        try:
            yield _determination(one, settled)
        except _UnsaidError as error:
            if first:
                yield reading.lost(document.place, error.reason, f"{where}{error.detail}")
        moment = text(one.get("dateIdentified"))
        if first and not _is_moment(moment):
            yield reading.lost(document.place, BAD_VALUE, f"{where}.dateIdentified: {moment[:80]!r}")


class _UnsaidError(Exception):
    """An identification is no voice for a name; caught where identifications are read."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


def _determination(one: Json, settled: bool) -> Said:
    """Return one identification. Raises ``_UnsaidError`` where it is superseded, in doubt or without a name."""
    name, preferred = _name(one.get("scientificName")), one.get("preferred") is True
    spoken = next((v for v in objects(one.get("vernacularNames")) if text(v.get("name"))), {})
    if settled and not preferred:
        raise _UnsaidError(SUPERSEDED, f": {name}")
    qualifiers = one.get("identificationQualifiers")
    if qualifiers:
        raise _UnsaidError(UNCERTAIN, f".identificationQualifiers: {qualifiers}"[:200])
    if not (name or spoken):
        raise _UnsaidError(NO_NAME, ".scientificName.fullScientificName: empty")
    moment = text(one.get("dateIdentified"))
    people = [text(who.get("fullName")) or text(who.get("agentText")) for who in objects(one.get("identifiers"))]
    return Said(
        verbatim=name or text(spoken.get("name")),
        language="" if name else text(spoken.get("language")),
        agent="; ".join(filter(None, people)),
        moment=moment_of(moment) if _is_moment(moment) else "",
        prominent=preferred,
    )


def _is_moment(value: str) -> bool:
    try:
        moment_of(value)
    except ValueError:
        return False
    return True


def _name(scientific: Any) -> str:
    """Return a scientific name as it was written, or put together where only its parts are given."""
    if not isinstance(scientific, dict):
        return ""
    parts = [text(scientific.get(part)) for part in (*NAME_PARTS, "authorshipVerbatim")]
    return text(scientific.get("fullScientificName")) or (" ".join(filter(None, parts)) if parts[0] else "")


def _file(value: Json, access: Json, specimen: Json) -> tuple[MediaFile, list[str]]:
    """Return the record of an image, and which of its values were not understood."""
    troubles = []
    licence = text(value.get("license")) or text(specimen.get("license"))
    if licence and not licence_of(licence):
        troubles.append(f"$.license: {licence[:80]!r}")
    address, about = text(access.get("accessUri")), {**specimen, **value}
    types = {text(one.get("typeStatus")) for one in objects(about.get("identifications"))} - {""}
    shown = re.sub(r"@\w+$", "", text(value.get("associatedSpecimenReference")))
    media = MediaFile(
        iri=address,
        title=text(value.get("caption")) or text(value.get("title")),
        page=next(filter(is_address, (text(about.get("recordURI")), text(specimen.get("unitGUID")))), ""),
        original=address,
        mime=text(access.get("format")),
        licence=licence_of(licence),
        credit=text(about.get("owner")),
        creator=text(value.get("creator")),
        description="; ".join(filter(None, (text(value.get("description")), ", ".join(sorted(types))))),
        inventory_number=text(specimen.get("unitID")) or shown or text(value.get("unitID")),
        institution=text(about.get("sourceInstitutionID")),
        group=text(value.get("associatedSpecimenReference")) or _id(about),
    )
    return media, troubles
