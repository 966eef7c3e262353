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

from crowd.campaign import DumpSource
from crowd.campaignfile import with_routes
from identify.cli.compare import compare, dump_option, routes_of, save, settings_with
from identify.cli.reconcile import reconcile
from identify.cli.requests import log
from identify.cli.shell import (
    LEFT_OVER,
    Shell,
    again_option,
    campaign_argument,
    opened_campaign,
    opened_client,
    opened_progress,
    perform,
)


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
@click.option("--via", default="", metavar="ROUTES", help="Routes to try in this order: api,qlever,wcqs,wdqs,dump.")
@dump_option
@click.pass_obj
def harvest_campaign(
    shell: Shell, campaign: Path, again: bool, since: datetime | None, via: str, dumps: tuple[Path, ...]
) -> None:
    """Bring home the tags and images of the campaign in file CAMPAIGN.

    Asks only for what is not there yet; what was stopped goes on where it stopped. docs/harvest.md tells which route to
    choose.
    """
    settings = settings_with(shell, dumps)
    with opened_progress(shell) as progress, opened_campaign(shell, campaign, progress, settings) as work:
        work = replace(work, since=since.date().isoformat() if since else "")
        if via:
            work = replace(work, campaign=with_routes(work.campaign, routes_of(via)))
        # Who chooses a route wants it asked, also where nothing has changed since another one was.
        sys.exit(perform(shell, work, ("harvest", "images"), again or bool(since or via or dumps)))


@click.group(cls=CampaignFirst, default=harvest_campaign)
def harvest() -> None:
    """Bring home the tags and images of the campaign in file CAMPAIGN, or do what a COMMAND says.

    Asks only for what is not there yet; what was stopped goes on where it stopped. docs/harvest.md tells which route to
    choose.
    """


@harvest.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--property", "property_id", default="P180", show_default=True, help="Take statements of this property.")
@click.option("--taxon", default="", metavar="Q-ID", help="Only those with this item or one below it.")
@click.option("--taxa", type=click.Path(dir_okay=False, path_type=Path), help="Only those with an item of this list.")
@click.option(
    "--wikidata",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A dump of Wikidata, or its P171 statements in Parquet: says what is below --taxon, in place of its service.",
)
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the statements to this Parquet."
)
@click.option(
    "--campaign",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Campaign file: put files and tags into the store, for this campaign.",
)
@click.option("--processes", default=0, metavar="N", help="How many work at the same time; 0: one a core.")
@click.pass_obj
def dump(
    shell: Shell,
    files: tuple[Path, ...],
    property_id: str,
    taxon: str,
    taxa: Path | None,
    wikidata: Path | None,
    out: Path | None,
    campaign: Path | None,
    processes: int,
) -> None:
    """Read dumps of Commons' structured data or of Wikidata: FILE is entity JSON, plain, .gz or .bz2.

    With -o, each statement becomes a row of a Parquet file; with --campaign, files and P180 tags go into the store.
    What was stopped goes on where it stopped. Lines that are broken are reported and passed over; the exit code is 9
    when a dump is damaged or ends too early.
    """
    if bool(out) == bool(campaign):
        raise click.UsageError("say where to: -o FILE or --campaign FILE")
    source = DumpSource(
        files=tuple(str(path.absolute()) for path in files),
        taxon=taxon,
        taxa=str(taxa.absolute()) if taxa else "",
        wikidata=str(wikidata.absolute()) if wikidata else "",
    )
    if campaign:
        if property_id != "P180":
            raise click.UsageError("tags are P180 statements: --property belongs to -o")
        _dump_to_store(shell, source, campaign)
    elif out:
        _dump_to_parquet(shell, source, property_id, out, processes)


def _dump_to_store(shell: Shell, source: DumpSource, campaign: Path) -> None:
    from identify.harvesting import keep_source

    with opened_progress(shell) as progress, opened_campaign(shell, campaign, progress) as work:
        counts = keep_source(work, dump=(source,))
    shell.result(counts)


def _dump_to_parquet(shell: Shell, source: DumpSource, property_id: str, out: Path, processes: int) -> None:
    from harvest.dumps.extract import CUT_OFF_DUMP, DAMAGED, extract
    from harvest.dumps.records import taxon_items
    from harvest.dumps.statements import Wanted

    settings = shell.settings()
    with opened_progress(shell) as progress, opened_client(shell, settings, "dump", progress) as client:
        items = taxon_items(client, settings, source, progress)
        wanted = Wanted(property_id=property_id, items=items, commons_entity=settings.commons_entity)
        dumps = [Path(path) for path in source.files]
        found = extract(dumps, wanted, out.with_name(f".{out.name}.parts"), processes=processes, progress=progress)
    counts, failures = found.counts(), list(found.failures())
    found.write(out)
    found.remove()
    told = [f"{failure.subject}: {failure.reason}: {failure.detail}" for failure in failures]
    written = {"file": str(out), **counts}
    shell.result(
        written | {"failures": told}, "\n".join([*told, *(f"{key:<6} {value}" for key, value in written.items())])
    )
    sys.exit(LEFT_OVER if any(failure.reason in (CUT_OFF_DUMP, DAMAGED) for failure in failures) else 0)


for command in (compare, save, reconcile, log):
    harvest.add_command(command)
