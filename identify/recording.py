"""What a step found goes into the store, with the failures it met. In: records as they come. Out: ids, yes or no."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from identify.pipeline import SOFTWARE, Run
from linkeddata.ids import content_id
from linkeddata.records import Failure, Record

T = TypeVar("T")


def keep(run: Run, step: str, records: Iterable[Record]) -> set[str]:
    """Put a stream of records into the store; a failure gets the step, the campaign and the moment it lacks.

    Return the ids of the failures.
    """
    name, moment = run.campaign.id, run.now()
    failures: set[str] = set()

    def complete(record: Record) -> Record:
        if not isinstance(record, Failure):
            return record
        key = content_id(name, step, record.subject, record.reason, record.detail)
        failures.add(key)
        return replace(record, id=key, campaign=name, step=step, moment=record.moment or moment)

    run.store.put(map(complete, records), agent=SOFTWARE.id, moment=moment)
    return failures


def told(run: Run, what: str, records: Iterable[T], total: int) -> Iterator[T]:
    """Pass records on and tell how many of them have come."""
    for done, record in enumerate(records, 1):
        run.progress(what, done, total)
        yield record


def lost(run: Run, step: str, *reasons: str) -> bool:
    """Say whether a step of the campaign lost anything for one of these reasons."""
    return any(run.store.count(Failure, campaign=run.campaign.id, step=step, reason=reason) for reason in reasons)
