"""An import, done twice, and taken back: on made-up exports, on generated ones, and on the museum's real one."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowd.cms.csvfile import csv_bytes
from crowd.cms.delivery import deliver
from crowd.cms.determinations import Claims
from crowd.cms.holdings import holdings, split
from crowd.cms.importing import imported, removed
from crowd.cms.profile import Profile
from crowd.cms.profilefile import load_profile
from crowd.cms.table import Table, parse_table
from crowd.cms.terms import TermRules
from linkeddata.records import MediaFile
from tests.crowd.cms.made import PLACE, RIJKSMUSEUM, claims, entries_in_csv, export_bytes, label, table

REAL = Path(__file__).resolve().parents[3] / "../shared/data/rijksmuseum/cms-export-suriname.csv"


def as_the_tool_reads_it(base: Table, said: Claims, profile: Profile = RIJKSMUSEUM) -> Table:
    """The export after the CSV was written, read again and imported."""
    delivery = deliver(said, profile, base)
    data = csv_bytes(delivery.entries, profile, delivery.key)
    return imported(base, entries_in_csv(data, profile, delivery.key), profile)


@pytest.mark.parametrize("columns", ["as exported", "with the notes"])
def test_an_import_done_twice_is_done_once_and_can_be_taken_back(columns: str) -> None:
    base = table(export_bytes(30, {3: "Papilio no3", 4: "vlinder"}, {} if columns == "with the notes" else None))
    said = claims(f"RP-T-{n}" for n in range(20))
    first = deliver(said, RIJKSMUSEUM, base)
    assert len(first.delta.additions) == 19  # the third has it already
    after = as_the_tool_reads_it(base, said)
    second = deliver(said, RIJKSMUSEUM, after)
    assert (second.entries, second.undo, second.take_back) == ((), (), ())
    assert len(second.delta.present) == 20
    only_what_was_exported = parse_table(after.with_columns(base.header).data(), base.rules, name="again")
    assert deliver(said, RIJKSMUSEUM, only_what_was_exported).empty
    undone = imported(after, first.undo, RIJKSMUSEUM, repeats="replace").with_columns(base.header)
    assert undone.data() == base.data()


def test_the_real_export_takes_200_labels_twice() -> None:
    if not REAL.is_file():
        pytest.skip("the recorded export of the museum's system is not here")
    base = parse_table(REAL.read_bytes(), RIJKSMUSEUM.csv, name=REAL.name)
    assert base.data() == REAL.read_bytes()
    numbers = [row.cells[1] for row in base.rows]
    said = claims(random.Random(1596).sample(numbers, 200), taxa=60)
    first = deliver(said, RIJKSMUSEUM, base)
    assert (len(first.delta.additions), len(first.entries), first.delta.objects) == (200, 200, 200)
    assert first.checked[-1] == "the undo file gives the export back byte for byte, as far as it shows what is filled"
    after = as_the_tool_reads_it(base, said)
    for old, new in zip(base.rows, after.rows, strict=True):
        assert [c for at, c in enumerate(old.cells) if at != PLACE] == [
            c for at, c in enumerate(new.cells[: len(old.cells)]) if at != PLACE
        ]
    assert sum(1 for row in after.rows if row.cells[PLACE]) == 200
    second = deliver(said, RIJKSMUSEUM, after)
    assert second.empty
    assert len(second.delta.present) == 200
    assert imported(after, first.undo, RIJKSMUSEUM, repeats="replace").with_columns(base.header).data() == base.data()


WORDS = st.sampled_from(["Papilio no1", "papilio  NO2", "vlinder", "A", "", "x ", "De Boodt is geen noot"])
CELLS = st.lists(WORDS, max_size=3).map("$".join)
NAMES = st.sampled_from(["Papilio no1", "Papilio no2", "Käfer", "Ka\u0308fer", "a; b", "5 $", "x%3B|y", "A  b"])
LABELS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), NAMES), max_size=8)


@given(
    motifs=st.dictionaries(st.integers(0, 4), CELLS),
    notes=st.none() | st.dictionaries(st.integers(0, 4), CELLS),
    labels=LABELS,
    repeats=st.sampled_from(["append", "replace"]),
)
def test_what_was_there_stays_what_was_accepted_comes_and_undoing_gives_the_export_back(
    motifs: dict[int, str], notes: dict[int, str] | None, labels: list[tuple[int, int, str]], repeats: str
) -> None:
    profile = replace(RIJKSMUSEUM, repeats=repeats)
    base = table(export_bytes(5, motifs, {} if notes is None and repeats == "replace" else notes))
    names = {number: name for _, number, name in labels}
    said = Claims(
        files=tuple(MediaFile(iri=f"m{n}", inventory_number=f"RP-T-{n}") for n in range(6)),
        labels=tuple(label(f"{o}/{t}", f"m{o}", t, name=names[t]) for o, t, _ in labels),
    )
    first = deliver(said, profile, base)
    after = imported(base, first.entries, profile)
    before_held, after_held = holdings(base, profile).objects, holdings(after, profile).objects
    alike = profile.keeping.alike
    for number, held in after_held.items():
        column = profile.taxon_columns[0]
        old, new = before_held[number].values[column], held.values[column]
        assert new[: len(old)] == old
        wanted = {alike(one.name) for one in said.labels if f"RP-T-{one.file[1:]}" == number}
        assert {alike(value) for value in new} == {alike(value) for value in old} | wanted
        # two accepted taxa may have one name; there are never more values than labels
        assert len(new) - len(old) <= len({one.concept for one in said.labels if f"RP-T-{one.file[1:]}" == number})
    again = deliver(said, profile, after)
    assert not again.entries
    undone = imported(after, first.undo, profile, repeats="replace").with_columns(base.header)
    assert undone.data() == base.data()


@pytest.mark.parametrize("name", ["darwin-core", "tms"])
def test_lines_of_determinations_are_added_once_and_removed_again(name: str) -> None:
    profile = load_profile(name)
    columns = [profile.object_number.column, *profile.columns]
    cells = [["RP-T-0", *[""] * (len(columns) - 1)], ["RP-T-1", *["b, c"] * (len(columns) - 1)]]
    first_table = parse_table((",".join(columns) + "\n").encode(), profile.csv, name="rows.csv").longer(cells)
    base = parse_table(first_table.data(), profile.csv, name="rows.csv")
    said = claims(["RP-T-0", "RP-T-1", "RP-T-2"])
    first = deliver(said, profile, base)
    after = imported(base, first.entries, profile)
    assert len(after.rows) == 4
    assert [why for _, why in first.delta.refused] == ["object not in the export"]
    assert deliver(said, profile, after).empty
    assert removed(after, first.undo, profile).data() == base.data()


def test_axiell_default_keeps_subject_and_note_in_step() -> None:
    profile = load_profile("axiell")
    data = (
        "priref;object_number;content.subject;association.subject;association.subject.note\r\n7;A 1;bloem;bij$mug;\r\n"
    )
    base = parse_table(data.encode(), profile.csv, name="axiell.csv")
    after = imported(base, deliver(claims(["A 1"]), profile, base).entries, profile)
    _, _, subject, associated, note = after.rows[0].cells
    assert (subject, associated) == ("bloem$Papilio no0", "bij$mug$Papilio no0")
    first, second, third = split(note, "$")
    assert (first, second, third[:30]) == ("", "", "De Boodt 1: taxon Papilio no0;")


def test_the_name_follows_the_thesaurus_and_is_recognised_in_any_form() -> None:
    profile = replace(RIJKSMUSEUM, terms=TermRules(pattern="{vernacular} ({name})"))
    base = table(export_bytes(3))
    after = imported(base, deliver(claims(["RP-T-1"]), profile, base).entries, profile)
    assert after.rows[1].cells[PLACE] == "vlinder 0 (Papilio no0)"
    assert deliver(claims(["RP-T-1"]), RIJKSMUSEUM, after).empty
