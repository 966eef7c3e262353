"""Quicker forms of a model. In: the SavedModel, pictures to calibrate with. Out: files of an engine, as bytes.

Both make the network's numbers whole ones of 8 bits, by what real pictures of the dataset make of them inside. Whether
such a form is good enough is measured (``measuring.py``), never supposed.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from identify.bundle import OPENVINO, OPENVINO_WEIGHTS
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
    try:
        with hushed():
            import nncf
            import openvino
    except ImportError as error:
        raise DatasetError("the engine openvino needs: pip install 'deboodt[openvino]'") from error
    with hushed():
        model = openvino.convert_model(str(saved))
        small = nncf.quantize(model, nncf.Dataset(pictures), subset_size=len(pictures))
        path = saved.with_name(OPENVINO)
        openvino.save_model(small, path, compress_to_fp16=False)
    return {name: path.with_name(name).read_bytes() for name in (OPENVINO, OPENVINO_WEIGHTS)}
