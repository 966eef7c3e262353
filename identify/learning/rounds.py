"""A network learns from pictures, round by round. In: a task, a model. Out: the model, taught.

Everything drawn by chance is drawn from (seed, round), and weights and the optimiser's state are kept after every
round: a training that was killed goes on from there and ends with the same weights as one that was left alone.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from identify.augment import augmented, restyled
from identify.learning.head import adjustment, order_of
from identify.learning.task import Task
from identify.strange import strangers
from linkeddata.errors import DatasetError

Rows = NDArray[np.float32]
Places = NDArray[np.int64]
Lesson = tuple[Rows, NDArray[np.bool_], Rows]
"""Pictures, which classes each may show, how sure that is."""


@dataclass
class Course:
    """How far learning came; all of it is kept after every round."""

    done: int = 0
    best: float = float("inf")
    best_round: int = 0


def learn(task: Task, model: Any, *, knows: bool) -> list[float]:
    """Teach ``model`` round by round, going on from the last one that was finished; return the loss of each round.

    The loss of a round is that on pictures set aside (validation, else known groups), where there are any: learning
    ends when it has not become less for as many rounds as the recipe is patient, and the best round's weights stay; a
    model that ``knows`` something before the first round may be best as it was. Where the recipe averages, it is the
    weights' running mean that is judged and kept.
    """
    steps = max(1, len(task.truths.learned) // _batch(task))
    optimiser = _optimiser(task, model, steps)
    step = _step(task, model, optimiser)
    variables = [*model.variables, *optimiser.variables]
    held = task.truths.judges
    course, losses = Course(), list[float]()
    best = [np.asarray(one) for one in model.variables]
    _restored(task.workplace, course, losses, variables, best)
    rounds, patience = task.plan.recipe.epochs, task.plan.recipe.patience
    if knows and not course.done and len(held):
        course.best = _loss(task, model, held)
    while course.done < rounds and (not len(held) or course.done - course.best_round < patience):
        loss = 0.0
        for number, lesson in enumerate(_ahead(_lessons(task, course.done))):
            loss = float(step(*lesson))
            task.tell("learn", course.done * steps + number + 1, rounds * steps)
        if not np.isfinite(loss):
            raise DatasetError(f"learning went astray in round {course.done + 1}: the loss is not a number any more")
        course.done += 1
        with _mean_of(task, model, optimiser):
            losses.append(_loss(task, model, held) if len(held) else loss)
            if not len(held) or losses[-1] < course.best:
                course.best, course.best_round = losses[-1], course.done
                best = [np.array(one) for one in model.variables]
        _kept(task.workplace, course, losses, variables, best)
    for variable, value in zip(model.variables, best, strict=True):
        variable.assign(value)
    return losses


def _batch(task: Task) -> int:
    return min(task.plan.recipe.batch, len(task.truths.learned))


def _lessons(task: Task, number: int) -> Iterator[Lesson]:
    """Yield the batches of one round: pictures and strangers with what they may show; a stranger is the last class."""
    random = np.random.default_rng([task.rules.seed, number])
    learned, truths, batch = task.truths.learned, task.truths, _batch(task)
    order = learned[order_of(truths.shown[learned], task.rules.balance, random)]
    none = np.zeros(truths.sets.shape[1], bool)
    none[-1] = True
    for part in range(len(learned) // batch):
        some = order[part * batch : (part + 1) * batch]
        shown, restyling = task.pictures[some], task.plan.recipe.restyled
        if restyling:
            shown = restyled(shown, random, restyling)
        models = random.choice(learned, int(batch * task.plan.recipe.strange))
        if len(models):
            shown = np.concatenate([shown, strangers(task.pictures[models], random)])
        meant = np.concatenate([truths.sets[truths.shown[some]], np.repeat(none[None], len(models), axis=0)])
        sure = np.concatenate([truths.sure[some], np.ones(len(models), np.float32)])
        yield augmented(shown, random, mirror=task.rules.mirror), meant, sure


def _ahead(lessons: Iterator[Lesson]) -> Iterator[Lesson]:
    """Yield ``lessons`` in their order, the next one made while one is learned."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, lessons, None)
        while (lesson := coming.result()) is not None:
            coming = pool.submit(next, lessons, None)
            yield lesson


def _optimiser(task: Task, model: Any, steps: int) -> Any:
    """Return AdamW whose learning rate rises, then falls along a cosine."""
    keras, recipe = task.keras, task.plan.recipe
    total = steps * recipe.epochs
    warm = max(1, int(total * recipe.warm_up))
    rate = keras.optimizers.schedules.CosineDecay(
        recipe.learning_rate / 20, max(1, total - warm), warmup_target=recipe.learning_rate, warmup_steps=warm
    )
    optimiser = keras.optimizers.AdamW(
        rate,
        weight_decay=recipe.weight_decay,
        global_clipnorm=5.0,
        use_ema=recipe.averaged > 0,
        ema_momentum=recipe.averaged or 0.99,
    )
    optimiser.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    optimiser.build(model.trainable_variables)
    return optimiser


@contextmanager
def _mean_of(task: Task, model: Any, optimiser: Any) -> Iterator[None]:
    """Give ``model`` the running mean of its weights for a while, where the recipe averages them."""
    if not task.plan.recipe.averaged:
        yield
        return
    own = [np.array(one) for one in model.trainable_variables]
    optimiser.finalize_variable_values(model.trainable_variables)
    yield
    for variable, value in zip(model.trainable_variables, own, strict=True):
        variable.assign(value)


def _step(task: Task, model: Any, optimiser: Any) -> Callable[..., Any]:
    """Return the compiled function that learns from one batch; the loss is that of ``head.turned``."""
    tf, smoothing = task.tensorflow, task.plan.recipe.smoothing
    more = np.zeros(task.truths.sets.shape[1], np.float32)
    if task.rules.balance == "logits":
        more = adjustment(task.truths.shown[task.truths.learned], task.truths.sets)

    @tf.function(jit_compile=False)  # type: ignore[untyped-decorator]
    def step(rows: Any, meant: Any, sure: Any) -> Any:
        spread = 1 - sure * (1 - smoothing)
        with tf.GradientTape() as tape:
            logits, _ = model(rows, training=True)
            believed = tf.nn.log_softmax(logits + more)
            right = tf.reduce_logsumexp(tf.where(meant, believed, -1e9), axis=1)
            loss = tf.reduce_mean(-(1 - spread) * right - spread * tf.reduce_mean(believed, axis=1))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimiser.apply(gradients, model.trainable_variables)
        return loss

    return lambda *lesson: step(*map(tf.constant, lesson))


def _loss(task: Task, model: Any, places: Places) -> float:
    """Return the mean loss of the classes at ``places``, without smoothing, of pictures as they are."""
    total = 0.0
    for begin in range(0, len(places), 32):
        some = places[begin : begin + 32]
        logits = np.asarray(model(task.pictures[some].astype(np.float32), training=False)[0], np.float64)[:, :-1]
        away = logits - logits.max(axis=1, keepdims=True)
        believed = away - np.log(np.exp(away).sum(axis=1, keepdims=True))
        total -= float(believed[np.arange(len(some)), task.truths.shown[some]].sum())
    return total / len(places)


def _kept(
    workplace: Path, course: Course, losses: Sequence[float], variables: Sequence[Any], best: Sequence[Any]
) -> None:
    """Keep everything that learning changes; a stop in between leaves the round before."""
    half = workplace / "round.part"
    with half.open("wb") as stream:
        values: dict[str, Any] = {f"v{i}": np.asarray(v) for i, v in enumerate(variables)}
        values |= {f"b{i}": v for i, v in enumerate(best)}
        far = np.array([course.done, course.best, course.best_round])
        np.savez(stream, course=far, losses=np.array(losses), **values)
    half.replace(workplace / "round.npz")


def _restored(workplace: Path, course: Course, losses: list[float], variables: Sequence[Any], best: list[Any]) -> None:
    """Set everything that learning changes to what was kept, where something was."""
    path = workplace / "round.npz"
    if not path.is_file():
        return
    with np.load(path, allow_pickle=False) as kept:
        for i, variable in enumerate(variables):
            variable.assign(kept[f"v{i}"])
        best[:] = [kept[f"b{i}"] for i in range(len(best))]
        losses[:] = [float(one) for one in kept["losses"]]
        course.done, course.best, course.best_round = (
            int(kept["course"][0]),
            float(kept["course"][1]),
            int(kept["course"][2]),
        )
