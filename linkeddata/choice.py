"""What is chosen among the answers of GBIF, WoRMS and Wikidata: pure functions of parsed records.

In: ``gbif.Match`` and ``Usage``, ``worms.AphiaRecord``, ``wikidata.Item``. Out: a ``Taxon`` whose ``query`` and
``moment`` are still to be filled in, a choice, or the reason why there is none. ``docs/names.md`` tells the rules.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

from linkeddata.gbif import Match, Usage
from linkeddata.ids import APHIA_ID, COL_TAXON_ID, GBIF_TAXON_ID, TAXON_NAME
from linkeddata.records import Ancestor, Failure, Taxon
from linkeddata.wikidata import LARGEST_ITEM, Item
from linkeddata.worms import AphiaRecord

LEAST_CONFIDENCE = 80
"""Below this a match is not taken; the recorded backbone answers show that GBIF itself gives nothing lower."""
SHORT_WORD = 5
"""A single word of so many letters or fewer is never matched fuzzily."""

KINGDOMS = {
    "animalia": "Animalia",
    "metazoa": "Animalia",
    "plantae": "Plantae",
    "viridiplantae": "Plantae",
    "fungi": "Fungi",
    "bacteria": "Bacteria",
    "archaea": "Archaea",
    "viruses": "Viruses",
    "virus": "Viruses",
}
"""Kingdoms on which checklists agree, by what they are called. Chromista and Protozoa are not among them: what one
checklist puts there another calls a plant, an animal or nothing."""


_ITEM_LIKE = re.compile(r"[Qq]\d+")
_ITEM = re.compile(r"Q[1-9]\d*")
_CODE = re.compile(r"[:/]|[^\W\d]\d|\d[^\W\d]")
_AUTHOR = re.compile(r"[^\W\d_]+(?=\)?,? \(?\d{4}\b)|[^\W\d_]+(?= & )|(?<=& )[^\W\d_]+|(?<=\()[^\W\d_]+")
_WORDS = re.compile(r"[^\W\d_]+(?:[ '’.-]+[^\W\d_]+){0,5}")

Statement = tuple[str, str]
"""Property and value of a Wikidata statement."""


def tidy(query: str) -> str:
    """Return the spelling under which a query is asked: single blanks, a capital first, authors with capitals.

    Only a text in small letters, or in capitals, throughout has its other capitals changed; codes are left alone.

    >>> tidy("  parus   caeruleus linnaeus, 1758 ")
    'Parus caeruleus Linnaeus, 1758'
    >>> tidy("CYANISTES CAERULEUS (LINNAEUS, 1758)")
    'Cyanistes caeruleus (Linnaeus, 1758)'
    >>> tidy("q140"), tidy("BOLD:AAX3687"), tidy("pimpelmees")
    ('Q140', 'BOLD:AAX3687', 'Pimpelmees')
    """
    text = " ".join(unicodedata.normalize("NFC", query).replace("_", " ").split())
    if _ITEM_LIKE.fullmatch(text):
        return text.upper()
    first, rest = text[:1].capitalize(), text[1:]
    if rest in (rest.lower(), rest.upper()) and not _CODE.search(text):
        rest = _AUTHOR.sub(lambda found: found.group().capitalize(), rest.lower())
    return first + rest


def doubt(match: Match, name: str) -> str:
    """Return why GBIF's match of ``name`` is not taken, ``""`` when it is. The first rule that holds says why:

    1. GBIF has nothing, several equals (a tie, told with its candidates) or too little confidence;
    2. the answer does not state how it matched;
    3. the confidence is below ``LEAST_CONFIDENCE``;
    4. the usage is a placeholder ("? schraetser") and no name;
    5. one short word was matched fuzzily.

    >>> doubt(Match(match_type="FUZZY", confidence=95, usage=Usage(key="1", name="Koa", scientific_name="Koa")), "Koe")
    'low confidence: Koa for one short word'
    """
    found = match.usage
    if match.match_type == "NONE" or found is None:
        return _why_none(match)
    if not match.match_type:
        return f"low confidence: GBIF does not say how it matched {found.scientific_name}"
    if match.confidence < LEAST_CONFIDENCE:
        return f"low confidence: {found.scientific_name} at {match.confidence}"
    if not found.scientific_name[:1].isalpha() and found.scientific_name[:1] != "×":
        return f"not a name: {found.scientific_name}"
    if match.match_type == "FUZZY" and _is_short(name):
        return f"low confidence: {found.scientific_name} for one short word"
    return ""


def _why_none(match: Match) -> str:
    if match.note.startswith("Multiple equal matches"):
        exact = [other for other in match.alternatives if other.match_type == "EXACT"]
        among = exact or match.alternatives
        best = max((other.confidence for other in among), default=0)
        equals = [_shown(other.usage) for other in among if other.confidence == best and other.usage]
        return f"tie: {', '.join(equals)}" if equals else "tie"
    return "low confidence" if "too little confidence" in match.note else "not found"


def _shown(usage: Usage) -> str:
    return f"{usage.scientific_name} ({kingdom(usage.lineage) or usage.rank}, gbif:{usage.key})"


def homonyms(match: Match) -> str:
    """Return a note on equal names in another kingdom than the one matched, ``""`` when there are none."""
    if match.usage is None:
        return ""
    own = kingdom(match.usage.lineage)
    others = [other.usage for other in match.alternatives if other.match_type == "EXACT" and other.usage]
    abroad = [_shown(usage) for usage in others if own and kingdom(usage.lineage) not in ("", own)]
    return f"also a name elsewhere: {', '.join(abroad)}" if abroad else ""


def of_match(match: Match, accepted: Usage) -> Taxon:
    """Return the taxon of a GBIF match: ``accepted`` is the usage matched, or the one it is a synonym of."""
    hit = match.usage or accepted
    return _of_usage(accepted, hit, match.match_type, match.confidence, "gbif", homonyms(match))


def _of_usage(accepted: Usage, hit: Usage, match_type: str, confidence: int, source: str, note: str = "") -> Taxon:
    spelling = {
        "HIGHERRANK": f"only the {accepted.rank or 'taxon'} {accepted.name} above it is known",
        "FUZZY": f"spelt {hit.name}",
    }
    return Taxon(
        query="",
        name=accepted.name,
        authorship=accepted.authorship,
        rank=accepted.rank,
        gbif_key=accepted.key,
        checklist_key=accepted.checklist_key,
        lineage=accepted.lineage,
        matched_name=hit.scientific_name,
        match_type=match_type,
        confidence=confidence,
        status=hit.status,
        source=source,
        reason=notes(spelling.get(match_type, ""), _synonymy(hit, accepted), note),
    )


def _synonymy(hit: Usage, accepted: Usage) -> str:
    if hit.status != "SYNONYM":
        return ""
    if hit.key == accepted.key:
        return f"{hit.scientific_name} is a synonym; GBIF does not say of what"
    return f"{hit.scientific_name} is a synonym of {accepted.name}"


def of_item(item: Item, hit: Usage | None, accepted: Usage | None, languages: Sequence[str]) -> Taxon:
    """Return the taxon of an item; ``hit`` is the usage with its only GBIF key, ``accepted`` what that leads to.

    Without a usage, name and rank are Wikidata's, and the notes say what stands in the way of a key.
    """
    if hit is not None and accepted is not None:
        told = _of_usage(accepted, hit, "IDENTIFIER", 0, "wikidata", _other_name(item, hit.name))
    else:
        told = Taxon(query="", name=item.name, match_type="IDENTIFIER", source="wikidata", reason=key_note(item))
    redirect = f"{item.redirected_from} redirects to {item.id}" if item.redirected_from else ""
    told = replace(told, matched_name=item.name or item.label, reason=notes(redirect, _names_note(item), told.reason))
    return with_item(told, item, languages)


def _other_name(item: Item, name: str) -> str:
    return f"Wikidata has {item.name} where GBIF has {name}" if item.name and name not in item.names else ""


def _names_note(item: Item) -> str:
    if not item.names:
        return "Wikidata gives no taxon name"
    return f"several names: {', '.join(item.names)}" if len(item.names) > 1 else ""


def key_note(item: Item) -> str:
    if not item.gbif_keys:
        return ""
    if len(item.gbif_keys) == 1:
        return f"GBIF has no key {item.gbif_keys[0]}"
    many = "two" if len(item.gbif_keys) == 2 else str(len(item.gbif_keys))
    return f"{many} GBIF keys: {', '.join(sorted(item.gbif_keys, key=lambda key: (len(key), key)))}"


def linked(taxon: Taxon, item: Item, languages: Sequence[str]) -> Taxon:
    """Return a taxon found by name, linked to its item; several keys of the item and another name there are noted."""
    keys = key_note(item) if len(item.gbif_keys) > 1 else ""
    name = _other_name(item, taxon.name) if taxon.gbif_key else ""
    return with_item(replace(taxon, reason=notes(taxon.reason, keys, name)), item, languages)


def with_item(taxon: Taxon, item: Item, languages: Sequence[str]) -> Taxon:
    """Return the taxon linked to an item, with the ids and vernacular names that the item has and the taxon lacks."""
    col_id = item.col_ids[0] if len(item.col_ids) == 1 else ""
    differs = f"Wikidata has COL id {', '.join(item.col_ids)}" if taxon.col_id not in ("", *item.col_ids) else ""
    several = f"several COL ids: {', '.join(item.col_ids)}" if len(item.col_ids) > 1 else ""
    return replace(
        taxon,
        item=item.id,
        rank=taxon.rank or item.rank,
        col_id=taxon.col_id or col_id,
        aphia_id=taxon.aphia_id or (item.aphia_ids[0] if len(item.aphia_ids) == 1 else ""),
        vernaculars=vernaculars(item, languages),
        reason=notes(taxon.reason, several or (differs if item.col_ids else "")),
    )


def vernaculars(item: Item, languages: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return the item's vernacular names in these languages: its labels that are no scientific names, and its P1843."""
    scientific = {name.casefold() for name in item.names}
    told = (pair for pair in (*item.labels, *item.vernaculars) if pair[0] in languages)
    kept: dict[tuple[str, str], tuple[str, str]] = {}
    for language, name in told:
        if name.casefold() not in scientific:
            kept.setdefault((language, name.casefold()), (language, name))
    return tuple(kept.values())


def of_aphia(record: AphiaRecord) -> Taxon:
    """Return the taxon that a WoRMS record leads to, by its accepted name."""
    known = bool(record.valid_id and record.valid_name)
    name = record.valid_name if known else record.name
    lineage = tuple(step for step in record.lineage if step.rank != "genus" or record.name == name)
    if " " in name and record.name != name:  # the genus of another combination is the first word of that
        lineage = (*lineage, Ancestor("genus", name.split()[0]))
    return Taxon(
        query="",
        name=name,
        authorship=record.valid_authorship if known else record.authorship,
        rank=record.rank,
        aphia_id=record.valid_id if known else record.aphia_id,
        lineage=lineage,
        matched_name=joined(record.name, record.authorship),
        match_type=record.match_type,
        status=record.status,
        source="worms",
        reason=notes(
            f"spelt {record.name}" if record.match_type == "FUZZY" else "",
            f"{joined(record.name, record.authorship)} is a synonym of {name}" if record.status == "SYNONYM" else "",
        ),
    )


def choose_aphia(records: Sequence[AphiaRecord], name: str) -> tuple[AphiaRecord | None, str]:
    """Return the record that answers ``name``, exact before fuzzy; a tie when they lead to several accepted names."""
    exact = [record for record in records if record.match_type == "EXACT"]
    fuzzy = [record for record in records if record.match_type == "FUZZY" and not _is_short(name)]
    best = exact or fuzzy
    if len({record.valid_id or record.aphia_id for record in best}) > 1:
        listed = (f"{joined(record.name, record.authorship)} (aphia:{record.aphia_id})" for record in best)
        return None, f"tie: {', '.join(listed)}"
    return (best[0], "") if best else (None, "")


def choose_item(bearers: Sequence[Item]) -> tuple[Item | None, str]:
    """Return the one item among those that fit, and a note when several do: a tie is not decided.

    >>> choose_item([Item(id="Q9990001"), Item(id="Q9990002")])
    (None, 'not linked, tie of items: Q9990001, Q9990002')
    """
    distinct = {item.id: item for item in bearers}
    if len(distinct) > 1:
        return None, f"not linked, tie of items: {', '.join(distinct)}"
    return next(iter(distinct.values()), None), ""


def says(item: Item, statement: Statement) -> bool:
    """Say whether a taxon item makes the statement that a search found it by; an index may lag, and ignores case."""
    prop, value = statement
    told = {
        GBIF_TAXON_ID: item.gbif_keys,
        COL_TAXON_ID: item.col_ids,
        APHIA_ID: item.aphia_ids,
        TAXON_NAME: item.names,
    }
    return item.is_taxon and value in told[prop]


def fits_by_key(item: Item, taxon: Taxon) -> bool:
    """Say whether an item that has the taxon's identifier may be the taxon; one with several keys, only by its name."""
    return says(item, identifier(taxon)) and (len(item.gbif_keys) < 2 or taxon.name in item.names)


def fits_by_name(item: Item, taxon: Taxon) -> bool:
    """Say whether an item of the same name may be the taxon: same rank where both have one, and no other GBIF key."""
    return (
        says(item, (TAXON_NAME, taxon.name))
        and (not item.rank or not taxon.rank or item.rank == taxon.rank)
        and (not item.gbif_keys or not taxon.gbif_key or taxon.gbif_key in item.gbif_keys)
    )


def bears(item: Item, words: str, languages: Sequence[str]) -> bool:
    """Say whether a taxon item has ``words`` as label, alias or vernacular in these languages, or as its name."""
    told = [*item.labels, *item.aliases, *item.vernaculars]
    spoken = {name.casefold() for language, name in told if language in (*languages, "mul")}
    return item.is_taxon and words.casefold() in spoken | {name.casefold() for name in item.names}


def is_wordlike(name: str) -> bool:
    """Say whether a name may be a vernacular: one to six words of letters, without years, brackets and codes.

    >>> is_wordlike("Rode admiraal"), is_wordlike("Parus caeruleus Linnaeus, 1758")
    (True, False)
    """
    return bool(_WORDS.fullmatch(name))


def col_id_of(match: Match, name: str) -> str:
    """Return the Catalogue of Life's id if it has the name exactly and as accepted; else ``""``, never a guess."""
    found = match.usage
    sure = found is not None and match.match_type == "EXACT" and found.status == "ACCEPTED" and found.name == name
    return found.key if found is not None and sure else ""


def shared_lineage(lineages: Sequence[tuple[Ancestor, ...]]) -> tuple[Ancestor, ...]:
    """Return the ancestors, from the root down, on which all lineages agree.

    >>> animals = Ancestor("kingdom", "Animalia", "1")
    >>> shared_lineage([(animals, Ancestor("phylum", "Chordata", "44")), (animals,)]) == (animals,)
    True
    """
    steps = takewhile(lambda step: len(set(step)) == 1, zip(*lineages, strict=False))
    return tuple(step[0] for step in steps)


def with_concept(taxon: Taxon) -> Taxon:
    """Return the taxon with its concept: Q-item, else GBIF key, else AphiaID; empty for what was not found."""
    known = (
        taxon.item,
        f"gbif:{taxon.gbif_key}" * bool(taxon.gbif_key),
        f"aphia:{taxon.aphia_id}" * bool(taxon.aphia_id),
    )
    return replace(taxon, concept=next(filter(None, known), "") if taxon.match_type != "NONE" else "")


def _is_short(name: str) -> bool:
    return " " not in name and len(name) <= SHORT_WORD


def is_open(draft: Taxon | Failure) -> bool:
    """Say whether other sources may still answer: nothing was found, and not because too much was."""
    return isinstance(draft, Taxon) and draft.match_type == "NONE" and not draft.reason.startswith(("tie", "homonym"))


def kingdom(lineage: Sequence[Ancestor]) -> str:
    return next((step.name for step in lineage if step.rank == "kingdom"), "")


def apart(one: str, other: str) -> bool:
    """Say whether two kingdoms are different for certain.

    >>> apart("Animalia", "Plantae"), apart("Animalia", "Metazoa"), apart("Plantae", "Chromista"), apart("", "Fungi")
    (True, False, False, False)
    """
    known = KINGDOMS.get(one.casefold()), KINGDOMS.get(other.casefold())
    return all(known) and known[0] != known[1]


def joined(name: str, authorship: str) -> str:
    return f"{name} {authorship}".strip()


def notes(*notes: str) -> str:
    return "; ".join(filter(None, notes))


def is_item_like(query: str) -> bool:
    """Say whether a query is meant as a Q-id."""
    return bool(_ITEM_LIKE.fullmatch(query))


def is_item_id(query: str) -> bool:
    """Say whether Wikidata can have such an item: one impossible id fails a whole batch.

    >>> is_item_id("Q140"), is_item_id("Q007"), is_item_id("Q99999999999")
    (True, False, False)
    """
    return bool(_ITEM.fullmatch(query)) and int(query[1:]) <= LARGEST_ITEM


def is_unlinked(taxon: Taxon) -> bool:
    """Say whether a taxon was found and has no item yet."""
    return taxon.match_type != "NONE" and not taxon.item


def identifier(taxon: Taxon) -> Statement:
    """Return the statement by which Wikidata's item of a taxon is sought first."""
    return (GBIF_TAXON_ID, taxon.gbif_key) if taxon.gbif_key else (APHIA_ID, taxon.aphia_id)
