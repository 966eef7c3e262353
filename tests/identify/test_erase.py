"""Erasing a person: every output is searched for the name and the old pseudonym, in SQLite and PostgreSQL."""

import gzip
import sqlite3
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
from linkeddata.records import Agent, CampaignFile, Failure, Identification, Label, MediaFile, Review, Tag
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


def served(settings: Settings) -> bytes:
    """What the API answers about reviews, agents, labels and in the feed."""
    with TestClient(create_app(settings)) as client:
        paths = ("/reviews", "/labels", "/feed", "/feed/pages/1", "/feed/page/1", "/agents")
        pages = [client.get(path, headers={"Accept": "application/ld+json"}).content for path in paths]
        with Store(settings.store) as store:
            key = next(iter(store.each(Review))).id
        review = client.get(f"/reviews/{key}", headers={"Accept": "application/ld+json"})
        assert review.status_code == 200
        return b"\n".join([*pages, review.content])


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
    answers = served(settings)
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
        brought = list(kept_out(store, KEY, [JAN, TAG, new, OTHER, lost], erased(store)))
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
