"""The records: frozen, flat dataclasses that everything here takes and gives.

Text that is not known is ``""``, a number that is not known is ``0``, a set that is empty is ``()``: no field is ever
``None`` and no field is ever guessed. Moments are ISO 8601 in UTC (``2021-10-03T14:05:00Z``), or a date alone where the
source says no more (ISA's CSV). The first field of each record, named in ``KEYS``, is its primary key in the store.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A person or a piece of software; a person is a pseudonym unless he or she chose to be credited."""

    id: str
    kind: str = "Person"  # schema.org / PROV: Person, SoftwareAgent, Organization
    name: str = ""  # empty for a person who is not credited
    version: str = ""
    homepage: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFile:
    """One published image."""

    iri: str  # concept IRI: https://commons.wikimedia.org/entity/M103381688, or another IRI
    title: str = ""  # with its prefix: File:Plate 12.jpg
    page: str = ""  # page for people
    original: str = ""  # URL of the bytes
    sha1: str = ""  # 40 hex digits of the original bytes
    mime: str = ""
    width_px: int = 0
    height_px: int = 0
    size_bytes: int = 0
    licence: str = ""  # canonical licence IRI, https with a slash at the end
    credit: str = ""  # credit line, plain text
    creator: str = ""  # plain text
    created: str = ""  # as the source says it
    description: str = ""  # plain text
    inventory_number: str = ""  # P217
    institution: str = ""  # Q-item or name of the holding institution
    group: str = ""  # specimen, series or engraver: files that must not be split between training and test
    revision: int = 0
    simulated: bool = False  # painted by De Boodt, not a museum's
    gone: str = ""  # moment at which it was deleted where it was published; empty while it is there


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """Somebody said at a moment, through a route, that a file shows an item, or took it back.

    Exactly one of ``item`` (a Q-id) and ``verbatim`` (a name in words, with its language) is given.
    """

    id: str
    file: str  # MediaFile.iri
    item: str = ""
    verbatim: str = ""
    language: str = ""
    agent: str = ""  # Agent.id; empty where the route does not say who
    moment: str = ""
    route: str = ""  # commons, isa, sparql, list
    campaign: str = ""
    prominent: bool = False  # statement rank "preferred"
    part: str = ""  # P518 applies to part, Q-id
    region: str = ""  # P2677: pct:x,y,w,h
    statement: str = ""  # Wikibase statement id
    revision: int = 0
    withdrawn: str = ""  # moment at which it was taken back; empty while it stands
    withdrawn_by: str = ""  # Agent.id
    tool: str = ""  # what it was made with, as the edit says: campaign165@ISA, a change tag
    reference: str = ""  # what the statement's references say, P-id=value each


@dataclass(frozen=True, slots=True)
class Ancestor:
    """One step of a classification, from the root down."""

    rank: str  # lower case: kingdom, phylum, class, order, family, genus, species
    name: str
    gbif_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taxon:
    """A name or Q-item as it was asked for, and what it resolved to.

    All names, ids and the classification are those of the *accepted* taxon; ``matched_name`` is the usage that was hit.
    ``concept`` is what six spellings of one species share: the Q-item, else ``gbif:KEY``, else ``aphia:ID``; empty when
    nothing was found, and then ``reason`` says why.
    """

    query: str  # the verbatim name or the Q-id that was asked
    concept: str = ""
    name: str = ""  # canonical accepted name, without authorship
    authorship: str = ""
    rank: str = ""  # lower case
    item: str = ""
    gbif_key: str = ""  # numeric backbone
    col_id: str = ""  # COL XR, alphanumeric
    aphia_id: str = ""
    checklist_key: str = ""  # the checklist that gbif_key was read from
    lineage: tuple[Ancestor, ...] = ()  # ancestors from the root down, the taxon itself not included
    vernaculars: tuple[tuple[str, str], ...] = ()  # (language, name)
    matched_name: str = ""
    match_type: str = "NONE"  # EXACT, FUZZY, HIGHERRANK, VERNACULAR, IDENTIFIER, NONE
    confidence: int = 0  # 0-100, the source's
    status: str = ""  # of the matched usage: ACCEPTED, SYNONYM, DOUBTFUL
    source: str = ""  # gbif, worms, wikidata
    moment: str = ""
    reason: str = ""  # for NONE, or what was left open: "two GBIF keys: 2463405, 4821214"


@dataclass(frozen=True, slots=True)
class Certainty:
    """How sure one taxon on the way down to a label's own is."""

    name: str
    rank: str
    probability: float


@dataclass(frozen=True, slots=True)
class Voices:
    """How many people stand how to a label, and how well they know the branch in which that was decided."""

    stand: str  # same, below, above, against, removed
    voters: int
    branch: str = ""  # the taxon among whose children was chosen; empty: the root
    skill: float = 0.0  # mean of how often these people know, 0-1; 0 where the way of counting knows no skill


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What the tags of one file add up to for one taxon."""

    id: str
    campaign: str
    file: str
    concept: str
    name: str = ""
    rank: str = ""
    item: str = ""
    gbif_key: str = ""
    support: int = 0  # people who said this taxon, something below it, or a taxon above it
    dissent: int = 0  # people who named the file but no taxon of this lineage, or took this one back
    voters: int = 0  # people who said anything about the file
    probability: float = 0.0
    status: str = ""  # accepted, single, minority, tie, machine, withdrawn; or a review's: reviewed, rejected, unfit …
    counted: str = ""  # the status that counting gave, where a review overrules it
    method: str = ""
    moment: str = ""
    path: tuple[Certainty, ...] = ()  # from the root down to the taxon itself
    voices: tuple[Voices, ...] = ()  # why: who stands how
    machine: int = 0  # people who accepted a machine's suggestion of this or below; in none of the numbers above
    machine_probability: float = 0.0  # with these counted in; 0 where there are none on the file
    machine_status: str = ""  # the same


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelClass:
    """One output of a model and what it is linked to."""

    id: str  # MODEL@VERSION/INDEX
    model: str
    version: str
    index: int
    label: str
    rank: str = ""
    item: str = ""
    gbif_key: str = ""
    col_id: str = ""
    lineage: tuple[Ancestor, ...] = ()
    relation: str = "unlinked"  # exact, broad, close, unlinked
    checklist_key: str = ""  # the checklist that gbif_key was read from
    aphia_id: str = ""
    term: str = ""  # IRI of a thesaurus term that a curator gave, such as the AAT's, by the same relation
    moment: str = ""  # when its keys were read


@dataclass(frozen=True, slots=True)
class Alternative:
    """One class a model considered, with its probability."""

    label: str
    probability: float
    rank: str = ""
    item: str = ""
    gbif_key: str = ""
    col_id: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """What something that a curator knew (a checklist, a size, a period) did to an answer."""

    prior: str  # checklist, size, period
    asked: str  # what was known, in words
    before: str  # the class that came first before it was used
    after: str  # and after
    moved: float  # share of all probability that went from some classes to others


@dataclass(frozen=True, slots=True, kw_only=True)
class Identification:
    """One answer about one file; ``label`` is empty when the answer is "unknown"."""

    id: str
    file: str  # MediaFile.iri, or urn:sha1:… of an upload
    sha1: str = ""
    model: str = ""
    version: str = ""
    weights: str = ""  # sha256 of the weights that answered
    label: str = ""
    rank: str = ""
    item: str = ""
    gbif_key: str = ""
    col_id: str = ""
    certainty: float = 0.0  # probability of the decided label, 0-1
    novelty: float = 0.0  # how unlike the training pictures, 0-1; at 1 it is a stranger
    rule: str = ""  # the rung of identify.decide that took the decision
    alternatives: tuple[Alternative, ...] = ()
    region: str = ""  # xywh=percent:x,y,w,h
    agent: str = ""
    moment: str = ""
    status: str = "unverified"  # dwc:identificationVerificationStatus: unverified, verified, rejected
    supersedes: str = ""
    campaign: str = ""
    word: str = ""  # certain, likely, uncertain, unknown; empty for answers of before there were words
    masses: tuple[Certainty, ...] = ()  # the likeliest taxon of each rank, lowest rank first
    within: tuple[Certainty, ...] = ()  # the prediction set, likeliest first
    coverage: float = 0.0  # how often such sets hold the truth, 0-1; 0 where there is no set
    priors: tuple[Changed, ...] = ()  # what the curator knew changed, in the order in which it was used


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A person's verdict on a Label or an Identification."""

    id: str
    target: str  # id of the label or identification
    verdict: str  # accept, reject, correct, cannot tell, unfit image, wrong region
    agent: str
    moment: str
    correction: str = ""  # concept of the taxon that it is: a Q-id, or gbif:KEY
    comment: str = ""
    kind: str = ""  # of the target: label, identification
    file: str = ""  # MediaFile.iri
    concept: str = ""  # what the target said: a Q-id or gbif:KEY; empty where it said "unknown"
    campaign: str = ""
    seen: str = ""  # digest of the target as it stood (crowd.verdicts.digest): that of a payload in the log
    decides: bool = False  # a curator's, where reviewers disagree
    undone: str = ""  # moment at which it was taken back; empty while it stands


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One item lost at one step, with the reason."""

    id: str
    step: str  # harvest, names, count, dataset, train, identify, export
    subject: str  # what was lost: an IRI, a name, file:row
    reason: str  # few and fixed, so that they can be counted: "unreadable image", "unknown item"
    detail: str = ""
    campaign: str = ""
    moment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignFile:
    """A file that belongs to a campaign, by whichever route it came."""

    id: str
    campaign: str
    file: str
    role: str = "subject"  # subject; stranger: known to show none of the campaign's taxa, asked only to test the model


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a campaign, as it was last finished: the fingerprint tells whether it must be done again."""

    id: str  # CAMPAIGN/STEP
    campaign: str
    name: str
    fingerprint: str
    counts: tuple[tuple[str, int], ...] = ()
    seconds: float = 0.0
    moment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry of the log. ``payload`` is the record as it stood after the event, or whatever the kind calls for."""

    seq: int
    moment: str
    agent: str
    kind: str  # media_file.added, tag.withdrawn, identification.superseded, step.finished …
    subject: str
    payload: str  # JSON


Record = Agent | MediaFile | Tag | Taxon | Label | ModelClass | Identification | Review | Failure | CampaignFile | Step
"""Everything the store keeps a table of."""

KEYS: dict[type, str] = {
    Agent: "id",
    MediaFile: "iri",
    Tag: "id",
    Taxon: "query",
    Label: "id",
    ModelClass: "id",
    Identification: "id",
    Review: "id",
    Failure: "id",
    CampaignFile: "id",
    Step: "id",
}
"""Which field of a record is its primary key."""
