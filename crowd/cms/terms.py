"""What the museum's thesaurus calls a taxon. In: determinations, rules, a table of its terms. Out: with their terms."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from crowd.cms.determinations import Determination
from crowd.cms.notes import note_of
from crowd.cms.profile import TermRules
from linkeddata.errors import UsageError
from linkeddata.tablefiles import reading, text_of

KEYS = ("item", "gbif_key", "name")
"""Columns by which a taxon is looked up in the thesaurus table, in this order."""

Thesaurus = Mapping[tuple[str, str], tuple[str, str]]
"""(one of KEYS, its value) → (term, number)."""


def read_thesaurus(path: Path) -> Thesaurus:
    """Return the terms of a table with ``term``, one of ``item``, ``gbif_key`` and ``name``, and perhaps ``number``.

    Raises ``UsageError`` for a table without them, or one that has two terms for one taxon.
    """
    found: dict[tuple[str, str], tuple[str, str]] = {}
    with reading(path) as table:
        at = {name.strip().casefold(): number for number, name in enumerate(table.columns)}
        if "term" not in at or not at.keys() & set(KEYS):
            raise UsageError(f"{path}: needs the columns term and one of {', '.join(KEYS)}")
        for number, row in enumerate(table.rows, 1):
            cells = {name: text_of(row.cells[place]).strip() for name, place in at.items()}
            for key in KEYS:
                place = key, cells.get(key, "").casefold() if key == "name" else cells.get(key, "")
                term = cells["term"], cells.get("number", "")
                if not place[1] or not term[0]:
                    continue
                if found.setdefault(place, term) != term:
                    raise UsageError(f"{path}: row {number}: two terms for {place[1]}: {found[place][0]}, {term[0]}")
    return found


def with_terms(made: Iterable[Determination], rules: TermRules, thesaurus: Thesaurus) -> list[Determination]:
    """Return determinations with what the thesaurus calls their taxon, and with their notes.

    >>> one = Determination(object_number="1", taxon="Vanessa atalanta", vernacular="atalanta")
    >>> [found] = with_terms([one], TermRules(pattern="{vernacular} ({name})"), {})
    >>> found.term, found.note
    ('atalanta (Vanessa atalanta)', 'De Boodt 1: taxon Vanessa atalanta; term atalanta (Vanessa atalanta)')
    """
    found = []
    for one in made:
        term, number = _term(one, rules, thesaurus)
        named = replace(one, term=term, term_number=number)
        found.append(replace(named, note=note_of(replace(named, term="" if term == one.taxon else term))))
    return found


def _term(one: Determination, rules: TermRules, thesaurus: Thesaurus) -> tuple[str, str]:
    for key, value in zip(KEYS, (one.item, one.gbif_key, one.taxon.casefold()), strict=True):
        if value and (key, value) in thesaurus:
            return thesaurus[key, value]
    if "{vernacular}" in rules.pattern and not one.vernacular:
        return one.taxon, ""
    return rules.pattern.format(name=one.taxon, vernacular=one.vernacular, rank=one.rank), ""
