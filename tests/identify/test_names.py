"""Names through all three doors: the command line, Python and HTTP give the same answers, whatever is asked.

One index is made up here, the other is built of the recorded excerpt of GBIF's backbone, where that is on this machine.
"""

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harvest.standin.server import StandIn
from harvest.standin.world import Entity, Item, Usage, World, statement, statements
from identify.app import create_app
from identify.cli import cli
from linkeddata.nameforms import document_of
from linkeddata.nameindex.answers import COLUMNS, NameQuery, row_of
from linkeddata.nameindex.build import build_index
from linkeddata.nameindex.index import NameIndex, open_index
from linkeddata.nameindex.resolve import resolve_names
from linkeddata.nameindex.sources import open_source
from linkeddata.records import ModelClass, Taxon
from linkeddata.settings import Settings
from linkeddata.store import Store

CHECKLIST = """usageKey,acceptedUsageKey,scientificName,canonicalName,rank,status,kingdom,genus
1,,Animalia,Animalia,KINGDOM,ACCEPTED,Animalia,
6,,Plantae,Plantae,KINGDOM,ACCEPTED,Plantae,
9990010,,"Cyanistes Kaup, 1829",Cyanistes,GENUS,ACCEPTED,Animalia,Cyanistes
9990011,,"Cyanistes caeruleus (Linnaeus, 1758)",Cyanistes caeruleus,SPECIES,ACCEPTED,Animalia,Cyanistes
9990012,9990011,"Parus caeruleus Linnaeus, 1758",Parus caeruleus,SPECIES,SYNONYM,Animalia,Cyanistes
9990013,,"Oenanthe Vieillot, 1816",Oenanthe,GENUS,ACCEPTED,Animalia,Oenanthe
9990014,,Oenanthe L.,Oenanthe,GENUS,ACCEPTED,Plantae,Oenanthe
"""


class Doors:
    """One index, and the three ways to it."""

    def __init__(self, index: NameIndex, client: TestClient) -> None:
        self.index = index
        self.client = client

    def by_python(self, queries: list[NameQuery]) -> list[dict[str, Any]]:
        return [document_of(answer) for answer in resolve_names(self.index, queries)]

    def by_http(self, queries: list[NameQuery]) -> list[dict[str, Any]]:
        asked = [{"scientificName": query.name, "kingdom": query.kingdom or None} for query in queries]
        found: list[dict[str, Any]] = self.client.post("/names/resolve", json=asked).json()
        return found

    def by_words(self, words: list[str]) -> list[dict[str, Any]]:
        done = run("--json", "names", "resolve", "--index", str(self.index.path), "--", *words)
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    def by_file(self, folder: Path, queries: list[NameQuery]) -> list[dict[str, str]]:
        with (folder / "in.csv").open("w", newline="", encoding="utf-8") as out:
            csv.writer(out).writerows([("name", "kingdom"), *((query.name, query.kingdom) for query in queries)])
        index, out_path = str(self.index.path), folder / "out.csv"
        done = run(
            "names", "resolve", str(folder / "in.csv"), "--column", "name", "--index", index, "-o", str(out_path)
        )
        assert done.exit_code == 0
        with out_path.open(newline="", encoding="utf-8") as lines:
            return list(csv.DictReader(lines))


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(cli, arguments, env=environment, catch_exceptions=False)


def opened(source: Path, folder: Path) -> Iterator[Doors]:
    build_index([open_source(source)], folder / "names.index")
    app = create_app(Settings(home=str(folder)), classifiers={})
    with open_index(folder / "names.index") as index, TestClient(app) as client:
        yield Doors(index, client)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    folder = tmp_path_factory.mktemp("made")
    rows = list(csv.reader(CHECKLIST.splitlines()))
    (folder / "checklist.tsv").write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    yield from opened(folder / "checklist.tsv", folder)


@pytest.fixture(scope="module")
def recorded(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    yield from opened(recordings / "gbif/backbone-excerpt.tsv", tmp_path_factory.mktemp("recorded"))


NAMES = [
    "Cyanistes caeruleus",
    "Parus caeruleus Linnaeus, 1758",
    "Oenanthe",
    "Cyanistes caerulus",
    "Cyanistes novus",
    "Oenanthe oenanthe",
    "Puma concolor",
    "Puma",
    "gbif:9990011",
    "gbif:2435099",
    "Abies alba Mill.",
    "xyzzyx",
    "",
]
KINGDOMS = ["", "Animalia", "Plantae", "nonsense"]
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=20)


def spelled(name: str, change: Callable[[str], str], spaces: str) -> str:
    """Return a name in other letters or with other blanks, which may change nothing."""
    return f"{spaces}{change(name).replace(' ', ' ' + spaces)}{spaces}"


QUERY = st.builds(NameQuery, st.sampled_from(NAMES) | TEXT, kingdom=st.sampled_from(KINGDOMS))
ONLY_FIXTURES = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def same_everywhere(doors: Doors, folder: Path, queries: list[NameQuery]) -> None:
    by_python = doors.by_python(queries)
    assert doors.by_http(queries) == json.loads(json.dumps(by_python))
    rows = [row_of(answer) for answer in resolve_names(doors.index, queries)]
    assert [{column: row[column] for column in COLUMNS} for row in doors.by_file(folder, queries)] == rows
    words = [query.name for query in queries if query.name and not query.kingdom]
    if len(words) > 1:  # one word alone could be a file
        bare = [one for one, query in zip(by_python, queries, strict=True) if query.name and not query.kingdom]
        assert doors.by_words(words) == json.loads(json.dumps(bare))


@ONLY_FIXTURES
@given(queries=st.lists(QUERY, min_size=1, max_size=8))
def test_the_same_through_all_doors(made: Doors, tmp_path: Path, queries: list[NameQuery]) -> None:
    same_everywhere(made, tmp_path, queries)


@ONLY_FIXTURES
@given(queries=st.lists(QUERY, min_size=1, max_size=8))
def test_the_same_through_all_doors_of_the_recorded_backbone(
    recorded: Doors, tmp_path: Path, queries: list[NameQuery]
) -> None:
    same_everywhere(recorded, tmp_path, queries)


@ONLY_FIXTURES
@given(
    name=st.sampled_from([name for name in NAMES if name and ":" not in name]),
    change=st.sampled_from([str.upper, str.lower, str]),
    spaces=st.sampled_from([" ", "   ", "\t", "\u00a0"]),
)
def test_letters_and_blanks_change_nothing_over_http(
    made: Doors, name: str, change: Callable[[str], str], spaces: str
) -> None:
    asked = [NameQuery(name), NameQuery(spelled(name, change, spaces))]
    plain, other = made.by_http(asked)
    assert {**plain, "verbatimName": ""} == {**other, "verbatimName": ""}


def test_the_application_says_which_index_it_answers_from(made: Doors) -> None:
    health = made.client.get("/health").json()
    assert health["names"]["usages"] == "7"
    assert made.client.get("/reconcile").json()["versions"] == ["0.2"]
    described = made.client.get("/openapi.json").json()["paths"]
    names = [
        method for path, methods in described.items() for method in methods.values() if method["tags"] == ["names"]
    ]
    assert len(names) == 9
    assert all(one["summary"] and one["description"] for one in names)
    assert "/names/resolve" in made.client.get("/docs").text
    assert made.client.post("/names/resolve", json={}).headers["content-type"] == "application/problem+json"


def test_without_an_index_and_a_contact_address_nobody_is_asked(tmp_path: Path) -> None:
    with TestClient(create_app(Settings(home=str(tmp_path)), classifiers={})) as client:
        answer = client.post("/names/resolve", json=["Pica pica"])
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")


def test_an_index_is_built_and_broken_rows_are_listed(tmp_path: Path) -> None:
    text = "".join("\t".join(row) + "\n" for row in csv.reader(CHECKLIST.splitlines())) + "\t\t\t\t\t\t\t\n"
    (tmp_path / "a.tsv").write_text(text, encoding="utf-8")
    done = run("--json", "names", "index", str(tmp_path / "a.tsv"), "--out", str(tmp_path / "a.index"))
    told = json.loads(done.stdout)
    assert (done.exit_code, told["usages"], told["synonyms"], told["broken_count"]) == (0, 7, 1, 1)
    assert told["broken"][0]["line"] == 9
    people = run("names", "index", str(tmp_path / "a.tsv"), "--out", str(tmp_path / "a.index"))
    assert "7 names (6 accepted, 1 synonyms)" in people.stdout


def test_a_file_without_out_goes_to_stdout_with_the_summary_beside_it(made: Doors, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Cyanistes caeruleus\nOenanthe\n")
    done = run("names", "resolve", str(tmp_path / "a.txt"), "--index", str(made.index.path))
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [row["matchType"] for row in rows] == ["EXACT", "NONE"]
    assert "2 rows, names from column column1" in done.stderr
    merged = run(
        "--json", "names", "resolve", "--index", str(made.index.path), "Cyanistes caeruleus", "--rank", "genus"
    )
    assert json.loads(merged.stdout)[0]["acceptedName"].startswith("Cyanistes")


BLUE_TIT = Usage(
    key=9990011,
    scientific_name="Cyanistes caeruleus (Linnaeus, 1758)",
    canonical_name="Cyanistes caeruleus",
    rank="SPECIES",
    authorship="(Linnaeus, 1758)",
    higher=(("KINGDOM", "Animalia", 1),),
)


def _item(key: str, **said: str) -> Item:
    told = statements(*(statement(key, prop, value) for prop, value in said.items()))
    return Item(id=key, page_id=int(key[1:]), entity=Entity(labels={"en": "tit"}, statements=told))


WORLD = World(
    usages=(BLUE_TIT,),
    items=(
        _item("Q9990001", P225="Cyanistes caeruleus", P846="9990011"),
        _item("Q9990002"),
        Item(id="Q9990003", redirect="Q9990001"),
    ),
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Start the stand-in and return the environment in which the command asks it."""
    with StandIn(WORLD) as standin:
        told = standin.settings(home=str(tmp_path / "home"), tries=1)
        fields = ("home", "wikidata_api", "gbif_api", "worms_api", "tries")
        yield {f"DEBOODT_{name.upper()}": str(getattr(told, name)) for name in fields}


def test_services_are_asked_where_there_is_no_index(world: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name\nCyanistes caeruleus\nXyzzyx plughus\n")
    for source in ("gbif", "wikidata", "all"):
        out = tmp_path / f"{source}.csv"
        done = run("names", "resolve", str(tmp_path / "a.csv"), "--source", source, "-o", str(out), **world)
        rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
        assert (done.exit_code, rows[0]["gbifKey"], rows[0]["acceptedName"][:19]) == (
            0,
            "9990011",
            "Cyanistes caeruleus",
        )
        assert (rows[1]["matchType"], rows[1]["reason"]) == ("NONE", "not found")
    both = run("--json", "names", "resolve", "Cyanistes caeruleus", "--source", "gbif", "--source", "worms", **world)
    assert json.loads(both.stdout)[0]["note"] == "worms says nothing (not found)"


def test_a_service_that_is_down_is_exit_9_and_no_row_is_lost(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name\nCyanistes caeruleus\nPica pica\n")
    down = {"DEBOODT_GBIF_API": "http://127.0.0.1:9", "DEBOODT_TRIES": "1", "DEBOODT_HOME": str(tmp_path)}
    done = run("names", "resolve", str(tmp_path / "a.csv"), "--source", "gbif", "-o", str(tmp_path / "o.csv"), **down)
    rows = list(csv.DictReader((tmp_path / "o.csv").read_text().splitlines()))
    assert done.exit_code == 9
    assert [(row["matchType"], row["reason"]) for row in rows] == [("", "not answered: service unreachable")] * 2


def test_classes_are_linked_reviewed_and_read_back(world: dict[str, str], tmp_path: Path) -> None:
    with Store(f"sqlite:///{world['DEBOODT_HOME']}/deboodt.sqlite") as store:
        names = ("Cyanistes caeruleus", "mask")
        classes = [
            ModelClass(id=f"m@1/{n}", model="m", version="1", index=n, label=label) for n, label in enumerate(names)
        ]
        store.put(classes, agent="test", moment="2026-10-01")
    sheet, additions = tmp_path / "linked.csv", tmp_path / "additions.txt"
    done = run("--json", "names", "link", "m@1", "-o", str(sheet), "--additions", str(additions), **world)
    assert (done.exit_code, json.loads(done.stdout)["links"]) == (0, {"sure": 1, "none": 1})
    rows = list(csv.DictReader(sheet.read_text(encoding="utf-8").splitlines()))
    assert [(row["label"], row["item"]) for row in rows] == [("Cyanistes caeruleus", "Q9990001"), ("mask", "")]
    sheet.write_text(sheet.read_text().replace("m@1/1,mask,,,,none,,,,,", "m@1/1,mask,,,,none,,,close,Q9990002,"))
    done = run("--json", "names", "link", "--accept", str(sheet), "-o", str(tmp_path / "classes.json"), **world)
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"taken": 2, "open": 0, "classes_changed": 2, "broken": []})
    told = json.loads((tmp_path / "classes.json").read_text())
    assert [(one["item"], one["relation"]) for one in told] == [("Q9990001", "exact"), ("Q9990002", "close")]
    with Store(f"sqlite:///{world['DEBOODT_HOME']}/deboodt.sqlite") as store:
        kept = [store.get(ModelClass, f"m@1/{n}") for n in (0, 1)]
    assert [(one.item, one.gbif_key, one.relation) for one in kept if one] == [
        ("Q9990001", "9990011", "exact"),
        ("Q9990002", "", "close"),
    ]


def test_keys_are_checked(world: dict[str, str]) -> None:
    taxa = [
        Taxon(query="a", name="Cyanistes caeruleus", item="Q9990001", gbif_key="9990011", match_type="EXACT"),
        Taxon(query="b", name="Parus caeruleus", item="Q9990003", gbif_key="9990011", match_type="EXACT"),
    ]
    with Store(f"sqlite:///{world['DEBOODT_HOME']}/deboodt.sqlite") as store:
        store.put(taxa[:1], agent="test", moment="2026-10-01")
    assert run("names", "check", **world).exit_code == 0
    with Store(f"sqlite:///{world['DEBOODT_HOME']}/deboodt.sqlite") as store:
        store.put(taxa, agent="test", moment="2026-10-01")
    done = run("--json", "names", "check", **world)
    told = json.loads(done.stdout)
    assert (done.exit_code, told["checked"]) == (9, 2)
    assert [(one["kind"], one["now"]) for one in told["changes"]] == [
        ("merged item", "Q9990001"),
        ("other name", "Cyanistes caeruleus"),
    ]
