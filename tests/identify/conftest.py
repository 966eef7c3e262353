"""A model that tells colours apart: real LiteRT, made in seconds, its answers known beforehand."""

import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from identify.bundle import CARD, CLASSES, KERAS, METRICS, WEIGHTS, Bundle, Description, write
from identify.classes import to_json
from linkeddata.records import Ancestor, ModelClass

# In a process of its own: TensorFlow warns of many things while it is loaded, and tests take warnings for errors.
MAKE = """
import sys
import tensorflow as tf

@tf.function(input_signature=[tf.TensorSpec([None, 32, 32, 3], tf.float32)])
def colours(images):
    features = tf.nn.l2_normalize(tf.reduce_mean(images, axis=[1, 2]), axis=-1)
    none = tf.fill([tf.shape(images)[0], 1], 5.0)
    return tf.concat([8.0 * features, none], axis=-1), features

converter = tf.lite.TFLiteConverter.from_concrete_functions([colours.get_concrete_function()])
open(sys.argv[1], "wb").write(converter.convert())
"""
NAMES = (
    ("Vanessa cardui", "Q158603", "4299368", "Nymphalidae", "7017"),
    ("Papilio paris", "Q977492", "1937911", "Papilionidae", "9417"),
    ("Ornithoptera priamus", "Q148013", "1937444", "Papilionidae", "9417"),
)
"""What red, green and blue are taken for."""


@pytest.fixture(scope="session")
def colour_weights(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The LiteRT model: logits and features are the mean colour, with one logit more for none."""
    path = tmp_path_factory.mktemp("weights") / "colours.tflite"
    subprocess.run([sys.executable, "-c", MAKE, str(path)], check=True, capture_output=True, timeout=300)
    return path.read_bytes()


@pytest.fixture(scope="session")
def colour_bundle(colour_weights: bytes) -> Callable[[Path, str], Bundle]:
    """Makes the model's bundle in ``folder/NAME/VERSION``."""

    def make(folder: Path, version: str = "1", name: str = "colours") -> Bundle:
        classes = [
            ModelClass(
                id=f"{name}@{version}/{index}",
                model=name,
                version=version,
                index=index,
                label=label,
                rank="species",
                item=item,
                gbif_key=key,
                lineage=(Ancestor("family", family, family_key),),
                relation="exact",
            )
            for index, (label, item, key, family, family_key) in enumerate(NAMES)
        ]
        about = Description(
            name=name,
            version=version,
            recipe="mean colour",
            image_px=32,
            dataset="0" * 64,
            seed=0,
            novelty_scale=0.2,
            simulated=True,
        )
        files = {
            WEIGHTS: colour_weights,
            KERAS: b"not kept",
            CLASSES: to_json(classes).encode(),
            METRICS: b"{}",
            CARD: b"# colours\n\nTells <colours> apart.\n",
        }
        return write(folder / name / version, about, files)

    return make


def _picture(colour: str, kind: str = "JPEG", size: tuple[int, int] = (64, 48)) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()


@pytest.fixture(scope="session")
def picture() -> Callable[..., bytes]:
    """Makes the bytes of a picture of one colour."""
    return _picture
