"""The page that asks in SPARQL, in a real browser: under our policy, by keyboard alone, with and without the editor."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from identify.app import create_app
from identify.website import VENDORED, there
from linkeddata.publishedgraph import GRAPH, PublishedGraph
from linkeddata.records import Identification, MediaFile, Taxon
from linkeddata.settings import Settings
from linkeddata.store import Store

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

SAID = {"agent": "test", "moment": "2026-11-02T10:00:00Z"}
NAMES = "SELECT ?taxon ?name { ?taxon <http://rs.tdwg.org/dwc/terms/scientificName> ?name } ORDER BY ?name"


@pytest.fixture(scope="module")
def url(serving: Callable[[Callable[[str], object]], str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of an installation with three identifications."""
    home = tmp_path_factory.mktemp("home")

    def create(address: str) -> object:
        settings = Settings(home=str(home), base_url=address)
        with Store(settings.store) as store, PublishedGraph(home / GRAPH, address) as graph:
            store.put([MediaFile(iri="https://plates.example/1", title="Plate")], **SAID)
            store.put([Taxon(query="Q1", concept="Q1", item="Q1", name="Vanessa cardui", rank="species")], **SAID)
            store.put(
                [
                    Identification(id=f"a{n}", file="https://plates.example/1", label="Vanessa cardui", item="Q1")
                    for n in range(3)
                ],
                **SAID,
            )
            graph.catch_up(store)
        return create_app(settings)

    return serving(create)


@pytest.fixture(params=["plain field", "editor"])
def page(request: pytest.FixtureRequest, browser_page: "Page", url: str) -> "Page":
    """The page, once with the editor and once as it is where that was not built in."""
    if request.param == "editor" and not all(map(there, VENDORED)):
        pytest.skip("the editor is not built in here: make editor")
    if request.param == "plain field":
        browser_page.route("**/static/editor.*", lambda route: _nothing(route))
    browser_page.goto(f"{url}/sparql")
    assert browser_page.locator(".CodeMirror").count() == (request.param == "editor")
    return browser_page


def _nothing(route: "Route") -> None:
    kind = "text/css" if route.request.url.partition("?")[0].endswith(".css") else "text/javascript"
    route.fulfill(body="", content_type=kind)


def write(page: "Page", query: str) -> None:
    """Write a query in the place of what is there, by keyboard."""
    page.locator(".CodeMirror-lines, #query:visible").first.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(query)


def test_a_query_is_answered_in_a_table_and_has_an_address(page: "Page", url: str) -> None:
    write(page, NAMES)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#found table")
    assert page.inner_text("#found tbody td:nth-child(2)") == "Vanessa cardui"
    assert page.get_attribute("#found tbody a", "href") == "http://www.wikidata.org/entity/Q1"
    assert page.inner_text("#found caption").startswith("1 row in ")
    address = page.url
    assert address.startswith(f"{url}/sparql?query=SELECT")
    page.goto(address)
    page.wait_for_selector("#found table")
    assert page.input_value("#query") == NAMES


def test_the_way_back_leads_to_the_query_before(page: "Page") -> None:
    for query in (NAMES, "ASK { ?s ?p ?o }"):
        write(page, query)
        page.get_by_role("button", name="Run").click()
        page.wait_for_selector("#found table, #found p:text('Yes.')")
    page.wait_for_selector("#found p:text('Yes.')")
    page.go_back()
    page.wait_for_selector("#found table")


def test_what_is_wrong_is_told_as_it_comes(page: "Page") -> None:
    write(page, "SELECT * {")
    page.get_by_role("button", name="Run").click()
    page.wait_for_selector("#found [role=alert]")
    assert "The query cannot be understood" in page.inner_text("#found")
    write(page, "DELETE WHERE { ?s ?p ?o }")
    page.get_by_role("button", name="Run").click()
    page.wait_for_selector("#found:has-text('only answers queries')")


def test_samples_are_put_into_the_field_and_run(page: "Page") -> None:
    page.select_option("#samples", label="counts-by-model-and-status")
    page.wait_for_selector("#found table")
    assert "3" in page.inner_text("#found tbody tr")
    page.select_option("#samples", label="annotations-of-files")
    page.wait_for_selector("#found pre")


def test_the_keyboard_gets_out_of_the_field(page: "Page") -> None:
    page.locator(".CodeMirror-lines, #query:visible").first.click()
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Run"


def test_the_file_comes_as_from_any_form(page: "Page") -> None:
    write(page, NAMES)
    page.select_option("select[name=format]", "csv")
    with page.expect_response("**/sparql?**") as answered:
        page.get_by_role("button", name="Get the file").click()
    assert answered.value.headers["content-type"].startswith("text/csv")
