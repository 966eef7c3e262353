"""What is open for experts, the weightiest first. In: a store. Out: entries with their score and its reasons.

The queue is a table beside the records, made of them alone: ``follow`` reads the log from where it last was and scores
the files again that something was said about; a verdict scores its file in its own transaction. Pages are read by key
from an index, whatever the number of open entries.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import Connection, and_, delete, exists, func, insert, or_, select, tuple_, update

from crowd.accounts import Now
from crowd.entry import later
from crowd.priority import RARE_BELOW, Evidence, Reason, reasons
from crowd.rights import ALL, Person, may
from crowd.verdicts import (
    BY_REVIEW,
    COMMENT,
    DISPUTED,
    STANDS,
    Standing,
    Target,
    Wanted,
    standing,
    target_of,
)
from linkeddata.batches import BATCH
from linkeddata.lineages import concept_of
from linkeddata.records import Identification, Label, MediaFile, ModelClass, Review
from linkeddata.reviewtables import FOLLOWED, HOLD, QUEUE
from linkeddata.store import Store
from linkeddata.tables import BELOW, EVENT, SHAPES
from linkeddata.transactions import Transaction

WANTED_KIND = "campaign.reviewers"
"""Kind of the event that says how many reviewers a campaign asks for."""
HELD_MINUTES = 10
"""How long what somebody has opened is kept from others."""
OPEN_STATES = ("", DISPUTED)
KINDS = tuple(
    f"{name}.{verb}" for name in ("label", "identification", "review") for verb in ("added", "changed", "removed")
)
_LABEL, _ANSWER, _REVIEW = (SHAPES[kind].table for kind in (Label, Identification, Review))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What of the queue somebody wants to see; what is empty narrows nothing."""

    campaign: str = ""
    institution: str = ""
    taxon: tuple[str, ...] = ()
    """Names of one taxon as ``lineages`` has them: it and all below it."""
    kind: str = ""
    """``label``, ``identification`` or ``region``."""
    after: tuple[float, str] | None = None
    """Place and target of the last entry that was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One open target."""

    target: str
    kind: str
    file: str
    campaign: str
    concept: str
    score: float
    reasons: tuple[Reason, ...]
    wanted: int
    disputed: bool

    @property
    def place(self) -> tuple[float, str]:
        """Where a page that begins behind this entry begins."""
        return -self.score, self.target


def page(store: Store, person: Person, asked: Asked, limit: int) -> list[Entry]:
    """Return at most ``limit`` entries that this person may judge and has not, the weightiest first."""
    follow(store)
    with store.reading() as connection:
        return _entries(connection, _open_to(connection, person, asked), limit)


def count(store: Store, person: Person, asked: Asked) -> int:
    """Return how many entries ``page`` would give in all."""
    with store.reading() as connection:
        where = _open_to(connection, person, asked)
        return int(connection.execute(select(func.count()).select_from(QUEUE).where(*where)).scalar_one())


def hand_out(store: Store, person: Person, asked: Asked, now: Now) -> Entry | None:
    """Return the weightiest entry that nobody else has open, and keep it for this person for a while.

    Where two reviewers are asked for, two may have it open. What the person had open before is free again.
    """
    follow(store)
    moment = now()
    with store.transaction() as work:
        connection = work.connection
        connection.execute(delete(HOLD).where(or_(HOLD.c.account == person.account, HOLD.c.until <= moment)))
        held = select(func.count()).where(HOLD.c.target == QUEUE.c.target).scalar_subquery()
        found = _entries(connection, [*_open_to(connection, person, asked), held < QUEUE.c.wanted], 1)
        if not found:
            return None
        _hold(connection, found[0].target, person, moment)
    return found[0]


def opened(store: Store, person: Person, target: str, now: Now) -> bool:
    """Keep a target that somebody opened by its address; tell whether somebody else has it open."""
    moment = now()
    with store.transaction() as work:
        connection = work.connection
        connection.execute(delete(HOLD).where(or_(HOLD.c.account == person.account, HOLD.c.until <= moment)))
        others = connection.execute(select(func.count()).where(HOLD.c.target == target)).scalar_one()
        _hold(connection, target, person, moment)
    return bool(others)


def entry_of(store: Store, target: str) -> Entry | None:
    """Return a target's entry, if it is open."""
    follow(store)
    with store.reading() as connection:
        found = _entries(connection, [QUEUE.c.target == target], 1)
    return found[0] if found else None


def follow(store: Store) -> int:
    """Bring the queue up to the end of the log; return how many files were scored again."""
    done = 0
    with store.reading() as connection:
        at = _position(connection)
    while at < store.state()[0]:
        with store.transaction() as work:
            at = _position(work.connection)
            query = select(EVENT.c.seq, EVENT.c.kind, EVENT.c.subject, EVENT.c.payload).where(EVENT.c.seq > at)
            rows = work.connection.execute(query.order_by(EVENT.c.seq).limit(BATCH)).all()
            if not rows:
                break
            done += rescore(work, _files(work.connection, rows), wanted_in(work.connection))
            _move(work.connection, rows[-1].seq)
    return done


def rescore(work: Transaction, files: Iterable[str], wanted: Wanted) -> int:
    """Score again everything that is said about these files; return how many files there were."""
    names = sorted(set(files))
    source = iter(names)
    while some := list(islice(source, BATCH)):
        rows = list(_rows(work, some, wanted))
        work.connection.execute(delete(QUEUE).where(QUEUE.c.file.in_(some)))
        if rows:
            work.connection.execute(insert(QUEUE), rows)
    return len(names)


def wanted_in(connection: Connection) -> Wanted:
    """Return how many reviewers each campaign asks for, as the log last said it; one, where it says nothing."""
    query = select(EVENT.c.subject, EVENT.c.payload).where(EVENT.c.kind == WANTED_KIND).order_by(EVENT.c.seq)
    numbers = {subject: int(orjson.loads(payload)["reviewers"]) for subject, payload in connection.execute(query)}
    return lambda campaign: numbers.get(campaign, 1)


@dataclass(frozen=True, slots=True)
class _Around:
    """What a batch of files is scored with."""

    examples: Mapping[str, int]
    known: frozenset[str]
    models: bool
    above: Mapping[str, frozenset[str]]
    institutions: Mapping[str, str]
    wanted: Wanted


def _rows(work: Transaction, files: Sequence[str], wanted: Wanted) -> Iterator[dict[str, Any]]:
    """Yield the queue's rows for these files."""
    said: defaultdict[str, list[Label | Identification]] = defaultdict(list)
    for label in work.among(Label, "file", files):
        said[label.file].append(label)
    superseded: set[str] = set()
    for answer in work.among(Identification, "file", files):
        said[answer.file].append(answer)
        superseded.add(answer.supersedes)
    reviews: defaultdict[str, list[Review]] = defaultdict(list)
    for review in work.among(Review, "file", files):
        reviews[review.file].append(review)
    concepts = {target_of(one).concept for of in said.values() for one in of} - {""}
    around = _Around(
        _examples(work.connection, concepts),
        *_known(work.connection, concepts),
        _above(work.connection, concepts),
        {one.iri: one.institution for one in work.among(MediaFile, "iri", said)},
        wanted,
    )
    for file, records in said.items():
        for record in records:
            if _may_be_open(record) and record.id not in superseded:
                row = _row(record, records, reviews[file], around)
                if row:
                    yield row


def _may_be_open(record: Label | Identification) -> bool:
    """Tell whether a verdict on this could matter: somebody stands by it, and no person has said so as an expert."""
    if isinstance(record, Label):
        return record.status != "withdrawn" and not (record.method == BY_REVIEW and record.status == "reviewed")
    return record.rule != BY_REVIEW and bool(record.model)


def _row(
    record: Label | Identification,
    beside: Sequence[Label | Identification],
    reviews: Sequence[Review],
    around: _Around,
) -> dict[str, Any]:
    target = target_of(record)
    wanted = around.wanted(target.campaign)
    now = standing(target, reviews, wanted)
    if now.state not in OPEN_STATES:
        return {}
    why = reasons(_evidence(record, target, beside, now, around))
    return {
        "target": target.id,
        "kind": target.kind,
        "file": record.file,
        "campaign": target.campaign,
        "concept": target.concept,
        "institution": around.institutions.get(record.file, ""),
        "place": -round(sum(one.points for one in why), 3),
        "reasons": json.dumps([[round(one.points, 3), one.words] for one in why], ensure_ascii=False),
        "wanted": wanted,
        "disputed": int(now.state == DISPUTED),
    }


def _evidence(
    record: Label | Identification,
    target: Target,
    beside: Sequence[Label | Identification],
    now: Standing,
    around: _Around,
) -> Evidence:
    is_label = isinstance(record, Label)
    return Evidence(
        support=record.support if isinstance(record, Label) else 0,
        dissent=record.dissent if isinstance(record, Label) else 0,
        probability=record.probability if isinstance(record, Label) else record.certainty,
        counted=is_label,
        novelty=0.0 if isinstance(record, Label) else record.novelty,
        machine_says="" if record.status == "minority" else _against(target, is_label, beside, around.above),
        examples=around.examples.get(target.concept, 0),
        known_to_model=not around.models or not target.concept or target.concept in around.known,
        disputed=now.state == DISPUTED,
        second=bool(now.reviews) and bool(now.lacks) and now.unsure < len(now.reviews),
        unsure=now.unsure,
    )


def _against(
    target: Target,
    is_label: bool,
    beside: Sequence[Label | Identification],
    above: Mapping[str, frozenset[str]],
) -> str:
    """Return what the other side (the machine, or the crowd) names on the file, where it fits no lineage of this."""
    others = {
        target_of(one).concept: one.name if isinstance(one, Label) else one.label
        for one in beside
        if isinstance(one, Label) != is_label and one.status not in ("withdrawn", "minority", "rejected")
    }
    others.pop("", None)
    line = {target.concept, *above.get(target.concept, ())}
    if not target.concept or any(one in line or target.concept in above.get(one, ()) for one in others):
        return ""
    return ", ".join(sorted(name for name in others.values() if name))


def _examples(connection: Connection, concepts: Collection[str]) -> dict[str, int]:
    """Return of how many labels each concept is accepted, ``RARE_BELOW`` at most being of interest."""
    found: Counter[str] = Counter()
    items = sorted(one for one in concepts if not one.startswith("gbif:"))
    keys = sorted(one.removeprefix("gbif:") for one in concepts if one.startswith("gbif:"))
    teaching = select(_LABEL.c.item, _LABEL.c.gbif_key, func.count()).where(
        _LABEL.c.status.in_(STANDS),
        or_(_LABEL.c.item.in_(items), and_(_LABEL.c.item == "", _LABEL.c.gbif_key.in_(keys))),
    )
    for item, key, number in connection.execute(teaching.group_by(_LABEL.c.item, _LABEL.c.gbif_key)):
        found[concept_of(item, key)] += number
    return {concept: min(number, RARE_BELOW) for concept, number in found.items()}


def _known(connection: Connection, concepts: Collection[str]) -> tuple[frozenset[str], bool]:
    """Return which concepts are classes of a model, and whether there is any model."""
    classes = SHAPES[ModelClass].table.c
    items = [one for one in concepts if not one.startswith("gbif:")]
    keys = [one.removeprefix("gbif:") for one in concepts if one.startswith("gbif:")]
    query = select(classes.item, classes.gbif_key).where(or_(classes.item.in_(items), classes.gbif_key.in_(keys)))
    rows = connection.execute(query.distinct()).all()
    names = {name for item, key in rows for name in (item, concept_of("", key)) if name}
    return frozenset(names), connection.execute(select(classes.id).limit(1)).first() is not None


def _above(connection: Connection, concepts: Collection[str]) -> dict[str, frozenset[str]]:
    """Return for each concept those above it."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    query = select(BELOW.c.concept, BELOW.c.ancestor).where(BELOW.c.concept.in_(sorted(concepts)))
    for concept, ancestor in connection.execute(query) if concepts else ():
        found[concept].add(ancestor)
    return {concept: frozenset(of) for concept, of in found.items()}


def _entries(connection: Connection, where: Sequence[Any], limit: int) -> list[Entry]:
    query = select(QUEUE).where(*where).order_by(QUEUE.c.place, QUEUE.c.target).limit(limit)
    return [
        Entry(
            target=row.target,
            kind=row.kind,
            file=row.file,
            campaign=row.campaign,
            concept=row.concept,
            score=-row.place,
            reasons=tuple(Reason(points, words) for points, words in json.loads(row.reasons)),
            wanted=row.wanted,
            disputed=bool(row.disputed),
        )
        for row in connection.execute(query)
    ]


def _open_to(connection: Connection, person: Person, asked: Asked) -> list[Any]:
    """Return the conditions on what is asked for and is this person's to judge."""
    where: list[Any] = []
    for column, value in (
        (QUEUE.c.campaign, asked.campaign),
        (QUEUE.c.institution, asked.institution),
        (QUEUE.c.kind, asked.kind),
    ):
        if value:
            where.append(column == value)
    if asked.taxon:
        where.append(_below(connection, asked.taxon))
    if person.role == "reviewer" and ALL not in person.branches:
        where.append(_below(connection, person.branches))
    if not may(person, "decide"):
        where.append(QUEUE.c.disputed == 0)
    own = and_(
        _REVIEW.c.target == QUEUE.c.target,
        _REVIEW.c.agent == person.agent,
        _REVIEW.c.undone == "",
        _REVIEW.c.verdict != COMMENT,
    )
    where.append(or_(QUEUE.c.disputed == 1, ~exists().where(own)))
    if asked.after is not None:
        where.append(tuple_(QUEUE.c.place, QUEUE.c.target) > tuple_(*asked.after))
    return where


FEW_CONCEPTS = 500
"""Up to so many taxa below one are looked for by name; of more, each entry is asked whether it is below."""


def _below(connection: Connection, names: Sequence[str]) -> Any:
    """Return the condition that an entry's taxon is one of these or below one."""
    query = select(BELOW.c.concept).where(BELOW.c.ancestor.in_(names)).distinct().limit(FEW_CONCEPTS + 1)
    concepts = {*names, *connection.execute(query).scalars()}
    if len(concepts) <= FEW_CONCEPTS:
        return QUEUE.c.concept.in_(sorted(concepts))
    below = and_(BELOW.c.ancestor.in_(names), BELOW.c.concept == QUEUE.c.concept)
    return or_(QUEUE.c.concept.in_(names), exists().where(below))


def _hold(connection: Connection, target: str, person: Person, moment: str) -> None:
    until = later(moment, minutes=HELD_MINUTES)
    connection.execute(insert(HOLD).values(target=target, account=person.account, until=until))


def _files(connection: Connection, rows: Sequence[Any]) -> set[str]:
    """Return the files that these entries of the log are about; of what was removed, the queue knows the file."""
    found: set[str] = set()
    removed: list[str] = []
    campaigns: list[str] = []
    for _, kind, subject, payload in rows:
        if kind == WANTED_KIND:
            campaigns.append(subject)
        elif kind not in KINDS:
            continue
        elif kind.endswith(".removed"):
            removed.append(subject)
        else:
            found.add(orjson.loads(payload).get("file", ""))
    queued = select(QUEUE.c.file).where(or_(QUEUE.c.target.in_(removed), QUEUE.c.campaign.in_(campaigns)))
    judged = select(_REVIEW.c.file).where(_REVIEW.c.campaign.in_(campaigns))
    return (found | {file for query in (queued, judged) for file in connection.execute(query).scalars()}) - {""}


def _position(connection: Connection) -> int:
    return connection.execute(select(FOLLOWED.c.seq).where(FOLLOWED.c.name == "queue")).scalar() or 0


def _move(connection: Connection, seq: int) -> None:
    moved = connection.execute(update(FOLLOWED).where(FOLLOWED.c.name == "queue").values(seq=seq))
    if not moved.rowcount:
        connection.execute(insert(FOLLOWED).values(name="queue", seq=seq))
