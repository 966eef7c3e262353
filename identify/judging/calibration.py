"""Logits to probabilities that can be believed. In: logits, how strange each picture is. Out: probabilities.

Temperature scaling (Guo et al. 2017, arXiv:1706.04599), with one number more: a picture less like those that were
learned from gets a higher temperature, so that a strange hand makes the model less sure instead of wrong and sure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
TEMPERATURES = np.geomspace(0.1, 10.0, 81)
HEATS = np.linspace(0.0, 3.0, 25)
ENOUGH = 50
"""Pictures from which on two numbers are fitted and not one."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """``temperature`` divides the logits of a picture of novelty 0; at novelty 1 it is ``exp(heat)`` times that."""

    temperature: float = 1.0
    heat: float = 0.0

    def probabilities(self, logits: Floats, novelty: Floats) -> Floats:
        """Return probabilities, shape (images, classes), of logits of the same shape and novelty (images,), 0 to 1.

        >>> Calibration(1.0, 1.0).probabilities(np.array([[2.0, 0.0], [2.0, 0.0]]), np.array([0.0, 1.0])).round(2)
        array([[0.88, 0.12],
               [0.68, 0.32]])
        """
        return softmax(logits / (self.temperature * np.exp(self.heat * np.asarray(novelty)))[:, None])


def softmax(logits: Floats) -> Floats:
    """Return probabilities over the last axis."""
    scaled = np.asarray(logits, np.float64)
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    result: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return result


def fit_calibration(logits: Floats, novelty: Floats, truth: Sequence[int]) -> Calibration:
    """Return the calibration that makes ``truth`` likeliest, found on a grid; none without pictures.

    The pictures must be of groups that whatever gave the logits has not learned from.
    """
    if not len(truth):
        return Calibration()
    heats = HEATS if len(truth) >= ENOUGH else HEATS[:1]
    losses = {(t, h): _loss(Calibration(t, h), logits, novelty, truth) for h in heats[::4] for t in TEMPERATURES[::4]}
    coarse = min(losses, key=lambda pair: losses[pair])
    near_t = TEMPERATURES[np.abs(np.log(TEMPERATURES / coarse[0])) < 0.25]
    near_h = heats[np.abs(heats - coarse[1]) < 0.5]
    fine = {(t, h): _loss(Calibration(t, h), logits, novelty, truth) for h in near_h for t in near_t}
    temperature, heat = min(fine, key=lambda pair: fine[pair])
    return Calibration(round(float(temperature), 4), round(float(heat), 4))


def _loss(calibration: Calibration, logits: Floats, novelty: Floats, truth: Sequence[int]) -> float:
    given = calibration.probabilities(logits, novelty)[np.arange(len(truth)), list(truth)]
    return float(-np.log(given + 1e-12).mean())
