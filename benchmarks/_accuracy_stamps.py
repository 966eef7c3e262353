"""Photographs, and drawings by other hands, for a model of emoji. In: features of both. Out: figures of its answers.

The stamps' captions say what they show. One that ends in the name of a kind that the model knows shows that kind (a
"pink flamingo" is a flamingo, a "sea lion" no lion); one in which no word of any kind, nor of its kin, occurs shows
a stranger; the others are left out, since nobody can say which of both they are.
"""

import re
from pathlib import Path

import numpy as np

from benchmarks._accuracy_features import Looked, classes_of
from benchmarks._figure import figure
from identify.decide import Decision, Judge
from identify.evaluate import share
from identify.evaluation import is_right
from identify.judging.crossfit import cross_fitted
from identify.judging.fitting import fit
from identify.judging.openset import measures
from linkeddata.records import ModelClass

NO_SUCH = ("sea lion", "teddy bear", "edward bear")
"""Ends of captions that name no such kind."""
KIN = {
    "albino",
    "bee",
    "boars",
    "bull",
    "cep",
    "ceps",
    "crow",
    "dinosaur",
    "doe",
    "drake",
    "dromedary",
    "flower",
    "flowers",
    "gander",
    "hen",
    "kitten",
    "ladybug",
    "lamb",
    "lettuce",
    "palm",
    "peahen",
    "pigeon",
    "rhino",
    "sheep",
    "squirrel",
    "tree",
    "tux",
    "zebu",
    "yak",
}
"""Words for what the emoji have by another name, or of a kind so near that either answer could be called right."""


def photographs(seen: Looked, stamps: Path) -> bool:
    """Print what a model of all artists' emoji makes of the stamps; return whether the aims are met."""
    classes = classes_of(seen.kinds)
    names = sorted({name.removesuffix(" face") for name, _ in seen.kinds}, key=len, reverse=True)
    paths = sorted(path for path in stamps.rglob("*.png") if path.with_suffix(".txt").is_file())
    shown = [_kind(path, names) for path in paths]
    decisions = _decisions(seen, seen.look(paths), classes)
    known = [(d, name) for d, name in zip(decisions, shown, strict=True) if name]
    strange = [d for d, name in zip(decisions, shown, strict=True) if name == ""]
    right = share(sum(_names(d, name) for d, name in known), len(known))
    sure = [(d, name) for d, name in known if d.word == "certain"]
    wrong = share(sum(not _right(d, name, classes) for d, name in sure), len(known))
    refused = share(sum(d.word == "unknown" for d in strange), len(strange))
    named = share(sum(d.word == "certain" and d.rule == "R2" for d in strange), len(strange))
    return all(
        [
            figure(
                f"stamps of kinds it knows: the kind named ({right.right} of {right.of})", 100 * right.value, "%",
                beside=f"called certain, but wrong at that rank ({wrong.right})", beside_value=100 * wrong.value,
            ),
            figure(
                f"stamps of other kinds: unknown ({refused.right} of {refused.of})", 100 * refused.value, "%",
                beside=f"called one of its kinds, and certain ({named.right})", beside_value=100 * named.value,
                at_least=80,
            ),
        ]
    )  # fmt: skip


def _kind(stamp: Path, names: list[str]) -> str | None:
    """Return the kind that a stamp shows, "" for a stranger, nothing where nobody can say."""
    caption = stamp.with_suffix(".txt").read_text(encoding="utf-8").splitlines()[0].lower()
    words = re.findall(r"[a-z]+", caption)
    said = " ".join(words)
    if not said.endswith(NO_SUCH):
        for name in names:
            if f" {said}".endswith((f" {name.lower()}", f" {name.lower()}s")):
                return name
    told = {word for name in names for word in name.lower().split()}
    either = {word.removesuffix("s") for word in words} | set(words)
    return None if either & told or either & KIN else ""


def _decisions(seen: Looked, rows: np.ndarray, classes: tuple[ModelClass, ...]) -> list[Decision]:  # type: ignore[type-arg]
    """Return what is answered about pictures by a head of all emoji, judged by leaving out each artist in turn."""
    everything = np.arange(len(seen.truth))
    evidence = cross_fitted(lambda some: seen.head(some, seen.truth, len(classes)), seen.rows, seen.truth, seen.artists)
    head = seen.head(everything, seen.truth, len(classes))
    judgement = fit(evidence, classes, bank=head.units(seen.rows))
    judge = Judge(judgement, classes)
    logits, units = head.logits(rows).astype(np.float64), head.units(rows).astype(np.float64)
    novelty = judgement.openness.novelty(measures(logits, units, judgement.bank))
    probabilities = judgement.calibration.probabilities(logits[:, :-1], novelty)
    return [judge.decided(row, float(one)) for row, one in zip(probabilities, novelty, strict=True)]


def _names(decision: Decision, name: str) -> bool:
    """Say whether the kind itself is named, or its face."""
    return decision.label in (name, f"{name} face")


def _right(decision: Decision, name: str, classes: tuple[ModelClass, ...]) -> bool:
    """Say whether an answer is right at its rank."""
    return any(is_right(decision, one) for one in classes if one.label in (name, f"{name} face"))
