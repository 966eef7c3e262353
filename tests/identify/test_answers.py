"""What becomes of a model's older answers: superseded by newer ones, withdrawn only where nothing takes their place."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from identify.answers import Answers, in_place, question_of, standing
from linkeddata.documents import identification_document, latest_of
from linkeddata.records import Failure, Identification
from linkeddata.store import Store

WHEN = "2026-11-02T10:00:00Z"
LATER = "2026-11-03T10:00:00Z"


def answer(key: str, file: str, weights: str, **values: object) -> Identification:
    given: dict[str, object] = {"moment": WHEN, "label": "Vanessa", "sha1": "a", "model": "m", "version": weights}
    return Identification(id=key, file=file, weights=weights, **(given | values))  # type: ignore[arg-type]


OLD = [answer("a1", "a", "1"), answer("b1", "b", "1"), answer("c1", "c", "1", status="verified")]
PERSON = Identification(id="p", file="b", label="Pieris", rule="review", supersedes="b1", status="verified")


def wanted(weights: str, *files: str) -> set[tuple[str, str, str]]:
    return {(file, "a", weights) for file in files}


def test_what_is_asked_again_by_the_same_model_is_left_alone() -> None:
    known = Answers.of(OLD)
    assert known.answered(wanted("1", "a", "b", "c")) == {"a", "b", "c"}
    assert known.stale(wanted("1", "a", "b", "c")) == []


def test_a_new_answer_takes_the_place_of_the_last_that_no_person_stands_by() -> None:
    known = Answers.of([*OLD, PERSON])
    assert known.answered(wanted("2", "a", "b", "c")) == set()
    assert known.stale(wanted("2", "a", "b", "c")) == []
    assert known.last() == {"a": "a1"}, "b was corrected and c verified: a new answer stands beside"
    new = [answer("a2", "a", "2"), answer("b2", "b", "2"), Failure(id="f", step="identify", subject="x", reason="y")]
    assert [getattr(one, "supersedes", None) for one in in_place(new, known.last())] == ["a1", "", None]


def test_only_what_is_asked_no_more_or_cannot_be_read_is_withdrawn() -> None:
    chain = [*OLD, answer("a2", "a", "2", supersedes="a1", moment=LATER)]
    known = Answers.of(chain)
    assert known.stale(wanted("3", "b", "c")) == ["a1", "a2"]
    assert known.last()["a"] == "a2"
    assert known.unanswered({"a", "b"}, wanted("2", "a")) == ["b1"]


def test_a_model_that_answers_again_takes_its_place_back() -> None:
    known = Answers.of([*OLD, answer("a2", "a", "2", supersedes="a1"), answer("a3", "a", "3", supersedes="a2"), PERSON])
    assert known.stale(wanted("1", "a", "b", "c")) == ["a2", "a3"], "and not the person's"
    assert known.stale(wanted("2", "a", "b", "c")) == ["a3"]


def test_those_that_stand_are_the_last() -> None:
    assert [one.id for one in standing([*OLD, PERSON])] == ["a1", "c1", "p"]
    assert question_of(OLD[0]) == ("a", "a", "1")


@pytest.fixture
def store() -> Iterator[Store]:
    with Store("sqlite://") as opened:
        opened.put(OLD, agent="t", moment=WHEN)
        yield opened


def test_the_superseded_answer_points_on(store: Store) -> None:
    known = Answers.of(store.each(Identification))
    store.put(in_place([answer("a2", "a", "2")], known.last()), agent="t", moment=LATER)
    again = Answers.of(store.each(Identification))
    store.put(in_place([replace(answer("a3", "a", "3"), moment=LATER)], again.last()), agent="t", moment=LATER)
    base = "https://deboodt.example"
    first = store.get(Identification, "a1")
    assert first is not None
    assert identification_document(store, first, base)["isReplacedBy"] == f"{base}/identifications/a2"
    assert latest_of(store, "a1") == "a3"
    assert "identification.superseded" in {one.kind for one in store.events()}
