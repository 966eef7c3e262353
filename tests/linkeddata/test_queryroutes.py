"""``/queries`` over HTTP: what there is, as a list and in OpenAPI; each query over a graph; pages and refusals."""

from collections.abc import Iterator
from typing import Any

import pyoxigraph as ox
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from linkeddata.publishedgraph import PublishedGraph
from linkeddata.queryroutes import router
from linkeddata.records import Agent, Ancestor, Identification, Label, MediaFile, Taxon
from linkeddata.settings import Settings
from linkeddata.sparql import PUBLISHED, load_query, query_names
from linkeddata.sparqlpool import Pool
from linkeddata.sparqlservice import Endpoint
from linkeddata.store import Store

BASE = "https://deboodt.example"
OURS = [name for name in query_names() if load_query(name).endpoint == PUBLISHED]
FILE = "https://plates.example/1"
NYMPHALIDAE = Ancestor("family", "Nymphalidae")


def records() -> Iterator[Any]:
    yield Agent(id="urn:robot", kind="SoftwareAgent", name="robot", version="1")
    yield MediaFile(iri=FILE, title="Plate")
    yield Taxon(query="Nymphalidae", concept="Q154860", name="Nymphalidae", rank="family", item="Q154860")
    for item, name, family in (
        ("Q158603", "Vanessa cardui", NYMPHALIDAE),
        ("Q1", "Aglais io", NYMPHALIDAE),
        ("Q2", "Papilio machaon", Ancestor("family", "Papilionidae")),
        ("Q3", "Pieris rapae", Ancestor("family", "Pieridae")),
    ):
        yield Taxon(query=item, concept=item, name=name, rank="species", item=item, lineage=(family,))
    named = {"Q158603": "Vanessa cardui", "Q1": "Aglais io", "Q2": "Papilio machaon", "Q154860": "Nymphalidae"}
    for number, (item, status) in enumerate(
        [("Q158603", "verified"), ("Q1", "unverified"), ("Q2", "unverified"), ("Q154860", "rejected")]
    ):
        yield Identification(
            id=f"a{number}",
            file=FILE,
            label=named[item],
            rank="family" if item == "Q154860" else "species",
            item=item,
            status=status,
            agent="urn:robot",
            certainty=0.5,
            moment=f"2026-11-0{number + 1}T10:00:00Z",
            region="xywh=percent:1,1,20,20" if number == 1 else "",
        )
    for number, status in enumerate(["tie", "accepted", "single"]):
        yield Label(
            id=f"l{number}",
            campaign="butterflies" if number else "moths",
            file=FILE,
            concept="Q3",
            item="Q3",
            name="Pieris rapae",
            status=status,
            voters=number + 1,
            moment="2026-11-02T10:00:00Z",
        )

    yield Taxon(query="Q9", concept="Q9", name="Vulpes", rank="genus", item="Q9", gbif_key="5219234")
    yield Label(id="l9", campaign="foxes", file=FILE, concept="Q9", item="Q9", gbif_key="5219234", status="reviewed")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home = tmp_path_factory.mktemp("queries")
    with Store(f"sqlite:///{home / 'store.sqlite'}") as store, PublishedGraph(home / "graph", BASE) as graph:
        store.put(records(), agent="test", moment="2026-11-05T10:00:00Z")
        graph.catch_up(store)
    pool = Pool(home / "graph")
    app = FastAPI()
    app.include_router(router(Endpoint(BASE, pool.ask, pool.limits), Settings(base_url=BASE)))
    yield TestClient(app, follow_redirects=False)
    pool.close()


def rows(client: TestClient, name: str, /, **params: Any) -> list[dict[str, str]]:
    answer = client.get(f"/queries/{name}/results", params=params)
    assert answer.status_code == 200, answer.text
    found = answer.json()["results"]["bindings"]
    return [{key: term["value"].removeprefix(f"{BASE}/") for key, term in row.items()} for row in found]


def test_they_are_listed_with_their_texts_and_where_they_run(client: TestClient) -> None:
    listed = {row["name"]: row for row in client.get("/queries").json()}
    assert set(listed) == set(query_names())
    assert {name for name, row in listed.items() if "results" in row} == set(OURS)
    assert listed["taxa-below"]["endpoint"] == "wikidata"
    assert listed["labels-to-review"]["optional"] == ["campaign", "status"]
    text = client.get("/queries/taxa-of-items")
    assert text.headers["content-type"].startswith("application/sparql-query")
    ours = client.get("/queries/labels-to-review").text
    assert f"<{BASE}/vocab#>" in ours
    assert "127.0.0.1" not in ours


@pytest.mark.parametrize("name", OURS)
def test_each_runs_with_its_samples_and_says_so_in_openapi(client: TestClient, name: str) -> None:
    query = load_query(name)
    samples = {"name": "Nymphalidae", "moment": "2026-11-01", "address": FILE}
    params = {param: samples[kind] for param, kind in query.params if param not in query.optional}
    answer = client.get(f"/queries/{name}/results", params=params)
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["sparql-rows"]) > 0
    assert "LIMIT" not in query.text
    described = client.app.openapi()["paths"][f"/queries/{name}/results"]["get"]  # type: ignore[attr-defined]
    assert described["summary"] == query.summary
    required = {one["name"] for one in described["parameters"] if one.get("required")}
    assert required == set(params)


def test_identifications_of_a_taxon_are_those_of_all_below_it(client: TestClient) -> None:
    found = rows(client, "identifications-of-taxon", name="Nymphalidae")
    assert [row["identification"] for row in found] == [f"identifications/a{n}" for n in (0, 1, 3)]
    assert {row["file"] for row in found} == {FILE}, "a region is one of its file"
    verified = rows(client, "identifications-of-taxon", name="Nymphalidae", status="verified")
    assert [row["taxon_name"] for row in verified] == ["Vanessa cardui"]
    two = rows(client, "identifications-of-taxon", name=["Aglais io", "Papilio machaon"])
    assert [row["taxon_name"] for row in two] == ["Aglais io", "Papilio machaon"]


def test_counts_by_model_and_status(client: TestClient) -> None:
    found = {
        row["verification"]: (row["made_by"], row["identifications"])
        for row in rows(client, "counts-by-model-and-status")
    }
    assert found == {"verified": ("robot 1", "1"), "unverified": ("robot 1", "2"), "rejected": ("robot 1", "1")}


def test_labels_to_review_and_taxa_nobody_identified(client: TestClient) -> None:
    assert [row["label"] for row in rows(client, "labels-to-review")] == ["labels/l2", "labels/l0"]
    assert [row["label"] for row in rows(client, "labels-to-review", campaign="moths")] == ["labels/l0"]
    assert [row["label"] for row in rows(client, "labels-to-review", status="accepted")] == ["labels/l1"]
    (left,) = rows(client, "taxa-without-identification", rank="species")
    assert (left["taxon_name"], left["labels"]) == ("Pieris rapae", "3")


def test_what_changed_since(client: TestClient) -> None:
    assert [row["annotation"] for row in rows(client, "changed-since", since="2026-11-03")] == [
        "identifications/a3",
        "identifications/a2",
    ]
    assert len(rows(client, "changed-since", since="2026-11-02T10:00:01Z")) == 2


@pytest.mark.parametrize(("accept", "form"), [("text/turtle", "turtle"), ("application/ld+json", "json-ld")])
def test_a_graph_comes_as_turtle_and_json_ld(client: TestClient, accept: str, form: str) -> None:
    answer = client.get("/queries/annotations-of-files/results", params={"file": FILE}, headers={"Accept": accept})
    assert answer.headers["content-type"].partition(";")[0] == accept
    kind = ox.RdfFormat.TURTLE if form == "turtle" else ox.RdfFormat.JSON_LD
    subjects = {str(quad.subject.value) for quad in ox.parse(answer.content, format=kind)}
    assert {f"{BASE}/identifications/a1", f"{BASE}/labels/l2", "http://www.wikidata.org/entity/Q3"} <= subjects
    assert "link" not in answer.headers


def test_rows_come_in_pages_and_forms(client: TestClient) -> None:
    where = "/queries/changed-since/results"
    whole = client.get(where, params={"since": "2026-11-01", "format": "csv"})
    assert whole.headers["content-type"].startswith("text/csv")
    lines = whole.text.splitlines()
    paged = [lines[0]]
    address = f"{where}?since=2026-11-01&format=csv&limit=3"
    pages = 0
    while address:
        answer = client.get(address)
        paged += answer.text.splitlines()[1:]
        following = answer.links.get("next", {}).get("url", "")
        assert answer.links["first"]["url"].startswith(f"{BASE}{where}?since=2026-11-01")
        address = following.removeprefix(BASE)
        pages += 1
    assert (paged, pages) == (lines, 3)


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("identifications-of-taxon/results", 422, "parameters are name, status; given none"),
        ("identifications-of-taxon/results?name=", 422, "given none"),
        ("identifications-of-taxon/results?name=a&colour=red", 422, "given name, colour"),
        ("identifications-of-taxon/results?name=a%22b", 422, "not a name"),
        ("changed-since/results?since=soon", 422, "not a day"),
        ("changed-since/results?since=2026-11-01&limit=0", 422, "limit is a number from 1 to 100,000"),
        ("changed-since/results?since=2026-11-01&page=x", 422, "page is a number"),
        ("changed-since/results?since=2026-11-01&format=image/png", 406, "can be had"),
        ("taxa-below/results", 404, "asks wikidata, not what is published here"),
        ("none/results", 404, "no query 'none'"),
        ("none", 404, "no query 'none'"),
    ],
)
def test_what_does_not_fit_is_said(client: TestClient, path: str, status: int, words: str) -> None:
    answer = client.get(f"/queries/{path}")
    assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text


def test_a_browser_is_led_to_the_page_with_the_query(client: TestClient) -> None:
    answer = client.get("/queries/changed-since/results?since=2026-11-01", headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{BASE}/sparql?query=")
    assert "2026-11-01T00%3A00%3A00Z" in answer.headers["location"]


def test_labels_that_gbif_cannot_place(client: TestClient) -> None:
    found = rows(client, "labels-without-gbif-key")
    assert {row["label"].rpartition("/")[2] for row in found} == {"l0", "l1", "l2"}
    assert rows(client, "labels-without-gbif-key", campaign="foxes") == []


def test_what_a_campaign_says_and_since_when(client: TestClient) -> None:
    (found,) = rows(client, "labelled-files-of-campaign", campaign="moths")
    assert (found["status"], found["taxon_name"]) == ("tie", "Pieris rapae")
    assert len(rows(client, "labelled-files-of-campaign", campaign="butterflies", status="accepted")) == 1
    assert rows(client, "labelled-files-of-campaign", campaign="moths", since="2026-11-03") == []
