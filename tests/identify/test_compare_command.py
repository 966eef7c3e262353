"""Harvesting by chosen routes, saving what a route says, and comparing: through the command line."""

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harvest.routes import ANSWERED
from harvest.standin import faults
from harvest.standin.server import StandIn
from harvest.standin.world import Category, Entity, File, Revision, World, statement, statements
from identify.cli import cli
from linkeddata.records import CampaignFile, Failure, MediaFile, Tag
from linkeddata.store import Store

INDEXED = "2026-11-01T00:00:00Z"
CAMPAIGN = """
[campaign]
id = "album"
title = "Album"
[[tags.commons]]
category = "Album"
[dataset]
images = false
"""
NOTE = "/* wbsetclaim-create:2||1 */ [[d:Special:EntityPage/P180]]: [[d:Special:EntityPage/Q140]]"

Deboodt = Callable[..., Result]


def _file(number: int, moment: str) -> File:
    upload = Revision(id=number * 10, user="Maker", moment="2026-10-01T00:00:00Z", comment="upload")
    lion = Entity(statements=statements(statement(f"M{number}", "P180", "Q140")))
    tag = Revision(id=upload.id + 1, parent=upload.id, user="Jan", moment=moment, comment=NOTE, entity=lion)
    title = f"File:Plate {number}.jpg"
    return File(page_id=number, title=title, revisions=(upload, tag), categories=("Album",), sha1=f"{number:040x}")


def _world(*files: File) -> World:
    album = Category(page_id=900, title="Category:Album", moment="2026-01-01T00:00:00Z")
    return World(files=files, categories=(album,), dumped=INDEXED)


@pytest.fixture
def server() -> Iterator[StandIn]:
    old = [_file(number, "2026-10-05T00:00:00Z") for number in (1, 2, 3)]
    new = _file(4, "2026-11-15T00:00:00Z")
    with StandIn(_world(*old, new), indexed=_world(*old)) as running:
        yield running


@pytest.fixture
def deboodt(server: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deboodt:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "album.toml").write_text(CAMPAIGN, encoding="utf-8")
    given = server.settings()
    names = ("commons_api", "wikidata_api", "sparql_commons", "sparql_wikidata", "sparql_wcqs", "sparql_wdqs")
    lines = [f'{name} = "{getattr(given, name)}"' for name in names]
    (tmp_path / "deboodt.toml").write_text("\n".join([*lines, "tries = 1", 'home = "home"']), encoding="utf-8")

    def call(*words: str) -> Result:
        return CliRunner().invoke(cli, ["--quiet", *words])

    return call


def test_two_routes_are_compared(deboodt: Deboodt, tmp_path: Path) -> None:
    done = deboodt("harvest", "compare", "api", "qlever", "--campaign", "album.toml", "-o", "differences.csv")
    assert done.exit_code == 0, done.output
    assert "api: 4 statements" in done.output
    assert f"qlever: 3 statements, knows the wiki up to {INDEXED}" in done.output
    assert "replication lag" in done.output
    with (tmp_path / "differences.csv").open(encoding="utf-8-sig", newline="") as table:
        (row,) = csv.DictReader(table)
    assert (row["file"].rpartition("/")[2], row["item"], row["a"], row["b"]) == ("M4", "Q140", "normal", "-")
    assert row["detail"] == f"said on 2026-11-15T00:00:00Z, qlever knows the wiki up to {INDEXED}"
    data = json.loads(deboodt("--json", "harvest", "compare", "qlever", "qlever", "--campaign", "album.toml").output)
    assert data["differences"] == []


def test_saved_harvests_and_homes_are_compared(deboodt: Deboodt) -> None:
    assert deboodt("harvest", "save", "album.toml", "--via", "qlever", "-o", "then.jsonl").exit_code == 0
    assert deboodt("harvest", "album.toml").exit_code == 0
    done = deboodt("--json", "harvest", "compare", "then.jsonl", "home")
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["reasons"] == {"replication lag": 1}
    assert (
        json.loads(deboodt("--json", "harvest", "compare", "api", "home", "--campaign", "album.toml").output)[
            "differences"
        ]
        == []
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("api", "qlever"), "name the campaign file"),
        (("api", "nowhere.jsonl", "--campaign", "album.toml"), "no route 'nowhere.jsonl'"),
        (("album.toml", "album.toml"), "line 2: no record of a harvest"),
        ((".", "."), "no folder of De Boodt"),
    ],
)
def test_what_cannot_be_compared_is_said(deboodt: Deboodt, words: tuple[str, ...], message: str) -> None:
    done = deboodt("harvest", "compare", *words)
    assert message in str(done.exception)
    assert getattr(done.exception, "exit_code", 0) == 2


def _stored(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'home/deboodt.sqlite'}")


def test_a_chosen_route_takes_nothing_from_what_the_api_told(deboodt: Deboodt, tmp_path: Path) -> None:
    """The index does not know the newest file: it stays in the campaign, with its tag and its facts."""
    assert deboodt("harvest", "album.toml").exit_code == 0
    with _stored(tmp_path) as store:
        media, members = list(store.each(MediaFile)), list(store.each(CampaignFile))
    assert deboodt("harvest", "album.toml", "--via", "qlever,api").exit_code == 0
    with _stored(tmp_path) as store:
        assert list(store.each(MediaFile)) == media
        assert list(store.each(CampaignFile)) == members
        assert [f.reason for f in store.each(Failure)] == ["file not in the index"]
        assert store.count(Tag, route="commons") == 4
        (event,) = store.events(kind=ANSWERED)
    assert json.loads(event.payload)["index_date"] == INDEXED
    assert json.loads(event.payload)["route"] == "qlever"


def test_the_command_falls_over_to_the_next_route(deboodt: Deboodt, server: StandIn, tmp_path: Path) -> None:
    server.faults.next("/sparql/", faults.UNAVAILABLE)
    assert deboodt("harvest", "album.toml", "--via", "qlever,api").exit_code == 0
    with _stored(tmp_path) as store:
        (failure,) = store.each(Failure)
        (event,) = store.events(kind=ANSWERED)
        assert store.count(Tag, route="commons") == 4
    assert (failure.reason, failure.subject) == ("route failed", "Commons category Album")
    assert json.loads(event.payload)["route"] == "api"
    assert "HTTP 503" in json.loads(event.payload)["failed"]["qlever"]


def test_an_unknown_route_is_exit_2(deboodt: Deboodt) -> None:
    done = deboodt("harvest", "album.toml", "--via", "telnet")
    assert "known are api, qlever, wcqs, wdqs" in str(done.exception)


def test_a_harvest_with_no_route_left_is_tried_again(deboodt: Deboodt, server: StandIn, tmp_path: Path) -> None:
    server.faults.next("/", faults.UNAVAILABLE, times=3)
    assert deboodt("harvest", "album.toml", "--via", "qlever,api").exit_code == 9
    assert deboodt("harvest", "album.toml").exit_code == 0
    with _stored(tmp_path) as store:
        assert store.count(CampaignFile) == 4
