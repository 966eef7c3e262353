"""The commands that publish: `deboodt publish dumps` and `deboodt publish check`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from identify.cli.shell import LEFT_OVER, Shell

if TYPE_CHECKING:
    from linkeddata.preflight.findings import Finding
    from linkeddata.settings import Settings


@click.group()
def publish() -> None:
    """Write what is published into files for others."""


@publish.command()
@click.option("--out", "-o", type=click.Path(file_okay=False, path_type=Path), help="Folder (default: dumps in home).")
@click.option("--day", default="", metavar="YYYY-MM-DD", help="Only what was said on this day.")
@click.option("--basis-of-record", default="Occurrence", show_default=True, help="What the archive calls a specimen.")
@click.pass_obj
def dumps(shell: Shell, out: Path | None, day: str, basis_of_record: str) -> None:
    """Write N-Quads, JSON-LD lines, a Darwin Core Archive and Parquet, with their checksums."""
    from datetime import date

    from linkeddata.dumps import write_dumps
    from linkeddata.store import Store

    if day:
        try:
            date.fromisoformat(day)
        except ValueError as error:
            raise click.BadParameter(f"{day!r} is no day", param_hint="--day") from error
    settings = shell.settings()
    folder = out or settings.home_path / "dumps" / (day or "whole")
    with Store(settings.store) as store:
        sums = write_dumps(store, settings.base_url, folder, day=day, basis_of_record=basis_of_record)
    shell.result(
        {"folder": str(folder), "files": sums}, "\n".join(f"{digest}  {folder / name}" for name, digest in sums.items())
    )


@publish.command()
@click.option("--base-url", default="", metavar="URL", help="Look at what is served there (default: the home folder).")
@click.option(
    "--shapes", multiple=True, type=click.Path(dir_okay=False, path_type=Path), help="SHACL in Turtle; may be repeated."
)
@click.option("--samples", default=3, show_default=True, help="Documents of each kind that are looked at.")
@click.option("--whole", is_flag=True, help="Walk the whole feed, however long it is.")
@click.option("--notes", is_flag=True, help="Say also what nobody demands.")
@click.pass_obj
def check(shell: Shell, base_url: str, shapes: tuple[Path, ...], samples: int, whole: bool, notes: bool) -> None:
    """Look at what is published as its readers will: descriptions, documents, links, checksums, feed.

    Without --base-url the home folder is served on this machine for as long as it takes. Nothing elsewhere is asked.
    """
    from linkeddata.preflight.check import check as checked
    from linkeddata.preflight.findings import FAULT
    from linkeddata.preflight.shapes import read_shapes
    from linkeddata.preflight.visit import Visit

    settings = shell.settings(**({"base_url": base_url.rstrip("/")} if base_url else {}))
    handed_in = [read_shapes(path) for path in shapes]
    with _answering(settings, bool(base_url)) as address:
        visit = Visit(settings.base_url.rstrip("/"), address, samples=samples, pages=0 if whole else 100)
        found = list(checked(visit, handed_in, lambda name: shell.say(f"checking {name}")))
    faults = [one for one in found if one.level == FAULT]
    shown = found if notes else faults
    summary = _summary(found, faults, visit.asked, notes)
    data = {"base": visit.base, "asked": visit.asked, "faults": len(faults), "findings": [_plain(one) for one in shown]}
    shell.result(data, "\n".join([*(one.line() for one in shown), summary]))
    if faults:
        sys.exit(LEFT_OVER)


def _summary(found: "list[Finding]", faults: "list[Finding]", asked: int, notes: bool) -> str:
    count = len(found) - len(faults)
    more = f", {count} notes" + ("" if notes else " (--notes shows them)") if count else ""
    return f"{len(faults) or 'no'} faults{more}; {asked:,} questions asked"


def _plain(finding: "Finding") -> dict[str, str]:
    from dataclasses import asdict

    return asdict(finding)


@contextmanager
def _answering(settings: "Settings", there: bool) -> Iterator[str]:
    """Give the address that answers for the settings' base: that itself, or the home folder served here meanwhile."""
    if there:
        yield settings.base_url
        return
    import socket
    import threading

    import uvicorn

    from identify.app import create_app

    app = create_app(settings)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
