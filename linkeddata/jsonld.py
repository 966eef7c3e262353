"""Records as linked data. In: records and the base URL of this installation. Out: JSON-LD documents as plain dicts.

An identification and a crowd label are W3C Web Annotations (https://www.w3.org/TR/annotation-model/) that use Darwin
Core terms (https://dwc.tdwg.org/terms/) for what is said and PROV for who or what said it. All functions are pure.
The documents name ``{base}/context.jsonld`` as their context: one file of our own (``context.jsonld`` beside this
module) that maps every key used, with the keys of ``http://www.w3.org/ns/anno.jsonld`` meaning what they mean there,
so that nothing else has to be fetched. ``with_context`` puts the context inline, for parsers that refuse remote ones,
or the W3C's beside ours.

What is not known is left out; every node has an IRI of its own, so equal records give equal triples.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from itertools import groupby
from typing import Any, Literal
from urllib.parse import quote

import orjson

from linkeddata import ids
from linkeddata.records import Agent, Alternative, Identification, Label, MediaFile, ModelClass, Taxon
from linkeddata.settings import VERSION
from linkeddata.why import why

Document = dict[str, Any]
ContextForm = Literal["link", "inline", "w3c"]
"""How a document names its context; see ``with_context``."""

ANNO_CONTEXT = "http://www.w3.org/ns/anno.jsonld"
MEDIA_FRAGMENTS = "http://www.w3.org/TR/media-frags/"
COL_TAXON = "https://www.catalogueoflife.org/data/taxon/"
OWN_URN = "urn:deboodt:"
"""What the ids of agents of ours begin with; their documents are at addresses without it."""
APHIA_LSID = "urn:lsid:marinespecies.org:taxname:"
SIMULATED = "Painted and simulated by De Boodt to show how it works: no museum's object and no person's word."
DELETED = "The picture was deleted where it was published; what was said of it stands here."
UNKNOWN = "The model was asked and does not know what this picture shows."
RANK_TERMS = frozenset({"kingdom", "phylum", "class", "order", "family", "genus"})
MATCHES = {"exact": "exactMatch", "broad": "broadMatch", "close": "closeMatch"}

RDF_TYPES = frozenset({"text/turtle", "application/n-triples", "application/n-quads", "application/rdf+xml"})
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?=.)", re.DOTALL)
_AUTHORITY = re.compile(r"([\w.~!$&'()*+,;=:%-]*@)?(\[[0-9A-Fa-f:.]+\]|[\w.~!$&'()*+,;=%-]+)(:[0-9]*)?")
_PLAIN = re.compile(r"[A-Za-z0-9._~:/?#@!$&'()*+,;=-]*")
# what most IRIs look like: nothing in them has to be encoded, and http is no prefix of the context
_USUAL_IRI = re.compile(
    r"https?://[A-Za-z0-9.-]+(/[A-Za-z0-9._~:/?@!$&'()*+,;=-]*)?(#[A-Za-z0-9._~:/?@!$&'()*+,;=-]*)?"
)
_USUAL_SEGMENT = re.compile(r"[A-Za-z0-9_~-]+")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
# language, extended language, script, region, one variant (BCP 47); Oxigraph drops a text with any stranger tag
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z]{3})?(-[a-z]{4})?(-([a-z]{2}|[0-9]{3}))?(-[a-z0-9]{5,8})?", re.IGNORECASE)
_DATE_TIME = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?Z", re.ASCII
)
_ITEM = re.compile(r"Q[1-9][0-9]*")
_DIGITS = re.compile(r"[0-9]+")
_COL_ID = re.compile(r"[A-Z0-9]+")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SHA1 = re.compile(r"[0-9a-f]{40}")
_NUMBERS = frozenset({int, float, bool})
_IRI_ASCII = frozenset("-._~:/?#@!$&'()*+,;=%")


def document(
    identification: Identification,
    *,
    media: MediaFile | None = None,
    taxon: Taxon | None = None,
    agent: Agent | None = None,
    base_url: str,
    stored: bool = True,
    replaced_by: str = "",
) -> Document:
    """Return the Web Annotation, motivation *identifying*, that says what ``identification`` says.

    ``taxon`` adds authorship, classification and vernacular names when it is the taxon identified; ``agent`` is who
    answered (without it the model itself is named). ``stored=False`` is for an answer that nobody keeps: its id is a
    URN, for it will not resolve. ``replaced_by`` is the id of the answer that took its place. Source of the terms: Web
    Annotation Data Model 3, Darwin Core Identification.

    >>> answer = Identification(id="a1", file="urn:sha1:00", model="papillotten", version="1")
    >>> annotation = document(answer, base_url="https://deboodt.example")
    >>> annotation["decision"], "body" in annotation
    ('unknown', False)
    """
    base = base_url.rstrip("/")
    iri = uri(base, "identifications", identification.id) if stored else _urn("identification", identification.id)
    target = _media_node(identification.file, media, base)
    creator = _creator(identification, agent, base)
    body = _body(identification, taxon, iri) if identification.label else ""
    remarks = [] if identification.label else [UNKNOWN]
    simulated = media is not None and media.simulated
    return filled(
        {
            "@context": f"{base}/context.jsonld",
            "id": iri,
            "type": ["Annotation", "Identification"],
            "motivation": "identifying",
            "body": body,
            "target": _region(target, identification.region, iri),
            "created": date_time(identification.moment),
            "creator": creator,
            "generator": generator(base),
            "decision": "identified" if identification.label else "unknown",
            "word": identification.word,
            "certainty": fraction(identification.certainty) if identification.label else "",
            "novelty": fraction(identification.novelty),
            "rule": identification.rule,
            "identifiedBy": _identified_by(identification, agent),
            "identifiedByID": creator.get("id", ""),
            "dateIdentified": identification.moment,
            "identificationVerificationStatus": identification.status,
            "identificationRemarks": " ".join(remarks + [SIMULATED] * simulated),
            "alternatives": _alternatives(identification.alternatives, iri),
            "wasGeneratedBy": _activity(iri, identification.moment, creator, target),
            "replaces": uri(base, "identifications", identification.supersedes),
            "isReplacedBy": uri(base, "identifications", replaced_by),
            "campaign": identification.campaign,
            "simulated": simulated or "",
            "reviewPage": f"{iri}.html" if stored else "",
        }
    )


def label_document(
    label: Label, *, media: MediaFile | None = None, taxon: Taxon | None = None, base_url: str
) -> Document:
    """Return the Web Annotation, motivation *tagging*, for what people's tags of one file add up to for one taxon."""
    base = base_url.rstrip("/")
    iri = uri(base, "labels", label.id)
    simulated = media is not None and media.simulated
    target = _media_node(label.file, media, base)
    named = Alternative(label.name or label.concept, 0.0, label.rank, label.item, label.gbif_key)
    return filled(
        {
            "@context": f"{base}/context.jsonld",
            "id": iri,
            "type": "Annotation",
            "motivation": "tagging",
            "body": taxon_node(named, taxon, f"{iri}#body", "tagging"),
            "target": target,
            "created": date_time(label.moment),
            "generator": generator(base),
            "probability": fraction(label.probability, zero=label.voters > 0),
            "support": label.support,
            "dissent": label.dissent,
            "voters": label.voters,
            "labelStatus": label.status,
            "countedStatus": label.counted,
            "countedBy": label.method,
            "why": filled(why(label)),
            "path": _path(label, iri),
            "voices": _voices(label, iri),
            "machineSupport": label.machine or "",
            "machineProbability": fraction(label.machine_probability),
            "machineStatus": label.machine_status,
            "campaign": label.campaign,
            "comment": SIMULATED if simulated else "",
            "simulated": simulated or "",
            "reviewPage": f"{iri}.html",
        }
    )


def _path(label: Label, iri: str) -> list[Document]:
    """Return the way down to a label's taxon: how sure each taxon on it is, from the root on."""
    return [
        filled(
            {
                "id": f"{iri}#path-{position}",
                "type": "PathStep",
                "position": position,
                "label": step.name,
                "taxonRank": step.rank,
                "probability": fraction(step.probability, zero=True),
            }
        )
        for position, step in enumerate(label.path, start=1)
    ]


def _voices(label: Label, iri: str) -> list[Document]:
    """Return how many people stand how to a label."""
    return [
        filled(
            {
                "id": f"{iri}#voices-{number}",
                "type": "Voices",
                "stand": one.stand,
                "people": one.voters,
                "choseWithin": one.branch,
                "skill": fraction(one.skill),
            }
        )
        for number, one in enumerate(label.voices, start=1)
    ]


def media_document(media: MediaFile, *, about: Iterable[str] = (), base_url: str) -> Document:
    """Return the image as a ``dctypes:StillImage``; ``about`` are the IRIs of the annotations on it."""
    base = base_url.rstrip("/")
    node = _media_node(media.iri, media, base)
    return filled({"@context": f"{base}/context.jsonld", **node, "subjectOf": sorted(filter(None, map(iri_of, about)))})


def taxon_document(taxon: Taxon, *, base_url: str) -> Document:
    """Return a resolved name as ``dwc:Taxon``; the id is the taxon's own (Wikidata, else GBIF), not the query's."""
    base = base_url.rstrip("/")
    own = uri(base, "taxa", taxon.query)
    named = Alternative(taxon.name or taxon.query, 0.0, taxon.rank, taxon.item, taxon.gbif_key, taxon.col_id)
    node = {k: v for k, v in taxon_node(named, taxon, own, "").items() if k not in ("value", "purpose", "format")}
    comment = f"{taxon.match_type}: {taxon.reason}" if taxon.reason else taxon.match_type
    verbatim = "" if taxon.query == taxon.item else taxon.query
    extra = {"type": "Taxon", "verbatimIdentification": verbatim, "comment": comment}
    extra |= _read_from(taxon.checklist_key if taxon.gbif_key else "", taxon.moment)
    return filled({"@context": f"{base}/context.jsonld", **node, **extra})


def model_document(classes: Sequence[ModelClass], *, weights: str = "", base_url: str, full: bool = True) -> Document:
    """Return a model as a SKOS concept scheme, with its classes when ``full``.

    ``classes`` are of one version and at least one. A class links to its Q-item, both GBIF keys, AphiaID and thesaurus
    term by the relation it was trained with (exact, broad or close), and tells when the keys were read.
    """
    base = base_url.rstrip("/")
    model, version = classes[0].model, classes[0].version
    scheme = model_uri(base, model, version)
    concepts = [_concept(one, scheme) for one in sorted(classes, key=lambda c: c.index)] if full else ""
    return filled(
        {
            "@context": f"{base}/context.jsonld",
            "id": scheme,
            "type": ["ConceptScheme", "Model"],
            "name": model,
            "version": version,
            "weights": _weights(weights),
            "page": model_uri(base, model, version) + ".html",
            "hasTopConcept": concepts,
        }
    )


def collection(address: str, label: str, total: int, first: Document) -> Document:
    """Return an AnnotationCollection (Web Annotation 5.1) whose first page is embedded."""
    embedded = {key: value for key, value in first.items() if key not in ("@context", "partOf")}
    return {
        "@context": first["@context"],
        "id": address,
        "type": "AnnotationCollection",
        "label": label,
        "total": total,
        "first": embedded,
    }


def page(address: str, of: str, items: Sequence[Document], following: str, base_url: str) -> Document:
    """Return an AnnotationPage (Web Annotation 5.2): documents without contexts, and the next page's IRI."""
    bare = [{key: value for key, value in item.items() if key != "@context"} for item in items]
    head = {"@context": f"{base_url.rstrip('/')}/context.jsonld", "id": address, "type": "AnnotationPage", "partOf": of}
    return {**head, **({"next": following} if following else {}), "items": bare}


def context(base_url: str) -> Document:
    """Return our context, complete in itself, for an installation at ``base_url``."""
    return _of_base("context.jsonld", base_url.rstrip("/"))


def profile_context(name: str) -> Document:
    """Return the context of one of ``linkeddata.profiles.CONTEXTS``, complete in itself."""
    loaded: Document = orjson.loads(_file(f"profiles/{name}.jsonld"))
    return loaded


def vocabulary(base_url: str) -> Document:
    """Return our own terms, with their definitions, as JSON-LD with its context inline."""
    return _of_base("vocab.jsonld", base_url.rstrip("/"))


def shapes(base_url: str) -> str:
    """Return the SHACL shapes that our annotations hold to, in Turtle."""
    return _written_for("shapes.ttl", base_url.rstrip("/"))


def with_context(doc: Document, form: ContextForm, base_url: str) -> Document:
    """Return ``doc`` with its context as a link to ours, inline, or as W3C's followed by ours.

    The Web Annotation model (3.1) wants ``anno.jsonld`` named; consumers that check for it ask for ``w3c``. Ours
    defines the same keys, so the triples are the same in all three forms. A document that came with a context of its
    own, inline, keeps it.
    """
    named = doc.get("@context")
    if isinstance(named, dict) and ("graph" in doc or "lost" in doc):
        return doc
    if isinstance(named, str) and named.startswith(f"{base_url.rstrip('/')}/contexts/"):
        return {**doc, **profile_context(named.rsplit("/", 1)[1].removesuffix(".jsonld"))} if form == "inline" else doc
    if form == "inline":
        return {**doc, **context(base_url)}
    ours = f"{base_url.rstrip('/')}/context.jsonld"
    return {**doc, "@context": [ANNO_CONTEXT, ours] if form == "w3c" else ours}


def uri(base: str, kind: str, key: str) -> str:
    """Return the URI of a record of ours, or ``""`` for an empty key.

    >>> uri("https://deboodt.example", "labels", "a b/c")
    'https://deboodt.example/labels/a%20b%2Fc'
    """
    return f"{base}/{kind}/{_segment(key)}" if key else ""


def media_uri(base: str, iri: str) -> str:
    """Return the URI under which we describe a media file: its whole IRI, percent-encoded, after ``/media/``."""
    return uri(base, "media", iri)


def model_uri(base: str, model: str, version: str) -> str:
    """Return the URI of one version of a model: ``{base}/models/NAME@VERSION``."""
    return f"{base}/models/{_segment(model)}@{_segment(version)}" if version else uri(base, "models", model)


def iri_of(value: str) -> str:
    """Return ``value`` as a valid absolute IRI, odd characters percent-encoded, or ``""`` if it is none.

    A value that a JSON-LD processor would take for one of the context's prefixes (``dc:x``) is none either.

    >>> iri_of("https://example.org/a plate.jpg"), iri_of("not an IRI"), iri_of("dwc:taxonID")
    ('https://example.org/a%20plate.jpg', '', '')
    >>> iri_of("https://example.org/\ufffc")
    'https://example.org/%EF%BF%BC'
    """
    if _USUAL_IRI.fullmatch(value):
        return value
    scheme = _SCHEME.match(value)
    if not scheme or scheme[1] in _terms():
        return ""
    spelled = _encoded(value)
    if spelled.startswith(f"{scheme[1]}://"):
        host = re.split(r"[/?#]", spelled[len(scheme[1]) + 3 :], maxsplit=1)[0]
        if not _AUTHORITY.fullmatch(host):
            return ""
    elif scheme[1].lower() in ("http", "https"):
        return ""
    head, hash_sign, fragment = spelled.partition("#")
    return head + hash_sign + fragment.replace("#", "%23")


def date_time(moment: str) -> str:
    """Return ``moment`` if it is an ``xsd:dateTime`` in UTC, as Web Annotation asks for, else ``""`` (a date alone)."""
    return moment if _DATE_TIME.fullmatch(moment) else ""


def fraction(value: float, *, zero: bool = False) -> float | str:
    """Return ``value`` to six decimals, more than a model knows; ``""`` for what lies outside 0 to 1.

    0 stands for "not known" unless ``zero``. Six decimals are written alike by all JSON-LD processors; 17 are not.

    >>> fraction(1 / 3), fraction(0.0), fraction(0.0, zero=True), fraction(float("nan"))
    (0.333333, '', 0.0, '')
    """
    # + 0.0 makes minus nothing nothing: processors write the one in two ways
    return round(float(value), 6) + 0.0 if 0.0 < value <= 1.0 or (zero and value == 0) else ""


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
        return _rdf_xml(triples, _prefixes_of(doc, base_url))
    prefixes = _prefixes_of(doc, base_url)
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


def _body(identification: Identification, taxon: Taxon | None, iri: str) -> Document:
    decided = Alternative(
        identification.label,
        identification.certainty,
        identification.rank,
        identification.item,
        identification.gbif_key,
        identification.col_id,
    )
    return taxon_node(decided, taxon, f"{iri}#body", "identifying")


def taxon_node(named: Alternative, taxon: Taxon | None, fallback: str, purpose: str) -> Document:
    """Return what is known of a taxon (or of a class that is none) under its best IRI; text with ``fallback`` else."""
    known = taxon if taxon is not None and _same(named, taxon) else None
    same = _taxon_iris(named, known)
    is_taxon = bool(named.rank or named.gbif_key or named.col_id or known)
    node: Document = {"id": same[0] if same else fallback, "type": "Taxon" if is_taxon else "", "label": named.label}
    if not same:
        node["type"] = ["TextualBody", "Taxon"] if is_taxon else "TextualBody"
        node |= {"value": named.label, "purpose": purpose, "format": "text/plain"}
    if is_taxon:
        node |= _darwin_core(named, known) | {"taxonID": _taxon_id(same), "sameAs": list(same[1:])}
    return filled(node)


def _darwin_core(named: Alternative, taxon: Taxon | None) -> Document:
    if taxon is None:
        return {"scientificName": named.label, "taxonRank": named.rank}
    return _known_of(_Itself(taxon), named.label, named.rank)


class _Itself:
    """A taxon as a key by which it is the same only as itself: comparing all its fields takes as long as the work."""

    __slots__ = ("taxon",)

    def __init__(self, taxon: Taxon) -> None:
        self.taxon = taxon

    def __hash__(self) -> int:
        return id(self.taxon)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and self.taxon is other.taxon


@lru_cache(2048)
def _known_of(itself: _Itself, label: str, rank: str) -> Document:
    """Return what a taxon adds, which is nobody's to change."""
    taxon = itself.taxon
    higher = [(step.rank, step.name) for step in taxon.lineage]
    return {
        "scientificName": f"{taxon.name or label} {taxon.authorship}".strip(),
        "scientificNameAuthorship": taxon.authorship,
        "scientificNameID": f"{APHIA_LSID}{taxon.aphia_id}" if taxon.aphia_id.isdecimal() else "",
        "taxonRank": taxon.rank or rank,
        "higherClassification": " | ".join(step for _, step in higher if step),
        **{rank: step for rank, step in higher if rank in RANK_TERMS},
        "vernacularName": _by_language(taxon.vernaculars),
    }


def _by_language(vernaculars: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    tagged = sorted(
        {(tag.lower() if _LANGUAGE.fullmatch(tag) else "@none", _text(name)) for tag, name in vernaculars if name}
    )
    return {tag: [name for _, name in names] for tag, names in groupby(tagged, key=lambda pair: pair[0])}


def _same(named: Alternative, taxon: Taxon) -> bool:
    if named.item or taxon.item:
        return named.item == taxon.item
    if named.gbif_key or taxon.gbif_key:
        return named.gbif_key == taxon.gbif_key
    return bool(named.label) and named.label in (taxon.name, taxon.query)


def _taxon_iris(named: Alternative, taxon: Taxon | None = None) -> tuple[str, ...]:
    """Return the IRIs of a taxon, best first: Wikidata, GBIF, Catalogue of Life."""
    gbif_key = named.gbif_key or (taxon.gbif_key if taxon else "")
    col_id = named.col_id or (taxon.col_id if taxon else "")
    return _iris_of_taxon(named.item, gbif_key, col_id)


@lru_cache(4096)
def _iris_of_taxon(item: str, gbif_key: str, col_id: str) -> tuple[str, ...]:
    iris = [ids.WIKIDATA_ENTITY + item] if is_item(item) else []
    iris += [ids.GBIF_SPECIES + gbif_key] if _DIGITS.fullmatch(gbif_key) else []
    return (*iris, *([COL_TAXON + col_id] if _COL_ID.fullmatch(col_id) else []))


@lru_cache(4096)
def _taxon_id(same: tuple[str, ...]) -> str:
    """Return the checklist's identifier, as ``dwc:taxonID`` means it; Wikidata's where there is none."""
    return next((iri for iri in same if not iri.startswith(ids.WIKIDATA_ENTITY)), same[0] if same else "")


def _alternatives(alternatives: Sequence[Alternative], iri: str) -> list[Document]:
    ranked = sorted(alternatives, key=lambda one: (-one.probability, one.label))
    return [
        filled(
            {
                "id": f"{iri}#alternative-{number}",
                "type": "Alternative",
                "label": one.label,
                "probability": fraction(one.probability, zero=True),
                "taxonRank": one.rank,
                "taxonID": _taxon_id(same := _iris_of_taxon(one.item, one.gbif_key, one.col_id)),
                "toTaxon": same[0] if same else "",
            }
        )
        for number, one in enumerate(ranked, start=1)
    ]


def _media_node(iri: str, media: MediaFile | None, base: str) -> Document:
    node: Document = {"id": iri_of(iri) or media_uri(base, iri), "type": "Image"}
    if media is None:
        return node
    institution = {"institutionID" if is_item(media.institution) else "institutionCode": entity(media.institution)}
    return filled(
        {
            **node,
            "title": media.title,
            "description": media.description,
            "format": media.mime,
            "page": iri_of(media.page),
            "contentUrl": iri_of(media.original),
            "contentSize": f"{media.size_bytes} B" if media.size_bytes else "",
            "width": media.width_px or "",
            "height": media.height_px or "",
            "identifier": f"urn:sha1:{media.sha1}" if _SHA1.fullmatch(media.sha1) else "",
            "rights": iri_of(media.licence),
            "creditText": media.credit,
            "artist": media.creator,
            "dateText": media.created,
            "catalogNumber": media.inventory_number,
            **institution,
            "deleted": date_time(media.gone),
            "simulated": media.simulated or "",
            "comment": " ".join([DELETED] * bool(media.gone) + [SIMULATED] * media.simulated),
        }
    )


def _region(target: Document, region: str, iri: str) -> Document:
    """Return the whole image, or the part of it that a media fragment names (Web Annotation 4.2.1)."""
    if not region:
        return target
    selector = {
        "id": f"{iri}#selector",
        "type": "FragmentSelector",
        "conformsTo": MEDIA_FRAGMENTS,
        "value": _text(region),
    }
    return {"id": f"{iri}#target", "type": "SpecificResource", "source": target, "selector": selector}


def _creator(identification: Identification, agent: Agent | None, base: str) -> Document:
    said = (identification.model, identification.version, identification.weights)
    return dict(_answering(said, identification.agent, agent, base))


@lru_cache(1024)
def _answering(said: tuple[str, str, str], agent_id: str, agent: Agent | None, base: str) -> Document:
    """Return who or what answered: the agent, or the model, version and weights that are said."""
    name, version, weights = said
    model = model_uri(base, name, version) if name else ""
    if agent is not None and agent.kind != "SoftwareAgent":
        return filled({"id": agent_uri(agent.id, base), "type": _agent_type(agent), "name": agent.name})
    own = agent_uri(agent.id if agent else agent_id, base) or model
    if not own:
        return {}
    return filled(
        {
            "id": own,
            "type": ["Software", "SoftwareAgent"] if agent or model else "",
            "name": (agent.name if agent else "") or name,
            "version": (agent.version if agent else "") or version,
            "homepage": iri_of(agent.homepage) if agent else "",
            "model": model if model != own else "",
            "weights": _weights(weights),
        }
    )


def _agent_type(agent: Agent) -> str:
    return agent.kind if agent.kind in ("Person", "Organization") else ""


def agent_uri(agent_id: str, base: str) -> str:
    """Return the IRI of an agent: its own where the world knows it (an ORCID), else the address of its document.

    >>> agent_uri("urn:deboodt:person:0a", "https://deboodt.example")
    'https://deboodt.example/agents/person%3A0a'
    """
    own = "" if agent_id.startswith(OWN_URN) else iri_of(agent_id)
    return own or uri(base, "agents", agent_id.removeprefix(OWN_URN))


def _identified_by(identification: Identification, agent: Agent | None) -> str:
    if agent is not None and agent.kind != "SoftwareAgent":
        return agent.name
    name = (agent.name if agent else "") or identification.model
    version = (agent.version if agent else "") or identification.version
    return f"{name} {version}".strip() if name else ""


def _activity(iri: str, moment: str, creator: Document, target: Document) -> Document:
    return filled(
        {
            "id": f"{iri}#activity",
            "type": "Activity",
            "endedAtTime": date_time(moment),
            "wasAssociatedWith": creator.get("id", ""),
            "used": target["id"],
        }
    )


def generator(base: str) -> Document:
    """Return the node of the software that writes the documents."""
    return {"id": f"{base}/#software", "type": "Software", "name": "De Boodt", "version": VERSION}


def _concept(one: ModelClass, scheme: str) -> Document:
    named = Alternative(one.label, 0.0, one.rank, one.item, one.gbif_key, one.col_id)
    same = _taxon_iris(named)
    aphia = APHIA_LSID + one.aphia_id if one.aphia_id.isdecimal() else ""
    matched = [*same, *filter(None, [aphia, iri_of(one.term)])]
    return filled(
        {
            "id": f"{scheme}/classes/{one.index}",
            "type": "Concept",
            "label": one.label,
            "notation": str(one.index),
            "taxonRank": one.rank,
            "taxonID": _taxon_id(same),
            "higherClassification": " | ".join(step.name for step in one.lineage if step.name),
            "inScheme": scheme,
            **_read_from(one.checklist_key if one.gbif_key else "", one.moment),
            **({MATCHES[one.relation]: matched} if one.relation in MATCHES else {}),
        }
    )


def _read_from(checklist_key: str, moment: str) -> Document:
    """Return the checklist that a taxon's numeric key is of, by its page at GBIF, and when its keys were read."""
    return {
        "nameAccordingToID": f"{ids.GBIF_DATASET}{checklist_key}" if checklist_key else "",
        "dateRead": date_time(moment),
    }


def _weights(digest: str) -> str:
    return f"sha256:{digest}" if _DIGEST.fullmatch(digest) else digest


def is_item(value: str) -> bool:
    """Return whether ``value`` is a Wikidata item id."""
    return _ITEM.fullmatch(value) is not None


def entity(value: str) -> str:
    """Return the IRI of a Wikidata item by its id; what is none stays as it is."""
    return ids.WIKIDATA_ENTITY + value if is_item(value) else value


def _urn(kind: str, key: str) -> str:
    return f"urn:deboodt:{kind}:{_segment(key)}"


def _segment(key: str) -> str:
    """Return ``key`` as one path segment; ``.`` and ``..`` would be taken for directories."""
    if _USUAL_SEGMENT.fullmatch(key):
        return key
    return quote(_text(key), safe="") if key.strip(".") else key.replace(".", "%2E")


def filled(node: Mapping[str, Any]) -> Document:
    """Return ``node`` without what is not known; text is made fit for Unicode output."""
    return {
        key: value if value.__class__ is not str or value.isascii() else _text(value)
        for key, value in node.items()
        if value or value.__class__ in _NUMBERS  # nothing is known of what is empty, but 0 is known
    }


def _text(value: str) -> str:
    """Return ``value`` with lone surrogates, which no encoding can carry, replaced."""
    if value.isascii():
        return value
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _encoded(value: str) -> str:
    """Return ``value`` with every character that an IRI may not hold percent-encoded (RFC 3987, 2.2)."""
    if _PLAIN.fullmatch(value):
        return value
    text = _text(value)
    host_end = text.find("/", text.find("//") + 2) if "//" in text else -1
    pieces = [one if _in_iri(one, at < host_end) else quote(one, safe="") for at, one in enumerate(text)]
    return _STRAY_PERCENT.sub("%25", "".join(pieces))


def _in_iri(char: str, in_host: bool) -> bool:
    if char.isascii():
        return char.isalnum() or char in _IRI_ASCII or (in_host and char in "[]")
    return char.isprintable() and not "\ufff0" <= char <= "\uffff"  # specials (RFC 3987, 2.2: ucschar)


@cache
def _file(name: str) -> str:
    return (files("linkeddata") / name).read_text(encoding="utf-8")


@cache
def _terms() -> frozenset[str]:
    return frozenset(orjson.loads(_file("context.jsonld"))["@context"])


def _of_base(name: str, base: str) -> Document:
    loaded: Document = orjson.loads(_written_for(name, base))
    return loaded


@lru_cache(16)
def _written_for(name: str, base: str) -> str:
    return _file(name).replace("{base}", base).replace("{version}", VERSION)


@lru_cache(8)
def _prefixes(base_url: str) -> dict[str, str]:
    known = context(base_url)["@context"]
    expanded = {key: value["@id"] if isinstance(value, dict) else str(value) for key, value in known.items()}
    return {key: value for key, value in expanded.items() if "://" in value} | {"wd": ids.WIKIDATA_ENTITY}


def _prefixes_of(doc: Document, base_url: str) -> dict[str, str]:
    """Return the prefixes that a document is written with: those of the context that it names."""
    named = doc.get("@context")
    if not isinstance(named, str) or "/contexts/" not in named:
        return _prefixes(base_url)
    known = profile_context(named.rsplit("/", 1)[1].removesuffix(".jsonld"))["@context"]
    return {key: value for key, value in known.items() if isinstance(value, str) and value.endswith(("/", "#"))}
