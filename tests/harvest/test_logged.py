"""Files that were moved and left no redirect: the log of moves is followed, and nothing is taken for what it is not."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from crowd.campaign import CommonsSource, ListSource
from harvest.commons import harvest_commons
from harvest.commons_files import FILE_MISSING
from harvest.files import harvest_list
from harvest.isa import COLUMNS, harvest_isa
from harvest.logged import deleted_at, followed, moved_to
from harvest.records import Harvested
from harvest.standin.server import StandIn
from harvest.standin.world import Deletion, Entity, File, Move, Revision, World, statement, statements
from harvest.wiki import Api
from linkeddata.client import Client
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import CampaignFile, Failure, Tag

OLD, NEW = "File:Plate 1.jpg", "File:Lion of 1596.jpg"
PEOPLE = Pseudonyms("test")


def _file(number: int, title: str) -> File:
    entity = Entity(statements=statements(statement(f"M{number}", "P180", "Q140")))
    upload = Revision(id=number * 10, user="Ann", moment="2021-10-01T00:00:00Z", comment="upload", entity=entity)
    return File(page_id=number, title=title, revisions=(upload,), sha1=f"{number:040x}")


def _move(title: str, target: str, day: int, number: int = 1) -> Move:
    return Move(number=number, title=title, target=target, moment=f"2026-11-{day:02}T00:00:00Z")


def _deletion(title: str, day: int) -> Deletion:
    return Deletion(number=90, page_id=99, title=title, moment=f"2026-11-{day:02}T00:00:00Z")


@pytest.fixture
def server() -> Iterator[StandIn]:
    with StandIn(World(files=(_file(1, NEW),), moves=(_move(OLD, NEW, 2),))) as running:
        yield running


def _followed(server: StandIn, world: World, *titles: str) -> dict[str, int]:
    server.become(world)
    with Client(server.settings()) as client:
        return {title: page.id for title, page in followed(Api.of(client, server.settings()), titles).items()}


FILES = (_file(1, NEW),)
WORLDS = {
    "moved": (World(files=FILES, moves=(_move(OLD, NEW, 2),)), {OLD: 1}),
    "moved twice": (World(files=FILES, moves=(_move(OLD, "File:B.jpg", 2), _move("File:B.jpg", NEW, 3))), {OLD: 1}),
    "in a circle": (World(moves=(_move(OLD, "File:B.jpg", 2), _move("File:B.jpg", OLD, 3))), {}),
    "moved, and deleted there": (World(moves=(_move(OLD, NEW, 2),), deletions=(_deletion(NEW, 3),)), {}),
    "another of that title deleted": (
        World(files=FILES, moves=(_move(OLD, NEW, 2),), deletions=(_deletion(OLD, 3),)),
        {},
    ),
    "moved to a title that was deleted before": (
        World(files=FILES, moves=(_move(OLD, NEW, 2),), deletions=(_deletion(OLD, 1),)),
        {OLD: 1},
    ),
    "deleted": (World(deletions=(_deletion(OLD, 2),)), {}),
    "never there": (World(), {}),
    "there": (World(files=(_file(2, OLD), *FILES), moves=(_move(OLD, NEW, 2),)), {OLD: 2}),
}


@pytest.mark.parametrize(("world", "expected"), list(WORLDS.values()), ids=list(WORLDS))
def test_where_a_title_leads(server: StandIn, world: World, expected: dict[str, int]) -> None:
    assert _followed(server, world, OLD) == expected


def test_only_titles_that_lead_nowhere_are_looked_up(server: StandIn) -> None:
    assert _followed(server, World(files=FILES), NEW, "File:Not <a> title.jpg") == {NEW: 1}
    assert [asked.params["letitle"] for asked in server.requests.all(list="logevents")] == ["File:Not <a> title.jpg"]


def test_the_log_tells_moves_from_deletions(server: StandIn) -> None:
    server.become(World(moves=(_move(OLD, NEW, 2),), deletions=(_deletion(NEW, 3),)))
    with Client(server.settings()) as client:
        api = Api.of(client, server.settings())
        assert (moved_to(api, OLD), moved_to(api, NEW)) == (NEW, "")
        assert (deleted_at(api, OLD), deleted_at(api, NEW)) == ("", "2026-11-03T00:00:00Z")


def _files(records: Sequence[Harvested], kind: type[CampaignFile] | type[Tag]) -> list[str]:
    return [record.file for record in records if isinstance(record, kind)]


def test_every_route_that_names_files_by_title_follows_them(server: StandIn, tmp_path: Path) -> None:
    table = tmp_path / "plates.csv"
    table.write_text(f"file,item\n{OLD},Q140\nFile:Gone.jpg,Q140\n")
    export = tmp_path / "all.csv"
    rows = [f"Ann,{title},depicts,add,,Q140,False,,,2021-10-01" for title in (OLD, "File:Gone.jpg")]
    export.write_text("\n".join([",".join(COLUMNS), *rows]))
    settings = server.settings()
    with Client(settings) as client:
        named = CommonsSource(files=(OLD, "File:Gone.jpg"))
        source = ListSource(path=str(table), file="file", item="item")
        routes = [
            list(harvest_commons(client, settings, named, campaign="c", pseudonyms=PEOPLE)),
            list(harvest_list(client, settings, source, campaign="c", pseudonyms=PEOPLE)),
            list(harvest_isa(client, settings, export, campaign="c", pseudonyms=PEOPLE)),
        ]
    for records in routes:
        assert _files(records, CampaignFile) == ["https://commons.wikimedia.org/entity/M1"]
        assert _files(records, Tag) == ["https://commons.wikimedia.org/entity/M1"]
        assert [r.reason for r in records if isinstance(r, Failure)] == [FILE_MISSING]
