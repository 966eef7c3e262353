"""The commands about datasets: build one from a campaign or from a query."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from crowd.campaign import DatasetRules, check_dataset
from identify.cli.shell import (
    Shell,
    again_option,
    now,
    opened_campaign,
    opened_client,
    opened_progress,
    perform,
)
from linkeddata.errors import DatasetError, UsageError
from linkeddata.settings import Settings

if TYPE_CHECKING:
    from harvest.datasets.manifest import Dataset

Command = TypeVar("Command", bound=Callable[..., Any])

QUERIED = replace(DatasetRules(), min_images=1, labels=("reviewed", "accepted", "single"), sign=True)
"""The rules for what a query finds, where no option says otherwise: a statement on Commons is one person's word.

What is built with -o leaves the house, so that its images carry their credit, unless --no-sign.
"""
_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def dataset() -> None:
    """Build labelled illustration datasets."""


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


@dataset.command("build")
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
@click.option("-o", "--out", type=_FOLDER, help="Folder to build it in.")
@click.option("--title", default="", help="What the dataset is called; default: the folder's name.")
@click.option("--checklist", type=_FILE, help="Table of species with families: coverage is counted against it.")
@click.option("--after", type=_FOLDER, help="Folder of the version before; default: what is in -o already.")
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
    out: Path | None,
    title: str,
    checklist: Path | None,
    after: Path | None,
    width_px: int,
    again: bool,
    **given: Any,
) -> None:
    """Build the dataset of the campaign in file CAMPAIGN, or, with --query, one of what a query finds.

    Without -o a campaign's dataset is built in home, where training looks for it, by the campaign file's own choices.
    docs/datasets.md tells what comes out.
    """
    from harvest.datasets.folder import refuse_others

    campaign = campaign or campaign_file
    asks = bool(query) or Path(endpoint).is_file()
    if bool(campaign) == asks:
        raise click.UsageError("give a campaign file, or --query (or a file of saved results as --endpoint)")
    if campaign and not out:
        if any(value not in (None, ()) for value in given.values()):
            raise click.UsageError("choices are for -o DIR; those of a campaign stand in its file, under [dataset]")
        with opened_progress(shell) as progress, opened_campaign(shell, campaign, progress) as work:
            sys.exit(perform(shell, work, ("dataset",), again))
    if out is None:
        raise click.UsageError("-o DIR: where is the dataset to be built?")
    refuse_others(out)
    if campaign:
        made = _of_campaign(shell, campaign, _Made(out, title, checklist, after), given)
    else:
        asked = _Asked(query, _params(params), endpoint, _Made(out, title or out.name, checklist, after), width_px)
        made = _of_query(shell, asked, _with_choices(QUERIED, given))
    _tell(shell, made)


@dataclass(frozen=True, slots=True)
class _Made:
    """Where a dataset is built, what it is called, what it is held against, and after which version it comes."""

    out: Path
    title: str
    checklist: Path | None
    after: Path | None


def _of_campaign(shell: Shell, path: Path, made: _Made, given: dict[str, Any]) -> "Dataset":
    from identify.datasets import build_dataset

    with opened_progress(shell) as progress, opened_campaign(shell, path, progress) as work:
        rules = _with_choices(replace(work.campaign.dataset, sign=True), given)
        return build_dataset(work, made.out, rules, title=made.title, checklist=made.checklist, after=made.after)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What somebody asks for who has no campaign."""

    query: str
    params: dict[str, list[str]]
    endpoint: str
    made: _Made
    width_px: int


def _of_query(shell: Shell, asked: _Asked, rules: DatasetRules) -> "Dataset":
    from crowd.campaign import THUMBNAIL_WIDTHS
    from harvest.datasets.building import build as build_dataset
    from harvest.datasets.checklist import read_checklist
    from harvest.datasets.queried import Around, gather, question
    from harvest.imagestore import ImageStore
    from identify.datasets import looks_of
    from identify.pipeline import SOFTWARE
    from linkeddata.records import Taxon
    from linkeddata.store import Store

    if asked.width_px not in THUMBNAIL_WIDTHS:
        raise UsageError(f"--width {asked.width_px}: one of {', '.join(map(str, THUMBNAIL_WIDTHS))}")
    settings: Settings = shell.settings()
    with (
        opened_progress(shell) as progress,
        Store(settings.store) as store,
        opened_client(shell, settings, "dataset", progress) as client,
    ):
        around = Around(
            settings=settings, client=client, store=store, agent=SOFTWARE.id, moment=now(), progress=progress
        )
        checklist = asked.made.checklist
        species = read_checklist(checklist) if checklist else store.each(Taxon)
        about, rows = question(around, asked.query, asked.params, asked.endpoint, asked.made.title)
        about = replace(about, checklist=checklist.name if checklist else "")
        found = gather(rows, about.name, around, width_px=asked.width_px)
        return build_dataset(
            found.media,
            found.labels,
            found.taxa,
            ImageStore(settings.images, asked.width_px).kept,
            asked.made.out,
            rules,
            tags=found.tags,
            lost=found.lost,
            about=about,
            checklist=species,
            after=asked.made.after,
            looks=looks_of(settings),
            progress=progress,
        )


@dataset.command("layout")
@click.argument("folder", metavar="DIR", type=_FOLDER)
@click.option("--as", "layout", required=True, help="webdataset, tfrecord, parquet (with images) or coco (regions).")
@click.option("-o", "--out", required=True, type=_FOLDER, help="Folder to write to.")
@click.pass_obj
def lay_out_dataset(shell: Shell, folder: Path, layout: str, out: Path) -> None:
    """Write the dataset in DIR in another layout; DIR itself is an image folder."""
    from harvest.datasets.layouts import lay_out
    from harvest.datasets.manifest import read_dataset

    with opened_progress(shell) as progress:
        written = lay_out(read_dataset(folder), layout, out, progress)
    names = [str(path) for path in written]
    shell.result({"layout": layout, "files": names}, "\n".join(names))


@dataset.command("publish")
@click.argument("folder", metavar="DIR", type=_FOLDER)
@click.option("--name", default="", help="What it is called in its address; default: the folder's name.")
@click.pass_obj
def publish_dataset(shell: Shell, folder: Path, name: str) -> None:
    """Publish the dataset in DIR: description, tables, shards, and each image with its file and label.

    What was published under the name before stays as an older version. The images must carry their credit, and the
    certificate must hold. A campaign's dataset that is published under the campaign's id is one of its versions.
    """
    from identify.publication import citation, publish
    from linkeddata.catalogue.datasets import training_iri

    settings = shell.settings()
    name = name or folder.resolve().name
    with opened_progress(shell) as progress:
        version = publish(folder, settings.home_path, name, progress)
    address = training_iri(settings.base_url.rstrip("/"), name, version.name)
    cited = citation(folder, address)
    told = {"address": address, "version": version.sha256, "changes": version.changes, "citation": cited}
    shell.result(told, f"{address}\n{cited}")


@dataset.command("withdraw")
@click.argument("named", metavar="NAME@VERSION")
@click.pass_obj
def withdraw_dataset(shell: Shell, named: str) -> None:
    """Take the files of a published version away; that there was one stays known."""
    from identify.publication import withdraw

    name, _, version = named.partition("@")
    withdraw(shell.settings().home_path, name, version)
    shell.result({"withdrawn": named}, f"{named} is no longer kept")


@dataset.command("verify")
@click.argument("folder", metavar="DIR", type=_FOLDER)
@click.pass_obj
def verify_dataset(shell: Shell, folder: Path) -> None:
    """Look whether the dataset in DIR is whole and its sides do not leak, as its certificate says."""
    from harvest.datasets.leakage import verify

    with opened_progress(shell) as progress:
        troubles = verify(folder, progress)
    shell.result({"folder": str(folder), "troubles": troubles}, "\n".join(troubles) or f"{folder} is what it says")
    if troubles:
        sys.exit(DatasetError.exit_code)


@dataset.command("diff")
@click.argument("before", metavar="A", type=_FOLDER)
@click.argument("after", metavar="B", type=_FOLDER)
@click.pass_obj
def diff(shell: Shell, before: Path, after: Path) -> None:
    """Say what changed from the dataset in A to the one in B: files, labels, licences, sides."""
    from harvest.datasets.manifest import read_dataset
    from harvest.datasets.versions import difference, in_words

    found = difference(read_dataset(before), read_dataset(after))
    data = {"before": found.before, "after": found.after, "counts": found.counts}
    shell.result({**data, "changes": [asdict(change) for change in found.changes]}, in_words(found))


@dataset.command("affected")
@click.argument("model", metavar="MODEL")
@click.pass_obj
def affected_models(shell: Shell, model: str) -> None:
    """Name the versions of MODEL that learned from what was withdrawn since: labels, files, licences.

    MODEL is a name, for all its versions, or NAME@VERSION.
    """
    from collections import Counter

    from identify.affected import affected, read_learned
    from identify.bundle import open_bundle
    from linkeddata.store import Store

    settings = shell.settings()
    name, _, version = model.partition("@")
    folders = sorted((settings.home_path / "models" / name).glob(f"{version or '*'}/bundle.json"))
    if not folders:
        raise UsageError(f"no model {model!r} in {settings.home_path / 'models'}")
    told, lines = [], list[str]()
    with Store(settings.store) as store:
        for path in folders:
            bundle = open_bundle(path.parent)
            learned = read_learned(bundle)
            found = list(affected(learned, store))
            called = f"{bundle.about.name}@{bundle.about.version}"
            told.append({"model": called, "learned": len(learned), "affected": [asdict(one) for one in found]})
            counts = Counter(one.reason for one in found)
            said = ", ".join(f"{number:,} {reason}" for reason, number in sorted(counts.items())) or "nothing"
            lines.append(f"{called}: of {len(learned):,} images: {said}")
            lines += [f"  {one.file} ({one.label}): {one.reason} {one.detail}".rstrip() for one in found]
    shell.result(told, "\n".join(lines))


def _tell(shell: Shell, made: "Dataset") -> None:
    """Print what came out and what each choice removed."""
    counts = {what: number for what, number in made.counts.items() if number}
    width = max(map(len, counts))
    lines = [f"{what:<{width}}  {number:,}" for what, number in counts.items()]
    data = {"folder": str(made.folder), "version": made.sha256, "counts": counts}
    shell.result(data, "\n".join([*lines, "", f"version {made.sha256}", f"in {made.folder}"]))
