"""All pairs of prints within a distance are found, and no other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays

from harvest.datasets.neighbours import pairs_within

prints = arrays.arrays(np.uint64, some.integers(0, 60), elements=some.integers(0, 2**64 - 1))


def apart(left: list[int], right: list[int], distance: int) -> set[tuple[int, int, int]]:
    return {
        (a, b, (x ^ y).bit_count())
        for a, x in enumerate(left)
        for b, y in enumerate(right)
        if (x ^ y).bit_count() <= distance
    }


@pytest.mark.parametrize("distance", [0, 4, 8, 9, 14])
def test_no_pair_within_the_distance_is_missed(distance: int) -> None:
    rng = np.random.default_rng(distance)
    left = rng.integers(0, 2**64, 3_000, dtype=np.uint64)
    planted = set()
    for place in range(0, 600, 2):
        bits = rng.choice(64, int(rng.integers(0, 17)), replace=False)
        left[place + 1] = int(left[place]) ^ sum(1 << int(bit) for bit in bits)
        planted |= {(place, place + 1)} if len(bits) <= distance else set()
    first, second, bits = pairs_within(left, distance=distance, few=0)
    assert planted <= set(zip(first.tolist(), second.tolist(), strict=True))
    assert (np.bitwise_count(left[first] ^ left[second]) == bits).all()
    assert (first < second).all()
    assert (bits <= distance).all()
    other = left[::-1].copy()
    one, two, _ = pairs_within(left, other, distance, few=0)
    both = {(a, len(left) - 1 - b) for a, b in zip(one.tolist(), two.tolist(), strict=True)}
    assert {(a, b) for a, b in both if a < b} == set(zip(first.tolist(), second.tolist(), strict=True))


@given(prints, prints, some.integers(0, 14))
def test_few_prints_are_all_compared(left: np.ndarray, right: np.ndarray, distance: int) -> None:
    first, second, bits = pairs_within(left, right, distance)
    found = set(zip(first.tolist(), second.tolist(), bits.tolist(), strict=True))
    assert found == apart(left.tolist(), right.tolist(), distance)


def test_what_is_too_far_cannot_be_looked_for() -> None:
    with pytest.raises(ValueError, match="distance 15"):
        pairs_within(np.zeros(2, np.uint64), distance=15)
