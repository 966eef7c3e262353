"""What images look like is kept: looked at once, read again as it was, whole after a run that was killed."""

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harvest.datasets import looks as module
from harvest.datasets.looks import BLANK, DRAWN, PRINTS, UNREADABLE, LookBook, Named, look_at
from linkeddata.storage import stored_file


def image(folder: Path, data: bytes) -> Named:
    sha1 = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    (folder / sha1).write_bytes(data)
    return sha1, stored_file(folder / sha1, sha1=sha1)


def drawn(seed: int, kind: str = "JPEG", colour: int = 255) -> bytes:
    cells = np.random.default_rng(seed).integers(0, 255, (9, 7, 3), np.uint8)
    picture = Image.fromarray(cells) if colour else Image.new("RGB", (9, 7), "white")
    out = io.BytesIO()
    picture.resize((300, 400)).save(out, kind)
    return out.getvalue()


@pytest.fixture
def images(tmp_path: Path) -> list[Named]:
    (tmp_path / "pictures").mkdir()
    made = [drawn(1), drawn(2, "PNG"), drawn(3, colour=0), b"no image", drawn(4)[:900]]
    return [image(tmp_path / "pictures", data) for data in made]


def test_each_image_is_looked_at_once(images: list[Named], tmp_path: Path) -> None:
    book = LookBook(tmp_path / "looks")
    first = book.looks(images)
    assert first.states().tolist() == [DRAWN, DRAWN, BLANK, UNREADABLE, UNREADABLE]
    for _, source in images:
        assert source.local
        source.local.unlink()
    again = book.looks([images[1], images[0], images[1]])
    assert again.laid(np.arange(3)).tolist() == first.laid(np.array([1, 0, 1])).tolist()
    assert (again.square(1, 0) == first.square(0, 0)).all()
    assert len(again) == 3


def test_what_a_killed_run_left_half_written_is_written_anew(images: list[Named], tmp_path: Path) -> None:
    book = LookBook(tmp_path / "looks")
    whole = book.looks(images)
    prints = tmp_path / "looks" / PRINTS
    prints.write_bytes(prints.read_bytes()[:-100])
    assert book.looks(images).states().tolist() == whole.states().tolist()
    assert (book.looks(images).parts(np.arange(5)) == whole.parts(np.arange(5))).all()


def test_processes_see_what_is_seen_here(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    many = [image(tmp_path / "pictures", b"%d" % number) for number in range(module.MANY - 2)]
    many += [image(tmp_path / "pictures", drawn(seed)) for seed in (1, 2)]
    found = LookBook(tmp_path / "looks").looks(many)
    prints, squares = look_at(many[-2:])
    assert (found.laid(np.arange(len(many) - 2, len(many))) == prints["laid"]).all()
    assert (found.square(len(many) - 1, 1) == squares[1, 1]).all()
    assert found.states().tolist() == [UNREADABLE] * (module.MANY - 2) + [DRAWN, DRAWN]


def test_a_picture_looks_the_same_in_grey_and_in_colour(tmp_path: Path) -> None:
    """Only the light of a JPEG is decoded; a PNG has its colours and is made grey afterwards."""
    png = drawn(7, "PNG")
    out = io.BytesIO()
    Image.open(io.BytesIO(png)).save(out, "JPEG", quality=95)
    prints, _ = look_at([image(tmp_path, png), image(tmp_path, out.getvalue())])
    assert np.bitwise_count(prints["laid"][0] ^ prints["laid"][1]).max() <= 2
