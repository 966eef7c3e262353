"""`deboodt accounts`: what an administrator types, and what comes back."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from crowd.entry import account_of_token, log_in
from identify.cli import cli
from identify.cli.accounts import ROLES
from identify.cli.shell import now
from linkeddata.errors import UsageError
from linkeddata.records import Taxon
from linkeddata.settings import Settings
from linkeddata.store import Store

PASSWORD = "correct horse battery"


def deboodt(home: Path, *words: str, typed: str = "") -> Any:
    """Run a command and return what it printed, as JSON."""
    done = CliRunner().invoke(cli, ["--home", str(home), "--json", *words], input=typed, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout) if done.stdout.strip() else None


def test_an_administrator_makes_changes_and_closes_accounts(tmp_path: Path) -> None:
    with Store(Settings(home=str(tmp_path)).store) as store:
        store.put([Taxon(query="Nymphalidae", concept="gbif:7017")], agent="test", moment=now())
        made = deboodt(
            tmp_path,
            *("accounts", "add", "Anna B.", "--role", "reviewer", "--branch", "Nymphalidae", "--branch", "Q10"),
            typed=f"{PASSWORD}\n{PASSWORD}\n",
        )
        assert (made["role"], made["branches"]) == ("reviewer", "gbif:7017, Q10")
        assert log_in(store, "Anna B.", PASSWORD, "192.0.2.1", now).account is not None
        changed = deboodt(tmp_path, "accounts", "role", "Anna B.", "curator")
        assert (changed["role"], changed["branches"]) == ("curator", "")
        (tmp_path / "new.txt").write_text("another password\n", encoding="utf-8")
        deboodt(tmp_path, "accounts", "password", "Anna B.", "--password-file", str(tmp_path / "new.txt"))
        assert log_in(store, "Anna B.", "another password", "192.0.2.1", now).account is not None
        token = deboodt(tmp_path, "accounts", "token", "Anna B.", "--for", "see", "--label", "a script")
        assert account_of_token(store, token["token"], now) is not None
        (listed,) = deboodt(tmp_path, "accounts", "token", "Anna B.", "--list")
        assert (listed["label"], listed["id"]) == ("a script", token["id"])
        deboodt(tmp_path, "accounts", "token", "Anna B.", "--revoke", token["id"])
        assert account_of_token(store, token["token"], now) is None
        assert deboodt(tmp_path, "accounts", "disable", "Anna B.")["disabled"]
        assert log_in(store, "Anna B.", "another password", "192.0.2.1", now).account is None
        assert not deboodt(tmp_path, "accounts", "disable", "Anna B.", "--undo")["disabled"]
        listing = deboodt(tmp_path, "accounts", "list")
    assert [one["name"] for one in listing] == ["Anna B."]
    assert "password" not in json.dumps(listing)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no account 'Nobody'"):
        deboodt(tmp_path, "accounts", "disable", "Nobody")
    deboodt(tmp_path, "accounts", "add", "Robot", "--no-password")
    with pytest.raises(UsageError, match="no token"):
        deboodt(tmp_path, "accounts", "token", "Robot", "--revoke", "x")


def test_the_command_knows_the_roles_there_are() -> None:
    from crowd.rights import ROLES as KNOWN

    assert ROLES == KNOWN
