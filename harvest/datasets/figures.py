"""What a dataset adds up to. In: its rows, classes and losses, and the taxa that are known. Out: figures."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harvest.datasets.manifest import SPLITS, DatasetClass, Example
from linkeddata.records import Taxon


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of the species that are known of a family are in the dataset."""

    family: str
    present: int
    known: int


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a dataset, most frequent first."""

    images: int
    classes: int
    sides: tuple[tuple[str, int], ...]
    licences: tuple[tuple[str, int], ...]
    sources: tuple[tuple[str, int], ...]
    """Holding institutions, else the host that published."""
    creators: tuple[tuple[str, int], ...]
    groups: int
    statuses: tuple[tuple[str, int], ...]
    losses: tuple[tuple[str, int], ...]
    balance: tuple[int, int, int]
    """Images of the smallest class, of the middle one and of the largest."""
    coverage: tuple[Coverage, ...] = ()


def figures_of(
    examples: Sequence[Example],
    classes: Sequence[DatasetClass],
    reasons: Iterable[str],
    checklist: Iterable[Taxon] = (),
) -> Figures:
    """Return the figures; ``checklist`` are the species that are known, whether they are in the dataset or not."""
    sizes = sorted(c.images for c in classes)
    return Figures(
        images=len(examples),
        classes=len(classes),
        sides=tuple((side, n) for side in SPLITS if (n := sum(e.split == side for e in examples))),
        licences=_often(e.licence for e in examples),
        sources=_often(e.institution or host_of(e.page or e.original or e.file) or e.source for e in examples),
        creators=_often(e.creator for e in examples if e.creator),
        groups=len({e.group for e in examples if e.group}),
        statuses=_often(e.status for e in examples if e.status),
        losses=_often(reasons),
        balance=(sizes[0], sizes[len(sizes) // 2], sizes[-1]),
        coverage=coverage_of(examples, checklist),
    )


def coverage_of(examples: Iterable[Example], checklist: Iterable[Taxon]) -> tuple[Coverage, ...]:
    """Return for each family of the dataset how many of its species on the checklist are in it.

    Where a class is above the species, the species that were tagged count.
    """
    present: dict[str, set[str]] = {}
    families = set()
    for example in examples:
        if family := _step(example.lineage, "family"):
            families.add(family)
            species = example.label if example.rank == "species" else _step(example.lineage, "species")
            present.setdefault(family, set()).add(species or example.tagged)
    known: dict[str, set[str]] = {}
    for taxon in checklist:
        if taxon.rank == "species" and (family := _step(taxon.lineage, "family")) in families:
            known.setdefault(family, set()).add(taxon.name)
    return tuple(Coverage(family, len(present[family] & known[family]), len(known[family])) for family in sorted(known))


def _step(lineage: Iterable[object], rank: str) -> str:
    return next((str(getattr(a, "name", "")) for a in lineage if getattr(a, "rank", "") == rank), "")


def host_of(address: str) -> str:
    """Return the host of an address.

    >>> host_of("https://commons.wikimedia.org/wiki/File:Plate.jpg")
    'commons.wikimedia.org'
    """
    return address.partition("://")[2].partition("/")[0]


def _often(values: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(values).items(), key=lambda one: (-one[1], one[0])))
