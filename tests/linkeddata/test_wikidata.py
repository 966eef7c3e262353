"""Wikidata's answers, parsed: recorded taxa, redirects, deleted items, and what PHP makes of empty objects."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from linkeddata.errors import ServiceError
from linkeddata.wikidata import LONGEST_SEARCH, RANKS, Item, parse_entities, parse_item, parse_search, searches

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
needs_recordings = pytest.mark.skipif(
    not DATA.is_dir(), reason="the recorded answers of Wikidata are not on this machine"
)


def _recorded_items() -> dict[str, Item]:
    lines = (DATA / "wikidata/items.json").read_text().splitlines()
    return {item.id: item for item in map(parse_item, map(json.loads, lines))}


def _exchange(ids: str) -> Any:
    lines = (DATA / "mediawiki/recorded.jsonl").read_text().splitlines()
    rows = (json.loads(line) for line in lines)
    return next(row["json"] for row in rows if row["site"] == "wikidata" and row["params"].get("ids") == ids)


@needs_recordings
def test_recorded_taxa() -> None:
    items = _recorded_items()
    lion = items["Q140"]
    assert (lion.name, lion.rank, lion.gbif_keys, lion.col_ids) == ("Panthera leo", "species", ("5219404",), ("4CGXP",))
    assert (lion.parents, lion.label) == (("Q127960",), "lion")
    assert ("en", "Lion") in lion.vernaculars
    assert items["Q5182"].parents == ("Q5176",)  # one of two is preferred
    assert items["Q764"].parents == ("Q19088", "Q2943473")  # two equals
    liger = items["Q182573"]
    assert (liger.rank, liger.gbif_keys, liger.is_taxon) == ("", (), True)  # its rank is "no value"


@needs_recordings
def test_which_recorded_items_are_taxa() -> None:
    assert {item.id for item in _recorded_items().values() if not item.is_taxon} == {"Q4445", "Q7155375"}


@needs_recordings
def test_redirects_deleted_items_and_ranks_of_statements() -> None:
    items = parse_entities(_exchange("Q140|Q4000001|Q4000002|Q35255"))
    assert set(items) == {"Q140", "Q4000001", "Q35255"}  # Q4000002 is deleted
    assert (items["Q4000001"].id, items["Q4000001"].redirected_from) == ("Q140", "Q4000001")
    assert items["Q35255"].names == ("Puma concolor",)  # preferred; another is deprecated
    assert items["Q35255"].gbif_keys == ("2435099",)
    assert parse_entities(_exchange("Q99999999")) == {}
    assert not parse_entities(_exchange("Q13441"))["Q13441"].is_taxon


@needs_recordings
def test_rank_names_are_wikidatas_own() -> None:
    said: dict[str, set[str]] = {}
    for name in ("wikidata-ranks.json", "wikidata_taxon_ranks.json"):
        for row in json.loads((DATA / "wikidata" / name).read_text())["results"]["bindings"]:
            if row["l"].get("xml:lang") == "en":
                said.setdefault(row["i"]["value"].rsplit("/", 1)[1], set()).add(row["l"]["value"])
    for item, rank in RANKS.items():
        assert rank in said[item]


def test_empty_objects_that_came_as_lists() -> None:
    item = parse_item({"id": "Q9990001", "type": "item", "labels": [], "aliases": [], "claims": []})  # made up
    assert (item.label, item.names, item.is_taxon) == ("", (), False)


@pytest.mark.parametrize("payload", [None, [], {}, {"entities": []}, {"success": 1}])
def test_an_answer_without_entities_is_refused(payload: Any) -> None:
    with pytest.raises(ServiceError):
        parse_entities(payload)


def test_a_property_is_no_item() -> None:
    with pytest.raises(ServiceError):
        parse_item({"id": "P31", "type": "property", "labels": {}})


def test_both_searches() -> None:
    assert parse_search({"query": {"search": [{"ns": 0, "title": "Q140"}]}}) == ["Q140"]
    assert parse_search({"searchinfo": {"search": "lion"}, "search": [{"id": "Q140", "title": "Q140"}]}) == ["Q140"]
    with pytest.raises(ServiceError):
        parse_search({"batchcomplete": ""})


@given(some.lists(some.integers(1, 10**8).map(str), max_size=80))
def test_searches_hold_every_key_and_are_never_too_long(keys: list[str]) -> None:
    made = list(searches([("P846", key) for key in keys]))
    assert all(len(search) <= LONGEST_SEARCH for search in made)
    asked = [part.removeprefix("P846=") for s in made for part in s.removeprefix("haswbstatement:").split("|")]
    assert asked == keys


def test_many_keys_are_spread_over_several_searches() -> None:
    keys = [str(9990001 + number) for number in range(60)]  # made up
    made = list(searches([("P846", key) for key in keys]))
    assert len(made) == 3
    assert [part.rsplit("=", 1)[1] for search in made for part in search.split("|")] == keys
