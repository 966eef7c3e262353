"""What became of an ISA campaign's tags: each outcome, and that every row and every statement has exactly one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvest.commons import tags
from harvest.history import fold as fold_history
from harvest.isa import Contribution, Unplaced, fold
from harvest.mediainfo import MediaInfo
from harvest.reconcile import (
    AGAIN,
    CHANGED,
    GONE,
    NEVER,
    NOT_IN_CSV,
    NOT_READ,
    OTHERS,
    OUTCOMES,
    OUTSIDE,
    REMOVED,
    SURVIVED,
    UNREAD,
    Evidence,
    Fate,
    counts,
    reconcile,
)
from harvest.records import Roll
from harvest.revisions import Revision
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import MediaFile, Tag

FILE = "https://commons.wikimedia.org/entity/M1"
READ = MediaFile(iri=FILE, title="File:Plate 1.jpg", revision=99)
TOOL = "campaign165@ISA"
PEOPLE = Pseudonyms("a key for tests")


def _told(item: str = "Q140", by: str = "ann", day: int = 3, **more: Any) -> Tag:
    told = Tag(id="", file=FILE, item=item, agent=by, moment=f"2021-10-{day:02}", route="isa")
    return replace(told, id=f"i{item}{by}{day}{more}", **more)


def _seen(item: str = "Q140", by: str = "ann", day: int = 3, revision: int = 7, **more: Any) -> Tag:
    moment = f"2021-10-{day:02}T14:05:00Z"
    seen = Tag(id="", file=FILE, item=item, agent=by, moment=moment, route="commons", tool=TOOL, revision=revision)
    return replace(seen, id=f"c{item}{by}{day}{revision}{more}", **more)


def _fates(isa: Sequence[Tag], commons: Sequence[Tag], media: MediaFile = READ, **more: Any) -> list[Fate]:
    given = Evidence(isa=isa, commons=commons, files={media.iri: media}, numbers=frozenset({165}), **more)
    return list(reconcile(given))


LATER = "2021-11-01T10:00:00Z"
CASES: dict[str, tuple[list[Tag], list[Tag], list[tuple[str, str]]]] = {
    "survived": ([_told()], [_seen()], [(SURVIVED, "")]),
    "written after midnight": ([_told(day=4)], [_seen()], [(SURVIVED, "")]),
    "a renamed account": ([_told()], [_seen(by="anna")], [(SURVIVED, "by an account of another name")]),
    "an edit that does not tell": ([_told()], [replace(_seen(by="", revision=0), moment="")], [(SURVIVED, "")]),
    "removed by another, outside the campaign": (
        [_told()],
        [_seen(withdrawn=LATER, withdrawn_by="ben")],
        [(REMOVED, f"removed on Commons {LATER} by another")],
    ),
    "taken back in the campaign": (
        [_told(withdrawn="2021-11-01", withdrawn_by="ann")],
        [_seen(withdrawn=LATER, withdrawn_by="ann")],
        [(REMOVED, f"removed in the campaign {LATER} by its tagger")],
    ),
    "removed by nobody known": (
        [_told()],
        [_seen(withdrawn=LATER)],
        [(REMOVED, f"removed on Commons {LATER} by nobody known")],
    ),
    "removed and added again by another": (
        [_told()],
        [
            _seen(withdrawn=LATER, withdrawn_by="ben"),
            replace(_seen(by="cas", revision=9), tool="", moment="2021-11-02T10:00:00Z"),
        ],
        [
            (AGAIN, f"removed on Commons {LATER} by another; again 2021-11-02T10:00:00Z"),
            (OUTSIDE, "stands"),
        ],
    ),
    "removed and added again in the campaign, on one day": (
        [_told(withdrawn="2021-10-03", withdrawn_by="ann"), _told()],
        [
            _seen(revision=7, withdrawn="2021-10-03T14:06:00Z", withdrawn_by="ann"),
            replace(_seen(revision=9), moment="2021-10-03T14:07:00Z"),
        ],
        [
            (AGAIN, "removed in the campaign 2021-10-03T14:06:00Z by its tagger; again 2021-10-03T14:07:00Z"),
            (SURVIVED, ""),
        ],
    ),
    "removed in the campaign, and that undone": (
        [_told(withdrawn="2021-11-01", withdrawn_by="ben")],
        [_seen()],
        [(AGAIN, "removed in the campaign 2021-11-01, and restored")],
    ),
    "made prominent": ([_told()], [_seen(prominent=True)], [(CHANGED, "made prominent")]),
    "prominent no more": ([_told(prominent=True)], [_seen()], [(CHANGED, "prominent no more")]),
    "moved to another item": (
        [_told()],
        [
            _seen(withdrawn=LATER, withdrawn_by="ben"),
            replace(_seen("Q19939", by="ben", revision=9), tool="", moment=LATER),
        ],
        [(CHANGED, f"Q19939 in its place; removed on Commons {LATER} by another"), (OUTSIDE, "stands")],
    ),
    "removed through ISA, said outside it": (
        [replace(_told(by="", withdrawn="2021-11-01", withdrawn_by="ben"), moment="")],
        [replace(_seen(withdrawn=LATER, withdrawn_by="ben"), tool="")],
        [(REMOVED, f"removed in the campaign {LATER} by another")],
    ),
    "never on Commons": (
        [_told()],
        [_seen("Q2")],
        [(NEVER, "no edit of the file's history says it"), (NOT_IN_CSV, "stands")],
    ),
    "by ISA, and not in the CSV": ([], [_seen()], [(NOT_IN_CSV, "stands")]),
    "another campaign of ISA": ([], [replace(_seen(), tool="campaign72@ISA")], [(OUTSIDE, "stands")]),
    "outside": (
        [],
        [replace(_seen(withdrawn=LATER, withdrawn_by="ben"), tool="")],
        [(OUTSIDE, f"removed on Commons {LATER} by another")],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_became_of_a_tag(case: str) -> None:
    isa, commons, expected = CASES[case]
    assert sorted((fate.outcome, fate.detail) for fate in _fates(isa, commons)) == sorted(expected)


def test_nothing_is_said_of_a_file_whose_history_was_not_read() -> None:
    (fate,) = _fates([_told()], [], replace(READ, revision=0))
    assert fate.outcome == NOT_READ


def test_a_deleted_file_takes_its_tags_along() -> None:
    found = _fates([_told()], [_seen(), _seen("Q2", revision=8)], replace(READ, gone=LATER))
    assert [(fate.outcome, fate.detail) for fate in found] == [(GONE, f"deleted {LATER}")] * 2


def test_a_file_that_was_moved_is_followed() -> None:
    (fate,) = _fates([_told()], [_seen()], moved={"File:Old.jpg": FILE})
    assert (fate.outcome, fate.detail, fate.title) == (SURVIVED, "was File:Old.jpg", "File:Plate 1.jpg")


def test_captions_whose_language_the_tool_has_cut() -> None:
    told = replace(_told(""), verbatim="Leo", language="zh-ha")
    seen = replace(_seen(""), verbatim="Leo", language="zh-hant")
    (fate,) = _fates([told], [seen], captions=True)
    assert (fate.outcome, fate.caption, fate.language) == (SURVIVED, "Leo", "zh-hant")
    assert _fates([told], [seen]) == []
    (fate,) = _fates([told], [], captions=True, some_captions=True)
    assert fate.outcome == NOT_READ


def test_rows_that_no_tag_came_of() -> None:
    row = Unplaced(
        row="all.csv:9", reason="file missing", file="File:Gone.jpg", action="add", agent="ann", day="2021-10-01"
    )
    edit = replace(row, row="all.csv:10", reason="edit of a tag that was not added", action="edit", item="Q140")
    found = _fates([], [], unplaced=[row, edit], bad_rows=[("all.csv:11", "column date: ''")])
    assert [(fate.outcome, fate.csv_row) for fate in found] == [
        (GONE, "all.csv:9"),
        (OTHERS, "all.csv:10"),
        (UNREAD, "all.csv:11"),
    ]
    before = replace(READ, title="File:Gone.jpg", gone=LATER)
    assert [fate.csv_row for fate in _fates([_told()], [], before, unplaced=[row])] == [""]


def test_outcomes_are_counted_in_their_order() -> None:
    found = [Fate(outcome=OUTSIDE), Fate(outcome=SURVIVED), Fate(outcome=SURVIVED)]
    assert list(counts(found).items()) == [(SURVIVED, 2), (OUTSIDE, 1)]


WHO = st.sampled_from(["Ann", "Ben", "Cas"])
WHAT = st.sampled_from(["Q140", "Q19939"])
ROWS = st.lists(st.tuples(WHO, st.sampled_from(["add", "edit", "remove"]), WHAT, st.integers(1, 4)), max_size=12)
VERBS = {"add": "wbsetclaim-create:2||1", "edit": "wbsetclaim-update:2||1", "remove": "wbremoveclaims-remove:1|"}
EDITS = st.lists(st.tuples(WHO, st.sampled_from(list(VERBS)), WHAT, st.sampled_from(["", f", {TOOL}"])), max_size=12)


def _row(line: int, user: str, action: str, item: str, day: int) -> Contribution:
    return Contribution(
        line=line, username=user, file="File:Plate 1.jpg", action=action, item=item, day=f"2021-10-{day:02}"
    )


def _edit(number: int, user: str, action: str, item: str, tool: str) -> Revision:
    what = f"[[d:Special:EntityPage/P180]]: [[d:Special:EntityPage/{item}]]{tool}"
    moment = f"2021-10-{1 + number // 3:02}T{number:02}:00:00Z"
    return Revision(id=number, user=user, moment=moment, comment=f"/* {VERBS[action]} */ {what}")


@given(ROWS, EDITS)
def test_every_row_and_every_statement_has_exactly_one_outcome(
    rows: list[tuple[str, str, str, int]], edits: list[tuple[str, str, str, str]]
) -> None:
    contributions = [_row(line, *row) for line, row in enumerate(rows, 2)]
    voices, useless = fold(contributions)
    placed = [line for voice in voices for line in voice.lines] + [row.line for row in useless]
    assert sorted(placed) == [row.line for row in contributions]

    roll = Roll(PEOPLE)
    isa = [
        Tag(
            id=f"i{number}",
            file=FILE,
            item=voice.item,
            agent=roll.id(voice.username),
            moment=voice.day,
            route="isa",
            prominent=voice.prominent,
            withdrawn=voice.removed,
            withdrawn_by=roll.id(voice.removed_by),
        )
        for number, voice in enumerate(voices)
    ]
    said = fold_history([_edit(number, *edit) for number, edit in enumerate(edits, 1)], MediaInfo(id="M1"))
    commons = list(tags(said, FILE, "test", roll))
    unplaced = [
        Unplaced(row=str(row.line), reason="x", file=row.file, action=row.action, agent="", day="") for row in useless
    ]
    found = _fates(isa, commons, unplaced=unplaced)

    assert all(fate.outcome in OUTCOMES for fate in found)
    assert sum(counts(found).values()) == len(found)
    in_csv = [fate for fate in found if fate.csv_added or fate.csv_removed]
    on_commons = [fate for fate in found if fate.commons_added or fate.commons_removed or fate.commons_statement]
    assert Counter((f.item, f.csv_by, f.csv_added, f.csv_removed) for f in in_csv) == Counter(
        (tag.item, tag.agent, tag.moment, tag.withdrawn) for tag in isa
    )
    assert Counter((f.item, f.commons_by, f.commons_added, f.commons_removed) for f in on_commons) == Counter(
        (tag.item, tag.agent, tag.moment, tag.withdrawn) for tag in commons
    )
    assert sum(fate.outcome == OTHERS for fate in found) == len(useless)
    assert {fate.outcome for fate in found if not fate.csv_row and not fate.csv_added and not fate.csv_removed} <= {
        OUTSIDE,
        NOT_IN_CSV,
    }
