"""The record of one way back into a museum's system: what is decided, before anything is written."""

from dataclasses import dataclass

from crowd.cms.delta import Delta
from crowd.cms.determinations import Determination
from crowd.cms.entries import Entry
from crowd.cms.holdings import Holdings
from crowd.cms.profile import Key, Profile
from crowd.cms.table import Table
from linkeddata.records import Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What goes to a museum, and what becomes of it there."""

    profile: Profile
    key: Key
    base: Table | None
    known: Holdings
    made: tuple[Determination, ...]
    delta: Delta
    entries: tuple[Entry, ...]
    undo: tuple[Entry, ...]
    take_back: tuple[Entry, ...]
    lost: tuple[Failure, ...]
    """Files whose object cannot be told."""
    checked: tuple[str, ...] = ()
    """What was tried on a copy of the export, in words."""
    campaigns: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to import and nothing to take back."""
        return not self.entries and not self.take_back
