"""What an installation knows of one identification, as single facts. In: the records. Out: named facts, and losses.

A fact is named ``RECORD.FIELD``. A profile declares which facts it carries; what is held and not carried is its loss.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from linkeddata import iris, jsonld
from linkeddata.nodes import Document
from linkeddata.records import Agent, Identification, MediaFile, Taxon


class UnsayableError(ValueError):
    """A profile demands something that is not known, or has no word for what is said."""


class Sayable(Protocol):
    """Something that profiles may say: a loss report needs no more of it."""

    @property
    def base(self) -> str:
        """The base of our URIs."""
        ...

    def address(self) -> str:
        """Return the URI of its document."""
        ...

    def held(self) -> dict[str, Any]:
        """Return the facts that are known, by name."""
        ...

    def carried_by(self, profile: "Profile") -> frozenset[str]:
        """Return the names of the facts that a profile carries of this."""
        ...


@dataclass(frozen=True, slots=True)
class Said:
    """An identification with what is known around it; ``base_url`` is this installation's."""

    identification: Identification
    media: MediaFile | None = None
    taxon: Taxon | None = None
    agent: Agent | None = None
    base_url: str = ""
    handle_prefix: str = ""
    thumbnail: str = ""  # URL of a small copy of the image
    replaced_by: str = ""  # id of the answer that took its place
    recorded: str = ""  # when the log last told of it, where nobody says when it was said

    @property
    def base(self) -> str:
        """The base of our URIs, without a slash at its end."""
        return self.base_url.rstrip("/")

    def annotation(self) -> Document:
        """Return the Web Annotation, from whose checked texts and IRIs the other profiles are made."""
        return jsonld.document(
            self.identification,
            media=self.media,
            taxon=self.taxon,
            agent=self.agent,
            base_url=self.base_url,
            replaced_by=self.replaced_by,
        )

    def address(self) -> str:
        """Return the URI of its document."""
        return iris.uri(self.base, "identifications", self.identification.id)

    def held(self) -> dict[str, Any]:
        """Return the facts that are known, by name."""
        records = {
            "identification": self.identification,
            "media": self.media,
            "taxon": self.taxon,
            "agent": self.agent,
        }
        known = {"identification.replaced_by": self.replaced_by} if self.replaced_by else {}
        for fact in FACTS:
            record, field = fact.split(".")
            value = getattr(records[record], field, "") if records[record] is not None else ""
            if value not in ("", (), 0, False):
                known[fact] = value
        return known

    def carried_by(self, profile: "Profile") -> frozenset[str]:
        """Return the names of the facts that a profile carries of this."""
        return profile.carries(self)


Carries = Callable[[Said], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Profile:
    """One form of saying what an identification says: its name, URI, how it is made, and which facts it carries."""

    name: str
    uri: str
    title: str
    document: Callable[[Said], Document]
    carries: Carries
    pictured: bool = False  # whether it shows a small copy of the image


FACTS = (
    *(
        f"identification.{name}"
        for name in [
            "file",
            "sha1",
            "model",
            "version",
            "weights",
            "label",
            "rank",
            "item",
            "gbif_key",
            "col_id",
            "certainty",
            "novelty",
            "rule",
            "word",
            "alternatives",
            "region",
            "agent",
            "moment",
            "status",
            "supersedes",
            "replaced_by",
            "campaign",
        ]
    ),
    *(
        f"media.{name}"
        for name in [
            "title",
            "page",
            "original",
            "sha1",
            "mime",
            "width_px",
            "height_px",
            "size_bytes",
            "licence",
            "credit",
            "creator",
            "created",
            "description",
            "inventory_number",
            "institution",
            "gone",
            "simulated",
        ]
    ),
    *(f"taxon.{name}" for name in ("authorship", "aphia_id", "lineage", "vernaculars")),
    *(f"agent.{name}" for name in ("name", "version", "homepage")),
)
"""Everything that may be known and is about the world; how names matched and files are grouped is our bookkeeping."""


def held(said: Sayable) -> dict[str, Any]:
    """Return the facts that are known, by name."""
    return said.held()


def loss(profile: Profile, said: Sayable) -> list[str]:
    """Return the names of the facts that are known and that ``profile`` does not carry, in the order they are held."""
    carried = said.carried_by(profile)
    return [fact for fact in said.held() if fact not in carried]


def image_iri(annotation: Document) -> str:
    """Return the IRI of the image of an annotation, whole."""
    target = annotation["target"]
    iri: str = target["source"]["id"] if "source" in target else target["id"]
    return iri


def image_node(annotation: Document) -> Document:
    """Return the node of the image of an annotation."""
    target: Document = annotation["target"]
    image: Document = target.get("source", target)
    return image


def region_iri(said: Said, annotation: Document) -> str:
    """Return the IRI of the image with the region as its media fragment."""
    iri = image_iri(annotation)
    if not said.identification.region:
        return iri
    if "#" in iri:
        iri = iris.media_uri(said.base, said.identification.file)
    return iris.iri_of(f"{iri}#{said.identification.region}") or iri


def filled(node: Document) -> Document:
    """Return ``node`` without what is not known."""
    return {key: value for key, value in node.items() if value not in ("", (), [], {}, None)}
