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
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from crowd.campaign import DatasetRules
from harvest.datasets.about import About
from harvest.datasets.blocs import blocs_of
from harvest.datasets.choices import chosen_classes
from harvest.datasets.documents import documents
from harvest.datasets.duplicates import compared
from harvest.datasets.embedded import Embedding
from harvest.datasets.examples import classes_of, examples_of, regions_of
from harvest.datasets.folder import copied, forget, is_there, refuse_others, write
from harvest.datasets.manifest import (
    FORMAT,
    KNOWN,
    SPLITS,
    TRAIN,
    Dataset,
    DatasetClass,
    Example,
    read_dataset,
    read_text,
    to_csv,
)
from harvest.datasets.revision import FILE as CHANGES
from harvest.datasets.revision import revision, to_json
from harvest.datasets.selection import (
    ABOVE,
    Candidate,
    Losses,
    Ranks,
    Sought,
    eligible,
    is_below,
    teaching,
    without_copies,
)
from harvest.datasets.signing import signed
from harvest.datasets.splits import split_by_group
from harvest.records import Progress, silent
from linkeddata.errors import DatasetError
from linkeddata.ids import content_id
from linkeddata.records import Failure, Label, MediaFile, Tag, Taxon
from linkeddata.storage import Stored

SPLIT_BY = ("seed", "test_groups", "validation_groups", "test_share", "validation_share", "known_share")
"""Rules that decide where a group stands: where one of them changes, the lot is drawn anew."""


def build(
    media: Iterable[MediaFile],
    labels: Iterable[Label],
    taxa: Iterable[Taxon],
    image_of: Callable[[MediaFile], Stored | None],
    folder: Path,
    rules: DatasetRules,
    *,
    tags: Iterable[Tag] = (),
    strangers: Collection[str] = (),
    lost: Iterable[Failure] = (),
    about: About | None = None,
    checklist: Iterable[Taxon] = (),
    after: Path | None = None,
    looks: Path | None = None,
    embedding: Embedding | None = None,
    seed: int = 1596,
    campaign: str = "",
    moment: str = "",
    progress: Progress = silent,
) -> Dataset:
    """Write the dataset to ``folder`` and return it with what was lost.

    ``image_of`` gives a file's image (none is the failure "no image"); its SHA-1 is the one of the example. ``tags``
    say where on a plate a taxon is, as far as anybody said it. ``strangers`` are IRIs of files known to show nothing
    that is to be learned; ``lost`` is what was lost before. With ``about`` come Parquet, Croissant, datasheet, credits
    and report, whose coverage is counted against the species of ``checklist``. ``after`` is the folder of the version
    before, usually that which is in ``folder``: what it has stays on its side. What images look like is kept in the
    folder ``looks``; what ``embedding`` sees as copies stands together, too. ``seed`` decides which groups are set
    aside where none is named. The folder is built beside its place and put there in one step; one that is there with
    the same content stays as it is. Raises ``DatasetError`` when nothing is left to learn, something else is there, or
    ``after`` has no dataset.
    """
    refuse_others(folder)
    earlier = read_dataset(after) if after else _in(folder)
    losses = Losses(campaign, moment, list(lost))
    taxa = list(taxa)
    by_file, troubles = teaching(labels, rules)
    ranks = Ranks(taxa, rules.rank, coarser=rules.coarser)
    sought = Sought(by_file, troubles, ranks, rules, frozenset(strangers), image_of)
    found = list(without_copies(eligible(media, sought, losses), losses))
    found = _within_numbers(found, rules, seed, losses)
    images = compared([(candidate.source.sha1, candidate.source) for candidate in found], looks, progress, embedding)
    places = {candidate.source.sha1: place for place, candidate in enumerate(found)}
    before = _sides_before(earlier, rules, seed)
    found, settled = blocs_of(found, images.copies, rules, before, losses)
    found = _within_numbers(found, rules, seed, losses)  # again: some may have been left out
    placed = _enough_images(split_by_group(found, rules, seed, settled, before), rules, losses)
    placed = list(_with_classes_below(placed, losses))
    drawn, sources = examples_of(placed, regions_of(tags, taxa))
    classes = classes_of(placed)
    if (fine := len({one.concept for one in classes} - _coarse(candidate for _, candidate in placed))) < 2:
        enough = max(rules.min_images, rules.min_altogether)
        raise DatasetError(f"{fine} classes with at least {enough} images each; two are needed")
    examples = copied(drawn, sources, folder, signed if rules.sign else None, progress)
    texts = {"manifest.csv": to_csv(Example, examples), "classes.csv": to_csv(DatasetClass, classes)}
    version = hashlib.sha256("".join(texts.values()).encode()).hexdigest()
    counts = _counts(examples, classes, losses.failures)
    texts["dataset.json"] = _summary(version, rules, seed, about, counts, losses.failures)
    if is_there(folder, texts, examples):
        forget(folder)
    else:
        revised = revision(earlier, examples, version, losses.failures)
        told = texts | ({CHANGES: to_json(revised)} if revised else {})
        made: Mapping[str, str | bytes] = told
        if about:
            bytes_of = {example.path: source for example, source in zip(examples, sources, strict=True)}
            made = documents(
                about,
                examples,
                classes,
                losses.failures,
                told,
                version,
                checklist,
                images.among({places[example.sha1]: place for place, example in enumerate(examples)}),
                revised,
                lambda example: bytes_of[example.path].read_bytes(),
            )
        write(folder, made, list(zip(examples, sources, strict=True)), progress)
    return Dataset(
        folder=folder,
        sha256=version,
        examples=tuple(examples),
        classes=tuple(classes),
        counts=counts,
        failures=tuple(losses.failures),
    )


def _in(folder: Path) -> Dataset | None:
    """Return the dataset that is in a folder; ``None`` where there is none, or one that was altered."""
    try:
        return read_dataset(folder)
    except DatasetError:
        return None


def _sides_before(earlier: Dataset | None, rules: DatasetRules, seed: int) -> dict[str, str]:
    """Return the side of each image of the version before, by SHA-1, if it was split by the same rules."""
    if earlier is None:
        return {}
    try:
        said = json.loads(read_text(earlier.folder / "dataset.json"))["rules"]
    except (OSError, ValueError, KeyError):
        return {}
    wanted = json.loads(json.dumps(asdict(rules) | {"seed": seed}))
    if any(said.get(name) != wanted[name] for name in SPLIT_BY):
        return {}
    return {example.sha1: example.split for example in earlier.examples}


def _within_numbers(found: Sequence[Candidate], rules: DatasetRules, seed: int, losses: Losses) -> list[Candidate]:
    """Drop the classes that have too few images altogether, and of the others what is more than enough, by lot.

    A taxon above the asked rank need not have any number of them: it is no class to be told from others.
    """
    often = Counter(concept for candidate in found for concept in candidate.concepts)
    by_class: dict[str, list[Candidate]] = defaultdict(list)
    chosen = chosen_classes(often.items(), rules) | _coarse(found)
    for candidate in _of_classes(found, chosen, losses, often):
        by_class[candidate.concepts[0] if candidate.taxon else ""].append(candidate)
    kept = by_class.pop("", [])
    for some in by_class.values():
        most = rules.max_images or len(some)
        drawn = sorted(some, key=lambda c: content_id(str(seed), "drawn", c.source.sha1))
        kept += drawn[:most]
        for candidate in drawn[most:]:
            losses.add(candidate.media.iri, "more than enough images", f"{len(some)} of its class, {most} are taken")
    return sorted(kept, key=lambda c: c.media.iri)


def _enough_images(
    placed: Sequence[tuple[str, Candidate]], rules: DatasetRules, losses: Losses
) -> list[tuple[str, Candidate]]:
    """Drop the classes that have too few images to learn from."""
    learned = Counter(concept for side, c in placed if side == TRAIN for concept in c.concepts)
    enough = {concept for concept, images in learned.items() if images >= max(1, rules.min_images)}
    enough |= _coarse(candidate for _, candidate in placed)
    sides = {candidate.media.iri: side for side, candidate in placed}
    kept = _of_classes((c for _, c in placed), enough, losses, learned, f"for training, {rules.min_images} are needed")
    return [(sides[candidate.media.iri], candidate) for candidate in kept]


def _coarse(found: Iterable[Candidate]) -> set[str]:
    """Return the concepts that stand above the asked rank."""
    return {concept for candidate in found if candidate.coarse for concept in candidate.concepts}


def _with_classes_below(placed: Sequence[tuple[str, Candidate]], losses: Losses) -> Iterator[tuple[str, Candidate]]:
    """Yield the candidates; of those known above the rank only, the ones for training that a class is below of."""
    fine = [taxon for _, candidate in placed if not candidate.coarse for _, taxon in candidate.shown]
    teaches: dict[str, bool] = {}
    for side, candidate in placed:
        if not candidate.coarse:
            yield side, candidate
            continue
        for _, taxon in candidate.shown:
            if taxon.concept not in teaches:
                teaches[taxon.concept] = any(is_below(one, taxon) for one in fine)
        shown = [one for one in candidate.shown if teaches[one[1].concept]]
        names = ", ".join(taxon.label for _, taxon in candidate.shown)
        if not shown:
            losses.add(candidate.media.iri, ABOVE, f"{names}: no class is below it")
        elif side in (TRAIN, KNOWN):
            yield TRAIN, candidate.showing(shown)
        else:
            losses.add(
                candidate.media.iri, ABOVE, f"{names}: cannot be told right or wrong, and its group is for {side}"
            )


def _of_classes(
    found: Iterable[Candidate], classes: Collection[str], losses: Losses, often: Mapping[str, int], of: str = ""
) -> Iterator[Candidate]:
    """Yield the candidates of which at least one class is kept, with those alone; strangers have none to lose."""
    for candidate in found:
        shown = tuple(one for one in candidate.shown if one[1].concept in classes)
        if shown or not candidate.taxon:
            yield candidate.showing(shown)
        else:
            numbers = (f"{taxon.label}: {often[taxon.concept]} {of}".strip() for _, taxon in candidate.shown)
            losses.add(candidate.media.iri, "too few images", "; ".join(numbers))


def _counts(examples: Sequence[Example], classes: Sequence[DatasetClass], lost: Sequence[Failure]) -> dict[str, int]:
    counts = {"classes": len(classes), "images": len(examples), "lost": len(lost)}
    counts |= {split: sum(e.split == split for e in examples) for split in SPLITS}
    return counts | {f"lost: {reason}": n for reason, n in sorted(Counter(f.reason for f in lost).items())}


def _summary(
    version: str,
    rules: DatasetRules,
    seed: int,
    about: About | None,
    counts: Mapping[str, int],
    lost: Sequence[Failure],
) -> str:
    content = {
        "format": FORMAT,
        "sha256": version,
        **({"about": asdict(about)} if about else {}),
        "rules": asdict(rules) | {"seed": seed},
        "counts": dict(counts),
        "lost": [{"file": f.subject, "reason": f.reason, "detail": f.detail} for f in lost],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
