"""Wikimedia Commons through its Action API. In: a category, page ids or titles. Out: files and tags, with who and when.

Few requests, one at a time: members by 500, image information and structured data by 50, and a page's history only
where the page is new or changed since it was last read and something can have happened in it
(https://www.mediawiki.org/wiki/API:Etiquette). What the answers mean is said in ``harvest.mediainfo`` and
``harvest.history``.
"""

from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from harvest.history import Revision, Said, fold, parse_revisions, people
from harvest.mediainfo import MediaInfo, Page, Site, media_file, parse_entities, parse_pages
from harvest.records import GROUPS, GroupRule, Harvested, Progress, Roll, batches, lost, membership, silent
from linkeddata.client import Client
from linkeddata.errors import ServiceError, UnreachableError, UsageError
from linkeddata.ids import content_id
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import Failure, MediaFile, Tag
from linkeddata.settings import Settings

MEMBERS = 500
ENTITIES = 50
"""How many members, and how many pages or entities, the API gives at once to people (bots get more)."""
MAXLAG_S = 5
LONGEST_URL = 2000
METADATA = "LicenseUrl|License|Artist|Attribution|Credit|DateTimeOriginal|ImageDescription"

FILE_MISSING = "file missing"
NO_ITEM = "statement without item"
DEPRECATED = "deprecated statement"
EMPTY_CATEGORY = "category empty or missing"
NO_HISTORY = "history not given"

Params = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Api:
    """One wiki's Action API and the client that asks it."""

    client: Client
    url: str
    site: Site

    @classmethod
    def of(cls, client: Client, settings: Settings) -> "Api":
        """Return the API of Commons as the settings have it."""
        return cls(client, settings.commons_api, Site(settings.commons_entity))

    def ask(self, params: Params) -> Any:
        """Return one answer; long lists go in the body. Raises like ``Client.get_json``."""
        given: Params = {**params, "format": "json", "formatversion": 2, "maxlag": MAXLAG_S}
        if len(urlencode(given)) > LONGEST_URL:
            return self.client.post_json(self.url, given)
        return self.client.get_json(self.url, given)

    def query(self, params: Params) -> Iterator[Any]:
        """Yield the answers to an ``action=query`` until nothing is left to continue."""
        more: dict[str, Any] = {}
        while True:
            payload = self.ask({"action": "query", **params, **more})
            yield payload
            following = payload.get("continue") or {}
            if not following:
                return
            if following == more:
                raise ServiceError(f"{self.url}: continues without end at {more}", code="badcontinue", url=self.url)
            more = dict(following)


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


def harvest_category(
    client: Client,
    settings: Settings,
    category: str,
    *,
    depth: int = 0,
    campaign: str,
    pseudonyms: Pseudonyms,
    captions: bool = False,
    known: Mapping[str, int] | None = None,
    group: str = "creator",
    attribution: bool = True,
    progress: Progress = silent,
) -> Iterator[Harvested]:
    """Yield the files of a Commons category and of its subcategories down to ``depth``, with what was said of each.

    ``category`` with or without its prefix; ``captions``: captions are names and become verbatim tags; ``known``: IRI →
    revision of the files whose tags are stored, whose history is not asked for again while the revision is the same;
    ``group``: a key of ``GROUPS``; ``attribution=False`` asks for no history at all and keeps no author.
    Raises ``UsageError`` for an unknown group rule, and what ``Client.get_json`` raises.
    """
    if group not in GROUPS:
        raise UsageError(f"no group rule {group!r}; known are {', '.join(GROUPS)}")
    api = Api.of(client, settings)
    found = list_category(api, category, depth=depth, progress=progress)
    if not found:
        yield lost(with_prefix(category), EMPTY_CATEGORY, campaign=campaign)
    job = _Job(api, campaign, Roll(pseudonyms), known or {}, GROUPS[group], captions, attribution)
    done = 0
    for batch in batches(list(found), ENTITIES):
        pages, entities = describe(api, batch)
        for page_id in batch:
            yield from _file(job, page_id, pages.get(page_id), entities.get(f"M{page_id}"), found[page_id])
            done += 1
            progress("files", done, len(found))


def _file(job: _Job, page_id: int, page: Page | None, info: MediaInfo | None, category: str) -> Iterator[Harvested]:
    """Yield what is known of one file: failures, people, tags, the file, its membership."""
    iri = job.api.site.iri(page_id)
    if page is None or info is None or not page.image:
        yield lost(iri, FILE_MISSING, f"in category {category}, without a file when asked for", campaign=job.campaign)
        return
    yield from statement_failures(iri, info, job.campaign)
    media = media_file(job.api.site, page, info)
    media = replace(media, group=job.group(media, category), revision=_seen(page, info))
    if job.known.get(iri) != media.revision or not media.revision:
        media = yield from _said(job, media, page, info)
    yield media
    yield membership(job.campaign, iri)


def _said(job: _Job, media: MediaFile, page: Page, info: MediaInfo) -> Generator[Harvested, None, MediaFile]:
    """Yield people and tags of one file; return the file, with revision 0 if its history must be asked for again."""
    history: Sequence[Revision] = ()
    if job.attribution and not info.missing and not page.only_revision:
        try:
            history = [r for r in page_history(job.api, page.id) if r.id <= media.revision]
        except UnreachableError:
            raise
        except ServiceError as error:
            yield lost(media.iri, NO_HISTORY, str(error), campaign=job.campaign)
            media = replace(media, revision=0)
    said = fold(history, info, captions=job.captions)
    yield from job.roll.introduce(*people(said))
    yield from tags(said, media.iri, job.campaign, job.roll)
    return media


def _seen(page: Page, info: MediaInfo) -> int:
    """Return the revision up to which a file is known: an edit between two questions belongs to the next harvest."""
    return min(filter(None, (page.revision, info.revision)), default=0)


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
        )


def statement_failures(iri: str, info: MediaInfo, campaign: str) -> Iterator[Failure]:
    """Yield the P180 statements that say nothing: without an item, or marked as wrong."""
    for statement in info.depicts:
        if statement.rank == "deprecated":
            yield lost(iri, DEPRECATED, f"{statement.item or statement.kind} {statement.id}", campaign=campaign)
        elif not statement.item:
            yield lost(iri, NO_ITEM, f"{statement.kind} {statement.id}", campaign=campaign)


def list_category(api: Api, category: str, *, depth: int, progress: Progress = silent) -> dict[int, str]:
    """Return page id → category (without prefix) of all files down to ``depth`` levels below ``category``.

    A category is read once, however often the tree leads to it. A file in several of them belongs to the lowest.
    """
    found: dict[int, str] = {}
    seen = {with_prefix(category)}
    waiting = deque([(with_prefix(category), 0)])
    while waiting:
        title, level = waiting.popleft()
        for member in _members(api, title, subcategories=level < depth):
            if member.get("type") == "file":
                found[int(member["pageid"])] = title.partition(":")[2]
            elif member["title"] not in seen:
                seen.add(member["title"])
                waiting.append((member["title"], level + 1))
        progress("categories", len(seen) - len(waiting), len(seen))
    return found


def _members(api: Api, title: str, *, subcategories: bool) -> Iterator[Mapping[str, Any]]:
    params = {
        "list": "categorymembers",
        "cmtitle": title,
        "cmtype": "file|subcat" if subcategories else "file",
        "cmprop": "ids|title|type",
        "cmlimit": MEMBERS,
    }
    for payload in api.query(params):
        yield from (payload.get("query") or {}).get("categorymembers") or ()


def with_prefix(category: str) -> str:
    """Return a category's title with its prefix, as MediaWiki has it.

    >>> with_prefix("historia_naturalis"), with_prefix("category: Birds")
    ('Category:Historia naturalis', 'Category:Birds')
    """
    name = " ".join(category.replace("_", " ").split())
    if name.lower().startswith("category:"):
        name = name.partition(":")[2].strip()
    return f"Category:{name[:1].upper()}{name[1:]}"


def describe(api: Api, page_ids: Sequence[int]) -> tuple[dict[int, Page], dict[str, MediaInfo]]:
    """Return pages by id and structured data by M-id, for at most 50 pages, with two requests."""
    return by_id(api, page_ids), entities(api, [f"M{page_id}" for page_id in page_ids])


def by_id(api: Api, page_ids: Sequence[int]) -> dict[int, Page]:
    """Return at most 50 pages by their id; missing ones are left out."""
    pages, _ = _pages(api, {"pageids": "|".join(map(str, page_ids))})
    return {page.id: page for page in pages}


def entities(api: Api, media_ids: Sequence[str]) -> dict[str, MediaInfo]:
    """Return the structured data of at most 50 files by M-id."""
    if not media_ids:
        return {}
    return parse_entities(
        api.ask({"action": "wbgetentities", "ids": "|".join(media_ids), "props": "info|labels|claims"})
    )


def by_title(api: Api, titles: Iterable[str]) -> dict[str, Page]:
    """Return pages of files by the title asked for, of a moved file by its old one too; missing ones are left out."""
    found: dict[str, Page] = {}
    for batch in batches(list(dict.fromkeys(titles)), ENTITIES):
        pages, renamed = _pages(api, {"titles": "|".join(batch), "redirects": 1})
        titled = {page.title: page for page in pages if page.image}
        for title in batch:
            page = titled.get(_final(title, renamed))
            if page:
                found[title] = page
    return found


def _final(title: str, renamed: Mapping[str, str]) -> str:
    seen = set()
    while title in renamed and title not in seen:
        seen.add(title)
        title = renamed[title]
    return title


def _pages(api: Api, which: Params) -> tuple[list[Page], dict[str, str]]:
    """Return the file pages, and what the API made of the titles (normalized, or led on from a redirect)."""
    params: Params = {
        **which,
        "prop": "imageinfo|info|revisions",
        "iiprop": "url|size|sha1|mime|extmetadata",
        "iiextmetadatafilter": METADATA,
        "rvprop": "ids",
    }
    pages: dict[int, dict[str, Any]] = {}
    renamed: dict[str, str] = {}
    for payload in api.query(params):
        answer = payload.get("query") or {}
        for step in (*(answer.get("normalized") or ()), *(answer.get("redirects") or ())):
            renamed[step["from"]] = step["to"]
        for page in answer.get("pages") or ():
            if "pageid" in page:
                pages.setdefault(int(page["pageid"]), {}).update(page)
    return parse_pages({"query": {"pages": list(pages.values())}}), renamed


def page_history(api: Api, page_id: int) -> list[Revision]:
    """Return all revisions of one page, newest first, without their content."""
    params: Params = {
        "pageids": page_id,
        "prop": "revisions",
        "rvprop": "ids|user|timestamp|comment|tags",
        "rvlimit": "max",
    }
    return [revision for payload in api.query(params) for revision in parse_revisions(payload)]
