"""Each artist left out in turn. In: features. Out: figures of what was answered, beside the nearest class mean."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks._accuracy_features import Looked, classes_of
from benchmarks._figure import figure
from identify.decide import Decision, Judge
from identify.evaluate import auroc, calibration_error, share
from identify.evaluation import is_right
from identify.judging.calibration import softmax
from identify.judging.crossfit import cross_fitted
from identify.judging.fitting import fit
from identify.judging.openset import MEASURES, measures
from linkeddata.records import ModelClass

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
LEFT_OUT = 40
"""Classes that play the stranger."""
COVERAGE = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was made of the pictures of one artist, of whom nothing was learned. ``truth`` is -1 for strangers."""

    truth: Places
    probabilities: Floats
    bare: Floats  # before calibration
    decisions: tuple[Decision, ...]
    strangeness: Floats  # by all measures, as the judgement weighs them
    measured: Floats
    nearest: Floats  # cosine to the nearest class means, (pictures, classes)


def left_out(seen: Looked, artist: str, chosen: Places) -> tuple[Asked, tuple[ModelClass, ...]]:
    """Learn and judge from all others; answer about this one. ``chosen`` are the classes that are taught."""
    classes = classes_of(tuple(seen.kinds[int(c)] for c in chosen))
    number = np.full(len(seen.kinds), -1)
    number[chosen] = np.arange(len(chosen))
    truth = number[seen.truth]
    own = np.array([one == artist for one in seen.artists])
    taught, asked = np.flatnonzero(~own & (truth >= 0)), np.flatnonzero(own)
    groups = [seen.artists[int(i)] for i in taught]
    evidence = cross_fitted(
        lambda some: seen.head(taught[some], truth, len(classes)), seen.rows[taught], truth[taught], groups
    )
    head = seen.head(taught, truth, len(classes))
    judgement = fit(evidence, classes, bank=head.units(seen.rows[taught]))
    judge = Judge(judgement, classes)
    logits = head.logits(seen.rows[asked]).astype(np.float64)
    units = head.units(seen.rows[asked]).astype(np.float64)
    measured = measures(logits, units, judgement.bank)
    novelty = judgement.openness.novelty(measured)
    probabilities = judgement.calibration.probabilities(logits[:, :-1], novelty)
    return Asked(
        truth=truth[asked],
        probabilities=probabilities,
        bare=softmax(logits[:, :-1]),
        decisions=tuple(judge.decided(row, float(n)) for row, n in zip(probabilities, novelty, strict=True)),
        strangeness=judgement.openness.strangeness(measured),
        measured=measured,
        nearest=_nearest(seen, taught, truth, asked, len(classes)),
    ), classes


def _nearest(seen: Looked, taught: Places, truth: Places, asked: Places, classes: int) -> Floats:
    """Return the cosine of plain features to the mean of each class: the baseline."""
    unit = seen.rows / np.maximum(np.linalg.norm(seen.rows, axis=1, keepdims=True), 1e-9)
    means = np.stack([unit[taught[truth[taught] == c]].mean(axis=0) for c in range(classes)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    result: Floats = (unit[asked] @ means.T).astype(np.float64)
    return result


def known_artists(seen: Looked) -> bool:
    """Print accuracy, calibration, coverage and what "certain" was worth; return whether the aims are met."""
    everything = np.arange(len(seen.kinds))
    found = [left_out(seen, artist, everything) for artist in sorted(set(seen.artists))]
    classes = found[0][1]
    truth = np.concatenate([one.truth for one, _ in found])
    probabilities = np.concatenate([one.probabilities for one, _ in found])
    bare, nearest = (np.concatenate([getattr(one, name) for one, _ in found]) for name in ("bare", "nearest"))
    decisions = [decision for one, _ in found for decision in one.decisions]
    right = probabilities.argmax(axis=1) == truth
    top, base = share(int(right.sum()), len(right)), share(int((nearest.argmax(axis=1) == truth).sum()), len(right))
    by_artist = ", ".join(f"{(one.probabilities.argmax(axis=1) == one.truth).mean():.3f}" for one, _ in found)
    print(f"# right class first by artist ({', '.join(sorted(set(seen.artists)))}): {by_artist}")
    error = calibration_error(list(probabilities.max(axis=1)), list(right))
    random = np.random.default_rng(0)
    ideal = np.mean(
        [
            calibration_error(list(sure), list(random.random(len(sure)) < sure))
            for sure in [probabilities.max(axis=1)] * 100
        ]
    )
    print(f"# calibration error of so many answers that are right exactly as often as they say: {ideal:.4f}")
    before = calibration_error(list(bare.max(axis=1)), list(bare.argmax(axis=1) == truth))
    held = share(sum(any(o.name == classes[t].label for o in d.within) for d, t in zip(decisions, truth, strict=True)),
                 len(truth))  # fmt: skip
    size = float(np.mean([len(d.within) for d in decisions]))
    sure = [(d, classes[t]) for d, t in zip(decisions, truth, strict=True) if d.word == "certain"]
    certain = share(sum(is_right(d, t) for d, t in sure), len(sure))
    own = sum(d.rule == "R2" for d, _ in sure)
    return all(
        [
            figure(
                f"emoji: right class first, artist left out ({100 * top.low:.1f} to {100 * top.high:.1f})",
                100 * top.value, "%", at_least=100 * base.value + 5, beside_value=100 * base.value,
                beside=f"nearest class mean ({100 * base.low:.1f} to {100 * base.high:.1f})",
            ),
            figure("emoji: expected calibration error", error, "", beside="before calibration", beside_value=before,
                   at_most=0.03),
            figure(f"emoji: sets hold the truth, off {100 * COVERAGE:.0f} % by ({size:.1f} classes each)",
                   100 * abs(held.value - COVERAGE), "points", beside="held it, %", beside_value=100 * held.value,
                   at_most=1),
            figure(
                f"emoji: “certain” is right ({len(sure)} of {len(truth)} answers, {own} of them of a class; "
                f"{100 * certain.low:.1f} to {100 * certain.high:.1f})",
                100 * certain.value, "%", beside="right class first, of all", beside_value=100 * top.value, at_least=95,
            ),
        ]
    )  # fmt: skip


def strangers(seen: Looked, draws: int) -> bool:
    """Print how strangers are told apart, classes drawn by lot; return whether the aims are met."""
    order = np.random.default_rng(0).permutation(len(seen.kinds))
    found: list[Asked] = []
    for draw in range(draws):
        out = order[draw * LEFT_OUT : (draw + 1) * LEFT_OUT]
        chosen = np.setdiff1d(np.arange(len(seen.kinds)), out)
        found += [left_out(seen, artist, chosen)[0] for artist in sorted(set(seen.artists))]
    known = np.concatenate([one.truth for one in found]) >= 0
    strange, nearest = (
        np.concatenate([one.strangeness for one in found]),
        np.concatenate([1 - one.nearest.max(axis=1) for one in found]),
    )
    measured = np.concatenate([one.measured for one in found])
    alone = {name: auroc(list(measured[known, i]), list(measured[~known, i])) for i, name in enumerate(MEASURES)}
    print(f"# AUROC of each measure alone: {alone}")
    apart = [auroc(list(one.strangeness[one.truth >= 0]), list(one.strangeness[one.truth < 0])) for one in found]
    print(f"# AUROC by artist and draw: {apart}")
    right = np.concatenate([one.probabilities.argmax(axis=1) == one.truth for one in found])
    apart_of = [auroc(list(strange[known & some]), list(strange[~known])) for some in (right, ~right)]
    print(f"# AUROC of known pictures named rightly and wrongly ({right[known].mean():.3f} are right): {apart_of}")
    words = [d.word for one in found for d in one.decisions]
    lost = np.mean([w == "unknown" for w, k in zip(words, known, strict=True) if k])
    refused = np.mean([w == "unknown" for w, k in zip(words, known, strict=True) if not k])
    named = np.mean([bool(d.label) for one in found for d, t in zip(one.decisions, one.truth, strict=True) if t < 0])
    print(f"# as served: {refused:.3f} of strangers unknown, {lost:.3f} of known lost, {named:.3f} of strangers named")
    return all(
        [
            figure(
                f"emoji: strangers told from known, artist left out ({LEFT_OUT} classes, {draws} draws)",
                auroc(list(strange[known]), list(strange[~known])), "AUROC", beside="nearest class mean", at_least=0.9,
                beside_value=auroc(list(nearest[known]), list(nearest[~known])),
            ),
            figure(
                "emoji: strangers refused where 5 % of known are lost",
                100 * _refused(strange[known], strange[~known]), "%", beside="nearest class mean", at_least=80,
                beside_value=100 * _refused(nearest[known], nearest[~known]),
            ),
        ]
    )  # fmt: skip


def _refused(known: Floats, strange: Floats) -> float:
    return float((strange > np.quantile(known, 0.95)).mean())
