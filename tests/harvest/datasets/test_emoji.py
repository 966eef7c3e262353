"""The drawings of 199 animals and plants by five artists: real images, licences of every kind, artists as groups."""

import csv
import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from crowd.campaign import DatasetRules
from harvest.datasets.about import About
from harvest.datasets.building import build
from harvest.datasets.layouts import lay_out
from harvest.datasets.leakage import verify
from harvest.datasets.manifest import Dataset
from linkeddata.records import Label, MediaFile
from linkeddata.storage import Stored, stored_file

LICENCES = {
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC-BY-SA-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "Apache-2.0": "https://www.apache.org/licenses/LICENSE-2.0",
    "MIT": "https://opensource.org/license/mit",
}


@pytest.fixture(scope="module")
def emoji(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = recordings / "images/emoji"
    media, labels, stored = [], [], dict[str, Stored]()
    with (folder / "labels.tsv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            iri = f"https://emoji.example/{row['path']}"
            data = (folder / row["path"]).read_bytes()
            sha1 = hashlib.sha1(data, usedforsecurity=False).hexdigest()
            stored[iri] = stored_file(folder / row["path"], sha1=sha1, mime="image/png")
            licence = LICENCES[row["licence"]]
            media.append(MediaFile(iri=iri, sha1=sha1, licence=licence, creator=row["author"], group=row["author"]))
            labels.append(
                Label(id=iri, campaign="emoji", file=iri, concept=row["hexcode"], name=row["label_en"], status="single")
            )
    return build(
        media,
        labels,
        (),
        lambda one: stored[one.iri],
        tmp_path_factory.mktemp("emoji") / "set",
        DatasetRules(rank="tagged", min_images=1, min_altogether=3, labels=("single",), sign=True),
        about=About(title="Animals and plants as emoji", name="emoji"),
    )


def test_every_class_is_there_and_no_artist_is_on_two_sides(emoji: Dataset) -> None:
    assert len(emoji.classes) == 199
    sides = Counter((example.group, example.split) for example in emoji.examples)
    assert len(sides) == len({example.group for example in emoji.examples}) == 5
    assert {side for _, side in sides} == {"train", "validation", "test"}
    assert all(one.train >= 1 for one in emoji.classes)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # mlcroissant's, of rdflib
def test_it_is_valid_croissant_and_loads(emoji: Dataset, tmp_path: Path) -> None:
    croissant = pytest.importorskip("mlcroissant")
    datasets = pytest.importorskip("datasets")
    loaded = croissant.Dataset(jsonld=emoji.folder / "croissant.json")
    assert loaded.metadata.ctx.issues.errors == set()
    lay_out(emoji, "parquet", tmp_path / "hf")
    sides = datasets.load_dataset(str(tmp_path / "hf"), cache_dir=str(tmp_path / "cache"))
    assert sum(map(len, sides.values())) == len(emoji.examples)
    assert sides["train"].features["label"].num_classes == 199
    assert min(sides["test"][0]["image"].size) > 0


def test_no_artist_drew_after_another_and_a_planted_copy_is_found(emoji: Dataset) -> None:
    assert verify(emoji.folder) == []
    told = json.loads((emoji.folder / "leakage.json").read_text(encoding="utf-8"))
    assert told["pairs"]["copies across sides"] == 0
    assert told["pairs"]["compared"] == len(emoji.examples) * (len(emoji.examples) - 1) // 2
    taught, victim = emoji.split("train")[0], emoji.folder / emoji.split("test")[0].path
    kept = victim.read_bytes()
    with Image.open(emoji.folder / taught.path) as image:
        ImageOps.mirror(image).save(victim, "PNG")
    troubles = verify(emoji.folder)
    assert any("mirrored copies of one picture" in one for one in troubles)
    victim.write_bytes(kept)


def test_everything_that_is_not_in_it_is_told(emoji: Dataset) -> None:
    told = json.loads((emoji.folder / "dataset.json").read_text(encoding="utf-8"))
    assert len(emoji.examples) + len({one["file"] for one in told["lost"]}) == 1165
    assert {one["reason"] for one in told["lost"]} <= {"duplicate image"}
