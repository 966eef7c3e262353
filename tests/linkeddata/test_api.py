"""The routes of the store, through a real application: forms, lists, files, and what is not there."""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pyoxigraph
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image
from pyld import jsonld as pyld

from linkeddata import contexts
from linkeddata.api import router
from linkeddata.parts import Images
from linkeddata.profiles import PROFILES
from linkeddata.profiles.files import FILES
from linkeddata.records import Agent, Alternative, Identification, Label, MediaFile, Record, Taxon
from linkeddata.settings import Settings
from linkeddata.storage import Stored, open_storage, stored_file
from linkeddata.store import Store

BASE = "https://deboodt.example"
SETTINGS = Settings(base_url=BASE)
WHEN = "2026-11-02T10:00:00Z"
PLATE = MediaFile(
    iri="https://commons.wikimedia.org/entity/M7", title="File:Plate 7.png", sha1="7" * 40, mime="image/png"
)
FAR = MediaFile(
    iri="https://plates.example/a b/é?x=1#y", title="File:Elsewhere.svg", sha1="8" * 40, mime="image/svg+xml"
)
CARDUI = Taxon(query="Q158603", concept="Q158603", name="Vanessa cardui", rank="species", item="Q158603")
ANSWERS = [
    Identification(
        id=f"{number:024x}",
        file=(PLATE, FAR)[number % 2].iri,
        model="papillotten",
        version="1",
        label="Vanessa cardui" if number % 3 else "",
        rank="species" if number % 3 else "",
        item="Q158603" if number % 3 else "",
        certainty=0.9 if number % 3 else 0.0,
        alternatives=(Alternative("Vanessa cardui", 0.9, "species", "Q158603"),),
        agent="urn:deboodt:model:papillotten@1",
        moment=WHEN,
        campaign="albums" if number < 4 else "other",
    )
    for number in range(7)
]
RECORDS: list[Record] = [
    PLATE,
    FAR,
    CARDUI,
    Taxon(query="Papilio cardui Linnaeus, 1758", concept="Q158603", name="Vanessa cardui", item="Q158603"),
    Taxon(query="Blauwe vlinder", reason="no match"),
    Agent(id="urn:deboodt:model:papillotten@1", kind="SoftwareAgent", name="papillotten", version="1"),
    Label(id="l/1 ä", campaign="albums", file=PLATE.iri, concept="Q158603", item="Q158603", support=3, voters=4),
    *ANSWERS,
]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture on disk, for every file whose type is PNG."""
    path = tmp_path_factory.mktemp("images") / "plate.png"
    Image.new("RGB", (600, 400), "teal").save(path)
    return path


@pytest.fixture(scope="module")
def client(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of the routes over a store with a little of everything, without pages for people."""
    with Store(f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.sqlite'}") as store:
        store.put(RECORDS, agent="test", moment=WHEN)
        app = FastAPI()
        images: Images = lambda media: stored_file(image, sha1=media.sha1, mime=media.mime)  # noqa: E731
        app.include_router(router(store, SETTINGS, image=images, health={"models": ["m@1"]}))
        with TestClient(app, base_url=BASE) as client:
            yield client


def triples(content: bytes, form: pyoxigraph.RdfFormat) -> set[str]:
    """Return the triples in ``content`` as text; our documents have no blank nodes outside of lists."""
    return {str(quad.triple) for quad in pyoxigraph.parse(content, format=form)}


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "application/ld+json"),
        ("application/json", "application/json"),
        ("text/turtle", "text/turtle; charset=utf-8"),
        ("application/n-triples", "application/n-triples"),
        ("application/n-quads", "application/n-quads"),
        ("application/rdf+xml", "application/rdf+xml"),
    ],
)
def test_a_document_comes_in_the_form_that_is_asked_for(client: TestClient, accept: str, media_type: str) -> None:
    answer = client.get(f"/identifications/{ANSWERS[1].id}", headers={"accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    assert "Accept" in answer.headers["vary"]


@pytest.mark.parametrize("suffix", ["jsonld", "json", "ttl", "nt", "nq", "rdf"])
def test_a_suffix_is_stronger_than_accept(client: TestClient, suffix: str) -> None:
    answer = client.get(f"/identifications/{ANSWERS[1].id}.{suffix}", headers={"accept": "image/png"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        f"/identifications/{ANSWERS[1].id}",
        f"/identifications/{ANSWERS[0].id}",
        f"/labels/{quote('l/1 ä', safe='')}",
        f"/media/{quote(PLATE.iri, safe='')}",
        f"/media/{quote(FAR.iri, safe='')}",
        "/taxa/Q158603",
        f"/taxa/{quote('Blauwe vlinder')}",
        "/vocab",
    ],
)
def test_all_forms_of_a_document_hold_the_same_triples_with_two_parsers(client: TestClient, path: str) -> None:
    def load(url: str, options: dict[str, Any]) -> dict[str, Any]:
        served = client.get(urlsplit(url).path)
        assert served.headers["content-type"] == "application/ld+json"
        return {"contentUrl": url, "contextUrl": None, "documentUrl": url, "document": served.json()}

    inline = triples(client.get(path, params={"context": "inline"}).content, pyoxigraph.RdfFormat.JSON_LD)
    linked = pyld.to_rdf(client.get(path).json(), {"format": "application/n-quads", "documentLoader": load})
    assert inline
    assert triples(linked.encode(), pyoxigraph.RdfFormat.N_QUADS) == inline
    assert triples(client.get(f"{path}.ttl").content, pyoxigraph.RdfFormat.TURTLE) == inline
    assert triples(client.get(f"{path}.nt").content, pyoxigraph.RdfFormat.N_TRIPLES) == inline


def test_the_id_of_a_document_leads_to_it(client: TestClient) -> None:
    for path in (f"/identifications/{ANSWERS[1].id}", f"/labels/{quote('l/1 ä', safe='')}"):
        document = client.get(path).json()
        assert document["id"] == BASE + path
        assert client.get(document["id"]).json() == document


@pytest.mark.parametrize("path", [f"/identifications/{ANSWERS[1].id}", f"/media/{quote(FAR.iri, safe='')}", "/vocab"])
def test_other_forms_are_linked_and_lead_there(client: TestClient, path: str) -> None:
    links = client.get(path).headers["link"]
    addresses = [part.split(">")[0].strip(" <") for part in links.split(",") if 'rel="alternate"' in part]
    profiles = len(PROFILES) if "identifications" in path else len(FILES) if "media" in path else 1
    assert len(addresses) == 5 + profiles - 1
    assert {client.get(address).status_code for address in addresses} == {200}


def test_plain_json_says_which_context_it_is_to_be_read_with(client: TestClient) -> None:
    links = client.get(f"/identifications/{ANSWERS[1].id}.json").headers["link"]
    assert f'<{BASE}/context.jsonld>; rel="http://www.w3.org/ns/json-ld#context"' in links


def test_a_reader_who_has_it_is_told_so(client: TestClient) -> None:
    path = f"/identifications/{ANSWERS[1].id}"
    tag = client.get(path).headers["etag"]
    again = client.get(path, headers={"if-none-match": f'"other", W/{tag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(path, headers={"accept": "text/turtle", "if-none-match": tag}).status_code == 200


@pytest.mark.parametrize("context", ["link", "inline", "w3c"])
def test_the_context_is_named_as_asked(client: TestClient, context: str) -> None:
    document = client.get(f"/identifications/{ANSWERS[1].id}", params={"context": context}).json()
    ours = f"{BASE}/context.jsonld"
    expected = {"link": ours, "inline": contexts.context(BASE)["@context"], "w3c": [contexts.ANNO_CONTEXT, ours]}
    assert document["@context"] == expected[context]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/identifications/none", {}, 404),
        ("/identifications/none.ttl", {}, 404),
        ("/labels/none", {}, 404),
        ("/media/none", {}, 404),
        ("/media/none/image", {}, 404),
        ("/taxa/Q1", {}, 404),
        ("/vocab.txt", {}, 404),
        (f"/identifications/{ANSWERS[1].id}", {"accept": "text/csv"}, 406),
        (f"/identifications/{ANSWERS[1].id}.html", {}, 406),
        (f"/identifications/{ANSWERS[1].id}?context=outline", {}, 422),
        ("/identifications?limit=0", {}, 422),
        ("/media/M7/image?width=251", {}, 422),
    ],
)
def test_what_cannot_be_had_is_refused(client: TestClient, path: str, headers: dict[str, str], status: int) -> None:
    assert client.get(path, headers=headers).status_code == status


def test_a_list_is_a_collection_with_its_first_page_inside(client: TestClient) -> None:
    document = client.get("/identifications?limit=3").json()
    assert (document["type"], document["total"]) == ("AnnotationCollection", 7)
    assert document["id"] == f"{BASE}/identifications"
    assert document["first"]["type"] == "AnnotationPage"
    assert [item["id"] for item in document["first"]["items"]] == [f"{BASE}/identifications/{n:024x}" for n in range(3)]
    assert "@context" not in document["first"]["items"][0]


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8])
def test_following_next_finds_everything_once(client: TestClient, limit: int) -> None:
    found, page = [], client.get("/identifications", params={"limit": limit}).json()["first"]
    while True:
        found += [item["id"] for item in page["items"]]
        assert len(page["items"]) <= limit
        if "next" not in page:
            break
        page = client.get(page["next"]).json()
        assert page["type"] == "AnnotationPage"
        assert page["partOf"] == f"{BASE}/identifications"
    assert found == [f"{BASE}/identifications/{n:024x}" for n in range(7)]


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({"campaign": "albums"}, [0, 1, 2, 3]),
        ({"item": "Q158603"}, [1, 2, 4, 5]),
        ({"file": FAR.iri}, [1, 3, 5]),
        ({"campaign": "albums", "item": "Q158603"}, [1, 2]),
        ({"status": "verified"}, []),
    ],
)
def test_a_list_is_filtered_and_next_keeps_the_filter(
    client: TestClient, filters: dict[str, str], numbers: list[int]
) -> None:
    document = client.get("/identifications", params={**filters, "limit": 1}).json()
    assert document["total"] == len(numbers)
    page, found = document["first"], []
    while True:
        found += [int(item["id"].rsplit("/", 1)[1], 16) for item in page["items"]]
        if "next" not in page:
            break
        assert {
            key: value[0] for key, value in parse_qs(urlsplit(page["next"]).query).items()
        }.items() >= filters.items()
        page = client.get(page["next"]).json()
    assert found == numbers


def test_labels_are_listed_too(client: TestClient) -> None:
    document = client.get("/labels", params={"campaign": "albums"}).json()
    assert document["first"]["items"][0]["motivation"] == "tagging"


def test_a_file_links_to_what_was_said_about_it(client: TestClient) -> None:
    document = client.get(f"/media/{quote(PLATE.iri, safe='')}").json()
    assert document["id"] == PLATE.iri
    assert f"{BASE}/identifications/{0:024x}" in document["subjectOf"]
    assert f"{BASE}/labels/l%2F1%20%C3%A4" in document["subjectOf"]


def test_a_file_on_commons_has_a_short_address(client: TestClient) -> None:
    assert client.get("/media/M7").json() == client.get(f"/media/{quote(PLATE.iri, safe='')}").json()


def test_a_taxon_is_found_by_any_of_its_names(client: TestClient) -> None:
    by_item = client.get("/taxa/Q158603").json()
    by_name = client.get(f"/taxa/{quote('Papilio cardui Linnaeus, 1758')}").json()
    assert by_item["id"] == by_name["id"] == "http://www.wikidata.org/entity/Q158603"
    assert by_name["verbatimIdentification"] == "Papilio cardui Linnaeus, 1758"


def test_an_image_comes_whole_or_small(client: TestClient, image: Path) -> None:
    whole = client.get("/media/M7/image")
    assert (whole.headers["content-type"], whole.content) == ("image/png", image.read_bytes())
    small = client.get("/media/M7/image?width=250")
    assert small.headers["content-type"] == "image/jpeg"
    with Image.open(BytesIO(small.content)) as opened:
        assert opened.size == (250, 167)
    again = client.get("/media/M7/image?width=250", headers={"if-none-match": small.headers["etag"]})
    assert again.status_code == 304


def test_an_image_may_be_kept_elsewhere(image: Path, tmp_path: Path) -> None:
    storage = open_storage(f"memory://{tmp_path.name}")
    storage.write("plate.png", image.read_bytes())
    stored = Stored(storage, "plate.png", "7" * 40, "image/png")
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        store.put(RECORDS, agent="test", moment=WHEN)
        app = FastAPI()
        app.include_router(router(store, SETTINGS, image=lambda media: stored))
        with TestClient(app, base_url=BASE) as client:
            whole = client.get("/media/M7/image")
            assert (whole.headers["content-type"], whole.content) == ("image/png", image.read_bytes())
            assert client.get("/media/M7/image?width=250").headers["content-type"] == "image/jpeg"


def test_an_image_that_could_run_scripts_is_sent_as_bytes(client: TestClient) -> None:
    answer = client.get(f"/media/{quote(FAR.iri, safe='')}/image")
    assert answer.headers["content-type"] == "application/octet-stream"


def test_the_context_and_the_vocabulary_may_be_kept(client: TestClient) -> None:
    context = client.get("/context.jsonld")
    assert context.json() == contexts.context(BASE)
    assert context.headers["cache-control"] == "public, max-age=86400"
    assert client.get("/context.jsonld", headers={"if-none-match": context.headers["etag"]}).status_code == 304
    assert client.get("/vocab").headers["cache-control"] == "public, max-age=86400"


def test_health_says_what_it_was_told(client: TestClient) -> None:
    answer = client.get("/health").json()
    assert (answer["status"], answer["models"]) == ("ok", ["m@1"])


def test_documents_follow_the_base_url_under_a_path(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        store.put(RECORDS, agent="test", moment=WHEN)
        app = FastAPI()
        app.include_router(router(store, Settings(base_url="https://museum.example/deboodt/")))
        with TestClient(app) as client:
            document = client.get(f"/identifications/{ANSWERS[1].id}").json()
            assert document["id"] == f"https://museum.example/deboodt/identifications/{ANSWERS[1].id}"
            assert document["@context"] == "https://museum.example/deboodt/context.jsonld"
            assert "https://museum.example/deboodt/vocab#" in json.dumps(client.get("/context.jsonld").json())
