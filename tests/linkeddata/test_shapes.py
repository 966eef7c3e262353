"""Our own shapes: every annotation that leaves holds to them, and what breaks a rule is found."""

from collections.abc import Iterator
from dataclasses import replace

import pyshacl
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import Graph

from linkeddata import contexts, jsonld, nodes, serialising
from linkeddata.api import router
from linkeddata.records import Alternative, Certainty, Identification, Label, MediaFile, Review, Taxon, Voices
from linkeddata.reviews import review_document
from linkeddata.settings import Settings
from linkeddata.store import Store

BASE = "https://deboodt.example"
PLATE = MediaFile(iri="https://commons.wikimedia.org/entity/M7", title="Plate 7")
TAXON = Taxon(
    query="Q158603",
    concept="Q158603",
    name="Vanessa cardui",
    rank="species",
    item="Q158603",
    vernaculars=(("he", "נימפית החורשף"), ("", '🦋 \u202e"“')),
)
ANSWER = Identification(
    id="a1",
    file=PLATE.iri,
    model="m",
    version="1",
    label="Vanessa cardui",
    rank="species",
    item="Q158603",
    certainty=0.9,
    novelty=0.1,
    rule="R2",
    alternatives=(Alternative("Vanessa cardui", 0.9, "species", "Q158603"), Alternative("\u202eא", 0.0)),
    region="xywh=percent:1,2,3,4",
    moment="2026-11-02T10:00:00Z",
)
LABEL = Label(id="l1", campaign="albums", file=PLATE.iri, concept="Q158603", item="Q158603", support=2, voters=3)


@pytest.fixture(scope="module")
def shapes() -> Graph:
    return Graph().parse(data=contexts.shapes(BASE), format="turtle")


def troubles(doc: nodes.Document, shapes: Graph) -> str:
    data = Graph().parse(data=serialising.serialised(doc, "application/n-triples", BASE), format="nt")
    conforms, _, text = pyshacl.validate(data, shacl_graph=shapes, inference="none")
    return "" if conforms else text


@pytest.mark.parametrize(
    "answer",
    [
        ANSWER,
        replace(ANSWER, label="", rank="", item="", certainty=0.0),
        replace(ANSWER, status="verified", supersedes="a0"),
        replace(ANSWER, status="rejected", item="", gbif_key="", rank=""),
    ],
)
def test_identifications_hold_to_our_shapes(shapes: Graph, answer: Identification) -> None:
    assert troubles(jsonld.document(answer, media=PLATE, taxon=TAXON, base_url=BASE), shapes) == ""


TEXTS = st.text(max_size=12)
FRACTIONS = st.floats(min_value=-0.5, max_value=1.5) | st.just(float("nan"))


@settings(max_examples=25, deadline=None)
@given(TEXTS, TEXTS, FRACTIONS, FRACTIONS, TEXTS, st.lists(st.tuples(TEXTS, FRACTIONS), max_size=3))
def test_nothing_nasty_makes_an_annotation_break_them(
    label: str, file: str, certainty: float, novelty: float, moment: str, others: list[tuple[str, float]]
) -> None:
    answer = replace(
        ANSWER,
        label=label,
        file=file or "x",
        certainty=certainty,
        novelty=novelty,
        moment=moment,
        alternatives=tuple(Alternative(name or "x", chance) for name, chance in others),
    )
    graph = Graph().parse(data=contexts.shapes(BASE), format="turtle")
    assert troubles(jsonld.document(answer, base_url=BASE), graph) == ""


@settings(max_examples=25, deadline=None)
@given(
    TEXTS,
    FRACTIONS,
    st.sampled_from(["", "accepted", "single", "minority", "tie", "machine", "reviewed", "rejected", "disputed"]),
    st.lists(st.builds(Certainty, name=TEXTS, rank=TEXTS, probability=FRACTIONS), max_size=3),
    st.lists(
        st.builds(
            Voices,
            stand=st.sampled_from(["same", "below", "above", "against", "removed"]),
            voters=st.integers(1, 9),
            branch=TEXTS,
            skill=FRACTIONS,
        ),
        max_size=3,
    ),
    st.integers(0, 3),
)
def test_no_nasty_label_breaks_them(
    name: str, chance: float, status: str, path: list[Certainty], voices: list[Voices], machine: int
) -> None:
    label = replace(
        LABEL,
        name=name,
        probability=chance,
        status=status,
        counted=name,
        path=tuple(path),
        voices=tuple(voices),
        machine=machine,
        machine_probability=chance,
        machine_status=status,
    )
    doc = jsonld.label_document(label, media=PLATE, taxon=TAXON, base_url=BASE)
    graph = Graph().parse(data=contexts.shapes(BASE), format="turtle")
    assert troubles(doc, graph) == ""


@settings(max_examples=25, deadline=None)
@given(TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, st.sampled_from(["", "label", "identification"]), st.booleans())
def test_no_nasty_review_breaks_them(
    target: str, verdict: str, who: str, correction: str, comment: str, kind: str, decides: bool
) -> None:
    review = Review(
        id="r1",
        target=target or "x",
        verdict=verdict,
        agent=who,
        moment="2026-11-02T10:00:00Z",
        correction=correction,
        comment=comment,
        kind=kind,
        decides=decides,
    )
    graph = Graph().parse(data=contexts.shapes(BASE), format="turtle")
    assert troubles(review_document(review, taxon=TAXON, base_url=BASE), graph) == ""


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("motivation", "identifying"),
        ("body", ""),
        ("support", -1),
        ("why", {"en": ["because", "because of that"]}),
        ("voices", [{"id": "urn:v", "type": "Voices", "stand": "beside", "people": 1}]),
        ("voices", [{"id": "urn:v", "type": "Voices", "stand": "same"}]),
        ("path", [{"id": "urn:p", "type": "PathStep", "probability": 0.5}]),
        ("machineProbability", 2.0),
    ],
)
def test_what_breaks_a_rule_of_labels_is_found(shapes: Graph, key: str, value: object) -> None:
    doc = jsonld.label_document(LABEL, media=PLATE, taxon=TAXON, base_url=BASE)
    broken = {**doc, key: value} if value else {name: said for name, said in doc.items() if name != key}
    assert troubles(broken, shapes) != ""


def test_reviews_hold_to_our_shapes_and_breaches_are_found(shapes: Graph) -> None:
    review = Review(
        id="r1",
        target="l1",
        kind="label",
        verdict="correct",
        agent="urn:deboodt:person:0a",
        moment="2026-11-02T10:00:00Z",
        correction="Q158603",
        comment="See the wing",
    )
    doc = review_document(review, taxon=TAXON, base_url=BASE)
    assert len(doc["body"]) == 3
    assert troubles(doc, shapes) == ""
    assert troubles({**doc, "motivation": "tagging"}, shapes) != ""
    assert troubles({**doc, "decides": "perhaps"}, shapes) != ""


def test_labels_and_taxa_hold_to_our_shapes(shapes: Graph) -> None:
    assert troubles(jsonld.label_document(LABEL, media=PLATE, taxon=TAXON, base_url=BASE), shapes) == ""
    assert troubles(jsonld.taxon_document(TAXON, base_url=BASE), shapes) == ""
    assert troubles(jsonld.taxon_document(Taxon(query="Blauwe vlinder"), base_url=BASE), shapes) == ""


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("motivation", "commenting"),
        ("target", ""),
        ("decision", "unknown"),
        ("decision", "perhaps"),
        ("certainty", 1.5),
        ("created", "yesterday"),
        ("reviewPage", ""),
        ("identificationVerificationStatus", ""),
        ("body", ""),
    ],
)
def test_what_breaks_a_rule_is_found(shapes: Graph, key: str, value: object) -> None:
    doc = jsonld.document(ANSWER, media=PLATE, taxon=TAXON, base_url=BASE)
    broken = {**doc, key: value} if value else {name: said for name, said in doc.items() if name != key}
    assert troubles(broken, shapes) != ""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with Store(f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.sqlite'}") as store:
        app = FastAPI()
        app.include_router(router(store, Settings(base_url=BASE)))
        with TestClient(app, base_url=BASE) as client:
            yield client


def test_the_shapes_are_served_with_long_caching(client: TestClient) -> None:
    for path in ("/shapes", "/shapes.ttl"):
        answer = client.get(path)
        assert answer.text == contexts.shapes(BASE)
        assert answer.headers["content-type"] == "text/turtle; charset=utf-8"
        assert "max-age=86400" in answer.headers["cache-control"]
        assert client.get(path, headers={"if-none-match": answer.headers["etag"]}).status_code == 304
