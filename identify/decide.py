"""The decision about an answer: a ladder of rules, pure. In: logits and features of one object, what was asked.

Out: one ``Decision`` that names the rule that took it. Rules are tried in this order; the numbers keep their meaning
for answers that lie in stores, which is why the last has not the highest::

    R1  the pictures are unlike all that was learned                     → unknown
    R2  the first class is certain enough for the precision asked        → certain, that class
    R3  the classes of one genus are, together                           → certain, that genus
    R4  the classes of one family are, together                          → certain, that family
    R6  the classes of one taxon of another rank are, together           → certain, that taxon
    R7  the lowest rank at which four of five such answers are right     → likely, that class or taxon
    R5  nothing is sure enough                                           → uncertain, nothing is named

Ranks are tried from the lowest up, so that R6 may come before R4 (a subfamily) or after it (an order).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from identify.judging.judgement import COVERAGE, LIKELY, PRECISION, Judgement
from identify.judging.openset import measures
from identify.judging.priors import Asked, Trait, with_priors
from identify.judging.ranks import OWN, ranks_of
from identify.judging.words import Words
from linkeddata.records import Alternative, Ancestor, Certainty, Changed, ModelClass

__all__ = ["Asked", "Decision", "Judge", "first_classes", "judged"]
Floats = NDArray[np.float64]
RUNGS: dict[str, str] = {
    "R1": "unlike the pictures the model learned from",
    "R2": "the first class is certain enough",
    "R3": "the classes of one genus together are certain enough",
    "R4": "the classes of one family together are certain enough",
    "R5": "nothing is certain enough",
    "R6": "the classes of one higher taxon together are certain enough",
    "R7": "nothing is certain; this is likely",
}
"""What each rule means, in words for people."""
WORDS = ("certain", "likely", "uncertain", "unknown")
SHOWN = 5
"""How many alternatives an answer carries."""
MOST = 10
"""How many pictures of one object are one observation at most."""
STRANGER = 1.0
"""The novelty from which on something is a stranger."""
PLAIN = Asked()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is answered; ``label`` is empty where nothing is named. ``certainty`` is the answer's probability."""

    rule: str
    word: str = "unknown"
    label: str = ""
    rank: str = ""
    item: str = ""
    gbif_key: str = ""
    col_id: str = ""
    certainty: float = 0.0
    novelty: float = 0.0
    alternatives: tuple[Alternative, ...] = ()
    masses: tuple[Certainty, ...] = ()
    within: tuple[Certainty, ...] = ()
    coverage: float = 0.0
    priors: tuple[Changed, ...] = ()

    def fields(self) -> dict[str, Any]:
        """Return the decision as fields of an ``Identification``."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


class Judge:
    """A model's judgement and classes, made ready. Threads may share it."""

    def __init__(
        self, judgement: Judgement, classes: Sequence[ModelClass], traits: Mapping[str, Trait] | None = None
    ) -> None:
        self.judgement = judgement
        self.classes = tuple(classes)
        self.ranks = ranks_of(classes)
        self._traits = traits or {}

    def judged(self, logits: Floats, features: Floats, asked: Asked = PLAIN) -> Decision:
        """Return the decision about one object, of which there are 1 to 10 pictures.

        ``logits`` (pictures, classes + 1), the last for "none of these"; ``features`` (pictures, size).
        """
        if not 1 <= len(logits) <= MOST:
            raise ValueError(f"{len(logits)} pictures are no observation; it has 1 to {MOST}")
        probabilities, novelty = self.probabilities(logits, features)
        return self.decided(probabilities, novelty, asked)

    def probabilities(self, logits: Floats, features: Floats) -> tuple[Floats, float]:
        """Return the probability of each class and the novelty of one object, from all its pictures together.

        The mean logit of several pictures is the evidence of one that is typical of them: as they show one object, they
        are no independent witnesses, whose probabilities could be multiplied.
        """
        novelty = float(self.novelties(logits, features).mean())
        mean = np.asarray(logits, np.float64)[:, :-1].mean(axis=0, keepdims=True)
        return self.judgement.calibration.probabilities(mean, np.array([novelty]))[0], round(novelty, 6)

    def novelties(self, logits: Floats, features: Floats) -> Floats:
        """Return the novelty of each picture, shape (pictures,)."""
        return self.judgement.openness.novelty(measures(logits, features, self.judgement.bank))

    def decided(self, probabilities: Floats, novelty: float, asked: Asked = PLAIN) -> Decision:
        """Return the first decision that the ladder allows, on probabilities (classes,) and novelty of one object."""
        probabilities, changed = with_priors(probabilities, self.classes, asked, self._traits)
        coverage = self.judgement.coverage_of(asked.coverage or COVERAGE)
        within = coverage.within(probabilities) if self.judgement.coverages else []
        known: dict[str, Any] = {
            "novelty": novelty,
            "alternatives": first_classes(probabilities, self.classes),
            "masses": self._masses(probabilities),
            "within": tuple(self._certainty(i, probabilities) for i in within),
            "coverage": coverage.asked if within else 0.0,
            "priors": changed,
        }
        if novelty >= STRANGER:
            return Decision(rule="R1", word="unknown", **known)
        precision = asked.precision or PRECISION
        if rung := self._lowest(probabilities, self.judgement.words_of(precision)):
            return Decision(rule=rung[0], word="certain", **rung[1], **known)
        if precision > LIKELY and (rung := self._lowest(probabilities, self.judgement.words_of(LIKELY))):
            return Decision(rule="R7", word="likely", **rung[1], **known)
        return Decision(rule="R5", word="uncertain", **known)

    def _lowest(self, probabilities: Floats, words: Words) -> tuple[str, dict[str, Any]] | None:
        """Return the rule and the answer of the lowest rank that is sure enough."""
        first = int(probabilities.argmax())
        one, sure = self.classes[first], round(float(probabilities[first]), 6)
        if sure >= words.needed(OWN, one.label):
            named = {"label": one.label, "rank": one.rank, "item": one.item, "gbif_key": one.gbif_key}
            return "R2", {**named, "col_id": one.col_id, "certainty": sure}
        for rank in self.ranks:
            taxon, mass = self._heaviest(rank.name, probabilities)
            if mass >= words.needed(rank.name):
                rule = {"genus": "R3", "family": "R4"}.get(rank.name, "R6")
                return rule, {"label": taxon.name, "rank": rank.name, "gbif_key": taxon.gbif_key, "certainty": mass}
        return None

    def _heaviest(self, name: str, probabilities: Floats) -> tuple[Ancestor, float]:
        rank = next(rank for rank in self.ranks if rank.name == name)
        place, mass = rank.heaviest(probabilities[None])
        return rank.taxa[int(place[0])], round(float(mass[0]), 6)

    def _masses(self, probabilities: Floats) -> tuple[Certainty, ...]:
        above = ((rank.name, *self._heaviest(rank.name, probabilities)) for rank in self.ranks)
        own = self._certainty(int(probabilities.argmax()), probabilities)
        return own, *(Certainty(taxon.name, name, mass) for name, taxon, mass in above)

    def _certainty(self, index: int, probabilities: Floats) -> Certainty:
        one = self.classes[index]
        return Certainty(one.label, one.rank, round(float(probabilities[index]), 6))


def judged(
    logits: Floats, features: Floats, judgement: Judgement, classes: Sequence[ModelClass], asked: Asked = PLAIN
) -> Decision:
    """Return the decision about one object; who asks more than once makes a ``Judge``.

    >>> lion = ModelClass(id="m@1/0", model="m", version="1", index=0, label="Panthera leo", rank="species")
    >>> judged(np.array([[4.0, -9.0]]), np.zeros((1, 1)), Judgement(), [lion]).word
    'uncertain'
    """
    return Judge(judgement, classes).judged(logits, features, asked)


def first_classes(probabilities: Sequence[float] | Floats, classes: Sequence[ModelClass]) -> tuple[Alternative, ...]:
    """Return the likeliest classes, likeliest first; equal ones by label. Probabilities keep six decimals."""
    values = np.asarray(probabilities, float)
    least = np.sort(values)[-min(SHOWN, len(values))]
    order = sorted(np.flatnonzero(values >= least).tolist(), key=lambda i: (-values[i], classes[i].label))
    return tuple(
        Alternative(
            label=classes[i].label,
            probability=round(float(probabilities[i]), 6),
            rank=classes[i].rank,
            item=classes[i].item,
            gbif_key=classes[i].gbif_key,
            col_id=classes[i].col_id,
        )
        for i in order[:SHOWN]
    )
