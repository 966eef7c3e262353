"""A model is measured on a dataset. In: their names, a folder. Out: ``evaluation.json`` and ``.html`` there."""

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

from harvest.datasets.manifest import TRAIN, Dataset, read_dataset
from identify.affected import read_learned
from identify.bundle import Bundle, open_bundle
from identify.decide import Judge
from identify.engines import open_engine
from identify.evaluation import coverage, evaluation
from identify.evaluationpage import page
from identify.examining import Progress, examine
from identify.judging.judgement import judgement_of
from identify.modelfolders import folder_of
from linkeddata.decoding import Limits
from linkeddata.errors import BundleError
from linkeddata.files import replaced
from linkeddata.settings import Settings


def evaluated(
    settings: Settings,
    model: str,
    dataset: Path,
    out: Path,
    *,
    moment: str,
    checklist: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure a model with the engine that serves it, write the results to ``out`` and return the figures.

    Raises ``BundleError`` or ``DatasetError`` for what is neither, or has nothing to measure on.
    """
    bundle, data = open_bundle(folder_of(model, settings.home_path)), read_dataset(dataset)
    judge = Judge(judgement_of(bundle), bundle.classes)
    limits = Limits(settings.max_image_bytes, settings.max_image_pixels)
    examined = examine(bundle, open_engine(bundle).engine.run, data, limits=limits, progress=progress)
    figures = {
        "moment": moment,
        "model": {
            "name": bundle.about.name,
            "version": bundle.about.version,
            "weights": bundle.weights,
            "classes": len(bundle.classes),
            "simulated": bundle.about.simulated,
        },
        "dataset": {"name": dataset.resolve().name, "sha256": data.sha256, "images": len(data.examples)},
        **evaluation(judge, examined, _taught(bundle, data)),
        "coverage": coverage(bundle.classes, _listed(checklist)) if checklist else {},
    }
    out.mkdir(parents=True, exist_ok=True)
    _write(out / "evaluation.json", json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
    _write(out / "evaluation.html", page(figures, judge, examined, data))
    return figures


def _taught(bundle: Bundle, data: Dataset) -> list[int]:
    """Return how many images each class learned from; those for training where the bundle does not say."""
    try:
        counts = Counter(row.label for row in read_learned(bundle))
    except BundleError:
        counts = Counter(example.label for example in data.split(TRAIN))
    return [counts[one.label] for one in bundle.classes]


def _listed(path: Path) -> list[str]:
    """Return the first cell of each line."""
    text = path.read_text(encoding="utf-8-sig")
    return [row[0] for row in csv.reader(io.StringIO(text)) if row]


def _write(path: Path, text: str) -> None:
    with replaced(path) as file:
        file.write(text.encode())
