"""What a reviewer is shown of one open target. In: a store, a target. Out: the picture's file, candidates, evidence.

The first candidate is what the target says; then come the other taxa that people or models name on this picture. Each
has pictures of other files on which it is accepted, its names, and who says so.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import select

from crowd.lineage import representatives
from crowd.reviewqueue import wanted_in
from crowd.verdicts import STANDS, Standing, Target, digest, standing, target_of
from linkeddata.lineages import concept_of
from linkeddata.problem import not_found
from linkeddata.records import Identification, Label, MediaFile, Review, Taxon
from linkeddata.store import Store
from linkeddata.tables import SHAPES

MOST_CANDIDATES = 8
REFERENCES = 4
SPOKEN = ("nl", "en")


@dataclass(frozen=True, slots=True)
class Said:
    """What one side says of a taxon: in words, with a probability where there is one."""

    words: str
    probability: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A taxon that the picture may show."""

    concept: str
    name: str
    rank: str = ""
    item: str = ""
    gbif_key: str = ""
    vernaculars: tuple[tuple[str, str], ...] = ()
    lineage: tuple[str, ...] = ()
    said: tuple[Said, ...] = ()
    references: tuple[MediaFile, ...] = ()
    known: bool = True
    """Whether the taxon was resolved here: only then can it be a correction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """One target with all that is known around it."""

    record: Label | Identification
    target: Target
    seen: str
    media: MediaFile | None
    candidates: tuple[Candidate, ...]
    standing: Standing
    comments: tuple[Review, ...]
    """Everything that was said in words about this target, taken back or not."""


def plate(store: Store, key: str) -> Plate:
    """Return the target with this id. Raises ``Problem`` 404 where there is none."""
    record = store.get(Label, key) or store.get(Identification, key)
    if record is None:
        raise not_found("label or identification", key)
    target = target_of(record)
    reviews = store.among(Review, "file", [record.file])
    with store.reading() as connection:
        wanted = wanted_in(connection)(target.campaign)
    return Plate(
        record=record,
        target=target,
        seen=digest(record),
        media=store.get(MediaFile, record.file),
        candidates=tuple(_candidates(store, record, target)),
        standing=standing(target, reviews, wanted),
        comments=tuple(one for one in reviews if one.target == key and one.comment),
    )


def _candidates(store: Store, record: Label | Identification, target: Target) -> Iterator[Candidate]:
    said: dict[str, list[Said]] = {target.concept: []} if target.concept else {}
    named: dict[str, tuple[str, str, str, str]] = {}
    labels = store.among(Label, "file", [record.file])
    answers = store.among(Identification, "file", [record.file])
    for concept, words, about in _sayings(labels, answers):
        said.setdefault(concept, []).append(words)
        named.setdefault(concept, about)
    chosen = list(said)[:MOST_CANDIDATES]
    taxa = representatives(store.among(Taxon, "concept", chosen), set(chosen))
    for concept in chosen:
        name, rank, item, key = named[concept]
        taxon = taxa.get(concept) or Taxon(query=name, name=name, rank=rank, item=item, gbif_key=key)
        yield Candidate(
            concept=concept,
            name=taxon.name or name,
            rank=taxon.rank,
            item=taxon.item,
            gbif_key=taxon.gbif_key,
            vernaculars=tuple(pair for pair in taxon.vernaculars if pair[0] in SPOKEN),
            lineage=tuple(step.name for step in taxon.lineage[-3:]),
            said=tuple(said[concept]),
            references=tuple(references(store, concept, but=record.file)),
            known=concept in taxa,
        )


def _sayings(
    labels: Iterable[Label], answers: Iterable[Identification]
) -> Iterator[tuple[str, Said, tuple[str, str, str, str]]]:
    """Yield who says what of the file: people first, then models, then what these considered besides."""
    for label in sorted(labels, key=lambda one: -one.probability):
        about = (label.name or label.concept, label.rank, label.item, label.gbif_key)
        if label.voters:
            words = f"{label.support} of {label.voters} people"
            yield label.concept, Said(words, label.probability), about
        elif label.status == "reviewed":
            yield label.concept, Said("an expert"), about
    models = sorted((one for one in answers if one.model), key=lambda one: -one.certainty)
    for answer in models:
        if answer.label:
            concept = concept_of(answer.item, answer.gbif_key)
            about = (answer.label, answer.rank, answer.item, answer.gbif_key)
            yield concept, Said(f"{answer.model} {answer.version}", answer.certainty), about
    for answer in models:
        for other in answer.alternatives:
            concept = concept_of(other.item, other.gbif_key)
            if concept and other.label != answer.label:
                considered = Said(f"{answer.model} {answer.version} considered it", other.probability)
                yield concept, considered, (other.label, other.rank, other.item, other.gbif_key)


def references(store: Store, concept: str, *, but: str) -> list[MediaFile]:
    """Return files on which the taxon is accepted, those that an expert has reviewed first."""
    table = SHAPES[Label].table
    item, key = ("", concept.removeprefix("gbif:")) if concept.startswith("gbif:") else (concept, "")
    same = table.c.item == item if item else (table.c.item == "") & (table.c.gbif_key == key)
    query = select(table.c.file).where(same, table.c.status.in_(STANDS), table.c.file != but)
    query = query.order_by(table.c.status.desc(), table.c.id).limit(4 * REFERENCES)
    with store.reading() as connection:
        files = list(dict.fromkeys(connection.execute(query).scalars()))[:REFERENCES]
    known = {one.iri: one for one in store.among(MediaFile, "iri", files)}
    return [known[file] for file in files if file in known]
