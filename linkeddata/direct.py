"""Files asked for without detours. In: a URL, a session. Out: the file, or nothing where the session has to ask.

For each request a session of ``requests`` looks through the environment for proxies and log-ins, prepares cookies and
hooks: four times the work of asking. For a host it is looked up once here; then its files come over connections of
their own (``line``), which go where the session's may go and nowhere else. A host behind a proxy, with a log-in in
``~/.netrc`` or one that leads elsewhere is left to the session, and so is an address that needs mending.
"""

import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_netrc_auth, select_proxy

from linkeddata.addresses import PORTS, Gate
from linkeddata.arriving import Arriving
from linkeddata.trying import TryAgainError

if TYPE_CHECKING:
    from linkeddata.line import Line

_PLAIN = re.compile(r"(https?://[^/?#@\s%]+)(/[!\"$-~]*)", re.ASCII)
"""Scheme and host, and what is asked of it: without a log-in, a fragment, spaces, or letters beyond ASCII."""


KEPT_OPEN = 16
"""Connections that nobody uses at the moment; of more, those used longest ago are closed."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a host is reached, and whose certificates are believed there."""

    origin: str
    host: str
    port: int
    authorities: str


class Direct:
    """Asks hosts as ``session`` would, where ``gate`` lets it. Thread-safe."""

    def __init__(self, session: requests.Session, gate: Gate, timeout_s: float) -> None:
        self._session = session
        self._gate = gate
        self._timeout_s = timeout_s
        self._ways: dict[str, Way | None] = {}
        self._idle: list[tuple[Way, Line]] = []
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connections that are kept open."""
        with self._lock:
            while self._idle:
                self._idle.pop()[1].close()

    def way(self, url: str) -> Way | None:
        """Return how ``url`` can be asked for without the session, ``None`` if the session has to ask."""
        address = _PLAIN.fullmatch(url)
        if address is None:
            return None
        origin = address[1]
        if origin not in self._ways:
            self._ways.setdefault(origin, self._found(origin))
        return self._ways[origin]

    def get(self, url: str, way: Way, file: Arriving) -> bool:
        """Hand ``file`` what comes from ``url``, unless the host leads elsewhere: say whether it was this host's.

        Raises what ``file`` raises, ``TryAgainError`` where nothing comes, ``ServiceError`` where the gate is closed.
        """
        from linkeddata.line import ElsewhereError  # libcurl, for those who fetch files

        line = self._line(way)
        try:
            line.bring(url, file)
        except ElsewhereError:
            line.close()
            self._ways[way.origin] = None
            return False
        except BaseException:
            line.close()  # the next one asks anew where the host is
            raise
        with self._lock:
            self._idle.append((way, line))
            if len(self._idle) > KEPT_OPEN:
                self._idle.pop(0)[1].close()
        return True

    def _line(self, way: Way) -> "Line":
        from linkeddata.line import Line

        with self._lock:
            for place, (whose, line) in enumerate(self._idle):
                if whose == way:
                    del self._idle[place]
                    return line
        try:
            addresses = self._gate.addresses(way.host, way.port)
        except OSError as error:
            raise TryAgainError(f"no answer ({error})") from error
        headers = [f"{name}: {value!s}" for name, value in self._session.headers.items() if name != "Accept-Encoding"]
        return Line(
            way.host,
            way.port,
            addresses,
            headers=headers,
            timeout_s=self._timeout_s,
            authorities=way.authorities,
        )

    def _found(self, origin: str) -> Way | None:
        around = self._session.merge_environment_settings(origin, {}, True, None, None)
        try:
            parts = urlsplit(origin)
            host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
            host.encode("idna")
        except ValueError:  # no port, or a label that is too long
            return None
        authorities = around["verify"]
        if (
            not host
            or select_proxy(origin, around["proxies"])
            or (self._session.trust_env and get_netrc_auth(origin))
            or around["cert"]
            or authorities is False
        ):
            return None
        return Way(origin, host, port, authorities if isinstance(authorities, str) else DEFAULT_CA_BUNDLE_PATH)
