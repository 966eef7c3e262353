"""What readers demand of descriptions, in our own words. In: triples. Out: findings.

The rules are those of the Dutch heritage network's requirements for datasets, 1.14, with what it has announced for 2.0,
and of DCAT 3. They are facts, written down here; the network's shapes are not shipped, but can be handed in
(``--shapes``).
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from linkeddata.preflight.findings import Finding
from linkeddata.preflight.mediatypes import registered

SCHEMA, DCAT, DCT = "https://schema.org/", "http://www.w3.org/ns/dcat#", "http://purl.org/dc/terms/"
FOAF, VCARD, XSD = "http://xmlns.com/foaf/0.1/", "http://www.w3.org/2006/vcard/ns#", "http://www.w3.org/2001/XMLSchema#"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
PREFIXES = {"schema": SCHEMA, "dcat": DCAT, "dcterms": DCT, "foaf": FOAF, "vcard": VCARD}
SPARQL = "https://www.w3.org/TR/sparql11-protocol/"
CREATIVE_COMMONS = re.compile(
    r"https://creativecommons\.org/(publicdomain/(zero|mark)/1\.0|licenses/by(-sa|-nd|-nc|-nc-sa|-nc-nd)?/4\.0)/"
)
FREQUENCY = "http://publications.europa.eu/resource/authority/frequency/"
MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d.*)?")
PACKING = ("application/zip", "application/x-zip-compressed", "application/gzip", "application/x-gzip")

SETTINGS = "into deboodt.toml, or into [publish] of the campaign file"
PUBLISHER = f'write publisher = "NAME" {SETTINGS}'
MAIL = f'write publisher_mail = "ADDRESS" {SETTINGS}'
LICENCE = (
    'write data_licence = "https://creativecommons.org/publicdomain/zero/1.0/" (or another open licence of Creative '
    "Commons) into deboodt.toml, or licence = into [publish] of the campaign file"
)
ABOUT = "write IRIs or Q-items as about = into [publish] of the campaign file"
HTTPS = 'write base_url = "https://…" into deboodt.toml, and serve it there'
OURS = "a description of De Boodt's own is wrong: please report it"

Triples = Mapping[str, Mapping[str, Sequence[Any]]]
"""Objects by subject and predicate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Must:
    """One demand on the values of ``paths`` (any of them) of every node of a kind."""

    of: str
    paths: tuple[str, ...]
    least: int = 0
    most: int = 0
    """0: as many as there are."""
    test: Callable[[Any], bool] = lambda value: True
    what: str = ""
    """What the test wants of a value."""
    mend: str = OURS
    by_language: bool = False
    """Whether there may be one value a language only."""


def is_iri(value: Any) -> bool:
    """Whether a value is an IRI and no text."""
    return not hasattr(value, "datatype") and ":" in str(value.value)


def is_web(value: Any) -> bool:
    """Whether it is an IRI of the web."""
    return is_iri(value) and value.value.startswith(("http://", "https://"))


def is_https(value: Any) -> bool:
    """Whether it is an IRI that begins with https."""
    return is_iri(value) and value.value.startswith("https://")


def is_words(value: Any) -> bool:
    """Whether it is a text that says its language, and says something."""
    return bool(getattr(value, "language", None)) and bool(value.value.strip())


def is_licence(value: Any) -> bool:
    """Whether it is the canonical address of a Creative Commons licence."""
    return is_iri(value) and CREATIVE_COMMONS.fullmatch(value.value) is not None


def is_moment(value: Any) -> bool:
    """Whether it is a date or a moment, and says so."""
    kind = getattr(value, "datatype", None)
    return kind is not None and kind.value in (f"{XSD}date", f"{XSD}dateTime") and bool(MOMENT.fullmatch(value.value))


def is_content_type(value: Any) -> bool:
    """Whether it is a registered media type of a content, not of a packing or of a protocol."""
    name = value.value.removeprefix("https://www.iana.org/assignments/media-types/")
    return registered(name) and name not in PACKING and "sparql" not in name


def is_mail(value: Any) -> bool:
    """Whether it is a mail address as an IRI."""
    return is_iri(value) and re.fullmatch(r"mailto:[^@\s]+@[^@\s]+", value.value) is not None


def _dataset(schema: str, dcat: str, **rules: Any) -> tuple[Must, Must]:
    """Return the same demand in both vocabularies."""
    return Must(of="dataset", paths=(schema,), **rules), Must(of="dataset", paths=(dcat,), **rules)


WORDS: dict[str, Any] = {"least": 1, "test": is_words, "what": "a text with its language", "by_language": True}
DATE: dict[str, Any] = {"most": 1, "test": is_moment, "what": "an xsd:date or xsd:dateTime"}
ONE_LICENCE: dict[str, Any] = {
    "least": 1,
    "most": 1,
    "test": is_licence,
    "what": "the canonical address of a Creative Commons licence, with https and a slash at its end",
    "mend": LICENCE,
}
WHO: dict[str, Any] = {"least": 1, "test": is_web, "what": "an IRI of the web", "mend": PUBLISHER}
MUSTS: tuple[Must, ...] = (
    *_dataset("schema:name", "dcterms:title", **WORDS),
    *_dataset("schema:description", "dcterms:description", **WORDS),
    *_dataset("schema:publisher", "dcterms:publisher", most=1, **WHO),
    *_dataset("schema:creator", "dcterms:creator", **WHO),
    *_dataset("schema:dateCreated", "dcterms:created", **DATE),
    *_dataset("schema:dateModified", "dcterms:modified", **DATE),
    *_dataset("schema:datePublished", "dcterms:issued", **DATE),
    *_dataset("schema:about", "dcat:theme", test=is_web, what="an IRI of the web", mend=ABOUT),
    Must(of="dataset", paths=("schema:license",), **ONE_LICENCE),
    Must(of="dataset", paths=("dcat:contactPoint",), least=1, most=1, mend=MAIL),
    Must(of="dataset", paths=("schema:genre",), most=-1),
    Must(of="dataset", paths=("schema:version",), most=1),
    Must(of="dataset", paths=("schema:includedInDataCatalog",), test=is_web, what="an IRI of the web"),
    Must(of="dataset", paths=("schema:mainEntityOfPage",), test=is_https, what="an https address", mend=HTTPS),
    Must(
        of="dataset",
        paths=("dcterms:accrualPeriodicity",),
        most=1,
        test=lambda value: value.value.startswith(FREQUENCY),
        what="of the EU's list of frequencies",
    ),
    Must(of="catalogue", paths=("schema:name",), **WORDS),
    Must(of="catalogue", paths=("schema:description",), **WORDS),
    Must(of="catalogue", paths=("dcterms:title",), **WORDS),
    Must(of="catalogue", paths=("dcterms:description",), **WORDS),
    Must(of="catalogue", paths=("schema:publisher",), most=1, **WHO),
    Must(of="catalogue", paths=("dcterms:publisher",), most=1, **WHO),
    Must(of="catalogue", paths=("dcat:contactPoint",), least=1, most=1, mend=MAIL),
    Must(of="catalogue", paths=("schema:dataset",), least=1, test=is_web, what="an IRI of the web"),
    Must(of="catalogue", paths=("dcat:dataset",), least=1, test=is_web, what="an IRI of the web"),
    Must(of="agent", paths=("schema:name",), **WORDS | {"mend": PUBLISHER}),
    Must(of="agent", paths=("foaf:name",), **WORDS | {"mend": PUBLISHER}),
    Must(of="agent", paths=("schema:contactPoint",), least=1, mend=MAIL),
    Must(of="contact", paths=("schema:name", "vcard:fn"), least=1, mend=PUBLISHER),
    Must(of="contact", paths=("schema:email",), least=1, mend=MAIL),
    Must(of="contact", paths=("vcard:hasEmail",), least=1, test=is_mail, what="a mailto: address", mend=MAIL),
    Must(
        of="distribution",
        paths=("schema:contentUrl",),
        least=1,
        most=1,
        test=is_https,
        what="an https address",
        mend=HTTPS,
    ),
    Must(of="distribution", paths=("schema:encodingFormat", "schema:usageInfo"), least=1),
    Must(of="distribution", paths=("dcat:mediaType", "dcterms:format"), least=1),
    Must(
        of="distribution",
        paths=("schema:encodingFormat",),
        most=1,
        test=is_content_type,
        what="a registered media type of the content itself",
    ),
    Must(
        of="distribution",
        paths=("dcat:mediaType",),
        most=1,
        test=is_content_type,
        what="a registered media type of the content itself",
    ),
    Must(of="distribution", paths=("dcat:accessURL",), least=1, most=1, test=is_web, what="an IRI of the web"),
    Must(of="distribution", paths=("dcat:downloadURL",), most=1, test=is_web, what="an IRI of the web"),
    Must(of="distribution", paths=("schema:license",), **ONE_LICENCE),
    Must(of="distribution", paths=("dcterms:license",), **ONE_LICENCE),
    Must(of="distribution", paths=("schema:usageInfo",), test=is_web, what="an IRI of the web"),
    *(
        Must(of="distribution", paths=(path,), **DATE)
        for path in ("schema:dateModified", "schema:datePublished", "dcterms:modified", "dcterms:issued")
    ),
)  # fmt: skip

CLASSES = {
    "dataset": (("schema:Dataset",), ("dcat:Dataset",)),
    "catalogue": (("schema:DataCatalog",), ("dcat:Catalog",)),
    "distribution": (("schema:DataDownload",), ("dcat:Distribution",)),
    "agent": (("schema:Organization", "schema:Person"), ("foaf:Organization", "foaf:Person", "foaf:Agent")),
}
"""What a node of each kind has to be, in each vocabulary."""


def triples_of(content: bytes) -> Triples:
    """Return N-Triples by subject and predicate. Raises ``SyntaxError``."""
    import pyoxigraph

    found: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for quad in pyoxigraph.parse(content, format=pyoxigraph.RdfFormat.N_TRIPLES):
        values = found[quad.subject.value if hasattr(quad.subject, "value") else str(quad.subject)][
            quad.predicate.value
        ]
        if quad.object not in values:
            values.append(quad.object)
    return found


def nodes(triples: Triples) -> dict[str, list[str]]:
    """Return which nodes the demands are on, by kind."""
    kinds: dict[str, dict[str, None]] = {
        kind: {} for kind in ("dataset", "catalogue", "distribution", "agent", "contact")
    }
    typed = {f"{SCHEMA}Dataset": "dataset", f"{DCAT}Dataset": "dataset"}
    typed |= {f"{SCHEMA}DataCatalog": "catalogue", f"{DCAT}Catalog": "catalogue"}
    pointed = {iri("schema:distribution"): "distribution", iri("dcat:distribution"): "distribution"}
    pointed |= dict.fromkeys(map(iri, ("schema:dataset", "dcat:dataset")), "dataset")
    pointed |= dict.fromkeys(map(iri, ("schema:publisher", "schema:creator")), "agent")
    pointed |= dict.fromkeys(map(iri, ("dcterms:publisher", "dcterms:creator")), "agent")
    pointed |= dict.fromkeys(map(iri, ("schema:contactPoint", "dcat:contactPoint")), "contact")
    for subject, said in triples.items():
        for one in said.get(TYPE, ()):
            if one.value in typed:
                kinds[typed[one.value]][subject] = None
        if said.keys() & {iri("schema:dataset"), iri("dcat:dataset")}:
            kinds["catalogue"][subject] = None
        for predicate, kind in pointed.items():
            for one in said.get(predicate, ()):
                kinds[kind][one.value] = None
    return {kind: list(found) for kind, found in kinds.items()}


def against(triples: Triples) -> Iterator[Finding]:
    """Yield which demands a description does not meet."""
    found = nodes(triples)
    for must in MUSTS:
        for node in found[must.of]:
            yield from _asked(must, node, triples.get(node, {}))
    for node in found["dataset"] + found["catalogue"]:
        if not re.match(r"https?://", node):
            yield Finding("descriptions", node, f"is no address of the web, as a {_kind(node, found)} needs", OURS)
    for kind, node in [(one, node) for one in CLASSES for node in found[one]]:
        classes = {one.value for one in triples.get(node, {}).get(TYPE, ())}
        for wanted in CLASSES[kind]:
            if not classes & set(map(iri, wanted)):
                yield Finding("descriptions", node, f"is no {' or '.join(wanted)}", OURS)
    for node in found["distribution"]:
        said = triples.get(node, {})
        if any("sparql" in one.value for one in said.get(f"{DCAT}accessService", ())):
            for path in ("schema:usageInfo", "dcterms:conformsTo"):
                if SPARQL not in {one.value for one in said.get(iri(path), ())}:
                    yield Finding("descriptions", node, f"{path} does not name SPARQL's protocol, {SPARQL}", OURS)


def _kind(node: str, found: Mapping[str, list[str]]) -> str:
    return next(kind for kind, known in found.items() if node in known)


def _asked(must: Must, node: str, said: Mapping[str, Sequence[Any]]) -> Iterator[Finding]:
    values = [value for path in must.paths for value in said.get(iri(path), ())]
    name = " or ".join(must.paths)
    if len(values) < must.least:
        yield Finding("descriptions", node, f"{name} is missing", must.mend)
    if must.most and len(values) > max(must.most, 0):
        yield Finding(
            "descriptions", node, f"{name} is there {len(values)} times, {max(must.most, 0)} at most", must.mend
        )
    for value in values:
        if not must.test(value):
            yield Finding("descriptions", node, f"{name} {value.value!r} is not {must.what}", must.mend)
    languages = [getattr(value, "language", None) for value in values]
    if must.by_language and len(languages) != len(set(languages)):
        yield Finding("descriptions", node, f"{name} is there twice in one language", must.mend)


def iri(name: str) -> str:
    """Return the IRI of a name with one of ``PREFIXES``."""
    prefix, _, local = name.partition(":")
    return PREFIXES[prefix] + local
