"""The command line: parses, calls, prints. Results go to stdout, messages and progress to stderr.

Exit codes: 0 done; 1 an error of ours; 2 a wrong command, file or setting; 3 a service; 4 the store; 5 a model bundle;
6 a dataset; 9 done, but something is left to do again (the summary says what); 130 stopped by Ctrl-C: the same command
goes on where it stopped.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from linkeddata.errors import DeBoodtError
from linkeddata.settings import VERSION, Settings, load_settings, shown

if TYPE_CHECKING:
    from identify.pipeline import Outcome, Progress, Run

LEFT_OVER = 9
STOPPED = 130


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


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--config", metavar="FILE", help="Settings file (default: deboodt.toml here, or DEBOODT_CONFIG).")
@click.option("--home", metavar="DIR", help="Folder for the store, images, models and results.")
@click.option("--json", "as_json", is_flag=True, help="Print results as JSON, for machines.")
@click.option("--quiet", "-q", is_flag=True, help="No messages and no progress bars on stderr.")
@click.version_option(VERSION, prog_name="deboodt")
@click.pass_context
def cli(context: click.Context, config: str | None, home: str | None, as_json: bool, quiet: bool) -> None:
    """Crowd tags to recognition models to linked data, for museum specimens and illustrations.

    A campaign file says where tags come from and where results go; `deboodt run` does all its steps. To try everything
    without the Internet: `deboodt demo`.
    """
    context.obj = Shell(config, home, as_json, quiet)


campaign_argument = click.argument("campaign", type=click.Path(dir_okay=False, path_type=Path))
again_option = click.option("--again", is_flag=True, help="Do it even if nothing has changed since the last time.")


@cli.command()
@click.pass_obj
def settings(shell: Shell) -> None:
    """Print the settings in force and where they can be changed."""
    shell.result(shown(shell.settings()))
    shell.say("change them in deboodt.toml (one line each, as above) or with DEBOODT_… variables")


@cli.command()
@campaign_argument
@again_option
@click.option("--step", "steps", multiple=True, metavar="STEP", help="Only this step (may be given several times).")
@click.pass_obj
def run(shell: Shell, campaign: Path, again: bool, steps: tuple[str, ...]) -> None:
    """Do every step of the campaign in file CAMPAIGN that is not done yet.

    Steps: harvest, images, names, count, dataset, train, identify, publish, export. What is done and unchanged is
    skipped; what was stopped goes on. Ends with a summary and an HTML report.
    """
    with _progress(shell) as progress, _opened(shell.settings(), campaign, progress) as work:
        sys.exit(_perform(shell, work, steps, again))


def _step_command(name: str, steps: tuple[str, ...], about: str) -> click.Command:
    """Return the command that does only some steps of a campaign."""

    @click.command(name, help=about)
    @campaign_argument
    @again_option
    @click.pass_obj
    def command(shell: Shell, campaign: Path, again: bool) -> None:
        with _progress(shell) as progress, _opened(shell.settings(), campaign, progress) as work:
            sys.exit(_perform(shell, work, steps, again))

    return command


cli.add_command(
    _step_command("harvest", ("harvest", "images"), "Bring home the tags and images of the campaign in file CAMPAIGN.")
)
cli.add_command(_step_command("count", ("count",), "Count the tags of the campaign in file CAMPAIGN into labels."))


@cli.group()
def names() -> None:
    """Resolve names to accepted taxa and link them to Wikidata and GBIF."""


names.add_command(_step_command("campaign", ("names",), "Resolve and link every name in the tags of file CAMPAIGN."))


@names.command("resolve")
@click.argument("queries", nargs=-1, required=True, metavar="NAME...")
@click.pass_obj
def names_resolve(shell: Shell, queries: tuple[str, ...]) -> None:
    """Resolve each NAME (any spelling, a vernacular name, or a Q-id) and print what it is."""
    from dataclasses import asdict

    from linkeddata.client import Client
    from linkeddata.names import Sources, resolve
    from linkeddata.records import Failure

    settings = shell.settings()
    answers = list(resolve(queries, Sources(client=Client(settings), settings=settings), moment=now()))
    lines = []
    for answer in answers:
        if isinstance(answer, Failure):
            lines.append(f"{answer.subject}: not answered: {answer.reason} {answer.detail}".rstrip())
        elif not answer.concept:
            lines.append(f"{answer.query}: {answer.match_type}: {answer.reason}")
        else:
            ids = f"{answer.item or 'no item'}  gbif:{answer.gbif_key or '?'}"
            note = f"  ({answer.reason})" if answer.reason else ""
            lines.append(f"{answer.query}: {answer.name} {answer.authorship}  {answer.rank}  {ids}{note}")
    shell.result([asdict(answer) for answer in answers], "\n".join(lines))
    if any(isinstance(answer, Failure) for answer in answers):
        sys.exit(LEFT_OVER)


@cli.group()
def dataset() -> None:
    """Build labelled illustration datasets."""


dataset.add_command(_step_command("build", ("dataset",), "Build the dataset of the campaign in file CAMPAIGN."))

cli.add_command(_step_command("train", ("train",), "Train the model of the campaign in file CAMPAIGN on its dataset."))


@cli.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE|DIR...")
@click.option("--model", required=True, metavar="DIR|NAME", help="Model bundle: its folder, or NAME[@VERSION] in home.")
@click.option("--out", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write JSON lines to this file.")
@click.pass_obj
def identify(shell: Shell, paths: tuple[Path, ...], model: str, out: Path | None) -> None:
    """Identify the images in FILEs and DIRs with a model; broken images are listed, not fatal."""
    from identify.files import identify_paths, lines_of

    settings = shell.settings()
    with _progress(shell) as progress:
        answers = list(identify_paths(settings, model, paths, moment=now(), progress=progress))
    if out:
        out.write_text("".join(json.dumps(answer, ensure_ascii=False) + "\n" for answer in answers), encoding="utf-8")
        shell.say(f"{len(answers)} answers in {out}")
    else:
        shell.result(answers, "\n".join(lines_of(answers)))
    if any("lost" in answer for answer in answers):
        sys.exit(LEFT_OVER)


@cli.group()
def export() -> None:
    """Give results back to a museum's own system."""


export.add_command(
    _step_command("cms", ("export",), "Write the import files for the collection management system of file CAMPAIGN.")
)


@cli.command()
@campaign_argument
@click.pass_obj
def report(shell: Shell, campaign: Path) -> None:
    """Write the HTML report of the campaign in file CAMPAIGN again and print the summary."""
    from identify.report import summary, write_report

    with _progress(shell) as progress, _opened(shell.settings(), campaign, progress) as work:
        path = write_report(work)
        _print_summary(shell, summary(work), [], path)


@cli.command()
@click.option("--after", default=0, metavar="SEQ", help="Only events after this sequence number.")
@click.option("--kind", default="", help="Only events of this kind, such as tag.withdrawn.")
@click.option("--subject", default="", help="Only events about this record.")
@click.option("--limit", default=50, show_default=True, help="How many at most; 0 for all.")
@click.pass_obj
def log(shell: Shell, after: int, kind: str, subject: str, limit: int) -> None:
    """Print the log: every change, who made it and when."""
    from dataclasses import asdict
    from itertools import islice

    from linkeddata.store import Store

    with Store(shell.settings().store) as store:
        events = store.events(after, kind=kind, subject=subject)
        chosen = list(islice(events, limit) if limit else events)
    text = "\n".join(f"{e.seq:>8}  {e.moment:<20}  {e.kind:<24}  {e.subject}  {e.agent}" for e in chosen)
    shell.result([asdict(event) for event in chosen], text)


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, help="Port to listen on.")
@click.pass_obj
def serve(shell: Shell, host: str, port: int) -> None:
    """Serve the documents, the models and the home page over HTTP.

    Documents are named after the setting base_url; where it is not set, after the address they are served from.
    """
    import uvicorn

    from identify.app import create_app

    settings = shell.settings()
    if settings.base_url == Settings().base_url:
        settings = shell.settings(base_url=f"http://{host}:{port}")
    app = create_app(settings)
    shell.say(f"De Boodt on http://{host}:{port} with {settings.store}; Ctrl-C stops it")
    uvicorn.run(app, host=host, port=port, log_level="warning")


@cli.command()
@click.option(
    "--out", default="demo", show_default=True, type=click.Path(file_okay=False), help="Folder for everything."
)
@click.option("--plates", default=6, show_default=True, help="Plates a species by each of the five engravers.")
@click.option("--port", default=0, help="Port of the stand-in; without one, the port of the last time or a free one.")
@click.option("--broken", is_flag=True, help="Put a broken input in the way of each step, to see what becomes of it.")
@click.pass_obj
def demo(shell: Shell, out: str, plates: int, port: int, broken: bool) -> None:
    """Run the whole job on the painted sample, without the Internet.

    Paints a cabinet of butterflies, starts a local stand-in for Commons, Wikidata, GBIF, WoRMS and ISA, and runs the
    sample campaign against it. Everything goes into one folder. The plates are painted, the crowd is simulated.
    """
    from identify.demo import sample_services

    code = 0
    with (
        _progress(shell) as progress,
        sample_services(Path(out), per_engraver=plates, broken=broken, progress=progress, port=port) as (
            settings,
            campaign,
        ),
        _opened(settings, campaign, progress) as work,
    ):
        code = _perform(shell, work, (), False)
    shell.say(f"see it in a browser:  deboodt --home {out} serve")
    sys.exit(code)


@contextmanager
def _opened(settings: Settings, path: Path, progress: "Progress") -> "Iterator[Run]":
    """Open the store and the client for the campaign in ``path``."""
    from crowd.campaign import load_campaign
    from identify.pipeline import Run
    from linkeddata.client import Client
    from linkeddata.store import Store

    campaign = load_campaign(path)
    with Store(settings.store) as store:
        yield Run(
            campaign=campaign, settings=settings, store=store, client=Client(settings), now=now, progress=progress
        )


def _perform(shell: Shell, work: "Run", steps: tuple[str, ...], again: bool) -> int:
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
    _print_summary(shell, summary(work), outcomes, path)
    for outcome in outcomes:
        if outcome.error:
            return outcome.error.exit_code
    return LEFT_OVER if any(outcome.status == "incomplete" for outcome in outcomes) else 0


def _outcome_line(outcome: "Outcome") -> str:
    counts = ", ".join(f"{number:,} {what}" for what, number in outcome.counts.items())
    end = str(outcome.error) if outcome.error else counts
    took = f"{outcome.seconds:6.1f} s" if outcome.seconds else " " * 8
    return f"{outcome.step:<9} {outcome.status:<11} {took}  {end}"


def _print_summary(shell: Shell, data: dict[str, Any], outcomes: "list[Outcome]", report: Path) -> None:
    from identify.report import summary_text

    steps = [{"step": o.step, "status": o.status, "counts": o.counts, "seconds": round(o.seconds, 1)} for o in outcomes]
    shell.result(data | {"steps": steps, "report": str(report)}, f"\n{summary_text(data)}\n\nreport: {report}")


@contextmanager
def _progress(shell: Shell) -> "Iterator[Progress]":
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


def main() -> None:
    """Run the command; turn our errors into one line and an exit code."""
    sys.exit(_guarded(lambda: cli.main(standalone_mode=False, prog_name="deboodt")))


def _guarded(command: Callable[[], Any]) -> int:
    try:
        command()
    except DeBoodtError as error:
        click.echo(f"deboodt: {error}", err=True)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("deboodt: stopped; the same command goes on from here", err=True)
        return STOPPED
    except BrokenPipeError:
        return 0
    return 0


if __name__ == "__main__":
    main()
