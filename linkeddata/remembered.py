"""What was made of the store's records, for as long as the log has no new entry. In: the log's end. Out: values by key.

Everything that changes is in the log, whichever process changed it. So what was made while the log ended where it ends
now is still right; with the next entry all is forgotten, whatever it was about.
"""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """Values by key, at most ``most`` of them; ``now`` tells where the log ends. May be shared between threads.

    >>> ends = iter([7, 7, 8])
    >>> values = Remembered[str](lambda: next(ends), 10)
    >>> values.keep("a", "made of it", values.now())
    >>> values.get("a", values.now()), values.get("a", values.now())
    ('made of it', None)
    """

    def __init__(self, now: Callable[[], int], most: int) -> None:
        self.now = now
        self._most = most
        self._kept: tuple[int, dict[Hashable, T]] = (-1, {})
        self._lock = Lock()

    def get(self, key: Hashable, now: int) -> T | None:
        """Return the value made while the log ended at ``now``."""
        made_at, values = self._kept
        return values.get(key) if made_at == now else None

    def keep(self, key: Hashable, value: T, before: int) -> None:
        """Keep a value for which nothing was read before the log ended at ``before``."""
        with self._lock:
            made_at, values = self._kept
            if before < made_at:
                return
            if before > made_at:
                values = {}
                self._kept = (before, values)
            if len(values) >= self._most:
                del values[next(iter(values))]
            values[key] = value
