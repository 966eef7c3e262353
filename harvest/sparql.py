"""Tags from a SPARQL endpoint. In: the name of a query in ``queries/`` and its ids. Out: files and tags, without who.

A query that can be harvested gives ``?file`` and ``?taxon`` or ``?item`` in each row, and may give ``?url``,
``?number`` (inventory number), ``?collection``, ``?rank``, ``?part``, ``?region`` and ``?statement``. Rows are not
tags: a taxon with two names or keys has two rows and is one tag. ``client.counts["rows"]`` has the rows.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from urllib.parse import quote, unquote, urlsplit

from harvest.commons import NO_ITEM
from harvest.mediainfo import Site
from harvest.records import Harvested, lost, membership
from linkeddata.client import Client
from linkeddata.errors import UsageError
from linkeddata.ids import content_id, item_of_iri, media_of_iri
from linkeddata.records import MediaFile, Tag
from linkeddata.settings import Settings
from linkeddata.sparql import Row, load_query, select

FOREIGN = "not a file of this wiki"


def harvest_query(
    client: Client,
    settings: Settings,
    endpoint: str,
    query_name: str,
    params: Mapping[str, str | Sequence[str]],
    *,
    campaign: str,
    known: Container[str] = (),
) -> Iterator[Harvested]:
    """Yield the files and tags that a query finds.

    ``endpoint``: ``commons``, ``wikidata`` (as the settings have them), ``""`` for the one the query is meant for, or a
    URL; ``params``: ids by name, several as a sequence or as one text with spaces or commas; ``known``: IRIs of the
    campaign's files that are described already, by a route that knows more: of them only the tags come.
    Raises ``UsageError``, and what ``select`` raises.
    """
    query = load_query(query_name)
    ids = {k: v.replace(",", " ").split() if isinstance(v, str) else list(v) for k, v in params.items()}
    rows = select(client, address(settings, endpoint or query.endpoint), query.bound(ids, settings))
    site = Site(settings.commons_entity)
    described: set[str] = set()
    tagged: set[str] = set()
    for row in rows:
        iri = row.get("file", "")
        if not _is_ours(iri, site):
            yield lost(iri or query_name, FOREIGN, f"query {query_name}", campaign=campaign)
            continue
        tag = _tag(row, iri, campaign)
        if tag is None:
            yield lost(iri, NO_ITEM, row.get("statement") or _seen(row), campaign=campaign)
        elif tag.id not in tagged:
            tagged.add(tag.id)
            yield tag
        if iri not in described:
            described.add(iri)
            if iri not in known:
                yield _file(row, iri, site)
                yield membership(campaign, iri)


def address(settings: Settings, endpoint: str) -> str:
    """Return the URL of an endpoint: ours by name, any other as it is.

    >>> address(Settings(), "wikidata")
    'https://qlever.dev/api/wikidata'
    """
    named = {"commons": settings.sparql_commons, "wikidata": settings.sparql_wikidata}
    if endpoint not in named and "://" not in endpoint:
        raise UsageError(f"endpoint {endpoint!r}: commons, wikidata or a URL")
    return named.get(endpoint, endpoint)


def _is_ours(iri: str, site: Site) -> bool:
    try:
        return iri == site.entity + media_of_iri(iri)
    except ValueError:
        return False


def _seen(row: Row) -> str:
    return row.get("taxon") or row.get("item", "")


def _tag(row: Row, iri: str, campaign: str) -> Tag | None:
    """Return the tag in a row; ``None`` where an item is due and there is a blank node ("unknown value") or nothing."""
    try:
        item = item_of_iri(_seen(row))
    except ValueError:
        return None
    statement = row.get("statement", "").rpartition("/")[2].replace("-", "$", 1)
    part = row.get("part", "").rpartition("/")[2]
    return Tag(
        id=content_id("sparql", campaign, iri, item, statement),
        file=iri,
        item=item,
        route="sparql",
        campaign=campaign,
        prominent=row.get("rank", "").endswith("#PreferredRank"),
        part=part if part.startswith("Q") else "",
        region=row.get("region", ""),
        statement=statement,
    )


def _file(row: Row, iri: str, site: Site) -> MediaFile:
    url = row.get("url", "")
    title = title_of_url(url)
    return MediaFile(
        iri=iri,
        title=title,
        page=f"{site.entity.removesuffix('entity/')}wiki/{quote(title.replace(' ', '_'), safe=':,!*()-_~')}"
        if title
        else "",
        original=url,
        # A library finds the page of a plate by the number of the page, as a museum its object by the inventory number.
        inventory_number=row.get("number") or row.get("bhl_page_id", ""),
        institution=row.get("collection", "").rpartition("/")[2],
        simulated=site.simulated,
    )


def title_of_url(url: str) -> str:
    """Return the file's title, which is the last part of the address of its original on any MediaWiki.

    >>> title_of_url("https://upload.wikimedia.org/wikipedia/commons/9/91/Pl._XI_Beitr%C3%A4ge.jpg")
    'File:Pl. XI Beiträge.jpg'
    """
    name = unquote(urlsplit(url).path.rpartition("/")[2]).replace("_", " ")
    return f"File:{name}" if name else ""
