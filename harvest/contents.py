"""What edits changed that do not say so. In: ids of revisions. Out: the structured data that each of them holds.

``wbeditentity`` and a few other ways to edit leave a summary that names nothing, and a summary can be hidden. What such
an edit did is seen by laying what the file's structured data were after it beside what they were before it
(``rvprop=content`` of the slot ``mediainfo``, https://www.mediawiki.org/wiki/API:Revisions). Old content costs a wiki
more than lists do, so it is asked for only where a statement is left that no summary accounts for, in few revisions
at a time and with a pause after each (https://wikitech.wikimedia.org/wiki/Robot_policy).
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from harvest.mediainfo import Statement, parse_captions, parse_statement
from harvest.records import batches
from linkeddata.errors import ServiceError, UnreachableError
from linkeddata.ids import DEPICTS

AT_ONCE = 20
"""How many revisions are asked for with their content in one request."""
PAUSE_S = 1.0
"""How long nothing is asked after each such request, in seconds."""

Query = Callable[[Mapping[str, str | int]], Iterable[Any]]


class Content(NamedTuple):
    """What the structured data of a file say in one revision, as far as tags can come of it."""

    depicts: tuple[Statement, ...] = ()
    captions: tuple[tuple[str, str], ...] = ()  # (language, text)


NOTHING = Content()
"""What a revision holds that has no structured data, and what there was before the first."""


def read_contents(query: Query, rest: Callable[[], None], revisions: Sequence[int]) -> dict[int, Content]:
    """Return what the revisions hold, by their id; those whose content is hidden or gone are left out.

    ``rest`` is called after each request. Raises ``UnreachableError``.
    """
    found: dict[int, Content] = {}
    for batch in batches(revisions, AT_ONCE):
        asked = {"revids": "|".join(map(str, batch)), "prop": "revisions", "rvprop": "ids|content"}
        try:
            for payload in query({**asked, "rvslots": "mediainfo"}):
                found |= parse_contents(payload)
        except UnreachableError:
            raise
        except ServiceError:
            continue  # these edits are told of by their summaries alone
        finally:
            rest()
    return found


def parse_contents(payload: Any) -> dict[int, Content]:
    """Return what the revisions in an answer of formatversion 2 hold, by their id.

    >>> page = {"pageid": 8, "revisions": [{"revid": 3, "slots": {}}, {"revid": 4, "slots": {"mediainfo": {}}}]}
    >>> parse_contents({"query": {"pages": [page]}})
    {3: Content(depicts=(), captions=())}
    """
    found = {}
    for page in ((payload or {}).get("query") or {}).get("pages") or ():
        for revision in page.get("revisions") or ():
            content = _content(revision)
            if content is not None:
                found[int(revision["revid"])] = content
    return found


def _content(revision: Mapping[str, Any]) -> Content | None:
    """Return what a revision holds; ``None`` where nobody is told, or where it cannot be read."""
    if "texthidden" in revision or "slots" not in revision:
        return None
    slots = revision["slots"]
    slot = slots.get("mediainfo") if isinstance(slots, Mapping) else None  # PHP writes an empty map as a list
    if slot is None or "missing" in slot or "nosuchslot" in slot:
        return NOTHING
    try:
        entity = json.loads(slot["content"])
        statements = entity.get("statements") or {}
        return Content(tuple(map(parse_statement, statements.get(DEPICTS, ()))), parse_captions(entity.get("labels")))
    except (KeyError, ValueError, AttributeError, TypeError):
        return None
