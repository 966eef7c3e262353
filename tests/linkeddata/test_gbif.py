"""GBIF's answers, parsed: every recorded match of both versions, and the oddities among them."""

import json
from pathlib import Path
from typing import Any

import pytest

from linkeddata.errors import ServiceError
from linkeddata.gbif import Match, authorship_of, parse_match_v1, parse_match_v2, parse_usage
from linkeddata.ids import COL_XR, GBIF_BACKBONE
from linkeddata.records import Ancestor

RECORDED = Path(__file__).resolve().parents[2] / "../shared/data/gbif"
needs_recordings = pytest.mark.skipif(
    not RECORDED.is_dir(), reason="the recorded answers of GBIF are not on this machine"
)

CYNTHIA = {
    "usageKey": 9990002,  # made up
    "acceptedUsageKey": 9990001,  # made up
    "scientificName": "Cynthia cardui (Linnaeus, 1758)",
    "canonicalName": "Cynthia cardui",
    "rank": "SPECIES",
    "status": "SYNONYM",
    "confidence": 98,
    "matchType": "EXACT",
    "kingdom": "Animalia",
    "kingdomKey": 1,
    "genus": "Vanessa",
    "genusKey": 9990003,
    "species": "Vanessa cardui",
    "speciesKey": 9990001,
    "synonym": True,
}


def test_a_synonym_leads_to_its_accepted_key_and_its_lineage_stops_above_it() -> None:
    usage = parse_match_v1(CYNTHIA).usage
    assert usage is not None
    assert (usage.key, usage.accepted_key, usage.status) == ("9990002", "9990001", "SYNONYM")
    assert (usage.name, usage.authorship) == ("Cynthia cardui", "(Linnaeus, 1758)")
    assert usage.lineage == (Ancestor("kingdom", "Animalia", "1"), Ancestor("genus", "Vanessa", "9990003"))
    assert usage.checklist_key == GBIF_BACKBONE


@pytest.mark.parametrize("payload", [None, [], "<html>", 7])
def test_what_is_no_object_is_refused(payload: Any) -> None:
    with pytest.raises(ServiceError, match="where an object is due"):
        parse_match_v1(payload)
    with pytest.raises(ServiceError):
        parse_match_v2(payload)
    with pytest.raises(ServiceError):
        parse_usage(payload)


def test_a_usage_without_a_key_is_refused() -> None:
    with pytest.raises(ServiceError, match="without a key"):
        parse_usage({"scientificName": "Aves"})


@pytest.mark.parametrize(
    ("scientific", "canonical", "authorship"),
    [
        ("Parus caeruleus Linnaeus, 1758", "Parus caeruleus", "Linnaeus, 1758"),
        ("Zea mays var. hirta (Bonaf.) Alef.", "Zea mays hirta", "(Bonaf.) Alef."),
        ("Aves", "Aves", ""),
        ("BOLD:AAX3687", "", ""),
        ("? schraetser Linnaeus, 1758", "Linnaeus", ""),
    ],
)
def test_authorship(scientific: str, canonical: str, authorship: str) -> None:
    assert authorship_of(scientific, canonical) == authorship


def _recorded_v1() -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((RECORDED / "match-v1-recorded").glob("*.json"))]


def _recorded(part: str) -> list[tuple[str, Any]]:
    rows = [json.loads(line) for line in (RECORDED / "api-recorded.jsonl").read_text().splitlines()]
    return [(row["uri"], row["json"]) for row in rows if part in row["uri"] and row["json"] is not None]


def _check_against_source(match: Match, given: dict[str, Any]) -> None:
    assert match.match_type == given.get("matchType", "")
    assert match.confidence == given["confidence"]
    assert (match.usage is None) == ("usageKey" not in given)
    if match.usage is None:
        return
    usage = match.usage
    assert usage.key == str(given["usageKey"])
    assert usage.accepted_key == str(given.get("acceptedUsageKey", ""))
    assert (usage.status == "SYNONYM") == given["synonym"]
    assert usage.name
    assert usage.scientific_name == given["scientificName"]
    assert usage.key not in {step.gbif_key for step in usage.lineage}
    for step in usage.lineage:
        assert (step.name, step.gbif_key) == (given.get(step.rank, ""), str(given[f"{step.rank}Key"]))


@needs_recordings
def test_every_recorded_match_of_version_1_keeps_what_it_said() -> None:
    answers = _recorded_v1()
    assert len(answers) == 298
    for given in answers:
        match = parse_match_v1(given)
        _check_against_source(match, given)
        assert len(match.alternatives) == len(given.get("alternatives", ()))
        for alternative, other in zip(match.alternatives, given.get("alternatives", ()), strict=True):
            _check_against_source(alternative, other)


@needs_recordings
def test_recorded_matches_of_version_2() -> None:
    answers = {uri.split("match?")[1]: payload for uri, payload in _recorded("/v2/species/match")}
    assert len(answers) == 8
    sunflower = parse_match_v2(answers["scientificName=Helianthus+annuus&taxonRank=species&verbose=TRUE"])
    assert sunflower.usage is not None
    assert (sunflower.match_type, sunflower.usage.key, sunflower.usage.status) == ("EXACT", "9206251", "ACCEPTED")
    assert sunflower.usage.lineage[-1] == Ancestor("genus", "Helianthus", "3119134")
    assert {other.match_type for other in sunflower.alternatives} == {"FUZZY"}  # VARIANT in version 2
    moss = parse_match_v2(answers["scientificName=Anastrophyllum+minutum&verbose=FALSE"])
    assert moss.usage is not None
    assert moss.accepted is not None
    assert (moss.usage.status, moss.usage.accepted_key) == ("SYNONYM", moss.accepted.key)
    assert (moss.accepted.name, moss.accepted.status) == ("Sphenolobus minutus", "ACCEPTED")
    birds = f"scientificName=Aves&verbose=FALSE&checklistKey={COL_XR}"
    aves = parse_match_v2(answers[birds], checklist_key=COL_XR)
    assert aves.usage is not None
    assert (aves.usage.key, aves.usage.checklist_key, aves.match_type) == ("V2", COL_XR, "HIGHERRANK")
    none = parse_match_v2(answers["scientificName=Calopteryx&taxonRank=GENUS&verbose=FALSE"])
    assert (none.match_type, none.usage, none.note) == ("NONE", None, "Multiple equal matches for Calopteryx")


@needs_recordings
def test_recorded_usages_and_synonyms() -> None:
    usages = [parse_usage(row) for _, payload in _recorded("/synonyms") for row in payload["results"]]
    assert usages
    assert {usage.status for usage in usages} == {"SYNONYM"}
    sparrow = next(usage for usage in usages if usage.key == "8933000")
    assert (sparrow.name, sparrow.accepted_key, sparrow.authorship) == (
        "Fringilla domestica",
        "5231190",
        "Linnaeus, 1758",
    )
    assert sparrow.lineage[-1] == Ancestor("genus", "Passer", "2492321")
    kingdom = next(parse_usage(row) for _, payload in _recorded("/v1/species?") for row in payload["results"][1:2])
    assert (kingdom.key, kingdom.name, kingdom.rank, kingdom.lineage) == ("1", "Animalia", "kingdom", ())
