"""The decision about an answer: a numbered ladder of rules, pure. In: probabilities, novelty, classes, thresholds.

Out: one ``Decision`` that names the rung that took it.

::

    R1  the picture is unlike all that was learned        → unknown
    R2  the first class is certain enough                 → that class
    R3  the classes of one genus are, together            → that genus
    R4  the classes of one family are, together           → that family
    R5  nothing is certain enough                         → unknown
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from linkeddata.records import Alternative, Ancestor, ModelClass

RUNGS: dict[str, str] = {
    "R1": "unlike the pictures the model learned from",
    "R2": "the first class is certain enough",
    "R3": "the classes of one genus together are certain enough",
    "R4": "the classes of one family together are certain enough",
    "R5": "nothing is certain enough",
}
"""What each rung means, in words for people."""
SHOWN = 5
"""How many alternatives an answer carries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """From where a rung takes the decision. ``novelty`` from there on is a stranger; the others are probabilities."""

    novelty: float = 1.0
    own: float = 0.5
    genus: float = 0.6
    family: float = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is answered; ``label`` is empty for "unknown". ``certainty`` is the answer's probability, 0 to 1."""

    rule: str
    label: str = ""
    rank: str = ""
    item: str = ""
    gbif_key: str = ""
    col_id: str = ""
    certainty: float = 0.0
    alternatives: tuple[Alternative, ...] = ()


def decide(
    probabilities: Sequence[float], novelty: float, classes: Sequence[ModelClass], thresholds: Thresholds
) -> Decision:
    """Return the first decision that the ladder allows. ``probabilities`` are in the order of ``classes``.

    >>> lion = ModelClass(id="m@1/0", model="m", version="1", index=0, label="Panthera leo", rank="species")
    >>> decide([0.9], 0.2, [lion], Thresholds()).label
    'Panthera leo'
    >>> decide([0.9], 1.0, [lion], Thresholds()).rule
    'R1'
    """
    best = first_classes(probabilities, classes)
    if novelty >= thresholds.novelty:
        return Decision(rule="R1", alternatives=best)
    top = best[0]
    if top.probability >= thresholds.own:
        return Decision(
            rule="R2",
            label=top.label,
            rank=top.rank,
            item=top.item,
            gbif_key=top.gbif_key,
            col_id=top.col_id,
            certainty=top.probability,
            alternatives=best,
        )
    for rule, rank, needed in (("R3", "genus", thresholds.genus), ("R4", "family", thresholds.family)):
        taxon, mass = heaviest(probabilities, classes, rank)
        if taxon.name and mass >= needed:
            return Decision(
                rule=rule,
                label=taxon.name,
                rank=rank,
                gbif_key=taxon.gbif_key,
                certainty=mass,
                alternatives=best,
            )
    return Decision(rule="R5", alternatives=best)


def first_classes(probabilities: Sequence[float], classes: Sequence[ModelClass]) -> tuple[Alternative, ...]:
    """Return the likeliest classes, likeliest first; equal ones by label. Probabilities keep six decimals."""
    order = sorted(range(len(classes)), key=lambda i: (-probabilities[i], classes[i].label))
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


def taxon_at(one: ModelClass, rank: str) -> Ancestor:
    """Return the taxon of ``rank`` that a class is or belongs to; one without a name where there is none."""
    if one.rank == rank:
        return Ancestor(rank, one.label, one.gbif_key)
    return next((step for step in one.lineage if step.rank == rank), Ancestor(rank, ""))


def heaviest(probabilities: Sequence[float], classes: Sequence[ModelClass], rank: str) -> tuple[Ancestor, float]:
    """Return the taxon of ``rank`` with most probability, and how much (0 to 1, six decimals)."""
    mass: dict[Ancestor, float] = defaultdict(float)
    for probability, one in zip(probabilities, classes, strict=True):
        taxon = taxon_at(one, rank)
        if taxon.name:
            mass[taxon] += float(probability)
    if not mass:
        return Ancestor(rank, ""), 0.0
    taxon = min(mass, key=lambda t: (-mass[t], t.name))
    return taxon, round(min(1.0, mass[taxon]), 6)
