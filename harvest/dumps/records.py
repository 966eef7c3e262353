"""Tags from dumps. In: dumps, and of which taxa. Out: files and tags, without who and when.

What a statement is, ``harvest.mediainfo`` says, as for the answers of the API. A dump knows nothing of the file itself:
its title, address and size stay empty until a route that asks Commons tells them.
"""

from collections.abc import Collection, Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crowd.campaign import DumpSource
from harvest.commons import statement_failures
from harvest.dumps.extract import Extraction, extract
from harvest.dumps.items import ItemSet, listed_items, subtree
from harvest.dumps.statements import Wanted, read_entity
from harvest.mediainfo import MediaInfo, Page, Site, Statement, media_file, parse_entity
from harvest.records import Harvested, Progress, lost, membership, silent
from harvest.sparql import address
from linkeddata.client import Client
from linkeddata.errors import ServiceError, UsageError
from linkeddata.ids import PARENT_TAXON, WIKIDATA_ENTITY, checked_item, content_id, item_of_iri
from linkeddata.records import Tag
from linkeddata.settings import Settings
from linkeddata.sparql import load_query
from linkeddata.sparqlpieces import Asking, Missing, rows

ROUTE = "dump"
BELOW = "taxa-below"
"""The query for the items below a taxon."""
NOT_DUMPED = "file not in the dump"


def harvest_dump(
    client: Client,
    settings: Settings,
    source: DumpSource,
    *,
    campaign: str,
    known: Container[str] = (),
    progress: Progress = silent,
) -> Iterator[Harvested]:
    """Yield the files in dumps that depict what is wanted, and their tags; then the lines that could not be read.

    ``known``: IRIs of the campaign's files that are described already: a dump knows less of them than any other route,
    so of them come only tags and membership. What was extracted is kept in the home folder: a killed run goes on where
    it was, and dumps that have not changed are not read again. The client is asked only for the items below a taxon,
    where no dump of Wikidata is given. Raises ``UsageError``, ``OSError``, and what ``taxon_items`` raises.
    """
    items = taxon_items(client, settings, source, progress)
    wanted = Wanted(items=items, whole=True, commons_entity=settings.commons_entity)
    paths = [Path(file) for file in source.files]
    folder = settings.home_path / "dumps" / content_id(*map(str, paths), source.taxon, source.taxa)
    found = extract(paths, wanted, folder, progress=progress)
    site = Site(settings.commons_entity)
    for info in _described(found):
        yield from _told(info, site, items, campaign, known)
    yield from found.failures(campaign)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Files of Commons: those in ``media`` (M-ids), or those that show one of the ``items``."""

    name: str
    """What tells this choice from others, where what was extracted is kept."""
    media: Collection[str] = ()
    items: Collection[str] = ()


def files_in_dumps(
    settings: Settings, chosen: Chosen, *, campaign: str, known: Container[str] = (), progress: Progress = silent
) -> Iterator[Harvested]:
    """Yield the chosen files as the dumps that the settings name have them, with all of their tags.

    ``known`` is what it is to ``harvest_dump``; a file that no dump has is a failure, as are lines that could not be
    read. Raises ``UsageError`` for a dump that is not there, ``OSError``.
    """
    dumps = settings.dump_paths
    if not (chosen.items or chosen.media):
        return
    wanted = Wanted(
        items=ItemSet.of(chosen.items) if chosen.items else None,
        media=None if chosen.items else ItemSet.of_numbers(np.array([int(m[1:]) for m in chosen.media], np.int64)),
        whole=True,
        commons_entity=settings.commons_entity,
    )
    folder = settings.home_path / "dumps" / content_id(*(str(path.absolute()) for path in dumps), chosen.name)
    found = extract(dumps, wanted, folder, progress=progress)
    site = Site(settings.commons_entity)
    met = set()
    for info in _described(found):
        met.add(info.id)
        yield from _told(info, site, None, campaign, known)
    for media in chosen.media:
        if media not in met:
            yield lost(f"{settings.commons_entity}{media}", NOT_DUMPED, ", ".join(map(str, dumps)), campaign=campaign)
    yield from found.failures(campaign)


def _described(found: Extraction) -> Iterator[MediaInfo]:
    """Yield the files among extracted entities."""
    for table in found.tables():
        for line in table.column("entity"):
            entity = read_entity(line.as_py())
            if entity["id"].startswith("M"):
                yield parse_entity(entity["id"], entity)


def _told(
    info: MediaInfo, site: Site, items: ItemSet | None, campaign: str, known: Container[str]
) -> Iterator[Harvested]:
    number = int(info.id[1:])
    iri = site.iri(number)
    yield from statement_failures(iri, info, campaign)
    for statement in info.depicts:
        if statement.counts and (items is None or statement.item in items):
            yield _tag(statement, iri, campaign)
    if iri not in known:
        yield media_file(site, Page(id=number, title="", revision=0, image={}), info)
    yield membership(campaign, iri)


def _tag(statement: Statement, iri: str, campaign: str) -> Tag:
    return Tag(
        id=content_id(ROUTE, campaign, iri, statement.item, statement.id),
        file=iri,
        item=statement.item,
        route=ROUTE,
        campaign=campaign,
        prominent=statement.rank == "preferred",
        part=statement.part,
        region=statement.region,
        statement=statement.id,
        reference=statement.reference,
    )


def taxon_items(client: Client, settings: Settings, source: DumpSource, progress: Progress = silent) -> ItemSet | None:
    """Return the items that a source asks for: its list, what is below its taxon, or ``None`` for all.

    What is below a taxon, Wikidata says: a dump of it, a table of its P171 statements in Parquet, or else its query
    service. Raises ``UsageError``; ``ServiceError`` where the service did not give all of its answer.
    """
    if source.taxa:
        return ItemSet.of(listed_items(Path(source.taxa)))
    if not source.taxon:
        return None
    try:
        root = checked_item(source.taxon)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if not source.wikidata:
        return ItemSet.of(_asked(client, settings, root))
    path = Path(source.wikidata)
    return subtree(root, path if path.suffix == ".parquet" else parents_of([path], settings, progress))


def parents_of(dumps: Sequence[Path], settings: Settings, progress: Progress = silent) -> Path:
    """Return a table of the parent taxa in dumps of Wikidata; made once, and kept in the home folder."""
    place = settings.home_path / "dumps" / f"parents-{content_id(*map(str, dumps))}"
    table = place.with_suffix(".parquet")
    found: Extraction = extract(dumps, Wanted(property_id=PARENT_TAXON), place, progress=progress)
    found.write(table)
    return table


def _asked(client: Client, settings: Settings, root: str) -> list[str]:
    query = load_query(BELOW)
    asking = Asking(client, settings, address(settings, query.endpoint), query)
    found = []
    for row in rows(asking, {"root": [root]}):
        if isinstance(row, Missing):
            raise ServiceError(f"items below {root}: part of the answer is missing; give a dump of Wikidata")
        if row["item"].startswith(f"{WIKIDATA_ENTITY}Q"):
            found.append(item_of_iri(row["item"]))
    return [root, *found]
