"""A dataset that is published: described, downloaded in parts, each image tied to its file and its label, over HTTP."""

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import requests
from click.testing import CliRunner
from PIL import Image

from crowd.campaign import DatasetRules
from harvest.datasets.about import About
from harvest.datasets.building import build
from harvest.datasets.manifest import Dataset, read_dataset
from identify.app import create_app
from identify.cli import cli
from linkeddata.records import Label, MediaFile
from linkeddata.settings import Settings
from linkeddata.storage import Stored, stored_file
from linkeddata.store import Store

WHEN = "2026-11-02T10:00:00Z"
BY = "https://creativecommons.org/licenses/by/4.0/"
RULES = DatasetRules(rank="tagged", min_images=1, labels=("accepted",), sign=True)
ABOUT = About(
    title="Birds on plates", name="plates-of-taxon", query="SELECT", endpoint="https://q.example/", dated=WHEN
)
FILE = "https://commons.deboodt.example/entity/M"


@dataclass(frozen=True)
class House:
    """An installation with two versions of a dataset, and its address."""

    home: Path
    address: str
    first: Dataset
    second: Dataset

    def deboodt(self, *words: str) -> str:
        done = CliRunner().invoke(cli, ["--home", str(self.home), *words], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout


def records(folder: Path) -> tuple[list[MediaFile], list[Label]]:
    media, labels = [], []
    for number in range(12):
        out = io.BytesIO()
        cells = np.random.default_rng(number).integers(0, 255, (7, 9, 3), np.uint8)
        Image.fromarray(cells).resize((144, 112)).save(out, "JPEG")
        sha1 = hashlib.sha1(out.getvalue(), usedforsecurity=False).hexdigest()
        (folder / f"{sha1}.jpg").write_bytes(out.getvalue())
        media.append(MediaFile(iri=f"{FILE}{number}", sha1=sha1, licence=BY, credit="A. Painter", group=f"g{number}"))
        iri, concept = f"{FILE}{number}", f"Q{number % 2 + 1}"
        labels.append(
            Label(
                id=f"l{number}", campaign="birds", file=iri, concept=concept, name="A b", status="accepted", moment=WHEN
            )
        )
    return media, labels


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, serving: Callable[..., str]) -> House:
    home = tmp_path_factory.mktemp("house")
    (home / "pictures").mkdir()
    media, labels = records(home / "pictures")

    def image_of(one: MediaFile) -> Stored:
        return stored_file(home / f"pictures/{one.sha1}.jpg", sha1=one.sha1, mime="image/jpeg")

    def made() -> Dataset:
        return build(media, labels, (), image_of, home / "built/birds", RULES, about=ABOUT)

    with Store(f"sqlite:///{home / 'deboodt.sqlite'}") as store:
        store.put([*media, *labels], agent="test", moment=WHEN)
    first = made()
    words = ["--home", str(home), "dataset", "publish", str(home / "built/birds")]
    assert CliRunner().invoke(cli, words, catch_exceptions=False).exit_code == 0
    media[3] = replace(media[3], licence="https://creativecommons.org/publicdomain/zero/1.0/")
    second = made()
    for _ in range(2):  # again, which changes nothing
        assert CliRunner().invoke(cli, words, catch_exceptions=False).exit_code == 0
    address = serving(lambda at: create_app(Settings(home=str(home), base_url=at)))
    return House(home, address, first, second)


def version_of(house: House, data: Dataset) -> str:
    return f"{house.address}/datasets/training/birds@{data.sha256[:16]}"


def test_the_catalogue_has_it_and_it_leads_to_its_versions(house: House) -> None:
    catalogue = requests.get(f"{house.address}/catalogue", timeout=30).json()
    iri = f"{house.address}/datasets/training/birds"
    one = next(one for one in catalogue["dataset"] if one["id"] == iri)
    assert one["name"]["en"] == "Training dataset “Birds on plates”"
    assert one["dcat:hasVersion"] == [version_of(house, house.second), version_of(house, house.first)]
    assert one["dcat:hasCurrentVersion"] == version_of(house, house.second)
    assert iri in requests.get(f"{house.address}/sitemap.xml", timeout=30).text


def test_a_version_says_what_it_revises_and_what_changed(house: House) -> None:
    doc = requests.get(version_of(house, house.second), timeout=30).json()
    assert doc["prov:wasRevisionOf"] == doc["dcat:previousVersion"] == version_of(house, house.first)
    assert "Since the version before: 1 licence changed." in doc["description"]["en"]
    assert "prov:wasRevisionOf" not in requests.get(version_of(house, house.first), timeout=30).json()
    page = requests.get(version_of(house, house.second), headers={"Accept": "text/html"}, timeout=30)
    assert "train-000000.tar" in page.text


def test_every_file_is_what_its_description_says_and_comes_in_parts(house: House) -> None:
    doc = requests.get(version_of(house, house.second), timeout=30).json()
    ways = {way["contentUrl"].rpartition("/")[2]: way for way in doc["distribution"]}
    assert {"manifest.parquet", "croissant.json", "leakage.json", "changes.json", "train-000000.tar"} <= set(ways)
    for way in ways.values():
        answer = requests.get(way["contentUrl"], timeout=30)
        assert hashlib.sha256(answer.content).hexdigest() == way["sha256"]
        assert way["contentSize"] == f"{len(answer.content)} B"
    shard = ways["train-000000.tar"]["contentUrl"]
    whole = requests.get(shard, timeout=30)
    tag = whole.headers["etag"]
    part = requests.get(shard, headers={"Range": "bytes=512-1023", "If-Range": tag}, timeout=30)
    assert (part.status_code, part.content) == (206, whole.content[512:1024])
    assert requests.get(shard, headers={"If-None-Match": tag}, timeout=30).status_code == 304
    with tarfile.open(fileobj=io.BytesIO(whole.content)) as tar:
        images = [name for name in tar.getnames() if name.endswith(".jpg")]
    assert len(images) == len(house.second.split("train"))


def test_each_image_is_tied_to_its_file_its_class_and_its_label(house: House) -> None:
    version = version_of(house, house.second)
    led = requests.get(version, timeout=30).json()["void:exampleResource"]
    assert len(led) == 3
    example = house.second.examples[0]
    number = example.file.removeprefix(FILE)
    doc = requests.get(f"{version}/examples/{example.sha1}", timeout=30).json()
    assert doc["id"] in led
    assert doc["isBasedOn"] == example.file
    assert doc["subjectOf"] == [f"{house.address}/labels/l{number}"]
    assert doc["prov:wasDerivedFrom"] == [example.file, f"{house.address}/labels/l{number}"]
    assert requests.get(doc["subjectOf"][0], timeout=30).json()["target"]
    assert doc["about"] == f"http://www.wikidata.org/entity/{example.concept}"
    assert (doc["license"], doc["creditText"], doc["keywords"]) == (BY, "A. Painter", example.split)
    image = requests.get(doc["contentUrl"], timeout=30)
    assert hashlib.sha1(image.content, usedforsecurity=False).hexdigest() == example.copy_sha1
    assert (image.headers["content-type"], b"A. Painter" in image.content) == ("image/jpeg", True)
    part = requests.get(doc["contentUrl"], headers={"Range": "bytes=0-9"}, timeout=30)
    assert (part.status_code, part.content) == (206, image.content[:10])
    page = requests.get(doc["id"], headers={"Accept": "text/html"}, timeout=30).text
    assert doc["contentUrl"] in page
    assert requests.get(f"{doc['id']}.ttl", timeout=30).status_code == 200


@pytest.mark.parametrize("path", ["/examples/0", "/images/..%2Fdataset.json", "/images/x.jpg", "/report.html"])
def test_what_is_not_published_is_not_found(house: House, path: str) -> None:
    assert requests.get(f"{version_of(house, house.second)}{path}", timeout=30).status_code == 404


def test_an_image_whose_file_was_taken_away_is_gone(house: House) -> None:
    example = house.second.examples[-1]
    with Store(f"sqlite:///{house.home / 'deboodt.sqlite'}") as store:
        store.withdraw(MediaFile, [example.file], agent="test", moment=WHEN, reason="its maker asked")
    version = version_of(house, house.second)
    for path in (f"examples/{example.sha1}", example.path):
        answer = requests.get(f"{version}/{path}", timeout=30)
        assert answer.status_code == 410, path
        assert "its maker asked" in answer.text


def test_only_what_carries_its_credit_and_does_not_leak_is_published(house: House, tmp_path: Path) -> None:
    built = house.home / "built/birds"
    for name, message in (("unsigned", "build it with --sign"), ("leaky", "not what its certificate says")):
        copy = tmp_path / name

        shutil.copytree(built, copy)
        if name == "unsigned":
            told = json.loads((copy / "dataset.json").read_text(encoding="utf-8"))
            told["rules"]["sign"] = False
            (copy / "dataset.json").write_text(json.dumps(told), encoding="utf-8")
        else:
            next((copy / "images").rglob("*.jpg")).write_bytes(b"another")
        done = CliRunner().invoke(cli, ["--home", str(house.home), "dataset", "publish", str(copy)])
        assert message in str(done.exception)
    done = CliRunner().invoke(cli, ["--home", str(house.home), "dataset", "publish", str(built), "--name", "../x"])
    assert "small letters" in str(done.exception)


def test_a_version_that_was_withdrawn_is_known_and_no_longer_kept(house: House) -> None:
    version = version_of(house, house.first)
    assert requests.get(f"{version}/manifest.csv", timeout=30).status_code == 200
    house.deboodt("dataset", "withdraw", f"birds@{house.first.sha256[:16]}")
    assert requests.get(f"{version}/manifest.csv", timeout=30).status_code == 404
    doc = requests.get(version, timeout=30).json()
    assert "no longer kept here" in doc["description"]["en"]
    assert "distribution" not in doc
    assert read_dataset(house.home / "datasets/birds" / house.second.sha256[:16]).sha256 == house.second.sha256
