"""What queries give no more, in the store. In: a run, the tags it was given. Out: tags taken back, or out.

After each harvest that query services answered without a gap stands in the log up to when they knew the wiki, and which
tags they gave no more without its being clear why. So it is known of every tag when it was seen last.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harvest.lapsed import Index, Lapsed, freshest, lapsed
from harvest.reach import Reach
from harvest.records import SOURCE_FAILED
from harvest.routes import ANSWERED
from harvest.sparql import ROUTE
from identify.pipeline import SOFTWARE, Run
from linkeddata.errors import ServiceError
from linkeddata.records import Failure, MediaFile, Tag

COMPARED = "queries.compared"
"""Kind of the event that tells up to when queries knew the wiki, and which tags they gave no more, unclear why."""
UNSAID = "its query gives it no more"


@dataclass(frozen=True, slots=True)
class _Told:
    """An event of this campaign: its number and what it says."""

    seq: int
    says: dict[str, Any]


def lapse(run: Run, reach: Reach, said: Collection[str], begun: int) -> list[Failure]:
    """Mark the tags that were taken back, by what a query service has of their files now.

    What is still said, and no query of the campaign gives any more, leaves the current state. ``said``: ids of the tags
    that this harvest gave; ``begun``: the log's last number before it. Return the failure of a service that could not
    be asked.
    """
    now = [told.says for told in _told(run, ANSWERED) if told.seq > begun and told.says.get("endpoint")]
    if not now:
        return []
    answers = [Index(says["endpoint"], says["index_date"]) for says in now]
    compared = _told(run, COMPARED)
    stale = [tag for tag in _standing(run) if tag.id not in said]
    found: list[Lapsed] = []
    try:
        if stale and (index := freshest(answers, [told.says["index_date"] for told in compared])):
            found = list(lapsed(reach, index, stale, {tag.id: _seen(run, tag, compared) for tag in stale}))
    except ServiceError as error:
        return [run.lost("harvest", "statements that queries give no more", SOURCE_FAILED, str(error))]
    run.store.put((one.tag for one in found if one.taken_back), agent=SOFTWARE.id, moment=run.now())
    unsaid = [one.tag.id for one in found if not one.taken_back]
    run.store.remove(Tag, unsaid, agent=SOFTWARE.id, moment=run.now(), reason=UNSAID)
    facts = {
        "campaign": run.campaign.id,
        "index_date": max(answer.moment for answer in answers),
        "unclear": sorted({tag.id for tag in stale} - {one.tag.id for one in found}),
    }
    # Last of all: a run that is killed before has compared nothing, and the next compares again.
    run.store.note(COMPARED, run.campaign.id, facts, agent=SOFTWARE.id, moment=run.now())
    return []


def _standing(run: Run) -> Iterator[Tag]:
    """Yield the tags that queries gave and that stand; what is said of a deleted file stays as it was."""
    for tag in run.store.each(Tag, campaign=run.campaign.id, route=ROUTE, withdrawn=""):
        media = run.store.get(MediaFile, tag.file)
        if not (media and media.gone):
            yield tag


def _told(run: Run, kind: str) -> list[_Told]:
    events = ((event.seq, json.loads(event.payload)) for event in run.store.events(kind=kind))
    return [_Told(seq, says) for seq, says in events if says.get("campaign") == run.campaign.id]


def _seen(run: Run, tag: Tag, compared: Sequence[_Told]) -> str:
    """Return up to when the wiki was known in which a tag was seen last, ``""`` if nobody knows."""
    events = run.store.events(subject=tag.id)
    given = max((event.seq for event in events if event.kind in ("tag.added", "tag.changed")), default=0)
    after = (told.says for told in compared if told.seq > given)
    return max((says["index_date"] for says in after if tag.id not in says["unclear"]), default="")
