"""Quicker forms of a model. In: the SavedModel, pictures to calibrate with. Out: files of an engine, as bytes.

In 8 bits the network's numbers become whole ones, by what real pictures of the dataset make of them inside. OpenVINO
is quicker than LiteRT in floats, too: where the processor has them it takes those of 16 bits. Whether such a form is
good enough is measured (``measuring.py``), never supposed.
"""

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from identify.bundle import OPENVINO, OPENVINO_FLOATS
from identify.hush import hushed
from linkeddata.errors import DatasetError

Images = NDArray[np.float32]
CALIBRATION = 100
"""Pictures that calibrate at most."""


def litert_int8(tensorflow: Any, saved: Path, pictures: Sequence[Images]) -> bytes:
    """Return the model for LiteRT in 8 bits; ``pictures`` are (1, size, size, 3), 0-255. It takes and gives floats."""

    def shown() -> Iterator[list[Images]]:
        return ([one] for one in pictures)

    with hushed():
        converter = tensorflow.lite.TFLiteConverter.from_saved_model(str(saved))
        converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
        converter.representative_dataset = shown
        return bytes(converter.convert())


def openvino_int8(saved: Path, pictures: Sequence[Images]) -> dict[str, bytes]:
    """Return the model for OpenVINO in 8 bits: outputs logits and features, in this order.

    Raises ``DatasetError`` where OpenVINO or NNCF is not installed.
    """
    openvino, nncf = _installed("openvino"), _installed("nncf")
    with hushed():
        model = openvino.convert_model(str(saved))
        small = nncf.quantize(model, nncf.Dataset(pictures), subset_size=len(pictures))
        return _written(openvino, small, saved.with_name(OPENVINO))


def openvino_float(saved: Path) -> dict[str, bytes]:
    """Return the model for OpenVINO in floats, with the same outputs. Raises like ``openvino_int8``."""
    openvino = _installed("openvino")
    with hushed():
        return _written(openvino, openvino.convert_model(str(saved)), saved.with_name(OPENVINO_FLOATS))


def _installed(package: str) -> Any:
    try:
        with hushed():
            return importlib.import_module(package)
    except ImportError as error:
        raise DatasetError("OpenVINO's engines need: pip install 'deboodt[openvino]'") from error


def _written(openvino: Any, model: Any, path: Path) -> dict[str, bytes]:
    openvino.save_model(model, path, compress_to_fp16=False)
    return {one.name: one.read_bytes() for one in (path, path.with_suffix(".bin"))}
