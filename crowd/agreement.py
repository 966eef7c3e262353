"""How far people agree. In: the roll and the tree. Out: Krippendorff's alpha, of the whole and of each branch.

Alpha compares how often two answers to the same question differ with how often they would if answers were dealt out at
random: 1 is complete agreement, 0 is chance (K. Krippendorff, Content Analysis, chapter 12, nominal data).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from crowd.keys import Ints, distinct, runs
from crowd.lineage import TaxonTree
from crowd.roll import Roll


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Alpha of one branch: of what people chose among the taxa right below it. ``branch`` is empty for the whole."""

    branch: str
    files: int
    """Files on which at least two people chose."""
    votes: int
    """Their choices there."""
    alpha: float | None
    """None where nobody could have disagreed: fewer than two people on each file, or one taxon alone."""


def alpha(units: Iterable[Mapping[int, int]]) -> float | None:
    """Return Krippendorff's nominal alpha of units, each given as value → how often it was given; None without pairs.

    >>> round(alpha([{1: 2}, {1: 1, 2: 1}, {2: 2}]) or 0, 3)
    0.444
    """
    rows = [(unit, value) for unit, counts in enumerate(units) for value, n in counts.items() for _ in range(n)]
    file, value = np.array(rows, dtype=np.int64).reshape(-1, 2).T
    told = _told(np.zeros(len(file), dtype=np.int64), file, value)
    return told[0]["alpha"] if told else None


def agreement(roll: Roll, tree: TaxonTree) -> list[Agreement]:
    """Return the agreement of the whole crowd, then of each branch with more than one taxon below it, by name.

    In the whole, two people agree who named the same lowest taxa. A branch looks only at those who went into it; who
    chose two ways there is left out.
    """
    first = runs(roll.ballot)
    file, value = roll.file[first], roll.concept[first].copy()
    sets: dict[tuple[int, ...], int] = {}
    length = np.diff(np.append(first, len(roll.ballot)))
    for at in np.flatnonzero(length > 1).tolist():
        taxa = tuple(roll.concept[first[at] : first[at] + length[at]].tolist())
        value[at] = sets.setdefault(taxa, len(tree.node) + len(sets))
    whole = _told(np.zeros(len(file), dtype=np.int64), file, value)
    branches = _told(*_choices(roll, tree))
    children = np.bincount(tree.parent[1:], minlength=len(tree.parent))
    found = [_named("", whole.get(0, {"files": 0, "votes": 0, "alpha": None}))]
    for node in sorted(branches, key=lambda node: (tree.names[node], node)):
        if node and children[node] > 1:
            found.append(_named(tree.names[node], branches[node]))
    return found


def _named(branch: str, told: Mapping[str, Any]) -> Agreement:
    alpha = told["alpha"]
    return Agreement(branch=branch, files=told["files"], votes=told["votes"], alpha=alpha and round(alpha, 3))


def _choices(roll: Roll, tree: TaxonTree) -> tuple[Ints, Ints, Ints]:
    """Return node, file and child of each choice of one way."""
    node = np.array([tree.node[concept] for concept in roll.chains.concepts], dtype=np.int64)
    size = len(tree.parent)
    ballot, child, found = roll.ballot, node[roll.concept] if len(node) else roll.concept, [roll.ballot[:0]]
    while len(child):
        below = child > 0
        ballot, child = ballot[below], child[below]
        found.append(ballot * size + child)
        child = tree.parent[child]
    chosen = distinct(np.concatenate(found))
    ballot, child = chosen // size, chosen % size
    at = tree.parent[child]
    _, whose, times = np.unique(ballot * size + at, return_inverse=True, return_counts=True)
    one_way = times[whose] == 1
    file_of = roll.file[runs(roll.ballot)]
    return at[one_way], file_of[ballot[one_way]], child[one_way]


def _told(branch: Ints, file: Ints, value: Ints) -> dict[int, dict[str, Any]]:
    """Return the numbers of each branch in which on some file two people chose; one alone agrees with none."""
    order = np.lexsort((value, file, branch))
    branch, file, value = branch[order], file[order], value[order]
    new_unit = np.append(True, (branch[1:] != branch[:-1]) | (file[1:] != file[:-1]))[: len(branch)]
    unit = np.cumsum(new_unit) - 1
    first = np.flatnonzero(new_unit)
    size = np.diff(np.append(first, len(branch)))
    start = np.flatnonzero(new_unit | np.append(True, value[1:] != value[:-1])[: len(value)])
    number = np.diff(np.append(start, len(value)))
    squares = np.bincount(unit[start], weights=number.astype(np.float64) ** 2, minlength=len(first))
    differing = (size.astype(np.float64) ** 2 - squares) / np.maximum(size - 1, 1)
    several = size > 1
    counted = several[unit]
    places, of = np.unique(branch[first][several], return_inverse=True)
    files = np.bincount(of, minlength=len(places))
    votes = np.bincount(of, weights=size[several], minlength=len(places))
    apart = np.bincount(of, weights=differing[several], minlength=len(places))
    # How often each value was given in a branch, by those who did not stand alone.
    most = int(value.max(initial=0)) + 1
    pair, times = np.unique(branch[counted] * most + value[counted], return_counts=True)
    where = np.searchsorted(places, pair // most)
    again = np.bincount(where, weights=times.astype(np.float64) ** 2, minlength=len(places))
    by_chance = votes**2 - again
    return {
        place: {
            "files": int(files[at]),
            "votes": int(votes[at]),
            "alpha": float(1 - (votes[at] - 1) * apart[at] / by_chance[at]) if by_chance[at] else None,
        }
        for at, place in enumerate(places.tolist())
    }
