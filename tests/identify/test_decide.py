"""The ladder of decisions, rung by rung."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identify.decide import RUNGS, SHOWN, Decision, Judge
from identify.judging.judgement import Judgement, words_of
from identify.judging.ranks import rank_of
from identify.judging.words import Thresholds
from linkeddata.records import Ancestor, ModelClass


def one(index: int, label: str, genus: str, family: str, rank: str = "species") -> ModelClass:
    lineage = (Ancestor("family", family, f"f-{family}"),)
    if rank == "species":
        lineage = (*lineage, Ancestor("genus", genus, f"g-{genus}"))
    return ModelClass(
        id=f"m@1/{index}",
        model="m",
        version="1",
        index=index,
        label=label,
        rank=rank,
        item=f"Q{index + 1}",
        gbif_key=str(index),
        lineage=lineage,
    )


def decide(
    probabilities: Sequence[float], novelty: float, classes: Sequence[ModelClass], thresholds: Thresholds
) -> Decision:
    judge = Judge(Judgement(words=words_of(thresholds)), classes)
    return judge.decided(np.array(probabilities, float), novelty)


CLASSES = (
    one(0, "Papilio paris", "Papilio", "Papilionidae"),
    one(1, "Papilio helenus", "Papilio", "Papilionidae"),
    one(2, "Graphium codrus", "Graphium", "Papilionidae"),
    one(3, "Vanessa cardui", "Vanessa", "Nymphalidae"),
)
THRESHOLDS = Thresholds(novelty=1.0, own=0.5, genus=0.6, family=0.7)


@pytest.mark.parametrize(
    ("probabilities", "novelty", "rule", "label", "rank", "certainty"),
    [
        ((0.97, 0.01, 0.01, 0.01), 1.0, "R1", "", "", 0.0),
        ((0.97, 0.01, 0.01, 0.01), 0.99, "R2", "Papilio paris", "species", 0.97),
        ((0.5, 0.2, 0.2, 0.1), 0.0, "R2", "Papilio paris", "species", 0.5),
        ((0.45, 0.35, 0.1, 0.1), 0.0, "R3", "Papilio", "genus", 0.8),
        ((0.3, 0.25, 0.35, 0.1), 0.0, "R4", "Papilionidae", "family", 0.9),
        ((0.25, 0.05, 0.25, 0.45), 0.0, "R5", "", "", 0.0),
    ],
)
def test_each_rung_takes_its_own(
    probabilities: tuple[float, ...], novelty: float, rule: str, label: str, rank: str, certainty: float
) -> None:
    decision = decide(probabilities, novelty, CLASSES, THRESHOLDS)
    assert (decision.rule, decision.label, decision.rank) == (rule, label, rank)
    assert decision.certainty == pytest.approx(certainty)


def test_a_class_brings_its_ids_and_a_genus_its_key_alone() -> None:
    own = decide((0.9, 0.05, 0.03, 0.02), 0.0, CLASSES, THRESHOLDS)
    assert (own.item, own.gbif_key) == ("Q1", "0")
    genus = decide((0.45, 0.35, 0.1, 0.1), 0.0, CLASSES, THRESHOLDS)
    assert (genus.item, genus.gbif_key) == ("", "g-Papilio")


def test_a_stranger_still_shows_what_was_considered() -> None:
    decision = decide((0.1, 0.6, 0.2, 0.1), 1.0, CLASSES, THRESHOLDS)
    assert [a.label for a in decision.alternatives] == [
        "Papilio helenus",
        "Graphium codrus",
        "Papilio paris",
        "Vanessa cardui",
    ]


def test_a_model_of_genera_answers_with_genera() -> None:
    genera = (one(0, "Papilio", "", "Papilionidae", "genus"), one(1, "Vanessa", "", "Nymphalidae", "genus"))
    assert decide((0.8, 0.2), 0.0, genera, THRESHOLDS).rank == "genus"
    rank = rank_of("genus", genera)
    assert rank.taxa[rank.heaviest(np.array([[0.4, 0.6]]))[0][0]] == Ancestor("genus", "Vanessa", "1")


def test_classes_that_are_no_taxa_are_never_rolled_up() -> None:
    masks = tuple(ModelClass(id=f"m@1/{i}", model="m", version="1", index=i, label=f"type {i}") for i in range(3))
    assert decide((0.4, 0.3, 0.3), 0.0, masks, Thresholds(own=0.5, genus=0.0, family=0.0)).rule == "R5"


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4).filter(lambda p: sum(p) > 0), st.floats(0, 1))
def test_every_answer_names_a_rung_and_keeps_to_its_threshold(raw: list[float], novelty: float) -> None:
    probabilities = [p / sum(raw) for p in raw]
    decision = decide(probabilities, novelty, CLASSES, THRESHOLDS)
    assert decision.rule in RUNGS
    assert len(decision.alternatives) == min(SHOWN, len(CLASSES))
    least = {"R2": THRESHOLDS.own, "R3": THRESHOLDS.genus, "R4": THRESHOLDS.family}
    if decision.label:
        assert decision.certainty >= least[decision.rule]
        assert novelty < THRESHOLDS.novelty
    else:
        assert decision.rule in ("R1", "R5")
    shown = [a.probability for a in decision.alternatives]
    assert shown == sorted(shown, reverse=True)
