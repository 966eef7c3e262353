"""What was made of the store's records, for as long as the log has no new entry. In: a store. Out: values by key.

Everything that changes is in the log, whichever process changed it. So what was made while the log ended where it ends
now is still right; with the next entry all is forgotten, whatever it was about.
"""

from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

from linkeddata.store import Store

T = TypeVar("T")


class Remembered(Generic[T]):
    """Values by key, at most ``most`` of them. May be shared between threads.

    >>> from linkeddata.records import Taxon
    >>> with Store("sqlite://") as store:
    ...     values = Remembered[int](store, 10)
    ...     values.keep("a", 1, values.now())
    ...     before = values.get("a", values.now())
    ...     _ = store.put([Taxon(query="lion")], agent="cli", moment="2026-01-01T00:00:00Z")
    ...     before, values.get("a", values.now())
    (1, None)
    """

    def __init__(self, store: Store, most: int) -> None:
        self._store = store
        self._most = most
        self._made_at = -1
        self._values: dict[Hashable, T] = {}
        self._lock = Lock()

    def now(self) -> int:
        """Return where the log ends."""
        return self._store.state()[0]

    def get(self, key: Hashable, now: int) -> T | None:
        """Return the value made while the log ended at ``now``."""
        with self._lock:
            return self._values.get(key) if self._made_at == now else None

    def keep(self, key: Hashable, value: T, before: int) -> None:
        """Keep a value for which nothing was read before the log ended at ``before``."""
        with self._lock:
            if before != self._made_at:
                if before < self._made_at:
                    return
                self._made_at, self._values = before, {}
            if len(self._values) >= self._most:
                del self._values[next(iter(self._values))]
            self._values[key] = value
