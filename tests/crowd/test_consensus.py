"""Counting: a table of cases on a small tree of real butterflies, and what must hold for any crowd."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowd.consensus import STATUSES, Rules, count_tags
from linkeddata.errors import UsageError
from linkeddata.records import Ancestor, Failure, Label, Tag, Taxon

FILE = "https://commons.example/entity/M1"
MOMENT = "2026-01-02T03:04:05Z"

_FAMILY = (Ancestor("family", "Papilionidae", "9417"),)
_NYMPHALIDAE = (Ancestor("family", "Nymphalidae", "7017"),)
_PAPILIO = (*_FAMILY, Ancestor("genus", "Papilio", "1938069"))


def _taxon(query: str, name: str, rank: str, item: str, key: str, lineage: tuple[Ancestor, ...]) -> Taxon:
    return Taxon(query=query, concept=item, name=name, rank=rank, item=item, gbif_key=key, lineage=lineage)


PARIS = _taxon("paris", "Papilio paris", "species", "Q977492", "1937911", _PAPILIO)
TAXA = {
    taxon.query: taxon
    for taxon in (
        PARIS,
        replace(PARIS, query="Papilio paris Linnaeus, 1758"),
        _taxon("helenus", "Papilio helenus", "species", "Q1", "11", _PAPILIO),
        _taxon("Papilio", "Papilio", "genus", "Q2", "1938069", _FAMILY),
        _taxon("Papilionidae", "Papilionidae", "family", "Q3", "9417", ()),
        _taxon("cardui", "Vanessa cardui", "species", "Q158603", "4299368", _NYMPHALIDAE),
        Taxon(query="mooie vlinder", reason="no name like it"),
    )
}  # fmt: skip
SHORT = {taxon.concept: taxon.name for taxon in TAXA.values()}


def said(agent: str, query: str, **values: Any) -> Tag:
    return Tag(
        **{"id": f"{agent}/{query}/{sorted(values.items())}", "file": FILE, "verbatim": query, "agent": agent} | values
    )


def counted(tags: list[Tag], **options: Any) -> list[Label | Failure]:
    rules = Rules(**{"method": "majority"} | options)
    return list(count_tags(tags, TAXA, campaign="c", moment=MOMENT, rules=rules))


def labels(tags: list[Tag], **options: Any) -> dict[str, tuple[int, int, str]]:
    """Labels as name → (support, dissent, status)."""
    found = [label for label in counted(tags, **options) if isinstance(label, Label)]
    return {label.name: (label.support, label.dissent, label.status) for label in found}


def crowd(*votes: str) -> list[Tag]:
    """``"a paris"``: a says paris; ``"a paris+helenus"``: both."""
    return [said(v.split()[0], name) for v in votes for name in v.split()[1].split("+")]


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        pytest.param(["a paris"], {"Papilio paris": (1, 0, "single")}, id="a lone vote stays a lone vote"),
        pytest.param(["a paris", "b paris"], {"Papilio paris": (2, 0, "accepted")}, id="two agree"),
        pytest.param(
            ["a paris", "b cardui"], {"Papilio paris": (1, 1, "tie"), "Vanessa cardui": (1, 1, "tie")}, id="tie"
        ),
        pytest.param(
            ["a paris", "b paris", "c cardui"],
            {"Papilio paris": (2, 1, "accepted"), "Vanessa cardui": (1, 2, "minority")},
            id="a vandal stays in the minority",
        ),
        pytest.param(["a Papilio"], {"Papilio": (1, 0, "single")}, id="only the genus is named"),
        pytest.param(["a Papilio", "b Papilio"], {"Papilio": (2, 0, "accepted")}, id="the genus is what they agree on"),
        pytest.param(["a Papilio", "b paris"], {"Papilio paris": (2, 0, "accepted")}, id="genus supports its species"),
        pytest.param(
            ["a Papilionidae", "b Papilio", "c paris"], {"Papilio paris": (3, 0, "accepted")}, id="the whole lineage"
        ),
        pytest.param(
            ["a paris", "b helenus", "c Papilio"],
            {"Papilio paris": (2, 1, "tie"), "Papilio helenus": (2, 1, "tie"), "Papilio": (3, 0, "accepted")},
            id="the genus does not decide between its species",
        ),
        pytest.param(
            ["a paris", "b cardui", "c Papilio"],
            {"Papilio paris": (2, 1, "accepted"), "Vanessa cardui": (1, 2, "minority")},
            id="the genus decides against another family",
        ),
        pytest.param(
            ["a paris", "b paris", "c helenus", "d cardui", "e cardui"],
            {
                "Papilio paris": (2, 3, "minority"),
                "Papilio helenus": (1, 4, "minority"),
                "Vanessa cardui": (2, 3, "minority"),
            },
            id="the largest minority is no majority",
        ),
        pytest.param(
            ["a paris", "b paris", "c helenus", "d cardui", "e cardui", "f Papilio"],
            {
                "Papilio paris": (3, 3, "tie"),
                "Papilio helenus": (2, 4, "minority"),
                "Vanessa cardui": (2, 4, "minority"),
                "Papilio": (4, 2, "accepted"),
            },
            id="what is sure is said at the rank where it is sure",
        ),
        pytest.param(
            ["a paris+cardui", "b paris+cardui", "c paris"],
            {"Papilio paris": (3, 0, "accepted"), "Vanessa cardui": (2, 1, "accepted")},
            id="two species on one plate",
        ),
        pytest.param(["a Papilio+paris"], {"Papilio paris": (1, 0, "single")}, id="one voter with genus and species"),
        pytest.param(
            ["a Papilio+paris", "b helenus"],
            {"Papilio paris": (1, 1, "tie"), "Papilio helenus": (1, 1, "tie"), "Papilio": (2, 0, "accepted")},
            id="whoever names a species does not support its sister through the genus",
        ),
    ],
)  # fmt: skip
def test_majority(votes: list[str], expected: dict[str, tuple[int, int, str]]) -> None:
    assert labels(crowd(*votes)) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        pytest.param(
            [said("a", "paris", moment="2021-10-03T14:05:00Z", route="commons"),
             said("a", "Papilio paris Linnaeus, 1758", moment="2021-10-03", route="isa")],
            {"Papilio paris": (1, 0, "single")},
            id="one act by two routes and in two spellings is one voice",
        ),
        pytest.param(
            [said("", "paris", route="sparql"), said("", "helenus", route="sparql")],
            {"Papilio paris": (1, 0, "single"), "Papilio helenus": (1, 0, "single")},
            id="nobody named two: both supported by the one nameless voter",
        ),
        pytest.param(
            [said("a", "paris", route="commons"), said("", "paris", route="sparql")],
            {"Papilio paris": (1, 0, "single")},
            id="the nameless tag is the one whose author another route knows",
        ),
        pytest.param(
            [said("a", "paris", withdrawn="2022", withdrawn_by="a"), said("", "paris", route="sparql")],
            {"Papilio paris": (0, 0, "withdrawn")},
            id="a stale answer does not bring back what its author took back",
        ),
        pytest.param(
            [said("a", "paris", withdrawn="2022", withdrawn_by="a")],
            {"Papilio paris": (0, 0, "withdrawn")},
            id="taken back by who said it",
        ),
        pytest.param(
            [said("a", "paris", withdrawn="2022", withdrawn_by="b")],
            {"Papilio paris": (0, 1, "withdrawn")},
            id="taken away by somebody else",
        ),
        pytest.param(
            [said("a", "paris", withdrawn="2022", withdrawn_by="b"), said("c", "paris")],
            {"Papilio paris": (1, 1, "tie")},
            id="the remover says no",
        ),
        pytest.param(
            [said("a", "paris", withdrawn="2022", withdrawn_by="b"), said("b", "Papilio"), said("c", "paris")],
            {"Papilio paris": (1, 1, "tie"), "Papilio": (2, 0, "accepted")},
            id="who removes the species and says the genus does not support the species",
        ),
        pytest.param(
            [said("a", "Papilio", withdrawn="2022", withdrawn_by="b"), said("b", "paris"), said("c", "paris")],
            {"Papilio paris": (2, 0, "accepted")},
            id="who makes the genus more precise does not dissent from it",
        ),
        pytest.param(
            [said("a", "paris", moment="2021-10-03T14:05:00Z", withdrawn="2021-10-03T15:00:00Z", withdrawn_by="a"),
             said("a", "paris", moment="2021-10-03", route="isa")],
            {"Papilio paris": (0, 0, "withdrawn")},
            id="the same act as a day: taken back, whichever route says so",
        ),
        pytest.param(
            [said("a", "paris", moment="2021-10-03T14:05:00Z", withdrawn="2021-10-03T15:00:00Z", withdrawn_by="a"),
             said("a", "paris", moment="2021-10-03T16:00:00Z")],
            {"Papilio paris": (1, 0, "single")},
            id="given again after it was taken back",
        ),
        pytest.param(
            [said("a", "paris", moment="2021-10-03T14:05:00Z", withdrawn="2021-10-03T15:00:00Z", withdrawn_by="a"),
             said("a", "paris", moment="2021-10-04", route="isa")],
            {"Papilio paris": (1, 0, "single")},
            id="given again on a later day",
        ),
    ],
)  # fmt: skip
def test_who_said_what_and_took_it_back(tags: list[Tag], expected: dict[str, tuple[int, int, str]]) -> None:
    assert labels(tags) == expected
    assert labels(tags[::-1]) == expected


def test_a_label_carries_taxon_numbers_and_method() -> None:
    [label] = counted(crowd("a paris", "b paris", "c paris"))
    assert isinstance(label, Label)
    assert (label.campaign, label.file, label.method, label.moment) == ("c", FILE, "majority", MOMENT)
    assert (label.concept, label.name, label.rank, label.item, label.gbif_key) == (
        "Q977492", "Papilio paris", "species", "Q977492", "1937911",
    )  # fmt: skip
    assert label.voters == 3
    assert label.probability == pytest.approx(4 / 5)


def test_how_many_must_agree_is_the_campaigns_choice() -> None:
    assert labels(crowd("a paris"), min_support=1) == {"Papilio paris": (1, 0, "accepted")}
    assert labels(crowd("a paris", "b paris"), min_support=3) == {"Papilio paris": (2, 0, "single")}


@pytest.mark.parametrize(("min_support", "status"), [(1, "accepted"), (2, "single")])
def test_a_rare_taxon_that_nobody_disputes_is_no_tie(min_support: int, status: str) -> None:
    shown = ["cardui"] * 7 + ["paris"] * 3  # a list of a museum: one nameless voice a file
    tags = [said("", query, file=f"f{number}") for number, query in enumerate(shown)]
    rules = {"method": "tree", "min_support": min_support, "min_probability": 0.9}
    found = [one for one in counted(tags, **rules) if isinstance(one, Label)]
    assert max(label.probability for label in found) < 0.9
    assert [label.status for label in found] == [status] * 10


def test_files_are_counted_apart_and_come_in_order() -> None:
    tags = [said("a", "paris", file="f2"), said("b", "paris", file="f1"), said("b", "cardui", file="f2")]
    found = [label for label in counted(tags) if isinstance(label, Label)]
    assert [(label.file, label.name, label.voters) for label in found] == [
        ("f1", "Papilio paris", 1),
        ("f2", "Vanessa cardui", 2),
        ("f2", "Papilio paris", 2),
    ]
    assert len({label.id for label in found}) == 3


def test_a_name_without_a_taxon_is_lost_once_a_tag_and_has_no_voice() -> None:
    tags = [said("a", "mooie vlinder"), said("b", "mooie vlinder"), said("c", "never asked"), said("d", "paris")]
    tags.append(said("e", "mooie vlinder", withdrawn="2022", withdrawn_by="f"))
    result = counted(tags)
    failures = [one for one in result if isinstance(one, Failure)]
    assert [(f.step, f.subject, f.reason, f.detail) for f in failures] == [
        ("count", FILE, "unresolved name", "mooie vlinder: no name like it"),
        ("count", FILE, "unresolved name", "mooie vlinder: no name like it"),
        ("count", FILE, "unresolved name", "never asked: no taxon is known by it; failures of the step names say why"),
    ]
    assert len({f.id for f in failures}) == 3
    assert [(one.name, one.voters) for one in result if isinstance(one, Label)] == [("Papilio paris", 1)]


def test_an_item_is_asked_by_its_id() -> None:
    taxa = TAXA | {"Q977492": replace(PARIS, query="Q977492")}
    tags = [said("a", "paris"), Tag(id="t", file=FILE, item="Q977492", agent="b")]
    [label] = count_tags(tags, taxa, campaign="c", moment=MOMENT)
    assert isinstance(label, Label)
    assert label.support == 2


def test_a_homonym_in_another_kingdom_is_no_ancestor() -> None:
    plant = _taxon("plant", "Vanessa", "genus", "Q9", "99", ())
    butterfly = _taxon(
        "butterfly", "Vanessa cardui", "species", "Q10", "10", (Ancestor("genus", "Vanessa", "1899478"),)
    )
    tags = crowd("a plant", "b butterfly")
    found = list(count_tags(tags, {"plant": plant, "butterfly": butterfly}, campaign="c", moment=MOMENT))
    assert {(label.name, label.status) for label in found if isinstance(label, Label)} == {
        ("Vanessa", "tie"),
        ("Vanessa cardui", "tie"),
    }


def test_an_unknown_way_of_counting_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="known are majority"):
        counted([], method="guess")


# what holds for any crowd

OWN = ("majority", "tree")
"""Ways of counting of our own; those of crowd-kit take half a second each time."""
QUERIES = sorted(TAXA)
AGENTS = ["", "a", "b", "c", "d"]
MOMENTS = ["", "2021-10-03", "2021-10-03T14:05:00Z", "2021-10-04T01:00:00Z"]
_tags = st.builds(
    said,
    st.sampled_from(AGENTS),
    st.sampled_from(QUERIES),
    file=st.sampled_from(["f1", "f2"]),
    moment=st.sampled_from(MOMENTS),
    withdrawn=st.sampled_from(["", "", "2021-10-03T15:00:00Z"]),
    withdrawn_by=st.sampled_from(AGENTS),
)
_crowds = st.lists(_tags, max_size=14)


@pytest.mark.parametrize("method", OWN)
@settings(deadline=None)
@given(tags=_crowds, seed=st.randoms(use_true_random=False), min_support=st.integers(1, 3))
def test_the_order_of_the_tags_does_not_matter(method: str, tags: list[Tag], seed: Any, min_support: int) -> None:
    shuffled = tags.copy()
    seed.shuffle(shuffled)
    one, other = (counted(t, method=method, min_support=min_support) for t in (tags, shuffled))
    assert [x for x in one if isinstance(x, Label)] == [x for x in other if isinstance(x, Label)]
    assert {x.id for x in one} == {x.id for x in other}


@pytest.mark.parametrize("method", OWN)
@settings(deadline=None)
@given(tags=_crowds)
def test_numbers_add_up(method: str, tags: list[Tag]) -> None:
    for label in counted(tags, method=method):
        if isinstance(label, Label):
            assert label.support + label.dissent <= label.voters
            assert 0 < label.probability < 1 or label.status == "withdrawn"
            assert label.status in STATUSES
            assert (label.support == 0) == (label.status == "withdrawn")
            assert label.status != "accepted" or label.support >= 2


@settings(deadline=None)
@given(tags=_crowds, query=st.sampled_from([q for q in QUERIES if TAXA[q].concept]), file=st.sampled_from(["f1", "f2"]))
def test_an_agreeing_vote_never_hurts(tags: list[Tag], query: str, file: str) -> None:
    concept = TAXA[query].concept
    tags = [tag for tag in tags if tag.agent]  # a nameless one may turn out to be the one that is added
    first = {x.id: x for x in counted(tags) if isinstance(x, Label) and (x.file, x.concept) == (file, concept)}
    more = [*tags, said("new", query, file=file, moment="2021-10-05")]
    second = {x.id: x for x in counted(more) if isinstance(x, Label)}
    for key, label in first.items():
        assert second[key].support > label.support
        assert second[key].dissent <= label.dissent
        assert STATUSES.index(second[key].status) >= STATUSES.index(label.status)


@settings(deadline=None)
@given(tags=_crowds)
def test_saying_it_twice_is_saying_it_once(tags: list[Tag]) -> None:
    again = [
        replace(tag, id=f"{tag.id} again", route="isa", moment=tag.moment[:10]) for tag in tags if not tag.withdrawn
    ]
    assert [x for x in counted(tags + again) if isinstance(x, Label)] == [
        x for x in counted(tags) if isinstance(x, Label)
    ]


@settings(deadline=None)
@given(tags=_crowds)
def test_every_standing_tag_is_in_a_label_or_lost(tags: list[Tag]) -> None:
    result = counted(tags)
    lost = {x.id for x in result if isinstance(x, Failure)}
    nameless = {t.id for t in tags if not t.withdrawn and not TAXA[t.verbatim].concept}
    assert len(lost) == len(nameless)
    labelled = {x.file for x in result if isinstance(x, Label)}
    assert labelled == {t.file for t in tags if TAXA[t.verbatim].concept}
