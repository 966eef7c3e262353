"""The rows of a dataset. In: candidates with their sides. Out: examples and classes, in the order they are written."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from harvest.datasets.manifest import SPLITS, TRAIN, DatasetClass, Example
from harvest.datasets.selection import Candidate
from linkeddata.records import Label, Tag, Taxon
from linkeddata.storage import Stored

UNLABELLED = Label(id="", campaign="", file="", concept="")
STRANGE = DatasetClass(concept="", label="", rank="")
"""What stands for label and class of a stranger."""


def classes_of(placed: Iterable[tuple[str, Candidate]]) -> list[DatasetClass]:
    """Return the classes by name, each with its number of images; the order is that of the model's outputs."""
    seen: dict[str, DatasetClass] = {}
    images: Counter[str] = Counter()
    train: Counter[str] = Counter()
    for side, candidate in placed:
        for _, taxon in candidate.shown:
            seen[taxon.concept] = taxon
            images[taxon.concept] += 1
            train[taxon.concept] += side == TRAIN
    ordered = sorted(seen.values(), key=lambda c: (c.label, c.concept))
    return [replace(c, images=images[c.concept], train=train[c.concept]) for c in ordered]


def examples_of(
    placed: Iterable[tuple[str, Candidate]], regions: Mapping[tuple[str, str], tuple[str, ...]]
) -> tuple[list[Example], list[Stored]]:
    """Return the rows in the manifest's order, and the images behind them; ``regions`` are by file and concept."""
    placed = list(placed)
    folders = _class_folders(taxon for _, c in placed for _, taxon in c.shown)
    rows = [(_example_of(side, c, folders, regions), c.source) for side, c in placed]
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


def _example_of(
    side: str,
    candidate: Candidate,
    folders: Mapping[str, str],
    regions: Mapping[tuple[str, str], tuple[str, ...]],
) -> Example:
    media, label = candidate.media, candidate.label or UNLABELLED
    taxon = candidate.taxon or STRANGE
    within = f"{side}/{folders[taxon.concept]}" if candidate.taxon else side
    return Example(
        file=media.iri,
        page=media.page,
        original=media.original,
        sha1=candidate.source.sha1,
        path=f"images/{within}/{candidate.source.sha1}{candidate.source.suffix.lower()}",
        copy_sha1=candidate.source.sha1,
        split=side,
        label=taxon.label,
        concept=taxon.concept,
        rank=taxon.rank,
        item=taxon.item,
        gbif_key=taxon.gbif_key,
        col_id=taxon.col_id,
        lineage=taxon.lineage,
        also=tuple(other.concept for _, other in candidate.others),
        regions=tuple(
            (shown.concept, region)
            for said, shown in candidate.shown
            for region in regions.get((media.iri, said.concept), ())
        ),
        tagged=label.name,
        probability=label.probability,
        support=label.support,
        status=label.status,
        source=f"{label.campaign} {label.method}".strip(),
        group=media.group,
        cluster=candidate.cluster,
        licence=media.licence,
        credit=media.credit,
        creator=media.creator,
        created=media.created,
        institution=media.institution,
        inventory_number=media.inventory_number,
        simulated=media.simulated,
    )


def regions_of(tags: Iterable[Tag], taxa: Iterable[Taxon]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return where tags that stand say that a taxon is on its plate: by file and concept, each region once.

    >>> tag = Tag(id="1", file="f", item="Q1", region="pct:1,2,3,4")
    >>> regions_of([tag], [Taxon(query="Q1", concept="Q9")])
    {('f', 'Q9'): ('pct:1,2,3,4',)}
    """
    concepts = {taxon.query: taxon.concept for taxon in taxa}
    found: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for tag in tags:
        asked = tag.item or tag.verbatim
        if tag.region and not tag.withdrawn:
            found[tag.file, concepts.get(asked) or asked][tag.region] = None
    return {key: tuple(sorted(regions)) for key, regions in found.items()}
