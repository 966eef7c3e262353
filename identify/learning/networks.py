"""A backbone and a head as one network. In: Keras, a backbone. Out: models from pictures to logits and features.

The outputs are always these two: logits (images, classes + 1), the last for "none of these", and features (images,
size) of length 1.
"""

from typing import Any

from identify.learning.backbones import NAME, Backbone, scaled
from identify.learning.head import SHARPNESS, Head

DIRECTIONS, SPREAD = "directions", "spread"


def learning_head(keras: Any, given: Any, classes: int) -> Any:
    """Return logits and features of ``given``, both learned: the cosine to each class, sharpened (arXiv:1803.09050)."""
    # Without this, features after ReLU all lie in one corner, and one of length 0 has no direction (arXiv:1903.07071).
    spread = keras.layers.BatchNormalization(momentum=0.9, center=False, scale=False, name=SPREAD)(given)
    outputs, _ = _decided(keras, spread, classes)
    return outputs


def fitted_head(keras: Any, given: Any, head: Head) -> Any:
    """Return logits and features of ``given`` as ``head`` makes them: rooted, whitened, cosines."""
    ops, parts, begin = keras.ops, [], 0
    root = ops.sign(given) * ops.sqrt(ops.abs(given))
    for size in head.depths:
        parts.append(keras.layers.UnitNormalization()(root[:, begin : begin + size]))
        begin += size
    level = keras.layers.Concatenate()(parts) if len(parts) > 1 else parts[0]
    whitened = keras.layers.Dense(head.whitening.shape[1], name=SPREAD)
    outputs, cosine = _decided(keras, whitened(level), head.directions.shape[1] - 1)
    whitened.set_weights([head.whitening, -head.centre @ head.whitening])
    cosine.set_weights([head.directions])
    return outputs


def head_alone(keras: Any, head: Head) -> Any:
    """Return the model from features (images, size) to logits and features as ``head`` makes them."""
    given = keras.layers.Input((len(head.centre),), name="features_of_backbone")
    return keras.Model(given, fitted_head(keras, given, head))


def network(keras: Any, backbone: Backbone, seeing: Any, head: Any, size_px: int) -> Any:
    """Return the model from pictures (images, size, size, 3), 0 to 255, to logits and features.

    ``seeing`` is the backbone's Keras model, ``head`` a function from its features to the two outputs.
    """
    image = keras.layers.Input((size_px, size_px, 3), name="image")
    fixed = {} if seeing.trainable else {"training": False}
    return keras.Model(image, head(seeing(scaled(keras, backbone, image), **fixed)))


def backbone_of(model: Any) -> Any:
    """Return the backbone inside a model. Raises ``ValueError`` where it has none by that name."""
    return model.get_layer(NAME)


def _decided(keras: Any, spread: Any, classes: int) -> tuple[list[Any], Any]:
    """Return logits and features of spread features, and the layer that knows the classes' directions."""
    unit = keras.layers.UnitNormalization(name="features")(spread)
    constraint = keras.constraints.UnitNorm(axis=0)
    cosine = keras.layers.Dense(classes + 1, use_bias=False, kernel_constraint=constraint, name=DIRECTIONS)
    return [keras.layers.Rescaling(SHARPNESS, name="logits")(cosine(unit)), unit], cosine
