"""What nobody means well by, over real HTTP: refused or handled with a problem document, never a 5xx, no file left."""

import io
import struct
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from fastapi import FastAPI
from flask import Flask, redirect
from PIL import Image
from werkzeug.serving import make_server

from identify.api import router
from identify.app import create_app
from identify.asking.fetching import fetching
from identify.asking.shelf import Shelf
from identify.bundle import Bundle
from linkeddata.client import Client
from linkeddata.decoding import Limits
from linkeddata.parts import Parts
from linkeddata.settings import Settings
from linkeddata.store import Store

MAIL = "keeper@museum.example"
PUBLIC = "93.184.216.34"
"""An address of the public Internet, to which no name here leads but by the tests' own resolver."""


class Changing:
    """A resolver whose names change their minds: public when they are checked, ours when they are asked again."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        if host == "rebinding.example":
            return [PUBLIC] if self.asked.count(host) == 1 else ["127.0.0.1"]
        if host == "both.example":
            return [PUBLIC, "127.0.0.1"]
        literal = {"localhost": "127.0.0.1", "2130706433": "127.0.0.1", "0x7f.1": "127.0.0.1"} | {
            "017700000001": "127.0.0.1"
        }
        if not literal.get(host, host).replace(".", "").isdecimal() and ":" not in host:
            raise OSError(f"nobody knows {host}")
        return [literal.get(host, host)]


@pytest.fixture(scope="module")
def files() -> Iterator[Path]:
    """Where temporary files go while the server runs, for it to be seen that none stays."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("house")


@pytest.fixture(scope="module")
def address(
    colour_bundle: Callable[..., Bundle], home: Path, files: Path, serving: Callable[[Callable[[str], Any]], str]
) -> str:
    colour_bundle(home / "models")

    def create(address: str) -> Any:
        settings = Settings(home=str(home), base_url=address, images_a_minute=0, contact=MAIL, timeout_s=2.0)
        return create_app(settings, resolver=Changing())

    return serving(create)


@pytest.fixture
def client(address: str, files: Path, home: Path) -> Iterator[httpx2.Client]:
    """A client; after each test nothing new lies anywhere."""
    with httpx2.Client(base_url=f"{address}/models/colours", timeout=60) as client:
        before = everything(home)
        yield client
        assert list(files.rglob("*")) == []
        assert everything(home) == before


def everything(folder: Path) -> set[str]:
    """Return the names of all files; the store's own come and go with its connections."""
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return {name for name in found if not name.startswith("deboodt.sqlite")}


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def red(mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> Image.Image:
    return Image.new("RGB", size, "red").convert(mode)


def png(width: int, height: int, rows: bytes = b"") -> bytes:
    """A PNG that claims a size and holds what it is given."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def jpeg_claiming(width: int, height: int) -> bytes:
    data = bytearray(saved(red(), "JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def palette() -> bytes:
    image = red().quantize(4)
    image.info["transparency"] = 0
    return saved(image, "PNG", transparency=bytes([255, 128, 0, 0]))


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(red(), "JPEG", exif=exif)


def animated(kind: str) -> bytes:
    frames = [red(), Image.new("RGB", (64, 48), "blue")]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:])


def sixteen_bits() -> bytes:
    return saved(Image.fromarray(np.full((20, 30), 40_000, np.uint16)), "PNG")


POLYGLOT = saved(red(), "GIF") + b"PK\x03\x04<html><script>alert(1)</script>" + b"%PDF-1.7"
HANDLED = {
    "animated GIF": animated("GIF"),
    "animated WebP": animated("WEBP"),
    "animated PNG": animated("PNG"),
    "16 bits": sixteen_bits(),
    "CMYK": saved(red("CMYK"), "JPEG"),
    "palette with alpha": palette(),
    "alpha": saved(red("RGBA"), "PNG"),
    "one bit": saved(red("1"), "PNG"),
    "turned by EXIF": turned(),
    "one pixel": saved(red(size=(1, 1)), "PNG"),
    "a line": saved(red(size=(4000, 1)), "PNG"),
    "polyglot": POLYGLOT,
    "wrongly called": saved(red(), "PNG"),
}
REFUSED = {
    "empty": b"",
    "text": b"hello",
    "truncated JPEG": saved(red(size=(600, 400)), "JPEG")[:1200],
    "truncated PNG": saved(red(size=(600, 400)), "PNG")[:300],
    "PNG bomb": png(100_000, 100_000),
    "PNG bomb with rows": png(30_000, 30_000, b"\0" * 1_000_000),
    "JPEG that claims 65,000 pixels": jpeg_claiming(65_000, 65_000),
    "GIF that claims 65,535 pixels": b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\0\0\0\0\0,\0\0\0\0"
    b"\xff\xff\xff\xff\0\x02\x02D\x01\0;",
    "TIFF that leads to itself": b"II*\0\x08\0\0\0\0\0\x08\0\0\0",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "PDF": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj",
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run",
    "ZIP": b"PK\x03\x04" + b"\0" * 99,
    "script": b"#!/bin/sh\nrm -rf /",
    "pickle": b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
}
NAMES = [
    "../../etc/passwd",
    "..\\..\\evil.jpg",
    "/etc/passwd",
    "a\0b.jpg",
    "x" * 5000 + ".jpg",
    "\u202egpj.exe",
    "",
    ".",
]


def is_problem(answer: httpx2.Response) -> bool:
    return answer.headers["content-type"] == "application/problem+json" and bool(answer.json()["detail"])


@pytest.mark.parametrize("name", HANDLED)
def test_odd_images_are_answered(client: httpx2.Client, name: str) -> None:
    bare = client.post("/identify", content=HANDLED[name], headers={"content-type": "image/jpeg"})
    assert bare.status_code == 200, bare.text
    form = client.post("/identify", files={"image": ("a", HANDLED[name], "text/html")})
    assert form.json()["decision"] == bare.json()["decision"]


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_image_is_refused(client: httpx2.Client, name: str) -> None:
    bare = client.post("/identify", content=REFUSED[name], headers={"content-type": "image/png"})
    assert (bare.status_code, is_problem(bare)) == (422, True), bare.text
    form = client.post("/identify", files={"image": ("a.jpg", REFUSED[name], "image/jpeg")})
    assert (form.status_code, is_problem(form)) == (422, True), form.text
    page = client.post(
        "/identify", files={"image": ("<b>", REFUSED[name], "image/jpeg")}, headers={"accept": "text/html"}
    )
    assert page.status_code == 422
    assert "<b>" not in page.text


@pytest.mark.parametrize("name", NAMES)
def test_names_lead_nowhere(client: httpx2.Client, name: str) -> None:
    files = [("image", (name, b"no image", "image/jpeg")), ("image", ("b.jpg", HANDLED["one pixel"], "image/jpeg"))]
    answer = client.post("/identify", files=files)
    assert answer.status_code in (200, 422)
    told = str(answer.json().get("lost", ""))
    assert not any(part in told for part in ("..", "/etc", "\\", "\0", "\u202e", "x" * 300))


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-type": "multipart/form-data; boundary=x"},
         b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--"),
        ({"content-type": "multipart/form-data; boundary=" + "x" * 300}, b"--x"),
        ({"content-type": "multipart/form-data; boundary=x; charset=none"},
         b'--x\r\nContent-Disposition: form-data; name="url"\r\n\r\n\xff\r\n--x--'),
        ({"content-type": "multipart/form-data; boundary=x"},
         b'--x\r\nContent-Disposition: form-data; name="a"; filename="\xff\xfe"\r\n\r\nno\r\n--x--\r\n'),
        ({"content-type": "application/json"}, b"[" * 100_000),
        ({"content-type": "application/json"}, b'{"urls": [1]}'),
        ({"content-type": "application/json"}, b'{"urls": ["https://a.example/"' + b',"http://b"' * 10 + b"]}"),
        ({"content-type": "image/png", "content-encoding": "gzip"}, b"\x1f\x8b"),
        ({"content-type": "image/svg+xml"}, REFUSED["SVG"]),
    ],
)  # fmt: skip
def test_broken_forms_are_refused(client: httpx2.Client, headers: dict[str, str], body: bytes) -> None:
    answer = client.post("/identify", content=body, headers=headers)
    assert (answer.status_code, is_problem(answer)) == (422, True), answer.text


def test_two_hundred_megabytes_are_refused_before_they_have_come(client: httpx2.Client) -> None:
    sent = 0

    def pieces() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(200):
            sent += 1
            yield b"\0" * 1_000_000

    try:
        answer = client.post("/identify", content=pieces(), headers={"content-type": "image/png"})
    except httpx2.TransportError:  # the connection was closed while it was still sending: refused, too
        assert sent < 200
    else:
        assert (answer.status_code, is_problem(answer)) == (413, True)
    many = [("image", ("a.png", b"\0" * 26_000_000, "image/png"))]
    try:
        assert client.post("/identify", files=many).status_code == 413
    except httpx2.TransportError:
        assert client.get("").status_code == 200


@pytest.mark.parametrize("number", [11, 40])
def test_more_images_than_an_object_has_are_refused(client: httpx2.Client, number: int) -> None:
    images = [("image", (f"{n}.png", HANDLED["one pixel"], "image/png")) for n in range(number)]
    answer = client.post("/identify", files=images)
    assert (answer.status_code, is_problem(answer)) == (422, True)


@pytest.fixture(scope="module")
def inside() -> Iterator[tuple[str, list[str]]]:
    """A server of our own network, with an image, that notes who asks; and one that leads there."""
    app = Flask("inside")
    asked: list[str] = []

    @app.get("/<path:path>")
    def secret(path: str) -> Any:
        asked.append(path)
        return (
            redirect(f"http://127.0.0.2:{server.server_port}/image.png")
            if path == "away"
            else (HANDLED["one pixel"], {"content-type": "image/png"})
        )

    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f":{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


HOSTS = [
    "127.0.0.1", "localhost", "2130706433", "0x7f.1", "017700000001", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",  # noqa: S104
    "[fe80::1]", "[fd00::1]",
    "[64:ff9b::7f00:1]", "224.0.0.1", "255.255.255.255", "both.example",
]  # fmt: skip
"""Loopback, link-local, private, shared, unspecified, multicast, and the ways to write them."""


@pytest.mark.parametrize("host", HOSTS)
def test_addresses_of_our_own_network_are_not_asked(
    client: httpx2.Client, inside: tuple[str, list[str]], host: str
) -> None:
    port, asked = inside
    answer = client.post("/identify", json={"urls": [f"http://{host}{port}/image.png"]})
    assert (answer.status_code, is_problem(answer)) == (422, True), answer.text
    assert "no public address" in answer.json()["detail"]
    assert asked == []


def test_a_name_that_changes_its_address_is_held_to_the_one_that_was_checked(
    client: httpx2.Client, inside: tuple[str, list[str]]
) -> None:
    port, asked = inside
    for _ in range(2):
        answer = client.post("/identify", json={"urls": [f"http://rebinding.example{port}/image.png"]})
        assert (answer.status_code, is_problem(answer)) == (422, True), answer.text
    assert asked == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://a.example/x", "gopher://a.example/", "data:image/png;base64,AA",
        "//a.example/x", "http://", "http://user:word@a.example/x", "http://a.example:0/x", "http://a.example:99999/", "http://[::1/x",
        "http://a.example/\r\nHost: b", "javascript:alert(1)", "", "http://" + "a" * 3000,
        "http://a..example/", "image.png",
    ],
)  # fmt: skip
def test_what_is_no_address_of_the_web_is_refused(client: httpx2.Client, url: str) -> None:
    answer = client.post("/identify", json={"urls": [url]})
    assert (answer.status_code, is_problem(answer)) == (422, True), answer.text


def test_where_all_addresses_are_lost_each_is_told(client: httpx2.Client) -> None:
    answer = client.post("/identify", json={"urls": ["http://127.0.0.1/x.png", "http://10.0.0.1/y.png"]})
    assert (answer.status_code, is_problem(answer)) == (422, True), answer.text
    told = answer.json()["detail"].split("; ")
    assert [one.split(":")[1] for one in told] == ["//127.0.0.1/x.png", "//10.0.0.1/y.png"]


def test_an_answer_tells_which_address_was_lost(client: httpx2.Client) -> None:
    files = {"image": ("a.png", HANDLED["one pixel"], "image/png")}
    answer = client.post("/identify", files=files, data={"url": "http://127.0.0.1/x.png"})
    assert answer.status_code == 200
    assert "no public address" in answer.json()["lost"][0]


def test_a_host_that_may_be_asked_and_leads_inside_is_not_followed(
    colour_bundle: Callable[..., Bundle],
    tmp_path: Path,
    serving: Callable[[Callable[[str], Any]], str],
    inside: tuple[str, list[str]],
) -> None:
    """Its first step goes to a server of ours that this client is told to trust; the second is another of ours."""
    port, asked = inside
    colour_bundle(tmp_path / "models")
    trusting = Settings(
        home=str(tmp_path), commons_api=f"http://127.0.0.1{port}/", contact=MAIL, tries=1, timeout_s=5.0
    )
    with Client(trusting) as client, Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        parts = Parts(store, trusting)
        app = FastAPI()
        routes = router(parts, Shelf(tmp_path / "models"), now=str, fetch=fetching(client), limits=Limits())
        app.include_router(routes)
        app.add_api_route("/health", lambda: {})
        address = serving(lambda address: app)
        urls = [f"http://127.0.0.1{port}/{path}" for path in ("image.png", "away")]
        answers = [httpx2.post(f"{address}/models/colours/identify", json={"urls": [url]}) for url in urls]
    assert [one.status_code for one in answers] == [200, 422]
    assert "127.0.0.2 is 127.0.0.2, which is no public address" in answers[1].text
    assert asked == ["image.png", "away"]
