"""The command line: parses, calls, prints. Results go to stdout, messages and progress to stderr.

Exit codes: 0 done; 1 an error of ours; 2 a wrong command, file or setting; 3 a service; 4 the store; 5 a model bundle;
6 a dataset; 9 done, but something is left to do again (the summary says what); 130 stopped by Ctrl-C: the same command
goes on where it stopped.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from linkeddata.errors import DeBoodtError
from linkeddata.settings import VERSION, Settings, load_settings, shown

if TYPE_CHECKING:
    from identify.pipeline import Outcome, Progress, Run
    from linkeddata.links import Subject
    from linkeddata.namefiles import Ask

LEFT_OVER = 9
STOPPED = 130


class Shell:
    """What the options before the command say, and the printing that depends on them."""

    def __init__(self, config: str | None, home: str | None, as_json: bool, quiet: bool) -> None:
        self._config = config
        self._home = home
        self.as_json = as_json
        self.quiet = quiet

    def settings(self, **overrides: Any) -> Settings:
        """Return the settings with the command line's word last."""
        from dataclasses import replace

        settings = load_settings(self._config)
        if self._home:
            overrides.setdefault("home", self._home)
        return replace(settings, **overrides)

    def result(self, data: Any, text: str | None = None) -> None:
        """Print a result: as JSON where asked, else as ``text`` (or as key and value lines)."""
        if self.as_json:
            click.echo(json.dumps(data, ensure_ascii=False, indent=2))
        elif text is not None:
            click.echo(text, nl=bool(text))
        else:
            width = max((len(key) for key in data), default=0)
            for key, value in data.items():
                click.echo(f"{key:<{width}}  {value}")

    def say(self, message: str) -> None:
        """Print a message for people, on stderr."""
        if not self.quiet:
            click.echo(message, err=True)


def now() -> str:
    """Return the moment in UTC, to the second, as our records have it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--config", metavar="FILE", help="Settings file (default: deboodt.toml here, or DEBOODT_CONFIG).")
@click.option("--home", metavar="DIR", help="Folder for the store, images, models and results.")
@click.option("--json", "as_json", is_flag=True, help="Print results as JSON, for machines.")
@click.option("--quiet", "-q", is_flag=True, help="No messages and no progress bars on stderr.")
@click.version_option(VERSION, prog_name="deboodt")
@click.pass_context
def cli(context: click.Context, config: str | None, home: str | None, as_json: bool, quiet: bool) -> None:
    """Crowd tags to recognition models to linked data, for museum specimens and illustrations.

    A campaign file says where tags come from and where results go; `deboodt run` does all its steps. To try everything
    without the Internet: `deboodt demo`.
    """
    context.obj = Shell(config, home, as_json, quiet)


campaign_argument = click.argument("campaign", type=click.Path(dir_okay=False, path_type=Path))
again_option = click.option("--again", is_flag=True, help="Do it even if nothing has changed since the last time.")


@cli.command()
@click.pass_obj
def settings(shell: Shell) -> None:
    """Print the settings in force and where they can be changed."""
    shell.result(shown(shell.settings()))
    shell.say("change them in deboodt.toml (one line each, as above) or with DEBOODT_… variables")


@cli.command()
@campaign_argument
@again_option
@click.option("--step", "steps", multiple=True, metavar="STEP", help="Only this step (may be given several times).")
@click.pass_obj
def run(shell: Shell, campaign: Path, again: bool, steps: tuple[str, ...]) -> None:
    """Do every step of the campaign in file CAMPAIGN that is not done yet.

    Steps: harvest, images, names, count, dataset, train, identify, publish, export. What is done and unchanged is
    skipped; what was stopped goes on. Ends with a summary and an HTML report.
    """
    with _progress(shell) as progress, _opened(shell.settings(), campaign, progress) as work:
        sys.exit(_perform(shell, work, steps, again))


def _step_command(name: str, steps: tuple[str, ...], about: str) -> click.Command:
    """Return the command that does only some steps of a campaign."""

    @click.command(name, help=about)
    @campaign_argument
    @again_option
    @click.pass_obj
    def command(shell: Shell, campaign: Path, again: bool) -> None:
        with _progress(shell) as progress, _opened(shell.settings(), campaign, progress) as work:
            sys.exit(_perform(shell, work, steps, again))

    return command


cli.add_command(
    _step_command("harvest", ("harvest", "images"), "Bring home the tags and images of the campaign in file CAMPAIGN.")
)
cli.add_command(_step_command("count", ("count",), "Count the tags of the campaign in file CAMPAIGN into labels."))


@cli.group()
def names() -> None:
    """Resolve names to accepted taxa and link them to Wikidata and GBIF."""


names.add_command(_step_command("campaign", ("names",), "Resolve and link every name in the tags of file CAMPAIGN."))


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
    with _answering(settings, index, sources, fresh) as ask:
        if column or out or (len(queries) == 1 and Path(queries[0]).is_file()):
            sys.exit(_resolve_file(shell, queries, ask, out, column=column, heading=header, merge_to=rank))
        sys.exit(_resolve_words(shell, queries, ask, rank))


@contextmanager
def _answering(
    settings: Settings, index: Path | None, sources: tuple[str, ...], fresh: bool = False
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
        from linkeddata.client import Client
        from linkeddata.namesources import Services, ask

        kept = settings.home_path / "names-answers.sqlite"
        cache = opened.enter_context(AnswerCache(kept, days=0 if fresh else KEPT_DAYS))
        client = opened.enter_context(Client(settings))
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
    with _progress(shell) as progress:
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

    with _progress(shell) as progress:
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
    with _progress(shell) as progress, _answering(settings, index, sources) as ask:
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
    from linkeddata.client import Client
    from linkeddata.links import link, resolved
    from linkeddata.linksheet import NOT_ANSWERED, write_sheet
    from linkeddata.quickstatements import write_additions
    from linkeddata.records import Failure

    moment = now()
    with Client(settings) as client:
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
    from linkeddata.client import Client
    from linkeddata.linksheet import confirmed, document_of, linked_class, read_sheet
    from linkeddata.records import ModelClass
    from linkeddata.store import Store

    decisions = read_sheet(sheet)
    ids = list(dict.fromkeys(one.item for one in decisions if one.item and not one.trouble))
    with Client(settings) as client:
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

    from linkeddata.client import Client
    from linkeddata.drift import Drift, check, kept_of
    from linkeddata.records import Failure, ModelClass, Taxon
    from linkeddata.store import Store

    settings = shell.settings()
    with Store(settings.store) as store:
        kept = kept_of(store.each(Taxon), store.each(ModelClass))
    with _progress(shell) as progress, Client(settings) as client:
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


@cli.group()
def dataset() -> None:
    """Build labelled illustration datasets."""


dataset.add_command(_step_command("build", ("dataset",), "Build the dataset of the campaign in file CAMPAIGN."))

cli.add_command(_step_command("train", ("train",), "Train the model of the campaign in file CAMPAIGN on its dataset."))


@cli.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE|DIR...")
@click.option("--model", required=True, metavar="DIR|NAME", help="Model bundle: its folder, or NAME[@VERSION] in home.")
@click.option("--out", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write JSON lines to this file.")
@click.pass_obj
def identify(shell: Shell, paths: tuple[Path, ...], model: str, out: Path | None) -> None:
    """Identify the images in FILEs and DIRs with a model; broken images are listed, not fatal."""
    from identify.files import identify_paths, lines_of

    settings = shell.settings()
    with _progress(shell) as progress:
        answers = list(identify_paths(settings, model, paths, moment=now(), progress=progress))
    if out:
        out.write_text("".join(json.dumps(answer, ensure_ascii=False) + "\n" for answer in answers), encoding="utf-8")
        shell.say(f"{len(answers)} answers in {out}")
    else:
        shell.result(answers, "\n".join(lines_of(answers)))
    if any("lost" in answer for answer in answers):
        sys.exit(LEFT_OVER)


@cli.group()
def export() -> None:
    """Give results back to a museum's own system."""


export.add_command(
    _step_command("cms", ("export",), "Write the import files for the collection management system of file CAMPAIGN.")
)


@cli.command()
@campaign_argument
@click.pass_obj
def report(shell: Shell, campaign: Path) -> None:
    """Write the HTML report of the campaign in file CAMPAIGN again and print the summary."""
    from identify.report import summary, write_report

    with _progress(shell) as progress, _opened(shell.settings(), campaign, progress) as work:
        path = write_report(work)
        _print_summary(shell, summary(work), [], path)


@cli.command()
@click.option("--after", default=0, metavar="SEQ", help="Only events after this sequence number.")
@click.option("--kind", default="", help="Only events of this kind, such as tag.withdrawn.")
@click.option("--subject", default="", help="Only events about this record.")
@click.option("--limit", default=50, show_default=True, help="How many at most; 0 for all.")
@click.pass_obj
def log(shell: Shell, after: int, kind: str, subject: str, limit: int) -> None:
    """Print the log: every change, who made it and when."""
    from dataclasses import asdict
    from itertools import islice

    from linkeddata.store import Store

    with Store(shell.settings().store) as store:
        events = store.events(after, kind=kind, subject=subject)
        chosen = list(islice(events, limit) if limit else events)
    text = "\n".join(f"{e.seq:>8}  {e.moment:<20}  {e.kind:<24}  {e.subject}  {e.agent}" for e in chosen)
    shell.result([asdict(event) for event in chosen], text)


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, help="Port to listen on.")
@click.pass_obj
def serve(shell: Shell, host: str, port: int) -> None:
    """Serve the documents, the models and the home page over HTTP.

    Documents are named after the setting base_url; where it is not set, after the address they are served from.
    """
    import uvicorn

    from identify.app import create_app

    settings = shell.settings()
    if settings.base_url == Settings().base_url:
        settings = shell.settings(base_url=f"http://{host}:{port}")
    app = create_app(settings)
    shell.say(f"De Boodt on http://{host}:{port} with {settings.store}; Ctrl-C stops it")
    uvicorn.run(app, host=host, port=port, log_level="warning")


@cli.command()
@click.option(
    "--out", default="demo", show_default=True, type=click.Path(file_okay=False), help="Folder for everything."
)
@click.option("--plates", default=6, show_default=True, help="Plates a species by each of the five engravers.")
@click.option("--port", default=0, help="Port of the stand-in; without one, the port of the last time or a free one.")
@click.option("--broken", is_flag=True, help="Put a broken input in the way of each step, to see what becomes of it.")
@click.pass_obj
def demo(shell: Shell, out: str, plates: int, port: int, broken: bool) -> None:
    """Run the whole job on the painted sample, without the Internet.

    Paints a cabinet of butterflies, starts a local stand-in for Commons, Wikidata, GBIF, WoRMS and ISA, and runs the
    sample campaign against it. Everything goes into one folder. The plates are painted, the crowd is simulated.
    """
    from identify.demo import sample_services

    code = 0
    with (
        _progress(shell) as progress,
        sample_services(Path(out), per_engraver=plates, broken=broken, progress=progress, port=port) as (
            settings,
            campaign,
        ),
        _opened(settings, campaign, progress) as work,
    ):
        code = _perform(shell, work, (), False)
    shell.say(f"see it in a browser:  deboodt --home {out} serve")
    sys.exit(code)


@contextmanager
def _opened(settings: Settings, path: Path, progress: "Progress") -> "Iterator[Run]":
    """Open the store and the client for the campaign in ``path``."""
    from crowd.campaign import load_campaign
    from identify.pipeline import Run
    from linkeddata.client import Client
    from linkeddata.store import Store

    campaign = load_campaign(path)
    with Store(settings.store) as store:
        yield Run(
            campaign=campaign, settings=settings, store=store, client=Client(settings), now=now, progress=progress
        )


def _perform(shell: Shell, work: "Run", steps: tuple[str, ...], again: bool) -> int:
    """Do the steps, print how each ended, then the summary; return the exit code."""
    from identify.pipeline import run_steps
    from identify.report import summary, write_report
    from identify.steps import STEPS

    outcomes = []
    for outcome in run_steps(work, STEPS, steps, again=again):
        outcomes.append(outcome)
        work.progress("", 0, 0)
        shell.say(_outcome_line(outcome))
    path = write_report(work)
    _print_summary(shell, summary(work), outcomes, path)
    for outcome in outcomes:
        if outcome.error:
            return outcome.error.exit_code
    return LEFT_OVER if any(outcome.status == "incomplete" for outcome in outcomes) else 0


def _outcome_line(outcome: "Outcome") -> str:
    counts = ", ".join(f"{number:,} {what}" for what, number in outcome.counts.items())
    end = str(outcome.error) if outcome.error else counts
    took = f"{outcome.seconds:6.1f} s" if outcome.seconds else " " * 8
    return f"{outcome.step:<9} {outcome.status:<11} {took}  {end}"


def _print_summary(shell: Shell, data: dict[str, Any], outcomes: "list[Outcome]", report: Path) -> None:
    from identify.report import summary_text

    steps = [{"step": o.step, "status": o.status, "counts": o.counts, "seconds": round(o.seconds, 1)} for o in outcomes]
    shell.result(data | {"steps": steps, "report": str(report)}, f"\n{summary_text(data)}\n\nreport: {report}")


@contextmanager
def _progress(shell: Shell) -> "Iterator[Progress]":
    """Give a progress bar on stderr where somebody looks at it, else silence."""
    from identify.pipeline import silent

    if shell.quiet or not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=None, visible=False)

        def tell(what: str, done: int, total: int) -> None:
            bars.update(task, description=what, completed=done, total=total or None, visible=bool(what))

        yield tell


def main() -> None:
    """Run the command; turn our errors into one line and an exit code."""
    sys.exit(_guarded(lambda: cli.main(standalone_mode=False, prog_name="deboodt")))


def _guarded(command: Callable[[], Any]) -> int:
    try:
        command()
    except DeBoodtError as error:
        click.echo(f"deboodt: {error}", err=True)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("deboodt: stopped; the same command goes on from here", err=True)
        return STOPPED
    except BrokenPipeError:
        return 0
    return 0


if __name__ == "__main__":
    main()
