"""Links of classes and taxa to Wikidata, over loopback: recorded taxa among look-alikes, and one world of our own.

Items from Q9990001 and keys from 9990001 up are made up; Q5xxx… twins are offered in the test of the recorded plates.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvest.standin.faults import UNAVAILABLE
from harvest.standin.recorded import bhl_world
from harvest.standin.server import StandIn
from harvest.standin.world import Entity, Item, World, statement, statements
from linkeddata import wikidata
from linkeddata.client import Client
from linkeddata.links import CHECK, NONE, SURE, Around, Link, Subject, decided, link, weighed, with_answer
from linkeddata.nameindex.answers import NameAnswer
from linkeddata.records import Ancestor, Failure

MOMENT = "2026-10-01T12:00:00Z"
ANIMALIA, PLANTAE = "Q9990900", "Q9990901"


def item(key: str, name: str = "", label: str = "", **said: str | tuple[str, ...]) -> Item:
    """Return an item; ``P846="…"`` and the like are its statements, several values as a tuple."""
    pairs = [("P225", name)] * bool(name) + [
        (prop, value) for prop, values in said.items() for value in ((values,) if isinstance(values, str) else values)
    ]
    told = statements(*(statement(key, prop, value) for prop, value in pairs))
    entity = Entity(labels={"en": label or name}, statements=told)
    return Item(id=key, page_id=int(key[1:]), entity=entity)


KINGDOMS = (item(ANIMALIA, "Animalia", P105="Q36732"), item(PLANTAE, "Plantae", P105="Q36732"))
MADE = World(
    items=(
        *KINGDOMS,
        item("Q9990001", "Oenanthe", P846="9990001", P105="Q34740", P171="Q9990005"),
        item("Q9990002", "Oenanthe", P846="9990002", P105="Q34740", P171="Q9990006"),
        item("Q9990003", "Conus marmoreus", P850="9990003", P105="Q7432", P171="Q9990004"),
        item("Q9990004", "Conus", P105="Q34740", P171=ANIMALIA),
        item("Q9990005", "Muscicapidae", P105="Q35409", P171=ANIMALIA),
        item("Q9990006", "Apiaceae", P105="Q35409", P171=PLANTAE),
        item("Q9990007", "Parus ater", P846="9990007"),
        item("Q9990008", "Periparus ater", P846="9990007"),
        item("Q9990009", "Gadus morhua", P105="Q7432"),
        item("Q9990010", label="Sitta europaea", P31="Q5", P846="9990010"),
        item("Q9990011", "Pica pica", P846=("9990011", "9990012"), P105="Q7432"),
        item("Q9990012", "Felis leo", P846="9990013", P105="Q7432"),
        item("Q9990013", "Turdus merula", P846="9990099", P105="Q7432", P171=ANIMALIA),
        item("Q9990020", label="mask"),
        item("Q9990021", label="masked ball"),
        Item(id="Q9990098", redirect="Q9990001"),
    )
)


@pytest.fixture(scope="module")
def made() -> Iterator[StandIn]:
    with StandIn(MADE) as standin:
        yield standin


def links_of(standin: StandIn, *subjects: Subject) -> list[Link | Failure]:
    settings = standin.settings(tries=1)
    with Client(settings, sleep=lambda _: None) as client:
        return list(link(subjects, client, settings, moment=MOMENT))


def subject(**told: str) -> Subject:
    return Subject(**{"id": "1", "label": told.get("name", ""), **told})  # type: ignore[arg-type]


CASES = [
    ("by its key", {"name": "Oenanthe", "gbif_key": "9990001"}, SURE, "Q9990001", ""),
    ("by its AphiaID", {"name": "Conus marmoreus", "aphia_id": "9990003"}, SURE, "Q9990003", ""),
    (
        "a homonym, by its kingdom",
        {"name": "Oenanthe", "kingdom": "Plantae"},
        SURE,
        "Q9990002",
        "Q9990001 is of another",
    ),
    ("a homonym without more", {"name": "Oenanthe"}, CHECK, "", "tie of items by name: Q9990001, Q9990002"),
    (
        "a wrong kingdom with the key",
        {"name": "Oenanthe", "gbif_key": "9990001", "kingdom": "Plantae"},
        NONE,
        "",
        "kingd",
    ),
    (
        "two items with the key",
        {"name": "Parus ater", "gbif_key": "9990007"},
        CHECK,
        "",
        "tie of items: Q9990007, Q9990008",
    ),
    ("nothing but the name", {"name": "Gadus morhua"}, CHECK, "", "only the name speaks for Q9990009"),
    ("an item that is no taxon", {"name": "Sitta europaea", "gbif_key": "9990010"}, NONE, "", "Q9990010 is no taxon"),
    ("an item with two keys", {"name": "Pica pica", "gbif_key": "9990012"}, SURE, "Q9990011", "two GBIF keys"),
    ("the key, another name", {"name": "Panthera leo", "gbif_key": "9990013"}, CHECK, "", "Q9990012 has another name"),
    ("the name, another key", {"name": "Turdus merula", "gbif_key": "9990014"}, CHECK, "", "another P846"),
    ("another rank", {"name": "Gadus morhua", "rank": "genus"}, NONE, "", "of another rank"),
    ("a given item", {"name": "Pica pica", "item": "Q9990011"}, SURE, "Q9990011", ""),
    ("a given item that was merged", {"name": "Oenanthe", "item": "Q9990098"}, SURE, "Q9990001", "redirects"),
    ("a given item that is not there", {"name": "Oenanthe", "item": "Q9990999"}, CHECK, "", "has no item"),
    ("a given item with another key", {"name": "Pica pica", "item": "Q9990011", "gbif_key": "5"}, CHECK, "", "P846"),
    ("a given item that is no taxon", {"name": "Pica pica", "item": "Q9990020"}, CHECK, "", "no taxon"),
    ("nothing there", {"name": "Xyzzyx plughus"}, NONE, "", ""),
]


@pytest.mark.parametrize(
    ("told", "certainty", "expected", "note"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_what_is_linked_and_what_is_left_to_a_person(
    made: StandIn, told: dict[str, str], certainty: str, expected: str, note: str
) -> None:
    [found] = links_of(made, subject(**told))
    assert isinstance(found, Link)
    assert (found.certainty, found.item.id if found.item else "") == (certainty, expected)
    assert note in found.note
    assert found.relation == ("exact" if expected else "unlinked")


def test_what_is_no_taxon_has_candidates_and_is_never_linked_by_its_words(made: StandIn) -> None:
    [found] = links_of(made, Subject(id="1", label="mask"))
    assert isinstance(found, Link)
    assert (found.certainty, found.item) == (CHECK, None)
    assert [hit.id for hit in found.hits] == ["Q9990020", "Q9990021"]
    [given_item] = links_of(made, Subject(id="1", label="mask", item="Q9990020"))
    assert isinstance(given_item, Link)
    assert given_item.certainty == SURE


def test_a_doubtful_name_is_not_linked(made: StandIn) -> None:
    fuzzy = NameAnswer(
        query="Pica pika",
        match_type="FUZZY",
        canonical_name="Pica pica",
        scientific_name="Pica pica",
        gbif_key="9990011",
    )
    [found] = links_of(made, with_answer(Subject(id="1", label="Pica pika"), fuzzy))
    assert isinstance(found, Link)
    assert (found.certainty, found.item) == (CHECK, None)
    assert "fuzzy match: Pica pica" in found.note
    assert [one.item.id for one in found.weighed] == ["Q9990011"]


def test_a_kingdom_that_was_given_goes_before_that_of_the_name() -> None:
    bird = NameAnswer(
        query="Oenanthe",
        match_type="EXACT",
        canonical_name="Oenanthe",
        accepted_name="Oenanthe Vieillot",
        gbif_key="9990001",
        classification=(Ancestor("kingdom", "Animalia"),),
    )
    found = with_answer(Subject(id="1", label="Oenanthe", kingdom="Plantae"), bird)
    assert found.doubt == "Plantae was given, Oenanthe Vieillot is of Animalia"
    other = with_answer(Subject(id="1", label="Oenanthe", gbif_key="7"), bird)
    assert (other.gbif_key, other.doubt) == ("7", "GBIF 7 was given, 9990001 was found")


def test_wikidata_down_is_a_failure_and_no_link(made: StandIn) -> None:
    with StandIn(MADE) as standin:
        standin.faults.next("/wikidata/", UNAVAILABLE, times=5)
        [found] = links_of(standin, subject(name="Pica pica", gbif_key="9990011"))
    assert isinstance(found, Failure)
    assert (found.subject, found.reason) == ("Pica pica", "service unreachable")


def test_year_author_and_parent_speak_for_an_item() -> None:
    asked = Subject(
        id="1",
        label="x",
        name="Pica pica",
        authorship="(Linnaeus, 1758)",
        lineage=(Ancestor("kingdom", "Animalia"), Ancestor("genus", "Pica")),
    )
    item = wikidata.Item(id="Q1", names=("Pica pica",), years=("1758",), authors=("Q2",), parents=("Q3",))
    around = Around(
        "Animalia", (wikidata.Item(id="Q3", names=("Pica",)),), (wikidata.Item(id="Q2", label="C. Linnaeus"),)
    )
    told = weighed(replace(asked, kingdom="Animalia"), item, around).evidence
    assert told == (("name", True), ("kingdom", True), ("parent", True), ("author", True), ("year", True))
    assert decided(asked, [weighed(asked, replace(item, years=("1766",)), around)]).certainty == CHECK


def test_a_botanist_is_known_by_abbreviation() -> None:
    asked = Subject(id="1", label="x", name="Abies alba", authorship="(L.) Mill.", kingdom="Plantae")
    item = wikidata.Item(id="Q1", names=("Abies alba",), authors=("Q2",))
    miller = wikidata.Item(id="Q2", label="Philip Miller", citations=("Mill.",))
    assert ("author", True) in weighed(asked, item, Around(authors=(miller,))).evidence
    other = replace(miller, citations=("Brot.",))
    assert weighed(asked, item, Around(authors=(other,))).says("author") is None


def test_a_homonym_of_another_family_and_class_is_not_linked_by_its_name() -> None:
    lineage = (Ancestor("kingdom", "Animalia"), Ancestor("class", "Mammalia"), Ancestor("family", "Felidae"))
    asked = Subject(id="1", label="x", name="Panthera", rank="genus", kingdom="Animalia", lineage=lineage)
    cat, moth = (wikidata.Item(id=key, names=("Panthera",), ranks=("genus",)) for key in ("Q1", "Q2"))
    felids = (wikidata.Item(id="Q3", names=("Pantherinae",)), wikidata.Item(id="Q4", names=("Felidae",)))
    insects = tuple(
        wikidata.Item(id=key, names=(name,), ranks=(rank,))
        for key, name, rank in (("Q5", "Noctuidae", "family"), ("Q6", "Insecta", "class"))
    )
    right = weighed(asked, cat, Around("Animalia", felids))
    wrong = weighed(asked, moth, Around("Animalia", insects))
    assert (right.says("parent"), wrong.says("parent")) == (True, False)
    found = decided(asked, [right, wrong])
    assert found.item == cat
    assert decided(asked, [wrong]).certainty != SURE
    only_class = weighed(asked, moth, Around("Animalia", insects[1:]))
    assert only_class.says("parent") is None


@given(st.permutations(["Q9990001", "Q9990002", "Q9990003"]), st.lists(st.booleans(), min_size=3, max_size=3))
def test_the_order_of_candidates_changes_nothing(order: list[str], keyed: list[bool]) -> None:
    asked = Subject(id="1", label="x", name="Aus bus", gbif_key="1")
    made = {
        key: wikidata.Item(id=key, names=("Aus bus",), gbif_keys=("1",) if has else ())
        for key, has in zip(("Q9990001", "Q9990002", "Q9990003"), keyed, strict=True)
    }
    first = decided(asked, [weighed(asked, made[key]) for key in sorted(order)])
    other = decided(asked, [weighed(asked, made[key]) for key in order])
    assert (first.certainty, first.item) == (other.certainty, other.item)
    assert (first.certainty == SURE) == (sum(keyed) == 1)


@pytest.fixture(scope="session")
def plates(recordings: Path) -> World:
    return bhl_world(recordings / "commons/bhl-depicts.srj", recordings / "gbif/parents-recorded.json")


def recorded_rows(plates: World) -> list[tuple[str, Subject]]:
    """Return every distinct (Q, name, key) of the recorded plates, the kingdom as the recorded parents tell it."""
    usages = {str(usage.key): usage for usage in plates.usages}
    rows = []
    for one in plates.items:
        said = one.entity.statements
        names = [claim["mainsnak"]["datavalue"]["value"] for claim in said["P225"]]
        for claim in said["P846"]:
            key = claim["mainsnak"]["datavalue"]["value"]
            kingdom = next((name for rank, name, _ in usages[key].higher if rank == "KINGDOM"), "")
            asked = [
                Subject(id=f"{name}/{key}", label=name, name=name, gbif_key=key, kingdom=kingdom) for name in names
            ]
            rows += [(one.id, subject) for subject in asked]
    return rows


def twins(world: World, kingdom: str, *, with_key: bool) -> World:
    """Return the world with a twin of each taxon in another kingdom: the same name, and the same key where asked."""
    made = []
    for number, one in enumerate(world.items, start=5_000_000):
        told = {
            p: tuple(c["mainsnak"]["datavalue"]["value"] for c in one.entity.statements[p]) for p in ("P225", "P846")
        }
        keys = {"P846": told["P846"]} if with_key else {}
        made.append(item(f"Q{number}9", told["P225"][0], P171=kingdom, **keys))
    return World(items=(*world.items, *made, *KINGDOMS))


def test_every_recorded_row_is_recovered(plates: World) -> None:
    rows = recorded_rows(plates)
    assert len(rows) >= 1107
    with StandIn(plates) as standin:
        found = links_of(standin, *(one for _, one in rows))
    assert [one.item.id if isinstance(one, Link) and one.item else "" for one in found] == [item for item, _ in rows]


@pytest.mark.parametrize("with_key", [False, True], ids=["twin without key", "twin with the same key"])
def test_no_recorded_row_is_linked_to_a_twin_in_another_kingdom(plates: World, with_key: bool) -> None:
    rows = recorded_rows(plates)
    animals = [(item, replace(one, kingdom="Animalia")) for item, one in rows]
    with StandIn(twins(plates, PLANTAE, with_key=with_key)) as standin:
        found = links_of(standin, *(one for _, one in animals))
    assert [one.item.id if isinstance(one, Link) and one.item else "" for one in found] == [item for item, _ in animals]


def test_no_recorded_row_that_comes_with_a_wrong_kingdom_is_linked(plates: World) -> None:
    rows = recorded_rows(plates)
    world = World(items=tuple(with_parent(one, ANIMALIA) for one in plates.items) + KINGDOMS)
    with StandIn(world) as standin:
        found = links_of(standin, *(replace(one, kingdom="Plantae") for _, one in rows))
    assert {one.certainty for one in found if isinstance(one, Link)} == {NONE}
    assert all("is of another kingdom" in one.note for one in found if isinstance(one, Link))


def with_parent(one: Item, parent: str) -> Item:
    said = {**one.entity.statements, **statements(statement(one.id, "P171", parent))}
    return replace(one, entity=replace(one.entity, statements=said))
