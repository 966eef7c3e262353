"""Dumps to Parquet: whole, with what is broken in them named, resumable."""

import bz2
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from harvest.dumps import extract as extracting
from harvest.dumps import pieces
from harvest.dumps.extract import BROKEN_LINE, CUT_OFF_DUMP, DAMAGED, Extraction, extract
from harvest.dumps.items import ItemSet
from harvest.dumps.statements import Wanted
from linkeddata.errors import UsageError
from tests.harvest.dumps.conftest import PACKED, dump, entity, statement

KINDS = pytest.mark.parametrize("kind", list(PACKED))


def _read(path: Path, tmp_path: Path, wanted: Wanted | None = None, processes: int = 1) -> Extraction:
    return extract([path], wanted or Wanted(), tmp_path / "parts", processes=processes)


def _rows(found: Extraction) -> list[dict[str, Any]]:
    return [row for table in found.tables() for row in table.to_pylist()]


def _lost(found: Extraction) -> list[tuple[str, str, str]]:
    return [(failure.subject, failure.reason, failure.detail) for failure in found.failures()]


def _depicted(entities: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [
        (f"https://commons.wikimedia.org/entity/{one['id']}", said["mainsnak"]["datavalue"]["value"]["id"])
        for one in entities
        for said in dict(one["statements"] or {}).get("P180", ())
    ]


@KINDS
@pytest.mark.parametrize("processes", [1, 2])
def test_every_statement_of_a_dump(many: list[dict[str, Any]], tmp_path: Path, kind: str, processes: int) -> None:
    path = tmp_path / f"dump.{kind}"
    path.write_bytes(PACKED[kind](dump(many)))
    found = _read(path, tmp_path, processes=processes)
    assert [(row["entity"], row["item"]) for row in _rows(found)] == _depicted(many)
    assert found.counts() == {"lines": 5002, "bytes": len(dump(many)), "rows": 1000, "lost": 0}
    assert _lost(found) == []


def test_a_row_says_all_that_the_statement_says(tmp_path: Path) -> None:
    part = {"snaktype": "value", "property": "P518", "datavalue": {"value": {"id": "Q23445"}}}
    region = {"snaktype": "value", "property": "P2677", "datavalue": {"value": "pct:1,2,3,4"}}
    source = {"snaktype": "value", "property": "P854", "datavalue": {"value": "https://example.org/x"}}
    said = statement("M1", "Q140", rank="preferred", qualifiers={"P518": [part], "P2677": [region]})
    one = entity("M1", "Q1", "somevalue", caption="Ein Löwe")
    one["statements"]["P180"].append(said | {"references": [{"snaks": {"P854": [source]}}]})
    (tmp_path / "dump.json").write_bytes(dump([one]))
    rows = _rows(_read(tmp_path / "dump.json", tmp_path))
    assert rows[2] == {
        "entity": "https://commons.wikimedia.org/entity/M1",
        "property": "P180",
        "statement": "M1$s1",
        "kind": "value",
        "item": "Q140",
        "value": "",
        "rank": "preferred",
        "part": "Q23445",
        "region": "pct:1,2,3,4",
        "reference": "P854=https://example.org/x",
        "revision": 1001,
        "captions": [("en", "Ein Löwe")],
    }
    assert [(row["kind"], row["item"]) for row in rows] == [("value", "Q1"), ("somevalue", ""), ("value", "Q140")]


def test_only_the_items_that_are_wanted(tmp_path: Path) -> None:
    (tmp_path / "dump.json").write_bytes(dump([entity("M1", "Q1", "Q2"), entity("M2", "Q3", "somevalue")]))
    found = _read(tmp_path / "dump.json", tmp_path, Wanted(items=ItemSet.of(["Q2", "Q4"])))
    assert [(row["entity"][-2:], row["item"]) for row in _rows(found)] == [("M1", "Q2")]


@KINDS
def test_broken_lines_are_named_and_passed_over(many: list[dict[str, Any]], tmp_path: Path, kind: str) -> None:
    lines: list[Any] = list(many)
    whole = json.dumps(many[9], separators=(",", ":")).encode()
    lines[9] = whole[: len(whole) // 2]  # breaks off; line 11, for the first is [
    lines[1499] = whole.replace(b'"P180":[{', b'"P180":[}')  # has both its ends, but is no JSON
    lines[2999] = whole.replace(b'"id":"M10"', b'"id":"10"')
    lines[4999] = b'{"type":"mediainfo","id":"M5000","statements":{"P180"'
    data = dump(lines)
    path = tmp_path / f"dump.{kind}"
    path.write_bytes(PACKED[kind](data))
    found = _read(path, tmp_path)
    kept = [one for number, one in enumerate(many) if number not in (9, 1499, 2999, 4999)]
    assert [(row["entity"], row["item"]) for row in _rows(found)] == _depicted(kept)
    numbers = (11, 1501, 3001, 5001)
    places = [sum(len(line) + 1 for line in data.split(b"\n")[: number - 1]) for number in numbers]
    assert [(subject, reason) for subject, reason, _ in _lost(found)] == [
        (f"dump.{kind}:{number}", BROKEN_LINE) for number in numbers
    ]
    assert [detail.partition(":")[0] for _, _, detail in _lost(found)] == [f"byte {place}" for place in places]
    assert found.counts()["lost"] == 4


def test_a_line_that_was_broken_in_two_is_two_broken_lines(tmp_path: Path) -> None:
    whole = json.dumps(entity("M1", "Q1")).encode()
    (tmp_path / "dump.json").write_bytes(dump([whole[:30] + b"\n" + whole[30:], entity("M2", "Q2")]))
    found = _read(tmp_path / "dump.json", tmp_path)
    assert [row["item"] for row in _rows(found)] == ["Q2"]
    assert [subject for subject, _, _ in _lost(found)] == ["dump.json:2", "dump.json:3"]


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", 0),
        (b"[\n]\n", 2),
        (b"[\n]", 2),
        (b"[\r\n\r\n]\r\n", 3),
        (b"\n\n", 2),
    ],
)
@KINDS
def test_empty_dumps(tmp_path: Path, kind: str, data: bytes, lines: int) -> None:
    path = tmp_path / "dump"
    path.write_bytes(PACKED[kind](data))
    found = _read(path, tmp_path)
    assert (found.counts()["lines"], _rows(found), _lost(found)) == (lines, [], [])
    found.write(tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 0


@KINDS
def test_line_ends_of_windows(many: list[dict[str, Any]], tmp_path: Path, kind: str) -> None:
    path = tmp_path / "dump"
    path.write_bytes(PACKED[kind](dump(many[:100], b"\r\n")))
    found = _read(path, tmp_path)
    assert [(row["entity"], row["item"]) for row in _rows(found)] == _depicted(many[:100])
    assert _lost(found) == []


def test_lines_without_a_list_around_them_and_without_a_last_line_end(tmp_path: Path) -> None:
    lines = [json.dumps(entity(f"M{number}", f"Q{number}")).encode() for number in (1, 2, 3)]
    (tmp_path / "dump.ndjson").write_bytes(b"\n".join(lines))
    found = _read(tmp_path / "dump.ndjson", tmp_path)
    assert [row["item"] for row in _rows(found)] == ["Q1", "Q2", "Q3"]
    assert found.counts()["lines"] == 3
    assert _lost(found) == []


@pytest.mark.parametrize("kind", ["gz", "bz2"])
def test_members_and_streams_as_wikimedia_writes_them(many: list[dict[str, Any]], tmp_path: Path, kind: str) -> None:
    pack = PACKED[kind]
    shards = [dump(part)[2:-3] for part in (many[:1000], many[1000:1001], many[1001:])]  # without [ and ]
    members = [b"[\n", shards[0], b"\n,\n", shards[1], b",\n", shards[2], b"\n]\n"]
    path = tmp_path / "dump"
    path.write_bytes(b"".join(map(pack, members)))
    found = _read(path, tmp_path)
    assert [(row["entity"], row["item"]) for row in _rows(found)] == _depicted(many)
    assert _lost(found) == []


@KINDS
def test_of_a_truncated_dump_what_is_whole_is_kept(many: list[dict[str, Any]], tmp_path: Path, kind: str) -> None:
    whole = PACKED[kind](dump(many))
    path = tmp_path / "dump"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    found = _read(path, tmp_path)
    rows = [(row["entity"], row["item"]) for row in _rows(found)]
    assert rows == _depicted(many)[: len(rows)]
    assert len(rows) > (400 if kind == "bz2" else 600)
    assert CUT_OFF_DUMP in {reason for _, reason, _ in _lost(found)}
    assert found.counts()["lost"] <= 4


def test_a_gzip_file_that_is_damaged_in_the_middle(many: list[dict[str, Any]], tmp_path: Path) -> None:
    data = bytearray(gzip.compress(dump(many)))
    data[len(data) // 2 : len(data) // 2 + 8] = b"\xff" * 8
    (tmp_path / "dump").write_bytes(data)
    found = _read(tmp_path / "dump", tmp_path)
    rows = [(row["entity"], row["item"]) for row in _rows(found)]
    assert rows == _depicted(many)[: len(rows)]
    assert {reason for _, reason, _ in _lost(found)} & {DAMAGED, CUT_OFF_DUMP}


def test_behind_a_damaged_block_of_bzip2_it_goes_on(many: list[dict[str, Any]], tmp_path: Path) -> None:
    data = bytearray(bz2.compress(dump(many)))
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "dump").write_bytes(data)
    found = _read(tmp_path / "dump", tmp_path)
    rows = [(row["entity"], row["item"]) for row in _rows(found)]
    assert rows == [pair for pair in _depicted(many) if pair in set(rows)]
    assert rows[-1] == _depicted(many)[-1]
    assert len(rows) > 700
    assert [reason for _, reason, _ in _lost(found)].count(DAMAGED) == 1


def test_several_dumps_and_one_that_ends_too_early(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        data = dump([entity(f"M{number}", f"Q{number}")])
        (tmp_path / f"{number}.json").write_bytes(data[:-2] if number == 2 else data)
    paths = [tmp_path / f"{number}.json" for number in (1, 2, 3)]
    found = extract(paths, Wanted(), tmp_path / "parts")
    assert [row["item"] for row in _rows(found)] == ["Q1", "Q2", "Q3"]
    assert _lost(found) == [("2.json", CUT_OFF_DUMP, "a new list begins at 3.json:1")]


def test_no_dump_at_all(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no\.json"):
        _read(tmp_path / "no.json", tmp_path)


def test_lines_longer_than_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE", 1000)
    monkeypatch.setattr(pieces, "READ", 1000)
    chance = random.Random(3)
    entities = [entity(f"M{n}", f"Q{n}", noise=chance.randbytes(chance.randrange(1, 4000)).hex()) for n in range(1, 60)]
    for kind, pack in PACKED.items():
        (tmp_path / kind).write_bytes(pack(dump(entities)))
        found = extract([tmp_path / kind], Wanted(), tmp_path / f"parts-{kind}", processes=1)
        assert [(row["entity"], row["item"]) for row in _rows(found)] == _depicted(entities)
        assert _lost(found) == []


def test_without_the_fast_decompressor_the_outcome_is_the_same(
    many: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import zlib

    outcomes = []
    for plain in (False, True):
        if plain:
            monkeypatch.setattr(pieces, "_zlib", zlib)
        for kind, pack in PACKED.items():
            (tmp_path / kind).write_bytes(pack(dump(many[:500])))
            found = extract([tmp_path / kind], Wanted(), tmp_path / f"parts-{kind}-{plain}", processes=1)
            found.write(tmp_path / "out.parquet")
            outcomes.append((tmp_path / "out.parquet").read_bytes())
    assert set(outcomes) == {outcomes[0]}


def test_texts_that_utf8_cannot_say(tmp_path: Path) -> None:
    line = json.dumps(entity("M1", "Q1", caption="@")).replace("@", "half \\ud83d").encode()
    (tmp_path / "dump.json").write_bytes(dump([line]))
    found = _read(tmp_path / "dump.json", tmp_path)
    assert [row["captions"] for row in _rows(found)] == [[("en", "half \ufffd")]]
    assert _lost(found) == []


def test_another_wish_begins_anew_and_the_same_reads_nothing(tmp_path: Path) -> None:
    path = tmp_path / "dump.json"
    path.write_bytes(dump([entity("M1", "Q1"), entity("M2", "Q2")]))
    assert len(_rows(_read(path, tmp_path))) == 2
    told: list[int] = []
    extract([path], Wanted(), tmp_path / "parts", progress=lambda what, done, total: told.append(done))
    assert told == []
    assert len(_rows(_read(path, tmp_path, Wanted(items=ItemSet.of(["Q2"]))))) == 1


RUN = """
import sys
from pathlib import Path
from harvest.dumps import extract as extracting
from harvest.dumps import pieces
from harvest.dumps.statements import Wanted
if __name__ == "__main__":
    extracting.PART_BYTES, pieces.PIECE = 256 << 10, 200 << 10
    dumps, folder = [Path(sys.argv[1]), Path(sys.argv[1])], Path(sys.argv[2])
    extracting.extract(dumps, Wanted(), folder, processes=int(sys.argv[3])).write(Path(sys.argv[4]))
"""


@pytest.mark.parametrize("kind", ["gz", "bz2"])
def test_killed_again_and_again_it_goes_on_to_the_same_bytes(
    many: list[dict[str, Any]], tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, program = tmp_path / f"dump.{kind}", tmp_path / "run.py"
    pack = PACKED[kind]
    path.write_bytes(b"".join(pack(part) for part in (dump(many)[:1_500_000], dump(many)[1_500_000:])))
    program.write_text(RUN)
    monkeypatch.setattr(extracting, "PART_BYTES", 256 << 10)
    extract([path, path], Wanted(), tmp_path / "undisturbed", processes=1).write(tmp_path / "undisturbed.parquet")
    chance = random.Random(11)
    out = tmp_path / "out.parquet"
    killed = 0
    for _ in range(100):
        parts = len(list((tmp_path / "parts").glob("*.json")))
        command = [
            sys.executable,
            str(program),
            str(path),
            str(tmp_path / "parts"),
            "2" if killed % 2 else "1",
            str(out),
        ]
        process = subprocess.Popen(command, cwd=Path(extracting.__file__).parents[2], env=_here())
        wanted = parts + chance.randrange(1, 6)
        while process.poll() is None and len(list((tmp_path / "parts").glob("*.json"))) < wanted:
            time.sleep(0.001)
        time.sleep(chance.random() * 0.01)
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        if process.returncode == 0:
            break
    assert killed >= 3
    assert out.read_bytes() == (tmp_path / "undisturbed.parquet").read_bytes()
    assert Extraction(tmp_path / "parts", Wanted().schema).counts()["lines"] == 2 * 5002


def _here() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(extracting.__file__).parents[2])}
