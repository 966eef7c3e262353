"""What a quicker form of a model costs. In: what both say of the same pictures. Out: ``Measured``."""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from identify.bundle import Measured

MOST_LOST = 0.3
"""Percentage points of accuracy that a quicker form may lose."""
Run = Callable[[NDArray[np.uint8]], object]
"""What answers pictures (images, size, size, 3)."""


def measured(engine: str, own: NDArray[np.floating], whole: NDArray[np.floating], truth: NDArray[np.int64]) -> Measured:
    """Return how an engine does whose logits are ``own`` where those of the float model are ``whole``.

    It is accepted where it puts the right class first at most 0.3 points less often; never where there is nothing to
    measure it on, nor where an answer is no number.

    >>> logits = np.array([[2.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    >>> one = measured("litert-int8", logits, logits, np.array([0, 0]))
    >>> one.accuracy, one.loss_points, one.agreement, one.accepted
    (0.5, 0.0, 1.0, True)
    """
    if not len(truth):
        return Measured(engine=engine, images=0, accuracy=0.0, loss_points=0.0)
    first, before = own[:, :-1].argmax(axis=1), whole[:, :-1].argmax(axis=1)
    right, was = float((first == truth).mean()), float((before == truth).mean())
    lost = round(100 * (was - right), 2)
    return Measured(
        engine=engine,
        images=len(truth),
        accuracy=round(right, 4),
        loss_points=lost,
        agreement=round(float((first == before).mean()), 4),
        accepted=lost <= MOST_LOST and bool(np.isfinite(own).all()),
    )


def images_per_second(run: Run, image: NDArray[np.uint8], seconds: float = 1.0) -> float:
    """Return how many pictures a second ``run`` answers, one at a time."""
    run(image[None])
    times: list[float] = []
    while sum(times) < seconds:
        begun = time.perf_counter()
        run(image[None])
        times.append(time.perf_counter() - begun)
    return round(1 / float(np.median(times)), 1)
