"""A trained network becomes a bundle. In: network, dataset, images. Out: a bundle with its judgement and figures.

Calibration, thresholds and what makes a stranger come from pictures of groups that whatever judged them had not learned
from: by cross-fitting where only a head learned, else from the validation images. The figures come from groups that
nobody has looked at before. Everything is measured with the model as it will be served.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harvest.datasets.manifest import KNOWN, STRANGER, TEST, TRAIN, VALIDATION, Dataset
from identify.affected import learned_from
from identify.bundle import CARD, CLASSES, KERAS, LEARNED, METRICS, WEIGHTS, Bundle, Description, write
from identify.card import card
from identify.classes import model_classes, to_json
from identify.decide import Judge
from identify.engines import Engine
from identify.evaluate import Floats, confusion
from identify.evaluation import believed, errors, of_judgement, of_strangers, part
from identify.examining import KNOWN as OF_KNOWN_GROUP
from identify.examining import LEARNED as WAS_LEARNED
from identify.examining import UNSEEN, Examined
from identify.images import Pixels
from identify.judging.crossfit import Head, cross_fitted, folds_of
from identify.judging.fitting import Evidence, fit
from identify.judging.judgement import PRECISION, Judgement, to_files
from identify.judging.openset import MEASURES, fit_openness, measures
from identify.judging.ranks import OWN
from identify.judging.words import Thresholds
from identify.learning.head import Fitted
from linkeddata.records import ModelClass

KEEP = 0.92
"""Share of known pictures that must not be taken for strangers, where a whole network learned."""
FEWEST_GROUPS = 3
"""Groups without which nothing is cross-fitted: with two, each is judged by what one hand taught."""
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
    """Where a head was fitted: features of all pictures, and what it takes to fit it again where only it learned."""


def assess(
    out: Path, data: Dataset, images: Pixels, trained: Trained, *, name: str, version: str, progress: Progress
) -> Bundle:
    """Measure ``trained`` on the splits of ``data`` (``images`` in its order) and write the bundle to ``out``."""
    classes = model_classes(data.classes, name, version)
    seen = seen_by(trained, data, images, progress)
    chosen_on = next((s for s in (VALIDATION, KNOWN, TRAIN) if _of(seen, s)), TRAIN)
    judgement = _cross_fitted(trained, data, seen, classes, progress) or _held_out(seen, chosen_on, classes)
    judge = Judge(judgement, classes)
    about = Description(
        name=name,
        version=version,
        recipe=trained.recipe,
        image_px=trained.image_px,
        dataset=data.sha256,
        seed=trained.seed,
        temperature=judgement.calibration.temperature,
        thresholds=_in_short(judgement),
        simulated=any(e.simulated for e in data.examples),
        software=trained.software,
    )
    metrics = {
        "chosen_on": "groups left out in turn" if judgement.openness.strangers else chosen_on,
        **_metrics(judge, seen),
        "dataset": dict(data.counts),
    }
    files = {
        WEIGHTS: trained.model,
        KERAS: trained.keras,
        CLASSES: to_json(classes).encode(),
        METRICS: (json.dumps(metrics, indent=1, ensure_ascii=False) + "\n").encode(),
        CARD: card(about, classes, metrics, data).encode(),
        LEARNED: learned_from(data),
        **to_files(judgement),
    }
    return write(out, about, files)


def seen_by(trained: Trained, data: Dataset, images: Pixels, progress: Progress) -> Examined:
    """Return what the model makes of every image, in the manifest's order.

    Where a head was fitted to features that lie ready, they are what the network gives; else it is run as it will be
    served.
    """
    number = {c.concept: i for i, c in enumerate(data.classes)}
    if trained.fitted is not None:
        head, rows = trained.fitted.head, trained.fitted.features
        logits, features = head.logits(rows).astype(np.float64), head.units(rows).astype(np.float64)
    else:
        logits, features = _run(Engine(trained.model), images, progress)
    near = {TRAIN: WAS_LEARNED, KNOWN: OF_KNOWN_GROUP}
    return Examined(
        examples=data.examples,
        nearness=tuple(near.get(e.split, UNSEEN) for e in data.examples),
        truth=np.array([-1 if e.split == STRANGER else number.get(e.concept, -1) for e in data.examples], np.int64),
        logits=logits,
        features=features,
        pixels=np.zeros(len(data.examples), np.int64),
    )


def _run(engine: Engine, images: Pixels, progress: Progress) -> tuple[Floats, Floats]:
    logits, features = [], []
    for begin in range(0, len(images), 16):
        found = engine.run(np.asarray(images[begin : begin + 16]))
        logits.append(found[0])
        features.append(found[1])
        progress("evaluate", min(begin + 16, len(images)), len(images))
    return np.concatenate(logits), np.concatenate(features)


def _of(seen: Examined, *splits: str) -> Examined:
    """Return what was made of the pictures of some splits; of the model's classes alone, but for strangers."""
    return seen.only(
        np.array([e.split in splits for e in seen.examples], bool) & ((seen.truth >= 0) | (STRANGER in splits))
    )


def _cross_fitted(
    trained: Trained, data: Dataset, seen: Examined, classes: Sequence[ModelClass], progress: Progress
) -> Judgement | None:
    """Return the judgement by heads that were fitted anew without each group; nothing where that cannot be done."""
    fitted = trained.fitted
    if fitted is None:
        return None
    own = np.array([e.split in (TRAIN, VALIDATION) for e in data.examples]) & (seen.truth >= 0)
    places = np.flatnonzero(own)
    groups = [data.examples[i].group or data.examples[i].sha1 for i in places]
    judges = sorted({group for i, group in zip(places, groups, strict=True) if data.examples[i].split == VALIDATION})
    if len(judges) < 1 if fitted.learned else len(set(groups)) < FEWEST_GROUPS:
        return None
    progress("judge", 0, len(judges) if fitted.learned else int(folds_of(groups).max()) + 1)

    def of_some(some: NDArray[np.int64]) -> Head:
        return fitted.fit(places[some])

    evidence = cross_fitted(
        of_some,
        fitted.features[places],
        seen.truth[places],
        groups,
        seed=trained.seed,
        only=judges if fitted.learned else (),
    )
    learned = _of(seen, TRAIN)
    return fit(evidence, classes, bank=_bank(learned.features))


def _held_out(seen: Examined, chosen_on: str, classes: Sequence[ModelClass]) -> Judgement:
    """Return the judgement by pictures that were set aside.

    Strangers are known by the network's own output for them, which made-up ones taught it: real ones were refused more
    surely so than by energy or neighbours. Pictures of known hands count there, too, as a quantile of few says little.
    """
    basis, unlearned = _of(seen, chosen_on), _of(seen, chosen_on, VALIDATION, KNOWN)
    nothing = np.zeros((0, 1), np.float32)
    openness = fit_openness(
        measures(unlearned.logits, unlearned.features, nothing), np.zeros((0, len(MEASURES))), ("none",), KEEP
    )
    how = {VALIDATION: "groups set aside for it", KNOWN: "pictures set aside of groups that it learned from"}
    evidence = Evidence(
        logits=basis.logits,
        measured=measures(basis.logits, basis.features, nothing),
        truth=basis.truth,
        groups=tuple(e.group for e in basis.examples),
        how=how.get(chosen_on, "the pictures that it learned from, as none was set aside: much too optimistic"),
    )
    return fit(evidence, classes, openness=openness)


def _bank(features: NDArray[np.float64]) -> NDArray[np.float32]:
    lengths = np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-9)
    bank: NDArray[np.float32] = (features / lengths).astype(np.float32)
    return bank


def _in_short(judgement: Judgement) -> Thresholds:
    """Return the thresholds of the usual precision for those who do not read the judgement."""
    words = judgement.words_of(PRECISION)
    own, genus, family = (min(1.0, words.needed(rank)) for rank in (OWN, "genus", "family"))
    return Thresholds(own=own, genus=genus, family=family)


def _metrics(judge: Judge, seen: Examined) -> dict[str, Any]:
    """Return all figures as plain data: unseen and known groups, strangers, thresholds, the curve behind them."""
    unseen, known, validation = _of(seen, TEST), _of(seen, KNOWN), _of(seen, VALIDATION)
    strangers = of_strangers(judge, unseen if len(unseen) else known, _of(seen, STRANGER).strangers)
    judgement = judge.judgement
    parts = {"unseen": unseen, "known": known, "validation": validation}
    return {
        **{key: _figures(judge, some) for key, some in parts.items()},
        "strangers": strangers,
        "errors": errors(judge, unseen),
        "thresholds": asdict(_in_short(judgement)) | asdict(judgement.calibration),
        "judgement": of_judgement(judge),
        "curve": strangers.get("curve", []),
    }


def _figures(judge: Judge, some: Examined) -> dict[str, Any]:
    """Return the figures of one split, with the confusion of all classes."""
    content = part(judge, some)
    if not len(some):
        return content
    first = believed(judge, some)[0].argmax(axis=1)
    counts = confusion([int(t) for t in some.truth], [int(a) for a in first], len(judge.classes))
    at = {row["rank"]: row["accuracy"] for row in content["ranks"]}
    told = content["answers"]
    return {
        **content,
        "calibration_error": content["calibration"]["after"]["error"],
        "confusion": counts[:, :-1].tolist(),
        **{f"{rank}_accuracy": at[rank] for rank in ("genus", "family") if rank in at},
        "answered": told["answered"],
        "answered_right": told["answered_right"],
        "rules": told["rules"],
    }
