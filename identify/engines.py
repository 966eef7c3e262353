"""What runs a network. In: the files of a bundle's engine, pixels. Out: logits and features.

LiteRT runs the float model and the one in whole numbers of 8 bits; OpenVINO, where it is installed (extra
``openvino``), its own. TensorFlow is not needed and not imported.
"""

import hashlib
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from identify.bundle import ENGINES, LITERT, WEIGHTS, Bundle
from identify.hush import hushed
from identify.images import Pixels
from linkeddata.errors import BundleError

Floats = NDArray[np.float64]
PROCESSORS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
THREADS = max(1, PROCESSORS - 1)
"""Threads that a network runs on: all processors but one, on which the next images are decoded meanwhile."""


class Runs(Protocol):
    """Whatever can look at images; threads may share it."""

    def run(self, images: Pixels) -> tuple[Floats, Floats]:
        """Return logits (images, classes + 1) and features (images, size) of ``images`` (images, px, px, 3), 0-255."""


class Engine:
    """A LiteRT model with two outputs: logits (images, classes + 1), features (images, size). Threads may share it.

    The last logit is for "none of these".
    """

    def __init__(self, model: bytes, threads: int = THREADS, *, name: str = WEIGHTS) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._lock = threading.Lock()
        try:
            with hushed():
                self._interpreter: Any = Interpreter(model_content=model, num_threads=threads)
                self._interpreter.allocate_tensors()  # here, because it is this that talks
            self._input = self._interpreter.get_input_details()[0]["index"]
            outputs = {o["name"]: o["index"] for o in self._interpreter.get_output_details()}
        except (ValueError, RuntimeError) as error:
            raise BundleError(f"{name} cannot be run: {error}") from error
        self._outputs = [index for _, index in sorted(outputs.items())]
        self._images = 0

    def run(self, images: Pixels) -> tuple[Floats, Floats]:
        """Return logits and features of ``images``, shape (images, size_px, size_px, 3), 0-255."""
        with self._lock:
            if len(images) != self._images:
                self._interpreter.resize_tensor_input(self._input, images.shape)
                self._interpreter.allocate_tensors()
                self._images = len(images)
            self._interpreter.set_tensor(self._input, images.astype(np.float32))
            self._interpreter.invoke()
            logits, features = (self._interpreter.get_tensor(index) for index in self._outputs)
        return logits.astype(np.float64), features.astype(np.float64)


class OpenVino:
    """A model that OpenVINO runs, with the same two outputs. Threads may share it.

    It is handed the images' bytes as they are and makes the numbers of them that the network wants.
    """

    def __init__(self, description: Path, threads: int = THREADS) -> None:
        import openvino
        from openvino.preprocess import PrePostProcessor

        how = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
        try:
            core = openvino.Core()
            taking = PrePostProcessor(core.read_model(str(description)))
            taking.input().tensor().set_element_type(openvino.Type.u8)
            self._model: Any = core.compile_model(taking.build(), "CPU", how)
        except RuntimeError as error:
            raise BundleError(f"{description.name} cannot be run: {error}") from error
        self._outputs = sorted(self._model.outputs, key=lambda one: min(one.names))
        self._own = threading.local()  # a request is one thread's at a time

    def run(self, images: Pixels) -> tuple[Floats, Floats]:
        """Return logits and features of ``images``, shape (images, size_px, size_px, 3), 0-255."""
        request = getattr(self._own, "request", None)
        if request is None:
            request = self._own.request = self._model.create_infer_request()
        # Shared: nothing is copied on the way in, and what comes out is copied here, before the next images are seen.
        found = request.infer([np.ascontiguousarray(images)], share_inputs=True, share_outputs=True)
        logits, features = (found[output] for output in self._outputs)
        return logits.astype(np.float64), features.astype(np.float64)


@dataclass(frozen=True, slots=True)
class Serving:
    """An engine that runs, by which name, and the SHA-256 of the weights that it answers with.

    ``instead`` says why it is another than the bundle names, ``""`` where it is that one.
    """

    engine: Runs
    name: str
    weights: str
    instead: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.instead})" if self.instead else self.name


def open_engine(bundle: Bundle) -> Serving:
    """Return what serves a bundle: the engine it names, or where that is not installed here, the next one it accepts.

    Raises ``BundleError`` where none can be run.
    """
    about = bundle.about
    accepted = [one.engine for one in about.engines if one.accepted and one.engine != about.engine]
    instead = ""
    for name in (about.engine, *accepted, LITERT):
        weights, *rest = (bundle.folder / file for file in ENGINES[name])
        try:
            engine: Runs = OpenVino(rest[0]) if rest else Engine(weights.read_bytes(), name=weights.name)
            return Serving(engine, name, bundle.weights if name == about.engine else _sha256(weights), instead)
        except ImportError as error:
            instead = f"{name} is not installed here: {error}"
        except OSError as error:
            raise BundleError(f"{bundle.folder}: cannot be read: {error}") from error
    raise BundleError(f"{bundle.folder}: no engine to run it with")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
