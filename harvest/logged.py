"""What a wiki's public log says became of a title. In: a title. Out: when it was deleted, where it was moved to.

https://www.mediawiki.org/wiki/API:Logevents. It takes one title a request: only titles that lead nowhere are asked for.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harvest.mediainfo import Page
from harvest.wiki import Api, Params, by_title
from linkeddata.errors import ServiceError

NEWEST = 50
"""How many entries of the log are looked through for the last that moved or deleted a page."""
ENDING = {("delete", "delete"), ("delete", "restore")}
STEPS = 5
"""How many moves of a file are followed, one after the other."""


def deleted_at(api: Api, title: str) -> str:
    """Return when a page of this title was deleted last, ``""`` if never."""
    asked: Params = {"leaction": "delete/delete", "leprop": "timestamp", "lelimit": 1}
    return next((str(event.get("timestamp", "")) for event in _events(api, title, asked)), "")


def moved_to(api: Api, title: str) -> str:
    """Return where the last page of this title was moved, ``""`` if it was not.

    Another page may have had the title before: what was deleted, or uploaded, after a move was not what was moved.
    """
    for event in _events(api, title, {"leprop": "title|type|details", "lelimit": NEWEST}):
        if event.get("type") == "move":
            return str((event.get("params") or {}).get("target_title", ""))
        if (event.get("type"), event.get("action")) in ENDING or event.get("type") == "upload":
            return ""
    return ""


def followed(api: Api, titles: Iterable[str]) -> dict[str, Page]:
    """Return pages of files by the title asked for, as ``by_title`` does, also of files moved without a redirect.

    Such a move leaves nothing at the old title, as a deletion does; only the log tells them apart.
    """
    asked = list(dict.fromkeys(titles))
    found = by_title(api, asked)
    leading = {title: title for title in asked if title not in found}
    for _ in range(STEPS):
        leading = {title: target for title, place in leading.items() if (target := moved_to(api, place))}
        pages = by_title(api, leading.values())
        found |= {title: pages[target] for title, target in leading.items() if target in pages}
        leading = {title: target for title, target in leading.items() if target not in pages}
    return found


def _events(api: Api, title: str, which: Params) -> Sequence[Mapping[str, Any]]:
    """Return what the log has of a title, newest first."""
    if not title:
        return ()
    try:
        payload = api.ask({"action": "query", "list": "logevents", "letitle": title, **which})
    except ServiceError as error:
        if error.code == "invalidtitle":
            return ()
        raise
    return (payload.get("query") or {}).get("logevents") or ()
