"""Settings: file before defaults, environment before file, and clear words about what is wrong."""

from dataclasses import fields
from pathlib import Path

import pytest

from linkeddata.errors import SettingsError
from linkeddata.settings import Settings, load_settings, shown


def test_environment_wins_over_file_and_file_over_default(tmp_path: Path) -> None:
    config = tmp_path / "deboodt.toml"
    config.write_text('contact = "file@museum.example"\ntimeout_s = 5\n', encoding="utf-8")
    settings = load_settings(config, {"DEBOODT_CONTACT": "me@museum.example", "DEBOODT_TRIES": "2"})
    assert (settings.contact, settings.timeout_s, settings.tries) == ("me@museum.example", 5.0, 2)
    assert "me@museum.example" in settings.user_agent


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"elsewhere\.toml does not exist"):
        load_settings(tmp_path / "elsewhere.toml", {})
    with pytest.raises(SettingsError, match=r"elsewhere\.toml does not exist"):
        load_settings(None, {"DEBOODT_CONFIG": str(tmp_path / "elsewhere.toml")})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("contact", "deboodt.toml"),
        ('kontact = "x"', "kontact is not a setting"),
        ("contact = true", "contact = True: expected str"),
        ('tries = "many"', "tries = 'many': expected int"),
        ("contact = ['a']", "expected str"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    config = tmp_path / "deboodt.toml"
    config.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        load_settings(config, {})
    assert says in str(refused.value)
    assert "deboodt.toml" in str(refused.value)


def test_a_wrong_variable_is_named() -> None:
    with pytest.raises(SettingsError, match="DEBOODT_TIMEOUT_S = 'soon': expected float"):
        load_settings(environment={"DEBOODT_TIMEOUT_S": "soon"})


def test_secrets_are_not_shown() -> None:
    data = shown(Settings(pseudonym_key="hush"))
    assert data["pseudonym_key"] == "(set)"
    assert set(data) >= {field.name for field in fields(Settings)}
    assert data["store"] == "sqlite:///deboodt-data/deboodt.sqlite"


def test_the_name_index_is_the_one_named_or_the_one_in_home(tmp_path: Path) -> None:
    assert Settings(home=str(tmp_path)).index_path is None
    assert Settings(home=str(tmp_path), names_index="a.index").index_path == Path("a.index")
    (tmp_path / "names.index").write_bytes(b"")
    assert Settings(home=str(tmp_path)).index_path == tmp_path / "names.index"


def test_several_dumps_are_named_with_commas() -> None:
    assert Settings().dump_paths == ()
    assert Settings(dump_files="a.json.gz, b.json.bz2").dump_paths == (Path("a.json.gz"), Path("b.json.bz2"))


def test_a_switch_is_on_or_off() -> None:
    for word, value in (("true", True), ("1", True), ("No", False), ("false", False)):
        assert load_settings(environment={"DEBOODT_ALLOW_PRIVATE": word}).allow_private is value
    with pytest.raises(SettingsError, match="expected bool"):
        load_settings(environment={"DEBOODT_ALLOW_PRIVATE": "perhaps"})
