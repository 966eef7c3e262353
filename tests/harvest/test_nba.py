"""Documents of the Netherlands Biodiversity API: how they come, what they say, and every recorded one."""

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

from harvest.nba import harvest_nba
from harvest.records import Harvested
from linkeddata.errors import UsageError
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import Agent, CampaignFile, Failure, MediaFile, Tag

PEOPLE = Pseudonyms("a key for tests")
SPECIMEN: dict[str, Any] = {
    "sourceSystem": {"code": "CRS"},
    "id": "RMNH.1@CRS",
    "unitID": "RMNH.1",
    "unitGUID": "http://data.biodiversitydata.nl/naturalis/specimen/RMNH.1",
    "sourceInstitutionID": "Naturalis",
    "owner": "Naturalis",
    "license": "CC0 4.0",
    "identifications": [
        {
            "scientificName": {"fullScientificName": "Parus major L."},
            "identifiers": [{"agentText": "Vos, J"}],
            "dateIdentified": "2012-01-13T00:00:00+0000",
            "typeStatus": "syntype",
            "preferred": True,
        },
        {"scientificName": {"fullScientificName": "Parus minor"}, "preferred": False},
    ],
    "associatedMultiMediaUris": [
        {"accessUri": "http://m.example/1.jpg", "format": "image/jpeg"},
        {"accessUri": "http://m.example/2.jpg", "format": "image/jpeg"},
        {"accessUri": "http://m.example/1.mp3", "format": "audio/mp3"},
    ],
}
MULTIMEDIA: dict[str, Any] = {
    "id": "RMNH.1_1@CRS",
    "caption": "Dorsal",
    "creator": "A photographer",
    "license": "CC BY 4.0",
    "serviceAccessPoints": [
        {"accessUri": "http://m.example/1s.jpg", "format": "image/jpeg", "variant": "MEDIUM_QUALITY"},
        {"accessUri": "http://m.example/1.jpg", "format": "image/jpeg", "variant": "Best Quality"},
    ],
    "associatedSpecimenReference": "RMNH.1@CRS",
    "identifications": [{"scientificName": {"fullScientificName": "Parus major L."}}],
}
R = TypeVar("R")


def _harvest(path: Path) -> list[Harvested]:
    return list(harvest_nba(path, campaign="test", pseudonyms=PEOPLE))


def _only(kind: type[R], records: Sequence[Harvested]) -> list[R]:
    return [record for record in records if isinstance(record, kind)]


def _write(path: Path, *documents: Any) -> Path:
    path.write_text("".join(f"{json.dumps(one)}\n" for one in documents), encoding="utf-8")
    return path


def test_multimedia_and_their_specimens(tmp_path: Path) -> None:
    _write(tmp_path / "a_multimedia.json", MULTIMEDIA)
    _write(tmp_path / "b_specimen.json", SPECIMEN)
    records = _harvest(tmp_path)
    assert [(t.file[-5:], t.verbatim, t.moment, t.prominent, t.route) for t in _only(Tag, records)] == [
        ("1.jpg", "Parus major L.", "2012-01-13", True, "nba"),
        ("2.jpg", "Parus major L.", "2012-01-13", True, "nba"),
    ]
    assert [agent.id for agent in _only(Agent, records)] == [PEOPLE.agent("Vos, J").id]
    first, second = _only(MediaFile, records)
    assert first == MediaFile(
        iri="http://m.example/1.jpg",
        title="Dorsal",
        page="http://data.biodiversitydata.nl/naturalis/specimen/RMNH.1",
        original="http://m.example/1.jpg",
        mime="image/jpeg",
        licence="https://creativecommons.org/licenses/by/4.0/",
        credit="Naturalis",
        creator="A photographer",
        inventory_number="RMNH.1",
        institution="Naturalis",
        group="RMNH.1@CRS",
    )
    assert (second.licence, second.description, second.group) == (
        "https://creativecommons.org/publicdomain/zero/1.0/",
        "syntype",
        "RMNH.1@CRS",
    )
    assert len(_only(CampaignFile, records)) == 2
    assert [(f.subject, f.reason, f.detail) for f in _only(Failure, records)] == [
        ("b_specimen.json", "determination superseded", "$.identifications[1]: Parus minor"),
        ("b_specimen.json http://m.example/1.mp3", "not an image", "$.associatedMultiMediaUris: audio/mp3"),
    ]


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    point = [{"accessUri": "http://m.example/9.jpg"}]
    path = tmp_path / "docs.json"
    lines = [
        '{"serviceAccessPoints": [',
        json.dumps({"serviceAccessPoints": [{"accessUri": "file:///x"}]}),
        json.dumps({"serviceAccessPoints": point, "license": "ask", "identifications": [{"dateIdentified": "soon"}]}),
        json.dumps({"serviceAccessPoints": [{"accessUri": "http://m.example/8.jpg"}]}),
        "[1]",
        json.dumps({"name": "no document of theirs"}),
        json.dumps({"unitID": "no image"}),
        json.dumps({"acceptedName": {}}),
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    records = _harvest(path)
    failures = [(f.subject.removeprefix("docs.json"), f.reason, f.detail) for f in _only(Failure, records)]
    assert [(place, reason) for place, reason, _ in failures] == [
        (":1", "record not understood"),
        (":5 $[0]", "record not understood"),
        (":6", "record not understood"),
        (":8", "no name"),
        (":2", "no image"),
        (":3", "no name"),
        (":3", "value not understood"),
        (":3", "value not understood"),
        (":4", "no name"),
        ("", "no image"),
    ]
    assert failures[4][2] == "$.serviceAccessPoints: accessUri: 'file:///x'"
    assert failures[7][2] == "$.license: 'ask'"
    assert [media.iri for media in _only(MediaFile, records)] == ["http://m.example/9.jpg", "http://m.example/8.jpg"]


@pytest.mark.parametrize("form", ["lines", "list", "answer", "one over several lines"])
def test_documents_come_in_several_forms(tmp_path: Path, form: str) -> None:
    path = tmp_path / "docs.json"
    texts = {
        "lines": f"\ufeff{json.dumps(MULTIMEDIA)}\n\n{json.dumps(SPECIMEN)}",
        "list": json.dumps([MULTIMEDIA, SPECIMEN], indent=1),
        "answer": json.dumps({"totalSize": 2, "resultSet": [{"score": 1, "item": MULTIMEDIA}, {"item": SPECIMEN}]}),
        "one over several lines": json.dumps(SPECIMEN, indent=2),
    }
    path.write_text(texts[form], encoding="utf-8")
    assert len(_only(MediaFile, _harvest(path))) == 2
    (tmp_path / "docs.json.gz").write_bytes(gzip.compress(path.read_bytes()))
    assert _only(Tag, _harvest(tmp_path / "docs.json.gz")) == _only(Tag, _harvest(path))


def test_what_the_api_left_out_of_an_answer_is_told(tmp_path: Path) -> None:
    """A query gives ten documents if nobody asks for more."""
    for page, document in enumerate((MULTIMEDIA, SPECIMEN)):
        answer = {"totalSize": 3, "resultSet": [{"item": document}]}
        (tmp_path / f"page{page}.json").write_text(json.dumps(answer), encoding="utf-8")
    told = [
        failure.detail for failure in _only(Failure, _harvest(tmp_path)) if failure.reason == "record not understood"
    ]
    assert told == ["$.totalSize: 2 of 3 documents; ask for the rest, too (_from)"]
    (tmp_path / "page2.json").write_text(
        json.dumps({"totalSize": 3, "resultSet": [{"item": SPECIMEN}]}), encoding="utf-8"
    )
    assert not [failure for failure in _only(Failure, _harvest(tmp_path)) if failure.reason == "record not understood"]


def test_a_gzip_that_is_cut_off_is_told(tmp_path: Path) -> None:
    lines = "".join(json.dumps({**SPECIMEN, "id": f"RMNH.{n}@CRS"}) + "\n" for n in range(200))
    packed = gzip.compress(lines.encode(), compresslevel=0)
    (tmp_path / "docs.ndjson.gz").write_bytes(packed[: len(packed) // 2])
    records = _harvest(tmp_path)
    assert _only(MediaFile, records), "what is before the damage counts"
    assert [f.subject for f in _only(Failure, records) if "gzip: " in f.detail] == ["docs.ndjson.gz"]


def test_a_taxon_names_what_belongs_to_it(tmp_path: Path) -> None:
    taxon = {"id": "1@NSR", "acceptedName": {"genusOrMonomial": "Parus", "specificEpithet": "major"}}
    picture = {"serviceAccessPoints": [{"accessUri": "http://m.example/9.jpg"}], "associatedTaxonReference": "1@NSR"}
    records = _harvest(_write(tmp_path / "docs.json", picture, taxon))
    assert [tag.verbatim for tag in _only(Tag, records)] == ["Parus major"]
    (failure,) = _only(Failure, _harvest(_write(tmp_path / "taxa.json", taxon)))
    assert (failure.subject, failure.reason, failure.detail) == ("taxa.json", "no image", "1 taxa and nothing else")
    with pytest.raises(UsageError, match="nowhere"):
        _harvest(tmp_path / "nowhere")


def _given(path: Path) -> list[dict[str, Any]]:
    body = path.read_text(encoding="utf-8")
    try:
        return [json.loads(body)]
    except ValueError:
        return [json.loads(line) for line in body.splitlines() if line.strip()]


def test_every_recorded_document_is_read(recordings: Path) -> None:
    totals: Counter[str] = Counter()
    for path in sorted((recordings / "naturalis/nba").rglob("*.json")):
        given = _given(path)
        records = _harvest(path)
        lost = Counter(f.reason for f in _only(Failure, records))
        points = [p for one in given for p in one.get("serviceAccessPoints", one.get("associatedMultiMediaUris", []))]
        images = {p["accessUri"] for p in points if p["format"].startswith("image/")}
        assert {media.original for media in _only(MediaFile, records)} == images, path.name
        assert set(lost) <= {"no image", "not an image", "value not understood", "determination superseded"}
        assert "record not understood" not in lost
        if "specimen" in path.name or "/specimen/" in path.as_posix():
            without = {one.get("id") or one["unitID"] for one in given if not one.get("associatedMultiMediaUris")}
            said = [f.detail for f in _only(Failure, records) if f.reason == "no image"]
            assert said == ([f"{len(without)} specimens"] if without else []), path.as_posix()
        totals += Counter({"documents": len(given), "files": len(_only(MediaFile, records)), **lost})
    assert totals["documents"] == 602 + 1958 + 320
    assert totals["files"] == 1299
    assert totals["determination superseded"] == 61
