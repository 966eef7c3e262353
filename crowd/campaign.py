"""What a campaign asks, counts, learns and gives back, as records. In: nothing. Out: a ``Campaign`` and its parts.

``campaignfile`` reads them from the one TOML file that is a campaign; ``docs/campaign-file.md`` shows every key with
its meaning.
"""

from dataclasses import dataclass, field
from typing import Any

THUMBNAIL_WIDTHS = (20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920, 3840)
"""Widths in pixels in which Wikimedia makes thumbnails (https://www.mediawiki.org/wiki/Common_thumbnail_sizes)."""
ROUTES = ("api", "qlever", "wcqs", "wdqs", "dump")
"""Ways to the same statements: Commons' API, three query services, dumps on this machine."""
RANKS = ("kingdom", "phylum", "class", "order", "family", "subfamily", "genus", "species")
AS_TAGGED = "tagged"
"""In place of a rank: classes are what people tagged, of whatever rank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonsSource:
    """Tags of files on Commons: their P180 statements with their page history.

    Which files is said by exactly one of ``category``, ``search``, ``uploads``, ``files`` and ``depicts``.
    """

    category: str = ""
    search: str = ""
    """What the wiki's search is asked, such as ``haswbstatement:P180=Q140``."""
    uploads: str = ""
    """A user, whose uploads it is."""
    files: tuple[str, ...] = ()
    """Titles, M-ids or concept IRIs."""
    depicts: tuple[str, ...] = ()
    """Q-items of taxa: the files that show one of them, or a taxon below one."""
    via: tuple[str, ...] = ()
    """Routes, of which the first that works is taken; empty: the API."""
    depth: int = 0
    exclude: tuple[str, ...] = ()
    """Subcategories that are not gone into."""
    captions: bool = False
    contents: bool = True
    """Whether edits that do not say what they did are looked into, to know who said what."""
    group: str = "creator"
    """Which fact of a file makes its group: ``creator``, ``category`` or ``uploader``, which only the API tells."""
    role: str = "subject"
    """``stranger``: files that show none of the campaign's taxa; they never teach, they test for "unknown"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IsaSource:
    """Tags from the CSV of an ISA campaign: a file, a URL, or the campaign's number at the tool."""

    csv: str = ""
    number: int = 0
    captions: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SparqlSource:
    """Tags that a query in ``queries/`` finds at an endpoint (``commons``, ``wikidata`` or a URL)."""

    query: str
    endpoint: str = "commons"
    params: tuple[tuple[str, str], ...] = ()
    via: tuple[str, ...] = ()
    """Routes, of which the first that works is taken; empty: the endpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpSource:
    """Tags in dumps of the structured data of Commons: entity JSON, plain, gzipped or bzipped."""

    files: tuple[str, ...] = ()
    """The dumps, in their order."""
    taxon: str = ""
    """Only tags with this item or one below it."""
    taxa: str = ""
    """Only tags with one of the items in this file, one a line."""
    wikidata: str = ""
    """Where it stands which items are below a taxon: a dump of Wikidata, or its P171 statements in Parquet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSource:
    """A table of files (CSV, TSV, TXT, XLSX, Parquet), with what somebody said of them if there are such columns.

    All but the first four keys name columns. A fact of an image whose key is ``""`` is in the column called like it, if
    there is one.
    """

    path: str
    sheet: str = ""
    separator: str = ""
    """What stands between the cells of a text file, where the first line does not show it."""
    values: str = ""
    """What stands between several values in one cell; empty: a cell is one value."""
    file: str = "file"
    url: str = ""
    item: str = ""
    name: str = ""
    language: str = ""
    agent: str = ""
    moment: str = ""
    rank: str = ""
    part: str = ""
    region: str = ""
    title: str = ""
    page: str = ""
    sha1: str = ""
    licence: str = ""
    credit: str = ""
    creator: str = ""
    created: str = ""
    description: str = ""
    inventory_number: str = ""
    institution: str = ""
    group: str = ""
    constants: tuple[tuple[str, str], ...] = ()
    """What holds for every row that does not say otherwise, by key: ``{ licence = "https://…", language = "nl" }``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DwcaSource:
    """A Darwin Core Archive with media: a zip, or the folder it was unpacked to."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NbaSource:
    """Documents of the Netherlands Biodiversity API: a file with a document a line, or a folder of such files."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IiifSource:
    """A IIIF manifest or collection (Presentation API 2 or 3): a URL, a file or a folder of files.

    ``name``, ``item``, ``inventory_number``, ``creator`` and ``created`` are labels of the manifest's metadata, in any
    of its languages.
    """

    manifest: str
    language: str = "en"
    """Of a text in several languages this one is taken, if it is there."""
    width_px: int = 0
    """Images are asked for at this width at most; 0: as large as the server gives them."""
    name: str = ""
    item: str = ""
    inventory_number: str = ""
    creator: str = ""
    created: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedArtSource:
    """Linked Art records, such as the Rijksmuseum's: a URL (of an object or a search), a JSON file or a folder."""

    records: str
    language: str = "en"


LISTS: dict[str, type[Any]] = {
    "files": ListSource,
    "dwca": DwcaSource,
    "nba": NbaSource,
    "iiif": IiifSource,
    "linkedart": LinkedArtSource,
}
"""The kinds of lists that people have, by the key under ``[[tags.…]]``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRules:
    """Which copies of the images are fetched."""

    width_px: int = 960
    """Width of the thumbnails, one of ``THUMBNAIL_WIDTHS``; a file that is no wider comes as it is."""
    original: bool = False
    """``True``: the originals, which are much larger; for work that needs them, after asking who runs the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountRules:
    """How tags become labels."""

    method: str = "tree"
    """One of ``crowd.consensus.METHODS``."""
    min_support: int = 2
    min_probability: float = 0.5
    """How sure a label must be to be accepted; ``majority`` counts heads and does not ask."""
    gold: str = ""
    """A table of files of which it is known what they show; see ``crowd.gold``."""
    enough_voters: int = 3
    """A file whose label is accepted needs no more votes when so many have answered …"""
    enough_probability: float = 0.95
    """… and it is as sure as this."""
    machine_tools: tuple[str, ...] = ()
    """What, beside ``crowd.ballots.MACHINE_TOOLS``, edits are made with that accept a machine's suggestion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRules:
    """How experts judge what was said."""

    reviewers: int = 1
    """How many must have judged a label or an identification: 1 or 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRules:
    """What a dataset takes and how it is split; a group is never on two sides. What is left empty chooses nothing."""

    rank: str = "species"
    """One of ``RANKS``, to which what stands below is rolled up, or ``tagged``."""
    coarser: bool = False
    """``True``: what is known above the rank only teaches, too, where a class is below it; it tests nothing."""
    min_images: int = 10
    """Images for training that a class must have."""
    min_altogether: int = 0
    """Images that a class must have, on whichever side."""
    max_images: int = 0
    """Most images of a class; 0: all."""
    labels: tuple[str, ...] = ()
    """Statuses of labels that teach: reviewed, accepted, single …; empty: those that stand (accepted and reviewed)."""
    min_probability: float = 0.0
    """How sure a label must be to teach."""
    machine: bool = False
    """``True``: labels teach that are accepted only with what people took over from machines."""
    several: bool = False
    """``True``: a plate of several classes is used; it stands with the surest, and names the others."""
    licences: tuple[str, ...] = ()
    """IRIs, beginnings of IRIs, or short names of licences (``cc0``, ``cc-by``); see ``harvest.datasets.choices``."""
    from_year: int = 0
    until_year: int = 0
    creators: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    """Words of which one must stand in an image's title, description or group: engraving, watercolour …"""
    exclude: tuple[str, ...] = ()
    """Files left out: IRIs, M-ids, titles or SHA-1s."""
    respect_noai: bool = True
    """``False``: images teach although their publisher asks in their metadata that they do not."""
    test_groups: tuple[str, ...] = ()
    validation_groups: tuple[str, ...] = ()
    test_share: float = 0.2
    validation_share: float = 0.15
    known_share: float = 0.0
    """Of the images in training groups: set aside to measure how well known hands are known."""
    images: bool = True
    """``False``: labels and links only, no picture is fetched, nothing is trained."""
    sign: bool = False
    """``True``: the images are copies that carry credit and licence in their own metadata."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRules:
    """Which model learns and how; 0 and empty: as the recipe and the backbone have it."""

    name: str = ""
    recipe: str = "head"
    """``head``: only what decides learns, on features of a backbone that is ready; ``finetune``: then its upper blocks,
    too; ``scratch``: all of it, from nothing."""
    backbone: str = ""
    """One of ``identify.learning.backbones.BACKBONES``; empty: InceptionV3, which museums know."""
    image_px: int = 0
    epochs: int = 0
    batch: int = 0
    seed: int = 1596
    weights: str = ""
    """A file of the backbone's weights; empty: ImageNet's, where they can be had."""
    mirror: bool = True
    """Whether mirrored pictures may teach; not for shells, whose coiling direction is a character."""
    balance: str = "logits"
    """Where classes have unlike numbers of pictures: ``logits`` asks more of rare ones, ``sampling`` shows them more
    often, ``none`` leaves it."""
    min_images: int = 1
    """Pictures for learning that a class must have; the dataset has such a limit of its own."""
    engines: tuple[str, ...] = ("litert-int8",)
    """Quicker forms of the model that are made and tried: ``litert-int8``, ``openvino``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRules:
    """Where results go."""

    profile: str = ""
    formats: tuple[str, ...] = ("csv", "adlibxml")
    base: str = ""
    """The museum's own last export, from where the campaign file stands: only the difference is written."""
    title: str = ""
    """Pattern with a group ``object``: the object number in a file's name; in place of the profile's."""
    table: str = ""
    """Table with the columns ``file`` and ``object``; in place of the profile's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonsRules:
    """What goes back to Commons, and how it is said there."""

    accepted: str = "review"
    """Who must have accepted it: ``review``, a reviewer; ``counted``, a reviewer or enough of the crowd."""
    method: str = ""
    """Q-item of how it was determined (P459), for the reference; such as Q275969, crowdsourcing."""
    stated_in: str = ""
    """Q-item of the work or data set that states it (P248), for the reference."""
    rank: str = "normal"
    """``tagged``: preferred, where most who tagged it called it prominent; ``normal``: always normal."""
    summary: str = ""
    """What edits say of themselves; empty: that people accepted it, with the campaign's title."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishRules:
    """Who publishes the results and what they are about, for descriptions; what is left out, the settings say."""

    publisher: str = ""
    publisher_iri: str = ""
    publisher_kind: str = "Organization"
    publisher_mail: str = ""
    language: str = ""
    licence: str = ""
    about: tuple[str, ...] = ()
    """IRIs or Q-items of subjects; left out: the campaign's root or taxa."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A campaign as its file describes it. ``folder`` is where the file stands: paths in it start there."""

    id: str
    title: str
    description: str = ""
    begins: str = ""
    ends: str = ""
    institution: str = ""
    simulated: bool = False
    root: str = ""
    """Only taxa at or below this Q-item or name count; empty means all."""
    taxa: tuple[str, ...] = ()
    """Only these taxa (and what is below them) count; empty means all."""
    commons: tuple[CommonsSource, ...] = ()
    isa: tuple[IsaSource, ...] = ()
    sparql: tuple[SparqlSource, ...] = ()
    dump: tuple[DumpSource, ...] = ()
    files: tuple[ListSource, ...] = ()
    dwca: tuple[DwcaSource, ...] = ()
    nba: tuple[NbaSource, ...] = ()
    iiif: tuple[IiifSource, ...] = ()
    linkedart: tuple[LinkedArtSource, ...] = ()
    images: ImageRules = field(default_factory=ImageRules)
    count: CountRules = field(default_factory=CountRules)
    review: ReviewRules = field(default_factory=ReviewRules)
    dataset: DatasetRules = field(default_factory=DatasetRules)
    model: ModelRules = field(default_factory=ModelRules)
    publish: PublishRules = field(default_factory=PublishRules)
    back: CommonsRules = field(default_factory=CommonsRules)
    """Table ``[commons]``: not to be confused with ``[[tags.commons]]``."""
    export: ExportRules = field(default_factory=ExportRules)
    folder: str = "."
