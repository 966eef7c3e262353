"""The whole application, over real HTTP: pages, forms, problems, headers, and that it starts without TensorFlow."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from fastapi.testclient import TestClient

from harvest.imagestore import ImageStore
from identify.app import create_app, operations
from identify.bundle import Bundle
from linkeddata.decoding import Facts
from linkeddata.ids import content_id
from linkeddata.records import Identification, Label, MediaFile, Record, Step, Taxon
from linkeddata.settings import Settings
from linkeddata.store import Store

WHEN = "2026-11-02T10:00:00Z"
NASTY = "<script>alert('x')</script> & \"quoted\""
PLATE = MediaFile(
    iri="https://commons.deboodt.example/entity/M7",
    title=f"File:{NASTY}.jpg",
    page="javascript:alert(1)",
    sha1="7" * 40,
    mime="image/jpeg",
    creator="Elias <Verhulst>",
    simulated=True,
)
FAR = MediaFile(iri="https://plates.example/a b?x", title="File:Elsewhere.jpg", page="https://plates.example/1")
ANSWER = Identification(
    id="a" * 24,
    file=PLATE.iri,
    model="colours",
    version="1",
    label="Vanessa cardui",
    rank="species",
    item="Q158603",
    certainty=0.9,
    rule="R2",
    moment=WHEN,
)
UNKNOWN = Identification(id="b" * 24, file=FAR.iri, model="colours", version="1", rule="R1", moment=WHEN)
RECORDS: list[Record] = [
    PLATE,
    FAR,
    ANSWER,
    UNKNOWN,
    Taxon(query="Q158603", concept="Q158603", name="Vanessa cardui", item="Q158603", vernaculars=(("nl", NASTY),)),
    Label(id="l1", campaign="albums", file=PLATE.iri, concept="Q158603", name=NASTY, support=2, voters=3, status="tie"),
    Step(id="albums/harvest", campaign="albums", name="harvest", fingerprint="x", counts=(("files", 12345),)),
]
PAGES = [
    "/",
    "/docs",
    "/identifications",
    f"/identifications/{ANSWER.id}",
    f"/identifications/{UNKNOWN.id}",
    "/labels",
    "/labels/l1",
    f"/media/{quote(PLATE.iri, safe='')}",
    f"/media/{quote(FAR.iri, safe='')}",
    "/taxa/Q158603",
    "/models",
    "/models/colours",
    "/models/colours/classes",
    "/queries",
    "/vocab",
    "/nothing/here",
]
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture(scope="module")
def home(
    colour_bundle: Callable[..., Bundle], picture: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A home folder with a store, a model, an image and a report."""
    home = tmp_path_factory.mktemp("home")
    with Store(Settings(home=str(home)).store) as store:
        store.put(RECORDS, agent="test", moment=WHEN)
    colour_bundle(home / "models")
    draft = home / "draft"
    draft.write_bytes(picture("red"))
    ImageStore(home / "images").keep(PLATE.sha1, Facts(PLATE.mime, 0, 0), draft)
    (home / "campaigns" / "albums").mkdir(parents=True)
    (home / "campaigns" / "albums" / "report.html").write_text("<style>p{}</style><p>Report</p>", encoding="utf-8")
    (home / "report.html").write_text("not for you", encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def url(home: Path, serving: Callable[[Callable[[str], object]], str]) -> str:
    """Address of the application."""
    address = serving(lambda at: create_app(Settings(home=str(home), base_url=at), now=lambda: WHEN))
    assert requests.get(f"{address}/health", timeout=30).json()["models"] == ["colours@1"]
    return address


class Page(HTMLParser):
    """What a page refers to and says."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.unlabelled: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where the tag leads."""
        given = dict(attrs)
        self.tags.append(tag)
        self.links += [value for name in ("href", "src", "action", "formaction") if (value := given.get(name))]
        if tag == "img" and "alt" not in given:
            self.unlabelled.append(self.get_starttag_text() or "")
        if any(name.startswith("on") or name == "style" for name in given):
            self.unlabelled.append(f"inline script or style: {self.get_starttag_text()}")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_escaped_and_asks_no_other_host(url: str, path: str) -> None:
    answer = requests.get(url + path, headers=BROWSER, timeout=30)
    assert answer.status_code == (404 if "nothing" in path else 200)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Page(answer.text)
    assert page.tags.count("h1") == 1
    assert {"html", "title", "main", "nav"} <= set(page.tags)
    assert page.unlabelled == []
    assert "<script>alert" not in answer.text
    assert "javascript:" not in "".join(page.links)
    loaded = re.findall(r"<(?:img|script|link)[^>]+(?:src|href)=\"([^\"]+)\"", answer.text)
    assert [one for one in loaded if not one.startswith(("/", "data:"))] == []


@pytest.mark.parametrize("path", PAGES)
def test_links_of_every_page_lead_somewhere(url: str, path: str) -> None:
    page = Page(requests.get(url + path, headers=BROWSER, timeout=30).text)
    inner = {link for link in page.links if link.startswith("/") and not link.endswith("/identify")}
    for link in inner:
        asks = BROWSER if link.startswith("/sparql?") else {}  # the page with a query in it; its answer needs a graph
        assert requests.get(url + link, headers=asks, timeout=30).status_code == 200, link


def test_painted_material_is_called_painted(url: str) -> None:
    for path in ("/", f"/identifications/{ANSWER.id}", "/labels/l1", f"/media/{quote(PLATE.iri, safe='')}"):
        assert "painted" in requests.get(url + path, headers=BROWSER, timeout=30).text
    assert "painted" not in requests.get(f"{url}/identifications/{UNKNOWN.id}", headers=BROWSER, timeout=30).text


def test_unknown_is_shown_as_such(url: str) -> None:
    text = requests.get(f"{url}/identifications/{UNKNOWN.id}", headers=BROWSER, timeout=30).text
    assert "I don’t know" in text
    assert "See it at its source" in text


def test_the_plain_form_answers_with_a_page(url: str, picture: Callable[..., bytes]) -> None:
    page = requests.get(f"{url}/", headers=BROWSER, timeout=30).text
    action = re.search(r'<form[^>]+action="([^"]+)"', page)
    assert action
    files = {"image": ("plate.jpg", picture("red"), "image/jpeg")}
    answer = requests.post(url + action[1], files=files, headers=BROWSER, timeout=60)
    assert answer.status_code == 200
    assert "<i>Vanessa cardui</i>" in answer.text
    assert 'src="data:image/jpeg;base64,' in answer.text
    assert 'id="answer"' in answer.text
    stranger = {"image": ("car.jpg", picture("grey"), "image/jpeg")}
    assert "I don’t know" in requests.post(url + action[1], files=stranger, headers=BROWSER, timeout=60).text
    wrong = requests.post(url + action[1], files={"image": ("x.jpg", b"<html>")}, headers=BROWSER, timeout=60)
    assert wrong.status_code == 422
    assert 'id="answer"' in wrong.text


def test_problems_are_problem_documents_for_machines(url: str) -> None:
    answers = [
        requests.get(f"{url}/identifications/none", timeout=30),
        requests.get(f"{url}/nothing/here", timeout=30),
        requests.get(f"{url}/identifications?limit=many", timeout=30),
        requests.put(f"{url}/models", timeout=30),
        requests.get(f"{url}/models", headers={"Accept": "image/png"}, timeout=30),
        requests.post(f"{url}/models/colours/identify", data=b"x", headers={"Content-Type": "text/plain"}, timeout=30),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 422, 405, 406, 415]
    for answer in answers:
        assert answer.headers["content-type"] == "application/problem+json"
        document = answer.json()
        assert document["status"] == answer.status_code
        assert document["title"]
        assert document["instance"].startswith("/")
    assert "limit" in answers[2].json()["detail"]


def test_every_answer_has_manners(url: str) -> None:
    for path in ("/", "/health", f"/identifications/{ANSWER.id}", "/nothing/here"):
        headers = requests.get(url + path, timeout=30).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["access-control-allow-origin"] == "*"


def test_pages_of_other_sites_may_ask_in_sparql_by_post_and_write_nothing(url: str) -> None:
    asked = {"Origin": "https://yasgui.example", "Access-Control-Request-Method": "POST"}
    leave = requests.options(f"{url}/sparql", headers=asked, timeout=30)
    assert (leave.status_code, leave.headers["access-control-allow-origin"]) == (204, "*")
    assert "POST" in leave.headers["access-control-allow-methods"]
    assert "Content-Type" in leave.headers["access-control-allow-headers"]
    answer = requests.post(f"{url}/sparql", data={"query": "CLEAR ALL"}, timeout=30)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (400, "*")
    elsewhere = requests.options(f"{url}/review/verdicts", headers=asked, timeout=30)
    assert "access-control-allow-origin" not in elsewhere.headers
    plain = requests.options(f"{url}/sparql", timeout=30)
    assert (plain.status_code, plain.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    put = requests.put(f"{url}/sparql", data="CLEAR ALL", timeout=30)
    assert (put.status_code, put.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    assert put.json()["detail"].startswith("Queries come by GET or POST")


def test_head_is_get_without_a_body(url: str) -> None:
    path = f"{url}/identifications/{ANSWER.id}"
    head, get = requests.head(path, timeout=30), requests.get(path, timeout=30)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == get.headers["etag"]
    assert head.headers["content-length"] == get.headers["content-length"]


def test_a_file_is_found_by_its_whole_iri(url: str) -> None:
    document = requests.get(f"{url}/media/{quote(FAR.iri, safe='')}", timeout=30).json()
    assert document["id"] == "https://plates.example/a%20b?x"


def test_a_report_is_shown_with_leave_for_its_own_style_only(url: str) -> None:
    answer = requests.get(f"{url}/campaigns/albums/report", timeout=30)
    assert answer.text == "<style>p{}</style><p>Report</p>"
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    for name in ("none", "..", "%2e%2e", "..%2F..", "."):
        assert requests.get(f"{url}/campaigns/{name}/report", timeout=30).status_code == 404


def test_openapi_describes_every_route_with_words_and_problems(url: str) -> None:
    content = requests.get(f"{url}/openapi.json", timeout=30).json()
    found = operations(content)
    described = {(method, path) for _, group in found for method, path, _ in group}
    assert {
        ("get", "/identifications/{key}"),
        ("post", "/models/{name}/identify"),
        ("get", "/models/{name}/classes"),
        ("get", "/health"),
    } <= described
    for _, group in found:
        for _, _, operation in group:
            assert operation["summary"]
            assert operation["description"]
    assert "HTTPValidationError" not in json.dumps(content)
    references = set(re.findall(r'"\$ref": "#/components/schemas/(\w+)"', json.dumps(content)))
    assert references <= set(content["components"]["schemas"])
    body = content["paths"]["/models/{name}/identify"]["post"]["requestBody"]["content"]
    assert set(body) == {"multipart/form-data", "image/*", "application/json"}


def test_an_empty_installation_has_a_home_page(tmp_path: Path) -> None:
    with TestClient(create_app(Settings(home=str(tmp_path)))) as client:
        page = client.get("/", headers=BROWSER)
        assert page.status_code == 200
        assert "No model yet" in page.text
        assert client.get("/models", headers=BROWSER).status_code == 200


def test_behind_a_proxy_with_a_path_pages_link_below_it(home: Path) -> None:
    settings = Settings(home=str(home), base_url="https://museum.example/deboodt")
    with TestClient(create_app(settings)) as client:
        links = Page(client.get("/", headers=BROWSER).text).links
    inner = [link for link in links if link.startswith("/")]
    assert inner
    assert all(link.startswith("/deboodt/") for link in inner)


def test_a_store_that_is_gone_is_a_problem_and_no_secret(home: Path, tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'broken.sqlite'}")
    with TestClient(create_app(Settings(home=str(home)), store=store)) as client:
        store.close()
        (tmp_path / "broken.sqlite").write_bytes(b"no database at all" * 100)
        answer = client.get("/health")
    store.close()
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "sqlite" not in answer.text


def test_ids_of_answers_and_documents_agree(url: str, picture: Callable[..., bytes]) -> None:
    answer = requests.post(
        f"{url}/models/colours/identify", data=picture("red"), headers={"Content-Type": "image/jpeg"}, timeout=60
    ).json()
    sha1 = answer["target"]["id"].removeprefix("urn:sha1:")
    weights = answer["creator"]["weights"].removeprefix("sha256:")
    assert answer["id"].rsplit(":", 1)[1] == content_id(f"urn:sha1:{sha1}", sha1, "colours", "1", weights)
