"""What no longer stands: a tombstone in every form; out of lists, dumps, feed and graph; its key never used again."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pyoxigraph
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from linkeddata import feed, graphdocuments
from linkeddata.api import router
from linkeddata.batches import Changes
from linkeddata.dumps import write_dumps
from linkeddata.errors import StoreError
from linkeddata.parts import Parts
from linkeddata.records import Agent, Identification, Label, MediaFile, ModelClass, Record, Review, Taxon
from linkeddata.sayings import Sorter
from linkeddata.settings import Settings
from linkeddata.store import Store
from linkeddata.tables import STANDS_FOR, URIS
from linkeddata.tombstones import add_tombstones
from linkeddata.uris import uri_of
from linkeddata.withdrawals import tombstone_of

BASE = "https://deboodt.example"
SETTINGS = Settings(base_url=BASE)
WHEN, LATER = "2026-11-02T10:00:00Z", "2026-11-03T10:00:00Z"
WHO = {"agent": "urn:deboodt:software:test", "moment": WHEN}
PLATE = MediaFile(iri="https://commons.wikimedia.org/entity/M7", title="File:Plate 7.png")
GONE = MediaFile(iri="https://plates.example/gone", title="File:Gone.png", gone=LATER)
PERSON = Agent(id="urn:deboodt:person:0a", name="Josephine Doe", homepage="https://josephine.example/")
ANSWER = Identification(id="a1", file=PLATE.iri, label="Vanessa", agent=PERSON.id, moment=WHEN)
LABEL = Label(id="l1", campaign="c", file=PLATE.iri, concept="Q1", name="Vanessa", status="single", moment=WHEN)
TAKEN_BACK = replace(LABEL, id="l2", concept="Q2", status="withdrawn", moment=LATER)
REVIEW = Review(id="r1", target="a1", verdict="reject", agent=PERSON.id, moment=WHEN, comment="Doe says no")
UNDONE = replace(REVIEW, id="r2", undone=LATER)
TAXON = Taxon(query="Vanessa", concept="Q1", name="Vanessa", item="Q1")
CLASS = ModelClass(id="m@1/0", model="m", version="1", index=0, label="Vanessa")
RECORDS: list[Record] = [PLATE, PERSON, ANSWER, LABEL, REVIEW, TAXON, CLASS]
OF_THEMSELVES: list[Record] = [GONE, TAKEN_BACK, UNDONE]


def key_of(record: Record) -> str:
    """Return the key of a record."""
    return str(getattr(record, {MediaFile: "iri", Taxon: "query"}.get(type(record), "id")))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with one of each kind that stands, and those that say of themselves that they do not."""
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as opened:
        opened.put([*RECORDS, *OF_THEMSELVES], **WHO)
        yield opened


@pytest.fixture
def client(store: Store) -> Iterator[TestClient]:
    """A client of the routes over that store."""
    app = FastAPI()
    app.include_router(router(store, SETTINGS))
    add_tombstones(app, Parts(store, SETTINGS))
    with TestClient(app, base_url=BASE) as opened:
        yield opened


FORMS = {
    "jsonld": pyoxigraph.RdfFormat.JSON_LD,
    "ttl": pyoxigraph.RdfFormat.TURTLE,
    "nt": pyoxigraph.RdfFormat.N_TRIPLES,
    "nq": pyoxigraph.RdfFormat.N_QUADS,
    "rdf": pyoxigraph.RdfFormat.RDF_XML,
}


@pytest.mark.parametrize("record", [one for one in RECORDS if one is not CLASS], ids=lambda one: type(one).__name__)
def test_what_was_withdrawn_answers_410_in_every_form(client: TestClient, store: Store, record: Record) -> None:
    uri = uri_of(type(record), key_of(record), BASE)
    assert client.get(uri).status_code == 200
    store.withdraw(type(record), [key_of(record)], agent="test", moment=LATER, reason="asked to")
    answer = client.get(uri)
    assert (answer.status_code, answer.headers["vary"]) == (410, "Accept, Accept-Encoding")
    doc = answer.json()
    assert (doc["id"], doc["type"], doc["deleted"]) == (uri, "Tombstone", LATER)
    assert "asked to" in doc["comment"]
    triples = set()
    for suffix, form in FORMS.items():
        address = f"{uri}.{suffix}" + ("?context=inline" if suffix == "jsonld" else "")
        again = client.get(address)
        assert (again.status_code, again.headers["content-location"]) == (410, address)
        triples.add(frozenset(str(quad.triple) for quad in pyoxigraph.parse(again.content, format=form)))
    assert len(triples) == 1
    assert client.get(uri, headers={"if-none-match": answer.headers["etag"]}).status_code == 304
    assert client.get(uri, headers={"accept": "image/png"}).status_code == 410
    assert client.head(uri).status_code in (405, 410)  # HEAD is made of GET by the application


@pytest.mark.parametrize("record", OF_THEMSELVES, ids=lambda one: type(one).__name__)
def test_a_record_may_say_so_itself(client: TestClient, record: Record) -> None:
    answer = client.get(uri_of(type(record), key_of(record), BASE))
    assert (answer.status_code, answer.json()["deleted"]) == (410, LATER)


def test_a_file_that_is_gone_gives_no_picture_and_no_manifest(client: TestClient) -> None:
    for rest in ("/image", "/manifest.json", "/annotations.json"):
        assert client.get(f"/media/{quote(GONE.iri, safe='')}{rest}").status_code == 410


def test_what_took_its_place_is_pointed_at(client: TestClient, store: Store) -> None:
    store.put([replace(ANSWER, id="a2", supersedes="a1")], **WHO)
    store.withdraw(Identification, ["a1"], agent="test", moment=LATER, reason="doubled", successor="a2")
    answer = client.get("/identifications/a1")
    assert answer.json()["isReplacedBy"] == f"{BASE}/identifications/a2"
    assert f'<{BASE}/identifications/a2>; rel="successor-version"' in answer.headers["link"]


def test_no_list_dump_feed_or_graph_has_it(client: TestClient, store: Store, tmp_path: Path) -> None:
    store.withdraw(Identification, ["a1"], agent="test", moment=LATER, reason="asked to")
    away = [ANSWER, *OF_THEMSELVES]
    uris = {uri_of(type(one), key_of(one), BASE) for one in away} | {GONE.iri}
    for name in ("identifications", "labels", "reviews", "media"):
        page = client.get(f"/{name}").json()
        assert page["total"] == len(page["first"]["items"])
        assert not uris & {item["id"] for item in page["first"]["items"]}
    write_dumps(store, BASE, tmp_path / "dump")
    lines = gzip.decompress((tmp_path / "dump" / "deboodt.jsonl.gz").read_bytes()).splitlines()
    assert not uris & {json.loads(line)["id"] for line in lines}
    page_one = feed.page_at(store, 1)
    assert page_one is not None
    last = {change.event.subject: change.activity for change in page_one.changes}
    assert {key_of(one): last[key_of(one)] for one in away} == {key_of(one): "Delete" for one in away}
    names = {Identification: "identification", Label: "label", Review: "review", MediaFile: "media_file"}
    said = graphdocuments.said(store, [(names[type(one)], key_of(one)) for one in away], Sorter(BASE))
    assert len(said) == len(away)
    assert not any(said.values())


@pytest.mark.parametrize("record", RECORDS, ids=lambda one: type(one).__name__)
def test_a_uri_is_never_used_again(store: Store, record: Record) -> None:
    kind, key = type(record), key_of(record)
    store.withdraw(kind, [key], agent="test", moment=LATER, reason="asked to")
    assert store.put([record], **WHO) == Changes(unchanged=1)
    assert store.get(kind, key) is None
    assert tombstone_of(store, kind, key) is not None


@pytest.mark.parametrize("removed", [True, False])
@pytest.mark.parametrize("record", [ANSWER, LABEL, REVIEW, CLASS], ids=lambda one: type(one).__name__)
def test_a_key_comes_back_only_as_what_it_stood_for(store: Store, record: Record, removed: bool) -> None:
    kind, key = type(record), key_of(record)
    field = STANDS_FOR[kind][0]
    if removed:
        store.remove(kind, [key], agent="test", moment=LATER, reason="recounted")
    with pytest.raises(StoreError, match=field):
        store.put([replace(record, **{field: "another"})], **WHO)  # type: ignore[arg-type]
    store.put([record], **WHO)
    assert store.get(kind, key) == record


def test_every_kind_with_a_uri_is_tried() -> None:
    assert {type(one) for one in RECORDS} == set(URIS)


def test_an_erased_person_is_nowhere(client: TestClient, store: Store) -> None:
    page = feed.page_at(store, 1)
    assert page is not None
    before = feed.ldes_document(page, BASE)["member"]
    store.erase(Agent, [PERSON.id], agent="test", moment=LATER, reason="asked to be forgotten")
    store.erase(Review, ["r1"], agent="test", moment=LATER, reason="its reviewer asked to be forgotten")
    log = "\n".join(event.payload for event in store.events())
    assert "Josephine" not in log
    assert "josephine" not in log
    assert "Doe says no" not in "\n".join(event.payload for event in store.events(subject="r1"))
    assert client.get("/agents/person:0a").status_code == 410
    assert client.get("/agents/person:0a").json()["comment"] == "Withdrawn: asked to be forgotten."
    page = feed.page_at(store, 1)
    assert page is not None
    assert feed.ldes_document(page, BASE)["member"][: len(before)] == before
    store.put([replace(PERSON, name="")], **WHO)
    assert store.get(Agent, PERSON.id) is None


def test_what_was_superseded_points_on_to_the_last(client: TestClient, store: Store) -> None:
    store.put([replace(ANSWER, id="a2", supersedes="a1"), replace(ANSWER, id="a3", supersedes="a2")], **WHO)
    answer = client.get("/identifications/a1")
    assert (answer.status_code, answer.json()["isReplacedBy"]) == (200, f"{BASE}/identifications/a2")
    assert f'<{BASE}/identifications/a2>; rel="successor-version"' in answer.headers["link"]
    assert f'<{BASE}/identifications/a3>; rel="latest-version"' in answer.headers["link"]
    listed = {item["id"]: item for item in client.get("/identifications").json()["first"]["items"]}
    assert listed[f"{BASE}/identifications/a1"]["isReplacedBy"] == f"{BASE}/identifications/a2"
    assert "isReplacedBy" not in listed[f"{BASE}/identifications/a3"]
    assert "isReplacedBy" not in client.get("/identifications/a3").json()
    assert "identification.replaced_by" in client.get("/identifications/a1?profile=dwc&loss=1").json()["lost"]


def test_what_took_a_place_and_is_gone_is_pointed_at_no_more(client: TestClient, store: Store) -> None:
    store.put([replace(ANSWER, id="a2", supersedes="a1")], **WHO)
    store.remove(Identification, ["a2"], agent="test", moment=LATER, reason="wrong")
    assert "isReplacedBy" not in client.get("/identifications/a1").json()
    assert [event.kind for event in store.events(subject="a1")][-1] == "identification.unsuperseded"
