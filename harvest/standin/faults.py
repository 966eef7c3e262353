"""What can go wrong with a service, on demand. In: "the next answer here shall fail like so". Out: that failure.

The kinds are those that Wikimedia, GBIF, WoRMS and the query services have been seen to show.
"""

import threading
from dataclasses import dataclass, replace

from harvest.standin.exchange import Reply, html_reply, json_reply

_STACK_TRACE = (
    b"\nSPARQL-QUERY: queryStr=SELECT ...\njava.util.concurrent.TimeoutException\n"
    b"\tat java.util.concurrent.FutureTask.get(FutureTask.java:205)\n"
)
_BROKEN_OFF = (
    b"\n !!!!>># An error has occurred while exporting the query result. Unfortunately due to limitations in the HTTP "
    b"1.1 protocol, there is no better way to report this than to append it to the incomplete result. The error "
    b"message was:\nOperation timed out."
)
_TIMED_OUT = {"exception": "Operation timed out. Last operation: Sort (internal order)", "status": "ERROR"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail; ``retry_after`` is sent as it is (seconds or an HTTP date), empty for none."""

    kind: str
    retry_after: str = ""

    def after(self, seconds: int | str) -> "Fault":
        """Return the same fault with another Retry-After."""
        return replace(self, retry_after=str(seconds))


TOO_MANY_REQUESTS = Fault("too many requests", "1")
UNAVAILABLE = Fault("unavailable")
CUT_CONNECTION = Fault("cut connection")
TRUNCATED = Fault("truncated body")
HTML_PAGE = Fault("html page")
STACK_TRACE = Fault("stack trace")
BROKEN_OFF = Fault("broken off")
"""QLever's way to end an answer that it began and could not finish."""
TIMED_OUT = Fault("timed out")
"""QLever's way to say that a question takes too long, before it began to answer."""
SLOW_DRIP = Fault("slow drip")
SLOW_HEADERS = Fault("slow headers")
"""Headers that come a few letters at a time, so that no time limit of a socket is ever reached."""
MAXLAG = Fault("maxlag", "5")
RATE_LIMITED = Fault("ratelimited")
EDIT_CONFLICT = Fault("editconflict")
"""What only an edit can meet."""

FAULTS: dict[str, Fault] = {
    f.kind: f
    for f in (
        TOO_MANY_REQUESTS,
        UNAVAILABLE,
        CUT_CONNECTION,
        TRUNCATED,
        HTML_PAGE,
        STACK_TRACE,
        BROKEN_OFF,
        TIMED_OUT,
        SLOW_DRIP,
        SLOW_HEADERS,
        MAXLAG,
        RATE_LIMITED,
    )
}
"""Every fault that a reader can meet, by its name."""


class Faults:
    """The faults that are due, by path prefix. Thread-safe."""

    def __init__(self) -> None:
        self._due: list[tuple[str, str, Fault | None]] = []
        self._lock = threading.Lock()

    def next(self, path_prefix: str, fault: Fault, *, times: int = 1, after: int = 0, action: str = "") -> None:
        """Make ``times`` requests whose path begins with ``path_prefix`` fail, after those ordered before.

        ``after`` so many more are answered as they should be. ``action``: only requests of api.php for this action.
        """
        with self._lock:
            self._due += [(path_prefix, action, None)] * after + [(path_prefix, action, fault)] * times

    def take(self, path: str, action: str = "") -> Fault | None:
        """Return the fault that is due for ``path`` and strike it off; ``None`` without one."""
        with self._lock:
            for place, (prefix, only, fault) in enumerate(self._due):
                if path.startswith(prefix) and only in ("", action):
                    del self._due[place]
                    return fault
        return None

    @property
    def pending(self) -> int:
        """How many faults have not happened yet."""
        with self._lock:
            return sum(fault is not None for _, _, fault in self._due)

    def clear(self) -> None:
        """Strike off everything that is due."""
        with self._lock:
            self._due.clear()


def faulty(fault: Fault, reply: Reply) -> Reply:
    """Return what is sent in place of ``reply``. Cut connections, cut bodies and dripping are the server's to make."""
    wait = {"Retry-After": fault.retry_after} if fault.retry_after else {}
    if fault.kind == TOO_MANY_REQUESTS.kind:
        return _with(html_reply("Too Many Requests", "You are making too many requests.", 429), wait)
    if fault.kind == UNAVAILABLE.kind:
        return _with(html_reply("Service Unavailable", "Our servers are under maintenance.", 503), wait)
    if fault.kind == HTML_PAGE.kind:
        return html_reply("Wikimedia Error", "Our servers are currently experiencing a technical problem.")
    if fault.kind == STACK_TRACE.kind:
        return Reply(reply.body[: len(reply.body) // 2] + _STACK_TRACE, 200, reply.headers)
    if fault.kind == BROKEN_OFF.kind:
        return Reply(reply.body[: len(reply.body) // 2] + _BROKEN_OFF, 200, reply.headers)
    if fault.kind == TIMED_OUT.kind:
        return _with(json_reply(_TIMED_OUT, 429), wait)
    return reply


def _with(reply: Reply, headers: dict[str, str]) -> Reply:
    return Reply(reply.body, reply.status, {**reply.headers, **headers})
