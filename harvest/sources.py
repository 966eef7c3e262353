"""A campaign's sources, one after the other. In: a campaign. Out: one stream of records, whatever the route.

A source that is down, gone or says nonsense is one ``Failure`` in the stream; the other sources go on.
"""

import hashlib
from collections.abc import Collection, Container, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

from crowd.campaign import (
    LISTS,
    Campaign,
    CommonsSource,
    DumpSource,
    DwcaSource,
    IiifSource,
    IsaSource,
    LinkedArtSource,
    ListSource,
    NbaSource,
    SparqlSource,
)
from crowd.campaignfile import with_routes
from harvest.commons import harvest_commons
from harvest.dumps.records import harvest_dump
from harvest.dwca import harvest_dwca
from harvest.fetched import at_hand
from harvest.files import harvest_list
from harvest.iiif import harvest_iiif
from harvest.isa import ISA_READ, export_address, harvest_isa
from harvest.linkedart import harvest_linked_art
from harvest.nba import harvest_nba
from harvest.reach import Reach
from harvest.records import LEFT_TO_DO, SOURCE_FAILED, Harvested, lost
from harvest.routes import by_routes, tell
from harvest.sparql import address, harvest_query
from linkeddata.client import Client
from linkeddata.errors import ContactRequiredError, DeBoodtError, LimitError, UsageError
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import CampaignFile, MediaFile
from linkeddata.settings import Settings
from linkeddata.sparql import load_query

Listed = ListSource | DwcaSource | NbaSource | IiifSource | LinkedArtSource
Source = CommonsSource | IsaSource | SparqlSource | DumpSource | Listed

ROUTES: dict[type, str] = {CommonsSource: "api", IsaSource: "isa", SparqlSource: "sparql"}
"""What a source is called in the log of requests, where it is no ``list``; page histories are ``history`` there."""


def harvest_all(reach: Reach) -> Iterator[Harvested]:
    """Yield everything that the campaign's sources give, in the order of the file."""
    described = {iri for iri, revision in reach.known.items() if revision}
    met = set(described)
    placed: set[str] = set()
    for source in sources_of(reach.campaign):
        try:
            for record in _first_that_works(reach, source, described, met):
                if isinstance(record, MediaFile):
                    met.add(record.iri)
                    if record.revision:
                        described.add(record.iri)
                if isinstance(record, CampaignFile):
                    if record.file in placed and not isinstance(source, CommonsSource):
                        continue  # its role is what the category says
                    placed.add(record.file)
                yield _marked(record, source, reach.campaign)
        except ContactRequiredError:
            raise
        except (DeBoodtError, OSError) as error:
            reason = LEFT_TO_DO if isinstance(error, LimitError) else SOURCE_FAILED
            yield lost(called(source), reason, str(error), campaign=reach.campaign.id)


def sources_of(campaign: Campaign) -> tuple[Source, ...]:
    """Return the campaign's sources in the order in which they are asked."""
    return (*campaign.commons, *campaign.isa, *campaign.sparql, *campaign.dump, *lists_of(campaign))


def lists_of(campaign: Campaign) -> tuple[Listed, ...]:
    """Return the lists among a campaign's sources."""
    return tuple(source for key in LISTS for source in getattr(campaign, key))


def called(source: Source) -> str:
    """Return what people call a source.

    >>> called(CommonsSource(category="Eggs of birds"))
    'Commons category Eggs of birds'
    """
    match source:
        case CommonsSource(category=category) if category:
            return f"Commons category {category}"
        case CommonsSource(search=search) if search:
            return f"Commons search {search}"
        case CommonsSource(uploads=user) if user:
            return f"Commons uploads of {user}"
        case CommonsSource(depicts=taxa) if taxa:
            return f"Commons files that show {', '.join(taxa)}"
        case CommonsSource():
            return f"{len(source.files)} files of Commons"
        case IsaSource():
            return f"ISA campaign {source.number}" if source.number else f"ISA CSV {source.csv}"
        case SparqlSource():
            return f"query {source.query}"
        case DumpSource():
            return f"dump {', '.join(source.files)}"
        case ListSource():
            return f"list {source.path}"
        case DwcaSource():
            return f"Darwin Core Archive {source.path}"
        case NbaSource():
            return f"biodiversity documents {source.path}"
        case IiifSource():
            return f"IIIF {source.manifest}"
        case LinkedArtSource():
            return f"Linked Art {source.records}"


def source_state(campaign: Campaign) -> str:
    """Return a fingerprint of where the tags come from: the sources as written, local files, dumps' age.

    By which routes they are asked is no part of it: what is known by one is known.
    """
    digest = hashlib.sha256(repr(sources_of(with_routes(campaign, ()))).encode())
    for path in local_files(campaign):
        digest.update(_content(path))
    for path in _dump_files(campaign):
        told = path.stat() if path.is_file() else None
        digest.update(f"{told.st_size} {told.st_mtime_ns}".encode() if told else b"absent")
    return digest.hexdigest()


def _content(path: Path) -> bytes:
    """Return a digest of a file's bytes, or of all files in a folder."""
    if path.is_dir():
        inside = (
            f"{one.relative_to(path)}".encode() + _content(one) for one in sorted(path.rglob("*")) if one.is_file()
        )
        return b"".join(inside)
    if not path.is_file():
        return b"absent"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def local_files(campaign: Campaign) -> list[Path]:
    """Return the files on this machine that the campaign reads tags from."""
    named = [source.csv for source in campaign.isa if source.csv and "://" not in source.csv]
    for source in lists_of(campaign):
        match source:
            case IiifSource():
                place = source.manifest
            case LinkedArtSource():
                place = source.records
            case _:
                place = source.path
        named += [] if "://" in place else [place]
    return [Path(campaign.folder) / name for name in named]


def _dump_files(campaign: Campaign) -> list[Path]:
    """Return the dumps, too long to be read for a fingerprint, and what says which of their tags are taken."""
    named = [name for source in campaign.dump for name in (*source.files, source.taxa, source.wikidata) if name]
    return [Path(campaign.folder) / name for name in named]


def isa_address(client: Client, settings: Settings, source: IsaSource, folder: str) -> str:
    """Return where an ISA campaign's CSV is: the URL or path that is given, else what the tool says."""
    if source.number:
        return export_address(client, settings, source.number)
    return source.csv if "://" in source.csv else str(Path(folder) / source.csv)


def _first_that_works(
    reach: Reach, source: Source, described: Collection[str], met: Container[str]
) -> Iterator[Harvested]:
    """Ask a source by the routes that were chosen for it, or as its kind is asked where none were."""
    if not isinstance(source, CommonsSource | SparqlSource):
        return _harvest(reach, source, described, met)
    via = source.via or (("api",) if isinstance(source, CommonsSource) and source.depicts else ())
    if not via:
        return _harvest(reach, source, described, met)
    return by_routes(reach, source, via, name=called(source), described={*described, *reach.described})


def _harvest(reach: Reach, source: Source, described: Container[str], met: Container[str]) -> Iterator[Harvested]:
    """Ask one source; ``described`` are the files that Commons itself has described, which other routes leave alone.

    ``met`` are these and the files that any source of this harvest has described: a dump knows less of them.
    """
    reach = replace(reach, client=reach.client.doing(ROUTES.get(type(source), "list")))
    client, settings, campaign = reach.client, reach.settings, reach.campaign
    match source:
        case CommonsSource():
            yield from harvest_commons(
                client,
                settings,
                source,
                campaign=campaign.id,
                pseudonyms=reach.pseudonyms,
                known=reach.known,
                # Which of several sources a file is known from is not kept: only one alone can be asked so.
                lately=reach.lately if len(sources_of(campaign)) == 1 else None,
                progress=reach.progress,
            )
        case IsaSource():
            yield from harvest_isa(
                client,
                settings,
                isa_address(client, settings, source, campaign.folder),
                campaign=campaign.id,
                pseudonyms=reach.pseudonyms,
                captions=source.captions,
                known=described,
                progress=reach.progress,
                tell=lambda facts: reach.note(ISA_READ, called(source), {"campaign": campaign.id, **facts}),
            )
        case SparqlSource():
            yield from harvest_query(
                client,
                settings,
                source.endpoint,
                source.query,
                dict(source.params),
                campaign=campaign.id,
                known=described,
            )
            endpoint = address(settings, source.endpoint or load_query(source.query).endpoint)
            tell(reach, called(source), source.endpoint, endpoint)
        case DumpSource():
            there = _from_folder(source, Path(campaign.folder))
            yield from harvest_dump(client, settings, there, campaign=campaign.id, known=met, progress=reach.progress)
        case _:
            yield from _harvest_listed(reach, source, described)


def _from_folder(source: DumpSource, folder: Path) -> DumpSource:
    """Return a source whose paths start where the campaign file stands. Raises ``UsageError`` for an address."""
    if elsewhere := next((name for name in (*source.files, source.wikidata) if "://" in name), ""):
        raise UsageError(f"{elsewhere}: dumps are read on this machine; fetch it first: curl -C - -O {elsewhere}")
    return replace(
        source,
        files=tuple(str(folder / name) for name in source.files),
        taxa=str(folder / source.taxa) if source.taxa else "",
        wikidata=str(folder / source.wikidata) if source.wikidata else "",
    )


class _Own(TypedDict):
    """What every list is read for."""

    campaign: str
    pseudonyms: Pseudonyms


def _harvest_listed(reach: Reach, source: Listed, described: Container[str]) -> Iterator[Harvested]:
    """Read one of the lists that people have."""
    own = _Own(campaign=reach.campaign.id, pseudonyms=reach.pseudonyms)
    folder = Path(reach.campaign.folder)
    match source:
        case ListSource():
            with at_hand(reach, source.path, folder) as path:
                there = replace(source, path=str(path))
                yield from harvest_list(reach.client, reach.settings, there, known=described, **own)
        case DwcaSource():
            with at_hand(reach, source.path, folder) as path:
                yield from harvest_dwca(path, **own)
        case NbaSource():
            with at_hand(reach, source.path, folder) as path:
                yield from harvest_nba(path, **own)
        case IiifSource():
            here = replace(source, manifest=_place(folder, source.manifest))
            yield from harvest_iiif(reach.client, here, **own)
        case LinkedArtSource():
            given = replace(source, records=_place(folder, source.records))
            yield from harvest_linked_art(reach.client, given, **own)


def _place(folder: Path, named: str) -> str:
    """Return where a list is: the URL that is given, or the path from where the campaign file stands."""
    return named if "://" in named else str(folder / named)


def _marked(record: Harvested, source: Source, campaign: Campaign) -> Harvested:
    """Say of a record what only the campaign file knows: that the material is simulated, that a file is a stranger."""
    if isinstance(record, MediaFile) and campaign.simulated:
        return replace(record, simulated=True)
    if isinstance(record, CampaignFile) and isinstance(source, CommonsSource):
        return replace(record, role=source.role)
    return record
