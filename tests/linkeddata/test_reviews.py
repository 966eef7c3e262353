"""Reviews, agents, tombstones and labels of any text: the same triples by two JSON-LD parsers and by our own writer."""

from dataclasses import replace

import orjson
import pyoxigraph
import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st
from pyld import jsonld as pyld
from rdflib.compare import isomorphic

from linkeddata import contexts, quads, serialising
from linkeddata.agents import PSEUDONYM, agent_document
from linkeddata.nodes import Document
from linkeddata.profiles import PROFILES, UnsayableError, held, loss
from linkeddata.profiles.labels import said_of_label
from linkeddata.records import Agent, Identification, Label, MediaFile, Review, Taxon
from linkeddata.reviews import review_document
from linkeddata.uris import uri_of
from linkeddata.withdrawals import Tombstone, tombstone_document

BASE = "https://deboodt.example"
WHEN = "2026-11-02T10:00:00Z"
REVIEW = Review(id="r", target="a1", verdict="correct", agent="urn:deboodt:person:0a", moment=WHEN, correction="Q1")
unhurried = settings(max_examples=40, deadline=None)
texts = st.one_of(
    st.sampled_from(["", '"quoted" \\ \n', "🦋", "أبو دقيق", "\u202emirrored", "a\x0bb", "x" * 20_000]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
)
agent_ids = st.one_of(st.sampled_from([REVIEW.agent, "https://orcid.org/0000", "javascript:x", "a b", "urn:x"]), texts)
concepts = st.sampled_from(["", "Q158603", "gbif:4299368", "gbif:", "Q0", "gbif:two keys", "aphia:1"])
moments = st.sampled_from([WHEN, "2026-11-02", "", "2026-11-02T10:00:00.123Z", "never"])
agents = st.builds(Agent, id=agent_ids, name=texts, homepage=texts, version=texts, kind=st.sampled_from(
    ["Person", "Organization", "SoftwareAgent", "odd"]
))  # fmt: skip
reviews = st.builds(
    review_document,
    st.builds(
        Review,
        id=texts.filter(bool),
        target=texts.filter(bool),
        verdict=texts,
        agent=agent_ids,
        moment=moments,
        correction=concepts,
        comment=texts,
        kind=st.sampled_from(["", "label", "identification"]),
        campaign=texts,
        decides=st.booleans(),
    ),
    taxon=st.none() | st.just(Taxon(query="Q158603", name="Vanessa", item="Q158603", rank="genus")),
    agent=st.none() | agents,
    base_url=st.just(BASE),
)
tombstones = st.builds(
    lambda kind, key, since, reason: tombstone_document(
        Tombstone(kind, key, since, reason), uri_of(kind, key, BASE), uri_of(kind, key, BASE), BASE
    ),
    st.sampled_from([Identification, Label, Review, MediaFile, Taxon, Agent]),
    texts.filter(bool),
    moments,
    texts,
)
documents = st.one_of(
    reviews, tombstones, st.builds(agent_document, agents.filter(lambda one: bool(one.id)), base_url=st.just(BASE))
)


def by_pyld(doc: Document) -> rdflib.Graph:
    """Return the triples that pyld reads in a document; it loads nothing."""
    inline = orjson.loads(orjson.dumps(contexts.with_context(doc, "inline", BASE)))
    return rdflib.Graph().parse(data=pyld.to_rdf(inline, {"format": "application/n-quads"}), format="nt")


@unhurried
@given(documents)
def test_two_parsers_and_our_writer_read_the_same(doc: Document) -> None:
    ours = {str(one.triple) for one in pyoxigraph.parse(quads.lines(doc, BASE), format=pyoxigraph.RdfFormat.N_QUADS)}
    text = serialising.serialised(doc, "application/n-triples", BASE)
    assert {str(one.triple) for one in pyoxigraph.parse(text, format=pyoxigraph.RdfFormat.N_TRIPLES)} == ours
    assert isomorphic(by_pyld(doc), rdflib.Graph().parse(data=text, format="nt"))
    serialising.serialised(doc, "application/rdf+xml", BASE)


@pytest.mark.parametrize("name", PROFILES)
@unhurried
@given(
    label=st.builds(
        Label,
        id=texts.filter(bool),
        campaign=texts,
        file=st.one_of(st.just("https://plates.example/a b?x#y"), texts.filter(bool)),
        concept=texts.filter(bool),  # a label without one is of nothing: counting makes none
        name=texts,
        rank=st.sampled_from(["", "species"]),
        item=st.sampled_from(["", "Q158603", "Q0"]),
        gbif_key=st.sampled_from(["", "4299368", "two keys"]),
        voters=st.integers(0, 3),
        probability=st.floats(-1, 2),
        status=st.sampled_from(["accepted", "rejected", "reviewed", "odd"]),
        moment=moments,
    )
)
def test_nothing_broken_leaves_of_a_label(name: str, label: Label) -> None:
    said = said_of_label(label, media=None, taxon=None, base_url=BASE)
    try:
        doc = PROFILES[name].document(said)
    except UnsayableError:
        return
    triples = rdflib.Graph().parse(data=serialising.serialised(doc, "application/n-triples", BASE), format="nt")
    assert isomorphic(by_pyld(doc), triples)
    assert set(loss(PROFILES[name], said)) <= set(held(said))


def test_a_review_says_verdict_correction_and_comment_each_with_its_purpose() -> None:
    doc = review_document(replace(REVIEW, comment="No."), base_url=BASE)
    assert (doc["motivation"], doc["target"]) == ("assessing", f"{BASE}/identifications/a1")
    assert [(body["purpose"], body["type"]) for body in doc["body"]] == [
        ("assessing", "TextualBody"),
        ("editing", "SpecificResource"),
        ("commenting", "TextualBody"),
    ]
    assert doc["body"][1]["source"]["id"] == "http://www.wikidata.org/entity/Q1"
    assert doc["reviewPage"] == f"{BASE}/identifications/a1.html"
    assert review_document(replace(REVIEW, kind="label"), base_url=BASE)["target"] == f"{BASE}/labels/a1"


def test_a_person_has_a_name_only_when_credited() -> None:
    assert agent_document(Agent(id="urn:deboodt:person:0a"), base_url=BASE)["comment"] == PSEUDONYM
    credited = agent_document(Agent(id="https://orcid.org/0000-0002-1825-0097", name="J. Doe"), base_url=BASE)
    assert (credited["id"], credited["name"]) == ("https://orcid.org/0000-0002-1825-0097", "J. Doe")
