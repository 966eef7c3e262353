"""Every document of every kind, over HTTP, in three states: the same triples by two parsers and in all forms."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pyoxigraph
import pytest
import rdflib
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from pyld import jsonld as pyld
from rdflib.compare import isomorphic

from identify.app import create_app
from linkeddata.profiles import PROFILES
from linkeddata.profiles.files import FILES
from linkeddata.profiles.verdicts import REVIEWS
from linkeddata.records import Agent, Alternative, Identification, Label, MediaFile, Record, Review, Taxon
from linkeddata.settings import Settings
from linkeddata.store import Store
from linkeddata.uris import uri_of

BASE = "https://deboodt.example"
WHEN = "2026-11-02T10:00:00Z"
NASTY = '"quoted" \\ <b>🦋\u202eأبو دقيق\x0b\n' + "long " * 500
PLATE = MediaFile(
    iri="https://commons.wikimedia.org/entity/M7",
    title="File:Plate 7.png",
    page="https://commons.wikimedia.org/wiki/File:Plate_7.png",
    original="https://upload.example/plate 7.png",
    licence="https://creativecommons.org/publicdomain/zero/1.0/",
    description=NASTY,
)
ODD = MediaFile(iri="https://plates.example/a b/é?x=1#y", title=NASTY, gone="")
TAXON = Taxon(query="Q158603", concept="Q158603", name="Vanessa cardui", rank="species", item="Q158603")
SOFTWARE = Agent(id="urn:deboodt:model:m@1", kind="SoftwareAgent", name="m", version="1")
CREDITED = Agent(id="https://orcid.org/0000-0002-1825-0097", name="Doe, أبو")
PERSON = Agent(id="urn:deboodt:person:0a")
PLAIN = Identification(
    id="plain",
    file=PLATE.iri,
    model="m",
    version="1",
    label="Vanessa cardui",
    rank="species",
    item="Q158603",
    certainty=0.87,
    alternatives=(Alternative("Vanessa", 0.1, "genus"),),
    region="xywh=percent:10,20,30,40",
    agent=SOFTWARE.id,
    moment=WHEN,
)
LABEL = Label(
    id="plain", campaign="c", file=PLATE.iri, concept="Q158603", name="Vanessa cardui", item="Q158603", support=3,
    voters=4, probability=0.75, status="accepted", moment=WHEN,
)  # fmt: skip
REVIEW = Review(id="plain", target="plain", verdict="correct", agent=PERSON.id, moment=WHEN, correction="Q158603")
STANDING: list[Record] = [
    PLATE,
    ODD,
    TAXON,
    SOFTWARE,
    PERSON,
    CREDITED,
    PLAIN,
    replace(PLAIN, id="reviewed", status="verified", supersedes="plain"),
    replace(PLAIN, id="no key, no licence", file=ODD.iri, label=NASTY, rank="", item="", agent=CREDITED.id),
    replace(PLAIN, id="unknown", label="", item="", rank=""),
    LABEL,
    replace(LABEL, id="reviewed", concept="Q1", status="reviewed"),
    replace(LABEL, id="odd", concept="x", name=NASTY, item="", file=ODD.iri),
    REVIEW,
    replace(REVIEW, id="on a label", kind="label", verdict="reject", correction="", comment=NASTY),
]
WITHDRAWN: list[Record] = [
    replace(PLAIN, id="withdrawn"),
    replace(LABEL, id="withdrawn", concept="Q2"),
    replace(REVIEW, id="withdrawn"),
    MediaFile(iri="https://plates.example/withdrawn"),
    Taxon(query="withdrawn"),
    Agent(id="urn:deboodt:person:withdrawn"),
]
FORMS = {"ttl": "turtle", "nt": "nt", "nq": "nt", "rdf": "xml"}


def address(record: Record) -> str:
    """Return the URI of a record's document."""
    key = getattr(record, {MediaFile: "iri", Taxon: "query"}.get(type(record), "id"))
    return uri_of(type(record), key, BASE)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of the whole application over a store with every kind of record in every state."""
    home = tmp_path_factory.mktemp("home")
    where = Settings(home=str(home), base_url=BASE, handle_prefix="20.5000.1025")
    with Store(f"sqlite:///{home / 'store.sqlite'}") as store:
        store.put([*STANDING, *WITHDRAWN], agent="test", moment=WHEN)
        for one in WITHDRAWN:
            key = getattr(one, {MediaFile: "iri", Taxon: "query"}.get(type(one), "id"))
            store.withdraw(type(one), [key], agent="test", moment=WHEN, reason=f"asked to: {NASTY}")
        with TestClient(create_app(where, store=store, classifiers={}), base_url=BASE) as opened:
            yield opened


def asked() -> Iterator[tuple[str, str]]:
    """Yield every document there is: its URI and the profile."""
    for record in (*STANDING, *WITHDRAWN):
        for name in ("",) if record in WITHDRAWN else profiles_of(record):
            yield address(record), name


def profiles_of(record: Record) -> Collection[str]:
    """Return the profiles that have words for a record; in Linked Art a verdict has some that names a taxon."""
    if isinstance(record, Identification | Label):
        return PROFILES.keys()
    if isinstance(record, Review):
        return [name for name in REVIEWS if name != "linked-art" or record.correction]
    return FILES.keys() if isinstance(record, MediaFile) else ("",)


@pytest.mark.parametrize(("uri", "profile"), list(asked()))
def test_all_forms_hold_the_same_triples_by_two_parsers(client: TestClient, uri: str, profile: str) -> None:
    def load(url: str, options: dict[str, Any]) -> dict[str, Any]:
        served = client.get(urlsplit(url).path)
        assert (served.status_code, served.headers["content-type"]) == (200, "application/ld+json")
        return {"contentUrl": url, "contextUrl": None, "documentUrl": url, "document": served.json()}

    query = f"?profile={profile}" if profile else ""
    answer = client.get(f"{uri}{query}")
    status = 410 if uri.endswith("withdrawn") else 200
    assert answer.status_code == status
    by_pyld = rdflib.Graph().parse(
        data=pyld.to_rdf(answer.json(), {"format": "application/n-quads", "documentLoader": load}), format="nt"
    )
    assert len(by_pyld) > 1
    inline = client.get(f"{uri}.jsonld{query}{'&' if query else '?'}context=inline").content
    triples = [one.triple for one in pyoxigraph.parse(inline, format=pyoxigraph.RdfFormat.JSON_LD)]
    by_oxigraph = pyoxigraph.serialize(triples, format=pyoxigraph.RdfFormat.N_TRIPLES)
    assert isomorphic(rdflib.Graph().parse(data=by_oxigraph, format="nt"), by_pyld)
    for suffix, form in FORMS.items():
        again = client.get(f"{uri}.{suffix}{query}")
        assert again.status_code == status
        graph = rdflib.Graph().parse(data=again.content, format=form)
        if form != "xml":  # XML cannot hold a vertical tab
            assert isomorphic(graph, by_pyld)
        assert len(graph) == len(by_pyld)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["vary"].startswith("Accept")
    assert answer.headers["last-modified"]
    assert client.get(answer.headers["content-location"]).content == answer.content
    head = client.head(f"{uri}{query}")
    assert (head.status_code, head.content, head.headers["etag"]) == (status, b"", answer.headers["etag"])
    again = client.get(f"{uri}{query}", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(f"{uri}{query}", headers={"if-match": '"other"'}).status_code == 412


@pytest.mark.parametrize("record", [PLATE, REVIEW, STANDING[-1]], ids=address)
@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_without_words_for_it_is_refused_and_the_others_are_named(
    client: TestClient, name: str, record: Record
) -> None:
    answer = client.get(f"{address(record)}?profile={name}")
    lost = client.get(f"{address(record)}?profile={name}&loss=1")
    if name in profiles_of(record):
        assert (answer.status_code, lost.status_code) == (200, 200)
        assert lost.json()["about"] == address(record)
        linked = [one for one in PROFILES if f"{address(record)}.jsonld?profile={one}>" in answer.headers["link"]]
        assert set(linked) == set(REVIEWS if isinstance(record, Review) else FILES) - {name}
        return
    assert (answer.status_code, answer.headers["content-type"]) == (406, "application/problem+json")
    assert "anno" in answer.json()["detail"] or "assigns none" in answer.json()["detail"]
    assert "Accept" in answer.headers["vary"]


@pytest.mark.parametrize("record", [*STANDING, *WITHDRAWN], ids=address)
def test_every_document_has_a_page_for_people(client: TestClient, record: Record) -> None:
    page = client.get(address(record), headers={"accept": "text/html"})
    assert page.status_code == (410 if record in WITHDRAWN else 200)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<b>🦋" not in page.text
    assert "As linked data" in page.text


@pytest.mark.parametrize("name", PROFILES)
def test_no_machine_identification_leaves_without_its_image_and_where_to_review_it(
    client: TestClient, name: str
) -> None:
    for key in ("plain", "reviewed", "unknown"):
        said = client.get(f"/identifications/{key}.nt?profile={name}").text
        assert PLATE.iri in said
        assert f"<{BASE}/identifications/{key}.html>" in said
        if name != "schema":  # it has no word for a part of an image; its loss report says so
            assert "xywh=percent:10,20,30,40" in said or "Frac" in said
        elif key == "plain":
            assert "identification.region" in client.get(f"/identifications/{key}?profile=schema&loss=1").json()["lost"]


def test_reviews_are_listed_and_narrowed(client: TestClient) -> None:
    def found(query: str) -> set[str]:
        page = client.get(f"/reviews{query}").json()
        assert page["total"] == len(page["first"]["items"])
        return {item["id"] for item in page["first"]["items"]}

    assert found("") == {f"{BASE}/reviews/plain", f"{BASE}/reviews/on%20a%20label"}
    assert found("?kind=label") == found("?verdict=reject") == {f"{BASE}/reviews/on%20a%20label"}
    assert found("?target=none") == set()
    assert "correct" in client.get("/reviews", headers={"accept": "text/html"}).text


few = settings(max_examples=6, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


def test_no_request_that_is_described_breaks_anything(client: TestClient) -> None:
    """Requests made up by schemathesis from our own description; its pytest plugin is behind pytest, hence the loop.

    503 is no accident where it is described: what has to be asked outside, or is still being made, is not there.
    """
    found = schemathesis.openapi.from_asgi("/openapi.json", client.app)
    operations = [one.ok() for one in found.get_all_operations()]
    assert len(operations) > 25
    for operation in operations:
        try_out(operation)


def try_out(operation: Any) -> None:
    """Send a few requests that the operation's description allows."""
    allowed = {503} & {int(code) for code in operation.definition.raw["responses"] if code.isdecimal()}

    @few
    @given(case=operation.as_strategy())
    def tried(case: Any) -> None:
        answer = case.call()
        assert answer.status_code < 500 or answer.status_code in allowed, (case.as_curl_command(), answer.text)

    tried()
