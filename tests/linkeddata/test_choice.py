"""What is chosen, and what is left open: the pure rules, one by one. Ids from 9990001 up are made up."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from linkeddata.choice import (
    bears,
    choose_aphia,
    choose_item,
    col_id_of,
    doubt,
    fits_by_name,
    is_item_id,
    of_aphia,
    of_item,
    of_match,
    says,
    shared_lineage,
    tidy,
    vernaculars,
    with_concept,
    with_item,
)
from linkeddata.gbif import Match, Usage, parse_match_v1
from linkeddata.records import Ancestor, Taxon
from linkeddata.wikidata import Item
from linkeddata.worms import AphiaRecord

ANIMALS = Ancestor("kingdom", "Animalia", "1")
PLANTS = Ancestor("kingdom", "Plantae", "6")
TIT = Usage(
    key="9990001",
    name="Cyanistes caeruleus",
    scientific_name="Cyanistes caeruleus (Linnaeus, 1758)",
    rank="species",
    status="ACCEPTED",
    lineage=(ANIMALS,),
)
OLD_TIT = Usage(
    key="9990002",
    name="Parus caeruleus",
    scientific_name="Parus caeruleus Linnaeus, 1758",
    rank="species",
    status="SYNONYM",
    accepted_key="9990001",
)


def _match(usage: Usage | None = TIT, kind: str = "EXACT", confidence: int = 98, **more: object) -> Match:
    return Match(match_type=kind, confidence=confidence, usage=usage, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("Parus  caeruleus\tLinnaeus, 1758\n", "Parus caeruleus Linnaeus, 1758"),
        ("parus caeruleus (linnaeus, 1758)", "Parus caeruleus (Linnaeus, 1758)"),
        ("callanthias ruber cuvier & valenciennes, 1830", "Callanthias ruber Cuvier & Valenciennes, 1830"),
        ("cyanistes Caeruleus", "Cyanistes Caeruleus"),  # capitals of a mixed text mean something
        ("Parus_caeruleus", "Parus caeruleus"),
        ("×Elytrordeum langei", "×Elytrordeum langei"),
        (" q158603 ", "Q158603"),
        ("Q", "Q"),
        ("", ""),
    ],
)
def test_tidy(query: str, asked: str) -> None:
    assert tidy(query) == asked


@given(some.text())
def test_tidy_is_done_once_and_blanks_do_not_matter(query: str) -> None:
    assert tidy(tidy(query)) == tidy(query)
    assert tidy(f"  {query}\t") == tidy(query)


@given(some.from_regex(r"[a-z]{2,12}( [a-z]{2,12}){0,2}", fullmatch=True))
def test_tidy_forgets_all_capitals_and_all_small_letters(name: str) -> None:
    assert tidy(name.upper()) == tidy(name) == name.capitalize()


PLACEHOLDER = Usage(key="9990009", name="Linnaeus", scientific_name="? schraetser Linnaeus, 1758")
KOA = Usage(key="9990008", name="Koa", scientific_name="Koa Peckham, 1900")


@pytest.mark.parametrize(
    ("match", "name", "reason"),
    [
        (_match(), "Cyanistes caeruleus", ""),
        (_match(kind="HIGHERRANK"), "Cyanistes novus", ""),
        (_match(kind="FUZZY", confidence=80), "Cyanistes caerulus", ""),
        (_match(None, "NONE", 100), "Xyz", "not found"),
        (_match(None, "NONE", 99, note="No match because of too little confidence"), "Xyz", "low confidence"),
        (_match(kind=""), "Xyz", "low confidence: GBIF does not say how it matched"),
        (_match(kind="FUZZY", confidence=79), "Xyz", "low confidence: Cyanistes caeruleus (Linnaeus, 1758) at 79"),
        (_match(PLACEHOLDER), "Linnaeus", "not a name: ? schraetser"),
        (_match(KOA, "FUZZY"), "Koe", "low confidence: Koa Peckham, 1900 for one short word"),
        (_match(KOA), "Koa", ""),
    ],
)
def test_doubt_rung_by_rung(match: Match, name: str, reason: str) -> None:
    said = doubt(match, name)
    assert said.startswith(reason)
    assert bool(said) == bool(reason)


def test_a_tie_names_its_candidates_and_not_the_also_rans() -> None:
    bird = Usage(key="9990011", name="Oenanthe", scientific_name="Oenanthe Vieillot, 1816", lineage=(ANIMALS,))
    plant = Usage(key="9990012", name="Oenanthe", scientific_name="Oenanthe L.", lineage=(PLANTS,))
    also = Usage(key="9990013", name="Oenanthes", scientific_name="Oenanthes", lineage=(PLANTS,))
    rest = (_match(bird), _match(plant), _match(also, "FUZZY", 99))
    tie = Match(match_type="NONE", note="Multiple equal matches for Oenanthe", alternatives=rest)
    assert doubt(tie, "Oenanthe") == (
        "tie: Oenanthe Vieillot, 1816 (Animalia, gbif:9990011), Oenanthe L. (Plantae, gbif:9990012)"
    )
    assert doubt(Match(match_type="NONE", note="Multiple equal matches for Oenanthe"), "Oenanthe") == "tie"


def test_synonymy_spelling_and_homonyms_are_said() -> None:
    taxon = of_match(_match(OLD_TIT), TIT)
    assert (taxon.name, taxon.gbif_key, taxon.status) == ("Cyanistes caeruleus", "9990001", "SYNONYM")
    assert taxon.matched_name == "Parus caeruleus Linnaeus, 1758"
    assert taxon.reason == "Parus caeruleus Linnaeus, 1758 is a synonym of Cyanistes caeruleus"
    assert of_match(_match(kind="FUZZY"), TIT).reason == "spelt Cyanistes caeruleus"
    genus = Usage(key="9990003", name="Cyanistes", scientific_name="Cyanistes Kaup, 1829", rank="genus")
    assert of_match(_match(genus, "HIGHERRANK"), genus).reason == "only the genus Cyanistes above it is known"
    elsewhere = Usage(key="9990021", name="Cyanistes", scientific_name="Cyanistes Ficta", lineage=(PLANTS,))
    noted = of_match(_match(alternatives=(_match(elsewhere),)), TIT)
    assert noted.reason == "also a name elsewhere: Cyanistes Ficta (Plantae, gbif:9990021)"
    lost = of_match(_match(OLD_TIT), OLD_TIT)
    assert lost.reason.endswith("is a synonym; GBIF does not say of what")


def test_an_item_with_several_keys_keeps_none_and_says_so() -> None:
    taxon = of_item(
        Item(id="Q9990001", names=("Emoia ficta",), gbif_keys=("24", "7"), ranks=("species",)), None, None, ()
    )
    assert (taxon.item, taxon.gbif_key, taxon.rank) == ("Q9990001", "", "species")
    assert taxon.reason == "two GBIF keys: 7, 24"
    three = of_item(Item(id="Q9990001", names=("A b", "C d"), gbif_keys=("1", "2", "3")), None, None, ())
    assert three.reason == "several names: A b, C d; 3 GBIF keys: 1, 2, 3"


def test_names_that_differ_between_wikidata_and_gbif_are_said() -> None:
    item = Item(id="Q9990001", names=("Parus caeruleus",), gbif_keys=("9990001",))
    taxon = of_item(item, TIT, TIT, ())
    assert (taxon.name, taxon.matched_name) == ("Cyanistes caeruleus", "Parus caeruleus")
    assert taxon.reason == "Wikidata has Parus caeruleus where GBIF has Cyanistes caeruleus"
    assert of_item(Item(id="Q9990001", gbif_keys=("9990001",)), TIT, TIT, ()).reason == "Wikidata gives no taxon name"


def test_col_ids_are_compared_and_never_chosen_between() -> None:
    taxon = Taxon(query="", col_id="A1")
    assert with_item(taxon, Item(id="Q9990001", col_ids=("B2",)), ()).reason == "Wikidata has COL id B2"
    assert with_item(taxon, Item(id="Q9990001", col_ids=("A1",)), ()).reason == ""
    both = with_item(Taxon(query=""), Item(id="Q9990001", col_ids=("A1", "B2")), ())
    assert (both.col_id, both.reason) == ("", "several COL ids: A1, B2")
    assert with_item(Taxon(query=""), Item(id="Q9990001", col_ids=("B2",)), ()).col_id == "B2"


@pytest.mark.parametrize(
    ("usage", "kind", "col_id"),
    [
        (TIT, "EXACT", "9990001"),
        (TIT, "FUZZY", ""),
        (TIT, "HIGHERRANK", ""),
        (OLD_TIT, "EXACT", ""),
        (None, "NONE", ""),
    ],
)
def test_a_col_id_is_taken_only_when_exact_and_accepted(usage: Usage | None, kind: str, col_id: str) -> None:
    assert col_id_of(_match(usage, kind), "Cyanistes caeruleus") == col_id


def _record(aphia_id: str, valid_id: str, kind: str = "EXACT") -> AphiaRecord:
    return AphiaRecord(aphia_id=aphia_id, name="Conus fictus", valid_id=valid_id, match_type=kind)


def test_choosing_among_aphia_records() -> None:
    assert choose_aphia([], "Conus fictus") == (None, "")
    one, _ = choose_aphia([_record("1", "9", "FUZZY"), _record("2", "3")], "Conus fictus")
    assert one == _record("2", "3")  # exact before fuzzy
    same, _ = choose_aphia([_record("1", "9"), _record("2", "9")], "Conus fictus")
    assert same is not None
    none, reason = choose_aphia([_record("1", "8"), _record("2", "9")], "Conus fictus")
    assert none is None
    assert reason == "tie: Conus fictus (aphia:1), Conus fictus (aphia:2)"
    assert choose_aphia([_record("1", "1", "FUZZY")], "Konus") == (None, "")  # one short word
    assert choose_aphia([_record("1", "1", "")], "Conus fictus") == (None, "")  # near_3, quarantined


def test_an_unaccepted_aphia_record_gets_the_genus_of_its_accepted_name() -> None:
    record = AphiaRecord(
        aphia_id="9990031",
        name="Asellus major",
        rank="species",
        status="SYNONYM",
        valid_id="9990032",
        valid_name="Gadus morhua",
        valid_authorship="Linnaeus, 1758",
        match_type="EXACT",
        lineage=(Ancestor("family", "Gadidae"), Ancestor("genus", "Asellus")),
    )
    taxon = of_aphia(record)
    assert (taxon.name, taxon.authorship, taxon.aphia_id) == ("Gadus morhua", "Linnaeus, 1758", "9990032")
    assert taxon.lineage == (Ancestor("family", "Gadidae"), Ancestor("genus", "Gadus"))
    assert taxon.reason == "Asellus major is a synonym of Gadus morhua"


def test_choosing_an_item() -> None:
    one, two = Item(id="Q9990001"), Item(id="Q9990002")
    assert choose_item([]) == (None, "")
    assert choose_item([one, one]) == (one, "")
    assert choose_item([one, two])[0] is None


def test_an_item_must_say_what_it_was_found_by_and_be_a_taxon() -> None:
    assert says(Item(id="Q9990001", names=("Aus bus",), gbif_keys=("7",)), ("P846", "7"))
    assert not says(Item(id="Q9990001", names=("Aus bus",), gbif_keys=("8",)), ("P846", "7"))
    assert not says(Item(id="Q9990001", gbif_keys=("7",)), ("P846", "7"))


def test_an_item_of_the_same_name_must_not_contradict() -> None:
    taxon = Taxon(query="", name="Oenanthe", rank="genus", gbif_key="7")
    assert fits_by_name(Item(id="Q9990001", names=("Oenanthe",)), taxon)
    assert not fits_by_name(Item(id="Q9990001", names=("Oenanthe",), gbif_keys=("8",)), taxon)
    assert not fits_by_name(Item(id="Q9990001", names=("Oenanthe",), ranks=("subgenus",)), taxon)
    assert not fits_by_name(Item(id="Q9990001", names=("oenanthe",)), taxon)


def test_who_bears_a_vernacular() -> None:
    item = Item(id="Q9990001", names=("Vanessa cardui",), labels=(("nl", "distelvlinder"), ("de", "Distelfalter")))
    assert bears(item, "Distelvlinder", ("nl", "en"))
    assert bears(item, "vanessa cardui", ("nl", "en"))
    assert not bears(item, "Distelfalter", ("nl", "en"))
    assert not bears(Item(id="Q9990002", labels=(("nl", "distelvlinder"),)), "distelvlinder", ("nl",))


def test_vernaculars_are_no_scientific_names_and_stand_once() -> None:
    item = Item(
        id="Q9990001",
        names=("Vanessa cardui",),
        labels=(("nl", "distelvlinder"), ("en", "Vanessa cardui")),
        vernaculars=(("nl", "Distelvlinder"), ("en", "painted lady"), ("de", "Distelfalter")),
    )
    assert vernaculars(item, ("nl", "en")) == (("nl", "distelvlinder"), ("en", "painted lady"))


def test_shared_lineage_ends_where_opinions_part() -> None:
    assert shared_lineage([]) == ()
    assert shared_lineage([(ANIMALS, Ancestor("phylum", "A")), (ANIMALS, Ancestor("phylum", "B"))]) == (ANIMALS,)


def test_concepts() -> None:
    full = Taxon(query="", match_type="EXACT", item="Q9990001", gbif_key="7", aphia_id="8")
    assert with_concept(full).concept == "Q9990001"
    assert with_concept(Taxon(query="", match_type="EXACT", gbif_key="7", aphia_id="8")).concept == "gbif:7"
    assert with_concept(Taxon(query="", match_type="EXACT", aphia_id="8")).concept == "aphia:8"
    assert with_concept(Taxon(query="", reason="not found")).concept == ""


def test_impossible_item_ids() -> None:
    assert is_item_id("Q2147483647")
    assert not is_item_id("Q2147483648")
    assert not is_item_id("Q0")


RECORDED = Path(__file__).resolve().parents[2] / "../shared/data/gbif/match-v1-recorded"


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded answers of GBIF are not on this machine")
def test_what_is_taken_of_the_recorded_matches() -> None:
    heads: Counter[str] = Counter()
    for path in RECORDED.glob("*.json"):
        match = parse_match_v1(json.loads(path.read_text()))
        said = doubt(match, match.usage.name if match.usage else "")
        heads[said.partition(":")[0]] += 1
        assert not said.startswith("tie") or said.count("gbif:") > 1
    assert heads == {"": 256, "tie": 37, "low confidence": 3, "not a name": 1, "not found": 1}
