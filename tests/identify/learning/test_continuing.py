"""Going on from a version with a new class: a candidate, compared, and promoted only when it may be; by the command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from identify.bundle import COMPARISON, amended, open_bundle
from identify.learning.promoting import promoted, version_of
from identify.modelfolders import next_version
from linkeddata.errors import BundleError

COMMAND = str(Path(sys.executable).parent / "deboodt")
ROOT = Path(__file__).resolve().parents[3]


def deboodt(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command in ``home``."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    told = [COMMAND, "--home", str(home), "--json", *arguments]
    return subprocess.run(told, cwd=home, env=env, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, smaller: Path, dataset: Path) -> Path:
    """A home folder with version 1 of a model and candidate 2, which knows one shape more."""
    home = tmp_path_factory.mktemp("home")
    own = ["--image-px", "32", "--epochs", "6", "--batch", "6", "--seed", "3"]
    first = deboodt(home, "train", str(smaller), "-o", "models/shapes", "--backbone", "small", *own)
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["model"] == "shapes@1"
    second = deboodt(home, "train", str(dataset), "--from", "models/shapes@1", *own)
    assert second.returncode == 0, second.stderr
    told = json.loads(second.stdout)
    assert told["model"] == "shapes@2"
    assert told["comparison"]["new_images"] == 8
    return home


@pytest.mark.slow
def test_a_candidate_serves_when_it_is_promoted_and_not_before(home: Path) -> None:
    candidate = version_of("shapes@2", home)
    assert candidate.folder == home / "models" / "shapes" / "candidates" / "2"
    assert candidate.about.continues == "shapes@1"
    assert version_of("shapes", home).about.version == "1"
    assert next_version(home / "models" / "shapes") == "3"
    told = json.loads((candidate.folder / COMPARISON).read_text(encoding="utf-8"))
    assert (told["older"], told["newer"]) == ("shapes@1", "shapes@2")
    assert told["images"] == 16  # of two shapes, by the two hands that are held back
    assert [one["label"] for one in told["classes"]] == ["Caerulea quadrata", "Rubra ovata"]


@pytest.mark.slow
def test_what_is_worse_or_was_not_compared_is_not_promoted(home: Path) -> None:
    candidate = version_of("shapes@2", home)
    own = (candidate.folder / COMPARISON).read_bytes()
    told = json.loads(own)
    worse = told | {"before": 16, "after": 2, "better": 0, "worse": 14, "chance": 0.0001}
    spoiled = amended(candidate, files={COMPARISON: json.dumps(worse).encode()})
    with pytest.raises(BundleError, match=r"shapes@2 beside shapes@1.*not promoted"):
        promoted(spoiled)
    others = amended(candidate, files={COMPARISON: json.dumps(told | {"newer_weights": "0"}).encode()})
    with pytest.raises(BundleError, match="other weights"):
        promoted(others)
    with pytest.raises(BundleError, match="is no candidate"):
        promoted(version_of("shapes@1", home))
    amended(candidate, files={COMPARISON: own})
    done = deboodt(home, "promote", "models/shapes@2", "--although-worse")
    assert done.returncode == 0, done.stderr
    assert version_of("shapes", home).about.version == "2"
    assert open_bundle(home / "models" / "shapes" / "2").about.continues == "shapes@1"
