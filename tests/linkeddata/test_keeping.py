"""Answers that are ready: what is answered is what would be made now, whatever happened before; killed, it goes on."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from identify.app import create_app
from identify.website import website
from linkeddata import annotationroutes, documents
from linkeddata.errors import StoreError
from linkeddata.keeping import Keeping
from linkeddata.keptbook import FILE, FOLDER, Book, made_for
from linkeddata.keptreader import Kept
from linkeddata.lookups import Watched
from linkeddata.parts import Parts
from linkeddata.records import Agent, Alternative, Identification, MediaFile, Record, Taxon
from linkeddata.settings import Settings
from linkeddata.store import Store

BASE = "https://deboodt.example"
WHEN = "2026-11-02T10:00:00Z"
SAID = {"agent": "test", "moment": WHEN}
KEYS = [f"a{number}" for number in range(6)]
FILES = ["https://files.example/1", "https://files.example/2"]
ITEMS = ["Q1", "Q2", ""]
GBIF = ["5", "6", ""]
AGENTS = ["urn:deboodt:model:m@1", "urn:deboodt:person:0a", ""]


class Installation:
    """A store with an application over it, and what keeps answers ready for it."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(base_url=BASE, home=str(home))
        self.store = Store(self.settings.store)
        self.book = Book(home / FOLDER, made_for(self.settings))
        self.parts = Parts(self.store, self.settings, website(self.settings).page)
        self.keeping = Keeping(self.parts, self.book, annotationroutes.identified)
        self.kept = Kept(home / FOLDER, made_for(self.settings), self.store)

    def close(self) -> None:
        self.book.close()
        self.store.close()

    def client(self) -> TestClient:
        return TestClient(create_app(self.settings, store=self.store, classifiers={}), base_url=BASE)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path)
    yield made
    made.close()


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


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(changes, st.booleans()), min_size=1, max_size=6))
def test_nothing_stale_is_answered(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[Change, bool]]
) -> None:
    here = Installation(tmp_path_factory.mktemp("kept"))
    try:
        client = here.client()
        here.store.put([answer(), MediaFile(iri=FILES[0]), Taxon(query="Q1", concept="Q1", item="Q1")], **SAID)
        here.keeping.catch_up()
        for change, followed in history:
            change(here.store)
            if followed:
                here.keeping.catch_up()
            for key in KEYS:
                short, long = client.get(f"/identifications/{key}"), client.get(f"/identifications/{key}?long")
                assert (short.status_code, short.content) == (long.status_code, long.content)
                assert short.headers.multi_items() == long.headers.multi_items()
            there = list(here.store.each(Identification))
            docs = documents.identification_documents(here.store, there, BASE)
            items = client.get("/identifications?limit=100").json()["first"].get("items", [])
            assert items == [{name: value for name, value in doc.items() if name != "@context"} for doc in docs]
            if followed:  # and not because nothing is ready
                assert set(here.kept.bodies(KEYS)) == {one.id for one in there}
    finally:
        here.close()
