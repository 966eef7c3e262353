"""The documents: what they say, what they leave out, and that two independent parsers read the same triples in them."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import orjson
import pyoxigraph
import pytest
import rdflib
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyld import jsonld as pyld
from rdflib.compare import isomorphic

from linkeddata import contexts, ids, iris, jsonld, modeldocuments, serialising, targets
from linkeddata.records import Agent, Alternative, Ancestor, Identification, Label, MediaFile, ModelClass, Taxon
from linkeddata.settings import VERSION

BASE = "https://deboodt.example"
SHARED = Path(__file__).resolve().parents[2] / "../shared/data"
OA = rdflib.Namespace("http://www.w3.org/ns/oa#")
DWC = rdflib.Namespace("http://rs.tdwg.org/dwc/terms/")
PROV = rdflib.Namespace("http://www.w3.org/ns/prov#")
OWN = rdflib.Namespace(f"{BASE}/vocab#")

PLATE = MediaFile(
    iri="https://commons.deboodt.example/entity/M12",
    title="File:Vanessa cardui, plate 12.jpg",
    page="https://commons.deboodt.example/wiki/File:Vanessa cardui, plate 12.jpg",
    original="https://commons.deboodt.example/images/Vanessa cardui.jpg",
    sha1="a" * 40,
    mime="image/jpeg",
    width_px=512,
    height_px=640,
    licence="https://creativecommons.org/publicdomain/zero/1.0/",
    credit="Painted by De Boodt",
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
    gbif_key="4299368",
    lineage=(
        Ancestor("kingdom", "Animalia", "1"),
        Ancestor("family", "Nymphalidae", "7017"),
        Ancestor("genus", "Vanessa"),
    ),
    vernaculars=(("nl", "distelvlinder"), ("en", "painted lady"), ("EN", "cosmopolitan")),
    match_type="EXACT",
)
ANSWER = Identification(
    id="0123456789abcdef01234567",
    file=PLATE.iri,
    model="papillotten",
    version="1.0",
    weights="b" * 64,
    label="Vanessa cardui",
    rank="species",
    item="Q158603",
    gbif_key="4299368",
    certainty=0.8712345678,
    novelty=0.25,
    rule="4 species",
    alternatives=(
        Alternative("Danaus chrysippus", 0.1, "species", "Q311218"),
        Alternative("Vanessa cardui", 0.8712345678, "species", "Q158603", "4299368"),
    ),
    agent="urn:deboodt:software:papillotten-1.0",
    moment="2026-11-02T10:00:00Z",
)
MODEL = Agent(id="urn:deboodt:software:papillotten-1.0", kind="SoftwareAgent", name="papillotten", version="1.0")


def graph_by_pyld(document: dict[str, Any]) -> rdflib.Graph:
    """Return the triples that pyld finds, its contexts loaded through a document loader, as from our server."""

    def loader(url: str, options: dict[str, Any]) -> dict[str, Any]:
        assert url == f"{BASE}/context.jsonld", f"{url} is not ours to serve"
        served = contexts.context(BASE)
        return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": served}

    options = {"format": "application/n-quads", "documentLoader": loader}
    return rdflib.Graph().parse(data=pyld.to_rdf(document, options), format="nt")


def graph_by_oxigraph(document: dict[str, Any]) -> rdflib.Graph:
    """Return the triples that Oxigraph finds, with the context inline: it refuses to fetch one."""
    inline = orjson.dumps(contexts.with_context(document, "inline", BASE))
    quads = pyoxigraph.parse(inline, format=pyoxigraph.RdfFormat.JSON_LD)
    lines = pyoxigraph.serialize((q.triple for q in quads), format=pyoxigraph.RdfFormat.N_TRIPLES)
    return rdflib.Graph().parse(data=lines, format="nt")


def annotation(**changes: Any) -> dict[str, Any]:
    """Return the document of the usual answer with some fields changed."""
    values = {f.name: getattr(ANSWER, f.name) for f in fields(ANSWER)} | changes
    return jsonld.document(Identification(**values), media=PLATE, taxon=CARDUI, agent=MODEL, base_url=BASE)


def leaves(value: Any) -> Iterator[Any]:
    """Yield everything in a document, the containers too."""
    yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from leaves(one)


DOCUMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "identification": annotation,
    "unknown": lambda: annotation(label="", item="", gbif_key="", rank="", certainty=0.0),
    "region": lambda: annotation(region="xywh=percent:1,2,30.5,40"),
    "label": lambda: jsonld.label_document(
        Label(
            id="l", campaign="c", file=PLATE.iri, concept="Q158603", item="Q158603", name="Vanessa cardui", support=3
        ),
        media=PLATE,
        taxon=CARDUI,
        base_url=BASE,
    ),
    "media": lambda: jsonld.media_document(PLATE, about=[f"{BASE}/labels/l"], base_url=BASE),
    "taxon": lambda: jsonld.taxon_document(CARDUI, base_url=BASE),
    "unresolved": lambda: jsonld.taxon_document(Taxon(query="Blauwe vlinder", reason="no match"), base_url=BASE),
    "model": lambda: modeldocuments.model_document(CLASSES, weights="b" * 64, base_url=BASE),
    "page": lambda: jsonld.page(f"{BASE}/identifications?after=", f"{BASE}/identifications", [annotation()], "", BASE),
    "collection": lambda: jsonld.collection(
        f"{BASE}/identifications",
        "Identifications",
        1,
        jsonld.page(f"{BASE}/identifications?after=", f"{BASE}/identifications", [annotation()], "", BASE),
    ),
}
CLASSES = [
    ModelClass(id="m@1/1", model="m", version="1", index=1, label="mask", relation="unlinked"),
    ModelClass(
        id="m@1/0",
        model="m",
        version="1",
        index=0,
        label="Vanessa cardui",
        rank="species",
        item="Q158603",
        gbif_key="4299368",
        relation="exact",
    ),
]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_two_parsers_read_the_same_triples(name: str) -> None:
    document = DOCUMENTS[name]()
    one, other = graph_by_pyld(document), graph_by_oxigraph(document)
    assert isomorphic(one, other)
    assert len(one) > 3


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_key_and_type_is_in_the_context(name: str) -> None:
    terms = set(contexts.context(BASE)["@context"])
    for node in leaves(DOCUMENTS[name]()):
        if isinstance(node, dict) and "id" in node:
            types = node.get("type", [])
            assert set(node) - {"@context"} <= terms
            assert {types} <= terms if isinstance(types, str) else set(types) <= terms


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_empty_and_no_none_gets_out(name: str) -> None:
    assert all(value is not None and value not in ("", [], {}) for value in leaves(DOCUMENTS[name]()))


def test_an_identification_has_what_web_annotation_requires() -> None:
    document = annotation()
    assert document["@context"] == f"{BASE}/context.jsonld"
    assert document["id"] == f"{BASE}/identifications/{ANSWER.id}"
    assert "Annotation" in document["type"]
    assert document["motivation"] == "identifying"
    assert document["target"]["id"] == PLATE.iri
    assert document["body"]["id"] == "http://www.wikidata.org/entity/Q158603"
    assert document["created"] == "2026-11-02T10:00:00Z"
    assert document["creator"]["type"] == ["Software", "SoftwareAgent"]
    graph = graph_by_pyld(document)
    iri = rdflib.URIRef(document["id"])
    assert (iri, rdflib.RDF.type, OA.Annotation) in graph
    assert (iri, OA.motivatedBy, OA.identifying) in graph
    assert graph.value(iri, OA.hasTarget) == rdflib.URIRef(PLATE.iri)
    assert graph.value(iri, OA.hasBody) == rdflib.URIRef("http://www.wikidata.org/entity/Q158603")


def test_it_says_who_answered_with_which_weights_and_how_certain() -> None:
    graph = graph_by_pyld(annotation())
    iri, agent = rdflib.URIRef(f"{BASE}/identifications/{ANSWER.id}"), rdflib.URIRef(iris.agent_uri(MODEL.id, BASE))
    assert (agent, rdflib.RDF.type, PROV.SoftwareAgent) in graph
    assert graph.value(agent, OWN.weights) == rdflib.Literal("sha256:" + "b" * 64)
    assert graph.value(agent, OWN.model) == rdflib.URIRef(f"{BASE}/models/papillotten@1.0")
    certainty = graph.value(iri, OWN.certainty)
    assert isinstance(certainty, rdflib.Literal)
    assert certainty.datatype == rdflib.XSD.double
    assert certainty.toPython() == pytest.approx(0.871235)
    activity = graph.value(iri, PROV.wasGeneratedBy)
    assert graph.value(activity, PROV.wasAssociatedWith) == agent
    assert graph.value(activity, PROV.used) == rdflib.URIRef(PLATE.iri)


def test_it_uses_darwin_core_for_the_identification_and_the_taxon() -> None:
    document = annotation()
    graph = graph_by_pyld(document)
    iri, taxon = rdflib.URIRef(document["id"]), rdflib.URIRef(document["body"]["id"])
    assert (iri, rdflib.RDF.type, DWC.Identification) in graph
    said = {term: str(graph.value(iri, DWC[term])) for term in ("identifiedBy", "dateIdentified")}
    assert said == {"identifiedBy": "papillotten 1.0", "dateIdentified": "2026-11-02T10:00:00Z"}
    assert str(graph.value(iri, DWC.identificationVerificationStatus)) == "unverified"
    assert graph.value(iri, DWC.identificationQualifier) is None
    known = {t: str(graph.value(taxon, DWC[t])) for t in ("scientificName", "taxonRank", "taxonID", "family")}
    assert known == {
        "scientificName": "Vanessa cardui (Linnaeus, 1758)",
        "taxonRank": "species",
        "taxonID": "https://www.gbif.org/species/4299368",
        "family": "Nymphalidae",
    }
    names = {(str(name), getattr(name, "language", "")) for name in graph.objects(taxon, DWC.vernacularName)}
    assert names == {("distelvlinder", "nl"), ("painted lady", "en"), ("cosmopolitan", "en")}


def test_alternatives_are_ranked_and_not_asserted() -> None:
    document = annotation()
    assert [(one["label"], one["probability"]) for one in document["alternatives"]] == [
        ("Vanessa cardui", 0.871235),
        ("Danaus chrysippus", 0.1),
    ]
    graph = graph_by_pyld(document)
    assert list(graph.objects(rdflib.URIRef(document["id"]), OA.hasBody)) == [
        rdflib.URIRef("http://www.wikidata.org/entity/Q158603")
    ]


def test_unknown_says_so_and_has_no_body() -> None:
    document = DOCUMENTS["unknown"]()
    assert document["decision"] == "unknown"
    assert jsonld.UNKNOWN in document["identificationRemarks"]
    assert not {"body", "certainty"} & set(document)
    iri = rdflib.URIRef(document["id"])
    assert graph_by_oxigraph(document).value(iri, OWN.decision) == OWN.unknown


def test_a_region_is_a_fragment_of_the_image() -> None:
    target = DOCUMENTS["region"]()["target"]
    assert target["type"] == "SpecificResource"
    assert target["source"]["id"] == PLATE.iri
    assert target["selector"]["value"] == "xywh=percent:1,2,30.5,40"
    assert target["selector"]["conformsTo"] == "http://www.w3.org/TR/media-frags/"


def test_painted_material_is_said_to_be_painted() -> None:
    for name in ("identification", "label", "media"):
        document = DOCUMENTS[name]()
        assert document["simulated"] is True
        assert targets.SIMULATED in json.dumps(document, ensure_ascii=False)
    real = MediaFile(iri="https://commons.wikimedia.org/entity/M1")
    assert "simulated" not in json.dumps(jsonld.document(ANSWER, media=real, base_url=BASE))


def test_the_file_is_described_with_its_source_rights_and_institution() -> None:
    target = annotation()["target"]
    assert target["page"] == "https://commons.deboodt.example/wiki/File:Vanessa%20cardui,%20plate%2012.jpg"
    assert target["contentUrl"] == "https://commons.deboodt.example/images/Vanessa%20cardui.jpg"
    assert target["rights"] == PLATE.licence
    assert target["institutionID"] == "http://www.wikidata.org/entity/Q190804"
    assert target["identifier"] == "urn:sha1:" + "a" * 40


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"item": ""}, "https://www.gbif.org/species/4299368"),
        ({"item": "", "gbif_key": ""}, f"{BASE}/identifications/{ANSWER.id}#body"),
        ({"item": "Q1> <x", "gbif_key": "12/3", "label": "x"}, f"{BASE}/identifications/{ANSWER.id}#body"),
        ({"item": "", "gbif_key": "", "col_id": "5K5L5"}, "https://www.catalogueoflife.org/data/taxon/5K5L5"),
    ],
)
def test_a_taxon_is_named_by_the_best_identifier_there_is(changes: dict[str, str], expected: str) -> None:
    assert annotation(**changes)["body"]["id"] == expected


def test_a_class_that_is_no_taxon_is_not_called_one() -> None:
    document = annotation(label="barong mask", item="Q806888", gbif_key="", rank="")
    assert document["body"] == {"id": "http://www.wikidata.org/entity/Q806888", "label": "barong mask"}


def test_another_taxons_facts_are_not_borrowed() -> None:
    document = annotation(label="Danaus chrysippus", item="Q311218", gbif_key="")
    assert document["body"]["scientificName"] == "Danaus chrysippus"
    assert "higherClassification" not in document["body"]


def test_a_pseudonym_has_no_name_and_a_date_alone_is_no_moment() -> None:
    person = Agent(id="urn:deboodt:person:0011223344556677")
    answer = Identification(id="p", file=PLATE.iri, label="x", item="Q1", agent=person.id, moment="2021-10-03")
    document = jsonld.document(answer, agent=person, base_url=BASE)
    assert document["creator"] == {"id": f"{BASE}/agents/person%3A0011223344556677", "type": "Person"}
    assert document["dateIdentified"] == "2021-10-03"
    assert not {"created", "identifiedBy", "certainty"} & set(document)


def test_an_answer_nobody_keeps_has_a_urn_and_no_page() -> None:
    document = jsonld.document(ANSWER, base_url=BASE, stored=False)
    assert document["id"] == f"urn:deboodt:identification:{ANSWER.id}"
    assert "reviewPage" not in document


def test_classes_link_by_their_relation_only() -> None:
    first, second = modeldocuments.model_document(CLASSES, base_url=BASE)["hasTopConcept"]
    assert first["exactMatch"] == ["http://www.wikidata.org/entity/Q158603", "https://www.gbif.org/species/4299368"]
    assert (second["label"], second["notation"]) == ("mask", "1")
    assert not {"exactMatch", "broadMatch", "closeMatch"} & set(second)


def test_a_class_links_to_wikidata_to_both_gbif_keys_and_to_a_curators_term() -> None:
    aat = "http://vocab.getty.edu/aat/300138758"
    one = replace(CLASSES[1], col_id="7DNT3", term=aat, relation="broad")
    [concept] = modeldocuments.model_document([one], base_url=BASE)["hasTopConcept"]
    assert concept["broadMatch"] == [
        "http://www.wikidata.org/entity/Q158603",
        "https://www.gbif.org/species/4299368",
        "https://www.catalogueoflife.org/data/taxon/7DNT3",
        aat,
    ]
    [other] = modeldocuments.model_document([replace(one, term="no address")], base_url=BASE)["hasTopConcept"]
    assert len(other["broadMatch"]) == 3


def test_a_class_tells_its_checklist_and_when_its_keys_were_read() -> None:
    one = replace(CLASSES[1], checklist_key=ids.GBIF_BACKBONE, aphia_id="105883", moment="2026-10-01T12:00:00Z")
    document = modeldocuments.model_document([one], base_url=BASE)
    [concept] = document["hasTopConcept"]
    assert concept["nameAccordingToID"] == f"https://www.gbif.org/dataset/{ids.GBIF_BACKBONE}"
    assert concept["dateRead"] == "2026-10-01T12:00:00Z"
    assert concept["exactMatch"][-1] == "urn:lsid:marinespecies.org:taxname:105883"
    assert b"dc/terms/date" in serialising.serialised(document, "application/n-triples", BASE)
    taxon = Taxon(query="x", name="x", gbif_key="1", checklist_key=ids.GBIF_BACKBONE, moment="2026-10-01T12:00:00Z")
    assert jsonld.taxon_document(taxon, base_url=BASE)["dateRead"] == taxon.moment
    keyless = jsonld.taxon_document(replace(taxon, gbif_key=""), base_url=BASE)
    assert "nameAccordingToID" not in keyless


def test_the_context_names_w3c_terms_as_w3c_does() -> None:
    """Source: https://www.w3.org/ns/anno.jsonld; a reader of both contexts must find one meaning."""
    own = contexts.context(BASE)["@context"]
    assert own["Annotation"] == "oa:Annotation"
    assert own["body"] == {"@id": "oa:hasBody", "@type": "@id"}
    assert own["target"] == {"@id": "oa:hasTarget", "@type": "@id"}
    assert own["motivation"] == {"@id": "oa:motivatedBy", "@type": "@vocab"}
    assert own["created"] == {"@id": "dcterms:created", "@type": "xsd:dateTime"}
    assert own["generator"] == {"@id": "as:generator", "@type": "@id"}
    assert own["items"] == {"@id": "as:items", "@type": "@id", "@container": "@list"}


def test_every_own_term_is_defined_in_the_vocabulary() -> None:
    defined = {
        str(q.subject.value)
        for q in pyoxigraph.parse(orjson.dumps(contexts.vocabulary(BASE)), format=pyoxigraph.RdfFormat.JSON_LD)
    }
    used = set(re.findall(r'"deboodt:(\w+)"', json.dumps(contexts.context(BASE))))
    assert used
    assert {f"{BASE}/vocab#{term}" for term in used} <= defined


def test_every_own_term_says_in_two_languages_what_it_is_and_where_it_is_defined() -> None:
    first, *terms = contexts.vocabulary(BASE)["graph"]
    assert (first["prefix"], first["namespace"], first["version"]) == ("deboodt", f"{BASE}/vocab#", VERSION)
    for term in (first, *terms):
        assert term["label"].keys() == term["comment"].keys() == {"en", "nl"}, term["id"]
        assert all((*term["label"].values(), *term["comment"].values()))
    assert {term["isDefinedBy"] for term in terms} == {f"{BASE}/vocab"}
    named = {term["id"] for term in terms}
    said = {
        value for term in terms for key in ("domain", "range") if (value := term.get(key, "")).startswith("deboodt:")
    }
    assert said <= named


def test_the_contexts_forms() -> None:
    document = annotation()
    assert contexts.with_context(document, "w3c", BASE)["@context"] == [contexts.ANNO_CONTEXT, f"{BASE}/context.jsonld"]
    inline = contexts.with_context(document, "inline", BASE)
    assert inline["@context"] == contexts.context(BASE)["@context"]
    assert contexts.with_context(inline, "link", BASE) == document


@pytest.mark.parametrize("media_type", ["text/turtle", "application/n-triples"])
def test_other_forms_hold_the_same_triples(media_type: str) -> None:
    document = annotation(region="xywh=percent:1,2,30,40")
    written = serialising.serialised(document, media_type, BASE)
    form = "turtle" if media_type == "text/turtle" else "nt"
    assert isomorphic(rdflib.Graph().parse(data=written, format=form), graph_by_pyld(document))


NASTY = st.text(max_size=12) | st.sampled_from(
    ['"quoted" \\ back', "emoji 🦋", "שלום עולם", "a\x00b\x1f\x7f", "\ud800 alone", "<script>", "{base}", "_:b0", "@id",
     "dwc:taxonID", "urn:x y", "http://", "http://[", "https://a b/c d#e#f", "//host/x", "x:", "é:ü", "..", "%zz"]
)  # fmt: skip
NUMBER = st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 1)
ALTERNATIVE = st.builds(Alternative, NASTY, NUMBER, NASTY, NASTY, NASTY, NASTY)
MOMENT = st.sampled_from(["", "2021-10-03", "2026-11-02T10:00:00Z", "yesterday"]) | NASTY


def nasty(record: type, **special: Any) -> Any:
    """Return a strategy for ``record`` with nasty text in every text field."""
    texts = {f.name: NASTY for f in fields(record) if f.type is str}
    texts |= {name: NASTY.filter(bool) for name in {"id", "iri", "file", "query"} & set(texts)}
    numbers = {f.name: st.integers(0, 10**6) for f in fields(record) if f.type is int}
    return st.builds(record, **(texts | numbers | special))


ANSWERS = nasty(
    Identification,
    certainty=NUMBER,
    novelty=NUMBER,
    alternatives=st.lists(ALTERNATIVE, max_size=3).map(tuple),
    moment=MOMENT,
    item=NASTY | st.just("Q158603"),
    gbif_key=NASTY | st.just("4299368"),
)
TAXA = nasty(
    Taxon,
    lineage=st.lists(st.builds(Ancestor, NASTY | st.just("class"), NASTY, NASTY), max_size=3).map(tuple),
    vernaculars=st.lists(
        st.tuples(
            NASTY | st.sampled_from(["nl", "zh-Hans", "be-tarask", "map-bms", "nds-NL", "mul", "nl-a", "K"]), NASTY
        ),
        max_size=3,
    ).map(tuple),
    item=NASTY | st.just("Q158603"),
)
MEDIA = nasty(MediaFile, simulated=st.booleans())
LABELS = nasty(Label, probability=NUMBER, item=NASTY | st.just("Q158603"))


def check(document: dict[str, Any]) -> None:
    """Assert what must hold of every document."""
    assert all(value is not None and value not in ("", [], {}) for value in leaves(document))
    for node in leaves(document):
        if isinstance(node, dict) and "id" in node:
            pyoxigraph.NamedNode(node["id"])
    assert set(graph_by_pyld(document)) == set(graph_by_oxigraph(document))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANSWERS, st.none() | MEDIA, st.none() | TAXA, st.none() | nasty(Agent, kind=st.just("SoftwareAgent") | NASTY))
def test_nothing_nasty_breaks_an_identification(
    answer: Identification, media: MediaFile | None, taxon: Taxon | None, agent: Agent | None
) -> None:
    document = jsonld.document(answer, media=media, taxon=taxon, agent=agent, base_url=BASE)
    check(document)
    assert ("body" in document) == (document["decision"] == "identified") == bool(answer.label)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LABELS, MEDIA, TAXA)
def test_nothing_nasty_breaks_a_label_a_file_or_a_taxon(label: Label, media: MediaFile, taxon: Taxon) -> None:
    check(jsonld.label_document(label, media=media, taxon=taxon, base_url=BASE))
    check(jsonld.media_document(media, about=[label.id], base_url=BASE))
    check(jsonld.taxon_document(taxon, base_url=BASE))


@given(NASTY | st.text(min_size=1).map("https://example.org/".__add__))
def test_an_iri_is_valid_or_nothing(value: str) -> None:
    found = iris.iri_of(value)
    assert found == "" or pyoxigraph.NamedNode(found).value == found


def test_recorded_rows_give_equal_triples_with_two_parsers() -> None:
    """1,582 recorded rows of plates of the Biodiversity Heritage Library, each as an identification."""
    path = SHARED / "commons/bhl-depicts.srj"
    if not path.exists():
        pytest.skip("../shared/data, recorded answers of real services, is not here")
    rows = json.loads(path.read_text(encoding="utf-8"))["results"]["bindings"]
    documents = []
    for number, row in enumerate(rows):
        plain = {key: cell["value"] for key, cell in row.items()}
        media = MediaFile(iri=plain["file"], original=plain.get("url", ""))
        answer = Identification(
            id=f"row{number}",
            file=media.iri,
            label=plain.get("taxon_name", ""),
            item=ids.item_of_iri(plain["taxon"]),
            gbif_key=plain.get("gbif_id", ""),
            moment="2026-11-02T10:00:00Z",
        )
        documents.append(jsonld.document(answer, media=media, base_url=BASE))
    assert len(documents) == 1582
    for document in documents:
        assert set(graph_by_pyld(document)) == set(graph_by_oxigraph(document))
