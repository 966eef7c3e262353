"""Answers that are ready: what is answered is what would be made now, whatever happened before; killed, it goes on."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Self

import orjson
import pytest
from fastapi import Request
from fastapi.responses import Response
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.exceptions import HTTPException

from identify.app import create_app
from identify.website import website
from linkeddata import annotationroutes, documents
from linkeddata.errors import StoreError
from linkeddata.keeping import Answering, Keeping
from linkeddata.keptbook import FOLDER, MOST_STALE, Book, made_for
from linkeddata.keptreader import Kept
from linkeddata.lookups import Watched
from linkeddata.parts import Parts
from linkeddata.records import Agent, Alternative, Identification, MediaFile, Record, Review, Tag, Taxon
from linkeddata.settings import Settings
from linkeddata.store import Store

BASE = "https://deboodt.example"
WHEN = "2026-11-02T10:00:00Z"
SAID = {"agent": "test", "moment": WHEN}
KEYS = [f"a{number}" for number in range(4)]
FILES = ["https://files.example/1", "https://files.example/2"]
ITEMS = ["Q1", "Q2", ""]
GBIF = ["5", "6", ""]
AGENTS = ["urn:deboodt:model:m@1", "urn:deboodt:person:0a", ""]


class Installation:
    """A store with an application over it, and what keeps answers ready for it."""

    def __init__(
        self, home: Path, answering: Answering = annotationroutes.identified, most_stale: int = MOST_STALE
    ) -> None:
        self.settings = Settings(base_url=BASE, home=str(home))
        self.store = Store(self.settings.store)
        self.book = Book(home / FOLDER, made_for(self.settings), most_stale)
        self.parts = Parts(self.store, self.settings, website(self.settings).page)
        self.keeping = Keeping(self.parts, self.book, answering)
        self.kept = Kept(home / FOLDER, made_for(self.settings), self.store)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.book.close()
        self.store.close()

    def client(self) -> TestClient:
        return TestClient(create_app(self.settings, store=self.store, classifiers={}), base_url=BASE)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a store with nothing in it, to be copied: bringing the schema up to date is what takes long."""
    path = tmp_path_factory.mktemp("empty") / "deboodt.sqlite"
    with Store(f"sqlite:///{path}") as store:
        store.compact()
    return path


def answer(key: str = "a0", **more: object) -> Identification:
    fields: dict[str, object] = {"file": FILES[0], "label": "Pieris", "item": "Q1", "gbif_key": "5", "moment": WHEN}
    return Identification(id=key, **(fields | more))  # type: ignore[arg-type]


records: st.SearchStrategy[Record] = st.one_of(
    st.builds(
        Identification,
        id=st.sampled_from(KEYS),
        file=st.just(FILES[0]),
        label=st.sampled_from(["Pieris", "Pieris napi", 'na"pi\n', ""]),
        rank=st.sampled_from(["species", ""]),
        item=st.sampled_from(ITEMS),
        gbif_key=st.sampled_from(GBIF),
        certainty=st.sampled_from([0.5, 0.25]),
        status=st.sampled_from(["", "verified"]),
        agent=st.sampled_from(AGENTS),
        supersedes=st.sampled_from([*KEYS, "", ""]),
        alternatives=st.sampled_from([(), (Alternative("Pieris", 0.5, "genus", "Q2"),)]),
        moment=st.just(WHEN),
    ),
    st.builds(MediaFile, iri=st.sampled_from(FILES), title=st.sampled_from(["One", "Two"]), simulated=st.booleans()),
    st.builds(
        Taxon,
        query=st.sampled_from(["Pieris", "white", "Q1"]),
        concept=st.sampled_from(["Q1", "Q2", "gbif:5", "gbif:6", ""]),
        name=st.sampled_from(["Pieris", "Pieris rapae"]),
        item=st.sampled_from(ITEMS),
        gbif_key=st.sampled_from(GBIF),
        authorship=st.sampled_from(["", "L."]),
    ),
    st.builds(Agent, id=st.sampled_from(AGENTS[:2]), kind=st.sampled_from(["Person", "SoftwareAgent"]), name=st.text()),
)
Change = Callable[[Store], object]


def _put(some: list[Record]) -> Change:
    return lambda store: store.put(some, **SAID)


def _gone(way: str, kind: type[Record], key: str) -> Change:
    def change(store: Store) -> object:
        return getattr(store, way)(kind, [key], reason="wrong", **SAID)

    return change


changes = st.one_of(
    st.lists(records, min_size=1, max_size=4).map(_put),
    st.builds(_gone, st.sampled_from(["remove", "withdraw"]), st.just(Identification), st.sampled_from(KEYS)),
    st.builds(_gone, st.just("remove"), st.just(Taxon), st.sampled_from(["Pieris", "white", "Q1"])),
    st.builds(_gone, st.just("remove"), st.just(MediaFile), st.sampled_from(FILES)),
    st.builds(_gone, st.sampled_from(["remove", "erase"]), st.just(Agent), st.sampled_from(AGENTS[:2])),
)


def fresh(here: Installation, key: str) -> Response | None:
    """Return what the route makes of the usual request, None where it has a problem with it."""
    path = f"/identifications/{key}"
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b""}
    try:
        return annotationroutes.identified(Request(scope | {"headers": []}), here.parts, key)
    except HTTPException:
        return None


def check(here: Installation, *, all_ready: bool) -> None:
    """Hold what is ready to what would be made now, byte for byte."""
    for key in KEYS:
        ready, made = here.kept.answer(key, f"{BASE}/identifications/{key}".encode()), fresh(here, key)
        if all_ready:
            assert (ready is None) == (made is None)
        if ready is not None:
            assert made is not None
            assert (ready.body, ready.headers) == (made.body, made.raw_headers)
    there = list(here.store.each(Identification))
    docs = documents.identification_documents(here.store, there, BASE)
    bare = {doc["id"][-2:]: orjson.dumps({k: v for k, v in doc.items() if k != "@context"}) for doc in docs}
    items = here.kept.items(KEYS, BASE)
    assert items.items() <= bare.items()
    assert not all_ready or items.keys() == bare.keys()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(changes, st.booleans()), min_size=1, max_size=5))
def test_nothing_stale_is_answered(
    tmp_path_factory: pytest.TempPathFactory, empty: Path, history: list[tuple[Change, bool]]
) -> None:
    home = tmp_path_factory.mktemp("kept")
    shutil.copyfile(empty, home / "deboodt.sqlite")
    with Installation(home) as here:
        here.store.put([answer(), MediaFile(iri=FILES[0]), Taxon(query="Q1", concept="Q1", item="Q1")], **SAID)
        here.keeping.catch_up()
        for change, followed in history:
            change(here.store)
            if followed:
                here.keeping.catch_up()
            check(here, all_ready=followed)


def test_what_was_written_while_an_answer_was_made_takes_it_out_again(tmp_path: Path) -> None:
    def while_another_writes(request: Request, parts: Parts, key: str) -> Response:
        made = annotationroutes.identified(request, parts, key)
        if key == "a0" and here.store.get(MediaFile, FILES[0]) is None:
            here.store.put([MediaFile(iri=FILES[0], title="Meanwhile")], **SAID)
        return made

    with Installation(tmp_path, while_another_writes) as here:
        here.store.put([answer()], **SAID)
        while not here.book.count():
            here.keeping.advance()
        assert here.kept.bodies(["a0"]) == {}  # the log goes further than the book
        here.keeping.catch_up()
        assert b"Meanwhile" in here.kept.bodies(["a0"])["a0"]
        check(here, all_ready=True)


def test_an_answer_that_depends_on_what_cannot_be_told_is_not_kept(tmp_path: Path) -> None:
    def counting(request: Request, parts: Parts, key: str) -> Response:
        parts.store.count(Identification)
        return annotationroutes.identified(request, parts, key)

    with Installation(tmp_path, counting) as here:
        here.store.put([answer()], **SAID)
        here.keeping.catch_up()
        assert here.book.count() == 0


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: store.rows("SELECT 1"),
        lambda store: store.count(Agent),
        lambda store: list(store.each(Agent)),
        lambda store: store.page(Agent),
        lambda store: list(store.events()),
        lambda store: store.among(Review, "comment", ["blanked by an erasure"]),
        lambda store: store.remembered.get("anything", 0),
    ],
)
def test_whatever_is_no_look_up_makes_a_document_depend_on_everything(
    tmp_path: Path, ask: Callable[[Store], object]
) -> None:
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        watched = Watched(store)
        ask(watched)
        assert watched.everything
        plain = Watched(store)
        plain.page(Tag, file="f")
        plain.get(Agent, "a")
        documents.taxa_of(plain, {"Q1"})
        documents.taxa_of(plain, {"Q1"})  # remembered now
        assert not plain.everything
        assert plain.asked == {("tag", "file", "f"), ("agent", "id", "a"), ("taxon", "concept", "Q1")}
        with pytest.raises(TypeError, match="only read"):
            plain.put([Agent(id="a")], **SAID)


def test_no_other_way_into_the_store_is_unwatched() -> None:
    """What a store can be asked goes through these; a new way in has to be watched before anything relies on it."""
    watched = {"get", "among", "beside", "rows", "reading", "transaction"}
    through_those = {"each", "files_of", "count_files_of", "page", "ordered", "state", "recent", "count", "distinct"}
    through_those |= {"events", "fields", "lines", "put", "remove", "withdraw", "erase", "note"}
    harmless = {"last", "latest", "modified", "at_once", "close"}
    not_of_one = {"compact"}
    assert {name for name in vars(Store) if not name.startswith("_")} == watched | through_those | harmless | not_of_one


@pytest.mark.parametrize("at", range(6))
def test_killed_anywhere_it_goes_on(tmp_path: Path, at: int) -> None:
    with Installation(tmp_path) as here:
        here.store.put([answer(key) for key in KEYS], **SAID)
        for _ in range(at):
            here.keeping.advance()
    with Installation(tmp_path) as here:  # what is not in a transaction that ended is not there
        here.store.put([MediaFile(iri=FILES[0], title="One")], **SAID)
        here.keeping.catch_up()
        check(here, all_ready=True)
        assert here.book.count() == len(KEYS)


def test_one_process_writes(tmp_path: Path) -> None:
    with Installation(tmp_path) as here, pytest.raises(StoreError, match="cannot be written"):
        Book(tmp_path / FOLDER, made_for(here.settings))


def test_another_address_another_version_and_another_log_begin_anew(tmp_path: Path) -> None:
    with Installation(tmp_path) as here:
        here.store.put([answer()], **SAID)
        here.keeping.catch_up()
        moved = replace(here.settings, base_url="https://elsewhere.example")
        others = Kept(tmp_path / FOLDER, made_for(moved), here.store)
        assert others.bodies(["a0"]) == {}
        assert others.health() == {"position": 0, "behind": here.store.last(), "whole": False}
        assert here.kept.health() == {"position": here.store.last(), "behind": 0, "whole": True}
        with Store(f"sqlite:///{tmp_path / 'other.sqlite'}") as other:
            other.put([answer(label="Another log as long")], agent="test", moment="2026-11-03T10:00:00Z")
            assert Kept(tmp_path / FOLDER, made_for(here.settings), other).bodies(["a0"]) == {}
            Keeping(replace(here.parts, store=other), here.book, annotationroutes.identified).catch_up()
            found = Kept(tmp_path / FOLDER, made_for(here.settings), other).bodies(["a0"])
            assert b"Another log as long" in found["a0"]
            assert here.kept.bodies(["a0"]) == {}


def test_much_that_is_stale_at_once_is_forgotten_whole(tmp_path: Path) -> None:
    with Installation(tmp_path, most_stale=3) as here:
        here.store.put([answer(key) for key in KEYS], **SAID)
        here.keeping.catch_up()
        here.store.put([MediaFile(iri=FILES[0], title="Of all of them")], **SAID)
        here.keeping.advance()
        assert here.book.count() == 0
        here.keeping.catch_up()
        check(here, all_ready=True)


def test_the_application_answers_with_what_is_ready(tmp_path: Path) -> None:
    with Installation(tmp_path) as here:
        pictures = [MediaFile(iri=f"https://files.example/{n}", title=f"Plate {n}") for n in range(130)]
        here.store.put(pictures, **SAID)
        here.store.put([answer(f"b{n}", file=one.iri) for n, one in enumerate(pictures)], **SAID)
        here.store.put([answer("b3-again", supersedes="b3")], **SAID)
        client = here.client()
        paths = [f"/identifications/{key}" for key in ("b1", "b3", "b3-again", "%62%31", "b1.ttl", "none")]
        paths += [
            "/identifications?limit=7",
            "/identifications?item=Q1&context=inline",
            "/identifications?context=w3c",
            "/feed/ldes/1",
            "/feed/ldes/2",
            "/feed/activity/1",
        ]
        asked = [{}, {"accept-encoding": "identity"}, {"accept-encoding": "br"}, {"if-none-match": "*"}]
        asked += [{"if-match": '"x"'}, {"if-modified-since": "Mon, 02 Nov 2026 10:00:00 GMT"}, {"accept": "text/html"}]
        asked += [{"accept": "application/json"}, {"origin": "https://elsewhere.example"}]

        def answers() -> list[object]:
            return [
                (one.status_code, one.headers.multi_items(), one.content)
                for path in paths
                for headers in asked
                for one in (client.request(method, path, headers=headers) for method in ("GET", "HEAD"))
            ]

        made = answers()
        assert here.keeping.catch_up() > len(pictures)
        assert here.kept.page("ldes/1") == client.get("/feed/ldes/1").content
        assert here.kept.page("ldes/2") is None  # not full yet
        ready = answers()
        for one, other in zip(made, ready, strict=True):
            assert one == other
        assert here.kept.answer("b1", b"") is not None
