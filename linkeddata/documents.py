"""Documents of what is stored. In: the store and a record. Out: its JSON-LD with what the store knows around it.

``linkeddata.jsonld`` is pure and is handed everything; here it is looked up: the file, the taxon, who answered.
"""

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from linkeddata import iris, jsonld, nodes, reviews
from linkeddata.lineages import concept_of
from linkeddata.nodes import Document
from linkeddata.profiles import labels
from linkeddata.profiles.facts import Said
from linkeddata.profiles.files import SaidOfFile
from linkeddata.profiles.labels import SaidOfLabel
from linkeddata.profiles.verdicts import SaidOfReview
from linkeddata.records import Agent, Identification, Label, MediaFile, Record, Review, Taxon
from linkeddata.store import Store
from linkeddata.tables import NAMES
from linkeddata.withdrawals import withdrawal

R = TypeVar("R", Taxon, Agent)
VERIFIED = "verified"
ACCEPTED = frozenset({"accepted", "reviewed"})
"""Statuses of identifications and labels that people stand by (``crowd.verdicts.STANDS``)."""
NOTHING: Any = object()
"""Stands for "looked up, and there is nothing"."""


def identification_document(store: Store, answer: Identification, base_url: str) -> Document:
    """Return the annotation of a stored identification."""
    return said_of(store, answer, base_url).annotation()


def said_of(store: Store, answer: Identification, base_url: str, handle_prefix: str = "") -> Said:
    """Return a stored identification with what the store knows around it."""
    return Said(
        answer,
        media=store.get(MediaFile, answer.file),
        taxon=taxon_of(store, answer.item, answer.gbif_key),
        agent=agents_of(store, {answer.agent}).get(answer.agent),
        base_url=base_url,
        handle_prefix=handle_prefix,
        replaced_by=successors_of(store, [answer.id]).get(answer.id, ""),
        recorded="" if nodes.date_time(answer.moment) else recorded_at(store, Identification, answer.id),
    )


def said_of_label(store: Store, label: Label, base_url: str, handle_prefix: str = "") -> SaidOfLabel:
    """Return a stored label as profiles say it, with what the store knows around it."""
    return labels.said_of_label(
        label,
        media=store.get(MediaFile, label.file),
        taxon=taxon_of(store, label.item, label.gbif_key),
        base_url=base_url,
        handle_prefix=handle_prefix,
        recorded="" if nodes.date_time(label.moment) else recorded_at(store, Label, label.id),
    )


def recorded_at(store: Store, kind: type[Record], key: str) -> str:
    """Return the moment at which the log last tells of a record, ``""`` where it tells nothing."""
    question = "SELECT moment FROM event WHERE subject = ? AND kind IN (?, ?) ORDER BY seq DESC LIMIT 1"
    rows = store.rows(question, (key, f"{NAMES[kind]}.added", f"{NAMES[kind]}.changed"))
    return rows[0][0] if rows else ""


def said_of_file(store: Store, media: MediaFile, base_url: str) -> SaidOfFile:
    """Return a stored file as profiles say it, with what people stand by on it (at most a page of each)."""
    answers, labels = store.page(Identification, file=media.iri), store.page(Label, file=media.iri)

    def stands() -> list[Document]:
        verified = [one for one in answers if one.status == VERIFIED and one.label]
        accepted = [one for one in labels if one.status in ACCEPTED]
        return [
            *identification_documents(store, verified, base_url),
            *label_documents(store, accepted, base_url),
        ]

    return SaidOfFile(
        media,
        about=_about(answers, labels, base_url),
        stands=stands,
        recorded=recorded_at(store, MediaFile, media.iri),
        base_url=base_url,
    )


def said_of_review(store: Store, review: Review, base_url: str, handle_prefix: str = "") -> SaidOfReview:
    """Return a stored review as profiles say it, with what it judged."""
    kind: type[Identification] | type[Label] = Label if review.kind == "label" else Identification
    judged = store.get(kind, review.target)
    return SaidOfReview(
        review=review,
        judged=judged,
        media=store.get(MediaFile, review.file or (judged.file if judged else "")),
        taxon=taxon_of_concept(store, review.correction or review.concept),
        agent=agents_of(store, {review.agent}).get(review.agent),
        base_url=base_url,
        handle_prefix=handle_prefix,
    )


def label_document(store: Store, label: Label, base_url: str) -> Document:
    """Return the annotation of a stored label."""
    media = store.get(MediaFile, label.file)
    taxon = taxon_of(store, label.item, label.gbif_key)
    return jsonld.label_document(label, media=media, taxon=taxon, base_url=base_url)


def media_document(store: Store, media: MediaFile, base_url: str) -> Document:
    """Return the description of a stored file, with links to what was said about it (at most a page of each)."""
    answers, labels = store.page(Identification, file=media.iri), store.page(Label, file=media.iri)
    return jsonld.media_document(media, about=_about(answers, labels, base_url), base_url=base_url)


def _about(answers: Iterable[Identification], labels: Iterable[Label], base_url: str) -> tuple[str, ...]:
    """Return the IRIs of annotations; labels whose people took them back are none."""
    base = base_url.rstrip("/")
    said = [iris.uri(base, "identifications", one.id) for one in answers]
    return (*said, *(iris.uri(base, "labels", one.id) for one in labels if withdrawal(one) is None))


def taxon_of(store: Store, item: str, gbif_key: str = "") -> Taxon | None:
    """Return what is known best of a taxon: of the names that led to it, the one with the longest lineage.

    Without a Q-item it is looked up by its GBIF key.
    """
    return taxon_of_concept(store, concept_of(item, gbif_key))


def taxon_of_concept(store: Store, concept: str) -> Taxon | None:
    """Return what is known best of the taxon with this concept: a Q-item, ``gbif:KEY`` …"""
    return taxa_of(store, {concept}).get(concept)


def taxa_of(store: Store, concepts: Set[str]) -> dict[str, Taxon]:
    """Return what is known best of each taxon, by concept, as far as anything is known."""

    def looked_up(unknown: list[str]) -> dict[str, Taxon]:
        names: dict[str, list[Taxon]] = {}
        for name in store.among(Taxon, "concept", unknown):
            names.setdefault(name.concept, []).append(name)
        return {one: max(of_it, key=_known_of) for one, of_it in names.items()}

    return _known(store, Taxon, "concept", concepts, looked_up)


def agents_of(store: Store, keys: Set[str]) -> dict[str, Agent]:
    """Return the agents that are stored, by id."""
    return _known(store, Agent, "id", keys, lambda unknown: {one.id: one for one in store.among(Agent, "id", unknown)})


def _known(
    store: Store, kind: type[R], field: str, keys: Set[str], looked_up: Callable[[list[str]], dict[str, R]]
) -> dict[str, R]:
    """Return what there is by ``field``, remembered or looked up; that there is nothing is remembered, too."""
    now = store.remembered.now()
    found = {key: store.remembered.get((kind, field, key), now) for key in keys if key}
    unknown = [key for key, known in found.items() if known is None]
    if unknown:
        there = looked_up(unknown)
        for key in unknown:
            found[key] = there.get(key, NOTHING)
            store.remembered.keep((kind, field, key), found[key], now)
    return {key: known for key, known in found.items() if known is not None and known is not NOTHING}


def review_document_of(store: Store, review: Review, base_url: str) -> Document:
    """Return the annotation of a stored review."""
    return review_documents(store, [review], base_url)[0]


def review_documents(store: Store, found: Sequence[Review], base_url: str) -> list[Document]:
    """Return the annotations of many reviews; what is around them is looked up together."""
    taxa = taxa_of(store, {one.correction for one in found})
    agents = agents_of(store, {one.agent for one in found})
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
        concepts = {concept_of(one.item, one.gbif_key) for one in records}
        agents = {one.agent for one in records if isinstance(one, Identification)}
        return cls(
            {one.iri: one for one in store.among(MediaFile, "iri", {one.file for one in records})},
            taxa_of(store, concepts),
            agents_of(store, agents),
        )
