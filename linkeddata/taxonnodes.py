"""A taxon inside a document. In: what was named, and what is known of it. Out: a node in Darwin Core terms."""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby

from linkeddata import ids
from linkeddata.iris import is_item
from linkeddata.nodes import Document, date_time, filled, legible
from linkeddata.records import Alternative, Taxon

COL_TAXON = "https://www.catalogueoflife.org/data/taxon/"
APHIA_LSID = "urn:lsid:marinespecies.org:taxname:"
RANK_TERMS = frozenset({"kingdom", "phylum", "class", "order", "family", "genus"})
# language, extended language, script, region, one variant (BCP 47); Oxigraph drops a text with any stranger tag
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z]{3})?(-[a-z]{4})?(-([a-z]{2}|[0-9]{3}))?(-[a-z0-9]{5,8})?", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]+")
_COL_ID = re.compile(r"[A-Z0-9]+")


def taxon_node(named: Alternative, taxon: Taxon | None, fallback: str, purpose: str) -> Document:
    """Return what is known of a taxon (or of a class that is none) under its best IRI; text with ``fallback`` else."""
    known = taxon if taxon is not None and _same(named, taxon) else None
    same = taxon_iris(named, known)
    is_taxon = bool(named.rank or named.gbif_key or named.col_id or known)
    node: Document = {"id": same[0] if same else fallback, "type": "Taxon" if is_taxon else "", "label": named.label}
    if not same:
        node["type"] = ["TextualBody", "Taxon"] if is_taxon else "TextualBody"
        node |= {"value": named.label, "purpose": purpose, "format": "text/plain"}
    if is_taxon:
        node |= _darwin_core(named, known) | {"taxonID": taxon_id(same), "sameAs": list(same[1:])}
    return filled(node)


def _darwin_core(named: Alternative, taxon: Taxon | None) -> Document:
    if taxon is None:
        return {"scientificName": named.label, "taxonRank": named.rank}
    return _known_of(_Itself(taxon), named.label, named.rank)


class _Itself:
    """A taxon as a key by which it is the same only as itself: comparing all its fields takes as long as the work."""

    __slots__ = ("taxon",)

    def __init__(self, taxon: Taxon) -> None:
        self.taxon = taxon

    def __hash__(self) -> int:
        return id(self.taxon)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and self.taxon is other.taxon


@lru_cache(2048)
def _known_of(itself: _Itself, label: str, rank: str) -> Document:
    """Return what a taxon adds, which is nobody's to change."""
    taxon = itself.taxon
    higher = [(step.rank, step.name) for step in taxon.lineage]
    return {
        "scientificName": f"{taxon.name or label} {taxon.authorship}".strip(),
        "scientificNameAuthorship": taxon.authorship,
        "scientificNameID": f"{APHIA_LSID}{taxon.aphia_id}" if taxon.aphia_id.isdecimal() else "",
        "taxonRank": taxon.rank or rank,
        "higherClassification": " | ".join(step for _, step in higher if step),
        **{rank: step for rank, step in higher if rank in RANK_TERMS},
        "vernacularName": _by_language(taxon.vernaculars),
    }


def _by_language(vernaculars: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    tagged = sorted(
        {(tag.lower() if _LANGUAGE.fullmatch(tag) else "@none", legible(name)) for tag, name in vernaculars if name}
    )
    return {tag: [name for _, name in names] for tag, names in groupby(tagged, key=lambda pair: pair[0])}


def _same(named: Alternative, taxon: Taxon) -> bool:
    if named.item or taxon.item:
        return named.item == taxon.item
    if named.gbif_key or taxon.gbif_key:
        return named.gbif_key == taxon.gbif_key
    return bool(named.label) and named.label in (taxon.name, taxon.query)


def taxon_iris(named: Alternative, taxon: Taxon | None = None) -> tuple[str, ...]:
    """Return the IRIs of a taxon, best first: Wikidata, GBIF, Catalogue of Life."""
    gbif_key = named.gbif_key or (taxon.gbif_key if taxon else "")
    col_id = named.col_id or (taxon.col_id if taxon else "")
    return iris_of_taxon(named.item, gbif_key, col_id)


@lru_cache(4096)
def iris_of_taxon(item: str, gbif_key: str, col_id: str) -> tuple[str, ...]:
    """Return the IRIs that these ids are, best first: Wikidata, GBIF, Catalogue of Life."""
    iris = [ids.WIKIDATA_ENTITY + item] if is_item(item) else []
    iris += [ids.GBIF_SPECIES + gbif_key] if _DIGITS.fullmatch(gbif_key) else []
    return (*iris, *([COL_TAXON + col_id] if _COL_ID.fullmatch(col_id) else []))


@lru_cache(4096)
def taxon_id(same: tuple[str, ...]) -> str:
    """Return the checklist's identifier, as ``dwc:taxonID`` means it; Wikidata's where there is none."""
    return next((iri for iri in same if not iri.startswith(ids.WIKIDATA_ENTITY)), same[0] if same else "")


def read_from(checklist_key: str, moment: str) -> Document:
    """Return the checklist that a taxon's numeric key is of, by its page at GBIF, and when its keys were read."""
    return {
        "nameAccordingToID": f"{ids.GBIF_DATASET}{checklist_key}" if checklist_key else "",
        "dateRead": date_time(moment),
    }
