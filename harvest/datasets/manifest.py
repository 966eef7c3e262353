"""A dataset on disk: its rows, its classes, its version. In: a folder, or rows. Out: records, or a CSV's text.

``manifest.csv`` has one row an image, ``classes.csv`` one a class, ``dataset.json`` the rules, the counts,
what was lost and the content hash.
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from linkeddata.errors import DatasetError
from linkeddata.records import Ancestor, Failure

FORMAT = 2
TRAIN, VALIDATION, TEST, KNOWN, STRANGER = "train", "validation", "test", "known", "stranger"
SPLITS = (TRAIN, VALIDATION, TEST, KNOWN, STRANGER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One row of ``manifest.csv``: one image in the dataset."""

    file: str  # MediaFile.iri
    page: str
    original: str  # where it was published
    sha1: str  # of the bytes that were looked at
    path: str  # in the dataset's folder
    copy_sha1: str  # of the bytes in the folder: another where the copy carries its credit
    split: str
    label: str  # name of the class; "" for a stranger
    concept: str
    rank: str
    item: str
    gbif_key: str
    col_id: str
    lineage: tuple[Ancestor, ...]  # from the root down, the class itself not included
    also: tuple[str, ...]  # concepts of the other classes on a plate of several
    regions: tuple[tuple[str, str], ...]  # where a class is on the plate: its concept, and pct:x,y,w,h
    tagged: str  # the name people agreed on, before it was rolled up
    probability: float
    support: int
    status: str  # of the label
    source: str  # campaign or query that the label is from, and how it was counted
    group: str
    cluster: str  # of copies of one picture: the smallest SHA-1 among them; "" where there is no copy
    licence: str
    credit: str
    creator: str
    created: str  # as its publisher says it
    institution: str
    inventory_number: str
    simulated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetClass:
    """One row of ``classes.csv``. ``lineage`` is from the root down, the class itself not included."""

    concept: str
    label: str
    rank: str
    item: str = ""
    gbif_key: str = ""
    col_id: str = ""
    lineage: tuple[Ancestor, ...] = ()
    images: int = 0
    train: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A dataset on disk. ``sha256`` is over manifest and classes: it is the version."""

    folder: Path
    sha256: str
    examples: tuple[Example, ...]
    classes: tuple[DatasetClass, ...]
    counts: Mapping[str, int]
    failures: tuple[Failure, ...] = ()

    def split(self, name: str) -> tuple[Example, ...]:
        """Return the examples of one split, in the manifest's order."""
        return tuple(example for example in self.examples if example.split == name)


def read_dataset(folder: Path) -> Dataset:
    """Return the dataset in ``folder``, without its failures. Raises ``DatasetError`` for none or an altered one."""
    try:
        summary = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
        manifest = read_text(folder / "manifest.csv")
        classes = read_text(folder / "classes.csv")
        version = hashlib.sha256((manifest + classes).encode()).hexdigest()
        if summary["format"] != FORMAT or summary["sha256"] != version:
            raise DatasetError(f"{folder}: manifest.csv or classes.csv is not what dataset.json says; build it again")
        examples = tuple(_example(row) for row in csv.DictReader(io.StringIO(manifest, newline="")))
        described = tuple(_class(row) for row in csv.DictReader(io.StringIO(classes, newline="")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{folder} is no dataset of ours: {error}") from error
    return Dataset(folder=folder, sha256=version, examples=examples, classes=described, counts=summary["counts"])


def to_csv(kind: type[Example] | type[DatasetClass], rows: Iterable[Example | DatasetClass]) -> str:
    """Return ``rows`` of one kind as CSV with a header, lines ended by a line feed."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    names = [f.name for f in fields(kind)]
    writer.writerow(names)
    writer.writerows([_cell(getattr(row, name)) for name in names] for row in rows)
    return out.getvalue()


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        plain = [[a.rank, a.name, a.gbif_key] if isinstance(a, Ancestor) else a for a in value]
        return json.dumps(plain, ensure_ascii=False)
    return str(value)


def _example(row: Mapping[str, str]) -> Example:
    path = Path(row["path"])
    if path.is_absolute() or ".." in path.parts or row["split"] not in SPLITS:
        raise ValueError(f"row of {row['file']}: impossible path or split")
    texts = {f.name: row[f.name] for f in fields(Example) if f.type is str or f.type == "str"}
    return Example(
        **texts,
        lineage=_lineage(row["lineage"]),
        also=tuple(json.loads(row["also"])),
        regions=tuple((concept, region) for concept, region in json.loads(row["regions"])),
        probability=float(row["probability"]),
        support=int(row["support"]),
        simulated=row["simulated"] == "true",
    )


def _class(row: Mapping[str, str]) -> DatasetClass:
    return DatasetClass(
        concept=row["concept"],
        label=row["label"],
        rank=row["rank"],
        item=row["item"],
        gbif_key=row["gbif_key"],
        col_id=row["col_id"],
        lineage=_lineage(row["lineage"]),
        images=int(row["images"]),
        train=int(row["train"]),
    )


def _lineage(cell: str) -> tuple[Ancestor, ...]:
    return tuple(Ancestor(*step) for step in json.loads(cell))


def read_text(path: Path) -> str:
    """Return a file's text with its line ends as they are."""
    return path.read_bytes().decode("utf-8")
