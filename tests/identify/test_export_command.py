"""`deboodt export cms` as a registrar runs it: on a store with accepted labels, twice, and taken back."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from crowd.cms.importing import imported
from identify.cli import cli
from linkeddata.store import Store
from tests.crowd.cms.made import RIJKSMUSEUM, claims, entries_in_csv, export_bytes, table

PROFILE = ("--profile", "rijksmuseum", "--since-export")


def cms(home: Path, *words: str | Path) -> dict[str, Any]:
    said = ["--home", str(home), "--json", "export", "cms", *map(str, words)]
    done = CliRunner().invoke(cli, said, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def test_a_registrar_imports_exports_again_and_takes_back(tmp_path: Path) -> None:
    said = claims(["RP-T-1", "RP-T-2", "RP-T-99"])
    with Store(f"sqlite:///{tmp_path}/deboodt.sqlite") as store:
        store.put([*said.files, *said.labels, *(said.taxa or {}).values()], agent="test", moment="2026-01-01T00:00:00Z")
    before, after, out = tmp_path / "before.csv", tmp_path / "after.csv", tmp_path / "out"
    before.write_bytes(export_bytes(5, {4: "mug"}, {}))
    assert cms(tmp_path, *PROFILE, before, "--check")["counts"]["determinations added"] == 2
    assert not out.exists()
    first = cms(tmp_path, *PROFILE, before, "-o", out)
    assert first["counts"]["objects not found"] == 1
    base = table(before.read_bytes())
    written = entries_in_csv((out / "rijksmuseum.csv").read_bytes(), RIJKSMUSEUM, RIJKSMUSEUM.key)
    after.write_bytes(imported(base, written, RIJKSMUSEUM).data())
    files = {path.name: path.read_bytes() for path in out.iterdir()}
    second = cms(tmp_path, *PROFILE, after, "-o", out)
    assert (second["counts"]["determinations added"], second["written"]) == (0, [])
    assert {path.name: path.read_bytes() for path in out.iterdir()} == files
    undone = cms(tmp_path, *PROFILE, after, "--undo", out / "rijksmuseum-report.json", "-o", tmp_path / "undo")
    assert undone["determinations"] == 2
    [path] = (tmp_path / "undo").glob("*.csv")
    back = entries_in_csv(path.read_bytes(), RIJKSMUSEUM, RIJKSMUSEUM.key)
    assert imported(table(after.read_bytes()), back, RIJKSMUSEUM, repeats="replace").data() == before.read_bytes()


def test_what_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    base = tmp_path / "base.csv"
    base.write_bytes(export_bytes(2))
    for words, trouble in (
        (("--since-export", str(base)), "no profile"),
        ((*PROFILE, str(base), "--key", "titel"), "knows recordnummer and objectnummer"),
        ((*PROFILE, str(base), "--undo", str(base)), "--undo needs"),
    ):
        done = CliRunner().invoke(cli, ["--home", str(tmp_path), "export", "cms", *words])
        assert trouble in f"{done.output}{done.exception}"
