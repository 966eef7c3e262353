"""The recorded data of each kind, read to the end: what it holds is given, and what is not is named."""

import csv
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from crowd.campaign import ListSource
from harvest.dumps.extract import extract
from harvest.dumps.statements import Wanted
from harvest.dwca import harvest_dwca
from harvest.files import harvest_list
from harvest.nba import harvest_nba
from harvest.standin.server import StandIn
from harvest.standin.world import Entity, File, Revision, World
from linkeddata.client import Client
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import CampaignFile, Failure, MediaFile, Tag

SHARED = Path(__file__).resolve().parents[2] / "../shared/data"
ATLAS = SHARED / "commons/kb-atlas-de-wit/AtlasdeWit1698_thingsdepicted_EN_17102025.csv"
PEOPLE = Pseudonyms("test")

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the recorded data are not here")


@pytest.mark.parametrize(
    ("name", "property_id"),
    [
        ("commons/mediainfo-dump-lines.ndjson", "P180"),
        ("mediawiki/mediainfo-dump.json", "P180"),
        ("mediawiki/wikidata-dump.json", "P171"),
        ("wikidata/item-dump-lines.ndjson", "P31"),
        ("wikidata/items.json", "P171"),
    ],
)
def test_lines_of_dumps(tmp_path: Path, name: str, property_id: str) -> None:
    lines = (line.strip().strip(b",") for line in (SHARED / name).read_bytes().splitlines())
    entities = [json.loads(line) for line in lines if line.startswith(b"{")]
    said = [(e["id"], one["id"]) for e in entities for one in _claims(e).get(property_id, ())]
    found = extract([SHARED / name], Wanted(property_id=property_id), tmp_path / "parts", processes=1)
    rows = [row for table in found.tables() for row in table.to_pylist()]
    assert [(row["entity"].rpartition("/")[2], row["statement"]) for row in rows] == said
    assert not list(found.failures())


def _claims(entity: dict[str, dict[str, list[dict[str, str]]]]) -> dict[str, list[dict[str, str]]]:
    return entity.get("statements") or entity.get("claims") or {}


def test_the_atlas_of_the_royal_library() -> None:
    with ATLAS.open(encoding="utf-8-sig", newline="") as file:
        rows = [line.rstrip("\r\n").split("^^^^") for line in file][1:]
    said = {(row[0], item) for row in rows for item in re.findall(r"wiki/(Q\d+)\)", row[3])}
    upload = Revision(id=1, user="Ann", moment="2021-10-01T00:00:00Z", comment="upload", entity=Entity())
    numbers = dict.fromkeys(int(row[0].rpartition("/M")[2]) for row in rows)
    files = tuple(File(page_id=n, title=f"File:Plate {n}.jpg", revisions=(upload,), sha1=f"{n:040x}") for n in numbers)
    source = ListSource(path=str(ATLAS), separator="^^^^", values=" --- ", file="midURL", item="depicts")
    with StandIn(World(files=files)) as server, Client(server.settings()) as client:
        records = list(harvest_list(client, server.settings(), source, campaign="c", pseudonyms=PEOPLE))
    assert {(r.file, r.item) for r in records if isinstance(r, Tag)} == said
    assert sum(isinstance(r, CampaignFile) for r in records) == len(numbers)
    assert not [r for r in records if isinstance(r, Failure)]


def test_every_document_of_naturalis() -> None:
    folder = SHARED / "naturalis/nba"
    records = list(harvest_nba(folder, campaign="c", pseudonyms=PEOPLE))
    lost = Counter(r.reason for r in records if isinstance(r, Failure))
    assert sum(isinstance(r, MediaFile) for r in records) == 610
    assert lost == {"determination superseded": 58, "not an image": 66, "value not understood": 7, "no image": 1}


def test_every_darwin_core_archive() -> None:
    folder = SHARED / "gbif/dwca"
    archives = [*sorted({path.parent for path in folder.rglob("meta.xml")}), *sorted(folder.rglob("*.zip"))]
    assert len(archives) == 12
    for archive in archives:
        records = list(harvest_dwca(archive, campaign="c", pseudonyms=PEOPLE))
        assert records, archive.name
        media = {r.iri for r in records if isinstance(r, MediaFile)}
        assert {r.file for r in records if isinstance(r, CampaignFile)} == media


def test_the_upload_sheet_and_its_log_name_what_is_not_there() -> None:
    folder = ATLAS.parent
    with (folder / "write_sdoc_log_20251017-145301.csv").open(encoding="utf-8-sig", newline="") as file:
        logged = list(csv.DictReader(file))
    log = ListSource(path=str(folder / "write_sdoc_log_20251017-145301.csv"), file="commons_mid", item="qid")
    sheet = ListSource(
        path=str(folder / "p180-inputfile-for-repo.xlsx"),
        sheet="CommonsFilesP180Qids",
        file="CommonsFile",
        item="QidDepicts",
    )
    with StandIn(World()) as server, Client(server.settings()) as client:
        for source in (log, sheet):
            records = list(harvest_list(client, server.settings(), source, campaign="c", pseudonyms=PEOPLE))
            assert {r.reason for r in records if isinstance(r, Failure)} == {"file missing"}
            assert len(records) == len({row["commons_mid"] for row in logged})
