"""The stand-in as a server: transport, faults on demand, its log, SPARQL, ISA, images."""

import hashlib
import http.client
import io
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import requests
from PIL import Image

from harvest.standin import faults
from harvest.standin.faults import FAULTS, SLOW_DRIP, SLOW_HEADERS, Fault
from harvest.standin.server import StandIn
from harvest.standin.world import Category, Entity, File, IsaCampaign, Item, Revision, World, statement, statements
from linkeddata.client import Client
from linkeddata.errors import UnreachableError

Start = Callable[[World], StandIn]


def picture(width: int = 600, height: int = 400) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "#336699").save(out, "JPEG")
    return out.getvalue()


def file(number: int, **told: object) -> File:
    body = picture()
    entity = Entity(statements=statements(statement(f"M{number}", "P180", "Q140", rank="preferred")))
    facts = {
        "page_id": number,
        "title": f"File:Plaat {number:03} & één.jpg",
        "revisions": (
            Revision(id=number * 10, user="A", moment="2021-10-01T00:00:00Z", comment="", wikitext="hello " * 50),
            Revision(id=number * 10 + 1, user="B", moment="2021-10-02T00:00:00Z", comment="", entity=entity),
        ),
        "categories": ("Plates",),
        "image": body,
        "sha1": hashlib.sha1(body, usedforsecurity=False).hexdigest(),
        "size_bytes": len(body),
        "width_px": 600,
        "height_px": 400,
    }
    return File(**(facts | told))  # type: ignore[arg-type]


WORLD = World(
    files=tuple(file(n) for n in range(1, 6)),
    categories=(Category(page_id=9, title="Category:Plates", moment="2021-09-01T00:00:00Z"),),
    items=(Item(id="Q140", entity=Entity(statements=statements(statement("Q140", "P225", "Panthera leo")))),),
    isa=(IsaCampaign(id=7, name="Tag the plates", csv=b"username,file\r\nA,File:X.jpg\r\n"),),
)
QUERY = {"action": "query", "list": "categorymembers", "cmtitle": "Category:Plates", "format": "json"}


@pytest.fixture
def standin(stand_in: Start) -> StandIn:
    return stand_in(WORLD)


def test_one_connection_serves_many_requests(standin: StandIn) -> None:
    connection = http.client.HTTPConnection(urlsplit(standin.url).netloc)
    try:
        sockets = set()
        for _ in range(3):
            connection.request("GET", "/gbif/v1/species/1")
            connection.getresponse().read()
            sockets.add(connection.sock)
        assert len(sockets) == 1
        assert None not in sockets
    finally:
        connection.close()


def test_gzip_only_where_it_is_accepted(standin: StandIn) -> None:
    url = f"{standin.url}/w/api.php"
    params = QUERY | {"generator": "categorymembers", "gcmtitle": "Category:Plates", "prop": "imageinfo"}
    params |= {"iiprop": "url|extmetadata|sha1"}
    plain = requests.get(url, params, headers={"Accept-Encoding": "identity"}, timeout=10)
    packed = requests.get(url, params, headers={"Accept-Encoding": "gzip"}, timeout=10)
    assert "Content-Encoding" not in plain.headers
    assert int(plain.headers["Content-Length"]) == len(plain.content)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert plain.json() == packed.json()


def test_images_are_the_bytes_that_were_announced(standin: StandIn) -> None:
    params = {"action": "query", "prop": "imageinfo", "iiprop": "url|sha1|size", "iiurlwidth": "300", "format": "json"}
    params |= {"titles": "File:Plaat_001 & één.jpg", "formatversion": "2"}
    [page] = requests.get(f"{standin.url}/w/api.php", params, timeout=10).json()["query"]["pages"]
    [info] = page["imageinfo"]
    image = requests.get(info["url"], timeout=10)
    assert hashlib.sha1(image.content, usedforsecurity=False).hexdigest() == info["sha1"]
    assert int(image.headers["Content-Length"]) == info["size"] == len(image.content)
    assert info["thumbwidth"] == 330  # the next larger standard width
    with Image.open(io.BytesIO(requests.get(info["thumburl"], timeout=10).content)) as thumbnail:
        assert thumbnail.size == (330, 220)
    refused = requests.get(info["thumburl"].replace("330px-", "300px-"), timeout=10)
    assert refused.status_code == 400


def test_an_image_that_is_gone(stand_in: Start) -> None:
    standin = stand_in(World(files=(file(1, image=None),)))
    params = {"action": "query", "prop": "imageinfo", "iiprop": "url", "pageids": "1", "format": "json"}
    page = requests.get(f"{standin.url}/w/api.php", params, timeout=10).json()["query"]["pages"]["1"]
    assert requests.get(page["imageinfo"][0]["url"], timeout=10).status_code == 404


def test_no_thumbnail_of_what_is_no_image(stand_in: Start) -> None:
    standin = stand_in(World(files=(file(1, title="File:X.jpg", image=b"no image"),)))
    params = {"action": "query", "prop": "imageinfo", "iiprop": "url", "iiurlwidth": "120", "pageids": "1"}
    page = requests.get(f"{standin.url}/w/api.php", params, timeout=10).json()["query"]["pages"]["1"]
    assert requests.get(page["imageinfo"][0]["thumburl"], timeout=10).status_code == 500


def test_properties_tell_their_data_type(stand_in: Start) -> None:
    standin = stand_in(World(items=(Item(id="P846", entity=Entity(labels={"en": "GBIF taxon ID"})),)))
    params = {"action": "wbgetentities", "ids": "P846", "format": "json"}
    found = requests.get(f"{standin.url}/wikidata/w/api.php", params, timeout=10).json()["entities"]["P846"]
    assert (found["type"], found["datatype"]) == ("property", "external-id")
    assert "sitelinks" not in found


def test_a_moved_file_is_found_under_its_old_name(stand_in: Start) -> None:
    moved = file(2, title="File:Old name.jpg", redirect="File:New name.jpg")
    standin = stand_in(World(files=(file(1, title="File:New name.jpg"), moved)))
    params = {"action": "query", "titles": "File:Old name.jpg", "redirects": "1", "format": "json"}
    found = requests.get(f"{standin.url}/w/api.php", params | {"formatversion": "2"}, timeout=10).json()["query"]
    assert found["redirects"] == [{"from": "File:Old name.jpg", "to": "File:New name.jpg"}]
    assert [page["pageid"] for page in found["pages"]] == [1]


def test_search_by_statement(standin: StandIn) -> None:
    params = {"action": "query", "list": "search", "srsearch": "haswbstatement:P180=Q140", "srlimit": "2"}
    params |= {"format": "json", "srnamespace": "6"}
    with Client(standin.settings()) as client:
        first = client.get_json(f"{standin.url}/w/api.php", params)
        rest = client.get_json(f"{standin.url}/w/api.php", params | first["continue"] | {"srlimit": "max"})
        other = client.get_json(f"{standin.url}/w/api.php", params | {"srsearch": "haswbstatement:P180=Q1"})
        named = {
            "action": "query",
            "list": "search",
            "srsearch": 'haswbstatement:"P225=panthera leo"',
            "format": "json",
        }
        lion = client.get_json(f"{standin.url}/wikidata/w/api.php", named)
    assert first["query"]["searchinfo"]["totalhits"] == 5
    assert len(first["query"]["search"]) + len(rest["query"]["search"]) == 5
    assert other["query"]["search"] == []
    assert [hit["title"] for hit in lion["query"]["search"]] == ["Q140"]


def test_many_pages_and_a_limit_do_not_go_together(standin: StandIn) -> None:
    params = {"action": "query", "prop": "revisions", "pageids": "1|2", "rvlimit": "5", "format": "json"}
    answer = requests.get(f"{standin.url}/w/api.php", params, timeout=10)
    assert answer.json()["error"]["code"] == answer.headers["MediaWiki-API-Error"] == "invalidparammix"


def test_sparql_by_get_and_post_in_three_formats(standin: StandIn) -> None:
    url = f"{standin.url}/sparql/commons"
    text = "SELECT ?file ?item WHERE { ?file <http://www.wikidata.org/prop/direct/P180> ?item } ORDER BY ?file"
    by_get = requests.get(url, {"query": text}, headers={"Accept": "application/sparql-results+json"}, timeout=10)
    by_form = requests.post(url, {"query": text}, headers={"Accept": "application/sparql-results+xml"}, timeout=10)
    headers = {"Accept": "text/csv", "Content-Type": "application/sparql-query"}
    by_body = requests.post(url, text.encode(), headers=headers, timeout=10)
    assert len(by_get.json()["results"]["bindings"]) == 5
    assert by_form.headers["Content-Type"] == "application/sparql-results+xml"
    assert by_form.text.count("<result>") == 5
    assert by_body.text.splitlines()[1] == "https://commons.wikimedia.org/entity/M1,http://www.wikidata.org/entity/Q140"


def test_sparql_federates_with_wikidata_only(standin: StandIn) -> None:
    text = """
        PREFIX wdt: <http://www.wikidata.org/prop/direct/>
        SELECT ?file ?name WHERE { ?file wdt:P180 ?item . SERVICE <%s> { ?item wdt:P225 ?name } }"""
    for address in ("https://qlever.dev/api/wikidata", standin.settings().sparql_wikidata):
        found = requests.get(f"{standin.url}/sparql/commons", {"query": text % address}, timeout=10).json()
        assert {b["name"]["value"] for b in found["results"]["bindings"]} == {"Panthera leo"}
    alone = text.replace("SERVICE <%s>", "")
    assert (
        requests.get(f"{standin.url}/sparql/commons", {"query": alone}, timeout=10).json()["results"]["bindings"] == []
    )
    elsewhere = requests.get(
        f"{standin.url}/sparql/commons", {"query": text % "https://dbpedia.org/sparql"}, timeout=10
    )
    assert elsewhere.status_code == 400
    assert requests.get(f"{standin.url}/sparql/commons", {"query": "SELECT"}, timeout=10).status_code == 400


def test_isa_sends_its_csv(standin: StandIn) -> None:
    answer = requests.get(standin.isa_url(7), timeout=10)
    assert answer.content == WORLD.isa[0].csv
    assert standin.isa_url(7).endswith("/isa/campaigns/7/all_stats_download/Tag_the_plates_all_stats.csv")
    assert "Tag_the_plates_all_stats.csv" in requests.get(f"{standin.url}/isa/campaigns/7/stats", timeout=10).text
    assert requests.get(f"{standin.url}/isa/campaigns/8/stats", timeout=10).status_code == 404


def test_settings_point_here(standin: StandIn) -> None:
    settings = standin.settings(tries=2)
    assert settings.tries == 2
    addresses = [settings.commons_api, settings.wikidata_api, settings.gbif_api, settings.worms_api]
    addresses += [settings.sparql_commons, settings.sparql_wikidata, settings.isa_base]
    assert all(address.startswith(standin.url) for address in addresses)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_a_client_stands_every_fault(standin: StandIn, fault: Fault) -> None:
    """The next answer fails, the client tries again, and what it gets is the answer without a fault."""
    waits: list[float] = []
    with Client(standin.settings(), sleep=waits.append) as client:
        whole = client.get_json(f"{standin.url}/w/api.php", QUERY)
        standin.faults.next("/w/api.php", fault, times=2)
        assert client.get_json(f"{standin.url}/w/api.php", QUERY) == whole
        if fault in (SLOW_DRIP, SLOW_HEADERS):  # what drips comes whole in the end
            assert client.get_json(f"{standin.url}/w/api.php", QUERY) == whole
    assert len(waits) == (0 if fault in (SLOW_DRIP, SLOW_HEADERS) else 2)
    assert standin.faults.pending == 0
    if fault.retry_after:
        assert waits == [float(fault.retry_after)] * 2


def test_a_fault_that_lasts_is_reported(standin: StandIn) -> None:
    standin.faults.next("/gbif/", faults.UNAVAILABLE, times=9)
    with (
        Client(standin.settings(tries=3), sleep=lambda _: None) as client,
        pytest.raises(UnreachableError, match="HTTP 503"),
    ):
        client.get_json(f"{standin.url}/gbif/v1/species/1")
    assert standin.faults.pending == 6
    standin.faults.clear()
    assert standin.faults.pending == 0


def test_faults_strike_where_they_were_ordered(standin: StandIn) -> None:
    standin.faults.next("/images/", faults.HTML_PAGE)
    assert requests.get(f"{standin.url}/w/api.php", QUERY, timeout=10).json()["query"]
    page = requests.get(f"{standin.url}/images/x.jpg", timeout=10)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_a_query_result_is_cut_by_a_stack_trace(standin: StandIn) -> None:
    standin.faults.next("/sparql/", faults.STACK_TRACE)
    answer = requests.get(f"{standin.url}/sparql/commons", {"query": "SELECT * { ?s ?p ?o }"}, timeout=10)
    assert answer.status_code == 200
    assert b"java.util.concurrent.TimeoutException" in answer.content
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_a_lagged_database_answers_as_recorded(standin: StandIn) -> None:
    standin.faults.next("/w/api.php", faults.MAXLAG)
    answer = requests.get(f"{standin.url}/w/api.php", QUERY | {"maxlag": "5"}, timeout=10)
    assert answer.status_code == 200
    sent = {k: answer.headers[k] for k in ("Retry-After", "X-Database-Lag", "MediaWiki-API-Error")}
    assert sent == {"Retry-After": "5", "X-Database-Lag": "12", "MediaWiki-API-Error": "maxlag"}
    error = answer.json()["error"]
    assert {k: error[k] for k in ("code", "lag", "type")} == {"code": "maxlag", "lag": 12, "type": "db"}
    assert error["info"] == "Waiting for a database server: 12 seconds lagged."


def test_the_log_tells_what_was_asked(standin: StandIn) -> None:
    with Client(standin.settings(contact="me@museum.example")) as client:
        client.get_json(f"{standin.url}/w/api.php", QUERY)
        client.post_json(f"{standin.url}/w/api.php", {"action": "wbgetentities", "ids": "M1", "format": "json"})
        client.get_json(f"{standin.url}/gbif/v1/species/match", {"name": "x"})
    assert standin.requests.count("/w/api.php") == 2
    assert standin.requests.count("/w/api.php", action="wbgetentities") == 1
    assert standin.requests.by_route() == {"/w/api.php": 2, "/gbif/": 1}
    assert all("me@museum.example" in asked.user_agent for asked in standin.requests.all())
    assert [asked.method for asked in standin.requests.all("/w/")] == ["GET", "POST"]
    standin.requests.clear()
    assert standin.requests.count() == 0


def test_its_own_mistakes_are_kept() -> None:
    broken = World(files=(File(page_id=1, title="File:No history.jpg", revisions=(), categories=("Plates",)),))
    with StandIn(broken) as standin:
        params = {"action": "query", "prop": "info", "pageids": "1", "format": "json"}
        assert requests.get(f"{standin.url}/w/api.php", params, timeout=10).status_code == 500
        assert len(standin.broken) == 1
        assert "IndexError" in standin.broken[0]


def test_the_world_is_large_and_the_answer_is_whole(stand_in: Start) -> None:
    """A category of 1,200 files comes in three pages, nothing twice and nothing left out."""
    standin = stand_in(World(files=tuple(file(n, image=b"") for n in range(1, 1201))))
    more: dict[str, str] = {}
    seen: list[int] = []
    pages = 0
    while more or not pages:
        answer = requests.get(f"{standin.url}/w/api.php", QUERY | {"cmlimit": "max"} | more, timeout=10).json()
        seen += [member["pageid"] for member in answer["query"]["categorymembers"]]
        more = answer.get("continue", {})
        pages += 1
    assert pages == 3
    assert sorted(seen) == list(range(1, 1201))
    assert seen == sorted(seen, key=lambda number: f"{number:03}")  # by title, as text
