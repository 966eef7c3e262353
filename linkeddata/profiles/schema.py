"""The profile ``schema``: SCHEMA-AP-NDE, the Dutch heritage network's use of schema.org.

Source: https://docs.nde.nl/schema-profile/ (shapes of version 1.2.1). Texts must have a language there: scientific
names have ``la``, texts whose language nobody noted have ``und``, and an address in place of a title has ``zxx``.
"""

from collections.abc import Sequence

from linkeddata import iris, nodes
from linkeddata.nodes import Document
from linkeddata.profiles.facts import Profile, Said, UnsayableError, filled, image_node

REJECTED = "rejected"
MANIFEST = "application/ld+json;profile='http://iiif.io/api/presentation/3/context.json'"
WEB = ("http://", "https://")


def document(said: Said) -> Document:
    """Return the file as a CreativeWork that is about a taxon. A rejected or unknown answer is about nothing.

    Raises ``UnsayableError`` where nobody knows when the answer was given or recorded: the profile demands a date.
    """
    annotation = said.annotation()
    return work(
        image_node(annotation),
        file=said.identification.file,
        own=annotation["id"],
        about=[one for one in [_about(said, annotation)] if one],
        subject_of=[annotation["id"], annotation["reviewPage"]],
        published=annotation.get("created", "") or said.recorded,
        base=said.base,
        thumbnail=said.thumbnail,
    )


def work(
    image: Document,
    *,
    file: str,
    own: str,
    about: Sequence[Document],
    subject_of: Sequence[str],
    published: str,
    base: str,
    thumbnail: str,
) -> Document:
    """Return a file as a CreativeWork.

    ``image`` is its node in our annotations, ``file`` its own IRI, ``own`` what the IRIs of its parts begin with. A
    file without a licence or an address of its bytes has no ``associatedMedia``, for that must have them, and a
    thumbnail: the image itself where no smaller copy is known. A IIIF manifest stands beside it where there is one.
    Raises ``UnsayableError`` without ``published``.
    """
    if not nodes.date_time(published):
        raise UnsayableError("SCHEMA-AP-NDE demands the moment of the statement (sdDatePublished), which is not known")
    iri, title = image["id"], image.get("title", "")
    media = [one for one in (media_object(image, own, thumbnail), _manifest(image, file, base)) if one]
    return filled(
        {
            "@context": f"{base}/contexts/schema.jsonld",
            "id": iri,
            "type": "CreativeWork",
            "name": {"und": title} if title else {"zxx": iri},
            "description": {"und": image["description"]} if "description" in image else "",
            "creator": _creator(image, own),
            "identifier": image.get("catalogNumber", ""),
            "about": about[0] if len(about) == 1 else list(about),
            "associatedMedia": media[0] if len(media) == 1 else media,
            "isPartOf": {"id": f"{base}/datasets/published", "type": "Dataset"},
            "url": image.get("page", ""),
            "subjectOf": list(subject_of),
            "sdDatePublished": published.split(".")[0].removesuffix("Z") + "Z",
        }
    )


def _about(said: Said, annotation: Document) -> Document:
    return {} if said.identification.status == REJECTED else term(annotation)


def term(annotation: Document) -> Document:
    """Return what an annotation names as a DefinedTerm; nothing where it names nothing."""
    body = annotation.get("body")
    if not body:
        return {}
    own = f"{annotation['id']}#body"
    name = body.get("scientificName") or body["label"]
    language = "la" if "scientificName" in body else "und"
    vernaculars = body.get("vernacularName", {})
    same = [body["id"]] if body["id"] != own else []
    first = {tag: names[0] for tag, names in vernaculars.items() if tag not in ("@none", language)}
    rest = {
        "und" if tag == "@none" else tag: names[0 if tag not in first else 1 :] for tag, names in vernaculars.items()
    }
    return filled(
        {
            "id": f"{annotation['id']}#term",
            "type": "DefinedTerm",
            "name": {**first, language: name},
            "alternateName": {tag: names for tag, names in rest.items() if names},
            "sameAs": same + body.get("sameAs", []),
        }
    )


def _creator(image: Document, iri: str) -> Document:
    return {"id": f"{iri}#maker", "name": {"und": image["artist"]}} if "artist" in image else {}


def media_object(image: Document, iri: str, thumbnail: str) -> Document:
    """Return the file's bytes as a MediaObject; nothing without a licence or an address."""
    rights, content = image.get("rights", ""), image.get("contentUrl", "")
    if not rights.startswith(WEB) or not content.startswith(WEB):
        return {}
    return filled(
        {
            "id": f"{iri}#file",
            "type": ["MediaObject", "ImageObject"],
            "license": rights,
            "contentUrl": content,
            "thumbnailUrl": thumbnail or content,
            "encodingFormat": image.get("format", ""),
            "contentSize": image.get("contentSize", ""),
            "width": image.get("width", ""),
            "height": image.get("height", ""),
            "copyrightNotice": {"und": image["creditText"]} if "creditText" in image else "",
        }
    )


def _manifest(image: Document, file: str, base: str) -> Document:
    """Return the IIIF manifest, which is there where the picture's size is known."""
    rights = image.get("rights", "")
    if not rights.startswith(WEB) or not ("width" in image and "height" in image):
        return {}
    address = f"{iris.media_uri(base, file)}/manifest.json"
    return {"id": address, "license": rights, "encodingFormat": MANIFEST}


def carries(said: Said) -> frozenset[str]:
    """Return the facts that this profile says of this identification."""
    facts = {"identification.file", "identification.moment"}
    facts |= {f"media.{name}" for name in ("title", "page", "creator", "description", "inventory_number")}
    if said.identification.label and said.identification.status != REJECTED:
        facts |= {f"identification.{name}" for name in ("label", "item", "gbif_key", "col_id")}
        facts |= {"taxon.authorship", "taxon.vernaculars"}
    if said.media is not None and media_object(image_node(said.annotation()), "", said.thumbnail):
        facts |= {
            f"media.{name}" for name in ["licence", "original", "mime", "size_bytes", "width_px", "height_px", "credit"]
        }
    return frozenset(facts)


PROFILE = Profile("schema", "https://docs.nde.nl/schema-profile/", "SCHEMA-AP-NDE", document, carries, pictured=True)
