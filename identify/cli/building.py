"""`deboodt dataset build`: what of, by which choices, and what is told of it. In: options. Out: a dataset's folder."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from crowd.campaign import AS_TAGGED, DatasetRules
from crowd.campaignfile import check_dataset
from identify.cli.shell import (
    Shell,
    again_option,
    now,
    opened_campaign,
    opened_client,
    opened_progress,
    perform,
)
from linkeddata.errors import UsageError

if TYPE_CHECKING:
    from harvest.datasets.about import About
    from harvest.datasets.embedded import Embedding
    from harvest.datasets.manifest import Dataset
    from harvest.datasets.queried import Around, Found
    from linkeddata.records import MediaFile
    from linkeddata.settings import Settings
    from linkeddata.storage import Stored

Command = TypeVar("Command", bound=Callable[..., Any])

QUERIED = replace(DatasetRules(), min_images=1, labels=("reviewed", "accepted", "single"), sign=True)
"""The rules for what a query finds, where no option says otherwise: a statement on Commons is one person's word.

What is built with -o leaves the house, so that its images carry their credit, unless --no-sign.
"""
_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)


CHOICES: dict[str, tuple[str, str]] = {
    "rank": ("rank", "Classes of this rank; what is below is rolled up. `tagged`: as it was tagged."),
    "min-images": ("min_altogether", "Images that a class must have."),
    "min-training": ("min_images", "Images for training that a class must have."),
    "max-images": ("max_images", "Most images of a class, drawn by lot."),
    "label": ("labels", "Status of labels that teach: reviewed, accepted, single … (repeatable)."),
    "min-probability": ("min_probability", "How sure a label must be."),
    "licence": ("licences", "cc0, pdm, cc-by … or an IRI (repeatable)."),
    "from-year": ("from_year", "Only pictures of this year or later."),
    "until-year": ("until_year", "Only pictures of this year or earlier."),
    "creator": ("creators", "Only pictures by this creator (repeatable)."),
    "style": ("styles", "Only with this word in title, description or group (repeatable)."),
    "exclude": ("exclude", "File to leave out: IRI, M-id, title or SHA-1 (repeatable)."),
    "test-group": ("test_groups", "Group that is for testing (repeatable)."),
    "test-share": ("test_share", "Share of the images for testing."),
    "validation-share": ("validation_share", "Share of the images for validation."),
}
"""Options that choose, by name: the rule that each sets, and its help."""
SWITCHES: dict[str, tuple[str, str]] = {
    "machine/--human-only": ("machine", "Whether what people took over from machines may teach."),
    "coarser/--no-coarser": ("coarser", "Whether what is known above the rank only teaches the classes below it."),
    "several/--one": ("several", "Whether plates of several classes are used."),
    "sign/--no-sign": ("sign", "Whether credit and licence are written into the images' own metadata."),
    "respect-noai/--ignore-noai": ("respect_noai", "Whether images are left out whose metadata ask for it."),
}


def _choices(command: Command) -> Command:
    """Add an option for each choice; what is not given stays ``None``."""
    for name, (rule, about) in reversed((CHOICES | SWITCHES).items()):
        usual = getattr(QUERIED, rule)
        if isinstance(usual, bool):
            added = click.option(f"--{name}", rule, default=None, help=about)
        elif isinstance(usual, tuple):
            added = click.option(f"--{name}", rule, multiple=True, default=None, help=about)
        else:
            metavar = {int: "N", float: "P"}.get(type(usual), "TEXT")
            added = click.option(f"--{name}", rule, type=type(usual), metavar=metavar, default=None, help=about)
        command = added(command)
    return command


def _with_choices(rules: DatasetRules, given: dict[str, Any]) -> DatasetRules:
    chosen = {rule: value for rule, value in given.items() if value not in (None, ())}
    rules = replace(rules, **chosen)
    check_dataset("dataset build:", rules)
    return rules


def _params(given: Sequence[str]) -> dict[str, list[str]]:
    """Read ``key=value``; several values of one key with commas, or the key again."""
    found: dict[str, list[str]] = {}
    for one in given:
        key, equals, value = one.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{one!r} is not NAME=VALUE", param_hint="--param")
        found.setdefault(key, []).extend(part for part in value.split(",") if part)
    return found


@click.command("build")
@click.argument("campaign_file", required=False, metavar="[CAMPAIGN]", type=_FILE)
@click.option("--campaign", type=_FILE, help="The same: the campaign's file.")
@click.option("--query", default="", metavar="FILE|NAME", help="A query (.rq), or the name of one of ours.")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="Of the query (repeatable).")
@click.option(
    "--endpoint",
    default="qlever",
    show_default=True,
    help="Whom to ask: qlever, wcqs, wdqs, store (our own graph), a URL, or a file of saved results (.srj).",
)
@click.option("--table", type=_FILE, help="A table of pictures on this machine and what they show.")
@click.option("--column", "columns", multiple=True, metavar="WHAT=NAME", help="Of the table: what its columns tell.")
@click.option("--constant", "constants", multiple=True, metavar="WHAT=VALUE", help="What holds for every row of it.")
@click.option("-o", "--out", type=_FOLDER, help="Folder to build it in.")
@click.option("--title", default="", help="What the dataset is called; default: the folder's name.")
@click.option("--checklist", type=_FILE, help="Table of species with families: coverage is counted against it.")
@click.option("--after", type=_FOLDER, help="Folder of the version before; default: what is in -o already.")
@click.option(
    "--group",
    type=click.Choice(["creator", "uploader"]),
    default="creator",
    show_default=True,
    help="Whose files stand on one side, for --query, where a row gives no group.",
)
@click.option("--embedding", default="", metavar="MODEL", help="What this trained model sees as one stands together.")
@click.option(
    "--embedding-from",
    type=click.FloatRange(0, 1),
    metavar="COSINE",
    help="How alike two pictures must be to it; docs/datasets.md tells how that is measured.",
)
@click.option("--width", "width_px", default=960, show_default=True, help="Width of the images, for --query.")
@again_option
@_choices
@click.pass_obj
def build(
    shell: Shell,
    /,
    campaign_file: Path | None,
    campaign: Path | None,
    query: str,
    params: tuple[str, ...],
    endpoint: str,
    table: Path | None,
    columns: tuple[str, ...],
    constants: tuple[str, ...],
    out: Path | None,
    title: str,
    checklist: Path | None,
    after: Path | None,
    group: str,
    embedding: str,
    embedding_from: float | None,
    width_px: int,
    again: bool,
    **given: Any,
) -> None:
    """Build the dataset of the campaign in file CAMPAIGN, of what a --query finds, or of a --table of pictures.

    Without -o a campaign's dataset is built in home, where training looks for it, by the campaign file's own choices.
    docs/datasets.md tells what comes out.
    """
    from harvest.datasets.folder import refuse_others

    campaign = campaign or campaign_file
    asks = bool(query) or Path(endpoint).is_file()
    if [bool(campaign), asks, bool(table)].count(True) != 1:
        raise click.UsageError("give a campaign file, --query (or a file of saved results as --endpoint), or --table")
    if (columns or constants) and not table:
        raise click.UsageError("--column and --constant tell of a --table")
    if campaign and not out:
        if embedding or any(value not in (None, ()) for value in given.values()):
            raise click.UsageError("choices are for -o DIR; those of a campaign stand in its file, under [dataset]")
        with opened_progress(shell) as progress, opened_campaign(shell, campaign, progress) as work:
            sys.exit(perform(shell, work, ("dataset",), again))
    if out is None:
        raise click.UsageError("-o DIR: where is the dataset to be built?")
    refuse_others(out)
    seeing = embedding_named(embedding, shell.settings(), embedding_from) if embedding else None
    asked_for = _Made(out, title or ("" if campaign else out.name), checklist, after, seeing)
    if campaign:
        made = _of_campaign(shell, campaign, asked_for, given)
    elif table:
        told = _Tabled(table, _named(columns, "--column"), _named(constants, "--constant"))
        made = _of_table(shell, told, asked_for, given)
    else:
        asked = _Asked(query, _params(params), endpoint, asked_for, width_px, group)
        made = _of_query(shell, asked, _with_choices(QUERIED, given))
    _tell(shell, made)


def embedding_named(called: str, settings: "Settings", copies_from: float | None = None) -> "Embedding":
    """Return what a model sees that is called ``NAME``, ``NAME@VERSION`` or by its folder."""
    from harvest.datasets.embedded import COPIES_FROM
    from identify.embedding import embedding_of
    from identify.modelfolders import folder_of

    home = settings.home_path
    return embedding_of(
        folder_of(called, home, candidates=True), home, COPIES_FROM if copies_from is None else copies_from
    )


@dataclass(frozen=True, slots=True)
class _Made:
    """Where a dataset is built, its title, what it is held against, its version before, and a model that looks."""

    out: Path
    title: str
    checklist: Path | None
    after: Path | None
    embedding: "Embedding | None"


def _of_campaign(shell: Shell, path: Path, made: _Made, given: dict[str, Any]) -> "Dataset":
    from identify.datasets import build_dataset

    with opened_progress(shell) as progress, opened_campaign(shell, path, progress) as work:
        rules = _with_choices(replace(work.campaign.dataset, sign=True), given)
        return build_dataset(
            work,
            made.out,
            rules,
            title=made.title,
            checklist=made.checklist,
            after=made.after,
            embedding=made.embedding,
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """What somebody asks for who has no campaign."""

    query: str
    params: dict[str, list[str]]
    endpoint: str
    made: _Made
    width_px: int
    group: str


@dataclass(frozen=True, slots=True)
class _Tabled:
    """A table of pictures, and what its columns and all its rows tell."""

    path: Path
    columns: dict[str, str]
    constants: dict[str, str]


def _named(given: Sequence[str], option: str) -> dict[str, str]:
    """Read ``what=value``."""
    parts = [one.partition("=") for one in given]
    for one, (what, equals, _) in zip(given, parts, strict=True):
        if not equals or not what:
            raise click.BadParameter(f"{one!r} is not WHAT=…", param_hint=option)
    return {what: value for what, _, value in parts}


def _of_query(shell: Shell, asked: _Asked, rules: DatasetRules) -> "Dataset":
    from crowd.campaign import THUMBNAIL_WIDTHS
    from harvest.datasets.queried import gather, question
    from harvest.imagestore import ImageStore

    if asked.width_px not in THUMBNAIL_WIDTHS:
        raise UsageError(f"--width {asked.width_px}: one of {', '.join(map(str, THUMBNAIL_WIDTHS))}")
    with _around(shell) as opened:
        around = replace(opened, group=asked.group)
        about, rows = question(around, asked.query, asked.params, asked.endpoint, asked.made.title)
        found = gather(rows, about.name, around, width_px=asked.width_px)
        kept = ImageStore(around.settings.images, asked.width_px).kept
        return _built(around, found, kept, about, asked.made, rules)


def _of_table(shell: Shell, table: _Tabled, made: _Made, given: dict[str, Any]) -> "Dataset":
    from harvest.datasets.tabled import Pictures, about_table, gather_table

    pictures = Pictures(path=table.path, columns=table.columns, constants=table.constants)
    with _around(shell) as around:
        found = gather_table(pictures, around)
        usual = QUERIED if found.taxa else replace(QUERIED, rank=AS_TAGGED)  # what is no taxon has no rank
        about = about_table(pictures, around.settings, made.title)
        return _built(around, found, found.image_of, about, made, _with_choices(usual, given))


@contextmanager
def _around(shell: Shell) -> "Iterator[Around]":
    """Open what a dataset that has no campaign is gathered with."""
    from harvest.datasets.queried import Around
    from identify.pipeline import SOFTWARE
    from linkeddata.store import Store

    settings = shell.settings()
    with (
        opened_progress(shell) as progress,
        Store(settings.store) as store,
        opened_client(shell, settings, "dataset", progress) as client,
    ):
        yield Around(settings=settings, client=client, store=store, agent=SOFTWARE.id, moment=now(), progress=progress)


def _built(
    around: "Around",
    found: "Found",
    image_of: "Callable[[MediaFile], Stored | None]",
    about: "About",
    made: _Made,
    rules: DatasetRules,
) -> "Dataset":
    from harvest.datasets.building import build as build_dataset
    from harvest.datasets.checklist import read_checklist
    from identify.datasets import looks_of
    from linkeddata.records import Taxon

    return build_dataset(
        found.media,
        found.labels,
        found.taxa,
        image_of,
        made.out,
        rules,
        tags=found.tags,
        lost=found.lost,
        about=replace(about, checklist=made.checklist.name if made.checklist else ""),
        checklist=read_checklist(made.checklist) if made.checklist else around.store.each(Taxon),
        after=made.after,
        looks=looks_of(around.settings),
        embedding=made.embedding,
        progress=around.progress,
    )


def _tell(shell: Shell, made: "Dataset") -> None:
    """Print what came out and what each choice removed."""
    counts = {what: number for what, number in made.counts.items() if number}
    width = max(map(len, counts))
    lines = [f"{what:<{width}}  {number:,}" for what, number in counts.items()]
    data = {"folder": str(made.folder), "version": made.sha256, "counts": counts}
    shell.result(data, "\n".join([*lines, "", f"version {made.sha256}", f"in {made.folder}"]))
