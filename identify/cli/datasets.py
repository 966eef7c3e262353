"""The commands about datasets: lay them out, publish them, look whether they hold, what changed, what they taught."""

import sys
from dataclasses import asdict
from pathlib import Path

import click

from identify.cli.building import build, embedding_named
from identify.cli.shell import Shell, opened_progress
from linkeddata.errors import DatasetError, UsageError

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group()
def dataset() -> None:
    """Build labelled illustration datasets."""


dataset.add_command(build)


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
@click.option("--embedding", default="", metavar="MODEL", help="The model that it was built with: look by it, too.")
@click.pass_obj
def verify_dataset(shell: Shell, folder: Path, embedding: str) -> None:
    """Look whether the dataset in DIR is whole and its sides do not leak, as its certificate says."""
    from harvest.datasets.leakage import verify

    seeing = embedding_named(embedding, shell.settings()) if embedding else None
    with opened_progress(shell) as progress:
        troubles = verify(folder, progress, seeing)
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

    from identify.affected import affected, is_told, read_learned
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
            untold = sum(not is_told(row) for row in learned)
            told.append(
                {
                    "model": called,
                    "learned": len(learned),
                    "not of a campaign": untold,
                    "affected": [asdict(one) for one in found],
                }
            )
            counts = Counter(one.reason for one in found)
            said = ", ".join(f"{number:,} {reason}" for reason, number in sorted(counts.items())) or "nothing"
            lines.append(f"{called}: of {len(learned):,} images: {said}")
            if untold:
                lines.append(f"  {untold:,} are of a query or a table: build these anew, and see `dataset diff`")
            lines += [f"  {one.file} ({one.label}): {one.reason} {one.detail}".rstrip() for one in found]
    shell.result(told, "\n".join(lines))
