"""The published graph: the same triples as the documents, after every change, and after a kill at any moment."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pyoxigraph as ox
import pytest

from linkeddata import documents, jsonld, modeldocuments, serialising
from linkeddata.agents import agent_document
from linkeddata.errors import StoreError
from linkeddata.publishedgraph import PublishedGraph, forget, newest, position_of
from linkeddata.records import Agent, Alternative, Identification, Label, MediaFile, ModelClass, Taxon
from linkeddata.store import Store

BASE = "https://deboodt.example"
WHEN = "2026-11-02T10:00:00Z"
CARDUI = Taxon(
    query="Q158603", concept="Q158603", name="Vanessa cardui", rank="species", item="Q158603", gbif_key="4299368"
)
PLATES = [MediaFile(iri=f"https://plates.example/{n}", title=f"Plate {n}", mime="image/png") for n in range(3)]
ROBOT = Agent(id="urn:robot", kind="SoftwareAgent", name="robot", version="1")


def answer(number: int, **more: str) -> Identification:
    return Identification(
        id=f"a{number}",
        file=PLATES[number % 3].iri,
        model="m",
        version="1",
        label="Vanessa cardui",
        rank="species",
        item="Q158603",
        certainty=0.5,
        agent="urn:robot",
        moment=WHEN,
        alternatives=(Alternative("Vanessa cardui", 0.5, "species", "Q158603"),),
        **more,
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as opened:
        opened.put([ROBOT, CARDUI, *PLATES, *(answer(n) for n in range(6))], agent="test", moment=WHEN)
        opened.put([Label(id="l1", campaign="c", file=PLATES[0].iri, concept="Q158603", item="Q158603")], **SAID)
        yield opened


SAID = {"agent": "test", "moment": WHEN}


def of_documents(store: Store) -> set[ox.Triple]:
    """The triples of every document, each read alone."""
    docs = [documents.identification_document(store, one, BASE) for one in store.each(Identification)]
    docs += [documents.label_document(store, one, BASE) for one in store.each(Label)]
    docs += [jsonld.media_document(one, base_url=BASE) for one in store.each(MediaFile)]
    docs += [jsonld.taxon_document(one, base_url=BASE) for one in store.each(Taxon)]
    docs += [agent_document(one, base_url=BASE) for one in store.each(Agent)]
    versions: dict[tuple[str, str], list[ModelClass]] = {}
    for one in store.each(ModelClass):
        versions.setdefault((one.model, one.version), []).append(one)
    docs += [modeldocuments.model_document(classes, base_url=BASE) for classes in versions.values()]
    texts = [serialising.serialised(doc, "application/n-triples", BASE) for doc in docs]
    kept = ox.Store()  # keeps numbers by value: 5.0E-1 comes back as 0.5
    for text in texts:
        kept.load(text, format=ox.RdfFormat.N_TRIPLES)
    return {quad.triple for quad in kept}


def of_snapshot(folder: Path) -> set[ox.Triple]:
    path = newest(folder)
    assert path is not None
    return {
        quad.triple for quad in ox.Store.read_only(str(path)).quads_for_pattern(None, None, None, ox.DefaultGraph())
    }


def test_the_graph_is_the_documents_after_every_change(store: Store, tmp_path: Path) -> None:
    changes = [
        lambda: store.put([answer(2, status="verified")], **SAID),
        lambda: store.put([replace(PLATES[1], title="Plate “one”", licence="https://x.example/")], **SAID),
        lambda: store.put(
            [replace(CARDUI, authorship="(Linnaeus, 1758)", vernaculars=(("nl", "Distelvlinder"),))], **SAID
        ),
        lambda: store.remove(Identification, ["a3", "a0"], reason="wrong", **SAID),
        lambda: store.put([replace(CARDUI, item="Q1", concept="Q1", name="Other")], **SAID),
        lambda: store.put([replace(ROBOT, name="Robot")], **SAID),
        lambda: store.put([ModelClass(id="m@1/0", model="m", version="1", index=0, label="x")], **SAID),
        lambda: store.remove(Taxon, ["Q158603"], reason="wrong", **SAID),
        lambda: store.remove(Identification, [f"a{n}" for n in range(6)], reason="wrong", **SAID),
        lambda: store.remove(MediaFile, [one.iri for one in PLATES], reason="gone", **SAID),
    ]
    with PublishedGraph(tmp_path / "graph", BASE) as graph:
        graph.catch_up(store)
        assert of_snapshot(tmp_path / "graph") == of_documents(store)
        for change in changes:
            change()
            graph.catch_up(store)
            assert of_snapshot(tmp_path / "graph") == of_documents(store)
    assert position_of(newest(tmp_path / "graph")) == store.state()[0]


def test_applying_events_again_changes_nothing(store: Store, tmp_path: Path) -> None:
    with PublishedGraph(tmp_path / "graph", BASE) as graph:
        graph.catch_up(store)
        before = of_snapshot(tmp_path / "graph")
    with closing(sqlite3.connect(tmp_path / "graph" / "books.sqlite")) as books, books:
        books.execute("UPDATE state SET value = '2' WHERE name = 'position'")
    with PublishedGraph(tmp_path / "graph", BASE) as graph:
        assert graph.catch_up(store) > 3
    assert of_snapshot(tmp_path / "graph") == before


def test_a_graph_for_another_address_is_made_again(store: Store, tmp_path: Path) -> None:
    with PublishedGraph(tmp_path / "graph", "https://old.example") as graph:
        graph.catch_up(store)
    with PublishedGraph(tmp_path / "graph", BASE) as graph:
        assert graph.position == 0
        graph.catch_up(store)
    assert of_snapshot(tmp_path / "graph") == of_documents(store)


def test_only_one_writes_and_what_is_forgotten_is_gone(store: Store, tmp_path: Path) -> None:
    with PublishedGraph(tmp_path / "graph", BASE) as graph:
        graph.catch_up(store)
        with pytest.raises(StoreError, match="cannot be opened"):
            PublishedGraph(tmp_path / "graph", BASE)
    forget(tmp_path / "graph")
    assert newest(tmp_path / "graph") is None


FOLLOW = """
import sys
from pathlib import Path
from linkeddata import graphfollower, publishedgraph
from linkeddata.publishedgraph import PublishedGraph
from linkeddata.store import Store
graphfollower.BATCH = 20
publishedgraph.SNAPSHOT_S = 0.05
with Store(sys.argv[1]) as store, PublishedGraph(Path(sys.argv[2]), sys.argv[3]) as graph:
    print("on", flush=True)
    graph.follow(store, lambda: True, lambda s: None)
"""


@pytest.mark.slow
def test_kill_9_at_any_moment_loses_nothing_and_doubles_nothing(store: Store, tmp_path: Path) -> None:
    url, folder = f"sqlite:///{tmp_path / 'store.sqlite'}", tmp_path / "graph"
    for turn in range(5):
        command = [sys.executable, "-c", FOLLOW, url, str(folder), BASE]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout
        process.stdout.readline()
        for piece in range(4):
            first = 1000 * turn + 25 * piece
            store.put([answer(number, status=f"s{turn}") for number in range(first, first + 25)], **SAID)
            store.put([replace(PLATES[piece % 3], title=f"Plate {turn} {piece}")], **SAID)
            if piece % 3 == 0:
                store.remove(Identification, [f"a{number}" for number in range(first, first + 9)], reason="x", **SAID)
        time.sleep(0.3 * turn)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    with PublishedGraph(folder, BASE) as graph:
        graph.catch_up(store)
    assert of_snapshot(folder) == of_documents(store)
