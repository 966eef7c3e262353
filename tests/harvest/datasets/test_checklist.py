"""Checklists as people have them: of birds, of GBIF, of one's own."""

from pathlib import Path

import pytest

from harvest.datasets.checklist import read_checklist
from linkeddata.errors import UsageError


def test_a_list_of_two_columns_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("Name,Family\nPapilio paris Linnaeus 1758,Papilionidae\n,Papilionidae\nDelias,\n", "utf-8")
    assert [(one.name, one.lineage[0].name) for one in read_checklist(path)] == [("Papilio paris", "Papilionidae")]


def test_only_accepted_species_count(tmp_path: Path) -> None:
    path = tmp_path / "gbif.tsv"
    rows = ["canonicalName\trank\tstatus\tfamily", "Vanessa cardui\tSPECIES\tACCEPTED\tNymphalidae"]
    rows += ["Papilio cardui\tSPECIES\tSYNONYM\tNymphalidae", "Vanessa\tGENUS\tACCEPTED\tNymphalidae"]
    path.write_text("\n".join(rows), "utf-8")
    assert [one.name for one in read_checklist(path)] == ["Vanessa cardui"]


def test_a_table_without_families_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_text("name,order\nVanessa cardui,Lepidoptera\n", "utf-8")
    with pytest.raises(UsageError, match="needs columns for name"):
        read_checklist(path)


def test_the_birds_of_the_world(recordings: Path) -> None:
    birds = read_checklist(recordings / "names/avilist_2025_taxonomy.csv")
    assert 10_000 < len(birds) < 12_000
    assert {one.lineage[0].name for one in birds if one.name == "Struthio camelus"} == {"Struthionidae"}
