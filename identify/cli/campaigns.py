"""The commands that do the steps of a campaign: all of them, or one at a time."""

import sys
from pathlib import Path

import click

from identify.cli.shell import (
    Shell,
    again_option,
    campaign_argument,
    opened_campaign,
    opened_progress,
    perform,
    print_summary,
    step_command,
)


@click.command()
@campaign_argument
@again_option
@click.option("--step", "steps", multiple=True, metavar="STEP", help="Only this step (may be given several times).")
@click.pass_obj
def run(shell: Shell, campaign: Path, again: bool, steps: tuple[str, ...]) -> None:
    """Do every step of the campaign in file CAMPAIGN that is not done yet.

    Steps: harvest, images, names, count, dataset, train, identify, publish, export. What is done and unchanged is
    skipped; what was stopped goes on. Ends with a summary and an HTML report.
    """
    with opened_progress(shell) as progress, opened_campaign(shell, campaign, progress) as work:
        sys.exit(perform(shell, work, steps, again))


count = step_command("count", ("count",), "Count the tags of the campaign in file CAMPAIGN into labels.")


@click.command()
@campaign_argument
@click.pass_obj
def report(shell: Shell, campaign: Path) -> None:
    """Write the HTML report of the campaign in file CAMPAIGN again and print the summary."""
    from identify.report import summary, write_report

    with opened_progress(shell) as progress, opened_campaign(shell, campaign, progress) as work:
        path = write_report(work)
        print_summary(shell, summary(work), [], path)


@click.command()
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
        opened_progress(shell) as progress,
        sample_services(Path(out), per_engraver=plates, broken=broken, progress=progress, port=port) as (
            settings,
            campaign,
        ),
        opened_campaign(shell, campaign, progress, settings) as work,
    ):
        code = perform(shell, work, (), False)
    shell.say(f"see it in a browser:  deboodt --home {out} serve")
    sys.exit(code)
