"""A trained network becomes a bundle. In: network, dataset, images. Out: a bundle with thresholds and figures.

Temperature, thresholds and what makes a stranger come from the validation images; the figures come from groups that
nobody has looked at before. Everything is measured with the model as it will be served.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harvest.datasets.manifest import KNOWN, STRANGER, TEST, TRAIN, VALIDATION, Dataset
from identify.affected import learned_from
from identify.bundle import CARD, CLASSES, KERAS, LEARNED, METRICS, WEIGHTS, Bundle, Description, write
from identify.card import card
from identify.classes import model_classes, to_json
from identify.decide import Decision, Thresholds, decide, heaviest, taxon_at
from identify.engines import Engine
from identify.evaluate import (
    Floats,
    as_data,
    auroc,
    figures,
    fit_temperature,
    none_of_these,
    rejection_curve,
    scored,
    share,
    threshold_for_precision,
    threshold_keeping,
)
from identify.images import Pixels
from identify.learning.head import Fitted
from linkeddata.records import ModelClass

PRECISION = 0.95
"""Share of right answers asked of each rung."""
LEAST = 0.5
"""No answer below this probability."""
KEEP = 0.92
"""Share of known pictures that must not be taken for strangers."""
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A network as training leaves it."""

    model: bytes  # LiteRT
    keras: bytes
    recipe: str
    image_px: int
    seed: int
    software: tuple[tuple[str, str], ...]
    fitted: Fitted | None = None
    """Where only a head learned: what it takes to fit it again to fewer pictures, and features of all of them."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the network made of the images of one split."""

    logits: Floats
    truth: tuple[int, ...]
    groups: tuple[str, ...]


def assess(
    out: Path, data: Dataset, images: Pixels, trained: Trained, *, name: str, version: str, progress: Progress
) -> Bundle:
    """Measure ``trained`` on the splits of ``data`` (``images`` in its order) and write the bundle to ``out``."""
    classes = model_classes(data.classes, name, version)
    seen = _seen(trained.model, data, images, progress)
    chosen_on = next((s for s in (VALIDATION, KNOWN, TRAIN) if len(seen[s].truth)), TRAIN)
    basis = seen[chosen_on]
    temperature = fit_temperature(basis.logits[:, :-1], basis.truth)
    # Plates of known hands count here too: a quantile of few pictures says little.
    unlearned = [seen[split] for split in dict.fromkeys((chosen_on, VALIDATION, KNOWN))]
    none = np.concatenate([none_of_these(part.logits) for part in unlearned])
    scale = round(max(threshold_keeping(list(none), KEEP), 1e-6), 6)
    thresholds = _thresholds(scored(basis.logits, temperature, scale)[0], basis.truth, classes)
    about = Description(
        name=name,
        version=version,
        recipe=trained.recipe,
        image_px=trained.image_px,
        dataset=data.sha256,
        seed=trained.seed,
        temperature=temperature,
        novelty_scale=scale,
        thresholds=thresholds,
        simulated=any(e.simulated for e in data.examples),
        software=trained.software,
    )
    metrics = {"chosen_on": chosen_on, **_metrics(seen, about, classes), "dataset": dict(data.counts)}
    files = {
        WEIGHTS: trained.model,
        KERAS: trained.keras,
        CLASSES: to_json(classes).encode(),
        METRICS: (json.dumps(metrics, indent=1, ensure_ascii=False) + "\n").encode(),
        CARD: card(about, classes, metrics, data).encode(),
        LEARNED: learned_from(data),
    }
    return write(out, about, files)


def _seen(model: bytes, data: Dataset, images: Pixels, progress: Progress) -> dict[str, _Seen]:
    """Run the served model over every image, once; return what it made of each split."""
    engine = Engine(model)
    number = {c.concept: i for i, c in enumerate(data.classes)}
    parts = []
    for begin in range(0, len(images), 16):
        parts.append(engine.run(np.asarray(images[begin : begin + 16]))[0])
        progress("evaluate", min(begin + 16, len(images)), len(images))
    logits = np.concatenate(parts)
    seen = {}
    for split in (TRAIN, VALIDATION, TEST, KNOWN, STRANGER):
        places = [i for i, e in enumerate(data.examples) if e.split == split]
        truth = tuple(number.get(data.examples[i].concept, -1) for i in places)
        groups = tuple(data.examples[i].group for i in places)
        seen[split] = _Seen(logits[places], truth, groups)
    return seen


def _thresholds(probabilities: Floats, truth: Sequence[int], classes: Sequence[ModelClass]) -> Thresholds:
    """Return, for each rung, the lowest certainty from which on ``PRECISION`` of the answers is right.

    Never less than ``LEAST``: what is answered is likelier than everything else together.
    """
    top = [int(i) for i in np.argmax(probabilities, axis=1)]
    certain = [float(row.max()) for row in probabilities]
    own = threshold_for_precision(certain, [a == t for a, t in zip(top, truth, strict=True)], PRECISION)
    return Thresholds(
        own=round(max(LEAST, own), 6),
        genus=_rank_threshold("genus", probabilities, truth, classes),
        family=_rank_threshold("family", probabilities, truth, classes),
    )


def _rank_threshold(rank: str, probabilities: Floats, truth: Sequence[int], classes: Sequence[ModelClass]) -> float:
    answers = [heaviest(list(row), classes, rank) for row in probabilities]
    right = [taxon == taxon_at(classes[t], rank) for (taxon, _), t in zip(answers, truth, strict=True)]
    return round(max(LEAST, threshold_for_precision([mass for _, mass in answers], right, PRECISION)), 6)


def _metrics(seen: dict[str, _Seen], about: Description, classes: Sequence[ModelClass]) -> dict[str, Any]:
    """Return all figures as plain data: unseen and known groups, strangers, thresholds, the curve behind them."""
    named = {"unseen": TEST, "known": KNOWN, "validation": VALIDATION}
    none = {split: list(none_of_these(part.logits)) for split, part in seen.items()}
    rejected = [not d.label for d in _decisions(seen[STRANGER], about, classes)]
    return {
        **{key: _split_figures(seen[split], about, classes) for key, split in named.items()},
        "strangers": {
            "images": len(rejected),
            "rejected": as_data(share(sum(rejected), len(rejected))),
            "auroc": auroc(none[TEST], none[STRANGER]),
        },
        "thresholds": asdict(about.thresholds) | {"none": about.novelty_scale, "temperature": about.temperature},
        "curve": rejection_curve(none[TEST], none[STRANGER]),
    }


def _split_figures(seen: _Seen, about: Description, classes: Sequence[ModelClass]) -> dict[str, Any]:
    """Return the figures of one split: of the class put first, and of what the ladder answers."""
    probabilities, _ = scored(seen.logits, about.temperature, about.novelty_scale)
    content = figures(probabilities, seen.truth, [one.label for one in classes])
    decisions = _decisions(seen, about, classes)
    truth = [classes[t] for t in seen.truth]
    for rank in ("genus", "family"):
        at_rank = [heaviest(list(row), classes, rank)[0] for row in probabilities]
        right = [a == taxon_at(t, rank) for a, t in zip(at_rank, truth, strict=True)]
        content[f"{rank}_accuracy"] = as_data(share(sum(right), len(right)))
    answered = [(d, t) for d, t in zip(decisions, truth, strict=True) if d.label]
    true = [d.label == taxon_at(t, d.rank).name for d, t in answered]
    content["answered"] = as_data(share(len(answered), len(truth)))
    content["answered_right"] = as_data(share(sum(true), len(true)))
    content["rules"] = {rule: sum(d.rule == rule for d in decisions) for rule in ("R1", "R2", "R3", "R4", "R5")}
    return content | {"groups": sorted(set(seen.groups))}


def _decisions(seen: _Seen, about: Description, classes: Sequence[ModelClass]) -> list[Decision]:
    probabilities, novelty = scored(seen.logits, about.temperature, about.novelty_scale)
    return [
        decide(list(row), float(n), classes, about.thresholds) for row, n in zip(probabilities, novelty, strict=True)
    ]
