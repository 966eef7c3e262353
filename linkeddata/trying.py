"""What a later try may mend. In: a status, headers, a service's error code. Out: whether to try again, and when.

Two kinds of trouble are told apart. A *limit* says "wait": too many requests, a lagged database, any ``Retry-After``.
What is *broken* (no answer, half an answer, an error page) is tried again a few times.
"""

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
LIMIT_STATUS = "HTTP 429"
LIMIT_CODES = frozenset({"maxlag", "ratelimited", "readonly", "too-many-requests", "cirrussearch-too-busy-error"})
"""MediaWiki error codes that mean "later", not "no"."""

CUT_OFF = "cut off"
TOO_SLOW = "too slow"


class TryAgainError(Exception):
    """One try failed in a way that a later try may mend; ``wait_s`` is what the service asked for, if it did.

    ``kind`` is a short and fixed word for the reason, to count by. Raised by what is handed to ``Client.tries`` and
    caught there: no caller of a client ever sees it.
    """

    def __init__(self, reason: str, wait_s: float | None = None, *, kind: str = "") -> None:
        super().__init__(reason)
        self.wait_s = wait_s
        self.kind = kind or reason.partition(" (")[0]

    @property
    def is_limit(self) -> bool:
        """Whether the service said "wait", rather than failed."""
        return bool(self.wait_s) or self.kind in LIMIT_CODES or self.kind == LIMIT_STATUS


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds a ``Retry-After`` header asks for (a number or an HTTP date), ``None`` without one.

    >>> retry_after({"Retry-After": "5"})
    5.0
    """
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None
