"""Not more bytes in any ten seconds than a host allows."""

import random

import pytest

from linkeddata.bandwidth import WINDOW_S, Pace


class Time:
    """A clock that goes on when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("seed", range(5))
def test_no_window_of_ten_seconds_holds_more_than_is_allowed(seed: int) -> None:
    drawn, time = random.Random(seed), Time()
    pace = Pace(8.0, clock=time.clock, sleep=time.sleep)  # 10 MB in 10 s
    taken: list[tuple[float, int]] = []
    for _ in range(2000):
        size = drawn.randrange(1, 200_000)
        pace.take(size)
        taken.append((time.now, size))
        time.now += drawn.random() * 0.05
    for moment, _ in taken[::50]:
        assert sum(size for when, size in taken if moment - WINDOW_S < when <= moment) <= 10_000_000
    assert sum(size for _, size in taken) / (time.now - 100.0 + WINDOW_S) > 0.8 * 1_000_000


def test_a_piece_larger_than_the_window_still_comes() -> None:
    time = Time()
    pace = Pace(0.008, clock=time.clock, sleep=time.sleep)  # 10 kB in 10 s
    assert [pace.take(50_000) for _ in range(3)] == [0.0, WINDOW_S, WINDOW_S]
