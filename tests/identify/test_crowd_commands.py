"""What is told of the crowd: over HTTP from what the count step wrote, by command from the store."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from fastapi import FastAPI
from fastapi.testclient import TestClient

from crowd.countingroutes import FILE, router
from identify.cli import cli
from linkeddata.records import CampaignFile, Label, MediaFile, Tag, Taxon
from linkeddata.store import Store

CAMPAIGN = """
[campaign]
id = "eggs"
title = "Eggs"
[[tags.files]]
path = "eggs.csv"
[count]
gold = "gold.csv"
"""
WHO = {"agent": "test", "moment": "2026-01-01T00:00:00Z"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose campaign has three files: one settled, one divided, one that nobody tagged."""
    (tmp_path / "eggs.toml").write_text(CAMPAIGN, encoding="utf-8")
    (tmp_path / "gold.csv").write_text("file,item\nFile:1.jpg,Q1\n", encoding="utf-8")
    says = {"f1": "Q1 Q1 Q1 Q1", "f2": "Q1 Q2"}
    with Store(f"sqlite:///{tmp_path / 'deboodt.sqlite'}") as store:
        store.put([MediaFile(iri=f"f{n}", title=f"File:{n}.jpg") for n in (1, 2, 3)], **WHO)
        store.put([CampaignFile(id=f"c{n}", campaign="eggs", file=f"f{n}") for n in (1, 2, 3)], **WHO)
        store.put([Taxon(query=q, concept=q, item=q, name=f"Egg {q}", rank="species") for q in ("Q1", "Q2")], **WHO)
        tags = [
            Tag(id=f"{file}{n}", file=file, item=item, agent=f"urn:p{n}", campaign="eggs")
            for file, items in says.items()
            for n, item in enumerate(items.split())
        ]
        store.put(tags, **WHO)
    return tmp_path


def told(home: Path, *words: str) -> object:
    done = CliRunner().invoke(cli, ["--home", str(home), "--json", "--quiet", *words, str(home / "eggs.toml")])
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def test_the_commands_tell_of_agreement_gold_and_what_is_next(home: Path) -> None:
    data = told(home, "crowd", "agreement")
    assert isinstance(data, dict)
    assert data["method"] == "tree"
    assert data["agreement"][0] == {"branch": "", "files": 2, "votes": 6, "alpha": 0.0}
    assert data["files"] == {"nobody yet": 1, "too few": 0, "divided": 1, "unsure": 0, "enough": 1}
    assert told(home, "crowd", "gold") == {"questions": 1, "answered": 1, "right": 1, "exact": 1}
    found = told(home, "crowd", "next")  # as counted last: nothing was counted yet
    assert isinstance(found, list)
    assert [(one["title"], one["why"]) for one in found] == [(f"File:{n}.jpg", "nobody yet") for n in (1, 2, 3)]


def test_http_says_what_the_last_count_said(home: Path) -> None:
    with Store(f"sqlite:///{home / 'deboodt.sqlite'}") as store:
        app = FastAPI()
        app.include_router(router(store, home / "campaigns"))
        asking = TestClient(app)
        assert asking.get("/campaigns/eggs/agreement").status_code == 404
        assert asking.get("/campaigns/..%2Feggs/agreement").status_code == 404
        assert "tree" in {one["name"] for one in asking.get("/methods").json()}
        (home / "campaigns/eggs").mkdir(parents=True)
        text = json.dumps({"campaign": "eggs", "stop": {"voters": 3, "probability": 0.95}})
        (home / "campaigns/eggs" / FILE).write_text(text, encoding="utf-8")
        label = Label(id="l", campaign="eggs", file="f1", concept="Q1", probability=0.99, status="accepted", voters=4)
        store.put([label], **WHO)
        assert asking.get("/campaigns/eggs/agreement").json()["campaign"] == "eggs"
        found = asking.get("/campaigns/eggs/next", params={"limit": 3}).json()
        assert [(one["file"], one["why"]) for one in found] == [
            ("f2", "nobody yet"), ("f3", "nobody yet"), ("f1", "enough"),
        ]  # fmt: skip
