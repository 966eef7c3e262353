"""Not more bytes in any ten seconds than a host allows. In: pieces as they come. Out: a pause before the next one.

Wikimedia asks for at most 25 Mbit/s over any 10 s from its image host (https://wikitech.wikimedia.org/wiki/Robot_policy).
"""

import threading
import time
from collections import deque
from collections.abc import Callable

WINDOW_S = 10.0


class Pace:
    """Spreads bytes so that no window of ten seconds holds more than ``mbit_s`` allows. Threads may share it."""

    def __init__(
        self, mbit_s: float, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._allowed = mbit_s * 1_000_000 / 8 * WINDOW_S
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._taken: deque[tuple[float, int]] = deque()
        self._sum = 0

    def take(self, size_bytes: int) -> float:
        """Wait until ``size_bytes`` may go through; return the seconds waited. A piece larger than a window goes alone.

        >>> pace, waits = Pace(0.8, clock=lambda: 0.0, sleep=lambda seconds: None), []
        >>> [pace.take(400_000) for _ in range(5)]
        [0.0, 0.0, 10.0, 10.0, 20.0]
        """
        with self._lock:
            now = self._clock()
            when = max(now, self._taken[-1][0]) if self._taken else now
            while self._taken and (self._taken[0][0] <= when - WINDOW_S or self._sum + size_bytes > self._allowed):
                moment, size = self._taken.popleft()
                when = max(when, moment + WINDOW_S)
                self._sum -= size
            self._taken.append((when, size_bytes))
            self._sum += size_bytes
        if when > now:
            self._sleep(when - now)
        return when - now
