"""The commands about what people say: `deboodt crowd agreement|next|gold`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from identify.cli.shell import Shell, campaign_argument, opened_campaign, opened_progress

if TYPE_CHECKING:
    from crowd.asking import Asked


@click.group()
def crowd() -> None:
    """Ask how people agree, whom to ask what next, and how well they know."""


@crowd.command()
@campaign_argument
@click.option("--method", default="", metavar="NAME", help="Count by this method in place of the campaign's.")
@click.pass_obj
def agreement(shell: Shell, campaign: Path, method: str) -> None:
    """Print Krippendorff's alpha of the campaign in file CAMPAIGN and of each branch, and how people know it.

    Counts the tags in the store without writing anything. People are told of in numbers only.
    """
    with opened_progress(shell) as progress, opened_campaign(shell, campaign, progress) as work:
        data = _counted(work, method)
    lines = [f"{'files':>7} {'votes':>8} {'alpha':>6}  branch"]
    lines += [
        f"{one['files']:>7,} {one['votes']:>8,} {_alpha(one['alpha'])}  {one['branch'] or 'the whole'}"
        for one in data["agreement"]
    ]
    lines += [f"{number:>7,} files: {why}" for why, number in data["files"].items()]
    shell.result(data, "\n".join(lines))


@crowd.command("next")
@campaign_argument
@click.option("--limit", default=20, show_default=True, help="How many files at most; 0 for all.")
@click.pass_obj
def ask_next(shell: Shell, campaign: Path, limit: int) -> None:
    """Print on which files of the campaign in file CAMPAIGN one more vote changes most, as it was counted last."""
    from crowd.asking import as_rows
    from identify.counting import asked_of
    from linkeddata.records import Label, MediaFile

    with opened_progress(shell) as progress, opened_campaign(shell, campaign, progress) as work:
        found = asked_of(work, work.store.each(Label, campaign=work.campaign.id))
        found = found[:limit] if limit else found
        titles = {one.iri: one.title for one in work.store.among(MediaFile, "iri", (one.file for one in found))}
    shell.result(as_rows(found, titles), "\n".join(_line(one, titles) for one in found) or "no files")


@crowd.command()
@campaign_argument
@click.pass_obj
def gold(shell: Shell, campaign: Path) -> None:
    """Print how the crowd of the campaign in file CAMPAIGN answers the questions whose answer is known."""
    with opened_progress(shell) as progress, opened_campaign(shell, campaign, progress) as work:
        data = _counted(work, "")["gold"]
    words = f"{data['right']} of {data['answered']} right, {data['exact']} to the taxon"
    shell.result(data, f"{data['questions']} gold questions, {data['answered']} with an accepted label: {words}")


def _counted(work: Any, method: str) -> dict[str, Any]:
    from dataclasses import replace

    from identify.counting import Passed, agreement_of, counting_of

    counting = counting_of(work)
    if method:
        counting = replace(counting, rules=replace(counting.rules, method=method))
    told = counting.counted()
    passed = Passed(work, counting.gold)
    for _ in passed.passing(told.labels):
        pass  # they are only looked at
    return agreement_of(work, counting, told, passed)


def _alpha(value: float | None) -> str:
    return f"{value:>6.3f}" if value is not None else f"{'-':>6}"


def _line(one: "Asked", titles: dict[str, str]) -> str:
    said = ", ".join(one.names) or "-"
    return f"{one.change:>6.3f}  {one.why:<10}  {titles.get(one.file) or one.file}: {said}"
