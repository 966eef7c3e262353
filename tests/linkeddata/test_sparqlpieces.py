"""Questions that are too much at once: asked in pieces, over HTTP, of endpoints that break off in their own ways."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from harvest.standin import faults
from harvest.standin.server import StandIn
from harvest.standin.sparql import LOGIN
from harvest.standin.world import Entity, File, Item, Revision, World, statement, statements
from linkeddata import sparqlpieces
from linkeddata.client import Client
from linkeddata.errors import ServiceError, TooMuchError, UnreachableError
from linkeddata.sparql import load_query
from linkeddata.sparqlpieces import Asking, Missing, rows
from linkeddata.sparqlresults import Row

NUMBERS = [number * 977 for number in range(1, 121)]


def _file(number: int, *items: str) -> File:
    media = f"M{number}"
    told = statements(*(statement(media, "P180", item) for item in items), statement(media, "P195", "Q190804"))
    page = Revision(id=number, user="", moment="2021-10-03T14:05:00Z", comment="", entity=Entity(statements=told))
    return File(page_id=number, title=f"File:Plate {number}.jpg", revisions=(page,))


def _world(numbers: Sequence[int] = NUMBERS) -> World:
    items = tuple(
        Item(id=item, entity=Entity(statements=statements(statement(item, "P225", name))))
        for item, name in (("Q140", "Panthera leo"), ("Q19939", "Panthera tigris"))
    )
    files = tuple(_file(n, "Q140", "Q42") if n % 2 else _file(n, "Q19939") for n in numbers)
    return World(files=files, items=items)


@pytest.fixture
def server() -> Iterator[StandIn]:
    with StandIn(_world()) as running:
        yield running


def _ask(server: StandIn, endpoint: str, name: str, values: dict[str, list[str]]) -> tuple[list[Row | Missing], Client]:
    settings = server.settings(tries=2, wcqs_cookie=LOGIN)
    with Client(settings, sleep=lambda _: None) as client:
        asking = Asking(client, settings, f"{server.url}/sparql/{endpoint}", load_query(name))
        return list(rows(asking, values)), client


def _files(found: Sequence[Row | Missing]) -> list[int]:
    return sorted(int(row["file"].rpartition("/M")[2]) for row in found if isinstance(row, dict))


ITEMS = {"item": ["Q140", "Q19939"]}


@pytest.mark.parametrize("endpoint", ["commons", "wcqs"])
@pytest.mark.parametrize("most", [4, 7, 50, 119, 120])
def test_an_endpoint_that_breaks_off_gives_everything_in_the_end(server: StandIn, endpoint: str, most: int) -> None:
    server.endpoint.most_rows[f"/sparql/{endpoint}"] = most
    found, client = _ask(server, endpoint, "files-of-items", ITEMS)
    assert _files(found) == NUMBERS, "nothing lost, nothing doubled"
    assert (client.counts["halved"] > 0) == (most < 120)
    assert client.counts["given up"] == 0


def test_a_list_of_ids_is_halved_where_there_is_no_key(server: StandIn) -> None:
    server.endpoint.most_rows["/sparql/commons"] = 10
    found, client = _ask(server, "commons", "depicts-of-files", {"file": [f"M{n}" for n in NUMBERS]})
    assert Counter(_files(found)) == Counter([n for n in NUMBERS for _ in range(2 if n % 2 else 1)])
    assert client.counts["halved"] > 0


def test_a_long_list_of_ids_is_asked_in_batches(server: StandIn) -> None:
    ids = [f"M{n}" for n in range(1, 1202)]
    found, client = _ask(server, "commons", "depicts-of-files", {"file": ids})
    assert client.counts["requests"] == 3
    assert set(_files(found)) == {n for n in NUMBERS if n < 1202}


def test_what_is_never_answered_is_named(server: StandIn) -> None:
    server.endpoint.most_rows["/sparql/commons"] = 1
    found, client = _ask(server, "commons", "depicts-of-files", {"file": ["M977", "M1954"]})
    assert _files(found) == [1954]
    (missing,) = [one for one in found if isinstance(one, Missing)]
    assert (missing.query, missing.piece) == ("depicts-of-files", "file M977")
    assert "Operation timed out" in missing.reason
    assert client.counts["given up"] == 1


def test_a_range_that_is_never_answered_is_named(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparqlpieces, "HALVINGS", 1)
    lions = [n for n in NUMBERS if n % 2]
    low, high = [n for n in lions if str(n) < "55"], [n for n in lions if str(n) >= "55"]
    assert len(low) > len(high)
    server.endpoint.most_rows["/sparql/commons"] = len(high)
    found, _ = _ask(server, "commons", "files-of-items", {"item": ["Q140"]})
    pieces = [one.piece for one in found if isinstance(one, Missing)]
    assert pieces == ["item Q140, file the first to M55…"]
    assert _files(found) == high


@pytest.mark.parametrize("fault", [faults.STACK_TRACE, faults.BROKEN_OFF, faults.TIMED_OUT], ids=lambda f: f.kind)
def test_a_question_is_not_put_again_before_it_is_halved(server: StandIn, fault: faults.Fault) -> None:
    server.faults.next("/sparql/", fault)
    found, client = _ask(server, "commons", "files-of-items", ITEMS)
    assert _files(found) == NUMBERS
    assert (client.counts["halved"], client.counts["retries"], client.counts["requests"]) == (1, 0, 3)


@pytest.mark.parametrize(
    "fault",
    [
        faults.TOO_MANY_REQUESTS,
        faults.UNAVAILABLE,
        faults.CUT_CONNECTION,
        faults.TRUNCATED,
        faults.HTML_PAGE,
        faults.SLOW_DRIP,
        faults.SLOW_HEADERS,
    ],
    ids=lambda f: f.kind,
)
def test_other_faults_are_waited_for(server: StandIn, fault: faults.Fault) -> None:
    server.faults.next("/sparql/", fault)
    found, client = _ask(server, "commons", "files-of-items", ITEMS)
    assert _files(found) == NUMBERS
    assert client.counts["halved"] == 0


def test_cut_twice_is_asked_for_in_halves(server: StandIn) -> None:
    server.faults.next("/sparql/", faults.TRUNCATED, times=2)
    found, client = _ask(server, "commons", "files-of-items", ITEMS)
    assert _files(found) == NUMBERS
    assert client.counts["halved"] == 1


def test_a_service_that_is_down_ends_the_asking(server: StandIn) -> None:
    server.faults.next("/sparql/", faults.UNAVAILABLE, times=2)
    with pytest.raises(UnreachableError):
        _ask(server, "commons", "files-of-items", ITEMS)
    with pytest.raises(ServiceError, match="404"):
        _ask(server, "../nothing", "files-of-items", ITEMS)


def test_a_result_that_changes_while_it_is_paged_loses_and_doubles_no_other_row(server: StandIn) -> None:
    """With OFFSET, files that come or go would shift others into two pages or none."""
    server.endpoint.most_rows["/sparql/commons"] = 30
    settings = server.settings(tries=2)
    gone, new = NUMBERS[:20], [10**6 + n for n in range(1, 30)]
    with Client(settings, sleep=lambda _: None) as client:
        asking = Asking(client, settings, settings.sparql_commons, load_query("files-of-items"))
        answer = rows(asking, ITEMS)
        found = [next(answer) for _ in range(25)]
        server.index(_world([*NUMBERS[20:], *new]))
        found += answer
    files = _files(found)
    assert len(files) == len(set(files))
    assert set(NUMBERS[20:]) <= set(files) <= {*NUMBERS, *new}
    assert set(gone) & set(files), "some were read before they went"


def test_a_service_that_never_finishes_is_not_asked_for_ever(server: StandIn) -> None:
    server.faults.next("/sparql/", faults.STACK_TRACE, times=1000)
    with pytest.raises(TooMuchError):
        _ask(server, "commons", "files-of-items", ITEMS)
    assert server.requests.count("/sparql/") < 50


def test_two_steps_take_the_place_of_federation(server: StandIn) -> None:
    found, _ = _ask(server, "commons", "depicted-taxa-of-collection", {"collection": ["Q190804"]})
    assert _files(found) == NUMBERS, "the item that is no taxon has no row at Wikidata"
    assert {(row["taxon_name"], "gbif_id" in row) for row in found if isinstance(row, dict)} == {
        ("Panthera leo", False),
        ("Panthera tigris", False),
    }
    assert server.requests.count("/sparql/wikidata") == 1


def test_what_wikidata_does_not_answer_is_named(server: StandIn) -> None:
    server.faults.next("/sparql/wikidata", faults.TIMED_OUT, times=50)
    found, _ = _ask(server, "commons", "depicted-taxa-of-collection", {"collection": ["Q190804"]})
    assert {one.piece for one in found if isinstance(one, Missing)} == {"taxon Q140", "taxon Q19939", "taxon Q42"}


def test_taxa_below(server: StandIn) -> None:
    lion, tiger = _world().items
    genus = Item(id="Q127960", entity=Entity(statements=statements(statement("Q127960", "P225", "Panthera"))))
    below = [
        replace(
            item,
            entity=Entity(statements={**item.entity.statements, **statements(statement(item.id, "P171", "Q127960"))}),
        )
        for item in (lion, tiger)
    ]
    server.index(World(items=(genus, *below)))
    found, _ = _ask(server, "wdqs", "taxa-below", {"root": ["Q127960"]})
    assert {row["item"].rpartition("/")[2] for row in found if isinstance(row, dict)} == {"Q127960", "Q140", "Q19939"}
