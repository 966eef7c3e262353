"""Descriptions of what is published: every form of every document, the entrances, the rules of their readers."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pyoxigraph
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pyld import jsonld as pyld

from linkeddata import contexts
from linkeddata.api import router
from linkeddata.catalogue import routes, wellknown
from linkeddata.catalogue.holdings import Campaign, DataFile, Publisher, TrainingVersion, gathered
from linkeddata.catalogue.routes import Catalogue, embedded
from linkeddata.dumps import write_dumps
from linkeddata.parts import Parts
from linkeddata.preflight.findings import FAULT
from linkeddata.preflight.shapes import against, read_shapes
from linkeddata.records import Identification, Label, MediaFile, Step, Taxon
from linkeddata.settings import Settings
from linkeddata.store import Store

BASE = "https://deboodt.example"
WHEN = "2026-11-02T10:00:00Z"
CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
PLATE = MediaFile(iri="https://commons.wikimedia.org/entity/M7", title="Plate 7")
RECORDS = [
    PLATE,
    Taxon(query="Lepidoptera", concept="gbif:797", name="Lepidoptera", gbif_key="797"),
    Identification(id="a1", file=PLATE.iri, model="m", version="1", moment=WHEN, campaign="albums"),
    Label(id="l1", campaign="albums", file=PLATE.iri, concept="Q1", name="\u202eא “x” 🦋", support=2, voters=2),
    Step(id="albums/count", campaign="albums", name="count", fingerprint="x", moment=WHEN),
]
MUSEUM = Publisher(name='Museum "Zoo" 🦋', iri="https://museum.example/", mail="data@museum.example", licence=CC0)
DOCUMENTS = [
    "/catalogue",
    "/datasets/published",
    "/datasets/published/albums",
    "/datasets/training/albums",
    f"/datasets/training/albums@{'a' * 16}",
    f"/datasets/training/albums@{'b' * 16}",
    "/datasets/daily",
    "/datasets/daily/2026-11-02",
    "/campaigns/albums",
]


def holdings(folder: Path, settings: Settings) -> list[Campaign]:
    manifest = folder / "manifest.csv"
    manifest.write_text("file,label\n", encoding="utf-8")
    files = (DataFile(path=manifest, media_type="text/csv", sha256="c" * 64, bytes=11, modified=WHEN),)
    return [
        Campaign(
            id="albums",
            title="Albums </script> & “more”",
            description="De albums.",
            begins="2021-10-01",
            ends="2021-12-31",
            language="nl",
            about=("Lepidoptera", "Q729", "nobody knows"),
            training=(
                TrainingVersion(sha256="a" * 64, files=files, counts=(("images", 1),), models=("m@1",), modified=WHEN),
                TrainingVersion(sha256="b" * 64, models=("m@0",)),
            ),
        )
    ]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home = tmp_path_factory.mktemp("home")
    settings = Settings(
        base_url=BASE,
        home=str(home),
        publisher=MUSEUM.name,
        publisher_iri=MUSEUM.iri,
        publisher_mail=MUSEUM.mail,
        data_licence=CC0,
    )
    campaigns = holdings(home, settings)
    with Store(f"sqlite:///{home / 'store.sqlite'}") as store:
        store.put(RECORDS, agent="test", moment=WHEN)
        write_dumps(store, BASE, home / "dumps" / "whole")
        write_dumps(store, BASE, home / "dumps" / "2026-11-02", day="2026-11-02")
        parts = Parts(store, settings)
        catalogue = Catalogue(parts, lambda: gathered(settings, campaigns))
        app = FastAPI()
        app.include_router(routes.router(catalogue, parts))
        app.include_router(router(store, settings))
        with TestClient(app, base_url=BASE) as client:
            yield client


def quads(content: bytes, form: pyoxigraph.RdfFormat) -> set[str]:
    return {str(quad.triple) for quad in pyoxigraph.parse(content, format=form)}


FORMS = {
    "ttl": pyoxigraph.RdfFormat.TURTLE,
    "nt": pyoxigraph.RdfFormat.N_TRIPLES,
    "nq": pyoxigraph.RdfFormat.N_QUADS,
    "rdf": pyoxigraph.RdfFormat.RDF_XML,
}


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_description_is_the_same_in_every_form(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/ld+json"
    assert answer.headers["content-location"] == f"{BASE}{path}.jsonld"
    doc = answer.json()
    assert doc["id"] == f"{BASE}{path}"
    inline = doc | contexts.profile_context("catalogue")
    ours = quads(json.dumps(inline).encode(), pyoxigraph.RdfFormat.JSON_LD)
    theirs = pyld.to_rdf(inline, {"format": "application/n-quads"})
    assert quads(theirs.encode(), pyoxigraph.RdfFormat.N_QUADS) == ours
    assert "_:" not in theirs
    for suffix, form in FORMS.items():
        other = client.get(f"{path}.{suffix}")
        assert other.status_code == 200
        assert f'<{BASE}{path}.{suffix}>; rel="alternate"' in answer.headers["link"]
        assert quads(other.content, form) == ours
    again = client.get(path, headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    assert 'rel="describedby"' in again.headers["link"]


@pytest.mark.parametrize(
    "path",
    [
        "/datasets/published/nobody",
        "/datasets/training/nobody",
        "/datasets/training/albums@cccc",
        "/datasets/daily/2026-11-03",
        "/campaigns/nobody",
        "/catalogue.exe",
        f"/datasets/training/albums@{'b' * 16}/manifest.csv",
        f"/datasets/training/albums@{'a' * 16}/../../x",
        "/datasets/training/albums/manifest.csv",
    ],
)
def test_what_there_is_not_is_a_problem(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_each_distribution_is_what_it_says(client: TestClient) -> None:
    """Media type, length and checksum of every distribution are those of what its address answers."""
    found = [way for one in client.get("/catalogue").json()["dataset"] for way in one.get("distribution", [])]
    assert {way["id"].rpartition("#")[2] for way in found} >= {
        "deboodt.nq.gz", "deboodt.jsonl.gz", "deboodt-dwca.zip", "identifications.parquet", "feed", "changes",
        "identifications", "labels", "sparql", "manifest.csv",
    }  # fmt: skip
    for way in found:
        if way["id"].endswith(("#sparql", "manifest.csv")):
            continue
        answer = client.get(way["contentUrl"])
        assert answer.status_code == 200, way["id"]
        if "sha256" in way:
            assert hashlib.sha256(answer.content).hexdigest() == way["sha256"]
            assert way["contentSize"] == f"{len(answer.content)} B"
            assert way["spdx:checksum"]["spdx:checksumValue"] == way["sha256"]
        else:
            assert answer.headers["content-type"].partition(";")[0] == way["encodingFormat"]
    manifest = next(way for way in found if way["id"].endswith("manifest.csv"))
    answer = client.get(manifest["contentUrl"])
    assert (answer.headers["content-type"], answer.text) == ("text/csv; charset=utf-8", "file,label\n")
    part = client.get(manifest["contentUrl"], headers={"range": "bytes=5-", "if-range": answer.headers["etag"]})
    assert (part.status_code, part.text, part.headers["content-range"]) == (206, "label\n", "bytes 5-10/11")


def test_subjects_are_iris_and_what_nobody_knows_is_left_out(client: TestClient) -> None:
    about = client.get("/campaigns/albums").json()["about"]
    assert about == ["https://www.gbif.org/species/797", "http://www.wikidata.org/entity/Q729"]


def test_what_nobody_said_is_left_out(tmp_path: Path) -> None:
    settings = Settings(base_url=BASE, home=str(tmp_path))
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        doc = Catalogue(Parts(store, settings), lambda: gathered(settings, [Campaign(id="x")])).document()
    for node in (doc, *doc["dataset"]):
        assert not {"publisher", "creator", "license", "dcat:contactPoint", "dcterms:publisher", "about"} & node.keys()


def test_the_only_campaigns_publisher_publishes_the_whole() -> None:
    one = Campaign(id="a", publisher=MUSEUM)
    assert gathered(Settings(), [one]).publisher == MUSEUM
    two = Campaign(id="b", publisher=Publisher(name="Somebody else", licence=CC0))
    both = gathered(Settings(data_licence=CC0), [one, two])
    assert (both.publisher.name, both.publisher.licence) == ("", CC0)
    assert gathered(Settings(publisher="House"), [one]).campaigns[0].publisher == MUSEUM


def test_machines_find_the_descriptions(client: TestClient) -> None:
    void = client.get("/.well-known/void", follow_redirects=False)
    assert (void.status_code, void.headers["location"]) == (303, f"{BASE}/catalogue")
    interfaces = client.get("/.well-known/api-catalog")
    assert interfaces.headers["content-type"].startswith("application/linkset+json; profile=")
    assert 'rel="api-catalog"' in interfaces.headers["link"]
    anchors = {one["anchor"] for one in interfaces.json()["linkset"]}
    assert f"{BASE}/sparql" in anchors
    assert f"Sitemap: {BASE}/sitemap.xml" in client.get("/robots.txt").text
    pages = [loc.text or "" for loc in ElementTree.fromstring(client.get("/sitemap.xml").content).iter() if loc.text]  # noqa: S314 - ours
    listed = [page.removeprefix(BASE) for page in pages if page.startswith(f"{BASE}/datasets")]
    assert sorted(listed) == sorted(path for path in DOCUMENTS if path.startswith("/datasets"))


def test_the_robots_of_this_house_may_read_all_but_queries() -> None:
    from urllib.robotparser import RobotFileParser

    rules = RobotFileParser()
    rules.parse(wellknown.robots(BASE).splitlines())
    assert rules.can_fetch("deboodt", f"{BASE}/identifications")
    assert not rules.can_fetch("deboodt", f"{BASE}/sparql?query=ASK{{}}")


def test_nothing_in_a_description_ends_the_element_it_stands_in(client: TestClient) -> None:
    text = embedded(client.get("/campaigns/albums").json())
    assert "</" not in text
    assert json.loads(text)["name"] == {"nl": "Albums </script> & “more”"}


def test_counts_follow_the_store(tmp_path: Path) -> None:
    settings = Settings(base_url=BASE, home=str(tmp_path))
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        catalogue = Catalogue(Parts(store, settings), lambda: gathered(settings, []))
        store.put([PLATE], agent="test", moment=WHEN)
        assert catalogue.document()["dataset"][0]["void:entities"] == 1
        store.put(RECORDS, agent="test", moment=WHEN)
        assert catalogue.document()["dataset"][0]["void:entities"] == 4


def test_when_it_was_modified_never_goes_back(tmp_path: Path) -> None:
    settings = Settings(base_url=BASE, home=str(tmp_path))
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        catalogue = Catalogue(Parts(store, settings), lambda: gathered(settings, []))
        store.put([PLATE], agent="test", moment="2026-11-02T10:00:00Z")
        store.put(RECORDS, agent="test", moment="2026-11-01T10:00:00Z")
        assert catalogue.document()["dataset"][0]["dateModified"] == "2026-11-02T10:00:00Z"


def test_the_dataset_register_finds_no_fault_today_or_tomorrow(client: TestClient, recordings: Path) -> None:
    shapes = read_shapes(recordings / "shapes/nde-dataset-requirements-1.14.0.shacl.ttl")
    for path in DOCUMENTS[:-1]:
        assert [one for one in against(shapes, client.get(f"{path}.nt").content) if one.level == FAULT] == [], path
