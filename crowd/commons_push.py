"""Pushing to Commons: what is proposed is compared with what is there, and added file by file. In: proposals, a wiki.

Before an edit is sent, the log says which statement under which id; after it, which revision it made. A run that was
killed between the two looks whether the statement is there, and so no statement is ever made twice. Nothing is read
ahead of an edit: what is there is read right before it.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Protocol

import orjson

from crowd.campaign import CommonsRules
from crowd.commons_edit import Json, Proposal, items_of, new_guid, reason_against, statement, summary
from crowd.commons_wiki import ConflictError, NoAnswerError, Page, RefusedError, StoppedError
from linkeddata.ids import DEPICTS
from linkeddata.store import Store

SENDING, SENT, LEFT = "commons.sending", "commons.sent", "commons.left"
"""Kinds of events: a statement is about to be sent; it is there; it was not sent after all."""
ADD, ADDED = "to add", "added"
NO_PAGE = "the page is not there"
RETRACTED = "somebody else added it at the same moment"
REFUSED, UNANSWERED = "refused", "no answer"
READ_AT_ONCE = 50
REFUSALS = 5
"""So many refusals one after the other end the run."""


class Wiki(Protocol):
    """What is needed of a wiki; ``commons_wiki.Commons`` is one."""

    def read(self, media: Iterable[str]) -> dict[str, Page]:
        """Return pages by M-id."""
        ...

    def add(self, media: str, page: Page, statements: Sequence[Json], summary: str) -> Page:
        """Add statements in one edit."""
        ...

    def remove(self, media: str, page: Page, guids: Sequence[str], summary: str) -> None:
        """Take own statements away."""
        ...

    def reason_to_stop(self) -> str:
        """Return why nobody should go on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one proposal."""

    proposal: Proposal
    action: str
    """``to add``, ``added``, or why not."""
    detail: str = ""
    revision: int = 0
    statement: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a push needs beside its proposals."""

    store: Store
    campaign: str
    rules: CommonsRules
    words: str
    """What edits say of themselves."""
    group: str
    """Hex digits that all edits of the run have in common."""
    agent: str
    now: Callable[[], str]
    limit: int = 0
    """Most statements that are added; 0 for all."""
    tries: int = 6
    wait_s: float = 5.0
    sleep: Callable[[float], None] = time.sleep


def compared(wiki: Wiki, work: Work, proposals: Iterable[Proposal]) -> Iterator[Outcome]:
    """Yield what would be added and what not, from reading alone."""
    sent, _ = journal(work.store)
    added = 0
    for some in _batches(proposals):
        for outcome in _compared(wiki, some, sent):
            if work.limit and outcome.action == ADD and added == work.limit:
                return
            added += outcome.action == ADD
            yield outcome


def _compared(wiki: Wiki, some: Sequence[Proposal], sent: Mapping[str, set[str]]) -> list[Outcome]:
    pages = wiki.read(dict.fromkeys(one.media for one in some))
    found = []
    for one in some:
        page = pages.get(one.media)
        why = reason_against(one, page.statements, sent.get(one.file, ())) if page else NO_PAGE
        found.append(Outcome(proposal=one, action=why or ADD))
    return found


def pushed(wiki: Wiki, work: Work, proposals: Iterable[Proposal]) -> Iterator[Outcome]:
    """Add what is not there, file by file; yield what became of each proposal.

    Raises ``StoppedError`` where the wiki, or somebody there, wants us to stop; what was added until then is added, and
    the same again goes on from there.
    """
    sent, unknown = journal(work.store)
    added = refusals = 0
    for some in _batches(proposals):
        left = []
        for outcome in _compared(wiki, some, sent):
            if outcome.action == ADD or (outcome.proposal.file, outcome.proposal.item) in unknown:
                left.append(outcome.proposal)
            else:
                yield outcome
        for _, of_file in groupby(left, lambda one: one.file):
            wanted = list(of_file)[: work.limit - added if work.limit else None]
            if not wanted:
                return
            outcomes = _file(wiki, work, wanted, sent, unknown)
            yield from outcomes
            added += sum(one.action == ADDED for one in outcomes)
            untaken = [one for one in outcomes if one.action in (REFUSED, UNANSWERED)]
            refusals = refusals + 1 if untaken else 0
            if refusals == REFUSALS:
                raise StoppedError(f"{REFUSALS} files in a row were not taken, the last: {untaken[-1].detail}")


def _batches(proposals: Iterable[Proposal]) -> Iterator[list[Proposal]]:
    """Yield proposals in batches that can be read at once; those of one file, which come together, stay together."""
    files = groupby(proposals, lambda one: one.file)
    while some := [one for _, of_file in islice(files, READ_AT_ONCE) for one in of_file]:
        yield some


def journal(store: Store) -> tuple[defaultdict[str, set[str]], dict[tuple[str, str], str]]:
    """Return which items we put on which file, by file; and which statements were sent of which it is not known."""
    sent: defaultdict[str, set[str]] = defaultdict(set)
    unknown: dict[tuple[str, str], str] = {}
    for kind in (SENDING, SENT, LEFT):
        for event in store.events(kind=kind):
            said = orjson.loads(event.payload)
            key = (event.subject, said["item"])
            if kind == SENDING:
                unknown[key] = said["statement"]
            elif unknown.get(key) == said["statement"]:
                del unknown[key]
            if kind == SENT:
                sent[event.subject].add(said["item"])
    return sent, unknown


def _file(
    wiki: Wiki,
    work: Work,
    proposals: list[Proposal],
    sent: Mapping[str, set[str]],
    unknown: Mapping[tuple[str, str], str],
) -> list[Outcome]:
    """Add to one file what is not there."""
    media = proposals[0].media
    guids = {one.item: unknown.get((one.file, one.item), "") for one in proposals}
    trouble: Exception | None = None
    for attempt in range(work.tries):
        if attempt and not isinstance(trouble, ConflictError):
            work.sleep(work.wait_s * 2 ** (attempt - 1))
        done: list[Outcome] = []
        left = proposals
        try:
            page = wiki.read([media]).get(media)
            if page is None:
                return [Outcome(proposal=one, action=NO_PAGE) for one in proposals]
            done, left = _sorted(wiki, work, page, proposals, guids, sent)
            if not left:
                return done
            if why := wiki.reason_to_stop():
                raise StoppedError(why)
            for one in left:
                guids[one.item] = guids[one.item] or new_guid(media)
                _note(work, SENDING, one, guids[one.item])
            saved = wiki.add(media, page, _statements(work, left, guids), summary(work.words, work.group))
            return done + [_checked(wiki, work, saved, one, guids[one.item]) for one in left]
        except (ConflictError, NoAnswerError) as error:
            trouble = error
        except RefusedError as error:
            for one in left:
                if guids[one.item]:
                    _note(work, LEFT, one, guids[one.item])
            return done + [Outcome(proposal=one, action=REFUSED, detail=str(error)) for one in left]
    return [Outcome(proposal=one, action=UNANSWERED, detail=str(trouble)) for one in proposals]


def _sorted(
    wiki: Wiki,
    work: Work,
    page: Page,
    proposals: Iterable[Proposal],
    guids: Mapping[str, str],
    sent: Mapping[str, set[str]],
) -> tuple[list[Outcome], list[Proposal]]:
    """Return what is settled by what is on the page, and what is left to add."""
    done, left = [], []
    for one in proposals:
        guid = guids[one.item]
        if guid and guid.casefold() in _ids(page):
            done.append(_checked(wiki, work, page, one, guid))
        elif why := reason_against(one, page.statements, sent.get(one.file, ())):
            if guid:
                _note(work, LEFT, one, guid)
            done.append(Outcome(proposal=one, action=why))
        else:
            left.append(one)
    return done, left


def _checked(wiki: Wiki, work: Work, saved: Page, proposal: Proposal, guid: str) -> Outcome:
    """Note that a statement is there; take it back where somebody else added the same since we read."""
    same = [item for item, _ in items_of(saved.statements) if item == proposal.item]
    if len(same) > 1 and guid.casefold() in _ids(saved):
        wiki.remove(proposal.media, saved, [guid], summary(f"{RETRACTED}: {proposal.item}", work.group))
        _note(work, LEFT, proposal, guid)
        return Outcome(proposal=proposal, action=RETRACTED)
    _note(work, SENT, proposal, guid, saved.revision)
    return Outcome(proposal=proposal, action=ADDED, revision=saved.revision, statement=guid)


def _statements(work: Work, proposals: Iterable[Proposal], guids: Mapping[str, str]) -> list[Json]:
    rules = work.rules
    day = work.now()[:10]
    return [statement(one, guids[one.item], day, method=rules.method, stated_in=rules.stated_in) for one in proposals]


def _ids(page: Page) -> set[str]:
    return {str(one.get("id", "")).casefold() for one in page.statements.get(DEPICTS, ())}


def _note(work: Work, kind: str, proposal: Proposal, guid: str, revision: int = 0) -> None:
    said = {"campaign": work.campaign, "item": proposal.item, "statement": guid, "group": work.group}
    told = said | ({"revision": revision} if revision else {})
    work.store.note(kind, proposal.file, told, agent=work.agent, moment=work.now())


def counted(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Return how often each thing happened."""
    found: defaultdict[str, int] = defaultdict(int)
    for one in outcomes:
        found[one.action] += 1
    return dict(sorted(found.items()))
