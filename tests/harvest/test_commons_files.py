"""Which files a source means: categories and what is left out of them, searches, uploads, names one by one."""

from collections.abc import Iterator
from typing import Any

import pytest

from crowd.campaign import CommonsSource
from harvest.commons_files import Found, list_source, search
from harvest.standin.mediawiki import MOST_HITS
from harvest.standin.server import StandIn
from harvest.standin.world import Category, Entity, File, Revision, World, statement, statements
from harvest.wiki import Api
from linkeddata.client import Client
from linkeddata.records import Failure

MOMENT = "2021-10-03T14:05:00Z"


def _file(number: int, *categories: str, **changed: Any) -> File:
    lion = Entity(statements=statements(statement(f"M{number}", "P180", "Q140")))
    edit = Revision(id=number, user="Ann" if number % 2 else "Ben", moment=MOMENT, comment="", entity=lion)
    told = {"size_bytes": number * 100_000} | changed
    return File(page_id=number, title=f"File:Plate {number:03}.jpg", revisions=(edit,), categories=categories, **told)


def _category(number: int, name: str, *inside: str) -> Category:
    return Category(page_id=9000 + number, title=f"Category:{name}", moment=MOMENT, categories=inside)


@pytest.fixture(scope="module")
def shared() -> Iterator[StandIn]:
    """A tree of albums in which a branch leads back to the root, and 40 loose plates."""
    albums = (
        _category(1, "Albums"),
        _category(2, "Album I", "Albums"),
        _category(3, "Album II", "Albums"),
        _category(4, "Details", "Album I", "Album II"),
        _category(5, "Albums", "Details"),
    )
    files = [_file(1, "Albums"), _file(2, "Album I", "Details"), _file(3, "Album II"), _file(4, "Details")]
    files += [_file(number) for number in range(11, 51)]
    files += [_file(60, redirect="File:Plate 011.jpg")]
    with StandIn(World(files=tuple(files), categories=albums)) as running:
        yield running


@pytest.fixture
def standin(shared: StandIn) -> StandIn:
    shared.requests.clear()
    return shared


def _listed(standin: StandIn, described: bool = False, **source: Any) -> list[Found | Failure]:
    with Client(standin.settings(), sleep=lambda _: None) as client:
        api = Api.of(client, standin.settings())
        return list(list_source(api, CommonsSource(**source), campaign="test", described=described))


def _places(found: list[Found | Failure]) -> dict[int, str]:
    return {entry.id: entry.place for entry in found if isinstance(entry, Found)}


def _told(found: list[Found | Failure]) -> list[tuple[str, str]]:
    return [(entry.subject, entry.reason) for entry in found if isinstance(entry, Failure)]


def test_a_tree_is_walked_once_and_a_file_belongs_to_its_lowest_category(standin: StandIn) -> None:
    found = _listed(standin, category="Albums", depth=9)
    assert _places(found) == {1: "Albums", 2: "Details", 3: "Album II", 4: "Details"}
    assert standin.requests.count() == 4


def test_what_is_excluded_is_not_gone_into(standin: StandIn) -> None:
    found = _listed(standin, category="Albums", depth=9, exclude=("category:details",))
    assert _places(found) == {1: "Albums", 2: "Album I", 3: "Album II"}
    assert standin.requests.count() == 3
    assert _places(_listed(standin, category="Albums", depth=1, exclude=("Album I", "Album II"))) == {1: "Albums"}


@pytest.mark.parametrize("described", [False, True])
def test_a_listing_brings_descriptions_where_they_cost_nothing(standin: StandIn, described: bool) -> None:
    (found,) = _listed(standin, described, category="Album II")
    assert isinstance(found, Found)
    assert (found.id, found.revision, found.page is not None) == (3, 3, described)
    assert standin.requests.count() == 1


def test_a_search_finds_statements(standin: StandIn) -> None:
    found = _listed(standin, search="haswbstatement:P180=Q140 -incategory:Details")
    assert len(_places(found)) == 42
    assert _told(_listed(standin, search="haswbstatement:P180=Q1")) == [("haswbstatement:P180=Q1", "nothing found")]


@pytest.mark.parametrize("most", [7, 20, 43, 44])
def test_a_search_that_finds_too_much_is_asked_in_pieces(standin: StandIn, most: int) -> None:
    with Client(standin.settings()) as client:
        api = Api.of(client, standin.settings())
        found = list(search(api, "haswbstatement:P180=Q140", campaign="test", described=False, most=most))
    ids = [entry.id for entry in found if isinstance(entry, Found)]
    assert sorted(ids) == [1, 2, 3, 4, *range(11, 51)]
    assert _told(found) == []
    asked = [request.params["gsrsearch"] for request in standin.requests.all(generator="search")]
    assert (len(asked) == 1) == (most == 44)


def test_a_search_that_changes_while_it_is_paged_loses_nothing() -> None:
    files = tuple(_file(number) for number in range(1, 511))
    with StandIn(World(files=files)) as standin:
        standin.become(
            World(files=files[1:]), after=2
        )  # the first is gone, the 501st moves into the page that was read
        found = _listed(standin, search="haswbstatement:P180=Q140")
        ids = [entry.id for entry in found if isinstance(entry, Found)]
        assert sorted(ids) == list(range(1, 511))
        assert standin.requests.count(generator="search") == 4
        standin.requests.clear()
        assert len(_listed(standin, search="haswbstatement:P180=Q140")) == 509
        assert standin.requests.count(generator="search") == 2, "a search that stays as it is is read once"


def test_what_cannot_be_had_of_a_search_is_said() -> None:
    twins = [_file(number, size_bytes=1024 * 700 + 1) for number in range(1, 10)]
    with StandIn(World(files=tuple(twins))) as standin, Client(standin.settings()) as client:
        api = Api.of(client, standin.settings())
        found = list(search(api, "haswbstatement:P180=Q140", campaign="test", described=False, most=4))
    assert len(_places(found)) == 4
    assert _told(found) == [("haswbstatement:P180=Q140 filesize:700,701", "search cut off")]
    assert MOST_HITS == 10_000


@pytest.mark.parametrize("user", ["Ann", "User:Ann", "user:ann"])
def test_a_users_uploads(standin: StandIn, user: str) -> None:
    found = _listed(standin, uploads=user)
    assert set(_places(found).values()) == {"uploads"}
    assert set(_places(found)) == {1, 3, *range(11, 51, 2)}
    assert _told(_listed(standin, uploads="Nobody")) == [("User:Nobody", "nothing found")]


def test_files_by_name(standin: StandIn) -> None:
    iri = "https://commons.wikimedia.org/entity/M3"
    names = ("M1", iri, "Plate_011.jpg", "File:Plate 060.jpg", "image:plate 012.jpg", "M999", "File:No.jpg", "M60")
    found = _listed(standin, files=names)
    assert list(_places(found)) == [1, 3, 11, 12]
    assert _told(found) == [("M999", "file missing"), ("File:No.jpg", "file missing"), ("M60", "file missing")]
    assert standin.requests.count() == 3, "ids, titles, and where the one that is missing went"
