"""Is it anything that was learned at all? In: logits and features of pictures. Out: novelty, 0 to 1; 1 is a stranger.

Several measures of strangeness are weighed together. Which ones, and how much each counts, is learned from pictures
that play the stranger: those of classes that were left out while the rest was learned. Real strangers are never seen.

- ``none``: log-odds of the model's own output "none of these" (outlier exposure, arXiv:1812.04606)
- ``energy``: minus the logarithm of the summed exponentials of the logits (Liu et al. 2020, arXiv:2010.03759)
- ``top``: minus the highest logit; with a cosine head the distance to the nearest class (Mahalanobis where the features
  are whitened: Lee et al. 2018, arXiv:1807.03888)
- ``lead``: minus how far the first class is ahead of the second
- ``apart``: minus how far the highest logit stands out of all, in standard deviations
- ``neighbours``: distance to the nearest pictures that were learned from (Sun et al. 2022, arXiv:2204.06507)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MEASURES = ("none", "energy", "top", "lead", "apart", "neighbours")
NEAREST = 3
"""Neighbours whose mean similarity counts."""
QUANTILES = 201


@dataclass(frozen=True, slots=True, kw_only=True)
class Openness:
    """How strangeness is weighed. A stranger is what is stranger than ``keep`` of the known pictures."""

    weights: tuple[float, ...]  # in the order of MEASURES; 0 leaves one out
    means: tuple[float, ...] = (0.0,) * len(MEASURES)
    scales: tuple[float, ...] = (1.0,) * len(MEASURES)
    known: tuple[float, ...] = ()  # quantiles of the strangeness of known pictures, 0 to 100 % in equal steps
    keep: float = 0.95
    strangers: int = 0  # pictures that played the stranger when the weights were learned

    @property
    def compares(self) -> bool:
        """Whether pictures are compared with those that were learned from."""
        return self.weights[MEASURES.index("neighbours")] != 0.0

    def strangeness(self, measured: Floats) -> Floats:
        """Return the weighed sum of measures, shape (images, measures) → (images,)."""
        weights = np.array(self.weights)
        used = weights != 0.0
        scaled = (measured[:, used] - np.array(self.means)[used]) / np.array(self.scales)[used]
        result: Floats = scaled @ weights[used]
        return result

    def novelty(self, measured: Floats) -> Floats:
        """Return the share of known pictures that are less strange, over ``keep``: 1 is a stranger.

        >>> one = Openness(weights=(0, 0, 1, 0, 0, 0), known=(0.0, 1.0, 2.0, 3.0, 4.0), keep=0.5)
        >>> one.novelty(np.array([[0.0, 0, v, 0, 0, 0] for v in (-1, 1, 2, 9)])).tolist()
        [0.0, 0.5, 1.0, 1.0]
        """
        if not self.known:
            return np.zeros(len(measured))
        steps = np.linspace(0.0, 1.0, len(self.known))
        less = np.interp(self.strangeness(measured), np.maximum.accumulate(self.known), steps)
        return np.clip(less / self.keep, 0.0, 1.0).round(6)


def measures(logits: Floats, features: Floats, bank: NDArray[np.float32]) -> Floats:
    """Return the measures, shape (images, 6), of logits (images, classes + 1) and features (images, size).

    ``bank`` (pictures, size): features of what was learned from, each of length 1; without rows it measures 0.
    """
    classes, last = logits[:, :-1], logits[:, -1]
    highest = classes.max(axis=1)
    summed = np.log(np.exp(classes - highest[:, None]).sum(axis=1)) + highest
    second = np.partition(classes, -2, axis=1)[:, -2] if classes.shape[1] > 1 else highest
    apart = (highest - classes.mean(axis=1)) / np.maximum(classes.std(axis=1), 1e-9)
    return np.stack([last - summed, -summed, -highest, second - highest, -apart, -near(features, bank)], axis=1)


def near(features: Floats, bank: NDArray[np.float32]) -> Floats:
    """Return the mean cosine to the nearest rows of ``bank``, shape (images,)."""
    if not len(bank):
        return np.zeros(len(features))
    lengths = np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-9)
    similar = (features / lengths).astype(np.float32) @ bank.T  # the bank stays as it is: it is large
    nearest = min(NEAREST, len(bank))
    result: Floats = np.partition(similar, -nearest, axis=1)[:, -nearest:].mean(axis=1).astype(np.float64)
    return result


def fit_openness(
    known: Floats, strange: Floats, use: Sequence[str] = MEASURES, keep: float = 0.95, groups: Sequence[str] = ()
) -> Openness:
    """Return weights learned by logistic regression (ridge) between known pictures and those that play the stranger.

    ``known`` and ``strange`` are measures, shape (pictures, 6). No weight goes below 0: each measure is one of
    strangeness. With one measure, or without strangers, nothing is learned.
    """
    chosen = [MEASURES.index(name) for name in use]
    spread = known.std(axis=0)
    chosen = [i for i in chosen if spread[i] > 1e-9] or chosen[:1]
    means, scales = known.mean(axis=0), np.maximum(spread, 1e-9)
    weights = np.zeros(len(MEASURES))
    if len(chosen) == 1 or not len(strange):
        weights[chosen] = 1.0
    else:
        weights[chosen] = _weighed((known[:, chosen] - means[chosen]) / scales[chosen],
                                   (strange[:, chosen] - means[chosen]) / scales[chosen])  # fmt: skip
    openness = Openness(
        weights=_rounded(weights), means=_rounded(means), scales=_rounded(scales), keep=keep, strangers=len(strange)
    )
    levels = np.linspace(0.0, 1.0, QUANTILES)
    return replace(openness, known=_rounded(np.quantile(openness.strangeness(known), levels)))


def _weighed(known: Floats, strange: Floats, ridge: float = 1.0, rounds: int = 2000) -> Floats:
    """Return weights that set strangers apart, each at least 0: projected gradient on a balanced logistic loss."""
    rows = np.concatenate([known, strange])
    aim = np.concatenate([np.zeros(len(known)), np.ones(len(strange))])
    share = np.where(aim > 0, 0.5 / len(strange), 0.5 / len(known))
    weights, offset = np.full(rows.shape[1], 1.0 / rows.shape[1]), 0.0
    step = 4.0 / (1.0 + float((rows**2).sum(axis=1).max() ** 0.5))
    for _ in range(rounds):
        off = share * (1 / (1 + np.exp(-np.clip(rows @ weights + offset, -40, 40))) - aim)
        weights = np.maximum(0.0, weights - step * (rows.T @ off + ridge * weights / len(rows)))
        offset -= step * float(off.sum())
    return weights if weights.any() else np.full(rows.shape[1], 1.0 / rows.shape[1])


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(round(float(v), 6) for v in values)
