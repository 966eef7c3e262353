"""Lists over HTTP: identifications, labels, reviews, media files. In: the parts of all routes. Out: routes.

A list is an AnnotationCollection with its first page inside; pages are AnnotationPages (Web Annotation Data Model 5).
Cursors are opaque; ``first``, ``prev``, ``next`` and ``last`` stand in the page and in the ``Link`` header. As long as
the log has not grown, nothing has changed: a reader who has an answer is told so before anything is looked up.
"""

import binascii
import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from linkeddata import conditions, contexts, documents, iris, jsonld, serialising
from linkeddata.contexts import ContextForm
from linkeddata.lineages import concept_of
from linkeddata.negotiation import HTML, JSON, JSON_LD, preferred
from linkeddata.nodes import Document
from linkeddata.parts import Parts, picture, with_pictures
from linkeddata.problem import Problem
from linkeddata.records import KEYS, Identification, Label, MediaFile, Record, Review, Taxon
from linkeddata.responses import DATA_FORMS, described, problems
from linkeddata.selection import Place, Selection, count_of, keys_of, page_of
from linkeddata.settings import VERSION
from linkeddata.store import Store

PAGE_LENGTH = 100
LONGEST_PAGE = 1000
COUNTS_KEPT = 1024
MOMENT = r"^(\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?)?$"
_TAXON_PREFIXES = (
    "http://www.wikidata.org/entity/",
    "https://www.wikidata.org/entity/",
    "https://www.wikidata.org/wiki/",
    "https://www.gbif.org/species/",
)


class Paging(BaseModel):
    """What every list can be asked; a parameter that is none is refused, for ignored it would say too much."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cursor: str | None = Field(None, description="Where a page begins; take it from `next` and `prev`.")
    limit: int = Field(PAGE_LENGTH, ge=1, le=LONGEST_PAGE, description="Documents on one page.")
    context: ContextForm = Field("link", description="How JSON-LD names its context.")
    campaign: str = Field("", description="Only of this campaign.")
    collection: str = Field("", description="Only pictures of this institution: its Q-item or name.")


class OnPictures(Paging):
    """What identifications and labels can be asked."""

    item: str = Field("", description="Only of this Wikidata item and nothing below it, such as `Q158603`.")
    taxon: str = Field("", description="Of this taxon and all below it: Q-item, GBIF key, or a name that was resolved.")
    rank: str = Field("", description="Only answers of this rank, such as `genus`.")
    file: str = Field("", description="Only of the file with this IRI.")
    status: str = Field("", description="Only of this status.")
    min_certainty: float = Field(0.0, ge=0, le=1, description="Only from this certainty (probability) on.")
    max_certainty: float = Field(1.0, ge=0, le=1, description="Only up to this certainty (probability).")
    since: str = Field("", pattern=MOMENT, description="Only from this day or moment (UTC) on.")
    until: str = Field("", pattern=MOMENT, description="Only before this day or moment (UTC).")


class OfIdentifications(OnPictures):
    """What identifications can be asked."""

    model: str = Field("", description="Only of the model of this name.")
    version: str = Field("", description="Only of this version of the model.")
    agent: Literal["", "Person", "SoftwareAgent", "Organization"] = Field("", description="Who answered.")
    superseded: Literal["", "no", "yes"] = Field(
        "", description="`no` leaves out what a later identification took the place of; `yes` gives nothing else."
    )


class OfMedia(OfIdentifications):
    """What media files can be asked; all but `campaign` and `collection` is of one identification or label on them."""


class OfReviews(Paging):
    """What reviews can be asked."""

    target: str = Field("", description="Only of the label or identification with this id.")
    kind: Literal["", "label", "identification"] = Field("", description="Only of labels, or of identifications.")
    verdict: str = Field("", description="Only of this verdict, such as `reject`.")
    file: str = Field("", description="Only of the file with this IRI.")
    since: str = Field("", pattern=MOMENT, description="Only from this day or moment (UTC) on.")
    until: str = Field("", pattern=MOMENT, description="Only before this day or moment (UTC).")


@dataclass(frozen=True, slots=True)
class Listing:
    """One kind of list: its name, its records, how they become documents."""

    name: str
    kind: type[Record]
    documents: Callable[[Store, Sequence[Any], str], list[Document]]


def _media_documents(store: Store, files: Sequence[MediaFile], base: str) -> list[Document]:
    return [jsonld.media_document(one, base_url=base) for one in files]


IDENTIFICATIONS = Listing("identifications", Identification, documents.identification_documents)
LABELS = Listing("labels", Label, documents.label_documents)
MEDIA = Listing("media", MediaFile, _media_documents)
REVIEWS = Listing("reviews", Review, documents.review_documents)
Count = Callable[[type[Record], Selection], int]


def router(parts: Parts) -> APIRouter:
    """Return the routes of the lists."""
    api = APIRouter()
    count = _counting(parts.store)

    @api.get(
        "/identifications",
        tags=["documents"],
        summary="All identifications, by pages",
        response_class=Response,
        responses=described("An AnnotationCollection with its first page inside, or an AnnotationPage.")
        | problems(412, 422),
    )
    def identifications(request: Request, asked: Annotated[OfIdentifications, Query()]) -> Response:
        """Follow `next` to the end: what was there at the start is on exactly one page."""
        return _Answer(request, parts, IDENTIFICATIONS, asked).response(count)

    @api.get(
        "/labels",
        tags=["documents"],
        summary="All labels, by pages",
        response_class=Response,
        responses=described("An AnnotationCollection with its first page inside, or an AnnotationPage.")
        | problems(412, 422),
    )
    def labels(request: Request, asked: Annotated[OnPictures, Query()]) -> Response:
        """Follow `next` to the end: what was there at the start is on exactly one page."""
        return _Answer(request, parts, LABELS, asked).response(count)

    @api.get(
        "/reviews",
        tags=["documents"],
        summary="All reviews, by pages",
        response_class=Response,
        responses=described("An AnnotationCollection with its first page inside, or an AnnotationPage.")
        | problems(412, 422),
    )
    def reviews(request: Request, asked: Annotated[OfReviews, Query()]) -> Response:
        """Follow `next` to the end: what was there at the start is on exactly one page."""
        return _Answer(request, parts, REVIEWS, asked).response(count)

    @api.get(
        "/media",
        tags=["documents"],
        summary="All media files, by pages",
        response_class=Response,
        responses=described("An ordered collection with its first page inside, or one page.") | problems(412, 422),
    )
    def media(request: Request, asked: Annotated[OfMedia, Query()]) -> Response:
        """Follow `next` to the end: what was there at the start is on exactly one page.

        With `taxon`, `rank`, `status` and the like: files of which one identification or label says all of that.
        """
        return _Answer(request, parts, MEDIA, asked).response(count)

    return api


def _counting(store: Store) -> Count:
    """Return a way to count that counts the same only once as long as the log has not grown."""
    kept: OrderedDict[tuple[int, type[Record], bytes], int] = OrderedDict()

    def counted(kind: type[Record], selection: Selection) -> int:
        asked = (store.state()[0], kind, orjson.dumps(selection))
        found = kept.get(asked)
        if found is None:
            found = kept[asked] = count_of(store, kind, selection)
            while len(kept) > COUNTS_KEPT:
                kept.popitem(last=False)
        return found

    return counted


def cursor_of(place: Place) -> str:
    """Return a place as an opaque word for addresses.

    >>> place_of(cursor_of(Place("é", True)))
    Place(key='é', backwards=True)
    """
    return urlsafe_b64encode(orjson.dumps([place.key, place.backwards])).decode().rstrip("=")


def place_of(cursor: str) -> Place:
    """Return the place that a cursor stands for; raises ``Problem`` 422 for a word that is none."""
    try:
        match orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))):
            case [str() | None as key, bool() as backwards] if key is not None or backwards:
                return Place(key, backwards)
    except (binascii.Error, ValueError):
        pass
    raise Problem(422, "No such page", f"{cursor!r} is no cursor; take one from next, prev, first or last.")


@dataclass(frozen=True, slots=True)
class _Shown:
    """One page: its keys, its records where they were read, and where the pages beside it begin."""

    keys: list[str]
    records: list[Any]
    before: Place | None
    after: Place | None


class _Answer:
    """One request for a list."""

    def __init__(self, request: Request, parts: Parts, listing: Listing, asked: Paging) -> None:
        self._request = request
        self._parts = parts
        self._listing = listing
        self._asked = asked
        given = asked.model_dump(exclude_defaults=True, exclude={"cursor", "limit", "context"})
        self._given = {name: value for name, value in given.items() if value != ""}

    def response(self, count: Count) -> Response:
        """Return the page, or 304 or 412 where the request's conditions ask for that."""
        offered = [*DATA_FORMS]
        offered += [HTML] if self._parts.pages else []
        chosen = preferred(self._request.headers.get("accept", ""), offered)
        if not chosen:
            raise Problem(406, "Not acceptable", f"This can be had as {', '.join(offered)}.", {"Vary": "Accept"})
        place = Place() if self._asked.cursor is None else place_of(self._asked.cursor)
        headers = self._validators(self._parts.store.last(), self._parts.store.modified(), chosen)
        status = conditions.answered(self._request.headers, headers["ETag"], headers.get("Last-Modified", ""))
        if status == 412:
            raise Problem(412, "Precondition failed", "The list is no longer what you have.", headers)
        if status == 304:
            return Response(status_code=304, headers=headers)
        ready = self._parts.kept is not None and self._listing is IDENTIFICATIONS and chosen in (JSON_LD, JSON)
        shown = self._shown(place, keys_only=ready)
        headers["Link"] = self._links(chosen, shown)
        charset = "; charset=utf-8" if chosen.startswith("text/") else ""
        body = self._body(chosen, shown, count)
        return Response(body, headers=headers | {"Content-Type": chosen + charset})

    def _validators(self, seq: int, moment: str, chosen: str) -> dict[str, str]:
        said = f"{seq}\n{VERSION}\n{self._parts.base}\n{self._request.url.query}\n{chosen}\n{self._listing.name}"
        weak = "W/" if chosen == HTML else ""  # a page for people shows pictures that the log does not know of
        tag = f'{weak}"{hashlib.sha256(said.encode()).hexdigest()[:32]}"'
        headers = {"ETag": tag, "Vary": "Accept, Accept-Encoding", "Cache-Control": "no-cache"}
        modified = conditions.http_date(moment)
        return headers | ({"Last-Modified": modified} if modified else {})

    def _shown(self, place: Place, *, keys_only: bool) -> _Shown:
        limit, kind = self._asked.limit, self._listing.kind
        read: Callable[..., list[Any]] = keys_of if keys_only else page_of
        found = read(self._parts.store, kind, self._selection(), place, limit + 1)
        more = len(found) > limit
        found = found[-limit:] if place.backwards else found[:limit]
        if not found:
            return _Shown([], [], None, None)
        keys = found if keys_only else [getattr(one, KEYS[kind]) for one in found]
        earlier = more if place.backwards else bool(place.key)
        later = place.key is not None if place.backwards else more
        before, after = Place(keys[0], True) if earlier else None, Place(keys[-1]) if later else None
        return _Shown(keys, [] if keys_only else found, before, after)

    def _selection(self) -> Selection:
        asked = self._asked
        fields = {"item", "file", "status", "rank", "model", "version", "campaign", "target", "kind", "verdict"}
        named = fields & self._given.keys()
        equals = {name: self._given[name] for name in sorted(named)}
        if isinstance(asked, OfMedia):
            said = self._said(asked, {name: value for name, value in equals.items() if name != "campaign"})
            return Selection(
                institution=asked.collection,
                campaign_of_file=asked.campaign,
                said=said if said != Selection() else None,
            )
        if isinstance(asked, OnPictures):
            return replace(self._said(asked, equals), institution=asked.collection)
        if isinstance(asked, OfReviews):
            return Selection(equals=equals, since=asked.since, until=asked.until, institution=asked.collection)
        return Selection(equals=equals)

    def _said(self, asked: OnPictures, equals: Mapping[str, str]) -> Selection:
        """Return what identifications or labels are narrowed to."""
        return Selection(
            equals=equals,
            taxon=names_of(self._parts.store, asked.taxon) if asked.taxon else (),
            at_least=asked.min_certainty,
            at_most=asked.max_certainty,
            since=asked.since,
            until=asked.until,
            agent_kind=asked.agent if isinstance(asked, OfIdentifications) else "",
            superseded=asked.superseded if isinstance(asked, OfIdentifications) else "",
        )

    def _address(self, place: Place | None = None) -> str:
        asked = dict(self._given)
        if place is not None:
            asked |= {"limit": self._asked.limit} if self._asked.limit != PAGE_LENGTH else {}
            asked["cursor"] = cursor_of(place)
        return f"{self._parts.base}/{self._listing.name}" + (f"?{urlencode(asked)}" if asked else "")

    def _neighbours(self, shown: _Shown) -> dict[str, str]:
        ends = {"first": Place(), "last": Place(None, True)}
        beside = {"prev": shown.before, "next": shown.after}
        return {name: self._address(at) for name, at in (ends | beside).items() if at is not None}

    def _links(self, chosen: str, shown: _Shown) -> str:
        links = [f'<{address}>; rel="{name}"' for name, address in self._neighbours(shown).items()]
        if chosen == JSON:
            kind = f'rel="http://www.w3.org/ns/json-ld#context"; type="{JSON_LD}"'
            links.append(f"<{self._parts.base}/context.jsonld>; {kind}")
        return ", ".join(links)

    def _body(self, chosen: str, shown: _Shown, count: Count) -> bytes:
        whole = self._asked.cursor is None
        if chosen == HTML and self._parts.pages:
            return self._parts.pages("list.html", self._page_data(shown, count)).encode()
        ready = self._ready(shown.keys) if shown.keys and not shown.records else []
        docs = self._listing.documents(self._parts.store, shown.records, self._parts.base)
        here = self._address(Place() if whole else place_of(self._asked.cursor or ""))
        beside = self._neighbours(shown)
        doc = jsonld.page(here, self._address(), docs, beside.get("next", ""), self._parts.base)
        if ready:
            doc["items"] = ready
        if "prev" in beside:
            doc["prev"] = beside["prev"]
        if whole:
            label = f"De Boodt: {self._listing.name}"
            doc = jsonld.collection(self._address(), label, count(self._listing.kind, self._selection()), doc)
            doc["last"] = beside["last"]
        if self._listing is MEDIA:
            doc = _plain(doc)
        return serialising.serialised(
            contexts.with_context(doc, self._asked.context, self._parts.base), chosen, self._parts.base
        )

    def _ready(self, keys: Sequence[str]) -> list[Any]:
        """Return the documents of a page as JSON; those that do not lie ready are made."""
        store, base = self._parts.store, self._parts.base
        found = self._parts.kept.items(keys, base) if self._parts.kept else {}
        missing = [key for key in keys if key not in found]
        records = store.among(self._listing.kind, KEYS[self._listing.kind], missing)
        for record, doc in zip(records, self._listing.documents(store, records, base), strict=True):
            doc.pop("@context")
            found[getattr(record, KEYS[self._listing.kind])] = orjson.dumps(doc)
        return [orjson.Fragment(found[key]) for key in keys if key in found]

    def _page_data(self, shown: _Shown, count: Count) -> Mapping[str, Any]:
        rows = (
            [(one, one, picture(self._parts, one, 250)) for one in shown.records]
            if self._listing is MEDIA
            else with_pictures(self._parts, shown.records)
        )
        return {
            "title": self._listing.name.capitalize(),
            "name": self._listing.name,
            "total": count(self._listing.kind, self._selection()),
            "equals": self._given,
            "rows": rows,
            "following": self._neighbours(shown).get("next", ""),
        }


def _plain(doc: Document) -> Document:
    """Return a collection of what are no annotations under its plain name."""
    names = {"AnnotationCollection": "OrderedCollection", "AnnotationPage": "OrderedCollectionPage"}
    first = {"first": _plain(doc["first"])} if "first" in doc else {}
    return {**doc, "type": names[doc["type"]], **first}


def names_of(store: Store, taxon: str) -> tuple[str, ...]:
    """Return what a taxon is called in ``lineages``, whether it came as item, key, IRI or resolved name.

    Raises ``Problem`` 422 for a name that was never resolved.
    """
    said = next((taxon.removeprefix(prefix) for prefix in _TAXON_PREFIXES if taxon.startswith(prefix)), taxon)
    said = f"gbif:{said}" if said.isdecimal() else said
    known = store.among(Taxon, "concept", [said]) or store.among(Taxon, "query", [said])
    names = {name for one in known for name in (one.concept, one.item, concept_of("", one.gbif_key)) if name}
    if said.startswith("gbif:") or iris.is_item(said):
        names.add(said)
    if not names:
        raise Problem(422, "No such taxon", f"{taxon!r} was never resolved here; give its Wikidata item or GBIF key.")
    return tuple(sorted(names))
