"""What every part of a training needs to know."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowd.campaign import ModelRules
from harvest.datasets.manifest import Dataset
from identify.learning.pictures import Pictures
from identify.learning.recipes import Plan
from identify.learning.truths import Truths

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Task:
    """One training: what is learned, how, where it keeps what a stopped one goes on from, and whom it tells."""

    tensorflow: Any
    truths: Truths
    plan: Plan
    rules: ModelRules
    pictures: Pictures
    workplace: Path
    features: Path
    """Where features are kept from one training to the next."""
    tell: Progress

    @property
    def data(self) -> Dataset:
        """What is learned and measured."""
        return self.truths.data

    @property
    def keras(self) -> Any:
        """Keras, by way of TensorFlow."""
        return self.tensorflow.keras
