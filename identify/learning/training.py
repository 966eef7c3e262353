"""A model learns. In: datasets' folders, the campaign's model rules. Out: a bundle that answers without TensorFlow.

What is kept for going on after a stop lies beside the bundle's folder until it is written; features of pictures are
kept for other trainings, too.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from crowd.campaign import ModelRules
from harvest.datasets.manifest import Dataset
from identify.bundle import Bundle
from identify.learning.backbones import NoWeightsError, Seeing, seeing, unlearned, weights_hash
from identify.learning.bundling import bundled
from identify.learning.continuing import Before, before
from identify.learning.effort import Clock
from identify.learning.pictures import Pictures
from identify.learning.recipes import SCRATCH, Plan, chosen, small_instead
from identify.learning.task import Progress, Task
from identify.learning.teaching import TEACHING, by_formulas
from identify.learning.tensors import tensorflow
from identify.learning.together import together
from identify.learning.truths import taught_by_all, truths_of
from linkeddata.decoding import Limits
from linkeddata.settings import VERSION


def train(
    dataset: str | Path | Sequence[Path],
    out: Path,
    rules: ModelRules,
    *,
    version: str = "1",
    limits: Limits | None = None,
    progress: Progress | None = None,
    features: Path | None = None,
    continues: Bundle | None = None,
) -> Bundle:
    """Learn the classes of ``dataset`` (or several) and put the bundle at ``out``.

    ``features`` is the folder in which features are kept from one training to the next; ``continues`` a model to go on
    from. Raises ``DatasetError`` for a dataset, a recipe or weights that nothing can be learned with.
    """
    plan, tell = chosen(rules), progress or _silent
    if continues:
        plan = _of_before(plan, continues, rules)
    data = together([Path(dataset)] if isinstance(dataset, str | Path) else dataset)
    truths = truths_of(data, rules.min_images)
    workplace = _workplace(out, data, plan, rules, continues)
    clock = Clock(workplace)
    tensors = tensorflow(rules.seed)
    old = before(tensors, continues) if continues else None
    plan, seen = _seeing(tensors, plan, rules, old, tell)
    if by_formulas(plan.recipe, rules, truths):  # nothing has to stop it: validation's groups may teach, too
        truths = truths_of(taught_by_all(data), rules.min_images)
    pictures = Pictures(truths.data, plan.image_px, workplace, limits or Limits(), clock.telling(tell))
    task = Task(tensors, truths, plan, rules, pictures, workplace, features or workplace, clock.telling(tell))
    taught = TEACHING[plan.recipe.name](task, seen, old)
    bundle = bundled(task, taught, out, version, continues, clock)
    shutil.rmtree(workplace)
    return bundle


def _silent(what: str, done: int, total: int) -> None:
    """Progress for those who do not want to hear of it."""


def _of_before(plan: Plan, continues: Bundle, rules: ModelRules) -> Plan:
    """Return the plan with the backbone and the size of the model that is gone on from."""
    about = continues.about
    if about.backbone and about.backbone != plan.backbone.name:
        plan = chosen(replace(rules, backbone=about.backbone))
    return replace(plan, image_px=about.image_px)


def _workplace(out: Path, data: Dataset, plan: Plan, rules: ModelRules, continues: Bundle | None) -> Path:
    """Return the folder beside ``out`` that a stopped training goes on from; emptied if it is another's."""
    folder = out.with_name(f".{out.name}.training")
    told = [VERSION, data.sha256, asdict(plan.recipe), plan.backbone.name, plan.image_px, asdict(rules)]
    asked = json.dumps([*told, continues.weights if continues else ""], sort_keys=True)
    mark = folder / "asked.json"
    if not mark.is_file() or mark.read_text(encoding="utf-8") != asked:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        mark.write_text(asked, encoding="utf-8")
    return folder


def _seeing(tensors: Any, plan: Plan, rules: ModelRules, old: Before | None, tell: Progress) -> tuple[Plan, Seeing]:
    """Return the plan that can be followed, and the backbone to begin with."""
    keras = tensors.keras
    if old and plan.recipe.name != SCRATCH:
        return plan, old.seeing()
    if plan.recipe.name != SCRATCH:
        try:
            return plan, seeing(keras, plan.backbone, plan.image_px, rules.weights)
        except NoWeightsError as error:
            tell(f"{error}: a small network learns in its place", 0, 0)
            plan = small_instead(plan, rules)
    model = unlearned(keras, plan.backbone, plan.image_px)
    return plan, Seeing(plan.backbone, model, "chance", weights_hash(model))
