"""Files asked for without detours. In: a URL, a session. Out: the answer, or nothing where the session has to ask.

For each request a session of ``requests`` looks through the environment for proxies and log-ins, prepares cookies and
hooks: four times the work of asking. For a host it is looked up once here; then its connections are used as they are,
those of the session itself, so that they go where the session's may go and nowhere else. A host behind a proxy, with a
log-in in ``~/.netrc`` or one that leads elsewhere is left to the session, and so is an address that needs mending.
"""

import re
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
from requests.utils import get_netrc_auth, select_proxy
from urllib3.connectionpool import HTTPConnectionPool

from linkeddata.addresses import GuardedAdapter

_PLAIN = re.compile(r"(https?://[^/?#@\s%]+)(/[!\"$-~]*)", re.ASCII)
"""Scheme and host, and what is asked of it: without a log-in, a fragment, spaces, or letters beyond ASCII."""


class Way(NamedTuple):
    """A host's connections, and what is asked of it."""

    pool: HTTPConnectionPool
    target: str


class Direct:
    """Asks hosts over the connections of ``session``, which keeps what it is for all else. Thread-safe."""

    def __init__(self, session: requests.Session, timeout_s: float) -> None:
        self._session = session
        self._timeout_s = timeout_s
        self._pools: dict[str, HTTPConnectionPool | None] = {}

    def way(self, url: str) -> Way | None:
        """Return how ``url`` can be asked for without the session, ``None`` if the session has to ask."""
        address = _PLAIN.fullmatch(url)
        if address is None:
            return None
        origin, target = address[1], address[2]
        pool = self._pools.get(origin)
        # Connections are closed where many other hosts were asked in between.
        if origin not in self._pools or (pool is not None and pool.pool is None):
            pool = self._pools[origin] = self._pool(origin)
        return Way(pool, target) if pool is not None else None

    def get(self, url: str, way: Way) -> requests.Response | None:
        """Return the answer with its body unread, ``None`` where it leads elsewhere. Raises ``urllib3``'s errors."""
        raw: Any = way.pool.urlopen(
            "GET",
            way.target,
            headers={str(name): str(value) for name, value in self._session.headers.items()},
            retries=False,
            redirect=False,
            timeout=self._timeout_s,
            preload_content=False,
            decode_content=False,
        )
        if 300 <= raw.status < 400:
            raw.close()
            self._pools[url.removesuffix(way.target)] = None
            return None
        response = requests.Response()
        response.status_code, response.raw, response.url = raw.status, raw, url
        response.headers.update(raw.headers)
        return response

    def _pool(self, origin: str) -> HTTPConnectionPool | None:
        around = self._session.merge_environment_settings(origin, {}, True, None, None)
        adapter = self._session.get_adapter(origin)
        if (
            not isinstance(adapter, GuardedAdapter)
            or not urlsplit(origin).hostname
            or select_proxy(origin, around["proxies"])
            or (self._session.trust_env and get_netrc_auth(origin))
        ):
            return None
        try:
            request = requests.Request("GET", origin).prepare()
            pool = adapter.get_connection_with_tls_context(request, around["verify"], cert=around["cert"])
        except requests.RequestException:
            return None  # the session will say why
        return pool if isinstance(pool, HTTPConnectionPool) else None
