"""The histories of many pages in few requests. In: each page's newest revision. Out: its revisions, without content.

``prop=revisions`` gives only the newest revision of each of several pages, but any fifty revisions at once by their
ids: so the histories of many pages are walked backwards together, from each revision to its parent
(https://www.mediawiki.org/wiki/API:Revisions). A long history walked to its end would cost more than reading that one
page, five hundred revisions a request; how long it is nobody says beforehand. So each page's share of the requests is
counted, and a page whose share has grown to one request is read alone: no history costs more than twice what the
cheaper way would have cost.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from linkeddata.errors import ServiceError, UnreachableError

REVISIONS = 50
"""How many revisions the API gives at once by their ids."""
ABOUT = "ids|user|timestamp|comment|tags"
"""What is asked of a revision; never its content."""

Query = Callable[[Mapping[str, str | int]], Iterable[Any]]
"""Asks ``action=query`` and gives its answers until nothing is left to continue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One revision of a file page, without its content."""

    id: int
    user: str  # "" where it was hidden
    moment: str
    comment: str  # "" where it was hidden
    tags: tuple[str, ...] = ()
    parent: int = 0
    hidden: bool = False
    """Its summary was hidden: whatever it did, nobody is told."""


@dataclass(slots=True)
class Histories:
    """What became of the asking: revisions by page id, newest first, and the pages whose history was not given."""

    read: dict[int, list[Revision]] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Walk:
    """One page on the way back: what is read of it, and its share of the requests."""

    page: int
    found: list[Revision]
    share: float = 0.0


def parse_revision(entry: Mapping[str, Any]) -> Revision:
    """Return one revision as ``prop=revisions`` gives it; what was hidden from the public is empty.

    >>> parse_revision({"revid": 7, "parentid": 3, "userhidden": True, "timestamp": "2021-10-03T14:05:00Z"}).user
    ''
    """
    return Revision(
        id=int(entry["revid"]),
        user="" if entry.get("userhidden") else str(entry.get("user", "")),
        moment=str(entry.get("timestamp", "")),
        comment="" if entry.get("commenthidden") else str(entry.get("comment", "")),
        tags=tuple(map(str, entry.get("tags") or ())),
        parent=int(entry.get("parentid") or 0),
        hidden=bool(entry.get("commenthidden")),
    )


def parse_revisions(payload: Any) -> list[Revision]:
    """Return the revisions of the one page in an answer of formatversion 2, in the order given."""
    pages = ((payload or {}).get("query") or {}).get("pages") or [{}]
    return [parse_revision(entry) for entry in pages[0].get("revisions") or ()]


def read_histories(query: Query, newest: Mapping[int, Revision]) -> Histories:
    """Return the histories of the pages whose newest revisions are given, up to those.

    A page that is refused is named with the reason; the others go on. Raises ``UnreachableError``.
    """
    told = Histories()
    waiting: deque[_Walk] = deque()
    for page, revision in newest.items():
        _goes_on(_Walk(page, [revision]), waiting, told)
    while waiting:
        walking = [waiting.popleft() for _ in range(min(REVISIONS, len(waiting)))]
        alone = [walk for walk in walking if walk.share + 1 / len(walking) > 1 or len(walking) == 1]
        for walk in alone:
            _read_alone(query, walk, told)
        if alone:
            waiting.extendleft(walk for walk in reversed(walking) if walk not in alone)
        else:
            _step_back(query, walking, waiting, told)
    return told


def _goes_on(walk: _Walk, waiting: deque[_Walk], told: Histories) -> None:
    if walk.found[-1].parent:
        waiting.append(walk)
    else:
        told.read[walk.page] = walk.found


def _step_back(query: Query, walking: list[_Walk], waiting: deque[_Walk], told: Histories) -> None:
    """Ask for the parents of all at once. A page whose parent is not given is read alone."""
    try:
        given = _by_id(query, [walk.found[-1].parent for walk in walking])
    except UnreachableError:
        raise
    except ServiceError:
        given = {}
    for walk in walking:
        page, revision = given.get(walk.found[-1].parent, (0, None))
        # Deleted since, or on another page after histories were merged: then only the page's own list is right.
        if revision is None or page != walk.page:
            _read_alone(query, walk, told)
            continue
        walk.found.append(revision)
        walk.share += 1 / len(walking)
        _goes_on(walk, waiting, told)


def _by_id(query: Query, ids: list[int]) -> dict[int, tuple[int, Revision]]:
    """Return page and revision by the revision's id."""
    given = {}
    for payload in query({"revids": "|".join(map(str, ids)), "prop": "revisions", "rvprop": ABOUT}):
        for page in (payload.get("query") or {}).get("pages") or ():
            for entry in page.get("revisions") or ():
                given[int(entry["revid"])] = (int(page.get("pageid") or 0), parse_revision(entry))
    return given


def _read_alone(query: Query, walk: _Walk, told: Histories) -> None:
    """Read one page's history, without what came after its newest revision that we know of."""
    try:
        whole = page_history(query, walk.page)
    except UnreachableError:
        raise
    except ServiceError as error:
        told.refused[walk.page] = str(error)
        return
    told.read[walk.page] = [revision for revision in whole if revision.id <= walk.found[0].id]


def page_history(query: Query, page_id: int) -> list[Revision]:
    """Return all revisions of one page, newest first, five hundred a request."""
    asked: dict[str, str | int] = {"pageids": page_id, "prop": "revisions", "rvprop": ABOUT, "rvlimit": "max"}
    return [revision for payload in query(asked) for revision in parse_revisions(payload)]
