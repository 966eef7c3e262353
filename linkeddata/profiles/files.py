"""Media files in profiles. In: a file with what stands of it. Out: documents, and what each cannot say.

SCHEMA-AP-NDE and Linked Art describe files. DiSSCo's annotations and Darwin Core's identifications say something *of* a
file: they have no word for one alone. What a file is said to be *about* is what people stand by: labels that were
accepted, identifications that somebody verified. What machines say besides is one link away (``subjectOf``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from linkeddata import iris, jsonld
from linkeddata.nodes import Document
from linkeddata.profiles import linked_art, schema
from linkeddata.profiles.facts import FACTS, Profile, filled
from linkeddata.records import MediaFile

PIXELS = "http://vocab.getty.edu/aat/300266190"
WIDTH, HEIGHT = "http://vocab.getty.edu/aat/300055647", "http://vocab.getty.edu/aat/300055644"
CREDIT = "http://vocab.getty.edu/aat/300026687"


@dataclass(frozen=True, slots=True)
class SaidOfFile:
    """A file with what the store knows around it."""

    media: MediaFile
    about: tuple[str, ...] = ()
    """IRIs of the annotations on it."""
    stands: Callable[[], Sequence[Document]] = tuple
    """Looks up the annotations that people stand by."""
    recorded: str = ""
    """When the log last told of it."""
    base_url: str = ""
    thumbnail: str = ""

    @property
    def base(self) -> str:
        """The base of our URIs, without a slash at its end."""
        return self.base_url.rstrip("/")

    def address(self) -> str:
        """Return the URI of its document, which is not the file's own IRI."""
        return iris.media_uri(self.base, self.media.iri)

    def document(self) -> Document:
        """Return what is said unless another profile is asked for."""
        return jsonld.media_document(self.media, about=self.about, base_url=self.base_url)

    def held(self) -> dict[str, Any]:
        """Return the facts that are known, by name."""
        names = [fact.partition(".")[2] for fact in FACTS if fact.startswith("media.")]
        known = {f"media.{name}": getattr(self.media, name) for name in names}
        known |= {"media.iri": self.media.iri, "media.about": self.about}
        return {fact: value for fact, value in known.items() if value not in ("", (), 0, False)}

    def carried_by(self, profile: Profile) -> frozenset[str]:
        """Return the names of the facts that a profile carries of this."""
        if profile.name == "anno":
            return frozenset(self.held())
        names = _SCHEMA if profile.name == "schema" else _LINKED_ART
        if profile.name == "schema" and schema.media_object(self.document(), "", ""):
            names |= _BYTES
        return frozenset(f"media.{name}" for name in names)


_SCHEMA = frozenset({"iri", "about", "title", "page", "creator", "description", "inventory_number"})
_BYTES = frozenset({"licence", "original", "mime", "size_bytes", "width_px", "height_px", "credit"})
"""What SCHEMA-AP-NDE says of a file whose licence and address are known."""
_LINKED_ART = frozenset(
    {"iri", "about", "title", "page", "original", "mime", "licence", "credit", "description", "width_px", "height_px"}
)


def work(said: SaidOfFile) -> Document:
    """Return the file as a CreativeWork about all that people stand by. Raises ``UnsayableError`` without a date.

    The date is when this last changed: the file, or what people stand by.
    """
    stands = said.stands()
    terms = {term["id"]: term for one in stands if (term := schema.term(one))}
    return schema.work(
        said.document(),
        file=said.media.iri,
        own=said.address(),
        about=list(terms.values()),
        subject_of=[f"{said.address()}.html", *said.document().get("subjectOf", [])],
        published=max([said.recorded, *(one.get("created", "") for one in stands)]),
        base=said.base,
        thumbnail=said.thumbnail,
    )


def digital_object(said: SaidOfFile) -> Document:
    """Return the file as a DigitalObject (https://linked.art/api/1.0/endpoint/digital_object/) with what it shows."""
    image, own = said.document(), said.address()
    label = image.get("title", "") or image["id"]
    taxa = {body["id"]: body["label"] for one in said.stands() if (body := one.get("body"))}
    visual = {
        "id": f"{own}#visual",
        "type": "VisualItem",
        "_label": f"Visual content of {label}",
        "represents": [{"id": iri, "type": "Type", "_label": name} for iri, name in taxa.items()],
    }
    if "rights" in image:
        visual["subject_to"] = [_right(own, image["rights"])]  # works have rights in Linked Art, files have none
    dimensions = [("width", WIDTH), ("height", HEIGHT)]
    return filled(
        {
            "@context": f"{said.base}/contexts/linked-art.jsonld",
            "id": image["id"],
            "type": "DigitalObject",
            "_label": label,
            "identified_by": [_text(f"{own}#name", "Name", image["title"])] if "title" in image else [],
            "referred_to_by": [
                *(
                    [_text(f"{own}#description", "LinguisticObject", image["description"])]
                    if "description" in image
                    else []
                ),
                *([_credit(own, image["creditText"])] if "creditText" in image else []),
            ],
            "format": image.get("format", ""),
            "dimension": [_pixels(own, name, kind, image[name]) for name, kind in dimensions if name in image],
            "access_point": [{"id": image["contentUrl"], "type": "DigitalObject"}] if "contentUrl" in image else [],
            "digitally_shows": [filled(visual)],
            "subject_of": [
                linked_art.web_page(own, name, address, label)
                for name, address, label in [
                    ("source", image.get("page", ""), "Page of the file at its source"),
                    ("page", f"{own}.html", "Page of the file here"),
                    *(
                        (f"annotation-{number}", f"{iri}.html", "Annotation on the file")
                        for number, iri in enumerate(image.get("subjectOf", []), start=1)
                    ),
                ]
                if address
            ],
        }
    )


def _text(iri: str, kind: str, content: str) -> Document:
    return {"id": iri, "type": kind, "content": content}


def _credit(own: str, content: str) -> Document:
    kind = {"id": CREDIT, "type": "Type", "_label": "Credit statement"}
    return {**_text(f"{own}#credit", "LinguisticObject", content), "classified_as": [kind]}


def _pixels(own: str, name: str, kind: str, value: int) -> Document:
    return {
        "id": f"{own}#{name}",
        "type": "Dimension",
        "classified_as": [{"id": kind, "type": "Type", "_label": name.capitalize()}],
        "value": value,
        "unit": {"id": PIXELS, "type": "MeasurementUnit", "_label": "Pixels"},
    }


def _right(own: str, licence: str) -> Document:
    return {
        "id": f"{own}#right",
        "type": "Right",
        "classified_as": [{"id": licence, "type": "Type", "_label": "Licence"}],
    }


FILES: dict[str, Callable[[SaidOfFile], Document]] = {
    "anno": SaidOfFile.document,
    "schema": work,
    "linked-art": digital_object,
}
"""How a file is said, by profile; what is not here cannot say one."""
