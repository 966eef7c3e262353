"""What goes with a dataset: read by those who will read it (mlcroissant, a browser), and the same each time."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image

from crowd.campaign import DatasetRules
from harvest.datasets.about import About
from harvest.datasets.building import build
from harvest.datasets.datasheet import credits_of
from harvest.datasets.manifest import Dataset, Example, read_dataset
from harvest.datasets.versions import difference, in_words
from linkeddata.errors import DatasetError
from linkeddata.records import Ancestor, Label, MediaFile, Taxon
from linkeddata.storage import Stored, stored_file
from tests.conftest import LICENCES, plate

ABOUT = About(
    title="Two kinds of {plates} & more",
    name="two-kinds",
    query="SELECT ?file ?taxon { ?file <x> ?taxon } # </script>",
    endpoint="https://example.org/sparql",
    fresh="2026-11-20T08:00:00Z",
    dated="2026-11-20T08:00:00Z",
    publisher="Museum",
    publisher_iri="https://museum.example/",
)
FAMILY = (Ancestor("family", "Papilionidae", "9417"), Ancestor("genus", "Papilio", "1937876"))
TAXA = [
    Taxon(query=f"Q{n}", concept=f"Q{n}", name=name, rank="species", item=f"Q{n}", gbif_key=str(n), lineage=FAMILY)
    for n, name in enumerate(("Papilio paris", "Papilio helenus", "Papilio machaon"), 1)
]
RULES = DatasetRules(min_images=1, labels=("single",))

Make = Callable[..., Dataset]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Builds a dataset of 20 plates by four makers, some of them PNGs, one of them no image at all."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    media, labels, stored = [], [], dict[str, Stored]()
    for number in range(20):
        data, suffix = plate(number), "jpg"
        if number == 5:
            out = io.BytesIO()
            Image.open(io.BytesIO(data)).save(out, "PNG")
            data, suffix = out.getvalue(), "png"
        if number == 7:
            data = b"no image"
        sha1 = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        path = pictures / f"{sha1}.{suffix}"
        path.write_bytes(data)
        iri = f"https://commons.wikimedia.org/entity/M{number + 1}"
        media.append(
            MediaFile(
                iri=iri,
                page=f"https://commons.wikimedia.org/wiki/File:Plate_{number}.jpg",
                sha1=sha1,
                licence=LICENCES[number % 3],
                creator=f"Maker {number % 4}",
                credit=f"Maker {number % 4} | Museum",
                group=f"Maker {number % 4}",
                institution="Q190804",
            )
        )
        stored[iri] = stored_file(path, sha1=sha1)
        concept = f"Q{number // 4 % 2 + 1}"
        labels.append(Label(id="", campaign="query two-kinds", file=iri, concept=concept, status="single", support=1))

    def make(name: str = "set", rules: DatasetRules = RULES, about: About | None = ABOUT, **changes: Any) -> Dataset:
        told = [replace(one, **changes) if one is media[0] else one for one in media]
        return build(
            told, labels, TAXA, lambda one: stored[one.iri], tmp_path / name, rules, about=about, checklist=TAXA
        )

    return make


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # mlcroissant's, of rdflib and pandas
def test_croissant_is_valid_and_gives_rows_with_their_images(make: Make) -> None:
    croissant = pytest.importorskip("mlcroissant")
    data = make(rules=replace(RULES, exclude=("M8",)))  # what is no image never comes through the fetch
    loaded = croissant.Dataset(jsonld=data.folder / "croissant.json")
    assert loaded.metadata.ctx.issues.errors == set()
    assert loaded.metadata.ctx.issues.warnings == set()
    assert loaded.metadata.data_collection.startswith("What the query two-kinds found at https://example.org/sparql")
    assert loaded.metadata.data_biases
    assert str(loaded.metadata.version) == f"1.0.0+sha256.{data.sha256[:16]}"
    rows = {row["examples/file"].decode(): row for row in loaded.records("examples")}
    by_file = {example.file: example for example in data.examples}
    assert rows.keys() == by_file.keys()
    for iri, row in rows.items():
        assert row["examples/label"].decode() == by_file[iri].label
        assert row["examples/licence"].decode() == by_file[iri].licence
        assert Path(row["examples/path"].decode()).name == Path(by_file[iri].path).name
        assert row["examples/image"].size == (24, 24)
    assert [row["classes/concept"] for row in loaded.records("classes")] == [c.concept.encode() for c in data.classes]


def test_croissant_says_where_it_came_from(make: Make) -> None:
    told = json.loads((make().folder / "croissant.json").read_text(encoding="utf-8"))
    assert told["conformsTo"][0] == "http://mlcommons.org/croissant/1.0"
    assert told["prov:wasDerivedFrom"]["text"] == ABOUT.query
    assert told["prov:wasDerivedFrom"]["prov:generatedAtTime"] == ABOUT.fresh
    assert told["prov:wasGeneratedBy"]["prov:wasAssociatedWith"]["name"] == "De Boodt"
    assert set(told["license"]) == set(LICENCES)


def test_parquet_has_the_rows_of_the_csv(make: Make) -> None:
    data = make()
    rows = pq.read_table(data.folder / "manifest.parquet").to_pylist()
    assert list(rows[0]) == [f.name for f in fields(Example)]
    with (data.folder / "manifest.csv").open(encoding="utf-8", newline="") as lines:
        told = list(csv.DictReader(lines))
    plain = [f.name for f in fields(Example) if "tuple" not in str(f.type) and f.name != "simulated"]
    assert [[str(row[name]) for name in plain] for row in rows] == [[row[name] for name in plain] for row in told]
    assert rows[0]["lineage"][0] == {"rank": "family", "name": "Papilionidae", "gbif_key": "9417"}


def test_checksums_hold_for_every_file(make: Make) -> None:
    folder = make(rules=replace(RULES, sign=True)).folder
    told = dict(line.split("  ", 1)[::-1] for line in (folder / "SHA1SUMS").read_text(encoding="utf-8").splitlines())
    there = content(folder)
    assert told.keys() == there.keys() - {"SHA1SUMS"}
    for path, sha1 in told.items():
        assert hashlib.sha1(there[path], usedforsecurity=False).hexdigest() == sha1


@pytest.mark.parametrize("sign", [False, True])
def test_same_inputs_give_same_bytes(make: Make, sign: bool) -> None:
    rules = replace(RULES, sign=sign)
    first, second = make("one", rules), make("two", rules)
    assert first.sha256 == second.sha256
    assert content(first.folder) == content(second.folder)
    place = first.folder.stat().st_ino
    make("one", rules)
    assert first.folder.stat().st_ino == place
    assert not list(first.folder.parent.glob(".*"))


def test_a_changed_credit_is_a_new_version_in_which_only_that_copy_changed(make: Make) -> None:
    rules = replace(RULES, sign=True)
    first = make("set", rules)
    before = {e.file: e.copy_sha1 for e in first.examples}
    second = make("set", rules, credit="Somebody else")
    after = {e.file: e.copy_sha1 for e in second.examples}
    assert first.sha256 != second.sha256
    assert {iri for iri in before if before[iri] != after[iri]} == {"https://commons.wikimedia.org/entity/M1"}
    assert {e.sha1 for e in first.examples} == {e.sha1 for e in second.examples}
    assert read_dataset(second.folder).examples == second.examples


def test_copies_carry_their_credit_and_plain_images_are_what_was_published(make: Make) -> None:
    for example in make("signed", replace(RULES, sign=True)).examples:
        data = (make().folder.parent / "signed" / example.path).read_bytes()
        if data != b"no image":
            assert example.copy_sha1 != example.sha1
            assert example.credit in str(Image.open(io.BytesIO(data)).getexif()[0x8298])
    assert all(e.copy_sha1 == e.sha1 for e in make("plain").examples)


def test_credits_name_every_image_under_its_licence(make: Make) -> None:
    data = make()
    text = (data.folder / "CREDITS.md").read_text(encoding="utf-8")
    assert [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")] == sorted(LICENCES)
    assert all(example.page in text for example in data.examples)
    assert "- Maker 1 \\| Museum" in text
    assert "Who said" not in text
    assert "- A. de Boodt (http://www.wikidata.org/entity/Q80)" in credits_of(
        data.examples, ["A. de Boodt (http://www.wikidata.org/entity/Q80)"]
    )


def test_the_report_shows_figures_and_escapes_words(make: Make) -> None:
    folder = make().folder
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "</script>" not in page
    assert "Two kinds of {plates} &amp; more" in page
    assert re.search(r"<td>Papilionidae</td><td class=\"n\">2</td><td class=\"n\">3</td>", page)
    sheets = re.findall(r'src="(report/[^"]+)"', page)
    assert len(sheets) == 2
    for sheet in sheets:
        Image.open(folder / sheet).verify()


def test_the_datasheet_can_be_cited(make: Make) -> None:
    data = make()
    text = (data.folder / "README.md").read_text(encoding="utf-8")
    assert f"@misc{{deboodt_{data.sha256[:8]}, title = {{Two kinds of plates & more}}, author = {{{{Museum}}}}" in text
    assert text.startswith('---\npretty_name: "Two kinds of {plates} & more"\n')


def test_a_new_version_says_what_changed_and_why(make: Make) -> None:
    first = make("one")
    again = make("two")
    assert difference(first, again).changes == ()
    second = make("three", replace(RULES, exclude=("M2", "M3")), licence="https://l.example/", credit="New")
    found = difference(first, second)
    by_kind = {change.kind: change for change in found.changes}
    assert found.counts == {"removed": 2, "licence changed": 1, "credit changed": 1} | {
        kind: n for kind, n in found.counts.items() if kind == "side changed"
    }
    assert by_kind["removed"].after == "excluded: M3"
    assert (by_kind["licence changed"].before, by_kind["licence changed"].after) == (LICENCES[0], "https://l.example/")
    back = difference(second, first)
    assert back.counts["added"] == 2
    words = in_words(found, most=1)
    assert words.startswith(f"from {first.sha256[:16]} to {second.sha256[:16]}\n2 removed\n  https://commons")
    assert "… and 1 more" in words


def test_one_class_is_no_dataset(make: Make) -> None:
    with pytest.raises(DatasetError, match="two are needed"):
        make(rules=replace(RULES, min_altogether=11))
