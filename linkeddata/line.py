"""A connection for files, by libcurl. In: a host's checked addresses, URLs of files there. Out: their bytes.

libcurl asks and reads at a fifth of what Python's own way costs. It is told to which addresses a name leads, those that
were checked, and looks nothing up itself; once connected and before anything is asked, the address at the other end is
compared with them. It follows no redirects, knows no proxy, log-in or cookie, speaks HTTP alone, and asks once: where
a connection that was kept open is closed, libcurl would ask again by itself, and nobody would know
(https://curl.se/libcurl/c/CURLOPT_RESOLVE.html, https://curl.se/libcurl/c/CURLOPT_PREREQFUNCTION.html).
"""

import ipaddress
from collections.abc import Callable, Sequence
from typing import Any

import pycurl
from requests.structures import CaseInsensitiveDict

from linkeddata.arriving import Arriving
from linkeddata.trying import TryAgainError

PIECE = 1 << 18
"""Bytes that are read at once, at most."""


class ElsewhereError(Exception):
    """The host leads elsewhere; this line does not follow."""


class Line:
    """One connection to ``host`` at ``port``, made anew where it was closed, always to one of ``addresses``.

    Used by one thread at a time. ``authorities`` is the file or folder of certificates that are trusted.
    """

    def __init__(
        self, host: str, port: int, addresses: Sequence[str], *, headers: Sequence[str], timeout_s: float,
        authorities: str,
    ) -> None:  # fmt: skip
        self._addresses = {_plain(address) for address in addresses}
        self._file: Arriving | None = None
        self._lines: list[bytes] = []
        self._trouble: Exception | None = None
        self._asked = False
        self._curl = pycurl.Curl()
        options = {
            pycurl.NOSIGNAL: 1,  # threads
            pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
            pycurl.PROXY: "",
            pycurl.RESOLVE: [f"{host}:{port}:{','.join(addresses)}"],
            pycurl.MAXCONNECTS: 1,
            pycurl.CONNECTTIMEOUT_MS: max(1, int(timeout_s * 1000)),
            pycurl.BUFFERSIZE: PIECE,
            pycurl.HTTPHEADER: list(headers),
            pycurl.ACCEPT_ENCODING: "gzip",
            pycurl.CAINFO: authorities,
            pycurl.NOPROGRESS: 0,
            pycurl.HEADERFUNCTION: self._lines.append,  # read when the head is whole
            pycurl.WRITEFUNCTION: self._told(self._piece),
            pycurl.XFERINFOFUNCTION: self._told(self._waiting),
            pycurl.PREREQFUNCTION: self._connected,
        }
        for option, value in options.items():
            self._curl.setopt(option, value)

    def close(self) -> None:
        """Close the connection."""
        self._curl.close()

    def bring(self, url: str, file: Arriving) -> None:
        """Hand ``file`` what comes from ``url``.

        Raises what ``file`` raises, ``ElsewhereError`` for a redirect and ``TryAgainError`` where it does not come.
        """
        self._file, self._trouble, self._asked = file, None, False
        self._lines.clear()
        self._curl.setopt(pycurl.URL, url)
        try:
            self._curl.perform()
            self._head(file)  # of an answer without a body
        except pycurl.error as error:
            if self._trouble:
                raise self._trouble from None
            self._head(file)
            how = f"curl {error.args[0]}: {error.args[1]}"
            raise file.cut_off(how) if file.answered else TryAgainError(f"no answer ({how})") from error
        finally:
            self._file = None
            file.line_bytes = int(self._curl.getinfo(pycurl.SIZE_DOWNLOAD_T))

    def _told(self, action: Callable[..., None]) -> Callable[..., int | None]:
        """Return ``action`` for libcurl, which knows no exceptions: one ends the transfer and is kept."""

        def act(*given: Any) -> int | None:
            try:
                action(*given)
            except Exception as error:
                self._trouble = error
                return -1
            return None

        return act

    def _head(self, file: Arriving) -> None:
        """Hand on the head of the answer once it is whole."""
        if file.answered or not self._lines or self._lines[-1].strip():
            return
        begin = max(
            place for place, line in enumerate(self._lines) if line.startswith(b"HTTP/")
        )  # "100 Continue" first
        status = int(self._lines[begin].split(None, 2)[1])
        if 300 <= status < 400:
            raise ElsewhereError
        if status >= 200:
            file.head(status, _headers(self._lines[begin + 1 : -1]))

    def _piece(self, data: bytes) -> None:
        if self._file:
            self._head(self._file)
            self._file.piece(data)

    def _waiting(self, *_: int) -> None:
        if self._file:
            self._head(self._file)
            self._file.waiting()

    def _connected(self, address: str, *_: Any) -> int:
        again, self._asked = self._asked, True
        allowed = not again and _plain(address) in self._addresses
        return int(pycurl.PREREQFUNC_OK if allowed else pycurl.PREREQFUNC_ABORT)


def _headers(lines: Sequence[bytes]) -> CaseInsensitiveDict[str]:
    """Return the fields of a head; one that comes twice is one with both values (RFC 9110, section 5.3)."""
    found: CaseInsensitiveDict[str] = CaseInsensitiveDict()
    for line in lines:
        name, _, value = line.decode("latin-1").partition(":")
        found[name] = f"{found[name]}, {value.strip()}" if name in found else value.strip()
    return found


def _plain(address: str) -> str:
    return str(ipaddress.ip_address(address.strip("[]").partition("%")[0]))
