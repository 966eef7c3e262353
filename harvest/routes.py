"""Several ways to the same statements: the first that works. In: a source and the names of routes. Out: its records.

What a source asks for is the same by every route; what a route can do is not:

========  ==========================================================================================================
api       everything: who said it and when, captions, licences, checksums
qlever    statements of all ranks as of its index; no people, captions, licences or checksums
wcqs      the same from Wikimedia's query service, with a log-in
wdqs      queries that are meant for Wikidata
dump      statements of all ranks as of the dump, captions as descriptions; no people, titles or checksums
========  ==========================================================================================================

No query service or dump knows categories, uploads or searches (``SERVICE wikibase:mwapi`` does, and is no SPARQL 1.1):
for those the list of files is the API's, and where the API is down, what earlier harvests stored. A route that fails
leaves what it gave; the next one leaves those files alone.
"""

import re
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from crowd.campaign import CommonsSource, SparqlSource
from harvest.commons import harvest_commons
from harvest.commons_files import NOTHING_FOUND, Found, list_source, search
from harvest.dumps.records import Chosen, files_in_dumps
from harvest.reach import Reach
from harvest.records import GROUPS, UPLOADER, Harvested, batches, lost, membership
from harvest.sparql import address, file_of_row, harvest_query, missing, said_of
from harvest.wiki import Api
from linkeddata.errors import ContactRequiredError, DeBoodtError, ServiceError, UsageError
from linkeddata.ids import media_of_iri
from linkeddata.records import CampaignFile, Failure, MediaFile, Tag
from linkeddata.sparql import index_date, load_query
from linkeddata.sparqlpieces import AT_ONCE, Asking, Missing, rows
from linkeddata.sparqlresults import Row
from linkeddata.wikidata import searches

ROUTE_FAILED = "route failed"
"""Reason of the failure that tells why a route was left for the next."""
ANSWERED = "source.answered"
"""Kind of the event that tells which route answered, how fresh its data are, and why earlier ones did not answer."""
NOT_INDEXED = "file not in the index"

Source = CommonsSource | SparqlSource
Route = Callable[[Reach, Source, Container[str]], Iterator[Harvested]]
"""Yields what one way gives for a source; the files in the last argument are described already."""

_SHOWING = re.compile(r"haswbstatement:(P180=Q[1-9]\d*(?:\|P180=Q[1-9]\d*)*)")


def by_routes(
    reach: Reach, source: Source, via: Sequence[str], *, name: str, described: Container[str]
) -> Iterator[Harvested]:
    """Yield what the first of the routes ``via`` that works gives for a source that people call ``name``.

    Why a route was left is a failure in the stream; which one answered is noted. Raises ``ServiceError`` for none.
    """
    given: set[str] = set()
    troubles: dict[str, str] = {}
    for route in via:
        now: set[str] = set()
        try:
            for record in ROUTES[route](reach, source, described):
                if _file_of(record) in given:
                    continue
                if isinstance(record, CampaignFile):
                    now.add(record.file)
                yield record
        except ContactRequiredError:
            raise
        except (DeBoodtError, OSError) as error:
            given |= now
            troubles[route] = str(error)
            yield lost(name, ROUTE_FAILED, f"{route}: {error}", campaign=reach.campaign.id)
            continue
        tell(reach, name, route, _endpoint(reach, source, route), troubles)
        return
    raise ServiceError("; ".join(f"{route}: {trouble}" for route, trouble in troubles.items()), code="no-route")


def _file_of(record: Harvested) -> str:
    if isinstance(record, MediaFile):
        return record.iri
    return record.file if isinstance(record, Tag | CampaignFile) else ""


def tell(reach: Reach, name: str, route: str, endpoint: str, troubles: dict[str, str] | None = None) -> None:
    """Note which route answered for a source; of a query service, at ``endpoint``, how fresh its data are."""
    told: dict[str, Any] = {"campaign": reach.campaign.id, "route": route}
    if endpoint:
        told |= {"endpoint": endpoint, "index_date": _fresh(reach, endpoint)}
    reach.note(ANSWERED, name, told | ({"failed": troubles} if troubles else {}))


def _fresh(reach: Reach, endpoint: str) -> str:
    """Return up to when an endpoint knows the wiki, ``""`` where it cannot tell: the rows were good without it."""
    try:
        return index_date(reach.client, endpoint).moment
    except DeBoodtError:
        return ""


def _endpoint(reach: Reach, source: Source, route: str) -> str:
    return "" if route in ("api", "dump") else address(reach.settings, _service(source, route))


def _service(source: Source, route: str) -> str:
    """Return what the endpoint is called that a route leads to, for this source. Raises ``UsageError`` for none."""
    meant = load_query(source.query).endpoint if isinstance(source, SparqlSource) else "commons"
    known = {("qlever", "commons"): "commons", ("qlever", "wikidata"): "wikidata", ("qlever", "any"): "commons"}
    if route == "qlever":
        return known[route, meant]
    if {"wcqs": "wikidata", "wdqs": "commons"}[route] == meant:
        raise UsageError(f"{route} does not know what is on {meant.capitalize()}")
    return route


def by_api(reach: Reach, source: Source, described: Container[str]) -> Iterator[Harvested]:
    """Yield what Commons' API gives."""
    if isinstance(source, SparqlSource):
        raise UsageError("a query can be put to query services only")
    if source.depicts:
        api = Api.of(reach.client, reach.settings)
        yield from _nothing(found := list(_showing(api, reach, taxa_below(reach, source.depicts))), source, reach)
        source = replace(source, depicts=(), files=tuple(found))
    if source == replace(source, category="", search="", uploads="", files=()):
        return
    yield from harvest_commons(
        reach.client,
        reach.settings,
        source,
        campaign=reach.campaign.id,
        pseudonyms=reach.pseudonyms,
        known=reach.known,
        progress=reach.progress,
    )


def _nothing(found: Sequence[str], source: CommonsSource, reach: Reach) -> Iterator[Failure]:
    if not found:
        yield lost(", ".join(source.depicts), NOTHING_FOUND, campaign=reach.campaign.id)


def _showing(api: Api, reach: Reach, items: Sequence[str]) -> Iterator[str]:
    """Yield the M-ids of the files of which the search says that they show one of the items, each once."""
    met: dict[int, None] = {}
    for text in searches(("P180", item) for item in items):
        for found in search(api, text, campaign=reach.campaign.id, described=False):
            if isinstance(found, Found):
                met[found.id] = None
            elif found.reason != NOTHING_FOUND:
                raise ServiceError(f"{found.subject}: {found.reason}, {found.detail}", code="cut-off")
    yield from (f"M{number}" for number in met)


def taxa_below(reach: Reach, roots: Sequence[str]) -> list[str]:
    """Return the items of the taxa and of all below them, as Wikidata has them: by QLever, else by its own service.

    Raises ``ServiceError`` where neither gives the whole answer.
    """
    reasons = []
    for endpoint in (reach.settings.sparql_wikidata, reach.settings.sparql_wdqs):
        asking = Asking(reach.client, reach.settings, endpoint, load_query("taxa-below"))
        try:
            answer = list(rows(asking, {"root": list(roots)}))
        except ServiceError as error:
            reasons.append(str(error))
            continue
        gaps = [one for one in answer if isinstance(one, Missing)]
        if not gaps:
            below = (row["item"].rpartition("/")[2] for row in answer if isinstance(row, dict))
            return list(dict.fromkeys([*roots, *below]))
        reasons.append(f"{endpoint}: {gaps[0].piece}: {gaps[0].reason}")
    raise ServiceError(f"the taxa below {', '.join(roots)}: {'; '.join(reasons)}", code="no-taxa")


def by_query_service(route: str, reach: Reach, source: Source, described: Container[str]) -> Iterator[Harvested]:
    """Yield what a query service gives."""
    service = _service(source, route)
    if isinstance(source, SparqlSource):
        yield from _query(reach, service, source.query, dict(source.params), described)
        return
    _told_by_all(route, source)
    if items := _items(reach, source):
        yield from _query(reach, service, "files-of-items", {"item": items}, described)
    else:
        yield from _listed(reach, service, source, described)


def _told_by_all(route: str, source: CommonsSource) -> None:
    """Raise ``UsageError`` for a source that wants what the API alone tells."""
    if source.captions:
        raise UsageError(f"{route} gives no captions with their authors, which this source counts as names")
    if source.group == UPLOADER:
        raise UsageError(f"{route} does not tell who uploaded a file, by whom this source groups")


def _items(reach: Reach, source: CommonsSource) -> list[str]:
    """Return the items of which a source wants the files that show them; none where it says otherwise which files."""
    if source.depicts:
        return taxa_below(reach, source.depicts)
    shown = _SHOWING.fullmatch(source.search.strip())
    return [part.removeprefix("P180=") for part in shown[1].split("|")] if shown else []


def by_dump(reach: Reach, source: Source, described: Container[str]) -> Iterator[Harvested]:
    """Yield what the dumps give that the settings name."""
    if isinstance(source, SparqlSource):
        raise UsageError("a query can be put to query services only")
    _told_by_all("dump", source)
    if not reach.settings.dump_paths:
        raise UsageError("which dumps are to be read? Say --dump FILE, or dump_files in the settings")
    items = _items(reach, source)
    places = {} if items else dict(_places(reach, source))
    chosen = Chosen(name=f"{reach.campaign.id} {replace(source, via=())!r}", items=items, media=places)
    for record in files_in_dumps(
        reach.settings, chosen, campaign=reach.campaign.id, known=described, progress=reach.progress
    ):
        if isinstance(record, MediaFile):
            place = places.get(media_of_iri(record.iri), "")
            yield replace(record, group=GROUPS[source.group](record, place))
        else:
            yield record


def _query(
    reach: Reach, service: str, query: str, params: dict[str, Any], described: Container[str]
) -> Iterator[Harvested]:
    yield from harvest_query(
        reach.client, reach.settings, service, query, params, campaign=reach.campaign.id, known=described
    )


def _listed(reach: Reach, service: str, source: CommonsSource, described: Container[str]) -> Iterator[Harvested]:
    """Yield the files that the API (or an earlier harvest) lists, with the statements that the service knows."""
    places = dict(_places(reach, source))
    for batch in batches(list(places), AT_ONCE):
        facts, tags = _asked(reach, service, "facts-of-files", batch), _asked(reach, service, "depicts-of-files", batch)
        yield from (one for one in (*facts.pop("", ()), *tags.pop("", ())) if isinstance(one, Failure))
        for media in batch:
            iri = f"{reach.settings.commons_entity}{media}"
            known = [row for row in facts.get(iri, ()) if isinstance(row, dict)]
            if not known:
                yield lost(iri, NOT_INDEXED, f"at {address(reach.settings, service)}", campaign=reach.campaign.id)
                continue
            yield from said_of(iri, [row for row in tags.get(iri, ()) if isinstance(row, dict)], reach.campaign.id)
            if iri not in described:
                file = file_of_row(known[0], iri, Api.of(reach.client, reach.settings).site)
                yield replace(file, group=GROUPS[source.group](file, places[media]))
            yield membership(reach.campaign.id, iri)


def _asked(reach: Reach, service: str, query: str, files: Sequence[str]) -> dict[str, list[Row | Failure]]:
    """Return the rows of each file by its IRI; under ``""`` the failures of pieces without an answer."""
    asking = Asking(reach.client, reach.settings, address(reach.settings, service), load_query(query))
    found: dict[str, list[Row | Failure]] = {}
    for one in rows(asking, {"file": list(files)}):
        if isinstance(one, Missing):
            found.setdefault("", []).extend(missing(iter([one]), reach.campaign.id))
        else:
            found.setdefault(one["file"], []).append(one)
    return found


def _places(reach: Reach, source: CommonsSource) -> Iterator[tuple[str, str]]:
    """Yield the M-id of each file of a source and where it was found.

    From the API; without it, of files that are named by id, else of those that earlier harvests stored.
    """
    named = [_media(name) for name in source.files]
    if named and all(named):
        yield from ((media, "") for media in named)
        return
    api = Api.of(reach.client, reach.settings)
    try:
        listing = list(list_source(api, source, campaign=reach.campaign.id, described=False, progress=reach.progress))
    except ServiceError as error:
        if not reach.known:
            raise ServiceError(f"which files are meant is known to the API alone: {error}", code="no-list") from error
        yield from ((media, "") for iri in reach.known if (media := _media(iri)))
        return
    yield from ((f"M{found.id}", found.place) for found in listing if isinstance(found, Found))


def _media(name: str) -> str:
    try:
        return media_of_iri(name)
    except ValueError:
        return ""


ROUTES: dict[str, Route] = {
    "api": by_api,
    "qlever": partial(by_query_service, "qlever"),
    "wcqs": partial(by_query_service, "wcqs"),
    "wdqs": partial(by_query_service, "wdqs"),
    "dump": by_dump,
}
"""The routes by name."""
