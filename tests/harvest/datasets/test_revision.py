"""A new version says itself what changed: a tag taken back, a file deleted, another licence, a corrected label."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from crowd.campaign import DatasetRules
from harvest.datasets.about import About
from harvest.datasets.building import build
from harvest.datasets.manifest import Dataset, read_dataset
from harvest.datasets.revision import FILE, read_revision
from linkeddata.errors import DatasetError
from linkeddata.records import Label, MediaFile
from linkeddata.storage import Stored, stored_file

RULES = DatasetRules(rank="tagged", min_images=1, labels=("single",))


class Plates:
    """Twelve plates of two classes, and what is said of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "pictures").mkdir()
        self.media: list[MediaFile] = []
        self.labels: list[Label] = []
        for number in range(12):
            iri = f"https://f.example/{number:02}"
            sha1 = f"{number:040x}"
            (folder / f"pictures/{sha1}.jpg").write_bytes(b"%d" % number)
            self.media.append(MediaFile(iri=iri, sha1=sha1, licence="https://l.example/by/", group=f"g{number}"))
            self.labels.append(Label(id=iri, campaign="c", file=iri, concept=f"Q{number % 2}", status="single"))

    def build(self, name: str, after: str = "", rules: DatasetRules = RULES) -> Dataset:
        def image_of(one: MediaFile) -> Stored:
            return stored_file(self.folder / f"pictures/{one.sha1}.jpg", sha1=one.sha1)

        about = About(title="Plates", address="https://id.example.org/datasets/training/plates")
        before = self.folder / after if after else None
        out = self.folder / name
        return build(self.media, self.labels, (), image_of, out, rules, about=about, after=before)


@pytest.fixture
def plates(tmp_path: Path) -> Plates:
    return Plates(tmp_path)


def changed(plates: Plates) -> None:
    plates.labels[0] = replace(plates.labels[0], status="withdrawn")
    plates.labels[1] = replace(plates.labels[1], concept="Q0")
    plates.media[2] = replace(plates.media[2], gone="2026-11-20T10:00:00Z")
    plates.media[3] = replace(plates.media[3], licence="https://l.example/zero/")


def test_a_new_version_says_what_changed(plates: Plates) -> None:
    first = plates.build("set")
    assert not (first.folder / FILE).exists()
    changed(plates)
    second = plates.build("set")
    told = json.loads((second.folder / FILE).read_text(encoding="utf-8"))
    assert (told["version"], told["revision of"]) == (second.sha256, first.sha256)
    assert told["counts"] == {"removed": 2, "label corrected": 1, "licence changed": 1}
    assert [(one["kind"], one["file"][-2:], one["after"]) for one in told["changes"]] == [
        ("removed", "00", "label status not chosen: Q0: withdrawn"),
        ("removed", "02", "deleted where it was published: 2026-11-20T10:00:00Z"),
        ("label corrected", "01", ""),
        ("licence changed", "03", "https://l.example/zero/"),
    ]
    croissant = json.loads((second.folder / "croissant.json").read_text(encoding="utf-8"))
    before = croissant["prov:wasRevisionOf"]
    assert before["@id"] == f"https://id.example.org/datasets/training/plates@{first.sha256[:16]}"
    assert before["sha256"] == first.sha256
    assert croissant["releaseNotes"] == "2 removed, 1 label corrected, 1 licence changed"
    assert f"comes after `{first.sha256}`" in (second.folder / "README.md").read_text(encoding="utf-8")
    page = (second.folder / "report.html").read_text(encoding="utf-8")
    assert f"What changed since version {first.sha256[:16]}" in page
    assert "deleted where it was published" in page
    assert "changes.json" in (second.folder / "SHA1SUMS").read_text(encoding="utf-8")


def test_the_same_version_is_no_revision_of_itself_and_history_is_kept(plates: Plates) -> None:
    first = plates.build("set")
    changed(plates)
    second = plates.build("set")
    kept = (second.folder / FILE).read_bytes()
    assert plates.build("set", rules=replace(RULES, from_year=0, styles=())).sha256 == second.sha256
    again = plates.build("set", rules=replace(RULES, exclude=("https://f.example/99",)))  # other rules, the same rows
    assert again.sha256 == second.sha256
    assert (second.folder / FILE).read_bytes() == kept
    plates.media[4] = replace(plates.media[4], credit="Somebody")
    third = read_revision(plates.build("set"))
    assert third is not None
    assert third.of == second.sha256
    assert [(one["version"], one["revision of"]) for one in third.history] == [(second.sha256, first.sha256)]


def test_a_version_before_that_lies_elsewhere_keeps_its_sides(plates: Plates) -> None:
    first = plates.build("one")
    sides = {e.sha1: e.split for e in first.examples}
    for number in range(12, 40):
        sha1 = f"{number:040x}"
        (plates.folder / f"pictures/{sha1}.jpg").write_bytes(b"%d" % number)
        iri = f"https://f.example/{number:02}"
        plates.media.append(MediaFile(iri=iri, sha1=sha1, licence="https://l.example/by/"))
        plates.labels.append(Label(id=iri, campaign="c", file=iri, concept=f"Q{number % 2}", status="single"))
    second = plates.build("two", after="one")
    now = {e.sha1: e.split for e in second.examples}
    assert {sha1: now[sha1] for sha1 in sides} == sides
    told = read_revision(read_dataset(second.folder))
    assert told is not None
    assert told.difference.counts == {"added": 28}
    with pytest.raises(DatasetError, match="no dataset of ours"):
        plates.build("three", after="nowhere")
