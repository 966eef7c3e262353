"""Ranks. In: a rank as somebody wrote it. Out: GBIF's word for it, and how two ranks compare.

The order and the groups are those of GBIF's Rank vocabulary (https://rs.gbif.org/vocabulary/gbif/rank_2015-04-24.xml);
``rank_score`` is the rank part of GBIF's published matching (``NubMatchingServiceImpl.rankSimilarity``).
"""

from functools import lru_cache

RANKS = (
    "DOMAIN", "SUPERKINGDOM", "KINGDOM", "SUBKINGDOM", "INFRAKINGDOM", "SUPERPHYLUM", "PHYLUM", "SUBPHYLUM",
    "INFRAPHYLUM", "SUPERCLASS", "CLASS", "SUBCLASS", "INFRACLASS", "PARVCLASS", "SUPERLEGION", "LEGION", "SUBLEGION",
    "INFRALEGION", "SUPERCOHORT", "COHORT", "SUBCOHORT", "INFRACOHORT", "MAGNORDER", "SUPERORDER", "GRANDORDER",
    "ORDER", "SUBORDER", "INFRAORDER", "PARVORDER", "SUPERFAMILY", "FAMILY", "SUBFAMILY", "INFRAFAMILY", "SUPERTRIBE",
    "TRIBE", "SUBTRIBE", "INFRATRIBE", "SUPRAGENERIC_NAME", "GENUS", "SUBGENUS", "INFRAGENUS", "SECTION", "SUBSECTION",
    "SERIES", "SUBSERIES", "INFRAGENERIC_NAME", "SPECIES_AGGREGATE", "SPECIES", "INFRASPECIFIC_NAME", "GREX",
    "SUBSPECIES", "CULTIVAR_GROUP", "CONVARIETY", "INFRASUBSPECIFIC_NAME", "PROLES", "RACE", "NATIO", "ABERRATION",
    "MORPH", "VARIETY", "SUBVARIETY", "FORM", "SUBFORM", "PATHOVAR", "BIOVAR", "CHEMOVAR", "MORPHOVAR", "PHAGOVAR",
    "SEROVAR", "CHEMOFORM", "FORMA_SPECIALIS", "CULTIVAR", "STRAIN", "OTHER", "UNRANKED",
)  # fmt: skip
"""GBIF's ranks from the root down; a rank's place is its code in the index."""

CODE = {rank: code for code, rank in enumerate(RANKS)}
LINNEAN = ("KINGDOM", "PHYLUM", "CLASS", "ORDER", "FAMILY", "GENUS", "SPECIES")

_WORDS = {
    "sp": "SPECIES", "ssp": "SUBSPECIES", "subsp": "SUBSPECIES", "var": "VARIETY", "f": "FORM", "forma": "FORM",
    "fam": "FAMILY", "ord": "ORDER", "gen": "GENUS", "cl": "CLASS", "phyl": "PHYLUM", "division": "PHYLUM",
    "subgen": "SUBGENUS", "sect": "SECTION", "agg": "SPECIES_AGGREGATE", "species group": "SPECIES_AGGREGATE",
    "aggregate": "SPECIES_AGGREGATE", "species complex": "SPECIES_AGGREGATE", "soort": "SPECIES", "geslacht": "GENUS",
    "ondersoort": "SUBSPECIES", "familie": "FAMILY", "orde": "ORDER", "klasse": "CLASS", "rijk": "KINGDOM",
    "unranked": "UNRANKED", "no rank": "UNRANKED", "clade": "UNRANKED", "informal": "UNRANKED",
    "nothospecies": "SPECIES",    "nothogenus": "GENUS", "nothosubspecies": "SUBSPECIES", "nothovariety": "VARIETY",
    "varietas": "VARIETY",
    "regnum": "KINGDOM", "monotypic species": "SPECIES",
    "infraspecies": "INFRASPECIFIC_NAME", "infraspecificname": "INFRASPECIFIC_NAME",
    "subspecies (monotypic)": "SUBSPECIES", "gen.": "GENUS",
}  # fmt: skip

_SPECIES = CODE["SPECIES"]
_GENUS = CODE["GENUS"]
_AGGREGATE = CODE["SPECIES_AGGREGATE"]
_OPEN = frozenset({"OTHER", "UNRANKED"})
_UNCOMPARABLE = _OPEN | {"SUPRAGENERIC_NAME", "INFRAGENERIC_NAME", "INFRASPECIFIC_NAME", "INFRASUBSPECIFIC_NAME"}


@lru_cache(maxsize=4096)
def rank_of(written: str) -> str:
    """Return GBIF's word for a rank as written, ``""`` where it says nothing.

    >>> rank_of("ssp."), rank_of("Soort"), rank_of("species_aggregate"), rank_of("thing")
    ('SUBSPECIES', 'SPECIES', 'SPECIES_AGGREGATE', '')
    """
    word = " ".join(written.replace("_", " ").split()).strip(".").lower()
    known = word.upper().replace(" ", "_")
    return known if known in CODE else _WORDS.get(word, "")


def is_suprageneric(rank: str) -> bool:
    return bool(rank) and CODE[rank] < _GENUS


def is_infrageneric(rank: str) -> bool:
    """Say whether a rank stands between genus and species."""
    return bool(rank) and _GENUS < CODE[rank] < _AGGREGATE


def is_species_or_below(rank: str) -> bool:
    return bool(rank) and CODE[rank] >= _AGGREGATE and rank not in _OPEN


def is_infraspecific(rank: str) -> bool:
    return bool(rank) and CODE[rank] > _SPECIES and rank not in _OPEN


@lru_cache(maxsize=8192)
def rank_score(asked: str, known: str) -> int:
    """Return how well the rank asked for fits a usage's, from -35 to 6; 0 when nothing is known.

    >>> rank_score("SPECIES", "SPECIES"), rank_score("SPECIES", "GENUS"), rank_score("", "GENUS")
    (6, -30, 0)
    """
    if not known:
        return -1 if asked else 0
    score = -7 if known in ("CULTIVAR", "CULTIVAR_GROUP", "GREX", "STRAIN") else 0
    score -= 3 if known in _UNCOMPARABLE else 0
    if asked:
        score = 0 if asked != known and _OPEN & {asked, known} else score + _compared(asked, known)
    return max(-35, min(6, score))


def _compared(asked: str, known: str) -> int:
    both = {asked, known}
    if asked == known:
        return 10
    if _is_group("INFRASPECIFIC_NAME", both, is_infraspecific) or _is_group("INFRAGENERIC_NAME", both, is_infrageneric):
        return 5
    if both == {"INFRAGENERIC_NAME", "GENUS"}:
        return 4
    if both == {"SPECIES", "SPECIES_AGGREGATE"}:
        return 2
    upper, lower = sorted(both, key=lambda rank: CODE[rank])
    if upper in ("SPECIES", "SPECIES_AGGREGATE") and is_infraspecific(lower):
        return -30
    if CODE[upper] < _AGGREGATE and is_species_or_below(lower):
        return -30
    if is_suprageneric(upper) and not is_suprageneric(lower):
        return -35
    return -(CODE[lower] - CODE[upper])


def _is_group(group: str, both: set[str], belongs: object) -> bool:
    return group in both and callable(belongs) and all(belongs(rank) for rank in both)
