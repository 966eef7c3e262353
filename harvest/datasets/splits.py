"""On which side an example stands. In: candidates, rules, a seed. Out: candidates with sides, whole groups each."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from crowd.campaign import DatasetRules
from harvest.datasets.manifest import KNOWN, STRANGER, TEST, TRAIN, VALIDATION
from harvest.datasets.selection import Candidate
from linkeddata.errors import DatasetError
from linkeddata.ids import content_id


def split_by_group(candidates: Sequence[Candidate], rules: DatasetRules, seed: int) -> list[tuple[str, Candidate]]:
    """Put whole groups on one side each; a file without a group is a group of its own."""
    sizes = Counter(group_of(c) for c in candidates if c.taxon)
    side = dict.fromkeys(rules.test_groups, TEST) | dict.fromkeys(rules.validation_groups, VALIDATION)
    missing = sorted(set(side) - set(sizes))
    if missing:
        raise DatasetError(f"no usable file is of the group {', '.join(missing)}; there are {_some(sizes)}")
    free = sorted((g for g in sizes if g not in side), key=lambda g: content_id(str(seed), g))
    training = _Training((c for c in candidates if group_of(c) not in side), max(1, rules.min_images))
    for name, share, named in (
        (TEST, rules.test_share, rules.test_groups),
        (VALIDATION, rules.validation_share, rules.validation_groups),
    ):
        if not named:
            side |= dict.fromkeys(_take(free, sizes, share, training), name)
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


def _take(free: Sequence[str], sizes: Mapping[str, int], share: float, training: _Training) -> list[str]:
    """Return groups that together come nearest to ``share`` of all images: at least one, if training keeps two.

    A group is passed over where a class would have too little left to learn from; only where nothing else can be had,
    the smallest is taken all the same.

    >>> _take(["a", "b", "c", "d"], {"a": 5, "b": 2, "c": 2, "d": 1}, 0.2, _Training([], 1))
    ['b']
    """
    wanted, taken, held = share * sum(sizes.values()), list[str](), 0
    for group in free:
        if wanted and held + sizes[group] / 2 <= wanted and training.spares(group):
            taken.append(group)
            held += sizes[group]
            training.give(group)
    if wanted and not taken and len(free) > 2:
        taken = [min(free, key=lambda g: sizes[g])]
        training.give(taken[0])
    return taken


def _side(candidate: Candidate, side: Mapping[str, str], known_share: float, seed: int) -> str:
    if not candidate.taxon:
        return STRANGER
    name = side.get(group_of(candidate), TRAIN)
    draw = int(content_id(str(seed), "known", candidate.cluster or candidate.source.sha1)[:8], 16) / 2**32
    return KNOWN if name == TRAIN and draw < known_share else name


def group_of(candidate: Candidate) -> str:
    """Return the name of what must stand on one side together."""
    return candidate.together or candidate.media.group or candidate.source.sha1


def _some(names: Iterable[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:8]) + (" …" if len(listed) > 8 else "")
