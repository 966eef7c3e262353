"""The command that measures a model on a dataset."""

from pathlib import Path
from typing import Any

import click

from identify.cli.shell import Shell, now, opened_progress


@click.command()
@click.argument("model")
@click.argument("dataset", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out", "-o", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for results."
)
@click.option(
    "--checklist",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Names, Q-ids or GBIF keys, one a line: what of them it can answer.",
)
@click.pass_obj
def evaluate(shell: Shell, model: str, dataset: Path, out: Path, checklist: Path | None) -> None:
    """Measure MODEL (a folder, or NAME[@VERSION] in home) on what it did not learn of DATASET.

    Writes evaluation.json and evaluation.html: accuracy at every rank, calibration, where it errs more, strangers, what
    is taken for what. Held out is a group (hand, series, specimen), never an image.
    """
    from identify.evaluated import evaluated

    with opened_progress(shell) as progress:
        figures = evaluated(shell.settings(), model, dataset, out, moment=now(), checklist=checklist, progress=progress)
    shell.result(figures, "\n".join(_lines(figures)))
    shell.say(f"{out / 'evaluation.html'}")


def _lines(figures: dict[str, Any]) -> list[str]:
    from identify.evaluationpage import in_words

    lines = []
    for key, words in (("unseen", "groups it never saw"), ("known", "new pictures of groups it knows")):
        part = figures[key]
        if part["images"]:
            certain = part["answers"]["right_by_word"]["certain"]
            lines += [
                f"{words}: {part['images']:,} pictures",
                f"  right class first   {in_words(part['accuracy'])}",
                f"  “certain” and right {in_words(certain)}",
                f"  certainty off by    {100 * part['calibration']['after']['error']:.1f} % (ECE)",
            ]
    strangers = figures["strangers"]
    if strangers["images"] and "rejected" in strangers:
        lines.append(f"strangers: {in_words(strangers['rejected'])} unknown; AUROC {strangers['auroc']:.3f}")
    return lines or ["no picture of its classes that it did not learn from"]
