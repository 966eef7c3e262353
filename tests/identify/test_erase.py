"""Erasing a person: every output is searched for the name and the old pseudonym, in SQLite and PostgreSQL."""

import gzip
import os
import re
import sqlite3
import subprocess
import sys
import time
import zipfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text

from crowd.accounts import add_account, set_credit
from crowd.erasing import PERSON, digest, erased, kept_out
from crowd.reviewing import Said, say
from identify.app import create_app
from identify.cli import cli
from identify.cli.shell import LEFT_OVER, now
from linkeddata import annotationroutes
from linkeddata.dumps import write_dumps
from linkeddata.errors import StoreError
from linkeddata.ids import content_id
from linkeddata.keeping import Keeping
from linkeddata.keptbook import FOLDER, Book, made_for
from linkeddata.keptreader import Kept
from linkeddata.parts import Parts
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.publishedgraph import GRAPH, PublishedGraph
from linkeddata.records import Agent, CampaignFile, Failure, Identification, Label, MediaFile, Tag
from linkeddata.settings import Settings
from linkeddata.store import Store
from linkeddata.tables import SHAPES

KEY = "a key"
NAME, USER = "Anna Blaman", "Jan de Vries"
FILE = "https://commons.deboodt.example/entity/M1"
JAN = Pseudonyms(KEY).agent(USER)
TAG = Tag(
    id=content_id("isa", FILE, JAN.id), file=FILE, item="Q1", agent=JAN.id, moment="2021-10-03T14:05:00Z", route="isa",
    campaign="eggs", statement="M1$5b1f3c2a", revision=77001122,
)  # fmt: skip
OTHER = Tag(id="t2", file=FILE, item="Q1", agent=PERSON + "00", moment="2021-10-04", route="isa", campaign="eggs",
            withdrawn="2021-10-05", withdrawn_by=JAN.id)  # fmt: skip


def settings_of(home: Path, url: str) -> Settings:
    return Settings(home=str(home), store_url=url, pseudonym_key=KEY, base_url="https://eggs.example")


def erase(home: Path, url: str, *words: str) -> Any:
    env = {"DEBOODT_STORE_URL": url, "DEBOODT_PSEUDONYM_KEY": KEY}
    return CliRunner().invoke(cli, ["--home", str(home), "erase", *words], env=env, catch_exceptions=False)


def filled(store: Store) -> str:
    """Fill a store with what two people said; return the pseudonym of the one who has an account."""
    label = Label(
        id=content_id("eggs", FILE, "Q1"), campaign="eggs", file=FILE, concept="Q1", item="Q1", status="accepted"
    )
    lost = Failure(
        id="x", step="harvest", subject="all.csv:3", reason="r", detail=f"removed by {JAN.id}", campaign="eggs"
    )
    member = CampaignFile(id="m", campaign="eggs", file=FILE)
    store.put([JAN, MediaFile(iri=FILE), member, TAG, OTHER, label, lost], agent="test", moment=now())
    account = add_account(store, NAME, "curator", now, password="correct horse battery")
    set_credit(store, account, now, name=NAME, homepage="Q80")
    said = Said(target=label.id, verdict="accept", key="k", comment="as I, Anna Blaman, wrote in 1931")
    say(store, account.person(), said, now)
    return account.agent


def everything(url: str, home: Path) -> bytes:
    """All bytes of the home folder, the store's and its journal's among them; of PostgreSQL all rows of all tables."""
    found = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    if url.startswith("postgres"):
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        with engine.connect() as connection:
            listed = "SELECT tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            for table in connection.execute(text(listed)).scalars().all():
                found.append(repr(connection.execute(text(f'SELECT * FROM "{table}"')).all()).encode())  # noqa: S608
        engine.dispose()
    return b"\n".join(found)


FORMS = ("application/ld+json", "application/n-quads", "text/html")
FIRST = ("/", "/feed", "/feed/activity", "/reviews", "/labels", "/identifications", "/catalogue")


def served(settings: Settings) -> bytes:
    """All that is served: whatever links lead to, in each form, every page of both dresses of the feed among it."""
    said: dict[tuple[str, str], bytes] = {}
    address = re.compile(rb"https://eggs\.example(/[^\s\"'<>\\\\?#]*)")
    due = {*FIRST, "/dumps"}
    with TestClient(create_app(settings)) as client:
        while due:
            path = due.pop()
            for form in FORMS:
                answer = client.get(path, headers={"Accept": form})
                said[path, form] = answer.content
                due |= {found[1].decode() for found in address.finditer(answer.content)} - {at for at, _ in said}
                assert answer.status_code < 500, path
                assert answer.status_code == 200 or path not in FIRST or form != FORMS[0], path
    asked = {path for path, _ in said}
    assert any(path.startswith("/feed/ldes/") for path in asked)
    assert any(path.startswith("/feed/activity/") for path in asked)
    assert any(path.startswith("/reviews/") for path in asked)
    return b"\n".join(said.values())


def dumped(settings: Settings, store: Store) -> bytes:
    """All that a dump says, unpacked."""
    folder = settings.home_path / "dumps/again"
    write_dumps(store, settings.base_url, folder)
    found = [
        (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()) for path in files(folder)
    ]
    assert any(b"eggs.example/reviews/" in one for one in found)
    return b"\n".join(found)


def files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def test_nothing_leads_to_who_was_erased(store_url: str, tmp_path: Path) -> None:
    url = store_url if store_url.startswith("postgres") else f"sqlite:///{tmp_path / 'deboodt.sqlite'}"
    settings = settings_of(tmp_path, url)
    with Store(url) as store:
        anna = filled(store)
        write_dumps(store, settings.base_url, tmp_path / "dumps/whole")
        with PublishedGraph(tmp_path / GRAPH, settings.base_url) as graph:
            graph.catch_up(store)
    published = tmp_path / "campaigns/eggs/published.jsonl"
    published.parent.mkdir(parents=True)
    published.write_text(f'{{"creator": "https://eggs.example/agents/person%3A{anna[-16:]}"}}\n')
    words = [NAME.encode(), anna[-16:].encode(), JAN.id[-16:].encode(), TAG.id.encode(), b"5b1f3c2a", b"77001122"]
    before = everything(url, tmp_path)
    assert all(word in before for word in words)
    with zipfile.ZipFile(published.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("table.txt", published.read_text())
    with gzip.open(published.with_suffix(".gz"), "wb") as packed:
        packed.write(published.read_bytes())
    other = published.with_name("other.csv")
    other.write_text("nobody\n")
    dry = erase(tmp_path, url, NAME)
    assert dry.exit_code == 0
    assert "reviews: 1" in dry.output
    assert published.exists()
    for person in (NAME, USER):
        done = erase(tmp_path, url, person, "--write")
        assert done.exit_code == 0, done.output
    after = everything(url, tmp_path)
    assert [word for word in words if word in after] == []
    assert [path.name for path in published.parent.iterdir()] == ["other.csv"]
    assert not (tmp_path / "dumps/whole").exists()
    with Store(url) as store, PublishedGraph(tmp_path / GRAPH, settings.base_url) as graph:
        assert graph.catch_up(store)
        assert list(graph.graph.quads_for_pattern(None, None, None))
    after = everything(url, tmp_path)
    assert [word for word in words if word in after] == []
    with Store(url) as store:
        dumps = dumped(settings, store)
    for answers in (dumps, served(settings)):
        assert [word for word in words if word in answers] == []
    again = erase(tmp_path, url, USER, "--write")
    assert again.exit_code == 0
    assert "tags: 0" in again.output


def test_a_server_that_runs_is_in_the_way(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'deboodt.sqlite'}"
    with Store(url) as store:
        filled(store)
        with (
            PublishedGraph(tmp_path / GRAPH, "https://eggs.example"),
            pytest.raises(StoreError, match="cannot be opened"),
        ):
            erase(tmp_path, url, USER, "--write")
        assert store.count(Agent, id=JAN.id) == 1


def test_what_lies_ready_goes_and_is_made_without_the_name(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'deboodt.sqlite'}"
    settings = settings_of(tmp_path, url)
    with Store(url) as store:
        anna = filled(store)
        said = Identification(id="i1", file=FILE, label="Egg", item="Q1", agent=anna, moment=now())
        store.put([said], agent="test", moment=now())
        assert NAME.encode() in ready(settings, store)
        with Book(tmp_path / FOLDER, made_for(settings)), pytest.raises(StoreError, match="cannot be written"):
            erase(tmp_path, url, NAME, "--write")
        assert erase(tmp_path, url, NAME, "--write").exit_code == 0
        assert not (tmp_path / FOLDER).exists()
        made = ready(settings, store)
        assert b'"dateIdentified"' in made
        assert [word for word in (NAME.encode(), anna[-16:].encode()) if word in made] == []


def ready(settings: Settings, store: Store) -> bytes:
    """Make answers ready and return them as they are sent."""
    with Book(settings.home_path / FOLDER, made_for(settings)) as book:
        Keeping(Parts(store, settings), book, annotationroutes.identified).catch_up()
    return Kept(settings.home_path / FOLDER, made_for(settings), store).bodies(["i1"])["i1"]


def test_somebody_who_reads_keeps_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "deboodt.sqlite"
    with Store(f"sqlite:///{path}") as store:
        filled(store)
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM event").fetchone()
            assert erase(tmp_path, f"sqlite:///{path}", USER, "--write").exit_code == LEFT_OVER
        assert erase(tmp_path, f"sqlite:///{path}", USER, "--write").exit_code == 0
    assert JAN.id[-16:].encode() not in everything(f"sqlite:///{path}", tmp_path)


def started(home: Path, *words: str) -> subprocess.Popen[bytes]:
    """Begin an erasure in a process of its own, as a user would."""
    env = os.environ | {"DEBOODT_PSEUDONYM_KEY": KEY, "DEBOODT_STORE_URL": f"sqlite:///{home / 'deboodt.sqlite'}"}
    command = [sys.executable, "-m", "identify.cli", "--home", str(home), "erase", *words, "--write"]
    return subprocess.Popen(command, env=env, cwd=Path(__file__).parents[2])


@pytest.mark.parametrize("when", ["files are gone and nothing else", "the store is done and its journal is not"])
def test_an_erasure_that_was_killed_is_finished_by_the_same_again(when: str, tmp_path: Path) -> None:
    path = tmp_path / "deboodt.sqlite"
    with Store(f"sqlite:///{path}") as store:
        anna = filled(store)
    published = tmp_path / "campaigns/eggs/published.jsonl"
    published.parent.mkdir(parents=True)
    published.write_text(f'{{"creator": "person%3A{anna[-16:]}"}}\n')
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        if when.startswith("files"):
            other.execute("BEGIN IMMEDIATE")  # nobody else can write until it is over

            def reached() -> bool:
                return not published.exists()
        else:
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM event").fetchone()  # the journal stays while somebody reads

            def reached() -> bool:
                with closing(sqlite3.connect(path)) as looking:
                    return bool(looking.execute("SELECT 1 FROM event WHERE kind = 'person.erased'").fetchone())

        with started(tmp_path, NAME) as process:
            while not reached():
                assert process.poll() is None
                time.sleep(0.005)
            process.kill()
            assert process.wait(timeout=60) == -9
    words = [NAME.encode(), anna[-16:].encode()]
    if when.startswith("files"):
        assert all(word in everything(f"sqlite:///{path}", tmp_path) for word in words)
    assert erase(tmp_path, f"sqlite:///{path}", NAME, "--write").exit_code == 0
    assert [word for word in words if word in everything(f"sqlite:///{path}", tmp_path)] == []


def test_votes_still_count_once_a_person(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'deboodt.sqlite'}"
    with Store(url) as store:
        filled(store)
        second = replace(TAG, id="t3", file=FILE + "2", statement="")
        store.put([second], agent="test", moment=now())
        assert erase(tmp_path, url, USER, "--write").exit_code == 0
        tags = [one for one in store.each(Tag) if one.id != "t2"]
        assert len(tags) == 2
        assert len({one.agent for one in tags}) == 1
        assert (tags[0].item, tags[0].moment, tags[0].revision) == ("Q1", "2021-10-03", 0)
        assert store.get(Agent, tags[0].agent) == Agent(id=tags[0].agent)
        assert erased(store) == {digest(KEY, JAN.id)}
        assert tags[0].agent not in {one.agent for one in store.events(kind="person.erased")}


def test_a_later_harvest_does_not_bring_the_person_back(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'deboodt.sqlite'}"
    with Store(url) as store:
        filled(store)
        assert erase(tmp_path, url, USER, "--write").exit_code == 0
        before = {one.id: one for one in store.each(Tag)}
        new = replace(TAG, id="t9", item="Q2")
        lost = Failure(id="y", step="harvest", subject="s", reason="r", detail=f"by {JAN.id}")
        uploaded = MediaFile(iri="https://files.example/uploaded", group=JAN.id)
        brought = list(kept_out(store, KEY, [JAN, TAG, new, OTHER, lost, uploaded], erased(store)))
        store.put(brought, agent="test", moment=now())
        assert before.keys() == {one.id for one in store.each(Tag)}
        assert all(JAN.id not in line for line in store.lines())
        assert store.count(Agent, id=JAN.id) == 0
        assert SHAPES[Tag].name == "tag"


def test_a_name_that_may_be_two_people_is_asked_about(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'deboodt.sqlite'}"
    with Store(url) as store:
        filled(store)
        add_account(store, USER, "viewer", now)
    with pytest.raises(Exception, match="--as account or --as wikimedia"):
        erase(tmp_path, url, USER, "--write")
    assert "accounts: 1" in erase(tmp_path, url, USER, "--as", "account").output
