"""A model is measured on a dataset whose truth is known: what is held out, what is counted, what the page shows."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harvest.datasets.manifest import FORMAT, DatasetClass, Example, read_dataset, to_csv
from identify.bundle import Bundle
from identify.decide import Judge
from identify.evaluated import evaluated
from identify.evaluation import coverage, is_right
from identify.examining import KNOWN, LEARNED, UNSEEN, nearness
from identify.judging.judgement import judgement_of
from linkeddata.errors import DatasetError
from linkeddata.settings import Settings

SHADES = {
    "Vanessa cardui": ("#e01010", "#ff3020", "#c02020", "#10d010"),  # the last one looks like Papilio paris
    "Papilio paris": ("#10e010", "#20ff30", "#20c020", "#30a030"),
    "Ornithoptera priamus": ("#1010e0", "#3020ff", "#2020c0", "#3030a0"),
}
HANDS = ("Sepp", "Cramer", "Merian", "Roesel")


def example(path: str, data: bytes, split: str, label: str, hand: str, created: str) -> Example:
    sha1 = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    return Example(
        file=f"urn:test:{path}", page="", original="", sha1=sha1, path=path, copy_sha1=sha1, split=split, label=label,
        concept=label, rank="species", item="", gbif_key="", col_id="", lineage=(), also=(), regions=(), tagged=label,
        probability=1.0, support=2, status="accepted", source="t", group=hand, cluster="",
        licence="https://example.org/cc0/", credit="", creator=hand, created=created, institution="",
        inventory_number="", simulated=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory, picture: Callable[..., bytes]) -> Path:
    """Four hands, of which the first teaches; two pictures of each class by each; a picture that is broken."""
    folder = tmp_path_factory.mktemp("shades")
    examples = []
    for name, shades in SHADES.items():
        for number, (hand, shade) in enumerate(zip(HANDS, shades, strict=True)):
            for copy in range(2):
                path = f"{name} {hand} {copy}.png".replace(" ", "-")
                data = picture(shade, "PNG", (60 + 4 * number, 40 + 9 * copy))
                (folder / path).write_bytes(data)
                split = "train" if hand == HANDS[0] else "test"
                examples.append(example(path, data, split, name, hand, f"17{number}1"))
    (folder / "broken.png").write_bytes(b"no image")
    examples.append(example("broken.png", b"no image", "test", "Papilio paris", "Roesel", ""))
    classes = [DatasetClass(concept=name, label=name, rank="species", images=8, train=2) for name in SHADES]
    texts = {"manifest.csv": to_csv(Example, examples), "classes.csv": to_csv(DatasetClass, classes)}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    sha256 = hashlib.sha256("".join(texts.values()).encode()).hexdigest()
    summary = {"format": FORMAT, "sha256": sha256, "counts": {}}
    (folder / "dataset.json").write_text(json.dumps(summary), encoding="utf-8")
    return folder


def test_the_figures_are_those_of_groups_that_did_not_teach(
    dataset: Path, colour_bundle: Callable[..., Bundle], tmp_path: Path
) -> None:
    colour_bundle(tmp_path / "models")
    (tmp_path / "list.txt").write_text("Vanessa cardui\nPapilio paris\nPieris rapae\n", encoding="utf-8")
    settings = Settings(home=str(tmp_path))
    figures = evaluated(
        settings, "colours", dataset, tmp_path / "out", moment="2026-11-28", checklist=tmp_path / "list.txt"
    )
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text(encoding="utf-8")) == json.loads(
        json.dumps(figures)
    )
    page = (tmp_path / "out" / "evaluation.html").read_text(encoding="utf-8")
    unseen = figures["unseen"]
    assert unseen["groups"] == sorted(HANDS)  # the colours were not learned from any picture
    assert (unseen["accuracy"]["right"], unseen["images"]) == (22, 24)
    assert figures["lost"] == [["broken.png", figures["lost"][0][1]]]
    assert [(pair["truth"], pair["answer"], pair["images"]) for pair in unseen["confused"]] == [
        ("Vanessa cardui", "Papilio paris", 2)
    ]
    worst = figures["errors"]["group"][0]
    assert (worst["name"], worst["accuracy"]["right"], worst["images"]) == ("Roesel", 4, 6)
    assert figures["coverage"]["lacking"] == ["Pieris rapae"]
    assert figures["coverage"]["beside"] == ["Ornithoptera priamus"]
    assert page.count("data:image/jpeg") == 2  # what was misjudged, and what it was taken for
    for words in ("Where it errs more", "Taken for one another", "Coverage of the checklist", "What the words stand"):
        assert words in page


def test_a_picture_of_a_hand_that_taught_is_never_held_out(dataset: Path, colour_bundle: Callable[..., Bundle]) -> None:
    data = read_dataset(dataset)
    bundle = colour_bundle(dataset.parent / "elsewhere")
    assert set(nearness(bundle, data)) == {UNSEEN}  # it did not learn from this dataset
    taught = {e.group for e in data.split("train")}
    own = colour_bundle(dataset.parent / "own")
    near = nearness(_learned(own, data.sha256), data)
    assert {n for e, n in zip(data.examples, near, strict=True) if e.group in taught} <= {LEARNED, KNOWN}
    assert {n for e, n in zip(data.examples, near, strict=True) if e.group not in taught} == {UNSEEN}


def _learned(bundle: Bundle, dataset: str) -> Bundle:
    return replace(bundle, about=replace(bundle.about, dataset=dataset))


def test_nothing_to_measure_on_is_said(dataset: Path, colour_bundle: Callable[..., Bundle], tmp_path: Path) -> None:
    colour_bundle(tmp_path / "models")
    with pytest.raises(DatasetError, match="no dataset"):
        evaluated(Settings(home=str(tmp_path)), "colours", tmp_path, tmp_path / "out", moment="2026-11-28")


def test_a_taxon_above_the_truth_is_a_right_answer(colour_bundle: Callable[..., Bundle], tmp_path: Path) -> None:
    bundle = colour_bundle(tmp_path)
    judge = Judge(judgement_of(bundle), bundle.classes)
    sure = judge.decided(np.array([0.02, 0.5, 0.48]), 0.0)
    assert sure.label == "Papilio paris" or sure.label == "Papilionidae"
    assert is_right(sure, bundle.classes[1])
    assert not is_right(sure, bundle.classes[0])
    assert coverage(bundle.classes, ["Papilionidae", "Q158603"])["lacking"] == []
