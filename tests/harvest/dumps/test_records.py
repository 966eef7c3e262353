"""Dumps to files and tags, the same that the API tells."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crowd.campaign import DumpSource
from crowd.campaignfile import parse_campaign
from harvest.commons import DEPRECATED, NO_ITEM
from harvest.dumps.extract import BROKEN_LINE, extract
from harvest.dumps.records import harvest_dump, parents_of, taxon_items
from harvest.dumps.statements import Reader, Wanted, read_entity
from harvest.mediainfo import MediaInfo, parse_entities
from harvest.sources import Reach, harvest_all, source_state
from linkeddata.client import Client
from linkeddata.errors import UsageError
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import CampaignFile, Failure, MediaFile, Tag
from linkeddata.settings import Settings
from tests.harvest.dumps.conftest import dump, entity, statement

COMMONS = "https://commons.wikimedia.org/entity/"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=str(tmp_path / "home"))


def _harvest(settings: Settings, source: DumpSource, **more: Any) -> list[Any]:
    return list(harvest_dump(Client(settings), settings, source, campaign="c", **more))


def test_files_and_tags_and_what_was_lost(tmp_path: Path, settings: Settings) -> None:
    one = entity("M1", "Q140", "somevalue")
    one["statements"]["P217"] = [
        {"mainsnak": {"snaktype": "value", "datavalue": {"value": "RP-1"}}, "id": "M1$n", "rank": "normal"}
    ]
    one["statements"]["P180"] += [
        statement("M1", "Q1", 7, rank="deprecated"),
        statement("M1", "Q729", 8, rank="preferred"),
    ]
    path = tmp_path / "dump.json"
    path.write_bytes(dump([one, entity("M2"), b'{"type":"medi', entity("M3", "Q5")]))
    found = _harvest(settings, DumpSource(files=(str(path),)), known={f"{COMMONS}M3"})
    tags = [record for record in found if isinstance(record, Tag)]
    assert [(tag.file, tag.item, tag.prominent, tag.statement, tag.route) for tag in tags] == [
        (f"{COMMONS}M1", "Q140", False, "M1$s0", "dump"),
        (f"{COMMONS}M1", "Q729", True, "M1$s8", "dump"),
        (f"{COMMONS}M3", "Q5", False, "M3$s0", "dump"),
    ]
    assert len({tag.id for tag in tags}) == 3
    assert [record for record in found if isinstance(record, MediaFile)] == [
        MediaFile(iri=f"{COMMONS}M1", inventory_number="RP-1")
    ]
    assert [record.file for record in found if isinstance(record, CampaignFile)] == [f"{COMMONS}M1", f"{COMMONS}M3"]
    assert [(f.subject, f.reason) for f in found if isinstance(f, Failure)] == [
        (f"{COMMONS}M1", NO_ITEM),
        (f"{COMMONS}M1", DEPRECATED),
        ("dump.json:4", BROKEN_LINE),
    ]
    assert _harvest(settings, DumpSource(files=(str(path),)), known={f"{COMMONS}M3"}) == found


def _taxon(item: int, *parents: int) -> bytes:
    value = [
        {"mainsnak": {"snaktype": "value", "datavalue": {"value": {"id": f"Q{p}"}}}, "rank": "normal"} for p in parents
    ]
    claims = {"P225": [], **({"P171": value} if parents else {})}
    return json.dumps({"type": "item", "id": f"Q{item}", "labels": {}, "claims": claims}).encode()


def test_only_a_taxon_and_what_is_below_it(tmp_path: Path, settings: Settings) -> None:
    commons, wikidata, taxa = tmp_path / "commons.json", tmp_path / "wikidata.json", tmp_path / "taxa.txt"
    commons.write_bytes(dump([entity("M1", "Q30", "Q5"), entity("M2", "Q6"), entity("M3", "Q10")]))
    wikidata.write_bytes(dump([_taxon(10), _taxon(20, 10), _taxon(30, 20, 99), _taxon(5, 6)]))
    source = DumpSource(files=(str(commons),), taxon="Q10", wikidata=str(wikidata))
    found = [record for record in _harvest(settings, source) if isinstance(record, Tag)]
    assert [(tag.file, tag.item) for tag in found] == [(f"{COMMONS}M1", "Q30"), (f"{COMMONS}M3", "Q10")]
    table = parents_of([wikidata], settings)
    assert _harvest(settings, replace(source, wikidata=str(table))) == _harvest(settings, source)
    taxa.write_text("Q6\n")
    by_list = _harvest(settings, DumpSource(files=(str(commons),), taxa=str(taxa)))
    assert [record.item for record in by_list if isinstance(record, Tag)] == ["Q6"]
    with pytest.raises(UsageError, match="lion"):
        _harvest(settings, replace(source, taxon="lion"))


def test_without_a_dump_of_wikidata_its_query_service_is_asked(small_wikis: Any, settings: Settings) -> None:
    there = small_wikis.settings(home=settings.home)
    items = taxon_items(Client(there), there, DumpSource(files=("x",), taxon="Q127960"))
    assert items is not None
    assert "Q127960" in items


def test_a_dump_in_a_campaign_leaves_what_others_described(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "dump.json").write_bytes(dump([entity("M1", "Q1"), entity("M2", "Q2")]))
    text = '[campaign]\nid = "c"\ntitle = "C"\n[[tags.dump]]\nfiles = ["dump.json"]\n'
    campaign = parse_campaign(text, name="c.toml", folder=str(tmp_path))
    reach = Reach(
        client=Client(settings),
        settings=settings,
        campaign=campaign,
        pseudonyms=Pseudonyms("k" * 32),
        known={f"{COMMONS}M1": 7, f"{COMMONS}M2": 0},
    )
    found = list(harvest_all(reach))
    assert [record.file for record in found if isinstance(record, Tag)] == [f"{COMMONS}M1", f"{COMMONS}M2"]
    assert [record.iri for record in found if isinstance(record, MediaFile)] == [f"{COMMONS}M2"]
    before = source_state(campaign)
    (tmp_path / "dump.json").write_bytes(dump([entity("M1", "Q1")]))
    assert source_state(campaign) != before
    (tmp_path / "dump.json").unlink()
    [failure] = [record for record in harvest_all(reach) if isinstance(record, Failure)]
    assert (failure.subject, failure.reason) == ("dump dump.json", "source failed")


def _recorded(recordings: Path) -> list[Path]:
    return [recordings / "commons/mediainfo-dump-lines.ndjson", recordings / "mediawiki/mediainfo-dump.json"]


def _said(info: MediaInfo) -> list[tuple[object, ...]]:
    return [
        (info.id, info.revision, s.id, s.item, s.rank, s.kind, s.part, s.region, s.reference, info.captions)
        for s in info.depicts
    ]


def test_every_recorded_line_says_what_the_api_says_of_it(recordings: Path, tmp_path: Path) -> None:
    paths = _recorded(recordings)
    lines = [line for path in paths for line in path.read_bytes().splitlines() if line.startswith(b"{")]
    entities = [read_entity(line.rstrip(b",")) for line in lines]
    expected = [
        row for one in entities for row in _said(next(iter(parse_entities({"entities": {one["id"]: one}}).values())))
    ]
    found = extract(paths, Wanted(), tmp_path / "parts")
    rows = [
        (
            row["entity"].rpartition("/")[2], row["revision"], row["statement"], row["item"], row["rank"], row["kind"],
            row["part"], row["region"], row["reference"], tuple(row["captions"]),
        )
        for table in found.tables()
        for row in table.to_pylist()
    ]  # fmt: skip
    assert rows == expected
    assert len(rows) > 77
    assert list(found.failures()) == []


def test_the_wikis_dump_says_what_its_api_answered(recordings: Path, tmp_path: Path) -> None:
    answered: dict[str, MediaInfo] = {}
    for line in (recordings / "mediawiki/recorded.jsonl").read_text(encoding="utf-8").splitlines():
        exchange = json.loads(line)
        if exchange["params"].get("action") == "wbgetentities" and "entities" in (exchange.get("json") or {}):
            media = {k: v for k, v in exchange["json"]["entities"].items() if k.startswith("M") and "missing" not in v}
            answered |= parse_entities({"entities": media})
    lines = (recordings / "mediawiki/mediainfo-dump.json").read_bytes().splitlines()
    dumped = {
        one["id"]: next(iter(parse_entities({"entities": {one["id"]: one}}).values()))
        for line in lines
        if len(line) > 2
        for one in [read_entity(line.strip().rstrip(b","))]
    }
    same = {key for key in answered.keys() & dumped.keys() if answered[key].revision == dumped[key].revision}
    assert len(same) > 10
    assert [answered[key] for key in sorted(same)] == [dumped[key] for key in sorted(same)]


def test_the_statements_of_recorded_items(recordings: Path) -> None:
    lines = [
        line for line in (recordings / "wikidata/item-dump-lines.ndjson").read_bytes().splitlines() if line.strip()
    ]
    lines += [line for line in (recordings / "wikidata/items.json").read_bytes().splitlines() if line.strip()]
    lines += [line for line in (recordings / "mediawiki/wikidata-dump.json").read_bytes().splitlines() if len(line) > 2]
    with_parents = 0
    for line in lines:
        plain = read_entity(line.strip().rstrip(b","))
        given = (plain.get("claims") or {}).get("P171", [])
        rows = Reader(Wanted(property_id="P171")).rows(line)
        expected = [one["mainsnak"].get("datavalue", {}).get("value", {}) for one in given]
        assert [row[4] for row in rows] == [f"Q{value['numeric-id']}" if value else "" for value in expected]
        with_parents += bool(rows)
    assert with_parents > 10
