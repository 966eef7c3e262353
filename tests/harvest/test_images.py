"""Images over HTTP: the right bytes or a reason, and nothing twice."""

import hashlib
import io
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from harvest.images import PATIENCE, ImageFolder, fetch, undecodable
from harvest.standin import faults
from harvest.standin.index import image_path, url_path
from harvest.standin.server import StandIn
from harvest.standin.world import File, Revision, World
from linkeddata.client import Client
from linkeddata.records import Failure, MediaFile
from linkeddata.settings import Settings


def _jpeg(shade: int, size: tuple[int, int] = (40, 30)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (shade * 10, 90, 200)).save(out, "JPEG")
    return out.getvalue()


def _sha1(body: bytes) -> str:
    return hashlib.sha1(body, usedforsecurity=False).hexdigest()


BODIES: dict[int, bytes | None] = {n: _jpeg(n) for n in range(1, 21)}
GONE, GARBAGE, CUT = 21, 22, 23
BODIES |= {GONE: None, GARBAGE: b"This is no picture. " * 60, CUT: _jpeg(23, (400, 400))[:-900]}


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    page = Revision(id=1, user="", moment="2021-10-03T14:05:00Z", comment="")
    files = [File(page_id=n, title=f"File:{n}.jpg", revisions=(page,), image=body) for n, body in BODIES.items()]
    with StandIn(World(files=tuple(files))) as server:
        yield server


@pytest.fixture
def server(running: StandIn) -> StandIn:
    running.faults.clear()
    running.requests.clear()
    return running


def _media(server: StandIn, number: int) -> MediaFile:
    body = BODIES[number] or b"gone"
    return MediaFile(
        iri=f"https://commons.wikimedia.org/entity/M{number}",
        original=f"{server.url}/images/{url_path(image_path(f'File:{number}.jpg'))}",
        sha1=_sha1(body),
        size_bytes=len(body),
        mime="image/jpeg",
    )


def _fetch(
    server: StandIn, folder: Path, files: Sequence[MediaFile], **limits: int
) -> list[tuple[MediaFile, Path] | Failure]:
    settings = server.settings(tries=3, **limits)
    with Client(settings, sleep=lambda _: None) as client:
        return list(fetch(client, ImageFolder(folder), files, settings=settings))


def _reason(answer: tuple[MediaFile, Path] | Failure) -> str:
    return answer.reason if isinstance(answer, Failure) else ""


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_images_come_in_order_and_are_named_after_their_content(server: StandIn, tmp_path: Path) -> None:
    files = [_media(server, n) for n in range(1, 21)]
    answers = _fetch(server, tmp_path, files)
    assert [media for media, _ in answers] == files  # type: ignore[misc]
    for media, path in answers:  # type: ignore[misc]
        assert path == tmp_path / media.sha1[:2] / f"{media.sha1}.jpg"
        assert _sha1(path.read_bytes()) == media.sha1
    assert len(_names(tmp_path)) == 20


def test_what_is_there_is_not_asked_for_again(server: StandIn, tmp_path: Path) -> None:
    files = [_media(server, n) for n in range(1, 21)]
    _fetch(server, tmp_path, files[:12])
    server.requests.clear()
    ImageFolder(tmp_path).path(files[3]).write_bytes(b"half of it")
    answers = _fetch(server, tmp_path, files)
    assert server.requests.count("/images/") == 8 + 1
    assert [_reason(answer) for answer in answers] == [""] * 20
    assert ImageFolder(tmp_path).holds(files[3])


def test_a_fetch_that_was_stopped_leaves_only_whole_images(server: StandIn, tmp_path: Path) -> None:
    settings = server.settings()
    with Client(settings) as client:
        stream = fetch(client, ImageFolder(tmp_path), [_media(server, n) for n in range(1, 21)], settings=settings)
        next(stream)
        stream.close()  # type: ignore[attr-defined]
    kept = _names(tmp_path)
    assert 1 <= len(kept) < 20
    assert all(_sha1((tmp_path / name[:2] / name).read_bytes()) == name.removesuffix(".jpg") for name in kept)
    assert not [t for t in threading.enumerate() if t.name.startswith("images")]


def test_same_bytes_are_kept_once(server: StandIn, tmp_path: Path) -> None:
    twins = [replace(_media(server, 1), iri=f"https://x.example/{n}") for n in range(3)]
    answers = _fetch(server, tmp_path, twins)
    assert len({path for _, path in answers}) == len(_names(tmp_path)) == 1  # type: ignore[misc]


def test_what_cannot_be_had_has_a_reason_and_stops_nothing(server: StandIn, tmp_path: Path) -> None:
    other = replace(_media(server, 2), sha1="ab" * 20)
    nowhere = MediaFile(iri="https://x.example/nowhere")
    wide = replace(_media(server, 4), width_px=60_000, height_px=60_000)
    files = [_media(server, n) for n in (1, GONE, GARBAGE, CUT)] + [other, nowhere, wide, _media(server, 5)]
    answers = _fetch(server, tmp_path, files)
    assert [_reason(answer) for answer in answers] == [
        "",
        "image missing",
        "unreadable image",
        "unreadable image",
        "checksum differs",
        "image missing",
        "image too large",
        "",
    ]
    failures = [answer for answer in answers if isinstance(answer, Failure)]
    assert [failure.subject for failure in failures] == [media.iri for media in files[1:7]]
    assert {failure.step for failure in failures} == {"images"}
    assert _names(tmp_path) == sorted(f"{_sha1(BODIES[n] or b'')}.jpg" for n in (1, 5))


@pytest.mark.parametrize("limits", [{"max_image_bytes": 500}, {"max_image_pixels": 1199}])
def test_limits(server: StandIn, tmp_path: Path, limits: dict[str, int]) -> None:
    unannounced = replace(_media(server, 1), size_bytes=0)
    assert [_reason(a) for a in _fetch(server, tmp_path, [unannounced], **limits)] == ["image too large"]
    assert _names(tmp_path) == []


def test_a_decompression_bomb_is_not_decoded() -> None:
    png = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(png, "PNG")
    trouble = undecodable(png.getvalue(), Settings().max_image_pixels)
    assert trouble is not None
    assert trouble.reason == "image too large"


@pytest.mark.parametrize(
    "fault", [f for f in faults.FAULTS.values() if f not in (faults.MAXLAG, faults.RATE_LIMITED)], ids=lambda f: f.kind
)
def test_trouble_on_the_way_is_mended(server: StandIn, tmp_path: Path, fault: faults.Fault) -> None:
    server.faults.next("/images/", fault)
    answers = _fetch(server, tmp_path, [_media(server, n) for n in (1, 2, 3)])
    assert [_reason(answer) for answer in answers] == ["", "", ""]
    assert server.faults.pending == 0
    assert server.requests.count("/images/") == (3 if fault == faults.SLOW_DRIP else 4)  # what comes slowly comes


def test_a_host_that_does_not_answer_is_given_up(server: StandIn, tmp_path: Path) -> None:
    server.faults.next("/images/", faults.UNAVAILABLE, times=1000)
    answers = _fetch(server, tmp_path, [_media(server, n) for n in range(1, 21)])
    assert {_reason(answer) for answer in answers} == {"image not reachable"}
    assert len(answers) == 20
    assert server.requests.count("/images/") <= (PATIENCE + 1) * 3  # one more may be under way
    server.faults.clear()
    assert {_reason(answer) for answer in _fetch(server, tmp_path, [_media(server, n) for n in range(1, 21)])} == {""}


def test_a_sha1_that_nobody_told_is_found_out(server: StandIn, tmp_path: Path) -> None:
    ((media, path),) = _fetch(server, tmp_path, [replace(_media(server, 1), sha1="", size_bytes=0)])  # type: ignore[misc]
    assert media.sha1 == _sha1(path.read_bytes())


@pytest.mark.parametrize("sha1", ["", "../../etc/passwd", "AB" * 20])
def test_only_a_sha1_makes_a_path(sha1: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no SHA-1"):
        ImageFolder(tmp_path).path(MediaFile(iri="x", sha1=sha1))
