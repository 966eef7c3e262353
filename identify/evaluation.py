"""Everything that is measured of a model on one dataset. In: what it made of the pictures, its judge. Out: plain data.

``evaluation`` gives what ``evaluation.json`` holds and the page shows: figures on unseen groups, on known ones, on
strangers; where it errs more; what a class gains by images; what of a checklist it can answer.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harvest.datasets.manifest import Example
from identify.decide import Decision, Judge
from identify.evaluate import (
    as_data,
    auroc,
    calibration_error,
    confusion,
    macro,
    per_class,
    rejection_curve,
    reliability,
    selective,
    share,
)
from identify.examining import Examined
from identify.judging.calibration import softmax
from identify.judging.openset import MEASURES, measures
from identify.judging.priors import on_list
from identify.judging.ranks import OWN, Rank, taxon_at
from linkeddata.records import ModelClass

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
PAIRS = 12
"""Confused pairs that are told."""
FEWEST = 5
"""Pictures without which a group is not compared with the others."""
IMAGES_A_CLASS = ((1, 2), (3, 5), (6, 10), (11, 20), (21, 50), (51, 100), (101, 10**9))
MEGAPIXELS = ((0.0, 0.1), (0.1, 0.5), (0.5, 2.0), (2.0, 12.0), (12.0, 1e9))


def evaluation(judge: Judge, examined: Examined, taught: Sequence[int]) -> dict[str, Any]:
    """Return the figures of a model; ``taught`` are the images each class learned from."""
    unseen, known, strangers = examined.unseen, examined.known, examined.strangers
    return {
        "unseen": part(judge, unseen),
        "known": part(judge, known),
        "strangers": of_strangers(judge, unseen if len(unseen) else known, strangers),
        "errors": errors(judge, unseen),
        "learning": learning(judge, unseen, taught),
        "judgement": of_judgement(judge),
        "lost": [list(one) for one in examined.lost],
    }


def part(judge: Judge, shown: Examined) -> dict[str, Any]:
    """Return the figures of pictures of the model's classes: what comes first, at each rank, and what is answered."""
    if not len(shown):
        return {"images": 0, "groups": []}
    probabilities, novelty = believed(judge, shown)
    truth, classes = shown.truth, judge.classes
    first = probabilities.argmax(axis=1)
    right = first == truth
    order = np.argsort(-probabilities, axis=1)
    counts = confusion([int(t) for t in truth], [int(a) for a in first], len(classes))
    rows = per_class(counts, [one.label for one in classes])
    bare = softmax(shown.logits[:, :-1])
    decisions = [judge.decided(row, float(n)) for row, n in zip(probabilities, novelty, strict=True)]
    return {
        "images": len(shown),
        "groups": sorted({e.group for e in shown.examples if e.group}),
        "accuracy": _share(right),
        **{f"top{k}": _share((order[:, :k] == truth[:, None]).any(axis=1)) for k in (3, 5)},
        "macro": macro(rows),
        "per_class": [as_data(row) for row in rows],
        "confused": _confused(counts, classes),
        "ranks": [_at_rank(rank, probabilities, truth) for rank in judge.ranks],
        "calibration": {
            "before": _calibration(bare.max(axis=1), bare.argmax(axis=1) == truth),
            "after": _calibration(probabilities.max(axis=1), right),
        },
        "selective": selective([float(p) for p in probabilities.max(axis=1)], [bool(r) for r in right]),
        "answers": answers(decisions, [classes[int(t)] for t in truth]),
    }


def believed(judge: Judge, shown: Examined) -> tuple[Floats, Floats]:
    """Return calibrated probabilities (images, classes) and novelty (images,)."""
    novelty = judge.novelties(shown.logits, shown.features)
    return judge.judgement.calibration.probabilities(shown.logits[:, :-1], novelty), novelty


def answers(decisions: Sequence[Decision], truth: Sequence[ModelClass]) -> dict[str, Any]:
    """Return how often each word and rule was answered, and how often that was right at whatever rank."""
    right = [is_right(decision, true) for decision, true in zip(decisions, truth, strict=True)]
    words = {
        word: _share(np.array([r for d, r in zip(decisions, right, strict=True) if d.word == word], bool))
        for word in ("certain", "likely")
    }
    named = np.array([bool(d.label) for d in decisions])
    held = np.array([any(one.name == t.label for one in d.within) for d, t in zip(decisions, truth, strict=True)], bool)
    sets = [d for d in decisions if d.coverage]
    return {
        "words": dict(Counter(d.word for d in decisions)),
        "rules": dict(sorted(Counter(d.rule for d in decisions).items())),
        "ranks": dict(Counter(d.rank for d in decisions if d.label)),
        "answered": _share(named),
        "answered_right": _share(np.array(right, bool)[named]),
        "right_by_word": words,
        "sets": {
            "asked": sets[0].coverage if sets else 0.0,
            "held": _share(held) if sets else as_data(share(0, 0)),
            "classes": round(float(np.mean([len(d.within) for d in sets])), 2) if sets else 0.0,
            "middle": int(np.median([len(d.within) for d in sets])) if sets else 0,
        },
    }


def is_right(decision: Decision, true: ModelClass) -> bool:
    """Tell whether an answer names the true class or a taxon above it."""
    return bool(decision.label) and (
        decision.label == true.label or taxon_at(true, decision.rank).name == decision.label
    )


def of_strangers(judge: Judge, known: Examined, strangers: Examined) -> dict[str, Any]:
    """Return how well strangers are told from known pictures, by all measures as they are weighed and by each alone."""
    if not len(strangers) or not len(known):
        return {"images": len(strangers)}
    bank, openness = judge.judgement.bank, judge.judgement.openness
    of_known = measures(known.logits, known.features, bank)
    of_strange = measures(strangers.logits, strangers.features, bank)
    one, other = openness.strangeness(of_known), openness.strangeness(of_strange)
    decisions = [
        judge.judged(strangers.logits[i : i + 1], strangers.features[i : i + 1]) for i in range(len(strangers))
    ]
    lost = openness.novelty(of_known) >= 1.0
    return {
        "images": len(strangers),
        "known": len(known),
        "auroc": auroc(list(one), list(other)),
        "by_measure": {name: auroc(list(of_known[:, i]), list(of_strange[:, i])) for i, name in enumerate(MEASURES)},
        "rejected": _share(np.array([d.word == "unknown" for d in decisions])),
        "nothing_named": _share(np.array([not d.label for d in decisions])),
        "known_lost": _share(lost),
        "curve": rejection_curve(list(one), list(other)),
        "taken_for": Counter(d.label for d in decisions if d.label).most_common(8),
    }


def _size(pixels: int) -> str:
    low, high = next(span for span in MEGAPIXELS if pixels < span[1] * 1e6)
    return f"under {high:g} megapixels" if not low else f"{low:g} megapixels and more" if high > 1e6 else (
        f"{low:g} to {high:g} megapixels"
    )  # fmt: skip


def _dated(example: Example) -> bool:
    return len(example.created) >= 4 and example.created[:4].isdigit()


GROUPINGS: dict[str, Callable[[Example, int], str]] = {
    "group": lambda example, _: example.group,
    "artist": lambda example, _: example.creator,
    "institution": lambda example, _: example.institution,
    "licence": lambda example, _: example.licence,
    "century": lambda example, _: f"{example.created[:2]}00 to {example.created[:2]}99" if _dated(example) else "",
    "image size": lambda _, pixels: _size(pixels),
}
"""What pictures are grouped by, to see where a model errs more. ``group`` is the hand, series or style."""


def errors(judge: Judge, shown: Examined) -> dict[str, Any]:
    """Return ``by_group`` for every way of grouping; one that groups like another before it is left out."""
    found: dict[str, Any] = {}
    for name, key in GROUPINGS.items():
        rows = by_group(judge, shown, key)
        if rows and rows not in found.values():
            found[name] = rows
    return found


def by_group(judge: Judge, shown: Examined, key: Callable[[Example, int], str]) -> list[dict[str, Any]]:
    """Return accuracy, certain answers and calibration by group, worst first; nothing where all are in one group.

    ``apart`` says that the interval does not reach what all pictures together have: more than chance.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for i, (example, pixels) in enumerate(zip(shown.examples, shown.pixels, strict=True)):
        if name := key(example, int(pixels)):
            places[name].append(i)
    if len(places) < 2:
        return []
    probabilities, novelty = believed(judge, shown)
    right = probabilities.argmax(axis=1) == shown.truth
    whole = float(right.mean())
    rows = []
    for name, some in places.items():
        figure = share(int(right[some].sum()), len(some))
        decided = [judge.decided(probabilities[i], float(novelty[i])) for i in some]
        told = answers(decided, [judge.classes[int(shown.truth[i])] for i in some])
        rows.append(
            {
                "name": name,
                "images": len(some),
                "accuracy": as_data(figure),
                "answered": told["answered"],
                "certain_right": told["right_by_word"]["certain"],
                "error": calibration_error([float(p) for p in probabilities[some].max(axis=1)], list(right[some])),
                "apart": len(some) >= FEWEST and not figure.low <= whole <= figure.high,
            }
        )
    return sorted(rows, key=lambda row: (row["accuracy"]["value"], row["name"]))


def learning(judge: Judge, shown: Examined, taught: Sequence[int]) -> list[dict[str, Any]]:
    """Return the share of pictures named rightly by how many images their class learned from."""
    if not len(shown):
        return []
    probabilities, _ = believed(judge, shown)
    right = probabilities.argmax(axis=1) == shown.truth
    many = np.array(taught)[shown.truth]
    rows = []
    for low, high in IMAGES_A_CLASS:
        some = (many >= low) & (many <= high)
        if some.any():
            classes = len(set(shown.truth[some].tolist()))
            rows.append(
                {"from": low, "to": min(high, int(many.max())), "classes": classes, "recall": _share(right[some])}
            )
    return rows


def of_judgement(judge: Judge) -> dict[str, Any]:
    """Return what the words mean: the certainty that each takes at each precision, and what that was fitted on."""
    judgement = judge.judgement
    return {
        "basis": {
            "how": judgement.basis.how,
            "images": judgement.basis.images,
            "groups": len(judgement.basis.groups),
            "strangers": judgement.openness.strangers,
        },
        "temperature": judgement.calibration.temperature,
        "heat": judgement.calibration.heat,
        "weights": dict(zip(MEASURES, judgement.openness.weights, strict=True)),
        "ranks": [OWN, *(rank.name for rank in judge.ranks)],
        "words": [
            {
                "precision": words.precision,
                "by_rank": dict(words.by_rank),
                "own": len(words.by_class),
                "answered": round(sum(words.answered.values()) / words.of, 4) if words.of else 0.0,
                "right": as_data(share(sum(words.right.values()), sum(words.answered.values()))),
            }
            for words in judgement.words
        ],
    }


def coverage(classes: Sequence[ModelClass], checklist: Iterable[str]) -> dict[str, Any]:
    """Return how much of a checklist of names, Q-ids or GBIF keys a model can answer, and what it lacks."""
    wanted = list(dict.fromkeys(line.strip() for line in checklist if line.strip()))
    lacking = [name for name in wanted if not any(on_list(one, {name}) for one in classes)]
    beside = [one.label for one in classes if not on_list(one, frozenset(wanted))]
    return {"present": as_data(share(len(wanted) - len(lacking), len(wanted))), "lacking": lacking, "beside": beside}


def _at_rank(rank: Rank, probabilities: Floats, truth: NDArray[np.int64]) -> dict[str, Any]:
    """Return accuracy, precision, recall and support of one rank's taxa; classes without a taxon there are left out."""
    has = rank.members[:, truth].any(axis=0)
    place, _ = rank.heaviest(probabilities[has])
    true = rank.members[:, truth[has]].argmax(axis=0)
    counts = confusion([int(t) for t in true], [int(p) for p in place], len(rank.taxa))
    rows = per_class(counts, [taxon.name for taxon in rank.taxa])
    told = [as_data(row) for row in rows]
    return {"rank": rank.name, "accuracy": _share(place == true), "macro": macro(rows), "per_taxon": told}


def _confused(counts: NDArray[np.int64], classes: Sequence[ModelClass]) -> list[dict[str, Any]]:
    """Return the pairs most often taken for one another, with how many images; both ways stand apart."""
    wrong = counts[:, :-1].copy()
    np.fill_diagonal(wrong, 0)
    pairs = sorted(zip(*np.nonzero(wrong), strict=True), key=lambda pair: (-wrong[pair], pair))[:PAIRS]
    return [
        {"truth": classes[t].label, "answer": classes[a].label, "images": int(wrong[t, a]), "of": int(counts[t].sum())}
        for t, a in pairs
    ]


def _calibration(certain: Floats, right: Bools) -> dict[str, Any]:
    certainty, true = [float(c) for c in certain], [bool(r) for r in right]
    return {"error": calibration_error(certainty, true), "bins": reliability(certainty, true)}


def _share(right: Bools) -> dict[str, Any]:
    return as_data(share(int(np.sum(right)), len(right)))
