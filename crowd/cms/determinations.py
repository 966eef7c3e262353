"""What goes back to a museum: one taxon that one of its objects shows, and all that it rests on.

In: files with their object numbers, labels, identifications, who accepted them. Out: ``Determination``, one an object
and taxon. Only what people accepted goes out: labels that stand, identifications that somebody verified; a machine's
unverified answers only where a profile asks, and then they say so.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace

from crowd.credited import credit_line
from crowd.verdicts import STANDS, Accepted
from linkeddata.ids import GBIF_SPECIES, WIKIDATA_ENTITY
from linkeddata.lineages import concept_of
from linkeddata.records import Agent, Identification, Label, MediaFile, Review, Taxon
from linkeddata.uris import uri_of

REVIEWED, PERSON, VERIFIED, CROWD, UNVERIFIED = range(5)
"""How well a claim is founded, best first: of several about one object and taxon the best is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Determination:
    """One taxon that one object shows, as a museum's system can take it: text throughout, ``""`` where not known."""

    object_number: str
    taxon: str
    """Scientific name."""
    term: str = ""
    """What the museum's thesaurus calls it."""
    term_number: str = ""
    vernacular: str = ""
    """In the profile's language."""
    rank: str = ""
    item: str = ""
    gbif_key: str = ""
    """GBIF's numeric backbone."""
    col_id: str = ""
    """GBIF's new key: Catalogue of Life eXtended Release."""
    authority: str = ""
    """Wikidata where there is an item, else GBIF where there is a key."""
    authority_number: str = ""
    authority_iri: str = ""
    source: str = ""
    """``crowd``, ``expert``, ``person`` or ``machine``."""
    agent: str = ""
    """The crowd of which campaign, a model@version, a person as he or she wants to be named, or a pseudonym."""
    date: str = ""
    certainty: str = ""
    """Probability from 0 to 1, three decimals; empty for what a person says."""
    verification: str = ""
    """``crowd, 3 of 4``, ``crowd, 3 of 4, reviewed``, ``expert``, ``machine, verified``, ``machine, unverified`` …"""
    campaign: str = ""
    image: str = ""
    """Page of the image."""
    review: str = ""
    """Address of the review that accepted it, else of what it rests on."""
    id: str = ""
    """Address of the label or identification."""
    note: str = ""
    """All of this in one readable line (``notes``), for a system without fields for it."""
    simulated: str = ""
    """``yes`` for painted plates with a simulated crowd."""


FIELDS = tuple(field.name for field in fields(Determination))
"""What a profile may put into a column or an element."""
FACTS = (
    "taxon", "rank", "item", "gbif_key", "col_id", "agent", "date", "certainty", "verification", "image", "review",
)  # fmt: skip
"""What every determination should carry into the system; a report says where a profile has no field for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What De Boodt knows of some files, as it lies in the store."""

    files: tuple[MediaFile, ...] = ()
    labels: tuple[Label, ...] = ()
    identifications: tuple[Identification, ...] = ()
    agents: Mapping[str, Agent] | None = None
    taxa: Mapping[str, Taxon] | None = None
    """By concept."""
    accepted: Mapping[str, list[Accepted]] | None = None
    """By file (``crowd.reviewing.accepted_of``)."""
    base_url: str = ""
    """Address of this installation, for links to reviews."""


def determinations(
    claims: Claims, numbers: Mapping[str, str], *, language: str = "nl", unverified: bool = False
) -> list[Determination]:
    """Return what goes back of the files that have an object number, one an object and taxon, by number and name."""
    files = {media.iri: media for media in claims.files}
    best: dict[tuple[str, str], tuple[int, Determination]] = {}
    for strength, claim in standing(claims, unverified):
        if claim.file not in numbers:
            continue
        made = _determination(files[claim.file], numbers[claim.file], claim, claims, language)
        place = made.object_number, concept_of(made.item, made.gbif_key) or made.taxon
        ranked = (strength, made)
        if place not in best or _order(ranked) < _order(best[place]):
            best[place] = ranked
    return sorted((made for _, made in best.values()), key=lambda one: (one.object_number, one.taxon, one.id))


def standing(claims: Claims, unverified: bool = False) -> Iterator[tuple[int, Label | Identification]]:
    """Yield what may go out, with how well it is founded."""
    for label in claims.labels:
        if label.status in STANDS:
            yield (PERSON if not label.voters else REVIEWED if label.status == "reviewed" else CROWD), label
    superseded = {one.supersedes for one in claims.identifications}
    for one in claims.identifications:
        if one.label and one.id not in superseded:
            if one.status == "verified":
                yield (PERSON if not one.model else VERIFIED), one
            elif unverified and one.status == "unverified":
                yield UNVERIFIED, one


def same_taxon(one: Determination, other: Determination) -> bool:
    """Tell whether two name one taxon: by item, else by a GBIF key, else by name.

    >>> a, b = (Determination(object_number="1", taxon=t, item="Q1") for t in ("Papilio", "Vanessa"))
    >>> same_taxon(a, b), same_taxon(replace(a, item=""), replace(b, item=""))
    (True, False)
    """
    for key in ("item", "gbif_key", "col_id"):
        mine, theirs = getattr(one, key), getattr(other, key)
        if mine and theirs:
            return bool(mine == theirs)
    return one.taxon.casefold() == other.taxon.casefold()


def _order(ranked: tuple[int, Determination]) -> tuple[int, str, str]:
    return ranked[0], ranked[1].date, ranked[1].id


def _determination(
    media: MediaFile, number: str, claim: Label | Identification, claims: Claims, language: str
) -> Determination:
    concept = concept_of(claim.item, claim.gbif_key)
    taxon = (claims.taxa or {}).get(concept) if concept else None
    authority, authority_number, iri = _authority(claim)
    made = Determination(
        object_number=number,
        taxon=claim.name if isinstance(claim, Label) else claim.label,
        vernacular=next((name for tongue, name in taxon.vernaculars if tongue == language), "") if taxon else "",
        rank=claim.rank,
        item=claim.item,
        gbif_key=claim.gbif_key,
        col_id=(claim.col_id if isinstance(claim, Identification) else "") or (taxon.col_id if taxon else ""),
        authority=authority,
        authority_number=authority_number,
        authority_iri=iri,
        date=claim.moment[:10],
        campaign=claim.campaign,
        image=media.page or media.iri,
        id=uri_of(type(claim), claim.id, claims.base_url),
        simulated="yes" if media.simulated else "",
    )
    made = _of_crowd(made, claim) if isinstance(claim, Label) else _of_answer(made, claim, claims.agents or {})
    return _accepted(made, claim, concept, claims)


def _of_crowd(made: Determination, label: Label) -> Determination:
    if not label.voters:
        return replace(made, source="expert", agent="", verification="expert")
    verification = f"crowd, {label.support} of {label.voters}"
    return replace(
        made,
        source="crowd",
        agent=f"crowd of {label.campaign}, {label.method}",
        certainty=f"{label.probability:.3f}",
        verification=f"{verification}, reviewed" if label.status == "reviewed" else verification,
    )


def _of_answer(made: Determination, answer: Identification, agents: Mapping[str, Agent]) -> Determination:
    if not answer.model:
        return replace(
            made, source="person", agent=_name(answer.agent, agents), verification=f"person, {answer.status}"
        )
    return replace(
        made,
        source="machine",
        agent=f"{answer.model}@{answer.version}",
        certainty=f"{answer.certainty:.3f}",
        verification=f"machine, {answer.status}",
    )


def _accepted(made: Determination, claim: Label | Identification, concept: str, claims: Claims) -> Determination:
    """Add who accepted it and where that is said."""
    told = [one for one in (claims.accepted or {}).get(claim.file, ()) if one.concept == concept]
    found = next((one for one in told if one.campaign == claim.campaign), told[0] if told else None)
    if found is None:
        return replace(made, review=made.id)
    people = ", ".join(_name(one, claims.agents or {}) for one in found.by)
    agent = people if made.source in ("expert", "person") else f"{made.agent}, accepted by {people}"
    review = uri_of(Review, found.reviews[0], claims.base_url) if found.reviews else made.id
    return replace(made, agent=agent, date=found.since[:10], review=review)


def _name(agent: str, agents: Mapping[str, Agent]) -> str:
    known = agents.get(agent)
    return (credit_line(known) if known is not None else "") or agent


def _authority(claim: Label | Identification) -> tuple[str, str, str]:
    if claim.item:
        return "Wikidata", claim.item, f"{WIKIDATA_ENTITY}{claim.item}"
    if claim.gbif_key:
        return "GBIF", claim.gbif_key, f"{GBIF_SPECIES}{claim.gbif_key}"
    return "", "", ""
