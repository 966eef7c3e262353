"""Darwin Core Archives with media: a GBIF download, Audubon Core, associatedMedia, and every recorded archive."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from harvest.dwca import harvest_dwca
from harvest.records import Harvested
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import Agent, CampaignFile, Failure, MediaFile, Tag

PEOPLE = Pseudonyms("a key for tests")
DWC, DC, AC = "http://rs.tdwg.org/dwc/terms/", "http://purl.org/dc/terms/", "http://rs.tdwg.org/ac/terms/"
OCCURRENCE = ("gbifID", "occurrenceID", "catalogNumber", "institutionCode", "license", "rightsHolder", "identifiedBy")
OCCURRENCE += ("dateIdentified", "identificationQualifier", "scientificName", "taxonKey", "associatedMedia")
SIMPLE = ("gbifID", "type", "format", "identifier", "references", "title", "creator", "license")
R = TypeVar("R")


def _terms(names: Sequence[str], space: str) -> str:
    return "".join(f'<field index="{at}" term="{space}{name}"/>' for at, name in enumerate(names) if at)


def _table(tag: str, row_type: str, file: str, fields: str) -> str:
    own = "id" if tag == "core" else "coreid"
    return (
        f'<{tag} rowType="{row_type}" encoding="UTF-8" fieldsTerminatedBy="\\t" linesTerminatedBy="\\n" '
        f'fieldsEnclosedBy="" ignoreHeaderLines="1"><files><location>{file}</location></files><{own} index="0"/>'
        f"{fields}</{tag}>"
    )


def _write(folder: Path, name: str, heading: Sequence[str], rows: Sequence[dict[str, str]]) -> None:
    lines = ["\t".join(heading), *("\t".join(row.get(key, "") for key in heading) for row in rows)]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def download(tmp_path: Path) -> Path:
    """A folder as GBIF packs it: interpreted occurrences, what the publisher wrote, and media."""
    record = {
        "occurrenceID": "urn:cat:NM:Aves:1",
        "catalogNumber": "NM-1",
        "institutionCode": "NM",
        "license": "CC_BY_NC_4_0",
        "rightsHolder": "Museum",
    }
    occurrences = [
        {"gbifID": "1", **record, "scientificName": "Parus major Linnaeus, 1758", "identifiedBy": "Jan Vos"},
        {"gbifID": "2", "scientificName": "Oenanthe oenanthe", "dateIdentified": "last year"},
        {"gbifID": "3", "taxonKey": "2435099", "dateIdentified": "2012-01-13"},
        {"gbifID": "4", "scientificName": "Vanessa", "identificationQualifier": "cf. cardui"},
        {
            "gbifID": "5",
            "scientificName": "Aves",
            "associatedMedia": "https://m.example/5.jpg | https://m.example/6.jpg",
        },
        {"gbifID": "6", "scientificName": "Aves", "associatedMedia": "drawer 12"},
        {"gbifID": "7"},
    ]
    media = [
        {"gbifID": "1", "type": "StillImage", "format": "image/jpg", "identifier": "https://m.example/1.jpg"},
        {
            "gbifID": "1",
            "identifier": "https://m.example/1b.jpg",
            "license": "http://creativecommons.org/licenses/by/4.0",
        },
        {"gbifID": "1", "type": "Sound", "format": "audio/mpeg", "identifier": "https://m.example/1.mp3"},
        {"gbifID": "2", "identifier": "https://m.example/2.jpg", "license": "ask us"},
        {"gbifID": "3", "identifier": "https://m.example/3.jpg"},
        {"gbifID": "4", "identifier": "https://m.example/4.jpg"},
        {"gbifID": "5", "identifier": "https://m.example/5.jpg"},
        {"gbifID": "7", "identifier": "https://m.example/7.jpg"},
        {"gbifID": "7", "references": "https://m.example/7.html"},
        {"gbifID": "99", "identifier": "https://m.example/99.jpg"},
    ]
    _write(tmp_path, "occurrence.txt", OCCURRENCE, occurrences)
    _write(
        tmp_path, "verbatim.txt", ("gbifID", "scientificName"), [{"gbifID": "1", "scientificName": "Parus major L."}]
    )
    _write(tmp_path, "multimedia.txt", SIMPLE, media)
    meta = '<archive xmlns="http://rs.tdwg.org/dwc/text/" metadata="metadata.xml">'
    meta += _table("core", f"{DWC}Occurrence", "occurrence.txt", _terms(OCCURRENCE, DWC))
    meta = meta.replace(
        '<field index="1"', '<field index="0" term="http://rs.gbif.org/terms/1.0/gbifID"/><field index="1"'
    )
    meta += _table("extension", f"{DWC}Occurrence", "verbatim.txt", _terms(("gbifID", "scientificName"), DWC))
    meta += _table("extension", "http://rs.gbif.org/terms/1.0/Multimedia", "multimedia.txt", _terms(SIMPLE, DC))
    (tmp_path / "meta.xml").write_text(meta + "</archive>", encoding="utf-8")
    return tmp_path


def _harvest(path: Path) -> list[Harvested]:
    return list(harvest_dwca(path, campaign="test", pseudonyms=PEOPLE))


def _only(kind: type[R], records: Sequence[Harvested]) -> list[R]:
    return [record for record in records if isinstance(record, kind)]


def test_a_gbif_download(download: Path) -> None:
    records = _harvest(download)
    assert [(t.file[-6:], t.verbatim, t.moment) for t in _only(Tag, records)] == [
        ("/1.jpg", "Parus major L.", ""),
        ("1b.jpg", "Parus major L.", ""),
        ("/2.jpg", "Oenanthe oenanthe", ""),
        ("/3.jpg", "gbif:2435099", "2012-01-13"),
        ("/5.jpg", "Aves", ""),
        ("/6.jpg", "Aves", ""),
    ]
    assert {t.route for t in _only(Tag, records)} == {"dwca"}
    assert [agent.id for agent in _only(Agent, records)] == [PEOPLE.agent("Jan Vos").id]
    media = {file.iri[-6:]: file for file in _only(MediaFile, records)}
    assert len(media) == len(_only(CampaignFile, records)) == 8
    first = media["/1.jpg"]
    assert first == MediaFile(
        iri="https://m.example/1.jpg",
        page="https://www.gbif.org/occurrence/1",
        original="https://m.example/1.jpg",
        mime="image/jpeg",
        licence="https://creativecommons.org/licenses/by-nc/4.0/",
        credit="Museum",
        inventory_number="NM-1",
        institution="NM",
        group="urn:cat:NM:Aves:1",
    )
    assert media["1b.jpg"].licence == "https://creativecommons.org/licenses/by/4.0/"


def test_what_gives_no_tag_is_named_by_file_row_and_column(download: Path) -> None:
    assert [(f.subject, f.reason, f.detail) for f in _only(Failure, _harvest(download))] == [
        ("multimedia.txt:4", "not an image", "Sound audio/mpeg"),
        ("multimedia.txt:10", "no image", "column identifier: ''"),
        ("occurrence.txt:3", "value not understood", "column dateIdentified: 'last year'"),
        ("multimedia.txt:5", "value not understood", "column license: 'ask us'"),
        ("occurrence.txt:5", "determination uncertain", "column identificationQualifier: 'cf. cardui'"),
        ("occurrence.txt:7", "no image", "column associatedMedia: 'drawer 12'"),
        ("occurrence.txt:8", "no name", "column scientificName: empty"),
        ("multimedia.txt:11", "record not understood", "no record '99' in occurrence.txt"),
        (download.name, "no image", "1 records"),
    ]


def test_audubon_core_with_regions_and_hashes(tmp_path: Path) -> None:
    columns = (
        "key",
        "identifier",
        "accessURI",
        "hashFunction",
        "hashValue",
        "xFrac",
        "yFrac",
        "widthFrac",
        "heightFrac",
    )
    sha1 = "ab" * 20
    rows = [
        dict(
            zip(
                columns,
                ("a", "urn:uuid:1", "https://m.example/1.tif", "SHA-1", sha1, "0.25", "0", ".5", "1"),
                strict=True,
            )
        ),
        dict(zip(columns, ("a", "2", "https://m.example/2.tif", "MD5", "00", "2", "0", "1", "1"), strict=True)),
    ]
    _write(tmp_path, "taxa.txt", ("taxonID", "scientificName"), [{"taxonID": "a", "scientificName": "Parus major"}])
    _write(tmp_path, "media.txt", columns, rows)
    meta = '<archive xmlns="http://rs.tdwg.org/dwc/text/">'
    meta += _table("core", f"{DWC}Taxon", "taxa.txt", _terms(("taxonID", "scientificName"), DWC))
    meta += _table("extension", f"{AC}Multimedia", "media.txt", _terms(columns, AC))
    (tmp_path / "meta.xml").write_text(meta + "</archive>", encoding="utf-8")
    records = _harvest(tmp_path)
    assert [(t.file, t.verbatim, t.region) for t in _only(Tag, records)] == [
        ("urn:uuid:1", "Parus major", "pct:25,0,50,100"),
        ("https://m.example/2.tif", "Parus major", ""),
    ]
    assert [(m.original[-5:], m.sha1) for m in _only(MediaFile, records)] == [("1.tif", sha1), ("2.tif", "")]
    assert [(f.subject, f.reason) for f in _only(Failure, records)] == [("media.txt:3", "value not understood")]


GIVES = {
    # archive: tags, failures by reason; all others have no media at all
    "00000015-c6af-11e2-9b88-00145eb45e9a": (2, {"no image": 1}),
    "00000010-c6af-11e2-9b88-00145eb45e9a": (0, {"record not understood": 209, "no image": 1}),
    "00000017-c6af-11e2-9b88-00145eb45e9a": (0, {"not an image": 1102, "no image": 1}),
    "plazi.zip": (0, {"not an image": 11, "no image": 1}),
    "squirrels.zip": (9, {"no image": 1}),
}


def test_every_recorded_archive_is_read_completely(recordings: Path) -> None:
    archives = [*(recordings / "gbif/dwca").glob("**/dwcas/*"), *(recordings / "gbif/dwca").rglob("*.zip")]
    assert len(archives) == 27
    for path in archives:
        records = _harvest(path)
        tags, failures = GIVES.get(path.name, (0, {"no image": 1}))
        assert len(_only(Tag, records)) == len(_only(MediaFile, records)) == tags, path.name
        assert Counter(f.reason for f in _only(Failure, records)) == failures, path.name
