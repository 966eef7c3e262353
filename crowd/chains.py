"""Lineages as columns. In: which taxa lie above which. Out: ``Chains``: for each taxon, by number, those above it.

Pure. Taxa are numbered in the order of their ids, so that what is sorted by number is sorted by id.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowd.heads import Above
from crowd.keys import Ints, place_in


@dataclass(frozen=True, slots=True)
class Chains:
    """Taxa by number, and the numbers of those above each, from the root down."""

    concepts: Sequence[str]
    start: Ints
    """Taxon → where its own begin in ``above``; one more than there are taxa."""
    above: Ints
    regular: NDArray[np.bool_]
    """Whether those above a taxon lie above one another in the same way; what classifications disagree on does not."""
    pairs: Ints
    """Sorted: upper taxon times the number of taxa, plus lower taxon."""

    def holds(self, upper: Ints, lower: Ints) -> NDArray[np.bool_]:
        """Tell of each pair whether the one lies above the other."""
        return place_in(self.pairs, upper * len(self.concepts) + lower) >= 0


def chains_of(above: Above) -> Chains:
    """Return the lineages of all taxa that are keys of ``above``.

    >>> chains = chains_of({"Q1": frozenset(), "Q2": frozenset({"Q1"})})
    >>> chains.concepts, chains.start.tolist(), chains.above.tolist(), chains.regular.tolist()
    (['Q1', 'Q2'], [0, 0, 1], [0], [True, True])
    """
    concepts = sorted(above)
    number = {concept: place for place, concept in enumerate(concepts)}
    rows = [sorted(above[one] & above.keys(), key=lambda c: (len(above[c]), c)) for one in concepts]
    regular = [
        all(above[upper] & above.keys() == set(row[:at]) for at, upper in enumerate(row)) and one not in row
        for one, row in zip(concepts, rows, strict=True)
    ]
    start = np.cumsum([0, *map(len, rows)])
    flat = np.array([number[upper] for row in rows for upper in row], dtype=np.int64)
    lower = np.repeat(np.arange(len(rows)), np.diff(start))
    return Chains(concepts, start, flat, np.array(regular, dtype=bool), np.sort(flat * len(rows) + lower))
