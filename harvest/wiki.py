"""One wiki's Action API: asking, continuing, and file pages in pieces. In: what to ask. Out: pages, structured data.

One request at a time, lists by 500, pages and entities by 50 (https://www.mediawiki.org/wiki/API:Etiquette).
What the answers mean is said in ``harvest.mediainfo``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from harvest.mediainfo import MediaInfo, Page, Site, parse_entities, parse_pages
from harvest.records import batches
from harvest.revisions import ABOUT
from linkeddata.client import Client
from linkeddata.errors import ServiceError, UnreachableError
from linkeddata.settings import Settings

MEMBERS = 500
ENTITIES = 50
"""How many members, and how many pages or entities, the API gives at once to people (bots get more)."""
MAXLAG_S = 5
LONGEST_URL = 2000
METADATA = "LicenseUrl|License|Artist|Attribution|Credit|DateTimeOriginal|ImageDescription"

Params = Mapping[str, str | int]

DESCRIBED: Params = {
    "prop": "imageinfo|info|revisions",
    "iiprop": "url|size|sha1|mime|extmetadata|user",
    "iiextmetadatafilter": METADATA,
    "rvprop": ABOUT,
}
"""What is asked to describe file pages; of several pages, ``revisions`` gives the newest of each."""
NUMBERED: Params = {"prop": "info"}
"""What is asked to know which pages have changed."""


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

    def doing(self, route: str) -> "Api":
        """Return this API with another word in the log of requests for what it is asked to do."""
        return replace(self, client=self.client.doing(route))

    def ask(self, params: Params) -> Any:
        """Return one answer; long lists go in the body. Raises like ``Client.get_json``."""
        given: Params = {**params, "format": "json", "formatversion": 2, "maxlag": MAXLAG_S}
        if len(urlencode(given)) > LONGEST_URL:
            return self.client.post_json(self.url, given)
        return self.client.get_json(self.url, given)

    def query(self, params: Params, begin: Params | None = None) -> Iterator[Any]:
        """Yield the answers to an ``action=query`` until nothing is left to continue, beginning at ``begin``."""
        more: dict[str, Any] = dict(begin or {})
        while True:
            payload = self.ask({"action": "query", **params, **more})
            yield payload
            following = payload.get("continue") or {}
            if not following:
                return
            if following == more:
                raise ServiceError(f"{self.url}: continues without end at {more}", code="badcontinue", url=self.url)
            more = dict(following)


class Pages:
    """File pages gathered from answers that each tell a part; and what the API made of the titles asked for."""

    def __init__(self) -> None:
        self._told: dict[int, dict[str, Any]] = {}
        self.renamed: dict[str, str] = {}

    def take(self, payload: Any) -> None:
        """Take in one answer; pages that are missing are left out."""
        answer = payload.get("query") or {}
        for step in (*(answer.get("normalized") or ()), *(answer.get("redirects") or ())):
            self.renamed[step["from"]] = step["to"]
        for page in answer.get("pages") or ():
            if "pageid" in page and not page.get("missing"):
                self._told.setdefault(int(page["pageid"]), {}).update(page)

    def all(self) -> list[Page]:
        """Return the pages so far, in the order in which they were first told of."""
        return parse_pages({"query": {"pages": list(self._told.values())}})


def listed(api: Api, generator: Params, limit: str, about: Params) -> Iterator[list[Page]]:
    """Yield the pages that a generator lists, a batch an item, with what ``about`` asks of each.

    ``limit`` is the name of the generator's limit. Describing 500 files can take a service longer than it allows
    itself; where such an answer cannot be had, the rest is asked for by 50.
    """
    most, begin = MEMBERS, dict[str, Any]()
    while True:
        pages = Pages()
        try:
            for payload in api.query({**generator, **about, limit: most}, begin):
                pages.take(payload)
                if payload.get("batchcomplete"):
                    yield pages.all()
                    pages, begin = Pages(), dict(payload.get("continue") or {})
            return
        except UnreachableError as error:
            if most == ENTITIES or about is NUMBERED or error.code == "wait":
                raise
            most = ENTITIES


def describe(api: Api, page_ids: Sequence[int]) -> tuple[dict[int, Page], dict[str, MediaInfo]]:
    """Return pages by id and structured data by M-id, for at most 50 pages, with two requests."""
    return by_id(api, page_ids), entities(api, [f"M{page_id}" for page_id in page_ids])


def by_id(api: Api, page_ids: Sequence[int]) -> dict[int, Page]:
    """Return at most 50 pages by their id; missing ones are left out."""
    if not page_ids:
        return {}
    pages = _pages(api, {"pageids": "|".join(map(str, page_ids))})
    return {page.id: page for page in pages.all()}


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
        pages = _pages(api, {"titles": "|".join(batch), "redirects": 1})
        titled = {page.title: page for page in pages.all() if page.image}
        for title in batch:
            page = titled.get(_final(title, pages.renamed))
            if page:
                found[title] = page
    return found


def _final(title: str, renamed: Mapping[str, str]) -> str:
    seen = set()
    while title in renamed and title not in seen:
        seen.add(title)
        title = renamed[title]
    return title


def _pages(api: Api, which: Params) -> Pages:
    pages = Pages()
    for payload in api.query({**which, **DESCRIBED}):
        pages.take(payload)
    return pages
