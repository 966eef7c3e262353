"""`deboodt review`: plates one after the other at the terminal, verdicts by key and Enter."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from crowd.accounts import add_account
from identify.cli import cli
from linkeddata.errors import UsageError
from linkeddata.ids import content_id
from linkeddata.records import Ancestor, Identification, Label, MediaFile, Review, Taxon
from linkeddata.settings import Settings
from linkeddata.store import Store

WHEN = "2026-11-02T10:00:00Z"
CAMPAIGN = '[campaign]\nid = "albums"\ntitle = "Albums"\n[[tags.commons]]\ncategory = "Albums"\n'
TAXA = [
    Taxon(query=item, concept=item, item=item, name=name, lineage=(Ancestor("family", "Nymphalidae", "7017"),))
    for item, name in (("Q1", "Vanessa cardui"), ("Q2", "Vanessa atalanta"))
]


def label(number: int, **values: object) -> Label:
    file = f"https://commons.deboodt.example/entity/M{number}"
    known = {"status": "tie", "support": 1, "dissent": 1, "voters": 2, "probability": 0.5, "method": "majority"}
    key = content_id("albums", file, "Q1")
    of = {"campaign": "albums", "file": file, "concept": "Q1", "item": "Q1", "name": "Vanessa cardui"}
    return Label(id=key, **{**known, **of, **values})  # type: ignore[arg-type]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "albums.toml").write_text(CAMPAIGN, encoding="utf-8")
    files = [MediaFile(iri=label(number).file, title=f"File:Plate {number}.jpg") for number in (1, 2, 3)]
    machine = Identification(
        id="a1", file=label(1).file, model="m", version="1", label="Vanessa atalanta", item="Q2", campaign="other"
    )
    with Store(Settings(home=str(tmp_path)).store) as store:
        store.put([*files, *TAXA, *(label(number) for number in (1, 2, 3)), machine], agent="test", moment=WHEN)
        add_account(store, "Anna B.", "reviewer", lambda: WHEN, branches=["gbif:7017"])
    return tmp_path


def session(home: Path, typed: str, *more: str) -> str:
    words = ["--home", str(home), "review", str(home / "albums.toml"), "--account", "Anna B.", *more]
    done = CliRunner().invoke(cli, words, input=typed, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_session_at_the_terminal(home: Path) -> None:
    said = session(home, "?\nx\n1 sure of it\nz\n1\no\nnessie\n\no\natal\n1\nn\nr\n")
    assert "File:Plate 1.jpg" in said
    assert "people disagree: 1 for, 1 against" in said
    assert "1-8 a candidate" in said
    assert "That is no answer" in said
    assert "No name begins so." in said
    assert "Nothing more is open here." in said
    with Store(Settings(home=str(home)).store) as store:
        reviews = list(store.each(Review))
        assert sorted(one.verdict for one in reviews if not one.undone) == ["accept", "correct"]
        (undone,) = [one for one in reviews if one.undone]
        assert (undone.verdict, undone.comment) == ("accept", "sure of it")
        statuses = sorted(one.status for one in store.each(Label))
    assert statuses == ["rejected", "reviewed", "reviewed", "tie"], "one was passed over"


def test_what_is_open_is_listed_for_machines(home: Path) -> None:
    words = ["--home", str(home), "--json", "review", str(home / "albums.toml"), "--account", "Anna B.", "--list"]
    listed = json.loads(CliRunner().invoke(cli, words, catch_exceptions=False).stdout)
    assert {one["target"] for one in listed} == {label(number).id for number in (1, 2, 3)}
    assert listed[0]["reasons"][1].startswith("crowd and machine differ")
    words.remove("--json")
    lines = CliRunner().invoke(cli, words, catch_exceptions=False).stdout.splitlines()
    assert len(lines) == 3
    assert all(one["name"] and one["name"] in line for one, line in zip(listed, lines, strict=True))


def test_only_an_open_account_and_a_known_taxon(home: Path) -> None:
    with pytest.raises(UsageError, match="never resolved"):
        session(home, "", "--taxon", "Nessie")
    with pytest.raises(UsageError, match="no open account"):
        session(home, "", "--account", "Nobody")
