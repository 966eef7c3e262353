"""What to ask next, and what needs nothing more. In: labels and files. Out: files, by what one vote would change.

A label of probability p moves by 2 k p (1 - p) on average when one more person answers who knows with chance k and
guesses otherwise: the vote is a yes with probability q = p e + (1 - p)(1 - e), e = (1 + k) / 2, and Bayes' rule moves p
by p (1 - p)(2 e - 1) / q up or down. So it is most where people are divided, and nothing where all is settled.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from linkeddata.records import Label

AVERAGE_SKILL = 0.75
"""The k of whoever comes next."""
NOBODY_YET, FEW, DIVIDED, UNSURE, ENOUGH = "nobody yet", "too few", "divided", "unsure", "enough"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """When a file needs no more votes: a label is accepted, so many people answered, and it is so sure."""

    voters: int = 3
    probability: float = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One file: how hard it is, and what one more vote would change."""

    file: str
    voters: int
    names: tuple[str, ...]
    """What people say, the most probable first."""
    difficulty: float
    """How likely the most probable answer is wrong, 0-1."""
    change: float
    """How much the probability of a label moves on average, 0-0.5."""
    why: str
    """``nobody yet``, ``too few``, ``divided``, ``unsure`` or ``enough``."""


def expected_change(probability: float, skill: float = AVERAGE_SKILL) -> float:
    """Return how much one more vote moves a probability on average.

    >>> expected_change(0.5), expected_change(0.9), expected_change(1.0)
    (0.375, 0.135, 0.0)
    """
    return round(2 * skill * probability * (1 - probability), 6)


def asked(files: Iterable[str], labels: Iterable[Label], stop: Stop) -> list[Asked]:
    """Return all files, those first on which one more vote changes most; those with enough come last."""
    by_file: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        if (label.counted or label.status) not in ("withdrawn", "machine"):
            by_file[label.file].append(label)
    found = [_asked(file, by_file.get(file, []), stop) for file in files]
    return sorted(found, key=lambda one: (one.why == ENOUGH, -one.change, one.file))


def reason(labels: Iterable[Label], stop: Stop) -> str:
    """Return why a file needs more votes, or that it has enough: ``labels`` are all that it has."""
    standing = [one for one in labels if (one.counted or one.status) not in ("withdrawn", "machine")]
    return _why(standing, max(one.voters for one in standing), stop) if standing else NOBODY_YET


def counts_by_reason(reasons: Iterable[str]) -> dict[str, int]:
    """Return how many files there are for each reason."""
    return dict.fromkeys((NOBODY_YET, FEW, DIVIDED, UNSURE, ENOUGH), 0) | Counter(reasons)


def _asked(file: str, labels: Sequence[Label], stop: Stop) -> Asked:
    if not labels:
        return Asked(file=file, voters=0, names=(), difficulty=1.0, change=expected_change(0.5), why=NOBODY_YET)
    ordered = sorted(labels, key=lambda label: (-label.probability, label.concept))
    voters = max(label.voters for label in labels)
    return Asked(
        file=file,
        voters=voters,
        names=tuple(label.name or label.concept for label in ordered),
        difficulty=round(1 - ordered[0].probability, 3),
        change=max(expected_change(label.probability) for label in labels),
        why=_why(ordered, voters, stop),
    )


def _why(labels: Sequence[Label], voters: int, stop: Stop) -> str:
    states = [label.counted or label.status for label in labels]
    accepted = [label for label, state in zip(labels, states, strict=True) if state == "accepted"]
    if not accepted:
        return FEW if "single" in states else DIVIDED
    if voters < stop.voters:
        return FEW
    return ENOUGH if min(label.probability for label in accepted) >= stop.probability else UNSURE


def as_rows(found: Iterable[Asked], titles: Mapping[str, str]) -> list[dict[str, object]]:
    """Return the files as plain rows, with their titles, for tables and JSON."""
    return [
        {
            "file": one.file,
            "title": titles.get(one.file, ""),
            "voters": one.voters,
            "names": list(one.names),
            "difficulty": one.difficulty,
            "change": one.change,
            "why": one.why,
        }
        for one in found
    ]
