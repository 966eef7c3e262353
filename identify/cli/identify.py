"""The command that names images: folders, files, addresses and manifests, to a file that says what each shows."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from identify.cli.shell import LEFT_OVER, Shell, now, opened_client, opened_progress
from linkeddata.settings import Settings

if TYPE_CHECKING:
    from identify.decide import Asked
    from identify.files import Item
    from identify.journal import Journal
    from identify.pipeline import Progress
    from identify.runtime import Classifier

readable = click.Path(exists=True, dir_okay=False, path_type=Path)
THUMBNAIL_PX = 200


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="FILE|DIR|URL|MANIFEST...")
@click.option("--model", required=True, metavar="DIR|NAME", help="Model bundle: its folder, or NAME[@VERSION] in home.")
@click.option("--out", "-o", type=click.Path(dir_okay=False, path_type=Path), help=".jsonl, .csv, .parquet or .jsonld.")
@click.option("--checklist", type=readable, help="Taxa that occur there, one a line: names, Q-ids or GBIF keys.")
@click.option("--size-mm", default="", help="Size of the objects in millimetres: 12 or 12-14.")
@click.option("--years", default="", help="When they were found: 1832 or 1810-1840.")
@click.option("--precision", default=0.0, help="Share of right answers that 'certain' is to stand for.")
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path), help="Write a page of thumbnails, too.")
@click.option("--cms", "profile", help="Write import files of certain answers for this profile of a museum's system.")
@click.option("--since-export", "base", type=readable, help="With --cms: the museum's last export; only what it lacks.")
@click.option("--cms-out", type=click.Path(file_okay=False, path_type=Path), help="With --cms: folder for the files.")
@click.option("--again", is_flag=True, help="Begin anew, even where a killed run left answers.")
@click.pass_obj
def identify(
    shell: Shell,
    sources: tuple[str, ...],
    model: str,
    out: Path | None,
    checklist: Path | None,
    size_mm: str,
    years: str,
    precision: float,
    page: Path | None,
    profile: str | None,
    base: Path | None,
    cms_out: Path | None,
    again: bool,
) -> None:
    """Identify images with a model: files, folders, addresses, or manifests (tables with a column of files).

    Rows of a manifest that name the same object (column `object`) are one observation of up to ten images. A run that
    was stopped or killed goes on where it was; broken images are listed, not fatal.
    """
    from identify.answerfiles import written
    from identify.files import items_of, line_of, opened
    from identify.modelfolders import folder_of

    _refuse_early(out, profile, cms_out)
    settings = shell.settings()
    answers: list[dict[str, Any]] = []
    asked = _asked(checklist, size_mm, years, precision)
    folder_of(model, settings.home_path)
    with opened_progress(shell) as progress, opened_client(shell, settings, "identify", progress) as client:

        def fetch(url: str) -> bytes:
            return client.get_bytes(url, limit=settings.max_image_bytes)

        items = list(items_of(sources, fetch))
        classifier = opened(settings, model)
        journal = _journal(out, classifier, asked, again)
        if journal is None:
            answers = list(_answers(classifier, items, asked, progress))
            shell.result([_shown(row) for row in answers], "\n".join(map(line_of, answers)))
        else:
            _kept(shell, journal, classifier, items, asked, progress)

    def rows() -> Iterator[dict[str, Any]]:
        return iter(answers) if journal is None else journal.in_order(item.key for item in items)

    if out is not None:
        shell.say(f"{written(out, rows(), settings.base_url):,} answers in {out}")
    if page is not None:
        _page(shell, page, items, rows())
    if profile is not None:
        _into_system(shell, settings, profile, base, cms_out or Path("import"), rows())
    lost = [_lost_line(row) for row in rows() if "lost" in row or row.get("lost_images")]
    unanswered = any("lost" in row for row in rows())
    if journal is not None:
        journal.done()
        if lost:
            shell.say("\n".join(["without an answer, or with an image that could not be read:", *lost]))
    if unanswered:
        sys.exit(LEFT_OVER)


def _kept(
    shell: Shell,
    journal: "Journal",
    classifier: "Classifier",
    items: "Sequence[Item]",
    asked: "Asked",
    progress: "Progress",
) -> None:
    """Answer what the journal has no answer to yet, and write it down there."""
    with journal:
        before = journal.keys()
        rest = [item for item in items if item.key not in before]
        if len(rest) < len(items):
            shell.say(f"{len(items) - len(rest):,} were answered before")
        for row in _answers(classifier, rest, asked, progress, len(items) - len(rest)):
            journal.keep(row)


def _refuse_early(out: Path | None, profile: str | None, cms_out: Path | None) -> None:
    """Raise ``UsageError`` for what would only be found out at the end."""
    from identify.answerfiles import WRITERS
    from linkeddata.errors import UsageError

    if out is not None and out.suffix.lower() not in WRITERS:
        raise UsageError(f"{out}: answers are written as {', '.join(WRITERS)}")
    if cms_out is not None and profile is None:
        raise UsageError("--cms-out needs --cms PROFILE")
    if profile is not None:
        from crowd.cms.profilefile import load_profile

        load_profile(profile)


def _asked(checklist: Path | None, size_mm: str, years: str, precision: float) -> "Asked":
    from identify.decide import Asked
    from identify.information import span
    from linkeddata.errors import UsageError

    lines = checklist.read_text(encoding="utf-8").splitlines() if checklist else []
    try:
        return Asked(
            checklist=frozenset(line.strip() for line in lines if line.strip()),
            size_mm=span(size_mm),
            years=span(years),
            precision=precision,
        )
    except ValueError as error:
        raise UsageError(str(error)) from error


def _answers(
    classifier: "Classifier", items: "Sequence[Item]", asked: "Asked", progress: "Progress", done: int = 0
) -> Iterator[dict[str, Any]]:
    from identify.files import identify_items

    return identify_items(classifier, items, moment=now(), progress=progress, asked=asked, done=done)


def _journal(out: Path | None, classifier: "Classifier", asked: "Asked", again: bool) -> "Journal | None":
    from identify.journal import Journal

    if out is None:
        return None
    about = classifier.bundle.about
    known = {"checklist": sorted(asked.checklist), "size_mm": asked.size_mm, "years": asked.years}
    question = {
        "model": about.name,
        "version": about.version,
        "weights": classifier.weights,
        "asked": {**{name: list(value) for name, value in known.items()}, "precision": asked.precision},
    }
    journal = Journal(out, question)
    if again:
        journal.done()
    return journal


def _page(shell: Shell, path: Path, items: "Sequence[Item]", rows: Iterator[dict[str, Any]]) -> None:
    from base64 import b64encode

    from identify.answerfiles import page
    from linkeddata.files import replaced
    from linkeddata.thumbnails import thumbnail

    by_key = {item.key: item for item in items}

    def small(row: Any) -> str:
        try:
            data = thumbnail(by_key[row["key"]].sources[0].read_bytes(), THUMBNAIL_PX)
        except (OSError, ValueError):
            return ""
        return "data:image/jpeg;base64," + b64encode(data).decode()

    with replaced(path) as out:
        page(out, rows, f"{len(items):,} answers", small)
    shell.say(f"thumbnails in {path}")


def _into_system(
    shell: Shell, settings: Settings, name: str, base: Path | None, folder: Path, rows: Iterator[dict[str, Any]]
) -> None:
    """Write import files of what is certain. Whoever asks for it here wants a machine's answers, marked as such."""
    from dataclasses import replace

    from crowd.cms.delivery import deliver, write
    from crowd.cms.determinations import Claims
    from crowd.cms.profilefile import load_profile
    from crowd.cms.report import report_of, report_text
    from crowd.cms.table import load_table
    from identify.answerfiles import identification_of, media_of

    profile = replace(load_profile(name), unverified=True)
    certain = [row for row in rows if row.get("word") == "certain"]
    claims = Claims(
        files=tuple(map(media_of, certain)),
        identifications=tuple(map(identification_of, certain)),
        base_url=settings.base_url,
    )
    said = deliver(claims, profile, load_table(base, profile.csv) if base else None)
    made = write(said, folder, now=now)
    names = [path.name for path in made if "-report." not in path.name]
    shell.say(report_text(report_of(said, names, now())).rstrip())
    shell.say(f"{len(certain):,} answers are certain; in {folder}: {', '.join(p.name for p in made)}")


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "key"}


def _lost_line(row: dict[str, Any]) -> str:
    if "lost" in row:
        return f"  {row['path']}: {row['lost']} {row['detail']}".rstrip()
    return f"  {row['path']}: {'; '.join(row['lost_images'])}"
