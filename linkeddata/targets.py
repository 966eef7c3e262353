"""What annotations are about. In: a media file, a region. Out: the picture as a node, or the part of it."""

import re

from linkeddata.iris import entity, iri_of, is_item, media_uri
from linkeddata.nodes import Document, date_time, filled, legible
from linkeddata.records import MediaFile

MEDIA_FRAGMENTS = "http://www.w3.org/TR/media-frags/"
SIMULATED = "Painted and simulated by De Boodt to show how it works: no museum's object and no person's word."
DELETED = "The picture was deleted where it was published; what was said of it stands here."
_SHA1 = re.compile(r"[0-9a-f]{40}")


def media_node(iri: str, media: MediaFile | None, base: str) -> Document:
    """Return a picture as a node, with what is known of it."""
    node: Document = {"id": iri_of(iri) or media_uri(base, iri), "type": "Image"}
    if media is None:
        return node
    institution = {"institutionID" if is_item(media.institution) else "institutionCode": entity(media.institution)}
    return filled(
        {
            **node,
            "title": media.title,
            "description": media.description,
            "format": media.mime,
            "page": iri_of(media.page),
            "contentUrl": iri_of(media.original),
            "contentSize": f"{media.size_bytes} B" if media.size_bytes else "",
            "width": media.width_px or "",
            "height": media.height_px or "",
            "identifier": f"urn:sha1:{media.sha1}" if _SHA1.fullmatch(media.sha1) else "",
            "rights": iri_of(media.licence),
            "creditText": media.credit,
            "artist": media.creator,
            "dateText": media.created,
            "catalogNumber": media.inventory_number,
            **institution,
            "deleted": date_time(media.gone),
            "simulated": media.simulated or "",
            "comment": " ".join([DELETED] * bool(media.gone) + [SIMULATED] * media.simulated),
        }
    )


def region_of(target: Document, region: str, iri: str) -> Document:
    """Return the whole image, or the part of it that a media fragment names (Web Annotation 4.2.1)."""
    if not region:
        return target
    selector = {
        "id": f"{iri}#selector",
        "type": "FragmentSelector",
        "conformsTo": MEDIA_FRAGMENTS,
        "value": legible(region),
    }
    return {"id": f"{iri}#target", "type": "SpecificResource", "source": target, "selector": selector}
