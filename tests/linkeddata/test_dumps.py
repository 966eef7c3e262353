"""Dumps: quads as a JSON-LD processor makes them, the same bytes for the same state, archives that others read."""

import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pyoxigraph
import pytest
from dwca.read import DwCAReader
from hypothesis import given, settings
from hypothesis import strategies as st

from linkeddata import contexts, jsonld, quads
from linkeddata.dumps import published, write_dumps
from linkeddata.records import Alternative, Ancestor, Identification, Label, MediaFile, Taxon
from linkeddata.store import Store

BASE = "https://deboodt.example"
NASTY = st.text(max_size=12) | st.sampled_from(
    ['"quoted" \\ back', "emoji 🦋", "شكل", "a\nb\r\tc", "Q158603", "4299368"]
)
KEY = NASTY.filter(bool)
CARDUI = Taxon(
    query="Q1", concept="Q1", item="Q1", name="Vanessa cardui", rank="species", authorship="(Linnaeus, 1758)",
    lineage=(Ancestor("family", "Nymphalidae", "7017"),), vernaculars=(("nl", "distelvlinder"), ("x", "?")),
)  # fmt: skip
PLATES = [
    MediaFile(iri=f"https://files.example/{n}", original=f"https://files.example/{n}.jpg", mime="image/jpeg",
              inventory_number=f"RMNH.{n // 2}", institution="Naturalis", title=f"Plate\t{n}")
    for n in range(4)
]  # fmt: skip
ANSWERS = [
    Identification(id=f"a{n}", file=PLATES[n % 4].iri, label="Vanessa cardui", item="Q1", rank="species",
                   certainty=n / 10, model="m", version="1", moment=f"2026-11-0{n % 3 + 1}T10:00:00Z",
                   status="rejected" if n == 7 else "unverified")
    for n in range(8)
]  # fmt: skip


def processed(doc: dict[str, Any]) -> set[str]:
    """The triples that a JSON-LD processor makes of the document."""
    inline = json.dumps(contexts.with_context(doc, "inline", BASE))
    return {str(quad.triple) for quad in pyoxigraph.parse(inline, format=pyoxigraph.RdfFormat.JSON_LD)}


def written(doc: dict[str, Any]) -> set[str]:
    found = list(pyoxigraph.parse(quads.lines(doc, BASE), format=pyoxigraph.RdfFormat.N_QUADS))
    assert {quad.graph_name.value for quad in found} == {doc["id"]}
    return {str(quad.triple) for quad in found}


@settings(max_examples=60, deadline=None)
@given(
    answer=st.builds(
        Identification, id=st.text(min_size=1, max_size=5), file=KEY, label=NASTY, rank=NASTY, item=NASTY,
        gbif_key=NASTY, certainty=st.floats(0, 1), novelty=st.floats(0, 1), region=NASTY, model=NASTY, version=NASTY,
        alternatives=st.lists(st.builds(Alternative, NASTY, st.floats(0, 1)), max_size=2).map(tuple),
    ),
    media=st.builds(MediaFile, iri=KEY, title=NASTY, licence=NASTY, width_px=st.integers(0, 9)),
    label=st.builds(Label, id=KEY, campaign=NASTY, file=KEY, concept=NASTY, support=st.integers(0, 9)),
)  # fmt: skip
def test_quads_are_those_of_a_json_ld_processor(answer: Identification, media: MediaFile, label: Label) -> None:
    for doc in (
        jsonld.document(answer, media=media, taxon=CARDUI, base_url=BASE),
        jsonld.document(Identification(id="x", file="f", label="V", item="Q1"), taxon=CARDUI, base_url=BASE),
        jsonld.label_document(label, media=media, base_url=BASE),
        jsonld.media_document(MediaFile(iri=media.iri, title=media.title), base_url=BASE),
        jsonld.taxon_document(CARDUI, base_url=BASE),
    ):
        assert written(doc) == processed(doc)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    opened = Store(f"sqlite:///{tmp_path / 's.sqlite'}")
    label = Label(id="l", campaign="c", file=PLATES[0].iri, concept="Q1", item="Q1", moment="2026-11-02T00:00:00Z")
    opened.put([CARDUI, *PLATES, label, *ANSWERS], agent="test", moment="2026-11-02T10:00:00Z")
    return opened


def test_the_same_state_gives_the_same_bytes_and_the_checksums_are_theirs(store: Store, tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 'other.sqlite'}") as other:
        other.put([*reversed(ANSWERS), *PLATES, CARDUI, *store.each(Label)], agent="x", moment="2027-01-01T00:00:00Z")
        sums = write_dumps(store, BASE, tmp_path / "one")
        assert write_dumps(other, BASE, tmp_path / "two") == sums
    for line in (tmp_path / "one/SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((tmp_path / "one" / name).read_bytes()).hexdigest() == digest == sums[name]


def test_the_dump_holds_every_document_and_days_add_up_to_it(store: Store, tmp_path: Path) -> None:
    write_dumps(store, BASE, tmp_path / "whole")
    with gzip.open(tmp_path / "whole/deboodt.jsonl.gz") as packed:
        found = [json.loads(line) for line in packed]
    assert found == list(published(store, BASE))
    with gzip.open(tmp_path / "whole/deboodt.nq.gz") as packed:
        graphs = {q.graph_name.value for q in pyoxigraph.parse(packed.read(), format=pyoxigraph.RdfFormat.N_QUADS)}
    assert graphs == {doc["id"] for doc in found}
    days = [doc for n in (1, 2, 3) for doc in published(store, BASE, f"2026-11-0{n}")]
    assert {doc["id"] for doc in days} == {doc["id"] for doc in found if "motivation" in doc}


def test_the_archive_is_read_by_the_python_reader(store: Store, tmp_path: Path) -> None:
    write_dumps(store, BASE, tmp_path / "d", basis_of_record="PreservedSpecimen")
    dwc = "http://rs.tdwg.org/dwc/terms/"
    with DwCAReader(str(tmp_path / "d/deboodt-dwca.zip")) as archive:
        rows = list(archive)
        assert [row.data[f"{dwc}catalogNumber"] for row in rows] == ["RMNH.0", "RMNH.1"]
        assert {row.data[f"{dwc}scientificName"] for row in rows} == {"Vanessa cardui (Linnaeus, 1758)"}
        kinds = [sorted(extension.rowtype.rsplit("/", 1)[1] for extension in row.extensions) for row in rows]
        assert kinds == [["Identification"] * 4 + ["Multimedia"] * 2] * 2


def test_the_archive_names_an_institution_as_documents_do(tmp_path: Path) -> None:
    plate = replace(PLATES[0], institution="Q190804")
    with Store(f"sqlite:///{tmp_path / 'held.sqlite'}") as held:
        held.put([CARDUI, plate, ANSWERS[0]], agent="test", moment="2026-11-02T10:00:00Z")
        write_dumps(held, BASE, tmp_path / "d", basis_of_record="PreservedSpecimen")
    with DwCAReader(str(tmp_path / "d/deboodt-dwca.zip")) as archive:
        named = [row.data["http://rs.tdwg.org/dwc/terms/institutionID"] for row in archive]
    assert named == ["http://www.wikidata.org/entity/Q190804"]
    assert named == [jsonld.media_document(plate, base_url=BASE)["institutionID"]]


def test_the_table_has_a_row_for_each_identification(store: Store, tmp_path: Path) -> None:
    write_dumps(store, BASE, tmp_path / "d")
    table = pyarrow.parquet.read_table(tmp_path / "d/identifications.parquet")
    assert table.column("id").to_pylist() == [one.id for one in ANSWERS]
    assert table.column("certainty").to_pylist() == [one.certainty for one in ANSWERS]
    lists = [name for name in table.column_names if isinstance(getattr(ANSWERS[0], name, ""), tuple)]
    assert "alternatives" in lists
    for name in lists:
        assert [len(json.loads(said)) for said in table.column(name).to_pylist()] == [
            len(getattr(one, name)) for one in ANSWERS
        ]


def test_an_empty_store_is_dumped_with_the_same_columns(store: Store, tmp_path: Path) -> None:
    write_dumps(store, BASE, tmp_path / "d")
    with Store(f"sqlite:///{tmp_path / 'empty.sqlite'}") as empty:
        write_dumps(empty, BASE, tmp_path / "e")
    one, other = (pyarrow.parquet.read_schema(tmp_path / name / "identifications.parquet") for name in "de")
    assert one == other
    with gzip.open(tmp_path / "e/deboodt.nq.gz") as packed:
        assert packed.read() == b""
