"""The ways to teach a network, by recipe. In: a task, a backbone to begin with. Out: the network, taught."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowd.campaign import ModelRules
from identify.learning.backbones import Seeing, doubled, parted
from identify.learning.continuing import Before
from identify.learning.features import MIRRORED, PLAIN, STRANGER, Trunk, features_of, trunk_of
from identify.learning.head import Descent, Fitted, Lessons, Rows, fit
from identify.learning.networks import fitted_head, learning_head, network
from identify.learning.recipes import FINETUNE, HEAD, RECIPES, SCRATCH, Recipe
from identify.learning.rounds import learn
from identify.learning.task import Task
from identify.learning.truths import Truths
from linkeddata.errors import DatasetError

STRANGERS = 1000
"""So many made-up strangers teach a head at most."""
LEAST_DIFFERENCE = 1e-6
"""Between features of pictures; with weights that are not its own a backbone may let nothing through."""
UPPER = 0.7
"""Share of a backbone's layers that fine-tuning teaches."""
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Taught:
    """A network that has learned, whose backbone it began with, and the loss of each round."""

    model: Any
    seeing: Seeing
    losses: tuple[float, ...]
    fitted: Fitted | None = None
    trunk: Trunk | None = None
    """Both where a head was fitted to features of the backbone as it is now."""


def by_formulas(recipe: Recipe, rules: ModelRules, truths: Truths) -> bool:
    """Say whether a recipe is nothing but a head of formulas, without rounds.

    They say all there is to say of pictures of single classes; rare ones weigh as much as others in them.
    """
    return recipe.name == HEAD and not (truths.coarse or rules.epochs)


def head(task: Task, seen: Seeing, old: Before | None) -> Taught:
    """Teach a head on features of a backbone that is ready."""
    alone = task.plan.recipe.name == HEAD  # fine-tuning's rounds are not the head's
    own = task.plan.recipe if alone else RECIPES[HEAD]
    turns = task.truths.coarse or (alone and task.rules.epochs)
    descent = Descent(
        rounds=own.epochs if turns else 0,
        batch=own.batch,
        rate=own.learning_rate,
        smoothing=own.smoothing,
        patience=own.patience,
        balance=task.rules.balance,
        seed=task.rules.seed,
    )
    trunk = trunk_of(task.tensorflow, seen, task.plan.image_px, task.features, task.workplace)
    looked = _Looked.of(task, trunk, seen.backbone.depths)
    judges = task.truths.judges
    made, losses = fit(looked.lessons(), descent, looked.plain(judges) if len(judges) else None)
    task.keras.backend.clear_session()  # layers are numbered anew, whether the trunk had to be made or not
    model = network(
        task.keras, seen.backbone, seen.model, lambda f: fitted_head(task.keras, f, made), task.plan.image_px
    )
    again = Fitted(made, looked.rows, lambda places: fit(looked.lessons(places), descent)[0])
    return Taught(model, seen, tuple(losses), again, trunk)


@dataclass(frozen=True, slots=True)
class _Looked:
    """Features of all pictures as they are (pictures, size), mirrored (1 or 0, learned, size), of strangers."""

    task: Task
    rows: Rows
    mirrored: Rows
    strange: Rows
    depths: tuple[int, ...]

    @classmethod
    def of(cls, task: Task, trunk: Trunk, depths: tuple[int, ...]) -> "_Looked":
        learned, everything = task.truths.learned, np.arange(len(task.data.examples))
        rows = _features(task, trunk, everything, [PLAIN])[0]
        if is_blind(rows):
            raise DatasetError(f"{task.plan.backbone.name} sees no difference between pictures: are these its weights?")
        # Pictures varied in paper, colours and line brought nothing here (0.0 points on drawings), mirrored ones 1.1.
        mirrored = _features(task, trunk, learned, [MIRRORED]) if task.rules.mirror else np.empty((0, 0, 0), np.float32)
        return cls(
            task,
            rows,
            mirrored,
            _features(task, trunk, learned[:: -(-len(learned) // STRANGERS)], [STRANGER])[0],
            depths,
        )

    def lessons(self, places: Places | None = None) -> Lessons:
        """Return what teaches: the learned pictures, mirrored too, and strangers; or the pictures at ``places``."""
        truths, learned = self.task.truths, self.task.truths.learned
        own = learned if places is None else places
        kept = np.arange(len(learned)) if places is None else np.flatnonzero(np.isin(learned, places))
        kinds = len(self.mirrored)
        shown = np.concatenate([truths.shown[own], np.tile(truths.shown[learned[kept]], kinds)])
        sure = np.concatenate([truths.sure[own], np.tile(truths.sure[learned[kept]], kinds)])
        more = self.mirrored[:, kept].reshape(-1, self.rows.shape[1]) if kinds else self.rows[:0]
        return self._lessons(
            np.concatenate([self.rows[own], more, self.strange]),
            np.concatenate([shown, np.full(len(self.strange), truths.none)]),
            np.concatenate([sure, np.ones(len(self.strange), np.float32)]),
        )

    def plain(self, places: Places) -> Lessons:
        """Return the pictures at ``places`` as they are."""
        truths = self.task.truths
        return self._lessons(self.rows[places], truths.shown[places], truths.sure[places])

    def _lessons(self, features: Rows, shown: Places, sure: Rows) -> Lessons:
        depths = self.depths or (features.shape[1],)
        return Lessons(features=features, shown=shown, sets=self.task.truths.sets, sure=sure, depths=depths)


def is_blind(rows: Rows) -> bool:
    """Say whether features (pictures, size) are the same for all pictures: these cannot be the backbone's weights.

    >>> is_blind(np.full((3, 8), 2e-11)), is_blind(np.eye(3))
    (True, False)
    """
    return len(rows) > 1 and float(np.ptp(rows, axis=0).max()) < LEAST_DIFFERENCE


def _features(task: Task, trunk: Trunk, places: Places, kinds: Sequence[str]) -> Rows:
    sha1s = [task.data.examples[place].copy_sha1 for place in places]
    return features_of(trunk, sha1s, lambda row: task.pictures[int(places[row])], kinds, task.tell)


def finetune(task: Task, seen: Seeing, old: Before | None) -> Taught:
    """Teach a head, then the backbone's upper blocks with it, then a head on what these see beside what they saw.

    What normalises stays as it is. The backbone before it learned is kept beside the one that did: alone that knows
    known kinds better, and strangers less well.
    """
    kept, own = parted(task.keras, seen)
    taught = head(task, own, old)
    own.model.trainable = True
    first = int(len(own.model.layers) * (1 - UPPER))
    for place, layer in enumerate(own.model.layers):
        layer.trainable = place >= first and type(layer).__name__ != "BatchNormalization"
    losses = learn(task, taught.model, knows=True)
    own.model.trainable = False
    both = doubled(task.keras, kept, own, task.plan.image_px)
    again = head(replace(task, features=task.workplace), both, old)
    fitted = replace(again.fitted, learned=True) if again.fitted else None
    return replace(again, seeing=seen, losses=(*taught.losses, *losses), fitted=fitted)


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
    return Taught(model, seen, tuple(learn(task, model, knows=old is not None)))


TEACHING: dict[str, Callable[[Task, Seeing, Before | None], Taught]] = {
    HEAD: head,
    FINETUNE: finetune,
    SCRATCH: scratch,
}
"""How each recipe teaches, by its name."""
