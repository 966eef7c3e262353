"""The queries for datasets, each over real data: Wikidata's cats as they were recorded, with files that show them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harvest.standin.recorded import _parsed
from harvest.standin.server import StandIn
from harvest.standin.world import Entity, File, Item, Revision, World, snak, statement, statements
from linkeddata.client import Client
from linkeddata.sparql import load_query
from linkeddata.sparqlpieces import Asking, Missing, rows
from linkeddata.sparqlresults import Row

PANTHERA, LION, TIGER, LIGER = "Q127960", "Q140", "Q19939", "Q182573"
RIJKS, MAKER = "Q190804", "Q551508"


def _file(number: int, *shown: str, moment: str = "2021-10-03T14:05:00Z", region: str = "", maker: str = "") -> File:
    media = f"M{number}"
    where = [snak("P2677", region)] if region else []
    told = statements(
        *(statement(media, "P180", item, number=item, qualifiers=where) for item in shown),
        statement(media, "P195", RIJKS),
        *([statement(media, "P170", maker)] if maker else []),
        statement(media, "P217", f"RP-T-{number}"),
    )
    page = Revision(id=number, user="Jan", moment=moment, comment="", entity=Entity(statements=told))
    return File(
        page_id=number, title=f"File:Cat {number}.jpg", revisions=(page,), url=f"https://u.example/{number}.jpg"
    )


@pytest.fixture(scope="module")
def server(recordings: Path) -> Iterator[StandIn]:
    items = {}
    for line in (recordings / "wikidata/items.json").read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        items[told["id"]] = Item(id=told["id"], page_id=int(told["id"][1:]), entity=_parsed(told, "claims"))
    files = (
        _file(1, LION, maker=MAKER),
        _file(2, LION, TIGER, region="pct:10,20,30,40"),
        _file(3, LIGER, "Q4421", moment="2026-11-10T00:00:00Z"),
        _file(4, "Q4388"),
    )
    with StandIn(World(files=files, items=tuple(items.values()))) as running:
        yield running
    assert running.broken == []


@pytest.fixture
def ask(server: StandIn) -> Iterator["Ask"]:
    with Client(server.settings()) as client:
        yield Ask(client, server)


class Ask:
    """Puts a query of the library to the endpoint that it is meant for."""

    def __init__(self, client: Client, server: StandIn) -> None:
        self._client = client
        self._settings = server.settings()

    def __call__(self, name: str, /, **values: str) -> list[Row]:
        query = load_query(name)
        endpoint = getattr(self._settings, f"sparql_{query.endpoint}")
        asking = Asking(self._client, self._settings, endpoint, query)
        found = list(rows(asking, {key: value.split() for key, value in values.items()}))
        assert not [row for row in found if isinstance(row, Missing)]
        return [row for row in found if isinstance(row, dict)]


def last(iri: str) -> str:
    return iri.rpartition("/")[2]


def test_plates_of_a_taxon_are_those_of_all_below_it(ask: Ask) -> None:
    found = ask("plates-of-taxon", taxon=PANTHERA)
    assert {(last(row["file"]), last(row["item"]), row["taxon_name"]) for row in found} == {
        ("M1", LION, "Panthera leo"),
        ("M2", LION, "Panthera leo"),
        ("M2", TIGER, "Panthera tigris"),
        ("M3", LIGER, "Panthera leo × Panthera tigris"),
    }
    assert {row.get("region") for row in found if last(row["file"]) == "M2"} == {"pct:10,20,30,40"}
    assert {last(row["file"]) for row in ask("plates-of-taxon", taxon=TIGER)} == {"M2"}


def test_files_of_a_creator_and_of_a_collection(ask: Ask) -> None:
    (one,) = ask("depicted-taxa-of-creator", creator=MAKER)
    assert (last(one["file"]), last(one["taxon"]), one["number"], one["gbif_id"]) == ("M1", LION, "RP-T-1", "5219404")
    assert {last(row["file"]) for row in ask("depicted-taxa-of-collection", collection=RIJKS)} == {
        "M1",
        "M2",
        "M3",
        "M4",
    }


def test_a_checklist_has_ids_and_names_by_common_use(ask: Ask) -> None:
    found = ask("checklist-of-taxon", root=PANTHERA)
    lion = [row for row in found if last(row["item"]) == LION]
    assert {(row["name"], row["gbif"]) for row in lion} == {("Panthera leo", "5219404")}
    assert {row["language"] for row in lion} == {"nl", "en"}
    assert "leeuw" in {row["vernacular"].casefold() for row in lion if row["language"] == "nl"}
    assert {last(row["item"]) for row in found} >= {PANTHERA, LION, TIGER, LIGER, "Q30197"}
    assert "Q4388" not in {last(row["item"]) for row in found}


def test_files_with_several_taxa(ask: Ask) -> None:
    found = ask("several-taxa-of-collection", collection=RIJKS)
    shown = {(last(row["file"]), last(row["taxon"])) for row in found}
    assert shown == {("M2", LION), ("M2", TIGER), ("M3", LIGER)}  # what stands beside the liger is no taxon


def test_taxa_without_key_and_without_picture(ask: Ask) -> None:
    assert [last(row["item"]) for row in ask("taxa-without-gbif-key", item=f"{LION} {LIGER} Q4445")] == [LIGER]
    lacking = {last(row["item"]) for row in ask("taxa-without-picture", root=PANTHERA)}
    assert "Q118612732" in lacking
    assert not lacking & {LION, TIGER, PANTHERA}


def test_tags_of_what_was_changed_since(ask: Ask) -> None:
    assert ask("tags-of-collection-since", collection=RIJKS, since="2026-11-11") == []
    (new,) = ask("tags-of-collection-since", collection=RIJKS, since="2026-11-10")
    assert (last(new["file"]), last(new["taxon"]), new["changed"]) == ("M3", LIGER, "2026-11-10T00:00:00Z")


def test_regions(ask: Ask) -> None:
    found = ask("regions-of-items", item=f"{LION} {TIGER}")
    assert {(last(row["file"]), last(row["item"]), row["region"]) for row in found} == {
        ("M2", LION, "pct:10,20,30,40"),
        ("M2", TIGER, "pct:10,20,30,40"),
    }
