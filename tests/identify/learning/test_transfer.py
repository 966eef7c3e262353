"""Transfer learning for real: features of ImageNet, drawings of animals, some artists to learn from, another to try."""

import csv
import hashlib
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from crowd.campaign import DatasetRules
from harvest.datasets.building import build
from identify.bundle import open_bundle
from identify.learning.backbones import LITE_PACKAGE
from linkeddata.records import Label, MediaFile, Taxon
from linkeddata.storage import stored_file

EMOJI = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "images" / "emoji"
KINDS = 12
CODE = """
import sys, time
from pathlib import Path
from crowd.campaign import ModelRules
from identify.learning.training import train
rules = ModelRules(name="drawings", backbone="efficientnet-lite0", image_px=96, engines=())
told = lambda what, done, total: print(what, done, total, flush=True)
for out in sys.argv[2:4]:
    print("begin", flush=True)
    train(Path(sys.argv[1]), Path(out), rules, features=Path(sys.argv[4]), progress=told)
"""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not EMOJI.is_dir(), reason="the drawings of shared/data are not here"),
    pytest.mark.skipif(find_spec(LITE_PACKAGE) is None, reason=f"{LITE_PACKAGE} is not installed"),
]


@pytest.fixture(scope="module")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve mammals by all artists; one artist is never seen."""
    media, labels, taxa = [], [], {}
    with (EMOJI / "labels.tsv").open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream, delimiter="\t") if row["subgroup"] == "animal-mammal"]
    kinds = sorted({row["hexcode"] for row in rows})[:KINDS]
    paths = {}
    for row in (row for row in rows if row["hexcode"] in kinds):
        sha1 = hashlib.sha1((EMOJI / row["path"]).read_bytes(), usedforsecurity=False).hexdigest()
        paths[sha1] = EMOJI / row["path"]
        iri = f"urn:test:{row['hexcode']}:{row['style']}"
        media.append(MediaFile(iri=iri, sha1=sha1, group=row["style"], licence="https://example.org/cc0/"))
        labels.append(Label(id=iri, campaign="t", file=iri, concept=row["hexcode"], status="accepted"))
        taxa[row["hexcode"]] = Taxon(query=row["hexcode"], concept=row["hexcode"], name=row["label_en"], rank="species")
    rules = DatasetRules(min_images=1, test_groups=("openmoji",), validation_share=0.0)
    out = tmp_path_factory.mktemp("drawings") / "dataset"
    build(media, labels, list(taxa.values()), lambda one: stored_file(paths[one.sha1], sha1=one.sha1), out, rules)
    return out


def test_a_head_on_imagenets_features_knows_another_artists_animals(drawings: Path, tmp_path: Path) -> None:
    outs = [str(tmp_path / name) for name in ("first", "again")]
    command = [sys.executable, "-c", CODE, str(drawings), *outs, str(tmp_path / "features")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    first, again = done.stdout.split("begin\n")[1:]
    assert "compute features" in first
    assert "compute features" not in again  # they were kept
    one, other = (open_bundle(out) for out in outs)
    assert one.weights == other.weights
    assert (one.about.recipe, one.about.backbone) == ("head", "efficientnet-lite0")
    accuracy = one.metrics["unseen"]["accuracy"]
    assert accuracy["of"] >= 8
    assert accuracy["low"] > 1 / KINDS  # by chance
    assert json.loads((one.folder / "training.json").read_text(encoding="utf-8"))["weights"] == "ImageNet"
