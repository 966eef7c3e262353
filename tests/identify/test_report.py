"""The report: what it says of answers, losses and figures, and that nothing in it can break the page."""

from pathlib import Path

import pytest

from crowd.campaignfile import parse_campaign
from identify.pipeline import Run
from identify.report import _confused, _kind, _per_class, _spread, summary, summary_text, write_report
from linkeddata.client import Client
from linkeddata.records import Failure, Identification, Label, Step
from linkeddata.settings import Settings
from linkeddata.store import Store

MOMENT = "2026-01-01T00:00:00Z"
NASTY = "<script>alert('x')</script> & \"quotes\""


def answer(label: str, rank: str = "species", key: str = "a") -> Identification:
    return Identification(id=key, file=f"file:{key}", label=label, rank=rank)


def people(*names: str) -> list[Label]:
    return [Label(id=name, campaign="c", file="file:a", concept=name, name=name, rank="species") for name in names]


ABOVE = {"Vanessa cardui": {"Vanessa", "Nymphalidae"}, "Vanessa": {"Nymphalidae"}}


@pytest.mark.parametrize(
    ("said", "labels", "stranger", "kind"),
    [
        (answer("Vanessa cardui"), people("Vanessa cardui"), False, "right"),
        (answer("Vanessa", "genus"), people("Vanessa cardui"), False, "higher"),
        (answer("Vanessa cardui"), people("Vanessa"), False, "lower"),
        (answer("Papilio paris"), people("Vanessa cardui"), False, "wrong"),
        (answer("Vanessa cardui"), people("Papilio paris", "Vanessa cardui"), False, "right"),
        (answer("Papilio paris"), [], False, "unlabelled"),
        (answer(""), people("Vanessa cardui"), False, "unknown"),
        (answer("Vanessa cardui"), [], True, "stranger"),
    ],
)
def test_how_an_answer_compares_with_people(
    said: Identification, labels: list[Label], stranger: bool, kind: str
) -> None:
    assert _kind(said, labels, ABOVE, stranger) == kind


def test_examples_are_spread_over_the_files() -> None:
    answers = [answer("x", key=f"{number:03}") for number in range(100)]
    assert [one.id for one in _spread(answers, 4)] == ["000", "025", "050", "075"]
    assert len(_spread(answers[:3], 10)) == 3
    assert list(_spread([], 5)) == []


def test_most_confused_pairs_come_first_and_the_diagonal_never() -> None:
    figures = {"images": 9, "per_class": [{"label": "a"}, {"label": "b"}], "confusion": [[5, 1], [3, 0]]}
    assert _confused({"unseen": figures}) == [("b", "a", 3), ("a", "b", 1)]
    assert _per_class({"unseen": figures, "known": {}}) == figures["per_class"]
    assert _per_class({"unseen": {"images": 0}, "known": {"per_class": [1]}}) == [1]


@pytest.fixture
def run(tmp_path: Path) -> "Run":
    text = f"[campaign]\nid = 'eggs'\ntitle = '''{NASTY}'''\n[[tags.commons]]\ncategory = 'Eggs'"
    settings = Settings(home=str(tmp_path))
    campaign = parse_campaign(text, name="eggs.toml")
    store = Store("sqlite://")
    run = Run(campaign=campaign, settings=settings, store=store, client=Client(settings), now=lambda: MOMENT)
    run.folder.mkdir(parents=True)
    return run


def test_nothing_that_people_wrote_becomes_markup(run: Run) -> None:
    lost = [
        Failure(id=str(number), campaign="eggs", step="names", subject=NASTY, reason="bad & <b>", detail=NASTY)
        for number in range(20)
    ]
    run.store.put(lost, agent="test", moment=MOMENT)
    run.store.put(
        [Step(id="eggs/harvest", campaign="eggs", name="harvest", fingerprint="", counts=((NASTY, 1),))],
        agent="test",
        moment=MOMENT,
    )
    text = write_report(run).read_text(encoding="utf-8")
    assert "<script>" not in text
    assert "<b>" not in text.split("Lost and why")[1].split("</table>")[0].replace("<tbody>", "")
    assert "and 8 more, in the store" in text
    run.store.close()


def test_a_campaign_of_which_nothing_is_known_yet_has_a_report(run: Run) -> None:
    text = write_report(run).read_text(encoding="utf-8")
    assert "Nothing was lost." in text
    data = summary(run)
    assert data["counts"] == {}
    assert summary_text(data).startswith(NASTY)
    run.store.close()
