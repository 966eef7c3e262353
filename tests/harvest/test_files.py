"""Lists of files: columns by name, titles, M-ids and addresses, and what cannot be read."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from crowd.campaign import ListSource
from crowd.campaignfile import parse_campaign
from harvest.files import harvest_list, with_prefix
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


def _harvest(server: StandIn, path: Path, text: str, **columns: object) -> list[Harvested]:
    path.write_bytes(text.encode())
    settings = server.settings()
    with Client(settings) as client:
        source = ListSource(path=str(path), **columns)  # type: ignore[arg-type]
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
        ("list.csv:5", "bad row", "4 cells where 3 are due, beyond them: more"),
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


def _sheet(path: Path, **sheets: list[list[object]]) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)  # type: ignore[arg-type]
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def _of(server: StandIn, source: ListSource) -> list[Harvested]:
    settings = server.settings()
    with Client(settings) as client:
        return list(harvest_list(client, settings, source, campaign="test", pseudonyms=PEOPLE))


def test_cells_with_several_values_and_separators_of_several_characters(server: StandIn, tmp_path: Path) -> None:
    text = (
        "id^^^^n^^^^shows\n"
        "M1^^^^2^^^^lion (https://www.wikidata.org/wiki/Q140) --- sloth (big) (https://www.wikidata.org/wiki/Q2274076)\n"
        "M2^^^^0^^^^\nM3^^^^2^^^^lion --- Q19939\n"
    )
    records = _harvest(server, tmp_path / "kb.csv", text, separator="^^^^", values=" --- ", file="id", item="shows")
    assert [(t.file[-2:], t.item) for t in _only(Tag, records)] == [
        ("M1", "Q140"),
        ("M1", "Q2274076"),
        ("M3", "Q19939"),
    ]
    assert [(f.subject, f.detail) for f in _only(Failure, records)] == [("kb.csv:4", "column shows: 'lion'")]
    assert len(_only(MediaFile, records)) == 3


def test_items_and_names_beside_each_other(server: StandIn, tmp_path: Path) -> None:
    text = "file,q,n,r\nM1,Q140|,lion|beer,preferred|normal\nM2,Q140|Q1,a|b|c,\nM3,,a|b,deprecated|normal\nM4,Q2,,odd\n"
    records = _harvest(
        server,
        tmp_path / "list.csv",
        text,
        separator=",",
        values="|",
        item="q",
        name="n",
        rank="r",
        constants=(("language", "nl"),),
    )
    assert [(t.file[-2:], t.item or t.verbatim, t.language, t.prominent) for t in _only(Tag, records)] == [
        ("M1", "Q140", "", True), ("M1", "beer", "nl", False),
        ("M2", "Q140", "", False), ("M2", "Q1", "", False),
        ("M3", "b", "nl", False),
    ]  # fmt: skip
    assert [(f.subject, f.reason, f.detail) for f in _only(Failure, records)] == [
        ("list.csv:3", "bad row", "column n: 3 values beside 2 in q"),
        ("list.csv:4", "deprecated statement", "column r: a"),
        ("list.csv:5", "bad row", "column r: 'odd'"),
    ]


def test_a_sheet_of_a_spreadsheet_with_every_column(server: StandIn, tmp_path: Path) -> None:
    heading = ["object", "photo", "soort", "taal", "deel", "vak", "licentie", "maker", "nummer", "wie", "wanneer"]
    iri, photo = "https://museum.example/object/7", "https://museum.example/7.jpg"
    rows: list[list[object]] = [
        list(heading),
        [iri, photo, "Vanessa cardui", "la", "Q7", "xywh=percent:1,2,30,40", "CC BY 4.0", "Maria", 7, "Ann", "2021-10"],
        [iri, photo, "Vanessa io", "la", "x", "", "CC BY", "", 7, "Ann", ""],
        [None] * 11,
        ["", "", "Parus major"],
        ["", "ftp://photo", "Parus major"],
    ]
    path = _sheet(tmp_path / "list.xlsx", notes=[["nothing"]], plates=rows)
    source = ListSource(
        path=str(path), sheet="plates", file="object", url="photo", name="soort", language="taal", part="deel",
        region="vak", licence="licentie", creator="maker", inventory_number="nummer", agent="wie", moment="wanneer",
        constants=(("institution", "Museum"), ("credit", "Gift")),
    )  # fmt: skip
    records = _of(server, source)
    assert [(t.verbatim, t.language, t.part, t.region, t.moment) for t in _only(Tag, records)] == [
        ("Vanessa cardui", "la", "Q7", "pct:1,2,30,40", "2021-10"),
    ]
    (media,) = _only(MediaFile, records)
    assert (media.iri, media.original, media.inventory_number, media.institution) == (iri, photo, "7", "Museum")
    assert (media.licence, media.credit) == ("https://creativecommons.org/licenses/by/4.0/", "Gift")
    assert [(f.subject, f.detail) for f in _only(Failure, records)] == [
        ("list.xlsx:3", "column deel: 'x'"),
        ("list.xlsx:3", "column licentie: 'CC BY'"),
        ("list.xlsx:5", "column object: empty"),
        ("list.xlsx:6", "column photo: 'ftp://photo'"),
    ]
    with pytest.raises(UsageError, match="no sheet 'prints'; there are notes, plates"):
        _of(server, ListSource(path=str(path), sheet="prints"))


def test_a_list_fills_what_commons_leaves_open(server: StandIn, tmp_path: Path) -> None:
    text = "file,inventory_number,creator\nM1,OTHER-1,Maria\n"
    (media,) = _only(MediaFile, _harvest(server, tmp_path / "list.csv", text))
    assert (media.inventory_number, media.creator, media.group) == ("KB-1", "Maria", "Maria")


ROYAL_LIBRARY = "commons/kb-atlas-de-wit"
ROOT = Path(__file__).resolve().parents[2]


def _documented(number: int, folder: Path) -> ListSource:
    """The mapping that docs/harvest.md gives in its ``number``-th example, of the file in ``folder``."""
    lists = (ROOT / "docs/harvest.md").read_text(encoding="utf-8").split("## Lists people have")[1].split("\n## ")[0]
    block = lists.split("```toml")[number].split("```")[0]
    (source,) = parse_campaign(f'[campaign]\nid = "kb"\ntitle = "KB"\n{block}', name="docs/harvest.md").files
    return replace(source, path=str(folder / source.path))


def _commons(numbered: dict[int, str]) -> World:
    def page(number: int) -> Revision:
        return Revision(id=number, user="", moment="2021-09-01T00:00:00Z", comment="", entity=Entity())

    return World(files=tuple(File(page_id=n, title=t, revisions=(page(n),)) for n, t in numbered.items()))


def test_the_royal_librarys_export_is_read_completely(recordings: Path) -> None:
    source = _documented(1, recordings / ROYAL_LIBRARY)
    lines = [line.split("^^^^") for line in Path(source.path).read_text(encoding="utf-8").splitlines()[1:]]
    titles = {int(line[0].rpartition("/M")[2]): line[1] or f"File:{line[0][-9:]}.jpg" for line in lines}
    with StandIn(_commons(titles)) as running:
        records = _of(running, source)
    assert _only(Failure, records) == []
    assert len(_only(MediaFile, records)) == len(lines) == 167
    assert len(_only(Tag, records)) == sum(int(line[2]) for line in lines) == 1578


def test_the_royal_librarys_upload_sheet_is_read_completely(recordings: Path) -> None:
    import openpyxl

    source = _documented(2, recordings / ROYAL_LIBRARY)
    sheet = openpyxl.load_workbook(source.path)["CommonsFilesP180Qids"]
    given = [str(row[0]) for row in sheet.iter_rows(min_row=2, values_only=True) if row[0]]
    titles = dict(enumerate(dict.fromkeys(with_prefix(name) for name in given), start=1))
    with StandIn(_commons(titles)) as running:
        records = _of(running, source)
    assert _only(Failure, records) == []
    assert len(_only(Tag, records)) == len(given) == 8
    assert len(_only(MediaFile, records)) == len(titles)
