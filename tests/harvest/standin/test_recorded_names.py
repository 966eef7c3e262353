"""GBIF and WoRMS in the stand-in: asked what was asked then, do they answer in the recorded shape, with its values?"""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from harvest.standin.gbif import Names, match_v1, parsed
from harvest.standin.index import Index
from harvest.standin.recorded import aphia_records, backbone_usages, exchanges
from harvest.standin.server import StandIn
from harvest.standin.world import Usage, World
from linkeddata.ids import COL_XR, GBIF_BACKBONE

NOTES = {"note", "alternatives", "confidence"}  # how sure GBIF was, and what else it considered

PAINTED_LADY = Usage(
    key=4299368,
    scientific_name="Vanessa cardui (Linnaeus, 1758)",
    canonical_name="Vanessa cardui",
    authorship="(Linnaeus, 1758)",
    rank="SPECIES",
    higher=(("KINGDOM", "Animalia", 1), ("GENUS", "Vanessa", 1898261), ("SPECIES", "Vanessa cardui", 4299368)),
    vernaculars=(("nld", "distelvlinder"),),
)
OLD_NAME = Usage(
    key=5129588,
    scientific_name="Cynthia cardui",
    canonical_name="Cynthia cardui",
    rank="SPECIES",
    status="SYNONYM",
    accepted=4299368,
    higher=PAINTED_LADY.higher,
)
GENUS = Usage(
    key=1898261,
    scientific_name="Vanessa Fabricius, 1807",
    canonical_name="Vanessa",
    rank="GENUS",
    higher=PAINTED_LADY.higher[:2],
)


@pytest.fixture(scope="module")
def names() -> Names:
    return Names(Index(World(usages=(PAINTED_LADY, OLD_NAME, GENUS))))


@pytest.mark.parametrize(
    ("name", "key", "kind"),
    [
        ("Vanessa cardui", 4299368, "EXACT"),
        ("Vanessa  cardui (Linnaeus, 1758)", 4299368, "EXACT"),
        ("vanessa cardui", 4299368, "EXACT"),
        ("Vanesa cardui", 4299368, "FUZZY"),
        ("Vanessa cadrui", 4299368, "FUZZY"),
        ("Cynthia cardui", 5129588, "EXACT"),
        ("Vanessa neverseen", 1898261, "HIGHERRANK"),
        ("Vanessa", 1898261, "EXACT"),
        ("Vanesa", None, "NONE"),  # one word is never matched with a letter wrong
        ("distelvlinder", None, "NONE"),
        ("", None, "NONE"),
    ],
)
def test_match(names: Names, name: str, key: int | None, kind: str) -> None:
    found = match_v1(names, {"name": name})
    assert (found.get("usageKey"), found["matchType"]) == (key, kind)


def test_match_minds_classification_and_author(names: Names) -> None:
    assert match_v1(names, {"name": "Vanessa cardui", "kingdom": "Plantae"})["matchType"] == "NONE"
    assert match_v1(names, {"name": "Vanessa neverseen", "strict": "true"})["matchType"] == "NONE"
    plain = match_v1(names, {"name": "Vanessa cardui"})["confidence"]
    assert match_v1(names, {"name": "Vanessa cardui (Linnaeus, 1758)"})["confidence"] > plain
    assert match_v1(names, {"name": "Vanessa cardui Fabricius, 1775"})["confidence"] < plain


def test_a_synonym_leads_to_its_accepted_name(names: Names) -> None:
    found = match_v1(names, {"name": "Cynthia cardui"})
    assert (found["status"], found["synonym"], found["acceptedUsageKey"]) == ("SYNONYM", True, 4299368)
    assert (found["genus"], found["speciesKey"]) == ("Vanessa", 4299368)


def test_equal_names_are_not_decided_between() -> None:
    twins = (PAINTED_LADY, Usage(key=7, scientific_name="x", canonical_name="Vanessa cardui", rank="SPECIES"))
    found = match_v1(Names(Index(World(usages=twins))), {"name": "Vanessa cardui", "verbose": "true"})
    assert (found["matchType"], found["note"]) == ("NONE", "Multiple equal matches for Vanessa cardui")
    assert {a["usageKey"] for a in found["alternatives"]} == {4299368, 7}


def test_parsed_names() -> None:
    assert parsed("Papilio machaon var. aliaska Scudder, 1869") == ("Papilio machaon aliaska", "Scudder, 1869")
    assert parsed("  ") == ("", "")


def test_matches_as_the_backbone_did(recordings: Path) -> None:
    """Asked with name, rank and classification, the excerpt gives the recorded usage with the recorded fields."""
    excerpt = Names(Index(World(usages=tuple(backbone_usages(recordings / "gbif/backbone-excerpt.tsv")))))
    outcome: Counter[str] = Counter()
    for path in sorted((recordings / "gbif/match-v1-recorded").glob("*.json")):
        real = json.loads(path.read_text(encoding="utf-8"))
        if real.get("matchType") != "EXACT" or "status" not in real:
            continue
        higher = {rank: real[rank] for rank in ("kingdom", "phylum", "order", "family") if rank in real}
        ours = match_v1(excerpt, {"name": real["scientificName"], "rank": real["rank"], **higher})
        if ours.get("usageKey") != real["usageKey"]:
            outcome["other usage"] += 1
            continue
        fields = (real.keys() | ours.keys()) - NOTES - {"acceptedUsageKey"}  # which old answers do not tell
        outcome["same" if all(real.get(f) == ours.get(f) for f in fields) else "other fields"] += 1
    assert outcome["same"] >= 225
    assert outcome["other usage"] + outcome["other fields"] <= 10


def test_v2_has_the_recorded_shape(recordings: Path, stand_in: Callable[[World], StandIn]) -> None:
    recorded = {(r.path, r.params["scientificName"]): r for r in _v2(recordings)}
    synonym = json.loads(recorded["/gbif/v2/species/match", "Anastrophyllum minutum"].body)
    higher = tuple((s["rank"], s["name"], int(s["key"])) for s in synonym["classification"])
    usages = tuple(_usage(synonym[part], higher, synonym) for part in ("usage", "acceptedUsage"))
    standin = stand_in(World(usages=usages))
    ours = _get(standin, "/gbif/v2/species/match", scientificName="Anastrophyllum minutum", checklistKey=GBIF_BACKBONE)
    assert ours["classification"] == synonym["classification"]
    assert ours["synonym"] is synonym["synonym"] is True
    for part in ("usage", "acceptedUsage"):
        assert ours[part] == {k: v for k, v in synonym[part].items() if k != "code"}
    assert synonym["diagnostics"].keys() == ours["diagnostics"].keys()
    nothing = json.loads(recorded["/gbif/v2/species/match", "Calopteryx fakeus"].body)
    none = _get(standin, "/gbif/v2/species/match", scientificName="Calopteryx fakeus", checklistKey=GBIF_BACKBONE)
    assert none.keys() == nothing.keys()
    assert none["diagnostics"].keys() == nothing["diagnostics"].keys()


def test_v2_knows_no_ids_of_the_catalogue_of_life(stand_in: Callable[[World], StandIn]) -> None:
    standin = stand_in(World(usages=(PAINTED_LADY,)))
    asked = {"scientificName": "Vanessa cardui"}
    assert _get(standin, "/gbif/v2/species/match", **asked)["diagnostics"]["matchType"] == "NONE"
    assert _get(standin, "/gbif/v2/species/match", checklistKey=COL_XR, **asked)["diagnostics"]["matchType"] == "NONE"
    carried = _get(standin, "/gbif/v2/species/match", scientificNameID="gbif:4299368", checklistKey=GBIF_BACKBONE)
    assert carried["usage"]["key"] == "4299368"


def test_usages_by_key(recordings: Path, stand_in: Callable[[World], StandIn]) -> None:
    standin = stand_in(World(usages=(PAINTED_LADY, OLD_NAME, GENUS)))
    recorded = list(exchanges(recordings / "gbif/api-recorded.jsonl", "/gbif"))
    listed = next(json.loads(r.body)["results"] for r in recorded if r.path == "/gbif/v1/species")
    synonyms = next(json.loads(r.body)["results"] for r in recorded if r.path.endswith("/synonyms"))
    known = {key for row in (*listed, *synonyms) for key in row}
    one = _get(standin, "/gbif/v1/species/4299368")
    old = _get(standin, "/gbif/v1/species/5129588")
    assert one.keys() - known == {"synonym"}  # single usages say it, rows of lists do not
    assert (old["acceptedKey"], old["accepted"]) == (4299368, "Vanessa cardui (Linnaeus, 1758)")
    assert one["parent"] == "Vanessa"
    assert [u["key"] for u in _get(standin, "/gbif/v1/species/4299368/synonyms")["results"]] == [5129588]
    assert [u["key"] for u in _get(standin, "/gbif/v1/species/4299368/parents")] == [1898261]
    assert _get(standin, "/gbif/v1/species/search", q="Distelvlinder", qField="VERNACULAR")["count"] == 1


def test_an_unknown_key_is_answered_as_recorded(recordings: Path, stand_in: Callable[[World], StandIn]) -> None:
    recorded = next(r for r in exchanges(recordings / "gbif/api-recorded.jsonl", "/gbif") if r.status == 404)
    answer = requests.get(stand_in(World()).url + "/gbif/v1/species/42", timeout=10)
    assert answer.status_code == 404
    assert answer.json().keys() == json.loads(recorded.body).keys()


def test_recorded_exchanges_are_replayed(recordings: Path, stand_in: Callable[[World], StandIn]) -> None:
    kept = tuple(exchanges(recordings / "gbif/api-recorded.jsonl", "/gbif"))
    standin = stand_in(World(recorded=kept))
    for one in kept:
        answer = requests.get(standin.url + one.path, params=one.params, timeout=10)
        assert (answer.status_code, answer.json()) == (one.status, json.loads(one.body))


WORMS_METHODS = ("AphiaIDByName", "AphiaNameByAphiaID", "AphiaRecordsByAphiaIDs", "AphiaRecordsByNames")


def test_worms_answers_as_recorded(recordings: Path, stand_in: Callable[[World], StandIn]) -> None:
    """The records are the recorded ones; which of them are given to which question is the stand-in's doing."""
    path = recordings / "worms/api-recorded.jsonl"
    standin = stand_in(World(aphia=tuple(aphia_records(path))))
    known = {r["scientificname"] for r in standin.world.aphia}
    asked = 0
    for line in path.read_text(encoding="utf-8").splitlines():
        exchange = json.loads(line)
        parts = urlsplit(exchange["uri"])
        method, _, subject = parts.path.removeprefix("/rest/").partition("/")
        whole = method == "AphiaRecordsByName" and "like=false" in parts.query
        if (method in WORMS_METHODS or whole) and (method != "AphiaIDByName" or subject.replace("%20", " ") in known):
            url = f"{standin.url}/worms/{method}/{subject}".rstrip("/")
            query = [*parse_qsl(parts.query), *([("marine_only", "false")] if "marine_only" not in parts.query else [])]
            ours = requests.get(url, params=query, timeout=10)
            assert ours.json() == exchange["json"], exchange["uri"]
            asked += 1
    assert asked >= 8


def test_worms_says_nothing_with_204(stand_in: Callable[[World], StandIn]) -> None:
    record = {"AphiaID": 5, "scientificname": "Gadus morhua", "authority": "Linnaeus, 1758", "isMarine": 1}
    standin = stand_in(World(aphia=(record | {"valid_AphiaID": 5, "rank": "Species"},)))
    url = f"{standin.url}/worms/AphiaRecordsByMatchNames"
    names = {"scientificnames[]": ["Gadus morhua Linnaeus, 1758", "Vanessa cardui"], "marine_only": "false"}
    found = requests.get(url, params=names, timeout=10)
    assert [[r["AphiaID"] for r in row] for row in found.json()] == [[5], []]
    near = requests.get(url, params={"scientificnames[]": "Gadus morrhua"}, timeout=10)
    assert [r["match_type"] for r in near.json()[0]] == ["near_1"]
    nothing = requests.get(url, params={"scientificnames[]": "Vanessa cardui"}, timeout=10)
    assert (nothing.status_code, nothing.content) == (204, b"")
    too_many = requests.get(url, params={"scientificnames[]": ["x"] * 51}, timeout=10)
    assert too_many.status_code == 400


def _v2(recordings: Path) -> list[Any]:
    every = exchanges(recordings / "gbif/api-recorded.jsonl", "/gbif")
    return [r for r in every if "/v2/" in r.path]


def _usage(told: dict[str, str], higher: tuple[tuple[str, str, int], ...], match: dict[str, Any]) -> Usage:
    return Usage(
        key=int(told["key"]),
        scientific_name=told["name"],
        canonical_name=told["canonicalName"],
        authorship=told["authorship"],
        rank=told["rank"],
        status=told.get("status", "ACCEPTED"),
        accepted=int(match["acceptedUsage"]["key"]) if told.get("status") == "SYNONYM" else 0,
        higher=higher,
    )


def _get(standin: StandIn, path: str, **params: str) -> Any:
    return requests.get(standin.url + path, params=params, timeout=10).json()
