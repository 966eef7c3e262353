"""Import files for the museum's system, read back with Python's own csv and XML readers."""

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowd.cms import (
    EXPORTS,
    FIELDS,
    SUFFIXES,
    CsvRules,
    Determination,
    Profile,
    XmlRules,
    adlibxml_lines,
    csv_lines,
    determinations,
    load_profile,
    parse_profile,
    profile_names,
    write_export,
)
from linkeddata.errors import UsageError
from linkeddata.records import Agent, Failure, Identification, Label, MediaFile

RECORDED = Path(__file__).resolve().parents[2] / "../shared/data/rijksmuseum"
RIJKSMUSEUM = load_profile("rijksmuseum")

PLATE = MediaFile(iri="m1", inventory_number="RP-T-1", page="https://commons.example/wiki/File:Plate_1.jpg")
LABEL = Label(
    id="l1", campaign="tag-the-species", file="m1", concept="Q158603", name="Vanessa cardui", rank="species",
    item="Q158603", gbif_key="4299368", support=3, dissent=1, voters=4, probability=4 / 6, status="accepted",
    method="majority", moment="2026-01-02T03:04:05Z",
)  # fmt: skip
ANSWER = Identification(
    id="i1", file="m1", model="butterflies", version="3", label="Papilio paris", rank="species", gbif_key="1937911",
    certainty=0.91234, agent="urn:deboodt:software:x", moment="2026-02-03T00:00:00Z", campaign="c",
)  # fmt: skip


def given_back(*claims: Label | Identification, files: tuple[MediaFile, ...] = (PLATE,)) -> list[Determination]:
    labels = [c for c in claims if isinstance(c, Label)]
    answers = [c for c in claims if isinstance(c, Identification)]
    return [one for one in determinations(files, labels, answers) if isinstance(one, Determination)]


def read_csv(text: str, delimiter: str = ";", repeat: str = "$") -> list[dict[str, list[str]]]:
    """Read as the museum's export is read: BOM off, ``;`` between columns, ``$`` between values."""
    stream = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8-sig", newline="")
    return [
        {k: v.split(repeat) for k, v in row.items()} for row in csv.DictReader(stream, delimiter=delimiter, strict=True)
    ]


def read_xml(text: str) -> list[ElementTree.Element]:
    return ElementTree.fromstring(text.encode()).findall("recordList/record")  # noqa: S314


# what goes back


def test_a_crowds_label_says_how_many_of_how_many() -> None:
    [one] = given_back(LABEL)
    assert one == Determination(
        object_number="RP-T-1",
        taxon="Vanessa cardui",
        rank="species",
        item="Q158603",
        gbif_key="4299368",
        authority="Wikidata",
        authority_number="Q158603",
        authority_iri="http://www.wikidata.org/entity/Q158603",
        source="crowd label",
        agent="crowd of tag-the-species, majority",
        date="2026-01-02",
        certainty="0.667",
        verification="crowd, 3 of 4",
        page=PLATE.page,
        note="Vanessa cardui (species, Q158603, GBIF 4299368); crowd of tag-the-species, majority; 2026-01-02; "
        "certainty 0.667; crowd, 3 of 4; https://commons.example/wiki/File:Plate_1.jpg",
    )


def test_a_machines_answer_says_so_with_model_and_version() -> None:
    [one] = given_back(ANSWER)
    assert (one.source, one.agent, one.verification) == ("model", "butterflies@3", "machine, unverified")
    assert (one.certainty, one.date) == ("0.912", "2026-02-03")
    assert (one.authority, one.authority_number, one.authority_iri) == (
        "GBIF", "1937911", "https://www.gbif.org/species/1937911",
    )  # fmt: skip


def test_a_persons_identification_is_credited_only_to_who_wants_it() -> None:
    agents = {
        "p1": Agent(id="p1", name="A. de Boodt"),
        "urn:deboodt:person:0a": Agent(id="urn:deboodt:person:0a"),
    }
    answers = [replace(ANSWER, id=agent, agent=agent, status="verified") for agent in agents]
    found = [one for one in determinations([PLATE], [], answers, agents) if isinstance(one, Determination)]
    assert {(one.source, one.agent, one.verification) for one in found} == {
        ("person", "A. de Boodt", "person, verified"),
        ("person", "urn:deboodt:person:0a", "person, verified"),
    }


def test_what_an_expert_accepted_goes_back_and_says_so() -> None:
    (both,) = given_back(replace(LABEL, status="reviewed", counted="tie"))
    assert both.verification == "crowd, 3 of 4, reviewed"
    (alone,) = given_back(replace(LABEL, status="reviewed", method="review", support=0, dissent=0, voters=0))
    assert alone.verification == "expert"


@pytest.mark.parametrize("status", ["single", "minority", "tie", "withdrawn", "rejected", "unfit", "disputed"])
def test_only_accepted_labels_go_back(status: str) -> None:
    assert given_back(replace(LABEL, status=status)) == []


def test_unknown_rejected_and_superseded_answers_stay_here() -> None:
    assert given_back(replace(ANSWER, label="")) == []
    assert given_back(replace(ANSWER, status="rejected")) == []
    new = replace(ANSWER, id="i2", version="4", supersedes="i1")
    assert [one.agent for one in given_back(ANSWER, new)] == ["butterflies@4"]


def test_a_file_whose_object_cannot_be_told_is_lost_once() -> None:
    nameless = MediaFile(iri="m2")
    twins = MediaFile(iri="m3", inventory_number="RP-T-2"), MediaFile(iri="m4", inventory_number=" RP-T-2 ")
    claims = [replace(LABEL, id=f"{f}{n}", file=f) for f in ("m1", "m2", "m3") for n in (1, 2)]
    result = list(determinations([PLATE, nameless, *twins], claims, [replace(ANSWER, file="m2")]))
    assert [(f.step, f.subject, f.reason) for f in result if isinstance(f, Failure)] == [
        ("export", "m2", "no object number"),
        ("export", "m3", "ambiguous object number"),
    ]
    assert {one.object_number for one in result if isinstance(one, Determination)} == {"RP-T-1"}


def test_what_is_simulated_says_so_in_every_format() -> None:
    found = given_back(LABEL, files=(replace(PLATE, simulated=True),))
    assert found[0].source == "crowd label, simulated"
    for export in EXPORTS.values():
        assert "SIMULATED SAMPLE" in "".join(export(found, RIJKSMUSEUM))


def test_the_order_of_the_input_does_not_matter() -> None:
    claims = [LABEL, ANSWER, replace(ANSWER, id="i2", label="Papilio helenus")]
    for export in EXPORTS.values():
        assert list(export(given_back(*claims), RIJKSMUSEUM)) == list(
            export(given_back(*claims[::-1])[::-1], RIJKSMUSEUM)
        )


# CSV


def test_csv_has_one_line_an_object_and_repeats_in_step() -> None:
    other = MediaFile(iri="m2", inventory_number="RP-T-0")
    text = "".join(csv_lines(given_back(LABEL, ANSWER, replace(LABEL, file="m2"), files=(PLATE, other)), RIJKSMUSEUM))
    assert text.startswith("\ufeffobjectnummer;inhoud.hoofdmotief.specifiek;")
    assert text.count("\r\n") == 3
    rows = read_csv(text)
    assert [row["objectnummer"] for row in rows] == [["RP-T-0"], ["RP-T-1"]]
    assert rows[1]["inhoud.hoofdmotief.specifiek"] == ["Papilio paris", "Vanessa cardui"]
    assert rows[1]["depicts.wikidata"] == ["", "Q158603"]
    assert rows[1]["depicts.verification"] == ["machine, unverified", "crowd, 3 of 4"]


def test_csv_is_shaped_as_the_museums_own_export() -> None:
    export = RECORDED / "cms-export-suriname.csv"
    if not export.is_file():
        pytest.skip("the recorded export of the museum's system is not here")
    theirs = export.read_bytes()
    header = theirs.split(b"\r\n")[0].decode("utf-8-sig").split(";")
    ours = "".join(csv_lines(given_back(LABEL), RIJKSMUSEUM)).encode()
    assert ours[:3] == theirs[:3]
    assert RIJKSMUSEUM.csv is not None
    named = [theirs for theirs, ours in RIJKSMUSEUM.csv.columns if not theirs.startswith("depicts.")]
    assert named
    assert set(named) <= set(header)
    assert len(read_csv(theirs.decode("utf-8"))) == 3668  # the reader of these tests reads the real thing


# adlibXML


def test_adlibxml_has_one_record_an_object_and_a_group_a_determination() -> None:
    [record] = read_xml("".join(adlibxml_lines(given_back(LABEL, ANSWER), RIJKSMUSEUM)))
    assert record.findtext("object.number") == "RP-T-1"
    assert [[(e.tag, e.text) for e in group] for group in record.findall("subject.keyword")] == [
        [
            ("term", "Papilio paris"),
            ("source", "GBIF"),
            ("term.number", "1937911"),
            ("PersistentIdentifier", "https://www.gbif.org/species/1937911"),
        ],
        [
            ("term", "Vanessa cardui"),
            ("source", "Wikidata"),
            ("term.number", "Q158603"),
            ("PersistentIdentifier", "http://www.wikidata.org/entity/Q158603"),
        ],
    ]
    notes = [note.text or "" for note in record.iterfind("notes/notes.public")]
    assert ["machine, unverified" in notes[0], "crowd, 3 of 4" in notes[1]] == [True, True]


def test_adlibxml_uses_field_names_that_the_museums_database_knows() -> None:
    listing = RECORDED / "adlib-fields.xml"
    if not listing.is_file():
        pytest.skip("the recorded field list of the museum's database is not here")
    known = {(e.text or "").strip() for e in ElementTree.parse(listing).iter("field")}  # noqa: S314
    assert RIJKSMUSEUM.adlibxml is not None
    used = {RIJKSMUSEUM.adlibxml.key} | {child for _, children in RIJKSMUSEUM.adlibxml.groups for child, _ in children}
    assert used - {"term"} <= known  # a thesaurus field's own value is its term


def test_adlibxml_has_the_frame_of_recorded_records() -> None:
    recorded = sorted((RECORDED / "adlib-xml-other-museums").glob("*/*.xml"))
    if not recorded:
        pytest.skip("the recorded adlibXML records are not here")
    frames = {
        (tree.getroot().tag, tree.getroot()[0].tag, tree.getroot()[0][0].tag)
        for tree in map(ElementTree.parse, recorded)
    }
    root = ElementTree.fromstring("".join(adlibxml_lines(given_back(LABEL), RIJKSMUSEUM)).encode())  # noqa: S314
    assert frames == {(root.tag, root[0].tag, root[0][0].tag)}


def test_nothing_to_give_back_is_an_empty_file_that_reads() -> None:
    assert read_csv("".join(csv_lines([], RIJKSMUSEUM))) == []
    assert read_xml("".join(adlibxml_lines([], RIJKSMUSEUM))) == []


# escaping, as a property

NASTY = st.text(
    alphabet=st.characters(exclude_categories=["Cs"]) | st.sampled_from("$;\"'\r\n\t<>&\x00＄=]"), max_size=12
)
_texts = {f: NASTY for f in FIELDS if f not in {"object_number", "page"}}
_determinations = st.lists(
    st.builds(
        Determination,
        object_number=st.sampled_from(["RP-T-1", 'RP "T"; 2', "NG-2008-48"]),
        page=NASTY.map(lambda text: f"https://commons.example/wiki/{text}"),
        **_texts,
    ),
    max_size=5,
)
EVERYTHING = Profile(
    name="all",
    title="",
    csv=CsvRules(columns=tuple((f"k.{f}", f) for f in FIELDS)),
    adlibxml=XmlRules(key="object.number", groups=(("group", tuple((f"k.{f}", f) for f in FIELDS)),)),
)


def readable(value: str) -> str:
    plain = value.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c if c.isprintable() or c in "\n\t" or ord(c) in _KEPT else "\ufffd" for c in plain)


# characters that Python does not call printable and XML nevertheless allows: spaces, format and private characters …
_KEPT = {n for n in range(0x85, 0x110000) if n == 0x85 or (n >= 0xA0 and n not in {0xFFFE, 0xFFFF})}


def by_object(found: list[Determination]) -> dict[str, list[Determination]]:
    ordered = sorted(found, key=lambda one: tuple(getattr(one, f) for f in FIELDS))
    return {n: [o for o in ordered if o.object_number == n] for n in sorted({one.object_number for one in found})}


@given(found=_determinations)
def test_csv_reads_back_as_what_was_written(found: list[Determination]) -> None:
    rows = read_csv("".join(csv_lines(found, EVERYTHING)))
    expected = by_object(found)
    assert [row["k.object_number"] for row in rows] == [[number] for number in expected]
    for row, group in zip(rows, expected.values(), strict=True):
        for name in _texts:
            values = [readable(getattr(one, name)).replace("$", "＄") for one in group]
            assert row[f"k.{name}"] == (values if any(values) else [""])
        assert row["k.page"] == [readable(one.page).replace("$", "%24") for one in group]


@given(found=_determinations)
def test_adlibxml_reads_back_as_what_was_written(found: list[Determination]) -> None:
    records = read_xml("".join(adlibxml_lines(found, EVERYTHING)))
    expected = by_object(found)
    assert [record.findtext("object.number") for record in records] == list(expected)
    for record, group in zip(records, expected.values(), strict=True):
        read = [{e.tag: e.text for e in entry} for entry in record.findall("group")]
        assert read == [{f"k.{f}": v for f in FIELDS if (v := readable(getattr(one, f)))} for one in group]


# files


@pytest.mark.parametrize("kind", EXPORTS)
def test_a_file_is_written_whole_under_the_profiles_name(tmp_path: Path, kind: str) -> None:
    path = write_export(given_back(LABEL), RIJKSMUSEUM, kind, tmp_path / "out")
    assert path == tmp_path / "out" / f"rijksmuseum{SUFFIXES[kind]}"
    assert path.read_bytes().decode() == "".join(EXPORTS[kind](given_back(LABEL), RIJKSMUSEUM))
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_an_unknown_format_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="known are csv, adlibxml"):
        write_export([], RIJKSMUSEUM, "xlsx", tmp_path)


# profiles

GOOD = '[csv]\n[csv.columns]\nnumber = "object_number"\nname = "taxon"\n'


def test_every_profile_that_is_shipped_can_be_loaded() -> None:
    assert profile_names() == ("rijksmuseum",)
    for name in profile_names():
        profile = load_profile(name)
        assert profile.name == name
        assert profile.title


def test_a_museums_own_profile_is_a_path(tmp_path: Path) -> None:
    path = tmp_path / "our-museum.toml"
    path.write_text(
        'title = "Ours"\n[csv]\ndelimiter = ","\nrepeat = "|"\nbom = false\n[csv.columns]\nnumber = "object_number"\n'
    )
    profile = load_profile(path)
    assert (profile.name, profile.title, profile.adlibxml) == ("our-museum", "Ours", None)
    assert "".join(csv_lines(given_back(LABEL), profile)) == "number\r\nRP-T-1\r\n"
    with pytest.raises(UsageError, match="profile our-museum says nothing about adlibxml"):
        write_export([], profile, "adlibxml", tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["our-museum.toml"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", r"p\.toml: neither \[csv\] nor \[adlibxml\]"),
        ("title = ", r"p\.toml: "),
        ("title = 3\n" + GOOD, r"p\.toml title must be text, not 3"),
        ("tittle = 'x'\n" + GOOD, r"p\.toml tittle is not a key that means anything"),
        ("csv = 3", r"p\.toml csv must be a table"),
        ("[csv]", r"p\.toml: \[csv\] columns is missing"),
        ("[csv]\nbom = 'yes'", r"p\.toml: \[csv\] bom must be true or false, not 'yes'"),
        (GOOD + 'x = "colour"', r"\[csv.columns\] x has no field 'colour' to take; known are object_number, taxon"),
        (GOOD + 'x = "object_number"', r"\[csv\] columns must take object_number exactly once"),
        ("[csv]\n[csv.columns]\nname = 'taxon'", r"\[csv\] columns must take object_number exactly once"),
        ("[csv]\ndelimiter = ';;'\n[csv.columns]\nn = 'object_number'", r"\[csv\] delimiter must be one character"),
        ("[csv]\nrepeat = ';'\n[csv.columns]\nn = 'object_number'", r"\[csv\] repeat is the same as the delimiter"),
        ("[csv]\nrepeat = 'e'\n[csv.columns]\nn = 'object_number'", r"\[csv\] repeat must be a sign"),
        ("[csv]\nrepeat = '%'\n[csv.columns]\nn = 'object_number'", r"\[csv\] repeat must be a sign"),
        ("[csv]\nrepeat_in_text = '$'\n[csv.columns]\nn = 'object_number'", r"\[csv\] repeat_in_text holds"),
        ("[adlibxml]\nkey = 'k'", r"\[adlibxml\] groups is missing"),
        ("[adlibxml]\n[adlibxml.groups.a]\nb = 'taxon'", r"\[adlibxml\] key is missing"),
        ("[adlibxml]\nkey = 'a b'\n[adlibxml.groups.a]\nb = 'taxon'", r"'a b' cannot be the name of an XML element"),
        ("[adlibxml]\nkey = 'k'\n[adlibxml.groups.a]\nb = 'colour'", r"\[adlibxml.groups.a\] b has no field 'colour'"),
    ],
)
def test_a_profile_that_cannot_be_meant_is_refused_by_file_table_and_key(source: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_profile(source.encode(), name="p", where="p.toml")


def test_a_profile_that_is_not_there_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no profile 'louvre': known are rijksmuseum"):
        load_profile("louvre")


def test_determinations_are_text_throughout() -> None:
    one: Any
    for one in given_back(LABEL, ANSWER):
        assert all(isinstance(getattr(one, name), str) for name in FIELDS)
