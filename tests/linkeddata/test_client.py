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
from linkeddata.client import Client, Ended, Wait
from linkeddata.errors import ContactRequiredError, LimitError, ServiceError, UnreachableError
from linkeddata.settings import Settings
from linkeddata.trying import retry_after

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
        (faults.UNAVAILABLE.after("Fri, 01 Oct 2021 00:00:00 GMT"), 0.5, 1),
        (faults.UNAVAILABLE.after(0), 0.5, 1),
        (faults.TOO_MANY_REQUESTS.after(3600), 3600, 3600),
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


LIMITS = [faults.TOO_MANY_REQUESTS, faults.TOO_MANY_REQUESTS.after(""), faults.MAXLAG, faults.RATE_LIMITED]


@pytest.mark.parametrize("fault", LIMITS, ids=lambda fault: fault.kind + fault.retry_after)
def test_a_limit_is_waited_for_as_often_as_it_is_said(asking: Asking, fault: Fault) -> None:
    asking.standin.faults.next("/w/api.php", fault, times=20)
    assert asking.client.get_json(asking.api, QUERY)["query"]
    assert len(asking.slept) == asking.client.counts["retries"] == 20
    assert max(asking.slept) <= 60.0


def test_limits_do_not_use_up_the_tries_of_what_is_broken(asking: Asking) -> None:
    for fault in (faults.UNAVAILABLE, faults.MAXLAG, faults.TRUNCATED, faults.RATE_LIMITED, faults.HTML_PAGE):
        asking.standin.faults.next("/w/api.php", fault, times=1)
    assert asking.client.get_json(asking.api, QUERY)["query"]
    assert asking.client.counts["retries"] == 5


def test_patience_ends_and_what_was_asked_is_left_to_do(asking: Asking) -> None:
    asking.standin.faults.next("/w/api.php", faults.TOO_MANY_REQUESTS.after(9_000), times=9)
    with pytest.raises(LimitError, match="waited 18,000 s, asked to wait 9,000 s more; left to do") as caught:
        asking.client.get_json(asking.api, QUERY)
    assert caught.value.code == "HTTP 429"
    assert asking.slept == [9_000, 9_000]


def test_a_long_wait_is_told(server: StandIn) -> None:
    told: list[Wait] = []
    server.faults.clear()
    server.faults.next("/w/api.php", faults.MAXLAG)
    server.faults.next("/w/api.php", faults.TOO_MANY_REQUESTS.after(3600))
    with Client(server.settings(), told=told.append, sleep=lambda _: None) as client:
        client.get_json(f"{server.url}/w/api.php", QUERY)
    assert [str(wait) for wait in told] == [f"{server.url.removeprefix('http://')} says HTTP 429: waiting 3,600 s"]


def test_while_one_waits_nobody_asks_the_same_host(server: StandIn) -> None:
    server.faults.clear()
    server.requests.clear()
    server.faults.next("/w/api.php", faults.TOO_MANY_REQUESTS)
    asked_while_waiting: list[int] = []

    def sleep(_: float) -> None:
        other.start()
        time.sleep(0.2)
        asked_while_waiting.append(server.requests.count())

    api = f"{server.url}/w/api.php"
    with Client(server.settings(), sleep=sleep) as client:
        other = threading.Thread(target=lambda: client.doing("history").get_json(api, QUERY))
        client.get_json(api, QUERY)
        other.join()
    assert asked_while_waiting == [1]
    assert server.requests.count() == 3


def test_an_answer_that_drips_in_has_a_deadline(server: StandIn) -> None:
    image = Asking(server).image
    server.faults.next("/w/api.php", faults.SLOW_DRIP)
    server.faults.next("/images/", faults.SLOW_DRIP)
    ended = Reports()
    with Client(server.settings(longest_answer_s=0.05), recorder=ended, sleep=lambda _: None) as client:
        client.get_json(f"{server.url}/w/api.php", QUERY)
        assert client.get_bytes(image, limit=len(IMAGE)) == IMAGE
    assert [one.kind for _, _, one in ended.ended_] == ["too slow", "ok", "too slow", "ok"]


def test_headers_that_drip_in_have_a_deadline_too(server: StandIn) -> None:
    server.faults.clear()
    server.faults.next("/w/api.php", faults.SLOW_HEADERS)
    ended = Reports()
    with Client(server.settings(longest_answer_s=0.05), recorder=ended, sleep=lambda _: None) as client:
        assert client.get_json(f"{server.url}/w/api.php", QUERY)["query"]
    assert [one.kind for _, _, one in ended.ended_] == ["no answer", "ok"]
    server.faults.next("/w/api.php", faults.SLOW_HEADERS)
    with Client(server.settings(), sleep=lambda _: None) as client:
        assert client.get_json(f"{server.url}/w/api.php", QUERY)["query"], "slow, and in time"
        assert client.counts["retries"] == 0


@dataclass
class Reports:
    """Writes down what a client reports."""

    sent_: list[tuple[str, str]] = field(default_factory=list)
    ended_: list[tuple[str, str, Ended]] = field(default_factory=list)

    def sent(self, route: str, host: str) -> None:
        self.sent_.append((route, host))

    def ended(self, route: str, host: str, outcome: Ended) -> None:
        self.ended_.append((route, host, outcome))


FAILURES = {
    "too many requests": "HTTP 429",
    "unavailable": "HTTP 503",
    "cut connection": "no answer",
    "truncated body": "cut off",
    "html page": "not JSON",
    "stack trace": "not JSON",
    "broken off": "not JSON",
    "timed out": "HTTP 429",
    "maxlag": "maxlag",
    "ratelimited": "ratelimited",
    "slow drip": "too slow",
    "slow headers": "no answer",
}


@pytest.mark.parametrize("fault", faults.FAULTS.values(), ids=lambda fault: fault.kind)
def test_every_try_is_reported_with_its_kind(server: StandIn, fault: Fault) -> None:
    server.faults.clear()
    server.faults.next("/w/api.php", fault)
    reports = Reports()
    with Client(server.settings(longest_answer_s=0.05), recorder=reports, sleep=lambda _: None) as client:
        client.doing("api").get_json(f"{server.url}/w/api.php", QUERY)
    host = server.url.removeprefix("http://")
    assert reports.sent_ == [("api", host)] * 2
    assert [(route, where) for route, where, _ in reports.ended_] == [("api", host)] * 2
    bad, good = (outcome for _, _, outcome in reports.ended_)
    assert (bad.kind, bad.requests, bad.again) == (FAILURES[fault.kind], 1, True)
    assert bad.wait_s > 0
    assert (good.kind, good.requests, good.again, good.wait_s) == ("ok", 1, False, 0)
    assert good.bytes > 0


def test_what_ends_the_tries_is_reported_too(server: StandIn) -> None:
    server.faults.clear()
    server.faults.next("/w/api.php", faults.UNAVAILABLE, times=2)
    reports = Reports()
    settings = server.settings(tries=2)
    with Client(settings, recorder=reports, sleep=lambda _: None) as client:
        with pytest.raises(UnreachableError):
            client.get_json(f"{server.url}/w/api.php", QUERY)
        with pytest.raises(ServiceError):
            client.get_json(f"{server.url}/nothing")
        with pytest.raises(ServiceError):
            client.get_json(f"{server.url}/w/api.php", {"action": "no", "format": "json"})
    told = [(outcome.kind, outcome.again) for _, _, outcome in reports.ended_]
    assert told == [("HTTP 503", True), ("HTTP 503", False), ("HTTP 404", False), ("badvalue", False)]


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
        pytest.raises(UnreachableError, match="only"),
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


def test_a_host_that_leads_elsewhere_is_followed(stand_in: Callable[[World], StandIn], tmp_path: Path) -> None:
    moved = Recorded(path="/old.jpg", params={}, body=b"", status=302, headers={"Location": "/new.jpg"})
    there = Recorded(path="/new.jpg", params={}, body=IMAGE, headers={"Content-Type": "image/jpeg"})
    standin = stand_in(World(recorded=(moved, there)))
    with Client(standin.settings()) as client:
        for name in ("old", "old", "new"):
            assert client.download(f"{standin.url}/{name}.jpg", tmp_path / "a", limit=len(IMAGE)).size_bytes == len(
                IMAGE
            )
    assert standin.requests.count("/old.jpg") == 3  # the first time it is seen that the host does so


def test_a_file_comes_by_the_proxy_of_the_environment(
    stand_in: Callable[[World], StandIn], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin = stand_in(World())
    standin.publish("/1.jpg", IMAGE)
    monkeypatch.setenv("http_proxy", standin.url)
    with Client(standin.settings(contact="x@museum.example", tries=1)) as client:
        assert client.download("http://plates.example/1.jpg", tmp_path / "a", limit=len(IMAGE)).size_bytes == len(IMAGE)


def test_a_log_in_and_letters_beyond_ascii_are_left_to_the_session(
    stand_in: Callable[[World], StandIn], tmp_path: Path
) -> None:
    standin = stand_in(World())
    url = standin.publish("/Käfer 1.jpg", IMAGE).replace("http://", "http://curator:secret@")
    with Client(standin.settings(contact="x@museum.example")) as client:
        assert client.download(url, tmp_path / "a", limit=len(IMAGE)).size_bytes == len(IMAGE)
