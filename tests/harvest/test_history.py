"""Who said what: histories folded, made up case by case and recorded from a real wiki."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowd.consensus import tally
from harvest.contents import Content
from harvest.history import Said, fold, in_question
from harvest.mediainfo import MediaInfo, Statement, parse_entities
from harvest.revisions import Revision, parse_revisions
from linkeddata.records import Tag, Taxon

RECORDED = Path(__file__).resolve().parents[2] / "../shared/data/mediawiki/recorded.jsonl"
LION, TIGER, BEE = "Q140", "Q19939", "Q30034"


def _claim(*items: str) -> str:
    return ", ".join(f"[[d:Special:EntityPage/P180]]: [[d:Special:EntityPage/{item}]]" for item in items)


def _history(*edits: tuple[str, ...]) -> list[Revision]:
    """Return revisions 1, 2, 3 … of (user, comment, change tags …), newest first as the API does."""
    made = []
    for number, (user, comment, *tags) in enumerate(edits, 1):
        moment = f"2021-10-{number:02}T00:00:00Z"
        made.append(Revision(id=number, user=user, moment=moment, comment=comment, tags=tuple(tags)))
    return made[::-1]


def _standing(*items: str, captions: Sequence[tuple[str, str]] = ()) -> MediaInfo:
    told = tuple(Statement(id=f"M1${n}", item=item, rank="normal") for n, item in enumerate(items))
    return MediaInfo(id="M1", depicts=told, captions=tuple(captions))


def _short(said: Sequence[Said]) -> list[tuple[str, str, int, str, str]]:
    return [(s.key[1], s.user, s.revision, s.withdrawn[8:10].lstrip("0"), s.withdrawn_by) for s in said]


ADD, ADDED = "/* wbsetclaim-create:2||1 */ ", "/* wbcreateclaim-create:1| */ "
REMOVE, VALUE = "/* wbremoveclaims-remove:1| */ ", "/* wbsetclaimvalue:1| */ "
DARK = "/* wbeditentity-update:0| */ structured data"

UPDATE = "/* wbsetclaim-update:2||1 */ "

CASES = {
    "given another item, and then something dark": (
        [("Ann", ADD + _claim(LION)), ("Ben", UPDATE + _claim(TIGER)), ("Cas", DARK)],
        [TIGER],
        [(LION, "Ann", 1, "2", "Ben"), (TIGER, "Ben", 2, "", "")],
    ),
    "made prominent, of an author unknown": (
        [("Ann", DARK), ("Ben", UPDATE + _claim(TIGER))],
        [TIGER],
        [(TIGER, "", 0, "", "")],
    ),
    "nothing": ([("Ann", "upload")], [], []),
    "added": ([("Ann", "upload"), ("Ben", ADD + _claim(LION))], [LION], [(LION, "Ben", 2, "", "")]),
    "with another tool": ([("Ben", ADDED + _claim(LION))], [LION], [(LION, "Ben", 1, "", "")]),
    "added in the dark": ([("Ann", DARK)], [LION], [(LION, "", 0, "", "")]),
    "no history": ([], [LION, TIGER], [(LION, "", 0, "", ""), (TIGER, "", 0, "", "")]),
    "removed by another": (
        [("Ann", ADD + _claim(LION)), ("Ben", REMOVE + _claim(LION))],
        [],
        [(LION, "Ann", 1, "2", "Ben")],
    ),
    "removed, its author unknown": ([("Ann", DARK), ("Ben", REMOVE + _claim(LION))], [], [(LION, "", 0, "2", "Ben")]),
    "removed two at once": (
        [("Ann", ADD + _claim(LION)), ("Ann", ADD + _claim(TIGER)), ("Ben", REMOVE + _claim(LION, TIGER))],
        [],
        [(LION, "Ann", 1, "3", "Ben"), (TIGER, "Ann", 2, "3", "Ben")],
    ),
    "added again by another": (
        [("Ann", ADD + _claim(LION)), ("Ben", REMOVE + _claim(LION)), ("Cas", ADD + _claim(LION))],
        [LION],
        [(LION, "Ann", 1, "2", "Ben"), (LION, "Cas", 3, "", "")],
    ),
    "two statements of one item": (
        [("Ann", DARK), ("Ben", ADD + _claim(LION))],
        [LION, LION],
        [(LION, "", 0, "", ""), (LION, "Ben", 2, "", "")],
    ),
    "a vandal rolled back": (
        [
            ("Ann", ADD + _claim(LION)),
            ("Vic", ADD + _claim(BEE)),
            ("Vic", REMOVE + _claim(LION)),
            ("Ben", "Reverted edits by Vic", "mw-rollback"),
        ],
        [LION],
        [(BEE, "Vic", 2, "4", "Ben"), (LION, "Ann", 1, "", "")],
    ),
    "a vandal's removal of what nobody is known to have said, rolled back": (
        [("Ann", DARK), ("Vic", REMOVE + _claim(LION)), ("Ben", "Reverted", "mw-rollback")],
        [LION],
        [(LION, "", 0, "", "")],
    ),
    "undone in the wiki's words": (
        [
            ("Ann", "upload"),
            ("Vic", ADD + _claim(BEE)),
            ("Ann", "+cat"),
            ("Ben", "Undid revision [[Special:Diff/2|2]] by [[User:Vic]]", "mw-undo"),
        ],
        [],
        [(BEE, "Vic", 2, "4", "Ben")],
    ),
    "a removal undone in Wikibase's words": (
        [("Ann", ADD + _claim(LION)), ("Vic", REMOVE + _claim(LION)), ("Ben", "/* undo:0||2|Vic */ no")],
        [LION],
        [(LION, "Ann", 1, "", "")],
    ),
    "restored": (
        [
            ("Ann", ADD + _claim(LION)),
            ("Vic", REMOVE + _claim(LION)),
            ("Vic", ADD + _claim(BEE)),
            ("Ben", "/* restore:0||1|Ann */"),
        ],
        [LION],
        [(BEE, "Vic", 3, "4", "Ben"), (LION, "Ann", 1, "", "")],
    ),
    "its value changed to another": (
        [("Ann", ADD + _claim(LION)), ("Ben", VALUE + _claim(TIGER))],
        [TIGER],
        [(LION, "Ann", 1, "2", "Ben"), (TIGER, "Ben", 2, "", "")],
    ),
    "gone in one of two dark edits": (
        [("Ann", ADD + _claim(LION)), ("Ben", DARK), ("Cas", DARK)],
        [],
        [(LION, "Ann", 1, "3", "")],
    ),
    "gone without a trace": ([("Ann", ADD + _claim(LION)), ("Ben", "+cat")], [], [(LION, "Ann", 1, "2", "")]),
    "only its qualifier changed": (
        [
            ("Ann", ADD + _claim(LION)),
            ("Ben", "/* wbsetqualifier-add:1| */ [[d:Special:EntityPage/P518]]: [[d:Special:EntityPage/Q23445]]"),
            ("Ben", "/* wbsetclaim-update:2||1 */ " + _claim(LION)),
        ],
        [LION],
        [(LION, "Ann", 1, "", "")],
    ),
    "its item changed by an update": (
        [("Ann", ADD + _claim(LION)), ("Ben", "/* wbsetclaim-update:2||1 */ " + _claim(TIGER))],
        [TIGER],
        [(LION, "Ann", 1, "2", "Ben"), (TIGER, "Ben", 2, "", "")],
    ),
    "updated, added in the dark": (
        [("Ann", DARK), ("Ben", "/* wbsetclaim-update:2||1 */ " + _claim(LION))],
        [LION],
        [(LION, "", 0, "", "")],
    ),
    "another property": ([("Ann", ADD + "[[Property:P195]]: [[Q190804]]")], [], []),
    "its user hidden": ([("", ADD + _claim(LION))], [LION], [(LION, "", 1, "", "")]),
}


def test_what_people_took_over_from_a_machine_is_counted_apart() -> None:
    history = _history(
        ("Ann", ADDED + _claim(LION), "computer-aided-tagging"),
        ("Ben", ADDED + _claim(TIGER), "computer-aided-tagging-manual"),
    )
    tags = [
        Tag(id=one.user, file="M1", item=one.key[1], agent=one.user, moment=one.moment, tool=one.tool)
        for one in fold(history, _standing(LION, TIGER))
    ]
    taxa = {item: Taxon(query=item, concept=item, item=item) for item in (LION, TIGER)}
    told = {one.item: one for one in tally(tags, taxa, campaign="c", moment="").labels}
    assert (told[LION].status, told[LION].support, told[LION].machine) == ("machine", 0, 1)
    assert (told[TIGER].status, told[TIGER].support, told[TIGER].machine) == ("single", 1, 0)


def test_a_hidden_summary_is_not_guessed_at() -> None:
    tagged, cleared = _history(("Ann", ADD + _claim(LION)), ("Ben", ""))[::-1]
    history = [tagged, replace(cleared, hidden=True)]
    assert _short(fold(history, _standing(TIGER))) == [(LION, "Ann", 1, "2", "Ben"), (TIGER, "", 0, "", "")]
    nobody = [tagged, replace(cleared, hidden=True, user="")]
    assert _short(fold(nobody, _standing())) == [(LION, "Ann", 1, "2", "")]


@pytest.mark.parametrize(
    ("comment", "tags", "tool"),
    [
        (ADD + _claim(LION) + ", campaign165@ISA", (), "campaign165@ISA"),
        (ADD + _claim(LION) + ", #quickstatements; batch 7", ("OAuth CID: 1351",), "quickstatements"),
        (ADDED + _claim(LION), ("mw-reverted", "computer-aided-tagging-manual"), "computer-aided-tagging-manual"),
        (ADDED + _claim(LION), ("mw-reverted", "OAuth CID: 1776", "computer-aided-tagging"), "computer-aided-tagging"),
        (ADD + _claim(LION) + ", campaign165@ISA", ("computer-aided-tagging",), "computer-aided-tagging"),
        (ADDED + _claim(LION), ("mw-reverted",), ""),
    ],
)
def test_the_tool_is_what_the_edit_says(comment: str, tags: tuple[str, ...], tool: str) -> None:
    (said,) = fold(_history(*(("Ann", comment, *tags),)), _standing(LION))
    assert (said.tool, said.user) == (tool, "Ann")


@pytest.mark.parametrize("case", CASES)
def test_fold(case: str) -> None:
    edits, items, expected = CASES[case]
    assert _short(fold(_history(*edits), _standing(*items))) == expected


def test_a_statement_marked_as_wrong_is_nobodys() -> None:
    wrong = MediaInfo(id="M1", depicts=(Statement(id="M1$1", item=LION, rank="deprecated"),))
    assert fold([], wrong) == []


CAPTIONS = {
    "added": (
        [("Ann", "/* wbsetlabel-add:1|nl */ een vlinder")],
        [("nl", "een vlinder")],
        [("een vlinder", "Ann", "")],
    ),
    "with the tool's mark": (
        [("Ann", "/* wbsetlabel-add:1|nl */ pauwoog, geel, campaign165@ISA")],
        [("nl", "pauwoog, geel")],
        [("pauwoog, geel", "Ann", "")],
    ),
    "with a summary": (
        [("Ann", "/* wbsetlabel-add:1|nl */ pauwoog, as the book has it")],
        [("nl", "pauwoog")],
        [("pauwoog", "Ann", "")],
    ),
    "replaced": (
        [("Ann", "/* wbsetlabel-add:1|nl */ mot"), ("Ben", "/* wbsetlabel-set:1|nl */ uil")],
        [("nl", "uil")],
        [("mot", "Ann", "Ben"), ("uil", "Ben", "")],
    ),
    "removed": (
        [("Ann", "/* wbsetlabel-add:1|nl */ mot"), ("Ben", "/* wbsetlabel-remove:1|nl */ mot")],
        [],
        [("mot", "Ann", "Ben")],
    ),
    "two languages": (
        [("Ann", "/* wbsetlabel-add:1|nl */ mot"), ("Ben", "/* wbsetlabel-add:1|en */ moth")],
        [("en", "moth"), ("nl", "mot")],
        [("moth", "Ben", ""), ("mot", "Ann", "")],
    ),
    "in the dark": (
        [("Ann", "/* wbeditentity-update-languages-short:0||en */ data")],
        [("en", "moth")],
        [("moth", "", "")],
    ),
}


@pytest.mark.parametrize("case", CAPTIONS)
def test_fold_captions(case: str) -> None:
    edits, standing, expected = CAPTIONS[case]
    info = _standing(captions=standing)
    said = fold(_history(*edits), info, captions=True)
    assert [(s.key[1], s.user, s.withdrawn_by) for s in said] == expected
    assert fold(_history(*edits), info) == []


EDITS = st.tuples(
    st.sampled_from(["Ann", "Ben", "Vic"]),
    st.sampled_from([ADD, ADDED, REMOVE, VALUE, "/* undo:0||2|x */ ", "/* restore:0||3|x */ ", DARK, "+cat"]),
    st.sampled_from([LION, TIGER, BEE]),
    st.sampled_from(["", "mw-rollback"]),
)


@given(st.lists(EDITS, max_size=12), st.lists(st.sampled_from([LION, TIGER, BEE]), max_size=4))
def test_what_stands_is_what_the_statements_say(edits: list[tuple[str, str, str, str]], items: list[str]) -> None:
    history = _history(*((user, comment + _claim(item), tag) for user, comment, item, tag in edits))
    said = fold(history, _standing(*items))
    assert sorted(s.key[1] for s in said if not s.withdrawn) == sorted(items)
    assert {s.statement.id for s in said if s.statement} == {f"M1${n}" for n in range(len(items))}
    assert all(s.revision < int(s.withdrawn[8:10]) for s in said if s.withdrawn and s.withdrawn_by)


def _content(**statements: str) -> Content:
    """Return what a revision holds: statement → item, with a ``-`` before it where it is marked as wrong."""
    told = (
        Statement(id=key, item=i.strip("-"), rank="deprecated" if "-" in i else "normal")
        for key, i in statements.items()
    )
    return Content(depicts=tuple(told))


def test_contents_tell_what_summaries_leave_open() -> None:
    edits = [
        ("Ann", "upload"),
        ("Bot", DARK),
        ("Cas", "+cat"),
        ("Ben", DARK),
        ("Dot", UPDATE + _claim(LION)),
        ("Eve", ""),
    ]
    history = [replace(r, parent=r.id - 1, hidden=r.user == "Eve") for r in _history(*edits)]
    steps = [Content(), _content(a=LION, b=TIGER), _content(a=LION, b=TIGER), _content(a=LION, b=BEE)]
    steps += [_content(a="-" + LION, b=BEE), _content(a="-" + LION, b=BEE, c=TIGER)]
    now = MediaInfo(id="M1", depicts=steps[-1].depicts)
    assert in_question(history, now) == [1, 2, 3, 4, 5, 6]
    assert _short(fold(history, now, contents=dict(enumerate(steps, 1)))) == [
        (LION, "Bot", 2, "5", "Dot"),
        (TIGER, "Bot", 2, "4", "Ben"),
        (BEE, "Ben", 4, "", ""),
        (TIGER, "Eve", 6, "", ""),
    ]
    unread = dict(enumerate(steps[:4], 1))
    assert (TIGER, "", 0, "", "") in _short(fold(history, now, contents=unread)), "what is not read is not guessed at"


def test_contents_tell_of_captions() -> None:
    history = [replace(r, parent=r.id - 1) for r in _history(("Ann", DARK), ("Ben", DARK))]
    contents = {1: Content(captions=(("nl", "mot"),)), 2: Content(captions=(("en", "moth"), ("nl", "uil")))}
    now = _standing(captions=contents[2].captions)
    assert in_question(history, now) == []
    assert in_question(history, now, captions=True) == [1, 2]
    said = fold(history, now, captions=True, contents=contents)
    assert [(s.key, s.user, s.withdrawn_by) for s in said] == [
        (("nl", "mot"), "Ann", "Ben"),
        (("en", "moth"), "Ben", ""),
        (("nl", "uil"), "Ben", ""),
    ]


@pytest.mark.parametrize(
    ("edits", "items", "wanted"),
    [
        ([("Ann", ADD + _claim(LION)), ("Bot", DARK)], [LION], []),
        ([("Ann", "upload"), ("Bot", DARK)], [], []),
        ([("Ann", DARK)], [LION], [1]),
        ([("Ann", ADD + _claim(LION)), ("Bot", DARK)], [], [1, 2]),
        ([("Ann", ADD + _claim(LION)), ("Bot", "/* wbsetclaim-update-rank:2||1 */ " + _claim(LION))], [], [1, 2]),
        ([("Ann", ADD + _claim(LION)), ("Ben", "/* wbremoveclaims:2| */ [[P180]], [[P195]]")], [], [1, 2]),
        ([("Ann", ADD + _claim(LION)), ("Ben", "/* wbremoveclaims-remove:3| */ " + _claim(TIGER, BEE))], [], [1, 2]),
        ([("Ann", "upload"), ("Ben", "/* wbcreate-something-new:1| */")], [LION], [1, 2]),
        ([("Ann", "upload"), ("Ben", "/* wbsetqualifier-add:1| */ [[P518]]: [[Q23445]]")], [LION], []),
        ([("Ann", DARK)] * 101, [LION], []),
    ],
)
def test_old_content_is_wanted_only_where_something_is_open(
    edits: list[tuple[str, ...]], items: list[str], wanted: list[int]
) -> None:
    history = [replace(r, parent=r.id - 1) for r in _history(*edits)]
    assert in_question(history, _standing(*items)) == wanted


@given(
    st.lists(st.dictionaries(st.sampled_from("abc"), st.sampled_from([LION, TIGER, "-" + BEE]), max_size=3), max_size=8)
)
def test_who_said_what_is_exact_where_all_content_is_known(states: list[dict[str, str]]) -> None:
    history = [replace(r, parent=r.id - 1) for r in _history(*((f"U{n}", DARK) for n in range(1, len(states) + 1)))]
    contents = {n: _content(**state) for n, state in enumerate(states, 1)}
    authors: dict[str, int] = {}
    for number, state in enumerate(states, 1):
        before = states[number - 2] if number > 1 else {}
        authors = {key: authors[key] if before.get(key) == item else number for key, item in state.items()}
    now = states[-1] if states else {}
    said = fold(history, MediaInfo(id="M1", depicts=_content(**now).depicts), contents=contents)
    stands = {s.statement.id: (s.key[1], s.revision) for s in said if s.statement}
    assert stands == {key: (item, authors[key]) for key, item in now.items() if "-" not in item}
    assert all(s.user == f"U{s.revision}" for s in said)


@pytest.mark.skipif(not RECORDED.is_file(), reason="recorded exchanges are not here")
def test_recorded_histories() -> None:
    exchanges = [orjson.loads(line) for line in RECORDED.read_bytes().splitlines()]
    entities = {}
    histories: dict[str, list[Revision]] = {}
    for exchange in exchanges:
        if exchange["note"].startswith("wbgetentities of M-ids"):
            entities |= parse_entities(exchange["json"])
        elif exchange["note"].startswith("page history of"):
            page = exchange["json"]["query"]["pages"][0]
            histories.setdefault(f"M{page['pageid']}", []).extend(parse_revisions(exchange["json"]))
    assert len(histories) == 27
    told = {media: fold(history, entities[media]) for media, history in histories.items()}
    assert _tagged(told["M30"]) == [("Q25234", 172, "x", "x"), ("Q140", 0, "", ""), ("Q127960", 173, "", "x")]
    assert told["M30"][0].tool == "campaign165@ISA"
    assert _tagged(told["M31"]) == [("Q19939", 0, "", ""), ("Q13441", 176, "", "x")]
    assert _tagged(told["M32"])[0] == ("Q13441", 177, "x", "x")
    assert [(item, revision) for item, revision, _, _ in _tagged(told["M27"])] == [("Q140", 0)]
    assert _tagged(told["M14"]) == _tagged(told["M15"]) == _tagged(told["M17"]) == []


def _tagged(said: Sequence[Said]) -> list[tuple[str, int, str, str]]:
    return [(s.key[1], s.revision, "x" if s.withdrawn else "", "x" if s.user else "") for s in said]
