"""What is added, what is there, in conflict, to take back; notes; who is written of; which object a file shows."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowd.cms.delivery import deliver, undo_later, write
from crowd.cms.determinations import Claims, Determination, determinations
from crowd.cms.earlier import added, read_report
from crowd.cms.importing import imported
from crowd.cms.joins import object_numbers, read_joins
from crowd.cms.notes import WORDS, note_of, read_note
from crowd.cms.profile import JoinRules
from crowd.cms.report import report_of
from crowd.cms.values import plain
from linkeddata.errors import UsageError
from linkeddata.records import Agent, Identification, MediaFile
from tests.crowd.cms.made import PLACE, RIJKSMUSEUM, claims, export_bytes, reviewed, table

NOW = "2026-11-27T12:00:00Z"
ANSWER = Identification(
    id="i1", file="m1", model="butterflies", version="3", label="Papilio paris", rank="species", gbif_key="1937911",
    certainty=0.91234, agent="urn:deboodt:software:x", moment="2026-02-03T00:00:00Z", campaign="tag-the-species",
)  # fmt: skip
TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(";%$|\n  "), max_size=15)


@given(parts=st.fixed_dictionaries({name: TEXT for name in WORDS.values() if name not in ("image", "review", "id")}))
def test_a_note_reads_back_as_it_was_written(parts: dict[str, str]) -> None:
    parts["taxon"] = f"Papilio {parts['taxon']}"
    one = Determination(object_number="1", image="https://a.example/ä b;c%20d", simulated="yes", **parts)
    said = read_note(RIJKSMUSEUM.keeping.stored(note_of(one)), "1")
    assert said is not None
    assert {name: getattr(said, name) for name in parts} == {name: plain(value) for name, value in parts.items()}
    assert said.image == "https://a.example/ä%20b%3Bc%20d"
    assert said.simulated == "yes"


@pytest.mark.parametrize(
    "text", ["", "Papilio", "De Boodt 1: rank species", "De Boodt: taxon A", "van De Boodt 1: taxon A"]
)
def test_somebody_elses_note_is_not_ours(text: str) -> None:
    assert read_note(text, "1") is None


def made(said: Claims, **options: bool) -> list[Determination]:
    return determinations(said, {media.iri: media.inventory_number for media in said.files}, **options)


def test_everything_it_rests_on_is_told() -> None:
    [one] = made(reviewed(claims(["RP-T-1"]), "m0", "Q1"))
    assert (one.item, one.gbif_key, one.col_id, one.vernacular) == ("Q1", "100", "C0", "vlinder 0")
    assert (one.verification, one.certainty, one.date) == ("crowd, 3 of 4, reviewed", "0.667", "2026-03-04")
    assert one.agent == "crowd of tag-the-species, tree, accepted by urn:deboodt:person:0a"
    assert one.review == "https://deboodt.example/reviews/r1"


def test_what_an_expert_alone_accepted_says_so() -> None:
    said = claims(["RP-T-1"])
    alone = replace(said.labels[0], status="reviewed", method="review", support=0, dissent=0, voters=0)
    [one] = made(replace(said, labels=(alone,)))
    assert (one.source, one.verification, one.certainty) == ("expert", "expert", "")


@pytest.mark.parametrize(
    "status", ["single", "minority", "tie", "withdrawn", "rejected", "unfit", "disputed", "machine"]
)
def test_only_what_people_accepted_goes_out(status: str) -> None:
    assert made(claims(["RP-T-1"], status=status)) == []


def test_a_machines_unverified_answer_goes_out_only_where_asked_and_says_so() -> None:
    files = (MediaFile(iri="m1", inventory_number="RP-T-1"),)
    said = Claims(files=files, identifications=(ANSWER,))
    assert made(said) == []
    [one] = made(said, unverified=True)
    assert (one.agent, one.verification, one.certainty) == ("butterflies@3", "machine, unverified", "0.912")
    verified = replace(said, identifications=(replace(ANSWER, status="verified"),))
    assert [one.verification for one in made(verified)] == ["machine, verified"]
    parts = tuple(replace(verified.identifications[0], id=f"i{n}", region=f"xywh=percent:{n},0,9,9") for n in (5, 6))
    assert len(made(replace(said, identifications=parts))) == 1  # two of one taxon on a plate are one determination
    person = replace(ANSWER, model="", certainty=0, agent="p", status="verified", rule="review", supersedes="i0")
    [one] = made(replace(said, identifications=(person,), agents={"p": Agent(id="p", name="A. de Boodt")}))
    assert (one.source, one.agent, one.certainty) == ("person", "A. de Boodt", "")
    for credit, wanted in (
        (Agent(id="p", name="A. de Boodt", homepage="http://www.wikidata.org/entity/Q80"),
         "A. de Boodt (http://www.wikidata.org/entity/Q80)"),
        (Agent(id="p", homepage="https://orcid.org/0000-0002-1825-0097"), "https://orcid.org/0000-0002-1825-0097"),
        (Agent(id="p"), "p"),
    ):  # fmt: skip
        [one] = made(replace(said, identifications=(person,), agents={"p": credit}))
        assert one.agent == wanted
        assert read_note(note_of(one), one.object_number).agent == wanted
    newer = replace(ANSWER, id="i2", status="rejected", supersedes="i1")
    assert made(replace(verified, identifications=(*verified.identifications, newer)), unverified=True) == []


def test_what_is_withdrawn_is_told_and_can_be_taken_back_with_the_rest_kept() -> None:
    base = table(export_bytes(5, {1: "mug"}, {1: "een eigen noot"}))
    said = claims(["RP-T-1", "RP-T-2"])
    after = imported(base, deliver(said, RIJKSMUSEUM, base).entries, RIJKSMUSEUM)
    later = replace(said, labels=(replace(said.labels[0], status="rejected"), said.labels[1]))
    third = deliver(later, RIJKSMUSEUM, after)
    assert [(one.held.number, one.note.said.taxon) for one in third.delta.take_back] == [("RP-T-1", "Papilio no0")]
    assert not third.entries
    back = imported(after, third.take_back, RIJKSMUSEUM, repeats="replace")
    assert back.rows[1].cells[PLACE] == "mug"
    assert "een eigen noot" in back.rows[1].cells
    assert back.rows[2].cells == after.rows[2].cells
    assert deliver(later, RIJKSMUSEUM, after, campaigns=["another"]).delta.take_back == ()


def test_what_a_curator_took_out_stays_out_and_what_changed_is_told() -> None:
    base = table(export_bytes(3, notes={}))
    said = claims(["RP-T-1", "RP-T-2"])
    after = imported(base, deliver(said, RIJKSMUSEUM, base).entries, RIJKSMUSEUM)
    cells = list(after.rows[1].cells)
    cells[PLACE] = ""
    changed = after.changed({1: cells})
    surer = replace(said, labels=tuple(replace(one, support=4, probability=0.9) for one in said.labels))
    found = deliver(surer, RIJKSMUSEUM, changed)
    assert not found.entries
    assert {(one.held.number, one.why) for one in found.delta.conflicts} == {
        ("RP-T-1", "somebody took out what an earlier import put in"),
        ("RP-T-2", "the note there says otherwise"),
    }
    assert {one.detail for one in found.delta.conflicts} >= {"certainty 0.667, now 0.900"}


def test_a_field_that_keeps_one_value_is_not_overwritten() -> None:
    fields = tuple(replace(one, repeated=False) if one.value == "date" else one for one in RIJKSMUSEUM.fields)
    profile = replace(RIJKSMUSEUM, fields=fields)
    base = table(export_bytes(3, notes={}))
    filled = base.changed({1: [*base.rows[1].cells[:-1], "1999"]})
    found = deliver(claims(["RP-T-1"]), profile, filled)
    assert [one.detail for one in found.delta.conflicts] == ["notes.public.date: 1999, not 2026-01-02"]
    assert imported(filled, found.entries, profile).rows[1].cells[-1] == "1999"


def test_objects_not_found_or_ambiguous_are_refused_and_told() -> None:
    data = export_bytes(3).decode().replace("RP-T-2;", "RP-T-1;").encode()
    found = deliver(claims(["RP-T-0", "RP-T-1", "RP-T-9"]), RIJKSMUSEUM, table(data))
    assert {one.object_number: why for one, why in found.delta.refused} == {
        "RP-T-1": "object number of several records",
        "RP-T-9": "object not in the export",
    }
    counts = report_of(found, [], NOW)["counts"]
    assert (counts["objects matched"], counts["objects not found"], counts["objects ambiguous"]) == (1, 1, 1)


def test_a_report_says_what_is_lost_and_an_import_is_taken_back_by_it_later(tmp_path: Path) -> None:
    base = table(export_bytes(5))
    first = deliver(claims(["RP-T-1", "RP-T-2"]), RIJKSMUSEUM, base)
    paths = {path.name for path in write(first, tmp_path, now=lambda: NOW)}
    ends = ("", "-undo")
    assert paths == {f"rijksmuseum{end}{kind}" for end in ends for kind in (".csv", ".xml", ".dat")} | {
        f"rijksmuseum-report.{kind}" for kind in ("json", "txt", "html")
    }
    text = (tmp_path / "rijksmuseum-report.txt").read_text(encoding="utf-8")
    assert "The export does not show notes.public" in text
    assert "byte for byte" in text
    report = read_report(tmp_path / "rijksmuseum-report.json")
    assert report["losses"]["item"] == "in the note, which the export does not show"
    after = imported(base, first.entries, RIJKSMUSEUM)
    worked_on = after.changed({1: [*after.rows[1].cells[:PLACE], "Papilio no0$mug", *after.rows[1].cells[PLACE + 1 :]]})
    number, _ = undo_later(report, RIJKSMUSEUM, worked_on, tmp_path, ["csv"])
    assert number == 2
    with pytest.raises(UsageError, match="undo file"):
        write(deliver(claims(["RP-T-3"]), RIJKSMUSEUM, after), tmp_path, now=lambda: NOW)
    other = tmp_path / "other"
    other.mkdir()
    (other / "rijksmuseum.csv").write_bytes(b"the museum's own")
    with pytest.raises(UsageError, match="was not written by us"):
        write(first, other, now=lambda: NOW)
    assert [path.read_bytes() for path in other.iterdir()] == [b"the museum's own"]
    gone = deliver(claims([]), RIJKSMUSEUM, after.with_columns(base.header), earlier=added(report))
    assert [one.held.number for one in gone.delta.take_back] == ["RP-T-1", "RP-T-2"]
    assert all(entry.of(RIJKSMUSEUM.fields[0]) == () for entry in gone.take_back)


def test_ways_to_an_object_must_agree_and_a_table_has_the_last_word(tmp_path: Path) -> None:
    rules = JoinRules(title=r"(?P<object>RP-T-\d+)", description=r"Objectnummer: (?P<object>\S+)")
    files = [
        MediaFile(iri="https://a.example/1", inventory_number="RP-T-1", title="File:RP-T-1 recto.jpg"),
        MediaFile(iri="https://a.example/2", inventory_number="RP-T-2", title="File:RP-T-3.jpg"),
        MediaFile(iri="https://a.example/4", title="File:Bee.jpg", description="Objectnummer: RP-T-4"),
        MediaFile(iri="https://a.example/5", title="File:A_fly.jpg"),
        MediaFile(iri="https://a.example/6", inventory_number="RP-T-6"),
        MediaFile(iri="https://a.example/7", inventory_number="RP-T-6"),
    ]
    path = tmp_path / "joins.csv"
    path.write_text("file,object\nA fly.jpg,RP-T-5\n", encoding="utf-8")
    numbers, lost = object_numbers(files, rules, read_joins(path))
    assert {iri[-1]: number for iri, number in numbers.items()} == {"1": "RP-T-1", "4": "RP-T-4", "5": "RP-T-5"}
    assert {one.subject[-1]: one.reason for one in lost} == dict.fromkeys("267", "ambiguous object number")
    numbers, _ = object_numbers(files, replace(rules, many=True), {})
    assert sorted(iri[-1] for iri in numbers) == ["1", "4", "6", "7"]
