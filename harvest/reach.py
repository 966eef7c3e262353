"""What every source needs to go out. In: the parts that the command line or the server built. Out: one ``Reach``."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crowd.campaign import Campaign
from harvest.recent import Lately
from harvest.records import Progress, silent
from linkeddata.client import Client
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.settings import Settings

Note = Callable[[str, str, Mapping[str, Any]], None]
"""Told what is no record and is to be remembered: a kind, a subject and the particulars (an event of the log)."""


def unnoted(kind: str, subject: str, payload: Mapping[str, Any]) -> None:
    """Note for those who keep no log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What every source needs to go out: the client, the settings, pseudonyms, and what is known already."""

    client: Client
    settings: Settings
    campaign: Campaign
    pseudonyms: Pseudonyms
    known: Mapping[str, int]
    """Revision by IRI of the files that are stored: their history is not read again."""
    lately: Lately | None = None
    """Ask only for what was touched since a day, where a source can be asked so more cheaply."""
    described: frozenset[str] = frozenset()
    """Files that Commons' API has described, up to date or not: what it says of them is more than other routes know."""
    progress: Progress = silent
    note: Note = unnoted
