"""A network as a file. In: a Keras model. Out: LiteRT's bytes, Keras' own, the same for the same model."""

import io
import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

from identify.hush import hushed

SAVED = "saved-model"


def saved_model(model: Any, workplace: Path) -> Path:
    """Write ``model`` as a SavedModel into ``workplace``; return its folder."""
    folder = workplace / SAVED
    workplace.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    model.export(folder, format="tf_saved_model", verbose=False)
    return folder


def litert(tensorflow: Any, saved: Path) -> bytes:
    """Return a SavedModel for LiteRT: one input (images, size, size, 3), 0-255; the model's outputs."""
    # By way of a SavedModel: converting the function at hand was seen to lose weights (2.21, all outputs NaN).
    with hushed():
        return bytes(tensorflow.lite.TFLiteConverter.from_saved_model(str(saved)).convert())


def keras_bytes(model: Any, workplace: Path) -> bytes:
    """Return a model in Keras' own format, without moments and memory addresses: same model, same bytes."""
    path = workplace / "model.keras"
    model.save(path)
    out = io.BytesIO()
    with zipfile.ZipFile(path) as saved, zipfile.ZipFile(out, "w") as plain:
        for entry in sorted(saved.namelist()):
            data = saved.read(entry)
            if entry == "metadata.json":
                data = json.dumps({"keras_version": json.loads(data)["keras_version"]}).encode()
            if entry == "config.json":
                data = _numbered(data)
            plain.writestr(zipfile.ZipInfo(entry), data)
    return out.getvalue()


def _numbered(config: bytes) -> bytes:
    """Return a model's configuration with shared objects named by their order; Keras names them by memory address."""
    places: dict[bytes, int] = {}

    def number(found: re.Match[bytes]) -> bytes:
        return found[1] + str(places.setdefault(found[2], len(places))).encode()

    return re.sub(rb'("shared_object_id": )(\d+)', number, config)
