"""Names and Q-ids to taxa. In: queries. Out: one ``Taxon`` (or ``Failure``) a query, in order; each is asked once.

``docs/names.md`` tells the rules in the order applied; ``choice`` decides, this module only asks. Nothing found is a
``Taxon`` with match type NONE and its reason; a service that is down is a ``Failure``, never "nothing found".
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Concatenate, ParamSpec, TypeVar

from linkeddata import choice, gbif, wikidata, worms
from linkeddata.choice import Statement
from linkeddata.client import Client
from linkeddata.errors import ServiceError, UnreachableError
from linkeddata.gbif import Usage
from linkeddata.ids import TAXON_NAME, content_id
from linkeddata.nameindex.answers import NameQuery
from linkeddata.nameindex.index import NameIndex
from linkeddata.nameindex.resolve import resolve_names, to_taxon
from linkeddata.records import Ancestor, Failure, Taxon
from linkeddata.settings import Settings
from linkeddata.wikidata import Item
from linkeddata.worms import AphiaRecord

BATCH = 50
"""Queries looked at together: as many as Wikidata and WoRMS take in one request."""
LONGEST_CLIMB = 12
"""Parents asked for, one after another, for an item without a GBIF key."""
PATIENCE = 3
"""Times in a row that a service may fail to answer before it is left alone for the rest of the run."""

UNKNOWN_ITEM = "unknown item"
UNREACHABLE = "service unreachable"
REFUSED = "service refused"
"""The reasons of our failures."""

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Sources:
    """Where names are looked up, and the languages in which people may have written them.

    Where there is an ``index``, it answers in place of GBIF's match for names that it has with a key of GBIF or WoRMS.
    """

    client: Client
    settings: Settings
    languages: tuple[str, ...] = ("nl", "en")
    index: NameIndex | None = None


def resolve(queries: Iterable[str], sources: Sources, *, moment: str) -> Iterator[Taxon | Failure]:
    """Yield what each query resolves to, in order: Q-ids and verbatim names alike, streamed in batches of 50.

    ``moment`` (ISO 8601, UTC) is when this was asked. Nothing found is a ``Taxon`` with ``match_type`` NONE and a
    ``reason``; an item that does not exist, or a service that does not answer, is a ``Failure`` of that query alone.
    Raises ``ContactRequiredError`` where a public service would be asked without a contact address.
    """
    run = _Run(sources, moment)
    waiting = iter(queries)
    while batch := list(islice(waiting, BATCH)):
        run.add(batch)
        yield from map(run.answer, batch)


def is_ancestor(a: Taxon, b: Taxon) -> bool:
    """Say whether ``a`` stands above ``b``: its GBIF key is in the lineage of ``b``, or else its name with its rank.

    >>> above = (Ancestor("family", "Papilionidae", "9417"), Ancestor("genus", "Papilio", "10175914"))
    >>> paris = Taxon(query="Q977492", name="Papilio paris", rank="species", gbif_key="1937911", lineage=above)
    >>> is_ancestor(Taxon(query="Papilio", name="Papilio", rank="genus", gbif_key="10175914"), paris)
    True
    >>> is_ancestor(Taxon(query="Delias", name="Delias", rank="genus", gbif_key="1919351"), paris)
    False
    >>> is_ancestor(paris, paris)
    False
    """
    return any(_is_step(a, step) for step in b.lineage)


def _is_step(taxon: Taxon, step: Ancestor) -> bool:
    if taxon.gbif_key and step.gbif_key:
        return taxon.gbif_key == step.gbif_key
    return bool(taxon.name) and (taxon.name, taxon.rank) == (step.name, step.rank)


class _Run:
    """One run of ``resolve``: what was already asked and answered, and which service has stopped answering."""

    def __init__(self, sources: Sources, moment: str) -> None:
        self._sources = sources
        self._moment = moment
        self._answers: dict[str, Taxon | Failure] = {}
        self._items: dict[str, Item | ServiceError | None] = {}
        self._usages: dict[str, Usage | None] = {}
        self._bearers: dict[Statement, tuple[Item, ...] | ServiceError] = {}
        self._silences: Counter[str] = Counter()

    def add(self, queries: Sequence[str]) -> None:
        """Find the answers to those of ``queries`` that were not asked before."""
        fresh = [query for query in dict.fromkeys(map(choice.tidy, queries)) if query not in self._answers]
        ids = [query for query in fresh if choice.is_item_like(query)]
        self._fetch_items([item for item in ids if choice.is_item_id(item)])
        self._fetch_parents(ids)
        for item in ids:
            self._answers[item] = self._guarded(item, self._by_id, item)
        self._add_names([query for query in fresh if query not in self._answers])

    def answer(self, query: str) -> Taxon | Failure:
        """Return the answer to a query that was added, under the words in which it was asked."""
        found = self._answers[choice.tidy(query)]
        if isinstance(found, Failure):
            return replace(found, id=content_id("names", query), subject=query)
        return choice.with_concept(replace(found, query=query, moment=self._moment))

    def _add_names(self, names: Sequence[str]) -> None:
        drafts = {name: self._guarded(name, self._by_backbone, name) for name in names}
        self._ask_worms(drafts)
        for name in [name for name in names if choice.is_open(drafts[name]) and choice.is_wordlike(name)]:
            drafts[name] = self._guarded(name, self._by_words, name, drafts[name])
        found = [taxon for taxon in drafts.values() if isinstance(taxon, Taxon) and choice.is_unlinked(taxon)]
        self._fetch_bearers(map(choice.identifier, found))
        for name, draft in drafts.items():
            self._answers[name] = self._guarded(name, self._linked, draft) if draft in found else draft

    def _by_id(self, asked: str) -> Taxon | Failure:
        item = self._item(asked) if choice.is_item_id(asked) else None
        if item is None:
            return self._failure(asked, UNKNOWN_ITEM, "Wikidata has no such item: deleted, or never made")
        if not item.is_taxon:
            return Taxon(query=asked, source="wikidata", reason=f"not a taxon: {item.label or item.id}")
        return self._of_item(item)

    def _of_item(self, item: Item) -> Taxon:
        hit = self._usage(item.gbif_keys[0]) if len(item.gbif_keys) == 1 else None
        if hit is None:
            return replace(choice.of_item(item, None, None, self._sources.languages), lineage=self._lineage(item))
        accepted = self._accepted(hit)
        taxon = choice.of_item(item, hit, accepted, self._sources.languages)
        return taxon if accepted.key == hit.key else self._moved(taxon)

    def _moved(self, taxon: Taxon) -> Taxon:
        """Return the taxon of an item for a synonym under the accepted taxon's own item, where there is exactly one."""
        own, note = choice.choose_item(self._identified(taxon))
        if own is None or own.id == taxon.item:
            return replace(taxon, reason=choice.notes(taxon.reason, note))
        moved = replace(
            taxon, col_id="", aphia_id="", reason=choice.notes(taxon.reason, f"{taxon.item} leads to {own.id}")
        )
        return choice.with_item(moved, own, self._sources.languages)

    def _lineage(self, item: Item) -> tuple[Ancestor, ...]:
        """Return the ancestors of an item without one usable key: what its keys agree on, else those of its parents."""
        usages = [usage for key in item.gbif_keys if (usage := self._usage(key))]
        return choice.shared_lineage([self._accepted(usage).lineage for usage in usages]) or self._climbed(item)

    def _climbed(self, item: Item) -> tuple[Ancestor, ...]:
        """Return ancestors by P171, up to the first that GBIF knows; two parents are not decided between."""
        steps: list[Ancestor] = []
        for _ in range(LONGEST_CLIMB):
            parent = self._item(item.parents[0]) if len(item.parents) == 1 else None
            if parent is None or not parent.is_taxon:
                break
            hit = self._usage(parent.gbif_keys[0]) if len(parent.gbif_keys) == 1 else None
            if hit is not None:
                known = self._accepted(hit)
                return (*known.lineage, Ancestor(known.rank, known.name, known.key), *reversed(steps))
            steps.append(Ancestor(parent.rank, parent.name))
            item = parent
        return tuple(reversed(steps))

    def _by_backbone(self, name: str) -> Taxon:
        known = self._by_index(name)
        if known is not None:
            return known
        match = self._ask("GBIF", gbif.match, name)
        reason = choice.doubt(match, name)
        if reason or match.usage is None:
            return Taxon(query=name, source="gbif", reason=reason)
        return choice.of_match(match, self._accepted(match.usage))

    def _by_index(self, name: str) -> Taxon | None:
        """Return what the index has for a name, a tie included; ``None`` where GBIF must be asked."""
        if self._sources.index is None:
            return None
        [answer] = resolve_names(self._sources.index, [NameQuery(name)])
        taxon = to_taxon(answer, self._moment)
        is_tie = answer.match_type == "NONE" and not choice.is_open(taxon)
        return taxon if is_tie or taxon.gbif_key or taxon.aphia_id else None

    def _ask_worms(self, drafts: dict[str, Taxon | Failure]) -> None:
        """Ask WoRMS, in one request, for the names that GBIF does not have."""
        names = [name for name, draft in drafts.items() if choice.is_open(draft)]
        try:
            found = self._ask("WoRMS", worms.match_names, names) if names else []
        except ServiceError as error:
            drafts |= {name: self._unanswered(name, error) for name in names}
            return
        for name, records in zip(names, found, strict=True):
            record, reason = choice.choose_aphia(records, name)
            if record is not None:
                drafts[name] = self._guarded(name, self._by_aphia, record)
            elif reason:
                drafts[name] = Taxon(query=name, source="worms", reason=reason)

    def _by_aphia(self, record: AphiaRecord) -> Taxon:
        """Return the taxon of a WoRMS record, with GBIF's key when GBIF knows the accepted name in the same kingdom."""
        told = choice.of_aphia(record)
        full_name = choice.joined(told.name, told.authorship)
        match = self._ask("GBIF", gbif.match, full_name)
        if match.match_type != "EXACT" or match.usage is None or choice.doubt(match, full_name):
            return told
        known = choice.of_match(match, self._accepted(match.usage))
        if choice.kingdom(known.lineage) != choice.kingdom(told.lineage):
            return told
        return replace(
            known,
            aphia_id=told.aphia_id,
            matched_name=told.matched_name,
            match_type=told.match_type,
            confidence=0,
            status=told.status,
            source="worms",
            reason=choice.notes(told.reason, known.reason),
        )

    def _by_words(self, name: str, draft: Taxon | Failure) -> Taxon | Failure:
        """Return the taxon that bears a vernacular name; the draft where none does, a tie where several do."""
        languages = self._sources.languages
        searched = [self._ask("Wikidata", wikidata.items_named, name, language) for language in languages]
        ids = list(dict.fromkeys(item for hits in searched for item in hits))
        self._fetch_items(ids)
        bearers = {item.id: item for hit in ids if (item := self._item(hit)) and choice.bears(item, name, languages)}
        if not bearers:
            return draft
        if len(bearers) > 1:
            listed = ", ".join(f"{item.id} ({item.name})" for item in bearers.values())
            return Taxon(query=name, source="wikidata", reason=f"tie: {listed}")
        [item] = bearers.values()
        scientific = name.casefold() in {own.casefold() for own in item.names}
        return replace(self._of_item(item), matched_name=name, match_type="EXACT" if scientific else "VERNACULAR")

    def _linked(self, taxon: Taxon) -> Taxon:
        kingdom = choice.kingdom(taxon.lineage)
        full_name = choice.joined(taxon.name, taxon.authorship)
        if not taxon.col_id:
            col = self._ask("GBIF", gbif.match_col, full_name, rank=taxon.rank, kingdom=kingdom)
            taxon = replace(taxon, col_id=choice.col_id_of(col, taxon.name))
        item, note = choice.choose_item(self._identified(taxon) or self._named(taxon))
        if item is None:
            return replace(taxon, reason=choice.notes(taxon.reason, note))
        return choice.linked(taxon, item, self._sources.languages)

    def _identified(self, taxon: Taxon) -> list[Item]:
        statement = choice.identifier(taxon)
        self._fetch_bearers([statement])
        found = [item for item in _raised(self._bearers[statement]) if choice.fits_by_key(item, taxon)]
        return self._of_kingdom(found, taxon) if len(found) > 1 else found

    def _named(self, taxon: Taxon) -> list[Item]:
        statement = (TAXON_NAME, taxon.name)
        self._fetch_bearers([statement])
        found = [item for item in _raised(self._bearers[statement]) if choice.fits_by_name(item, taxon)]
        return self._of_kingdom(found, taxon)

    def _of_kingdom(self, items: Sequence[Item], taxon: Taxon) -> list[Item]:
        """Return the items whose parents do not lead to another kingdom than the taxon's."""
        own = choice.kingdom(taxon.lineage)
        return [item for item in items if not choice.apart(own, choice.kingdom(self._climbed(item)))]

    def _fetch_bearers(self, statements: Iterable[Statement]) -> None:
        wanted = [statement for statement in dict.fromkeys(statements) if statement not in self._bearers]
        if not wanted:
            return
        try:
            ids = self._ask("Wikidata", wikidata.items_with, wanted)
            self._fetch_items(ids)
            found = [item for hit in ids if (item := self._item(hit))]
        except ServiceError as error:
            self._bearers |= dict.fromkeys(wanted, error)
            return
        self._bearers |= {one: tuple(item for item in found if choice.says(item, one)) for one in wanted}

    def _item(self, asked: str) -> Item | None:
        self._fetch_items([asked])
        return _raised(self._items[asked])

    def _fetch_items(self, ids: Sequence[str]) -> None:
        wanted = [item for item in dict.fromkeys(ids) if item not in self._items]
        for start in range(0, len(wanted), wikidata.BATCH):
            self._fetch_batch(wanted[start : start + wikidata.BATCH])

    def _fetch_parents(self, ids: Sequence[str]) -> None:
        """Fetch, together, the parents of those items whose lineage GBIF will not tell."""
        items = [item for asked in ids if isinstance(item := self._items.get(asked), Item)]
        self._fetch_items([item.parents[0] for item in items if not item.gbif_keys and len(item.parents) == 1])

    def _fetch_batch(self, ids: Sequence[str]) -> None:
        """Fetch up to 50 items; a batch that is refused is asked again item by item, so that one spoils no other."""
        try:
            found = self._ask("Wikidata", wikidata.items, ids, self._sources.languages)
        except ServiceError as error:
            if len(ids) > 1 and not isinstance(error, UnreachableError):
                for item in ids:
                    self._fetch_batch([item])
            else:
                self._items |= dict.fromkeys(ids, error)
            return
        self._items |= {item: found.get(item) for item in ids}

    def _usage(self, key: str) -> Usage | None:
        """Return the backbone's usage; ``None`` where it has no such key, or has deleted it."""
        if key not in self._usages:
            found = self._ask("GBIF", gbif.usage, key)
            self._usages[key] = None if found is None or found.deleted else found
        return self._usages[key]

    def _accepted(self, hit: Usage) -> Usage:
        """Return what a synonym leads to; any other usage, and a synonym that leads nowhere, is returned itself."""
        if hit.status != "SYNONYM":
            return hit
        full = hit if hit.accepted_key else self._usage(hit.key)
        return (self._usage(full.accepted_key) if full and full.accepted_key else None) or hit

    def _ask(
        self,
        service: str,
        question: Callable[Concatenate[Client, Settings, Asked], Answer],
        *args: Asked.args,
        **kwargs: Asked.kwargs,
    ) -> Answer:
        if self._silences[service] >= PATIENCE:
            raise UnreachableError(f"{service} did not answer {PATIENCE} times in a row", code="unreachable")
        try:
            answer = question(self._sources.client, self._sources.settings, *args, **kwargs)
        except UnreachableError:
            self._silences[service] += 1
            raise
        self._silences[service] = 0
        return answer

    def _guarded(
        self, query: str, step: Callable[Asked, Taxon | Failure], *args: Asked.args, **kwargs: Asked.kwargs
    ) -> Taxon | Failure:
        try:
            return step(*args, **kwargs)
        except ServiceError as error:
            return self._unanswered(query, error)

    def _unanswered(self, query: str, error: ServiceError) -> Failure:
        reason = UNREACHABLE if isinstance(error, UnreachableError) else REFUSED
        return self._failure(query, reason, str(error))

    def _failure(self, query: str, reason: str, detail: str) -> Failure:
        return Failure(
            id=content_id("names", query),
            step="names",
            subject=query,
            reason=reason,
            detail=detail,
            moment=self._moment,
        )


def _raised(held: Answer | ServiceError) -> Answer:
    if isinstance(held, ServiceError):
        raise held
    return held
