"""A model learns. In: a dataset's folder, the campaign's model rules. Out: a bundle that answers without TensorFlow.

This is the only file that needs TensorFlow, and it imports it inside functions. Everything drawn by chance is drawn
from (seed, epoch), and weights and the optimiser's state are kept after every epoch: a training that was killed goes on
from there and ends with the same weights as one that was left alone.
"""

import io
import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowd.campaign import ModelRules
from harvest.datasets.manifest import TRAIN, Dataset, read_dataset
from identify.assess import Trained, assess
from identify.augment import augmented
from identify.bundle import Bundle
from identify.hush import hushed
from identify.images import Pixels, pixels
from identify.strange import strangers
from linkeddata.decoding import Limits, UnreadableImageError
from linkeddata.errors import DatasetError
from linkeddata.settings import VERSION

Progress = Callable[[str, int, int], None]
Varied = NDArray[np.float32]
Places = NDArray[np.int64]
Lesson = tuple[Varied, NDArray[np.int32]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a network is built and taught, where the campaign does not say otherwise."""

    name: str
    about: str
    image_px: int
    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float
    smoothing: float = 0.1
    """Share of each label that is spread over all classes."""
    warm_up: float = 0.1
    """Share of all steps over which the learning rate rises."""
    strange: float = 0.6
    """Strangers made for each picture that is learned."""
    variants: int = 0
    """Where only a head learns: how often each picture is varied before its features are kept."""


RECIPES: dict[str, Recipe] = {
    "small": Recipe(
        name="small",
        about="a small residual network, learned from scratch",
        image_px=96,
        epochs=70,
        batch=16,
        learning_rate=2e-3,
        weight_decay=0.02,
    ),
    "inceptionv3": Recipe(
        name="inceptionv3",
        about="InceptionV3 with ImageNet weights, of which a new head learns",
        image_px=299,
        epochs=60,
        batch=32,
        learning_rate=3e-3,
        weight_decay=0.001,
        variants=4,
    ),
}
"""The recipes by the name that a campaign calls them."""
FEATURES = 1_000_000
"""Stands where an epoch would in what the features' variants are drawn from."""


@dataclass(frozen=True, slots=True)
class _Task:
    """What every part of a training needs to know."""

    tensorflow: Any
    data: Dataset
    recipe: Recipe
    rules: ModelRules
    images: Pixels  # all examples in the manifest's order
    workplace: Path
    tell: Progress

    @property
    def learned(self) -> Places:
        """Places of the examples that teach."""
        return np.array([i for i, e in enumerate(self.data.examples) if e.split == TRAIN], np.int64)

    @property
    def truth(self) -> NDArray[np.int32]:
        """Class of each example, -1 for a stranger."""
        number = {c.concept: i for i, c in enumerate(self.data.classes)}
        return np.array([number.get(e.concept, -1) for e in self.data.examples], np.int32)


@dataclass(frozen=True, slots=True)
class _Network:
    """``serving`` turns images into logits and features; ``learner`` is what learns.

    ``rows`` gives what it learns from: of the pictures at some places, and of strangers made from those at others.
    """

    serving: Any
    learner: Any
    rows: Callable[[Places, Places, np.random.Generator], Varied]


def train(
    dataset: str | Path,
    out: Path,
    rules: ModelRules,
    *,
    version: str = "1",
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Bundle:
    """Learn the classes of ``dataset`` and put the bundle at ``out``.

    What is kept for going on after a stop lies beside ``out`` until the bundle is written. Raises ``DatasetError`` for
    a dataset, a recipe or weights that nothing can be learned with.
    """
    recipe = chosen(rules)
    data = read_dataset(Path(dataset))
    tell = progress or _silent
    workplace = _workplace(out, data, recipe, rules)
    images = _prepared(data, recipe.image_px, workplace, limits or Limits(), tell)
    task = _Task(_tensorflow(rules.seed), data, recipe, rules, images, workplace, tell)
    network = NETWORKS[recipe.name](task)
    _learn(task, network)
    trained = Trained(
        model=_exported(task, network.serving),
        keras=_saved(network.serving, workplace),
        recipe=recipe.name,
        image_px=recipe.image_px,
        seed=rules.seed,
        software=(
            ("deboodt", VERSION),
            ("keras", task.tensorflow.keras.__version__),
            ("tensorflow", task.tensorflow.__version__),
        ),
    )
    bundle = assess(out, data, images, trained, name=rules.name or "model", version=version, progress=tell)
    shutil.rmtree(workplace)
    return bundle


def chosen(rules: ModelRules) -> Recipe:
    """Return the recipe that ``rules`` name, with their changes. Raises ``DatasetError`` for one there is not."""
    if rules.recipe not in RECIPES:
        raise DatasetError(f"no recipe {rules.recipe!r}; there are {', '.join(RECIPES)}")
    recipe = RECIPES[rules.recipe]
    return replace(
        recipe,
        image_px=rules.image_px or recipe.image_px,
        epochs=rules.epochs or recipe.epochs,
        batch=rules.batch or recipe.batch,
    )


def _silent(what: str, done: int, total: int) -> None:
    """Progress for those who do not want to hear of it."""


def _tensorflow(seed: int) -> Any:
    """Return TensorFlow, set to give the same result each time. Raises ``DatasetError`` where it is not installed."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with hushed():
            import tensorflow
    except ImportError as error:
        raise DatasetError("training needs TensorFlow: pip install 'deboodt[train]'") from error
    tensorflow.config.experimental.enable_op_determinism()
    tensorflow.keras.backend.clear_session()  # layers are numbered from the start: same model, same names, same bytes
    tensorflow.keras.utils.set_random_seed(seed)
    return tensorflow


def _workplace(out: Path, data: Dataset, recipe: Recipe, rules: ModelRules) -> Path:
    """Return the folder beside ``out`` that a stopped training goes on from; emptied if it is another's."""
    folder = out.with_name(f".{out.name}.training")
    asked = json.dumps([VERSION, data.sha256, asdict(recipe), asdict(rules)], sort_keys=True)
    mark = folder / "asked.json"
    if not mark.is_file() or mark.read_text(encoding="utf-8") != asked:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        mark.write_text(asked, encoding="utf-8")
    return folder


def _prepared(data: Dataset, size_px: int, workplace: Path, limits: Limits, tell: Progress) -> Pixels:
    """Return all examples as the model sees them, shape (images, size_px, size_px, 3), in a file, not in memory."""
    path = workplace / "images.npy"
    if path.is_file():
        return np.lib.format.open_memmap(path, mode="r")
    half = workplace / "images.part"
    shape = (len(data.examples), size_px, size_px, 3)
    images = np.lib.format.open_memmap(half, mode="w+", dtype=np.uint8, shape=shape)
    for place, example in enumerate(data.examples):
        try:
            images[place] = pixels((data.folder / example.path).read_bytes(), size_px, limits)
        except (UnreadableImageError, OSError) as error:
            raise DatasetError(f"{example.path} of {example.file} cannot be read: {error}") from error
        tell("read images", place + 1, len(data.examples))
    images.flush()
    half.replace(path)
    return np.lib.format.open_memmap(path, mode="r")


def _learn(task: _Task, network: _Network) -> None:
    """Teach the learner epoch by epoch, going on from the last one that was finished."""
    steps = len(task.learned) // _batch(task)
    optimiser = _optimiser(task, network.learner, steps)
    step = _step(task, network.learner, optimiser)
    variables = [*network.learner.variables, *optimiser.variables]
    for epoch in range(_restored(task.workplace, variables), task.recipe.epochs):
        loss = 0.0
        for number, (rows, truth) in enumerate(_ahead(_lessons(task, network, epoch))):
            loss = float(step(rows, truth))
            task.tell("learn", epoch * steps + number + 1, task.recipe.epochs * steps)
        if not np.isfinite(loss):
            raise DatasetError(f"learning went astray in epoch {epoch + 1}: the loss is not a number any more")
        _kept(task.workplace, variables, epoch + 1)


def _batch(task: _Task) -> int:
    return min(task.recipe.batch, len(task.learned))


def _lessons(task: _Task, network: _Network, epoch: int) -> Iterator[Lesson]:
    """Yield the batches of one epoch: pictures and strangers with their classes; a stranger's is the last."""
    random = np.random.default_rng([task.rules.seed, epoch])
    learned, truth, batch = task.learned, task.truth, _batch(task)
    order = random.permutation(learned)
    for number in range(len(learned) // batch):
        some = order[number * batch : (number + 1) * batch]
        models = random.choice(learned, int(batch * task.recipe.strange))
        none = np.full(len(models), len(task.data.classes), np.int32)
        yield network.rows(some, models, random), np.concatenate([truth[some], none])


def _ahead(lessons: Iterator[Lesson]) -> Iterator[Lesson]:
    """Yield ``lessons`` in their order, the next one made while one is learned."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, lessons, None)
        while (lesson := coming.result()) is not None:
            coming = pool.submit(next, lessons, None)
            yield lesson


def _optimiser(task: _Task, learner: Any, steps: int) -> Any:
    """Return AdamW whose learning rate rises, then falls along a cosine."""
    keras, recipe = task.tensorflow.keras, task.recipe
    total = steps * recipe.epochs
    warm = max(1, int(total * recipe.warm_up))
    rate = keras.optimizers.schedules.CosineDecay(
        recipe.learning_rate / 20, max(1, total - warm), warmup_target=recipe.learning_rate, warmup_steps=warm
    )
    optimiser = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, global_clipnorm=5.0)
    optimiser.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    optimiser.build(learner.trainable_variables)
    return optimiser


def _step(task: _Task, learner: Any, optimiser: Any) -> Callable[[Varied, NDArray[np.int32]], Any]:
    """Return the compiled function that learns from one batch."""
    tf, classes, smoothing = task.tensorflow, len(task.data.classes) + 1, task.recipe.smoothing

    @tf.function(jit_compile=False)  # type: ignore[untyped-decorator]
    def step(rows: Any, truth: Any) -> Any:
        wanted = tf.one_hot(truth, classes) * (1 - smoothing) + smoothing / classes
        with tf.GradientTape() as tape:
            logits, _ = learner(rows, training=True)
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(wanted, logits))
        gradients = tape.gradient(loss, learner.trainable_variables)
        optimiser.apply(gradients, learner.trainable_variables)
        return loss

    def checked(rows: Varied, truth: NDArray[np.int32]) -> Any:
        return step(tf.constant(rows), tf.constant(truth))

    return checked


def _kept(workplace: Path, variables: Sequence[Any], epoch: int) -> None:
    """Keep everything that learning changes; a stop in between leaves the epoch before."""
    half = workplace / "epoch.part"
    with half.open("wb") as stream:
        kept: dict[str, Any] = {f"v{i}": np.asarray(v) for i, v in enumerate(variables)}
        np.savez(stream, epoch=np.array(epoch), **kept)
    half.replace(workplace / "epoch.npz")


def _restored(workplace: Path, variables: Sequence[Any]) -> int:
    """Set ``variables`` to what was kept; return how many epochs are done."""
    path = workplace / "epoch.npz"
    if not path.is_file():
        return 0
    with np.load(path, allow_pickle=False) as kept:
        for i, variable in enumerate(variables):
            variable.assign(kept[f"v{i}"])
        return int(kept["epoch"])


def _small(task: _Task) -> _Network:
    """Return a residual network of a quarter of a million weights, for a few hundred pictures."""
    layers, size = task.tensorflow.keras.layers, task.recipe.image_px

    def convolved(x: Any, filters: int, stride: int = 1) -> Any:
        x = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
        return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))

    image = layers.Input((size, size, 3), name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(image)
    x = convolved(x, 24, 2)
    for filters in (48, 72, 96):
        x = convolved(x, filters, 2)
        x = layers.Add()([x, convolved(x, filters)])
    # The mean says what a wing is like, the maximum which marks it has anywhere: 10 points better than the mean alone.
    x = layers.Concatenate()([layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)])
    model = _with_head(task, image, x)

    def rows(places: Places, models: Places, random: np.random.Generator) -> Varied:
        shown = np.concatenate([task.images[places], strangers(task.images[models], random)])
        return augmented(shown, random, mirror=task.rules.mirror)

    return _Network(model, model, rows)


def _with_head(task: _Task, given: Any, features: Any) -> Any:
    """Return a model from ``given`` to logits and features: the cosine to each class, sharpened (arXiv:1803.09050).

    The last logit is for "none of these".
    """
    keras = task.tensorflow.keras
    # Without this, features after ReLU all lie in one corner, and one of length 0 has no direction (arXiv:1903.07071).
    spread = keras.layers.BatchNormalization(momentum=0.9, center=False, scale=False)(features)
    unit = keras.layers.UnitNormalization(name="features")(spread)
    constraint = keras.constraints.UnitNorm(axis=0)
    cosine = keras.layers.Dense(len(task.data.classes) + 1, use_bias=False, kernel_constraint=constraint)(unit)
    return keras.Model(given, [keras.layers.Rescaling(16.0, name="logits")(cosine), unit])


def _inception(task: _Task) -> _Network:
    """Return InceptionV3 (arXiv:1512.00567) and a head on it that learns; the backbone's features are computed once."""
    keras, size = task.tensorflow.keras, task.recipe.image_px
    backbone = _backbone(task)
    image = keras.layers.Input((size, size, 3), name="image")
    pooled = backbone(keras.layers.Rescaling(1 / 127.5, offset=-1.0)(image), training=False)
    trunk = keras.Model(image, pooled)
    given = keras.layers.Input(pooled.shape[1:])
    head = _with_head(task, given, given)
    kept = _features(task, trunk)
    row_of = {int(place): row for row, place in enumerate(task.learned)}

    def rows(places: Places, models: Places, random: np.random.Generator) -> Varied:
        which = random.integers(0, len(kept) - 1, len(places))
        shown = [kept[variant, row_of[int(place)]] for variant, place in zip(which, places, strict=True)]
        return np.stack([*shown, *(kept[-1, row_of[int(place)]] for place in models)])

    return _Network(keras.Model(image, head(pooled)), head, rows)


def _backbone(task: _Task) -> Any:
    """Return the backbone with the weights of a file, or ImageNet's. Raises ``DatasetError`` where there are none."""
    size, weights = task.recipe.image_px, task.rules.weights or "imagenet"
    try:
        return task.tensorflow.keras.applications.InceptionV3(
            include_top=False, weights=weights, input_shape=(size, size, 3), pooling="avg"
        )
    except Exception as error:
        where = f"the weights in {weights}" if task.rules.weights else "ImageNet weights"
        raise DatasetError(
            f"{where} cannot be had ({error}); name a file of InceptionV3 weights without top in [model] weights, "
            'or train a small network with recipe = "small"'
        ) from error


def _features(task: _Task, trunk: Any) -> Varied:
    """Return features of the teaching pictures, shape (variants + 1, images, size); the last are of strangers.

    Each variant is kept once it is computed: a training that was killed goes on with the next.
    """
    kept = []
    for variant in range(task.recipe.variants + 1):
        path = task.workplace / f"features-{variant}.npy"
        if not path.is_file():
            np.save(task.workplace / "features.part.npy", _through(task, trunk, variant))
            (task.workplace / "features.part.npy").replace(path)
        kept.append(np.load(path, allow_pickle=False))
    return np.stack(kept)


def _through(task: _Task, trunk: Any, variant: int) -> Varied:
    """Return what the trunk makes of one variant; the first is the pictures as they are, the last strangers."""
    learned, total, batch = task.learned, task.recipe.variants + 1, 16
    random = np.random.default_rng([task.rules.seed, FEATURES, variant])
    parts = []
    for begin in range(0, len(learned), batch):
        shown = np.asarray(task.images[learned[begin : begin + batch]])
        if variant == task.recipe.variants:
            shown = strangers(shown, random)
        varied = augmented(shown, random, mirror=task.rules.mirror) if variant else shown.astype(np.float32)
        parts.append(np.asarray(trunk(varied, training=False), np.float32))
        task.tell("compute features", variant * len(learned) + begin + len(shown), total * len(learned))
    return np.concatenate(parts)


NETWORKS: dict[str, Callable[[_Task], _Network]] = {"small": _small, "inceptionv3": _inception}
"""How each recipe's network is built."""


def _exported(task: _Task, serving: Any) -> bytes:
    """Return the model for LiteRT: one input (images, size, size, 3), 0-255; outputs logits and features."""
    task.tell("export", 0, 0)
    # By way of a SavedModel: converting the function at hand was seen to lose weights (2.21, all outputs NaN).
    folder = task.workplace / "saved-model"
    shutil.rmtree(folder, ignore_errors=True)
    serving.export(folder, format="tf_saved_model", verbose=False)
    with hushed():
        return bytes(task.tensorflow.lite.TFLiteConverter.from_saved_model(str(folder)).convert())


def _saved(serving: Any, workplace: Path) -> bytes:
    """Return the model in Keras' own format, without moments and memory addresses: same model, same bytes."""
    path = workplace / "model.keras"
    serving.save(path)
    out = io.BytesIO()
    with zipfile.ZipFile(path) as saved, zipfile.ZipFile(out, "w") as plain:
        for entry in sorted(saved.namelist()):
            data = saved.read(entry)
            if entry == "metadata.json":
                data = json.dumps({"keras_version": json.loads(data)["keras_version"]}).encode()
            if entry == "config.json":
                data = _numbered(data)
            plain.writestr(zipfile.ZipInfo(entry), data)
    return out.getvalue()


def _numbered(config: bytes) -> bytes:
    """Return a model's configuration with shared objects named by their order; Keras names them by memory address."""
    places: dict[bytes, int] = {}

    def number(found: re.Match[bytes]) -> bytes:
        return found[1] + str(places.setdefault(found[2], len(places))).encode()

    return re.sub(rb'("shared_object_id": )(\d+)', number, config)
