"""``deboodt harvest log``: what was asked of whom, how it ended and what it cost."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from identify.cli.shell import Shell
from linkeddata.settings import Settings

if TYPE_CHECKING:
    from linkeddata.requestlog import Sum

STEPS = ("harvest", "images")
"""The steps of a campaign that go out."""


@click.command("log")
@click.argument("campaign", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON, for machines.")
@click.pass_obj
def log(shell: Shell, campaign: Path | None, as_json: bool) -> None:
    """Print what was asked of whom, how it ended and what it cost, by run, route and host.

    Of all campaigns, or of the one in file CAMPAIGN, with what it lost on the way and why.
    """
    from dataclasses import asdict

    from crowd.campaignfile import load_campaign
    from linkeddata.requestlog import FILE, read_log, summed

    shell.as_json = shell.as_json or as_json
    settings = shell.settings()
    subject = load_campaign(campaign).id if campaign else ""
    counted = read_log(settings.home_path / FILE, subject=subject)
    lost = _lost(settings, subject) if subject else []
    lines = [
        *_request_lines(summed(counted)),
        *(f"{number:>9,} lost: {reason} ({step})" for step, reason, number in lost),
    ]
    data = {
        "requests": [asdict(one) for one in counted],
        "lost": [{"step": step, "reason": reason, "count": number} for step, reason, number in lost],
    }
    shell.result(data, "\n".join(lines) or "nothing was asked yet")


def _lost(settings: Settings, campaign: str) -> list[tuple[str, str, int]]:
    """Return step, reason and number of what the harvest of a campaign lost, as the store has it now."""
    from collections import Counter

    from linkeddata.records import Failure
    from linkeddata.store import Store

    with Store(settings.store) as store:
        found = [failure for step in STEPS for failure in store.each(Failure, campaign=campaign, step=step)]
    return [(step, reason, number) for (step, reason), number in Counter((f.step, f.reason) for f in found).items()]


def _request_lines(sums: "list[Sum]") -> list[str]:
    """Return the counts as a table: a heading for each run, a line for each route and host."""
    lines = []
    run = 0
    for one in sums:
        if one.run != run:
            run = one.run
            lines += ["", f"run {run} of {one.subject}, {one.begun}", _HEADING]
        outcomes = ", ".join(f"{number:,} {kind}" for kind, number in one.outcomes)
        lines.append(f"{one.route:<10} {one.host:<28} {_figures([one])}  {outcomes}")
    if len(sums) > 1:
        lines += ["", f"{'total':<39} {_figures(sums)}"]
    return lines[1:]


def _figures(sums: "list[Sum]") -> str:
    """Return what these cost together: requests, megabytes, retries and seconds waited, in columns."""
    asked, retries = sum(one.requests for one in sums), sum(one.retries for one in sums)
    size_mb, waited_s = sum(one.bytes for one in sums) / 1e6, sum(one.waited_s for one in sums)
    return f"{asked:>9,} {size_mb:>9,.1f} {retries:>8,} {waited_s:>9,.0f}"


_HEADING = f"{'route':<10} {'host':<28} {'requests':>9} {'MB':>9} {'retries':>8} {'waited s':>9}  outcomes"
