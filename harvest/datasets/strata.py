"""Which side each of many blocs goes to, so that every class is on every side. In: numbers of images. Out: sides.

Every class has a number of images that each side should have of it: its share, but at least one where there are blocs
enough; training comes first, then testing, then validation. Blocs are given out one after the other, the largest first,
each to where Pearson's chi-square of what is there and what should be grows least; for single images this is Sainte-
Laguë's way of giving seats. Then blocs are moved and exchanged as long as that brings the numbers nearer. It is what
iterative stratification does (Sechidis and others, ECML 2011), for whole blocs.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from harvest.datasets.manifest import TEST, TRAIN, VALIDATION

SIDES = (TRAIN, TEST, VALIDATION)
"""In the order in which a class that is too small for all of them is given them."""
_PASSES = 8
_MOVED, _EXCHANGED = 5_000, 150
"""Most blocs of which each is tried elsewhere, and each in exchange for each other."""
_LEAST = 0.5
"""Images by which is divided where a side should have none of a class."""

Counts = Mapping[str, int]
"""Images by class."""


def assigned(
    blocs: Sequence[Counts], settled: Mapping[str, Counts], shares: Mapping[str, float], enough: int
) -> list[str]:
    """Return the side of each of ``blocs``, which come in the order in which equals are taken.

    ``settled`` is what stands on the sides already, ``shares`` what the sides shall have that blocs may go to beside
    training. A class that has ``enough`` images for training keeps them.

    >>> assigned([{"Q1": 1}, {"Q1": 1}, {"Q1": 1}], {}, {"test": 0.2, "validation": 0.15}, 1)
    ['train', 'test', 'validation']
    >>> assigned([{"Q1": 1}, {"Q1": 1}], {"test": {"Q1": 1}}, {"test": 0.2, "validation": 0.15}, 1)
    ['train', 'validation']
    """
    table = _Table(blocs, settled, shares, enough)
    order = sorted(range(len(blocs)), key=lambda place: -sum(blocs[place].values()))
    sides = [TRAIN] * len(blocs)
    for place in order:
        sides[place] = table.best(blocs[place])
        table.add(blocs[place], sides[place])
    for _ in range(_PASSES):
        moves = sum(_move(table, blocs, sides, place) for place in (order if len(blocs) <= _MOVED else ()))
        pairs = combinations(order, 2) if len(blocs) <= _EXCHANGED else ()
        if not moves + sum(_exchange(table, blocs, sides, *pair) for pair in pairs):
            break
    return sides


class _Table:
    """How many images of each class stand where, and how many should."""

    def __init__(
        self, blocs: Sequence[Counts], settled: Mapping[str, Counts], shares: Mapping[str, float], enough: int
    ) -> None:
        self.open = [side for side in SIDES if side == TRAIN or shares.get(side)]
        self._enough = enough
        self._there = {side: Counter(settled.get(side, {})) for side in SIDES}
        self._left = Counter(self._there[TRAIN])  # what training has, or may still get
        places: Counter[str] = Counter()
        for bloc in blocs:
            self._left.update(bloc)
            places.update(bloc.keys())
        for side in SIDES:
            places.update(self._there[side].keys())
        self._wanted: dict[str, dict[str, float]] = defaultdict(dict)
        for one in places:
            images = self._left[one] + sum(self._there[side][one] for side in SIDES[1:])
            wanted = _wanted(images, places[one], shares, enough)
            for side in SIDES:
                self._wanted[side][one] = wanted[side]

    def best(self, bloc: Counts) -> str:
        """Return the side that a bloc of which nothing is counted yet does best to go to."""
        may = [side for side in self.open if side == TRAIN or self.spares(bloc)]
        return min(may, key=lambda side: round(self.cost(bloc, side), 9))

    def cost(self, bloc: Counts, side: str, sign: int = 1) -> float:
        """Return by how much chi-square grows when a bloc goes to a side, or (``sign`` -1) leaves it."""
        there, wanted = self._there[side], self._wanted[side]
        return sum(
            images * (sign * 2 * (there[one] - wanted[one]) + images) / max(wanted[one], _LEAST)
            for one, images in bloc.items()
        )

    def spares(self, bloc: Counts) -> bool:
        """Say whether every class that has enough to learn from still has enough without this bloc."""
        left, enough = self._left, self._enough
        return all(left[one] < enough or left[one] - images >= enough for one, images in bloc.items())

    def add(self, bloc: Counts, side: str, sign: int = 1) -> None:
        """Count a bloc on a side, or (``sign`` -1) no longer."""
        for one, images in bloc.items():
            self._there[side][one] += sign * images
            if side != TRAIN:
                self._left[one] -= sign * images


def _wanted(images: int, places: int, shares: Mapping[str, float], enough: int) -> dict[str, float]:
    """Return how many of a class's images each side should have, where they are in so many places.

    >>> _wanted(3, 3, {"test": 0.2, "validation": 0.15}, 1), _wanted(20, 2, {"test": 0.2, "validation": 0.15}, 10)
    ({'test': 1, 'validation': 1, 'train': 1}, {'test': 4.0, 'validation': 0, 'train': 16.0})
    """
    wanted: dict[str, float] = {}
    spare: float = max(0, images - enough)
    places -= 1  # one is for training
    for side in SIDES[1:]:
        share = shares.get(side, 0.0)
        wanted[side] = min(spare, max(1, share * images)) if share and places > 0 else 0
        places -= wanted[side] > 0
        spare -= wanted[side]
    return wanted | {TRAIN: images - sum(wanted.values())}


def _move(table: _Table, blocs: Sequence[Counts], sides: list[str], place: int) -> bool:
    """Move a bloc to where it does better, and say whether it was moved."""
    bloc, before = blocs[place], sides[place]
    table.add(bloc, before, -1)
    sides[place] = table.best(bloc)
    if table.cost(bloc, sides[place]) > table.cost(bloc, before) - 1e-9:
        sides[place] = before
    table.add(bloc, sides[place])
    return sides[place] != before


def _exchange(table: _Table, blocs: Sequence[Counts], sides: list[str], a: int, b: int) -> bool:
    """Exchange two blocs' sides where that is better, and say whether it was done."""
    if sides[a] == sides[b]:
        return False
    before = [(blocs[a], sides[a]), (blocs[b], sides[b])]
    after = [(blocs[a], sides[b]), (blocs[b], sides[a])]
    gained = sum(_taken(table, bloc, side) for bloc, side in before)
    paid, fits = 0.0, True
    for bloc, side in after:
        fits = fits and (side == TRAIN or table.spares(bloc))
        paid += table.cost(bloc, side)
        table.add(bloc, side)
    if fits and paid < gained - 1e-9:
        sides[a], sides[b] = sides[b], sides[a]
        return True
    for bloc, side in after:
        table.add(bloc, side, -1)
    for bloc, side in before:
        table.add(bloc, side)
    return False


def _taken(table: _Table, bloc: Counts, side: str) -> float:
    """Take a bloc from a side and return what chi-square loses by it."""
    saved = -table.cost(bloc, side, -1)
    table.add(bloc, side, -1)
    return saved


def on_every_side(there: Iterable[tuple[str, str, str]], sides: Sequence[str]) -> tuple[int, int]:
    """Return how many classes are on all of ``sides``, and how many are in groups enough to be; in: side, group, class.

    >>> on_every_side([("train", "a", "Q1"), ("test", "b", "Q1"), ("test", "b", "Q2"), ("test", "c", "Q2")],
    ...               ["train", "test"])
    (1, 2)
    """
    met: dict[str, set[str]] = defaultdict(set)
    groups: dict[str, set[str]] = defaultdict(set)
    for side, group, one in there:
        met[one].add(side)
        groups[one].add(group)
    could = [one for one, names in groups.items() if len(names) >= len(sides)]
    return sum(met[one] >= set(sides) for one in could), len(could)
