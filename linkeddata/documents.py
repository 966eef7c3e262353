"""Documents of what is stored. In: the store and a record. Out: its JSON-LD with what the store knows around it.

``linkeddata.jsonld`` is pure and is handed everything; here it is looked up: the file, the taxon, who answered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from linkeddata import jsonld, reviews
from linkeddata.jsonld import Document
from linkeddata.lineages import concept_of
from linkeddata.profiles.facts import Said
from linkeddata.records import Agent, Identification, Label, MediaFile, Review, Taxon
from linkeddata.store import Store

NAMES_LOOKED_AT = 200
"""Names of one taxon that are compared; more have not been seen."""


def identification_document(store: Store, answer: Identification, base_url: str) -> Document:
    """Return the annotation of a stored identification."""
    return said_of(store, answer, base_url).annotation()


def said_of(store: Store, answer: Identification, base_url: str, handle_prefix: str = "") -> Said:
    """Return a stored identification with what the store knows around it."""
    return Said(
        answer,
        media=store.get(MediaFile, answer.file),
        taxon=taxon_of(store, answer.item, answer.gbif_key),
        agent=store.get(Agent, answer.agent) if answer.agent else None,
        base_url=base_url,
        handle_prefix=handle_prefix,
        replaced_by=successors_of(store, [answer.id]).get(answer.id, ""),
    )


def label_document(store: Store, label: Label, base_url: str) -> Document:
    """Return the annotation of a stored label."""
    media = store.get(MediaFile, label.file)
    taxon = taxon_of(store, label.item, label.gbif_key)
    return jsonld.label_document(label, media=media, taxon=taxon, base_url=base_url)


def media_document(store: Store, media: MediaFile, base_url: str) -> Document:
    """Return the description of a stored file, with links to what was said about it (at most a page of each)."""
    base = base_url.rstrip("/")
    about = [jsonld.uri(base, "identifications", one.id) for one in store.page(Identification, file=media.iri)]
    about += [jsonld.uri(base, "labels", one.id) for one in store.page(Label, file=media.iri)]
    return jsonld.media_document(media, about=about, base_url=base_url)


def taxon_of(store: Store, item: str, gbif_key: str = "") -> Taxon | None:
    """Return what is known best of a taxon: of the names that led to it, the one with the longest lineage.

    Without a Q-item it is looked up by its GBIF key.
    """
    return taxon_of_concept(store, concept_of(item, gbif_key))


def taxon_of_concept(store: Store, concept: str) -> Taxon | None:
    """Return what is known best of the taxon with this concept: a Q-item, ``gbif:KEY`` …"""
    names = store.page(Taxon, concept=concept, limit=NAMES_LOOKED_AT) if concept else []
    return max(names, key=_known_of, default=None)


def review_document_of(store: Store, review: Review, base_url: str) -> Document:
    """Return the annotation of a stored review."""
    return review_documents(store, [review], base_url)[0]


def review_documents(store: Store, found: Sequence[Review], base_url: str) -> list[Document]:
    """Return the annotations of many reviews; what is around them is looked up together."""
    names = sorted(store.among(Taxon, "concept", {one.correction for one in found} - {""}), key=_known_of)
    taxa = {one.concept: one for one in names}
    agents = {one.id: one for one in store.among(Agent, "id", {one.agent for one in found})}
    return [
        reviews.review_document(one, taxon=taxa.get(one.correction), agent=agents.get(one.agent), base_url=base_url)
        for one in found
    ]


def _known_of(taxon: Taxon) -> tuple[int, str]:
    """Return what names of one taxon are compared by: the longest lineage tells most."""
    return len(taxon.lineage), taxon.query


def identification_documents(store: Store, answers: Sequence[Identification], base_url: str) -> list[Document]:
    """Return the annotations of many identifications; what is around them is looked up together."""
    around, successors = Around.of(store, answers), successors_of(store, [one.id for one in answers])
    return [
        jsonld.document(
            one,
            media=around.media.get(one.file),
            taxon=around.taxa.get(concept_of(one.item, one.gbif_key)),
            agent=around.agents.get(one.agent),
            base_url=base_url,
            replaced_by=successors.get(one.id, ""),
        )
        for one in answers
    ]


def successors_of(store: Store, keys: Sequence[str]) -> dict[str, str]:
    """Return which answer took the place of each of these, by key, where one did: the last in key order."""
    return {one.supersedes: one.id for one in store.among(Identification, "supersedes", keys)}


def latest_of(store: Store, key: str) -> str:
    """Return the answer at which the chain of those that took each other's place ends; itself for one that stands."""
    met = {key}
    while (later := successors_of(store, [key]).get(key, "")) and later not in met:
        met.add(later)
        key = later
    return key


def label_documents(store: Store, labels: Sequence[Label], base_url: str) -> list[Document]:
    """Return the annotations of many labels; what is around them is looked up together."""
    around = Around.of(store, labels)
    return [
        jsonld.label_document(
            one,
            media=around.media.get(one.file),
            taxon=around.taxa.get(concept_of(one.item, one.gbif_key)),
            base_url=base_url,
        )
        for one in labels
    ]


@dataclass(frozen=True, slots=True)
class Around:
    """What the store knows around some records: files by IRI, taxa by concept, agents by id."""

    media: dict[str, MediaFile]
    taxa: dict[str, Taxon]
    agents: dict[str, Agent]

    @classmethod
    def of(cls, store: Store, records: Sequence[Identification] | Sequence[Label]) -> Self:
        """Look everything up in one question a kind."""
        concepts = {concept_of(one.item, one.gbif_key) for one in records} - {""}
        names = sorted(store.among(Taxon, "concept", concepts), key=_known_of)
        agents = {one.agent for one in records if isinstance(one, Identification) and one.agent}
        return cls(
            {one.iri: one for one in store.among(MediaFile, "iri", {one.file for one in records})},
            {one.concept: one for one in names},
            {one.id: one for one in store.among(Agent, "id", agents)},
        )
