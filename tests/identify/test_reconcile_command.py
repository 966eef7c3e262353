"""What became of a campaign's ISA tags: harvested over HTTP from the painted sample's crowd, read from the store."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harvest.reconcile import (
    AGAIN,
    CHANGED,
    GONE,
    NEVER,
    NOT_IN_CSV,
    NOT_READ,
    OTHERS,
    OUTSIDE,
    REMOVED,
    SURVIVED,
    UNREAD,
)
from harvest.sample.crowd import sample_world
from harvest.sample.plan import plates
from harvest.sample.taggers import TAGGERS
from harvest.standin import faults
from harvest.standin.server import StandIn
from harvest.standin.world import Category, Entity, File, IsaCampaign, Json, Revision, World, statement, statements
from identify.cli import cli

PLANTED = "Planted fates"
TOOL = ", campaign1@ISA"
HEADER = "username,file,edit_type,edit_action,country,depict_item,depict_prominent,caption_text,caption_language,date"
ADD, UPDATE, REMOVE = "wbsetclaim-create:2||1", "wbsetclaim-update:2||1", "wbremoveclaims-remove:1|"
Edit = tuple[str, int, str, list[Json]]
"""Who, on which day, with which summary, and what stands then."""

Deboodt = Callable[..., Result]


def _note(verb: str, item: str, tool: str = TOOL) -> str:
    return f"/* {verb} */ [[d:Special:EntityPage/P180]]: [[d:Special:EntityPage/{item}]]{tool}"


def _said(number: int, item: str = "Q140", rank: str = "normal") -> list[Json]:
    return [statement(f"M{number}", "P180", item, rank=rank)]


def _file(number: int, *edits: Edit, title: str = "", category: str = PLANTED) -> File:
    revisions = [Revision(id=number * 100, user="Maker", moment="2021-09-01T00:00:00Z", comment="upload")]
    for user, day, comment, standing in edits:
        last = revisions[-1].id
        moment = f"2021-10-{day:02}T12:00:00Z"
        entity = Entity(statements=statements(*standing))
        revisions.append(Revision(id=last + 1, parent=last, user=user, moment=moment, comment=comment, entity=entity))
    name = title or f"File:Planted {number}.jpg"
    return File(page_id=number, title=name, revisions=tuple(revisions), categories=(category,), sha1=f"{number:040x}")


def _add(number: int, tool: str = TOOL) -> Edit:
    return "Ann", 1, _note(ADD, "Q140", tool), _said(number)


FILES = (
    _file(1, _add(1)),
    _file(2, _add(2), ("Ben", 9, _note(REMOVE, "Q140", ""), [])),
    _file(3, _add(3), ("Ben", 9, _note(REMOVE, "Q140", ""), []), ("Cas", 11, _note(ADD, "Q140", ""), _said(3))),
    _file(4, _add(4), ("Ben", 9, _note(UPDATE, "Q140", ""), _said(4, rank="preferred"))),
    _file(5, _add(5), ("Ben", 9, _note(UPDATE, "Q19939", ""), _said(5, "Q19939"))),
    _file(6, _add(6, "")),
    _file(7),
    _file(8, _add(8)),
    _file(9, _add(9), category="Elsewhere"),
    replace(_file(11, _add(11)), title="File:Planted, moved.jpg"),
    replace(_file(12, title="File:Planted 11.jpg"), redirect="File:Planted, moved.jpg", categories=()),
)
ROWS = (
    *(f"Ann,File:Planted {n}.jpg,depicts,add,,Q140,False,,,2021-10-01" for n in (1, 2, 3, 4, 5, 7, 9, 10, 11)),
    "Ann,File:Planted 1.jpg,depicts,edit,,Q19939,True,,,2021-10-01",
    "Ann,File:Planted 1.jpg,depicts,add",
)
EXPECTED = {
    1: SURVIVED,
    2: REMOVED,
    3: AGAIN,
    4: CHANGED,
    5: CHANGED,
    7: NEVER,
    9: NOT_READ,
    10: GONE,
    11: SURVIVED,
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    sample = sample_world(plates(1, doubles=1, strangers_per_engraver=1), tmp_path / "none")
    (export,) = sample.isa
    told = export.csv + "\r\n".join([*ROWS, ""]).encode()
    moment = "2021-09-01T00:00:00Z"
    more = tuple(Category(page_id=9000 + n, title=f"Category:{c}", moment=moment) for n, c in enumerate([PLANTED]))
    return replace(
        sample,
        files=(*sample.files, *FILES),
        categories=(*sample.categories, *more),
        isa=(IsaCampaign(id=export.id, name=export.name, csv=told),),
    )


@pytest.fixture
def server(world: World) -> Iterator[StandIn]:
    with StandIn(world) as running:
        yield running


@pytest.fixture
def deboodt(server: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deboodt:
    monkeypatch.chdir(tmp_path)
    sample = (files("harvest.sample") / "painted-butterflies.toml").read_text(encoding="utf-8")
    planted = f'[[tags.commons]]\ncategory = "{PLANTED}"\n\n[[tags.isa]]'
    campaign = sample.replace("[[tags.isa]]", planted).replace("[dataset]", "[dataset]\nimages = false")
    (tmp_path / "painted.toml").write_text(campaign, encoding="utf-8")
    given = server.settings()
    names = ("commons_api", "commons_entity", "isa_base")
    lines = [f'{name} = "{getattr(given, name)}"' for name in names]
    lines += ["tries = 1", 'home = "home"', 'contact = "test@deboodt.example"']
    (tmp_path / "deboodt.toml").write_text("\n".join(lines), encoding="utf-8")

    def call(*words: str) -> Result:
        return CliRunner().invoke(cli, ["--quiet", *words])

    return call


def test_every_planted_tag_has_the_fate_it_was_given(deboodt: Deboodt, server: StandIn, tmp_path: Path) -> None:
    assert deboodt("harvest", "painted.toml").exit_code == 0
    server.requests.clear()
    done = deboodt("--json", "harvest", "reconcile", "painted.toml", "-o", "fates.csv")
    assert done.exit_code == 0, done.output
    assert server.requests.count() == 0, "everything is in the store"
    data = json.loads(done.output)
    assert Counter(row["outcome"] for row in data["tags"]) == data["outcomes"]
    planted = [row for row in data["tags"] if "Planted" in row["title"]]
    given = {row["title"]: row for row in planted if row["csv_added"]}
    titles = {number: f"File:Planted {number}.jpg" for number in EXPECTED} | {11: "File:Planted, moved.jpg"}
    assert {number: given[titles[number]]["outcome"] for number in EXPECTED} == EXPECTED
    assert given[titles[11]]["detail"] == "was File:Planted 11.jpg"
    assert given[titles[4]]["detail"] == "made prominent"
    assert given[titles[5]]["detail"].startswith("Q19939 in its place; removed on Commons 2021-10-09T12:00:00Z")
    besides = {row["title"]: row["outcome"] for row in planted if not row["csv_added"] and not row["csv_row"]}
    assert besides == {
        "File:Planted 3.jpg": OUTSIDE,
        "File:Planted 5.jpg": OUTSIDE,
        "File:Planted 6.jpg": OUTSIDE,
        "File:Planted 8.jpg": NOT_IN_CSV,
    }
    assert data["outcomes"][OTHERS] == data["outcomes"][UNREAD] == 1
    text = (tmp_path / "fates.csv").read_text(encoding="utf-8")
    assert len(list(csv.DictReader(text.splitlines()))) == len(data["tags"])
    for name in ("Ann", "Ben", *(tagger.name for tagger in TAGGERS)):
        assert name not in text, "people are pseudonyms"


def test_the_samples_crowd_is_accounted_for(deboodt: Deboodt, server: StandIn) -> None:
    assert deboodt("harvest", "painted.toml").exit_code == 0
    data = json.loads(deboodt("--json", "harvest", "reconcile", "painted.toml").output)
    crowd = [row for row in data["tags"] if "Planted" not in row["title"] and not row["csv_row"]]
    assert {row["outcome"] for row in crowd} <= {SURVIVED, REMOVED, AGAIN, OUTSIDE}
    rows = list(csv.DictReader(server.world.isa[0].csv.decode().splitlines()))
    added = [row for row in rows if row["edit_action"] == "add" and row["date"] and "Planted" not in row["file"]]
    assert sum(bool(row["csv_added"]) for row in crowd) == len(added)
    removed = [row for row in rows if row["edit_action"] == "remove"]
    assert sum(bool(row["csv_removed"]) for row in crowd) >= len(removed)


def test_captions_that_only_the_tool_was_asked_for_are_told_apart(deboodt: Deboodt, tmp_path: Path) -> None:
    path = tmp_path / "painted.toml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("captions = true #", "captions = false #"), encoding="utf-8"
    )
    assert deboodt("harvest", "painted.toml").exit_code == 0
    rows = json.loads(deboodt("--json", "harvest", "reconcile", "painted.toml", "-o", "fates.csv").output)["tags"]
    assert {row["outcome"] for row in rows if row["caption"] and row["csv_added"]} == {NOT_READ}


def test_the_table_as_a_workbook_and_the_summary(deboodt: Deboodt, tmp_path: Path) -> None:
    assert deboodt("harvest", "painted.toml").exit_code == 0
    done = deboodt("harvest", "reconcile", "painted.toml", "-o", "fates.xlsx")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "fates.xlsx").is_file()
    numbers = [int(line.split()[0].replace(",", "")) for line in done.output.splitlines()]
    assert sum(numbers[:-1]) == numbers[-1]
    assert "the file's history does not know it" in done.output


def test_the_report_tells_it_where_there_are_both_sources(deboodt: Deboodt, tmp_path: Path) -> None:
    assert deboodt("harvest", "painted.toml").exit_code == 0
    page = (tmp_path / "home/campaigns/painted-butterflies/report.html").read_text(encoding="utf-8")
    section = page.split("What became of the campaign's tags")[1].split("<h2>")[0]
    assert all(f"<summary>{outcome}</summary>" in section for outcome in (SURVIVED, CHANGED, REMOVED, OUTSIDE))
    alone = (
        (tmp_path / "painted.toml")
        .read_text(encoding="utf-8")
        .replace("[[tags.isa]]\nnumber = 1\n", "[[tags.isa]]\nnumber = 2\n")
    )
    (tmp_path / "painted.toml").write_text(alone, encoding="utf-8")
    assert deboodt("report", "painted.toml").exit_code == 0
    page = (tmp_path / "home/campaigns/painted-butterflies/report.html").read_text(encoding="utf-8")
    assert "What became of the campaign's tags" not in page


def test_a_source_that_was_not_harvested_is_named(deboodt: Deboodt, server: StandIn, tmp_path: Path) -> None:
    done = deboodt("harvest", "reconcile", "painted.toml")
    assert done.exit_code != 0
    assert "not harvested yet: Commons category Painted cabinet" in str(done.exception)
    server.faults.next("/isa/", faults.UNAVAILABLE, times=9)
    assert deboodt("harvest", "painted.toml").exit_code == 9
    server.faults.clear()
    done = deboodt("harvest", "reconcile", "painted.toml")
    assert str(done.exception).startswith("not harvested yet: ISA campaign 1.")
    commons = '[campaign]\nid = "c"\ntitle = "c"\n[[tags.commons]]\ncategory = "x"\n'
    (tmp_path / "commons.toml").write_text(commons, encoding="utf-8")
    assert "needs both [[tags.isa]] and [[tags.commons]]" in str(
        deboodt("harvest", "reconcile", "commons.toml").exception
    )
