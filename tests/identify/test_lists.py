"""A campaign whose files are all elsewhere: five lists, from harvest to linked data, and harvested again."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from crowd.campaign import Campaign
from crowd.campaignfile import load_campaign
from harvest.sample.cabinet import paint_all
from harvest.sample.crowd import sample_world
from harvest.sample.plan import plates
from harvest.standin.server import StandIn
from identify.pipeline import Outcome, Run, run_steps
from identify.steps import STEPS
from linkeddata.client import Client
from linkeddata.records import CampaignFile, Failure, Label, MediaFile, Step, Tag
from linkeddata.settings import Settings
from linkeddata.store import Store

CAMPAIGN = """
[campaign]
id = "lists"
title = "Lists"
[[tags.files]]
path = "plates.csv"
url = "photo"
file = ""
name = "species"
creator = "hand"
constants = { licence = "CC0 1.0" }
[[tags.dwca]]
path = "occurrence.txt"
[[tags.nba]]
path = "nba.json"
[[tags.iiif]]
manifest = "manifest.json"
[[tags.linkedart]]
records = "art.json"
[count]
min_support = 1
[dataset]
min_images = 2
"""
MOMENT = "2026-01-01T00:00:00Z"
VANESSA, PAPILIO = "Vanessa cardui", "Papilio paris"
CC0 = "http://creativecommons.org/publicdomain/zero/1.0/"
ITEM = "http://www.wikidata.org/entity/Q158603"


@pytest.fixture
def server(stand_in: Callable[..., StandIn], tmp_path: Path) -> StandIn:
    plan = plates(1, doubles=0, strangers_per_engraver=0)
    list(paint_all(plan[:1], tmp_path / "painted", size_px=16))
    running = stand_in(sample_world(plan, tmp_path / "painted"))
    for number in range(1, 11):
        body = BytesIO()
        Image.new("RGB", (32, 32), (number * 20, 0, 0)).save(body, "JPEG")
        running.publish(f"/photos/{number}.jpg", body.getvalue())
    return running


def _photo(server: StandIn, number: int) -> str:
    return f"{server.url}/photos/{number}.jpg"


def _csv(server: StandIn, folder: Path, *species: str) -> None:
    rows = [f"{_photo(server, number)},{name},hand {number}" for number, name in enumerate(species, start=1)]
    (folder / "plates.csv").write_text("\n".join(["photo,species,hand", *rows]) + "\n", encoding="utf-8")


@pytest.fixture
def campaign(server: StandIn, tmp_path: Path) -> Campaign:
    base = "https://museum.example"
    _csv(server, tmp_path, VANESSA, PAPILIO)
    records = [f"o{n}\t{name}\t{_photo(server, n)}\tCC0_1_0" for n, name in ((3, VANESSA), (4, PAPILIO))]
    heading = "occurrenceID\tscientificName\tassociatedMedia\tlicense"
    (tmp_path / "occurrence.txt").write_text("\n".join([heading, *records]) + "\n", encoding="utf-8")
    specimens = [
        {
            "unitID": f"N.{number}",
            "license": "CC0",
            "identifications": [{"scientificName": {"fullScientificName": name}}],
            "associatedMultiMediaUris": [{"accessUri": _photo(server, number), "format": "image/jpeg"}],
        }
        for number, name in ((5, VANESSA), (6, PAPILIO))
    ]
    (tmp_path / "nba.json").write_text("\n".join(map(json.dumps, specimens)), encoding="utf-8")
    canvases = [
        {
            "id": f"{base}/canvas/{number}",
            "type": "Canvas",
            "items": [{"items": [{"motivation": "painting", "body": {"id": _photo(server, number), "type": "Image"}}]}],
            "annotations": [{"items": [{"motivation": "tagging", "body": ITEM, "target": f"{base}/canvas/{number}"}]}],
        }
        for number in (7, 8)
    ]
    manifest = {"id": f"{base}/manifest", "type": "Manifest", "rights": CC0, "items": canvases}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    things = [
        {
            "id": f"https://id.rijksmuseum.nl/200{number}",
            "type": "HumanMadeObject",
            "shows": [
                {
                    "type": "VisualItem",
                    "subject_to": [{"classified_as": [{"id": CC0}]}],
                    "represents": [{"id": ITEM}],
                    "digitally_shown_by": [
                        {
                            "id": f"https://id.rijksmuseum.nl/500{number}",
                            "access_point": [{"id": _photo(server, number)}],
                        }
                    ],
                }
            ],
        }
        for number in (9, 10)
    ]
    (tmp_path / "art.json").write_text(json.dumps(things), encoding="utf-8")
    (tmp_path / "lists.toml").write_text(CAMPAIGN, encoding="utf-8")
    return load_campaign(tmp_path / "lists.toml")


@contextmanager
def opened(campaign: Campaign, settings: Settings) -> Iterator[Run]:
    with Store(settings.store) as store, Client(settings, sleep=lambda _: None) as client:
        yield Run(campaign=campaign, settings=settings, store=store, client=client, now=lambda: MOMENT)


def _done(campaign: Campaign, settings: Settings, *steps: str, again: bool = False) -> dict[str, Outcome]:
    with opened(campaign, settings) as run:
        return {outcome.step: outcome for outcome in run_steps(run, STEPS, steps, again=again)}


def _home(server: StandIn, tmp_path: Path) -> Settings:
    return server.settings(home=str(tmp_path / "home"), pseudonym_key="test", tries=2)


def test_files_that_are_not_on_commons_go_all_the_way(server: StandIn, campaign: Campaign, tmp_path: Path) -> None:
    settings = _home(server, tmp_path)
    outcomes = _done(campaign, settings, "harvest", "images", "names", "count", "dataset", "publish")
    assert [outcome.error for outcome in outcomes.values() if outcome.error] == []
    assert {name: outcome.status for name, outcome in outcomes.items()} == dict.fromkeys(outcomes, "done")
    assert outcomes["harvest"].counts == {"files": 10, "tags": 10, "withdrawn": 0, "taggers": 0}
    with opened(campaign, settings) as run:
        files = list(run.store.each(MediaFile))
        assert all(len(media.sha1) == 40 and run.images.holds(media) for media in files)
        labels = {label.file: (label.name, label.status) for label in run.store.each(Label, campaign="lists")}
        assert set(labels) == {media.iri for media in files}
        assert sorted(labels.values()) == [(PAPILIO, "accepted")] * 3 + [(VANESSA, "accepted")] * 7
        published = (run.folder / "published/results.nt").read_text(encoding="utf-8")
        for iri in ("https://museum.example/canvas/7", "https://id.rijksmuseum.nl/5009", _photo(server, 1)):
            assert f"<{iri}>" in published
        assert {failure.step for failure in run.store.each(Failure)} <= {"dataset"}


def test_a_file_whose_image_cannot_be_had_stops_nothing(server: StandIn, campaign: Campaign, tmp_path: Path) -> None:
    settings = _home(server, tmp_path)
    server.publish("/photos/1.jpg", {"no": "image"})
    with (tmp_path / "plates.csv").open("a", encoding="utf-8") as file:
        file.write(f"{server.url}/photos/99.jpg,{VANESSA},hand\n")
    outcomes = _done(campaign, settings, "harvest", "images", "names", "count", "dataset")
    assert outcomes["images"].counts == {"images": 9, "lost": 2}
    assert outcomes["dataset"].status == "done"
    with Store(settings.store) as store:
        lost = {(f.subject.rpartition("/")[2], f.step, f.reason) for f in store.each(Failure)}
    assert {("1.jpg", "dataset", "no image"), ("99.jpg", "dataset", "no image")} <= lost


def test_a_list_that_is_read_again_changes_only_what_it_says_otherwise(
    server: StandIn, campaign: Campaign, tmp_path: Path
) -> None:
    settings = _home(server, tmp_path)
    _done(campaign, settings, "harvest", "images")
    with Store(settings.store) as store:
        before = list(store.lines(leave_out={Step: {"seconds"}}))
    _done(campaign, settings, "harvest", again=True)
    with Store(settings.store) as store:
        assert list(store.lines(leave_out={Step: {"seconds"}})) == before
    _csv(server, tmp_path, PAPILIO)
    server.requests.clear()
    outcome = _done(campaign, settings, "harvest", "images")["harvest"]
    assert (outcome.counts["files"], outcome.counts["tags"], outcome.counts["left"], outcome.counts["unsaid"]) == (
        9,
        9,
        1,
        2,
    )
    with Store(settings.store) as store:
        assert [tag.verbatim for tag in store.each(Tag, file=_photo(server, 1))] == [PAPILIO]
        assert list(store.each(CampaignFile, file=_photo(server, 2))) == []
    assert server.requests.count("/photos/") == 0


def test_a_list_that_cannot_be_read_takes_nothing_back(server: StandIn, campaign: Campaign, tmp_path: Path) -> None:
    settings = _home(server, tmp_path)
    _done(campaign, settings, "harvest")
    (tmp_path / "plates.csv").unlink()
    outcome = _done(campaign, settings, "harvest")["harvest"]
    assert (outcome.status, outcome.counts["files"], outcome.counts["tags"]) == ("incomplete", 10, 10)
    missing = replace(campaign, files=(), nba=(), iiif=(), linkedart=())
    assert _done(missing, settings, "harvest")["harvest"].counts["files"] == 2
