"""Coming in: log-ins, sessions and tokens. In: a store, what somebody shows. Out: who it is, or how long to wait.

What opens an account (a session's cookie, a token) is a secret drawn by lot, 256 bits; kept is its SHA-256, so that
nobody who reads the database can come in. Log-ins that fail are counted by name and by address, and the counts are in
the database: several processes share them.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, insert, select, update

from crowd.accounts import Account, Now, account_named, account_of, hashed, is_password, set_password
from crowd.rights import RIGHTS
from linkeddata.errors import UsageError
from linkeddata.reviewtables import ATTEMPT, SESSION, TOKEN
from linkeddata.store import Store

SESSION_HOURS = 12
TOKEN_MARK = "deboodt_"  # noqa: S105 - how a token begins, so that one is recognised where it should not be
LONGEST_TOKEN_DAYS = 366
MODEL, IMAGES = "model:", "images:"
"""How what a token was granted is written among its scopes: a restricted model, a number of images a day."""
_MODEL_NAME = re.compile(r"[^@/\s]+")
WINDOW_MINUTES = 15
MOST_OF_ONE_NAME_AND_ADDRESS = 5
MOST_OF_ONE_ADDRESS = 20
MOST_OF_ONE_NAME = 100
"""Failed log-ins in the window; a name alone may fail more often, or anybody could lock its owner out."""


@dataclass(frozen=True, slots=True)
class Session:
    """An open session: the account, and what each of its forms must bring along."""

    account: Account
    form: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token as its owner sees it: everything but the token."""

    id: str
    label: str
    scopes: tuple[str, ...]
    created: str
    expires: str
    used: str = ""
    revoked: str = ""


@dataclass(frozen=True, slots=True)
class LogIn:
    """How a log-in ended: an account, or nobody; ``wait_s`` says how long nobody is let in after too many."""

    account: Account | None = None
    wait_s: int = 0


def log_in(store: Store, name: str, password: str, address: str, now: Now) -> LogIn:
    """Return whose name and password these are, unless too many log-ins have failed lately."""
    moment, name = now(), " ".join(name.split())
    limits = (
        (_digest(f"{name}\n{address}"), MOST_OF_ONE_NAME_AND_ADDRESS),
        (_digest(f"from {address}"), MOST_OF_ONE_ADDRESS),
        (_digest(f"as {name}"), MOST_OF_ONE_NAME),
    )
    wait_s = max(_wait_s(store, subject, most, moment) for subject, most in limits)
    if wait_s:
        return LogIn(wait_s=wait_s)
    account = account_named(store, name)
    if is_password(account, password):
        return LogIn(account)
    with store.transaction() as work:
        rows = [{"id": secrets.token_hex(12), "subject": subject, "moment": moment} for subject, _ in limits]
        work.connection.execute(delete(ATTEMPT).where(ATTEMPT.c.moment < later(moment, minutes=-WINDOW_MINUTES)))
        work.connection.execute(insert(ATTEMPT), rows)
    return LogIn()


def open_session(store: Store, account: Account, now: Now) -> tuple[str, Session]:
    """Begin a session; return the secret for the cookie, and the session. Sessions that are over are cleared away."""
    secret, moment = secrets.token_urlsafe(32), now()
    session = Session(account, secrets.token_urlsafe(16), _digest(secret))
    with store.transaction() as work:
        work.connection.execute(delete(SESSION).where(SESSION.c.expires <= moment))
        work.connection.execute(
            insert(SESSION).values(
                key=session.key,
                account=account.id,
                form=session.form,
                created=moment,
                expires=later(moment, hours=SESSION_HOURS),
            )
        )
    return secret, session


def session_of(store: Store, secret: str, now: Now) -> Session | None:
    """Return the session that a cookie opens, if it is not over and its account is not disabled."""
    if not secret:
        return None
    with store.reading() as connection:
        row = connection.execute(select(SESSION).where(SESSION.c.key == _digest(secret))).first()
    if row is None or row.expires <= now():
        return None
    account = account_of(store, row.account)
    return None if account is None or account.disabled else Session(account, row.form, row.key)


def close_session(store: Store, session: Session) -> None:
    """End a session."""
    with store.transaction() as work:
        work.connection.execute(delete(SESSION).where(SESSION.c.key == session.key))


def close_other_sessions(store: Store, session: Session) -> int:
    """End all other sessions of the account; return how many there were."""
    others = (SESSION.c.account == session.account.id) & (SESSION.c.key != session.key)
    with store.transaction() as work:
        return int(work.connection.execute(delete(SESSION).where(others)).rowcount)


def change_password(store: Store, account: Account, old: str, new: str) -> Account:
    """Change a password for whoever knows the old one; all sessions end. Raises ``UsageError``."""
    hashed(new)  # what is wrong with the new one is said first
    if account.password and not is_password(account, old):
        raise UsageError("the old password is another")
    return set_password(store, account, new)


def add_token(
    store: Store,
    account: Account,
    now: Now,
    *,
    label: str,
    scopes: Iterable[str],
    days: int,
    models: Iterable[str] = (),
    images: int = 0,
) -> tuple[str, Token]:
    """Make a token that is good for some actions until it expires; return it, for the only time, and what is known.

    ``models`` are restricted models that it may ask, ``images`` is how many images a day (0: as the settings say):
    both are for whoever runs the installation to give, not for the account itself. Raises ``UsageError`` for an action
    that there is not, or for longer than a year.
    """
    wanted = tuple(dict.fromkeys(scopes))
    if not wanted or any(scope not in RIGHTS for scope in wanted):
        raise UsageError(f"a token is good for some of these: {', '.join(RIGHTS)}")
    granted = [f"{MODEL}{name}" for name in dict.fromkeys(models)] + ([f"{IMAGES}{images}"] if images else [])
    if any(not _MODEL_NAME.fullmatch(name) for name in models) or images < 0:
        raise UsageError("a token is granted models by name, without a version, and a number of images")
    wanted += tuple(granted)
    if not 1 <= days <= LONGEST_TOKEN_DAYS:
        raise UsageError(f"a token lasts 1 to {LONGEST_TOKEN_DAYS} days")
    secret, moment = TOKEN_MARK + secrets.token_urlsafe(32), now()
    token = Token(
        id=secrets.token_hex(6),
        label=" ".join(label.split())[:100],
        scopes=wanted,
        created=moment,
        expires=later(moment, days=days),
    )
    with store.transaction() as work:
        work.connection.execute(
            insert(TOKEN).values(
                id=token.id,
                key=_digest(secret),
                account=account.id,
                label=token.label,
                scopes=json.dumps(wanted),
                created=token.created,
                expires=token.expires,
                used="",
                revoked="",
            )
        )
    return secret, token


def tokens(store: Store, account: Account) -> list[Token]:
    """Return the account's tokens, the newest first."""
    query = select(TOKEN).where(TOKEN.c.account == account.id).order_by(TOKEN.c.created.desc(), TOKEN.c.id)
    with store.reading() as connection:
        return [
            Token(
                id=row.id,
                label=row.label,
                scopes=tuple(json.loads(row.scopes)),
                created=row.created,
                expires=row.expires,
                used=row.used,
                revoked=row.revoked,
            )
            for row in connection.execute(query)
        ]


def revoke_token(store: Store, account: Account, key: str, now: Now) -> bool:
    """End one of the account's tokens; tell whether there was one."""
    own = (TOKEN.c.id == key) & (TOKEN.c.account == account.id) & (TOKEN.c.revoked == "")
    with store.transaction() as work:
        return bool(work.connection.execute(update(TOKEN).where(own).values(revoked=now())).rowcount)


def account_of_token(store: Store, secret: str, now: Now) -> tuple[Account, frozenset[str]] | None:
    """Return whose token this is and what it is good for; ``None`` if it is none, or is over. Notes the day of use."""
    moment = now()
    with store.reading() as connection:
        row = connection.execute(select(TOKEN).where(TOKEN.c.key == _digest(secret))).first()
    if row is None or row.revoked or row.expires <= moment:
        return None
    account = account_of(store, row.account)
    if account is None or account.disabled:
        return None
    if row.used != moment[:10]:
        with store.transaction() as work:
            work.connection.execute(update(TOKEN).where(TOKEN.c.id == row.id).values(used=moment[:10]))
    return account, frozenset(json.loads(row.scopes))


def images_of(scopes: Iterable[str]) -> int:
    """Return how many images a day a token was granted, 0 where it says nothing.

    >>> images_of({"see", "images:5000"}), images_of({"see"})
    (5000, 0)
    """
    return next((int(scope.removeprefix(IMAGES)) for scope in scopes if scope.startswith(IMAGES)), 0)


def later(moment: str, **by: float) -> str:
    """Return the moment that comes so much later (earlier, where it is less than nothing).

    >>> later("2026-11-02T10:00:00Z", hours=12), later("2026-11-02T10:00:00Z", days=-2)
    ('2026-11-02T22:00:00Z', '2026-10-31T10:00:00Z')
    """
    return (_time(moment) + timedelta(**by)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _time(moment: str) -> datetime:
    return datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _wait_s(store: Store, subject: str, most: int, moment: str) -> int:
    """Return how long it is until fewer than ``most`` log-ins of this subject failed in the window."""
    since = later(moment, minutes=-WINDOW_MINUTES)
    failed = select(ATTEMPT.c.moment).where(ATTEMPT.c.subject == subject, ATTEMPT.c.moment > since)
    with store.reading() as connection:
        row = connection.execute(failed.order_by(ATTEMPT.c.moment.desc()).offset(most - 1).limit(1)).first()
    if row is None:
        return 0
    return max(1, int((_time(later(row.moment, minutes=WINDOW_MINUTES)) - _time(moment)).total_seconds()))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
