"""Which files must stand on one side together. In: candidates, copies among them. Out: blocs, their settled sides.

A bloc is what hangs together by a group, an object or a picture of which there are copies. Some have their side
already: that of a group that is named for one, or that of the version before. A file that would join two such sides is
left out and told, so that no file that was there before has to move for one that is new.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from crowd.campaign import DatasetRules
from harvest.datasets.manifest import KNOWN, STRANGER, TEST, TRAIN, VALIDATION
from harvest.datasets.selection import Candidate, Losses
from linkeddata.errors import DatasetError

JOINS = "joins two sides"
STRANGE = "copy of a labelled picture"


def blocs_of(
    found: Sequence[Candidate],
    copies: Iterable[tuple[int, int]],
    rules: DatasetRules,
    before: Mapping[str, str],
    losses: Losses,
) -> tuple[list[Candidate], dict[str, str]]:
    """Return the candidates with ``cluster`` and ``together``, the bloc's name, and the sides of blocs that have one.

    ``copies`` are places in ``found``; ``before`` the sides of the version before, by SHA-1. A cluster is called by the
    smallest SHA-1 of its copies. Of files that were there before and hang together only now, the fewer go where the
    more are. Raises ``DatasetError`` for a named group that has no file.
    """
    named = dict.fromkeys(rules.test_groups, TEST) | dict.fromkeys(rules.validation_groups, VALIDATION)
    _check_named(found, named)
    beside: dict[int, list[int]] = defaultdict(list)
    for a, b in copies:
        beside[a].append(b)
        beside[b].append(a)
    joining = _Joining(found, beside, named, before)
    kept = []
    for place in sorted(range(len(found)), key=joining.turn):
        reason, detail = joining.take(place)
        if reason:
            losses.add(found[place].media.iri, reason, detail)
        else:
            kept.append(place)
    return joining.told(sorted(kept))


@dataclass(slots=True)
class _Bloc:
    """What is known of a bloc: the side that a name gives it, and those of its files in the version before."""

    named: str = ""
    votes: Counter[str] = field(default_factory=Counter)

    @property
    def side(self) -> str:
        """Where it stands; "" where that is open."""
        return self.named or max(self.votes, key=lambda side: (self.votes[side], side), default="")

    def take_in(self, other: "_Bloc") -> None:
        self.named = self.named or other.named
        self.votes.update(other.votes)


class _Joining:
    """Takes one file after the other and joins it to what it hangs together with."""

    def __init__(
        self,
        found: Sequence[Candidate],
        beside: Mapping[int, Sequence[int]],
        named: Mapping[str, str],
        before: Mapping[str, str],
    ) -> None:
        self._found, self._beside, self._named, self._before = found, beside, named, before
        self._joined = Joined(len(found))
        self._copies = Joined(len(found))
        self._blocs: dict[int, _Bloc] = {}
        self._known: dict[int, set[str]] = {}
        """Of copies whether they were for training, or set aside from it to be known: they may not be both."""
        self._first: dict[tuple[str, str], int] = {}
        """Of each group and object the first file that was taken."""

    def turn(self, place: int) -> tuple[int, int]:
        """Order files: named groups first, then what was there before, what is new, strangers."""
        candidate = self._found[place]
        if not candidate.taxon:
            return 3, place
        return (0 if candidate.media.group in self._named else 1 if self._old(candidate) else 2), place

    def take(self, place: int) -> tuple[str, str]:
        """Join a file to its bloc and return two empty texts; reason and detail where it cannot be."""
        candidate = self._found[place]
        neighbours = {one for one in self._beside.get(place, ()) if one in self._blocs}
        if not candidate.taxon:
            return self._take_stranger(place, neighbours)
        mine = _Bloc(self._named.get(candidate.media.group, ""), Counter(filter(None, [self._old(candidate)])))
        keys = keys_of(candidate)
        firsts = [self._first[key] for key in keys if key in self._first]
        tops = {self._joined.top(one): one for one in (*firsts, *neighbours)}
        sides = {one: side for top, one in tops.items() if (side := self._settled(self._blocs[top], mine))}
        if mine.named:
            sides[place] = mine.named
        own = {self._before[candidate.source.sha1]} if mine.votes else set()
        taught = own.union(*(self._known[self._copies.top(one)] for one in neighbours))
        if len(taught & {TRAIN, KNOWN}) > 1 and not own:
            return JOINS, f"{KNOWN}, {TRAIN}"
        if len(set(sides.values())) > 1:
            told = sorted((side, self._found[one].media.iri) for one, side in sides.items() if one != place)
            return JOINS, "; ".join(f"{iri} ({side})" for side, iri in told)
        for key in keys:
            self._first.setdefault(key, place)
        for top in tops:
            mine.take_in(self._blocs[top])
            self._joined.join(place, top)
        self._blocs[place] = self._blocs[self._joined.top(place)] = mine
        for one in neighbours:
            self._copies.join(place, one)
        self._known[self._copies.top(place)] = taught
        return "", ""

    def _take_stranger(self, place: int, neighbours: Iterable[int]) -> tuple[str, str]:
        shown = sorted(self._found[one].media.iri for one in neighbours)
        return (STRANGE, ", ".join(shown)) if shown else ("", "")

    def _settled(self, bloc: _Bloc, mine: _Bloc) -> str:
        """Return the side of a bloc that a file may not join to another: of one that was there, only a named one."""
        return bloc.named if mine.votes else bloc.side

    def _old(self, candidate: Candidate) -> str:
        side = self._before.get(candidate.source.sha1, "")
        return "" if side == STRANGER else TRAIN if side == KNOWN else side

    def told(self, kept: Sequence[int]) -> tuple[list[Candidate], dict[str, str]]:
        """Return the candidates that stayed, with their blocs' names, and the sides of those that have one."""
        often = Counter(self._copies.top(place) for place in kept)
        clusters = self._copies.named([candidate.source.sha1 for candidate in self._found], kept)
        names = self._joined.named([one.media.group or one.source.sha1 for one in self._found], kept)
        sides = {names[place]: self._blocs[self._joined.top(place)].side for place in kept if place in self._blocs}
        stayed = [
            replace(
                self._found[place],
                cluster=clusters[place] if often[self._copies.top(place)] > 1 else "",
                together=names[place],
            )
            for place in kept
        ]
        return stayed, {name: side for name, side in sides.items() if side}


def keys_of(candidate: Candidate) -> list[tuple[str, str]]:
    """Return the kinds and names of what a file shares with others."""
    media = candidate.media
    number = object_name(media.institution, media.inventory_number)
    return [key for key in (("group", media.group), ("object", number)) if key[1]]


def object_name(institution: str, inventory_number: str) -> str:
    """Return what names an object in its collection; "" where nothing does.

    >>> object_name("Q190804", "RP-T-1"), object_name("Q190804", "")
    ('Q190804 RP-T-1', '')
    """
    return f"{institution} {inventory_number}".strip() if inventory_number else ""


def _check_named(found: Iterable[Candidate], named: Mapping[str, str]) -> None:
    """Raise ``DatasetError`` for a named group without a file."""
    there = {candidate.media.group or candidate.source.sha1 for candidate in found if candidate.taxon}
    if missing := sorted(set(named) - there):
        listed = sorted(there)
        some = ", ".join(listed[:8]) + (" …" if len(listed) > 8 else "")
        raise DatasetError(f"no usable file is of the group {', '.join(missing)}; there are {some}")


class Joined:
    """Places that are joined, directly or by others (union and find)."""

    def __init__(self, size: int) -> None:
        self._above = list(range(size))

    def top(self, place: int) -> int:
        """Return the place that stands for all that this one is joined to."""
        while self._above[place] != place:
            self._above[place] = self._above[self._above[place]]
            place = self._above[place]
        return place

    def join(self, a: int, b: int) -> None:
        """Join two places."""
        a, b = self.top(a), self.top(b)
        self._above[max(a, b)] = min(a, b)

    def named(self, names: Sequence[str], places: Iterable[int]) -> dict[int, str]:
        """Return of each of ``places`` the first name, in their order, among those that it is joined to.

        >>> joined = Joined(3)
        >>> joined.join(0, 2)
        >>> joined.named(["b", "c", "a"], range(3))
        {0: 'a', 1: 'c', 2: 'a'}
        """
        places = list(places)
        first: dict[int, str] = {}
        for place in places:
            top = self.top(place)
            first[top] = min(first.get(top, names[place]), names[place])
        return {place: first[self.top(place)] for place in places}
