"""Asking models over real HTTP: several images, addresses, kept answers, restricted models, quotas, newer versions."""

import hashlib
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from crowd.accounts import add_account
from crowd.entry import add_token
from identify.app import create_app
from identify.asking.shelf import Shelf
from identify.bundle import Bundle
from linkeddata.records import Identification, MediaFile
from linkeddata.settings import Settings
from linkeddata.store import Store

WHEN = "2026-11-02T10:00:00Z"
RED, LIME, BLUE = "Q158603", "Q977492", "Q148013"
Picture = Callable[..., bytes]
CLOSED = """restricted = true
use_policy = "For the egg collection alone."
contact = "eggs@museum.example"
[notes]
1 = "The first."
"""


INFORMATION = """taxon,language,text,size_mm,similar,links
Vanessa cardui,nl,Trekt ver.,45-60,Vanessa atalanta,Museum|https://museum.example/2
Vanessa cardui,en,Travels <far>.,,,
Q148013,en,Big.,100-130,,
"""


def sha1(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def now() -> str:
    return WHEN


class House:
    """A home folder with models and accounts, being served."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder = folder
        self.store = store
        self.address = ""
        self.client = httpx2.Client()

    def token(self, name: str, role: str = "contributor", **granted: Any) -> dict[str, str]:
        """Make an account with a token; return the header that shows it."""
        account = add_account(self.store, name, role, now)
        scopes = ("see",) if role == "viewer" else ("see", "identify")
        secret, _ = add_token(self.store, account, now, label="", scopes=scopes, days=9, **granted)
        return {"authorization": f"Bearer {secret}"}

    def ask(self, *images: bytes, model: str = "colours", query: str = "", **options: Any) -> httpx2.Response:
        """Ask about images, in a form."""
        files = [(f"image{n}", (f"plate {n}.jpg", image, "image/jpeg")) for n, image in enumerate(images)]
        return self.client.post(f"{self.address}/models/{model}/identify{query}", files=files, **options)


@pytest.fixture(scope="module")
def house(
    colour_bundle: Callable[..., Bundle],
    tmp_path_factory: pytest.TempPathFactory,
    serving: Callable[[Callable[[str], Any]], str],
) -> Iterator[House]:
    """Two models, of which one is restricted; nobody's images are counted."""
    folder = tmp_path_factory.mktemp("house")
    colour_bundle(folder / "models")
    colour_bundle(folder / "models", "1", "eggs")
    (folder / "information").mkdir()
    (folder / "information/taxa.csv").write_text(INFORMATION, encoding="utf-8")
    (folder / "models/eggs/model.toml").write_text(CLOSED)
    with Store(f"sqlite:///{folder / 'store.sqlite'}") as store:
        house = House(folder, store)
        house.address = serving(
            lambda address: create_app(
                Settings(home=str(folder), base_url=address, images_a_minute=0), store=store, now=now
            )
        )
        yield house
        house.client.close()


def item(document: dict[str, Any]) -> str:
    """Return the Q-id that an answer names."""
    return str(document["body"]["id"]).rpartition("/")[2]


def test_several_images_of_one_object_have_one_answer(house: House, picture: Picture) -> None:
    answer = house.ask(picture("red"), picture("red", size=(80, 40)), picture("orange"))
    document = answer.json()
    assert (answer.status_code, item(document)) == (200, RED)
    images = [f"urn:sha1:{sha1(one)}" for one in (picture("red"), picture("red", size=(80, 40)))]
    assert document["target"]["images"][:2] == document["wasGeneratedBy"]["used"][:2] == images
    assert document["target"]["id"].startswith("urn:deboodt:observation:")
    again = house.ask(picture("red"), picture("red", size=(80, 40)), picture("orange")).json()
    assert again == document, "the same question has the same answer, byte for byte"


def test_each_image_has_its_own_answer_where_that_is_asked_and_a_broken_one_is_told(
    house: House, picture: Picture
) -> None:
    document = house.ask(picture("red"), b"no image", picture("blue"), query="?each=true").json()
    assert [item(one) for one in document["items"]] == [RED, BLUE]
    assert document["lost"] == ["plate 1.jpg: Unreadable image: not an image of a kind that is read"]
    turtle = house.ask(picture("red"), picture("blue"), query="?each=1", headers={"accept": "text/turtle"})
    assert turtle.status_code == 200
    assert turtle.text.count("oa:Annotation") == 2


def test_an_answer_says_how_it_was_made(house: House, picture: Picture) -> None:
    document = house.ask(picture("red")).json()
    made = document["wasGeneratedBy"]
    assert made["parameters"] == ["engine=litert", "image_px=32"]
    assert (made["endedAtTime"], made["used"]) == (WHEN, document["target"]["id"])
    assert document["creator"]["weights"].startswith("sha256:")
    assert (document["creator"]["name"], document["creator"]["version"]) == ("colours", "1")
    assert document["generator"]["version"]
    first = document["alternatives"][0]
    assert first["taxonID"] == "https://www.gbif.org/species/4299368"


def test_an_answer_is_kept_where_somebody_who_may_asks_for_it(house: House, picture: Picture) -> None:
    images = picture("blue", "PNG"), picture("blue", "PNG", (20, 50))
    assert house.ask(*images, query="?store=true").status_code == 401
    viewer = house.token("Vera", "viewer")
    assert house.ask(*images, query="?store=true", headers=viewer).status_code == 403
    assert house.store.count(Identification) == 0
    anna = house.token("Anna")
    document = house.ask(*images, query="?store=true", headers=anna).json()
    assert document["id"].startswith(f"{house.address}/identifications/")
    served = house.client.get(document["id"]).json()
    assert item(served) == BLUE
    assert served["reviewPage"] == document["reviewPage"]
    page = house.client.get(served["reviewPage"])
    assert page.status_code == 200
    (kept,) = house.store.page(Identification)
    shown = house.store.get(MediaFile, kept.file)
    assert shown is not None
    assert house.client.get(f"{house.address}/media/{kept.file.replace(':', '%3A')}/image").content == images[0]
    files = [house.store.get(MediaFile, f"urn:sha1:{sha1(one)}") for one in images]
    assert [one.group for one in files if one] == [kept.file, kept.file]
    again = house.ask(*images, query="?store=true", headers=anna)
    assert again.json()["id"] == document["id"]
    assert house.store.count(Identification) == 1


def test_a_restricted_model_is_described_to_all_and_answers_those_it_was_granted_to(
    house: House, picture: Picture
) -> None:
    listed = house.client.get(f"{house.address}/models").json()["items"]
    assert {one["name"]: one.get("restricted", False) for one in listed} == {"colours": False, "eggs": True}
    told = house.client.get(f"{house.address}/models/eggs").json()
    assert (told["accessRights"], told["releaseNotes"], told["classCount"]) == (
        "For the egg collection alone.",
        "The first.",
        3,
    )
    assert house.client.get(told["card"]).text.startswith("# colours")
    page = house.client.get(f"{house.address}/models/eggs", headers={"accept": "text/html"}).text
    assert "eggs@museum.example" in page
    anybody = house.ask(picture("red"), model="eggs")
    assert (anybody.status_code, anybody.headers["content-type"]) == (401, "application/problem+json")
    assert "bearer" in anybody.headers["www-authenticate"].lower()
    assert house.ask(picture("red"), model="eggs", headers=house.token("Bea")).status_code == 403
    granted = house.token("Cor", models=["eggs"])
    answer = house.ask(picture("red"), model="eggs", headers=granted)
    assert answer.status_code == 200
    infer = f"{house.address}/v2/models/eggs/infer"
    tensor = {"name": "pixels", "datatype": "UINT8", "shape": [1, 32, 32, 3], "data": [9] * 3072}
    assert house.client.post(infer, json={"inputs": [tensor]}).status_code == 401
    assert house.client.post(infer, json={"inputs": [tensor]}, headers=granted).status_code == 200
    used = list(house.store.events(kind="model.used"))
    assert [one.subject for one in used] == ["eggs@1", "eggs@1"]
    assert sha1(picture("red")) in used[0].payload
    assert {one.agent for one in used} <= {one.agent for one in house.store.events()} - {""}


def test_terms_that_cannot_be_read_close_a_model_and_are_told(house: House, picture: Picture) -> None:
    path = house.folder / "models/colours/model.toml"
    try:
        path.write_text("restricted = false\nuse_policy = 'unclosed")
        assert house.ask(picture("red")).status_code == 401
        assert "model.toml" in house.client.get(f"{house.address}/health").json()["broken_models"]["colours"]
    finally:
        path.unlink()
    assert house.ask(picture("red")).status_code == 200


def test_newer_versions_take_over_without_a_request_lost(
    house: House, colour_bundle: Callable[..., Bundle], picture: Picture, tmp_path: Path
) -> None:
    colour_bundle(tmp_path, "1")
    shelf = Shelf(tmp_path)
    assert list(shelf) == ["colours@1"]
    old = shelf["colours@1"]
    old.ready()
    colour_bundle(tmp_path, "2")
    (tmp_path / "colours/3").mkdir()
    (tmp_path / "colours/3/bundle.json").write_text("{}")
    assert shelf.look()
    assert not shelf.look(), "nothing has changed since"
    assert list(shelf) == ["colours@2", "colours@1"]
    assert shelf["colours@1"] is old
    assert shelf["colours@2"].is_ready, "it was tried before it was offered"
    assert list(shelf.broken) == ["colours/3"]
    (tmp_path / "colours/1").rename(tmp_path / "gone")
    assert shelf.look()
    assert list(shelf) == ["colours@2"]
    assert old.answer([picture("red")]), "what still asks the old one is answered"
    shutil.copytree(tmp_path / "colours/2", tmp_path / "eggs/2")
    assert shelf.look()
    assert list(shelf) == ["colours@2"], "it would answer on other terms than those of its folder"
    assert "this is colours/2" in shelf.broken["eggs/2"]
    # and the same in a running server, by its own eyes
    colour_bundle(house.folder / "models", "2")
    until = time.monotonic() + 30
    while house.client.get(f"{house.address}/models/colours").json()["version"] != "2":
        assert house.ask(picture("red")).status_code == 200
        assert time.monotonic() < until
    assert house.ask(picture("red")).json()["creator"]["version"] == "2"
    assert house.ask(picture("red"), model="colours@1").json()["creator"]["version"] == "1"


def test_quotas_are_said_and_kept(
    colour_bundle: Callable[..., Bundle], tmp_path: Path, serving: Callable[..., str], picture: Picture
) -> None:
    colour_bundle(tmp_path / "models")
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        few = House(tmp_path, store)
        few.address = serving(
            lambda address: create_app(
                Settings(home=str(tmp_path), base_url=address, images_a_minute=3, images_a_day=4), store=store, now=now
            )
        )
        first = few.ask(picture("red"), picture("red"), query="?each=1")
        assert first.headers["ratelimit-policy"] == '"minute";q=3;w=60'
        assert first.headers["ratelimit"].startswith('"minute";r=1;t=')
        over = few.ask(picture("red"), picture("red"), query="?each=1")
        assert (over.status_code, over.json()["title"]) == (429, "Too many images")
        assert 1 <= int(over.headers["retry-after"]) <= 60
        assert few.ask(picture("red")).headers["ratelimit"].startswith('"minute";r=0;')
        assert few.ask(picture("red")).status_code == 429
        anna = few.token("Anna")
        assert few.ask(picture("red"), headers=anna).headers["ratelimit"].startswith('"day";r=3;')
        granted = few.token("Bea", images=1000)
        assert few.ask(picture("red"), headers=granted).headers["ratelimit"].startswith('"day";r=999;')
        few.client.close()


def test_what_is_told_of_a_taxon_stands_beside_its_determination(house: House, picture: Picture) -> None:
    told = house.ask(picture("red")).json()["information"]
    assert told["told"] == {"nl": "Trekt ver.", "en": "Travels <far>."}
    assert (told["size"], told["similarTo"]) == ("45–60 mm", ["Vanessa atalanta"])
    links = {one["label"]: one["id"] for one in told["seeAlso"]}
    assert links["Museum"] == "https://museum.example/2"
    assert links["GBIF"] == "https://www.gbif.org/species/4299368"
    assert links["Wikipedia (nl)"].endswith("/nlwiki/Q158603")
    page = house.ask(picture("red"), headers={"accept": "text/html", "accept-language": "nl"}).text
    assert "Trekt ver." in page
    assert "Travels" not in page
    page = house.ask(picture("red"), headers={"accept": "text/html", "accept-language": "de"}).text
    assert "Travels &lt;far&gt;." in page
    turtle = house.ask(picture("red"), headers={"accept": "text/turtle"}).text
    assert '"Trekt ver."@nl' in turtle


def test_what_is_known_beside_the_image_changes_the_answer_and_is_told(house: House, picture: Picture) -> None:
    plain = house.ask(picture("purple")).json()
    known = house.ask(picture("purple"), query=f"?checklist={RED},Q1&size_mm=50&precision=0.6").json()
    assert known["wasGeneratedBy"]["parameters"][:3] == [f"checklist={RED},Q1", "precision=0.6", "size_mm=50"]
    assert [one.split(" ")[0] for one in known["priors"]] == ["checklist", "size"]
    assert known["alternatives"] != plain["alternatives"]
    assert known["id"] != plain["id"], "another question has another answer"
    assert plain["word"] in ("certain", "likely", "uncertain", "unknown")
    assert plain["masses"][0]["probability"] == plain["alternatives"][0]["probability"]
    for query in ("?size_mm=wide", "?years=9-3", "?precision=1", "?coverage=-1", "?precision=nan"):
        refused = house.ask(picture("red"), query=query)
        assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")


def test_classes_come_by_pages(house: House) -> None:
    first = house.client.get(f"{house.address}/models/colours/classes").json()
    assert [one["notation"] for one in first["hasTopConcept"]] == ["0", "1", "2"]
    assert "next" not in first
    assert house.client.get(f"{house.address}/models/colours/classes?page=2").status_code == 404
    assert house.client.get(f"{house.address}/models/colours/classes?page=0").status_code == 422
