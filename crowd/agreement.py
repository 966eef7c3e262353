"""How far people agree. In: ballots and the tree. Out: Krippendorff's alpha, of the whole and of each branch.

Alpha compares how often two answers to the same question differ with how often they would if answers were dealt out at
random: 1 is complete agreement, 0 is chance (K. Krippendorff, Content Analysis, chapter 12, nominal data).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from crowd.ballots import Ballot
from crowd.heads import Above, lowest_of
from crowd.lineage import TaxonTree


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


def alpha(units: Iterable[Mapping[str | int, int]]) -> float | None:
    """Return Krippendorff's nominal alpha of units, each given as value → how often it was given; None without pairs.

    >>> round(alpha([{"a": 2}, {"a": 1, "b": 1}, {"b": 2}]) or 0, 3)
    0.444
    """
    whole = _Units()
    for counts in units:
        whole.add(counts)
    return whole.alpha()


class _Units:
    """What alpha needs to remember of the units."""

    def __init__(self) -> None:
        self._totals: dict[str | int, int] = {}
        self._differing = 0.0
        self.number = 0
        self.votes = 0

    def add(self, counts: Mapping[str | int, int]) -> None:
        """Add a unit; who stands alone in it can agree with nobody."""
        size = sum(counts.values())
        if size < 2:
            return
        self.number += 1
        self.votes += size
        totals = self._totals
        for value, number in counts.items():
            totals[value] = totals.get(value, 0) + number
        if len(counts) > 1:
            self._differing += (size**2 - sum(n * n for n in counts.values())) / (size - 1)

    def alpha(self) -> float | None:
        """Return alpha of all units, None where nobody could differ."""
        by_chance = self.votes**2 - sum(n * n for n in self._totals.values())
        return 1 - (self.votes - 1) * self._differing / by_chance if by_chance else None

    def told(self, branch: str) -> Agreement:
        """Return it with its numbers."""
        value = self.alpha()
        return Agreement(
            branch=branch, files=self.number, votes=self.votes, alpha=None if value is None else round(value, 3)
        )


def agreement(ballots: Iterable[Ballot], above: Above, tree: TaxonTree) -> list[Agreement]:
    """Return the agreement of the whole crowd, then of each branch with more than one taxon below it, by name.

    In the whole, two people agree who named the same lowest taxa. A branch looks only at those who went into it.
    """
    whole = _Units()
    branches: dict[int, _Units] = defaultdict(_Units)
    children = Counter(tree.parent[1:].tolist())
    ways = {concept: [(int(tree.parent[n]), n) for n in tree.above(node)] for concept, node in tree.node.items()}
    for ballot in ballots:
        named = Counter(lowest_of(taxa, above) for taxa in ballot.votes.values() if taxa)
        if named.total() < 2:
            continue
        whole.add({" ".join(sorted(taxa)): number for taxa, number in named.items()})
        for node, counts in _choices(named, ways).items():
            branches[node].add(counts)
    found = [whole.told("")]
    for node in sorted(branches, key=lambda node: (tree.names[node], node)):
        if node and branches[node].number and children[node] > 1:
            found.append(branches[node].told(tree.names[node]))
    return found


def _choices(
    named: Mapping[frozenset[str], int], ways: Mapping[str, list[tuple[int, int]]]
) -> dict[int, dict[str | int, int]]:
    """Return for each node which of its children how many people chose; who chose two there is left out."""
    chosen: dict[int, dict[str | int, int]] = defaultdict(dict)
    for taxa, number in named.items():
        own: dict[int, int] = {}
        for concept in taxa:
            for parent, child in ways[concept]:
                own[parent] = child if own.get(parent, child) == child else -1
        for parent, child in own.items():
            if child > 0:
                counts = chosen[parent]
                counts[child] = counts.get(child, 0) + number
    return chosen
