"""What reviews add up to: each rule by itself, and any sequence of verdicts and undoings replayed from the log."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crowd import verdicts
from crowd.reviewing import Said, accepted_of, apply_reviews, ask_reviewers, reviewed_labels, say, undo
from crowd.reviewqueue import Asked, page
from crowd.rights import ALL, Person
from crowd.verdicts import FileState, Target, accepted, derived, digest, replayed, standing
from linkeddata.ids import content_id
from linkeddata.problem import Problem
from linkeddata.records import Ancestor, Identification, Label, MediaFile, Record, Review, Taxon
from linkeddata.store import Store

FILE = "https://commons.deboodt.example/entity/M1"
PLATE = MediaFile(iri=FILE, institution="Q190804")
NYMPHALIDAE = (Ancestor("family", "Nymphalidae", "7017"),)
CARDUI = Taxon(query="Q1", concept="Q1", name="Vanessa cardui", rank="species", item="Q1", lineage=NYMPHALIDAE)
ATALANTA = Taxon(query="Q2", concept="Q2", name="Vanessa atalanta", rank="species", item="Q2", lineage=NYMPHALIDAE)
PARIS = Taxon(
    query="Q3",
    concept="Q3",
    name="Papilio paris",
    rank="species",
    item="Q3",
    lineage=(Ancestor("family", "P.", "9417"),),
)
TAXA = {taxon.concept: taxon for taxon in (CARDUI, ATALANTA, PARIS)}


def label(taxon: Taxon, **values: Any) -> Label:
    """A label of the file, as counting leaves it."""
    known = {"status": "accepted", "support": 2, "voters": 3, "probability": 0.6, "method": "majority"}
    return Label(
        id=content_id("albums", FILE, taxon.concept),
        campaign="albums",
        file=FILE,
        concept=taxon.concept,
        name=taxon.name,
        rank=taxon.rank,
        item=taxon.item,
        **{**known, **values},  # type: ignore[arg-type]
    )


def answer(taxon: Taxon | None, key: str = "a1", **values: Any) -> Identification:
    """A model's answer about the file."""
    said = {"label": taxon.name, "rank": taxon.rank, "item": taxon.item, "certainty": 0.8} if taxon else {}
    return Identification(id=key, file=FILE, campaign="albums", **{"model": "m", "version": "1", **said, **values})  # type: ignore[arg-type]


RECORDS: list[Record] = [
    PLATE,
    CARDUI,
    ATALANTA,
    PARIS,
    label(CARDUI),
    label(ATALANTA, status="minority"),
    answer(CARDUI),
]


class Clock:
    """Each time it is asked it is a second later."""

    def __init__(self) -> None:
        self.second = 0

    def __call__(self) -> str:
        self.second += 1
        return f"2026-11-02T10:{self.second // 60:02}:{self.second % 60:02}Z"


def reviewer(name: str, role: str = "reviewer", branches: tuple[str, ...] = (ALL,)) -> Person:
    return Person(account=name, agent=f"urn:{name}", role=role, branches=branches if role == "reviewer" else ())


ANNA, BERT, CURA = reviewer("anna"), reviewer("bert"), reviewer("cura", "curator")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store(store_url) as opened:
        opened.put(RECORDS, agent="software", moment="2026-11-01T00:00:00Z")
        yield opened


def status(store: Store, record: Label | Identification) -> str:
    found = store.get(type(record), record.id)
    return found.status if found else "gone"


def test_who_accepts_a_label_accepts_the_machines_answer_of_the_same_taxon(store: Store, clock: Clock) -> None:
    review = say(store, ANNA, Said(target=label(CARDUI).id, verdict="accept", key="1"), clock)
    assert store.get(Label, label(CARDUI).id) == label(CARDUI, status="reviewed", counted="accepted")
    assert status(store, answer(CARDUI)) == "verified"
    assert status(store, label(ATALANTA)) == "minority"
    (found,) = accepted_of(store, [FILE])[FILE]
    assert (found.concept, found.by, found.since, found.reviews) == ("Q1", (ANNA.agent,), review.moment, (review.id,))
    assert [entry.target for entry in page(store, CURA, Asked(), 10)] == [label(ATALANTA).id]
    undo(store, ANNA, review.id, clock)
    assert store.get(Label, label(CARDUI).id) == label(CARDUI)
    assert status(store, answer(CARDUI)) == "unverified"
    assert accepted_of(store, [FILE]) == {}
    assert len(page(store, CURA, Asked(), 10)) == 3


def test_a_correction_brings_a_label_and_an_identification_and_takes_them_along(store: Store, clock: Clock) -> None:
    said = Said(target=answer(CARDUI).id, verdict="correct", correction="Q3", key="1", comment=" not a Vanessa ")
    review = say(store, ANNA, said, clock)
    assert (review.comment, review.seen, review.file) == ("not a Vanessa", digest(answer(CARDUI)), FILE)
    assert status(store, answer(CARDUI)) == "rejected"
    assert status(store, label(CARDUI)) == "rejected"
    made = store.get(Label, content_id("albums", FILE, "Q3"))
    assert made is not None
    assert (made.status, made.method, made.name, made.voters) == ("reviewed", "review", "Papilio paris", 0)
    (person,) = [one for one in store.each(Identification) if one.id != answer(CARDUI).id]
    assert (person.label, person.agent, person.supersedes) == ("Papilio paris", ANNA.agent, answer(CARDUI).id)
    assert person.status == "verified"
    assert [event.subject for event in store.events(kind="identification.superseded")] == [answer(CARDUI).id]
    undo(store, ANNA, review.id, clock)
    assert {one.id for one in store.each(Identification)} == {answer(CARDUI).id}
    assert store.get(Label, made.id) is None
    assert status(store, label(CARDUI)) == "accepted"


def test_counting_again_keeps_what_reviewers_said(store: Store, clock: Clock) -> None:
    say(store, ANNA, Said(target=answer(CARDUI).id, verdict="correct", correction="Q3", key="1"), clock)
    again = [label(CARDUI, support=3), label(ATALANTA, status="minority")]
    after = {one.concept: one for one in reviewed_labels(store, "albums", again)}
    assert after["Q1"] == label(CARDUI, support=3, status="rejected", counted="accepted")
    assert after["Q3"].status == "reviewed"
    counted = {one.concept: one for one in reviewed_labels(store, "albums", [label(PARIS, status="single")])}
    assert counted["Q3"] == label(PARIS, status="reviewed", counted="single")


def test_what_was_accepted_of_a_model_outlives_the_model(store: Store, clock: Clock) -> None:
    gone = Taxon(query="x", concept="gbif:99", name="Papilio novus", gbif_key="99")
    said = answer(gone, "new", label="Papilio novus", gbif_key="99", item="")
    store.put([said], agent="software", moment=clock())
    say(store, ANNA, Said(target="new", verdict="accept", key="1"), clock)
    store.remove(Identification, ["new"], agent="software", moment=clock(), reason="a new model")
    (kept,) = [one for one in reviewed_labels(store, "albums", []) if one.concept == "gbif:99"]
    assert (kept.name, kept.gbif_key, kept.status) == ("Papilio novus", "99", "reviewed")


def test_a_new_answer_of_a_machine_meets_what_was_said_before(store: Store, clock: Clock) -> None:
    say(store, ANNA, Said(target=label(CARDUI).id, verdict="reject", key="1"), clock)
    store.put([answer(CARDUI, "a2", version="2")], agent="software", moment=clock())
    assert apply_reviews(store, "albums", agent="software", now=clock) == 1
    assert status(store, answer(CARDUI, "a2")) == "rejected"


def test_two_reviewers_who_disagree_wait_for_a_curator(store: Store, clock: Clock) -> None:
    ask_reviewers(store, "albums", 2, agent="software", now=clock)
    say(store, ANNA, Said(target=label(CARDUI).id, verdict="accept", key="1"), clock)
    assert status(store, label(CARDUI)) == "accepted", "one of two has spoken"
    entry = next(one for one in page(store, BERT, Asked(), 10) if one.target == label(CARDUI).id)
    assert "a second reviewer is asked for" in [reason.words for reason in entry.reasons]
    assert label(CARDUI).id not in [one.target for one in page(store, ANNA, Asked(), 10)]
    say(store, BERT, Said(target=label(CARDUI).id, verdict="correct", correction="Q2", key="1"), clock)
    assert status(store, label(CARDUI)) == "disputed"
    assert label(CARDUI).id not in [one.target for one in page(store, reviewer("carl"), Asked(), 10)]
    entry = page(store, CURA, Asked(), 10)[0]
    assert (entry.target, entry.disputed, entry.reasons[0].words) == (label(CARDUI).id, True, "reviewers disagree")
    with pytest.raises(Problem) as raised:
        say(store, BERT, Said(target=label(CARDUI).id, verdict="accept", key="2", decides=True), clock)
    assert raised.value.status_code == 403
    say(store, CURA, Said(target=label(CARDUI).id, verdict="accept", key="1", decides=True), clock)
    assert status(store, label(CARDUI)) == "reviewed"
    assert accepted_of(store, [FILE])[FILE][0].by == (CURA.agent,)


def test_the_same_twice_is_once_and_a_key_is_for_one_verdict(store: Store, clock: Clock) -> None:
    said = Said(target=label(CARDUI).id, verdict="accept", key="k", seen=digest(label(CARDUI)))
    first = say(store, ANNA, said, clock)
    before = store.state()
    assert say(store, ANNA, said, clock) == first, "although the target has changed since: by this very verdict"
    assert store.state() == before
    with pytest.raises(Problem) as raised:
        say(store, ANNA, replace(said, verdict="reject"), clock)
    assert (raised.value.status_code, raised.value.title) == (409, "Key used before")
    undo(store, ANNA, first.id, clock)
    before = store.state()
    undo(store, ANNA, first.id, clock)
    assert store.state() == before


def test_a_double_click_is_one_verdict_however_they_race(store: Store) -> None:
    said = Said(target=label(CARDUI).id, verdict="accept", key="k", seen=digest(label(CARDUI)))
    with ThreadPoolExecutor(8) as threads:
        given = list(threads.map(lambda _: say(store, ANNA, said, lambda: "2026-11-02T10:00:00Z"), range(8)))
    assert len({one.id for one in given}) == 1
    assert [event.subject for event in store.events(kind="review.added")] == [given[0].id]


def test_two_who_judge_at_once_do_not_overwrite_each_other(store: Store) -> None:
    def judge(person: Person) -> str:
        said = Said(target=label(CARDUI).id, verdict="accept", key="k", seen=digest(label(CARDUI)))
        try:
            return say(store, person, said, lambda: "2026-11-02T10:00:00Z").agent
        except Problem as problem:
            return problem.title

    with ThreadPoolExecutor(4) as threads:
        ends = sorted(threads.map(judge, [ANNA, BERT, CURA, reviewer("carl")]))
    assert ends[:3] == ["Changed meanwhile"] * 3, "one was first; the others saw something else"
    assert store.count(Review) == 1


def test_what_changed_meanwhile_is_not_judged_unseen(store: Store, clock: Clock) -> None:
    seen = digest(label(CARDUI))
    store.put([label(CARDUI, support=5)], agent="software", moment=clock())
    with pytest.raises(Problem) as raised:
        say(store, ANNA, Said(target=label(CARDUI).id, verdict="accept", key="k", seen=seen), clock)
    assert (raised.value.status_code, raised.value.title) == (409, "Changed meanwhile")
    assert store.count(Review) == 0


def test_a_second_thought_takes_the_place_of_the_first(store: Store, clock: Clock) -> None:
    say(store, ANNA, Said(target=label(CARDUI).id, verdict="accept", key="1"), clock)
    second = say(store, ANNA, Said(target=label(CARDUI).id, verdict="reject", key="2"), clock)
    assert status(store, label(CARDUI)) == "rejected"
    standing_now = [one for one in store.each(Review) if not one.undone]
    assert standing_now == [second]


@pytest.mark.parametrize(
    ("person", "values", "code"),
    [
        (ANNA, {"verdict": "perhaps"}, 422),
        (ANNA, {"correction": "Q2"}, 422),
        (ANNA, {"verdict": "correct"}, 422),
        (ANNA, {"verdict": "correct", "correction": "Q1"}, 422),
        (ANNA, {"verdict": "correct", "correction": "Q404"}, 422),
        (ANNA, {"verdict": "wrong region"}, 422),
        (ANNA, {"verdict": "comment"}, 422),
        (ANNA, {"key": ""}, 422),
        (ANNA, {"comment": "x" * 2001}, 422),
        (ANNA, {"target": "nothing"}, 404),
        (reviewer("v", "viewer"), {"verdict": "comment", "comment": "hm"}, 403),
        (reviewer("c", "contributor"), {}, 403),
        (reviewer("b", branches=("gbif:9417",)), {}, 403),
        (reviewer("b", branches=("gbif:7017",)), {"verdict": "correct", "correction": "Q3"}, 403),
    ],
)
def test_what_cannot_or_may_not_be_said(
    store: Store, clock: Clock, person: Person, values: dict[str, str], code: int
) -> None:
    said = {"target": label(CARDUI).id, "verdict": "accept", "key": "k"} | values
    before = store.state()
    with pytest.raises(Problem) as raised:
        say(store, person, Said(**said), clock)  # type: ignore[arg-type]
    assert raised.value.status_code == code
    assert store.state() == before


def test_inside_the_branch_and_with_the_right_role_it_may(store: Store, clock: Clock) -> None:
    of_branch = reviewer("b", branches=("gbif:7017",))
    say(store, of_branch, Said(target=label(CARDUI).id, verdict="correct", correction="Q2", key="k"), clock)
    assert status(store, label(CARDUI)) == "rejected"
    assert status(store, label(ATALANTA)) == "reviewed"
    comment = Said(target=label(CARDUI).id, verdict="comment", comment="see plate 13", key="k")
    review = say(store, reviewer("c", "contributor"), comment, clock)
    with pytest.raises(Problem) as raised:
        undo(store, ANNA, review.id, clock)
    assert raised.value.status_code == 403
    assert undo(store, CURA, review.id, clock).undone


def test_an_unknown_cannot_be_accepted_but_named(store: Store, clock: Clock) -> None:
    store.put([answer(None, "u")], agent="software", moment=clock())
    with pytest.raises(Problem) as raised:
        say(store, ANNA, Said(target="u", verdict="accept", key="k"), clock)
    assert raised.value.status_code == 422
    say(store, ANNA, Said(target="u", verdict="correct", correction="Q1", key="k"), clock)
    assert status(store, label(CARDUI)) == "reviewed"


def test_a_region_is_judged_by_itself(store: Store, clock: Clock) -> None:
    store.put([answer(CARDUI, "r", region="xywh=percent:0,0,10,10")], agent="software", moment=clock())
    wrong = say(store, ANNA, Said(target="r", verdict="wrong region", key="1"), clock)
    assert (status(store, answer(CARDUI, "r")), status(store, answer(CARDUI))) == ("rejected", "unverified")
    assert status(store, label(CARDUI)) == "accepted"
    undo(store, ANNA, wrong.id, clock)
    say(store, ANNA, Said(target=label(CARDUI).id, verdict="accept", key="2"), clock)
    assert status(store, answer(CARDUI, "r")) == "unverified", "the taxon is there, whether in this place nobody said"


def test_an_unfit_image_shows_nothing_that_nobody_else_judged(store: Store, clock: Clock) -> None:
    say(store, ANNA, Said(target=label(CARDUI).id, verdict="accept", key="1"), clock)
    say(store, BERT, Said(target=label(ATALANTA).id, verdict="unfit image", key="1"), clock)
    assert (status(store, label(CARDUI)), status(store, label(ATALANTA))) == ("reviewed", "unfit")


def test_not_this_and_not_this_but_that_agree() -> None:
    target = Target("label", "1", "Q1")
    known = {"target": "1", "kind": "label", "concept": "Q1", "file": FILE}
    no = Review(id="1", agent="a", verdict="reject", moment="1", **known)  # type: ignore[arg-type]
    but = Review(id="2", agent="b", verdict="correct", correction="Q2", moment="2", **known)  # type: ignore[arg-type]
    now = standing(target, [no, but], 2)
    assert (now.state, now.correction, now.by, now.since) == ("correct", "Q2", ("a", "b"), "2")
    other = replace(but, id="3", agent="c", correction="Q3")
    assert standing(target, [no, but, other], 2).state == "disputed"


def undated(state: FileState) -> FileState:
    """The state without the moments of its labels: a later one alone is no change to the store."""
    return replace(state, labels=tuple(replace(one, moment="") for one in state.labels))


ACTS = st.lists(
    st.tuples(
        st.sampled_from([ANNA, BERT, CURA]),
        st.sampled_from([label(CARDUI).id, label(ATALANTA).id, answer(CARDUI).id, "r", "u", "undo"]),
        st.sampled_from([*verdicts.VERDICTS]),
        st.sampled_from(["Q1", "Q2", "Q3"]),
        st.booleans(),
    ),
    max_size=12,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS, wanted=st.sampled_from([1, 2]))
def test_the_log_alone_says_what_is_true_now_and_undoing_all_leads_back(acts: list[Any], wanted: int) -> None:
    more = [answer(PARIS, "r", region="xywh=percent:0,0,10,10"), answer(None, "u")]
    clock = Clock()
    with Store("sqlite://") as store:
        store.put([*RECORDS, *more], agent="software", moment=clock())
        ask_reviewers(store, "albums", wanted, agent="software", now=clock)
        before = (list(store.each(Label)), list(store.each(Identification)))
        said: list[Review] = []
        for number, (person, target, verdict, correction, decides) in enumerate(acts):
            if target == "undo":
                if said:
                    undo(store, CURA, said.pop().id, clock)
                continue
            what = Said(
                target=target,
                verdict=verdict,
                key=str(number),
                correction=correction if verdict == "correct" else "",
                decides=decides and person is CURA,
            )
            try:
                said.append(say(store, person, what, clock))
            except Problem as problem:
                assert problem.status_code == 422  # noqa: PT017
        state = replayed(store.events())[FILE]
        assert list(state.labels) == list(store.each(Label))
        assert list(state.identifications) == list(store.each(Identification))
        again = derived(state, TAXA, lambda campaign: wanted)
        assert undated(again) == undated(state), "done again, nothing changes"
        anew = derived(FileState(*before, state.reviews), TAXA, lambda campaign: wanted)
        assert undated(anew) == undated(state), "from the beginning"
        reviewed = {one.concept for one in state.labels if one.status == "reviewed"}
        assert {one.concept for one in accepted(state.reviews, lambda campaign: wanted)} == reviewed
        for review in list(store.each(Review)):
            undo(store, CURA, review.id, clock)
        assert (list(store.each(Label)), list(store.each(Identification))) == before
