"""Accounts, log-ins, sessions and tokens, on SQLite and PostgreSQL; none of it is in the log or the records."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from crowd import accounts, entry
from crowd.accounts import Account
from crowd.entry import later
from linkeddata.errors import UsageError
from linkeddata.records import Agent
from linkeddata.reviewtables import ACCOUNT, ATTEMPT, SESSION, TOKEN
from linkeddata.store import Store

PASSWORD = "correct horse battery"
HERE, THERE = "192.0.2.7", "198.51.100.9"


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.moment = "2026-11-02T10:00:00Z"

    def __call__(self) -> str:
        return self.moment

    def on(self, **by: float) -> None:
        self.moment = later(self.moment, **by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store(store_url) as opened:
        yield opened


@pytest.fixture
def anna(store: Store, clock: Clock) -> Account:
    return accounts.add_account(store, "Anna B.", "reviewer", clock, branches=["Q10"], password=PASSWORD)


def test_an_account_is_found_by_its_name_however_it_is_spaced(store: Store, anna: Account) -> None:
    assert accounts.account_named(store, "  Anna   B. ") == anna
    assert accounts.account_of(store, anna.id) == anna
    assert accounts.accounts(store) == [anna]
    assert accounts.account_named(store, "anna b.") is None


def test_a_name_and_a_wikimedia_user_have_one_account(store: Store, anna: Account, clock: Clock) -> None:
    with pytest.raises(UsageError, match="already"):
        accounts.add_account(store, "Anna B.", "viewer", clock)
    accounts.add_account(store, "Bob", "viewer", clock, wikimedia="12345")
    with pytest.raises(UsageError, match="already"):
        accounts.add_account(store, "Bobby", "viewer", clock, wikimedia="12345")
    found = accounts.account_of_wikimedia(store, "12345")
    assert found is not None
    assert found.name == "Bob"
    assert accounts.account_of_wikimedia(store, "") is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": "a\nb" * 40}, "name"),
        ({"name": "<script>"}, "name"),
        ({"role": "king"}, "no role"),
        ({"role": "reviewer"}, "has branches"),
        ({"role": "reviewer", "branches": ["Vanessa"]}, "no branch"),
        ({"role": "curator", "branches": ["Q10"]}, "all branches"),
        ({"password": "short"}, "12 to"),
    ],
)
def test_what_cannot_be_an_account_is_refused(store: Store, clock: Clock, values: dict[str, str], message: str) -> None:
    asked = {"name": "Carla", "role": "viewer"} | values
    with pytest.raises(UsageError, match=message):
        accounts.add_account(store, asked.pop("name"), asked.pop("role"), clock, **asked)  # type: ignore[arg-type]
    assert accounts.accounts(store) == []


def test_in_public_there_is_a_pseudonym_until_somebody_chooses_otherwise(
    store: Store, anna: Account, clock: Clock
) -> None:
    assert store.get(Agent, anna.agent) == Agent(id=anna.agent)
    assert "Anna" not in "".join(store.lines())
    accounts.set_credit(store, anna, clock, name="Anna  Bijns", homepage="0000-0002-1825-0097")
    named = Agent(id=anna.agent, name="Anna Bijns", homepage="https://orcid.org/0000-0002-1825-0097")
    assert store.get(Agent, anna.agent) == named
    accounts.set_credit(store, anna, clock)
    assert store.get(Agent, anna.agent) == Agent(id=anna.agent)
    with pytest.raises(UsageError, match="neither an ORCID"):
        accounts.credited("0000-0002-1825-0098")  # the last digit is wrong
    with pytest.raises(UsageError, match="neither an ORCID"):
        accounts.credited("javascript:alert(1)")


def test_the_right_password_lets_in_and_no_other(store: Store, anna: Account, clock: Clock) -> None:
    assert entry.log_in(store, "Anna B.", PASSWORD, HERE, clock).account == anna
    for name, password in (("Anna B.", PASSWORD + "!"), ("Nobody", PASSWORD), ("Anna B.", "")):
        assert entry.log_in(store, name, password, HERE, clock) == entry.LogIn()
    tokens_only = accounts.add_account(store, "Robot", "viewer", clock)
    assert not accounts.is_password(tokens_only, "")


def test_too_many_wrong_passwords_shut_the_door_for_a_while(store: Store, anna: Account, clock: Clock) -> None:
    for number in range(5):
        assert not entry.log_in(store, "Anna" + " " * (number + 1) + "B.", "a wrong password", HERE, clock).wait_s
        clock.on(seconds=10)
    shut = entry.log_in(store, "Anna B.", PASSWORD, HERE, clock)
    assert shut == entry.LogIn(wait_s=15 * 60 - 50)
    assert entry.log_in(store, "Anna B.", PASSWORD, THERE, clock).account == anna, "she is not locked out elsewhere"
    clock.on(seconds=shut.wait_s)
    assert entry.log_in(store, "Anna B.", PASSWORD, HERE, clock).account == anna


def test_one_address_cannot_try_many_names(store: Store, anna: Account, clock: Clock) -> None:
    for number in range(entry.MOST_OF_ONE_ADDRESS):
        assert not entry.log_in(store, f"user {number}", "a guess", HERE, clock).wait_s
    assert entry.log_in(store, "Anna B.", PASSWORD, HERE, clock).wait_s


def test_a_session_is_opened_by_its_secret_until_it_ends(store: Store, anna: Account, clock: Clock) -> None:
    secret, session = entry.open_session(store, anna, clock)
    assert entry.session_of(store, secret, clock) == session
    assert entry.session_of(store, session.key, clock) is None, "what is kept opens nothing"
    assert entry.session_of(store, "", clock) is None
    clock.on(hours=12)
    assert entry.session_of(store, secret, clock) is None
    again, session = entry.open_session(store, anna, clock)
    with store.reading() as connection:
        assert len(connection.execute(select(SESSION)).all()) == 1, "what is over is cleared away"
    entry.close_session(store, session)
    assert entry.session_of(store, again, clock) is None


def test_a_new_password_and_a_closed_account_end_all_sessions(store: Store, anna: Account, clock: Clock) -> None:
    first, _ = entry.open_session(store, anna, clock)
    second, kept = entry.open_session(store, anna, clock)
    assert entry.close_other_sessions(store, kept) == 1
    assert entry.session_of(store, first, clock) is None
    with pytest.raises(UsageError, match="old password"):
        entry.change_password(store, anna, "not the old one", "another password")
    changed = entry.change_password(store, anna, PASSWORD, "another password")
    assert entry.session_of(store, second, clock) is None
    assert entry.log_in(store, "Anna B.", "another password", HERE, clock).account == changed
    secret, _ = entry.open_session(store, changed, clock)
    token, _ = entry.add_token(store, changed, clock, label="", scopes=["see"], days=1)
    closed = accounts.disable(store, changed, clock)
    assert entry.session_of(store, secret, clock) is None
    assert entry.account_of_token(store, token, clock) is None
    assert entry.log_in(store, "Anna B.", "another password", HERE, clock) == entry.LogIn()
    opened = accounts.enable(store, closed)
    assert entry.log_in(store, "Anna B.", "another password", HERE, clock).account == opened
    assert entry.account_of_token(store, token, clock) is None, "revoked is revoked"


def test_a_token_is_good_for_its_scopes_until_it_expires_or_is_revoked(
    store: Store, anna: Account, clock: Clock
) -> None:
    secret, token = entry.add_token(store, anna, clock, label="a script", scopes=["see", "review"], days=30)
    assert entry.account_of_token(store, secret, clock) == (anna, frozenset({"see", "review"}))
    (listed,) = entry.tokens(store, anna)
    assert (listed.used, listed.label, listed.expires) == ("2026-11-02", "a script", "2026-12-02T10:00:00Z")
    assert entry.account_of_token(store, token.id, clock) is None
    assert not entry.revoke_token(store, accounts.add_account(store, "Eve", "admin", clock), token.id, clock)
    assert entry.account_of_token(store, secret, clock) is not None
    clock.on(days=30)
    assert entry.account_of_token(store, secret, clock) is None
    other, token = entry.add_token(store, anna, clock, label="", scopes=["see"], days=1)
    assert entry.revoke_token(store, anna, token.id, clock)
    assert entry.account_of_token(store, other, clock) is None
    for scopes, days in (([], 1), (["everything"], 1), (["see"], 0), (["see"], 400)):
        with pytest.raises(UsageError, match="token"):
            entry.add_token(store, anna, clock, label="", scopes=scopes, days=days)


def test_no_secret_is_kept_readable_and_none_is_in_log_or_records(store: Store, anna: Account, clock: Clock) -> None:
    secret, _ = entry.open_session(store, anna, clock)
    token, _ = entry.add_token(store, anna, clock, label="x", scopes=["see"], days=1)
    entry.log_in(store, "Anna B.", "a wrong password", HERE, clock)
    with store.reading() as connection:
        tables = (ACCOUNT, SESSION, TOKEN, ATTEMPT)
        kept = "".join(str(row) for table in tables for row in connection.execute(select(table)))
    for hidden in (PASSWORD, secret, token, HERE):
        assert hidden not in kept
    published = "".join(store.lines()) + "".join(str(event) for event in store.events())
    for hidden in (PASSWORD, secret, token, HERE, anna.id, anna.name, anna.password, "argon2"):
        assert hidden not in published
    assert anna.agent in published
