"""The change feed: what was published, changed and withdrawn, in the log's order. In: a store. Out: pages, two dresses.

The published events of the log are numbered without gaps; page N holds numbers (N-1)·250+1 to N·250. A page that a
later event follows is full and never changes. It is worn in two dresses:

- a Linked Data Event Stream (https://w3id.org/ldes/specification): each event is a version of a record; the record's
  triples, made of nothing but the log's entry, stand in the graph named after the version;
- IIIF Change Discovery 1.0 (https://iiif.io/api/discovery/1.0/): activities that name what to fetch again.

Versions name people by pseudonym only, never by name and never with their words, for what may be kept for ever cannot
be taken back. See docs/decisions.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import func, select

from linkeddata import jsonld
from linkeddata.jsonld import Document
from linkeddata.records import KEYS, Agent, Event, Identification, Label, MediaFile, Record, Review, Taxon
from linkeddata.store import Store
from linkeddata.tables import EVENT, FEED, NAMES, SHAPES

PAGE = 250
POLLING_SECONDS = 60
ACTIVITIES = {"added": "Create", "changed": "Update", "removed": "Delete"}
DISCOVERY = "http://iiif.io/api/discovery/1/context.json"
PATHS = {Identification: "identifications", Label: "labels", MediaFile: "media", Taxon: "taxa", Agent: "agents"}
"""Where the documents of a record are; a review's are under ``reviews``."""
TERMS = {
    "ldes": "https://w3id.org/ldes#",
    "tree": "https://w3id.org/tree#",
    "EventStream": "ldes:EventStream",
    "Node": "tree:Node",
    "Relation": "tree:Relation",
    "view": {"@id": "tree:view", "@type": "@id"},
    "member": {"@id": "tree:member", "@type": "@id"},
    "relation": {"@id": "tree:relation", "@type": "@id"},
    "node": {"@id": "tree:node", "@type": "@id"},
    "timestampPath": {"@id": "ldes:timestampPath", "@type": "@id"},
    "versionOfPath": {"@id": "ldes:versionOfPath", "@type": "@id"},
    "versionTimestampPath": {"@id": "ldes:versionTimestampPath", "@type": "@id"},
    "sequencePath": {"@id": "ldes:sequencePath", "@type": "@id"},
    "versionCreateObject": {"@id": "ldes:versionCreateObject", "@type": "@id"},
    "versionUpdateObject": {"@id": "ldes:versionUpdateObject", "@type": "@id"},
    "versionDeleteObject": {"@id": "ldes:versionDeleteObject", "@type": "@id"},
    "versionDeletePath": {"@id": "ldes:versionDeletePath", "@type": "@id"},
    "pollingInterval": {"@id": "ldes:pollingInterval", "@type": "xsd:integer"},
    "isVersionOf": {"@id": "dcterms:isVersionOf", "@type": "@id"},
    "generatedAtTime": {"@id": "prov:generatedAtTime", "@type": "xsd:dateTime"},
    "sequence": {"@id": "deboodt:sequence", "@type": "xsd:integer"},
    "Create": "as:Create",
    "Update": "as:Update",
    "Delete": "as:Delete",
}
_KINDS: dict[str, type[Record]] = {name: kind for kind, name in NAMES.items()}


@dataclass(frozen=True, slots=True)
class Change:
    """One published event with its number in the feed."""

    position: int
    event: Event

    @property
    def kind(self) -> type[Record]:
        """What kind of record changed."""
        return _KINDS[self.event.kind.rpartition(".")[0]]

    @property
    def activity(self) -> str:
        """Create, Update or Delete."""
        return ACTIVITIES[self.event.kind.rpartition(".")[2]]


@dataclass(frozen=True, slots=True)
class FeedPage:
    """One page; ``full`` when a later event follows it, and then it never changes."""

    number: int
    changes: tuple[Change, ...]
    full: bool


def length(store: Store) -> int:
    """Return how many published events there are."""
    with store.reading() as connection:
        return int(connection.execute(select(func.coalesce(func.max(FEED.c.position), 0))).scalar_one())


def pages(events: int) -> int:
    """Return how many pages so many events fill; there is always one.

    >>> pages(0), pages(250), pages(251)
    (1, 1, 2)
    """
    return max(1, -(-events // PAGE))


def page_at(store: Store, number: int) -> FeedPage | None:
    """Return page ``number``, None where there is none (yet)."""
    start = (number - 1) * PAGE
    query = (
        select(FEED.c.position, EVENT)
        .join(EVENT, EVENT.c.seq == FEED.c.seq)
        .where(FEED.c.position > start, FEED.c.position <= start + PAGE + 1)
        .order_by(FEED.c.position)
    )
    with store.reading() as connection:
        rows = connection.execute(query).all()
    if number < 1 or (not rows and number > 1):
        return None
    changes = tuple(Change(row[0], Event(**dict(zip(EVENT.c.keys(), row[1:], strict=True)))) for row in rows)
    return FeedPage(number, changes[:PAGE], len(changes) > PAGE)


def uri_of(kind: type[Record], key: str, base: str) -> str:
    """Return the URI of a record's document."""
    return jsonld.uri(base, PATHS.get(kind, "reviews"), key)


def version_document(record: Any, base: str) -> Document:
    """Return what the feed says of a record: its document from itself alone, people by pseudonym only."""
    if isinstance(record, Identification):
        doc = jsonld.document(record, base_url=base)
        doc.pop("generator", None)  # it names the release that serves, which is no part of what was said
        return doc
    if isinstance(record, Label):
        doc = jsonld.label_document(record, base_url=base)
        doc.pop("generator", None)
        return doc
    if isinstance(record, MediaFile):
        return jsonld.media_document(record, base_url=base)
    if isinstance(record, Taxon):
        return jsonld.taxon_document(record, base_url=base)
    return _agent(record, base) if isinstance(record, Agent) else _review(record, base)


def _agent(agent: Agent, base: str) -> Document:
    person = agent.kind not in ("SoftwareAgent", "Organization")
    said = replace(agent, name="", homepage="") if person else agent
    return _known(
        {
            "@context": f"{base}/context.jsonld",
            "id": jsonld.iri_of(said.id) or jsonld.uri(base, "agents", said.id),
            "type": said.kind if said.kind in ("Person", "Organization", "SoftwareAgent") else "Person",
            "name": said.name,
            "version": said.version,
            "homepage": jsonld.iri_of(said.homepage),
        }
    )


def _review(review: Review, base: str) -> Document:
    iri = jsonld.uri(base, "reviews", review.id)
    corrected = "http://www.wikidata.org/entity/" + review.correction if jsonld.is_item(review.correction) else ""
    return _known(
        {
            "@context": f"{base}/context.jsonld",
            "id": iri,
            "type": "Annotation",
            "motivation": "assessing",
            "target": jsonld.uri(base, "identifications", review.target),
            "creator": jsonld.iri_of(review.agent) or jsonld.uri(base, "agents", review.agent),
            "created": jsonld.date_time(review.moment),
            "body": _known({"id": f"{iri}#body", "type": "TextualBody", "value": review.verdict}),
            "toTaxon": corrected,
        }
    )


def _known(node: Document) -> Document:
    return {key: value for key, value in node.items() if value}


def stream_document(base: str) -> Document:
    """Return the description of the event stream: what its members are versions of, in which order, how long kept."""
    prov, dcterms = "http://www.w3.org/ns/prov#", "http://purl.org/dc/terms/"
    activities = "http://www.w3.org/ns/activitystreams#"
    return {
        "@context": [f"{base}/context.jsonld", TERMS],
        "id": f"{base}/feed",
        "type": "EventStream",
        "timestampPath": f"{prov}generatedAtTime",
        "versionOfPath": f"{dcterms}isVersionOf",
        "sequencePath": f"{base}/vocab#sequence",
        "versionDeletePath": "http://www.w3.org/1999/02/22-rdf-syntax-ns#type",
        "versionCreateObject": f"{activities}Create",
        "versionUpdateObject": f"{activities}Update",
        "versionDeleteObject": f"{activities}Delete",
        "view": {"id": f"{base}/feed/ldes/1", "type": "Node", "pollingInterval": POLLING_SECONDS},
        "comment": "Every version is kept: nothing is ever dropped from this stream.",
    }


def ldes_document(page: FeedPage, base: str) -> Document:
    """Return one page as a node of the event stream; a full one leads on to the next."""
    node: Document = {"id": f"{base}/feed/ldes/{page.number}", "type": "Node"}
    if page.full:
        node["relation"] = {"type": "Relation", "node": f"{base}/feed/ldes/{page.number + 1}"}
    stream = {key: value for key, value in stream_document(base).items() if key != "comment"}
    return {**stream, "view": node, "member": [_version(change, base) for change in page.changes]}


def _version(change: Change, base: str) -> Document:
    event = change.event
    uri = uri_of(change.kind, event.subject, base)
    node: Document = {
        "id": f"{base}/feed/versions/{change.position}",
        "type": change.activity,
        "isVersionOf": uri,
        "sequence": change.position,
    }
    if moment := jsonld.date_time(event.moment):
        node["generatedAtTime"] = moment
    if change.activity != "Delete":
        doc = version_document(record_of(change), base)
        doc.pop("@context")
        node["@graph"] = [doc]
    return node


def record_of(change: Change) -> Any:
    """Return the record as it stood after the event."""
    shape = SHAPES[change.kind]
    values = orjson.loads(change.event.payload)
    unpacked = {
        shape.fields[at]: tuple(element(x) for x in values.get(shape.fields[at], ())) for at, element in shape.packed
    }
    known = {name: value for name, value in values.items() if name in shape.fields}
    return change.kind(**{KEYS[change.kind]: change.event.subject} | known | unpacked)


def discovery_collection(base: str, events: int) -> Document:
    """Return the ordered collection of IIIF Change Discovery."""
    ends = {name: {"id": f"{base}/feed/activity/{at}", "type": "OrderedCollectionPage"} for name, at in _ends(events)}
    return {
        "@context": DISCOVERY,
        "id": f"{base}/feed/activity",
        "type": "OrderedCollection",
        "totalItems": events,
        **ends,
        "seeAlso": [{"id": f"{base}/feed", "type": "Dataset", "format": "application/ld+json"}],
    }


def _ends(events: int) -> Sequence[tuple[str, int]]:
    return ("first", 1), ("last", pages(events))


def discovery_page(page: FeedPage, base: str) -> Document:
    """Return one page as IIIF Change Discovery has it; readers walk from the last back to the first."""
    at = f"{base}/feed/activity/{{}}".format
    kind = "OrderedCollectionPage"
    beside = ({"prev": {"id": at(page.number - 1), "type": kind}} if page.number > 1 else {}) | (
        {"next": {"id": at(page.number + 1), "type": kind}} if page.full else {}
    )
    return {
        "@context": [DISCOVERY, {"identifying": "http://www.w3.org/ns/oa#identifying"}],
        "id": at(page.number),
        "type": kind,
        "partOf": {"id": f"{base}/feed/activity", "type": "OrderedCollection"},
        "startIndex": (page.number - 1) * PAGE,
        **beside,
        "orderedItems": [_activity(change, base) for change in page.changes],
    }


def _activity(change: Change, base: str) -> Document:
    types = {Identification: "Annotation", Label: "Annotation", Review: "Annotation", MediaFile: "Manifest"}
    uri = uri_of(change.kind, change.event.subject, base)
    target = {"id": uri, "type": types.get(change.kind, "Object")}
    if change.kind is MediaFile:
        target = {"id": f"{uri}/manifest.json", "type": "Manifest", "canonical": uri}
    done = {"endTime": change.event.moment} if jsonld.date_time(change.event.moment) else {}
    return {"id": f"{base}/feed/activity#{change.position}", "type": change.activity, "object": target, **done}
