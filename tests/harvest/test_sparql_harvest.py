"""Tags from SPARQL: the recorded plates of the Biodiversity Heritage Library, row for row, and the odd rows."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from harvest.records import Harvested
from harvest.sparql import harvest_query, title_of_url
from harvest.standin.recorded import bhl_world
from harvest.standin.server import StandIn
from harvest.standin.world import Entity, File, Revision, World, snak, statement, statements
from linkeddata.client import Client
from linkeddata.errors import UsageError
from linkeddata.records import CampaignFile, Failure, MediaFile, Tag
from linkeddata.sparql import load_query
from linkeddata.sparqlpieces import Asking, rows

SHARED = Path(__file__).resolve().parents[2] / "../shared/data"
PLATES = SHARED / "commons/bhl-depicts.srj"
COLUMNS = ("file", "taxon", "bhl_page_id", "url", "gbif_id", "taxon_name")
R = TypeVar("R")


def _only(kind: type[R], records: Sequence[Harvested]) -> list[R]:
    return [record for record in records if isinstance(record, kind)]


@pytest.fixture(scope="module")
def plates() -> Iterator[StandIn]:
    if not PLATES.is_file():
        pytest.skip("recorded plates are not here")
    with StandIn(bhl_world(PLATES, SHARED / "gbif/parents-recorded.json")) as running:
        yield running


def test_the_query_gives_the_recorded_rows(plates: StandIn) -> None:
    recorded = [
        {k: v["value"] for k, v in row.items()} for row in json.loads(PLATES.read_bytes())["results"]["bindings"]
    ]
    settings = plates.settings()
    with Client(settings) as client:
        asking = Asking(client, settings, settings.sparql_commons, load_query("depicted-taxa-of-bhl"))
        found = [row for row in rows(asking, {}) if isinstance(row, dict)]
    assert len(found) == 1582
    assert {tuple(row[c] for c in COLUMNS) for row in found} == {tuple(row[c] for c in COLUMNS) for row in recorded}
    assert all(row["statement"] for row in found)


def test_rows_are_not_tags(plates: StandIn) -> None:
    settings = plates.settings()
    with Client(settings) as client:
        records = list(harvest_query(client, settings, "commons", "depicted-taxa-of-bhl", {}, campaign="bhl"))
        assert client.counts["rows"] == 1573 + 1109  # statements there, names and keys of their taxa at Wikidata
    counts = Counter(type(record).__name__ for record in records)
    assert counts == {"Tag": 1573, "MediaFile": 1400, "CampaignFile": 1400}
    tags = _only(Tag, records)
    assert len({tag.id for tag in tags}) == len({(tag.file, tag.item) for tag in tags}) == 1573
    assert len({tag.item for tag in tags}) == 1103
    assert {tag.route for tag in tags} == {"sparql"}
    assert {tag.agent for tag in tags} == {""}
    media = {m.iri: m for m in _only(MediaFile, records)}["https://commons.wikimedia.org/entity/M103381688"]
    assert media.title == "File:Serranus hepatus Anthias anthias Callanthias ruber.jpg"
    assert media.page == f"https://commons.wikimedia.org/wiki/{media.title.replace(' ', '_')}"
    assert media.original.startswith("https://upload.wikimedia.org/wikipedia/commons/c/c0/")
    assert len({link.file for link in _only(CampaignFile, records)}) == 1400


@pytest.fixture
def odd() -> Iterator[StandIn]:
    media = "M11"
    told = statements(
        statement(media, "P180", "Q140", rank="preferred", qualifiers=[snak("P2677", "pct:1,2,3,4")]),
        statement(media, "P180", "Q140", number=2),
        statement(media, "P180", "somevalue"),
    )
    page = Revision(id=5, user="", moment="2021-10-03T14:05:00Z", comment="", entity=Entity(statements=told))
    with StandIn(World(files=(File(page_id=11, title="File:Two lions.jpg", revisions=(page,)),))) as running:
        yield running


def test_each_statement_is_a_tag_and_an_unknown_value_is_lost(odd: StandIn) -> None:
    settings = odd.settings()
    with Client(settings) as client:
        records = list(harvest_query(client, settings, "", "depicts-of-files", {"file": "M11, M12"}, campaign="x"))
    tags = _only(Tag, records)
    assert [(tag.item, tag.prominent, tag.region) for tag in sorted(tags, key=lambda t: t.prominent)] == [
        ("Q140", False, ""),
        ("Q140", True, "pct:1,2,3,4"),
    ]
    assert all(tag.statement.startswith("M11$") for tag in tags)
    assert [failure.reason for failure in _only(Failure, records)] == ["statement without item"]
    assert [media.title for media in _only(MediaFile, records)] == ["File:Two lions.jpg"]


def test_known_files_are_left_to_commons(odd: StandIn) -> None:
    settings = odd.settings()
    known = {"https://commons.wikimedia.org/entity/M11"}
    with Client(settings) as client:
        records = list(
            harvest_query(client, settings, "commons", "files-of-items", {"item": ["Q140"]}, campaign="x", known=known)
        )
    assert [type(record) for record in records] == [Tag, Tag, CampaignFile]


def test_files_of_another_wiki_are_lost(odd: StandIn) -> None:
    settings = odd.settings(commons_entity="https://commons.deboodt.example/entity/")
    with Client(settings) as client:
        records = list(harvest_query(client, settings, "commons", "files-of-items", {"item": "Q140"}, campaign="x"))
    assert [(f.reason, f.subject) for f in _only(Failure, records)] == [
        ("not a file of this wiki", "https://commons.wikimedia.org/entity/M11")
    ] * 2


def test_no_such_endpoint(odd: StandIn) -> None:
    with Client(odd.settings()) as client, pytest.raises(UsageError, match="commons, wikidata, wcqs, wdqs or a URL"):
        list(harvest_query(client, odd.settings(), "elsewhere", "depicted-taxa-of-bhl", {}, campaign="x"))


@pytest.mark.parametrize(
    ("url", "title"),
    [("https://x.example/a/ab/A%26_B.jpg", "File:A& B.jpg"), ("https://x.example/", ""), ("", "")],
)
def test_title_of_url(url: str, title: str) -> None:
    assert title_of_url(url) == title
