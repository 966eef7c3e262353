"""Models and classes whose files are gone still resolve, from what the store knows, in every form and as pages."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from identify.app import create_app
from linkeddata.records import Ancestor, Identification, MediaFile, ModelClass
from linkeddata.settings import Settings
from linkeddata.store import Store

BASE = "https://deboodt.example"
WHEN = "2026-11-02T10:00:00Z"
PLATE = MediaFile(iri="https://plates.example/1", title="Plate 1", simulated=True)


def class_of(version: str, index: int, **values: object) -> ModelClass:
    given = {"label": f"Species {index}", "rank": "species", "item": f"Q{index + 1}", "relation": "exact", **values}
    return ModelClass(id=f"gone@{version}/{index}", model="gone", version=version, index=index, **given)  # type: ignore[arg-type]


ANSWER = Identification(
    id="a", file=PLATE.iri, model="gone", version="9", weights="c" * 64, label="Species 0", item="Q1", moment=WHEN
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home = tmp_path_factory.mktemp("home")
    with Store(f"sqlite:///{home / 'store.sqlite'}") as store:
        lineage = (Ancestor("family", "Nymphalidae", "7017"),)
        store.put([PLATE, ANSWER], agent="test", moment=WHEN)
        store.put([class_of("9", at, lineage=lineage) for at in (1, 0, 2)], agent="test", moment=WHEN)
        store.put([class_of("10", 0), class_of("11", 0), class_of("11", 1)], agent="test", moment=WHEN)
        store.withdraw(ModelClass, ["gone@9/2"], agent="test", moment=WHEN, reason="it was no species")
        store.withdraw(ModelClass, ["gone@11/0", "gone@11/1"], agent="test", moment=WHEN, reason="it was wrong")
        app = create_app(Settings(home=str(home), base_url=BASE), store=store, classifiers={})
        with TestClient(app, base_url=BASE) as opened:
            yield opened


def test_a_version_without_its_files_is_told_from_the_store(client: TestClient) -> None:
    doc = client.get("/models/gone@9").json()
    assert doc["id"] == f"{BASE}/models/gone@9"
    assert doc["weights"] == "sha256:" + "c" * 64
    assert doc["simulated"] is True
    assert [one["notation"] for one in doc["hasTopConcept"]] == ["0", "1"]
    assert client.get("/models/gone").json()["version"] == "10", "the newest that stands"
    assert client.get("/models/gone@9/classes").json() == doc
    listed = [one["id"] for one in client.get("/models").json()["items"]]
    assert listed == [f"{BASE}/models/gone@10", f"{BASE}/models/gone@9"]


@pytest.mark.parametrize("suffix", ["", ".jsonld", ".ttl", ".nt", ".nq", ".rdf", ".html"])
@pytest.mark.parametrize("uri", ["/models/gone@9", "/models/gone@9/classes/1"])
def test_model_and_class_come_in_every_form(client: TestClient, uri: str, suffix: str) -> None:
    answer = client.get(uri + suffix)
    assert answer.status_code == 200
    assert "Species 1" in answer.text


def test_people_see_that_it_answers_no_images_and_what_it_said(client: TestClient) -> None:
    html = {"accept": "text/html"}
    assert "answers no images" in client.get("/models/gone@9", headers=html).text
    page = client.get("/models/gone@9/classes/0", headers=html).text
    assert "/identifications/a" in page
    assert "Nymphalidae" in page
    asked = client.post("/models/gone@9/identify", content=b"x", headers={"content-type": "image/png"})
    assert asked.status_code == 404
    assert "files" in asked.json()["detail"]


def test_what_was_withdrawn_is_gone(client: TestClient) -> None:
    for uri in ("/models/gone@11", "/models/gone@11/classes/0", "/models/gone@9/classes/2", "/models/gone@11.ttl"):
        assert client.get(uri).status_code == 410
    assert "it was no species" in client.get("/models/gone@9/classes/2").json()["comment"]
    for uri in ("/models/none", "/models/gone@12", "/models/gone@9/classes/7"):
        assert client.get(uri).status_code == 404
