"""A connection for files, by libcurl. In: a host's checked addresses, URLs of files there. Out: their bytes.

libcurl asks and reads at a fifth of what Python's own way costs. It is told to which addresses a name leads, those that
were checked, and looks nothing up itself; once connected and before anything is asked, the address at the other end is
compared with them. It follows no redirects, knows no proxy, log-in or cookie, speaks HTTP alone, and asks once: where
a connection that was kept open is closed, libcurl would ask again by itself, and nobody would know
(https://curl.se/libcurl/c/CURLOPT_RESOLVE.html, https://curl.se/libcurl/c/CURLOPT_PREREQFUNCTION.html).
"""

import ipaddress
from collections.abc import Sequence
from typing import Any

import pycurl

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
        self._pieces: list[bytes] = []
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
            # libcurl tells each line and each 16 KB by a call; they are only gathered, and looked at now and then.
            pycurl.HEADERFUNCTION: self._lines.append,
            pycurl.WRITEFUNCTION: self._pieces.append,
            pycurl.XFERINFOFUNCTION: self._look,
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
        self._pieces.clear()
        self._curl.setopt(pycurl.URL, url)
        try:
            self._curl.perform()
            self._hand_on(file)
        except pycurl.error as error:
            if self._trouble:
                raise self._trouble from None
            self._hand_on(file)
            how = f"curl {error.args[0]}: {error.args[1]}"
            raise file.cut_off(how) if file.answered else TryAgainError(f"no answer ({how})") from error
        finally:
            self._file = None
            file.line_bytes = int(self._curl.getinfo(pycurl.SIZE_DOWNLOAD_T))

    def _look(self, *_: int) -> int | None:
        """See what has come since the last look; libcurl knows no exceptions: one ends the transfer and is kept."""
        file = self._file
        try:
            if file and not self._hand_on(file):
                file.waiting()
        except Exception as error:
            self._trouble = error
            return -1
        return None

    def _hand_on(self, file: Arriving) -> bool:
        """Hand on the head, once it is whole, and what has come of the body; say whether anything had."""
        if not file.answered:
            self._head(file)
        if not self._pieces:
            return False
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        file.piece(data)
        return True

    def _head(self, file: Arriving) -> None:
        if not self._lines or self._lines[-1].strip():
            return
        begin = max(
            place for place, line in enumerate(self._lines) if line.startswith(b"HTTP/")
        )  # after "100 Continue"
        status = int(self._lines[begin].split(None, 2)[1])
        if 300 <= status < 400:
            raise ElsewhereError
        if status >= 200:
            file.head(status, _fields(self._lines[begin + 1 : -1]))

    def _connected(self, address: str, *_: Any) -> int:
        again, self._asked = self._asked, True
        allowed = not again and _plain(address) in self._addresses
        return int(pycurl.PREREQFUNC_OK if allowed else pycurl.PREREQFUNC_ABORT)


class _Fields(dict[str, str]):
    """The fields of a head by their names in small letters; they are asked for in any."""

    def get(self, name: str, default: Any = None, /) -> Any:
        """Return the value of a field."""
        return super().get(name.lower(), default)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())


def _fields(lines: Sequence[bytes]) -> _Fields:
    """Return the fields of a head; one that comes twice is one with both values (RFC 9110, section 5.3).

    >>> _fields([b"Retry-After: 3\\r\\n"]).get("retry-after")
    '3'
    """
    found = _Fields()
    for line in lines:
        name, _, value = line.decode("latin-1").partition(":")
        name, value = name.lower(), value.strip()
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _plain(address: str) -> str:
    return str(ipaddress.ip_address(address.strip("[]").partition("%")[0]))
