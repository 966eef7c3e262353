"""The command line: every verb has help, errors are one line with an exit code, results can be read by machines."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from harvest.standin.server import StandIn
from harvest.standin.world import World
from identify.cli import cli
from identify.cli.harvest import CampaignFirst

ROOT = Path(__file__).resolve().parents[2]
COMMAND = str(Path(sys.executable).parent / "deboodt")


def deboodt(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command as a user would, without the developer's settings."""
    measured = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE")}
    here = {"PYTHONPATH": str(ROOT)}  # these sources, wherever another checkout is installed from
    env = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **here, **measured, **environment}
    return subprocess.run([COMMAND, *arguments], cwd=cwd, env=env, capture_output=True, text=True, timeout=60)


def verbs(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command with the words that call it; what a campaign file calls has the words of its group."""
    if isinstance(group, CampaignFirst):
        yield path, group.default
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from verbs(command, (*path, name))


VERBS = list(verbs(cli))


@pytest.mark.parametrize(("words", "command"), VERBS, ids=[" ".join(words) for words, _ in VERBS])
def test_every_verb_and_option_has_help(words: tuple[str, ...], command: click.Command) -> None:
    assert command.help, f"deboodt {' '.join(words)} says nothing about itself"
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"deboodt {' '.join(words)} {parameter.opts[0]} has no help"


@pytest.mark.parametrize("words", [words for words, _ in VERBS], ids=" ".join)
def test_every_verb_prints_its_help(words: tuple[str, ...]) -> None:
    with click.Context(cli, info_name="deboodt") as top:
        command: click.Command = cli
        for word in words:
            assert isinstance(command, click.Group)
            command = command.commands[word]
        text = command.get_help(click.Context(command, info_name=" ".join(words), parent=top))
    assert text.startswith(f"Usage: deboodt {' '.join(words)}")


@pytest.mark.parametrize("words", [words for words, _ in VERBS], ids=" ".join)
def test_every_verb_is_in_the_documentation(words: tuple[str, ...]) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8") + (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    assert re.search(rf"deboodt (?:--\S+ \S+ )*{' '.join(words)}\b", text), f"no word about deboodt {' '.join(words)}"


def commands_of(document: str) -> list[str]:
    """Return the commands in a document's shell blocks, one a line, without what follows a comment sign."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / document).read_text(encoding="utf-8"), re.S)
    lines = [line.split(" #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


DOCUMENTED = ("README.md", "docs/commands.md", "docs/harvest.md")
MADE = re.findall(r"^\t@\$\(BIN\)/(deboodt .+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)


def test_make_calls_us() -> None:
    assert [line for line in MADE if " serve" in line]


@pytest.mark.parametrize(
    "line", dict.fromkeys([*MADE, *(line for document in DOCUMENTED for line in commands_of(document))])
)
def test_documented_commands_exist(line: str) -> None:
    words = line.removeprefix("$ ").removeprefix(".venv/bin/").split()
    if words[0] == "make":
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
        assert set(words[1:]) <= set(targets)
    elif words[0] == "deboodt":
        parsed = cli.make_context("deboodt", words[1:], resilient_parsing=True)
        command: click.Command = cli
        rest = [*parsed._protected_args, *parsed.args]
        while isinstance(command, click.Group) and rest:
            name, found, rest = command.resolve_command(parsed, rest)
            assert found, f"README calls deboodt {name}"
            command = found
        known = {name for parameter in command.params for name in parameter.opts}
        assert {word.split("=")[0] for word in rest if word.startswith("--")} <= known
    else:
        assert words[0] in {"git", "cd", "curl", "pip", "python", "cp"}


def test_settings_can_be_read_by_machines(tmp_path: Path) -> None:
    done = deboodt("--json", "settings", cwd=tmp_path, DEBOODT_CONTACT="me@museum.example")
    assert done.returncode == 0
    assert json.loads(done.stdout)["contact"] == "me@museum.example"


def test_a_wrong_setting_is_one_line_and_exit_2(tmp_path: Path) -> None:
    (tmp_path / "deboodt.toml").write_text("kontact = 'x'\n")
    done = deboodt("settings", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("deboodt: deboodt.toml: kontact is not a setting")


def test_a_missing_campaign_is_one_line_and_exit_2(tmp_path: Path) -> None:
    done = deboodt("run", "nowhere.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert "nowhere.toml: cannot be read" in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_public_is_asked_without_a_contact(tmp_path: Path) -> None:
    done = deboodt("run", str(ROOT / "campaigns/tag-the-species.toml"), cwd=tmp_path)
    assert done.returncode == 2
    assert "commons.wikimedia.org is a public service and asks who is calling" in done.stderr


def test_an_unknown_model_is_exit_5(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    done = deboodt("identify", "--model", "eggs", "a.jpg", cwd=tmp_path)
    assert done.returncode == 5
    assert "no model 'eggs'" in done.stderr


@pytest.mark.parametrize("words", [("x.toml",), ("x.toml", "--again"), ("--again", "x.toml")], ids=" ".join)
def test_harvest_takes_a_campaign_where_a_command_is_expected(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = deboodt("harvest", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("deboodt: x.toml: cannot be read")


def test_harvest_log_tells_what_was_asked(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("file,name\nFile:A.jpg,Parus major\n")
    (tmp_path / "a.toml").write_text(
        '[campaign]\nid = "a"\ntitle = "A"\n[[tags.files]]\npath = "a.csv"\nfile = "file"\nname = "name"\n'
    )
    assert deboodt("harvest", "log", cwd=tmp_path).stdout == "nothing was asked yet\n"
    with StandIn(World()) as standin:
        here = {f"DEBOODT_{k.upper()}": str(getattr(standin.settings(), k)) for k in ("commons_api", "commons_entity")}
        assert deboodt("harvest", "a.toml", cwd=tmp_path, **here).returncode == 0
        asked = standin.requests.count()
    told = deboodt("harvest", "log", "a.toml", cwd=tmp_path, **here).stdout.splitlines()
    assert told[0].startswith("run 1 of a, ")
    assert told[1].split() == ["route", "host", "requests", "MB", "retries", "waited", "s", "outcomes"]
    assert told[2].split()[:3] == ["list", standin.url.removeprefix("http://"), str(asked)]
    data = json.loads(deboodt("harvest", "log", "--json", cwd=tmp_path).stdout)
    assert [(row["route"], row["outcome"], row["requests"]) for row in data["requests"]] == [("list", "ok", asked)]


@pytest.mark.parametrize("words", [("--help",), ("x.toml", "--help"), ()], ids=" ".join)
def test_the_help_of_harvest_shows_the_campaign_and_its_options(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = deboodt("harvest", *words, cwd=tmp_path)
    text = done.stdout + done.stderr
    assert text.startswith("Usage: deboodt harvest ")
    assert "CAMPAIGN" in text.splitlines()[0]
    assert "--again" in text


def test_a_wrong_option_of_harvest_is_exit_2_with_usage(tmp_path: Path) -> None:
    done = deboodt("harvest", "x.toml", "--agian", cwd=tmp_path)
    assert done.returncode == 2
    assert "Usage: deboodt harvest [OPTIONS] CAMPAIGN" in done.stderr


def test_an_unknown_command_is_exit_2_with_usage(tmp_path: Path) -> None:
    done = deboodt("harvets", cwd=tmp_path)
    assert done.returncode == 2
    assert "No such command" in done.stderr


def test_dumps_are_written_and_a_day_that_is_none_is_exit_2(tmp_path: Path) -> None:
    done = deboodt("--json", "publish", "dumps", "--day", "2026-11-02", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["folder"].endswith("dumps/2026-11-02")
    assert {path.name for path in (tmp_path / said["folder"]).iterdir()} == {"SHA256SUMS", *said["files"]}
    wrong = deboodt("publish", "dumps", "--day", "2026-11-31", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "2026-11-31" in wrong.stderr


def test_help_does_not_wait_for_heavy_packages() -> None:
    code = "import sys, identify.cli; print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(re.findall(r"'([A-Za-z_]\w*)'", done.stdout))
    heavy = {
        "tensorflow",
        "pandas",
        "numpy",
        "sqlalchemy",
        "fastapi",
        "rdflib",
        "PIL",
        "requests",
        "pyoxigraph",
        "rich",
    }
    assert not loaded & heavy


def test_a_store_that_cannot_be_opened_is_exit_4(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("a file, not a folder")
    done = deboodt("log", cwd=tmp_path, DEBOODT_STORE_URL=f"sqlite:///{tmp_path}/plain/store.sqlite")
    assert done.returncode == 4
    assert "Traceback" not in done.stderr


def test_the_clock_gives_utc() -> None:
    from identify.cli.shell import now

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", now())
    assert now()[:10] == time.strftime("%Y-%m-%d", time.gmtime())
