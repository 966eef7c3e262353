"""Which files must stay together. In: candidates, their images. Out: the same, with clusters and what holds them.

Copies of one picture (the same plate from two libraries, mirrored, turned, recompressed, recoloured, cut out) are a
cluster; a cluster, an object, and the groups of their files stand on one side.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from crowd.campaign import DatasetRules
from harvest.datasets.likeness import Look, look, near_pairs
from harvest.datasets.selection import Candidate
from harvest.records import Progress


def held_together(
    found: Sequence[Candidate], rules: DatasetRules, progress: Progress
) -> tuple[list[Candidate], dict[str, Look | None]]:
    """Return the candidates with ``cluster``, the smallest SHA-1 of their copies, and ``together``, a group's name.

    A group that is named in ``rules`` lends its name to all that hangs together with it. The looks are by SHA-1.
    """
    looks = _looks(found, progress)
    seen = [place for place, one in enumerate(looks) if one]
    pairs = near_pairs([one for one in looks if one])
    clusters = Joined(len(found))
    for pair in pairs:
        if pair.copies:
            clusters.join(seen[pair.a], seen[pair.b])
    names = clusters.named([candidate.source.sha1 for candidate in found])
    often = clusters.sizes()
    clustered = [
        replace(candidate, cluster=names[place] if often[place] > 1 else "") for place, candidate in enumerate(found)
    ]
    return _with_groups(clustered, rules), {c.source.sha1: one for c, one in zip(found, looks, strict=True)}


def _looks(found: Sequence[Candidate], progress: Progress) -> list[Look | None]:
    looks: list[Look | None] = []
    with ThreadPoolExecutor() as pool:  # decoding lets go of the interpreter
        for number, one in enumerate(pool.map(lambda candidate: look(candidate.source.read_bytes()), found), 1):
            looks.append(one)
            progress("compare images", number, len(found))
    return looks


def _with_groups(found: Sequence[Candidate], rules: DatasetRules) -> list[Candidate]:
    groups = Joined(len(found))
    first: dict[tuple[str, str], int] = {}
    for place, candidate in enumerate(found):
        media = candidate.media
        number = object_name(media.institution, media.inventory_number)
        for key in (("group", media.group), ("cluster", candidate.cluster), ("object", number)):
            if key[1]:
                groups.join(place, first.setdefault(key, place))
    named = {name: rank for rank, name in enumerate((*rules.test_groups, *rules.validation_groups))}
    own = [candidate.media.group or candidate.source.sha1 for candidate in found]
    held = groups.named(own, lambda name: (named.get(name, len(named)), name))
    return [replace(candidate, together=held[place]) for place, candidate in enumerate(found)]


def object_name(institution: str, inventory_number: str) -> str:
    """Return what names an object in its collection; "" where nothing does.

    >>> object_name("Q190804", "RP-T-1"), object_name("Q190804", "")
    ('Q190804 RP-T-1', '')
    """
    return f"{institution} {inventory_number}".strip() if inventory_number else ""


class Joined:
    """Places that are joined, directly or by others (union and find)."""

    def __init__(self, size: int) -> None:
        self._above = list(range(size))

    def _top(self, place: int) -> int:
        while self._above[place] != place:
            self._above[place] = self._above[self._above[place]]
            place = self._above[place]
        return place

    def join(self, a: int, b: int) -> None:
        """Join two places."""
        a, b = self._top(a), self._top(b)
        self._above[max(a, b)] = min(a, b)

    def sizes(self) -> list[int]:
        """Return of each place how many it hangs together with, itself counted."""
        tops = [self._top(place) for place in range(len(self._above))]
        counts = dict.fromkeys(tops, 0)
        for top in tops:
            counts[top] += 1
        return [counts[top] for top in tops]

    def named(self, names: Sequence[str], key: Callable[[str], tuple[int, str]] | None = None) -> list[str]:
        """Return of each place the first name, in the order of ``key``, among all that it hangs together with.

        >>> joined = Joined(3)
        >>> joined.join(0, 2)
        >>> joined.named(["b", "c", "a"])
        ['a', 'c', 'a']
        """
        first: dict[int, str] = {}
        for place, name in enumerate(names):
            top = self._top(place)
            first[top] = min(first.get(top, name), name, key=key or (lambda one: (0, one)))
        return [first[self._top(place)] for place in range(len(names))]


def spread(groups: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the names that stand on several sides, with these sides; in: pairs of name and side.

    >>> spread([("a", "train"), ("a", "test"), ("b", "train")])
    {'a': ['test', 'train']}
    """
    sides: dict[str, set[str]] = {}
    for name, side in groups:
        sides.setdefault(name, set()).add(side)
    return {name: sorted(there) for name, there in sorted(sides.items()) if len(there) > 1}
