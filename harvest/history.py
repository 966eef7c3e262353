"""Who said it: the history of a file page, folded. In: revisions and the statements that stand. Out: ``Said``.

Wikibase writes into an edit's summary what the edit did, for machines as well as for people: ``wbsetclaim-create``
with property and item, ``wbremoveclaims-remove``, ``wbsetlabel-add`` with language and text; the ISA tool adds
``campaign165@ISA``. Other edits (``wbeditentity``, an upload with data) say only that something changed: what they
added keeps no author here, because a guess would be worse than none. A rollback, an undo and a restore are known by
what they bring back (https://www.mediawiki.org/wiki/Manual:Reverts).
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from crowd.ballots import MACHINE_TOOLS
from harvest.contents import NOTHING, Content
from harvest.mediainfo import MediaInfo, Statement
from harvest.revisions import Revision
from linkeddata.ids import DEPICTS

Key = tuple[str, str]
"""What is said: ("", Q-id), or (language, text of a caption)."""

_AUTO = re.compile(r"/\* (?P<verb>[a-z]+(?:-[a-z-]+)?):(?P<about>[^*]*?) ?\*/ ?(?P<rest>.*)", re.DOTALL)
_CLAIM = re.compile(
    r"\[\[(?:[^\]|]*[:/])?(P[1-9]\d*)(?:\|[^\]]*)?\]\]: \[\[(?:[^\]|]*[:/])?(Q[1-9]\d*)(?:\|[^\]]*)?\]\]"
)
_ANY_CLAIM = re.compile(r"\[\[(?:[^\]|]*[:/])?P[1-9]\d*(?:\|[^\]]*)?\]\]: ")
_ISA = re.compile(r"(?:, )?\bcampaign(\d+)@ISA\b")
_UNDONE = re.compile(r"\[\[Special:Diff/(\d+)")
_NUMBERED = re.compile(r"\|(\d+)(?:\||$)")

_QUICK_STATEMENTS = re.compile(r"#quickstatements\b", re.IGNORECASE)

_ADDS = frozenset({"wbsetclaim-create", "wbcreateclaim-create", "wbcreateclaim-value", "wbsetclaimvalue"})
_UPDATES = frozenset({"wbsetclaim-update"})
_REMOVES = frozenset({"wbremoveclaims-remove"})
_NAMES = frozenset({"wbsetlabel-add", "wbsetlabel-set"})
_UNNAMES = frozenset({"wbsetlabel-remove"})
_ELSEWHERE = re.compile(
    r"wbset(?:qualifier|reference|description|aliases|sitelink)|wbremove(?:qualifiers|references)|wblinktitles"
    r"|wbsetclaim-update-(?:qualifiers|references)"
)
"""How the verbs of edits begin that change no item, no rank and no caption."""
_RANKS = re.compile(r"wbsetstatementrank|wbsetclaim-update")
"""How the verbs of edits begin that may have marked a statement as wrong, or taken such a mark away."""
MOST_CONTENTS = 100
"""Of a file with more revisions in question than this, none is looked into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing said of a file: by whom and when as far as the summaries tell, and what became of it.

    ``revision`` is 0 and ``user`` and ``moment`` are ``""`` where no summary names who said it; ``withdrawn`` is ``""``
    while it stands.
    """

    key: Key
    revision: int = 0
    user: str = ""
    moment: str = ""
    tool: str = ""  # campaign165@ISA, quickstatements, or the change tag of another tool
    withdrawn: str = ""
    withdrawn_by: str = ""
    statement: Statement | None = None  # as it stands; None for captions and for what was withdrawn


def fold(
    revisions: Iterable[Revision],
    info: MediaInfo,
    *,
    captions: bool = False,
    contents: Mapping[int, Content] | None = None,
) -> list[Said]:
    """Return everything said of a file, withdrawn first, then what stands in the order of its statements.

    ``revisions`` in any order; without them nothing has an author and nothing is known to be withdrawn. ``contents``:
    what some revisions hold, by id; of an edit whose own and whose parent's are there, they say what it did.

    >>> note = "[[d:Special:EntityPage/P180]]: [[d:Special:EntityPage/Q140]], campaign165@ISA"
    >>> edit = Revision(id=7, user="Jan", moment="2021-10-03T14:05:00Z", comment=f"/* wbsetclaim-create:2||1 */ {note}")
    >>> standing = MediaInfo(id="M1", depicts=(Statement(id="M1$A", item="Q140", rank="normal"),))
    >>> [(said.key[1], said.user, said.revision, said.tool) for said in fold([edit], standing)]
    [('Q140', 'Jan', 7, 'campaign165@ISA')]
    """
    page = _folded(revisions, contents or {})
    everything = _reconciled(page, _standing(info))
    if captions:
        everything += _reconciled_captions(page, info.captions)
    places = {statement.id: place for place, statement in enumerate(info.depicts)}
    return sorted(everything, key=lambda s: (not s.withdrawn, places.get(s.statement.id, 0) if s.statement else -1))


def in_question(revisions: Sequence[Revision], info: MediaInfo, *, captions: bool = False) -> list[int]:
    """Return the ids of the revisions whose contents would tell what the summaries leave open; mostly none.

    They are asked for only where a statement (or caption) stands or was taken back that no summary accounts for.
    """
    page = _folded(revisions, {})
    told = Counter(page.said[i].key for i in page.open if captions or not page.said[i].key[0])
    standing = Counter(key for key, _ in _standing(info))
    if captions:
        standing.update(_as_told(told, info.captions))
    if told == standing and all(said.revision for said in page.said):
        return []
    wanted = {number for r in page.unsure for number in (r.id, r.parent) if number}
    return sorted(wanted) if len(wanted) <= MOST_CONTENTS else []


def _as_told(told: Iterable[Key], captions: Iterable[Key]) -> Iterator[Key]:
    """Yield captions in the words of the summaries that tell of them, where one does."""
    keys = list(told)
    yield from (next((key for key in keys if _same_caption(key, caption)), caption) for caption in captions)


def _standing(info: MediaInfo) -> list[tuple[Key, Statement]]:
    return [(("", s.item), s) for s in info.depicts if s.counts]


def _folded(revisions: Iterable[Revision], contents: Mapping[int, Content]) -> "_Folded":
    page = _Folded(contents)
    for revision in sorted(revisions, key=lambda r: r.id):
        page.take(revision)
    return page


class _Folded:
    """The things said up to one revision, and for each revision which of them were open after it."""

    def __init__(self, contents: Mapping[int, Content]) -> None:
        self.said: list[Said] = []
        self.open: tuple[int, ...] = ()
        self.revisions: list[Revision] = []
        self.dark: list[Revision] = []
        """Edits of structured data whose summary does not tell what they changed."""
        self.unsure: list[Revision] = []
        """These, and edits whose summary tells a part: the new item without the old, or a rank."""
        self.places: dict[str, int] = {}
        """Which of the things said made a statement, by its id, where contents told."""
        self._contents = contents
        self._after: dict[int, tuple[int, ...]] = {}
        self._closed_at: dict[int, int] = {}

    def take(self, revision: Revision) -> None:
        """Apply one revision, the next in time."""
        target = self._before_last_editor() if "mw-rollback" in revision.tags else _restored(revision)
        if target in self._after:
            self._restore(target, revision)
        elif undone := _undone(revision):
            self._undo(undone, revision)
        elif (found := self._before_and_after(revision)) is not None:
            self._compare(*found, revision)
        else:
            self._apply(revision)
        self.revisions.append(revision)
        self._after[revision.id] = self.open

    def _apply(self, revision: Revision) -> None:
        auto = _AUTO.match(revision.comment)
        verb = auto["verb"] if auto else ""
        rest = auto["rest"] if auto else ""
        claims = _claims(rest)
        if verb in _ADDS:
            for key in claims:
                self._add(key, revision)
        elif verb in _REMOVES:
            for key in claims:
                self._remove(key, revision)
        elif auto and verb in _NAMES | _UNNAMES:
            self._caption(auto, revision)
        told = {self.said[i].key for i in self.open}
        # An update names the item after it: where that was not told of before, it may be new or only its rank changed.
        unclear = verb in _UPDATES and not told.issuperset(claims)
        if (
            unclear
            or revision.hidden
            or verb == "wbsetclaimvalue"
            or _is_dark(verb, auto["about"] if auto else "", rest)
        ):
            self.dark.append(revision)
            self.unsure.append(revision)
        elif claims and _RANKS.match(verb):
            self.unsure.append(revision)

    def _before_and_after(self, revision: Revision) -> tuple[Content, Content] | None:
        """Return what the structured data were before and after an edit, where both are known."""
        after = self._contents.get(revision.id)
        before = self._contents.get(revision.parent) if revision.parent else NOTHING
        return None if before is None or after is None else (before, after)

    def _compare(self, before: Content, after: Content, revision: Revision) -> None:
        """Apply what an edit did, whatever it says of it."""
        had, has = ({s.id: ("", s.item) for s in content.depicts if s.counts} for content in (before, after))
        for statement, key in had.items():
            if has.get(statement) != key:
                self._remove(key, revision, statement)
        for statement, key in has.items():
            if had.get(statement) != key:
                self._add(key, revision)
                self.places[statement] = len(self.said) - 1
        named, names = dict(before.captions), dict(after.captions)
        for language in named.keys() | names.keys():
            if named.get(language) != names.get(language):
                for index in [i for i in self.open if self.said[i].key[0] == language]:
                    self._close(index, revision)
                if language in names:
                    self._add((language, names[language]), revision)

    def _caption(self, auto: re.Match[str], revision: Revision) -> None:
        language = auto["about"].rsplit("|", 1)[-1].strip()
        text = " ".join(_ISA.sub("", auto["rest"]).split())
        for index in [i for i in self.open if self.said[i].key[0] == language]:
            self._close(index, revision)
        if auto["verb"] in _NAMES:
            self._add((language, text), revision)

    def _add(self, key: Key, revision: Revision) -> None:
        told = Said(key=key, revision=revision.id, user=revision.user, moment=revision.moment, tool=tool_of(revision))
        self.said.append(told)
        self.open += (len(self.said) - 1,)

    def _remove(self, key: Key, revision: Revision, statement: str = "") -> None:
        found = [i for i in self.open if self.said[i].key == key]
        if self.places.get(statement) in found:
            found = [self.places[statement]]
        if not found:  # it was said by an edit that does not tell
            self.said.append(Said(key=key))
            found = [len(self.said) - 1]
        self._close(found[-1], revision)

    def _close(self, index: int, revision: Revision) -> None:
        self.open = tuple(i for i in self.open if i != index)
        self.said[index] = replace(self.said[index], withdrawn=revision.moment, withdrawn_by=revision.user)
        self._closed_at[index] = revision.id

    def _reopen(self, index: int) -> None:
        self.said[index] = replace(self.said[index], withdrawn="", withdrawn_by="")
        self.open = tuple(sorted((*self.open, index)))

    def _restore(self, target: int, revision: Revision) -> None:
        """Bring back what was open after the revision ``target``; what an untold edit had said was open all along."""
        then = set(self._after.get(target, ()))
        then |= {i for i, said in enumerate(self.said) if not said.revision and self._closed_at.get(i, 0) > target}
        for index in [i for i in self.open if i not in then]:
            self._close(index, revision)
        for index in sorted(then - set(self.open)):
            self._reopen(index)

    def _undo(self, undone: int, revision: Revision) -> None:
        """Take back what one revision did."""
        for index in [i for i in self.open if self.said[i].revision == undone]:
            self._close(index, revision)
        for index, closed_at in self._closed_at.items():
            if closed_at == undone and index not in self.open:
                self._reopen(index)

    def _before_last_editor(self) -> int:
        """Return the revision that a rollback brings back: the last one not by whoever edited last."""
        last = self.revisions[-1].user if self.revisions else ""
        return next((r.id for r in reversed(self.revisions) if r.user != last), 0)


def _is_dark(verb: str, about: str, rest: str) -> bool:
    """Say whether an edit of structured data names less than it may have changed.

    >>> _is_dark("wbeditentity-update", "0|", ""), _is_dark("wbremoveclaims-remove", "1|", "[[P180]]: [[Q140]]")
    (True, False)
    """
    if not verb.startswith("wb") or _ELSEWHERE.match(verb):
        return False
    if verb in _REMOVES:  # several statements at once: those that do not fit in go unnamed
        count = about.partition("|")[0].strip()
        return count.isdigit() and int(count) > max(1, len(_ANY_CLAIM.findall(rest)))
    known = _ADDS | _UPDATES | _NAMES | _UNNAMES
    # Before a statement without an item, there may have been one with.
    return not (verb in known or verb.startswith("wbcreateclaim-") or _RANKS.match(verb))


def tool_of(revision: Revision) -> str:
    """Return what an edit was made with, as its summary or its change tags say; ``""`` for the wiki's own forms.

    Tags that begin with ``mw-`` are MediaWiki's own and tell what an edit did, not what made it.

    >>> tool_of(Revision(id=1, user="Jan", moment="", comment="", tags=("mw-reverted", "OAuth CID: 1776")))
    'OAuth CID: 1776'
    """
    accepted = next((tag for tag in revision.tags if tag in MACHINE_TOOLS), "")
    if accepted:  # whatever else made the edit, what it says is a machine's suggestion
        return accepted
    campaign = _ISA.search(revision.comment)
    if campaign:
        return f"campaign{campaign[1]}@ISA"
    if _QUICK_STATEMENTS.search(revision.comment):
        return "quickstatements"
    return next((tag for tag in revision.tags if not tag.startswith("mw-")), "")


def _restored(revision: Revision) -> int:
    auto = _AUTO.match(revision.comment)
    number = _NUMBERED.search(auto["about"]) if auto and auto["verb"] == "restore" else None
    return int(number[1]) if number else 0


def _undone(revision: Revision) -> int:
    auto = _AUTO.match(revision.comment)
    number = _NUMBERED.search(auto["about"]) if auto and auto["verb"] == "undo" else None
    if not number and "mw-undo" in revision.tags:
        number = _UNDONE.search(revision.comment)
    return int(number[1]) if number else 0


def _reconciled(page: _Folded, standing: Sequence[tuple[Key, Statement]]) -> list[Said]:
    """Return what the history says of items, made to agree with the statements that stand."""
    told = [i for i in page.open if page.said[i].key[0] == ""]
    result = [said for said in page.said if said.withdrawn and said.key[0] == ""]
    gone: list[Said] = []
    for key in dict.fromkeys([*(page.said[i].key for i in told), *(key for key, _ in standing)]):
        open_now = [i for i in told if page.said[i].key == key]
        statements = [statement for k, statement in standing if k == key]
        known = [s for s in statements if page.places.get(s.id) in open_now]
        result += [replace(page.said[page.places[s.id]], statement=s) for s in known]
        statements = [s for s in statements if s not in known]
        authors = [page.said[i] for i in open_now if i not in [page.places[s.id] for s in known]]
        matched = min(len(authors), len(statements))
        # Statements are kept in the order they were made: what nobody is known to have said is the oldest.
        result += [Said(key=key, statement=s) for s in statements[: len(statements) - matched]]
        pairs = zip(authors[len(authors) - matched :], statements[len(statements) - matched :], strict=True)
        result += [replace(said, statement=statement) for said, statement in pairs]
        gone += authors[: len(authors) - matched]
    withdrawn = [_replaced(page, said, result) or _gone(page, said) for said in gone]
    return result + withdrawn


def _replaced(page: _Folded, said: Said, result: list[Said]) -> Said | None:
    """Return what stands no more as withdrawn by the edit that gave its statement another item, if that is what it was.

    The first edit that can have done it is an update, which names an item that stands and that nobody is known to have
    said: that item's author is found with it, and put into ``result``.
    """
    suspect = next((r for r in page.dark if r.id > said.revision), None)
    if suspect is None or not said.revision:
        return None
    auto = _AUTO.match(suspect.comment)
    named = _claims(auto["rest"]) if auto and auto["verb"] in _UPDATES else []
    for place, other in enumerate(result):
        if other.key in named and other.key != said.key and other.statement and not other.revision:
            result[place] = replace(
                other, revision=suspect.id, user=suspect.user, moment=suspect.moment, tool=tool_of(suspect)
            )
            return replace(said, withdrawn=suspect.moment, withdrawn_by=suspect.user)
    return None


def _claims(text: str) -> list[Key]:
    return [("", item) for property_id, item in _CLAIM.findall(text) if property_id == DEPICTS]


def _gone(page: _Folded, said: Said) -> Said:
    """Return what stands no more though no summary says so, as withdrawn.

    By the one edit that can have done it and at its moment, if it is one; else by nobody known, at the last moment at
    which it can have happened.
    """
    suspects = [r for r in page.dark if r.id > said.revision]
    moment = (suspects or page.revisions)[-1].moment
    return replace(said, withdrawn=moment, withdrawn_by=suspects[0].user if len(suspects) == 1 else "")


def _reconciled_captions(page: _Folded, standing: Iterable[Key]) -> list[Said]:
    """Return what the history says of captions, made to agree with those that stand."""
    result = [said for said in page.said if said.withdrawn and said.key[0]]
    left = {i: page.said[i] for i in page.open if page.said[i].key[0]}
    for language, text in standing:
        index = next((i for i, said in left.items() if _same_caption(said.key, (language, text))), None)
        result.append(Said(key=(language, text)) if index is None else replace(left.pop(index), key=(language, text)))
    return result + [_gone(page, said) for said in left.values()]


def _same_caption(told: Key, standing: Key) -> bool:
    """Say whether a summary tells of a caption; what the editor wrote into the summary stands behind it."""
    text = " ".join(standing[1].split())
    return told[0] == standing[0] and (told[1] == text or told[1].startswith(text + ", "))


def people(said: Iterable[Said]) -> Iterator[str]:
    """Yield the user names in what was said."""
    for one in said:
        yield from filter(None, (one.user, one.withdrawn_by))
