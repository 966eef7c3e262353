"""Figures: against values worked out by hand or known from the literature."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identify.evaluate import (
    auroc,
    calibration_error,
    confusion,
    per_class,
    rejection_curve,
    share,
    threshold_keeping,
)


def test_wilson_interval_agrees_with_published_values() -> None:
    # Newcombe 1998, Statistics in Medicine 17:857-872, table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    for right, of, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        figure = share(right, of)
        assert (figure.low, figure.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))
    assert (share(1, 29).low, share(1, 29).high) == (0.0061, 0.1718)


def test_a_share_of_nothing_says_nothing() -> None:
    assert (share(0, 0).low, share(0, 0).high) == (0.0, 1.0)


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_share_lies_in_its_interval(right: int, of: int) -> None:
    figure = share(min(right, of), of)
    assert 0 <= figure.low <= figure.value <= figure.high <= 1


def test_confusion_counts_unknown_apart_and_per_class_divides_by_what_there_is() -> None:
    counts = confusion([0, 0, 1, 1, 2], [0, 1, 1, -1, 0], 3)
    assert counts.tolist() == [[1, 1, 0, 0], [0, 1, 0, 1], [1, 0, 0, 0]]
    rows = per_class(counts, ["a", "b", "c"])
    assert [(r.precision, r.recall, r.support, r.answered) for r in rows] == [
        (0.5, 0.5, 2, 2),
        (0.5, 0.5, 2, 2),
        (0.0, 0.0, 1, 0),
    ]


def test_auroc_is_the_chance_that_a_stranger_is_stranger() -> None:
    assert auroc([0.1, 0.2], [0.3, 0.4]) == 1.0
    assert auroc([0.1, 0.4], [0.1, 0.4]) == 0.5
    assert auroc([0.1, 0.3], [0.2]) == 0.5
    assert auroc([], [0.2]) == 0.5


def test_keeping_more_of_the_known_rejects_fewer_strangers() -> None:
    random = np.random.default_rng(2)
    known, strangers = list(random.beta(2, 6, 300)), list(random.beta(6, 2, 300))
    curve = rejection_curve(known, strangers)
    rejected = [point["rejected"] for point in curve]
    assert rejected == sorted(rejected, reverse=True)
    assert np.mean(np.array(known) <= threshold_keeping(known, 0.95)) == pytest.approx(0.95, abs=0.01)
    assert rejection_curve([], strangers) == []


def test_calibration_error_of_the_certain_and_wrong_is_one() -> None:
    assert calibration_error([1.0, 1.0], [False, False]) == 1.0
    assert calibration_error([0.75] * 4, [True, True, True, False]) == 0.0
    assert calibration_error([], []) == 0.0
