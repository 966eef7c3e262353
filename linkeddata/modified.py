"""When anything that is stored changed last. In: the log. Out: a moment that readers may come back with, or none.

Who writes says the moment, so the log's moments may go back while its sequence grows. A reader who has what was there
at the later moment would then be told that nothing changed. So there is a moment only while none before it is later.
"""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

Rows = Callable[[str, Sequence[Any]], Sequence[Any]]


class Modified:
    """Reads the log from where it stood; ``rows`` answers a question in SQL. May be shared between threads.

    Of two changes in one second, as everywhere in HTTP, the second cannot be told by its date (RFC 9110, 8.8.2.2).
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._known: tuple[int, str, str] = (0, "", "")
        self._lock = Lock()

    def moment(self) -> str:
        """Return the moment of the last change, ``""`` where an earlier change claims a later one."""
        newest, latest = self._read()
        return newest if newest >= latest else ""

    def latest(self) -> str:
        """Return the latest moment that any change claims, which never goes back; ``""`` for an empty log."""
        return self._read()[1]

    def _read(self) -> tuple[str, str]:
        """Return the moment of the last change, and the latest of all."""
        last = self._rows("SELECT seq, moment FROM event ORDER BY seq DESC LIMIT 1", ())
        if not last:
            return "", ""
        seq, newest = last[0]
        with self._lock:
            read_to, _, latest = self._known
            if seq > read_to:
                question = "SELECT max(moment) FROM event WHERE seq > ? AND seq <= ?"
                latest = max(latest, self._rows(question, (read_to, seq))[0][0])
                self._known = (seq, newest, latest)
            else:
                _, newest, latest = self._known
        return newest, latest
