"""Classes and taxa to Wikidata's items. In: subjects with names and keys. Out: one ``Link`` (or ``Failure``) each.

A taxon's item is sought by its identifiers (P846, P10585, P850) first, and by its name (P225) only where none has them.
``decided`` is pure: an item is linked when exactly one remains that nothing speaks against and enough speaks for; all
else is for a person to decide, with the candidates and what speaks for and against each. What is no taxon (a type of
mask, a continent) is sought by its words, and always left to a person unless its item was given.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from linkeddata import choice, names, wikidata
from linkeddata.choice import Statement
from linkeddata.client import Client
from linkeddata.errors import ServiceError, UnreachableError
from linkeddata.ids import APHIA_ID, COL_TAXON_ID, GBIF_TAXON_ID, TAXON_NAME, content_id
from linkeddata.nameindex.answers import NameAnswer, NameQuery
from linkeddata.records import Ancestor, Failure
from linkeddata.settings import Settings
from linkeddata.wikidata import Hit, Item

BATCH = 50
"""Subjects looked at together."""
LONGEST_CLIMB = 80
"""Parents (P171) gone up to a kingdom; Wikidata's longest chains are about sixty."""
SURE, CHECK, NONE = "sure", "check", "none"
"""How certain a link is: taken, left to a person, nothing found."""

Evidence = tuple[tuple[str, bool], ...]
"""What was compared, and whether it agrees; what is not known on both sides is not in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is to be linked: a class or a taxon, with what is known of it."""

    id: str
    label: str
    name: str = ""  # accepted canonical name; empty for what is no taxon
    authorship: str = ""
    rank: str = ""
    kingdom: str = ""  # as given with the label, else as the checklist has it
    item: str = ""  # as given
    gbif_key: str = ""
    col_id: str = ""
    aphia_id: str = ""
    checklist_key: str = ""
    lineage: tuple[Ancestor, ...] = ()
    moment: str = ""  # when the keys were read
    note: str = ""  # what was said when the name was resolved
    doubt: str = ""  # why the name itself is uncertain; then nothing is linked without a person


@dataclass(frozen=True, slots=True)
class Weighed:
    """One item that may be the subject, with what speaks for (True) and against it."""

    item: Item
    evidence: Evidence

    def says(self, what: str) -> bool | None:
        """Return whether one piece of evidence agrees; ``None`` where it is not known."""
        return dict(self.evidence).get(what)

    @property
    def by_key(self) -> bool:
        """Whether an identifier agrees."""
        return any(self.says(prop) for prop in KEYS)

    @property
    def against(self) -> tuple[str, ...]:
        """What speaks against it."""
        return tuple(what for what, agrees in self.evidence if not agrees)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a subject is linked to, or the candidates for a person to choose from."""

    subject: Subject
    certainty: str = NONE  # sure, check, none
    relation: str = "unlinked"  # exact, broad, close, unlinked
    item: Item | None = None  # only where it is sure
    weighed: tuple[Weighed, ...] = ()
    hits: tuple[Hit, ...] = ()  # of a search for words
    note: str = ""


_COMPARED = ("phylum", "class", "order", "family")
_YEAR = re.compile(r"\b1[5-9]\d\d\b|\b20\d\d\b")
KEYS = (GBIF_TAXON_ID, COL_TAXON_ID, APHIA_ID)
"""The properties that identify a taxon, in the order in which they are believed."""


def keys_of(subject: Subject) -> tuple[Statement, ...]:
    """Return the statements that the subject's item would make."""
    told = zip(KEYS, (subject.gbif_key, subject.col_id, subject.aphia_id), strict=True)
    return tuple((prop, value) for prop, value in told if value)


def with_answer(subject: Subject, answer: NameAnswer) -> Subject:
    """Return the subject with the name and keys that its label resolved to; what was given goes before.

    A key that was given and another that was found leave the found ones out. A name that was not found exactly, or only
    its genus, is a doubt.
    """
    if answer.match_type == "NONE":
        return replace(subject, note=answer.reason)
    apart = {
        "GBIF": (subject.gbif_key, answer.gbif_key),
        "COL": (subject.col_id, answer.col_id),
        "WoRMS": (subject.aphia_id, answer.aphia_id),
    }
    doubts = [
        f"{who} {own} was given, {found} was found"
        for who, (own, found) in apart.items()
        if own and found and own != found
    ]
    kingdom = choice.kingdom(answer.classification)
    if choice.apart(subject.kingdom, kingdom):
        doubts.append(f"{subject.kingdom} was given, {answer.accepted_name} is of {kingdom}")
    if answer.match_type not in ("EXACT", "IDENTIFIER", "VERNACULAR"):
        doubts.append(f"{answer.match_type.lower()} match: {answer.scientific_name}")
    return replace(
        subject,
        name=answer.accepted_canonical or answer.canonical_name,
        authorship=answer.accepted_authorship,
        rank=(answer.accepted_rank or answer.rank).lower(),
        kingdom=subject.kingdom or kingdom,
        item=subject.item or answer.item,
        gbif_key=subject.gbif_key or answer.gbif_key,
        col_id=subject.col_id or answer.col_id,
        aphia_id=subject.aphia_id or answer.aphia_id,
        checklist_key=answer.checklist_key,
        lineage=answer.classification,
        moment=answer.moment,
        note=answer.note,
        doubt=choice.notes(subject.doubt, *doubts),
    )


@dataclass(frozen=True, slots=True)
class Around:
    """What other items tell about one: its kingdom, all that it stands below (P171), and the authors of its name."""

    kingdom: str = ""
    above: tuple[Item, ...] = ()
    authors: tuple[Item, ...] = ()


NOTHING_AROUND = Around()


def weighed(subject: Subject, item: Item, around: Around = NOTHING_AROUND) -> Weighed:
    """Return what speaks for and against an item.

    >>> lion = Subject(id="1", label="lion", name="Panthera leo", rank="species", gbif_key="5219404")
    >>> weighed(lion, Item(id="Q140", names=("Panthera leo",), ranks=("species",), gbif_keys=("5219404",))).evidence
    (('P846', True), ('name', True), ('rank', True))
    """
    told = dict(zip(KEYS, (item.gbif_keys, item.col_ids, item.aphia_ids), strict=True))
    found: list[tuple[str, bool]] = [(prop, value in told[prop]) for prop, value in keys_of(subject) if told[prop]]
    if subject.name and item.names:
        found.append(("name", subject.name in item.names))
    if subject.rank and item.rank:
        found.append(("rank", subject.rank.lower() == item.rank))
    given, own = choice.KINGDOMS.get(subject.kingdom.casefold()), choice.KINGDOMS.get(around.kingdom.casefold())
    if given and own:
        found.append(("kingdom", given == own))
    if (agrees := _lineage_agrees(subject.lineage, around.above)) is not None:
        found.append(("parent", agrees))
    if any(_is_cited(author, subject.authorship) for author in around.authors):
        found.append(("author", True))
    years = _YEAR.findall(subject.authorship)
    if years and any(item.years):
        found.append(("year", not set(years).isdisjoint(item.years)))
    return Weighed(item, tuple(found))


def _lineage_agrees(lineage: Sequence[Ancestor], above: Sequence[Item]) -> bool | None:
    """Return whether two classifications meet below the kingdom; ``None`` where too little is known to say no.

    Checklists differ much in between, so that one name in common is enough; it takes two ranks that both know and name
    otherwise, and nothing in common, to say no.
    """
    own = {step.rank: step.name for step in lineage if step.name and step.rank != "kingdom"}
    names = {name for one in above for name in one.names}
    if not names.isdisjoint(own.values()):
        return True
    known = {one.rank for one in above if one.names}
    return False if len(known.intersection(own, _COMPARED)) > 1 else None


def _is_cited(author: Item, authorship: str) -> bool:
    """Say whether an author is one of an authorship's: as cited (P428, P835), or by the surname.

    >>> _is_cited(Item(id="Q1", label="Carl Linnaeus", citations=("L.",)), "(L.) Mill.")
    True
    >>> _is_cited(Item(id="Q2", label="Philip Miller", citations=("Mill.",)), "L.")
    False
    """
    parts = (part.strip() for part in re.split(r"[()]|\b(?:ex|in)\b|&|,", authorship))
    words = {part for part in parts if part}
    surname = author.label.split()[-1] if author.label else ""
    return not words.isdisjoint(author.citations) or (len(surname) > 2 and surname in authorship)


def decided(subject: Subject, candidates: Sequence[Weighed]) -> Link:
    """Return the link of a taxon. The first rule that holds decides:

    1. An item that is no taxon is refused.
    2. Of another kingdom, or of another rank or other parents without a key that agrees: it is another taxon.
    3. The only one left with a key that agrees, nothing against it: linked.
    4. Several of them: a tie.
    5. No key agrees: the only one left with the name, if kingdom, parent, author or year agrees and nothing is against.
    6. All else is left to a person.

    >>> lion = Subject(id="1", label="lion", name="Panthera leo", gbif_key="5219404")
    >>> item = Item(id="Q140", names=("Panthera leo",), gbif_keys=("5219404",))
    >>> decided(lion, [weighed(lion, item)]).certainty
    'sure'
    """
    taxa = [one for one in candidates if one.item.is_taxon]
    refused = [f"{one.item.id} is no taxon" for one in candidates if not one.item.is_taxon]
    elsewhere = [one for one in taxa if _is_another(one)]
    refused += [f"{one.item.id} is of another {' and '.join(one.against)}" for one in elsewhere]
    left = [one for one in taxa if one not in elsewhere]
    best, why = _best(left)
    notes = choice.notes(*refused, why, subject.doubt)
    if best is None or subject.doubt:
        return Link(subject=subject, certainty=CHECK if left else NONE, weighed=tuple(candidates), note=notes)
    moved = f"{best.item.redirected_from} redirects to {best.item.id}" if best.item.redirected_from else ""
    several = choice.key_note(best.item) if len(best.item.gbif_keys) > 1 else ""
    return Link(
        subject=subject,
        certainty=SURE,
        relation="exact",
        item=best.item,
        weighed=tuple(candidates),
        note=choice.notes(notes, moved, several),
    )


def _is_another(one: Weighed) -> bool:
    if one.says("kingdom") is False:
        return True
    return not one.by_key and (one.says("rank") is False or one.says("parent") is False)


def _best(left: Sequence[Weighed]) -> tuple[Weighed | None, str]:
    keyed = [one for one in left if one.by_key]
    if len(keyed) > 1:
        return None, f"tie of items: {', '.join(one.item.id for one in keyed)}"
    if keyed:
        [one] = keyed
        return (one, "") if not one.against else (None, f"{one.item.id} has another {' and '.join(one.against)}")
    named = [one for one in left if one.says("name")]
    if len(named) > 1:
        return None, f"tie of items by name: {', '.join(one.item.id for one in named)}"
    if not named:
        return None, ""
    [one] = named
    if one.against:
        return None, f"{one.item.id} has the name, but another {' and '.join(one.against)}"
    if any(one.says(what) for what in ("kingdom", "parent", "author", "year")):
        return one, ""
    return None, f"only the name speaks for {one.item.id}"


def given_link(subject: Subject, found: Item | None, around: Around = NOTHING_AROUND) -> Link:
    """Return the link to an item that was given with the subject; a taxon's must be a taxon, and fit."""
    if found is None:
        return Link(subject=subject, certainty=CHECK, note=f"Wikidata has no item {subject.item}")
    if not subject.name and not found.is_taxon:
        moved = f"{found.redirected_from} redirects to {found.id}" if found.redirected_from else ""
        return Link(subject=subject, certainty=SURE, relation="exact", item=found, note=moved)
    one = weighed(subject, found, around)
    if not found.is_taxon:
        return Link(subject=subject, certainty=CHECK, weighed=(one,), note=f"{found.id} is no taxon")
    if not one.against and not subject.doubt:
        moved = f"{found.redirected_from} redirects to {found.id}" if found.redirected_from else ""
        return Link(subject=subject, certainty=SURE, relation="exact", item=found, weighed=(one,), note=moved)
    against = f"{found.id} has another {' and '.join(one.against)}" if one.against else ""
    return Link(subject=subject, certainty=CHECK, weighed=(one,), note=choice.notes(against, subject.doubt))


def resolved(
    subjects: Iterable[Subject], ask: Callable[[Iterable[NameQuery]], Iterator[NameAnswer | Failure]]
) -> Iterator[Subject]:
    """Yield the subjects with the names and keys that ``ask`` finds for them, in order."""
    waiting: deque[Subject] = deque()

    def queries() -> Iterator[NameQuery]:
        for subject in subjects:
            waiting.append(subject)
            yield NameQuery(subject.label, authorship=subject.authorship, rank=subject.rank, kingdom=subject.kingdom)

    for answer in ask(queries()):
        subject = waiting.popleft()
        if isinstance(answer, Failure):
            yield replace(subject, doubt=f"its name was not looked up: {answer.reason}")
        else:
            yield with_answer(subject, answer)


def link(
    subjects: Iterable[Subject],
    client: Client,
    settings: Settings,
    *,
    moment: str,
    languages: Sequence[str] = ("nl", "en"),
) -> Iterator[Link | Failure]:
    """Yield what each subject is linked to, in order; what Wikidata did not answer is a ``Failure``."""
    reader = _Reader(client, settings, languages)
    waiting = iter(subjects)
    while batch := list(islice(waiting, BATCH)):
        try:
            yield from reader.links(batch)
        except ServiceError as error:
            reason = names.UNREACHABLE if isinstance(error, UnreachableError) else names.REFUSED
            for subject in batch:
                yield Failure(
                    id=content_id("link", subject.id, subject.label),
                    step="names",
                    subject=subject.label,
                    reason=reason,
                    detail=str(error),
                    moment=moment,
                )


class _Reader:
    """Asks Wikidata, many things in one request, each once."""

    def __init__(self, client: Client, settings: Settings, languages: Sequence[str]) -> None:
        self._client = client
        self._settings = settings
        self._languages = languages
        self._items: dict[str, Item | None] = {}

    def links(self, batch: Sequence[Subject]) -> list[Link]:
        """Return the links of a batch, in order."""
        self._fetch([subject.item for subject in batch if choice.is_item_id(subject.item)])
        searched = [subject for subject in batch if subject.name and not subject.item]
        found = self._bearers(searched, keys_of)
        nameless = [subject for subject in searched if not found[subject.id]]
        found |= self._bearers(nameless, lambda subject: ((TAXON_NAME, subject.name),))
        given = [item for subject in batch if (item := self._items.get(subject.item))]
        candidates = [*given, *(item for items in found.values() for item in items)]
        self._climb(candidates)
        self._fetch([author for item in candidates for author in item.authors])
        return [self._link(subject, found.get(subject.id, ())) for subject in batch]

    def _link(self, subject: Subject, found: Sequence[Item]) -> Link:
        if subject.item:
            item = self._items.get(subject.item)
            return given_link(subject, item, self._around(item) if item else NOTHING_AROUND)
        if subject.name:
            return decided(subject, [weighed(subject, item, self._around(item)) for item in found])
        return self._worded(subject)

    def _worded(self, subject: Subject) -> Link:
        """Return the items that are called so, for a person to choose from."""
        hits = {
            hit.id: hit
            for language in self._languages
            for hit in wikidata.items_called(self._client, self._settings, subject.label, language)
        }
        certainty = CHECK if hits else NONE
        return Link(subject=subject, certainty=certainty, hits=tuple(hits.values()), note=subject.note)

    def _bearers(
        self, subjects: Sequence[Subject], said: Callable[[Subject], Iterable[Statement]]
    ) -> dict[str, tuple[Item, ...]]:
        """Return, by the subject's id, the items that make one of its statements."""
        wanted = {subject.id: tuple(said(subject)) for subject in subjects}
        distinct = dict.fromkeys(statement for statements in wanted.values() for statement in statements)
        ids = wikidata.items_with(self._client, self._settings, distinct) if distinct else []
        self._fetch(ids)
        items = [item for hit in ids if (item := self._items.get(hit))]
        by_statement: dict[Statement, dict[str, Item]] = {statement: {} for statement in distinct}
        for item in items:
            for statement in _statements(item):
                if statement in by_statement:
                    by_statement[statement][item.id] = item
        return {
            key: tuple({i: item for one in statements for i, item in by_statement[one].items()}.values())
            for key, statements in wanted.items()
        }

    def _around(self, item: Item) -> Around:
        """Return what other items tell; the kingdom is that to which all parents lead, where they lead to one."""
        authors = tuple(found for key in item.authors if (found := self._items.get(key)))
        kingdoms: set[str] = set()
        above: dict[str, Item] = {}
        waiting = [found for key in item.parents if (found := self._items.get(key))]
        while waiting:
            at = waiting.pop()
            if at.id in above or at.id == item.id:
                continue
            above[at.id] = at
            if own := _kingdom_of(at):
                kingdoms.add(own)
            else:
                waiting += [found for key in at.parents if (found := self._items.get(key))]
        kingdoms = kingdoms or {_kingdom_of(item)}  # a kingdom's own parents lead to none
        return Around(kingdoms.pop() if len(kingdoms) == 1 else "", tuple(above.values()), authors)

    def _climb(self, items: Iterable[Item]) -> None:
        """Fetch the parents of items, and theirs, up to the kingdoms; those of a level together."""
        level = list(items)
        for height in range(LONGEST_CLIMB):
            open_ones = [one for one in level if not height or not _kingdom_of(one)]
            keys = [key for key in dict.fromkeys(k for one in open_ones for k in one.parents) if key not in self._items]
            if not keys:
                return
            self._fetch(keys)
            level = [item for key in keys if (item := self._items.get(key))]

    def _fetch(self, ids: Sequence[str]) -> None:
        wanted = [item for item in dict.fromkeys(ids) if item not in self._items and choice.is_item_id(item)]
        found = wikidata.items(self._client, self._settings, wanted, self._languages) if wanted else {}
        self._items |= {item: found.get(item) for item in wanted}


def _kingdom_of(item: Item) -> str:
    return next((choice.KINGDOMS[name.casefold()] for name in item.names if name.casefold() in choice.KINGDOMS), "")


def _statements(item: Item) -> Iterator[Statement]:
    told = (
        (GBIF_TAXON_ID, item.gbif_keys),
        (COL_TAXON_ID, item.col_ids),
        (APHIA_ID, item.aphia_ids),
        (TAXON_NAME, item.names),
    )
    for prop, values in told:
        for value in values:
            yield prop, value
