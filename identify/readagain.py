"""Files whose history is read again. In: the records of a harvest. Out: the same; the store without what was misread.

The history of a page says everything that was ever said of its file. What an earlier reading took for standing and this
one does not know is what nobody said so: then a part of the history was not given, or the author of an edit not known.
What an earlier reading knew as taken back stays, for a part of a history may be hidden meanwhile.
"""

from collections.abc import Iterable, Iterator

from harvest.records import Harvested
from identify.pipeline import SOFTWARE, Run
from linkeddata.records import MediaFile, Tag

ROUTE = "commons"
REASON = "the file's history was read anew"


def without_misread(run: Run, records: Iterable[Harvested]) -> Iterator[Harvested]:
    """Pass records on, and take tags out of the current state that stood before a file was read anew and do no more.

    A file comes after its tags: it is stored when they are right, so that a run that was killed reads it again.
    """
    if not run.store.count(Tag, campaign=run.campaign.id):
        yield from records
        return
    said: set[str] = set()  # of all files: one may be in two sources
    for record in records:
        if isinstance(record, Tag) and record.route == ROUTE:
            said.add(record.id)
        elif isinstance(record, MediaFile) and record.revision:
            _forget(run, record.iri, said)
        yield record


def _forget(run: Run, file: str, said: set[str]) -> None:
    """Take out the standing tags of a file that are not among those said; not captions, which not each source reads."""
    own = [tag for tag in run.store.each(Tag, file=file) if tag.route == ROUTE and tag.campaign == run.campaign.id]
    misread = [tag.id for tag in own if tag.item and not tag.withdrawn and tag.id not in said]
    if misread:
        run.store.remove(Tag, misread, agent=SOFTWARE.id, moment=run.now(), reason=REASON)
