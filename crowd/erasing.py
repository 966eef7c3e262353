"""Erasing a person: what was said keeps its weight, nothing leads to the person. In: a store, a pseudonym. Out: counts.

The old pseudonym becomes another, drawn by lot for each erasure, in every table and in all of the log, so that votes
still count once a person. Tags get ids by lot, for an id may be made of the pseudonym, and lose what points into a
public history: revision, statement, hour. Accounts, sessions, tokens, names and comments go.

The log keeps one entry of it, ``person.erased``: a digest of the old pseudonym under the installation's key, by which a
later harvest knows whom not to bring back. It does not say which pseudonym took its place.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import orjson
from sqlalchemy import and_, delete, func, insert, or_, select, update

from crowd.accounts import account_named
from linkeddata.errors import UsageError
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import Agent, Failure, Identification, MediaFile, Record, Review, Tag
from linkeddata.reviewtables import ACCOUNT, ATTEMPT, HOLD, SESSION, TOKEN
from linkeddata.store import Store
from linkeddata.tables import EVENT, SHAPES
from linkeddata.transactions import Transaction

R = TypeVar("R", bound=Record)
ERASED = "person.erased"
PERSON = "urn:deboodt:person:"
_PERSON = re.compile(rf"{PERSON}\w+")
KINDS = ("account", "wikimedia", "pseudonym")
"""What a person may be named by."""


@dataclass(frozen=True, slots=True)
class Whom:
    """Somebody who is to be erased."""

    agent: str
    account: str = ""
    """``Account.id``; empty: none."""


def whom(store: Store, pseudonyms: Pseudonyms, named: str, kind: str = "") -> Whom:
    """Return who is named: by account, pseudonym or Wikimedia user name.

    Raises ``UsageError`` where an account and a Wikimedia user of that name have both said something: they may be two.
    """
    account = account_named(store, named) if kind in ("", "account") else None
    if named.startswith((PERSON, "person:")) and kind in ("", "pseudonym"):
        agent = PERSON + named.rpartition(":")[2]
        with store.reading() as connection:
            key = connection.execute(select(ACCOUNT.c.id).where(ACCOUNT.c.agent == agent)).scalar()
        return Whom(agent, key or "")
    tagger = pseudonyms.agent(named).id if kind in ("", "wikimedia") else ""
    if account and tagger and store.get(Agent, tagger):
        raise UsageError(f"{named!r} is an account and a Wikimedia user: say whom by --as account or --as wikimedia")
    if account:
        return Whom(account.agent, account.id)
    if not tagger:
        raise UsageError(f"there is no {kind} {named!r}")
    return Whom(tagger)


def digest(key: str, agent: str) -> str:
    """Return what an erased pseudonym is recognised by, for who has the installation's key."""
    return hmac.new(key.encode(), f"erased {agent}".encode(), hashlib.sha256).hexdigest()


def erased(store: Store) -> frozenset[str]:
    """Return the digests of all who were erased."""
    return frozenset(event.subject for event in store.events(kind=ERASED))


def holdings(store: Store, person: Whom) -> dict[str, int]:
    """Return how much there is that leads to a person, by kind."""
    with store.reading() as connection:
        count = select(func.count())
        found = {
            "tags": count.select_from(SHAPES[Tag].table).where(_of_tags(person.agent)),
            "reviews": count.select_from(SHAPES[Review].table).where(SHAPES[Review].table.c.agent == person.agent),
            "identifications": count.select_from(SHAPES[Identification].table).where(
                SHAPES[Identification].table.c.agent == person.agent
            ),
            "entries of the log": count.select_from(EVENT).where(_of_events(person.agent)),
            "accounts": count.select_from(ACCOUNT).where(ACCOUNT.c.id == person.account),
        }
        return {name: int(connection.execute(query).scalar_one()) for name, query in found.items()}


def erase(store: Store, person: Whom, key: str, *, agent: str, moment: str) -> dict[str, int]:
    """Erase a person from the store and its log, in one transaction; return what there was. Twice is once."""
    there = holdings(store, person)
    if not any(there.values()) and store.get(Agent, person.agent) is None:
        return there
    new = PERSON + secrets.token_hex(8)
    with store.transaction() as work:
        _end_account(work, person)
        _retag(work, person.agent, new)
        _reword(work, person.agent)
        _rename(work, person.agent, new)
        work.note(
            ERASED, digest(key, person.agent), {"reason": "a person asked to be erased"}, agent=agent, moment=moment
        )
        _tell(work, new, agent, moment)
    return there


def _end_account(work: Transaction, person: Whom) -> None:
    if person.account:
        for table in (SESSION, TOKEN, HOLD):
            work.connection.execute(delete(table).where(table.c.account == person.account))
        work.connection.execute(delete(ATTEMPT))  # they name accounts by digests, and last for minutes
        work.connection.execute(delete(ACCOUNT).where(ACCOUNT.c.id == person.account))


def _of_tags(agent: str) -> Any:
    tags = SHAPES[Tag].table
    return or_(tags.c.agent == agent, tags.c.withdrawn_by == agent)


def _of_events(agent: str) -> Any:
    return or_(EVENT.c.agent == agent, EVENT.c.subject == agent, EVENT.c.payload.contains(agent, autoescape=True))


def _retag(work: Transaction, old: str, new: str) -> None:
    """Give a person's tags ids by lot, here and in the log."""
    shape = SHAPES[Tag]
    tags = [shape.record(row) for row in work.connection.execute(select(shape.table).where(shape.table.c.agent == old))]
    for tag in tags:
        mine = and_(EVENT.c.subject == tag.id, EVENT.c.kind.like("tag.%"))
        blank = _blank(tag)
        work.connection.execute(delete(shape.table).where(shape.table.c.id == tag.id))
        work.connection.execute(insert(shape.table).values(dict(zip(shape.fields, shape.row(blank), strict=True))))
        for row in work.connection.execute(select(EVENT.c.seq, EVENT.c.payload).where(mine)).all():
            said = orjson.loads(row.payload)
            if "file" in said:
                said |= {"id": blank.id, "revision": 0, "statement": "", "moment": said.get("moment", "")[:10]}
            told = {"subject": blank.id, "payload": orjson.dumps(said).decode()}
            work.connection.execute(update(EVENT).where(EVENT.c.seq == row.seq).values(told))


def _blank(tag: Tag) -> Tag:
    return replace(tag, id=secrets.token_hex(12), revision=0, statement="", moment=tag.moment[:10])


def _reword(work: Transaction, old: str) -> None:
    """Take away what a person wrote and is called, here and in the log."""
    reviews = SHAPES[Review].table
    ids = work.connection.execute(select(reviews.c.id).where(reviews.c.agent == old)).scalars().all()
    work.connection.execute(update(reviews).where(reviews.c.agent == old).values(comment=""))
    agents = SHAPES[Agent].table
    work.connection.execute(update(agents).where(agents.c.id == old).values(name="", homepage=""))
    words = {**dict.fromkeys(ids, ("comment",)), old: ("name", "homepage")}
    for subject, names in words.items():
        for row in work.connection.execute(
            select(EVENT.c.seq, EVENT.c.payload).where(EVENT.c.subject == subject)
        ).all():
            said = orjson.loads(row.payload)
            if any(said.get(name) for name in names):
                payload = orjson.dumps(said | {name: "" for name in names if name in said}).decode()
                work.connection.execute(update(EVENT).where(EVENT.c.seq == row.seq).values(payload=payload))


def _rename(work: Transaction, old: str, new: str) -> None:
    """Put the new pseudonym in the old one's place, wherever a text has it."""
    for table in (*(shape.table for shape in SHAPES.values()), EVENT):
        for column in table.columns:
            if column.type.python_type is str:
                found = column.contains(old, autoescape=True)
                work.connection.execute(update(table).where(found).values({column: func.replace(column, old, new)}))


def _tell(work: Transaction, new: str, agent: str, moment: str) -> None:
    """Log what is published under the new pseudonym, so that whoever keeps a copy hears of it."""
    for kind in (Review, Identification):
        table = SHAPES[kind].table
        for row in work.connection.execute(select(table).where(table.c.agent == new)).all():
            record: Record = SHAPES[kind].record(row)
            told = orjson.loads(orjson.dumps(record))
            work.note(f"{SHAPES[kind].name}.changed", told["id"], told, agent=agent, moment=moment)


def nameless(text: str, key: str, gone: frozenset[str]) -> str:
    """Return a text without the pseudonyms of who was erased.

    >>> nameless("by urn:deboodt:person:0a", "key", frozenset({digest("key", "urn:deboodt:person:0a")}))
    'by somebody'
    """
    return _PERSON.sub(lambda one: "somebody" if digest(key, one[0]) in gone else one[0], text)


def kept_out(store: Store, key: str, records: Iterable[R], gone: frozenset[str]) -> Iterator[R]:
    """Pass on what a harvest brought, without bringing back anybody who was erased.

    What such a person said and is stored already is passed on as it is stored; anything else is left out.
    """
    known: dict[str, bool] = {}
    used: set[str] = set()

    def is_gone(agent: str) -> bool:
        if agent not in known:
            known[agent] = bool(agent) and digest(key, agent) in gone
        return known[agent]

    for record in records:
        passed: Any = record
        if isinstance(record, Agent) and is_gone(record.id):
            continue
        if isinstance(record, Failure):
            passed = replace(record, detail=nameless(record.detail, key, gone))
        elif isinstance(record, MediaFile) and is_gone(record.group):  # grouped by who uploaded it
            stored = store.get(MediaFile, record.iri)
            passed = replace(record, group=stored.group if stored else "")
        elif isinstance(record, Tag):
            by = "" if is_gone(record.withdrawn_by) else record.withdrawn_by
            passed = replace(record, withdrawn_by=by)
            if is_gone(record.agent):
                on_file = store.among(Tag, "file", [record.file])
                same = next((one for one in on_file if one.id not in used and _is(one, record)), None)
                if same is None:
                    continue
                used.add(same.id)
                passed = replace(same, withdrawn=record.withdrawn, withdrawn_by=by)
        yield passed


def _is(stored: Tag, told: Tag) -> bool:
    """Tell whether a stored tag is what an erased person is told to have said."""
    names = ("item", "verbatim", "language", "route", "campaign")
    same = all(getattr(stored, name) == getattr(told, name) for name in names)
    blank = not stored.revision and not stored.statement and len(stored.moment) <= len("2026-11-27")
    return same and blank and stored.moment == told.moment[:10]
