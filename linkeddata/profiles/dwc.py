"""The profile ``dwc``: one flat ``dwc:Identification``. Source of the terms: https://dwc.tdwg.org/list/."""

from linkeddata.nodes import Document
from linkeddata.profiles.facts import Profile, Said, filled, image_node, region_iri

TAXON_TERMS = [
    "scientificName",
    "scientificNameAuthorship",
    "scientificNameID",
    "taxonRank",
    "taxonID",
    "higherClassification",
    "kingdom",
    "phylum",
    "class",
    "order",
    "family",
    "genus",
]
IDENTIFICATION_TERMS = [
    "identifiedBy",
    "identifiedByID",
    "dateIdentified",
    "identificationVerificationStatus",
    "identificationRemarks",
]
TERMS = frozenset(
    [
        *TAXON_TERMS,
        *IDENTIFICATION_TERMS,
        "identificationID",
        "verbatimIdentification",
        "vernacularName",
        "associatedMedia",
        "references",
        "catalogNumber",
        "institutionID",
        "institutionCode",
    ]
)
"""Every key this profile uses; all are terms of Darwin Core, ``references`` being Dublin Core's, which it borrows."""


def document(said: Said) -> Document:
    """Return the identification in Darwin Core's own terms; an unknown one has no taxon, only remarks.

    ``associatedMedia`` is the image, with the region as its media fragment. No qualifier is said: nobody gave one.
    """
    annotation = said.annotation()
    body, image = annotation.get("body", {}), image_node(annotation)
    is_taxon = "scientificName" in body
    return filled(
        {
            "@context": f"{said.base}/contexts/dwc.jsonld",
            "id": annotation["id"],
            "type": "Identification",
            "identificationID": annotation["id"],
            **{term: annotation.get(term, "") for term in IDENTIFICATION_TERMS},
            "verbatimIdentification": body.get("label", ""),
            **{term: body.get(term, "") for term in TAXON_TERMS if is_taxon},
            "vernacularName": body.get("vernacularName", ""),
            "associatedMedia": region_iri(said, annotation),
            "references": annotation["reviewPage"],
            **{term: image.get(term, "") for term in ("catalogNumber", "institutionID", "institutionCode")},
        }
    )


def carries(said: Said) -> frozenset[str]:
    """Return the facts that Darwin Core says; of several keys of a taxon only the checklist's (``taxonID``)."""
    answer = said.identification
    names = "file label agent moment status region"
    if said.agent is None or said.agent.kind == "SoftwareAgent":
        names += " model version" if said.agent is None else ""
    if answer.label:
        names += " rank" + (" gbif_key" if answer.gbif_key else " col_id" if answer.col_id else " item")
    facts = {f"identification.{name}" for name in names.split()}
    facts |= {"agent.name", "media.inventory_number", "media.institution", "media.simulated"}
    facts |= {"agent.version"} if said.agent is not None and said.agent.kind == "SoftwareAgent" else set()
    if answer.label:
        facts |= {"taxon.authorship", "taxon.aphia_id", "taxon.lineage", "taxon.vernaculars"}
    return frozenset(facts)


PROFILE = Profile("dwc", "http://rs.tdwg.org/dwc/terms/", "Darwin Core Identification", document, carries)
