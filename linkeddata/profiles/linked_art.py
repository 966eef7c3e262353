"""The profile ``linked-art``: what the image shows, in Linked Art. Source: https://linked.art/api/1.0/endpoint/visual_work/."""

from linkeddata.nodes import Document
from linkeddata.profiles.facts import Profile, Said, filled, image_iri, image_node, region_iri


def document(said: Said) -> Document:
    """Return the content of the image as a VisualItem.

    It ``represents`` a taxon (as a Type) when a person verified that; whoever said what is an AttributeAssignment, and
    the only thing there is for what is unverified or rejected. An unknown answer assigns nothing.
    """
    annotation = said.annotation()
    verified = said.identification.status == "verified"
    taxon = _type(annotation)
    return filled(
        {
            "@context": f"{said.base}/contexts/linked-art.jsonld",
            "id": f"{annotation['id']}#visual",
            "type": "VisualItem",
            "_label": "Visual content of " + (image_node(annotation).get("title") or image_iri(annotation)),
            "digitally_shown_by": [
                filled(
                    {
                        "id": region_iri(said, annotation),
                        "type": "DigitalObject",
                        "_label": image_node(annotation).get("title", "") or image_iri(annotation),
                    }
                )
            ],
            "represents": [taxon] if taxon and verified else [],
            "attributed_by": [_assignment(said, annotation, taxon)],
            "subject_of": [
                {
                    "id": annotation["reviewPage"],
                    "type": "LinguisticObject",
                    "_label": "Page where this can be reviewed",
                }
            ],
        }
    )


def _type(annotation: Document) -> Document:
    body = annotation.get("body", {})
    return {"id": body["id"], "type": "Type", "_label": body["label"]} if body else {}


def _assignment(said: Said, annotation: Document, taxon: Document) -> Document:
    iri, creator = annotation["id"], annotation.get("creator", {})
    software = "SoftwareAgent" in creator.get("type", ())
    actor = {"id": creator.get("id", ""), "type": _actor(creator), "_label": creator.get("name", "")}
    tool_name = f"{creator.get('name', '')} {creator.get('version', '')}".strip()
    moment = annotation.get("created", "")
    return filled(
        {
            "id": iri,
            "type": "AttributeAssignment",
            "_label": f"Identification, {said.identification.status}"
            if said.identification.status
            else "Identification",
            "assigned_property": "represents" if taxon else "",
            "assigned": [taxon] if taxon else [],
            "carried_out_by": [filled(actor)] if creator and not software else [],
            "used_specific_object": [filled({**actor, "type": "DigitalObject", "_label": tool_name})]
            if software
            else [],
            "timespan": {
                "id": f"{iri}#time",
                "type": "TimeSpan",
                "begin_of_the_begin": moment,
                "end_of_the_end": moment,
            }
            if moment
            else {},
        }
    )


def _actor(creator: Document) -> str:
    return "Group" if creator.get("type") == "Organization" else "Person"


def carries(said: Said) -> frozenset[str]:
    """Return the facts that this profile says of this identification: of a taxon its best key only."""
    answer = said.identification
    software = said.agent is None or said.agent.kind == "SoftwareAgent"
    names = "file region agent moment status" + (" model version" if said.agent is None else "")
    if answer.label:
        names += " label" + (" item" if answer.item else " gbif_key" if answer.gbif_key else " col_id")
    facts = {"media.title", "agent.name"} | ({"agent.version"} if software else set())
    return frozenset(facts | {f"identification.{name}" for name in names.split()})


PROFILE = Profile("linked-art", "https://linked.art/ns/v1/linked-art.json", "Linked Art VisualItem", document, carries)
