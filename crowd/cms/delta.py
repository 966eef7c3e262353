"""The difference between what people accepted and what the museum's system holds.

In: determinations, holdings, a profile. Out: a ``Delta``: what to add, what is there already, what is in conflict, what
an earlier import put there that no longer holds. Nothing that somebody entered is ever overwritten or removed.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from crowd.cms.determinations import FACTS, Determination, same_taxon
from crowd.cms.holdings import NOT_FOUND, Held, Holdings, OwnNote
from crowd.cms.notes import differences, read_note
from crowd.cms.profile import NOTE, TAXON_VALUES, Field, Profile

OURS, THEIRS = "by an earlier import", "entered by somebody, or by an import whose notes are not in the export"
TAKEN_OUT = "somebody took out what an earlier import put in"
SAYS_OTHERWISE = "the note there says otherwise"
FILLED = "the field keeps one value and has another"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """One determination that is to be added, and what goes into which field."""

    held: Held
    made: Determination
    values: Mapping[Field, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One determination that is not added, and why; or a field of one that is."""

    held: Held
    made: Determination
    why: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack:
    """What an earlier import put there, and nobody accepts any more."""

    held: Held
    note: OwnNote


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """What is to be done, and what is not."""

    additions: tuple[Addition, ...] = ()
    present: tuple[Finding, ...] = ()
    conflicts: tuple[Finding, ...] = ()
    take_back: tuple[TakeBack, ...] = ()
    refused: tuple[tuple[Determination, str], ...] = ()
    """Determinations whose object has no record that can be updated, with the reason."""

    @property
    def objects(self) -> int:
        """Return how many objects were found."""
        added = {one.held.number for one in self.additions}
        return len(added | {one.held.number for one in (*self.present, *self.conflicts)})


def delta(
    made: Iterable[Determination], known: Holdings, profile: Profile, *, campaigns: Collection[str] = ()
) -> Delta:
    """Return what is to be added so that the system says what people accepted.

    ``campaigns``: whose earlier imports may be listed to take back; empty means all.
    """
    additions: list[Addition] = []
    findings: list[Finding] = []
    refused = []
    wanted: dict[str, list[Determination]] = {}
    filled: dict[tuple[str, str], str] = {}
    for one in made:
        wanted.setdefault(one.object_number, []).append(one)
        held = known.objects.get(one.object_number)
        if held is None:
            refused.append((one, known.refused.get(one.object_number, NOT_FOUND)))
            continue
        reasons = list(_reasons_not_to(one, held, profile))
        if not reasons:
            values, blocked = _fitting(one, held, profile, filled)
            findings += [Finding(held=held, made=one, why=FILLED, detail=said) for said in blocked]
            if any(field.value in TAXON_VALUES and field.column for field in values):
                additions.append(Addition(held=held, made=one, values=values))
                filled |= {(held.number, field.column): value for field, value in values.items() if not field.repeated}
        findings += reasons
    back = [
        TakeBack(held=held, note=note)
        for held in known.objects.values()
        for note in held.notes
        if (not campaigns or note.said.campaign in campaigns)
        and not any(same_taxon(note.said, one) for one in wanted.get(held.number, ()))
    ]
    return Delta(
        additions=tuple(additions),
        present=tuple(one for one in findings if one.why in (OURS, THEIRS)),
        conflicts=tuple(one for one in findings if one.why not in (OURS, THEIRS)),
        take_back=tuple(sorted(back, key=lambda one: (one.held.number, one.note.said.taxon))),
        refused=tuple(refused),
    )


def losses(profile: Profile, missing: Collection[str] = ()) -> dict[str, str]:
    """Return the facts that the profile has no field of their own for, each with where it goes instead.

    ``missing``: columns that the export lacks.
    """
    values = {field.value for field in profile.fields if field.column}
    carried = {"taxon" if value == "term" else value for value in values}
    where = "in the note" if NOTE in values else "nowhere"
    lost = {fact: where for fact in FACTS if fact not in carried}
    if NOTE in values and set(profile.note_columns) <= set(missing):
        lost = dict.fromkeys(lost, f"{where}, which the export does not show")
    return lost


def values_of(made: Determination, profile: Profile) -> dict[Field, str]:
    """Return what goes into which field, as the system will store it; empty ones are left out."""
    found = {field: profile.keeping.stored(field.text or getattr(made, field.value)) for field in profile.fields}
    return {field: value for field, value in found.items() if value}


def _reasons_not_to(one: Determination, held: Held, profile: Profile) -> Iterable[Finding]:
    """Yield why a determination is not to be added: nothing if it is."""
    own = next((note.said for note in held.notes if same_taxon(note.said, one)), None)
    there = _holds_taxon(one, held, profile) or _holds_id(one, held, profile)
    if own is None:
        if there:
            yield Finding(held=held, made=one, why=THEIRS)
        return
    if not there:
        yield Finding(held=held, made=one, why=TAKEN_OUT, detail=own.taxon)
        return
    yield Finding(held=held, made=one, why=OURS)
    stored = read_note(profile.keeping.stored(one.note), one.object_number)
    for said in differences(own, stored) if stored else ():
        yield Finding(held=held, made=one, why=SAYS_OTHERWISE, detail=said)


def _holds_taxon(one: Determination, held: Held, profile: Profile) -> bool:
    alike = profile.keeping.alike
    names = {alike(name) for name in (one.term, one.taxon) if name}
    return any(alike(value) in names for column in profile.taxon_columns for value in held.values.get(column, ()))


def _holds_id(one: Determination, held: Held, profile: Profile) -> bool:
    stored = profile.keeping.stored(one.id)
    return bool(stored) and any(stored in held.values.get(column, ()) for column in profile.id_columns)


def _fitting(
    one: Determination, held: Held, profile: Profile, filled: Mapping[tuple[str, str], str]
) -> tuple[dict[Field, str], list[str]]:
    """Return what may be written, and in words what may not, as a field has one value already."""
    values, blocked = values_of(one, profile), []
    for field in [field for field in values if not field.repeated]:
        there = next(iter(held.values.get(field.column, ())), "") or filled.get((held.number, field.column), "")
        if there:
            value = values.pop(field)
            if profile.keeping.alike(there) != profile.keeping.alike(value):
                blocked.append(f"{field.column}: {there}, not {value}")
    return values, blocked
