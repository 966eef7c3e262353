"""The commands that give results back to Wikimedia Commons."""

import secrets
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from identify.cli.shell import LEFT_OVER, Shell, campaign_argument, now

if TYPE_CHECKING:
    from crowd.commons_push import Outcome, Work

PAUSE_S = 10.0


@click.group()
def commons() -> None:
    """Give back to Wikimedia Commons what people have accepted."""


@commons.command("push")
@campaign_argument
@click.option("--write", is_flag=True, help="Edit. Without it nothing is changed: what would be is shown.")
@click.option("--limit", default=0, help="Edit or propose at most so many statements; 0 for all.")
@click.option("--pause", default=PAUSE_S, show_default=True, help="Seconds between two edits.")
@click.option(
    "--out", "-o", type=click.Path(file_okay=False, path_type=Path), help="Write sheets and a report into this folder."
)
@click.pass_obj
def push(shell: Shell, campaign: Path, write: bool, limit: int, pause: float, out: Path | None) -> None:
    """Propose what people have accepted as depicts statements (P180) on Commons.

    Prints the difference to what is there. With -o, the same as lines for QuickStatements and as an upload sheet.
    """
    from crowd.campaignfile import load_campaign
    from crowd.commons_proposals import Unfit, proposals
    from crowd.commons_push import ADD, REFUSED, UNANSWERED, Work, compared, counted, pushed
    from crowd.commons_sheets import write_sheets
    from crowd.commons_wiki import opened
    from identify.pipeline import SOFTWARE
    from linkeddata.errors import ContactRequiredError, ServiceError
    from linkeddata.store import Store

    settings = shell.settings()
    asked = load_campaign(campaign)
    if not settings.contact:
        raise ContactRequiredError("Commons is not asked without a contact address: set contact (DEBOODT_CONTACT)")
    outcomes: list[Outcome] = []
    with Store(settings.store) as store, opened(settings, write=write, pause_s=pause) as wiki:
        found = list(proposals(store, asked, entity=settings.commons_entity, base_url=settings.base_url))
        unfit = [one for one in found if isinstance(one, Unfit)]
        work = Work(
            store=store,
            campaign=asked.id,
            rules=asked.back,
            words=asked.back.summary or f"Depicts, accepted by people: {asked.title}",
            group=secrets.token_hex(6),
            agent=SOFTWARE.id,
            now=now,
            limit=limit,
            tries=settings.tries,
            wait_s=min(5.0, settings.longest_wait_s),
        )
        offered = [one for one in found if not isinstance(one, Unfit)]
        stopped = ""
        try:
            for outcome in (pushed if write else compared)(wiki, work, offered):
                outcomes.append(outcome)
                _show(shell, outcome, work)
        except ServiceError as error:
            stopped = str(error)
    moment = now()
    counts = counted(outcomes) | dict(Counter(one.reason for one in unfit))
    paths = write_sheets(out, outcomes, asked.back, moment, dry=not write) if out else []
    shell.result(
        {"counts": counts, "stopped": stopped, "group": work.group if write else "", "files": [*map(str, paths)]},
        "\n".join([*(f"{what}: {number}" for what, number in counts.items()), *map(str, paths)]),
    )
    if stopped:
        shell.say(f"stopped: {stopped}")
        sys.exit(ServiceError.exit_code)
    if not write and counts.get(ADD):
        shell.say("nothing was changed; --write edits")
    if any(one.action in (REFUSED, UNANSWERED) for one in outcomes):
        sys.exit(LEFT_OVER)


def _show(shell: Shell, outcome: "Outcome", work: "Work") -> None:
    """Print the difference that an outcome makes, or why it makes none."""
    from crowd.commons_edit import difference
    from crowd.commons_push import ADD, ADDED

    if shell.as_json:
        return
    known = outcome.proposal
    click.echo(f"{known.title or known.file} ({known.media})")
    if outcome.action in (ADD, ADDED):
        click.echo(difference(known, method=work.rules.method, stated_in=work.rules.stated_in))
        if outcome.action == ADDED:
            click.echo(f"    added in revision {outcome.revision}")
    else:
        click.echo(f"  {known.item} {known.name}".rstrip() + f": {outcome.action} {outcome.detail}".rstrip())
