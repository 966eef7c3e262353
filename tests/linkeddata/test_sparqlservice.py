"""``/sparql`` over HTTP: every way to ask, every form of answer, the same answers as rdflib; limits and refusals."""

import io
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
import rdflib
import SPARQLWrapper
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from linkeddata.publishedgraph import PublishedGraph, newest
from linkeddata.records import Agent, Identification, MediaFile, Taxon
from linkeddata.settings import Settings
from linkeddata.sparqlguard import NO_SERVICE, NO_UPDATE, ONE_GRAPH, refusal
from linkeddata.sparqlpool import Limits, Pool, lag
from linkeddata.sparqlservice import Endpoint, router
from linkeddata.sparqlworker import Counts, Held
from linkeddata.store import Store

BASE = "https://deboodt.example"
WHEN = "2026-11-02T10:00:00Z"
PREFIX = "PREFIX oa: <http://www.w3.org/ns/oa#> PREFIX dwc: <http://rs.tdwg.org/dwc/terms/>\n"
FOREVER = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n1 ?o }"
QUESTIONS = {
    "count": "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }",
    "group": "SELECT ?p (COUNT(?s) AS ?n) { ?s ?p ?o } GROUP BY ?p",
    "joined": "SELECT ?t (COUNT(?a) AS ?n) { ?a oa:hasBody ?t ; oa:hasTarget ?f } GROUP BY ?t",
    "joined by a path": "SELECT ?name (COUNT(*) AS ?n) { ?a oa:hasBody/dwc:scientificName ?name } GROUP BY ?name",
    "names": "SELECT ?a ?name { ?a oa:hasBody/dwc:scientificName ?name }",
    "languages": "SELECT ?t ?v { ?t dwc:vernacularName ?v FILTER(LANG(?v) = 'nl') }",
    "optional": "SELECT ?a ?old { ?a oa:motivatedBy ?why OPTIONAL { ?a <http://purl.org/dc/terms/replaces> ?old } }",
    "path": "SELECT DISTINCT ?x { <https://deboodt.example/identifications/a1> (!<urn:x>)+ ?x FILTER(ISIRI(?x)) }",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the graph of a little of everything, with odd names."""
    home = tmp_path_factory.mktemp("sparql")
    names = (("nl", 'Distel\t"vlinder"\n'), ("en", "Painted, lady <&>"), ("ar", "سيدة"))
    with Store(f"sqlite:///{home / 'store.sqlite'}") as store:
        taxon = Taxon(query="Q158603", concept="Q158603", name="Vanessa cardui", item="Q158603", vernaculars=names)
        files = [MediaFile(iri=f"https://plates.example/{n}", title=f"Plate, “{n}” 🦋") for n in range(3)]
        answers = [
            Identification(
                id=f"a{n}",
                file=files[n % 3].iri,
                label="Vanessa cardui",
                item="Q158603",
                moment=WHEN,
                certainty=0.25,
                supersedes="a0" if n == 5 else "",
            )
            for n in range(9)
        ]
        store.put([Agent(id="urn:robot"), taxon, *files, *answers], agent="test", moment=WHEN)
        with PublishedGraph(home / "graph", BASE) as graph:
            graph.catch_up(store)
        assert lag(store, Pool(home / "graph")) == {"position": store.state()[0], "behind": 0}
    return home / "graph"


def app_of(folder: Path, limits: Limits | None = None) -> tuple[TestClient, Pool]:
    pool = Pool(folder, limits)
    app = FastAPI()
    app.include_router(router(Endpoint(BASE, pool.ask)))
    return TestClient(app), pool


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[TestClient]:
    client, pool = app_of(folder)
    yield client
    pool.close()


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    """Where the endpoint listens, for clients that speak HTTP themselves."""
    client, pool = app_of(folder)
    config = uvicorn.Config(client.app, host="127.0.0.1", port=0, log_level="warning", lifespan="off")
    listening = config.bind_socket()
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/sparql"
    server.should_exit = True
    thread.join()
    listening.close()
    pool.close()


@pytest.fixture(scope="module")
def same_graph(folder: Path) -> rdflib.Graph:
    """The triples of the graph in rdflib."""
    path = newest(folder)
    assert path
    quads = ox.Store.read_only(str(path)).quads_for_pattern(None, None, None, ox.DefaultGraph())
    written = ox.serialize((quad.triple for quad in quads), format=ox.RdfFormat.N_TRIPLES)
    return rdflib.Graph().parse(data=written, format="nt")


def rows(result: Any) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in result), key=repr)


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("form", ["json", "xml", "tsv"])
def test_answers_are_those_of_rdflib(client: TestClient, same_graph: rdflib.Graph, name: str, form: str) -> None:
    query = PREFIX + QUESTIONS[name]
    answer = client.get("/sparql", params={"query": query, "format": form})
    assert answer.status_code == 200
    read = rdflib.query.Result.parse(io.BytesIO(answer.content), format=form)
    theirs = same_graph.query(query)
    assert [str(v) for v in read.vars or []] == [str(v) for v in theirs.vars or []]
    assert rows(read) == rows(theirs)
    assert len(read)


@pytest.mark.parametrize("method", [SPARQLWrapper.GET, SPARQLWrapper.POST])
def test_sparqlwrapper_asks_and_understands(address: str, same_graph: rdflib.Graph, method: str) -> None:
    asking = SPARQLWrapper.SPARQLWrapper(address, returnFormat=SPARQLWrapper.JSON)
    asking.setMethod(method)
    asking.setQuery(PREFIX + QUESTIONS["names"])
    found = {row["a"]["value"] for row in asking.queryAndConvert()["results"]["bindings"]}
    assert found == {str(row[0]) for row in same_graph.query(PREFIX + QUESTIONS["names"])}
    assert len(found) == 9


def test_csv_has_the_values(client: TestClient) -> None:
    query = PREFIX + "SELECT ?v { ?t dwc:vernacularName ?v } ORDER BY LANG(?v)"
    answer = client.get("/sparql", params={"query": query}, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.decode() == 'v\r\nسيدة\r\n"Painted, lady <&>"\r\n"Distel\t""vlinder""\n"\r\n'


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("text/turtle", ox.RdfFormat.TURTLE),
        ("application/n-triples", ox.RdfFormat.N_TRIPLES),
        ("application/rdf+xml", ox.RdfFormat.RDF_XML),
        ("application/ld+json", ox.RdfFormat.JSON_LD),
    ],
)
def test_graphs_come_in_every_form(
    client: TestClient, same_graph: rdflib.Graph, accept: str, form: ox.RdfFormat
) -> None:
    query = (
        PREFIX + "CONSTRUCT { ?t dwc:vernacularName ?v } WHERE { ?t dwc:vernacularName ?v FILTER(LANG(?v) != 'nl') }"
    )
    answer = client.post("/sparql", data={"query": query}, headers={"Accept": accept})
    assert answer.headers["content-type"].partition(";")[0] == accept
    written = ox.serialize(
        (quad.triple for quad in ox.parse(answer.content, format=form)), format=ox.RdfFormat.N_TRIPLES
    )
    assert set(rdflib.Graph().parse(data=written, format="nt")) == set(same_graph.query(query).graph or [])


def test_the_three_ways_to_ask(client: TestClient) -> None:
    query = "ASK { ?s ?p ?o }"
    answers = [
        client.get("/sparql", params={"query": query}),
        client.post("/sparql", data={"query": query}),
        client.post("/sparql", content=query, headers={"Content-Type": "application/sparql-query"}),
    ]
    assert [answer.json() for answer in answers] == [{"head": {}, "boolean": True}] * 3
    assert {answer.headers["content-type"] for answer in answers} == {"application/sparql-results+json"}


@pytest.mark.parametrize("accept", ["text/turtle", "application/ld+json", "application/rdf+xml", "*/*"])
def test_a_service_description_for_who_asks_nothing(client: TestClient, accept: str) -> None:
    answer = client.get("/sparql", headers={"Accept": accept})
    kind = answer.headers["content-type"].partition(";")[0]
    quads = ox.parse(answer.content, format=ox.RdfFormat.from_media_type(kind))
    triples = ox.serialize((quad.triple for quad in quads), format=ox.RdfFormat.N_TRIPLES)
    said = rdflib.Graph().parse(data=triples, format="nt")
    sd = rdflib.Namespace("http://www.w3.org/ns/sparql-service-description#")
    service = rdflib.URIRef(f"{BASE}/sparql")
    assert (service, rdflib.RDF.type, sd.Service) in said
    assert (service, sd.endpoint, service) in said
    assert (service, sd.supportedLanguage, sd.SPARQL11Query) in said
    assert len(set(said.objects(service, sd.resultFormat))) == 8
    dataset = said.value(service, sd.defaultDataset)
    assert said.value(dataset, rdflib.VOID.sparqlEndpoint) == service
    assert str(said.value(dataset, sd.defaultGraph)) == f"{BASE}/#graph"
    assert accept in ("*/*", kind)
    assert "rows=100000" in str(said.value(service, rdflib.RDFS.comment))


def test_limits_and_rows_are_told(client: TestClient) -> None:
    answer = client.get("/sparql", params={"query": "SELECT * { ?s ?p ?o } LIMIT 7"})
    assert answer.headers["sparql-limits"] == "seconds=30, rows=100000, bytes=100000000"
    assert answer.headers["sparql-rows"] == "7"
    graph = client.get("/sparql", params={"query": "CONSTRUCT WHERE { ?s ?p ?o } LIMIT 5"})
    assert graph.headers["sparql-rows"] == "5"


def test_the_one_graph_may_be_named(client: TestClient) -> None:
    query = "ASK { ?s ?p ?o }"
    assert client.get("/sparql", params={"query": query, "default-graph-uri": f"{BASE}/#graph"}).json()["boolean"]
    answer = client.post(
        "/sparql?default-graph-uri=urn:x", content=query, headers={"Content-Type": "application/sparql-query"}
    )
    assert answer.status_code == 400


def test_a_browser_gets_the_page_and_a_program_the_answer(folder: Path) -> None:
    pool = Pool(folder)
    app = FastAPI()
    app.include_router(router(Endpoint(BASE, pool.ask), lambda query: f"<p>{query}"))
    client = TestClient(app)
    browser = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    page = client.get("/sparql", params={"query": "ASK {}"}, headers=browser)
    assert (page.headers["content-type"], page.text) == ("text/html; charset=utf-8", "<p>ASK {}")
    assert page.headers["vary"] == "Accept"
    assert client.get("/sparql", headers=browser).text == "<p>"
    file = client.get("/sparql", params={"query": "ASK {}", "format": "json"}, headers=browser)
    assert file.json() == {"head": {}, "boolean": True}
    assert client.get("/sparql", params={"query": "ASK {}"}).json() == {"head": {}, "boolean": True}
    pool.close()


@pytest.mark.parametrize(
    ("params", "status", "words"),
    [
        ({"query": "SELECT * { ?s ?p"}, 400, ""),
        ({"query": "SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }"}, 400, NO_SERVICE),
        ({"query": "DELETE WHERE { ?s ?p ?o }"}, 400, NO_UPDATE),
        ({"update": "CLEAR ALL"}, 400, "only answers queries"),
        ({"query": "SELECT * FROM <urn:x> { ?s ?p ?o }"}, 400, ONE_GRAPH),
        ({"query": "ASK {}", "default-graph-uri": "urn:x"}, 400, ONE_GRAPH),
        ({"query": ["ASK {}", "ASK {}"]}, 400, "exactly one"),
        ({"query": "ASK {}", "format": "image/png"}, 406, "can be had"),
        ({"query": "ASK {}" + " " * 200_000}, 413, "At most"),
    ],
)
def test_what_is_refused(client: TestClient, params: dict[str, Any], status: int, words: str) -> None:
    answer = client.post("/sparql", data=params)
    assert answer.status_code == status
    assert words in answer.json()["detail"]


def test_named_graphs_are_not_seen(client: TestClient) -> None:
    answer = client.get("/sparql", params={"query": "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g"})
    assert answer.json()["results"]["bindings"] == []


def test_limits_stop_what_is_too_much_and_the_next_query_is_answered(folder: Path) -> None:
    client, pool = app_of(folder, Limits(seconds=2.0, rows=20, bytes=5_000))
    late = client.get("/sparql", params={"query": FOREVER})
    assert (late.status_code, late.json()["detail"]) == (503, "The query was stopped after 2 seconds; ask for less.")
    many = client.get("/sparql", params={"query": "SELECT * { ?s ?p ?o }"})
    assert (many.status_code, "more than 20 rows" in many.json()["detail"]) == (422, True)
    graph = client.get("/sparql", params={"query": "CONSTRUCT WHERE { ?s ?p ?o }"})
    assert graph.status_code == 422
    long = client.get("/sparql", params={"query": "SELECT ?s { ?s ?p ?o } LIMIT 20", "format": "xml"})
    assert long.status_code == 200
    exact = client.get("/sparql", params={"query": "SELECT * { ?s ?p ?o } LIMIT 20"})
    assert len(exact.json()["results"]["bindings"]) == 20
    pool.close()


def test_predicates_are_counted_again_only_after_a_while(folder: Path) -> None:
    store = ox.Store.read_only(str(newest(folder)))
    body = "http://www.w3.org/ns/oa#hasBody"
    counts = Counts()
    assert [counts.said(store, body), counts.said(store, "urn:nobody")] == [9, 0]
    assert counts.said(ox.Store(), body) == 9
    assert Counts(kept_s=-1).said(ox.Store(), body) == 0


@pytest.mark.parametrize(("most", "warm"), [(100_000, True), (10, False)])
def test_a_snapshot_that_is_small_enough_is_read_into_memory(folder: Path, most: int, warm: bool) -> None:
    held = Held(str(newest(folder)), most, settled_s=0)
    on_disk = set(held.store.quads_for_pattern(None, None, None, ox.DefaultGraph()))
    held.reading.join()
    assert held.warm == warm
    assert set(held.store.quads_for_pattern(None, None, None, ox.DefaultGraph())) == on_disk
    waiting = Held(str(newest(folder)), most, settled_s=1e9)
    waiting.close()
    waiting.reading.join()
    assert not waiting.warm


def test_before_the_first_snapshot_it_is_not_ready(tmp_path: Path) -> None:
    client, _ = app_of(tmp_path)
    answer = client.get("/sparql", params={"query": "ASK {}"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")


@given(st.text(max_size=30), st.sampled_from(['"{}"', "'''{}'''", "# {}\n", "?a{}", "<urn:{}>"]))
def test_the_word_is_found_wherever_oxigraph_would_follow_it(noise: str, place: str) -> None:
    """A query that Oxigraph takes with SERVICE in it is refused, whatever stands before it."""
    query = f"SELECT * {{ FILTER(1 = 1) {place.format(noise)}\n SERVICE <urn:nowhere> {{ ?s ?p ?o }} }}"
    try:
        ox.Store().query(query)
    except SyntaxError:
        return
    except (OSError, RuntimeError, ValueError):
        pass
    assert refusal(query) == NO_SERVICE


@pytest.mark.parametrize(
    "query",
    [
        r"SELECT * { S\u0045RVICE <http://127.0.0.1:1/> { ?s ?p ?o } }",
        "SELECT * { SERVICE SILENT <http://127.0.0.1:1/> { ?s ?p ?o } }",
        "SELECT * { ?a ?b ?c FILTER(?a<?b)SERVICE<http://x/>{ ?s ?p ?o } }",
        'SELECT * { ?a ?b "\\"" . SERVICE <http://x/> { ?s ?p ?o } }',
        "PREFIX x: <urn:x> SELECT * { x:a.b ?b x:c.SERVICE <http://x/> { ?s ?p ?o } }",
    ],
)
def test_service_in_disguise(query: str) -> None:
    assert refusal(query) == NO_SERVICE or _is_malformed(query)


def _is_malformed(query: str) -> bool:
    try:
        ox.Store().query(query)
    except SyntaxError:
        return True
    return "SERVICE" not in query or json.dumps(query) == ""


def test_words_that_only_look_like_it_are_no_reason() -> None:
    queries = [
        "SELECT ?SERVICE { ?from ?FROM 'FROM' }",
        "SELECT * { <urn:SERVICE> ex:FROM ?x } # SERVICE",
        "ASK { service:a ?p ?o }",
    ]
    assert [refusal(query) for query in queries] == ["", "", ""]
    assert refusal("ASK { ?s ?p ?o } #\nINSERT") == ""
    assert Settings().sparql_published == ""
