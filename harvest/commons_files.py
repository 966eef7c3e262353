"""Which files a source on Commons means. In: a ``CommonsSource``. Out: ``Found``, and failures for what is not there.

Categories with their subcategories, a search of structured data, a user's uploads, or files that are named one by one.
A listing gives the newest revision of each file along with it, five hundred a request; where everything is new, it
describes the files in the same request (https://www.mediawiki.org/wiki/API:Categorymembers, API:Search, API:Allimages).
"""

import re
from collections import deque
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from itertools import islice
from math import isqrt
from typing import Any

from crowd.campaign import CommonsSource
from harvest.logged import followed
from harvest.mediainfo import Page
from harvest.records import Progress, batches, lost, silent
from harvest.wiki import DESCRIBED, ENTITIES, NUMBERED, Api, Pages, Params, by_id, listed
from linkeddata.ids import media_of_iri
from linkeddata.records import Failure

FILE_MISSING = "file missing"
EMPTY = "category empty or missing"
NOTHING_FOUND = "nothing found"
CUT_OFF = "search cut off"

FILE, CATEGORY = 6, 14
"""Namespaces of MediaWiki."""
HITS = 10_000
"""How many results of one search can be had (https://www.mediawiki.org/wiki/Help:CirrusSearch)."""
LARGEST_KB = 8 * 1024 * 1024
"""No file on Commons is larger: uploads end at 5 GiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One file of a source."""

    id: int
    revision: int
    place: str
    """Where it was found: the category without its prefix, the search, "uploads"."""
    page: Page | None = None
    """Its description, where the listing brought it."""


def list_source(
    api: Api, source: CommonsSource, *, campaign: str, described: bool, progress: Progress = silent
) -> Iterator[Found | Failure]:
    """Yield the files that a source means, each once; ``described``: with their descriptions, where that costs nothing.

    Raises what ``Client.get_json`` raises.
    """
    if source.category:
        yield from _category(api, source, campaign=campaign, described=described, progress=progress)
    elif source.search:
        yield from search(api, source.search, campaign=campaign, described=described)
    elif source.uploads:
        user = re.sub(r"(?i)^user:", "", source.uploads).replace("_", " ").strip()
        user = user[:1].upper() + user[1:]
        generator: Params = {"generator": "allimages", "gaisort": "timestamp", "gaiuser": user}
        # The place may become the name of a group in a data set, where user names do not belong.
        yield from _or_nothing(_listed(api, generator, "gailimit", "uploads", described), f"User:{user}", campaign)
    else:
        yield from _named(api, source.files, campaign=campaign)


def _category(
    api: Api, source: CommonsSource, *, campaign: str, described: bool, progress: Progress
) -> Iterator[Found | Failure]:
    title = with_prefix(source.category)
    if source.depth:
        # A file may be in several categories of the tree: which is the lowest is known only when all are read.
        tree = list_category(api, source, progress=progress)
        found: Iterator[Found] = iter(tree.values())
    else:
        generator: Params = {"generator": "categorymembers", "gcmtitle": title, "gcmtype": "file"}
        found = _listed(api, generator, "gcmlimit", title.partition(":")[2], described)
    yield from _or_nothing(found, title, campaign, reason=EMPTY)


def list_touched(
    api: Api, source: CommonsSource, known: Mapping[str, int], touched: Set[int]
) -> Iterator[Found | Failure]:
    """Yield the files of a category: those known and not touched as they were, the touched ones if they are in it now.

    ``known`` are the files that were in the category, by IRI with their revision.
    """
    title = with_prefix(source.category)
    place = title.partition(":")[2]
    for iri, revision in known.items():
        number = _page_id(iri)
        if number and number not in touched:
            yield Found(id=number, revision=revision, place=place)
    for batch in batches(sorted(touched), ENTITIES):
        pages = Pages()
        asked: Params = {"pageids": "|".join(map(str, batch)), "prop": "info|categories", "clcategories": title}
        for payload in api.query({**asked, "cllimit": "max"}):
            pages.take(payload)
        for page in pages.all():
            if page.categories:
                yield Found(id=page.id, revision=page.revision, place=place)


def list_category(api: Api, source: CommonsSource, *, progress: Progress = silent) -> dict[int, Found]:
    """Return the files of a category and of its subcategories down to ``depth`` levels, by page id.

    A category is read once, however often the tree leads to it, and not at all where it is excluded. A file in several
    of them belongs to the lowest.
    """
    found: dict[int, Found] = {}
    root = with_prefix(source.category)
    seen = {root, *map(with_prefix, source.exclude)}
    waiting = deque([(root, 0)])
    done = 0
    while waiting:
        title, level = waiting.popleft()
        kinds = "subcat|file" if level < source.depth else "file"
        generator: Params = {"generator": "categorymembers", "gcmtitle": title, "gcmtype": kinds}
        for pages in listed(api, generator, "gcmlimit", NUMBERED):
            for page in pages:
                if page.namespace == FILE:
                    found[page.id] = Found(id=page.id, revision=page.revision, place=title.partition(":")[2])
                elif page.namespace == CATEGORY and page.title not in seen:
                    seen.add(page.title)
                    waiting.append((page.title, level + 1))
        done += 1
        progress("categories", done, done + len(waiting))
    return found


def with_prefix(category: str) -> str:
    """Return a category's title with its prefix, as MediaWiki has it.

    >>> with_prefix("historia_naturalis"), with_prefix("category: Birds")
    ('Category:Historia naturalis', 'Category:Birds')
    """
    name = " ".join(category.replace("_", " ").split())
    if name.lower().startswith("category:"):
        name = name.partition(":")[2].strip()
    return f"Category:{name[:1].upper()}{name[1:]}"


def search(api: Api, text: str, *, campaign: str, described: bool, most: int = HITS) -> Iterator[Found | Failure]:
    """Yield the files that a search finds, such as ``haswbstatement:P180=Q140``.

    A search gives its first 10,000 results and no more. One that finds more is asked in pieces by size of file; what
    is left out even so is told as a failure. Results are paged by their number: where one goes meanwhile, another moves
    into a page that was read. A search that gave fewer than it promised is therefore read once more.
    """
    seen: set[int] = set()
    for words, hits in _pieces(api, text, most):
        if hits > most:
            yield lost(words, CUT_OFF, f"{most:,} of {hits:,} files", campaign=campaign)
        generator: Params = {
            "generator": "search",
            "gsrsearch": words,
            "gsrnamespace": FILE,
            "gsrsort": "create_timestamp_asc",  # by relevance, a result could move between two pages of results
        }
        for _ in range(2):
            given = 0
            for found in islice(_listed(api, generator, "gsrlimit", text, described), most):
                given += 1
                if found.id not in seen:
                    seen.add(found.id)
                    yield found
            if given >= min(hits, most):
                break
    if not seen:
        yield lost(text, NOTHING_FOUND, campaign=campaign)


def _pieces(api: Api, text: str, most: int) -> Iterator[tuple[str, int]]:
    """Yield searches that find no more than ``most`` each and together what ``text`` finds, with their hits."""
    hits = _hits(api, text)
    waiting = [(0, LARGEST_KB)]
    if hits <= most:
        yield text, hits
        return
    while waiting:
        least, largest = waiting.pop()
        words = f"{text} filesize:{least},{largest}"
        hits = _hits(api, words)
        if hits <= most or largest - least <= 1:
            if hits:
                yield words, hits
            continue
        middle = min(max(isqrt((least + 1) * (largest + 1)), least + 1), largest - 1)  # sizes spread by magnitudes
        waiting += [(middle, largest), (least, middle)]


def _hits(api: Api, words: str) -> int:
    asked: Params = {"list": "search", "srsearch": words, "srnamespace": FILE, "srlimit": 1, "srprop": ""}
    payload = api.ask({"action": "query", **asked, "srinfo": "totalhits"})
    return int(((payload.get("query") or {}).get("searchinfo") or {}).get("totalhits") or 0)


def _listed(api: Api, generator: Params, limit: str, place: str, described: bool) -> Iterator[Found]:
    for pages in listed(api, generator, limit, DESCRIBED if described else NUMBERED):
        for page in pages:
            yield Found(id=page.id, revision=page.revision, place=place, page=page if described else None)


def _or_nothing(
    found: Iterator[Found], subject: str, campaign: str, *, reason: str = NOTHING_FOUND
) -> Iterator[Found | Failure]:
    """Yield what was found, or that nothing was."""
    first = next(found, None)
    if first is None:
        yield lost(subject, reason, campaign=campaign)
        return
    yield first
    yield from found


def _named(api: Api, names: tuple[str, ...], *, campaign: str) -> Iterator[Found | Failure]:
    """Yield files that are named by M-id, concept IRI or title, each once, and what cannot be found."""
    seen: set[int] = set()
    for batch in batches(list(dict.fromkeys(names)), ENTITIES):
        ids = {name: number for name in batch if (number := _page_id(name))}
        titles = {name: _title(name) for name in batch if name not in ids}
        pages: dict[Any, Page] = {**by_id(api, list(ids.values())), **followed(api, titles.values())}
        for name in batch:
            page = pages.get(ids[name] if name in ids else titles[name])
            if page is None or not page.image:
                yield lost(name, FILE_MISSING, campaign=campaign)
            elif page.id not in seen:
                seen.add(page.id)
                yield Found(id=page.id, revision=page.revision, place="", page=page)


def _page_id(name: str) -> int:
    try:
        return int(media_of_iri(name)[1:])
    except ValueError:
        return 0


def _title(name: str) -> str:
    """Return a file's title with its prefix, as MediaWiki has it.

    >>> _title("plate_12.jpg"), _title("image:Plate 12.jpg")
    ('File:Plate 12.jpg', 'File:Plate 12.jpg')
    """
    text = re.sub(r"(?i)^(file|image)\s*:\s*", "", " ".join(name.replace("_", " ").split()))
    return f"File:{text[:1].upper()}{text[1:]}"
