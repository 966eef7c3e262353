"""What changed between two versions of a dataset. In: two datasets on disk. Out: changes, as data and in words."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harvest.datasets.manifest import Dataset, Example

ADDED, REMOVED = "added", "removed"
CORRECTED, RELICENSED, RECREDITED = "label corrected", "licence changed", "credit changed"
REGROUPED, MOVED, REPLACED = "group changed", "side changed", "image replaced"
KINDS = (REMOVED, CORRECTED, RELICENSED, REPLACED, RECREDITED, REGROUPED, MOVED, ADDED)
"""The kinds of changes, the gravest first."""

_COMPARED = (
    (CORRECTED, "concept", "label"),
    (RELICENSED, "licence", "licence"),
    (REPLACED, "sha1", "sha1"),
    (RECREDITED, "credit", "credit"),
    (REGROUPED, "group", "group"),
    (MOVED, "split", "split"),
)
"""Of each kind the field that is compared and the one that is shown."""


@dataclass(frozen=True, slots=True)
class Change:
    """What changed of one file: what its field said before and after; of a removed one, ``after`` is why."""

    kind: str
    file: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed between two versions, by kind and file."""

    before: str
    after: str
    changes: tuple[Change, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many changes of each kind there are."""
        found = Counter(change.kind for change in self.changes)
        return {kind: found[kind] for kind in KINDS if found[kind]}


def difference(before: Dataset, after: Dataset) -> Difference:
    """Return what changed from one version to the other; why a file is gone is what the later one says of it."""
    changes = changes_between(before.examples, after.examples, lost_in(after))
    return Difference(before.sha256, after.sha256, tuple(changes))


def changes_between(before: Iterable[Example], after: Iterable[Example], reasons: Mapping[str, str]) -> list[Change]:
    """Return what changed from some rows to others, the gravest first; ``reasons`` are why files are gone."""
    old = {example.file: example for example in before}
    new = {example.file: example for example in after}
    changes = [Change(ADDED, file, after=new[file].label) for file in new.keys() - old.keys()]
    for file in old.keys() - new.keys():
        changes.append(Change(REMOVED, file, old[file].label, reasons.get(file, "not among what it was built from")))
    for file in old.keys() & new.keys():
        changes += _changes(old[file], new[file])
    return sorted(changes, key=lambda change: (KINDS.index(change.kind), change.file))


def lost_in(data: Dataset) -> dict[str, str]:
    """Return why files are not in a dataset, by file, as its ``dataset.json`` says."""
    told = json.loads((data.folder / "dataset.json").read_text(encoding="utf-8"))
    return {one["file"]: f"{one['reason']}: {one['detail']}".removesuffix(": ") for one in told["lost"]}


def _changes(old: Example, new: Example) -> Iterator[Change]:
    for kind, compared, shown in _COMPARED:
        if getattr(old, compared) != getattr(new, compared):
            yield Change(kind, new.file, str(getattr(old, shown)), str(getattr(new, shown)))


def in_words(found: Difference, most: int = 10) -> str:
    """Return a difference as lines for people, at most so many of each kind.

    >>> print(in_words(Difference("a" * 64, "b" * 64, (Change(RELICENSED, "M1", "CC BY", "CC0"),))))
    from aaaaaaaaaaaaaaaa to bbbbbbbbbbbbbbbb
    1 licence changed
      M1: CC BY → CC0
    """
    lines = [f"from {found.before[:16]} to {found.after[:16]}"]
    if not found.changes:
        return f"{lines[0]}: nothing changed"
    for kind, count in found.counts.items():
        of_kind = [change for change in found.changes if change.kind == kind]
        lines.append(f"{count:,} {kind}")
        lines += [f"  {_told(change)}" for change in of_kind[:most]]
        lines += [f"  … and {count - most:,} more"] if count > most else []
    return "\n".join(lines)


def _told(change: Change) -> str:
    said: Sequence[str] = [part for part in (change.before, change.after) if part]
    return f"{change.file}: {' → '.join(said)}" if said else change.file


def in_short(found: Difference) -> str:
    """Return a difference as one line.

    >>> in_short(Difference("a" * 64, "b" * 64, (Change(RELICENSED, "M1", "CC BY", "CC0"), Change(ADDED, "M2"))))
    '1 licence changed, 1 added'
    """
    return ", ".join(f"{number:,} {kind}" for kind, number in found.counts.items()) or "nothing changed"
