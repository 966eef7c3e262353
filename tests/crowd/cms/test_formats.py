"""Import files as other programs read them; profiles that can and cannot be meant."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from crowd.cms.delivery import deliver
from crowd.cms.formats import FORMATS, formats_of
from crowd.cms.profilefile import load_profile, parse_profile, profile_names
from crowd.cms.table import parse_table
from linkeddata.errors import UsageError
from tests.crowd.cms.made import (
    RIJKSMUSEUM,
    claims,
    entries_in_csv,
    export_bytes,
    records_in_tagged,
    records_in_xml,
    table,
)

RECORDED = Path(__file__).resolve().parents[3] / "../shared/data/rijksmuseum"
FOUND = deliver(claims(["RP-T-1", "RP-T-2"]), RIJKSMUSEUM, table(export_bytes(4, {1: "mug$bij"})))


def written(kind: str, entries: tuple = FOUND.entries) -> bytes:  # type: ignore[type-arg]
    return FORMATS[kind](entries, RIJKSMUSEUM, RIJKSMUSEUM.key)


def test_csv_has_the_key_and_the_difference_alone() -> None:
    data = written("csv")
    assert data.startswith(
        "\ufeffrecordnummer;inhoud.hoofdmotief.specifiek;notes.public;notes.public.date\r\n".encode()
    )
    read = entries_in_csv(data, RIJKSMUSEUM, RIJKSMUSEUM.key)
    assert [(one.key, one.of(RIJKSMUSEUM.fields[0])) for one in read] == [
        ("1001", ("Papilio no0",)),
        ("1002", ("Papilio no1",)),
    ]


def test_adlibxml_has_a_record_an_object_and_a_group_an_occurrence() -> None:
    first, _ = records_in_xml(written("adlibxml"))
    assert [(e.tag, e.text) for e in first][:2] == [("priref", "1001"), ("subject.keyword", "Papilio no0")]
    assert [e.tag for e in first[2]] == ["notes.public", "notes.public.date"]
    undo, empty = records_in_xml(written("adlibxml", FOUND.undo))
    assert [e.text for e in undo.findall("subject.keyword")] == ["mug", "bij"]
    assert [e.text for e in empty.findall("subject.keyword")] == [None]


def test_tagged_has_a_line_a_value_and_a_mark_after_each_record() -> None:
    first, second = records_in_tagged(written("tagged"))
    assert [tag for tag, _ in first] == ["%0", "T1", "N1", "N2"]
    assert (first[0][1], second[1][1]) == ("1001", "Papilio no1")


def test_names_and_frames_are_those_of_the_real_system() -> None:
    if not RECORDED.is_dir():
        pytest.skip("the recorded export, field list and records are not here")
    header = (RECORDED / "cms-export-suriname.csv").read_bytes().split(b"\r\n")[0].decode("utf-8-sig").split(";")
    known = {(e.text or "").strip() for e in ElementTree.parse(RECORDED / "adlib-fields.xml").iter("field")}  # noqa: S314
    assert {RIJKSMUSEUM.key.column, RIJKSMUSEUM.object_number.column, *RIJKSMUSEUM.taxon_columns} <= set(header)
    assert {field.element for field in RIJKSMUSEUM.fields} | {RIJKSMUSEUM.object_number.element} <= known
    ours = ElementTree.fromstring(written("adlibxml"))  # noqa: S314
    for path in (RECORDED / "adlib-xml-other-museums").glob("*/*.xml"):
        theirs = ElementTree.parse(path).getroot()  # noqa: S314
        assert (theirs.tag, theirs[0].tag, theirs[0][0].tag) == (ours.tag, ours[0].tag, ours[0][0].tag)


def test_every_profile_that_is_shipped_can_be_loaded() -> None:
    assert profile_names() == ("axiell", "darwin-core", "rijksmuseum", "tms")
    for name in profile_names():
        profile = load_profile(name)
        assert profile.title
        assert formats_of(profile)[0] == "csv"
    with pytest.raises(UsageError, match="says nothing about tagged"):
        formats_of(load_profile("tms"), ["tagged"])
    with pytest.raises(UsageError, match="known are csv, adlibxml, tagged"):
        formats_of(RIJKSMUSEUM, ["xlsx"])
    with pytest.raises(UsageError, match="no profile 'louvre': known are axiell"):
        load_profile("louvre")


KEYS = '[key]\ncolumn = "nr"\n[object_number]\ncolumn = "nr"\n[csv]\n'
FIELD = '[[fields]]\nvalue = "taxon"\ncolumn = "name"\n'


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("title = ", r"p\.toml: "),
        ("title = 3", r"p\.toml title must be text, not 3"),
        (FIELD, r"p\.toml key is missing"),
        (KEYS, r"fields is missing or no list of tables"),
        (KEYS + "[colour]\n" + FIELD, r"colour is not a key that means anything"),
        (KEYS + '[[fields]]\nvalue = "colour"\ncolumn = "c"', r"\[fields 1\] value = 'colour': there is no such field"),
        (KEYS + '[[fields]]\ncolumn = "c"', r"\[fields 1\] value or text must be given"),
        (KEYS + '[[fields]]\nvalue = "note"\ncolumn = "c"', r"none with a column takes term or taxon"),
        (KEYS + FIELD + FIELD, r"column 'name' is empty or taken twice"),
        (KEYS + 'delimiter = ";;"\n' + FIELD, r"\[csv\] delimiter must be one character"),
        (KEYS + '[values]\nrepeat = ","\n' + FIELD, r"\[values\] repeat must be one of the signs"),
        (KEYS + '[join]\ntitle = "(x)"\n' + FIELD, r"\[join\] title = '\(x\)' has no group"),
        (KEYS + '[taxon]\npattern = "{colour}"\n' + FIELD, r"\[taxon\] pattern = '\{colour\}': made of"),
        (KEYS + "[adlibxml]\n" + FIELD, r"\[adlibxml\] needs element of \[key\]"),
        ('rows = "determinations"\n' + KEYS + FIELD, r"none takes id or note"),
        ('repeats = "guess"\n' + KEYS + FIELD, r"repeats must be one of append, replace"),
    ],
)
def test_a_profile_that_cannot_be_meant_is_refused_by_file_table_and_key(source: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_profile(source.encode(), name="p", where="p.toml")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"a,b\n1,2\n", "another delimiter"),
        (b"a;a\n1;2\n", "'a' is there twice"),
        (b"a;b\n1;\xff\n", "line 2 is not utf-8"),
        (b'a;b\n1;2\n"x;3\n', "line 3: "),
    ],
)
def test_an_export_that_cannot_be_read_is_refused_by_line(data: bytes, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_table(data, RIJKSMUSEUM.csv, name="base.csv")


def test_an_export_without_what_is_needed_says_what() -> None:
    with pytest.raises(UsageError, match=r"has no column 'recordnummer'.*export them, too"):
        deliver(claims(["1"]), RIJKSMUSEUM, parse_table(b"a;b\n1;2\n", RIJKSMUSEUM.csv, name="base.csv"))


def test_a_broken_line_is_left_as_it_is_and_stops_nothing() -> None:
    data = export_bytes(3) + b"9;too;short\r\n\r\n"
    found = deliver(claims(["RP-T-1"]), RIJKSMUSEUM, table(data))
    assert len(found.entries) == 1
    assert "byte for byte" in found.checked[-1]
    assert [row.cells for row in table(data).broken()] == [("9", "too", "short")]
