"""What changed on a wiki lately. In: a day. Out: the file pages that were touched since, or that asking costs too much.

``list=recentchanges`` goes back thirty days and tells of every file of the wiki, not only of ours
(https://www.mediawiki.org/wiki/API:RecentChanges). Listing a category costs one request for 500 files, whatever
happened to them: on a busy wiki that is cheaper, on a quiet one with a large category this is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from harvest.wiki import ENTITIES, MEMBERS, Api, Params

WINDOW = timedelta(days=30)
"""How far back a wiki of Wikimedia tells of changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lately:
    """What must be known to ask only for what was touched: since which day, today, and the titles of our files."""

    since: str
    now: str
    titles: Mapping[str, str]
    """IRI by title."""


@dataclass(frozen=True, slots=True)
class Recent:
    """The file pages that were touched: those that are there by id, and the titles of all."""

    ids: frozenset[int]
    titles: frozenset[str]


def changed_since(api: Api, since: str, *, now: str, most: int) -> Recent | None:
    """Return the file pages touched since the day ``since``; ``None`` where that is too long ago or too much.

    Too much is what takes more than ``most`` requests, those included that ask where each touched file is now. One
    answer shows how fast the wiki changes: on a busy one no more than that is asked.
    """
    if _day(now) - _day(since) > WINDOW:
        return None
    asked: Params = {
        "list": "recentchanges",
        "rcnamespace": 6,
        "rctype": "edit|new|log",
        "rcprop": "ids|title|timestamp",
        "rclimit": MEMBERS,
        "rcend": f"{since}T00:00:00Z",
    }
    ids: set[int] = set()
    titles: set[str] = set()
    for number, payload in enumerate(api.query(asked), 1):
        rows = (payload.get("query") or {}).get("recentchanges") or []
        ids |= {int(row["pageid"]) for row in rows if row.get("pageid")}
        titles |= {str(row["title"]) for row in rows if row.get("title")}
        answers = number + (_left(rows, since) if payload.get("continue") else 0)
        if answers + len(ids) / ENTITIES > most:
            return None
    return Recent(frozenset(ids), frozenset(titles))


def _left(rows: list[dict[str, Any]], since: str) -> float:
    """Return how many more such answers there are if the wiki was as busy all the time since."""
    newest, oldest = (datetime.fromisoformat(str(rows[place]["timestamp"])) for place in (0, -1))
    spanned = max((newest - oldest).total_seconds(), 1.0)
    begin = datetime.fromisoformat(f"{since}T00:00:00+00:00")
    return (oldest - begin).total_seconds() / spanned


def _day(moment: str) -> date:
    return date.fromisoformat(moment[:10])
