"""What the tags of a file add up to. In: tags, and the taxa their names resolved to. Out: a ``Label`` a file and taxon.

Pure. Three steps: ``ballots`` reads the tags (one voice a person, file and taxon, by whichever routes it came),
``ancestry`` finds which of the taxa named lie above which, and a method of ``METHODS`` counts.

What is a voice
    A person (``Tag.agent``) who named a taxon and did not take it back. The same act arrives by several routes, with
    different precision (Commons to the second, ISA to the day): it is one voice, and when any route knows that it was
    taken back after it was given, it is none. A tag of which nobody knows the author (a query's answer) speaks for one
    nameless voter a file, and not at all where a known person gave or took back the same taxon: it is that tag.
    Who takes back what somebody else said, says no to that taxon.
What supports what
    A voice for a taxon supports every taxon above it, and those below it that somebody else named: "Vanessa" does not
    contradict "Vanessa cardui". Of one voter only the lowest taxa of each lineage count. A voter may name several
    species of one plate and supports each; absence is never read as a no, but whoever named the file and nothing in
    a taxon's lineage dissents from it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from linkeddata.errors import UsageError
from linkeddata.ids import content_id
from linkeddata.records import Failure, Label, Tag, Taxon

UNRESOLVED = "unresolved name"
STATUSES = ("withdrawn", "minority", "tie", "single", "accepted")
"""What a label can be, from the least to the most that can be said for it."""
NOBODY = ""
"""The voter that stands for tags without an author."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """What was said about one file: per voter the taxa (concepts) named, per voter those taken away from others."""

    file: str
    votes: Mapping[str, frozenset[str]]
    removals: Mapping[str, frozenset[str]] = field(default_factory=dict)
    named: frozenset[str] = frozenset()
    """All taxa that anybody ever named, taken back or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What a method says about one taxon of one file."""

    concept: str
    support: int
    dissent: int
    voters: int
    probability: float
    status: str


Above = Mapping[str, frozenset[str]]
"""Taxon → the taxa above it, as far as anybody named them."""

Method = Callable[[Ballot, Above, int], Iterator[Count]]


def count_tags(
    tags: Iterable[Tag],
    taxa: Mapping[str, Taxon],
    *,
    campaign: str,
    moment: str,
    method: str = "majority",
    min_support: int = 2,
) -> Iterator[Label | Failure]:
    """Yield the labels of all files, by file and taxon, after a Failure for each standing tag without a known taxon.

    ``taxa`` is asked by ``Tag.item`` or ``Tag.verbatim``. ``min_support`` voters must agree before a label is
    accepted. The result does not depend on the order of the tags. Raises ``UsageError`` for an unknown method.
    """
    if method not in METHODS:
        raise UsageError(f"no way of counting is called {method!r}; known are {', '.join(METHODS)}")
    read: list[tuple[Tag, str]] = []
    for tag in tags:
        taxon = taxa.get(tag.item or tag.verbatim)
        if taxon is not None and taxon.concept:
            read.append((tag, taxon.concept))
        elif not tag.withdrawn:
            yield _unresolved(tag, taxon, campaign, moment)
    best = representatives(taxa.values(), {concept for _, concept in read})
    above = ancestry(best)
    for ballot in ballots(read):
        for count in METHODS[method](ballot, above, min_support):
            yield _label(ballot.file, count, best[count.concept], campaign, method, moment)


def ballots(tags: Iterable[tuple[Tag, str]]) -> Iterator[Ballot]:
    """Yield one ballot a file, in order of the files, from tags with the concepts they resolved to."""
    by_file: dict[str, list[tuple[Tag, str]]] = {}
    for tag, concept in tags:
        by_file.setdefault(tag.file, []).append((tag, concept))
    for file, said in sorted(by_file.items()):
        yield _ballot(file, said)


def majority(ballot: Ballot, above: Above, min_support: int) -> Iterator[Count]:
    """Count heads along the lineage; the probability is Laplace's (support + 1) / (support + dissent + 2).

    A taxon stands when more voters support it than dissent, and when at each named taxon on the way down to it, and
    at itself, more voters of that branch go along than turn off; so a vote for the genus decides between the genus
    and something else, and not between two of its species. Status, the first that applies: ``withdrawn`` (nobody
    stands by it or by anything below it), ``minority``, ``tie``, ``single`` (fewer than ``min_support`` voters yet),
    ``accepted``. A taxon has no label of its own where a lower one does as well: its voices are in that one.

    >>> ballot = Ballot("f", {"a": frozenset({"Vanessa"}), "b": frozenset({"Vanessa cardui"})}, {},
    ...                 frozenset({"Vanessa", "Vanessa cardui"}))
    >>> [(c.concept, c.support, c.status) for c in majority(ballot, {"Vanessa cardui": frozenset({"Vanessa"})}, 2)]
    [('Vanessa cardui', 2, 'accepted')]
    """
    tree = _Tree(ballot, above)
    counts = {concept: _majority_of(concept, tree, min_support) for concept in sorted(ballot.named)}
    for concept, count in counts.items():
        lower = (other for other in counts if concept in tree.higher(other))
        if not any(STATUSES.index(counts[other].status) >= max(STATUSES.index(count.status), 1) for other in lower):
            yield count


METHODS: dict[str, Method] = {"majority": majority}
"""Ways of counting by name, as a campaign file says it."""


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

    >>> from linkeddata.records import Ancestor
    >>> genus = Taxon(query="g", concept="Q1", name="Vanessa", rank="genus", gbif_key="1899478")
    >>> species = Taxon(query="s", concept="Q2", lineage=(Ancestor("genus", "Vanessa", "1899478"),))
    >>> ancestry({"Q1": genus, "Q2": species})
    {'Q1': frozenset(), 'Q2': frozenset({'Q1'})}
    """
    by_key = {taxon.gbif_key: concept for concept, taxon in sorted(taxa.items()) if taxon.gbif_key}
    by_name = {(taxon.rank, taxon.name): concept for concept, taxon in sorted(taxa.items()) if taxon.rank}
    above: dict[str, frozenset[str]] = {}
    for concept, taxon in taxa.items():
        found = set()
        for step in taxon.lineage:
            named = by_name.get((step.rank, step.name), "")
            clash = named and step.gbif_key and taxa[named].gbif_key not in {"", step.gbif_key}  # a homonym
            found.add(by_key.get(step.gbif_key, "" if clash else named))
        above[concept] = frozenset(found - {"", concept})
    return above


class _Tree:
    """One file's votes seen along the lineages."""

    def __init__(self, ballot: Ballot, above: Above) -> None:
        self._above = above
        self.removals = ballot.removals
        self.votes = {voter: self._lowest(named) for voter, named in ballot.votes.items() if named}
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

    def from_above(self, concept: str) -> set[str]:
        """Return who named a taxon above this one, and neither this one nor one below it."""
        higher = self.higher(concept)
        return {v for v, named in self.votes.items() if named & higher} - self.firm(concept)

    def refusers(self, concept: str) -> set[str]:
        """Return who took this taxon away from somebody else."""
        return {voter for voter, taken in self.removals.items() if concept in taken}

    def _lowest(self, named: frozenset[str]) -> frozenset[str]:
        return named - {higher for concept in named for higher in self.higher(concept)}


def _majority_of(concept: str, tree: _Tree, min_support: int) -> Count:
    firm = tree.firm(concept)
    refusers = tree.refusers(concept) - firm
    from_above = tree.from_above(concept) - refusers
    support = len(firm | from_above) if firm else 0
    dissent = len((set(tree.votes) | refusers) - firm - from_above)
    return Count(
        concept=concept,
        support=support,
        dissent=dissent,
        voters=len(tree.voters),
        probability=(support + 1) / (support + dissent + 2),
        status=_status(support, min(support - dissent, _margin(concept, tree)), min_support),
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


def _ballot(file: str, said: list[tuple[Tag, str]]) -> Ballot:
    given: dict[tuple[str, str], str] = {}
    taken: dict[tuple[str, str], str] = {}
    removals: dict[str, set[str]] = {}
    for tag, concept in said:
        act = (tag.agent, concept)
        if not tag.withdrawn:
            given[act] = max(given.get(act, ""), tag.moment)
            continue
        taken[act] = max(taken.get(act, ""), tag.withdrawn)
        if tag.withdrawn_by not in {NOBODY, tag.agent}:
            removals.setdefault(tag.withdrawn_by, set()).add(concept)
    known = {concept for agent, concept in [*given, *taken] if agent != NOBODY}
    votes: dict[str, set[str]] = {}
    for (agent, concept), moment in given.items():
        if _stands(moment, taken.get((agent, concept), "")) and not (agent == NOBODY and concept in known):
            votes.setdefault(agent, set()).add(concept)
    return Ballot(
        file,
        {voter: frozenset(named) for voter, named in votes.items()},
        {voter: frozenset(named) for voter, named in removals.items()},
        frozenset(concept for _, concept in said),
    )


def _stands(given: str, taken: str) -> bool:
    """Tell whether what was said at one moment outlives what was taken back at another, as far as both are known."""
    if not taken:
        return True
    shared = min(len(given), len(taken))
    return given[:shared] > taken[:shared]


def _label(file: str, count: Count, taxon: Taxon, campaign: str, method: str, moment: str) -> Label:
    return Label(
        id=content_id(campaign, file, count.concept),
        campaign=campaign,
        file=file,
        concept=count.concept,
        name=taxon.name,
        rank=taxon.rank,
        item=taxon.item,
        gbif_key=taxon.gbif_key,
        support=count.support,
        dissent=count.dissent,
        voters=count.voters,
        probability=round(count.probability, 6),
        status=count.status,
        method=method,
        moment=moment,
    )


def _unresolved(tag: Tag, taxon: Taxon | None, campaign: str, moment: str) -> Failure:
    why = "was not looked up" if taxon is None else taxon.reason or "nothing found"
    return Failure(
        id=content_id(campaign, "count", tag.id),
        step="count",
        subject=tag.file,
        reason=UNRESOLVED,
        detail=f"{tag.item or tag.verbatim}: {why}",
        campaign=campaign,
        moment=moment,
    )
