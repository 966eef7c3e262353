"""The drawings of 199 animals and plants by five artists: real images, licences of every kind, artists as groups."""

import json
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image, ImageOps

from harvest.datasets.layouts import lay_out
from harvest.datasets.leakage import verify
from harvest.datasets.manifest import Dataset, read_dataset
from identify.cli import cli
from tests.harvest.datasets.readers import read_by_pytorch, read_by_tensorflow

COLUMNS = {"file": "path", "label": "label_en", "creator": "author"}
"""What the table's columns tell; an artist is a group."""


@pytest.fixture(scope="module")
def emoji(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    table = recordings / "images/emoji/labels.tsv"
    out = tmp_path_factory.mktemp("emoji")
    (out / "deboodt.toml").write_text(f"home = {json.dumps(str(out / 'home'))}", encoding="utf-8")
    words = ["--config", str(out / "deboodt.toml"), "dataset", "build", "--table", str(table), "--min-images", "3"]
    named = [f"--column={what}={name}" for what, name in COLUMNS.items()]
    done = CliRunner().invoke(
        cli, [*words, *named, "--title", "Animals and plants as emoji", "-o", str(out / "set")], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    return read_dataset(out / "set")


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


def test_the_readers_of_the_docs_read_it(emoji: Dataset, tmp_path: Path) -> None:
    read_by_pytorch(emoji)
    if not read_by_tensorflow(emoji, tmp_path):
        pytest.skip("no TensorFlow: pip install 'deboodt[train]'")


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
