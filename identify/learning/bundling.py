"""A taught network becomes a bundle. In: a task, the network. Out: the bundle, with the engines that are good."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from identify.assess import Trained, assess
from identify.bundle import CARD, LITERT, TRAINING, Bundle, amended, placed
from identify.card import card
from identify.images import Pixels
from identify.learning.effort import Clock
from identify.learning.export import keras_bytes
from identify.learning.forms import Forms
from identify.learning.task import Task
from identify.learning.teaching import Taught
from identify.learning.trying import Trial, tried
from linkeddata.settings import VERSION


def bundled(task: Task, taught: Taught, out: Path, version: str, continues: Bundle | None, clock: Clock) -> Bundle:
    """Export, measure and describe what was taught; put the bundle at ``out``."""
    task.tell("export", 0, 0)
    forms = Forms(task, taught)
    model = forms.floats()
    trials = list(tried(task, forms, model))
    trained = Trained(
        model=model,
        keras=keras_bytes(taught.model, task.workplace),
        recipe=task.plan.recipe.name,
        image_px=task.plan.image_px,
        seed=task.rules.seed,
        software=(
            ("deboodt", VERSION),
            ("keras", task.keras.__version__),
            ("tensorflow", task.tensorflow.__version__),
        ),
        fitted=taught.fitted,
    )
    name, pictures = task.rules.name or "model", cast(Pixels, task.pictures)
    made = task.workplace / "bundle"  # whole before it is where it can be found
    bundle = assess(made, task.data, pictures, trained, name=name, version=version, progress=task.tell)
    good = [one for one in trials if one.measured.accepted]
    about = replace(
        bundle.about,
        backbone=taught.seeing.backbone.name,
        continues=f"{continues.about.name}@{continues.about.version}" if continues else "",
        engine=good[-1].measured.engine if good else LITERT,
        engines=tuple(one.measured for one in trials),
    )
    files = {file: data for one in good for file, data in one.files.items()}
    told = _told(task, taught, trials, clock)
    files[CARD] = card(about, bundle.classes, bundle.metrics, task.data, told).encode()
    whole = amended(bundle, about, {**files, TRAINING: (json.dumps(told, indent=1) + "\n").encode()})
    return placed(whole, out)


def _told(task: Task, taught: Taught, trials: Sequence[Trial], clock: Clock) -> dict[str, Any]:
    """Return what is told of a training: what it began with, what it cost, how it went."""
    plan, spent = task.plan, clock.spent()
    return {
        "recipe": plan.recipe.name,
        "backbone": plan.backbone.name,
        "instead_of": plan.instead_of,
        "weights": taught.seeing.weights,
        "weights_sha256": taught.seeing.sha256,
        "images": len(task.truths.learned),
        "losses": [round(one, 6) for one in taught.losses],
        "losses_of": "pictures set aside" if len(task.truths.judges) else "the last batch of each round",
        "seconds": spent.seconds,
        "processor_seconds": spent.processor_seconds,
        "joules": spent.joules,
        "joules_of": "the whole machine, by the processor's own counters (RAPL)" if spent.joules is not None else "",
        "images_per_second": {one.measured.engine: one.images_per_second for one in trials},
    }
