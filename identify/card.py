"""The model card: what a model is, how good, and what it cannot do. In: its figures. Out: Markdown, plain words."""

from collections.abc import Mapping, Sequence
from typing import Any

from harvest.datasets.manifest import Dataset
from identify.bundle import Description
from linkeddata.records import ModelClass


def card(about: Description, classes: Sequence[ModelClass], metrics: Mapping[str, Any], data: Dataset) -> str:
    """Return the card of a model; the same inputs give the same text."""
    parts = [
        f"# {about.name}, version {about.version}",
        _what(about, classes),
        "## How good it is",
        *_figures(metrics),
        "## What it cannot do",
        *_limits(about, metrics),
        "## What it learned from",
        _origin(data),
        "## Classes",
        _table(classes, metrics),
        "## How it was made",
        f"Recipe *{about.recipe}*, pictures of {about.image_px} x {about.image_px} pixels, seed {about.seed}, dataset "
        f"`{about.dataset[:16]}`; " + ", ".join(f"{name} {version}" for name, version in about.software) + ".",
    ]
    return "\n\n".join(parts) + "\n"


def _what(about: Description, classes: Sequence[ModelClass]) -> str:
    ranks = sorted({one.rank for one in classes if one.rank})
    text = (
        f"Given a picture, it names one of {len(classes)} classes ({', '.join(ranks) or 'no rank'}), or their genus "
        'or family where it is less sure, or says "unknown".'
    )
    if about.simulated:
        text += (
            "\n\n**Learned from painted, simulated plates.** It shows that the steps work; it knows nothing about real "
            "specimens or about plates by real artists, and must not be used to identify any."
        )
    return text


def _figures(metrics: Mapping[str, Any]) -> list[str]:
    lines = []
    for key, words in (
        ("unseen", "groups (hands, series) never seen in training"),
        ("known", "groups it learned from"),
    ):
        figures = metrics[key]
        if not figures["images"]:
            lines.append(f"- On {words}: not measured; the dataset sets no such images aside.")
            continue
        lines.append(
            f"- On {words}: {_share(figures['accuracy'])} put the right class first, "
            f"{_share(figures['genus_accuracy'])} the right genus. It answers {_share(figures['answered'])}; of these "
            f"answers, at whatever rank, {_share(figures['answered_right'])} are right."
        )
    strangers = metrics["strangers"]
    if strangers["images"]:
        lines.append(f'- Strangers answered "unknown": {_share(strangers["rejected"])}.')
    return ["\n".join(lines), "Intervals are Wilson's, 95 %."]


def _share(figure: Mapping[str, Any]) -> str:
    return (
        f"{100 * figure['value']:.0f} % ({figure['right']} of {figure['of']}; "
        f"between {100 * figure['low']:.0f} and {100 * figure['high']:.0f} %)"
    )


def _limits(about: Description, metrics: Mapping[str, Any]) -> list[str]:
    lines = [
        "- It knows its classes and nothing else. A species that is not among them may be taken for one that is.",
        "- A model takes the labels it was given as the truth; these are the crowd's, counted, not a specialist's.",
        "- It does not see size, place or date.",
        '- What is "unknown" it learned from made-up strangers; real ones can be stranger than that.',
        "- Its certainty was adjusted on few pictures; on pictures of another kind it can be wrong and sure of itself.",
    ]
    if metrics["chosen_on"] != "validation":
        lines.append("- No group was set aside for choosing thresholds: they are too optimistic for strange hands.")
    return ["\n".join(lines), "It is an aid beside the specialist, never in the specialist's place."]


def _origin(data: Dataset) -> str:
    learned = data.split("train")
    groups = sorted({e.group for e in learned if e.group})
    licences = sorted({e.licence for e in data.examples if e.licence})
    text = (
        f"{len(learned)} pictures of {len(groups)} groups: {', '.join(groups[:12])}{' …' if len(groups) > 12 else ''}."
    )
    return f"{text} Licences: {', '.join(licences) or 'not stated'}."


def _table(classes: Sequence[ModelClass], metrics: Mapping[str, Any]) -> str:
    """Return the classes with their ids and, on unseen groups, precision, recall and support."""
    rows = ["| class | Wikidata | GBIF | precision | recall | support |", "|---|---|---|---|---|---|"]
    measured = {row["label"]: row for row in metrics["unseen"]["per_class"]}
    for one in classes:
        row = measured.get(one.label)
        figures = f"{row['precision']:.2f} | {row['recall']:.2f} | {row['support']}" if row else "| |"
        rows.append(f"| {one.label} | {one.item} | {one.gbif_key} | {figures} |")
    return "\n".join(rows)
