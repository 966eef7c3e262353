"""What is stored, over HTTP. In: the store and the settings. Out: a router with documents, lists, files, contexts.

Every document has one URI and several forms: JSON-LD, plain JSON (the same), Turtle, N-Triples, and a page for people
where the caller hands in ``pages``. The ``Accept`` header chooses, or a suffix (``….ttl``). Lists are paged by key:
the last page costs what the first does. What goes wrong is a problem document (RFC 9457).
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, Response

from linkeddata import documents, jsonld, nameservice
from linkeddata.jsonld import ContextForm, Document
from linkeddata.nameservice import Answering
from linkeddata.negotiation import (
    HTML,
    JSON,
    JSON_LD,
    N_QUADS,
    N_TRIPLES,
    RDF_XML,
    SUFFIXES,
    TURTLE,
    asked_profile,
    preferred,
    without_suffix,
)
from linkeddata.problem import MEDIA_TYPE as PROBLEM_JSON
from linkeddata.problem import Problem, not_found
from linkeddata.profiles import CONTEXTS, PROFILES, Profile, UnsayableError, loss_document
from linkeddata.records import Identification, Label, MediaFile, Record, Taxon
from linkeddata.settings import VERSION, Settings
from linkeddata.storage import Stored
from linkeddata.store import Store
from linkeddata.thumbnails import WIDTHS, thumbnail

Pages = Callable[[str, Mapping[str, Any]], str]
"""Makes HTML of a page's name and what it shows."""
Images = Callable[[MediaFile], Stored | None]
"""Finds the local copy of a file's image."""

PAGE_LENGTH = 100
LONGEST_PAGE = 1000
THUMBNAILS_KEPT = 512
A_DAY = "public, max-age=86400"
DATA_FORMS = (JSON_LD, JSON, TURTLE, N_TRIPLES, N_QUADS, RDF_XML)
SAFE_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/tiff"})
"""Types that are sent as what they are; anything else (SVG runs scripts) goes as plain bytes."""

Context = Annotated[
    ContextForm,
    Query(description="How JSON-LD names its context: a link to ours, inline, or W3C's beside ours."),
]
AsProfile = Annotated[str, Query(description=f"How to say it: one of {', '.join(PROFILES)}.")]
Loss = Annotated[bool, Query(description="Instead of the document: what the profile cannot say of this one.")]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the routes work with."""

    store: Store
    settings: Settings
    pages: Pages | None = None
    image: Images = field(default=lambda media: None)

    @property
    def base(self) -> str:
        """The base of our URIs, without a slash at its end."""
        return self.settings.base_url.rstrip("/")


@dataclass(frozen=True, slots=True)
class Page:
    """A page for people: the template's name, and what it shows, looked up only when somebody wants the page."""

    name: str
    data: Callable[[], Mapping[str, Any]]


def router(
    store: Store,
    settings: Settings,
    *,
    pages: Pages | None = None,
    image: Images = lambda media: None,
    health: Mapping[str, Any] | None = None,
    names: Answering | None = None,
) -> APIRouter:
    """Return the routes.

    ``pages`` makes HTML (none is offered without), ``image`` finds local copies of images, ``health`` is said in
    ``/health`` beside what the store says, ``names`` resolves names (that is not offered without).
    """
    api = APIRouter()
    parts = Parts(store, settings, pages, image)
    _mount(api, parts)
    _add_annotations(api, parts)
    _add_files(api, parts)
    _add_taxa(api, parts)
    _add_descriptions(api, parts, health or {})
    if names is not None:
        api.include_router(nameservice.router(names, parts.base))
    return api


def _mount(api: APIRouter, parts: Parts) -> None:
    """Add the routes that have modules of their own; those build on this one, hence the import here."""
    from linkeddata import collections, dumproutes, feedroutes, iiifroutes

    api.include_router(collections.router(parts))
    api.include_router(feedroutes.router(parts))
    api.include_router(dumproutes.router(parts))
    api.include_router(iiifroutes.router(parts))


def described(what: str, example: Document | None = None, *, page: bool = True) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of a route that answers with a document or a problem."""
    content: dict[str, Any] = {JSON_LD: {"example": example} if example else {}, JSON: {}, TURTLE: {}, N_TRIPLES: {}}
    content |= {N_QUADS: {}, RDF_XML: {}}
    return {
        200: {"description": what, "content": content | ({HTML: {}} if page else {})},
        304: {"description": "Not changed since the `ETag` in `If-None-Match`."},
        **problems(404, 406),
    }


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of the problems that a route may answer with."""
    words = {
        404: "There is no such thing here.",
        406: "None of the forms there are will do.",
        412: "It is no longer what `If-Match` or `If-Unmodified-Since` names.",
        413: "The image is larger than is taken.",
        415: "The body is not of a type that is taken.",
        422: "What was sent cannot be read.",
        503: "Too many are waiting; ask again after `Retry-After` seconds.",
    }
    example = {"type": "about:blank", "title": "Not found", "status": 404, "detail": "There is no identification 'x'."}
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    shown = {PROBLEM_JSON: {**content[PROBLEM_JSON], "example": example}}
    return {code: {"description": words[code], "content": shown if code == 404 else content} for code in statuses}


def respond(
    request: Request,
    parts: Parts,
    doc: Document,
    *,
    page: Page | None = None,
    form: str = "",
    context: ContextForm = "link",
    caching: str = "no-cache",
    suffixed: bool = True,
) -> Response:
    """Return ``doc`` in the form that ``form`` or the request's ``Accept`` asks for, or 304 where the reader has it.

    ``suffixed`` says that the other forms can be had by suffix, too; then they are linked. Raises ``Problem`` 406
    where no form will do.
    """
    offered = [*DATA_FORMS] + ([HTML] if page and parts.pages else [])
    chosen = form if form in offered else "" if form else preferred(request.headers.get("accept", ""), offered)
    if not chosen:
        raise Problem(406, "Not acceptable", f"This document can be had as {', '.join(offered)}.", {"Vary": "Accept"})
    if chosen == HTML and page and parts.pages:
        body = parts.pages(page.name, page.data()).encode()
    else:
        body = jsonld.serialised(jsonld.with_context(doc, context, parts.base), chosen, parts.base)
    if chosen == JSON and str(doc.get("@context")).endswith("/contexts/opends.jsonld"):
        body = orjson.dumps({key: value for key, value in doc.items() if key != "@context"})  # as its schema wants it
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    named = doc.get("@context")
    ours = named if isinstance(named, str) else f"{parts.base}/context.jsonld"
    links = _links(request, (parts.base, ours), chosen, offered if suffixed else [])
    headers = {"ETag": tag, "Vary": "Accept", "Cache-Control": caching} | ({"Link": links} if links else {})
    if request.method == "GET" and tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    charset = "; charset=utf-8" if chosen.startswith("text/") else ""
    return Response(body, headers=headers | {"Content-Type": chosen + charset})


def _links(request: Request, addresses: tuple[str, str], chosen: str, offered: list[str]) -> str:
    """Return the ``Link`` header: the other forms by suffix, and for plain JSON the context it is to be read with."""
    base, named = addresses
    stem, _ = without_suffix(_written(request))
    name = request.query_params.get("profile", "")
    asked = f"?profile={name}" if name in PROFILES else ""
    suffixes = {media_type: suffix for suffix, media_type in SUFFIXES.items()}
    links = [
        f'<{base}{stem}.{suffixes[other]}{asked}>; rel="alternate"; type="{other}"'
        for other in offered
        if other != chosen and request.method == "GET"
    ]
    if chosen == JSON:
        kind = f'rel="http://www.w3.org/ns/json-ld#context"; type="{JSON_LD}"'
        links.append(f"<{named}>; {kind}")
    return ", ".join(links)


def _written(request: Request) -> str:
    """Return the path as it was asked for, percent-encoded: decoded, a %2F in a key would look like a slash."""
    path: str = request.scope.get("raw_path", b"").decode("ascii", "replace").partition("?")[0]
    return quote(path, safe="/%:@!$&'()*+,;=~") or quote(request.url.path)


def _found(parts: Parts, kind: type[Record], key: str, what: str) -> tuple[Any, str]:
    """Return the record with this key and the media type its suffix asks for; raises ``Problem`` 404."""
    record = parts.store.get(kind, key)
    if record is not None:
        return record, ""
    stem, form = without_suffix(key)
    record = parts.store.get(kind, stem) if form else None
    if record is None:
        raise not_found(what, key)
    return record, form


def _add_annotations(api: APIRouter, parts: Parts) -> None:
    @api.get(
        "/identifications/{key:path}",
        tags=["documents"],
        summary="One identification",
        response_class=Response,
        responses=described("A W3C Web Annotation, motivation *identifying*, with Darwin Core terms.", _example()),
    )
    def identification(
        request: Request, key: str, context: Context = "link", profile: AsProfile = "", loss: Loss = False
    ) -> Response:
        """What the picture shows, who or what said so, by which model and weights, how certain, what else it might be.

        `decision` is `identified` or `unknown`; an unknown one has no `body`. In a browser: picture beside answer.
        `profile` says the same in the words of another model; `loss=1` tells what that model has no words for.
        """
        record, form = _found(parts, Identification, key, "identification")
        return _in_profile(request, parts, record, Asked(form, context, profile, loss))

    @api.get(
        "/labels/{key:path}",
        tags=["documents"],
        summary="One label: what people's tags add up to",
        response_class=Response,
        responses=described("A W3C Web Annotation, motivation *tagging*."),
    )
    def label(request: Request, key: str, context: Context = "link") -> Response:
        """How many people supported the tag, how many dissented, and what counting made of it."""
        record, form = _found(parts, Label, key, "label")
        doc = documents.label_document(parts.store, record, parts.base)
        page = Page("label.html", lambda: _around(parts, record, doc))
        return respond(request, parts, doc, page=page, form=form, context=context)


@dataclass(frozen=True, slots=True)
class Asked:
    """How a reader wants an identification: the form by suffix, the context, the profile by parameter, or its loss."""

    form: str
    context: ContextForm
    profile: str
    loss: bool


def _in_profile(request: Request, parts: Parts, record: Identification, asked: Asked) -> Response:
    """Return the identification as its reader wants it, with links to its other profiles.

    Raises ``Problem`` 406 for a profile that is not known, or that demands what is not known.
    """
    profile = _profile(asked.profile or asked_profile(request.headers.get("accept", "")))
    said = documents.said_of(parts.store, record, parts.base, parts.settings.handle_prefix)
    small = picture(parts, said.media, 250)
    said = replace(said, thumbnail=parts.base + small) if small else said
    try:
        doc = loss_document(profile, said) if asked.loss else profile.document(said)
    except UnsayableError as error:
        raise Problem(406, "Not sayable in this profile", f"{error}.", {"Vary": "Accept"}) from error
    page = None if asked.loss else Page("identification.html", lambda: _around(parts, record, said.annotation()))
    answer = respond(request, parts, doc, page=page, form=asked.form, context=asked.context, suffixed=not asked.loss)
    iri = jsonld.uri(parts.base, "identifications", record.id)
    kind = answer.headers.get("content-type", "").partition(";")[0]
    suffix = next((suffix for suffix, media_type in SUFFIXES.items() if media_type == kind), "")
    if suffix:
        query = {"profile": profile.name} if profile.name != "anno" and kind != HTML else {}
        query |= {"context": asked.context} if asked.context != "link" else {}
        query |= {"loss": "1"} if asked.loss else {}
        answer.headers["Content-Location"] = f"{iri}.{suffix}" + (f"?{urlencode(query)}" if query else "")
    answer.headers["Link"] = ", ".join(
        filter(None, [answer.headers.get("link", ""), _profile_links(profile, iri, kind)])
    )
    return answer


def _profile_links(profile: Profile, iri: str, kind: str) -> str:
    """Return links to the profile that an answer of this media type has, and to the other profiles."""
    conforms = [f'<{profile.uri}>; rel="profile"'] if kind != HTML else []
    others = [
        f'<{iri}.jsonld?profile={one.name}>; rel="alternate"; type="{JSON_LD}"; profile="{one.uri}"'
        for one in PROFILES.values()
        if one is not profile
    ]
    return ", ".join(conforms + others)


def _profile(name: str) -> Profile:
    """Return the profile of this name or URI, the default for none; raises ``Problem`` 406."""
    for one in PROFILES.values():
        if name in ("", one.name, one.uri):
            return one
    raise Problem(406, "Unknown profile", f"{name!r} is none of {', '.join(PROFILES)}.", {"Vary": "Accept"})


def _around(parts: Parts, record: Identification | Label, doc: Document) -> dict[str, Any]:
    """Return what the page of an identification or a label shows."""
    media = parts.store.get(MediaFile, record.file)
    return {
        "record": record,
        "doc": doc,
        "media": media,
        "picture": picture(parts, media, 960),
        "taxon": documents.taxon_of(parts.store, record.item, record.gbif_key),
        "identifications": parts.store.page(Identification, file=record.file, limit=20),
        "labels": parts.store.page(Label, file=record.file, limit=20),
    }


def picture(parts: Parts, media: MediaFile | None, width_px: int) -> str:
    """Return the address of a small copy of the image, ``""`` where there is no local copy."""
    if media is None or parts.image(media) is None:
        return ""
    return f"{jsonld.media_uri('', media.iri)}/image?width={width_px}"


def _add_files(api: APIRouter, parts: Parts) -> None:
    cached = lru_cache(THUMBNAILS_KEPT)(lambda stored, width: thumbnail(stored.local or stored.read_bytes(), width))

    @api.get(
        "/media/{iri:path}/image",
        tags=["files"],
        summary="The image of a file",
        response_class=Response,
        responses={200: {"description": "The bytes, or a JPEG of the width asked for."}, **problems(404, 422)},
    )
    def image(
        request: Request,
        iri: str,
        width: Annotated[int | None, Query(description=f"One of {', '.join(map(str, WIDTHS))}; none: whole.")] = None,
    ) -> Response:
        """Our local copy, where there is one; the document of the file says where the original is."""
        media = find_media(parts, iri)
        stored = parts.image(media) if media else None
        if media is None or stored is None:
            raise not_found("local image of", iri)
        headers = {"Cache-Control": A_DAY, "ETag": f'"{stored.sha1}-{width or 0}"'}
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if width is None:
            kind = stored.mime if stored.mime in SAFE_IMAGES else "application/octet-stream"
            if stored.local:
                return FileResponse(stored.local, media_type=kind, headers=headers)
            return Response(stored.read_bytes(), media_type=kind, headers=headers)
        if width not in WIDTHS:
            raise Problem(422, "No such width", f"Images come in widths of {', '.join(map(str, WIDTHS))} pixels.")
        try:
            return Response(cached(stored, width), media_type="image/jpeg", headers=headers)
        except (OSError, ValueError) as error:
            raise Problem(422, "Unreadable image", f"{type(error).__name__}: {error}") from error

    @api.get(
        "/media/{iri:path}",
        tags=["files"],
        summary="One media file",
        response_class=Response,
        responses=described("The file as `dctypes:StillImage`: source, rights, and the annotations on it."),
    )
    def media(request: Request, iri: str, context: Context = "link") -> Response:
        """`iri` is the file's whole IRI, percent-encoded, or for files on Commons just their M-id."""
        record, form = find_media(parts, iri), ""
        if record is None:
            stem, form = without_suffix(iri)
            record = find_media(parts, stem) if form else None
        if record is None:
            raise not_found("file", iri)
        doc = documents.media_document(parts.store, record, parts.base)
        page = Page("media.html", lambda: _shown_of_file(parts, record, doc))
        return respond(request, parts, doc, page=page, form=form, context=context)


def _shown_of_file(parts: Parts, media: MediaFile, doc: Document) -> dict[str, Any]:
    return {
        "media": media,
        "doc": doc,
        "picture": picture(parts, media, 960),
        "identifications": parts.store.page(Identification, file=media.iri, limit=50),
        "labels": parts.store.page(Label, file=media.iri, limit=50),
    }


def find_media(parts: Parts, iri: str) -> MediaFile | None:
    """Return the file with this IRI, or with this M-id on Commons."""
    return parts.store.get(MediaFile, iri) or parts.store.get(MediaFile, parts.settings.commons_entity + iri)


def _add_taxa(api: APIRouter, parts: Parts) -> None:
    @api.get(
        "/taxa/{query:path}",
        tags=["documents"],
        summary="One taxon, by Wikidata item or by a name as it was written",
        response_class=Response,
        responses=described("What the name or item resolved to, with Darwin Core terms; or that it did not."),
    )
    def taxon(request: Request, query: str, context: Context = "link") -> Response:
        """The document's id is the taxon's own (Wikidata, else GBIF); `comment` says how the name matched."""
        record, form = _taxon(parts, query)
        doc = jsonld.taxon_document(record, base_url=parts.base)
        page = Page("taxon.html", lambda: _shown_of_taxon(parts, record, doc))
        return respond(request, parts, doc, page=page, form=form, context=context)


def _shown_of_taxon(parts: Parts, taxon: Taxon, doc: Document) -> dict[str, Any]:
    names = parts.store.page(Taxon, concept=taxon.concept, limit=200) if taxon.concept else [taxon]
    answers = parts.store.page(Identification, item=taxon.item, limit=12) if taxon.item else []
    return {"taxon": taxon, "doc": doc, "names": names, "rows": _with_pictures(parts, answers)}


def _with_pictures(parts: Parts, records: Iterable[Any]) -> list[tuple[Any, MediaFile | None, str]]:
    """Return each record with its file and the address of a small picture of it."""
    shown = list(records)
    found = {one.iri: one for one in parts.store.among(MediaFile, "iri", {record.file for record in shown})}
    return [(one, found.get(one.file), picture(parts, found.get(one.file), 250)) for one in shown]


def _taxon(parts: Parts, query: str) -> tuple[Taxon, str]:
    stem, form = without_suffix(query)
    for key, asked in ((query, ""), (stem, form)):
        record = parts.store.get(Taxon, key) or documents.taxon_of(parts.store, key)
        if record is not None:
            return record, asked
    raise not_found("taxon", query)


def _add_descriptions(api: APIRouter, parts: Parts, health: Mapping[str, Any]) -> None:
    @api.get(
        "/context.jsonld",
        tags=["descriptions"],
        summary="The JSON-LD context of all documents",
        response_class=Response,
        responses={200: {"description": "Complete in itself.", "content": {JSON_LD: {}}}},
    )
    def context(request: Request) -> Response:
        """Every key our documents use, with the keys of W3C's `anno.jsonld` meaning what they mean there."""
        return _kept(request, orjson.dumps(jsonld.context(parts.base)), JSON_LD)

    @api.get(
        "/contexts/{name}.jsonld",
        tags=["descriptions"],
        summary="The JSON-LD context of a profile",
        response_class=Response,
        responses={200: {"description": "Complete in itself.", "content": {JSON_LD: {}}}, **problems(404)},
    )
    def profile_context(request: Request, name: str) -> Response:
        """The keys that the profile's documents use, meaning what they mean in the profile's own context."""
        if name not in CONTEXTS:
            raise not_found("context", name)
        return _kept(request, orjson.dumps(jsonld.profile_context(name)), JSON_LD)

    @api.get(
        "/vocab",
        tags=["descriptions"],
        summary="Our own terms",
        response_class=Response,
        responses=described("An RDF vocabulary."),
    )
    def vocabulary(request: Request) -> Response:
        """The few things that Web Annotation, Darwin Core, PROV, schema.org and SKOS have no word for."""
        return _vocabulary(request, parts, "")

    @api.get("/vocab.{suffix}", include_in_schema=False)
    def vocabulary_as(request: Request, suffix: str) -> Response:
        if suffix not in SUFFIXES:
            raise not_found("document", f"vocab.{suffix}")
        return _vocabulary(request, parts, SUFFIXES[suffix])

    @api.get(
        "/queries", tags=["descriptions"], summary="The SPARQL queries that De Boodt asks", response_class=Response
    )
    def queries(request: Request) -> Response:
        """Each with its summary, endpoint and parameters; `/queries/NAME` is the text, for any query editor."""
        from linkeddata.sparql import load_query, query_names

        found = [load_query(name) for name in query_names()]
        if parts.pages and preferred(request.headers.get("accept", ""), [JSON, HTML]) == HTML:
            page = parts.pages("queries.html", {"queries": found})
            return Response(page, media_type=HTML, headers={"Vary": "Accept"})
        rows = [
            {
                "name": query.name,
                "summary": query.summary,
                "endpoint": query.endpoint,
                "params": dict(query.params),
                "text": f"{parts.base}/queries/{query.name}",
            }
            for query in found
        ]
        return Response(orjson.dumps(rows), media_type=JSON, headers={"Vary": "Accept"})

    @api.get(
        "/queries/{name}",
        tags=["descriptions"],
        summary="One query's text",
        response_class=Response,
        responses={200: {"description": "SPARQL 1.1", "content": {"application/sparql-query": {}}}, **problems(404)},
    )
    def query_text(name: str) -> Response:
        """Standard SPARQL 1.1 with a real sample in its VALUES."""
        from linkeddata.sparql import load_query, query_names

        if name not in query_names():
            raise not_found("query", name)
        return Response(load_query(name).text, media_type="application/sparql-query")

    @api.get("/health", tags=["descriptions"], summary="Whether this installation is well", response_class=Response)
    def alive() -> Response:
        """Answers 200 as long as the store can be read, 503 else."""
        parts.store.page(Identification, limit=1)
        return Response(orjson.dumps({"status": "ok", "version": VERSION, **_now(health)}), media_type=JSON)


def _now(health: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said of the health, asking where it has to be asked each time."""
    return {name: said() if callable(said) else said for name, said in health.items()}


def _vocabulary(request: Request, parts: Parts, form: str) -> Response:
    doc = jsonld.vocabulary(parts.base)
    return respond(request, parts, doc, page=Page("vocab.html", lambda: {"doc": doc}), form=form, caching=A_DAY)


def _kept(request: Request, body: bytes, media_type: str) -> Response:
    """Return bytes that change only with a new version."""
    headers = {"ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"', "Cache-Control": A_DAY}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def _example() -> Document:
    answer = Identification(
        id="3f6c0c1e2d9b4a7f8e5d6c7b",
        file="https://commons.wikimedia.org/entity/M103381688",
        model="papillotten",
        version="1",
        label="Vanessa cardui",
        rank="species",
        item="Q158603",
        gbif_key="4299368",
        certainty=0.87,
        rule="R2",
        moment="2026-11-02T10:00:00Z",
    )
    return jsonld.document(answer, base_url="https://deboodt.example")
