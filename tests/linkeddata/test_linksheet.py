"""The curator's sheet there and back, and the additions that follow from links. Ids from 9990001 up are made up."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from linkeddata.errors import UsageError
from linkeddata.links import Link, Subject, Weighed
from linkeddata.linksheet import COLUMNS, Decision, confirmed, linked_class, read_sheet, read_subjects, write_sheet
from linkeddata.quickstatements import additions, write_additions
from linkeddata.records import Failure, ModelClass
from linkeddata.tablefiles import reading, text_of
from linkeddata.wikidata import Hit, Item

PICA = Item(id="Q9990001", label="magpie", names=("Pica pica",), gbif_keys=("9990001",), col_ids=("99A",))
SURE = Link(
    subject=Subject(
        id="m@1/0", label="Pica pica", name="Pica pica", gbif_key="9990001", aphia_id="9990003", moment="2026-10-01"
    ),
    certainty="sure",
    relation="exact",
    item=PICA,
    weighed=(Weighed(PICA, (("P846", True), ("name", True))),),
)
TIE = Link(
    subject=Subject(id="m@1/1", label="Oenanthe", name="Oenanthe"),
    certainty="check",
    weighed=(Weighed(Item(id="Q9990002", names=("Oenanthe",)), (("name", True), ("rank", False))),),
    note="tie",
)
MASK = Link(
    subject=Subject(id="m@1/2", label="mask"), certainty="check", hits=(Hit("Q9990003", "mask", "worn on a face"),)
)
DOWN = Failure(id="f", step="names", subject="Gadus", reason="service unreachable", detail="HTTP 503")
FOUND = ((SURE.subject, SURE), (TIE.subject, TIE), (MASK.subject, MASK), (Subject(id="m@1/3", label="Gadus"), DOWN))


def rows_of(path: Path) -> list[dict[str, str]]:
    with reading(path) as table:
        return [dict(zip(table.columns, map(text_of, row.cells), strict=True)) for row in table.rows]


def reviewed(path: Path, **decisions: dict[str, str]) -> Path:
    """Return a copy of the sheet with what a person wrote into the rows of these labels."""
    rows = [row | decisions.get(row["label"].replace(" ", "_"), {}) for row in rows_of(path)]
    copy = path.with_name("reviewed.csv")
    with copy.open("w", newline="", encoding="utf-8") as out:
        sheet = csv.DictWriter(out, COLUMNS)
        sheet.writeheader()
        sheet.writerows(rows)
    return copy


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".xlsx", ".parquet"])
def test_only_what_is_sure_is_filled_in(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"linked{suffix}"
    assert write_sheet(path, FOUND) == {"sure": 1, "check": 2, "not answered": 1}
    sure, tie, mask, down = rows_of(path)
    assert (sure["item"], sure["itemLabel"], sure["relation"], sure["evidence"]) == (
        "Q9990001",
        "magpie",
        "exact",
        "+GBIF +name",
    )
    assert (tie["item"], tie["relation"], tie["candidates"]) == ("", "", "Q9990002 (Oenanthe: +name -rank)")
    assert (mask["item"], mask["candidates"]) == ("", "Q9990003 (mask, worn on a face)")
    assert (down["class"], down["certainty"], down["note"]) == (
        "m@1/3",
        "not answered",
        "service unreachable: HTTP 503",
    )


def test_what_nobody_decided_stays_open(tmp_path: Path) -> None:
    write_sheet(tmp_path / "linked.csv", FOUND)
    decisions = read_sheet(tmp_path / "linked.csv")
    assert [(one.item, one.relation, one.is_open) for one in decisions] == [
        ("Q9990001", "exact", False),
        ("", "unlinked", True),
        ("", "unlinked", True),
        ("", "unlinked", True),
    ]


def test_what_a_person_decided_is_read_back(tmp_path: Path) -> None:
    write_sheet(tmp_path / "linked.csv", FOUND)
    path = reviewed(
        tmp_path / "linked.csv",
        Pica_pica={"decision": "no"},
        Oenanthe={"decision": "https://www.wikidata.org/wiki/Q9990002", "relation": "Broad"},
        mask={"aat": "aat:300138758"},
    )
    pica, oenanthe, mask, _ = read_sheet(path)
    assert (pica.item, pica.relation, pica.is_open) == ("", "unlinked", False)
    assert (oenanthe.item, oenanthe.relation, oenanthe.is_open) == ("Q9990002", "broad", False)
    assert (mask.item, mask.relation, mask.aat) == ("", "exact", "http://vocab.getty.edu/aat/300138758")


@pytest.mark.parametrize(
    ("told", "trouble"),
    [
        ({"decision": "perhaps"}, "is no Q-id"),
        ({"decision": "Q9990002", "relation": "narrow"}, "is none of"),
        ({"decision": "Q9990002", "relation": "unlinked"}, "unlinked, and linked"),
        ({"aat": "mask"}, "no term of the AAT"),
    ],
)
def test_what_cannot_be_meant_is_told_by_its_row(tmp_path: Path, told: dict[str, str], trouble: str) -> None:
    write_sheet(tmp_path / "linked.csv", FOUND)
    _, oenanthe, *_ = read_sheet(reviewed(tmp_path / "linked.csv", Oenanthe=told))
    assert oenanthe.row == 3
    assert trouble in oenanthe.trouble
    assert oenanthe.item == ""


def test_another_table_is_no_sheet(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("label\nPica\n")
    with pytest.raises(UsageError, match="no column class"):
        read_sheet(tmp_path / "a.csv")


def test_decisions_are_checked_against_wikidata() -> None:
    asked = Subject(id="1", label="Pica pica", name="Pica pica", gbif_key="9990001")
    decisions = [
        Decision(2, asked, "Q9990001", "exact"),
        Decision(3, asked, "Q9990009", "exact"),
        Decision(4, asked, "Q9990004", "exact"),
        Decision(5, asked, "Q9990004", "broad"),
        Decision(6, asked, "Q9990005", "exact"),
        Decision(7, asked),
    ]
    other = Item(id="Q9990004", names=("Pica",), gbif_keys=("9990004",))
    moved = Item(id="Q9990001", redirected_from="Q9990005", names=("Pica pica",))
    found = {"Q9990001": PICA, "Q9990004": other, "Q9990005": moved}
    assert [(one.item, one.trouble) for one in confirmed(decisions, found)] == [
        ("Q9990001", ""),
        ("Q9990009", "Wikidata has no item Q9990009"),
        ("Q9990004", "Q9990004 has another GBIF key: exact it is not"),
        ("Q9990004", ""),
        ("Q9990001", ""),
        ("", ""),
    ]


def test_a_decision_changes_the_class_of_a_model() -> None:
    one = ModelClass(id="m@1/0", model="m", version="1", index=0, label="Pica pica", gbif_key="1")
    asked = Subject(
        id="m@1/0", label="Pica pica", gbif_key="9990001", col_id="99A", checklist_key="k", moment="2026-10-01"
    )
    linked = linked_class(
        one, Decision(2, asked, "Q9990001", "exact", aat="http://vocab.getty.edu/aat/300138758"), "now"
    )
    assert (linked.item, linked.gbif_key, linked.col_id, linked.relation) == ("Q9990001", "9990001", "99A", "exact")
    assert (linked.checklist_key, linked.moment, linked.term) == (
        "k",
        "2026-10-01",
        "http://vocab.getty.edu/aat/300138758",
    )
    rejected = linked_class(one, Decision(2, asked), "now")
    assert (rejected.item, rejected.gbif_key, rejected.relation) == ("", "1", "unlinked")


def test_classes_are_read_from_a_table_and_broken_rows_are_told(tmp_path: Path) -> None:
    path = tmp_path / "classes.csv"
    path.write_text("id,Label,Kingdom,gbifKey\n1,Pica pica,Animalia,9990001\n1,mask,,\n2,\n3,,,\n")
    subjects, troubles = read_subjects(path)
    assert [(one.id, one.label, one.kingdom, one.gbif_key) for one in subjects] == [
        ("1", "Pica pica", "Animalia", "9990001"),
        ("1#2", "mask", "", ""),
    ]
    assert troubles == ["row 4: 2 cells where 4 are due", "row 5: no label"]
    plain = tmp_path / "classes.txt"
    plain.write_text("mask\nAfrica\n")
    assert [one.label for one in read_subjects(plain)[0]] == ["mask", "Africa"]
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="needs a column label; there are a, b"):
        read_subjects(tmp_path / "other.csv")


def test_only_what_an_item_lacks_is_proposed(tmp_path: Path) -> None:
    [line] = additions([SURE, TIE, MASK], "2026-11-23T10:00:00Z")
    assert line.split("\t") == [
        "Q9990001",
        "P850",
        '"9990003"',
        "S854",
        '"https://www.marinespecies.org/aphia.php?p=taxdetails&id=9990003"',
        "S813",
        "+2026-10-01T00:00:00Z/11",
    ]
    borne = Weighed(Item(id="Q9990009", names=("Pica pica",)), (("P850", True), ("kingdom", False)))
    assert list(additions([replace(SURE, weighed=(*SURE.weighed, borne))], "2026-11-23")) == []
    assert write_additions(tmp_path / "a.txt", [SURE], "2026-11-23") == 1
    assert (tmp_path / "a.txt").read_text() == line + "\n"
