"""The shortcut to one identification: the same bytes and headers as by the long way, and never yesterday's."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from identify.app import create_app
from linkeddata.records import Agent, Alternative, Ancestor, Identification, MediaFile, Taxon
from linkeddata.settings import Settings
from linkeddata.store import Store

BASE = "https://deboodt.example"
WHEN = "2026-11-02T10:00:00Z"
ANSWER = Identification(
    id="a1",
    file="https://files.example/1",
    model="m",
    version="1",
    label="Vanessa cardui",
    rank="species",
    item="Q158603",
    gbif_key="4299368",
    certainty=0.87,
    alternatives=(Alternative("Vanessa cardui", 0.87, "species", "Q158603"), Alternative("ß", 0.1)),
    agent="urn:deboodt:model:m@1",
    moment=WHEN,
)
PICTURE = MediaFile(iri="https://files.example/1", title="Plate 1", licence="https://licence.example/", simulated=True)
BUTTERFLY = Taxon(
    query="Q158603",
    concept="Q158603",
    item="Q158603",
    name="Vanessa cardui",
    gbif_key="4299368",
    lineage=(Ancestor("family", "Nymphalidae", "7017"),),
    vernaculars=(("nl", "distelvlinder"),),
)
SOFTWARE = Agent(id="urn:deboodt:model:m@1", kind="SoftwareAgent", name="m", version="1")
NASTY = replace(ANSWER, id='an "odd" / key.ttl', region="xywh=percent:1,2,3,4")
PATHS = [
    "/identifications/a1",
    "/identifications/a1.jsonld",
    "/identifications/a1.ttl",
    "/identifications/an%20%22odd%22%20%2F%20key.ttl",
    "/identifications/an%20%22odd%22%20%2f%20key%2Ettl",
    "/identifications/none",
    "/identifications/",
    "/identifications/.ttl",
]
ACCEPTS = ["", "*/*", "application/ld+json", "application/json", "text/turtle", "text/html", "image/png", "nonsense"]


def put(store: Store, *records: Agent | Identification | MediaFile | Taxon) -> None:
    store.put(records, agent="test", moment=WHEN)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as opened:
        put(opened, SOFTWARE, PICTURE, BUTTERFLY, ANSWER, NASTY)
        yield opened


@pytest.fixture
def client(store: Store, tmp_path: Path) -> Iterator[TestClient]:
    app = create_app(Settings(base_url=BASE, home=str(tmp_path)), store=store, classifiers={})
    with TestClient(app, base_url=BASE) as opened:
        yield opened


def test_the_short_and_the_long_way_lead_to_the_same(client: TestClient, store: Store) -> None:
    assert store.at_once
    tag = client.get(PATHS[0]).headers["etag"]
    conditions = [{}, {"if-none-match": tag}, {"if-none-match": '"x", *'}, {"if-match": tag}, {"if-match": '"x"'}]
    for path, accept, condition, again in itertools.product(PATHS, ACCEPTS, conditions, (1, 2)):
        for method in ("GET", "HEAD"):
            headers = {"accept": accept, "accept-encoding": "gzip" if again == 2 else "identity", **condition}
            here = client.request(method, path, headers=headers)
            there = client.request(method, f"{path}?long", headers=headers)  # parameters are read the long way
            assert (here.status_code, here.content) == (there.status_code, there.content), (path, headers)
            assert here.headers.multi_items() == there.headers.multi_items(), (path, headers)


@pytest.mark.parametrize(
    "change",
    [
        replace(ANSWER, certainty=0.5),
        replace(PICTURE, title="Another plate"),
        replace(BUTTERFLY, vernaculars=(("nl", "distelvlinder"), ("de", "Distelfalter"))),
        replace(SOFTWARE, version="2"),
    ],
    ids=["identification", "picture", "taxon", "agent"],
)
def test_no_answer_outlives_a_change_of_what_it_was_made_of(
    client: TestClient, tmp_path: Path, change: Identification | MediaFile | Taxon | Agent
) -> None:
    before = client.get("/identifications/a1")
    assert client.get("/identifications/a1").content == before.content
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as another:  # as another process would
        put(another, change)
    after = client.get("/identifications/a1")
    assert after.content != before.content
    assert after.headers["etag"] != before.headers["etag"]
    unchanged = client.get("/identifications/a1", headers={"if-none-match": before.headers["etag"]})
    assert unchanged.status_code == 200


def test_what_is_gone_is_gone_at_once(client: TestClient, store: Store) -> None:
    assert client.get("/identifications/a1").status_code == 200
    store.remove(Identification, ["a1"], agent="test", moment=WHEN, reason="withdrawn")
    assert client.get("/identifications/a1").status_code in (404, 410)
