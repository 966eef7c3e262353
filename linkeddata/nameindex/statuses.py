"""Taxonomic statuses. In: a status as a checklist writes it. Out: a code, and GBIF's word for it."""

from functools import lru_cache

STATUSES = (
    "ACCEPTED",
    "DOUBTFUL",
    "SYNONYM",
    "HOMOTYPIC_SYNONYM",
    "HETEROTYPIC_SYNONYM",
    "PROPARTE_SYNONYM",
    "MISAPPLIED",
    "INTERMEDIATE_RANK_SYNONYM",
)
ACCEPTED = 0
IMPLICIT = 255
"""Not listed itself, only named as the ancestor of others: never an answer."""

_DOUBTFUL = 1
_SYNONYM = 2
_MISAPPLIED = STATUSES.index("MISAPPLIED")
_WORDS = {
    "": ACCEPTED, "VALID": ACCEPTED, "ALTERNATE REPRESENTATION": _DOUBTFUL, "PROVISIONALLY ACCEPTED": _DOUBTFUL,
    "PROVISIONALLY_ACCEPTED": _DOUBTFUL, "UNCERTAIN": _DOUBTFUL, "UNASSESSED": _DOUBTFUL, "NOMEN DUBIUM": _DOUBTFUL,
    "TAXON INQUIRENDUM": _DOUBTFUL, "NOMEN NUDUM": _DOUBTFUL, "UNACCEPTED": _SYNONYM, "INVALID": _SYNONYM,
    "JUNIOR SYNONYM": _SYNONYM, "AMBIGUOUS SYNONYM": _SYNONYM, "AMBIGUOUS_SYNONYM": _SYNONYM,
    "SUPERSEDED COMBINATION": _SYNONYM, "OBJECTIVE SYNONYM": STATUSES.index("HOMOTYPIC_SYNONYM"),
    "SUBJECTIVE SYNONYM": STATUSES.index("HETEROTYPIC_SYNONYM"),
}  # fmt: skip


@lru_cache(maxsize=1024)
def status_code(written: str) -> int:
    """Return the code of a status as written; what is neither accepted nor a known synonym is doubtful.

    >>> STATUSES[status_code("accepted")], STATUSES[status_code("Heterotypic synonym")], STATUSES[status_code("?")]
    ('ACCEPTED', 'HETEROTYPIC_SYNONYM', 'DOUBTFUL')
    """
    word = " ".join(written.replace("_", " ").split()).upper()
    known = word.replace(" ", "_")
    if known in STATUSES:
        return STATUSES.index(known)
    if word in _WORDS:
        return _WORDS[word]
    return _SYNONYM if "SYNONYM" in word else _DOUBTFUL


def is_synonym_code(code: int) -> bool:
    return _SYNONYM <= code < len(STATUSES)


def status_score(code: int) -> int:
    """Return what a usage's status counts in a match, as in GBIF's published matching."""
    if is_synonym_code(code):
        return -10 if code == _MISAPPLIED else 0
    return 1 if code == ACCEPTED else -5
