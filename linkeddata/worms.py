"""WoRMS, the World Register of Marine Species. In: names. Out: ``AphiaRecord`` lists, one a name.

REST without a key: ``AphiaRecordsByMatchNames`` takes up to 50 names; 204 without a body is "nothing", and 400 or 404
happen on odd names (https://www.marinespecies.org/rest/).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from linkeddata.client import Client
from linkeddata.errors import ServiceError
from linkeddata.records import Ancestor
from linkeddata.settings import Settings

BATCH = 50
"""Names a request may carry."""

EXACT_TYPES = frozenset({"exact", "like", "exact_subgenus"})
FUZZY_TYPES = frozenset({"phonetic", "near_1"})
"""Match types we take; near_2 and near_3 (two and three letters wrong) and quarantined names are left alone."""

_REFUSED = frozenset({"400", "404"})
_RANKS = ("kingdom", "phylum", "class", "order", "family", "genus")


@dataclass(frozen=True, slots=True, kw_only=True)
class AphiaRecord:
    """One name of WoRMS and the accepted one it leads to; ``valid_id`` is empty for a name that leads nowhere."""

    aphia_id: str
    name: str
    authorship: str = ""
    rank: str = ""  # lower case
    status: str = ""  # ACCEPTED, SYNONYM, or WoRMS' own word in capitals
    valid_id: str = ""
    valid_name: str = ""
    valid_authorship: str = ""
    match_type: str = ""  # EXACT, FUZZY, or empty for a match that is not taken
    lineage: tuple[Ancestor, ...] = ()  # of the name as recorded, without keys


def match_names(client: Client, settings: Settings, names: Sequence[str]) -> list[tuple[AphiaRecord, ...]]:
    """Return what WoRMS has for each of ``names``, in their order: ``()`` is "nothing". Raises ``ServiceError``.

    A batch that WoRMS refuses for one odd name is asked again name by name; the odd one is answered ``()``.
    """
    found: list[tuple[AphiaRecord, ...]] = []
    for start in range(0, len(names), BATCH):
        found += _match_batch(client, settings, names[start : start + BATCH])
    return found


def parse_matches(payload: Any, expected: int) -> list[tuple[AphiaRecord, ...]]:
    """Return one tuple of records a name; ``None`` (WoRMS' 204) is ``expected`` times nothing.

    Raises ``ServiceError`` when the lists cannot be told apart by name.

    >>> parse_matches(None, 2)
    [(), ()]
    """
    if payload is None:
        return [()] * expected
    if not isinstance(payload, list) or len(payload) != expected:
        raise ServiceError(f"WoRMS did not send one list for each of {expected} names", code="malformed")
    return [tuple(parse_record(record) for record in records or ()) for records in payload]


def parse_record(given: Any) -> AphiaRecord:
    """Return one Aphia record. Raises ``ServiceError`` if it has no id or name."""
    if not isinstance(given, dict) or not given.get("AphiaID") or not given.get("scientificname"):
        raise ServiceError("WoRMS sent a record without AphiaID or name", code="malformed")
    rank = _text(given.get("rank")).lower()
    return AphiaRecord(
        aphia_id=_text(given["AphiaID"]),
        name=_text(given["scientificname"]),
        authorship=_text(given.get("authority")),
        rank=rank,
        status=_status(_text(given.get("status"))),
        valid_id=_text(given.get("valid_AphiaID")),
        valid_name=_text(given.get("valid_name")),
        valid_authorship=_text(given.get("valid_authority")),
        match_type=_match_type(_text(given.get("match_type"))),
        lineage=_lineage(given, rank),
    )


def _match_batch(client: Client, settings: Settings, names: Sequence[str]) -> list[tuple[AphiaRecord, ...]]:
    query = urlencode([*(("scientificnames[]", name) for name in names), ("marine_only", "false")])
    try:
        payload = client.get_json(f"{settings.worms_api}/AphiaRecordsByMatchNames?{query}")
    except ServiceError as error:
        if error.code not in _REFUSED:
            raise
        if len(names) == 1:
            return [()]
        return [records for name in names for records in _match_batch(client, settings, [name])]
    return parse_matches(payload, len(names))


def _lineage(given: dict[str, Any], rank: str) -> tuple[Ancestor, ...]:
    above = _RANKS[: _RANKS.index(rank)] if rank in _RANKS else _RANKS
    return tuple(Ancestor(step, _text(given[step])) for step in above if given.get(step))


def _status(told: str) -> str:
    return {"accepted": "ACCEPTED", "unaccepted": "SYNONYM"}.get(told, told.upper())


def _match_type(told: str) -> str:
    if told in EXACT_TYPES:
        return "EXACT"
    return "FUZZY" if told in FUZZY_TYPES else ""


def _text(value: Any) -> str:
    return "" if value is None else str(value)
