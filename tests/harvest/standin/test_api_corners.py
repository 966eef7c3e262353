"""Corners of the API that a client seldom meets: errors by code, searches by name, site information, WoRMS by id."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from harvest.standin.server import StandIn
from harvest.standin.world import Category, Entity, File, Item, Revision, World

HISTORY = tuple(
    Revision(id=n, parent=n - 1, user=f"U{n}", moment=f"2021-10-0{n}T00:00:00Z", comment="", wikitext="x" * n)
    for n in (1, 2, 3)
)
WORLD = World(
    files=(File(page_id=5, title="File:Één plaat.jpg", revisions=HISTORY, categories=("B", "A")),),
    categories=(Category(page_id=6, title="Category:A", moment="2021-10-01T00:00:00Z"),),
    items=(
        Item(id="Q158603", entity=Entity(labels={"nl": "distelvlinder", "mul": "Vanessa cardui"})),
        Item(id="Q1", entity=Entity(labels={"nl": "heelal"}, aliases={"nl": ("distel",)})),
        Item(id="Q2", redirect="Q1"),
    ),
)


@pytest.fixture
def ask(stand_in: Callable[[World], StandIn]) -> Callable[..., Any]:
    standin = stand_in(WORLD)

    def asked(wiki: str = "", **params: str) -> Any:
        url = f"{standin.url}{wiki}/w/api.php"
        return requests.get(url, params={"formatversion": "2", **params}, timeout=10).json()

    return asked


@pytest.mark.parametrize(
    ("code", "params"),
    [
        ("badvalue", {"action": "fly"}),
        ("badvalue", {"action": "query", "prop": "nonsense"}),
        ("badvalue", {"action": "query", "list": "nonsense"}),
        ("badvalue", {"action": "query", "meta": "nonsense"}),
        ("badvalue", {"action": "query", "generator": "nonsense"}),
        ("invalidparammix", {"action": "query", "list": "categorymembers"}),
        ("badinteger", {"action": "query", "list": "categorymembers", "cmtitle": "Category:A", "cmlimit": "-1"}),
        ("missingparam", {"action": "query", "list": "search"}),
        ("badcontinue", {"action": "query", "prop": "revisions", "pageids": "5", "rvcontinue": "1|1"}),
        ("badcontinue", {"action": "query", "list": "categorymembers", "cmtitle": "Category:A", "cmcontinue": "x"}),
        ("param-missing", {"action": "wbgetentities"}),
        ("no-such-entity", {"action": "wbgetclaims", "entity": "M0"}),
        ("no-such-entity", {"action": "wbgetclaims", "entity": "M5"}),
        ("maxlag", {"action": "query", "maxlag": "-1"}),
    ],
)
def test_errors_by_code(ask: Callable[..., Any], code: str, params: dict[str, str]) -> None:
    error = ask(**params)["error"]
    assert error["code"] == code
    assert "docref" in error  # formatversion 1 calls it "*"


def test_a_history_from_the_oldest_on_with_its_text(ask: Callable[..., Any]) -> None:
    params = {"action": "query", "prop": "revisions", "titles": "file:één_plaat.jpg", "rvdir": "newer", "rvlimit": "2"}
    params |= {"rvprop": "ids|flags|content|slotsize", "rvslots": "main"}
    first = ask(**params)
    rest = ask(**params, rvcontinue=first["continue"]["rvcontinue"])
    [page] = first["query"]["pages"]
    assert first["query"]["normalized"][0]["to"] == page["title"] == "File:Één plaat.jpg"
    assert "batchcomplete" not in first
    assert [(r["revid"], r["slots"]["main"]["content"]) for r in page["revisions"]] == [(1, "x"), (2, "xx")]
    assert [r["revid"] for r in rest["query"]["pages"][0]["revisions"]] == [3]
    assert rest["batchcomplete"] is True


def test_what_is_not_there_is_called_missing(ask: Callable[..., Any]) -> None:
    pages = ask(action="query", titles="File:Nope.jpg|Category:A", pageids="77")["query"]["pages"]
    assert {p.get("title", p.get("pageid")): p.get("missing", False) for p in pages} == {
        "File:Nope.jpg": True,
        "Category:A": False,
        77: True,
    }
    info = ask(action="query", titles="File:Nope.jpg", prop="imageinfo", formatversion="1")["query"]["pages"]["-1"]
    assert (info["missing"], info["imagerepository"]) == ("", "")


def test_categories_of_a_page(ask: Callable[..., Any]) -> None:
    [page] = ask(action="query", pageids="5", prop="categories|imageinfo", iiprop="mediatype|timestamp|user")["query"][
        "pages"
    ]
    assert [c["title"] for c in page["categories"]] == ["Category:A", "Category:B"]
    assert page["imageinfo"] == [{"timestamp": "2021-10-01T00:00:00Z", "user": "U1", "mediatype": "BITMAP"}]


def test_metadata_can_be_asked_for_in_part(ask: Callable[..., Any]) -> None:
    params = {"action": "query", "pageids": "5", "prop": "imageinfo", "iiprop": "extmetadata"}
    [page] = ask(**params, iiextmetadatafilter="ObjectName|LicenseUrl")["query"]["pages"]
    assert page["imageinfo"][0]["extmetadata"].keys() == {"ObjectName"}


def test_search_leaves_out_and_looks_into_categories(ask: Callable[..., Any]) -> None:
    def found(text: str) -> list[str]:
        return [hit["title"] for hit in ask(action="query", list="search", srsearch=text)["query"]["search"]]

    assert found('incategory:"A" plaat') == ["File:Één plaat.jpg"]
    assert found("-incategory:A") == []


def test_items_by_label_and_alias(ask: Callable[..., Any]) -> None:
    def hits(text: str, language: str = "nl") -> list[tuple[str, str]]:
        answer = ask("/wikidata", action="wbsearchentities", search=text, language=language, type="item")
        return [(hit["id"], hit["match"]["type"]) for hit in answer["search"]]

    assert hits("Distelvlinder") == [("Q158603", "label")]
    assert hits("distel") == [("Q1", "alias"), ("Q158603", "label")]  # whole names before beginnings of names
    assert hits("vanessa", "en") == [("Q158603", "label")]  # a label in all languages


def test_item_search_has_the_recorded_fields(recordings: Path, small_wikis: StandIn) -> None:
    recorded = _exchange(recordings, "search entities")
    url = f"{small_wikis.url}/wikidata/w/api.php"
    [ours] = requests.get(url, params=recorded["params"], timeout=10).json()["search"]
    [real] = recorded["json"]["search"]
    extra = {"description": ours.pop("description")}  # which the recorded wiki does not index
    assert ours["display"].pop("description")["value"] == extra["description"]
    assert ours | {"url": real["url"]} == real


def test_site_information_is_a_part_of_the_recorded(recordings: Path, small_wikis: StandIn) -> None:
    recorded = _exchange(recordings, "siteinfo")
    ours = requests.get(f"{small_wikis.url}/w/api.php", params=recorded["params"], timeout=10).json()["query"]
    real = recorded["json"]["query"]
    assert ours["general"].keys() <= real["general"].keys()
    same = ("sitename", "generator", "case", "lang", "timezone", "articlepath", "scriptpath", "wikiid")
    assert {k: ours["general"][k] for k in same} == {k: real["general"][k] for k in same}
    assert ours["namespaces"].keys() <= real["namespaces"].keys()
    assert all(ours["namespaces"][n]["*"] == real["namespaces"][n]["*"] for n in ours["namespaces"])


def test_worms_by_id(stand_in: Callable[[World], StandIn]) -> None:
    genus = {"AphiaID": 1, "scientificname": "Gadus", "rank": "Genus", "valid_AphiaID": 1, "authority": None}
    cod = {"AphiaID": 2, "scientificname": "Gadus morhua", "rank": "Species", "valid_AphiaID": 2, "authority": "L."}
    old = {"AphiaID": 3, "scientificname": "Gadus vulgaris", "rank": "Species", "valid_AphiaID": 2, "authority": "L."}
    standin = stand_in(World(aphia=(genus, cod | {"parentNameUsageID": 1}, old)))

    def get(path: str) -> Any:
        answer = requests.get(f"{standin.url}/worms/{path}", timeout=10)
        return answer.json() if answer.status_code == 200 else answer.status_code

    assert get("AphiaRecordByAphiaID/2")["scientificname"] == "Gadus morhua"
    assert get("AphiaNameByAphiaID/1") == "Gadus"
    assert [r["AphiaID"] for r in get("AphiaSynonymsByAphiaID/2")] == [3]
    chain = get("AphiaClassificationByAphiaID/2")
    assert (chain["scientificname"], chain["child"]["scientificname"], chain["child"]["child"]) == (
        "Gadus",
        "Gadus morhua",
        None,
    )
    assert [get(p) for p in ("AphiaRecordByAphiaID/9", "AphiaRecordByAphiaID/x", "Nothing/1")] == [204, 400, 404]


def _exchange(recordings: Path, note: str) -> Any:
    lines = (recordings / "mediawiki/recorded.jsonl").read_text(encoding="utf-8").splitlines()
    return next(e for line in lines if (e := json.loads(line))["note"].startswith(note))
