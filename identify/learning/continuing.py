"""Going on from a model. In: its bundle. Out: its backbone, and what it knew of classes learned again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harvest.datasets.manifest import DatasetClass, Example
from identify.bundle import KERAS, Bundle
from identify.learning.backbones import BACKBONES, Backbone, Seeing, is_double, weights_hash
from identify.learning.networks import DIRECTIONS, SPREAD, backbone_of
from linkeddata.errors import DatasetError
from linkeddata.records import ModelClass


@dataclass(frozen=True, slots=True)
class Before:
    """A model that is gone on from."""

    bundle: Bundle
    model: Any

    @property
    def name(self) -> str:
        """How it is called: NAME@VERSION."""
        return f"{self.bundle.about.name}@{self.bundle.about.version}"

    def seeing(self) -> Seeing:
        """Return its backbone with its weights."""
        model = backbone_of(self.model)
        model.trainable = False
        return Seeing(_seen_by(self.bundle, model), model, self.name, weights_hash(model))

    def taught(self, network: Any, classes: Sequence[DatasetClass]) -> Any:
        """Give ``network``, of the same backbone, what this one knows; new classes keep what chance gave them."""
        backbone_of(network).set_weights(backbone_of(self.model).get_weights())
        network.get_layer(SPREAD).set_weights(self.model.get_layer(SPREAD).get_weights())
        (directions,), (old,) = (one.get_layer(DIRECTIONS).get_weights() for one in (network, self.model))
        directions[:, -1] = old[:, -1]
        for place, one in enumerate(classes):
            known = next((c.index for c in self.bundle.classes if same(c, one)), None)
            if known is not None:
                directions[:, place] = old[:, known]
        network.get_layer(DIRECTIONS).set_weights([np.ascontiguousarray(directions)])
        return network


def before(tensorflow: Any, bundle: Bundle) -> Before:
    """Return the model in ``bundle``, to go on from. Raises ``DatasetError`` for one that nothing can be learned on."""
    called = f"{bundle.about.name}@{bundle.about.version}"
    if bundle.about.backbone not in BACKBONES:
        raise DatasetError(f"{called} does not say which backbone it has: train it anew")
    try:
        model = tensorflow.keras.models.load_model(bundle.folder / KERAS, compile=False)
        _seen_by(bundle, backbone_of(model))
    except (ValueError, TypeError, OSError) as error:
        raise DatasetError(f"{called} cannot be gone on from: {error}") from error
    return Before(bundle, model)


def _seen_by(bundle: Bundle, model: Any) -> Backbone:
    """Return what backbone a model has: as it is built, or twice where it was fine-tuned."""
    backbone, features = BACKBONES[bundle.about.backbone], int(model.output.shape[-1])
    times = 1 + is_double(model)
    depths = (backbone.depths or (features // times,)) * times
    if features != sum(depths):
        called = f"{bundle.about.name}@{bundle.about.version}"
        raise DatasetError(f"{called} has another {backbone.name} than this De Boodt builds: train it anew")
    return replace(backbone, depths=depths)


def same(one: ModelClass, other: DatasetClass | ModelClass | Example) -> bool:
    """Say whether two classes are of the same taxon: by item, key or COL id; by rank and name where there is none."""
    told = [(one.item, other.item), (one.gbif_key, other.gbif_key), (one.col_id, other.col_id)]
    both = [(mine, its) for mine, its in told if mine and its]
    return any(mine == its for mine, its in both) if both else (one.rank, one.label) == (other.rank, other.label)
