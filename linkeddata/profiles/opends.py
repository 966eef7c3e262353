"""The profile ``opends``: DiSSCo's annotation, version 0.4.0.

Source: https://schemas.dissco.tech/schemas/fdo-type/annotation/0.4.0/annotation.json. An annotation there has a Handle.
Handles are registered, not made up: only an installation that owns a prefix (``handle_prefix``) can say this profile
in full; without, the two identifiers are left out, as in what is sent to DiSSCo for it to mint them.
"""

import re

import orjson

from linkeddata import ids
from linkeddata.nodes import Document
from linkeddata.profiles.facts import Profile, Said, UnsayableError, filled, image_iri
from linkeddata.taxonnodes import RANK_TERMS

ANNOTATION_TYPE = "https://doi.org/21.T11148/cf458ca9ee1d44a5608f"
MEDIA_TYPE = "https://doi.org/21.T11148/bbad8c4e101e8af01115"
ROI = "https://ac.tdwg.org/termlist/#711-region-of-interest-vocabulary"
MERGING = {"unverified": "Pending", "verified": "Approved", "rejected": "Rejected"}
AGENTS = {"Person": "schema:Person", "Organization": "schema:Organization"}
TAXON_TERMS = [
    "taxonID",
    "scientificName",
    "scientificNameID",
    "scientificNameAuthorship",
    "taxonRank",
    "kingdom",
    "phylum",
    "class",
    "order",
    "family",
    "genus",
]
_REGION = re.compile(r"xywh=percent:([0-9.]+),([0-9.]+),([0-9.]+),([0-9.]+)")
_HEX = re.compile(r"[0-9a-f]{12,}")


def document(said: Said) -> Document:
    """Return the annotation that adds a taxon identification to a digital media object, with its merging decision.

    An unknown answer is a comment. Raises ``UnsayableError`` where the moment, or what kind of agent said it, is not
    known, for both are demanded.
    """
    annotation = said.annotation()
    moment = annotation.get("created", "")
    if not moment:
        raise UnsayableError("a DiSSCo annotation demands the moment of the statement, which is not known")
    who = agent_of(annotation)
    own, identified = handle(said.identification.id, said.handle_prefix), "body" in annotation
    return filled(
        {
            "@context": f"{said.base}/contexts/opends.jsonld",
            "@id": own,
            "@type": "ods:Annotation",
            "dcterms:identifier": own,
            "ods:fdoType": ANNOTATION_TYPE,
            "ods:status": "Active",
            "ods:version": 1,
            "oa:motivation": "ods:adding" if identified else "oa:commenting",
            "oa:hasTarget": _target(said, annotation),
            "oa:hasBody": _body(annotation),
            "dcterms:creator": who,
            "dcterms:created": moment,
            "dcterms:modified": moment,
            "dcterms:issued": moment,
            "as:generator": generator_of(annotation),
            "ods:mergingDecisionStatus": MERGING.get(said.identification.status, "") if identified else "",
        }
    )


def handle(key: str, prefix: str) -> str:
    """Return the Handle of an annotation of ours, ``""`` for an installation that owns no prefix.

    >>> handle("3f6c0c1e2d9b4a7f8e5d6c7b", "20.5000.1025")
    'https://hdl.handle.net/20.5000.1025/3f6-c0c-1e2d9b4a7f8e5d6c7b'
    """
    if not prefix:
        return ""
    suffix = key if _HEX.fullmatch(key) else ids.content_id(key)
    return f"https://hdl.handle.net/{prefix}/{suffix[:3]}-{suffix[3:6]}-{suffix[6:]}"


def generator_of(annotation: Document) -> Document:
    """Return the software that wrote the annotation."""
    said = annotation["generator"]
    return {"@id": said["id"], "@type": "schema:SoftwareApplication", "schema:name": said["name"]}


def identification_of(body: Document) -> str:
    """Return what a body names as a taxon identification, which is text there."""
    taxon = {f"dwc:{term}": body[term] for term in TAXON_TERMS if term in body}
    name = {"dwc:scientificName": body["label"]}
    return orjson.dumps({"@type": "ods:TaxonIdentification", **name, **taxon}).decode()


def _target(said: Said, annotation: Document) -> Document:
    iri = image_iri(annotation)
    roi = _roi(said.identification.region)
    selector = {"@type": "oa:FragmentSelector", "ac:hasROI": roi, "dcterms:conformsTo": ROI} if roi else {}
    return filled(
        {
            "@id": iri,
            "@type": "ods:DigitalMedia",
            "dcterms:identifier": iri,
            "ods:fdoType": MEDIA_TYPE,
            "oa:hasSelector": selector,
        }
    )


def _roi(region: str) -> dict[str, float]:
    """Return a region in percent as fractions of width and height; nothing for one of another kind or size."""
    found = _REGION.fullmatch(region)
    try:
        parts = [round(float(part) / 100, 6) for part in found.groups()] if found else []
    except ValueError:
        return {}
    if not parts or max(parts) > 1:
        return {}
    return dict(zip(("ac:xFrac", "ac:yFrac", "ac:widthFrac", "ac:heightFrac"), parts, strict=True))


def _body(annotation: Document) -> Document:
    body = annotation.get("body", {})
    said = annotation.get("identificationRemarks", "")
    if body:
        said = identification_of(body)
    return filled(
        {
            "@type": "oa:TextualBody",
            "oa:value": [said],
            "dcterms:references": annotation["reviewPage"],
            "ods:score": annotation.get("certainty", annotation.get("probability")),
        }
    )


def agent_of(annotation: Document) -> Document:
    """Return who said so: of a label the software that counted it. Raises ``UnsayableError`` where nobody knows."""
    creator = annotation.get("creator", {})
    if annotation["motivation"] == "tagging":
        creator = {**annotation["generator"], "type": ["Software", "SoftwareAgent"]}
    kinds = creator.get("type", "")
    software = "schema:SoftwareApplication" if "SoftwareAgent" in kinds else ""
    kind = software or (AGENTS.get(kinds, "") if isinstance(kinds, str) else "")
    if not kind:
        raise UnsayableError("a DiSSCo annotation demands to know whether a person, a body or software said it")
    name = creator.get("name", "")
    return filled(
        {
            "@id": creator.get("id", ""),
            "@type": kind,
            "schema:identifier": creator.get("id", ""),
            "schema:name": f"{name} {creator.get('version', '')}".strip() if software else name,
            "schema:url": creator.get("homepage", ""),
        }
    )


def carries(said: Said) -> frozenset[str]:
    """Return the facts that this profile says of this identification."""
    answer, software = said.identification, said.agent is None or said.agent.kind == "SoftwareAgent"
    names = "file agent moment" + (" model version" if said.agent is None else "")
    names += " region" if _roi(answer.region) else ""
    facts = {"agent.name"} | ({"agent.version", "agent.homepage"} if software else set())
    if answer.label:
        names += " label rank certainty" + (" status" if answer.status in MERGING else "")
        names += " gbif_key" if answer.gbif_key else " col_id" if answer.col_id else " item"
        facts |= {"taxon.authorship", "taxon.aphia_id"}
        if said.taxon is not None and all(step.rank in RANK_TERMS for step in said.taxon.lineage):
            facts |= {"taxon.lineage"}
    else:
        facts |= {"media.simulated"}
    return frozenset(facts | {f"identification.{name}" for name in names.split()})


PROFILE = Profile(
    "opends",
    "https://schemas.dissco.tech/schemas/fdo-type/annotation/0.4.0/annotation.json",
    "DiSSCo annotation 0.4.0",
    document,
    carries,
)
