"""Engines: whichever a bundle names answers, with the digest of its own weights; same pictures, same answers."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from identify.bundle import Bundle, amended
from identify.engines import open_engine
from identify.runtime import Classifier, identify_files
from linkeddata.errors import BundleError
from linkeddata.records import Identification, MediaFile

MakeBundle = Callable[..., Bundle]
Picture = Callable[..., bytes]
PIXELS = np.stack([np.full((32, 32, 3), colour, np.uint8) for colour in ((250, 0, 0), (0, 250, 0), (9, 9, 9))])


def named(bundle: Bundle, picture: bytes) -> tuple[str, str]:
    """Return the label and the weights of an answer."""
    (answer,) = identify_files(Classifier(bundle), [(MediaFile(iri="urn:test:1"), picture)], moment="")
    assert isinstance(answer, Identification)
    return answer.label, answer.weights


def test_a_bundle_is_served_by_the_engine_that_it_names(
    colour_bundle: MakeBundle, colour_weights: bytes, picture: Picture, tmp_path: Path
) -> None:
    plain = colour_bundle(tmp_path)
    quick = amended(plain, replace(plain.about, engine="litert-int8"), {"model.int8.tflite": colour_weights})
    serving = open_engine(quick)
    assert (serving.name, serving.weights) == ("litert-int8", hashlib.sha256(colour_weights).hexdigest())
    assert named(quick, picture("red"))[0] == "Vanessa cardui"
    broken = amended(quick, quick.about, {"model.int8.tflite": b"no model"})
    with pytest.raises(BundleError, match=r"model\.int8\.tflite cannot be run"):
        open_engine(broken)


def test_openvino_sees_what_litert_sees(colour_bundle: MakeBundle, picture: Picture, tmp_path: Path) -> None:
    """The colour model once more, built of OpenVINO's own operations: mean colour of length 1, one output more."""
    openvino = pytest.importorskip("openvino", reason="no OpenVINO: pip install 'deboodt[openvino]'")
    ops = openvino.opset13
    given = ops.parameter([-1, 32, 32, 3], np.float32, name="images")
    mean = ops.reduce_mean(given, np.array([1, 2]), keep_dims=False)
    features = ops.normalize_l2(mean, np.array([1]), eps=1e-12, eps_mode="max")
    scaled = ops.multiply(features, np.float32(8))
    first = ops.slice(scaled, np.array([0]), np.array([1]), np.array([1]), np.array([1]))
    none = ops.add(ops.multiply(first, np.float32(0)), np.float32(5))
    logits = ops.concat([scaled, none], axis=1)
    logits.output(0).set_names({"output_0"})
    features.output(0).set_names({"output_1"})
    openvino.save_model(openvino.Model([logits, features], [given], "colours"), tmp_path / "openvino.xml")
    files = {name: (tmp_path / name).read_bytes() for name in ("openvino.xml", "openvino.bin")}
    plain = colour_bundle(tmp_path / "models")
    theirs = open_engine(plain).engine.run(PIXELS)
    bundle = amended(plain, replace(plain.about, engine="openvino"), files)
    serving = open_engine(bundle)
    assert (serving.name, serving.weights) == ("openvino", hashlib.sha256(files["openvino.bin"]).hexdigest())
    for one, other in zip(serving.engine.run(PIXELS), theirs, strict=True):
        assert one == pytest.approx(other, abs=0.02)
    assert named(bundle, picture("blue")) == ("Ornithoptera priamus", serving.weights)


WITHOUT_OPENVINO = """
import json, sys
from pathlib import Path

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "openvino":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
from starlette.testclient import TestClient
from identify.app import create_app
from linkeddata.settings import Settings

image = Path(sys.argv[2]).read_bytes()
with TestClient(create_app(Settings(home=sys.argv[1]))) as client:
    answer = client.post("/models/colours/identify", content=image, headers={"Content-Type": "image/jpeg"})
    print(json.dumps([answer.status_code, answer.json(), client.get("/health").json()["engines"]]))
"""


def test_the_api_says_that_another_engine_answers_where_openvino_is_missing(
    colour_bundle: MakeBundle, picture: Picture, tmp_path: Path
) -> None:
    plain = colour_bundle(tmp_path / "models")
    amended(plain, replace(plain.about, engine="openvino"), {"openvino.xml": b"<net/>", "openvino.bin": b"weights"})
    (tmp_path / "red.jpg").write_bytes(picture("red"))
    command = [sys.executable, "-W", "error", "-c", WITHOUT_OPENVINO, str(tmp_path), str(tmp_path / "red.jpg")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    status, answer, engines = json.loads(done.stdout)
    litert = hashlib.sha256((plain.folder / "model.tflite").read_bytes()).hexdigest()
    assert (status, answer["creator"]["weights"]) == (200, f"sha256:{litert}")
    assert "engine=litert" in answer["wasGeneratedBy"]["parameters"]
    assert engines == {"colours@1": "litert (openvino is not installed here: No module named 'openvino')"}
