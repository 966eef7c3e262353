"""A checklist of species that coverage is counted against. In: a table. Out: taxa with their families.

A row is an accepted species: its name is in the first column called like one of ``NAMES``, its family in one whose name
ends in ``family``. Rows of another rank or status are left out, where columns say so: the ones that end in ``rank`` and
``status``. So GBIF's and the Catalogue of Life's tables are read, AviList, and a plain list with two columns.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from linkeddata.errors import UsageError
from linkeddata.records import Ancestor, Taxon
from linkeddata.tablefiles import reading, text_of

NAMES = ("canonicalname", "canonical_name", "scientific_name", "scientificname", "taxon_name", "species", "name")
_ACCEPTED = ("", "accepted", "valid", "provisionally accepted")


def read_checklist(path: Path) -> list[Taxon]:
    """Return the species of a table. Raises ``UsageError`` for one that cannot be read, or has no such columns."""
    with reading(path) as table:
        columns = [column.strip().lower() for column in table.columns]
        name = next((columns.index(one) for one in NAMES if one in columns), -1)
        family = _ending(columns, "family")
        if name < 0 or family < 0:
            raise UsageError(f"{path}: a checklist needs columns for name ({', '.join(NAMES)}) and family")
        rank = _ending(columns, "rank")
        status = next((columns.index(one) for one in ("status", "taxonomicstatus") if one in columns), -1)
        cells = ([text_of(cell).strip() for cell in row.cells] for row in table.rows)
        return list(_species(cells, name, family, rank, status))


def _species(rows: Iterator[list[str]], name: int, family: int, rank: int, status: int) -> Iterator[Taxon]:
    for cells in rows:
        of_rank = cells[rank].lower() if rank >= 0 else "species"
        accepted = cells[status].lower() if status >= 0 else ""
        if cells[name] and cells[family] and of_rank == "species" and accepted in _ACCEPTED:
            lineage = (Ancestor("family", cells[family]),)
            yield Taxon(query=cells[name], name=_binomial(cells[name]), rank="species", lineage=lineage)


def _ending(columns: Sequence[str], word: str) -> int:
    return next((place for place, column in enumerate(columns) if column.endswith(word)), -1)


def _binomial(name: str) -> str:
    """Return a species' name without its author.

    >>> _binomial("Papilio paris Linnaeus, 1758")
    'Papilio paris'
    """
    return " ".join(name.split()[:2])
