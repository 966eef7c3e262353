"""Which files may become examples, and of which class. In: media, labels, taxa, rules. Out: candidates, and losses."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from crowd.campaign import DatasetRules
from crowd.verdicts import STANDS
from harvest.datasets.manifest import DatasetClass
from linkeddata.ids import content_id
from linkeddata.records import Ancestor, Failure, Label, MediaFile, Taxon
from linkeddata.storage import Stored


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may become an example: what it shows, and where its bytes lie."""

    media: MediaFile
    source: Stored
    label: Label | None = None
    taxon: DatasetClass | None = None


@dataclass
class Losses:
    """Collects failures in the order they were met."""

    campaign: str
    moment: str
    failures: list[Failure] = field(default_factory=list)

    def add(self, subject: str, reason: str, detail: str = "") -> None:
        key = content_id("dataset", self.campaign, subject, reason)
        self.failures.append(
            Failure(
                id=key,
                step="dataset",
                subject=subject,
                reason=reason,
                detail=detail,
                campaign=self.campaign,
                moment=self.moment,
            )
        )


def may_teach(label: Label, rules: DatasetRules) -> bool:
    """Say whether a label is what people say by themselves, or, where the rules allow it, with machines' suggestions.

    What a reviewer overruled teaches only what the reviewer said.
    """
    with_machine = rules.machine and not label.counted and label.machine_status in STANDS
    return label.status in STANDS or with_machine


class Ranks:
    """Turns a label into the class it counts for at the asked rank."""

    def __init__(self, taxa: Iterable[Taxon], rank: str) -> None:
        self._rank = rank
        self._taxa: dict[str, Taxon] = {}
        self._by_key: dict[str, Taxon] = {}
        for taxon in sorted((t for t in taxa if t.concept), key=_fullness):
            self._taxa[taxon.concept] = taxon
            if taxon.gbif_key:
                self._by_key[taxon.gbif_key] = taxon

    def place(self, label: Label) -> DatasetClass | None:
        """Return the class of a label, or ``None`` for a label above the asked rank or without one in its lineage."""
        taxon = self._taxa.get(label.concept)
        rank = taxon.rank if taxon else label.rank
        if not self._rank or rank == self._rank:
            return _class_of_taxon(taxon) if taxon else _class_of_label(label)
        for position, ancestor in enumerate(taxon.lineage if taxon else ()):
            if ancestor.rank == self._rank:
                return self._ancestor(ancestor, taxon.lineage[:position] if taxon else ())
        return None

    def _ancestor(self, ancestor: Ancestor, above: tuple[Ancestor, ...]) -> DatasetClass:
        known = self._by_key.get(ancestor.gbif_key) if ancestor.gbif_key else None
        if known and known.rank == ancestor.rank:
            return _class_of_taxon(known)
        concept = f"gbif:{ancestor.gbif_key}" if ancestor.gbif_key else f"name:{ancestor.rank}:{ancestor.name}"
        return DatasetClass(
            concept=concept, label=ancestor.name, rank=ancestor.rank, gbif_key=ancestor.gbif_key, lineage=above
        )


def _fullness(taxon: Taxon) -> tuple[int, int, str]:
    """Order taxa of one concept so that the one with most ids and the longest lineage comes last and wins."""
    return sum(map(bool, (taxon.item, taxon.gbif_key, taxon.col_id))), len(taxon.lineage), taxon.query


def _class_of_taxon(taxon: Taxon) -> DatasetClass:
    return DatasetClass(
        concept=taxon.concept,
        label=taxon.name,
        rank=taxon.rank,
        item=taxon.item,
        gbif_key=taxon.gbif_key,
        col_id=taxon.col_id,
        lineage=taxon.lineage,
    )


def _class_of_label(label: Label) -> DatasetClass:
    return DatasetClass(
        concept=label.concept, label=label.name, rank=label.rank, item=label.item, gbif_key=label.gbif_key
    )


def eligible(
    media: Iterable[MediaFile],
    by_file: Mapping[str, Sequence[Label]],
    ranks: Ranks,
    image_of: Callable[[MediaFile], Stored | None],
    rules: DatasetRules,
    strangers: frozenset[str],
    losses: Losses,
) -> Iterator[Candidate]:
    """Yield the files that may be used, by IRI; the others go to ``losses``."""
    for one in sorted(media, key=lambda file: file.iri):
        shown = _shown(one, by_file.get(one.iri, ()), ranks, one.iri in strangers, losses)
        if shown is None:
            continue
        if not one.licence:
            losses.add(one.iri, "no licence")
            continue
        source = image_of(one)
        if source is None:
            losses.add(one.iri, "no image", one.original)
            continue
        yield Candidate(one, source, *shown)


def _shown(
    one: MediaFile, labels: Sequence[Label], ranks: Ranks, stranger: bool, losses: Losses
) -> tuple[Label | None, DatasetClass | None] | None:
    """Return label and class of a file that shows one; ``(None, None)`` for a stranger; ``None`` where it is lost."""
    if stranger:
        return None, None
    if not labels:
        losses.add(one.iri, "no accepted label")
        return None
    found: dict[str, tuple[Label, DatasetClass]] = {}
    for label in sorted(labels, key=lambda x: (-x.probability, -x.support, x.concept)):
        if placed := ranks.place(label):
            found.setdefault(placed.concept, (label, placed))
    if not found:
        losses.add(one.iri, "above the rank", ", ".join(sorted(label.name for label in labels)))
        return None
    if len(found) > 1:
        losses.add(one.iri, "several species", ", ".join(sorted(placed.label for _, placed in found.values())))
        return None
    return next(iter(found.values()))


def without_copies(candidates: Iterable[Candidate], losses: Losses) -> Iterator[Candidate]:
    """Yield the first file of each sha1: the same bytes under two names would stand on both sides."""
    first: dict[str, str] = {}
    for candidate in candidates:
        sha1, iri = candidate.source.sha1, candidate.media.iri
        if sha1 in first:
            losses.add(iri, "duplicate image", f"same bytes as {first[sha1]}")
            continue
        first[sha1] = iri
        yield candidate
