"""A campaign's sources, one after the other. In: a campaign. Out: one stream of records, whatever the route.

A source that is down, gone or says nonsense is one ``Failure`` in the stream; the other sources go on.
"""

import hashlib
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from crowd.campaign import Campaign, CommonsSource, IsaSource, ListSource, SparqlSource
from harvest.commons import harvest_category
from harvest.files import harvest_list
from harvest.isa import export_address, harvest_isa
from harvest.records import Harvested, Progress, lost, silent
from harvest.sparql import harvest_query
from linkeddata.client import Client
from linkeddata.errors import ContactRequiredError, DeBoodtError
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import CampaignFile, MediaFile
from linkeddata.settings import Settings

SOURCE_FAILED = "source failed"
"""Reason of the failure that stands for a whole source; a harvest that met one is tried again on the next run."""

Source = CommonsSource | IsaSource | SparqlSource | ListSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What every source needs to go out: the client, the settings, pseudonyms, and what is known already."""

    client: Client
    settings: Settings
    campaign: Campaign
    pseudonyms: Pseudonyms
    known: Mapping[str, int]
    """Revision by IRI of the files that are stored: their history is not read again."""
    progress: Progress = silent


def harvest_all(reach: Reach) -> Iterator[Harvested]:
    """Yield everything that the campaign's sources give, in the order of the file."""
    described = {iri for iri, revision in reach.known.items() if revision}
    for source in sources_of(reach.campaign):
        try:
            for record in _harvest(reach, source, described):
                if isinstance(record, MediaFile) and record.revision:
                    described.add(record.iri)
                yield _marked(record, source, reach.campaign)
        except ContactRequiredError:
            raise
        except (DeBoodtError, OSError) as error:
            yield lost(called(source), SOURCE_FAILED, str(error), campaign=reach.campaign.id)


def sources_of(campaign: Campaign) -> tuple[Source, ...]:
    """Return the campaign's sources in the order in which they are asked."""
    return (*campaign.commons, *campaign.isa, *campaign.sparql, *campaign.files)


def called(source: Source) -> str:
    """Return what people call a source.

    >>> called(CommonsSource(category="Eggs of birds"))
    'Commons category Eggs of birds'
    """
    match source:
        case CommonsSource():
            return f"Commons category {source.category}"
        case IsaSource():
            return f"ISA campaign {source.number}" if source.number else f"ISA CSV {source.csv}"
        case SparqlSource():
            return f"query {source.query}"
        case ListSource():
            return f"list {source.path}"


def source_state(campaign: Campaign) -> str:
    """Return a fingerprint of where the tags come from: the sources as written, and the bytes of local files."""
    digest = hashlib.sha256(repr(sources_of(campaign)).encode())
    for path in local_files(campaign):
        digest.update(path.read_bytes() if path.is_file() else b"absent")
    return digest.hexdigest()


def local_files(campaign: Campaign) -> list[Path]:
    """Return the files on this machine that the campaign reads tags from."""
    named = [source.csv for source in campaign.isa if source.csv and "://" not in source.csv]
    named += [source.path for source in campaign.files]
    return [Path(campaign.folder) / name for name in named]


def isa_address(client: Client, settings: Settings, source: IsaSource, folder: str) -> str:
    """Return where an ISA campaign's CSV is: the URL or path that is given, else what the tool says."""
    if source.number:
        return export_address(client, settings, source.number)
    return source.csv if "://" in source.csv else str(Path(folder) / source.csv)


def _harvest(reach: Reach, source: Source, described: Container[str]) -> Iterator[Harvested]:
    """Ask one source; ``described`` are the files that Commons itself has described, which other routes leave alone."""
    client, settings, campaign = reach.client, reach.settings, reach.campaign
    match source:
        case CommonsSource():
            yield from harvest_category(
                client,
                settings,
                source.category,
                depth=source.depth,
                campaign=campaign.id,
                pseudonyms=reach.pseudonyms,
                captions=source.captions,
                known=reach.known,
                group=source.group,
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
        case ListSource():
            there = replace(source, path=str(Path(campaign.folder) / source.path))
            yield from harvest_list(
                client, settings, there, campaign=campaign.id, pseudonyms=reach.pseudonyms, known=described
            )


def _marked(record: Harvested, source: Source, campaign: Campaign) -> Harvested:
    """Say of a record what only the campaign file knows: that the material is simulated, that a file is a stranger."""
    if isinstance(record, MediaFile) and campaign.simulated:
        return replace(record, simulated=True)
    if isinstance(record, CampaignFile) and isinstance(source, CommonsSource):
        return replace(record, role=source.role)
    return record
