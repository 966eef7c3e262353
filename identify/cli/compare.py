"""The commands that keep what a route says, and lay two routes or harvests side by side."""

import csv
import io
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from identify.cli.shell import Shell, campaign_argument, now, opened_campaign, opened_progress
from linkeddata.errors import UsageError

if TYPE_CHECKING:
    from harvest.compare import Difference, Side
    from harvest.reach import Reach
    from harvest.records import Harvested
    from harvest.sides import Told
    from identify.pipeline import Run
    from linkeddata.settings import Settings

SHOWN = 200
"""Differences that are printed; a CSV and --json have all."""


def routes_of(text: str) -> tuple[str, ...]:
    """Return the routes in an option such as ``api,qlever``. Raises ``CampaignError`` for one that there is not."""
    from crowd.campaignfile import check_routes

    routes = tuple(filter(None, (route.strip() for route in text.split(","))))
    check_routes("--via", routes)
    return routes


dump_option = click.option(
    "--dump",
    "dumps",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A dump that the route dump reads; may be repeated.",
)


def settings_with(shell: Shell, dumps: tuple[Path, ...]) -> "Settings":
    """Return the settings, with these dumps in place of theirs where some are given. Raises ``UsageError``."""
    if any("," in str(path) for path in dumps):
        raise UsageError("--dump: no comma in the name of a file, please")
    return shell.settings(**({"dump_files": ",".join(map(str, dumps))} if dumps else {}))


@click.command("save")
@campaign_argument
@click.option("--via", default="api", show_default=True, metavar="ROUTES", help="Routes to try, such as qlever,api.")
@dump_option
@click.option("--out", "-o", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write.")
@click.pass_obj
def save(shell: Shell, campaign: Path, via: str, dumps: tuple[Path, ...], out: Path) -> None:
    """Write what the routes say now about the campaign in file CAMPAIGN to a file, and leave the store alone.

    JSON lines: a head with the moment, the route that answered and its index date, then one record a line. `deboodt
    harvest compare` reads it.
    """
    from harvest.sides import gather
    from harvest.sides import save as written

    settings = settings_with(shell, dumps)
    with opened_progress(shell) as progress, opened_campaign(shell, campaign, progress, settings) as work:
        records, told = gather(_reach(work), routes_of(via))
        head = {"campaign": work.campaign.id, "moment": work.now(), "answers": told.answers}
        count = written(out, records, head)
    routes = ", ".join(dict.fromkeys(str(answer["route"]) for answer in told.answers))
    shell.result({"records": count, "file": str(out), **head}, f"{count:,} records by {routes} in {out}")


@click.command("compare")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option(
    "--campaign", type=click.Path(dir_okay=False, path_type=Path), help="Campaign file, where A or B is a route."
)
@dump_option
@click.option("--out", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write all differences as CSV here.")
@click.pass_obj
def compare(shell: Shell, a: str, b: str, campaign: Path | None, dumps: tuple[Path, ...], out: Path | None) -> None:
    """Show where two routes differ, statement by statement, with the likely reason.

    A and B are routes (api, qlever, wcqs, wdqs, dump), files that `deboodt harvest save` wrote, or folders of De Boodt
    (--home). Routes are asked now, and again about the files in which they differ.
    """
    from harvest.compare import differences

    names = (_written(a), _written(b))
    if campaign is None:
        missing = next((name for name in names if isinstance(name, str)), "")
        if missing:
            raise UsageError(f"{missing} is no file or folder; to ask a route, name the campaign file: --campaign FILE")
        sides = (_kept(names[0], ""), _kept(names[1], ""))
    else:
        settings = settings_with(shell, dumps)
        with opened_progress(shell) as progress, opened_campaign(shell, campaign, progress, settings) as work:
            sides = _asked(work, names)
    found = list(differences(*sides))
    if out:
        _write(out, found)
    _show(shell, sides, found, out)


def _written(name: str) -> Path | str:
    """Return the path of a saved harvest, or the name of a route."""
    from crowd.campaign import ROUTES

    return name if name in ROUTES or not Path(name).exists() else Path(name)


def _asked(work: "Run", names: "tuple[Path | str, Path | str]") -> "tuple[Side, Side]":
    """Return two sides: routes asked now, and once more about the files in which they differ."""
    from harvest.compare import differences
    from harvest.sides import by_route, look_again

    reach = _reach(work)
    sides: list[Side] = []
    routes: list[Told | None] = []
    for name in names:
        if isinstance(name, Path):
            sides.append(_kept(name, work.campaign.id))
            routes.append(None)
            continue
        side, told = by_route(reach, *routes_of(name))
        sides.append(side)
        routes.append(told)
    files = {one.file for one in differences(sides[0], sides[1])}
    again = [look_again(reach, side, told, files) if told else side for side, told in zip(sides, routes, strict=True)]
    return again[0], again[1]


def _reach(work: "Run") -> "Reach":
    from identify.harvesting import reach_of

    return replace(reach_of(work), known={})


def _kept(path: "Path | str", campaign: str) -> "Side":
    """Return the side in a file of JSON lines, or in the store of a folder of De Boodt."""
    from harvest.compare import side_of
    from harvest.sides import saved
    from linkeddata.records import Failure, MediaFile, Tag
    from linkeddata.store import Store

    path = Path(path)
    if not path.is_dir():
        return saved(path)
    database = path / "deboodt.sqlite"
    if not database.is_file():
        raise UsageError(f"{path} is no folder of De Boodt: there is no deboodt.sqlite in it")
    own = {"campaign": campaign} if campaign else {}
    with Store(f"sqlite:///{database}") as store:
        records: list[Harvested] = [*store.each(MediaFile), *store.each(Tag, **own), *store.each(Failure, **own)]
        return side_of(path.name, records)


def _write(path: Path, found: "list[Difference]") -> None:
    from harvest.compare import COLUMNS
    from linkeddata.files import replaced

    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS)
    table.writeheader()
    table.writerows(asdict(one) for one in found)
    with replaced(path) as out:
        out.write(text.getvalue().encode("utf-8-sig"))  # with a mark, so that spreadsheets read it as UTF-8


def _show(shell: Shell, sides: "tuple[Side, Side]", found: "list[Difference]", out: Path | None) -> None:
    counts = Counter(one.reason for one in found)
    told = [
        {"name": side.name, "statements": sum(s.stands for s in side.stated), "moment": side.moment} for side in sides
    ]
    data = {"moment": now(), "sides": told, "reasons": dict(counts), "differences": [asdict(one) for one in found]}
    shell.result(data, "\n".join(_lines(sides, found, counts)))
    if out:
        shell.say(f"{len(found)} differences in {out}")
    elif len(found) > SHOWN:
        shell.say(f"{len(found) - SHOWN} more; -o FILE or --json has all")


def _lines(sides: "tuple[Side, Side]", found: "list[Difference]", counts: Counter[str]) -> "list[str]":
    lines = []
    for side in sides:
        fresh = f", knows the wiki up to {side.moment}" if side.moment else ""
        lines.append(f"{side.name}: {sum(one.stands for one in side.stated):,} statements{fresh}")
    lines += [f"{len(found):,} differences", *(f"  {count:>6,}  {reason}" for reason, count in counts.most_common())]
    if found:
        head = (("file", "item", sides[0].name, sides[1].name, "reason", "detail"),)
        rows = [*head, *((_name(one), one.item, one.a, one.b, one.reason, one.detail) for one in found[:SHOWN])]
        widths = [max(len(row[column]) for row in rows) for column in range(5)]
        lines += ["", *("  ".join((*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[5])) for row in rows)]
    return lines


def _name(one: "Difference") -> str:
    return one.title.removeprefix("File:") or one.file.rpartition("/")[2]
