"""Queries as files, and asking them: over HTTP, of a real engine, with every way an endpoint fails."""

import re
from collections.abc import Iterator
from importlib.resources import files

import pytest
from pyoxigraph import Store
from rdflib.plugins.sparql import prepareQuery

from harvest.standin import faults
from harvest.standin.faults import Fault
from harvest.standin.server import StandIn
from harvest.standin.sparql import LOGIN
from harvest.standin.world import Entity, File, Item, Revision, World, snak, statement, statements
from linkeddata.client import Client
from linkeddata.errors import (
    ContactRequiredError,
    ServiceError,
    SettingsError,
    TooMuchError,
    UnreachableError,
    UsageError,
)
from linkeddata.settings import Settings, shown
from linkeddata.sparql import PUBLISHED, index_date, load_query, parse_query, query_names, select
from linkeddata.sparqlpieces import Asking, rows

SAMPLES = {"item": ["Q140"], "file": ["M11"], "key": ["5219404"], "moment": ["2021-01-01"]}


def _world() -> World:
    media = "M11"
    told = statements(
        statement(media, "P180", "Q140", rank="preferred", qualifiers=[snak("P518", "Q23445")]),
        statement(media, "P180", "Q19939"),
        statement(media, "P180", "Q25265", rank="deprecated"),
        statement(media, "P180", "somevalue"),
        statement(media, "P180", "novalue"),
        statement(media, "P195", "Q190804"),
        statement(media, "P217", "RP-P-1"),
    )
    page = Revision(id=5, user="Jan", moment="2021-10-03T14:05:00Z", comment="", entity=Entity(statements=told))
    file = File(page_id=11, title="File:Two cats.jpg", revisions=(page,), url="https://upload.example/Two_cats.jpg")
    taxa = [("Q140", "Panthera leo", ["5219404"]), ("Q19939", "Panthera tigris", ["5219416", "1"])]
    items = [
        Item(
            id=item,
            entity=Entity(
                labels={"mul": name},
                statements=statements(
                    statement(item, "P225", name), *(statement(item, "P846", key, number=key) for key in keys)
                ),
            ),
        )
        for item, name, keys in taxa
    ]
    return World(files=(file,), items=tuple(items))


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with StandIn(_world()) as running:
        yield running


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def client(server: StandIn, slept: list[float]) -> Iterator[Client]:
    server.faults.clear()
    server.requests.clear()
    with Client(server.settings(tries=3, contact="registrar@museum.example"), sleep=slept.append) as client:
        yield client


@pytest.mark.parametrize("name", query_names())
def test_a_query_file_stands_on_its_own(name: str) -> None:
    text = files("queries").joinpath(f"{name}.rq").read_text(encoding="utf-8")
    assert text.startswith("#+ summary: ")
    assert "SERVICE" not in text, "not every endpoint calls another, and none shields from its limits"
    assert "wikibase:label" not in text
    assert "hint:" not in text
    assert not re.search(r"wdt:P180\b", re.sub(r"#.*", "", text)), "wdt: loses tags beside a preferred one"
    used = set(re.findall(r"(?<![\w<])([a-z]+):", re.sub(r"<[^>]*>|\"[^\"]*\"|#.*", "", text)))
    assert used == set(re.findall(r"PREFIX ([a-z]+):", text)), "every prefix declared, none for nothing"
    prepareQuery(text)
    assert list(Store().query(text)) == [], "what it asks can be asked of an empty graph"


@pytest.mark.parametrize("name", [name for name in query_names() if load_query(name).endpoint != PUBLISHED])
def test_ids_take_the_place_of_samples(name: str, server: StandIn, client: Client) -> None:
    query = load_query(name)
    settings = server.settings()
    text = query.bound({param: SAMPLES[kind] for param, kind in query.params}, settings)
    prepareQuery(text)
    assert "qlever.dev" not in text
    endpoint = settings.sparql_wikidata if query.endpoint == "wikidata" else settings.sparql_commons
    rows = list(select(client, endpoint, text))
    for param, kind in query.params:
        assert {row[param].rsplit("/", 1)[-1] for row in rows if param in row} <= set(SAMPLES[kind])


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("taxa-of-items", {}, "parameters are item; given none"),
        ("taxa-of-items", {"items": ["Q140"]}, "given items"),
        ("taxa-of-items", {"item": []}, "item is empty"),
        ("taxa-of-items", {"item": ["Q140", "Q1 } UNION {"]}, "not a Wikidata item id"),
        ("depicts-of-files", {"file": ["M0"]}, "not a MediaInfo id"),
        ("items-by-gbif-key", {"gbif": ['1" "2']}, "not a numeric key"),
        ("no-such-query", {}, "there are annotations-of-files"),
        ("identifications-of-taxon", {"status": ["verified"]}, "parameters are name, status; given status"),
        ("identifications-of-taxon", {"name": ['a" } #']}, "not a name"),
        ("identifications-of-taxon", {"name": ["a\\u0022"]}, "not a name"),
        ("labels-to-review", {"status": ["Tie"]}, "not a word in small letters"),
        ("changed-since", {"since": ["2026-13-01"]}, "no such day"),
        ("changed-since", {"since": ["yesterday"]}, "not a day"),
        ("annotations-of-files", {"file": ["urn:x> } #"]}, "not an absolute IRI"),
        ("annotations-of-files", {"file": [""]}, "not an absolute IRI"),
    ],
)
def test_nothing_but_checked_ids_gets_into_a_query(name: str, values: dict[str, list[str]], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_query(name).bound(values, Settings())


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * {}",
        "#+ summary: x\n#+ endpoint: elsewhere\n#+ params:\nSELECT * {}",
        "#+ summary: x\n#+ endpoint: commons\n#+ params: item\nSELECT * {}",
        "#+ summary: x\n#+ endpoint: commons\n#+ params: who=whom\nSELECT * { VALUES ?who { 1 } }",
        "#+ summary: x\n#+ endpoint: commons\n#+ params: item\n#+ optional: file\nSELECT * { VALUES ?item { 1 } }",
        "#+ summary: x\n#+ endpoint: commons\n#+ params:\n#+ key: file\nSELECT * {}",
        "#+ summary: x\n#+ endpoint: commons\n#+ params:\n#+ service: y\nSELECT * {}",
    ],
)
def test_a_header_says_what_it_must(text: str) -> None:
    with pytest.raises(ValueError, match=r"x\.rq"):
        parse_query("x", text)


def test_statements_of_every_rank_are_found(server: StandIn, client: Client) -> None:
    query = load_query("depicts-of-files").bound({"file": ["M11"]}, server.settings())
    rows = list(select(client, server.settings().sparql_commons, query))
    said = [row.get("item", "no value") for row in rows]
    assert {item.rsplit("/", 1)[-1] for item in said if "/" in item} == {"Q140", "Q19939", "Q25265"}
    assert sum(item.startswith("_:") for item in said) == 1
    assert said.count("no value") == 1
    assert {row.get("part", "") for row in rows} == {"", "http://www.wikidata.org/entity/Q23445"}
    assert client.counts["rows"] == len(rows) == 5


def test_a_taxon_with_two_keys_has_two_rows(server: StandIn, client: Client) -> None:
    settings = server.settings()
    asking = Asking(client, settings, settings.sparql_commons, load_query("depicted-taxa-of-collection"))
    found = [row for row in rows(asking, {"collection": ["Q190804"]}) if isinstance(row, dict)]
    assert sorted((row["taxon_name"], row["gbif_id"], row["number"]) for row in found) == [
        ("Panthera leo", "5219404", "RP-P-1"),
        ("Panthera tigris", "1", "RP-P-1"),
        ("Panthera tigris", "5219416", "RP-P-1"),
    ]


@pytest.mark.parametrize(
    ("fault", "pause_s"),
    [
        (faults.TOO_MANY_REQUESTS.after(7), 7),
        (faults.UNAVAILABLE, 0),
        (faults.CUT_CONNECTION, 0),
        (faults.TRUNCATED, 0),
        (faults.HTML_PAGE, 0),
        (faults.STACK_TRACE, 0),
        (faults.BROKEN_OFF, 0),
        (faults.TIMED_OUT, 0),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_half_an_answer_is_no_answer(
    server: StandIn, client: Client, slept: list[float], fault: Fault, pause_s: float
) -> None:
    settings = server.settings()
    query = load_query("taxa-of-items").bound({"item": ["Q140", "Q19939"]}, settings)
    server.faults.next("/sparql/", fault)
    assert len(list(select(client, settings.sparql_wikidata, query))) == 3
    assert server.requests.count("/sparql/") == client.counts["requests"] == 2
    assert slept[0] == pause_s if pause_s else 0.5 <= slept[0] <= 1
    assert {asked.user_agent for asked in server.requests.all()} == {client.user_agent}


def test_an_endpoint_that_is_always_late_is_an_error_with_its_reason(server: StandIn, client: Client) -> None:
    settings = server.settings()
    server.faults.next("/sparql/", faults.STACK_TRACE, times=3)
    with pytest.raises(UnreachableError, match="ends in a stack trace, the service's time was up, 3 tries"):
        list(select(client, settings.sparql_wikidata, load_query("taxa-of-items").text))


def test_a_bad_query_is_not_asked_again(server: StandIn, client: Client) -> None:
    with pytest.raises(ServiceError) as caught:
        list(select(client, server.settings().sparql_wikidata, "SELECT ?x WHERE { broken"))
    assert caught.value.code == "400"
    with pytest.raises(ServiceError) as caught:
        list(select(client, f"{server.url}/nothing", "SELECT * { ?s ?p ?o }"))
    assert caught.value.code == "404"
    assert server.requests.count() == 2


def test_long_queries_go_in_the_body(server: StandIn, client: Client) -> None:
    ids = [f"Q{number}" for number in range(1, 200)]
    query = load_query("taxa-of-items").bound({"item": ids}, server.settings())
    assert len(list(select(client, server.settings().sparql_wikidata, query))) == 1
    assert [asked.method for asked in server.requests.all()] == ["POST"]


def test_public_endpoints_want_a_contact(server: StandIn) -> None:
    with Client(Settings()) as client:
        with pytest.raises(ContactRequiredError):
            list(select(client, Settings().sparql_commons, "SELECT * { ?s ?p ?o }"))
        with pytest.raises(UsageError, match="not the address"):
            list(select(client, "file:///etc/hostname", "SELECT * { ?s ?p ?o }"))
    assert client.counts["requests"] == 0


def test_who_would_rather_ask_for_less_is_told_at_once(server: StandIn, client: Client) -> None:
    settings = server.settings()
    text = load_query("taxa-of-items").text
    for fault in (faults.STACK_TRACE, faults.BROKEN_OFF, faults.TIMED_OUT):
        server.faults.next("/sparql/", fault)
        with pytest.raises(TooMuchError, match=r"time|timed out"):
            list(select(client, settings.sparql_wikidata, text, patient=False))
    assert client.counts["retries"] == 0
    server.faults.next("/sparql/", faults.TRUNCATED, times=2)
    with pytest.raises(TooMuchError, match="cut off"):
        list(select(client, settings.sparql_wikidata, text, patient=False))
    assert client.counts["retries"] == 1, "a cut may be the network's, once"


def test_an_endpoint_that_is_down_is_not_asked_for_less(server: StandIn, client: Client) -> None:
    server.faults.next("/sparql/", faults.UNAVAILABLE, times=3)
    with pytest.raises(UnreachableError) as caught:
        list(select(client, server.settings().sparql_wikidata, load_query("taxa-of-items").text, patient=False))
    assert not isinstance(caught.value, TooMuchError)


def test_an_answer_that_drips_is_taken_whole_or_given_up(server: StandIn) -> None:
    settings = server.settings(tries=1)
    query = load_query("taxa-of-items").bound({"item": ["Q140", "Q19939"]}, settings)
    server.faults.next("/sparql/", faults.SLOW_DRIP)
    server.faults.next("/sparql/", faults.SLOW_HEADERS)
    server.faults.next("/sparql/", faults.SLOW_DRIP)
    with Client(settings) as client:
        for _ in ("drip", "headers"):
            assert len(list(select(client, settings.sparql_wikidata, query))) == 3
    with Client(server.settings(tries=1, longest_answer_s=0.01)) as client, pytest.raises(TooMuchError, match="longer"):
        list(select(client, settings.sparql_wikidata, query))
    server.faults.next("/sparql/", faults.SLOW_HEADERS)
    with Client(server.settings(tries=1, longest_answer_s=0.01)) as client, pytest.raises(UnreachableError):
        list(select(client, settings.sparql_wikidata, query))


def test_the_query_service_lets_in_who_logged_in(server: StandIn) -> None:
    settings = server.settings(wcqs_cookie=LOGIN)
    query = load_query("depicts-of-files").bound({"file": ["M11"]}, settings)
    sessions = server.endpoint.sessions
    with Client(settings) as client:
        assert len(list(select(client, settings.sparql_wcqs, query))) == 5
        server.endpoint.end_sessions()
        long = load_query("depicts-of-files").bound({"file": [f"M{n}" for n in range(1, 100)]}, settings)
        assert len(list(select(client, settings.sparql_wcqs, long))) == 5, "also when it is asked by POST"
    assert server.endpoint.sessions == sessions + 1


@pytest.mark.parametrize("cookie", ["", LOGIN[::-1]])
def test_the_query_service_leads_everybody_else_to_its_login(server: StandIn, cookie: str) -> None:
    settings = server.settings(wcqs_cookie=cookie)
    server.requests.clear()
    with Client(settings) as client, pytest.raises(ServiceError, match="set wcqs_cookie") as caught:
        list(select(client, settings.sparql_wcqs, load_query("depicts-of-files").text))
    assert caught.value.code == "login"
    assert not cookie or cookie not in str(caught.value)
    assert server.requests.count("/wiki/") == 0, "nobody follows to the log-in page, least of all with a cookie"


def test_the_cookie_is_shown_to_nobody() -> None:
    assert shown(Settings(wcqs_cookie=LOGIN))["wcqs_cookie"] == "(set)"
    with pytest.raises(SettingsError) as caught:
        Client(Settings(wcqs_cookie="wcqsOauth=abc"))
    assert "abc" not in str(caught.value)


def test_the_cookie_goes_to_its_own_host_alone() -> None:
    with Client(Settings(wcqs_cookie=LOGIN)) as client:
        (cookie,) = client._session.cookies
    assert (cookie.domain, cookie.secure) == ("commons-query.wikimedia.org", True)


def test_an_endpoint_says_how_fresh_it_is(client: Client) -> None:
    for told, expected in [
        ({}, ""),
        ({"dumped": "2026-11-01T00:00:00Z"}, "2026-11-01T00:00:00Z"),
        ({"dumped": "2026-11-01T00:00:00Z", "updated": "2026-11-20T08:00:00Z"}, "2026-11-20T08:00:00Z"),
    ]:
        with StandIn(World(**told)) as fresh:
            settings = fresh.settings()
            assert index_date(client, settings.sparql_commons).moment == expected
            assert index_date(client, settings.sparql_wdqs).moment == expected
