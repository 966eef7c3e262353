"""Which models learned from what was taken back since: told by what the bundle kept and what the store says now."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from identify.affected import (
    CORRECTED,
    GONE,
    RELICENSED,
    UNKNOWN,
    WITHDRAWN,
    Learned,
    affected,
    read_learned,
)
from identify.bundle import CARD, CLASSES, FILES, LEARNED, Description, open_bundle, write
from identify.classes import to_json
from identify.cli import cli
from linkeddata.errors import BundleError
from linkeddata.records import Ancestor, Label, MediaFile, ModelClass, Taxon
from linkeddata.store import Store

GENUS = (Ancestor("genus", "Papilio", "10"),)
TAXA = [
    Taxon(query="Papilio", concept="Q10", name="Papilio", rank="genus", item="Q10", gbif_key="10"),
    *(
        Taxon(query=f"Q{n}", concept=f"Q{n}", name=name, rank="species", item=f"Q{n}", lineage=GENUS)
        for n, name in enumerate(("Papilio paris", "Papilio helenus"), 1)
    ),
    Taxon(query="Q3", concept="Q3", name="Delias hyparete", rank="species", item="Q3"),
]
CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
FILES_OF_IT = [MediaFile(iri=f"https://f.example/{n}", licence=CC0) for n in range(4)]
LABELS = [
    Label(id=f"l{n}", campaign="butterflies", file=media.iri, concept="Q1", name="Papilio paris", status="accepted")
    for n, media in enumerate(FILES_OF_IT)
]
LEARNED_ROWS = [
    Learned(
        file=media.iri,
        sha1="",
        concept="Q10",
        label="Papilio",
        rank="genus",
        licence=CC0,
        source="butterflies tree",
    )
    for media in FILES_OF_IT
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{home / 'deboodt.sqlite'}") as store:
        store.put([*TAXA, *FILES_OF_IT, *LABELS], agent="test", moment="2026-11-01T00:00:00Z")
        yield store


def told(store: Store) -> dict[str, str]:
    return {one.file[-1]: one.reason for one in affected(LEARNED_ROWS, store)}


def test_what_stands_is_not_told(store: Store) -> None:
    assert told(store) == {}


def test_each_kind_of_change_is_told(store: Store) -> None:
    now = {"agent": "test", "moment": "2026-11-02T00:00:00Z"}
    store.put([replace(LABELS[0], status="withdrawn"), replace(FILES_OF_IT[3], licence="")], **now)
    store.put(
        [replace(LABELS[1], status="rejected"), replace(LABELS[1], id="new", concept="Q3", status="reviewed")], **now
    )
    store.put([replace(FILES_OF_IT[2], gone="2026-11-02T00:00:00Z")], **now)
    assert told(store) == {"0": WITHDRAWN, "1": CORRECTED, "2": GONE, "3": RELICENSED}
    store.withdraw(MediaFile, [FILES_OF_IT[0].iri], reason="asked for", **now)
    assert told(store)["0"] == UNKNOWN


def test_a_correction_within_the_class_changes_nothing(store: Store) -> None:
    corrected = replace(LABELS[0], id="new", concept="Q2", status="reviewed")
    store.put([replace(LABELS[0], status="rejected"), corrected], agent="test", moment="2026-11-02T00:00:00Z")
    assert told(store) == {}


def bundle(home: Path, version: str, learned: bytes | None) -> None:
    classes = [ModelClass(id=f"b@{version}/0", model="b", version=version, index=0, label="Papilio")]
    files = dict.fromkeys(FILES, b"") | {CLASSES: to_json(classes).encode(), CARD: b"card"}
    if learned is not None:
        files[LEARNED] = learned
    about = Description(name="b", version=version, recipe="small", image_px=96, dataset="0" * 64, seed=1)
    write(home / "models" / "b" / version, about, files)


def csv_of(rows: list[Learned]) -> bytes:
    lines = [",".join((r.file, r.sha1, r.concept, r.label, r.rank, r.licence, r.source)) for r in rows]
    return "\n".join(["file,sha1,concept,label,rank,licence,source", *lines, ""]).encode()


def test_the_command_names_the_versions_that_learned_it(store: Store, home: Path) -> None:
    bundle(home, "1", csv_of(LEARNED_ROWS))
    bundle(home, "2", csv_of(LEARNED_ROWS[1:]))
    store.put([replace(LABELS[0], status="withdrawn")], agent="test", moment="2026-11-02T00:00:00Z")
    done = CliRunner().invoke(cli, ["--home", str(home), "--json", "dataset", "affected", "b"], catch_exceptions=False)
    found = {one["model"]: [each["file"] for each in one["affected"]] for one in json.loads(done.stdout)}
    assert found == {"b@1": [FILES_OF_IT[0].iri], "b@2": []}
    said = CliRunner().invoke(cli, ["--home", str(home), "dataset", "affected", "b@1"], catch_exceptions=False)
    assert "b@1: of 4 images: 1 label withdrawn" in said.stdout


def test_what_a_table_said_is_not_told_to_be_withdrawn(store: Store, home: Path) -> None:
    bundle(
        home, "1", csv_of([replace(row, file=f"urn:sha1:{row.sha1}", source="table labels") for row in LEARNED_ROWS])
    )
    done = CliRunner().invoke(cli, ["--home", str(home), "dataset", "affected", "b"], catch_exceptions=False)
    assert done.stdout.splitlines()[0] == "b@1: of 4 images: nothing"
    assert "4 are of a query or a table" in done.stdout


def test_a_bundle_that_does_not_say_is_an_error_and_an_altered_list_is_refused(home: Path) -> None:
    bundle(home, "1", None)
    with pytest.raises(BundleError, match="does not say what it learned from"):
        read_learned(open_bundle(home / "models/b/1"))
    bundle(home, "2", csv_of(LEARNED_ROWS))
    path = home / "models/b/2" / LEARNED
    path.write_bytes(csv_of(LEARNED_ROWS[1:]))
    with pytest.raises(BundleError, match=r"learned\.csv is not the file"):
        open_bundle(path.parent)
