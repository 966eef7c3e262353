"""Images over HTTP: the right bytes or a reason, and nothing twice."""

import hashlib
import io
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from harvest.images import PATIENCE, fetch
from harvest.imagestore import ORIGINAL, WHICHEVER, ImageStore
from harvest.standin import faults
from harvest.standin.index import image_path, url_path
from harvest.standin.server import StandIn
from harvest.standin.world import File, Recorded, Revision, World
from linkeddata.client import Client
from linkeddata.decoding import Facts
from linkeddata.records import Failure, MediaFile
from linkeddata.storage import Stored


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


Fetched = tuple[MediaFile, Stored] | Failure


def _fetch(
    server: StandIn, folder: Path, files: Sequence[MediaFile], *, width_px: int = ORIGINAL, **settings: object
) -> list[Fetched]:
    given = server.settings(**{"tries": 3, **settings})
    with Client(given, sleep=lambda _: None) as client:
        return list(fetch(client, ImageStore(folder, width_px), files, settings=given, moment="2026-11-02T10:00:00Z"))


def _reason(answer: Fetched) -> str:
    return answer.reason if isinstance(answer, Failure) else ""


def _names(folder: Path) -> list[str]:
    """Return the images in a folder, without what was put aside."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.parent.name != "quarantine")


def test_images_come_in_order_and_are_named_after_their_content(server: StandIn, tmp_path: Path) -> None:
    files = [_media(server, n) for n in range(1, 21)]
    answers = _fetch(server, tmp_path, files)
    assert [media for media, _ in answers] == files  # type: ignore[misc]
    for media, stored in answers:  # type: ignore[misc]
        assert stored.local == tmp_path / media.sha1[:2] / f"{media.sha1}.jpg"
        assert (stored.sha1, stored.mime) == (media.sha1, "image/jpeg")
        assert _sha1(stored.read_bytes()) == media.sha1
    assert len(_names(tmp_path)) == 20
    assert server.requests.count("/robots.txt") == 1


def test_what_is_there_is_not_asked_for_again(server: StandIn, tmp_path: Path) -> None:
    files = [_media(server, n) for n in range(1, 21)]
    _fetch(server, tmp_path, files[:12])
    server.requests.clear()
    spoilt = ImageStore(tmp_path).kept(files[3])
    assert spoilt is not None
    assert spoilt.local is not None
    spoilt.local.write_bytes(b"half of it")
    answers = _fetch(server, tmp_path, files)
    assert server.requests.count("/images/") == 8 + 1
    assert [_reason(answer) for answer in answers] == [""] * 20
    assert ImageStore(tmp_path).holds(files[3])


def test_a_fetch_that_was_stopped_leaves_only_whole_images(server: StandIn, tmp_path: Path) -> None:
    settings = server.settings()
    with Client(settings) as client:
        stream = fetch(client, ImageStore(tmp_path), [_media(server, n) for n in range(1, 21)], settings=settings)
        next(stream)
        stream.close()  # type: ignore[attr-defined]
    kept = _names(tmp_path)
    assert 1 <= len(kept) <= 20
    assert all(_sha1((tmp_path / name[:2] / name).read_bytes()) == name.removesuffix(".jpg") for name in kept)
    assert not [t for t in threading.enumerate() if t.name.startswith("images")]
    assert not list(tmp_path.glob(".*"))


def test_same_bytes_are_kept_once(server: StandIn, tmp_path: Path) -> None:
    twins = [replace(_media(server, 1), iri=f"https://x.example/{n}") for n in range(3)]
    answers = _fetch(server, tmp_path, twins)
    assert len({stored.name for _, stored in answers}) == len(_names(tmp_path)) == 1  # type: ignore[misc]


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


def test_what_is_broken_is_put_aside_with_the_reason_and_not_asked_for_again(server: StandIn, tmp_path: Path) -> None:
    files = [_media(server, n) for n in (GARBAGE, CUT)]
    first = _fetch(server, tmp_path, files)
    for number, media, failure in zip((GARBAGE, CUT), files, first, strict=True):
        aside = tmp_path / "quarantine" / media.sha1
        assert aside.with_suffix(".bin").read_bytes() == BODIES[number]
        note = json.loads(aside.with_suffix(".json").read_text(encoding="utf-8"))
        assert isinstance(failure, Failure)
        assert (note["reason"], note["detail"]) == (failure.reason, failure.detail)
        assert (note["file"], note["url"]) == (media.iri, media.original)
        assert (note["size_bytes"], note["moment"]) == (media.size_bytes, "2026-11-02T10:00:00Z")
    server.requests.clear()
    assert _fetch(server, tmp_path, files) == first
    assert server.requests.count("/images/") == 0


@pytest.mark.parametrize("limits", [{"max_image_bytes": 500}, {"max_image_pixels": 1199}])
def test_limits(server: StandIn, tmp_path: Path, limits: dict[str, int]) -> None:
    unannounced = replace(_media(server, 1), size_bytes=0)
    assert [_reason(a) for a in _fetch(server, tmp_path, [unannounced], **limits)] == ["image too large"]
    assert _names(tmp_path) == []


@pytest.mark.parametrize(
    "fault", [f for f in faults.FAULTS.values() if f not in (faults.MAXLAG, faults.RATE_LIMITED)], ids=lambda f: f.kind
)
def test_trouble_on_the_way_is_mended(server: StandIn, tmp_path: Path, fault: faults.Fault) -> None:
    server.faults.next("/images/", fault)
    answers = _fetch(server, tmp_path, [_media(server, n) for n in (1, 2, 3)])
    assert [_reason(answer) for answer in answers] == ["", "", ""]
    assert server.faults.pending == 0
    assert server.requests.count("/images/") == (
        3 if fault in (faults.SLOW_DRIP, faults.SLOW_HEADERS) else 4
    )  # few bytes may come slowly


def test_a_limit_is_waited_for_however_often_it_is_said(server: StandIn, tmp_path: Path) -> None:
    server.faults.next("/images/", faults.TOO_MANY_REQUESTS.after(60), times=20)
    answers = _fetch(server, tmp_path, [_media(server, n) for n in range(1, 7)], tries=2)
    assert [_reason(answer) for answer in answers] == [""] * 6
    assert server.faults.pending == 0


def test_a_host_that_does_not_answer_is_given_up(server: StandIn, tmp_path: Path) -> None:
    server.faults.next("/images/", faults.UNAVAILABLE, times=1000)
    answers = _fetch(server, tmp_path, [_media(server, n) for n in range(1, 21)])
    assert {_reason(answer) for answer in answers} == {"image not reachable"}
    assert len(answers) == 20
    assert server.requests.count("/images/") <= (PATIENCE + 1) * 3  # one more may be under way
    server.faults.clear()
    assert {_reason(answer) for answer in _fetch(server, tmp_path, [_media(server, n) for n in range(1, 21)])} == {""}


def test_what_nobody_told_of_an_image_is_found_out(server: StandIn, tmp_path: Path) -> None:
    bare = MediaFile(iri="https://x.example/1", original=_media(server, 1).original)
    ((media, stored),) = _fetch(server, tmp_path, [bare])  # type: ignore[misc]
    assert media.sha1 == stored.sha1 == _sha1(stored.read_bytes())
    assert (media.mime, media.width_px, media.height_px) == ("image/jpeg", 40, 30)
    assert media.size_bytes == len(BODIES[1] or b"")


@pytest.fixture
def plates(stand_in: Callable[[World], StandIn]) -> StandIn:
    """A wiki with a large plate, a small one, a large TIFF, one that was replaced since, and one that is gone."""
    page = Revision(id=1, user="", moment="2021-10-03T14:05:00Z", comment="")
    tiff = io.BytesIO()
    Image.new("RGB", (1200, 900), "teal").save(tiff, "TIFF", compression="jpeg")
    bodies = {1: _jpeg(1, (1600, 1001)), 2: _jpeg(2, (300, 200)), 3: tiff.getvalue(), 4: _jpeg(4)}
    files = [
        File(
            page_id=n,
            title=f"File:{n}.{'tif' if n == 3 else 'jpg'}",
            revisions=(page,),
            image=body,
            mime="image/tiff" if n == 3 else "image/jpeg",
            sha1=_sha1(body),
            width_px=Image.open(io.BytesIO(body)).width,
            height_px=Image.open(io.BytesIO(body)).height,
        )
        for n, body in bodies.items()
    ]
    return stand_in(World(files=tuple(files)))


def _of(server: StandIn, number: int, **facts: object) -> MediaFile:
    sha1 = next((f.sha1 for f in server.world.files if f.page_id == number), "ab" * 20)
    media = MediaFile(iri=f"https://commons.wikimedia.org/entity/M{number}", original="unused", sha1=sha1)
    return replace(media, **facts)  # type: ignore[arg-type]


def test_thumbnails_are_asked_of_the_api_and_kept_beside_their_originals_sha1(plates: StandIn, tmp_path: Path) -> None:
    files = [_of(plates, 1), _of(plates, 2), _of(plates, 3), _of(plates, 4, sha1="cd" * 20), _of(plates, 5)]
    answers = _fetch(plates, tmp_path, files, width_px=500)
    assert [_reason(a) for a in answers] == ["", "", "", "checksum differs", "image missing"]
    assert plates.requests.count("/w/api.php") == 1
    assert [media.sha1 for media, _ in answers[:3]] == [media.sha1 for media in files[:3]]  # type: ignore[misc]
    for place, same in ((0, False), (1, True), (2, False)):  # the small one comes as it is
        media, stored = answers[place]  # type: ignore[misc]
        assert stored.sha1 == _sha1(stored.read_bytes())
        assert (stored.sha1 == media.sha1) is same
        assert stored.mime == "image/jpeg"
        with Image.open(io.BytesIO(stored.read_bytes())) as image:
            assert image.width == (300 if same else 500)
    plates.requests.clear()
    assert _fetch(plates, tmp_path, files[:3], width_px=500) == [
        (media, ImageStore(tmp_path, 500).kept(media)) for media in files[:3]
    ]
    assert plates.requests.count("/images/") == 0


def test_which_copy_is_found_depends_on_what_is_wanted(plates: StandIn, tmp_path: Path) -> None:
    large = _of(plates, 1)
    for width in (250, 960):
        _fetch(plates, tmp_path, [large], width_px=width)

    def found(width: int) -> int:
        stored = ImageStore(tmp_path, width).kept(large)
        return Image.open(io.BytesIO(stored.read_bytes())).width if stored else 0

    assert [found(width) for width in (250, 500, 960, WHICHEVER, ORIGINAL)] == [250, 0, 960, 960, 0]
    original = next(f for f in plates.world.files if f.page_id == 1)
    url = f"{plates.url}/images/{url_path(image_path(original.title))}"
    _fetch(plates, tmp_path, [replace(large, original=url)])
    assert [found(width) for width in (250, 500, 960, WHICHEVER, ORIGINAL)] == [250, 1600, 960, 1600, 1600]


def test_a_thumbnail_of_other_measures_is_put_aside(plates: StandIn, tmp_path: Path) -> None:
    path = f"/images/thumb/{image_path('File:1.jpg')}/500px-1.jpg"
    recorded = (Recorded(path=path, params={}, body=_jpeg(9), headers={"Content-Type": "image/jpeg"}),)
    with StandIn(replace(plates.world, recorded=recorded)) as server:
        (failure,) = _fetch(server, tmp_path, [_of(server, 1)], width_px=500)
    assert isinstance(failure, Failure)
    assert failure.reason == "thumbnail has other measures"
    assert "40 × 30 instead of 500 × 313 pixels" in failure.detail
    assert (tmp_path / "quarantine" / f"{_sha1(_jpeg(9))}.bin").is_file()


def test_an_api_that_cannot_be_reached_loses_nothing(plates: StandIn, tmp_path: Path) -> None:
    plates.faults.next("/w/api.php", faults.UNAVAILABLE, times=3)
    assert [_reason(a) for a in _fetch(plates, tmp_path, [_of(plates, 1)], width_px=500)] == ["image not reachable"]
    assert [_reason(a) for a in _fetch(plates, tmp_path, [_of(plates, 1)], width_px=500)] == [""]


@pytest.mark.parametrize("fault", faults.FAULTS.values(), ids=lambda fault: fault.kind)
def test_trouble_with_the_address_of_a_thumbnail_is_mended(
    plates: StandIn, tmp_path: Path, fault: faults.Fault
) -> None:
    plates.faults.next("/w/api.php", fault)
    assert [_reason(a) for a in _fetch(plates, tmp_path, [_of(plates, 2)], width_px=500)] == [""]
    assert plates.faults.pending == 0


def _elsewhere(server: StandIn, *paths: str) -> list[MediaFile]:
    return [MediaFile(iri=f"https://x.example/{n}", original=f"{server.url}{path}") for n, path in enumerate(paths)]


def test_what_hosts_and_publishers_ask_is_respected_and_remembered(
    stand_in: Callable[[World], StandIn], tmp_path: Path
) -> None:
    image = {"Content-Type": "image/jpeg"}
    server = stand_in(
        World(
            recorded=(
                Recorded(
                    path="/robots.txt",
                    params={},
                    body=b"User-agent: *\nDisallow: /closed/",
                    headers={"Content-Type": "text/plain"},
                ),
                Recorded(path="/closed/1.jpg", params={}, body=_jpeg(1), headers=image),
                Recorded(path="/open/1.jpg", params={}, body=_jpeg(1), headers=image | {"X-Robots-Tag": "noai"}),
                Recorded(path="/open/2.jpg", params={}, body=_jpeg(2), headers=image | {"tdm-reservation": "1"}),
                Recorded(path="/open/3.jpg", params={}, body=_jpeg(3), headers=image),
            )
        )
    )
    files = _elsewhere(server, "/closed/1.jpg", "/open/1.jpg", "/open/2.jpg", "/open/3.jpg")
    wanted = ["not allowed by robots.txt", "reserved by its publisher", "reserved by its publisher", ""]
    first = _fetch(server, tmp_path, files)
    assert [_reason(answer) for answer in first] == wanted
    assert "X-Robots-Tag: noai" in str(first[1])
    assert [server.requests.count(path) for path in ("/closed/", "/open/1.jpg", "/open/2.jpg")] == [0, 1, 1]
    server.requests.clear()
    assert _fetch(server, tmp_path, files[:3]) == first[:3]
    assert server.requests.count("/open/") == server.requests.count("/closed/") == 0


def test_addresses_in_data_do_not_lead_inside(
    stand_in: Callable[[World], StandIn], server: StandIn, tmp_path: Path
) -> None:
    inside = stand_in(World(recorded=(Recorded(path="/secret.jpg", params={}, body=_jpeg(1)),)))
    leading = Recorded(
        path="/leads.jpg", params={}, body=b"", status=302, headers={"Location": f"{inside.url}/secret.jpg"}
    )
    looping = Recorded(path="/loops.jpg", params={}, body=b"", status=302, headers={"Location": "/loops.jpg"})
    outside = stand_in(World(recorded=(leading, looping)))
    files = _elsewhere(outside, "/leads.jpg", "/loops.jpg") + _elsewhere(inside, "/secret.jpg")
    answers = _fetch(outside, tmp_path, files, allow_private=False, contact="x@museum.example")
    assert [_reason(answer) for answer in answers] == ["address not public", "image refused", "address not public"]
    assert inside.requests.count() == 0
    assert [_reason(answer) for answer in _fetch(outside, tmp_path, files[:1])] == [""]


@pytest.mark.parametrize("sha1", ["", "../../etc/passwd", "AB" * 20])
def test_only_a_sha1_makes_a_name(sha1: str, tmp_path: Path) -> None:
    media = MediaFile(iri="x", sha1=sha1)
    assert ImageStore(tmp_path).kept(media) is None
    with pytest.raises(ValueError, match="no SHA-1"):
        ImageStore(tmp_path).keep(sha1, Facts("image/png", 1, 1), tmp_path / "draft")


def test_an_object_store_holds_what_a_folder_holds(plates: StandIn, bucket: str) -> None:
    settings = plates.settings(tries=3)
    files = [_of(plates, 1), _of(plates, 2), _of(plates, 5)]
    images = ImageStore(f"{bucket}/images", 500)
    with Client(settings, sleep=lambda _: None) as client:
        first = list(fetch(client, images, files, settings=settings))
        plates.requests.clear()
        again = list(fetch(client, ImageStore(f"{bucket}/images", 500), files, settings=settings))
    assert [_reason(answer) for answer in first] == [_reason(answer) for answer in again] == ["", "", "image missing"]
    assert plates.requests.count("/images/") == 0
    for (_, one), (_, other) in zip(first[:2], again[:2], strict=True):  # type: ignore[misc]
        assert (one.name, one.local) == (other.name, None)
        assert one.sha1 == _sha1(other.read_bytes())
