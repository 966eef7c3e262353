"""The model card: what a model is, how good, and what it cannot do. In: its figures. Out: Markdown, plain words."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harvest.datasets.manifest import Dataset
from identify.bundle import Description
from identify.judging.ranks import OWN
from identify.learning.told import engine, made
from linkeddata.records import ModelClass

SHOWN_GROUPS = 12
SHOWN_ERRORS = 6


def card(
    about: Description,
    classes: Sequence[ModelClass],
    metrics: Mapping[str, Any],
    data: Dataset,
    training: Mapping[str, Any] | None = None,
) -> str:
    """Return the card of a model; the same inputs give the same text. ``training`` is what ``training.json`` tells."""
    parts = [
        f"# {about.name}, version {about.version}",
        _what(about, classes),
        "## How good it is",
        *_figures(metrics),
        *_words(metrics),
        *_strangers(metrics),
        *_errors(metrics),
        "## What it cannot do",
        *_limits(metrics),
        "## What it learned from",
        _origin(data),
        "## Classes",
        _table(classes, metrics),
        "## How it was made",
        "\n\n".join(_made(about, training or {})),
    ]
    return "\n\n".join(parts) + "\n"


def _what(about: Description, classes: Sequence[ModelClass]) -> str:
    ranks = sorted({one.rank for one in classes if one.rank})
    named = f" ({', '.join(ranks)})" if ranks else ""
    above = ", or a taxon above them where it is less sure" if any(one.lineage for one in classes) else ""
    text = (
        f"Given one or several pictures of an object, it names one of {len(classes)} classes{named}"
        f"{above}, and says in a word how sure "
        "it is: certain, likely, uncertain (it names nothing, and shows what it hesitates between) or unknown (unlike "
        "everything it learned)."
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
        genus = f", {_share(figures['genus_accuracy'])} the right genus" if "genus_accuracy" in figures else ""
        lines.append(
            f"- On {words}: {_share(figures['accuracy'])} put the right class first{genus}. "
            f"It names something on {_share(figures['answered'])}; of these "
            f"answers, at whatever rank, {_share(figures['answered_right'])} are right."
        )
    return ["\n".join(lines), "Intervals are Wilson's, 95 %."]


def _words(metrics: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the words stood for on unseen groups, and the certainty each precision takes."""
    judgement, answers = metrics.get("judgement"), metrics["unseen"].get("answers")
    if not judgement or not judgement["words"]:
        return
    yield "## What its words mean"
    basis = judgement["basis"]
    promise = (
        '"Certain" means that at least 95 of 100 such answers are right, "likely" at least 80; who needs another '
        "precision asks for it. The thresholds come from "
        f"{basis['images']} pictures of {basis['groups']} groups ({basis['how']})."
    )
    if answers and answers["right_by_word"]["certain"]["of"]:
        held = answers["sets"]
        promise += f' Held to its word on unseen groups: of "certain" {_share(answers["right_by_word"]["certain"])}'
        likely = answers["right_by_word"]["likely"]
        promise += f', of "likely" {_share(likely)} were right.' if likely["of"] else " were right."
        if held["asked"]:
            promise += (
                f" Sets that should hold the truth {100 * held['asked']:.0f} times in 100 held it "
                f"{_share(held['held'])}, naming {held['classes']:g} classes on average."
            )
    yield promise
    rows = [
        f"| {row['precision'] * 100:.0f} % | " + " | ".join(_from(row, rank) for rank in judgement["ranks"]) + " |"
        for row in judgement["words"]
        if row["precision"] in (0.8, 0.9, 0.95, 0.99)
    ]
    named = ("its class" if rank == OWN else rank for rank in judgement["ranks"])
    head = "| precision asked | " + " | ".join(f"{name} from" for name in named) + " |"
    yield "\n".join([head, "|---" * (len(judgement["ranks"]) + 1) + "|", *rows])


def _from(row: Mapping[str, Any], rank: str) -> str:
    needed = row["by_rank"].get(rank, 2.0)
    return f"{100 * needed:.0f} %" if needed <= 1.0 else "never"


def _strangers(metrics: Mapping[str, Any]) -> Iterator[str]:
    strangers = metrics["strangers"]
    if strangers["images"]:
        yield "## When it does not know"
        text = f'- Strangers answered "unknown": {_share(strangers["rejected"])}.'
        if "nothing_named" in strangers:
            text += (
                f" Nothing was named on {_share(strangers['nothing_named'])}. Of known pictures "
                f"{_share(strangers['known_lost'])} were taken for strangers."
            )
        yield text


def _errors(metrics: Mapping[str, Any]) -> Iterator[str]:
    """Yield where it errs more than by chance: the groups whose interval does not reach the whole."""
    told = {name: [row for row in rows if row["apart"]] for name, rows in metrics.get("errors", {}).items()}
    lines = [
        f"- {name} *{row['name']}*: {_share(row['accuracy'])} right"
        for name, rows in told.items()
        for row in rows[:SHOWN_ERRORS]
    ]
    if lines:
        yield "## Where it is better or worse than its average"
        yield "\n".join(lines)
        yield "Only differences that chance does not explain; all others are in the report of `deboodt evaluate`."


def _share(figure: Mapping[str, Any]) -> str:
    return (
        f"{100 * figure['value']:.0f} % ({figure['right']} of {figure['of']}; "
        f"between {100 * figure['low']:.0f} and {100 * figure['high']:.0f} %)"
    )


def _limits(metrics: Mapping[str, Any]) -> list[str]:
    lines = [
        "- It knows its classes and nothing else. A species that is not among them may be taken for one that is.",
        "- A model takes the labels it was given as the truth; these are the crowd's, counted, not a specialist's.",
        "- It does not see size, place or date; a curator may add them (a checklist, a size, a period), and the answer "
        "says what each changed.",
        '- What is "unknown" it learned from made-up strangers, or from classes left out in turn; real ones can be '
        "stranger than that.",
        "- Its certainty was adjusted on few pictures; on pictures of another kind it can be wrong and sure of itself.",
    ]
    if metrics["chosen_on"] in ("known", "train"):
        lines.append("- No group was set aside for choosing thresholds: they are too optimistic for strange hands.")
    return ["\n".join(lines), "It is an aid beside the specialist, never in the specialist's place."]


def _origin(data: Dataset) -> str:
    learned = data.split("train")
    groups = sorted({e.group for e in learned if e.group})
    licences = sorted({e.licence for e in data.examples if e.licence})
    named = f"{', '.join(groups[:SHOWN_GROUPS])}{' …' if len(groups) > SHOWN_GROUPS else ''}"
    return f"{len(learned)} pictures of {len(groups)} groups: {named}. Licences: {', '.join(licences) or 'not stated'}."


def _table(classes: Sequence[ModelClass], metrics: Mapping[str, Any]) -> str:
    """Return the classes with their ids and, on unseen groups, precision, recall and support."""
    rows = ["| class | Wikidata | GBIF | precision | recall | support |", "|---|---|---|---|---|---|"]
    measured = {row["label"]: row for row in metrics["unseen"].get("per_class", [])}
    for one in classes:
        row = measured.get(one.label)
        figures = f"{row['precision']:.2f} | {row['recall']:.2f} | {row['support']}" if row else "| |"
        rows.append(f"| {one.label} | {one.item} | {one.gbif_key} | {figures} |")
    return "\n".join(rows)


def _made(about: Description, training: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"Recipe *{about.recipe}*, pictures of {about.image_px} x {about.image_px} pixels, seed {about.seed}, dataset "
        f"`{about.dataset[:16]}`; " + ", ".join(f"{name} {version}" for name, version in about.software) + "."
    )
    # What it cost and how fast it is stand in training.json: the same training gives the same card.
    yield from (f"{line[:1].upper()}{line[1:]}." for line in made(training)[:1])
    if about.continues:
        yield f"It goes on from {about.continues}."
    if about.engines:
        yield "\n".join(f"- {engine(one)}" for one in about.engines)
