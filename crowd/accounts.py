"""Accounts: who may come in. In: a store, names, passwords. Out: ``Account`` records, kept beside the log, never in it.

An account and the agent that stands for it in public are joined by ``Account.agent`` alone. The agent's id is drawn by
lot: nothing leads from it to the person, unless he or she chose to be credited. Passwords are kept as Argon2id hashes
(RFC 9106, by argon2-cffi's defaults).
"""

import json
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, insert, select, update

from crowd.rights import ROLES, Person
from linkeddata.errors import UsageError
from linkeddata.ids import ITEM, WIKIDATA_ENTITY
from linkeddata.records import Agent
from linkeddata.reviewtables import ACCOUNT, SESSION, TOKEN
from linkeddata.store import Store

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1024
_NAME = re.compile(r"[\w.@+-]([\w.@+ -]{0,62}[\w.@+-])?")
_BRANCH = re.compile(r"all|Q[1-9]\d*|gbif:[1-9]\d*")
_ORCID = re.compile(r"(?:https://orcid\.org/)?(\d{4}-\d{4}-\d{4}-\d{3}[\dX])")

Now = Callable[[], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account. ``password`` is a hash, empty where the account is entered by Wikimedia or by token alone."""

    id: str
    name: str
    agent: str
    role: str
    branches: tuple[str, ...] = ()
    password: str = ""
    wikimedia: str = ""
    created: str = ""
    disabled: str = ""

    def person(self, scopes: frozenset[str] | None = None) -> Person:
        """Return who is asking when this account is used."""
        return Person(account=self.id, agent=self.agent, role=self.role, branches=self.branches, scopes=scopes)


def add_account(
    store: Store,
    name: str,
    role: str,
    now: Now,
    *,
    branches: Iterable[str] = (),
    password: str = "",
    wikimedia: str = "",
) -> Account:
    """Make an account with an agent of its own. Raises ``UsageError`` for what cannot be, such as a name in use."""
    account = Account(
        id=secrets.token_hex(12),
        name=checked_name(name),
        agent=f"urn:deboodt:person:{secrets.token_hex(8)}",
        role=_checked_role(role),
        branches=checked_branches(role, branches),
        password=hashed(password) if password else "",
        wikimedia=wikimedia,
        created=now(),
    )
    with store.transaction() as work:
        if _one(work.connection, ACCOUNT.c.name == account.name):
            raise UsageError(f"there is an account {account.name!r} already")
        if wikimedia and _one(work.connection, ACCOUNT.c.wikimedia == wikimedia):
            raise UsageError(f"the Wikimedia user of {account.name!r} has an account already")
        work.connection.execute(insert(ACCOUNT).values(_row(account)))
        work.put([Agent(id=account.agent)], agent=account.agent, moment=account.created)
    return account


def account_named(store: Store, name: str) -> Account | None:
    """Return the account with this name, disabled or not."""
    return _read(store, ACCOUNT.c.name == _spelled(name))


def account_of(store: Store, key: str) -> Account | None:
    """Return the account with this id."""
    return _read(store, ACCOUNT.c.id == key)


def account_of_wikimedia(store: Store, user: str) -> Account | None:
    """Return the account of a Wikimedia user, by the id that Wikimedia gives."""
    return _read(store, ACCOUNT.c.wikimedia == user) if user else None


def accounts(store: Store) -> list[Account]:
    """Return all accounts by name."""
    with store.reading() as connection:
        return [_account(row) for row in connection.execute(select(ACCOUNT).order_by(ACCOUNT.c.name))]


def set_role(store: Store, account: Account, role: str, branches: Iterable[str] = ()) -> Account:
    """Give the account another role. Raises ``UsageError`` for a role or a branch that there cannot be."""
    return _changed(store, replace(account, role=_checked_role(role), branches=checked_branches(role, branches)))


def set_password(store: Store, account: Account, password: str) -> Account:
    """Give the account another password, and end all its sessions. Raises ``UsageError`` for one that is too short."""
    changed = _changed(store, replace(account, password=hashed(password)))
    with store.transaction() as work:
        work.connection.execute(SESSION.delete().where(SESSION.c.account == account.id))
    return changed


def disable(store: Store, account: Account, now: Now) -> Account:
    """Close the account, end its sessions and revoke its tokens; what its agent said stays."""
    moment = now()
    changed = _changed(store, replace(account, disabled=moment))
    with store.transaction() as work:
        work.connection.execute(SESSION.delete().where(SESSION.c.account == account.id))
        of_account = (TOKEN.c.account == account.id) & (TOKEN.c.revoked == "")
        work.connection.execute(update(TOKEN).where(of_account).values(revoked=moment))
    return changed


def enable(store: Store, account: Account) -> Account:
    """Open a closed account again; tokens that were revoked stay so."""
    return _changed(store, replace(account, disabled=""))


def join_wikimedia(store: Store, account: Account, user: str) -> Account:
    """Let the account be entered by a Wikimedia user, too. Raises ``UsageError`` for a user who has another."""
    other = account_of_wikimedia(store, user)
    if other is not None and other.id != account.id:
        raise UsageError(f"this Wikimedia user has the account {other.name!r}")
    return _changed(store, replace(account, wikimedia=user))


def set_credit(store: Store, account: Account, now: Now, *, name: str = "", homepage: str = "") -> Agent:
    """Let the account's agent be known by a name, and by an ORCID or Wikidata item; both empty: a pseudonym again.

    Raises ``UsageError`` for what is neither ORCID nor item.
    """
    agent = Agent(id=account.agent, name=" ".join(name.split())[:200], homepage=credited(homepage))
    with store.transaction() as work:
        work.put([agent], agent=account.agent, moment=now())
    return agent


def credited(text: str) -> str:
    """Return an ORCID or a Wikidata item as an IRI, ``""`` for nothing. Raises ``UsageError`` for anything else.

    >>> credited("0000-0002-1825-0097"), credited("Q80")
    ('https://orcid.org/0000-0002-1825-0097', 'http://www.wikidata.org/entity/Q80')
    """
    said = text.strip()
    if not said:
        return ""
    item = said.rsplit("/", 1)[-1]
    if ITEM.fullmatch(item):
        return WIKIDATA_ENTITY + item
    found = _ORCID.fullmatch(said)
    if not found or not _adds_up(found[1]):
        raise UsageError(f"{said!r} is neither an ORCID nor a Wikidata item")
    return f"https://orcid.org/{found[1]}"


def hashed(password: str) -> str:
    """Return the password's hash. Raises ``UsageError`` for one that is too short or too long."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise UsageError(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    return _hasher().hash(password)


def is_password(account: Account | None, password: str) -> bool:
    """Tell whether this is the account's password; it takes as long where there is no such account."""
    kept = account.password if account and account.password else _nobodys()
    try:
        _hasher().verify(kept, password[:LONGEST_PASSWORD])
    except (VerificationError, InvalidHashError):
        return False
    return bool(account and account.password and not account.disabled)


def checked_name(name: str) -> str:
    """Return a name to log in with. Raises ``UsageError`` for one that cannot be typed or read."""
    spelled = _spelled(name)
    if not _NAME.fullmatch(spelled):
        raise UsageError(f"{name!r} cannot be an account's name: up to 64 letters, digits, spaces and . @ + - _")
    return spelled


def checked_branches(role: str, branches: Iterable[str]) -> tuple[str, ...]:
    """Return the branches of a role: at least one of a reviewer, none of the others. Raises ``UsageError``."""
    found = tuple(dict.fromkeys(branches))
    for branch in found:
        if not _BRANCH.fullmatch(branch):
            raise UsageError(f"{branch!r} is no branch: a Q-item, gbif:KEY, or all")
    if role == "reviewer" and not found:
        raise UsageError("a reviewer has branches: Q-items or gbif:KEYs, or all")
    if role != "reviewer" and found:
        raise UsageError(f"the rights of a {role} hold for all branches")
    return found


def _checked_role(role: str) -> str:
    if role not in ROLES:
        raise UsageError(f"no role is called {role!r}; known are {', '.join(ROLES)}")
    return role


def _spelled(name: str) -> str:
    return " ".join(name.split())


def _adds_up(orcid: str) -> bool:
    """Tell whether an ORCID's last digit is right (ISO 7064 MOD 11-2)."""
    total = 0
    for digit in orcid.replace("-", "")[:-1]:
        total = (total + int(digit)) * 2
    rest = (12 - total % 11) % 11
    return orcid[-1] == ("X" if rest == 10 else str(rest))


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys() -> str:
    return _hasher().hash(secrets.token_hex())


def _changed(store: Store, account: Account) -> Account:
    with store.transaction() as work:
        work.connection.execute(update(ACCOUNT).where(ACCOUNT.c.id == account.id).values(_row(account)))
    return account


def _row(account: Account) -> dict[str, Any]:
    row = {column.name: getattr(account, column.name) for column in ACCOUNT.columns}
    return row | {"branches": json.dumps(account.branches)}


def _account(row: Any) -> Account:
    return Account(**{**row._mapping, "branches": tuple(json.loads(row.branches))})


def _one(connection: Connection, condition: Any) -> Account | None:
    row = connection.execute(select(ACCOUNT).where(condition)).first()
    return None if row is None else _account(row)


def _read(store: Store, condition: Any) -> Account | None:
    with store.reading() as connection:
        return _one(connection, condition)
