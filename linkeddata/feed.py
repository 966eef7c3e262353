"""The change feed: what was published, changed and withdrawn, in the log's order. In: a store. Out: pages, two dresses.

The published events of the log are numbered without gaps; page N holds numbers (N-1)·250+1 to N·250. A page that a
later event follows is full and never changes. It is worn in two dresses:

- a Linked Data Event Stream (https://w3id.org/ldes/specification): each event is a version of a record; the record's
  triples, made of nothing but the log's entry, stand in the graph named after the version (forms without graphs:
  ``linkeddata.feedforms``);
- IIIF Change Discovery 1.0 (https://iiif.io/api/discovery/1.0/): activities that name what to fetch again.

Versions name people by pseudonym only, never by name and never with their words, for what may be kept for ever cannot
be taken back. See docs/decisions.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from linkeddata import jsonld, nodes
from linkeddata.agents import agent_document
from linkeddata.nodes import Document
from linkeddata.records import Agent, Event, Identification, Label, MediaFile, Record, Review, Taxon
from linkeddata.reviews import review_document
from linkeddata.store import Store
from linkeddata.tables import NAMES, SHAPES
from linkeddata.uris import uri_of
from linkeddata.withdrawals import withdrawal

PAGE = 250
POLLING_SECONDS = 60
ACTIVITIES = {"added": "Create", "changed": "Update"}
DISCOVERY = "http://iiif.io/api/discovery/1/context.json"
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
_ENTRIES = """
    SELECT feed.position, event.seq, event.moment, event.agent, event.kind, event.subject, event.payload
    FROM feed JOIN event ON event.seq = feed.seq
    WHERE feed.position > ? AND feed.position <= ? ORDER BY feed.position
"""
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
        """Create, Update or Delete; what says of itself that it no longer stands is deleted."""
        may_say_so = self.kind in (MediaFile, Label, Review)
        if self.event.kind.endswith("removed") or (may_say_so and withdrawal(record_of(self)) is not None):
            return "Delete"
        return ACTIVITIES[self.event.kind.rpartition(".")[2]]


@dataclass(frozen=True, slots=True)
class FeedPage:
    """One page; ``full`` when a later event follows it, and then it never changes."""

    number: int
    changes: tuple[Change, ...]
    full: bool


def length(store: Store) -> int:
    """Return how many published events there are."""
    return store.rows("SELECT max(position) FROM feed")[0][0] or 0


def pages(events: int) -> int:
    """Return how many pages so many events fill; there is always one.

    >>> pages(0), pages(250), pages(251)
    (1, 1, 2)
    """
    return max(1, -(-events // PAGE))


def page_at(store: Store, number: int) -> FeedPage | None:
    """Return page ``number``, None where there is none (yet)."""
    start = (number - 1) * PAGE
    rows = store.rows(_ENTRIES, (start, start + PAGE + 1))
    if number < 1 or (not rows and number > 1):
        return None
    changes = tuple(
        Change(position, Event(seq=seq, moment=moment, agent=agent, kind=kind, subject=subject, payload=payload))
        for position, seq, moment, agent, kind, subject, payload in rows
    )
    return FeedPage(number, changes[:PAGE], len(changes) > PAGE)


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
    return _of_a_person(record, base)


def _of_a_person(record: Agent | Review, base: str) -> Document:
    """Return what is said of an agent or a review without a name and without a person's words."""
    if isinstance(record, Review):
        doc = review_document(replace(record, comment=""), base_url=base)
        doc.pop("generator")
        return doc
    person = record.kind not in ("SoftwareAgent", "Organization")
    doc = agent_document(replace(record, name="", homepage="") if person else record, base_url=base)
    doc.pop("comment", None)
    return doc


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
    uri, activity = uri_of(change.kind, event.subject, base), change.activity
    node: Document = {
        "id": f"{base}/feed/versions/{change.position}",
        "type": activity,
        "isVersionOf": uri,
        "sequence": change.position,
    }
    if moment := nodes.date_time(event.moment):
        node["generatedAtTime"] = moment
    if activity != "Delete":
        doc = version_document(record_of(change), base)
        doc.pop("@context")
        node["@graph"] = [doc]
    return node


def record_of(change: Change) -> Any:
    """Return the record as it stood after the event."""
    return SHAPES[change.kind].told(orjson.loads(change.event.payload), change.event.subject)


def full_page(store: Store, base: str, number: int) -> dict[str, bytes]:
    """Return a page that will not change, as JSON in both dresses, by name; nothing for any other."""
    page = page_at(store, number)
    if page is None or not page.full:
        return {}
    dresses = {"ldes": ldes_document(page, base), "activity": discovery_page(page, base)}
    return {f"{name}/{number}": orjson.dumps(doc) for name, doc in dresses.items()}


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
    done = {"endTime": change.event.moment} if nodes.date_time(change.event.moment) else {}
    return {"id": f"{base}/feed/activity#{change.position}", "type": change.activity, "object": target, **done}
