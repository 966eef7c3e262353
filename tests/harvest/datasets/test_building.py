"""Building a dataset: what goes in, on which side, what is lost and why, and that it is the same every time."""

import csv
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from crowd.campaign import DatasetRules
from harvest.datasets.building import build
from harvest.datasets.manifest import Dataset, read_dataset
from identify.learning.truths import truths_of
from linkeddata.errors import DatasetError
from linkeddata.records import Ancestor, Label, MediaFile, Taxon
from linkeddata.storage import Stored, open_storage, stored_file

LEPIDOPTERA = (Ancestor("order", "Lepidoptera", "797"),)
PAPILIONIDAE = (*LEPIDOPTERA, Ancestor("family", "Papilionidae", "9417"))
PAPILIO = (*PAPILIONIDAE, Ancestor("genus", "Papilio", "1937876"))
TAXA = (
    Taxon(query="Q1", concept="Q1", name="Papilio paris", rank="species", item="Q1", gbif_key="11", lineage=PAPILIO),
    Taxon(query="Q2", concept="Q2", name="Papilio helenus", rank="species", item="Q2", gbif_key="12", lineage=PAPILIO),
    Taxon(query="Q3", concept="Q3", name="Papilio", rank="genus", item="Q3", gbif_key="1937876", lineage=PAPILIONIDAE),
    Taxon(
        query="Papilio paris decorosa",
        concept="gbif:13",
        name="Papilio paris decorosa",
        rank="subspecies",
        gbif_key="13",
        lineage=(*PAPILIO, Ancestor("species", "Papilio paris", "11")),
    ),
)
HANDS = ("ink", "wash", "engraving", "watercolour")
RULES = DatasetRules(min_images=2, test_groups=("wash",), validation_groups=("engraving",))


class Cabinet:
    """Files, labels and images of a small campaign, on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.media: list[MediaFile] = []
        self.labels: list[Label] = []

    def add(self, hand: str, *concepts: str, image: bool = True, licence: str = "https://example.org/cc0/") -> str:
        number = len(self.media) + 1
        data = f"picture {number}".encode()
        iri = f"https://commons.deboodt.example/entity/M{number}"
        sha1 = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        if image:
            (self.folder / f"{sha1}.JPG").write_bytes(data)
        self.media.append(MediaFile(iri=iri, sha1=sha1, group=hand, licence=licence, credit="Painter, CC0"))
        self.labels += [
            Label(id=f"{iri} {concept}", campaign="c", file=iri, concept=concept, status="accepted", probability=0.9)
            for concept in concepts
        ]
        return iri

    def image(self, media: MediaFile) -> Stored | None:
        path = self.folder / f"{media.sha1}.JPG"
        return stored_file(path, sha1=media.sha1) if path.is_file() else None


@pytest.fixture
def cabinet(tmp_path: Path) -> Cabinet:
    """Four plates of two species by each of four hands."""
    (tmp_path / "pictures").mkdir()
    cabinet = Cabinet(tmp_path / "pictures")
    for hand in HANDS:
        for concept in ("Q1", "Q2") * 2:
            cabinet.add(hand, concept)
    return cabinet


@pytest.fixture
def make(cabinet: Cabinet, tmp_path: Path) -> Callable[..., Dataset]:
    """Return a function that builds the cabinet's dataset."""

    def make(rules: DatasetRules = RULES, name: str = "set", strangers: tuple[str, ...] = ()) -> Dataset:
        return build(
            cabinet.media,
            cabinet.labels,
            TAXA,
            cabinet.image,
            tmp_path / name,
            rules,
            strangers=strangers,
            campaign="c",
        )

    return make


def lost(dataset: Dataset) -> dict[str, str]:
    return {failure.subject: failure.reason for failure in dataset.failures}


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_groups_are_whole_on_one_side(make: Callable[..., Dataset]) -> None:
    dataset = make()
    sides = {e.group: e.split for e in dataset.examples}
    assert sides == {"ink": "train", "wash": "test", "engraving": "validation", "watercolour": "train"}
    assert len({(e.group, e.split) for e in dataset.examples}) == len(HANDS)
    assert dataset.counts == {
        "classes": 2,
        "images": 16,
        "lost": 0,
        "train": 8,
        "validation": 4,
        "test": 4,
        "known": 0,
        "stranger": 0,
    }


def test_shares_choose_groups_where_none_are_named(make: Callable[..., Dataset]) -> None:
    dataset = make(DatasetRules(min_images=2, test_share=0.25, validation_share=0.25))
    groups = {split: {e.group for e in dataset.split(split)} for split in ("train", "validation", "test")}
    assert [len(groups[s]) for s in ("train", "validation", "test")] == [2, 1, 1]
    assert set.union(*groups.values()) == set(HANDS)


def test_known_images_come_from_training_groups_only(make: Callable[..., Dataset]) -> None:
    dataset = make(replace(RULES, known_share=0.4, min_images=1))
    assert {e.group for e in dataset.split("known")} <= {"ink", "watercolour"}
    assert 0 < len(dataset.split("known")) < 8


def test_images_may_be_kept_elsewhere(cabinet: Cabinet, make: Callable[..., Dataset], tmp_path: Path) -> None:
    here = make()
    storage = open_storage(f"memory://{tmp_path.name}")
    for path in cabinet.folder.iterdir():
        storage.write(path.name, path.read_bytes())
    there = build(
        cabinet.media,
        cabinet.labels,
        TAXA,
        lambda media: Stored(storage, f"{media.sha1}.JPG", media.sha1),
        tmp_path / "there",
        RULES,
        campaign="c",
    )
    assert there.sha256 == here.sha256
    assert content(tmp_path / "there") == content(tmp_path / "set")


def test_manifest_and_folder_agree(make: Callable[..., Dataset], tmp_path: Path) -> None:
    dataset = make()
    with (tmp_path / "set" / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 16
    for row in rows:
        data = (tmp_path / "set" / row["path"]).read_bytes()
        assert hashlib.sha1(data, usedforsecurity=False).hexdigest() == row["sha1"]
        assert row["path"].startswith(f"images/{row['split']}/{row['label'].replace(' ', '-')}/")
    assert rows[0]["licence"] == "https://example.org/cc0/"
    assert rows[0]["credit"] == "Painter, CC0"
    assert read_dataset(tmp_path / "set").examples == dataset.examples
    assert read_dataset(tmp_path / "set").classes == dataset.classes
    assert dataset.classes[1].lineage == PAPILIO
    assert [(c.label, c.item, c.gbif_key) for c in dataset.classes] == [
        ("Papilio helenus", "Q2", "12"),
        ("Papilio paris", "Q1", "11"),
    ]


def test_same_inputs_give_same_bytes_in_any_order(
    make: Callable[..., Dataset], cabinet: Cabinet, tmp_path: Path
) -> None:
    first = make(name="one")
    cabinet.media.reverse()
    cabinet.labels.reverse()
    second = make(name="two")
    assert content(tmp_path / "one") == content(tmp_path / "two")
    assert first.sha256 == second.sha256
    cabinet.add("ink", "Q1")
    assert make(name="three").sha256 != first.sha256


def test_every_loss_has_its_reason(make: Callable[..., Dataset], cabinet: Cabinet) -> None:
    expected = {
        cabinet.add("ink", "Q1", "Q2"): "several species",
        cabinet.add("ink", "Q1", image=False): "no image",
        cabinet.add("ink", "Q1", licence=""): "no licence",
        cabinet.add("ink", "Q3"): "above the rank",
        cabinet.add("ink"): "no accepted label",
        cabinet.add("ink", "Q9"): "above the rank",
    }
    twin = replace(cabinet.media[0], iri="https://commons.deboodt.example/entity/M99")
    cabinet.media.append(twin)
    cabinet.labels.append(replace(cabinet.labels[0], file=twin.iri))
    expected[twin.iri] = "duplicate image"
    dataset = make()
    assert lost(dataset) == expected
    assert dataset.counts["lost: above the rank"] == 2
    assert {f.step for f in dataset.failures} == {"dataset"}
    summary = json.loads((dataset.folder / "dataset.json").read_text(encoding="utf-8"))
    assert {row["file"]: row["reason"] for row in summary["lost"]} == expected


def test_genus_beside_its_species_is_one_species(make: Callable[..., Dataset], cabinet: Cabinet) -> None:
    iri = cabinet.add("ink", "Q1", "Q3")
    dataset = make()
    assert [e.label for e in dataset.examples if e.file == iri] == ["Papilio paris"]


def test_minority_labels_do_not_teach(make: Callable[..., Dataset], cabinet: Cabinet) -> None:
    iri = cabinet.add("ink", "Q1")
    cabinet.labels[-1] = replace(cabinet.labels[-1], status="minority")
    assert lost(make()) == {iri: "no accepted label"}


@pytest.mark.parametrize(
    ("status", "teaches"), [("reviewed", True), ("rejected", False), ("unfit", False), ("disputed", False)]
)
def test_what_experts_said_of_a_label_decides_whether_it_teaches(
    make: Callable[..., Dataset], cabinet: Cabinet, status: str, teaches: bool
) -> None:
    iri = cabinet.labels[-1].file
    cabinet.labels[-1] = replace(cabinet.labels[-1], status=status, counted="accepted")
    assert lost(make()) == ({} if teaches else {iri: "no accepted label"})


def test_classes_with_too_few_images_to_learn_from_are_lost(make: Callable[..., Dataset], cabinet: Cabinet) -> None:
    few = [cabinet.add("ink", "gbif:14"), cabinet.add("wash", "gbif:14"), cabinet.add("wash", "gbif:14")]
    rare = Taxon(query="x", concept="gbif:14", name="Papilio rarus", rank="species", lineage=PAPILIO)
    dataset = build(cabinet.media, cabinet.labels, [*TAXA, rare], cabinet.image, make().folder, RULES)
    assert lost(dataset) == dict.fromkeys(few, "too few images")
    assert "Papilio rarus: 1 for training, 2 are needed" in {f.detail for f in dataset.failures}


def test_labels_roll_up_through_their_lineage(make: Callable[..., Dataset], cabinet: Cabinet) -> None:
    iri = cabinet.add("ink", "gbif:13")
    subspecies = next(e for e in make().examples if e.file == iri)
    assert (subspecies.label, subspecies.concept, subspecies.item) == ("Papilio paris", "Q1", "Q1")
    both = cabinet.add("ink", "Q1", "Q2")
    for _ in range(2):
        cabinet.add("ink", "gbif:15"), cabinet.add("wash", "gbif:15")
    delias = Taxon(
        query="d",
        concept="gbif:15",
        name="Delias berinda",
        rank="species",
        gbif_key="15",
        lineage=(*LEPIDOPTERA, Ancestor("family", "Pieridae", "5481"), Ancestor("genus", "Delias")),
    )
    rules = replace(RULES, rank="genus")
    dataset = build(cabinet.media, cabinet.labels, [*TAXA, delias], cabinet.image, make().folder, rules)
    assert [(c.label, c.item, c.concept) for c in dataset.classes] == [
        ("Delias", "", "name:genus:Delias"),
        ("Papilio", "Q3", "Q3"),
    ]
    assert dataset.classes[0].lineage == delias.lineage[:2]
    assert both not in lost(dataset)


def test_strangers_are_set_aside_without_class(make: Callable[..., Dataset], cabinet: Cabinet) -> None:
    iri = cabinet.add("ink")
    dataset = make(strangers=(iri,))
    (stranger,) = dataset.split("stranger")
    assert (stranger.file, stranger.label, Path(stranger.path).parent.name) == (iri, "", "stranger")
    assert not dataset.failures


def test_names_written_alike_get_folders_of_their_own(make: Callable[..., Dataset], cabinet: Cabinet) -> None:
    homonym = Taxon(query="h", concept="gbif:99", name="Papilio paris", rank="species")
    for _ in range(2):
        cabinet.add("ink", "gbif:99")
    dataset = build(cabinet.media, cabinet.labels, [*TAXA, homonym], cabinet.image, make().folder, RULES)
    assert len({Path(e.path).parent for e in dataset.split("train")}) == 3


def test_what_a_stopped_run_left_is_used_and_the_result_is_the_same(
    make: Callable[..., Dataset], cabinet: Cabinet, tmp_path: Path
) -> None:
    whole = make(name="whole")

    class StoppedError(Exception):
        pass

    def stop(what: str, done: int, total: int) -> None:
        if (what, done) == ("dataset", 5):
            raise StoppedError

    with pytest.raises(StoppedError):
        build(cabinet.media, cabinet.labels, TAXA, cabinet.image, tmp_path / "set", RULES, progress=stop)
    assert not (tmp_path / "set").exists()
    (tmp_path / ".set.partial" / "images" / "left over.jpg").write_bytes(b"x")
    make()
    assert content(tmp_path / "set") == content(whole.folder)
    assert not (tmp_path / ".set.partial").exists()


def test_an_unchanged_dataset_is_left_alone_and_a_changed_one_replaced(
    make: Callable[..., Dataset], cabinet: Cabinet
) -> None:
    folder = make().folder
    before = folder.stat().st_ino
    make()
    assert folder.stat().st_ino == before
    cabinet.add("ink", "Q1")
    assert len(make().examples) == 17
    assert folder.stat().st_ino != before
    assert not list(folder.parent.glob(".set*"))


def test_nothing_to_learn_is_an_error(make: Callable[..., Dataset]) -> None:
    with pytest.raises(DatasetError, match="0 classes with at least 9 images"):
        make(replace(RULES, min_images=9))
    with pytest.raises(DatasetError, match="no usable file is of the group gouache"):
        make(replace(RULES, test_groups=("gouache",)))


def test_an_altered_manifest_is_refused(make: Callable[..., Dataset], tmp_path: Path) -> None:
    folder = make().folder
    manifest = folder / "manifest.csv"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("Papilio paris", "Papilio helenus"), "utf-8")
    with pytest.raises(DatasetError, match="build it again"):
        read_dataset(folder)
    with pytest.raises(DatasetError, match="no dataset"):
        read_dataset(tmp_path / "nowhere")


def test_what_is_known_as_a_genus_only_teaches_what_is_below_it(cabinet: Cabinet, make: Callable[..., Dataset]) -> None:
    usual = {e.file: e.split for e in make(name="usual").examples}
    genus = cabinet.add("ink", "Q3")
    both = cabinet.add("ink", "Q3", "Q1")
    away = cabinet.add("wash", "Q3")
    elsewhere = cabinet.add("ink", "Q4")
    zerynthia = Taxon(query="Q4", concept="Q4", name="Zerynthia", rank="genus", gbif_key="7", lineage=PAPILIONIDAE)
    dataset = build(
        cabinet.media, cabinet.labels, (*TAXA, zerynthia), cabinet.image, cabinet.folder / "set",
        replace(RULES, coarser=True, min_altogether=3, known_share=0.0), campaign="c",
    )  # fmt: skip
    rows = {e.file: e for e in dataset.examples}
    assert (rows[genus].split, rows[genus].label, rows[genus].rank) == ("train", "Papilio", "genus")
    assert (rows[both].label, rows[both].also) == ("Papilio paris", ())  # the species says all that the genus would
    assert lost(dataset) == {away: "above the rank", elsewhere: "above the rank"}
    assert [(one.label, one.rank) for one in dataset.classes] == [
        ("Papilio", "genus"),
        ("Papilio helenus", "species"),
        ("Papilio paris", "species"),
    ]
    assert {file: rows[file].split for file in usual} == usual
    truths = truths_of(dataset)
    assert [one.label for one in truths.data.classes] == ["Papilio helenus", "Papilio paris"]
    assert truths.coarse
