"""Which taxa lie above which. In: the taxa that names resolved to. Out: sets of ancestors, and one tree of all of them.

Pure. The tree holds what was named and every ancestor below which the named taxa part; ancestors with a single way down
that nobody named are passed over, since no choice is made there. Taxa without a known classification hang at the root,
so that a crowd whose answers have no lineages is counted over a star.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from linkeddata.records import Ancestor, Taxon

ROOT = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One taxon on the way from the root to a named one; ``node`` is its place in the tree, or the next one below."""

    name: str
    rank: str
    node: int


@dataclass(frozen=True, slots=True)
class TaxonTree:
    """Nodes numbered so that every parent comes before its children; node 0 is the root."""

    parent: NDArray[np.int64]
    """Node → the node above it; the root's is 0."""
    depth: NDArray[np.int64]
    node: Mapping[str, int]
    """Concept → its node."""
    names: Sequence[str]
    """Node → its name; the root's is empty."""
    paths: Mapping[str, tuple[Step, ...]]
    """Concept → the way to it from the root down, itself included."""

    def above(self, node: int) -> list[int]:
        """Return the nodes from the root's child down to ``node``."""
        found = []
        while node != ROOT:
            found.append(node)
            node = int(self.parent[node])
        return found[::-1]

    def shared(self, one: int, other: int) -> int:
        """Return how deep the lowest node is that lies on the way to both."""
        a, b = one, other
        while a != b:
            if self.depth[a] >= self.depth[b]:
                a = int(self.parent[a])
            else:
                b = int(self.parent[b])
        return int(self.depth[a])


def representatives(taxa: Iterable[Taxon], concepts: set[str]) -> dict[str, Taxon]:
    """Return for each concept the taxon that says most about it; of equals the one whose query sorts first."""
    best: dict[str, tuple[int, int, str, Taxon]] = {}
    for taxon in taxa:
        if taxon.concept not in concepts:
            continue
        known = bool(taxon.item) + bool(taxon.gbif_key) + bool(taxon.rank) + bool(taxon.name)
        rank = (-known, -len(taxon.lineage), taxon.query, taxon)
        if taxon.concept not in best or rank[:3] < best[taxon.concept][:3]:
            best[taxon.concept] = rank
    return {concept: rank[3] for concept, rank in best.items()}


def ancestry(taxa: Mapping[str, Taxon]) -> dict[str, frozenset[str]]:
    """Return for each concept which of the others lie above it, by GBIF key, or by rank and name where one has no key.

    >>> genus = Taxon(query="g", concept="Q1", name="Vanessa", rank="genus", gbif_key="1899478")
    >>> species = Taxon(query="s", concept="Q2", lineage=(Ancestor("genus", "Vanessa", "1899478"),))
    >>> ancestry({"Q1": genus, "Q2": species})
    {'Q1': frozenset(), 'Q2': frozenset({'Q1'})}
    """
    find = _finder(taxa)
    return {
        concept: frozenset({find(step) for step in taxon.lineage} - {"", concept}) for concept, taxon in taxa.items()
    }


def tree_of(taxa: Mapping[str, Taxon]) -> TaxonTree:
    """Return the tree of the taxa by concept.

    >>> papilio = (Ancestor("family", "Papilionidae"), Ancestor("genus", "Papilio"))
    >>> paris = Taxon(query="p", concept="Q1", name="Papilio paris", rank="species", lineage=papilio)
    >>> helenus = Taxon(query="h", concept="Q2", name="Papilio helenus", rank="species", lineage=papilio)
    >>> tree = tree_of({"Q1": paris, "Q2": helenus})
    >>> tree.names, [step.name for step in tree.paths["Q1"]]
    (('', 'Papilio', 'Papilio paris', 'Papilio helenus'), ['Papilionidae', 'Papilio', 'Papilio paris'])
    """
    find = _finder(taxa)
    labels: dict[str, tuple[str, str]] = {}
    chains: dict[str, list[str]] = {}
    for concept, taxon in sorted(taxa.items()):
        chain = []
        for step in taxon.lineage:
            key = find(step) or f"{step.rank}:{step.name}:{step.gbif_key}"
            if key != concept and key not in chain:
                chain.append(key)
                labels.setdefault(key, (step.name, step.rank))
        chains[concept] = [*chain, concept]
        labels[concept] = (taxon.name or concept, taxon.rank)
    up = _parents(chains)
    kept = _kept(up, set(taxa))
    number = {"": ROOT} | {key: place for place, key in enumerate(kept, 1)}
    parent = np.zeros(len(kept) + 1, dtype=np.int64)
    depth = np.zeros(len(kept) + 1, dtype=np.int64)
    for key in kept:
        parent[number[key]] = number[_next(up, key, number)]
        depth[number[key]] = depth[parent[number[key]]] + 1
    return TaxonTree(
        parent=parent,
        depth=depth,
        node={concept: number[concept] for concept in taxa},
        names=("", *(labels[key][0] for key in kept)),
        paths={concept: _path(concept, up, number, labels) for concept in taxa},
    )


def _finder(taxa: Mapping[str, Taxon]) -> Callable[[Ancestor], str]:
    """Return what tells which concept an ancestor is, ``""`` for one that nobody named."""
    by_key = {taxon.gbif_key: concept for concept, taxon in sorted(taxa.items()) if taxon.gbif_key}
    by_name = {(taxon.rank, taxon.name): concept for concept, taxon in sorted(taxa.items()) if taxon.rank}

    def find(step: Ancestor) -> str:
        named = by_name.get((step.rank, step.name), "")
        clash = named and step.gbif_key and taxa[named].gbif_key not in {"", step.gbif_key}  # a homonym
        return by_key.get(step.gbif_key, "" if clash else named)

    return find


def _parents(chains: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the taxon above each; the longest classification is believed, and none goes in a circle."""
    up: dict[str, str] = {}
    for chain in sorted(chains.values(), key=lambda chain: (-len(chain), chain)):
        for upper, lower in pairwise(["", *chain]):
            if lower not in up and lower not in _way(up, upper):
                up[lower] = upper
    return up


def _way(up: Mapping[str, str], key: str) -> list[str]:
    """Return a taxon and those above it."""
    found = []
    while key:
        found.append(key)
        key = up.get(key, "")
    return found


def _kept(up: Mapping[str, str], named: set[str]) -> list[str]:
    """Return the named taxa and those below which ways part, parents first, else by name."""
    below: dict[str, set[str]] = {}
    for lower, upper in up.items():
        below.setdefault(upper, set()).add(lower)
    kept = [key for key in up if key in named or len(below.get(key, ())) > 1]
    return sorted(kept, key=lambda key: (len(_way(up, key)), key))


def _next(up: Mapping[str, str], key: str, number: Mapping[str, int]) -> str:
    """Return the next kept taxon above ``key``, ``""`` for the root."""
    key = up.get(key, "")
    while key and key not in number:
        key = up.get(key, "")
    return key


def _path(
    concept: str, up: Mapping[str, str], number: Mapping[str, int], labels: Mapping[str, tuple[str, str]]
) -> tuple[Step, ...]:
    steps: list[Step] = []
    node = ROOT
    for key in _way(up, concept):
        node = number.get(key, node)
        steps.append(Step(*labels[key], node))
    return tuple(reversed(steps))
