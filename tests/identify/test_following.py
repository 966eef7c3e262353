"""The process that keeps the graph in step: it begins, follows what is stored meanwhile, and ends when it is told."""

import time
from pathlib import Path

from identify.following import Following
from linkeddata.publishedgraph import GRAPH, PublishedGraph, newest, position_of
from linkeddata.records import MediaFile
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


def test_closing_what_never_began_is_no_matter() -> None:
    Following(Settings()).close()
