"""Lists of files: columns by name, titles, M-ids and addresses, and what cannot be read."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from crowd.campaign import ListSource
from harvest.files import harvest_list
from harvest.records import Harvested
from harvest.standin.server import StandIn
from harvest.standin.world import Entity, File, Revision, World, statement, statements
from linkeddata.client import Client
from linkeddata.errors import UsageError
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import Agent, CampaignFile, Failure, MediaFile, Tag

PEOPLE = Pseudonyms("a key for tests")
R = TypeVar("R")


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    files = []
    for number in range(1, 61):
        told = Entity(statements=statements(statement(f"M{number}", "P217", f"KB-{number}")))
        page = Revision(id=number, user="", moment="2021-09-01T00:00:00Z", comment="", entity=told)
        files.append(File(page_id=number, title=f"File:Plate {number}.jpg", revisions=(page,)))
    with StandIn(World(files=tuple(files))) as running:
        yield running


def _harvest(server: StandIn, path: Path, text: str, **columns: str) -> list[Harvested]:
    path.write_bytes(text.encode())
    settings = server.settings()
    with Client(settings) as client:
        source = ListSource(path=str(path), **columns)
        return list(harvest_list(client, settings, source, campaign="test", pseudonyms=PEOPLE))


def _only(kind: type[R], records: Sequence[Harvested]) -> list[R]:
    return [record for record in records if isinstance(record, kind)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_list_with_all_columns(server: StandIn, tmp_path: Path, delimiter: str) -> None:
    rows = [
        ["plate", "what", "wikidata", "who", "when"],
        ["Plate_1.jpg", "Leeuw (groot)", "", "Ann", "2021-10-01"],
        ["File:Plate 1.jpg", "", "Q140", "Ben", "2021-10-02T10:00:00Z"],
        ["M2", "", "https://www.wikidata.org/wiki/Q19939", "Ann", ""],
        ["https://commons.wikimedia.org/entity/M3", "", "", "", ""],
        ["https://commons.wikimedia.org/wiki/File:Plate_4.jpg", "beer", "", "", ""],
    ]
    text = "\ufeff" + "\r\n".join(delimiter.join(row) for row in rows)
    records = _harvest(
        server, tmp_path / "list.csv", text, file="plate", name="what", item="wikidata", agent="who", moment="when"
    )
    assert [(t.file[-2:], t.item, t.verbatim, t.moment[:10]) for t in _only(Tag, records)] == [
        ("M1", "", "Leeuw (groot)", "2021-10-01"),
        ("M1", "Q140", "", "2021-10-02"),
        ("M2", "Q19939", "", ""),
        ("M4", "", "beer", ""),
    ]
    assert [agent.id for agent in _only(Agent, records)] == [PEOPLE.agent("Ann").id, PEOPLE.agent("Ben").id]
    media = _only(MediaFile, records)
    assert [m.inventory_number for m in media] == ["KB-1", "KB-2", "KB-3", "KB-4"]
    assert len(_only(CampaignFile, records)) == 4
    assert _only(Failure, records) == []


def test_images_that_are_elsewhere_are_described_by_their_row(server: StandIn, tmp_path: Path) -> None:
    sha1 = "0" * 40
    text = (
        "file,name,sha1,licence,creator,inventory_number\n"
        f"https://museum.example/1.jpg,Vanessa cardui,{sha1},http://creativecommons.org/licenses/by/4.0,Maria,BM-1\n"
    )
    records = _harvest(server, tmp_path / "list.csv", text, name="name")
    (media,) = _only(MediaFile, records)
    assert (media.iri, media.original) == ("https://museum.example/1.jpg", "https://museum.example/1.jpg")
    assert media.licence == "https://creativecommons.org/licenses/by/4.0/"
    assert (media.creator, media.group, media.inventory_number, media.sha1) == ("Maria", "Maria", "BM-1", sha1)
    assert [tag.verbatim for tag in _only(Tag, records)] == ["Vanessa cardui"]


def test_what_cannot_be_read_is_named(server: StandIn, tmp_path: Path) -> None:
    text = (
        "file,item,moment\nPlate 1.jpg,Q0x,\n,Q140,\nPlate 2.jpg,Q140,soon\nPlate 3.jpg,Q140,,more\n"
        "Nowhere.jpg,Q140,\nM999,Q140,\nPlate 4.jpg,Q140,2021-10-01\n"
    )
    records = _harvest(server, tmp_path / "list.csv", text, item="item", moment="moment")
    assert [(f.subject, f.reason, f.detail) for f in _only(Failure, records)] == [
        ("list.csv:2", "bad row", "column item: 'Q0x'"),
        ("list.csv:3", "bad row", "column file: empty"),
        ("list.csv:4", "bad row", "column moment: 'soon'"),
        ("list.csv:5", "bad row", "more cells than columns"),
        ("Nowhere.jpg", "file missing", "list.csv:6"),
        ("M999", "file missing", "list.csv:7"),
    ]
    assert [tag.file[-2:] for tag in _only(Tag, records)] == ["M4"]


def test_a_column_that_is_not_there_is_named(server: StandIn, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"list\.csv: column wikidata is missing"):
        _harvest(server, tmp_path / "list.csv", "file\nPlate 1.jpg\n", item="wikidata")
    source = ListSource(path=str(tmp_path / "none.csv"))
    with Client(server.settings()) as client, pytest.raises(UsageError, match="cannot be read"):
        list(harvest_list(client, server.settings(), source, campaign="test", pseudonyms=PEOPLE))


def test_long_lists_take_few_requests(server: StandIn, tmp_path: Path) -> None:
    server.requests.clear()
    text = "file\n" + "".join(f"Plate {n}.jpg\n" for n in range(1, 31)) + "".join(f"M{n}\n" for n in range(31, 61))
    records = _harvest(server, tmp_path / "list.csv", text)
    assert len(_only(MediaFile, records)) == 60
    assert server.requests.count() == 1 + 1 + 2
