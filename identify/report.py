"""The report of a campaign: what went in, what was lost and why, what was learned. In: a ``Run``. Out: HTML, figures.

Everything is read from the store and the campaign's folder, so a report can be written again at any time. The page is
one file with its pictures inside; it opens without a network.
"""

import base64
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from crowd.verdicts import STANDS
from harvest.imagestore import ImageStore
from harvest.reconcile import OUTCOMES, SURVIVED, Fate
from identify.answers import standing
from identify.bundle import Bundle
from identify.counting import asked_of, read_agreement
from identify.decide import RUNGS
from identify.evaluate import as_data, share
from identify.inputs import dataset_of, model_of, strangers, taxa_of
from identify.pipeline import ORDER, Run
from identify.reconciled import can_be_reconciled, fates
from linkeddata.errors import BundleError, DatasetError
from linkeddata.files import replaced
from linkeddata.records import CampaignFile, Failure, Identification, Label, MediaFile, Step, Taxon
from linkeddata.storage import Stored
from linkeddata.thumbnails import thumbnail

GALLERY = (("wrong", 4), ("higher", 4), ("right", 10), ("unknown", 3), ("stranger", 6))
"""How many examples of each kind of answer the gallery shows at most."""
THUMBNAIL_PX = 220
SHOWN_LOSSES = 12
SHOWN_FATES = 12
SHOWN_NEXT = 10


@dataclass(frozen=True, slots=True)
class Loss:
    """What was lost at one step for one reason."""

    step: str
    reason: str
    count: int
    examples: tuple[tuple[str, str], ...]  # (what was lost, detail)


@dataclass(frozen=True, slots=True)
class Example:
    """One identification with its picture."""

    kind: str
    picture: str  # data: URL, empty where there is no image
    title: str
    page: str
    answer: str
    rank: str
    certainty: float
    rule: str
    people: tuple[str, ...]  # what the accepted labels say
    alternatives: tuple[tuple[str, float], ...]


def summary(run: Run) -> dict[str, Any]:
    """Return the figures of one screen: counts at every step, losses by reason, how good the model is."""
    figures = _model_figures(run)
    return {
        "campaign": run.campaign.id,
        "title": run.campaign.title,
        "simulated": run.campaign.simulated,
        "counts": {step.name: dict(step.counts) for step in steps_of(run)},
        "lost": [{"step": loss.step, "reason": loss.reason, "count": loss.count} for loss in losses(run)],
        **({"model": figures} if figures else {}),
        "folder": str(run.folder),
    }


def summary_text(data: dict[str, Any]) -> str:
    """Return the summary for one screen of a terminal."""
    lines = [data["title"], "=" * len(data["title"])]
    for name, counts in data["counts"].items():
        lines.append(f"{name:<9} " + ", ".join(f"{number:,} {what}" for what, number in counts.items()))
    if data["lost"]:
        lines += ["", "lost and why"]
        lines += [f"{loss['count']:>6}  {loss['reason']} ({loss['step']})" for loss in data["lost"]]
    if "model" in data:
        model = data["model"]
        lines += ["", f"model {model['name']}, version {model['version']}"]
        lines += [f"  {words}: {_percent(model[key])}" for key, words in _FIGURES.items() if key in model]
    if data["simulated"]:
        lines += ["", "The material of this campaign is painted and simulated."]
    return "\n".join(lines)


def write_report(run: Run) -> Path:
    """Write ``report.html`` in the campaign's folder and return its path."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    pages = Environment(
        loader=PackageLoader("identify", "pages"), autoescape=select_autoescape(), undefined=StrictUndefined
    )
    pages.filters["percent"] = _percent
    pages.filters["thousands"] = lambda number: f"{number:,}"
    path = run.folder / "report.html"
    text = pages.get_template("report.html").render(**_content(run))
    with replaced(path) as out:
        out.write(text.encode())
    return path


def steps_of(run: Run) -> list[Step]:
    """Return the steps that were finished, in the order in which they are done."""
    found = run.store.each(Step, campaign=run.campaign.id)
    return sorted(found, key=lambda step: ORDER.index(step.name))


def losses(run: Run) -> list[Loss]:
    """Return what was lost, by step and reason, with the first few of each."""
    counts: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for failure in run.store.each(Failure, campaign=run.campaign.id):
        why = (failure.step, failure.reason)
        counts[why] += 1
        if counts[why] <= SHOWN_LOSSES:
            first[why].append((failure.subject, failure.detail))
    ordered = sorted(counts, key=lambda why: (ORDER.index(why[0]), why[1]))
    return [Loss(*why, counts[why], tuple(first[why])) for why in ordered]


_FIGURES = {
    "unseen": "right species on groups never seen in training",
    "unseen_answered_right": "right among its answers there",
    "known": "right species on groups it knows",
    "strangers": 'strangers answered "unknown"',
}


def _content(run: Run) -> dict[str, Any]:
    """Return everything the page shows."""
    bundle = _bundle(run)
    metrics = bundle.metrics if bundle else {}
    return {
        "campaign": run.campaign,
        "now": run.now(),
        "counts": steps_of(run),
        "losses": losses(run),
        "fates": _fates(run),
        "balance": _balance(run),
        "crowd": read_agreement(run),
        "next": asked_of(run, run.store.each(Label, campaign=run.campaign.id))[:SHOWN_NEXT],
        "labels": Counter(label.status for label in run.store.each(Label, campaign=run.campaign.id)),
        "taxa": _linked(run),
        "bundle": bundle,
        "metrics": metrics,
        "figures": _model_figures(run),
        "figure_words": _FIGURES,
        "per_class": _per_class(metrics),
        "worst": _confused(metrics),
        "examples": list(_gallery(run)),
        "rungs": RUNGS,
        "exports": sorted(path.name for path in (run.folder / "export").glob("*")),
    }


def _fates(run: Run) -> dict[str, Any]:
    """Return how many of the campaign's ISA tags met each fate, with the first few; nothing without both sources."""
    if not can_be_reconciled(run):
        return {}
    found: dict[str, list[Fate]] = defaultdict(list)
    for fate in fates(run):
        found[fate.outcome].append(fate)
    in_csv = [fate for some in found.values() for fate in some if fate.csv_added]
    return {
        "rows": [
            {"outcome": outcome, "about": about, "count": len(found[outcome]), "examples": found[outcome][:SHOWN_FATES]}
            for outcome, about in OUTCOMES.items()
            if outcome in found
        ],
        "most": max(map(len, found.values()), default=0),
        "in_csv": len(in_csv),
        "survived": sum(fate.outcome == SURVIVED for fate in in_csv),
    }


def _bundle(run: Run) -> Bundle | None:
    try:
        return model_of(run)
    except BundleError:
        return None


def _model_figures(run: Run) -> dict[str, Any]:
    """Return the shares of the model's figures that a summary names, each with its interval."""
    bundle = _bundle(run)
    if bundle is None:
        return {}
    metrics = bundle.metrics
    figures: dict[str, Any] = {"name": bundle.about.name, "version": bundle.about.version}
    for key in ("unseen", "known"):
        if metrics[key]["images"]:
            figures[key] = metrics[key]["accuracy"]
    if "unseen" in figures:
        figures["unseen_groups"] = metrics["unseen"]["groups"]
        figures["unseen_answered_right"] = metrics["unseen"]["answered_right"]
    unlike = strangers(run)
    said = run.store.each(Identification, campaign=run.campaign.id)
    asked = [one for one in said if one.file in unlike and one.weights == bundle.weights]
    if asked:
        figures["strangers"] = as_data(share(sum(not one.label for one in asked), len(asked)))
    return figures


def _balance(run: Run) -> list[dict[str, Any]]:
    """Return the images of each class by split, largest class first."""
    try:
        data = dataset_of(run)
    except DatasetError:
        return []
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for example in data.examples:
        if example.label:
            counts[example.label][example.split] += 1
    rows = [asdict(one) | {"splits": counts[one.label], "total": counts[one.label].total()} for one in data.classes]
    return sorted(rows, key=lambda row: (-row["total"], row["label"]))


def _linked(run: Run) -> list[dict[str, Any]]:
    """Return the accepted taxa with the ways in which people wrote each."""
    spelled: dict[str, list[str]] = defaultdict(list)
    best: dict[str, Taxon] = {}
    for query, taxon in sorted(taxa_of(run).items()):
        if taxon.concept:
            spelled[taxon.concept].append(query)
            if taxon.concept not in best or len(taxon.lineage) > len(best[taxon.concept].lineage):
                best[taxon.concept] = taxon
    rows = [asdict(taxon) | {"queries": spelled[concept]} for concept, taxon in best.items()]
    return sorted(rows, key=lambda row: (-len(row["queries"]), row["name"]))


def _per_class(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    figures = metrics.get("unseen", {}) if metrics.get("unseen", {}).get("images") else metrics.get("known", {})
    return list(figures.get("per_class", []))


def _confused(metrics: dict[str, Any]) -> list[tuple[str, str, int]]:
    """Return the pairs of classes most often taken for one another on unseen groups: truth, answer, images."""
    figures = metrics.get("unseen", {})
    labels = [row["label"] for row in figures.get("per_class", [])]
    pairs = [
        (labels[truth], labels[answer], count)
        for truth, row in enumerate(figures.get("confusion", []))
        for answer, count in enumerate(row)
        if truth != answer and count
    ]
    return sorted(pairs, key=lambda pair: (-pair[2], pair[0], pair[1]))[:8]


def _gallery(run: Run) -> Iterable[Example]:
    """Yield example identifications of each kind, spread over the campaign's files."""
    unlike = strangers(run)
    above = {taxon.name: {step.name for step in taxon.lineage} for taxon in taxa_of(run).values() if taxon.concept}
    labels: dict[str, list[Label]] = defaultdict(list)
    for label in run.store.each(Label, campaign=run.campaign.id):
        if label.status in STANDS:
            labels[label.file].append(label)
    by_kind: dict[str, list[Identification]] = defaultdict(list)
    for answer in standing(run.store.each(Identification, campaign=run.campaign.id)):
        by_kind[_kind(answer, labels[answer.file], above, answer.file in unlike)].append(answer)
    images = run.images
    for kind, most in GALLERY:
        for answer in _spread(by_kind[kind], most):
            media = run.store.get(MediaFile, answer.file)
            if media and run.store.count(CampaignFile, campaign=run.campaign.id, file=media.iri):
                yield _example(kind, answer, media, labels[answer.file], images)


def _kind(answer: Identification, labels: Sequence[Label], above: Mapping[str, set[str]], stranger: bool) -> str:
    """Return how an answer compares with what people say; ``above`` names the ancestors of each taxon."""
    if stranger:
        return "stranger"
    if not answer.label:
        return "unknown"
    said = {label.name for label in labels}
    if answer.label in said:
        return "right"
    if any(answer.label in above.get(name, ()) for name in said):
        return "higher"
    if above.get(answer.label, set()) & said:
        return "lower"
    return "wrong" if labels else "unlabelled"


def _spread(answers: Sequence[Identification], most: int) -> Sequence[Identification]:
    """Return at most ``most`` of ``answers``, evenly spaced over them in order of file."""
    ordered = sorted(answers, key=lambda answer: answer.file)
    step = max(1, len(ordered) // most)
    return ordered[::step][:most]


def _example(
    kind: str, answer: Identification, media: MediaFile, labels: Sequence[Label], images: ImageStore
) -> Example:
    return Example(
        kind=kind,
        picture=_picture(images.kept(media)),
        title=media.title.removeprefix("File:") or media.iri,
        page=media.page,
        answer=answer.label,
        rank=answer.rank,
        certainty=answer.certainty,
        rule=answer.rule,
        people=tuple(label.name for label in labels),
        alternatives=tuple((one.label, one.probability) for one in answer.alternatives[:3]),
    )


def _picture(image: Stored | None) -> str:
    """Return a small JPEG of an image as a data: URL, nothing for one that is not there or cannot be read."""
    if image is None:
        return ""
    try:
        small = thumbnail(image.read_bytes(), THUMBNAIL_PX)
    except (OSError, ValueError):
        return ""
    return "data:image/jpeg;base64," + base64.b64encode(small).decode()


def _percent(figure: dict[str, Any]) -> str:
    """Return a share in words: value, how many of how many, and the interval.

    >>> _percent({"value": 0.9, "right": 45, "of": 50, "low": 0.7864, "high": 0.9565})
    '90 % (45 of 50; 95 % interval 79-96 %)'
    """
    low, high = 100 * figure["low"], 100 * figure["high"]
    counted = f"{figure['right']} of {figure['of']}"
    return f"{100 * figure['value']:.0f} % ({counted}; 95 % interval {low:.0f}-{high:.0f} %)"
