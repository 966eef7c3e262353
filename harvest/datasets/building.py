"""A training set from labelled files. In: media, accepted labels, resolved taxa, image paths, rules. Out: a folder.

The folder: ``images/SPLIT/CLASS/SHA1.ext`` (hard links where the file system allows), ``manifest.csv`` with one row an
image, ``classes.csv`` with one row a class, ``dataset.json`` with the rules, what was kept and lost, and the content
hash. The same inputs give the same bytes. Every file that is not in it is a ``Failure`` that says why.

Splits: ``train``; ``validation`` and ``test`` hold whole groups (engraver, series, specimen) that training never sees;
``known`` holds single images of groups that training does see, to measure what a strange hand costs; ``stranger`` holds
what belongs to no class, for measuring only.
"""

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from crowd.campaign import DatasetRules
from harvest.datasets.folder import Progress, write
from harvest.datasets.manifest import (
    FORMAT,
    SPLITS,
    TRAIN,
    Dataset,
    DatasetClass,
    Example,
    to_csv,
)
from harvest.datasets.selection import Candidate, Losses, Ranks, eligible, may_teach, without_copies
from harvest.datasets.splits import split_by_group
from linkeddata.errors import DatasetError
from linkeddata.records import Failure, Label, MediaFile, Taxon
from linkeddata.storage import Stored


def build(
    media: Iterable[MediaFile],
    labels: Iterable[Label],
    taxa: Iterable[Taxon],
    image_of: Callable[[MediaFile], Stored | None],
    folder: Path,
    rules: DatasetRules,
    *,
    strangers: Collection[str] = (),
    seed: int = 1596,
    campaign: str = "",
    moment: str = "",
    progress: Progress | None = None,
) -> Dataset:
    """Write the dataset to ``folder`` and return it with what was lost.

    ``image_of`` gives a file's image (none is the failure "no image"); its SHA-1 is the one of the example.
    ``strangers`` are IRIs of files known to show nothing that is to be learned. ``seed`` decides which groups are set
    aside where none is named. The folder is built beside its place and put there in one step; one that is there with
    the same content stays as it is. Raises ``DatasetError`` when nothing is left to learn.
    """
    losses = Losses(campaign, moment)
    by_file: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        if may_teach(label, rules):
            by_file[label.file].append(label)
    ranks = Ranks(taxa, rules.rank)
    found = list(eligible(media, by_file, ranks, image_of, rules, frozenset(strangers), losses))
    found = list(without_copies(found, losses))
    placed = split_by_group(found, rules, seed)
    placed = _enough_images(placed, rules, losses)
    examples, sources = _examples(placed)
    classes = _count_classes(placed)
    if len(classes) < 2:
        raise DatasetError(f"{len(classes)} classes with at least {rules.min_images} images each; two are needed")
    texts = {"manifest.csv": to_csv(Example, examples), "classes.csv": to_csv(DatasetClass, classes)}
    version = hashlib.sha256("".join(texts.values()).encode()).hexdigest()
    counts = _counts(examples, classes, losses.failures)
    texts["dataset.json"] = _summary(version, rules, seed, counts, losses.failures)
    write(folder, texts, list(zip(examples, sources, strict=True)), progress)
    return Dataset(
        folder=folder,
        sha256=version,
        examples=tuple(examples),
        classes=tuple(classes),
        counts=counts,
        failures=tuple(losses.failures),
    )


def _enough_images(
    placed: list[tuple[str, Candidate]], rules: DatasetRules, losses: Losses
) -> list[tuple[str, Candidate]]:
    """Drop the classes that have too few images to learn from."""
    learned = Counter(c.taxon.concept for split, c in placed if c.taxon and split == TRAIN)
    enough = max(1, rules.min_images)
    kept = []
    for split, candidate in placed:
        if candidate.taxon and learned[candidate.taxon.concept] < enough:
            detail = f"{candidate.taxon.label}: {learned[candidate.taxon.concept]} for training, {enough} are needed"
            losses.add(candidate.media.iri, "too few images", detail)
        else:
            kept.append((split, candidate))
    return kept


def _count_classes(placed: Iterable[tuple[str, Candidate]]) -> list[DatasetClass]:
    """Return the classes by name, each with its number of images; the order is that of the model's outputs."""
    seen: dict[str, DatasetClass] = {}
    images: Counter[str] = Counter()
    train: Counter[str] = Counter()
    for split, candidate in placed:
        if candidate.taxon:
            concept = candidate.taxon.concept
            seen[concept] = candidate.taxon
            images[concept] += 1
            train[concept] += split == TRAIN
    ordered = sorted(seen.values(), key=lambda c: (c.label, c.concept))
    return [replace(c, images=images[c.concept], train=train[c.concept]) for c in ordered]


def _examples(placed: Iterable[tuple[str, Candidate]]) -> tuple[list[Example], list[Stored]]:
    placed = list(placed)
    folders = _class_folders(c.taxon for _, c in placed if c.taxon)
    rows = [(_example_of(split, c, folders), c.source) for split, c in placed]
    rows.sort(key=lambda row: (SPLITS.index(row[0].split), row[0].label, row[0].concept, row[0].file))
    return [example for example, _ in rows], [source for _, source in rows]


def _class_folders(taxa: Iterable[DatasetClass]) -> dict[str, str]:
    """Return a folder name for each concept, different ones even where two names are written alike."""
    named = {taxon.concept: _slug(taxon.label) for taxon in taxa}
    often = Counter(named.values())
    return {c: name if often[name] == 1 else f"{name}-{_slug(c)}" for c, name in named.items()}


def _slug(name: str) -> str:
    """Return ``name`` fit for a folder.

    >>> _slug("Vanessa cardui"), _slug("../x")
    ('Vanessa-cardui', 'x')
    """
    return re.sub(r"[^\w.×-]+", "-", name).strip("-.") or "unnamed"


def _example_of(split: str, candidate: Candidate, folders: Mapping[str, str]) -> Example:
    media, label, taxon = candidate.media, candidate.label, candidate.taxon
    within = f"{split}/{folders[taxon.concept]}" if taxon else split
    return Example(
        file=media.iri,
        page=media.page,
        sha1=candidate.source.sha1,
        path=f"images/{within}/{candidate.source.sha1}{candidate.source.suffix.lower()}",
        split=split,
        label=taxon.label if taxon else "",
        concept=taxon.concept if taxon else "",
        item=taxon.item if taxon else "",
        gbif_key=taxon.gbif_key if taxon else "",
        tagged=label.name if label else "",
        probability=label.probability if label else 0.0,
        support=label.support if label else 0,
        group=media.group,
        licence=media.licence,
        credit=media.credit,
        creator=media.creator,
        institution=media.institution,
        inventory_number=media.inventory_number,
        simulated=media.simulated,
    )


def _counts(examples: Sequence[Example], classes: Sequence[DatasetClass], lost: Sequence[Failure]) -> dict[str, int]:
    counts = {"classes": len(classes), "images": len(examples), "lost": len(lost)}
    counts |= {split: sum(e.split == split for e in examples) for split in SPLITS}
    return counts | {f"lost: {reason}": n for reason, n in sorted(Counter(f.reason for f in lost).items())}


def _summary(version: str, rules: DatasetRules, seed: int, counts: Mapping[str, int], lost: Sequence[Failure]) -> str:
    content = {
        "format": FORMAT,
        "sha256": version,
        "rules": asdict(rules) | {"seed": seed},
        "counts": dict(counts),
        "lost": [{"file": f.subject, "reason": f.reason, "detail": f.detail} for f in lost],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
