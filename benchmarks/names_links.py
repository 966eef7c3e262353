"""Links of the recorded heritage plates' taxa, with Wikidata's answers replayed by the stand-in.

Prints the share of the distinct (Q, name, key) rows whose item is recovered, and how many are linked wrongly when each
item has a twin of the same name (and key) in another kingdom, or each row comes with a wrong kingdom. Beside each
stands the way without evidence: the first item that a search for the name gives.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks._figure import figure
from harvest.standin.recorded import bhl_world
from harvest.standin.server import StandIn
from harvest.standin.world import Entity, Item, World, statement, statements
from linkeddata import wikidata
from linkeddata.client import Client
from linkeddata.ids import TAXON_NAME
from linkeddata.links import Link, Subject, link

DATA = Path(__file__).resolve().parents[1] / "../shared/data"
MOMENT = "2026-10-01T12:00:00Z"
ANIMALIA, PLANTAE = "Q9990900", "Q9990901"
Row = tuple[str, Subject]


def main() -> int:
    """Print the figures; return 0 when every aim is met, 1 when one is not, 2 without the recordings."""
    if not DATA.is_dir():
        print(json.dumps({"figure": "links", "left_out": f"no recordings at {DATA}"}))
        return 2
    plates = bhl_world(DATA / "commons/bhl-depicts.srj", DATA / "gbif/parents-recorded.json")
    rows = recorded_rows(plates)
    wrong = [(item, replace(subject, kingdom="Plantae")) for item, subject in rows]
    twins, same_key = twinned(plates, with_key=False), twinned(plates, with_key=True)
    housed = World(items=(*(with_parent(one, ANIMALIA) for one in plates.items), *KINGDOMS))
    met = [
        recovered("rows linked", rows, plates),
        recovered("rows linked, each item with a twin in another kingdom", rows, twins),
        recovered("rows linked, each item with a twin of the same key in another kingdom", rows, same_key),
        misled("wrong links, each item with a twin in another kingdom", rows, twins),
        misled("wrong links, each item with a twin of the same key in another kingdom", rows, same_key),
        misled("wrong links, each row with a wrong kingdom", [("", subject) for _, subject in wrong], housed),
    ]
    return 0 if all(met) else 1


def recovered(name: str, rows: Sequence[Row], world: World) -> bool:
    """Print the share of rows whose own item was found."""
    own, naive = answers(rows, world)
    shares = [
        100 * sum(a == item for a, (item, _) in zip(found, rows, strict=True)) / len(rows) for found in (own, naive)
    ]
    return figure(name, shares[0], "%", beside="first item with the name", beside_value=shares[1], at_least=100)


def misled(name: str, rows: Sequence[Row], world: World) -> bool:
    """Print how many rows were linked to another item than theirs; an aim of none."""
    own, naive = answers(rows, world)
    wrong = [sum(bool(a) and a != item for a, (item, _) in zip(found, rows, strict=True)) for found in (own, naive)]
    figure(name, wrong[0], "rows", beside="first item with the name", beside_value=wrong[1])
    return wrong[0] == 0


def answers(rows: Sequence[Row], world: World) -> tuple[list[str], list[str]]:
    """Return the items linked by evidence, and the first that a search for the name gives."""
    with StandIn(world) as standin:
        settings = standin.settings(tries=1)
        with Client(settings) as client:
            linked = list(link((subject for _, subject in rows), client, settings, moment=MOMENT))
            naive = [wikidata.items_with(client, settings, [(TAXON_NAME, subject.name)]) for _, subject in rows]
    own = [one.item.id if isinstance(one, Link) and one.item else "" for one in linked]
    return own, [hits[0] if hits else "" for hits in naive]


def recorded_rows(plates: World) -> list[Row]:
    """Return every distinct (Q, name, key), with its kingdom; where none is told, an animal, as nearly all are."""
    usages = {str(usage.key): usage for usage in plates.usages}
    rows = []
    for one in plates.items:
        for key in values(one, "P846"):
            kingdom = next((name for rank, name, _ in usages[key].higher if rank == "KINGDOM"), "") or "Animalia"
            for name in values(one, "P225"):
                subject = Subject(id=f"{one.id}/{key}/{name}", label=name, name=name, gbif_key=key, kingdom=kingdom)
                rows.append((one.id, subject))
    return rows


def values(item: Item, prop: str) -> list[str]:
    """Return the values of an item's statements."""
    return [claim["mainsnak"]["datavalue"]["value"] for claim in item.entity.statements[prop]]


def twinned(world: World, *, with_key: bool) -> World:
    """Return the world with a twin of each taxon before it, in the kingdom of plants."""
    made = [twin(number, one, with_key) for number, one in enumerate(world.items)]
    return World(items=(*made, *world.items, *KINGDOMS))


def twin(number: int, one: Item, with_key: bool) -> Item:
    """Return an item of the same name below the plants."""
    key = f"Q{5_000_000 + number}9"
    told = [("P225", values(one, "P225")[0]), ("P171", PLANTAE)]
    told += [("P846", value) for value in values(one, "P846")] if with_key else []
    said = statements(*(statement(key, prop, value) for prop, value in told))
    return Item(id=key, page_id=int(key[1:]), entity=Entity(statements=said))


def with_parent(one: Item, parent: str) -> Item:
    """Return the item below a parent."""
    said = {**one.entity.statements, **statements(statement(one.id, "P171", parent))}
    return replace(one, entity=replace(one.entity, statements=said))


KINGDOMS = tuple(
    Item(
        id=key,
        page_id=int(key[1:]),
        entity=Entity(statements=statements(statement(key, "P225", name), statement(key, "P105", "Q36732"))),
    )
    for key, name in ((ANIMALIA, "Animalia"), (PLANTAE, "Plantae"))
)

if __name__ == "__main__":
    sys.exit(main())
