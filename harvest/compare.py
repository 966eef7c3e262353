"""Two harvests laid side by side. In: what two routes said. Out: the statements in which they differ, and why.

Pure. A ``Side`` is what one route (or one saved harvest) saw: the statements, and of each file which revision it knows.
``differences`` pairs the statements of two sides, by statement id and, where a side has none, by file and item, and
says of each that has no partner why that is likely so: by a ladder of reasons, from what is told outright (withdrawn,
marked as wrong, deleted) over what follows from revisions and dates (replication lag) to what only looks so.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from harvest.commons import DEPRECATED
from harvest.commons_files import FILE_MISSING
from harvest.records import Harvested
from linkeddata.records import Failure, MediaFile, Tag

DELETED = "file deleted"
WITHDRAWN = "withdrawn since"
MARKED_WRONG = "deprecated"
LAG = "replication lag"
HIDDEN = "rank hidden"
UNSEEN_FILE = "file seen by one"
UNSEEN = "seen by one"
RANK = "rank differs"

REASONS: dict[str, str] = {
    DELETED: "the file is gone on the other side, or was moved there",
    WITHDRAWN: "one side knows that it was taken back, or knows a later revision without it",
    MARKED_WRONG: "one side knows that it was marked as wrong",
    LAG: "it was said after what the other side knows of the file or of the wiki",
    HIDDEN: "the other side shows best-rank statements only (wdt:), and the file has a preferred one",
    UNSEEN_FILE: "the other side does not know the file at all",
    UNSEEN: "both know the file, and only one has the statement: no reason can be seen",
    RANK: "both have it, one as prominent",
}
"""Why two routes differ, in the order in which it is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """One depicts statement as a side has it."""

    file: str
    item: str
    statement: str = ""
    prominent: bool = False
    deprecated: bool = False
    moment: str = ""
    revision: int = 0
    withdrawn: str = ""

    @property
    def stands(self) -> bool:
        """Whether it says that the file shows the item, now."""
        return not (self.withdrawn or self.deprecated)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a side knows of one file: which revision, of when, or that it is gone."""

    title: str = ""
    revision: int = 0
    modified: str = ""
    gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one route or saved harvest saw; ``moment``: up to when it can know the wiki, empty where nobody says."""

    name: str
    stated: tuple[Stated, ...] = ()
    files: Mapping[str, Seen] = field(default_factory=dict)
    moment: str = ""

    def of(self, file: str) -> Seen:
        """Return what is known of a file."""
        return self.files.get(file, Seen())


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One statement that two sides do not agree about; ``a`` and ``b`` say how each has it (``-``: not at all)."""

    file: str
    title: str
    item: str
    statement: str
    a: str
    b: str
    reason: str
    detail: str


COLUMNS = ("file", "title", "item", "statement", "a", "b", "reason", "detail")
"""The columns of a table of differences."""


def side_of(name: str, records: Iterable[Harvested], *, moment: str = "") -> Side:
    """Return the side that the records of a harvest make; captions are no statements and stay out."""
    stated: list[Stated] = []
    files: dict[str, Seen] = {}
    for record in records:
        match record:
            case Tag(item=item) if item:
                stated.append(_stated(record))
            case MediaFile():
                seen = Seen(title=record.title, revision=record.revision, gone=bool(record.gone))
                files[record.iri] = replace(seen, modified=files.get(record.iri, Seen()).modified)
            case Failure(reason=reason) if reason == DEPRECATED:
                item, _, statement = record.detail.partition(" ")
                stated.append(Stated(file=record.subject, item=item, statement=statement, deprecated=True))
            case Failure(reason=reason) if reason == FILE_MISSING:
                files[record.subject] = Seen(gone=True)
    return Side(name=name, stated=_once(stated), files=files, moment=moment)


def _once(stated: Iterable[Stated]) -> tuple[Stated, ...]:
    """Return each statement once: a home folder may have it by several routes. Who knows its moment knows more."""
    found: dict[object, Stated] = {}
    for number, one in enumerate(stated):
        key = (one.file, one.item, one.statement.upper()) if one.statement else number
        known = found.get(key)
        if known is None or (one.stands, one.moment) > (known.stands, known.moment):
            found[key] = one
    return tuple(found.values())


def _stated(tag: Tag) -> Stated:
    return Stated(
        file=tag.file,
        item=tag.item,
        statement=tag.statement,
        prominent=tag.prominent,
        moment=tag.moment,
        revision=tag.revision,
        withdrawn=tag.withdrawn,
    )


def with_seen(side: Side, seen: Mapping[str, Seen]) -> Side:
    """Return a side that knows more of its files; what is new wins where it says something."""
    files = dict(side.files)
    for file, more in seen.items():
        old = files.get(file, Seen())
        files[file] = Seen(
            title=more.title or old.title,
            revision=more.revision or old.revision,
            modified=more.modified or old.modified,
            gone=more.gone,
        )
    return replace(side, files=files)


def differences(a: Side, b: Side) -> Iterator[Difference]:
    """Yield each statement that stands on one side alone, or not with the same rank, by file and item.

    >>> lion = Stated(file="f", item="Q140", moment="2026-11-20T09:00:00Z")
    >>> [d.reason for d in differences(Side(name="api", stated=(lion,)), Side(name="q", moment="2026-11-01"))]
    ['replication lag']
    """
    of_a, of_b = _by_place(a), _by_place(b)
    ranks = _hiding(a, b), _hiding(b, a)
    for place in sorted(of_a.keys() | of_b.keys()):
        for one, other in _pairs(of_a.get(place, ()), of_b.get(place, ())):
            found = _difference(one, other, a, b, ranks)
            if found:
                yield found


def _by_place(side: Side) -> dict[tuple[str, str], list[Stated]]:
    found: dict[tuple[str, str], list[Stated]] = defaultdict(list)
    for one in dict.fromkeys(side.stated):
        found[one.file, one.item].append(one)
    return found


def _hiding(here: Side, there: Side) -> frozenset[str]:
    """Return the files of which ``there`` shows something, and nothing but what ``here`` has as preferred."""
    preferred = {(one.file, one.item) for one in here.stated if one.stands and one.prominent}
    shown: dict[str, set[bool]] = defaultdict(set)
    for one in there.stated:
        if one.stands:
            shown[one.file].add((one.file, one.item) in preferred)
    return frozenset(file for file, found in shown.items() if found == {True})


_PAIRINGS: tuple[Callable[[Stated, Stated], bool], ...] = (
    lambda one, other: one == other,
    lambda one, other: bool(one.statement) and one.statement.upper() == other.statement.upper(),
    # Some routes give no id, and a statement that was taken back has lost it.
    lambda one, other: not (one.statement and other.statement) and _alike(one, other),
    lambda one, other: not (one.statement and other.statement) and one.stands and other.stands,
    lambda one, other: not (one.statement and other.statement) and one.stands != other.stands,
)
"""What makes two statements about one file and item the same statement, the surest sign first."""


def _alike(one: Stated, other: Stated) -> bool:
    return one.stands and other.stands and one.prominent == other.prominent


def _pairs(a: Iterable[Stated], b: Iterable[Stated]) -> Iterator[tuple[Stated | None, Stated | None]]:
    """Pair what two sides say of one file and item; what has no partner stands alone."""
    left, right = ([*sorted(side, key=lambda one: not one.statement)] for side in (a, b))
    for same in _PAIRINGS:
        for one in list(left):
            other = next((other for other in right if same(one, other)), None)
            if other is not None:
                left.remove(one)
                right.remove(other)
                yield one, other
    yield from ((one, None) for one in left)
    yield from ((None, other) for other in right)


def _difference(
    one: Stated | None, other: Stated | None, a: Side, b: Side, hiding: tuple[frozenset[str], frozenset[str]]
) -> Difference | None:
    """Return how two sides differ about a statement; ``None`` where they do not."""
    if one and other and one.stands and other.stands:
        if one.prominent == other.prominent:
            return None
        have = one
        reason, detail = RANK, _behind(a, b, one.file) or _behind(b, a, one.file) or "the rank was changed"
    elif one and one.stands:
        have = one
        reason, detail = _why(one, other, a, b, hiding[0])
    elif other and other.stands:
        have = other
        reason, detail = _why(other, one, b, a, hiding[1])
    else:
        return None
    return Difference(
        file=have.file,
        title=a.of(have.file).title or b.of(have.file).title,
        item=have.item,
        statement=have.statement,
        a=_how(one),
        b=_how(other),
        reason=reason,
        detail=detail,
    )


def _how(one: Stated | None) -> str:
    if one is None:
        return "-"
    if one.withdrawn:
        return f"withdrawn {one.withdrawn}"
    return "deprecated" if one.deprecated else "preferred" if one.prominent else "normal"


def _why(have: Stated, lost: Stated | None, here: Side, there: Side, hiding: frozenset[str]) -> tuple[str, str]:
    """Return the likely reason why ``there`` has not what ``here`` has, the first of the ladder that holds."""
    known, unknown = here.of(have.file), there.of(have.file)
    if lost and lost.deprecated:
        return MARKED_WRONG, f"{there.name} has it as deprecated"
    if lost and lost.withdrawn:
        return WITHDRAWN, f"{there.name} knows that it was taken back on {lost.withdrawn}"
    if unknown.gone:
        return DELETED, f"{there.name} says that the file is not there"
    if late := _lag(have, here, there):
        return LAG, late
    if known.revision and known.revision < unknown.revision:
        return WITHDRAWN, f"{here.name} knows revision {known.revision}, {there.name} {unknown.revision} without it"
    if have.file in hiding and not have.prominent:
        return HIDDEN, f"{there.name} shows only preferred statements of this file"
    if have.file not in there.files and not any(one.file == have.file for one in there.stated):
        return UNSEEN_FILE, f"{there.name} does not know the file"
    return UNSEEN, f"{there.name} knows the file without it"


def _lag(have: Stated, here: Side, there: Side) -> str:
    """Return why ``there`` cannot know a statement yet, ``""`` where it could."""
    unknown = there.of(have.file)
    if unknown.revision and have.revision > unknown.revision:
        return f"said in revision {have.revision} ({have.moment}), {there.name} knows {_dated(unknown)}"
    if behind := _behind(here, there, have.file):
        return behind
    if there.moment and have.moment[: len(there.moment)] > there.moment:
        return f"said on {have.moment}, {there.name} knows the wiki up to {there.moment}"
    return ""


def _behind(here: Side, there: Side, file: str) -> str:
    """Return that ``there`` knows an earlier revision of a file than ``here``, ``""`` where it does not."""
    known, unknown = here.of(file), there.of(file)
    if unknown.revision and known.revision > unknown.revision:
        return f"{here.name} knows revision {known.revision} of the file, {there.name} {_dated(unknown)}"
    return ""


def _dated(seen: Seen) -> str:
    return f"{seen.revision} ({seen.modified})" if seen.modified else str(seen.revision)
