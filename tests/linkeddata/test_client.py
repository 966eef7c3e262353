"""The polite client, over real HTTP against the stand-in that fails on demand."""

import contextlib
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harvest.standin import faults
from harvest.standin.faults import Fault
from harvest.standin.server import StandIn
from harvest.standin.world import Category, File, Recorded, Revision, World
from linkeddata.client import Client, retry_after
from linkeddata.errors import ContactRequiredError, ServiceError, UnreachableError
from linkeddata.settings import Settings

MOMENT = "2021-10-03T14:05:00Z"
IMAGE = bytes(range(256)) * 40
QUERY = {"action": "query", "list": "categorymembers", "cmtitle": "Category:Plates", "format": "json"}


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    page = Revision(id=1, user="Jan", moment=MOMENT, comment="")
    file = File(page_id=7, title="File:Plate.jpg", revisions=(page,), categories=("Plates",), image=IMAGE)
    world = World(files=(file,), categories=(Category(page_id=8, title="Category:Plates", moment=MOMENT),))
    with StandIn(world) as running:
        yield running


@dataclass
class Asking:
    """A client whose sleeps are written down instead of slept."""

    standin: StandIn
    slept: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.standin.faults.clear()
        self.standin.requests.clear()
        self.client = Client(self.standin.settings(tries=4, longest_wait_s=60.0), sleep=self.slept.append)

    @property
    def api(self) -> str:
        return f"{self.standin.url}/w/api.php"

    @property
    def image(self) -> str:
        found = self.client.get_json(self.api, {"action": "query", "prop": "imageinfo", "pageids": 7} | IMAGE_URL)
        self.standin.requests.clear()
        return str(found["query"]["pages"][0]["imageinfo"][0]["url"])


IMAGE_URL = {"iiprop": "url", "formatversion": 2, "format": "json"}


@pytest.fixture
def asking(server: StandIn) -> Iterator[Asking]:
    one = Asking(server)
    with one.client:
        yield one


@pytest.mark.parametrize(
    ("fault", "least_s", "most_s"),
    [
        (faults.TOO_MANY_REQUESTS.after(7), 7, 7),
        (faults.TOO_MANY_REQUESTS.after(""), 0.5, 1),
        (faults.UNAVAILABLE, 0.5, 1),
        (faults.UNAVAILABLE.after(9), 9, 9),
        (faults.UNAVAILABLE.after("Fri, 01 Oct 2021 00:00:00 GMT"), 0, 0),
        (faults.CUT_CONNECTION, 0.5, 1),
        (faults.TRUNCATED, 0.5, 1),
        (faults.HTML_PAGE, 0.5, 1),
        (faults.MAXLAG, 5, 5),
        (faults.RATE_LIMITED, 0.5, 1),
        (faults.RATE_LIMITED.after(3), 3, 3),
    ],
    ids=lambda value: value.kind + value.retry_after if isinstance(value, Fault) else "",
)
def test_a_failed_try_is_waited_for_and_tried_again(
    asking: Asking, fault: Fault, least_s: float, most_s: float
) -> None:
    asking.standin.faults.next("/w/api.php", fault)
    answer = asking.client.get_json(asking.api, QUERY)
    assert [member["title"] for member in answer["query"]["categorymembers"]] == ["File:Plate.jpg"]
    assert len(asking.slept) == 1
    assert least_s <= asking.slept[0] <= most_s
    assert asking.client.counts["requests"] == asking.standin.requests.count() == 2
    assert asking.client.counts["retries"] == 1


def test_pauses_grow_and_end(asking: Asking) -> None:
    asking.standin.faults.next("/w/api.php", faults.UNAVAILABLE, times=9)
    with pytest.raises(UnreachableError, match="HTTP 503, 4 tries"):
        asking.client.get_json(asking.api, QUERY)
    assert asking.standin.requests.count() == 4
    assert [0.5 <= pause / 2**n <= 1 for n, pause in enumerate(asking.slept)] == [True] * 3


def test_a_wait_longer_than_the_cap_ends_the_run_with_its_reason(asking: Asking) -> None:
    asking.standin.faults.next("/w/api.php", faults.TOO_MANY_REQUESTS.after(3600))
    with pytest.raises(UnreachableError, match="asked to wait 3600 s") as caught:
        asking.client.get_json(asking.api, QUERY)
    assert caught.value.code == "wait"
    assert asking.slept == []


def test_a_no_is_not_asked_again(asking: Asking) -> None:
    with pytest.raises(ServiceError) as caught:
        asking.client.get_json(asking.api, {"action": "nosuchaction", "format": "json"})
    assert (caught.value.code, caught.value.url.partition("?")[0]) == ("badvalue", asking.api)
    with pytest.raises(ServiceError) as caught:
        asking.client.get_json(f"{asking.standin.url}/nothing/here")
    assert caught.value.code == "404"
    assert not isinstance(caught.value, UnreachableError)
    assert asking.slept == []


def test_nothing_is_none(asking: Asking) -> None:
    url = f"{asking.standin.url}/worms/AphiaRecordsByMatchNames"
    assert asking.client.get_json(url, {"scientificnames[]": "Nemo nullus"}) is None


def test_says_who_is_calling(asking: Asking) -> None:
    client = Client(asking.standin.settings(contact="registrar@museum.example"))
    with client:
        client.post_json(asking.api, QUERY)
    (asked,) = asking.standin.requests.all()
    assert asked.method == "POST"
    assert "(registrar@museum.example)" in asked.user_agent
    assert asked.user_agent.startswith("DeBoodt/")


def test_no_public_service_is_asked_without_a_contact(asking: Asking) -> None:
    for url in ("https://commons.wikimedia.org/w/api.php", "http://192.0.2.1/", "http://localhost.museum.example/"):
        with pytest.raises(ContactRequiredError, match="contact = "):
            asking.client.get_json(url)
    assert asking.client.counts["requests"] == 0


def test_bytes_come_whole(asking: Asking) -> None:
    url = asking.image
    assert asking.client.get_bytes(url, limit=len(IMAGE)) == IMAGE
    for fault in (faults.TRUNCATED, faults.CUT_CONNECTION, faults.HTML_PAGE, faults.UNAVAILABLE):
        asking.standin.faults.next("/images/", fault)
        assert asking.client.get_bytes(url, limit=len(IMAGE)) == IMAGE
    assert len(asking.slept) == 4


def test_bytes_have_a_limit(asking: Asking) -> None:
    with pytest.raises(ServiceError) as caught:
        asking.client.get_bytes(asking.image, limit=len(IMAGE) - 1)
    assert caught.value.code == "too-large"
    with pytest.raises(ServiceError) as caught:
        asking.client.get_bytes(f"{asking.standin.url}/images/0/00/None.jpg", limit=10)
    assert caught.value.code == "404"


def test_nobody_there_and_no_address(asking: Asking) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as closed:
        port = closed.server_address[1]
    with pytest.raises(UnreachableError, match="no answer"):
        asking.client.get_json(f"http://127.0.0.1:{port}/")
    with Client(asking.standin.settings(contact="x@museum.example")) as client, pytest.raises(ServiceError) as caught:
        client.get_json("no address at all")
    assert caught.value.code == "bad-request"


@contextlib.contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Give the address of a server that answers with ``handler``."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        serving.join()


class _Crowded(BaseHTTPRequestHandler):
    """Answers slowly and notes how many it is answering at once."""

    lock = threading.Lock()
    now = 0
    most = 0

    def do_GET(self) -> None:
        with _Crowded.lock:
            _Crowded.now += 1
            _Crowded.most = max(_Crowded.most, _Crowded.now)
        time.sleep(0.02)
        with _Crowded.lock:
            _Crowded.now -= 1
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Be silent."""


@pytest.mark.parametrize(("files", "most"), [(False, 1), (True, 2)])
def test_one_question_and_two_files_at_a_time(asking: Asking, files: bool, most: int) -> None:
    _Crowded.most = 0
    with _serving(_Crowded) as url:
        ask = (lambda: asking.client.get_bytes(url, limit=9)) if files else (lambda: asking.client.get_json(url))
        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert 1 <= _Crowded.most <= most
    assert asking.client.counts["requests"] == 6


def test_retry_after_is_seconds_or_a_date() -> None:
    assert retry_after({}) is None
    assert retry_after({"Retry-After": " 12 "}) == 12.0
    assert retry_after({"Retry-After": "soon"}) is None
    ahead = retry_after({"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"})
    assert ahead is not None
    assert ahead > 0


def test_a_file_is_written_while_it_comes_and_its_sha1_told(asking: Asking, tmp_path: Path) -> None:
    url, place = asking.image, tmp_path / "plate"
    for fault in (None, faults.TRUNCATED, faults.CUT_CONNECTION, faults.HTML_PAGE, faults.TOO_MANY_REQUESTS.after(3)):
        if fault:
            asking.standin.faults.next("/images/", fault)
        found = asking.client.download(url, place, limit=len(IMAGE))
        assert (found.size_bytes, found.sha1) == (len(IMAGE), hashlib.sha1(IMAGE, usedforsecurity=False).hexdigest())
        assert place.read_bytes() == IMAGE
    assert len(asking.slept) == 4
    assert 3.0 in asking.slept
    with pytest.raises(ServiceError) as caught:
        asking.client.download(url, place, limit=len(IMAGE) - 1)
    assert caught.value.code == "too-large"


@pytest.mark.parametrize("headers", [{"X-Robots-Tag": "noai"}, {"tdm-reservation": "1"}])
def test_a_file_that_asks_not_to_be_learned_from_is_left(
    stand_in: Callable[[World], StandIn], tmp_path: Path, headers: dict[str, str]
) -> None:
    recorded = Recorded(path="/a.jpg", params={}, body=IMAGE, headers=headers | {"Content-Type": "image/jpeg"})
    standin = stand_in(World(recorded=(recorded,)))
    with Client(standin.settings()) as client, pytest.raises(ServiceError) as caught:
        client.download(f"{standin.url}/a.jpg", tmp_path / "a", limit=len(IMAGE))
    assert caught.value.code == "reserved"
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("status", "kind", "allowed"),
    [(200, "text/plain", False), (200, "text/html", True), (404, "text/plain", True), (403, "text/plain", True)],
)
def test_robots_txt_is_asked_for_once(
    stand_in: Callable[[World], StandIn], status: int, kind: str, allowed: bool
) -> None:
    rules = b"User-agent: *\nDisallow: /images/"
    recorded = Recorded(path="/robots.txt", params={}, body=rules, status=status, headers={"Content-Type": kind})
    standin = stand_in(World(recorded=(recorded,)))
    with Client(standin.settings()) as client:
        assert [client.may_fetch(f"{standin.url}/images/{n}.jpg") for n in range(3)] == [allowed] * 3
        assert client.may_fetch(f"{standin.url}/other/1.jpg")
    assert standin.requests.count("/robots.txt") == 1


def test_a_host_that_cannot_say_what_it_allows_is_asked_again(asking: Asking) -> None:
    asking.standin.faults.next("/robots.txt", faults.UNAVAILABLE, times=4)
    with pytest.raises(UnreachableError):
        asking.client.may_fetch(f"{asking.standin.url}/images/1.jpg")
    assert asking.client.may_fetch(f"{asking.standin.url}/images/1.jpg")


def test_a_file_that_drips_is_given_up(tmp_path: Path) -> None:
    class Dripping(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(b"x")
                    time.sleep(0.01)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Be silent."""

    settings = Settings(tries=2, timeout_s=0.2, allow_private=True)
    with (
        _serving(Dripping) as url,
        Client(settings, sleep=lambda _: None) as client,
        pytest.raises(UnreachableError, match="too slow"),
    ):
        client.download(url, tmp_path / "a", limit=2_000_000)
    assert client.counts["requests"] == 2


def test_files_come_no_faster_than_the_settings_say(asking: Asking, tmp_path: Path) -> None:
    settings = asking.standin.settings(files_mbit_s=len(IMAGE) * 8 / 1_000_000 / 10)  # one image in ten seconds
    with Client(settings, sleep=asking.slept.append) as client:
        for _ in range(3):
            client.download(asking.image, tmp_path / "a", limit=len(IMAGE))
    assert 9 < asking.slept[0] <= 10  # the clock stands still here: the second image's window is the next one
    assert 19 < asking.slept[-1] <= 20
