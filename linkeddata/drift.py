"""Keys that no longer mean what they meant. In: taxa and classes with their ids. Out: one ``Drift`` for each change.

Read again are: the Wikidata item (deleted, merged into another, no taxon any more, other keys), the numeric GBIF key
(dead, now a synonym, another accepted name), and the pair of numeric key and COL XR id, which holds only while the
backbone's usage is accepted and the Catalogue of Life matches it exactly and as accepted
(``/v2/species/match?scientificNameID=gbif:KEY``). A service that does not answer is a ``Failure``, and no drift.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from linkeddata import choice, gbif, names, wikidata
from linkeddata.client import Client
from linkeddata.errors import ServiceError, UnreachableError
from linkeddata.gbif import Match, Usage
from linkeddata.ids import content_id
from linkeddata.records import Failure, ModelClass, Taxon
from linkeddata.settings import Settings
from linkeddata.wikidata import Item

BATCH = 50
"""Kept ids looked at together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What we keep of one taxon, and in which records."""

    name: str = ""  # scientific; empty where we keep a label that may be a vernacular name
    item: str = ""
    gbif_key: str = ""
    col_id: str = ""
    subjects: tuple[str, ...] = ()  # class ids, and names as they were asked

    @property
    def shown(self) -> str:
        """What to call it."""
        return self.name or ", ".join(self.subjects) or self.item or self.gbif_key


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing that has changed; ``kind`` is few and fixed, so that it can be counted."""

    kept: Kept
    kind: str  # dead item, merged item, no taxon, other GBIF key, other COL id, dead key, synonym, other name, COL pair
    was: str
    now: str


def kept_of(taxa: Iterable[Taxon], classes: Iterable[ModelClass]) -> list[Kept]:
    """Return the distinct sets of ids in these records."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    known: set[str] = set()
    for taxon in taxa:
        if taxon.match_type != "NONE":
            known.add(taxon.name)
            found.setdefault((taxon.name, taxon.item, taxon.gbif_key, taxon.col_id), []).append(taxon.query)
    for one in classes:
        name = one.label if one.label in known or _is_scientific(one) else ""
        found.setdefault((name, one.item, one.gbif_key, one.col_id), []).append(one.id)
    return [
        Kept(name=name, item=item, gbif_key=key, col_id=col, subjects=tuple(subjects))
        for (name, item, key, col), subjects in found.items()
        if item or key or col
    ]


def _is_scientific(one: ModelClass) -> bool:
    """Say whether the label of a class is a scientific name: it begins with the class's own genus."""
    return any(step.rank == "genus" and one.label.split()[:1] == [step.name] for step in one.lineage)


def of_item(kept: Kept, found: Item | None) -> Iterator[Drift]:
    """Yield what has changed at Wikidata; ``found`` is ``None`` for an item that is gone."""
    if found is None:
        yield Drift(kept, "dead item", kept.item, "")
        return
    if found.id != kept.item:
        yield Drift(kept, "merged item", kept.item, found.id)
    if kept.gbif_key and not found.is_taxon:
        yield Drift(kept, "no taxon", kept.item, found.label)
    if kept.gbif_key and found.gbif_keys and kept.gbif_key not in found.gbif_keys:
        yield Drift(kept, "other GBIF key", kept.gbif_key, ", ".join(found.gbif_keys))
    if kept.col_id and found.col_ids and kept.col_id not in found.col_ids:
        yield Drift(kept, "other COL id", kept.col_id, ", ".join(found.col_ids))


def of_usage(kept: Kept, found: Usage | None) -> Iterator[Drift]:
    """Yield what has changed in the backbone; ``found`` is ``None`` for a key that is gone.

    >>> lion = Kept(name="Felis leo", gbif_key="1")
    >>> [(one.kind, one.now) for one in of_usage(lion, Usage(key="1", name="Panthera leo", status="ACCEPTED"))]
    [('other name', 'Panthera leo')]
    """
    if found is None or found.deleted:
        yield Drift(kept, "dead key", kept.gbif_key, "")
        return
    if found.status == "SYNONYM":
        yield Drift(kept, "synonym", kept.gbif_key, found.accepted_key)
    elif kept.name and found.name and kept.name != found.name:
        yield Drift(kept, "other name", kept.name, found.name)


def of_pair(kept: Kept, usage: Usage | None, match: Match) -> Iterator[Drift]:
    """Yield a pair of numeric key and COL id that no longer holds on both sides."""
    here = usage is not None and not usage.deleted and usage.status == "ACCEPTED"
    hit = match.usage
    there = hit is not None and match.match_type == "EXACT" and hit.status == "ACCEPTED" and hit.key == kept.col_id
    if not (here and there):
        shown = f"{match.match_type} {hit.status if hit else ''} {hit.key if hit else ''}".strip()
        backbone = usage.status if usage and not usage.deleted else "gone"
        yield Drift(kept, "COL pair", f"{kept.gbif_key} = {kept.col_id}", f"backbone {backbone}, COL {shown}")


def check(
    kept: Iterable[Kept],
    client: Client,
    settings: Settings,
    *,
    moment: str,
    progress: Callable[[int], None] = lambda done: None,
) -> Iterator[Drift | Failure]:
    """Yield what has changed, and what could not be asked."""
    waiting, done = iter(kept), 0
    while batch := list(islice(waiting, BATCH)):
        yield from _items(batch, client, settings, moment)
        for one in batch:
            yield from _keys(one, client, settings, moment)
        done += len(batch)
        progress(done)


def _items(batch: Sequence[Kept], client: Client, settings: Settings, moment: str) -> Iterator[Drift | Failure]:
    ids = list(dict.fromkeys(one.item for one in batch if choice.is_item_id(one.item)))
    try:
        found = wikidata.items(client, settings, ids) if ids else {}
    except ServiceError as error:
        yield from (_failure(one, error, moment) for one in batch if one.item)
        return
    for one in batch:
        if one.item:
            yield from of_item(one, found.get(one.item))


def _keys(one: Kept, client: Client, settings: Settings, moment: str) -> Iterator[Drift | Failure]:
    if not one.gbif_key:
        return
    try:
        usage = gbif.usage(client, settings, one.gbif_key)
        yield from of_usage(one, usage)
        if one.col_id:
            yield from of_pair(one, usage, gbif.carried_over(client, settings, one.gbif_key))
    except ServiceError as error:
        yield _failure(one, error, moment)


def _failure(one: Kept, error: ServiceError, moment: str) -> Failure:
    reason = names.UNREACHABLE if isinstance(error, UnreachableError) else names.REFUSED
    subject = one.shown
    return Failure(
        id=content_id("check", subject, one.gbif_key, one.item),
        step="names",
        subject=subject,
        reason=reason,
        detail=str(error),
        moment=moment,
    )
