"""ISA's CSV: read row by row, folded, and harvested over HTTP."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvest.isa import COLUMNS, BadRow, Contribution, export_address, harvest_isa, parse_rows, read_isa, unfinished
from harvest.records import Harvested
from harvest.standin import faults
from harvest.standin.server import StandIn
from harvest.standin.world import File, IsaCampaign, Revision, World
from linkeddata.client import Client
from linkeddata.errors import ServiceError, UnreachableError, UsageError
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import Agent, CampaignFile, Failure, MediaFile, Tag

PEOPLE = Pseudonyms("a key for tests")
ANN, BEN = PEOPLE.agent("Ann").id, PEOPLE.agent("Ben").id
IRI = "https://commons.wikimedia.org/entity/M1"
R = TypeVar("R")


def _row(
    user: str, action: str, item: str = "", star: str = "False", day: int = 1, *, text: str = "", language: str = ""
) -> list[str]:
    kind = "captions" if language else "depicts"
    return [user, "File:A.jpg", kind, action, "", item, star, text, language, f"2021-10-{day:02}"]


def _csv(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([COLUMNS, *rows])
    return out.getvalue()


def _lines(text: str) -> Iterator[str]:
    return io.StringIO(text, newline="")


def _read(rows: Sequence[Sequence[str]], *, captions: bool = False) -> list[Harvested]:
    lines = _lines(_csv(rows))
    titles = {"File:A.jpg": IRI}
    return list(
        read_isa(lines, source="all.csv", campaign="test", pseudonyms=PEOPLE, resolve_titles=titles, captions=captions)
    )


def _only(kind: type[R], records: Sequence[Harvested]) -> list[R]:
    return [record for record in records if isinstance(record, kind)]


def _short(records: Sequence[Harvested]) -> list[tuple[str, str, str, str, str]]:
    names = {ANN: "Ann", BEN: "Ben", "": ""}
    return [
        (t.item or t.verbatim, names[t.agent], t.moment[8:], t.withdrawn[8:], names[t.withdrawn_by])
        for t in _only(Tag, records)
    ]


CASES = {
    "added": ([_row("Ann", "add", "Q140")], [("Q140", "Ann", "01", "", "")]),
    "taken back": (
        [_row("Ann", "add", "Q140"), _row("Ann", "remove", "Q140", day=2)],
        [("Q140", "Ann", "01", "02", "Ann")],
    ),
    "removed by another": (
        [_row("Ann", "add", "Q140"), _row("Ben", "remove", "Q140")],
        [("Q140", "Ann", "01", "01", "Ben")],
    ),
    "and added again on the same day": (
        [_row("Ann", "add", "Q140"), _row("Ben", "remove", "Q140"), _row("Ann", "add", "Q140")],
        [("Q140", "Ann", "01", "01", "Ben"), ("Q140", "Ann", "01", "", "")],
    ),
    "removed before it was added": (
        [_row("Ben", "remove", "Q140"), _row("Ann", "add", "Q140")],
        [("Q140", "", "", "01", "Ben"), ("Q140", "Ann", "01", "", "")],
    ),
    "one's own is removed first": (
        [_row("Ann", "add", "Q140"), _row("Ben", "add", "Q140"), _row("Ann", "remove", "Q140")],
        [("Q140", "Ann", "01", "01", "Ann"), ("Q140", "Ben", "01", "", "")],
    ),
    "two people": (
        [_row("Ann", "add", "Q140"), _row("Ben", "add", "Q19939")],
        [("Q140", "Ann", "01", "", ""), ("Q19939", "Ben", "01", "", "")],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_fold(case: str) -> None:
    rows, expected = CASES[case]
    assert _short(_read(rows)) == expected


def test_an_edit_changes_the_prominence_only() -> None:
    rows = [_row("Ann", "add", "Q140"), _row("Ben", "edit", "Q140", "True", 2)]
    (tag,) = _only(Tag, _read(rows))
    assert (tag.prominent, tag.agent, tag.moment, tag.withdrawn) == (True, ANN, "2021-10-01", "")
    (failure,) = _only(Failure, _read(rows[1:]))
    assert (failure.subject, failure.reason) == ("all.csv:2", "edit of a tag that was not added")


def test_captions_are_names_where_they_are_meant_to_be() -> None:
    rows = [
        _row("Ann", "add", "", "", 1, text="Papilio  cardui", language="la"),
        _row("Ben", "add", "", "", 2, text="distelvlinder, rechts", language="nl"),
        _row("Ann", "edit", "", "", 3, text="Vanessa cardui", language="la"),
        _row("Ann", "remove", "", "", 4, language="nl"),
    ]
    assert _read(rows) == []
    assert _short(_read(rows, captions=True)) == [
        ("Papilio  cardui", "Ann", "01", "03", "Ann"),
        ("distelvlinder, rechts", "Ben", "02", "04", "Ann"),
        ("Vanessa cardui", "Ann", "03", "", ""),
    ]
    assert {tag.language for tag in _only(Tag, _read(rows, captions=True))} == {"la", "nl"}


def test_a_caption_that_no_row_added_cannot_be_removed() -> None:
    records = _read([_row("Ann", "remove", language="nl")], captions=True)
    (failure,) = _only(Failure, records)
    assert (failure.subject, failure.reason) == ("all.csv:2", "removal of a caption that was not added")
    assert _only(Tag, records) == []


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_what_a_spreadsheet_saved_is_read(delimiter: str) -> None:
    columns = list(reversed(COLUMNS))
    cells = ["2021-10-03", "", "", "TRUE", "Q140", "Belgium", "add", "depicts", 'File:A "b", c; d.jpg', "Ann"]
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows([columns, cells])
    (row,) = parse_rows(_lines(out.getvalue()), source="x.csv")
    assert isinstance(row, Contribution)
    assert (row.username, row.file, row.item, row.prominent) == ("Ann", 'File:A "b", c; d.jpg', "Q140", True)
    assert (row.country, row.day, row.action) == ("Belgium", "2021-10-03", "add")


@pytest.mark.parametrize("language", ["nl", "zh-ha", "es-41", "be-x-", "simple"])
def test_languages_as_the_tool_cuts_them(language: str) -> None:
    (tag,) = _only(Tag, _read([_row("Ann", "add", "", "", text="Leo", language=language)], captions=True))
    assert (tag.language, tag.verbatim) == (language, "Leo")


def test_ids_stay_the_same_when_the_export_grows() -> None:
    rows = [_row("Ann", "add", "Q140"), _row("Ann", "add", "Q19939"), _row("Ben", "remove", "Q140", day=9)]
    before, after = (_only(Tag, _read(rows[:n])) for n in (2, 3))
    assert [tag.id for tag in before] == [tag.id for tag in after]
    assert len({tag.id for tag in after}) == 2


def test_people_come_before_their_tags_and_the_file_last() -> None:
    records = _read([_row("Ann", "add", "Q140"), _row("Ben", "remove", "Q140")])
    assert [type(record) for record in records] == [Agent, Agent, Tag, CampaignFile]
    assert "Ann" not in repr(records)


BAD = {
    "too few cells": ("Ann,File:A.jpg,depicts,add", "4 cells under 10 columns"),
    "too many cells": (",".join(_row("Ann", "add", "Q140")) + ",more", "11 cells"),
    "an open quotation mark": ('"Ann,File:A.jpg,depicts,add,,Q140,True,,,2021-10-01', "1 cells"),
    "nobody": (",".join(_row(" ", "add", "Q140")), "column username"),
    "no title": ("Ann,A.jpg,depicts,add,,Q140,True,,,2021-10-01", "column file: 'A.jpg'"),
    "another kind": ("Ann,File:A.jpg,drawings,add,,Q140,True,,,2021-10-01", "column edit_type"),
    "another action": (",".join(_row("Ann", "undo", "Q140")), "column edit_action: 'undo'"),
    "no item": (",".join(_row("Ann", "add")), "column depict_item: ''"),
    "a malformed item": (",".join(_row("Ann", "add", "Q0x")), "column depict_item: 'Q0x'"),
    "an item in a caption": (",".join(_row("Ann", "add", "Q1", text="x", language="nl")), "column depict_item"),
    "an edit of nothing": (",".join(_row("Ann", "edit", "Q140", "")), "column depict_prominent: ''"),
    "a caption of blanks": ("Ann,File:A.jpg,captions,add,,,,  ,nl,2021-10-01", "column caption_text"),
    "half prominent": (",".join(_row("Ann", "add", "Q140", "yes")), "column depict_prominent"),
    "an empty caption": (",".join(_row("Ann", "add", language="nl", star="")), "column caption_text"),
    "no language": ("Ann,File:A.jpg,captions,add,,,,text,,2021-10-01", "column caption_language"),
    "no such day": (",".join(_row("Ann", "add", "Q140")).replace("10-01", "13-01"), "column date: '2021-13-01'"),
    "another calendar": (",".join(_row("Ann", "add", "Q140")).replace("2021-10-01", "1/10/21"), "column date"),
    "bytes that are no text": (",".join(_row("Ann\ufffd", "add", "Q140")), "column username: not UTF-8"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_row_is_named_and_stops_nothing(case: str) -> None:
    row, message = BAD[case]
    good = ",".join(_row("Ann", "add", "Q140"))
    text = "\r\n".join([",".join(COLUMNS), good, row, "", good, ""])
    records = list(
        read_isa(_lines(text), source="all.csv", campaign="test", pseudonyms=PEOPLE, resolve_titles=lambda title: IRI)
    )
    (failure,) = _only(Failure, records)
    assert (failure.subject, failure.reason, failure.campaign) == ("all.csv:3", "bad row", "test")
    assert message in failure.detail
    assert len(_only(Tag, records)) == 2


@pytest.mark.parametrize("text", ["", "not,an,export\r\n", ",".join(COLUMNS[:-1]), '"', "\x00"])
def test_what_is_no_export_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"all\.csv: not an ISA export"):
        list(parse_rows(_lines(text), source="all.csv"))


@given(st.text())
def test_any_text_is_rows_or_bad_rows(text: str) -> None:
    rows = list(parse_rows([",".join(COLUMNS), text], source="x"))
    assert all(isinstance(row, Contribution | BadRow) for row in rows)
    assert len(rows) <= 1


NAMES = st.sampled_from(["Ann", "Ben", "Cas"])
ROWS = st.tuples(NAMES, st.sampled_from(["add", "edit", "remove"]), st.sampled_from(["Q140", "Q19939"]))


@given(st.lists(ROWS, max_size=12))
def test_what_was_added_is_a_tag_and_what_was_removed_is_taken_back(rows: list[tuple[str, str, str]]) -> None:
    tags = _only(Tag, _read([_row(user, action, item) for user, action, item in rows]))
    assert sum(bool(tag.agent) for tag in tags) == sum(action == "add" for _, action, _ in rows)
    assert sum(bool(tag.withdrawn) for tag in tags) == sum(action == "remove" for _, action, _ in rows)
    assert len({tag.id for tag in tags}) == len(tags)


def _file(number: int, title: str, redirect: str = "") -> File:
    page = Revision(id=number, user="Ann", moment="2021-09-01T00:00:00Z", comment="upload")
    return File(page_id=number, title=title, revisions=(page,), metadata={"Artist": "Anselmus"}, redirect=redirect)


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    files = [_file(n, f"File:Plate {n}.jpg") for n in range(1, 121)]
    files.append(_file(121, "File:Old name.jpg", redirect="File:Plate 1.jpg"))
    titles = [f.title for f in files] + ["File:Deleted.jpg", "File:Plate_2.jpg"]
    rows = [["Ann", title, "depicts", "add", "", "Q140", "False", "", "", "2021-10-01"] for title in titles]
    rows.append(["Ann", "File:Plate 3.jpg", "depicts"])
    export = IsaCampaign(id=165, name="Tag the species", csv=("\ufeff" + _csv(rows)).encode())
    with StandIn(World(files=tuple(files), isa=(export,))) as running:
        yield running


def _harvest(server: StandIn, source: str, **options: object) -> list[Harvested]:
    with Client(server.settings(), sleep=lambda _: None) as client:
        settings = server.settings()
        return list(harvest_isa(client, settings, source, campaign="test", pseudonyms=PEOPLE, **options))  # type: ignore[arg-type]


def test_an_export_over_http(server: StandIn) -> None:
    server.requests.clear()
    server.faults.next("/isa/", faults.TRUNCATED)
    server.faults.next("/w/api.php", faults.MAXLAG)
    records = _harvest(server, server.isa_url(165))
    assert len(_only(Tag, records)) == 122
    assert len(_only(MediaFile, records)) == len(_only(CampaignFile, records)) == 120
    assert {(f.subject, f.reason) for f in _only(Failure, records)} == {
        ("File:Deleted.jpg", "file missing"),
        ("Tag_the_species_all_stats.csv:125", "bad row"),
    }
    moved = [tag for tag in _only(Tag, records) if tag.file.endswith("/M1")]
    assert len({tag.id for tag in moved}) == 2
    media = _only(MediaFile, records)[0]
    assert (media.title, media.creator, media.group, media.revision) == ("File:Plate 1.jpg", "Anselmus", "Anselmus", 0)
    assert server.requests.count("/w/api.php") == 3 + 3 + 1 + 1, "titles, entities, descriptions, the log of a title"


OF_ANY_SERVICE = (
    faults.TOO_MANY_REQUESTS,
    faults.UNAVAILABLE,
    faults.CUT_CONNECTION,
    faults.TRUNCATED,
    faults.HTML_PAGE,
    faults.SLOW_DRIP,
    faults.SLOW_HEADERS,
    faults.STACK_TRACE,
)


@pytest.mark.parametrize("fault", OF_ANY_SERVICE, ids=lambda fault: fault.kind)
def test_a_fault_of_isa_that_passes_costs_nothing(server: StandIn, fault: faults.Fault) -> None:
    expected = _harvest(server, server.isa_url(165))
    server.faults.next("/isa/", fault)
    assert _harvest(server, server.isa_url(165)) == expected
    assert server.faults.pending == 0


@pytest.mark.parametrize("fault", faults.FAULTS.values(), ids=lambda fault: fault.kind)
@pytest.mark.parametrize("place", range(3))
def test_a_fault_of_commons_that_passes_costs_an_export_nothing(
    server: StandIn, fault: faults.Fault, place: int
) -> None:
    expected = _harvest(server, server.isa_url(165))
    server.faults.next("/w/api.php", fault, after=place)
    assert _harvest(server, server.isa_url(165)) == expected
    assert server.faults.pending == 0


def test_an_export_that_cannot_be_had_is_an_error(server: StandIn) -> None:
    with Client(server.settings(tries=2), sleep=lambda _: None) as client:
        server.faults.next("/isa/", faults.UNAVAILABLE, times=2)
        asked = harvest_isa(client, server.settings(), server.isa_url(165), campaign="test", pseudonyms=PEOPLE)
        with pytest.raises(UnreachableError):
            list(asked)


def test_an_export_that_ends_in_an_error_is_no_export(server: StandIn) -> None:
    server.faults.next("/isa/", faults.STACK_TRACE, times=2)
    with Client(server.settings(tries=2), sleep=lambda _: None) as client:
        asked = harvest_isa(client, server.settings(), server.isa_url(165), campaign="test", pseudonyms=PEOPLE)
        with pytest.raises(UnreachableError, match=r'broken off before ".*java'):
            list(asked)
    assert server.faults.pending == 0


@pytest.mark.parametrize(
    ("rows", "lack"),
    [
        ("", ""),
        ("Jan,File:A.jpg,depicts,add,,Q140,True,,,2021-10-03\r\n", ""),
        ("Jan,File:A.jpg,depicts,add,,Q140,True,,,2021-10-03", ""),  # a spreadsheet may leave out the last line end
        ("Jan,File:A.jpg,depicts\r\n", ""),
        ("Jan,File:A.jpg,dep", 'broken off before "Jan,File:A.jpg,dep"'),
        (
            "Jan,File:A.jpg,depicts,add,,Q140,True,,,2021-10-03\r\n<h1>Error</h1>\n",
            'broken off before "<h1>Error</h1>"',
        ),
    ],
)
def test_an_export_ends_in_a_whole_row(rows: str, lack: str) -> None:
    assert unfinished((",".join(COLUMNS) + "\r\n" + rows).encode()) == lack


def test_what_the_rows_say_beside_the_tags_is_told(server: StandIn, tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    rows = [
        ["Ann", "File:Old name.jpg", "depicts", "add", "Benin", "Q140", "", "", "", "2021-10-01"],
        ["Ann", "File:Old name.jpg", "depicts", "edit", "Benin", "Q19939", "True", "", "", "2021-10-02"],
        ["Ann", "File:Deleted.jpg", "depicts", "add", "", "Q140", "", "", "", "2021-10-03"],
    ]
    path.write_text(_csv(rows), encoding="utf-8")
    told: list[Any] = []
    _harvest(server, str(path), tell=told.append)
    (facts,) = told
    assert (facts["rows"], facts["countries"]) == (3, {"Benin": 2})
    assert facts["moved"] == {"File:Old name.jpg": "https://commons.wikimedia.org/entity/M1"}
    assert [(row["row"], row["reason"], row["agent"]) for row in facts["unplaced"]] == [
        ("export.csv:4", "file missing", ANN),
        ("export.csv:3", "edit of a tag that was not added", ANN),
    ]


def test_files_that_are_known_are_left_to_commons(server: StandIn, tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(_csv([["Ann", "File:Plate 5.jpg", "depicts", "add", "", "Q140", "", "", "", "2021-10-01"]]))
    known = {"https://commons.wikimedia.org/entity/M5"}
    assert [type(record) for record in _harvest(server, str(path), known=known)] == [Agent, Tag, CampaignFile]
    assert [type(record) for record in _harvest(server, str(path))] == [Agent, Tag, MediaFile, CampaignFile]


def test_an_export_that_is_not_there(server: StandIn, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        _harvest(server, str(tmp_path / "none.csv"))
    with pytest.raises(ServiceError) as caught:
        _harvest(server, f"{server.url}/isa/campaigns/1/all_stats_download/none.csv")
    assert caught.value.code == "404"


def test_the_tool_says_where_a_campaigns_export_is(server: StandIn) -> None:
    with Client(server.settings(), sleep=lambda _: None) as client:
        assert export_address(client, server.settings(), 165) == server.isa_url(165)
        with pytest.raises(ServiceError) as caught:
            export_address(client, server.settings(), 7)
    assert caught.value.code == "404"


@pytest.mark.parametrize("fault", OF_ANY_SERVICE, ids=lambda fault: fault.kind)
def test_a_fault_of_the_page_with_the_link_is_mended(server: StandIn, fault: faults.Fault) -> None:
    server.faults.next("/isa/campaigns/165/stats", fault)
    with Client(server.settings(), sleep=lambda _: None) as client:
        assert export_address(client, server.settings(), 165) == server.isa_url(165)
    assert server.faults.pending == 0
