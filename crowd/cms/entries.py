"""What is imported, record by record. In: a delta. Out: ``Entry``, which every format can write.

Fields of one group have as many values each, so that the n-th belong together; one with none has no value.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from crowd.cms.delta import Addition, TakeBack, values_of
from crowd.cms.holdings import Held, Holdings
from crowd.cms.profile import Field, Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The values of one record in an import file."""

    key: str
    number: str
    values: tuple[tuple[Field, tuple[str, ...]], ...]

    def of(self, field: Field) -> tuple[str, ...]:
        """Return the values for a field."""
        return next((values for one, values in self.values if one == field), ())


def additions(found: Sequence[Addition], profile: Profile) -> list[Entry]:
    """Return the import: one entry a record, or one a determination where each has a line of its own."""
    if profile.rows == "determinations":
        return [_entry(one.held, [one], profile) for one in found]
    return [_entry(several[0].held, several, profile) for several in _by_record(found)]


def undone(found: Sequence[Addition], profile: Profile, known: Holdings) -> list[Entry]:
    """Return what gives back the records as the export has them.

    With one line an object: every field that the export shows, to replace what is there after the import, so that a
    cell is empty only where it was. With one line a determination: the lines that were added, to be removed.
    """
    if profile.rows == "determinations":
        return additions(found, profile)
    return [_as_held(several[0].held, profile) for several in _by_record(found)]


def taken_back(found: Sequence[TakeBack], profile: Profile) -> list[Entry]:
    """Return what takes back what nobody accepts any more: records without it, or the lines to be removed."""
    if profile.rows == "determinations":
        return [
            Entry(
                key=one.held.key,
                number=one.held.number,
                values=tuple(
                    (field, (one.held.values[field.column][one.note.at],))
                    for field in profile.fields
                    if one.held.values.get(field.column) and one.held.values[field.column][one.note.at]
                ),
            )
            for one in found
        ]
    by_record = groupby(found, key=lambda one: one.held.number)
    return [_without(list(several), profile) for _, several in by_record]


def _by_record(found: Sequence[Addition]) -> Iterable[list[Addition]]:
    ordered = sorted(found, key=lambda one: one.held.number)
    return (list(several) for _, several in groupby(ordered, key=lambda one: one.held.number))


def _entry(held: Held, several: Sequence[Addition], profile: Profile) -> Entry:
    values: list[tuple[Field, tuple[str, ...]]] = []
    for _, fields in profile.groups():
        rows = [[one.values.get(field, "") for field in fields] for one in several]
        rows = [row for row in rows if any(row)]
        new = [tuple(column) for column in zip(*rows, strict=True)] if rows else [()] * len(fields)
        if profile.repeats == "replace":
            new = _after(held, fields, new)
        values += [(field, them) for field, them in zip(fields, new, strict=True) if any(them)]
    return Entry(key=held.key, number=held.number, values=tuple(values))


def _after(held: Held, fields: Sequence[Field], new: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return what a group has when the new values have come to those that are held."""
    old = [held.values.get(field.column, ()) for field in fields]
    width = max(map(len, old), default=0)
    return [(*was, *[""] * (width - len(was)), *them) if any(them) else was for was, them in zip(old, new, strict=True)]


def _as_held(held: Held, profile: Profile) -> Entry:
    values = tuple((field, held.values[field.column]) for field in profile.fields if field.column in held.values)
    return Entry(key=held.key, number=held.number, values=values)


def _without(several: Sequence[TakeBack], profile: Profile) -> Entry:
    held = several[0].held
    values: list[tuple[Field, tuple[str, ...]]] = []
    for _, fields in profile.groups():
        shown = [field for field in fields if field.column in held.values]
        gone: set[int] = set()
        for one in several:
            gone |= _occurrence(one, shown, profile, gone)
        values += [
            (field, tuple(value for at, value in enumerate(held.values[field.column]) if at not in gone))
            for field in shown
        ]
    return Entry(key=held.key, number=held.number, values=tuple(values))


def _occurrence(one: TakeBack, fields: Sequence[Field], profile: Profile, gone: set[int]) -> set[int]:
    """Return which occurrence of a group an earlier import put there for a note: none or one."""
    if any(field.column == one.note.column for field in fields):
        return {one.note.at}
    alike = profile.keeping.alike
    expected = values_of(one.note.said, profile)
    for field in fields:
        names = {alike(expected[field])} if field in expected else set()
        if field.value == "term":
            names = {alike(one.note.said.term or one.note.said.taxon)}
        held = one.held.values[field.column]
        for at in reversed(range(len(held))):
            if at not in gone and alike(held[at]) in names:
                return {at}
    return set()
