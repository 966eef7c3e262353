"""EfficientNet-Lite0 in Keras, with weights that torch keeps. In: Keras, tensors by name. Out: a model to features.

The network is EfficientNet-B0 (arXiv:1905.11946) without squeeze-and-excitation and with ReLU6, as published at
https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite. The weights were trained in
TensorFlow: "same" padding and an epsilon of 0.001 are TensorFlow's, also where torch keeps them. Pictures are scaled
by (x - 127) / 128.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from identify.learning.torchfile import Tensors
from linkeddata.errors import DatasetError

EPSILON = 1e-3
PREFIX = "lite"
"""Layers are called as in torch, with this before it: TensorFlow takes no name that begins with ``_``."""


@dataclass(frozen=True, slots=True)
class _Stage:
    """Blocks of one width: how many, their kernel, the stride of the first, how much they widen within."""

    blocks: int
    kernel: int
    stride: int
    widening: int
    filters: int


STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)

DEPTHS = (1280, 192, 112, 80)
"""Of how many features each depth is that is given out: the last layer's, then those of the stages of this width."""


def efficientnet_lite0(keras: Any, size_px: int, tensors: Tensors | None, name: str) -> Any:
    """Return the network from (images, size_px, size_px, 3) to (images, sum of DEPTHS); with its weights where given.

    Behind the last layer's means are those of earlier stages: what is less of an object and more of its parts. With
    192 of them two or three in a hundred drawings more were named rightly, with 112 and 80 another one.
    """
    layers = keras.layers
    given = layers.Input((size_px, size_px, 3))
    x = _normal(
        keras, layers.Conv2D(32, 3, 2, "same", use_bias=False, name=f"{PREFIX}_conv_stem")(given), f"{PREFIX}_bn0"
    )
    number, parts = 0, list[Any]()
    for stage in STAGES:
        for place in range(stage.blocks):
            x = _block(keras, x, stage, stage.stride if place == 0 else 1, f"{PREFIX}_blocks.{number}")
            number += 1
        if stage.filters in DEPTHS:
            parts.insert(0, x)
    x = _normal(keras, layers.Conv2D(1280, 1, use_bias=False, name=f"{PREFIX}_conv_head")(x), f"{PREFIX}_bn1")
    means = [layers.GlobalAveragePooling2D()(one) for one in (x, *parts)]
    model = keras.Model(given, layers.Concatenate()(means), name=name)
    if tensors is not None:
        _load(model, tensors)
    return model


def _block(keras: Any, given: Any, stage: _Stage, stride: int, name: str) -> Any:
    """Return what one inverted residual block makes of ``given`` (arXiv:1801.04381)."""
    layers, x = keras.layers, given
    if stage.widening > 1:
        wide = given.shape[-1] * stage.widening
        x = _normal(keras, layers.Conv2D(wide, 1, use_bias=False, name=f"{name}._expand_conv")(x), f"{name}._bn0")
    depthwise = layers.DepthwiseConv2D(stage.kernel, stride, "same", use_bias=False, name=f"{name}._depthwise_conv")
    x = _normal(keras, depthwise(x), f"{name}._bn1")
    x = layers.Conv2D(stage.filters, 1, use_bias=False, name=f"{name}._project_conv")(x)
    x = layers.BatchNormalization(epsilon=EPSILON, name=f"{name}._bn2")(x)
    return layers.Add()([x, given]) if stride == 1 and given.shape[-1] == stage.filters else x


def _normal(keras: Any, x: Any, name: str) -> Any:
    return keras.layers.ReLU(6.0)(keras.layers.BatchNormalization(epsilon=EPSILON, name=name)(x))


def _load(model: Any, tensors: Tensors) -> None:
    """Set the weights by the layers' names. Raises ``DatasetError`` for tensors of another network."""
    try:
        for layer in model.layers:
            if layer.weights:
                layer.set_weights(_weights_of(layer.name.removeprefix(PREFIX), tensors))
    except (KeyError, ValueError) as error:
        raise DatasetError(f"these are no weights of EfficientNet-Lite0: {error}") from error


def _weights_of(name: str, tensors: Tensors) -> list[Any]:
    """Return a layer's weights as Keras has them: kernels (height, width, in, out), in torch (out, in, height, width).

    A depthwise kernel is (height, width, channels, 1), in torch (channels, 1, height, width).
    """
    if "_bn" in name:
        return [tensors[f"{name}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")]
    kernel = tensors[f"{name}.weight"]
    return [np.transpose(kernel, (2, 3, 0, 1) if "_depthwise" in name else (2, 3, 1, 0))]
