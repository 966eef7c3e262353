"""What the museum's export holds of each object. In: a table, a profile. Out: ``Holdings``, by object number."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from crowd.cms.determinations import Determination
from crowd.cms.notes import read_note
from crowd.cms.profile import Profile
from crowd.cms.table import Row, Table
from crowd.cms.values import plain
from linkeddata.errors import UsageError

NOT_FOUND = "object not in the export"
SEVERAL_RECORDS = "object number of several records"
NO_KEY = "record without update key"


@dataclass(frozen=True, slots=True)
class OwnNote:
    """A note of ours in the export: a determination that an earlier import put there."""

    column: str
    at: int
    """Which of the column's values, from 0."""
    said: Determination


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the system holds of one object."""

    number: str
    key: str
    """What the import finds its record by."""
    values: Mapping[str, tuple[str, ...]]
    """By column of the profile; a column that the export has not is not in it."""
    places: tuple[int, ...] = ()
    """Rows of the table."""
    notes: tuple[OwnNote, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What the system holds, as far as an export says."""

    objects: Mapping[str, Held]
    refused: Mapping[str, str]
    """Object number → why its record cannot be updated."""
    missing: tuple[str, ...] = ()
    """Columns of the profile that the export has not."""


def holdings(table: Table, profile: Profile) -> Holdings:
    """Return what ``table`` holds. Raises ``UsageError`` where it lacks what cannot be done without."""
    key, number = profile.key.column, profile.object_number.column
    needed = (key, number, *profile.taxon_columns)
    lacking = [column for column in needed if column not in table.header]
    if lacking:
        raise UsageError(
            f"{table.name} has no column {lacking[0]!r}; profile {profile.name} cannot do without "
            f"{', '.join(dict.fromkeys(needed))}: export them, too"
        )
    known = [column for column in profile.columns if column in table.header]
    rows: dict[str, list[tuple[int, Row]]] = defaultdict(list)
    keys: dict[str, set[str]] = defaultdict(set)
    for at, row in table.whole():
        rows[plain(row.cells[table.place(number)])].append((at, row))
        keys[row.cells[table.place(key)]].add(plain(row.cells[table.place(number)]))
    rows.pop("", None)
    objects, refused = {}, {}
    for object_number, found in rows.items():
        own = {row.cells[table.place(key)] for _, row in found}
        if "" in own:
            refused[object_number] = NO_KEY
        elif len(own) > 1 or (profile.rows == "objects" and len(found) > 1) or any(len(keys[one]) > 1 for one in own):
            refused[object_number] = SEVERAL_RECORDS
        else:
            values = _values(table, profile, known, [row for _, row in found])
            objects[object_number] = Held(
                number=object_number,
                key=min(own),
                values=values,
                places=tuple(at for at, _ in found),
                notes=tuple(_notes(values, profile, object_number)),
            )
    missing = tuple(column for column in profile.columns if column not in table.header)
    return Holdings(objects=objects, refused=refused, missing=missing)


def unseen(numbers: Iterable[str], profile: Profile) -> Holdings:
    """Return what is known of objects without an export: nothing; their number is the key."""
    objects = {number: Held(number=number, key=number, values={}) for number in numbers}
    return Holdings(objects=objects, refused={}, missing=profile.columns)


def split(cell: str, repeat: str) -> tuple[str, ...]:
    """Return the values in a cell.

    >>> split("doek$olieverf", "$"), split("", "$"), split("a$b", "")
    (('doek', 'olieverf'), (), ('a$b',))
    """
    if not cell:
        return ()
    return tuple(cell.split(repeat)) if repeat else (cell,)


def _values(table: Table, profile: Profile, columns: Sequence[str], rows: Sequence[Row]) -> dict[str, tuple[str, ...]]:
    if profile.rows == "determinations":
        return {column: tuple(row.cells[table.place(column)] for row in rows) for column in columns}
    [row] = rows
    single = {field.column for field in profile.fields if not field.repeated}
    return {
        column: split(row.cells[table.place(column)], "" if column in single else profile.keeping.repeat)
        for column in columns
    }


def _notes(values: Mapping[str, tuple[str, ...]], profile: Profile, number: str) -> Iterable[OwnNote]:
    for column in profile.note_columns:
        for at, value in enumerate(values.get(column, ())):
            said = read_note(value, number)
            if said is not None:
                yield OwnNote(column, at, said)
