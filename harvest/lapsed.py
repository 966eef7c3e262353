"""Statements that a query gives no more. In: tags that stood, what was answered before. Out: what became of them.

That a query does not give a statement any more has many reasons: it was taken back, the index lags behind the one that
was asked before, the query or its ids are others now, the taxon has lost its name. So the index is asked once more,
about the files themselves: which revision it has of each, and all that it says that they depict. Query services tell
neither who took a statement back nor when: of a tag taken back nobody is named, and its moment is that of the last edit
of the file that the index knows. By then it was gone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from harvest.reach import Reach
from harvest.records import batches
from harvest.sparql import statement_id
from linkeddata.errors import TooMuchError
from linkeddata.ids import media_of_iri
from linkeddata.records import Tag
from linkeddata.sparql import load_query
from linkeddata.sparqlpieces import AT_ONCE, Asking, Missing, rows
from linkeddata.sparqlresults import Row


@dataclass(frozen=True, slots=True)
class Index:
    """A query service that answered: where it is, and up to when it knows the wiki (``""`` where it does not tell)."""

    endpoint: str
    moment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapsed:
    """A tag that a query gave before and gives no more: taken back, or (``tag`` as it was) said but not found by it."""

    tag: Tag
    taken_back: bool


def freshest(answers: Sequence[Index], before: Sequence[str]) -> Index | None:
    """Return the freshest index that answered, if none that answered ``before`` (their moments) was fresher.

    >>> freshest([Index("a", "2026-11-02"), Index("b", "2026-11-04")], ["2026-11-03"])
    Index(endpoint='b', moment='2026-11-04')
    >>> freshest([Index("a", "2026-11-02"), Index("b", "")], ["2026-11-03"]) is None
    True
    """
    best = max((index for index in answers if index.moment), key=lambda index: index.moment, default=None)
    return best if best and best.moment >= max(before, default="") else None


def lapsed(reach: Reach, index: Index, tags: Sequence[Tag], seen: Mapping[str, str]) -> Iterator[Lapsed]:
    """Yield what became of tags that no query gives any more, as far as ``index`` can tell.

    ``seen``: up to when the index knew the wiki in which a tag was seen last, by its id. Left out, and so standing, are
    tags of files that the index does not know, tags of which nobody knows how old the index was, and those of files
    that were not edited since: there it is the index that has lost something. Raises ``ServiceError``, also where a
    part of an answer is missing.
    """
    ordered = sorted(tags, key=lambda tag: (tag.file, tag.id))
    by_file = {media_of_iri(iri): list(group) for iri, group in groupby(ordered, key=lambda tag: tag.file)}
    for batch in batches(list(by_file), AT_ONCE):
        versions = _by_file(reach, index, "versions-of-files", batch)
        said = _by_file(reach, index, "depicts-of-files", batch)
        for media in batch:
            for tag in by_file[media]:
                found = _became(tag, index, seen.get(tag.id, ""), versions.get(tag.file, []), said.get(tag.file, []))
                if found:
                    yield found


def _by_file(reach: Reach, index: Index, query: str, files: Sequence[str]) -> dict[str, list[Row]]:
    asking = Asking(reach.client, reach.settings, index.endpoint, load_query(query))
    found: dict[str, list[Row]] = {}
    for one in rows(asking, {"file": list(files)}):
        if isinstance(one, Missing):
            raise TooMuchError(f"{index.endpoint}: {one.query}: {one.piece}: {one.reason}")
        found.setdefault(one["file"], []).append(one)
    return found


def _became(tag: Tag, index: Index, seen: str, versions: Sequence[Row], said: Sequence[Row]) -> Lapsed | None:
    """Return what became of one tag, by the rows that the index has of its file; ``None`` where that cannot be said."""
    if not seen or not versions:
        return None
    if any(_says(row, tag) for row in said):
        return Lapsed(tag=tag, taken_back=False)
    edited = max(row.get("modified", "") for row in versions) or index.moment
    return Lapsed(tag=replace(tag, withdrawn=edited), taken_back=True) if edited > seen else None


def _says(row: Row, tag: Tag) -> bool:
    """Say whether a row is the statement of the tag; one whose query gave no statements is known by its item alone."""
    if row.get("item", "").rpartition("/")[2] != tag.item or row.get("rank", "").endswith("#DeprecatedRank"):
        return False
    return not tag.statement or statement_id(row.get("statement", "")) == tag.statement
