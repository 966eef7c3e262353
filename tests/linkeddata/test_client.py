"""The polite client, over real HTTP against the stand-in that fails on demand."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harvest.standin import faults
from harvest.standin.faults import Fault
from harvest.standin.server import StandIn
from harvest.standin.world import Category, File, Revision, World
from linkeddata.client import Client, retry_after
from linkeddata.errors import ContactRequiredError, ServiceError, UnreachableError

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
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Crowded)
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    serving = threading.Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    ask = (lambda: asking.client.get_bytes(url, limit=9)) if files else (lambda: asking.client.get_json(url))
    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.shutdown()
    serving.join()
    server.server_close()
    assert 1 <= _Crowded.most <= most
    assert asking.client.counts["requests"] == 6


def test_retry_after_is_seconds_or_a_date() -> None:
    assert retry_after({}) is None
    assert retry_after({"Retry-After": " 12 "}) == 12.0
    assert retry_after({"Retry-After": "soon"}) is None
    ahead = retry_after({"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"})
    assert ahead is not None
    assert ahead > 0
