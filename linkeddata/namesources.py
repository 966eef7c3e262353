"""Names asked of services. In: queries and the services to ask. Out: one ``NameAnswer`` or ``Failure`` each, in order.

Each source answers in its own right, unlike ``names.resolve``, which goes from one to the next until it has a taxon
with its Q-item. Of several sources the first one's answer is given, and who says otherwise stands in its note. A source
that is down is a ``Failure``, and never "no match".
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from linkeddata import choice, gbif, names, wikidata, worms
from linkeddata.answercache import AnswerCache
from linkeddata.client import Client
from linkeddata.errors import ServiceError, UnreachableError, UsageError
from linkeddata.gbif import Match, Usage
from linkeddata.ids import APHIA_ID, COL_TAXON_ID, COL_XR, GBIF_BACKBONE, GBIF_TAXON_ID, TAXON_NAME, content_id
from linkeddata.nameindex.answers import Candidate, NameAnswer, NameQuery
from linkeddata.nameindex.index import NameIndex
from linkeddata.nameindex.resolve import resolve_names
from linkeddata.records import Ancestor, Failure, Taxon
from linkeddata.settings import Settings
from linkeddata.wikidata import Item
from linkeddata.worms import AphiaRecord

BATCH = 50
"""Queries looked at together."""
SCHEMES = {"gbif": GBIF_TAXON_ID, "col": COL_TAXON_ID, "aphia": APHIA_ID, "aphiaid": APHIA_ID}
"""How an identifier begins that Wikidata can look up, and by which property."""

Answer = NameAnswer | Failure
Ask = Callable[[Iterable[NameQuery]], Iterator[Answer]]


@dataclass(frozen=True, slots=True)
class Services:
    """What is asked, when (ISO 8601, UTC), in which languages people may have written, and what is known already."""

    client: Client
    settings: Settings
    moment: str
    languages: tuple[str, ...] = ("nl", "en", "la")
    cache: AnswerCache | None = None
    index: NameIndex | None = None


Source = Callable[[Sequence[NameQuery], Services], list[Answer]]
"""Answers up to ``BATCH`` queries."""


def ask(sources: Sequence[str], services: Services) -> Ask:
    """Return who answers from these sources, the first of them before the others. Raises ``UsageError``."""
    if unknown := [name for name in sources if name not in SOURCES]:
        raise UsageError(f"there is no source {unknown[0]!r}; there are {', '.join(SOURCES)}")

    def answers(queries: Iterable[NameQuery]) -> Iterator[Answer]:
        silences: Counter[str] = Counter()
        waiting = iter(queries)
        while batch := list(islice(waiting, BATCH)):
            distinct = list(dict.fromkeys(batch))
            told = [_patient(name, distinct, services, silences) for name in sources]
            found = dict(zip(distinct, zip(*told, strict=True), strict=True))
            yield from (compared(dict(zip(sources, found[query], strict=True))) for query in batch)

    return answers


def compared(answers: Mapping[str, Answer]) -> Answer:
    """Return the first source's answer, with what others say otherwise; the first that answered, where it failed.

    Nothing found by those that answered is no answer while another did not: that is a failure.

    >>> one = NameAnswer(query="a", match_type="EXACT", accepted_canonical="Parus ater")
    >>> other = NameAnswer(query="a", match_type="EXACT", accepted_canonical="Periparus ater")
    >>> compared({"gbif": one, "worms": other}).note
    'worms says Periparus ater'
    """
    known = {name: answer for name, answer in answers.items() if isinstance(answer, NameAnswer)}
    if not known:
        return next(iter(answers.values()))
    first = next((name for name, answer in known.items() if answer.match_type != "NONE"), next(iter(known)))
    own = known[first]
    failed = [answer for answer in answers.values() if isinstance(answer, Failure)]
    if failed and own.match_type == "NONE":
        return failed[0]
    others = [f"{name} says {_said(answer)}" for name, answer in known.items() if _said(answer) != _said(own)]
    down = [f"{name} did not answer" for name, answer in answers.items() if isinstance(answer, Failure)]
    return own._replace(note=choice.notes(own.note, *others, *down))


def _said(answer: NameAnswer) -> str:
    if answer.match_type == "NONE":
        return f"nothing ({answer.reason.split(':')[0]})" if answer.reason else "nothing"
    return answer.accepted_canonical or answer.canonical_name


def _patient(name: str, batch: Sequence[NameQuery], services: Services, silences: Counter[str]) -> list[Answer]:
    """Ask a source about a batch; one that keeps silent is soon left alone, each of its names is a failure."""
    cache = services.cache if name != "index" else None
    known = cache.known(name, batch, services.moment) if cache else {}
    asked = [query for query in batch if query not in known]
    if silences[name] >= names.PATIENCE:
        trouble = UnreachableError(f"{name} did not answer {names.PATIENCE} times in a row", code="unreachable")
        found: list[Answer] = [_failure(query, trouble, services) for query in asked]
    else:
        found = SOURCES[name](asked, services) if asked else []
        down = [isinstance(answer, Failure) and answer.reason == names.UNREACHABLE for answer in found]
        silences[name] = silences[name] + 1 if down and all(down) else 0
    told = dict(zip(asked, found, strict=True))
    if cache:
        cache.keep(name, [(q, one) for q, one in told.items() if isinstance(one, NameAnswer)])
    return [merged(known.get(query) or told[query], query.merge_to) for query in batch]


def _each(one: Callable[[NameQuery, Services], NameAnswer]) -> Source:
    """Return a source that asks about one name after the other."""

    def source(batch: Sequence[NameQuery], services: Services) -> list[Answer]:
        found: list[Answer] = []
        for query in batch:
            try:
                found.append(one(query, services))
            except ServiceError as error:
                found.append(_failure(query, error, services))
                if isinstance(error, UnreachableError):
                    break
        unasked = UnreachableError("left alone after it did not answer", code="unreachable")
        return found + [_failure(query, unasked, services) for query in batch[len(found) :]]

    return source


def _failure(query: NameQuery, error: ServiceError, services: Services) -> Failure:
    reason = names.UNREACHABLE if isinstance(error, UnreachableError) else names.REFUSED
    asked = query.name or query.identifier
    return Failure(
        id=content_id("names", asked),
        step="names",
        subject=asked,
        reason=reason,
        detail=str(error),
        moment=services.moment,
    )


def _nothing(query: NameQuery, source: str, services: Services, reason: str, *among: Candidate) -> NameAnswer:
    asked = query.name or query.identifier
    return NameAnswer(query=asked, reason=reason, alternatives=among, source=source, moment=services.moment)


def _full_name(query: NameQuery) -> str:
    return choice.tidy(choice.joined(query.name, query.authorship))


def _higher(query: NameQuery) -> dict[str, str]:
    told = {
        "phylum": query.phylum,
        "class": query.class_,
        "order": query.order,
        "family": query.family,
        "genus": query.genus,
    }
    return {rank: name for rank, name in told.items() if name}


def _by_backbone(query: NameQuery, services: Services) -> NameAnswer:
    """Ask GBIF's numeric backbone, version 1."""
    client, settings = services.client, services.settings
    scheme, key = identifier_of(query)
    if scheme == "gbif":
        known = gbif.usage(client, settings, key)
        if known is None or known.deleted:
            return _nothing(query, "gbif", services, f"not found: GBIF has no key {key}")
        match = Match(match_type="IDENTIFIER", confidence=100, usage=known)
    elif scheme:
        return _nothing(query, "gbif", services, "not a name")
    else:
        context = {"rank": query.rank.upper(), "kingdom": query.kingdom, **_higher(query)}
        match = gbif.match(client, settings, _full_name(query), {k: v for k, v in context.items() if v})
    hit, reason = match.usage, "" if scheme else choice.doubt(match, query.name)
    if hit is None or reason:
        return _nothing(query, "gbif", services, reason, *map(_candidate, match.alternatives))
    full = hit if hit.status != "SYNONYM" or hit.accepted_key else gbif.usage(client, settings, hit.key)
    accepted = gbif.usage(client, settings, full.accepted_key) if full and full.accepted_key else None
    return _of_match(query, match, accepted or hit, "gbif", services)


def _by_col(query: NameQuery, services: Services) -> NameAnswer:
    """Ask the Catalogue of Life (XR), version 2."""
    if identifier_of(query)[0]:
        return _nothing(query, "col", services, "not a name")
    match = gbif.match_col(
        services.client,
        services.settings,
        _full_name(query),
        rank=query.rank,
        kingdom=query.kingdom,
        higher=_higher(query),
    )
    reason = choice.doubt(match, query.name)
    if match.usage is None or reason:
        return _nothing(query, "col", services, reason, *map(_candidate, match.alternatives))
    return _of_match(query, match, match.accepted or match.usage, "col", services)


def _of_match(query: NameQuery, match: Match, accepted: Usage, source: str, services: Services) -> NameAnswer:
    taxon = choice.of_match(match, accepted)
    hit = match.usage or accepted
    key = accepted.key
    return NameAnswer(
        query=query.name or query.identifier,
        usage_key=hit.key,
        accepted_usage_key=key if key != hit.key else "",
        scientific_name=hit.scientific_name,
        canonical_name=hit.name,
        rank=hit.rank.upper(),
        status=hit.status,
        match_type=match.match_type,
        confidence=match.confidence,
        accepted_name=choice.joined(accepted.name, accepted.authorship),
        gbif_key=key if source == "gbif" else "",
        col_id=key if source == "col" else "",
        checklist_key=GBIF_BACKBONE if source == "gbif" else COL_XR,
        note=taxon.reason,
        classification=accepted.lineage,
        accepted_canonical=accepted.name,
        accepted_authorship=accepted.authorship,
        accepted_rank=accepted.rank.upper(),
        alternatives=tuple(map(_candidate, match.alternatives)),
        source=source,
        moment=services.moment,
    )


def _candidate(match: Match) -> Candidate:
    hit = match.usage or Usage(key="")
    return Candidate(
        usage_key=hit.key,
        scientific_name=hit.scientific_name,
        canonical_name=hit.name,
        rank=hit.rank.upper(),
        status=hit.status,
        match_type=match.match_type,
        confidence=match.confidence,
        accepted_usage_key=hit.accepted_key,
        kingdom=choice.kingdom(hit.lineage),
        checklist_key=hit.checklist_key,
    )


def _worms(batch: Sequence[NameQuery], services: Services) -> list[Answer]:
    """Ask WoRMS about all names in one request; identifiers are no names."""
    asked = [query for query in batch if not identifier_of(query)[0]]
    try:
        found = worms.match_names(services.client, services.settings, [_full_name(query) for query in asked])
    except ServiceError as error:
        return [_failure(query, error, services) for query in batch]
    records = dict(zip(asked, found, strict=True))
    return [_of_aphia(query, records.get(query, ()), services) for query in batch]


def _of_aphia(query: NameQuery, records: Sequence[AphiaRecord], services: Services) -> NameAnswer:
    near = [one for one in records if query.kingdom.casefold() in ("", choice.kingdom(one.lineage).casefold())]
    record, reason = choice.choose_aphia(near, query.name)
    if record is None:
        why = "not found: only in another kingdom" if records and not near else reason or "not found"
        return _nothing(query, "worms", services, why)
    taxon = choice.of_aphia(record)
    return of_taxon(taxon)._replace(
        query=query.name,
        usage_key=record.aphia_id,
        accepted_usage_key=taxon.aphia_id if taxon.aphia_id != record.aphia_id else "",
        canonical_name=record.name,
        moment=services.moment,
    )


def _by_wikidata(query: NameQuery, services: Services) -> NameAnswer:
    """Ask Wikidata: an identifier by its property, a name by P225, other words by label and alias."""
    scheme, key = identifier_of(query)
    if scheme == "wikidata":
        ids = [key] if choice.is_item_id(key) else []
    elif scheme:
        ids = wikidata.items_with(services.client, services.settings, [(SCHEMES[scheme], key)])
    else:
        ids = _items_called(query.name, services)
    found = wikidata.items(services.client, services.settings, ids, services.languages) if ids else {}
    fitting = {item.id: item for item in found.values() if _is_meant(item, query, scheme, services.languages)}
    if len(fitting) != 1:
        told = ", ".join(f"{item.id} ({item.name or item.label})" for item in fitting.values())
        return _nothing(query, "wikidata", services, f"tie: {told}" if fitting else "not found")
    [item] = fitting.values()
    scientific = choice.tidy(query.name) in item.names
    kind = "IDENTIFIER" if scheme else "EXACT" if scientific else "VERNACULAR"
    taxon = replace(choice.of_item(item, None, None, services.languages), match_type=kind)
    only_key = item.gbif_keys[0] if len(item.gbif_keys) == 1 else ""
    note = choice.key_note(item) if len(item.gbif_keys) > 1 else ""
    return of_taxon(taxon)._replace(
        query=query.name or query.identifier,
        usage_key=item.id,
        gbif_key=only_key,
        checklist_key=GBIF_BACKBONE if only_key else "",
        note=note,
        moment=services.moment,
    )


def _items_called(name: str, services: Services) -> list[str]:
    client, settings = services.client, services.settings
    tidied = choice.tidy(name)
    found = wikidata.items_with(client, settings, [(TAXON_NAME, tidied)]) if tidied else []
    if found or not choice.is_wordlike(tidied):
        return found
    hits = [hit for language in services.languages for hit in wikidata.items_named(client, settings, tidied, language)]
    return list(dict.fromkeys(hits))


def _is_meant(item: Item, query: NameQuery, scheme: str, languages: Sequence[str]) -> bool:
    if not item.is_taxon:
        return False
    if scheme:
        return True
    ranked = not query.rank or not item.rank or query.rank.casefold() == item.rank
    return ranked and choice.bears(item, choice.tidy(query.name), languages)


def _all(batch: Sequence[NameQuery], services: Services) -> list[Answer]:
    """Ask GBIF, WoRMS and Wikidata one after the other, as a campaign does; a key is asked of whoever gave it."""
    keyed = [query for query in batch if identifier_of(query)[0] in SCHEMES]
    told = dict(zip(keyed, _each(_by_key)(keyed, services), strict=True))
    named = [query for query in batch if query not in told]
    sources = names.Sources(services.client, services.settings)
    asked = [query.identifier or choice.joined(query.name, query.authorship) for query in named]
    found = names.resolve(asked, sources, moment=services.moment)
    told |= {
        query: answer if isinstance(answer, Failure) else of_taxon(answer)
        for query, answer in zip(named, found, strict=True)
    }
    return [told[query] for query in batch]


def _by_key(query: NameQuery, services: Services) -> NameAnswer:
    return (_by_backbone if identifier_of(query)[0] == "gbif" else _by_wikidata)(query, services)


def _by_index(batch: Sequence[NameQuery], services: Services) -> list[Answer]:
    """Look into the name index, to set services beside it."""
    if services.index is None:
        raise UsageError("there is no name index to ask; --index names one, or the setting names_index")
    return list(resolve_names(services.index, batch))


SOURCES: dict[str, Source] = {
    "index": _by_index,
    "gbif": _each(_by_backbone),
    "col": _each(_by_col),
    "worms": _worms,
    "wikidata": _each(_by_wikidata),
    "all": _all,
}
"""Who can be asked."""


def identifier_of(query: NameQuery) -> tuple[str, str]:
    """Return the scheme and the key of a query that is an identifier, else two empty texts.

    >>> identifier_of(NameQuery("gbif:2435099")), identifier_of(NameQuery("Q140")), identifier_of(NameQuery("Parus"))
    (('gbif', '2435099'), ('wikidata', 'Q140'), ('', ''))
    """
    text = (query.identifier or query.name).strip()
    if choice.is_item_like(text):
        return "wikidata", text.upper()
    scheme, colon, key = text.partition(":")
    return (scheme.lower(), key.strip()) if colon and scheme.lower() in (*SCHEMES, "wikidata") else ("", "")


def of_taxon(taxon: Taxon) -> NameAnswer:
    """Return a resolved taxon as an answer; ``reason`` of what was found is a note there."""
    found = taxon.match_type != "NONE"
    key = taxon.gbif_key or taxon.aphia_id or taxon.col_id or taxon.item
    return NameAnswer(
        query=taxon.query,
        usage_key=key if found else "",
        scientific_name=taxon.matched_name,
        canonical_name=taxon.name,
        rank=taxon.rank.upper(),
        status=taxon.status,
        match_type=taxon.match_type,
        confidence=taxon.confidence,
        reason="" if found else taxon.reason,
        accepted_name=choice.joined(taxon.name, taxon.authorship),
        item=taxon.item,
        gbif_key=taxon.gbif_key,
        col_id=taxon.col_id,
        aphia_id=taxon.aphia_id,
        checklist_key=taxon.checklist_key,
        note=taxon.reason if found else "",
        classification=taxon.lineage,
        accepted_canonical=taxon.name,
        accepted_authorship=taxon.authorship,
        accepted_rank=taxon.rank.upper(),
        vernaculars=taxon.vernaculars,
        source=taxon.source,
        moment=taxon.moment,
    )


def merged(answer: Answer, rank: str) -> Answer:
    """Return the answer at ``rank`` where it is below that and its classification has a taxon of that rank."""
    if isinstance(answer, Failure) or not rank or answer.accepted_rank == rank.upper():
        return answer
    above = next((step for step in answer.classification if step.rank == rank.lower()), None)
    if above is None:
        return answer
    return answer._replace(
        accepted_usage_key=above.gbif_key,
        accepted_name=above.name,
        accepted_canonical=above.name,
        accepted_authorship="",
        accepted_rank=rank.upper(),
        item="",
        gbif_key=above.gbif_key if answer.checklist_key == GBIF_BACKBONE else "",
        col_id=above.gbif_key if answer.checklist_key == COL_XR else "",
        aphia_id="",
        classification=_above(answer.classification, above),
        vernaculars=(),
        note=choice.notes(answer.note, f"merged into its {rank}"),
    )


def _above(lineage: Sequence[Ancestor], step: Ancestor) -> tuple[Ancestor, ...]:
    return tuple(lineage[: lineage.index(step)])
