"""Darwin Core Archives as text: what meta.xml may say, archives without one, and what is damaged."""

import zipfile
from pathlib import Path

import pytest

from linkeddata.dwca import Values, rows, tables
from linkeddata.errors import UsageError

META = """<?xml version="1.0"?>
<archive xmlns="http://rs.tdwg.org/dwc/text/">
  <extension rowType="http://rs.gbif.org/terms/1.0/Multimedia" fieldsTerminatedBy="\\t" fieldsEnclosedBy=""
      ignoreHeaderLines="1" encoding="ISO-8859-1">
    <files><location>media1.txt</location><location>media2.txt</location></files>
    <coreid index="1"/>
    <field index="0" term="http://purl.org/dc/terms/identifier"/>
    <field index="2" term="http://purl.org/dc/terms/creator" default="nobody"/>
    <field term="http://purl.org/dc/terms/license" default="CC0" vocabulary="http://example.org/licences"/>
  </extension>
  <core rowType="http://rs.tdwg.org/dwc/terms/Occurrence">
    <files><location>occurrence.csv</location></files>
    <id index="0"/>
    <field index="1" term="http://rs.tdwg.org/dwc/terms/scientificName"/>
    <field index="2" term="http://rs.tdwg.org/dwc/terms/catalogNumber"/>
  </core>
</archive>
"""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "meta.xml").write_text(META, encoding="utf-8")
    (folder / "media1.txt").write_bytes("id\tcore\tmaker\nm1\t1\tZoë\n".encode("latin-1"))
    (folder / "media2.txt").write_bytes(b'id\tcore\tmaker\nm2\t1\t\nm3\t2\t"stray\nm4\t2\ta\tb\tc\n')
    text = '1,"Parus major, ""Linnaeus"" 1758","RMNH\n5"\r\n2,Oenanthe\r\n\r\n'
    (folder / "occurrence.csv").write_bytes(text.encode())
    return folder


def test_what_meta_xml_says_is_done(archive: Path) -> None:
    core, media = tables(archive)
    assert (core.kind, media.kind, core.columns[1:]) == (
        "Occurrence",
        "Multimedia",
        ("http://rs.tdwg.org/dwc/terms/scientificName", "http://rs.tdwg.org/dwc/terms/catalogNumber"),
    )
    told = Values(core)
    assert [(r.number, told.of(r, "scientificName"), told.of(r, "catalogNumber")) for r in rows(archive, core)] == [
        (1, 'Parus major, "Linnaeus" 1758', "RMNH\n5"),
        (2, "Oenanthe", ""),
    ]
    told = Values(media)
    given = list(rows(archive, media))
    assert [(r.file, r.number, told.of(r, "creator"), told.of(r, "license")) for r in given] == [
        ("media1.txt", 2, "Zoë", "CC0"),
        ("media2.txt", 2, "nobody", "CC0"),
        ("media2.txt", 3, '"stray', "CC0"),
        ("media2.txt", 4, "a", "CC0"),
    ]
    assert [r.trouble for r in given] == ["", "", "", "5 cells where 3 are due"]


def test_a_zip_is_read_like_a_folder(archive: Path, tmp_path: Path) -> None:
    packed = tmp_path / "archive.zip"
    with zipfile.ZipFile(packed, "w") as made:
        for file in archive.iterdir():
            made.write(file, f"inner/{file.name}")
    assert [list(rows(packed, table)) for table in tables(packed)] == [
        list(rows(archive, table)) for table in tables(archive)
    ]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_one_table_with_a_heading_is_an_archive(tmp_path: Path, newline: str) -> None:
    lines = ["taxonID;dwc:scientificName;http://rs.tdwg.org/dwc/terms/taxonRank", '1;"a;b";species', "2;c;genus"]
    (tmp_path / "taxa.csv").write_text("\ufeff" + newline.join(lines), encoding="utf-8", newline="")
    for place in (tmp_path, tmp_path / "taxa.csv"):
        (table,) = tables(place)
        told = Values(table)
        assert table.kind == "Taxon"
        assert [(told.of(r, "scientificName"), told.of(r, "taxonRank")) for r in rows(place, table)] == [
            ("a;b", "species"),
            ("c", "genus"),
        ]


def test_what_is_no_archive_is_refused_by_name(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere: there is no such archive"):
        tables(tmp_path / "nowhere")
    (archive / "occurrence.csv").unlink()
    with pytest.raises(UsageError, match=r"there is no occurrence\.csv in this archive"):
        list(rows(archive, tables(archive)[0]))
    (archive / "meta.xml").write_text(META.replace("ISO-8859-1", "klingon"), encoding="utf-8")
    with pytest.raises(UsageError, match="unknown encoding: klingon"):
        list(rows(archive, tables(archive)[1]))
    (archive / "meta.xml").write_text("<archive>", encoding="utf-8")
    with pytest.raises(UsageError, match=r"meta\.xml cannot be read"):
        tables(archive)
    (archive / "meta.xml").unlink()
    with pytest.raises(UsageError, match=r"no meta\.xml, and 2 tables"):
        tables(archive)


def test_a_damaged_zip_is_named(archive: Path, tmp_path: Path) -> None:
    packed = tmp_path / "archive.zip"
    with zipfile.ZipFile(packed, "w") as made:
        for file in archive.iterdir():
            made.write(file, file.name)
    whole = packed.read_bytes()
    packed.write_bytes(whole.replace(b"Oenanthe", b"Oenantha"))
    with pytest.raises(UsageError, match="Bad CRC-32"):
        list(rows(packed, tables(packed)[0]))
