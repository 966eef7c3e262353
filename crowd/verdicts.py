"""What reviews add up to. In: the labels, identifications and reviews of a file. Out: what they become.

Pure, and the same whatever the order: the state is a function of the log (``replayed``), so that undoing a verdict
needs nothing but leaving it out.

Whom a verdict is about
    Its target, and whatever else says the same of the same file: who accepts a label accepts the identification of
    that taxon, and who corrects A to B accepts B. "Wrong region" and a rejected region are about their target alone.
    "Unfit image" is about everything on the file that nobody has judged itself.
When it counts
    When as many reviewers as the campaign asks for have an opinion; "cannot tell" is none. If they disagree, nothing
    follows until a curator decides.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from linkeddata.ids import ITEM, content_id
from linkeddata.lineages import concept_of
from linkeddata.records import Event, Identification, Label, Record, Review, Taxon

ACCEPT, REJECT, CORRECT = "accept", "reject", "correct"
CANNOT_TELL, UNFIT, WRONG_REGION = "cannot tell", "unfit image", "wrong region"
COMMENT = "comment"
VERDICTS = (ACCEPT, REJECT, CORRECT, CANNOT_TELL, UNFIT, WRONG_REGION)
"""What a reviewer can say. ``comment`` is no verdict: it changes nothing."""
DISPUTED = "disputed"
STANDS = ("accepted", "reviewed")
"""``Label.status`` of what may teach a model and go back to museums."""
BY_REVIEW = "review"
"""``Label.method`` of a label that no tag holds up, only a review."""
OF_LABELS = {ACCEPT: "reviewed", REJECT: "rejected", CORRECT: "rejected", UNFIT: "unfit", DISPUTED: "disputed"}
OF_IDENTIFICATIONS = {ACCEPT: "verified", REJECT: "rejected", CORRECT: "rejected", WRONG_REGION: "rejected"}
"""What a label or an identification is called, by the state of its reviews; a state without a name changes nothing."""

Wanted = Callable[[str], int]
"""Campaign → how many reviewers it asks for."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a verdict is about: a ``label``, an ``identification``, or one of a ``region``."""

    kind: str
    id: str
    concept: str
    campaign: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the reviews of one target stand."""

    state: str = ""
    """A verdict, ``disputed``, or empty while too few have said something."""
    correction: str = ""
    by: tuple[str, ...] = ()
    """Whose verdict it is, by ``Agent.id``."""
    since: str = ""
    """Moment of the review that brought it about."""
    lacks: int = 0
    """How many more reviewers are asked for."""
    unsure: int = 0
    """How many could not tell."""
    reviews: tuple[Review, ...] = ()


@dataclass(frozen=True, slots=True)
class FileState:
    """What is said about one file."""

    labels: tuple[Label, ...] = ()
    identifications: tuple[Identification, ...] = ()
    reviews: tuple[Review, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """One taxon that people have accepted of a file."""

    file: str
    concept: str
    campaign: str
    by: tuple[str, ...]
    """``Agent.id`` of each who says so."""
    since: str
    reviews: tuple[str, ...]
    """``Review.id`` of each."""


def target_of(record: Label | Identification) -> Target:
    """Return the record as the target of a verdict."""
    if isinstance(record, Label):
        return Target("label", record.id, record.concept, record.campaign)
    concept = concept_of(record.item, record.gbif_key) if record.label else ""
    return Target("region" if record.region else "identification", record.id, concept, record.campaign)


def digest(record: Record) -> str:
    """Return what a record is recognised by as it stands; that of a payload in the log is the same.

    >>> one = Label(id="1", campaign="c", file="f", concept="Q1")
    >>> digest(one) == digest(replace(one)) != digest(replace(one, support=2))
    True
    """
    return hashlib.sha256(orjson.dumps(record)).hexdigest()[:24]


def standing(target: Target, reviews: Iterable[Review], wanted: int = 1) -> Standing:
    """Return where the reviews of a file stand for one target on it.

    >>> label = Target("label", "1", "Q1")
    >>> yes, no = (Review(id=v, kind="label", target="1", concept="Q1", file="f", verdict=v, agent=v, moment="2026")
    ...            for v in ("accept", "reject"))
    >>> standing(label, [yes]).state, standing(label, [yes], 2).lacks, standing(label, [yes, no], 2).state
    ('accept', 1, 'disputed')
    """
    said = _bearing(target, reviews)
    decided = [one for one in said if one.decides]
    if decided:
        return _settled(decided[-1:], said)
    opinions = [one for one in said if one.verdict != CANNOT_TELL]
    unsure = len(said) - len(opinions)
    if _disagree(opinions):
        return Standing(DISPUTED, "", (), opinions[-1].moment, 0, unsure, tuple(said))
    if len(opinions) >= wanted:
        return _settled(opinions, said)
    if unsure >= wanted:
        return _settled([one for one in said if one.verdict == CANNOT_TELL], said)
    return Standing(lacks=wanted - len(opinions), unsure=unsure, reviews=tuple(said))


def derived(state: FileState, taxa: Mapping[str, Taxon], wanted: Wanted = lambda campaign: 1) -> FileState:
    """Return the file's labels and identifications as its reviews leave them; doing it twice changes nothing more.

    ``taxa`` knows by concept the taxa that reviews name. A label that only a review holds up, and a person's
    identification in place of a wrong one, come and go with their reviews.
    """
    known = [one for one in state.reviews if not one.undone and one.verdict != COMMENT]
    labels = {one.id: _restored(one) for one in state.labels if one.method != BY_REVIEW}
    for target, review in _named(known):
        now = standing(target, known, wanted(target.campaign))
        if target.id not in labels and now.state in (ACCEPT, DISPUTED):
            labels[target.id] = _label(target, review, taxa)
    answers = {one.id: _unjudged(one, state.reviews) for one in state.identifications if not _is_correction(one)}
    answers |= {one.id: one for one in _corrections(known, taxa, wanted)}
    return FileState(
        tuple(_reviewed_label(one, known, wanted) for _, one in sorted(labels.items())),
        tuple(_reviewed_answer(one, known, wanted) for _, one in sorted(answers.items())),
        state.reviews,
    )


def accepted(reviews: Sequence[Review], wanted: Wanted = lambda campaign: 1) -> list[Accepted]:
    """Return what people accept of one file now, by whom and since when, out of all its reviews."""
    known = [one for one in reviews if not one.undone and one.verdict != COMMENT]
    found = []
    for target, review in _named(known):
        now = standing(target, known, wanted(target.campaign))
        if now.state == ACCEPT:
            found.append(
                Accepted(
                    file=review.file,
                    concept=target.concept,
                    campaign=target.campaign,
                    by=now.by,
                    since=now.since,
                    reviews=tuple(one.id for one in now.reviews if one.agent in now.by),
                )
            )
    return found


def replayed(events: Iterable[Event]) -> dict[str, FileState]:
    """Return what the log adds up to, by file: labels, identifications and reviews, nothing read but the events."""
    kinds: dict[str, type[Any]] = {"label": Label, "identification": Identification, "review": Review}
    current: dict[tuple[str, str], Any] = {}
    for event in events:
        name, _, verb = event.kind.partition(".")
        if name in kinds and verb in ("added", "changed"):
            current[name, event.subject] = _read(kinds[name], orjson.loads(event.payload))
        elif name in kinds and verb == "removed":
            current.pop((name, event.subject), None)
    by_file: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for (name, _), record in sorted(current.items()):
        by_file[record.file][name].append(record)
    return {
        file: FileState(tuple(of["label"]), tuple(of["identification"]), tuple(of["review"]))
        for file, of in by_file.items()
    }


def _read(kind: type[Any], values: dict[str, Any]) -> Any:
    from linkeddata.records import Alternative

    if "alternatives" in values:
        values["alternatives"] = tuple(Alternative(**one) for one in values["alternatives"])
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})


def _bearing(target: Target, reviews: Iterable[Review]) -> list[Review]:
    """Return what each reviewer says of the target, as a verdict on it, one a person, by moment."""
    own: dict[str, Review] = {}
    other: dict[str, Review] = {}
    for one in sorted(reviews, key=lambda review: (review.moment, review.id)):
        if one.undone or one.verdict == COMMENT:
            continue
        if one.target == target.id:
            own[one.agent] = one
        elif meant := _meant(target, one):
            other[one.agent] = replace(one, verdict=meant, correction="", decides=one.decides and meant == ACCEPT)
    judged = own or any(one.verdict != UNFIT for one in other.values())
    said = {agent: one for agent, one in other.items() if not (judged and one.verdict == UNFIT)} | own
    return sorted(said.values(), key=lambda review: (review.moment, review.id))


def _meant(target: Target, review: Review) -> str:
    """Return what a verdict on something else on the file means for the target, ``""`` for nothing."""
    if review.verdict == UNFIT:
        return UNFIT
    if not target.concept:
        return ""
    if review.verdict == CORRECT and review.correction == target.concept:
        return ACCEPT if target.kind != "region" else ""
    if review.concept != target.concept:
        return ""
    if review.verdict == ACCEPT:
        return ACCEPT if target.kind != "region" else ""
    if review.verdict in (REJECT, CORRECT) and review.kind != "region":
        return REJECT
    return ""


def _disagree(opinions: Sequence[Review]) -> bool:
    """Tell whether opinions cannot all be right. "No" and "no, but B" can; "B" and "C" cannot."""
    sides = {REJECT if one.verdict == CORRECT else one.verdict for one in opinions}
    corrections = {one.correction for one in opinions if one.verdict == CORRECT}
    return len(sides) > 1 or len(corrections) > 1


def _settled(that: Sequence[Review], said: Sequence[Review]) -> Standing:
    chosen = next((one for one in that if one.verdict == CORRECT), that[0])
    return Standing(
        chosen.verdict,
        chosen.correction,
        tuple(one.agent for one in that),
        max(one.moment for one in that),
        0,
        sum(one.verdict == CANNOT_TELL for one in said),
        tuple(said),
    )


def _named(reviews: Sequence[Review]) -> list[tuple[Target, Review]]:
    """Return each campaign's labels that reviews say yes to, with the first review that does."""
    found: dict[str, tuple[Target, Review]] = {}
    for one in sorted(reviews, key=lambda review: (review.moment, review.id)):
        concept = {ACCEPT: one.concept, CORRECT: one.correction}.get(one.verdict, "")
        if concept and one.campaign:
            key = content_id(one.campaign, one.file, concept)
            found.setdefault(key, (Target("label", key, concept, one.campaign), one))
    return [found[key] for key in sorted(found)]


def _label(target: Target, review: Review, taxa: Mapping[str, Taxon]) -> Label:
    taxon = _taxon(taxa, target.concept)
    return Label(
        id=target.id,
        campaign=target.campaign,
        file=review.file,
        concept=target.concept,
        name=taxon.name,
        rank=taxon.rank,
        item=taxon.item,
        gbif_key=taxon.gbif_key,
        method=BY_REVIEW,
        moment=review.moment,
    )


def _taxon(taxa: Mapping[str, Taxon], concept: str) -> Taxon:
    """Return a concept's taxon; of one that nobody knows any more, no more than its id."""
    key = concept.removeprefix("gbif:") if concept.startswith("gbif:") else ""
    item = concept if ITEM.fullmatch(concept) else ""
    return taxa.get(concept) or Taxon(query=concept, concept=concept, item=item, gbif_key=key)


def _restored(label: Label) -> Label:
    """Return a label as it was counted."""
    return replace(label, status=label.counted, counted="") if label.counted else label


def _unjudged(answer: Identification, reviews: Sequence[Review]) -> Identification:
    """Return an identification as it was before anybody judged it, or anything that says the same."""
    concept = target_of(answer).concept
    judged = any(one.target == answer.id or (concept and concept in (one.concept, one.correction)) for one in reviews)
    return replace(answer, status="unverified") if judged else answer


def _reviewed_label(label: Label, reviews: Sequence[Review], wanted: Wanted) -> Label:
    status = OF_LABELS.get(standing(target_of(label), reviews, wanted(label.campaign)).state, "")
    return replace(label, status=status, counted=label.status) if status else label


def _reviewed_answer(answer: Identification, reviews: Sequence[Review], wanted: Wanted) -> Identification:
    if _is_correction(answer):
        return answer
    status = OF_IDENTIFICATIONS.get(standing(target_of(answer), reviews, wanted(answer.campaign)).state, "")
    return replace(answer, status=status) if status else answer


def _is_correction(answer: Identification) -> bool:
    """Tell whether a person's identification was made by a review of the one that it supersedes."""
    return bool(answer.supersedes) and answer.rule == BY_REVIEW


def _corrections(reviews: Sequence[Review], taxa: Mapping[str, Taxon], wanted: Wanted) -> Iterable[Identification]:
    """Yield the identifications that stand in place of corrected ones."""
    seen: set[str] = set()
    for one in reviews:
        if one.kind == "label" or one.target in seen:
            continue
        seen.add(one.target)
        now = standing(Target(one.kind, one.target, one.concept, one.campaign), reviews, wanted(one.campaign))
        if now.state == CORRECT:
            first = next(r for r in now.reviews if r.agent in now.by and r.correction == now.correction)
            yield _correction(one, first, _taxon(taxa, now.correction))


def _correction(of: Review, first: Review, taxon: Taxon) -> Identification:
    return Identification(
        id=content_id("review", of.target, taxon.concept),
        file=of.file,
        label=taxon.name or taxon.query,
        rank=taxon.rank,
        item=taxon.item,
        gbif_key=taxon.gbif_key,
        col_id=taxon.col_id,
        rule=BY_REVIEW,
        agent=first.agent,
        moment=first.moment,
        status="verified",
        supersedes=of.target,
        campaign=of.campaign,
    )


def concepts_named(reviews: Iterable[Review]) -> Collection[str]:
    """Return the concepts whose taxa ``derived`` must know."""
    return {concept for one in reviews for concept in (one.concept, one.correction) if concept}
