"""The facts of the sample agree with the recorded sources."""

import json
from pathlib import Path

import pytest

from harvest.sample.facts import BY_NAME, FAMILY_KEYS, GENUS_KEYS, ROOT, SPECIES
from linkeddata.ids import WIKIDATA_ENTITY, checked_item

DATA = Path(__file__).resolve().parents[3] / "../shared/data"


def test_at_least_twelve_species_of_three_families() -> None:
    assert len(SPECIES) >= 12
    assert {species.family for species in SPECIES} == {"Papilionidae", "Pieridae", "Nymphalidae"}
    for field in ("name", "item", "gbif_key"):
        assert len({getattr(species, field) for species in SPECIES}) == len(SPECIES)


@pytest.mark.parametrize("species", SPECIES, ids=lambda species: species.name)
def test_lineage_runs_from_the_kingdom_to_the_genus(species) -> None:
    assert [step.rank for step in species.lineage] == ["kingdom", "phylum", "class", "order", "family", "genus"]
    assert species.lineage[:4] == ROOT
    assert species.lineage[-1].name == species.genus == species.name.split()[0]
    assert checked_item(species.item) == species.item
    assert BY_NAME[species.name] is species


@pytest.mark.skipif(not DATA.is_dir(), reason="the recorded data is not here")
def test_names_items_and_keys_are_those_recorded() -> None:
    rows = json.loads((DATA / "commons/bhl-depicts.srj").read_text(encoding="utf-8"))["results"]["bindings"]
    recorded = {tuple(row[k]["value"] for k in ("taxon_name", "taxon", "gbif_id")) for row in rows if "gbif_id" in row}
    for species in SPECIES:
        assert (species.name, WIKIDATA_ENTITY + species.item, species.gbif_key) in recorded


@pytest.mark.skipif(not DATA.is_dir(), reason="the recorded data is not here")
def test_keys_of_ancestors_are_those_recorded() -> None:
    recorded = json.loads((DATA / "gbif/parents-recorded.json").read_text(encoding="utf-8"))
    for species in SPECIES:
        parents = [str(key) for key in recorded[species.gbif_key]["parents"]]
        assert parents == [step.gbif_key for step in species.lineage]


def test_every_key_of_a_genus_or_family_is_used() -> None:
    assert set(GENUS_KEYS) == {species.genus for species in SPECIES}
    assert set(FAMILY_KEYS) == {species.family for species in SPECIES}
