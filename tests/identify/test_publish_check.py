"""`deboodt publish check` over real HTTP: clean where all is well; each kind of fault is planted and found."""

import dataclasses
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph
import pyshacl
import pytest
from click.testing import CliRunner
from rdflib import Graph
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crowd.campaignfile import parse_campaign
from identify.app import create_app
from identify.cli import cli
from identify.offered import write_facts
from linkeddata.catalogue.holdings import Publisher
from linkeddata.dumps import write_dumps
from linkeddata.preflight import descriptions, musts, records, shapes
from linkeddata.preflight.check import CHECKS, check
from linkeddata.preflight.feed import Walk
from linkeddata.preflight.findings import FAULT, Finding
from linkeddata.preflight.shapes import read_shapes
from linkeddata.preflight.visit import Visit
from linkeddata.records import Alternative, Identification, Label, MediaFile, Step, Taxon
from linkeddata.settings import Settings
from linkeddata.store import Store
from tests.conftest import Serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

WHEN = "2026-11-02T10:00:00Z"
CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
MUSEUM = Publisher(name="Museum", iri="https://museum.example/", mail="data@museum.example", licence=CC0)
PLATES = [MediaFile(iri=f"https://commons.wikimedia.org/entity/M{n}", title=f"Plate {n}", licence=CC0) for n in (7, 8)]
RECORDS = [
    *PLATES,
    Taxon(query="Q158603", concept="Q158603", name="Vanessa cardui", rank="species", item="Q158603"),
    *(
        Identification(
            id=f"a{n}",
            file=plate.iri,
            label="Vanessa cardui",
            rank="species",
            item="Q158603",
            certainty=0.9,
            alternatives=(Alternative("Vanessa cardui", 0.9, "species", "Q158603"),),
            moment=WHEN,
            campaign="albums",
        )
        for n, plate in enumerate(PLATES)
    ),
    Label(id="l1", campaign="albums", file=PLATES[0].iri, concept="Q158603", item="Q158603", support=2, voters=2),
    Step(id="albums/count", campaign="albums", name="count", fingerprint="x", moment=WHEN),
]
CAMPAIGN = """
[campaign]
id = "albums"
title = "Albums"
[[tags.commons]]
category = "Albums"
[taxa]
root = "Q729"
"""


@dataclass
class Reply:
    """An answer on its way to its reader; what is changed in it is what the reader gets."""

    path: str
    accept: str
    status: int
    headers: dict[str, str]
    body: bytes


Spoil = Callable[[Reply], None]


class Between:
    """A server between an installation and its readers that does not always pass on what it gets."""

    def __init__(self) -> None:
        self.app: ASGIApp
        self.spoil: Spoil = lambda reply: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started: list[Message] = []
        pieces: list[bytes] = []

        async def kept(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(message)
            else:
                pieces.append(message.get("body", b""))

        asked = {name.decode(): value.decode() for name, value in scope["headers"]}
        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        await self.app({**scope, "headers": plain}, receive, kept)
        headers = {name.decode().lower(): value.decode() for name, value in started[0]["headers"]}
        query = scope["query_string"].decode()
        path = scope["raw_path"].decode() + (f"?{query}" if query else "")
        reply = Reply(path, asked.get("accept", ""), started[0]["status"], headers, b"".join(pieces))
        self.spoil(reply)
        if reply.status != 304:
            reply.headers["content-length"] = str(len(reply.body))
        raw = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": raw})
        await send({"type": "http.response.body", "body": reply.body})


@dataclass(frozen=True)
class Installation:
    """A home folder that is served."""

    settings: Settings
    address: str
    between: Between

    def visit(self) -> Visit:
        return Visit(self.address, self.address)

    def found(self, name: str, spoil: Spoil) -> list[Finding]:
        """What one check finds while answers are spoiled."""
        self.between.spoil = spoil
        try:
            visit = self.visit()
            if name in ("contexts", "links", "media types"):  # they look at what others read
                list(records.documents(visit))
                list(descriptions.descriptions(visit))
            return [one for one in CHECKS[name](visit) if one.level == FAULT]
        finally:
            self.between.spoil = lambda reply: None


@pytest.fixture(scope="module")
def installation(serving: Serving, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    home = tmp_path_factory.mktemp("home")
    between = Between()
    settings = Settings(
        home=str(home),
        publisher=MUSEUM.name,
        publisher_iri=MUSEUM.iri,
        publisher_mail=MUSEUM.mail,
        data_licence=CC0,
    )
    (home / "campaigns/albums/published").mkdir(parents=True)
    write_facts(parse_campaign(CAMPAIGN, name="albums.toml"), home / "campaigns/albums")
    with Store(settings.store) as store:
        store.put(RECORDS, agent="urn:deboodt:software:test", moment=WHEN)
        taken = Identification(id="a9", file=PLATES[0].iri, moment=WHEN)
        back = Label(id="l9", campaign="albums", file=PLATES[0].iri, concept="Q2", status="withdrawn", moment=WHEN)
        recounted = Label(id="l8", campaign="albums", file=PLATES[0].iri, concept="Q3", moment=WHEN)
        store.put([taken, back, recounted], agent="urn:deboodt:software:test", moment=WHEN)
        store.withdraw(
            Identification, ["a9"], agent="urn:deboodt:software:test", moment=WHEN, reason="the picture was another's"
        )
        store.remove(Label, ["l8"], agent="urn:deboodt:software:test", moment=WHEN, reason="counted again")

        def create(address: str) -> ASGIApp:
            between.app = create_app(replace(settings, base_url=address), store=store)
            write_dumps(store, address, home / "dumps" / "whole")
            return between

        yield Installation(settings, serving(create), between)


def test_all_is_well_where_all_is_well(installation: Installation) -> None:
    visit = installation.visit()
    assert [one.line() for one in check(visit) if one.level == FAULT] == []
    assert visit.asked > 100
    pages = [one for one in visit.answers() if "/feed/ldes/" in one.uri]
    assert len(pages) > 5  # in every form
    assert not any(one.body for one in pages)  # there may be thousands: none is kept


def test_of_a_long_feed_only_so_much_is_remembered() -> None:
    visit, walked = Visit("https://museum.example", ""), Walk(samples=3)
    uris = [f"https://museum.example/labels/{number}" for number in range(1000)]
    for uri in uris:
        walked.take(visit, uri, "Create")
    for uri in (uris[0], uris[999], *uris[100:400]):
        walked.take(visit, uri, "Delete")
    walked.take(visit, uris[100], "Update")
    assert walked.living() == [uris[at] for at in (1, 2, 100, 997, 998)]
    assert list(walked.gone) == [uris[0], uris[999], *uris[101:128]]


def in_form(form: str, spoil: Spoil) -> Spoil:
    """Change an answer only where it is in this form."""
    return lambda reply: spoil(reply) if reply.headers.get("content-type", "").startswith(form) else None


def to(path: str, **changes: object) -> Spoil:
    """Change an answer at a path: its status, body or headers; a header that becomes "" goes."""

    def spoil(reply: Reply) -> None:
        if reply.path.partition("?")[0] != path and reply.path != path:
            return
        reply.status = int(str(changes.get("status", reply.status)))
        body = changes.get("body", reply.body)
        reply.body = body(reply.body) if callable(body) else body  # type: ignore[assignment]
        for name, value in changes.items():
            if name in ("status", "body"):
                continue
            header = name.replace("_", "-")
            reply.headers[header] = str(value)
            if not value:
                del reply.headers[header]

    return spoil


def in_json(change: Callable[[dict], object]) -> Callable[[bytes], bytes]:  # type: ignore[type-arg]
    def changed(body: bytes) -> bytes:
        doc = json.loads(body)
        change(doc)
        return json.dumps(doc).encode()

    return changed


ONE = "/identifications/a0"
FAULTS: list[tuple[str, Spoil, str]] = [
    ("entrances", to("/", content_type="text/html"), "asked for text/turtle, answers text/html"),
    ("entrances", to("/", link=""), "no Link header leads to the catalogue"),
    ("entrances", to("/.well-known/void", status=404), "answers 404"),
    ("entrances", to("/.well-known/api-catalog", content_type="application/json"), "answers application/json"),
    ("entrances", to("/docs", status=500), "/docs answers 500"),
    ("entrances", to("/robots.txt", status=404), "answers 404"),
    ("entrances", to("/sitemap.xml", body=b"<x"), "is no XML"),
    ("entrances", to("/campaigns/albums", status=500), "/campaigns/albums answers 500"),
    ("entrances", to("/openapi.json", body=b"[]"), "is no OpenAPI description"),
    ("descriptions", to("/catalogue", status=503), "answers 503"),
    ("descriptions", to("/catalogue", body=b"no triples"), "is no N-Triples"),
    ("distributions", to("/dumps/whole/deboodt.nq.gz", status=404), "answers 404"),
    ("distributions", to("/dumps/whole/deboodt.nq.gz", body=gzip.compress(b"x")), "is not what its checksum is of"),
    ("distributions", to("/dumps/whole/deboodt.nq.gz", body=b""), "has 0 bytes"),
    ("distributions", to("/dumps/whole/deboodt-dwca.zip", content_type="text/plain"), "promised is application/zip"),
    ("distributions", to("/feed", content_type="text/html"), "promised is application/ld+json"),
    ("distributions", to("/sparql", status=500), "answers 500"),
    ("documents", to(ONE, status=404), "answers 404"),
    ("documents", to(f"{ONE}.ttl", status=404), "answers 404"),
    ("documents", to(f"{ONE}.ttl", body=b"<urn:a> <urn:b> <urn:c> ."), "says other triples than the JSON-LD"),
    ("documents", to(f"{ONE}.rdf", body=b"<rdf"), "a0.rdf"),
    ("documents", to(f"{ONE}.nt", content_type="text/plain"), "promised is application/n-triples"),
    ("documents", to(ONE, vary=""), "no Vary: Accept"),
    ("documents", to(ONE, etag=""), "has no ETag"),
    ("documents", to(ONE, status=200), "is sent again to who has it"),
    ("documents", to(ONE, access_control_allow_origin=""), "other sites' scripts may not read it"),
    ("documents", to(ONE, link=""), "no Link header names its other forms"),
    ("documents", to(ONE, body=b"[1"), "is no JSON-LD"),
    ("documents", to(f"{ONE}.jsonld?profile=dwc", status=500), "answers 500"),
    ("documents", to(f"{ONE}.jsonld?profile=dwc", body=b"{}"), "is no JSON-LD: names no context"),
    ("documents", to(f"{ONE}.jsonld?profile=dwc", status=406), "answers 406"),
    ("documents", to("/context.jsonld", status=404), "its context"),
    ("feed", to("/feed", status=404), "answers 404"),
    ("feed", to("/feed/ldes/1", status=500), "answers 500"),
    ("feed", to("/feed/ldes/1", body=in_json(lambda doc: doc["member"].pop(1))), "stands where 2 is due"),
    ("feed", to("/feed/ldes/1", cache_control="public, immutable"), "is open, but is called immutable"),
    ("feed", in_form("text/turtle", to("/feed/ldes/1", body=b"<urn:a")), "cannot be read as text/turtle"),
    ("feed", in_form("text/turtle", to("/feed/ldes/1", body=b"")), "is no page of an event stream in text/turtle"),
    ("feed", in_form("text/turtle", to("/feed/ldes/1", status=406)), "answers 406"),
    ("feed", to("/feed/activity", body=in_json(lambda doc: doc.update(totalItems=1))), "counts 1 changes"),
    ("feed", to("/feed/activity/1", status=500), "answers 500"),
    ("feed", to("/feed/activity/1", body=in_json(lambda doc: doc["orderedItems"].pop())), "its pages hold"),
    ("gone", to("/identifications/a9", status=404), "the feed says that it was taken away, but it answers 404"),
    ("gone", to("/identifications/a9", status=200), "the feed says that it was taken away, but it is there"),
    ("contexts", to("/context.jsonld", content_type="text/plain"), "is no context: text/plain"),
    ("contexts", to("/contexts/catalogue.jsonld", status=404), "answers 404"),
    ("contexts", to("/context.jsonld", access_control_allow_origin=""), "other sites' scripts may not read it"),
    ("links", to("/vocab", status=404), "answers 404"),
    (
        "links",
        to(f"{ONE}.nt", body=b"<https://deboodt.example/x> <urn:b> <https://museum/x> ."),
        "names a host that only its own network knows",
    ),
    (
        "media types",
        to("/feed/ldes/1", content_type="application/x-ldes"),
        "application/x-ldes, which is not registered",
    ),
]


@pytest.mark.parametrize(("name", "spoil", "trouble"), FAULTS, ids=[f"{one[0]}: {one[2]}" for one in FAULTS])
def test_each_kind_of_fault_is_found(installation: Installation, name: str, spoil: Spoil, trouble: str) -> None:
    found = installation.found(name, spoil)
    assert any(trouble in f"{one.where} {one.trouble}" for one in found), [one.line() for one in found]
    assert {one.check for one in found} == {name}


def test_an_address_that_others_cannot_use_is_told() -> None:
    local = list(CHECKS["address"](Visit("http://127.0.0.1:8000", "")))
    assert [(one.level, "this machine alone" in one.trouble) for one in local] == [("note", True)]
    plain = list(CHECKS["address"](Visit("http://museum.example", "")))
    assert [(one.level, "base_url" in one.mend) for one in plain] == [("fault", True)]
    assert list(CHECKS["address"](Visit("https://museum.example", ""))) == []


def described(installation: Installation, settings: Settings) -> list[Finding]:
    """What the demands say against the descriptions of the same home under other settings."""
    from identify.offered import holdings
    from linkeddata.catalogue.routes import Catalogue
    from linkeddata.parts import Parts
    from linkeddata.serialising import serialised

    with Store(installation.settings.store) as store:
        doc = Catalogue(Parts(store, settings), lambda: holdings(settings, store)).document()
    return list(musts.against(musts.triples_of(serialised(doc, "application/n-triples", settings.base_url))))


@pytest.mark.parametrize(
    ("change", "troubles", "mend"),
    [
        ({"publisher": ""}, {"schema:publisher is missing", "dcterms:creator is missing"}, 'publisher = "NAME"'),
        ({"publisher_iri": "urn:x"}, {"schema:publisher 'urn:x' is not an IRI of the web"}, "publisher"),
        ({"publisher_mail": ""}, {"dcat:contactPoint is missing", "schema:contactPoint is missing"}, "publisher_mail"),
        ({"publisher_mail": "data at museum"}, {"vcard:hasEmail"}, "publisher_mail"),
        ({"data_licence": ""}, {"schema:license is missing", "dcterms:license is missing"}, "data_licence"),
        ({"data_licence": "http://creativecommons.org/publicdomain/zero/1.0/"}, {"schema:license"}, "data_licence"),
        ({"data_licence": "https://creativecommons.org/licenses/by/4.0"}, {"schema:license"}, "data_licence"),
        ({"data_licence": "CC0"}, {"schema:license is missing"}, "data_licence"),
        ({"base_url": "http://museum.example"}, {"schema:contentUrl", "schema:mainEntityOfPage"}, "base_url"),
    ],
)
def test_what_the_administrator_has_not_said_is_named_with_where_to_write_it(
    installation: Installation, change: dict[str, str], troubles: set[str], mend: str
) -> None:
    settings = replace(installation.settings, base_url="https://deboodt.example")
    assert described(installation, settings) == []
    found = described(installation, dataclasses.replace(settings, **change))  # type: ignore[arg-type]
    for trouble in troubles:
        named = [one for one in found if one.trouble.startswith(trouble)]
        assert named, (trouble, [one.trouble for one in found])
        assert all(mend in one.mend for one in named)


@pytest.mark.parametrize(
    ("remove", "add", "trouble"),
    [
        ("schema:name", '"no language"', "schema:name 'no language' is not a text with its language"),
        ("schema:name", '"one"@en , "two"@en', "schema:name is there twice in one language"),
        ("schema:description", "", "schema:description is missing"),
        ("schema:dateModified", '"yesterday"', "schema:dateModified 'yesterday' is not an xsd:date or xsd:dateTime"),
        ("schema:about", '"butterflies"', "schema:about 'butterflies' is not an IRI of the web"),
        ("schema:genre", '"x"', "schema:genre is there 1 times, 0 at most"),
        ("dcterms:accrualPeriodicity", "<urn:often>", "is not of the EU's list of frequencies"),
    ],
)
def test_every_demand_on_a_dataset_is_asked(installation: Installation, remove: str, add: str, trouble: str) -> None:
    visit = installation.visit()
    triples = descriptions.as_published(visit, descriptions.catalogue(visit)[0])
    assert list(musts.against(triples)) == []
    node = next(subject for subject in triples if subject.endswith("/datasets/published"))
    text = f"<urn:s> <urn:p> {add} ." if add else ""
    values = [quad.object for quad in pyoxigraph.parse(text, format=pyoxigraph.RdfFormat.TURTLE)] if add else []
    broken = {**triples, node: {**triples[node], musts.iri(remove): values}}
    found = [one for one in musts.against(broken) if one.where == node]
    assert any(trouble in one.trouble for one in found), [one.trouble for one in found]


@pytest.mark.parametrize(
    ("path", "value", "trouble"),
    [
        ("schema:encodingFormat", '"application/gzip"', "is not a registered media type of the content itself"),
        ("schema:encodingFormat", '"application/x-parquet"', "is not a registered media type"),
        ("schema:encodingFormat", '"application/sparql-results+json"', "is not a registered media type"),
        ("schema:contentUrl", '"https://x.example/"', "is not an https address"),
        ("dcterms:license", "<https://a.example/> , <https://b.example/>", "dcterms:license is there 2 times"),
    ],
)
def test_every_demand_on_a_distribution_is_asked(
    installation: Installation, path: str, value: str, trouble: str
) -> None:
    visit = installation.visit()
    triples = descriptions.as_published(visit, descriptions.catalogue(visit)[0])
    node = next(subject for subject in triples if subject.endswith("#deboodt.nq.gz"))
    said = pyoxigraph.parse(f"<urn:s> <urn:p> {value} .", format=pyoxigraph.RdfFormat.TURTLE)
    broken = {**triples, node: {**triples[node], musts.iri(path): [quad.object for quad in said]}}
    assert any(one.where == node and trouble in one.trouble for one in musts.against(broken))


def test_our_demands_agree_with_the_registers_shapes(installation: Installation, recordings: Path) -> None:
    """What the shapes find wrong today or tomorrow, ours find wrong, too: copies of nodes, each without one key."""
    visit = installation.visit()
    triples = dict(descriptions.as_published(visit, descriptions.catalogue(visit)[0]))
    leads = {
        "/datasets/published": ("schema:dataset", "dcat:dataset"),
        "#deboodt.nq.gz": ("schema:distribution", "dcat:distribution"),
        "museum.example/": ("schema:publisher", "dcterms:publisher"),
        "/catalogue": (),
    }
    copies = []
    for ending, paths in leads.items():
        node = next(subject for subject in triples if subject.endswith(ending))
        for number, predicate in enumerate(triples[node]):
            copy = f"https://copies.example{ending.replace('#', '/')}/{number}"
            copies.append((copy, predicate))
            triples[copy] = {key: values for key, values in triples[node].items() if key != predicate}
            triples[f"urn:of:{copy}"] = {musts.iri(path): [pyoxigraph.NamedNode(copy)] for path in paths}
    rules = read_shapes(recordings / "shapes/nde-dataset-requirements-1.14.0.shacl.ttl")
    theirs = {one.where for one in shapes.against(rules, descriptions.n_triples(triples)) if one.level == FAULT}
    mine = {one.where for one in musts.against(triples)}
    assert len(theirs) > 20
    assert [(copy, predicate) for copy, predicate in copies if copy in theirs and copy not in mine] == []


def test_shapes_that_are_handed_in_are_asked(installation: Installation, tmp_path: Path) -> None:
    demand = tmp_path / "shapes.ttl"
    demand.write_text(
        """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix schema: <https://schema.org/> .
        @prefix nde: <https://def.nde.nl#> .
        <urn:a> a sh:NodeShape ; sh:targetClass schema:DataCatalog ;
          sh:property [ sh:path schema:keywords ; nde:futureChange [ nde:version "9" ; sh:minCount 1 ] ;
                        sh:message "Say keywords"@en , "Zeg trefwoorden"@nl ] .""",
        encoding="utf-8",
    )
    found = [one for one in check(installation.visit(), [read_shapes(demand)]) if one.check == "shapes"]
    assert [(one.level, one.trouble) for one in found] == [("fault", "https://schema.org/keywords: Say keywords")]


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["--quiet", *arguments])
    return done.exit_code, done.output


def test_the_command_says_what_is_wrong_and_how_to_mend_it(installation: Installation, tmp_path: Path) -> None:
    home = installation.settings.home
    settings = tmp_path / "deboodt.toml"
    settings.write_text('base_url = "http://museum.example"\npublisher = "Museum"\n', encoding="utf-8")
    code, output = run("--config", str(settings), "--home", home, "publish", "check", "--samples", "1")
    assert code == 9
    assert "schema:license is missing" in output
    assert "data_licence = " in output
    assert 'write base_url = "https://…" into deboodt.toml' in output


def test_the_command_answers_machines_and_looks_at_what_is_served_elsewhere(installation: Installation) -> None:
    arguments = ("--json", "publish", "check", "--base-url", installation.address, "--samples", "1", "--notes")
    code, output = run(*arguments)
    told = json.loads(output)
    assert (code, told["faults"], told["base"]) == (0, 0, installation.address)
    assert {one["level"] for one in told["findings"]} == {"note"}
    installation.between.spoil = to("/dumps/whole/deboodt.nq.gz", status=404)
    code, output = run(*arguments)
    installation.between.spoil = lambda reply: None
    assert code == 9
    faults = {one["check"] for one in json.loads(output)["findings"] if one["level"] == "fault"}
    assert faults == {"distributions", "links"}


def test_shapes_that_are_none_are_refused(tmp_path: Path) -> None:
    broken = tmp_path / "x.ttl"
    broken.write_text("<", encoding="utf-8")
    done = CliRunner().invoke(cli, ["publish", "check", "--shapes", str(broken)])
    assert "no shapes in Turtle" in str(done.exception)


def test_every_document_that_is_served_holds_to_the_shapes_that_are_served(installation: Installation) -> None:
    visit = installation.visit()
    rules = Graph().parse(data=visit.get(f"{visit.base}/shapes").body, format="turtle")
    data = Graph()
    for uri in records.samples(visit):
        answer = visit.get(uri, "application/n-triples")
        if answer.status == 200:
            data.parse(data=answer.body, format="nt")
    assert len(data) > 100
    conforms, _, text = pyshacl.validate(data, shacl_graph=rules, inference="none")
    assert conforms, text


@pytest.mark.parametrize(
    "path", ["/catalogue", "/datasets/published", "/datasets/published/albums", "/campaigns/albums"]
)
def test_pages_of_descriptions_hold_them_as_json_ld(
    installation: Installation, browser_page: "Page", path: str
) -> None:
    browser_page.goto(installation.address + path)
    text = browser_page.locator('script[type="application/ld+json"]').text_content() or ""
    assert json.loads(text)["id"] == installation.address + path
    assert browser_page.locator("h1").count() == 1
    assert browser_page.request.get(browser_page.get_by_role("link", name="Turtle").get_attribute("href") or "").ok
