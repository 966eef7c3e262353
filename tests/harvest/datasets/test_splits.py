"""Which side everything goes to: every class on every side where it can be, blocs whole, and nothing moves later."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crowd.campaign import DatasetRules
from harvest.datasets.blocs import JOINS, STRANGE, blocs_of
from harvest.datasets.manifest import DatasetClass
from harvest.datasets.selection import Candidate, Losses
from harvest.datasets.splits import split_by_group
from harvest.datasets.strata import assigned
from linkeddata.errors import DatasetError
from linkeddata.ids import content_id
from linkeddata.records import Label, MediaFile
from linkeddata.storage import FolderStorage, Stored

RULES = DatasetRules(min_images=1)
SHARES = {"test": 0.2, "validation": 0.15}
HERE = FolderStorage(Path())


def candidate(number: int, concept: str, group: str = "", thing: str = "") -> Candidate:
    iri = f"https://f.example/{number:03}"
    media = MediaFile(iri=iri, group=group, inventory_number=thing)
    label = Label(id=iri, campaign="c", file=iri, concept=concept)
    sha1 = content_id("picture", str(number)).ljust(40, "0")[:40]
    return Candidate(media, Stored(HERE, iri, sha1), label, DatasetClass(concept=concept, label=concept, rank=""))


@dataclass(frozen=True)
class Placed:
    """What came out: sides by SHA-1, what stands where, and what was left out."""

    sides: dict[str, str]
    rows: list[tuple[str, Candidate]]
    lost: dict[str, str]


def split(
    found: Sequence[Candidate],
    copies: Sequence[tuple[int, int]] = (),
    before: dict[str, str] | None = None,
    rules: DatasetRules = RULES,
) -> Placed:
    losses = Losses("c", "")
    kept, settled = blocs_of(found, copies, rules, before or {}, losses)
    rows = split_by_group(kept, rules, 1596, settled, before or {})
    return Placed(
        {c.source.sha1: side for side, c in rows}, rows, {one.subject[-3:]: one.reason for one in losses.failures}
    )


@given(st.lists(st.integers(0, 12), min_size=3, max_size=120))
def test_every_class_with_three_images_is_on_every_side(classes: list[int]) -> None:
    found = [candidate(number, f"Q{one}") for number, one in enumerate(classes)]
    there = defaultdict(set)
    for side, one in split(found).rows:
        there[one.concepts[0]].add(side)
    often = Counter(f"Q{one}" for one in classes)
    assume(max(often.values()) >= 3)  # else testing takes what training lacks, rather than having nothing at all
    for concept, images in often.items():
        assert "train" in there[concept]
        assert len(there[concept]) == min(3, images)


def test_large_classes_are_shared_out_as_asked() -> None:
    found = [candidate(number, f"Q{number % 4}") for number in range(400)]
    often = Counter((side, one.concepts[0]) for side, one in split(found).rows)
    assert {often["test", f"Q{n}"] for n in range(4)} == {20}
    assert {often["validation", f"Q{n}"] for n in range(4)} == {15}


def test_makers_who_draw_everything_are_chosen_so_that_no_side_lacks_a_class() -> None:
    """Six makers; two draw half of the classes each, so that neither alone is a side's."""
    drawn = {"a": range(12), "b": range(12), "c": range(12), "d": range(6), "e": range(6, 12), "f": range(12)}
    found = [
        candidate(place, f"Q{concept}", maker)
        for place, (maker, concept) in enumerate((maker, one) for maker, some in drawn.items() for one in some)
    ]
    there = defaultdict(set)
    for side, one in split(found).rows:
        there[side].add(one.concepts[0])
    assert {side: len(concepts) for side, concepts in there.items()} == {"train": 12, "test": 12, "validation": 12}


def test_training_keeps_enough_before_others_get_any() -> None:
    found = [candidate(number, "Q1" if number < 12 else "Q2") for number in range(30)]
    often = Counter((side, one.concepts[0]) for side, one in split(found, rules=DatasetRules(min_images=10)).rows)
    assert often["train", "Q1"] == 10
    assert often["test", "Q1"] + often["validation", "Q1"] == 2
    assert often["train", "Q2"] >= 10


pieces = st.tuples(
    st.integers(0, 4),
    st.sampled_from(("", "", "a", "b", "c", "d", "e")),
    st.sampled_from(("", "", "", "1", "2", "3")),
)


@given(st.data(), st.lists(pieces, min_size=4, max_size=30), st.lists(pieces, max_size=30), st.booleans())
def test_what_is_added_never_moves_what_was_there(
    data: st.DataObject, old: list[tuple[int, str, str]], new: list[tuple[int, str, str]], known: bool
) -> None:
    rules = DatasetRules(min_images=1, known_share=0.3 if known else 0.0)
    every = [candidate(n, f"Q{concept}", group, thing) for n, (concept, group, thing) in enumerate(old + new)]
    order = data.draw(st.permutations(range(len(every))))
    mixed = [every[place] for place in order]
    place = st.integers(0, len(every) - 1)
    drawn = data.draw(st.lists(st.tuples(place, place), max_size=8))
    copies = [pair for pair in drawn if pair[0] != pair[1]]
    now = {number: at for at, number in enumerate(order)}
    among_old = [(a, b) for a, b in copies if max(a, b) < len(old)]

    first = split(every[: len(old)], among_old, rules=rules)
    assert not first.lost
    later = split(mixed, [(now[a], now[b]) for a, b in copies], first.sides, rules)
    assert {sha1: later.sides.get(sha1) for sha1 in first.sides} == first.sides
    assert set(later.lost.values()) <= {JOINS}
    assert all(int(number) >= len(old) for number in later.lost)

    for key in ("group", "inventory_number"):
        sides = defaultdict(set)
        for side, one in later.rows:
            sides[getattr(one.media, key)].add("train" if side == "known" else side)
        assert all(len(some) == 1 for name, some in sides.items() if name)
    for a, b in copies:
        both = {later.sides.get(every[n].source.sha1) for n in (a, b)} - {None}
        assert len(both) <= 1


def test_a_copy_that_would_join_two_sides_is_left_out_and_told() -> None:
    found = [candidate(n, f"Q{n % 2}") for n in range(12)]
    before = split(found).sides
    tested = next(n for n in range(12) if before[found[n].source.sha1] == "test")
    taught = next(n for n in range(12) if before[found[n].source.sha1] == "train")
    later = split([*found, candidate(99, "Q0")], [(tested, 12), (12, taught)], before)
    assert later.lost == {"099": JOINS}
    assert later.sides == before


def test_what_is_found_to_hang_together_later_goes_where_most_of_it_is() -> None:
    """Nothing was added; the source says now that three old files are of one object."""
    before = {candidate(n, "Q1").source.sha1: side for n, side in enumerate(("train", "test", "train", "train"))}
    joined = [candidate(n, "Q1", thing="RP-T-1" if n < 3 else "") for n in range(4)]
    assert set(split(joined, before=before).sides.values()) == {"train"}


def test_a_stranger_that_is_a_copy_of_a_labelled_picture_is_none() -> None:
    strange = candidate(50, "Q1")
    strange = Candidate(strange.media, strange.source)
    placed = split([*(candidate(n, "Q1") for n in range(4)), strange], [(2, 4)])
    assert placed.lost == {"050": STRANGE}


def test_a_group_that_is_named_and_not_there_is_an_error() -> None:
    with pytest.raises(DatasetError, match="no usable file is of the group z; there are a"):
        split([candidate(1, "Q1", "a")], rules=DatasetRules(test_groups=("z",)))


def test_many_single_images_are_shared_out_in_one_pass() -> None:
    blocs = [{f"Q{n % 50}": 1} for n in range(6_000)]
    often = Counter(assigned(blocs, {}, SHARES, 1))
    assert (often["test"], often["validation"]) == (1_200, 900)
