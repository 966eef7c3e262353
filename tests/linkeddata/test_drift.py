"""Keys that have drifted, over loopback; ids from 9990001 up are made up."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from harvest.standin.faults import UNAVAILABLE
from harvest.standin.server import StandIn
from harvest.standin.world import Entity, Item, Recorded, Usage, World, statement, statements
from linkeddata.client import Client
from linkeddata.drift import Drift, Kept, check, kept_of
from linkeddata.ids import COL_XR
from linkeddata.records import Ancestor, Failure, ModelClass, Taxon

MOMENT = "2026-10-01T12:00:00Z"


def item(key: str, **said: str) -> Item:
    told = statements(*(statement(key, prop, value) for prop, value in said.items()))
    return Item(id=key, page_id=int(key[1:]), entity=Entity(labels={"en": key}, statements=told))


def usage(key: int, name: str, **more: object) -> Usage:
    return Usage(key=key, scientific_name=name, canonical_name=name, rank="SPECIES", **more)  # type: ignore[arg-type]


def carried(key: int, match_type: str, status: str, col_id: str) -> Recorded:
    """Return what the Catalogue of Life answers for a numeric key, in the recorded shape."""
    told = {
        "usage": {
            "key": col_id,
            "name": "Pica pica",
            "canonicalName": "Pica pica",
            "rank": "SPECIES",
            "status": status,
        },
        "classification": [],
        "diagnostics": {"matchType": match_type, "confidence": 100},
        "synonym": status == "SYNONYM",
    }
    asked = {"scientificNameID": f"gbif:{key}", "checklistKey": COL_XR}
    return Recorded(path="/gbif/v2/species/match", params=asked, body=json.dumps(told).encode())


WORLD = World(
    usages=(
        usage(9990001, "Pica pica"),
        usage(9990002, "Parus ater", status="SYNONYM", accepted=9990001),
        usage(9990003, "Periparus ater"),
    ),
    items=(
        item("Q9990001", P225="Pica pica", P846="9990001"),
        item("Q9990002", P225="Parus ater", P846="9990099", P10585="99Z"),
        Item(id="Q9990003", redirect="Q9990001"),
        item("Q9990004"),
    ),
    recorded=(
        carried(9990001, "EXACT", "ACCEPTED", "99A"),
        carried(9990003, "EXACT", "SYNONYM", "99C"),
        carried(9990002, "EXACT", "ACCEPTED", "99B"),
    ),
)
CASES = [
    ("nothing", {"name": "Pica pica", "item": "Q9990001", "gbif_key": "9990001", "col_id": "99A"}, []),
    ("dead item", {"name": "x", "item": "Q9990999"}, ["dead item"]),
    ("merged item", {"name": "x", "item": "Q9990003"}, ["merged item"]),
    ("no taxon", {"name": "Pica pica", "item": "Q9990004", "gbif_key": "9990001"}, ["no taxon"]),
    ("dead key", {"name": "x", "gbif_key": "9990098"}, ["dead key"]),
    ("synonym", {"name": "Parus ater", "gbif_key": "9990002"}, ["synonym"]),
    ("other name", {"name": "Parus ater", "gbif_key": "9990003"}, ["other name"]),
    (
        "other keys",
        {"name": "x", "item": "Q9990002", "gbif_key": "9990001", "col_id": ""},
        ["other GBIF key", "other name"],
    ),
    ("other COL id", {"name": "x", "item": "Q9990002", "col_id": "99Y"}, ["other COL id"]),
    ("a COL id that moved", {"name": "Pica pica", "gbif_key": "9990001", "col_id": "99X"}, ["COL pair"]),
    ("a COL synonym", {"name": "Periparus ater", "gbif_key": "9990003", "col_id": "99C"}, ["COL pair"]),
    ("a backbone synonym", {"name": "Parus ater", "gbif_key": "9990002", "col_id": "99B"}, ["synonym", "COL pair"]),
]


@pytest.fixture(scope="module")
def world() -> Iterator[StandIn]:
    with StandIn(WORLD) as standin:
        yield standin


def drifts(standin: StandIn, *kept: Kept) -> list[Drift | Failure]:
    settings = standin.settings(tries=1)
    with Client(settings, sleep=lambda _: None) as client:
        return list(check(kept, client, settings, moment=MOMENT))


@pytest.mark.parametrize(("told", "kinds"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_has_changed(world: StandIn, told: dict[str, str], kinds: list[str]) -> None:
    found = drifts(world, Kept(**told))  # type: ignore[arg-type]
    assert [one.kind for one in found if isinstance(one, Drift)] == kinds
    assert not [one for one in found if isinstance(one, Failure)]


def test_what_it_was_and_is(world: StandIn) -> None:
    [moved] = drifts(world, Kept(name="x", item="Q9990003"))
    assert isinstance(moved, Drift)
    assert (moved.was, moved.now) == ("Q9990003", "Q9990001")
    [_, pair] = drifts(world, Kept(name="Parus ater", gbif_key="9990002", col_id="99B"))
    assert isinstance(pair, Drift)
    assert (pair.was, pair.now) == ("9990002 = 99B", "backbone SYNONYM, COL EXACT ACCEPTED 99B")


def test_a_service_that_is_down_is_no_drift() -> None:
    with StandIn(WORLD) as standin:
        standin.faults.next("/", UNAVAILABLE, times=10)
        found = drifts(standin, Kept(name="Pica pica", item="Q9990001", gbif_key="9990001"))
    assert [(type(one), one.reason if isinstance(one, Failure) else "") for one in found] == [
        (Failure, "service unreachable")
    ] * 2


def test_the_same_ids_are_looked_at_once() -> None:
    taxon = Taxon(query="pica", name="Pica pica", item="Q1", gbif_key="1", match_type="EXACT")
    nothing = Taxon(query="xyz", match_type="NONE")
    one = ModelClass(id="m@1/0", model="m", version="1", index=0, label="Pica pica", item="Q1", gbif_key="1")
    unlinked = ModelClass(id="m@1/1", model="m", version="1", index=1, label="mask")
    [kept] = kept_of([taxon, nothing], [one, unlinked])
    assert kept.subjects == ("pica", "m@1/0")


def test_a_vernacular_label_is_not_taken_for_a_name() -> None:
    magpie = ModelClass(id="m@1/0", model="m", version="1", index=0, label="Black-billed magpie", gbif_key="1")
    named = replace(magpie, label="Pica hudsonia", lineage=(Ancestor("genus", "Pica"),))
    assert [(one.name, one.shown) for one in kept_of([], [magpie, named])] == [
        ("", "m@1/0"),
        ("Pica hudsonia", "Pica hudsonia"),
    ]
