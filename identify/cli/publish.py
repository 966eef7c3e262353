"""The commands that publish: `deboodt publish dumps`."""

from pathlib import Path

import click

from identify.cli.shell import Shell


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
