"""What it costs to teach a head 2,000 pictures, once with a cold cache of features and once with a warm one.

The peer is Keras in the same run: ``predict`` of the same backbone on the same pictures, and a dense layer fitted to
its features. Keras is timed on some of the pictures, and the time of its ``predict`` multiplied.
"""

import hashlib
import io
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks._figure import figure
from crowd.campaign import DatasetRules
from harvest.datasets.building import build
from linkeddata.records import Label, MediaFile, Taxon
from linkeddata.storage import stored_file

CLASSES, MAKERS = 20, 10
CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
SECONDS, WARM_SECONDS = 300.0, 20.0
PEER_IMAGES = 200
TRAIN = """
import json, sys, time
begun = time.perf_counter()
from pathlib import Path
from crowd.campaign import ModelRules
from identify.learning.training import train
data, out, features, backbone, weights = sys.argv[1:]
stages, last = {}, [begun, "load"]
def told(what, done, total):
    now = time.perf_counter()
    stages[last[1]] = stages.get(last[1], 0) + now - last[0]
    last[:] = now, what
rules = ModelRules(name="bench", backbone=backbone, weights=weights)
train(Path(data), Path(out), rules, features=Path(features), progress=told)
told("", 0, 0)
stages = {stage: round(seconds, 1) for stage, seconds in stages.items() if seconds > 0.5}
print(json.dumps({"seconds": time.perf_counter() - begun, "stages": stages}))
"""
PEER = """
import json, sys, time
import numpy as np
from identify.learning.tensors import tensorflow
from identify.learning.backbones import BACKBONES, scaled, seeing
data, backbone, weights, total = sys.argv[1:]
keras = tensorflow(1).keras
plan = BACKBONES[backbone]
seen = seeing(keras, plan, plan.image_px, weights)
image = keras.layers.Input((plan.image_px, plan.image_px, 3))
model = keras.Model(image, seen.model(scaled(keras, plan, image), training=False))
images = np.load(data)
model.predict(images[:32], batch_size=32, verbose=0)
begun = time.perf_counter()
rows = model.predict(images, batch_size=32, verbose=0)
predict = (time.perf_counter() - begun) * int(total) / len(images)
rows = np.resize(rows, (int(total), rows.shape[1]))
labels = np.arange(len(rows)) % 20
head = keras.Sequential([keras.layers.Dense(20, activation="softmax")])
head.compile("adam", "sparse_categorical_crossentropy")
begun = time.perf_counter()
head.fit(rows, labels, epochs=30, batch_size=32, verbose=0)
print(json.dumps({"predict": predict, "fit": time.perf_counter() - begun}))
"""
RANDOM = """
import sys, keras
keras.utils.set_random_seed(1)
model = keras.applications.InceptionV3(include_top=False, weights=None, input_shape=(299, 299, 3), pooling="avg")
model.save_weights(sys.argv[1])
"""


def training(folder: Path, backbone: str, images: int) -> bool:
    """Print what training costs, cold and warm, beside Keras; return whether the aims are met.

    InceptionV3 learns on weights that chance made: they cost what ImageNet's do.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = dataset(folder / "data", images)
    weights = ""
    if backbone == "inceptionv3":
        weights = str(folder / "inceptionv3.weights.h5")
        _output(RANDOM, weights)
    size = {"inceptionv3": 299}.get(backbone, 224)
    np.save(folder / "peer.npy", _pictures(data, size, PEER_IMAGES))
    features = str(folder / "features" / str(time.time_ns()))
    cold, warm = (
        json.loads(_output(TRAIN, str(data), str(folder / f"model-{run}"), features, backbone, weights))
        for run in ("cold", "warm")
    )
    peer = json.loads(_output(PEER, str(folder / "peer.npy"), backbone, weights, str(images)))
    print(json.dumps({"backbone": backbone, "cold": cold["stages"], "warm": warm["stages"]}), flush=True)
    beside = f"Keras: predict on {images:,} pictures and 30 rounds of a dense layer"
    whole = figure(
        f"train {images:,} pictures by head, {backbone}",
        cold["seconds"],
        "s",
        beside=beside,
        beside_value=peer["predict"] + peer["fit"],
        at_most=SECONDS,
    )
    cached = figure(
        f"train {images:,} pictures by head, {backbone}, features kept",
        warm["seconds"],
        "s",
        beside="Keras: 30 rounds of a dense layer alone",
        beside_value=peer["fit"],
        at_most=WARM_SECONDS,
    )
    return whole and cached


def dataset(folder: Path, images: int) -> Path:
    """Return a dataset of blotches in ``folder``, of ``CLASSES`` classes by ``MAKERS`` hands; painted once."""
    out = folder / f"dataset-{images}"
    if (out / "dataset.json").is_file():
        return out
    plates = folder / "plates"
    plates.mkdir(parents=True, exist_ok=True)
    random, media, labels = np.random.default_rng(1596), [], []
    for number in range(images):
        kind = number % CLASSES
        cells = random.integers(0, 255, (8, 8, 3), np.uint8)
        cells[:, :, kind % 3] //= 1 + kind // 3
        drawn = io.BytesIO()
        Image.fromarray(cells).resize((480, 480), Image.Resampling.BICUBIC).save(drawn, "JPEG", quality=90)
        sha1 = hashlib.sha1(drawn.getvalue(), usedforsecurity=False).hexdigest()
        (plates / f"{sha1}.jpg").write_bytes(drawn.getvalue())
        group = f"maker {number // CLASSES % MAKERS}"
        media.append(MediaFile(iri=f"urn:{number}", sha1=sha1, group=group, licence=CC0))
        labels.append(Label(id=sha1, campaign="b", file=f"urn:{number}", concept=f"Q{kind + 1}", status="accepted"))
    taxa = [Taxon(query=f"Q{n}", concept=f"Q{n}", name=f"Genus kind{n}", rank="species") for n in range(1, CLASSES + 1)]
    build(
        media,
        labels,
        taxa,
        lambda one: stored_file(plates / f"{one.sha1}.jpg", sha1=one.sha1),
        out,
        DatasetRules(min_images=1),
    )
    return out


def _pictures(data: Path, size_px: int, images: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    paths = sorted(path for path in data.rglob("*.jpg"))[:images]
    return np.stack(
        [np.asarray(Image.open(path).convert("RGB").resize((size_px, size_px)), np.float32) for path in paths]
    )


def _output(code: str, *arguments: str) -> str:
    """Return the last line that a process of its own prints."""
    done = subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()[-1] if done.stdout else ""
