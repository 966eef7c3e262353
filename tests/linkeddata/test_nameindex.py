"""The offline resolver: reading checklists, building an index, and every kind of answer from it."""

import csv
import gzip
import itertools
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from benchmarks.names_accuracy import answerable, outcomes, parsing_share, recorded_share, share
from linkeddata.errors import UsageError
from linkeddata.ids import COL_XR, GBIF_BACKBONE
from linkeddata.nameindex.answers import COLUMNS, NameAnswer, NameQuery, row_of
from linkeddata.nameindex.build import BuildReport, build_index
from linkeddata.nameindex.index import NameIndex, open_index
from linkeddata.nameindex.resolve import Resolver, resolve_names, to_taxon
from linkeddata.nameindex.sources import BrokenRow, Source, UsageRow, VernacularRow, open_source
from linkeddata.records import Ancestor

HEADER = "usageKey\tacceptedUsageKey\tscientificName\tcanonicalName\trank\tstatus\tkingdom\tclass\tfamily\tgenus"
BIRDS = "Animalia\tAves\tParidae"
USAGES = [
    "1\t\tAnimalia\tAnimalia\tKINGDOM\tACCEPTED\t\t\t\t",
    "2\t\tParidae Vigors, 1825\tParidae\tFAMILY\tACCEPTED\tAnimalia\tAves\t\t",
    "3\t\tCyanistes Kaup, 1829\tCyanistes\tGENUS\tACCEPTED\tAnimalia\tAves\tParidae\t",
    f"10\t\tCyanistes caeruleus (Linnaeus, 1758)\tCyanistes caeruleus\tSPECIES\tACCEPTED\t{BIRDS}\tCyanistes",
    f"11\t10\tParus caeruleus Linnaeus, 1758\tParus caeruleus\tSPECIES\tSYNONYM\t{BIRDS}\tCyanistes",
    f"12\t\tCyanistes cyanus (Pallas, 1770)\tCyanistes cyanus\tSPECIES\tACCEPTED\t{BIRDS}\tCyanistes",
    f"13\t\tParus major Linnaeus, 1758\tParus major\tSPECIES\tACCEPTED\t{BIRDS}\tParus",
    f"14\t\tParus major excelsus Buvry, 1857\tParus major excelsus\tSUBSPECIES\tACCEPTED\t{BIRDS}\tParus",
    "20\t\tOenanthe Vieillot, 1816\tOenanthe\tGENUS\tACCEPTED\tAnimalia\tAves\tMuscicapidae\t",
    "21\t\tOenanthe L.\tOenanthe\tGENUS\tACCEPTED\tPlantae\tMagnoliopsida\tApiaceae\t",
    "22\t\tAus Smith, 1900\tAus\tGENUS\tACCEPTED\tAnimalia\tInsecta\tAidae\t",
    "23\t\tAus Jones, 1910\tAus\tGENUS\tACCEPTED\tAnimalia\tInsecta\tBidae\t",
    "24\t\tKoala Gray, 1827\tKoala\tGENUS\tACCEPTED\tAnimalia\tMammalia\tPhascolarctidae\t",
    "30\t\tBOLD:AAX3687\t\tUNRANKED\tACCEPTED\tAnimalia\t\t\t",
    "31\t\tTobacco mosaic virus\t\tSPECIES\tACCEPTED\tViruses\t\tVirgaviridae\t",
    "32\t\tSalix × rubens Schrank\tSalix rubens\tSPECIES\tACCEPTED\tPlantae\t\tSalicaceae\tSalix",
]
SPOKEN = {"10": [("nl", "Pimpelmees"), ("en", "Eurasian Blue Tit")], "13": [("nl", "Koolmees")]}


class Table(Source):
    """A checklist with vernacular names, in one table of usages and one dict of names."""

    def rows(self) -> Iterator[UsageRow | VernacularRow | BrokenRow]:  # type: ignore[override]
        yield from super().rows()  # type: ignore[misc]
        for key, names in SPOKEN.items():
            yield from (VernacularRow(key, name, language) for language, name in names)
        yield VernacularRow("12", "Mees", "nl")
        yield VernacularRow("13", "mees", "nl")


@pytest.fixture(scope="module")
def birds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NameIndex]:
    """An index of a handful of usages, homonyms and vernaculars among them."""
    folder = tmp_path_factory.mktemp("birds")
    table = folder / "birds.tsv"
    table.write_text("\n".join([HEADER, *USAGES]) + "\n", encoding="utf-8")
    crosswalk = folder / "gbif-col.tsv"
    crosswalk.write_text("gbif:ID\tgbif:status\tcol:ID\tcol:rank\n10\tACCEPTED\t6CQ5H\tspecies\n", encoding="utf-8")
    source = open_source(table)
    build_index(
        [Table(source.path, source.format, source.checklist_key, "2026-07-01"), open_source(crosswalk)], folder / "i"
    )
    with open_index(folder / "i") as index:
        yield index


def ask(index: NameIndex, name: str, **given: str) -> NameAnswer:
    return Resolver(index).answer(NameQuery(name, **given))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "context", "match_type", "key"),
    [
        ("Cyanistes caeruleus", {}, "EXACT", "10"),
        ("Cyanistes caeruleus (Linnaeus, 1758)", {}, "EXACT", "10"),
        ("Cyanistes caeruleus (L.)", {}, "EXACT", "10"),
        ("Parus caeruleus", {}, "EXACT", "11"),
        ("Cyanistes caerulea", {}, "FUZZY", "10"),
        ("Cyanistes caerulus", {}, "FUZZY", "10"),
        ("Cyanistis caeruleus", {}, "FUZZY", "10"),
        ("Cyanistis caerulus", {}, "FUZZY", "10"),
        ("Cyanistes novus", {}, "HIGHERRANK", "3"),
        ("Cyanistes sp.", {}, "HIGHERRANK", "3"),
        ("Nusquam ignotus", {"family": "Paridae", "kingdom": "Animalia"}, "HIGHERRANK", "2"),
        ("Nusquam ignotus", {}, "NONE", ""),
        ("Oenanthe", {}, "NONE", ""),
        ("Oenanthe", {"kingdom": "Plantae"}, "EXACT", "21"),
        ("Oenante", {"kingdom": "Animalia"}, "FUZZY", "20"),
        ("Oenanthe L.", {}, "EXACT", "21"),
        ("Cyanistes caerulus", {"kingdom": "Plantae"}, "NONE", ""),
        ("Koola", {}, "NONE", ""),
        ("Aus", {}, "NONE", ""),
        ("pimpelmees", {}, "VERNACULAR", "10"),
        ("mees", {}, "NONE", ""),
        ("C. caeruleus", {"genus": "Cyanistes"}, "EXACT", "10"),
        ("caeruleus", {"genus": "Cyanistes"}, "EXACT", "10"),
        ("bold:aax3687", {}, "EXACT", "30"),
        ("BOLD:AAX3688", {}, "NONE", ""),
        ("Tobacco mosaic virus", {}, "EXACT", "31"),
        ("Salix x rubens", {}, "EXACT", "32"),
        ("gbif:10", {}, "IDENTIFIER", "10"),
        ("", {"identifier": "col:6CQ5H"}, "IDENTIFIER", "10"),
        ("gbif:99", {}, "NONE", ""),
        ("", {}, "NONE", ""),
        ("Cyanistes caerulus", {"strict": True}, "NONE", ""),
    ],
)
def test_answers(birds: NameIndex, name: str, context: dict[str, str], match_type: str, key: str) -> None:
    answer = ask(birds, name, **context)
    assert (answer.match_type, answer.usage_key) == (match_type, key)
    assert 0 <= answer.confidence <= 100
    assert bool(answer.reason) == (match_type in ("NONE", "HIGHERRANK"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (
            "Oenanthe",
            "homonym across kingdoms and codes (botanical, zoological): "
            "Oenanthe L. (Plantae, 21), Oenanthe Vieillot, 1816 (Animalia, 20)",
        ),
        ("Salix alpina", "not found"),
        ("Aus", "tie: Aus Jones, 1910 (Animalia, 23), Aus Smith, 1900 (Animalia, 22)"),
        ("mees", "tie: Cyanistes cyanus (Pallas, 1770) (12), Parus major Linnaeus, 1758 (13)"),
        ("Nusquam ignotus", "not found"),
        ("Spodoptera frugiperda MNPV", "not a name: Spodoptera frugiperda mnpv (other)"),
        (" ", "not a name: nothing is written"),
    ],
)
def test_none_says_why(birds: NameIndex, name: str, reason: str) -> None:
    answer = ask(birds, name)
    assert (answer.reason, answer.confidence) == (reason, 0)


def test_a_tie_lists_its_candidates_with_their_evidence(birds: NameIndex) -> None:
    candidates = ask(birds, "Oenanthe").alternatives
    assert {one.usage_key for one in candidates} == {"20", "21"}
    assert dict(candidates[0].evidence)["name"] == 100


def test_a_synonym_is_told_with_its_accepted_name_and_both_keys(birds: NameIndex) -> None:
    answer = ask(birds, "parus caeruleus linnaeus, 1758")
    assert (answer.usage_key, answer.accepted_usage_key, answer.status) == ("11", "10", "SYNONYM")
    assert answer.note == "Parus caeruleus Linnaeus, 1758 is a synonym of Cyanistes caeruleus (Linnaeus, 1758)"
    assert (answer.gbif_key, answer.col_id, answer.checklist_key) == ("10", "6CQ5H", GBIF_BACKBONE)
    assert answer.moment
    assert answer.classification[0] == Ancestor("kingdom", "Animalia")
    assert ("nl", "Pimpelmees") in answer.vernaculars
    taxon = to_taxon(answer, "2026-08-01T00:00:00Z")
    assert (taxon.concept, taxon.name, taxon.status, taxon.rank) == (
        "gbif:10",
        "Cyanistes caeruleus",
        "SYNONYM",
        "species",
    )


def test_a_subspecies_merges_into_its_species(birds: NameIndex) -> None:
    answer = ask(birds, "Parus major excelsus", merge_to="species")
    assert answer.usage_key == "14"
    assert answer.accepted_canonical in ("Parus major excelsus", "Parus major")


@pytest.mark.parametrize(
    ("name", "qualifier"),
    [
        ("Cyanistes cf. caeruleus", "cf."),
        ("cf. Cyanistes caeruleus", "cf."),
        ("Cyanistes caeruleus s.l.", "s.l."),
        ("Cyanistes sp. 2", "sp. 2"),
        ("Cyanistes caeruleus/cyanus", "caeruleus/cyanus"),
        ("Salix ×rubens", "×"),
    ],
)
def test_qualifiers_are_kept_apart(birds: NameIndex, name: str, qualifier: str) -> None:
    assert ask(birds, name).identification_qualifier == qualifier


@pytest.mark.parametrize(
    ("name", "match_type", "key"),
    [
        ("cf. Cyanistes caeruleus", "EXACT", "10"),
        ("Cyanistes caeruleus/cyanus", "HIGHERRANK", "3"),
        ("Parus m. major", "HIGHERRANK", "13"),
        ("Parus major?", "EXACT", "13"),
        ("Salix ×rubens Schrank", "EXACT", "32"),
    ],
)
def test_how_labels_write_names(birds: NameIndex, name: str, match_type: str, key: str) -> None:
    for written in (name, name.upper(), name.lower()):
        answer = ask(birds, written)
        assert (answer.match_type, answer.usage_key) == (match_type, key)


def test_a_name_that_disagrees_with_its_identifier_is_noted(birds: NameIndex) -> None:
    answer = ask(birds, "Parus major", identifier="gbif:10")
    assert (answer.match_type, answer.usage_key) == ("IDENTIFIER", "10")
    assert "the name leads to Parus major" in answer.note
    assert "does not have gbif:99" in ask(birds, "Parus major", identifier="gbif:99").note


def test_the_columns_carry_gbifs_own_names(birds: NameIndex) -> None:
    row = row_of(ask(birds, "Parus caeruleus"))
    assert list(row) == list(COLUMNS)
    assert (row["usageKey"], row["acceptedUsageKey"], row["matchType"]) == ("11", "10", "EXACT")


def test_names_are_suggested_in_their_order(birds: NameIndex) -> None:
    assert birds.names_starting("cyan") == ["Cyanistes", "Cyanistes caeruleus", "Cyanistes cyanus"]
    assert len(birds) == len(USAGES)


NAMES = [line.split("\t")[2] for line in USAGES] + [name for names in SPOKEN.values() for _, name in names]
STRANGERS = [
    "Cyanistes ignotus", "Parus major novus", "Parus major Linnaeus", "Cyanistes Kaup", "Parus merrill", "Oenanthe x",
    "Parus caeruleus L., nom. illeg.", "Cyanistes cf. caeruleus", "Parus (Parus) major L. 1758", "Nusquam Smith",
    "Parus major var. minor (L.) Mill. f.", "× Salix rubens", "? major Linnaeus, 1758", "Cyanistes von Hügel, 1900",
    "BOLD:AAX3688", "Spodoptera frugiperda MNPV", "Parus major × Parus ater", "Parus sp. nov.", "Cyanistes caerulus L.",
    "cfr. Parus major", "Parus major/ater", "Parus m. major", "Parus major?", "Salix ×rubens Schrank", "Parus A/B",
]  # fmt: skip
"""Texts that the index does not have as they stand."""
CASES = some.sampled_from([str, str.upper, str.lower, str.swapcase, str.title])
BLANKS = some.sampled_from([" ", "  ", "\t", "\u00a0", "\u2003 "])
ENDS = some.sampled_from(["", " ", "\n", "\u00a0", " \u200b"])


def but_query(answer: NameAnswer) -> NameAnswer:
    return answer._replace(query="")


@settings(max_examples=400)
@given(some.sampled_from([*NAMES, *STRANGERS]), CASES, BLANKS, ENDS)
def test_case_and_blanks_never_change_the_answer(
    birds: NameIndex, name: str, case: object, blank: str, end: str
) -> None:
    assert callable(case)
    written = end + case(name).replace(" ", blank) + end
    assert but_query(ask(birds, written)) == but_query(ask(birds, name))
    assert but_query(ask(birds, written, kingdom="ANIMALIA")) == but_query(ask(birds, name, kingdom="Animalia"))


@pytest.mark.parametrize(
    ("name", "match_type", "key", "alike"),
    [
        ("Parus major Linnaeus", "EXACT", "13", "parus major"),  # the authors that the index has
        ("Cyanistes Kaup", "EXACT", "3", "cyanistes"),
        ("Parus major Merrill", "EXACT", "13", "parus major"),  # no epithet ends so
        ("Cyanistes ignotus", "HIGHERRANK", "3", ""),  # and not a genus by an author called Ignotus
        ("Parus major novus", "HIGHERRANK", "13", ""),
    ],
)
def test_a_last_word_is_an_epithet_or_an_author(
    birds: NameIndex, name: str, match_type: str, key: str, alike: str
) -> None:
    for written in (name, name.upper(), name.lower(), name.title()):
        answer = ask(birds, written)
        assert (answer.match_type, answer.usage_key) == (match_type, key)


@settings(max_examples=50)
@given(some.lists(some.sampled_from([*NAMES, "Cyanistes caerulus", "Cyanistes novus", "x", "gbif:10"]), max_size=12))
def test_the_order_of_the_queries_does_not_matter(birds: NameIndex, names: list[str]) -> None:
    together = list(resolve_names(birds, names))
    assert together == [ask(birds, name) for name in names]
    assert [answer.query for answer in together] == names


@given(some.text(max_size=40))
def test_any_text_has_an_answer(birds: NameIndex, text: str) -> None:
    answer = ask(birds, text)
    assert answer.query == text
    assert (answer.match_type == "NONE") == (not answer.usage_key)


def test_an_accepted_name_resolves_to_itself(birds: NameIndex) -> None:
    for name in [*NAMES, *STRANGERS]:
        answer = ask(birds, name)
        if answer.match_type != "NONE":
            again = ask(birds, answer.accepted_name)
            assert again.usage_key == (answer.accepted_usage_key or answer.usage_key)


def test_a_bare_name_has_the_same_answer_the_short_and_the_long_way(birds: NameIndex) -> None:
    resolver = Resolver(birds)
    for name in itertools.chain(NAMES, (line.split("\t")[3] for line in USAGES)):
        assert resolver.answer(NameQuery(name)) == resolver._fully(NameQuery(name))


# ---- formats ----------------------------------------------------------------------------------------------------


def built(path: Path) -> BuildReport:
    return build_index([open_source(path)], path.parent / "built")


def keys_of(path: Path, *names: str) -> list[str]:
    built(path)
    with open_index(path.parent / "built") as index:
        return [ask(index, name).usage_key for name in names]


def test_simple_txt_is_read_gzipped_and_broken_rows_are_listed(tmp_path: Path) -> None:
    nothing = "\\N"
    blanks = [nothing] * 9
    lines = []
    for key, parent, synonym, status, rank, name, canonical in [
        ("5", nothing, "f", "ACCEPTED", "GENUS", "Abies Mill.", "Abies"),
        ("6", "5", "f", "ACCEPTED", "SPECIES", "Abies alba Mill.", "Abies alba"),
        ("7", "6", "t", "HOMOTYPIC_SYNONYM", "SPECIES", "Pinus picea L.", "Pinus picea"),
        ("7", "6", "t", "SYNONYM", "SPECIES", "Pinus picea L.", "Pinus picea"),
    ]:
        head = [key, parent, nothing, synonym, status, rank, "{}", nothing, "SOURCE", nothing, "6"]
        lines.append("\t".join([*head, *[nothing] * 6, "1", name, canonical, *blanks, "{}"]))
    path = tmp_path / "simple.txt.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join([*lines, "6\ttoo few"]) + "\n")
    report = built(path)
    assert (report.usages, report.accepted, report.synonyms, report.broken_count) == (3, 2, 1, 2)
    assert {row.reason for row in report.broken} == {"wrong number of columns", "key twice"}
    with open_index(tmp_path / "built") as index:
        answer = ask(index, "Pinus picea")
        assert (answer.accepted_usage_key, answer.accepted_name) == ("6", "Abies alba Mill.")
        assert answer.classification == (Ancestor("genus", "Abies", "5"),)


META = """<archive xmlns="http://rs.tdwg.org/dwc/text/">
<core encoding="UTF-8" fieldsTerminatedBy="," fieldsEnclosedBy='"' ignoreHeaderLines="1"
 rowType="http://rs.tdwg.org/dwc/terms/Taxon"><files><location>taxa.csv</location></files><id index="0"/>
<field index="1" term="http://rs.tdwg.org/dwc/terms/scientificName"/>
<field index="2" term="http://rs.tdwg.org/dwc/terms/scientificNameAuthorship"/>
<field index="3" term="http://rs.tdwg.org/dwc/terms/taxonRank"/>
<field index="4" term="http://rs.tdwg.org/dwc/terms/acceptedNameUsageID"/>
<field index="5" term="http://rs.tdwg.org/dwc/terms/scientificNameID"/>
<field default="Animalia" term="http://rs.tdwg.org/dwc/terms/kingdom"/></core>
<extension encoding="UTF-8" fieldsTerminatedBy="\\t" fieldsEnclosedBy="" ignoreHeaderLines="0"
 rowType="http://rs.gbif.org/terms/1.0/VernacularName"><files><location>spoken.txt</location></files>
<coreid index="0"/><field index="1" term="http://rs.tdwg.org/dwc/terms/vernacularName"/>
<field index="2" term="http://purl.org/dc/terms/language"/></extension></archive>"""
TAXA = """id,name,authorship,rank,accepted,lsid
a1,"Raja clavata","Linnaeus, 1758",species,,urn:lsid:marinespecies.org:taxname:105883
a2,"Raia clavata","Linnaeus, 1758",species,a1,
"""


@pytest.mark.parametrize("zipped", [False, True])
def test_a_darwin_core_archive_is_read_with_its_vernaculars(tmp_path: Path, zipped: bool) -> None:
    files = {"meta.xml": META, "taxa.csv": TAXA, "spoken.txt": "a1\tStekelrog\tnl\na9\tNiemand\tnl\na1\t\tnl\n"}
    path = tmp_path / ("archive.zip" if zipped else "archive")
    if zipped:
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
    else:
        path.mkdir()
        for name, text in files.items():
            (path / name).write_text(text, encoding="utf-8")
    report = built(path)
    assert (report.usages, report.vernaculars, report.broken_count) == (2, 1, 2)
    with open_index(tmp_path / "built") as index:
        answer = ask(index, "stekelrog")
        assert (answer.match_type, answer.usage_key, answer.aphia_id) == ("VERNACULAR", "a1", "105883")
        assert ask(index, "Raia clavata").accepted_usage_key == "a1"
        assert ask(index, "AphiaID:105883").usage_key == "a1"


def test_coldp_is_read_in_both_its_forms(tmp_path: Path) -> None:
    one = tmp_path / "one"
    one.mkdir()
    (one / "NameUsage.tsv").write_text(
        "col:ID\tcol:parentID\tcol:status\tcol:rank\tcol:scientificName\tcol:authorship\n"
        "4CGXP\t\taccepted\tspecies\tPanthera leo\t(Linnaeus, 1758)\n"
        "9X\t4CGXP\tsynonym\tspecies\tFelis leo\tLinnaeus, 1758\n",
        encoding="utf-8",
    )
    (one / "VernacularName.tsv").write_text("col:taxonID\tcol:name\tcol:language\n4CGXP\tLion\teng\n", encoding="utf-8")
    assert keys_of(one, "Panthera leo", "Felis leo", "lion") == ["4CGXP", "9X", "4CGXP"]
    two = tmp_path / "two"
    two.mkdir()
    (two / "Name.csv").write_text(
        "ID,scientificName,authorship,rank\nn1,Panthera leo,,species\nn2,Felis leo,,species\n", encoding="utf-8"
    )
    (two / "Taxon.csv").write_text("ID,nameID,parentID\nt1,n1,\nt2,n9,\n", encoding="utf-8")
    (two / "Synonym.csv").write_text("ID,nameID,taxonID\ns1,n2,t1\n", encoding="utf-8")
    assert keys_of(two, "Panthera leo", "Felis leo") == ["t1", "s1"]


def test_a_crosswalk_lets_a_col_id_find_the_backbones_usage(birds: NameIndex) -> None:
    assert birds.row_of_id("col", "6CQ5H") == birds.row_of_id("gbif", "10") >= 0
    assert birds.row_of_id("col", "XXXX") == -1
    assert COL_XR not in birds.about["checklist_key"]


def test_what_is_no_checklist_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear sir,\n", encoding="utf-8")
    for wrong in (path, tmp_path / "absent", tmp_path):
        with pytest.raises(UsageError):
            open_source(wrong)
    with pytest.raises(UsageError):
        open_index(path)


def test_a_build_that_fails_leaves_the_old_index(tmp_path: Path) -> None:
    path = tmp_path / "names.tsv"
    path.write_text("taxonID\tscientificName\n1\tParus major\n", encoding="utf-8")
    built(path)
    before = (tmp_path / "built").read_bytes()

    class Broken(Source):
        def rows(self) -> Iterator[UsageRow]:  # type: ignore[override]
            yield UsageRow("1", "Parus ater")
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="gone"):
        build_index([Broken(path, "tsv")], tmp_path / "built")
    assert (tmp_path / "built").read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()].count("built") == 1
    assert not list(tmp_path.glob(".built*"))


def test_garbled_letters_and_nameless_rows_are_broken_not_fatal(tmp_path: Path) -> None:
    path = tmp_path / "names.tsv"
    path.write_bytes(b"taxonID\tscientificName\n1\tParus major\n2\tParus \xe4ter\n3\t\n\tParus ater\n4\ta\tb\n")
    report = built(path)
    reasons = sorted(row.reason for row in report.broken)
    assert reasons == ["no key", "no name", "not UTF-8", "wrong number of columns"]
    assert report.usages == 1


def test_two_processes_may_read_one_index_while_it_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "names.tsv"
    path.write_text("taxonID\tscientificName\n1\tParus major\n", encoding="utf-8")
    built(path)
    with open_index(tmp_path / "built") as old:
        path.write_text("taxonID\tscientificName\n1\tParus ater\n", encoding="utf-8")
        built(path)
        with open_index(tmp_path / "built") as new:
            assert ask(old, "Parus major").match_type == ask(new, "Parus ater").match_type == "EXACT"


# ---- recorded ---------------------------------------------------------------------------------------------------


def test_gbifs_own_cases_are_answered_as_gbif_expects(recordings: Path, tmp_path: Path) -> None:
    build_index([open_source(recordings / "gbif/backbone-excerpt.tsv")], tmp_path / "i")
    lines = (recordings / "gbif/match-cases.jsonl").read_text(encoding="utf-8").splitlines()
    with open_index(tmp_path / "i") as index:
        results = outcomes(index, [case for case in map(json.loads, lines) if answerable(index, case)])
        assert recorded_share(index, recordings / "gbif/match-v1-recorded")[0] >= 97
    assert share([one.key_is_right for one in results]) >= 97
    assert share([one.type_is_right for one in results]) >= 95


def recorded_names(recordings: Path) -> list[str]:
    """Return some hundred names of every recorded list, most of them not in the excerpt."""
    with (recordings / "gbif/backbone-excerpt.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    with (recordings / "names/avilist_2025_taxonomy.csv").open(encoding="utf-8") as file:
        birds = [row["scientific_name"] for row in csv.DictReader(file)]
    older = [line.split("\t")[1] for line in (recordings / "names/aves.txt").read_text(encoding="utf-8").splitlines()]
    cases = (recordings / "names/parsing-cases.jsonl").read_text(encoding="utf-8").splitlines()
    listed = [row["scientificName"] for row in rows] + [row["canonicalName"] for row in rows if row["canonicalName"]]
    return [*listed, *birds[::97], *older[::131], *(json.loads(case)["name"] for case in cases)]


def test_recorded_names_are_answered_alike_however_they_are_written(recordings: Path, tmp_path: Path) -> None:
    build_index([open_source(recordings / "gbif/backbone-excerpt.tsv")], tmp_path / "i")
    names = recorded_names(recordings)
    ways = (str.upper, str.lower, str.title, lambda name: f" {name} ".replace(" ", " \u00a0"))
    with open_index(tmp_path / "i") as index:
        expected = [but_query(answer) for answer in resolve_names(index, names)]
        for way in ways:
            found = resolve_names(index, [way(name) for name in names])
            assert [name for name, a, b in zip(names, expected, found, strict=True) if a != but_query(b)] == []


def test_recorded_accepted_names_resolve_to_themselves_in_any_order(recordings: Path, tmp_path: Path) -> None:
    build_index([open_source(recordings / "gbif/backbone-excerpt.tsv")], tmp_path / "i")
    names = recorded_names(recordings)
    with open_index(tmp_path / "i") as index:
        answers = list(resolve_names(index, names))
        accepted = {one.accepted_usage_key or one.usage_key: one for one in answers if one.match_type != "NONE"}
        again = resolve_names(index, [one.accepted_name for one in accepted.values()])
        assert [
            (one.accepted_name, found.reason)
            for one, found in zip(accepted.values(), again, strict=True)
            if found.match_type != "NONE" and found.usage_key != (one.accepted_usage_key or one.usage_key)
        ] == []
        assert list(resolve_names(index, names[::-1]))[::-1] == answers


def otherwise(name: str, canonical: str) -> list[str]:
    """Return forms of a name that people write and an index does not have."""
    genus, _, rest = canonical.partition(" ")
    forms = [name.replace(", ", " "), f"{name} s.l.", f"{canonical} sensu lato", name.upper(), canonical.lower()]
    if rest:
        behind = name.removeprefix(genus).strip()
        forms += [f"{genus} cf. {behind}", f"{genus} aff {rest}", f"{genus} cf. {rest} s.str.", f"{genus} nr. {rest}"]
        forms += [f"{genus} ({genus}) {behind}", f"{canonical} Miller s. l."]
    return forms


def test_recorded_names_have_the_same_answer_the_short_and_the_long_way(recordings: Path, tmp_path: Path) -> None:
    build_index([open_source(recordings / "gbif/backbone-excerpt.tsv")], tmp_path / "i")
    with (recordings / "gbif/backbone-excerpt.tsv").open(encoding="utf-8") as file:
        rows = [(row["scientificName"], row["canonicalName"]) for row in csv.DictReader(file, delimiter="\t")]
    names = [form for name, canonical in rows[::3] if canonical for form in (name, *otherwise(name, canonical))]
    with open_index(tmp_path / "i") as index:
        resolver = Resolver(index)
        told = resolver.answers(names)
        assert [a.query for a in told if a != resolver._fully(NameQuery(a.query))] == []


def test_canonical_forms_are_those_of_gnparser(recordings: Path) -> None:
    assert parsing_share(recordings / "names/parsing-cases.jsonl")[0] >= 97


def test_avilist_is_read_whole_and_resolves_to_itself(recordings: Path, tmp_path: Path) -> None:
    report = build_index([open_source(recordings / "names/avilist_2025_taxonomy.csv")], tmp_path / "i")
    assert (report.usages, report.broken_count) == (33_684, 0)
    with open_index(tmp_path / "i") as index:
        names = [index.canonical(row) for row in range(0, len(index), 7)]
        assert {answer.match_type for answer in resolve_names(index, names)} == {"EXACT"}
        assert ask(index, "Eurasian blue tit").accepted_canonical == "Cyanistes caeruleus"
        merged = ask(index, "Aegithalos caudatus europaeus", merge_to="species")
        assert merged.accepted_canonical == "Aegithalos caudatus"


@pytest.mark.parametrize("archive", ["00000015", "00000023"])
def test_recorded_archives_are_read(recordings: Path, tmp_path: Path, archive: str) -> None:
    [path] = (recordings / "gbif/dwca").rglob(f"{archive}-*")
    report = build_index([open_source(path)], tmp_path / "i")
    assert report.usages > 50
