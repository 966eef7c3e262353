"""The painted plates: repeatable, all different, readable, coloured in every hand."""

import hashlib
import io
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harvest.sample.cabinet import WIDE, contact_sheet, paint, paint_all, path_of
from harvest.sample.facts import SPECIES
from harvest.sample.hands import HANDS
from harvest.sample.marks import Ground
from harvest.sample.patterns import DRESSES
from harvest.sample.plan import ENGRAVERS, POSES, STRANGERS, Plate, plates
from harvest.sample.specimen import specimen
from harvest.sample.strangers import DRAWINGS

PLAN = plates()


def _one(**wanted: object) -> Plate:
    return next(plate for plate in PLAN if all(getattr(plate, field) == value for field, value in wanted.items()))


def _pixels(plate: Plate) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(paint(plate))).convert("RGB"), dtype=float)


def test_registries_cover_the_plan() -> None:
    assert set(HANDS) == {engraver.key for engraver in ENGRAVERS}
    assert set(DRAWINGS) == set(STRANGERS)
    assert set(DRESSES) == {species.name for species in SPECIES}
    assert {plate.format for plate in PLAN} <= set(WIDE)


@pytest.mark.parametrize("engraver", HANDS)
def test_the_same_plate_is_the_same_bytes(engraver: str) -> None:
    plate = _one(engraver=engraver)
    assert paint(plate) == paint(plate)


def test_no_two_plates_are_the_same() -> None:
    sample = [plate for plate in PLAN if "Delias berinda" in plate.species] + [
        _one(stranger=kind) for kind in STRANGERS
    ]
    assert len({hashlib.sha1(paint(plate), usedforsecurity=False).digest() for plate in sample}) == len(sample)


def test_two_seeds_make_two_individuals() -> None:
    plate = _one(engraver="engraving", pose="set")
    assert paint(plate) != paint(replace(plate, seed=plate.seed + 1))


@pytest.mark.parametrize("shape", WIDE)
def test_plates_are_jpegs_of_the_size_asked_for(shape: str) -> None:
    plate = _one(format=shape)
    for size_px in (128, 512):
        picture = Image.open(io.BytesIO(paint(plate, size_px)))
        assert picture.format == "JPEG"
        assert picture.size == tuple(round(side * size_px / 512) for side in WIDE[shape])


@pytest.mark.parametrize("pose", sorted({pose for poses in POSES.values() for pose in poses} | {"double"}))
def test_every_pose_can_be_painted_inside_its_paper(pose: str) -> None:
    picture = _pixels(_one(pose=pose))
    assert picture.std() > 12
    assert (picture[0].std(axis=0) < 30).all()  # the edge of the paper is paper


@pytest.mark.parametrize("engraver", HANDS)
def test_species_keep_their_colours_in_every_hand(engraver: str) -> None:
    """The orange of a plain tiger, the green of a birdwing and the blue of an oakleaf stand out, whoever paints."""
    names = ("Danaus chrysippus", "Ornithoptera priamus", "Kallima inachus")
    plate = _one(engraver=engraver, pose="set")
    shown = [_pixels(replace(plate, species=(name,), side="upper", format="landscape")) for name in names]
    red, green, blue = (np.array([picture[110:320, 130:382, c].mean() for picture in shown]) for c in range(3))
    assert (red - blue).argmax() == names.index("Danaus chrysippus")
    assert (green - (red + blue) / 2).argmax() == names.index("Ornithoptera priamus")
    assert (blue - red).argmax() == names.index("Kallima inachus")


def test_upper_and_under_side_differ() -> None:
    for species in SPECIES:
        upper, under = (specimen(species.name, "set", side, random.Random(1)) for side in ("upper", "under"))
        assert upper.colour != under.colour


def test_every_wing_side_begins_with_its_ground() -> None:
    for dress in DRESSES.values():
        for marks in (dress.fore_upper, dress.hind_upper, dress.fore_under, dress.hind_under):
            assert isinstance(marks[0], Ground)
        assert dress.fore_upper != dress.fore_under


def test_paint_all_paints_what_is_missing_and_keeps_what_is_there(tmp_path: Path) -> None:
    few = PLAN[:3]
    (kept,) = paint_all(few[1:2], tmp_path, workers=1, size_px=128)
    inode = kept.stat().st_ino
    paths = list(paint_all(few, tmp_path, workers=1, size_px=128))
    assert paths == [path_of(plate, tmp_path) for plate in few]
    assert kept.stat().st_ino == inode
    assert paths[0].read_bytes() == paint(few[0], 128)
    assert sorted(tmp_path.iterdir()) == sorted(paths)


def test_paint_all_replaces_what_is_broken_or_from_another_plan(tmp_path: Path) -> None:
    few = PLAN[:3]
    path_of(few[0], tmp_path).write_bytes(b"no picture")
    path_of(few[1], tmp_path).write_bytes(paint(replace(few[1], seed=1), 128))
    path_of(few[2], tmp_path).write_bytes(paint(few[2], 64))
    paths = list(paint_all(few, tmp_path, workers=1, size_px=128))
    assert [path.read_bytes() for path in paths] == [paint(plate, 128) for plate in few]


def test_paint_all_in_two_processes_paints_the_same(tmp_path: Path) -> None:
    few = PLAN[:8]
    paths = list(paint_all(few, tmp_path, workers=2, size_px=128))
    assert paths == [path_of(plate, tmp_path) for plate in few]
    assert [path.read_bytes() for path in paths] == [paint(plate, 128) for plate in few]


KILLED = """
import sys
from pathlib import Path
from harvest.sample.cabinet import paint_all
from harvest.sample.plan import plates
if __name__ == "__main__":
    for path in paint_all(plates()[:60], Path(sys.argv[1]), workers=2):
        print(path, flush=True)
"""


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc to see which processes are left")
def test_a_killed_painter_leaves_no_workers_and_is_resumed(tmp_path: Path) -> None:
    script, folder = tmp_path / "killed.py", tmp_path / "plates"
    script.write_text(KILLED)
    with subprocess.Popen([sys.executable, script, folder], stdout=subprocess.PIPE) as painter:
        assert painter.stdout is not None
        painter.stdout.readline()
        children = Path(f"/proc/{painter.pid}/task/{painter.pid}/children").read_text().split()
        painter.kill()
    while any(_lives(child) for child in children):
        time.sleep(0.05)
    few = PLAN[:12]
    paths = list(paint_all(few, folder, workers=1))
    assert [path.read_bytes() for path in paths] == [paint(plate) for plate in few]


def _lives(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_every_plate_says_that_it_is_simulated() -> None:
    picture = Image.open(io.BytesIO(paint(PLAN[0], 64)))
    assert picture.info["comment"].startswith(b"De Boodt sample, painted and simulated")


def test_contact_sheet_has_a_cell_for_each_plate() -> None:
    sheet = Image.open(io.BytesIO(contact_sheet(PLAN[:5], 3, 80)))
    assert sheet.size == (3 * 82 + 2, 2 * 82 + 2)
