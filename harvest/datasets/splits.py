"""On which side an example stands. In: candidates, rules, a seed. Out: candidates with sides, whole groups each."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from crowd.campaign import DatasetRules
from harvest.datasets.manifest import KNOWN, STRANGER, TEST, TRAIN, VALIDATION
from harvest.datasets.selection import Candidate
from linkeddata.errors import DatasetError
from linkeddata.ids import content_id


def split_by_group(
    candidates: Sequence[Candidate], rules: DatasetRules, seed: int, before: Mapping[str, str] | None = None
) -> list[tuple[str, Candidate]]:
    """Put whole groups on one side each; a file without a group is a group of its own.

    ``before`` are the sides of an earlier version, by SHA-1: a group stays where most of its images were; new ones fill
    up what is lacking. Raises ``DatasetError`` for a named group that has no file.
    """
    sizes = Counter(group_of(c) for c in candidates if c.taxon)
    side = dict.fromkeys(rules.test_groups, TEST) | dict.fromkeys(rules.validation_groups, VALIDATION)
    _check_named(candidates, side, sizes)
    side = {group: one for group, one in side.items() if group in sizes}
    named = {TEST: rules.test_groups, VALIDATION: rules.validation_groups}
    stayed = _stayed(candidates, before or {}).items()
    side = {group: one for group, one in stayed if group in sizes and not named.get(one)} | side
    free = sorted((g for g in sizes if g not in side), key=lambda g: content_id(str(seed), g))
    training = _Training((c for c in candidates if group_of(c) not in side), max(1, rules.min_images))
    for name, share in ((TEST, rules.test_share), (VALIDATION, rules.validation_share)):
        if not named[name]:
            held = sum(sizes[group] for group, one in side.items() if one == name)
            side |= dict.fromkeys(_take(free, sizes, share, training, held), name)
            free = [g for g in free if g not in side]
    return [(_side(c, side, rules.known_share, seed), c) for c in candidates]


class _Training:
    """How many images of each class are left for training while groups are set aside."""

    def __init__(self, candidates: Iterable[Candidate], enough: int) -> None:
        self._enough = enough
        self._left: Counter[str] = Counter()
        self._inside: dict[str, Counter[str]] = defaultdict(Counter)
        for candidate in candidates:
            self._left.update(candidate.concepts)
            self._inside[group_of(candidate)].update(candidate.concepts)

    def spares(self, group: str) -> bool:
        """Say whether every class that has enough to learn from still has enough without this group."""
        inside = self._inside[group].items()
        return all(self._left[c] < self._enough or self._left[c] - images >= self._enough for c, images in inside)

    def give(self, group: str) -> None:
        """Take a group out of training."""
        self._left -= self._inside[group]


def _take(free: Sequence[str], sizes: Mapping[str, int], share: float, training: _Training, held: int = 0) -> list[str]:
    """Return groups that together come nearest to ``share`` of all images: at least one, if training keeps two.

    ``held`` images are there already. A group is passed over where a class would have too little left to learn from;
    only where nothing else can be had, the smallest is taken all the same.

    >>> _take(["a", "b", "c", "d"], {"a": 5, "b": 2, "c": 2, "d": 1}, 0.2, _Training([], 1))
    ['b']
    """
    wanted, taken, there = share * sum(sizes.values()), list[str](), held > 0
    for group in free:
        if wanted and held + sizes[group] / 2 <= wanted and training.spares(group):
            taken.append(group)
            held += sizes[group]
            training.give(group)
    if wanted and not taken and not there and len(free) > 2:
        taken = [min(free, key=lambda g: sizes[g])]
        training.give(taken[0])
    return taken


def _side(candidate: Candidate, side: Mapping[str, str], known_share: float, seed: int) -> str:
    if not candidate.taxon:
        return STRANGER
    name = side.get(group_of(candidate), TRAIN)
    draw = int(content_id(str(seed), "known", candidate.cluster or candidate.source.sha1)[:8], 16) / 2**32
    return KNOWN if name == TRAIN and draw < known_share else name


def _check_named(candidates: Iterable[Candidate], side: Mapping[str, str], sizes: Mapping[str, int]) -> None:
    """Raise ``DatasetError`` for a named group without a file, or one that hangs together with one of another side."""
    held = {candidate.media.group: group_of(candidate) for candidate in candidates if candidate.taxon}
    missing = sorted(set(side) - set(held) - set(sizes))
    if missing:
        raise DatasetError(f"no usable file is of the group {', '.join(missing)}; there are {_some(sizes)}")
    for group, one in side.items():
        home = held.get(group, group)
        if side.get(home, one) != one:
            raise DatasetError(
                f"the groups {group} and {home} show one picture or one object, and are named for different sides; "
                f"name them for one, or leave files out"
            )


def _stayed(candidates: Iterable[Candidate], before: Mapping[str, str]) -> dict[str, str]:
    """Return the sides of groups that were there before; of a group that was on several, the one with most of it."""
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for candidate in candidates:
        side = before.get(candidate.source.sha1, STRANGER)
        if candidate.taxon and side != STRANGER:
            votes[group_of(candidate)][TRAIN if side == KNOWN else side] += 1
    return {group: max(sides, key=lambda side: (sides[side], side)) for group, sides in votes.items()}


def group_of(candidate: Candidate) -> str:
    """Return the name of what must stand on one side together."""
    return candidate.together or candidate.media.group or candidate.source.sha1


def _some(names: Iterable[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:8]) + (" …" if len(listed) > 8 else "")
