"""What speaks for a usage and against it. In: a name as asked, a usage as known. Out: points, part by part.

The parts, their weights and the scale from points to confidence are those of GBIF's published matching
(``NubMatchingServiceImpl`` in https://github.com/gbif/checklistbank, ``MatchingService`` in
https://github.com/gbif/matching-ws), written anew here.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

from linkeddata.nameindex.spelling import folded, similarity

KINGDOM, PHYLUM, CLASS, ORDER, FAMILY, GENUS = range(6)
"""Places in a classification: the names of kingdom to genus, folded, ``""`` where unknown."""

STRICT_KINDS = frozenset({"IDENTIFIER", "OTHER", "FORMULA", "OTU", "VIRUS"})
"""Kinds of names that are right or wrong to the letter."""

CODES = {
    "animalia": "zoological", "protozoa": "zoological", "plantae": "botanical", "fungi": "botanical",
    "chromista": "botanical", "bacteria": "prokaryotic", "archaea": "prokaryotic", "viruses": "viral",
}  # fmt: skip
"""The code of nomenclature that names of a kingdom mostly follow; algae and fungi follow the botanical one."""
_KINGDOMS = {
    "animals": "animalia", "metazoa": "animalia", "animal": "animalia", "dieren": "animalia", "zoa": "animalia",
    "plants": "plantae", "viridiplantae": "plantae", "planten": "plantae", "plant": "plantae", "vegetabilia": "plantae",
    "mycota": "fungi", "eumycota": "fungi", "schimmels": "fungi", "mushrooms": "fungi", "fungus": "fungi",
    "eubacteria": "bacteria", "monera": "bacteria", "prokaryota": "bacteria", "archaebacteria": "archaea",
    "protista": "protozoa", "protoctista": "protozoa", "stramenopiles": "chromista", "chromalveolata": "chromista",
    "virus": "viruses", "incertae sedis": "", "unknown": "", "biota": "", "not assigned": "",
}  # fmt: skip
_WELL_KNOWN = frozenset({"animalia", "plantae"})
_MICROBES = frozenset({"bacteria", "archaea", "viruses"})


@lru_cache(maxsize=4096)
def kingdom_of(written: str) -> str:
    """Return the kingdom that is meant, folded; ``""`` where none is.

    >>> kingdom_of("Metazoa"), kingdom_of("incertae sedis")
    ('animalia', '')
    """
    word = folded(written)
    return _KINGDOMS.get(word, word)


def name_points(asked: str, known: str, kind: str = "SCIENTIFIC") -> int:
    """Return the points for the name itself: 100, and 10 more for an equal name of several words; fuzzy at most 100.

    >>> name_points("parus major", "parus major"), name_points("oenante", "oenanthe")
    (110, 75)
    """
    if asked == known:
        return 120 if kind in STRICT_KINDS else 110 if " " in asked else 100
    points = similarity(asked, known) - 5 - (50 if kind in STRICT_KINDS else 0)
    genus, blank, _ = known.partition(" ")
    if blank:
        points += 5 if asked.startswith(genus) else -10
    return points


def classification_points(asked: Sequence[str], known: Sequence[str]) -> int:
    """Return the points for the given classification, from -60 to 50; the kingdom weighs most where it is wrong.

    >>> birds = ("animalia", "chordata", "aves", "passeriformes", "paridae", "parus", "")
    >>> classification_points(("animalia", "", "aves", "", "", "", ""), birds)
    19
    >>> classification_points(("plantae", "", "", "", "", "", ""), birds)
    -52
    """
    points = _kingdom_points(asked[KINGDOM], known[KINGDOM])
    if known[KINGDOM] == "viruses":
        points -= 10
    points += _step(asked[PHYLUM], known[PHYLUM], 10, -10, -1)
    points += _step(asked[CLASS], known[CLASS], 15, -10, 0)
    points += _step(asked[ORDER], known[ORDER], 15, -10, 0)
    points += _step(asked[FAMILY], known[FAMILY], 25, -15, 0)
    points += _step(asked[GENUS], known[GENUS], 2, 1, 0)
    return max(-60, min(50, points))


def _kingdom_points(asked: str, known: str) -> int:
    points = _step(asked, known, 5, -10, -1)
    if points == -10 and asked in _WELL_KNOWN and known in _WELL_KNOWN:
        return -51
    return -31 if points == -10 and asked in _WELL_KNOWN and known in _MICROBES else points


def _step(asked: str, known: str, match: int, mismatch: int, missing: int) -> int:
    if not asked or not known:
        return missing
    return match if asked == known else mismatch


def strict_kingdom_points(asked: str, known: str) -> int:
    """Return the points for the kingdom where only the name itself may answer: a wrong one settles the matter."""
    if not asked or not known:
        return 0
    if asked == known:
        return 10
    return 8 if not {asked, known} & (_WELL_KNOWN | {"viruses"}) else -100


def confidence_of(points: int) -> int:
    """Return the confidence, 0 to 100, that points stand for: they are level up to 80 and then rise ever more slowly.

    >>> confidence_of(80), confidence_of(110), confidence_of(175)
    (80, 96, 100)
    """
    if points <= 80:
        return max(0, points)
    return min(100, round(75.8 + 26 * (math.log10((points - 70) * 1.5) - 1)))
