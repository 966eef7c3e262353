"""Statements that queries give no more: taken back only where the index can know it, and then without an author."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from crowd.campaign import Campaign, CommonsSource, SparqlSource
from crowd.campaignfile import with_routes
from harvest.standin import faults
from harvest.standin.server import StandIn
from harvest.standin.sparql import LOGIN
from harvest.standin.world import Category, Entity, File, Json, Revision, World, statement, statements
from identify.pipeline import Outcome, Run, run_steps
from identify.steps import STEPS
from linkeddata.client import Client
from linkeddata.records import CampaignFile, Tag
from linkeddata.settings import Settings
from linkeddata.store import Store

MOMENT = "2026-12-01T00:00:00Z"
ENTITY = "https://commons.wikimedia.org/entity/"
FIRST, EDITED, SECOND = "2026-11-01T00:00:00Z", "2026-11-03T10:00:00Z", "2026-11-04T00:00:00Z"
LIONS = Campaign(id="lions", title="Lions", sparql=(SparqlSource(query="files-of-items", params=(("item", "Q140"),)),))
BOTH = replace(LIONS, sparql=(SparqlSource(query="files-of-items", params=(("item", "Q140 Q42"),)),))
ALBUM = Campaign(id="lions", title="Lions", commons=(CommonsSource(category="Album", via=("qlever", "wcqs")),))


def _file(number: int, *standing: Json, edited: str = "") -> File:
    """A file that shows what is given; where it was edited, it was so without a word on what."""
    entity = Entity(statements=statements(*standing))
    upload = Revision(id=number * 10, user="Ann", moment="2021-10-01T00:00:00Z", comment="upload", entity=entity)
    edits = (Revision(id=number * 10 + 1, parent=number * 10, user="Ben", moment=edited, comment="", entity=entity),)
    return File(
        page_id=number,
        title=f"File:Plate {number}.jpg",
        revisions=(upload, *(edits if edited else ())),
        categories=("Album",),
        sha1=f"{number:040x}",
    )


def _lion(number: int, rank: str = "normal") -> Json:
    return statement(f"M{number}", "P180", "Q140", rank=rank)


def _world(*files: File, updated: str) -> World:
    album = Category(page_id=9000, title="Category:Album", moment="2021-01-01T00:00:00Z")
    return World(files=files, categories=(album,), updated=updated)


BEFORE = tuple(_file(number, _lion(number)) for number in (1, 2, 3))
WITHOUT = (*BEFORE[:2], _file(3, edited=EDITED))


@pytest.fixture
def server(stand_in: Callable[[World], StandIn]) -> StandIn:
    return stand_in(_world(*BEFORE, updated=FIRST))


@pytest.fixture
def settings(server: StandIn, tmp_path: Path) -> Settings:
    return server.settings(home=str(tmp_path / "home"), pseudonym_key="test", tries=2, wcqs_cookie=LOGIN)


@contextmanager
def _opened(settings: Settings) -> Iterator[Store]:
    with Store(settings.store) as store:
        yield store


def _harvest(settings: Settings, campaign: Campaign = LIONS) -> Outcome:
    with _opened(settings) as store, Client(settings, sleep=lambda _: None) as client:
        run = Run(campaign=campaign, settings=settings, store=store, client=client, now=lambda: MOMENT)
        return list(run_steps(run, STEPS, ("harvest",), again=True))[-1]


def _tags(settings: Settings) -> dict[str, Tag]:
    with _opened(settings) as store:
        return {f"{tag.file.removeprefix(ENTITY)} {tag.item}": tag for tag in store.each(Tag)}


def _withdrawn(settings: Settings) -> dict[str, str]:
    return {name: tag.withdrawn for name, tag in _tags(settings).items() if tag.withdrawn}


@pytest.mark.parametrize("campaign", [LIONS, ALBUM], ids=["query", "category"])
def test_a_statement_taken_back_is_withdrawn_by_nobody_known(
    server: StandIn, settings: Settings, campaign: Campaign
) -> None:
    assert _harvest(settings, campaign).counts["withdrawn"] == 0
    server.become(_world(*WITHOUT, updated=SECOND))
    assert _harvest(settings, campaign).counts["withdrawn"] == 1
    tag = _tags(settings)["M3 Q140"]
    assert (tag.withdrawn, tag.withdrawn_by) == (EDITED, ""), "by the last edit that the index knows it was gone"
    with _opened(settings) as store:
        assert [event.subject for event in store.events(kind="tag.withdrawn")] == [tag.id]
    server.become(_world(*BEFORE, updated="2026-11-09T00:00:00Z"))
    assert _harvest(settings, campaign).counts["withdrawn"] == 0, "said again"


def test_a_statement_marked_as_wrong_stands_no_more(server: StandIn, settings: Settings) -> None:
    _harvest(settings)
    wrong = _file(3, _lion(3, rank="deprecated"), edited=EDITED)
    server.become(_world(*BEFORE[:2], wrong, updated=SECOND))
    _harvest(settings)
    assert _withdrawn(settings) == {"M3 Q140": EDITED}


def test_an_older_index_withdraws_nothing_and_a_fresher_one_makes_up_for_it(
    server: StandIn, settings: Settings
) -> None:
    _harvest(settings)
    server.become(_world(*WITHOUT, updated="2026-10-30T00:00:00Z"))
    _harvest(settings)
    assert not _withdrawn(settings)
    server.become(_world(*WITHOUT, updated=SECOND))
    _harvest(settings)
    assert _withdrawn(settings) == {"M3 Q140": EDITED}


def test_an_index_without_a_date_withdraws_nothing(server: StandIn, settings: Settings) -> None:
    _harvest(settings)
    server.become(_world(*WITHOUT, updated=""))
    _harvest(settings)
    assert not _withdrawn(settings)


def test_an_index_that_lost_statements_of_files_nobody_edited_withdraws_nothing(
    server: StandIn, settings: Settings
) -> None:
    _harvest(settings)
    for updated in (SECOND, "2026-11-06T00:00:00Z"):
        server.become(_world(*BEFORE[:2], _file(3), updated=updated))
        _harvest(settings)
        assert not _withdrawn(settings)
    server.become(_world(*BEFORE[:2], _file(3, edited="2026-11-07T00:00:00Z"), updated="2026-11-08T00:00:00Z"))
    _harvest(settings)
    assert _withdrawn(settings) == {"M3 Q140": "2026-11-07T00:00:00Z"}


@pytest.mark.parametrize("fault", [faults.UNAVAILABLE, faults.TRUNCATED])
def test_a_query_that_fails_or_is_cut_off_withdraws_nothing(
    server: StandIn, settings: Settings, fault: faults.Fault
) -> None:
    _harvest(settings)
    server.become(_world(*WITHOUT, updated=SECOND))
    server.faults.next("/sparql", fault, times=200)
    assert _harvest(settings).status == "incomplete"
    assert not _withdrawn(settings)


def test_a_route_that_lags_withdraws_nothing_when_it_stands_in(server: StandIn, settings: Settings) -> None:
    """QLever is down; the other service answers, from before the statements that QLever had."""
    _harvest(settings, with_routes(LIONS, ("qlever", "wcqs")))
    server.become(_world(*BEFORE[:2], _file(3, edited="2026-10-01T00:00:00Z"), updated="2026-10-30T00:00:00Z"))
    server.faults.next("/sparql/commons", faults.UNAVAILABLE, times=200)
    outcome = _harvest(settings, with_routes(LIONS, ("qlever", "wcqs")))
    assert outcome.counts["withdrawn"] == 0
    assert not _withdrawn(settings)
    with _opened(settings) as store:
        routes = [json.loads(event.payload)["route"] for event in store.events(kind="source.answered")]
    assert routes == ["qlever", "wcqs"]


def test_a_file_the_index_does_not_know_is_not_spoken_of(server: StandIn, settings: Settings) -> None:
    _harvest(settings)
    server.become(_world(*BEFORE[:2], updated=SECOND))
    _harvest(settings)
    assert not _withdrawn(settings)


def test_what_is_still_said_and_no_longer_asked_for_is_not_withdrawn(server: StandIn, settings: Settings) -> None:
    both = (*BEFORE, _file(4, _lion(4), statement("M4", "P180", "Q42")))
    server.become(_world(*both, updated=FIRST))
    _harvest(settings, BOTH)
    assert "M4 Q42" in _tags(settings)
    server.become(_world(*both, updated=SECOND))
    _harvest(settings, LIONS)
    assert sorted(_tags(settings)) == ["M1 Q140", "M2 Q140", "M3 Q140", "M4 Q140"]
    assert not _withdrawn(settings)
    with _opened(settings) as store:
        assert store.count(CampaignFile) == 4


def test_a_harvest_killed_before_it_compared_is_made_up_for(server: StandIn, settings: Settings) -> None:
    """The log of a killed harvest ends after the answer; the next has the same index."""
    _harvest(settings)
    server.become(_world(*WITHOUT, updated=SECOND))
    with _opened(settings) as store:
        told = {"campaign": "lions", "route": "", "endpoint": settings.sparql_commons, "index_date": SECOND}
        store.note("source.answered", "query files-of-items", told, agent="x", moment=MOMENT)
    _harvest(settings)
    assert _withdrawn(settings) == {"M3 Q140": EDITED}
