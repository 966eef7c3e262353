"""Painting the plates. In: ``Plate`` records. Out: JPEG bytes and files; a contact sheet of many.

The same plate gives the same bytes on the same machine, whoever paints it and in whichever order: every choice comes
from the plate's own seed.
"""

import io
import os
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import resvg_py
from PIL import Image, UnidentifiedImageError

from harvest.helping import helpers
from harvest.sample import trimmings
from harvest.sample.hands import HANDS, Hand, finished
from harvest.sample.layers import Layers, shift, stretch, turn
from harvest.sample.plan import Plate
from harvest.sample.specimen import pair, specimen, stacked
from harvest.sample.strangers import stranger

QUALITY = 88
PAINTING = 1
"""Raised when a change of the brushes makes plates painted before it stale."""
SIMULATED = b"De Boodt sample, painted and simulated"
WIDE = {"landscape": (512, 410), "square": (480, 480), "portrait": (410, 512)}
"""Width and height of each shape of paper, for a longest side of 512."""


def paint(plate: Plate, size_px: int = 512) -> bytes:
    """Return ``plate`` as JPEG bytes, its paper ``size_px`` along the longest side of a landscape or portrait."""
    width, height = WIDE[plate.format]
    chance = random.Random(plate.seed)
    hand = HANDS[plate.engraver]
    drawing = _arranged(plate, hand, width, height, chance)
    scale = size_px / 512
    colour = _rendered(drawing.colour, hand, width, height, scale)
    lines = _rendered(drawing.lines, hand, width, height, scale, "#ffffff").convert("L")
    picture = finished(hand, colour, lines, plate.seed)
    return _jpeg(picture, _signature(plate))


def paint_all(plates: Iterable[Plate], folder: Path, *, workers: int = 0, size_px: int = 512) -> Iterator[Path]:
    """Paint each plate that ``folder`` does not hold yet, and yield all paths in the order of ``plates``.

    A file is written under another name and then renamed: a file that is there is whole, and one that was painted from
    another plan is painted anew. ``workers`` is the number of processes, 0 for one a core; 1 paints in this process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plates = list(plates)
    missing = [plate for plate in plates if not _is_there(plate, folder, size_px)]
    workers = min(workers or os.cpu_count() or 1, max(len(missing) // 4, 1))
    if workers == 1:
        wanted = {plate.number for plate in missing}
        for plate in plates:
            yield _painted(plate, folder, size_px) if plate.number in wanted else path_of(plate, folder)
        return
    with helpers(workers) as pool:
        jobs = {plate.number: pool.submit(_painted, plate, folder, size_px) for plate in missing}
        for plate in plates:
            yield jobs[plate.number].result() if plate.number in jobs else path_of(plate, folder)


def path_of(plate: Plate, folder: Path) -> Path:
    """Return where in ``folder`` a plate's file is: its title without the prefix."""
    return folder / plate.title.removeprefix("File:")


def contact_sheet(plates: Sequence[Plate], columns: int, cell_px: int) -> bytes:
    """Return many plates on one picture (JPEG), in rows of ``columns`` cells of ``cell_px`` pixels."""
    gap = max(cell_px // 40, 2)
    rows = -(-len(plates) // columns)
    sheet = Image.new("RGB", (columns * (cell_px + gap) + gap, rows * (cell_px + gap) + gap), "#f3f1ec")
    for i, plate in enumerate(plates):
        picture = Image.open(io.BytesIO(paint(plate)))
        picture.thumbnail((cell_px, cell_px), Image.Resampling.LANCZOS)
        x, y = gap + (i % columns) * (cell_px + gap), gap + (i // columns) * (cell_px + gap)
        sheet.paste(picture, (x + (cell_px - picture.width) // 2, y + (cell_px - picture.height) // 2))
    return _jpeg(sheet, SIMULATED)


def _arranged(plate: Plate, hand: Hand, width: int, height: int, chance: random.Random) -> Layers:
    """Return everything on the plate, in its pixels."""
    drawing = _fitted(_subject(plate, chance), plate, width, height, chance)
    if chance.random() < hand.framed:
        drawing = trimmings.frame(width, height, chance) + drawing
    if plate.pose == "closed":
        left, _, right, bottom = drawing.box()
        foot = min(bottom + 1, height * 0.93)
        ends = (
            (left - width * 0.06, foot + chance.uniform(-4, 10)),
            (right + width * 0.06, foot + chance.uniform(-10, 8)),
        )
        drawing = trimmings.twig(*ends, chance) + drawing
    return drawing + trimmings.captions(width, height, chance)


def _subject(plate: Plate, chance: random.Random) -> Layers:
    if plate.stranger:
        return stranger(plate.stranger, chance)
    if plate.pose == "double":
        above, below = (specimen(name, "set", plate.side, chance) for name in plate.species)
        return stacked(above, below, chance)
    if plate.pose == "pair":
        return pair(plate.species[0], chance)
    return specimen(plate.species[0], plate.pose, plate.side, chance)


def _fitted(subject: Layers, plate: Plate, width: int, height: int, chance: random.Random) -> Layers:
    """Return ``subject`` turned, scaled and put on the paper, with room for captions below."""
    lean = chance.uniform(-24, 24) if plate.pose == "flight" else chance.gauss(0, 2.5)
    subject = subject.moved(turn(lean))
    left, top, right, bottom = subject.box()
    room_x, room_y = width * 0.86, height * 0.80
    scale = min(room_x / (right - left), room_y / (bottom - top)) * chance.uniform(0.80, 1.0)
    subject = subject.moved(stretch(scale, scale))
    spare_x, spare_y = room_x - scale * (right - left), room_y - scale * (bottom - top)
    x = width * 0.07 + spare_x * chance.uniform(0.3, 0.7) - scale * left
    y = height * 0.07 + spare_y * chance.uniform(0.2, 0.8) - scale * top
    return subject.moved(shift(x, y))


def _rendered(
    content: str, hand: Hand, width: int, height: int, scale: float, background: str | None = None
) -> Image.Image:
    style = f"<style>path[class]{{stroke:#000;stroke-linejoin:round;stroke-linecap:round}}{hand.style}</style>"
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{round(width * scale)}" height="{round(height * scale)}" '
        f'viewBox="0 0 {width} {height}">{style}{content}</svg>'
    )
    png = resvg_py.svg_to_bytes(svg_string=svg, background=background, skip_system_fonts=True)
    return Image.open(io.BytesIO(bytes(png))).convert("RGBA")


def _painted(plate: Plate, folder: Path, size_px: int) -> Path:
    path = path_of(plate, folder)
    half_done = path.with_name(f"{path.name}.part")
    half_done.write_bytes(paint(plate, size_px))
    half_done.replace(path)
    return path


def _is_there(plate: Plate, folder: Path, size_px: int) -> bool:
    """Whether ``folder`` holds this plate, from this seed and these brushes, at this size."""
    try:
        with Image.open(path_of(plate, folder)) as picture:
            return picture.size == _size(plate, size_px) and picture.info.get("comment") == _signature(plate)
    except (FileNotFoundError, UnidentifiedImageError):
        return False


def _size(plate: Plate, size_px: int) -> tuple[int, int]:
    width, height = WIDE[plate.format]
    return round(width * size_px / 512), round(height * size_px / 512)


def _signature(plate: Plate) -> bytes:
    """Return what is written into the file: that it is simulated, and from what it was painted."""
    return SIMULATED + f"; painting {PAINTING}, seed {plate.seed}".encode()


def _jpeg(picture: Image.Image, comment: bytes) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=QUALITY, comment=comment)
    return buffer.getvalue()
