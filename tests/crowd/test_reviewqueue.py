"""The queue: what matters comes first, each once, to one person at a time, by any filter; and it follows the log."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from crowd.entry import later
from crowd.priority import Evidence, reasons, score
from crowd.reviewing import Said, ask_reviewers, say
from crowd.reviewqueue import Asked, count, entry_of, follow, hand_out, opened, page
from crowd.rights import ALL, Person
from linkeddata.ids import content_id
from linkeddata.records import Ancestor, Identification, Label, MediaFile, ModelClass, Record, Taxon
from linkeddata.store import Store

WHEN = "2026-11-02T10:00:00Z"
SPECIES = ("Q1", "Q2", "Q3")
FAMILIES = {"Q1": "7017", "Q2": "7017", "Q3": "9417"}


def now() -> str:
    return WHEN


def file(number: int) -> str:
    return f"https://commons.deboodt.example/entity/M{number}"


def label(number: int, concept: str = "Q1", **values: Any) -> Label:
    known = {"status": "accepted", "support": 4, "voters": 4, "probability": 0.9, "method": "majority"}
    key = content_id("albums", file(number), concept)
    known |= {"campaign": "albums", "name": concept, "item": concept}
    return Label(id=key, file=file(number), concept=concept, **{**known, **values})  # type: ignore[arg-type]


def answer(number: int, concept: str, **values: Any) -> Identification:
    known = {"model": "m", "version": "1", "label": concept, "item": concept, "certainty": 0.9, "campaign": "albums"}
    return Identification(id=f"answer{number}", file=file(number), **{**known, **values})


def person(name: str, role: str = "reviewer", *branches: str) -> Person:
    return Person(
        account=name, agent=f"urn:{name}", role=role, branches=branches or ((ALL,) if role == "reviewer" else ())
    )


ANNA, BERT, CURA = person("anna"), person("bert"), person("cura", "curator")
RECORDS: list[Record] = [
    *(MediaFile(iri=file(n), institution="Teylers" if n == 3 else "Rijksmuseum") for n in range(1, 21)),
    *(
        Taxon(query=item, concept=item, item=item, name=item, lineage=(Ancestor("family", key, key),))
        for item, key in FAMILIES.items()
    ),
    ModelClass(id="m@1/0", model="m", version="1", index=0, label="Q1", item="Q1"),
    ModelClass(id="m@1/1", model="m", version="1", index=1, label="Q2", item="Q2"),
    *(label(n) for n in range(10, 20)),  # ten accepted ones: Q1 is not rare
    label(1, status="tie", support=2, dissent=2, probability=0.5),
    label(2),
    answer(2, "Q2"),
    label(3, "Q3", campaign="other"),
    label(4, status="withdrawn"),
]


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store(store_url) as opened:
        opened.put(RECORDS, agent="software", moment=WHEN)
        yield opened


def words(store: Store, target: str) -> list[str]:
    entry = entry_of(store, target)
    return [reason.words for reason in entry.reasons] if entry else ["not open"]


def test_what_matters_comes_first_and_says_why(store: Store) -> None:
    found = page(store, ANNA, Asked(), 100)
    assert [entry.target for entry in found[:4]] == [label(1).id, "answer2", label(2).id, label(3, "Q3").id]
    assert [entry.score for entry in found] == sorted((entry.score for entry in found), reverse=True)
    assert words(store, label(1).id) == ["people disagree: 2 for, 2 against", "uncertain: 50 %"]
    assert words(store, label(2).id) == ["crowd and machine differ: Q2", "uncertain: 90 %"]
    assert words(store, "answer2")[0] == "crowd and machine differ: Q1"
    assert {"rare: 1 accepted so far", "new to the model"} <= set(words(store, label(3, "Q3").id))
    assert words(store, label(4).id) == ["not open"]
    assert len(found) == count(store, ANNA, Asked()) == 14


def test_a_genus_of_the_machine_is_not_against_a_species_of_the_crowd(store: Store) -> None:
    store.put([answer(5, "", gbif_key="7017", item="", label="family"), label(5)], agent="software", moment=WHEN)
    assert not any("differ" in one for one in (*words(store, "answer5"), *words(store, label(5).id)))


@pytest.mark.parametrize(
    ("asked", "targets"),
    [
        (Asked(campaign="other"), {label(3, "Q3").id}),
        (Asked(institution="Teylers"), {label(3, "Q3").id}),
        (Asked(kind="identification"), {"answer2"}),
        (Asked(taxon=("gbif:9417",)), {label(3, "Q3").id}),
        (Asked(taxon=("Q2",), campaign="albums"), {"answer2"}),
        (Asked(taxon=("Q2",), campaign="other"), set()),
    ],
)
def test_the_queue_is_narrowed(store: Store, asked: Asked, targets: set[str]) -> None:
    assert {entry.target for entry in page(store, ANNA, asked, 100)} == targets


def test_a_reviewer_sees_what_is_of_his_or_her_branches(store: Store) -> None:
    of_branch = person("b", "reviewer", "gbif:9417")
    assert {entry.target for entry in page(store, of_branch, Asked(), 100)} == {label(3, "Q3").id}
    assert page(store, person("n", "reviewer", "Q999"), Asked(), 100) == []


def test_pages_by_key_hold_each_entry_once_even_while_some_are_judged(store: Store) -> None:
    whole = [entry.target for entry in page(store, ANNA, Asked(), 100)]
    seen: list[str] = []
    after: tuple[float, str] | None = None
    while found := page(store, ANNA, Asked(after=after), 4):
        seen += [entry.target for entry in found]
        after = found[-1].place
        if len(seen) == 4:
            say(store, BERT, Said(target=seen[0], verdict="accept", key="k"), now)
    assert seen == whole


def test_nobody_is_handed_what_another_has_open(store: Store) -> None:
    first, second = hand_out(store, ANNA, Asked(), now), hand_out(store, BERT, Asked(), now)
    assert first is not None
    assert second is not None
    assert first.target != second.target
    assert opened(store, CURA, first.target, now), "she is told that somebody has it"
    much_later = later(WHEN, minutes=10)
    again = hand_out(store, CURA, Asked(), lambda: much_later)
    assert again is not None
    assert again.target == first.target
    third = hand_out(store, ANNA, Asked(), lambda: much_later)
    assert third is not None
    assert third.target != again.target


def test_many_who_ask_at_once_are_handed_different_things(store: Store) -> None:
    people = [person(f"p{number}") for number in range(8)]
    follow(store)
    with ThreadPoolExecutor(8) as threads:
        handed = list(threads.map(lambda one: hand_out(store, one, Asked(), now), people))
    targets = [entry.target for entry in handed if entry]
    assert len(targets) == len(set(targets)) == 8


def test_two_may_have_it_open_where_two_are_asked_for(store: Store) -> None:
    ask_reviewers(store, "albums", 2, agent="software", now=now)
    asked = Asked(campaign="albums")
    handed = [hand_out(store, who, asked, now) for who in (ANNA, BERT, CURA)]
    targets = [entry.target for entry in handed if entry]
    assert targets[0] == targets[1] != targets[2]


def test_what_one_cannot_tell_is_for_others_and_later(store: Store) -> None:
    before = entry_of(store, label(1).id)
    say(store, ANNA, Said(target=label(1).id, verdict="cannot tell", key="k"), now)
    assert before is not None
    assert entry_of(store, label(1).id) is None, "one was asked for, and has looked"
    ask_reviewers(store, "albums", 2, agent="software", now=now)
    follow(store)
    after = entry_of(store, label(1).id)
    assert after is not None
    assert "1 could not tell" in [reason.words for reason in after.reasons]
    assert label(1).id not in [entry.target for entry in page(store, ANNA, Asked(), 100)]
    assert label(1).id in [entry.target for entry in page(store, BERT, Asked(), 100)]


def test_the_queue_follows_the_log(store: Store) -> None:
    assert follow(store) > 0
    assert follow(store) == 0
    store.put([label(6, "Q2", status="single")], agent="software", moment=WHEN)
    assert follow(store) == 1
    assert entry_of(store, label(6, "Q2").id) is not None
    store.remove(Label, [label(6, "Q2").id], agent="software", moment=WHEN, reason="a slip")
    assert entry_of(store, label(6, "Q2").id) is None
    store.put([answer(7, "Q1", supersedes="answer2")], agent="software", moment=WHEN)
    follow(store)


def test_points_add_up_and_small_ones_are_not_said() -> None:
    doubtful = Evidence(support=1, dissent=1, probability=0.5, examples=0, known_to_model=False)
    assert score(doubtful) == 40 + 15 + 20 + 15
    assert reasons(Evidence(probability=0.999)) == ()
    assert score(Evidence(probability=0.01, counted=True)) < 1 < score(Evidence(probability=0.01)) == 29.7
    assert score(Evidence(disputed=True)) > score(Evidence(second=True, probability=0.0, machine_says="x", examples=0))
