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
import os
import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from crowd.campaign import DatasetRules
from crowd.verdicts import STANDS
from harvest.manifest import (
    FORMAT,
    KNOWN,
    SPLITS,
    STRANGER,
    TEST,
    TRAIN,
    VALIDATION,
    Dataset,
    DatasetClass,
    Example,
    read_text,
    to_csv,
)
from linkeddata.errors import DatasetError
from linkeddata.files import replaced
from linkeddata.ids import content_id
from linkeddata.records import Ancestor, Failure, Label, MediaFile, Taxon
from linkeddata.storage import Stored

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A file that may become an example: what it shows, and where its bytes lie."""

    media: MediaFile
    source: Stored
    label: Label | None = None
    taxon: DatasetClass | None = None


@dataclass
class _Losses:
    """Collects failures in the order they were met."""

    campaign: str
    moment: str
    failures: list[Failure] = field(default_factory=list)

    def add(self, subject: str, reason: str, detail: str = "") -> None:
        key = content_id("dataset", self.campaign, subject, reason)
        self.failures.append(
            Failure(
                id=key,
                step="dataset",
                subject=subject,
                reason=reason,
                detail=detail,
                campaign=self.campaign,
                moment=self.moment,
            )
        )


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
    losses = _Losses(campaign, moment)
    by_file: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        if _may_teach(label, rules):
            by_file[label.file].append(label)
    ranks = _Ranks(taxa, rules.rank)
    candidates = list(_candidates(media, by_file, ranks, image_of, rules, frozenset(strangers), losses))
    candidates = list(_without_copies(candidates, losses))
    placed = _split(candidates, rules, seed)
    placed = _enough_images(placed, rules, losses)
    examples, sources = _examples(placed)
    classes = _count_classes(placed)
    if len(classes) < 2:
        raise DatasetError(f"{len(classes)} classes with at least {rules.min_images} images each; two are needed")
    texts = {"manifest.csv": to_csv(Example, examples), "classes.csv": to_csv(DatasetClass, classes)}
    version = hashlib.sha256("".join(texts.values()).encode()).hexdigest()
    counts = _counts(examples, classes, losses.failures)
    texts["dataset.json"] = _summary(version, rules, seed, counts, losses.failures)
    _write(folder, texts, list(zip(examples, sources, strict=True)), progress)
    return Dataset(
        folder=folder,
        sha256=version,
        examples=tuple(examples),
        classes=tuple(classes),
        counts=counts,
        failures=tuple(losses.failures),
    )


def _may_teach(label: Label, rules: DatasetRules) -> bool:
    """Say whether a label is what people say by themselves, or, where the rules allow it, with machines' suggestions.

    What a reviewer overruled teaches only what the reviewer said.
    """
    with_machine = rules.machine and not label.counted and label.machine_status in STANDS
    return label.status in STANDS or with_machine


class _Ranks:
    """Turns a label into the class it counts for at the asked rank."""

    def __init__(self, taxa: Iterable[Taxon], rank: str) -> None:
        self._rank = rank
        self._taxa: dict[str, Taxon] = {}
        self._by_key: dict[str, Taxon] = {}
        for taxon in sorted((t for t in taxa if t.concept), key=_fullness):
            self._taxa[taxon.concept] = taxon
            if taxon.gbif_key:
                self._by_key[taxon.gbif_key] = taxon

    def place(self, label: Label) -> DatasetClass | None:
        """Return the class of a label, or ``None`` for a label above the asked rank or without one in its lineage."""
        taxon = self._taxa.get(label.concept)
        rank = taxon.rank if taxon else label.rank
        if not self._rank or rank == self._rank:
            return _class_of_taxon(taxon) if taxon else _class_of_label(label)
        for position, ancestor in enumerate(taxon.lineage if taxon else ()):
            if ancestor.rank == self._rank:
                return self._ancestor(ancestor, taxon.lineage[:position] if taxon else ())
        return None

    def _ancestor(self, ancestor: Ancestor, above: tuple[Ancestor, ...]) -> DatasetClass:
        known = self._by_key.get(ancestor.gbif_key) if ancestor.gbif_key else None
        if known and known.rank == ancestor.rank:
            return _class_of_taxon(known)
        concept = f"gbif:{ancestor.gbif_key}" if ancestor.gbif_key else f"name:{ancestor.rank}:{ancestor.name}"
        return DatasetClass(
            concept=concept, label=ancestor.name, rank=ancestor.rank, gbif_key=ancestor.gbif_key, lineage=above
        )


def _fullness(taxon: Taxon) -> tuple[int, int, str]:
    """Order taxa of one concept so that the one with most ids and the longest lineage comes last and wins."""
    return sum(map(bool, (taxon.item, taxon.gbif_key, taxon.col_id))), len(taxon.lineage), taxon.query


def _class_of_taxon(taxon: Taxon) -> DatasetClass:
    return DatasetClass(
        concept=taxon.concept,
        label=taxon.name,
        rank=taxon.rank,
        item=taxon.item,
        gbif_key=taxon.gbif_key,
        col_id=taxon.col_id,
        lineage=taxon.lineage,
    )


def _class_of_label(label: Label) -> DatasetClass:
    return DatasetClass(
        concept=label.concept, label=label.name, rank=label.rank, item=label.item, gbif_key=label.gbif_key
    )


def _candidates(
    media: Iterable[MediaFile],
    by_file: Mapping[str, Sequence[Label]],
    ranks: _Ranks,
    image_of: Callable[[MediaFile], Stored | None],
    rules: DatasetRules,
    strangers: frozenset[str],
    losses: _Losses,
) -> Iterator[_Candidate]:
    """Yield the files that may be used, by IRI; the others go to ``losses``."""
    for one in sorted(media, key=lambda file: file.iri):
        shown = _shown(one, by_file.get(one.iri, ()), ranks, one.iri in strangers, losses)
        if shown is None:
            continue
        if not one.licence:
            losses.add(one.iri, "no licence")
            continue
        source = image_of(one)
        if source is None:
            losses.add(one.iri, "no image", one.original)
            continue
        yield _Candidate(one, source, *shown)


def _shown(
    one: MediaFile, labels: Sequence[Label], ranks: _Ranks, stranger: bool, losses: _Losses
) -> tuple[Label | None, DatasetClass | None] | None:
    """Return label and class of a file that shows one; ``(None, None)`` for a stranger; ``None`` where it is lost."""
    if stranger:
        return None, None
    if not labels:
        losses.add(one.iri, "no accepted label")
        return None
    found: dict[str, tuple[Label, DatasetClass]] = {}
    for label in sorted(labels, key=lambda x: (-x.probability, -x.support, x.concept)):
        if placed := ranks.place(label):
            found.setdefault(placed.concept, (label, placed))
    if not found:
        losses.add(one.iri, "above the rank", ", ".join(sorted(label.name for label in labels)))
        return None
    if len(found) > 1:
        losses.add(one.iri, "several species", ", ".join(sorted(placed.label for _, placed in found.values())))
        return None
    return next(iter(found.values()))


def _without_copies(candidates: Iterable[_Candidate], losses: _Losses) -> Iterator[_Candidate]:
    """Yield the first file of each sha1: the same bytes under two names would stand on both sides."""
    first: dict[str, str] = {}
    for candidate in candidates:
        sha1, iri = candidate.source.sha1, candidate.media.iri
        if sha1 in first:
            losses.add(iri, "duplicate image", f"same bytes as {first[sha1]}")
            continue
        first[sha1] = iri
        yield candidate


def _split(candidates: Sequence[_Candidate], rules: DatasetRules, seed: int) -> list[tuple[str, _Candidate]]:
    """Put whole groups on one side each; a file without a group is a group of its own."""
    sizes = Counter(_group(c) for c in candidates if c.taxon)
    side = dict.fromkeys(rules.test_groups, TEST) | dict.fromkeys(rules.validation_groups, VALIDATION)
    missing = sorted(set(side) - set(sizes))
    if missing:
        raise DatasetError(f"no usable file is of the group {', '.join(missing)}; there are {_some(sizes)}")
    free = sorted((g for g in sizes if g not in side), key=lambda g: content_id(str(seed), g))
    for name, share, named in (
        (TEST, rules.test_share, rules.test_groups),
        (VALIDATION, rules.validation_share, rules.validation_groups),
    ):
        if not named:
            side |= dict.fromkeys(_take(free, sizes, share), name)
            free = [g for g in free if g not in side]
    return [(_side(c, side, rules.known_share, seed), c) for c in candidates]


def _take(free: Sequence[str], sizes: Mapping[str, int], share: float) -> list[str]:
    """Return groups that together come nearest to ``share`` of all images: at least one, if training keeps two.

    >>> _take(["a", "b", "c", "d"], {"a": 5, "b": 2, "c": 2, "d": 1}, 0.2)
    ['b']
    """
    wanted, taken, held = share * sum(sizes.values()), [], 0
    for group in free:
        if wanted and held + sizes[group] / 2 <= wanted:
            taken.append(group)
            held += sizes[group]
    if wanted and not taken and len(free) > 2:
        taken = [min(free, key=lambda g: sizes[g])]
    return taken


def _side(candidate: _Candidate, side: Mapping[str, str], known_share: float, seed: int) -> str:
    if not candidate.taxon:
        return STRANGER
    name = side.get(_group(candidate), TRAIN)
    draw = int(content_id(str(seed), "known", candidate.source.sha1)[:8], 16) / 2**32
    return KNOWN if name == TRAIN and draw < known_share else name


def _group(candidate: _Candidate) -> str:
    return candidate.media.group or candidate.source.sha1


def _some(names: Iterable[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:8]) + (" …" if len(listed) > 8 else "")


def _enough_images(
    placed: list[tuple[str, _Candidate]], rules: DatasetRules, losses: _Losses
) -> list[tuple[str, _Candidate]]:
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


def _count_classes(placed: Iterable[tuple[str, _Candidate]]) -> list[DatasetClass]:
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


def _examples(placed: Iterable[tuple[str, _Candidate]]) -> tuple[list[Example], list[Stored]]:
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


def _example_of(split: str, candidate: _Candidate, folders: Mapping[str, str]) -> Example:
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


def _write(
    folder: Path, texts: Mapping[str, str], files: Sequence[tuple[Example, Stored]], progress: Progress | None
) -> None:
    """Fill a folder beside ``folder`` (what an earlier, broken run put there is used), then swap it in."""
    if _is_there(folder, texts, files):
        return
    partial = folder.with_name(f".{folder.name}.partial")
    wanted = {partial / example.path for example, _ in files}
    for left_over in [path for path in partial.rglob("*") if path.is_file() and path not in wanted]:
        left_over.unlink()
    for done, (example, source) in enumerate(files, 1):
        _link(source, partial / example.path)
        if progress:
            progress("dataset", done, len(files))
    for name, text in texts.items():
        (partial / name).write_text(text, encoding="utf-8", newline="")
    _swap(partial, folder)


def _is_there(folder: Path, texts: Mapping[str, str], files: Sequence[tuple[Example, Stored]]) -> bool:
    try:
        same = all(read_text(folder / name) == text for name, text in texts.items())
    except (OSError, UnicodeDecodeError):
        return False
    return same and all((folder / e.path).is_file() for e, _ in files)


def _link(source: Stored, target: Path) -> None:
    """Put the bytes of ``source`` at ``target``: a hard link where they are on this disk, else a copy."""
    local = source.local
    if target.is_file() and (not local or target.stat().st_size == local.stat().st_size):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        if local:
            os.link(local.resolve(), target)
            return
    except OSError:
        pass  # another file system, or one without links
    with replaced(target) as out:
        out.write(source.read_bytes())


def _swap(partial: Path, folder: Path) -> None:
    """Put ``partial`` in the place of ``folder``; a stop in between leaves one of them whole."""
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
