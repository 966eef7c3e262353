"""Reviewing: a verdict is given, or taken back, and what follows is written. In: a store, a person, a verdict.

All of one verdict is one transaction: the review, what it changes of labels and identifications, their events, and the
place of the file in the queue. What cannot be done is a ``Problem`` with its HTTP status.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from typing import TypeVar

from sqlalchemy import delete, select

from crowd.accounts import Now
from crowd.lineage import representatives
from crowd.reviewqueue import WANTED_KIND, rescore, wanted_in
from crowd.rights import Person, may
from crowd.verdicts import (
    ACCEPT,
    COMMENT,
    CORRECT,
    VERDICTS,
    WRONG_REGION,
    Accepted,
    FileState,
    Target,
    accepted,
    concepts_named,
    derived,
    digest,
    target_of,
)
from linkeddata.ids import content_id
from linkeddata.problem import Problem, not_found
from linkeddata.records import Identification, Label, Record, Review, Taxon
from linkeddata.reviewtables import HOLD
from linkeddata.store import Store
from linkeddata.tables import BELOW
from linkeddata.transactions import Transaction

OnFile = TypeVar("OnFile", Label, Identification, Review)
LONGEST_COMMENT = 2000
LONGEST_KEY = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A verdict as it is given."""

    target: str
    verdict: str
    key: str
    """Drawn by whoever sends it, once a verdict: the same again is the same verdict, not another."""
    seen: str = ""
    """Digest of the target as the reviewer saw it; empty: whatever it is now."""
    correction: str = ""
    """Concept of the taxon that it is, for ``correct``."""
    comment: str = ""
    decides: bool = False
    """Whether this settles what reviewers disagree about."""


def say(store: Store, person: Person, said: Said, now: Now) -> Review:
    """Write a verdict and all that follows from it; return it, or the one there is with the same key.

    Raises ``Problem``: 403 without the right to it; 404 for a target that is not there; 409 where the target is no
    longer what was seen, or the key belongs to another verdict; 422 for what cannot be said.
    """
    _check(said)
    key = id_of(person, said.key)
    with store.transaction() as work:
        if (before := work.get(Review, key)) is not None:
            return _same(before, said)
        record = _target(work, said.target)
        target = target_of(record)
        _allow(work, person, said, target)
        if said.seen and said.seen != digest(record):
            raise _changed_meanwhile(record)
        _make_sense(work, said, target)
        moment = now()
        review = Review(
            id=key,
            target=target.id,
            verdict=said.verdict,
            agent=person.agent,
            moment=moment,
            correction=said.correction,
            comment=said.comment.strip(),
            kind=target.kind,
            file=record.file,
            concept=target.concept,
            campaign=target.campaign,
            seen=digest(record),
            decides=said.decides,
        )
        work.put([*_replaced(work, review), review], agent=person.agent, moment=moment)
        _follow(work, record.file, person.agent, moment)
        work.connection.execute(delete(HOLD).where(HOLD.c.target == target.id, HOLD.c.account == person.account))
    return review


def id_of(person: Person, key: str) -> str:
    """Return the id of the review that a person gives with this key."""
    return content_id("review", person.agent, key)


def undo(store: Store, person: Person, key: str, now: Now) -> Review:
    """Take a verdict back and all that followed from it; taking it back twice is once.

    Raises ``Problem``: 403 for somebody else's without the right to that, 404 where there is none.
    """
    with store.transaction() as work:
        review = work.get(Review, key)
        if review is None:
            raise not_found("review", key)
        own = review.agent == person.agent
        if not (own and may(person, "comment")) and not may(person, "undo others"):
            raise Problem(403, "Not allowed", "Only curators take back what somebody else said.")
        if review.undone:
            return review
        moment = now()
        undone = replace(review, undone=moment)
        work.put([undone], agent=person.agent, moment=moment)
        _follow(work, review.file, person.agent, moment)
    return undone


def reviewed_labels(store: Store, campaign: str, labels: Iterable[Label]) -> Iterator[Label]:
    """Yield labels as counting left them, with what reviews say of them, and those that only a review holds up.

    ``labels`` come file by file, as counting gives them.
    """
    files = sorted({one.file for one in store.each(Review, campaign=campaign)})
    answers = _by_file(store.among(Identification, "file", files))
    reviews = _by_file(store.among(Review, "file", files))
    named = concepts_named(one for said in reviews.values() for one in said)
    taxa = store.among(Taxon, "concept", named)
    before = _by_file(store.among(Label, "file", files))
    with store.reading() as connection:
        wanted = wanted_in(connection)

    def reviewed(file: str, counted: Iterable[Label]) -> Iterator[Label]:
        state = FileState(tuple(counted), tuple(answers[file]), tuple(reviews[file]))
        named_before = replace(state, labels=(*before[file], *state.labels))
        after = derived(state, _taxa(taxa, named_before), wanted)
        return (label for label in after.labels if label.campaign == campaign)

    left = set(files)
    for file, counted in groupby(labels, key=attrgetter("file")):
        of_file = tuple(counted)
        yield from reviewed(file, of_file) if file in left else of_file
        left.discard(file)
    for file in sorted(left):
        yield from reviewed(file, ())


def apply_reviews(store: Store, campaign: str, *, agent: str, now: Now) -> int:
    """Bring what came in since into line with the campaign's reviews; return how many files have any."""
    files = sorted({one.file for one in store.each(Review, campaign=campaign)})
    for file in files:
        with store.transaction() as work:
            _follow(work, file, agent, now())
    return len(files)


def accepted_of(store: Store, files: Iterable[str]) -> dict[str, list[Accepted]]:
    """Return what people accept of each file now, by whom and since when; files of which they accept nothing are out.

    This is what may go back to museums and to Commons.
    """
    found: dict[str, list[Review]] = {}
    for one in store.among(Review, "file", files):
        found.setdefault(one.file, []).append(one)
    with store.reading() as connection:
        wanted = wanted_in(connection)
    answers = {file: accepted(reviews, wanted) for file, reviews in found.items()}
    return {file: answer for file, answer in answers.items() if answer}


def _lineage(work: Transaction, target: Target) -> set[str]:
    """Return the target's concept and all concepts above it."""
    if not target.concept:
        return set()
    above = select(BELOW.c.ancestor).where(BELOW.c.concept == target.concept).distinct()
    return {target.concept, *work.connection.execute(above).scalars()}


def _changed_meanwhile(record: Label | Identification) -> Problem:
    """Return the problem of judging what is no longer what was seen."""
    said = record.status or "something else"
    return Problem(409, "Changed meanwhile", f"It is {said!r} now, and not what you saw; look again.")


def ask_reviewers(store: Store, campaign: str, number: int, *, agent: str, now: Now) -> None:
    """Note how many reviewers a campaign asks for, where that is new."""
    with store.reading() as connection:
        asked = wanted_in(connection)(campaign)
    if asked != number:
        store.note(WANTED_KIND, campaign, {"reviewers": number}, agent=agent, moment=now())


def _check(said: Said) -> None:
    if said.verdict not in (*VERDICTS, COMMENT):
        raise Problem(422, "No such verdict", f"{said.verdict!r} is none of {', '.join((*VERDICTS, COMMENT))}.")
    if bool(said.correction) != (said.verdict == CORRECT):
        raise Problem(422, "No correction", "A correction goes with the verdict 'correct', and with no other.")
    if not said.key or len(said.key) > LONGEST_KEY:
        raise Problem(422, "No key", f"Send a key of at most {LONGEST_KEY} characters, another for each verdict.")
    if len(said.comment) > LONGEST_COMMENT:
        raise Problem(422, "Comment too long", f"At most {LONGEST_COMMENT} characters.")
    if said.verdict == COMMENT and not said.comment.strip():
        raise Problem(422, "No comment", "A comment has words.")
    if said.decides and said.verdict == COMMENT:
        raise Problem(422, "Nothing decided", "A comment decides nothing.")


def _same(before: Review, said: Said) -> Review:
    if (before.target, before.verdict, before.correction) != (said.target, said.verdict, said.correction):
        raise Problem(409, "Key used before", "This key belongs to another verdict; send a new one.")
    return before


def _target(work: Transaction, key: str) -> Label | Identification:
    found = work.get(Label, key) or work.get(Identification, key)
    if found is None:
        raise not_found("label or identification", key)
    return found


def _allow(work: Transaction, person: Person, said: Said, target: Target) -> None:
    if said.verdict == COMMENT:
        if not may(person, "comment"):
            raise Problem(403, "Not allowed", "Your account may look, and not comment.")
        return
    if said.decides and not may(person, "decide"):
        raise Problem(403, "Not allowed", "Only curators decide.")
    if not may(person, "review", _lineage(work, target)):
        raise Problem(403, "Not allowed", "Your account does not review this branch.")
    if said.correction and not may(person, "review", _lineage(work, replace(target, concept=said.correction))):
        detail = (
            "Your account does not review the branch of the correction. Reject it, and name the taxon in a comment."
        )
        raise Problem(403, "Not allowed", detail)


def _make_sense(work: Transaction, said: Said, target: Target) -> None:
    if said.verdict == ACCEPT and not target.concept:
        raise Problem(422, "Nothing to accept", "The answer is “unknown”: correct it, or say that you cannot tell.")
    if said.verdict == WRONG_REGION and target.kind != "region":
        raise Problem(422, "No region", "This is about the whole picture.")
    if said.correction:
        if said.correction == target.concept:
            raise Problem(422, "No correction", "That is what it says already: accept it.")
        if not work.among(Taxon, "concept", [said.correction]):
            raise Problem(422, "No such taxon", f"{said.correction!r} was never resolved here.")


def _replaced(work: Transaction, review: Review) -> list[Review]:
    """Return the verdicts that this one takes the place of, taken back."""
    if review.verdict == COMMENT:
        return []
    return [
        replace(one, undone=review.moment)
        for one in work.among(Review, "target", [review.target])
        if not one.undone and one.verdict != COMMENT and (one.agent == review.agent or (review.decides and one.decides))
    ]


def _follow(work: Transaction, file: str, agent: str, moment: str) -> None:
    """Write what a file's reviews make of its labels and identifications, and its place in the queue."""
    before = FileState(
        tuple(work.among(Label, "file", [file])),
        tuple(work.among(Identification, "file", [file])),
        tuple(work.among(Review, "file", [file])),
    )
    taxa = _taxa(work.among(Taxon, "concept", concepts_named(before.reviews)), before)
    wanted = wanted_in(work.connection)
    after = derived(before, taxa, wanted)
    for kind, gone in (
        (Label, {one.id for one in before.labels} - {one.id for one in after.labels}),
        (Identification, {one.id for one in before.identifications} - {one.id for one in after.identifications}),
    ):
        if gone:
            work.remove(kind, sorted(gone), agent=agent, moment=moment, reason="its review was taken back")
    records: list[Record] = [*after.labels, *after.identifications]
    work.put(records, agent=agent, moment=moment)
    rescore(work, [file], wanted)


def _by_file(records: Iterable[OnFile]) -> defaultdict[str, list[OnFile]]:
    found: defaultdict[str, list[OnFile]] = defaultdict(list)
    for one in records:
        found[one.file].append(one)
    return found


def _taxa(known: Sequence[Taxon], state: FileState) -> dict[str, Taxon]:
    """Return the taxon that says most about each concept; of one that was never resolved, what the file's records say.

    Models name taxa by their classes; these need not have been looked up here.
    """
    records: list[Label | Identification] = [*state.identifications, *state.labels]
    said = {}
    for one in records:
        concept = target_of(one).concept
        name = one.name if isinstance(one, Label) else one.label
        said[concept] = Taxon(
            query=concept, concept=concept, name=name, rank=one.rank, item=one.item, gbif_key=one.gbif_key
        )
    return said | representatives(known, {taxon.concept for taxon in known})
