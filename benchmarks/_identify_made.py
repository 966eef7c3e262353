"""A home folder with an InceptionV3, and pictures, to measure answering with. In: a folder. Out: what lies there then.

Weights are random: what is measured is time and memory, not what is seen. The bundle has the float model, the one in
whole numbers of 8 bits, and OpenVINO's where that is installed; which serves is said. In ``small`` there is a home
with a network of next to nothing, to ask very often. TensorFlow exports in a process of its own: ``python -m
benchmarks._identify_made FOLDER``.
"""

import io
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

PX, CLASSES, SEED, CALIBRATION = 299, 200, 1, 12
NAME, SMALL = "inception", "small"
SMALL_PX = 96
ENGINES = {"openvino": "openvino.xml", "litert-int8": "model.int8.tflite", "litert": "model.tflite"}
"""Engines, the quickest first, by a file that each needs."""


def made(home: Path) -> Path:
    """Return the bundle's folder in ``home``, made where it is not there."""
    bundle = home / "models" / NAME / "1"
    if not (small(home) / "models" / SMALL / "1" / "bundle.json").is_file():
        subprocess.run([sys.executable, "-m", "benchmarks._identify_made", str(home)], check=True)
    return bundle


def small(home: Path) -> Path:
    """Return the home with the small network that lies within ``home``."""
    return home / SMALL


def picture(width: int, height: int, seed: int, detail: int = 6) -> bytes:
    """Return a JPEG that is as rich as a photograph; ``detail`` pixels are about as large as what is seen in it."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 90 + 2, width // 90 + 2, 3), dtype=np.uint8)
    fine = rng.integers(0, 256, (height // detail + 2, width // detail + 2, 3), dtype=np.uint8)
    layers = [
        np.asarray(Image.fromarray(one).resize((width, height), Image.Resampling.BICUBIC), np.float32)
        for one in (coarse, fine)
    ]
    out = io.BytesIO()
    Image.fromarray((0.75 * layers[0] + 0.25 * layers[1]).astype(np.uint8)).save(out, "JPEG", quality=88)
    return out.getvalue()


def pictures(folder: Path, number: int, width: int, height: int) -> list[Path]:
    """Return paths of ``number`` JPEGs, made where they are not there; they are copies of eight."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{at:04}.jpg" for at in range(number)]
    for at, path in enumerate(paths):
        if not path.is_file():
            path.write_bytes(paths[at % 8].read_bytes() if at >= 8 else picture(width, height, at))
    return paths


def main() -> None:
    """Export the network and write the bundle."""
    import os

    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras
    import tensorflow

    from identify.learning.export import litert
    from identify.learning.quantising import litert_int8, openvino_int8
    from linkeddata.errors import DatasetError

    home = Path(sys.argv[1])
    work = home / "making"
    work.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(SEED)
    trunk = keras.applications.InceptionV3(weights=None, include_top=False, pooling="avg", input_shape=(PX, PX, 3))
    given = keras.Input((PX, PX, 3))
    features = trunk(keras.layers.Rescaling(1 / 127.5, offset=-1)(given))
    network = keras.Model(given, [keras.layers.Dense(CLASSES + 1)(features), features])
    network.save(work / "model.keras")
    network.export(str(work / "saved"), format="tf_saved_model", verbose=False)
    files = {"model.keras": (work / "model.keras").read_bytes()}
    shown = [np.asarray(Image.open(io.BytesIO(picture(PX, PX, seed))), np.float32)[None] for seed in range(CALIBRATION)]
    files["model.tflite"] = litert(tensorflow, work / "saved")
    files["model.int8.tflite"] = litert_int8(tensorflow, work / "saved", shown)
    with suppress(DatasetError):  # OpenVINO is an extra
        files |= openvino_int8(work / "saved", shown)
    _write(home, NAME, PX, files)
    given = keras.Input((SMALL_PX, SMALL_PX, 3))
    features = keras.layers.GlobalAveragePooling2D()(given)
    network = keras.Model(given, [keras.layers.Dense(CLASSES + 1)(features), features])
    network.export(str(work / "small"), format="tf_saved_model", verbose=False)
    files = {"model.keras": b"not kept", "model.tflite": litert(tensorflow, work / "small")}
    _write(small(home), SMALL, SMALL_PX, files)


def _write(home: Path, name: str, px: int, files: dict[str, bytes]) -> None:
    from identify.bundle import Description, write
    from identify.classes import to_json
    from linkeddata.records import ModelClass

    classes = [
        ModelClass(id=f"{name}@1/{at}", model=name, version="1", index=at, label=f"Species {at:03}", rank="species")
        for at in range(CLASSES)
    ]
    about = Description(
        name=name,
        version="1",
        recipe="random weights",
        image_px=px,
        dataset="0" * 64,
        seed=SEED,
        engine=next(name for name, file in ENGINES.items() if file in files),
    )
    rest = {
        "classes.json": to_json(classes).encode(),
        "metrics.json": json.dumps({}).encode(),
        "card.md": b"# random\n",
    }
    write(home / "models" / name / "1", about, files | rest)


if __name__ == "__main__":
    main()
