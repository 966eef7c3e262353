"""``deboodt harvest dump``: a dump to Parquet, or into the store of a campaign."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

from linkeddata.records import CampaignFile, Failure, MediaFile, Tag
from linkeddata.store import Store
from tests.harvest.dumps.conftest import dump, entity

ROOT = Path(__file__).resolve().parents[2]
CAMPAIGN = '[campaign]\nid = "c"\ntitle = "C"\n[[tags.dump]]\nfiles = ["dump.json.gz"]\n'


def _deboodt(*words: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    environment = {key: value for key, value in os.environ.items() if not key.startswith("DEBOODT")}
    command = [sys.executable, "-W", "error", "-m", "identify.cli", "--home", "home", *words]
    return subprocess.run(
        command, cwd=cwd, env={**environment, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )


def _dump(folder: Path) -> None:
    lines = [entity("M1", "Q140"), b'{"type":"mediainfo","id":"M2","labels', entity("M3", "Q729", caption="A beast")]
    (folder / "dump.json.gz").write_bytes(gzip.compress(dump(lines)))


def test_to_parquet_with_the_broken_lines_named(tmp_path: Path) -> None:
    _dump(tmp_path)
    done = _deboodt("--json", "harvest", "dump", "dump.json.gz", "-o", "out.parquet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["rows"], told["lost"], told["lines"]) == (2, 1, 5)
    assert told["failures"][0].startswith("dump.json.gz:3: broken line: byte ")
    assert pq.read_table(tmp_path / "out.parquet").column("item").to_pylist() == ["Q140", "Q729"]
    assert sorted(path.name for path in tmp_path.iterdir() if "parts" in path.name) == []


def test_only_the_items_of_a_list(tmp_path: Path) -> None:
    _dump(tmp_path)
    (tmp_path / "taxa.txt").write_text("Q729\n")
    done = _deboodt("harvest", "dump", "dump.json.gz", "-o", "out.parquet", "--taxa", "taxa.txt", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert pq.read_table(tmp_path / "out.parquet").column("item").to_pylist() == ["Q729"]


def test_a_dump_that_is_cut_off_is_to_be_done_again(tmp_path: Path) -> None:
    _dump(tmp_path)
    whole = (tmp_path / "dump.json.gz").read_bytes()
    (tmp_path / "dump.json.gz").write_bytes(whole[:-9])
    done = _deboodt("harvest", "dump", "dump.json.gz", "-o", "out.parquet", cwd=tmp_path)
    assert done.returncode == 9
    assert "dump cut off" in done.stdout


def test_where_to_must_be_said(tmp_path: Path) -> None:
    _dump(tmp_path)
    done = _deboodt("harvest", "dump", "dump.json.gz", cwd=tmp_path)
    assert done.returncode == 2
    assert "-o FILE or --campaign FILE" in done.stderr


def test_into_the_store_a_file_keeps_what_is_known_of_it(tmp_path: Path) -> None:
    _dump(tmp_path)
    (tmp_path / "c.toml").write_text(CAMPAIGN)
    entities = "https://commons.wikimedia.org/entity/"
    known = MediaFile(iri=f"{entities}M1", title="File:Lion.jpg", sha1="0" * 40)
    with Store(f"sqlite:///{tmp_path}/home/deboodt.sqlite") as store:
        store.put([known], agent="a", moment="2026-01-01T00:00:00Z")
    done = _deboodt("--json", "harvest", "dump", "dump.json.gz", "--campaign", "c.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["tags"] == 2
    with Store(f"sqlite:///{tmp_path}/home/deboodt.sqlite") as store:
        assert store.get(MediaFile, known.iri) == known
        assert sorted(tag.item for tag in store.each(Tag, campaign="c")) == ["Q140", "Q729"]
        assert {member.file for member in store.each(CampaignFile)} == {f"{entities}M1", f"{entities}M3"}
        assert [failure.subject for failure in store.each(Failure)] == ["dump.json.gz:3"]


def test_a_route_of_a_campaign_reads_the_dumps_that_are_named(tmp_path: Path) -> None:
    _dump(tmp_path)
    (tmp_path / "c.toml").write_text('[campaign]\nid = "c"\ntitle = "C"\n[[tags.commons]]\nfiles = ["M1", "M3"]\n')
    words = ("harvest", "save", "c.toml", "--via", "dump", "--dump", "dump.json.gz", "-o", "said.jsonl")
    done = _deboodt("--json", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [answer["route"] for answer in json.loads(done.stdout)["answers"]] == ["dump"]
    assert "Q729" in (tmp_path / "said.jsonl").read_text()
    done = _deboodt("harvest", "c.toml", "--via", "dump", "--dump", "there,is,none.gz", cwd=tmp_path)
    assert done.returncode == 2
