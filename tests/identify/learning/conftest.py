"""A dataset of a few coloured shapes by four hands, built as any dataset is."""

import hashlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from crowd.campaign import DatasetRules
from harvest.datasets.building import build
from linkeddata.records import Ancestor, Label, MediaFile, Taxon
from linkeddata.storage import stored_file

SHAPES = {"Rubra ovata": "#b03020", "Caerulea quadrata": "#3050b0", "Viridis plana": "#308040"}
HANDS = {"ink": "#f4efe0", "wash": "#e8dcc0", "gouache": "#8aa0b8", "chalk": "#ffffff"}


def plate(name: str, paper: str, seed: int) -> bytes:
    """Return a PNG of one of the shapes, placed by chance."""
    random = np.random.default_rng(seed)
    picture = Image.new("RGB", (48, 40), paper)
    left, top = (int(v) for v in random.integers(4, 14, 2))
    box = (left, top, left + 22, top + 18)
    draw = ImageDraw.Draw(picture)
    if name.startswith("Rubra"):
        draw.ellipse(box, fill=SHAPES[name], outline="black")
    elif name.startswith("Caerulea"):
        draw.rectangle(box, fill=SHAPES[name], outline="black")
    else:
        draw.polygon([(box[0], box[3]), (box[2], box[3]), (left + 11, top)], fill=SHAPES[name], outline="black")
    for _ in range(12):  # each plate is soiled in its own way: without it all plates of a shape are copies of one
        x, y, grey = (int(v) for v in random.integers(0, [44, 36, 255]))
        draw.line((x, y, x + int(random.integers(-9, 9)), y + int(random.integers(-9, 9))), fill=(grey,) * 3, width=2)
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def made(folder: Path, names: list[str]) -> Path:
    """Return a dataset in ``folder`` of four plates of each shape by each hand."""
    plates = folder / "plates"
    plates.mkdir(parents=True)
    media, labels = [], []
    for number, (hand, paper) in enumerate(HANDS.items()):
        for name in names:
            for copy in range(4):
                data = plate(name, paper, 100 * number + copy)
                sha1 = hashlib.sha1(data, usedforsecurity=False).hexdigest()
                (plates / f"{sha1}.png").write_bytes(data)
                iri = f"urn:test:{hand}:{name}:{copy}".replace(" ", "-")
                media.append(MediaFile(iri=iri, sha1=sha1, group=hand, licence="https://example.org/cc0/"))
                labels.append(Label(id=iri, campaign="t", file=iri, concept=name, status="accepted"))
    taxa = [
        Taxon(query=name, concept=name, name=name, rank="species", lineage=(Ancestor("genus", name.split()[0]),))
        for name in SHAPES
    ]
    rules = DatasetRules(min_images=2, test_groups=("chalk",), validation_groups=("wash",))
    out = folder / "dataset"
    build(media, labels, taxa, lambda one: stored_file(plates / f"{one.sha1}.png", sha1=one.sha1), out, rules)
    return out


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All three shapes."""
    return made(tmp_path_factory.mktemp("three"), list(SHAPES))


@pytest.fixture(scope="session")
def smaller(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two of the shapes."""
    return made(tmp_path_factory.mktemp("two"), list(SHAPES)[:2])


@pytest.fixture(scope="session")
def red() -> bytes:
    """A plate of Rubra ovata that is in no dataset."""
    return plate("Rubra ovata", "white", 7)
