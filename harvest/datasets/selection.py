"""Which files may become examples, and of which class. In: media, labels, taxa, rules. Out: candidates, and losses."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from crowd.campaign import AS_TAGGED, DatasetRules
from harvest.datasets.choices import NO_LABEL, file_trouble, label_trouble
from harvest.datasets.manifest import DatasetClass
from harvest.datasets.reserved import RESERVED, reserved_in
from linkeddata.ids import content_id
from linkeddata.names import is_ancestor
from linkeddata.records import Ancestor, Failure, Label, MediaFile, Taxon
from linkeddata.storage import FolderStorage, Stored

NOWHERE = Stored(FolderStorage(Path()), "")
"""Stands for an image that has not been looked for yet."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may become an example: what it shows, and where its bytes lie."""

    media: MediaFile
    source: Stored
    label: Label | None = None
    taxon: DatasetClass | None = None
    others: tuple[tuple[Label, DatasetClass], ...] = ()
    """What else is on a plate of several classes, the surest first."""
    coarse: bool = False
    """Whether what it shows is known above the asked rank only."""
    cluster: str = ""
    """Of copies of one picture: the smallest SHA-1 among them."""
    together: str = ""
    """What holds it together with others: a group's name."""

    @property
    def shown(self) -> tuple[tuple[Label, DatasetClass], ...]:
        """All classes of the file, each with the label behind it."""
        return ((self.label, self.taxon), *self.others) if self.label and self.taxon else ()

    @property
    def concepts(self) -> tuple[str, ...]:
        """The classes' concepts."""
        return tuple(taxon.concept for _, taxon in self.shown)

    def showing(self, shown: Sequence[tuple[Label, DatasetClass]]) -> "Candidate":
        """Return the same file with some of its classes only."""
        if len(shown) == len(self.shown):
            return self
        (label, taxon), *others = shown
        return replace(self, label=label, taxon=taxon, others=tuple(others))


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


ABOVE = "above the rank"
Trouble = tuple[str, str]
"""Reason and detail."""


def teaching(labels: Iterable[Label], rules: DatasetRules) -> tuple[dict[str, list[Label]], dict[str, Trouble]]:
    """Return the labels that teach, by file, and why files that have labels but none of these were left without."""
    by_file: dict[str, list[Label]] = defaultdict(list)
    troubles: dict[str, Trouble] = {}
    for label in labels:
        if trouble := label_trouble(label, rules):
            told = (trouble, f"{label.name or label.concept}: {label.status}")
            troubles[label.file] = max(troubles.get(label.file, told), told)
        else:
            by_file[label.file].append(label)
    return by_file, {file: why for file, why in troubles.items() if file not in by_file}


class Ranks:
    """Turns a label into the class it counts for at the asked rank; with ``coarser``, above it into its own."""

    def __init__(self, taxa: Iterable[Taxon], rank: str, *, coarser: bool = False) -> None:
        self._rank = rank
        self._coarser = coarser
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
        if self._rank in ("", AS_TAGGED) or rank == self._rank:
            return _class_of_taxon(taxon) if taxon else _class_of_label(label)
        for position, ancestor in enumerate(taxon.lineage if taxon else ()):
            if ancestor.rank == self._rank:
                return self._ancestor(ancestor, taxon.lineage[:position] if taxon else ())
        return _class_of_taxon(taxon) if taxon and rank and self._coarser else None

    def is_coarse(self, one: DatasetClass) -> bool:
        """Say whether a class stands above the asked rank."""
        return self._coarser and self._rank not in ("", AS_TAGGED) and one.rank != self._rank

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


@dataclass(frozen=True, slots=True)
class Sought:
    """What files are looked at with: their labels, the classes, the rules, and where their images are."""

    by_file: Mapping[str, Sequence[Label]]
    troubles: Mapping[str, Trouble]
    ranks: Ranks
    rules: DatasetRules
    strangers: frozenset[str]
    image_of: Callable[[MediaFile], Stored | None]


def eligible(media: Iterable[MediaFile], sought: Sought, losses: Losses) -> Iterator[Candidate]:
    """Yield the files that may be used, by IRI; the others go to ``losses``."""
    for one in sorted(media, key=lambda file: file.iri):
        shown = _shown(one, sought, losses)
        if shown is None:
            continue
        reason, detail = file_trouble(one, sought.rules)
        if reason:
            losses.add(one.iri, reason, detail)
            continue
        source = sought.image_of(one)
        if source is None:
            losses.add(one.iri, "no image", one.original)
        elif sought.rules.respect_noai and (asked := reserved_in(source)):
            losses.add(one.iri, RESERVED, asked)
        else:
            yield replace(shown, source=source)


def _shown(one: MediaFile, sought: Sought, losses: Losses) -> Candidate | None:
    """Return what a file shows, its image still to be found; no class for a stranger; ``None`` where it is lost."""
    if one.iri in sought.strangers:
        return Candidate(one, NOWHERE)
    labels = sought.by_file.get(one.iri, ())
    if not labels:
        losses.add(one.iri, *sought.troubles.get(one.iri, (NO_LABEL, "")))
        return None
    found: dict[str, tuple[Label, DatasetClass]] = {}
    for label in sorted(labels, key=lambda x: (-x.probability, -x.support, x.concept)):
        if placed := sought.ranks.place(label):
            found.setdefault(placed.concept, (label, placed))
    found = _without_coarser(found, sought.ranks)
    if not found:
        losses.add(one.iri, ABOVE, ", ".join(sorted(label.name for label in labels)))
        return None
    if len(found) > 1 and not sought.rules.several:
        losses.add(one.iri, "several species", ", ".join(sorted(placed.label for _, placed in found.values())))
        return None
    (label, taxon), *others = found.values()
    return Candidate(one, NOWHERE, label, taxon, tuple(others), coarse=sought.ranks.is_coarse(taxon))


def _without_coarser(
    found: dict[str, tuple[Label, DatasetClass]], ranks: Ranks
) -> dict[str, tuple[Label, DatasetClass]]:
    """Return what a file shows at the asked rank; where there is nothing, the taxa above it of which none is above."""
    fine = {concept: shown for concept, shown in found.items() if not ranks.is_coarse(shown[1])}
    if fine:
        return fine
    taxa = [taxon for _, taxon in found.values()]
    return {concept: shown for concept, shown in found.items() if not any(is_below(one, shown[1]) for one in taxa)}


def is_below(one: DatasetClass, above: DatasetClass) -> bool:
    """Say whether a class stands below another, as taxa do."""
    return is_ancestor(_taxon_of(above), _taxon_of(one))


def _taxon_of(one: DatasetClass) -> Taxon:
    return Taxon(query="", name=one.label, rank=one.rank, gbif_key=one.gbif_key, lineage=one.lineage)


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
