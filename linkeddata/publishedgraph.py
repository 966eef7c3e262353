"""What is published as one graph on disk, kept in step with the log. In: the store. Out: an Oxigraph store, snapshots.

The graph holds the triples of every document: identifications, labels, files, taxa, model versions. Its default graph
is what queries see. For each document a named graph, which queries do not see, holds what it says of things that others
speak of, too (the taxon, the file, the software): such a triple goes when the last document that says it is gone.

The position in the log stands in the graph itself and is written after what it vouches for. Oxigraph writes in order
and ahead, so a kill at any moment leaves a position that is not too high, and applying events again changes nothing.

Queries are put to snapshots (hard links, made beside the graph), never to the graph that is being written: a query
cannot hold up the log, and may be killed.
"""

import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice, pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, RdfFormat, Triple, parse
from pyoxigraph import Store as Oxigraph

from linkeddata import ids, jsonld
from linkeddata.documents import identification_documents, label_documents
from linkeddata.errors import StoreError
from linkeddata.jsonld import Document
from linkeddata.records import Event, Identification, Label, MediaFile, ModelClass, Taxon
from linkeddata.settings import VERSION
from linkeddata.store import Store

BATCH = 2000
"""Events applied together."""
REST_S = 0.3
"""How long the log is let be when there is nothing new in it."""
SNAPSHOT_S = 2.0
"""Shortest time between two snapshots."""
KEPT_S = 120.0
"""How long a snapshot stays after a newer one is there, for queries that still read it."""
SNAPSHOT = "at-"
GRAPH = "graph"
"""Name of the folder in home."""

_BOOKS = NamedNode("urn:deboodt:log")
_POSITION = NamedNode("urn:deboodt:log#position")
_MADE_FOR = NamedNode("urn:deboodt:log#made-for")
_SHOWN = DefaultGraph()
_COVERED = ("identification", "label", "media_file", "taxon", "model_class", "agent")

Key = tuple[str, str]
"""A document: what kind it is of, and its record's key; for a model, ``NAME@VERSION``."""


@dataclass(slots=True)
class PublishedGraph:
    """The graph in ``folder``. One process may write it at a time. Raises ``StoreError`` where it cannot be opened."""

    folder: Path
    base_url: str
    graph: Oxigraph = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.graph = self._opened()
        made_for = f"{VERSION} {self.base_url.rstrip('/')}"
        stamps = [quad.object for quad in self.graph.quads_for_pattern(_BOOKS, _MADE_FOR, None, _BOOKS)]
        if [made_for] != [stamp.value for stamp in stamps if isinstance(stamp, Literal)]:
            self.graph.clear()  # made by another version, or for another address: made again from the log's beginning
            for old in self.folder.glob(f"{SNAPSHOT}*"):
                shutil.rmtree(old)
            self.graph.add(Quad(_BOOKS, _MADE_FOR, Literal(made_for), _BOOKS))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the graph back, so that another process may write it."""
        del self.graph

    def _opened(self) -> Oxigraph:
        try:
            return Oxigraph(str(self.folder / "graph"))
        except (OSError, ValueError) as error:
            raise StoreError(f"the published graph in {self.folder} cannot be opened: {error}") from error

    @property
    def position(self) -> int:
        """The log's sequence number up to which everything is in the graph; 0 before the first."""
        found = [quad.object for quad in self.graph.quads_for_pattern(_BOOKS, _POSITION, None, _BOOKS)]
        return max((int(one.value) for one in found if isinstance(one, Literal)), default=0)

    def follow(self, store: Store, going: Callable[[], bool], rest: Callable[[float], None] = time.sleep) -> None:
        """Keep the graph in step with the store's log, and a snapshot in step with the graph, while ``going``."""
        taken = 0.0
        while going():
            moved = self.advance(store)
            due = time.monotonic() - taken >= SNAPSHOT_S
            if due and newest(self.folder) != self._snapshot_path():
                self.snapshot()
                taken = time.monotonic()
            if not moved:
                rest(REST_S)

    def catch_up(self, store: Store) -> int:
        """Apply all of the log that is not in the graph yet, and take a snapshot; return the number of events."""
        total = 0
        while moved := self.advance(store):
            total += moved
        self.snapshot()
        return total

    def advance(self, store: Store) -> int:
        """Apply the next events of the log; return how many there were."""
        position = self.position
        events = list(islice(store.events(position), BATCH))
        if not events:
            return 0
        changed = _Changed.by(store, events)
        changed.around_taxa(store, self._taxa_said(changed.keys))
        self._apply(list(changed.keys), store)
        self._mark(position, events[-1].seq)
        return len(events)

    def _mark(self, old: int, new: int) -> None:
        self.graph.add(_mark(new))
        if old:
            self.graph.remove(_mark(old))

    def _taxa_said(self, keys: Iterable[Key]) -> set[str]:
        """Return the IRIs under which the graph has the taxa among ``keys``: what they are now may be another taxon."""
        names = [_graph_name(key) for key in keys if key[0] == "taxon"]
        quads = (quad for name in names for quad in self.graph.quads_for_pattern(None, None, None, name))
        return {quad.subject.value for quad in quads if isinstance(quad.subject, NamedNode)}

    def _apply(self, keys: Sequence[Key], store: Store) -> None:
        for start in range(0, len(keys), BATCH):
            piece = keys[start : start + BATCH]
            self._replace(piece, _documents(store, piece, self.base_url))

    def _replace(self, keys: Sequence[Key], docs: dict[Key, Document]) -> None:
        """Put what documents say now in the place of what they said before; a document that is gone says nothing."""
        said = _triples(docs, self.base_url)
        added: list[Quad] = []
        dropped: list[tuple[NamedNode, Triple]] = []
        for key in keys:
            name = _graph_name(key)
            own = self._own(key)
            now = said.get(name.value, set())
            before = self._said_before(name, own)
            dropped += [(name, triple) for triple in before - now]
            for triple in now - before:
                added.append(_quad(triple, _SHOWN))
                if not _is_own(triple, own):
                    added.append(_quad(triple, name))
        self.graph.extend(added)
        for name, triple in dropped:
            self._drop(name, triple)

    def _own(self, key: Key) -> str:
        """Return the IRI whose node, with what hangs on it, only this document describes; ``""`` if there is none."""
        kind, name = key
        places = {"identification": "identifications", "label": "labels"}
        return jsonld.uri(self.base_url.rstrip("/"), places[kind], name) if kind in places else ""

    def _said_before(self, name: NamedNode, own: str) -> set[Triple]:
        found = {quad.triple for quad in self.graph.quads_for_pattern(None, None, None, name)}
        waiting = [NamedNode(own)] if own else []
        seen = set(waiting)
        while waiting:
            for quad in self.graph.quads_for_pattern(waiting.pop(), None, None, _SHOWN):
                found.add(quad.triple)
                thing = quad.object
                if isinstance(thing, NamedNode) and thing not in seen and thing.value.startswith(f"{own}#"):
                    seen.add(thing)
                    waiting.append(thing)
        return found

    def _drop(self, name: NamedNode, triple: Triple) -> None:
        """Forget that a document said a triple; first of all where queries see it, unless others say it still."""
        holders = {
            quad.graph_name
            for quad in self.graph.quads_for_pattern(triple.subject, triple.predicate, triple.object, None)
        }
        if not holders - {_SHOWN, name}:
            self.graph.remove(_quad(triple, _SHOWN))
        self.graph.remove(_quad(triple, name))

    def _snapshot_path(self) -> Path:
        return self.folder / f"{SNAPSHOT}{self.position:015d}"

    def snapshot(self) -> Path:
        """Make what the graph holds now visible to queries, and put away what no query reads any more."""
        path = self._snapshot_path()
        if not path.exists():
            made = self.folder / f"new-{path.name}"
            shutil.rmtree(made, ignore_errors=True)
            self.graph.backup(str(made))
            made.rename(path)
        there = sorted(self.folder.glob(f"{SNAPSHOT}*"))
        for old, follower in pairwise(there):
            if time.time() - follower.stat().st_ctime > KEPT_S:
                shutil.rmtree(old, ignore_errors=True)
        return path


def newest(folder: Path) -> Path | None:
    """Return the newest snapshot in ``folder``, ``None`` where there is none yet."""
    return max(folder.glob(f"{SNAPSHOT}*"), default=None)


def position_of(snapshot: Path | None) -> int:
    """Return up to which sequence number of the log a snapshot knows what is published.

    >>> position_of(Path("at-000000000000042")), position_of(None)
    (42, 0)
    """
    return int(snapshot.name.removeprefix(SNAPSHOT)) if snapshot else 0


def forget(folder: Path) -> None:
    """Take the graph away, to be made again from the log. Raises ``StoreError`` while somebody writes it."""
    if not folder.exists():
        return
    PublishedGraph(folder, "").close()
    shutil.rmtree(folder)


def _quad(triple: Triple, graph: NamedNode | DefaultGraph) -> Quad:
    return Quad(triple.subject, triple.predicate, triple.object, graph)


def _mark(position: int) -> Quad:
    return Quad(_BOOKS, _POSITION, Literal(str(position)), _BOOKS)


def _graph_name(key: Key) -> NamedNode:
    return NamedNode(f"urn:deboodt:{jsonld.uri('', key[0], key[1])[1:].replace('/', ':')}")


def _is_own(triple: Triple, own: str) -> bool:
    subject = triple.subject
    return (
        bool(own) and isinstance(subject, NamedNode) and (subject.value == own or subject.value.startswith(f"{own}#"))
    )


def _triples(docs: dict[Key, Document], base_url: str) -> dict[str, set[Triple]]:
    """Return what documents say: name of a document's graph → triples."""
    bare = [
        {"@id": _graph_name(key).value, "@graph": [{k: v for k, v in doc.items() if k != "@context"}]}
        for key, doc in docs.items()
    ]
    said: dict[str, set[Triple]] = {}
    whole = orjson.dumps({**jsonld.context(base_url), "@graph": bare})
    for quad in parse(whole, format=RdfFormat.JSON_LD):
        if isinstance(quad.graph_name, NamedNode):
            said.setdefault(quad.graph_name.value, set()).add(_as_kept(quad.triple))
    return said


def _as_kept(triple: Triple) -> Triple:
    """Return the triple as it is read back: Oxigraph keeps a number's value, not how it was written."""
    thing = triple.object
    if isinstance(thing, Literal) and thing.datatype.value in _VALUES:
        return Triple(triple.subject, triple.predicate, _as_value(thing))
    return triple


@lru_cache(100_000)
def _as_value(thing: Literal) -> Any:
    scratch = Oxigraph()
    scratch.add(Quad(_BOOKS, _POSITION, thing))
    return next(iter(scratch)).object


_XSD = "http://www.w3.org/2001/XMLSchema#"
_VALUES = frozenset(
    _XSD + name
    for name in ("double", "float", "decimal", "integer", "boolean", "dateTime", "date", "gYear", "duration")
)


def _documents(store: Store, keys: Sequence[Key], base_url: str) -> dict[Key, Document]:
    """Return the documents as they are now; those that are gone are left out."""
    wanted: dict[str, list[str]] = {}
    for kind, key in keys:
        wanted.setdefault(kind, []).append(key)
    made: dict[Key, Document] = {}
    answers = store.among(Identification, "id", wanted.get("identification", []))
    labels = store.among(Label, "id", wanted.get("label", []))
    for answer, doc in zip(answers, identification_documents(store, answers, base_url), strict=True):
        made["identification", answer.id] = doc
    for label, doc in zip(labels, label_documents(store, labels, base_url), strict=True):
        made["label", label.id] = doc
    for media in store.among(MediaFile, "iri", wanted.get("media_file", [])):
        made["media_file", media.iri] = jsonld.media_document(media, base_url=base_url)
    for taxon in store.among(Taxon, "query", wanted.get("taxon", [])):
        made["taxon", taxon.query] = jsonld.taxon_document(taxon, base_url=base_url)
    for name in wanted.get("model", []):
        model, _, version = name.rpartition("@")
        if classes := list(store.each(ModelClass, model=model, version=version)):
            made["model", name] = jsonld.model_document(classes, base_url=base_url)
    return made


@dataclass(slots=True)
class _Changed:
    """The documents that events change: those of the records themselves, and those that tell of them."""

    keys: dict[Key, None] = field(default_factory=dict)

    @classmethod
    def by(cls, store: Store, events: Iterable[Event]) -> Self:
        """Return what the events change, by what the store holds now."""
        changed = cls()
        subjects: dict[str, dict[str, Event]] = {}
        for event in events:
            kind = event.kind.partition(".")[0]
            if kind in _COVERED:
                subjects.setdefault(kind, {})[event.subject] = event
        for kind in ("identification", "label", "media_file", "taxon"):
            changed.add(kind, subjects.get(kind, {}))
        changed.add("model", {key.rpartition("/")[0] for key in subjects.get("model_class", {})})
        changed._around_files(store, list(subjects.get("media_file", {})))
        taxa = store.among(Taxon, "query", subjects.get("taxon", {}))
        changed.around_taxa(store, {ids.WIKIDATA_ENTITY + taxon.item for taxon in taxa if taxon.item})
        changed.around_taxa(store, {ids.GBIF_SPECIES + taxon.gbif_key for taxon in taxa if taxon.gbif_key})
        changed._around_agents(store, subjects.get("agent", {}))
        return changed

    def add(self, kind: str, keys: Iterable[str]) -> None:
        """Add the documents of one kind with these keys."""
        self.keys.update(((kind, key), None) for key in keys)

    def _around_files(self, store: Store, files: list[str]) -> None:
        self.add("identification", (one.id for one in store.among(Identification, "file", files)))
        self.add("label", (one.id for one in store.among(Label, "file", files)))

    def around_taxa(self, store: Store, iris: Iterable[str]) -> None:
        """Add what tells of the taxa with these IRIs."""
        found = list(iris)
        for field_name, space in (("item", ids.WIKIDATA_ENTITY), ("gbif_key", ids.GBIF_SPECIES)):
            keys = {iri.removeprefix(space) for iri in found if iri.startswith(space)}
            if keys:
                self.add("identification", (one.id for one in store.among(Identification, field_name, keys)))
                self.add("label", (one.id for one in store.among(Label, field_name, keys)))

    def _around_agents(self, store: Store, agents: Iterable[str]) -> None:
        if found := set(agents):
            self.add("identification", (one.id for one in store.among(Identification, "agent", found)))
