"""Pages of the change feed in every form. In: a page as JSON-LD. Out: bytes in the form that was asked for.

N-Quads and TriG say as JSON-LD does what stands in each version: in a graph named after the version. Turtle, N-Triples
and RDF/XML have no graphs, and one page may hold several versions of one record, whose triples must not run together.
There each version is what version objects are in event streams: it carries the record's properties itself, and
whatever else it describes are nodes without a name inside it, which belong to it alone (readers take a member with its
blank nodes). ``dcterms:isVersionOf`` says of each which thing it is a version of, so that nothing is lost: who puts
these IRIs in the place of the nodes has the graph again.
"""

from collections.abc import Callable
from itertools import count
from typing import Any

import orjson

from linkeddata import contexts, feed, serialising
from linkeddata.negotiation import JSON, JSON_LD, N_QUADS, N_TRIPLES, RDF_XML, TURTLE
from linkeddata.nodes import Document

TRIG = "application/trig"
FORMS = (JSON_LD, JSON, TURTLE, N_TRIPLES, N_QUADS, TRIG, RDF_XML)
TOPIC = {"primaryTopic": {"@id": "http://xmlns.com/foaf/0.1/primaryTopic", "@type": "@id"}}
RELATION = "_:relation"
"""The way on to the next page has no name; one label for it gives equal bytes each time."""


def written(doc: Document, form: str, base: str) -> bytes:
    """Return a page, or the description of the stream, in one of ``FORMS``; the same bytes each time."""
    if form in (JSON_LD, JSON):
        return orjson.dumps(doc)
    inline = {**doc, "@context": contexts.context(base)["@context"] | feed.TERMS | TOPIC}
    match doc["view"]:
        case {"relation": onward}:
            inline["view"] = {**doc["view"], "relation": {"id": RELATION, **onward}}
    if form in (N_QUADS, TRIG):
        return _quads(inline, form)
    if "member" in doc:
        inline["member"] = [in_triples(one) for one in doc["member"]]
    return serialising.serialised(inline, form, base)


def _quads(inline: Document, form: str) -> bytes:
    import pyoxigraph

    quads = pyoxigraph.parse(orjson.dumps(inline), format=pyoxigraph.RdfFormat.JSON_LD)
    known = {N_QUADS: pyoxigraph.RdfFormat.N_QUADS, TRIG: pyoxigraph.RdfFormat.TRIG}
    return pyoxigraph.serialize(quads, format=known[form]) or b""


def in_triples(version: Document) -> Document:
    """Return a version without its graph: with what stood in it as its own, or as what it is about.

    >>> doc = {"id": "urn:a", "type": "Annotation", "body": {"id": "urn:b", "label": "B"}, "canonical": {"id": "urn:c"}}
    >>> said = in_triples({"id": "urn:a#1", "type": "Create", "isVersionOf": "urn:a", "sequence": 1, "@graph": [doc]})
    >>> said["type"], said["body"]
    (['Create', 'Annotation'], {'id': '_:v1n1', 'label': 'B', 'isVersionOf': 'urn:b'})
    >>> said["canonical"]
    {'id': 'urn:c'}
    """
    head = {key: value for key, value in version.items() if key != "@graph"}
    if "@graph" not in version:
        return head
    numbers = count(1)

    def nameless() -> str:
        return f"_:v{version['sequence']}n{next(numbers)}"

    doc = version["@graph"][0]
    if doc["id"] != version["isVersionOf"]:
        return {**head, "primaryTopic": _nameless(doc, nameless)}
    own = {key: _inside(value, nameless) for key, value in doc.items() if key != "id"}
    return {**own, **head, "type": [head["type"], *_many(doc["type"])]}


def _nameless(node: Document, name: Callable[[], str]) -> Document:
    """Return what is said of a node as said of a blank one that is a version of it."""
    if node.keys() == {"id"}:
        return node
    own = name()
    return {key: _inside(value, name) for key, value in node.items()} | {"id": own, "isVersionOf": node["id"]}


def _inside(value: Any, name: Callable[[], str]) -> Any:
    if isinstance(value, list):
        return [_inside(one, name) for one in value]
    return _nameless(value, name) if isinstance(value, dict) and "id" in value else value


def _many(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
