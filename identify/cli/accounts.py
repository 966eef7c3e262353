"""The commands for accounts: who may review, with which rights, and tokens for programs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import click

from identify.cli.shell import Shell, now

if TYPE_CHECKING:
    from crowd.accounts import Account
    from linkeddata.store import Store

ROLES = ("viewer", "contributor", "reviewer", "curator", "admin")

name_argument = click.argument("name")
role_option = click.option("--role", type=click.Choice(ROLES), default="viewer", show_default=True, help="Its rights.")
branch_option = click.option(
    "--branch",
    "branches",
    multiple=True,
    metavar="TAXON",
    help="Of a reviewer: a taxon (Q-item, gbif:KEY or a resolved name) with all below it, or all; repeatable.",
)
password_option = click.option(
    "--password-file",
    type=click.File(),
    metavar="FILE",
    help="Read the password here (- is stdin) instead of asking.",
)


@click.group()
def accounts() -> None:
    """Say who may see, comment, review and decide, and give out tokens."""


@contextmanager
def opened(shell: Shell) -> "Iterator[Store]":
    """Open the store of the settings."""
    from linkeddata.store import Store

    with Store(shell.settings().store) as store:
        yield store


@accounts.command("add")
@name_argument
@role_option
@branch_option
@password_option
@click.option("--no-password", is_flag=True, help="For programs: the account is entered by token alone.")
@click.pass_obj
def add(
    shell: Shell,
    name: str,
    role: str,
    branches: tuple[str, ...],
    password_file: TextIO | None,
    no_password: bool,
) -> None:
    """Make an account NAME; asks for its password."""
    from crowd.accounts import add_account, checked_name

    with opened(shell) as store:
        checked_name(name)
        found = _branches(store, branches)
        password = "" if no_password else _password(password_file)
        account = add_account(store, name, role, now, branches=found, password=password)
        shell.result(_shown(account))


@accounts.command("list")
@click.pass_obj
def listed(shell: Shell) -> None:
    """List all accounts with their rights."""
    from crowd.accounts import accounts as all_accounts

    with opened(shell) as store:
        rows = [_shown(account) for account in all_accounts(store)]
    text = "\n".join(
        f"{row['name']:<24}  {row['role']:<11}  {row['branches'] or '-':<20}  {row['disabled'] or 'open'}"
        for row in rows
    )
    shell.result(rows, text)


@accounts.command("role")
@name_argument
@click.argument("role", type=click.Choice(ROLES))
@branch_option
@click.pass_obj
def role(shell: Shell, name: str, role: str, branches: tuple[str, ...]) -> None:
    """Give the account NAME the rights of ROLE, in place of those it had."""
    from crowd.accounts import set_role

    with opened(shell) as store:
        shell.result(_shown(set_role(store, _found(store, name), role, _branches(store, branches))))


@accounts.command("password")
@name_argument
@password_option
@click.pass_obj
def password(shell: Shell, name: str, password_file: TextIO | None) -> None:
    """Give the account NAME another password; its sessions end."""
    from crowd.accounts import set_password

    with opened(shell) as store:
        set_password(store, _found(store, name), _password(password_file))
    shell.say(f"{name} has another password, and has to log in again")


@accounts.command("token")
@name_argument
@click.option("--for", "scopes", multiple=True, default=("see",), show_default=True, help="An action it is good for.")
@click.option("--days", default=90, show_default=True, help="How long it lasts.")
@click.option("--model", "models", multiple=True, metavar="NAME", help="A restricted model that it may ask.")
@click.option("--images", default=0, help="Images a day that it may ask models about; 0: as the settings say.")
@click.option("--label", default="", help="What it is for, in words.")
@click.option("--revoke", default="", metavar="ID", help="End the token with this id instead.")
@click.option("--list", "listing", is_flag=True, help="List the account's tokens instead.")
@click.pass_obj
def token(
    shell: Shell,
    name: str,
    scopes: tuple[str, ...],
    days: int,
    models: tuple[str, ...],
    images: int,
    label: str,
    revoke: str,
    listing: bool,
) -> None:
    """Give out a token for the account NAME. It is shown this once."""
    from dataclasses import asdict

    from crowd.entry import add_token, revoke_token, tokens
    from linkeddata.errors import UsageError

    with opened(shell) as store:
        account = _found(store, name)
        if listing:
            rows = [asdict(one) for one in tokens(store, account)]
            lines = (f"{r['id']}  until {r['expires']}  {r['revoked'] and 'revoked'}  {r['label']}" for r in rows)
            shell.result(rows, "\n".join(lines))
        elif revoke:
            if not revoke_token(store, account, revoke, now):
                raise UsageError(f"{name} has no token {revoke!r}")
            shell.say(f"token {revoke} is revoked")
        else:
            granted: dict[str, Any] = {"models": models, "images": images}
            secret, made = add_token(store, account, now, label=label, scopes=scopes, days=days, **granted)
            shell.result({"token": secret, "id": made.id, "expires": made.expires}, secret)


@accounts.command("disable")
@name_argument
@click.option("--undo", is_flag=True, help="Open it again.")
@click.pass_obj
def disable_account(shell: Shell, name: str, undo: bool) -> None:
    """Close the account NAME: its sessions end, its tokens are revoked, what it said stays."""
    from crowd.accounts import disable, enable

    with opened(shell) as store:
        account = _found(store, name)
        shell.result(_shown(enable(store, account) if undo else disable(store, account, now)))


def _found(store: "Store", name: str) -> "Account":
    from crowd.accounts import account_named
    from linkeddata.errors import UsageError

    account = account_named(store, name)
    if account is None:
        raise UsageError(f"there is no account {name!r}")
    return account


def _branches(store: "Store", given: tuple[str, ...]) -> list[str]:
    """Return branches by concept; a name is looked up among what was resolved."""
    from linkeddata.records import Taxon

    known = {one.query: one.concept for one in store.among(Taxon, "query", given) if one.concept}
    return [known.get(one, one) for one in given]


def _password(given: TextIO | None) -> str:
    if given is not None:
        return given.read().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def _shown(account: "Account") -> dict[str, str]:
    """Return what may be shown of an account: everything but its password."""
    return {
        "name": account.name,
        "role": account.role,
        "branches": ", ".join(account.branches),
        "created": account.created,
        "disabled": account.disabled,
        "agent": account.agent,
    }
