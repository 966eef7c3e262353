"""The classes' taxa, rank by rank. In: a model's classes. Out: the probability of every taxon above them.

Species probabilities add up along the tree, so one model answers at every rank.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkeddata.records import Ancestor, ModelClass

Floats = NDArray[np.float64]
OWN = "own"
"""Stands for the rank that each class of the model has itself; "class" is a rank of taxonomy."""
USUAL = (
    "form", "variety", "subspecies", "species", "species group", "subgenus", "genus", "subtribe", "tribe", "subfamily",
    "family", "superfamily", "infraorder", "suborder", "order", "superorder", "subclass", "class", "subphylum",
    "phylum", "kingdom",
)  # fmt: skip
"""Ranks from the lowest up."""


@dataclass(frozen=True, slots=True)
class Rank:
    """The taxa of one rank and which classes belong to each, shape (taxa, classes); a class may belong to none."""

    name: str
    taxa: tuple[Ancestor, ...]
    members: Floats

    def heaviest(self, probabilities: Floats) -> tuple[NDArray[np.int64], Floats]:
        """Return by image the place of the taxon with most probability, and how much; shape (images,) each."""
        masses = np.minimum(probabilities @ self.members.T, 1.0)
        first = masses.argmax(axis=1)
        return first, masses[np.arange(len(masses)), first]


def ranks_of(classes: Sequence[ModelClass]) -> tuple[Rank, ...]:
    """Return the ranks above the classes, lowest first, that have a taxon; those of unusual names by where they stand.

    >>> lion = ModelClass(id="m@1/0", model="m", version="1", index=0, label="Panthera leo", rank="species",
    ...     lineage=(Ancestor("family", "Felidae"), Ancestor("genus", "Panthera")))
    >>> [(rank.name, rank.taxa[0].name) for rank in ranks_of([lion])]
    [('genus', 'Panthera'), ('family', 'Felidae')]
    """
    return tuple(rank_of(name, classes) for name in _order(classes))


def taxon_at(one: ModelClass, rank: str) -> Ancestor:
    """Return the taxon of ``rank`` that a class is or belongs to; one without a name where there is none."""
    if one.rank == rank:
        return Ancestor(rank, one.label, one.gbif_key)
    return next((step for step in one.lineage if step.rank == rank), Ancestor(rank, ""))


def rank_of(name: str, classes: Sequence[ModelClass]) -> Rank:
    """Return one rank; without taxa where no class is of it or below it."""
    own = [taxon_at(one, name) for one in classes]
    taxa = sorted({(taxon.name, taxon.gbif_key) for taxon in own if taxon.name})
    place = {taxon: i for i, taxon in enumerate(taxa)}
    members = np.zeros((len(taxa), len(classes)))
    for index, taxon in enumerate(own):
        if taxon.name:
            members[place[taxon.name, taxon.gbif_key], index] = 1.0
    return Rank(name, tuple(Ancestor(name, *taxon) for taxon in taxa), members)


def _order(classes: Sequence[ModelClass]) -> list[str]:
    """Return the names of the ranks that lineages have, lowest first."""
    height: dict[str, float] = {}
    for one in classes:
        for above, step in enumerate(reversed(one.lineage)):
            if step.rank and step.name:
                usual = USUAL.index(step.rank) if step.rank in USUAL else len(USUAL) + above
                height[step.rank] = max(height.get(step.rank, 0.0), float(usual))
    return sorted(height, key=lambda rank: (height[rank], rank))
