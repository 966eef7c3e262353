"""Counting heads along the lineages. In: a ``Ballot``, and what lies above what. Out: a ``Count`` a taxon.

Pure. A voice for a taxon supports every taxon above it, and those below it that somebody else named: "Vanessa" does
not contradict "Vanessa cardui". Of one voter only the lowest taxa of each lineage count. A voter may name several
species of one plate and supports each; absence is never read as a no, but whoever named the file and nothing in a
taxon's lineage dissents from it. Every way of counting gives these numbers; ``majority`` decides by them alone.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from crowd.ballots import Ballot

STATUSES = ("withdrawn", "machine", "minority", "tie", "single", "accepted")
"""What a label can be, from the least to the most that can be said for it."""

Above = Mapping[str, frozenset[str]]
"""Taxon → the taxa above it, as far as anybody named them."""


class Count(NamedTuple):
    """What is counted for one taxon of one file."""

    concept: str
    support: int
    dissent: int
    voters: int
    probability: float
    status: str
    stands: tuple[tuple[str, int], ...] = ()
    """How many stand how: same, below, above, against, removed; those that nobody takes are left out."""


def majority(ballot: Ballot, above: Above, min_support: int) -> Iterator[Count]:
    """Count heads along the lineage; the probability is Laplace's (support + 1) / (support + dissent + 2).

    A taxon stands when more voters support it than dissent, and when at each named taxon on the way down to it, and
    at itself, more voters of that branch go along than turn off; so a vote for the genus decides between the genus
    and something else, and not between two of its species. Status, the first that applies: ``withdrawn`` (nobody
    stands by it or by anything below it), ``minority``, ``tie``, ``single`` (fewer than ``min_support`` voters yet),
    ``accepted``.

    >>> ballot = Ballot("f", {"a": frozenset({"Vanessa"}), "b": frozenset({"Vanessa cardui"})}, {},
    ...                 frozenset({"Vanessa", "Vanessa cardui"}))
    >>> [(c.concept, c.support, c.status) for c in majority(ballot, {"Vanessa cardui": frozenset({"Vanessa"})}, 2)]
    [('Vanessa', 2, 'accepted'), ('Vanessa cardui', 2, 'accepted')]
    """
    votes = [lowest_of(named, above) for named in ballot.votes.values() if named]
    if not ballot.removals and all(len(named) == 1 for named in votes):
        yield from simple_majority(Counter(next(iter(named)) for named in votes), ballot.named, above, min_support)
        return
    tree = _Tree(ballot, above)
    for concept in sorted(ballot.named):
        yield _count(concept, tree, min_support)


def simple_majority(votes: Mapping[str, int], named: frozenset[str], above: Above, min_support: int) -> Iterator[Count]:
    """Count as ``majority`` does where nobody named two taxa or took one away: ``votes`` says how many named which."""
    total = sum(votes.values())
    along: dict[str, int] = dict.fromkeys(named, 0)
    for concept, number in votes.items():
        for other in (concept, *above.get(concept, ())):
            if other in along:
                along[other] += number
    for concept in sorted(named):
        firm, same = along[concept], votes.get(concept, 0)
        higher = sorted(above.get(concept, frozenset()) & named, key=lambda one: (len(above.get(one, ())), one))
        stopped = sum(votes.get(one, 0) for one in higher)
        support = firm + stopped if firm else 0
        dissent = total - firm - stopped
        margin, branch = support - dissent, total
        for node in (*higher, concept):
            margin = min(margin, 2 * along[node] - branch)
            branch = along[node] - votes.get(node, 0)
        stands = (("same", same), ("below", firm - same), ("above", stopped if firm else 0), ("against", dissent))
        yield Count(
            concept=concept,
            support=support,
            dissent=dissent,
            voters=total,
            probability=(support + 1) / (support + dissent + 2),
            status=_status(support, margin, min_support),
            stands=tuple((how, number) for how, number in stands if number),
        )


def lowest(counts: Mapping[str, Count], above: Above) -> Iterator[Count]:
    """Yield the counts without those of taxa below which another does as well: its voices are in that one."""
    for concept, count in counts.items():
        lower = (other for other in counts if concept in above.get(other, frozenset()))
        least = max(STATUSES.index(count.status), STATUSES.index("minority"))
        if not any(STATUSES.index(counts[other].status) >= least for other in lower):
            yield count


class _Tree:
    """One file's votes seen along the lineages."""

    def __init__(self, ballot: Ballot, above: Above) -> None:
        self._above = above
        self.removals = ballot.removals
        self.votes = {voter: lowest_of(named, above) for voter, named in ballot.votes.items() if named}
        self.voters = set(self.votes) | {voter for voter, taken in ballot.removals.items() if taken}
        self.named = ballot.named

    def higher(self, concept: str) -> frozenset[str]:
        """Return the taxa above this one."""
        return self._above.get(concept, frozenset())

    def path(self, concept: str) -> list[str]:
        """Return the named taxa above this one from the root down, then itself."""
        named = self.higher(concept) & self.named
        return [*sorted(named, key=lambda c: (len(self.higher(c)), c)), concept]

    def firm(self, concept: str) -> set[str]:
        """Return who named this taxon or one below it."""
        return {v for v, named in self.votes.items() if any(n == concept or concept in self.higher(n) for n in named)}

    def same(self, concept: str) -> set[str]:
        """Return who named this very taxon."""
        return {v for v, named in self.votes.items() if concept in named}

    def from_above(self, concept: str) -> set[str]:
        """Return who named a taxon above this one, and neither this one nor one below it."""
        higher = self.higher(concept)
        return {v for v, named in self.votes.items() if named & higher} - self.firm(concept)

    def refusers(self, concept: str) -> set[str]:
        """Return who took this taxon away from somebody else."""
        return {voter for voter, taken in self.removals.items() if concept in taken}


def lowest_of(named: frozenset[str], above: Above) -> frozenset[str]:
    """Return the taxa of a set without those that lie above another of them."""
    if len(named) < 2:
        return named
    return named - {higher for concept in named for higher in above.get(concept, ())}


def _count(concept: str, tree: _Tree, min_support: int) -> Count:
    firm = tree.firm(concept)
    same = tree.same(concept)
    refusers = tree.refusers(concept) - firm
    from_above = tree.from_above(concept) - refusers
    support = len(firm | from_above) if firm else 0
    dissenters = (set(tree.votes) | refusers) - firm - from_above
    stands = (
        ("same", len(same)),
        ("below", len(firm - same)),
        ("above", len(from_above) if firm else 0),
        ("against", len(dissenters - refusers)),
        ("removed", len(refusers)),
    )
    return Count(
        concept=concept,
        support=support,
        dissent=len(dissenters),
        voters=len(tree.voters),
        probability=(support + 1) / (support + len(dissenters) + 2),
        status=_status(support, min(support - len(dissenters), _margin(concept, tree)), min_support),
        stands=tuple((how, number) for how, number in stands if number),
    )


def _margin(concept: str, tree: _Tree) -> int:
    """Return by how many voters the taxon leads at the narrowest point on the way down to it."""
    branch = set(tree.votes)
    margins = []
    for node in tree.path(concept):
        along = tree.firm(node)
        off = branch - along - tree.from_above(node)
        if node == concept:
            off |= tree.refusers(concept) - along
        margins.append(len(along) - len(off))
        branch = along
    return min(margins)


def _status(support: int, margin: int, min_support: int) -> str:
    if not support:
        return "withdrawn"
    if margin < 0:
        return "minority"
    if margin == 0:
        return "tie"
    return "single" if support < min_support else "accepted"
