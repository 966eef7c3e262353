"""What a version says of the one before. In: the dataset before, the new rows, losses. Out: ``changes.json``, or none.

The version before lies in the same folder, or is named. Built again from the same, a dataset keeps what it said: the
same version is no revision of itself.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from harvest.datasets.manifest import Dataset, Example
from harvest.datasets.versions import Change, Difference, changes_between
from linkeddata.records import Failure

FILE = "changes.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Revision:
    """The version before, what changed since, and the versions before that, the latest first."""

    of: str
    difference: Difference
    history: tuple[Mapping[str, Any], ...] = ()


def revision(
    earlier: Dataset | None, examples: Sequence[Example], version: str, lost: Iterable[Failure]
) -> Revision | None:
    """Return of what the version with these rows is a revision; ``None`` for the first one."""
    if earlier is None:
        return None
    before = read_revision(earlier)
    if earlier.sha256 == version:
        return before
    reasons = {one.subject: f"{one.reason}: {one.detail}".removesuffix(": ") for one in lost}
    changes = changes_between(earlier.examples, examples, reasons)
    history = (_step(before), *before.history) if before else ()
    return Revision(earlier.sha256, Difference(earlier.sha256, version, tuple(changes)), history)


def read_revision(data: Dataset) -> Revision | None:
    """Return what a dataset on disk says of the version before; ``None`` where it says nothing that can be read."""
    try:
        told = json.loads((data.folder / FILE).read_text(encoding="utf-8"))
        changes = tuple(Change(**one) for one in told["changes"])
        before = told["revision of"]
        return Revision(before, Difference(before, told["version"], changes), tuple(told["history"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def to_json(one: Revision) -> str:
    """Return a revision as the text of ``changes.json``."""
    told = {
        "format": FORMAT,
        **_step(one),
        "changes": [asdict(change) for change in one.difference.changes],
        "history": list(one.history),
    }
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def _step(one: Revision) -> dict[str, Any]:
    return {"version": one.difference.after, "revision of": one.of, "counts": one.difference.counts}
