"""Documents as bytes. In: a document and a media type. Out: JSON-LD, Turtle, N-Triples, N-Quads, RDF/XML."""

import re
from collections.abc import Sequence
from typing import Any

import orjson

from linkeddata.contexts import prefixes_of, with_context
from linkeddata.nodes import Document

RDF_TYPES = frozenset({"text/turtle", "application/n-triples", "application/n-quads", "application/rdf+xml"})
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def serialised(doc: Document, media_type: str, base_url: str) -> bytes:
    """Return ``doc`` as bytes of ``media_type``: JSON-LD, Turtle, N-Triples, N-Quads or RDF/XML.

    A pure function: the context goes in inline, nothing is fetched. XML cannot hold control characters: there they
    become U+FFFD.
    """
    if media_type not in RDF_TYPES:
        return orjson.dumps(doc)
    import pyoxigraph

    inline = orjson.dumps(doc if isinstance(doc.get("@context"), dict) else with_context(doc, "inline", base_url))
    triples = [quad.triple for quad in pyoxigraph.parse(inline, format=pyoxigraph.RdfFormat.JSON_LD)]
    place: dict[object, int] = {}
    for triple in triples:
        place.setdefault(triple.subject, len(place))
    triples.sort(key=lambda triple: place[triple.subject])  # what is said of one thing stands together
    if media_type in ("application/n-triples", "application/n-quads"):  # all is in the default graph
        return pyoxigraph.serialize(triples, format=pyoxigraph.RdfFormat.N_TRIPLES) or b""
    if media_type == "application/rdf+xml":
        return _rdf_xml(triples, prefixes_of(doc, base_url))
    prefixes = prefixes_of(doc, base_url)
    return pyoxigraph.serialize(triples, format=pyoxigraph.RdfFormat.TURTLE, prefixes=prefixes) or b""


def _rdf_xml(triples: Sequence[Any], prefixes: dict[str, str]) -> bytes:
    import pyoxigraph

    held = [
        pyoxigraph.Triple(
            one.subject,
            one.predicate,
            pyoxigraph.Literal(
                _NOT_IN_XML.sub("\ufffd", one.object.value),
                **({"language": one.object.language} if one.object.language else {"datatype": one.object.datatype}),
            )
            if isinstance(one.object, pyoxigraph.Literal) and _NOT_IN_XML.search(one.object.value)
            else one.object,
        )
        for one in triples
    ]
    form = pyoxigraph.RdfFormat.RDF_XML
    return pyoxigraph.serialize(held, format=form, prefixes=prefixes) or b""
