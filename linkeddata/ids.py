"""Identifiers: their patterns, the properties and name spaces used, and ids made from content.

In: strings that claim to be identifiers. Out: the same strings, checked, or a ``ValueError`` that says what is wrong.
"""

import hashlib
import re

DEPICTS = "P180"
APPLIES_TO_PART = "P518"
RELATIVE_POSITION = "P2677"
STATED_IN = "P248"
DETERMINATION_METHOD = "P459"
RETRIEVED = "P813"
REFERENCE_URL = "P854"
INSTANCE_OF = "P31"
TAXON_NAME = "P225"
TAXON_RANK = "P105"
PARENT_TAXON = "P171"
GBIF_TAXON_ID = "P846"
COL_TAXON_ID = "P10585"
APHIA_ID = "P850"
INVENTORY_NUMBER = "P217"
COLLECTION = "P195"
TAXON = "Q16521"

WIKIDATA_ENTITY = "http://www.wikidata.org/entity/"
COMMONS_ENTITY = "https://commons.wikimedia.org/entity/"
GBIF_SPECIES = "https://www.gbif.org/species/"
GBIF_DATASET = "https://www.gbif.org/dataset/"
GBIF_BACKBONE = "d7dddbf4-2cf0-4f39-9b2a-bb099caae36c"
"""checklistKey of GBIF's numeric backbone (frozen; Wikidata P846)."""
COL_XR = "7ddf754f-d193-4cc9-b351-99906754a03b"
"""checklistKey of the Catalogue of Life eXtended Release (alphanumeric; Wikidata P10585)."""

ITEM = re.compile(r"Q[1-9]\d*")
_MEDIA = re.compile(r"M[1-9]\d*")


def checked_item(value: str) -> str:
    """Return ``value`` if it is a Wikidata item id.

    >>> checked_item("Q158603")
    'Q158603'
    >>> checked_item("Q1} UNION {")
    Traceback (most recent call last):
    ValueError: not a Wikidata item id: 'Q1} UNION {'
    """
    if not ITEM.fullmatch(value):
        raise ValueError(f"not a Wikidata item id: {value!r}")
    return value


def checked_media(value: str) -> str:
    """Return ``value`` if it is a MediaInfo id such as ``M103381688``, else raise ``ValueError``."""
    if not _MEDIA.fullmatch(value):
        raise ValueError(f"not a MediaInfo id: {value!r}")
    return value


def item_of_iri(iri: str) -> str:
    """Return the item id at the end of a Wikidata entity IRI, else raise ``ValueError``.

    >>> item_of_iri("http://www.wikidata.org/entity/Q140")
    'Q140'
    """
    if not iri.startswith((WIKIDATA_ENTITY, "https://www.wikidata.org/entity/")):
        raise ValueError(f"not a Wikidata entity IRI: {iri!r}")
    return checked_item(iri.rsplit("/", 1)[1])


def media_of_iri(iri: str) -> str:
    """Return the M-id at the end of a Commons entity IRI (of any wiki), else raise ``ValueError``."""
    return checked_media(iri.rsplit("/", 1)[-1])


def content_id(*parts: str) -> str:
    """Return 24 hex digits that stand for ``parts`` in this order: the same parts, the same id, everywhere.

    >>> content_id("a", "b") == content_id("a", "b") != content_id("ab")
    True
    """
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:24]
