"""The command line: parses, calls, prints. Results go to stdout, messages and progress to stderr.

Exit codes: 0 done; 1 an error of ours; 2 a wrong command, file or setting; 3 a service; 4 the store; 5 a model bundle;
6 a dataset; 9 done, but something is left to do again (the summary says what); 130 stopped by Ctrl-C: the same command
goes on where it stopped.
"""

import sys
from collections.abc import Callable
from typing import Any

import click

from identify.cli.accounts import accounts
from identify.cli.campaigns import count, demo, report, run
from identify.cli.commons import commons
from identify.cli.crowd import crowd
from identify.cli.datasets import dataset
from identify.cli.erase import erase
from identify.cli.evaluate import evaluate
from identify.cli.export import export
from identify.cli.harvest import harvest
from identify.cli.identify import identify
from identify.cli.names import names
from identify.cli.publish import publish
from identify.cli.results import log, serve, settings
from identify.cli.review import review
from identify.cli.shell import STOPPED, Shell
from identify.cli.training import promote, train
from linkeddata.errors import DeBoodtError
from linkeddata.settings import VERSION


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


for command in (
    settings,
    run,
    harvest,
    names,
    count,
    crowd,
    dataset,
    train,
    evaluate,
    promote,
    identify,
    export,
    publish,
    report,
    commons,
    log,
    accounts,
    erase,
    review,
    serve,
    demo,
):
    cli.add_command(command)


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
