"""On which side an example stands. In: candidates, rules, a seed. Out: candidates with sides, whole groups each."""

from collections import Counter
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
    for name, share, named in (
        (TEST, rules.test_share, rules.test_groups),
        (VALIDATION, rules.validation_share, rules.validation_groups),
    ):
        if not named:
            side |= dict.fromkeys(_take(free, sizes, share), name)
            free = [g for g in free if g not in side]
    return [(_side(c, side, rules.known_share, seed), c) for c in candidates]


def _take(free: Sequence[str], sizes: Mapping[str, int], share: float) -> list[str]:
    """Return groups that together come nearest to ``share`` of all images: at least one, if training keeps two.

    >>> _take(["a", "b", "c", "d"], {"a": 5, "b": 2, "c": 2, "d": 1}, 0.2)
    ['b']
    """
    wanted, taken, held = share * sum(sizes.values()), [], 0
    for group in free:
        if wanted and held + sizes[group] / 2 <= wanted:
            taken.append(group)
            held += sizes[group]
    if wanted and not taken and len(free) > 2:
        taken = [min(free, key=lambda g: sizes[g])]
    return taken


def _side(candidate: Candidate, side: Mapping[str, str], known_share: float, seed: int) -> str:
    if not candidate.taxon:
        return STRANGER
    name = side.get(group_of(candidate), TRAIN)
    draw = int(content_id(str(seed), "known", candidate.source.sha1)[:8], 16) / 2**32
    return KNOWN if name == TRAIN and draw < known_share else name


def group_of(candidate: Candidate) -> str:
    return candidate.media.group or candidate.source.sha1


def _some(names: Iterable[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:8]) + (" …" if len(listed) > 8 else "")
