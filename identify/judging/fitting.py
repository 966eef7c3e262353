"""A judgement is fitted. In: what a model made of pictures whose groups it did not learn from. Out: ``Judgement``."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from identify.judging.calibration import fit_calibration
from identify.judging.conformal import COVERAGES, coverage_for
from identify.judging.judgement import NO_BANK, Basis, Judgement
from identify.judging.openset import MEASURES, Openness, fit_openness
from identify.judging.ranks import OWN, ranks_of
from identify.judging.words import PRECISIONS, Rung, words_for
from linkeddata.records import ModelClass

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
KEEP = 0.95
"""Share of known pictures that must not be taken for strangers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Held-out pictures and what a model made of each that had not learned from its group."""

    logits: Floats  # (pictures, classes + 1)
    measured: Floats  # (pictures, measures), see ``openset``
    truth: Places  # class; -1 for a picture that plays the stranger, as its class was left out or it was made up
    groups: tuple[str, ...] = ()
    how: str = ""

    @classmethod
    def none(cls, classes: int, how: str = "") -> "Evidence":
        """Return what there is where nothing could be held out."""
        return cls(
            logits=np.zeros((0, classes + 1)),
            measured=np.zeros((0, len(MEASURES))),
            truth=np.zeros(0, np.int64),
            how=how,
        )

    def __len__(self) -> int:
        return len(self.truth)


def fit(
    evidence: Evidence,
    classes: Sequence[ModelClass],
    *,
    bank: NDArray[np.float32] = NO_BANK,
    use: Sequence[str] = MEASURES,
    keep: float = KEEP,
    openness: Openness | None = None,
) -> Judgement:
    """Return the judgement that ``evidence`` supports.

    ``use``: the measures of strangeness that may count; ``openness`` where that was fitted elsewhere.
    """
    known = evidence.truth >= 0
    truth = evidence.truth[known]
    if not len(truth):
        return Judgement(basis=Basis(how=evidence.how), bank=bank)
    openness = openness or fit_openness(evidence.measured[known], evidence.measured[~known], use, keep)
    novelty = openness.novelty(evidence.measured[known])
    logits = evidence.logits[known, :-1]
    calibration = fit_calibration(logits, novelty, [int(t) for t in truth])
    probabilities = calibration.probabilities(logits, novelty)
    answered = novelty < 1.0
    rungs = rungs_of(probabilities[answered], truth[answered], classes)
    groups = sorted({group for group, here in zip(evidence.groups, known, strict=False) if here and group})
    return Judgement(
        calibration=calibration,
        openness=openness,
        words=tuple(words_for(precision, rungs) for precision in PRECISIONS),
        coverages=tuple(coverage_for(asked, probabilities, [int(t) for t in truth]) for asked in COVERAGES),
        basis=Basis(how=evidence.how, images=len(truth), groups=tuple(groups)),
        bank=bank if openness.compares else NO_BANK,
    )


def rungs_of(probabilities: Floats, truth: Places, classes: Sequence[ModelClass]) -> list[Rung]:
    """Return how pictures were answered at each rank, the classes' own first; ``probabilities`` (pictures, classes)."""
    if not len(truth):
        return []
    first = probabilities.argmax(axis=1)
    labels = tuple(classes[int(i)].label for i in first)
    rungs = [Rung(OWN, probabilities.max(axis=1), first == truth, labels)]
    for rank in ranks_of(classes):
        place, mass = rank.heaviest(probabilities)
        rungs.append(Rung(rank.name, mass, rank.members[place, truth] > 0))
    return rungs
