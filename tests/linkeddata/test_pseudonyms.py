"""Pseudonyms: the same person the same agent, and no way back."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkeddata.errors import SettingsError
from linkeddata.pseudonyms import KEY_FILE, Pseudonyms, installation_key, same_user
from linkeddata.settings import Settings

NAMES = st.text(min_size=1).filter(lambda name: bool(same_user(name)))


@given(NAMES, NAMES)
def test_two_people_are_two_agents_and_one_is_one(one: str, other: str) -> None:
    pseudonyms = Pseudonyms("key")
    assert (pseudonyms.agent(one) == pseudonyms.agent(other)) == (same_user(one) == same_user(other))
    assert pseudonyms.agent(one) != Pseudonyms("another key").agent(one)


@given(NAMES)
def test_a_name_is_kept_as_mediawiki_keeps_it(name: str) -> None:
    assert same_user(same_user(name)) == same_user(name)


def test_an_agent_has_no_name() -> None:
    agent = Pseudonyms("key").agent("Jan de Vries")
    assert (agent.kind, agent.name, agent.homepage) == ("Person", "", "")
    assert agent.id.startswith("urn:deboodt:person:")


def test_nobody_has_no_pseudonym() -> None:
    with pytest.raises(ValueError, match="not empty"):
        Pseudonyms("key").agent(" _ ")
    with pytest.raises(ValueError, match="needs a key"):
        Pseudonyms("")


def test_an_installation_makes_one_key_and_keeps_it(tmp_path: Path) -> None:
    settings = Settings(home=str(tmp_path / "home"))
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: installation_key(settings), range(32)))
    assert len(keys) == 1
    path = tmp_path / "home" / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == [KEY_FILE]
    assert installation_key(Settings(home=str(tmp_path), pseudonym_key="given")) == "given"


def test_a_key_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_text("\n")
    with pytest.raises(SettingsError, match="empty"):
        installation_key(Settings(home=str(tmp_path)))
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be kept"):
        installation_key(Settings(home=str(tmp_path / "file")))
