"""Training on a dataset of a few coloured shapes: the whole way, killed in the middle, and what it refuses.

Each training runs in a process of its own, as in life; TensorFlow warns of many things while it is loaded.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from crowd.campaign import ModelRules
from harvest.datasets.manifest import read_dataset
from identify.affected import read_learned
from identify.bundle import DESCRIPTION, INT8, TRAINING, open_bundle
from identify.engines import open_engine
from identify.learning.measuring import MOST_LOST
from identify.learning.recipes import chosen
from identify.learning.training import train
from identify.runtime import Classifier, Scores
from linkeddata.errors import DatasetError

CODE = """
import json, sys
from pathlib import Path
from crowd.campaign import ModelRules
from identify.learning.training import train
dataset, out, rules = sys.argv[1:4]
train(Path(dataset), Path(out), ModelRules(**json.loads(rules)), progress=lambda *told: print(*told, flush=True))
"""
MAKE = """
import sys, keras
keras.utils.set_random_seed(1)
model = keras.applications.MobileNetV3Large(include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg")
model.set_weights([3 * one if one.ndim == 4 else one for one in model.get_weights()])
model.save_weights(sys.argv[1])
"""  # three times what chance gives: else so many layers let nothing through
SMALL = {"name": "shapes", "backbone": "small", "image_px": 32, "epochs": 4, "batch": 6, "engines": []}


def started(dataset: Path, out: Path, rules: dict[str, object], **environment: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", CODE, str(dataset), str(out), json.dumps(rules)]
    env = {**os.environ, **environment}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)


def trained(dataset: Path, out: Path, rules: dict[str, object], **environment: str) -> str:
    process = started(dataset, out, rules, **environment)
    told, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    return told


@pytest.fixture(scope="module")
def undisturbed(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("models") / "undisturbed"
    trained(dataset, out, SMALL)
    return out


@pytest.fixture(scope="module")
def mobile(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Rules for a backbone whose weights are in a file."""
    weights = tmp_path_factory.mktemp("weights") / "backbone.weights.h5"
    subprocess.run([sys.executable, "-c", MAKE, str(weights)], check=True, capture_output=True, timeout=300)
    return {"name": "shapes", "backbone": "mobilenetv3", "image_px": 32, "weights": str(weights), "engines": []}


@pytest.fixture(scope="module")
def tuned(
    mobile: dict[str, object], dataset: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, object]]:
    """A fine-tuned model, and the rules that it was made by."""
    out, rules = tmp_path_factory.mktemp("tuned") / "model", mobile | {"recipe": "finetune", "epochs": 2, "batch": 8}
    told = trained(dataset, out, rules)
    assert "learn 6 6" in told
    return out, rules


def content(folder: Path) -> dict[str, str]:
    """Return a hash of each file, but of what says how long it took."""
    files = (p for p in sorted(folder.iterdir()) if p.name not in (TRAINING, DESCRIPTION))
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_a_bundle_comes_out_and_answers_without_tensorflow(undisturbed: Path, dataset: Path, red: bytes) -> None:
    bundle = open_bundle(undisturbed)
    assert [one.label for one in bundle.classes] == ["Caerulea quadrata", "Rubra ovata", "Viridis plana"]
    assert (bundle.about.image_px, bundle.about.recipe) == (32, "scratch")
    assert dict(bundle.about.software)["tensorflow"]
    (answer,) = Classifier.open(undisturbed).answer([red])
    assert isinstance(answer, Scores)
    assert sum(answer.probabilities) == pytest.approx(1.0)
    assert not undisturbed.with_name(".undisturbed.training").exists()
    taught = read_dataset(dataset).split("train")
    assert [(one.file, one.concept) for one in read_learned(bundle)] == [(e.file, e.concept) for e in taught]


def test_figures_are_of_the_group_never_seen(undisturbed: Path) -> None:
    metrics = open_bundle(undisturbed).metrics
    assert metrics["unseen"]["groups"] == ["chalk"]
    assert metrics["unseen"]["images"] == 12
    assert metrics["chosen_on"] == "validation"
    share = metrics["unseen"]["accuracy"]
    assert 0 <= share["low"] <= share["value"] <= share["high"] <= 1
    assert sum(map(sum, metrics["unseen"]["confusion"])) == 12
    assert [row["support"] for row in metrics["unseen"]["per_class"]] == [4, 4, 4]


def test_the_card_says_what_was_measured_and_what_not(undisturbed: Path) -> None:
    card = open_bundle(undisturbed).card
    assert "of 12; between" in card
    assert "On groups it learned from: not measured" in card
    assert "What it cannot do" in card


@pytest.mark.slow
def test_killed_in_the_middle_it_ends_with_the_same_bundle(undisturbed: Path, dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    process = started(dataset, out, SMALL)
    assert process.stdout
    for line in process.stdout:
        if line.startswith("learn 10 "):  # four batches an epoch: in the third
            os.kill(process.pid, signal.SIGKILL)
            break
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert not out.exists()
    told = trained(dataset, out, SMALL)
    assert "learn 8 " not in told
    assert "learn 9 " in told
    assert content(out) == content(undisturbed)
    assert open_bundle(out).about == open_bundle(undisturbed).about


@pytest.mark.slow
def test_a_head_on_a_backbone_learns_from_weights_in_a_file(
    mobile: dict[str, object], dataset: Path, tmp_path: Path, red: bytes
) -> None:
    told = trained(dataset, tmp_path / "model", mobile)
    assert "compute features" in told
    bundle = open_bundle(tmp_path / "model")
    assert bundle.about.recipe == "head"
    (answer,) = Classifier.open(bundle.folder).answer([red])
    assert isinstance(answer, Scores)
    assert {row.group for row in read_learned(bundle)} == {"gouache", "ink", "wash"}  # validation's hand teaches, too


@pytest.mark.slow
def test_a_fine_tuned_backbone_sees_beside_the_one_it_was(tuned: tuple[Path, dict[str, object]], red: bytes) -> None:
    bundle = open_bundle(tuned[0])
    assert (bundle.about.recipe, bundle.about.engine) == ("finetune", "litert")
    assert bundle.training["weights"] == "backbone.weights.h5"
    assert {row.group for row in read_learned(bundle)} == {"gouache", "ink"}
    basis = bundle.metrics["judgement"]["basis"]
    assert basis["how"].startswith("cross-fitted")
    assert basis["images"] == 12  # by the hand of validation alone: the backbone learned from the others
    (answer,) = Classifier.open(bundle.folder).answer([red])
    assert isinstance(answer, Scores)


@pytest.mark.slow
def test_killed_while_it_fine_tunes_it_ends_with_the_same_bundle(
    tuned: tuple[Path, dict[str, object]], dataset: Path, tmp_path: Path
) -> None:
    undisturbed, rules = tuned
    process = started(dataset, tmp_path / "killed", rules)
    assert process.stdout
    for line in process.stdout:
        if line.startswith("learn 5 "):  # three batches a round: in the second
            os.kill(process.pid, signal.SIGKILL)
            break
    process.communicate(timeout=60)
    told = trained(dataset, tmp_path / "killed", rules)
    assert "learn 3 " not in told
    assert content(tmp_path / "killed") == content(undisturbed)


def test_weights_that_cannot_be_used_are_said_so(dataset: Path, tmp_path: Path) -> None:
    rules = {"backbone": "mobilenetv3", "image_px": 32, "weights": str(tmp_path / "nowhere.h5")}
    process = started(dataset, tmp_path / "model", rules)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "DatasetError: the weights in" in errors


@pytest.mark.slow
def test_without_weights_a_small_network_learns_and_it_is_said(dataset: Path, tmp_path: Path) -> None:
    nowhere = {"KERAS_HOME": str(tmp_path), "https_proxy": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}
    floats = ["openvino-float"] if find_spec("openvino") else []
    rules = {"backbone": "mobilenetv3", "image_px": 32, "epochs": 1, "engines": ["litert-int8", *floats]}
    told = trained(dataset, tmp_path / "model", rules, **nowhere)
    assert "ImageNet weights of mobilenetv3 cannot be had" in told
    assert "a small network learns in its place" in told
    bundle = open_bundle(tmp_path / "model")
    assert (bundle.about.backbone, bundle.about.recipe) == ("small", "scratch")
    quick, *others = bundle.about.engines
    assert (quick.engine, quick.images) == ("litert-int8", 24)
    assert [(one.engine, one.accepted) for one in others] == [(one, True) for one in floats]
    best = "litert-int8" if quick.loss_points <= MOST_LOST else "litert"
    assert bundle.about.engine == next(iter(floats), best)
    assert open_engine(bundle).name == bundle.about.engine
    assert bundle.has(INT8) == quick.accepted
    effort = json.loads((bundle.folder / TRAINING).read_text(encoding="utf-8"))
    assert effort["instead_of"] == "mobilenetv3"


def test_what_cannot_be_meant_is_refused_before_tensorflow_is_loaded(dataset: Path, tmp_path: Path) -> None:
    for wrong, words in (
        ({"recipe": "huge"}, "no recipe 'huge'; there are head, finetune, scratch"),
        ({"backbone": "vgg"}, "no backbone 'vgg'; there are inceptionv3, "),
        ({"balance": "even"}, "no balance 'even'; there are logits, sampling, none"),
        ({"engines": ("steam",)}, "no engine 'steam'; there are litert-int8, openvino-float, openvino"),
        ({"min_images": 50}, "no class has 50 pictures that teach it"),
    ):
        with pytest.raises(DatasetError, match=words):
            train(dataset, tmp_path / "model", ModelRules(**wrong))
    with pytest.raises(DatasetError, match="is no dataset of ours"):
        train(tmp_path, tmp_path / "model", ModelRules(backbone="small"))
    assert "tensorflow" not in sys.modules


def test_a_campaign_may_change_a_recipe() -> None:
    plan = chosen(ModelRules(backbone="small", epochs=3))
    assert (plan.recipe.name, plan.recipe.epochs, plan.image_px) == ("scratch", 3, 96)
    assert chosen(ModelRules()).backbone.name == "inceptionv3"


@pytest.mark.parametrize(
    ("before", "recipe", "backbone"), [("small", "scratch", "small"), ("inceptionv3", "head", "inceptionv3")]
)
def test_recipes_that_campaign_files_named_before_still_mean_the_same(before: str, recipe: str, backbone: str) -> None:
    plan = chosen(ModelRules(recipe=before))
    assert (plan.recipe.name, plan.backbone.name) == (recipe, backbone)


@pytest.mark.slow
def test_every_backbone_is_built_under_one_name() -> None:
    code = (
        "import keras\nfrom identify.learning.backbones import BACKBONES, NAME, unlearned\n"
        "for one in BACKBONES.values():\n"
        "    made = unlearned(keras, one, one.image_px)\n"
        "    assert (made.name, len(made.output.shape)) == (NAME, 2), one.name\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
