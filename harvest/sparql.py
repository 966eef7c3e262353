"""Tags from a SPARQL endpoint. In: the name of a query in ``queries/`` and its ids. Out: files and tags, without who.

A query that can be harvested gives ``?file`` and ``?taxon`` or ``?item`` in each row, ordered by file, and may give
``?statement``, ``?rank``, ``?part``, ``?region``, ``?url``, ``?mime``, ``?size``, ``?width``, ``?height``, ``?number``
(inventory number) and ``?collection``. Rows are not tags: a taxon with two names or keys has two rows and is one tag.
``client.counts["rows"]`` has the rows.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import groupby
from urllib.parse import quote, unquote, urlsplit

from harvest.commons import DEPRECATED, NO_ITEM
from harvest.mediainfo import Site
from harvest.records import Harvested, lost, membership
from linkeddata.client import Client
from linkeddata.errors import UsageError
from linkeddata.ids import content_id, item_of_iri, media_of_iri
from linkeddata.records import Failure, MediaFile, Tag
from linkeddata.settings import Settings
from linkeddata.sparql import load_query
from linkeddata.sparqlpieces import Asking, Missing, rows
from linkeddata.sparqlresults import Row

ROUTE = "sparql"
"""The route of the tags that queries give."""
FOREIGN = "not a file of this wiki"
PART_MISSING = "part of an answer missing"
"""Reason of the failure that stands for a piece of a query to which no whole answer could be had."""

ENDPOINTS: dict[str, str] = {
    "commons": "sparql_commons",
    "wikidata": "sparql_wikidata",
    "wcqs": "sparql_wcqs",
    "wdqs": "sparql_wdqs",
}
"""What the endpoints of the settings are called in a campaign file."""


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

    ``endpoint``: a name in ``ENDPOINTS``, ``""`` for the one the query is meant for, or a URL; ``params``: ids by name,
    several as a sequence or as one text with spaces or commas; ``known``: IRIs of the campaign's files that are
    described already, by a route that knows more: of them come the tags and
    the membership.
    Raises ``UsageError``, and what ``select`` raises; a piece that stays without an answer is a failure.
    """
    query = load_query(query_name)
    ids = {k: v.replace(",", " ").split() if isinstance(v, str) else list(v) for k, v in params.items()}
    asking = Asking(client, settings, address(settings, endpoint or query.endpoint), query)
    site = Site(settings.commons_entity)
    for iri, group in groupby(rows(asking, ids), key=_subject):
        if not iri:
            yield from missing(group, campaign)
        elif not is_ours(iri, site):
            for _ in group:
                yield lost(iri, FOREIGN, f"query {query_name}", campaign=campaign)
        else:
            yield from _of_file(iri, [row for row in group if isinstance(row, dict)], site, campaign, known)


def _subject(row: Row | Missing) -> str:
    return "" if isinstance(row, Missing) else row.get("file", "_:nothing")


def missing(pieces: Iterator[Row | Missing], campaign: str) -> Iterator[Failure]:
    """Yield the failures of the pieces that stayed without an answer."""
    for piece in pieces:
        if isinstance(piece, Missing):
            yield lost(f"{piece.query}: {piece.piece}", PART_MISSING, piece.reason, campaign=campaign)


def _of_file(iri: str, found: Sequence[Row], site: Site, campaign: str, known: Container[str]) -> Iterator[Harvested]:
    """Yield what the rows of one file say: its tags, then the file, then its membership."""
    yield from said_of(iri, found, campaign)
    if iri not in known:
        yield file_of_row(found[0], iri, site)
    yield membership(campaign, iri)


def said_of(iri: str, found: Sequence[Row], campaign: str) -> Iterator[Tag | Failure]:
    """Yield the tags and failures in the rows of one file, each once."""
    met: set[str] = set()
    for row in found:
        one = _tag(row, iri, campaign)
        if one.id not in met:
            met.add(one.id)
            yield one


def address(settings: Settings, endpoint: str) -> str:
    """Return the URL of an endpoint: ours by name, any other as it is.

    >>> address(Settings(), "wikidata")
    'https://qlever.dev/api/wikidata'
    """
    if endpoint in ENDPOINTS:
        return str(getattr(settings, ENDPOINTS[endpoint]))
    if "://" not in endpoint:
        raise UsageError(f"endpoint {endpoint!r}: {', '.join(ENDPOINTS)} or a URL")
    return endpoint


def is_ours(iri: str, site: Site) -> bool:
    """Say whether an IRI is that of a file of this wiki."""
    try:
        return iri == site.entity + media_of_iri(iri)
    except ValueError:
        return False


def statement_id(iri: str) -> str:
    """Return the id of the statement that an RDF node stands for.

    >>> statement_id("https://commons.wikimedia.org/entity/statement/M11-0D2A-4B")
    'M11$0D2A-4B'
    """
    return iri.rpartition("/")[2].replace("-", "$", 1)


def _tag(row: Row, iri: str, campaign: str) -> Tag | Failure:
    """Return the tag in a row, or a failure where an item is due and there is none, or it was marked as wrong."""
    said = row.get("taxon") or row.get("item", "")
    statement = statement_id(row.get("statement", ""))
    try:
        item = item_of_iri(said)
    except ValueError:  # "unknown value" is a blank node, at Wikimedia's services an IRI that stands for one
        return lost(iri, NO_ITEM, f"{'somevalue' if said else 'novalue'} {statement}".strip(), campaign=campaign)
    rank = row.get("rank", "")
    if rank.endswith("#DeprecatedRank"):
        return lost(iri, DEPRECATED, f"{item} {statement}".strip(), campaign=campaign)
    part = row.get("part", "").rpartition("/")[2]
    return Tag(
        id=content_id(ROUTE, campaign, iri, item, statement),
        file=iri,
        item=item,
        route=ROUTE,
        campaign=campaign,
        prominent=rank.endswith("#PreferredRank"),
        part=part if part.startswith("Q") else "",
        region=row.get("region", ""),
        statement=statement,
    )


def file_of_row(row: Row, iri: str, site: Site) -> MediaFile:
    """Return what a row tells of a file; ``revision`` stays 0, since no history was read."""
    url = row.get("url", "")
    title = title_of_url(url)
    page = quote(title.replace(" ", "_"), safe=":,!*()-_~")
    return MediaFile(
        iri=iri,
        title=title,
        page=f"{site.entity.removesuffix('entity/')}wiki/{page}" if title else "",
        original=url,
        mime=row.get("mime", ""),
        size_bytes=_number(row.get("size", "")),
        width_px=_number(row.get("width", "")),
        height_px=_number(row.get("height", "")),
        # A library finds the page of a plate by the number of the page, as a museum its object by the inventory number.
        inventory_number=row.get("number") or row.get("bhl_page_id", ""),
        institution=row.get("collection", "").rpartition("/")[2],
        simulated=site.simulated,
    )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def title_of_url(url: str) -> str:
    """Return the file's title, which is the last part of the address of its original on any MediaWiki.

    >>> title_of_url("https://upload.wikimedia.org/wikipedia/commons/9/91/Pl._XI_Beitr%C3%A4ge.jpg")
    'File:Pl. XI Beiträge.jpg'
    """
    name = unquote(urlsplit(url).path.rpartition("/")[2]).replace("_", " ")
    return f"File:{name}" if name else ""
