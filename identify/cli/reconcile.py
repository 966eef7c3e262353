"""The command that says what became of an ISA campaign's tags, from what was harvested."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from identify.cli.shell import Shell, campaign_argument, opened_campaign, opened_progress

if TYPE_CHECKING:
    from harvest.reconcile import Fate


@click.command("reconcile")
@campaign_argument
@click.option(
    "--out",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Table of all tags: .csv, .tsv, .xlsx, .parquet.",
)
@click.pass_obj
def reconcile(shell: Shell, campaign: Path, out: Path | None) -> None:
    """Say what became of the tags of an ISA campaign: what survived, what was removed by whom, what was added besides.

    Lays the tool's CSV beside what Commons has now and what its page histories tell. All of it comes out of the store:
    nobody is asked anything. People are pseudonyms.
    """
    from harvest.reconcile import counts
    from identify.reconciled import fates

    with opened_progress(shell) as progress, opened_campaign(shell, campaign, progress) as work:
        found = fates(work)
    if out:
        _write(out, found)
    told = counts(found)
    data = {"campaign": work.campaign.id, "outcomes": told, "tags": [asdict(fate) for fate in found]}
    shell.result(data, "\n".join(_lines(told)))
    if out:
        shell.say(f"{len(found):,} tags in {out}")


def _write(path: Path, found: "Sequence[Fate]") -> None:
    from harvest.reconcile import COLUMNS
    from linkeddata.tablefiles import writing

    with writing(path, COLUMNS) as write:
        for fate in found:
            write([getattr(fate, column) for column in COLUMNS])


def _lines(told: dict[str, int]) -> Iterator[str]:
    from harvest.reconcile import OUTCOMES

    width = max(map(len, OUTCOMES))
    for outcome, number in told.items():
        yield f"{number:>8,}  {outcome:<{width}}  {OUTCOMES[outcome]}"
    yield f"{sum(told.values()):>8,}  in all"
