"""The commands that make models: train (a campaign's, or of datasets), promote."""

import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from identify.cli.shell import Shell, again_option, opened_campaign, opened_progress, perform
from linkeddata.errors import UsageError

if TYPE_CHECKING:
    from identify.bundle import Bundle
    from identify.learning.comparing import Comparison
    from linkeddata.decoding import Limits


@click.command()
@click.argument(
    "sources", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="CAMPAIGN|DIR…"
)
@click.option("-o", "--out", type=click.Path(file_okay=False, path_type=Path), help="The model's folder: models/NAME.")
@click.option(
    "--from", "before", default="", metavar="MODEL@VERSION", help="Go on from this model; a candidate comes out."
)
@click.option("--promote", "at_once", is_flag=True, help="Promote the candidate at once, unless it is worse.")
@click.option("--recipe", help="head (on a backbone that is ready), finetune (its upper blocks too) or scratch.")
@click.option("--backbone", help="inceptionv3, efficientnetv2, mobilenetv3, convnext, efficientnet-lite0 or small.")
@click.option("--weights", type=click.Path(dir_okay=False), help="File of the backbone's weights; else ImageNet's.")
@click.option("--image-px", type=int, help="Size at which pictures are seen; else the backbone's own.")
@click.option("--epochs", type=int, help="Rounds of learning; else the recipe's own.")
@click.option("--batch", type=int, help="Pictures learned at once; else the recipe's own.")
@click.option("--seed", type=int, help="What chance is drawn from: the same seed, the same model.")
@click.option("--mirror/--no-mirror", default=None, help="Whether mirrored pictures teach; not for shells.")
@click.option("--balance", help="For rare classes: logits (ask more of them), sampling (show them more) or none.")
@click.option("--min-images", type=int, help="Pictures for learning that a class must have.")
@click.option(
    "--engine",
    "engines",
    multiple=True,
    help="Quicker form to make: litert-int8, openvino, openvino-float (several times).",
)
@again_option
@click.pass_obj
def train(
    shell: Shell,
    /,
    sources: tuple[Path, ...],
    out: Path | None,
    before: str,
    at_once: bool,
    again: bool,
    **given: Any,
) -> None:
    """Train the model of the campaign in file CAMPAIGN, or one of the datasets in the folders DIR.

    A dataset's model is a new version in the folder that -o names. With --from it goes on from another version, is
    compared with it on the same held-out pictures, and serves when it is promoted (`deboodt promote`).
    """
    chosen = {name: value for name, value in given.items() if value not in (None, ())}
    if len(sources) == 1 and sources[0].is_file():
        if out or before or at_once or chosen:
            raise UsageError("a campaign's file says how its model learns: [model]; only --again goes with it")
        with opened_progress(shell) as progress, opened_campaign(shell, sources[0], progress) as work:
            sys.exit(perform(shell, work, ("train",), again))
    _of_datasets(shell, sources, out, before, at_once, chosen)


def _of_datasets(
    shell: Shell, sources: tuple[Path, ...], out: Path | None, before: str, at_once: bool, chosen: dict[str, Any]
) -> None:
    from crowd.campaign import ModelRules
    from identify.learning.features import FOLDER
    from identify.learning.promoting import promoted, version_of, with_comparison
    from identify.learning.together import together
    from identify.learning.training import train as learn
    from identify.modelfolders import CANDIDATES, next_version

    settings = shell.settings()
    older = version_of(before, settings.home_path) if before else None
    model = out or (_model_folder(older) if older else None)
    if model is None:
        raise UsageError("-o names the model's folder, such as -o models/conidae")
    rules = replace(ModelRules(name=model.resolve().name), **chosen)
    version = next_version(model)
    folder = model / CANDIDATES / version if older else model / version
    with opened_progress(shell) as progress:
        limits = _limits(settings)
        features = settings.home_path / FOLDER
        bundle = learn(
            sources,
            folder,
            rules,
            version=version,
            limits=limits,
            progress=progress,
            features=features,
            continues=older,
        )
        told = with_comparison(older, bundle, together(sources), limits, progress) if older else None
    if told and at_once and not told.is_worse:
        from identify.bundle import open_bundle

        bundle = promoted(open_bundle(bundle.folder))
    _print(shell, bundle, told)


@click.command()
@click.argument("model", metavar="MODEL@VERSION")
@click.option("--although-worse", is_flag=True, help="Promote it although it is worse on the same pictures.")
@click.pass_obj
def promote(shell: Shell, model: str, although_worse: bool) -> None:
    """Let a candidate that `deboodt train --from` made serve in the place of the version before.

    It was compared with that one on the same held-out pictures; a worse one stays a candidate. MODEL is a folder with
    versions, or a name in the home folder.
    """
    from identify.learning.promoting import comparison_of, promoted, version_of

    candidate = version_of(model, shell.settings().home_path)
    told = comparison_of(candidate)
    _print(shell, promoted(candidate, although_worse=although_worse), told)


def _model_folder(bundle: "Bundle") -> Path:
    from identify.modelfolders import CANDIDATES

    above = bundle.folder.parent
    return above.parent if above.name == CANDIDATES else above


def _limits(settings: Any) -> "Limits":
    from linkeddata.decoding import Limits

    return Limits(settings.max_image_bytes, settings.max_image_pixels)


def _print(shell: Shell, bundle: "Bundle", told: "Comparison | None") -> None:
    """Print what was made: where it is, how good, what serves, what it cost."""
    from identify.learning.comparing import in_words
    from identify.learning.told import lines

    data: dict[str, Any] = {"model": f"{bundle.about.name}@{bundle.about.version}", "folder": str(bundle.folder)}
    data |= {"engine": bundle.about.engine, "training": bundle.training, "comparison": asdict(told) if told else None}
    shell.result(data, "\n".join([*lines(bundle), *(in_words(told) if told else [])]))
