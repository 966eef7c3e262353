"""How much a verdict on something matters. In: what is known about it. Out: a score, and the reasons for it.

Pure. The points are weights of ours, not probabilities: what reviewers disagree about comes first, then what a second
reviewer is asked for, then doubt of every kind.
"""

from dataclasses import dataclass

REVIEWERS_DISAGREE = 200.0
SECOND_REVIEWER = 60.0
PEOPLE_DISAGREE = 40.0
MACHINE_AGAINST_CROWD = 35.0
LOW_CERTAINTY = 30.0
RARE_CLASS = 20.0
NEW_TO_THE_MODEL = 15.0
STRANGE_PICTURE = 10.0
COULD_NOT_TELL = -25.0
RARE_BELOW = 10
"""Accepted pictures of a taxon from which on it is not rare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the score is made of. Shares and probabilities are 0-1."""

    support: int = 0
    dissent: int = 0
    probability: float = 1.0
    counted: bool = False
    """Whether it is a label's: near 0, people are as sure that it is not, as they are near 1 that it is."""
    novelty: float = 0.0
    machine_says: str = ""
    """A taxon that the machine names, or the crowd where this is the machine's, and that is no part of this lineage."""
    examples: int = RARE_BELOW
    """Accepted pictures of this taxon."""
    known_to_model: bool = True
    disputed: bool = False
    second: bool = False
    """Whether one reviewer has judged it and another is asked for."""
    unsure: int = 0
    """Reviewers who could not tell."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One part of a score, in points, with words for people."""

    points: float
    words: str


def reasons(evidence: Evidence) -> tuple[Reason, ...]:
    """Return what speaks for asking an expert, the weightiest first.

    >>> [reason.words for reason in reasons(Evidence(support=2, dissent=2, probability=0.5))]
    ['people disagree: 2 for, 2 against', 'uncertain: 50 %']
    """
    voices = evidence.support + evidence.dissent
    against = evidence.dissent / voices if voices else 0.0
    sure = evidence.probability
    doubt = 2 * min(sure, 1 - sure) if evidence.counted else 1 - sure
    rare = max(0.0, 1 - evidence.examples / RARE_BELOW)
    weighed = (
        Reason(REVIEWERS_DISAGREE * evidence.disputed, "reviewers disagree"),
        Reason(SECOND_REVIEWER * evidence.second, "a second reviewer is asked for"),
        Reason(
            PEOPLE_DISAGREE * 2 * min(against, 1 - against),
            f"people disagree: {evidence.support} for, {evidence.dissent} against",
        ),
        Reason(
            MACHINE_AGAINST_CROWD * bool(evidence.machine_says), f"crowd and machine differ: {evidence.machine_says}"
        ),
        Reason(LOW_CERTAINTY * doubt, f"uncertain: {100 * sure:.0f} %"),
        Reason(RARE_CLASS * rare, f"rare: {evidence.examples} accepted so far"),
        Reason(NEW_TO_THE_MODEL * (not evidence.known_to_model), "new to the model"),
        Reason(STRANGE_PICTURE * evidence.novelty, "unlike what the model learned from"),
        Reason(COULD_NOT_TELL * evidence.unsure, f"{evidence.unsure} could not tell"),
    )
    return tuple(sorted((one for one in weighed if abs(one.points) >= 0.5), key=lambda one: -one.points))


def score(evidence: Evidence) -> float:
    """Return the sum of the reasons' points."""
    return round(sum(reason.points for reason in reasons(evidence)), 3)
