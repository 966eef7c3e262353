"""Files over connections of their own: to addresses that were checked, to hosts that can prove who they are, once."""

import datetime
import ipaddress
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from linkeddata.arriving import SMALL, Arriving, Terms
from linkeddata.client import Client
from linkeddata.direct import KEPT_OPEN
from linkeddata.errors import UnreachableError
from linkeddata.line import ElsewhereError, Line
from linkeddata.settings import Settings
from linkeddata.trying import TryAgainError

x509 = pytest.importorskip("cryptography.x509", reason="nothing makes certificates here: pip install 'deboodt[test]'")

BODY = bytes(range(256)) * 8
TERMS = Terms(limit=3 * SMALL, silence_s=5.0, head_s=5.0)


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    body = BODY

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        if self.path == "/silent":
            threading.Event().wait(1.5)
        if self.path == "/hints":
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nX-Robots-Tag: noai\r\n\r\n")
        self.send_response(302 if self.path == "/elsewhere" else 200)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.send_header("X-Robots-Tag", "noindex")
        self.send_header("X-Robots-Tag", "noai" if self.path == "/reserved" else "nofollow")
        body = self.body * {"/large": 2 * SMALL // len(self.body), "/empty": 0}.get(self.path, 1)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Be silent."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.asked: list[str] = []
        self.open = 0
        self._lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self.open += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._lock:
            self.open -= 1

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of who went away."""


@contextmanager
def _serving(certified: ssl.SSLContext | None = None) -> Iterator[_Server]:
    with _Server() as server:
        if certified:
            server.socket = certified.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def _line(port: int, *addresses: str, host: str = "plates.example") -> Line:
    return Line(host, port, addresses or ("127.0.0.1",), headers=["User-Agent: x"], timeout_s=5, authorities="")


def test_a_line_goes_to_the_addresses_it_is_given_and_asks_nobody_for_others(tmp_path: Path) -> None:
    with _serving() as server:
        port = server.server_address[1]
        line = _line(port)
        for _ in range(2):
            with Arriving("", tmp_path / "a", TERMS) as file:
                line.bring(f"http://plates.example:{port}/1", file)
                assert (file.whole().data, file.line_bytes) == (BODY, len(BODY))
        line.close()
        assert server.asked == ["/1", "/1"]


def test_a_line_that_ends_elsewhere_than_it_should_asks_nothing(tmp_path: Path) -> None:
    with _serving() as server:
        port = server.server_address[1]
        line = _line(port, "192.0.2.1", host="127.0.0.1")
        with Arriving("", tmp_path / "a", TERMS) as file, pytest.raises(TryAgainError, match="no answer"):
            line.bring(f"http://127.0.0.1:{port}/1", file)
        line.close()
        assert server.asked == []
    assert not (tmp_path / "a").exists()


def test_a_line_does_not_follow_and_speaks_nothing_but_http(tmp_path: Path) -> None:
    with _serving() as server:
        port = server.server_address[1]
        line = _line(port)
        with Arriving("", tmp_path / "a", TERMS) as file:
            with pytest.raises(ElsewhereError):
                line.bring(f"http://plates.example:{port}/elsewhere", file)
            with pytest.raises(TryAgainError, match="no answer"):
                line.bring(f"file://{Path(__file__)}", file)
        line.close()
        assert server.asked == ["/elsewhere"]


def test_a_large_file_goes_to_disk_while_it_comes_and_a_small_one_is_at_hand(tmp_path: Path) -> None:
    with _serving() as server, Client(Settings(allow_private=True)) as client:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        large = client.download(f"{url}/large", tmp_path / "large", limit=3 * SMALL)
        small = client.download(f"{url}/small", tmp_path / "small", limit=3 * SMALL)
    assert (large.size_bytes, large.data) == (2 * SMALL, None)
    assert small.data == BODY
    assert (tmp_path / "large").read_bytes() == BODY * (2 * SMALL // len(BODY))
    assert (tmp_path / "small").read_bytes() == BODY


@pytest.mark.parametrize(("path", "body"), [("/hints", BODY), ("/empty", b"")])
def test_the_head_that_counts_is_the_last_one_whether_a_body_comes_or_not(
    tmp_path: Path, path: str, body: bytes
) -> None:
    with _serving() as server:
        port = server.server_address[1]
        line = _line(port)
        with Arriving("", tmp_path / "a", TERMS) as file:
            line.bring(f"http://plates.example:{port}{path}", file)
            assert file.answered
            assert file.whole().data == body
        line.close()


def test_only_so_many_connections_are_kept_open(tmp_path: Path) -> None:
    hosts = [f"plates-{number}.example" for number in range(KEPT_OPEN + 4)]
    with _serving() as server:
        settings = Settings(allow_private=True, contact="x@museum.example", tries=1)
        with Client(settings, resolver=lambda host, port: ["127.0.0.1"]) as client:
            for host in hosts:
                client.download(f"http://{host}:{server.server_address[1]}/1", tmp_path / "a", limit=SMALL)
            while server.open > KEPT_OPEN:  # the server hears of it a moment later
                time.sleep(0.01)
            assert server.open == KEPT_OPEN
        assert len(server.asked) == len(hosts)


def test_nobody_waits_for_ever_for_a_host_that_says_nothing(tmp_path: Path) -> None:
    settings = Settings(allow_private=True, tries=1, timeout_s=0.2)
    with _serving() as server, Client(settings) as client, pytest.raises(UnreachableError, match="nothing in"):
        client.download(f"http://127.0.0.1:{server.server_address[1]}/silent", tmp_path / "a", limit=SMALL)


def test_a_host_has_to_prove_who_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certified = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certified.load_cert_chain(_certificate(tmp_path / "certificate.pem"))
    with _serving(certified) as server:
        url = f"https://127.0.0.1:{server.server_address[1]}/1"
        settings = Settings(allow_private=True, tries=1)
        with Client(settings) as client, pytest.raises(UnreachableError, match="certificate"):
            client.download(url, tmp_path / "a", limit=SMALL)
        assert server.asked == []
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "certificate.pem"))
        with Client(settings) as client:
            assert client.download(url, tmp_path / "a", limit=SMALL).data == BODY


def _certificate(path: Path) -> Path:
    """Write a certificate of 127.0.0.1, signed by itself, with its key."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(made.public_bytes(pem) + secret)
    return path
