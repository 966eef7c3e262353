"""Which object a file shows. In: files, rules, perhaps a table. Out: object numbers; a Failure for each that is open.

A number comes from the file's inventory number (P217), from a pattern in its name or its page's description, or from a
table. They must agree; the table's word is the last. What does not is refused, never guessed.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from crowd.cms.profile import JoinRules
from crowd.cms.values import plain
from linkeddata.errors import UsageError
from linkeddata.ids import content_id
from linkeddata.records import Failure, MediaFile
from linkeddata.tablefiles import reading, text_of

NO_OBJECT = "no object number"
AMBIGUOUS = "ambiguous object number"

Joined = Mapping[str, frozenset[str]]
"""File, by IRI, title or name → the object numbers that a table gives it."""


def read_joins(path: Path) -> Joined:
    """Return what a table with the columns ``file`` and ``object`` says. Raises ``UsageError`` for one without."""
    found: dict[str, set[str]] = defaultdict(set)
    with reading(path) as table:
        at = {name.strip().casefold(): number for number, name in enumerate(table.columns)}
        if not {"file", "object"} <= at.keys():
            raise UsageError(f"{path}: needs the columns file and object")
        for row in table.rows:
            file, number = (plain(text_of(row.cells[at[name]])) for name in ("file", "object"))
            if file and number:
                found[_name(file)].add(number)
    return {file: frozenset(numbers) for file, numbers in found.items()}


def object_numbers(
    files: Iterable[MediaFile], rules: JoinRules, joined: Joined | None = None
) -> tuple[dict[str, str], list[Failure]]:
    """Return the object number of each file by its IRI, and a Failure for each whose object cannot be told.

    ``files`` should be all of a campaign's, for those that share a number to be seen.

    >>> files = [MediaFile(iri="a", title="File:RP-T-1 recto.jpg"), MediaFile(iri="b", title="File:Bee.jpg")]
    >>> numbers, lost = object_numbers(files, JoinRules(title=r"(?P<object>RP-T-\\d+)"))
    >>> numbers, [(failure.subject, failure.reason) for failure in lost]
    ({'a': 'RP-T-1'}, [('b', 'no object number')])
    """
    said = {media.iri: _said(media, rules, joined or {}) for media in files}
    sharing: dict[str, set[str]] = defaultdict(set)
    for iri, numbers in said.items():
        for number in numbers:
            sharing[number].add(iri)
    found, lost = {}, []
    for iri, numbers in sorted(said.items()):
        if not numbers:
            lost.append(failure(iri, NO_OBJECT))
        elif len(numbers) > 1:
            lost.append(failure(iri, AMBIGUOUS, f"one of {', '.join(sorted(numbers))}"))
        elif not rules.many and len(sharing[min(numbers)]) > 1:
            lost.append(failure(iri, AMBIGUOUS, f"{min(numbers)}: {len(sharing[min(numbers)])} files"))
        else:
            found[iri] = min(numbers)
    return found, lost


def failure(iri: str, reason: str, detail: str = "") -> Failure:
    """Return the Failure of a file whose determinations cannot go out."""
    return Failure(id=content_id("export", iri, reason), step="export", subject=iri, reason=reason, detail=detail)


def _said(media: MediaFile, rules: JoinRules, joined: Joined) -> frozenset[str]:
    for name in (media.iri, media.title):
        if name and _name(name) in joined:
            return joined[_name(name)]
    found = {plain(media.inventory_number)}
    for pattern, text in ((rules.title, media.title), (rules.description, media.description)):
        if pattern:
            found |= {plain(match["object"] or "") for match in re.finditer(pattern, text)}
    return frozenset(found - {""})


def _name(file: str) -> str:
    """Return what a file is called in a table: its IRI, or its title without prefix and underscores."""
    return file if "://" in file else file.removeprefix("File:").replace("_", " ")
