"""`deboodt export cms` as a registrar runs it: on a store with accepted labels, twice, and taken back."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from crowd.cms.importing import imported
from harvest.standin.server import StandIn
from harvest.standin.world import File, Revision, World
from identify.cli import cli
from linkeddata.records import CampaignFile, MediaFile
from linkeddata.store import Store
from tests.crowd.cms.made import RIJKSMUSEUM, claims, entries_in_csv, export_bytes, label, table

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


def test_numbers_on_file_pages_become_a_table_that_the_export_reads(tmp_path: Path) -> None:
    page = "{{Artwork|accession number=RP-T-1}}"
    edit = Revision(id=1, user="Ann", moment="2021-10-03T14:05:00Z", comment="", wikitext=page)
    files = (File(page_id=1, title="File:Plate 1.jpg", revisions=(edit,)),)
    campaign, base, config = tmp_path / "c.toml", tmp_path / "base.csv", tmp_path / "deboodt.toml"
    text = '[campaign]\nid = "tag-the-species"\ntitle = "x"\n[[tags.commons]]\ncategory = "x"\n'
    text += '[export]\nprofile = "rijksmuseum"\n'
    campaign.write_text(text, encoding="utf-8")
    base.write_bytes(export_bytes(3))
    with StandIn(World(files=files)) as standin:
        settings = standin.settings(home=str(tmp_path))
        config.write_text(
            f'commons_api = "{settings.commons_api}"\ncommons_entity = "{settings.commons_entity}"\n'
            'allow_private = true\ncontact = "test@deboodt.example"\n',
            encoding="utf-8",
        )
        iri = f"{settings.commons_entity}M1"
        with Store(settings.store) as store:
            member = CampaignFile(id="1", campaign="tag-the-species", file=iri)
            media = MediaFile(iri=iri, title="File:Plate 1.jpg")
            store.put([media, member, label("l1", iri, 0)], agent="test", moment="2026-01-01T00:00:00Z")
        begin = ["--config", str(config), "--home", str(tmp_path), "--json", "export"]
        words = [*begin, "joins", str(campaign), "-o", str(tmp_path / "joins.csv")]
        done = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert json.loads(done.stdout) == {"files without P217": 1, "with a number on their page": 1}
    ask = [*begin, "cms", "--since-export", str(base), "--check", str(campaign)]
    alone = json.loads(CliRunner().invoke(cli, ask, catch_exceptions=False).stdout)
    assert [one["why"] for one in alone["open_files"]] == ["no object number"]
    campaign.write_text(f'{text}table = "joins.csv"\n', encoding="utf-8")
    found = json.loads(CliRunner().invoke(cli, ask, catch_exceptions=False).stdout)
    assert [(one["object_number"], one["taxon"]) for one in found["added"]] == [("RP-T-1", "Papilio no0")]
