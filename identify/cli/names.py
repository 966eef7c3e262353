"""The commands about names: resolve, index, link, check."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from identify.cli.shell import LEFT_OVER, Shell, now, opened_client, opened_progress, step_command
from linkeddata.settings import Settings

if TYPE_CHECKING:
    from identify.pipeline import Progress
    from linkeddata.links import Subject
    from linkeddata.namefiles import Ask


@click.group()
def names() -> None:
    """Resolve names to accepted taxa and link them to Wikidata and GBIF."""


names.add_command(step_command("campaign", ("names",), "Resolve and link every name in the tags of file CAMPAIGN."))


@names.command("resolve")
@click.argument("queries", nargs=-1, required=True, metavar="FILE|NAME...")
@click.option("--column", default="", metavar="NAME|N", help="Column of FILE with the names: its heading, or number.")
@click.option("--header/--no-header", default=None, help="Whether FILE's first row names the columns.")
@click.option("--index", type=click.Path(dir_okay=False, path_type=Path), help="Name index; default: the settings'.")
@click.option("--source", "sources", multiple=True, help="Ask index, gbif, col, worms, wikidata or all; repeatable.")
@click.option("--fresh", is_flag=True, help="Ask services again what they answered in the last 30 days.")
@click.option("--rank", default="", metavar="RANK", help="Merge what is below RANK into it, such as species.")
@click.option("--out", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write FILE with answers here.")
@click.pass_obj
def names_resolve(
    shell: Shell,
    queries: tuple[str, ...],
    column: str,
    header: bool | None,
    index: Path | None,
    sources: tuple[str, ...],
    fresh: bool,
    rank: str,
    out: Path | None,
) -> None:
    """Resolve each NAME, or the names in a column of FILE, to accepted taxa.

    A NAME is any spelling, a vernacular name or an identifier (Q158603, gbif:4299368). FILE is CSV, TSV, TXT, XLSX or
    Parquet; every row comes out, in order, with GBIF's columns after its own (as CSV on stdout without --out). Asks the
    name index where there is one, else GBIF, WoRMS and Wikidata.
    """
    settings = shell.settings()
    with _answering(shell, settings, index, sources, fresh) as ask:
        if column or out or (len(queries) == 1 and Path(queries[0]).is_file()):
            sys.exit(_resolve_file(shell, queries, ask, out, column=column, heading=header, merge_to=rank))
        sys.exit(_resolve_words(shell, queries, ask, rank))


@contextmanager
def _answering(
    shell: Shell, settings: Settings, index: Path | None, sources: tuple[str, ...], fresh: bool = False
) -> "Iterator[Ask]":
    """Give who answers names: the sources that were named, else the index there is, else all services."""
    from contextlib import ExitStack
    from functools import partial

    with ExitStack() as opened:
        names = None
        if (path := index or settings.index_path) and (not sources or "index" in sources):
            from linkeddata.nameindex.index import open_index
            from linkeddata.nameindex.resolve import resolve_names

            names = opened.enter_context(open_index(path))
            if not sources:
                yield partial(resolve_names, names)
                return
        from linkeddata.answercache import KEPT_DAYS, AnswerCache
        from linkeddata.namesources import Services, ask

        kept = settings.home_path / "names-answers.sqlite"
        cache = opened.enter_context(AnswerCache(kept, days=0 if fresh else KEPT_DAYS))
        client = opened.enter_context(opened_client(shell, settings, "names"))
        yield ask(sources or ("all",), Services(client, settings, now(), cache=cache, index=names))


def _resolve_words(shell: Shell, words: tuple[str, ...], ask: "Ask", rank: str) -> int:
    from linkeddata.nameforms import document_of, line_of
    from linkeddata.nameindex.answers import NameQuery
    from linkeddata.records import Failure

    answers = list(ask([NameQuery(word, merge_to=rank) for word in words]))
    shell.result([document_of(answer) for answer in answers], "\n".join(map(line_of, answers)))
    return LEFT_OVER if any(isinstance(answer, Failure) for answer in answers) else 0


def _resolve_file(shell: Shell, paths: tuple[str, ...], ask: "Ask", out: Path | None, **how: Any) -> int:
    """Write the file with its answers and print what became of its rows."""
    from linkeddata.namefiles import resolve_file

    if len(paths) > 1:
        raise click.UsageError("one FILE at a time")
    with opened_progress(shell) as progress:
        to = out or sys.stdout.buffer
        done = resolve_file(Path(paths[0]), ask, to, progress=progress, **how)
    if out:
        shell.result(done.data() | {"out": str(out)}, f"{done.text()}\n{out}")
    else:
        shell.say(done.text())
    return LEFT_OVER if done.not_answered else 0


@names.command("index")
@click.argument("sources", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="SOURCE...")
@click.option("--out", "-o", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write.")
@click.option("--checklist-key", default="", metavar="UUID", help="checklistKey of SOURCE, where it does not say so.")
@click.pass_obj
def names_index(shell: Shell, sources: tuple[Path, ...], out: Path, checklist_key: str) -> None:
    """Build a name index of checklists, to resolve names without the Internet.

    A SOURCE is GBIF's simple.txt(.gz), a Darwin Core Archive, ColDP, a TSV with GBIF's columns, AviList's CSV, or
    ChecklistBank's crosswalk of GBIF keys to COL ids. A build that is stopped leaves the old index.
    """
    from dataclasses import asdict

    from linkeddata.nameindex.build import build_index
    from linkeddata.nameindex.sources import open_source

    with opened_progress(shell) as progress:
        opened = [open_source(path, checklist_key=checklist_key) for path in sources]
        report = build_index(opened, out, lambda step, done: progress(f"{step} names", done, 0))
    broken = [f"  {one.source}:{one.line}: {one.reason}: {one.text}" for one in report.broken]
    text = (
        f"{report.usages:,} names ({report.accepted:,} accepted, {report.synonyms:,} synonyms), "
        f"{report.vernaculars:,} vernacular names, {report.crosswalked:,} with both keys; "
        f"{report.broken_count:,} broken rows; {report.size_bytes / 1e6:,.1f} MB, {report.seconds:.1f} s: {report.path}"
    )
    data = asdict(report) | {"path": str(report.path)}
    shell.result(data, "\n".join([text, *broken]))


@names.command("link")
@click.argument("classes", required=False, metavar="FILE|MODEL@VERSION")
@click.option("--out", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write the sheet here.")
@click.option("--additions", type=click.Path(dir_okay=False, path_type=Path), help="Write QuickStatements here.")
@click.option("--accept", type=click.Path(dir_okay=False, path_type=Path), help="Read a reviewed sheet back.")
@click.option("--curator", default="curator", show_default=True, help="Who reviewed the sheet, for the log.")
@click.option("--index", type=click.Path(dir_okay=False, path_type=Path), help="Name index; default: the settings'.")
@click.option("--source", "sources", multiple=True, help="Ask gbif, col, worms, wikidata or all about the names.")
@click.pass_obj
def names_link(
    shell: Shell,
    classes: str | None,
    out: Path | None,
    additions: Path | None,
    accept: Path | None,
    curator: str,
    index: Path | None,
    sources: tuple[str, ...],
) -> None:
    """Link the classes in FILE, or of a model, to Wikidata's items.

    Writes a sheet that a curator reviews in a spreadsheet: what is sure is filled in, all else has candidates. With
    --additions, identifiers that Wikidata lacks, as QuickStatements. With --accept, reads the reviewed sheet, puts the
    links of a model's classes into the store, and writes all of them to --out as JSON.
    """
    settings = shell.settings()
    if accept is not None:
        sys.exit(_accept_links(shell, settings, accept, out, curator))
    if not classes or out is None:
        raise click.UsageError("link what, and write the sheet where? FILE (or MODEL@VERSION) and --out")
    with opened_progress(shell) as progress, _answering(shell, settings, index, sources) as ask:
        subjects, troubles = _subjects(settings, classes)
        sys.exit(_write_links(shell, settings, subjects, troubles, ask, out, additions, progress))


def _subjects(settings: Settings, classes: str) -> "tuple[list[Subject], list[str]]":
    """Return what is to be linked: the rows of a table, or the classes of a model in the store."""
    from linkeddata.errors import UsageError
    from linkeddata.linksheet import read_subjects, subject_of
    from linkeddata.records import ModelClass
    from linkeddata.store import Store

    if Path(classes).is_file():
        return read_subjects(Path(classes))
    model, _, version = classes.partition("@")
    with Store(settings.store) as store:
        found = [one for one in store.each(ModelClass, model=model) if version in ("", one.version)]
    if not found:
        raise UsageError(f"{classes}: no such file, and no model of that name in the store")
    return [subject_of(one) for one in sorted(found, key=lambda one: (one.version, one.index))], []


def _write_links(
    shell: Shell,
    settings: Settings,
    subjects: "list[Subject]",
    troubles: list[str],
    ask: "Ask",
    out: Path,
    additions: Path | None,
    progress: "Progress",
) -> int:
    from linkeddata.links import link, resolved
    from linkeddata.linksheet import NOT_ANSWERED, write_sheet
    from linkeddata.quickstatements import write_additions
    from linkeddata.records import Failure

    moment = now()
    with opened_client(shell, settings, "names") as client:
        known = resolved(subjects, ask)
        found = []
        for one in link(known, client, settings, moment=moment):
            found.append(one)
            progress("classes", len(found), len(subjects))
    counts = write_sheet(out, zip(subjects, found, strict=True))
    links = [one for one in found if not isinstance(one, Failure)]
    proposed = write_additions(additions, links, moment) if additions else 0
    text = f"{', '.join(f'{number} {what}' for what, number in counts.items())}: {out}"
    if additions:
        text += f"\n{proposed} additions to propose to Wikidata: {additions}"
    data = {"links": counts, "out": str(out), "additions": proposed, "broken": troubles}
    shell.result(data, "\n".join([text, *(f"  {trouble}" for trouble in troubles)]))
    return LEFT_OVER if counts.get(NOT_ANSWERED) else 0


def _accept_links(shell: Shell, settings: Settings, sheet: Path, out: Path | None, curator: str) -> int:
    from linkeddata import wikidata
    from linkeddata.linksheet import confirmed, document_of, linked_class, read_sheet
    from linkeddata.records import ModelClass
    from linkeddata.store import Store

    decisions = read_sheet(sheet)
    ids = list(dict.fromkeys(one.item for one in decisions if one.item and not one.trouble))
    with opened_client(shell, settings, "names") as client:
        decisions = list(confirmed(decisions, wikidata.items(client, settings, ids)))
    troubles = [f"row {one.row}: {one.trouble}" for one in decisions if one.trouble]
    taken = [one for one in decisions if not one.trouble and not one.is_open]
    with Store(settings.store) as store:
        kept = [(store.get(ModelClass, one.subject.id), one) for one in taken]
        changed = [linked_class(own, one, now()) for own, one in kept if own is not None]
        changes = store.put(changed, agent=curator, moment=now())
    if out:
        out.write_text(json.dumps([document_of(one) for one in taken], ensure_ascii=False, indent=1), encoding="utf-8")
    still_open = sum(one.is_open for one in decisions)
    data = {"taken": len(taken), "open": still_open, "classes_changed": changes.changed, "broken": troubles}
    text = f"{len(taken)} decided, {still_open} still open, {changes.changed} classes changed in the store"
    shell.result(data, "\n".join([text, *(f"  {trouble}" for trouble in troubles)]))
    return LEFT_OVER if troubles or still_open else 0


@names.command("check")
@click.pass_obj
def names_check(shell: Shell) -> None:
    """Read the keys of all classes and taxa in the store again and tell what has changed.

    Deleted and merged items, dead keys, names that are synonyms now, GBIF keys and COL ids that no longer belong
    together. Changes nothing; exit code 9 when something has changed or was not answered.
    """
    from dataclasses import asdict

    from linkeddata.drift import Drift, check, kept_of
    from linkeddata.records import Failure, ModelClass, Taxon
    from linkeddata.store import Store

    settings = shell.settings()
    with Store(settings.store) as store:
        kept = kept_of(store.each(Taxon), store.each(ModelClass))
    with opened_progress(shell) as progress, opened_client(shell, settings, "names", progress) as client:
        found = list(
            check(kept, client, settings, moment=now(), progress=lambda done: progress("keys", done, len(kept)))
        )
    drifts = [one for one in found if isinstance(one, Drift)]
    failures = [one for one in found if isinstance(one, Failure)]
    lines = [f"{one.kept.shown}: {one.kind}: {one.was} → {one.now or 'nothing'}" for one in drifts]
    lines += [f"{one.subject}: not answered: {one.reason}" for one in failures]
    text = f"{len(kept)} taxa looked at, {len(drifts)} changes, {len(failures)} not answered"
    data = {"checked": len(kept), "changes": [asdict(one) for one in drifts], "failures": [asdict(f) for f in failures]}
    shell.result(data, "\n".join([*lines, text]))
    if found:
        sys.exit(LEFT_OVER)
