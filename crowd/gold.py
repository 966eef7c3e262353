"""Gold questions: files of which it is known what they show. In: a table, files, taxa, labels. Out: answers, a report.

The table (CSV, TSV, XLSX, Parquet) has the columns ``file`` (title or IRI) and ``item`` (Q-item) or ``name``; a file
with several taxa has several rows. Skill is learned from gold questions; what is told of them is answered by people's
votes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crowd.lineage import ancestry
from linkeddata.errors import CampaignError
from linkeddata.records import Label, MediaFile, Taxon
from linkeddata.tablefiles import reading, text_of

Gold = Mapping[str, frozenset[str]]
"""File → the concepts that it is known to show."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One row: a file by title or IRI, and the item or name that it shows."""

    file: str
    taxon: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldReport:
    """How the crowd answers what is known."""

    questions: int
    answered: int
    """Files with an accepted label."""
    right: int
    """Of these: with each accepted label a known taxon, or one above it."""
    exact: int
    """Of these: with a known taxon itself."""


def read_gold(path: str | Path) -> tuple[Answer, ...]:
    """Return the rows of a table of known answers. Raises ``CampaignError`` naming file and column."""
    found = []
    with reading(Path(path)) as table:
        columns = table.columns
        if "file" not in columns or not {"item", "name"}.intersection(columns):
            raise CampaignError(f"{path}: gold questions need the columns file and item (or name)")
        for row in table.rows:
            cells = dict(zip(columns, map(text_of, row.cells), strict=False))
            answer = Answer(cells["file"].strip(), (cells.get("item") or cells.get("name") or "").strip())
            if answer.file and answer.taxon:
                found.append(answer)
    return tuple(found)


def known_answers(answers: Iterable[Answer], files: Iterable[MediaFile], taxa: Mapping[str, Taxon]) -> Gold:
    """Return what is known of which file, by IRI; rows about files that are not here, or names without taxon, are none.

    >>> plate = MediaFile(iri="https://example.org/M1", title="File:Plate 1.jpg")
    >>> taxa = {"Q1": Taxon(query="Q1", concept="Q1")}
    >>> known_answers([Answer("Plate 1.jpg", "Q1")], [plate], taxa)
    {'https://example.org/M1': frozenset({'Q1'})}
    """
    place: dict[str, str] = {}
    for media in files:
        place |= {media.iri: media.iri, media.title: media.iri, media.title.removeprefix("File:"): media.iri}
    found: dict[str, set[str]] = {}
    for answer in answers:
        taxon = taxa.get(answer.taxon)
        if answer.file in place and taxon and taxon.concept:
            found.setdefault(place[answer.file], set()).add(taxon.concept)
    return {file: frozenset(concepts) for file, concepts in found.items()}


def gold_report(labels: Iterable[Label], gold: Gold, taxa: Iterable[Taxon]) -> GoldReport:
    """Return how well accepted labels agree with what is known."""
    said: dict[str, list[str]] = {}
    for label in labels:
        if label.file in gold and (label.counted or label.status) == "accepted":
            said.setdefault(label.file, []).append(label.concept)
    above = ancestry({taxon.concept: taxon for taxon in taxa if taxon.concept})

    def right(file: str, concepts: Sequence[str]) -> bool:
        known = gold[file].union(*(above.get(concept, frozenset()) for concept in gold[file]))
        return known.issuperset(concepts)

    correct = [file for file, concepts in said.items() if right(file, concepts)]
    exact = sum(bool(gold[file] & set(said[file])) for file in correct)
    return GoldReport(questions=len(gold), answered=len(said), right=len(correct), exact=exact)
