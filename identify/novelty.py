"""How unlike the training pictures a picture is. In: feature vectors. Out: one number each, 0 to 1; 1 is a stranger.

The measure is the distance to the nearest training pictures in feature space (Sun et al. 2022, arXiv:2204.06507):
nothing is assumed about strangers, and none is needed to fit it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float32]
NEIGHBOURS = 3
MOST_KEPT = 20_000
"""Training features kept at most; a larger set is thinned evenly."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What novelty is measured against: ``features`` (images, size) of length 1; ``scale`` is a stranger's distance."""

    features: Features
    scale: float = 1.0


def unit(features: Features) -> Features:
    """Return feature vectors (images, size) at length 1."""
    lengths = np.linalg.norm(features, axis=-1, keepdims=True)
    result: Features = (features / np.maximum(lengths, 1e-12)).astype(np.float32)
    return result


def reference(features: Features) -> Reference:
    """Return the reference made of training ``features``, shape (images, size)."""
    step = -(-len(features) // MOST_KEPT)
    return Reference(unit(features[::step]))


def distances(known: Reference, features: Features) -> NDArray[np.float64]:
    """Return the mean cosine distance (0 to 2) to the nearest training pictures, shape (images,)."""
    near = min(NEIGHBOURS, len(known.features))
    similarity = unit(features).astype(np.float64) @ known.features.T.astype(np.float64)
    nearest = np.partition(similarity, -near, axis=1)[:, -near:]
    result: NDArray[np.float64] = 1.0 - nearest.mean(axis=1)
    return result


def novelty(known: Reference, features: Features) -> NDArray[np.float64]:
    """Return distances as shares of the stranger's, 0 to 1, six decimals, shape (images,).

    >>> known = Reference(unit(np.eye(3, dtype=np.float32)), scale=0.5)
    >>> [float(n) for n in novelty(known, np.array([[1, 0, 0], [-1, 0, 0]], np.float32))]
    [1.0, 1.0]
    """
    return np.clip(distances(known, features) / max(known.scale, 1e-9), 0.0, 1.0).round(6)
