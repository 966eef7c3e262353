"""The ways to teach a network, by recipe. In: a task, a backbone to begin with. Out: the network, taught."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from identify.learning.backbones import Seeing
from identify.learning.continuing import Before
from identify.learning.features import PLAIN, STRANGER, Trunk, features_of, trunk_of, varied
from identify.learning.head import Descent, Lessons, fit
from identify.learning.networks import backbone_of, fitted_head, learning_head, network, with_directions
from identify.learning.recipes import FINETUNE, HEAD, RECIPES, SCRATCH
from identify.learning.rounds import learn
from identify.learning.task import Task

STRANGERS = 1000
"""So many made-up strangers teach a head at most."""
UPPER = 0.3
"""Share of a backbone's layers that fine-tuning teaches."""
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Taught:
    """A network that has learned, whose backbone it began with, and the loss of each round."""

    model: Any
    seeing: Seeing
    losses: tuple[float, ...]


def head(task: Task, seen: Seeing, old: Before | None) -> Taught:
    """Teach a head on features of a backbone that is ready."""
    recipe = RECIPES[HEAD]
    own = task.plan.recipe if task.plan.recipe.name == HEAD else recipe  # fine-tuning's rounds are not the head's
    descent = Descent(
        rounds=own.epochs,
        batch=own.batch,
        rate=own.learning_rate,
        smoothing=own.smoothing,
        patience=own.patience,
        balance=task.rules.balance,
        seed=task.rules.seed,
    )
    trunk = trunk_of(task.tensorflow, seen, task.plan.image_px, task.features)
    lessons = _lessons(task, trunk)
    held = task.truths.judges
    made, losses = fit(lessons, descent, _plain(task, trunk, held) if len(held) else None)
    model = network(
        task.keras, seen.backbone, seen.model, lambda f: fitted_head(task.keras, f, made), task.plan.image_px
    )
    return Taught(with_directions(model, made), seen, tuple(losses))


def _lessons(task: Task, trunk: Trunk) -> Lessons:
    """Return features of the pictures that teach, of variants of them and of strangers made from some."""
    truths, learned = task.truths, task.truths.learned
    kinds = [PLAIN, *(varied(n + 1, mirror=task.rules.mirror) for n in range(task.plan.backbone.variants))]
    own = _features(task, trunk, learned, kinds)
    models = learned[:: -(-len(learned) // STRANGERS)]
    strange = _features(task, trunk, models, [STRANGER])[0]
    return Lessons(
        features=np.concatenate([own.reshape(-1, own.shape[-1]), strange]),
        shown=np.concatenate([np.tile(truths.shown[learned], len(kinds)), np.full(len(models), truths.none)]),
        sets=truths.sets,
        sure=np.concatenate([np.tile(truths.sure[learned], len(kinds)), np.ones(len(models), np.float32)]),
        depths=task.plan.backbone.depths or (own.shape[-1],),
    )


def _plain(task: Task, trunk: Trunk, places: Places) -> Lessons:
    """Return features of pictures as they are."""
    truths = task.truths
    rows = _features(task, trunk, places, [PLAIN])[0]
    return Lessons(
        features=rows,
        shown=truths.shown[places],
        sets=truths.sets,
        sure=truths.sure[places],
        depths=task.plan.backbone.depths or (rows.shape[-1],),
    )


def _features(task: Task, trunk: Trunk, places: Places, kinds: Sequence[str]) -> NDArray[np.float32]:
    sha1s = [task.data.examples[place].copy_sha1 for place in places]
    return features_of(trunk, sha1s, lambda row: task.pictures[int(places[row])], kinds, task.tell)


def finetune(task: Task, seen: Seeing, old: Before | None) -> Taught:
    """Teach a head, then the backbone's upper blocks with it; what normalises stays as it is."""
    taught = head(task, seen, old)
    inside = backbone_of(taught.model)
    inside.trainable = True
    first = int(len(inside.layers) * (1 - UPPER))
    for place, layer in enumerate(inside.layers):
        layer.trainable = place >= first and type(layer).__name__ != "BatchNormalization"
    return Taught(taught.model, seen, (*taught.losses, *learn(task, taught.model)))


def scratch(task: Task, seen: Seeing, old: Before | None) -> Taught:
    """Teach the whole network, from nothing or from what a model before it knows."""
    classes = task.data.classes
    model = network(
        task.keras,
        seen.backbone,
        seen.model,
        lambda given: learning_head(task.keras, given, len(classes)),
        task.plan.image_px,
    )
    if old:
        model = old.taught(model, classes)
    return Taught(model, seen, tuple(learn(task, model)))


TEACHING: dict[str, Callable[[Task, Seeing, Before | None], Taught]] = {
    HEAD: head,
    FINETUNE: finetune,
    SCRATCH: scratch,
}
"""How each recipe teaches, by its name."""
