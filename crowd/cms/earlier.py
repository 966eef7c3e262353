"""What an earlier import added, as its report says. In: a report (JSON). Out: determinations; what would undo them.

An import is recognised by its notes in the museum's export. Where the export does not show the field with the notes,
the report of the import is all that knows; and it is what an import is undone by when people worked on meanwhile.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from crowd.cms.delta import TakeBack
from crowd.cms.determinations import FIELDS, Determination
from crowd.cms.holdings import Held, Holdings, OwnNote
from crowd.cms.profile import Profile
from linkeddata.errors import UsageError

REPORT = "deboodt-cms-report"
"""``kind`` of a report."""


def read_report(path: Path) -> dict[str, Any]:
    """Return a report that ``deboodt export cms`` wrote. Raises ``UsageError`` for anything else."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read as the report of an import: {error}") from error
    needed = {"kind": str, "added": list, "base": dict, "made": str, "written": list}
    if not isinstance(found, dict) or not all(isinstance(found.get(name), kind) for name, kind in needed.items()):
        raise UsageError(f"{path}: not the report of an import (…-report.json)")
    if found["kind"] != REPORT:
        raise UsageError(f"{path}: not the report of an import (…-report.json)")
    return found


def added(report: dict[str, Any]) -> list[Determination]:
    """Return what the import of a report added."""
    return [
        Determination(**{name: str(one["determination"].get(name, "")) for name in FIELDS})
        for one in report.get("added", ())
    ]


def in_system(made: Iterable[Determination], known: Holdings, profile: Profile) -> list[TakeBack]:
    """Return those of earlier determinations that the export holds, each with where its note is if that is shown."""
    found = []
    for one in made:
        held = known.objects.get(one.object_number)
        if held is not None and (note := _found(one, held, profile)) is not None:
            found.append(TakeBack(held=held, note=note))
    return sorted(found, key=lambda back: (back.held.number, back.note.said.taxon))


def _found(one: Determination, held: Held, profile: Profile) -> OwnNote | None:
    alike = profile.keeping.alike
    for note in held.notes:
        if alike(note.said.note) == alike(one.note):
            return OwnNote(note.column, note.at, one)
    if any(column in held.values for column in profile.note_columns):
        return None
    names = {alike(one.term or one.taxon)}
    shown = (value for column in profile.taxon_columns for value in held.values.get(column, ()))
    return OwnNote("", -1, one) if any(alike(value) in names for value in shown) else None
