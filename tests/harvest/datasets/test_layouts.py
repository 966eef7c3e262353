"""Other layouts, read by what they are written for: tar, TensorFlow, Hugging Face, and the lines in the docs."""

import hashlib
import importlib.util
import io
import json
import pickle
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from PIL import Image

from crowd.campaign import DatasetRules
from harvest.datasets.about import About
from harvest.datasets.building import build
from harvest.datasets.layouts import LAYOUTS, lay_out
from harvest.datasets.manifest import Dataset, read_dataset
from harvest.datasets.reading import Images
from harvest.datasets.sharding import shards
from linkeddata.errors import DatasetError, UsageError
from linkeddata.records import Ancestor, Label, MediaFile, Tag, Taxon
from linkeddata.storage import Stored, stored_file
from tests.conftest import plate
from tests.harvest.datasets.readers import snippet

LINEAGE = (Ancestor("family", "Papilionidae", "9417"),)
TAXA = [
    Taxon(query=f"Q{n}", concept=f"Q{n}", name=name, rank="species", item=f"Q{n}", lineage=LINEAGE)
    for n, name in enumerate(("Papilio paris", "Papilio helenus"), 1)
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """24 plates of two kinds by six makers, two of them with a region, and a stranger."""
    pictures = tmp_path_factory.mktemp("pictures")
    media, labels, tags, stored = [], [], [], dict[str, Stored]()
    for number in range(25):
        image = plate(number)
        sha1 = hashlib.sha1(image, usedforsecurity=False).hexdigest()
        (pictures / f"{sha1}.jpg").write_bytes(image)
        iri = f"https://commons.wikimedia.org/entity/M{number + 1}"
        stored[iri] = stored_file(pictures / f"{sha1}.jpg", sha1=sha1)
        media.append(MediaFile(iri=iri, sha1=sha1, licence="https://l.example/", credit="É.", group=str(number % 6)))
        concept = f"Q{number // 6 % 2 + 1}"
        labels.append(Label(id=iri, campaign="c", file=iri, concept=concept, status="accepted", probability=0.75))
        tags.append(Tag(id=iri, file=iri, item=concept, region="pct:25,0,50,50" if number < 2 else ""))
    return build(
        media,
        labels[:-1],
        TAXA,
        lambda one: stored[one.iri],
        tmp_path_factory.mktemp("built") / "set",
        DatasetRules(min_images=1),
        tags=tags,
        strangers={media[-1].iri},
        about=About(title="Plates"),
    )


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_the_same_each_time_and_tells_whose_pictures_these_are(
    data: Dataset, layout: str, tmp_path: Path
) -> None:
    written = lay_out(data, layout, tmp_path / "one")
    lay_out(data, layout, tmp_path / "two")
    assert written
    assert all(path.is_file() for path in written)
    assert content(tmp_path / "one") == content(tmp_path / "two")
    assert (tmp_path / "one" / "CREDITS.md").read_bytes() == (data.folder / "CREDITS.md").read_bytes()
    with pytest.raises(UsageError, match="is there already"):
        lay_out(data, layout, tmp_path / "one")


def test_shards_hold_every_example_once_and_mix_the_classes(data: Dataset) -> None:
    made = list(shards(data, 5))
    assert sorted(e.file for shard in made for e in shard.examples) == sorted(e.file for e in data.examples)
    assert all(len(shard.examples) <= 5 for shard in made)
    assert [shard.number for shard in made if shard.side == "train"] == list(range(made[0].of))
    assert {len({e.concept for e in shard.examples}) for shard in made if shard.side == "train"} == {2}


def test_webdataset_shards_are_tars_of_samples(data: Dataset, tmp_path: Path) -> None:
    lay_out(data, "webdataset", tmp_path / "wds")
    seen = {}
    for path in sorted((tmp_path / "wds").glob("*.tar")):
        with tarfile.open(path) as tar:
            members = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
        for name in members:
            if name.endswith(".json"):
                row = json.loads(members[name])
                seen[row["file"]] = row | {"cls": members.get(f"{row['sha1']}.cls"), "side": path.name.split("-")[0]}
                Image.open(io.BytesIO(members[f"{row['sha1']}.jpg"])).verify()
    numbers = {one.concept: str(number).encode() for number, one in enumerate(data.classes)}
    assert seen.keys() == {e.file for e in data.examples}
    for example in data.examples:
        row = seen[example.file]
        assert (row["side"], row["cls"]) == (example.split, numbers.get(example.concept))
        assert (row["licence"], row["credit"]) == ("https://l.example/", "É.")


# In a process of its own: TensorFlow brings a libcurl of its own, beside which pycurl cannot be loaded any more.
READ = """
import json, sys
scope = {}
exec(sys.stdin.read(), scope)
tf = scope["tf"]
rows = [[image.numpy().shape, int(label)] for image, label in scope["data"]]
(stranger,) = tf.data.TFRecordDataset(sys.argv[1])
told = tf.train.Example.FromString(stranger.numpy()).features.feature
print(json.dumps({
    "rows": rows,
    "label": list(told["image/class/label"].int64_list.value),
    "credit": told["credit"].bytes_list.value[0].decode(),
    "sha1": __import__("hashlib").sha1(told["image/encoded"].bytes_list.value[0]).hexdigest(),
}))
"""


def test_tensorflow_reads_the_records_by_the_lines_of_the_docs(data: Dataset, tmp_path: Path) -> None:
    if importlib.util.find_spec("tensorflow") is None:
        pytest.skip("no TensorFlow: pip install 'deboodt[train]'")
    lay_out(data, "tfrecord", tmp_path / "plates-tf")
    lines = snippet("tensorflow").replace("plates-tf/", f"{tmp_path}/plates-tf/")
    command = [sys.executable, "-c", READ, str(tmp_path / "plates-tf/stranger-00000-of-00001.tfrecord")]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    train = data.split("train")
    assert sorted(label for _, label in told["rows"]) == sorted(["Q2", "Q1"].index(e.concept) for e in train)
    assert {tuple(shape) for shape, _ in told["rows"]} == {(24, 24, 3)}
    assert (told["label"], told["credit"]) == ([-1], "É.")
    assert told["sha1"] == data.split("stranger")[0].sha1


def test_hugging_face_loads_pictures_with_class_names(data: Dataset, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    lay_out(data, "parquet", tmp_path / "hf")
    loaded = datasets.load_dataset(str(tmp_path / "hf"), cache_dir=str(tmp_path / "cache"))
    assert {side: len(rows) for side, rows in loaded.items()} == {
        side: len(data.split(side)) for side in ("train", "validation", "test", "stranger")
    }
    assert loaded["train"].features["label"].names == [one.label for one in data.classes]
    by_file = {e.file: e for e in data.examples}
    for row in loaded["test"]:
        example = by_file[row["file"]]
        assert loaded["test"].features["label"].int2str(row["label"]) == example.label
        assert row["image"].size == (24, 24)
        assert row["lineage"] == [{"rank": "family", "name": "Papilionidae", "gbif_key": "9417"}]
    assert loaded["stranger"][0]["label"] in (-1, None)


def test_coco_has_the_regions_in_pixels(data: Dataset, tmp_path: Path) -> None:
    lay_out(data, "coco", tmp_path / "coco")
    boxes, files = [], []
    for path in (tmp_path / "coco").glob("instances_*.json"):
        told = json.loads(path.read_text(encoding="utf-8"))
        names = {category["id"]: category["name"] for category in told["categories"]}
        images = {image["id"]: image for image in told["images"]}
        for one in told["annotations"]:
            boxes.append((one["bbox"], one["area"], names[one["category_id"]]))
            files.append(images[one["image_id"]]["file_name"])
    assert boxes == [([6.0, 0.0, 12.0, 12.0], 144.0, "Papilio paris")] * 2
    assert set(files) <= {e.path for e in data.examples}


def test_images_can_be_asked_for_by_number_as_pytorch_does(data: Dataset) -> None:
    images = Images(data.folder, "train", transform=lambda picture: picture.size)
    assert len(images) == len(data.split("train"))
    assert images.classes == ("Papilio helenus", "Papilio paris")
    assert [images[i][1] for i in range(len(images))] == [["Q2", "Q1"].index(e.concept) for e in data.split("train")]
    assert images[0][0] == (24, 24)
    copied = pickle.loads(pickle.dumps(Images(data.folder, "test")))  # noqa: S301 - as workers get it
    assert copied[0][0].mode == "RGB"
    with pytest.raises(IndexError):
        images[len(images)]


def test_what_cannot_be_laid_out_is_said(data: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no layout 'zip'; there are webdataset"):
        lay_out(data, "zip", tmp_path / "x")
    bare = read_dataset(data.folder)
    without = Dataset(
        folder=bare.folder, sha256=bare.sha256, examples=data.split("stranger"), classes=bare.classes, counts={}
    )
    with pytest.raises(DatasetError, match="nothing for the layout coco"):
        lay_out(without, "coco", tmp_path / "x")
    assert not list(tmp_path.iterdir())
