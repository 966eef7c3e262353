"""Ways into a World: by id, title, category, statement. In: a ``World``. Out: an ``Index`` of tables made once."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote

from harvest.standin.world import Category, Entity, File, Item, Revision, Usage, World


@dataclass(frozen=True, slots=True, order=True)
class Member:
    """One page in a category, in the order MediaWiki lists them (collation "uppercase")."""

    sort_key: bytes
    page_id: int
    kind: str  # file, subcat
    namespace: int
    title: str
    moment: str


@dataclass(frozen=True, slots=True)
class Searchable:
    """One page as the search sees it."""

    page_id: int
    namespace: int
    title: str
    moment: str
    text: str
    categories: tuple[str, ...]
    created: str = ""
    size_bytes: int = 0


class Index:
    """Tables of a World that are made once, when first asked for."""

    def __init__(self, world: World) -> None:
        self.world = world

    @cached_property
    def files(self) -> dict[int, File]:
        """Files by page id."""
        return {f.page_id: f for f in self.world.files}

    @cached_property
    def revisions(self) -> dict[int, tuple[File, Revision]]:
        """Revisions by id, each with its file."""
        return {r.id: (f, r) for f in self.world.files for r in f.revisions}

    @cached_property
    def titles(self) -> dict[str, File]:
        """Files by title."""
        return {f.title: f for f in self.world.files}

    @cached_property
    def images(self) -> dict[str, File]:
        """Files by the path of their image, ``a/ab/Name.jpg``."""
        return {image_path(f.title): f for f in self.world.files}

    @cached_property
    def categories(self) -> dict[str, Category]:
        """Category pages by title."""
        return {c.title: c for c in self.world.categories}

    @cached_property
    def items(self) -> dict[str, Item]:
        """Items, properties and redirects by id."""
        return {i.id: i for i in self.world.items}

    @cached_property
    def members(self) -> dict[str, list[Member]]:
        """Members by category title with its prefix, sorted."""
        found: dict[str, list[Member]] = defaultdict(list)
        for file in self.world.files:
            moment = file.uploaded or (file.revisions[0].moment if file.revisions else "")
            for name in file.categories:
                member = _member("file", 6, file.title, file.page_id, file.joined.get(name, moment))
                found[f"Category:{name}"].append(member)
        for category in self.world.categories:
            for name in category.categories:
                found[f"Category:{name}"].append(
                    _member("subcat", 14, category.title, category.page_id, category.moment)
                )
        return {title: sorted(entries) for title, entries in found.items()}

    @cached_property
    def file_pages(self) -> list[Searchable]:
        """What a search on Commons finds."""
        return [
            Searchable(
                f.page_id,
                6,
                f.title,
                f.revisions[-1].moment,
                f.revisions[-1].wikitext,
                f.categories,
                f.uploaded or f.revisions[0].moment,
                f.size_bytes,
            )
            for f in self.world.files
            if f.revisions and not f.redirect
        ]

    @cached_property
    def item_pages(self) -> list[Searchable]:
        """What a search on Wikidata finds."""
        return [Searchable(i.page_id, 0, i.id, i.modified, "", ()) for i in self.world.items if not i.redirect]

    @cached_property
    def stating_files(self) -> dict[str, set[str]]:
        """Titles of files by ``p180`` and ``p180=q140``: properties and values stated, in lower case."""
        return _stating((f.title, f.entity) for f in self.world.files)

    @cached_property
    def stating_items(self) -> dict[str, set[str]]:
        """Ids of items in the same way."""
        return _stating((i.id, i.entity) for i in self.world.items)

    @cached_property
    def stating(self) -> dict[str, set[str]]:
        """Ids of items by ``p846`` and ``p846=1937911``, in small letters: CirrusSearch compares so."""
        found: dict[str, set[str]] = defaultdict(set)
        for item in self.world.items:
            for property_id, claims in item.entity.statements.items():
                values = [c["mainsnak"].get("datavalue", {}).get("value") for c in claims if c["rank"] != "deprecated"]
                texts = (str(v["id"] if isinstance(v, dict) and "id" in v else v) for v in values if v)
                for key in (property_id, *(f"{property_id}={text}" for text in texts)):
                    found[key.casefold()].add(item.id)
        return dict(found)

    @cached_property
    def usages(self) -> dict[int, Usage]:
        """GBIF usages by key."""
        return {u.key: u for u in self.world.usages}


def image_path(title: str) -> str:
    """Return where MediaWiki keeps the image of a file page: two levels of the MD5 of its name, then the name.

    >>> image_path("File:Bulk 000.jpg")
    '0/03/Bulk_000.jpg'
    """
    name = title.split(":", 1)[-1].replace(" ", "_")
    digest = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    return f"{digest[0]}/{digest[:2]}/{name}"


def url_path(path: str) -> str:
    """Return a path as it stands in a URL.

    >>> url_path("c/c0/Über & so.jpg")
    'c/c0/%C3%9Cber_%26_so.jpg'
    """
    return quote(path.replace(" ", "_"), safe="/:,.!*()-_~")


def _stating(pages: Iterable[tuple[str, Entity | None]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for title, entity in pages:
        for property_id, claims in (entity.statements if entity else {}).items():
            values = [c["mainsnak"].get("datavalue", {}).get("value") for c in claims if c["rank"] != "deprecated"]
            texts = [v["id"] if isinstance(v, dict) and "id" in v else v for v in values if v]
            for key in (property_id, *(f"{property_id}={text}" for text in texts)):
                found[key.lower()].add(title)
    return dict(found)


def _member(kind: str, namespace: int, title: str, page_id: int, moment: str) -> Member:
    key = title.split(":", 1)[1].upper().encode()
    return Member(key, page_id, kind, namespace, title, moment)
