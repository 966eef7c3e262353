"""Whether documents keep their promises. In: a visit. Out: findings.

Samples of every kind: each form that is promised answers, in its type, with the same triples; each profile is valid
JSON-LD; contexts resolve; what documents link to is there.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import orjson

from linkeddata.iris import media_uri
from linkeddata.negotiation import JSON, JSON_LD, N_QUADS, N_TRIPLES, RDF_XML, TURTLE
from linkeddata.preflight import musts, profilemusts
from linkeddata.preflight.feed import living
from linkeddata.preflight.findings import Finding
from linkeddata.preflight.visit import Answer, Visit
from linkeddata.problem import MEDIA_TYPE as PROBLEM_JSON
from linkeddata.profiles import PROFILES

FORMS = (TURTLE, N_TRIPLES, N_QUADS, RDF_XML)
LISTS = ("identifications", "labels", "media", "models")
ALTERNATE = re.compile(r'<([^>]+)>;\s*rel="alternate";\s*type="([^"]+)"([^,]*)')


def samples(visit: Visit) -> list[str]:
    """Return URIs of documents to look at: some of each kind, from the lists, the feed and the catalogue."""
    found: dict[str, None] = {}
    for kind in LISTS:
        first = visit.get(f"{visit.base}/{kind}", JSON_LD).json or {}
        items = first.get("items") or first.get("first", {}).get("items") or []
        found |= dict.fromkeys(one["id"] for one in items[: visit.samples])
    found |= dict.fromkeys(living(visit))
    described = visit.get(f"{visit.base}/catalogue", JSON_LD).json or {}
    found |= dict.fromkeys([f"{visit.base}/catalogue", *(one["id"] for one in described.get("dataset", []))])
    return [_document_of(visit, uri) for uri in found]


def _document_of(visit: Visit, uri: str) -> str:
    """Return where a thing's document is: pictures elsewhere are described under ``/media/``."""
    if visit.ours(uri):
        return uri
    return media_uri(visit.base, uri)


def documents(visit: Visit) -> Iterator[Finding]:
    """Yield what is wrong with samples of every kind of document, in every form that they promise."""
    for uri in samples(visit):
        answer = visit.get(uri, JSON_LD)
        if answer.status == 410:
            continue  # it says of itself that it no longer stands, as a label does whose tags were taken back
        if answer.trouble:
            yield Finding("documents", uri, answer.trouble)
            continue
        yield from _headers(visit, uri, answer)
        yield from _forms(visit, uri, answer)


def _headers(visit: Visit, uri: str, answer: Answer) -> Iterator[Finding]:
    if "accept" not in answer.headers.get("vary", "").lower():
        yield Finding("documents", uri, "no Vary: Accept, so a cache may mix its forms", _CACHE)
    if answer.headers.get("access-control-allow-origin") != "*":
        yield Finding("documents", uri, "other sites' scripts may not read it (no Access-Control-Allow-Origin)", _CACHE)
    tag = answer.headers.get("etag", "")
    if not tag:
        yield Finding("documents", uri, "has no ETag", _CACHE)
    elif visit.get(uri, JSON_LD, If_None_Match=tag).status != 304:
        yield Finding("documents", uri, "is sent again to who has it (no 304 for its ETag)", _CACHE)


_CACHE = "let the server in front pass headers on as they are"


def _forms(visit: Visit, uri: str, answer: Answer) -> Iterator[Finding]:
    promised = [(at, kind, rest) for at, kind, rest in ALTERNATE.findall(answer.headers.get("link", ""))]
    if not promised:
        yield Finding("documents", uri, "no Link header names its other forms", _CACHE)
    expected = triples(answer, visit)
    if isinstance(expected, str):
        yield Finding("documents", uri, f"is no JSON-LD: {expected}")
        return
    yield from profilemusts.against("anno", answer.json, read(expected), uri)
    for at, kind, rest in promised:
        other = visit.get(at, kind)
        if "profile=" in at or "profile=" in rest:
            yield from _profile(visit, at, other)
        elif other.trouble or other.media_type != kind:
            yield Finding("documents", at, other.trouble or f"answers {other.media_type}, promised is {kind}")
        elif kind in FORMS and (found := triples(other, visit)) != expected:
            trouble = found if isinstance(found, str) else "says other triples than the JSON-LD"
            yield Finding("documents", at, trouble)


def _profile(visit: Visit, at: str, answer: Answer) -> Iterator[Finding]:
    """Yield what is wrong with a document in a profile; one that cannot say it may answer 406, with the reason."""
    if answer.status == 406 and answer.media_type == PROBLEM_JSON and (answer.json or {}).get("detail"):
        return
    if answer.trouble:
        yield Finding("documents", at, answer.trouble)
    elif isinstance(found := triples(answer, visit), str):
        yield Finding("documents", at, f"is no JSON-LD: {found}")
    elif not found:
        yield Finding("documents", at, "says nothing: no triple is in it")
    elif not (name := next((one for one in PROFILES if f"profile={one}" in at), "")):
        yield Finding("documents", at, "is in a profile that there is not")
    else:
        yield from profilemusts.against(name, answer.json, read(found), at)


def read(found: set[str]) -> musts.Triples:
    """Return triples that were read as text by subject and predicate."""
    return musts.triples_of("".join(f"{one} .\n" for one in sorted(found)).encode())


def triples(answer: Answer, visit: Visit) -> set[str] | str:
    """Return an answer's triples as text, or what is wrong with it. Contexts are fetched as a reader would."""
    import pyoxigraph

    form = pyoxigraph.RdfFormat.from_media_type(answer.media_type)
    if form is None:
        return f"{answer.media_type} is no RDF"
    body = answer.body
    if answer.media_type in (JSON_LD, JSON):
        inlined = with_contexts(answer.json, visit)
        if isinstance(inlined, str):
            return inlined
        body = orjson.dumps(inlined)
    try:
        return {str(quad.triple) for quad in pyoxigraph.parse(body, format=form)}
    except (SyntaxError, ValueError) as error:
        return str(error)


def with_contexts(doc: Any, visit: Visit) -> Any:
    """Return a document with the contexts that it names put in, or what is wrong with one of them."""
    if not isinstance(doc, dict):
        return "is no JSON object"
    named = doc.get("@context")
    every = named if isinstance(named, list) else [named]
    found = []
    for one in every:
        if isinstance(one, str):
            if not visit.ours(one):
                return f"names the context {one}, which is not ours to answer for"
            answer = visit.get(one, JSON_LD)
            if answer.trouble or not isinstance(answer.json, dict) or "@context" not in answer.json:
                return f"its context {one} {answer.trouble or 'is none'}"
            found.append(answer.json["@context"])
        elif isinstance(one, dict):
            found.append(one)
        else:
            return "names no context"
    return {**doc, "@context": found if len(found) > 1 else found[0]}


def contexts(visit: Visit) -> Iterator[Finding]:
    """Yield which contexts that documents name do not answer as JSON-LD, to every site's scripts."""
    named = set()
    for answer in visit.answers():
        said = answer.json.get("@context") if answer.media_type == JSON_LD and isinstance(answer.json, dict) else None
        named |= {one for one in (said if isinstance(said, list) else [said]) if isinstance(one, str)}
    for uri in sorted(named):
        if not visit.ours(uri):
            continue
        answer = visit.get(uri, JSON_LD)
        if answer.trouble or answer.media_type != JSON_LD or "@context" not in (answer.json or {}):
            yield Finding("contexts", uri, answer.trouble or f"is no context: {answer.media_type}", _CACHE)
        elif answer.headers.get("access-control-allow-origin") != "*":
            yield Finding("contexts", uri, "other sites' scripts may not read it", _CACHE)


def links(visit: Visit) -> Iterator[Finding]:
    """Yield which addresses in what was read so far do not answer, if they are ours, or cannot be right, if not."""
    seen: set[str] = set()
    for answer in visit.answers():
        if answer.status != 200 or answer.media_type != N_TRIPLES:
            continue
        for uri in sorted(_named(answer)):
            bare = uri.partition("#")[0]
            if bare in seen:
                continue
            seen.add(bare)
            yield from _link(visit, bare, answer.uri)


def _named(answer: Answer) -> set[str]:
    """Return every IRI in an answer of N-Triples; none where it cannot be read, which another check says."""
    import pyoxigraph

    try:
        quads = list(pyoxigraph.parse(answer.body, format=pyoxigraph.RdfFormat.N_TRIPLES))
    except SyntaxError:
        return set()
    terms = [term for quad in quads for term in (quad.subject, quad.predicate, quad.object)]
    return {term.value for term in terms if isinstance(term, pyoxigraph.NamedNode)}


def _link(visit: Visit, uri: str, within: str) -> Iterator[Finding]:
    if visit.ours(uri):
        if "/media/" in uri and "/image" in uri:
            return  # a picture: asked for by who wants it
        answer = visit.followed(uri)
        if answer.trouble and answer.status not in (406, 410):
            yield Finding("links", uri, f"{answer.trouble}; {within} leads there")
    elif trouble := malformed(uri):
        yield Finding("links", uri, f"{trouble}; {within} leads there")


def malformed(uri: str) -> str:
    """Return what is wrong with an address elsewhere, ``""`` for nothing. It is not asked for.

    >>> malformed("https://www.wikidata.org/entity/Q1"), malformed("https://museum/x"), malformed("https://a.example/{id}")
    ('', 'names a host that only its own network knows', 'holds what looks like a placeholder')
    """
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
    except ValueError:
        return "is no address"
    if parts.scheme not in ("http", "https"):
        return (
            "" if parts.scheme in ("urn", "mailto", "tag", "doi", "hdl", "ark") else "is of no scheme that readers know"
        )
    if not host:
        return "names no host"
    if any(mark in uri for mark in ("{", "}", "…", "your.museum")):
        return "holds what looks like a placeholder"
    return "" if "." in host or host == "localhost" or ":" in host else "names a host that only its own network knows"
