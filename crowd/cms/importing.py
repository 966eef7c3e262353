"""What the system makes of an import file: a model of its import tool, on the museum's export.

In: a table, entries. Out: the table as the system would export it afterwards. It is part of De Boodt, and not of its
tests alone, since ``deboodt export cms`` tries each import on a copy before it writes one, and says so in the report.

The model: a record is found by its key, and one that is not found, or found twice, is left alone (``Add new records``
off); a field that keeps one value gets the new one; a repeated field gets the new values behind those it has, all
fields of a group at the same occurrence, or only the new ones where the tool replaces fields.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from crowd.cms.entries import Entry
from crowd.cms.holdings import split
from crowd.cms.profile import Field, Profile
from crowd.cms.table import Table


def imported(table: Table, entries: Sequence[Entry], profile: Profile, *, repeats: str = "") -> Table:
    """Return the table after an import; ``repeats``: ``append`` or ``replace``, empty for what the profile says.

    A column that the export has not is added: the system has the field, and shows it if asked.
    """
    filled = {field.column for entry in entries for field, _ in entry.values if field.column}
    new = [column for column in profile.columns if column in filled and column not in table.header]
    table = table.with_columns([*table.header, *new])
    if profile.rows == "determinations":
        return _with_lines(table, entries, profile)
    places = _places(table, profile.key.column)
    cells: dict[int, tuple[str, ...]] = {}
    for entry in entries:
        found = places.get(entry.key, [])
        if len(found) == 1:
            row = dict(zip(table.header, cells.get(found[0], table.rows[found[0]].cells), strict=True))
            for _, fields in profile.groups():
                row |= _group(row, entry, [f for f in fields if f.column], profile, repeats or profile.repeats)
            cells[found[0]] = tuple(row.values())
    return table.changed(cells)


def removed(table: Table, entries: Sequence[Entry], profile: Profile) -> Table:
    """Return the table without the lines that an import of ``entries`` added; for one line a determination."""
    gone = {_line(entry, table, profile) for entry in entries}
    return replace(table, rows=tuple(row for row in table.rows if row.cells not in gone))


def _group(
    row: Mapping[str, str], entry: Entry, fields: Sequence[Field], profile: Profile, repeats: str
) -> dict[str, str]:
    sign = profile.keeping.repeat
    if repeats == "replace":
        named = {field for field, _ in entry.values}
        return {field.column: sign.join(entry.of(field)) for field in fields if field in named}
    changed = {}
    width = max((len(split(row[field.column], sign)) for field in fields if field.column in row), default=0)
    for field in fields:
        new = entry.of(field)
        if not new:
            continue
        old = split(row[field.column], sign)
        changed[field.column] = sign.join((*old, *[""] * (width - len(old)), *new)) if field.repeated else new[-1]
    return changed


def _with_lines(table: Table, entries: Sequence[Entry], profile: Profile) -> Table:
    return table.longer([_line(entry, table, profile) for entry in entries])


def _line(entry: Entry, table: Table, profile: Profile) -> tuple[str, ...]:
    cells = {field.column: values[0] for field, values in entry.values if field.column}
    cells |= {profile.object_number.column: entry.number, profile.key.column: entry.key}
    return tuple(cells.get(column, "") for column in table.header)


def _places(table: Table, column: str) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for at, row in table.whole():
        found[row.cells[table.place(column)]].append(at)
    return found
