"""Our own way of counting: what must hold for any crowd, and what it is for."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowd.consensus import Rules, count_tags, tally
from linkeddata.records import Ancestor, Label, Tag, Taxon

FAMILIES = {"Papilionidae": ("Papilio", "Graphium"), "Nymphalidae": ("Vanessa", "Danaus")}
TAXA: dict[str, Taxon] = {}
for _family, _genera in FAMILIES.items():
    TAXA[_family] = Taxon(query=_family, concept=_family, name=_family, rank="family")
    for _genus in _genera:
        _above = (Ancestor("family", _family),)
        TAXA[_genus] = Taxon(query=_genus, concept=_genus, name=_genus, rank="genus", lineage=_above)
        for _end in ("una", "dua"):
            _name = f"{_genus} {_end}"
            _lineage = (*_above, Ancestor("genus", _genus))
            TAXA[_name] = Taxon(query=_name, concept=_name, name=_name, rank="species", lineage=_lineage)
SPECIES = [name for name, taxon in TAXA.items() if taxon.rank == "species"]


def said(file: str, agent: str, item: str, **more: Any) -> Tag:
    return Tag(id=f"{file} {agent} {item} {more}", file=file, item=item, agent=agent, **more)


def labels(tags: list[Tag], **rules: Any) -> list[Label]:
    found = count_tags(tags, TAXA, campaign="c", moment="2026-01-01T00:00:00Z", rules=Rules(**rules))
    return [one for one in found if isinstance(one, Label)]


_crowds = st.lists(
    st.builds(said, st.sampled_from(["f1", "f2", "f3"]), st.sampled_from("abcde"), st.sampled_from(sorted(TAXA))),
    max_size=20,
)


@settings(deadline=None)  # the machine may be busy
@given(tags=_crowds)
def test_probabilities_fall_on_the_way_down(tags: list[Tag]) -> None:
    for label in labels(tags):
        sure = [step.probability for step in label.path]
        assert sure == sorted(sure, reverse=True)
        assert label.path[-1].name == label.name
        assert sure[-1] == label.probability


@settings(deadline=None)  # the machine may be busy
@given(tags=_crowds)
def test_renaming_people_changes_nothing(tags: list[Tag]) -> None:
    renamed = [replace(tag, agent=f"{9 - ord(tag.agent) % 7} somebody") for tag in tags]
    assert [(x.id, x.status, x.path) for x in labels(tags)] == [(x.id, x.status, x.path) for x in labels(renamed)]


@settings(deadline=None)  # the machine may be busy
@given(st.dictionaries(st.sampled_from(["f1", "f2", "f3", "f4"]), st.sampled_from(sorted(TAXA)), min_size=1))
def test_a_lone_vote_stays_single_and_unsure(votes: dict[str, str]) -> None:
    for label in labels([said(file, "a", item) for file, item in votes.items()]):
        assert label.status in ("single", "tie")
        assert label.probability < 0.95


@pytest.mark.parametrize("item", ["Vanessa", "Vanessa una"])
@pytest.mark.parametrize("files", [2, 20, 200])
def test_lone_votes_do_not_bear_each_other_out(item: str, files: int) -> None:
    found = labels([said(f"f{number}", f"p{number % 7}", item) for number in range(files)])
    assert {label.status for label in found} == {"single"}
    assert {label.probability for label in found} == {0.8}


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.sampled_from(sorted(TAXA)), max_size=5), st.sampled_from(SPECIES))
def test_an_agreeing_vote_of_equals_never_hurts(votes: list[str], species: str) -> None:
    # On one file each has one vote: nobody can be told from anybody, so all are equally skilled.
    tags = [said("f", f"p{number}", item) for number, item in enumerate([*votes, species])]
    before = {x.concept: x for x in labels(tags)}
    after = {x.concept: x for x in labels([*tags, said("f", "new", species)])}
    if species in before and species in after:
        assert after[species].probability >= before[species].probability - 0.001
        assert after[species].support == before[species].support + 1


def _history(*people: tuple[str, float, str]) -> list[Tag]:
    """Past files of two families on which three steady people agree, and others are right as often as is said."""
    tags = []
    for number in range(40):
        true = SPECIES[number % len(SPECIES)]
        wrong = SPECIES[(number + 1) % len(SPECIES)] if number % 2 == 0 else SPECIES[number % len(SPECIES) - 1]
        tags += [said(f"past {number}", f"steady {n}", true) for n in range(3)]
        for name, skill, family in people:
            if TAXA[true].lineage[0].name == family or not family:
                tags.append(said(f"past {number}", name, true if (number * 7 % 10) / 10 < skill else wrong))
    return tags


def test_one_who_knows_outweighs_two_who_guess() -> None:
    crowd = _history(("expert", 1.0, ""), ("x", 0.1, ""), ("y", 0.1, ""))
    new = [said("new", "expert", "Vanessa una"), said("new", "x", "Vanessa dua"), said("new", "y", "Vanessa dua")]
    found = {x.name: x for x in labels(crowd + new, min_support=1) if x.file == "new"}
    assert found["Vanessa una"].status == "accepted"
    assert found["Vanessa una"].dissent == 2
    heads = {x.name: x.status for x in labels(crowd + new, method="majority") if x.file == "new"}
    assert heads["Vanessa dua"] == "accepted"
    why = {voices.stand: voices for voices in found["Vanessa una"].voices}
    assert why["same"].branch == "Vanessa"
    assert why["same"].skill > why["against"].skill


def test_skill_is_told_by_branch() -> None:
    crowd = _history(("specialist", 1.0, "Nymphalidae"), ("other", 0.5, "Papilionidae"))
    told = tally(crowd, TAXA, campaign="c", moment="").skills
    skill = {(one.voter, one.branch): one.skill for one in told}
    assert skill["specialist", "Nymphalidae"] > skill["other", "Papilionidae"]


def test_dissent_in_a_genus_leaves_the_genus_sure() -> None:
    tags = [said("f", "a", "Vanessa una"), said("f", "b", "Vanessa dua"), said("f", "c", "Vanessa")]
    found = {x.name: x for x in labels(tags)}
    assert found["Vanessa"].status == "accepted"
    assert found["Vanessa una"].status == found["Vanessa dua"].status == "tie"
    assert found["Vanessa"].probability > 0.9 > 0.6 > found["Vanessa una"].probability


def test_two_species_on_one_plate_are_both_accepted() -> None:
    tags = [said("f", p, item) for p in "abc" for item in ("Vanessa una", "Papilio dua")]
    assert {x.name: x.status for x in labels(tags)} == {"Vanessa una": "accepted", "Papilio dua": "accepted"}


def test_a_removal_speaks_against() -> None:
    tags = [said("f", "a", "Vanessa una"), said("f", "b", "Vanessa una")]
    gone = said("f", "c", "Vanessa una", withdrawn="2022-01-01", withdrawn_by="d")
    assert labels([*tags, gone])[0].probability < labels(tags)[0].probability


def test_machines_are_counted_apart() -> None:
    tags = [said("f", "a", "Vanessa una")]
    tags += [said("f", p, "Vanessa una", tool="computer-aided-tagging") for p in "bc"]
    tags += [said("g", "a", "Papilio una", tool="computer-aided-tagging")]
    tags += [said("h", "a", "Papilio una", tool="computer-aided-tagging-manual")]
    found = {x.file: x for x in labels(tags)}
    assert (found["f"].support, found["f"].status, found["f"].machine) == (1, "single", 2)
    assert found["f"].machine_status == "accepted"
    assert found["f"].machine_probability > found["f"].probability
    assert (found["g"].support, found["g"].status, found["g"].machine) == (0, "machine", 1)
    assert (found["h"].status, found["h"].machine, found["h"].machine_status) == ("single", 0, "")


def test_gold_teaches_who_knows() -> None:
    tags = [
        said(f"f{n}", p, "Vanessa una" if p == "good" else "Vanessa dua") for n in range(20) for p in ("good", "bad")
    ]
    gold = {f"f{n}": frozenset({"Vanessa una"}) for n in range(10)}
    found = count_tags(tags, TAXA, campaign="c", moment="", gold=gold)
    sure = {x.name: x.probability for x in found if isinstance(x, Label) and x.file == "f15"}
    assert sure["Vanessa una"] > 0.8 > 0.2 > sure["Vanessa dua"]


@pytest.mark.parametrize("method", ["weighted", "dawid-skene", "glad", "mace"])
def test_crowd_kits_methods_count_the_same_tags(method: str) -> None:
    pytest.importorskip("crowdkit")
    tags = [said(f"f{n}", p, SPECIES[n % 3]) for n in range(12) for p in "abc"] + [said("f0", "d", SPECIES[5])]
    found = {(x.file, x.name): x for x in labels(tags, method=method)}
    assert found["f1", SPECIES[1]].status == "accepted"
    assert found["f1", SPECIES[1]].probability > 0.8
    assert found["f0", SPECIES[5]].status != "accepted"
    assert found["f1", SPECIES[1]].method == method
