"""The profile ``linked-art``: what the image shows, in Linked Art. Sources: https://linked.art/api/1.0/endpoint/visual_work/,

https://linked.art/api/1.0/shared/assignment/ and https://linked.art/api/1.0/shared/digital/.
"""

from linkeddata.contexts import LINKED_ART_CONTEXT
from linkeddata.nodes import Document
from linkeddata.profiles.facts import Profile, Said, filled, image_iri, image_node, region_iri

WEB_PAGE = "http://vocab.getty.edu/aat/300264578"
REVIEWED = "Page where this can be reviewed"


def document(said: Said) -> Document:
    """Return the content of the image as a VisualItem.

    It ``represents`` a taxon (as a Type) when a person verified that; whoever said what is an AttributeAssignment, and
    the only thing there is for what is unverified or rejected. An unknown answer assigns nothing, and is none.
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
            "attributed_by": [_assignment(said, annotation, taxon)] if taxon else [],
            "subject_of": [web_page(annotation["id"], "page", annotation["reviewPage"], REVIEWED)],
        }
    )


def web_page(own: str, name: str, address: str, label: str) -> Document:
    """Return a page about a thing as a text that a digital object carries, which is how Linked Art leads to pages."""
    carrier = {
        "id": f"{own}#{name}-html",
        "type": "DigitalObject",
        "classified_as": [{"id": WEB_PAGE, "type": "Type", "_label": "Web page"}],
        "format": "text/html",
        "access_point": [{"id": address, "type": "DigitalObject"}],
    }
    return {"id": f"{own}#{name}", "type": "LinguisticObject", "_label": label, "digitally_carried_by": [carrier]}


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
            "_complete": False,  # at its address more is said of it
            "_label": f"Identification, {said.identification.status}"
            if said.identification.status
            else "Identification",
            "assigned_property": "represents",
            "assigned": [taxon],
            "carried_out_by": [filled(actor)] if creator and not software else [],
            "referred_to_by": [_software(iri, f"Identified by {tool_name} ({actor['id']})")] if software else [],
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


def _software(iri: str, content: str) -> Document:
    """Return a statement, for only persons and groups carry an assignment out."""
    return {"id": f"{iri}#software", "type": "LinguisticObject", "content": content}


def _actor(creator: Document) -> str:
    return "Group" if creator.get("type") == "Organization" else "Person"


def carries(said: Said) -> frozenset[str]:
    """Return the facts that this profile says of this identification: of a taxon its best key only."""
    answer = said.identification
    software = said.agent is None or said.agent.kind == "SoftwareAgent"
    names = "file region"
    if not answer.label:
        return frozenset({"media.title", *(f"identification.{name}" for name in names.split())})
    names += " agent moment status" + (" model version" if said.agent is None else "")
    names += " label" + (" item" if answer.item else " gbif_key" if answer.gbif_key else " col_id")
    facts = {"media.title", "agent.name"} | ({"agent.version"} if software else set())
    return frozenset(facts | {f"identification.{name}" for name in names.split()})


PROFILE = Profile("linked-art", LINKED_ART_CONTEXT, "Linked Art VisualItem", document, carries)
