"""What readers demand of a document in each profile, in our own words. In: the document, its triples. Out: findings.

The rules are those of the Web Annotation Data Model, SCHEMA-AP-NDE 1.2.1, DiSSCo's annotation 0.4.0, Linked Art 1.0 and
the term list of Darwin Core: facts, written down here, for their own shapes and schemas are not shipped. What a reader
merely recommends is a note.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from linkeddata.nodes import Document
from linkeddata.preflight.findings import FAULT, NOTE, Finding
from linkeddata.preflight.musts import SCHEMA, TYPE, XSD, Triples, is_iri, is_web, is_words
from linkeddata.profiles import PROFILES
from linkeddata.profiles.dwc import TERMS

Trouble = tuple[str, str]
"""What is wrong, and how bad that is."""
OURS = "a document of De Boodt's own is wrong: please report it"
HANDLE = "write handle_prefix, a Handle prefix that you own, into deboodt.toml"
LICENCE = "the file's licence is not known here: its source says none, or none that is an address"
SPOKEN = f"{SCHEMA}name"
SECONDS = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)?)?")
ISO_DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?)?)?(/\S+)?")
IIIF = re.compile(r"application/ld\+json;profile='http://iiif\.io/api/presentation/\d+/context\.json'")
HANDLES = re.compile(r"https://hdl\.handle\.net/[\w.]+/...-...-....*")
MOTIVATIONS = ("ods:adding", "ods:deleting", "oa:assessing", "oa:editing", "oa:commenting")
MERGED = ("ods:adding", "ods:deleting", "oa:editing")
AGENT_KINDS = ("schema:Person", "schema:Organization", "schema:SoftwareApplication")
REFERENCE = frozenset({"id", "type", "_label"})
"""What a reference to another thing has, and nothing else."""
_EVERY = REFERENCE | {"_complete", "identified_by", "classified_as", "referred_to_by"}
_RECORD = _EVERY | {"subject_of", "attributed_by", "equivalent", "representation", "member_of"}
LINKED_ART = {
    "VisualItem": _RECORD | {"represents", "digitally_shown_by", "subject_to"},
    "DigitalObject": _RECORD | {"format", "dimension", "access_point", "digitally_shows", "conforms_to"},
    "AttributeAssignment": _EVERY | {"carried_out_by", "timespan", "assigned", "assigned_property"},
    "Type": _EVERY,
    "TimeSpan": _EVERY | {"begin_of_the_begin", "end_of_the_begin", "begin_of_the_end", "end_of_the_end"},
    "Person": REFERENCE,
    "Group": REFERENCE,
    "LinguisticObject": _EVERY | {"content", "language", "format", "digitally_carried_by", "subject_to"},
    "Name": _EVERY | {"content", "language"},
    "Dimension": _EVERY | {"value", "unit"},
    "MeasurementUnit": REFERENCE,
    "Right": _EVERY | {"possessed_by"},
}
"""The classes of Linked Art that our documents use, and the keys that each may have."""
REFERRING = {"assigned": (), "carried_out_by": ("Person", "Group"), "access_point": ("DigitalObject",)}
"""Keys whose values are references alone, and to what."""
LISTS = frozenset(
    [
        "represents",
        "digitally_shown_by",
        "digitally_shows",
        "attributed_by",
        "subject_of",
        "assigned",
        "carried_out_by",
        "access_point",
        "identified_by",
        "classified_as",
        "referred_to_by",
        "dimension",
        "subject_to",
        "digitally_carried_by",
    ]
)


def against(profile: str, doc: Document, triples: Triples, where: str) -> Iterator[Finding]:
    """Yield what a profile's readers have against a document at this address."""
    for trouble, level in DEMANDS[profile](doc, triples):
        mend = HANDLE if "Handle" in trouble else LICENCE if "license" in trouble else OURS
        place = PROFILES[profile].uri if mend == HANDLE and level == NOTE else where  # said once, not of each document
        yield Finding("profiles", place, f"{profile}: {trouble}", mend, level)


def _anno(doc: Document, triples: Triples) -> Iterator[Trouble]:
    """Web Annotation Data Model 3, 4: what an annotation, its bodies and targets must have."""
    kinds = _listed(doc.get("type"))
    if "Annotation" not in kinds:
        return  # a file, a taxon, an agent: the model is not about these
    if not _absolute(doc.get("id")):
        yield "an annotation has exactly one IRI", FAULT
    if not doc.get("target"):
        yield "an annotation has a target", FAULT
    if not doc.get("motivation"):
        yield "an annotation should say its motivation", NOTE
    for key in ("created", "modified", "generated"):
        if key in doc and not re.fullmatch(r"\S+T\S+Z", str(doc[key])):
            yield f"{key} is no moment in UTC", FAULT
    for part in _nodes({key: doc[key] for key in ("body", "target") if key in doc}):
        own = _listed(part.get("type"))
        if "TextualBody" in own and not isinstance(part.get("value"), str):
            yield "a TextualBody has exactly one value", FAULT
        if "SpecificResource" in own and len(_listed(part.get("source"))) != 1:
            yield "a SpecificResource has exactly one source", FAULT
        if "FragmentSelector" in own and not isinstance(part.get("value"), str):
            yield "a FragmentSelector has exactly one value", FAULT


def _schema(doc: Document, triples: Triples) -> Iterator[Trouble]:
    """SCHEMA-AP-NDE: CreativeWork, DefinedTerm, MediaObject, creator, IIIF manifest."""
    works = [node for node, said in triples.items() if _is(said, "CreativeWork")]
    if not works:
        yield "there is no CreativeWork", FAULT
    for work in works:
        said = triples[work]
        if not re.match(r"\w+:", work):
            yield "a CreativeWork is an IRI", FAULT
        yield from _spoken(said, "a CreativeWork")
        dates = said.get(f"{SCHEMA}sdDatePublished", ())
        if len(dates) != 1 or not _is_seconds(dates[0]):
            yield "sdDatePublished is there once, a day or a moment to the second", FAULT
        for name in ("description", "abstract", "text"):
            if not all(map(is_words, said.get(f"{SCHEMA}{name}", ()))):
                yield f"{name} says its language", FAULT
        if not said.get(f"{SCHEMA}isPartOf") or not all(map(is_iri, said[f"{SCHEMA}isPartOf"])):
            yield "isPartOf names the dataset", FAULT
        for one in said.get(f"{SCHEMA}about", ()):
            yield from _term(triples.get(one.value, {}))
        for one in said.get(f"{SCHEMA}creator", ()):
            yield from _spoken(triples.get(one.value, {}), "a creator")
        yield from _media([triples.get(one.value, {}) for one in said.get(f"{SCHEMA}associatedMedia", ())])


def _term(said: Mapping[str, Any]) -> Iterator[Trouble]:
    if not any(_is(said, kind) for kind in ("DefinedTerm", "CreativeWork", "Person", "Organization")):
        yield "what a CreativeWork is about is a DefinedTerm", FAULT
    yield from _spoken(said, "a DefinedTerm")
    if not all(map(is_iri, said.get(f"{SCHEMA}sameAs", ()))):
        yield "sameAs of a DefinedTerm is an IRI", FAULT


def _media(entries: list[Mapping[str, Any]]) -> Iterator[Trouble]:
    manifests = [one for one in entries if any(IIIF.fullmatch(v.value) for v in one.get(f"{SCHEMA}encodingFormat", ()))]
    objects = [one for one in entries if one not in manifests]
    if len(manifests) > 1:
        yield "there is one IIIF manifest at most", FAULT
    if not objects:
        yield "no MediaObject: the file's license and address are not both known", NOTE
    for one in entries:
        licences = one.get(f"{SCHEMA}license", ())
        if not licences or not all(map(is_web, licences)):
            yield "associatedMedia has a license that is an address", FAULT
    for one in objects:
        for name in ("contentUrl", "thumbnailUrl"):
            values = one.get(f"{SCHEMA}{name}", ())
            if not values or not all(map(is_web, values)):
                yield f"a MediaObject under an open licence has a {name}", FAULT


def _spoken(said: Mapping[str, Any], what: str) -> Iterator[Trouble]:
    names = said.get(SPOKEN, ())
    if not names or not all(map(is_words, names)):
        yield f"{what} has a name that says its language", FAULT
    languages = [getattr(name, "language", None) for name in names]
    if len(languages) != len(set(languages)):
        yield f"{what} has one name a language", FAULT


def _opends(doc: Document, triples: Triples) -> Iterator[Trouble]:
    """DiSSCo's annotation 0.4.0: what must be there, and which words may stand where."""
    if "@id" not in doc and "dcterms:identifier" not in doc:
        yield "it has no Handle, which DiSSCo mints for those that own none", NOTE
    elif not all(HANDLES.fullmatch(str(doc.get(key))) for key in ("@id", "dcterms:identifier")):
        yield "@id and dcterms:identifier are a Handle", FAULT
    wanted = {"@type": "ods:Annotation", "ods:status": "Active"}
    for key, value in wanted.items():
        if doc.get(key) != value:
            yield f"{key} is {value}", FAULT
    if not isinstance(doc.get("ods:version"), int) or doc["ods:version"] < 1:
        yield "ods:version counts from 1", FAULT
    motivation = doc.get("oa:motivation")
    if motivation not in MOTIVATIONS:
        yield f"oa:motivation is one of {', '.join(MOTIVATIONS)}", FAULT
    if "ods:mergingDecisionStatus" in doc:
        if motivation not in MERGED:
            yield "only what adds, deletes or edits is merged", FAULT
        if doc["ods:mergingDecisionStatus"] not in ("Pending", "Rejected", "Approved"):
            yield "ods:mergingDecisionStatus is Pending, Rejected or Approved", FAULT
    for key in ("dcterms:created", "dcterms:modified", "dcterms:issued"):
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", str(doc.get(key))):
            yield f"{key} is a moment", FAULT
    target, body = doc.get("oa:hasTarget") or {}, doc.get("oa:hasBody") or {}
    if not all(target.get(key) for key in ("@id", "@type", "dcterms:identifier", "ods:fdoType")):
        yield "oa:hasTarget has @id, @type, dcterms:identifier and ods:fdoType", FAULT
    values = body.get("oa:value")
    if (
        body.get("@type") != "oa:TextualBody"
        or not isinstance(values, list)
        or not all(isinstance(one, str) for one in values)
    ):
        yield "oa:hasBody is an oa:TextualBody with a list of texts", FAULT
    score = body.get("ods:score", 0)
    if not isinstance(score, int | float) or not 0 <= score <= 1:
        yield "ods:score is a number from 0 to 1", FAULT
    for key in ("dcterms:creator", "as:generator"):
        if (doc.get(key) or {}).get("@type") not in AGENT_KINDS:
            yield f"{key} is a {', '.join(AGENT_KINDS)}", FAULT


def _linked_art(doc: Document, triples: Triples) -> Iterator[Trouble]:
    """Linked Art's JSON: classes, labels, and what an assignment has."""
    if doc.get("type") not in ("VisualItem", "DigitalObject"):
        yield "the whole is a VisualItem or a DigitalObject", FAULT
    if not _absolute(doc.get("id")) or not doc.get("_label"):
        yield "the whole has an id and a _label", FAULT
    for node in _nodes({key: value for key, value in doc.items() if key != "@context"}):
        kind = node.get("type")
        if kind not in LINKED_ART:
            yield f"{kind!r} is no class that is used here", FAULT
            continue
        for key in sorted(node.keys() - LINKED_ART[kind] - {"@context"}):
            yield f"a {kind} has no {key}", FAULT
        for key in sorted(node.keys() & LISTS):
            if not isinstance(node[key], list):
                yield f"{key} is a list", FAULT
        for key, kinds in REFERRING.items():
            for one in _listed(node.get(key)):
                if not one.get("id") or one.keys() - REFERENCE or (kinds and one.get("type") not in kinds):
                    yield f"{key} holds references{' to ' if kinds else ''}{' or '.join(kinds)}", FAULT
        if kind == "AttributeAssignment":
            if not node.get("assigned") or "assigned_property" not in node:
                yield "an AttributeAssignment says what it assigns as which property", FAULT
            if "id" in node and node.get("_complete") is not False:
                yield "an assignment with an address where more is said has _complete: false", FAULT
        if kind == "TimeSpan" and not {"begin_of_the_begin", "end_of_the_end"} <= node.keys():
            yield "a TimeSpan has a beginning and an end", FAULT
        carried = [one for one in _listed(node.get("digitally_carried_by")) if one.get("access_point")]
        if kind in ("Name", "LinguisticObject") and not (node.get("content") or carried):
            yield f"a {kind} has a content, or is carried by what has an access_point", FAULT
        if kind == "Dimension" and not ("value" in node and "unit" in node):
            yield "a Dimension has a value and a unit", FAULT


def _dwc(doc: Document, triples: Triples) -> Iterator[Trouble]:
    """Darwin Core: its own terms alone, and values as the term list says they are."""
    for key in doc.keys() - TERMS - {"@context", "id", "type"}:
        yield f"{key} is no term of Darwin Core", FAULT
    if doc.get("type") != "Identification" or doc.get("identificationID") != doc.get("id"):
        yield "an Identification has its IRI as identificationID", FAULT
    if "dateIdentified" in doc and not ISO_DATE.fullmatch(str(doc["dateIdentified"])):
        yield "dateIdentified is a date of ISO 8601", FAULT
    for key in ("identifiedByID", "taxonID", "references", "associatedMedia"):
        if key in doc and not _absolute(doc[key]):
            yield f"{key} is an IRI", FAULT
    if "taxonRank" in doc and "scientificName" not in doc:
        yield "a rank is that of a scientificName", FAULT


DEMANDS: dict[str, Callable[[Document, Triples], Iterator[Trouble]]] = {
    "anno": _anno,
    "schema": _schema,
    "opends": _opends,
    "linked-art": _linked_art,
    "dwc": _dwc,
}
"""What is demanded, by profile."""


def _is(said: Mapping[str, Any], kind: str) -> bool:
    return f"{SCHEMA}{kind}" in {one.value for one in said.get(TYPE, ())}


def _is_seconds(value: Any) -> bool:
    kind = getattr(value, "datatype", None)
    return kind is not None and kind.value in (f"{XSD}date", f"{XSD}dateTime") and bool(SECONDS.fullmatch(value.value))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _absolute(value: Any) -> bool:
    return isinstance(value, str) and re.match(r"[A-Za-z][A-Za-z0-9+.-]*:\S+$", value) is not None


def _nodes(value: Any) -> Iterator[Document]:
    """Yield every node with a type within a value."""
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            if "type" in one:
                yield one
            for inner in one.values():
                yield from _nodes(inner)
