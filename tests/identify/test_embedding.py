"""A real bundle looks at images: once each, and the same whatever is beside them; a dataset is built by it."""

import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from harvest.datasets.manifest import read_dataset
from harvest.records import silent
from identify.bundle import Bundle
from identify.cli import cli
from identify.embedding import embedding_of
from linkeddata.storage import Stored, stored_file

COLOURS = ("#d01010", "#10d010", "#1010d0", "#d0d010", "#10d0d0", "#d010d0", "#808080", "#d01011")


@pytest.fixture
def pictures(tmp_path: Path, picture: Callable[..., bytes]) -> list[tuple[str, Stored]]:
    made = []
    for number, colour in enumerate(COLOURS):
        path = tmp_path / f"{number}.png"
        path.write_bytes(picture(colour, "PNG"))
        made.append((hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest(), stored_file(path)))
    return made


def test_each_image_is_looked_at_once_and_a_broken_one_is_near_nothing(
    colour_bundle: Callable[..., Bundle], pictures: list[tuple[str, Stored]], tmp_path: Path
) -> None:
    bundle = colour_bundle(tmp_path / "models")
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    asked = [*pictures, ("0" * 40, stored_file(broken))]
    embedding = embedding_of(bundle.folder, tmp_path / "home")
    assert (embedding.model, embedding.weights) == ("colours@1", bundle.weights)
    rows = embedding.rows(asked, silent)
    assert rows.shape == (len(asked), 3)
    assert not rows[-1].any()
    assert rows[0] @ rows[7] > 0.999 > rows[0] @ rows[3]
    for path in tmp_path.glob("[0-9].png"):
        path.write_bytes(b"gone")
    again = embedding_of(bundle.folder, tmp_path / "home").rows(asked[::-1], silent)
    assert np.array_equal(again[::-1], rows)


def test_a_dataset_is_built_and_looked_at_again_by_a_model(
    colour_bundle: Callable[..., Bundle], pictures: list[tuple[str, Stored]], tmp_path: Path
) -> None:
    colour_bundle(tmp_path / "home/models")
    with (tmp_path / "table.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["file", "label", "creator", "licence"])
        writer.writerows([f"{n}.png", "warm" if n % 2 else "cold", f"maker {n}", "cc0"] for n in range(len(COLOURS)))
    (tmp_path / "deboodt.toml").write_text(f"home = {json.dumps(str(tmp_path / 'home'))}", encoding="utf-8")
    words = ["--config", str(tmp_path / "deboodt.toml"), "dataset"]
    options = ["--table", str(tmp_path / "table.csv"), "--embedding", "colours", "-o", str(tmp_path / "set")]
    done = CliRunner().invoke(cli, [*words, "build", *options], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    joined = [one for one in read_dataset(tmp_path / "set").examples if one.cluster]
    assert {one.creator for one in joined} == {"maker 0", "maker 7"}
    assert len({one.split for one in joined}) == 1
    for more in ([], ["--embedding", "colours@1"]):
        done = CliRunner().invoke(cli, [*words, "verify", str(tmp_path / "set"), *more], catch_exceptions=False)
        assert done.exit_code == 0, done.output
