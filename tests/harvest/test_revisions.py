"""Histories of many pages read together: in few requests, whatever was deleted, hidden, merged or refused."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harvest.revisions import ABOUT, REVISIONS, parse_revision, read_histories
from harvest.standin import faults, world
from harvest.standin.recorded import mediawiki_world
from harvest.standin.server import StandIn
from harvest.wiki import Api, by_id
from linkeddata.client import Client
from linkeddata.errors import UnreachableError

RECORDED = Path(__file__).resolve().parents[2] / "../shared/data/mediawiki/recorded.jsonl"


def _page(number: int, edits: int, **changed: Any) -> world.File:
    """Return a page with so many revisions, numbered 1001, 1002 … on page 1."""
    history = [
        world.Revision(
            id=number * 1000 + place,
            parent=number * 1000 + place - 1 if place > 1 else 0,
            user=f"User {place}",
            moment=f"2021-10-03T{place // 60:02}:{place % 60:02}:00Z",
            comment=f"edit {place}",
            tags=("mw-reverted",) if place == 2 else (),
        )
        for place in range(1, edits + 1)
    ]
    return replace(world.File(page_id=number, title=f"File:{number}.jpg", revisions=tuple(history)), **changed)


def _histories(standin: StandIn, *pages: int, tries: int = 6) -> Any:
    config = standin.settings(tries=tries)
    with Client(config, sleep=lambda _: None) as client:
        api = Api.of(client, config)
        newest = {page.id: page.newest for page in by_id(api, pages).values() if page.newest}
        standin.requests.clear()
        return read_histories(api.query, newest)


def _ids(histories: Any) -> dict[int, list[int]]:
    return {page: [revision.id for revision in read] for page, read in histories.read.items()}


def _expected(*files: world.File) -> dict[int, list[int]]:
    return {file.page_id: [r.id for r in reversed(file.revisions)] for file in files}


def test_histories_are_walked_back_together() -> None:
    files = [_page(number, 1 + number % 4) for number in range(1, 41)]
    with StandIn(world.World(files=tuple(files))) as standin:
        histories = _histories(standin, *range(1, 41))
        assert standin.requests.count() == 3
    assert _ids(histories) == _expected(*files)
    told = histories.read[2][1]
    assert (told.id, told.parent, told.user, told.comment, told.tags) == (
        2002,
        2001,
        "User 2",
        "edit 2",
        ("mw-reverted",),
    )
    assert histories.refused == {}


def test_a_long_history_is_read_alone_when_that_is_cheaper() -> None:
    files = [_page(1, 300), *(_page(number, 3) for number in range(2, 31))]
    with StandIn(world.World(files=tuple(files))) as standin:
        histories = _histories(standin, *range(1, 31))
        assert standin.requests.count() == 2 + 1
        assert standin.requests.count(rvlimit="max") == 1
    assert _ids(histories) == _expected(*files)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=120))
@settings(max_examples=20, deadline=None)
def test_no_way_of_reading_costs_more_than_twice_the_cheaper_one(lengths: list[int]) -> None:
    asked: list[Mapping[str, Any]] = []
    pages = {number: _page(number, length).revisions for number, length in enumerate(lengths, 1)}

    def entry(revision: world.Revision) -> dict[str, Any]:
        return {"revid": revision.id, "parentid": revision.parent, "user": revision.user}

    def query(params: Mapping[str, Any]) -> list[Any]:
        asked.append(params)
        wanted = [int(text) for text in str(params.get("revids", "")).split("|") if text]
        assert len(wanted) <= REVISIONS
        if not wanted:
            number = int(params["pageids"])
            return [{"query": {"pages": [{"pageid": number, "revisions": [*map(entry, reversed(pages[number]))]}]}}]
        told = [{"pageid": n // 1000, "revisions": [entry(pages[n // 1000][n % 1000 - 1])]} for n in wanted]
        return [{"query": {"pages": told}}]

    newest = {number: parse_revision(entry(history[-1])) for number, history in pages.items()}
    histories = read_histories(query, newest)
    assert {page: len(read) for page, read in histories.read.items()} == dict(enumerate(lengths, 1))
    edited = [length for length in lengths if length > 1]
    assert len(asked) <= 2 * len(edited)
    assert len(asked) <= 2 * (sum(edited) // REVISIONS + max(edited, default=0))


def test_a_parent_that_is_deleted_or_elsewhere_is_no_end() -> None:
    whole = _page(1, 4)
    cut = replace(whole, revisions=tuple(r for r in whole.revisions if r.id != 1003))  # 1004 has it as its parent still
    merged = _page(2, 3)
    merged = replace(merged, revisions=(*merged.revisions[:2], replace(merged.revisions[2], parent=3001)))
    with StandIn(world.World(files=(cut, merged, _page(3, 3)))) as standin:
        histories = _histories(standin, 1, 2, 3)
    assert _ids(histories) == {1: [1004, 1002, 1001], 2: [2003, 2002, 2001], 3: [3003, 3002, 3001]}


def test_what_is_hidden_is_empty_and_stops_nothing() -> None:
    file = _page(1, 4)
    first, second, third, fourth = file.revisions
    hidden = (first, replace(second, hidden=("user",)), replace(third, hidden=("user", "comment")), fourth)
    with StandIn(world.World(files=(replace(file, revisions=hidden), _page(2, 4)))) as standin:
        read = _histories(standin, 1, 2).read[1]
    assert [(r.user, r.comment, r.hidden) for r in read] == [
        ("User 4", "edit 4", False),
        ("", "", True),
        ("", "edit 2", False),
        ("User 1", "edit 1", False),
    ]


def test_what_came_after_the_newest_revision_we_know_of_is_left_for_the_next_time() -> None:
    with StandIn(world.World(files=(_page(1, 4),))) as standin, Client(standin.settings()) as client:
        api = Api.of(client, standin.settings())
        second = parse_revision({"revid": 1002, "parentid": 1001})
        assert _ids(read_histories(api.query, {1: second})) == {1: [1002, 1001]}


def test_a_page_that_is_refused_is_named_and_the_others_go_on() -> None:
    no = {"error": {"code": "rvaccessdenied", "info": "no"}}
    form = {
        "action": "query",
        "prop": "revisions",
        "rvprop": ABOUT,
        "format": "json",
        "formatversion": "2",
        "maxlag": "5",
    }
    both = world.Recorded(path="/w/api.php", params=form | {"revids": "1002|2002"}, body=json.dumps(no).encode())
    one = world.Recorded(path="/w/api.php", params=form | {"pageids": "1", "rvlimit": "max"}, body=both.body)
    with StandIn(world.World(files=(_page(1, 3), _page(2, 3)), recorded=(both, one))) as standin:
        histories = _histories(standin, 1, 2)
    assert _ids(histories) == {2: [2003, 2002, 2001]}
    assert "rvaccessdenied" in histories.refused[1]


def test_a_service_that_is_down_is_no_refusal() -> None:
    with (
        StandIn(world.World(files=(_page(1, 3), _page(2, 3)))) as standin,
        Client(standin.settings(tries=1), sleep=lambda _: None) as client,
    ):
        api = Api.of(client, standin.settings())
        newest = {page.id: page.newest for page in by_id(api, [1, 2]).values() if page.newest}
        standin.faults.next("/w/api.php", faults.UNAVAILABLE)
        with pytest.raises(UnreachableError):
            read_histories(api.query, newest)


@pytest.mark.skipif(not RECORDED.is_file(), reason="recorded exchanges are not here")
def test_recorded_histories_walked_are_the_histories_recorded() -> None:
    recorded: dict[int, list[dict[str, Any]]] = {}
    for exchange in map(orjson.loads, RECORDED.read_bytes().splitlines()):
        if exchange["note"].startswith("page history of"):
            page = exchange["json"]["query"]["pages"][0]
            recorded.setdefault(page["pageid"], []).extend(page["revisions"])
    with StandIn(mediawiki_world(RECORDED)) as standin:
        histories = _histories(standin, *recorded)
    for page, revisions in recorded.items():
        assert histories.read[page] == [parse_revision(entry) for entry in revisions]
