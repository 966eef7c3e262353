"""The curator's sheet of links. In: a table of classes, and links. Out: a sheet to review in a spreadsheet, and back.

What was sure stands in the column ``item`` and needs nothing; all else has candidates, and a column ``decision`` for
a person: a Q-id, ``no`` for "none of them", or nothing for "later". ``relation`` (exact, broad, close) and ``aat`` are
the person's, too. What is read back is checked; what cannot be meant is told by its row and not taken.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from linkeddata.errors import UsageError
from linkeddata.ids import APHIA_ID, COL_TAXON_ID, GBIF_TAXON_ID
from linkeddata.links import SURE, Link, Subject, Weighed, weighed
from linkeddata.records import Failure, ModelClass
from linkeddata.tablefiles import Row, reading, text_of, writing
from linkeddata.wikidata import Item

COLUMNS = (
    "class",
    "label",
    "name",
    "rank",
    "kingdom",
    "certainty",
    "item",
    "itemLabel",
    "relation",
    "decision",
    "gbifKey",
    "colID",
    "aphiaID",
    "checklistKey",
    "read",
    "aat",
    "evidence",
    "candidates",
    "note",
)
"""The columns of the sheet."""
HEADINGS: Mapping[str, str] = {
    "class": "id",
    "id": "id",
    "label": "label",
    "scientificname": "label",
    "name": "label",
    "authorship": "authorship",
    "scientificnameauthorship": "authorship",
    "rank": "rank",
    "taxonrank": "rank",
    "kingdom": "kingdom",
    "item": "item",
    "gbifkey": "gbif_key",
    "colid": "col_id",
    "aphiaid": "aphia_id",
    "checklistkey": "checklist_key",
}
"""Headings of a table of classes, small and without punctuation, and what of a ``Subject`` stands under them."""
RELATIONS = ("exact", "broad", "close", "unlinked")
NO = "no"
NOT_ANSWERED = "not answered"
WORDS = {GBIF_TAXON_ID: "GBIF", COL_TAXON_ID: "COL", APHIA_ID: "WoRMS"}

_ITEM = re.compile(r"(?:https?://www\.wikidata\.org/(?:entity|wiki)/|wd:)?(Q[1-9]\d*)")
_AAT = re.compile(r"(?:https?://vocab\.getty\.edu/(?:page/)?aat/|aat:)?(\d{9})")
AAT = "http://vocab.getty.edu/aat/"


@dataclass(frozen=True, slots=True)
class Decision:
    """One row of a reviewed sheet: what a person made of it, or let stand."""

    row: int
    subject: Subject
    item: str = ""
    relation: str = "unlinked"
    aat: str = ""
    is_open: bool = False  # nobody has decided
    trouble: str = ""


def read_subjects(path: Path) -> tuple[list[Subject], list[str]]:
    """Return the classes in a table, and what is wrong with which row. Raises ``UsageError``.

    A table needs a column ``label``, ``name`` or ``scientificName``; it may have those of ``HEADINGS``.
    """
    subjects: list[Subject] = []
    troubles: list[str] = []
    with reading(path, known=lambda name: _plain(name) in HEADINGS) as table:
        at = {own: i for i, name in reversed(list(enumerate(table.columns))) if (own := HEADINGS.get(_plain(name)))}
        if not table.has_heading and len(table.columns) == 1:
            at = {"label": 0}
        if "label" not in at:
            raise UsageError(f"{path}: needs a column label; there are {', '.join(table.columns)}")
        for row in table.rows:
            told = {own: text_of(row.cells[i]).strip() for own, i in at.items()}
            if row.trouble or not told["label"]:
                troubles.append(f"row {row.number}: {row.trouble or 'no label'}")
                continue
            given: dict[str, Any] = {"id": str(row.number)} | {own: text for own, text in told.items() if text}
            subjects.append(Subject(**given))
    return _numbered(subjects), troubles


def _numbered(subjects: Sequence[Subject]) -> list[Subject]:
    """Return the subjects with ids that are theirs alone."""
    seen: set[str] = set()
    kept = []
    for number, subject in enumerate(subjects, start=1):
        own = subject.id if subject.id not in seen else f"{subject.id}#{number}"
        seen.add(own)
        kept.append(replace(subject, id=own))
    return kept


def subject_of(one: ModelClass) -> Subject:
    """Return a class of a model as what is to be linked."""
    kingdom = next((step.name for step in one.lineage if step.rank == "kingdom"), "")
    return Subject(
        id=one.id,
        label=one.label,
        rank=one.rank,
        kingdom=kingdom,
        item=one.item,
        gbif_key=one.gbif_key,
        col_id=one.col_id,
        lineage=one.lineage,
    )


def write_sheet(path: Path, links: Iterable[tuple[Subject, Link | Failure]]) -> dict[str, int]:
    """Write the sheet and return how many links were sure, are to be checked, were not found or not answered."""
    counts: dict[str, int] = {}
    with writing(path, COLUMNS) as write:
        for subject, one in links:
            row = _failed(subject, one) if isinstance(one, Failure) else row_of(one)
            counts[row["certainty"]] = counts.get(row["certainty"], 0) + 1
            write([row[column] for column in COLUMNS])
    return counts


def row_of(link: Link) -> dict[str, str]:
    """Return a link as a row of the sheet."""
    subject = link.subject
    chosen = next((one for one in link.weighed if link.item and one.item.id == link.item.id), None)
    return {
        "class": subject.id,
        "label": subject.label,
        "name": subject.name,
        "rank": subject.rank,
        "kingdom": subject.kingdom,
        "certainty": link.certainty,
        "item": link.item.id if link.item else "",
        "itemLabel": _title(link.item) if link.item else "",
        "relation": link.relation if link.item else "",
        "decision": "",
        "gbifKey": subject.gbif_key,
        "colID": subject.col_id,
        "aphiaID": subject.aphia_id,
        "checklistKey": subject.checklist_key,
        "read": subject.moment,
        "aat": "",
        "evidence": _evidence(chosen) if chosen else "",
        "candidates": " | ".join(_candidates(link)),
        "note": "; ".join(filter(None, (link.note, subject.note if subject.note not in link.note else ""))),
    }


def _failed(subject: Subject, failure: Failure) -> dict[str, str]:
    told = {"certainty": NOT_ANSWERED, "note": f"{failure.reason}: {failure.detail}"}
    return row_of(Link(subject=subject)) | told


def _title(item: Item) -> str:
    return item.label or item.name


def _candidates(link: Link) -> Iterator[str]:
    for one in link.weighed:
        if link.item is None or one.item.id != link.item.id:
            kind = "" if one.item.is_taxon else ", no taxon"
            yield f"{one.item.id} ({_title(one.item)}{kind}: {_evidence(one)})"
    for hit in link.hits:
        yield f"{hit.id} ({', '.join(filter(None, (hit.label, hit.description)))})"


def _evidence(one: Weighed) -> str:
    """Return what speaks for and against, in words: ``+`` for, ``-`` against."""
    return " ".join(f"{'+' if agrees else '-'}{WORDS.get(what, what)}" for what, agrees in one.evidence)


def read_sheet(path: Path) -> list[Decision]:
    """Return what a reviewed sheet says, row by row. Raises ``UsageError`` where it is no such sheet."""
    with reading(path) as table:
        if missing := [
            name for name in ("class", "label", "item", "relation", "decision") if name not in table.columns
        ]:
            raise UsageError(f"{path}: is no sheet of links, it has no column {missing[0]}")
        return [_decision(row, dict(zip(table.columns, row.cells, strict=True))) for row in table.rows]


def _decision(row: Row, cells: Mapping[str, object]) -> Decision:
    told = {name: text_of(cell).strip() for name, cell in cells.items()}
    subject = Subject(
        id=told["class"],
        label=told["label"],
        name=told.get("name", ""),
        rank=told.get("rank", ""),
        kingdom=told.get("kingdom", ""),
        gbif_key=told.get("gbifKey", ""),
        col_id=told.get("colID", ""),
        aphia_id=told.get("aphiaID", ""),
        checklist_key=told.get("checklistKey", ""),
        moment=told.get("read", ""),
    )
    item, trouble = _chosen(told["decision"], told["item"])
    aat, wrong = _aat(told.get("aat", ""))
    relation, unknown = _relation(told["relation"], item or aat)
    is_open = not told["decision"] and not item and not aat and told.get("certainty") != SURE
    troubles = "; ".join(filter(None, (row.trouble, trouble, unknown, wrong)))
    if troubles:
        return Decision(row.number, subject, trouble=troubles)
    return Decision(row.number, subject, item, relation, aat, is_open)


def _chosen(decision: str, item: str) -> tuple[str, str]:
    """Return the item that holds, and what is wrong.

    >>> _chosen("", "Q140"), _chosen("no", "Q140"), _chosen("wd:Q1", ""), _chosen("maybe", "")
    (('Q140', ''), ('', ''), ('Q1', ''), ('', "decision 'maybe' is no Q-id and not no"))
    """
    if decision.casefold() == NO:
        return "", ""
    given = decision or item
    found = _ITEM.fullmatch(given)
    if given and not found:
        where = f"decision {given!r} is no Q-id and not {NO}" if decision else f"item {given!r} is no Q-id"
        return "", where
    return (found[1] if found else ""), ""


def _relation(relation: str, linked: str) -> tuple[str, str]:
    """Return the relation to what a class is linked to, exact where nothing else is said, and what is wrong."""
    if not linked:
        return "unlinked", ""
    told = relation.casefold() or "exact"
    if told not in RELATIONS:
        return "", f"relation {relation!r} is none of {', '.join(RELATIONS)}"
    return told, f"unlinked, and linked to {linked}" if told == "unlinked" else ""


def _aat(given: str) -> tuple[str, str]:
    """Return the address of a term of the Art & Architecture Thesaurus, or of another term that has one.

    >>> _aat("aat:300138758"), _aat("mask")
    (('http://vocab.getty.edu/aat/300138758', ''), ('', "aat 'mask' is no term of the AAT and no address"))
    """
    found = _AAT.fullmatch(given)
    if found:
        return AAT + found[1], ""
    if not given or re.fullmatch(r"https?://[^\s<>\"]+", given):
        return given, ""
    return "", f"aat {given!r} is no term of the AAT and no address"


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name.rsplit(":", 1)[-1]).casefold()


def confirmed(decisions: Iterable[Decision], found: Mapping[str, Item]) -> Iterator[Decision]:
    """Yield the decisions as Wikidata's items bear them out: ``found`` has the items by the id that was asked.

    A redirect is followed. An item that is not there, or that is said to be exactly a taxon and has another of its
    keys, is a trouble of that row.
    """
    for one in decisions:
        item = found.get(one.item)
        if one.trouble or not one.item:
            yield one
        elif item is None:
            yield replace(one, trouble=f"Wikidata has no item {one.item}")
        else:
            against = [what for what, agrees in weighed(one.subject, item).evidence if not agrees and what in WORDS]
            apart = f"{item.id} has another {' and '.join(WORDS[what] for what in against)} key: exact it is not"
            is_apart = bool(against) and one.relation == "exact"
            yield replace(one, item=item.id, trouble=apart if is_apart else "")


def linked_class(one: ModelClass, decision: Decision, moment: str) -> ModelClass:
    """Return a class of a model as it is after a person's decision; keys that the sheet does not have stay."""
    told = decision.subject
    return replace(
        one,
        item=decision.item,
        gbif_key=told.gbif_key if decision.item else one.gbif_key,
        col_id=told.col_id if decision.item else one.col_id,
        aphia_id=told.aphia_id,
        checklist_key=told.checklist_key or one.checklist_key,
        relation=decision.relation,
        term=decision.aat,
        moment=told.moment or moment,
    )


def document_of(decision: Decision) -> dict[str, Any]:
    """Return a decision as JSON has it."""
    told = decision.subject
    return {
        "class": told.id,
        "label": told.label,
        "item": decision.item,
        "relation": decision.relation,
        "gbifKey": told.gbif_key,
        "colID": told.col_id,
        "aphiaID": told.aphia_id,
        "checklistKey": told.checklist_key,
        "read": told.moment,
        "aat": decision.aat,
    }
