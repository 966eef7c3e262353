"""Copies of one picture stay on one side, the certificate says so, and a planted leak breaks it."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, ImageEnhance, ImageOps

from crowd.campaign import DatasetRules
from harvest.datasets.about import About
from harvest.datasets.building import build
from harvest.datasets.leakage import FILE, verify
from harvest.datasets.likeness import Pair, near_pairs
from harvest.datasets.looks import look_book
from harvest.datasets.manifest import Dataset, read_dataset
from identify.cli import cli
from linkeddata.errors import DatasetError
from linkeddata.records import Label, MediaFile
from linkeddata.storage import Stored, stored_file

RULES = DatasetRules(rank="tagged", min_images=1, labels=("single",), test_share=0.3)
GREYS = np.zeros((32, 32), np.uint8)


def picture(seed: int) -> Image.Image:
    """A picture of some blots, like no other."""
    draw = np.random.default_rng(seed)
    small = Image.fromarray(draw.integers(0, 255, (7, 9, 3), np.uint8))
    return small.resize((144, 112), Image.Resampling.BICUBIC)


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


COPIES = {
    "recompressed": lambda image: jpeg(image, 35),
    "smaller": lambda image: jpeg(image.resize((60, 47))),
    "mirrored": lambda image: jpeg(ImageOps.mirror(image)),
    "paler": lambda image: jpeg(ImageEnhance.Contrast(image).enhance(0.6)),
    "without colour": lambda image: jpeg(image.convert("L").convert("RGB")),
    "a margin cut off": lambda image: jpeg(image.crop((2, 2, 142, 110))),
    "turned": lambda image: jpeg(image.transpose(Image.Transpose.ROTATE_90)),
    "upside down": lambda image: jpeg(image.rotate(180)),
    "sepia": lambda image: jpeg(ImageOps.colorize(ImageOps.grayscale(image), "#3c1e0a", "#faebc8")),
    "on larger paper": lambda image: jpeg(ImageOps.expand(image, (30, 20, 10, 40), "#ece4cd")),
    "a part": lambda image: jpeg(image.crop((14, 5, 130, 95))),
}
HOW = {
    "mirrored": "mirrored",
    "turned": "turned",
    "upside down": "turned",
    "a part": "part",
    "a margin cut off": "part",
}


def copies_among(folder: Path, images: list[bytes]) -> list[Pair]:
    named = []
    for data in images:
        sha1 = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        (folder / f"{sha1}.jpg").write_bytes(data)
        named.append((sha1, stored_file(folder / f"{sha1}.jpg", sha1=sha1)))
    with look_book(None) as book:
        return [pair for pair in near_pairs(book.looks(named)) if pair.copies]


@pytest.mark.parametrize("how", COPIES)
def test_copies_of_one_picture_are_found(how: str, tmp_path: Path) -> None:
    pictures = [picture(seed) for seed in range(40)]
    found = copies_among(tmp_path, [*map(jpeg, pictures), COPIES[how](pictures[11])])
    assert [(pair.a, pair.b) for pair in found] == [(11, 40)]
    assert how == "a margin cut off" or found[0].how == HOW.get(how, "")  # a margin less is nearly the whole


def test_of_equal_prints_all_are_compared(tmp_path: Path) -> None:
    """Six copies of one picture: every pair is told, not a chain of them."""
    base = np.asarray(picture(1).convert("L"), np.int16)
    sorts = [
        Image.fromarray(np.clip(base * share + (60 if share < 1 else 0), 0, 255).astype(np.uint8)) for share in (1, 0.5)
    ]
    images = [jpeg(one, quality) for one in sorts for quality in (90, 80, 70)]
    found = {(pair.a, pair.b) for pair in copies_among(tmp_path, images)}
    assert found == {(a, b) for b in range(6) for a in range(b)}


def make(
    folder: Path,
    extra: dict[int, bytes],
    rules: DatasetRules = RULES,
    numbers: Mapping[str, str] = MappingProxyType({}),
) -> Dataset:
    """Build a dataset of 24 plates by eight makers; ``extra`` are further plates, each by a maker of its own."""
    pictures = folder / "pictures"
    pictures.mkdir(exist_ok=True)
    media, labels, stored = [], [], dict[str, Stored]()
    for number, data in [*((n, jpeg(picture(n))) for n in range(24)), *extra.items()]:
        sha1 = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        (pictures / f"{sha1}.jpg").write_bytes(data)
        iri = f"https://f.example/{number:03}"
        stored[iri] = stored_file(pictures / f"{sha1}.jpg", sha1=sha1)
        group = f"maker {number % 8}" if number < 24 else f"library {number}"
        inventory_number = numbers.get(iri[-3:], "")
        media.append(
            MediaFile(iri=iri, sha1=sha1, licence="https://l.example/", group=group, inventory_number=inventory_number)
        )
        labels.append(Label(id=iri, campaign="c", file=iri, concept=f"Q{number // 8 % 2 + 1}", status="single"))
    told = About(title="Plates")
    return build(media, labels, (), lambda one: stored[one.iri], folder / "set", rules, about=told)


def test_a_copy_in_another_library_stands_where_its_picture_stands(tmp_path: Path) -> None:
    extra = {100 + n: COPIES["recompressed"](picture(n)) for n in range(8)}
    data = make(tmp_path, extra)
    rows = {e.file[-3:]: e for e in data.examples}
    for number in range(8):
        one, copy = rows[f"{number:03}"], rows[str(100 + number)]
        assert (one.split, one.cluster) == (copy.split, min(one.sha1, copy.sha1))
    assert {e.cluster for n, e in rows.items() if 8 <= int(n) < 24} == {""}
    assert {e.split for e in data.examples} == {"train", "validation", "test"}
    assert verify(data.folder) == []
    told = json.loads((data.folder / FILE).read_text(encoding="utf-8"))
    assert told["pairs"] == {"compared": 32 * 31 // 2, "across sides within bits": 0, "copies across sides": 0}
    assert told["keys"]["cluster"] == {"values": 8, "on several sides": {}}


def plant(data: Dataset, side: str, copy: bytes, of: str) -> None:
    """Put a copy into another side, with its row and all checksums: as somebody would who knows how it is made."""
    victim = next(e for e in data.examples if e.split == side)
    sha1 = hashlib.sha1(copy, usedforsecurity=False).hexdigest()
    (data.folder / victim.path).write_bytes(copy)
    manifest = data.folder / "manifest.csv"
    rows = list(csv.DictReader(io.StringIO(manifest.read_bytes().decode(), newline="")))
    for row in rows:
        if row["path"] == victim.path:
            row |= {"sha1": sha1, "copy_sha1": sha1}
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    manifest.write_bytes(out.getvalue().encode())
    summary = json.loads((data.folder / "dataset.json").read_text(encoding="utf-8"))
    both = out.getvalue().encode() + (data.folder / "classes.csv").read_bytes()
    summary["sha256"] = hashlib.sha256(both).hexdigest()
    (data.folder / "dataset.json").write_text(json.dumps(summary), encoding="utf-8")


@pytest.mark.parametrize("how", COPIES)
def test_a_planted_copy_is_found_however_well_it_is_hidden(tmp_path: Path, how: str) -> None:
    data = make(tmp_path, {})
    assert verify(data.folder) == []
    taught = next(e for e in data.examples if e.split == "train")
    plant(data, "test", COPIES[how](picture(int(taught.file[-3:]))), taught.path)
    troubles = verify(data.folder)
    assert any(taught.path in one and "of one picture" in one for one in troubles), troubles
    done = CliRunner().invoke(cli, ["dataset", "verify", str(data.folder)])
    assert done.exit_code == 6
    assert "of one picture" in done.stdout


def test_files_that_were_added_altered_or_taken_away_are_told(tmp_path: Path) -> None:
    data = make(tmp_path, {})
    one, other = data.split("train")[:2]
    (data.folder / one.path).unlink()
    (data.folder / other.path).unlink()  # it is a link: what lies in the store stays as it is
    (data.folder / other.path).write_bytes(jpeg(picture(999)))
    (data.folder / "images/test/planted.jpg").write_bytes(b"x")
    troubles = verify(data.folder)
    assert f"{one.path} is missing" in troubles
    assert f"{other.path} was altered" in troubles
    assert "images/test/planted.jpg is not in the manifest" in troubles


def test_without_a_certificate_nothing_is_verified(tmp_path: Path) -> None:
    data = make(tmp_path, {})
    done = CliRunner().invoke(cli, ["dataset", "verify", str(data.folder)], catch_exceptions=False)
    assert (done.exit_code, done.stdout.strip()) == (0, f"{data.folder} is what it says")
    (data.folder / FILE).unlink()
    with pytest.raises(DatasetError, match="has no certificate"):
        verify(data.folder)


def test_a_named_group_keeps_its_side_with_all_that_hangs_on_it(tmp_path: Path) -> None:
    rules: dict[str, Any] = {"test_groups": ("library 100",)}
    extra = {100: COPIES["smaller"](picture(3))}
    data = make(tmp_path, extra, DatasetRules(rank="tagged", min_images=1, labels=("single",), **rules))
    sides = {e.group: e.split for e in data.examples}
    assert sides["library 100"] == sides["maker 3"] == "test"
    assert read_dataset(data.folder).examples == data.examples


def test_what_is_added_moves_nothing(tmp_path: Path) -> None:
    before = {e.sha1: e.split for e in make(tmp_path, {}).examples}
    more = make(tmp_path, {n: jpeg(picture(n)) for n in range(100, 140)})
    after = {e.sha1: e.split for e in more.examples}
    assert {sha1: after[sha1] for sha1 in before} == before
    assert sum(side == "test" for side in after.values()) > sum(side == "test" for side in before.values())
    assert {e.split for e in make(tmp_path, {}, replace(RULES, test_share=0.0)).examples} == {"train", "validation"}


def test_all_of_an_object_is_on_one_side(tmp_path: Path) -> None:
    [tested, *_] = [e.group for e in make(tmp_path, {}).examples if e.split == "test"]
    numbers = {f"{n:03}": "RP-T-1" for n in (int(tested.split()[-1]), 100)}
    data = make(tmp_path, {100: jpeg(picture(100))}, numbers=numbers)
    sides = {e.file[-3:]: e.split for e in data.examples}
    assert {sides[file] for file in numbers} == {"test"}
    told = json.loads((data.folder / FILE).read_text(encoding="utf-8"))
    assert told["keys"]["object"] == {"values": 1, "on several sides": {}}


def test_named_groups_that_share_a_picture_are_on_one_side_or_told(tmp_path: Path) -> None:
    extra = {100: COPIES["smaller"](picture(3))}
    both = make(tmp_path, extra, replace(RULES, test_groups=("library 100", "maker 3")))
    assert {e.split for e in both.examples if e.group in ("library 100", "maker 3")} == {"test"}
    apart = make(tmp_path, extra, replace(RULES, test_groups=("library 100",), validation_groups=("maker 3",)))
    [lost] = apart.failures
    assert (lost.subject[-3:], lost.reason) == ("100", "joins two sides")
    assert lost.detail == "https://f.example/003 (validation)"
    assert {e.split for e in apart.examples if e.group == "maker 3"} == {"validation"}
    assert verify(apart.folder) == []
