"""Which addresses may be connected to. In: a host name from wherever. Out: public addresses of it, or a refusal.

Addresses of images, manifests and lists come from other people's data and could name a machine of our own network
(server-side request forgery, https://owasp.org/API-Security/editions/2023/en/0xa7-server-side-request-forgery/). So a
name is resolved here, every answer is checked, and the connection is made to an address that was checked, not to the
name again: an answer that changes in between (DNS rebinding) changes nothing. As this is done for each connection, it
holds after a redirect, too.
"""

import contextlib
import ipaddress
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, LocationParseError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from linkeddata.errors import ServiceError

Resolver = Callable[[str, int], Sequence[str]]
"""Gives the IP addresses of a host name and port; raises ``OSError`` where there are none."""

PRIVATE = "private-address"
"""Code of the ``ServiceError`` that a refusal is."""
PORTS = {"http": 80, "https": 443}

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


def system_resolver(host: str, port: int) -> list[str]:
    """Return the addresses that the operating system finds for ``host``, in its order. Raises ``socket.gaierror``."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_public(address: str) -> bool:
    """Say whether an IP address is one of the public Internet, looking through IPv4 written as IPv6.

    >>> is_public("208.80.154.240"), is_public("169.254.169.254"), is_public("::ffff:127.0.0.1")
    (True, False, False)
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    return all(
        one.is_global and not (one.is_multicast or one.is_reserved or getattr(one, "is_site_local", False))
        for one in _meant(found)
    )


def _meant(address: _Ip) -> list[_Ip]:
    """Return the IPv4 address inside an IPv6 one that only wraps it, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped or address.sixtofour:
        return [address.ipv4_mapped or address.sixtofour or address]
    if address in _NAT64:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    return list(address.teredo or [address])


class Gate:
    """Decides where connections may go: to public addresses, and to the services that the settings name.

    ``trusted`` are URLs of those services; their host and port may be anywhere. ``allow_private`` opens the gate.
    """

    def __init__(
        self, trusted: Iterable[str] = (), *, allow_private: bool = False, resolver: Resolver = system_resolver
    ) -> None:
        self._trusted = {_place(url) for url in trusted}
        self._open = allow_private
        self._resolver = resolver

    def addresses(self, host: str, port: int) -> list[str]:
        """Return the addresses to connect to. Raises ``ServiceError`` if one of them is not public, else ``OSError``.

        >>> Gate().addresses("0x7f.1", 80)
        Traceback (most recent call last):
        ...
        linkeddata.errors.ServiceError: 0x7f.1 is 127.0.0.1, which is no public address
        """
        found = list(self._resolver(host, port))
        if self._open or (_bare(host), port) in self._trusted:
            return found
        for address in found:
            if not is_public(address):
                raise ServiceError(f"{host} is {address}, which is no public address", code=PRIVATE, url=host)
        return found


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return _bare(parts.hostname or ""), parts.port or PORTS.get(parts.scheme, 0)


def _bare(host: str) -> str:
    return host.strip("[]").rstrip(".").lower()


class GuardedAdapter(HTTPAdapter):
    """Lets ``requests`` connect only where a gate allows. Keeps connections open.

    Through a proxy it is the proxy that connects; then the name is checked here as far as it can be resolved here.
    An answer whose headers have not come whole ``headers_within_s`` after the request is given up.
    """

    def __init__(self, gate: Gate, *, connections: int = 16, headers_within_s: float = 900.0) -> None:
        self._gate = gate
        self._headers_within_s = headers_within_s
        super().__init__(pool_connections=connections, pool_maxsize=connections)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pools, whose connections ask the gate."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _pools(self._gate, self._headers_within_s)

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Send one request; each step of a redirect comes through here. Raises ``ServiceError`` for a refusal."""
        url = request.url or ""
        if requests.utils.select_proxy(url, options.get("proxies")):
            with contextlib.suppress(OSError):  # a name that only the proxy can resolve
                self._gate.addresses(*_place(url))
        return super().send(request, *args, **options)


def _pools(gate: Gate, headers_within_s: float) -> dict[str, Any]:
    """Return urllib3's pools by scheme, with connections that go through ``gate`` and wait no longer for headers."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _connected(self, gate)

        def getresponse(self) -> Any:
            with _hung_up(self.sock, headers_within_s):
                return super().getresponse()

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _connected(self, gate)

        def getresponse(self) -> Any:
            with _hung_up(self.sock, headers_within_s):
                return super().getresponse()

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


@contextmanager
def _hung_up(connection: socket.socket | None, after_s: float) -> Iterator[None]:
    """End the connection where what is done with it takes longer: a time limit of a socket begins anew with each byte.

    Raises ``TimeoutError`` then, whatever came of it.
    """
    late = threading.Event()

    def hang_up() -> None:
        late.set()
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    watch = threading.Timer(after_s, hang_up)
    watch.daemon = True
    watch.start()
    try:
        yield
    except (OSError, HTTPException):
        if not late.is_set():
            raise
    finally:
        watch.cancel()
    if late.is_set():
        raise TimeoutError(f"no whole headers in {after_s:g} s")


def _connected(connection: HTTPConnection, gate: Gate) -> socket.socket:
    """Return a socket to one of the host's addresses, as urllib3's own ``_new_conn`` would."""
    host = connection.host
    try:
        addresses = gate.addresses(host.strip("[]"), connection.port)
    except UnicodeError as error:
        raise LocationParseError(f"{host!r}: a label is empty or too long") from error
    except OSError as error:
        trouble = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
        raise NameResolutionError(host, connection, trouble) from error
    last: OSError = OSError(f"{host} has no address")
    for address in addresses:
        try:
            made = create_connection(
                (address, connection.port),
                connection.timeout,
                source_address=connection.source_address,
                socket_options=connection.socket_options,
            )
        except OSError as error:
            last = error
        else:
            sys.audit("http.client.connect", connection, host, connection.port)
            return made
    if isinstance(last, TimeoutError):
        raise ConnectTimeoutError(connection, f"connection to {host} timed out") from last
    raise NewConnectionError(connection, f"no connection to {host}: {last}") from last
