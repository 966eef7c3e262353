"""Additions for Wikidata to propose. In: links and what they are linked to. Out: lines for QuickStatements.

Only what a sure or accepted exact link has and its item lacks: GBIF's numeric key (P846), the COL id (P10585), the
AphiaID (P850), each with the address it was read from (P854) and the day (P813). Nothing is sent: a person looks at the
lines and runs them (https://www.wikidata.org/wiki/Help:QuickStatements).
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from linkeddata.files import replaced
from linkeddata.ids import APHIA_ID, COL_TAXON_ID, GBIF_SPECIES, GBIF_TAXON_ID
from linkeddata.links import KEYS, Link, keys_of
from linkeddata.wikidata import Item

REFERENCE_URL = "S854"
RETRIEVED = "S813"
ADDRESSES = {
    GBIF_TAXON_ID: GBIF_SPECIES,
    COL_TAXON_ID: "https://www.catalogueoflife.org/data/taxon/",
    APHIA_ID: "https://www.marinespecies.org/aphia.php?p=taxdetails&id=",
}
"""Where a key is shown, by property."""


def additions(links: Iterable[Link], moment: str) -> Iterator[str]:
    """Yield one line for each identifier that an exactly linked taxon has and its item lacks.

    >>> from linkeddata.links import Link, Subject
    >>> subject = Subject(id="1", label="lion", name="Panthera leo", gbif_key="5219404", aphia_id="7")
    >>> item = Item(id="Q140", names=("Panthera leo",), gbif_keys=("5219404",))
    >>> linked = Link(subject=subject, relation="exact", item=item)
    >>> [line.replace("\\t", " ") for line in additions([linked], "2026-11-23")]
    ['Q140 P850 "7" S854 "https://www.marinespecies.org/aphia.php?p=taxdetails&id=7" S813 +2026-11-23T00:00:00Z/11']
    """
    for link in links:
        if link.item is not None and link.relation == "exact" and link.item.is_taxon:
            yield from _of_item(link, link.item, moment)


def write_additions(path: Path, links: Iterable[Link], moment: str) -> int:
    """Write the lines to ``path`` and return how many there are."""
    lines = list(additions(links, moment))
    with replaced(path) as out:
        out.write("".join(f"{line}\n" for line in lines).encode())
    return len(lines)


def _of_item(link: Link, item: Item, moment: str) -> Iterator[str]:
    told = dict(zip(KEYS, (item.gbif_keys, item.col_ids, item.aphia_ids), strict=True))
    day = (link.subject.moment or moment)[:10]
    for prop, value in keys_of(link.subject):
        if not told[prop] and value.isalnum() and not _is_borne(link, item, prop):
            address = f'"{ADDRESSES[prop]}{value}"'
            parts = (item.id, prop, f'"{value}"', REFERENCE_URL, address, RETRIEVED, f"+{day}T00:00:00Z/11")
            yield "\t".join(parts)


def _is_borne(link: Link, item: Item, prop: str) -> bool:
    """Say whether another item has the identifier already: then one of the two is wrong, and a person must look."""
    return any(one.says(prop) for one in link.weighed if one.item.id != item.id)
