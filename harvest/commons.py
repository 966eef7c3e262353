"""Wikimedia Commons through its Action API. In: a source of a campaign. Out: files and tags, with who and when.

Few requests, one at a time: files are listed and described by 500, structured data comes by 50, and histories are read
together, only of files that are new or changed and in whose history something can have happened. What the answers mean
is said in ``harvest.mediainfo`` and ``harvest.history``; which files are meant in ``harvest.commons_files``.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

from crowd.campaign import CommonsSource
from harvest.commons_files import FILE_MISSING, Found, list_source, list_touched
from harvest.contents import PAUSE_S, Content, read_contents
from harvest.history import Said, fold, in_question, people
from harvest.mediainfo import MediaInfo, Page, media_file
from harvest.recent import Lately, changed_since
from harvest.records import GROUPS, GroupRule, Harvested, Progress, Roll, batches, lost, membership, silent
from harvest.revisions import Histories, Revision, read_histories
from harvest.wiki import ENTITIES, MEMBERS, Api, by_id, entities
from linkeddata.client import Client
from linkeddata.errors import UsageError
from linkeddata.ids import content_id, media_of_iri
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import Failure, Tag
from linkeddata.settings import Settings

NO_ITEM = "statement without item"
DEPRECATED = "deprecated statement"
FURTHER = "further part or region"
"""A statement says of several places in the picture that the item is there: the first is its tag's."""
NO_HISTORY = "history not given"


@dataclass(frozen=True, slots=True)
class _Job:
    """What stays the same for every file of one harvest."""

    api: Api
    campaign: str
    roll: Roll
    known: Mapping[str, int]
    group: GroupRule
    captions: bool
    attribution: bool
    contents: bool


class _Told(NamedTuple):
    """What was answered about one file, among others."""

    page: Page | None
    info: MediaInfo | None
    histories: Histories
    contents: Mapping[int, Content]


def harvest_commons(
    client: Client,
    settings: Settings,
    source: CommonsSource,
    *,
    campaign: str,
    pseudonyms: Pseudonyms,
    known: Mapping[str, int] | None = None,
    lately: Lately | None = None,
    attribution: bool = True,
    progress: Progress = silent,
) -> Iterator[Harvested]:
    """Yield the files that a source means, with what was said of each.

    ``known``: IRI → revision of the files that are stored with their tags; of one that still has this revision only
    its membership is given. ``lately``: ask only for files touched since a day, where that is cheaper than listing all;
    its files must then be those of this source. ``attribution=False`` asks for no history at all and keeps no author.
    Raises ``UsageError`` for an unknown group rule, and what ``Client.get_json`` raises.
    """
    if source.group not in GROUPS:
        raise UsageError(f"no group rule {source.group!r}; known are {', '.join(GROUPS)}")
    api = Api.of(client, settings)
    known = known or {}
    job = _Job(
        api, campaign, Roll(pseudonyms), known, GROUPS[source.group], source.captions, attribution, source.contents
    )
    touched = _touched(api, source, known, lately) if lately else None
    if touched is None:
        listing = list_source(api, source, campaign=campaign, described=not known, progress=progress)
    else:
        listing = list_touched(api, source, known, touched)
    done = 0
    while window := list(islice(listing, MEMBERS)):
        yield from (entry for entry in window if isinstance(entry, Failure))
        files = [entry for entry in window if isinstance(entry, Found)]
        for number, record in _window(job, files):
            yield record
            progress("files", done + number, 0)
        done += len(files)


def _touched(api: Api, source: CommonsSource, known: Mapping[str, int], lately: Lately) -> set[int] | None:
    """Return the page ids to ask for, where the source is one category and that is cheaper than listing it."""
    if not known or not source.category or source.depth:
        return None
    recent = changed_since(api, lately.since, now=lately.now, most=len(known) // MEMBERS)
    if recent is None:
        return None
    # The log of a deletion names no page, only its title. What is not known well enough is asked for again.
    again = {iri for title, iri in lately.titles.items() if title in recent.titles or iri not in known}
    return {*recent.ids, *(int(media_of_iri(iri)[1:]) for iri in again)}


def _window(job: _Job, files: Sequence[Found]) -> Iterator[tuple[int, Harvested]]:
    """Yield what is known of some hundred files, their histories read together; with each record, which file it is."""
    pages: dict[int, Page] = {}
    infos: dict[int, MediaInfo] = {}
    new = [file for file in files if not _unchanged(job, file)]
    for batch in batches(new, ENTITIES):
        pages |= {file.id: file.page for file in batch if file.page}
        pages |= by_id(job.api, [file.id for file in batch if not file.page])
        infos |= {int(key[1:]): info for key, info in entities(job.api, [f"M{f.id}" for f in batch]).items()}
    histories = _histories(job, pages, infos)
    contents = _contents(job, histories, pages, infos)
    for number, file in enumerate(files, 1):
        iri = job.api.site.iri(file.id)
        told = _Told(pages.get(file.id), infos.get(file.id), histories, contents)
        records = [] if _unchanged(job, file) else _file(job, file, told)
        yield from ((number, record) for record in records)
        page = pages.get(file.id)
        if _unchanged(job, file) or (page and page.image and file.id in infos):
            yield number, membership(job.campaign, iri)


def _unchanged(job: _Job, file: Found) -> bool:
    return bool(file.revision) and job.known.get(job.api.site.iri(file.id)) == file.revision


def _histories(job: _Job, pages: Mapping[int, Page], infos: Mapping[int, MediaInfo]) -> Histories:
    """Read the histories in which a tag can have been given or taken back: of pages edited since they were made."""
    newest = {
        page.id: page.newest
        for page in pages.values()
        if page.newest and page.image and page.id in infos and not infos[page.id].missing
    }
    return read_histories(job.api.doing("history").query, newest) if job.attribution else Histories()


def _contents(
    job: _Job, histories: Histories, pages: Mapping[int, Page], infos: Mapping[int, MediaInfo]
) -> dict[int, Content]:
    """Look into the edits that do not say what they did, where a tag is left that no summary accounts for."""
    if not job.contents:
        return {}
    wanted: list[int] = []
    for number, revisions in histories.read.items():
        wanted += in_question(_up_to(revisions, pages[number], infos[number]), infos[number], captions=job.captions)
    api = job.api.doing("history")
    return read_contents(api.query, lambda: api.client.rest(api.url, PAUSE_S), wanted)


def _file(job: _Job, file: Found, told: _Told) -> Iterator[Harvested]:
    """Yield what is known of one new or changed file: failures, people, tags, the file."""
    iri = job.api.site.iri(file.id)
    page, info, histories = told.page, told.info, told.histories
    if page is None or info is None or not page.image:
        where = f"in {file.place}, without a file when asked for" if file.place else ""
        yield lost(iri, FILE_MISSING, where, campaign=job.campaign)
        return
    yield from statement_failures(iri, info, job.campaign)
    media = media_file(job.api.site, page, info)
    group = job.group(media, file.place, job.roll.pseudonym(page.uploader))
    media = replace(media, group=group, revision=_seen(page, info))
    if page.id in histories.refused:
        yield lost(iri, NO_HISTORY, histories.refused[page.id], campaign=job.campaign)
        media = replace(media, revision=0)  # its history must be asked for again
    history = _up_to(histories.read.get(page.id, ()), page, info)
    said = fold(history, info, captions=job.captions, contents=told.contents)
    yield from job.roll.introduce(*people(said))
    yield from tags(said, iri, job.campaign, job.roll)
    yield media


def _seen(page: Page, info: MediaInfo) -> int:
    """Return the revision up to which a file is known: an edit between two questions belongs to the next harvest."""
    return min(filter(None, (page.revision, info.revision)), default=0)


def _up_to(revisions: Iterable[Revision], page: Page, info: MediaInfo) -> list[Revision]:
    """Return the revisions that belong to what is known of a file."""
    return [revision for revision in revisions if revision.id <= _seen(page, info)]


def tags(said: Iterable[Said], iri: str, campaign: str, roll: Roll) -> Iterator[Tag]:
    """Yield a file's tags. An id stays the same when the tag is withdrawn later, whatever became of the statement."""
    met: Counter[tuple[object, ...]] = Counter()
    for one in said:
        language, text = one.key
        place = met[one.key, one.revision]
        met[one.key, one.revision] += 1
        statement = one.statement
        yield Tag(
            id=content_id("commons", campaign, iri, language, text, str(one.revision), str(place)),
            file=iri,
            item="" if language else text,
            verbatim=text if language else "",
            language=language,
            agent=roll.id(one.user),
            moment=one.moment,
            route="commons",
            campaign=campaign,
            prominent=statement is not None and statement.rank == "preferred",
            part=statement.part if statement else "",
            region=statement.region if statement else "",
            statement=statement.id if statement else "",
            revision=one.revision,
            withdrawn=one.withdrawn,
            withdrawn_by=roll.id(one.withdrawn_by),
            tool=one.tool,
            reference=statement.reference if statement else "",
        )


def statement_failures(iri: str, info: MediaInfo, campaign: str) -> Iterator[Failure]:
    """Yield the P180 statements that say nothing (without an item, or marked as wrong), and what others say besides."""
    for statement in info.depicts:
        if statement.rank == "deprecated":
            yield lost(iri, DEPRECATED, f"{statement.item or statement.kind} {statement.id}", campaign=campaign)
        elif not statement.item:
            yield lost(iri, NO_ITEM, f"{statement.kind} {statement.id}", campaign=campaign)
        elif statement.further:
            yield lost(
                iri, FURTHER, f"{statement.item} {' '.join(statement.further)} {statement.id}", campaign=campaign
            )
