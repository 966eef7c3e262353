"""What no longer stands: records that say so themselves, and such as were taken away. In: a store. Out: tombstones.

A record says so itself when its file is gone where it was published, when everybody who said a label took it back, when
a review was undone. A record that is not in the store any more was taken away by the log's last entry about it, which
says when and why. Documents of neither are in lists, dumps and the graph; the feed says ``Delete``.
"""

from dataclasses import dataclass

import orjson
from sqlalchemy import select

from linkeddata import nodes
from linkeddata.nodes import Document
from linkeddata.records import KEYS, Agent, Identification, Label, MediaFile, ModelClass, Record, Review, Taxon
from linkeddata.store import Store
from linkeddata.tables import EVENT, NAMES

FORMER: dict[type[Record], list[str]] = {
    Identification: ["Annotation", "Identification"],
    Label: ["Annotation"],
    Review: ["Annotation"],
    MediaFile: ["Image"],
    Taxon: ["Taxon"],
    ModelClass: ["Concept"],
    Agent: [],
}
"""What a tombstone says that there was."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A record that no longer stands: since when, why, and the key of the record that stands in its place."""

    kind: type[Record]
    key: str
    since: str
    reason: str
    successor: str = ""


def withdrawal(record: Record) -> Tombstone | None:
    """Return the tombstone of a record that says of itself that it no longer stands, None for any other.

    >>> withdrawal(MediaFile(iri="f")) is None
    True
    >>> withdrawal(MediaFile(iri="f", gone="2026-11-02T10:00:00Z")).reason
    'it was deleted where it was published'
    """
    since, reason = "", ""
    if isinstance(record, MediaFile) and record.gone:
        since, reason = record.gone, "it was deleted where it was published"
    elif isinstance(record, Label) and record.status == "withdrawn":
        since, reason = record.moment, "everybody who said it took it back"
    elif isinstance(record, Review) and record.undone:
        since, reason = record.undone, "its reviewer took it back"
    return Tombstone(type(record), getattr(record, KEYS[type(record)]), since, reason) if reason else None


STANDING: dict[type[Record], str] = {MediaFile: "gone = ''", Label: "status <> 'withdrawn'", Review: "undone = ''"}
"""The condition, in SQL, that those records in a table meet that ``withdrawal`` has nothing against."""


def tombstone_of(store: Store, kind: type[Record], key: str) -> Tombstone | None:
    """Return the tombstone of a record that was taken away and is not there, None where there never was one."""
    name = NAMES[kind]
    kinds = [f"{name}.{verb}" for verb in ("added", "changed", "removed")]
    query = select(EVENT.c.kind, EVENT.c.moment, EVENT.c.payload).where(EVENT.c.subject == key, EVENT.c.kind.in_(kinds))
    with store.reading() as connection:
        last = connection.execute(query.order_by(EVENT.c.seq.desc()).limit(1)).first()
    if last is None or last.kind != kinds[-1]:
        return None
    said = orjson.loads(last.payload)
    return Tombstone(kind, key, last.moment, said.get("reason", ""), said.get("successor", ""))


def tombstone_document(tombstone: Tombstone, uri: str, successor: str, base_url: str) -> Document:
    """Return the tombstone as an ``as:Tombstone`` (https://www.w3.org/TR/activitystreams-vocabulary/#dfn-tombstone)."""
    said = {
        "@context": f"{base_url.rstrip('/')}/context.jsonld",
        "id": uri,
        "type": "Tombstone",
        "formerType": ["Model"] if _is_model(tombstone) else FORMER[tombstone.kind],
        "deleted": nodes.date_time(tombstone.since),
        "comment": f"Withdrawn: {tombstone.reason}." if tombstone.reason else "Withdrawn.",
        "isReplacedBy": successor,
    }
    return {key: value for key, value in said.items() if value not in ("", [])}


def _is_model(tombstone: Tombstone) -> bool:
    """Tell whether it is of a whole version of a model, whose key is ``NAME@VERSION``, and not of a class."""
    return tombstone.kind is ModelClass and "/" not in tombstone.key
