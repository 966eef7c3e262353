"""Two routes laid side by side: one world, harvested by API and by SPARQL, with a difference of each kind planted."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowd.campaign import Campaign, CommonsSource
from harvest.compare import (
    DELETED,
    HIDDEN,
    LAG,
    MARKED_WRONG,
    RANK,
    REASONS,
    UNSEEN,
    UNSEEN_FILE,
    WITHDRAWN,
    Difference,
    Seen,
    Side,
    Stated,
    differences,
    side_of,
    with_seen,
)
from harvest.reach import Reach
from harvest.records import lost
from harvest.sides import by_route, gather, look_again, save, saved
from harvest.standin.server import StandIn
from harvest.standin.world import Category, Entity, File, Item, Revision, World, statement, statements
from linkeddata.client import Client
from linkeddata.errors import ServiceError, UsageError
from linkeddata.ids import item_of_iri
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import MediaFile, Tag
from linkeddata.sparql import select

ENTITY = "https://commons.wikimedia.org/entity/"
INDEXED = "2026-11-01T00:00:00Z"
BEFORE, AFTER = "2026-10-05T00:00:00Z", "2026-11-15T00:00:00Z"
LION, TIGER = "Q140", "Q19939"


def _edit(number: int, moment: str, what: str, *told: dict[str, object]) -> Revision:
    link = "[[d:Special:EntityPage/P180]]: [[d:Special:EntityPage/Q140]]"
    comments = {
        "upload": "uploaded",
        "add": f"/* wbsetclaim-create:2||1 */ {link}",
        "change": f"/* wbsetclaim-update:2||1|1 */ {link}",
        "remove": f"/* wbremoveclaims-remove:1| */ {link}",
    }
    entity = None if what == "upload" else Entity(statements=statements(*told))
    return Revision(id=number, user="Jan", moment=moment, comment=comments[what], entity=entity)


def _file(number: int, *edits: Revision) -> File:
    first = _edit(number * 10, "2026-10-01T00:00:00Z", "upload")
    return File(
        page_id=number,
        title=f"File:Plate {number}.jpg",
        revisions=(first, *edits),
        categories=("Album",),
        sha1=f"{number:040x}",
        uploaded="2026-10-01T00:00:00Z",
    )


def _lion(number: int, rank: str = "normal") -> dict[str, object]:
    return statement(f"M{number}", "P180", LION, rank=rank)


SAME, LATE, GONE, TAKEN_BACK, WRONG, UNINDEXED, PROMINENT, BOTH = range(1, 9)


def _files(*, now: bool) -> Iterator[File]:
    """The files as the wiki has them now, or as the index has them."""

    def file(number: int, *later: Revision) -> File:
        first = _edit(number * 10 + 1, BEFORE, "add", _lion(number))
        return _file(number, first, *(later if now else ()))

    yield file(SAME)
    late = _edit(LATE * 10 + 1, AFTER, "add", _lion(LATE))
    # An entity is in the RDF once it has structured data: here an empty one.
    empty = _edit(LATE * 10 + 1, BEFORE, "change")
    yield _file(LATE, replace(late, id=late.id + 1)) if now else _file(LATE, empty)
    if not now:
        yield file(GONE)
    yield file(TAKEN_BACK, _edit(TAKEN_BACK * 10 + 2, AFTER, "remove"))
    yield file(WRONG, _edit(WRONG * 10 + 2, AFTER, "change", _lion(WRONG, "deprecated")))
    if now:
        yield file(UNINDEXED)
    yield file(PROMINENT, _edit(PROMINENT * 10 + 2, AFTER, "change", _lion(PROMINENT, "preferred")))
    ranked = _edit(BOTH * 10 + 1, BEFORE, "add", _lion(BOTH, "preferred"), statement(f"M{BOTH}", "P180", TIGER))
    yield _file(BOTH, ranked)


def _world(*, now: bool) -> World:
    taxa = tuple(
        Item(id=item, entity=Entity(statements=statements(statement(item, "P225", "x")))) for item in (LION, TIGER)
    )
    album = Category(page_id=900, title="Category:Album", moment="2026-01-01T00:00:00Z")
    return World(files=tuple(_files(now=now)), items=taxa, categories=(album,), dumped=INDEXED)


@pytest.fixture(scope="module")
def reach() -> Iterator[Reach]:
    with StandIn(_world(now=True), indexed=_world(now=False)) as server:
        settings = server.settings(tries=2)
        with Client(settings, sleep=lambda _: None) as client:
            yield Reach(
                client=client,
                settings=settings,
                campaign=Campaign(id="c", title="C"),
                pseudonyms=Pseudonyms("key"),
                known={},
            )


def _compared(reach: Reach, source: CommonsSource, *routes: str) -> dict[int, Difference]:
    reach = replace(reach, campaign=replace(reach.campaign, commons=(source,)))
    asked = [by_route(reach, route) for route in routes]
    files = {one.file for one in differences(asked[0][0], asked[1][0])}
    sides = [look_again(reach, side, told, files) for side, told in asked]
    found = list(differences(*sides))
    assert len({one.file for one in found}) == len(found)
    return {int(one.file.rpartition("/M")[2]): one for one in found}


def test_each_planted_difference_of_a_category_gets_its_reason(reach: Reach) -> None:
    found = _compared(reach, CommonsSource(category="Album"), "api", "qlever")
    assert {number: one.reason for number, one in found.items()} == {
        LATE: LAG,
        TAKEN_BACK: WITHDRAWN,
        WRONG: MARKED_WRONG,
        UNINDEXED: UNSEEN_FILE,
        PROMINENT: RANK,
    }
    assert found[LATE].detail == f"said in revision 22 ({AFTER}), qlever knows 21 ({BEFORE})"
    assert (found[TAKEN_BACK].a, found[TAKEN_BACK].b) == (f"withdrawn {AFTER}", "normal")
    assert found[TAKEN_BACK].detail == f"api knows that it was taken back on {AFTER}"
    assert (found[WRONG].a, found[WRONG].b) == ("deprecated", "normal")
    assert (found[UNINDEXED].a, found[UNINDEXED].b) == ("normal", "-")
    assert (found[PROMINENT].a, found[PROMINENT].b) == ("preferred", "normal")
    assert found[PROMINENT].detail == f"api knows revision 72 of the file, qlever 71 ({BEFORE})"
    assert found[LATE].title == "File:Plate 2.jpg"
    assert found[LATE].statement.startswith("M2$")


def test_each_planted_difference_of_a_search_gets_its_reason(reach: Reach) -> None:
    """By search, the API does not meet what is deleted or was taken back: it is asked again about those files."""
    found = _compared(reach, CommonsSource(search="haswbstatement:P180=Q140"), "api", "qlever")
    reasons = {number: one.reason for number, one in found.items()}
    assert reasons[GONE] == DELETED
    assert found[GONE].detail == "api says that the file is not there"
    assert reasons[TAKEN_BACK] == WITHDRAWN
    assert found[TAKEN_BACK].detail == "qlever knows revision 41, api 42 without it"
    assert reasons[LATE] == LAG


def test_a_route_and_itself_do_not_differ(reach: Reach) -> None:
    for route in ("api", "qlever"):
        assert _compared(reach, CommonsSource(category="Album"), route, route) == {}


def test_what_wdt_hides_is_known_by_its_rank(reach: Reach) -> None:
    query = "SELECT ?file ?item { ?file <http://www.wikidata.org/prop/direct/P180> ?item }"
    rows = select(reach.client, reach.settings.sparql_commons, query)
    hiding = side_of(
        "wdt", [Tag(id=str(n), file=row["file"], item=item_of_iri(row["item"])) for n, row in enumerate(rows)]
    )
    own = replace(reach, campaign=replace(reach.campaign, commons=(CommonsSource(category="Album"),)))
    whole, _ = by_route(own, "qlever")
    found = {(one.file.rpartition("/")[2], one.item): one for one in differences(whole, hiding)}
    assert found[f"M{BOTH}", TIGER].reason == HIDDEN
    assert found[f"M{BOTH}", TIGER].detail == "wdt shows only preferred statements of this file"
    assert found[f"M{BOTH}", LION].reason == RANK, "a direct property does not say that it is preferred"


def test_a_harvest_that_was_saved_is_compared_like_a_route(reach: Reach, tmp_path: Path) -> None:
    own = replace(reach, campaign=replace(reach.campaign, commons=(CommonsSource(category="Album"),)))
    sides = []
    for route in ("api", "qlever"):
        records, told = gather(own, (route,))
        path = tmp_path / f"{route}.jsonl"
        assert save(path, records, {"campaign": "c", "moment": AFTER, "answers": told.answers}) == len(records)
        sides.append(saved(path))
    assert [side.moment for side in sides] == [AFTER, INDEXED]
    reasons = {int(one.file.rpartition("/M")[2]): one.reason for one in differences(*sides)}
    assert reasons == {
        LATE: LAG,  # by date alone: nobody was asked again which revision the index has
        TAKEN_BACK: WITHDRAWN,
        WRONG: MARKED_WRONG,
        UNINDEXED: UNSEEN_FILE,
        PROMINENT: RANK,
    }


@pytest.mark.parametrize("text", ["no json", '["a list"]', '{"record": "tag"}', "\xff\xfe"])
def test_a_file_that_is_no_harvest_is_named_with_its_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"record":"harvest"}\n' + text.encode("latin-1") + b"\n")
    with pytest.raises(UsageError, match=r"x\.jsonl(, line 2|: cannot be read)"):
        saved(path)


def test_a_route_that_cannot_be_asked_is_an_error(reach: Reach) -> None:
    own = replace(reach, campaign=replace(reach.campaign, commons=(CommonsSource(category="Album", captions=True),)))
    with pytest.raises(ServiceError, match="no captions"):
        by_route(own, "qlever")


F = f"{ENTITY}M1"
NOW = Stated(file=F, item=LION, statement="M1$A", moment=BEFORE, revision=5)


@pytest.mark.parametrize(
    ("a", "b", "reason"),
    [
        (Side(name="a", stated=(NOW,)), Side(name="b", files={F: Seen(gone=True)}), DELETED),
        (Side(name="a", stated=(NOW,)), Side(name="b", moment="2026-10-04"), LAG),
        (Side(name="a", stated=(NOW,)), Side(name="b", moment="2026-10-05"), UNSEEN_FILE),
        (Side(name="a", stated=(NOW,)), Side(name="b", files={F: Seen(revision=4)}), LAG),
        (
            Side(name="a", stated=(NOW,), files={F: Seen(revision=5)}),
            Side(name="b", files={F: Seen(revision=9)}),
            WITHDRAWN,
        ),
        (Side(name="a", stated=(NOW,)), Side(name="b", files={F: Seen(revision=9)}), UNSEEN),
        (Side(name="a", stated=(NOW,)), Side(name="b"), UNSEEN_FILE),
        (Side(name="a", stated=(NOW,)), Side(name="b", stated=(replace(NOW, item=TIGER, statement="M1$B"),)), UNSEEN),
    ],
)
def test_the_ladder_of_reasons(a: Side, b: Side, reason: str) -> None:
    assert {one.reason for one in differences(a, b) if one.item == LION} == {reason}
    assert {one.reason for one in differences(b, a) if one.item == LION} == {reason}, "from whichever side one looks"
    assert reason in REASONS


def test_statements_without_an_id_are_paired_by_file_and_item() -> None:
    listed = Side(name="list", stated=(Stated(file=F, item=LION),))
    assert list(differences(Side(name="api", stated=(NOW,)), listed)) == []
    twice = Side(name="api", stated=(NOW, replace(NOW, statement="M1$B")))
    assert [one.reason for one in differences(twice, listed)] == [UNSEEN]


def test_what_a_failure_says_of_a_statement_is_known() -> None:
    records = [
        MediaFile(iri=F, title="File:A.jpg", revision=3),
        lost(F, "deprecated statement", "Q140 M1$A"),
        lost(f"{ENTITY}M2", "file missing"),
        Tag(id="caption", file=F, verbatim="a lion", language="en"),
    ]
    side = side_of("api", records)
    assert side.stated == (Stated(file=F, item=LION, statement="M1$A", deprecated=True),)
    assert side.files == {F: Seen(title="File:A.jpg", revision=3), f"{ENTITY}M2": Seen(gone=True)}
    assert with_seen(side, {F: Seen(revision=7)}).of(F) == Seen(title="File:A.jpg", revision=7)


def test_a_statement_that_two_routes_have_told_is_one() -> None:
    """A home folder that was filled by the API and by a query service has most statements twice."""
    told = Tag(id="a", file=F, item=LION, statement="M1$a", moment=BEFORE, revision=3, prominent=True, route="commons")
    again = Tag(id="b", file=F, item=LION, statement="M1$A", prominent=True, route="sparql")
    both, one = (side_of(name, [told, again][:count]) for name, count in (("home", 2), ("api", 1)))
    assert both.stated == one.stated
    assert list(differences(both, one)) == []


STATED = st.builds(
    Stated,
    file=st.sampled_from(["f", "g"]),
    item=st.sampled_from([LION, TIGER]),
    statement=st.sampled_from(["", "s", "t"]),
    prominent=st.booleans(),
    deprecated=st.booleans(),
    withdrawn=st.sampled_from(["", BEFORE]),
)


@given(st.lists(STATED, max_size=6), st.lists(STATED, max_size=6))
def test_the_same_differences_from_both_sides(left: list[Stated], right: list[Stated]) -> None:
    a, b = Side(name="a", stated=tuple(left)), Side(name="b", stated=tuple(right))
    there, back = list(differences(a, b)), list(differences(b, a))
    assert len(there) == len(back)
    assert all(one.reason in REASONS for one in there)
    assert list(differences(a, a)) == []
