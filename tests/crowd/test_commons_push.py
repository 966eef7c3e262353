"""Results go back to Commons by the real pywikibot, to a wiki that can be told to fail, conflict and block."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crowd.commons_edit import FINER, Proposal, reason_against
from crowd.commons_push import LEFT, SENDING, SENT
from crowd.reviewing import Said, say
from crowd.rights import ALL, Person
from harvest.standin import faults
from harvest.standin.editing import User
from harvest.standin.server import StandIn
from harvest.standin.world import Entity, File, Json, Revision, World, statement, statements
from linkeddata.ids import content_id
from linkeddata.records import CampaignFile, Label, MediaFile, Record, Taxon
from linkeddata.settings import Settings
from linkeddata.store import Store

pytest.importorskip("pywikibot", reason="pywikibot is not installed: pip install 'deboodt[commons]'")

ROOT = Path(__file__).resolve().parents[2]
MOMENT = "2026-11-20T10:00:00Z"
ENTITY = World().commons_entity
EXPERT = Person(account="a", agent="urn:deboodt:person:expert", role="reviewer", branches=(ALL,))
SECRET = "0123456789abcdefghijklmnopqrstuv"
CAMPAIGN = """
[campaign]
id = "albums"
title = "Tag the species"
[[tags.commons]]
category = "Albums"
[commons]
method = "Q275969"
stated_in = "Q190804"
"""


def plate(number: int, *there: Json) -> File:
    """A file with statements, or without any structured data."""
    entity = Entity(statements=statements(*there)) if there else None
    first = Revision(id=10 * number, user="Uploader", moment=MOMENT, comment="upload", entity=entity)
    return File(page_id=number, title=f"File:Plate {number}.jpg", revisions=(first,))


def depicts(number: int, item: str, **values: Any) -> Json:
    return statement(f"M{number}", "P180", item, **values)


@pytest.fixture
def wiki() -> Iterator[StandIn]:
    world = World(files=(plate(1), plate(2, depicts(2, "Q5")), plate(3, depicts(3, "Q1", rank="deprecated")), plate(4)))
    with StandIn(world) as standin:
        standin.editing.add(User(name="Mus", bot_passwords={"push": SECRET}, oauth="access"))
        yield standin
        assert standin.broken == []


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home where an expert has accepted Q1 on plates 1, 2 and 3, and nobody anything on plate 4."""
    (tmp_path / "albums.toml").write_text(CAMPAIGN)
    records: list[Record] = [Taxon(query="Q1", concept="Q1", item="Q1", name="Vanessa cardui", rank="species")]
    for number in (1, 2, 3, 4):
        iri = f"{ENTITY}M{number}"
        records.append(MediaFile(iri=iri, title=f"File:Plate {number}.jpg"))
        records.append(CampaignFile(id=content_id("albums", iri), campaign="albums", file=iri))
        known = {"campaign": "albums", "file": iri, "concept": "Q1", "item": "Q1", "name": "Vanessa cardui"}
        records.append(
            Label(
                id=content_id("albums", iri, "Q1"), **known, status="machine" if number == 4 else "accepted", support=2
            )
        )
    with store_of(tmp_path) as store:
        store.put(records, agent="test", moment=MOMENT)
        for number in (1, 2, 3):
            say(
                store,
                EXPERT,
                Said(target=content_id("albums", f"{ENTITY}M{number}", "Q1"), verdict="accept", key=str(number)),
                lambda: MOMENT,
            )
    return tmp_path


def store_of(home: Path) -> Store:
    return Store(Settings(home=str(home)).store)


Push = Callable[..., subprocess.CompletedProcess[str]]


def started(wiki: StandIn, home: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    """Start the command as a user would, in a process of its own, warnings being errors."""
    measured = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE")}
    env = {
        "PATH": "/usr/bin:/bin",
        "HOME": "/nonexistent",
        "PYTHONPATH": str(ROOT),
        "DEBOODT_CONTACT": "test@museum.example",
        "DEBOODT_COMMONS_API": f"{wiki.url}/w/api.php",
        "DEBOODT_COMMONS_ENTITY": ENTITY,
        "DEBOODT_BASE_URL": "https://data.museum.example",
        "DEBOODT_COMMONS_USER": "Mus@push",
        "DEBOODT_COMMONS_PASSWORD": SECRET,
        "DEBOODT_LONGEST_WAIT_S": "0.05",
        **measured,
        **environment,
    }
    command = [sys.executable, "-W", "error", "-m", "identify.cli", "--home", str(home), "--json", "commons", "push"]
    arguments = [*command, "albums.toml", "--pause", "0", *words]
    return subprocess.Popen(arguments, cwd=home, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def push(wiki: StandIn, home: Path) -> Push:
    """Run the command to its end; the password is in nothing that it prints."""

    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        with started(wiki, home, *words, **environment) as process:
            out, err = process.communicate(timeout=60)
        assert SECRET not in out + err
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    return run


def on(wiki: StandIn, number: int) -> list[Json]:
    entity = wiki.world.files[number - 1].entity
    return entity.statements.get("P180", []) if entity else []


def items(wiki: StandIn, number: int) -> list[str]:
    return [one["mainsnak"]["datavalue"]["value"]["id"] for one in on(wiki, number)]


def counts(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    assert done.stdout, done.stderr
    return json.loads(done.stdout)["counts"]  # type: ignore[no-any-return]


def test_a_dry_run_changes_nothing_and_writes_the_sheets(wiki: StandIn, home: Path, push: Push) -> None:
    done = push("-o", "out", DEBOODT_COMMONS_PASSWORD="")
    assert done.returncode == 0, done.stderr
    assert counts(done) == {"to add": 2, "is there as wrong": 1}
    assert wiki.requests.all(action="wbeditentity") == wiki.requests.all(action="login") == []
    lines = (home / "out/quickstatements.txt").read_text().splitlines()
    assert lines[0].split("\t")[:7] == ["M1", "P180", "Q1", "S459", "Q275969", "S248", "Q190804"]
    assert '"https://data.museum.example/labels/' in lines[0]
    rows = list(csv.DictReader((home / "out/report.csv").read_text("utf-8-sig").splitlines()))
    assert [(row["commons_mid"], row["action"], row["dry_run"]) for row in rows][2] == (
        "M3",
        "IS THERE AS WRONG",
        "True",
    )
    import openpyxl

    sheet = openpyxl.load_workbook(home / "out/upload.xlsx")["CommonsFilesP180Qids"]
    assert [cell.value for cell in sheet[1]] == ["CommonsFile", "QidDepicts", "Klik", "DepictsLabelForReconciliation"]
    assert [cell.value for cell in sheet[2]][::3] == ["File:Plate 1.jpg", "Vanessa cardui"]


def test_the_upload_sheet_is_like_the_library_s(recordings: Path, home: Path, push: Push) -> None:
    import openpyxl

    theirs = openpyxl.load_workbook(recordings / "commons/kb-atlas-de-wit/p180-inputfile-for-repo.xlsx").active
    push("-o", "out", DEBOODT_COMMONS_PASSWORD="")
    ours = openpyxl.load_workbook(home / "out/upload.xlsx").active
    assert theirs is not None
    assert ours is not None
    assert ours.title == theirs.title
    assert [cell.value for cell in ours[1]] == [cell.value for cell in theirs[1]]


def test_what_is_there_stays_and_what_was_accepted_is_added_once(wiki: StandIn, home: Path, push: Push) -> None:
    done = push("--write")
    assert done.returncode == 0, done.stderr
    assert counts(done) == {"added": 2, "is there as wrong": 1}
    assert (items(wiki, 1), items(wiki, 2), items(wiki, 3), items(wiki, 4)) == (["Q1"], ["Q5", "Q1"], ["Q1"], [])
    made = on(wiki, 1)[0]
    assert made["rank"] == "normal"
    assert list(made["references"][0]["snaks"]) == ["P459", "P248", "P854", "P813"]
    last = wiki.world.files[0].revisions[-1]
    assert last.user == "Mus"
    assert "editgroups-commons/b/CB/" in last.comment
    edits = wiki.requests.count(action="wbeditentity")
    assert all("maxlag" in one.params and "baserevid" in one.params for one in wiki.requests.all(action="wbeditentity"))
    assert counts(push("--write")) == {"is there already": 2, "is there as wrong": 1}
    assert wiki.requests.count(action="wbeditentity") == edits
    with store_of(home) as store:
        assert [len(list(store.events(kind=kind))) for kind in (SENDING, SENT)] == [2, 2]
    for path in home.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes()


def test_what_somebody_took_back_stays_away(wiki: StandIn, push: Push) -> None:
    push("--write", "--limit", "1")
    first = wiki.world.files[0]
    bare = Revision(id=9000, user="Else", moment=MOMENT, comment="no", parent=first.revisions[-1].id, entity=Entity())
    wiki.become(replace(wiki.world, files=(replace(first, revisions=(*first.revisions, bare)), *wiki.world.files[1:])))
    done = push("--write")
    assert counts(done) == {"added": 1, "is there as wrong": 1, "was taken back there": 1}
    assert items(wiki, 1) == []


def test_an_owner_only_consumer_needs_no_password(wiki: StandIn, push: Push) -> None:
    oauth = {"DEBOODT_COMMONS_OAUTH": "consumer csecret access asecret", "DEBOODT_COMMONS_PASSWORD": ""}
    done = push("--write", DEBOODT_COMMONS_USER="Mus", **oauth)
    assert counts(done)["added"] == 2, done.stderr
    assert wiki.requests.all(action="login") == []


FAULTS = {
    "maxlag": faults.MAXLAG,
    "rate limit": faults.RATE_LIMITED,
    "edit conflict": faults.EDIT_CONFLICT,
    "answer cut after saving": faults.TRUNCATED,
    "connection cut": faults.CUT_CONNECTION,
    "page of HTML": faults.HTML_PAGE,
    "503": faults.UNAVAILABLE,
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_no_fault_makes_a_statement_twice_or_loses_one(wiki: StandIn, push: Push, fault: faults.Fault) -> None:
    wiki.faults.next("/w/api.php", fault.after(0), action="wbeditentity")
    done = push("--write")
    assert wiki.faults.pending == 0
    assert done.returncode == 0, done.stderr
    assert counts(done) == {"added": 2, "is there as wrong": 1}
    assert (items(wiki, 1), items(wiki, 2)) == (["Q1"], ["Q5", "Q1"])


def test_a_killed_run_finds_what_it_had_sent(wiki: StandIn, home: Path, push: Push) -> None:
    guid = "M1$5b1f3c2a-0000-4000-8000-000000000001"
    said = {"campaign": "albums", "item": "Q1", "statement": guid, "group": "ab12"}
    with store_of(home) as store:  # sent, and killed before the answer came
        store.note(SENDING, f"{ENTITY}M1", said, agent="test", moment=MOMENT)
    first = wiki.world.files[0]
    saved = depicts(1, "Q1") | {"id": guid.upper()}
    after = Revision(
        id=77, user="Mus", moment=MOMENT, comment="", parent=10, entity=Entity(statements=statements(saved))
    )
    wiki.become(replace(wiki.world, files=(replace(first, revisions=(*first.revisions, after)), *wiki.world.files[1:])))
    assert counts(push("--write")) == {"added": 2, "is there as wrong": 1}
    assert items(wiki, 1) == ["Q1"]
    with store_of(home) as store:
        assert [e.subject for e in store.events(kind=SENT)] == [f"{ENTITY}M1", f"{ENTITY}M2"]


def test_a_run_killed_while_its_edit_is_saved_leaves_one_statement(wiki: StandIn, home: Path, push: Push) -> None:
    with started(wiki, home, "--write") as process:
        wiki.editing.meanwhile.append(lambda _: process.kill())
        assert process.wait(timeout=60) == -9
        process.communicate()
    assert counts(push("--write")) == {"added": 2, "is there as wrong": 1}
    assert (items(wiki, 1), items(wiki, 2)) == (["Q1"], ["Q5", "Q1"])


def test_what_the_crowd_agrees_on_goes_where_the_campaign_says_so(home: Path, push: Push) -> None:
    iri = f"{ENTITY}M4"
    known = {"campaign": "albums", "file": iri, "concept": "Q2", "item": "Q2", "status": "accepted"}
    with store_of(home) as store:
        store.put([Label(id="agreed", **known, support=3)], agent="test", moment=MOMENT)  # type: ignore[arg-type]
    assert counts(push(DEBOODT_COMMONS_PASSWORD="")) == {"to add": 2, "is there as wrong": 1}
    (home / "albums.toml").write_text(CAMPAIGN + 'accepted = "counted"')
    done = push("-o", "out", DEBOODT_COMMONS_PASSWORD="")
    assert counts(done) == {"to add": 3, "is there as wrong": 1}
    lines = (home / "out/quickstatements.txt").read_text().splitlines()
    assert [line.split("\t")[2] for line in lines if line.startswith("M4")] == ["Q2"]  # not Q1, a machine's


def test_something_more_exact_stays_alone() -> None:
    genus = Proposal(file="f", media="M1", title="File:A.jpg", item="Q10", finer=frozenset({"Q1"}))
    assert reason_against(genus, statements(depicts(1, "Q1"))) == FINER
    assert reason_against(genus, statements(depicts(1, "Q1", rank="deprecated"))) == ""


def test_a_limit_is_kept(wiki: StandIn, push: Push) -> None:
    assert counts(push("--limit", "1", DEBOODT_COMMONS_PASSWORD="")) == {"to add": 1}
    assert counts(push("--write", "--limit", "1")) == {"added": 1, "is there as wrong": 1}
    assert (items(wiki, 1), items(wiki, 2)) == (["Q1"], ["Q5"])


def test_two_at_the_same_moment_leave_one_statement(wiki: StandIn, push: Push) -> None:
    def other(_: str) -> None:
        first = wiki.world.files[0]
        theirs = Entity(statements=statements(depicts(1, "Q1")))
        edit = Revision(id=500, user="Else", moment=MOMENT, comment="", parent=10, entity=theirs)
        wiki._serve(
            replace(wiki.world, files=(replace(first, revisions=(*first.revisions, edit)), *wiki.world.files[1:]))
        )

    wiki.editing.meanwhile.append(other)
    done = push("--write")
    assert counts(done) == {"added": 1, "is there as wrong": 1, "somebody else added it at the same moment": 1}
    assert [one["id"] for one in on(wiki, 1)] == [depicts(1, "Q1")["id"]]


REFUSALS = {
    "an abuse filter": ("abusefilter-disallowed", "This action has been automatically identified as harmful."),
    "a protected page": ("protectedpage", "This page has been protected to prevent editing or other actions."),
    "a filter behind a save": ("failed-save", "The save has failed."),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_what_the_wiki_refuses_is_told_and_the_rest_goes_on(
    wiki: StandIn, home: Path, push: Push, refusal: tuple[str, str]
) -> None:
    wiki.editing.refusing["M1"] = refusal
    done = push("--write", "-o", "out")
    assert counts(done) == {"added": 1, "is there as wrong": 1, "refused": 1}, done.stderr
    assert (items(wiki, 1), items(wiki, 2)) == ([], ["Q5", "Q1"])
    report = b"".join(path.read_bytes() for path in (home / "out").iterdir() if path.suffix != ".xlsx")
    assert refusal[0].encode() in report
    with store_of(home) as store:
        assert [event.subject for event in store.events(kind=LEFT)] == [f"{ENTITY}M1"]
    wiki.editing.refusing.clear()
    assert counts(push("--write")) == {"added": 1, "is there already": 1, "is there as wrong": 1}
    assert items(wiki, 1) == ["Q1"]


@pytest.mark.parametrize(("state", "why"), [({"blocked": "testing"}, "blocked"), ({"has_message": True}, "message")])
def test_a_block_or_a_message_stops_before_the_edit(wiki: StandIn, push: Push, state: dict[str, Any], why: str) -> None:
    for name, value in state.items():
        setattr(wiki.editing.users["Mus"], name, value)
    done = push("--write")
    assert done.returncode == 3
    assert why in json.loads(done.stdout)["stopped"]
    assert wiki.requests.all(action="wbeditentity") == []


def test_a_wrong_password_is_one_line(wiki: StandIn, push: Push) -> None:
    done = push("--write", DEBOODT_COMMONS_PASSWORD="wrong")
    assert done.returncode == 2
    assert "user and password" in done.stderr
    assert "Traceback" not in done.stderr
