"""What to ask next: the file on which a vote changes most first, what is settled last."""

from typing import Any

from crowd.asking import DIVIDED, ENOUGH, FEW, NOBODY_YET, UNSURE, Stop, asked, counts_by_reason, expected_change
from linkeddata.records import Label


def _label(file: str, probability: float, status: str, voters: int, **more: Any) -> Label:
    return Label(
        id=f"{file}{more}", campaign="c", file=file, concept="Q1", name="Vanessa cardui",
        probability=probability, status=status, voters=voters, **more,
    )  # fmt: skip


LABELS = [
    _label("settled", 0.99, "accepted", 4),
    _label("unsure", 0.8, "accepted", 3),
    _label("divided", 0.5, "tie", 2),
    _label("lone", 0.75, "single", 1),
    _label("two", 0.97, "accepted", 2),
    _label("only a machine", 0.5, "machine", 0),
]


def test_files_come_by_what_a_vote_would_change() -> None:
    found = asked([label.file for label in LABELS] + ["untouched"], LABELS, Stop())
    assert [(one.file, one.why) for one in found] == [
        ("divided", DIVIDED), ("only a machine", NOBODY_YET), ("untouched", NOBODY_YET), ("lone", FEW),
        ("unsure", UNSURE), ("two", FEW), ("settled", ENOUGH),
    ]  # fmt: skip
    assert counts_by_reason(one.why for one in found) == {NOBODY_YET: 2, FEW: 2, DIVIDED: 1, UNSURE: 1, ENOUGH: 1}
    assert found[-1].difficulty == 0.01


def test_the_stop_rule_is_the_campaigns() -> None:
    [one] = asked(["unsure"], LABELS, Stop(voters=3, probability=0.8))
    assert one.why == ENOUGH


def test_the_change_is_what_bayes_rule_gives() -> None:
    p, knows = 0.7, 0.6
    right = (1 + knows) / 2
    yes = p * right + (1 - p) * (1 - right)
    after_yes, after_no = p * right / yes, p * (1 - right) / (1 - yes)
    average = yes * abs(after_yes - p) + (1 - yes) * abs(after_no - p)
    assert abs(expected_change(p, knows) - average) < 1e-6
