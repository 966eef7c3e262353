"""What became of an ISA campaign's tags. In: what its CSV, Commons and Commons' history say. Out: ``Fate``, one a tag.

Pure. The CSV's tags (route ``isa``) and those of the file pages (route ``commons``: what stands, and what the history
tells of it) are paired, per file and item or caption, the surest sign first: the same person, day and tool, then the
same day by ISA under another name, then what no edit summary tells the author of. Each tag of either side, and each
row that no tag came of, is in exactly one ``Fate``, which has exactly one of ``OUTCOMES``.

The tool writes a row when Commons has answered, and never hears of what is done to it later
(https://github.com/wikimedia/labs-tools-Isa); its edits carry ``campaign<ID>@ISA`` in their summaries.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date

from harvest.commons_files import FILE_MISSING
from harvest.isa import Unplaced
from linkeddata.records import MediaFile, Tag

SURVIVED = "survived"
CHANGED = "changed"
AGAIN = "removed and added again"
REMOVED = "removed"
NEVER = "in the CSV, never on Commons"
NOT_READ = "history not read"
GONE = "file gone"
OTHERS = "prominence of another's tag"
UNREAD = "row not read"
NOT_IN_CSV = "by ISA, not in the CSV"
OUTSIDE = "added outside ISA"

OUTCOMES: dict[str, str] = {
    SURVIVED: "as the campaign left it, it stands on Commons",
    CHANGED: "another prominence than the campaign gave it, or another item or caption put in its place",
    AGAIN: "taken back, and said again by the same or another person",
    REMOVED: "taken back, and not said again",
    NEVER: "the file's history does not know it",
    NOT_READ: "no Commons source of this campaign has read the history of its file",
    GONE: "the file is not there: deleted, as a rule; one that was moved is followed",
    OTHERS: "the row changes a tag or caption that was not made in the campaign",
    UNREAD: "the row is not as the format says",
    NOT_IN_CSV: "made with the campaign's tool, and missing in its export",
    OUTSIDE: "said on these files by other means than the campaign's tool",
}
"""What can have become of a tag, with what that means."""

_ISA_TOOL = re.compile(r"campaign\d+@ISA")
_CUT_LANGUAGE = 5
"""Characters that the tool keeps of a language code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What the three say of one tag, and what became of it. People are pseudonyms; what is not said is empty."""

    outcome: str
    detail: str = ""
    title: str = ""
    file: str = ""
    item: str = ""
    caption: str = ""
    language: str = ""
    csv_row: str = ""  # of rows that no tag came of
    csv_by: str = ""
    csv_added: str = ""
    csv_removed: str = ""
    csv_removed_by: str = ""
    csv_prominent: str = ""  # yes, no
    commons_by: str = ""
    commons_added: str = ""
    commons_tool: str = ""
    commons_revision: str = ""
    commons_removed: str = ""
    commons_removed_by: str = ""
    commons_statement: str = ""
    commons_rank: str = ""  # preferred, normal; of what stands


COLUMNS = tuple(f.name for f in fields(Fate))
"""The columns of the table, in its order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that is laid side by side.

    ``numbers``: the campaign's at the tool, none where it is not known. ``unplaced`` and ``bad_rows`` (place, what is
    wrong) are the rows that no tag came of. ``captions``: whether the captions of the CSV were read; ``some_captions``:
    that on Commons' side they were not, or for a part of the files only.
    """

    isa: Sequence[Tag] = ()
    commons: Sequence[Tag] = ()
    files: Mapping[str, MediaFile] = field(default_factory=dict)
    unplaced: Sequence[Unplaced] = ()
    bad_rows: Sequence[tuple[str, str]] = ()
    moved: Mapping[str, str] = field(default_factory=dict)  # title in the CSV → IRI
    numbers: frozenset[int] = frozenset()
    captions: bool = False
    some_captions: bool = False


def reconcile(evidence: Evidence) -> Iterator[Fate]:
    """Yield what became of each tag, by title and item; then the rows that no tag came of.

    >>> told = Tag(id="i", file="f", item="Q140", agent="ann", moment="2021-10-03", route="isa")
    >>> seen = Tag(id="c", file="f", item="Q140", agent="ann", moment="2021-10-03T14:05:00Z", route="commons")
    >>> [fate.outcome for fate in reconcile(Evidence(isa=[told], commons=[seen]))]
    ['survived']
    """
    of_file: dict[str, tuple[list[Tag], list[Tag]]] = defaultdict(lambda: ([], []))
    for side, tags in enumerate((evidence.isa, evidence.commons)):
        for tag in tags:
            if tag.item or evidence.captions:
                of_file[tag.file][side].append(tag)
    for file in sorted(of_file, key=lambda iri: (_title(evidence, iri), iri)):
        yield from _file(_File(file, evidence, *of_file[file]))
    known = {media.title for media in evidence.files.values() if media.gone and of_file.get(media.iri, ([],))[0]}
    for row in evidence.unplaced:
        # A file that was there in an earlier harvest has its tags still.
        if row.file not in known or row.reason != FILE_MISSING:
            yield _of_row(row)
    for place, wrong in evidence.bad_rows:
        yield Fate(outcome=UNREAD, detail=wrong, csv_row=place)


def counts(fates: Iterable[Fate]) -> dict[str, int]:
    """Return how many there are of each outcome that occurs, in the order of ``OUTCOMES``."""
    found = dict.fromkeys(OUTCOMES, 0)
    for fate in fates:
        found[fate.outcome] += 1
    return {outcome: number for outcome, number in found.items() if number}


@dataclass(frozen=True, slots=True)
class _File:
    """One file with what both sides say of it."""

    iri: str
    evidence: Evidence
    isa: list[Tag]
    commons: list[Tag]

    @property
    def media(self) -> MediaFile:
        """What is known of the file."""
        return self.evidence.files.get(self.iri, MediaFile(iri=self.iri))

    @property
    def was_read(self) -> bool:
        """Whether its history was read: only then its silence says something."""
        return bool(self.media.revision or self.commons)

    def ours(self, tag: Tag) -> bool:
        """Whether an edit was made with the campaign's tool; with ISA's, where its number is not known."""
        if self.evidence.numbers:
            return tag.tool in {f"campaign{number}@ISA" for number in self.evidence.numbers}
        return bool(_ISA_TOOL.fullmatch(tag.tool))


def _title(evidence: Evidence, iri: str) -> str:
    return evidence.files[iri].title if iri in evidence.files else ""


def _file(file: _File) -> Iterator[Fate]:
    keys: dict[tuple[str, str, str], tuple[list[Tag], list[Tag]]] = defaultdict(lambda: ([], []))
    for side, tags in enumerate((file.isa, file.commons)):
        for tag in tags:
            keys[_key(tag)][side].append(tag)
    for key in sorted(keys):
        isa, commons = keys[key]
        pairs = list(_pairs(sorted(isa, key=_in_time), sorted(commons, key=_in_time), file.ours))
        for told, seen in pairs:
            outcome, detail = _outcome(told, seen, file)
            yield _fate(told, seen, file, outcome, detail)


def _key(tag: Tag) -> tuple[str, str, str]:
    """Return what is said of a file: an item, or a text in a language, whose code the tool may have cut."""
    return tag.item, tag.language[:_CUT_LANGUAGE], " ".join(tag.verbatim.split())


def _in_time(tag: Tag) -> tuple[str, bool, str, int, str]:
    """Order as things were said; of one day, what was taken back comes before what stands."""
    return tag.moment[:10], not tag.withdrawn, tag.moment, tag.revision, tag.id


Alike = Callable[[Tag, Tag, Callable[[Tag], bool]], bool]


def _same_day(told: Tag, seen: Tag) -> bool:
    return bool(told.moment) and told.moment[:10] == seen.moment[:10]


def _next_day(told: Tag, seen: Tag) -> bool:
    """Whether two days are the same or neighbours: rows are written a little later than the edit, also at midnight."""
    try:
        return abs((date.fromisoformat(told.moment[:10]) - date.fromisoformat(seen.moment[:10])).days) <= 1
    except ValueError:
        return False


def _as_taken_back(told: Tag, seen: Tag) -> bool:
    """Whether the CSV only knows of a tag that it was removed, and it was so on that day."""
    return not told.moment and bool(seen.withdrawn) and told.withdrawn[:10] == seen.withdrawn[:10]


_SIGNS: tuple[Alike, ...] = (
    lambda told, seen, ours: (
        _same_day(told, seen)
        and told.agent == seen.agent
        and ours(seen)
        and bool(told.withdrawn) == bool(seen.withdrawn)
    ),
    lambda told, seen, ours: _same_day(told, seen) and told.agent == seen.agent and ours(seen),
    lambda told, seen, ours: _same_day(told, seen) and told.agent == seen.agent,
    lambda told, seen, ours: _next_day(told, seen) and told.agent == seen.agent and ours(seen),
    # A user may have been renamed since, or hidden.
    lambda told, seen, ours: _same_day(told, seen) and ours(seen),
    lambda told, seen, ours: _as_taken_back(told, seen) and told.withdrawn_by == seen.withdrawn_by,
    lambda told, seen, ours: _as_taken_back(told, seen) and not seen.withdrawn_by,
    lambda told, seen, ours: not told.moment and not ours(seen) and seen.moment[:10] <= told.withdrawn[:10],
    # An edit that does not tell what it did.
    lambda told, seen, ours: not seen.revision and not seen.agent,
)
"""What makes a tag of the CSV and one of a file page the same, the surest sign first."""


def _pairs(
    isa: Sequence[Tag], commons: Sequence[Tag], ours: Callable[[Tag], bool]
) -> Iterator[tuple[Tag | None, Tag | None]]:
    """Pair what two sides say of one thing; what has no partner stands alone."""
    left, right = list(isa), list(commons)
    for alike in _SIGNS:
        for told in list(left):
            seen = next((seen for seen in right if alike(told, seen, ours)), None)
            if seen is not None:
                left.remove(told)
                right.remove(seen)
                yield told, seen
    yield from ((told, None) for told in left)
    yield from ((None, seen) for seen in right)


def _outcome(told: Tag | None, seen: Tag | None, file: _File) -> tuple[str, str]:
    """Return what became of a tag and how that is known, the first of the ladder that holds."""
    if file.media.gone:
        return GONE, f"deleted {file.media.gone}"
    if seen is None:
        return _unseen(told, file)
    if told is None:
        return (NOT_IN_CSV if file.ours(seen) else OUTSIDE), _now(seen, file)
    if not seen.withdrawn:
        return _standing(told, seen)
    by_row = told.withdrawn[:10] == seen.withdrawn[:10]
    how = _removal(seen, "in the campaign" if by_row else "on Commons")
    if (instead := _instead(seen, file)) is not None:
        return CHANGED, f"{instead.item or instead.verbatim} in its place; {how}"
    if (again := _said_again(seen, file)) is not None:
        return AGAIN, f"{how}; again {again.moment}"
    return REMOVED, how


def _unseen(told: Tag | None, file: _File) -> tuple[str, str]:
    if not file.was_read:
        return NOT_READ, "the file is in no Commons source of this campaign"
    caption = bool(told and told.language)
    if caption and file.evidence.some_captions and not any(tag.language for tag in file.commons):
        return NOT_READ, "captions are not read from every Commons source"
    return NEVER, "no edit of the file's history says it"


def _standing(told: Tag, seen: Tag) -> tuple[str, str]:
    if told.withdrawn:
        return AGAIN, f"removed in the campaign {told.withdrawn}, and restored"
    if seen.item and told.prominent != seen.prominent:
        return CHANGED, "made prominent" if seen.prominent else "prominent no more"
    known = seen.agent in (told.agent, "")
    return SURVIVED, "" if known else "by an account of another name"


def _removal(seen: Tag, where: str) -> str:
    by = "by nobody known" if not seen.withdrawn_by else "by its tagger" if seen.withdrawn_by == seen.agent else ""
    return f"removed {where} {seen.withdrawn} {by or 'by another'}"


def _now(seen: Tag, file: _File) -> str:
    if not seen.withdrawn:
        return "stands"
    instead = _instead(seen, file)
    put = f", {instead.item or instead.verbatim} in its place" if instead else ""
    return _removal(seen, "on Commons") + put


def _instead(seen: Tag, file: _File) -> Tag | None:
    """Return what the same edit put in the place of what it took away."""
    return next(
        (
            tag
            for tag in file.commons
            if tag.moment == seen.withdrawn
            and (tag.agent, tag.language) == (seen.withdrawn_by, seen.language)
            and _key(tag) != _key(seen)
        ),
        None,
    )


def _said_again(seen: Tag, file: _File) -> Tag | None:
    later = [tag for tag in file.commons if _key(tag) == _key(seen) and tag.moment >= seen.withdrawn]
    return min((tag for tag in later if tag is not seen), key=_in_time, default=None)


def _fate(told: Tag | None, seen: Tag | None, file: _File, outcome: str, detail: str) -> Fate:
    """Return the row of the table for a pair."""
    either = seen or told or Tag(id="", file=file.iri)
    old = [title for title, iri in file.evidence.moved.items() if iri == file.iri]
    notes = [detail, f"was {', '.join(old)}" if told and old else ""]
    csv = {}
    if told:
        csv = {
            "csv_by": told.agent,
            "csv_added": told.moment,
            "csv_removed": told.withdrawn,
            "csv_removed_by": told.withdrawn_by,
            "csv_prominent": ("yes" if told.prominent else "no") if told.item else "",
        }
    commons = {}
    if seen:
        commons = {
            "commons_by": seen.agent,
            "commons_added": seen.moment,
            "commons_tool": seen.tool,
            "commons_revision": str(seen.revision or ""),
            "commons_removed": seen.withdrawn,
            "commons_removed_by": seen.withdrawn_by,
            "commons_statement": seen.statement,
            "commons_rank": "" if seen.withdrawn or not seen.item else "preferred" if seen.prominent else "normal",
        }
    return Fate(
        outcome=outcome,
        detail="; ".join(filter(None, notes)),
        title=file.media.title,
        file=file.iri,
        item=either.item,
        caption=either.verbatim,
        language=either.language,
        **csv,
        **commons,
    )


def _of_row(row: Unplaced) -> Fate:
    added = row.action == "add"
    return Fate(
        outcome=GONE if row.reason == FILE_MISSING else OTHERS,
        detail=f"{row.action}: {row.reason}",
        title=row.file,
        item=row.item,
        caption=row.text,
        language=row.language,
        csv_row=row.row,
        csv_by=row.agent if row.action != "remove" else "",
        csv_added=row.day if added else "",
        csv_removed=row.day if row.action == "remove" else "",
        csv_removed_by=row.agent if row.action == "remove" else "",
    )
