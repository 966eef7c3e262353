"""The process that keeps the graph in step: it begins, follows what is stored meanwhile, and ends when it is told."""

import os
import signal
import time
from contextlib import closing
from pathlib import Path

from identify.following import Following, wanted
from linkeddata.keptbook import FOLDER, Book, made_for
from linkeddata.keptreader import Kept
from linkeddata.publishedgraph import GRAPH, PublishedGraph, newest, position_of
from linkeddata.records import Identification, MediaFile
from linkeddata.settings import Settings
from linkeddata.store import Store

SAID = {"agent": "test", "moment": "2026-11-02T10:00:00Z"}
PATIENCE_S = 60.0


def wait_for(position: int, folder: Path) -> None:
    until = time.monotonic() + PATIENCE_S
    while position_of(newest(folder)) < position:
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_process_follows_until_it_is_closed(tmp_path: Path) -> None:
    settings = Settings(home=str(tmp_path))
    following = Following(settings)
    with Store(settings.store) as store:
        store.put([MediaFile(iri="https://plates.example/1")], **SAID)
        following.start()
        try:
            wait_for(1, tmp_path / GRAPH)
            store.put([MediaFile(iri="https://plates.example/2")], **SAID)
            wait_for(2, tmp_path / GRAPH)
        finally:
            following.close()
        with PublishedGraph(tmp_path / GRAPH, settings.base_url) as graph:  # free to be written by another
            assert graph.position == 2


def test_a_process_keeps_answers_ready(tmp_path: Path) -> None:
    settings = Settings(home=str(tmp_path))
    following = Following(settings, ["documents"])
    with Store(settings.store) as store:
        store.put([Identification(id="a1", file="https://plates.example/1", moment=SAID["moment"])], **SAID)
        kept = Kept(tmp_path / FOLDER, made_for(settings), store)
        following.start()
        try:
            until = time.monotonic() + PATIENCE_S
            for title in ("One", "Two"):
                store.put([MediaFile(iri="https://plates.example/1", title=title)], **SAID)
                while f'"{title}"'.encode() not in kept.bodies(["a1"]).get("a1", b""):
                    assert time.monotonic() < until
                    time.sleep(0.05)
        finally:
            following.close()
        assert kept.health() == {"position": 3, "behind": 0, "whole": True}
        Book(tmp_path / FOLDER, made_for(settings)).close()  # free to be written by another


def test_what_an_installation_wants_is_followed() -> None:
    assert wanted(Settings()) == ["graph", "documents"]
    assert wanted(Settings(sparql_published="https://sparql.example/", keep_documents=False)) == []


def test_a_process_that_was_killed_comes_back(tmp_path: Path) -> None:
    settings = Settings(home=str(tmp_path))
    with Store(settings.store) as store, closing(Following(settings)) as following:
        store.put([MediaFile(iri="https://plates.example/1")], **SAID)
        following.start()
        wait_for(1, tmp_path / GRAPH)
        (process,) = following.processes
        killed = process.pid
        os.kill(killed, signal.SIGKILL)
        store.put([MediaFile(iri="https://plates.example/2")], **SAID)
        wait_for(2, tmp_path / GRAPH)
        assert process.pid != killed


def test_closing_what_never_began_is_no_matter() -> None:
    Following(Settings()).close()
