"""The forms in which a taught network answers. In: a task, what was taught. Out: files of each engine, as bytes.

Where only a head learned, the backbone's form is made once and kept with its features, and the head is set on it;
in 8 bits only the backbone is: the head stays in floats.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from identify.bundle import INT8, LITERT_INT8, OPENVINO_FLOAT, OPENVINO_INT8
from identify.learning.export import litert, saved_model
from identify.learning.graft import grafted
from identify.learning.networks import head_alone
from identify.learning.quantising import Images, litert_int8, openvino_float, openvino_int8
from identify.learning.task import Task
from identify.learning.teaching import Taught
from linkeddata.files import replaced


@dataclass(frozen=True)
class Forms:
    """Makes each form when it is asked for. ``pictures`` that calibrate are (1, size, size, 3), 0-255."""

    task: Task
    taught: Taught

    def floats(self) -> bytes:
        """Return the model for LiteRT."""
        trunk = self.taught.trunk
        return grafted(trunk.model, self._head) if trunk else litert(self.task.tensorflow, self._saved)

    def int8(self, pictures: Sequence[Images]) -> dict[str, bytes]:
        """Return the model for LiteRT in 8 bits."""
        trunk, tensorflow = self.taught.trunk, self.task.tensorflow
        if trunk is None:
            return {INT8: litert_int8(tensorflow, self._saved, pictures)}
        path = trunk.folder / f"{trunk.name}-int8-{_hash(pictures)}.tflite"
        if not path.is_file():
            with replaced(path) as out:
                out.write(litert_int8(tensorflow, trunk.saved(self.task.workplace), pictures))
        return {INT8: grafted(path.read_bytes(), self._head)}

    def openvino(self, pictures: Sequence[Images]) -> dict[str, bytes]:
        """Return the model for OpenVINO in 8 bits."""
        return openvino_int8(self._saved, pictures)

    def openvino_float(self, pictures: Sequence[Images]) -> dict[str, bytes]:
        """Return the model for OpenVINO in floats, which needs no ``pictures``."""
        return openvino_float(self._saved)

    @cached_property
    def _saved(self) -> Path:
        return saved_model(self.taught.model, self.task.workplace)

    @cached_property
    def _head(self) -> bytes:
        if self.taught.fitted is None:
            raise ValueError("no head was fitted")
        model = head_alone(self.task.keras, self.taught.fitted.head)
        return litert(self.task.tensorflow, saved_model(model, self.task.workplace / "head"))


MAKERS: dict[str, Callable[[Forms, Sequence[Images]], Mapping[str, bytes]]] = {
    LITERT_INT8: Forms.int8,
    OPENVINO_FLOAT: Forms.openvino_float,
    OPENVINO_INT8: Forms.openvino,
}
"""How the files of each engine are made, by the engine's name."""


def _hash(pictures: Sequence[Images]) -> str:
    digest = hashlib.sha256()
    for one in pictures:
        digest.update(one.tobytes())
    return digest.hexdigest()[:16]
