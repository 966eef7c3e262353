"""What a model sees as copies stands together, is certified, and is looked at again."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from crowd.campaign import DatasetRules
from harvest.datasets.about import About
from harvest.datasets.building import build
from harvest.datasets.embedded import Embedding, Rows, near
from harvest.datasets.leakage import verify
from harvest.datasets.looks import Named
from harvest.datasets.manifest import Dataset
from harvest.records import Progress
from linkeddata.errors import DatasetError
from linkeddata.records import Label, MediaFile
from linkeddata.storage import stored_file

RULES = DatasetRules(rank="tagged", min_images=1, labels=("single",), test_share=0.3, validation_share=0.2)


def colours(images: Sequence[Named], _progress: Progress) -> Rows:
    """See the mean colour of a picture, and nothing else: pictures of one colour are copies to it."""
    return np.array([_mean(source.read_bytes()) for _, source in images], np.float32)


def _mean(data: bytes) -> list[float]:
    import io

    with Image.open(io.BytesIO(data)) as image:
        return [float(one) - 128 for one in np.asarray(image.convert("RGB")).reshape(-1, 3).mean(axis=0)]


SEES = Embedding("colours@1", "f" * 64, colours, 0.9999)


def painted(folder: Path) -> tuple[list[MediaFile], list[Label]]:
    """Paint twelve pictures of noise, the first and the last of one colour, each by its own maker."""
    random, media, labels = np.random.default_rng(7), [], []
    tints = random.integers(0, 200, (12, 3))
    tints[11] = tints[0]
    for number, tint in enumerate(tints):
        noise = random.integers(0, 2, (64, 64, 1)) * 40
        path = folder / f"{number}.png"
        Image.fromarray((tint + noise).astype(np.uint8)).save(path)
        sha1 = hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest()
        iri = f"https://files.example/{number}"
        media.append(
            MediaFile(iri=iri, sha1=sha1, original=str(path), licence="https://l.example/", group=f"maker {number}")
        )
        labels.append(Label(id=str(number), campaign="c", file=iri, concept=f"Q{number % 2 + 1}", status="single"))
    return media, labels


def built(tmp_path: Path, embedding: Embedding | None) -> Dataset:
    (tmp_path / "pictures").mkdir(exist_ok=True)
    media, labels = painted(tmp_path / "pictures")
    return build(
        media,
        labels,
        (),
        lambda one: stored_file(Path(one.original), sha1=one.sha1),
        tmp_path / ("seen" if embedding else "plain"),
        RULES,
        about=About(title="Noise", name="noise"),
        embedding=embedding,
    )


def test_what_a_model_sees_as_one_stands_together_and_is_certified(tmp_path: Path) -> None:
    plain, data = built(tmp_path, None), built(tmp_path, SEES)
    assert {one.cluster for one in plain.examples} == {""}
    joined = [one for one in data.examples if one.cluster]
    assert {one.file.rsplit("/", 1)[1] for one in joined} == {"0", "11"}
    assert len({one.split for one in joined}) == 1
    told = json.loads((data.folder / "leakage.json").read_text(encoding="utf-8"))["embedding"]
    assert (told["model"], told["weights"], told["copies from"]) == ("colours@1", "f" * 64, 0.9999)
    assert told["copies across sides"] == 0
    assert "embedding" not in json.loads((plain.folder / "leakage.json").read_text(encoding="utf-8"))
    assert verify(data.folder) == verify(data.folder, embedding=SEES) == []


def test_a_copy_that_only_the_model_sees_breaks_the_certificate(tmp_path: Path) -> None:
    data = built(tmp_path, SEES)
    taught, tested = data.split("train")[0], data.split("test")[0]
    with Image.open(data.folder / taught.path) as image:
        levels = np.asarray(image).reshape(-1, 3)
    shuffled = np.random.default_rng(3).permutation(levels).reshape(64, 64, 3)  # other blots, the same colour
    Image.fromarray(shuffled).save(data.folder / tested.path)
    assert not any("copies of one picture" in one for one in verify(data.folder))
    assert any("copies of one picture to colours@1" in one for one in verify(data.folder, embedding=SEES))


def test_other_weights_are_refused(tmp_path: Path) -> None:
    data = built(tmp_path, SEES)
    with pytest.raises(DatasetError, match="its certificate is by colours@1"):
        verify(data.folder, embedding=replace(SEES, weights="0" * 64))


@given(st.integers(0, 2**32 - 1), st.integers(1, 1_200), st.sampled_from([0.3, 0.7, 0.9]))
def test_near_rows_are_those_that_comparing_each_pair_finds(seed: int, count: int, least: float) -> None:
    rows = np.random.default_rng(seed).standard_normal((min(count, 60), 3)).astype(np.float32)
    units = rows.astype(np.float64) / np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    cosines = np.round(units @ units.T, 4)
    plainly = {(a, b) for a in range(len(rows)) for b in range(a + 1, len(rows)) if cosines[a, b] >= least}
    found = near(rows, least)
    differ = plainly ^ {(pair.a, pair.b) for pair in found}
    assert all(abs(float(cosines[a, b]) - least) < 2e-4 for a, b in differ)
    assert [pair.cosine for pair in found] == sorted((pair.cosine for pair in found), reverse=True)
