"""Asking a model over HTTP: a real LiteRT model that tells colours apart, behind the real routes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pyoxigraph
import pytest
from fastapi.testclient import TestClient
from starlette.exceptions import HTTPException

from identify.app import create_app
from identify.asking.received import MAX_UPLOAD_BYTES
from identify.asking.shelf import Shelf
from identify.bundle import Bundle
from identify.versions import found
from linkeddata.records import Taxon
from linkeddata.settings import Settings
from linkeddata.store import Store

BASE = "https://deboodt.example"
WHEN = "2026-11-02T10:00:00Z"
CARDUI = Taxon(
    query="Q158603",
    concept="Q158603",
    name="Vanessa cardui",
    authorship="(Linnaeus, 1758)",
    rank="species",
    item="Q158603",
    gbif_key="4299368",
)


@pytest.fixture(scope="module")
def client(colour_bundle: Callable[..., Bundle], tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of the whole application, with two versions of the model."""
    home = tmp_path_factory.mktemp("home")
    for version in ("9", "10"):
        colour_bundle(home / "models", version)
    with Store(f"sqlite:///{home / 'store.sqlite'}") as store:
        store.put([CARDUI], agent="test", moment=WHEN)
        settings = Settings(home=str(home), base_url=BASE, images_a_minute=0)
        with TestClient(create_app(settings, store=store, now=lambda: WHEN), base_url=BASE) as client:
            yield client


Picture = Callable[..., bytes]


def ask(client: TestClient, image: bytes, kind: str = "image/jpeg", **options: Any) -> dict[str, Any]:
    """Return the answer about an image that is sent as it is."""
    answer = client.post("/models/colours/identify", content=image, headers={"content-type": kind}, **options)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/ld+json"
    document: dict[str, Any] = answer.json()
    return document


def test_an_answer_says_what_by_whom_when_and_how_certain(client: TestClient, picture: Picture) -> None:
    document = ask(client, picture("red"))
    assert document["decision"] == "identified"
    assert document["body"]["id"] == "http://www.wikidata.org/entity/Q158603"
    assert document["body"]["scientificName"] == "Vanessa cardui (Linnaeus, 1758)"
    assert document["certainty"] > 0.9
    assert document["created"] == document["dateIdentified"] == WHEN
    assert (document["creator"]["name"], document["creator"]["version"]) == ("colours", "10")
    assert document["creator"]["weights"].startswith("sha256:")
    assert len(document["alternatives"]) == 3
    assert sum(one["probability"] for one in document["alternatives"]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("colour", "item"), [("red", "Q158603"), ("lime", "Q977492"), ("blue", "Q148013")])
def test_each_colour_is_taken_for_its_class(client: TestClient, picture: Picture, colour: str, item: str) -> None:
    assert ask(client, picture(colour))["body"]["id"].endswith(f"/{item}")


def test_a_stranger_is_unknown_and_says_so(client: TestClient, picture: Picture) -> None:
    document = ask(client, picture("grey"))
    assert (document["decision"], document["rule"], document["novelty"]) == ("unknown", "R1", 1.0)
    assert "body" not in document
    assert "does not know" in document["identificationRemarks"]


def test_an_answer_is_not_kept_and_its_id_says_so(client: TestClient, picture: Picture) -> None:
    document = ask(client, picture("red"))
    assert document["id"].startswith("urn:deboodt:identification:")
    assert document["target"]["id"].startswith("urn:sha1:")
    assert "reviewPage" not in document
    assert "painted" in document["identificationRemarks"]


def test_a_form_and_a_bare_body_give_the_same_answer(client: TestClient, picture: Picture) -> None:
    files = {"image": ("plate.jpg", picture("blue"), "image/jpeg")}
    assert client.post("/models/colours/identify", files=files).json() == ask(client, picture("blue"))


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [
        ("PNG", "image/png"),
        ("WEBP", "image/webp"),
        ("GIF", "image/gif"),
        ("TIFF", "application/octet-stream"),
        ("JPEG2000", "image/jp2"),
    ],
)
def test_other_kinds_of_images_are_read(client: TestClient, picture: Picture, kind: str, media_type: str) -> None:
    assert ask(client, picture("red", kind), media_type)["body"]["id"].endswith("/Q158603")


def test_an_answer_comes_as_turtle_too(client: TestClient, picture: Picture) -> None:
    headers = {"content-type": "image/jpeg", "accept": "text/turtle"}
    answer = client.post("/models/colours/identify", content=picture("red"), headers=headers)
    assert answer.headers["cache-control"] == "no-store"
    assert len(list(pyoxigraph.parse(answer.content, format=pyoxigraph.RdfFormat.TURTLE))) > 20


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"", "image/jpeg", 422),
        (b"<html>", "image/jpeg", 422),
        (b"\xff\xd8\xff\xe0 cut off", "image/jpeg", 422),
        (b"{}", "application/json", 422),
        (b"[", "application/json", 422),
        (b'{"urls": "x"}', "application/json", 422),
        (b"{}", "text/plain", 415),
        (b"x", "", 415),
        (b"no form", "multipart/form-data", 422),
        (b"no form", "multipart/form-data; boundary=x", 422),
        (
            b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--\r\n",
            "multipart/form-data; boundary=x",
            422,
        ),
    ],
)
def test_what_is_no_image_is_refused_with_the_reason(
    client: TestClient, content: bytes, kind: str, status: int
) -> None:
    answer = client.post("/models/colours/identify", content=content, headers={"content-type": kind})
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_an_image_cut_in_half_is_refused(client: TestClient, picture: Picture) -> None:
    whole = picture("red", "PNG", (300, 300))
    answer = client.post(
        "/models/colours/identify", content=whole[: len(whole) // 2], headers={"content-type": "image/png"}
    )
    assert answer.status_code == 422


def test_an_image_too_large_is_refused_by_its_announcement_and_by_its_bytes(client: TestClient) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(30):
            yield b"\0" * 1_000_000

    answer = client.post("/models/colours/identify", content=pieces(), headers={"content-type": "image/png"})
    assert answer.status_code == 413
    announced = {"content-type": "image/png", "content-length": str(MAX_UPLOAD_BYTES + 1)}
    assert client.post("/models/colours/identify", content=b"", headers=announced).status_code == 413


def test_too_many_pixels_in_few_bytes_are_refused(client: TestClient, picture: Picture) -> None:
    answer = client.post(
        "/models/colours/identify",
        content=picture("red", "PNG", (9000, 9000)),
        headers={"content-type": "image/png"},
    )
    assert answer.status_code == 422
    assert "pixels" in answer.json()["detail"]


def test_a_model_nobody_has_is_not_found(client: TestClient, picture: Picture) -> None:
    headers = {"content-type": "image/jpeg"}
    assert client.post("/models/none/identify", content=picture("red"), headers=headers).status_code == 404
    assert client.get("/models/none").status_code == 404
    assert client.get("/models/none/classes").status_code == 404


def test_models_are_listed_the_newest_first(client: TestClient) -> None:
    listed = client.get("/models").json()["items"]
    assert [(one["name"], one["version"]) for one in listed] == [("colours", "10"), ("colours", "9")]
    assert client.get("/models/colours").json()["version"] == "10"
    assert client.get("/models/colours@9").json()["version"] == "9"


def test_the_id_of_a_model_leads_to_it_in_every_form(client: TestClient) -> None:
    document = client.get("/models/colours").json()
    assert client.get(document["id"]).json() == document
    inline = client.get(document["id"], params={"context": "inline"}).content
    turtle = client.get(f"{document['id']}.ttl").content
    assert {str(quad) for quad in pyoxigraph.parse(inline, format=pyoxigraph.RdfFormat.JSON_LD)} == {
        str(quad) for quad in pyoxigraph.parse(turtle, format=pyoxigraph.RdfFormat.TURTLE)
    }


def test_classes_are_linked_to_wikidata_and_gbif(client: TestClient) -> None:
    classes = client.get("/models/colours/classes").json()["hasTopConcept"]
    assert [(one["notation"], one["label"]) for one in classes] == [
        ("0", "Vanessa cardui"),
        ("1", "Papilio paris"),
        ("2", "Ornithoptera priamus"),
    ]
    assert classes[0]["exactMatch"] == [
        "http://www.wikidata.org/entity/Q158603",
        "https://www.gbif.org/species/4299368",
    ]


def test_a_damaged_model_is_left_out_and_named(colour_bundle: Callable[..., Bundle], tmp_path: Path) -> None:
    colour_bundle(tmp_path, "1")
    damaged = colour_bundle(tmp_path, "2").folder / "model.tflite"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    shelf = Shelf(tmp_path)
    assert list(shelf) == ["colours@1"]
    assert list(shelf.broken) == ["colours/2"]
    with Store("sqlite://") as store:
        assert found(store, shelf, "colours").bundle.about.version == "1"
        with pytest.raises(HTTPException, match="colours@2"):
            found(store, shelf, "colours@2")


def test_images_are_answered_side_by_side_and_the_loop_stays_free(client: TestClient, picture: Picture) -> None:
    """Many at once are all answered, each with its own answer."""
    answers: dict[int, str] = {}
    colours = {"red": "Q158603", "lime": "Q977492", "blue": "Q148013"}

    async def all_at_once() -> None:
        async with anyio.create_task_group() as group:
            for number, colour in enumerate(list(colours) * 4):
                group.start_soon(one, number, colour)

    async def one(number: int, colour: str) -> None:
        image = picture(colour)
        document = await anyio.to_thread.run_sync(lambda: ask(client, image))
        answers[number] = document["body"]["id"]

    anyio.run(all_at_once)
    assert [answers[n].rsplit("/", 1)[1] for n in range(12)] == list(colours.values()) * 4
