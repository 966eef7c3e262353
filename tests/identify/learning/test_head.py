"""The head alone: formulas and descent on rows of numbers, no network."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from identify.learning.head import BLOCK, Descent, Lessons, closed_form, fit, inverse_of_lower, order_of

Rows = NDArray[np.float32]
CLASSES, SIZE = 6, 24


def rows_of(shown: NDArray[np.int64], seed: int, noise: float = 0.5) -> Rows:
    """Return features of classes (``CLASSES`` is a stranger) that differ in their means."""
    middles = np.random.default_rng(0).uniform(0, 3, (CLASSES + 1, SIZE))
    return np.abs(middles[shown] + np.random.default_rng(seed).normal(0, noise, (len(shown), SIZE))).astype(np.float32)


def lessons(shown: NDArray[np.int64], sets: NDArray[np.bool_] | None = None, *, seed: int = 1) -> Lessons:
    return Lessons(
        features=rows_of(shown, seed),
        shown=shown,
        sets=np.eye(CLASSES + 1, dtype=bool) if sets is None else sets,
        sure=np.ones(len(shown), np.float32),
        depths=(16, 8),
    )


EVEN = np.repeat(np.arange(CLASSES + 1), 20)


def test_classes_and_strangers_are_told_apart_and_features_have_length_one() -> None:
    head, losses = fit(lessons(EVEN), Descent(rounds=5, batch=32))
    fresh = rows_of(EVEN, seed=9)
    assert (head.logits(fresh).argmax(axis=1) == EVEN).mean() > 0.95
    assert np.linalg.norm(head.units(fresh), axis=1) == pytest.approx(1.0, abs=1e-4)
    assert losses == []  # nobody was set aside to judge


def test_the_same_lessons_give_the_same_bits() -> None:
    one, other = (fit(lessons(EVEN), Descent(rounds=3, batch=32, seed=4))[0] for _ in range(2))
    assert one.directions.tobytes() == other.directions.tobytes()
    assert one.whitening.tobytes() == other.whitening.tobytes()


def test_descent_makes_what_is_shown_likelier() -> None:
    taught = lessons(EVEN)
    head, _ = fit(taught, Descent(rounds=12, batch=32, rate=1e-2, smoothing=0.0))

    def loss(logits: Rows) -> float:
        away = logits - logits.max(axis=1, keepdims=True)
        return float(-(away - np.log(np.exp(away).sum(axis=1, keepdims=True)))[np.arange(len(EVEN)), EVEN].mean())

    assert loss(head.logits(taught.features)) < loss(closed_form(taught).logits(taught.features))


def test_learning_ends_when_another_round_brings_nothing() -> None:
    judges = lessons(np.repeat(np.arange(CLASSES), 10), seed=7)
    _, losses = fit(lessons(EVEN), Descent(rounds=500, batch=32, rate=0.5, patience=3), judges)
    assert len(losses) < 500


def test_what_is_known_as_one_of_several_classes_teaches_that_it_is_one_of_them() -> None:
    # Class 5 has one picture; forty are known as "4 or 5" and look like 5.
    sets = np.vstack([np.eye(CLASSES + 1, dtype=bool), np.isin(np.arange(CLASSES + 1), [4, 5])])
    single = np.concatenate([np.repeat(np.arange(5), 20), [5]])
    looks = np.concatenate([single, np.full(40, 5)])
    shown = np.concatenate([single, np.full(40, CLASSES + 1)])
    own = Lessons(
        features=rows_of(looks, seed=3, noise=1.0),
        shown=shown,
        sets=sets,
        sure=np.ones(len(shown), np.float32),
        depths=(SIZE,),
    )
    without = Lessons(
        features=own.features[: len(single)],
        shown=single,
        sets=sets,
        sure=own.sure[: len(single)],
        depths=(SIZE,),
    )
    fresh = rows_of(np.full(200, 5), seed=11, noise=1.0)
    taught, untaught = (fit(one, Descent(rounds=30, batch=16, rate=5e-3))[0].logits(fresh) for one in (own, without))

    def mass(logits: Rows) -> float:
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return float((powers[:, [4, 5]].sum(axis=1) / powers.sum(axis=1)).mean())

    assert mass(taught) > mass(untaught)


def test_rare_classes_are_found_more_often_when_they_are_asked_for() -> None:
    shown = np.concatenate([np.repeat(np.arange(5), 60), np.full(3, 5)])
    own = Lessons(
        features=rows_of(shown, seed=2, noise=1.6),
        shown=shown,
        sets=np.eye(CLASSES + 1, dtype=bool),
        sure=np.ones(len(shown), np.float32),
        depths=(SIZE,),
    )
    fresh = rows_of(np.full(300, 5), seed=5, noise=1.6)

    def found(balance: str) -> float:
        head, _ = fit(own, Descent(rounds=40, batch=32, rate=1e-2, balance=balance))
        return float((head.logits(fresh).argmax(axis=1) == 5).mean())

    assert found("logits") > found("none")


def test_rare_classes_are_shown_as_often_as_others_when_that_is_asked_for() -> None:
    shown = np.concatenate([np.repeat(0, 990), np.repeat(1, 10)])
    random = np.random.default_rng(1)
    assert np.bincount(shown[order_of(shown, "sampling", random)]) == pytest.approx([500, 500], abs=80)
    assert sorted(order_of(shown, "logits", random)) == list(range(1000))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, CLASSES), min_size=1, max_size=12), st.integers(0, 99))
def test_few_rows_missing_classes_and_empty_features_give_finite_numbers(classes: list[int], seed: int) -> None:
    own = lessons(np.array(classes, np.int64), seed=seed)
    own.features[0] = 0.0
    head, _ = fit(own, Descent(rounds=2, batch=4, seed=seed))
    assert np.isfinite(head.logits(own.features)).all()


@pytest.mark.parametrize("size", [1, BLOCK, BLOCK + 1, 3 * BLOCK + 7])
def test_a_triangle_is_turned_round_by_its_quarters(size: int) -> None:
    rows = np.random.default_rng(size).normal(size=(2 * size, size))
    root = np.linalg.cholesky(rows.T @ rows + np.eye(size))
    found = inverse_of_lower(root)
    assert found @ root == pytest.approx(np.eye(size), abs=1e-9)
    assert np.array_equal(found, np.tril(found))
