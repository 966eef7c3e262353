"""The recorded heritage plates as a World, and what its query endpoint makes of them."""

import json
from pathlib import Path
from typing import Any

from harvest.standin.recorded import bhl_world
from harvest.standin.server import StandIn
from linkeddata.client import Client

QUERY = """
    PREFIX wdt: <http://www.wikidata.org/prop/direct/>
    PREFIX schema: <http://schema.org/>
    SELECT DISTINCT ?file ?taxon ?bhl_page_id ?url ?gbif_id ?taxon_name WHERE {
      ?file wdt:P180 ?taxon ; wdt:P687 ?bhl_page_id ; schema:contentUrl ?url .
      SERVICE <https://qlever.dev/api/wikidata> { ?taxon wdt:P846 ?gbif_id ; wdt:P225 ?taxon_name . }
    }"""
VARIABLES = ("file", "taxon", "bhl_page_id", "url", "gbif_id", "taxon_name")


def rows(results: Any) -> list[tuple[str, ...]]:
    return [tuple(row[name]["value"] for name in VARIABLES) for row in results["results"]["bindings"]]


def test_the_world_holds_what_was_recorded(recordings: Path) -> None:
    world = bhl_world(recordings / "commons/bhl-depicts.srj", recordings / "gbif/parents-recorded.json")
    tags = [s for f in world.files if f.entity for s in f.entity.statements["P180"]]
    keys = {i.id: len(i.entity.statements["P846"]) for i in world.items}
    assert (len(world.files), len(tags), len(world.items)) == (1400, 1573, 1103)
    assert {item for item, count in keys.items() if count == 2} == {"Q3053115", "Q1304212", "Q14923165", "Q6421871"}
    names = next(i.entity.statements["P225"] for i in world.items if i.id == "Q6421871")
    assert {n["mainsnak"]["datavalue"]["value"] for n in names} == {"Brienomyrus niger", "Brevimyrus niger"}
    assert len(world.usages) == 1107


def test_the_endpoint_gives_back_the_recorded_rows(recordings: Path, heritage: StandIn) -> None:
    """The question that was once put to QLever, put to the stand-in, has the answer that QLever gave."""
    recorded = json.loads((recordings / "commons/bhl-depicts.srj").read_bytes())
    with Client(heritage.settings()) as client:
        answer = client.post_json(f"{heritage.url}/sparql/commons", {"query": QUERY})
    assert len(rows(answer)) == 1582
    assert sorted(rows(answer)) == sorted(rows(recorded))


def test_ranks_are_told_only_where_they_follow(recordings: Path) -> None:
    world = bhl_world(recordings / "commons/bhl-depicts.srj", recordings / "gbif/parents-recorded.json")
    known = {u.canonical_name: u for u in world.usages}
    paris = known["Papilio paris"]
    assert [(rank, key) for rank, _, key in paris.higher] == [
        ("KINGDOM", 1),
        ("PHYLUM", 54),
        ("CLASS", 216),
        ("ORDER", 797),
        ("FAMILY", 9417),
        ("GENUS", 10175914),
        ("SPECIES", 1937911),
    ]
    assert known["Insecta"].rank == "CLASS"
    assert any(u.rank == "UNRANKED" for u in world.usages)
