"""WoRMS' answers, parsed."""

import json
from pathlib import Path
from typing import Any

import pytest

from linkeddata.errors import ServiceError
from linkeddata.records import Ancestor
from linkeddata.worms import parse_matches, parse_record

RECORDED = Path(__file__).resolve().parents[2] / "../shared/data/worms/api-recorded.jsonl"
needs_recordings = pytest.mark.skipif(
    not RECORDED.is_file(), reason="the recorded answers of WoRMS are not on this machine"
)


def _records(payload: Any) -> list[dict[str, Any]]:
    if isinstance(payload, list):
        return [record for part in payload for record in _records(part)]
    return [payload] if isinstance(payload, dict) and "AphiaID" in payload and "valid_AphiaID" in payload else []


def _recorded() -> list[tuple[str, Any]]:
    rows = [json.loads(line) for line in RECORDED.read_text().splitlines()]
    return [(row["uri"], row["json"]) for row in rows]


def test_nothing_is_204() -> None:
    assert parse_matches(None, 3) == [(), (), ()]


def test_lists_that_cannot_be_told_apart_are_refused() -> None:
    with pytest.raises(ServiceError, match="one list for each of 2 names"):
        parse_matches([[]], 2)
    with pytest.raises(ServiceError):
        parse_matches({"message": "error"}, 1)
    with pytest.raises(ServiceError, match="without AphiaID"):
        parse_matches([[{"scientificname": "Conus"}]], 1)


@pytest.mark.parametrize(
    ("said", "meant"), [("exact", "EXACT"), ("like", "EXACT"), ("near_1", "FUZZY"), ("near_3", ""), (None, "")]
)
def test_match_types(said: str | None, meant: str) -> None:
    record = parse_record({"AphiaID": 9990001, "scientificname": "Conus fictus", "match_type": said})  # made up
    assert record.match_type == meant
    assert (record.valid_id, record.lineage) == ("", ())


@needs_recordings
def test_every_recorded_record_keeps_what_it_said() -> None:
    given = [record for _, payload in _recorded() for record in _records(payload)]
    assert len(given) > 100
    for one in given:
        record = parse_record(one)
        assert record.aphia_id == str(one["AphiaID"])
        assert record.valid_id == ("" if one["valid_AphiaID"] is None else str(one["valid_AphiaID"]))
        assert record.rank == one["rank"].lower()
        assert (record.status == "ACCEPTED") == (one["status"] == "accepted")
        assert all(step.name == one[step.rank] for step in record.lineage)
        assert record.rank not in {step.rank for step in record.lineage}


@needs_recordings
def test_a_recorded_answer_to_a_list_of_names() -> None:
    payload = next(payload for uri, payload in _recorded() if "AphiaRecordsByNames" in uri)
    [[record]] = parse_matches(payload, 1)
    assert (record.name, record.valid_name, record.valid_id) == (
        "Coryphaena immaculata",
        "Coryphaena hippurus",
        "126846",
    )
    assert (record.status, record.match_type) == ("SYNONYM", "EXACT")
    assert record.lineage[-1] == Ancestor("genus", "Coryphaena")
