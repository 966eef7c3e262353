"""A World as RDF in Wikibase's shape. In: a ``World``. Out: quads, Commons in the default graph, Wikidata in its own.

Follows https://www.mediawiki.org/wiki/Wikibase/Indexing/RDF_Dump_Format: ``p:``/``ps:`` for every statement, ``wdt:``
only for those of the best rank and never for deprecated ones, a blank node for "somevalue", a class for "novalue".
"""

from collections.abc import Iterable, Iterator
from typing import Any

from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad

from harvest.standin.index import url_path
from harvest.standin.mediawiki import Wiki, image_url
from harvest.standin.world import Entity, File, Item, Json, World
from linkeddata.ids import WIKIDATA_ENTITY

WIKIDATA_GRAPH = NamedNode("urn:deboodt:standin:wikidata")
"""Graph of the Wikidata triples, which ``SERVICE <Wikidata's endpoint>`` is answered from."""

_PROP = "http://www.wikidata.org/prop/"
_ONTOLOGY = "http://wikiba.se/ontology#"
_SCHEMA = "http://schema.org/"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_TYPE = NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_LABEL = NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
_ALT_LABEL = NamedNode("http://www.w3.org/2004/02/skos/core#altLabel")
_DESCRIPTION = NamedNode(f"{_SCHEMA}description")
_RANKS = {"preferred": "PreferredRank", "normal": "NormalRank", "deprecated": "DeprecatedRank"}

Graph = NamedNode | DefaultGraph
Term = NamedNode | BlankNode | Literal


def quads(wiki: Wiki) -> Iterator[Quad]:
    """Yield every quad of the World behind ``wiki``; image addresses are those that the wiki gives out."""
    world = wiki.index.world
    yield from _dated(world)
    for file in world.files:
        if file.entity is not None:
            yield from _file(wiki, file, file.entity)
    for item in world.items:
        yield from _item(item)


def _dated(world: World) -> Iterator[Quad]:
    """Yield how fresh the graphs are: when the dump was made, and until when updates are in, if there are any."""
    dump = NamedNode(f"{_ONTOLOGY}Dump")
    facts = ((f"{_SCHEMA}dateModified", world.dumped), (f"{_ONTOLOGY}updatesCompleteUntil", world.updated))
    for graph in (DefaultGraph(), WIKIDATA_GRAPH):
        for predicate, moment in facts:
            if moment:
                value = Literal(moment, datatype=NamedNode(f"{_XSD}dateTime"))
                yield Quad(dump, NamedNode(predicate), value, graph)


def _file(wiki: Wiki, file: File, entity: Entity) -> Iterator[Quad]:
    base = wiki.index.world.commons_entity
    subject, graph = NamedNode(base + file.id), DefaultGraph()
    last = file.revisions[-1]
    document = NamedNode(f"{wiki.base}/wiki/Special:EntityData/{file.id}")
    name = url_path(file.title.split(":", 1)[1].replace("_", " ")).replace("_", "%20")
    yield from _document(document, subject, last.id, last.moment, graph)
    told: list[tuple[str, Term]] = [
        ("contentUrl", NamedNode(image_url(wiki, file))),
        ("url", NamedNode(f"http://commons.wikimedia.org/wiki/Special:FilePath/{name}")),
        *((("encodingFormat", Literal(file.mime)),) if file.mime else ()),
        *(("caption", Literal(text, language=language)) for language, text in entity.labels.items()),
    ]
    sizes = {"contentSize": file.size_bytes, "height": file.height_px, "width": file.width_px}
    told += [(name, _integer(number)) for name, number in sizes.items() if number]
    for kind in (_ONTOLOGY + "Mediainfo", _SCHEMA + "MediaObject", _SCHEMA + "ImageObject"):
        yield Quad(subject, _TYPE, NamedNode(kind), graph)
    for predicate, value in told:
        yield Quad(subject, NamedNode(_SCHEMA + predicate), value, graph)
    yield from _terms(subject, entity, graph)
    yield from _statements(subject, base, entity, graph)


def _item(item: Item) -> Iterator[Quad]:
    subject = NamedNode(WIKIDATA_ENTITY + item.id)
    if item.redirect:
        same = NamedNode("http://www.w3.org/2002/07/owl#sameAs")
        yield Quad(subject, same, NamedNode(WIKIDATA_ENTITY + item.redirect), WIKIDATA_GRAPH)
        return
    document = NamedNode(f"https://www.wikidata.org/wiki/Special:EntityData/{item.id}")
    yield from _document(document, subject, item.revision, item.modified, WIKIDATA_GRAPH)
    kind = "Property" if item.id[0] == "P" else "Item"
    yield Quad(subject, _TYPE, NamedNode(_ONTOLOGY + kind), WIKIDATA_GRAPH)
    yield from _terms(subject, item.entity, WIKIDATA_GRAPH)
    yield from _statements(subject, WIKIDATA_ENTITY, item.entity, WIKIDATA_GRAPH)


def _document(document: NamedNode, about: NamedNode, version: int, modified: str, graph: Graph) -> Iterator[Quad]:
    yield Quad(document, _TYPE, NamedNode(f"{_SCHEMA}Dataset"), graph)
    yield Quad(document, NamedNode(f"{_SCHEMA}about"), about, graph)
    yield Quad(document, NamedNode(f"{_SCHEMA}version"), _integer(version), graph)
    moment = Literal(modified, datatype=NamedNode(f"{_XSD}dateTime"))
    yield Quad(document, NamedNode(f"{_SCHEMA}dateModified"), moment, graph)


def _terms(subject: NamedNode, entity: Entity, graph: Graph) -> Iterator[Quad]:
    for language, text in entity.labels.items():
        yield Quad(subject, _LABEL, Literal(text, language=language), graph)
    for language, text in entity.descriptions.items():
        yield Quad(subject, _DESCRIPTION, Literal(text, language=language), graph)
    for language, texts in entity.aliases.items():
        for text in texts:
            yield Quad(subject, _ALT_LABEL, Literal(text, language=language), graph)


def _statements(subject: NamedNode, base: str, entity: Entity, graph: Graph) -> Iterator[Quad]:
    for property_id, claims in entity.statements.items():
        best = _best_rank(claims)
        for claim in claims:
            node = NamedNode(f"{base}statement/{claim['id'].replace('$', '-', 1)}")
            yield Quad(subject, NamedNode(_PROP + property_id), node, graph)
            yield from _statement(node, claim, graph)
            if claim["rank"] == best:
                yield Quad(node, _TYPE, NamedNode(f"{_ONTOLOGY}BestRank"), graph)
                yield from _snak(subject, "direct/", claim["mainsnak"], graph)


def _best_rank(claims: Iterable[Json]) -> str:
    ranks = {c["rank"] for c in claims}
    return "preferred" if "preferred" in ranks else "normal"


def _statement(node: NamedNode, claim: Json, graph: Graph) -> Iterator[Quad]:
    yield Quad(node, _TYPE, NamedNode(f"{_ONTOLOGY}Statement"), graph)
    yield Quad(node, NamedNode(f"{_ONTOLOGY}rank"), NamedNode(_ONTOLOGY + _RANKS[claim["rank"]]), graph)
    yield from _snak(node, "statement/", claim["mainsnak"], graph)
    for snaks in claim.get("qualifiers", {}).values():
        for snak in snaks:
            yield from _snak(node, "qualifier/", snak, graph)


def _snak(subject: NamedNode, space: str, snak: Json, graph: Graph) -> Iterator[Quad]:
    property_id = snak["property"]
    if snak["snaktype"] == "novalue":
        yield Quad(subject, _TYPE, NamedNode(f"{_PROP}novalue/{property_id}"), graph)
        return
    value = BlankNode() if snak["snaktype"] == "somevalue" else _value(snak["datavalue"], property_id)
    if value is not None:
        yield Quad(subject, NamedNode(_PROP + space + property_id), value, graph)


def _value(data: dict[str, Any], property_id: str) -> Term | None:
    kind, value = data["type"], data["value"]
    if kind == "wikibase-entityid":
        return NamedNode(WIKIDATA_ENTITY + value["id"])
    if kind == "string" and property_id == "P18":
        return NamedNode(f"http://commons.wikimedia.org/wiki/Special:FilePath/{url_path(value).replace('_', '%20')}")
    if kind == "string":
        return Literal(value)
    if kind == "monolingualtext":
        return Literal(value["text"], language=value["language"])
    if kind == "time":
        return Literal(value["time"].lstrip("+"), datatype=NamedNode(f"{_XSD}dateTime"))
    if kind == "quantity":
        return Literal(value["amount"], datatype=NamedNode(f"{_XSD}decimal"))
    return None  # coordinates and the like: nothing here asks for them


def _integer(number: int) -> Literal:
    return Literal(str(number), datatype=NamedNode(f"{_XSD}integer"))
