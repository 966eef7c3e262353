"""One way back into a museum's system, from claims to files. In: claims, a profile, perhaps an export. Out: files.

``deliver`` decides everything and writes nothing; with an export it tries the import on a copy of it (``check``).
``write`` writes: the import, what takes it back, what to take back of earlier ones, the report.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from crowd.cms.delivered import Delivery
from crowd.cms.delta import TakeBack, delta
from crowd.cms.determinations import Claims, Determination, determinations, same_taxon, standing
from crowd.cms.earlier import added, in_system, read_report
from crowd.cms.entries import additions, taken_back, undone
from crowd.cms.formats import FORMATS, SUFFIXES, formats_of
from crowd.cms.holdings import Holdings, holdings, unseen
from crowd.cms.importing import imported, removed
from crowd.cms.joins import Joined, object_numbers, read_joins
from crowd.cms.profile import Profile
from crowd.cms.report import report_html, report_json, report_of, report_text
from crowd.cms.table import Table, digest
from crowd.cms.terms import Thesaurus, read_thesaurus, with_terms
from linkeddata.errors import DeBoodtError, UsageError
from linkeddata.files import replaced

IMPORT, UNDO, TAKE_BACK, REPORT = "", "-undo", "-take-back", "-report"
"""What the names of the files end with."""


def deliver(
    claims: Claims,
    profile: Profile,
    base: Table | None = None,
    *,
    campaigns: Collection[str] = (),
    earlier: Iterable[Determination] = (),
) -> Delivery:
    """Return what is to be imported so that the system says what people accepted.

    ``base``: the museum's last export; without one nothing is compared, and the import is not safe to do twice.
    ``earlier``: what earlier imports added, for an export that does not show their notes.
    Raises ``UsageError`` where the export lacks what is needed, ``DeBoodtError`` where the try on a copy fails.
    """
    told = {claim.file for _, claim in standing(claims, profile.unverified)}
    numbers, open_files = object_numbers(claims.files, profile.join, _joined(profile))
    lost = tuple(one for one in open_files if one.subject in told)
    made = determinations(claims, numbers, language=profile.terms.language, unverified=profile.unverified)
    made = with_terms(made, profile.terms, _thesaurus(profile))
    known = holdings(base, profile) if base else unseen((one.object_number for one in made), profile)
    if base and profile.repeats == "replace" and known.missing:
        raise UsageError(
            f"{base.name} has no column {known.missing[0]!r}: profile {profile.name} says that an import replaces "
            "fields, so all that it fills must be in the export"
        )
    found = delta(made, known, profile, campaigns=campaigns)
    found = replace(found, take_back=_with_earlier(found.take_back, earlier, made, known, profile))
    delivery = Delivery(
        profile=profile,
        key=profile.key if base else profile.object_number,
        base=base,
        known=known,
        made=tuple(made),
        delta=found,
        entries=tuple(additions(found.additions, profile)),
        undo=tuple(undone(found.additions, profile, known)) if base else (),
        take_back=tuple(taken_back(found.take_back, profile)),
        lost=lost,
        campaigns=tuple(campaigns),
    )
    return replace(delivery, checked=tuple(check(delivery, base))) if base else delivery


def check(delivery: Delivery, base: Table) -> Iterable[str]:
    """Try the import on a copy of the export, twice, and take it back; yield in words what was seen to hold.

    Raises ``DeBoodtError`` for what does not: then the import must not be done.
    """
    profile = delivery.profile
    after = imported(base, delivery.entries, profile)
    known = holdings(after, profile)
    for number, held in delivery.known.objects.items():
        now = known.objects[number].values
        if any(now[column][: len(values)] != values for column, values in held.values.items()):
            raise DeBoodtError(f"the import would change what {base.name} has of {number}")
    yield "what the export has of every object is still there, in its place"
    again = delta(delivery.made, known, profile, campaigns=delivery.campaigns)
    if again.additions or again.refused != delivery.delta.refused:
        raise DeBoodtError(f"the import, done twice, would add {len(again.additions)} determinations again")
    yield "the same import made from the export after it would be empty"
    undo = delivery.undo
    if profile.rows == "determinations":
        before = removed(after, undo, profile).with_columns(base.header)
    else:
        before = imported(after, undo, profile, repeats="replace").with_columns(base.header)
    if [row.cells for row in before.rows] != [row.cells for row in base.rows]:
        raise DeBoodtError("the undo file would not give the export back")
    same = "byte for byte" if before.data() == base.data() else "value for value"
    shown = ", as far as it shows what is filled" if delivery.known.missing and delivery.entries else ""
    yield f"the undo file gives the export back {same}{shown}"


def write(delivery: Delivery, folder: Path, *, formats: Sequence[str] = (), now: Callable[[], str]) -> list[Path]:
    """Write the files of a delivery into ``folder`` and return their paths; each is there completely or not at all.

    Without anything to import there is only the report. Raises ``UsageError`` where the folder holds another delivery,
    whose undo file would be lost, or a file of somebody else's by the same name.
    """
    wanted = formats_of(delivery.profile, formats)
    files = dict(_files(delivery, wanted))
    name = delivery.profile.name
    report = report_of(delivery, sorted(files), now())
    before = _before(folder, delivery, files)
    files |= {
        f"{name}{REPORT}.json": report_json(report).encode(),
        f"{name}{REPORT}.txt": report_text(report).encode(),
        f"{name}{REPORT}.html": report_html(report).encode(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for stale in before - files.keys():
        (folder / stale).unlink(missing_ok=True)
    for file, data in files.items():
        with replaced(folder / file) as out:
            out.write(data)
    return [folder / file for file in files]


def undo_later(
    report: dict[str, Any], profile: Profile, now: Table, folder: Path, formats: Sequence[str] = ()
) -> tuple[int, list[Path]]:
    """Write what takes an import back out of the museum's export as it is now; return of how many determinations.

    What people entered since stays. Raises ``UsageError`` for the report of an import with another profile.
    """
    if report.get("profile") != profile.name:
        raise UsageError(f"the report is of profile {report.get('profile')}, not of {profile.name}")
    found = in_system(added(report), holdings(now, profile), profile)
    entries = taken_back(found, profile)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for kind in formats_of(profile, formats) if entries else ():
        paths.append(folder / f"{profile.name}{UNDO}-{digest(now)[:8]}{SUFFIXES[kind]}")
        with replaced(paths[-1]) as out:
            out.write(FORMATS[kind](entries, profile, profile.key))
    return len(found), paths


def _files(delivery: Delivery, formats: Sequence[str]) -> Iterable[tuple[str, bytes]]:
    parts = ((IMPORT, delivery.entries), (UNDO, delivery.undo), (TAKE_BACK, delivery.take_back))
    for end, entries in parts:
        for kind in formats:
            if entries or (end == IMPORT and delivery.base is None):
                data = FORMATS[kind](entries, delivery.profile, delivery.key)
                yield f"{delivery.profile.name}{end}{SUFFIXES[kind]}", data


def _with_earlier(
    found: Sequence[TakeBack],
    earlier: Iterable[Determination],
    made: Sequence[Determination],
    known: Holdings,
    profile: Profile,
) -> tuple[TakeBack, ...]:
    """Return what is to be taken back, with what earlier reports know of and the export's notes do not show."""
    gone = [
        one
        for one in earlier
        if not any(one.object_number == new.object_number and same_taxon(one, new) for new in made)
    ]
    seen = {(back.held.number, back.note.at, back.note.column) for back in found}
    more = [b for b in in_system(gone, known, profile) if (b.held.number, b.note.at, b.note.column) not in seen]
    return tuple(sorted((*found, *more), key=lambda back: (back.held.number, back.note.said.taxon)))


def _before(folder: Path, delivery: Delivery, files: Collection[str]) -> set[str]:
    """Return which import files of ours a folder holds, by the report there.

    Raises ``UsageError`` where it holds the delivery for another export, whose undo file may be needed, or a file that
    is not ours and would be written over.
    """
    report = folder / f"{delivery.profile.name}{REPORT}.json"
    if report.is_file():
        before = read_report(report)
        if delivery.base and before["added"] and before["base"].get("sha256") != digest(delivery.base):
            made = before["made"]
            raise UsageError(f"{folder} holds the import of {made} and its undo file: name another folder")
        return {Path(name).name for name in before["written"]}
    for name in files:
        if delivery.base and (folder / name).exists():
            raise UsageError(f"{folder / name} is there and was not written by us: name another folder")
    return set()


def _path(profile: Profile, said: str) -> Path:
    return Path(profile.folder) / said


def _joined(profile: Profile) -> Joined:
    return read_joins(_path(profile, profile.join.table)) if profile.join.table else {}


def _thesaurus(profile: Profile) -> Thesaurus:
    return read_thesaurus(_path(profile, profile.terms.thesaurus)) if profile.terms.thesaurus else {}
