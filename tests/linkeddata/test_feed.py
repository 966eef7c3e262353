"""The change feed over real HTTP: a follower that is killed again and again ends with exactly our state."""

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyoxigraph
import pytest
import uvicorn
from fastapi.testclient import TestClient

from identify.app import create_app
from linkeddata import contexts, feed
from linkeddata.records import KEYS, Agent, Ancestor, Identification, Label, MediaFile, Record, Review, Tag, Taxon
from linkeddata.settings import Settings
from linkeddata.store import Store

FOLLOWER = Path(__file__).with_name("follower.py")
WHEN = "2026-11-02T10:00:00Z"
WHO: dict[str, Any] = {"agent": "test", "moment": WHEN}
KINDS: list[type[Record]] = [Agent, MediaFile, Taxon, Label, Identification, Review]
OTHERS: list[Record] = [
    Agent(id="urn:deboodt:person:1", name="Josephine Doe", homepage="https://josephine.example/"),
    Taxon(query="Q1", concept="Q1", item="Q1", name="Vanessa", lineage=(Ancestor("family", "Nymphalidae", "7017"),)),
    Label(id="l", campaign="c", file="https://files.example/1", concept="Q1", item="Q1", name="Vanessa"),
    Review(id="r", target="a1", verdict="accept", agent="urn:deboodt:person:1", moment=WHEN, comment="Mine, said Doe"),
    Tag(id="t", file="https://files.example/1", item="Q1"),
]


def answer(number: int) -> Identification:
    return Identification(
        id=f"a{number}", file=f"https://files.example/{number % 9}", label="Vanessa", item="Q1", certainty=0.5
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as opened:
        opened.put(OTHERS, **WHO)
        yield opened


@pytest.fixture
def served(store: Store, tmp_path: Path) -> Iterator[str]:
    """The address of a real server over the store."""
    listening = uvicorn.Config("x", host="127.0.0.1", port=0).bind_socket()
    base = f"http://127.0.0.1:{listening.getsockname()[1]}"
    app = create_app(Settings(base_url=base, home=str(tmp_path)), store=store, classifiers={})
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield base
    server.should_exit = True
    thread.join()
    listening.close()


def ours(store: Store, base: str) -> dict[str, list[dict[str, Any]]]:
    """What a follower must hold: each current record's document, without its context."""
    held = {}
    for kind in KINDS:
        for record in store.each(kind):
            doc = feed.version_document(record, base)
            doc.pop("@context")
            key = getattr(record, KEYS[kind])
            held[feed.uri_of(kind, key, base)] = [json.loads(json.dumps(doc))]
    return held


def in_triples(held: dict[str, list[dict[str, Any]]], base: str) -> dict[str, list[str]]:
    """What a follower of triples must hold: those of each document, sorted."""
    known = {"@context": contexts.context(base)["@context"]}
    said = {}
    for uri, (doc,) in held.items():
        quads = pyoxigraph.parse(json.dumps({**doc, **known}), format=pyoxigraph.RdfFormat.JSON_LD)
        said[uri] = sorted({f"{one.subject} {one.predicate} {one.object}" for one in quads})
    return said


def test_a_follower_that_is_killed_ends_with_exactly_our_state(store: Store, served: str, tmp_path: Path) -> None:
    chance = random.Random(7)
    forms = ["application/ld+json", "text/turtle", "application/n-quads"]
    states = [tmp_path / f"state-{number}.json" for number in range(len(forms))]
    commands = [
        [sys.executable, str(FOLLOWER), served, str(state), form] for state, form in zip(states, forms, strict=True)
    ]
    number = 0
    for _ in range(6):
        for _ in range(chance.randrange(1, 4)):
            batch = [answer(n) for n in range(number, number + chance.randrange(1, 300))]
            number += len(batch)
            store.put(batch, **WHO)
            changed = [replace(one, certainty=chance.random()) for one in chance.sample(batch, len(batch) // 3)]
            store.put(changed, **WHO)
            gone = [one.id for one in chance.sample(batch, len(batch) // 4)]
            store.remove(Identification, gone, reason="withdrawn", **WHO)
        running = subprocess.Popen(chance.choice(commands))
        try:
            running.wait(chance.random() * 0.4)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
    for command in commands:
        subprocess.run(command, check=True)
    held = [json.loads(state.read_text()) for state in states]
    assert [one["position"] for one in held] == [feed.length(store)] * len(forms)
    due = ours(store, served)
    assert held[0]["records"] == due
    assert held[1]["records"] == held[2]["records"] == in_triples(due, served)


@pytest.fixture
def client(store: Store, tmp_path: Path) -> Iterator[TestClient]:
    store.put([answer(n) for n in range(600)], **WHO)
    store.remove(Identification, ["a3"], reason="withdrawn", **WHO)
    base = "https://deboodt.example"
    app = create_app(Settings(base_url=base, home=str(tmp_path)), store=store, classifiers={})
    with TestClient(app, base_url=base) as opened:
        yield opened


def test_full_pages_are_for_ever_and_never_change(client: TestClient, store: Store) -> None:
    paths = ["/feed/ldes/1", "/feed/ldes/2", "/feed/activity/1", "/feed/activity/2"]
    forms = ["application/ld+json", "application/n-quads", "text/turtle"]

    def read(client: TestClient) -> list[Any]:
        return [
            client.get(path, headers={"accept": form}) for path in paths for form in forms[: 1 if "act" in path else 3]
        ]

    before = read(client)
    assert len({page.headers["etag"] for page in before}) == len(before)
    assert all("immutable" in page.headers["cache-control"] for page in before)
    assert "immutable" not in client.get("/feed/ldes/3").headers["cache-control"]
    store.put([replace(answer(n), certainty=0.7) for n in range(300)], agent="x", moment="2027-01-01T00:00:00Z")
    store.put([replace(OTHERS[1], name="Other")], agent="x", moment="2027-01-01T00:00:00Z")
    with TestClient(client.app, base_url=str(client.base_url)) as fresh:
        after = read(fresh)
    assert [page.content for page in before] == [page.content for page in after]
    assert [page.headers["etag"] for page in before] == [page.headers["etag"] for page in after]
    again = client.get(paths[0], headers={"if-none-match": before[0].headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_no_page_names_a_person_or_keeps_a_persons_words(client: TestClient) -> None:
    for path in ("/feed/ldes/1", "/feed/activity/1"):
        page = client.get(path).text
        assert "Doe" not in page
        assert "josephine" not in page
    assert "urn:deboodt:person:1" in client.get("/feed/ldes/1").text


def test_the_forms_of_a_page_hold_the_same_quads(client: TestClient) -> None:
    found = quads_of(client, "application/n-quads")
    assert found == quads_of(client, "application/trig")
    tree = "https://w3id.org/tree#"
    members = {quad.object for quad in found if quad.predicate.value == f"{tree}member"}
    assert len(members) == feed.PAGE
    assert {quad.graph_name for quad in found if isinstance(quad.graph_name, pyoxigraph.NamedNode)} == members
    assert {quad.object.value for quad in found if quad.predicate.value == f"{tree}node"} == {
        "https://deboodt.example/feed/ldes/2"
    }


def test_forms_without_graphs_hold_the_same_triples(client: TestClient) -> None:
    found = quads_of(client, "text/turtle")
    assert found == quads_of(client, "application/n-triples") == quads_of(client, "application/rdf+xml")
    kept = [quad for quad in quads_of(client, "application/n-quads") if "tree#" in quad.predicate.value]
    assert set(kept) == {quad for quad in found if "tree#" in quad.predicate.value}
    described = {quad.subject for quad in found if isinstance(quad.subject, pyoxigraph.NamedNode)}
    assert all("/feed" in one.value for one in described)  # a record's own triples would mix those of its versions


def quads_of(client: TestClient, form: str) -> set[pyoxigraph.Quad]:
    answers = [client.get("/feed/ldes/1", headers={"accept": form}) for _ in range(2)]
    assert answers[0].headers["content-type"].partition(";")[0] == form
    assert "immutable" in answers[0].headers["cache-control"]
    assert "Accept" in answers[0].headers["vary"]
    again = client.get("/feed/ldes/1", headers={"accept": form, "if-none-match": answers[1].headers["etag"]})
    assert again.status_code == 304
    whole = client.get("/feed", headers={"accept": form})
    assert whole.headers["content-type"].partition(";")[0] == form
    read = pyoxigraph.RdfFormat.from_media_type(form)
    assert read
    assert len(set(pyoxigraph.parse(whole.content, format=read))) > 5
    return set(pyoxigraph.parse(answers[0].content, format=read))


def test_iiif_readers_walk_back_from_the_last_page(client: TestClient) -> None:
    whole = client.get("/feed/activity").json()
    assert whole["@context"] == "http://iiif.io/api/discovery/1/context.json"
    page = client.get(whole["last"]["id"]).json()
    assert page["orderedItems"][-1]["type"] == "Delete"
    assert page["orderedItems"][-1]["object"]["id"].endswith("/identifications/a3")
    count = len(page["orderedItems"])
    while "prev" in page:
        assert page["startIndex"] > 0
        page = client.get(page["prev"]["id"]).json()
        assert page["next"]["type"] == "OrderedCollectionPage"
        count += len(page["orderedItems"])
    assert page["id"] == whole["first"]["id"]
    assert count == whole["totalItems"]
