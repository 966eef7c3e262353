"""What every command shares: the options before it, printing, opening a campaign, doing its steps, progress."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from linkeddata.settings import Settings, load_settings

if TYPE_CHECKING:
    from identify.pipeline import Outcome, Progress, Run
    from linkeddata.client import Client, Wait

LEFT_OVER = 9
STOPPED = 130
SAID_FROM_S = 30.0
"""A longer wait is said where there is no progress bar to show it."""


class Shell:
    """What the options before the command say, and the printing that depends on them."""

    def __init__(self, config: str | None, home: str | None, as_json: bool, quiet: bool) -> None:
        self._config = config
        self._home = home
        self.as_json = as_json
        self.quiet = quiet

    def settings(self, **overrides: Any) -> Settings:
        """Return the settings with the command line's word last."""
        from dataclasses import replace

        settings = load_settings(self._config)
        if self._home:
            overrides.setdefault("home", self._home)
        return replace(settings, **overrides)

    def result(self, data: Any, text: str | None = None) -> None:
        """Print a result: as JSON where asked, else as ``text`` (or as key and value lines)."""
        if self.as_json:
            click.echo(json.dumps(data, ensure_ascii=False, indent=2))
        elif text is not None:
            click.echo(text, nl=bool(text))
        else:
            width = max((len(key) for key in data), default=0)
            for key, value in data.items():
                click.echo(f"{key:<{width}}  {value}")

    def say(self, message: str) -> None:
        """Print a message for people, on stderr."""
        if not self.quiet:
            click.echo(message, err=True)


def now() -> str:
    """Return the moment in UTC, to the second, as our records have it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


campaign_argument = click.argument("campaign", type=click.Path(dir_okay=False, path_type=Path))
again_option = click.option("--again", is_flag=True, help="Do it even if nothing has changed since the last time.")


def step_command(name: str, steps: tuple[str, ...], about: str) -> click.Command:
    """Return the command that does only some steps of a campaign."""

    @click.command(name, help=about)
    @campaign_argument
    @again_option
    @click.pass_obj
    def command(shell: Shell, campaign: Path, again: bool) -> None:
        with opened_progress(shell) as progress, opened_campaign(shell, campaign, progress) as work:
            sys.exit(perform(shell, work, steps, again))

    return command


@contextmanager
def opened_campaign(
    shell: Shell, path: Path, progress: "Progress", settings: Settings | None = None
) -> "Iterator[Run]":
    """Open the store, the log of requests and the client for the campaign in ``path``."""
    from crowd.campaignfile import load_campaign
    from identify.pipeline import Run
    from linkeddata.store import Store

    settings = settings or shell.settings()
    campaign = load_campaign(path)
    with (
        Store(settings.store) as store,
        opened_client(shell, settings, campaign.id, progress) as client,
    ):
        yield Run(campaign=campaign, settings=settings, store=store, client=client, now=now, progress=progress)


@contextmanager
def opened_client(
    shell: Shell, settings: Settings, subject: str, progress: "Progress | None" = None
) -> "Iterator[Client]":
    """Give a client whose requests are counted in the log under ``subject``: a campaign, or what a command does."""
    from linkeddata.client import Client
    from linkeddata.requestlog import FILE, RequestLog

    with (
        RequestLog(settings.home_path / FILE, subject, now) as requests,
        Client(settings, recorder=requests, told=_teller(shell, progress)) as client,
    ):
        yield client.doing(subject)


def _teller(shell: Shell, progress: "Progress | None") -> "Callable[[Wait], None]":
    """Return who says that a service makes us wait: the progress bar, else one line a host at its first long wait."""
    said: set[str] = set()

    def tell(wait: "Wait") -> None:
        if progress:
            progress(str(wait), 0, 0)
        if wait.pause_s > SAID_FROM_S and wait.host not in said and not sys.stderr.isatty():
            said.add(wait.host)
            shell.say(f"{wait}; `deboodt harvest log` tells all waits")

    return tell


def perform(shell: Shell, work: "Run", steps: tuple[str, ...], again: bool) -> int:
    """Do the steps, print how each ended, then the summary; return the exit code."""
    from identify.pipeline import run_steps
    from identify.report import summary, write_report
    from identify.steps import STEPS

    outcomes = []
    for outcome in run_steps(work, STEPS, steps, again=again):
        outcomes.append(outcome)
        work.progress("", 0, 0)
        shell.say(_outcome_line(outcome))
    path = write_report(work)
    print_summary(shell, summary(work), outcomes, path)
    for outcome in outcomes:
        if outcome.error:
            return outcome.error.exit_code
    return LEFT_OVER if any(outcome.status == "incomplete" for outcome in outcomes) else 0


def _outcome_line(outcome: "Outcome") -> str:
    counts = ", ".join(f"{number:,} {what}" for what, number in outcome.counts.items())
    end = str(outcome.error) if outcome.error else counts
    took = f"{outcome.seconds:6.1f} s" if outcome.seconds else " " * 8
    return f"{outcome.step:<9} {outcome.status:<11} {took}  {end}"


def print_summary(shell: Shell, data: dict[str, Any], outcomes: "list[Outcome]", report: Path) -> None:
    from identify.report import summary_text

    steps = [{"step": o.step, "status": o.status, "counts": o.counts, "seconds": round(o.seconds, 1)} for o in outcomes]
    shell.result(data | {"steps": steps, "report": str(report)}, f"\n{summary_text(data)}\n\nreport: {report}")


@contextmanager
def opened_progress(shell: Shell) -> "Iterator[Progress]":
    """Give a progress bar on stderr where somebody looks at it, else silence."""
    from identify.pipeline import silent

    if shell.quiet or not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=None, visible=False)

        def tell(what: str, done: int, total: int) -> None:
            bars.update(task, description=what, completed=done, total=total or None, visible=bool(what))

        yield tell
