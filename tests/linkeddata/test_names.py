"""Names and Q-ids resolved over loopback, against the stand-in.

No source near us tells the blue tit's Q-item and keys, so every id from 9990001 up, and every item Q999…, is made up.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harvest.standin.faults import HTML_PAGE, UNAVAILABLE
from harvest.standin.recorded import bhl_world
from harvest.standin.server import StandIn
from harvest.standin.world import Entity, Item, Recorded, Usage, World, statement, statements
from linkeddata.client import Client
from linkeddata.errors import ContactRequiredError
from linkeddata.ids import COL_XR, GBIF_BACKBONE
from linkeddata.nameindex.build import build_index
from linkeddata.nameindex.index import open_index
from linkeddata.nameindex.sources import open_source
from linkeddata.names import PATIENCE, Sources, is_ancestor, resolve
from linkeddata.records import Ancestor, Failure, Taxon
from linkeddata.settings import Settings

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
MOMENT = "2026-10-01T12:00:00Z"
TRIES = 2

BIRDS = (("KINGDOM", "Animalia", 1), ("CLASS", "Aves", 212))
PLANTS = (("KINGDOM", "Plantae", 6),)


def _usage(key: int, name: str, authorship: str = "", **more: Any) -> Usage:
    told = {"rank": "SPECIES" if " " in name else "GENUS", "higher": BIRDS} | more
    return Usage(
        key=key, scientific_name=f"{name} {authorship}".strip(), canonical_name=name, authorship=authorship, **told
    )


def _item(number: int, name: str = "", *, nl: str = "", en: str = "", **properties: object) -> Item:
    """Return an item with a taxon name; other statements are given as ``P846="…"`` or ``P846=("…", "…")``."""
    subject = f"Q{number}"
    given = {"P225": name, **properties} if name else properties
    told = [
        statement(subject, prop, value)
        for prop, values in given.items()
        for value in (values if isinstance(values, tuple) else (values,))
    ]
    labels = {language: text for language, text in (("nl", nl), ("en", en or name)) if text}
    return Item(id=subject, page_id=number, entity=Entity(labels=labels, statements=statements(*told)))


TITS = World(
    usages=(
        _usage(9990001, "Cyanistes caeruleus", "(Linnaeus, 1758)", higher=(*BIRDS, ("GENUS", "Cyanistes", 9990003))),
        _usage(9990002, "Parus caeruleus", "Linnaeus, 1758", status="SYNONYM", accepted=9990001),
        _usage(9990003, "Cyanistes", "Kaup, 1829"),
        _usage(9990004, "Parus major", "Linnaeus, 1758"),
        _usage(9990005, "Oenanthe", "Vieillot, 1816"),
        _usage(9990006, "Oenanthe", "L.", higher=PLANTS),
        _usage(9990007, "Parus ater", "Linnaeus, 1758"),
        _usage(9990008, "Gadus morhua", "Linnaeus, 1758", higher=(("KINGDOM", "Animalia", 1),)),
        _usage(9990009, "Sitta europaea", "Linnaeus, 1758"),
    ),
    items=(
        _item(9990001, "Cyanistes caeruleus", nl="pimpelmees", en="Eurasian blue tit", P846="9990001", P105="Q7432"),
        _item(9990002, "Parus caeruleus", P846="9990002"),
        _item(9990003, "Parus major", nl="koolmees", P105="Q7432"),
        _item(9990004, "Parus ater", nl="mees", P846="9990007"),
        _item(9990005, "Periparus ater", nl="mees", P846="9990007"),
        _item(9990006, en="house"),
        _item(9990007, "Cyanistes fossilis", P105="Q7432", P171="Q9990008"),
        _item(9990008, "Cyanistini", P105="Q227936", P171="Q9990009"),
        _item(9990009, "Cyanistes", P846="9990003", P105="Q34740"),
        _item(9990010, "Cyanistes duplex", P846=("9990001", "9990004"), P105="Q7432"),
        _item(9990011, "Cyanistes mortuus", P846="9999999", P105="Q7432"),
        _item(9990012, "Gadus morhua", P846="9990008", P850="9990032"),
        _item(9990013, "Sitta europaea", P846="9990009", P10585=("9990X",)),
        Item(id="Q9990099", redirect="Q9990001"),
    ),
    aphia=(
        {
            "AphiaID": 9990031,
            "scientificname": "Asellus major",
            "authority": "",
            "status": "unaccepted",
            "rank": "Species",
            "valid_AphiaID": 9990032,
            "valid_name": "Gadus morhua",
            "valid_authority": "Linnaeus, 1758",
            "kingdom": "Animalia",
            "isMarine": 1,
        },
        {
            "AphiaID": 9990033,
            "scientificname": "Conus fictus",
            "authority": "Nemo, 1900",
            "status": "accepted",
            "rank": "Species",
            "valid_AphiaID": 9990033,
            "valid_name": "Conus fictus",
            "valid_authority": "Nemo, 1900",
            "kingdom": "Animalia",
            "family": "Conidae",
            "genus": "Conus",
            "isMarine": 1,
        },
    ),
)

SPELLINGS = (
    "pimpelmees",
    "Cyanistes caeruleus",
    "Cyanistes caeruleus (Linnaeus, 1758)",
    "Parus caeruleus Linnaeus, 1758",
    "Parus caeruleus Linnaeus 1758",
    "cyanistes caeruleus",
    "Cyanistes  caeruleus",
)


@contextmanager
def _sources(standin: StandIn, **overrides: Any) -> Iterator[Sources]:
    settings = standin.settings(tries=TRIES, **overrides)
    with Client(settings, sleep=lambda _: None) as client:
        yield Sources(client, settings)


@pytest.fixture
def tits() -> Iterator[StandIn]:
    with StandIn(TITS) as standin:
        yield standin


def _answers(standin: StandIn, queries: Iterable[str]) -> list[Taxon | Failure]:
    with _sources(standin) as sources:
        return list(resolve(queries, sources, moment=MOMENT))


def _taxa(standin: StandIn, *queries: str) -> list[Taxon]:
    answers = _answers(standin, queries)
    assert [answer for answer in answers if isinstance(answer, Failure)] == []
    return [answer for answer in answers if isinstance(answer, Taxon)]


def test_six_spellings_of_one_blue_tit_are_one_concept(tits: StandIn) -> None:
    taxa = _taxa(tits, *SPELLINGS)
    assert [taxon.query for taxon in taxa] == list(SPELLINGS)
    for taxon in taxa:
        assert (taxon.concept, taxon.item, taxon.gbif_key) == ("Q9990001", "Q9990001", "9990001")
        assert (taxon.name, taxon.authorship, taxon.rank) == ("Cyanistes caeruleus", "(Linnaeus, 1758)", "species")
        assert (taxon.checklist_key, taxon.moment) == (GBIF_BACKBONE, MOMENT)
        assert taxon.lineage[-1] == Ancestor("genus", "Cyanistes", "9990003")
        assert taxon.vernaculars == (("nl", "pimpelmees"), ("en", "Eurasian blue tit"))
    assert [taxon.match_type for taxon in taxa] == ["VERNACULAR", *["EXACT"] * 6]
    assert [taxon.status for taxon in taxa[3:5]] == ["SYNONYM", "SYNONYM"]
    assert {taxon.matched_name for taxon in taxa[3:5]} == {"Parus caeruleus Linnaeus, 1758"}


def test_each_distinct_name_is_asked_once_and_items_together(tits: StandIn) -> None:
    _taxa(tits, *SPELLINGS, *SPELLINGS)
    assert tits.requests.count("/gbif/v1/species/match") == 5  # small letters and double blanks are the same question
    assert tits.requests.count("/gbif/v1/species/9990001") == 1
    assert tits.requests.count("/worms/") == 1
    assert tits.requests.count("/wikidata/", list="search") == 1
    assert tits.requests.count("/wikidata/", action="wbsearchentities") == 2  # one a language
    assert tits.requests.count("/wikidata/", action="wbgetentities") == 2  # who bears the vernacular; who has the key


def test_answers_are_streamed_in_order(tits: StandIn) -> None:
    def queries() -> Iterator[str]:
        yield from ["Q9990001"] * 50
        yield "Parus major"
        pytest.fail("the second batch was read before the first was answered")

    with _sources(tits) as sources:
        answers = resolve(queries(), sources, moment=MOMENT)
        assert [next(answers) for _ in range(50)]


def test_a_q_id_and_its_redirect(tits: StandIn) -> None:
    plain, redirected, small = _taxa(tits, "Q9990001", "Q9990099", "q9990001")
    assert (plain.match_type, plain.source, plain.status, plain.reason) == ("IDENTIFIER", "wikidata", "ACCEPTED", "")
    assert (redirected.query, redirected.concept) == ("Q9990099", "Q9990001")
    assert redirected.reason == "Q9990099 redirects to Q9990001"
    assert (small.query, small.concept) == ("q9990001", "Q9990001")


def test_an_item_of_a_synonym_leads_visibly_to_the_accepted_item(tits: StandIn) -> None:
    [taxon] = _taxa(tits, "Q9990002")
    assert (taxon.concept, taxon.gbif_key, taxon.status) == ("Q9990001", "9990001", "SYNONYM")
    assert taxon.matched_name == "Parus caeruleus"
    assert "Parus caeruleus Linnaeus, 1758 is a synonym of Cyanistes caeruleus" in taxon.reason
    assert "Q9990002 leads to Q9990001" in taxon.reason


def test_what_is_no_item_is_a_failure_and_spoils_no_other(tits: StandIn) -> None:
    missing, zero, huge, plain = _answers(tits, ["Q9999998", "Q007", "Q99999999999", "Q9990001"])
    for answer, query in ((missing, "Q9999998"), (zero, "Q007"), (huge, "Q99999999999")):
        assert isinstance(answer, Failure)
        assert (answer.step, answer.subject, answer.reason, answer.moment) == ("names", query, "unknown item", MOMENT)
    assert isinstance(plain, Taxon)
    assert plain.concept == "Q9990001"


def test_an_item_that_is_no_taxon_is_refused(tits: StandIn) -> None:
    [taxon] = _taxa(tits, "Q9990006")
    assert (taxon.match_type, taxon.concept, taxon.item, taxon.reason) == ("NONE", "", "", "not a taxon: house")


def test_two_keys_are_reported_and_what_they_agree_on_is_kept(tits: StandIn) -> None:
    [taxon] = _taxa(tits, "Q9990010")
    assert (taxon.concept, taxon.gbif_key, taxon.checklist_key) == ("Q9990010", "", "")
    assert taxon.reason == "two GBIF keys: 9990001, 9990004"
    assert taxon.lineage == (Ancestor("kingdom", "Animalia", "1"), Ancestor("class", "Aves", "212"))


def test_a_dead_key_is_reported(tits: StandIn) -> None:
    [taxon] = _taxa(tits, "Q9990011")
    assert (taxon.concept, taxon.gbif_key, taxon.name) == ("Q9990011", "", "Cyanistes mortuus")
    assert taxon.reason == "GBIF has no key 9999999"


def test_an_item_without_a_key_gets_its_lineage_from_its_parents(tits: StandIn) -> None:
    fossil, genus = _taxa(tits, "Q9990007", "Q9990009")
    assert (fossil.name, fossil.rank, fossil.gbif_key) == ("Cyanistes fossilis", "species", "")
    assert fossil.lineage == (
        *genus.lineage,
        Ancestor("genus", "Cyanistes", "9990003"),
        Ancestor("tribe", "Cyanistini"),
    )
    assert is_ancestor(genus, fossil)
    assert not is_ancestor(fossil, genus)


def test_a_species_unknown_to_gbif_falls_back_to_its_genus_visibly(tits: StandIn) -> None:
    [taxon] = _taxa(tits, "Cyanistes novus")
    assert (taxon.match_type, taxon.concept, taxon.rank) == ("HIGHERRANK", "Q9990009", "genus")
    assert taxon.reason == "only the genus Cyanistes above it is known"


def test_a_misspelling_keeps_its_match_type_and_confidence(tits: StandIn) -> None:
    [taxon] = _taxa(tits, "Cyanistes caerulus")
    assert (taxon.match_type, taxon.concept, taxon.reason) == ("FUZZY", "Q9990001", "spelt Cyanistes caeruleus")
    assert 80 <= taxon.confidence < 98


def test_a_homonym_is_a_tie_and_goes_no_further(tits: StandIn) -> None:
    [taxon] = _taxa(tits, "Oenanthe")
    assert (taxon.match_type, taxon.concept, taxon.name) == ("NONE", "", "")
    assert taxon.reason == (
        "tie: Oenanthe Vieillot, 1816 (Animalia, gbif:9990005), Oenanthe L. (Plantae, gbif:9990006)"
    )
    assert tits.requests.count("/worms/") == 0


def test_an_item_is_found_by_name_when_none_has_the_key(tits: StandIn) -> None:
    [taxon] = _taxa(tits, "Parus major Linnaeus, 1758")
    assert (taxon.item, taxon.gbif_key) == ("Q9990003", "9990004")


def test_an_item_of_the_same_name_in_another_kingdom_is_not_linked() -> None:
    plant = _item(9990051, "Parus major", P171="Q9990052")
    kingdom = _item(9990052, "Plantae", P105="Q36732")
    bird = next(item for item in TITS.items if item.id == "Q9990003")
    with StandIn(World(usages=TITS.usages, items=(plant, kingdom))) as standin:
        [alone] = _taxa(standin, "Parus major")
    with StandIn(World(usages=TITS.usages, items=(plant, kingdom, bird))) as standin:
        [beside] = _taxa(standin, "Parus major")
    assert (alone.concept, alone.item) == ("gbif:9990004", "")
    assert beside.item == "Q9990003"


def test_of_two_items_with_the_key_the_one_in_another_kingdom_is_left_out() -> None:
    plant = _item(9990053, "Sitta europaea", P846="9990009", P171="Q9990052")
    kingdom = _item(9990052, "Plantae", P105="Q36732")
    with StandIn(replace(TITS, items=(plant, kingdom, *TITS.items))) as standin:
        [taxon] = _taxa(standin, "Sitta europaea")
    assert taxon.item == "Q9990013"


def test_an_item_with_the_key_among_others_is_linked_only_if_it_has_the_name(tits: StandIn) -> None:
    [other] = _taxa(tits, "Parus major")
    assert other.item != "Q9990010"  # which has this key and another, and is called Cyanistes duplex


def test_two_items_with_the_key_are_not_chosen_between(tits: StandIn) -> None:
    [taxon] = _taxa(tits, "Parus ater")
    assert (taxon.concept, taxon.item, taxon.gbif_key) == ("gbif:9990007", "", "9990007")
    assert taxon.reason == "not linked, tie of items: Q9990004, Q9990005"


def test_an_index_answers_in_place_of_gbif(tits: StandIn, tmp_path: Path) -> None:
    columns = ("usageKey", "acceptedUsageKey", "scientificName", "canonicalName", "rank", "status", "kingdom", "genus")
    rows = [
        ("1", "", "Animalia", "Animalia", "KINGDOM", "ACCEPTED", "Animalia", ""),
        ("6", "", "Plantae", "Plantae", "KINGDOM", "ACCEPTED", "Plantae", ""),
        (
            "9990001",
            "",
            "Cyanistes caeruleus (Linnaeus, 1758)",
            "Cyanistes caeruleus",
            "SPECIES",
            "ACCEPTED",
            "Animalia",
            "",
        ),
        (
            "9990002",
            "9990001",
            "Parus caeruleus Linnaeus, 1758",
            "Parus caeruleus",
            "SPECIES",
            "SYNONYM",
            "Animalia",
            "",
        ),
        ("9990005", "", "Oenanthe Vieillot, 1816", "Oenanthe", "GENUS", "ACCEPTED", "Animalia", ""),
        ("9990006", "", "Oenanthe L.", "Oenanthe", "GENUS", "ACCEPTED", "Plantae", ""),
    ]
    (tmp_path / "a.tsv").write_text("".join("\t".join(row) + "\n" for row in (columns, *rows)))
    build_index([open_source(tmp_path / "a.tsv")], tmp_path / "a.index")
    with open_index(tmp_path / "a.index") as index, _sources(tits) as sources:
        asked = ["Parus caeruleus", "Oenanthe", "Parus major", "pimpelmees"]
        answers = list(resolve(asked, replace(sources, index=index), moment=MOMENT))
    tit, homonym, other, vernacular = [answer for answer in answers if isinstance(answer, Taxon)]
    assert (tit.concept, tit.gbif_key, tit.status, tit.source) == ("Q9990001", "9990001", "SYNONYM", "index")
    assert homonym.reason.startswith("homonym")
    assert (other.source, other.item) == ("gbif", "Q9990003")
    assert vernacular.concept == "Q9990001"
    assert tits.requests.count("/gbif/v1/species/match", name="Parus caeruleus") == 0
    assert tits.requests.count("/worms/", name="Oenanthe") == 0


def test_a_vernacular_of_two_taxa_is_a_tie(tits: StandIn) -> None:
    [taxon] = _taxa(tits, "Mees")
    assert (taxon.match_type, taxon.reason) == ("NONE", "tie: Q9990004 (Parus ater), Q9990005 (Periparus ater)")


def test_a_scientific_name_that_only_wikidata_has_is_exact(tits: StandIn) -> None:
    [taxon] = _taxa(tits, "Cyanistes fossilis")
    assert (taxon.match_type, taxon.concept) == ("HIGHERRANK", "Q9990009")  # GBIF speaks first: it knows the genus
    [tribe] = _taxa(tits, "cyanistini")
    assert (tribe.match_type, tribe.source, tribe.concept, tribe.rank) == ("EXACT", "wikidata", "Q9990008", "tribe")


def test_worms_knows_names_that_gbif_does_not(tits: StandIn) -> None:
    cod, cone = _taxa(tits, "Asellus major", "Conus fictus")
    assert (cod.concept, cod.gbif_key, cod.aphia_id) == ("Q9990012", "9990008", "9990032")
    assert (cod.name, cod.matched_name, cod.status, cod.source) == (
        "Gadus morhua",
        "Asellus major",
        "SYNONYM",
        "worms",
    )
    assert cod.reason == "Asellus major is a synonym of Gadus morhua"
    assert (cone.concept, cone.gbif_key, cone.aphia_id) == ("aphia:9990033", "", "9990033")
    assert (cone.name, cone.authorship, cone.checklist_key) == ("Conus fictus", "Nemo, 1900", "")
    assert cone.lineage[-2:] == (Ancestor("family", "Conidae"), Ancestor("genus", "Conus"))


def test_nothing_found_says_so(tits: StandIn) -> None:
    nothing, empty = _taxa(tits, "Xyzzyx plughus", "")
    assert (nothing.match_type, nothing.concept, nothing.reason) == ("NONE", "", "not found")
    assert (empty.match_type, empty.query) == ("NONE", "")


def test_a_service_that_is_down_fails_its_names_and_no_others(tits: StandIn) -> None:
    tits.faults.next("/gbif/v1/species/match", UNAVAILABLE, times=TRIES)
    failed, fine = _answers(tits, ["Parus major", "Cyanistes caeruleus"])
    assert isinstance(failed, Failure)
    assert (failed.subject, failed.reason) == ("Parus major", "service unreachable")
    assert isinstance(fine, Taxon)
    assert fine.concept == "Q9990001"


@pytest.mark.parametrize("path", ["/worms/", "/wikidata/"])
def test_down_is_never_nothing_found(tits: StandIn, path: str) -> None:
    tits.faults.next(path, HTML_PAGE, times=50)
    [answer] = _answers(tits, ["pimpelmees"])
    assert isinstance(answer, Failure)
    assert answer.reason == "service unreachable"


def test_wikidata_down_fails_the_whole_batch_of_items(tits: StandIn) -> None:
    tits.faults.next("/wikidata/", UNAVAILABLE, times=TRIES)
    answers = _answers(tits, ["Q9990001", "Q9990003"])
    assert {type(answer) for answer in answers} == {Failure}
    assert len({answer.id for answer in answers if isinstance(answer, Failure)}) == 2
    assert tits.requests.count("/wikidata/") == TRIES


def test_wikidata_down_fails_a_name_that_gbif_knows(tits: StandIn) -> None:
    tits.faults.next("/wikidata/", UNAVAILABLE, times=TRIES)
    [answer] = _answers(tits, ["Parus major"])
    assert isinstance(answer, Failure)
    assert answer.reason == "service unreachable"


def test_one_refused_item_spoils_no_other() -> None:
    error = {"error": {"code": "no-such-entity", "info": "Could not find an entity", "id": "Q9990003"}}
    asked = {"action": "wbgetentities", "props": "info|labels|aliases|claims", "languages": "nl|en|mul"}
    refusals = tuple(
        Recorded(
            path="/wikidata/w/api.php",
            params=asked | {"ids": ids, "maxlag": "5", "format": "json"},
            body=json.dumps(error).encode(),
        )
        for ids in ("Q9990001|Q9990003", "Q9990003")
    )
    with StandIn(replace(TITS, recorded=refusals)) as standin:
        fine, refused = _answers(standin, ["Q9990001", "Q9990003"])
    assert isinstance(fine, Taxon)
    assert fine.concept == "Q9990001"
    assert isinstance(refused, Failure)
    assert (refused.subject, refused.reason) == ("Q9990003", "service refused")


def test_a_name_that_worms_refuses_spoils_no_other() -> None:
    refusal = Recorded(
        path="/worms/AphiaRecordsByMatchNames",
        params={"scientificnames[]": "Odd name?", "marine_only": "false"},  # the last of a list stands for it here
        body=b"Bad request",
        status=400,
    )
    with StandIn(replace(TITS, recorded=(refusal,))) as standin:
        cone, odd = _taxa(standin, "Conus fictus", "odd name?")
        assert standin.requests.count("/worms/") == 3  # together, then one by one
    assert cone.concept == "aphia:9990033"
    assert (odd.match_type, odd.reason) == ("NONE", "not found")


def test_an_aphia_name_that_is_another_kingdoms_in_gbif_keeps_to_worms() -> None:
    plant = _usage(9990040, "Conus fictus", higher=PLANTS, status="DOUBTFUL")
    record = dict(TITS.aphia[0]) | {"scientificname": "Conulus fictus", "valid_name": "Conus fictus"}
    with StandIn(World(usages=(plant,), aphia=(record,))) as standin:
        [taxon] = _taxa(standin, "Conulus fictus")
    assert (taxon.concept, taxon.gbif_key, taxon.name) == ("aphia:9990032", "", "Conus fictus")


def test_two_accepted_names_in_worms_are_a_tie() -> None:
    records = tuple(dict(TITS.aphia[1]) | {"AphiaID": number, "valid_AphiaID": number} for number in (9990033, 9990034))
    with StandIn(World(aphia=records)) as standin:
        [taxon] = _taxa(standin, "Conus fictus")
    assert (taxon.match_type, taxon.source) == ("NONE", "worms")
    assert taxon.reason == "tie: Conus fictus Nemo, 1900 (aphia:9990033), Conus fictus Nemo, 1900 (aphia:9990034)"


def test_an_item_of_a_synonym_stays_itself_where_the_accepted_taxon_has_no_item_of_its_own() -> None:
    items = tuple(item for item in TITS.items if item.id == "Q9990002")
    with StandIn(World(usages=TITS.usages, items=items)) as standin:
        [taxon] = _taxa(standin, "Q9990002")
    assert (taxon.concept, taxon.gbif_key, taxon.status) == ("Q9990002", "9990001", "SYNONYM")


def test_a_dead_service_is_soon_left_alone(tits: StandIn) -> None:
    tits.faults.next("/gbif/", UNAVAILABLE, times=1000)
    answers = _answers(tits, [f"Parus novus{letter}" for letter in "abcdefghij"])
    assert len([answer for answer in answers if isinstance(answer, Failure)]) == 10
    assert tits.requests.count("/gbif/") == PATIENCE * TRIES


def test_without_a_contact_no_public_service_is_asked() -> None:
    settings = Settings(contact="")
    with Client(settings) as client, pytest.raises(ContactRequiredError):
        list(resolve(["Q140"], Sources(client, settings), moment=MOMENT))


def _col_answer(status: str) -> Recorded:
    """Return an answer of the Catalogue of Life in the recorded shape; its ids are made up."""
    asked = {"scientificName": "Sitta europaea Linnaeus, 1758", "checklistKey": COL_XR, "verbose": "false"}
    usage = {"key": "9990X", "name": "Sitta europaea Linnaeus, 1758", "canonicalName": "Sitta europaea"}
    told = {
        "usage": usage | {"authorship": "Linnaeus, 1758", "rank": "SPECIES", "status": status},
        "classification": [{"key": "N", "name": "Animalia", "rank": "KINGDOM"}],
        "diagnostics": {"matchType": "EXACT", "confidence": 98},
        "synonym": status == "SYNONYM",
    }
    return Recorded(
        path="/gbif/v2/species/match",
        params=asked | {"taxonRank": "SPECIES", "kingdom": "Animalia"},
        body=json.dumps(told).encode(),
    )


@pytest.mark.parametrize(("status", "of_gbif"), [("ACCEPTED", "9990X"), ("SYNONYM", "")])
def test_the_col_id_is_carried_over_only_when_exact_and_accepted(status: str, of_gbif: str) -> None:
    world = World(usages=TITS.usages, recorded=(_col_answer(status),))  # without items: nobody else tells a COL id
    with StandIn(world) as standin:
        [taxon] = _taxa(standin, "Sitta europaea")
    assert (taxon.concept, taxon.col_id) == ("gbif:9990009", of_gbif)


def test_a_col_id_that_only_wikidata_has_is_taken(tits: StandIn) -> None:
    [taxon] = _taxa(tits, "Sitta europaea")
    assert (taxon.item, taxon.col_id) == ("Q9990013", "9990X")


@pytest.mark.skipif(not DATA.is_dir(), reason="the recorded plates of the heritage library are not on this machine")
def test_every_taxon_of_the_heritage_plates_is_linked_and_two_keys_are_reported() -> None:
    rows = json.loads((DATA / "commons/bhl-depicts.srj").read_text())["results"]["bindings"]
    keys: dict[str, set[str]] = {}
    for row in rows:
        keys.setdefault(row["taxon"]["value"].rsplit("/", 1)[1], set()).add(row["gbif_id"]["value"])
    assert len(keys) == 1103
    with StandIn(bhl_world(DATA / "commons/bhl-depicts.srj", DATA / "gbif/parents-recorded.json")) as standin:
        taxa = _taxa(standin, *keys)
        assert standin.requests.count("/wikidata/") == 23  # 1,103 items, 50 a request
    assert [taxon.item for taxon in taxa] == list(keys)
    assert {taxon.concept for taxon in taxa} == set(keys)
    ambiguous = {taxon.item: taxon for taxon in taxa if not taxon.gbif_key}
    assert set(ambiguous) == {"Q3053115", "Q1304212", "Q14923165", "Q6421871"}
    for taxon in taxa:
        if taxon.item in ambiguous:
            assert f"two GBIF keys: {', '.join(sorted(keys[taxon.item], key=int))}" in taxon.reason
        else:
            assert {taxon.gbif_key} == keys[taxon.item]
            assert taxon.reason == ""
