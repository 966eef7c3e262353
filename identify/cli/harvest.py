"""The commands that bring tags and images home: of a campaign, and what can be asked about it afterwards.

``harvest`` is a group that takes a campaign file where a command is expected: ``deboodt harvest CAMPAIGN --again`` and
``deboodt harvest log`` both work. A file that is called like a command is written ``./log``.
"""

import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from crowd.campaign import with_routes
from identify.cli.compare import compare, routes_of, save
from identify.cli.shell import Shell, again_option, campaign_argument, opened_campaign, opened_progress, perform


class _NamelessContext(click.Context):
    """The context of a command that is called by its group's name alone."""

    @property
    def command_path(self) -> str:
        """What a person types to call the command."""
        return self.parent.command_path if self.parent else super().command_path


class DefaultCommand(click.Command):
    """What a ``CampaignFirst`` does when no command is named."""

    context_class = _NamelessContext


class CampaignFirst(click.Group):
    """A group whose unknown first argument belongs to its ``default`` command."""

    def __init__(self, *args: Any, default: DefaultCommand, **more: Any) -> None:
        super().__init__(*args, **more)
        self.default = default

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, the default command for a name that is none."""
        return self.commands.get(cmd_name, self.default)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Leave the first argument to the default command where it names no other."""
        name = args[0]
        return (name, self.commands[name], args[1:]) if name in self.commands else (None, self.default, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep what stands before the campaign file for the default command: ``harvest --again FILE`` works, too."""
        if args and args[0] not in self.commands and args[0] not in self.get_help_option_names(ctx):
            args = ["--", *args]
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write both ways of calling."""
        formatter.write_usage(ctx.command_path, "CAMPAIGN [OPTIONS]")
        formatter.write_usage(ctx.command_path, "COMMAND [ARGS]...", prefix=" " * len("Usage: "))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options of the default command, then the other commands."""
        self.default.format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


@click.command("harvest", cls=DefaultCommand)
@campaign_argument
@again_option
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Do it again for what was touched since DATE (2026-11-01); what was missed before that day stays missed.",
)
@click.option("--via", default="", metavar="ROUTES", help="Routes to try in this order: api,qlever,wcqs,wdqs.")
@click.pass_obj
def harvest_campaign(shell: Shell, campaign: Path, again: bool, since: datetime | None, via: str) -> None:
    """Bring home the tags and images of the campaign in file CAMPAIGN.

    Asks only for what is not there yet; what was stopped goes on where it stopped. docs/harvest.md tells which route to
    choose.
    """
    with opened_progress(shell) as progress, opened_campaign(shell.settings(), campaign, progress) as work:
        work = replace(work, since=since.date().isoformat() if since else "")
        if via:
            work = replace(work, campaign=with_routes(work.campaign, routes_of(via)))
        # Who chooses a route wants it asked, also where nothing has changed since another one was.
        sys.exit(perform(shell, work, ("harvest", "images"), again or bool(since or via)))


@click.group(cls=CampaignFirst, default=harvest_campaign)
def harvest() -> None:
    """Bring home the tags and images of the campaign in file CAMPAIGN, or do what a COMMAND says.

    Asks only for what is not there yet; what was stopped goes on where it stopped. docs/harvest.md tells which route to
    choose.
    """


for command in (compare, save):
    harvest.add_command(command)
