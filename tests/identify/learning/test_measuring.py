"""A quicker form is taken only where it loses nothing to speak of on pictures that were held out."""

import numpy as np
import pytest

from identify.learning.measuring import MOST_LOST, measured


def logits(right: int, of: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    """Return logits of two classes and none, of which the first ``right`` put class 0 first."""
    rows = np.tile([0.0, 1.0, -1.0], (of, 1))
    rows[:right, 0] = 2.0
    return rows


@pytest.mark.parametrize(("right", "accepted"), [(900, True), (897, True), (896, False), (950, True)])
def test_three_in_a_thousand_may_be_lost_and_no_more(right: int, accepted: bool) -> None:
    one = measured("litert-int8", logits(right, 1000), logits(900, 1000), np.zeros(1000, np.int64))
    assert one.accepted is accepted
    assert one.loss_points == pytest.approx((900 - right) / 10)
    assert (one.loss_points <= MOST_LOST) is accepted
    assert one.agreement == pytest.approx(1 - abs(900 - right) / 1000)


def test_where_nothing_is_held_out_nothing_is_taken() -> None:
    one = measured("openvino", logits(0, 0), logits(0, 0), np.zeros(0, np.int64))
    assert not one.accepted


def test_what_answers_with_no_number_is_not_taken() -> None:
    own = logits(900, 1000)
    own[3] = np.nan
    assert not measured("litert-int8", own, logits(900, 1000), np.zeros(1000, np.int64)).accepted
