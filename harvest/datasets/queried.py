"""What a query finds, as labelled files. In: a query and whom to ask, or saved results. Out: files, labels, taxa.

A row names a file (``?file``) and what it shows (``?taxon`` or ``?item``, of Wikidata or GBIF); it may tell more, as
``harvest.sparql`` has it, and ``?status`` and ``?probability`` of a label, ``?style`` and ``?group`` of the file. Two
rows of one file and taxon say one thing. Files of Commons are described by its API, which alone knows licences and
checksums; files that the store has are taken from there, others are what the rows say.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from pyoxigraph import QueryResultsFormat, QuerySolutions
from pyoxigraph import Store as Oxigraph

from harvest.commons_files import FILE_MISSING
from harvest.datasets.about import About
from harvest.images import fetch
from harvest.imagestore import ImageStore
from harvest.isa import describe_pages
from harvest.mediainfo import Site
from harvest.records import UPLOADER, Progress, Roll, batches, by_uploader, licence_iri, lost, silent
from harvest.sparql import ENDPOINTS, PART_MISSING, address, file_of_row, is_ours, said_of
from harvest.wiki import ENTITIES, Api, by_id
from linkeddata.catalogue.holdings import of_settings
from linkeddata.client import Client
from linkeddata.errors import ServiceError, StoreError, UsageError
from linkeddata.ids import GBIF_SPECIES, media_of_iri
from linkeddata.nameindex.index import open_index
from linkeddata.names import Sources, resolve
from linkeddata.pseudonyms import Pseudonyms, installation_key
from linkeddata.publishedgraph import GRAPH, PublishedGraph, newest
from linkeddata.records import Failure, Label, MediaFile, Tag, Taxon
from linkeddata.settings import Settings
from linkeddata.sparql import Query, index_date, load_query, parse_query
from linkeddata.sparqlpieces import Asking, Missing
from linkeddata.sparqlpieces import rows as rows_of
from linkeddata.sparqlresults import NotWholeError, Row, read_rows
from linkeddata.store import Store

QLEVER = "qlever"
STORE = "store"
STATED = "single"
"""Status of a label that a row states without saying how many stand behind it: one did."""
_PIECE = 1 << 16

Values = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """The parts to work with: who asks, what is known already, and the moment at which it is asked."""

    settings: Settings
    client: Client
    store: Store
    agent: str
    """Id of who writes into the store."""
    moment: str
    progress: Progress = silent
    group: str = "creator"
    """How files of Commons are grouped whose row gives no ``?group``: ``creator`` or ``uploader``."""


@dataclass(slots=True)
class Found:
    """What rows add up to, with what was lost on the way."""

    media: list[MediaFile] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)
    taxa: list[Taxon] = field(default_factory=list)
    lost: list[Failure] = field(default_factory=list)
    rows: int = 0


def read_query(named: str) -> Query:
    """Return the query in a file, or the one of ours that is called so. Raises ``UsageError``."""
    path = Path(named)
    if not path.suffix and not path.is_file():
        return load_query(named)
    try:
        return parse_query(path.stem, path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"query {named} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(str(error)) from error


def question(
    around: Around, named: str, values: Values, endpoint: str, title: str
) -> tuple[About, Iterator[Row | Missing]]:
    """Return what a dataset of this question is about, and the rows that answer it, not asked for yet.

    ``endpoint`` may be the path of a file of saved results; no query is needed then.
    """
    publisher = of_settings(around.settings)
    about = About(
        title=title,
        publisher=publisher.name,
        publisher_iri=publisher.iri,
        licence=publisher.licence,
        simulated=Site(around.settings.commons_entity).simulated,
    )
    saved = Path(endpoint)
    if saved.is_file():
        return replace(about, name=saved.stem, endpoint=saved.name), saved_rows(saved)
    query = read_query(named)
    fresh = freshness(around, query, endpoint)
    asked = endpoint if endpoint == STORE else endpoint_of(around.settings, query, endpoint)
    text = query.bound(values, around.settings)
    about = replace(about, name=query.name, query=text, endpoint=asked, fresh=fresh, dated=fresh)
    return about, asked_rows(around, query, values, endpoint)


def asked_rows(around: Around, query: Query, values: Values, endpoint: str) -> Iterator[Row | Missing]:
    """Yield the rows that an endpoint gives: ``qlever``, ``store``, another of ``ENDPOINTS``, or a URL."""
    if endpoint == STORE:
        return iter(_of_store(around, query.bound(values, around.settings)))
    return rows_of(Asking(around.client, around.settings, endpoint_of(around.settings, query, endpoint), query), values)


def endpoint_of(settings: Settings, query: Query, endpoint: str) -> str:
    """Return the address that an endpoint's name stands for, for this query. Raises ``UsageError`` for none.

    >>> from linkeddata.sparql import load_query
    >>> endpoint_of(Settings(), load_query("depicted-taxa-of-bhl"), "qlever")
    'https://qlever.dev/api/wikimedia-commons'
    """
    if endpoint == QLEVER:
        endpoint = query.endpoint if query.endpoint in ENDPOINTS else "commons"
    return address(settings, endpoint)


def freshness(around: Around, query: Query, endpoint: str) -> str:
    """Return up to when an endpoint knows its wiki, "" where it cannot tell, or is our own store."""
    if endpoint == STORE:
        return ""
    try:
        return index_date(around.client, endpoint_of(around.settings, query, endpoint)).moment
    except ServiceError:
        return ""


def saved_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a file of SPARQL 1.1 results as JSON. Raises ``UsageError`` for one that is not whole."""
    try:
        with path.open("rb") as file:
            yield from read_rows(iter(lambda: file.read(_PIECE), b""))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except NotWholeError as error:
        raise UsageError(f"{path}: {error}") from error


def _of_store(around: Around, text: str) -> Iterable[Row]:
    """Return the rows that our own published graph gives; where a server keeps it, as of its last snapshot."""
    folder = around.settings.home_path / GRAPH
    try:
        with PublishedGraph(folder, around.settings.base_url) as published:
            published.catch_up(around.store)
            return list(_answered(published.graph, text))
    except StoreError:
        snapshot = newest(folder)
        if snapshot is None:
            raise
        return list(_answered(Oxigraph.read_only(str(snapshot)), text))


def _answered(graph: Oxigraph, text: str) -> Iterator[Row]:
    answer = graph.query(text)
    if not isinstance(answer, QuerySolutions):
        raise UsageError("a dataset is built from a SELECT query, which gives rows")
    yield from read_rows([answer.serialize(format=QueryResultsFormat.JSON) or b""])


def gather(rows: Iterable[Row | Missing], name: str, around: Around, *, width_px: int) -> Found:
    """Return the files, labels, tags and taxa that ``rows`` tell of, images fetched; ``name`` is the query's.

    A piece that could not be had, a row that says nothing, a file that is gone and a name that nobody knows are
    failures in what is returned. Taxa are kept in the store, so that the next run does not ask for them again.
    """
    found = Found()
    by_file = _by_file(rows, name, found)
    media = _described(by_file, name, around, found)
    said = {iri: list(_said(iri, by_file[iri], name, found)) for iri in media}
    found.taxa = resolved({label.concept for labels in said.values() for label in labels}, around, found)
    concepts = {taxon.query: taxon for taxon in found.taxa}
    for labels in said.values():
        found.labels += [accepted(label, concepts.get(label.concept)) for label in labels]
    found.media = _with_images(list(media.values()), around, found, width_px)
    return found


def _by_file(rows: Iterable[Row | Missing], name: str, found: Found) -> dict[str, list[Row]]:
    by_file: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if isinstance(row, Missing):
            found.lost.append(lost(f"{row.query}: {row.piece}", PART_MISSING, row.reason, step="dataset"))
            continue
        found.rows += 1
        iri = row.get("file", "")
        if "://" in iri:
            by_file[iri].append(row)
        else:
            found.lost.append(lost(f"{name}: row {found.rows}", "row without a file", iri, step="dataset"))
    return by_file


def _described(by_file: Mapping[str, Sequence[Row]], name: str, around: Around, found: Found) -> dict[str, MediaFile]:
    """Return the files by IRI: as Commons' API describes them, as the store has them, or as the rows do."""
    api = Api.of(around.client, around.settings)
    ours = [iri for iri in by_file if is_ours(iri, api.site)]
    told = _of_api(api, ours, around)
    described = {}
    for iri, rows in sorted(by_file.items()):
        media = told.get(iri) or around.store.get(MediaFile, iri)
        if media is None and iri in ours:
            found.lost.append(lost(iri, FILE_MISSING, f"query {name}", step="dataset"))
            continue
        described[iri] = _with_row(media or file_of_row(rows[0], iri, api.site), rows[0])
    return described


def _of_api(api: Api, iris: Sequence[str], around: Around) -> dict[str, MediaFile]:
    told: dict[str, MediaFile] = {}
    roll = Roll(Pseudonyms(installation_key(around.settings))) if around.group == UPLOADER else None
    for batch in batches(iris, ENTITIES):
        pages = by_id(api, [int(media_of_iri(iri)[1:]) for iri in batch])
        named = {api.site.iri(page.id): page for page in pages.values() if page.image}
        described = describe_pages(api, named)
        if roll:
            described = {
                iri: replace(media, group=by_uploader(media, "", roll.pseudonym(named[iri].uploader)))
                for iri, media in described.items()
            }
        told |= described
        around.progress("files", len(told), len(iris))
    return told


def _with_row(media: MediaFile, row: Row) -> MediaFile:
    """Return a file with what only its row tells of it: group and style, and facts that nobody else knew."""
    return replace(
        media,
        group=row.get("group") or media.group,
        description=" ".join(filter(None, (media.description, row.get("style", "")))),
        licence=media.licence or licence_iri(row.get("licence", "")),
        creator=media.creator or row.get("creator", ""),
        created=media.created or row.get("date", ""),
        inventory_number=media.inventory_number or row.get("number") or row.get("bhl_page_id", ""),
        institution=media.institution or row.get("collection", "").rpartition("/")[2],
    )


def _said(iri: str, rows: Sequence[Row], name: str, found: Found) -> Iterator[Label]:
    """Yield a label for each thing that the rows of a file say it shows; the concept is still the one that was asked.

    The tags behind them, with their regions, go to ``found``.
    """
    met: set[str] = set()
    for row in rows:
        shown = row.get("taxon") or row.get("item", "")
        if shown.startswith(GBIF_SPECIES):
            concept = f"gbif:{shown.removeprefix(GBIF_SPECIES)}"
        else:
            tag = next(said_of(iri, [row], name))
            if isinstance(tag, Failure):
                found.lost.append(replace(tag, step="dataset"))
                continue
            found.tags.append(tag)
            concept = tag.item
        if concept not in met:
            met.add(concept)
            yield _label(iri, concept, row, name)


def _label(iri: str, concept: str, row: Row, name: str) -> Label:
    item = "" if concept.startswith("gbif:") else concept
    return Label(
        id="",
        campaign=f"query {name}",
        file=iri,
        concept=concept,
        name=row.get("taxon_name", ""),
        item=item,
        support=1,
        probability=share(row.get("probability", "")),
        status=row.get("status") or STATED,
    )


def share(text: str) -> float:
    """Return a number between 0 and 1, 0 for what is none.

    >>> share("0.75"), share("often")
    (0.75, 0.0)
    """
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 0.0


def resolved(concepts: Iterable[str], around: Around, found: Found) -> list[Taxon]:
    """Return the taxa of items, names and GBIF keys; those that the store has not, from the name index or services."""
    known: dict[str, Taxon] = {}
    for concept in sorted(concepts):
        if taxon := around.store.get(Taxon, concept):
            known[concept] = taxon
    items = [concept for concept in sorted(concepts) if concept not in known and not concept.startswith("gbif:")]
    path = around.settings.index_path
    with open_index(path) if path else nullcontext() as index:
        sources = Sources(client=around.client, settings=around.settings, index=index)
        fresh: list[Taxon] = []
        for number, answer in enumerate(resolve(items, sources, moment=around.moment), 1):
            around.progress("names", number, len(items))
            if isinstance(answer, Taxon):
                fresh.append(answer)
            else:
                found.lost.append(replace(answer, step="dataset"))
    around.store.put(fresh, agent=around.agent, moment=around.moment)
    return [*known.values(), *fresh]


def accepted(label: Label, taxon: Taxon | None) -> Label:
    """Return a label under the accepted taxon of what was asked; where nothing was found, as the row has it."""
    if taxon is None or not taxon.concept:
        return label
    return replace(
        label,
        concept=taxon.concept,
        name=label.name or taxon.name,
        rank=taxon.rank,
        item=taxon.item,
        gbif_key=taxon.gbif_key,
    )


def _with_images(media: Sequence[MediaFile], around: Around, found: Found, width_px: int) -> list[MediaFile]:
    """Return the files as their images showed them; those without one stay, and building says that they have none."""
    images = ImageStore(around.settings.images, width_px)
    wanted = [one for one in media if one.original]
    kept = [one for one in media if not one.original]
    answers = fetch(around.client, images, wanted, settings=around.settings, moment=around.moment)
    for number, (one, answer) in enumerate(zip(wanted, answers, strict=True), 1):
        around.progress("images", number, len(wanted))
        if isinstance(answer, Failure):
            found.lost.append(replace(answer, step="dataset"))
        kept.append(one if isinstance(answer, Failure) else answer[0])
    return kept
