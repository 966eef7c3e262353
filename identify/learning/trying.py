"""Quicker forms of a model, made and measured. In: a task, the exported model. Out: a ``Trial`` an engine."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harvest.datasets.manifest import KNOWN, TEST, VALIDATION
from identify.bundle import INT8, LITERT_INT8, OPENVINO_FLOAT, OPENVINO_INT8, Measured
from identify.engines import Engine, Floats, OpenVino, Runs
from identify.images import Pixels
from identify.learning.forms import MAKERS, Forms
from identify.learning.measuring import images_per_second, measured
from identify.learning.quantising import CALIBRATION
from identify.learning.task import Task

MOST = 2000
"""Pictures on which engines are measured at most."""
ORDER = (LITERT_INT8, OPENVINO_FLOAT, OPENVINO_INT8)
"""The quickest last: of those that are good enough, that one serves."""
INSTEAD = {OPENVINO_INT8: OPENVINO_FLOAT}
"""What is tried where an engine is not good enough."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One engine: how well it does, its files, and how many pictures a second it answers, one at a time."""

    measured: Measured
    files: Mapping[str, bytes]
    images_per_second: float


def tried(task: Task, forms: Forms, model: bytes) -> Iterator[Trial]:
    """Yield the engines that the campaign asks for, measured beside ``model`` (LiteRT, floats) on held-out pictures."""
    wanted = [one for one in ORDER if one in task.rules.engines]
    places = np.concatenate([task.truths.held(split) for split in (TEST, VALIDATION, KNOWN)])[:MOST]
    if not wanted or not len(places):
        return
    truth = task.truths.shown[places]
    learned = task.truths.learned
    some = learned[:: -(-len(learned) // CALIBRATION)]
    pictures = [task.pictures[int(place)][None].astype(np.float32) for place in some]
    fitted = forms.taught.fitted
    if fitted is None:
        whole = _said(task, "measure the float model", Engine(model).run, places)
    else:
        whole = fitted.head.logits(fitted.features[places]).astype(np.float64)
    while wanted:
        engine = wanted.pop(0)
        task.tell(f"make {engine}", 0, 0)
        files = MAKERS[engine](forms, pictures)
        run = RUNNERS[engine](files, task.workplace).run
        said = _said(task, f"measure {engine}", run, places)
        speed = images_per_second(run, task.pictures[int(places[0])])
        trial = Trial(measured(engine, said, whole, truth), files, speed)
        if not trial.measured.accepted and (other := INSTEAD.get(engine)) and other not in task.rules.engines:
            wanted.append(other)
        yield trial


def _said(task: Task, what: str, run: Callable[[Pixels], tuple[Floats, Floats]], places: NDArray[np.int64]) -> Floats:
    """Return the logits of the pictures at ``places``."""
    parts = []
    for begin in range(0, len(places), 16):
        parts.append(run(task.pictures[places[begin : begin + 16]])[0])
        task.tell(what, min(begin + 16, len(places)), len(places))
    return np.concatenate(parts)


def _litert(files: Mapping[str, bytes], workplace: Path) -> Runs:
    return Engine(files[INT8], name=INT8)


def _openvino(files: Mapping[str, bytes], workplace: Path) -> Runs:
    for name, data in files.items():
        (workplace / name).write_bytes(data)
    return OpenVino(next(workplace / name for name in files if name.endswith(".xml")))


RUNNERS: dict[str, Callable[[Mapping[str, bytes], Path], Runs]] = {
    LITERT_INT8: _litert,
    OPENVINO_FLOAT: _openvino,
    OPENVINO_INT8: _openvino,
}
"""How the files of an engine are run, by its name."""
