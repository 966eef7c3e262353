"""What an installation has to describe, as values. In: nothing. Out: records, filled by who knows files and campaigns.

Nothing here is made up: what nobody has said is empty, the descriptions leave it out, and ``deboodt publish check``
says where to write it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from linkeddata.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Who publishes, and under which licence; the same words as in the settings and in ``[publish]`` of a campaign."""

    name: str = ""
    iri: str = ""
    """Its own IRI elsewhere, such as ``https://www.wikidata.org/entity/Q190804``; empty: one of ours."""
    kind: str = "Organization"
    """``Organization`` or ``Person``."""
    mail: str = ""
    language: str = "en"
    """Of the name."""
    licence: str = ""
    """IRI of the licence of the data; the pictures have licences of their own."""

    def over(self, other: "Publisher") -> "Publisher":
        """Return this, with what it does not say from ``other``; who publishes is taken from one of them as a whole.

        >>> Publisher(licence="https://l.example/").over(Publisher(name="Museum", mail="a@b.example")).name
        'Museum'
        """
        who = self if self.name else other
        return replace(who, licence=self.licence or other.licence)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """A file that can be had: where it lies, and what it is."""

    path: Path
    media_type: str
    sha256: str = ""
    bytes: int = 0
    modified: str = ""

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingVersion:
    """One version of a training dataset. Without ``files`` it is known only by the models that learned from it."""

    sha256: str
    files: tuple[DataFile, ...] = ()
    counts: tuple[tuple[str, int], ...] = ()
    models: tuple[str, ...] = ()
    """Models that learned from it, as ``NAME@VERSION``."""
    modified: str = ""
    revises: str = ""
    """Content hash of the version before."""
    changes: str = ""
    """What changed since then, in words."""
    folder: Path | None = None
    """Where its images lie, if they are published."""

    @property
    def name(self) -> str:
        """What it is called: the beginning of its content hash."""
        return self.sha256[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingExample:
    """One image of a version of a training dataset."""

    sha1: str
    path: str
    """Where it lies in the dataset's folder."""
    media_type: str
    file: str
    """IRI of the published file that it shows."""
    page: str
    concept: str
    """The class: a Q-item, ``gbif:KEY``, or empty."""
    label: str
    side: str
    campaign: str
    """Whose label it is; empty where a query found the statement on the file itself."""
    licence: str
    credit: str
    creator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSet:
    """A training dataset: a campaign's, or one that was built from a query and published."""

    id: str
    title: str = ""
    description: str = ""
    language: str = "en"
    simulated: bool = False
    about: tuple[str, ...] = ()
    publisher: Publisher = field(default_factory=Publisher)
    versions: tuple[TrainingVersion, ...] = ()
    """The first is the current one."""
    campaign: str = ""
    """Id of the campaign that it is of; empty: of none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """What a campaign's file says of it, for its description."""

    id: str
    title: str = ""
    description: str = ""
    begins: str = ""
    ends: str = ""
    simulated: bool = False
    language: str = "en"
    """Of title and description."""
    about: tuple[str, ...] = ()
    """Subjects: IRIs, Q-items, or a name that the store knows."""
    publisher: Publisher = field(default_factory=Publisher)
    training: tuple[TrainingVersion, ...] = ()
    """Versions of its training dataset; the first is the current one."""

    @property
    def training_set(self) -> TrainingSet:
        """Its training dataset."""
        return TrainingSet(
            id=self.id,
            title=self.title,
            description=self.description,
            language=self.language,
            simulated=self.simulated,
            about=self.about,
            publisher=self.publisher,
            versions=self.training,
            campaign=self.id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """Everything that is handed in."""

    publisher: Publisher = field(default_factory=Publisher)
    campaigns: tuple[Campaign, ...] = ()
    datasets: tuple[TrainingSet, ...] = ()
    """Training datasets of no campaign."""

    @property
    def training_sets(self) -> tuple[TrainingSet, ...]:
        """All training datasets that have a version."""
        of_campaigns = (one.training_set for one in self.campaigns)
        return tuple(one for one in (*of_campaigns, *self.datasets) if one.versions)

    def campaign(self, key: str) -> Campaign | None:
        """Return the campaign with this id."""
        return next((one for one in self.campaigns if one.id == key), None)


def of_settings(settings: Settings) -> Publisher:
    """Return who publishes, as the settings say."""
    return Publisher(
        name=settings.publisher,
        iri=settings.publisher_iri,
        kind=settings.publisher_kind,
        mail=settings.publisher_mail,
        language=settings.language,
        licence=settings.data_licence,
    )


def gathered(settings: Settings, campaigns: Iterable[Campaign], datasets: Iterable[TrainingSet] = ()) -> Holdings:
    """Return the holdings of an installation: campaigns take from the settings what their files do not say.

    Where the settings name nobody, who publishes all the campaigns publishes the whole; the same for the licence.
    """
    found = tuple(campaigns)
    own = of_settings(settings)
    if not own.name and len(who := {replace(one.publisher, licence="") for one in found}) == 1:
        own = replace(who.pop(), licence=own.licence)
    if not own.licence and len(licences := {one.publisher.licence for one in found}) == 1:
        own = replace(own, licence=licences.pop())
    filled = tuple(replace(one, publisher=one.publisher.over(own)) for one in found)
    others = tuple(replace(one, publisher=one.publisher.over(own)) for one in datasets)
    return Holdings(publisher=own, campaigns=filled, datasets=others)


def written_at(path: Path) -> str:
    """Return when a file was written, in UTC and to the second."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
