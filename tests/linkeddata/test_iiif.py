"""Manifests and annotation lists, through the real application, and what gzip does to answers."""

from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from identify.app import create_app
from linkeddata.records import Identification, Label, MediaFile
from linkeddata.settings import Settings
from linkeddata.store import Store

BASE = "https://deboodt.example"
PLATE = MediaFile(
    iri="https://commons.wikimedia.org/entity/M7",
    title="File:Plate 7.jpg",
    original="https://upload.example/plate 7.jpg",
    mime="image/jpeg",
    width_px=2000,
    height_px=1000,
    licence="https://creativecommons.org/publicdomain/mark/1.0/",
    credit="A library",
)
BARE = MediaFile(iri="https://files.example/1")


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    store = Store(f"sqlite:///{tmp_path / 's.sqlite'}")
    said = Identification(
        id="a", file=PLATE.iri, label="Vanessa cardui", certainty=0.5, region="xywh=percent:10,10,50,50"
    )
    label = Label(id="l", campaign="c", file=PLATE.iri, concept="Q1", name="Vanessa", support=2, voters=3)
    store.put([PLATE, BARE, said, label], agent="test", moment="2026-01-01T00:00:00Z")
    return TestClient(create_app(Settings(base_url=BASE, home=str(tmp_path)), store=store, classifiers={}), BASE)


def test_a_manifest_leads_to_annotations_on_its_canvas(client: TestClient) -> None:
    answer = client.get("/media/M7/manifest.json")
    assert answer.headers["content-type"].startswith("application/ld+json;profile=")
    manifest = answer.json()
    canvas = manifest["items"][0]
    assert manifest["id"] == f"{BASE}/media/{quote(PLATE.iri, safe='')}/manifest.json"
    assert (canvas["width"], canvas["height"]) == (2000, 1000)
    assert canvas["items"][0]["items"][0]["target"] == canvas["id"]
    page = client.get(canvas["annotations"][0]["id"]).json()
    assert [item["target"] for item in page["items"]] == [f"{canvas['id']}#xywh=200,100,1000,500", canvas["id"]]
    assert page["items"][0]["body"]["value"].startswith("Vanessa cardui (")
    assert client.get(page["items"][0]["seeAlso"][0]["id"]).status_code == 200


def test_without_a_size_there_is_no_manifest(client: TestClient) -> None:
    refused = client.get(f"/media/{quote(BARE.iri, safe='')}/manifest.json")
    assert (refused.status_code, refused.headers["content-type"]) == (404, "application/problem+json")
    assert client.get(f"/media/{quote(BARE.iri, safe='')}/annotations.json").json()["items"] == []
    assert client.get("/media/none/manifest.json").status_code == 404


def test_text_is_compressed_for_who_takes_it_and_its_tag_is_weak(client: TestClient) -> None:
    plain = client.get("/context.jsonld", headers={"accept-encoding": "identity"})
    packed = client.get("/context.jsonld", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert packed.headers["etag"] == f"W/{plain.headers['etag']}"
    assert "Accept-Encoding" in packed.headers["vary"]
    again = client.get("/context.jsonld", headers={"if-none-match": packed.headers["etag"]})
    assert again.status_code == 304
