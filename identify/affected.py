"""Which models learned from what no longer stands. In: model bundles, the store. Out: what became of their examples.

A bundle keeps what it learned from in ``learned.csv``. A label that was withdrawn or corrected, a file that was deleted
or erased, and a licence that changed since are told; what a query once found without a campaign cannot be told here.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

from crowd.verdicts import STANDS
from harvest.datasets.manifest import TRAIN, Dataset
from harvest.datasets.selection import Ranks
from identify.bundle import LEARNED, Bundle
from linkeddata.errors import BundleError
from linkeddata.records import Label, MediaFile, Taxon
from linkeddata.store import Store

GONE, UNKNOWN = "file deleted where it was published", "file withdrawn"
WITHDRAWN, CORRECTED, RELICENSED = "label withdrawn", "label corrected", "licence changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """One row of ``learned.csv``: an image that a model learned from."""

    file: str
    sha1: str
    concept: str
    label: str
    rank: str
    licence: str
    source: str
    group: str = ""  # bundles made before groups were kept have none


@dataclass(frozen=True, slots=True)
class Affected:
    """An example that no longer stands as it was learned."""

    file: str
    label: str
    reason: str
    detail: str = ""


def learned_from(data: Dataset) -> bytes:
    """Return what is kept in a bundle of the examples that teach, as CSV."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    names = [f.name for f in fields(Learned)]
    writer.writerow(names)
    writer.writerows([getattr(example, name) for name in names] for example in data.split(TRAIN))
    return out.getvalue().encode()


def read_learned(bundle: Bundle) -> list[Learned]:
    """Return what a model learned from. Raises ``BundleError`` for a bundle that does not say it."""
    path = bundle.folder / LEARNED
    if not path.is_file():
        name = f"{bundle.about.name}@{bundle.about.version}"
        raise BundleError(
            f"{name} does not say what it learned from: it was trained before bundles did; train it again"
        )
    return [Learned(**row) for row in csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))]


def affected(learned: Iterable[Learned], store: Store) -> Iterator[Affected]:
    """Yield the campaigns' examples of which the store says something else now than when they were learned."""
    taxa = list(store.each(Taxon))
    ranks: dict[str, Ranks] = {}
    for row in filter(is_told, learned):
        if row.rank not in ranks:
            ranks[row.rank] = Ranks(taxa, row.rank)
        yield from _troubles(row, store, ranks[row.rank])


def is_told(row: Learned) -> bool:
    """Say whether the store can tell of an example: not of what a query or a table said, whose labels it has not.

    >>> row = Learned(file="f", sha1="", concept="Q1", label="a", rank="", licence="", source="table labels")
    >>> is_told(row)
    False
    """
    return not row.source.startswith(("query ", "table "))


def _troubles(row: Learned, store: Store, ranks: Ranks) -> Iterator[Affected]:
    media = store.get(MediaFile, row.file)
    if media is None or media.gone:
        yield Affected(row.file, row.label, GONE if media else UNKNOWN, media.gone if media else "")
        return
    if media.licence != row.licence:
        yield Affected(row.file, row.label, RELICENSED, f"{row.licence} → {media.licence or 'none'}")
    campaign = row.source.partition(" ")[0]
    labels = [label for label in store.each(Label, campaign=campaign, file=row.file) if label.status in STANDS]
    if not labels:
        yield Affected(row.file, row.label, WITHDRAWN)
    elif row.concept not in {placed.concept for label in labels if (placed := ranks.place(label))}:
        yield Affected(row.file, row.label, CORRECTED, ", ".join(sorted(label.name for label in labels)))
