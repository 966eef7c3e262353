"""Profiles of identifications: valid by their readers' own rules, one set of triples, and honest about what is lost."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import jsonschema
import orjson
import pyoxigraph
import pytest
import rdflib
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyld import jsonld as pyld
from rdflib.compare import isomorphic
from referencing import Registry, Resource

from linkeddata import contexts, serialising
from linkeddata.api import router
from linkeddata.nodes import Document
from linkeddata.profiles import CONTEXTS, PROFILES, Said, UnsayableError, dwc, held, loss, loss_document
from linkeddata.profiles.files import FILES, SaidOfFile, digital_object, work
from linkeddata.profiles.labels import said_of_label
from linkeddata.profiles.verdicts import REVIEWS, SaidOfReview, assessment, assignment
from linkeddata.records import Agent, Alternative, Ancestor, Identification, Label, MediaFile, Review, Taxon
from linkeddata.settings import Settings
from linkeddata.store import Store

BASE = "https://deboodt.example"
WHEN = "2026-11-02T10:00:00Z"
PLATE = MediaFile(
    iri="https://commons.deboodt.example/entity/M12",
    title="File:Plate 12.jpg",
    page="https://commons.deboodt.example/wiki/File:Plate_12.jpg",
    original="https://commons.deboodt.example/images/12.jpg",
    sha1="a" * 40,
    mime="image/jpeg",
    width_px=512,
    height_px=640,
    size_bytes=1000,
    licence="https://creativecommons.org/publicdomain/zero/1.0/",
    credit="Painted by De Boodt",
    creator="Elias Verhulst",
    created="about 1596",
    description="A butterfly",
    inventory_number="DB-0012",
    institution="Q190804",
    simulated=True,
)
CARDUI = Taxon(
    query="Q158603",
    concept="Q158603",
    name="Vanessa cardui",
    authorship="(Linnaeus, 1758)",
    rank="species",
    item="Q158603",
    aphia_id="1234",
    lineage=(Ancestor("kingdom", "Animalia"), Ancestor("genus", "Vanessa")),
    vernaculars=(("nl", "distelvlinder"), ("nl", "distelvink"), ("ar", "أبو دقيق"), ("", "painted lady")),
)
SOFTWARE = Agent(
    id="urn:deboodt:model:papillotten@1",
    kind="SoftwareAgent",
    name="papillotten",
    version="1",
    homepage="https://deboodt.example/models/papillotten",
)
ANSWER = Identification(
    id="3f6c0c1e2d9b4a7f8e5d6c7b",
    file=PLATE.iri,
    sha1="b" * 40,
    model="papillotten",
    version="1",
    weights="c" * 64,
    label="Vanessa cardui",
    rank="species",
    item="Q158603",
    gbif_key="4299368",
    col_id="7W9VQ",
    certainty=0.87,
    novelty=0.1,
    rule="R2",
    alternatives=(Alternative("Vanessa", 0.1, "genus"),),
    region="xywh=percent:10,20,30,40",
    agent=SOFTWARE.id,
    moment=WHEN,
    supersedes="older",
    campaign="albums",
)
FULL = Said(ANSWER, PLATE, CARDUI, SOFTWARE, BASE, "20.5000.1025")
PERSON = Agent(id="https://orcid.org/0000-0002-1825-0097", name="A. Person")
UNKNOWN = replace(ANSWER, id="unknown 1", label="", rank="", item="", gbif_key="", col_id="", certainty=0.0)
COUNTED = said_of_label(
    Label(
        id="l1",
        campaign="albums",
        file=PLATE.iri,
        concept="Q158603",
        name="Vanessa cardui",
        rank="species",
        item="Q158603",
        gbif_key="4299368",
        support=3,
        dissent=1,
        voters=4,
        probability=0.75,
        status="accepted",
        method="majority",
        moment=WHEN,
    ),
    media=PLATE,
    taxon=None,
    base_url=BASE,
)
SAID = {
    "plain": FULL,
    "verified": replace(FULL, identification=replace(ANSWER, status="verified")),
    "rejected": replace(FULL, identification=replace(ANSWER, status="rejected")),
    "unknown": replace(FULL, identification=UNKNOWN, taxon=None),
    "bare": Said(Identification(id="x", file="urn:sha1:00", label="mot", model="m", moment=WHEN), base_url=BASE),
    "counted": COUNTED,
    "unlicensed": replace(FULL, media=replace(PLATE, licence=""), agent=PERSON),
}
OTHER: dict[str, Any] = {
    "identification.file": "https://commons.deboodt.example/entity/M13",
    "identification.status": "verified",
    "identification.moment": "2027-01-01T00:00:00Z",
    "identification.region": "xywh=percent:1,2,3,4",
    "identification.item": "Q1",
    "identification.gbif_key": "1",
    "identification.col_id": "XX",
    "identification.certainty": 0.5,
    "identification.novelty": 0.5,
    "identification.alternatives": (),
    "identification.agent": "urn:other",
    "media.page": "https://other.example/",
    "media.original": "https://other.example/i.jpg",
    "media.sha1": "d" * 40,
    "media.width_px": 1,
    "media.height_px": 1,
    "media.size_bytes": 1,
    "media.licence": "https://creativecommons.org/licenses/by/4.0/",
    "media.simulated": False,
    "taxon.aphia_id": "5",
    "taxon.lineage": (Ancestor("kingdom", "Plantae"),),
    "taxon.vernaculars": (("de", "Distelfalter"),),
    "agent.homepage": "https://other.example/model",
}
texts = st.one_of(
    st.sampled_from(["", '"quoted" \\ \n', "🦋", "أبو دقيق", "\u202emirrored", "a\x0bb", "\ud800"]),
    st.text(max_size=20),
)
keys = st.sampled_from(["", "4299368", "two keys"])
nasty = st.builds(
    Said,
    st.builds(
        Identification,
        id=st.text(min_size=1, max_size=9),
        file=st.one_of(st.just(PLATE.iri), st.just("https://plates.example/a b?x#y"), texts.filter(bool)),
        label=texts,
        rank=st.sampled_from(["", "species"]),
        item=st.sampled_from(["", "Q158603", "Q0"]),
        gbif_key=keys,
        col_id=keys,
        certainty=st.floats(-1, 2),
        region=st.sampled_from(["", "xywh=percent:0,0,100,100", "xywh=percent:1.2.3,0,0,0", "xywh=1,2,3,4", "odd"]),
        moment=st.sampled_from([WHEN, "2026-11-02", "", "2026-11-02T10:00:00.123Z"]),
        status=st.sampled_from(["unverified", "verified", "rejected", "odd"]),
    ),
    media=st.none()
    | st.builds(
        MediaFile,
        iri=st.just(PLATE.iri),
        title=texts,
        licence=st.sampled_from(["", "odd", PLATE.licence]),
        original=st.sampled_from(["", "javascript:alert(1)", PLATE.original]),
        credit=texts,
        creator=texts,
        description=texts,
        inventory_number=texts,
    ),
    taxon=st.none() | st.builds(replace, st.just(CARDUI), vernaculars=st.tuples(st.tuples(texts, texts))),
    agent=st.none()
    | st.builds(Agent, id=texts, name=texts, kind=st.sampled_from(["Person", "Organization", "SoftwareAgent", "odd"])),
    base_url=st.just(BASE),
    handle_prefix=st.just("20.5000.1025"),
)
unhurried = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def rdf(doc: Document, form: str = "application/n-triples") -> rdflib.Graph:
    """Return the triples that our own serialiser makes of a document."""
    names = {"application/n-triples": "nt", "application/rdf+xml": "xml", "text/turtle": "turtle"}
    return rdflib.Graph().parse(data=serialising.serialised(doc, form, BASE), format=names[form])


def with_pyld(doc: Document) -> rdflib.Graph:
    """Return the triples that pyld reads in a document; it loads nothing."""
    inline = orjson.loads(orjson.dumps(contexts.with_context(doc, "inline", BASE)))
    quads = pyld.to_rdf(inline, {"format": "application/n-quads"})
    return rdflib.Graph().parse(data=quads, format="nt")


@pytest.mark.parametrize("state", SAID)
@pytest.mark.parametrize("name", PROFILES)
def test_two_parsers_and_all_forms_hold_the_same_triples(name: str, state: str) -> None:
    doc = PROFILES[name].document(SAID[state])
    triples = rdf(doc)
    assert len(triples) > 3
    assert isomorphic(with_pyld(doc), triples)
    assert isomorphic(rdf(doc, "text/turtle"), triples)
    assert isomorphic(rdf(doc, "application/rdf+xml"), triples)
    assert not [one for one in triples if isinstance(one[2], rdflib.Literal) and not str(one[2])]


@pytest.mark.parametrize("state", SAID)
@pytest.mark.parametrize("name", PROFILES)
def test_no_key_is_lost_on_the_way_to_triples(name: str, state: str) -> None:
    doc = PROFILES[name].document(SAID[state])
    known = contexts.with_context(doc, "inline", BASE)["@context"]

    def keys_of(node: Any) -> set[str]:
        if isinstance(node, list):
            return set().union(*map(keys_of, node)) if node else set()
        if not isinstance(node, dict):
            return set()
        texts = {key for key in node if isinstance(known.get(key), dict) and "@container" in known[key]}
        return set(node) | set().union(set(), *(keys_of(value) for key, value in node.items() if key not in texts))

    unknown = {key for key in keys_of({k: v for k, v in doc.items() if k != "@context"}) if key not in known}
    assert {key for key in unknown if not key.startswith("@") and ":" not in key} == set()


@pytest.mark.parametrize("name", PROFILES)
def test_image_region_and_review_page_are_in_every_profile(name: str) -> None:
    said = json.dumps(PROFILES[name].document(FULL))
    assert PLATE.iri in said
    assert f"{BASE}/identifications/{ANSWER.id}.html" in said
    assert ("30" in said and "40" in said and "xywh" in said) or "ac:widthFrac" in said or name == "schema"


def changed(said: Said, fact: str) -> tuple[Said, Said]:
    """Return what is said, and the same with another value for one fact, without what would say it a second time."""
    record, field = fact.split(".")
    value = getattr(getattr(said, record), field)
    new = OTHER.get(fact, f"{value} other")
    if fact in ("identification.label", "identification.rank"):
        said = replace(said, taxon=None)
    if fact == "identification.status" and value == "verified":
        new = "rejected"
    after = replace(said, **{record: replace(getattr(said, record), **{field: new})})
    if fact == "identification.agent":
        after = replace(after, agent=replace(SOFTWARE, id=new))
    if fact == "identification.item":
        after = replace(after, taxon=replace(CARDUI, item=new))
    return said, after


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("state", ["plain", "verified", "rejected"])
def test_a_profile_carries_what_it_says_it_carries_and_nothing_else(name: str, state: str) -> None:
    said, profile = SAID[state], PROFILES[name]
    carried = profile.carries(said)
    wrong = []
    for fact in held(said):
        if (name, fact) == ("schema", "identification.status"):
            continue  # decides whether anything is said of the taxon, and is not said itself
        before, after = changed(said, fact)
        differs = profile.document(before) != profile.document(after)
        if differs != (fact in carried):
            wrong.append((fact, "changes the document" if differs else "changes nothing"))
    assert wrong == []


@pytest.mark.parametrize("name", PROFILES)
def test_loss_is_what_is_known_less_what_is_carried(name: str) -> None:
    lost = loss(PROFILES[name], FULL)
    assert set(lost) == set(held(FULL)) - PROFILES[name].carries(FULL)
    report = loss_document(PROFILES[name], FULL)
    assert (report["lost"], report["held"]) == (lost, len(held(FULL)))
    assert set(loss(PROFILES[name], SAID["bare"])) <= {"identification.status", "identification.model"}


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_carries_of_a_label_what_it_says_and_nothing_else(name: str) -> None:
    profile, wrong = PROFILES[name], []
    carried = COUNTED.carried_by(profile)
    for fact, value in COUNTED.held().items():
        field = fact.removeprefix("label.")
        if field == fact:
            continue
        new = {"status": "minority", "moment": "2027-01-01T00:00:00Z", "item": "Q1", "gbif_key": "1", "file": "urn:f"}
        other = new.get(field, f"{value} other" if isinstance(value, str) else value / 2)
        again = said_of_label(replace(COUNTED.of, **{field: other}), media=PLATE, taxon=None, base_url=BASE)
        if (profile.document(again) != profile.document(COUNTED)) != (fact in carried):
            wrong.append(fact)
    assert wrong == []


@pytest.mark.parametrize("agent", [None, replace(SOFTWARE, kind="odd", id="urn:odd")])
def test_a_creator_of_unknown_kind_is_no_person(agent: Agent | None) -> None:
    said = replace(FULL, agent=agent, identification=replace(ANSWER, model="", version="", agent=""))
    with pytest.raises(UnsayableError, match="person"):
        PROFILES["opends"].document(said)


def test_a_rejected_answer_is_never_asserted() -> None:
    assert "about" not in PROFILES["schema"].document(SAID["rejected"])
    assert "represents" not in PROFILES["linked-art"].document(SAID["rejected"])
    assert PROFILES["opends"].document(SAID["rejected"])["ods:mergingDecisionStatus"] == "Rejected"
    assert "represents" not in PROFILES["linked-art"].document(FULL)
    assert "represents" in PROFILES["linked-art"].document(SAID["verified"])


def test_linked_arts_own_context_is_named_last_where_that_is_asked_for() -> None:
    doc = contexts.with_context(PROFILES["linked-art"].document(FULL), "w3c", BASE)
    assert doc["@context"] == [f"{BASE}/contexts/linked-art.jsonld", "https://linked.art/ns/v1/linked-art.json"]


def test_an_unknown_answer_assigns_nothing_in_linked_art_and_the_loss_says_so() -> None:
    unknown = replace(FULL, identification=replace(ANSWER, label="", item="", gbif_key="", rank="", alternatives=()))
    assert "attributed_by" not in PROFILES["linked-art"].document(unknown)
    assert {"identification.agent", "identification.moment"} <= set(loss(PROFILES["linked-art"], unknown))


def test_darwin_core_has_only_terms_of_its_own() -> None:
    assert {key for key in PROFILES["dwc"].document(FULL) if key not in ("@context", "id", "type")} <= dwc.TERMS


def test_darwin_core_terms_are_in_the_term_list(recordings: Path) -> None:
    found = [path for path in recordings.rglob("*.csv") if "dwc" in path.name.lower() and "term" in path.name.lower()]
    if not found:
        pytest.skip("the term list of Darwin Core is not among the recordings")
    listed = "".join(path.read_text(encoding="utf-8") for path in found)
    assert [term for term in dwc.TERMS if term not in listed] == []


@pytest.mark.parametrize("name", ["schema", "opends"])
def test_what_a_profile_demands_and_nobody_knows_is_refused(name: str) -> None:
    with pytest.raises(UnsayableError):
        PROFILES[name].document(replace(FULL, identification=replace(ANSWER, moment="2026-11-02")))


def test_what_was_said_of_a_deleted_picture_stands_and_says_that_it_was_deleted() -> None:
    gone = replace(FULL, media=replace(PLATE, gone=WHEN))
    image = PROFILES["anno"].document(gone)["target"]["source"]
    assert (image["deleted"], image["id"]) == (WHEN, PLATE.iri)
    assert "deleted" in image["comment"]
    assert "media.gone" not in loss(PROFILES["anno"], gone)
    assert all("media.gone" in loss(PROFILES[name], gone) for name in PROFILES if name != "anno")
    assert "deleted" not in PROFILES["anno"].document(FULL)["target"]["source"]


def test_no_handle_is_made_up() -> None:
    assert "@id" not in PROFILES["opends"].document(replace(FULL, handle_prefix=""))


@pytest.fixture(scope="module")
def opends(recordings: Path) -> Callable[[Document], list[str]]:
    """What DiSSCo's schemas have against an annotation."""
    schemas = [json.loads(p.read_bytes()) for p in (recordings / "shapes/opends-0.4.0").glob("*.json")]
    schemas = [one for one in schemas if "$id" in one]
    registry: Registry[Any] = Registry().with_resources([(one["$id"], Resource.from_contents(one)) for one in schemas])
    root = next(one for one in schemas if one["$id"].endswith("/annotation.json"))
    root["properties"]["ods:hasTombstoneMetadata"] = {}  # its schema is not among the recordings, and is never used
    validator = jsonschema.Draft202012Validator(root, registry=registry)
    return lambda doc: [one.message for one in validator.iter_errors({k: doc[k] for k in doc if k != "@context"})]


@pytest.mark.parametrize("state", SAID)
def test_opends_is_valid_by_dissco(opends: Callable[[Document], list[str]], state: str) -> None:
    doc = PROFILES["opends"].document(replace(SAID[state], handle_prefix="20.5000.1025"))
    assert opends(doc) == []


pyshacl_is_behind = pytest.mark.filterwarnings("ignore:Dataset:DeprecationWarning")


def conforms(shapes: Path, doc: Document) -> str:
    """Return what NDE's shapes have against a document; warnings do not count."""
    pyshacl = pytest.importorskip("pyshacl", reason="pip install 'deboodt[test]'")
    ok, _, text = pyshacl.validate(rdf(doc), shacl_graph=str(shapes), shacl_graph_format="turtle", allow_warnings=True)
    return "" if ok else str(text)


@pyshacl_is_behind
@pytest.mark.parametrize("state", SAID)
def test_schema_is_valid_by_nde(recordings: Path, state: str) -> None:
    shapes = recordings / "shapes/nde-schema-ap-1.2.1.shacl.ttl"
    assert conforms(shapes, PROFILES["schema"].document(SAID[state])) == ""


@pytest.mark.parametrize("name", PROFILES)
@unhurried
@given(said=nasty)
def test_nothing_broken_leaves(name: str, said: Said) -> None:
    try:
        doc = PROFILES[name].document(said)
    except UnsayableError:
        return
    triples = rdf(doc)
    assert isomorphic(with_pyld(doc), triples)
    rdf(doc, "application/rdf+xml")
    assert not [one for one in triples if isinstance(one[2], rdflib.Literal) and not str(one[2])]
    assert set(loss(PROFILES[name], said)) <= set(held(said))


@unhurried
@given(said=nasty)
def test_nothing_invalid_leaves_for_dissco(opends: Callable[[Document], list[str]], said: Said) -> None:
    try:
        doc = PROFILES["opends"].document(said)
    except UnsayableError:
        return
    assert opends(doc) == []


@pyshacl_is_behind
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=nasty)
def test_nothing_invalid_leaves_for_nde(recordings: Path, said: Said) -> None:
    try:
        doc = PROFILES["schema"].document(said)
    except UnsayableError:
        return
    assert conforms(recordings / "shapes/nde-schema-ap-1.2.1.shacl.ttl", doc) == ""


FILE = SaidOfFile(
    PLATE,
    about=(f"{BASE}/labels/l1",),
    stands=lambda: [COUNTED.annotation(), SAID["verified"].annotation()],
    recorded=WHEN,
    base_url=BASE,
)
JUDGED = SaidOfReview(
    review=Review(
        id="0123456789abcdef",
        target=ANSWER.id,
        verdict="correct",
        agent=PERSON.id,
        moment=WHEN,
        correction="Q158603",
        comment='See the "eye" 🦋',
        campaign="albums",
        decides=True,
    ),
    judged=ANSWER,
    media=PLATE,
    taxon=CARDUI,
    agent=PERSON,
    base_url=BASE,
    handle_prefix="20.5000.1025",
)


@pyshacl_is_behind
def test_a_file_is_about_what_people_stand_by(recordings: Path) -> None:
    doc = work(FILE)
    assert {one["name"]["la"] for one in doc["about"]} == {"Vanessa cardui", "Vanessa cardui (Linnaeus, 1758)"}
    assert doc["sdDatePublished"] == WHEN
    assert f"{BASE}/labels/l1" in doc["subjectOf"]
    assert conforms(recordings / "shapes/nde-schema-ap-1.2.1.shacl.ttl", doc) == ""
    assert "about" not in work(replace(FILE, stands=tuple))
    with pytest.raises(UnsayableError, match="moment"):
        work(replace(FILE, recorded="", stands=tuple))
    image, manifest = doc["associatedMedia"]
    assert image["contentUrl"] == PLATE.original
    assert manifest["id"] == f"{BASE}/media/{quote(PLATE.iri, safe='')}/manifest.json"
    assert doc["isPartOf"]["id"] == f"{BASE}/datasets/published"


def test_a_digital_object_shows_what_people_stand_by() -> None:
    doc = digital_object(FILE)
    assert (doc["id"], doc["type"]) == (PLATE.iri, "DigitalObject")
    assert [one["_label"] for one in doc["digitally_shows"][0]["represents"]] == ["Vanessa cardui"]
    assert doc["digitally_shows"][0]["subject_to"][0]["classified_as"][0]["id"] == PLATE.licence
    assert [one["value"] for one in doc["dimension"]] == [512, 640]
    assert isomorphic(with_pyld(doc), rdf(doc))


@pytest.mark.parametrize("name", FILES)
def test_a_profile_carries_of_a_file_what_it_says_and_nothing_else(name: str) -> None:
    carried, wrong = FILE.carried_by(PROFILES[name]), []
    for fact, value in FILE.held().items():
        field = fact.removeprefix("media.")
        other = OTHER.get(fact, value + " other" if isinstance(value, str) else None)
        again = (
            replace(FILE, about=())
            if field == "about"
            else replace(FILE, media=replace(PLATE, **{field: other or False}))
        )
        if (FILES[name](again) != FILES[name](FILE)) != (fact in carried):
            wrong.append(fact)
    assert wrong == []
    assert loss_document(PROFILES[name], FILE)["lost"] == [one for one in FILE.held() if one not in carried]


def test_a_review_assesses_another_annotation(opends: Callable[[Document], list[str]]) -> None:
    doc = assessment(JUDGED)
    assert opends(doc) == []
    assert (doc["oa:motivation"], doc["oa:hasTarget"]["@type"]) == ("oa:assessing", "ods:Annotation")
    assert doc["oa:hasTarget"]["@id"] == PROFILES["opends"].document(FULL)["@id"]
    assert doc["dcterms:creator"]["@id"] == PERSON.id
    assert doc["oa:hasBody"]["oa:value"][0] == "correct"
    assert "@id" not in assessment(replace(JUDGED, handle_prefix=""))


def test_what_a_reviewer_assigns_is_linked_art_and_what_assigns_nothing_is_not() -> None:
    doc = assignment(JUDGED)
    said = doc["attributed_by"][0]
    assert said["id"] == JUDGED.address()
    assert said["assigned"][0]["id"] == "http://www.wikidata.org/entity/Q158603"
    assert said["carried_out_by"][0]["id"] == PERSON.id
    assert "represents" not in doc
    assert isomorphic(with_pyld(doc), rdf(doc))
    accepting = replace(JUDGED, review=replace(JUDGED.review, verdict="accept", correction=""))
    assert assignment(accepting)["attributed_by"][0]["assigned"][0]["_label"] == "Vanessa cardui"
    for verdict in ("reject", "cannot tell", "unfit image"):
        with pytest.raises(UnsayableError, match="assigns none"):
            assignment(replace(accepting, review=replace(accepting.review, verdict=verdict)))


@pytest.mark.parametrize("name", REVIEWS)
def test_a_profile_carries_of_a_review_what_it_says_and_nothing_else(name: str) -> None:
    carried, wrong = JUDGED.carried_by(PROFILES[name]), []
    for fact in JUDGED.held():
        record, field = fact.split(".")
        new = {"moment": "2027-01-01T00:00:00Z", "correction": "Q1", "decides": False}.get(field, "urn:other")
        if record == "agent":
            again = replace(JUDGED, agent=replace(PERSON, name="Another"))
        else:
            again = replace(JUDGED, review=replace(JUDGED.review, **{field: new}))
        again = replace(again, agent=replace(PERSON, id="urn:other")) if fact == "review.agent" else again
        if (REVIEWS[name](again) != REVIEWS[name](JUDGED)) != (fact in carried):
            wrong.append(fact)
    assert wrong == []


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of the routes over a store that holds one identification in three states."""
    states = [replace(SAID[name].identification, id=name) for name in ("plain", "verified", "rejected")]
    dateless = replace(ANSWER, id="dateless", moment="2026-11-02")
    with Store(f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.sqlite'}") as store:
        store.put([PLATE, CARDUI, SOFTWARE, dateless, *states], agent="test", moment=WHEN)
        app = FastAPI()
        app.include_router(router(store, Settings(base_url=BASE, handle_prefix="20.5000.1025")))
        with TestClient(app, base_url=BASE) as client:
            yield client


@pytest.mark.parametrize("state", ["plain", "verified", "rejected"])
@pytest.mark.parametrize("name", PROFILES)
def test_every_form_of_every_profile_is_served(client: TestClient, name: str, state: str) -> None:
    def load(url: str, options: dict[str, Any]) -> dict[str, Any]:
        served = client.get(urlsplit(url).path)
        assert (served.status_code, served.headers["content-type"]) == (200, "application/ld+json")
        return {"contentUrl": url, "contextUrl": None, "documentUrl": url, "document": served.json()}

    path = f"/identifications/{state}"
    forms = {suffix: client.get(f"{path}.{suffix}?profile={name}") for suffix in ("jsonld", "ttl", "nt", "nq", "rdf")}
    assert {answer.status_code for answer in forms.values()} == {200}
    quads = pyld.to_rdf(forms["jsonld"].json(), {"format": "application/n-quads", "documentLoader": load})
    expected = rdflib.Graph().parse(data=quads, format="nt")
    for suffix, form in (("ttl", "turtle"), ("nt", "nt"), ("nq", "nt"), ("rdf", "xml")):
        assert isomorphic(rdflib.Graph().parse(data=forms[suffix].content, format=form), expected)
    inline = client.get(path, params={"profile": name, "context": "inline"}).content
    again = pyoxigraph.serialize(
        [q.triple for q in pyoxigraph.parse(inline, format=pyoxigraph.RdfFormat.JSON_LD)],
        format=pyoxigraph.RdfFormat.N_TRIPLES,
    )
    assert isomorphic(rdflib.Graph().parse(data=again, format="nt"), expected)


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_had_by_accept_and_linked_from_the_others(client: TestClient, name: str) -> None:
    accept = f'application/ld+json;profile="{PROFILES[name].uri}"'
    answer = client.get("/identifications/plain", headers={"accept": accept})
    assert answer.json() == client.get("/identifications/plain", params={"profile": name}).json()
    assert client.get(answer.headers["content-location"]).content == answer.content
    assert answer.headers["vary"] == "Accept, Accept-Encoding"
    links = [part.split(">")[0].strip(" <") for part in answer.headers["link"].split(", <") if "alternate" in part]
    assert len(links) == 5 + len(PROFILES) - 1
    assert {client.get(one).status_code for one in links} == {200}


def test_the_loss_is_told(client: TestClient) -> None:
    answer = client.get("/identifications/plain?profile=linked-art&loss=1")
    assert "identification.certainty" in answer.json()["lost"]
    assert b"#lost>" in client.get("/identifications/plain.nt?profile=linked-art&loss=1").content
    assert client.get(answer.headers["content-location"]).content == answer.content


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/identifications/plain?profile=none", "*/*"),
        ("/identifications/plain", 'application/ld+json;profile="https://none.example/"'),
        ("/identifications/dateless?profile=opends", "*/*"),
        ("/identifications/plain?profile=dwc", "image/png"),
    ],
)
def test_what_cannot_be_said_is_refused(client: TestClient, path: str, accept: str) -> None:
    assert client.get(path, headers={"accept": accept}).status_code == 406


def test_the_log_says_when_where_nobody_else_does(client: TestClient) -> None:
    doc = client.get("/identifications/dateless?profile=schema").json()
    assert doc["sdDatePublished"] == WHEN
    assert client.get(f"/media/{quote(PLATE.iri, safe='')}?profile=schema").json()["sdDatePublished"] == WHEN


def test_contexts_are_served(client: TestClient) -> None:
    assert [client.get(f"/contexts/{name}.jsonld").status_code for name in CONTEXTS] == [200] * len(CONTEXTS)
    assert client.get("/contexts/none.jsonld").status_code == 404
