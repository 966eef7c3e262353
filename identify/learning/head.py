"""What turns features into classes: a cosine head. In: rows of features, what they show. Out: logits; pure NumPy.

Features are rooted, those of each depth brought to length 1, centred, and whitened by how pictures of one class differ
among themselves, so that what is only another hand counts less; then the cosine to each class decides
(arXiv:1803.09050), sharpened. The last column is for "none of these", taught by made-up strangers. Whitening and the
classes' first directions are closed formulas (linear discriminant analysis with a shrunken covariance, Friedman 1989,
JASA 84:165-175); descent then turns the directions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
SHRINKAGE = 0.3
"""Of the mean variance: added to each feature's own before whitening."""
SHARPNESS = 16.0
LEAST = 1e-6
BLOCK = 96
"""Triangles of at most so many rows are turned round as any other matrix."""


@dataclass(frozen=True, slots=True)
class Head:
    """The numbers of a head. Rows of features are (rows, size), logits (rows, classes + 1)."""

    depths: tuple[int, ...]  # how many of the features are of each depth of the backbone
    centre: Rows  # (size,) of levelled features
    whitening: Rows  # (size, size)
    directions: Rows  # (size, classes + 1), each of length 1

    def units(self, features: Rows) -> Rows:
        """Return the whitened features, each row of length 1: (rows, size)."""
        return _unit((levelled(features, self.depths) - self.centre) @ self.whitening)

    def logits(self, features: Rows) -> Rows:
        """Return the sharpened cosines to each class and to "none of these": (rows, classes + 1)."""
        return np.asarray(SHARPNESS * (self.units(features) @ self.directions), np.float32)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A head, features of all pictures of its dataset (pictures, size), and a head fitted to some of them alone.

    ``fit`` takes places of pictures; its heads have a column for every class, taught or not. So a head can be judged by
    groups that it did not learn from (``identify.judging.crossfit``). Features that were ``learned`` from the
    teaching pictures know their groups even so: only by others can such a head be judged.
    """

    head: Head
    features: Rows
    fit: Callable[[NDArray[np.int64]], Head]
    learned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """Rows of features and what each shows: a row of ``sets``, which says for each class whether it may be meant.

    A picture known as one class has a set with one class in it; one known as a genus, all of the genus; a stranger, the
    last column alone.
    """

    features: Rows
    shown: NDArray[np.int64]  # (rows,) places in ``sets``
    sets: NDArray[np.bool_]  # (sets, classes + 1); the first are the single classes in their order
    sure: Rows  # (rows,) how likely it is that the label is right, 0 to 1
    depths: tuple[int, ...]  # how many of the features are of each depth of the backbone

    @property
    def classes(self) -> int:
        """How many classes there are, "none of these" left out."""
        return int(self.sets.shape[1]) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Descent:
    """How the directions are turned."""

    rounds: int
    batch: int = 256
    rate: float = 2e-3
    smoothing: float = 0.1
    patience: int = 10
    balance: str = "logits"
    """``logits``: rare classes are asked for more (arXiv:2007.07314); ``sampling``: they are shown more often."""
    seed: int = 0


def fit(lessons: Lessons, descent: Descent, judges: Lessons | None = None) -> tuple[Head, list[float]]:
    """Return the head that ``lessons`` teach, and the loss of each round; the same lessons, the same numbers.

    ``judges`` are rows of pictures set aside, which say when another round brings nothing more.
    """
    first = closed_form(lessons)
    return turned(first, lessons, descent, judges) if descent.rounds else (first, [])


def closed_form(lessons: Lessons) -> Head:
    """Return the head as formulas give it, from the rows that show a single class and the strangers."""
    level = levelled(lessons.features, lessons.depths)
    single = lessons.shown < lessons.classes
    rows, classes = level[single], lessons.shown[single]
    means, counts = _means(rows, classes, lessons.sure[single], lessons.classes)
    there = counts > 0
    within = rows - means[classes]
    covariance = (within.T @ within).astype(np.float64) / max(1, len(rows) - int(there.sum()))
    # Any root of the covariance does, since cosines stay where all is turned alike; this one is the quickest to find.
    covariance[np.diag_indices_from(covariance)] += (
        SHRINKAGE * max(float(np.trace(covariance)), LEAST) / len(covariance)
    )
    root = np.linalg.cholesky(covariance)
    whitening = inverse_of_lower(root).T.astype(np.float32)
    centre = means[there].mean(axis=0) if there.any() else level.mean(axis=0)
    directions = np.zeros((level.shape[1], lessons.classes + 1), np.float32)
    directions[:, :-1][:, there] = _unit((means[there] - centre) @ whitening).T
    strangers = lessons.sets[lessons.shown, -1]
    if strangers.any():
        away = _unit((level[strangers] - centre) @ whitening).mean(axis=0, keepdims=True)
        directions[:, -1] = _unit(away)[0]
    return Head(lessons.depths, centre, whitening, directions)


def turned(head: Head, lessons: Lessons, descent: Descent, judges: Lessons | None = None) -> tuple[Head, list[float]]:
    """Return ``head`` with its directions turned by Adam (arXiv:1412.6980) to make what is shown likelier.

    The loss of a row is -log of the summed probability of the classes in its set; ``smoothing``, and what a label
    lacks of being sure, is spread over all classes. With ``judges`` the best round's directions are taken, and none
    more is tried after ``patience`` rounds that were no better; the first are no round, but may be the best.
    """
    units, directions = head.units(lessons.features), head.directions.copy()
    held = head.units(judges.features) if judges else None
    more = np.zeros(lessons.classes + 1, np.float32)
    if descent.balance == "logits":
        more = adjustment(lessons.shown, lessons.sets)
    random = np.random.default_rng(descent.seed)
    batch = min(descent.batch, len(units))
    steps = descent.rounds * (len(units) // batch)
    first, second = np.zeros_like(directions), np.zeros_like(directions)
    best, step, losses = directions, 0, list[float]()
    least, best_round = (_loss(held, directions, judges), 0) if held is not None and judges else (np.inf, 0)
    for number in range(1, descent.rounds + 1):
        order = order_of(lessons.shown, descent.balance, random)
        for begin in range(0, len(units) - batch + 1, batch):
            some = order[begin : begin + batch]
            step += 1
            blame = _blame(SHARPNESS * (units[some] @ directions) + more, lessons, some, descent.smoothing)
            gradient = units[some].T @ blame * np.float32(SHARPNESS / batch)
            first += np.float32(0.1) * (gradient - first)
            second += np.float32(0.001) * (gradient**2 - second)
            rate = descent.rate * 0.5 * (1 + np.cos(np.pi * step / steps))
            move = (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
            directions = _unit((directions - np.float32(rate) * move.astype(np.float32)).T).T
        if held is None or judges is None:
            best = directions
            continue
        losses.append(_loss(held, directions, judges))
        if losses[-1] < least:
            least, best_round, best = losses[-1], number, directions
        if number - best_round >= descent.patience:
            break
    return Head(head.depths, head.centre, head.whitening, np.ascontiguousarray(best)), losses


def levelled(features: Rows, depths: tuple[int, ...]) -> Rows:
    """Return the roots of features, those of each depth of length 1 by themselves: none outweighs another.

    >>> levelled(np.array([[16.0, 9.0, 100.0]], np.float32), (2, 1)).astype(float).round(2).tolist()
    [[0.8, 0.6, 1.0]]
    """
    ends = np.cumsum(depths)
    parts = zip(ends - np.array(depths), ends, strict=True)
    return np.concatenate([_unit(rooted(features[:, begin:end])) for begin, end in parts], axis=1)


def order_of(shown: NDArray[np.int64], balance: str, random: np.random.Generator) -> NDArray[np.int64]:
    """Return the rows of one round: each once, or with ``sampling`` each set of classes about equally often."""
    if balance != "sampling":
        return random.permutation(len(shown))
    weights = 1.0 / np.bincount(shown)[shown]
    return random.choice(len(shown), len(shown), p=weights / weights.sum())


def _loss(units: Rows, directions: Rows, judges: Lessons) -> float:
    """Return the mean of -log of what is believed of the true classes, strangers not thought of."""
    believed = _softmax(SHARPNESS * (units @ directions[:, :-1]))
    true = (believed * judges.sets[judges.shown, :-1]).sum(axis=1)
    return float(-np.log(np.maximum(true, LEAST)).mean())


def rooted(features: Rows) -> Rows:
    """Return the square roots of features with their signs: a few strong ones do not outweigh all others.

    >>> rooted(np.array([[4.0, -9.0, 0.0]], np.float32)).tolist()
    [[2.0, -3.0, 0.0]]
    """
    return np.asarray(np.sign(features) * np.sqrt(np.abs(features)), np.float32)


def _blame(logits: Rows, lessons: Lessons, some: NDArray[np.int64], smoothing: float) -> Rows:
    """Return the loss' derivative by the logits: what is believed less what should be, (rows, classes + 1)."""
    believed = _softmax(logits)
    meant = lessons.sets[lessons.shown[some]]
    wanted = _softmax(np.where(meant, logits, -np.inf))
    spread = (1 - lessons.sure[some] * np.float32(1 - smoothing))[:, None]
    return np.asarray(believed - (1 - spread) * wanted - spread / logits.shape[1], np.float32)


def adjustment(shown: NDArray[np.int64], sets: NDArray[np.bool_]) -> Rows:
    """Return the logarithm of how frequent each class is beside the average one; 0 for "none of these".

    >>> adjustment(np.array([0, 0, 1, 1]), np.eye(3, dtype=bool)).tolist()
    [0.0, 0.0, 0.0]
    """
    classes = sets.shape[1] - 1
    counts = np.bincount(shown[shown >= 0], minlength=len(sets))[:classes].astype(np.float32)
    logs = np.log(np.maximum(counts, 1.0))
    return np.append(logs - logs.mean(), np.float32(0)).astype(np.float32)


def _means(rows: Rows, classes: NDArray[np.int64], sure: Rows, number: int) -> tuple[Rows, Rows]:
    """Return the classes' means, rows weighed by how sure they are, and how many rows each has."""
    members = np.zeros((number, len(rows)), np.float64)
    members[classes, np.arange(len(rows))] = sure
    sums = members @ rows
    weights = np.bincount(classes, sure, number)
    counts = np.bincount(classes, minlength=number).astype(np.float32)
    return (sums / np.maximum(weights, LEAST)[:, None]).astype(np.float32), counts


def inverse_of_lower(root: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the inverse of a lower triangular matrix, by its quarters: a fifth of what any inverse takes.

    >>> inverse_of_lower(np.array([[2.0, 0.0], [1.0, 4.0]])).tolist()
    [[0.5, 0.0], [-0.125, 0.25]]
    """
    size = len(root)
    if size <= BLOCK:
        return np.asarray(np.tril(np.linalg.inv(root)))
    half = size // 2
    above, below = inverse_of_lower(root[:half, :half]), inverse_of_lower(root[half:, half:])
    whole = np.zeros_like(root)
    whole[:half, :half], whole[half:, half:] = above, below
    whole[half:, :half] = -below @ (root[half:, :half] @ above)
    return whole


def _softmax(logits: Any) -> Rows:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def _unit(rows: Any) -> Rows:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), LEAST), np.float32)
