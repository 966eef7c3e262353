"""Which documents stand in the published graph, and which of them an entry of the log changes. In: a store. Out: keys.

A document is named by its kind and its record's key. The kinds are those of ``KINDS``; a model's document is made of
all its classes, and its key is ``NAME@VERSION``.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Self

from linkeddata import ids, iris, jsonld, modeldocuments
from linkeddata.agents import agent_document
from linkeddata.documents import identification_documents, label_documents, review_documents
from linkeddata.nodes import Document
from linkeddata.records import KEYS, Agent, Event, Identification, Label, MediaFile, ModelClass, Record, Review, Taxon
from linkeddata.sayings import Said, Sorter
from linkeddata.settings import VERSION
from linkeddata.store import Store
from linkeddata.withdrawals import withdrawal

Key = tuple[str, str]
"""A document: what kind it is of, and its record's key; for a model, ``NAME@VERSION``."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How the documents of one kind of record are made, and where they are."""

    record: type[Record]
    made: Callable[[Store, Sequence[Any], str], Iterable[Document]]
    place: Callable[[str, str], str]
    own: bool = False
    """Whether the document alone tells of what has its IRI."""


def _placed(kind: str) -> Callable[[str, str], str]:
    return lambda base, key: iris.uri(base, kind, key)


KINDS: dict[str, Kind] = {
    "media_file": Kind(
        MediaFile,
        lambda store, found, base: (jsonld.media_document(one, base_url=base) for one in found),
        iris.media_uri,
    ),
    "taxon": Kind(
        Taxon,
        lambda store, found, base: (jsonld.taxon_document(one, base_url=base) for one in found),
        _placed("taxa"),
    ),
    "identification": Kind(Identification, identification_documents, _placed("identifications"), own=True),
    "label": Kind(Label, label_documents, _placed("labels"), own=True),
    "review": Kind(Review, review_documents, _placed("reviews"), own=True),
    "agent": Kind(
        Agent,
        lambda store, found, base: (agent_document(one, base_url=base) for one in found),
        lambda base, key: iris.agent_uri(key, base),
    ),
}
"""Kinds of documents by what their records are called in the log; beside them there are models."""

MADE_BY = (
    "agents.py",
    "answerers.py",
    "context.jsonld",
    "contexts.py",
    "documents.py",
    "graphbooks.py",
    "graphdocuments.py",
    "ids.py",
    "iris.py",
    "jsonld.py",
    "lineages.py",
    "modeldocuments.py",
    "nodes.py",
    "percents.py",
    "quads.py",
    "reviews.py",
    "sayings.py",
    "targets.py",
    "taxonnodes.py",
    "uris.py",
    "why.py",
    "withdrawals.py",
)
"""The files of ours that decide what a document says in the graph."""


def shape() -> str:
    """Return a mark of how documents are made: it is another one as soon as they may say something else."""
    digest = hashlib.sha256(VERSION.encode())
    for name in MADE_BY:
        digest.update((files("linkeddata") / name).read_bytes())
    return digest.hexdigest()[:16]


def iri(key: Key, base: str) -> str:
    """Return the IRI of a document."""
    kind, name = key
    if kind in KINDS:
        return KINDS[kind].place(base, name)
    model, _, version = name.rpartition("@")
    return iris.model_uri(base, model, version)


def said(store: Store, keys: Sequence[Key], sorter: Sorter) -> dict[str, Said | None]:
    """Return what the documents say now, by their IRIs; None for those that are gone."""
    wanted: dict[str, list[str]] = {}
    found: dict[str, Said | None] = {}
    for key in keys:
        wanted.setdefault(key[0], []).append(key[1])
        found[iri(key, sorter.base)] = None
    for kind, names in wanted.items():
        if kind in KINDS:
            record = KINDS[kind].record
            found |= said_of(kind, store, store.among(record, KEYS[record], names), sorter)
    for name in wanted.get("model", []):
        model, _, version = name.rpartition("@")
        if classes := list(store.each(ModelClass, model=model, version=version)):
            place = iri(("model", name), sorter.base)
            found[place] = sorter.said(place, modeldocuments.model_document(classes, base_url=sorter.base), own=False)
    return found


def said_of(kind: str, store: Store, records: Sequence[Any], sorter: Sorter) -> dict[str, Said]:
    """Return what the documents of these records say, by their IRIs; what was withdrawn says nothing."""
    name, made = KEYS[KINDS[kind].record], KINDS[kind]
    records = [one for one in records if withdrawal(one) is None]
    places = (made.place(sorter.base, getattr(one, name)) for one in records)
    docs = made.made(store, records, sorter.base)
    return {place: sorter.said(place, doc, own=made.own) for place, doc in zip(places, docs, strict=True)}


def models(store: Store) -> list[str]:
    """Return ``NAME@VERSION`` of every model."""
    return sorted({f"{one.model}@{one.version}" for one in store.each(ModelClass)})


@dataclass(slots=True)
class Changed:
    """The documents that events change: those of the records themselves, and those that tell of them."""

    keys: dict[Key, None] = field(default_factory=dict)

    @classmethod
    def by(cls, store: Store, events: Iterable[Event], taxa_said: Callable[[Collection[Key]], Iterable[str]]) -> Self:
        """Return what the events change, by what the store holds now.

        ``taxa_said`` says of which taxa documents told until now: what they are called may be another taxon by now.
        """
        subjects: dict[str, dict[str, None]] = {}
        for event in events:
            subjects.setdefault(event.kind.partition(".")[0], {})[event.subject] = None
        changed = cls()
        for kind in KINDS:
            changed.add(kind, subjects.get(kind, {}))
        changed.add("model", {key.rpartition("/")[0] for key in subjects.get("model_class", {})})
        changed._around("file", store, subjects.get("media_file", {}))
        changed._around_taxa(store, list(subjects.get("taxon", {})), taxa_said)
        agents = subjects.get("agent", {})
        changed.add("identification", (one.id for one in store.among(Identification, "agent", agents)))
        changed.add("review", (one.id for one in store.among(Review, "agent", agents)))
        return changed

    def add(self, kind: str, keys: Iterable[str]) -> None:
        """Add the documents of one kind with these keys."""
        self.keys.update(((kind, key), None) for key in keys)

    def _around(self, name: str, store: Store, values: Collection[str]) -> None:
        """Add the identifications and labels whose field ``name`` has one of these values."""
        if values:
            self.add("identification", (one.id for one in store.among(Identification, name, values)))
            self.add("label", (one.id for one in store.among(Label, name, values)))

    def _around_taxa(
        self, store: Store, queries: Sequence[str], taxa_said: Callable[[Collection[Key]], Iterable[str]]
    ) -> None:
        if not queries:
            return
        taxa = store.among(Taxon, "query", queries)
        iris = list(taxa_said([("taxon", query) for query in queries]))
        items = {one.item for one in taxa if one.item} | set(_after(ids.WIKIDATA_ENTITY, iris))
        keys = {one.gbif_key for one in taxa if one.gbif_key} | set(_after(ids.GBIF_SPECIES, iris))
        self._around("item", store, items)
        self._around("gbif_key", store, keys)
        concepts = {one.concept for one in taxa if one.concept} | items | {f"gbif:{key}" for key in keys}
        self.add("review", (one.id for one in store.among(Review, "correction", concepts)))


def _after(beginning: str, iris: Iterable[str]) -> Iterator[str]:
    return (one.removeprefix(beginning) for one in iris if one.startswith(beginning))
