"""A dataset and its distributions as JSON-LD, in the words of schema.org, DCAT 3 and VoID at once.

In: ``Described`` and ``Distribution``, values. Out: documents. All functions are pure; what is empty is left out.
Sources: https://www.w3.org/TR/vocab-dcat-3/, https://www.w3.org/TR/void/, and the requirements that the Dutch heritage
network makes of dataset descriptions (https://docs.nde.nl/requirements-datasets/).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from linkeddata import iris, nodes
from linkeddata.catalogue.holdings import Publisher
from linkeddata.ids import content_id
from linkeddata.nodes import Document

CONTEXT = "catalogue"
"""Name of the context of all these documents, among ``linkeddata.profiles.CONTEXTS``."""
IANA = "https://www.iana.org/assignments/media-types/"
GZIP, ZIP = "application/gzip", "application/zip"
SHA256 = "http://spdx.org/rdf/terms#checksumAlgorithm_sha256"
IRREGULAR = "http://publications.europa.eu/resource/authority/frequency/IRREG"

Words = Mapping[str, str]
"""A text by language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """One way to get a dataset: a file, a list, a feed or a service."""

    key: str
    """Names it within the dataset."""
    address: str
    name: Words
    media_type: str = ""
    """Of the content itself; how it is packed is said apart."""
    packed: str = ""
    """``GZIP`` for one compressed file, ``ZIP`` for a package of several."""
    conforms_to: tuple[str, ...] = ()
    format: str = ""
    """IRI of the kind of answers, where they have many media types."""
    service: str = ""
    """IRI of the service that answers; empty: the address is a file to download."""
    listed: bool = False
    """Whether the address is a page that leads on rather than all of it."""
    bytes: int = 0
    sha256: str = ""
    modified: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A dataset, ready to be described."""

    iri: str
    name: Words
    description: Words
    publisher: Publisher
    about: tuple[str, ...] = ()
    created: str = ""
    modified: str = ""
    version: str = ""
    distributions: tuple[Distribution, ...] = ()
    series: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further keys of the context, for what only some datasets have."""


def dataset_node(one: Described, base: str) -> Document:
    """Return the description of a dataset, without its context."""
    who = agent_iri(one.publisher, base)
    ways = [distribution_node(way, one, base) for way in one.distributions]
    named = [way["id"] for way in ways]
    about = [iri for iri in map(iris.iri_of, one.about) if iri.startswith("http")]
    return _known(
        {
            "id": one.iri,
            "type": ["Dataset", "dcat:Dataset", *(["dcat:DatasetSeries"] if one.series else []), "void:Dataset"],
            "name": one.name,
            "description": one.description,
            "dcterms:title": one.name,
            "dcterms:description": one.description,
            "publisher": agent_node(one.publisher, base),
            "creator": who,
            "dcterms:publisher": who,
            "dcterms:creator": who,
            "dcat:contactPoint": contact_iri(one.publisher, base),
            "license": iris.iri_of(one.publisher.licence),
            "dcterms:license": iris.iri_of(one.publisher.licence),
            "about": about,
            "dcat:theme": about,
            "dateCreated": nodes.date_time(one.created),
            "dcterms:created": nodes.date_time(one.created),
            "dateModified": nodes.date_time(one.modified),
            "dcterms:modified": nodes.date_time(one.modified),
            "version": one.version,
            "dcat:version": one.version,
            "mainEntityOfPage": f"{one.iri}.html",
            "dcat:landingPage": f"{one.iri}.html",
            "includedInDataCatalog": f"{base}/catalogue",
            "distribution": ways,
            "dcat:distribution": named,
            **one.more,
        }
    )


def distribution_node(way: Distribution, of: Described, base: str) -> Document:
    """Return the description of one distribution of a dataset."""
    iri = f"{of.iri}#{way.key}"
    licence = iris.iri_of(of.publisher.licence)
    suffix = {GZIP: "+gzip", ZIP: "+zip"}.get(way.packed, "")
    packing = {GZIP: "dcat:compressFormat", ZIP: "dcat:packageFormat"}.get(way.packed, "")
    checksum = {
        "id": f"{iri}-checksum",
        "type": "spdx:Checksum",
        "spdx:algorithm": SHA256,
        "spdx:checksumValue": way.sha256,
    }
    return _known(
        {
            "id": iri,
            "type": ["DataDownload", "dcat:Distribution"],
            "name": way.name,
            "description": way.name,  # a line says all there is
            "dcterms:title": way.name,
            "contentUrl": way.address,
            "dcat:accessURL": way.address,
            "dcat:downloadURL": "" if way.service or way.listed else way.address,
            "dcat:accessService": way.service,
            "encodingFormat": way.media_type + suffix if way.media_type else "",
            "dcat:mediaType": f"{IANA}{way.media_type}" if way.media_type else "",
            **({packing: f"{IANA}{way.packed}"} if packing else {}),
            "dcterms:format": way.format,
            "usageInfo": list(way.conforms_to),
            "dcterms:conformsTo": list(way.conforms_to),
            "license": licence,
            "dcterms:license": licence,
            "contentSize": f"{way.bytes} B" if way.bytes else "",
            "dcat:byteSize": way.bytes or "",
            "sha256": way.sha256,
            "spdx:checksum": checksum if way.sha256 else "",
            "dateModified": nodes.date_time(way.modified),
            "dcterms:modified": nodes.date_time(way.modified),
        }
    )


def agent_iri(publisher: Publisher, base: str) -> str:
    """Return the IRI of who publishes: its own, else one of ours; ``""`` for nobody."""
    return (iris.iri_of(publisher.iri) or f"{base}/#publisher-{_digest(publisher)}") if publisher.name else ""


def contact_iri(publisher: Publisher, base: str) -> str:
    """Return the IRI of the contact of who publishes."""
    return f"{base}/#contact-{_digest(publisher)}" if publisher.name and publisher.mail else ""


def agent_node(publisher: Publisher, base: str) -> Document:
    """Return who publishes, with a contact; nothing for nobody."""
    if not publisher.name:
        return {}
    kind = publisher.kind if publisher.kind in ("Organization", "Person") else "Organization"
    name = {publisher.language: publisher.name}
    contact = {
        "id": contact_iri(publisher, base),
        "type": ["ContactPoint", "vcard:Kind"],
        "name": name,
        "email": publisher.mail,
        "vcard:fn": publisher.name,
        "vcard:hasEmail": iris.iri_of(f"mailto:{publisher.mail}"),
    }
    return _known(
        {
            "id": agent_iri(publisher, base),
            "type": [kind, f"foaf:{kind}"],
            "name": name,
            "foaf:name": name,
            "contactPoint": contact if publisher.mail else "",
        }
    )


def _digest(publisher: Publisher) -> str:
    return content_id(publisher.name, publisher.iri, publisher.mail)[:8]


def _known(node: Mapping[str, Any]) -> Document:
    return {key: value for key, value in node.items() if value not in ("", [], {}, ())}
