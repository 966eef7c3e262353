"""The command that gives results back to a museum's own system."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from identify.cli.shell import Shell, again_option, campaign_argument, now, opened_campaign, opened_progress, perform

if TYPE_CHECKING:
    from crowd.cms.delivered import Delivery
    from crowd.cms.profile import Profile
    from crowd.cms.table import Table

readable = click.Path(exists=True, dir_okay=False, path_type=Path)

ROWS = 10
"""Rows of a table of the report that a terminal is shown; the files have all."""


@click.group()
def export() -> None:
    """Give results back to a museum's own system."""


@export.command()
@click.argument("campaign", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--profile", help="A profile by name (axiell, darwin-core, rijksmuseum, tms) or the path of a TOML file.")
@click.option("--since-export", "base", type=readable, help="The museum's last export: only the difference goes out.")
@click.option("--out", "-o", type=click.Path(file_okay=False, path_type=Path), help="Folder for the files.")
@click.option("--format", "formats", multiple=True, help="csv, adlibxml or tagged; all that the profile has, if none.")
@click.option("--key", help="The update key: a column of the export, in place of the profile's.")
@click.option(
    "--earlier", multiple=True, type=readable, help="Report of an earlier import, if its notes are not exported."
)
@click.option("--undo", type=readable, help="Report of an import that is to be taken back out of --since-export.")
@click.option("--check", is_flag=True, help="Try it on a copy of the export, print the report, write nothing.")
@again_option
@click.pass_obj
def cms(
    shell: Shell,
    campaign: Path | None,
    profile: str | None,
    base: Path | None,
    out: Path | None,
    formats: tuple[str, ...],
    key: str | None,
    earlier: tuple[Path, ...],
    undo: Path | None,
    check: bool,
    again: bool,
) -> None:
    """Write import files for a collection management system: what people accepted and it has not yet.

    With the museum's own last export only the difference is written, with a file that takes it back and a report; done
    on its own result it writes nothing. CAMPAIGN alone does the export step of that campaign file; no CAMPAIGN is all
    that the store has.
    """
    if campaign and not any((profile, base, out, formats, key, earlier, undo, check)):
        with opened_progress(shell) as progress, opened_campaign(shell, campaign, progress) as work:
            sys.exit(perform(shell, work, ("export",), again))
    rules = _profile(campaign, profile, key)
    table = _base(campaign, base, rules)
    if undo:
        _undo(shell, undo, rules, table, out, formats)
        return
    said = _delivered(shell, campaign, rules, table, earlier)
    _tell(shell, said, None if check else out, formats)


def _profile(campaign: Path | None, name: str | None, key: str | None) -> "Profile":
    from crowd.campaignfile import load_campaign
    from crowd.cms.profilefile import load_profile
    from identify.givenback import profile_of
    from linkeddata.errors import UsageError

    asked = load_campaign(campaign) if campaign else None
    if not name and not (asked and asked.export.profile):
        raise UsageError("no profile: give --profile, or a CAMPAIGN with one")
    if name and (Path(name).is_file() or asked is None):
        profile = load_profile(name)
    else:
        assert asked is not None  # noqa: S101 - refused above
        profile = profile_of(asked, name or "")
    keys = {one.column: one for one in (profile.key, profile.object_number)}
    if key and key not in keys:
        raise UsageError(f"--key {key}: profile {profile.name} knows {' and '.join(keys)}")
    return replace(profile, key=keys[key]) if key else profile


def _base(campaign: Path | None, base: Path | None, profile: "Profile") -> "Table | None":
    from crowd.campaignfile import load_campaign
    from crowd.cms.table import load_table

    if base is None and campaign and (named := load_campaign(campaign).export.base):
        base = campaign.parent / named
    return load_table(base, profile.csv) if base else None


def _delivered(
    shell: Shell, campaign: Path | None, profile: "Profile", base: "Table | None", earlier: Sequence[Path]
) -> "Delivery":
    from crowd.campaignfile import load_campaign
    from crowd.cms.claims import claims_of
    from crowd.cms.delivery import deliver
    from crowd.cms.earlier import added, read_report
    from linkeddata.store import Store

    settings = shell.settings()
    names = [load_campaign(campaign).id] if campaign else []
    before = [one for path in earlier for one in added(read_report(path))]
    with Store(settings.store) as store:
        claims = claims_of(store, names, base_url=settings.base_url)
    return deliver(claims, profile, base, campaigns=names, earlier=before)


def _tell(shell: Shell, said: "Delivery", out: Path | None, formats: Sequence[str]) -> None:
    from crowd.cms.delivery import write
    from crowd.cms.formats import formats_of
    from crowd.cms.report import report_of, report_text

    formats_of(said.profile, formats)
    written: list[Path] = []
    if out and not (said.empty and said.base is not None and any(out.glob(f"{said.profile.name}-report.json"))):
        written = write(said, out, formats=formats, now=now)
    names = [path.name for path in written if "-report." not in path.name]
    report = report_of(said, names, now())
    shell.result(report, report_text(report, ROWS if written else None).rstrip())
    if written:
        shell.say(f"in {out}: {', '.join(path.name for path in written)}")


def _undo(
    shell: Shell, path: Path, profile: "Profile", base: "Table | None", out: Path | None, formats: Sequence[str]
) -> None:
    from crowd.cms.delivery import undo_later
    from crowd.cms.earlier import read_report
    from linkeddata.errors import UsageError

    if base is None or out is None:
        raise UsageError("--undo needs --since-export, the export as it is now, and --out")
    found, written = undo_later(read_report(path), profile, base, out, formats)
    names = [one.name for one in written]
    shell.result(
        {"determinations": found, "written": names}, f"{found:,} determinations to take back: {', '.join(names)}"
    )


@export.command()
@campaign_argument
@click.option(
    "--out", "-o", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Table: .csv, .xlsx …"
)
@click.pass_obj
def joins(shell: Shell, campaign: Path, out: Path) -> None:
    """Ask Commons which object the files of CAMPAIGN show that have no inventory number (P217).

    Reads the templates of their pages and writes a table of file and object, to be looked at and named in the campaign
    file ([export] table). A file with two numbers has two lines, and is refused until one is deleted.
    """
    from harvest.filepages import template_numbers
    from harvest.wiki import Api
    from linkeddata.tablefiles import writing

    with opened_progress(shell) as progress, opened_campaign(shell, campaign, progress) as work:
        files = [media.iri for media in work.store.files_of(work.campaign.id) if not media.inventory_number]
        found = list(template_numbers(Api.of(work.client, work.settings), files))
    with writing(out, ("file", "object")) as write:
        for row in found:
            write(row)
    told = {"files without P217": len(files), "with a number on their page": len({file for file, _ in found})}
    shell.result(told)
