"""On which side an example stands. In: candidates in their blocs, rules, a seed. Out: candidates with sides.

Whole blocs go to a side each, so that every class is on every side where it can be (``strata``); what has its side
already keeps it.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from crowd.campaign import DatasetRules
from harvest.datasets.manifest import KNOWN, STRANGER, TEST, TRAIN, VALIDATION
from harvest.datasets.selection import Candidate
from harvest.datasets.strata import assigned
from linkeddata.ids import content_id


def split_by_group(
    candidates: Sequence[Candidate],
    rules: DatasetRules,
    seed: int,
    settled: Mapping[str, str],
    before: Mapping[str, str],
) -> list[tuple[str, Candidate]]:
    """Put whole blocs on one side each.

    ``settled`` are the sides of blocs that have one, ``before`` those of the version before, by SHA-1. A side for which
    groups are named takes no others. Where blocs of several are free and a side that shall have a share would have
    nothing, the smallest goes there, whatever training then lacks.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    sizes: Counter[str] = Counter()
    for candidate in candidates:
        if candidate.taxon:
            counts[group_of(candidate)].update(() if candidate.coarse else candidate.concepts)
            sizes[group_of(candidate)] += 1
    there = {side: Counter[str]() for side in (TRAIN, TEST, VALIDATION)}
    for name, one in settled.items():
        there[one].update(counts.get(name, {}))
    named = {TEST: rules.test_groups, VALIDATION: rules.validation_groups}
    shares = {TEST: rules.test_share, VALIDATION: rules.validation_share}
    shares = {side: share for side, share in shares.items() if share and not named[side]}
    free = sorted((name for name in counts if name not in settled), key=lambda name: content_id(str(seed), name))
    given = assigned([counts[name] for name in free], there, shares, max(1, rules.min_images))
    sides = dict(zip(free, given, strict=True))
    for side in shares:
        learning = [name for name in free if sides[name] == TRAIN]
        if side not in sides.values() and not there[side] and len(learning) > 2:
            sides[min(learning, key=lambda name: sizes[name])] = side
    sides |= settled
    of_copies = {c.cluster: before[c.source.sha1] for c in candidates if c.cluster and c.source.sha1 in before}
    earlier = (before.get(c.source.sha1) or of_copies.get(c.cluster, "") for c in candidates)
    return [(_side(c, sides, was, rules, seed), c) for c, was in zip(candidates, earlier, strict=True)]


def _side(candidate: Candidate, sides: Mapping[str, str], before: str, rules: DatasetRules, seed: int) -> str:
    if not candidate.taxon:
        return STRANGER
    name = sides[group_of(candidate)]
    if name != TRAIN or before in (TRAIN, KNOWN):
        return before if name == TRAIN else name
    draw = int(content_id(str(seed), "known", candidate.cluster or candidate.source.sha1)[:8], 16) / 2**32
    return KNOWN if draw < rules.known_share else TRAIN


def group_of(candidate: Candidate) -> str:
    """Return the name of what must stand on one side together."""
    return candidate.together or candidate.media.group or candidate.source.sha1
