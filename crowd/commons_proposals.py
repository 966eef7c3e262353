"""What people have accepted of a campaign's files, for Commons. In: the store. Out: proposals, and what cannot go.

Only what a person stands behind: a reviewer's verdict, or, where the campaign says so, enough of the crowd. A machine's
answer that nobody verified never is one, nor what people took over from a machine's suggestions.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from sqlalchemy import select

from crowd.campaign import Campaign
from crowd.commons_edit import Proposal
from crowd.reviewing import accepted_of
from crowd.verdicts import Accepted
from linkeddata.ids import ITEM, media_of_iri
from linkeddata.records import Label, MediaFile, Tag, Taxon
from linkeddata.store import Store
from linkeddata.tables import BELOW
from linkeddata.uris import uri_of

FILES_AT_ONCE = 500
COUNTED = "accepted"
NOT_COMMONS, SIMULATED, GONE, NO_ITEM = (
    "not a file of Commons",
    "a made-up picture",
    "deleted there",
    "no Wikidata item",
)
"""Why something that is accepted cannot go to Commons."""
OnFile = TypeVar("OnFile", Label, Tag)


@dataclass(frozen=True, slots=True)
class Unfit:
    """Something accepted that cannot go to Commons."""

    file: str
    concept: str
    reason: str


@dataclass(frozen=True, slots=True)
class Stands:
    """Something that is accepted of a file, whoever accepted it."""

    concept: str
    people: int
    since: str
    how: str


def proposals(store: Store, campaign: Campaign, *, entity: str, base_url: str) -> Iterator[Proposal | Unfit]:
    """Yield what is accepted of each file, by file. ``entity`` is what IRIs of files on the wiki begin with."""
    pending: list[MediaFile] = []
    for media in store.files_of(campaign.id):
        pending.append(media)
        if len(pending) == FILES_AT_ONCE:
            yield from _of_files(store, campaign, pending, entity, base_url)
            pending = []
    yield from _of_files(store, campaign, pending, entity, base_url)


def _of_files(
    store: Store, campaign: Campaign, files: Sequence[MediaFile], entity: str, base_url: str
) -> Iterator[Proposal | Unfit]:
    iris = [one.iri for one in files]
    labels = _by_file(one for one in store.among(Label, "file", iris) if one.campaign == campaign.id)
    reviewed = accepted_of(store, iris)
    tags = _by_file(store.among(Tag, "file", iris))
    for media in files:
        for stands in _standing(campaign, labels[media.iri], reviewed.get(media.iri, ())):
            if unfit := _unfit(media, campaign, entity):
                yield Unfit(media.iri, stands.concept, unfit)
                continue
            label = next((one for one in labels[media.iri] if one.concept == stands.concept), None)
            item = _item(store, stands.concept, label)
            if not item:
                yield Unfit(media.iri, stands.concept, NO_ITEM)
                continue
            url = uri_of(Label, label.id, base_url) if label and _is_public(base_url) else ""
            yield _proposal(store, campaign, media, stands, item, tags[media.iri], label.name if label else "", url)


def _standing(campaign: Campaign, labels: Sequence[Label], reviewed: Iterable[Accepted]) -> list[Stands]:
    """Return what is accepted of one file; a reviewer's word goes before the count."""
    found = {
        one.concept: Stands(one.concept, len(one.by), one.since, "review")
        for one in reviewed
        if one.campaign in (campaign.id, "")
    }
    if campaign.back.accepted == "counted":
        for label in labels:
            if label.status == COUNTED and label.support > 0:
                found.setdefault(label.concept, Stands(label.concept, label.support, label.moment, "counted"))
    return sorted(found.values(), key=lambda one: one.concept)


def _unfit(media: MediaFile, campaign: Campaign, entity: str) -> str:
    if not media.iri.startswith(entity):
        return NOT_COMMONS
    if media.simulated or campaign.simulated:
        return SIMULATED
    return GONE if media.gone else ""


def _item(store: Store, concept: str, label: Label | None) -> str:
    if ITEM.fullmatch(concept):
        return concept
    if label and label.item:
        return label.item
    return next((taxon.item for taxon in store.among(Taxon, "concept", [concept]) if taxon.item), "")


def _proposal(
    store: Store,
    campaign: Campaign,
    media: MediaFile,
    stands: Stands,
    item: str,
    tags: Sequence[Tag],
    name: str,
    url: str,
) -> Proposal:
    same = [tag for tag in tags if tag.item == item]
    said = [tag for tag in same if not tag.withdrawn]
    there = any(tag.statement for tag in said)
    return Proposal(
        file=media.iri,
        media=media_of_iri(media.iri),
        title=media.title,
        item=item,
        name=name,
        prominent=campaign.back.rank == "tagged" and 2 * sum(tag.prominent for tag in said) > len(said),
        part=_agreed(tag.part for tag in said),
        region=_agreed(tag.region for tag in said if tag.region.startswith("pct:")),
        people=stands.people,
        how=stands.how,
        since=stands.since,
        url=url,
        finer=_below(store, stands.concept, item),
        taken_back="" if there else max((tag.withdrawn for tag in same if tag.statement), default=""),
    )


def _agreed(values: Iterable[str]) -> str:
    """Return what all say who say something, ``""`` where they differ."""
    said = set(values) - {""}
    return said.pop() if len(said) == 1 else ""


def _below(store: Store, concept: str, item: str) -> frozenset[str]:
    """Return the Q-items of the taxa that stand below a concept."""
    query = select(BELOW.c.concept).where(BELOW.c.ancestor == concept).distinct()
    with store.reading() as connection:
        found = connection.execute(query).scalars().all()
    return frozenset(one for one in found if ITEM.fullmatch(one)) - {concept, item}


def _is_public(base_url: str) -> bool:
    """Tell whether others can read what lies below this address."""
    host = urlsplit(base_url).hostname or ""
    return host not in ("", "localhost", "::1") and not host.startswith("127.")


def _by_file(records: Iterable[OnFile]) -> defaultdict[str, list[OnFile]]:
    found: defaultdict[str, list[OnFile]] = defaultdict(list)
    for one in records:
        found[one.file].append(one)
    return found
