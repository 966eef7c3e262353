"""Worlds made from what real services answered. In: the files of the recordings. Out: Worlds, usages, exchanges.

Nothing is filled in: a field that the recording does not tell stays empty. The recordings are not part of De Boodt;
whoever has them names their folder.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from harvest.standin.world import (
    PROPERTY_TYPES,
    Category,
    Entity,
    File,
    Item,
    Json,
    Recorded,
    Revision,
    Usage,
    World,
    statement,
    statements,
)
from linkeddata.ids import DEPICTS, GBIF_TAXON_ID, INSTANCE_OF, TAXON, TAXON_NAME, item_of_iri, media_of_iri

BHL_PAGE = "P687"
BHL_CATEGORY = "Files from the Biodiversity Heritage Library"
UNKNOWN_MOMENT = "1970-01-01T00:00:00Z"
"""Stands where a protocol wants a moment and the recording has none."""
RANKS = ("KINGDOM", "PHYLUM", "CLASS", "ORDER", "FAMILY", "GENUS", "SPECIES")


def bhl_world(srj: Path, parents: Path) -> World:
    """Return the recorded plates of the Biodiversity Heritage Library: files, tags, taxa with keys and names, usages.

    ``srj`` is SPARQL results JSON with file, taxon, url, bhl_page_id, gbif_id and taxon_name a row; ``parents`` gives
    the keys above each GBIF key. Every distinct (file, taxon) is one P180 statement; a taxon with two keys or names has
    both. There are no image bytes, and history is one revision that says nothing.
    """
    rows = [{k: v["value"] for k, v in b.items()} for b in json.loads(srj.read_bytes())["results"]["bindings"]]
    by_file: dict[str, list[Json]] = defaultdict(list)
    by_taxon: dict[str, list[Json]] = defaultdict(list)
    for row in rows:
        by_file[row["file"]].append(row)
        by_taxon[row["taxon"]].append(row)
    return World(
        files=tuple(_bhl_file(media_of_iri(iri), told) for iri, told in by_file.items()),
        categories=(Category(page_id=1, title=f"Category:{BHL_CATEGORY}", moment=UNKNOWN_MOMENT),),
        items=tuple(_taxon_item(item_of_iri(iri), told) for iri, told in by_taxon.items()),
        usages=tuple(_usages_of_parents(rows, json.loads(parents.read_bytes()))),
    )


def _bhl_file(media: str, rows: list[Json]) -> File:
    url = rows[0]["url"]
    name = unquote(urlsplit(url).path.rsplit("/", 1)[1]).replace("_", " ")
    depicted = dict.fromkeys(item_of_iri(row["taxon"]) for row in rows)
    pages = dict.fromkeys(row["bhl_page_id"] for row in rows)
    told = statements(
        *(statement(media, DEPICTS, item) for item in depicted), *(statement(media, BHL_PAGE, p) for p in pages)
    )
    number = int(media[1:])
    history = Revision(
        id=number, user="", moment=UNKNOWN_MOMENT, comment="", entity=Entity(statements=told), wikitext=""
    )
    return File(page_id=number, title=f"File:{name}", url=url, revisions=(history,), categories=(BHL_CATEGORY,))


def _taxon_item(item: str, rows: list[Json]) -> Item:
    names = dict.fromkeys(row["taxon_name"] for row in rows)
    keys = dict.fromkeys(row["gbif_id"] for row in rows)
    told = statements(
        statement(item, INSTANCE_OF, TAXON),  # Wikidata requires it of whatever has a taxon name
        *(statement(item, TAXON_NAME, name) for name in names),
        *(statement(item, GBIF_TAXON_ID, key) for key in keys),
    )
    label = {"mul": next(iter(names))}
    return Item(id=item, page_id=int(item[1:]), modified=UNKNOWN_MOMENT, entity=Entity(labels=label, statements=told))


def _usages_of_parents(rows: Iterable[Json], parents: Mapping[str, Json]) -> Iterator[Usage]:
    names = {int(row["gbif_id"]): row["taxon_name"] for row in rows}
    ranks = _ranks(names, parents)
    for key, name in names.items():
        chain = [*parents.get(str(key), {}).get("parents", ()), key]
        higher = tuple((ranks.get(k, ""), names.get(k, ""), k) for k in chain)
        yield Usage(key=key, scientific_name=name, canonical_name=name, rank=ranks.get(key, "UNRANKED"), higher=higher)


def _ranks(names: Mapping[int, str], parents: Mapping[str, Json]) -> dict[int, str]:
    """Return the ranks that follow without doubt: of the six above a species with all six, and of binomials."""
    ranks: dict[int, str] = {}
    for key, name in names.items():
        words = len(name.split(" "))
        chain = parents.get(str(key), {}).get("parents", [])
        if words > 1:
            ranks[key] = "SPECIES" if words == 2 else "SUBSPECIES"
        if words == 2 and len(chain) == 6:
            ranks |= dict(zip(chain, RANKS, strict=False))
    return ranks


def backbone_usages(table: Path) -> Iterator[Usage]:
    """Yield the usages of a tab-separated excerpt of GBIF's backbone, columns named as in a v1 match."""
    with table.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            name, canonical = row["scientificName"], row["canonicalName"] or row["scientificName"]
            told = ((r.upper(), row[r], row[f"{r}Key"]) for r in (rank.lower() for rank in RANKS))
            yield Usage(
                key=int(row["usageKey"]),
                scientific_name=name,
                canonical_name=canonical,
                authorship=name.removeprefix(canonical).strip() if name.startswith(canonical) else "",
                rank=row["rank"],
                status=row["status"] or "ACCEPTED",
                accepted=int(row["acceptedUsageKey"] or 0) or _accepted(row),
                higher=tuple((rank, text, int(key or 0)) for rank, text, key in told if text or key),
            )


def _accepted(row: Mapping[str, str]) -> int:
    """Return the accepted key that an old answer does not name but its species or genus key gives away."""
    if row["status"] != "SYNONYM" or row["rank"] not in ("SPECIES", "GENUS", "FAMILY"):
        return 0
    key = int(row[f"{row['rank'].lower()}Key"] or 0)
    return key if key != int(row["usageKey"]) else 0


def aphia_records(exchanges: Path) -> list[Json]:
    """Return every WoRMS record in recorded exchanges, once each."""
    found: dict[int, Json] = {}
    for exchange in _lines(exchanges):
        for record in _records_in(exchange["json"]):
            found.setdefault(record["AphiaID"], record)
    return list(found.values())


def _records_in(node: Any) -> Iterator[Json]:
    if isinstance(node, list):
        for one in node:
            yield from _records_in(one)
    elif isinstance(node, dict) and "AphiaID" in node and "valid_AphiaID" in node:
        yield node


def exchanges(path: Path, prefix: str) -> Iterator[Recorded]:
    """Yield recorded GET exchanges (``uri``, ``status``, ``json`` a line) as answers under ``prefix``.

    Several recordings of one question: the first is kept. Answers whose body was not recorded are left out.
    """
    seen = set()
    for exchange in _lines(path):
        parts = urlsplit(exchange["uri"])
        question = (parts.path, parts.query)
        if exchange["method"] != "GET" or exchange["json"] is None or question in seen:
            continue
        seen.add(question)
        yield Recorded(
            path=prefix + unquote(parts.path),
            params=dict(parse_qsl(parts.query, keep_blank_values=True)),
            body=json.dumps(exchange["json"], ensure_ascii=False).encode(),
            status=exchange["status"],
        )


def mediawiki_world(recording: Path) -> World:
    """Return the two small wikis whose answers were recorded: files, histories, categories, items.

    Page texts were not recorded, only their sizes: they are blanks of that size. Images were not recorded.
    """
    told = _Told()
    for exchange in _lines(recording):
        told.hear(exchange)
    return World(
        files=tuple(told.file(title) for title in told.pages if title.startswith("File:")),
        categories=tuple(told.category(title) for title in told.pages if title.startswith("Category:")),
        items=tuple(told.items.values()),
        property_types={**PROPERTY_TYPES, **told.types},
    )


class _Told:
    """What the exchanges say, gathered by title."""

    def __init__(self) -> None:
        self.pages: dict[str, Json] = {}
        self.categories: dict[str, dict[str, str]] = defaultdict(dict)
        self.images: dict[str, Json] = {}
        self.entities: dict[int, Json] = {}
        self.histories: dict[str, dict[int, Json]] = defaultdict(dict)
        self.changes: dict[str, dict[int, Json]] = defaultdict(dict)
        self.contents: dict[int, Json] = {}
        self.items: dict[str, Item] = {}
        self.types: dict[str, str] = {}

    def hear(self, exchange: Json) -> None:
        """Take in one exchange with a JSON answer of ``api.php``."""
        answer, params = exchange.get("json"), exchange["params"]
        if exchange["path"] != "/w/api.php" or not isinstance(answer, dict):
            return
        self._types(answer)
        query = answer.get("query", {})
        for member in query.get("categorymembers", ()):
            self.pages[member["title"]] = self.pages.get(member["title"], {}) | member
            self.categories[member["title"]][params["cmtitle"].removeprefix("Category:")] = member["timestamp"]
        pages = query.get("pages", ())
        for page in pages.values() if isinstance(pages, dict) else pages:
            self._page(page)
        for change in query.get("recentchanges", ()):
            known = change | {"parentid": change["old_revid"]}
            self.changes[change["title"]][change["revid"]] = known
        for key, entity in answer.get("entities", {}).items():
            self._entity(key, entity)

    def _page(self, page: Json) -> None:
        title = page["title"]
        known = self.pages.setdefault(title, {"pageid": page.get("pageid", 0), "title": title})
        known |= {k: page[k] for k in ("lastrevid", "length") if k in page}
        for image in page.get("imageinfo", ()):
            self.images[title] = self.images.get(title, {}) | image
            for name in image.get("extmetadata", {}).get("Categories", {}).get("value", "").split("|"):
                self.categories[title].setdefault(name, "")
        for revision in page.get("revisions", ()):
            known = self.histories[title].setdefault(revision["revid"], revision)
            known |= revision if "size" in revision else {}
            text = revision.get("slots", {}).get("mediainfo", {}).get("content")
            if text:
                self.contents[revision["revid"]] = json.loads(text)

    def _entity(self, key: str, entity: Json) -> None:
        if key[0] == "M" and "statements" in entity and "descriptions" in entity:
            self.entities[int(key[1:])] = entity
        elif key[0] == "Q" and "missing" not in entity and "sitelinks" in entity:
            told = {k: entity[k] for k in ("title", "pageid", "lastrevid", "modified")}
            if "redirects" in entity:
                self.items[key] = Item(id=key, redirect=entity["redirects"]["to"])
            else:
                self.items[key] = Item(
                    id=key,
                    page_id=told["pageid"],
                    revision=told["lastrevid"],
                    modified=told["modified"],
                    entity=_parsed(entity, "claims"),
                )

    def _types(self, node: Any) -> None:
        if isinstance(node, dict):
            if "snaktype" in node and "datatype" in node:
                self.types[node["property"]] = node["datatype"]
            for value in node.values():
                self._types(value)
        elif isinstance(node, list):
            for value in node:
                self._types(value)

    def file(self, title: str) -> File:
        """Return the file page called ``title``."""
        page, image = self.pages[title], self.images.get(title, {})
        meta = {k: str(v["value"]) for k, v in image.get("extmetadata", {}).items() if k not in _DERIVED}
        current = self.entities.get(page["pageid"])
        revisions = self._history(title, _parsed(current, "statements") if current else None)
        target = next(
            (r.comment.split("]] to [[")[1].split("]]")[0] for r in revisions if "mw-new-redirect" in r.tags), ""
        )
        return File(
            page_id=page["pageid"],
            title=title,
            revisions=revisions,
            categories=tuple(sorted(self.categories[title])),
            sha1=image.get("sha1", ""),
            size_bytes=image.get("size", 0),
            width_px=image.get("width", 0),
            height_px=image.get("height", 0),
            mime=image.get("mime", ""),
            joined={name: moment for name, moment in self.categories[title].items() if moment},
            uploaded=str(image.get("timestamp", "")),
            uploader=image.get("user", ""),
            metadata=meta,
            redirect=target,
        )

    def _history(self, title: str, current: Entity | None) -> tuple[Revision, ...]:
        known = self.histories[title] or self.changes[title]
        told = sorted((r for r in known.values() if r["revid"]), key=lambda r: r["revid"])
        made: list[Revision] = []
        for number, revision in enumerate(told):
            content = self.contents.get(revision["revid"])
            entity = _parsed(content, "statements") if content else None
            if content is None and "mediainfo" in revision.get("roles", ()):
                entity = current if number == len(told) - 1 or len(told) <= 3 else Entity()
            made.append(_revision(revision, entity, self.pages[title].get("length", 0)))
        if made and current is not None:
            made[-1] = replace(made[-1], entity=current)
        return tuple(made)

    def category(self, title: str) -> Category:
        """Return the category page called ``title``."""
        page = self.pages[title]
        inside = tuple(sorted(self.categories[title]))
        return Category(page_id=page["pageid"], title=title, moment=page.get("timestamp", ""), categories=inside)


_DERIVED = frozenset({"ObjectName", "CommonsMetadataExtension", "Categories", "Assessments"})


def _revision(told: Json, entity: Entity | None, length: int) -> Revision:
    return Revision(
        id=told["revid"],
        parent=told["parentid"],
        user=told["user"],
        moment=told["timestamp"],
        comment=told["comment"],
        tags=tuple(told["tags"]),
        entity=entity,
        wikitext=" " * told.get("slots", {}).get("main", {}).get("size", length),
    )


def _parsed(entity: Json, claims: str) -> Entity:
    """Read an entity; Wikibase writes an empty map as an empty list."""
    return Entity(
        labels={k: v["value"] for k, v in dict(entity.get("labels") or {}).items()},
        descriptions={k: v["value"] for k, v in dict(entity.get("descriptions") or {}).items()},
        aliases={k: tuple(a["value"] for a in v) for k, v in dict(entity.get("aliases") or {}).items()},
        statements=_untyped(dict(entity.get(claims) or {})),
    )


def _untyped(node: Any) -> Any:
    if isinstance(node, dict):
        return {k: _untyped(v) for k, v in node.items() if not (k == "datatype" and "snaktype" in node)}
    return [_untyped(v) for v in node] if isinstance(node, list) else node


def _lines(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)
